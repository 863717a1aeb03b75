// SPDX-License-Identifier: Apache-2.0
/*
 * From an admitted client to a server: dialling, the PROXY header, TLS toward it, and the next
 * server when one is no good.
 */
#include "proxy/review.h"
#include "proxy/session_account.h"
#include "proxy/session_impl.h"

#include <stdio.h>

#include "proxy/session_fall.h"
#include "proxy/session_judge.h"
#include "proxy/session_proxy.h"

static void on_dialled(void *ctx, const struct hf_dial_result *result);

/* What the upstream's hash-by names of this connection. */
static void set_hash(const struct hf_session *session, struct hf_dial_env *env)
{
    char text[HF_ADDR_TEXT_SIZE];
    struct hf_addr peer;
    switch (session->door->to->cfg->hash_by) {
    case HF_HASH_BY_IDENTITY:
        env->has_hash = session->identity != NULL;
        if (session->identity) {
            const char *name = hf_identity_display(session->identity);
            env->hash = hf_balance_hash(hf_bytes_str(name));
        }
        return;
    case HF_HASH_BY_ADDRESS:
        hf_session_peer(session, &peer);
        hf_addr_format_ip(&peer, text);
        env->has_hash = true;
        env->hash = hf_balance_hash(hf_bytes_str(text));
        return;
    default: /* headers: there are none here, and the config says so */
        return;
    }
}

void hf_session_dial(struct hf_session *session)
{
    struct hf_worker *worker = session->worker;
    struct hf_dial_env env = {worker->loop, worker->resolver, worker->index, .keep_watch = true};
    if (session->door->to->cfg->balance == HF_BALANCE_HASH) {
        set_hash(session, &env);
    }
    hf_session_move(session, HF_SESSION_DIAL);
    /* Until there is somewhere to put them, the client's bytes stay in its socket. */
    hf_watch_want(worker->loop, &session->client.watch,
                  hf_buf_len(&session->client.held_out) ? HF_LOOP_WRITE : 0);
    if (hf_dial_start(&env, session->door->to, on_dialled, session, &session->dial) != HF_OK) {
        hf_session_finish_with_alert(session, HF_CAUSE_INTERNAL, HF_ALERT_INTERNAL_ERROR);
    }
}

static void leave_server(struct hf_session *session)
{
    hf_server_check_done(&session->arrival->server);
    hf_leg_close(&session->server, session->worker->loop);
    if (session->upstream) {
        hf_dial_leave(HF_TAKE(session->upstream));
    }
}

/* The server that was reached is no good: say so and try the next. */
void hf_session_upstream_failed(struct hf_session *session, const struct hf_denial *refusal,
                                const char *why)
{
    hf_series_add(session->door->to->failures, session->worker->index, 1);
    if (refusal) {
        hf_session_account_upstream(session, refusal);
    }
    hf_session_log_upstream(session, refusal, why);
    char text[HF_VERIFY_TEXT_MAX];
    snprintf(text, sizeof(text), "%s", refusal ? refusal->text : why);
    leave_server(session);
    if (session->fsm.state != HF_SESSION_DIAL) {
        hf_session_move(session, HF_SESSION_DIAL);
    }
    hf_dial_next(session->dial, text);
}

static void upstream_handshake(struct hf_session *session)
{
    enum hf_move move = hf_leg_handshake(&session->server, &session->worker->scratch);
    unsigned write = hf_buf_len(&session->server.held_out) ? HF_LOOP_WRITE : 0;
    switch (move) {
    case HF_MOVE_ENDED:
        hf_session_start_relay(session);
        return;
    case HF_MOVE_IDLE:
    case HF_MOVE_BLOCKED:
        hf_watch_want(session->worker->loop, &session->server.watch, HF_LOOP_READ | write);
        return;
    case HF_MOVE_VERDICT:
        hf_watch_want(session->worker->loop, &session->server.watch, write);
        return;
    case HF_MOVE_TLS: {
        const struct hf_server_check *check = &session->arrival->server;
        struct hf_denial refusal =
            hf_session_refusal(&session->server, check->judged, &check->verdict);
        hf_session_upstream_failed(session, &refusal, NULL);
        return;
    }
    case HF_MOVE_TRUNCATED:
        hf_session_upstream_failed(session, NULL, "the server closed during the TLS handshake");
        return;
    default:
        hf_session_upstream_failed(session, NULL, hf_err_text());
    }
}

static void on_server_event(struct hf_watch *watch, unsigned events)
{
    struct hf_leg *leg = HF_CONTAINER_OF(watch, struct hf_leg, watch);
    struct hf_session *session = HF_CONTAINER_OF(leg, struct hf_session, server);
    if (hf_review_first(session)) {
        return;
    }
    if (session->fsm.state == HF_SESSION_UPSTREAM_HANDSHAKE) {
        if (events & HF_LOOP_HANGUP && hf_server_check_waits(&session->arrival->server)) {
            hf_session_upstream_failed(session, NULL, "the server closed during the TLS handshake");
            return;
        }
        upstream_handshake(session);
    } else if (session->fsm.state == HF_SESSION_RELAY) {
        hf_session_relay(session, leg, events);
    } else if (session->fall) {
        hf_session_fallen_event(session, watch);
    }
}

static void on_verdict(struct hf_server_check *check)
{
    upstream_handshake(check->owner);
}

static void start_upstream_tls(struct hf_session *session)
{
    const struct hf_upstream *to = session->door->to;
    hf_session_move(session, HF_SESSION_UPSTREAM_HANDSHAKE);
    struct hf_server_check *check = &session->arrival->server;
    *check = (struct hf_server_check){.clock = session->worker->clock,
                                      .ledger = &session->worker->ledger,
                                      .worker = session->worker,
                                      .server = session->upstream,
                                      .desk = session->worker->desk,
                                      .crl_desk = session->worker->crl_desk,
                                      .loop = session->worker->loop,
                                      .resume = on_verdict,
                                      .owner = session};
    if (hf_tls_new_client(to->tls, check, session->upstream->tls_sni, NULL, &session->server.tls) !=
        HF_OK) {
        hf_session_upstream_failed(session, NULL, hf_err_text());
        return;
    }
    upstream_handshake(session);
}

static void on_dialled(void *ctx, const struct hf_dial_result *result)
{
    struct hf_session *session = ctx;
    struct hf_worker *worker = session->worker;
    if (result->end == HF_DIAL_EXHAUSTED) {
        hf_session_log_upstream(session, NULL, result->why);
        hf_session_finish_with_alert(session, HF_CAUSE_UPSTREAM_UNREACHABLE,
                                     HF_ALERT_INTERNAL_ERROR);
        return;
    }
    hf_leg_init(&session->server, -1);
    session->server.watch.on_event = on_server_event;
    hf_watch_move(worker->loop, result->watch, &session->server.watch);
    session->upstream = result->server;
    hf_series_add(session->door->to->connects, worker->index, 1);
    if (hf_session_send_proxy_header(session) != HF_OK) {
        hf_session_upstream_failed(session, NULL, hf_err_text());
        return;
    }
    if (session->door->to->tls) {
        start_upstream_tls(session);
    } else {
        hf_session_start_relay(session);
    }
}
