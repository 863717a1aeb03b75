// SPDX-License-Identifier: Apache-2.0
/*
 * RFC 5280 4.2: what goes into each kind of certificate.
 *
 * Serial numbers are 16 random bytes whose top two bits are 01: positive, always 32 hex digits, and
 * 126 bits that nobody can guess. Signatures are ECDSA with SHA-256, the CA's keys being P-256.
 */
#include "ca/profile.h"

#include <openssl/x509v3.h>
#include <string.h>

#include "pki/ossl.h"

static const struct {
    const char *basic_constraints;
    const char *key_usage;
    const char *extended_key_usage; /* NULL: none */
} profiles[] = {
    [HF_PROFILE_ROOT] = {"critical,CA:TRUE", "critical,keyCertSign,cRLSign", NULL},
    [HF_PROFILE_ISSUING] = {"critical,CA:TRUE,pathlen:0", "critical,keyCertSign,cRLSign", NULL},
    [HF_PROFILE_SERVER] = {"critical,CA:FALSE", "critical,digitalSignature", "serverAuth"},
    [HF_PROFILE_CLIENT] = {"critical,CA:FALSE", "critical,digitalSignature", "clientAuth"},
};

static enum hf_err set_serial(X509 *x509, const struct hf_rng *rng)
{
    uint8_t bytes[16];
    HF_TRY(hf_rng_fill(rng, hf_span_of(bytes, sizeof(bytes))));
    bytes[0] = (uint8_t)((bytes[0] & 0x3f) | 0x40);
    BIGNUM *number = BN_bin2bn(bytes, sizeof(bytes), NULL);
    bool good = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x509));
    BN_free(number);
    return good ? HF_OK : hf_fail_ossl(HF_E_CRYPTO, "the serial number could not be set");
}

static bool add_part(X509_NAME *name, int nid, const char *text)
{
    return !text || X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8,
                                               (const unsigned char *)text, -1, -1, 0);
}

static enum hf_err set_names(X509 *x509, const struct hf_certificate_plan *plan)
{
    X509_NAME *name = X509_get_subject_name(x509);
    if (!add_part(name, NID_organizationName, plan->organization) ||
        !add_part(name, NID_commonName, plan->cn) ||
        !X509_set_issuer_name(x509, X509_get_subject_name(plan->issuer ? plan->issuer : x509))) {
        return hf_fail_ossl(HF_E_INVALID, "the name could not be set");
    }
    return HF_OK;
}

static enum hf_err set_dates(X509 *x509, const struct hf_certificate_plan *plan)
{
    if (!ASN1_TIME_set(X509_getm_notBefore(x509), (time_t)plan->not_before) ||
        !ASN1_TIME_set(X509_getm_notAfter(x509), (time_t)plan->not_after)) {
        return hf_fail_ossl(HF_E_INVALID, "the dates could not be set");
    }
    return HF_OK;
}

/* value is a constant of ours: libcrypto's little language is safe with those. */
static bool add_extension(X509 *x509, X509V3_CTX *ctx, int nid, const char *value)
{
    if (!value) {
        return true;
    }
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, ctx, nid, value);
    bool good = extension && X509_add_ext(x509, extension, -1);
    X509_EXTENSION_free(extension);
    return good;
}

/* RFC 5280 4.2.1.6: with an empty subject the alternative names are critical. */
static bool add_sans(X509 *x509, const struct hf_certificate_plan *plan)
{
    int critical = X509_NAME_entry_count(X509_get_subject_name(x509)) == 0;
    return !plan->sans || !plan->sans->names ||
           X509_add1_ext_i2d(x509, NID_subject_alt_name, plan->sans->names, critical,
                             X509V3_ADD_DEFAULT) == 1;
}

static enum hf_err set_extensions(X509 *x509, const struct hf_certificate_plan *plan)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, plan->issuer ? plan->issuer : x509, x509, NULL, NULL, 0);
    const char *authority = plan->issuer ? "keyid:always" : NULL;
    bool good =
        add_extension(x509, &ctx, NID_basic_constraints,
                      profiles[plan->profile].basic_constraints) &&
        add_extension(x509, &ctx, NID_key_usage, profiles[plan->profile].key_usage) &&
        add_extension(x509, &ctx, NID_ext_key_usage, profiles[plan->profile].extended_key_usage) &&
        add_extension(x509, &ctx, NID_subject_key_identifier, "hash") &&
        add_extension(x509, &ctx, NID_authority_key_identifier, authority) && add_sans(x509, plan);
    return good ? HF_OK : hf_fail_ossl(HF_E_CRYPTO, "the extensions could not be set");
}

static enum hf_err fill(X509 *x509, const struct hf_certificate_plan *plan)
{
    if (!X509_set_version(x509, X509_VERSION_3) || !X509_set_pubkey(x509, plan->subject_key)) {
        return hf_fail_ossl(HF_E_CRYPTO, "the public key could not be set");
    }
    HF_TRY(set_serial(x509, plan->rng));
    HF_TRY(set_names(x509, plan));
    HF_TRY(set_dates(x509, plan));
    return set_extensions(x509, plan);
}

/* A signature is checked before it leaves: a fault in the signer would give the key away. */
static enum hf_err sign(X509 *x509, const struct hf_certificate_plan *plan)
{
    EVP_PKEY *verifier = plan->issuer ? X509_get0_pubkey(plan->issuer) : X509_get0_pubkey(x509);
    if (!X509_sign(x509, plan->issuer_key, EVP_sha256()) || X509_verify(x509, verifier) != 1) {
        return hf_fail_ossl(HF_E_CRYPTO, "the certificate could not be signed");
    }
    return HF_OK;
}

enum hf_err hf_certificate_make(const struct hf_certificate_plan *plan, struct hf_cert **out)
{
    *out = NULL;
    X509 *x509 = X509_new();
    if (!x509) {
        return hf_fail_ossl(HF_E_NOMEM, "a certificate");
    }
    enum hf_err err = fill(x509, plan);
    if (err == HF_OK) {
        err = sign(x509, plan);
    }
    unsigned char *der = NULL;
    int len = err == HF_OK ? i2d_X509(x509, &der) : 0;
    X509_free(x509);
    if (err != HF_OK) {
        return err;
    }
    if (len <= 0) {
        return hf_fail_ossl(HF_E_CRYPTO, "the certificate could not be encoded");
    }
    err = hf_cert_from_der(hf_bytes_of(der, (size_t)len), out);
    OPENSSL_free(der);
    return err;
}
