// SPDX-License-Identifier: Apache-2.0
/*
 * Every check of the linter: certificates of our own pass them all, and for each check there is one
 * that differs from these in one thing and fails it. A check without such a case fails the test.
 */
#include "ca/lint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "making.h"
#include "pki/asn1_write.h"

/* --- What is linted -----------------------------------------------------------------------------
 */

enum base { SERVER, USER, CA, ROOT, OCSP, N_BASES };

static struct making_ca root, issuing, bound; /* bound has name constraints and path length 1 */
static EVP_PKEY *key;
static struct hf_public_key *public;
static struct hf_buf tbs[N_BASES];

static void make_base(enum base base, const char *profile_name, const char *cn, const char *name)
{
    static const char *const crl[] = {"http://ca.example.org/7.crl"};
    static const char *const ocsp[] = {"http://ca.example.org/ocsp"};
    struct hf_cert_profile *profile = making_builtin(profile_name);
    struct hf_subject subject = {0};
    struct hf_alt_names names = {0};
    struct hf_made_cert made;
    enum hf_refusal why;
    assert_int_equal(hf_subject_parse(cn, &subject), HF_OK);
    assert_int_equal(name ? hf_alt_names_add_text(&names, name) : HF_OK, HF_OK);
    struct hf_cert_facts facts = {.key = public,
                                  .subject = &subject,
                                  .names = &names,
                                  .crl_urls = crl,
                                  .n_crl_urls = 1,
                                  .ocsp_urls = ocsp,
                                  .n_ocsp_urls = 1};
    const struct hf_issuer *issuer = base == CA ? root.issuer : issuing.issuer;
    enum hf_err err =
        base == ROOT ? hf_cert_make_root(profile, &facts, key, MAKING_NOW, &hf_os_rng, &made, &why)
                     : hf_cert_make(profile, &facts, issuer, MAKING_NOW, &hf_os_rng, &made, &why);
    if (err != HF_OK) {
        fail_msg("%s: %s", profile_name, hf_err_text());
    }
    tbs[base] = HF_BUF_INIT(1 << 16);
    assert_int_equal(hf_buf_append(&tbs[base], hf_buf_bytes(&made.tbs)), HF_OK);
    hf_made_cert_done(&made);
    hf_alt_names_done(&names);
    hf_subject_done(&subject);
    hf_cert_profile_unref(profile);
}

static int set_up(void **state)
{
    (void)state;
    static const char *const permitted[] = {"DNS:example.org"};
    static const struct hf_made_constraints constraints = {permitted, 1, NULL, 0};
    static const int one = 1;
    root = making_root(HF_KEY_KIND_P256);
    issuing = making_below(&root, HF_KEY_KIND_P256, NULL);
    bound = making_below(&root, HF_KEY_KIND_P256,
                         &(struct hf_cert_facts){.path_len = &one, .constraints = &constraints});
    key = making_key(HF_KEY_KIND_P256);
    public = making_public(key);
    make_base(SERVER, "server", "CN=a.example.org", "DNS:a.example.org");
    make_base(USER, "user", "CN=alice,O=Example", "email:alice@example.org");
    make_base(CA, "ca", "CN=Another CA", NULL);
    make_base(ROOT, "root", "CN=Another Root", NULL);
    make_base(OCSP, "ocsp-signer", "CN=OCSP", NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_BASES; i++) {
        hf_buf_done(&tbs[i]);
    }
    hf_public_key_free(public);
    EVP_PKEY_free(key);
    making_ca_done(&bound);
    making_ca_done(&issuing);
    making_ca_done(&root);
    return 0;
}

/* --- One thing wrong --------------------------------------------------------------------------*/

#define DER(bytes) HF_OID_INIT(bytes)

/* An RSA key of any numbers. */
struct rsa {
    unsigned bits; /* 0: not RSA */
    unsigned e;
    bool even;
};

struct wrong {
    const char *check;
    enum base base;
    struct hf_bytes version, serial, algorithm, outer, issuer, not_before, not_after, subject, tail,
        spki;                          /* in place of the base's; whole elements */
    struct rsa rsa;                    /* likewise, a key of these numbers */
    struct hf_bytes drop[2];           /* OIDs of extensions */
    struct hf_bytes add[3];            /* whole extensions */
    size_t padding;                    /* a made-up extension of that many bytes */
    const struct making_ca *issuer_ca; /* default: the base's */
    const char *profile;
    int64_t now;
    bool cut; /* the last byte is missing */
};

static struct hf_bytes rsa_spki(const struct rsa *rsa, struct hf_buf *out)
{
    uint8_t n[1025] = {0};
    size_t len = (rsa->bits + 7) / 8;
    struct hf_asn1 der = hf_asn1_writer(out);
    memset(n, 0xa5, len);
    n[0] = (uint8_t)(1 << ((rsa->bits - 1) % 8));
    n[len - 1] = rsa->even ? 0xa4 : 0xa5;
    hf_asn1_open(&der, HF_DER_SEQUENCE);
    hf_asn1_raw(&der, HF_OID("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"));
    hf_asn1_open_bits(&der);
    hf_asn1_open(&der, HF_DER_SEQUENCE);
    hf_asn1_magnitude(&der, hf_bytes_of(n, len));
    hf_asn1_uint(&der, rsa->e);
    hf_asn1_close(&der);
    hf_asn1_close(&der);
    hf_asn1_close(&der);
    assert_int_equal(hf_asn1_end(&der), HF_OK);
    return hf_buf_bytes(out);
}

static bool is_dropped(const struct wrong *wrong, struct hf_bytes extension)
{
    struct hf_reader reader = hf_reader_of(extension);
    struct hf_der oid;
    assert_int_equal(hf_der_expect(&reader, HF_DER_OID, &oid), HF_OK);
    for (size_t i = 0; i < HF_N_ELEMENTS(wrong->drop); i++) {
        if (wrong->drop[i].len && hf_bytes_eq(wrong->drop[i], oid.value)) {
            return true;
        }
    }
    return false;
}

static void write_extensions(const struct wrong *wrong, struct hf_bytes list, struct hf_asn1 *der)
{
    struct hf_reader reader = hf_reader_of(list);
    struct hf_der one;
    assert_int_equal(hf_der_expect(&reader, HF_DER_SEQUENCE, &one), HF_OK);
    reader = hf_reader_of(one.value);
    hf_asn1_open(der, HF_ASN1_CONTEXT_CONSTRUCTED(3));
    hf_asn1_open(der, HF_DER_SEQUENCE);
    while (reader.rest.len) {
        assert_int_equal(hf_der_expect(&reader, HF_DER_SEQUENCE, &one), HF_OK);
        if (!is_dropped(wrong, one.value)) {
            hf_asn1_raw(der, one.whole);
        }
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(wrong->add); i++) {
        hf_asn1_raw(der, wrong->add[i]);
    }
    if (wrong->padding) {
        uint8_t *zeros = hf_alloc_zero(1, wrong->padding);
        hf_asn1_open(der, HF_DER_SEQUENCE);
        hf_asn1_oid(der, HF_OID("\x2a\x03\x04"));
        hf_asn1_put(der, HF_DER_OCTET_STRING, hf_bytes_of(zeros, wrong->padding));
        hf_asn1_close(der);
        hf_free(zeros);
    }
    hf_asn1_close(der);
    hf_asn1_close(der);
}

/* The base's TBS with what is wrong in it. */
static struct hf_buf spoil(const struct wrong *wrong)
{
    struct hf_buf out = HF_BUF_INIT(1 << 20), spki = HF_BUF_INIT(1 << 12);
    struct hf_asn1 der = hf_asn1_writer(&out);
    struct hf_reader reader = hf_reader_of(hf_buf_bytes(&tbs[wrong->base]));
    struct hf_der list, element[8], validity[2];
    assert_int_equal(hf_der_expect(&reader, HF_DER_SEQUENCE, &list), HF_OK);
    reader = hf_reader_of(list.value);
    for (size_t i = 0; i < HF_N_ELEMENTS(element); i++) {
        assert_int_equal(hf_der_next(&reader, &element[i]), HF_OK);
    }
    reader = hf_reader_of(element[4].value);
    assert_int_equal(hf_der_next(&reader, &validity[0]), HF_OK);
    assert_int_equal(hf_der_next(&reader, &validity[1]), HF_OK);
    struct hf_bytes rsa = wrong->rsa.bits ? rsa_spki(&wrong->rsa, &spki) : wrong->spki;
#define PICK(mine, base_) hf_asn1_raw(&der, (mine).len ? (mine) : (base_))
    hf_asn1_open(&der, HF_DER_SEQUENCE);
    PICK(wrong->version, element[0].whole);
    PICK(wrong->serial, element[1].whole);
    PICK(wrong->algorithm, element[2].whole);
    PICK(wrong->issuer, element[3].whole);
    hf_asn1_open(&der, HF_DER_SEQUENCE);
    PICK(wrong->not_before, validity[0].whole);
    PICK(wrong->not_after, validity[1].whole);
    hf_asn1_close(&der);
    PICK(wrong->subject, element[5].whole);
    PICK(rsa, element[6].whole);
#undef PICK
    hf_asn1_raw(&der, wrong->tail);
    write_extensions(wrong, element[7].value, &der);
    hf_asn1_close(&der);
    assert_int_equal(hf_asn1_end(&der), HF_OK);
    hf_buf_done(&spki);
    return out;
}

static void lint(const struct wrong *wrong, struct hf_lint_result *result)
{
    struct hf_buf spoilt = spoil(wrong);
    struct hf_cert_profile *profile = wrong->profile ? making_builtin(wrong->profile) : NULL;
    const struct making_ca *ca = wrong->issuer_ca    ? wrong->issuer_ca
                                 : wrong->base == CA ? &root
                                                     : &issuing;
    struct hf_lint_against against = {
        .issuer = wrong->base == ROOT ? NULL : ca->cert, .profile = profile, .now = wrong->now};
    struct hf_bytes bytes = hf_buf_bytes(&spoilt);
    bytes.len -= wrong->cut;
    if (wrong->outer.len) {
        struct hf_buf whole = HF_BUF_INIT(1 << 20);
        struct hf_asn1 der = hf_asn1_writer(&whole);
        hf_asn1_open(&der, HF_DER_SEQUENCE);
        hf_asn1_raw(&der, bytes);
        hf_asn1_raw(&der, wrong->outer);
        hf_asn1_put(&der, HF_DER_BIT_STRING, hf_bytes_of("\0\0", 2));
        hf_asn1_close(&der);
        assert_int_equal(hf_asn1_end(&der), HF_OK);
        assert_int_equal(hf_lint_cert(hf_buf_bytes(&whole), &against, result), HF_OK);
        hf_buf_done(&whole);
    } else {
        assert_int_equal(hf_lint_tbs(bytes, &against, result), HF_OK);
    }
    hf_buf_done(&spoilt);
    hf_cert_profile_unref(profile);
}

static const struct hf_lint_finding *find(const struct hf_lint_result *result, const char *check)
{
    for (size_t i = 0; i < result->n; i++) {
        if (strcmp(result->finding[i].check->name, check) == 0) {
            return &result->finding[i];
        }
    }
    return NULL;
}

/* --- The cases --------------------------------------------------------------------------------*/

#define ECDSA_SHA256 "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
#define CE(last)     DER("\x55\x1d" last)

/* 64 and 65 times "x" */
#define X16 "xxxxxxxxxxxxxxxx"
#define X65 X16 X16 X16 X16 "x"

#define EXT_KU(len, value) DER("\x30\x0e\x06\x03\x55\x1d\x0f\x01\x01\xff\x04\x04\x03" len value)
#define EXT_BC_CA          "\x30\x0f\x06\x03\x55\x1d\x13\x01\x01\xff\x04\x05\x30\x03\x01\x01\xff"
#define EXT_SAN(len1, len2, len3, names) \
    DER("\x30" len1 "\x06\x03\x55\x1d\x11\x04" len2 "\x30" len3 names)

static const struct wrong wrongs[] = {
    {"der", SERVER, .cut = true},
    {"version-3", SERVER, .version = DER("\xa0\x03\x02\x01\x01")},
    {"serial-positive", SERVER, .serial = DER("\x02\x09\x80\x01\x02\x03\x04\x05\x06\x07\x08")},
    {"serial-positive", SERVER, .serial = DER("\x02\x01\x00")},
    {"serial-length", SERVER,
     .serial =
         DER("\x02\x15\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12"
             "\x13\x14\x15")},
    {"serial-shortest", SERVER, .serial = DER("\x02\x0a\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09")},
    {"serial-random", SERVER, .serial = DER("\x02\x02\x10\x00")},
    {"signature-known", SERVER, .algorithm = DER("\x30\x05\x06\x03\x2a\x03\x04")},
    /* NULL parameters don't belong to ECDSA */
    {"signature-known", SERVER,
     .algorithm = DER("\x30\x0c\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02\x05\x00")},
    {"signature-strong", SERVER, .algorithm = DER("\x30\x09\x06\x07\x2a\x86\x48\xce\x3d\x04\x01")},
    {"signature-agrees", SERVER, .outer = DER("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x03")},
    {"signature-fits-issuer", SERVER, .algorithm = DER("\x30\x05\x06\x03\x2b\x65\x70")},
    {"issuer-not-empty", SERVER, .issuer = DER("\x30\x00")},
    {"issuer-is-subject-of-ca", SERVER, .issuer_ca = &root},
    {"no-unique-ids", SERVER, .tail = DER("\x81\x02\x00\x01")},
    {"validity-form", SERVER,
     .not_after = DER("\x17\x0b"
                      "2703010000Z")},
    {"validity-form", SERVER,
     .not_after = DER("\x18\x0f"
                      "20270301000000Z")},
    {"validity-order", SERVER,
     .not_after = DER("\x17\x0d"
                      "200101000000Z")},
    {"validity-within-issuer", SERVER,
     .not_after = DER("\x17\x0d"
                      "490101000000Z")},
    {"begins-within-issuer", SERVER,
     .not_before = DER("\x17\x0d"
                       "200101000000Z")},
    {"valid-now", SERVER, .now = MAKING_NOW + INT64_C(100) * 86400},
    {"valid-now", SERVER, .now = MAKING_NOW - INT64_C(100) * 86400},
    {"server-lifetime", SERVER,
     .not_after = DER("\x17\x0d"
                      "291201000000Z")},
    {"subject-of-ca", CA, .subject = DER("\x30\x00")},
    {"has-identity", USER, .subject = DER("\x30\x00"), .drop = {CE("\x11")}},
    {"empty-subject-critical-names", SERVER, .subject = DER("\x30\x00")},
    {"subject-strings", SERVER,
     .subject = DER("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x14\x01"
                    "a")},
    {"subject-lengths", SERVER,
     .subject = DER("\x30\x4c\x31\x4a\x30\x48\x06\x03\x55\x04\x03\x0c\x41" X65)},
    {"subject-not-blank", SERVER,
     .subject = DER("\x30\x0b\x31\x09\x30\x07\x06\x03\x55\x04\x03\x0c\x00")},
    {"subject-not-blank", SERVER,
     .subject = DER("\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x0c\x02 a")},
    {"subject-printable", SERVER,
     .subject = DER("\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01\x07")},
    {"subject-country", SERVER,
     .subject = DER("\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x06\x13\x02"
                    "de")},
    {"subject-single", SERVER,
     .subject = DER("\x30\x16\x31\x14\x30\x08\x06\x03\x55\x04\x03\x0c\x01\x61\x30\x08\x06\x03\x55"
                    "\x04\x0a\x0c\x01\x62")},
    {"subject-one-cn", SERVER,
     .subject = DER("\x30\x18\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01\x61\x31\x0a\x30\x08\x06"
                    "\x03\x55\x04\x03\x0c\x01\x62")},
    {"key-readable", SERVER, .spki = DER("\x30\x0b\x30\x05\x06\x03\x2b\x65\x6e\x03\x02\x00\x01")},
    {"rsa-size", SERVER, .rsa = {1024, 65537, false}},
    {"rsa-size", SERVER, .rsa = {2049, 65537, false}},
    {"rsa-exponent", SERVER, .rsa = {2048, 65536, false}},
    {"rsa-exponent", SERVER, .rsa = {2048, 1, false}},
    {"rsa-exponent-size", SERVER, .rsa = {2048, 3, false}},
    {"rsa-modulus-odd", SERVER, .rsa = {2048, 65537, true}},
    {"size", SERVER, .padding = 11000},

    {"names-not-empty", SERVER, .drop = {CE("\x11")}, .add = {EXT_SAN("\x09", "\x02", "\x00", "")}},
    {"names-dns", SERVER, .drop = {CE("\x11")},
     .add = {EXT_SAN("\x0f", "\x08", "\x06",
                     "\x82\x04"
                     "a_b ")}},
    {"names-email", SERVER, .drop = {CE("\x11")},
     .add = {EXT_SAN("\x0f", "\x08", "\x06",
                     "\x81\x04"
                     "<a@b")}},
    {"names-uri", SERVER, .drop = {CE("\x11")},
     .add = {EXT_SAN("\x0f", "\x08", "\x06",
                     "\x86\x04"
                     "/a/b")}},
    {"names-ip", SERVER, .drop = {CE("\x11")},
     .add = {EXT_SAN("\x0e", "\x07", "\x05", "\x87\x03\x0a\x00\x01")}},
    {"names-unique", SERVER, .drop = {CE("\x11")},
     .add = {EXT_SAN("\x15", "\x0e", "\x0c",
                     "\x82\x04"
                     "a.bc"
                     "\x82\x04"
                     "a.bc")}},
    {"names-one-spiffe-id", USER, .drop = {CE("\x11")},
     .add = {EXT_SAN("\x23", "\x1c", "\x1a",
                     "\x86\x0c"
                     "spiffe://e/a"
                     "\x86\x0a"
                     "urn:a:b1:c")}},
    {"names-common", SERVER, .drop = {CE("\x11")},
     .add = {EXT_SAN("\x0c", "\x05", "\x03", "\x88\x01\x2a")}},
    {"server-has-host", SERVER, .drop = {CE("\x11")}},
    {"server-cn-among-names", SERVER, .drop = {CE("\x11")},
     .add = {EXT_SAN("\x0f", "\x08", "\x06",
                     "\x82\x04"
                     "a.bc")}},
    {"names-within-constraints", SERVER, .issuer_ca = &bound, .drop = {CE("\x11")},
     .add = {EXT_SAN("\x0f", "\x08", "\x06",
                     "\x82\x04"
                     "a.bc")}},

    {"extensions-unique", SERVER,
     .add = {DER("\x30\x0c\x06\x03\x55\x1d\x13\x01\x01\xff\x04\x02\x30\x00")}},
    {"extensions-der", SERVER, .drop = {CE("\x25")},
     .add = {DER("\x30\x16\x06\x03\x55\x1d\x25\x01\x01\x00\x04\x0c\x30\x0a\x06\x08\x2b\x06\x01\x05"
                 "\x05\x07\x03\x01")}},
    {"extensions-der", SERVER, .drop = {CE("\x0e")},
     .add = {DER("\x30\x0c\x06\x03\x55\x1d\x0e\x04\x05\x04\x01\x01\x05\x00")}},
    {"critical-known", SERVER,
     .add = {DER("\x30\x0b\x06\x02\x2a\x03\x01\x01\xff\x04\x02\x05\x00")}},
    {"criticality", SERVER, .drop = {CE("\x0e")},
     .add = {DER("\x30\x0d\x06\x03\x55\x1d\x0e\x01\x01\xff\x04\x03\x04\x01\x01")}},
    {"criticality-usual", SERVER, .drop = {CE("\x0f")},
     .add = {DER("\x30\x0b\x06\x03\x55\x1d\x0f\x04\x04\x03\x02\x07\x80")}},
    {"authority-key-id", SERVER, .drop = {CE("\x23")}},
    {"authority-key-id-of-issuer", SERVER, .drop = {CE("\x23")},
     .add = {DER("\x30\x0c\x06\x03\x55\x1d\x23\x04\x05\x30\x03\x80\x01\x01")}},
    {"subject-key-id-of-ca", CA, .drop = {CE("\x0e")}},
    {"subject-key-id", SERVER, .drop = {CE("\x0e")}},
    {"key-usage-of-ca", CA, .drop = {CE("\x0f")}, .add = {EXT_KU("\x02", "\x07\x80")}},
    {"key-usage-of-ca", CA, .drop = {CE("\x0f")}},
    {"key-usage-there", SERVER, .drop = {CE("\x0f")}},
    {"key-usage-der", SERVER, .drop = {CE("\x0f")}, .add = {EXT_KU("\x02", "\x06\x80")}},
    {"key-usage-not-empty", SERVER, .drop = {CE("\x0f")},
     .add = {DER("\x30\x0d\x06\x03\x55\x1d\x0f\x01\x01\xff\x04\x03\x03\x01\x00")}},
    {"cert-sign-is-ca", SERVER, .drop = {CE("\x0f")}, .add = {EXT_KU("\x02", "\x02\x84")}},
    {"key-usage-fits-key", SERVER, .drop = {CE("\x0f")}, .add = {EXT_KU("\x02", "\x05\xa0")}},
    {"key-usage-only-bits", SERVER, .drop = {CE("\x0f")}, .add = {EXT_KU("\x02", "\x00\x81")}},
    {"extended-key-usage-there", SERVER, .drop = {CE("\x25")}},
    {"extended-key-usage-form", SERVER, .drop = {CE("\x25")},
     .add = {DER("\x30\x09\x06\x03\x55\x1d\x25\x04\x02\x30\x00")}},
    {"extended-key-usage-not-any", SERVER, .drop = {CE("\x25")},
     .add = {DER("\x30\x0f\x06\x03\x55\x1d\x25\x04\x08\x30\x06\x06\x04\x55\x1d\x25\x00")}},
    {"extended-key-usage-unique", SERVER, .drop = {CE("\x25")},
     .add = {DER("\x30\x1d\x06\x03\x55\x1d\x25\x04\x16\x30\x14\x06\x08\x2b\x06\x01\x05\x05\x07\x03"
                 "\x01\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01")}},
    {"extended-key-usage-fits", USER, .drop = {CE("\x0f")}, .add = {EXT_KU("\x02", "\x06\x40")}},
    {"extended-key-usage-fits", SERVER, .drop = {CE("\x0f")}, .add = {EXT_KU("\x02", "\x06\x40")}},
    {"basic-constraints-der", SERVER, .drop = {CE("\x13")},
     .add = {DER("\x30\x0f\x06\x03\x55\x1d\x13\x01\x01\xff\x04\x05\x30\x03\x01\x01\x00")}},
    {"basic-constraints-der", SERVER, .drop = {CE("\x13")},
     .add = {DER("\x30\x0c\x06\x03\x55\x1d\x13\x01\x01\xff\x04\x02\x05\x00")}},
    {"basic-constraints-critical", CA, .drop = {CE("\x13")},
     .add = {DER("\x30\x0c\x06\x03\x55\x1d\x13\x04\x05\x30\x03\x01\x01\xff")}},
    {"path-length-of-ca", SERVER, .drop = {CE("\x13")},
     .add = {DER("\x30\x0f\x06\x03\x55\x1d\x13\x01\x01\xff\x04\x05\x30\x03\x02\x01\x00")}},
    {"path-length-within-issuer", CA, .issuer_ca = &issuing},
    {"path-length-within-issuer", CA, .issuer_ca = &bound, .drop = {CE("\x13")},
     .add = {DER(EXT_BC_CA)}},
    {"name-constraints-of-ca", SERVER,
     .add = {DER("\x30\x14\x06\x03\x55\x1d\x1e\x01\x01\xff\x04\x0a\x30\x08\xa0\x06\x30\x04\x82\x02"
                 "bc")}},
    {"name-constraints-form", CA,
     .add = {DER("\x30\x0c\x06\x03\x55\x1d\x1e\x01\x01\xff\x04\x02\x30\x00")}},
    {"crl-points-form", SERVER, .drop = {CE("\x1f")},
     .add = {DER("\x30\x0d\x06\x03\x55\x1d\x1f\x04\x06\x30\x04\x30\x02\x81\x00")}},
    {"crl-points-http", SERVER, .drop = {CE("\x1f")},
     .add = {DER("\x30\x1b\x06\x03\x55\x1d\x1f\x04\x14\x30\x12\x30\x10\xa0\x0e\xa0\x0c\x86\x0a"
                 "ftp://e/cr")}},
    {"authority-access-form", SERVER, .drop = {DER("\x2b\x06\x01\x05\x05\x07\x01\x01")},
     .add = {DER("\x30\x0e\x06\x08\x2b\x06\x01\x05\x05\x07\x01\x01\x04\x02\x30\x00")}},
    {"authority-access-http", SERVER, .drop = {DER("\x2b\x06\x01\x05\x05\x07\x01\x01")},
     .add = {DER("\x30\x26\x06\x08\x2b\x06\x01\x05\x05\x07\x01\x01\x04\x1a\x30\x18\x30\x16\x06\x08"
                 "\x2b\x06\x01\x05\x05\x07\x30\x01\x86\x0a"
                 "ldap://e/o")}},
    {"policies-unique", SERVER,
     .add = {DER("\x30\x15\x06\x03\x55\x1d\x20\x04\x0e\x30\x0c\x30\x04\x06\x02\x2a\x03\x30\x04\x06"
                 "\x02\x2a\x03")}},
    {"ocsp-signer-no-check", OCSP, .drop = {DER("\x2b\x06\x01\x05\x05\x07\x30\x01\x05")}},
    {"ocsp-signer-alone", OCSP, .drop = {CE("\x25")},
     .add = {DER("\x30\x1d\x06\x03\x55\x1d\x25\x04\x16\x30\x14\x06\x08\x2b\x06\x01\x05\x05\x07\x03"
                 "\x09\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02")}},
    {"no-check-of-signer", USER,
     .add = {DER("\x30\x0f\x06\x09\x2b\x06\x01\x05\x05\x07\x30\x01\x05\x04\x02\x05\x00")}},

    {"profile-kind", SERVER, .profile = "ca"},
    {"profile-key", SERVER, .profile = "server",
     .spki = DER("\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00"
                 "12345678901234567890123456789012")},
    {"profile-key-usage", SERVER, .profile = "ca"},
    {"profile-extended-key-usage", SERVER, .profile = "service"},
    {"profile-names", SERVER, .profile = "user"},
    {"profile-lifetime", SERVER, .profile = "server",
     .not_after = DER("\x17\x0d"
                      "290101000000Z")},
    {"profile-path-length", CA, .profile = "ca", .drop = {CE("\x13")}, .add = {DER(EXT_BC_CA)}},
    {"profile-must-staple", SERVER, .profile = "staple"},
};

/* --- Tests ------------------------------------------------------------------------------------*/

static void what_is_good_passes_every_check(void **state)
{
    (void)state;
    static const char *const profiles[] = {"server", "user", "ca", "root", "ocsp-signer"};
    for (size_t base = 0; base < N_BASES; base++) {
        struct hf_lint_result result;
        struct wrong none = {.base = (enum base)base, .profile = profiles[base], .now = MAKING_NOW};
        none.outer = HF_OID(ECDSA_SHA256);
        lint(&none, &result);
        for (size_t i = 0; i < result.n; i++) {
            fail_msg("%s: %s: %s", profiles[base], result.finding[i].check->name,
                     result.finding[i].text);
        }
        assert_true(result.n_run > 40);
    }
}

/* Profiles of our own, for what none built in has. */
static void profile_case(const struct wrong *wrong, struct hf_lint_result *result)
{
    static const char staple[] = "name: x\nextends: server\nmust-staple: true\n";
    static const char ed25519[] = "name: x\nextends: server\nkeys: [p384]\n";
    struct hf_findings findings = {0};
    struct hf_cert_profile *profile = NULL;
    bool key_case = strcmp(wrong->check, "profile-key") == 0;
    assert_int_equal(
        hf_cert_profile_parse(hf_bytes_str(key_case ? ed25519 : staple), "x", &findings, &profile),
        HF_OK);
    struct hf_lint_against against = {.issuer = issuing.cert, .profile = profile};
    assert_int_equal(hf_lint_tbs(hf_buf_bytes(&tbs[wrong->base]), &against, result), HF_OK);
    hf_findings_done(&findings);
    hf_cert_profile_unref(profile);
}

static void each_check_finds_what_it_is_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < HF_N_ELEMENTS(wrongs); i++) {
        struct hf_lint_result result;
        bool own = strcmp(wrongs[i].check, "profile-key") == 0 ||
                   strcmp(wrongs[i].check, "profile-must-staple") == 0;
        if (own) {
            profile_case(&wrongs[i], &result);
        } else {
            lint(&wrongs[i], &result);
        }
        const struct hf_lint_finding *finding = find(&result, wrongs[i].check);
        if (!finding) {
            fail_msg("case %zu: %s was not found; %s: %s", i, wrongs[i].check,
                     result.n ? result.finding[0].check->name : "nothing",
                     result.n ? result.finding[0].text : "");
        }
        assert_int_not_equal(finding->text[0], '\0');
        assert_int_equal(result.n_errors + result.n_warnings <= result.n, true);
        for (size_t j = 1; j < result.n; j++) { /* the worst first */
            assert_true(result.finding[j - 1].check->level >= result.finding[j].check->level);
        }
    }
}

static void every_check_has_a_case_a_source_and_a_name_of_its_own(void **state)
{
    (void)state;
    size_t n = 0;
    for (const struct hf_lint_check *check; (check = hf_lint_check_at(n)); n++) {
        bool has_case = false;
        for (size_t i = 0; i < HF_N_ELEMENTS(wrongs); i++) {
            has_case = has_case || strcmp(wrongs[i].check, check->name) == 0;
        }
        if (!has_case) {
            fail_msg("%s has no case", check->name);
        }
        assert_true(check->source[0] && check->says[0]);
        for (size_t i = 0; i < n; i++) {
            assert_string_not_equal(hf_lint_check_at(i)->name, check->name);
        }
    }
    assert_true(n >= 40);
}

/* Any bytes give a result, and never a crash. */
static void no_bytes_are_too_strange(void **state)
{
    (void)state;
    uint8_t bytes[2048];
    struct hf_lint_result result;
    struct hf_lint_against against = {.issuer = issuing.cert, .now = MAKING_NOW};
    size_t len = hf_buf_len(&tbs[SERVER]);
    assert_true(len < sizeof(bytes));
    memcpy(bytes, hf_buf_bytes(&tbs[SERVER]).ptr, len);
    for (size_t bit = 0; bit < 8 * len; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(hf_lint_tbs(hf_bytes_of(bytes, len), &against, &result), HF_OK);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t cut = 0; cut < len; cut++) {
        assert_int_equal(hf_lint_tbs(hf_bytes_of(bytes, cut), &against, &result), HF_OK);
        assert_non_null(find(&result, "der"));
        assert_int_equal(result.n_errors, 1);
        assert_int_equal(hf_lint_cert(hf_bytes_of(bytes, cut), &against, &result), HF_OK);
        assert_non_null(find(&result, "der"));
    }
}

static void memory_may_run_out_anywhere(void **state)
{
    (void)state;
    struct hf_lint_against against = {.issuer = issuing.cert};
    struct hf_lint_result result;
    enum hf_err err = HF_E_NOMEM;
    for (size_t n = 1; err != HF_OK && n < 100; n++) {
        hf_alloc_fail_after(n);
        err = hf_lint_tbs(hf_buf_bytes(&tbs[SERVER]), &against, &result);
        hf_alloc_fail_after(0);
        assert_true(err == HF_OK || err == HF_E_NOMEM);
    }
    assert_int_equal(err, HF_OK);
    assert_int_equal(result.n, 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_good_passes_every_check),
        cmocka_unit_test(each_check_finds_what_it_is_for),
        cmocka_unit_test(every_check_has_a_case_a_source_and_a_name_of_its_own),
        cmocka_unit_test(no_bytes_are_too_strange),
        cmocka_unit_test(memory_may_run_out_anywhere),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
