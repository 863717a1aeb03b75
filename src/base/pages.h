// SPDX-License-Identifier: Apache-2.0
#ifndef HF_BASE_PAGES_H
#define HF_BASE_PAGES_H

/*
 * Big blocks of memory straight from the system, for things of many megabytes that are made and
 * dropped as a whole: what is dropped goes back at once, and a grown block isn't copied. They count
 * for hf_alloc_fail_after like every other allocation.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

/* A zeroed one is valid and empty. */
struct hf_pages {
    void *ptr;
    size_t size; /* bytes, a multiple of the page size */
};

/* hf_pages_resize makes room for size bytes, and keeps what was there; 0 gives all back. Pages that
 * were never written cost address space only. On failure it is false, HF_E_NOMEM is recorded, and
 * the block is as before. */
bool hf_pages_resize(struct hf_pages *pages, size_t size) HF_MUST_CHECK;
void hf_pages_done(struct hf_pages *pages);

/* hf_pages_settle says that the block is filled and will be looked into all over: where the system
 * has large pages free it lies on them from now on. A wish, no more. */
void hf_pages_settle(const struct hf_pages *pages);

#endif
