// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"

#define TEXT_HEAD "2026-11-20T23:06:00.123Z info "
#define JSON_HEAD "{\"time\":\"2026-11-20T23:06:00.123Z\",\"level\":\"info\",\"event\":"

static char written[2 * HF_LOG_LINE_MAX];
static size_t written_len;
static unsigned n_written;

static void keep(void *ctx, struct hf_bytes line)
{
    (void)ctx;
    assert_true(line.len < sizeof(written));
    memcpy(written, line.ptr, line.len);
    written[line.len] = '\0';
    written_len = line.len;
    n_written++;
}

static int64_t wall_ms(void *ctx)
{
    (void)ctx;
    return 1795215960123;
}

static const struct hf_clock fixed_clock = {.wall_ms = wall_ms};

static struct hf_log log_of(enum hf_log_format format)
{
    n_written = 0;
    return (struct hf_log){
        .level = HF_LOG_INFO, .format = format, .clock = &fixed_clock, .write = keep};
}

static void write_sample(struct hf_log *log)
{
    struct hf_log_line line;
    hf_log_begin(&line, log, HF_LOG_INFO, "handshake");
    hf_log_str(&line, "peer", "127.0.0.1:4711");
    hf_log_str(&line, "name", "Alice \"A\" =x\n");
    hf_log_str(&line, "absent", NULL);
    hf_log_str(&line, "empty", "");
    hf_log_bytes(&line, "raw", hf_bytes_of("\0\xff", 2));
    hf_log_int(&line, "took_us", -812);
    hf_log_int(&line, "least", INT64_MIN);
    hf_log_bool(&line, "ok", true);
    hf_log_fmt(&line, "made", "%d-%s", 7, "x");
    hf_log_end(&line);
}

static void test_a_text_line(void **state)
{
    (void)state;
    struct hf_log log = log_of(HF_LOG_TEXT);
    write_sample(&log);
    assert_string_equal(written,
                        TEXT_HEAD "handshake peer=127.0.0.1:4711 name=\"Alice \\\"A\\\" "
                                  "=x\\u000a\" empty=\"\" raw=\"\\u0000\\u00ff\" took_us=-812 "
                                  "least=-9223372036854775808 ok=true made=7-x\n");
}

static void test_a_json_line(void **state)
{
    (void)state;
    struct hf_log log = log_of(HF_LOG_JSON);
    write_sample(&log);
    assert_string_equal(written, JSON_HEAD
                        "\"handshake\",\"peer\":\"127.0.0.1:4711\",\"name\":\"Alice \\\"A\\\" "
                        "=x\\u000a\",\"empty\":\"\",\"raw\":\"\\u0000\\u00ff\",\"took_us\":-812,"
                        "\"least\":-9223372036854775808,\"ok\":true,\"made\":\"7-x\"}\n");
}

static void test_a_line_costs_no_allocation(void **state)
{
    (void)state;
    struct hf_log log = log_of(HF_LOG_JSON);
    hf_alloc_fail_after(1);
    write_sample(&log);
    assert_null(hf_alloc(1)); /* still the first one */
    assert_int_equal(n_written, 1);
    assert_null(strstr(written, "\"cut\""));
}

static void test_lines_below_the_level_are_not_made(void **state)
{
    (void)state;
    struct hf_log log = log_of(HF_LOG_TEXT);
    struct hf_log_line line;
    hf_log_begin(&line, &log, HF_LOG_DEBUG, "x");
    hf_log_str(&line, "a", "b");
    hf_log_fmt(&line, "a", "%s", "b");
    hf_log_end(&line);
    hf_log_say(&log, HF_LOG_DEBUG, "x", "%s", "y");
    hf_log_say(NULL, HF_LOG_ERROR, "x", "%s", "y");
    assert_int_equal(n_written, 0);
    hf_log_say(&log, HF_LOG_ERROR, "x", "%s", "y");
    assert_int_equal(n_written, 1);
}

static void test_saying_something(void **state)
{
    (void)state;
    struct hf_log log = log_of(HF_LOG_TEXT);
    hf_log_say(&log, HF_LOG_INFO, "start", "%d workers", 2);
    assert_string_equal(written, TEXT_HEAD "start text=\"2 workers\"\n");
}

/* Fields of every length around the limit: the line is whole, and says when something is missing.
 */
static void test_a_full_line_is_cut_at_a_field(void **state)
{
    (void)state;
    for (int format = 0; format < 2; format++) {
        for (size_t len = HF_LOG_LINE_MAX - 150; len < HF_LOG_LINE_MAX; len++) {
            static uint8_t value[HF_LOG_LINE_MAX];
            struct hf_log log = log_of(format ? HF_LOG_JSON : HF_LOG_TEXT);
            struct hf_log_line line;
            memset(value, 'x', sizeof(value));
            hf_log_begin(&line, &log, HF_LOG_INFO, "e");
            hf_log_bytes(&line, "long", hf_bytes_of(value, len));
            hf_log_str(&line, "next", "n");
            hf_log_end(&line);
            assert_int_equal(n_written, 1);
            assert_true(written_len <= HF_LOG_LINE_MAX);
            assert_int_equal(written[written_len - 1], '\n');
            bool has_long = strstr(written, "xxxx"), has_next = strstr(written, "next");
            bool is_cut = strstr(written, format ? ",\"cut\":true}\n" : " cut=true\n");
            assert_int_equal(is_cut, !has_long || !has_next);
            assert_true(!has_next || has_long);
        }
    }
}

static void test_escapes_that_do_not_fit_leave_no_half_field(void **state)
{
    (void)state;
    static uint8_t value[HF_LOG_LINE_MAX];
    memset(value, '\n', sizeof(value));
    for (size_t len = 600; len < 720; len++) {
        struct hf_log log = log_of(HF_LOG_JSON);
        struct hf_log_line line;
        hf_log_begin(&line, &log, HF_LOG_INFO, "e");
        hf_log_bytes(&line, "v", hf_bytes_of(value, len));
        hf_log_end(&line);
        bool whole = strstr(written, "\\u000a\"}\n");
        bool gone = strcmp(written, JSON_HEAD "\"e\",\"cut\":true}\n") == 0;
        assert_true(whole != gone);
    }
}

static void test_a_long_formatted_value_ends_in_dots(void **state)
{
    (void)state;
    struct hf_log log = log_of(HF_LOG_TEXT);
    hf_log_say(&log, HF_LOG_INFO, "e", "%3000d", 1);
    assert_non_null(strstr(written, "...\"\n"));
}

static void test_an_event_without_end_is_not_written(void **state)
{
    (void)state;
    static char event[HF_LOG_LINE_MAX + 10];
    memset(event, 'e', sizeof(event) - 1);
    struct hf_log log = log_of(HF_LOG_TEXT);
    hf_log_say(&log, HF_LOG_INFO, event, "x");
    assert_int_equal(n_written, 0);
}

static void test_no_bytes_can_end_or_forge_a_line(void **state)
{
    (void)state;
    srand(3);
    for (int round = 0; round < 5000; round++) {
        uint8_t value[40];
        struct hf_log log = log_of(round % 2 ? HF_LOG_JSON : HF_LOG_TEXT);
        struct hf_log_line line;
        for (size_t i = 0; i < sizeof(value); i++) {
            value[i] = (uint8_t)rand();
        }
        hf_log_begin(&line, &log, HF_LOG_INFO, "e");
        hf_log_bytes(&line, "v", hf_bytes_of(value, (size_t)rand() % sizeof(value)));
        hf_log_end(&line);
        assert_ptr_equal(memchr(written, '\n', written_len), written + written_len - 1);
        for (size_t i = 0; i + 1 < written_len; i++) {
            assert_true((uint8_t)written[i] >= ' ' && written[i] != 0x7f);
        }
    }
}

static void test_levels_have_names(void **state)
{
    (void)state;
    assert_string_equal(hf_log_level_name(HF_LOG_ERROR), "error");
    assert_string_equal(hf_log_level_name(HF_LOG_WARN), "warn");
    assert_string_equal(hf_log_level_name(HF_LOG_INFO), "info");
    assert_string_equal(hf_log_level_name(HF_LOG_DEBUG), "debug");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_text_line),
        cmocka_unit_test(test_a_json_line),
        cmocka_unit_test(test_a_line_costs_no_allocation),
        cmocka_unit_test(test_lines_below_the_level_are_not_made),
        cmocka_unit_test(test_saying_something),
        cmocka_unit_test(test_a_full_line_is_cut_at_a_field),
        cmocka_unit_test(test_escapes_that_do_not_fit_leave_no_half_field),
        cmocka_unit_test(test_a_long_formatted_value_ends_in_dots),
        cmocka_unit_test(test_an_event_without_end_is_not_written),
        cmocka_unit_test(test_no_bytes_can_end_or_forge_a_line),
        cmocka_unit_test(test_levels_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
