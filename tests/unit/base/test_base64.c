// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/mem.h"

/* RFC 4648 10, and the bytes that the alphabets spell differently. */
static const struct {
    const char *bytes, *standard, *url;
} vectors[] = {
    {"", "", ""},
    {"f", "Zg==", "Zg"},
    {"fo", "Zm8=", "Zm8"},
    {"foo", "Zm9v", "Zm9v"},
    {"foob", "Zm9vYg==", "Zm9vYg"},
    {"fooba", "Zm9vYmE=", "Zm9vYmE"},
    {"foobar", "Zm9vYmFy", "Zm9vYmFy"},
    {"\xfb\xff\xfe", "+//+", "-__-"},
};

static void vectors_hold_both_ways(void **state)
{
    (void)state;
    for (size_t i = 0; i < HF_N_ELEMENTS(vectors); i++) {
        struct hf_buf out = HF_BUF_INIT(100);
        struct hf_bytes bytes = hf_bytes_str(vectors[i].bytes);
        assert_int_equal(hf_base64_encode(bytes, &out), HF_OK);
        assert_string_equal(hf_buf_cstr(&out), vectors[i].standard);
        hf_buf_reset(&out);
        assert_int_equal(hf_base64url_encode(bytes, &out), HF_OK);
        assert_string_equal(hf_buf_cstr(&out), vectors[i].url);
        hf_buf_reset(&out);
        assert_int_equal(hf_base64_decode(hf_bytes_str(vectors[i].standard), &out), HF_OK);
        assert_string_equal(hf_buf_cstr(&out), vectors[i].bytes);
        hf_buf_reset(&out);
        assert_int_equal(hf_base64url_decode(hf_bytes_str(vectors[i].url), &out), HF_OK);
        assert_string_equal(hf_buf_cstr(&out), vectors[i].bytes);
        hf_buf_done(&out);
    }
}

static void other_spellings_are_refused(void **state)
{
    (void)state;
    static const char *const standard[] = {
        "Zg",     "Zg=",   "Zg===", "=",        "====", "Z===",  "Zh==", "Zm9=",
        "Zg==\n", " Zg==", "-__-",  "Zg==Zg==", "Z=g=", "Zm9v=", "Zm 9", "A"};
    static const char *const url[] = {"Zg==",
                                      "Zm8=",
                                      "Zh",
                                      "Zm9",
                                      "A",
                                      "Zm9vY",
                                      "+//+",
                                      "Zm 9",
                                      "Zg\n",
                                      "Zg.",
                                      "\xff"
                                      "AAA",
                                      "=",
                                      "Zm9v="};
    struct hf_buf out = HF_BUF_INIT(100);
    for (size_t i = 0; i < HF_N_ELEMENTS(standard); i++) {
        assert_int_equal(hf_base64_decode(hf_bytes_str(standard[i]), &out), HF_E_MALFORMED);
        assert_int_equal(hf_buf_len(&out), 0);
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(url); i++) {
        assert_int_equal(hf_base64url_decode(hf_bytes_str(url[i]), &out), HF_E_MALFORMED);
        assert_int_equal(hf_buf_len(&out), 0);
    }
    assert_int_equal(hf_base64_decode(hf_bytes_of("Zg\0=", 4), &out), HF_E_MALFORMED);
    hf_buf_done(&out);
}

static void every_length_and_byte_comes_back(void **state)
{
    (void)state;
    uint8_t bytes[256];
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i * 167);
    }
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        struct hf_buf text = HF_BUF_INIT(400), back = HF_BUF_INIT(256);
        assert_int_equal(hf_base64url_encode(hf_bytes_of(bytes, len), &text), HF_OK);
        assert_int_equal(hf_base64url_decode(hf_buf_bytes(&text), &back), HF_OK);
        assert_true(hf_bytes_eq(hf_buf_bytes(&back), hf_bytes_of(bytes, len)));
        hf_buf_done(&text);
        hf_buf_done(&back);
    }
}

static void caps_and_memory_are_minded(void **state)
{
    (void)state;
    struct hf_buf out = HF_BUF_INIT(3);
    assert_int_equal(hf_base64_encode(hf_bytes_str("f"), &out), HF_E_TOO_LARGE);
    assert_int_equal(hf_base64url_decode(hf_bytes_str("Zm9vYg"), &out), HF_E_TOO_LARGE);
    hf_alloc_fail_after(1);
    assert_int_equal(hf_base64url_decode(hf_bytes_str("Zm9v"), &out), HF_E_NOMEM);
    hf_alloc_fail_after(0);
    hf_buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_hold_both_ways),
        cmocka_unit_test(other_spellings_are_refused),
        cmocka_unit_test(every_length_and_byte_comes_back),
        cmocka_unit_test(caps_and_memory_are_minded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
