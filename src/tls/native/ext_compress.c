// SPDX-License-Identifier: Apache-2.0
#include "tls/native/conn.h"
#include "tls/native/ext_list.h"

/* compress_certificate (RFC 8879 3), in a ClientHello or CertificateRequest: what the sender can
 * unpack. Of the peer's list we take the first that we like. */

enum hf_err hf_ext_compress_write(struct hf_native *conn, struct hf_buf *body, bool *out_include)
{
    const struct hf_native_ctx *ctx = hf_native_ctx(conn);
    struct hf_buf_vec list;
    *out_include = ctx->n_compressions != 0;
    HF_TRY(hf_buf_vec_open(body, 1, &list));
    for (size_t i = 0; i < ctx->n_compressions; i++) {
        HF_TRY(hf_buf_u16(body, ctx->compressions[i]));
    }
    return hf_buf_vec_close(body, list);
}

enum hf_err hf_ext_compress_read(struct hf_native *conn, struct hf_bytes body)
{
    const struct hf_native_ctx *ctx = hf_native_ctx(conn);
    struct hf_reader reader = hf_reader_of(body);
    struct hf_bytes list;
    HF_TRY(hf_read_vec8(&reader, &list));
    HF_TRY(hf_read_end(&reader));
    if (list.len == 0 || list.len % 2) {
        return hf_fail(HF_E_MALFORMED, "a list of compressions of %zu bytes", list.len);
    }
    size_t best = ctx->n_compressions;
    for (size_t i = 0; i < list.len; i += 2) {
        uint16_t algorithm = (uint16_t)(list.ptr[i] << 8 | list.ptr[i + 1]);
        for (size_t j = 0; j < i; j += 2) {
            if (list.ptr[j] == list.ptr[i] && list.ptr[j + 1] == list.ptr[i + 1]) {
                return hf_native_fail(conn, HF_ALERT_DECODE_ERROR, "compression %u stands twice",
                                      algorithm);
            }
        }
        for (size_t ours = 0; ours < best; ours++) {
            best = ctx->compressions[ours] == algorithm ? ours : best;
        }
    }
    conn->hs->compression = best < ctx->n_compressions ? ctx->compressions[best] : 0;
    return HF_OK;
}
