// SPDX-License-Identifier: Apache-2.0
#include "tls/native/conn.h"

/* Finished (RFC 8446 4.4.4): a MAC over the transcript so far, under the sender's traffic secret.
 */

static struct hf_bytes mac(const struct hf_native *conn, const struct hf_secret *base,
                           uint8_t out[static HF_HASH_MAX])
{
    uint8_t digest[HF_HASH_MAX];
    hf_finished_mac(conn->suite->hash, base, hf_transcript_peek(&conn->hs->transcript, digest),
                    out);
    return hf_bytes_of(out, hf_hash_size(conn->suite->hash));
}

enum hf_err hf_finished_write(struct hf_native *conn, const struct hf_secret *base)
{
    uint8_t verify_data[HF_HASH_MAX];
    struct hf_msg_out message;
    HF_TRY(hf_msg_open(conn, HF_MSG_FINISHED, &message));
    HF_TRY(hf_buf_append(&conn->hs->out, mac(conn, base, verify_data)));
    return hf_msg_close(conn, &message);
}

enum hf_err hf_finished_read(struct hf_native *conn, const struct hf_msg *msg,
                             const struct hf_secret *base)
{
    uint8_t verify_data[HF_HASH_MAX];
    struct hf_bytes wanted = mac(conn, base, verify_data);
    if (!hf_ct_eq(msg->body, wanted)) {
        return hf_native_fail(conn, HF_ALERT_DECRYPT_ERROR,
                              "digest check failed: its MAC over the handshake is wrong");
    }
    hf_transcript_add(&conn->hs->transcript, msg->raw);
    return HF_OK;
}
