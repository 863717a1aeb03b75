// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CRYPTO_SCHEME_H
#define HF_CRYPTO_SCHEME_H

/*
 * Signature schemes of TLS 1.3 handshakes (RFC 8446 4.2.3): number, name, what key each wants and
 * which hash it uses. PKCS#1 v1.5 and SHA-1 aren't here: they sign certificates at most, and those
 * are libcrypto's.
 */

#include <openssl/evp.h>

#include "crypto/hash.h"

enum hf_key_type {
    HF_KEY_NONE,
    HF_KEY_P256,
    HF_KEY_P384,
    HF_KEY_P521,
    HF_KEY_ED25519,
    HF_KEY_RSA,     /* rsaEncryption */
    HF_KEY_RSA_PSS, /* id-RSASSA-PSS */
};

#define HF_SCHEME_TABLE(X) \
    X(ECDSA_SECP256R1_SHA256, 0x0403, "ecdsa_secp256r1_sha256", P256, SHA256) \
    X(ECDSA_SECP384R1_SHA384, 0x0503, "ecdsa_secp384r1_sha384", P384, SHA384) \
    X(ECDSA_SECP521R1_SHA512, 0x0603, "ecdsa_secp521r1_sha512", P521, SHA512) \
    X(ED25519, 0x0807, "ed25519", ED25519, SHA512) \
    X(RSA_PSS_RSAE_SHA256, 0x0804, "rsa_pss_rsae_sha256", RSA, SHA256) \
    X(RSA_PSS_RSAE_SHA384, 0x0805, "rsa_pss_rsae_sha384", RSA, SHA384) \
    X(RSA_PSS_RSAE_SHA512, 0x0806, "rsa_pss_rsae_sha512", RSA, SHA512) \
    X(RSA_PSS_PSS_SHA256, 0x0809, "rsa_pss_pss_sha256", RSA_PSS, SHA256) \
    X(RSA_PSS_PSS_SHA384, 0x080a, "rsa_pss_pss_sha384", RSA_PSS, SHA384) \
    X(RSA_PSS_PSS_SHA512, 0x080b, "rsa_pss_pss_sha512", RSA_PSS, SHA512)

#define HF_SCHEME_ENUM(id, number, name, key, hash) HF_SCHEME_##id = number,
enum hf_scheme_number { HF_SCHEME_TABLE(HF_SCHEME_ENUM) };
#undef HF_SCHEME_ENUM

struct hf_scheme {
    uint16_t number;
    enum hf_key_type key;
    enum hf_hash_alg hash; /* Ed25519 hashes by itself */
    const char *name;
};

/* hf_scheme_find gives the row, or NULL for a scheme that isn't ours. */
const struct hf_scheme *hf_scheme_find(uint16_t number);

/* hf_schemes_fitting is the set of schemes that a key can sign or verify by, as bits of
 * hf_scheme_bit: by type and curve, and for RSA by room for the PSS encoding (RFC 8017 9.1.1) and
 * by the key's own restrictions. Empty: none. Slow; kept with the key. */
uint32_t hf_schemes_fitting(const EVP_PKEY *key);
uint32_t hf_scheme_bit(const struct hf_scheme *scheme);

/* hf_key_type_of classifies libcrypto's key; HF_KEY_NONE: no scheme of ours fits it. */
enum hf_key_type hf_key_type_of(const EVP_PKEY *key);

#endif
