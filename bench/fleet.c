// SPDX-License-Identifier: Apache-2.0
#include "fleet.h"

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>

#include "base/mem.h"
#include "pki/cert.h"

static enum hf_err crypto_failed(void)
{
    return hf_fail(HF_E_CRYPTO, "a certificate of the fleet could not be made");
}

static enum hf_err read_key(const char *path, EVP_PKEY **out)
{
    FILE *file = fopen(path, "re");
    *out = file ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;
    if (file) {
        fclose(file);
    }
    return *out ? HF_OK : hf_fail(HF_E_MALFORMED, "%s holds no private key", path);
}

enum hf_err fleet_open(struct fleet *fleet, struct hf_credential *template, const char *ca_key_path)
{
    *fleet = (struct fleet){.template = template};
    return read_key(ca_key_path, &fleet->ca_key);
}

void fleet_done(struct fleet *fleet)
{
    hf_credential_unref(fleet->template);
    EVP_PKEY_free(fleet->ca_key);
    *fleet = (struct fleet){0};
}

static bool rename_to(X509 *leaf, unsigned number)
{
    enum { FIRST_SERIAL = 1 << 24 };
    char cn[64];
    int len = snprintf(cn, sizeof(cn), "Bench client %u", number);
    X509_NAME *name = X509_NAME_new();
    bool made =
        name &&
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (unsigned char *)cn, len, -1, 0) &&
        X509_set_subject_name(leaf, name) &&
        ASN1_INTEGER_set(X509_get_serialNumber(leaf), FIRST_SERIAL + (long)number);
    X509_NAME_free(name);
    return made;
}

/* The template's chain with this leaf. */
static enum hf_err chain_of(const struct fleet *fleet, X509 *leaf, struct hf_chain **out)
{
    const struct hf_chain *from = fleet->template->chain;
    struct hf_cert *certs[HF_CHAIN_MAX] = {0};
    for (size_t i = 1; i < from->n_certs; i++) {
        certs[i] = from->certs[i];
    }
    HF_TRY(hf_cert_from_x509(leaf, &certs[0]));
    enum hf_err err = hf_chain_new(certs, from->n_certs, out);
    hf_cert_unref(certs[0]);
    return err;
}

static enum hf_err make(const struct fleet *fleet, X509 *leaf, struct hf_credential *out)
{
    HF_TRY(chain_of(fleet, leaf, &out->chain));
    HF_TRY(hf_identity_new(out->chain->certs[0], &out->identity));
    EVP_PKEY_up_ref(fleet->template->key);
    out->key = fleet->template->key;
    return HF_OK;
}

enum hf_err fleet_member(const struct fleet *fleet, unsigned number, struct hf_credential **out)
{
    struct hf_credential *member = HF_NEW(struct hf_credential);
    X509 *leaf = X509_dup(fleet->template->chain->certs[0]->x509);
    enum hf_err err = member ? HF_OK : HF_E_NOMEM;
    if (!err) {
        atomic_init(&member->refs, 1);
        bool made = leaf && rename_to(leaf, number) && X509_sign(leaf, fleet->ca_key, EVP_sha256());
        err = made ? make(fleet, leaf, member) : crypto_failed();
    }
    X509_free(leaf);
    if (err) {
        hf_credential_unref(member);
        return err;
    }
    *out = member;
    return HF_OK;
}
