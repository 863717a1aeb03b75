// SPDX-License-Identifier: Apache-2.0
#include "testpki.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "base/text.h"

static struct hf_identity *identity_of(const struct testpki_spec *spec)
{
    struct testpki *pki = testpki_make(NULL, spec);
    struct hf_identity *id = NULL;
    assert_non_null(pki->cert);
    assert_int_equal(hf_identity_new(pki->cert, &id), HF_OK);
    testpki_free(pki);
    return id;
}

static bool is_clean(const char *text)
{
    for (struct hf_bytes at = hf_bytes_str(text); at.len;) {
        size_t n = hf_printable_len(at);
        if (n == 0) {
            return false;
        }
        at = hf_bytes_from(at, n);
    }
    return strlen(text) <= HF_IDENTITY_TEXT_MAX;
}

static void all_plain_fields_are_read(void **state)
{
    (void)state;
    struct hf_identity *id = identity_of(&(struct testpki_spec){
        .cn = "Alice",
        .o = "Example",
        .san = "DNS:Host.Example,DNS:*.x.example,URI:https://a.example/b,email:a@example.org,"
               "IP:192.0.2.1,IP:2001:db8:0:0:0:0:0:1,RID:1.2.3.4",
        .not_before = TESTPKI_NOW - 5,
        .not_after = TESTPKI_NOW + 5,
    });
    assert_string_equal(id->subject, "CN=Alice,O=Example");
    assert_string_equal(id->issuer, "CN=Alice,O=Example");
    assert_string_equal(id->cn, "Alice");
    assert_string_equal(id->o, "Example");
    assert_null(id->ou);
    assert_int_equal(id->dns.n, 2);
    assert_string_equal(id->dns.name[0], "host.example");
    assert_string_equal(id->dns.name[1], "*.x.example");
    assert_string_equal(id->uri.name[0], "https://a.example/b");
    assert_string_equal(id->email.name[0], "a@example.org");
    assert_int_equal(id->ip.n, 2);
    assert_string_equal(id->ip.name[0], "192.0.2.1");
    assert_string_equal(id->ip.name[1], "2001:db8::1");
    assert_string_equal(id->other.name[0], "rid:1.2.3.4");
    assert_null(id->spiffe);
    assert_string_equal(id->key_type, "EC P-256");
    assert_int_equal(id->not_before, TESTPKI_NOW - 5);
    assert_int_equal(id->not_after, TESTPKI_NOW + 5);
    assert_int_equal(strlen(id->serial), 32);
    assert_int_equal(strspn(id->serial, "0123456789abcdef"), 32);
    assert_int_equal(strspn(id->sha256, "0123456789abcdef"), 64);
    assert_int_equal(strspn(id->spki_sha256, "0123456789abcdef"), 64);
    assert_false(id->mangled);
    hf_identity_unref(id);
}

static void hashes_are_those_of_libcrypto(void **state)
{
    (void)state;
    struct testpki *pki = testpki_root("Root");
    struct hf_identity *id = NULL;
    assert_int_equal(hf_identity_new(pki->cert, &id), HF_OK);
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned len;
    char hex[65];
    assert_true(X509_digest(pki->x509, EVP_sha256(), hash, &len));
    hf_hex(hf_bytes_of(hash, 32), hex);
    assert_string_equal(id->sha256, hex);
    unsigned char *spki = NULL;
    int spki_len = i2d_PUBKEY(pki->key, &spki);
    assert_true(spki_len > 0 && EVP_Digest(spki, (size_t)spki_len, hash, NULL, EVP_sha256(), NULL));
    OPENSSL_free(spki);
    hf_hex(hf_bytes_of(hash, 32), hex);
    assert_string_equal(id->spki_sha256, hex);
    hf_identity_unref(id);
    testpki_free(pki);
}

static void key_types_are_named(void **state)
{
    (void)state;
    static const struct {
        const char *kind, *name;
    } cases[] = {
        {"P-256", "EC P-256"},         {"P-384", "EC P-384"},  {"P-521", "EC P-521"},
        {"secp256k1", "EC secp256k1"}, {"ED25519", "Ed25519"}, {"RSA-2048", "RSA 2048"},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        struct hf_identity *id =
            identity_of(&(struct testpki_spec){.cn = "a", .key = cases[i].kind});
        assert_string_equal(id->key_type, cases[i].name);
        hf_identity_unref(id);
    }
}

/* --- RFC 4514 ----------------------------------------------------------------------------------
 */

static void add(X509_NAME *name, const char *type, int form, const char *value, int set)
{
    assert_true(
        X509_NAME_add_entry_by_txt(name, type, form, (const unsigned char *)value, -1, -1, set));
}

static void expect_subject(X509_NAME *name, const char *subject, bool mangled)
{
    struct hf_identity *id = identity_of(&(struct testpki_spec){.name = name});
    assert_string_equal(id->subject, subject);
    assert_int_equal(id->mangled, mangled);
    assert_true(is_clean(id->subject));
    hf_identity_unref(id);
    X509_NAME_free(name);
}

static void names_come_most_specific_first(void **state)
{
    (void)state;
    X509_NAME *name = X509_NAME_new();
    add(name, "DC", MBSTRING_UTF8, "org", 0);
    add(name, "DC", MBSTRING_UTF8, "example", 0);
    add(name, "OU", MBSTRING_UTF8, "Sales", 0);
    add(name, "CN", MBSTRING_UTF8, "J.  Smith", -1); /* the same set: multi-valued */
    expect_subject(name, "OU=Sales+CN=J.  Smith,DC=example,DC=org", false);
}

static void special_characters_are_escaped_without_mangling(void **state)
{
    (void)state;
    X509_NAME *name = X509_NAME_new();
    add(name, "O", MBSTRING_UTF8, "#1 \"A\", B+C; <D>\\E=F ", 0);
    add(name, "CN", MBSTRING_UTF8, " x", 0);
    expect_subject(name, "CN=\\ x,O=\\#1 \\\"A\\\"\\, B\\+C\\; \\<D\\>\\\\E=F\\ ", false);
}

static void rfc4514_examples(void **state)
{
    (void)state;
    X509_NAME *name = X509_NAME_new();
    add(name, "DC", MBSTRING_UTF8, "net", 0);
    add(name, "CN", MBSTRING_UTF8, "Before\rAfter", 0);
    expect_subject(name, "CN=Before\\0DAfter,DC=net", true);
    name = X509_NAME_new();
    add(name, "SN", MBSTRING_UTF8, "Lu\xc4\x8di\xc4\x87", 0);
    expect_subject(name, "SN=Lu\xc4\x8di\xc4\x87", false);
    static const uint8_t der[] = {0x30, 0x12, 0x31, 0x10, 0x30, 0x0e, 0x06, 0x08, 0x2b, 0x06,
                                  0x01, 0x04, 0x01, 0x8b, 0x3a, 0x00, 0x0c, 0x02, 'H',  'i'};
    const unsigned char *at = der;
    name = d2i_X509_NAME(NULL, &at, sizeof(der));
    assert_non_null(name);
    expect_subject(name, "1.3.6.1.4.1.1466.0=#0c024869", false);
}

static void empty_subject_is_empty(void **state)
{
    (void)state;
    struct hf_identity *id = identity_of(&(struct testpki_spec){0});
    assert_string_equal(id->subject, "");
    assert_null(id->cn);
    assert_string_equal(hf_identity_display(id), id->sha256);
    hf_identity_unref(id);
}

static void last_common_name_counts(void **state)
{
    (void)state;
    X509_NAME *name = X509_NAME_new();
    add(name, "CN", MBSTRING_UTF8, "general", 0);
    add(name, "CN", MBSTRING_UTF8, "special", 0);
    struct hf_identity *id = identity_of(&(struct testpki_spec){.name = name});
    assert_string_equal(id->cn, "special");
    hf_identity_unref(id);
    X509_NAME_free(name);
}

/* --- Hostile names -----------------------------------------------------------------------------
 */

static struct hf_identity *raw_cn(const void *bytes, size_t len, int type)
{
    return identity_of(&(struct testpki_spec){.cn_raw = hf_bytes_of(bytes, len), .cn_type = type});
}

static void embedded_nul_is_shown_and_told(void **state)
{
    (void)state;
    struct hf_identity *id = raw_cn("good.example\0.evil.example", 26, V_ASN1_UTF8STRING);
    assert_string_equal(id->cn, "good.example\\x00.evil.example");
    assert_string_equal(id->subject, "CN=good.example\\00.evil.example");
    assert_true(id->mangled);
    hf_identity_unref(id);
}

static void every_single_byte_is_made_safe(void **state)
{
    (void)state;
    static const int types[] = {V_ASN1_UTF8STRING, V_ASN1_IA5STRING, V_ASN1_T61STRING,
                                V_ASN1_PRINTABLESTRING};
    for (size_t t = 0; t < HF_N_ELEMENTS(types); t++) {
        for (int c = 0; c < 256; c++) {
            uint8_t text[3] = {'a', (uint8_t)c, 'b'};
            if (types[t] == V_ASN1_UTF8STRING && c >= 0x80) {
                continue; /* not UTF-8: see broken_strings_are_no_certificate */
            }
            struct hf_identity *id = raw_cn(text, sizeof(text), types[t]);
            assert_true(is_clean(id->subject));
            assert_true(!id->cn || is_clean(id->cn));
            assert_true(id->mangled || (c >= 0x20 && c != 0x7f));
            hf_identity_unref(id);
        }
    }
}

static void log_injection_is_escaped(void **state)
{
    (void)state;
    static const char text[] = "x\n2026-01-01 admin in\x1b[2J\xe2\x80\xae";
    struct hf_identity *id = raw_cn(text, sizeof(text) - 1, V_ASN1_UTF8STRING);
    assert_string_equal(id->cn, "x\\x0a2026-01-01 admin in\\x1b[2J\\xe2\\x80\\xae");
    assert_true(id->mangled);
    hf_identity_unref(id);
}

static void backslash_is_not_mangling(void **state)
{
    (void)state;
    struct hf_identity *id = raw_cn("CORP\\alice", 10, V_ASN1_UTF8STRING);
    assert_string_equal(id->cn, "CORP\\\\alice");
    assert_string_equal(id->subject, "CN=CORP\\\\alice");
    assert_false(id->mangled);
    hf_identity_unref(id);
}

static void bmp_and_universal_strings_become_utf8(void **state)
{
    (void)state;
    struct hf_identity *id = raw_cn("\0A\x20\xac", 4, V_ASN1_BMPSTRING);
    assert_string_equal(id->cn, "A\xe2\x82\xac");
    assert_false(id->mangled);
    hf_identity_unref(id);
    id = raw_cn("\0\0\0A\0\1\xf6\0", 8, V_ASN1_UNIVERSALSTRING);
    assert_string_equal(id->cn, "A\xf0\x9f\x98\x80");
    hf_identity_unref(id);
}

/* Strings that break the rules of their own type never get as far as an identity. */
static void broken_strings_are_no_certificate(void **state)
{
    (void)state;
    static const char *const names[] = {
        "\x1e\x03"
        "abc", /* BMPString of odd length */
        "\x1c\x03"
        "abc", /* UniversalString of odd length */
        "\x0c\x03"
        "\xc0\x80z", /* UTF8String, overlong */
        "\x0c\x03"
        "\xed\xa0\x80", /* UTF8String, a surrogate */
    };
    struct testpki *pki = testpki_root("abc");
    size_t len = pki->cert->der.len;
    uint8_t *copy = hf_alloc(len);
    for (size_t i = 0; i < HF_N_ELEMENTS(names); i++) {
        memcpy(copy, pki->cert->der.ptr, len);
        for (uint8_t *at = copy; (at = memmem(at, len - (size_t)(at - copy),
                                              "\x0c\x03"
                                              "abc",
                                              5));) {
            memcpy(at, names[i], 5);
        }
        struct hf_cert *cert = NULL;
        assert_int_equal(hf_cert_from_der(hf_bytes_of(copy, len), &cert), HF_E_MALFORMED);
    }
    hf_free(copy);
    testpki_free(pki);
}

static void long_names_are_cut(void **state)
{
    (void)state;
    static char text[3 * HF_IDENTITY_TEXT_MAX];
    memset(text, 'a', sizeof(text));
    struct hf_identity *id = raw_cn(text, sizeof(text), V_ASN1_UTF8STRING);
    assert_true(id->mangled);
    assert_int_equal(strlen(id->cn), HF_IDENTITY_TEXT_MAX);
    assert_string_equal(id->cn + HF_IDENTITY_TEXT_MAX - 4, "a...");
    assert_true(strlen(id->subject) <= HF_IDENTITY_TEXT_MAX);
    hf_identity_unref(id);
    id = raw_cn(text, HF_IDENTITY_TEXT_MAX, V_ASN1_UTF8STRING);
    assert_int_equal(strlen(id->cn), HF_IDENTITY_TEXT_MAX);
    assert_string_equal(id->cn + HF_IDENTITY_TEXT_MAX - 3, "aaa");
    hf_identity_unref(id);
}

/* --- Subject alternative names -----------------------------------------------------------------
 */

/* A self-signed certificate with this DER as its subjectAltName. */
static struct hf_identity *raw_san(const void *der, size_t len)
{
    struct testpki *pki = testpki_root("x");
    X509 *x509 = X509_dup(pki->x509);
    ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
    assert_true(ASN1_OCTET_STRING_set(value, der, (int)len));
    X509_EXTENSION *extension = X509_EXTENSION_create_by_NID(NULL, NID_subject_alt_name, 0, value);
    assert_true(X509_add_ext(x509, extension, -1));
    assert_true(X509_sign(x509, pki->key, EVP_sha256()));
    struct hf_cert *cert = NULL;
    struct hf_identity *id = NULL;
    assert_int_equal(hf_cert_from_x509(x509, &cert), HF_OK);
    assert_int_equal(hf_identity_new(cert, &id), HF_OK);
    hf_cert_unref(cert);
    X509_EXTENSION_free(extension);
    ASN1_OCTET_STRING_free(value);
    X509_free(x509);
    testpki_free(pki);
    return id;
}

static void nul_in_dns_name_matches_nothing(void **state)
{
    (void)state;
    struct hf_identity *id = raw_san("\x30\x0d\x82\x0bgood.x\0evil", 15);
    assert_string_equal(id->dns.name[0], "good.x\\x00evil");
    assert_true(id->mangled);
    assert_false(hf_cert_names_host(id, "good.x"));
    hf_identity_unref(id);
}

static void address_of_odd_length_is_left_out(void **state)
{
    (void)state;
    struct hf_identity *id = raw_san("\x30\x07\x87\x05\1\2\3\4\5", 9);
    assert_int_equal(id->ip.n, 0);
    assert_true(id->mangled);
    hf_identity_unref(id);
}

static void unreadable_san_is_mangled(void **state)
{
    (void)state;
    struct hf_identity *id = raw_san("\x30\x20\x82", 3);
    assert_int_equal(id->dns.n, 0);
    assert_true(id->mangled);
    hf_identity_unref(id);
}

static void other_names_are_shown(void **state)
{
    (void)state;
    struct hf_identity *id = identity_of(&(struct testpki_spec){
        .cn = "a", .san = "otherName:msUPN;UTF8:alice@corp.example,otherName:1.2.3;UTF8:hi"});
    assert_int_equal(id->other.n, 2);
    assert_string_equal(id->other.name[0], "upn:alice@corp.example");
    assert_string_equal(id->other.name[1], "1.2.3:#0c026869");
    assert_false(id->mangled);
    hf_identity_unref(id);
}

static void directory_name_is_a_dn(void **state)
{
    (void)state;
    /* SEQUENCE { [4] { Name { SET { SEQUENCE { CN, UTF8String "z" } } } } } */
    static const uint8_t der[] = {0x30, 0x10, 0xa4, 0x0e, 0x30, 0x0c, 0x31, 0x0a, 0x30,
                                  0x08, 0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x01, 'z'};
    struct hf_identity *id = raw_san(der, sizeof(der));
    assert_int_equal(id->other.n, 1);
    assert_string_equal(id->other.name[0], "dn:CN=z");
    hf_identity_unref(id);
}

static char *many_dns(size_t n)
{
    char *text = hf_alloc(n * 16);
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        at += (size_t)sprintf(text + at, "%sDNS:h%zu.x", i ? "," : "", i);
    }
    return text;
}

static void too_many_names_are_cut(void **state)
{
    (void)state;
    static const size_t counts[] = {HF_IDENTITY_NAMES_MAX, HF_IDENTITY_NAMES_MAX + 1, 2000};
    for (size_t i = 0; i < HF_N_ELEMENTS(counts); i++) {
        char *san = many_dns(counts[i]);
        struct hf_identity *id = identity_of(&(struct testpki_spec){.cn = "a", .san = san});
        assert_int_equal(id->dns.n, HF_IDENTITY_NAMES_MAX);
        assert_int_equal(id->mangled, counts[i] > HF_IDENTITY_NAMES_MAX);
        hf_identity_unref(id);
        hf_free(san);
    }
}

/* --- SPIFFE ------------------------------------------------------------------------------------
 */

static void one_spiffe_uri_is_the_spiffe_id(void **state)
{
    (void)state;
    struct hf_identity *id = identity_of(
        &(struct testpki_spec){.cn = "a", .san = "DNS:x,URI:spiffe://example.org/ops/alice"});
    assert_string_equal(id->spiffe, "spiffe://example.org/ops/alice");
    assert_string_equal(hf_identity_display(id), "spiffe://example.org/ops/alice");
    hf_identity_unref(id);
}

static void two_uris_are_no_spiffe_id(void **state)
{
    (void)state;
    struct hf_identity *id = identity_of(&(struct testpki_spec){
        .cn = "a", .san = "URI:spiffe://example.org/ops/alice,URI:https://x"});
    assert_null(id->spiffe);
    assert_int_equal(id->uri.n, 2);
    hf_identity_unref(id);
}

static void longest_spiffe_id_is_kept_whole(void **state)
{
    (void)state;
    char san[2200] = "URI:spiffe://example.org/";
    size_t start = strlen(san);
    memset(san + start, 'a', 2048 + 4 - start);
    struct hf_identity *id = identity_of(&(struct testpki_spec){.cn = "a", .san = san});
    assert_non_null(id->spiffe);
    assert_string_equal(id->spiffe, san + 4);
    assert_false(id->mangled);
    hf_identity_unref(id);
    strcat(san, "b");
    id = identity_of(&(struct testpki_spec){.cn = "a", .san = san});
    assert_null(id->spiffe);
    assert_true(id->mangled);
    hf_identity_unref(id);
}

static void spiffe_rules(void **state)
{
    (void)state;
    static const struct {
        const char *uri;
        bool good;
    } cases[] = {
        {"spiffe://example.org", true},
        {"spiffe://example.org/a", true},
        {"spiffe://a_b-c.9/x.Y-Z_0/...", true},
        {"spiffe://example.org/", false},
        {"spiffe://example.org/a/", false},
        {"spiffe://example.org//a", false},
        {"spiffe://example.org/./a", false},
        {"spiffe://example.org/../a", false},
        {"spiffe://example.org/a/..", false},
        {"spiffe://example.org/a%20b", false},
        {"spiffe://example.org/a?b", false},
        {"spiffe://example.org/a#b", false},
        {"spiffe://example.org/a b", false},
        {"spiffe://example.org/\xc3\xa4", false},
        {"spiffe://Example.org/a", false},
        {"spiffe://user@example.org/a", false},
        {"spiffe://example.org:80/a", false},
        {"spiffe://ex\xc3\xa4mple/a", false},
        {"spiffe:///a", false},
        {"spiffe://", false},
        {"spiffe:/example.org/a", false},
        {"Spiffe://example.org/a", false},
        {"https://example.org/a", false},
        {"", false},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        enum hf_err wanted = cases[i].good ? HF_OK : HF_E_INVALID;
        if (hf_spiffe_check(hf_bytes_str(cases[i].uri)) != wanted) {
            fail_msg("%s", cases[i].uri);
        }
    }
    assert_int_equal(hf_spiffe_check(hf_bytes_of("spiffe://a/b\0c", 14)), HF_E_INVALID);
    assert_int_equal(hf_spiffe_check(hf_bytes_of("spiffe://a\0b", 12)), HF_E_INVALID);
}

static void spiffe_trust_domain_has_a_limit(void **state)
{
    (void)state;
    char uri[300] = "spiffe://";
    memset(uri + 9, 'a', 255);
    assert_int_equal(hf_spiffe_check(hf_bytes_of(uri, 9 + 255)), HF_OK);
    uri[9 + 255] = 'a';
    assert_int_equal(hf_spiffe_check(hf_bytes_of(uri, 9 + 256)), HF_E_INVALID);
}

/* --- Hosts -------------------------------------------------------------------------------------
 */

static void host_patterns(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *host;
        bool matches;
    } cases[] = {
        {"a.example", "a.example", true},
        {"a.example", "A.EXAMPLE", true},
        {"a.example", "a.example.", true},
        {"a.example", "b.example", false},
        {"a.example", "xa.example", false},
        {"*.example", "a.example", true},
        {"*.example", "A.Example.", true},
        {"*.example", "example", false},
        {"*.example", ".example", false},
        {"*.example", "a.b.example", false},
        {"*.example", "aexample", false},
        {"*.2.3.4", "1.2.3.4", false},
        {"a*.example", "ab.example", false},
        {"*", "a", false},
        {"*.", "a.", false},
        {"*.", "a..", false},
        {"", "", false},
        {"", ".", false},
        {"*.example.org", "x.example.com", false},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        if (hf_host_match(cases[i].pattern, cases[i].host) != cases[i].matches) {
            fail_msg("%s and %s", cases[i].pattern, cases[i].host);
        }
    }
}

static void addresses_match_addresses_only(void **state)
{
    (void)state;
    struct hf_identity *id = identity_of(&(struct testpki_spec){
        .cn = "h", .san = "DNS:10.0.0.9,DNS:h.x,IP:10.0.0.1,IP:2001:db8::1"});
    assert_true(hf_cert_names_host(id, "10.0.0.1"));
    assert_true(hf_cert_names_host(id, "2001:DB8:0::1"));
    assert_false(hf_cert_names_host(id, "10.0.0.9"));
    assert_false(hf_cert_names_host(id, "::ffff:10.0.0.1"));
    assert_true(hf_cert_names_host(id, "h.x"));
    assert_false(hf_cert_names_host(id, "h"));
    hf_identity_unref(id);
}

/* --- Display and memory ------------------------------------------------------------------------
 */

static void display_prefers_what_people_know(void **state)
{
    (void)state;
    static const struct {
        struct testpki_spec spec;
        const char *shown;
    } cases[] = {
        {{.cn = "Alice", .san = "DNS:d,URI:https://u,email:e@x"}, "Alice"},
        {{.san = "DNS:d,URI:https://u,email:e@x"}, "d"},
        {{.san = "URI:https://u,email:e@x"}, "e@x"},
        {{.san = "URI:https://u"}, "https://u"},
        {{.o = "Org"}, "O=Org"},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        struct hf_identity *id = identity_of(&cases[i].spec);
        assert_string_equal(hf_identity_display(id), cases[i].shown);
        hf_identity_unref(id);
    }
}

static void identity_is_made_once(void **state)
{
    (void)state;
    struct testpki *pki = testpki_root("Root");
    struct hf_identity *first = NULL;
    struct hf_identity *second = NULL;
    assert_int_equal(hf_identity_new(pki->cert, &first), HF_OK);
    assert_int_equal(hf_identity_new(pki->cert, &second), HF_OK);
    assert_ptr_equal(first, second);
    hf_identity_unref(second);
    testpki_free(pki);
    assert_string_equal(first->cn, "Root"); /* outlives the certificate */
    hf_identity_unref(first);
}

static void failing_allocations_are_clean(void **state)
{
    (void)state;
    struct testpki *pki = testpki_make(
        NULL, &(struct testpki_spec){
                  .cn = "a",
                  .o = "b",
                  .san = "DNS:a,DNS:b,DNS:c,URI:spiffe://a/b,email:a@b,IP:1.2.3.4,RID:1.2.3,"
                         "otherName:msUPN;UTF8:a,otherName:1.2.3;UTF8:hi"});
    enum hf_err err = HF_E_NOMEM;
    for (size_t n = 1; err != HF_OK; n++) {
        struct hf_identity *id = (void *)1;
        hf_alloc_fail_after(n);
        err = hf_identity_new(pki->cert, &id);
        hf_alloc_fail_after(0);
        assert_true(err == HF_OK || (err == HF_E_NOMEM && !id));
        hf_identity_unref(id);
        assert_true(n < 300);
    }
    testpki_free(pki);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_plain_fields_are_read),
        cmocka_unit_test(hashes_are_those_of_libcrypto),
        cmocka_unit_test(key_types_are_named),
        cmocka_unit_test(names_come_most_specific_first),
        cmocka_unit_test(special_characters_are_escaped_without_mangling),
        cmocka_unit_test(rfc4514_examples),
        cmocka_unit_test(empty_subject_is_empty),
        cmocka_unit_test(last_common_name_counts),
        cmocka_unit_test(embedded_nul_is_shown_and_told),
        cmocka_unit_test(every_single_byte_is_made_safe),
        cmocka_unit_test(log_injection_is_escaped),
        cmocka_unit_test(backslash_is_not_mangling),
        cmocka_unit_test(bmp_and_universal_strings_become_utf8),
        cmocka_unit_test(broken_strings_are_no_certificate),
        cmocka_unit_test(long_names_are_cut),
        cmocka_unit_test(nul_in_dns_name_matches_nothing),
        cmocka_unit_test(address_of_odd_length_is_left_out),
        cmocka_unit_test(unreadable_san_is_mangled),
        cmocka_unit_test(other_names_are_shown),
        cmocka_unit_test(directory_name_is_a_dn),
        cmocka_unit_test(too_many_names_are_cut),
        cmocka_unit_test(one_spiffe_uri_is_the_spiffe_id),
        cmocka_unit_test(two_uris_are_no_spiffe_id),
        cmocka_unit_test(longest_spiffe_id_is_kept_whole),
        cmocka_unit_test(spiffe_rules),
        cmocka_unit_test(spiffe_trust_domain_has_a_limit),
        cmocka_unit_test(host_patterns),
        cmocka_unit_test(addresses_match_addresses_only),
        cmocka_unit_test(display_prefers_what_people_know),
        cmocka_unit_test(identity_is_made_once),
        cmocka_unit_test(failing_allocations_are_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
