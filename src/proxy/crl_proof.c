// SPDX-License-Identifier: Apache-2.0
#include "proxy/crl_proof.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { SKEW_S = 300 }; /* that a list's beginning may be ahead of our clock */

static bool same_key(const struct hf_cert *a, const struct hf_cert *b)
{
    return memcmp(a->spki_sha256, b->spki_sha256, sizeof(a->spki_sha256)) == 0;
}

static bool is_known(const struct hf_crl_provers *provers, const struct hf_cert *cert)
{
    for (size_t i = 0; i < provers->n; i++) {
        const struct hf_cert *known = provers->item[i];
        if (same_key(known, cert) && X509_NAME_cmp(X509_get_subject_name(known->x509),
                                                   X509_get_subject_name(cert->x509)) == 0) {
            return true;
        }
    }
    return false;
}

enum hf_err hf_crl_provers_add(struct hf_crl_provers *provers, struct hf_cert *cert, bool *out_new)
{
    *out_new = false;
    if (provers->n >= HF_CRL_PROVERS_KNOWN_MAX || is_known(provers, cert)) {
        return HF_OK;
    }
    struct hf_cert **item = hf_realloc(provers->item, (provers->n + 1) * sizeof(struct hf_cert *));
    if (!item) {
        return HF_E_NOMEM;
    }
    item[provers->n] = hf_cert_ref(cert);
    *provers = (struct hf_crl_provers){item, provers->n + 1};
    *out_new = true;
    return HF_OK;
}

void hf_crl_provers_done(struct hf_crl_provers *provers)
{
    for (size_t i = 0; i < provers->n; i++) {
        hf_cert_unref(provers->item[i]);
    }
    hf_free(provers->item);
    *provers = (struct hf_crl_provers){0};
}

enum hf_crl_proof hf_crl_proof(const struct hf_crl_provers *provers, const struct hf_crl *crl,
                               struct hf_cert **out_by)
{
    enum hf_crl_proof proof = HF_CRL_UNPROVEN;
    for (size_t i = 0; i < provers->n; i++) {
        struct hf_cert *cert = provers->item[i];
        if (X509_NAME_cmp(X509_get_subject_name(cert->x509), crl->issuer) != 0) {
            continue;
        }
        if (hf_crl_verified(crl, cert)) {
            if (out_by) {
                *out_by = cert;
            }
            return HF_CRL_PROVEN;
        }
        proof = HF_CRL_DISPROVEN;
    }
    return proof;
}

/* Is `old` what `next` would take the place of, and newer? Lists by different keys of one name are
 * lists of different CAs. */
static bool is_set_back(const struct hf_crl_provers *provers, const struct hf_crl *old,
                        const struct hf_crl *next)
{
    struct hf_cert *old_by = NULL, *next_by = NULL;
    if (old->is_delta != next->is_delta || !hf_crl_same_scope(old, next) ||
        !hf_crl_newer(old, next)) {
        return false;
    }
    enum hf_crl_proof was = hf_crl_proof(provers, old, &old_by);
    enum hf_crl_proof is = hf_crl_proof(provers, next, &next_by);
    return was == is && (!old_by || !next_by || same_key(old_by, next_by));
}

static enum hf_err admit(const struct hf_crl_provers *provers, const struct hf_crl_lists *now,
                         const struct hf_crl *next, int64_t now_s)
{
    char number[HF_CRL_NUMBER_TEXT], old_number[HF_CRL_NUMBER_TEXT], at[HF_TIME_TEXT_SIZE];
    hf_crl_number_text(next, number);
    if (next->this_update > now_s + SKEW_S) {
        hf_format_time(next->this_update, at);
        return hf_fail(HF_E_INVALID,
                       "%s: list number %s of %s begins in the future, at %s: is this machine's "
                       "clock right?",
                       next->label, number, next->issuer_text, at);
    }
    if (hf_crl_proof(provers, next, NULL) == HF_CRL_DISPROVEN) {
        return hf_fail(HF_E_DENIED, "%s: list number %s is not signed by the key of %s",
                       next->label, number, next->issuer_text);
    }
    for (size_t i = 0; i < now->n; i++) {
        if (is_set_back(provers, now->item[i], next)) {
            hf_crl_number_text(now->item[i], old_number);
            return hf_fail(HF_E_MISMATCH,
                           "%s: list number %s of %s is older than number %s, which is in force: "
                           "somebody may be replaying it",
                           next->label, number, next->issuer_text, old_number);
        }
    }
    return HF_OK;
}

/* Does the answer have nothing in the place of a proven list that still counts? */
static bool is_lost(const struct hf_crl_provers *provers, const struct hf_crl *old,
                    const struct hf_crl_lists *next, int64_t now_s)
{
    for (size_t i = 0; i < next->n; i++) {
        if (next->item[i]->is_delta == old->is_delta &&
            X509_NAME_cmp(next->item[i]->issuer, old->issuer) == 0) {
            return false;
        }
    }
    return old->next_update > now_s && hf_crl_proof(provers, old, NULL) == HF_CRL_PROVEN;
}

enum hf_err hf_crl_admit(const struct hf_crl_provers *provers, const struct hf_crl_lists *now,
                         const struct hf_crl_lists *next, int64_t now_s)
{
    for (size_t i = 0; i < next->n; i++) {
        HF_TRY(admit(provers, now, next->item[i], now_s));
    }
    for (size_t i = 0; i < now->n; i++) {
        if (is_lost(provers, now->item[i], next, now_s)) {
            return hf_fail(HF_E_MISMATCH, "%s: the answer has no %slist of %s any more",
                           now->item[i]->label, now->item[i]->is_delta ? "delta " : "",
                           now->item[i]->issuer_text);
        }
    }
    return HF_OK;
}

bool hf_crl_lists_disproven(const struct hf_crl_provers *provers, const struct hf_crl_lists *lists)
{
    for (size_t i = 0; i < lists->n; i++) {
        if (hf_crl_proof(provers, lists->item[i], NULL) == HF_CRL_DISPROVEN) {
            return true;
        }
    }
    return false;
}
