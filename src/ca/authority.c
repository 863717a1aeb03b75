// SPDX-License-Identifier: Apache-2.0
/*
 * The set of authorities out of the store. Rows come first, then keys, then chains, which need all
 * of the rows: the chain of an issuing CA goes up by `parent`, and ends with what others said of
 * the keys on the way (cross-signed certificates), for peers that know only those others.
 */
#include "ca/authority.h"

#include <string.h>

#include "base/mem.h"
#include "ca/store_key.h"
#include "pki/ossl.h"
#include "pki/write.h"

enum { DEPTH_MAX = 8 }; /* of parents; more is a loop */

/* --- One ---------------------------------------------------------------------------------------
 */

struct hf_authority *hf_authority_ref(struct hf_authority *authority)
{
    atomic_fetch_add_explicit(&authority->refs, 1, memory_order_relaxed);
    return authority;
}

void hf_authority_unref(struct hf_authority *authority)
{
    if (!authority || atomic_fetch_sub(&authority->refs, 1) != 1) {
        return;
    }
    hf_authority_settings_done(&authority->settings);
    hf_issuer_unref(authority->issuer);
    EVP_PKEY_free(authority->key);
    hf_cert_unref(authority->root);
    hf_chain_unref(authority->chain);
    hf_cert_unref(authority->cert);
    hf_free((void *)(uintptr_t)authority->csr.ptr);
    hf_free(authority->name);
    hf_free(authority);
}

static bool signed_by_itself(const struct hf_cert *cert)
{
    return X509_NAME_cmp(X509_get_subject_name(cert->x509), X509_get_issuer_name(cert->x509)) ==
               0 &&
           X509_verify(cert->x509, X509_get0_pubkey(cert->x509)) == 1;
}

static enum hf_err copy_csr(struct hf_bytes csr, struct hf_authority *authority)
{
    if (csr.len == 0) {
        return HF_OK;
    }
    void *copy = hf_alloc(csr.len);
    if (!copy) {
        return HF_E_NOMEM;
    }
    memcpy(copy, csr.ptr, csr.len);
    authority->csr = hf_bytes_of(copy, csr.len);
    return HF_OK;
}

static enum hf_err fill(const struct hf_store_authority *row, struct hf_authority *authority)
{
    authority->id = row->id;
    authority->state = row->state;
    authority->parent = row->parent;
    authority->key_id = row->key;
    authority->created_at = row->created_at;
    hf_store_authority_digest(row, authority->digest);
    authority->name = hf_strdup(row->name);
    if (!authority->name) {
        return HF_E_NOMEM;
    }
    HF_TRY(copy_csr(row->csr, authority));
    HF_TRY(hf_authority_settings_read(row->settings, &authority->settings));
    if (row->cert.len) {
        HF_TRY(hf_cert_from_der(row->cert, &authority->cert));
        authority->is_root = signed_by_itself(authority->cert);
        hf_ossl_forget();
    }
    return HF_OK;
}

/* --- The set -----------------------------------------------------------------------------------
 */

struct hf_authorities *hf_authorities_ref(struct hf_authorities *set)
{
    atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
    return set;
}

void hf_authorities_unref(struct hf_authorities *set)
{
    if (set && atomic_fetch_sub(&set->refs, 1) == 1) {
        for (size_t i = 0; i < set->n; i++) {
            hf_authority_unref(set->item[i]);
        }
        hf_free(set->item);
        hf_free(set);
    }
}

static enum hf_err add_row(void *ctx, const struct hf_store_authority *row)
{
    struct hf_authorities *set = ctx;
    struct hf_authority **grown =
        hf_realloc(set->item, (set->n + 1) * sizeof(struct hf_authority *));
    if (!grown) {
        return HF_E_NOMEM;
    }
    set->item = grown;
    struct hf_authority *authority = HF_NEW(struct hf_authority);
    if (!authority) {
        return HF_E_NOMEM;
    }
    atomic_init(&authority->refs, 1);
    set->item[set->n++] = authority;
    enum hf_err err = fill(row, authority);
    return err == HF_OK ? HF_OK : hf_fail_context(err, "authority \"%s\"", row->name);
}

/* --- Keys --------------------------------------------------------------------------------------
 */

struct opening {
    const struct hf_authorities *previous;
    struct hf_authorities *set;
    struct hf_authority *authority;
    struct hf_bytes passphrase;
};

static bool same_cert(const struct hf_cert *a, const struct hf_cert *b)
{
    return a && b ? hf_bytes_eq(a->der, b->der) : a == b;
}

static bool borrow(const struct opening *opening, struct hf_authority *authority)
{
    const struct hf_authority *before =
        opening->previous ? hf_authorities_by_id(opening->previous, authority->id) : NULL;
    if (!before || !before->key || before->key_id != authority->key_id ||
        !same_cert(before->cert, authority->cert) || !EVP_PKEY_up_ref(before->key)) {
        return false;
    }
    authority->key = before->key;
    return true;
}

static enum hf_err open_key(void *ctx, const struct hf_store_key *row)
{
    struct opening *opening = ctx;
    struct hf_authority *authority = opening->authority;
    /* A key in a token may open without a PIN (its URI says where that is); a sealed one can't. */
    if (row->form == HF_KEY_SEALED && !opening->passphrase.ptr) {
        opening->set->locked = true;
        return HF_OK;
    }
    return hf_store_key_open(row, opening->passphrase, &authority->key);
}

static enum hf_err open_keys(struct hf_store *store, struct opening *opening)
{
    struct hf_authorities *set = opening->set;
    for (size_t i = 0; i < set->n; i++) {
        opening->authority = set->item[i];
        if (set->item[i]->key_id == 0 || borrow(opening, set->item[i])) {
            continue;
        }
        enum hf_err err = hf_store_key(store, set->item[i]->key_id, open_key, opening);
        if (err != HF_OK) {
            return hf_fail_context(err, "authority \"%s\"", set->item[i]->name);
        }
    }
    return HF_OK;
}

/* --- Chains ------------------------------------------------------------------------------------
 */

struct chaining {
    const struct hf_authorities *set;
    struct hf_cert *certs[HF_CHAIN_MAX]; /* references */
    size_t n;
};

static void chaining_done(struct chaining *chaining)
{
    for (size_t i = 0; i < chaining->n; i++) {
        hf_cert_unref(chaining->certs[i]);
    }
}

static bool issued(const struct hf_authority *authority, const struct hf_cert *cert)
{
    return authority->cert && X509_NAME_cmp(X509_get_subject_name(authority->cert->x509),
                                            X509_get_issuer_name(cert->x509)) == 0;
}

/* A cross-signed certificate is of use as long as its signer is trusted by somebody: not once we
 * have told everybody to drop that root. */
static bool is_of_use(const struct hf_authorities *set, const struct hf_cert *cert)
{
    for (size_t i = 0; i < set->n; i++) {
        if (issued(set->item[i], cert)) {
            return !set->item[i]->settings.distrusted;
        }
    }
    return true;
}

static enum hf_err add_cross(void *ctx, struct hf_bytes der)
{
    struct chaining *chaining = ctx;
    HF_CLEANUP(hf_cert_unrefp) struct hf_cert *cert = NULL;
    HF_TRY(hf_cert_from_der(der, &cert));
    if (chaining->n < HF_CHAIN_MAX && !signed_by_itself(cert) && is_of_use(chaining->set, cert)) {
        chaining->certs[chaining->n++] = HF_TAKE(cert);
    }
    hf_ossl_forget();
    return HF_OK;
}

/* What it issues must be good all the way up, whatever the certificates in between leave out. */
static enum hf_err make_issuer(struct hf_authority *authority,
                               const struct hf_authority *const *path, size_t depth)
{
    HF_TRY(hf_issuer_new(authority->cert, authority->key, &authority->issuer));
    for (size_t i = 1; i < depth; i++) {
        HF_TRY(hf_issuer_under(authority->issuer, path[i]->cert));
    }
    return HF_OK;
}

static enum hf_err link_one(struct hf_store *store, const struct hf_authorities *set,
                            struct hf_authority *authority)
{
    HF_CLEANUP(chaining_done) struct chaining chaining = {.set = set};
    const struct hf_authority *path[DEPTH_MAX];
    size_t depth = 0;
    for (const struct hf_authority *at = authority; at && at->cert && depth < DEPTH_MAX;
         at = at->is_root ? NULL : hf_authorities_by_id(set, at->parent)) {
        path[depth++] = at;
        if (!at->is_root) {
            chaining.certs[chaining.n++] = hf_cert_ref(at->cert);
        }
    }
    if (depth == 0) {
        return HF_OK;
    }
    if (authority->key) {
        HF_TRY(make_issuer(authority, path, depth));
    }
    for (size_t i = 0; i < depth; i++) {
        HF_TRY(hf_store_authority_certs(store, path[i]->id, add_cross, &chaining));
    }
    if (path[depth - 1]->is_root) {
        authority->root = hf_cert_ref(path[depth - 1]->cert);
    }
    return chaining.n ? hf_chain_new(chaining.certs, chaining.n, &authority->chain) : HF_OK;
}

/* --- The whole ---------------------------------------------------------------------------------
 */

static enum hf_err load(struct hf_store *store, struct opening *opening)
{
    struct hf_authorities *set = opening->set;
    HF_TRY(hf_store_authorities(store, add_row, set));
    HF_TRY(open_keys(store, opening));
    for (size_t i = 0; i < set->n; i++) {
        enum hf_err err = link_one(store, set, set->item[i]);
        if (err != HF_OK) {
            return hf_fail_context(err, "authority \"%s\"", set->item[i]->name);
        }
    }
    return HF_OK;
}

enum hf_err hf_authorities_load(struct hf_store *store, struct hf_bytes passphrase,
                                const struct hf_authorities *previous, struct hf_authorities **out)
{
    *out = NULL;
    struct opening opening = {
        .previous = previous,
        .set = HF_NEW(struct hf_authorities),
        .passphrase = passphrase,
    };
    if (!opening.set) {
        return HF_E_NOMEM;
    }
    atomic_init(&opening.set->refs, 1);
    enum hf_err err = load(store, &opening);
    if (err != HF_OK) {
        hf_authorities_unref(opening.set);
        return err;
    }
    *out = opening.set;
    return HF_OK;
}

struct hf_authority *hf_authorities_find(const struct hf_authorities *set, const char *name)
{
    for (size_t i = 0; i < set->n; i++) {
        if (strcmp(set->item[i]->name, name) == 0) {
            return set->item[i];
        }
    }
    return NULL;
}

struct hf_authority *hf_authorities_by_id(const struct hf_authorities *set, int64_t id)
{
    for (size_t i = 0; i < set->n; i++) {
        if (set->item[i]->id == id) {
            return set->item[i];
        }
    }
    return NULL;
}

struct hf_authority *hf_authorities_by_leaf(const struct hf_authorities *set,
                                            const struct hf_cert *leaf)
{
    struct hf_authority *found = NULL;
    for (size_t i = 0; i < set->n && !found; i++) {
        const struct hf_authority *one = set->item[i];
        if (issued(one, leaf) && X509_verify(leaf->x509, X509_get0_pubkey(one->cert->x509)) == 1) {
            found = set->item[i];
        }
    }
    hf_ossl_forget();
    return found;
}

static bool can_issue(const struct hf_authority *one)
{
    return one->state == HF_AUTHORITY_ACTIVE && one->cert && !one->is_root;
}

static bool takes_place_of(const struct hf_authority *one, const struct hf_authority *other)
{
    const char *of = one->settings.successor_of;
    return can_issue(one) && of && strcmp(of, other->name) == 0;
}

/* The first that was made, or who took its place, or that one's. In the order of making a successor
 * is always behind. */
static struct hf_authority *first_of_line(const struct hf_authorities *set)
{
    struct hf_authority *heir = NULL;
    for (size_t i = 0; i < set->n; i++) {
        struct hf_authority *one = set->item[i];
        if (heir ? takes_place_of(one, heir) : one->cert && !one->is_root) {
            heir = one;
        }
    }
    return heir;
}

struct hf_authority *hf_authorities_issuing(const struct hf_authorities *set)
{
    struct hf_authority *heir = first_of_line(set);
    if (heir && can_issue(heir)) {
        return heir;
    }
    for (size_t i = set->n; i > 0; i--) {
        if (can_issue(set->item[i - 1])) {
            return set->item[i - 1];
        }
    }
    return NULL;
}

enum hf_err hf_authorities_roots(const struct hf_authorities *set, struct hf_buf *out)
{
    for (size_t i = set->n; i > 0; i--) {
        const struct hf_authority *one = set->item[i - 1];
        if (one->is_root && !one->settings.distrusted) {
            HF_TRY(hf_cert_write_pem(one->cert, out));
        }
    }
    return HF_OK;
}
