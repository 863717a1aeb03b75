// SPDX-License-Identifier: Apache-2.0
/*
 * Buckets without locks. A place is two words: the key's hash, and the instant (`full_at`) at which
 * its bucket will be full. Taking one moves full_at on by one interval, which fails when that would
 * lie more than a burst ahead of now.
 *
 * A place is claimed by swapping its hash from the old key's to ours. Whoever of two threads loses
 * looks again. Between a claim and the first take of the new key, the place still has the old
 * instant: harmless, since the claim is of a full bucket (an instant that has passed), or else it
 * is set to now by the claimant, and what another thread took meanwhile is forgotten: at most one
 * each.
 */
#include "policy/rate.h"

#include <stdatomic.h>

#include "base/map.h"
#include "base/mem.h"

enum { WAYS = 8, SETS = HF_RATE_KEYS / WAYS };

struct place {
    _Atomic uint64_t key; /* 0: free */
    _Atomic int64_t full_at;
};

struct hf_rate {
    struct place places[SETS][WAYS];
};

enum hf_err hf_rate_new(struct hf_rate **out)
{
    *out = HF_NEW(struct hf_rate);
    return *out ? HF_OK : HF_E_NOMEM;
}

void hf_rate_free(struct hf_rate *rate)
{
    hf_free(rate);
}

static uint64_t hash_of(struct hf_bytes key)
{
    uint64_t hash = hf_hash64(key);
    return hash ? hash : 1;
}

static struct place *find(struct hf_rate *rate, uint64_t key)
{
    struct place *set = rate->places[key % SETS];
    for (size_t i = 0; i < WAYS; i++) {
        if (atomic_load_explicit(&set[i].key, memory_order_acquire) == key) {
            return &set[i];
        }
    }
    return NULL;
}

/* The place that is nearest to being full, for a key that has none. */
static struct place *claim(struct hf_rate *rate, uint64_t key, int64_t now_ns)
{
    struct place *set = rate->places[key % SETS];
    for (int attempt = 0; attempt < WAYS; attempt++) {
        struct place *best = &set[0];
        int64_t best_at = atomic_load_explicit(&best->full_at, memory_order_relaxed);
        for (size_t i = 1; i < WAYS; i++) {
            int64_t at = atomic_load_explicit(&set[i].full_at, memory_order_relaxed);
            if (at < best_at) {
                best = &set[i];
                best_at = at;
            }
        }
        uint64_t old = atomic_load_explicit(&best->key, memory_order_relaxed);
        if (old == key) {
            return best; /* another thread claimed it for the same key */
        }
        if (atomic_compare_exchange_strong(&best->key, &old, key)) {
            if (best_at > now_ns) {
                atomic_store_explicit(&best->full_at, now_ns, memory_order_relaxed);
            }
            return best;
        }
    }
    return &set[0]; /* many at once: share a bucket this time */
}

static bool fits(const struct hf_rate_rule *rule, int64_t full_at, int64_t now_ns,
                 int64_t *out_next, int64_t *out_wait_ns)
{
    int64_t from = full_at > now_ns ? full_at : now_ns;
    int64_t ahead = rule->interval_ns * (int64_t)rule->burst;
    *out_next = from + rule->interval_ns;
    *out_wait_ns = *out_next - now_ns - ahead;
    return *out_wait_ns <= 0;
}

bool hf_rate_peek(struct hf_rate *rate, const struct hf_rate_rule *rule, struct hf_bytes key,
                  int64_t now_ns, int64_t *out_wait_ns)
{
    struct place *place = find(rate, hash_of(key));
    int64_t next;
    *out_wait_ns = 0;
    return !place || fits(rule, atomic_load_explicit(&place->full_at, memory_order_relaxed), now_ns,
                          &next, out_wait_ns);
}

bool hf_rate_take(struct hf_rate *rate, const struct hf_rate_rule *rule, struct hf_bytes key,
                  int64_t now_ns, int64_t *out_wait_ns)
{
    uint64_t hash = hash_of(key);
    struct place *place = find(rate, hash);
    place = place ? place : claim(rate, hash, now_ns);
    int64_t full_at = atomic_load_explicit(&place->full_at, memory_order_relaxed);
    int64_t next;
    do {
        if (!fits(rule, full_at, now_ns, &next, out_wait_ns)) {
            return false;
        }
    } while (!atomic_compare_exchange_weak(&place->full_at, &full_at, next));
    *out_wait_ns = 0;
    return true;
}
