// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "http/query.h"

static void parameters_are_found(void **state)
{
    (void)state;
    static const struct {
        const char *query;
        const char *value; /* NULL: not found */
    } table[] = {
        {"", NULL},
        {"n", ""},
        {"n=", ""},
        {"n=1", "1"},
        {"n=1&n=2", "1"},
        {"m=1&n=2", "2"},
        {"m&n=2&o", "2"},
        {"&&n=2", "2"},
        {"nn=1", NULL},
        {"N=1", NULL},
        {"n=a+b%20c%2Bd", "a b c+d"},
        {"%6e=1", "1"},
        {"n=a=b", "a=b"},
        {"m=n=1", NULL},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        struct hf_buf out = HF_BUF_INIT(100);
        bool found;
        assert_int_equal(hf_http_query_get(hf_bytes_str(table[i].query), "n", &found, &out), HF_OK);
        assert_int_equal(found, table[i].value != NULL);
        assert_string_equal(hf_buf_cstr(&out), table[i].value ? table[i].value : "");
        hf_buf_done(&out);
    }
}

static void broken_escapes_are_refused(void **state)
{
    (void)state;
    static const char *const table[] = {"n=%", "n=%1", "n=%zz", "n=%1g", "%=1", "%4"};
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        struct hf_buf out = HF_BUF_INIT(100);
        bool found;
        assert_int_equal(hf_http_query_get(hf_bytes_str(table[i]), "n", &found, &out),
                         HF_E_MALFORMED);
        hf_buf_done(&out);
    }
}

static void a_value_that_does_not_fit_is_told(void **state)
{
    (void)state;
    struct hf_buf out = HF_BUF_INIT(3);
    bool found;
    assert_int_equal(hf_http_query_get(hf_bytes_str("n=1234"), "n", &found, &out), HF_E_TOO_LARGE);
    hf_buf_done(&out);
}

static void every_byte_survives_encoding(void **state)
{
    (void)state;
    uint8_t all[256];
    for (size_t i = 0; i < sizeof(all); i++) {
        all[i] = (uint8_t)i;
    }
    struct hf_buf encoded = HF_BUF_INIT(1024);
    struct hf_buf decoded = HF_BUF_INIT(1024);
    assert_int_equal(hf_http_percent_encode(hf_bytes_of(all, 256), &encoded), HF_OK);
    assert_non_null(strstr(hf_buf_cstr(&encoded), "%2A%2B%2C-.%2F0123456789%3A"));
    assert_int_equal(hf_http_percent_decode(hf_buf_bytes(&encoded), true, &decoded), HF_OK);
    assert_true(hf_bytes_eq(hf_buf_bytes(&decoded), hf_bytes_of(all, 256)));
    hf_buf_done(&encoded);
    hf_buf_done(&decoded);
}

static void a_plus_is_a_space_only_in_forms(void **state)
{
    (void)state;
    struct hf_buf out = HF_BUF_INIT(100);
    assert_int_equal(hf_http_percent_decode(hf_bytes_str("a+b"), false, &out), HF_OK);
    assert_int_equal(hf_http_percent_decode(hf_bytes_str("a+b"), true, &out), HF_OK);
    assert_string_equal(hf_buf_cstr(&out), "a+ba b");
    hf_buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_are_found),
        cmocka_unit_test(broken_escapes_are_refused),
        cmocka_unit_test(a_value_that_does_not_fit_is_told),
        cmocka_unit_test(every_byte_survives_encoding),
        cmocka_unit_test(a_plus_is_a_space_only_in_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
