// SPDX-License-Identifier: Apache-2.0
/* What a connection of the small HTTP server says: requests taken apart and given to their
 * handlers, answers put together from their sources. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "http/status.h"
#include "watch/httpd_conn.h"

/* --- Answers ------------------------------------------------------------------------------------
 */

void hf_conn_end_call(struct hf_httpd_conn *conn)
{
    struct hf_httpd_call *call = &conn->call;
    struct hf_httpd_source source = call->source;
    call->source = (struct hf_httpd_source){0};
    if (source.done) {
        source.done(source.ctx);
    }
    hf_buf_done(&call->whole);
    call->waiting = false;
    if (call->held) {
        return;
    }
    hf_buf_release(&call->head);
    hf_buf_release(&call->body);
    hf_buf_release(&call->extra);
    call->route = NULL;
    call->request = (struct hf_httpd_request){0};
}

static enum hf_err write_extra(struct hf_httpd_conn *conn)
{
    struct hf_bytes extra = hf_buf_bytes(&conn->call.extra);
    while (extra.len) {
        const char *name = (const char *)extra.ptr;
        const char *value = name + strlen(name) + 1;
        HF_TRY(hf_h1_write_field_str(&conn->call.writer, &conn->out, name, value));
        extra = hf_bytes_from(extra, strlen(name) + strlen(value) + 2);
    }
    return HF_OK;
}

static struct hf_h1_plan plan_for(const struct hf_httpd_conn *conn, uint64_t length)
{
    bool old = conn->h1.head.minor == 0;
    struct hf_h1_plan plan = {.framing = HF_H1_LENGTH,
                              .length = length,
                              .head_only = conn->call.request.method == HF_METHOD_HEAD};
    if (length == HF_HTTPD_UNKNOWN) {
        plan.framing = old ? HF_H1_CLOSE : HF_H1_CHUNKED;
    }
    if (!conn->call.keep_alive || plan.framing == HF_H1_CLOSE) {
        plan.connection = HF_H1_CONNECTION_CLOSE;
    } else if (old) {
        plan.connection = HF_H1_CONNECTION_KEEP_ALIVE;
    }
    return plan;
}

static enum hf_err write_head(struct hf_httpd_conn *conn, unsigned status, const char *content_type,
                              uint64_t length)
{
    struct hf_h1_writer *writer = &conn->call.writer;
    char date[HF_HTTP_DATE_SIZE];
    struct hf_h1_plan plan = plan_for(conn, length);
    conn->call.keep_alive = plan.connection != HF_H1_CONNECTION_CLOSE;
    hf_http_date(hf_clock_wall_s(hf_loop_clock(conn->loop)), date);
    HF_TRY(hf_h1_write_response(writer, &conn->out, status, NULL));
    HF_TRY(hf_h1_write_field_str(writer, &conn->out, "Date", date));
    HF_TRY(hf_h1_write_field_str(writer, &conn->out, "Content-Type", content_type));
    HF_TRY(hf_h1_write_field_str(writer, &conn->out, "Cache-Control", "no-store"));
    HF_TRY(hf_h1_write_field_str(writer, &conn->out, "X-Content-Type-Options", "nosniff"));
    HF_TRY(write_extra(conn));
    return hf_h1_write_head_end(writer, &conn->out, &plan);
}

void hf_conn_answer(struct hf_httpd_conn *conn, unsigned status, const char *content_type,
                    uint64_t length, struct hf_httpd_source source)
{
    conn->call.source = source;
    if (write_head(conn, status, content_type, length) != HF_OK) {
        hf_conn_close(conn);
        return;
    }
    hf_conn_move(conn, HF_CONN_SENDING);
}

static enum hf_httpd_flow whole_next(void *ctx, struct hf_buf *out)
{
    struct hf_httpd_conn *conn = ctx;
    struct hf_buf *whole = &conn->call.whole;
    size_t n = hf_buf_len(whole) < HF_HTTPD_PIECE ? hf_buf_len(whole) : HF_HTTPD_PIECE;
    if (hf_buf_append(out, hf_bytes_of(hf_buf_bytes(whole).ptr, n)) != HF_OK) {
        return HF_HTTPD_BREAK;
    }
    hf_buf_consume(whole, n);
    return hf_buf_len(whole) ? HF_HTTPD_MORE : HF_HTTPD_END;
}

void hf_conn_answer_whole(struct hf_httpd_conn *conn, unsigned status, const char *content_type)
{
    struct hf_httpd_source source = {.next = whole_next, .ctx = conn};
    hf_conn_answer(conn, status, content_type, hf_buf_len(&conn->call.whole), source);
}

static enum hf_err write_refusal(struct hf_buf *out, const char *code, const char *message)
{
    HF_TRY(hf_buf_append_str(out, "{\"error\": "));
    HF_TRY(hf_append_json_string(out, hf_bytes_str(code)));
    HF_TRY(hf_buf_append_str(out, ", \"message\": "));
    HF_TRY(hf_append_json_string(out, hf_bytes_str(message)));
    return hf_buf_append_str(out, "}\n");
}

void hf_conn_say_error(struct hf_httpd_conn *conn, unsigned status, const char *code,
                       const char *message)
{
    hf_buf_done(&conn->call.whole);
    conn->call.whole = HF_BUF_INIT(8192);
    if (write_refusal(&conn->call.whole, code, message) != HF_OK) {
        hf_conn_close(conn);
        return;
    }
    hf_conn_answer_whole(conn, status, "application/json");
}

void hf_conn_refuse(struct hf_httpd_conn *conn, unsigned status, const char *code,
                    const char *message)
{
    conn->call.keep_alive = false;
    hf_conn_say_error(conn, status, code, message);
}

/* After the last piece of an answer: the next request, or the end. */
static void answered(struct hf_httpd_conn *conn)
{
    bool keep_alive = conn->call.keep_alive;
    hf_conn_end_call(conn);
    if (!keep_alive) {
        hf_conn_move(conn, HF_CONN_CLOSING);
        return;
    }
    hf_h1_next(&conn->h1);
    hf_h1_set_fields(&conn->h1, conn->fields, HF_CONN_FIELDS);
    conn->in_body = false;
    hf_conn_move(conn, HF_CONN_IDLE);
}

static bool send_piece(struct hf_httpd_conn *conn)
{
    struct hf_httpd_call *call = &conn->call;
    struct hf_buf *piece = &conn->httpd->piece;
    if (call->waiting || hf_buf_len(&conn->out) >= HF_CONN_OUT_FULL) {
        return false;
    }
    enum hf_httpd_flow flow = HF_HTTPD_END;
    if (!call->writer.head_only) {
        hf_buf_reset(piece);
        flow = call->source.next(call->source.ctx, piece);
        if (hf_h1_write_data(&call->writer, &conn->out, hf_buf_bytes(piece)) != HF_OK) {
            flow = HF_HTTPD_BREAK;
        }
    }
    if (flow == HF_HTTPD_END && hf_h1_write_end(&call->writer, &conn->out) != HF_OK) {
        flow = HF_HTTPD_BREAK;
    }
    switch (flow) {
    case HF_HTTPD_MORE:
        break;
    case HF_HTTPD_WAIT:
        call->waiting = true;
        hf_timer_set(conn->loop, &conn->timer, conn->httpd->limits.answer_ms);
        break;
    case HF_HTTPD_END:
        answered(conn);
        break;
    case HF_HTTPD_BREAK:
        hf_conn_close(conn);
        break;
    }
    return true;
}

/* --- Requests -----------------------------------------------------------------------------------
 */

/* What of the path is not in the route; ptr NULL when they don't go together. */
static struct hf_bytes match(const struct hf_httpd_route *route, struct hf_bytes path)
{
    size_t len = strlen(route->path);
    bool open_ended = len > 0 && route->path[len - 1] == '*';
    size_t fixed = open_ended ? len - 1 : len;
    if (path.len < fixed || memcmp(path.ptr, route->path, fixed) != 0 ||
        (!open_ended && path.len != fixed)) {
        return hf_bytes_of(NULL, 0);
    }
    return hf_bytes_of(path.ptr + fixed, path.len - fixed);
}

static bool method_fits(enum hf_http_method route, enum hf_http_method method)
{
    return route == method || (route == HF_METHOD_GET && method == HF_METHOD_HEAD);
}

static void refuse_method(struct hf_httpd_conn *conn, unsigned allowed)
{
    char allow[128] = "";
    for (unsigned i = HF_METHOD_OTHER + 1; i < HF_METHOD_N; i++) {
        if (allowed & (1u << i)) {
            size_t len = strlen(allow);
            snprintf(allow + len, sizeof(allow) - len, "%s%s", len ? ", " : "",
                     hf_http_method_text((enum hf_http_method)i));
        }
    }
    hf_httpd_field(&conn->call, "Allow", allow);
    char message[256];
    snprintf(message, sizeof(message), "this path takes %s", allow);
    hf_conn_say_error(conn, 405, "method-not-allowed", message);
}

/* Gives the request to its handler; the handler holds it until it answers. */
static void dispatch(struct hf_httpd_conn *conn)
{
    struct hf_httpd_call *call = &conn->call;
    const struct hf_httpd_config *config = &conn->httpd->config;
    unsigned allowed = 0;
    call->request.body = hf_buf_bytes(&call->body);
    for (size_t i = 0; i < config->n_routes; i++) {
        const struct hf_httpd_route *route = &config->routes[i];
        if (!match(route, call->request.path).ptr) {
            continue;
        }
        allowed |= 1u << route->method;
        allowed |= route->method == HF_METHOD_GET ? 1u << HF_METHOD_HEAD : 0;
        if (method_fits(route->method, call->request.method)) {
            call->route = route;
            call->held = true;
            hf_conn_move(conn, HF_CONN_PENDING);
            route->handle(config->ctx, call);
            return;
        }
    }
    if (allowed) {
        refuse_method(conn, allowed);
    } else {
        hf_conn_say_error(conn, 404, "not-found", "there is nothing at this path");
    }
}

struct hf_bytes hf_httpd_rest(const struct hf_httpd_call *call)
{
    return match(call->route, call->request.path);
}

static void fault(struct hf_httpd_conn *conn)
{
    enum hf_http_fault what = conn->h1.fault;
    hf_conn_refuse(conn, hf_http_fault_status(what), hf_http_fault_code(what),
                   hf_http_fault_text(what));
}

/* The head is copied: the request outlives the connection's buffer. Trailers go to an array of
 * their own, for the fields of the head are still wanted. */
static enum hf_err take_head(struct hf_httpd_conn *conn)
{
    struct hf_httpd_call *call = &conn->call;
    const struct hf_h1_head *head = &conn->h1.head;
    HF_TRY(hf_buf_append(&call->head, hf_bytes_of(hf_buf_bytes(&conn->in).ptr, head->len)));
    hf_buf_consume(&conn->in, head->len);
    struct hf_bytes bytes = hf_buf_bytes(&call->head);
    struct hf_bytes path = hf_http_slice_bytes(bytes, head->path);
    bool bare = path.len == 0 && head->form == HF_TARGET_ABSOLUTE; /* RFC 9110 4.2.3 */
    call->keep_alive = head->keep_alive;
    call->request = (struct hf_httpd_request){
        .method = head->method,
        .path = bare ? hf_bytes_str("/") : path,
        .query = hf_http_slice_bytes(bytes, head->query),
        .fields = hf_h1_fields(&conn->h1, bytes),
        .peer = &conn->peer,
        .filter_state = conn->filter_state,
    };
    hf_h1_set_fields(&conn->h1, conn->trailers, HF_CONN_TRAILERS);
    conn->in_body = true;
    bool wants_more = head->framing != HF_H1_NONE && hf_buf_len(&conn->in) == 0;
    return head->expect_continue && wants_more
               ? hf_buf_append_str(&conn->out, "HTTP/1.1 100 Continue\r\n\r\n")
               : HF_OK;
}

static enum hf_h1_step read_head(struct hf_httpd_conn *conn)
{
    enum hf_h1_step step = hf_h1_head(&conn->h1, hf_buf_bytes(&conn->in));
    if (step == HF_H1_HEAD && take_head(conn) != HF_OK) {
        hf_conn_close(conn);
        return HF_H1_MORE;
    }
    return step;
}

static enum hf_h1_step read_body(struct hf_httpd_conn *conn)
{
    size_t used;
    struct hf_bytes data;
    enum hf_h1_step step = hf_h1_body(&conn->h1, hf_buf_bytes(&conn->in), &used, &data);
    if (step == HF_H1_DATA && hf_buf_append(&conn->call.body, data) != HF_OK) {
        hf_conn_close(conn);
        return HF_H1_MORE;
    }
    hf_buf_consume(&conn->in, used);
    return step;
}

static bool read_request(struct hf_httpd_conn *conn)
{
    enum hf_h1_step step = conn->in_body ? read_body(conn) : read_head(conn);
    switch (step) {
    case HF_H1_MORE:
        if (conn->eof && hf_conn_phase(conn) != HF_CONN_CLOSED) {
            hf_conn_move(conn, HF_CONN_CLOSING);
        }
        return conn->eof;
    case HF_H1_FAILED:
        fault(conn);
        return true;
    case HF_H1_END:
        dispatch(conn);
        return true;
    default:
        return true;
    }
}

bool hf_conn_http(struct hf_httpd_conn *conn)
{
    bool some = hf_buf_len(&conn->in) > 0;
    switch (hf_conn_phase(conn)) {
    case HF_CONN_IDLE:
        if (hf_buf_len(&conn->out) >= HF_CONN_OUT_FULL) {
            return false;
        }
        if (some) {
            hf_conn_move(conn, HF_CONN_READING);
        } else if (conn->eof) {
            hf_conn_move(conn, HF_CONN_CLOSING); /* earlier answers may still be on their way */
        }
        return some || conn->eof;
    case HF_CONN_READING:
        return read_request(conn);
    case HF_CONN_SENDING:
        return send_piece(conn);
    default:
        return false;
    }
}
