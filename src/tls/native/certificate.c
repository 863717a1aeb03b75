// SPDX-License-Identifier: Apache-2.0
#include "tls/native/compress.h"
#include "tls/native/conn.h"
#include "tls/native/peer.h"

/*
 * Certificate (RFC 8446 4.4.2) and CompressedCertificate (RFC 8879), which is the other packed. The
 * first entry may carry a staple; ours above it carry nothing, a peer's may carry staples, too.
 */

/* --- Writing ------------------------------------------------------------------------------------
 */

static enum hf_err write_entry(struct hf_native *conn, struct hf_buf *out, size_t at)
{
    struct hf_buf_vec der;
    uint32_t sent;
    HF_TRY(hf_buf_vec_open(out, 3, &der));
    HF_TRY(hf_buf_append(out, conn->own->credential->chain->certs[at]->der));
    HF_TRY(hf_buf_vec_close(out, der));
    return at == 0 ? hf_ext_write(conn, HF_EXT_IN_CT, out, &sent) : hf_buf_u16(out, 0);
}

static enum hf_err write_body(struct hf_native *conn, struct hf_buf *out)
{
    struct hf_native_hs *hs = conn->hs;
    size_t n_certs = conn->own ? conn->own->credential->chain->n_certs : 0;
    bool echo = !conn->server; /* a server's own Certificate has no context */
    struct hf_buf_vec list;
    HF_TRY(hf_buf_u8(out, echo ? hs->context_len : 0));
    HF_TRY(hf_buf_append(out, hf_bytes_of(hs->context, echo ? hs->context_len : 0)));
    HF_TRY(hf_buf_vec_open(out, 3, &list));
    for (size_t i = 0; i < n_certs; i++) {
        HF_TRY(write_entry(conn, out, i));
    }
    return hf_buf_vec_close(out, list);
}

static enum hf_err write_compressed(struct hf_native *conn)
{
    struct hf_native_hs *hs = conn->hs;
    struct hf_buf plain HF_CLEANUP(hf_buf_done) = HF_BUF_INIT(HF_NATIVE_FLIGHT_MAX);
    struct hf_msg_out message;
    struct hf_buf_vec packed;
    HF_TRY(write_body(conn, &plain));
    HF_TRY(hf_msg_open(conn, HF_MSG_COMPRESSED_CERTIFICATE, &message));
    HF_TRY(hf_buf_u16(&hs->out, hs->compression));
    HF_TRY(hf_buf_u24(&hs->out, (uint32_t)hf_buf_len(&plain)));
    HF_TRY(hf_buf_vec_open(&hs->out, 3, &packed));
    HF_TRY(hf_compress(hs->compression, hf_buf_bytes(&plain), &hs->out));
    HF_TRY(hf_buf_vec_close(&hs->out, packed));
    return hf_msg_close(conn, &message);
}

enum hf_err hf_certificate_write(struct hf_native *conn)
{
    struct hf_msg_out message;
    conn->hs->cert_sent = conn->own != NULL;
    if (conn->own && conn->hs->compression) {
        return write_compressed(conn);
    }
    HF_TRY(hf_msg_open(conn, HF_MSG_CERTIFICATE, &message));
    HF_TRY(write_body(conn, &conn->hs->out));
    return hf_msg_close(conn, &message);
}

/* --- Reading ------------------------------------------------------------------------------------
 */

static enum hf_err read_entry(struct hf_native *conn, struct hf_reader *list, size_t at,
                              struct hf_bytes *out_der)
{
    struct hf_bytes block;
    struct hf_ext_set set;
    HF_TRY(hf_read_vec24(list, out_der));
    HF_TRY(hf_read_vec16(list, &block));
    if (out_der->len == 0) {
        return hf_fail(HF_E_MALFORMED, "an empty certificate");
    }
    HF_TRY(hf_ext_split(conn, HF_EXT_IN_CT, block, conn->hs->offered, &set));
    conn->hs->cert_at = at;
    return hf_ext_read(conn, HF_EXT_IN_CT, &set);
}

static enum hf_err check_context(struct hf_native *conn, struct hf_bytes context)
{
    const struct hf_native_hs *hs = conn->hs;
    struct hf_bytes wanted = hf_bytes_of(hs->context, conn->server ? hs->context_len : 0);
    if (!hf_bytes_eq(context, wanted)) {
        return hf_native_fail(conn, HF_ALERT_ILLEGAL_PARAMETER,
                              "its context is not that of the request");
    }
    return HF_OK;
}

static enum hf_err read_body(struct hf_native *conn, struct hf_bytes body)
{
    struct hf_bytes ders[HF_CHAIN_MAX];
    struct hf_bytes context, list;
    size_t n = 0;
    struct hf_reader reader = hf_reader_of(body);
    HF_TRY(hf_read_vec8(&reader, &context));
    HF_TRY(hf_read_vec24(&reader, &list));
    HF_TRY(hf_read_end(&reader));
    HF_TRY(check_context(conn, context));
    hf_native_ca_staples_free(conn); /* of an earlier one, after the handshake */
    for (reader = hf_reader_of(list); reader.rest.len; n++) {
        if (n == HF_CHAIN_MAX) {
            return hf_native_refuse(conn, HF_REASON_CHAIN_TOO_LONG, "more than %d certificates",
                                    HF_CHAIN_MAX);
        }
        HF_TRY(read_entry(conn, &reader, n, &ders[n]));
    }
    conn->hs->cert_seen = n != 0;
    return n ? hf_peer_set(conn, ders, n) : HF_OK;
}

static bool we_named(const struct hf_native_ctx *ctx, uint16_t algorithm)
{
    for (size_t i = 0; i < ctx->n_compressions; i++) {
        if (ctx->compressions[i] == algorithm) {
            return true;
        }
    }
    return false;
}

/* RFC 8879 4: unpacked exactly to the length given, which the limit of an ordinary one holds. */
static enum hf_err read_compressed(struct hf_native *conn, struct hf_bytes body)
{
    struct hf_reader reader = hf_reader_of(body);
    struct hf_bytes packed;
    struct hf_span plain;
    uint16_t algorithm;
    uint32_t len;
    HF_TRY(hf_read_u16(&reader, &algorithm));
    HF_TRY(hf_read_u24(&reader, &len));
    HF_TRY(hf_read_vec24(&reader, &packed));
    HF_TRY(hf_read_end(&reader));
    if (!we_named(hf_native_ctx(conn), algorithm)) {
        return hf_native_fail(conn, HF_ALERT_ILLEGAL_PARAMETER,
                              "unknown compression %u, which was not offered", algorithm);
    }
    if (packed.len == 0) {
        return hf_fail(HF_E_MALFORMED, "an empty compressed certificate");
    }
    if (len > hf_msg_max(HF_MSG_CERTIFICATE)) {
        return hf_native_fail(conn, HF_ALERT_BAD_CERTIFICATE, "too large: %u bytes unpacked", len);
    }
    struct hf_buf unpacked HF_CLEANUP(hf_buf_done) = HF_BUF_INIT(len);
    HF_TRY(hf_buf_reserve(&unpacked, len, &plain));
    enum hf_err err = hf_decompress(algorithm, packed, plain);
    if (err == HF_E_MALFORMED) {
        return hf_native_fail(conn, HF_ALERT_BAD_CERTIFICATE,
                              "unpacking failed: it is broken, or "
                              "not of the length given");
    }
    HF_TRY(err);
    return read_body(conn, hf_span_bytes(plain));
}

enum hf_err hf_certificate_read(struct hf_native *conn, const struct hf_msg *msg)
{
    if (msg->type == HF_MSG_COMPRESSED_CERTIFICATE && !hf_native_ctx(conn)->n_compressions) {
        return hf_native_fail(conn, HF_ALERT_UNEXPECTED_MESSAGE, "compression was not offered");
    }
    HF_TRY(msg->type == HF_MSG_CERTIFICATE ? read_body(conn, msg->body)
                                           : read_compressed(conn, msg->body));
    hf_transcript_add(&conn->hs->transcript, msg->raw);
    return HF_OK;
}
