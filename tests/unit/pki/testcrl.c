// SPDX-License-Identifier: Apache-2.0
#include "testcrl.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void must(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "testcrl: %s failed\n", what);
        abort();
    }
}

static ASN1_TIME *time_of(int64_t at, bool generalized)
{
    return generalized ? ASN1_GENERALIZEDTIME_set(NULL, at) : ASN1_TIME_set(NULL, at);
}

static void add_entry(X509_CRL *crl, const struct testcrl_entry *entry)
{
    X509_REVOKED *revoked = X509_REVOKED_new();
    BIGNUM *number = NULL;
    must(BN_hex2bn(&number, entry->serial) > 0, "serial");
    ASN1_INTEGER *serial = BN_to_ASN1_INTEGER(number, NULL);
    ASN1_TIME *at = ASN1_TIME_set(NULL, entry->at ? entry->at : TESTPKI_NOW - TESTPKI_DAY);
    must(X509_REVOKED_set_serialNumber(revoked, serial) &&
             X509_REVOKED_set_revocationDate(revoked, at),
         "entry");
    if (entry->reason >= 0) {
        ASN1_ENUMERATED *reason = ASN1_ENUMERATED_new();
        must(ASN1_ENUMERATED_set(reason, entry->reason) &&
                 X509_REVOKED_add1_ext_i2d(revoked, NID_crl_reason, reason, 0, 0),
             "reason");
        ASN1_ENUMERATED_free(reason);
    }
    must(X509_CRL_add0_revoked(crl, revoked), "add0_revoked");
    ASN1_TIME_free(at);
    ASN1_INTEGER_free(serial);
    BN_free(number);
}

static void add_number(X509_CRL *crl, int nid, const char *decimal, bool critical)
{
    ASN1_INTEGER *number = s2i_ASN1_INTEGER(NULL, decimal);
    must(number && X509_CRL_add1_ext_i2d(crl, nid, number, critical, 0), "number");
    ASN1_INTEGER_free(number);
}

static void add_ext(X509_CRL *crl, X509V3_CTX *ctx, int nid, const char *value)
{
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, ctx, nid, value);
    must(ext && X509_CRL_add_ext(crl, ext, -1), value);
    X509_EXTENSION_free(ext);
}

static void add_made_up(X509_CRL *crl, const char *oid)
{
    ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
    ASN1_OCTET_STRING *data = ASN1_OCTET_STRING_new();
    must(object && ASN1_OCTET_STRING_set(data, (const uint8_t *)"\x05", 2), "made-up extension");
    X509_EXTENSION *ext = X509_EXTENSION_create_by_OBJ(NULL, object, 1, data);
    must(ext && X509_CRL_add_ext(crl, ext, -1), "made-up extension");
    X509_EXTENSION_free(ext);
    ASN1_OCTET_STRING_free(data);
    ASN1_OBJECT_free(object);
}

static void add_extensions(X509_CRL *crl, const struct testpki *issuer,
                           const struct testcrl_spec *spec)
{
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer->x509, NULL, NULL, crl, 0);
    if (!spec->no_key_id) {
        add_ext(crl, &ctx, NID_authority_key_identifier, "keyid:always");
    }
    if (spec->number) {
        add_number(crl, NID_crl_number, spec->number, false);
    }
    if (spec->base) {
        add_number(crl, NID_delta_crl, spec->base, true);
    }
    if (spec->point) {
        add_ext(crl, &ctx, NID_issuing_distribution_point, spec->point);
    }
    if (spec->freshest) {
        add_ext(crl, &ctx, NID_freshest_crl, spec->freshest);
    }
    if (spec->critical) {
        add_made_up(crl, spec->critical);
    }
}

static void sign(X509_CRL *crl, EVP_PKEY *key, const struct testcrl_spec *spec)
{
    bool hashed = EVP_PKEY_get_base_id(key) != EVP_PKEY_ED25519;
    const EVP_MD *md = hashed ? EVP_get_digestbyname(spec->md ? spec->md : "SHA256") : NULL;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pctx = NULL;
    must(EVP_DigestSignInit(ctx, &pctx, md, NULL, key) > 0, "sign");
    if (spec->pss) {
        must(EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) > 0 &&
                 EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx, RSA_PSS_SALTLEN_DIGEST) > 0,
             "pss");
    }
    must(X509_CRL_sign_ctx(crl, ctx) > 0, "sign");
    EVP_MD_CTX_free(ctx);
}

void testcrl_make(const struct testpki *issuer, const struct testcrl_spec *spec, struct hf_buf *out)
{
    X509_CRL *crl = X509_CRL_new();
    must((spec->v1 || X509_CRL_set_version(crl, 1)) &&
             X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer->x509)),
         "list");
    ASN1_TIME *from =
        time_of(spec->this_update ? spec->this_update : TESTPKI_NOW - 3600, spec->generalized);
    must(X509_CRL_set1_lastUpdate(crl, from), "lastUpdate");
    ASN1_TIME_free(from);
    if (spec->next_update >= 0) {
        ASN1_TIME *to = time_of(spec->next_update ? spec->next_update : TESTPKI_NOW + TESTPKI_DAY,
                                spec->generalized);
        must(X509_CRL_set1_nextUpdate(crl, to), "nextUpdate");
        ASN1_TIME_free(to);
    }
    for (size_t i = 0; i < spec->n_entries; i++) {
        add_entry(crl, &spec->entries[i]);
    }
    if (!spec->v1) {
        add_extensions(crl, issuer, spec);
    }
    sign(crl, spec->with_key ? spec->with_key : issuer->key, spec);
    int len = i2d_X509_CRL(crl, NULL);
    struct hf_span room;
    must(len > 0 && hf_buf_reserve(out, (size_t)len, &room) == HF_OK, "i2d");
    i2d_X509_CRL(crl, &room.ptr);
    hf_buf_commit(out, (size_t)len);
    X509_CRL_free(crl);
}

enum hf_err testcrl_parse(struct hf_bytes bytes, size_t piece, struct hf_crl_lists *out)
{
    struct hf_crl_reader *reader = NULL;
    *out = (struct hf_crl_lists){0};
    enum hf_err err = hf_crl_reader_new(&hf_crl_limits_default, "test.crl", &reader);
    while (err == HF_OK && bytes.len) {
        size_t n = piece && piece < bytes.len ? piece : bytes.len;
        err = hf_crl_reader_feed(reader, hf_bytes_of(bytes.ptr, n));
        bytes = hf_bytes_from(bytes, n);
    }
    if (err == HF_OK) {
        err = hf_crl_reader_end(reader, out);
    }
    hf_crl_reader_free(reader);
    return err;
}

struct hf_crl *testcrl_read(const struct testpki *issuer, const struct testcrl_spec *spec)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf der = HF_BUF_INIT(16 << 20);
    struct hf_crl_lists lists;
    testcrl_make(issuer, spec, &der);
    enum hf_err err = testcrl_parse(hf_buf_bytes(&der), 0, &lists);
    must(err == HF_OK && lists.n == 1, err == HF_OK ? "one list" : hf_err_text());
    struct hf_crl *crl = hf_crl_ref(lists.item[0]);
    hf_crl_lists_done(&lists);
    return crl;
}

void testcrl_pem(struct hf_bytes der, struct hf_buf *out)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    must(PEM_write_bio(bio, "X509 CRL", "", der.ptr, (long)der.len) > 0, "PEM");
    long len = BIO_get_mem_data(bio, &text);
    must(hf_buf_append(out, hf_bytes_of(text, (size_t)len)) == HF_OK, "PEM");
    BIO_free(bio);
}
