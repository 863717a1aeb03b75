// SPDX-License-Identifier: Apache-2.0
#include "tls/native/cookie.h"

#include <string.h>

#include "tls/native/conn.h"

/*
 * Contents: suite (2), group or 0 (2), hash of the first ClientHello. Sealed like a ticket, under a
 * key of the context's own. The HelloRetryRequest itself is remade from these, since it says
 * nothing else.
 */

enum { COOKIE_PLAIN_MAX = 4 + HF_HASH_MAX };

enum hf_err hf_cookie_make(struct hf_native *conn)
{
    struct hf_native_hs *hs = conn->hs;
    uint8_t digest[HF_HASH_MAX];
    struct hf_buf plain HF_CLEANUP(hf_buf_done) = HF_BUF_INIT(COOKIE_PLAIN_MAX);
    struct hf_buf cookie HF_CLEANUP(hf_buf_done) = HF_BUF_INIT(sizeof(hs->cookie));
    struct hf_crypto *crypto = hf_crypto_here();
    if (!crypto) {
        return HF_E_NOMEM;
    }
    HF_TRY(hf_buf_u16(&plain, conn->suite->id));
    HF_TRY(hf_buf_u16(&plain, hs->retry_group));
    HF_TRY(hf_buf_append(&plain, hf_transcript_peek(&hs->transcript, digest)));
    HF_TRY(hf_ticket_seal_make(&hf_native_ctx(conn)->cookie_seal, crypto, conn->base.ctx->rng,
                               hf_buf_bytes(&plain), &cookie));
    struct hf_bytes sealed = hf_buf_bytes(&cookie);
    memcpy(hs->cookie, sealed.ptr, sealed.len);
    hs->cookie_len = (uint16_t)sealed.len;
    return HF_OK;
}

static enum hf_err open_cookie(struct hf_native *conn, struct hf_buf *plain)
{
    struct hf_native_hs *hs = conn->hs;
    struct hf_crypto *crypto = hf_crypto_here();
    bool old_key;
    if (!crypto) {
        return HF_E_NOMEM;
    }
    enum hf_err err = hf_ticket_seal_open(&hf_native_ctx(conn)->cookie_seal, crypto,
                                          hf_bytes_of(hs->cookie, hs->cookie_len), plain, &old_key);
    if (err == HF_E_NOT_FOUND || err == HF_E_TRUNCATED || err == HF_E_MISMATCH) {
        return hf_native_fail(conn, HF_ALERT_ILLEGAL_PARAMETER, "a cookie that is not ours");
    }
    return err;
}

/* The transcript as it was after the HelloRetryRequest: message_hash and that. */
static enum hf_err resume_transcript(struct hf_native *conn, struct hf_bytes hello_hash)
{
    struct hf_buf retry HF_CLEANUP(hf_buf_done) = HF_BUF_INIT(2 * sizeof(conn->hs->cookie));
    hf_transcript_resume(&conn->hs->transcript, conn->suite->hash, hello_hash.ptr);
    HF_TRY(hf_server_hello_encode(conn, true, &retry));
    hf_transcript_add(&conn->hs->transcript, hf_buf_bytes(&retry));
    return HF_OK;
}

enum hf_err hf_cookie_take(struct hf_native *conn)
{
    struct hf_buf plain HF_CLEANUP(hf_buf_done) = HF_BUF_INIT(COOKIE_PLAIN_MAX);
    HF_TRY(open_cookie(conn, &plain));
    struct hf_reader reader = hf_reader_of(hf_buf_bytes(&plain));
    uint16_t suite, group;
    HF_TRY(hf_read_u16(&reader, &suite));
    HF_TRY(hf_read_u16(&reader, &group));
    conn->suite = hf_suite_find(suite);
    if (!conn->suite || reader.rest.len != hf_hash_size(conn->suite->hash)) {
        return hf_fail(HF_E_INTERNAL, "a cookie of ours without sense");
    }
    conn->hs->retry_group = group;
    conn->hs->cookie_taken = true;
    return resume_transcript(conn, reader.rest);
}
