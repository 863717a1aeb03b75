// SPDX-License-Identifier: Apache-2.0
#include "jose.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"

static void must(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "%s failed\n", what);
        abort();
    }
}

#define MUST(expr) must((expr), #expr)

struct issuer_key issuer_key_new(const char *kid, const char *crv)
{
    struct issuer_key made = {.kid = kid, .crv = crv};
    made.key = strcmp(crv, "RSA") == 0       ? EVP_RSA_gen(2048)
               : strcmp(crv, "Ed25519") == 0 ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
               : strcmp(crv, "Ed448") == 0   ? EVP_PKEY_Q_keygen(NULL, NULL, "ED448")
                                             : EVP_EC_gen(crv);
    MUST(made.key);
    return made;
}

void issuer_key_done(struct issuer_key *key)
{
    EVP_PKEY_free(key->key);
    key->key = NULL;
}

static void append_member(struct hf_buf *out, const char *name, const uint8_t *ptr, size_t len)
{
    MUST(hf_buf_printf(out, ",\"%s\":\"", name) == HF_OK);
    MUST(hf_base64url_encode(hf_bytes_of(ptr, len), out) == HF_OK);
    MUST(hf_buf_append_str(out, "\"") == HF_OK);
}

static void append_bn(const struct issuer_key *key, const char *param, const char *name,
                      struct hf_buf *out)
{
    BIGNUM *bn = NULL;
    uint8_t bytes[1024];
    MUST(EVP_PKEY_get_bn_param(key->key, param, &bn));
    append_member(out, name, bytes, (size_t)BN_bn2bin(bn, bytes));
    BN_free(bn);
}

void issuer_jwk(const struct issuer_key *key, const char *more, struct hf_buf *out)
{
    uint8_t point[200];
    size_t len = sizeof(point);
    bool rsa = strcmp(key->crv, "RSA") == 0, edwards = key->crv[0] == 'E';
    MUST(hf_buf_printf(out, "{\"kty\":\"%s\"", rsa ? "RSA" : edwards ? "OKP" : "EC") == HF_OK);
    if (key->kid) {
        MUST(hf_buf_printf(out, ",\"kid\":\"%s\"", key->kid) == HF_OK);
    }
    if (rsa) {
        append_bn(key, OSSL_PKEY_PARAM_RSA_N, "n", out);
        append_bn(key, OSSL_PKEY_PARAM_RSA_E, "e", out);
    } else {
        MUST(hf_buf_printf(out, ",\"crv\":\"%s\"", key->crv) == HF_OK);
        if (edwards) {
            MUST(EVP_PKEY_get_raw_public_key(key->key, point, &len));
            append_member(out, "x", point, len);
        } else {
            MUST(EVP_PKEY_get_octet_string_param(key->key, OSSL_PKEY_PARAM_PUB_KEY, point,
                                                 sizeof(point), &len));
            MUST(point[0] == POINT_CONVERSION_UNCOMPRESSED);
            append_member(out, "x", point + 1, len / 2);
            append_member(out, "y", point + 1 + len / 2, len / 2);
        }
    }
    MUST(hf_buf_printf(out, "%s}", more) == HF_OK);
}

char *issuer_jwks(const struct issuer_key *keys, size_t n)
{
    struct hf_buf out = HF_BUF_INIT(1 << 20);
    MUST(hf_buf_append_str(&out, "{\"keys\":[") == HF_OK);
    for (size_t i = 0; i < n; i++) {
        MUST(hf_buf_append_str(&out, i ? "," : "") == HF_OK);
        issuer_jwk(&keys[i], ",\"use\":\"sig\"", &out);
    }
    MUST(hf_buf_append_str(&out, "]}") == HF_OK);
    char *text = hf_strdup(hf_buf_cstr(&out));
    hf_buf_done(&out);
    return text;
}

char *issuer_part(const char *text)
{
    struct hf_buf out = HF_BUF_INIT(1 << 20);
    MUST(hf_base64url_encode(hf_bytes_str(text), &out) == HF_OK);
    char *part = hf_strdup(hf_buf_cstr(&out));
    hf_buf_done(&out);
    return part;
}

/* DER to R || S. */
static size_t ecdsa_raw(const uint8_t *der, size_t der_len, size_t len, uint8_t *out)
{
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)der_len);
    MUST(sig);
    MUST(BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, (int)len) > 0);
    MUST(BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + len, (int)len) > 0);
    ECDSA_SIG_free(sig);
    return 2 * len;
}

static size_t sign(const struct issuer_key *key, enum hf_jws_alg alg, struct hf_bytes message,
                   uint8_t *out, size_t room)
{
    const char *name = hf_jws_name(alg);
    const EVP_MD *md = strstr(name, "256")   ? EVP_sha256()
                       : strstr(name, "384") ? EVP_sha384()
                       : strstr(name, "512") ? EVP_sha512()
                                             : NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    uint8_t der[1024];
    size_t der_len = sizeof(der);
    MUST(EVP_DigestSignInit(ctx, &pctx, md, NULL, key->key) > 0);
    if (name[0] == 'P') {
        MUST(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) > 0);
        MUST(EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) > 0);
    }
    MUST(EVP_DigestSign(ctx, der, &der_len, message.ptr, message.len) > 0);
    EVP_MD_CTX_free(ctx);
    if (EVP_PKEY_get_base_id(key->key) == EVP_PKEY_EC) {
        size_t len = ((size_t)EVP_PKEY_get_bits(key->key) + 7) / 8;
        return ecdsa_raw(der, der_len, len, out);
    }
    MUST(der_len <= room);
    memcpy(out, der, der_len);
    return der_len;
}

char *issuer_token(const struct issuer_key *key, enum hf_jws_alg alg, const char *header,
                   const char *claims)
{
    struct hf_buf out = HF_BUF_INIT(1 << 20);
    uint8_t signature[1024];
    MUST(hf_base64url_encode(hf_bytes_str(header), &out) == HF_OK);
    MUST(hf_buf_append_str(&out, ".") == HF_OK);
    MUST(hf_base64url_encode(hf_bytes_str(claims), &out) == HF_OK);
    size_t len = sign(key, alg, hf_buf_bytes(&out), signature, sizeof(signature));
    MUST(hf_buf_append_str(&out, ".") == HF_OK);
    MUST(hf_base64url_encode(hf_bytes_of(signature, len), &out) == HF_OK);
    char *token = hf_strdup(hf_buf_cstr(&out));
    hf_buf_done(&out);
    return token;
}

char *issuer_token_of(const struct issuer_key *key, enum hf_jws_alg alg, const char *claims)
{
    char header[256];
    snprintf(header, sizeof(header), "{\"alg\":\"%s\"%s%s%s}", hf_jws_name(alg),
             key->kid ? ",\"kid\":\"" : "", key->kid ? key->kid : "", key->kid ? "\"" : "");
    return issuer_token(key, alg, header, claims);
}
