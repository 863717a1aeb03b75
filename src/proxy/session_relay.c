// SPDX-License-Identifier: Apache-2.0
/*
 * The relay of TCP mode: bytes from leg to leg as they come, each direction for itself. Functions
 * that can end the session return false then.
 */
#include "proxy/session_impl.h"

#include "base/mem.h"

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
            hf_session_finish(
                session, client_was_served(session) ? HF_CAUSE_FINISHED : HF_CAUSE_CLIENT_TRUNCATED,
                false);
        } else {
            hf_session_finish_with_alert(session, HF_CAUSE_UPSTREAM_TRUNCATED,
                                         HF_ALERT_INTERNAL_ERROR);
        }
        return;
    case HF_MOVE_TLS:
    case HF_MOVE_TO_TLS:
        if (client_fault) {
            hf_session_finish(session, HF_CAUSE_CLIENT_TLS, true);
        } else {
            const struct hf_tls_failure *failure = hf_tls_failure(session->server.tls);
            hf_session_log_upstream(session, NULL, failure ? failure->text : "TLS went no further");
            hf_session_finish_with_alert(session, HF_CAUSE_UPSTREAM_TLS, HF_ALERT_INTERNAL_ERROR);
        }
        return;
    case HF_MOVE_LOST:
    case HF_MOVE_TO_LOST:
        if (client_fault) {
            hf_session_finish(
                session, client_was_served(session) ? HF_CAUSE_FINISHED : HF_CAUSE_CLIENT_RESET,
                false);
        } else {
            hf_session_finish_with_alert(session, HF_CAUSE_UPSTREAM_RESET, HF_ALERT_INTERNAL_ERROR);
        }
        return;
    default:
        hf_session_finish_with_alert(session, HF_CAUSE_INTERNAL, HF_ALERT_INTERNAL_ERROR);
    }
}

/* Bytes have moved: they count, and the session isn't idle. */
static void count_bytes(struct hf_session *session, const struct hf_leg *from, uint64_t n)
{
    const struct hf_door_metrics *metrics = &session->door->metrics;
    hf_series_add(from == &session->client ? metrics->bytes_in : metrics->bytes_out,
                  session->worker->index, n);
    session->active_ms = hf_session_now_ms(session);
    if (session->quiet) {
        session->quiet = false;
        hf_session_arm(session);
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
        hf_session_finish(session, HF_CAUSE_FINISHED, false);
        return;
    }
    if (!want(session, &session->client) || !want(session, &session->server)) {
        hf_log_say(session->worker->log, HF_LOG_ERROR, "session", "%s", hf_err_text());
        hf_session_finish_with_alert(session, HF_CAUSE_INTERNAL, HF_ALERT_INTERNAL_ERROR);
    }
}

void hf_session_relay(struct hf_session *session, struct hf_leg *leg, unsigned events)
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

void hf_session_start_relay(struct hf_session *session)
{
    hf_session_move(session, HF_SESSION_RELAY);
    hf_free(HF_TAKE(session->arrival));
    hf_dial_won(session->dial);
    hf_dial_free(HF_TAKE(session->dial));
    if (carry(session, &session->client) && carry(session, &session->server)) {
        settle(session);
    }
}
