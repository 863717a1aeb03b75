// SPDX-License-Identifier: Apache-2.0
/* Changing one that is there: its state and settings, where its key is, what others signed of it. A
 * change holds only if the row is still what it was made of. */
#include <string.h>

#include "base/mem.h"
#include "ca/authority_make_impl.h"
#include "pki/ossl.h"
#include "pki/write.h"

/* The row as it is, to be changed in parts. */
enum hf_err hf_making_same_row(struct hf_making *making, const struct hf_authority *authority)
{
    struct hf_identity *id = NULL;
    HF_TRY(hf_authority_settings_write(&authority->settings, &making->settings));
    making->put = (struct hf_store_authority_put){
        .op = hf_making_op(making, HF_STORE_AUTHORITY_PUT),
        .authority = {.id = authority->id,
                      .name = authority->name,
                      .state = authority->state,
                      .parent = authority->parent,
                      .key = authority->key_id,
                      .csr = authority->csr,
                      .created_at = authority->created_at,
                      .settings = making->settings},
        .was = authority->digest,
    };
    if (authority->cert) {
        HF_TRY(hf_identity_new(authority->cert, &id));
        hf_identity_unref(id);
        making->put.authority.cert = authority->cert->der;
        making->put.authority.subject = id->subject;
        making->put.authority.not_before = authority->cert->not_before;
        making->put.authority.not_after = authority->cert->not_after;
    }
    making->ops[0] = &making->put.op;
    return HF_OK;
}

enum hf_err hf_authority_change(struct hf_ca_service *service, const char *actor,
                                const struct hf_authority *was, enum hf_store_authority_state state,
                                const struct hf_authority_settings *settings)
{
    HF_CLEANUP(hf_making_done) struct hf_making making = hf_making_of(service, actor);
    HF_TRY(hf_making_same_row(&making, was));
    making.put.authority.state = state;
    hf_free(HF_TAKE(making.settings));
    HF_TRY(hf_authority_settings_write(settings, &making.settings));
    making.put.authority.settings = making.settings;
    return hf_making_commit(&making, 1);
}

enum hf_err hf_authority_key_pem(struct hf_ca_service *service, const char *name,
                                 struct hf_bytes passphrase, struct hf_buf *out)
{
    HF_CLEANUP(hf_making_done) struct hf_making making = hf_making_of(service, "");
    const struct hf_authority *authority = NULL;
    HF_TRY(hf_making_find_signer(&making, name, &authority));
    return hf_key_write_pem(authority->key, passphrase, out);
}

enum hf_err hf_authority_drop_key(struct hf_ca_service *service, const char *actor,
                                  const char *name)
{
    HF_CLEANUP(hf_making_done) struct hf_making making = hf_making_of(service, actor);
    const struct hf_authority *authority = NULL;
    HF_TRY(hf_making_find(&making, name, &authority));
    if (!authority->key_id) {
        return hf_fail(HF_E_NOT_FOUND, "the key of \"%s\" isn't in the store", authority->name);
    }
    HF_TRY(hf_making_same_row(&making, authority));
    making.put.authority.key = 0;
    making.key_put = (struct hf_store_key_put){
        .op = hf_making_op(&making, HF_STORE_KEY_PUT),
        .key = {.id = authority->key_id},
        .remove = true,
    };
    making.ops[1] = &making.key_put.op;
    return hf_making_commit(&making, 2);
}

enum hf_err hf_authority_add_key(struct hf_ca_service *service, const char *actor, const char *name,
                                 EVP_PKEY *key)
{
    HF_CLEANUP(hf_making_done) struct hf_making making = hf_making_of(service, actor);
    const struct hf_authority *authority = NULL;
    HF_TRY(hf_making_find(&making, name, &authority));
    if (authority->key_id) {
        return hf_fail(HF_E_EXISTS, "the key of \"%s\" is in the store", authority->name);
    }
    if (!authority->cert || EVP_PKEY_eq(key, X509_get0_pubkey(authority->cert->x509)) != 1) {
        return hf_fail_ossl(HF_E_MISMATCH, "this is not the key of \"%s\"", authority->name);
    }
    if (!EVP_PKEY_up_ref(key)) {
        return HF_E_NOMEM;
    }
    making.key = key;
    HF_TRY(hf_making_store_key(&making, NULL));
    HF_TRY(hf_making_same_row(&making, authority));
    making.put.op.before = hf_making_take_key_id;
    making.put.op.ctx = &making;
    making.ops[0] = &making.key_put.op;
    making.ops[1] = &making.put.op;
    return hf_making_commit(&making, 2);
}

enum hf_err hf_authority_add_cert(struct hf_ca_service *service, const char *actor,
                                  const struct hf_cert *cert)
{
    HF_CLEANUP(hf_making_done) struct hf_making making = hf_making_of(service, actor);
    const struct hf_authority *holder = hf_making_holder(making.set, cert);
    if (!holder) {
        return hf_fail(HF_E_MISMATCH, "the certificate is for no key of an authority here");
    }
    if (!cert->is_ca || !hf_bytes_eq(hf_making_subject(cert), hf_making_subject(holder->cert))) {
        return hf_fail(HF_E_MISMATCH,
                       "the certificate isn't one of \"%s\": it is no CA, or has "
                       "another subject",
                       holder->name);
    }
    making.cross = (struct hf_store_authority_cert_add){
        .op = hf_making_op(&making, HF_STORE_AUTHORITY_CERT),
        .authority = holder->id,
        .cert = cert->der,
    };
    making.ops[0] = &making.cross.op;
    return hf_making_commit(&making, 1);
}
