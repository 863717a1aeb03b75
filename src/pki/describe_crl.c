// SPDX-License-Identifier: Apache-2.0
/*
 * Facts of a CRL, walked over rather than parsed: a list of a million serials is 35 MB of DER and
 * would be several hundred megabytes as libcrypto's objects.
 *
 *     CertificateList ::= SEQUENCE { tbsCertList, signatureAlgorithm, signature }
 *     TBSCertList ::= SEQUENCE { version?, signature, issuer, thisUpdate, nextUpdate?,
 *                                revokedCertificates?, [0] crlExtensions? }         RFC 5280 5.1
 */
#include <openssl/x509v3.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "pki/cert_impl.h"
#include "pki/der.h"
#include "pki/describe_impl.h"
#include "pki/dn.h"
#include "pki/ossl.h"

struct crl {
    struct hf_bytes issuer;
    struct hf_bytes algorithm;
    struct hf_bytes extensions; /* the SEQUENCE in [0]; empty: none */
    int64_t this_update;
    int64_t next_update; /* 0: none */
    size_t n_entries;
};

static enum hf_err read_time(struct hf_reader *reader, int64_t *out)
{
    struct hf_der element;
    HF_TRY(hf_der_next(reader, &element));
    const unsigned char *at = element.whole.ptr;
    ASN1_TIME *when = d2i_ASN1_TIME(NULL, &at, (long)element.whole.len);
    enum hf_err err = when ? hf_time_from_asn1(when, out)
                           : hf_fail_ossl(HF_E_MALFORMED, "a date in the CRL can't be parsed");
    ASN1_TIME_free(when);
    return err;
}

static bool is_time(uint8_t tag)
{
    return tag == HF_DER_UTC_TIME || tag == HF_DER_GENERALIZED_TIME;
}

static enum hf_err count_entries(struct hf_bytes list, size_t *out)
{
    struct hf_reader reader = hf_reader_of(list);
    size_t n = 0;
    while (reader.rest.len) {
        struct hf_der entry;
        HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &entry));
        n++;
    }
    *out = n;
    return HF_OK;
}

static enum hf_err read_list(struct hf_bytes tbs, struct crl *out)
{
    struct hf_reader reader = hf_reader_of(tbs);
    struct hf_der element;
    if (hf_der_peek(&reader) == HF_DER_INTEGER) {
        HF_TRY(hf_der_next(&reader, &element));
    }
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &element));
    out->algorithm = element.whole;
    HF_TRY(hf_der_expect(&reader, HF_DER_SEQUENCE, &element));
    out->issuer = element.whole;
    HF_TRY(read_time(&reader, &out->this_update));
    if (is_time(hf_der_peek(&reader))) {
        HF_TRY(read_time(&reader, &out->next_update));
    }
    if (hf_der_peek(&reader) == HF_DER_SEQUENCE) {
        HF_TRY(hf_der_next(&reader, &element));
        HF_TRY(count_entries(element.value, &out->n_entries));
    }
    if (hf_der_peek(&reader) == HF_DER_CONTEXT_0) {
        HF_TRY(hf_der_next(&reader, &element));
        out->extensions = element.value;
    }
    return hf_read_end(&reader);
}

static enum hf_err read_crl(struct hf_bytes der, struct crl *out)
{
    struct hf_reader outer = hf_reader_of(der);
    struct hf_der all;
    struct hf_der tbs;
    struct hf_der element;
    HF_TRY(hf_der_expect(&outer, HF_DER_SEQUENCE, &all));
    HF_TRY(hf_read_end(&outer));
    struct hf_reader inner = hf_reader_of(all.value);
    HF_TRY(hf_der_expect(&inner, HF_DER_SEQUENCE, &tbs));
    HF_TRY(hf_der_expect(&inner, HF_DER_SEQUENCE, &element));
    HF_TRY(hf_der_next(&inner, &element));
    HF_TRY(hf_read_end(&inner));
    return read_list(tbs.value, out);
}

/* --- Into the tree -----------------------------------------------------------------------------
 */

static enum hf_err put_issuer(struct hf_describer *d, json_t *object, struct hf_bytes der)
{
    const unsigned char *at = der.ptr;
    X509_NAME *name = d2i_X509_NAME(NULL, &at, (long)der.len);
    if (!name) {
        return hf_fail_ossl(HF_E_MALFORMED, "the issuer of the CRL can't be parsed");
    }
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(2 * HF_IDENTITY_TEXT_MAX);
    bool mangled = false;
    enum hf_err err = hf_dn_append(&text, name, HF_IDENTITY_TEXT_MAX, &mangled);
    X509_NAME_free(name);
    const char *issuer = err == HF_OK ? hf_buf_cstr(&text) : NULL;
    if (!issuer) {
        return err == HF_OK ? HF_E_NOMEM : err;
    }
    hf_put(d, object, "what", json_sprintf("a list of revoked certificates of %s", issuer));
    hf_put_text(d, object, "issuer", issuer);
    return HF_OK;
}

static void put_number(struct hf_describer *d, json_t *object,
                       const STACK_OF(X509_EXTENSION) * extensions)
{
    ASN1_INTEGER *number = X509V3_get_d2i(extensions, NID_crl_number, NULL, NULL);
    BIGNUM *value = number ? ASN1_INTEGER_to_BN(number, NULL) : NULL;
    char *text = value ? BN_bn2dec(value) : NULL;
    hf_put_text(d, object, "number", text);
    OPENSSL_free(text);
    BN_free(value);
    ASN1_INTEGER_free(number);
}

static enum hf_err put_extensions(struct hf_describer *d, json_t *object, struct hf_bytes der)
{
    const unsigned char *at = der.ptr;
    STACK_OF(X509_EXTENSION) *extensions =
        der.len ? d2i_X509_EXTENSIONS(NULL, &at, (long)der.len) : NULL;
    if (der.len && !extensions) {
        return hf_fail_ossl(HF_E_MALFORMED, "the extensions of the CRL can't be parsed");
    }
    put_number(d, object, extensions);
    hf_put(d, object, "delta",
           json_boolean(X509v3_get_ext_by_NID(extensions, NID_delta_crl, -1) >= 0));
    hf_describe_extensions(d, object, extensions);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    hf_ossl_forget();
    return HF_OK;
}

static void put_dates(struct hf_describer *d, json_t *object, const struct crl *crl)
{
    int64_t now = d->input->now_s;
    hf_put_time(d, object, "this_update", crl->this_update);
    if (crl->next_update) {
        hf_put_time(d, object, "next_update", crl->next_update);
        hf_put(d, object, "seconds_left", json_integer(crl->next_update - now));
    }
    char gap[48];
    if (crl->next_update && now > crl->next_update) {
        hf_format_duration((now - crl->next_update) * 1000, gap, sizeof(gap));
        hf_add_problem(d, "stale", "the CRL should have been replaced %s ago", gap);
    } else if (now < crl->this_update) {
        hf_format_duration((crl->this_update - now) * 1000, gap, sizeof(gap));
        hf_add_problem(d, "not-yet-valid", "the CRL is from the future: %s from now", gap);
    }
}

static void put_algorithm(struct hf_describer *d, json_t *object, struct hf_bytes der)
{
    const unsigned char *at = der.ptr;
    X509_ALGOR *algorithm = d2i_X509_ALGOR(NULL, &at, (long)der.len);
    if (algorithm) {
        const ASN1_OBJECT *oid = NULL;
        X509_ALGOR_get0(&oid, NULL, NULL, algorithm);
        hf_put_text(d, object, "signature_algorithm", OBJ_nid2sn(OBJ_obj2nid(oid)));
    }
    X509_ALGOR_free(algorithm);
    hf_ossl_forget();
}

static enum hf_err fill(struct hf_describer *d, json_t *object, const struct crl *crl)
{
    hf_put_text(d, object, "kind", "CRL");
    HF_TRY(put_issuer(d, object, crl->issuer));
    put_dates(d, object, crl);
    hf_put(d, object, "entries", json_integer((json_int_t)crl->n_entries));
    put_algorithm(d, object, crl->algorithm);
    return put_extensions(d, object, crl->extensions);
}

enum hf_err hf_describe_crl(struct hf_describer *d, struct hf_bytes der)
{
    struct crl crl = {0};
    enum hf_err err = read_crl(der, &crl);
    if (err != HF_OK) {
        return hf_fail_context(err, "not a CRL");
    }
    json_t *object = json_object();
    err = fill(d, object, &crl);
    if (err != HF_OK) {
        json_decref(object);
        return err;
    }
    hf_append(d, d->objects, object);
    return HF_OK;
}
