// SPDX-License-Identifier: Apache-2.0
/* The certificate of a pending authority, signed elsewhere, and the root that came with it. */
#include <openssl/x509v3.h>
#include <string.h>

#include "base/mem.h"
#include "ca/authority_make_impl.h"
#include "pki/ossl.h"

static bool signs(const struct hf_cert *issuer, const struct hf_cert *cert)
{
    bool good =
        X509_NAME_cmp(X509_get_subject_name(issuer->x509), X509_get_issuer_name(cert->x509)) == 0 &&
        X509_verify(cert->x509, X509_get0_pubkey(issuer->x509)) == 1;
    hf_ossl_forget();
    return good;
}

static const struct hf_cert *find_root(const struct hf_chain *certs)
{
    for (size_t i = 0; i < certs->n_certs; i++) {
        if (certs->certs[i]->is_ca && signs(certs->certs[i], certs->certs[i])) {
            return certs->certs[i];
        }
    }
    return NULL;
}

static enum hf_err find_own(const struct hf_authority *authority, const struct hf_chain *certs,
                            struct hf_cert **out)
{
    for (size_t i = 0; i < certs->n_certs; i++) {
        if (authority->key &&
            EVP_PKEY_eq(authority->key, X509_get0_pubkey(certs->certs[i]->x509)) == 1) {
            *out = certs->certs[i];
            return HF_OK;
        }
    }
    hf_ossl_forget();
    return hf_fail(HF_E_MISMATCH,
                   authority->key ? "none of the %zu certificates is for the key of \"%s\""
                                  : "%zu certificates, but the key of \"%s\" is locked: give the "
                                    "passphrase",
                   certs->n_certs, authority->name);
}

/* The parent of what is installed: an authority in the store, or the root that came with it, which
 * is then put there in the same commit. */
struct parenting {
    struct hf_making *making;
    struct hf_store_authority_put root;
};

static void take_root_id(struct hf_store_op *op)
{
    const struct parenting *parenting = op->ctx;
    parenting->making->put.authority.parent = parenting->root.authority.id;
}

static enum hf_err add_root(struct parenting *parenting, const struct hf_cert *root,
                            const char *name)
{
    struct hf_making *making = parenting->making;
    struct hf_identity *id = NULL;
    HF_TRY(hf_authority_name_check(name));
    HF_TRY(hf_identity_new(root, &id));
    hf_identity_unref(id);
    parenting->root = (struct hf_store_authority_put){
        .op = hf_making_op(making, HF_STORE_AUTHORITY_PUT),
        .authority = {.name = name,
                      .state = HF_AUTHORITY_ACTIVE,
                      .cert = root->der,
                      .subject = id->subject,
                      .not_before = root->not_before,
                      .not_after = root->not_after,
                      .settings = ""},
    };
    making->put.op.before = take_root_id;
    making->put.op.ctx = parenting;
    making->ops[0] = &parenting->root.op;
    making->ops[1] = &making->put.op;
    return hf_making_commit(making, 2);
}

static enum hf_err install(struct hf_making *making, const struct hf_cert *cert,
                           const struct hf_chain *certs, const char *root_name)
{
    struct hf_store_authority *row = &making->put.authority;
    struct hf_identity *id = NULL;
    HF_TRY(hf_identity_new(cert, &id));
    hf_identity_unref(id);
    row->cert = cert->der;
    row->csr = hf_bytes_of(NULL, 0);
    row->state = HF_AUTHORITY_ACTIVE;
    row->subject = id->subject;
    row->not_before = cert->not_before;
    row->not_after = cert->not_after;
    const struct hf_authority *parent = hf_authorities_by_leaf(making->set, cert);
    if (parent) {
        row->parent = parent->id;
        return hf_making_commit(making, 1);
    }
    const struct hf_cert *root = find_root(certs);
    if (!root || !signs(root, cert)) {
        return hf_fail(HF_E_MISMATCH, "the root that signed it isn't in the store and didn't come "
                                      "with it: put both certificates into the file");
    }
    struct parenting parenting = {.making = making};
    return add_root(&parenting, root, root_name);
}

enum hf_err hf_authority_install(struct hf_ca_service *service, const char *actor, const char *name,
                                 const struct hf_chain *certs, const char *root_name)
{
    HF_CLEANUP(hf_making_done) struct hf_making making = hf_making_of(service, actor);
    const struct hf_authority *authority = NULL;
    struct hf_cert *cert = NULL;
    HF_TRY(hf_making_find(&making, name, &authority));
    if (authority->state != HF_AUTHORITY_PENDING) {
        return hf_fail(HF_E_INVALID, "the authority \"%s\" has its certificate already",
                       authority->name);
    }
    HF_TRY(find_own(authority, certs, &cert));
    if (!cert->is_ca || !(X509_get_key_usage(cert->x509) & KU_KEY_CERT_SIGN)) {
        return hf_fail(HF_E_INVALID, "the certificate for \"%s\" is not that of a CA",
                       authority->name);
    }
    if (cert->not_after <= hf_clock_wall_s(service->clock)) {
        return hf_fail(HF_E_INVALID, "the certificate for \"%s\" has ended", authority->name);
    }
    HF_TRY(hf_making_same_row(&making, authority));
    return install(&making, cert, certs, root_name);
}
