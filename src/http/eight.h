// SPDX-License-Identifier: Apache-2.0
#ifndef HF_HTTP_EIGHT_H
#define HF_HTTP_EIGHT_H

/*
 * Eight bytes of text at a time, in one word. What is said of a byte is its top bit, 0x80, in a
 * word of marks; all other bits of such a word are 0. Bytes of 0x80 and more are never marked.
 */

#include <string.h>

#include "base/bytes.h"

#define HF_EIGHT(byte) ((uint64_t)(byte)*0x0101010101010101u)

static inline uint64_t hf_eight_load(const uint8_t *from)
{
    uint64_t eight;
    memcpy(&eight, from, sizeof(eight));
    return eight;
}

static inline void hf_eight_store(uint8_t *to, uint64_t eight)
{
    memcpy(to, &eight, sizeof(eight));
}

/* Bytes from first to last, both at most 0x7f. */
static inline uint64_t hf_eight_between(uint64_t eight, uint8_t first, uint8_t last)
{
    uint64_t low = eight & HF_EIGHT(0x7f);
    uint64_t from = low + HF_EIGHT(0x80 - first);
    uint64_t beyond = low + HF_EIGHT(0x7f - last);
    return from & ~beyond & ~eight & HF_EIGHT(0x80);
}

static inline uint64_t hf_eight_upper(uint64_t eight)
{
    return hf_eight_between(eight, 'A', 'Z');
}

/* Letters in lower case, every other byte as it is. */
static inline uint64_t hf_eight_lower(uint64_t eight)
{
    return eight | hf_eight_upper(eight) >> 2;
}

#endif
