// SPDX-License-Identifier: Apache-2.0
/*
 * What the certificates of a file are to each other, and the key to them. A file whose first
 * certificate is a CA's is a bundle, in which order means nothing; any other is a chain, in which
 * each certificate was issued by the next.
 */
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "pki/describe_impl.h"
#include "pki/dn.h"
#include "pki/ossl.h"

enum { NAME_SIZE = 200, PAIRS_MAX = 64 };

static bool issued(const struct hf_cert *issuer, const struct hf_cert *subject)
{
    return X509_check_issued(issuer->x509, subject->x509) == X509_V_OK;
}

static bool is_root(const struct hf_cert *cert)
{
    return X509_self_signed(cert->x509, 0) == 1;
}

static void find_doubles(struct hf_describer *d)
{
    for (size_t i = 1; i < d->n_certs && i < PAIRS_MAX; i++) {
        for (size_t j = 0; j < i; j++) {
            if (memcmp(d->certs[i]->sha256, d->certs[j]->sha256, HF_SHA256_SIZE) == 0) {
                hf_add_problem(d, "double", "certificate %zu is the same as certificate %zu", i + 1,
                               j + 1);
                break;
            }
        }
    }
}

static void find_key_problems(struct hf_describer *d)
{
    for (size_t i = 0; d->key && i < d->n_certs; i++) {
        EVP_PKEY *key = X509_get0_pubkey(d->certs[i]->x509);
        if (!key || EVP_PKEY_eq(d->key, key) != 1) {
            continue;
        }
        if (i > 0) {
            hf_add_problem(d, "chain-order",
                           "the private key belongs to certificate %zu, which should come first",
                           i + 1);
        }
        return;
    }
    if (d->key && d->n_certs) {
        hf_add_problem(d, "key-mismatch",
                       "the private key belongs to none of the certificates in the file");
    }
}

/* Says what is wrong between certificate i and the one behind it. */
static void find_link_problem(struct hf_describer *d, size_t i)
{
    if (issued(d->certs[i + 1], d->certs[i])) {
        return;
    }
    for (size_t j = 0; j < d->n_certs; j++) {
        if (j != i && issued(d->certs[j], d->certs[i])) {
            hf_add_problem(d, "chain-order",
                           "certificate %zu was issued by certificate %zu, which should be right "
                           "behind it",
                           i + 1, j + 1);
            return;
        }
    }
    char issuer[NAME_SIZE];
    hf_dn_text(X509_get_issuer_name(d->certs[i]->x509), issuer, sizeof(issuer));
    hf_add_problem(d, "chain-gap",
                   "certificate %zu was issued by \"%s\", which is not in the file, and not by "
                   "certificate %zu",
                   i + 1, issuer, i + 2);
}

static char *say_end(const struct hf_cert *last)
{
    char name[NAME_SIZE];
    char text[NAME_SIZE + 100];
    if (is_root(last)) {
        snprintf(text, sizeof(text), "complete up to its root, which need not be sent");
    } else {
        hf_dn_text(X509_get_issuer_name(last->x509), name, sizeof(name));
        snprintf(text, sizeof(text), "leads to \"%s\", which is not in the file", name);
    }
    return hf_strdup(text);
}

static const char *plural(size_t n)
{
    return n == 1 ? "" : "s";
}

static char *say_bundle(const struct hf_describer *d)
{
    size_t n_roots = 0;
    size_t n_leaves = 0;
    for (size_t i = 0; i < d->n_certs; i++) {
        n_roots += d->certs[i]->is_ca && is_root(d->certs[i]);
        n_leaves += !d->certs[i]->is_ca;
    }
    size_t n_middle = d->n_certs - n_roots - n_leaves;
    char text[120];
    snprintf(text, sizeof(text), "a bundle of %zu root%s, %zu intermediate CA%s and %zu other%s",
             n_roots, plural(n_roots), n_middle, plural(n_middle), n_leaves, plural(n_leaves));
    return hf_strdup(text);
}

char *hf_describe_chain(struct hf_describer *d)
{
    char *text = NULL;
    find_doubles(d);
    find_key_problems(d);
    if (d->n_certs == 0 || (d->n_certs == 1 && is_root(d->certs[0]))) {
        return NULL;
    }
    if (d->certs[0]->is_ca && d->n_certs > 1) {
        text = say_bundle(d);
    } else {
        size_t last = 0;
        for (; last + 1 < d->n_certs && !is_root(d->certs[last]); last++) {
            find_link_problem(d, last);
        }
        text = say_end(d->certs[last]);
    }
    d->failed = d->failed || !text;
    hf_ossl_forget();
    return text;
}
