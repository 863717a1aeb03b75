// SPDX-License-Identifier: Apache-2.0
/*
 * The session's state machine. Every event ends in one of: a move to the next state, new wishes to
 * the event loop (want), or finish(). After finish() the session may not be touched: functions that
 * can end it return false then.
 */
#include "proxy/session.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "proxy/proxy_protocol.h"
#include "proxy/session_judge.h"
#include "proxy/session_log.h"
#include "proxy/session_proxy.h"

enum {
    LINGER_MS = 2000,         /* how long a client may take to read more of what was said last */
    LINGER_BYTES = 256 << 10, /* and how much it may still send once all of it is on its way ... */
    LINGER_UPLOAD = 16 << 20, /* ... or an admitted one, in the middle of its upload */
    UP_HANDSHAKE_MS = 10000,
    QUIET_MS = 5000, /* after this much silence a relay gives its memory back */
};

#define TO HF_FSM_TO

static const struct hf_fsm_state states[] = {
    [HF_SESSION_PROXY_HEADER] =
        {"proxy-header", TO(HF_SESSION_HANDSHAKE) | TO(HF_SESSION_DIAL) | TO(HF_SESSION_CLOSED), 0},
    [HF_SESSION_HANDSHAKE] = {"handshake",
                              TO(HF_SESSION_DIAL) | TO(HF_SESSION_LINGER) | TO(HF_SESSION_CLOSED),
                              0},
    [HF_SESSION_DIAL] = {"dial",
                         TO(HF_SESSION_UPSTREAM_HANDSHAKE) | TO(HF_SESSION_RELAY) |
                             TO(HF_SESSION_LINGER) | TO(HF_SESSION_CLOSED),
                         0},
    [HF_SESSION_UPSTREAM_HANDSHAKE] = {"upstream-handshake",
                                       TO(HF_SESSION_DIAL) | TO(HF_SESSION_RELAY) |
                                           TO(HF_SESSION_LINGER) | TO(HF_SESSION_CLOSED),
                                       UP_HANDSHAKE_MS},
    [HF_SESSION_RELAY] = {"relay", TO(HF_SESSION_LINGER) | TO(HF_SESSION_CLOSED), 0},
    [HF_SESSION_LINGER] = {"linger", TO(HF_SESSION_CLOSED), LINGER_MS},
    [HF_SESSION_CLOSED] = {"closed", 0, 0},
};

static const char *const cause_names[] = {
#define CAUSE_NAME(id, name) [HF_CAUSE_##id] = name,
    HF_CAUSE_TABLE(CAUSE_NAME)
#undef CAUSE_NAME
};

const char *hf_cause_name(enum hf_cause cause)
{
    return cause_names[cause];
}

void hf_session_id_format(const struct hf_session *session, char out[static HF_SESSION_ID_SIZE])
{
    snprintf(out, HF_SESSION_ID_SIZE, "%016llx", (unsigned long long)session->id);
}

static void relay(struct hf_session *session, struct hf_leg *leg, unsigned events);
static void start_relay(struct hf_session *session);

/* --- Ending -------------------------------------------------------------------------------------
 */

static void free_later(struct hf_task *task)
{
    struct hf_session *session = HF_CONTAINER_OF(task, struct hf_session, free_task);
    hf_free(session);
}

/* Closes everything and lets go. The memory goes at the end of the loop's turn. */
static void release(struct hf_session *session)
{
    struct hf_worker *worker = session->worker;
    hf_fsm_move(&session->fsm, HF_SESSION_CLOSED);
    hf_timer_cancel(&session->timer);
    hf_dial_free(session->dial);
    if (hf_buf_len(&session->client.held_out)) {
        hf_sock_reset(
            session->client.watch.fd); /* FIN in place of the rest: many take it for all */
    }
    hf_leg_close(&session->client, worker->loop);
    hf_leg_close(&session->server, worker->loop);
    if (session->upstream) {
        atomic_fetch_sub_explicit(&session->upstream->state->open, 1, memory_order_relaxed);
    }
    if (session->counted) {
        atomic_fetch_sub_explicit(&session->door->state->open, 1, memory_order_relaxed);
    }
    hf_identity_unref(session->identity);
    hf_free(session->arrival);
    hf_free(session->told);
    hf_link_remove(&session->link);
    worker->n_sessions--;
    hf_gen_unref(session->gen);
    session->free_task.run = free_later;
    hf_loop_defer(worker->loop, &session->free_task);
    if (worker->stopping && worker->n_sessions == 0) {
        hf_loop_stop(worker->loop);
    }
}

/* The upstream leg goes: reset, unless it saw its end in order, so that a part of a transfer is
 * never taken for the whole. */
static void drop_server(struct hf_session *session)
{
    if (hf_leg_open(&session->server) && !session->server.finished) {
        hf_sock_reset(session->server.watch.fd);
    }
    hf_leg_close(&session->server, session->worker->loop);
}

/* Gives the client the time to read what was said last; see the header. */
static void linger(struct hf_session *session)
{
    hf_fsm_move(&session->fsm, HF_SESSION_LINGER);
    session->client.finishing = true; /* FIN follows what is held */
    session->client.n_in = 0;         /* now counts what is thrown away */
    hf_timer_set(session->worker->loop, &session->timer, LINGER_MS);
    if (hf_leg_flush(&session->client) == HF_MOVE_LOST) {
        release(session);
        return;
    }
    unsigned write = hf_buf_len(&session->client.held_out) ? HF_LOOP_WRITE : 0;
    hf_watch_want(session->worker->loop, &session->client.watch, HF_LOOP_READ | write);
}

/* A plain client that has not been told the end in order: FIN would look like success. */
static void cut_plain(const struct hf_session *session)
{
    const struct hf_leg *client = &session->client;
    if (!client->tls && !client->finished && hf_leg_open(client)) {
        hf_sock_reset(client->watch.fd);
    }
}

/* Ends the session; with_linger when the client still has something to read. */
static void finish(struct hf_session *session, enum hf_cause cause, bool with_linger)
{
    session->cause = cause;
    hf_session_log_end(session, cause);
    hf_dial_free(session->dial);
    session->dial = NULL;
    drop_server(session);
    if (with_linger && session->client.watch.active) {
        linger(session);
        return;
    }
    cut_plain(session);
    release(session);
}

/* Tells the client's TLS that it is over, then ends. */
static void finish_with_alert(struct hf_session *session, enum hf_cause cause, uint8_t alert)
{
    if (session->client.tls) {
        struct hf_tls_io io = {.out = &session->client.held_out};
        hf_tls_abort(session->client.tls, &io, alert);
    }
    finish(session, cause, session->client.tls != NULL);
}

/* A browser or curl that forgot the "s" of https reads this; to TLS it would be noise. */
static void answer_plain_http(struct hf_session *session)
{
    static const char body[] = "This port speaks HTTPS with client certificates, not plain HTTP.\n";
    hf_buf_reset(&session->client.held_out);
    if (hf_buf_printf(&session->client.held_out,
                      "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n"
                      "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
                      sizeof(body) - 1, body) != HF_OK) {
        hf_buf_reset(&session->client.held_out); /* a courtesy: it may fail */
    }
}

static void refuse(struct hf_session *session, const struct hf_refusal *refusal, bool with_linger)
{
    if (refusal->reason == HF_REASON_PLAIN_HTTP) {
        answer_plain_http(session);
    }
    struct hf_series *series = session->door->metrics.refused[refusal->reason];
    hf_series_add(series, session->worker->index, 1);
    hf_session_take_identity(session);
    hf_session_log_refused(session, refusal);
    finish(session, HF_CAUSE_REFUSED, with_linger);
}

static void refuse_for(struct hf_session *session, enum hf_reason reason, const char *text,
                       bool with_linger)
{
    struct hf_refusal refusal = {reason, hf_reason_step(reason), text, NULL};
    refuse(session, &refusal, with_linger);
}

void hf_session_cut(struct hf_session *session, enum hf_cause cause)
{
    if (session->fsm.state == HF_SESSION_LINGER) {
        release(session);
        return;
    }
    session->cause = cause;
    hf_session_log_end(session, cause);
    drop_server(session);
    cut_plain(session);
    if (session->client.tls) {
        /* user_canceled goes with close_notify, which after the handshake would say that all that
         * was to come has come. */
        bool early = session->fsm.state == HF_SESSION_HANDSHAKE;
        struct hf_tls_io io = {.out = &session->client.held_out};
        hf_tls_abort(session->client.tls, &io,
                     early ? HF_ALERT_USER_CANCELED : HF_ALERT_INTERNAL_ERROR);
        (void)hf_leg_flush(&session->client);
    }
    release(session);
}

/* --- Deadlines ----------------------------------------------------------------------------------
 */

static int64_t now_ms(const struct hf_session *session)
{
    return hf_loop_now_ms(session->worker->loop);
}

/* When a silent relay is due: to go quiet first, then to be closed as idle. */
static int64_t relay_due(const struct hf_session *session)
{
    int64_t idle = session->door->cfg->idle_timeout_ms;
    if (!session->quiet && (!idle || idle > QUIET_MS)) {
        return session->active_ms + QUIET_MS;
    }
    return idle ? session->active_ms + idle : INT64_MAX;
}

/* Loop time of the nearest of the state's own deadline and the listener's total; INT64_MAX: none.
 */
static int64_t next_due(const struct hf_session *session)
{
    const struct hf_cfg_listener *cfg = session->door->cfg;
    int64_t due = INT64_MAX;
    switch (session->fsm.state) {
    case HF_SESSION_PROXY_HEADER:
    case HF_SESSION_HANDSHAKE:
        due = session->since_ms + cfg->handshake_timeout_ms;
        break;
    case HF_SESSION_UPSTREAM_HANDSHAKE:
        due = session->active_ms + UP_HANDSHAKE_MS;
        break;
    case HF_SESSION_RELAY:
        due = relay_due(session);
        break;
    default: /* a dial has deadlines of its own */
        break;
    }
    int64_t total = session->since_ms + cfg->total_timeout_ms;
    return cfg->total_timeout_ms && total < due ? total : due;
}

static void arm(struct hf_session *session)
{
    int64_t due = next_due(session);
    if (due == INT64_MAX) {
        hf_timer_cancel(&session->timer);
    } else {
        hf_timer_set(session->worker->loop, &session->timer, due - now_ms(session));
    }
}

static void move_to(struct hf_session *session, enum hf_session_state state)
{
    hf_fsm_move(&session->fsm, (uint8_t)state);
    session->active_ms = now_ms(session);
    arm(session);
}

static void upstream_failed(struct hf_session *session, const struct hf_refusal *refusal,
                            const char *why);

static void time_out(struct hf_session *session, bool total)
{
    if (total && session->fsm.state >= HF_SESSION_DIAL) {
        finish_with_alert(session, HF_CAUSE_TOTAL_TIMEOUT, HF_ALERT_INTERNAL_ERROR);
        return;
    }
    switch (session->fsm.state) {
    case HF_SESSION_PROXY_HEADER:
        refuse_for(session, HF_REASON_PROXY_HEADER, "no PROXY protocol header came in time", false);
        return;
    case HF_SESSION_HANDSHAKE:
        refuse_for(session, HF_REASON_HANDSHAKE_TIMEOUT, hf_session_timeout_text(session), false);
        return;
    case HF_SESSION_UPSTREAM_HANDSHAKE:
        upstream_failed(session, NULL, "the TLS handshake timed out");
        return;
    default:
        finish_with_alert(session, HF_CAUSE_IDLE_TIMEOUT, HF_ALERT_USER_CANCELED);
    }
}

/* Nothing moved for a while: what TLS can remake later is given back now. */
static void go_quiet(struct hf_session *session)
{
    session->quiet = true;
    if (session->client.tls) {
        hf_tls_quiet(session->client.tls);
    }
    if (session->server.tls) {
        hf_tls_quiet(session->server.tls);
    }
}

static bool is_idle(const struct hf_session *session)
{
    int64_t limit = session->door->cfg->idle_timeout_ms;
    return limit && now_ms(session) - session->active_ms >= limit;
}

static void on_timer(struct hf_timer *timer)
{
    struct hf_session *session = HF_CONTAINER_OF(timer, struct hf_session, timer);
    if (session->fsm.state == HF_SESSION_LINGER) {
        release(session);
        return;
    }
    if (next_due(session) > now_ms(session)) { /* bytes moved since it was set */
        arm(session);
        return;
    }
    int64_t limit = session->door->cfg->total_timeout_ms;
    bool total = limit && now_ms(session) - session->since_ms >= limit;
    if (session->fsm.state == HF_SESSION_RELAY && !total && !is_idle(session)) {
        go_quiet(session);
        arm(session);
        return;
    }
    time_out(session, total);
}

/* --- Upstream -----------------------------------------------------------------------------------
 */

static void on_dialled(void *ctx, const struct hf_dial_result *result);

static void start_dial(struct hf_session *session)
{
    struct hf_worker *worker = session->worker;
    struct hf_dial_env env = {worker->loop, worker->resolver, worker->index};
    move_to(session, HF_SESSION_DIAL);
    /* Until there is somewhere to put them, the client's bytes stay in its socket. */
    hf_watch_want(worker->loop, &session->client.watch,
                  hf_buf_len(&session->client.held_out) ? HF_LOOP_WRITE : 0);
    if (hf_dial_start(&env, session->door->to, on_dialled, session, &session->dial) != HF_OK) {
        finish_with_alert(session, HF_CAUSE_INTERNAL, HF_ALERT_INTERNAL_ERROR);
    }
}

static void leave_server(struct hf_session *session)
{
    hf_leg_close(&session->server, session->worker->loop);
    if (session->upstream) {
        atomic_fetch_sub_explicit(&session->upstream->state->open, 1, memory_order_relaxed);
        session->upstream = NULL;
    }
}

/* The server that was reached is no good: say so and try the next. */
static void upstream_failed(struct hf_session *session, const struct hf_refusal *refusal,
                            const char *why)
{
    hf_session_log_upstream(session, refusal, why);
    hf_series_add(session->door->to->failures, session->worker->index, 1);
    atomic_fetch_add_explicit(&session->upstream->state->failed, 1, memory_order_relaxed);
    char text[HF_VERIFY_TEXT_MAX];
    snprintf(text, sizeof(text), "%s", refusal ? refusal->text : why);
    leave_server(session);
    if (session->fsm.state != HF_SESSION_DIAL) {
        move_to(session, HF_SESSION_DIAL);
    }
    hf_dial_next(session->dial, text);
}

static void upstream_handshake(struct hf_session *session)
{
    enum hf_move move = hf_leg_handshake(&session->server, &session->worker->scratch);
    unsigned write = hf_buf_len(&session->server.held_out) ? HF_LOOP_WRITE : 0;
    switch (move) {
    case HF_MOVE_ENDED:
        start_relay(session);
        return;
    case HF_MOVE_IDLE:
    case HF_MOVE_BLOCKED:
        hf_watch_want(session->worker->loop, &session->server.watch, HF_LOOP_READ | write);
        return;
    case HF_MOVE_TLS: {
        struct hf_refusal refusal = hf_session_refusal(
            &session->server, session->arrival->upstream_judged, &session->arrival->upstream);
        upstream_failed(session, &refusal, NULL);
        return;
    }
    case HF_MOVE_TRUNCATED:
        upstream_failed(session, NULL, "the server closed during the TLS handshake");
        return;
    default:
        upstream_failed(session, NULL, hf_err_text());
    }
}

static void on_server_event(struct hf_watch *watch, unsigned events)
{
    struct hf_leg *leg = HF_CONTAINER_OF(watch, struct hf_leg, watch);
    struct hf_session *session = HF_CONTAINER_OF(leg, struct hf_session, server);
    if (session->fsm.state == HF_SESSION_UPSTREAM_HANDSHAKE) {
        upstream_handshake(session);
    } else if (session->fsm.state == HF_SESSION_RELAY) {
        relay(session, leg, events);
    }
}

static void start_upstream_tls(struct hf_session *session)
{
    const struct hf_upstream *to = session->door->to;
    move_to(session, HF_SESSION_UPSTREAM_HANDSHAKE);
    if (hf_tls_new_client(to->tls, session, session->upstream->tls_sni, NULL,
                          &session->server.tls) != HF_OK) {
        upstream_failed(session, NULL, hf_err_text());
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
        finish_with_alert(session, HF_CAUSE_UPSTREAM_UNREACHABLE, HF_ALERT_INTERNAL_ERROR);
        return;
    }
    hf_leg_init(&session->server, result->fd);
    session->server.watch.on_event = on_server_event;
    session->upstream = result->server;
    atomic_fetch_add_explicit(&result->server->state->open, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&result->server->state->total, 1, memory_order_relaxed);
    hf_series_add(session->door->to->connects, worker->index, 1);
    if (hf_watch_add(worker->loop, &session->server.watch) != HF_OK ||
        hf_session_send_proxy_header(session) != HF_OK) {
        upstream_failed(session, NULL, hf_err_text());
        return;
    }
    if (session->door->to->tls) {
        start_upstream_tls(session);
    } else {
        start_relay(session);
    }
}

/* --- Relay --------------------------------------------------------------------------------------
 */

static struct hf_leg *other_leg(struct hf_session *session, const struct hf_leg *leg)
{
    return leg == &session->client ? &session->server : &session->client;
}

/* A leg whose peer hung up while we don't read it would wake the loop for ever: it is taken out of
 * the loop, and comes back when it is to be read again. */
static bool want(struct hf_session *session, struct hf_leg *leg)
{
    const struct hf_leg *other = other_leg(session, leg);
    unsigned wanted = 0;
    if (!leg->ended && !leg->choked && hf_buf_len(&other->held_out) == 0) {
        wanted |= HF_LOOP_READ;
    }
    if (hf_buf_len(&leg->held_out) || leg->choked) {
        wanted |= HF_LOOP_WRITE;
    }
    if (leg->watch.active) {
        hf_watch_want(session->worker->loop, &leg->watch, wanted);
        return true;
    }
    leg->watch.wanted = wanted;
    return !wanted || hf_watch_add(session->worker->loop, &leg->watch) == HF_OK;
}

/* The upstream has said its last byte and the client's socket has taken it: however the client then
 * leaves, without close_notify or with a reset, it has what it came for. */
static bool client_was_served(const struct hf_session *session)
{
    return session->server.ended && session->client.finished;
}

static void relay_broken(struct hf_session *session, const struct hf_leg *from, enum hf_move move)
{
    bool client_fault =
        (from == &session->client) == (move != HF_MOVE_TO_LOST && move != HF_MOVE_TO_TLS);
    switch (move) {
    case HF_MOVE_TRUNCATED:
        if (client_fault) {
            finish(session,
                   client_was_served(session) ? HF_CAUSE_FINISHED : HF_CAUSE_CLIENT_TRUNCATED,
                   false);
        } else {
            finish_with_alert(session, HF_CAUSE_UPSTREAM_TRUNCATED, HF_ALERT_INTERNAL_ERROR);
        }
        return;
    case HF_MOVE_TLS:
    case HF_MOVE_TO_TLS:
        if (client_fault) {
            finish(session, HF_CAUSE_CLIENT_TLS, true);
        } else {
            const struct hf_tls_failure *failure = hf_tls_failure(session->server.tls);
            hf_session_log_upstream(session, NULL, failure ? failure->text : "TLS went no further");
            finish_with_alert(session, HF_CAUSE_UPSTREAM_TLS, HF_ALERT_INTERNAL_ERROR);
        }
        return;
    case HF_MOVE_LOST:
    case HF_MOVE_TO_LOST:
        if (client_fault) {
            finish(session, client_was_served(session) ? HF_CAUSE_FINISHED : HF_CAUSE_CLIENT_RESET,
                   false);
        } else {
            finish_with_alert(session, HF_CAUSE_UPSTREAM_RESET, HF_ALERT_INTERNAL_ERROR);
        }
        return;
    default:
        finish_with_alert(session, HF_CAUSE_INTERNAL, HF_ALERT_INTERNAL_ERROR);
    }
}

/* Bytes have moved: they count, and the session isn't idle. */
static void count_bytes(struct hf_session *session, const struct hf_leg *from, uint64_t n)
{
    const struct hf_door_metrics *metrics = &session->door->metrics;
    hf_series_add(from == &session->client ? metrics->bytes_in : metrics->bytes_out,
                  session->worker->index, n);
    session->active_ms = now_ms(session);
    if (session->quiet) {
        session->quiet = false;
        arm(session);
    }
}

/*
 * A server that turns an upload down answers and closes while bytes of ours are still unread; its
 * kernel then resets the connection. We may meet that reset in writing, with the answer unread in
 * our socket: the client is to have it.
 */
static void take_last_words(struct hf_session *session)
{
    struct hf_leg *server = &session->server;
    uint64_t before = server->n_in;
    if (!session->client.finishing) {
        (void)hf_leg_move(server, &session->client, &session->worker->scratch);
        count_bytes(session, server, server->n_in - before);
    }
}

/* One direction, as far as it goes now. False: the session has ended. */
static bool carry(struct hf_session *session, struct hf_leg *from)
{
    struct hf_leg *to = other_leg(session, from);
    uint64_t before = from->n_in;
    enum hf_move move = hf_leg_move(from, to, &session->worker->scratch);
    if (from->n_in != before) {
        count_bytes(session, from, from->n_in - before);
    }
    if (move == HF_MOVE_ENDED) {
        move = hf_leg_finish(to);
        move = move == HF_MOVE_LOST ? HF_MOVE_TO_LOST : move == HF_MOVE_TLS ? HF_MOVE_TO_TLS : move;
    }
    if (move == HF_MOVE_TO_LOST && to == &session->server) {
        take_last_words(session);
    }
    if (move != HF_MOVE_IDLE && move != HF_MOVE_BLOCKED) {
        relay_broken(session, from, move);
        return false;
    }
    /* Answers of from's own TLS (a key update) leave at once. */
    if (hf_buf_len(&from->held_out) && hf_leg_flush(from) == HF_MOVE_LOST) {
        relay_broken(session, from, HF_MOVE_LOST);
        return false;
    }
    return true;
}

static void settle(struct hf_session *session)
{
    if (session->client.finished && session->server.finished) {
        finish(session, HF_CAUSE_FINISHED, false);
        return;
    }
    if (!want(session, &session->client) || !want(session, &session->server)) {
        hf_log_say(session->worker->log, HF_LOG_ERROR, "session", "%s", hf_err_text());
        finish_with_alert(session, HF_CAUSE_INTERNAL, HF_ALERT_INTERNAL_ERROR);
    }
}

static void relay(struct hf_session *session, struct hf_leg *leg, unsigned events)
{
    struct hf_leg *other = other_leg(session, leg);
    if ((events & HF_LOOP_HANGUP) && leg->ended && !leg->finished) {
        (void)hf_fail(HF_E_CLOSED, "the peer is gone"); /* it had ended, and can't hear us either */
        relay_broken(session, leg, HF_MOVE_LOST);
        return;
    }
    if (hf_buf_len(&leg->held_out)) {
        if (hf_leg_flush(leg) == HF_MOVE_LOST) {
            relay_broken(session, leg, HF_MOVE_LOST);
            return;
        }
        if (hf_buf_len(&leg->held_out) == 0 && !carry(session, other)) {
            return; /* the other was held back by this one */
        }
    }
    bool readable = (events & (HF_LOOP_READ | HF_LOOP_HANGUP)) || leg->choked;
    if (readable && !carry(session, leg)) {
        return;
    }
    bool unread = !leg->ended && hf_buf_len(&other->held_out) == 0;
    if ((events & HF_LOOP_HANGUP) && !unread && leg->watch.active) {
        hf_watch_remove(session->worker->loop, &leg->watch);
    }
    settle(session);
}

static void start_relay(struct hf_session *session)
{
    move_to(session, HF_SESSION_RELAY);
    hf_free(HF_TAKE(session->arrival));
    hf_dial_free(HF_TAKE(session->dial));
    if (carry(session, &session->client) && carry(session, &session->server)) {
        settle(session);
    }
}

/* --- Client handshake ---------------------------------------------------------------------------
 */

static void client_done(struct hf_session *session)
{
    if (!hf_session_admitted(session)) {
        refuse_for(session, HF_REASON_INTERNAL, "the client was never judged", true);
        return;
    }
    hf_session_take_identity(session);
    session->verified = session->arrival->verdict.verified;
    hf_session_count_accepted(session);
    hf_session_log_accepted(session);
    start_dial(session);
}

static void client_handshake(struct hf_session *session)
{
    enum hf_move move = hf_leg_handshake(&session->client, &session->worker->scratch);
    unsigned write = hf_buf_len(&session->client.held_out) ? HF_LOOP_WRITE : 0;
    switch (move) {
    case HF_MOVE_ENDED:
        client_done(session);
        return;
    case HF_MOVE_IDLE:
    case HF_MOVE_BLOCKED:
        hf_watch_want(session->worker->loop, &session->client.watch, HF_LOOP_READ | write);
        return;
    case HF_MOVE_TLS: {
        struct hf_refusal refusal = hf_session_refusal(&session->client, session->arrival->judged,
                                                       &session->arrival->verdict);
        refuse(session, &refusal, true);
        return;
    }
    case HF_MOVE_TRUNCATED:
        refuse_for(session, HF_REASON_PEER_CLOSED, hf_session_closed_text(session), false);
        return;
    case HF_MOVE_LOST:
        refuse_for(session, HF_REASON_PEER_CLOSED, hf_err_text(), false);
        return;
    default:
        refuse_for(session, HF_REASON_INTERNAL, hf_err_text(), false);
    }
}

static void start_tls(struct hf_session *session)
{
    if (!session->door->tls) {
        start_dial(session);
        return;
    }
    move_to(session, HF_SESSION_HANDSHAKE);
    if (hf_tls_new_server(session->door->tls, session, &session->client.tls) != HF_OK) {
        refuse_for(session, HF_REASON_INTERNAL, hf_err_text(), false);
        return;
    }
    session->client.spent = hf_buf_len(&session->client.held_in) == 0;
    client_handshake(session);
}

static void proxy_header(struct hf_session *session)
{
    switch (hf_session_read_proxy_header(session)) {
    case HF_PROXY_HEADER_MORE:
        return;
    case HF_PROXY_HEADER_DONE:
        start_tls(session);
        return;
    case HF_PROXY_HEADER_PROBE: /* LOCAL and nothing else: a health check */
        finish(session, HF_CAUSE_FINISHED, false);
        return;
    case HF_PROXY_HEADER_BAD:
        refuse_for(session, HF_REASON_PROXY_HEADER, hf_err_text(), false);
    }
}

/* Throws away what a refused client still sends, until it has read the alert and closed. */
static void discard(struct hf_session *session, unsigned events)
{
    struct hf_leg *leg = &session->client;
    struct hf_scratch *scratch = &session->worker->scratch;
    size_t n = 0;
    bool empty = false;
    size_t held = hf_buf_len(&leg->held_out);
    if (hf_leg_flush(leg) == HF_MOVE_LOST) {
        release(session);
        return;
    }
    if (hf_buf_len(&leg->held_out) < held) { /* it reads on, however slowly */
        hf_timer_set(session->worker->loop, &session->timer, LINGER_MS);
    }
    if (events & (HF_LOOP_READ | HF_LOOP_HANGUP)) {
        enum hf_err err =
            hf_sock_read(leg->watch.fd, hf_span_of(scratch->in, sizeof(scratch->in)), &n, &empty);
        leg->n_in += n;
        size_t most = session->cause == HF_CAUSE_REFUSED ? LINGER_BYTES : LINGER_UPLOAD;
        bool enough = leg->finished && leg->n_in > most;
        if (err != HF_OK || (n == 0 && !empty) || enough) {
            release(session);
            return;
        }
    }
    unsigned write = hf_buf_len(&leg->held_out) ? HF_LOOP_WRITE : 0;
    hf_watch_want(session->worker->loop, &leg->watch, HF_LOOP_READ | write);
}

static void on_client_event(struct hf_watch *watch, unsigned events)
{
    struct hf_leg *leg = HF_CONTAINER_OF(watch, struct hf_leg, watch);
    struct hf_session *session = HF_CONTAINER_OF(leg, struct hf_session, client);
    switch (session->fsm.state) {
    case HF_SESSION_PROXY_HEADER:
        proxy_header(session);
        return;
    case HF_SESSION_HANDSHAKE:
        client_handshake(session);
        return;
    case HF_SESSION_DIAL:
    case HF_SESSION_UPSTREAM_HANDSHAKE:
        if (events & HF_LOOP_HANGUP) {
            finish(session, HF_CAUSE_CLIENT_RESET, false);
        } else if (hf_leg_flush(leg) != HF_MOVE_BLOCKED) {
            hf_watch_want(session->worker->loop, watch, 0);
        }
        return;
    case HF_SESSION_RELAY:
        relay(session, leg, events);
        return;
    case HF_SESSION_LINGER:
        discard(session, events);
        return;
    default:
        return;
    }
}

/* --- Who it is ----------------------------------------------------------------------------------
 */

/* A whole struct hf_addr has room for a unix path, which a peer's address never is worth. */
static void keep_socket(struct hf_session *session, const struct hf_addr *peer)
{
    _Static_assert(sizeof(session->socket) >= sizeof(peer->in), "IPv4 fits in where IPv6 does");
    session->socket.sin6_family = peer->sa.sa_family;
    if (peer->sa.sa_family == AF_INET || peer->sa.sa_family == AF_INET6) {
        memcpy(&session->socket, &peer->storage, sizeof(session->socket));
    }
}

void hf_session_peer(const struct hf_session *session, struct hf_addr *out)
{
    if (session->told) {
        *out = session->told->source;
        return;
    }
    static const socklen_t unnamed = sizeof(sa_family_t);
    sa_family_t family = session->socket.sin6_family;
    *out = (struct hf_addr){.len = family == AF_INET    ? sizeof(out->in)
                                   : family == AF_INET6 ? sizeof(out->in6)
                                                        : unnamed};
    memcpy(&out->storage, &session->socket, out->len);
}

/* --- Beginning ----------------------------------------------------------------------------------
 */

static bool expects_proxy_header(const struct hf_session *session, const struct hf_addr *peer)
{
    const struct hf_cfg_listener *cfg = session->door->cfg;
    for (size_t i = 0; i < cfg->n_proxy_from; i++) {
        if (hf_cidr_contains(&cfg->proxy_from[i], peer)) {
            return true;
        }
    }
    return false;
}

static struct hf_session *session_new(struct hf_worker *worker, const struct hf_door *door)
{
    struct hf_session *session = HF_NEW(struct hf_session);
    if (!session) {
        return NULL;
    }
    session->arrival = HF_NEW(struct hf_arrival);
    if (!session->arrival) {
        hf_free(session);
        return NULL;
    }
    session->worker = worker;
    session->door = door;
    session->gen = hf_gen_ref(worker->gen);
    session->timer.on_due = on_timer;
    session->server.watch.fd = -1;
    session->id = worker->next_id++;
    session->since_ms = session->active_ms = hf_loop_now_ms(worker->loop);
    session->arrival->accepted_ns = hf_clock_mono_ns(worker->clock);
    hf_session_expect_nobody(session);
    hf_fsm_init(&session->fsm, states, HF_N_ELEMENTS(states), HF_SESSION_PROXY_HEADER);
    return session;
}

/* Over the listener's limit: counted first, so that two workers can't both take the last place. */
static bool take_place(struct hf_session *session)
{
    const struct hf_cfg_listener *cfg = session->door->cfg;
    unsigned open =
        atomic_fetch_add_explicit(&session->door->state->open, 1, memory_order_relaxed) + 1;
    session->counted = true;
    atomic_fetch_add_explicit(&session->door->state->total, 1, memory_order_relaxed);
    hf_series_add(session->door->metrics.connections, session->worker->index, 1);
    return !cfg->max_connections || open <= cfg->max_connections;
}

void hf_session_start(struct hf_worker *worker, const struct hf_door *door, int fd,
                      const struct hf_addr *peer)
{
    struct hf_session *session = session_new(worker, door);
    if (!session) {
        hf_closep(&fd);
        hf_log_say(worker->log, HF_LOG_ERROR, "accept", "a connection was dropped: %s",
                   hf_err_text());
        return;
    }
    hf_leg_init(&session->client, fd);
    session->client.watch.on_event = on_client_event;
    session->client.watch.wanted = HF_LOOP_READ;
    session->client.spent = true;
    keep_socket(session, peer);
    hf_list_push(&worker->sessions, &session->link);
    worker->n_sessions++;
    if (!take_place(session)) {
        refuse_for(session, HF_REASON_OVERLOADED, "the listener's max-connections is reached",
                   false);
        return;
    }
    if (hf_watch_add(worker->loop, &session->client.watch) != HF_OK) {
        refuse_for(session, HF_REASON_INTERNAL, hf_err_text(), false);
        return;
    }
    if (expects_proxy_header(session, peer)) {
        arm(session);
        proxy_header(session);
    } else {
        start_tls(session);
    }
}
