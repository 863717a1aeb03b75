// SPDX-License-Identifier: Apache-2.0
#include "ca/csr.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ca/issuer.h"
#include "making.h"

static EVP_PKEY *key;
static struct hf_public_key *public;

static int set_up(void **state)
{
    (void)state;
    key = making_key(HF_KEY_KIND_P256);
    public = making_public(key);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    hf_public_key_free(public);
    EVP_PKEY_free(key);
    return 0;
}

/* --- Requests of any contents -------------------------------------------------------------------
 */

#define SUBJECT_A   "\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01\x61"
#define EXT_REQUEST "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0e"
#define SAN_A       "\x30\x11\x06\x03\x55\x1d\x11\x04\x0a\x30\x08\x82\x06\x61\x2e\x62\x2e\x63\x64"

struct parts {
    struct hf_bytes version;    /* contents; default 0 */
    struct hf_bytes subject;    /* Name */
    struct hf_bytes spki;       /* default: of key */
    struct hf_bytes attributes; /* contents of [0] */
    struct hf_bytes extensions; /* contents of the list, in an extensionRequest of its own */
    bool no_attributes;         /* no [0] at all */
    struct hf_bytes behind;     /* after [0] */
};

/* A signed request of these parts. */
static struct hf_buf build(const struct parts *parts)
{
    struct hf_buf info = HF_BUF_INIT(1 << 20), out = HF_BUF_INIT(1 << 20);
    struct hf_asn1 der = hf_asn1_writer(&info);
    struct hf_signer signer;
    assert_int_equal(hf_signer_of(key, &signer), HF_OK);
    hf_asn1_open(&der, HF_DER_SEQUENCE);
    hf_asn1_put(&der, HF_DER_INTEGER, parts->version.len ? parts->version : hf_bytes_of("", 1));
    hf_asn1_raw(&der, parts->subject.len ? parts->subject : HF_OID(SUBJECT_A));
    hf_asn1_raw(&der, parts->spki.len ? parts->spki : public->spki);
    if (!parts->no_attributes) {
        hf_asn1_open(&der, HF_DER_CONTEXT_0);
        hf_asn1_raw(&der, parts->attributes);
        if (parts->extensions.len) {
            hf_asn1_open(&der, HF_DER_SEQUENCE);
            hf_asn1_raw(&der, HF_OID(EXT_REQUEST));
            hf_asn1_open(&der, HF_ASN1_SET);
            hf_asn1_put(&der, HF_DER_SEQUENCE, parts->extensions);
            hf_asn1_close(&der);
            hf_asn1_close(&der);
        }
        hf_asn1_close(&der);
    }
    hf_asn1_raw(&der, parts->behind);
    hf_asn1_close(&der);
    assert_int_equal(hf_asn1_end(&der), HF_OK);
    assert_int_equal(hf_signer_seal(&signer, hf_buf_bytes(&info), &out), HF_OK);
    hf_buf_done(&info);
    return out;
}

static struct hf_csr *good(const struct parts *parts)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf der = build(parts);
    struct hf_csr *csr = NULL;
    enum hf_refusal why;
    if (hf_csr_parse(hf_buf_bytes(&der), "test", &csr, &why) != HF_OK) {
        fail_msg("%s: %s", hf_refusal_name(why), hf_err_text());
    }
    return csr;
}

static void refused_at(struct hf_bytes text, enum hf_err err, enum hf_refusal refusal,
                       const char *word, size_t at)
{
    struct hf_csr *csr = NULL;
    enum hf_refusal why = HF_REFUSAL_N;
    enum hf_err got = hf_csr_parse(text, "the label", &csr, &why);
    if (got != err || why != refusal || csr || !strstr(hf_err_text(), word) ||
        !strstr(hf_err_text(), "the label")) {
        fail_msg("case %zu: wanted %s %s \"%s\": %s %s %s", at, hf_err_name(err),
                 hf_refusal_name(refusal), word, hf_err_name(got), hf_refusal_name(why),
                 hf_err_text());
    }
}

/* --- Good ones --------------------------------------------------------------------------------*/

static void a_plain_request_is_read(void **state)
{
    (void)state;
    struct hf_csr *csr = good(&(struct parts){0});
    assert_string_equal(hf_subject_get(&csr->subject, HF_ATTR_CN, 0), "a");
    assert_int_equal(csr->names.n, 0);
    assert_false(csr->wants_ca);
    assert_int_equal(csr->path_len, -1);
    assert_int_equal(csr->key_usage, 0);
    assert_null(csr->challenge.ptr);
    assert_int_equal(csr->n_ignored, 0);
    assert_memory_equal(csr->key->spki_sha256, public->spki_sha256, 32);
    hf_csr_free(csr);
    hf_csr_free(good(&(struct parts){.no_attributes = true})); /* as some makers write it */
}

static void wishes_are_read(void **state)
{
    (void)state;
    struct hf_csr *csr = good(&(struct parts){
        .attributes = HF_OID("\x30\x16\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x07\x31\x09\x0c\x07"
                             "enter12"
                             /* unstructuredName: not ours to use */
                             "\x30\x11\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x02\x31\x04\x0c\x02"
                             "un"),
        .extensions = HF_OID(SAN_A
                             /* keyUsage digitalSignature, keyCertSign; critical */
                             "\x30\x0e\x06\x03\x55\x1d\x0f\x01\x01\xff\x04\x04\x03\x02\x02\x84"
                             /* basicConstraints cA, path length 2 */
                             "\x30\x0f\x06\x03\x55\x1d\x13\x04\x08\x30\x06\x01\x01\xff\x02\x01\x02"
                             /* extKeyUsage clientAuth */
                             "\x30\x13\x06\x03\x55\x1d\x25\x04\x0c\x30\x0a\x06\x08\x2b\x06\x01\x05"
                             "\x05\x07\x03\x02"
                             /* something else, not critical */
                             "\x30\x09\x06\x03\x55\x1d\x20\x04\x02\x30\x00"),
    });
    assert_int_equal(csr->names.n, 1);
    assert_memory_equal(csr->names.item[0].value.ptr, "a.b.cd", 6);
    assert_int_equal(csr->key_usage, 1 << 0 | 1 << 5);
    assert_true(csr->wants_ca);
    assert_int_equal(csr->path_len, 2);
    assert_int_equal(csr->n_eku, 1);
    assert_int_equal(csr->eku[0].len, 8);
    assert_int_equal(csr->challenge.len, 7);
    assert_memory_equal(csr->challenge.ptr, "enter12", 7);
    assert_int_equal(csr->n_ignored, 2);
    hf_csr_free(csr);
}

/* --- Bad ones ---------------------------------------------------------------------------------*/

static void what_is_malformed_is_refused_in_words(void **state)
{
    (void)state;
    static const struct {
        struct parts parts;
        enum hf_err err;
        enum hf_refusal why;
        const char *word;
    } cases[] = {
#define DER(bytes) HF_OID_INIT(bytes)
        {{.version = DER("\x02")}, HF_E_MALFORMED, HF_REFUSAL_CSR_MALFORMED, "version"},
        {{.version = DER("\x00\x00")}, HF_E_MALFORMED, HF_REFUSAL_CSR_MALFORMED, "version"},
        {{.behind = DER("\x05\x00")}, HF_E_MALFORMED, HF_REFUSAL_CSR_MALFORMED, ""},
        {{.subject = DER("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01\x00")},
         HF_E_INVALID,
         HF_REFUSAL_SUBJECT,
         "CN"},
        {{.subject = DER("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x7b\x0c\x01\x61")},
         HF_E_UNSUPPORTED,
         HF_REFUSAL_SUBJECT,
         "attribute that isn't known"},
        {{.subject = DER("\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x1e\x02\x00\x61")},
         HF_E_UNSUPPORTED,
         HF_REFUSAL_SUBJECT,
         "old kind of string"},
        {{.subject = DER("\x30\x16\x31\x14\x30\x08\x06\x03\x55\x04\x03\x0c\x01\x61\x30\x08\x06\x03"
                         "\x55\x04\x0a\x0c\x01\x62")},
         HF_E_UNSUPPORTED,
         HF_REFUSAL_SUBJECT,
         "several attributes"},
        {{.extensions = DER(SAN_A SAN_A)}, HF_E_MALFORMED, HF_REFUSAL_CSR_MALFORMED, "two times"},
        {{.extensions = DER(SAN_A),
          .attributes = DER("\x30\x22" EXT_REQUEST "\x31\x15\x30\x13" SAN_A)},
         HF_E_MALFORMED,
         HF_REFUSAL_CSR_MALFORMED,
         "the same attribute two times"},
        {{.attributes = DER("\x30\x0d" EXT_REQUEST "\x31\x00")},
         HF_E_MALFORMED,
         HF_REFUSAL_CSR_MALFORMED,
         "cut off"},
        {{.attributes = DER("\x30\x11" EXT_REQUEST "\x31\x04\x30\x00\x30\x00")},
         HF_E_MALFORMED,
         HF_REFUSAL_CSR_MALFORMED,
         ""},
        /* an empty list of names, a star too wide, an email without domain, a NUL, a spoilt length
         */
        {{.extensions = DER("\x30\x09\x06\x03\x55\x1d\x11\x04\x02\x30\x00")},
         HF_E_MALFORMED,
         HF_REFUSAL_CSR_MALFORMED,
         ""},
        {{.extensions = DER("\x30\x0e\x06\x03\x55\x1d\x11\x04\x07\x30\x05\x82\x03*.a")},
         HF_E_INVALID,
         HF_REFUSAL_NAME_INVALID,
         "too wide"},
        {{.extensions = DER("\x30\x0d\x06\x03\x55\x1d\x11\x04\x06\x30\x04\x81\x02"
                            "a@")},
         HF_E_INVALID,
         HF_REFUSAL_NAME_INVALID,
         "email"},
        {{.extensions = DER("\x30\x0f\x06\x03\x55\x1d\x11\x04\x08\x30\x06\x82\x04"
                            "a\0.b")},
         HF_E_INVALID,
         HF_REFUSAL_NAME_INVALID,
         "DNS"},
        {{.extensions = DER("\x30\x0e\x06\x03\x55\x1d\x11\x04\x07\x30\x05\x87\x03\x0a\x00\x01")},
         HF_E_INVALID,
         HF_REFUSAL_NAME_INVALID,
         "IP"},
        {{.extensions = DER("\x30\x0c\x06\x03\x55\x1d\x11\x04\x05\x30\x03\x88\x01\x2a")},
         HF_E_UNSUPPORTED,
         HF_REFUSAL_CSR_UNSUPPORTED,
         "isn't handled"},
        /* critical and unknown */
        {{.extensions = DER("\x30\x0c\x06\x03\x55\x1d\x7b\x01\x01\xff\x04\x02\x05\x00")},
         HF_E_UNSUPPORTED,
         HF_REFUSAL_CSR_UNSUPPORTED,
         "critical"},
        {{.extensions = DER("\x30\x0d\x06\x03\x55\x1d\x13\x04\x06\x30\x04\x02\x02\x01\x00")},
         HF_E_MALFORMED,
         HF_REFUSAL_CSR_MALFORMED,
         "path length"},
        {{.extensions = DER("\x30\x0b\x06\x03\x55\x1d\x0f\x04\x04\x03\x02\x08\x80")},
         HF_E_MALFORMED,
         HF_REFUSAL_CSR_MALFORMED,
         "keyUsage"},
        {{.spki = DER("\x30\x0a\x30\x05\x06\x03\x2b\x65\x6e\x03\x01\x00")},
         HF_E_MALFORMED,
         HF_REFUSAL_CSR_MALFORMED,
         "whole number of bytes"},
        {{.spki = DER("\x30\x0b\x30\x05\x06\x03\x2b\x65\x6e\x03\x02\x00\x01")},
         HF_E_UNSUPPORTED,
         HF_REFUSAL_KEY_TYPE,
         "not handled"},
#undef DER
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        HF_CLEANUP(hf_buf_done) struct hf_buf der = build(&cases[i].parts);
        refused_at(hf_buf_bytes(&der), cases[i].err, cases[i].why, cases[i].word, i);
    }
}

static void who_lacks_the_private_key_is_refused(void **state)
{
    (void)state;
    EVP_PKEY *other = making_key(HF_KEY_KIND_P256);
    struct hf_public_key *stolen = making_public(other);
    HF_CLEANUP(hf_buf_done) struct hf_buf der = build(&(struct parts){.spki = stolen->spki});
    refused_at(hf_buf_bytes(&der), HF_E_INVALID, HF_REFUSAL_CSR_SIGNATURE, "signature is wrong", 0);
    hf_public_key_free(stolen);
    EVP_PKEY_free(other);
}

static void sizes_are_bounded(void **state)
{
    (void)state;
    static uint8_t big[HF_CSR_TEXT_MAX + 1] = {0x30};
    refused_at(hf_bytes_of(big, sizeof(big)), HF_E_TOO_LARGE, HF_REFUSAL_CSR_MALFORMED, "limit", 0);
    refused_at(hf_bytes_of(big, HF_CSR_DER_MAX + 1), HF_E_TOO_LARGE, HF_REFUSAL_CSR_MALFORMED,
               "limit", 1);
    refused_at(hf_bytes_of(big, 0), HF_E_MALFORMED, HF_REFUSAL_CSR_MALFORMED, "0 bytes", 2);
    /* more names than a certificate may have */
    HF_CLEANUP(hf_buf_done) struct hf_buf list = HF_BUF_INIT(1 << 16);
    struct hf_asn1 names = hf_asn1_writer(&list);
    hf_asn1_open(&names, HF_DER_SEQUENCE);
    hf_asn1_raw(&names, HF_OID("\x06\x03\x55\x1d\x11"));
    hf_asn1_open(&names, HF_DER_OCTET_STRING);
    hf_asn1_open(&names, HF_DER_SEQUENCE);
    for (int i = 0; i <= HF_ALT_NAMES_MAX; i++) {
        char name[16];
        snprintf(name, sizeof(name), "n%d.example", i);
        hf_asn1_text(&names, 0x82, name);
    }
    hf_asn1_close(&names);
    hf_asn1_close(&names);
    hf_asn1_close(&names);
    HF_CLEANUP(hf_buf_done)
    struct hf_buf der = build(&(struct parts){.extensions = hf_buf_bytes(&list)});
    refused_at(hf_buf_bytes(&der), HF_E_TOO_LARGE, HF_REFUSAL_CSR_MALFORMED, "256", 3);
}

/* One bit wrong anywhere, or cut anywhere, and it's refused: all of it is signed or is the
 * signature. */
static void no_bit_may_be_wrong(void **state)
{
    (void)state;
    HF_CLEANUP(hf_buf_done)
    struct hf_buf der = build(&(struct parts){.extensions = HF_OID(SAN_A)});
    uint8_t bytes[1024];
    size_t len = hf_buf_len(&der);
    struct hf_csr *csr = NULL;
    enum hf_refusal why;
    assert_true(len < sizeof(bytes));
    memcpy(bytes, hf_buf_bytes(&der).ptr, len);
    for (size_t bit = 0; bit < 8 * len; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (hf_csr_parse(hf_bytes_of(bytes, len), "x", &csr, &why) == HF_OK) {
            fail_msg("bit %zu of byte %zu doesn't matter", bit % 8, bit / 8);
        }
        assert_true(why != HF_REFUSAL_NONE);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t cut = 0; cut < len; cut++) {
        assert_int_equal(hf_csr_parse(hf_bytes_of(bytes, cut), "x", &csr, &why), HF_E_MALFORMED);
    }
    bytes[len] = 0;
    assert_int_equal(hf_csr_parse(hf_bytes_of(bytes, len + 1), "x", &csr, &why), HF_E_MALFORMED);
}

/* --- By libcrypto -----------------------------------------------------------------------------*/

static struct hf_buf by_libcrypto(EVP_PKEY *with, const EVP_MD *md, bool pss, bool pem)
{
    X509_REQ *req = X509_REQ_new();
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *inner = NULL;
    struct hf_buf out = HF_BUF_INIT(1 << 16);
    BIO *bio = BIO_new(BIO_s_mem());
    char *text;
    X509_NAME_add_entry_by_txt(X509_REQ_get_subject_name(req), "CN", MBSTRING_UTF8,
                               (const uint8_t *)"al\xc3\xad"
                                                "ce",
                               -1, -1, 0);
    X509_REQ_set_pubkey(req, with);
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
    sk_X509_EXTENSION_push(extensions, X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name,
                                                           "DNS:a.example,IP:192.0.2.1,URI:urn:a:b,"
                                                           "email:a@b.example"));
    X509_REQ_add_extensions(req, extensions);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    assert_int_equal(EVP_DigestSignInit(ctx, &inner, md, NULL, with), 1);
    if (pss) {
        EVP_PKEY_CTX_set_rsa_padding(inner, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(inner, RSA_PSS_SALTLEN_DIGEST);
    }
    assert_true(X509_REQ_sign_ctx(req, ctx) > 0);
    assert_true(pem ? PEM_write_bio_X509_REQ(bio, req) : i2d_X509_REQ_bio(bio, req));
    long len = BIO_get_mem_data(bio, &text);
    assert_int_equal(hf_buf_append(&out, hf_bytes_of(text, (size_t)len)), HF_OK);
    BIO_free(bio);
    EVP_MD_CTX_free(ctx);
    X509_REQ_free(req);
    return out;
}

static void requests_of_libcrypto_are_read_with_every_algorithm(void **state)
{
    (void)state;
    static const struct {
        enum hf_key_kind kind;
        const char *md;
        bool pss;
    } cases[] = {
        {HF_KEY_KIND_P256, "SHA256", false},    {HF_KEY_KIND_P256, "SHA512", false},
        {HF_KEY_KIND_P384, "SHA384", false},    {HF_KEY_KIND_P521, "SHA512", false},
        {HF_KEY_KIND_ED25519, NULL, false},     {HF_KEY_KIND_RSA2048, "SHA256", false},
        {HF_KEY_KIND_RSA2048, "SHA384", false}, {HF_KEY_KIND_RSA2048, "SHA256", true},
        {HF_KEY_KIND_RSA2048, "SHA384", true},  {HF_KEY_KIND_RSA2048, "SHA512", true},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        EVP_PKEY *with = making_key(cases[i].kind);
        const EVP_MD *md = cases[i].md ? EVP_get_digestbyname(cases[i].md) : NULL;
        HF_CLEANUP(hf_buf_done)
        struct hf_buf text = by_libcrypto(with, md, cases[i].pss, i % 2);
        struct hf_csr *csr = NULL;
        enum hf_refusal why;
        if (hf_csr_parse(hf_buf_bytes(&text), "x", &csr, &why) != HF_OK) {
            fail_msg("case %zu: %s", i, hf_err_text());
        }
        assert_int_equal(csr->key->kind, cases[i].kind);
        assert_int_equal(csr->names.n, 4);
        assert_string_equal(hf_subject_get(&csr->subject, HF_ATTR_CN, 0), "al\xc3\xad"
                                                                          "ce");
        hf_csr_free(csr);
        EVP_PKEY_free(with);
    }
}

static void weak_signatures_are_refused(void **state)
{
    (void)state;
    EVP_PKEY *with = making_key(HF_KEY_KIND_RSA2048);
    HF_CLEANUP(hf_buf_done) struct hf_buf text = by_libcrypto(with, EVP_sha1(), false, false);
    refused_at(hf_buf_bytes(&text), HF_E_UNSUPPORTED, HF_REFUSAL_CSR_UNSUPPORTED, "SHA-1", 0);
    EVP_PKEY_free(with);
}

static void pem_may_have_other_things_around_it(void **state)
{
    (void)state;
    HF_CLEANUP(hf_buf_done) struct hf_buf pem = by_libcrypto(key, EVP_sha256(), false, true);
    HF_CLEANUP(hf_buf_done) struct hf_buf file = HF_BUF_INIT(1 << 16);
    struct hf_csr *csr = NULL;
    enum hf_refusal why;
    assert_int_equal(hf_buf_append_str(&file, "Certificate Request:\n  Data: ...\n"), HF_OK);
    assert_int_equal(hf_buf_append(&file, hf_buf_bytes(&pem)), HF_OK);
    assert_int_equal(hf_csr_parse(hf_buf_bytes(&file), "x", &csr, &why), HF_OK);
    hf_csr_free(csr);
    refused_at(hf_bytes_str("-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"),
               HF_E_MALFORMED, HF_REFUSAL_CSR_MALFORMED, "no CERTIFICATE REQUEST", 0);
    refused_at(hf_bytes_str("-----BEGIN CERTIFICATE REQUEST-----\nMAA="), HF_E_MALFORMED,
               HF_REFUSAL_CSR_MALFORMED, "cut off", 1);
}

static void memory_may_run_out_anywhere(void **state)
{
    (void)state;
    HF_CLEANUP(hf_buf_done) struct hf_buf pem = by_libcrypto(key, EVP_sha256(), false, true);
    enum hf_err err = HF_E_NOMEM;
    struct hf_csr *csr = NULL;
    for (size_t n = 1; err != HF_OK && n < 200; n++) {
        enum hf_refusal why = HF_REFUSAL_N;
        hf_alloc_fail_after(n);
        err = hf_csr_parse(hf_buf_bytes(&pem), "x", &csr, &why);
        hf_alloc_fail_after(0);
        assert_true(err == HF_OK || (err == HF_E_NOMEM && why == HF_REFUSAL_NONE));
    }
    assert_int_equal(err, HF_OK);
    hf_csr_free(csr);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_request_is_read),
        cmocka_unit_test(wishes_are_read),
        cmocka_unit_test(what_is_malformed_is_refused_in_words),
        cmocka_unit_test(who_lacks_the_private_key_is_refused),
        cmocka_unit_test(sizes_are_bounded),
        cmocka_unit_test(no_bit_may_be_wrong),
        cmocka_unit_test(requests_of_libcrypto_are_read_with_every_algorithm),
        cmocka_unit_test(weak_signatures_are_refused),
        cmocka_unit_test(pem_may_have_other_things_around_it),
        cmocka_unit_test(memory_may_run_out_anywhere),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
