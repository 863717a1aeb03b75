// SPDX-License-Identifier: Apache-2.0
#include "tls/native/peer.h"

#include <openssl/x509v3.h>

#include "tls/native/conn.h"

/*
 * Parsing a chain costs libcrypto 120 us a certificate, most of it for finding out how to decode
 * the key. So a context remembers the chains of peers that were admitted, by the hash of their
 * bytes, each with its leaf's key ready to verify with. That is all: whether a chain is good is for
 * the judge to say, each time. A peer that was not admitted leaves nothing behind, so that
 * strangers can't push out friends.
 */

enum { KNOWN_CHAINS_MAX = 1024 };

static void chain_ref(void *chain)
{
    (void)hf_chain_ref(chain);
}

static void chain_unref(void *chain)
{
    hf_chain_unref(chain);
}

enum hf_err hf_peer_chains_new(struct hf_cache **out)
{
    static const struct hf_cache_ops ops = {chain_ref, chain_unref};
    return hf_cache_new(KNOWN_CHAINS_MAX, &ops, out);
}

/* The leaf is new; those above it, as a rule, were sent by others before. */
static enum hf_err parse_certs(struct hf_seen *seen, const struct hf_bytes *ders, size_t n,
                               struct hf_cert **certs)
{
    for (size_t i = 0; i < n; i++) {
        enum hf_err err =
            i ? hf_seen_der(seen, ders[i], &certs[i]) : hf_cert_from_der(ders[i], &certs[i]);
        if (err != HF_OK) {
            return hf_fail_context(err, "certificate %zu of %zu", i + 1, n);
        }
    }
    return HF_OK;
}

static enum hf_err parse_chain(struct hf_native_ctx *ctx, const struct hf_bytes *ders, size_t n,
                               struct hf_chain **out)
{
    struct hf_cert *certs[HF_CHAIN_MAX] = {0};
    if (n > HF_CHAIN_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "a chain of %zu certificates passes the limit of %d", n,
                       HF_CHAIN_MAX);
    }
    enum hf_err err = parse_certs(&ctx->seen, ders, n, certs);
    if (err == HF_OK) {
        err = hf_chain_new(certs, n, out);
    }
    for (size_t i = 0; i < n; i++) {
        hf_cert_unref(certs[i]);
    }
    return err;
}

enum hf_err hf_peer_unpack(struct hf_tls *tls, const struct hf_ders *ders, struct hf_chain **out)
{
    struct hf_native_ctx *ctx = hf_native_ctx(hf_native_of(tls));
    *out = hf_cache_get(ctx->known_chains, ders->sha256);
    return *out ? HF_OK : parse_chain(ctx, ders->der, ders->n_ders, out);
}

static enum hf_err find(struct hf_native *conn, const struct hf_bytes *ders, size_t n,
                        struct hf_chain **out)
{
    uint8_t hash[HF_SHA256_SIZE];
    hf_chain_hash(ders, n, hash);
    *out = hf_cache_get(hf_native_ctx(conn)->known_chains, hash);
    conn->hs->peer_known = *out != NULL;
    return *out ? HF_OK : parse_chain(hf_native_ctx(conn), ders, n, out);
}

void hf_peer_remember(struct hf_native *conn)
{
    struct hf_chain *chain = conn->base.peer_chain;
    if (chain && !conn->hs->peer_known) {
        hf_cache_put(hf_native_ctx(conn)->known_chains, chain->sha256, chain);
    }
}

/* RFC 8446 4.4.2.2: the certificate must let its key sign. */
static bool may_sign(const struct hf_cert *leaf)
{
    return (X509_get_key_usage(leaf->x509) & KU_DIGITAL_SIGNATURE) != 0;
}

static enum hf_err parse(struct hf_native *conn, const struct hf_bytes *ders, size_t n,
                         struct hf_chain **out)
{
    enum hf_err err = find(conn, ders, n, out);
    if (err == HF_E_MALFORMED || err == HF_E_TOO_LARGE) {
        return hf_native_refuse(conn, HF_REASON_BAD_CERTIFICATE, "%.200s", hf_err_text());
    }
    return err;
}

static enum hf_err take_key(struct hf_native *conn, struct hf_cert *leaf)
{
    enum hf_err err = hf_cert_verify_key(leaf, &conn->hs->peer_key);
    if (err == HF_E_MALFORMED) {
        return hf_native_refuse(conn, HF_REASON_BAD_CERTIFICATE, "its key can't be parsed");
    }
    if (err == HF_E_UNSUPPORTED) {
        return hf_native_fail(conn, HF_ALERT_UNSUPPORTED_CERTIFICATE,
                              "wrong signature type: no scheme of ours fits its key");
    }
    return err;
}

enum hf_err hf_peer_set(struct hf_native *conn, const struct hf_bytes *ders, size_t n)
{
    struct hf_chain *chain HF_CLEANUP(hf_chain_unrefp) = NULL;
    HF_TRY(parse(conn, ders, n, &chain));
    HF_TRY(take_key(conn, chain->certs[0]));
    hf_tls_set_peer_chain(&conn->base, HF_TAKE(chain));
    return HF_OK;
}

enum hf_err hf_peer_restore(struct hf_native *conn, const struct hf_bytes *ders, size_t n)
{
    struct hf_chain *chain = NULL;
    if (n) {
        HF_TRY(find(conn, ders, n, &chain));
    }
    hf_tls_set_peer_chain(&conn->base, chain);
    return HF_OK;
}

enum hf_err hf_peer_verified(struct hf_native *conn)
{
    HF_TRY(hf_certificate_verify_checked(conn));
    return hf_peer_judge(conn);
}

enum hf_err hf_peer_judge(struct hf_native *conn)
{
    struct hf_tls_answer answer =
        hf_tls_judge_peer(&conn->base, conn->policy, conn->sni, conn->resumed);
    conn->hs->verdict_due = answer.wait;
    if (answer.wait) {
        return HF_OK;
    }
    if (!answer.admit) {
        hf_native_set_alert(conn, answer.alert, HF_REASON_OK);
        return hf_fail(HF_E_PEER, "the peer was not admitted");
    }
    const struct hf_chain *chain = conn->base.peer_chain;
    if (chain && !may_sign(chain->certs[0])) { /* the judge's reason would say more */
        return hf_native_fail(conn, HF_ALERT_UNSUPPORTED_CERTIFICATE,
                              "wrong key usage: its key is not for digital signatures");
    }
    conn->admitted = true;
    hf_peer_remember(conn);
    return HF_OK;
}
