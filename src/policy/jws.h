// SPDX-License-Identifier: Apache-2.0
#ifndef HF_POLICY_JWS_H
#define HF_POLICY_JWS_H

/*
 * Signature algorithms of JWS (RFC 7518 3.1, RFC 8037), and one public key to check them with
 * (JWK, RFC 7517). Public keys only: neither "none" nor HMAC is in the table, so no text that a
 * client sends can make a public key serve as a shared secret.
 */

#include <jansson.h>
#include <openssl/evp.h>

#include "base/bytes.h"

/* id, name on the wire, what kind of key it wants, its hash in bits (0: its own). */
#define HF_JWS_TABLE(X) \
    X(RS256, "RS256", RSA, 256) \
    X(RS384, "RS384", RSA, 384) \
    X(RS512, "RS512", RSA, 512) \
    X(PS256, "PS256", RSA_PSS, 256) \
    X(PS384, "PS384", RSA_PSS, 384) \
    X(PS512, "PS512", RSA_PSS, 512) \
    X(ES256, "ES256", P256, 256) \
    X(ES384, "ES384", P384, 384) \
    X(ES512, "ES512", P521, 512) \
    X(EDDSA, "EdDSA", EDWARDS, 0)

#define HF_JWS_ENUM(id, name, key, hash) HF_JWS_##id,
enum hf_jws_alg { HF_JWS_TABLE(HF_JWS_ENUM) HF_JWS_N };
#undef HF_JWS_ENUM

/* A set of algorithms: bits of hf_jws_bit. */
static inline uint32_t hf_jws_bit(enum hf_jws_alg alg)
{
    return UINT32_C(1) << alg;
}

/* hf_jws_find knows an algorithm by its exact name; HF_JWS_N: not ours. */
enum hf_jws_alg hf_jws_find(struct hf_bytes name);
const char *hf_jws_name(enum hf_jws_alg alg);

/* struct hf_jwk is a key as a set has it. Immutable. */
struct hf_jwk {
    char *kid;     /* NULL: none */
    EVP_PKEY *key; /* owned */
    uint32_t algs; /* that it may check: by its kind, narrowed by its "alg" */
};

void hf_jwk_done(struct hf_jwk *jwk);

/*
 * hf_jwk_init reads one member of "keys". Errors, in words: HF_E_UNSUPPORTED for a key that isn't
 * for checking signatures by an algorithm of ours (RFC 7517 5: to be passed over), HF_E_MALFORMED,
 * HF_E_INVALID for one that must not be used (RSA outside 2048 to 8192 bits, a point that isn't on
 * its curve, a private key in what everybody can read), HF_E_NOMEM, HF_E_CRYPTO.
 */
enum hf_err hf_jwk_init(struct hf_jwk *jwk, const json_t *json) HF_MUST_CHECK;

/* hf_jwk_verify checks a signature as JWS spells it (ECDSA: R and S, each of the curve's length).
 * Errors: HF_E_MISMATCH for a wrong or malformed one, HF_E_INVALID when alg isn't among the key's,
 * HF_E_NOMEM, HF_E_CRYPTO. Any thread. */
enum hf_err hf_jwk_verify(const struct hf_jwk *jwk, enum hf_jws_alg alg, struct hf_bytes message,
                          struct hf_bytes signature) HF_MUST_CHECK;

#endif
