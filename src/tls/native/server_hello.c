// SPDX-License-Identifier: Apache-2.0
#include "tls/native/conn.h"

#include <string.h>

/*
 * ServerHello (RFC 8446 4.1.3) and HelloRetryRequest (4.1.4), which is a ServerHello whose random
 * is the SHA-256 of its name.
 */

static const uint8_t retry_random[32] = {
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91,
    0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c};

static enum hf_err write_fields(struct hf_native *conn, bool retry, struct hf_buf *out)
{
    struct hf_native_hs *hs = conn->hs;
    uint8_t random[32];
    uint32_t sent;
    memcpy(random, retry_random, sizeof(random));
    if (!retry) {
        HF_TRY(hf_rng_fill(conn->base.ctx->rng, hf_span_of(random, sizeof(random))));
    }
    HF_TRY(hf_buf_u16(out, HF_TLS_1_2));
    HF_TRY(hf_buf_append(out, hf_bytes_of(random, sizeof(random))));
    HF_TRY(hf_buf_u8(out, hs->session_id_len));
    HF_TRY(hf_buf_append(out, hf_bytes_of(hs->session_id, hs->session_id_len)));
    HF_TRY(hf_buf_u16(out, conn->suite->id));
    HF_TRY(hf_buf_u8(out, 0));
    return hf_ext_write(conn, retry ? HF_EXT_IN_HRR : HF_EXT_IN_SH, out, &sent);
}

enum hf_err hf_server_hello_encode(struct hf_native *conn, bool retry, struct hf_buf *out)
{
    struct hf_buf_vec length;
    HF_TRY(hf_buf_u8(out, HF_MSG_SERVER_HELLO));
    HF_TRY(hf_buf_vec_open(out, 3, &length));
    HF_TRY(write_fields(conn, retry, out));
    return hf_buf_vec_close(out, length);
}

enum hf_err hf_server_hello_write(struct hf_native *conn, bool retry)
{
    struct hf_native_hs *hs = conn->hs;
    size_t at = hf_buf_len(&hs->out);
    HF_TRY(hf_server_hello_encode(conn, retry, &hs->out));
    hf_transcript_add(&hs->transcript, hf_bytes_from(hf_buf_bytes(&hs->out), at));
    return HF_OK;
}

/* RFC 8446 4.1.3: what a server that could have spoken 1.3 puts at the end of its random. We offer
 * nothing below 1.3, so any lower version is refused; this says which of the two it was. */
static bool has_downgrade_mark(struct hf_bytes random)
{
    static const uint8_t mark[7] = {0x44, 0x4f, 0x57, 0x4e, 0x47, 0x52, 0x44};
    return memcmp(random.ptr + 24, mark, sizeof(mark)) == 0 && random.ptr[31] <= 1;
}

enum hf_err hf_server_hello_refuse_lower(struct hf_native *conn,
                                         const struct hf_server_hello *hello)
{
    if (has_downgrade_mark(hello->random)) {
        return hf_native_fail(conn, HF_ALERT_ILLEGAL_PARAMETER,
                              "the server marks a downgrade below TLS 1.3");
    }
    return hf_native_refuse(conn, HF_REASON_NO_COMMON_VERSION,
                            "unsupported protocol: the server chose a version below TLS 1.3");
}

enum hf_err hf_server_hello_read(struct hf_native *conn, const struct hf_msg *msg,
                                 struct hf_server_hello *out)
{
    (void)conn;
    struct hf_reader reader = hf_reader_of(msg->body);
    *out = (struct hf_server_hello){0};
    HF_TRY(hf_read_u16(&reader, &out->legacy_version));
    HF_TRY(hf_read_bytes(&reader, 32, &out->random));
    HF_TRY(hf_read_vec8(&reader, &out->session_id));
    HF_TRY(hf_read_u16(&reader, &out->suite));
    HF_TRY(hf_read_u8(&reader, &out->compression));
    out->retry = memcmp(out->random.ptr, retry_random, sizeof(retry_random)) == 0;
    if (reader.rest.len) { /* before TLS 1.3 a hello may end here */
        HF_TRY(hf_read_vec16(&reader, &out->extensions));
    }
    return hf_read_end(&reader);
}
