// SPDX-License-Identifier: Apache-2.0
#include "config/arena.h"

#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

struct hf_arena_block {
    struct hf_arena_block *next;
    _Alignas(max_align_t) unsigned char bytes[];
};

void *hf_arena_alloc(struct hf_arena *arena, size_t n, size_t size)
{
    size_t wanted;
    if (__builtin_mul_overflow(n, size, &wanted) ||
        __builtin_add_overflow(wanted, sizeof(struct hf_arena_block), &wanted)) {
        (void)hf_fail(HF_E_NOMEM, "out of memory (%zu objects of %zu bytes wanted)", n, size);
        return NULL;
    }
    struct hf_arena_block *block = hf_alloc_zero(1, wanted);
    if (!block) {
        return NULL;
    }
    block->next = arena->blocks;
    arena->blocks = block;
    return block->bytes;
}

char *hf_arena_strndup(struct hf_arena *arena, const char *text, size_t len)
{
    char *copy = hf_arena_alloc(arena, 1, len + 1);
    if (copy && len) {
        memcpy(copy, text, len);
    }
    return copy;
}

char *hf_arena_strdup(struct hf_arena *arena, const char *text)
{
    return hf_arena_strndup(arena, text, strlen(text));
}

void hf_arena_done(struct hf_arena *arena)
{
    while (arena->blocks) {
        struct hf_arena_block *next = arena->blocks->next;
        hf_free(arena->blocks);
        arena->blocks = next;
    }
}
