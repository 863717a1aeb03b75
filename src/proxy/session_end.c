// SPDX-License-Identifier: Apache-2.0
/*
 * How a session ends: what the client is told, what the log and the counters hear, and when the
 * socket goes. After hf_session_finish() and its relatives the session may not be touched.
 */
#include "proxy/session_impl.h"
#include "proxy/session_ocsp.h"

#include "base/mem.h"
#include "proxy/http/down.h"
#include "proxy/kin.h"
#include "proxy/session_account.h"
#include "proxy/session_fall.h"
#include "proxy/session_judge.h"

enum {
    LINGER_BYTES = 256 << 10, /* what a client may still send once all of it is on its way ... */
    LINGER_UPLOAD = 16 << 20, /* ... or an admitted one, in the middle of its upload */
};

static void free_later(struct hf_task *task)
{
    struct hf_session *session = HF_CONTAINER_OF(task, struct hf_session, free_task);
    hf_free(session);
}

/* Closes everything and lets go. The memory goes at the end of the loop's turn. */
void hf_session_release(struct hf_session *session)
{
    struct hf_worker *worker = session->worker;
    if (session->fall) {
        hf_session_tell_fall(session);
        hf_session_drop_server(session);
    }
    hf_down_close(session, HF_MISHAP_CLIENT_CLOSED);
    hf_fsm_move(&session->fsm, HF_SESSION_CLOSED);
    hf_timer_cancel(&session->timer);
    hf_session_ocsp_done(session);
    hf_dial_free(session->dial);
    if (hf_buf_len(&session->client.held_out)) {
        hf_sock_reset(
            session->client.watch.fd); /* FIN in place of the rest: many take it for all */
    }
    hf_leg_close(&session->client, worker->loop);
    hf_leg_close(&session->server, worker->loop);
    if (session->upstream) {
        hf_dial_leave(session->upstream);
    }
    if (session->counted) {
        atomic_fetch_sub_explicit(&session->door->state->open, 1, memory_order_relaxed);
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(session->tallies); i++) {
        hf_tally_sub(session->door->state->limits.connections, session->tallies[i]);
    }
    hf_identity_unref(session->identity);
    hf_kin_unref(worker, session->kin);
    if (session->arrival) {
        hf_server_check_done(&session->arrival->server);
    }
    hf_free(session->arrival);
    hf_free(session->bar);
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

void hf_session_drop_server(struct hf_session *session)
{
    if (hf_leg_open(&session->server) && !session->server.finished) {
        hf_sock_reset(session->server.watch.fd);
    }
    hf_leg_close(&session->server, session->worker->loop);
}

enum hf_move hf_session_say_last(struct hf_session *session)
{
    hf_fsm_move(&session->fsm, HF_SESSION_LINGER);
    session->client.finishing = true; /* FIN follows what is held */
    hf_timer_set(session->worker->loop, &session->timer, HF_SESSION_LINGER_MS);
    enum hf_move move = hf_leg_flush(&session->client);
    unsigned write = hf_buf_len(&session->client.held_out) ? HF_LOOP_WRITE : 0;
    hf_watch_want(session->worker->loop, &session->client.watch, HF_LOOP_READ | write);
    return move;
}

/* Gives the client the time to read what was said last; see the header. */
static void linger(struct hf_session *session)
{
    session->client.n_in = 0; /* now counts what is thrown away */
    if (hf_session_say_last(session) == HF_MOVE_LOST) {
        hf_session_release(session);
    }
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
void hf_session_finish(struct hf_session *session, enum hf_cause cause, bool with_linger)
{
    session->cause = cause;
    hf_session_log_end(session, cause);
    hf_session_ocsp_done(session);
    hf_dial_free(session->dial);
    session->dial = NULL;
    hf_down_close(session, HF_MISHAP_CLIENT_CLOSED);
    hf_session_drop_server(session);
    if (with_linger && session->client.watch.active) {
        linger(session);
        return;
    }
    cut_plain(session);
    hf_session_release(session);
}

/* Tells the client's TLS that it is over, then ends. */
void hf_session_finish_with_alert(struct hf_session *session, enum hf_cause cause, uint8_t alert)
{
    if (session->client.tls) {
        struct hf_tls_io io = {.out = &session->client.held_out};
        hf_tls_abort(session->client.tls, &io, alert);
    }
    hf_session_finish(session, cause, session->client.tls != NULL);
}

void hf_session_expel(struct hf_session *session)
{
    hf_down_leave(session);
    hf_session_finish_with_alert(session, HF_CAUSE_NO_LONGER_ADMITTED, session->cut_alert);
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

void hf_session_tell_refused(struct hf_session *session, const struct hf_denial *refusal)
{
    struct hf_series *series = session->door->metrics.refused[refusal->reason];
    hf_series_add(series, session->worker->index, 1);
    hf_session_take_identity(session);
    hf_session_account_refused(session, refusal);
    hf_session_log_refused(session, refusal);
}

void hf_session_refuse(struct hf_session *session, const struct hf_denial *refusal,
                       bool with_linger)
{
    if (refusal->reason == HF_REASON_PLAIN_HTTP) {
        answer_plain_http(session);
    }
    hf_session_tell_refused(session, refusal);
    hf_session_finish(session, HF_CAUSE_REFUSED, with_linger);
}

void hf_session_refuse_for(struct hf_session *session, enum hf_reason reason, const char *text,
                           bool with_linger)
{
    struct hf_denial refusal = {reason, hf_reason_step(reason), text, NULL};
    hf_session_refuse(session, &refusal, with_linger);
}

void hf_session_cut(struct hf_session *session, enum hf_cause cause)
{
    if (session->fsm.state == HF_SESSION_LINGER) {
        hf_session_release(session);
        return;
    }
    session->cause = cause;
    hf_down_close(session,
                  cause == HF_CAUSE_DRAIN_TIMEOUT ? HF_MISHAP_DRAINED : HF_MISHAP_CLIENT_CLOSED);
    hf_session_log_end(session, cause);
    hf_session_drop_server(session);
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
    hf_session_release(session);
}

/* Throws away what a refused client still sends, until it has read the alert and closed. */
void hf_session_discard(struct hf_session *session, unsigned events)
{
    struct hf_leg *leg = &session->client;
    struct hf_scratch *scratch = &session->worker->scratch;
    size_t n = 0;
    bool empty = false;
    size_t held = hf_buf_len(&leg->held_out);
    if (hf_leg_flush(leg) == HF_MOVE_LOST) {
        hf_session_release(session);
        return;
    }
    if (hf_buf_len(&leg->held_out) < held) { /* it reads on, however slowly */
        hf_timer_set(session->worker->loop, &session->timer, HF_SESSION_LINGER_MS);
    }
    if (events & (HF_LOOP_READ | HF_LOOP_HANGUP)) {
        enum hf_err err =
            hf_sock_read(leg->watch.fd, hf_span_of(scratch->in, sizeof(scratch->in)), &n, &empty);
        leg->n_in += n;
        size_t most = session->cause == HF_CAUSE_REFUSED ? LINGER_BYTES : LINGER_UPLOAD;
        bool enough = leg->finished && leg->n_in > most;
        if (err != HF_OK || (n == 0 && !empty) || enough) {
            hf_session_release(session);
            return;
        }
    }
    unsigned wanted = HF_LOOP_READ | (hf_buf_len(&leg->held_out) ? HF_LOOP_WRITE : 0);
    if (leg->watch.active) {
        hf_watch_want(session->worker->loop, &leg->watch, wanted);
        return;
    }
    leg->watch.wanted = wanted;
    if (hf_watch_add(session->worker->loop, &leg->watch) != HF_OK) {
        hf_session_release(session);
    }
}
