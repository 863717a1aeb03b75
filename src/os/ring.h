// SPDX-License-Identifier: Apache-2.0
#ifndef HF_OS_RING_H
#define HF_OS_RING_H

/*
 * struct hf_ring is a bounded byte queue between one writing and one reading thread, without locks.
 * What is put becomes visible whole or not at all.
 */

#include <stdatomic.h>

#include "base/bytes.h"

struct hf_ring {
    uint8_t *mem;
    size_t size;        /* a power of two */
    atomic_size_t tail; /* bytes ever put; the writer's */
    char apart[64];     /* so that the two don't share a cache line */
    atomic_size_t head; /* bytes ever taken; the reader's */
};

/* hf_ring_init: size is a power of two. Errors: HF_E_NOMEM. */
enum hf_err hf_ring_init(struct hf_ring *ring, size_t size) HF_MUST_CHECK;
void hf_ring_done(struct hf_ring *ring);

/* hf_ring_put adds all the bytes, or none and gives false when there's no room. Writer only. */
bool hf_ring_put(struct hf_ring *ring, struct hf_bytes bytes) HF_MUST_CHECK;

/* hf_ring_len is how much the reader can take; the writer may ask too. hf_ring_peek shows the bytes
 * at the front that lie in one piece; hf_ring_take removes n of them. Reader only. */
size_t hf_ring_len(struct hf_ring *ring);
struct hf_bytes hf_ring_peek(struct hf_ring *ring);
void hf_ring_take(struct hf_ring *ring, size_t n);

#endif
