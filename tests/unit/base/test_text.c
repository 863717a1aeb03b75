// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static void test_durations_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"0", 0},
        {"0s", 0},
        {"250ms", 250},
        {"30s", 30000},
        {"5m", 300000},
        {"5min", 300000},
        {"24h", 86400000},
        {"7d", 604800000},
        {"2w", 1209600000},
        {"1h30m", 5400000},
        {"1m500ms", 60500},
        {"007s", 7000},
        {"9223372036854775807ms", INT64_MAX},
        {"9223372036854775s807ms", INT64_MAX},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        int64_t ms = -1;
        assert_int_equal(hf_parse_duration(cases[i].text, &ms), HF_OK);
        assert_true(ms == cases[i].ms);
    }
}

static void test_what_is_no_duration_is_refused_with_a_hint(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "s",
        "30",
        "00",
        "-1s",
        "+1s",
        "1.5h",
        "30 s",
        " 30s",
        "30s ",
        "30S",
        "30sec",
        "1h30",
        "1hm",
        "0x1s",
        "1e3s",
        "\n1s",
        "1s\n",
        "forever",
        "9223372036854775808ms",
        "9223372036854775808s",
        "99999999999999999999ms",
        "9223372036854775s808ms",
        "106751991168d",
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(bad); i++) {
        int64_t ms = -1;
        assert_int_equal(hf_parse_duration(bad[i], &ms), HF_E_INVALID);
        assert_non_null(strstr(hf_err_text(), "such as 500ms, 30s"));
        assert_true(ms == -1);
    }
}

static void test_sizes_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } cases[] = {
        {"0", 0},
        {"512", 512},
        {"512B", 512},
        {"64KiB", 65536},
        {"64K", 65536},
        {"10MB", 10000000},
        {"10MiB", 10485760},
        {"1GiB", 1073741824},
        {"2GB", 2000000000},
        {"9223372036854775807", INT64_MAX},
        {"8589934591GiB", 8589934591ull << 30},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        uint64_t bytes = 1;
        assert_int_equal(hf_parse_size(cases[i].text, &bytes), HF_OK);
        assert_true(bytes == cases[i].bytes);
    }
}

static void test_what_is_no_size_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "KiB",
        "-1",
        "1.5MB",
        "64 KiB",
        "64kib",
        "1TiB",
        "1KiB1",
        "0x10",
        "9223372036854775808",
        "18446744073709551616",
        "8589934592GiB",
        "99999999999999GiB",
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(bad); i++) {
        uint64_t bytes = 1;
        assert_int_equal(hf_parse_size(bad[i], &bytes), HF_E_INVALID);
        assert_non_null(strstr(hf_err_text(), "is not a size"));
        assert_int_equal(bytes, 1);
    }
}

static void test_whole_numbers_up_to_a_limit(void **state)
{
    (void)state;
    uint64_t n = 1;
    assert_int_equal(hf_parse_uint("0", 0, &n), HF_OK);
    assert_int_equal(n, 0);
    assert_int_equal(hf_parse_uint("65535", 65535, &n), HF_OK);
    assert_int_equal(n, 65535);
    assert_int_equal(hf_parse_uint("18446744073709551615", UINT64_MAX, &n), HF_OK);
    assert_true(n == UINT64_MAX);
    static const char *const bad[] = {"",
                                      "65536",
                                      "-1",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "1x",
                                      "x",
                                      "0x1",
                                      "18446744073709551616",
                                      "184467440737095516150"};
    for (size_t i = 0; i < HF_N_ELEMENTS(bad); i++) {
        assert_int_equal(hf_parse_uint(bad[i], 65535, &n), HF_E_INVALID);
        assert_non_null(strstr(hf_err_text(), "0 to 65535"));
    }
    assert_true(n == UINT64_MAX);
}

static void test_durations_are_written_for_people(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "0 ms"},
        {340, "340 ms"},
        {999, "999 ms"},
        {1000, "1 s"},
        {1050, "1 s"},
        {1500, "1.5 s"},
        {59999, "59.9 s"},
        {60000, "1 min"},
        {61000, "1 min 1 s"},
        {720000, "12 min"},
        {3600000, "1 h"},
        {5400000, "1 h 30 min"},
        {86400000, "1 d"},
        {273600000, "3 d 4 h"},
        {86400000 + 60000, "1 d"},
        {-1500, "-1.5 s"},
        {INT64_MAX, "106751991167 d 7 h"},
        {INT64_MIN, "-106751991167 d 7 h"},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        char text[40];
        hf_format_duration(cases[i].ms, text, sizeof(text));
        assert_string_equal(text, cases[i].text);
    }
}

static void test_numbers_are_written_as_printf_would(void **state)
{
    (void)state;
    static const uint64_t numbers[] = {0, 9, 10, 15, 16, 255, 200, 1234567890, UINT64_MAX};
    for (size_t i = 0; i < HF_N_ELEMENTS(numbers); i++) {
        char text[HF_UINT_TEXT_SIZE];
        char id[HF_ID_TEXT_SIZE];
        char want[32];
        snprintf(want, sizeof(want), "%" PRIu64, numbers[i]);
        assert_int_equal(hf_format_uint(numbers[i], 10, text), strlen(want));
        assert_string_equal(text, want);
        snprintf(want, sizeof(want), "%" PRIx64, numbers[i]);
        assert_int_equal(hf_format_uint(numbers[i], 16, text), strlen(want));
        assert_string_equal(text, want);
        snprintf(want, sizeof(want), "%016" PRIx64, numbers[i]);
        hf_format_id(numbers[i], id);
        assert_string_equal(id, want);
    }
}

static void test_times_are_written_in_utc(void **state)
{
    (void)state;
    char text[HF_TIME_TEXT_SIZE];
    hf_format_time(0, text);
    assert_string_equal(text, "1970-01-01T00:00:00Z");
    hf_format_time(1795215960, text);
    assert_string_equal(text, "2026-11-20T23:06:00Z");
    hf_format_time(253402300799, text);
    assert_string_equal(text, "9999-12-31T23:59:59Z");
    hf_format_time(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59Z");
    hf_format_time(INT64_MAX, text);
    assert_string_equal(text, "(no date)");
    hf_format_time(INT64_MIN, text);
    assert_string_equal(text, "(no date)");
}

static void test_edits_are_counted(void **state)
{
    (void)state;
    char longest[65], too_long[66];
    memset(longest, 'x', 64);
    longest[64] = '\0';
    memset(too_long, 'x', 65);
    too_long[65] = '\0';
    assert_int_equal(hf_edit_distance("", ""), 0);
    assert_int_equal(hf_edit_distance("abc", "abc"), 0);
    assert_int_equal(hf_edit_distance("", "abc"), 3);
    assert_int_equal(hf_edit_distance("abc", ""), 3);
    assert_int_equal(hf_edit_distance("listen", "listne"), 1);
    assert_int_equal(hf_edit_distance("kitten", "sitting"), 3);
    assert_int_equal(hf_edit_distance("ca", "abc"), 3);
    assert_int_equal(hf_edit_distance(longest, ""), 64);
    assert_int_equal(hf_edit_distance(longest, longest), 0);
    assert_true(hf_edit_distance(too_long, too_long) == SIZE_MAX);
}

static void test_the_closest_word_is_suggested_when_it_is_close(void **state)
{
    (void)state;
    static const char *const words[] = {"listen", "identities", "trust", "to", NULL};
    static const char *const none[] = {NULL};
    assert_string_equal(hf_closest("lisen", words), "listen");
    assert_string_equal(hf_closest("identites", words), "identities");
    assert_string_equal(hf_closest("turst", words), "trust");
    assert_null(hf_closest("upstreams", words));
    assert_null(hf_closest("listen", none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations_are_read),
        cmocka_unit_test(test_what_is_no_duration_is_refused_with_a_hint),
        cmocka_unit_test(test_sizes_are_read),
        cmocka_unit_test(test_what_is_no_size_is_refused),
        cmocka_unit_test(test_whole_numbers_up_to_a_limit),
        cmocka_unit_test(test_durations_are_written_for_people),
        cmocka_unit_test(test_times_are_written_in_utc),
        cmocka_unit_test(test_edits_are_counted),
        cmocka_unit_test(test_numbers_are_written_as_printf_would),
        cmocka_unit_test(test_the_closest_word_is_suggested_when_it_is_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
