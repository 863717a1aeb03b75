// SPDX-License-Identifier: Apache-2.0
#include "ca/san.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void good_names_are_taken(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "DNS:a",
        "dns:a-b.example.org",
        "DNS:*.example.org",
        "DNS:_srv.example.org",
        "DNS:xn--mnchen-3ya.example",
        "DNS:1.example",
        "URI:spiffe://example.org/ops/alice",
        "URI:https://example.org/a?b#c",
        "uri:urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        "IP:192.0.2.1",
        "IP:2001:db8::1",
        "email:alice@example.org",
        "EMAIL:a.b+c@example.org",
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        struct hf_ca_sans sans = {0};
        if (hf_ca_sans_add(&sans, cases[i]) != HF_OK || hf_ca_sans_check(&sans) != HF_OK) {
            fail_msg("%s: %s", cases[i], hf_err_text());
        }
        assert_int_equal(sk_GENERAL_NAME_num(sans.names), 1);
        hf_ca_sans_done(&sans);
    }
}

static void bad_names_are_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "a.example",
        "DNS:",
        "DNS:.",
        "DNS:a.",
        "DNS:.a",
        "DNS:a..b",
        "DNS:-a",
        "DNS:a-",
        "DNS:a b",
        "DNS:a,DNS:b",
        "DNS:*",
        "DNS:*.example",
        "DNS:a.*.example",
        "DNS:a*.example.org",
        "DNS:m\xc3\xbcnchen",
        "DNS:a\nb",
        "URI:",
        "URI:example.org",
        "URI:http:",
        "URI:http://a b",
        "URI:1http://a",
        "URI:http://\xc3\xbc",
        "URI:spiffe://A/b",
        "URI:SPIFFE://a/b",
        "URI:spiffe://a/",
        "IP:1.2.3",
        "IP:1.2.3.4/8",
        "IP:[::1]",
        "IP:a",
        "email:a",
        "email:@b.example",
        "email:a@",
        "email:a@b@c.example",
        "email:a b@c.example",
        "email:\"a\"@c.example",
        "email:a@*.c.example",
        "email:copy",
        "otherName:1.2.3;UTF8:x",
        "@section",
        "",
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        struct hf_ca_sans sans = {0};
        if (hf_ca_sans_add(&sans, cases[i]) != HF_E_INVALID) {
            fail_msg("%s", cases[i]);
        }
        assert_int_equal(sk_GENERAL_NAME_num(sans.names), sans.names ? 0 : -1);
        hf_ca_sans_done(&sans);
    }
}

static void long_names_are_refused(void **state)
{
    (void)state;
    char text[4200] = "DNS:";
    struct hf_ca_sans sans = {0};
    memset(text + 4, 'a', 64);
    assert_int_equal(hf_ca_sans_add(&sans, text), HF_E_INVALID);
    text[4 + 63] = '\0';
    assert_int_equal(hf_ca_sans_add(&sans, text), HF_OK);
    for (int i = 0; i < 5; i++) {
        memset(text + 4 + 64 * i, 'a', 63);
        text[4 + 64 * i + 63] = i < 4 ? '.' : '\0';
    }
    assert_int_equal(hf_ca_sans_add(&sans, text), HF_E_INVALID);
    memset(text, 'a', sizeof(text) - 1);
    memcpy(text, "URI:x:", 6);
    assert_int_equal(hf_ca_sans_add(&sans, text), HF_E_INVALID);
    hf_ca_sans_done(&sans);
}

static void doubles_are_left_out(void **state)
{
    (void)state;
    struct hf_ca_sans sans = {0};
    assert_int_equal(hf_ca_sans_add_host(&sans, "a.example"), HF_OK);
    assert_int_equal(hf_ca_sans_add(&sans, "DNS:A.Example"), HF_OK);
    assert_int_equal(hf_ca_sans_add_host(&sans, "::1"), HF_OK);
    assert_int_equal(hf_ca_sans_add(&sans, "IP:0:0:0:0:0:0:0:1"), HF_OK);
    assert_int_equal(sk_GENERAL_NAME_num(sans.names), 2);
    hf_ca_sans_done(&sans);
}

static void spiffe_id_is_the_only_uri(void **state)
{
    (void)state;
    struct hf_ca_sans sans = {0};
    assert_int_equal(hf_ca_sans_add(&sans, "URI:https://a"), HF_OK);
    assert_int_equal(hf_ca_sans_add(&sans, "URI:https://b"), HF_OK);
    assert_int_equal(hf_ca_sans_check(&sans), HF_OK);
    assert_int_equal(hf_ca_sans_add(&sans, "URI:spiffe://a/b"), HF_OK);
    assert_int_equal(hf_ca_sans_check(&sans), HF_E_INVALID);
    hf_ca_sans_done(&sans);
}

static void number_of_names_is_limited(void **state)
{
    (void)state;
    struct hf_ca_sans sans = {0};
    char text[32];
    for (int i = 0; i < HF_CA_SANS_MAX; i++) {
        snprintf(text, sizeof(text), "DNS:h%d.example", i);
        assert_int_equal(hf_ca_sans_add(&sans, text), HF_OK);
    }
    assert_int_equal(hf_ca_sans_add(&sans, "DNS:h0.example"), HF_OK);
    assert_int_equal(hf_ca_sans_add(&sans, "DNS:one.more"), HF_E_INVALID);
    hf_ca_sans_done(&sans);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_names_are_taken),      cmocka_unit_test(bad_names_are_refused),
        cmocka_unit_test(long_names_are_refused),    cmocka_unit_test(doubles_are_left_out),
        cmocka_unit_test(spiffe_id_is_the_only_uri), cmocka_unit_test(number_of_names_is_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
