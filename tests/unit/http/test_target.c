// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "http/target.h"

static void authorities_are_parsed(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *host; /* NULL: refused */
        unsigned port;
        bool is_ipv6;
    } table[] = {
        {"a", "a", 0, false},
        {"A.Example", "A.Example", 0, false},
        {"a.example:1", "a.example", 1, false},
        {"a.example:65535", "a.example", 65535, false},
        {"a.example:00080", "a.example", 80, false},
        {"under_score-dash.9", "under_score-dash.9", 0, false},
        {"192.0.2.1:80", "192.0.2.1", 80, false},
        {"[::1]", "::1", 0, true},
        {"[2001:db8::1]:8443", "2001:db8::1", 8443, true},
        {"[::ffff:192.0.2.1]", "::ffff:192.0.2.1", 0, true},
        {"", NULL, 0, false},
        {":80", NULL, 0, false},
        {"a:", NULL, 0, false},
        {"a:0", NULL, 0, false},
        {"a:65536", NULL, 0, false},
        {"a:123456", NULL, 0, false},
        {"a:8x", NULL, 0, false},
        {"a:80:80", NULL, 0, false},
        {"u@a", NULL, 0, false},
        {"a b", NULL, 0, false},
        {"a/", NULL, 0, false},
        {"a%20", NULL, 0, false},
        {"::1", NULL, 0, false},
        {"[::1", NULL, 0, false},
        {"[::1]x", NULL, 0, false},
        {"[::1]:", NULL, 0, false},
        {"[]", NULL, 0, false},
        {"[a]", NULL, 0, false},
        {"[192.0.2.1]", NULL, 0, false},
        {"[fe80::1%25eth0]", NULL, 0, false},
        {"[v1.a]", NULL, 0, false},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        struct hf_http_authority got;
        bool ok = hf_http_authority_parse(hf_bytes_str(table[i].text), &got);
        if (ok != (table[i].host != NULL)) {
            fail_msg("\"%s\" was %s", table[i].text, ok ? "taken" : "refused");
        }
        if (ok) {
            assert_true(hf_bytes_eq_str(got.host, table[i].host));
            assert_int_equal(got.port, table[i].port);
            assert_int_equal(got.is_ipv6, table[i].is_ipv6);
        }
    }
}

static void long_hosts_are_refused(void **state)
{
    (void)state;
    char text[300];
    struct hf_http_authority got;
    memset(text, 'a', sizeof(text));
    assert_true(hf_http_authority_parse(hf_bytes_of(text, HF_HTTP_HOST_MAX), &got));
    assert_false(hf_http_authority_parse(hf_bytes_of(text, HF_HTTP_HOST_MAX + 1), &got));
    text[0] = '[';
    text[299] = ']';
    assert_false(hf_http_authority_parse(hf_bytes_of(text, 300), &got));
    memcpy(text, "[::1\0x]", 7);
    assert_false(hf_http_authority_parse(hf_bytes_of(text, 7), &got));
}

static void authorities_are_compared(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool same;
    } table[] = {
        {"a", "A", true},  {"a:80", "a", true},  {"a", "a:80", true},   {"a:81", "a", false},
        {"a", "b", false}, {"a:1", "a:1", true}, {"a:1", "a:2", false}, {"[::1]:80", "[::1]", true},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        struct hf_http_authority a, b;
        assert_true(hf_http_authority_parse(hf_bytes_str(table[i].a), &a));
        assert_true(hf_http_authority_parse(hf_bytes_str(table[i].b), &b));
        assert_int_equal(hf_http_authority_eq(&a, &b, 80), table[i].same);
    }
}

static void every_method_has_its_name(void **state)
{
    (void)state;
    for (unsigned i = HF_METHOD_OTHER + 1; i < HF_METHOD_N; i++) {
        const char *text = hf_http_method_text((enum hf_http_method)i);
        assert_int_equal(hf_http_method_find(hf_bytes_str(text)), i);
    }
    assert_int_equal(hf_http_method_find(hf_bytes_str("get")), HF_METHOD_OTHER);
    assert_int_equal(hf_http_method_find(hf_bytes_str("GETS")), HF_METHOD_OTHER);
    assert_int_equal(hf_http_method_find(hf_bytes_str("")), HF_METHOD_OTHER);
}

static void empty_targets_are_refused(void **state)
{
    (void)state;
    struct hf_http_target target;
    for (unsigned i = 0; i < HF_METHOD_N; i++) {
        assert_false(hf_http_target_parse((enum hf_http_method)i, hf_bytes_of(NULL, 0), &target));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(authorities_are_parsed),    cmocka_unit_test(long_hosts_are_refused),
        cmocka_unit_test(authorities_are_compared),  cmocka_unit_test(every_method_has_its_name),
        cmocka_unit_test(empty_targets_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
