// SPDX-License-Identifier: Apache-2.0
/*
 * The life of a connection to a server: dial, TLS, which protocol. Whoever waits for it is the
 * pool's to know; it hears of success and of failure.
 */
#include "proxy/http/up.h"

#include <string.h>

#include "base/mem.h"
#include "proxy/http/exchange_impl.h"
#include "proxy/http/pool.h"
#include "proxy/session_account.h"
#include "proxy/session_log.h"
#include "proxy/snapshot.h"

enum {
    HANDSHAKE_MS = 10000,
    IN_MAX = 256 << 10, /* a head that grows, or one read of the socket */
};

#define TO HF_FSM_TO

static const struct hf_fsm_state states[] = {
    [HF_UP_DIAL] = {"dial", TO(HF_UP_HANDSHAKE) | TO(HF_UP_READY) | TO(HF_UP_CLOSED), 0},
    [HF_UP_HANDSHAKE] = {"handshake", TO(HF_UP_READY) | TO(HF_UP_CLOSED), HANDSHAKE_MS},
    [HF_UP_READY] = {"ready", TO(HF_UP_CLOSED), 0},
    [HF_UP_CLOSED] = {"closed", 0, 0},
};

static struct hf_loop *loop_of(const struct hf_up *up)
{
    return up->hub->worker->loop;
}

/* --- Ending -------------------------------------------------------------------------------------
 */

static void free_later(struct hf_task *task)
{
    hf_free(HF_CONTAINER_OF(task, struct hf_up, free_task));
}

static void check_done(struct hf_up *up)
{
    if (up->check) {
        hf_server_check_done(up->check);
        hf_free(HF_TAKE(up->check));
    }
}

void hf_up_close(struct hf_up *up)
{
    if (up->fsm.state == HF_UP_CLOSED) {
        return;
    }
    hf_fsm_move(&up->fsm, HF_UP_CLOSED);
    hf_timer_cancel(&up->timer);
    hf_dial_free(HF_TAKE(up->dial));
    hf_wire_close(&up->wire);
    if (up->kind) {
        up->kind->done(up);
    }
    hf_buf_done(&up->in);
    hf_free(HF_TAKE(up->fields));
    check_done(up);
    hf_leg_close(&up->leg, loop_of(up));
    hf_server_closed(up->pool->upstream, up->server);
    hf_pool_forget(up);
    up->free_task.run = free_later;
    hf_loop_defer(loop_of(up), &up->free_task);
}

static void count_failure(const struct hf_up *up)
{
    hf_series_add(up->pool->upstream->failures, up->hub->worker->index, 1);
}

static void failed(struct hf_up *up, enum hf_mishap why, const char *text)
{
    count_failure(up);
    hf_exchange_log_upstream(up->hub, up->pool->upstream, up->server, text);
    hf_pool_failed(up, why);
}

/* By the verdict, or by what TLS knows of certificates, versions and alerts. */
static void distrust(struct hf_up *up)
{
    struct hf_denial denial = hf_session_refusal(&up->leg, up->check->judged, &up->check->verdict);
    uint64_t id = up->hub->next_request++;
    count_failure(up);
    hf_account_give_upstream(up->hub->worker, id, NULL, up->leg.tls, up->check, &denial);
    hf_exchange_log_distrust(up, id, &denial);
    hf_pool_failed(up, HF_MISHAP_UPSTREAM_TLS);
}

/* --- Ready --------------------------------------------------------------------------------------
 */

static void on_event(struct hf_watch *watch, unsigned events);

static bool speaks_h2(const struct hf_up *up)
{
    struct hf_tls_info info = {0};
    if (up->leg.tls) {
        hf_tls_info(up->leg.tls, &info);
        return info.alpn && strcmp(info.alpn, "h2") == 0;
    }
    return up->pool->upstream->cfg->protocol == HF_PROTOCOL_H2C;
}

/* A server that was to speak HTTP/2 and chose otherwise is not spoken to. */
static bool chose_wrong(const struct hf_up *up)
{
    return up->pool->upstream->cfg->protocol == HF_PROTOCOL_H2 && !speaks_h2(up);
}

static void ready(struct hf_up *up)
{
    if (chose_wrong(up)) {
        failed(up, HF_MISHAP_UPSTREAM_TLS, "the server doesn't speak HTTP/2 (ALPN)");
        return;
    }
    hf_fsm_move(&up->fsm, HF_UP_READY);
    hf_timer_cancel(&up->timer);
    check_done(up);
    if (!speaks_h2(up)) {
        hf_up_h1_start(up);
    } else if (hf_up_h2_start(up) != HF_OK) {
        failed(up, HF_MISHAP_INTERNAL, hf_err_text());
        return;
    }
    hf_wire_want(&up->wire);
    hf_pool_ready(up);
}

static void handshake(struct hf_up *up)
{
    enum hf_move move = hf_leg_handshake(&up->leg, &up->hub->worker->scratch);
    unsigned write = hf_buf_len(&up->leg.held_out) ? HF_LOOP_WRITE : 0;
    switch (move) {
    case HF_MOVE_ENDED:
        ready(up);
        return;
    case HF_MOVE_IDLE:
    case HF_MOVE_BLOCKED:
        hf_watch_want(loop_of(up), &up->leg.watch, HF_LOOP_READ | write);
        return;
    case HF_MOVE_VERDICT:
        hf_watch_want(loop_of(up), &up->leg.watch, write);
        return;
    case HF_MOVE_TLS:
        distrust(up);
        return;
    case HF_MOVE_TRUNCATED:
        failed(up, HF_MISHAP_UPSTREAM_TLS, "the server closed during the TLS handshake");
        return;
    default:
        failed(up, HF_MISHAP_UPSTREAM_TLS, hf_err_text());
    }
}

static void on_event(struct hf_watch *watch, unsigned events)
{
    struct hf_leg *leg = HF_CONTAINER_OF(watch, struct hf_leg, watch);
    struct hf_up *up = HF_CONTAINER_OF(leg, struct hf_up, leg);
    if (up->fsm.state == HF_UP_HANDSHAKE) {
        if (events & HF_LOOP_HANGUP && hf_server_check_waits(up->check)) {
            failed(up, HF_MISHAP_UPSTREAM_TLS, "the server closed during the TLS handshake");
            return;
        }
        handshake(up);
    } else if (up->fsm.state == HF_UP_READY) {
        up->kind->event(up, events);
    }
}

/* --- Connecting ---------------------------------------------------------------------------------
 */

static void on_verdict(struct hf_server_check *check)
{
    handshake(check->owner);
}

static void start_tls(struct hf_up *up)
{
    hf_fsm_move(&up->fsm, HF_UP_HANDSHAKE);
    hf_timer_set(loop_of(up), &up->timer, HANDSHAKE_MS);
    up->check = HF_NEW(struct hf_server_check);
    if (!up->check) {
        failed(up, HF_MISHAP_INTERNAL, hf_err_text());
        return;
    }
    up->check->clock = up->hub->worker->clock;
    up->check->ledger = &up->hub->worker->ledger;
    up->check->worker = up->hub->worker;
    up->epoch = up->hub->worker->epoch;
    up->check->server = up->server;
    up->check->desk = up->hub->worker->desk;
    up->check->crl_desk = up->hub->worker->crl_desk;
    up->check->loop = loop_of(up);
    up->check->resume = on_verdict;
    up->check->owner = up;
    if (hf_tls_new_client(up->pool->upstream->tls, up->check, up->server->tls_sni, NULL,
                          &up->leg.tls) != HF_OK) {
        failed(up, HF_MISHAP_UPSTREAM_TLS, hf_err_text());
        return;
    }
    handshake(up);
}

static void on_dialled(void *ctx, const struct hf_dial_result *result)
{
    struct hf_up *up = ctx;
    if (result->end == HF_DIAL_EXHAUSTED) {
        bool late = strstr(result->why, "timed out") != NULL;
        failed(up, late ? HF_MISHAP_CONNECT_TIMEOUT : HF_MISHAP_UNREACHABLE, result->why);
        return;
    }
    hf_leg_init(&up->leg, result->fd);
    up->leg.watch.on_event = on_event;
    up->leg.watch.wanted = HF_LOOP_READ;
    hf_dial_free(HF_TAKE(up->dial));
    hf_series_add(up->pool->upstream->connects, up->hub->worker->index, 1);
    if (hf_watch_add(loop_of(up), &up->leg.watch) != HF_OK) {
        failed(up, HF_MISHAP_INTERNAL, hf_err_text());
        return;
    }
    if (up->pool->upstream->tls) {
        start_tls(up);
    } else {
        ready(up);
    }
}

static void on_timer(struct hf_timer *timer)
{
    struct hf_up *up = HF_CONTAINER_OF(timer, struct hf_up, timer);
    if (up->fsm.state != HF_UP_READY) {
        failed(up, HF_MISHAP_CONNECT_TIMEOUT, "the TLS handshake timed out");
        return;
    }
    int64_t left = up->idle_ms + HF_POOL_IDLE_MS - hf_loop_now_ms(loop_of(up));
    if (!up->resting) {
        return; /* armed again when it rests */
    }
    if (left > 0) {
        hf_timer_set(loop_of(up), timer, left);
    } else {
        hf_up_close(up);
    }
}

struct hf_up *hf_up_open(struct hf_pool *pool, const struct hf_server *server)
{
    struct hf_worker *worker = pool->hub->worker;
    struct hf_dial_env env = {worker->loop, worker->resolver, worker->index, false, 0};
    struct hf_up *up = HF_NEW(struct hf_up);
    if (!up) {
        hf_server_closed(pool->upstream, server);
        return NULL;
    }
    up->pool = pool;
    up->hub = pool->hub;
    up->server = server;
    up->leg.watch.fd = -1;
    up->timer.on_due = on_timer;
    up->in = HF_BUF_INIT(IN_MAX);
    hf_list_init(&up->waiters);
    hf_fsm_init(&up->fsm, states, HF_N_ELEMENTS(states), HF_UP_DIAL);
    hf_list_push(pool->busy.next, &up->link);
    pool->n++;
    if (hf_dial_to(&env, server, on_dialled, up, &up->dial) != HF_OK) {
        hf_up_close(up);
        return NULL;
    }
    return up;
}
