// SPDX-License-Identifier: Apache-2.0
#include "tls/native/conn.h"
#include "tls/native/cookie.h"
#include "tls/native/ext_list.h"

#include <string.h>

/* cookie (RFC 8446 4.2.2). A client gives back what it got; what a server of ours puts into one is
 * cookie.c's. */

static enum hf_err write_cookie(struct hf_native *conn, struct hf_buf *body, bool *out_include)
{
    const struct hf_native_hs *hs = conn->hs;
    struct hf_buf_vec vec;
    *out_include = hs->cookie_len != 0;
    HF_TRY(hf_buf_vec_open(body, 2, &vec));
    HF_TRY(hf_buf_append(body, hf_bytes_of(hs->cookie, hs->cookie_len)));
    return hf_buf_vec_close(body, vec);
}

static enum hf_err read_cookie(struct hf_native *conn, struct hf_bytes body)
{
    struct hf_reader reader = hf_reader_of(body);
    struct hf_bytes cookie;
    HF_TRY(hf_read_vec16(&reader, &cookie));
    HF_TRY(hf_read_end(&reader));
    if (cookie.len == 0) {
        return hf_fail(HF_E_MALFORMED, "an empty cookie");
    }
    if (cookie.len > sizeof(conn->hs->cookie)) {
        return hf_native_fail(conn, HF_ALERT_ILLEGAL_PARAMETER, "a cookie of %zu bytes is too long",
                              cookie.len);
    }
    memcpy(conn->hs->cookie, cookie.ptr, cookie.len);
    conn->hs->cookie_len = (uint16_t)cookie.len;
    return HF_OK;
}

enum hf_err hf_ext_cookie_write_ch(struct hf_native *conn, struct hf_buf *body, bool *out_include)
{
    return write_cookie(conn, body, out_include);
}

enum hf_err hf_ext_cookie_write_hrr(struct hf_native *conn, struct hf_buf *body, bool *out_include)
{
    return write_cookie(conn, body, out_include);
}

enum hf_err hf_ext_cookie_read_hrr(struct hf_native *conn, struct hf_bytes body)
{
    return read_cookie(conn, body);
}

/* Only we give cookies to clients of ours, and only in a HelloRetryRequest. */
enum hf_err hf_ext_cookie_read_ch(struct hf_native *conn, struct hf_bytes body)
{
    if (!conn->hs->retried || !hf_native_ctx(conn)->cookie) {
        return hf_native_fail(conn, HF_ALERT_ILLEGAL_PARAMETER, "a cookie that nobody gave");
    }
    HF_TRY(read_cookie(conn, body));
    return hf_cookie_take(conn);
}
