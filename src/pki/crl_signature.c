// SPDX-License-Identifier: Apache-2.0
/*
 * The signature of a list. All algorithms but Ed25519 and Ed448 sign a hash, which is made while
 * the bytes go by and is all that is kept of them.
 *
 * What a check found is remembered: the hash of the first key that proved good, whole, and eight
 * bytes of that of the last one that proved bad, where mistaking one key for another is harmless.
 */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <string.h>

#include "base/mem.h"
#include "pki/crl_impl.h"

enum {
    KEPT_MAX = 64 << 20, /* bytes of a list that is signed without a hash */
    SIGNATURE_MAX = 2048,
};

enum padding { NONE, PKCS1, PSS };

struct algorithm {
    int nid;
    int key; /* EVP_PKEY_ ... */
    bool hashed;
    enum hf_hash_alg hash;
    enum padding padding;
};

static const struct algorithm algorithms[] = {
    {NID_ecdsa_with_SHA256, EVP_PKEY_EC, true, HF_HASH_SHA256, NONE},
    {NID_ecdsa_with_SHA384, EVP_PKEY_EC, true, HF_HASH_SHA384, NONE},
    {NID_ecdsa_with_SHA512, EVP_PKEY_EC, true, HF_HASH_SHA512, NONE},
    {NID_sha256WithRSAEncryption, EVP_PKEY_RSA, true, HF_HASH_SHA256, PKCS1},
    {NID_sha384WithRSAEncryption, EVP_PKEY_RSA, true, HF_HASH_SHA384, PKCS1},
    {NID_sha512WithRSAEncryption, EVP_PKEY_RSA, true, HF_HASH_SHA512, PKCS1},
    {NID_rsassaPss, EVP_PKEY_RSA, true, HF_HASH_SHA256, PSS}, /* the hash is in its parameters */
    {NID_ED25519, EVP_PKEY_ED25519, false, HF_HASH_SHA256, NONE},
    {NID_ED448, EVP_PKEY_ED448, false, HF_HASH_SHA256, NONE},
};

struct hf_crl_signature {
    const struct algorithm *algorithm;
    enum hf_hash_alg hash_alg;
    int salt_len; /* PSS */
    struct hf_hash hash;
    uint8_t digest[HF_HASH_MAX];
    struct hf_buf kept;
    struct hf_span identifier; /* owned: the AlgorithmIdentifier */
    struct hf_span value;      /* owned */
    _Atomic(uint8_t *) good;   /* owned: HF_SHA256_SIZE bytes, once a key was found */
    _Atomic(uint64_t) bad;
};

/* --- Beginning ----------------------------------------------------------------------------------
 */

static enum hf_err hash_of(const X509_ALGOR *algor, enum hf_hash_alg *out)
{
    static const struct {
        int nid;
        enum hf_hash_alg alg;
    } hashes[] = {
        {NID_sha256, HF_HASH_SHA256}, {NID_sha384, HF_HASH_SHA384}, {NID_sha512, HF_HASH_SHA512}};
    const ASN1_OBJECT *object = NULL;
    if (algor) {
        X509_ALGOR_get0(&object, NULL, NULL, algor);
    }
    for (size_t i = 0; object && i < HF_N_ELEMENTS(hashes); i++) {
        if (OBJ_obj2nid(object) == hashes[i].nid) {
            *out = hashes[i].alg;
            return HF_OK;
        }
    }
    return hf_fail(HF_E_UNSUPPORTED, "it is signed with a hash that is weak or unknown");
}

/* RSASSA-PSS-params (RFC 4055 3.1): no defaults are taken, as they mean SHA-1. */
static enum hf_err read_pss(const X509_ALGOR *algor, struct hf_crl_signature *out)
{
    const ASN1_OBJECT *object = NULL;
    const void *value = NULL;
    int type = V_ASN1_UNDEF;
    X509_ALGOR_get0(&object, &type, &value, algor);
    RSA_PSS_PARAMS *params = NULL;
    if (type == V_ASN1_SEQUENCE) {
        const ASN1_STRING *text = value;
        const uint8_t *at = ASN1_STRING_get0_data(text);
        params = d2i_RSA_PSS_PARAMS(NULL, &at, ASN1_STRING_length(text));
    }
    if (!params) {
        return hf_fail(HF_E_MALFORMED, "its RSA-PSS parameters can't be parsed");
    }
    enum hf_err err = hash_of(params->hashAlgorithm, &out->hash_alg);
    int64_t salt = 20;
    if (err == HF_OK && params->saltLength && !ASN1_INTEGER_get_int64(&salt, params->saltLength)) {
        salt = -1;
    }
    RSA_PSS_PARAMS_free(params);
    if (err == HF_OK && (salt < 0 || salt > HF_HASH_MAX)) {
        return hf_fail(HF_E_UNSUPPORTED, "its RSA-PSS salt has an absurd length");
    }
    out->salt_len = (int)salt;
    return err;
}

static enum hf_err read_algorithm(struct hf_bytes identifier, struct hf_crl_signature *out)
{
    const uint8_t *at = identifier.ptr;
    X509_ALGOR *algor = d2i_X509_ALGOR(NULL, &at, (long)identifier.len);
    if (!algor || at != identifier.ptr + identifier.len) {
        X509_ALGOR_free(algor);
        return hf_fail(HF_E_MALFORMED, "its signature algorithm can't be parsed");
    }
    const ASN1_OBJECT *object = NULL;
    X509_ALGOR_get0(&object, NULL, NULL, algor);
    int nid = OBJ_obj2nid(object);
    for (size_t i = 0; i < HF_N_ELEMENTS(algorithms); i++) {
        if (algorithms[i].nid == nid) {
            out->algorithm = &algorithms[i];
            out->hash_alg = algorithms[i].hash;
        }
    }
    char name[64] = "";
    OBJ_obj2txt(name, sizeof(name), object, 0);
    enum hf_err err = !out->algorithm                  ? hf_fail(HF_E_UNSUPPORTED,
                                                                 "it is signed with %s, which is weak or "
                                                                                  "unknown here",
                                                                 name)
                      : out->algorithm->padding == PSS ? read_pss(algor, out)
                                                       : HF_OK;
    X509_ALGOR_free(algor);
    return err;
}

static enum hf_err copy(struct hf_bytes bytes, struct hf_span *out)
{
    uint8_t *mem = hf_alloc(bytes.len + 1);
    if (!mem) {
        return HF_E_NOMEM;
    }
    memcpy(mem, bytes.ptr, bytes.len);
    *out = hf_span_of(mem, bytes.len);
    return HF_OK;
}

enum hf_err hf_crl_signature_new(struct hf_bytes algorithm, struct hf_crl_signature **out)
{
    struct hf_crl_signature *signature = HF_NEW(struct hf_crl_signature);
    if (!signature) {
        return HF_E_NOMEM;
    }
    enum hf_err err = read_algorithm(algorithm, signature);
    if (err == HF_OK) {
        err = copy(algorithm, &signature->identifier);
    }
    if (err != HF_OK) {
        hf_crl_signature_free(signature);
        return err;
    }
    signature->kept = HF_BUF_INIT(KEPT_MAX);
    hf_hash_init(&signature->hash, signature->hash_alg);
    *out = signature;
    return HF_OK;
}

enum hf_err hf_crl_signature_feed(struct hf_crl_signature *signature, struct hf_bytes signed_bytes)
{
    if (!signature->algorithm->hashed) {
        return hf_buf_append(&signature->kept, signed_bytes);
    }
    hf_hash_update(&signature->hash, signed_bytes);
    return HF_OK;
}

enum hf_err hf_crl_signature_seal(struct hf_crl_signature *signature, struct hf_bytes algorithm,
                                  struct hf_bytes bit_string)
{
    if (!hf_bytes_eq(algorithm, hf_span_bytes(signature->identifier))) {
        return hf_fail(HF_E_MALFORMED, "the signature algorithm outside differs from the one that "
                                       "is signed");
    }
    if (bit_string.len < 2 || bit_string.ptr[0] != 0 || bit_string.len > SIGNATURE_MAX) {
        return hf_fail(HF_E_MALFORMED, "the signature is not whole bytes, or too long");
    }
    hf_hash_final(&signature->hash, signature->digest);
    return copy(hf_bytes_from(bit_string, 1), &signature->value);
}

void hf_crl_signature_free(struct hf_crl_signature *signature)
{
    if (signature) {
        hf_hash_done(&signature->hash);
        hf_buf_done(&signature->kept);
        hf_free(signature->identifier.ptr);
        hf_free(signature->value.ptr);
        hf_free(atomic_load(&signature->good));
        hf_free(signature);
    }
}

/* --- Checking -----------------------------------------------------------------------------------
 */

static bool set_padding(const struct hf_crl_signature *signature, EVP_PKEY_CTX *ctx)
{
    const char *hash = hf_hash_name(signature->hash_alg);
    if (EVP_PKEY_CTX_set_signature_md(ctx, EVP_get_digestbyname(hash)) <= 0) {
        return false;
    }
    switch (signature->algorithm->padding) {
    case NONE:
        return true;
    case PKCS1:
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0;
    case PSS:
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, signature->salt_len) > 0;
    }
    return false;
}

static bool check_hashed(const struct hf_crl_signature *signature, EVP_PKEY *key)
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    bool good = ctx && EVP_PKEY_verify_init(ctx) > 0 && set_padding(signature, ctx) &&
                EVP_PKEY_verify(ctx, signature->value.ptr, signature->value.len, signature->digest,
                                hf_hash_size(signature->hash_alg)) == 1;
    EVP_PKEY_CTX_free(ctx);
    return good;
}

static bool check_whole(const struct hf_crl_signature *signature, EVP_PKEY *key)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    struct hf_bytes kept = hf_buf_bytes(&signature->kept);
    bool good =
        ctx && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) > 0 &&
        EVP_DigestVerify(ctx, signature->value.ptr, signature->value.len, kept.ptr, kept.len) == 1;
    EVP_MD_CTX_free(ctx);
    return good;
}

static bool fits(const struct hf_crl_signature *signature, const EVP_PKEY *key)
{
    int wanted = signature->algorithm->key;
    int is = EVP_PKEY_get_base_id(key);
    return is == wanted || (wanted == EVP_PKEY_RSA && is == EVP_PKEY_RSA_PSS &&
                            signature->algorithm->padding == PSS);
}

static bool check(const struct hf_crl_signature *signature, const struct hf_cert *issuer)
{
    EVP_PKEY *key = X509_get0_pubkey(issuer->x509);
    if (!key || !fits(signature, key)) {
        return false;
    }
    return signature->algorithm->hashed ? check_hashed(signature, key)
                                        : check_whole(signature, key);
}

/* Out of memory, the next check is made again. */
static void remember_good(struct hf_crl_signature *signature, const struct hf_cert *issuer)
{
    uint8_t *key = hf_alloc(HF_SHA256_SIZE);
    uint8_t *none = NULL;
    if (key) {
        memcpy(key, issuer->spki_sha256, HF_SHA256_SIZE);
    }
    if (!atomic_compare_exchange_strong(&signature->good, &none, key)) {
        hf_free(key);
    }
}

bool hf_crl_signature_good(struct hf_crl_signature *signature, const struct hf_cert *issuer)
{
    const uint8_t *good = atomic_load_explicit(&signature->good, memory_order_acquire);
    if (good && memcmp(good, issuer->spki_sha256, HF_SHA256_SIZE) == 0) {
        return true;
    }
    uint64_t bad;
    memcpy(&bad, issuer->spki_sha256, sizeof(bad));
    if (atomic_load_explicit(&signature->bad, memory_order_relaxed) == bad) {
        return false;
    }
    bool is_good = check(signature, issuer);
    if (is_good) {
        remember_good(signature, issuer);
    } else {
        atomic_store_explicit(&signature->bad, bad, memory_order_relaxed);
    }
    return is_good;
}
