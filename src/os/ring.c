// SPDX-License-Identifier: Apache-2.0
/*
 * head and tail only grow; their difference is the fill, and modulo the size they are positions.
 * Both are accessed in the one order that all threads agree on (seq_cst): the log sink decides by
 * "was the tail moved before I cleared the flag?", which acquire and release alone don't answer.
 */
#include "os/ring.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

enum hf_err hf_ring_init(struct hf_ring *ring, size_t size)
{
    assert(size && (size & (size - 1)) == 0);
    ring->mem = hf_alloc(size);
    ring->size = size;
    atomic_init(&ring->tail, 0);
    atomic_init(&ring->head, 0);
    return ring->mem ? HF_OK : HF_E_NOMEM;
}

void hf_ring_done(struct hf_ring *ring)
{
    hf_free(ring->mem);
    ring->mem = NULL;
    ring->size = 0;
}

bool hf_ring_put(struct hf_ring *ring, struct hf_bytes bytes)
{
    size_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
    size_t head = atomic_load(&ring->head);
    if (bytes.len > ring->size - (tail - head)) {
        return false;
    }
    size_t at = tail & (ring->size - 1);
    size_t first = bytes.len < ring->size - at ? bytes.len : ring->size - at;
    if (bytes.len) {
        memcpy(ring->mem + at, bytes.ptr, first);
        memcpy(ring->mem, bytes.ptr + first, bytes.len - first);
    }
    atomic_store(&ring->tail, tail + bytes.len);
    return true;
}

size_t hf_ring_len(struct hf_ring *ring)
{
    size_t head = atomic_load(&ring->head); /* first: head never passes a tail read later */
    return atomic_load(&ring->tail) - head;
}

struct hf_bytes hf_ring_peek(struct hf_ring *ring)
{
    size_t at = atomic_load_explicit(&ring->head, memory_order_relaxed) & (ring->size - 1);
    size_t len = hf_ring_len(ring);
    return hf_bytes_of(ring->mem + at, len < ring->size - at ? len : ring->size - at);
}

void hf_ring_take(struct hf_ring *ring, size_t n)
{
    assert(n <= hf_ring_len(ring));
    size_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    atomic_store(&ring->head, head + n);
}
