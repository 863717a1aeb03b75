// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CRYPTO_TOOLS_H
#define HF_CRYPTO_TOOLS_H

/*
 * The inside of struct hf_crypto, for the files of this folder only. Each primitive has its part,
 * made at first use (zero: not made) and freed by its own _done.
 */

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/provider.h>

#include "crypto/aead.h"
#include "crypto/crypto.h"
#include "crypto/scheme.h"

/* One short Weierstrass curve: its group, and a point and two numbers to work with. */
struct hf_kex_curve {
    EC_GROUP *group;
    EC_POINT *point;
    BIGNUM *scalar;
    BIGNUM *x;
};

struct hf_kex_tools {
    EVP_PKEY_CTX *x25519_import;
    EVP_PKEY *x25519_peer;
    struct hf_kex_curve p256;
    struct hf_kex_curve p384;
    BN_CTX *numbers;
};

/* A context ready to sign or verify with one key by one scheme. */
struct hf_prepared {
    EVP_PKEY *key;     /* this thread's copy, or a reference where a key can't be copied */
    EVP_PKEY_CTX *ctx; /* schemes that take a digest */
    EVP_MD_CTX *whole; /* Ed25519, which takes the message */
};

#define HF_SIGN_SLOTS   16
#define HF_VERIFY_SLOTS 16 /* a power of two */

struct hf_sign_slot {
    struct hf_sign_key *key; /* held; NULL: free */
    uint16_t scheme;
    uint64_t used_at; /* by the count of signatures; the least recent makes room */
    struct hf_prepared prepared;
};

struct hf_verify_slot {
    uint64_t key_id; /* 0: free */
    uint16_t scheme;
    struct hf_prepared prepared;
};

struct hf_crypto {
    OSSL_LIB_CTX *lib;
    OSSL_PROVIDER *provider;
    EVP_CIPHER *ciphers[HF_AEAD_CHACHA20_POLY1305 + 1];
    struct hf_kex_tools kex;
    uint64_t n_signed;
    struct hf_sign_slot sign[HF_SIGN_SLOTS];
    struct hf_verify_slot verify[HF_VERIFY_SLOTS];
};

void hf_kex_tools_done(struct hf_kex_tools *tools);
void hf_sign_tools_done(struct hf_crypto *crypto);
void hf_verify_tools_done(struct hf_crypto *crypto);

/* hf_fail_crypto records what failed with libcrypto's reason behind it, empties libcrypto's queue,
 * and yields HF_E_CRYPTO, or HF_E_NOMEM when that was the reason. */
#define hf_fail_crypto(what) hf_fail_crypto_at(__FILE__, __LINE__, (what))
enum hf_err hf_fail_crypto_at(const char *file, int line, const char *what);

#endif
