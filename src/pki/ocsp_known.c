// SPDX-License-Identifier: Apache-2.0
/*
 * From an answer to knowledge: whose signature it is, and whether it is about the certificate that
 * was asked for. A delegated signer must hold a certificate that the issuer's own key has signed:
 * no chain is built to it, and no other root lets anybody sign.
 */
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "crypto/hash.h"
#include "pki/dn.h"
#include "pki/ocsp_answer.h"
#include "pki/ossl.h"

enum { SECURITY_BITS_MIN = 112, SIGNER_TEXT_MAX = 128 };

/* --- Who has signed -----------------------------------------------------------------------------
 */

static bool is_named(const struct hf_ocsp_answer *answer, const struct hf_cert *cert)
{
    struct hf_ocsp_id id;
    if (answer->by_key.len) {
        return hf_ocsp_id_of_issuer(cert, HF_OCSP_SHA1, &id) == HF_OK &&
               memcmp(id.issuer_key, answer->by_key.ptr, answer->by_key.len) == 0;
    }
    unsigned char *der = NULL;
    int len = i2d_X509_NAME(X509_get_subject_name(cert->x509), &der);
    bool same = len > 0 && hf_bytes_eq(answer->by_name, hf_bytes_of(der, (size_t)len));
    OPENSSL_free(der);
    return same;
}

static enum hf_err deny(const struct hf_cert *signer, const char *why)
{
    char name[SIGNER_TEXT_MAX];
    hf_dn_text(X509_get_subject_name(signer->x509), name, sizeof(name));
    return hf_fail(HF_E_DENIED, "the answer's signer %s %s", name, why);
}

static bool is_strong(const struct hf_cert *cert)
{
    int bits = 0;
    const EVP_PKEY *key = X509_get0_pubkey(cert->x509);
    return key && EVP_PKEY_get_security_bits(key) >= SECURITY_BITS_MIN &&
           X509_get_signature_info(cert->x509, NULL, NULL, &bits, NULL) &&
           bits >= SECURITY_BITS_MIN;
}

/* RFC 6960 4.2.2.2: a certificate issued by the one who issued what is asked about, for signing
 * answers. */
static enum hf_err check_delegated(const struct hf_cert *signer, const struct hf_cert *issuer)
{
    if (X509_NAME_cmp(X509_get_issuer_name(signer->x509), X509_get_subject_name(issuer->x509))) {
        return deny(signer, "has no certificate of the issuer");
    }
    if (!(X509_get_extension_flags(signer->x509) & EXFLAG_XKUSAGE) ||
        !(X509_get_extended_key_usage(signer->x509) & XKU_OCSP_SIGN)) {
        return deny(signer, "may not sign answers: its certificate is without OCSPSigning");
    }
    if (!(X509_get_key_usage(signer->x509) & KU_DIGITAL_SIGNATURE)) {
        return deny(signer, "has a key that is not for signatures");
    }
    if (!is_strong(signer)) {
        return deny(signer, "has a certificate with a weak key or signature");
    }
    EVP_PKEY *key = X509_get0_pubkey(issuer->x509);
    bool good = key && X509_verify(signer->x509, key) == 1;
    hf_ossl_forget();
    return good ? HF_OK : deny(signer, "has a certificate that the issuer's key has not signed");
}

enum hf_err hf_ocsp_answer_signer(const struct hf_ocsp_answer *answer, struct hf_cert *issuer,
                                  struct hf_cert **out)
{
    enum hf_err err = HF_OK;
    if (is_named(answer, issuer) && hf_crl_signature_good(answer->signature, issuer)) {
        *out = issuer;
        return HF_OK;
    }
    for (size_t i = 0; i < answer->n_certs; i++) {
        struct hf_cert *signer = answer->cert[i];
        if (!is_named(answer, signer)) {
            continue;
        }
        err = hf_crl_signature_good(answer->signature, signer)
                  ? check_delegated(signer, issuer)
                  : deny(signer, "has not made its signature");
        if (err == HF_OK) {
            *out = signer;
            return HF_OK;
        }
    }
    hf_ossl_forget();
    return err != HF_OK ? err
                        : hf_fail(HF_E_DENIED, "the answer is signed neither by the issuer nor by "
                                               "one whose certificate it brings along");
}

/* --- Whom it is about ---------------------------------------------------------------------------
 */

static int badness(enum hf_ocsp_status status)
{
    return status == HF_OCSP_REVOKED ? 2 : status == HF_OCSP_UNKNOWN ? 1 : 0;
}

/* Of two good ones the newer. */
static bool counts_before(const struct hf_ocsp_said *a, const struct hf_ocsp_said *b)
{
    int order = badness(a->status) - badness(b->status);
    return order ? order > 0 : a->this_update > b->this_update;
}

const struct hf_ocsp_said *hf_ocsp_answer_find(const struct hf_ocsp_answer *answer,
                                               const struct hf_cert *cert,
                                               const struct hf_cert *issuer)
{
    const struct hf_ocsp_said *found = NULL;
    struct hf_ocsp_id ids[2];
    for (int hash = HF_OCSP_SHA1; hash <= HF_OCSP_SHA256; hash++) {
        if (hf_ocsp_id_of(cert, issuer, (enum hf_ocsp_hash)hash, &ids[hash]) != HF_OK) {
            return NULL;
        }
    }
    for (size_t i = 0; i < answer->n_singles; i++) {
        const struct hf_ocsp_single *single = &answer->single[i];
        if (hf_ocsp_id_eq(&single->id, &ids[single->id.hash]) &&
            (!found || counts_before(&single->said, found))) {
            found = &single->said;
        }
    }
    return found;
}

/* --- What is known ------------------------------------------------------------------------------
 */

enum hf_err hf_ocsp_known_new(const struct hf_ocsp_answer *answer, struct hf_cert *cert,
                              struct hf_cert *issuer, const struct hf_ocsp_origin *origin,
                              struct hf_ocsp_known **out)
{
    struct hf_cert *signer = NULL;
    const struct hf_ocsp_said *said = hf_ocsp_answer_find(answer, cert, issuer);
    *out = NULL;
    if (!said) {
        return hf_fail(HF_E_MISMATCH, "the answer is about other certificates");
    }
    HF_TRY(hf_ocsp_answer_signer(answer, issuer, &signer));
    struct hf_ocsp_known *known = HF_NEW(struct hf_ocsp_known);
    if (!known) {
        return HF_E_NOMEM;
    }
    atomic_init(&known->refs, 1);
    known->said = *said;
    known->produced_at = answer->produced_at;
    known->signer = signer == issuer ? NULL : hf_cert_ref(signer);
    known->signer_unchecked =
        signer == issuer || X509_get_ext_by_NID(signer->x509, NID_id_pkix_OCSP_noCheck, -1) >= 0;
    known->nonce = origin->nonce;
    known->stapled = origin->stapled;
    known->got_at = origin->got_at;
    hf_hash_once(HF_HASH_SHA256, hf_span_bytes(answer->der), known->sha256);
    snprintf(known->from, sizeof(known->from), "%s", origin->from);
    *out = known;
    return HF_OK;
}

struct hf_ocsp_known *hf_ocsp_known_ref(struct hf_ocsp_known *known)
{
    atomic_fetch_add_explicit(&known->refs, 1, memory_order_relaxed);
    return known;
}

void hf_ocsp_known_unref(struct hf_ocsp_known *known)
{
    if (known && atomic_fetch_sub_explicit(&known->refs, 1, memory_order_acq_rel) == 1) {
        hf_cert_unref(known->signer);
        hf_free(known);
    }
}

void hf_ocsp_known_unrefp(struct hf_ocsp_known **known)
{
    hf_ocsp_known_unref(*known);
}

bool hf_ocsp_known_overrules(const struct hf_ocsp_known *known, const struct hf_ocsp_known *later)
{
    if (known->said.this_update != later->said.this_update) {
        return known->said.this_update > later->said.this_update;
    }
    if (known->produced_at != later->produced_at) {
        return known->produced_at > later->produced_at;
    }
    return badness(known->said.status) > badness(later->said.status);
}

/* When it ends, the clocks' difference not counted. Dates are of years up to 9999. */
static int64_t end_of(const struct hf_ocsp_known *known, const struct hf_ocsp_dates *dates)
{
    int64_t end =
        known->said.next_update ? known->said.next_update : known->said.this_update + dates->open_s;
    return known->signer && known->signer->not_after < end ? known->signer->not_after : end;
}

void hf_ocsp_known_at(const struct hf_ocsp_known *known, int64_t now_s,
                      const struct hf_ocsp_dates *dates, struct hf_ocsp_aged *out)
{
    int64_t from = known->said.this_update;
    int64_t end = end_of(known, dates) + dates->skew_s;
    if (known->signer && known->signer->not_before > from) {
        from = known->signer->not_before;
    }
    *out = (struct hf_ocsp_aged){
        .age = HF_OCSP_FRESH, .age_s = now_s - known->said.this_update, .fresh_until = end};
    if (now_s < from - dates->skew_s) {
        out->age = HF_OCSP_NOT_YET;
    } else if (now_s > end) {
        out->age = HF_OCSP_STALE;
        out->stale_s = now_s - end;
    }
}
