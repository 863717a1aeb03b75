// SPDX-License-Identifier: Apache-2.0
/*
 * Bodies and their windows (RFC 9113 5.2, 6.1, 6.9). What arrives is given on at once and counted
 * as held until its consumer says that it is done with it; only then the peer is told that it may
 * send more, in portions of a quarter of the window. What is thrown away is told at once.
 */
#include "http/h2_impl.h"

static void flush_credit(struct hf_h2 *h2)
{
    if (!h2->dead && h2->credit >= h2->config->limits.connection_window / 4) {
        hf_h2_put_u32(h2, HF_H2_WINDOW_UPDATE, 0, h2->credit);
        h2->recv_window += (int32_t)h2->credit;
        h2->credit = 0;
    }
}

void hf_h2_credit(struct hf_h2 *h2, size_t n)
{
    h2->credit += (uint32_t)n;
    flush_credit(h2);
}

static void credit_stream(struct hf_h2_stream *stream, size_t n)
{
    struct hf_h2 *h2 = stream->h2;
    stream->credit += (uint32_t)n;
    if (!h2->dead && !stream->remote_end &&
        stream->credit >= h2->config->limits.stream_window / 4) {
        hf_h2_put_u32(h2, HF_H2_WINDOW_UPDATE, stream->id, stream->credit);
        stream->recv_window += (int32_t)stream->credit;
        stream->credit = 0;
    }
}

void hf_h2_consume(struct hf_h2_stream *stream, size_t n)
{
    size_t done = n < stream->held ? n : stream->held;
    stream->held -= (uint32_t)done;
    credit_stream(stream, done);
    hf_h2_credit(stream->h2, done);
}

/* --- DATA ---------------------------------------------------------------------------------------
 */

/* DATA on a stream that isn't there. */
static void data_for_past(struct hf_h2 *h2)
{
    switch (hf_h2_past(h2, h2->frame.id)) {
    case HF_H2_PAST_IDLE:
    case HF_H2_PAST_SKIPPED:
        hf_h2_fail(h2, HF_H2_PROTOCOL_ERROR, "DATA on an idle stream");
        break;
    case HF_H2_PAST_CLOSED:
        hf_h2_fail(h2, HF_H2_STREAM_CLOSED, "DATA on a closed stream");
        break;
    case HF_H2_PAST_RESET:
        break;
    }
}

/* What may come on this stream now; NO_ERROR: DATA of this size. */
static enum hf_h2_code refuse_data(struct hf_h2_stream *stream, uint32_t payload, uint32_t body,
                                   enum hf_http_fault *out_fault)
{
    if (stream->remote_end) {
        return HF_H2_STREAM_CLOSED;
    }
    if ((int64_t)payload > stream->recv_window) {
        return HF_H2_FLOW_CONTROL_ERROR;
    }
    *out_fault = HF_HTTP_FAULT_LENGTH;
    bool too_much = stream->has_length && body > stream->left;
    if (!stream->head_came || (body > 0 && stream->bodiless) || too_much) {
        return HF_H2_PROTOCOL_ERROR; /* RFC 9113 8.1.1 */
    }
    return HF_H2_NO_ERROR;
}

bool hf_h2_data_begin(struct hf_h2 *h2, uint32_t payload)
{
    struct hf_h2_stream *stream = hf_h2_stream_find(h2, h2->frame.id);
    uint32_t body = h2->frame.left;
    enum hf_http_fault fault = HF_HTTP_FAULT_NONE;
    if ((int64_t)payload > h2->recv_window) {
        hf_h2_fail(h2, HF_H2_FLOW_CONTROL_ERROR, "more DATA than the connection's window");
        return false;
    }
    h2->recv_window -= (int32_t)payload;
    bool empty = body == 0 && !(h2->frame.flags & HF_H2_END_STREAM);
    if (empty && !hf_h2_flood_count(h2, HF_H2_FLOOD_EMPTY)) {
        return false;
    }
    enum hf_h2_code code = stream ? refuse_data(stream, payload, body, &fault) : HF_H2_NO_ERROR;
    if (!stream) {
        data_for_past(h2);
    } else if (code != HF_H2_NO_ERROR) {
        hf_h2_stream_error(h2, h2->frame.id, code, fault);
        stream = NULL;
    }
    if (h2->dead || !stream) {
        hf_h2_credit(h2, payload);
        return false;
    }
    stream->recv_window -= (int32_t)payload;
    stream->left -= stream->has_length ? body : 0;
    credit_stream(stream, payload - body); /* padding is done with */
    hf_h2_credit(h2, payload - body);
    return true;
}

void hf_h2_data_piece(struct hf_h2 *h2, struct hf_bytes piece)
{
    struct hf_h2_stream *stream = hf_h2_stream_find(h2, h2->frame.id);
    if (piece.len == 0) {
        return;
    }
    if (!stream) { /* reset since the frame began */
        hf_h2_credit(h2, piece.len);
        return;
    }
    stream->held += (uint32_t)piece.len;
    if (stream->bad) {
        hf_h2_consume(stream, piece.len);
        return;
    }
    h2->config->events->on_data(h2->ctx, stream, piece);
}

void hf_h2_data_end(struct hf_h2 *h2)
{
    struct hf_h2_stream *stream = hf_h2_stream_find(h2, h2->frame.id);
    if (stream && (h2->frame.flags & HF_H2_END_STREAM)) {
        hf_h2_remote_end(stream, NULL);
    }
}

void hf_h2_remote_end(struct hf_h2_stream *stream, struct hf_http_msg *trailers)
{
    struct hf_h2 *h2 = stream->h2;
    uint32_t id = stream->id;
    if (stream->has_length && stream->left > 0 && !stream->bodiless) {
        hf_http_msg_pool_put(h2->config->msgs, trailers);
        hf_h2_stream_error(h2, id, HF_H2_PROTOCOL_ERROR, HF_HTTP_FAULT_LENGTH);
        return;
    }
    stream->remote_end = true;
    if (stream->bad) {
        hf_http_msg_pool_put(h2->config->msgs, trailers);
    } else {
        h2->config->events->on_end(h2->ctx, stream, trailers);
    }
    stream = hf_h2_stream_find(h2, id);
    if (stream) {
        (void)hf_h2_stream_settle(stream);
    }
}
