// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/encode.h"

#define BYTES(literal) hf_bytes_of(literal, sizeof(literal) - 1)

static void expect(struct hf_bytes text, unsigned flags, const char *wanted)
{
    struct hf_buf out = HF_BUF_INIT(4096);
    assert_int_equal(hf_append_safe(&out, text, flags), HF_OK);
    assert_string_equal(hf_buf_cstr(&out), wanted);
    hf_buf_done(&out);
}

static void text_stays_within_its_header(void **state)
{
    (void)state;
    expect(BYTES(""), 0, "");
    expect(BYTES("plain text, with \"quotes\""), 0, "plain text, with \"quotes\"");
    expect(BYTES("a\r\nX-Admin: 1"), 0, "a\\x0d\\x0aX-Admin: 1");
    expect(BYTES("a\0b\tc\x7f"), 0, "a\\x00b\\x09c\\x7f");
    expect(BYTES("a\\x0d"), 0, "a\\\\x0d");
    expect(BYTES("J\xc3\xbcrgen"), 0, "J\\xc3\\xbcrgen");
    expect(BYTES("\xff"), 0, "\\xff");
}

static void spaces_at_the_ends_survive(void **state)
{
    (void)state;
    expect(BYTES(" "), 0, "\\x20");
    expect(BYTES("  "), 0, "\\x20\\x20");
    expect(BYTES(" admin"), 0, "\\x20admin");
    expect(BYTES("admin "), 0, "admin\\x20");
    expect(BYTES("a  b"), 0, "a  b");
}

static void flags_change_what_passes(void **state)
{
    (void)state;
    expect(BYTES("J\xc3\xbcrgen"), HF_TEXT_UTF8, "J\xc3\xbcrgen");
    expect(BYTES("\xe2\x80\xae\xff"), HF_TEXT_UTF8, "\\xe2\\x80\\xae\\xff"); /* a bidi override */
    expect(BYTES("a\"b"), HF_TEXT_QUOTED, "a\\x22b");
    expect(BYTES("a,b"), HF_TEXT_ELEMENT, "a\\x2cb");
    expect(BYTES("a\\\\b"), HF_TEXT_ESCAPED, "a\\\\b");
    expect(BYTES("CN=J\xc3\xbcrgen\\, Dr."), HF_TEXT_DN, "CN=J\\C3\\BCrgen\\, Dr.");
    expect(BYTES("CN=a\\ "), HF_TEXT_DN, "CN=a\\20");
}

static void strict_names_hold_nothing_to_quarrel_about(void **state)
{
    (void)state;
    static const struct {
        const char *dn;
        const char *strict;
    } table[] = {
        {"", ""},
        {"CN=Test Client,O=Lyft", "CN=Test Client,O=Lyft"},
        {"CN=a\\\"b", "CN=a\\22b"},
        {"CN=a\\\\", "CN=a\\5C"},
        {"CN=a\\\\\\\";URI=x", "CN=a\\5C\\22;URI=x"},
        {"CN=a\\,b\\+c\\;d\\<e\\>", "CN=a\\2Cb\\2Bc\\3Bd\\3Ce\\3E"},
        {"CN=\\ a\\ ", "CN=\\20a\\20"},
        {"CN=\\C3\\BC", "CN=\\C3\\BC"},
        {"CN=\xc3\xbc", "CN=\\C3\\BC"},
        {"CN=a\"b", "CN=a\\22b"}, /* not RFC 4514, and harmless all the same */
        {"CN=a\\", "CN=a\\5C"},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        struct hf_buf out = HF_BUF_INIT(4096);
        assert_int_equal(hf_append_dn_strict(&out, hf_bytes_str(table[i].dn)), HF_OK);
        assert_string_equal(hf_buf_cstr(&out), table[i].strict);
        hf_buf_done(&out);
    }
}

static void pem_is_escaped_as_nginx_and_envoy_do(void **state)
{
    (void)state;
    uint8_t der[50];
    memset(der, 0xfb, sizeof(der));
    struct hf_buf out = HF_BUF_INIT(4096);
    assert_int_equal(hf_append_pem_escaped(&out, hf_bytes_of(der, sizeof(der))), HF_OK);
    assert_string_equal(hf_buf_cstr(&out),
                        "-----BEGIN%20CERTIFICATE-----%0A"
                        "%2B%2Fv7%2B%2Fv7%2B%2Fv7%2B%2Fv7%2B%2Fv7%2B%2Fv7%2B%2Fv7%2B%2Fv7"
                        "%2B%2Fv7%2B%2Fv7%2B%2Fv7%2B%2Fv7%2B%2Fv7%2B%2Fv7%2B%2Fv7%2B%2Fv7%0A"
                        "%2B%2Fs%3D%0A"
                        "-----END%20CERTIFICATE-----%0A");
    hf_buf_done(&out);
}

static void what_does_not_fit_is_told(void **state)
{
    (void)state;
    struct hf_buf out = HF_BUF_INIT(10);
    assert_int_equal(hf_append_pem_escaped(&out, BYTES("abc")), HF_E_TOO_LARGE);
    assert_int_equal(hf_append_safe(&out, BYTES("\n\n\n\n"), 0), HF_E_TOO_LARGE);
    assert_int_equal(hf_append_dn_strict(&out, BYTES("CN=aaaaaaaaaaaaaa")), HF_E_TOO_LARGE);
    hf_buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_stays_within_its_header),
        cmocka_unit_test(spaces_at_the_ends_survive),
        cmocka_unit_test(flags_change_what_passes),
        cmocka_unit_test(strict_names_hold_nothing_to_quarrel_about),
        cmocka_unit_test(pem_is_escaped_as_nginx_and_envoy_do),
        cmocka_unit_test(what_does_not_fit_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
