// SPDX-License-Identifier: Apache-2.0
/* What a handler sees: the request, and the ways to answer it. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "http/chars.h"
#include "http/query.h"
#include "watch/httpd_conn.h"

static struct hf_httpd_conn *conn_of(struct hf_httpd_call *call)
{
    return HF_CONTAINER_OF(call, struct hf_httpd_conn, call);
}

const struct hf_httpd_request *hf_httpd_request(const struct hf_httpd_call *call)
{
    return &call->request;
}

bool hf_httpd_param(const struct hf_httpd_call *call, const char *name, char *out, size_t size)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf value = HF_BUF_INIT(size - 1);
    bool found;
    if (hf_http_query_get(call->request.query, name, &found, &value) != HF_OK || !found) {
        return false;
    }
    const char *text = hf_buf_cstr(&value);
    if (!text || strlen(text) != hf_buf_len(&value)) {
        return false;
    }
    memcpy(out, text, hf_buf_len(&value) + 1);
    return true;
}

bool hf_httpd_prefers_json(const struct hf_httpd_call *call)
{
    struct hf_bytes rest;
    struct hf_bytes type;
    if (!hf_http_fields_find(&call->request.fields, HF_HTTP_ACCEPT, &rest)) {
        return false;
    }
    while (hf_http_list_next(&rest, &type)) {
        const uint8_t *parameters = memchr(type.ptr, ';', type.len);
        type.len = parameters ? (size_t)(parameters - type.ptr) : type.len;
        type = hf_http_trim(type);
        if (hf_http_eq_str(type, "application/json")) {
            return true;
        }
        if (hf_http_eq_str(type, "text/plain") || hf_http_eq_str(type, "*/*")) {
            return false;
        }
    }
    return false;
}

void hf_httpd_field(struct hf_httpd_call *call, const char *name, const char *value)
{
    struct hf_bytes text = hf_bytes_str(value);
    size_t before = hf_buf_len(&call->extra);
    uint8_t traits;
    (void)hf_http_name_find(hf_bytes_str(name), &traits);
    if (!*name || hf_http_span(hf_bytes_str(name), HF_CHAR_TOKEN) != strlen(name) ||
        hf_http_value_span(text) != text.len || (traits & (HF_FIELD_FRAMING | HF_FIELD_HOP))) {
        return;
    }
    if (hf_buf_append(&call->extra, hf_bytes_of(name, strlen(name) + 1)) == HF_OK &&
        hf_buf_append(&call->extra, hf_bytes_of(value, strlen(value) + 1)) != HF_OK) {
        call->extra.end = call->extra.start + before;
    }
}

/* The handler has answered. True when there is somebody to tell: the connection lives and nothing
 * was said in the handler's place. */
static bool let_go(struct hf_httpd_conn *conn)
{
    conn->call.held = false;
    if (hf_conn_phase(conn) == HF_CONN_PENDING) {
        return true;
    }
    hf_conn_reap(conn);
    return false;
}

void hf_httpd_stream(struct hf_httpd_call *call, unsigned status, const char *content_type,
                     uint64_t length, struct hf_httpd_source source)
{
    struct hf_httpd_conn *conn = conn_of(call);
    if (!let_go(conn)) {
        if (source.done) {
            source.done(source.ctx);
        }
        return;
    }
    hf_conn_answer(conn, status, content_type, length, source);
    hf_conn_run(conn);
}

void hf_httpd_wake(struct hf_httpd_call *call)
{
    struct hf_httpd_conn *conn = conn_of(call);
    call->waiting = false;
    hf_conn_run(conn);
}

void hf_httpd_buf(struct hf_httpd_call *call, unsigned status, const char *content_type,
                  struct hf_buf *body)
{
    struct hf_httpd_conn *conn = conn_of(call);
    struct hf_buf taken = *body;
    *body = HF_BUF_INIT(taken.cap);
    if (!let_go(conn)) {
        hf_buf_done(&taken);
        return;
    }
    hf_buf_done(&call->whole);
    call->whole = taken;
    hf_conn_answer_whole(conn, status, content_type);
    hf_conn_run(conn);
}

void hf_httpd_text(struct hf_httpd_call *call, unsigned status, const char *content_type,
                   struct hf_bytes body)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf copy = HF_BUF_INIT(HF_HTTPD_ANSWER_MAX);
    if (hf_buf_append(&copy, body) != HF_OK) {
        hf_httpd_error(call, 500, "internal", "the answer can't be made");
        return;
    }
    hf_httpd_buf(call, status, content_type, &copy);
}

static int append_json(const char *text, size_t len, void *ctx)
{
    return hf_buf_append(ctx, hf_bytes_of(text, len)) == HF_OK ? 0 : -1;
}

void hf_httpd_json(struct hf_httpd_call *call, unsigned status, json_t *value)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_HTTPD_ANSWER_MAX);
    const size_t flags = JSON_INDENT(2) | JSON_ENCODE_ANY;
    bool made = value && json_dump_callback(value, append_json, &text, flags) == 0 &&
                hf_buf_append_str(&text, "\n") == HF_OK;
    json_decref(value);
    if (!made) {
        hf_httpd_error(call, 500, "internal", "the answer can't be made");
        return;
    }
    hf_httpd_buf(call, status, "application/json", &text);
}

void hf_httpd_error(struct hf_httpd_call *call, unsigned status, const char *code,
                    const char *format, ...)
{
    struct hf_httpd_conn *conn = conn_of(call);
    char message[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    if (let_go(conn)) {
        hf_conn_say_error(conn, status, code, message);
        hf_conn_run(conn);
    }
}
