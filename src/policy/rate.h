// SPDX-License-Identifier: Apache-2.0
#ifndef HF_POLICY_RATE_H
#define HF_POLICY_RATE_H

/*
 * How often and how many at a time: limits by key, such as an address or an identity. Any thread at
 * once; nobody waits for anybody.
 *
 * struct hf_rate is a token bucket per key: `burst` at once, then one more every 1/rate. A bucket
 * is one number, the instant at which it will be full again (the "generic cell rate algorithm"), so
 * that all workers count in the same bucket with one compare-and-swap, exactly.
 *
 * Memory is fixed: HF_RATE_KEYS buckets, 1 MiB. A bucket that is full is as good as none, and is
 * what a new key takes the place of. When none of the eight places that a key may have is full, the
 * one nearest to full is given up: with more keys under limit than there is room for, some get up
 * to a burst more than they should. Nobody ever gets less. Keys are hashed with a secret, so no
 * client can choose whose place it takes.
 *
 * struct hf_tally counts what is there now, such as connections, and is exact: it grows with what
 * it counts and is bounded by it.
 */

#include "base/bytes.h"

#define HF_RATE_KEYS 65536

/* struct hf_rate_rule: `burst` is at least 1, `interval_ns` what one costs: 10 ms for 100/s. */
struct hf_rate_rule {
    int64_t interval_ns;
    unsigned burst;
};

struct hf_rate;

enum hf_err hf_rate_new(struct hf_rate **out) HF_MUST_CHECK;
void hf_rate_free(struct hf_rate *rate);

/* hf_rate_take takes one from the key's bucket. False: there is none; *out_wait_ns says when there
 * will be. now_ns: monotonic. */
bool hf_rate_take(struct hf_rate *rate, const struct hf_rate_rule *rule, struct hf_bytes key,
                  int64_t now_ns, int64_t *out_wait_ns);

/* hf_rate_peek says whether hf_rate_take would succeed, and takes nothing. */
bool hf_rate_peek(struct hf_rate *rate, const struct hf_rate_rule *rule, struct hf_bytes key,
                  int64_t now_ns, int64_t *out_wait_ns);

struct hf_tally;

enum hf_err hf_tally_new(struct hf_tally **out) HF_MUST_CHECK;
void hf_tally_free(struct hf_tally *tally);

/*
 * hf_tally_add counts one more of the key unless there are max already. *out_slot names what was
 * counted, for hf_tally_sub; 0: nothing was. Errors: HF_E_BUSY (there are max), HF_E_NOMEM.
 */
enum hf_err hf_tally_add(struct hf_tally *tally, struct hf_bytes key, unsigned max,
                         uint64_t *out_slot) HF_MUST_CHECK;

/* hf_tally_sub counts one less. 0 is fine. */
void hf_tally_sub(struct hf_tally *tally, uint64_t slot);

/* hf_tally_of says how many of the key there are. */
unsigned hf_tally_of(struct hf_tally *tally, struct hf_bytes key);

#endif
