// SPDX-License-Identifier: Apache-2.0
#include "tls/native/conn.h"

#include <string.h>

/*
 * CertificateVerify (RFC 8446 4.4.3): both directions are a job. What is signed is 64 spaces, a
 * context string, a zero byte and the transcript hash through Certificate.
 */

static const char server_context[] = "TLS 1.3, server CertificateVerify";
static const char client_context[] = "TLS 1.3, client CertificateVerify";

static size_t build(const struct hf_native *conn, bool by_server, uint8_t *out)
{
    enum { N_SPACES = 64 };
    uint8_t digest[HF_HASH_MAX];
    struct hf_bytes hash = hf_transcript_peek(&conn->hs->transcript, digest);
    memset(out, ' ', N_SPACES);
    memcpy(out + N_SPACES, by_server ? server_context : client_context, sizeof(server_context));
    memcpy(out + N_SPACES + sizeof(server_context), hash.ptr, hash.len);
    return N_SPACES + sizeof(server_context) + hash.len;
}

enum hf_err hf_certificate_verify_sign(struct hf_native *conn)
{
    struct hf_native_job *job = &conn->hs->job;
    job->sign.key = conn->own->key;
    job->sign.scheme = conn->hs->sign_scheme;
    job->sign.message_len = build(conn, conn->server, job->sign.message);
    hf_native_job_ask(conn, HF_JOB_SIGN);
    return HF_OK;
}

enum hf_err hf_certificate_verify_write(struct hf_native *conn)
{
    struct hf_native_hs *hs = conn->hs;
    struct hf_msg_out message;
    struct hf_buf_vec signature;
    HF_TRY(hf_native_job_take(conn));
    HF_TRY(hf_msg_open(conn, HF_MSG_CERTIFICATE_VERIFY, &message));
    HF_TRY(hf_buf_u16(&hs->out, hs->sign_scheme));
    HF_TRY(hf_buf_vec_open(&hs->out, 2, &signature));
    HF_TRY(hf_buf_append(&hs->out, hf_bytes_of(hs->job.sign.sig, hs->job.sign.sig_len)));
    HF_TRY(hf_buf_vec_close(&hs->out, signature));
    return hf_msg_close(conn, &message);
}

static bool we_accept(const struct hf_native_ctx *ctx, uint16_t scheme)
{
    for (size_t i = 0; i < ctx->n_accept; i++) {
        if (ctx->accept[i] == scheme) {
            return true;
        }
    }
    return false;
}

enum hf_err hf_certificate_verify_read(struct hf_native *conn, const struct hf_msg *msg)
{
    struct hf_native_hs *hs = conn->hs;
    struct hf_native_job *job = &hs->job;
    struct hf_reader reader = hf_reader_of(msg->body);
    struct hf_bytes signature;
    uint16_t scheme;
    HF_TRY(hf_read_u16(&reader, &scheme));
    HF_TRY(hf_read_vec16(&reader, &signature));
    HF_TRY(hf_read_end(&reader));
    if (!we_accept(hf_native_ctx(conn), scheme) || !hf_verify_key_fits(hs->peer_key, scheme)) {
        return hf_native_fail(conn, HF_ALERT_ILLEGAL_PARAMETER,
                              "wrong signature type %04x: not offered, or not for this key",
                              scheme);
    }
    if (signature.len > sizeof(job->verify.sig)) {
        return hf_native_refuse(conn, HF_REASON_BAD_PROOF, "bad signature: %zu bytes",
                                signature.len);
    }
    job->verify.key = hs->peer_key;
    job->verify.scheme = scheme;
    job->verify.message_len = build(conn, !conn->server, job->verify.message);
    job->verify.sig_len = signature.len;
    memcpy(job->verify.sig, signature.ptr, signature.len);
    hf_native_job_ask(conn, HF_JOB_VERIFY);
    hf_transcript_add(&hs->transcript, msg->raw);
    return HF_OK;
}

enum hf_err hf_certificate_verify_checked(struct hf_native *conn)
{
    enum hf_err err = hf_native_job_take(conn);
    if (err == HF_E_MISMATCH) {
        return hf_native_refuse(conn, HF_REASON_BAD_PROOF,
                                "bad signature: the peer did not prove that it holds its key");
    }
    HF_TRY(err);
    conn->peer_scheme = conn->hs->job.verify.scheme;
    return HF_OK;
}
