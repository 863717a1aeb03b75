// SPDX-License-Identifier: Apache-2.0
#include "tls/native/conn.h"
#include "tls/native/ext_list.h"

/* supported_groups (RFC 8446 4.2.7). Of the peer's list only what we have is kept, as bits in our
 * order of preference. */

enum hf_err hf_ext_groups_write_ch(struct hf_native *conn, struct hf_buf *body, bool *out_include)
{
    const struct hf_native_ctx *ctx = hf_native_ctx(conn);
    struct hf_buf_vec list;
    *out_include = true;
    HF_TRY(hf_buf_vec_open(body, 2, &list));
    for (size_t i = 0; i < ctx->n_groups; i++) {
        HF_TRY(hf_buf_u16(body, ctx->groups[i]));
    }
    return hf_buf_vec_close(body, list);
}

enum hf_err hf_ext_groups_read_ch(struct hf_native *conn, struct hf_bytes body)
{
    const struct hf_native_ctx *ctx = hf_native_ctx(conn);
    struct hf_reader reader = hf_reader_of(body);
    struct hf_bytes list;
    HF_TRY(hf_read_vec16(&reader, &list));
    HF_TRY(hf_read_end(&reader));
    if (list.len == 0 || list.len % 2) {
        return hf_fail(HF_E_MALFORMED, "a list of groups of %zu bytes", list.len);
    }
    conn->hs->groups = 0;
    for (size_t i = 0; i < list.len; i += 2) {
        uint16_t group = (uint16_t)(list.ptr[i] << 8 | list.ptr[i + 1]);
        for (size_t ours = 0; ours < ctx->n_groups; ours++) {
            conn->hs->groups |= ctx->groups[ours] == group ? 1u << ours : 0;
        }
    }
    return HF_OK;
}
