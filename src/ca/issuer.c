// SPDX-License-Identifier: Apache-2.0
/* A CA's certificate is read once, by libcrypto, into what each new certificate needs of it. */
#include "ca/issuer.h"

#include <limits.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "ca/issuer_impl.h"
#include "ca/sig_alg.h"
#include "pki/ossl.h"

enum { ABOVE_MAX = 16 };

/* One set of constraints, of the issuer or of a CA above it. */
struct limits {
    struct hf_cert *cert; /* holds the bytes; a reference */
    struct hf_name_constraints constraints;
};

struct hf_issuer {
    atomic_uint refs;
    struct hf_cert *cert;
    struct hf_public_key *public;
    EVP_PKEY *key;
    struct hf_signer signer;
    struct hf_bytes subject; /* owned */
    uint8_t key_id[HF_KEY_ID_MAX];
    size_t key_id_len;
    int64_t begin, end;
    int room;    /* for CAs below it; below 0: it is too deep itself; INT_MAX: any number */
    int n_under; /* CAs from here up to the one that comes next (RFC 5280 6.1.4 l) */
    struct limits *above[ABOVE_MAX]; /* those with constraints */
    size_t n_above;
};

/* --- Signing ----------------------------------------------------------------------------------*/

enum hf_err hf_signer_of(EVP_PKEY *key, struct hf_signer *out)
{
    HF_CLEANUP(hf_public_key_freep) struct hf_public_key *public = NULL;
    enum hf_err err = hf_public_key_of(key, &public);
    if (err == HF_E_MALFORMED || err == HF_E_INVALID) {
        return hf_fail(HF_E_UNSUPPORTED, "a CA can't sign with this key: %s", hf_err_text());
    }
    HF_TRY(err);
    if (public->modulus.len && public->bits < 2048) {
        return hf_fail(HF_E_UNSUPPORTED,
                       "a CA can't sign with an RSA key of %u bits; take 2048 or "
                       "more",
                       public->bits);
    }
    *out = (struct hf_signer){key, public->kind, hf_sig_alg_of(public->kind)->whole};
    return HF_OK;
}

/* The check after the signature costs as much as three signatures with P-256, and is worth it: one
 * wrong ECDSA or RSA-CRT signature can give the key away. */
static enum hf_err check(const struct hf_signer *signer, const struct hf_sig_alg *alg,
                         struct hf_bytes tbs, struct hf_bytes signature)
{
    const struct hf_public_key key = {.kind = signer->kind, .key = signer->key};
    if (hf_sig_alg_verify(alg, &key, tbs, signature) != HF_OK) {
        return hf_fail(HF_E_CRYPTO, "the CA's key made a wrong signature; nothing was issued");
    }
    return HF_OK;
}

enum hf_err hf_signer_seal(const struct hf_signer *signer, struct hf_bytes tbs, struct hf_buf *out)
{
    const struct hf_sig_alg *alg = hf_sig_alg_of(signer->kind);
    uint8_t signature[HF_SIG_MAX];
    size_t len = 0;
    HF_TRY(hf_sig_alg_sign(alg, signer->key, tbs, hf_span_of(signature, sizeof(signature)), &len));
    HF_TRY(check(signer, alg, tbs, hf_bytes_of(signature, len)));
    size_t before = hf_buf_len(out);
    struct hf_asn1 der = hf_asn1_writer(out);
    hf_asn1_open(&der, HF_DER_SEQUENCE);
    hf_asn1_raw(&der, tbs);
    hf_asn1_raw(&der, signer->algorithm);
    hf_asn1_open_bits(&der);
    hf_asn1_raw(&der, hf_bytes_of(signature, len));
    hf_asn1_close(&der);
    hf_asn1_close(&der);
    enum hf_err err = hf_asn1_end(&der);
    if (err != HF_OK) {
        out->end = out->start + before;
    }
    return err;
}

/* --- Reading the certificate ------------------------------------------------------------------*/

static enum hf_err take_subject(struct hf_issuer *issuer)
{
    const X509_NAME *name = X509_get_subject_name(issuer->cert->x509);
    unsigned char *der = NULL;
    int len = i2d_X509_NAME(name, &der);
    enum hf_err err = HF_OK;
    uint8_t *copy = len > 0 ? hf_alloc((size_t)len) : NULL;
    if (len <= 0) {
        err = hf_fail_ossl(HF_E_MALFORMED, "the CA's name can't be encoded");
    } else if (X509_NAME_entry_count(name) == 0) {
        err = hf_fail(HF_E_INVALID, "a CA without a subject can't issue (RFC 5280 4.1.2.6)");
    } else if (!copy) {
        err = HF_E_NOMEM;
    }
    if (err == HF_OK) {
        memcpy(copy, der, (size_t)len);
        issuer->subject = hf_bytes_of(copy, (size_t)len);
    } else {
        hf_free(copy);
    }
    OPENSSL_free(der);
    return err;
}

/* Its own subjectKeyIdentifier, or else what method 1 makes of its key. */
static enum hf_err take_key_id(struct hf_issuer *issuer)
{
    const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(issuer->cert->x509);
    hf_ossl_forget();
    if (id && ASN1_STRING_length(id) > HF_KEY_ID_MAX) {
        return hf_fail(HF_E_INVALID, "the CA's key identifier has %d bytes",
                       ASN1_STRING_length(id));
    }
    issuer->key_id_len = id ? (size_t)ASN1_STRING_length(id) : sizeof(issuer->public->key_id);
    memcpy(issuer->key_id, id ? ASN1_STRING_get0_data(id) : issuer->public->key_id,
           issuer->key_id_len);
    return HF_OK;
}

static enum hf_err check_may_issue(struct hf_issuer *issuer)
{
    X509 *x509 = issuer->cert->x509;
    bool may = X509_get_extension_flags(x509) & EXFLAG_CA &&
               X509_get_key_usage(x509) & X509v3_KU_KEY_CERT_SIGN;
    hf_ossl_forget();
    if (!may) {
        return hf_fail(HF_E_INVALID, "this certificate is no CA that may sign certificates");
    }
    return HF_OK;
}

static enum hf_err check_key(struct hf_issuer *issuer, EVP_PKEY *key)
{
    EVP_PKEY *mine = X509_get0_pubkey(issuer->cert->x509);
    if (!mine || EVP_PKEY_eq(mine, key) != 1) {
        hf_ossl_forget();
        return hf_fail(HF_E_MISMATCH, "the key belongs to another certificate");
    }
    HF_TRY(hf_public_key_of(mine, &issuer->public));
    HF_TRY(hf_signer_of(key, &issuer->signer));
    EVP_PKEY_up_ref(key);
    issuer->key = key;
    return HF_OK;
}

/* A path length counts the CAs that follow, but for those that a CA makes of itself anew. */
static void take_path_len(struct hf_issuer *issuer, const struct hf_cert *cert)
{
    long path_len = X509_get_pathlen(cert->x509);
    bool of_itself = X509_get_extension_flags(cert->x509) & EXFLAG_SI;
    hf_ossl_forget();
    if (path_len >= 0 && path_len - issuer->n_under < issuer->room) {
        issuer->room = (int)(path_len - issuer->n_under);
    }
    issuer->n_under += of_itself ? 0 : 1;
}

static enum hf_err take_limits(struct hf_issuer *issuer, struct hf_cert *cert)
{
    int at = X509_get_ext_by_NID(cert->x509, NID_name_constraints, -1);
    take_path_len(issuer, cert);
    issuer->begin = cert->not_before > issuer->begin ? cert->not_before : issuer->begin;
    issuer->end = cert->not_after < issuer->end ? cert->not_after : issuer->end;
    if (at < 0) {
        return HF_OK;
    }
    if (issuer->n_above == ABOVE_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "more than %d CAs above one another", ABOVE_MAX);
    }
    const ASN1_OCTET_STRING *value = X509_EXTENSION_get_data(X509_get_ext(cert->x509, at));
    struct limits *limits = HF_NEW(struct limits);
    if (!limits) {
        return HF_E_NOMEM;
    }
    enum hf_err err = hf_name_constraints_parse(
        hf_bytes_of(ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value)),
        &limits->constraints);
    if (err != HF_OK) {
        hf_free(limits);
        return err == HF_E_TRUNCATED
                   ? hf_fail(HF_E_MALFORMED, "the CA's name constraints can't be read")
                   : err;
    }
    limits->cert = hf_cert_ref(cert);
    issuer->above[issuer->n_above++] = limits;
    return HF_OK;
}

static enum hf_err fill(struct hf_issuer *issuer, EVP_PKEY *key)
{
    HF_TRY(check_may_issue(issuer));
    HF_TRY(check_key(issuer, key));
    HF_TRY(take_subject(issuer));
    HF_TRY(take_key_id(issuer));
    return take_limits(issuer, issuer->cert);
}

enum hf_err hf_issuer_new(struct hf_cert *cert, EVP_PKEY *key, struct hf_issuer **out)
{
    *out = NULL;
    struct hf_issuer *issuer = HF_NEW(struct hf_issuer);
    if (!issuer) {
        return HF_E_NOMEM;
    }
    atomic_init(&issuer->refs, 1);
    issuer->cert = hf_cert_ref(cert);
    issuer->begin = INT64_MIN;
    issuer->end = INT64_MAX;
    issuer->room = INT_MAX;
    enum hf_err err = fill(issuer, key);
    if (err != HF_OK) {
        hf_issuer_unref(issuer);
        return err;
    }
    *out = issuer;
    return HF_OK;
}

enum hf_err hf_issuer_under(struct hf_issuer *issuer, struct hf_cert *above)
{
    return take_limits(issuer, above);
}

struct hf_issuer *hf_issuer_ref(struct hf_issuer *issuer)
{
    atomic_fetch_add_explicit(&issuer->refs, 1, memory_order_relaxed);
    return issuer;
}

void hf_issuer_unref(struct hf_issuer *issuer)
{
    if (issuer && atomic_fetch_sub_explicit(&issuer->refs, 1, memory_order_acq_rel) == 1) {
        for (size_t i = 0; i < issuer->n_above; i++) {
            hf_cert_unref(issuer->above[i]->cert);
            hf_free(issuer->above[i]);
        }
        hf_free((void *)(uintptr_t)issuer->subject.ptr);
        hf_public_key_free(issuer->public);
        EVP_PKEY_free(issuer->key);
        hf_cert_unref(issuer->cert);
        hf_free(issuer);
    }
}

/* --- Asking -----------------------------------------------------------------------------------*/

const struct hf_cert *hf_issuer_cert(const struct hf_issuer *issuer)
{
    return issuer->cert;
}

const struct hf_public_key *hf_issuer_key(const struct hf_issuer *issuer)
{
    return issuer->public;
}

const struct hf_signer *hf_issuer_signer(const struct hf_issuer *issuer)
{
    return &issuer->signer;
}

struct hf_bytes hf_issuer_subject(const struct hf_issuer *issuer)
{
    return issuer->subject;
}

struct hf_bytes hf_issuer_key_id(const struct hf_issuer *issuer)
{
    return hf_bytes_of(issuer->key_id, issuer->key_id_len);
}

int64_t hf_issuer_end(const struct hf_issuer *issuer)
{
    return issuer->end;
}

int64_t hf_issuer_begin(const struct hf_issuer *issuer)
{
    return issuer->begin;
}

int hf_issuer_path_len(const struct hf_issuer *issuer)
{
    return issuer->room == INT_MAX ? -1 : issuer->room > 0 ? issuer->room : 0;
}

bool hf_issuer_is_too_deep(const struct hf_issuer *issuer)
{
    return issuer->room < 0;
}

enum hf_err hf_issuer_permits(const struct hf_issuer *issuer, struct hf_bytes subject,
                              const struct hf_alt_names *names)
{
    for (size_t i = 0; i < issuer->n_above; i++) {
        HF_TRY(hf_name_constraints_permit(&issuer->above[i]->constraints, subject, names));
    }
    return HF_OK;
}
