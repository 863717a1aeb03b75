// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/mem.h"

struct sample {
    struct hf_bytes in;
    const char *printable;
    const char *json; /* without its quotes */
};

#define SAMPLE(in, printable, json) \
    { \
        {(const uint8_t *)(in), sizeof(in) - 1}, printable, json \
    }

static const struct sample samples[] = {
    SAMPLE("", "", ""),
    SAMPLE("CN=Alice, O=Example", "CN=Alice, O=Example", "CN=Alice, O=Example"),
    SAMPLE("Zo\xc3\xab \xe2\x82\xac \xf0\x9f\x94\x91", "Zo\xc3\xab \xe2\x82\xac \xf0\x9f\x94\x91",
           "Zo\xc3\xab \xe2\x82\xac \xf0\x9f\x94\x91"),
    SAMPLE("say \"hi\"", "say \"hi\"", "say \\\"hi\\\""),
    SAMPLE("a\\b", "a\\\\b", "a\\\\b"),
    SAMPLE("a\nb\r\t", "a\\x0ab\\x0d\\x09", "a\\u000ab\\u000d\\u0009"),
    SAMPLE("a\0b", "a\\x00b", "a\\u0000b"),
    SAMPLE("\x1b[2J", "\\x1b[2J", "\\u001b[2J"),
    SAMPLE("\x7f", "\\x7f", "\\u007f"),
    /* C1 controls, soft hyphen, bidirectional override and isolate, zero width, BOM */
    SAMPLE("\xc2\x9b", "\\xc2\\x9b", "\\u009b"),
    SAMPLE("\xc2\xad", "\\xc2\\xad", "\\u00ad"),
    SAMPLE("\xe2\x80\xae", "\\xe2\\x80\\xae", "\\u202e"),
    SAMPLE("\xe2\x81\xa6", "\\xe2\\x81\\xa6", "\\u2066"),
    SAMPLE("\xe2\x80\x8b", "\\xe2\\x80\\x8b", "\\u200b"),
    SAMPLE("\xef\xbb\xbf", "\\xef\\xbb\\xbf", "\\ufeff"),
    /* a tag character, beyond the basic plane: a surrogate pair */
    SAMPLE("\xf3\xa0\x81\x81", "\\xf3\\xa0\\x81\\x81", "\\udb40\\udc41"),
    /* broken UTF-8: alone, cut, overlong, surrogate, too large */
    SAMPLE("\xff", "\\xff", "\\u00ff"),
    SAMPLE("\x80x", "\\x80x", "\\u0080x"),
    SAMPLE("\xe2\x82", "\\xe2\\x82", "\\u00e2\\u0082"),
    SAMPLE("\xc0\xaf", "\\xc0\\xaf", "\\u00c0\\u00af"),
    SAMPLE("\xed\xa0\x80", "\\xed\\xa0\\x80", "\\u00ed\\u00a0\\u0080"),
    SAMPLE("\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80", "\\u00f4\\u0090\\u0080\\u0080"),
    SAMPLE("\xe2\x28\xa1", "\\xe2(\\xa1", "\\u00e2(\\u00a1"),
};

static void test_foreign_bytes_become_printable(void **state)
{
    (void)state;
    for (size_t i = 0; i < HF_N_ELEMENTS(samples); i++) {
        struct hf_buf buf = HF_BUF_INIT(1000);
        assert_int_equal(hf_append_printable(&buf, samples[i].in, 1000), HF_OK);
        assert_string_equal(hf_buf_cstr(&buf), samples[i].printable);
        hf_buf_done(&buf);
    }
}

static void test_foreign_bytes_become_json(void **state)
{
    (void)state;
    for (size_t i = 0; i < HF_N_ELEMENTS(samples); i++) {
        struct hf_buf buf = HF_BUF_INIT(1000);
        struct hf_buf want = HF_BUF_INIT(1000);
        assert_int_equal(hf_append_json_string(&buf, samples[i].in), HF_OK);
        assert_int_equal(hf_buf_printf(&want, "\"%s\"", samples[i].json), HF_OK);
        assert_string_equal(hf_buf_cstr(&buf), hf_buf_cstr(&want));
        hf_buf_done(&buf);
        hf_buf_done(&want);
    }
}

static void test_printable_text_is_cut_at_whole_pieces(void **state)
{
    (void)state;
    struct hf_buf buf = HF_BUF_INIT(100);
    assert_int_equal(hf_append_printable(&buf, hf_bytes_str("ab\ncd"), 6), HF_OK);
    assert_string_equal(hf_buf_cstr(&buf), "ab\\x0a...");
    hf_buf_reset(&buf);
    assert_int_equal(hf_append_printable(&buf, hf_bytes_str("ab\ncd"), 5), HF_OK);
    assert_string_equal(hf_buf_cstr(&buf), "ab...");
    hf_buf_reset(&buf);
    assert_int_equal(hf_append_printable(&buf, hf_bytes_str("abc"), 3), HF_OK);
    assert_string_equal(hf_buf_cstr(&buf), "abc");
    hf_buf_done(&buf);
}

static void test_sentences_keep_their_backslashes(void **state)
{
    (void)state;
    struct hf_buf buf = HF_BUF_INIT(100);
    assert_int_equal(hf_append_shown(&buf, hf_bytes_str("CN=a\\ b\n\xc3")), HF_OK);
    assert_string_equal(hf_buf_cstr(&buf), "CN=a\\ b\\x0a\\xc3");
    assert_int_equal(hf_append_shown(&buf, hf_bytes_str("\033[31m \xc3\xa4")), HF_OK);
    assert_string_equal(hf_buf_cstr(&buf), "CN=a\\ b\\x0a\\xc3\\x1b[31m \xc3\xa4");
    hf_buf_done(&buf);
}

static void test_what_does_not_fit_leaves_the_buffer_as_it_was(void **state)
{
    (void)state;
    for (size_t cap = 4; cap < 20; cap++) {
        struct hf_buf buf = HF_BUF_INIT(cap);
        assert_int_equal(hf_buf_append_str(&buf, "kept"), HF_OK);
        assert_int_equal(hf_append_json_string(&buf, hf_bytes_str("a\nb\nc\nd")), HF_E_TOO_LARGE);
        assert_string_equal(hf_buf_cstr(&buf), "kept");
        assert_int_equal(hf_append_printable(&buf, hf_bytes_str("a\nb\nc\nd\n"), 99),
                         HF_E_TOO_LARGE);
        assert_string_equal(hf_buf_cstr(&buf), "kept");
        hf_buf_done(&buf);
    }
    struct hf_buf buf = HF_BUF_INIT(100);
    hf_alloc_fail_after(1);
    assert_int_equal(hf_append_json_string(&buf, hf_bytes_str("x")), HF_E_NOMEM);
    hf_alloc_fail_after(0);
    hf_buf_done(&buf);
}

static void encode_utf8(uint32_t point, uint8_t out[static 4], size_t *len)
{
    if (point < 0x80) {
        *len = 1;
        out[0] = (uint8_t)point;
        return;
    }
    *len = point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
    for (size_t i = *len - 1; i > 0; i--) {
        out[i] = (uint8_t)(0x80 | (point & 0x3f));
        point >>= 6;
    }
    out[0] = (uint8_t)(0xf00 >> *len | point);
}

static void test_every_character_is_decoded_and_no_surrogate_is(void **state)
{
    (void)state;
    for (uint32_t point = 0; point <= 0x110100; point++) {
        uint8_t bytes[4];
        size_t len;
        uint32_t got = 0xffffffff;
        encode_utf8(point, bytes, &len);
        bool legal = point <= 0x10ffff && !(point >= 0xd800 && point <= 0xdfff);
        size_t n = hf_utf8_decode(hf_bytes_of(bytes, len), &got);
        if (n != (legal ? len : 0) || got != (legal ? point : 0xffffffff)) {
            fail_msg("U+%04X is decoded as %zu bytes, U+%04X", point, n, got);
        }
        if (len > 1 && hf_utf8_len(hf_bytes_of(bytes, len - 1)) != 0) {
            fail_msg("U+%04X is taken when cut", point);
        }
    }
    assert_int_equal(hf_utf8_len(hf_bytes_of(NULL, 0)), 0);
}

static void test_overlong_forms_are_refused(void **state)
{
    (void)state;
    for (uint32_t point = 0; point < 0x10000; point++) {
        uint8_t two[] = {(uint8_t)(0xc0 | point >> 6), (uint8_t)(0x80 | (point & 0x3f))};
        uint8_t three[] = {(uint8_t)(0xe0 | point >> 12), (uint8_t)(0x80 | (point >> 6 & 0x3f)),
                           (uint8_t)(0x80 | (point & 0x3f))};
        uint8_t four[] = {0xf0, (uint8_t)(0x80 | point >> 12),
                          (uint8_t)(0x80 | (point >> 6 & 0x3f)), (uint8_t)(0x80 | (point & 0x3f))};
        bool taken = (point < 0x80 && hf_utf8_len(hf_bytes_of(two, 2))) ||
                     (point < 0x800 && hf_utf8_len(hf_bytes_of(three, 3))) ||
                     hf_utf8_len(hf_bytes_of(four, 4));
        if (taken) {
            fail_msg("an overlong form of U+%04X is taken", point);
        }
    }
}

/* Whatever goes in, what comes out is UTF-8 without controls, in both forms. */
static void test_random_bytes_never_get_through(void **state)
{
    (void)state;
    srand(42);
    for (int round = 0; round < 20000; round++) {
        uint8_t in[24];
        size_t len = (size_t)rand() % sizeof(in);
        for (size_t i = 0; i < len; i++) {
            in[i] = (uint8_t)rand();
        }
        struct hf_buf buf = HF_BUF_INIT(1000);
        assert_int_equal(hf_append_printable(&buf, hf_bytes_of(in, len), 1000), HF_OK);
        assert_int_equal(hf_append_json_string(&buf, hf_bytes_of(in, len)), HF_OK);
        for (struct hf_bytes rest = hf_buf_bytes(&buf); rest.len;) {
            size_t n = hf_printable_len(rest);
            assert_true(n > 0);
            rest = hf_bytes_from(rest, n);
        }
        hf_buf_done(&buf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_foreign_bytes_become_printable),
        cmocka_unit_test(test_foreign_bytes_become_json),
        cmocka_unit_test(test_printable_text_is_cut_at_whole_pieces),
        cmocka_unit_test(test_sentences_keep_their_backslashes),
        cmocka_unit_test(test_what_does_not_fit_leaves_the_buffer_as_it_was),
        cmocka_unit_test(test_every_character_is_decoded_and_no_surrogate_is),
        cmocka_unit_test(test_overlong_forms_are_refused),
        cmocka_unit_test(test_random_bytes_never_get_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
