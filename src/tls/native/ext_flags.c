// SPDX-License-Identifier: Apache-2.0
#include "tls/native/conn.h"
#include "tls/native/ext_list.h"

/* Extensions without a body: post_handshake_auth (RFC 8446 4.2.6) and early_data (4.2.10), which
 * is never taken but must be known of, so that what follows can be skipped. */

static enum hf_err read_empty(struct hf_bytes body)
{
    struct hf_reader reader = hf_reader_of(body);
    return hf_read_end(&reader);
}

enum hf_err hf_ext_post_auth_write(struct hf_native *conn, struct hf_buf *body, bool *out_include)
{
    (void)body;
    *out_include = hf_native_ctx(conn)->post_auth;
    return HF_OK;
}

enum hf_err hf_ext_post_auth_read(struct hf_native *conn, struct hf_bytes body)
{
    conn->post_auth = true;
    return read_empty(body);
}

enum hf_err hf_ext_early_read_ch(struct hf_native *conn, struct hf_bytes body)
{
    conn->hs->early_offered = !conn->hs->retried; /* none may follow a second ClientHello */
    return read_empty(body);
}
