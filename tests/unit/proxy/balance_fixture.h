// SPDX-License-Identifier: Apache-2.0
#ifndef TESTS_UNIT_PROXY_BALANCE_FIXTURE_H
#define TESTS_UNIT_PROXY_BALANCE_FIXTURE_H

/* An upstream with servers a, b, c ... that exist in memory alone. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "proxy/balance.h"
#include "proxy/balance_queue.h"

enum { FIXTURE_SERVERS = 16 };

struct balance {
    struct hf_cfg_upstream cfg;
    struct hf_cfg_server cfg_servers[FIXTURE_SERVERS];
    char texts[FIXTURE_SERVERS][8];
    struct hf_server servers[FIXTURE_SERVERS];
    struct hf_server_state states[FIXTURE_SERVERS];
    struct hf_upstream_state state;
    struct hf_upstream upstream;
    struct hf_pick_input input;
};

/* Called again after a change of cfg; the states stay, as over a reload. */
static inline void balance_build(struct balance *b, size_t n)
{
    hf_balance_table_done(&b->upstream.table);
    b->cfg.name = b->cfg.name ? b->cfg.name : b->texts[0];
    b->cfg.servers = b->cfg_servers;
    b->cfg.n_servers = n;
    b->upstream = (struct hf_upstream){
        .cfg = &b->cfg, .state = &b->state, .servers = b->servers, .n_servers = n};
    for (size_t i = 0; i < n; i++) {
        b->texts[i][0] = (char)('a' + i);
        b->cfg_servers[i].text = b->texts[i];
        b->servers[i] = (struct hf_server){.cfg = &b->cfg_servers[i],
                                           .state = &b->states[i],
                                           .upstream = &b->upstream,
                                           .index = i};
    }
    assert_int_equal(hf_balance_table_init(&b->upstream.table, &b->cfg), HF_OK);
}

static inline struct balance *balance_new(size_t n)
{
    struct balance *b = calloc(1, sizeof(*b));
    assert_non_null(b);
    b->input.now_ms = 1000000;
    balance_build(b, n);
    return b;
}

static inline void balance_free(struct balance *b)
{
    hf_queues_free(&b->state);
    hf_balance_table_done(&b->upstream.table);
    free(b);
}

/* The index of who was picked; its place is kept. -1: none, -2: queue. */
static inline int pick_and_keep(struct balance *b)
{
    const struct hf_server *server = NULL;
    switch (hf_balance_pick(&b->upstream, &b->input, &server)) {
    case HF_PICK_SERVER:
        return (int)server->index;
    case HF_PICK_QUEUE:
        return -2;
    default:
        return -1;
    }
}

static inline int pick(struct balance *b)
{
    int index = pick_and_keep(b);
    if (index >= 0) {
        hf_balance_leave(&b->upstream, &b->servers[index]);
    }
    return index;
}

static inline void report(struct balance *b, size_t index, enum hf_server_outcome outcome,
                          int64_t latency_us)
{
    hf_balance_report(&b->upstream, &b->servers[index],
                      &(struct hf_balance_report){
                          .outcome = outcome, .latency_us = latency_us, .now_ms = b->input.now_ms});
}

#endif
