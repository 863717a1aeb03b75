// SPDX-License-Identifier: Apache-2.0
/*
 * One signature, checked by libcrypto. What is done here and not there: the form of an ECDSA
 * signature (JWS has R and S side by side, libcrypto wants DER), and that each algorithm is used
 * with its own kind of key, its own curve and, for PSS, a salt of its hash's length (RFC 7518 3.5).
 */
#include "policy/jws.h"

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "base/mem.h"

enum kind { RSA, RSA_PSS, P256, P384, P521, EDWARDS };

static const struct {
    const char *name;
    enum kind kind;
    unsigned hash;
} algs[HF_JWS_N] = {
#define ALG(id, text, key, bits) [HF_JWS_##id] = {text, key, bits},
    HF_JWS_TABLE(ALG)
#undef ALG
};

enum hf_jws_alg hf_jws_find(struct hf_bytes name)
{
    int i = 0;
    while (i < HF_JWS_N && !hf_bytes_eq_str(name, algs[i].name)) {
        i++;
    }
    return (enum hf_jws_alg)i;
}

const char *hf_jws_name(enum hf_jws_alg alg)
{
    return (unsigned)alg < HF_JWS_N ? algs[alg].name : "unknown";
}

void hf_jwk_done(struct hf_jwk *jwk)
{
    hf_free(jwk->kid);
    EVP_PKEY_free(jwk->key);
    *jwk = (struct hf_jwk){0};
}

/* How many bytes R has, and S. */
static size_t coordinate_len(enum kind kind)
{
    return kind == P256 ? 32 : kind == P384 ? 48 : kind == P521 ? 66 : 0;
}

static const EVP_MD *hash_of(unsigned bits)
{
    return bits == 256 ? EVP_sha256() : bits == 384 ? EVP_sha384() : bits ? EVP_sha512() : NULL;
}

/* R || S as DER; *out is libcrypto's memory. */
static enum hf_err ecdsa_der(struct hf_bytes signature, size_t len, uint8_t **out, size_t *out_len)
{
    if (signature.len != 2 * len) {
        return hf_fail(HF_E_MISMATCH, "an ECDSA signature of %zu bytes instead of %zu",
                       signature.len, 2 * len);
    }
    BIGNUM *r = BN_bin2bn(signature.ptr, (int)len, NULL);
    BIGNUM *s = BN_bin2bn(signature.ptr + len, (int)len, NULL);
    ECDSA_SIG *sig = ECDSA_SIG_new();
    int n = -1;
    if (r && s && sig && ECDSA_SIG_set0(sig, r, s)) {
        r = s = NULL;
        n = i2d_ECDSA_SIG(sig, out);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(sig);
    if (n <= 0) {
        return hf_fail(HF_E_NOMEM, "an ECDSA signature could not be converted");
    }
    *out_len = (size_t)n;
    return HF_OK;
}

static bool set_pss(EVP_PKEY_CTX *ctx)
{
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0;
}

static enum hf_err verify(EVP_PKEY *key, enum hf_jws_alg alg, struct hf_bytes message,
                          struct hf_bytes signature)
{
    EVP_PKEY_CTX *pctx = NULL; /* ctx owns it */
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (!ctx) {
        return hf_fail(HF_E_NOMEM, "out of memory");
    }
    bool ready = EVP_DigestVerifyInit(ctx, &pctx, hash_of(algs[alg].hash), NULL, key) > 0 &&
                 (algs[alg].kind != RSA_PSS || set_pss(pctx));
    int result =
        ready ? EVP_DigestVerify(ctx, signature.ptr, signature.len, message.ptr, message.len) : -1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return !ready        ? hf_fail(HF_E_CRYPTO, "libcrypto can't check %s", algs[alg].name)
           : result == 1 ? HF_OK
                         : hf_fail(HF_E_MISMATCH, "the signature is wrong");
}

enum hf_err hf_jwk_verify(const struct hf_jwk *jwk, enum hf_jws_alg alg, struct hf_bytes message,
                          struct hf_bytes signature)
{
    if ((unsigned)alg >= HF_JWS_N || !(jwk->algs & hf_jws_bit(alg))) {
        return hf_fail(HF_E_INVALID, "the key is not for this algorithm");
    }
    size_t len = coordinate_len(algs[alg].kind);
    if (len == 0) {
        return verify(jwk->key, alg, message, signature);
    }
    uint8_t *der = NULL;
    size_t der_len = 0;
    HF_TRY(ecdsa_der(signature, len, &der, &der_len));
    enum hf_err err = verify(jwk->key, alg, message, hf_bytes_of(der, der_len));
    OPENSSL_free(der);
    return err;
}
