// SPDX-License-Identifier: Apache-2.0
/* The extensions of a certificate (RFC 5280 4.2), each by the profile and the facts; one that has
 * nothing to say isn't there. */
#include <string.h>

#include "ca/cert_make_impl.h"

enum { TAG_URI = 0x86, TLS_STATUS_REQUEST = 5 };

void hf_extension_open(struct hf_asn1 *der, struct hf_bytes oid, bool critical)
{
    hf_asn1_open(der, HF_DER_SEQUENCE);
    hf_asn1_oid(der, oid);
    if (critical) {
        hf_asn1_true(der);
    }
    hf_asn1_open(der, HF_DER_OCTET_STRING);
}

void hf_extension_close(struct hf_asn1 *der)
{
    hf_asn1_close(der);
    hf_asn1_close(der);
}

static void put_key_ids(const struct hf_cert_making *m, struct hf_asn1 *der)
{
    const struct hf_public_key *key = m->facts->key;
    struct hf_bytes own =
        m->facts->key_id.len ? m->facts->key_id : hf_bytes_of(key->key_id, sizeof(key->key_id));
    if (m->issuer) {
        hf_extension_open(der, HF_OID_CE("\x23"), false);
        hf_asn1_open(der, HF_DER_SEQUENCE);
        hf_asn1_put(der, HF_ASN1_CONTEXT(0), hf_issuer_key_id(m->issuer));
        hf_asn1_close(der);
        hf_extension_close(der);
    }
    hf_extension_open(der, HF_OID_CE("\x0e"), false);
    hf_asn1_put(der, HF_DER_OCTET_STRING, own);
    hf_extension_close(der);
}

static void put_usage(const struct hf_cert_making *m, struct hf_asn1 *der)
{
    hf_extension_open(der, HF_OID_CE("\x0f"), true);
    hf_asn1_flags(der, hf_cert_profile_usage(m->profile, m->facts->key->kind));
    hf_extension_close(der);
}

static void put_basic_constraints(const struct hf_cert_making *m, struct hf_asn1 *der)
{
    hf_extension_open(der, HF_OID_CE("\x13"), true);
    hf_asn1_open(der, HF_DER_SEQUENCE);
    if (m->profile->kind == HF_PROFILE_KIND_CA) {
        hf_asn1_true(der);
        if (m->path_len >= 0) {
            hf_asn1_uint(der, (uint64_t)m->path_len);
        }
    }
    hf_asn1_close(der);
    hf_extension_close(der);
}

static void put_eku(const struct hf_cert_making *m, struct hf_asn1 *der)
{
    if (m->profile->n_eku == 0) {
        return;
    }
    hf_extension_open(der, HF_OID_CE("\x25"), false);
    hf_asn1_open(der, HF_DER_SEQUENCE);
    for (size_t i = 0; i < m->profile->n_eku; i++) {
        hf_asn1_oid(der, m->profile->eku[i]);
    }
    hf_asn1_close(der);
    hf_extension_close(der);
}

static bool subject_is_empty(const struct hf_cert_making *m)
{
    return hf_buf_len(&m->out->subject) <= 2;
}

/* RFC 5280 4.2.1.6: with an empty subject the alternative names are critical. */
static void put_names(const struct hf_cert_making *m, struct hf_asn1 *der)
{
    if (m->names->n) {
        hf_extension_open(der, HF_OID_CE("\x11"), subject_is_empty(m));
        hf_alt_names_write(m->names, der);
        hf_extension_close(der);
    }
}

static void put_policies(const struct hf_cert_making *m, struct hf_asn1 *der)
{
    if (m->profile->n_policies == 0) {
        return;
    }
    hf_extension_open(der, HF_OID_CE("\x20"), false);
    hf_asn1_open(der, HF_DER_SEQUENCE);
    for (size_t i = 0; i < m->profile->n_policies; i++) {
        hf_asn1_open(der, HF_DER_SEQUENCE);
        hf_asn1_oid(der, m->profile->policies[i]);
        hf_asn1_close(der);
    }
    hf_asn1_close(der);
    hf_extension_close(der);
}

static void put_constraints(const struct hf_cert_making *m, struct hf_asn1 *der)
{
    const struct hf_made_constraints *c = m->facts->constraints;
    if (c && c->n_permitted + c->n_excluded) {
        hf_extension_open(der, HF_OID_CE("\x1e"), true);
        hf_name_constraints_write(c->permitted, c->n_permitted, c->excluded, c->n_excluded, der);
        hf_extension_close(der);
    }
}

/* One distribution point, of which all URLs give the same list (RFC 5280 4.2.1.13). */
static void put_crl_urls(const struct hf_cert_making *m, struct hf_asn1 *der)
{
    if (m->facts->n_crl_urls == 0) {
        return;
    }
    hf_extension_open(der, HF_OID_CE("\x1f"), false);
    hf_asn1_open(der, HF_DER_SEQUENCE);
    hf_asn1_open(der, HF_DER_SEQUENCE);
    hf_asn1_open(der, HF_ASN1_CONTEXT_CONSTRUCTED(0)); /* distributionPoint */
    hf_asn1_open(der, HF_ASN1_CONTEXT_CONSTRUCTED(0)); /* fullName */
    for (size_t i = 0; i < m->facts->n_crl_urls; i++) {
        hf_asn1_text(der, TAG_URI, m->facts->crl_urls[i]);
    }
    hf_asn1_close(der);
    hf_asn1_close(der);
    hf_asn1_close(der);
    hf_asn1_close(der);
    hf_extension_close(der);
}

static void put_access(struct hf_asn1 *der, struct hf_bytes method, const char *const *urls,
                       size_t n)
{
    for (size_t i = 0; i < n; i++) {
        hf_asn1_open(der, HF_DER_SEQUENCE);
        hf_asn1_oid(der, method);
        hf_asn1_text(der, TAG_URI, urls[i]);
        hf_asn1_close(der);
    }
}

static void put_authority_access(const struct hf_cert_making *m, struct hf_asn1 *der)
{
    const struct hf_cert_facts *facts = m->facts;
    if (facts->n_ocsp_urls + facts->n_issuer_urls == 0) {
        return;
    }
    hf_extension_open(der, HF_OID_PE("\x01"), false);
    hf_asn1_open(der, HF_DER_SEQUENCE);
    put_access(der, HF_OID_AD("\x01"), facts->ocsp_urls, facts->n_ocsp_urls);
    put_access(der, HF_OID_AD("\x02"), facts->issuer_urls, facts->n_issuer_urls);
    hf_asn1_close(der);
    hf_extension_close(der);
}

static void put_tls_feature(const struct hf_cert_making *m, struct hf_asn1 *der)
{
    if (m->profile->must_staple) {
        hf_extension_open(der, HF_OID_PE("\x18"), false);
        hf_asn1_open(der, HF_DER_SEQUENCE);
        hf_asn1_uint(der, TLS_STATUS_REQUEST);
        hf_asn1_close(der);
        hf_extension_close(der);
    }
}

/* RFC 6960 4.2.2.2.1: nobody asks whether the signer of the answer is revoked. */
static void put_no_check(const struct hf_cert_making *m, struct hf_asn1 *der)
{
    if (m->profile->kind == HF_PROFILE_KIND_OCSP) {
        hf_extension_open(der, HF_OID("\x2b\x06\x01\x05\x05\x07\x30\x01\x05"), false);
        hf_asn1_null(der);
        hf_extension_close(der);
    }
}

void hf_cert_making_extensions(const struct hf_cert_making *m, struct hf_asn1 *der)
{
    static void (*const puts[])(const struct hf_cert_making *m, struct hf_asn1 *der) = {
        put_key_ids,     put_usage,    put_basic_constraints,
        put_eku,         put_names,    put_policies,
        put_constraints, put_crl_urls, put_authority_access,
        put_tls_feature, put_no_check,
    };
    hf_asn1_open(der, HF_ASN1_CONTEXT_CONSTRUCTED(3));
    hf_asn1_open(der, HF_DER_SEQUENCE);
    for (size_t i = 0; i < HF_N_ELEMENTS(puts); i++) {
        puts[i](m, der);
    }
    hf_asn1_close(der);
    hf_asn1_close(der);
}
