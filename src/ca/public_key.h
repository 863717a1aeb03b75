// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_PUBLIC_KEY_H
#define HF_CA_PUBLIC_KEY_H

/*
 * struct hf_public_key is a key that a certificate may be made for: a SubjectPublicKeyInfo that was
 * read strictly, with its parts and libcrypto's object. Immutable after it is made; any thread.
 */

#include <openssl/evp.h>

#include "base/bytes.h"

/* id, word in profiles and options, for people, RSA bits */
#define HF_KEY_KIND_TABLE(X) \
    X(P256, "p256", "EC P-256", 0) \
    X(P384, "p384", "EC P-384", 0) \
    X(P521, "p521", "EC P-521", 0) \
    X(ED25519, "ed25519", "Ed25519", 0) \
    X(RSA2048, "rsa2048", "RSA 2048", 2048) \
    X(RSA3072, "rsa3072", "RSA 3072", 3072) \
    X(RSA4096, "rsa4096", "RSA 4096", 4096) \
    X(RSA8192, "rsa8192", "RSA 8192", 8192)

#define HF_KEY_KIND_ENUM(id, word, text, bits) HF_KEY_KIND_##id,
enum hf_key_kind { HF_KEY_KIND_TABLE(HF_KEY_KIND_ENUM) HF_KEY_KIND_N };
#undef HF_KEY_KIND_ENUM

const char *hf_key_kind_word(enum hf_key_kind kind);
const char *hf_key_kind_text(enum hf_key_kind kind);

/* hf_key_kind_by_word gives HF_KEY_KIND_N for a word that isn't in the table. */
enum hf_key_kind hf_key_kind_by_word(const char *word);

/* hf_key_kind_make makes a private key. Errors: HF_E_CRYPTO. */
enum hf_err hf_key_kind_make(enum hf_key_kind kind, EVP_PKEY **out) HF_MUST_CHECK;

#define HF_SPKI_MAX 2048 /* bytes; RSA of 8192 bits takes 1062 */

struct hf_public_key {
    enum hf_key_kind kind;             /* RSA: the largest in the table that its size reaches */
    unsigned bits;                     /* of the modulus, or the field */
    struct hf_bytes spki;              /* SubjectPublicKeyInfo in DER; owned */
    struct hf_bytes contents;          /* of its BIT STRING, in spki: what key identifiers hash */
    struct hf_bytes modulus, exponent; /* RSA: magnitudes, in spki */
    struct hf_bytes point;             /* EC: uncompressed; Ed25519: 32 bytes; in spki */
    uint8_t spki_sha256[32];
    uint8_t key_id[20]; /* SHA-1 of contents (RFC 5280 4.2.1.2, method 1) */
    EVP_PKEY *key;      /* owned */
};

/*
 * hf_public_key_parse reads one SubjectPublicKeyInfo and nothing behind it. EC keys: a named curve
 * of the table, an uncompressed point on it. RSA: rsaEncryption with NULL, 1024 to 8192 bits; what
 * is weak is for ca/weak_key.h to say. Errors: HF_E_MALFORMED, HF_E_UNSUPPORTED (another algorithm,
 * curve or form), HF_E_INVALID (a point that isn't on the curve).
 */
enum hf_err hf_public_key_parse(struct hf_bytes spki, struct hf_public_key **out) HF_MUST_CHECK;

/* hf_public_key_of takes the public half of a key of ours. */
enum hf_err hf_public_key_of(const EVP_PKEY *key, struct hf_public_key **out) HF_MUST_CHECK;
void hf_public_key_free(struct hf_public_key *key);
void hf_public_key_freep(struct hf_public_key **key);

#endif
