// SPDX-License-Identifier: Apache-2.0
#include "tls/native/conn.h"

#include <string.h>

/* CertificateRequest (RFC 8446 4.3.2). Its context is empty in a handshake, and after it a value
 * that hasn't been used before on the connection, which the answer repeats. */

enum hf_err hf_certificate_request_write(struct hf_native *conn)
{
    struct hf_native_hs *hs = conn->hs;
    struct hf_msg_out message;
    HF_TRY(hf_msg_open(conn, HF_MSG_CERTIFICATE_REQUEST, &message));
    HF_TRY(hf_buf_u8(&hs->out, hs->context_len));
    HF_TRY(hf_buf_append(&hs->out, hf_bytes_of(hs->context, hs->context_len)));
    HF_TRY(hf_ext_write(conn, HF_EXT_IN_CR, &hs->out, &hs->offered));
    hs->cert_asked = true;
    return hf_msg_close(conn, &message);
}

static enum hf_err keep_context(struct hf_native *conn, struct hf_bytes context)
{
    if ((context.len != 0) != conn->complete) {
        return hf_native_fail(conn, HF_ALERT_DECODE_ERROR,
                              conn->complete ? "an empty context after the handshake"
                                             : "a context within the handshake");
    }
    conn->hs->context_len = (uint8_t)context.len;
    if (context.len) {
        memcpy(conn->hs->context, context.ptr, context.len);
    }
    return HF_OK;
}

enum hf_err hf_certificate_request_read(struct hf_native *conn, const struct hf_msg *msg)
{
    struct hf_native_hs *hs = conn->hs;
    struct hf_reader reader = hf_reader_of(msg->body);
    struct hf_bytes context, block;
    struct hf_ext_set set;
    HF_TRY(hf_read_vec8(&reader, &context));
    HF_TRY(hf_read_vec16(&reader, &block));
    HF_TRY(hf_read_end(&reader));
    HF_TRY(keep_context(conn, context));
    HF_TRY(hf_ext_split(conn, HF_EXT_IN_CR, block, 0, &set));
    if (!hf_ext_has(&set, HF_EXT_SIGNATURE_ALGORITHMS)) {
        return hf_native_fail(conn, HF_ALERT_MISSING_EXTENSION,
                              "signature_algorithms is missing (RFC 8446 4.3.2)");
    }
    hs->staple_asked = false;
    hs->compression = 0;
    hs->authorities = hf_bytes_of(NULL, 0);
    HF_TRY(hf_ext_read(conn, HF_EXT_IN_CR, &set));
    hs->cert_asked = true;
    hf_transcript_add(&hs->transcript, msg->raw);
    return HF_OK;
}
