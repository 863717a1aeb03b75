// SPDX-License-Identifier: Apache-2.0
/*
 * A client that speaks HTTP/2: an exchange a stream. What a stream's client sends before somebody
 * takes it is held, at most its window; what the client doesn't take waits in the stream, and
 * beyond that one piece in the exchange.
 */
#include <string.h>

#include "base/mem.h"
#include "proxy/http/down_impl.h"
#include "proxy/http/h2_wire.h"
#include "proxy/session_impl.h"

enum {
    HELD_MAX = 1 << 20,   /* beyond any stream window */
    REST_MAX = 256 << 10, /* of one piece that a stream had no room for */
};

struct hf_down_h2 {
    struct hf_down down;
    struct hf_h2_wire pipe;
    struct hf_h2_config config;
    bool closing;
};

static struct hf_down_h2 *of_down(struct hf_down *down)
{
    return HF_CONTAINER_OF(down, struct hf_down_h2, down);
}

static struct hf_down_h2 *of_x(struct hf_exchange *x)
{
    return of_down(x->down);
}

/* --- Letting go ---------------------------------------------------------------------------------
 */

static void let_go(struct hf_exchange *x)
{
    if (x->down_h2) {
        hf_h2_stream_set_user(x->down_h2, NULL);
        x->down_h2 = NULL;
    }
    hf_exchange_leave_down(x);
}

static void reset(struct hf_exchange *x, enum hf_h2_code code)
{
    struct hf_down_h2 *h2 = of_x(x);
    if (x->down_h2) {
        hf_h2_reset(HF_TAKE(x->down_h2), code);
    }
    hf_h2_wire_dirty(&h2->pipe);
}

static void lost(struct hf_down_h2 *h2, enum hf_cause cause)
{
    hf_session_finish(h2->down.session, cause, cause == HF_CAUSE_CLIENT_TLS);
}

static void lost_by(struct hf_down_h2 *h2, enum hf_move move)
{
    bool idle = hf_list_empty(&h2->down.exchanges);
    switch (move) {
    case HF_MOVE_TLS:
        lost(h2, HF_CAUSE_CLIENT_TLS);
        return;
    case HF_MOVE_TRUNCATED:
        lost(h2, idle ? HF_CAUSE_FINISHED : HF_CAUSE_CLIENT_TRUNCATED);
        return;
    case HF_MOVE_NOMEM:
        lost(h2, HF_CAUSE_INTERNAL);
        return;
    default:
        lost(h2, HF_CAUSE_CLIENT_RESET);
    }
}

static void close_in_order(struct hf_down_h2 *h2)
{
    hf_wire_pull(h2->down.hub);
    hf_down_end(&h2->down);
}

/* --- Requests -----------------------------------------------------------------------------------
 */

static void retire(struct hf_down *down);

static struct hf_exchange *begin(struct hf_down_h2 *h2, struct hf_h2_stream *stream)
{
    struct hf_exchange *x = hf_exchange_new(&h2->down, (int32_t)hf_h2_stream_id(stream));
    if (!x) {
        hf_h2_reset(stream, HF_H2_INTERNAL_ERROR);
        return NULL;
    }
    unsigned most = h2->down.session->door->cfg->http.keep_alive_requests;
    x->down_h2 = stream;
    x->held = HF_BUF_INIT(HELD_MAX);
    x->down_rest = HF_BUF_INIT(REST_MAX);
    hf_h2_stream_set_user(stream, x);
    if (++h2->down.n_requests == most || h2->down.retiring) {
        retire(&h2->down);
    }
    return x;
}

static void on_head(void *ctx, struct hf_h2_stream *stream, struct hf_http_msg *msg, bool end)
{
    struct hf_down_h2 *h2 = ctx;
    struct hf_exchange *x = begin(h2, stream);
    if (!x) {
        hf_http_msg_pool_put(&h2->down.hub->msgs, msg);
        return;
    }
    x->request = msg;
    x->asked = end;
    hf_exchange_request(x);
    if (x->down && !x->asked && msg->protocol.len) {
        hf_exchange_body_end(x, NULL); /* what follows belongs to the other protocol */
    }
}

static void on_bad_head(void *ctx, struct hf_h2_stream *stream, enum hf_http_fault fault)
{
    struct hf_exchange *x = begin(ctx, stream);
    if (x) {
        x->asked = true;
        hf_exchange_bad(x, fault);
    }
}

/* May the client's bytes go on now? Before an upgrade is granted they may not. */
static bool takes(const struct hf_exchange *x)
{
    return !x->asked && hf_exchange_takes_body(x);
}

static void pass(struct hf_exchange *x, struct hf_bytes data)
{
    bool more = hf_exchange_body(x, data);
    if (!x->down || !x->down_h2) {
        return;
    }
    if (more) {
        hf_h2_consume(x->down_h2, data.len + x->unconsumed);
        x->unconsumed = 0;
    } else {
        x->unconsumed += data.len;
    }
}

static void on_data(void *ctx, struct hf_h2_stream *stream, struct hf_bytes data)
{
    struct hf_exchange *x = hf_h2_stream_user(stream);
    (void)ctx;
    if (!x) {
        hf_h2_consume(stream, data.len);
    } else if (hf_buf_len(&x->held) == 0 && takes(x)) {
        pass(x, data);
    } else if (hf_buf_append(&x->held, data) != HF_OK) {
        reset(x, HF_H2_INTERNAL_ERROR);
        hf_exchange_client_gone(x, HF_MISHAP_INTERNAL);
    }
}

static void body_end(struct hf_exchange *x, struct hf_http_msg *trailers)
{
    hf_exchange_body_end(x, trailers);
    if (x->down && x->answered && x->asked && !x->down_end) {
        let_go(x);
    }
}

static void on_end(void *ctx, struct hf_h2_stream *stream, struct hf_http_msg *trailers)
{
    struct hf_down_h2 *h2 = ctx;
    struct hf_exchange *x = hf_h2_stream_user(stream);
    if (!x) {
        hf_http_msg_pool_put(&h2->down.hub->msgs, trailers);
    } else if (hf_buf_len(&x->held) || (x->asked && hf_exchange_phase(x) != HF_X_TUNNEL)) {
        x->held_end = true; /* after what is held, or once an upgrade is granted */
        x->held_trailers = trailers;
    } else {
        body_end(x, trailers);
    }
}

/* The answer has been given, and the client neither ends its request nor gives up: many stop by
 * themselves once they have read the answer, and take a reset that comes before for a failure. It
 * is told to stop, but not before the answer has left (RFC 9113 8.1). */
static void stop_upload(struct hf_down_h2 *h2, struct hf_exchange *x)
{
    hf_h2_wire_flush(&h2->pipe);
    if (x->down_h2 && hf_h2_stream_is_sent(x->down_h2)) {
        reset(x, HF_H2_NO_ERROR);
        let_go(x);
    }
}

/* Gives on what was held, as far as it is taken. */
static void release_held(struct hf_exchange *x)
{
    while (x->down && hf_buf_len(&x->held) && takes(x)) {
        struct hf_bytes held = hf_buf_bytes(&x->held);
        pass(x, held);
        if (!x->down) {
            return;
        }
        hf_buf_consume(&x->held, held.len);
    }
    if (x->down && hf_buf_len(&x->held) == 0) {
        hf_buf_release(&x->held);
        if (x->unconsumed && takes(x) && x->down_h2) {
            hf_h2_consume(x->down_h2, x->unconsumed);
            x->unconsumed = 0;
        }
        if (x->held_end && !x->asked) {
            x->held_end = false;
            body_end(x, HF_TAKE(x->held_trailers));
        }
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
    if (hf_buf_len(&x->down_rest)) {
        if (hf_h2_write(stream, hf_buf_bytes(&x->down_rest), &taken) != HF_OK) {
            return; /* on_close follows */
        }
        hf_buf_consume(&x->down_rest, taken);
        if (hf_buf_len(&x->down_rest)) {
            return;
        }
        hf_buf_release(&x->down_rest);
    }
    if (x->down_end) {
        x->down_end = false;
        (void)!hf_h2_finish(stream, HF_TAKE(x->down_trailers));
        if (x->asked) {
            let_go(x);
        }
    } else {
        hf_exchange_down_drained(x);
    }
}

static void on_close(void *ctx, struct hf_h2_stream *stream, const struct hf_h2_close *why)
{
    struct hf_down_h2 *h2 = ctx;
    struct hf_exchange *x = hf_h2_stream_user(stream);
    if (!x || x->down != &h2->down) {
        return;
    }
    x->down_h2 = NULL;
    if (why->fault) {
        x->fault = why->fault;
    }
    hf_exchange_client_gone(x, why->fault ? HF_MISHAP_BAD_REQUEST : HF_MISHAP_CLIENT_RESET);
}

static void on_malformed(void *ctx, uint32_t stream_id, enum hf_http_fault fault)
{
    const struct hf_down_h2 *h2 = ctx;
    hf_session_log_http2(h2->down.session, stream_id, hf_http_fault_code(fault),
                         hf_http_fault_text(fault));
}

static const struct hf_h2_events events = {
    .on_head = on_head,
    .on_bad_head = on_bad_head,
    .on_data = on_data,
    .on_end = on_end,
    .on_room = on_room,
    .on_close = on_close,
    .on_malformed = on_malformed,
};

/* --- Reading ------------------------------------------------------------------------------------
 */

/* Once: nothing is fed to it any more. */
static void tell_fault(const struct hf_down_h2 *h2)
{
    struct hf_h2_fault fault = hf_h2_fault(h2->pipe.h2);
    if (!h2->closing) {
        hf_session_log_http2(h2->down.session, 0, hf_h2_code_text(fault.code), fault.text);
    }
}

static bool on_plain(void *ctx, struct hf_bytes plain)
{
    struct hf_down_h2 *h2 = ctx;
    hf_down_count_in(&h2->down, plain.len);
    if (hf_h2_feed(h2->pipe.h2, plain, hf_loop_now_ms(h2->down.hub->worker->loop)) != HF_OK) {
        tell_fault(h2);
        h2->closing = true;
    }
    hf_h2_wire_dirty(&h2->pipe);
    return !h2->closing && hf_h2_wants_read(h2->pipe.h2);
}

/* False: the session has ended. */
static bool pump(struct hf_down_h2 *h2)
{
    struct hf_leg *leg = h2->down.wire.leg;
    enum hf_move move = hf_leg_read(leg, &h2->down.hub->worker->scratch, on_plain, h2);
    if (h2->down.gone) {
        return false;
    }
    if (move == HF_MOVE_ENDED) {
        h2->closing = true;
        hf_wire_kick(&h2->down.wire);
    } else if (move != HF_MOVE_IDLE && move != HF_MOVE_BLOCKED) {
        lost_by(h2, move);
    }
    return !h2->down.gone;
}

static bool flush(struct hf_down_h2 *h2)
{
    struct hf_leg *leg = h2->down.wire.leg;
    if (hf_buf_len(&leg->held_out)) {
        if (hf_leg_flush(leg) == HF_MOVE_LOST) {
            lost(h2, HF_CAUSE_CLIENT_RESET);
            return false;
        }
        hf_h2_wire_dirty(&h2->pipe);
    }
    return true;
}

static void want(struct hf_down_h2 *h2)
{
    h2->down.wire.paused = h2->closing || !hf_h2_wants_read(h2->pipe.h2);
    hf_wire_want(&h2->down.wire);
}

static void event(struct hf_down *down, unsigned events_now)
{
    struct hf_down_h2 *h2 = of_down(down);
    if (!flush(h2)) {
        return;
    }
    bool readable = (events_now & (HF_LOOP_READ | HF_LOOP_HANGUP)) || down->wire.leg->choked;
    if (readable && !h2->closing && hf_h2_wants_read(h2->pipe.h2) && !pump(h2)) {
        return;
    }
    if (events_now & HF_LOOP_HANGUP) {
        lost_by(h2, hf_list_empty(&down->exchanges) ? HF_MOVE_TRUNCATED : HF_MOVE_LOST);
        return;
    }
    want(h2);
}

static void turn(struct hf_wire *wire)
{
    struct hf_down_h2 *h2 = of_down(HF_CONTAINER_OF(wire, struct hf_down, wire));
    if (wire->broken != HF_MOVE_IDLE) {
        lost_by(h2, wire->broken);
        return;
    }
    HF_LIST_FOREACH (&h2->down.exchanges, link) {
        struct hf_exchange *x = HF_CONTAINER_OF(link, struct hf_exchange, link);
        if (x->resumed) {
            x->resumed = false;
            hf_h2_wire_dirty(&h2->pipe); /* what is given on earns the client credit */
            release_held(x);
            if (x->down && x->stop_upload) {
                stop_upload(h2, x);
            }
        }
    }
    if (!h2->closing && hf_h2_wants_read(h2->pipe.h2) && hf_leg_has_held(wire->leg) && !pump(h2)) {
        return;
    }
    if (h2->closing || hf_h2_is_over(h2->pipe.h2)) {
        hf_h2_wire_flush(&h2->pipe); /* a GOAWAY, perhaps */
        if (!hf_wire_full(wire) || h2->closing) {
            close_in_order(h2);
            return;
        }
    }
    want(h2);
}

static const struct hf_wire_ops wire_ops = {turn};

/* --- Answers ------------------------------------------------------------------------------------
 */

/* What can't be written any more is told by on_close. */
static bool wrote(struct hf_exchange *x, enum hf_err err)
{
    hf_h2_wire_dirty(&of_x(x)->pipe);
    if (err != HF_OK && err != HF_E_CLOSED && x->down_h2) {
        hf_log_say(x->hub->worker->log, HF_LOG_ERROR, "http", "an answer can't be written: %s",
                   hf_err_text());
        hf_h2_stream_set_user(x->down_h2, NULL);
        reset(x, HF_H2_INTERNAL_ERROR);
        x->resumed = true;
    }
    return err == HF_OK;
}

static void interim(struct hf_exchange *x, const struct hf_http_msg *msg)
{
    if (x->down_h2) {
        (void)wrote(x, hf_h2_respond(x->down_h2, msg, false));
    }
}

static void head(struct hf_exchange *x, const struct hf_http_msg *msg, bool last)
{
    x->down_last = last;
    if (x->down_h2) {
        (void)wrote(x, hf_h2_respond(x->down_h2, msg, last));
    }
    if (msg->status == 101) {
        x->resumed = true; /* what the client sent ahead may go on */
        hf_wire_kick(&of_x(x)->down.wire);
    }
}

static bool data(struct hf_exchange *x, struct hf_bytes bytes)
{
    size_t taken = 0;
    hf_down_count_out(x->down, bytes.len);
    if (!x->down_h2 || x->down_last || bytes.len == 0) {
        return true;
    }
    if (hf_buf_len(&x->down_rest) == 0 && !wrote(x, hf_h2_write(x->down_h2, bytes, &taken))) {
        return true;
    }
    if (taken == bytes.len) {
        return true;
    }
    (void)wrote(x, hf_buf_append(&x->down_rest, hf_bytes_from(bytes, taken)));
    return false;
}

static void end(struct hf_exchange *x, const struct hf_http_msg *trailers)
{
    if (x->down_h2 && !x->down_last) {
        struct hf_http_msg *copy = trailers ? hf_h2_wire_copy(x->hub, trailers) : NULL;
        if (hf_buf_len(&x->down_rest)) {
            x->down_end = true;
            x->down_trailers = copy;
            return; /* on_room goes on */
        }
        (void)wrote(x, hf_h2_finish(x->down_h2, copy));
    }
    if (x->asked || !x->down_h2) {
        let_go(x);
    } else if (hf_exchange_phase(x) != HF_X_TUNNEL) {
        x->resumed = true; /* the rest of the body is thrown away */
        hf_wire_kick(&of_x(x)->down.wire);
    }
}

static void abort_answer(struct hf_exchange *x)
{
    reset(x, HF_H2_INTERNAL_ERROR);
    let_go(x);
}

static void resume(struct hf_exchange *x)
{
    x->resumed = true;
    hf_wire_kick(&of_x(x)->down.wire);
}

/* --- The connection -----------------------------------------------------------------------------
 */

static void retire(struct hf_down *down)
{
    down->retiring = true;
    if (hf_h2_shutdown(of_down(down)->pipe.h2) != HF_OK) {
        of_down(down)->closing = true;
        hf_wire_kick(&down->wire);
    }
    hf_h2_wire_dirty(&of_down(down)->pipe);
}

/* What doesn't fit any more is not said. */
static void leave(struct hf_down *down)
{
    struct hf_down_h2 *h2 = of_down(down);
    if (hf_h2_terminate(h2->pipe.h2, HF_H2_NO_ERROR) == HF_OK) {
        hf_h2_wire_flush(&h2->pipe);
    }
    hf_wire_pull(down->hub);
}

static void quiet(struct hf_down *down)
{
    if (hf_list_empty(&down->exchanges)) {
        hf_h2_quiet(of_down(down)->pipe.h2);
    }
}

static void done(struct hf_down *down)
{
    hf_h2_wire_close(&of_down(down)->pipe);
}

static const struct hf_down_kind kind = {
    .ops = {interim, head, data, end, abort_answer, resume},
    .event = event,
    .retire = retire,
    .leave = leave,
    .quiet = quiet,
    .done = done,
};

static void configure(struct hf_h2_config *config, const struct hf_cfg_http *cfg,
                      struct hf_hub *hub)
{
    *config = (struct hf_h2_config){
        .server = true,
        .connect_protocol = true,
        .limits = hf_h2_limits_default,
        .events = &events,
        .msgs = &hub->msgs,
    };
    const struct hf_cfg_h2 *h2 = &cfg->h2;
    config->limits.n_streams_max = h2->max_streams;
    config->limits.stream_window = (uint32_t)h2->stream_window;
    config->limits.connection_window = (uint32_t)h2->connection_window;
    config->limits.table_max = (uint32_t)h2->header_table;
    config->limits.n_continuations_max = (uint16_t)h2->max_continuations;
    config->limits.interval_ms = (uint32_t)h2->interval_ms;
    config->limits.n_resets_max = h2->max_resets;
    config->limits.n_errors_max = h2->max_errors;
    config->limits.n_settings_max = h2->max_settings;
    config->limits.n_pings_max = h2->max_pings;
    config->limits.n_priorities_max = h2->max_priorities;
    config->limits.n_window_updates_max = h2->max_window_updates;
    config->limits.n_empty_max = h2->max_empty_frames;
    config->limits.head_max = (uint32_t)cfg->max_header_size;
    config->limits.n_fields_max = (uint16_t)cfg->max_headers;
}

enum hf_err hf_down_h2_new(struct hf_session *session, struct hf_hub *hub, struct hf_down **out)
{
    struct hf_down_h2 *h2 = HF_NEW(struct hf_down_h2);
    if (!h2) {
        return HF_E_NOMEM;
    }
    configure(&h2->config, &session->door->cfg->http, hub);
    enum hf_err err = hf_h2_new(&h2->pipe.h2, &h2->config, h2);
    if (err != HF_OK) {
        hf_free(h2);
        return err;
    }
    hf_down_init(&h2->down, &kind, session, hub, &wire_ops);
    h2->pipe.wire = &h2->down.wire;
    hf_h2_wire_dirty(&h2->pipe);
    *out = &h2->down;
    return HF_OK;
}
