// SPDX-License-Identifier: Apache-2.0
/*
 * Between HTTP/1.1 and a message. Coming in, the head's bytes are copied as they are and the
 * reader's offsets with them: the fields cost one pass that puts names in lower case and leaves out
 * what is not kept. Going out, everything is appended in one go; nothing is looked up or checked
 * again that the message guarantees.
 */
#include "http/msg_h1.h"

#include <string.h>

#include "http/chars.h"
#include "http/msg_impl.h"

/* --- In -----------------------------------------------------------------------------------------
 */

static enum hf_http_body body_of(const struct hf_h1_head *head)
{
    static const enum hf_http_body bodies[] = {
        [HF_H1_NONE] = HF_BODY_NONE,      [HF_H1_LENGTH] = HF_BODY_LENGTH,
        [HF_H1_CHUNKED] = HF_BODY_STREAM, [HF_H1_CLOSE] = HF_BODY_STREAM,
        [HF_H1_TUNNEL] = HF_BODY_STREAM,
    };
    return bodies[head->framing];
}

/* Copies the fields whose place is among the fields; Upgrade's value goes to *out_upgrade. False:
 * more than one Upgrade. */
static bool take_fields(struct hf_http_msg *msg, const struct hf_h1 *h1,
                        struct hf_http_slice *out_upgrade)
{
    unsigned n_upgrades = 0;
    for (size_t i = 0; i < h1->n_fields; i++) {
        const struct hf_http_field *field = &h1->fields[i];
        if (field->name == HF_HTTP_UPGRADE) {
            *out_upgrade = (struct hf_http_slice){field->value_at, field->value_len};
            n_upgrades++;
        }
        if (!hf_http_msg_is_kept_out((enum hf_http_name)field->name, field->traits)) {
            hf_http_msg_lower(msg, (struct hf_http_slice){field->name_at, field->name_len});
            msg->fields[msg->n_fields++] = *field;
        }
    }
    return n_upgrades <= 1;
}

/* "TE: trailers" concerns this hop, but says that the client can do with trailers at all. */
static bool takes_trailers(const struct hf_h1 *h1, struct hf_bytes head)
{
    struct hf_http_fields fields = hf_h1_fields(h1, head);
    struct hf_bytes rest;
    struct hf_bytes coding;
    if (hf_http_fields_find(&fields, HF_HTTP_TE, &rest)) {
        while (hf_http_list_next(&rest, &coding)) {
            if (hf_http_eq_str(coding, "trailers")) {
                return true;
            }
        }
    }
    return false;
}

static void take_request(struct hf_http_msg *msg, const struct hf_h1 *h1, struct hf_bytes head,
                         struct hf_bytes scheme)
{
    const struct hf_h1_head *from = &h1->head;
    bool absolute = from->form == HF_TARGET_ABSOLUTE;
    msg->kind = HF_MSG_REQUEST;
    msg->method = from->method;
    msg->method_text = from->method_text;
    msg->authority = from->authority;
    msg->form = absolute ? HF_TARGET_ORIGIN : from->form;
    msg->path = from->path;
    msg->query = from->query;
    msg->has_query = from->has_query;
    if (absolute) { /* the scheme is all before "://", which was checked */
        const uint8_t *target = head.ptr + from->target.at;
        size_t len = (size_t)((const uint8_t *)memchr(target, ':', from->target.len) - target);
        msg->scheme = (struct hf_http_slice){from->target.at, (uint32_t)len};
        hf_http_msg_lower(msg, msg->scheme);
    } else {
        msg->scheme = hf_http_msg_push(msg, scheme);
    }
    hf_http_msg_fill_path(msg);
    msg->expect_continue = from->expect_continue;
    msg->te_trailers = takes_trailers(h1, head);
}

/* What carries requests again: granted, they would pass behind the rules that the first one met. */
static bool carries_requests(struct hf_bytes protocol)
{
    static const char *const names[] = {"h2c", "h2", "http", "tls"};
    for (size_t i = 0; i < HF_N_ELEMENTS(names); i++) {
        if (hf_http_eq(protocol, hf_bytes_str(names[i]))) {
            return true;
        }
    }
    return false;
}

/* An upgrade that we can speak of: to one protocol, by a GET without a body, or granted by a 101.
 * A server may ignore any other. */
static bool is_upgrade(const struct hf_http_msg *msg, const struct hf_h1_head *head,
                       struct hf_bytes protocol)
{
    bool one = protocol.len > 0 && hf_http_span(protocol, HF_CHAR_TOKEN) == protocol.len &&
               !carries_requests(protocol);
    bool asked = msg->kind == HF_MSG_REQUEST && head->upgrade && msg->method == HF_METHOD_GET &&
                 head->framing == HF_H1_NONE;
    return one && (asked || (msg->kind == HF_MSG_RESPONSE && head->status == 101));
}

enum hf_err hf_http_msg_from_h1(struct hf_http_msg *msg, const struct hf_h1 *h1,
                                struct hf_bytes head, const char *scheme)
{
    struct hf_bytes scheme_text = hf_bytes_str(scheme);
    struct hf_http_slice upgrade = {0};
    hf_http_msg_reset(msg);
    HF_TRY(hf_http_msg_field_room(msg, h1->n_fields));
    HF_TRY(hf_http_msg_room(msg, head.len + scheme_text.len + 1, NULL, 0));
    (void)hf_http_msg_push(msg, head);
    bool one_upgrade = take_fields(msg, h1, &upgrade);
    if (h1->role == HF_H1_REQUESTS) {
        take_request(msg, h1, head, scheme_text);
    } else {
        msg->kind = HF_MSG_RESPONSE;
        msg->status = h1->head.status;
    }
    bool tunnel = h1->role == HF_H1_REQUESTS && msg->method == HF_METHOD_CONNECT;
    msg->body = tunnel ? HF_BODY_STREAM : body_of(&h1->head);
    msg->has_length = h1->head.has_length;
    msg->length = h1->head.length;
    if (one_upgrade && is_upgrade(msg, &h1->head, hf_http_msg_text(msg, upgrade))) {
        msg->protocol = upgrade;
        hf_http_msg_lower(msg, upgrade);
    }
    return HF_OK;
}

enum hf_err hf_http_msg_trailers_from_h1(struct hf_http_msg *msg, const struct hf_h1 *h1,
                                         struct hf_bytes in)
{
    hf_http_msg_reset(msg);
    msg->kind = HF_MSG_TRAILERS;
    for (size_t i = 0; i < h1->n_fields; i++) {
        HF_TRY(hf_http_msg_add(msg, hf_http_field_name(in, &h1->fields[i]),
                               hf_http_field_value(in, &h1->fields[i])));
    }
    return HF_OK;
}

/* --- Out ----------------------------------------------------------------------------------------
 */

static enum hf_h1_framing framing_of(const struct hf_http_msg *msg, bool tunnel, bool to_old)
{
    if (tunnel) {
        return HF_H1_TUNNEL;
    }
    if (msg->body == HF_BODY_STREAM) {
        return to_old ? HF_H1_CLOSE : HF_H1_CHUNKED;
    }
    return msg->has_length || msg->body == HF_BODY_LENGTH ? HF_H1_LENGTH : HF_H1_NONE;
}

/* A method whose meaning is in its body says "Content-Length: 0" when it has none (RFC 9110 8.6).
 */
static bool awaits_body(enum hf_http_method method)
{
    return method == HF_METHOD_POST || method == HF_METHOD_PUT || method == HF_METHOD_PATCH;
}

struct hf_h1_plan hf_http_msg_plan(const struct hf_http_msg *msg, enum hf_http_method asked,
                                   bool to_old)
{
    struct hf_h1_plan plan = {.length = msg->has_length ? msg->length : 0};
    uint16_t status = msg->status;
    if (msg->kind == HF_MSG_REQUEST) {
        plan.framing = framing_of(msg, msg->method == HF_METHOD_CONNECT, false);
        if (plan.framing == HF_H1_NONE && awaits_body(msg->method)) {
            plan.framing = HF_H1_LENGTH;
        }
        plan.connection = msg->protocol.len ? HF_H1_CONNECTION_UPGRADE : HF_H1_CONNECTION_NONE;
        return plan;
    }
    bool bare = status / 100 == 1 || status == 204;
    bool tunnel = status == 101 || (asked == HF_METHOD_CONNECT && status / 100 == 2);
    plan.head_only = asked == HF_METHOD_HEAD || status == 304;
    plan.framing = bare && !tunnel ? HF_H1_NONE : framing_of(msg, tunnel, to_old);
    if (plan.framing == HF_H1_NONE && !bare && !plan.head_only) {
        plan.framing = HF_H1_LENGTH; /* an answer without a body says so */
    }
    plan.connection = status == 101 ? HF_H1_CONNECTION_UPGRADE : HF_H1_CONNECTION_NONE;
    return plan;
}

static uint8_t *put(uint8_t *to, struct hf_bytes bytes)
{
    memcpy(to, bytes.ptr, bytes.len);
    return to + bytes.len;
}

/* The name with the first letter of each word in upper case. */
static uint8_t *put_title(uint8_t *to, struct hf_bytes name)
{
    bool first = true;
    for (size_t i = 0; i < name.len; i++) {
        uint8_t byte = name.ptr[i];
        bool letter = byte >= 'a' && byte <= 'z';
        to[i] = first && letter ? (uint8_t)(byte - 32) : byte;
        first = byte == '-';
    }
    return to + name.len;
}

static uint8_t *put_field(uint8_t *to, struct hf_bytes name, struct hf_bytes value,
                          enum hf_h1_case names)
{
    to = names == HF_H1_CASE_TITLE ? put_title(to, name) : put(to, name);
    *to++ = ':';
    *to++ = ' ';
    to = put(to, value);
    *to++ = '\r';
    *to++ = '\n';
    return to;
}

/* The fields that have a place of their own but aren't framing: at most three. */
struct placed {
    struct hf_bytes name[3];
    struct hf_bytes value[3];
    size_t n;
};

static void place(struct placed *placed, const char *name, struct hf_bytes value)
{
    placed->name[placed->n] = hf_bytes_str(name);
    placed->value[placed->n++] = value;
}

static struct placed placed_fields(const struct hf_http_msg *msg, const struct hf_h1_plan *plan)
{
    struct placed placed = {0};
    if (msg->kind == HF_MSG_REQUEST) { /* empty where an old client named none (RFC 9112 3.2) */
        place(&placed, "host", hf_http_msg_text(msg, msg->authority));
    }
    if (msg->protocol.len && plan->connection == HF_H1_CONNECTION_UPGRADE) {
        place(&placed, "upgrade", hf_http_msg_text(msg, msg->protocol));
    }
    if (msg->kind == HF_MSG_REQUEST && msg->expect_continue) {
        place(&placed, "expect", hf_bytes_str("100-continue"));
    }
    return placed;
}

enum { FIELD_EXTRA = 4 }; /* ": " and the line's end */

static enum hf_err append_fields(const struct hf_http_msg *msg, const struct placed *placed,
                                 struct hf_buf *out, enum hf_h1_case names)
{
    struct hf_span room;
    size_t len = 0;
    for (size_t i = 0; i < placed->n; i++) {
        len += placed->name[i].len + placed->value[i].len + FIELD_EXTRA;
    }
    for (size_t i = 0; i < msg->n_fields; i++) {
        len += msg->fields[i].name_len + (size_t)msg->fields[i].value_len + FIELD_EXTRA;
    }
    if (len == 0) {
        return HF_OK;
    }
    HF_TRY(hf_buf_reserve(out, len, &room));
    for (size_t i = 0; i < placed->n; i++) {
        room.ptr = put_field(room.ptr, placed->name[i], placed->value[i], names);
    }
    for (size_t i = 0; i < msg->n_fields; i++) {
        room.ptr = put_field(room.ptr, hf_http_msg_name(msg, &msg->fields[i]),
                             hf_http_msg_value(msg, &msg->fields[i]), names);
    }
    hf_buf_commit(out, len);
    return HF_OK;
}

static enum hf_err append_request_line(const struct hf_http_msg *msg, struct hf_h1_writer *writer,
                                       struct hf_buf *out)
{
    struct hf_bytes method = hf_http_msg_text(msg, msg->method_text);
    struct hf_bytes query = hf_http_msg_text(msg, msg->query);
    struct hf_bytes targets[] = {
        [HF_TARGET_ORIGIN] = hf_http_msg_text(msg, msg->path),
        [HF_TARGET_AUTHORITY] = hf_http_msg_text(msg, msg->authority),
        [HF_TARGET_ASTERISK] = hf_bytes_str("*"),
    };
    return hf_h1_write_request_parts(writer, out, method, targets[msg->form],
                                     msg->has_query ? &query : NULL);
}

static enum hf_err append_head(const struct hf_http_msg *msg, struct hf_h1_writer *writer,
                               struct hf_buf *out, const struct hf_h1_plan *plan,
                               enum hf_h1_case names)
{
    struct placed placed = placed_fields(msg, plan);
    if (msg->kind == HF_MSG_REQUEST) {
        HF_TRY(append_request_line(msg, writer, out));
    } else {
        HF_TRY(hf_h1_write_response(writer, out, msg->status, NULL));
    }
    HF_TRY(append_fields(msg, &placed, out, names));
    return hf_h1_write_head_end(writer, out, plan);
}

enum hf_err hf_http_msg_to_h1(const struct hf_http_msg *msg, struct hf_h1_writer *writer,
                              struct hf_buf *out, const struct hf_h1_plan *plan,
                              enum hf_h1_case names)
{
    size_t before = hf_buf_len(out);
    enum hf_err err = msg->kind == HF_MSG_TRAILERS
                          ? hf_fail(HF_E_INVALID, "trailers are not a head")
                          : append_head(msg, writer, out, plan, names);
    if (err != HF_OK) {
        out->end = out->start + before;
    }
    return err;
}

enum hf_err hf_http_msg_trailers_to_h1(const struct hf_http_msg *msg, struct hf_h1_writer *writer,
                                       struct hf_buf *out)
{
    bool possible = writer->framing == HF_H1_CHUNKED && !writer->head_only;
    for (size_t i = 0; i < msg->n_fields && possible; i++) {
        if (!(msg->fields[i].traits & HF_FIELD_NO_TRAILER)) {
            HF_TRY(hf_h1_write_trailer(writer, out, hf_http_msg_name(msg, &msg->fields[i]),
                                       hf_http_msg_value(msg, &msg->fields[i])));
        }
    }
    return hf_h1_write_end(writer, out);
}
