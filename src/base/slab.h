// SPDX-License-Identifier: Apache-2.0
#ifndef HF_BASE_SLAB_H
#define HF_BASE_SLAB_H

/*
 * struct hf_slab hands out blocks of one size from pages of its own. For blocks of a kilobyte or so
 * that many connections take and give back while smaller things stay: in the common heap they leave
 * holes that nobody else fits into, here their pages go back to the system.
 *
 * Any thread may take and give back; a block may be given back by another thread than took it.
 */

#include <pthread.h>
#include <stddef.h>

#include "base/attr.h"

#define HF_SLAB_BLOCK_MAX (8u << 10)

struct hf_slab_page;

struct hf_slab {
    size_t block_size; /* at most HF_SLAB_BLOCK_MAX */
    pthread_mutex_t lock;
    struct hf_slab_page *pages; /* those with a free block */
};

#define HF_SLAB_INIT(size) \
    { \
        .block_size = (size), .lock = PTHREAD_MUTEX_INITIALIZER \
    }

/* hf_slab_take gives a block, aligned to 64 bytes, with anything in it. NULL: out of memory. */
void *hf_slab_take(struct hf_slab *slab) HF_MUST_CHECK;

/* hf_slab_give gives it back to the slab that it came from. Accepts NULL. */
void hf_slab_give(struct hf_slab *slab, void *block);

#endif
