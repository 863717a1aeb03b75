// SPDX-License-Identifier: Apache-2.0
#include "proxy/reports.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#include <cmocka.h>

static struct hf_report report_of(const char *client, enum hf_reason reason, int64_t at_s)
{
    return (struct hf_report){.listener = "api",
                              .client = client,
                              .peer = "192.0.2.7:1234",
                              .text = "why",
                              .reason = reason,
                              .id = 7,
                              .at_s = at_s};
}

static json_t *rows_of(struct hf_reports *reports, json_t **out_all)
{
    *out_all = hf_reports_json(reports);
    assert_non_null(*out_all);
    return json_object_get(*out_all, "reports");
}

static void they_are_counted_by_client_and_reason_last_seen_first(void **state)
{
    struct hf_reports *reports = NULL;
    json_t *all;
    (void)state;
    assert_int_equal(hf_reports_new(&reports), HF_OK);
    struct hf_report rows[] = {
        report_of("bob", HF_REASON_EXPIRED, 100), report_of("bob", HF_REASON_UNKNOWN_CA, 200),
        report_of("carol", HF_REASON_EXPIRED, 300), report_of("bob", HF_REASON_EXPIRED, 400)};
    for (size_t i = 0; i < HF_N_ELEMENTS(rows); i++) {
        hf_reports_add(reports, &rows[i]);
    }
    hf_reports_add(NULL, &rows[0]);
    json_t *found = rows_of(reports, &all);
    assert_int_equal(json_array_size(found), 3);
    const json_t *first = json_array_get(found, 0);
    assert_string_equal(json_string_value(json_object_get(first, "client")), "bob");
    assert_string_equal(json_string_value(json_object_get(first, "code")), "expired");
    assert_int_equal(json_integer_value(json_object_get(first, "times")), 2);
    assert_string_equal(json_string_value(json_object_get(first, "first")), "1970-01-01T00:01:40Z");
    assert_string_equal(json_string_value(json_object_get(first, "last")), "1970-01-01T00:06:40Z");
    json_decref(all);
    hf_reports_free(reports);
    hf_reports_free(NULL);
}

static void who_was_not_seen_for_longest_makes_room(void **state)
{
    struct hf_reports *reports = NULL;
    json_t *all;
    char name[16];
    (void)state;
    assert_int_equal(hf_reports_new(&reports), HF_OK);
    for (int i = 0; i < HF_REPORTS_MAX + 2; i++) {
        snprintf(name, sizeof(name), "c%d", i == HF_REPORTS_MAX ? 0 : i);
        struct hf_report report = report_of(name, HF_REASON_EXPIRED, i);
        hf_reports_add(reports, &report);
    }
    json_t *found = rows_of(reports, &all);
    assert_int_equal(json_array_size(found), HF_REPORTS_MAX);
    assert_int_equal(json_integer_value(json_object_get(all, "forgotten")), 1);
    const json_t *oldest = json_array_get(found, HF_REPORTS_MAX - 1);
    assert_string_equal(json_string_value(json_object_get(oldest, "client")), "c2");
    json_decref(all);
    hf_reports_free(reports);
}

static void without_memory_nobody_is_listed(void **state)
{
    struct hf_reports *reports = NULL;
    struct hf_report report = report_of("bob", HF_REASON_EXPIRED, 1);
    json_t *all;
    (void)state;
    assert_int_equal(hf_reports_new(&reports), HF_OK);
    hf_alloc_fail_after(1);
    hf_reports_add(reports, &report);
    hf_alloc_fail_after(0);
    assert_int_equal(json_array_size(rows_of(reports, &all)), 0);
    json_decref(all);
    hf_reports_add(reports, &report);
    assert_int_equal(json_array_size(rows_of(reports, &all)), 1);
    json_decref(all);
    hf_reports_free(reports);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_counted_by_client_and_reason_last_seen_first),
        cmocka_unit_test(who_was_not_seen_for_longest_makes_room),
        cmocka_unit_test(without_memory_nobody_is_listed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
