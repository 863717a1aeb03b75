// SPDX-License-Identifier: Apache-2.0
#include "crypto/scheme.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <string.h>

enum { RSA_BITS_MIN = 1024, RSA_BITS_MAX = 8192 };

static const struct hf_scheme schemes[] = {
#define SCHEME_ROW(id, number, name, key, hash) {number, HF_KEY_##key, HF_HASH_##hash, name},
    HF_SCHEME_TABLE(SCHEME_ROW)
#undef SCHEME_ROW
};

const struct hf_scheme *hf_scheme_find(uint16_t number)
{
    for (size_t i = 0; i < HF_N_ELEMENTS(schemes); i++) {
        if (schemes[i].number == number) {
            return &schemes[i];
        }
    }
    return NULL;
}

static enum hf_key_type curve_of(const EVP_PKEY *key)
{
    static const struct {
        const char *name;
        enum hf_key_type type;
    } curves[] = {
        {"prime256v1", HF_KEY_P256},
        {"secp384r1", HF_KEY_P384},
        {"secp521r1", HF_KEY_P521},
    };
    char name[64];
    size_t len = 0;
    if (EVP_PKEY_get_group_name(key, name, sizeof(name), &len) != 1) {
        return HF_KEY_NONE;
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(curves); i++) {
        if (strcmp(name, curves[i].name) == 0) {
            return curves[i].type;
        }
    }
    return HF_KEY_NONE;
}

enum hf_key_type hf_key_type_of(const EVP_PKEY *key)
{
    if (EVP_PKEY_is_a(key, "EC")) {
        return curve_of(key);
    }
    if (EVP_PKEY_is_a(key, "RSA")) {
        return HF_KEY_RSA;
    }
    if (EVP_PKEY_is_a(key, "RSA-PSS")) {
        return HF_KEY_RSA_PSS;
    }
    return EVP_PKEY_is_a(key, "ED25519") ? HF_KEY_ED25519 : HF_KEY_NONE;
}

uint32_t hf_scheme_bit(const struct hf_scheme *scheme)
{
    return UINT32_C(1) << (scheme - schemes);
}

/* A PSS key may be bound to one hash and a least salt (RFC 4055 3.1). */
static bool restrictions_allow(const EVP_PKEY *key, const struct hf_scheme *scheme)
{
    char name[32];
    size_t len = 0;
    int salt = 0;
    ERR_set_mark();
    bool restricted = EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_MANDATORY_DIGEST, name,
                                                     sizeof(name), &len) == 1;
    EVP_MD *md = restricted ? EVP_MD_fetch(NULL, name, NULL) : NULL;
    bool same = md && EVP_MD_is_a(md, hf_hash_name(scheme->hash));
    bool salted = EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_RSA_PSS_SALTLEN, &salt) == 1;
    EVP_MD_free(md);
    ERR_pop_to_mark();
    return !restricted || (same && (!salted || salt <= (int)hf_hash_size(scheme->hash)));
}

static bool rsa_fits(const EVP_PKEY *key, const struct hf_scheme *scheme)
{
    int bits = EVP_PKEY_get_bits(key);
    int least = (int)(8 * (2 * hf_hash_size(scheme->hash) + 2) + 1);
    return bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX && bits >= least &&
           (scheme->key != HF_KEY_RSA_PSS || restrictions_allow(key, scheme));
}

uint32_t hf_schemes_fitting(const EVP_PKEY *key)
{
    enum hf_key_type type = hf_key_type_of(key);
    bool is_rsa = type == HF_KEY_RSA || type == HF_KEY_RSA_PSS;
    uint32_t set = 0;
    for (size_t i = 0; i < HF_N_ELEMENTS(schemes); i++) {
        if (schemes[i].key == type && (!is_rsa || rsa_fits(key, &schemes[i]))) {
            set |= hf_scheme_bit(&schemes[i]);
        }
    }
    return set;
}
