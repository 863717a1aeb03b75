// SPDX-License-Identifier: Apache-2.0
/*
 * A dial goes through the upstream's servers in the order that the balance gave, and through each
 * server's addresses, until one connects. Ends are told from the event loop, never from within
 * hf_dial_start or hf_dial_next, so that callers need no re-entrance.
 */
#include "proxy/upstream.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum {
    ADDRESSES_MAX = 4, /* of one server, tried before the next server is */
    WHY_MAX = 1024,
};

struct hf_dial {
    struct hf_dial_env env;
    const struct hf_upstream *upstream;
    hf_dial_fn *on_end;
    void *ctx;
    size_t *order; /* servers by preference */
    size_t at;     /* index into order of the server being tried */
    struct hf_addr addrs[ADDRESSES_MAX];
    size_t n_addrs;
    size_t at_addr;
    struct hf_resolve *lookup;
    struct hf_watch watch;
    struct hf_timer deadline; /* of the attempt; also carries ends to the loop with no delay */
    bool ending;              /* the deadline only carries the end */
    char why[WHY_MAX];
};

static const struct hf_server *server_of(const struct hf_dial *dial)
{
    return &dial->upstream->servers[dial->order[dial->at]];
}

/* --- Choosing -----------------------------------------------------------------------------------
 */

static unsigned load_of(const struct hf_upstream *upstream, size_t i)
{
    return atomic_load_explicit(&upstream->servers[i].state->open, memory_order_relaxed);
}

/* Round robin: all servers from the upstream's turn on. Least connections: the same, sorted by open
 * connections; the sort is stable, so that equals take turns. */
static void choose_order(const struct hf_upstream *upstream, size_t *order)
{
    size_t n = upstream->n_servers;
    size_t turn = atomic_fetch_add_explicit(&upstream->state->turn, 1, memory_order_relaxed);
    for (size_t i = 0; i < n; i++) {
        order[i] = (turn + i) % n;
    }
    if (upstream->cfg->balance != HF_BALANCE_LEAST_CONNECTIONS) {
        return;
    }
    for (size_t i = 1; i < n; i++) {
        size_t server = order[i];
        size_t at = i;
        for (; at > 0 && load_of(upstream, order[at - 1]) > load_of(upstream, server); at--) {
            order[at] = order[at - 1];
        }
        order[at] = server;
    }
}

/* --- One attempt --------------------------------------------------------------------------------
 */

static void try_server(struct hf_dial *dial);
static void try_address(struct hf_dial *dial);

static void stop_attempt(struct hf_dial *dial)
{
    hf_timer_cancel(&dial->deadline);
    if (dial->lookup) {
        hf_resolve_cancel(dial->lookup);
        dial->lookup = NULL;
    }
    if (dial->watch.active) {
        hf_watch_remove(dial->env.loop, &dial->watch);
    }
    hf_closep(&dial->watch.fd);
}

static void note(struct hf_dial *dial, const char *what)
{
    size_t len = strlen(dial->why);
    snprintf(dial->why + len, sizeof(dial->why) - len, "%s%s: %s", len ? "; " : "",
             server_of(dial)->cfg->text, what);
}

static void count_failure(struct hf_dial *dial)
{
    atomic_fetch_add_explicit(&server_of(dial)->state->failed, 1, memory_order_relaxed);
    hf_series_add(dial->upstream->failures, dial->env.shard, 1);
}

static void end_soon(struct hf_dial *dial)
{
    dial->ending = true;
    hf_timer_set(dial->env.loop, &dial->deadline, 0);
}

static void next_server(struct hf_dial *dial)
{
    dial->at++;
    if (dial->at < dial->upstream->n_servers) {
        try_server(dial);
    } else {
        end_soon(dial);
    }
}

static void attempt_failed(struct hf_dial *dial, const char *what)
{
    stop_attempt(dial);
    dial->at_addr++;
    if (dial->at_addr < dial->n_addrs) {
        try_address(dial);
        return;
    }
    note(dial, what);
    count_failure(dial);
    next_server(dial);
}

static void on_connect_event(struct hf_watch *watch, unsigned events)
{
    (void)events;
    struct hf_dial *dial = HF_CONTAINER_OF(watch, struct hf_dial, watch);
    if (hf_sock_connect_result(watch->fd) != HF_OK) {
        attempt_failed(dial, hf_err_text());
        return;
    }
    struct hf_dial_result result = {
        .end = HF_DIAL_CONNECTED,
        .fd = watch->fd,
        .server = server_of(dial),
        .addr = dial->addrs[dial->at_addr],
    };
    hf_watch_remove(dial->env.loop, watch);
    watch->fd = -1;
    hf_timer_cancel(&dial->deadline);
    dial->on_end(dial->ctx, &result); /* may free the dial */
}

static void on_deadline(struct hf_timer *timer)
{
    struct hf_dial *dial = HF_CONTAINER_OF(timer, struct hf_dial, deadline);
    if (!dial->ending) {
        attempt_failed(dial,
                       dial->lookup ? "looking up its name timed out" : "connecting timed out");
        return;
    }
    struct hf_dial_result result = {.end = HF_DIAL_EXHAUSTED, .fd = -1, .why = dial->why};
    dial->on_end(dial->ctx, &result);
}

static void try_address(struct hf_dial *dial)
{
    hf_timer_set(dial->env.loop, &dial->deadline, dial->upstream->cfg->connect_timeout_ms);
    if (hf_sock_connect(&dial->addrs[dial->at_addr], &dial->watch.fd) != HF_OK) {
        attempt_failed(dial, hf_err_text());
        return;
    }
    dial->watch.wanted = HF_LOOP_WRITE;
    dial->watch.on_event = on_connect_event;
    if (hf_watch_add(dial->env.loop, &dial->watch) != HF_OK) {
        attempt_failed(dial, hf_err_text());
    }
}

static void on_resolved(void *ctx, enum hf_err err, const struct hf_addr *addrs, size_t n)
{
    struct hf_dial *dial = ctx;
    dial->lookup = NULL;
    if (err != HF_OK || n == 0) {
        dial->n_addrs = 0;
        attempt_failed(dial, err != HF_OK ? hf_err_text() : "its name has no address");
        return;
    }
    dial->n_addrs = n < ADDRESSES_MAX ? n : ADDRESSES_MAX;
    memcpy(dial->addrs, addrs, dial->n_addrs * sizeof(*addrs));
    try_address(dial);
}

static void try_server(struct hf_dial *dial)
{
    const struct hf_cfg_server *cfg = server_of(dial)->cfg;
    dial->at_addr = 0;
    if (cfg->is_address) {
        dial->addrs[0] = cfg->addr;
        dial->n_addrs = 1;
        try_address(dial);
        return;
    }
    dial->n_addrs = 0;
    hf_timer_set(dial->env.loop, &dial->deadline, dial->upstream->cfg->connect_timeout_ms);
    if (hf_resolve(dial->env.resolver, cfg->host, cfg->port, on_resolved, dial, &dial->lookup) !=
        HF_OK) {
        attempt_failed(dial, hf_err_text());
    }
}

/* --- The dial -----------------------------------------------------------------------------------
 */

enum hf_err hf_dial_start(const struct hf_dial_env *env, const struct hf_upstream *upstream,
                          hf_dial_fn *on_end, void *ctx, struct hf_dial **out)
{
    struct hf_dial *dial = HF_NEW(struct hf_dial);
    if (!dial) {
        return HF_E_NOMEM;
    }
    *dial = (struct hf_dial){
        .env = *env,
        .upstream = upstream,
        .on_end = on_end,
        .ctx = ctx,
        .watch = {.fd = -1},
        .deadline = {.on_due = on_deadline},
        .order = hf_alloc_zero(upstream->n_servers, sizeof(size_t)),
    };
    if (!dial->order) {
        hf_free(dial);
        return HF_E_NOMEM;
    }
    choose_order(upstream, dial->order);
    *out = dial;
    try_server(dial);
    return HF_OK;
}

void hf_dial_next(struct hf_dial *dial, const char *why_not)
{
    note(dial, why_not);
    next_server(dial);
}

void hf_dial_free(struct hf_dial *dial)
{
    if (dial) {
        stop_attempt(dial);
        hf_free(dial->order);
        hf_free(dial);
    }
}
