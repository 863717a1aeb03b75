// SPDX-License-Identifier: Apache-2.0
#include "tls/native/client_choose.h"

#include "tls/native/conn.h"
#include "tls/native/psk.h"

/* The checks of RFC 8446 4.1.3 and 4.1.4 on what a server answered, and our certificate. */

/* --- Hellos -------------------------------------------------------------------------------------
 */

/* Is supported_versions there? Looked for without judging the rest, because the rest may follow the
 * rules of another version. */
static bool names_version(struct hf_bytes block)
{
    enum { SUPPORTED_VERSIONS = 43 };
    struct hf_reader reader = hf_reader_of(block);
    uint16_t type;
    struct hf_bytes body;
    while (reader.rest.len && hf_read_u16(&reader, &type) == HF_OK &&
           hf_read_vec16(&reader, &body) == HF_OK) {
        if (type == SUPPORTED_VERSIONS) {
            return true;
        }
    }
    return false;
}

static enum hf_err check_fields(struct hf_native *conn, const struct hf_server_hello *hello)
{
    const struct hf_native_hs *hs = conn->hs;
    if (hello->legacy_version != HF_TLS_1_2) {
        return hf_native_fail(conn, HF_ALERT_DECODE_ERROR,
                              "unsupported protocol: a legacy_version of %04x",
                              hello->legacy_version);
    }
    if (!hf_bytes_eq(hello->session_id, hf_bytes_of(hs->session_id, hs->session_id_len))) {
        return hf_native_fail(conn, HF_ALERT_ILLEGAL_PARAMETER,
                              "the server echoed an invalid session id");
    }
    if (hello->compression != 0) {
        return hf_native_fail(conn, HF_ALERT_DECODE_ERROR, "unsupported compression algorithm %u",
                              hello->compression);
    }
    return HF_OK;
}

static enum hf_err take_suite(struct hf_native *conn, uint16_t id)
{
    const struct hf_native_ctx *ctx = hf_native_ctx(conn);
    const struct hf_suite *suite = NULL;
    for (size_t i = 0; i < ctx->n_suites; i++) {
        suite = ctx->suites[i]->id == id ? ctx->suites[i] : suite;
    }
    if (!suite || (conn->hs->retried && conn->suite != suite)) {
        return hf_native_fail(conn, HF_ALERT_ILLEGAL_PARAMETER,
                              "wrong cipher returned: %04x was not offered, or changed", id);
    }
    conn->suite = suite;
    return HF_OK;
}

static enum hf_err read_hello(struct hf_native *conn, const struct hf_server_hello *hello,
                              enum hf_ext_place place, struct hf_ext_set *out)
{
    /* a cookie needs no offer (4.2.2) */
    uint32_t offered = conn->hs->offered | (hello->retry ? HF_EXT_BIT(HF_EXT_COOKIE) : 0);
    if (!names_version(hello->extensions)) {
        return conn->hs->retried
                   ? hf_native_fail(conn, HF_ALERT_ILLEGAL_PARAMETER,
                                    "the server selected version 1.3 in its retry only")
                   : hf_server_hello_refuse_lower(conn, hello);
    }
    HF_TRY(check_fields(conn, hello));
    HF_TRY(hf_ext_split(conn, place, hello->extensions, offered, out));
    HF_TRY(hf_ext_read(conn, place, out));
    return take_suite(conn, hello->suite);
}

static enum hf_err check_psk(struct hf_native *conn)
{
    const struct hf_native_hs *hs = conn->hs;
    if (hs->psk_accepted && hs->session->suite->hash != conn->suite->hash) {
        return hf_native_fail(conn, HF_ALERT_ILLEGAL_PARAMETER,
                              "the PSK has another hash than the cipher suite");
    }
    return HF_OK;
}

enum hf_err hf_client_choose(struct hf_native *conn, const struct hf_server_hello *hello)
{
    struct hf_ext_set ext;
    HF_TRY(read_hello(conn, hello, HF_EXT_IN_SH, &ext));
    if (!hf_ext_has(&ext, HF_EXT_KEY_SHARE)) { /* we offer psk_dhe_ke only */
        return hf_native_fail(conn, HF_ALERT_MISSING_EXTENSION, "missing extension key_share");
    }
    conn->group = conn->hs->share_group;
    return check_psk(conn);
}

/* A retry must change the ClientHello (4.1.4). */
enum hf_err hf_client_choose_retry(struct hf_native *conn, const struct hf_server_hello *hello)
{
    struct hf_ext_set ext;
    HF_TRY(read_hello(conn, hello, HF_EXT_IN_HRR, &ext));
    if (!hf_ext_has(&ext, HF_EXT_KEY_SHARE) && !hf_ext_has(&ext, HF_EXT_COOKIE)) {
        return hf_native_fail(conn, HF_ALERT_ILLEGAL_PARAMETER,
                              "an empty HelloRetryRequest, which changes nothing");
    }
    return HF_OK;
}

/* --- Our certificate ----------------------------------------------------------------------------
 */

void hf_client_choose_identity(struct hf_native *conn)
{
    const struct hf_native_ctx *ctx = hf_native_ctx(conn);
    struct hf_native_hs *hs = conn->hs;
    conn->own = NULL;
    for (size_t i = 0; i < ctx->n_identities; i++) {
        const struct hf_native_identity *identity = &ctx->identities[i];
        uint16_t scheme = hf_native_sign_scheme(ctx, identity, hs->schemes);
        bool fits = scheme && hf_native_chain_fits(identity, hs->cert_schemes) &&
                    hf_native_issued_by(identity, hs->authorities);
        if (scheme && (!conn->own || fits)) {
            conn->own = identity;
            hs->sign_scheme = scheme;
        }
        if (fits) {
            return;
        }
    }
}
