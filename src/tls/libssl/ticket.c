// SPDX-License-Identifier: Apache-2.0
#include "tls/libssl/libssl.h"

/*
 * Session tickets. libssl frames and checks them (key name, IV, AES-256-CBC, HMAC-SHA256 over all,
 * RFC 5077 4); the keys are the caller's, so that several processes and reloads share them.
 *
 *   making   on_ticket_make puts struct hf_ticket into the session, then on_ticket_key(seal)
 *   opening  on_ticket_key(open), then on_ticket_open: realm, dates, and the judge again
 *
 * The leaf is not in struct hf_ticket: libssl keeps the peer's certificate in the session anyway.
 * A ticket that isn't accepted is no error; the handshake goes on as a full one and gives a new
 * ticket. In TLS 1.3 each resumption gives a new one too, since a ticket ought to be used once
 * (RFC 8446 C.4), but none outlives what the first one was given for.
 */

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <string.h>

#include "tls/ticket.h"

enum { TICKET_CLOSED = -1, TICKET_NONE = 0, TICKET_OK = 1, TICKET_RENEW = 2, SHARED_IV = 16 };

/* --- Keys --- */

static enum hf_err derive_key(const struct hf_tls_ticket_key *from, struct hf_ls_ticket_key *out)
{
    uint8_t both[sizeof(out->aes) + sizeof(out->mac)];
    static const char info[] = "handfast ticket: aes-256-cbc, hmac-sha256";
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)from->secret.byte,
                                          from->secret.len),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)info,
                                          sizeof(info) - 1),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_HKDF, NULL);
    EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
    bool ok = ctx && EVP_KDF_derive(ctx, both, sizeof(both), params) == 1;
    EVP_KDF_CTX_free(ctx);
    EVP_KDF_free(kdf);
    memcpy(out->name, from->name, sizeof(out->name));
    memcpy(out->aes, both, sizeof(out->aes));
    memcpy(out->mac, both + sizeof(out->aes), sizeof(out->mac));
    hf_wipe(both, sizeof(both));
    return ok ? HF_OK : hf_ls_library_error("ticket key");
}

static enum hf_err set_all(struct hf_ls_ctx *ctx, const struct hf_tls_ticket_keys *keys)
{
    struct hf_ls_ticket_key fresh[HF_TLS_TICKET_KEYS] = {{{0}}};
    enum hf_err err = HF_OK;
    for (size_t i = 0; i < keys->n_keys && !err; i++) {
        err = derive_key(&keys->key[i], &fresh[i]);
    }
    if (!err) {
        (void)pthread_rwlock_wrlock(&ctx->ticket_lock);
        memcpy(ctx->ticket_keys, fresh, sizeof(fresh));
        ctx->n_ticket_keys = keys->n_keys;
        (void)pthread_rwlock_unlock(&ctx->ticket_lock);
    }
    hf_wipe(fresh, sizeof(fresh));
    return err;
}

/* The first key, or the one of this name. False: there is none. */
static bool copy_key(struct hf_ls_ctx *ctx, const uint8_t *name, struct hf_ls_ticket_key *out,
                     bool *out_first)
{
    bool found = false;
    (void)pthread_rwlock_rdlock(&ctx->ticket_lock);
    for (size_t i = 0; i < ctx->n_ticket_keys && !found; i++) {
        found = !name || memcmp(ctx->ticket_keys[i].name, name, sizeof(out->name)) == 0;
        *out = ctx->ticket_keys[i];
        *out_first = i == 0;
    }
    (void)pthread_rwlock_unlock(&ctx->ticket_lock);
    return found;
}

enum hf_err hf_ls_set_ticket_keys(struct hf_tls_ctx *base, const struct hf_tls_ticket_keys *keys)
{
    struct hf_ls_ctx *ctx = HF_CONTAINER_OF(base, struct hf_ls_ctx, base);
    if (!ctx->ticket_cipher) {
        return hf_fail(HF_E_INVALID, "a context without tickets has no ticket keys");
    }
    return set_all(ctx, keys);
}

enum hf_err hf_ls_ticket_keys_init(struct hf_ls_ctx *ctx, const struct hf_tls_ticket_keys *keys)
{
    ctx->ticket_lock = (pthread_rwlock_t)PTHREAD_RWLOCK_INITIALIZER;
    HF_TRY(set_all(ctx, keys));
    ctx->ticket_cipher = EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL);
    return ctx->ticket_cipher ? HF_OK : hf_ls_library_error("AES-256-CBC for tickets");
}

static bool set_keys(const struct hf_ls_ctx *ctx, const struct hf_ls_ticket_key *key,
                     const uint8_t *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int seal)
{
    char digest[] = "SHA256";
    const OSSL_PARAM params[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)(uintptr_t)key->mac,
                                          sizeof(key->mac)),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_CipherInit_ex2(cipher, ctx->ticket_cipher, key->aes, iv, seal, NULL) == 1 &&
           EVP_MAC_CTX_set_params(mac, params) == 1;
}

static int seal_with_first(struct hf_ls_conn *conn, uint8_t *name, uint8_t *iv,
                           EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    struct hf_ls_ticket_key key;
    bool first;
    if (conn->ticket_withheld || !copy_key(conn->ctx, NULL, &key, &first)) {
        return TICKET_NONE;
    }
    memcpy(name, key.name, sizeof(key.name));
    bool ok = hf_rng_fill(conn->ctx->base.rng, hf_span_of(iv, SHARED_IV)) == HF_OK &&
              set_keys(conn->ctx, &key, iv, cipher, mac, 1);
    hf_wipe(&key, sizeof(key));
    return ok ? TICKET_OK : TICKET_CLOSED;
}

int hf_ls_on_ticket_key(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher,
                        EVP_MAC_CTX *mac, int seal)
{
    struct hf_ls_conn *conn = hf_ls_conn_of_ssl(ssl);
    struct hf_ls_ticket_key key;
    bool first;
    if (seal) {
        return seal_with_first(conn, name, iv, cipher, mac);
    }
    if (!copy_key(conn->ctx, name, &key, &first)) {
        return TICKET_NONE;
    }
    bool ok = set_keys(conn->ctx, &key, iv, cipher, mac, 0);
    hf_wipe(&key, sizeof(key));
    return !ok ? TICKET_CLOSED : first ? TICKET_OK : TICKET_RENEW;
}

/* --- Making --- */

static enum hf_err fill_session(struct hf_ls_conn *conn, SSL_SESSION *session)
{
    const struct hf_chain *chain = conn->base.peer_chain;
    int64_t now = hf_clock_wall_s(conn->base.ctx->clock);
    struct hf_ticket ticket = {
        .expires_at = SSL_session_reused(conn->ssl)
                          ? conn->ticket_expires_at
                          : hf_ticket_end(now, conn->ctx->ticket_lifetime_s, chain),
    };
    memcpy(ticket.realm, conn->policy->realm, sizeof(ticket.realm));
    for (size_t i = 1; chain && i < chain->n_certs; i++) {
        ticket.ders[ticket.n_ders++] = chain->certs[i]->der;
    }
    if (ticket.expires_at <= now) {
        return hf_fail(HF_E_INVALID, "a ticket would end at once");
    }
    struct hf_buf bytes HF_CLEANUP(hf_buf_done) = HF_BUF_INIT(HF_TICKET_CHAIN_MAX + 1024);
    HF_TRY(hf_ticket_encode(&ticket, &bytes));
    struct hf_bytes view = hf_buf_bytes(&bytes);
    if (SSL_SESSION_set1_ticket_appdata(session, view.ptr, view.len) != 1) {
        return hf_ls_library_error("ticket");
    }
    SSL_SESSION_set_timeout(session, (long)(ticket.expires_at - now));
    return HF_OK;
}

/* Returning 0 would end the handshake; a ticket that can't be made is withheld instead. */
int hf_ls_on_ticket_make(SSL *ssl, void *arg)
{
    (void)arg;
    struct hf_ls_conn *conn = hf_ls_conn_of_ssl(ssl);
    conn->ticket_withheld = conn->denied || fill_session(conn, SSL_get_session(ssl)) != HF_OK;
    return 1;
}

/* --- Opening --- */

static enum hf_err chain_of_ticket(struct hf_seen *seen, const struct hf_ticket *ticket,
                                   SSL_SESSION *session, struct hf_chain **out)
{
    struct hf_cert *certs[HF_CHAIN_MAX + 1];
    size_t n = 0;
    X509 *leaf = SSL_SESSION_get0_peer(session);
    *out = NULL;
    if (!leaf) {
        return ticket->n_ders == 0 ? HF_OK : hf_fail(HF_E_MALFORMED, "ticket without leaf");
    }
    enum hf_err err = hf_cert_from_x509(leaf, &certs[n]);
    n += err ? 0 : 1;
    for (size_t i = 0; !err && i < ticket->n_ders; i++) {
        err = hf_seen_der(seen, ticket->ders[i], &certs[n]);
        n += err ? 0 : 1;
    }
    err = err ? err : hf_chain_new(certs, n, out);
    while (n > 0) {
        hf_cert_unref(certs[--n]);
    }
    return err;
}

/* The peer of the ticket before the judge, under today's policy for the name asked for. */
static bool admit(struct hf_ls_conn *conn, struct hf_chain *chain)
{
    enum hf_tls_ask ask = conn->policy->ask;
    if (ask == HF_TLS_ASK_NONE || (ask == HF_TLS_ASK_REQUIRED && !chain)) {
        hf_chain_unref(chain);
        return ask == HF_TLS_ASK_NONE;
    }
    hf_tls_set_peer_chain(&conn->base, chain);
    conn->chain_of_ticket = true;
    conn->admitted = hf_tls_judge_peer(&conn->base, conn->policy, conn->sni, true).admit;
    if (!conn->admitted) {
        hf_tls_set_peer_chain(&conn->base, NULL);
        conn->chain_of_ticket = false;
    }
    return conn->admitted;
}

static bool accept_ticket(struct hf_ls_conn *conn, SSL_SESSION *session)
{
    void *bytes = NULL;
    size_t len = 0;
    struct hf_ticket ticket;
    if (conn->tickets_tried++ >= HF_LS_CLIENT_TICKETS_TRIED_MAX ||
        SSL_SESSION_get0_ticket_appdata(session, &bytes, &len) != 1 ||
        hf_ticket_decode(hf_bytes_of(bytes, len), &ticket) != HF_OK) {
        return false;
    }
    bool same_realm = memcmp(ticket.realm, conn->policy->realm, sizeof(ticket.realm)) == 0;
    if (!same_realm || ticket.expires_at <= hf_clock_wall_s(conn->base.ctx->clock)) {
        return false;
    }
    struct hf_chain *chain = NULL;
    if (chain_of_ticket(&conn->ctx->seen, &ticket, session, &chain) != HF_OK ||
        !admit(conn, chain)) {
        return false;
    }
    conn->ticket_expires_at = ticket.expires_at;
    return true;
}

SSL_TICKET_RETURN hf_ls_on_ticket_open(SSL *ssl, SSL_SESSION *session, const unsigned char *name,
                                       size_t name_len, SSL_TICKET_STATUS status, void *arg)
{
    (void)name;
    (void)name_len;
    (void)arg;
    struct hf_ls_conn *conn = hf_ls_conn_of_ssl(ssl);
    bool opened = status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW;
    if (!opened || !accept_ticket(conn, session)) {
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    }
    bool renew = status == SSL_TICKET_SUCCESS_RENEW || SSL_version(ssl) == TLS1_3_VERSION;
    return renew ? SSL_TICKET_RETURN_USE_RENEW : SSL_TICKET_RETURN_USE;
}
