// SPDX-License-Identifier: Apache-2.0
#ifndef HF_BENCH_PRIMITIVES_H
#define HF_BENCH_PRIMITIVES_H

/*
 * What the primitives cost, in CPU time of the calling thread: ours, and libcrypto's with
 * everything made ready beforehand, which is how `openssl speed` measures. The lower bound of a
 * handshake.
 */

#include "crypto/aead.h"

struct bench_kit; /* keys and contexts of one thread */

struct bench_primitive {
    const char *name;
    void (*ours)(struct bench_kit *kit);
    void (*raw)(struct bench_kit *kit); /* NULL: nothing comparable */
};

extern const struct bench_primitive bench_primitives[]; /* ends with a NULL name */

enum hf_err bench_kit_new(struct bench_kit **out) HF_MUST_CHECK;
void bench_kit_free(struct bench_kit *kit);

/* bench_ns is one run's CPU time in ns: the least of several rounds of a few milliseconds. */
double bench_ns(void (*run)(struct bench_kit *kit), struct bench_kit *kit);

/* The four public-key operations of a server in a full mutual handshake (P-256 keys, X25519), as
 * libcrypto does them. */
struct bench_sum {
    double sign, verify, generate, derive, total;
};
enum hf_err bench_sum_of_primitives(struct bench_sum *out) HF_MUST_CHECK;

#endif
