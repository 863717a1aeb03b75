// SPDX-License-Identifier: Apache-2.0
/*
 * What making, signing and changing authorities have in common. A new authority is up to three rows
 * - key, authority, and the certificate in its parent's list - in one group, so that a crash leaves
 * all or none; the later rows learn the ids of the earlier ones in `before`.
 */
#include <string.h>

#include "base/mem.h"
#include "ca/authority_make_impl.h"
#include "ca/store_key.h"
#include "pki/ossl.h"

void hf_making_done(struct hf_making *making)
{
    hf_authorities_unref(making->set);
    hf_cert_profile_unref(making->profile);
    EVP_PKEY_free(making->key);
    hf_public_key_free(making->public_key);
    hf_made_cert_done(&making->made);
    hf_cert_unref(making->cert);
    hf_buf_wipe(&making->key_data);
    hf_buf_done(&making->key_data);
    hf_free(making->settings);
}

struct hf_making hf_making_of(struct hf_ca_service *service, const char *actor)
{
    hf_ca_reload(service); /* what another command changed a moment ago counts */
    return (struct hf_making){
        .service = service,
        .actor = actor,
        .set = hf_ca_authorities(service),
        .key_data = HF_BUF_INIT(HF_MAKING_DER_MAX),
    };
}

struct hf_store_op hf_making_op(const struct hf_making *making, enum hf_store_kind kind)
{
    return (struct hf_store_op){.kind = kind, .actor = making->actor};
}

enum hf_err hf_making_commit(struct hf_making *making, size_t n)
{
    making->group = (struct hf_store_group){
        .op = hf_making_op(making, HF_STORE_GROUP), .ops = making->ops, .n_ops = n};
    HF_TRY(hf_store_do(hf_ca_store(making->service), &making->group.op));
    hf_ca_reload(making->service);
    return HF_OK;
}

enum hf_err hf_making_find(const struct hf_making *making, const char *name,
                           const struct hf_authority **out)
{
    *out = hf_authorities_find(making->set, name);
    return *out ? HF_OK : hf_fail(HF_E_NOT_FOUND, "there is no authority \"%.64s\"", name);
}

enum hf_err hf_making_find_signer(const struct hf_making *making, const char *name,
                                  const struct hf_authority **out)
{
    const struct hf_authority *found = hf_authorities_find(making->set, name);
    if (!found) {
        return hf_fail(HF_E_NOT_FOUND, "there is no authority \"%.64s\"", name);
    }
    if (!found->issuer) {
        return hf_fail(HF_E_NOT_FOUND,
                       making->set->locked
                           ? "the key of \"%s\" is encrypted: give the passphrase"
                           : "the key of \"%s\" isn't here: put it back with `handfast ca "
                             "authority add-key`, or have it sign a request where it is",
                       found->name);
    }
    *out = found;
    return HF_OK;
}

static enum hf_err plain_key(const EVP_PKEY *key, struct hf_buf *out)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    unsigned char *der = NULL;
    int len = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : -1;
    PKCS8_PRIV_KEY_INFO_free(info);
    if (len <= 0) {
        return hf_fail_ossl(HF_E_CRYPTO, "the key can't be written");
    }
    enum hf_err err = hf_buf_append(out, hf_bytes_of(der, (size_t)len));
    OPENSSL_clear_free(der, (size_t)len);
    return err;
}

enum hf_err hf_making_store_key(struct hf_making *making, const char *pkcs11)
{
    struct hf_store_key *row = &making->key_put.key;
    const struct hf_ca_service *service = making->service;
    making->key_put.op = hf_making_op(making, HF_STORE_KEY_PUT);
    HF_TRY(hf_store_key_describe(making->key, making->type, row));
    if (pkcs11) {
        row->form = HF_KEY_PKCS11;
        row->data = hf_bytes_str(pkcs11);
        return HF_OK;
    }
    struct hf_bytes passphrase = hf_bytes_of(service->passphrase.ptr, service->passphrase.len);
    row->form = service->has_passphrase ? HF_KEY_SEALED : HF_KEY_PLAIN;
    HF_TRY(service->has_passphrase ? hf_store_key_seal(making->key, passphrase, &making->key_data)
                                   : plain_key(making->key, &making->key_data));
    row->data = hf_buf_bytes(&making->key_data);
    return HF_OK;
}

void hf_making_take_key_id(struct hf_store_op *op)
{
    struct hf_making *making = op->ctx;
    making->put.authority.key = making->key_put.key.id;
}
