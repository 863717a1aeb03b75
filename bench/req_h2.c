// SPDX-License-Identifier: Apache-2.0
#include "req.h"

/* HTTP/2 of the request generator, over nghttp2: many requests at a time on a connection. */

#include <nghttp2/nghttp2.h>
#include <string.h>

static const char *const alpn[] = {"h2", NULL};

/* began_ns stands behind a stream as its user data, off by one so that it is never NULL. */
static void *as_mark(int64_t began_ns)
{
    return (void *)(intptr_t)(began_ns + 1);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *ctx)
{
    struct req_conn *conn = ctx;
    (void)session;
    (void)frame;
    (void)flags;
    if (name_len == 7 && memcmp(name, ":status", 7) == 0 &&
        (value_len != 3 || memcmp(value, "200", 3) != 0)) {
        req_fail(conn->load, hf_fail(HF_E_PEER, "answer: %.*s", (int)value_len, value), "stream");
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *ctx)
{
    struct req_conn *conn = ctx;
    int64_t began_ns = (int64_t)(intptr_t)nghttp2_session_get_stream_user_data(session, id) - 1;
    if (code != NGHTTP2_NO_ERROR) {
        req_fail(conn->load, hf_fail(HF_E_PEER, "reset: %s", nghttp2_http2_strerror(code)),
                 "stream");
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    conn->n_flying--;
    req_answered(conn, began_ns);
    return 0;
}

static enum hf_err send_ready(struct req_conn *conn)
{
    for (;;) {
        const uint8_t *bytes;
        ssize_t n = nghttp2_session_mem_send(conn->h2, &bytes);
        if (n <= 0) {
            return n < 0 ? hf_fail(HF_E_PEER, "%s", nghttp2_strerror((int)n)) : HF_OK;
        }
        HF_TRY(req_conn_write(conn, hf_bytes_of(bytes, (size_t)n)));
    }
}

static enum hf_err start(struct req_conn *conn)
{
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_session *session = NULL;
    if (nghttp2_session_callbacks_new(&callbacks) != 0) {
        return HF_E_NOMEM;
    }
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    int failed = nghttp2_session_client_new(&session, callbacks, conn);
    nghttp2_session_callbacks_del(callbacks);
    if (failed || nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, NULL, 0) != 0) {
        nghttp2_session_del(session);
        return HF_E_NOMEM;
    }
    conn->h2 = session;
    return HF_OK;
}

#define FIELD(name, value) \
    { \
        (uint8_t *)(uintptr_t)(name), (uint8_t *)(uintptr_t)(value), sizeof(name) - 1, \
            sizeof(value) - 1, NGHTTP2_NV_FLAG_NONE \
    }

static enum hf_err request(struct req_conn *conn, int64_t began_ns)
{
    static const nghttp2_nv fields[] = {
        FIELD(":method", "GET"), FIELD(":scheme", "https"),    FIELD(":authority", "bench.example"),
        FIELD(":path", "/"),     FIELD("user-agent", "hfreq"), FIELD("accept", "*/*"),
    };
    int32_t id = nghttp2_submit_request(conn->h2, NULL, fields, HF_N_ELEMENTS(fields), NULL,
                                        as_mark(began_ns));
    if (id < 0) {
        return hf_fail(HF_E_PEER, "%s", nghttp2_strerror(id));
    }
    return HF_OK;
}

static enum hf_err receive(struct req_conn *conn, struct hf_bytes plain)
{
    ssize_t n = nghttp2_session_mem_recv(conn->h2, plain.ptr, plain.len);
    if (n < 0) {
        return hf_fail(HF_E_PEER, "%s", nghttp2_strerror((int)n));
    }
    return HF_OK;
}

static void done(struct req_conn *conn)
{
    nghttp2_session_del(conn->h2);
    conn->h2 = NULL;
}

const struct req_version req_h2 = {alpn, start, request, send_ready, receive, done};
