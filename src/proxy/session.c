// SPDX-License-Identifier: Apache-2.0
/*
 * The session's state machine. Every event ends in one of: a move to the next state, new wishes to
 * the event loop (want), or hf_session_finish(). After hf_session_finish() the session may not be
 * touched: functions that can end it return false then.
 */
#include "proxy/session_impl.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "proxy/http/down.h"
#include "proxy/proxy_protocol.h"
#include "proxy/review.h"
#include "proxy/session_account.h"
#include "proxy/session_fall.h"
#include "proxy/session_judge.h"
#include "proxy/session_ocsp.h"
#include "proxy/session_proxy.h"

enum { QUIET_MS = 5000 }; /* after this much silence a relay gives its memory back */

#define TO HF_FSM_TO

static const struct hf_fsm_state states[] = {
    [HF_SESSION_PROXY_HEADER] = {"proxy-header",
                                 TO(HF_SESSION_HANDSHAKE) | TO(HF_SESSION_DIAL) |
                                     TO(HF_SESSION_HTTP) | TO(HF_SESSION_CLOSED),
                                 0},
    [HF_SESSION_HANDSHAKE] = {"handshake",
                              TO(HF_SESSION_DIAL) | TO(HF_SESSION_HTTP) | TO(HF_SESSION_LINGER) |
                                  TO(HF_SESSION_CLOSED),
                              0},
    [HF_SESSION_DIAL] = {"dial",
                         TO(HF_SESSION_UPSTREAM_HANDSHAKE) | TO(HF_SESSION_RELAY) |
                             TO(HF_SESSION_LINGER) | TO(HF_SESSION_CLOSED),
                         0},
    [HF_SESSION_UPSTREAM_HANDSHAKE] = {"upstream-handshake",
                                       TO(HF_SESSION_DIAL) | TO(HF_SESSION_RELAY) |
                                           TO(HF_SESSION_LINGER) | TO(HF_SESSION_CLOSED),
                                       HF_SESSION_UP_TLS_MS},
    [HF_SESSION_RELAY] = {"relay", TO(HF_SESSION_LINGER) | TO(HF_SESSION_CLOSED), 0},
    [HF_SESSION_HTTP] = {"http", TO(HF_SESSION_LINGER) | TO(HF_SESSION_CLOSED), 0},
    [HF_SESSION_LINGER] = {"linger", TO(HF_SESSION_CLOSED), HF_SESSION_LINGER_MS},
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
    hf_format_id(session->id, out);
}

/* --- Deadlines ----------------------------------------------------------------------------------
 */

int64_t hf_session_now_ms(const struct hf_session *session)
{
    return hf_loop_now_ms(session->worker->loop);
}

/* How long silence may last: of a relay, or between requests. Those under way have deadlines of
 * their own. */
static int64_t idle_limit(const struct hf_session *session)
{
    const struct hf_cfg_listener *cfg = session->door->cfg;
    if (session->fsm.state != HF_SESSION_HTTP) {
        return cfg->idle_timeout_ms;
    }
    return hf_down_busy(session) ? 0 : cfg->http.keep_alive_timeout_ms;
}

/* When a silent relay is due: to go quiet first, then to be closed as idle. */
static int64_t relay_due(const struct hf_session *session)
{
    int64_t idle = idle_limit(session);
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
        due = session->active_ms + HF_SESSION_UP_TLS_MS;
        break;
    case HF_SESSION_RELAY:
    case HF_SESSION_HTTP:
        due = relay_due(session);
        break;
    default: /* a dial has deadlines of its own */
        break;
    }
    const int64_t ends[] = {session->good_until_ms, session->server_until_ms, session->retire_ms,
                            session->cut_ms};
    for (size_t i = 0; i < HF_N_ELEMENTS(ends); i++) {
        due = ends[i] && ends[i] < due ? ends[i] : due;
    }
    int64_t total = session->since_ms + cfg->total_timeout_ms;
    return cfg->total_timeout_ms && total < due ? total : due;
}

void hf_session_arm(struct hf_session *session)
{
    int64_t due = next_due(session);
    if (due == INT64_MAX) {
        hf_timer_cancel(&session->timer);
    } else {
        hf_timer_set(session->worker->loop, &session->timer, due - hf_session_now_ms(session));
    }
}

void hf_session_move(struct hf_session *session, enum hf_session_state state)
{
    hf_fsm_move(&session->fsm, (uint8_t)state);
    session->active_ms = hf_session_now_ms(session);
    hf_session_arm(session);
}

/* The listener has less patience than the trust. */
static void refuse_waiting(struct hf_session *session)
{
    bool for_list = session->arrival->verdict.reason == HF_REASON_CRL_MISSING;
    char text[HF_VERIFY_TEXT_MAX];
    snprintf(text, sizeof(text), "%s did not come within handshake-timeout",
             hf_session_ocsp_waits(session));
    hf_session_refuse_for(session, for_list ? HF_REASON_CRL_MISSING : HF_REASON_OCSP_UNREACHABLE,
                          text, false);
}

static void time_out(struct hf_session *session, bool total)
{
    if (total && session->fsm.state >= HF_SESSION_DIAL) {
        hf_session_finish_with_alert(session, HF_CAUSE_TOTAL_TIMEOUT, HF_ALERT_INTERNAL_ERROR);
        return;
    }
    switch (session->fsm.state) {
    case HF_SESSION_PROXY_HEADER:
        hf_session_refuse_for(session, HF_REASON_PROXY_HEADER,
                              "no PROXY protocol header came in time", false);
        return;
    case HF_SESSION_HANDSHAKE:
        if (hf_session_ocsp_waits(session)) {
            refuse_waiting(session);
            return;
        }
        hf_session_refuse_for(session, HF_REASON_HANDSHAKE_TIMEOUT,
                              hf_session_timeout_text(session), false);
        return;
    case HF_SESSION_UPSTREAM_HANDSHAKE:
        hf_session_upstream_failed(session, NULL, "the TLS handshake timed out");
        return;
    case HF_SESSION_HTTP: /* nothing is under way: the client is told in order */
        hf_down_retire(session);
        return;
    default:
        /* Not close_notify: whoever waits for more must not take what came for all of it. */
        hf_session_finish_with_alert(session, HF_CAUSE_IDLE_TIMEOUT, HF_ALERT_INTERNAL_ERROR);
    }
}

/* Nothing moved for a while: what TLS can remake later is given back now. */
static void go_quiet(struct hf_session *session)
{
    session->quiet = true;
    hf_down_quiet(session);
    if (session->client.tls) {
        hf_tls_quiet(session->client.tls);
    }
    if (session->server.tls) {
        hf_tls_quiet(session->server.tls);
    }
}

static bool is_idle(const struct hf_session *session)
{
    int64_t limit = idle_limit(session);
    return limit && hf_session_now_ms(session) - session->active_ms >= limit;
}

static bool is_due(const struct hf_session *session, int64_t at_ms)
{
    return at_ms && at_ms <= hf_session_now_ms(session);
}

static void forget_due(const struct hf_session *session, int64_t *at_ms)
{
    *at_ms = is_due(session, *at_ms) ? 0 : *at_ms;
}

static void on_timer(struct hf_timer *timer)
{
    struct hf_session *session = HF_CONTAINER_OF(timer, struct hf_session, timer);
    if (session->fsm.state == HF_SESSION_LINGER) {
        hf_session_release(session);
        return;
    }
    if (next_due(session) > hf_session_now_ms(session)) { /* bytes moved since it was set */
        hf_session_arm(session);
        return;
    }
    if (is_due(session, session->cut_ms)) {
        hf_session_expel(session);
        return;
    }
    if (is_due(session, session->good_until_ms) || is_due(session, session->server_until_ms)) {
        forget_due(session, &session->good_until_ms);
        if (!hf_session_review(session)) {
            forget_due(session, &session->server_until_ms);
            hf_session_arm(session);
        }
        return;
    }
    if (is_due(session, session->retire_ms)) {
        session->retire_ms = 0;
        hf_session_arm(session);
        hf_down_retire(session);
        return;
    }
    int64_t limit = session->door->cfg->total_timeout_ms;
    bool total = limit && hf_session_now_ms(session) - session->since_ms >= limit;
    bool relays = session->fsm.state == HF_SESSION_RELAY || session->fsm.state == HF_SESSION_HTTP;
    if (relays && !total && !is_idle(session)) {
        go_quiet(session);
        hf_session_arm(session);
        return;
    }
    time_out(session, total);
}

/* --- Client handshake ---------------------------------------------------------------------------
 */

/* The client is in. */
static void serve(struct hf_session *session)
{
    if (session->door->cfg->mode == HF_MODE_HTTP) {
        hf_down_start(session);
    } else if (session->vitals_only) {
        hf_session_refuse_for(session, HF_REASON_INTERNAL, "nothing here answers probes", true);
    } else {
        hf_session_dial(session);
    }
}

/* The client stays out, and may read why: down_renew.c and exchange_judge.c let it have nothing
 * else. */
static void show_pages(struct hf_session *session)
{
    struct hf_denial refusal =
        hf_session_refusal(&session->client, true, &session->arrival->verdict);
    session->verified = false;
    hf_session_tell_refused(session, &refusal);
    serve(session);
}

static void client_done(struct hf_session *session)
{
    hf_session_ocsp_done(session);
    if (session->bar && session->door->cfg->mode == HF_MODE_HTTP) {
        show_pages(session);
        return;
    }
    if (!hf_session_admitted(session)) {
        hf_session_refuse_for(session, HF_REASON_INTERNAL, "the client was never judged", true);
        return;
    }
    hf_session_take_identity(session);
    session->verified = session->arrival->verdict.verified;
    if (session->unsure && hf_session_review_client(session)) {
        return;
    }
    hf_session_count_accepted(session);
    if (session->arrival->verdict.reported) {
        hf_session_report(session);
    }
    hf_session_account_admitted(session);
    hf_session_log_accepted(session);
    serve(session);
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
    case HF_MOVE_VERDICT: /* what it sends meanwhile stays in its socket */
        hf_watch_want(session->worker->loop, &session->client.watch, write);
        return;
    case HF_MOVE_TLS: {
        struct hf_denial refusal = hf_session_refusal(&session->client, session->arrival->judged,
                                                      &session->arrival->verdict);
        hf_session_refuse(session, &refusal, true);
        return;
    }
    case HF_MOVE_TRUNCATED:
        hf_session_refuse_for(session, HF_REASON_PEER_CLOSED, hf_session_closed_text(session),
                              false);
        return;
    case HF_MOVE_LOST:
        hf_session_refuse_for(session, HF_REASON_PEER_CLOSED, hf_err_text(), false);
        return;
    default:
        hf_session_refuse_for(session, HF_REASON_INTERNAL, hf_err_text(), false);
    }
}

void hf_session_go_on(struct hf_session *session)
{
    if (session->fsm.state == HF_SESSION_HANDSHAKE) {
        client_handshake(session);
    }
}

static void start_tls(struct hf_session *session)
{
    if (!hf_session_take_address(session)) {
        hf_session_refuse_for(session, HF_REASON_CONNECTION_LIMIT,
                              "the client's address has connections-per-address open already",
                              false);
        return;
    }
    if (!session->door->tls) {
        serve(session);
        return;
    }
    hf_session_move(session, HF_SESSION_HANDSHAKE);
    if (hf_tls_new_server(session->door->tls, session, &session->client.tls) != HF_OK) {
        hf_session_refuse_for(session, HF_REASON_INTERNAL, hf_err_text(), false);
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
        hf_session_finish(session, HF_CAUSE_FINISHED, false);
        return;
    case HF_PROXY_HEADER_BAD:
        hf_session_refuse_for(session, HF_REASON_PROXY_HEADER, hf_err_text(), false);
    }
}

static void refuse_gone(struct hf_session *session)
{
    char text[HF_VERIFY_TEXT_MAX];
    snprintf(text, sizeof(text), "the client left while %s was on its way",
             hf_session_ocsp_waits(session));
    hf_session_refuse_for(session, HF_REASON_PEER_CLOSED, text, false);
}

static void on_client_event(struct hf_watch *watch, unsigned events)
{
    struct hf_leg *leg = HF_CONTAINER_OF(watch, struct hf_leg, watch);
    struct hf_session *session = HF_CONTAINER_OF(leg, struct hf_session, client);
    if (hf_review_first(session)) {
        return;
    }
    switch (session->fsm.state) {
    case HF_SESSION_PROXY_HEADER:
        proxy_header(session);
        return;
    case HF_SESSION_HANDSHAKE:
        if (events & HF_LOOP_HANGUP && hf_session_ocsp_waits(session)) {
            refuse_gone(session);
            return;
        }
        client_handshake(session);
        return;
    case HF_SESSION_DIAL:
    case HF_SESSION_UPSTREAM_HANDSHAKE:
        if (events & HF_LOOP_HANGUP) {
            hf_session_finish(session, HF_CAUSE_CLIENT_RESET, false);
        } else if (hf_leg_flush(leg) != HF_MOVE_BLOCKED) {
            hf_watch_want(session->worker->loop, watch, 0);
        }
        return;
    case HF_SESSION_RELAY:
        hf_session_relay(session, leg, events);
        return;
    case HF_SESSION_HTTP:
        hf_down_event(session, events);
        return;
    case HF_SESSION_LINGER:
        if (session->fall) {
            hf_session_fallen_event(session, watch);
        } else {
            hf_session_discard(session, events);
        }
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
        hf_session_refuse_for(session, HF_REASON_OVERLOADED,
                              "the listener's max-connections is reached", false);
        return;
    }
    if (hf_watch_add(worker->loop, &session->client.watch) != HF_OK) {
        hf_session_refuse_for(session, HF_REASON_INTERNAL, hf_err_text(), false);
        return;
    }
    if (expects_proxy_header(session, peer)) {
        hf_session_arm(session);
        proxy_header(session);
    } else {
        start_tls(session);
    }
}
