// SPDX-License-Identifier: Apache-2.0
#include "tls/native/conn.h"
#include "tls/native/ext_list.h"
#include "tls/offer.h"

/* application_layer_protocol_negotiation (RFC 7301). The server's order of preference decides; the
 * name chosen is one of the context's strings on both sides. */

enum hf_err hf_ext_alpn_write_ch(struct hf_native *conn, struct hf_buf *body, bool *out_include)
{
    const char *const *alpn = (const char *const *)hf_native_ctx(conn)->alpn;
    struct hf_buf_vec list;
    if (!*alpn) {
        return HF_OK;
    }
    *out_include = true;
    HF_TRY(hf_buf_vec_open(body, 2, &list));
    HF_TRY(hf_tls_alpn_encode(alpn, body));
    return hf_buf_vec_close(body, list);
}

static enum hf_err read_list(struct hf_bytes body, struct hf_bytes *out)
{
    struct hf_reader reader = hf_reader_of(body);
    HF_TRY(hf_read_vec16(&reader, out));
    HF_TRY(hf_read_end(&reader));
    if (out->len == 0) {
        return hf_fail(HF_E_MALFORMED, "an empty list of protocols");
    }
    for (reader = hf_reader_of(*out); reader.rest.len;) {
        struct hf_bytes name;
        HF_TRY(hf_read_vec8(&reader, &name));
        if (name.len == 0) {
            return hf_fail(HF_E_MALFORMED, "an empty protocol name");
        }
    }
    return HF_OK;
}

/* The list was read before, so that its form is known to be good. */
static bool list_has(struct hf_bytes list, const char *wanted)
{
    struct hf_reader reader = hf_reader_of(list);
    struct hf_bytes name;
    while (hf_read_vec8(&reader, &name) == HF_OK) {
        if (hf_bytes_eq_str(name, wanted)) {
            return true;
        }
        if (reader.rest.len == 0) {
            break;
        }
    }
    return false;
}

static enum hf_err no_protocol(struct hf_native *conn, struct hf_bytes list)
{
    const struct hf_native_ctx *ctx = hf_native_ctx(conn);
    HF_CLEANUP(hf_buf_done) struct hf_buf wire = HF_BUF_INIT(64 << 10);
    char theirs[HF_OFFER_TEXT], ours[HF_OFFER_TEXT] = "";
    hf_offer_alpn_text(list, theirs);
    if (hf_tls_alpn_encode((const char *const *)ctx->alpn, &wire) == HF_OK) {
        hf_offer_alpn_text(hf_buf_bytes(&wire), ours);
    }
    return hf_native_refuse(
        conn, HF_REASON_NO_COMMON_ALPN,
        "no application protocol in common: the client offers %s; the listener takes %s", theirs,
        ours);
}

enum hf_err hf_ext_alpn_read_ch(struct hf_native *conn, struct hf_bytes body)
{
    const struct hf_native_ctx *ctx = hf_native_ctx(conn);
    struct hf_bytes list;
    HF_TRY(read_list(body, &list));
    conn->alpn = NULL;
    for (char **ours = ctx->alpn; *ours && !conn->alpn; ours++) {
        conn->alpn = list_has(list, *ours) ? *ours : NULL;
    }
    if (!conn->alpn && ctx->alpn_required) {
        return no_protocol(conn, list);
    }
    return HF_OK;
}

enum hf_err hf_ext_alpn_write_ee(struct hf_native *conn, struct hf_buf *body, bool *out_include)
{
    const char *const chosen[] = {conn->alpn, NULL};
    struct hf_buf_vec list;
    *out_include = conn->alpn != NULL;
    HF_TRY(hf_buf_vec_open(body, 2, &list));
    HF_TRY(hf_tls_alpn_encode(chosen, body));
    return hf_buf_vec_close(body, list);
}

enum hf_err hf_ext_alpn_read_ee(struct hf_native *conn, struct hf_bytes body)
{
    struct hf_bytes list, name;
    HF_TRY(read_list(body, &list));
    struct hf_reader reader = hf_reader_of(list);
    HF_TRY(hf_read_vec8(&reader, &name));
    HF_TRY(hf_read_end(&reader));
    for (char **ours = hf_native_ctx(conn)->alpn; *ours; ours++) {
        if (hf_bytes_eq_str(name, *ours)) {
            conn->alpn = *ours;
            return HF_OK;
        }
    }
    return hf_native_fail(conn, HF_ALERT_ILLEGAL_PARAMETER,
                          "invalid ALPN protocol: the server chose one that was not offered");
}
