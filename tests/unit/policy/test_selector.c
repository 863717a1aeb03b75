// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "policy/glob.h"
#include "policy/selector.h"
#include "testpki.h"

#define SHA  "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define SPKI "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"

/* Names in identities are not const, though nobody changes them. */
#define T(text) ((char[]){text})

static char *dns[] = {T("web-1.example.org"), T("*.wild.example.org")};
static char *uri[] = {T("https://Api.Example.org:8443/v1/users?x=1#f"), T("urn:isbn:0451450523")};
static char *email[] = {T("Alice.Liddell@Example.org")};
static char *ip[] = {T("192.0.2.130"), T("2001:db8::7")};

static const struct hf_identity alice = {
    .subject = T("CN=Alice \\, B.\\\\+UID=al,OU=Ops,OU=Night,O=Example \\+ Sons,C=ES"),
    .issuer = T("CN=Issuing CA,O=Example"),
    .cn = T("Alice , B.\\\\"),
    .o = T("Example + Sons"),
    .ou = T("Ops"),
    .serial = T("1f2e"),
    .dns = {dns, 2},
    .uri = {uri, 2},
    .email = {email, 1},
    .ip = {ip, 2},
    .spiffe = T("spiffe://example.org/ops/alice"),
    .sha256 = SHA,
    .spki_sha256 = SPKI,
};

static enum hf_match match(const char *text, const struct hf_identity *identity)
{
    static struct hf_selector_view view;
    struct hf_selector *selector = NULL;
    if (hf_selector_new(hf_bytes_str(text), &selector) != HF_OK) {
        fail_msg("%s: %s", text, hf_err_text());
    }
    hf_selector_view_init(&view, identity);
    enum hf_match got = hf_selector_match(selector, &view);
    hf_selector_free(selector);
    return got;
}

static void expect_all(const char *const *texts, size_t n, enum hf_match wanted)
{
    for (size_t i = 0; i < n; i++) {
        enum hf_match got = match(texts[i], &alice);
        if (got != wanted) {
            fail_msg("%s: %d in place of %d", texts[i], got, wanted);
        }
    }
}

#define EXPECT(wanted, ...) \
    expect_all((const char *const[]){__VA_ARGS__}, \
               sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *), wanted)

static void spiffe_ids(void **state)
{
    (void)state;
    EXPECT(HF_MATCH_YES, "spiffe://example.org/ops/alice", "spiffe://example.org/ops/*",
           "spiffe://example.org/*/alice", "spiffe://example.org/o*s/a*e",
           "spiffe://*.org/ops/alice", "spiffe://EXAMPLE.org/ops/alice");
    EXPECT(HF_MATCH_NO, "spiffe://example.org/ops", "spiffe://example.org/*",
           "spiffe://example.org/ops/alice/*", "spiffe://example.org/Ops/alice",
           "spiffe://*/ops/alice", "spiffe://example.com/ops/alice", "spiffe://example.org/ops/",
           "spiffe://example.org/ops/alic", "spiffe://example.org/ops/*/alice",
           "spiffe://example.org", "spiffe://example.org:1/ops/alice");
    struct hf_identity none = alice;
    none.spiffe = NULL;
    assert_int_equal(match("spiffe://example.org/ops/alice", &none), HF_MATCH_NO);
}

static void dns_names(void **state)
{
    (void)state;
    EXPECT(HF_MATCH_YES, "dns:web-1.example.org", "dns:WEB-1.example.ORG", "dns:*.example.org",
           "dns:web-*.example.org", "dns:w*1.ex*le.org", "dns:*.*.*", "dns:\\*.wild.example.org",
           "dns:*.wild.example.org");
    EXPECT(HF_MATCH_NO, "dns:example.org", "dns:*.org", "dns:*", "dns:web-2.example.org",
           "dns:a.web-1.example.org", "dns:*.*.example.org.", "dns:web-1.example.org.",
           "dns:a.wild.example.org", "dns:web-1*.*.example.org", "dns:\\*.example.org");
}

static void email_addresses(void **state)
{
    (void)state;
    EXPECT(HF_MATCH_YES, "email:Alice.Liddell@example.org", "email:*@EXAMPLE.org",
           "email:Alice.*@*.org", "email:*@*.*");
    EXPECT(HF_MATCH_NO, "email:alice.liddell@example.org", "email:*@org", "email:*@*",
           "email:Alice@example.org", "email:*@*.example.org");
}

static void uris(void **state)
{
    (void)state;
    EXPECT(HF_MATCH_YES, "uri:https://api.example.org:8443/v1/users?x=1#f",
           "uri:HTTPS://*.EXAMPLE.org:8443/*/users?*#*",
           "uri:https://api.example.org:*/v1/u*?x=*#f", "uri:urn:isbn:0451450523",
           "uri:urn:isbn:*");
    EXPECT(HF_MATCH_NO, "uri:https://api.example.org/v1/users?x=1#f",
           "uri:https://*:8443/v1/users?x=1#f", "uri:https://api.example.org:8443/*",
           "uri:https://api.example.org:8443/v1/Users?x=1#f",
           "uri:https://api.example.org:8443/v1/*", "uri:https://api.example.org:8443/*?x=1#f",
           "uri:http://api.example.org:8443/v1/users?x=1#f", "uri:*",
           "uri:https://u@api.example.org:8443/v1/users?x=1#f", "uri:URN:isbn:*");
}

static void addresses(void **state)
{
    (void)state;
    EXPECT(HF_MATCH_YES, "ip:192.0.2.130", "ip:192.0.2.128/25", "ip:192.0.2.0/24", "ip:0.0.0.0/0",
           "ip:192.0.2.129/30", "ip:2001:db8::7", "ip:2001:DB8:0::/32", "ip:::/0");
    EXPECT(HF_MATCH_NO, "ip:192.0.2.131", "ip:192.0.2.0/25", "ip:192.0.2.131/32",
           "ip:2001:db9::/32", "ip:::ffff:192.0.2.130");
}

static void attributes(void **state)
{
    (void)state;
    EXPECT(HF_MATCH_YES, "cn:Alice , B.\\\\", "cn:Alice*", "cn:*", "o:Example + Sons", "o:Ex*ns",
           "ou:Ops", "ou:Night", "ou:N*");
    EXPECT(HF_MATCH_NO, "cn:alice*", "cn:Alice", "cn:al", "o:Example", "ou:ops", "ou:Day", "ou:ES");
    struct hf_identity none = alice;
    none.cn = NULL;
    assert_int_equal(match("cn:*", &none), HF_MATCH_NO);
}

static void distinguished_names(void **state)
{
    (void)state;
    EXPECT(HF_MATCH_YES, "dn:C=ES", "dn:OU=Ops,C=ES", "dn:C=ES, OU=Night", "dn:c=ES",
           "dn:CN=Alice \\, B.\\\\", "dn:CN=Alice \\2C B.\\5C", "dn:UID=al+CN=Alice*",
           "dn:O=Example \\+ Sons,OU=N*,OU=O*",
           "dn-exact:CN=Alice \\, B.\\\\+UID=al,OU=Ops,OU=Night,O=Example \\+ Sons,C=ES",
           "dn-exact:CN=*+UID=*,OU=*,OU=*,O=*,C=*", "issuer:O=Example", "issuer:CN=Issuing*",
           "issuer-exact:CN=Issuing CA,O=Example");
    EXPECT(HF_MATCH_NO, "dn:C=DE", "dn:OU=Ops,C=DE", "dn:O=Example", "dn:CN=Alice",
           "dn:OU=Ops,OU=Day", "dn:L=*", "dn-exact:C=ES", "dn-exact:CN=*,UID=*,OU=*,OU=*,O=*,C=*",
           "dn-exact:UID=*+CN=*,OU=*,OU=*,O=*,C=*", "dn-exact:CN=*+UID=*,OU=*,OU=*,O=*,C=*,C=*",
           "issuer:CN=Alice*", "issuer:C=ES", "issuer-exact:O=Example,CN=Issuing CA",
           "issuer-exact:CN=Issuing CA");
}

static void numbers(void **state)
{
    (void)state;
    EXPECT(HF_MATCH_YES, "serial:1f2e", "serial:1F:2E", "serial:00001f2E", "cert-sha256:" SHA,
           "spki-sha256:" SPKI,
           "cert-sha256:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:"
           "00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF");
    EXPECT(HF_MATCH_NO, "serial:1f2", "serial:1f2e0", "serial:0", "cert-sha256:" SPKI,
           "spki-sha256:" SHA);
}

static void mangled_names_are_unknown_but_numbers_hold(void **state)
{
    (void)state;
    struct hf_identity mangled = alice;
    mangled.mangled = true;
    static const char *const names[] = {"cn:*",
                                        "cn:bob",
                                        "dns:*.example.org",
                                        "dns:x",
                                        "ip:::/0",
                                        "dn:C=ES",
                                        "issuer:O=Example",
                                        "spiffe://example.org/ops/alice",
                                        "email:*@*.*",
                                        "uri:x",
                                        "o:x",
                                        "ou:x"};
    for (size_t i = 0; i < HF_N_ELEMENTS(names); i++) {
        assert_int_equal(match(names[i], &mangled), HF_MATCH_UNKNOWN);
    }
    assert_int_equal(match("serial:1f2e", &mangled), HF_MATCH_YES);
    assert_int_equal(match("serial:1f2f", &mangled), HF_MATCH_NO);
    assert_int_equal(match("cert-sha256:" SHA, &mangled), HF_MATCH_YES);
    assert_int_equal(match("spki-sha256:" SPKI, &mangled), HF_MATCH_YES);
}

static void a_subject_that_cannot_be_taken_apart_is_unknown(void **state)
{
    (void)state;
    char *const bad[] = {T("CN"), T("CN=a,"), T("=a"), T("CN=a\\"), T("CN=a\\q"), T("CN=\\00")};
    for (size_t i = 0; i < HF_N_ELEMENTS(bad); i++) {
        struct hf_identity identity = alice;
        identity.subject = bad[i];
        assert_int_equal(match("dn:CN=*", &identity), HF_MATCH_UNKNOWN);
        assert_int_equal(match("cn:*", &identity), HF_MATCH_UNKNOWN);
    }
    struct hf_identity empty = alice;
    empty.subject = T("");
    assert_int_equal(match("dn:CN=*", &empty), HF_MATCH_NO);
}

static void bad_selectors_are_refused_in_words(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *words;
    } table[] = {
        {"", "KIND:PATTERN"},
        {"alice", "KIND:PATTERN"},
        {"dsn:x", "did you mean dns:"},
        {"DNS:x", "did you mean dns:"},
        {"cn:", "says nothing"},
        {"dns:**.example.org", "write one"},
        {"cn:a\\b", "backslash"},
        {"cn:a\\", "backslash"},
        {"spiffe:example.org", "spiffe://TRUST-DOMAIN"},
        {"spiffe:///x", "spiffe://TRUST-DOMAIN"},
        {"spiffe:spiffe://x/y", "spiffe://TRUST-DOMAIN"},
        {"email:example.org", "local@domain"},
        {"email:@example.org", "local@domain"},
        {"email:a@", "local@domain"},
        {"ip:192.0.2", "address or a network"},
        {"ip:192.0.2.1/", "whole number"},
        {"ip:192.0.2.1/33", "0 to 32"},
        {"ip:::1/129", "0 to 128"},
        {"ip:*", "address or a network"},
        {"ip:1.2.3.4.5.6.7.8.9.1.2.3.4.5.6.7.8.9.1.2.3.4.5.6.7.8.9.1.2.3.4.5.6.7", "address or"},
        {"dn:Alice", "CN=Alice"},
        {"dn:CN=a,", "ends with \",\""},
        {"dn:CN=a+", "ends with \"+\""},
        {"dn:CN=**", "write one star"},
        {"dn:CN=a\\q", "escapes nothing"},
        {"dn:CN=\\00", "zero byte"},
        {"dn:C N=a", "CN=Alice"},
        {"serial:xyz", "hexadecimal"},
        {"serial:1*", "hexadecimal"},
        {"serial::1", "hexadecimal"},
        {"cert-sha256:00", "64 hexadecimal digits, not 2"},
        {"spki-sha256:*", "hexadecimal"},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        struct hf_selector *selector = NULL;
        assert_int_equal(hf_selector_new(hf_bytes_str(table[i].text), &selector), HF_E_INVALID);
        assert_null(selector);
        if (!strstr(hf_err_text(), table[i].words)) {
            fail_msg("%s: \"%s\" has no \"%s\"", table[i].text, hf_err_text(), table[i].words);
        }
    }
}

static void too_long_is_refused(void **state)
{
    (void)state;
    static char text[HF_SELECTOR_MAX + 2];
    struct hf_selector *selector = NULL;
    memset(text, 'a', sizeof(text) - 1);
    memcpy(text, "cn:", 3);
    assert_int_equal(hf_selector_new(hf_bytes_of(text, HF_SELECTOR_MAX), &selector), HF_OK);
    hf_selector_free(selector);
    assert_int_equal(hf_selector_new(hf_bytes_of(text, HF_SELECTOR_MAX + 1), &selector),
                     HF_E_TOO_LARGE);
    memcpy(text, "dn:", 3);
    for (size_t i = 0; i < HF_DN_PARTS_MAX + 1; i++) {
        memcpy(text + 3 + 4 * i, i < HF_DN_PARTS_MAX ? "C=a," : "C=a", 4);
    }
    size_t len = 3 + 4 * HF_DN_PARTS_MAX + 3;
    assert_int_equal(hf_selector_new(hf_bytes_of(text, len), &selector), HF_E_TOO_LARGE);
    assert_int_equal(hf_selector_new(hf_bytes_of(text, len - 4), &selector), HF_OK);
    hf_selector_free(selector);
}

static void zero_bytes_are_refused(void **state)
{
    (void)state;
    struct hf_selector *selector = NULL;
    assert_int_equal(hf_selector_new(hf_bytes_of("cn:a\0b", 6), &selector), HF_E_INVALID);
    assert_int_equal(hf_selector_new(hf_bytes_of("dn:CN=\0", 7), &selector), HF_E_INVALID);
    assert_int_equal(hf_selector_new(hf_bytes_of("ip:1.2.3.4\0x", 12), &selector), HF_E_INVALID);
    assert_int_equal(hf_selector_new(hf_bytes_of("serial:1\0", 9), &selector), HF_E_INVALID);
}

static void kinds_are_told_from_other_words(void **state)
{
    (void)state;
    assert_true(hf_selector_is(hf_bytes_str("cn:x")));
    assert_true(hf_selector_is(hf_bytes_str("spiffe://x/y")));
    assert_false(hf_selector_is(hf_bytes_str("cn")));
    assert_false(hf_selector_is(hf_bytes_str("ops")));
    assert_false(hf_selector_is(hf_bytes_str("")));
    assert_false(hf_selector_is(hf_bytes_str(":")));
}

static void globs(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        const char *text;
        bool covers;
    } table[] = {
        {"", "", true},
        {"", "a", false},
        {"*", "", true},
        {"*", "abc", true},
        {"a*", "a", true},
        {"a*", "ba", false},
        {"*a", "bca", true},
        {"*a", "ab", false},
        {"a*b*c", "abc", true},
        {"a*b*c", "axbybzc", true},
        {"a*b*c", "acb", false},
        {"*a*b*", "ab", true},
        {"*ab*ab*", "abab", true},
        {"*ab*ab*", "aba", false},
        {"\\*", "*", true},
        {"\\*", "a", false},
        {"\\\\*", "\\x", true},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        struct hf_buf compiled = HF_BUF_INIT(100);
        assert_int_equal(hf_glob_compile(hf_bytes_str(table[i].pattern), &compiled), HF_OK);
        assert_int_equal(hf_glob_match(hf_buf_bytes(&compiled), hf_bytes_str(table[i].text), 0),
                         table[i].covers);
        hf_buf_done(&compiled);
    }
}

static void a_hostile_glob_takes_no_longer_than_its_product(void **state)
{
    (void)state;
    static uint8_t pattern[2000];
    static uint8_t text[2000];
    memset(text, 'a', sizeof(text));
    for (size_t i = 0; i < sizeof(pattern); i++) {
        pattern[i] = i % 2 ? 'a' : HF_GLOB_STAR;
    }
    pattern[sizeof(pattern) - 1] = 'b';
    assert_false(
        hf_glob_match(hf_bytes_of(pattern, sizeof(pattern)), hf_bytes_of(text, sizeof(text)), 0));
}

static void real_certificates_match(void **state)
{
    (void)state;
    struct testpki *root = testpki_root("Root");
    struct testpki *leaf = testpki_leaf(root, "alice", HF_USAGE_CLIENT,
                                        "DNS:a.example,URI:spiffe://example.org/ops/alice,"
                                        "IP:192.0.2.9,email:alice@example.org");
    struct hf_identity *identity = NULL;
    assert_int_equal(hf_identity_new(leaf->cert, &identity), HF_OK);
    static const char *const yes[] = {"cn:alice",
                                      "dn:CN=alice",
                                      "issuer:CN=Root",
                                      "dns:*.example",
                                      "spiffe://example.org/ops/*",
                                      "ip:192.0.2.0/28",
                                      "email:*@example.org",
                                      "uri:spiffe://example.org/*/*"};
    for (size_t i = 0; i < HF_N_ELEMENTS(yes); i++) {
        assert_int_equal(match(yes[i], identity), HF_MATCH_YES);
    }
    char serial[200];
    snprintf(serial, sizeof(serial), "serial:%s", identity->serial);
    assert_int_equal(match(serial, identity), HF_MATCH_YES);
    snprintf(serial, sizeof(serial), "cert-sha256:%s", identity->sha256);
    assert_int_equal(match(serial, identity), HF_MATCH_YES);
    hf_identity_unref(identity);
    testpki_free(leaf);
    testpki_free(root);
}

static void allocation_failure_is_told(void **state)
{
    (void)state;
    static const char *const texts[] = {"dn:CN=a", "cn:a", "email:*@b", "serial:1", "spiffe://x/y"};
    for (size_t i = 0; i < HF_N_ELEMENTS(texts); i++) {
        enum hf_err err = HF_E_NOMEM;
        for (size_t n = 1; err != HF_OK; n++) {
            struct hf_selector *selector = NULL;
            assert_true(n < 20);
            hf_alloc_fail_after(n);
            err = hf_selector_new(hf_bytes_str(texts[i]), &selector);
            hf_alloc_fail_after(0);
            assert_int_equal(err == HF_OK, selector != NULL);
            assert_true(err == HF_OK || err == HF_E_NOMEM);
            hf_selector_free(selector);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spiffe_ids),
        cmocka_unit_test(dns_names),
        cmocka_unit_test(email_addresses),
        cmocka_unit_test(uris),
        cmocka_unit_test(addresses),
        cmocka_unit_test(attributes),
        cmocka_unit_test(distinguished_names),
        cmocka_unit_test(numbers),
        cmocka_unit_test(mangled_names_are_unknown_but_numbers_hold),
        cmocka_unit_test(a_subject_that_cannot_be_taken_apart_is_unknown),
        cmocka_unit_test(bad_selectors_are_refused_in_words),
        cmocka_unit_test(too_long_is_refused),
        cmocka_unit_test(zero_bytes_are_refused),
        cmocka_unit_test(kinds_are_told_from_other_words),
        cmocka_unit_test(globs),
        cmocka_unit_test(a_hostile_glob_takes_no_longer_than_its_product),
        cmocka_unit_test(real_certificates_match),
        cmocka_unit_test(allocation_failure_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
