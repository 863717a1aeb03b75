// SPDX-License-Identifier: Apache-2.0
#include "pki/key_type.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/objects.h>
#include <stdio.h>

static void ec_type(const EVP_PKEY *key, char *out)
{
    char group[40] = "";
    if (hf_key_has_explicit_curve(key) ||
        !EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group),
                                        NULL)) {
        snprintf(out, HF_KEY_TYPE_SIZE, "EC with explicit parameters");
        return;
    }
    const char *nist = EC_curve_nid2nist(OBJ_txt2nid(group));
    snprintf(out, HF_KEY_TYPE_SIZE, "EC %s", nist ? nist : group);
}

void hf_key_type(const EVP_PKEY *key, char out[static HF_KEY_TYPE_SIZE])
{
    static const struct {
        int type;
        const char *name;
        bool sized;
    } kinds[] = {
        {EVP_PKEY_RSA, "RSA", true},          {EVP_PKEY_RSA_PSS, "RSA-PSS", true},
        {EVP_PKEY_DSA, "DSA", true},          {EVP_PKEY_DH, "DH", true},
        {EVP_PKEY_ED25519, "Ed25519", false}, {EVP_PKEY_ED448, "Ed448", false},
        {EVP_PKEY_X25519, "X25519", false},   {EVP_PKEY_X448, "X448", false},
    };
    int type = key ? EVP_PKEY_get_base_id(key) : EVP_PKEY_NONE;
    if (type == EVP_PKEY_EC) {
        ec_type(key, out);
        return;
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(kinds); i++) {
        if (kinds[i].type != type) {
            continue;
        }
        if (kinds[i].sized) {
            snprintf(out, HF_KEY_TYPE_SIZE, "%s %d", kinds[i].name, EVP_PKEY_get_bits(key));
        } else {
            snprintf(out, HF_KEY_TYPE_SIZE, "%s", kinds[i].name);
        }
        return;
    }
    const char *name = key ? EVP_PKEY_get0_type_name(key) : NULL;
    snprintf(out, HF_KEY_TYPE_SIZE, "%s", name ? name : "unknown");
}

bool hf_key_has_explicit_curve(const EVP_PKEY *key)
{
    int explicit_curve = 0;
    return EVP_PKEY_get_base_id(key) == EVP_PKEY_EC &&
           (!EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
                                    &explicit_curve) ||
            explicit_curve);
}

bool hf_key_can_sign(const EVP_PKEY *key)
{
    static const int types[] = {EVP_PKEY_RSA, EVP_PKEY_RSA_PSS, EVP_PKEY_EC, EVP_PKEY_ED25519,
                                EVP_PKEY_ED448};
    for (size_t i = 0; i < HF_N_ELEMENTS(types); i++) {
        if (EVP_PKEY_get_base_id(key) == types[i]) {
            return !hf_key_has_explicit_curve(key);
        }
    }
    return false;
}
