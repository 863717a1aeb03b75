// SPDX-License-Identifier: Apache-2.0
/*
 * What a ClientHello lists. libssl lets it be read only from within the hello's callback, long
 * before anybody knows that the handshake fails, so a copy is kept until its end.
 */
#include "tls/libssl/libssl.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "pki/key_type.h"

/* The list in an extension: `prefix` bytes of length come first. */
static struct hf_bytes extension(SSL *ssl, unsigned type, size_t prefix)
{
    const unsigned char *body;
    size_t len;
    if (SSL_client_hello_get0_ext(ssl, type, &body, &len) != 1 || len < prefix) {
        return hf_bytes_of(NULL, 0);
    }
    return hf_bytes_of(body + prefix, len - prefix);
}

/* Names of the list that fit whole. */
static uint8_t keep_alpn(struct hf_bytes list, uint8_t *out, size_t max)
{
    size_t len = 0;
    while (len < list.len && len + 1 + list.ptr[len] <= max &&
           len + 1 + list.ptr[len] <= list.len) {
        len += 1 + (size_t)list.ptr[len];
    }
    if (len) {
        memcpy(out, list.ptr, len);
    }
    return (uint8_t)len;
}

void hf_ls_take_offers(struct hf_ls_conn *conn)
{
    SSL *ssl = conn->ssl;
    struct hf_ls_offers *offers = HF_NEW(struct hf_ls_offers);
    const unsigned char *suites;
    size_t suites_len = SSL_client_hello_get0_ciphers(ssl, &suites);
    if (!offers) {
        return;
    }
    const struct {
        struct hf_bytes list;
        uint16_t *out;
        size_t max;
        uint8_t *out_n;
    } lists[] = {
        {extension(ssl, TLSEXT_TYPE_supported_versions, 1), offers->version,
         HF_N_ELEMENTS(offers->version), &offers->n_version},
        {hf_bytes_of(suites, suites_len), offers->suite, HF_N_ELEMENTS(offers->suite),
         &offers->n_suite},
        {extension(ssl, TLSEXT_TYPE_supported_groups, 2), offers->group,
         HF_N_ELEMENTS(offers->group), &offers->n_group},
        {extension(ssl, TLSEXT_TYPE_signature_algorithms, 2), offers->scheme,
         HF_N_ELEMENTS(offers->scheme), &offers->n_scheme},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(lists); i++) {
        *lists[i].out_n = (uint8_t)hf_offer_numbers(lists[i].list, lists[i].out, lists[i].max);
    }
    if (offers->n_version == 0) {
        offers->version[0] = (uint16_t)SSL_client_hello_get0_legacy_version(ssl);
        offers->n_version = 1;
    }
    offers->alpn_len =
        keep_alpn(extension(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, 2),
                  offers->alpn, sizeof(offers->alpn));
    hf_free(conn->offers);
    conn->offers = offers;
}

/* --- Our side ----------------------------------------------------------------------------------
 */

static void our_versions(const struct hf_ls_conn *conn, char out[static HF_OFFER_TEXT])
{
    uint16_t versions[2];
    size_t n = 0;
    for (long version = SSL_get_min_proto_version(conn->ssl);
         version <= SSL_get_max_proto_version(conn->ssl) && n < HF_N_ELEMENTS(versions);
         version++) {
        versions[n++] = (uint16_t)version;
    }
    hf_offer_text(HF_OFFER_VERSION, versions, n, out);
}

static size_t suites_of(const struct hf_ls_conn *conn, uint16_t *out, size_t max)
{
    STACK_OF(SSL_CIPHER) *ciphers = SSL_get_ciphers(conn->ssl);
    size_t n = 0;
    for (int i = 0; i < sk_SSL_CIPHER_num(ciphers) && n < max; i++) {
        out[n++] = SSL_CIPHER_get_protocol_id(sk_SSL_CIPHER_value(ciphers, i));
    }
    return n;
}

static void our_suites(const struct hf_ls_conn *conn, char out[static HF_OFFER_TEXT])
{
    uint16_t suites[HF_OFFER_WIRE_MAX];
    hf_offer_text(HF_OFFER_SUITE, suites, suites_of(conn, suites, HF_N_ELEMENTS(suites)), out);
}

static void our_groups(const struct hf_ls_conn *conn, char out[static HF_OFFER_TEXT])
{
    snprintf(out, HF_OFFER_TEXT, "%s", conn->ctx->groups);
    for (char *at = out; (at = strchr(at, ':'));) {
        *at = ' ';
    }
}

/* The types of the keys that the name has. */
static void our_keys(const struct hf_ls_conn *conn, char out[static HF_OFFER_TEXT])
{
    char key[HF_KEY_TYPE_SIZE];
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; conn->identities && i < conn->identities->n_identities; i++) {
        hf_key_type(conn->identities->identity[i]->key, key);
        if (len + strlen(key) + 3 < HF_OFFER_TEXT) {
            len += (size_t)snprintf(out + len, HF_OFFER_TEXT - len, "%s%s", len ? ", " : "", key);
        }
    }
}

static void our_protocols(const struct hf_ls_conn *conn, char out[static HF_OFFER_TEXT])
{
    hf_offer_alpn_text(hf_buf_bytes(&conn->ctx->alpn), out);
}

/* --- Nothing in common -------------------------------------------------------------------------
 */

static bool shares_suite(const struct hf_ls_conn *conn)
{
    uint16_t ours[HF_OFFER_WIRE_MAX];
    size_t n = suites_of(conn, ours, HF_N_ELEMENTS(ours));
    for (size_t i = 0; i < conn->offers->n_suite; i++) {
        for (size_t j = 0; j < n; j++) {
            if (conn->offers->suite[i] == ours[j]) {
                return true;
            }
        }
    }
    return false;
}

/* TLS 1.2 has its groups in its suites: libssl then speaks of ciphers where groups are meant. */
enum hf_reason hf_ls_offers_reason(const struct hf_ls_conn *conn, enum hf_reason reason)
{
    bool sure = reason != HF_REASON_NO_COMMON_SUITE || !conn->offers ||
                conn->offers->n_group == 0 || !shares_suite(conn);
    return sure || SSL_get_shared_group(conn->ssl, 0) != 0 ? reason : HF_REASON_NO_COMMON_GROUP;
}

bool hf_ls_offers_text(const struct hf_ls_conn *conn, enum hf_reason reason,
                       char out[static HF_LS_OFFERS_TEXT])
{
    const struct hf_ls_offers *offers = conn->offers;
    char theirs[HF_OFFER_TEXT], ours[HF_OFFER_TEXT];
    if (!offers) {
        return false;
    }
    const struct {
        enum hf_reason reason;
        enum hf_offer_kind kind;
        const uint16_t *list;
        size_t n;
        void (*our)(const struct hf_ls_conn *conn, char *out);
        const char *what, *has;
    } kinds[] = {
        {HF_REASON_NO_COMMON_VERSION, HF_OFFER_VERSION, offers->version, offers->n_version,
         our_versions, "no shared version", "takes"},
        {HF_REASON_NO_COMMON_SUITE, HF_OFFER_SUITE, offers->suite, offers->n_suite, our_suites,
         "no shared cipher suite", "takes"},
        {HF_REASON_NO_COMMON_GROUP, HF_OFFER_GROUP, offers->group, offers->n_group, our_groups,
         "no shared group", "takes"},
        {HF_REASON_NO_COMMON_SIGNATURE, HF_OFFER_SCHEME, offers->scheme, offers->n_scheme, our_keys,
         "no common signature algorithms", "has keys of type"},
    };
    if (reason == HF_REASON_NO_COMMON_ALPN) {
        hf_offer_alpn_text(hf_bytes_of(offers->alpn, offers->alpn_len), theirs);
        our_protocols(conn, ours);
        snprintf(out, HF_LS_OFFERS_TEXT,
                 "no application protocol in common: the client offers %s; the listener takes %s",
                 theirs, ours);
        return true;
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(kinds); i++) {
        if (kinds[i].reason == reason) {
            hf_offer_text(kinds[i].kind, kinds[i].list, kinds[i].n, theirs);
            kinds[i].our(conn, ours);
            snprintf(out, HF_LS_OFFERS_TEXT, "%s: the client offers %s; the listener %s %s",
                     kinds[i].what, theirs, kinds[i].has, ours);
            return true;
        }
    }
    return false;
}
