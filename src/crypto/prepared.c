// SPDX-License-Identifier: Apache-2.0
#include "crypto/prepared.h"

/*
 * What signing and verifying cost beyond their arithmetic is preparation: EVP fetches the signature
 * algorithm and the digest by name, allocates contexts, and counts references on a key that other
 * threads use too. A context that was initialised once may sign or verify any number of digests,
 * so preparation is done once per thread, key and scheme.
 *
 * A private key held in memory is copied into the thread's library context; its reference count,
 * blinding and Montgomery caches are then the thread's own. A key that lives elsewhere (a provider
 * for tokens) can't be copied and is used where it is.
 */

#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/rsa.h>
#include <string.h>

void hf_prepared_done(struct hf_prepared *prepared)
{
    EVP_PKEY_CTX_free(prepared->ctx);
    EVP_MD_CTX_free(prepared->whole);
    EVP_PKEY_free(prepared->key);
    *prepared = (struct hf_prepared){0};
}

static bool can_be_copied(const EVP_PKEY *key)
{
    const OSSL_PROVIDER *provider = EVP_PKEY_get0_provider(key);
    return provider && strcmp(OSSL_PROVIDER_get0_name(provider), "default") == 0;
}

static void wipe_params(OSSL_PARAM *params)
{
    for (OSSL_PARAM *param = params; param && param->key; param++) {
        OPENSSL_cleanse(param->data, param->data_size);
    }
    OSSL_PARAM_free(params);
}

static EVP_PKEY *copy_key(struct hf_crypto *crypto, EVP_PKEY *key, int selection)
{
    OSSL_PARAM *params = NULL;
    EVP_PKEY *copy = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(crypto->lib, EVP_PKEY_get0_type_name(key), NULL);
    if (ctx && EVP_PKEY_todata(key, selection, &params) == 1 && EVP_PKEY_fromdata_init(ctx) == 1 &&
        EVP_PKEY_fromdata(ctx, &copy, selection, params) != 1) {
        copy = NULL;
    }
    wipe_params(params);
    EVP_PKEY_CTX_free(ctx);
    return copy;
}

/* Names are all that libcrypto takes from these: the digest itself is the provider's. */
static const EVP_MD *digest_of(enum hf_hash_alg hash)
{
    switch (hash) {
    case HF_HASH_SHA256:
        return EVP_sha256();
    case HF_HASH_SHA384:
        return EVP_sha384();
    case HF_HASH_SHA512:
        break;
    }
    return EVP_sha512();
}

/* RFC 8446 4.2.3: the salt is as long as the digest, and MGF1 uses the digest's hash. */
static bool set_scheme(EVP_PKEY_CTX *ctx, const struct hf_scheme *scheme)
{
    const EVP_MD *md = digest_of(scheme->hash);
    if (scheme->key != HF_KEY_RSA && scheme->key != HF_KEY_RSA_PSS) {
        return EVP_PKEY_CTX_set_signature_md(ctx, md) == 1;
    }
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
           EVP_PKEY_CTX_set_signature_md(ctx, md) == 1 &&
           EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) == 1 &&
           EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1;
}

static bool ready_digest(OSSL_LIB_CTX *lib, const struct hf_scheme *scheme, enum hf_prepared_op op,
                         struct hf_prepared *prepared)
{
    prepared->ctx = EVP_PKEY_CTX_new_from_pkey(lib, prepared->key, NULL);
    return prepared->ctx &&
           (op == HF_PREPARED_SIGN ? EVP_PKEY_sign_init(prepared->ctx)
                                   : EVP_PKEY_verify_init(prepared->ctx)) == 1 &&
           set_scheme(prepared->ctx, scheme);
}

static bool ready_whole(OSSL_LIB_CTX *lib, enum hf_prepared_op op, struct hf_prepared *prepared)
{
    prepared->whole = EVP_MD_CTX_new();
    return prepared->whole &&
           (op == HF_PREPARED_SIGN
                ? EVP_DigestSignInit_ex(prepared->whole, NULL, NULL, lib, NULL, prepared->key, NULL)
                : EVP_DigestVerifyInit_ex(prepared->whole, NULL, NULL, lib, NULL, prepared->key,
                                          NULL)) == 1;
}

enum hf_err hf_prepared_make(struct hf_crypto *crypto, EVP_PKEY *key,
                             const struct hf_scheme *scheme, enum hf_prepared_op op,
                             struct hf_prepared *out)
{
    struct hf_prepared prepared = {0};
    OSSL_LIB_CTX *lib = NULL; /* where a key that can't be copied was loaded */
    if (can_be_copied(key)) {
        lib = crypto->lib;
        prepared.key =
            copy_key(crypto, key, op == HF_PREPARED_SIGN ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY);
    } else if (EVP_PKEY_up_ref(key)) {
        prepared.key = key;
    }
    bool ok =
        prepared.key && (scheme->key == HF_KEY_ED25519 ? ready_whole(lib, op, &prepared)
                                                       : ready_digest(lib, scheme, op, &prepared));
    if (!ok) {
        hf_prepared_done(&prepared);
        *out = prepared;
        return hf_fail_crypto("a key can't be made ready");
    }
    *out = prepared;
    return HF_OK;
}

/* The context is initialised again after the key has changed, so that it can't verify with a point
 * that a future libcrypto has kept aside. */
enum hf_err hf_prepared_repoint(struct hf_prepared *prepared, const struct hf_scheme *scheme,
                                struct hf_bytes point)
{
    if (EVP_PKEY_set1_encoded_public_key(prepared->key, point.ptr, point.len) != 1 ||
        EVP_PKEY_verify_init(prepared->ctx) != 1 || !set_scheme(prepared->ctx, scheme)) {
        return hf_fail_crypto("a public point can't be made ready");
    }
    return HF_OK;
}
