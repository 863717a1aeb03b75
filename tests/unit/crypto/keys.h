// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TESTS_CRYPTO_KEYS_H
#define HF_TESTS_CRYPTO_KEYS_H

/* Keys of every type, made when the test runs. */

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "crypto/scheme.h"

static inline EVP_PKEY *make_key(const char *type, const OSSL_PARAM *params)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    assert_non_null(ctx);
    assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_params(ctx, params), 1);
    assert_int_equal(EVP_PKEY_generate(ctx, &key), 1);
    EVP_PKEY_CTX_free(ctx);
    return key;
}

static inline EVP_PKEY *ec_key(char *curve)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, curve, 0),
        OSSL_PARAM_construct_end(),
    };
    return make_key("EC", params);
}

static inline EVP_PKEY *rsa_key(size_t bits)
{
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_RSA_BITS, &bits),
        OSSL_PARAM_construct_end(),
    };
    return make_key("RSA", params);
}

/* hash NULL: a PSS key without restrictions. */
static inline EVP_PKEY *pss_key(char *hash, int salt)
{
    size_t bits = 2048;
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_size_t(OSSL_PKEY_PARAM_RSA_BITS, &bits),
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_RSA_DIGEST, hash, 0),
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_RSA_MGF1_DIGEST, hash, 0),
        OSSL_PARAM_construct_int(OSSL_PKEY_PARAM_RSA_PSS_SALTLEN, &salt),
        OSSL_PARAM_construct_end(),
    };
    if (!hash) {
        params[1] = OSSL_PARAM_construct_end();
    }
    return make_key("RSA-PSS", params);
}

static inline EVP_PKEY *key_of(enum hf_key_type type)
{
    char p256[] = "P-256", p384[] = "P-384", p521[] = "P-521";
    const OSSL_PARAM none[] = {OSSL_PARAM_construct_end()};
    switch (type) {
    case HF_KEY_P256:
        return ec_key(p256);
    case HF_KEY_P384:
        return ec_key(p384);
    case HF_KEY_P521:
        return ec_key(p521);
    case HF_KEY_ED25519:
        return make_key("ED25519", none);
    case HF_KEY_RSA:
        return rsa_key(2048);
    case HF_KEY_RSA_PSS:
        return pss_key(NULL, 0);
    case HF_KEY_NONE:
        break;
    }
    fail();
    return NULL;
}

#endif
