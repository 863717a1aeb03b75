// SPDX-License-Identifier: Apache-2.0
#include "h2_owner.h"

#include <stdlib.h>
#include <string.h>

#include "http/msg_h1.h"

enum { SEEN_MAX = 16 << 20, FIELDS = 200 };

void need(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* --- HTTP/1.1 and back --- */

static void same_text(const struct hf_http_msg *a, struct hf_http_slice in_a,
                      const struct hf_http_msg *b, struct hf_http_slice in_b)
{
    need(hf_bytes_eq(hf_http_msg_text(a, in_a), hf_http_msg_text(b, in_b)));
}

static void same_fields(const struct hf_http_msg *a, const struct hf_http_msg *b)
{
    need(a->n_fields == b->n_fields);
    for (size_t i = 0; i < a->n_fields; i++) {
        need(hf_bytes_eq(hf_http_msg_name(a, &a->fields[i]), hf_http_msg_name(b, &b->fields[i])));
        need(hf_bytes_eq(hf_http_msg_value(a, &a->fields[i]), hf_http_msg_value(b, &b->fields[i])));
    }
}

void same_after_h1(const struct hf_http_msg *msg, struct hf_http_msg_pool *msgs,
                   enum hf_http_method asked)
{
    static struct hf_http_field fields[FIELDS];
    struct hf_buf head = HF_BUF_INIT(1 << 20);
    struct hf_h1_writer writer;
    struct hf_h1 h1;
    struct hf_http_msg *again = hf_http_msg_pool_get(msgs);
    struct hf_h1_plan plan = hf_http_msg_plan(msg, asked, false);
    bool request = msg->kind == HF_MSG_REQUEST;
    struct hf_h1_limits limits = hf_h1_limits_default;
    limits.line_max = limits.field_max = limits.head_max = 1 << 20;
    limits.method_max = UINT16_MAX;
    limits.n_fields_max = FIELDS;
    need(again != NULL && hf_http_msg_check(msg) == HF_HTTP_FAULT_NONE);
    need(hf_http_msg_to_h1(msg, &writer, &head, &plan, HF_H1_CASE_TITLE) == HF_OK);
    hf_h1_init(&h1, request ? HF_H1_REQUESTS : HF_H1_RESPONSES, &limits, fields, FIELDS);
    hf_h1_expect(&h1, asked, true);
    need(hf_h1_head(&h1, hf_buf_bytes(&head)) == HF_H1_HEAD);
    need(h1.head.len == hf_buf_len(&head));
    need(hf_http_msg_from_h1(again, &h1, hf_buf_bytes(&head), "https") == HF_OK);
    need(again->method == msg->method && again->form == msg->form);
    need(again->status == msg->status && again->has_query == msg->has_query);
    need(again->expect_continue == msg->expect_continue);
    same_text(msg, msg->method_text, again, again->method_text);
    same_text(msg, msg->authority, again, again->authority);
    same_text(msg, msg->path, again, again->path);
    same_text(msg, msg->query, again, again->query);
    same_text(msg, msg->protocol, again, again->protocol);
    same_fields(msg, again);
    hf_http_msg_pool_put(msgs, again);
    hf_buf_done(&head);
}

/* --- The owner --- */

static void note(struct h2_owner *owner, const char *what, const struct hf_h2_stream *stream,
                 unsigned number)
{
    need(hf_buf_printf(&owner->events, "%s %u %u\n", what, hf_h2_stream_id(stream), number) ==
         HF_OK);
}

static void note_fields(struct h2_owner *owner, const struct hf_http_msg *msg)
{
    for (size_t i = 0; i < msg->n_fields; i++) {
        need(hf_buf_append(&owner->events, hf_http_msg_name(msg, &msg->fields[i])) == HF_OK);
        need(hf_buf_append(&owner->events, hf_http_msg_value(msg, &msg->fields[i])) == HF_OK);
    }
}

static void answer(struct h2_owner *owner, struct hf_h2_stream *stream, unsigned status)
{
    struct hf_http_msg *msg = hf_http_msg_pool_get(&owner->msgs);
    size_t taken;
    need(hf_http_msg_set_status(msg, status) == HF_OK);
    msg->body = HF_BODY_STREAM;
    if (hf_h2_respond(stream, msg, false) == HF_OK) {
        need(hf_h2_write(stream, hf_bytes_str("a body"), &taken) == HF_OK && taken == 6);
        need(hf_h2_finish(stream, NULL) == HF_OK);
    }
    hf_http_msg_pool_put(&owner->msgs, msg);
}

static void on_head(void *ctx, struct hf_h2_stream *stream, struct hf_http_msg *msg, bool end)
{
    struct h2_owner *owner = ctx;
    bool request = msg->kind == HF_MSG_REQUEST;
    owner->n_open += request;
    note(owner, end ? "head, end" : "head", stream, msg->status);
    note_fields(owner, msg);
    if (request || msg->status != 101) {
        same_after_h1(msg, &owner->msgs, HF_METHOD_POST);
    }
    hf_http_msg_pool_put(&owner->msgs, msg);
    if (request && owner->answers) {
        answer(owner, stream, 200);
    }
}

static void on_bad_head(void *ctx, struct hf_h2_stream *stream, enum hf_http_fault fault)
{
    struct h2_owner *owner = ctx;
    owner->n_open++;
    note(owner, "bad", stream, fault);
    if (owner->answers) {
        answer(owner, stream, hf_http_fault_status(fault));
    }
}

static void on_data(void *ctx, struct hf_h2_stream *stream, struct hf_bytes data)
{
    struct h2_owner *owner = ctx;
    need(data.len > 0);
    need(hf_buf_append(&owner->bodies, data) == HF_OK);
    if (owner->answers) {
        hf_h2_consume(stream, data.len);
    }
}

static void on_end(void *ctx, struct hf_h2_stream *stream, struct hf_http_msg *trailers)
{
    struct h2_owner *owner = ctx;
    note(owner, "end", stream, trailers != NULL);
    if (trailers) {
        need(hf_http_msg_check(trailers) == HF_HTTP_FAULT_NONE);
        note_fields(owner, trailers);
        hf_http_msg_pool_put(&owner->msgs, trailers);
    }
}

static void on_room(void *ctx, struct hf_h2_stream *stream)
{
    note(ctx, "room", stream, 0);
}

static void on_close(void *ctx, struct hf_h2_stream *stream, const struct hf_h2_close *why)
{
    struct h2_owner *owner = ctx;
    need(owner->n_open > 0);
    owner->n_open--;
    note(owner, why->unprocessed ? "close, unprocessed" : "close", stream, why->code);
}

void h2_owner_init(struct h2_owner *owner, bool server, bool answers)
{
    static const struct hf_h2_events events = {on_head, on_bad_head, on_data,
                                               on_end,  on_room,     on_close};
    *owner = (struct h2_owner){.answers = answers,
                               .events = HF_BUF_INIT(SEEN_MAX),
                               .bodies = HF_BUF_INIT(SEEN_MAX),
                               .out = HF_BUF_INIT(SEEN_MAX)};
    owner->config = (struct hf_h2_config){.server = server,
                                          .connect_protocol = true,
                                          .limits = hf_h2_limits_default,
                                          .events = &events,
                                          .msgs = &owner->msgs};
    owner->config.limits.n_streams_max = 10;
    owner->config.limits.head_max = 2000;
    hf_http_msg_pool_init(&owner->msgs, 64 << 10, FIELDS);
    need(hf_h2_new(&owner->h2, &owner->config, owner) == HF_OK);
}

void h2_owner_done(struct h2_owner *owner)
{
    hf_h2_free(owner->h2);
    need(owner->n_open == 0); /* every stream has ended by one on_close */
    hf_http_msg_pool_done(&owner->msgs);
    hf_buf_done(&owner->events);
    hf_buf_done(&owner->bodies);
    hf_buf_done(&owner->out);
}

void h2_owner_ask(struct h2_owner *owner, const char *method)
{
    struct hf_h2_stream *stream;
    struct hf_http_msg *msg = hf_http_msg_pool_get(&owner->msgs);
    need(hf_http_msg_set_request(msg, hf_bytes_str(method), hf_bytes_str("/a?b")) == HF_OK);
    need(hf_http_msg_set_scheme(msg, hf_bytes_str("https")) == HF_OK);
    need(hf_http_msg_set_authority(msg, hf_bytes_str("a")) == HF_OK);
    msg->body = HF_BODY_STREAM;
    need(hf_h2_request(owner->h2, &stream, msg, false, NULL) == HF_OK);
    hf_http_msg_pool_put(&owner->msgs, msg);
    owner->n_open++;
}

static void take(struct h2_owner *owner)
{
    static uint8_t room[20000];
    size_t len;
    do {
        need(hf_h2_take(owner->h2, hf_span_of(room, sizeof(room)), &len) == HF_OK);
        need(hf_buf_append(&owner->out, hf_bytes_of(room, len)) == HF_OK);
    } while (len > 0);
    need(!hf_h2_wants_write(owner->h2));
}

void h2_owner_feed(struct h2_owner *owner, struct hf_bytes in, size_t portion, bool take_often)
{
    while (in.len) {
        struct hf_bytes piece = hf_bytes_of(in.ptr, in.len < portion ? in.len : portion);
        if (hf_h2_feed(owner->h2, piece, 1) != HF_OK) {
            need(hf_h2_is_over(owner->h2));
        }
        in = hf_bytes_from(in, piece.len);
        if (take_often) {
            take(owner);
        }
    }
    take(owner);
}
