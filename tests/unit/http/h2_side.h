// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TESTS_H2_SIDE_H
#define HF_TESTS_H2_SIDE_H

/*
 * One side of a connection, whose owner writes down what it is told:
 *
 *     head 1 POST https a.example /x?y length=5
 *       name: value
 *     data 1 hello
 *     end 1                                       (trailers follow as fields)
 *     close 1 no-error
 *     bad 1 head-too-large
 *
 * A server answers by itself when `answers`: 200 with `body` once the request is complete.
 */

#include "h2_script.h"

enum { H2_LOG_MAX = 8 << 20 };

struct h2_side {
    struct hf_h2 *h2;
    struct hf_h2_config config;
    struct hf_http_msg_pool msgs;
    struct hf_buf log;
    struct hf_buf sent; /* what hf_h2_take gave and nobody has had yet */
    bool quiet;         /* nothing is written down */
    bool answers;
    bool holds;       /* data isn't consumed */
    const char *body; /* of answers; NULL: none */
    size_t n_data;    /* bytes of bodies that came */
    size_t n_closed;
    size_t n_heads;
    struct hf_h2_stream *last; /* on_head or hf_h2_request */
    int64_t now_ms;
};

static inline void h2_note(struct h2_side *side, const char *format, ...) HF_PRINTF(2, 3);
static inline void h2_note(struct h2_side *side, const char *format, ...)
{
    char line[2000];
    va_list args;
    if (side->quiet) {
        return;
    }
    va_start(args, format);
    vsnprintf(line, sizeof(line), format, args);
    va_end(args);
    assert_int_equal(hf_buf_append_str(&side->log, line), HF_OK);
}

static inline void h2_note_fields(struct h2_side *side, const struct hf_http_msg *msg)
{
    for (size_t i = 0; i < msg->n_fields; i++) {
        struct hf_bytes name = hf_http_msg_name(msg, &msg->fields[i]);
        struct hf_bytes value = hf_http_msg_value(msg, &msg->fields[i]);
        h2_note(side, "  %.*s: %.*s%s\n", (int)name.len, (const char *)name.ptr, (int)value.len,
                (const char *)value.ptr,
                msg->fields[i].traits & HF_FIELD_SECRET ? " (secret)" : "");
    }
}

static inline void h2_note_text(struct h2_side *side, struct hf_bytes text, const char *before)
{
    h2_note(side, "%s%.*s", before, (int)text.len, (const char *)text.ptr);
}

static inline void h2_note_head(struct h2_side *side, uint32_t id, const struct hf_http_msg *msg,
                                bool end)
{
    h2_note(side, "head %u", id);
    if (msg->kind == HF_MSG_REQUEST) {
        struct hf_buf target = HF_BUF_INIT(1 << 16);
        assert_int_equal(hf_http_msg_append_target(msg, &target), HF_OK);
        h2_note_text(side, hf_http_msg_text(msg, msg->method_text), " ");
        h2_note_text(side, hf_http_msg_text(msg, msg->scheme), " ");
        h2_note_text(side, hf_http_msg_text(msg, msg->authority), " ");
        h2_note_text(side, hf_buf_bytes(&target), " ");
        hf_buf_done(&target);
        if (msg->protocol.len) {
            h2_note_text(side, hf_http_msg_text(msg, msg->protocol), " protocol=");
        }
        h2_note(side, "%s%s", msg->te_trailers ? " te" : "", msg->expect_continue ? " expect" : "");
    } else {
        h2_note(side, " %u", msg->status);
    }
    h2_note(side, "%s", msg->body == HF_BODY_STREAM ? " stream" : "");
    if (msg->has_length) {
        h2_note(side, " length=%llu", (unsigned long long)msg->length);
    }
    h2_note(side, "%s\n", end ? " end" : "");
    h2_note_fields(side, msg);
}

/* h2_message gives a message to be filled; h2_response and h2_request fill it. */
static inline struct hf_http_msg *h2_message(struct h2_side *side)
{
    struct hf_http_msg *msg = hf_http_msg_pool_get(&side->msgs);
    assert_non_null(msg);
    return msg;
}

static inline enum hf_err h2_respond(struct h2_side *side, struct hf_h2_stream *stream,
                                     unsigned status, const char *body)
{
    struct hf_http_msg *msg = hf_http_msg_pool_get(&side->msgs);
    size_t len = body ? strlen(body) : 0;
    size_t taken = 0;
    if (!msg) {
        return HF_E_NOMEM;
    }
    enum hf_err err = hf_http_msg_set_status(msg, status);
    if (body) {
        msg->body = HF_BODY_LENGTH;
        msg->has_length = true;
        msg->length = len;
    }
    err = err ? err : hf_h2_respond(stream, msg, !body || len == 0);
    hf_http_msg_pool_put(&side->msgs, msg);
    if (!err && len) {
        err = hf_h2_write(stream, hf_bytes_of(body, len), &taken);
        err = err ? err : hf_h2_finish(stream, NULL);
    }
    return err;
}

static inline void h2_answer(struct h2_side *side, struct hf_h2_stream *stream)
{
    if (side->answers && side->config.server &&
        h2_respond(side, stream, 200, side->body) != HF_OK) {
        hf_h2_reset(stream, HF_H2_INTERNAL_ERROR);
    }
}

static inline void h2_on_head(void *ctx, struct hf_h2_stream *stream, struct hf_http_msg *msg,
                              bool end)
{
    struct h2_side *side = ctx;
    side->last = stream;
    side->n_heads++;
    h2_note_head(side, hf_h2_stream_id(stream), msg, end);
    assert_int_equal(hf_http_msg_check(msg), HF_HTTP_FAULT_NONE);
    hf_http_msg_pool_put(&side->msgs, msg);
    if (end) {
        h2_answer(side, stream);
    }
}

static inline void h2_on_bad_head(void *ctx, struct hf_h2_stream *stream, enum hf_http_fault fault)
{
    struct h2_side *side = ctx;
    h2_note(side, "bad %u %s\n", hf_h2_stream_id(stream), hf_http_fault_code(fault));
    if (side->answers && h2_respond(side, stream, hf_http_fault_status(fault), NULL) != HF_OK) {
        hf_h2_reset(stream, HF_H2_INTERNAL_ERROR);
    }
}

static inline void h2_on_data(void *ctx, struct hf_h2_stream *stream, struct hf_bytes data)
{
    struct h2_side *side = ctx;
    assert_true(data.len > 0);
    side->n_data += data.len;
    h2_note(side, "data %u %.*s\n", hf_h2_stream_id(stream), (int)data.len, (const char *)data.ptr);
    if (!side->holds) {
        hf_h2_consume(stream, data.len);
    }
}

static inline void h2_on_end(void *ctx, struct hf_h2_stream *stream, struct hf_http_msg *trailers)
{
    struct h2_side *side = ctx;
    h2_note(side, "end %u\n", hf_h2_stream_id(stream));
    if (trailers) {
        h2_note_fields(side, trailers);
        hf_http_msg_pool_put(&side->msgs, trailers);
    }
    h2_answer(side, stream);
}

static inline void h2_on_room(void *ctx, struct hf_h2_stream *stream)
{
    h2_note(ctx, "room %u\n", hf_h2_stream_id(stream));
}

static inline void h2_on_close(void *ctx, struct hf_h2_stream *stream,
                               const struct hf_h2_close *why)
{
    struct h2_side *side = ctx;
    side->n_closed++;
    side->last = side->last == stream ? NULL : side->last;
    h2_note(side, "close %u %s%s%s%s%s\n", hf_h2_stream_id(stream), hf_h2_code_text(why->code),
            why->by_peer ? " by-peer" : "", why->unprocessed ? " unprocessed" : "",
            why->fault ? " " : "", why->fault ? hf_http_fault_code(why->fault) : "");
}

static const struct hf_h2_events h2_events = {h2_on_head, h2_on_bad_head, h2_on_data,
                                              h2_on_end,  h2_on_room,     h2_on_close};

static inline void h2_side_init(struct h2_side *side, bool server)
{
    *side = (struct h2_side){.answers = true, .body = "ok"};
    side->log = HF_BUF_INIT(H2_LOG_MAX);
    side->sent = HF_BUF_INIT(H2_LOG_MAX);
    side->config = (struct hf_h2_config){.server = server,
                                         .connect_protocol = true,
                                         .limits = hf_h2_limits_default,
                                         .events = &h2_events,
                                         .msgs = &side->msgs};
    hf_http_msg_pool_init(&side->msgs, 256 << 10, 300);
}

static inline void h2_side_start(struct h2_side *side)
{
    assert_int_equal(hf_h2_new(&side->h2, &side->config, side), HF_OK);
}

static inline void h2_side_done(struct h2_side *side)
{
    side->quiet = true;
    hf_h2_free(side->h2);
    side->h2 = NULL;
    hf_http_msg_pool_done(&side->msgs);
    hf_buf_done(&side->log);
    hf_buf_done(&side->sent);
}

/* h2_flush moves all that can be taken to side->sent, through room of this size. */
static inline void h2_flush(struct h2_side *side, size_t room_len)
{
    uint8_t room[70000];
    size_t len = 0;
    assert_true(room_len <= sizeof(room));
    do {
        assert_int_equal(hf_h2_take(side->h2, hf_span_of(room, room_len), &len), HF_OK);
        h2_put(&side->sent, room, len);
    } while (len > 0);
    assert_false(hf_h2_wants_write(side->h2));
}

/* h2_expect_log compares what was written down, and forgets it. */
#define h2_expect_log(side, text) \
    do { \
        assert_string_equal(hf_buf_cstr(&(side)->log), (text)); \
        hf_buf_reset(&(side)->log); \
    } while (0)

#endif
