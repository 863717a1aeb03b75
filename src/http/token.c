// SPDX-License-Identifier: Apache-2.0
/*
 * ES256 alone, and signing alone: the JOSE libraries that Debian has (libjose, libcjose) build a
 * tree of JSON objects and fresh key contexts for every token, and what they would spare us is the
 * order of three base64 texts. The signature itself is made by hf_sign, with the thread's prepared
 * context. Checking tokens, where the risk is, happens elsewhere (policy/jwt.h).
 */
#include "http/token.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <stdatomic.h>
#include <string.h>

#include "base/base64.h"
#include "base/escape.h"
#include "base/mem.h"
#include "crypto/hash.h"
#include "crypto/sign.h"

enum { COORDINATE = 32, JWKS_MAX = 8192, JTI_BYTES = 16 };

struct hf_signer {
    atomic_uint refs;
    struct hf_sign_key *key;
    char *issuer;
    int64_t lifetime_s;
    const struct hf_rng *rng;
    char *kid;  /* of the key that signs */
    char *head; /* encoded, with its dot */
    char *jwks;
};

/* --- Keys --------------------------------------------------------------------------------------*/

static enum hf_err append_coordinate(struct hf_buf *out, const EVP_PKEY *key, const char *which)
{
    uint8_t bytes[COORDINATE];
    BIGNUM *number = NULL;
    bool got = EVP_PKEY_get_bn_param(key, which, &number) &&
               BN_bn2binpad(number, bytes, sizeof(bytes)) == (int)sizeof(bytes);
    BN_free(number);
    return got ? hf_base64url_encode(hf_bytes_of(bytes, sizeof(bytes)), out)
               : hf_fail(HF_E_CRYPTO, "the public half of a token key can't be read");
}

/* The members of RFC 7638 3.2 in their order: what the thumbprint is of, and the start of the JWK.
 */
static enum hf_err append_public(struct hf_buf *out, const EVP_PKEY *key)
{
    HF_TRY(hf_buf_append_str(out, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\""));
    HF_TRY(append_coordinate(out, key, OSSL_PKEY_PARAM_EC_PUB_X));
    HF_TRY(hf_buf_append_str(out, "\",\"y\":\""));
    HF_TRY(append_coordinate(out, key, OSSL_PKEY_PARAM_EC_PUB_Y));
    return hf_buf_append_str(out, "\"}");
}

static enum hf_err append_jwk(struct hf_buf *out, const EVP_PKEY *key, struct hf_buf *out_kid)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf public = HF_BUF_INIT(512);
    uint8_t digest[HF_SHA256_SIZE];
    HF_TRY(append_public(&public, key));
    hf_hash_once(HF_HASH_SHA256, hf_buf_bytes(&public), digest);
    HF_TRY(hf_base64url_encode(hf_bytes_of(digest, sizeof(digest)), out_kid));
    struct hf_bytes members = hf_buf_bytes(&public);
    members.len--; /* the brace */
    HF_TRY(hf_buf_append(out, members));
    return hf_buf_printf(out, ",\"alg\":\"ES256\",\"use\":\"sig\",\"kid\":\"%.*s\"}",
                         (int)hf_buf_len(out_kid), (const char *)hf_buf_bytes(out_kid).ptr);
}

static enum hf_err keep(struct hf_buf *buf, char **out)
{
    const char *text = hf_buf_cstr(buf);
    *out = text ? hf_strdup(text) : NULL;
    return *out ? HF_OK : HF_E_NOMEM;
}

static enum hf_err publish(struct hf_signer *signer, const struct hf_signer_options *options)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf jwks = HF_BUF_INIT(JWKS_MAX);
    HF_TRY(hf_buf_append_str(&jwks, "{\"keys\":["));
    for (size_t i = 0; i < options->n_keys; i++) {
        HF_CLEANUP(hf_buf_done) struct hf_buf kid = HF_BUF_INIT(64);
        if (hf_key_type_of(options->keys[i]) != HF_KEY_P256) {
            return hf_fail(HF_E_INVALID, "tokens are signed with ES256, which wants a P-256 key; "
                                         "run: openssl genpkey -algorithm EC "
                                         "-pkeyopt ec_paramgen_curve:P-256");
        }
        HF_TRY(hf_buf_append_str(&jwks, i ? "," : ""));
        HF_TRY(append_jwk(&jwks, options->keys[i], &kid));
        if (i == 0) {
            HF_TRY(keep(&kid, &signer->kid));
        }
    }
    HF_TRY(hf_buf_append_str(&jwks, "]}"));
    return keep(&jwks, &signer->jwks);
}

static enum hf_err write_head(struct hf_signer *signer)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf json = HF_BUF_INIT(256);
    HF_CLEANUP(hf_buf_done) struct hf_buf head = HF_BUF_INIT(512);
    HF_TRY(hf_buf_printf(&json, "{\"alg\":\"ES256\",\"kid\":\"%s\",\"typ\":\"JWT\"}", signer->kid));
    HF_TRY(hf_base64url_encode(hf_buf_bytes(&json), &head));
    HF_TRY(hf_buf_append_str(&head, "."));
    return keep(&head, &signer->head);
}

static enum hf_err set_up(struct hf_signer *signer, const struct hf_signer_options *options)
{
    if (options->n_keys == 0 || options->n_keys > HF_SIGNER_KEYS_MAX) {
        return hf_fail(HF_E_INVALID, "a token is signed with 1 to %d keys", HF_SIGNER_KEYS_MAX);
    }
    HF_TRY(publish(signer, options));
    HF_TRY(write_head(signer));
    signer->lifetime_s = options->lifetime_s;
    signer->rng = options->rng;
    signer->issuer = hf_strdup(options->issuer);
    if (!signer->issuer) {
        return HF_E_NOMEM;
    }
    return hf_sign_key_new(options->keys[0], &signer->key);
}

enum hf_err hf_signer_new(const struct hf_signer_options *options, struct hf_signer **out)
{
    *out = NULL;
    struct hf_signer *signer = HF_NEW(struct hf_signer);
    if (!signer) {
        return HF_E_NOMEM;
    }
    atomic_init(&signer->refs, 1);
    enum hf_err err = set_up(signer, options);
    if (err != HF_OK) {
        hf_signer_unref(signer);
        return err;
    }
    *out = signer;
    return HF_OK;
}

struct hf_signer *hf_signer_ref(struct hf_signer *signer)
{
    atomic_fetch_add_explicit(&signer->refs, 1, memory_order_relaxed);
    return signer;
}

void hf_signer_unref(struct hf_signer *signer)
{
    if (!signer || atomic_fetch_sub_explicit(&signer->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    hf_sign_key_unref(signer->key);
    hf_free(signer->issuer);
    hf_free(signer->kid);
    hf_free(signer->head);
    hf_free(signer->jwks);
    hf_free(signer);
}

struct hf_bytes hf_signer_jwks(const struct hf_signer *signer)
{
    return hf_bytes_str(signer->jwks);
}

const char *hf_signer_kid(const struct hf_signer *signer)
{
    return signer->kid;
}

/* --- Claims ------------------------------------------------------------------------------------*/

/* A name as the certificate has it: struct hf_identity doubles backslashes, and in a name that
 * isn't mangled it changes nothing else. An RFC 4514 name is told as it is. */
static enum hf_err append_name(struct hf_buf *out, const char *prefix, const char *name, bool dn)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf plain = HF_BUF_INIT(HF_IDENTITY_TEXT_MAX + 16);
    HF_TRY(hf_buf_append_str(&plain, prefix));
    for (const char *c = name; *c; c++) {
        c += !dn && c[0] == '\\' && c[1] == '\\';
        HF_TRY(hf_buf_u8(&plain, (uint8_t)*c));
    }
    return hf_append_json_string(out, hf_buf_bytes(&plain));
}

static enum hf_err put_string(struct hf_buf *out, const char *key, const char *value)
{
    if (!value || !*value) {
        return HF_OK;
    }
    HF_TRY(hf_buf_printf(out, ",\"%s\":", key));
    return hf_append_json_string(out, hf_bytes_str(value));
}

static enum hf_err put_name(struct hf_buf *out, const char *key, const char *name, bool dn)
{
    if (!name || !*name) {
        return HF_OK;
    }
    HF_TRY(hf_buf_printf(out, ",\"%s\":", key));
    return append_name(out, "", name, dn);
}

static enum hf_err put_names(struct hf_buf *out, const char *key, const struct hf_names_list *list)
{
    if (!list->n) {
        return HF_OK;
    }
    HF_TRY(hf_buf_printf(out, ",\"%s\":", key));
    for (size_t i = 0; i < list->n; i++) {
        HF_TRY(hf_buf_append_str(out, i ? "," : "["));
        HF_TRY(append_name(out, "", list->name[i], false));
    }
    return hf_buf_append_str(out, "]");
}

static enum hf_err put_subject(struct hf_buf *out, const struct hf_facts *facts)
{
    struct hf_peer_id id = hf_facts_id(facts);
    HF_TRY(hf_buf_append_str(out, ",\"sub\":"));
    return append_name(out, id.prefix, id.name, strcmp(id.prefix, "dn:") == 0);
}

/* RFC 8705 3.1: the hash of the certificate, which binds the token to it. */
static enum hf_err put_confirmation(struct hf_buf *out, const struct hf_identity *peer)
{
    uint8_t digest[HF_SHA256_SIZE];
    HF_TRY(hf_unhex(peer->sha256, hf_span_of(digest, sizeof(digest))));
    HF_TRY(hf_buf_append_str(out, ",\"cnf\":{\"x5t#S256\":\""));
    HF_TRY(hf_base64url_encode(hf_bytes_of(digest, sizeof(digest)), out));
    return hf_buf_append_str(out, "\"}");
}

static enum hf_err put_identity(struct hf_buf *out, const struct hf_facts *facts)
{
    const struct hf_identity *names = hf_facts_names(facts);
    HF_TRY(put_confirmation(out, facts->identity));
    HF_TRY(put_string(out, "serial", facts->identity->serial));
    if (!names) {
        return HF_OK;
    }
    HF_TRY(put_name(out, "spiffe", names->spiffe, false));
    HF_TRY(put_name(out, "dn", names->subject, true));
    HF_TRY(put_name(out, "issuer", names->issuer, true));
    HF_TRY(put_name(out, "cn", names->cn, false));
    HF_TRY(put_names(out, "dns", &names->dns));
    HF_TRY(put_names(out, "uri", &names->uri));
    HF_TRY(put_names(out, "email", &names->email));
    return put_names(out, "ip", &names->ip);
}

static enum hf_err put_id(struct hf_buf *out, const struct hf_rng *rng)
{
    uint8_t bytes[JTI_BYTES];
    HF_TRY(hf_rng_fill(rng, hf_span_of(bytes, sizeof(bytes))));
    HF_TRY(hf_buf_append_str(out, ",\"jti\":\""));
    HF_TRY(hf_base64url_encode(hf_bytes_of(bytes, sizeof(bytes)), out));
    return hf_buf_append_str(out, "\"");
}

static enum hf_err write_claims(const struct hf_signer *signer, const struct hf_facts *facts,
                                const char *audience, int64_t expires_at, struct hf_buf *out)
{
    HF_TRY(hf_buf_append_str(out, "{\"iss\":"));
    HF_TRY(hf_append_json_string(out, hf_bytes_str(signer->issuer)));
    HF_TRY(put_string(out, "aud", audience));
    HF_TRY(put_subject(out, facts));
    HF_TRY(hf_buf_printf(out, ",\"iat\":%lld,\"exp\":%lld", (long long)(facts->now_ms / 1000),
                         (long long)expires_at));
    HF_TRY(put_id(out, signer->rng));
    HF_TRY(put_string(out, "listener", facts->listener));
    HF_TRY(put_identity(out, facts));
    return hf_buf_append_str(out, "}");
}

/* --- Signing -----------------------------------------------------------------------------------*/

/* RFC 7518 3.4: r and s, each 32 bytes. */
static enum hf_err to_raw(struct hf_bytes der, uint8_t out[2 * COORDINATE])
{
    const unsigned char *at = der.ptr;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)der.len);
    bool good = sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, COORDINATE) == COORDINATE &&
                BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + COORDINATE, COORDINATE) == COORDINATE;
    ECDSA_SIG_free(sig);
    return good ? HF_OK : hf_fail(HF_E_CRYPTO, "a signature of ours can't be read");
}

static enum hf_err append_signature(const struct hf_signer *signer, struct hf_buf *token)
{
    uint8_t der[HF_SIGNATURE_MAX];
    uint8_t raw[2 * COORDINATE];
    size_t len;
    struct hf_crypto *crypto = hf_crypto_here();
    if (!crypto) {
        return HF_E_CRYPTO;
    }
    HF_TRY(hf_sign(crypto, signer->key, HF_SCHEME_ECDSA_SECP256R1_SHA256, hf_buf_bytes(token),
                   hf_span_of(der, sizeof(der)), &len));
    HF_TRY(to_raw(hf_bytes_of(der, len), raw));
    HF_TRY(hf_buf_append_str(token, "."));
    return hf_base64url_encode(hf_bytes_of(raw, sizeof(raw)), token);
}

enum hf_err hf_token_new(const struct hf_signer *signer, const struct hf_facts *facts,
                         const char *audience, struct hf_token *out)
{
    *out = (struct hf_token){0};
    int64_t now = facts->now_ms / 1000;
    if (!facts->identity || !facts->verified || facts->identity->not_after <= now) {
        return hf_fail(HF_E_INVALID, "there is no valid certificate that a token could vouch for");
    }
    int64_t expires_at = now + signer->lifetime_s;
    if (expires_at > facts->identity->not_after) {
        expires_at = facts->identity->not_after;
    }
    HF_CLEANUP(hf_buf_done) struct hf_buf claims = HF_BUF_INIT(HF_TOKEN_MAX);
    HF_CLEANUP(hf_buf_done) struct hf_buf token = HF_BUF_INIT(HF_TOKEN_MAX);
    HF_TRY(write_claims(signer, facts, audience, expires_at, &claims));
    HF_TRY(hf_buf_append_str(&token, signer->head));
    HF_TRY(hf_base64url_encode(hf_buf_bytes(&claims), &token));
    HF_TRY(append_signature(signer, &token));
    HF_TRY(keep(&token, &out->text));
    out->renew_at = expires_at - (expires_at - now) / 4;
    return HF_OK;
}
