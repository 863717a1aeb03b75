// SPDX-License-Identifier: Apache-2.0
#include "tls/native/ctx.h"

#include <openssl/objects.h>
#include <string.h>

#include "base/mem.h"
#include "tls/native/peer.h"
#include "tls/native/record.h"

/*
 * Making a context turns a config into what connections need at once: names into numbers, keys into
 * keys ready to sign, and with them the schemes by which each chain was signed, which a peer's
 * signature_algorithms_cert speaks of.
 */

/* --- Identities ---------------------------------------------------------------------------------
 */

/* RFC 8446 4.2.3's names for what libcrypto says of a certificate's signature. */
static const struct {
    int digest, key;
    uint16_t scheme;
} chain_signatures[] = {
    {NID_sha256, NID_X9_62_id_ecPublicKey, HF_SCHEME_ECDSA_SECP256R1_SHA256},
    {NID_sha384, NID_X9_62_id_ecPublicKey, HF_SCHEME_ECDSA_SECP384R1_SHA384},
    {NID_sha512, NID_X9_62_id_ecPublicKey, HF_SCHEME_ECDSA_SECP521R1_SHA512},
    {NID_sha1, NID_X9_62_id_ecPublicKey, HF_SCHEME_ECDSA_SHA1},
    {NID_sha256, NID_rsaEncryption, HF_SCHEME_RSA_PKCS1_SHA256},
    {NID_sha384, NID_rsaEncryption, HF_SCHEME_RSA_PKCS1_SHA384},
    {NID_sha512, NID_rsaEncryption, HF_SCHEME_RSA_PKCS1_SHA512},
    {NID_sha1, NID_rsaEncryption, HF_SCHEME_RSA_PKCS1_SHA1},
    {NID_undef, NID_ED25519, HF_SCHEME_ED25519},
    {NID_undef, NID_ED448, HF_SCHEME_ED448},
};

/* The bits that a certificate's signature may be announced by; 0: none that we can name. PSS with
 * either kind of key signs certificates under both numbers. */
static uint32_t certificate_schemes(const struct hf_cert *cert)
{
    int digest, key;
    if (!X509_get_signature_info(cert->x509, &digest, &key, NULL, NULL)) {
        return 0;
    }
    if (key == NID_rsassaPss) {
        uint16_t at = digest == NID_sha384 ? 1 : digest == NID_sha512 ? 2 : 0;
        return hf_native_scheme_bit((uint16_t)(HF_SCHEME_RSA_PSS_RSAE_SHA256 + at)) |
               hf_native_scheme_bit((uint16_t)(HF_SCHEME_RSA_PSS_PSS_SHA256 + at));
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(chain_signatures); i++) {
        if (chain_signatures[i].key == key && chain_signatures[i].digest == digest) {
            return hf_native_scheme_bit(chain_signatures[i].scheme);
        }
    }
    return 0;
}

static bool is_self_signed(const struct hf_cert *cert)
{
    return X509_NAME_cmp(X509_get_subject_name(cert->x509), X509_get_issuer_name(cert->x509)) == 0;
}

static void note_chain(struct hf_native_identity *identity)
{
    const struct hf_chain *chain = identity->credential->chain;
    identity->chain_known = true;
    for (size_t i = 0; i < chain->n_certs; i++) {
        if (is_self_signed(chain->certs[i])) {
            continue; /* RFC 8446 4.2.3: its signature is not validated */
        }
        uint32_t bits = certificate_schemes(chain->certs[i]);
        identity->chain_schemes |= bits;
        identity->chain_known = identity->chain_known && bits;
    }
}

static enum hf_err copy_bytes(struct hf_bytes from, struct hf_bytes *out)
{
    *out = hf_bytes_of(NULL, 0);
    if (from.len == 0) {
        return HF_OK;
    }
    uint8_t *copy = hf_alloc(from.len);
    if (!copy) {
        return HF_E_NOMEM;
    }
    memcpy(copy, from.ptr, from.len);
    *out = hf_bytes_of(copy, from.len);
    return HF_OK;
}

static struct hf_bytes pointer_bytes(const struct hf_credential *const *credential)
{
    return hf_bytes_of(credential, sizeof(*credential));
}

static enum hf_err add_identity(struct hf_native_ctx *ctx, struct hf_credential *credential,
                                struct hf_bytes staple)
{
    struct hf_native_identity *identity = &ctx->identities[ctx->n_identities++];
    identity->credential = hf_credential_ref(credential);
    HF_TRY(hf_sign_key_new(credential->key, &identity->key));
    HF_TRY(copy_bytes(staple, &identity->staple));
    note_chain(identity);
    const struct hf_credential *key = credential;
    return hf_map_put(&ctx->by_credential, pointer_bytes(&key), identity);
}

static enum hf_err add_identities(struct hf_native_ctx *ctx,
                                  struct hf_credential *const *credentials, size_t n,
                                  const struct hf_bytes *staples)
{
    ctx->identities = hf_alloc_zero(n ? n : 1, sizeof(*ctx->identities));
    if (!ctx->identities) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        HF_TRY(add_identity(ctx, credentials[i], staples ? staples[i] : hf_bytes_of(NULL, 0)));
    }
    return HF_OK;
}

static void identity_done(struct hf_native_identity *identity)
{
    hf_credential_unref(identity->credential);
    hf_sign_key_unref(identity->key);
    hf_free((uint8_t *)(uintptr_t)identity->staple.ptr);
}

const struct hf_native_identity *hf_native_identity_of(const struct hf_native_ctx *ctx,
                                                       const struct hf_credential *credential)
{
    return hf_map_get(&ctx->by_credential, pointer_bytes(&credential));
}

uint16_t hf_native_sign_scheme(const struct hf_native_ctx *ctx,
                               const struct hf_native_identity *identity, uint32_t schemes)
{
    for (size_t i = 0; i < ctx->n_sign; i++) {
        if ((schemes & hf_native_scheme_bit(ctx->sign[i])) &&
            hf_sign_key_fits(identity->key, ctx->sign[i])) {
            return ctx->sign[i];
        }
    }
    return 0;
}

bool hf_native_chain_fits(const struct hf_native_identity *identity, uint32_t cert_schemes)
{
    return identity->chain_known && !(identity->chain_schemes & ~cert_schemes);
}

static struct hf_bytes issuer_der(const struct hf_cert *cert)
{
    const unsigned char *der;
    size_t len;
    if (!X509_NAME_get0_der(X509_get_issuer_name(cert->x509), &der, &len)) {
        return hf_bytes_of(NULL, 0);
    }
    return hf_bytes_of(der, len);
}

bool hf_native_issued_by(const struct hf_native_identity *identity, struct hf_bytes authorities)
{
    const struct hf_chain *chain = identity->credential->chain;
    struct hf_reader reader = hf_reader_of(authorities);
    struct hf_bytes name;
    while (reader.rest.len && hf_read_vec16(&reader, &name) == HF_OK) {
        for (size_t i = 0; i < chain->n_certs; i++) {
            if (hf_bytes_eq(issuer_der(chain->certs[i]), name)) {
                return true;
            }
        }
    }
    return authorities.len == 0;
}

/* --- What both roles have -----------------------------------------------------------------------
 */

static enum hf_err copy_alpn(struct hf_native_ctx *ctx, const char *const *alpn)
{
    size_t n = 0;
    while (alpn && alpn[n]) {
        n++;
    }
    ctx->alpn = hf_alloc_zero(n + 1, sizeof(*ctx->alpn));
    if (!ctx->alpn) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        ctx->alpn[i] = hf_strdup(alpn[i]);
        if (!ctx->alpn[i]) {
            return HF_E_NOMEM;
        }
    }
    return HF_OK;
}

static enum hf_err check_record_limit(uint16_t limit)
{
    if (limit && (limit < HF_RECORD_LIMIT_MIN || limit > HF_RECORD_PLAIN_MAX + 1)) {
        return hf_fail(HF_E_INVALID, "a record size limit is %d to %d, not %u", HF_RECORD_LIMIT_MIN,
                       HF_RECORD_PLAIN_MAX + 1, limit);
    }
    return HF_OK;
}

static enum hf_err init_common(struct hf_native_ctx *ctx, const struct hf_tls_common *common,
                               const struct hf_tls_judge *judge)
{
    hf_tls_ctx_base_init(&ctx->base, &hf_tls_native, common, judge);
    if (pthread_rwlock_init(&ctx->staple_lock, NULL) != 0) {
        return HF_E_NOMEM;
    }
    ctx->inline_jobs = !common->separate_jobs;
    ctx->ask_staple = common->ask_staple;
    ctx->record_limit = common->record_size_limit;
    ctx->pad_to = common->record_padding;
    HF_TRY(check_record_limit(ctx->record_limit));
    hf_seen_init(&ctx->seen);
    HF_TRY(hf_peer_chains_new(&ctx->known_chains));
    HF_TRY(hf_native_choices(ctx, common));
    return copy_alpn(ctx, common->alpn);
}

/* --- Server -------------------------------------------------------------------------------------
 */

/* Cookies are good on the connection that asked for them only, so their key is the context's own.
 */
static enum hf_err init_cookies(struct hf_native_ctx *ctx)
{
    enum { COOKIE_KEY_LEN = 32 };
    struct hf_tls_ticket_keys keys = {.n_keys = 1};
    keys.key[0].secret.len = COOKIE_KEY_LEN;
    enum hf_err err =
        hf_rng_fill(ctx->base.rng, hf_span_of(keys.key[0].secret.byte, COOKIE_KEY_LEN));
    err = err ? err : hf_ticket_seal_init(&ctx->cookie_seal, &keys);
    hf_wipe(&keys, sizeof(keys));
    return err;
}

/* The door gets the same config with the newest version left at 1.3, so that libssl itself puts the
 * downgrade sentinel into a ServerHello of 1.2 (RFC 8446 4.1.3). */
static enum hf_err init_door(struct hf_native_ctx *ctx, const struct hf_tls_server_config *config)
{
    if (config->common.min_version == HF_TLS_1_3) {
        return HF_OK;
    }
    struct hf_tls_server_config door = *config;
    door.common.engine = HF_TLS_ENGINE_LIBSSL;
    enum hf_err err = hf_tls_libssl.server_ctx_new(&door, &ctx->door);
    hf_wipe(&door.ticket_keys, sizeof(door.ticket_keys));
    return err;
}

static enum hf_err init_server(struct hf_native_ctx *ctx, const struct hf_tls_server_config *config)
{
    if (pthread_rwlock_init(&ctx->seal_lock, NULL) != 0) {
        return HF_E_NOMEM;
    }
    ctx->server = true;
    HF_TRY(init_common(ctx, &config->common, &config->judge));
    HF_TRY(add_identities(ctx, config->identities, config->n_identities, config->staples));
    HF_TRY(hf_picker_init(&ctx->picker, config));
    ctx->strict_sni = config->strict_sni;
    ctx->alpn_required = config->alpn_required;
    ctx->cookie = config->cookie;
    ctx->post_auth = config->post_handshake_auth;
    ctx->tickets = config->tickets;
    ctx->n_tickets = config->n_tickets ? config->n_tickets : 1;
    ctx->ticket_lifetime_s = config->ticket_lifetime_s;
    if (ctx->tickets) {
        HF_TRY(hf_ticket_seal_init(&ctx->seal, &config->ticket_keys));
    }
    HF_TRY(init_cookies(ctx));
    return init_door(ctx, config);
}

enum hf_err hf_native_server_ctx_new(const struct hf_tls_server_config *config,
                                     struct hf_tls_ctx **out)
{
    struct hf_native_ctx *ctx = HF_NEW(struct hf_native_ctx);
    if (!ctx) {
        return HF_E_NOMEM;
    }
    enum hf_err err = init_server(ctx, config);
    if (err != HF_OK) {
        hf_native_ctx_free(&ctx->base);
        return err;
    }
    *out = &ctx->base;
    return HF_OK;
}

/* --- Tickets ------------------------------------------------------------------------------------
 */

enum hf_err hf_native_ticket_make(struct hf_native_ctx *ctx, struct hf_crypto *crypto,
                                  struct hf_bytes plain, struct hf_buf *out)
{
    (void)pthread_rwlock_rdlock(&ctx->seal_lock);
    enum hf_err err = hf_ticket_seal_make(&ctx->seal, crypto, ctx->base.rng, plain, out);
    (void)pthread_rwlock_unlock(&ctx->seal_lock);
    return err;
}

enum hf_err hf_native_ticket_open(struct hf_native_ctx *ctx, struct hf_crypto *crypto,
                                  struct hf_bytes ticket, struct hf_buf *out)
{
    bool old_key; /* each resumption gives a new ticket anyway */
    (void)pthread_rwlock_rdlock(&ctx->seal_lock);
    enum hf_err err = hf_ticket_seal_open(&ctx->seal, crypto, ticket, out, &old_key);
    (void)pthread_rwlock_unlock(&ctx->seal_lock);
    return err;
}

enum hf_err hf_native_set_ticket_keys(struct hf_tls_ctx *base,
                                      const struct hf_tls_ticket_keys *keys)
{
    struct hf_native_ctx *ctx = HF_CONTAINER_OF(base, struct hf_native_ctx, base);
    struct hf_ticket_seal fresh;
    if (!ctx->tickets) {
        return hf_fail(HF_E_INVALID, "a context without tickets has no ticket keys");
    }
    HF_TRY(hf_ticket_seal_init(&fresh, keys));
    enum hf_err err = ctx->door ? hf_tls_ctx_set_ticket_keys(ctx->door, keys) : HF_OK;
    if (err == HF_OK) {
        (void)pthread_rwlock_wrlock(&ctx->seal_lock);
        ctx->seal = fresh;
        (void)pthread_rwlock_unlock(&ctx->seal_lock);
    }
    hf_ticket_seal_done(&fresh);
    return err;
}

enum hf_err hf_native_set_staple(struct hf_tls_ctx *base, const struct hf_credential *credential,
                                 struct hf_bytes staple)
{
    struct hf_native_ctx *ctx = HF_CONTAINER_OF(base, struct hf_native_ctx, base);
    struct hf_native_identity *identity =
        hf_map_get(&ctx->by_credential, pointer_bytes(&credential));
    struct hf_bytes fresh = {0};
    if (ctx->door) {
        HF_TRY(hf_tls_ctx_set_staple(ctx->door, credential, staple));
    }
    if (!identity) {
        return HF_OK;
    }
    HF_TRY(copy_bytes(staple, &fresh));
    (void)pthread_rwlock_wrlock(&ctx->staple_lock);
    struct hf_bytes old = identity->staple;
    identity->staple = fresh;
    (void)pthread_rwlock_unlock(&ctx->staple_lock);
    hf_free((uint8_t *)(uintptr_t)old.ptr);
    return HF_OK;
}

enum hf_err hf_native_staple_append(struct hf_native_ctx *ctx,
                                    const struct hf_native_identity *identity, struct hf_buf *out)
{
    (void)pthread_rwlock_rdlock(&ctx->staple_lock);
    enum hf_err err = hf_buf_append(out, identity->staple);
    (void)pthread_rwlock_unlock(&ctx->staple_lock);
    return err;
}

/* --- Client -------------------------------------------------------------------------------------
 */

/* The extension's body, made once. */
static enum hf_err encode_names(const struct hf_bytes *names, size_t n, struct hf_bytes *out)
{
    struct hf_buf body HF_CLEANUP(hf_buf_done) = HF_BUF_INIT(UINT16_MAX);
    struct hf_buf_vec list, name;
    if (n == 0) {
        return HF_OK;
    }
    HF_TRY(hf_buf_vec_open(&body, 2, &list));
    for (size_t i = 0; i < n; i++) {
        HF_TRY(hf_buf_vec_open(&body, 2, &name));
        HF_TRY(hf_buf_append(&body, names[i]));
        HF_TRY(hf_buf_vec_close(&body, name));
    }
    HF_TRY(hf_buf_vec_close(&body, list));
    return copy_bytes(hf_buf_bytes(&body), out);
}

static enum hf_err init_client(struct hf_native_ctx *ctx, const struct hf_tls_client_config *config)
{
    HF_TRY(init_common(ctx, &config->common, &config->judge));
    HF_TRY(add_identities(ctx, config->identities, config->n_identities, config->staples));
    ctx->n_shares = config->n_key_shares ? config->n_key_shares : 1;
    ctx->n_shares = ctx->n_shares < ctx->n_groups ? ctx->n_shares : ctx->n_groups;
    HF_TRY(encode_names(config->ca_names, config->n_ca_names, &ctx->ca_names));
    ctx->compat = !config->no_middlebox_compat;
    ctx->post_auth = config->post_handshake_auth;
    return HF_OK;
}

enum hf_err hf_native_client_ctx_new(const struct hf_tls_client_config *config,
                                     struct hf_tls_ctx **out)
{
    struct hf_native_ctx *ctx = HF_NEW(struct hf_native_ctx);
    if (!ctx) {
        return HF_E_NOMEM;
    }
    enum hf_err err = init_client(ctx, config);
    if (err != HF_OK) {
        hf_native_ctx_free(&ctx->base);
        return err;
    }
    *out = &ctx->base;
    return HF_OK;
}

void hf_native_ctx_free(struct hf_tls_ctx *base)
{
    struct hf_native_ctx *ctx = HF_CONTAINER_OF(base, struct hf_native_ctx, base);
    hf_tls_ctx_unref(ctx->door);
    for (size_t i = 0; i < ctx->n_identities; i++) {
        identity_done(&ctx->identities[i]);
    }
    for (char **name = ctx->alpn; name && *name; name++) {
        hf_free(*name);
    }
    hf_free(ctx->alpn);
    hf_free((uint8_t *)(uintptr_t)ctx->ca_names.ptr);
    hf_free(ctx->identities);
    hf_map_done(&ctx->by_credential);
    (void)pthread_rwlock_destroy(&ctx->staple_lock);
    hf_picker_done(&ctx->picker);
    hf_ticket_seal_done(&ctx->seal);
    if (ctx->server) {
        (void)pthread_rwlock_destroy(&ctx->seal_lock);
    }
    hf_ticket_seal_done(&ctx->cookie_seal);
    hf_cache_free(ctx->known_chains);
    hf_seen_done(&ctx->seen);
    hf_free(ctx);
}
