// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "policy/glob.h"
#include "policy/params.h"

static bool match(const char *query, const char *name, const char *value)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf pattern = HF_BUF_INIT(4096);
    assert_int_equal(hf_glob_compile(hf_bytes_str(value), &pattern), HF_OK);
    return hf_params_match(hf_bytes_str(query), hf_bytes_str(name), hf_buf_bytes(&pattern));
}

static void names_and_values_are_decoded(void **state)
{
    (void)state;
    assert_true(match("a=b", "a", "b"));
    assert_true(match("x=1&a=b&y=2", "a", "b"));
    assert_true(match("%61=%62", "a", "b"));
    assert_true(match("a=1+2%2B3", "a", "1 2+3"));
    assert_true(match("a", "a", ""));
    assert_true(match("a=", "a", ""));
    assert_true(match("a", "a", "*"));
    assert_true(match("a=b=c", "a", "b=c"));
    assert_true(match("a=x&a=b", "a", "b"));
    assert_true(match("a=%c3%A9", "a", "\xc3\xa9"));
    assert_true(match("&&a=b", "a", "b"));
    assert_false(match("", "a", "*"));
    assert_false(match("b=a", "a", "*"));
    assert_false(match("A=b", "a", "b"));
    assert_false(match("a=bc", "a", "b"));
    assert_true(match("a=bc", "a", "b*"));
}

static void what_cannot_be_decoded_matches_nothing(void **state)
{
    (void)state;
    assert_false(match("a=%", "a", "*"));
    assert_false(match("a=%4", "a", "*"));
    assert_false(match("a=%zz", "a", "*"));
    assert_false(match("a=%00", "a", "*"));
    assert_false(match("a=x%4&b=1", "a", "*"));
    assert_true(match("a=x%4&b=1", "b", "1"));
    assert_true(match("a=%4&a=1", "a", "1"));
}

static void what_is_too_long_matches_nothing(void **state)
{
    (void)state;
    char query[2 + HF_PARAM_MAX + 2] = "a=";
    memset(query + 2, 'x', HF_PARAM_MAX);
    assert_true(match(query, "a", "*"));
    query[2 + HF_PARAM_MAX] = 'x';
    assert_false(match(query, "a", "*"));
}

static void cut_at_every_byte(void **state)
{
    (void)state;
    static const char query[] = "a%20b=c%2Bd&e=+f";
    for (size_t n = 0; n < sizeof(query); n++) {
        uint8_t star = HF_GLOB_STAR;
        char copy[sizeof(query)];
        memcpy(copy, query, n);
        bool found =
            hf_params_match(hf_bytes_of(copy, n), hf_bytes_str("a b"), hf_bytes_of(&star, 1));
        assert_int_equal(found, n >= 5 && n != 8 && n != 9);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_values_are_decoded),
        cmocka_unit_test(what_cannot_be_decoded_matches_nothing),
        cmocka_unit_test(what_is_too_long_matches_nothing),
        cmocka_unit_test(cut_at_every_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
