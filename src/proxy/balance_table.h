// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_BALANCE_TABLE_H
#define HF_PROXY_BALANCE_TABLE_H

/*
 * struct hf_balance_table is what a pick looks servers up in: computed once a generation,
 * immutable.
 *
 *   turns  smooth weighted round robin, written out: of the sum of the weights in turns each server
 *          has exactly its weight, as evenly spread as can be. 5, 1, 1 makes "a a b a c a a".
 *   ring   Maglev: a prime number of slots, filled by each server in the order of its own
 *          permutation; each has its weight's share to within one slot. A server that comes or goes
 *          moves its own slots and few others.
 */

#include "config/config.h"

struct hf_balance_table {
    uint16_t *turns; /* indices of servers */
    size_t n_turns;
    uint16_t *ring; /* NULL but for HF_BALANCE_HASH */
    size_t n_ring;
    uint64_t total_weight;
};

/* hf_balance_table_init: at most HF_UPSTREAM_SERVERS_MAX servers. Errors: HF_E_NOMEM. */
enum hf_err hf_balance_table_init(struct hf_balance_table *table,
                                  const struct hf_cfg_upstream *cfg) HF_MUST_CHECK;
void hf_balance_table_done(struct hf_balance_table *table);

/* hf_weight is a server's, at least 1. */
static inline unsigned hf_weight(const struct hf_cfg_server *server)
{
    return server->weight ? server->weight : 1;
}

/* hf_mix64 spreads bits (the finalizer of SplitMix64). */
static inline uint64_t hf_mix64(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

/* hf_balance_hash is the same on every node and in every version: what it maps stays mapped. */
uint64_t hf_balance_hash(struct hf_bytes key);

#endif
