// SPDX-License-Identifier: Apache-2.0
/*
 * A server that speaks HTTP/2: many exchanges over one connection. Credit for an answer's bytes is
 * given back once the client's side took them, so a slow client stalls its own stream and nobody
 * else's.
 */
#include <string.h>

#include "base/mem.h"
#include "proxy/http/h2_wire.h"
#include "proxy/http/pool.h"
#include "proxy/http/up.h"
#include "proxy/snapshot.h"

enum {
    REST_MAX = 1 << 20, /* of one piece that a stream had no room for */
    WINDOW = 64 << 10,  /* of an answer: comes all the same when the client takes no more */
};

_Static_assert(WINDOW + 2 * HF_LEG_READ_SIZE < HF_LEG_HELD_MAX,
               "a client's leg can hold what comes after it said that it is full");

struct hf_up_h2 {
    struct hf_up *up;
    struct hf_h2_wire pipe;
    struct hf_h2_config config;
    struct hf_link exchanges;
    size_t n; /* of them */
    bool closing;
    bool settled; /* what waited for that has been sent */
};

static struct hf_up_h2 *of_up(const struct hf_up *up)
{
    return up->h2;
}

static struct hf_up_h2 *of_x(const struct hf_exchange *x)
{
    return of_up(x->up);
}

static bool is_open(const struct hf_up *up)
{
    return up->fsm.state == HF_UP_READY;
}

/* --- Letting go ---------------------------------------------------------------------------------
 */

/* The connection forgets the exchange; it rests when that was the last. */
static void forget(struct hf_up_h2 *h2, struct hf_exchange *x)
{
    if (x->up_h2) {
        hf_h2_stream_set_user(x->up_h2, NULL);
        x->up_h2 = NULL;
    }
    hf_link_remove(&x->up_link);
    h2->n--;
    hf_buf_release(&x->up_rest);
    x->up_end = x->up_last = x->up_refused = x->up_unsent = false;
    x->up_unconsumed = 0;
    if (h2->n == 0) {
        hf_wire_kick(&h2->up->wire);
    }
}

static void reset(struct hf_exchange *x, enum hf_h2_code code)
{
    struct hf_up_h2 *h2 = of_x(x);
    if (x->up_h2) {
        hf_h2_reset(HF_TAKE(x->up_h2), code);
        hf_h2_wire_dirty(&h2->pipe);
    }
}

static void fail_all(struct hf_up_h2 *h2, enum hf_mishap why)
{
    while (!hf_list_empty(&h2->exchanges)) {
        struct hf_exchange *x = HF_CONTAINER_OF(h2->exchanges.next, struct hf_exchange, up_link);
        forget(h2, x);
        hf_exchange_up_failed(x, why, false);
    }
}

/* Closed before exchanges are told, so that none is sent this way again. */
static void failed(struct hf_up_h2 *h2, enum hf_mishap why)
{
    struct hf_link waiting;
    hf_list_take(&h2->exchanges, &waiting);
    HF_LIST_FOREACH (&waiting, link) {
        struct hf_exchange *x = HF_CONTAINER_OF(link, struct hf_exchange, up_link);
        if (x->up_h2) {
            hf_h2_stream_set_user(x->up_h2, NULL);
            x->up_h2 = NULL;
        }
        x->up = NULL;
    }
    hf_up_close(h2->up);
    while (!hf_list_empty(&waiting)) {
        struct hf_exchange *x = HF_CONTAINER_OF(waiting.next, struct hf_exchange, up_link);
        hf_link_remove(&x->up_link);
        hf_buf_release(&x->up_rest);
        x->up_end = x->up_last = x->up_refused = x->up_unsent = false;
        x->up_unconsumed = 0;
        hf_exchange_up_failed(x, why, false);
    }
}

/* --- Answers ------------------------------------------------------------------------------------
 */

/* The answer is whole. */
static void finished(struct hf_up_h2 *h2, struct hf_exchange *x, struct hf_http_msg *trailers)
{
    bool tunnel = hf_exchange_phase(x) == HF_X_TUNNEL;
    hf_exchange_answer_end(x, trailers);
    hf_http_msg_pool_put(&h2->up->hub->msgs, trailers);
    if (x->up != h2->up || (tunnel && !x->asked)) {
        return;
    }
    if (!x->sent_end) {
        reset(x, HF_H2_NO_ERROR); /* it answered early: the rest of the request is for nobody */
    }
    forget(h2, x);
    hf_exchange_leave_up(x);
}

static void on_head(void *ctx, struct hf_h2_stream *stream, struct hf_http_msg *msg, bool end)
{
    struct hf_up_h2 *h2 = ctx;
    struct hf_exchange *x = hf_h2_stream_user(stream);
    if (x && msg->status / 100 == 1 && msg->status != 101) {
        hf_exchange_interim(x, msg);
    } else if (x) {
        hf_exchange_answer(x, msg, end);
    }
    hf_http_msg_pool_put(&h2->up->hub->msgs, msg);
    if (end && x && x->up == h2->up) {
        finished(h2, x, NULL);
    }
}

static void on_bad_head(void *ctx, struct hf_h2_stream *stream, enum hf_http_fault fault)
{
    (void)ctx;
    (void)stream;
    (void)fault; /* of servers alone */
}

static void on_data(void *ctx, struct hf_h2_stream *stream, struct hf_bytes data)
{
    struct hf_exchange *x = hf_h2_stream_user(stream);
    (void)ctx;
    if (!x || hf_exchange_answer_data(x, data)) {
        hf_h2_consume(stream, data.len);
    } else {
        x->up_unconsumed += data.len;
    }
}

static void on_end(void *ctx, struct hf_h2_stream *stream, struct hf_http_msg *trailers)
{
    struct hf_up_h2 *h2 = ctx;
    struct hf_exchange *x = hf_h2_stream_user(stream);
    if (x) {
        finished(h2, x, trailers);
    } else {
        hf_http_msg_pool_put(&h2->up->hub->msgs, trailers);
    }
}

static void on_close(void *ctx, struct hf_h2_stream *stream, const struct hf_h2_close *why)
{
    struct hf_up_h2 *h2 = ctx;
    struct hf_exchange *x = hf_h2_stream_user(stream);
    if (!x) {
        return;
    }
    x->up_h2 = NULL;
    forget(h2, x);
    if (hf_exchange_phase(x) == HF_X_TUNNEL && x->answered) {
        hf_exchange_leave_up(x);
        return;
    }
    hf_exchange_up_failed(x,
                          why->fault    ? HF_MISHAP_UPSTREAM_PROTOCOL
                          : x->up_begun ? HF_MISHAP_UPSTREAM_TRUNCATED
                                        : HF_MISHAP_UPSTREAM_RESET,
                          why->unprocessed);
}

/* --- Requests -----------------------------------------------------------------------------------
 */

/* What can't be written any more is told by on_close. */
static bool wrote(struct hf_exchange *x, enum hf_err err)
{
    struct hf_up_h2 *h2 = of_x(x);
    hf_h2_wire_dirty(&h2->pipe);
    if (err != HF_OK && err != HF_E_CLOSED) {
        x->up_refused = true;
        hf_wire_kick(&h2->up->wire);
    }
    return err == HF_OK;
}

/* Extended CONNECT may be sent once the server has offered it in its SETTINGS (RFC 8441 4). */
static void head(struct hf_exchange *x, const struct hf_http_msg *msg)
{
    struct hf_up_h2 *h2 = of_x(x);
    x->up_unsent = msg->protocol.len && !hf_h2_is_settled(h2->pipe.h2);
    if (x->up_unsent) {
        return;
    }
    x->up_last = msg->body == HF_BODY_NONE && msg->protocol.len == 0;
    x->up_rest = HF_BUF_INIT(REST_MAX);
    enum hf_err err = hf_h2_request(h2->pipe.h2, &x->up_h2, msg, x->up_last, x);
    if (err != HF_OK) {
        x->up_h2 = NULL;
        x->up_refused = true;
        hf_wire_kick(&h2->up->wire);
    }
    hf_h2_wire_dirty(&h2->pipe);
}

static bool data(struct hf_exchange *x, struct hf_bytes bytes)
{
    size_t taken = 0;
    if (!x->up_h2 || x->up_last || bytes.len == 0) {
        return true;
    }
    if (hf_buf_len(&x->up_rest) == 0 && !wrote(x, hf_h2_write(x->up_h2, bytes, &taken))) {
        return true;
    }
    if (taken == bytes.len) {
        return true;
    }
    (void)wrote(x, hf_buf_append(&x->up_rest, hf_bytes_from(bytes, taken)));
    return false;
}

static void end(struct hf_exchange *x, const struct hf_http_msg *trailers)
{
    bool tunnel = hf_exchange_phase(x) == HF_X_TUNNEL;
    if (!x->up_h2 || x->up_last || (x->request->protocol.len && !tunnel)) {
        return;
    }
    struct hf_http_msg *copy = trailers ? hf_h2_wire_copy(x->hub, trailers) : NULL;
    if (hf_buf_len(&x->up_rest)) {
        x->up_end = true;
        x->up_trailers = copy;
        return;
    }
    (void)wrote(x, hf_h2_finish(x->up_h2, copy));
    if (tunnel && x->answered) {
        forget(of_x(x), x);
        hf_exchange_leave_up(x);
    }
}

static void on_room(void *ctx, struct hf_h2_stream *stream)
{
    (void)ctx;
    struct hf_exchange *x = hf_h2_stream_user(stream);
    size_t taken = 0;
    if (!x) {
        return;
    }
    if (hf_buf_len(&x->up_rest)) {
        if (hf_h2_write(stream, hf_buf_bytes(&x->up_rest), &taken) != HF_OK) {
            return; /* on_close follows */
        }
        hf_buf_consume(&x->up_rest, taken);
        if (hf_buf_len(&x->up_rest)) {
            return;
        }
        hf_buf_release(&x->up_rest);
    }
    if (x->up_end) {
        x->up_end = false;
        (void)wrote(x, hf_h2_finish(stream, HF_TAKE(x->up_trailers)));
    } else {
        hf_exchange_up_drained(x);
    }
}

static void abort_request(struct hf_exchange *x)
{
    struct hf_up_h2 *h2 = of_x(x);
    reset(x, HF_H2_CANCEL);
    forget(h2, x);
    hf_exchange_leave_up(x);
}

static void resume(struct hf_exchange *x)
{
    if (x->up_h2 && x->up_unconsumed) {
        hf_h2_consume(x->up_h2, x->up_unconsumed);
        x->up_unconsumed = 0;
        hf_h2_wire_dirty(&of_x(x)->pipe);
    }
}

static const struct hf_h2_events events = {
    .on_head = on_head,
    .on_bad_head = on_bad_head,
    .on_data = on_data,
    .on_end = on_end,
    .on_room = on_room,
    .on_close = on_close,
};

/* --- The connection -----------------------------------------------------------------------------
 */

static bool on_plain(void *ctx, struct hf_bytes plain)
{
    struct hf_up_h2 *h2 = ctx;
    int64_t now = hf_loop_now_ms(h2->up->hub->worker->loop);
    if (hf_h2_feed(h2->pipe.h2, plain, now) != HF_OK) {
        h2->closing = true;
    }
    if (!h2->settled && hf_h2_is_settled(h2->pipe.h2)) {
        h2->settled = true;
        hf_wire_kick(&h2->up->wire);
    }
    hf_h2_wire_dirty(&h2->pipe);
    return !h2->closing && hf_h2_wants_read(h2->pipe.h2);
}

/* False: the connection is closed. */
static bool pump(struct hf_up_h2 *h2)
{
    struct hf_up *up = h2->up;
    enum hf_move move = hf_leg_read(&up->leg, &up->hub->worker->scratch, on_plain, h2);
    if (h2->closing) {
        failed(h2, HF_MISHAP_UPSTREAM_PROTOCOL);
        return false;
    }
    if (move == HF_MOVE_IDLE || move == HF_MOVE_BLOCKED) {
        return true;
    }
    failed(h2, move == HF_MOVE_NOMEM                                ? HF_MISHAP_INTERNAL
               : move == HF_MOVE_ENDED || move == HF_MOVE_TRUNCATED ? HF_MISHAP_UPSTREAM_CLOSED
                                                                    : HF_MISHAP_UPSTREAM_RESET);
    return false;
}

static void event(struct hf_up *up, unsigned events_now)
{
    struct hf_up_h2 *h2 = of_up(up);
    if (hf_buf_len(&up->leg.held_out)) {
        if (hf_leg_flush(&up->leg) == HF_MOVE_LOST) {
            failed(h2, HF_MISHAP_UPSTREAM_RESET);
            return;
        }
        hf_h2_wire_dirty(&h2->pipe);
    }
    bool readable = (events_now & (HF_LOOP_READ | HF_LOOP_HANGUP)) || up->leg.choked;
    if (readable && hf_h2_wants_read(h2->pipe.h2) && !pump(h2)) {
        return;
    }
    if ((events_now & HF_LOOP_HANGUP) && !(hf_h2_wants_read(h2->pipe.h2) && pump(h2))) {
        if (is_open(up)) {
            failed(h2, HF_MISHAP_UPSTREAM_RESET);
        }
        return; /* a short read hid the end */
    }
    up->wire.paused = !hf_h2_wants_read(h2->pipe.h2);
    hf_wire_want(&up->wire);
}

static void send_unsent(struct hf_up_h2 *h2)
{
    HF_LIST_FOREACH (&h2->exchanges, link) {
        struct hf_exchange *x = HF_CONTAINER_OF(link, struct hf_exchange, up_link);
        if (h2->settled && x->up_unsent) {
            head(x, x->request);
        }
    }
}

/* Requests that couldn't be sent. Whatever it was, the server never saw them. */
static void tell_refused(struct hf_up_h2 *h2)
{
    for (bool again = true; again;) {
        again = false;
        HF_LIST_FOREACH (&h2->exchanges, link) {
            struct hf_exchange *x = HF_CONTAINER_OF(link, struct hf_exchange, up_link);
            if (x->up_refused) {
                bool unsent = x->up_h2 == NULL;
                reset(x, HF_H2_INTERNAL_ERROR);
                forget(h2, x);
                hf_exchange_up_failed(
                    x, x->request->protocol.len ? HF_MISHAP_UPSTREAM_PROTOCOL : HF_MISHAP_INTERNAL,
                    unsent);
                again = true;
                break;
            }
        }
    }
}

static void turn(struct hf_wire *wire)
{
    struct hf_up *up = HF_CONTAINER_OF(wire, struct hf_up, wire);
    struct hf_up_h2 *h2 = of_up(up);
    if (wire->broken != HF_MOVE_IDLE) {
        failed(h2, HF_MISHAP_UPSTREAM_RESET);
        return;
    }
    send_unsent(h2);
    tell_refused(h2);
    if (!is_open(up)) {
        return;
    }
    if (hf_h2_wants_read(h2->pipe.h2) && hf_leg_has_held(&up->leg) && !pump(h2)) {
        return;
    }
    bool over = hf_h2_is_over(h2->pipe.h2);
    if (over) {
        failed(h2, HF_MISHAP_UPSTREAM_CLOSED);
    } else if (h2->n == 0 && !up->resting) {
        hf_pool_rest(up);
    }
}

static const struct hf_wire_ops wire_ops = {turn};

static size_t room(const struct hf_up *up)
{
    const struct hf_up_h2 *h2 = of_up(up);
    return is_open(up) && !h2->closing ? hf_h2_n_openable(h2->pipe.h2) : 0;
}

static enum hf_err take(struct hf_up *up, struct hf_exchange *x)
{
    struct hf_up_h2 *h2 = of_up(up);
    x->up = up;
    x->up_h2 = NULL;
    h2->n++;
    hf_list_push(&h2->exchanges, &x->up_link);
    return HF_OK;
}

static void done(struct hf_up *up)
{
    struct hf_up_h2 *h2 = of_up(up);
    fail_all(h2, HF_MISHAP_UPSTREAM_CLOSED);
    hf_h2_wire_close(&h2->pipe);
    hf_free(h2);
    up->h2 = NULL;
}

static const struct hf_up_kind kind = {
    .ops = {head, data, end, abort_request, resume},
    .is_h2 = true,
    .event = event,
    .room = room,
    .take = take,
    .done = done,
};

enum hf_err hf_up_h2_start(struct hf_up *up)
{
    struct hf_up_h2 *h2 = HF_NEW(struct hf_up_h2);
    if (!h2) {
        return HF_E_NOMEM;
    }
    h2->up = up;
    h2->config = (struct hf_h2_config){
        .limits = hf_h2_limits_default, .events = &events, .msgs = &up->hub->msgs};
    h2->config.limits.stream_window = WINDOW;
    hf_list_init(&h2->exchanges);
    enum hf_err err = hf_h2_new(&h2->pipe.h2, &h2->config, h2);
    if (err != HF_OK) {
        hf_free(h2);
        return err;
    }
    up->h2 = h2;
    up->kind = &kind;
    hf_wire_open(&up->wire, up->hub, &up->leg, &wire_ops);
    h2->pipe.wire = &up->wire;
    hf_h2_wire_dirty(&h2->pipe);
    return HF_OK;
}
