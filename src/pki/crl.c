// SPDX-License-Identifier: Apache-2.0
#include "pki/crl.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "pki/crl_impl.h"

struct hf_crl *hf_crl_ref(struct hf_crl *crl)
{
    atomic_fetch_add_explicit(&crl->refs, 1, memory_order_relaxed);
    return crl;
}

void hf_crl_unref(struct hf_crl *crl)
{
    if (!crl || atomic_fetch_sub_explicit(&crl->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < crl->n_points; i++) {
        hf_free(crl->point[i]);
    }
    for (size_t i = 0; i < crl->n_freshest; i++) {
        hf_free(crl->freshest[i]);
    }
    hf_free(crl->label);
    hf_free(crl->issuer_text);
    hf_free(crl->key_id.ptr);
    X509_NAME_free(crl->issuer);
    hf_serials_free(crl->serials);
    hf_crl_signature_free(crl->signature);
    hf_free(crl);
}

void hf_crl_number_text(const struct hf_crl *crl, char out[static HF_CRL_NUMBER_TEXT])
{
    if (!crl->has_number) {
        snprintf(out, HF_CRL_NUMBER_TEXT, "-");
    } else if (crl->number.len == 0) {
        snprintf(out, HF_CRL_NUMBER_TEXT, "0");
    } else {
        hf_hex(hf_bytes_of(crl->number.byte, crl->number.len), out);
    }
}

int hf_crl_number_order(const struct hf_serial *a, const struct hf_serial *b)
{
    return a->len != b->len ? (int)a->len - (int)b->len : memcmp(a->byte, b->byte, a->len);
}

bool hf_crl_newer(const struct hf_crl *a, const struct hf_crl *b)
{
    int order = a->has_number && b->has_number ? hf_crl_number_order(&a->number, &b->number) : 0;
    return order ? order > 0 : a->this_update > b->this_update;
}

static bool same_points(const struct hf_crl *a, const struct hf_crl *b)
{
    if (a->has_point != b->has_point || a->n_points != b->n_points) {
        return false;
    }
    for (size_t i = 0; i < a->n_points; i++) {
        if (strcmp(a->point[i], b->point[i]) != 0) {
            return false;
        }
    }
    return true;
}

bool hf_crl_same_scope(const struct hf_crl *a, const struct hf_crl *b)
{
    return X509_NAME_cmp(a->issuer, b->issuer) == 0 &&
           hf_bytes_eq(hf_span_bytes(a->key_id), hf_span_bytes(b->key_id)) &&
           a->only_users == b->only_users && a->only_cas == b->only_cas &&
           a->reasons == b->reasons && same_points(a, b);
}

/* Names, keys and signatures: all three must say that this issuer made the list. */
bool hf_crl_verified(const struct hf_crl *crl, const struct hf_cert *issuer)
{
    if (X509_NAME_cmp(X509_get_subject_name(issuer->x509), crl->issuer) != 0) {
        return false;
    }
    /* UINT32_MAX: the certificate doesn't limit what its key is for. */
    uint32_t usage = X509_get_key_usage(issuer->x509);
    if (usage != UINT32_MAX && !(usage & KU_CRL_SIGN)) {
        return false;
    }
    return hf_crl_signature_good(crl->signature, issuer);
}
