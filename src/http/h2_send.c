// SPDX-License-Identifier: Apache-2.0
/*
 * What the owner sends: heads, bodies, ends; and hf_h2_take, which makes frames of it.
 *
 * A body is written straight into the output while little waits there and the windows are open:
 * most answers are one HEADERS and one DATA frame that leave together. What doesn't fit so is kept
 * with its stream, up to a limit, and leaves in turns of one frame per stream.
 */
#include <string.h>

#include "http/h2_impl.h"

enum {
    DIRECT_MAX = 32 << 10, /* bytes waiting in the output up to which data goes there */
    OUT_KEPT = 2048,       /* memory that an empty output keeps */
};

/* --- Heads --------------------------------------------------------------------------------------
 */

static void mark_end(struct hf_h2_stream *stream)
{
    stream->local_end = true;
    stream->end_sent = true;
    hf_h2_stream_wake(stream); /* hf_h2_take will see that it's done */
}

/* How the body after this head is to be framed. */
static void note_body(struct hf_h2_stream *stream, const struct hf_http_msg *msg, bool end)
{
    bool open = msg->status == 101 || msg->protocol.len > 0;
    stream->out_bodiless = msg->body == HF_BODY_NONE && !open;
    stream->out_has_length = msg->body == HF_BODY_LENGTH;
    stream->out_left = stream->out_has_length ? msg->length : 0;
    if (end) {
        mark_end(stream);
    }
}

static enum hf_err check_head(const struct hf_h2 *h2, const struct hf_http_msg *msg, bool end)
{
    if (h2->dead) {
        return hf_fail(HF_E_CLOSED, "the HTTP/2 connection is over");
    }
    enum hf_http_fault fault = hf_http_msg_check(msg);
    if (fault) {
        return hf_fail(HF_E_INVALID, "a head that can't be sent: %s", hf_http_fault_text(fault));
    }
    if (end && (msg->body == HF_BODY_STREAM || (msg->body == HF_BODY_LENGTH && msg->length > 0))) {
        return hf_fail(HF_E_INVALID, "a head that promises a body, and the end");
    }
    return HF_OK;
}

static void note_opened(struct hf_h2 *h2)
{
    h2->opened_mask = h2->opened_mask << 1 | 1;
    h2->reset_mask <<= 1;
    h2->next_id += 2;
}

enum hf_err hf_h2_request(struct hf_h2 *h2, struct hf_h2_stream **out,
                          const struct hf_http_msg *msg, bool end, void *user)
{
    HF_TRY(check_head(h2, msg, end));
    if (hf_h2_n_openable(h2) == 0) {
        return hf_fail(HF_E_BUSY, "the connection takes no more requests at the moment");
    }
    if (msg->protocol.len > 0 && !h2->peer_takes_upgrades) {
        return hf_fail(HF_E_UNSUPPORTED, "the server has not offered extended CONNECT (RFC 8441)");
    }
    if (msg->kind != HF_MSG_REQUEST || (end && msg->protocol.len > 0)) {
        return hf_fail(HF_E_INVALID, "not a request, or an upgrade and its end");
    }
    struct hf_h2_stream *stream = hf_h2_stream_open(h2, h2->next_id);
    if (!stream) {
        return HF_E_NOMEM;
    }
    enum hf_err err = hf_h2_put_head(stream, msg, end);
    if (err != HF_OK) {
        hf_h2_stream_drop(stream);
        return err;
    }
    note_opened(h2);
    stream->user = user;
    stream->asked = (uint8_t)msg->method;
    stream->upgrade = msg->protocol.len > 0;
    stream->head_sent = true;
    note_body(stream, msg, end);
    *out = stream;
    return HF_OK;
}

enum hf_err hf_h2_respond(struct hf_h2_stream *stream, const struct hf_http_msg *msg, bool end)
{
    bool interim = msg->status / 100 == 1 && msg->status != 101;
    HF_TRY(check_head(stream->h2, msg, end));
    if (msg->kind != HF_MSG_RESPONSE || stream->head_sent || (interim && end) ||
        (msg->status == 101 && (!stream->upgrade || end))) {
        return hf_fail(HF_E_INVALID, "a response that doesn't fit its request");
    }
    HF_TRY(hf_h2_put_head(stream, msg, end));
    if (!interim) {
        stream->head_sent = true;
        note_body(stream, msg, end);
    }
    return HF_OK;
}

/* --- Bodies -------------------------------------------------------------------------------------
 */

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* How much of n bytes the windows and the peer's frame size let go in one frame. */
static size_t sendable(const struct hf_h2_stream *stream, size_t n)
{
    const struct hf_h2 *h2 = stream->h2;
    if (stream->send_window <= 0 || h2->send_window <= 0) {
        return 0;
    }
    n = min_size(n, (size_t)stream->send_window);
    n = min_size(n, (size_t)h2->send_window);
    return min_size(n, h2->peer_frame_max);
}

static void count_sent(struct hf_h2_stream *stream, size_t n)
{
    stream->send_window -= (int32_t)n;
    stream->h2->send_window -= (int32_t)n;
    hf_h2_flood_earn(stream->h2);
}

/* Puts what may go at once into the output; returns how much. */
static size_t write_directly(struct hf_h2_stream *stream, struct hf_bytes data)
{
    struct hf_h2 *h2 = stream->h2;
    size_t taken = 0;
    while (taken < data.len && hf_buf_len(&h2->out) < DIRECT_MAX) {
        uint8_t *payload;
        size_t n = sendable(stream, data.len - taken);
        uint64_t at = h2->out_total;
        if (n == 0 || hf_h2_put_frame(h2, HF_H2_DATA, 0, stream->id, n, &payload) != HF_OK) {
            break;
        }
        memcpy(payload, data.ptr + taken, n);
        h2->tail_at = at;
        h2->tail_id = stream->id;
        count_sent(stream, n);
        taken += n;
    }
    return taken;
}

size_t hf_h2_room(const struct hf_h2_stream *stream)
{
    return stream->local_end ? 0 : hf_buf_room(&stream->out);
}

enum hf_err hf_h2_write(struct hf_h2_stream *stream, struct hf_bytes data, size_t *out_taken)
{
    size_t taken = 0;
    *out_taken = 0;
    if (!stream->head_sent || stream->local_end || (stream->out_bodiless && data.len > 0) ||
        (stream->out_has_length && data.len > stream->out_left)) {
        return hf_fail(HF_E_INVALID, "data that its message doesn't have");
    }
    if (hf_buf_len(&stream->out) == 0) {
        taken = write_directly(stream, data);
    }
    size_t keep = min_size(data.len - taken, hf_buf_room(&stream->out));
    enum hf_err err = hf_buf_append(&stream->out, hf_bytes_of(data.ptr + taken, keep));
    taken += err == HF_OK ? keep : 0;
    stream->out_left -= stream->out_has_length ? taken : 0;
    stream->wants_room = taken < data.len;
    hf_h2_stream_wake(stream);
    *out_taken = taken;
    return taken > 0 || data.len == 0 ? HF_OK : err;
}

/* Sets END_STREAM on the DATA frame that was put last, if it is this stream's and still there. */
static bool end_in_tail(struct hf_h2_stream *stream)
{
    struct hf_h2 *h2 = stream->h2;
    uint64_t taken = h2->out_total - hf_buf_len(&h2->out);
    if (h2->tail_id != stream->id || h2->tail_at < taken) {
        return false;
    }
    h2->out.mem[h2->out.start + (size_t)(h2->tail_at - taken) + 4] |= HF_H2_END_STREAM;
    return true;
}

enum hf_err hf_h2_finish(struct hf_h2_stream *stream, struct hf_http_msg *trailers)
{
    struct hf_h2 *h2 = stream->h2;
    bool short_of = stream->out_has_length && stream->out_left > 0;
    bool bad_trailers = trailers && (trailers->kind != HF_MSG_TRAILERS ||
                                     hf_http_msg_check(trailers) != HF_HTTP_FAULT_NONE);
    if (!stream->head_sent || stream->local_end || short_of || bad_trailers) {
        hf_http_msg_pool_put(h2->config->msgs, trailers);
        return hf_fail(HF_E_INVALID, "an end that its message doesn't have");
    }
    if (trailers && trailers->n_fields == 0) {
        hf_http_msg_pool_put(h2->config->msgs, trailers);
        trailers = NULL;
    }
    stream->local_end = true;
    stream->trailers = trailers;
    stream->end_sent = hf_buf_len(&stream->out) == 0 && !trailers && end_in_tail(stream);
    hf_h2_stream_wake(stream);
    return HF_OK;
}

/* --- Taking -------------------------------------------------------------------------------------
 */

static void write_data_head(uint8_t *at, size_t len, bool end, uint32_t id)
{
    hf_h2_u32_write(at, (uint32_t)len << 8 | HF_H2_DATA);
    at[4] = end ? HF_H2_END_STREAM : 0;
    hf_h2_u32_write(at + 5, id);
}

/* The end of a stream of which no data waits. */
static enum hf_err take_end(struct hf_h2_stream *stream, struct hf_span room, size_t *out_len)
{
    if (stream->trailers) {
        HF_TRY(hf_h2_put_head(stream, stream->trailers, true)); /* leaves with the output */
        hf_http_msg_pool_put(stream->h2->config->msgs, stream->trailers);
        stream->trailers = NULL;
    } else if (!stream->end_sent) {
        write_data_head(room.ptr, 0, true, stream->id);
        *out_len = HF_H2_FRAME_HEAD;
    }
    stream->end_sent = true;
    return HF_OK;
}

static void take_data(struct hf_h2_stream *stream, struct hf_span room, size_t *out_len)
{
    struct hf_bytes out = hf_buf_bytes(&stream->out);
    size_t n = sendable(stream, min_size(out.len, room.len - HF_H2_FRAME_HEAD));
    if (n == 0) {
        return;
    }
    bool end = n == out.len && stream->local_end && !stream->trailers;
    write_data_head(room.ptr, n, end, stream->id);
    memcpy(room.ptr + HF_H2_FRAME_HEAD, out.ptr, n);
    *out_len = HF_H2_FRAME_HEAD + n;
    hf_buf_consume(&stream->out, n);
    if (hf_buf_len(&stream->out) == 0) {
        hf_buf_release(&stream->out);
    }
    stream->end_sent = end;
    count_sent(stream, n);
}

static void tell_room(struct hf_h2_stream *stream)
{
    struct hf_h2 *h2 = stream->h2;
    bool enough = hf_buf_room(&stream->out) >= stream->out.cap / 2;
    if (stream->wants_room && enough && !stream->local_end) {
        stream->wants_room = false;
        h2->config->events->on_room(h2->ctx, stream);
    }
}

/* One turn of one stream. It goes to the end of the line, or waits elsewhere, or is done. */
static enum hf_err take_turn(struct hf_h2_stream *stream, struct hf_span room, size_t *out_len)
{
    struct hf_h2 *h2 = stream->h2;
    hf_link_remove(&stream->link);
    if (hf_buf_len(&stream->out) > 0) {
        if (h2->send_window <= 0) {
            hf_list_push(&h2->blocked, &stream->link);
            return HF_OK;
        }
        take_data(stream, room, out_len);
    } else if (stream->local_end) {
        HF_TRY(take_end(stream, room, out_len));
    }
    if (stream->end_sent) {
        if (hf_buf_len(&h2->out) > 0) { /* trailers: to leave first */
            hf_list_push(&h2->ready, &stream->link);
        } else {
            (void)hf_h2_stream_settle(stream);
        }
        return HF_OK;
    }
    hf_h2_stream_wake(stream);
    tell_room(stream);
    return HF_OK;
}

static size_t take_ready(struct hf_h2 *h2, struct hf_span room)
{
    size_t n = min_size(room.len, hf_buf_len(&h2->out));
    if (n) {
        memcpy(room.ptr, hf_buf_bytes(&h2->out).ptr, n);
        hf_buf_consume(&h2->out, n);
    }
    if (hf_buf_len(&h2->out) == 0 && h2->out.size > OUT_KEPT) {
        hf_buf_release(&h2->out);
    }
    return n;
}

/* A frame is not cut short because the room ends: what comes after will have more. */
static bool fits(const struct hf_h2_stream *stream, size_t room_len)
{
    return HF_H2_FRAME_HEAD + sendable(stream, hf_buf_len(&stream->out)) <= room_len;
}

enum hf_err hf_h2_take(struct hf_h2 *h2, struct hf_span room, size_t *out_len)
{
    enum { TURN_MIN = 128 };
    size_t len = 0;
    for (;;) {
        len += take_ready(h2, hf_span_of(room.ptr + len, room.len - len));
        if (h2->dead || hf_buf_len(&h2->out) > 0 || room.len - len < TURN_MIN ||
            hf_list_empty(&h2->ready)) {
            break;
        }
        size_t n = 0;
        struct hf_h2_stream *stream = HF_CONTAINER_OF(h2->ready.next, struct hf_h2_stream, link);
        if (len > 0 && !fits(stream, room.len - len)) {
            break;
        }
        if (take_turn(stream, hf_span_of(room.ptr + len, room.len - len), &n) != HF_OK) {
            hf_h2_fail(h2, HF_H2_INTERNAL_ERROR, "out of memory");
        }
        len += n;
    }
    *out_len = len;
    return HF_OK;
}
