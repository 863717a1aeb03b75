// SPDX-License-Identifier: Apache-2.0
#include "tls/native/conn.h"
#include "tls/native/ext_list.h"

/*
 * signature_algorithms and signature_algorithms_cert (RFC 8446 4.2.3), which mean the same in a
 * ClientHello and in a CertificateRequest. We name for handshakes what we verify ourselves, and
 * for certificates also PKCS#1 v1.5, which libcrypto verifies. SHA-1 is named nowhere.
 */

static const uint16_t cert_only[] = {HF_SCHEME_RSA_PKCS1_SHA256, HF_SCHEME_RSA_PKCS1_SHA384,
                                     HF_SCHEME_RSA_PKCS1_SHA512};

static enum hf_err write_list(struct hf_buf *body, const uint16_t *first, size_t n_first,
                              const uint16_t *then, size_t n_then)
{
    struct hf_buf_vec list;
    HF_TRY(hf_buf_vec_open(body, 2, &list));
    for (size_t i = 0; i < n_first; i++) {
        HF_TRY(hf_buf_u16(body, first[i]));
    }
    for (size_t i = 0; i < n_then; i++) {
        HF_TRY(hf_buf_u16(body, then[i]));
    }
    return hf_buf_vec_close(body, list);
}

enum hf_err hf_ext_schemes_write(struct hf_native *conn, struct hf_buf *body, bool *out_include)
{
    const struct hf_native_ctx *ctx = hf_native_ctx(conn);
    *out_include = true;
    return write_list(body, ctx->accept, ctx->n_accept, NULL, 0);
}

enum hf_err hf_ext_cert_schemes_write(struct hf_native *conn, struct hf_buf *body,
                                      bool *out_include)
{
    const struct hf_native_ctx *ctx = hf_native_ctx(conn);
    *out_include = true;
    return write_list(body, ctx->accept, ctx->n_accept, cert_only, HF_N_ELEMENTS(cert_only));
}

static enum hf_err read_list(struct hf_bytes body, uint32_t *out)
{
    struct hf_reader reader = hf_reader_of(body);
    struct hf_bytes list;
    HF_TRY(hf_read_vec16(&reader, &list));
    HF_TRY(hf_read_end(&reader));
    if (list.len == 0 || list.len % 2) {
        return hf_fail(HF_E_MALFORMED, "a list of signature schemes of %zu bytes", list.len);
    }
    *out = 0;
    for (size_t i = 0; i < list.len; i += 2) {
        *out |= hf_native_scheme_bit((uint16_t)(list.ptr[i] << 8 | list.ptr[i + 1]));
    }
    return HF_OK;
}

/* Without signature_algorithms_cert this list speaks of certificates too; that one is read after
 * it and then takes its place. */
enum hf_err hf_ext_schemes_read(struct hf_native *conn, struct hf_bytes body)
{
    HF_TRY(read_list(body, &conn->hs->schemes));
    conn->hs->cert_schemes = conn->hs->schemes;
    return HF_OK;
}

enum hf_err hf_ext_cert_schemes_read(struct hf_native *conn, struct hf_bytes body)
{
    return read_list(body, &conn->hs->cert_schemes);
}
