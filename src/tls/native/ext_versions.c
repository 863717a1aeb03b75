// SPDX-License-Identifier: Apache-2.0
#include "tls/native/conn.h"
#include "tls/native/ext_list.h"

/*
 * supported_versions (RFC 8446 4.2.1). The engine speaks 1.3 and nothing else: as a client it
 * offers no more, as a server it leaves a ClientHello without it to the libssl door.
 */

enum hf_err hf_ext_versions_write_ch(struct hf_native *conn, struct hf_buf *body, bool *out_include)
{
    (void)conn;
    *out_include = true;
    HF_TRY(hf_buf_u8(body, 2));
    return hf_buf_u16(body, HF_TLS_1_3);
}

enum hf_err hf_ext_versions_read_ch(struct hf_native *conn, struct hf_bytes body)
{
    struct hf_reader reader = hf_reader_of(body);
    struct hf_bytes list;
    HF_TRY(hf_read_vec8(&reader, &list));
    HF_TRY(hf_read_end(&reader));
    if (list.len == 0 || list.len % 2) {
        return hf_fail(HF_E_MALFORMED, "a list of versions of %zu bytes", list.len);
    }
    for (size_t i = 0; i < list.len; i += 2) {
        uint16_t version = (uint16_t)(list.ptr[i] << 8 | list.ptr[i + 1]);
        if (version <= HF_TLS_1_3 && version > conn->hs->newest) {
            conn->hs->newest = version;
        }
    }
    return HF_OK;
}

enum hf_err hf_ext_versions_write_sh(struct hf_native *conn, struct hf_buf *body, bool *out_include)
{
    (void)conn;
    *out_include = true;
    return hf_buf_u16(body, HF_TLS_1_3);
}

enum hf_err hf_ext_versions_read_sh(struct hf_native *conn, struct hf_bytes body)
{
    struct hf_reader reader = hf_reader_of(body);
    uint16_t version;
    HF_TRY(hf_read_u16(&reader, &version));
    HF_TRY(hf_read_end(&reader));
    if (version != HF_TLS_1_3) {
        return hf_native_fail(conn, HF_ALERT_ILLEGAL_PARAMETER,
                              "the server selected version %04x, which was not offered", version);
    }
    return HF_OK;
}
