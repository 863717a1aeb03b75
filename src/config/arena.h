// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CONFIG_ARENA_H
#define HF_CONFIG_ARENA_H

#include <stddef.h>

#include "base/attr.h"

/*
 * struct hf_arena owns many small allocations that live and die together: everything in one
 * configuration. Each is its own block, so that tools which watch memory still see its bounds.
 * A zeroed arena is valid and empty. Memory comes zeroed; NULL means out of memory (recorded).
 */
struct hf_arena {
    struct hf_arena_block *blocks;
};

void *hf_arena_alloc(struct hf_arena *arena, size_t n, size_t size) HF_MUST_CHECK;
char *hf_arena_strndup(struct hf_arena *arena, const char *text, size_t len) HF_MUST_CHECK;
char *hf_arena_strdup(struct hf_arena *arena, const char *text) HF_MUST_CHECK;

void hf_arena_done(struct hf_arena *arena);

#endif
