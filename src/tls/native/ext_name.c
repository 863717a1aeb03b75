// SPDX-License-Identifier: Apache-2.0
#include "tls/native/conn.h"
#include "tls/native/ext_list.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/*
 * server_name (RFC 6066 3). The name is kept as printable text: one with other bytes in it is then
 * nobody's name. A server acknowledges a name that chose the identity.
 */

static bool is_address(const char *name)
{
    return strchr(name, ':') || strspn(name, "0123456789.") == strlen(name);
}

enum hf_err hf_ext_name_write_ch(struct hf_native *conn, struct hf_buf *body, bool *out_include)
{
    enum { HOST_NAME = 0 };
    struct hf_buf_vec list, name;
    if (!conn->sni || is_address(conn->sni)) {
        return HF_OK; /* addresses may not stand here */
    }
    *out_include = true;
    HF_TRY(hf_buf_vec_open(body, 2, &list));
    HF_TRY(hf_buf_u8(body, HOST_NAME));
    HF_TRY(hf_buf_vec_open(body, 2, &name));
    HF_TRY(hf_buf_append_str(body, conn->sni));
    HF_TRY(hf_buf_vec_close(body, name));
    return hf_buf_vec_close(body, list);
}

enum hf_err hf_ext_name_read_ch(struct hf_native *conn, struct hf_bytes body)
{
    struct hf_bytes name;
    HF_TRY(hf_sni_parse(body, &name));
    if (name.len > HF_SNI_MAX) {
        return hf_fail(HF_E_MALFORMED, "a name of %zu bytes", name.len);
    }
    struct hf_buf text HF_CLEANUP(hf_buf_done) = HF_BUF_INIT(HF_SNI_TEXT_MAX + 1);
    HF_TRY(hf_append_printable(&text, name, HF_SNI_TEXT_MAX));
    const char *printable = hf_buf_cstr(&text);
    char *copy = printable ? hf_strdup(printable) : NULL;
    if (!copy) {
        return HF_E_NOMEM;
    }
    hf_free(conn->sni);
    conn->sni = copy;
    return HF_OK;
}

enum hf_err hf_ext_name_write_ee(struct hf_native *conn, struct hf_buf *body, bool *out_include)
{
    (void)body;
    *out_include = conn->hs->sni_known;
    return HF_OK;
}

enum hf_err hf_ext_name_read_ee(struct hf_native *conn, struct hf_bytes body)
{
    (void)conn;
    struct hf_reader reader = hf_reader_of(body);
    return hf_read_end(&reader);
}
