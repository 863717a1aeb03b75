// SPDX-License-Identifier: Apache-2.0
/*
 * Who gets which connection. A server is picked for every request, so that the balance holds
 * whatever is kept; then the connection that was used last is taken, so that those not needed grow
 * old and go.
 */
#include "proxy/http/pool.h"

#include "base/mem.h"
#include "proxy/http/exchange_impl.h"
#include "proxy/http/up.h"
#include "proxy/snapshot.h"

/* --- Pools --------------------------------------------------------------------------------------
 */

static struct hf_pool *pool_find(struct hf_hub *hub, const struct hf_upstream *upstream)
{
    HF_LIST_FOREACH (&hub->pools, link) {
        struct hf_pool *pool = HF_CONTAINER_OF(link, struct hf_pool, link);
        if (pool->upstream == upstream) {
            return pool;
        }
    }
    return NULL;
}

static struct hf_pool *pool_get(struct hf_exchange *x)
{
    struct hf_pool *pool = pool_find(x->hub, x->upstream);
    if (!pool && (pool = HF_NEW(struct hf_pool))) {
        pool->hub = x->hub;
        pool->gen = hf_gen_ref(x->gen);
        pool->upstream = x->upstream;
        hf_list_init(&pool->idle);
        hf_list_init(&pool->busy);
        hf_list_push(x->hub->pools.next, &pool->link);
    }
    return pool;
}

static void pool_free_if_empty(struct hf_pool *pool)
{
    if (pool->n == 0) {
        hf_link_remove(&pool->link);
        hf_gen_unref(pool->gen);
        hf_free(pool);
    }
}

static struct hf_up *idle_of(struct hf_pool *pool, const struct hf_server *server)
{
    if (pool) {
        HF_LIST_FOREACH (&pool->idle, link) {
            struct hf_up *up = HF_CONTAINER_OF(link, struct hf_up, link);
            if (up->server == server && up->kind->room(up) > 0) {
                return up;
            }
        }
    }
    return NULL;
}

/* Was its certificate judged by all that is known now? Without TLS there is nothing to judge. */
static bool is_current(const struct hf_up *up)
{
    return !up->leg.tls || up->epoch == up->hub->worker->epoch;
}

/* One of HTTP/2 that has room, or one that is being made and may turn out to be. */
static struct hf_up *shared_of(struct hf_pool *pool, const struct hf_server *server)
{
    HF_LIST_FOREACH (&pool->busy, link) {
        struct hf_up *up = HF_CONTAINER_OF(link, struct hf_up, link);
        if (up->server == server && up->kind && is_current(up) && up->kind->room(up) > 0) {
            return up;
        }
    }
    return NULL;
}

static struct hf_up *coming_of(struct hf_pool *pool, const struct hf_server *server)
{
    enum hf_cfg_protocol protocol = pool->upstream->cfg->protocol;
    if (protocol == HF_PROTOCOL_HTTP1) {
        return NULL;
    }
    HF_LIST_FOREACH (&pool->busy, link) {
        struct hf_up *up = HF_CONTAINER_OF(link, struct hf_up, link);
        if (up->server == server && !up->kind) {
            return up;
        }
    }
    return NULL;
}

/* --- Places -------------------------------------------------------------------------------------
 */

static enum hf_server_outcome outcome_of(const struct hf_exchange *x)
{
    switch (x->mishap) {
    case HF_MISHAP_UNREACHABLE:
    case HF_MISHAP_UPSTREAM_TLS:
        return HF_OUTCOME_CONNECT;
    case HF_MISHAP_CONNECT_TIMEOUT:
    case HF_MISHAP_UPSTREAM_TIMEOUT:
        return HF_OUTCOME_TIMEOUT;
    case HF_MISHAP_UPSTREAM_CLOSED:
    case HF_MISHAP_UPSTREAM_RESET:
    case HF_MISHAP_UPSTREAM_TRUNCATED:
    case HF_MISHAP_UPSTREAM_PROTOCOL:
        return HF_OUTCOME_RESET;
    default:
        break;
    }
    if (x->up_status == 0) {
        return HF_OUTCOME_CANCELLED;
    }
    bool gateway = x->up_status >= 502 && x->up_status <= 504;
    return gateway ? HF_OUTCOME_GATEWAY : x->up_status >= 500 ? HF_OUTCOME_ERROR : HF_OUTCOME_OK;
}

static void give_place(struct hf_exchange *x, enum hf_server_outcome outcome)
{
    if (!x->placed) {
        return;
    }
    x->placed = false;
    struct hf_worker *worker = x->hub->worker;
    struct hf_balance_report report = {
        .outcome = outcome,
        .latency_us = x->first_ns ? (x->first_ns - x->sent_ns) / 1000 : -1,
        .now_ms = hf_loop_now_ms(worker->loop),
        .shard = worker->index,
    };
    hf_balance_done(x->upstream, x->server, &report);
}

bool hf_pool_may_retry(struct hf_exchange *x)
{
    enum { ALWAYS = 3 };
    struct hf_upstream_state *state = x->upstream->state;
    if (x->retrying) {
        return true;
    }
    unsigned active = atomic_load_explicit(&state->active, memory_order_relaxed);
    unsigned most = ALWAYS + active * x->upstream->cfg->retry_budget / 100;
    x->retrying = atomic_fetch_add_explicit(&state->retries, 1, memory_order_relaxed) < most;
    if (!x->retrying) {
        atomic_fetch_sub_explicit(&state->retries, 1, memory_order_relaxed);
    }
    return x->retrying;
}

void hf_pool_retry_done(struct hf_exchange *x)
{
    if (x->retrying) {
        x->retrying = false;
        atomic_fetch_sub_explicit(&x->upstream->state->retries, 1, memory_order_relaxed);
    }
}

void hf_pool_place_done(struct hf_exchange *x)
{
    give_place(x, outcome_of(x));
}

/* --- Reaching -----------------------------------------------------------------------------------
 */

static bool has_idle(void *ctx, const struct hf_server *server)
{
    const struct hf_exchange *x = ctx;
    struct hf_pool *pool = pool_find(x->hub, x->upstream);
    return idle_of(pool, server) || (pool && shared_of(pool, server));
}

static struct hf_pick_input input_of(struct hf_exchange *x)
{
    return (struct hf_pick_input){
        .now_ms = hf_loop_now_ms(x->hub->worker->loop),
        .hash = x->hash,
        .has_hash = x->has_hash,
        .tried = &x->tried,
        .has_idle = has_idle,
        .ctx = x,
    };
}

/* Gives a ready connection the exchange. */
static void hand_over(struct hf_up *up, struct hf_exchange *x)
{
    if (up->resting) {
        up->resting = false;
        up->pool->n_idle--;
        hf_link_remove(&up->link);
        hf_list_push(&up->pool->busy, &up->link);
    }
    x->up_reused = up->n_served > 0;
    if (up->kind->take(up, x) != HF_OK) {
        hf_exchange_unreached(x, HF_MISHAP_INTERNAL);
        return;
    }
    up->n_served++;
    hf_exchange_reached(x);
}

static void connect_for(struct hf_exchange *x)
{
    struct hf_pool *pool = pool_get(x);
    if (!pool) {
        hf_exchange_unreached(x, HF_MISHAP_INTERNAL);
        return;
    }
    struct hf_up *up = idle_of(pool, x->server);
    up = up ? up : shared_of(pool, x->server);
    if (up) {
        hand_over(up, x);
        return;
    }
    up = coming_of(pool, x->server);
    if (!up) {
        if (!hf_server_open(x->server)) { /* others were quicker: wait like them */
            give_place(x, HF_OUTCOME_CANCELLED);
            pool_free_if_empty(pool);
            hf_exchange_unreached(x, HF_MISHAP_UNAVAILABLE);
            return;
        }
        up = hf_up_open(pool, x->server);
    }
    if (!up) {
        pool_free_if_empty(pool);
        hf_exchange_unreached(x, HF_MISHAP_INTERNAL);
        return;
    }
    hf_list_push(&up->waiters, &x->reach_link);
}

/* Of those that were tried each has had its line. */
static void say_none(struct hf_exchange *x)
{
    char text[512];
    struct hf_pick_input input = input_of(x);
    hf_balance_explain(x->upstream, &input, text, sizeof(text));
    if (text[0]) {
        hf_exchange_log_upstream(x->hub, x->upstream, NULL, text);
    }
}

static void nobody(struct hf_exchange *x)
{
    bool tried = false;
    for (size_t i = 0; i < HF_TRIED_WORDS; i++) {
        tried = tried || x->tried.word[i];
    }
    say_none(x);
    hf_exchange_unreached(x, tried ? x->reach_mishap : HF_MISHAP_UNAVAILABLE);
}

static void placed(struct hf_exchange *x, const struct hf_server *server)
{
    x->server = server;
    x->placed = true;
    connect_for(x);
}

static void on_wait_end(struct hf_waiter *waiter, enum hf_wait_end end,
                        const struct hf_server *server)
{
    struct hf_exchange *x = HF_CONTAINER_OF(waiter, struct hf_exchange, waiter);
    if (end == HF_WAIT_SERVER) {
        placed(x, server);
    } else if (end == HF_WAIT_NONE) {
        nobody(x);
    } else {
        hf_exchange_unreached(x, HF_MISHAP_UNAVAILABLE);
    }
}

void hf_pool_reach(struct hf_exchange *x)
{
    struct hf_worker *worker = x->hub->worker;
    struct hf_pick_input input = input_of(x);
    const struct hf_server *server = NULL;
    switch (hf_balance_pick(x->upstream, &input, &server)) {
    case HF_PICK_SERVER:
        placed(x, server);
        return;
    case HF_PICK_QUEUE:
        x->waiter.on_end = on_wait_end;
        if (hf_queue_join(worker->loop, worker->index, x->upstream, &input, &x->waiter) != HF_OK) {
            hf_exchange_unreached(x, HF_MISHAP_UNAVAILABLE);
        }
        return;
    case HF_PICK_NONE:
        nobody(x);
    }
}

void hf_pool_leave(struct hf_exchange *x)
{
    x->reaching = false;
    hf_queue_cancel(&x->waiter);
    hf_link_remove(&x->reach_link);
    give_place(x, HF_OUTCOME_CANCELLED);
}

/* --- Connections --------------------------------------------------------------------------------
 */

/* The next of those that waited for a connection; NULL: none is left. */
static struct hf_exchange *pop_waiter(struct hf_link *waiters)
{
    if (hf_list_empty(waiters)) {
        return NULL;
    }
    struct hf_link *link = waiters->next;
    hf_link_remove(link);
    return HF_CONTAINER_OF(link, struct hf_exchange, reach_link);
}

void hf_pool_ready(struct hf_up *up)
{
    struct hf_link waiters;
    hf_list_take(&up->waiters, &waiters);
    for (struct hf_exchange *x; (x = pop_waiter(&waiters));) {
        if (up->fsm.state == HF_UP_READY && is_current(up) && up->kind->room(up) > 0) {
            hand_over(up, x);
        } else {
            connect_for(x);
        }
    }
    if (up->fsm.state == HF_UP_READY && up->n_served == 0) {
        hf_pool_rest(up);
    }
}

void hf_pool_failed(struct hf_up *up, enum hf_mishap why)
{
    struct hf_link waiters;
    const struct hf_server *server = up->server;
    bool late = why == HF_MISHAP_CONNECT_TIMEOUT;
    hf_list_take(&up->waiters, &waiters);
    hf_up_close(up);
    for (struct hf_exchange *x; (x = pop_waiter(&waiters));) {
        give_place(x, late ? HF_OUTCOME_TIMEOUT : HF_OUTCOME_CONNECT);
        hf_tried_add(&x->tried, server->index);
        x->reach_mishap = why;
        hf_pool_reach(x);
    }
}

void hf_pool_rest(struct hf_up *up)
{
    struct hf_pool *pool = up->pool;
    int64_t now = hf_loop_now_ms(up->hub->worker->loop);
    bool keep = pool->gen == up->hub->worker->gen && !up->hub->worker->stopping &&
                pool->n_idle < HF_POOL_IDLE_MAX && is_current(up) &&
                hf_server_usable(up->server, now);
    if (!keep) {
        hf_up_close(up);
        return;
    }
    up->idle_ms = now;
    up->resting = true;
    pool->n_idle++;
    hf_link_remove(&up->link);
    hf_list_push(pool->idle.next, &up->link);
    if (!hf_timer_armed(&up->timer)) {
        hf_timer_set(up->hub->worker->loop, &up->timer, HF_POOL_IDLE_MS);
    }
}

void hf_pool_forget(struct hf_up *up)
{
    struct hf_pool *pool = up->pool;
    if (up->resting) {
        pool->n_idle--;
    }
    hf_link_remove(&up->link);
    pool->n--;
    pool_free_if_empty(pool);
}

void hf_pool_retire(struct hf_hub *hub, bool all)
{
    HF_LIST_FOREACH (&hub->pools, link) {
        struct hf_pool *pool = HF_CONTAINER_OF(link, struct hf_pool, link);
        bool whole = all || pool->gen != hub->worker->gen;
        pool->n++; /* the last connection isn't to take the pool with it */
        HF_LIST_FOREACH (&pool->idle, at) {
            struct hf_up *up = HF_CONTAINER_OF(at, struct hf_up, link);
            if (whole || !is_current(up)) {
                hf_up_close(up);
            }
        }
        pool->n--;
        pool_free_if_empty(pool);
    }
}
