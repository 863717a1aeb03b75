// SPDX-License-Identifier: Apache-2.0
/*
 * A server that speaks HTTP/1.1: one exchange at a time. Kept for the next one only when both
 * messages were whole, nothing came behind the answer, and neither side wants to close.
 */
#include "base/mem.h"
#include "http/msg_h1.h"
#include "proxy/http/pool.h"
#include "proxy/http/up.h"
#include "proxy/snapshot.h"

/* Answers are as large as servers make them; this is what a client would put up with. */
static const struct hf_h1_limits limits = {
    .line_max = 16 << 10,
    .field_max = 64 << 10,
    .head_max = 128 << 10,
    .method_max = 32,
    .n_fields_max = HF_HUB_FIELDS,
    .trailers_max = 16 << 10,
    .extension_max = 256,
    .extensions_max = 16 << 10,
    .n_interim_max = 16,
};

static void failed(struct hf_up *up, enum hf_mishap why)
{
    struct hf_exchange *x = HF_TAKE(up->x);
    hf_up_close(up);
    if (x) {
        hf_exchange_up_failed(x, why, false);
    }
}

/* --- Reading answers ----------------------------------------------------------------------------
 */

static bool own_fields(struct hf_up *up)
{
    if (!up->fields) {
        up->fields = hf_alloc(limits.n_fields_max * sizeof(*up->fields));
    }
    return up->fields != NULL;
}

static void begin_answer(struct hf_up *up, struct hf_http_field *fields)
{
    const struct hf_http_msg *request = up->x->request;
    hf_h1_init(&up->h1, HF_H1_RESPONSES, &limits, fields, limits.n_fields_max);
    hf_h1_expect(&up->h1, request->method, request->protocol.len > 0);
}

/* The head is whole. False: the connection is of no more use. */
static bool on_head(struct hf_up *up, struct hf_bytes head)
{
    struct hf_exchange *x = up->x;
    struct hf_http_msg *msg = hf_http_msg_pool_get(&up->hub->msgs);
    bool good = msg && hf_http_msg_from_h1(msg, &up->h1, head, "http") == HF_OK &&
                hf_http_msg_check(msg) == HF_HTTP_FAULT_NONE;
    if (good && up->h1.head.framing == HF_H1_CHUNKED) {
        good = own_fields(up);
        hf_h1_set_fields(&up->h1, up->fields, limits.n_fields_max);
    }
    if (!good) {
        hf_http_msg_pool_put(&up->hub->msgs, msg);
        failed(up, HF_MISHAP_UPSTREAM_PROTOCOL);
        return false;
    }
    if (up->h1.head.interim) {
        size_t used;
        struct hf_bytes none;
        hf_exchange_interim(x, msg);
        if (hf_h1_body(&up->h1, hf_bytes_of(NULL, 0), &used, &none) != HF_H1_END) {
            hf_http_msg_pool_put(&up->hub->msgs, msg);
            failed(up, HF_MISHAP_UPSTREAM_PROTOCOL); /* an interim answer has no body */
            return false;
        }
        hf_h1_next(&up->h1);
    } else {
        up->answering = true;
        hf_exchange_answer(x, msg, up->h1.head.framing == HF_H1_NONE);
    }
    hf_http_msg_pool_put(&up->hub->msgs, msg);
    return true;
}

static bool take_head(struct hf_up *up, struct hf_bytes in, size_t *used)
{
    if (in.len == 0) {
        return false;
    }
    up->x->up_begun = true;
    enum hf_h1_step step = hf_h1_head(&up->h1, in);
    if (step == HF_H1_MORE && !up->fields && own_fields(up)) {
        uint16_t n_interim = up->h1.n_interim;
        begin_answer(up, up->fields);
        up->h1.n_interim = n_interim;
        step = hf_h1_head(&up->h1, in);
    }
    if (step == HF_H1_HEAD) {
        *used = up->h1.head.len;
        return on_head(up, hf_bytes_of(in.ptr, *used));
    }
    if (step == HF_H1_FAILED) {
        failed(up, HF_MISHAP_UPSTREAM_PROTOCOL);
    }
    return false;
}

/* The answer is whole; rest: bytes follow it that nobody asked for. */
static void on_end(struct hf_up *up, struct hf_bytes in, bool rest)
{
    struct hf_exchange *x = up->x;
    struct hf_http_msg *trailers = NULL;
    bool keep = up->h1.head.keep_alive && x->sent_end && !rest && !up->leg.ended;
    if (up->h1.head.framing == HF_H1_CHUNKED && up->h1.n_fields) {
        trailers = hf_http_msg_pool_get(&up->hub->msgs);
        if (!trailers || hf_http_msg_trailers_from_h1(trailers, &up->h1, in) != HF_OK) {
            hf_http_msg_pool_put(&up->hub->msgs, trailers);
            failed(up, HF_MISHAP_UPSTREAM_PROTOCOL);
            return;
        }
    }
    hf_exchange_answer_end(x, trailers);
    hf_http_msg_pool_put(&up->hub->msgs, trailers);
    if (up->x != x) {
        return;
    }
    up->x = NULL;
    hf_exchange_leave_up(x);
    if (keep) {
        hf_pool_rest(up);
    } else {
        hf_up_close(up);
    }
}

/* A server ends a tunnel: the client's half goes on until it ends as well. */
static void on_tunnel_end(struct hf_up *up)
{
    struct hf_exchange *x = up->x;
    if (x->answered) {
        return;
    }
    hf_exchange_answer_end(x, NULL);
    if (up->x == x && x->asked) {
        up->x = NULL;
        hf_up_close(up);
        hf_exchange_leave_up(x);
    }
}

static bool take_body(struct hf_up *up, struct hf_bytes in, size_t *used)
{
    struct hf_bytes data;
    switch (hf_h1_body(&up->h1, in, used, &data)) {
    case HF_H1_DATA:
        up->stalled = !hf_exchange_answer_data(up->x, data);
        return true;
    case HF_H1_END:
        on_end(up, in, *used < in.len);
        return false;
    case HF_H1_FAILED:
        failed(up, HF_MISHAP_UPSTREAM_PROTOCOL);
        return false;
    default:
        return false;
    }
}

static size_t consume(struct hf_up *up, struct hf_bytes in)
{
    size_t done = 0;
    bool more = true;
    while (more && up->x && !up->stalled) {
        size_t used = 0;
        struct hf_bytes rest = hf_bytes_from(in, done);
        more = up->answering ? take_body(up, rest, &used) : take_head(up, rest, &used);
        done += used;
    }
    return done;
}

static bool is_open(const struct hf_up *up)
{
    return up->fsm.state == HF_UP_READY;
}

static void consume_kept(struct hf_up *up)
{
    size_t done = consume(up, hf_buf_bytes(&up->in));
    if (is_open(up)) {
        hf_buf_consume(&up->in, done);
        if (hf_buf_len(&up->in) == 0) {
            hf_buf_release(&up->in);
        }
    }
}

static bool on_plain(void *ctx, struct hf_bytes plain)
{
    struct hf_up *up = ctx;
    if (!up->x) { /* nobody asked */
        hf_up_close(up);
        return false;
    }
    size_t used = 0;
    bool kept = hf_buf_len(&up->in) > 0;
    if (!kept) {
        used = consume(up, plain);
    }
    if (!is_open(up)) {
        return false;
    }
    if (hf_buf_append(&up->in, hf_bytes_from(plain, used)) != HF_OK) {
        failed(up, HF_MISHAP_INTERNAL);
        return false;
    }
    if (kept) {
        consume_kept(up);
    }
    return is_open(up) && !up->stalled;
}

/* The server has said its last byte, in order. */
static void on_last(struct hf_up *up)
{
    struct hf_exchange *x = up->x;
    if (!x) {
        hf_up_close(up);
    } else if (up->stalled) {
        return; /* what was kept comes first */
    } else if (hf_exchange_phase(x) == HF_X_TUNNEL) {
        on_tunnel_end(up);
    } else if (up->answering && hf_h1_eof(&up->h1) == HF_H1_END) {
        on_end(up, hf_bytes_of(NULL, 0), false);
    } else {
        failed(up, up->answering || x->up_begun ? HF_MISHAP_UPSTREAM_TRUNCATED
                                                : HF_MISHAP_UPSTREAM_CLOSED);
    }
}

static void lost_by(struct hf_up *up, enum hf_move move)
{
    const struct hf_exchange *x = up->x;
    bool begun = x && x->up_begun;
    if (move == HF_MOVE_TRUNCATED && !begun) {
        failed(up, HF_MISHAP_UPSTREAM_CLOSED);
    } else {
        failed(up, move == HF_MOVE_TRUNCATED ? HF_MISHAP_UPSTREAM_TRUNCATED
                   : move == HF_MOVE_NOMEM   ? HF_MISHAP_INTERNAL
                                             : HF_MISHAP_UPSTREAM_RESET);
    }
}

static bool pump(struct hf_up *up)
{
    enum hf_move move = hf_leg_read(&up->leg, &up->hub->worker->scratch, on_plain, up);
    if (!is_open(up)) {
        return false;
    }
    if (move == HF_MOVE_ENDED) {
        on_last(up);
    } else if (move != HF_MOVE_IDLE && move != HF_MOVE_BLOCKED) {
        lost_by(up, move);
    }
    return is_open(up);
}

static bool flush(struct hf_up *up)
{
    if (!hf_buf_len(&up->leg.held_out)) {
        return true;
    }
    if (hf_leg_flush(&up->leg) == HF_MOVE_LOST) {
        up->wire.broken = HF_MOVE_LOST;
        hf_wire_kick(&up->wire);
        return true; /* an answer may wait to be read */
    }
    if (!hf_buf_len(&up->leg.held_out) && up->x && up->x->up_full) {
        hf_exchange_up_drained(up->x);
    }
    return is_open(up);
}

static void event(struct hf_up *up, unsigned events)
{
    if (!flush(up)) {
        return;
    }
    bool readable = (events & (HF_LOOP_READ | HF_LOOP_HANGUP)) || up->leg.choked;
    if (readable && !up->stalled && !pump(up)) {
        return;
    }
    if ((events & HF_LOOP_HANGUP) && !up->stalled && !pump(up)) {
        return; /* a short read hid the end; whatever is left makes the next event */
    }
    if ((events & HF_LOOP_HANGUP) && up->leg.ended && !up->stalled) {
        failed(up, HF_MISHAP_UPSTREAM_RESET); /* it had ended, and can't hear us either */
        return;
    }
    if ((events & HF_LOOP_HANGUP) && up->stalled) { /* the client takes the rest at its own pace */
        hf_watch_remove(up->hub->worker->loop, &up->leg.watch);
        return;
    }
    if (flush(up)) {
        up->wire.paused = up->stalled;
        hf_wire_want(&up->wire);
    }
}

static void turn(struct hf_wire *wire)
{
    struct hf_up *up = HF_CONTAINER_OF(wire, struct hf_up, wire);
    if (hf_buf_len(&up->in)) {
        consume_kept(up);
    }
    if (!is_open(up)) {
        return;
    }
    bool broken = wire->broken != HF_MOVE_IDLE;
    bool hung_up = !up->leg.watch.active;
    if (!up->stalled && (hf_leg_has_held(&up->leg) || broken || hung_up) && !pump(up)) {
        return; /* a server that turns an upload down answers before it resets: that is read */
    }
    if (!up->stalled && up->leg.ended && up->x && !hf_buf_len(&up->in)) {
        on_last(up);
    } else if ((broken || hung_up) && !up->stalled) {
        failed(up, HF_MISHAP_UPSTREAM_RESET);
    }
    if (is_open(up)) {
        wire->paused = up->stalled;
        hf_wire_want(wire);
    }
}

static const struct hf_wire_ops wire_ops = {turn};

/* --- Writing requests ---------------------------------------------------------------------------
 */

static void check(struct hf_up *up, enum hf_err err)
{
    if (err != HF_OK) {
        hf_log_say(up->hub->worker->log, HF_LOG_ERROR, "http", "a request can't be written: %s",
                   hf_err_text());
        up->wire.broken = HF_MOVE_NOMEM;
        hf_wire_kick(&up->wire);
    }
}

static void head(struct hf_exchange *x, const struct hf_http_msg *msg)
{
    struct hf_up *up = x->up;
    struct hf_h1_plan plan = hf_http_msg_plan(msg, msg->method, false);
    struct hf_buf *out = hf_wire_out(&up->wire, hf_buf_len(&msg->text) + 4096);
    begin_answer(up, up->hub->fields);
    check(up, hf_http_msg_to_h1(msg, &up->writer, out, &plan, HF_H1_CASE_LOWER));
    hf_wire_wrote(&up->wire);
}

static bool data(struct hf_exchange *x, struct hf_bytes bytes)
{
    struct hf_up *up = x->up;
    struct hf_wire *wire = &up->wire;
    if (hf_exchange_phase(x) == HF_X_TUNNEL) {
        hf_wire_pass(wire, bytes);
        return !hf_wire_full(wire);
    }
    struct hf_buf *out = hf_wire_out(wire, bytes.len + HF_H1_CHUNK_OVERHEAD);
    if (up->writer.framing == HF_H1_LENGTH) {
        check(up, hf_h1_write_data_open(&up->writer, out, bytes.len));
        hf_wire_pass(wire, bytes);
        check(up, hf_h1_write_data_close(&up->writer, out));
    } else {
        check(up, hf_h1_write_data(&up->writer, out, bytes));
        hf_wire_wrote(wire);
    }
    return !hf_wire_full(wire);
}

static void end(struct hf_exchange *x, const struct hf_http_msg *trailers)
{
    struct hf_up *up = x->up;
    if (hf_exchange_phase(x) == HF_X_TUNNEL) {
        if (up->hub->corked == &up->wire) {
            hf_wire_pull(up->hub);
        }
        (void)hf_leg_finish(&up->leg);
        if (x->answered) {
            up->x = NULL;
            hf_up_close(up);
            hf_exchange_leave_up(x);
        }
        return;
    }
    if (x->request->protocol.len) {
        return; /* an upgrade has no body, and a tunnel no end yet */
    }
    struct hf_buf *out = hf_wire_out(&up->wire, 16384);
    bool with = trailers && up->writer.framing == HF_H1_CHUNKED;
    check(up, with ? hf_http_msg_trailers_to_h1(trailers, &up->writer, out)
                   : hf_h1_write_end(&up->writer, out));
    hf_wire_wrote(&up->wire);
}

static void abort_request(struct hf_exchange *x)
{
    struct hf_up *up = x->up;
    up->x = NULL;
    if (hf_leg_open(&up->leg)) {
        hf_sock_reset(up->leg.watch.fd); /* a part of a request must not look like the whole */
    }
    hf_up_close(up);
    hf_exchange_leave_up(x);
}

static void resume(struct hf_exchange *x)
{
    x->up->stalled = false;
    hf_wire_kick(&x->up->wire);
}

/* --- The connection -----------------------------------------------------------------------------
 */

static size_t room(const struct hf_up *up)
{
    return up->x || !is_open(up) ? 0 : 1;
}

static enum hf_err take(struct hf_up *up, struct hf_exchange *x)
{
    up->x = x;
    up->answering = up->stalled = false;
    x->up = up;
    return HF_OK;
}

static void done(struct hf_up *up)
{
    (void)up;
}

static const struct hf_up_kind kind = {
    .ops = {head, data, end, abort_request, resume},
    .event = event,
    .room = room,
    .take = take,
    .done = done,
};

void hf_up_h1_start(struct hf_up *up)
{
    up->kind = &kind;
    hf_wire_open(&up->wire, up->hub, &up->leg, &wire_ops);
}
