// SPDX-License-Identifier: Apache-2.0
/*
 * Names and words of OCSP. SHA-1 names an issuer here and proves nothing: whoever made another one
 * with the same hash would still have to sign as ours.
 */
#include "pki/ocsp.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "pki/der_write.h"
#include "pki/ossl.h"

static const uint8_t oid_basic[] = {0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1};
static const uint8_t oid_nonce[] = {0x2b, 6, 1, 5, 5, 7, 0x30, 1, 2};
static const uint8_t oid_sha1[] = {0x2b, 0x0e, 3, 2, 0x1a};
static const uint8_t oid_sha256[] = {0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1};

const struct hf_bytes hf_ocsp_oid_basic = {oid_basic, sizeof(oid_basic)};
const struct hf_bytes hf_ocsp_oid_nonce = {oid_nonce, sizeof(oid_nonce)};

static const struct {
    const char *name;
    struct hf_bytes oid;
    size_t size;
    const EVP_MD *(*md)(void);
} hashes[] = {
    [HF_OCSP_SHA1] = {"SHA-1", {oid_sha1, sizeof(oid_sha1)}, 20, EVP_sha1},
    [HF_OCSP_SHA256] = {"SHA-256", {oid_sha256, sizeof(oid_sha256)}, 32, EVP_sha256},
};

size_t hf_ocsp_hash_size(enum hf_ocsp_hash hash)
{
    return hashes[hash].size;
}

const char *hf_ocsp_hash_name(enum hf_ocsp_hash hash)
{
    return hashes[hash].name;
}

const char *hf_ocsp_response_name(unsigned number)
{
    switch (number) {
#define RESPONSE_CASE(id, number_, name) \
    case number_: \
        return name;
        HF_OCSP_RESPONSE_TABLE(RESPONSE_CASE)
#undef RESPONSE_CASE
    default:
        return NULL;
    }
}

const char *hf_ocsp_status_name(enum hf_ocsp_status status)
{
    static const char *const names[] = {"good", "revoked", "unknown"};
    return (unsigned)status < HF_N_ELEMENTS(names) ? names[status] : "not a status";
}

/* --- The name of a certificate ------------------------------------------------------------------
 */

enum hf_err hf_ocsp_id_of_issuer(const struct hf_cert *issuer, enum hf_ocsp_hash hash,
                                 struct hf_ocsp_id *out)
{
    struct hf_ocsp_id id = {.hash = hash};
    const EVP_MD *md = hashes[hash].md();
    const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(issuer->x509);
    if (!key || !X509_NAME_digest(X509_get_subject_name(issuer->x509), md, id.issuer_name, NULL) ||
        !EVP_Digest(ASN1_STRING_get0_data(key), (size_t)ASN1_STRING_length(key), id.issuer_key,
                    NULL, md, NULL)) {
        return hf_fail_ossl(HF_E_CRYPTO, "an issuer could not be hashed");
    }
    *out = id;
    return HF_OK;
}

enum hf_err hf_ocsp_id_of(const struct hf_cert *cert, const struct hf_cert *issuer,
                          enum hf_ocsp_hash hash, struct hf_ocsp_id *out)
{
    struct hf_ocsp_id id;
    HF_TRY(hf_ocsp_id_of_issuer(issuer, hash, &id));
    HF_TRY(hf_serial_of_x509(X509_get0_serialNumber(cert->x509), &id.serial));
    *out = id;
    return HF_OK;
}

bool hf_ocsp_id_same_issuer(const struct hf_ocsp_id *a, const struct hf_ocsp_id *b)
{
    size_t size = hashes[a->hash].size;
    return a->hash == b->hash && memcmp(a->issuer_name, b->issuer_name, size) == 0 &&
           memcmp(a->issuer_key, b->issuer_key, size) == 0;
}

bool hf_ocsp_id_eq(const struct hf_ocsp_id *a, const struct hf_ocsp_id *b)
{
    return hf_ocsp_id_same_issuer(a, b) && hf_serial_eq(&a->serial, &b->serial);
}

/* AlgorithmIdentifier: parameters are NULL or absent. */
static enum hf_err read_hash(struct hf_bytes identifier, size_t *out)
{
    struct hf_reader reader = hf_reader_of(identifier);
    struct hf_der oid, none;
    HF_TRY(hf_der_expect(&reader, HF_DER_OID, &oid));
    if (reader.rest.len) {
        HF_TRY(hf_der_expect(&reader, HF_DER_NULL, &none));
        if (none.value.len) {
            return hf_fail(HF_E_MALFORMED, "a NULL with content");
        }
    }
    HF_TRY(hf_read_end(&reader));
    for (*out = 0; *out < HF_N_ELEMENTS(hashes); ++*out) {
        if (hf_bytes_eq(hashes[*out].oid, oid.value)) {
            break;
        }
    }
    return HF_OK;
}

static enum hf_err take_hash(struct hf_bytes value, enum hf_ocsp_hash hash, uint8_t *out)
{
    if (value.len != hashes[hash].size) {
        return hf_fail(HF_E_MALFORMED, "a hash of %zu bytes where %s belongs", value.len,
                       hashes[hash].name);
    }
    memcpy(out, value.ptr, value.len);
    return HF_OK;
}

enum hf_err hf_ocsp_id_read(struct hf_reader *reader, struct hf_ocsp_id *out)
{
    struct hf_reader ahead = *reader;
    struct hf_ocsp_id id = {0};
    struct hf_der whole, algorithm, name, key, serial;
    size_t hash;
    HF_TRY(hf_der_expect(&ahead, HF_DER_SEQUENCE, &whole));
    struct hf_reader parts = hf_reader_of(whole.value);
    HF_TRY(hf_der_expect(&parts, HF_DER_SEQUENCE, &algorithm));
    HF_TRY(read_hash(algorithm.value, &hash));
    HF_TRY(hf_der_expect(&parts, HF_DER_OCTET_STRING, &name));
    HF_TRY(hf_der_expect(&parts, HF_DER_OCTET_STRING, &key));
    HF_TRY(hf_der_expect(&parts, HF_DER_INTEGER, &serial));
    HF_TRY(hf_read_end(&parts));
    HF_TRY(hf_serial_from_der(serial.value, &id.serial));
    if (hash == HF_N_ELEMENTS(hashes)) {
        *reader = ahead;
        return hf_fail(HF_E_UNSUPPORTED, "a certificate named by a hash that is neither SHA-1 nor "
                                         "SHA-256");
    }
    id.hash = (enum hf_ocsp_hash)hash;
    HF_TRY(take_hash(name.value, id.hash, id.issuer_name));
    HF_TRY(take_hash(key.value, id.hash, id.issuer_key));
    *reader = ahead;
    *out = id;
    return HF_OK;
}

enum hf_err hf_ocsp_id_write(const struct hf_ocsp_id *id, struct hf_buf *out)
{
    size_t whole, algorithm, size = hashes[id->hash].size;
    HF_TRY(hf_der_open(out, HF_DER_SEQUENCE, &whole));
    HF_TRY(hf_der_open(out, HF_DER_SEQUENCE, &algorithm));
    HF_TRY(hf_der_put(out, HF_DER_OID, hashes[id->hash].oid));
    HF_TRY(hf_der_put(out, HF_DER_NULL, (struct hf_bytes){0}));
    HF_TRY(hf_der_close(out, algorithm));
    HF_TRY(hf_der_put(out, HF_DER_OCTET_STRING, hf_bytes_of(id->issuer_name, size)));
    HF_TRY(hf_der_put(out, HF_DER_OCTET_STRING, hf_bytes_of(id->issuer_key, size)));
    HF_TRY(hf_der_put_serial(out, &id->serial));
    return hf_der_close(out, whole);
}

/* --- What certificates say of OCSP ---------------------------------------------------------------
 */

static bool is_uri(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] <= ' ' || text[i] > '~') {
            return false;
        }
    }
    return len > 0 && len < HF_OCSP_URI_SIZE;
}

void hf_ocsp_uris_of(const struct hf_cert *cert, struct hf_ocsp_uris *out)
{
    AUTHORITY_INFO_ACCESS *access = X509_get_ext_d2i(cert->x509, NID_info_access, NULL, NULL);
    out->n = 0;
    for (int i = 0; i < sk_ACCESS_DESCRIPTION_num(access) && out->n < HF_OCSP_URIS_MAX; i++) {
        const ACCESS_DESCRIPTION *entry = sk_ACCESS_DESCRIPTION_value(access, i);
        if (OBJ_obj2nid(entry->method) != NID_ad_OCSP || entry->location->type != GEN_URI) {
            continue;
        }
        const ASN1_STRING *uri = entry->location->d.uniformResourceIdentifier;
        const char *text = (const char *)ASN1_STRING_get0_data(uri);
        size_t len = (size_t)ASN1_STRING_length(uri);
        if (is_uri(text, len)) {
            memcpy(out->uri[out->n], text, len);
            out->uri[out->n++][len] = '\0';
        }
    }
    AUTHORITY_INFO_ACCESS_free(access);
    hf_ossl_forget();
}

bool hf_ocsp_must_staple(const struct hf_cert *cert)
{
    enum { STATUS_REQUEST = 5 };
    TLS_FEATURE *features = X509_get_ext_d2i(cert->x509, NID_tlsfeature, NULL, NULL);
    bool must = false;
    for (int i = 0; i < sk_ASN1_INTEGER_num(features); i++) {
        must = must || ASN1_INTEGER_get(sk_ASN1_INTEGER_value(features, i)) == STATUS_REQUEST;
    }
    TLS_FEATURE_free(features);
    hf_ossl_forget();
    return must;
}
