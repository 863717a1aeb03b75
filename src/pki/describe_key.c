// SPDX-License-Identifier: Apache-2.0
/* Keys and certification requests. Of a private key only what its public half tells is shown. */
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "pki/cert_impl.h"
#include "pki/describe_impl.h"
#include "pki/dn.h"
#include "pki/key.h"
#include "pki/key_type.h"
#include "pki/ossl.h"

void hf_describe_key_object(struct hf_describer *d, const EVP_PKEY *key, bool encrypted)
{
    json_t *object = json_object();
    char type[HF_KEY_TYPE_SIZE];
    hf_key_type(key, type);
    hf_put_text(d, object, "kind", "private key");
    hf_put(d, object, "what",
           key ? json_sprintf("%s private key of type %s", encrypted ? "an encrypted" : "a", type)
               : json_string("an encrypted private key; with its passphrase more could be told"));
    hf_put(d, object, "encrypted", json_boolean(encrypted));
    if (key) {
        hf_describe_public(d, object, (EVP_PKEY *)(uintptr_t)key); /* only read */
    }
    hf_append(d, d->objects, object);
}

/* Opens without a passphrase or not: that is how we know. */
enum hf_err hf_describe_key(struct hf_describer *d, struct hf_bytes text)
{
    struct hf_locked from = {.text = text, .label = d->input->label};
    EVP_PKEY *key = NULL;
    enum hf_err err = hf_key_parse(&from, &key);
    bool encrypted = err == HF_E_PASSPHRASE;
    if (encrypted && d->input->passphrase.ptr) {
        from.passphrase = d->input->passphrase;
        err = hf_key_parse(&from, &key);
    }
    if (err != HF_OK && !(encrypted && !d->input->passphrase.ptr)) {
        return err;
    }
    hf_describe_key_object(d, key, encrypted);
    if (d->key) {
        EVP_PKEY_free(key);
    } else {
        d->key = key;
    }
    return HF_OK;
}

enum hf_err hf_describe_public_key(struct hf_describer *d, struct hf_bytes der)
{
    const unsigned char *at = der.ptr;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)der.len);
    if (!key) {
        return hf_fail_ossl(HF_E_MALFORMED, "not a public key that is known here");
    }
    json_t *object = json_object();
    char type[HF_KEY_TYPE_SIZE];
    hf_key_type(key, type);
    hf_put_text(d, object, "kind", "public key");
    hf_put(d, object, "what", json_sprintf("a public key of type %s", type));
    hf_describe_public(d, object, key);
    hf_append(d, d->objects, object);
    EVP_PKEY_free(key);
    return HF_OK;
}

/* --- Requests ----------------------------------------------------------------------------------
 */

static void put_request(struct hf_describer *d, json_t *object, X509_REQ *csr,
                        const struct hf_identity *id)
{
    EVP_PKEY *key = X509_REQ_get0_pubkey(csr);
    bool proved = key && X509_REQ_verify(csr, key) == 1;
    hf_put_text(d, object, "kind", "certificate request");
    hf_put(d, object, "what",
           json_sprintf("a request for a certificate for %s",
                        *id->subject ? id->subject : hf_identity_display(id)));
    hf_put_text(d, object, "subject", id->subject);
    hf_describe_names(d, object, id);
    hf_describe_public(d, object, key);
    hf_put_text(d, object, "signature_algorithm", OBJ_nid2sn(X509_REQ_get_signature_nid(csr)));
    hf_put(d, object, "signature_good", json_boolean(proved));
    STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(csr);
    hf_describe_extensions(d, object, extensions);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    if (!proved) {
        hf_add_problem(d, "bad-signature", "the request's own signature is wrong");
    }
    hf_ossl_forget();
}

enum hf_err hf_describe_request(struct hf_describer *d, struct hf_bytes der)
{
    const unsigned char *at = der.ptr;
    X509_REQ *csr = d2i_X509_REQ(NULL, &at, (long)der.len);
    if (!csr) {
        return hf_fail_ossl(HF_E_MALFORMED, "not a certificate request");
    }
    struct hf_identity *id = NULL;
    enum hf_err err = hf_identity_of_request(csr, &id);
    if (err == HF_OK) {
        json_t *object = json_object();
        put_request(d, object, csr, id);
        hf_append(d, d->objects, object);
    }
    hf_identity_unref(id);
    X509_REQ_free(csr);
    return err;
}
