// SPDX-License-Identifier: Apache-2.0
#include "tls/libssl/libssl.h"

/*
 * Contexts: everything that is decided once. A server context holds one SSL_CTX a policy, alike in
 * all but the CA names that clients are told; connections begin with the default's and change over
 * when the hello names another (peer.c). libssl would copy the names into each connection
 * otherwise. Whatever the machine's openssl.cnf says about versions, ciphers, groups or security
 * level is overridden here.
 */

#include <openssl/err.h>
#include <string.h>

#include "base/mem.h"

enum { SECURITY_LEVEL = 2, N_TICKETS_DEFAULT = 1 };

#define SIGNATURES \
    "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519:ed448:" \
    "rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:" \
    "rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512:" \
    "RSA+SHA256:RSA+SHA384:RSA+SHA512"

/* A ticket is bound to what may use it by its realm; libssl insists on a context as well. */
static const unsigned char session_context[] = "handfast";

/* --- Identities --- */

static enum hf_err add_identity(struct hf_ls_ctx *ctx, struct hf_credential *credential)
{
    struct hf_ls_identity *ours = &ctx->identities[ctx->n_identities++];
    ours->credential = hf_credential_ref(credential);
    ours->chain = sk_X509_new_null();
    if (!ours->chain) {
        return hf_ls_library_error("certificate chain");
    }
    for (size_t i = 1; i < credential->chain->n_certs; i++) {
        X509 *cert = credential->chain->certs[i]->x509;
        if (!X509_up_ref(cert) || !sk_X509_push(ours->chain, cert)) {
            return hf_ls_library_error("certificate chain");
        }
    }
    return HF_OK;
}

static enum hf_err use_identity(SSL_CTX *ssl_ctx, const struct hf_ls_identity *ours)
{
    const struct hf_credential *credential = ours->credential;
    if (SSL_CTX_use_cert_and_key(ssl_ctx, credential->chain->certs[0]->x509, credential->key,
                                 ours->chain, 1) == 1) {
        return HF_OK;
    }
    enum hf_err err = hf_ls_library_error("TLS does not take it");
    return hf_fail_context(err, "certificate of %s", hf_identity_display(credential->identity));
}

/* libssl has its own idea of what is too weak; hear it now and not in the first handshake. */
static enum hf_err try_identities(const struct hf_ls_ctx *ctx)
{
    SSL_CTX *scratch = SSL_CTX_new(TLS_method());
    if (!scratch) {
        return hf_ls_library_error("a TLS context");
    }
    SSL_CTX_set_security_level(scratch, SECURITY_LEVEL);
    enum hf_err err = HF_OK;
    for (size_t i = 0; !err && i < ctx->n_identities; i++) {
        err = use_identity(scratch, &ctx->identities[i]);
    }
    SSL_CTX_free(scratch);
    return err;
}

static enum hf_err add_identities(struct hf_ls_ctx *ctx, struct hf_credential *const *identities,
                                  size_t n)
{
    ctx->identities = hf_alloc_zero(n, sizeof(*ctx->identities));
    if (!ctx->identities) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        HF_TRY(add_identity(ctx, identities[i]));
    }
    return try_identities(ctx);
}

const struct hf_ls_identity *hf_ls_identity_of(const struct hf_ls_ctx *ctx,
                                               const struct hf_credential *credential)
{
    for (size_t i = 0; i < ctx->n_identities; i++) {
        if (ctx->identities[i].credential == credential) {
            return &ctx->identities[i];
        }
    }
    return NULL;
}

/* --- What both roles share --- */

static enum hf_err set_algorithms(SSL_CTX *ssl_ctx, const struct hf_tls_common *common)
{
    HF_TRY(hf_ls_set_suites(ssl_ctx, common->suites));
    HF_TRY(hf_ls_set_ciphers(ssl_ctx, common->ciphers));
    HF_TRY(hf_ls_set_groups(ssl_ctx, common->groups));
    if (SSL_CTX_set1_sigalgs_list(ssl_ctx, SIGNATURES) != 1 ||
        SSL_CTX_set_min_proto_version(ssl_ctx, (int)common->min_version) != 1 ||
        SSL_CTX_set_max_proto_version(ssl_ctx, (int)common->max_version) != 1) {
        return hf_ls_library_error("TLS versions");
    }
    return HF_OK;
}

static void set_behaviour(SSL_CTX *ssl_ctx)
{
    SSL_CTX_set_security_level(ssl_ctx, SECURITY_LEVEL);
    SSL_CTX_clear_options(ssl_ctx, SSL_CTX_get_options(ssl_ctx));
    SSL_CTX_set_options(ssl_ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
                                     SSL_OP_ENABLE_MIDDLEBOX_COMPAT);
    SSL_CTX_set_mode(ssl_ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN |
                                  SSL_MODE_ENABLE_PARTIAL_WRITE |
                                  SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(ssl_ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_max_early_data(ssl_ctx, 0);
    SSL_CTX_set_recv_max_early_data(ssl_ctx, 0);
    SSL_CTX_set_max_cert_list(ssl_ctx, HF_TLS_PEER_FLIGHT_MAX);
    SSL_CTX_set_cert_verify_callback(ssl_ctx, hf_ls_on_chain, NULL);
    SSL_CTX_set_msg_callback(ssl_ctx, hf_ls_on_message);
    SSL_CTX_set_keylog_callback(ssl_ctx, hf_ls_on_secret);
}

/* The new SSL_CTX belongs to ctx at once. */
static enum hf_err add_ssl_ctx(struct hf_ls_ctx *ctx, const struct hf_tls_common *common,
                               SSL_CTX **out)
{
    SSL_CTX *ssl_ctx = SSL_CTX_new(TLS_method());
    if (!ssl_ctx) {
        return hf_ls_library_error("a TLS context");
    }
    *out = ctx->ssl_ctx[ctx->n_ssl_ctx++] = ssl_ctx;
    set_behaviour(ssl_ctx);
    if (SSL_CTX_set_session_id_context(ssl_ctx, session_context, sizeof(session_context)) != 1) {
        return hf_ls_library_error("session context");
    }
    return set_algorithms(ssl_ctx, common);
}

/* Encoded for libssl, and as strings for hf_tls_info. */
static enum hf_err keep_alpn(struct hf_ls_ctx *ctx, const char *const *alpn)
{
    size_t n = 0;
    while (alpn && alpn[n]) {
        n++;
    }
    ctx->alpn_names = hf_alloc_zero(n + 1, sizeof(*ctx->alpn_names));
    if (!ctx->alpn_names) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        ctx->alpn_names[i] = hf_strdup(alpn[i]);
        if (!ctx->alpn_names[i]) {
            return HF_E_NOMEM;
        }
    }
    return hf_tls_alpn_encode(alpn, &ctx->alpn);
}

static enum hf_err ctx_new(const struct hf_tls_common *common, const struct hf_tls_judge *judge,
                           size_t n_ssl_ctx, struct hf_ls_ctx **out)
{
    struct hf_ls_ctx *ctx = *out = HF_NEW(struct hf_ls_ctx);
    if (!ctx) {
        return HF_E_NOMEM;
    }
    hf_tls_ctx_base_init(&ctx->base, &hf_tls_libssl, common, judge);
    ctx->alpn = HF_BUF_INIT(64u << 10);
    hf_seen_init(&ctx->seen);
    if (pthread_rwlock_init(&ctx->staple_lock, NULL) != 0) {
        return HF_E_NOMEM;
    }
    ctx->ssl_ctx = hf_alloc_zero(n_ssl_ctx, sizeof(SSL_CTX *));
    if (!ctx->ssl_ctx) {
        return HF_E_NOMEM;
    }
    if (!hf_ls_bio_method()) {
        return hf_fail(HF_E_NOMEM, "out of memory (BIO method)");
    }
    ctx->groups = hf_strdup(hf_ls_groups(common->groups));
    return ctx->groups ? keep_alpn(ctx, common->alpn) : HF_E_NOMEM;
}

void hf_ls_ctx_free(struct hf_tls_ctx *base)
{
    struct hf_ls_ctx *ctx = hf_ls_ctx_of(base);
    for (size_t i = 0; i < ctx->n_ssl_ctx; i++) {
        SSL_CTX_free(ctx->ssl_ctx[i]);
    }
    for (size_t i = 0; i < ctx->n_identities; i++) {
        sk_X509_pop_free(ctx->identities[i].chain, X509_free);
        hf_credential_unref(ctx->identities[i].credential);
        hf_free((uint8_t *)(uintptr_t)ctx->identities[i].staple.ptr);
    }
    (void)pthread_rwlock_destroy(&ctx->staple_lock);
    hf_free(ctx->ssl_ctx);
    hf_free(ctx->identities);
    hf_free(ctx->groups);
    for (char **name = ctx->alpn_names; name && *name; name++) {
        hf_free(*name);
    }
    hf_free(ctx->alpn_names);
    hf_buf_done(&ctx->alpn);
    hf_seen_done(&ctx->seen);
    hf_picker_done(&ctx->picker);
    EVP_CIPHER_free(ctx->ticket_cipher);
    hf_wipe(ctx->ticket_keys, sizeof(ctx->ticket_keys));
    hf_free(ctx);
}

/* --- Server --- */

static enum hf_err set_ca_names(SSL_CTX *ssl_ctx, const struct hf_tls_policy *policy)
{
    STACK_OF(X509_NAME) *names = sk_X509_NAME_new_null();
    if (!names) {
        return hf_ls_library_error("CA names");
    }
    SSL_CTX_set0_CA_list(ssl_ctx, names); /* owns it from here on */
    for (size_t i = 0; i < policy->n_ca_names; i++) {
        const unsigned char *at = policy->ca_names[i].ptr;
        X509_NAME *name = d2i_X509_NAME(NULL, &at, (long)policy->ca_names[i].len);
        if (!name || !sk_X509_NAME_push(names, name)) {
            X509_NAME_free(name);
            return hf_ls_library_error("the name of a CA to tell clients");
        }
    }
    return HF_OK;
}

static enum hf_err set_tickets(struct hf_ls_ctx *ctx, SSL_CTX *ssl_ctx,
                               const struct hf_tls_server_config *config)
{
    if (!config->tickets) {
        SSL_CTX_set_options(ssl_ctx, SSL_OP_NO_TICKET);
        return SSL_CTX_set_num_tickets(ssl_ctx, 0) == 1 ? HF_OK : hf_ls_library_error("tickets");
    }
    size_t n = config->n_tickets ? config->n_tickets : N_TICKETS_DEFAULT;
    if (SSL_CTX_set_num_tickets(ssl_ctx, n) != 1 ||
        SSL_CTX_set_tlsext_ticket_key_evp_cb(ssl_ctx, hf_ls_on_ticket_key) != 1 ||
        SSL_CTX_set_session_ticket_cb(ssl_ctx, hf_ls_on_ticket_make, hf_ls_on_ticket_open, ctx) !=
            1) {
        return hf_ls_library_error("tickets");
    }
    return HF_OK;
}

static enum hf_err add_policy(struct hf_ls_ctx *ctx, const struct hf_tls_server_config *config,
                              const struct hf_tls_policy *policy)
{
    SSL_CTX *ssl_ctx;
    HF_TRY(add_ssl_ctx(ctx, &config->common, &ssl_ctx));
    HF_TRY(use_identity(ssl_ctx, &ctx->identities[0]));
    HF_TRY(set_ca_names(ssl_ctx, policy));
    HF_TRY(set_tickets(ctx, ssl_ctx, config));
    SSL_CTX_set_client_hello_cb(ssl_ctx, hf_ls_on_hello, NULL);
    SSL_CTX_set_tlsext_status_cb(ssl_ctx, hf_ls_on_status_wanted);
    if (hf_buf_len(&ctx->alpn) > 0) {
        SSL_CTX_set_alpn_select_cb(ssl_ctx, hf_ls_on_alpn, NULL);
    }
    return HF_OK;
}

static enum hf_err server_init(struct hf_ls_ctx *ctx, const struct hf_tls_server_config *config)
{
    ctx->strict_sni = config->strict_sni;
    ctx->alpn_required = config->alpn_required;
    ctx->tickets = config->tickets;
    ctx->ticket_lifetime_s = config->ticket_lifetime_s;
    HF_TRY(hf_picker_init(&ctx->picker, config));
    HF_TRY(add_identities(ctx, config->identities, config->n_identities));
    for (size_t i = 0; config->staples && i < config->n_identities; i++) {
        HF_TRY(hf_ls_set_staple(&ctx->base, config->identities[i], config->staples[i]));
    }
    if (config->tickets) {
        HF_TRY(hf_ls_ticket_keys_init(ctx, &config->ticket_keys));
    }
    for (size_t i = 0; i < config->n_policies; i++) {
        HF_TRY(add_policy(ctx, config, &config->policies[i]));
    }
    return HF_OK;
}

enum hf_err hf_ls_server_ctx_new(const struct hf_tls_server_config *config, struct hf_tls_ctx **out)
{
    struct hf_ls_ctx *ctx = NULL;
    enum hf_err err = ctx_new(&config->common, &config->judge, config->n_policies, &ctx);
    err = err ? err : server_init(ctx, config);
    if (err) {
        if (ctx) {
            hf_ls_ctx_free(&ctx->base);
        }
        return err;
    }
    *out = &ctx->base;
    return HF_OK;
}

/* --- Client --- */

static enum hf_err client_init(struct hf_ls_ctx *ctx, const struct hf_tls_client_config *config)
{
    SSL_CTX *ssl_ctx;
    HF_TRY(add_ssl_ctx(ctx, &config->common, &ssl_ctx));
    HF_TRY(add_identities(ctx, config->identities, config->n_identities));
    SSL_CTX_set_verify(ssl_ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_cert_cb(ssl_ctx, hf_ls_on_certificate_wanted, NULL);
    if (config->common.ask_staple) {
        SSL_CTX_set_tlsext_status_type(ssl_ctx, TLSEXT_STATUSTYPE_ocsp);
    }
    SSL_CTX_set_session_cache_mode(ssl_ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ssl_ctx, hf_ls_on_session);
    struct hf_bytes alpn = hf_buf_bytes(&ctx->alpn);
    if (alpn.len > 0 && SSL_CTX_set_alpn_protos(ssl_ctx, alpn.ptr, (unsigned)alpn.len) != 0) {
        return hf_ls_library_error("ALPN");
    }
    return HF_OK;
}

enum hf_err hf_ls_client_ctx_new(const struct hf_tls_client_config *config, struct hf_tls_ctx **out)
{
    struct hf_ls_ctx *ctx = NULL;
    enum hf_err err = ctx_new(&config->common, &config->judge, 1, &ctx);
    err = err ? err : client_init(ctx, config);
    if (err) {
        if (ctx) {
            hf_ls_ctx_free(&ctx->base);
        }
        return err;
    }
    *out = &ctx->base;
    return HF_OK;
}
