// SPDX-License-Identifier: Apache-2.0
#include "tls/native/conn.h"

/* EncryptedExtensions (RFC 8446 4.3.1). */

enum hf_err hf_encrypted_extensions_write(struct hf_native *conn)
{
    struct hf_msg_out message;
    uint32_t sent;
    HF_TRY(hf_msg_open(conn, HF_MSG_ENCRYPTED_EXTENSIONS, &message));
    HF_TRY(hf_ext_write(conn, HF_EXT_IN_EE, &conn->hs->out, &sent));
    return hf_msg_close(conn, &message);
}

enum hf_err hf_encrypted_extensions_read(struct hf_native *conn, const struct hf_msg *msg)
{
    struct hf_reader reader = hf_reader_of(msg->body);
    struct hf_bytes block;
    struct hf_ext_set set;
    HF_TRY(hf_read_vec16(&reader, &block));
    HF_TRY(hf_read_end(&reader));
    HF_TRY(hf_ext_split(conn, HF_EXT_IN_EE, block, conn->hs->offered, &set));
    HF_TRY(hf_ext_read(conn, HF_EXT_IN_EE, &set));
    hf_transcript_add(&conn->hs->transcript, msg->raw);
    return HF_OK;
}
