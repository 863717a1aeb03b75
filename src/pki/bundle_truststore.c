// SPDX-License-Identifier: Apache-2.0
/*
 * A PKCS#12 file of certificates that Java takes as trusted ones: each has an alias, and Oracle's
 * attribute trustedKeyUsage, without which a certificate alone is not even listed by keytool.
 */
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <stdio.h>

#include "pki/bundle_impl.h"
#include "pki/ossl.h"

enum { ROUNDS = 10000 };

#define OID_TRUSTED_KEY_USAGE "2.16.840.1.113894.746875.1.1"
#define OID_ANY_USAGE         "2.5.29.37.0"

static bool set_trusted(PKCS12_SAFEBAG *bag)
{
    ASN1_OBJECT *any = OBJ_txt2obj(OID_ANY_USAGE, 1);
    bool good = any && PKCS12_add1_attr_by_txt(bag, OID_TRUSTED_KEY_USAGE, V_ASN1_OBJECT,
                                               (const unsigned char *)any, -1);
    ASN1_OBJECT_free(any);
    return good;
}

static bool add_bag(STACK_OF(PKCS12_SAFEBAG) * bags, const struct hf_cert *cert, const char *alias)
{
    PKCS12_SAFEBAG *bag = PKCS12_SAFEBAG_create_cert(cert->x509);
    bool good = bag && PKCS12_add_friendlyname_utf8(bag, alias, -1) && set_trusted(bag) &&
                sk_PKCS12_SAFEBAG_push(bags, bag);
    if (!good) {
        PKCS12_SAFEBAG_free(bag);
    }
    return good;
}

/* "name" for the first, "name-2" and so on for the others. */
static bool add_all(STACK_OF(PKCS12_SAFEBAG) * bags, const struct hf_bundle *bundle)
{
    size_t n = bundle->chain->n_certs;
    const char *name = bundle->name ? bundle->name : "handfast";
    char alias[300];
    for (size_t i = 0; i < n + (bundle->root != NULL); i++) {
        snprintf(alias, sizeof(alias), i ? "%.255s-%zu" : "%.255s", name, i + 1);
        if (!add_bag(bags, i < n ? bundle->chain->certs[i] : bundle->root, alias)) {
            return false;
        }
    }
    return true;
}

static PKCS12 *make(const struct hf_bundle *bundle)
{
    STACK_OF(PKCS12_SAFEBAG) *bags = sk_PKCS12_SAFEBAG_new_null();
    STACK_OF(PKCS7) *safes = NULL;
    PKCS12 *p12 = NULL;
    if (bags && add_all(bags, bundle) &&
        PKCS12_add_safe(&safes, bags, NID_aes_256_cbc, ROUNDS, bundle->passphrase)) {
        p12 = PKCS12_add_safes(safes, 0);
    }
    if (p12 && !PKCS12_set_mac(p12, bundle->passphrase, -1, NULL, 0, ROUNDS, EVP_sha256())) {
        PKCS12_free(p12);
        p12 = NULL;
    }
    sk_PKCS12_SAFEBAG_pop_free(bags, PKCS12_SAFEBAG_free);
    sk_PKCS7_pop_free(safes, PKCS7_free);
    return p12;
}

enum hf_err hf_bundle_truststore(const struct hf_bundle *bundle, struct hf_buf *out)
{
    if (!bundle->passphrase) {
        return hf_fail(HF_E_INVALID, "a truststore wants a passphrase, if only \"changeit\"");
    }
    unsigned char *der = NULL;
    PKCS12 *p12 = make(bundle);
    int len = p12 ? i2d_PKCS12(p12, &der) : -1;
    PKCS12_free(p12);
    if (len <= 0) {
        return hf_fail_ossl(HF_E_CRYPTO, "a truststore could not be written");
    }
    enum hf_err err = hf_buf_append(out, hf_bytes_of(der, (size_t)len));
    OPENSSL_free(der);
    return err;
}
