// SPDX-License-Identifier: Apache-2.0
#include "tls/native/conn.h"
#include "tls/native/psk.h"

/*
 * ClientHello (RFC 8446 4.1.2). The first one is kept whole until the server has chosen a hash;
 * the second one, after a HelloRetryRequest, goes to the transcript at once. A binder is computed
 * over the encoded message up to the binders, and written over zeros.
 */

enum { NO_COMPRESSION = 0 };

static enum hf_err write_suites(const struct hf_native *conn, struct hf_buf *out)
{
    const struct hf_native_ctx *ctx = hf_native_ctx(conn);
    struct hf_buf_vec list;
    HF_TRY(hf_buf_vec_open(out, 2, &list));
    for (size_t i = 0; i < ctx->n_suites; i++) {
        HF_TRY(hf_buf_u16(out, ctx->suites[i]->id));
    }
    return hf_buf_vec_close(out, list);
}

static enum hf_err write_fields(struct hf_native *conn, struct hf_buf *out)
{
    struct hf_native_hs *hs = conn->hs;
    HF_TRY(hf_buf_u16(out, HF_TLS_1_2));
    HF_TRY(hf_buf_append(out, hf_bytes_of(hs->client_random, sizeof(hs->client_random))));
    HF_TRY(hf_buf_u8(out, hs->session_id_len));
    HF_TRY(hf_buf_append(out, hf_bytes_of(hs->session_id, hs->session_id_len)));
    HF_TRY(write_suites(conn, out));
    HF_TRY(hf_buf_u8(out, 1));
    HF_TRY(hf_buf_u8(out, NO_COMPRESSION));
    return hf_ext_write(conn, HF_EXT_IN_CH, out, &hs->offered);
}

/* Puts the finished message where the transcript will find it. */
static enum hf_err remember(struct hf_native *conn, struct hf_bytes message)
{
    if (conn->hs->retried) {
        hf_transcript_add(&conn->hs->transcript, message);
        return HF_OK;
    }
    return hf_buf_append(&conn->hs->hello, message);
}

enum hf_err hf_client_hello_write(struct hf_native *conn)
{
    struct hf_native_hs *hs = conn->hs;
    struct hf_msg_out message;
    HF_TRY(hf_msg_open(conn, HF_MSG_CLIENT_HELLO, &message));
    HF_TRY(write_fields(conn, &hs->out));
    HF_TRY(hf_buf_vec_close(&hs->out, message.length));
    if (hs->psk_offered) {
        hf_psk_bind(conn, hf_span_of(hs->out.mem + hs->out.start + message.at,
                                     hf_buf_len(&hs->out) - message.at));
    }
    return remember(conn, hf_msg_opened(conn, &message));
}

static enum hf_err read_fields(struct hf_reader *reader, struct hf_client_hello *out)
{
    HF_TRY(hf_read_u16(reader, &out->legacy_version));
    HF_TRY(hf_read_bytes(reader, 32, &out->random));
    HF_TRY(hf_read_vec8(reader, &out->session_id));
    HF_TRY(hf_read_vec16(reader, &out->suites));
    HF_TRY(hf_read_vec8(reader, &out->compressions));
    if (out->session_id.len > 32 || out->suites.len == 0 || out->suites.len % 2 ||
        out->compressions.len == 0) {
        return hf_fail(HF_E_MALFORMED, "a list has a length outside its bounds");
    }
    return HF_OK;
}

enum hf_err hf_client_hello_read(struct hf_native *conn, const struct hf_msg *msg,
                                 struct hf_client_hello *out)
{
    struct hf_reader reader = hf_reader_of(msg->body);
    struct hf_bytes extensions = hf_bytes_of(NULL, 0);
    *out = (struct hf_client_hello){0};
    HF_TRY(read_fields(&reader, out));
    if (reader.rest.len) { /* before TLS 1.3 a hello may end here */
        HF_TRY(hf_read_vec16(&reader, &extensions));
        HF_TRY(hf_read_end(&reader));
    }
    return hf_ext_split(conn, HF_EXT_IN_CH, extensions, 0, &out->ext);
}
