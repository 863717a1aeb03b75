// SPDX-License-Identifier: Apache-2.0
/*
 * A client that speaks HTTP/1.1. One exchange at a time; what is sent ahead of an answer (pipelined
 * requests, a body that nobody takes yet) waits in `in`, at most one read of the socket, and the
 * socket isn't read meanwhile. Between requests nothing is held.
 *
 * Ops are called from within callbacks of upstreams, so they only write; going on with the next
 * request, and closing, is done in a turn of its own.
 */
#include "base/mem.h"
#include "http/msg_h1.h"
#include "proxy/http/down_impl.h"
#include "proxy/session_impl.h"

enum {
    IN_MAX = 256 << 10,  /* a head that grows, or one read of the socket */
    DRAIN_MAX = 64 << 10 /* of a body nobody wants is read for the connection's sake */
};

struct hf_down_h1 {
    struct hf_down down;
    struct hf_exchange *x; /* NULL: between requests */
    struct hf_buf in;      /* not yet looked at, or part of a head */
    bool stalled;          /* nothing can be done with more input now */
    bool closing;          /* the last answer has been given: nothing is read any more */
    bool deaf;             /* the input makes no sense any more: it is thrown away */
    bool aborted;          /* the last answer was broken off */
};

static struct hf_down_h1 *of_down(struct hf_down *down)
{
    return HF_CONTAINER_OF(down, struct hf_down_h1, down);
}

static struct hf_down_h1 *of_x(struct hf_exchange *x)
{
    return of_down(x->down);
}

/* --- Letting go ---------------------------------------------------------------------------------
 */

static void let_go(struct hf_down_h1 *h1)
{
    hf_exchange_leave_down(HF_TAKE(h1->x));
}

/* The client's socket is of no more use. */
static void lost(struct hf_down_h1 *h1, enum hf_cause cause)
{
    struct hf_exchange *x = HF_TAKE(h1->x);
    if (x) {
        hf_exchange_client_gone(x, cause == HF_CAUSE_CLIENT_RESET ? HF_MISHAP_CLIENT_RESET
                                                                  : HF_MISHAP_CLIENT_CLOSED);
    }
    hf_session_finish(h1->down.session, cause, cause == HF_CAUSE_CLIENT_TLS);
}

static void lost_by(struct hf_down_h1 *h1, enum hf_move move)
{
    switch (move) {
    case HF_MOVE_TLS:
        lost(h1, HF_CAUSE_CLIENT_TLS);
        return;
    case HF_MOVE_TRUNCATED: /* between requests there is nothing to cut short */
        lost(h1, h1->x ? HF_CAUSE_CLIENT_TRUNCATED : HF_CAUSE_FINISHED);
        return;
    case HF_MOVE_NOMEM:
        lost(h1, HF_CAUSE_INTERNAL);
        return;
    default:
        lost(h1, HF_CAUSE_CLIENT_RESET);
    }
}

/* The last answer has gone: close_notify, FIN, and a moment for the client to read it all. */
static void close_in_order(struct hf_down_h1 *h1)
{
    struct hf_session *session = h1->down.session;
    if (h1->down.hub->corked == &h1->down.wire) {
        hf_wire_pull(h1->down.hub);
    }
    if (h1->aborted) {
        hf_session_finish_with_alert(session, HF_CAUSE_UPSTREAM_TRUNCATED, HF_ALERT_INTERNAL_ERROR);
        return;
    }
    hf_down_end(&h1->down);
}

static void close_soon(struct hf_down_h1 *h1)
{
    h1->closing = h1->stalled = true;
    hf_wire_kick(&h1->down.wire);
}

/* --- Reading ------------------------------------------------------------------------------------
 */

static void arm_fields(struct hf_exchange *x, struct hf_http_field *fields)
{
    size_t n = x->door->http->h1.n_fields_max;
    hf_h1_init(&x->h1, HF_H1_REQUESTS, &x->door->http->h1, fields, n);
}

/* A head that comes in pieces has an array of its own: the worker's is for those that come whole.
 */
static bool own_fields(struct hf_exchange *x)
{
    if (!x->fields) {
        x->fields = hf_alloc(x->door->http->h1.n_fields_max * sizeof(*x->fields));
    }
    return x->fields != NULL;
}

static bool begin(struct hf_down_h1 *h1)
{
    h1->x = hf_exchange_new(&h1->down, 0);
    if (!h1->x) {
        close_soon(h1);
        return false;
    }
    h1->down.n_requests++;
    arm_fields(h1->x, h1->down.hub->fields);
    return true;
}

static bool bad(struct hf_down_h1 *h1, enum hf_http_fault fault)
{
    h1->deaf = true;
    hf_exchange_bad(h1->x, fault);
    return true;
}

static enum hf_http_fault fault_of(enum hf_err err)
{
    return err == HF_E_TOO_LARGE ? HF_HTTP_FAULT_HEAD_TOO_LARGE : HF_HTTP_FAULT_FIELD_NAME;
}

static bool on_head(struct hf_down_h1 *h1, struct hf_bytes in, size_t *used)
{
    struct hf_exchange *x = h1->x;
    *used = x->h1.head.len;
    x->request = hf_http_msg_pool_get(&h1->down.hub->msgs);
    if (!x->request) {
        hf_exchange_refuse(x, HF_MISHAP_INTERNAL);
        return true;
    }
    enum hf_err err = hf_http_msg_from_h1(x->request, &x->h1, hf_bytes_of(in.ptr, *used),
                                          h1->down.session->client.tls ? "https" : "http");
    if (err != HF_OK) {
        return err == HF_E_NOMEM ? (hf_exchange_refuse(x, HF_MISHAP_INTERNAL), true)
                                 : bad(h1, fault_of(err));
    }
    if (x->h1.head.framing == HF_H1_CHUNKED) {
        if (!own_fields(x)) {
            hf_exchange_refuse(x, HF_MISHAP_INTERNAL);
            return true;
        }
        hf_h1_set_fields(&x->h1, x->fields, x->door->http->h1.n_fields_max);
    }
    hf_exchange_request(x);
    return true;
}

static bool take_head(struct hf_down_h1 *h1, struct hf_bytes in, size_t *used)
{
    if (in.len == 0 || (!h1->x && !begin(h1))) {
        return false;
    }
    enum hf_h1_step step = hf_h1_head(&h1->x->h1, in);
    if (step == HF_H1_MORE && !h1->x->fields) {
        if (!own_fields(h1->x)) {
            return bad(h1, HF_HTTP_FAULT_HEAD_TOO_LARGE);
        }
        arm_fields(h1->x, h1->x->fields);
        step = hf_h1_head(&h1->x->h1, in);
    }
    switch (step) {
    case HF_H1_HEAD:
        return on_head(h1, in, used);
    case HF_H1_FAILED:
        return bad(h1, h1->x->h1.fault);
    default:
        hf_exchange_head_begun(h1->x);
        return false;
    }
}

static bool on_body_end(struct hf_down_h1 *h1, struct hf_bytes in)
{
    struct hf_exchange *x = h1->x;
    struct hf_http_msg *trailers = NULL;
    if (x->h1.head.framing == HF_H1_CHUNKED && x->h1.n_fields) {
        trailers = hf_http_msg_pool_get(&h1->down.hub->msgs);
        if (!trailers || hf_http_msg_trailers_from_h1(trailers, &x->h1, in) != HF_OK) {
            hf_http_msg_pool_put(&h1->down.hub->msgs, trailers);
            return bad(h1, HF_HTTP_FAULT_TRAILERS_TOO_LARGE);
        }
    }
    hf_exchange_body_end(x, trailers);
    if (h1->x == x && x->answered) {
        let_go(h1); /* the answer came before the request's end */
    }
    return true;
}

static bool take_body(struct hf_down_h1 *h1, struct hf_bytes in, size_t *used)
{
    struct hf_exchange *x = h1->x;
    struct hf_bytes data;
    switch (hf_h1_body(&x->h1, in, used, &data)) {
    case HF_H1_DATA:
        (void)!hf_exchange_body(x, data); /* whether it takes more is asked before the next */
        return true;
    case HF_H1_END:
        return on_body_end(h1, in);
    case HF_H1_FAILED:
        return bad(h1, x->h1.fault);
    default:
        return false;
    }
}

/* What the exchange under way waits for isn't the client. */
static bool waits(const struct hf_down_h1 *h1)
{
    const struct hf_exchange *x = h1->x;
    return x && hf_exchange_phase(x) != HF_X_HEAD &&
           (x->asked || (x->h1.head.framing != HF_H1_NONE && !hf_exchange_takes_body(x)));
}

/* Goes as far as it can with `in`; what is left over is to be kept, but for a deaf one. */
static size_t consume(struct hf_down_h1 *h1, struct hf_bytes in)
{
    size_t done = 0;
    bool more = true;
    while (more && !h1->closing && !h1->deaf && !waits(h1)) {
        size_t used = 0;
        bool in_head = !h1->x || hf_exchange_phase(h1->x) == HF_X_HEAD;
        struct hf_bytes rest = hf_bytes_from(in, done);
        more = in_head ? take_head(h1, rest, &used) : take_body(h1, rest, &used);
        done += used;
    }
    if (h1->deaf || h1->closing) {
        done = in.len;
    }
    bool body_unwanted = waits(h1) && !h1->x->asked;
    h1->stalled = h1->closing || body_unwanted || (waits(h1) && done < in.len);
    return done;
}

/* Takes up again what was kept. */
static void consume_kept(struct hf_down_h1 *h1)
{
    if (hf_buf_len(&h1->in) || (h1->x && !h1->x->asked)) {
        hf_buf_consume(&h1->in, consume(h1, hf_buf_bytes(&h1->in)));
    } else {
        h1->stalled = h1->closing;
    }
    if (hf_buf_len(&h1->in) == 0) {
        hf_buf_release(&h1->in);
    }
}

static bool on_plain(void *ctx, struct hf_bytes plain)
{
    struct hf_down_h1 *h1 = ctx;
    hf_down_count_in(&h1->down, plain.len);
    size_t used = 0;
    bool kept = hf_buf_len(&h1->in) > 0;
    if (!kept) {
        used = consume(h1, plain);
    }
    if (hf_buf_append(&h1->in, hf_bytes_from(plain, used)) != HF_OK) {
        h1->down.wire.broken = HF_MOVE_NOMEM;
        hf_wire_kick(&h1->down.wire);
        return false;
    }
    if (kept) {
        consume_kept(h1);
    }
    return !h1->stalled;
}

/* The client has said its last byte. */
static void on_end(struct hf_down_h1 *h1)
{
    struct hf_exchange *x = h1->x;
    if (!x) {
        close_soon(h1);
    } else if (hf_exchange_phase(x) == HF_X_TUNNEL) {
        if (!x->asked) {
            hf_exchange_body_end(x, NULL);
        }
    } else if (!x->asked) {
        lost(h1, HF_CAUSE_CLIENT_TRUNCATED);
    }
}

/* Reads what the socket has. False: the session has ended. */
static bool pump(struct hf_down_h1 *h1)
{
    struct hf_leg *leg = h1->down.wire.leg;
    enum hf_move move = hf_leg_read(leg, &h1->down.hub->worker->scratch, on_plain, h1);
    if (move == HF_MOVE_ENDED) {
        on_end(h1);
    } else if (move != HF_MOVE_IDLE && move != HF_MOVE_BLOCKED) {
        lost_by(h1, move);
    }
    return !h1->down.gone && hf_wire_is_open(&h1->down.wire);
}

/* The socket took something. False: the session has ended. */
static bool flush(struct hf_down_h1 *h1)
{
    struct hf_leg *leg = h1->down.wire.leg;
    if (!hf_buf_len(&leg->held_out)) {
        return true;
    }
    if (hf_leg_flush(leg) == HF_MOVE_LOST) {
        lost(h1, HF_CAUSE_CLIENT_RESET);
        return false;
    }
    if (!hf_buf_len(&leg->held_out) && h1->x && h1->x->down_full) {
        hf_exchange_down_drained(h1->x);
    }
    return !h1->down.gone;
}

static void event(struct hf_down *down, unsigned events)
{
    struct hf_down_h1 *h1 = of_down(down);
    struct hf_leg *leg = down->wire.leg;
    if (!flush(h1)) {
        return;
    }
    bool readable = (events & (HF_LOOP_READ | HF_LOOP_HANGUP)) || leg->choked;
    if (readable && !h1->stalled && !pump(h1)) {
        return;
    }
    if (events & HF_LOOP_HANGUP) {
        lost(h1, h1->x ? HF_CAUSE_CLIENT_RESET : HF_CAUSE_FINISHED);
        return;
    }
    if (flush(h1)) { /* what TLS itself had to answer */
        down->wire.paused = h1->stalled;
        hf_wire_want(&down->wire);
    }
}

static void turn(struct hf_wire *wire)
{
    struct hf_down_h1 *h1 = of_down(HF_CONTAINER_OF(wire, struct hf_down, wire));
    if (wire->broken != HF_MOVE_IDLE) {
        lost_by(h1, wire->broken);
        return;
    }
    if (!h1->closing) {
        consume_kept(h1);
        if (!h1->x && !hf_buf_len(&h1->in) && (wire->leg->ended || h1->down.retiring)) {
            h1->closing = true;
        }
    }
    if (h1->closing) {
        if (!h1->x) {
            close_in_order(h1);
        }
        return;
    }
    if (!h1->stalled && hf_leg_has_held(wire->leg) && !pump(h1)) {
        return;
    }
    wire->paused = h1->stalled;
    hf_wire_want(wire);
}

static const struct hf_wire_ops wire_ops = {turn};

/* --- Answering ----------------------------------------------------------------------------------
 */

static bool is_old(const struct hf_exchange *x)
{
    return x->request && x->h1.head.minor == 0;
}

/* So little of the body is still to come that it is better read than cut off. */
static bool rest_is_small(const struct hf_exchange *x)
{
    return x->h1.head.framing == HF_H1_NONE ||
           (x->h1.head.framing == HF_H1_LENGTH && x->h1.head.length - x->h1.body_len <= DRAIN_MAX);
}

/* May the connection serve another request after this one? */
static bool keeps(const struct hf_down_h1 *h1, const struct hf_exchange *x)
{
    unsigned most = x->door->cfg->http.keep_alive_requests;
    bool enough = most && h1->down.n_requests >= most;
    if (h1->deaf || h1->down.retiring || enough || !x->request || !x->h1.head.keep_alive ||
        h1->down.wire.leg->ended || x->mishap == HF_MISHAP_REQUEST_TIMEOUT) {
        return false;
    }
    /* To our own answers nobody takes the rest of the body. */
    return x->asked || x->up || (rest_is_small(x) && !x->request->expect_continue);
}

/* Writing is ours to get right: where it fails, the connection can't go on. */
static void check(struct hf_down_h1 *h1, enum hf_err err)
{
    if (err != HF_OK) {
        hf_log_say(h1->down.hub->worker->log, HF_LOG_ERROR, "http",
                   "an answer can't be written: %s", hf_err_text());
        h1->down.wire.broken = HF_MOVE_NOMEM;
        hf_wire_kick(&h1->down.wire);
    }
}

static void write_head(struct hf_exchange *x, const struct hf_http_msg *msg,
                       enum hf_h1_connection connection)
{
    struct hf_down_h1 *h1 = of_x(x);
    enum hf_http_method asked = x->request ? x->request->method : HF_METHOD_GET;
    struct hf_h1_plan plan = hf_http_msg_plan(msg, asked, is_old(x));
    if (plan.framing != HF_H1_CLOSE) {
        plan.connection = connection;
    } else {
        h1->down.retiring = true;
    }
    struct hf_buf *out = hf_wire_out(&h1->down.wire, hf_buf_len(&msg->text) + 4096);
    check(h1, hf_http_msg_to_h1(msg, &x->writer, out, &plan, HF_H1_CASE_LOWER));
    hf_wire_wrote(&h1->down.wire);
}

static void interim(struct hf_exchange *x, const struct hf_http_msg *msg)
{
    if (!is_old(x)) {
        write_head(x, msg, HF_H1_CONNECTION_NONE);
    }
}

static void head(struct hf_exchange *x, const struct hf_http_msg *msg, bool last)
{
    (void)last;
    struct hf_down_h1 *h1 = of_x(x);
    if (msg->status == 101) {
        write_head(x, msg, HF_H1_CONNECTION_UPGRADE);
        h1->down.retiring = true;
        hf_h1_tunnel(&x->h1);
        hf_wire_kick(&h1->down.wire); /* bytes may wait behind the request */
        return;
    }
    bool keep = keeps(h1, x);
    if (!keep) {
        h1->down.retiring = true;
    }
    write_head(x, msg,
               !keep       ? HF_H1_CONNECTION_CLOSE
               : is_old(x) ? HF_H1_CONNECTION_KEEP_ALIVE
                           : HF_H1_CONNECTION_NONE);
}

static bool data(struct hf_exchange *x, struct hf_bytes bytes)
{
    struct hf_down_h1 *h1 = of_x(x);
    struct hf_wire *wire = &h1->down.wire;
    hf_down_count_out(&h1->down, bytes.len);
    if (hf_exchange_phase(x) == HF_X_TUNNEL) {
        hf_wire_pass(wire, bytes);
        return !hf_wire_full(wire);
    }
    if (x->writer.head_only || bytes.len == 0) {
        return true;
    }
    struct hf_buf *out = hf_wire_out(wire, bytes.len + HF_H1_CHUNK_OVERHEAD);
    if (x->writer.framing != HF_H1_CHUNKED) {
        check(h1, hf_h1_write_data_open(&x->writer, out, bytes.len));
        hf_wire_pass(wire, bytes);
        check(h1, hf_h1_write_data_close(&x->writer, out));
    } else {
        check(h1, hf_h1_write_data(&x->writer, out, bytes));
        hf_wire_wrote(wire);
    }
    return !hf_wire_full(wire);
}

static void end(struct hf_exchange *x, const struct hf_http_msg *trailers)
{
    struct hf_down_h1 *h1 = of_x(x);
    struct hf_wire *wire = &h1->down.wire;
    if (hf_exchange_phase(x) == HF_X_TUNNEL) {
        if (h1->down.hub->corked == wire) {
            hf_wire_pull(h1->down.hub);
        }
        if (wire->broken == HF_MOVE_IDLE && hf_leg_finish(wire->leg) == HF_MOVE_LOST) {
            wire->broken = HF_MOVE_LOST;
        }
        hf_wire_kick(wire);
        if (x->asked) {
            let_go(h1);
        }
        return;
    }
    struct hf_buf *out = hf_wire_out(wire, 16384);
    bool with = trailers && x->writer.framing == HF_H1_CHUNKED && !x->writer.head_only;
    check(h1, with ? hf_http_msg_trailers_to_h1(trailers, &x->writer, out)
                   : hf_h1_write_end(&x->writer, out));
    hf_wire_wrote(wire);
    if (!x->asked && !h1->down.retiring && !h1->deaf && rest_is_small(x)) {
        hf_wire_kick(wire); /* the rest of the body is read, for the sake of the next request */
        return;
    }
    if (!x->asked || h1->deaf || h1->down.retiring) {
        close_soon(h1);
    } else if (hf_buf_len(&h1->in) || h1->stalled || wire->leg->ended) {
        hf_wire_kick(wire);
    }
    let_go(h1);
}

/* A part must not look like the whole: the client sees an alert, or a reset. */
static void abort_answer(struct hf_exchange *x)
{
    struct hf_down_h1 *h1 = of_x(x);
    h1->aborted = true;
    let_go(h1);
    close_soon(h1);
}

static void resume(struct hf_exchange *x)
{
    hf_wire_kick(&of_x(x)->down.wire);
}

/* --- The connection -----------------------------------------------------------------------------
 */

static void retire(struct hf_down *down)
{
    down->retiring = true;
    if (!of_down(down)->x) {
        close_soon(of_down(down));
    }
}

static void done(struct hf_down *down)
{
    struct hf_down_h1 *h1 = of_down(down);
    h1->x = NULL; /* it has left already, and may be another's by now */
    hf_buf_done(&h1->in);
}

static const struct hf_down_kind kind = {
    .ops = {interim, head, data, end, abort_answer, resume},
    .event = event,
    .retire = retire,
    .done = done,
};

enum hf_err hf_down_h1_new(struct hf_session *session, struct hf_hub *hub, struct hf_down **out)
{
    struct hf_down_h1 *h1 = HF_NEW(struct hf_down_h1);
    if (!h1) {
        return HF_E_NOMEM;
    }
    h1->in = HF_BUF_INIT(IN_MAX);
    hf_down_init(&h1->down, &kind, session, hub, &wire_ops);
    *out = &h1->down;
    return HF_OK;
}
