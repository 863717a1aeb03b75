// SPDX-License-Identifier: Apache-2.0
#include "tls/native/msg.h"

#include "tls/native/conn.h"

/* Names and limits of the messages, and how one that we send is framed and remembered. */

enum { SMALL = 64, HELLO_MAX = 16384, TICKET_MAX = 20 << 10 };

static const struct {
    uint8_t type;
    size_t max;
    const char *name;
} messages[] = {
    {HF_MSG_CLIENT_HELLO, HELLO_MAX, "ClientHello"},
    {HF_MSG_SERVER_HELLO, HELLO_MAX, "ServerHello"},
    {HF_MSG_NEW_SESSION_TICKET, TICKET_MAX, "NewSessionTicket"},
    {HF_MSG_END_OF_EARLY_DATA, 0, "EndOfEarlyData"},
    {HF_MSG_ENCRYPTED_EXTENSIONS, HELLO_MAX, "EncryptedExtensions"},
    {HF_MSG_CERTIFICATE, HF_TLS_PEER_FLIGHT_MAX, "Certificate"},
    {HF_MSG_CERTIFICATE_REQUEST, HF_TLS_PEER_FLIGHT_MAX, "CertificateRequest"},
    {HF_MSG_CERTIFICATE_VERIFY, HF_SIGNATURE_MAX + SMALL, "CertificateVerify"},
    {HF_MSG_FINISHED, SMALL, "Finished"},
    {HF_MSG_KEY_UPDATE, SMALL, "KeyUpdate"},
    {HF_MSG_COMPRESSED_CERTIFICATE, HF_TLS_PEER_FLIGHT_MAX, "CompressedCertificate"},
};

const char *hf_msg_name(uint8_t type)
{
    for (size_t i = 0; i < HF_N_ELEMENTS(messages); i++) {
        if (messages[i].type == type) {
            return messages[i].name;
        }
    }
    return "a message of unknown type";
}

size_t hf_msg_max(uint8_t type)
{
    for (size_t i = 0; i < HF_N_ELEMENTS(messages); i++) {
        if (messages[i].type == type) {
            return messages[i].max;
        }
    }
    return 0;
}

enum hf_err hf_msg_open(struct hf_native *conn, uint8_t type, struct hf_msg_out *out)
{
    struct hf_buf *buf = &conn->hs->out;
    out->at = hf_buf_len(buf);
    HF_TRY(hf_buf_u8(buf, type));
    return hf_buf_vec_open(buf, 3, &out->length);
}

struct hf_bytes hf_msg_opened(const struct hf_native *conn, const struct hf_msg_out *out)
{
    return hf_bytes_from(hf_buf_bytes(&conn->hs->out), out->at);
}

enum hf_err hf_msg_close(struct hf_native *conn, const struct hf_msg_out *out)
{
    HF_TRY(hf_buf_vec_close(&conn->hs->out, out->length));
    hf_transcript_add(&conn->hs->transcript, hf_msg_opened(conn, out));
    return HF_OK;
}
