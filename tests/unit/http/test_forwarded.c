// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/forwarded.h"

static void expect(const char *address, const char *host, const char *proto, const char *wanted)
{
    struct hf_forwarded_element element = {hf_bytes_str(address), hf_bytes_str(host),
                                           hf_bytes_str(proto)};
    struct hf_buf out = HF_BUF_INIT(4096);
    assert_int_equal(hf_forwarded_append(&out, &element), HF_OK);
    assert_int_equal(hf_forwarded_check(hf_buf_bytes(&out)), HF_OK);
    assert_string_equal(hf_buf_cstr(&out), wanted);
    hf_buf_done(&out);
}

static void elements_are_quoted_where_they_must_be(void **state)
{
    (void)state;
    expect("192.0.2.60", "", "http", "for=192.0.2.60;proto=http");
    expect("2001:db8:cafe::17", "", "", "for=\"[2001:db8:cafe::17]\"");
    expect("", "", "", "for=unknown");
    expect("192.0.2.60", "example.com", "https", "for=192.0.2.60;host=example.com;proto=https");
    expect("192.0.2.60", "example.com:8443", "", "for=192.0.2.60;host=\"example.com:8443\"");
    expect("192.0.2.60", "a\"b\\c", "", "for=192.0.2.60;host=\"a\\\"b\\\\c\"");
}

static void control_characters_are_refused(void **state)
{
    (void)state;
    struct hf_forwarded_element element = {.host = hf_bytes_str("a\nb")};
    struct hf_buf out = HF_BUF_INIT(4096);
    assert_int_equal(hf_forwarded_append(&out, &element), HF_E_INVALID);
    hf_buf_done(&out);
}

/* Those of RFC 7239 4, 6, 7.1 and 7.4 among them. */
static void the_grammar_is_kept(void **state)
{
    (void)state;
    static const char *const good[] = {
        "for=\"_gazonk\"",
        "For=\"[2001:db8:cafe::17]:4711\"",
        "for=192.0.2.60;proto=http;by=203.0.113.43",
        "for=192.0.2.43, for=198.51.100.17",
        "for=192.0.2.43, for=\"[2001:db8:cafe::17]\"",
        "for=192.0.2.43,for=\"[2001:db8:cafe::17]\",for=unknown",
        "for=_hidden, for=_SEVKISEK",
        "for=_mdn",
        "for=\"a\\\"b\"",
        "for=a ; host=b",
    };
    static const char *const bad[] = {
        "",
        "for",
        "for=",
        "=a",
        "for=a;",
        "for=a,",
        "for=a;for=b",
        "for=a;For=b",
        "for=[2001:db8::1]",
        "for=192.0.2.1:80",
        "for=\"a",
        "for=\"a\\\"",
        "for=\"a\"b",
        "for =a",
        "for= a",
        "for=a b",
        "for=a\tb",
        "for=\x01",
        "a=1;b=1;c=1;d=1;e=1;f=1;g=1;h=1;i=1;j=1;k=1;l=1;m=1;n=1;o=1;p=1;q=1",
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(good); i++) {
        if (hf_forwarded_check(hf_bytes_str(good[i])) != HF_OK) {
            fail_msg("%s: %s", good[i], hf_err_text());
        }
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(bad); i++) {
        if (hf_forwarded_check(hf_bytes_str(bad[i])) != HF_E_MALFORMED) {
            fail_msg("%s passes", bad[i]);
        }
    }
}

static void cut_anywhere_it_stays_whole_or_fails(void **state)
{
    (void)state;
    static const char text[] = "for=192.0.2.43, for=\"[2001:db8::17]\";host=\"a\\\\\";by=_x";
    for (size_t n = 0; n < sizeof(text); n++) {
        size_t quotes = 0;
        for (size_t i = 0; i < n; i++) {
            quotes += text[i] == '"';
        }
        if (hf_forwarded_check(hf_bytes_of(text, n)) == HF_OK) {
            assert_int_equal(quotes % 2, 0);
        }
    }
}

static void lists_are_walked_from_their_end(void **state)
{
    (void)state;
    static const char *const wanted[] = {"192.0.2.9", "2001:db8::1", "2001:db8::2", "192.0.2.1",
                                         "spoofed"};
    struct hf_bytes list = hf_bytes_str("spoofed, 192.0.2.1:4711 ,2001:db8::2,, "
                                        "[2001:db8::1]:80,\t192.0.2.9, ");
    struct hf_bytes address;
    for (size_t i = 0; i < HF_N_ELEMENTS(wanted); i++) {
        assert_true(hf_forwarded_last(&list, &address));
        assert_true(hf_bytes_eq_str(address, wanted[i]));
    }
    assert_false(hf_forwarded_last(&list, &address));
    list = hf_bytes_str("");
    assert_false(hf_forwarded_last(&list, &address));
    list = hf_bytes_str(" , ,");
    assert_false(hf_forwarded_last(&list, &address));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_are_quoted_where_they_must_be),
        cmocka_unit_test(control_characters_are_refused),
        cmocka_unit_test(the_grammar_is_kept),
        cmocka_unit_test(cut_anywhere_it_stays_whole_or_fails),
        cmocka_unit_test(lists_are_walked_from_their_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
