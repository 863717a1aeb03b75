// SPDX-License-Identifier: Apache-2.0
#include <string.h>

#include "base/mem.h"
#include "tls/native/conn.h"
#include "tls/native/ext_list.h"

/*
 * status_request (RFC 8446 4.4.2.1, RFC 6066 8): each side may ask the other for an OCSP response
 * beside its certificate. The bytes are carried and not looked into: what a staple proves is the
 * judge's to say.
 */

enum { STATUS_OCSP = 1 };

enum hf_err hf_ext_status_write_ch(struct hf_native *conn, struct hf_buf *body, bool *out_include)
{
    *out_include = hf_native_ctx(conn)->ask_staple;
    HF_TRY(hf_buf_u8(body, STATUS_OCSP));
    HF_TRY(hf_buf_u16(body, 0)); /* responder_id_list */
    return hf_buf_u16(body, 0);  /* request_extensions */
}

enum hf_err hf_ext_status_read_ch(struct hf_native *conn, struct hf_bytes body)
{
    struct hf_reader reader = hf_reader_of(body);
    struct hf_bytes list;
    uint8_t type;
    HF_TRY(hf_read_u8(&reader, &type));
    if (type != STATUS_OCSP) {
        return HF_OK; /* another kind of status, which we haven't */
    }
    HF_TRY(hf_read_vec16(&reader, &list));
    HF_TRY(hf_read_vec16(&reader, &list));
    HF_TRY(hf_read_end(&reader));
    conn->hs->staple_asked = true;
    return HF_OK;
}

enum hf_err hf_ext_status_write_cr(struct hf_native *conn, struct hf_buf *body, bool *out_include)
{
    (void)body;
    *out_include = hf_native_ctx(conn)->ask_staple;
    return HF_OK;
}

/* Empty by RFC 8446 4.4.2.1; some servers send a ClientHello's form. */
enum hf_err hf_ext_status_read_cr(struct hf_native *conn, struct hf_bytes body)
{
    if (body.len) {
        return hf_ext_status_read_ch(conn, body);
    }
    conn->hs->staple_asked = true;
    return HF_OK;
}

enum hf_err hf_ext_status_write_ct(struct hf_native *conn, struct hf_buf *body, bool *out_include)
{
    struct hf_buf_vec response;
    HF_TRY(hf_buf_u8(body, STATUS_OCSP));
    HF_TRY(hf_buf_vec_open(body, 3, &response));
    size_t before = hf_buf_len(body);
    if (conn->hs->staple_asked) {
        HF_TRY(hf_native_staple_append(hf_native_ctx(conn), conn->own, body));
    }
    *out_include = hf_buf_len(body) > before;
    return hf_buf_vec_close(body, response);
}

void hf_native_ca_staples_free(struct hf_native *conn)
{
    struct hf_bytes *all = HF_TAKE(conn->hs->ca_staples);
    conn->base.peer_ca_staples = NULL;
    for (size_t i = 0; all && i < HF_CHAIN_MAX; i++) {
        hf_free((uint8_t *)(uintptr_t)all[i].ptr);
    }
    hf_free(all);
}

/* Of a certificate above the leaf. It lives until the peer has been judged. */
static enum hf_err keep_ca_staple(struct hf_native *conn, struct hf_bytes response)
{
    struct hf_native_hs *hs = conn->hs;
    if (!hs->ca_staples) {
        hs->ca_staples = hf_alloc_zero(HF_CHAIN_MAX, sizeof(*hs->ca_staples));
    }
    uint8_t *copy = hs->ca_staples ? hf_alloc(response.len) : NULL;
    if (!copy) {
        return HF_E_NOMEM;
    }
    memcpy(copy, response.ptr, response.len);
    hs->ca_staples[hs->cert_at] = hf_bytes_of(copy, response.len);
    conn->base.peer_ca_staples = hs->ca_staples;
    return HF_OK;
}

enum hf_err hf_ext_status_read_ct(struct hf_native *conn, struct hf_bytes body)
{
    struct hf_reader reader = hf_reader_of(body);
    struct hf_bytes response;
    uint8_t type;
    HF_TRY(hf_read_u8(&reader, &type));
    if (type != STATUS_OCSP) {
        return hf_fail(HF_E_MALFORMED, "a status of type %u, which nobody asked for", type);
    }
    HF_TRY(hf_read_vec24(&reader, &response));
    HF_TRY(hf_read_end(&reader));
    if (response.len == 0) {
        return hf_fail(HF_E_MALFORMED, "an empty OCSP response");
    }
    if (response.len > HF_NATIVE_STAPLE_MAX) {
        return hf_native_fail(conn, HF_ALERT_BAD_CERTIFICATE_STATUS_RESPONSE,
                              "an OCSP response of %zu bytes is too long", response.len);
    }
    if (conn->hs->cert_at > 0) {
        return keep_ca_staple(conn, response);
    }
    hf_buf_done(&conn->staple);
    conn->staple = HF_BUF_INIT(HF_NATIVE_STAPLE_MAX);
    HF_TRY(hf_buf_append(&conn->staple, response));
    conn->base.peer_staple = hf_buf_bytes(&conn->staple);
    return HF_OK;
}
