// SPDX-License-Identifier: Apache-2.0
/*
 * Both tables are made on the control thread, at load; nothing here is on a request's way but
 * hf_balance_hash. Weights are divided by their greatest common divisor first, so that 100:100 is
 * as short as 1:1.
 */
#include "proxy/balance_table.h"

#include <string.h>

#include "base/mem.h"

static unsigned divisor_of(const struct hf_cfg_upstream *cfg)
{
    unsigned divisor = 0;
    for (size_t i = 0; i < cfg->n_servers; i++) {
        unsigned a = hf_weight(&cfg->servers[i]);
        while (divisor) {
            unsigned rest = a % divisor;
            a = divisor;
            divisor = rest;
        }
        divisor = a;
    }
    return divisor ? divisor : 1;
}

/* --- Turns --------------------------------------------------------------------------------------
 */

/* Each turn everybody gains its weight, and the richest pays the whole for it. */
static void write_turns(struct hf_balance_table *table, const struct hf_cfg_upstream *cfg,
                        unsigned divisor)
{
    int64_t credit[HF_UPSTREAM_SERVERS_MAX] = {0};
    for (size_t turn = 0; turn < table->n_turns; turn++) {
        size_t best = 0;
        for (size_t i = 0; i < cfg->n_servers; i++) {
            credit[i] += hf_weight(&cfg->servers[i]) / divisor;
            best = credit[i] > credit[best] ? i : best;
        }
        credit[best] -= (int64_t)table->n_turns;
        table->turns[turn] = (uint16_t)best;
    }
}

/* --- Ring ---------------------------------------------------------------------------------------
 */

/* Slots: a prime, at least 100 for each unit of weight while that is reasonable, so that shares are
 * true to one percent; the largest costs 256 KiB. */
static size_t ring_size(uint64_t units)
{
    static const size_t primes[] = {1021, 4093, 16381, 65521, 131071};
    for (size_t i = 0; i + 1 < HF_N_ELEMENTS(primes); i++) {
        if (primes[i] >= units * 100) {
            return primes[i];
        }
    }
    return primes[HF_N_ELEMENTS(primes) - 1];
}

struct filler {
    uint64_t offset, skip, next; /* its permutation of the slots, and where in it it is */
    uint64_t credit;             /* gains its weight a round, a slot costs the greatest weight */
};

static void take_slot(struct hf_balance_table *table, struct filler *filler, uint16_t index)
{
    size_t slot;
    do {
        slot = (filler->offset + filler->next++ * filler->skip) % table->n_ring;
    } while (table->ring[slot] != UINT16_MAX);
    table->ring[slot] = index;
}

static unsigned greatest_weight(const struct hf_cfg_upstream *cfg)
{
    unsigned greatest = 1;
    for (size_t i = 0; i < cfg->n_servers; i++) {
        unsigned weight = hf_weight(&cfg->servers[i]);
        greatest = weight > greatest ? weight : greatest;
    }
    return greatest;
}

static void fill_ring(struct hf_balance_table *table, const struct hf_cfg_upstream *cfg)
{
    struct filler fillers[HF_UPSTREAM_SERVERS_MAX];
    unsigned cost = greatest_weight(cfg);
    for (size_t i = 0; i < cfg->n_servers; i++) {
        uint64_t hash = hf_balance_hash(hf_bytes_str(cfg->servers[i].text));
        fillers[i] = (struct filler){
            .offset = hash % table->n_ring,
            .skip = hf_mix64(hash) % (table->n_ring - 1) + 1,
        };
    }
    memset(table->ring, 0xff, table->n_ring * sizeof(*table->ring));
    for (size_t taken = 0; taken < table->n_ring;) {
        for (size_t i = 0; i < cfg->n_servers && taken < table->n_ring; i++) {
            fillers[i].credit += hf_weight(&cfg->servers[i]);
            if (fillers[i].credit >= cost) {
                fillers[i].credit -= cost;
                take_slot(table, &fillers[i], (uint16_t)i);
                taken++;
            }
        }
    }
}

/* --- Both ---------------------------------------------------------------------------------------
 */

enum hf_err hf_balance_table_init(struct hf_balance_table *table, const struct hf_cfg_upstream *cfg)
{
    unsigned divisor = divisor_of(cfg);
    uint64_t units = 0;
    for (size_t i = 0; i < cfg->n_servers; i++) {
        units += hf_weight(&cfg->servers[i]) / divisor;
    }
    *table = (struct hf_balance_table){.n_turns = units, .total_weight = units * divisor};
    table->turns = hf_alloc_zero(table->n_turns, sizeof(*table->turns));
    if (!table->turns) {
        return HF_E_NOMEM;
    }
    write_turns(table, cfg, divisor);
    if (cfg->balance != HF_BALANCE_HASH) {
        return HF_OK;
    }
    table->n_ring = ring_size(units);
    table->ring = hf_alloc_zero(table->n_ring, sizeof(*table->ring));
    if (!table->ring) {
        hf_balance_table_done(table);
        return HF_E_NOMEM;
    }
    fill_ring(table, cfg);
    return HF_OK;
}

void hf_balance_table_done(struct hf_balance_table *table)
{
    hf_free(table->turns);
    hf_free(table->ring);
    *table = (struct hf_balance_table){0};
}

/* FNV-1a, then mixed: short keys that differ in one letter must end up far apart. */
uint64_t hf_balance_hash(struct hf_bytes key)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < key.len; i++) {
        hash = (hash ^ key.ptr[i]) * 0x100000001b3u;
    }
    return hf_mix64(hash);
}
