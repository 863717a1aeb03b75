// SPDX-License-Identifier: Apache-2.0
#include "base/pages.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/mem.h"

static bool round_up(size_t size, size_t *out)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (size > SIZE_MAX - page) {
        return false;
    }
    *out = (size + page - 1) / page * page;
    return true;
}

bool hf_pages_resize(struct hf_pages *pages, size_t size)
{
    size_t whole = 0;
    if (size == 0) {
        hf_pages_done(pages);
        return true;
    }
    if (!round_up(size, &whole) || hf_alloc_fails()) {
        return hf_alloc_checked(NULL, size) != NULL;
    }
    if (whole == pages->size) {
        return true;
    }
    void *ptr = pages->ptr ? mremap(pages->ptr, pages->size, whole, MREMAP_MAYMOVE)
                           : mmap(NULL, whole, PROT_READ | PROT_WRITE,
                                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (ptr == MAP_FAILED) {
        return hf_alloc_checked(NULL, size) != NULL;
    }
    *pages = (struct hf_pages){ptr, whole};
    return true;
}

/* MADV_COLLAPSE (Linux 6.1) moves what lies there already. */
void hf_pages_settle(const struct hf_pages *pages)
{
    enum { COLLAPSE = 25 };
    if (pages->ptr && pages->size) {
        (void)madvise(pages->ptr, pages->size, COLLAPSE);
    }
}

void hf_pages_done(struct hf_pages *pages)
{
    if (pages->ptr) {
        munmap(pages->ptr, pages->size);
    }
    *pages = (struct hf_pages){0};
}
