// SPDX-License-Identifier: Apache-2.0
/*
 * A dial asks the balance for a server, goes through that server's addresses until one connects,
 * and asks for another when none does. Ends are told from the event loop, never from within
 * hf_dial_start or hf_dial_next, so that callers need no re-entrance.
 *
 * While a server is tried, the dial holds a place and a connection of it (hf_dial_to: its caller
 * does); with HF_DIAL_CONNECTED both go to the receiver.
 */
#include "proxy/upstream.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "proxy/balance_queue.h"

enum {
    ADDRESSES_MAX = 4, /* of one server, tried before the next server is */
    WHY_MAX = 1024,
};

struct hf_dial {
    struct hf_dial_env env;
    const struct hf_upstream *upstream;
    const struct hf_server *server; /* that is tried, or was connected to; NULL: none */
    hf_dial_fn *on_end;
    void *ctx;
    bool single;  /* hf_dial_to: no other server, nothing counted */
    bool holding; /* server's place and connection are ours to give back */
    struct hf_tried tried;
    struct hf_waiter waiter;
    int64_t started_ns; /* of this server's attempt */
    struct hf_addr addrs[ADDRESSES_MAX];
    size_t n_addrs;
    size_t at_addr;
    struct hf_resolve *lookup;
    struct hf_watch watch;
    struct hf_timer deadline; /* of the attempt; also carries ends to the loop with no delay */
    bool ending;              /* the deadline only carries the end */
    bool timed_out;           /* the last thing that went wrong was that */
    char why[WHY_MAX];
};

static int64_t now_ms(const struct hf_dial *dial)
{
    return hf_loop_now_ms(dial->env.loop);
}

static int64_t now_ns(const struct hf_dial *dial)
{
    return hf_clock_mono_ns(hf_loop_clock(dial->env.loop));
}

/* --- Places and reports -------------------------------------------------------------------------
 */

void hf_dial_leave(const struct hf_server *server)
{
    hf_server_closed(server->upstream, server);
    hf_balance_leave(server->upstream, server);
}

static void report(struct hf_dial *dial, enum hf_server_outcome outcome)
{
    if (dial->single) {
        return;
    }
    hf_balance_report(dial->upstream, dial->server,
                      &(struct hf_balance_report){
                          .outcome = outcome,
                          .latency_us = (now_ns(dial) - dial->started_ns) / 1000,
                          .now_ms = now_ms(dial),
                          .shard = dial->env.shard,
                      });
}

static void give_back(struct hf_dial *dial)
{
    if (dial->holding) {
        dial->holding = false;
        hf_dial_leave(dial->server);
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
    hf_watch_close(dial->env.loop, &dial->watch);
}

static void note(struct hf_dial *dial, const char *server, const char *what)
{
    size_t len = strlen(dial->why);
    snprintf(dial->why + len, sizeof(dial->why) - len, "%s%s%s%s", len ? "; " : "", server,
             *server ? ": " : "", what);
}

static void end_soon(struct hf_dial *dial)
{
    dial->ending = true;
    hf_timer_set(dial->env.loop, &dial->deadline, 0);
}

static void next_server(struct hf_dial *dial);

static void attempt_failed(struct hf_dial *dial, enum hf_server_outcome outcome, const char *what)
{
    stop_attempt(dial);
    dial->at_addr++;
    if (dial->at_addr < dial->n_addrs) {
        try_address(dial);
        return;
    }
    note(dial, dial->server->cfg->text, what);
    dial->timed_out = outcome == HF_OUTCOME_TIMEOUT;
    if (dial->single) {
        end_soon(dial);
        return;
    }
    hf_series_add(dial->upstream->failures, dial->env.shard, 1);
    report(dial, outcome);
    give_back(dial);
    next_server(dial);
}

static void on_connect_event(struct hf_watch *watch, unsigned events)
{
    struct hf_dial *dial = HF_CONTAINER_OF(watch, struct hf_dial, watch);
    const struct hf_addr *addr = &dial->addrs[dial->at_addr];
    if (hf_sock_connected(watch->fd, addr, events & HF_LOOP_HANGUP) != HF_OK) {
        attempt_failed(dial, HF_OUTCOME_CONNECT, hf_err_text());
        return;
    }
    struct hf_dial_result result = {
        .end = HF_DIAL_CONNECTED,
        .fd = watch->fd,
        .server = dial->server,
        .addr = *addr,
        .watch = dial->env.keep_watch ? watch : NULL,
    };
    if (!dial->env.keep_watch) {
        hf_watch_remove(dial->env.loop, watch);
        watch->fd = -1;
    }
    hf_timer_cancel(&dial->deadline);
    dial->holding = false;
    dial->on_end(dial->ctx, &result); /* may free the dial */
}

static void on_deadline(struct hf_timer *timer)
{
    struct hf_dial *dial = HF_CONTAINER_OF(timer, struct hf_dial, deadline);
    if (!dial->ending) {
        attempt_failed(dial, HF_OUTCOME_TIMEOUT,
                       dial->lookup ? "looking up its name timed out" : "connecting timed out");
        return;
    }
    struct hf_dial_result result = {
        .end = HF_DIAL_EXHAUSTED, .fd = -1, .why = dial->why, .timed_out = dial->timed_out};
    dial->on_end(dial->ctx, &result);
}

static void try_address(struct hf_dial *dial)
{
    hf_timer_set(dial->env.loop, &dial->deadline, dial->upstream->cfg->connect_timeout_ms);
    if (hf_sock_connect(&dial->addrs[dial->at_addr], &dial->watch.fd) != HF_OK) {
        attempt_failed(dial, HF_OUTCOME_CONNECT, hf_err_text());
        return;
    }
    dial->watch.wanted = HF_LOOP_WRITE;
    dial->watch.on_event = on_connect_event;
    if (hf_watch_add(dial->env.loop, &dial->watch) != HF_OK) {
        attempt_failed(dial, HF_OUTCOME_CONNECT, hf_err_text());
    }
}

static void on_resolved(void *ctx, enum hf_err err, const struct hf_addr *addrs, size_t n)
{
    struct hf_dial *dial = ctx;
    dial->lookup = NULL;
    if (err != HF_OK || n == 0) {
        dial->n_addrs = 0;
        attempt_failed(dial, HF_OUTCOME_CONNECT,
                       err != HF_OK ? hf_err_text() : "its name has no address");
        return;
    }
    dial->n_addrs = n < ADDRESSES_MAX ? n : ADDRESSES_MAX;
    memcpy(dial->addrs, addrs, dial->n_addrs * sizeof(*addrs));
    try_address(dial);
}

static void try_server(struct hf_dial *dial)
{
    const struct hf_cfg_server *cfg = dial->server->cfg;
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
        attempt_failed(dial, HF_OUTCOME_CONNECT, hf_err_text());
    }
}

/* --- Choosing -----------------------------------------------------------------------------------
 */

static struct hf_pick_input pick_input(const struct hf_dial *dial)
{
    return (struct hf_pick_input){
        .now_ms = now_ms(dial),
        .hash = dial->env.hash,
        .has_hash = dial->env.has_hash,
        .tried = &dial->tried,
    };
}

/* A place is ours: now the connection. False: another worker was quicker; the place is gone. */
static bool use(struct hf_dial *dial, const struct hf_server *server)
{
    if (!hf_server_open(server)) {
        hf_balance_leave(dial->upstream, server);
        return false;
    }
    hf_tried_add(&dial->tried, server->index);
    dial->server = server;
    dial->holding = true;
    dial->started_ns = now_ns(dial);
    try_server(dial);
    return true;
}

static void exhausted(struct hf_dial *dial, const struct hf_pick_input *input)
{
    char text[WHY_MAX];
    hf_balance_explain(dial->upstream, input, text, sizeof(text));
    if (*text) {
        note(dial, "", text);
    }
    end_soon(dial);
}

static void on_waited(struct hf_waiter *waiter, enum hf_wait_end end,
                      const struct hf_server *server)
{
    struct hf_dial *dial = HF_CONTAINER_OF(waiter, struct hf_dial, waiter);
    struct hf_pick_input input = pick_input(dial);
    switch (end) {
    case HF_WAIT_SERVER:
        if (!use(dial, server)) {
            next_server(dial);
        }
        return;
    case HF_WAIT_NONE:
        exhausted(dial, &input);
        return;
    case HF_WAIT_TIMEOUT:
        note(dial, "", "all servers stayed at their caps for as long as queue-timeout");
        dial->timed_out = true;
        end_soon(dial);
    }
}

static void wait_for_place(struct hf_dial *dial, const struct hf_pick_input *input)
{
    dial->waiter.on_end = on_waited;
    if (hf_queue_join(dial->env.loop, dial->env.shard, dial->upstream, input, &dial->waiter) !=
        HF_OK) {
        note(dial, "", hf_err_text());
        end_soon(dial);
    }
}

/* A place lost in the last moment is asked for again, behind whoever waits by then; each time
 * somebody else got further, so this ends. */
static void next_server(struct hf_dial *dial)
{
    const struct hf_server *server = NULL;
    struct hf_pick_input input = pick_input(dial);
    if (dial->single) {
        end_soon(dial);
        return;
    }
    for (;;) {
        switch (hf_balance_pick(dial->upstream, &input, &server)) {
        case HF_PICK_SERVER:
            if (use(dial, server)) {
                return;
            }
            break;
        case HF_PICK_QUEUE:
            wait_for_place(dial, &input);
            return;
        case HF_PICK_NONE:
            exhausted(dial, &input);
            return;
        }
    }
}

/* --- The dial -----------------------------------------------------------------------------------
 */

static struct hf_dial *dial_new(const struct hf_dial_env *env, const struct hf_upstream *upstream,
                                hf_dial_fn *on_end, void *ctx)
{
    struct hf_dial *dial = HF_NEW(struct hf_dial);
    if (dial) {
        dial->env = *env;
        dial->upstream = upstream;
        dial->on_end = on_end;
        dial->ctx = ctx;
        dial->watch.fd = -1;
        dial->deadline.on_due = on_deadline;
    }
    return dial;
}

enum hf_err hf_dial_start(const struct hf_dial_env *env, const struct hf_upstream *upstream,
                          hf_dial_fn *on_end, void *ctx, struct hf_dial **out)
{
    struct hf_dial *dial = dial_new(env, upstream, on_end, ctx);
    if (!dial) {
        return HF_E_NOMEM;
    }
    *out = dial;
    next_server(dial);
    return HF_OK;
}

enum hf_err hf_dial_to(const struct hf_dial_env *env, const struct hf_server *server,
                       hf_dial_fn *on_end, void *ctx, struct hf_dial **out)
{
    struct hf_dial *dial = dial_new(env, server->upstream, on_end, ctx);
    if (!dial) {
        return HF_E_NOMEM;
    }
    dial->single = true;
    dial->server = server;
    *out = dial;
    try_server(dial);
    return HF_OK;
}

void hf_dial_next(struct hf_dial *dial, const char *why_not)
{
    note(dial, dial->server->cfg->text, why_not);
    report(dial, HF_OUTCOME_CONNECT);
    next_server(dial);
}

void hf_dial_won(struct hf_dial *dial)
{
    report(dial, HF_OUTCOME_OK);
}

void hf_dial_free(struct hf_dial *dial)
{
    if (dial) {
        hf_queue_cancel(&dial->waiter);
        stop_attempt(dial);
        if (dial->holding) {
            report(dial, HF_OUTCOME_CANCELLED);
        }
        give_back(dial);
        hf_free(dial);
    }
}
