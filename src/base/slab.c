// SPDX-License-Identifier: Apache-2.0
#include "base/slab.h"

/*
 * Pages of 64 KiB, aligned to their size, so that a block's page is found from its address. A page
 * knows its free blocks; the slab knows the pages that have some. One empty page is kept for the
 * next taker, a second one is unmapped. The lock is held for a few instructions, and for a system
 * call when a page comes or goes.
 *
 * Programs built for a sanitizer have slab_plain.c in place of this, which sees each block's end.
 */

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

#include "base/mem.h"

enum { PAGE_SIZE = 64 << 10, BLOCK_ALIGN = 64 };

struct free_block {
    struct free_block *next;
};

struct hf_slab_page {
    struct hf_slab_page *next, *prev; /* among the slab's pages with free blocks */
    struct free_block *free;
    size_t n_used;
    size_t fresh; /* offset of the first block that was never taken; PAGE_SIZE: none */
};

static size_t rounded(size_t size)
{
    return (size + BLOCK_ALIGN - 1) / BLOCK_ALIGN * BLOCK_ALIGN;
}

static struct hf_slab_page *page_of(void *block)
{
    return (struct hf_slab_page *)((uintptr_t)block & ~(uintptr_t)(PAGE_SIZE - 1));
}

/* --- The list of pages with room ----------------------------------------------------------------
 */

static void link_page(struct hf_slab *slab, struct hf_slab_page *page)
{
    page->prev = NULL;
    page->next = slab->pages;
    if (page->next) {
        page->next->prev = page;
    }
    slab->pages = page;
}

static void unlink_page(struct hf_slab *slab, struct hf_slab_page *page)
{
    if (page->prev) {
        page->prev->next = page->next;
    } else {
        slab->pages = page->next;
    }
    if (page->next) {
        page->next->prev = page->prev;
    }
}

/* --- Pages --------------------------------------------------------------------------------------
 */

/* Maps twice the size and gives back what is outside the aligned part. */
static struct hf_slab_page *map_page(void)
{
    uint8_t *twice =
        mmap(NULL, 2 * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (twice == MAP_FAILED) {
        return NULL;
    }
    size_t before = (PAGE_SIZE - (uintptr_t)twice % PAGE_SIZE) % PAGE_SIZE;
    uint8_t *page = twice + before;
    if (before) {
        munmap(twice, before);
    }
    munmap(page + PAGE_SIZE, PAGE_SIZE - before);
    return (struct hf_slab_page *)(void *)page;
}

static bool has_room(const struct hf_slab_page *page)
{
    return page->free || page->fresh < PAGE_SIZE;
}

static void *take_from(struct hf_slab_page *page, size_t size)
{
    void *block = page->free;
    if (block) {
        page->free = page->free->next;
    } else {
        block = (uint8_t *)page + page->fresh;
        page->fresh += size;
        page->fresh = page->fresh + size <= PAGE_SIZE ? page->fresh : PAGE_SIZE;
    }
    page->n_used++;
    return block;
}

/* --- Blocks -------------------------------------------------------------------------------------
 */

static void *take_locked(struct hf_slab *slab)
{
    struct hf_slab_page *page = slab->pages;
    if (!page) {
        page = map_page();
        if (!page) {
            return NULL;
        }
        page->fresh = rounded(sizeof(*page));
        link_page(slab, page);
    }
    void *block = take_from(page, rounded(slab->block_size));
    if (!has_room(page)) {
        unlink_page(slab, page);
    }
    return block;
}

void *hf_slab_take(struct hf_slab *slab)
{
    assert(slab->block_size <= HF_SLAB_BLOCK_MAX);
    void *block = NULL;
    if (!hf_alloc_fails()) {
        pthread_mutex_lock(&slab->lock);
        block = take_locked(slab);
        pthread_mutex_unlock(&slab->lock);
    }
    return hf_alloc_checked(block, slab->block_size);
}

void hf_slab_give(struct hf_slab *slab, void *block)
{
    if (!block) {
        return;
    }
    struct hf_slab_page *page = page_of(block), *empty = NULL;
    struct free_block *freed = block;
    pthread_mutex_lock(&slab->lock);
    if (!has_room(page)) {
        link_page(slab, page);
    }
    freed->next = page->free;
    page->free = freed;
    page->n_used--;
    if (page->n_used == 0 && (page->next || page->prev)) {
        unlink_page(slab, page);
        empty = page;
    }
    pthread_mutex_unlock(&slab->lock);
    if (empty) {
        munmap(empty, PAGE_SIZE);
    }
}
