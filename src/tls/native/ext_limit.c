// SPDX-License-Identifier: Apache-2.0
#include "tls/native/conn.h"
#include "tls/native/ext_list.h"

/*
 * record_size_limit (RFC 8449). A client announces its limit when the config has one. A server
 * answers every client that did, with its own limit or the protocol's: without an answer the
 * client's would not hold.
 */

enum { LIMIT_OF_PROTOCOL = HF_RECORD_PLAIN_MAX + 1 }; /* content type included */

enum hf_err hf_ext_limit_write_ch(struct hf_native *conn, struct hf_buf *body, bool *out_include)
{
    uint16_t limit = hf_native_ctx(conn)->record_limit;
    *out_include = limit != 0;
    return hf_buf_u16(body, limit);
}

static enum hf_err read_limit(struct hf_native *conn, struct hf_bytes body, uint16_t *out)
{
    struct hf_reader reader = hf_reader_of(body);
    HF_TRY(hf_read_u16(&reader, out));
    HF_TRY(hf_read_end(&reader));
    if (*out < HF_RECORD_LIMIT_MIN) {
        return hf_native_fail(conn, HF_ALERT_ILLEGAL_PARAMETER, "a record size limit of %u", *out);
    }
    return HF_OK;
}

/* A larger limit than ours may mean something in a version to come (RFC 8449 4). */
enum hf_err hf_ext_limit_read_ch(struct hf_native *conn, struct hf_bytes body)
{
    uint16_t limit;
    HF_TRY(read_limit(conn, body, &limit));
    conn->hs->limit_told = true;
    conn->record.out_limit = limit < LIMIT_OF_PROTOCOL ? limit : LIMIT_OF_PROTOCOL;
    return HF_OK;
}

enum hf_err hf_ext_limit_write_ee(struct hf_native *conn, struct hf_buf *body, bool *out_include)
{
    uint16_t limit = hf_native_ctx(conn)->record_limit;
    *out_include = conn->hs->limit_told;
    conn->record.in_limit = *out_include ? limit : 0;
    return hf_buf_u16(body, limit ? limit : LIMIT_OF_PROTOCOL);
}

enum hf_err hf_ext_limit_read_ee(struct hf_native *conn, struct hf_bytes body)
{
    uint16_t limit;
    HF_TRY(read_limit(conn, body, &limit));
    if (limit > LIMIT_OF_PROTOCOL) {
        return hf_native_fail(conn, HF_ALERT_ILLEGAL_PARAMETER,
                              "a record size limit of %u is beyond the protocol's", limit);
    }
    conn->record.out_limit = limit;
    conn->record.in_limit = hf_native_ctx(conn)->record_limit;
    return HF_OK;
}
