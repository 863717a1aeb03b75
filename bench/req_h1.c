// SPDX-License-Identifier: Apache-2.0
#include "req.h"

/* HTTP/1.1 of the request generator: one request at a time on a connection. */

#include <stdlib.h>
#include <string.h>

static const char *const alpn[] = {"http/1.1", NULL};

static enum hf_err nothing_to_do(struct req_conn *conn)
{
    (void)conn;
    return HF_OK;
}

static enum hf_err request(struct req_conn *conn, int64_t began_ns)
{
    conn->began_ns = began_ns;
    conn->head_done = false;
    hf_buf_reset(&conn->head);
    if (conn->load->script.n) {
        return req_conn_write(conn, req_script_next(&conn->load->script));
    }
    return req_conn_write(conn, hf_bytes_str("GET / HTTP/1.1\r\nHost: bench.example\r\n"
                                             "User-Agent: hfreq\r\nAccept: */*\r\n\r\n"));
}

static enum hf_err read_head(struct req_conn *conn)
{
    const char *head = hf_buf_cstr(&conn->head);
    const char *length = head ? strcasestr(head, "content-length:") : NULL;
    if (!head || strncmp(head, "HTTP/1.1 2", 10) != 0 || !length) {
        return hf_fail(HF_E_PEER, "answer: %.60s", head ? head : "");
    }
    conn->body_left = strtoull(length + 15, NULL, 10);
    conn->head_done = true;
    return HF_OK;
}

/* One byte at a time until the blank line; heads are short. */
static enum hf_err take_head(struct req_conn *conn, struct hf_bytes *plain)
{
    while (!conn->head_done && plain->len > 0) {
        HF_TRY(hf_buf_append(&conn->head, hf_bytes_of(plain->ptr, 1)));
        *plain = hf_bytes_from(*plain, 1);
        struct hf_bytes head = hf_buf_bytes(&conn->head);
        if (head.len >= 4 && memcmp(head.ptr + head.len - 4, "\r\n\r\n", 4) == 0) {
            HF_TRY(read_head(conn));
        }
    }
    return HF_OK;
}

static enum hf_err receive(struct req_conn *conn, struct hf_bytes plain)
{
    HF_TRY(take_head(conn, &plain));
    if (plain.len > conn->body_left) {
        return hf_fail(HF_E_PEER, "more came than was asked for");
    }
    conn->body_left -= plain.len;
    if (conn->head_done && conn->body_left == 0 && conn->n_flying > 0) {
        conn->n_flying--;
        req_answered(conn, conn->began_ns);
    }
    return HF_OK;
}

static void done(struct req_conn *conn)
{
    (void)conn;
}

const struct req_version req_h1 = {alpn, nothing_to_do, request, nothing_to_do, receive, done};
