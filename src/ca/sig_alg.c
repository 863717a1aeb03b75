// SPDX-License-Identifier: Apache-2.0
#include "ca/sig_alg.h"

#include <openssl/rsa.h>

#include "pki/asn1_write.h"
#include "pki/ossl.h"

#define ECDSA(last) HF_OID_INIT("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03" last)
#define PKCS1(last) HF_OID_INIT("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01" last "\x05\x00")
#define SHA2(last)  "\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02" last "\x05\x00"
#define PSS(hash, salt) \
    HF_OID_INIT("\x30\x41\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x34\xa0\x0f" SHA2( \
        hash) "\xa1\x1c\x30\x1a\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08" SHA2(hash) "\xa2\x03" \
                                                                                        "\x02" \
                                                                                        "\x01" salt)

#define EC_KEYS  HF_KEY_KIND_P256, HF_KEY_KIND_P521
#define RSA_KEYS HF_KEY_KIND_RSA2048, HF_KEY_KIND_RSA8192

static const struct hf_sig_alg algs[] = {
    {"ECDSA with SHA-256", ECDSA("\x02"), EC_KEYS, "SHA256", false, false},
    {"ECDSA with SHA-384", ECDSA("\x03"), EC_KEYS, "SHA384", false, false},
    {"ECDSA with SHA-512", ECDSA("\x04"), EC_KEYS, "SHA512", false, false},
    {"Ed25519", HF_OID_INIT("\x30\x05\x06\x03\x2b\x65\x70"), HF_KEY_KIND_ED25519,
     HF_KEY_KIND_ED25519, NULL, false, false},
    {"RSA with SHA-256", PKCS1("\x0b"), RSA_KEYS, "SHA256", false, false},
    {"RSA with SHA-384", PKCS1("\x0c"), RSA_KEYS, "SHA384", false, false},
    {"RSA with SHA-512", PKCS1("\x0d"), RSA_KEYS, "SHA512", false, false},
    {"RSA-PSS with SHA-256", PSS("\x01", "\x20"), RSA_KEYS, "SHA256", true, false},
    {"RSA-PSS with SHA-384", PSS("\x02", "\x30"), RSA_KEYS, "SHA384", true, false},
    {"RSA-PSS with SHA-512", PSS("\x03", "\x40"), RSA_KEYS, "SHA512", true, false},
    {"RSA with SHA-1", PKCS1("\x05"), RSA_KEYS, "SHA1", false, true},
    {"RSA with MD5", PKCS1("\x04"), RSA_KEYS, "MD5", false, true},
    {"ECDSA with SHA-1", HF_OID_INIT("\x30\x09\x06\x07\x2a\x86\x48\xce\x3d\x04\x01"), EC_KEYS,
     "SHA1", false, true},
};

const struct hf_sig_alg *hf_sig_alg_find(struct hf_bytes whole)
{
    for (size_t i = 0; i < HF_N_ELEMENTS(algs); i++) {
        if (hf_bytes_eq(algs[i].whole, whole)) {
            return &algs[i];
        }
    }
    return NULL;
}

const struct hf_sig_alg *hf_sig_alg_of(enum hf_key_kind kind)
{
    static const uint8_t ours[HF_KEY_KIND_N] = {
        [HF_KEY_KIND_P256] = 0,    [HF_KEY_KIND_P384] = 1,    [HF_KEY_KIND_P521] = 2,
        [HF_KEY_KIND_ED25519] = 3, [HF_KEY_KIND_RSA2048] = 4, [HF_KEY_KIND_RSA3072] = 4,
        [HF_KEY_KIND_RSA4096] = 4, [HF_KEY_KIND_RSA8192] = 4,
    };
    return (size_t)kind < HF_N_ELEMENTS(ours) ? &algs[ours[kind]] : NULL;
}

bool hf_sig_alg_fits(const struct hf_sig_alg *alg, enum hf_key_kind kind)
{
    return kind >= alg->from && kind <= alg->to;
}

static bool set_padding(const struct hf_sig_alg *alg, EVP_PKEY_CTX *ctx)
{
    return !alg->pss || (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
                         EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1);
}

enum hf_err hf_sig_alg_verify(const struct hf_sig_alg *alg, const struct hf_public_key *key,
                              struct hf_bytes message, struct hf_bytes signature)
{
    if (alg->weak || !hf_sig_alg_fits(alg, key->kind)) {
        return hf_fail(HF_E_UNSUPPORTED, "a signature by %s, with a key of type %s", alg->name,
                       hf_key_kind_text(key->kind));
    }
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *inner = NULL;
    bool ready =
        ctx && EVP_DigestVerifyInit_ex(ctx, &inner, alg->digest, NULL, NULL, key->key, NULL) == 1 &&
        set_padding(alg, inner);
    bool good =
        ready && EVP_DigestVerify(ctx, signature.ptr, signature.len, message.ptr, message.len) == 1;
    EVP_MD_CTX_free(ctx);
    if (!ready) {
        return hf_fail_ossl(HF_E_CRYPTO, "a signature can't be checked");
    }
    hf_ossl_forget();
    return good ? HF_OK : hf_fail(HF_E_MISMATCH, "the signature (%s) is wrong", alg->name);
}

enum hf_err hf_sig_alg_sign(const struct hf_sig_alg *alg, EVP_PKEY *key, struct hf_bytes message,
                            struct hf_span out, size_t *out_len)
{
    size_t len = out.len;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *inner = NULL;
    bool good = ctx &&
                EVP_DigestSignInit_ex(ctx, &inner, alg->digest, NULL, NULL, key, NULL) == 1 &&
                set_padding(alg, inner) &&
                EVP_DigestSign(ctx, out.ptr, &len, message.ptr, message.len) == 1;
    EVP_MD_CTX_free(ctx);
    if (!good) {
        return hf_fail_ossl(HF_E_CRYPTO, "a signature can't be made");
    }
    *out_len = len;
    return HF_OK;
}
