// SPDX-License-Identifier: Apache-2.0
#include "tls/native/server_choose.h"

#include <stdio.h>
#include <string.h>

#include "pki/key_type.h"
#include "tls/native/conn.h"
#include "tls/native/psk.h"
#include "tls/offer.h"

/*
 * What a server makes of a ClientHello: version, suite, group, name, protocol, ticket, identity, in
 * this order, each a small function that may refuse. Nothing here sends or computes keys.
 */

/* --- Version ------------------------------------------------------------------------------------
 */

enum hf_err hf_server_choose_version(struct hf_native *conn, const struct hf_client_hello *hello,
                                     bool *out_1_3)
{
    if (hf_ext_has(&hello->ext, HF_EXT_SUPPORTED_VERSIONS)) {
        conn->hs->newest = 0;
        HF_TRY(hf_ext_versions_read_ch(conn, hello->ext.body[HF_EXT_SUPPORTED_VERSIONS]));
    } else {
        conn->hs->newest = hello->legacy_version < HF_TLS_1_2 ? hello->legacy_version : HF_TLS_1_2;
    }
    *out_1_3 = conn->hs->newest == HF_TLS_1_3;
    return HF_OK;
}

/* --- Form ---------------------------------------------------------------------------------------
 */

static enum hf_err check_form(struct hf_native *conn, const struct hf_client_hello *hello)
{
    if (hello->compressions.len != 1 || hello->compressions.ptr[0] != 0) {
        return hf_native_fail(conn, HF_ALERT_ILLEGAL_PARAMETER,
                              "invalid compression list: TLS 1.3 has the null method alone");
    }
    if (hf_ext_has(&hello->ext, HF_EXT_PRE_SHARED_KEY) &&
        hello->ext.last != HF_EXT_PRE_SHARED_KEY) {
        return hf_native_fail(conn, HF_ALERT_ILLEGAL_PARAMETER, "pre_shared_key must be last");
    }
    return HF_OK;
}

/* RFC 8446 9.2. We use (EC)DHE always, so that groups and shares are always due. */
static enum hf_err check_mandatory(struct hf_native *conn, const struct hf_ext_set *ext)
{
    static const enum hf_ext_id due[] = {HF_EXT_SUPPORTED_GROUPS, HF_EXT_KEY_SHARE};
    for (size_t i = 0; i < HF_N_ELEMENTS(due); i++) {
        if (!hf_ext_has(ext, due[i])) {
            return hf_native_fail(conn, HF_ALERT_MISSING_EXTENSION, "missing extension %s",
                                  hf_ext_name(due[i]));
        }
    }
    if (hf_ext_has(ext, HF_EXT_PRE_SHARED_KEY) && !hf_ext_has(ext, HF_EXT_PSK_MODES)) {
        return hf_native_fail(conn, HF_ALERT_MISSING_EXTENSION,
                              "missing extension psk_key_exchange_modes beside pre_shared_key");
    }
    if (conn->hs->retried && hf_native_ctx(conn)->cookie && !conn->hs->cookie_taken) {
        return hf_native_fail(conn, HF_ALERT_MISSING_EXTENSION, "missing extension cookie");
    }
    return HF_OK;
}

/* What must stay the same in the second ClientHello (4.1.2), as far as a server can see it. */
static enum hf_err keep_random(struct hf_native *conn, const struct hf_client_hello *hello)
{
    struct hf_native_hs *hs = conn->hs;
    struct hf_bytes random = hf_bytes_of(hs->client_random, sizeof(hs->client_random));
    struct hf_bytes id = hf_bytes_of(hs->session_id, hs->session_id_len);
    if (hs->retried &&
        (!hf_bytes_eq(random, hello->random) || !hf_bytes_eq(id, hello->session_id))) {
        return hf_native_fail(conn, HF_ALERT_ILLEGAL_PARAMETER,
                              "the second ClientHello is not that of the first");
    }
    memcpy(hs->client_random, hello->random.ptr, hello->random.len);
    hs->session_id_len = (uint8_t)hello->session_id.len;
    if (hello->session_id.len) {
        memcpy(hs->session_id, hello->session_id.ptr, hello->session_id.len);
    }
    return HF_OK;
}

/* --- Suite --------------------------------------------------------------------------------------
 */

static uint16_t suite_at(struct hf_bytes list, size_t at)
{
    return (uint16_t)(list.ptr[at] << 8 | list.ptr[at + 1]);
}

static bool names_suite(struct hf_bytes list, uint16_t suite)
{
    for (size_t i = 0; i < list.len; i += 2) {
        if (suite_at(list, i) == suite) {
            return true;
        }
    }
    return false;
}

/* Clients without AES in hardware put ChaCha first; ours has no reason to insist. */
static bool prefers_chacha(struct hf_bytes list)
{
    for (size_t i = 0; i < list.len; i += 2) {
        const struct hf_suite *suite = hf_suite_find(suite_at(list, i));
        if (suite) {
            return suite->id == HF_SUITE_CHACHA20_POLY1305_SHA256;
        }
    }
    return false;
}

static enum hf_err no_suite(struct hf_native *conn, struct hf_bytes list)
{
    const struct hf_native_ctx *ctx = hf_native_ctx(conn);
    char theirs[HF_OFFER_TEXT], ours[HF_OFFER_TEXT];
    uint16_t numbers[HF_NATIVE_SUITES];
    for (size_t i = 0; i < ctx->n_suites; i++) {
        numbers[i] = ctx->suites[i]->id;
    }
    hf_offer_wire_text(HF_OFFER_SUITE, list, theirs);
    hf_offer_text(HF_OFFER_SUITE, numbers, ctx->n_suites, ours);
    return hf_native_refuse(conn, HF_REASON_NO_COMMON_SUITE,
                            "no shared cipher suite: the client offers %s; the listener takes %s",
                            theirs, ours);
}

static enum hf_err choose_suite(struct hf_native *conn, struct hf_bytes list)
{
    const struct hf_native_ctx *ctx = hf_native_ctx(conn);
    const struct hf_suite *chosen = NULL;
    bool chacha = prefers_chacha(list);
    for (size_t i = 0; i < ctx->n_suites; i++) {
        const struct hf_suite *suite = ctx->suites[i];
        if (!names_suite(list, suite->id)) {
            continue;
        }
        bool is_chacha = suite->id == HF_SUITE_CHACHA20_POLY1305_SHA256;
        if (!chosen || (chacha && is_chacha)) {
            chosen = suite;
        }
    }
    if (!chosen) {
        return no_suite(conn, list);
    }
    if (conn->hs->retried && conn->suite != chosen) {
        return hf_native_fail(conn, HF_ALERT_ILLEGAL_PARAMETER,
                              "the second ClientHello leads to another cipher suite");
    }
    conn->suite = chosen;
    return HF_OK;
}

/* --- Group --------------------------------------------------------------------------------------
 */

/* A list of an extension without its length; it has been read already. */
static struct hf_bytes listed(const struct hf_ext_set *ext, enum hf_ext_id id)
{
    struct hf_bytes body = ext->body[id];
    return body.len < 2 ? body : hf_bytes_of(body.ptr + 2, body.len - 2);
}

static enum hf_err no_group(struct hf_native *conn, const struct hf_ext_set *ext)
{
    const struct hf_native_ctx *ctx = hf_native_ctx(conn);
    char theirs[HF_OFFER_TEXT], ours[HF_OFFER_TEXT];
    hf_offer_wire_text(HF_OFFER_GROUP, listed(ext, HF_EXT_SUPPORTED_GROUPS), theirs);
    hf_offer_text(HF_OFFER_GROUP, ctx->groups, ctx->n_groups, ours);
    return hf_native_refuse(conn, HF_REASON_NO_COMMON_GROUP,
                            "no shared group: the client offers %s; the listener takes %s", theirs,
                            ours);
}

/* A share that came is taken even when a group that we like better is named without one: a round
 * trip costs more than the difference. */
static enum hf_err choose_group(struct hf_native *conn, const struct hf_ext_set *ext,
                                bool *out_retry)
{
    const struct hf_native_ctx *ctx = hf_native_ctx(conn);
    struct hf_native_hs *hs = conn->hs;
    *out_retry = false;
    if (hs->share_group) {
        conn->group = hs->share_group;
        return HF_OK;
    }
    if (hs->groups == 0) {
        return no_group(conn, ext);
    }
    if (hs->retried) {
        return hf_native_fail(conn, HF_ALERT_ILLEGAL_PARAMETER,
                              "wrong curve: no usable key share after a retry");
    }
    hs->retry_group = ctx->groups[__builtin_ctz(hs->groups)];
    *out_retry = true;
    return HF_OK;
}

/* --- Name, identity -----------------------------------------------------------------------------
 */

static enum hf_err choose_policy(struct hf_native *conn, struct hf_pick *out)
{
    const struct hf_native_ctx *ctx = hf_native_ctx(conn);
    hf_picker_pick(&ctx->picker, conn->sni, out);
    if (ctx->strict_sni && !out->known) {
        return hf_native_refuse(conn, HF_REASON_UNKNOWN_SNI,
                                conn->sni ? "no identity for the server name \"%s\""
                                          : "the client asks for no server name%s",
                                conn->sni ? conn->sni : "");
    }
    conn->policy = out->policy;
    conn->hs->sni_known = out->known;
    return HF_OK;
}

/* Place in our order of schemes, one earlier for each better; chains that are signed as the client
 * asks come before all others, then those of the CAs that it names (RFC 8446 4.4.2.2). */
static size_t rank(const struct hf_native_ctx *ctx, const struct hf_native_hs *hs,
                   const struct hf_native_identity *identity, uint16_t scheme)
{
    size_t at = 0;
    while (at < ctx->n_sign && ctx->sign[at] != scheme) {
        at++;
    }
    at += hf_native_issued_by(identity, hs->authorities) ? 0 : HF_NATIVE_SCHEMES;
    return at + (hf_native_chain_fits(identity, hs->cert_schemes) ? 0 : 2 * HF_NATIVE_SCHEMES);
}

/* "no common signature algorithms": what the client takes, and what keys we have for the name. */
static enum hf_err no_scheme(struct hf_native *conn, const struct hf_ext_set *ext,
                             const struct hf_pick_set *set)
{
    char theirs[HF_OFFER_TEXT], key[HF_KEY_TYPE_SIZE], keys[HF_OFFER_TEXT] = "";
    size_t len = 0;
    for (size_t i = 0; i < set->n_identities && len + sizeof(key) + 4 < sizeof(keys); i++) {
        hf_key_type(set->identity[i]->key, key);
        len += (size_t)snprintf(keys + len, sizeof(keys) - len, "%s%s", len ? ", " : "", key);
    }
    hf_offer_wire_text(HF_OFFER_SCHEME, listed(ext, HF_EXT_SIGNATURE_ALGORITHMS), theirs);
    return hf_native_refuse(
        conn, HF_REASON_NO_COMMON_SIGNATURE,
        "no common signature algorithms: the client offers %s; the listener has keys of type %s",
        theirs, keys);
}

/* Among the identities of the name: the best that can sign for the client. */
static enum hf_err choose_identity(struct hf_native *conn, const struct hf_ext_set *ext,
                                   const struct hf_pick_set *set)
{
    const struct hf_native_ctx *ctx = hf_native_ctx(conn);
    struct hf_native_hs *hs = conn->hs;
    size_t best = SIZE_MAX;
    conn->own = NULL;
    for (size_t i = 0; i < set->n_identities; i++) {
        const struct hf_native_identity *identity = hf_native_identity_of(ctx, set->identity[i]);
        uint16_t scheme = hf_native_sign_scheme(ctx, identity, hs->schemes);
        size_t at = rank(ctx, hs, identity, scheme);
        if (scheme && at < best) {
            best = at;
            conn->own = identity;
            hs->sign_scheme = scheme;
        }
    }
    if (!conn->own) {
        return no_scheme(conn, ext, set);
    }
    return HF_OK;
}

static enum hf_err choose_authentication(struct hf_native *conn, const struct hf_msg *msg,
                                         const struct hf_ext_set *ext, const struct hf_pick *pick)
{
    if (hf_ext_has(ext, HF_EXT_PRE_SHARED_KEY)) {
        HF_TRY(hf_psk_choose(conn, msg, ext->body[HF_EXT_PRE_SHARED_KEY]));
    }
    if (conn->hs->psk_accepted) {
        return HF_OK;
    }
    if (!hf_ext_has(ext, HF_EXT_SIGNATURE_ALGORITHMS)) {
        return hf_native_fail(conn, HF_ALERT_MISSING_EXTENSION,
                              "missing extension signature_algorithms");
    }
    return choose_identity(conn, ext, pick->identities);
}

enum hf_err hf_server_choose(struct hf_native *conn, const struct hf_msg *msg,
                             const struct hf_client_hello *hello, bool *out_retry)
{
    struct hf_pick pick;
    HF_TRY(check_form(conn, hello));
    HF_TRY(keep_random(conn, hello));
    HF_TRY(choose_suite(conn, hello->suites));
    HF_TRY(hf_ext_read(conn, HF_EXT_IN_CH, &hello->ext));
    HF_TRY(check_mandatory(conn, &hello->ext));
    HF_TRY(choose_group(conn, &hello->ext, out_retry));
    if (*out_retry) {
        return HF_OK;
    }
    HF_TRY(choose_policy(conn, &pick));
    return choose_authentication(conn, msg, &hello->ext, &pick);
}
