// SPDX-License-Identifier: Apache-2.0
/*
 * A chain of ours with its key. Reading is by key.c, pkcs12.c and pem.c; here is what must hold
 * before the two may be used together: the key fits the first certificate, can sign, and what it
 * signs verifies. The last is the one check that notices a private key with a flipped bit, which
 * would otherwise show as every peer refusing us.
 */
#include "pki/credential.h"

#include <openssl/x509.h>
#include <string.h>

#include "base/mem.h"
#include "pki/cert_impl.h"
#include "pki/dn.h"
#include "pki/key.h"
#include "pki/key_type.h"
#include "pki/ossl.h"
#include "pki/pem.h"

enum { FILE_CERTS_MAX = 64 };

static void credential_free(struct hf_credential *credential)
{
    EVP_PKEY_free(credential->key);
    hf_identity_unref(credential->identity);
    hf_chain_unref(credential->chain);
    hf_free(credential);
}

/* --- Chain -------------------------------------------------------------------------------------
 */

static enum hf_err append_chain(struct hf_chain **chain, const struct hf_chain *more,
                                const char *label)
{
    struct hf_cert *certs[HF_CHAIN_MAX];
    size_t n = (*chain)->n_certs;
    size_t n_more = more ? more->n_certs : 0;
    if (n + n_more > HF_CHAIN_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "%s: a chain of %zu certificates passes the limit of %d",
                       label, n + n_more, HF_CHAIN_MAX);
    }
    if (n_more == 0) {
        return HF_OK;
    }
    memcpy(certs, (*chain)->certs, n * sizeof(certs[0]));
    memcpy(certs + n, more->certs, n_more * sizeof(certs[0]));
    struct hf_chain *joined = NULL;
    HF_TRY(hf_chain_new_any(certs, n + n_more, &joined));
    hf_chain_unref(*chain);
    *chain = joined;
    return HF_OK;
}

static enum hf_err read_chain(struct hf_credential *credential,
                              const struct hf_credential_source *source)
{
    HF_CLEANUP(hf_chain_unrefp) struct hf_chain *more = NULL;
    if (!credential->chain) {
        HF_TRY(
            hf_certs_parse(source->cert, source->cert_label, FILE_CERTS_MAX, &credential->chain));
    }
    if (source->chain.len) {
        HF_TRY(hf_certs_parse(source->chain, source->chain_label, FILE_CERTS_MAX, &more));
    }
    return append_chain(&credential->chain, more, source->cert_label);
}

/* --- Key ---------------------------------------------------------------------------------------
 */

static enum hf_err read_key(struct hf_credential *credential,
                            const struct hf_credential_source *source)
{
    if (credential->key) {
        return HF_OK;
    }
    bool apart = source->key.len != 0;
    struct hf_locked from = {
        .text = apart ? source->key : source->cert,
        .label = apart ? source->key_label : source->cert_label,
        .passphrase = source->passphrase,
    };
    if (apart && hf_looks_like_pkcs12(from.text)) {
        HF_CLEANUP(hf_pkcs12_done) struct hf_pkcs12 pkcs12 = {0};
        HF_TRY(hf_pkcs12_parse(&from, &pkcs12));
        credential->key = HF_TAKE(pkcs12.key);
        return credential->key ? HF_OK
                               : hf_fail(HF_E_NOT_FOUND, "%s: no private key in it", from.label);
    }
    if (!apart && !hf_looks_like_pem(from.text)) {
        return hf_fail(HF_E_NOT_FOUND, "%s: no private key in it, and no key file is named",
                       from.label);
    }
    return hf_key_parse(&from, &credential->key);
}

/* Signs with the private half, verifies with the certificate's. */
static bool signs_for(EVP_PKEY *key, EVP_PKEY *public_key)
{
    static const unsigned char message[] = "handfast self-test of a private key";
    unsigned char signature[2048];
    size_t len = sizeof(signature);
    EVP_MD_CTX *sign = EVP_MD_CTX_new();
    EVP_MD_CTX *verify = EVP_MD_CTX_new();
    bool good = sign && verify && EVP_DigestSignInit_ex(sign, NULL, NULL, NULL, NULL, key, NULL) &&
                EVP_DigestSign(sign, signature, &len, message, sizeof(message)) &&
                EVP_DigestVerifyInit_ex(verify, NULL, NULL, NULL, NULL, public_key, NULL) &&
                EVP_DigestVerify(verify, signature, len, message, sizeof(message)) == 1;
    EVP_MD_CTX_free(sign);
    EVP_MD_CTX_free(verify);
    hf_ossl_forget();
    return good;
}

static bool fits(const EVP_PKEY *key, const struct hf_cert *cert)
{
    EVP_PKEY *public_key = X509_get0_pubkey(cert->x509);
    bool same = public_key && EVP_PKEY_eq(key, public_key) == 1;
    hf_ossl_forget();
    return same;
}

static enum hf_err fail_mismatch(const struct hf_credential *credential,
                                 const struct hf_credential_source *source)
{
    const char *key_label = source->key.len ? source->key_label : source->cert_label;
    char subject[160];
    hf_dn_text(X509_get_subject_name(credential->chain->certs[0]->x509), subject, sizeof(subject));
    for (size_t i = 1; i < credential->chain->n_certs; i++) {
        if (fits(credential->key, credential->chain->certs[i])) {
            return hf_fail(HF_E_MISMATCH,
                           "the private key in %s belongs to certificate %zu in %s, not to the "
                           "first, \"%s\"; put the certificate of the key first",
                           key_label, i + 1, source->cert_label, subject);
        }
    }
    return hf_fail(HF_E_MISMATCH,
                   "the private key in %s does not belong to the certificate \"%s\" in %s",
                   key_label, subject, source->cert_label);
}

static enum hf_err check_pair(const struct hf_credential *credential,
                              const struct hf_credential_source *source)
{
    if (!fits(credential->key, credential->chain->certs[0])) {
        return fail_mismatch(credential, source);
    }
    const char *key_label = source->key.len ? source->key_label : source->cert_label;
    if (!hf_key_can_sign(credential->key)) {
        char type[HF_KEY_TYPE_SIZE];
        hf_key_type(credential->key, type);
        return hf_fail(HF_E_UNSUPPORTED,
                       "%s: a key of type %s can't be used for TLS; EC, RSA and Ed25519 can",
                       key_label, type);
    }
    if (!signs_for(credential->key, X509_get0_pubkey(credential->chain->certs[0]->x509))) {
        return hf_fail(HF_E_MISMATCH,
                       "%s: the private key is damaged: what it signs does not verify with the "
                       "certificate",
                       key_label);
    }
    return HF_OK;
}

/* --- The whole ---------------------------------------------------------------------------------
 */

static enum hf_err fill(struct hf_credential *credential, const struct hf_credential_source *source)
{
    if (hf_looks_like_pkcs12(source->cert)) {
        struct hf_locked from = {source->cert, source->cert_label, source->passphrase};
        HF_CLEANUP(hf_pkcs12_done) struct hf_pkcs12 pkcs12 = {0};
        HF_TRY(hf_pkcs12_parse(&from, &pkcs12));
        credential->key = HF_TAKE(pkcs12.key);
        credential->chain = HF_TAKE(pkcs12.chain);
        if (source->key.len) {
            EVP_PKEY_free(credential->key);
            credential->key = NULL;
        } else if (!credential->key) {
            return hf_fail(HF_E_NOT_FOUND, "%s: no private key in it, and no key file is named",
                           source->cert_label);
        }
    }
    HF_TRY(read_chain(credential, source));
    HF_TRY(read_key(credential, source));
    HF_TRY(check_pair(credential, source));
    return hf_identity_new(credential->chain->certs[0], &credential->identity);
}

enum hf_err hf_credential_new(const struct hf_credential_source *source, struct hf_credential **out)
{
    *out = NULL;
    struct hf_credential *credential = HF_NEW(struct hf_credential);
    if (!credential) {
        return HF_E_NOMEM;
    }
    atomic_init(&credential->refs, 1);
    enum hf_err err = fill(credential, source);
    if (err != HF_OK) {
        credential_free(credential);
        return err;
    }
    *out = credential;
    return HF_OK;
}

struct hf_credential *hf_credential_ref(struct hf_credential *credential)
{
    atomic_fetch_add_explicit(&credential->refs, 1, memory_order_relaxed);
    return credential;
}

void hf_credential_unref(struct hf_credential *credential)
{
    if (credential && atomic_fetch_sub_explicit(&credential->refs, 1, memory_order_acq_rel) == 1) {
        credential_free(credential);
    }
}
