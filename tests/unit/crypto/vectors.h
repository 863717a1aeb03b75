// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TESTS_CRYPTO_VECTORS_H
#define HF_TESTS_CRYPTO_VECTORS_H

/* Helpers for published vectors, and a random source that gives known bytes. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/clock.h"

#define VECTOR_MAX 1024

struct vector {
    uint8_t byte[VECTOR_MAX];
    size_t len;
};

/* hex decodes digits, which may be broken by spaces. */
static inline struct vector hex(const char *digits)
{
    struct vector vector = {.len = 0};
    char tight[2 * VECTOR_MAX + 1];
    size_t n = 0;
    for (; *digits; digits++) {
        if (*digits != ' ') {
            assert_true(n < 2 * VECTOR_MAX);
            tight[n++] = *digits;
        }
    }
    tight[n] = '\0';
    vector.len = n / 2;
    assert_int_equal(hf_unhex(tight, hf_span_of(vector.byte, vector.len)), HF_OK);
    return vector;
}

static inline struct hf_bytes view(const struct vector *vector)
{
    return hf_bytes_of(vector->byte, vector->len);
}

static inline void assert_hex(const void *bytes, size_t len, const char *digits)
{
    struct vector expected = hex(digits);
    assert_int_equal(len, expected.len);
    assert_memory_equal(bytes, expected.byte, len);
}

/* A random source that counts: the same bytes each time. */
struct counting_rng {
    uint64_t state;
};

static inline enum hf_err counting_fill(void *ctx, struct hf_span out)
{
    struct counting_rng *rng = ctx;
    for (size_t i = 0; i < out.len; i++) {
        rng->state = rng->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        out.ptr[i] = (uint8_t)(rng->state >> 56);
    }
    return HF_OK;
}

static inline struct hf_rng counting_rng(struct counting_rng *state)
{
    return (struct hf_rng){.ctx = state, .fill = counting_fill};
}

#endif
