// SPDX-License-Identifier: Apache-2.0
#include "support.h"

#include <string.h>

#include "base/mem.h"

static struct hf_mark at(int line, int column)
{
    return (struct hf_mark){.line = line, .column = column};
}

static void assert_formats(struct hf_findings *findings,
                           enum hf_err (*format)(struct hf_findings *findings, struct hf_buf *out),
                           const char *expected)
{
    struct hf_buf out = HF_BUF_INIT(1 << 20);
    assert_int_equal(format(findings, &out), HF_OK);
    assert_string_equal(hf_buf_cstr(&out), expected);
    hf_buf_done(&out);
}

static void none_is_empty(void **state)
{
    (void)state;
    struct hf_findings findings = {0};
    assert_formats(&findings, hf_findings_format, "");
    assert_formats(&findings, hf_findings_json, "[]\n");
    hf_findings_done(&findings);
}

static void lines_are_in_the_order_of_the_file(void **state)
{
    (void)state;
    struct hf_findings findings = {0};
    assert_int_equal(hf_findings_file(&findings, "f.yaml"), HF_OK);
    hf_findings_add(&findings, HF_FINDING_EXPIRING, at(9, 1), "last");
    hf_findings_add(&findings, HF_FINDING_UNKNOWN_KEY, at(2, 7), "third %d", 3);
    hf_findings_add(&findings, HF_FINDING_CONFLICT, at(2, 7), "fourth");
    hf_findings_add(&findings, HF_FINDING_BAD_VALUE, at(2, 3), "second");
    hf_findings_add(&findings, HF_FINDING_LIMIT, at(0, 0), "first");
    assert_int_equal(findings.n, 5);
    assert_int_equal(findings.n_errors, 4);
    assert_formats(&findings, hf_findings_format,
                   "f.yaml: error: first\n"
                   "f.yaml:2:3: error: second\n"
                   "f.yaml:2:7: error: third 3\n"
                   "f.yaml:2:7: error: fourth\n"
                   "f.yaml:9:1: warning: last\n");
    hf_findings_done(&findings);
}

static void json_has_ids_and_places(void **state)
{
    (void)state;
    struct hf_findings findings = {0};
    assert_int_equal(hf_findings_file(&findings, "a\"b.yaml"), HF_OK);
    hf_findings_add(&findings, HF_FINDING_BAD_VALUE, at(2, 3), "say \"x\"");
    hf_findings_add(&findings, HF_FINDING_FILE, (struct hf_mark){.flag = "--cert"}, "gone");
    assert_formats(&findings, hf_findings_json,
                   "[\n {\"flag\":\"--cert\",\"level\":\"error\",\"id\":\"file\",\"text\":\"gone\"}"
                   ",\n {\"file\":\"a\\\"b.yaml\",\"line\":2,\"column\":3,\"level\":\"error\","
                   "\"id\":\"bad-value\",\"text\":\"say \\\"x\\\"\"}\n]\n");
    hf_findings_done(&findings);
}

static void what_a_file_holds_cannot_reach_a_terminal_raw(void **state)
{
    (void)state;
    struct hf_findings findings = {0};
    hf_findings_add(&findings, HF_FINDING_BAD_VALUE, at(1, 1), "\"%s\" is not accepted",
                    "\x1b[2J\xe2\x80\xae\n");
    assert_null(strpbrk(findings.item[0].text, "\x1b\n"));
    assert_null(strstr(findings.item[0].text, "\xe2\x80\xae"));
    hf_findings_done(&findings);
}

static void thousands_are_counted_but_not_kept(void **state)
{
    (void)state;
    struct hf_findings findings = {0};
    for (int i = 0; i < 5000; i++) {
        hf_findings_add(&findings, HF_FINDING_UNKNOWN_KEY, at(i, 1), "x");
    }
    assert_int_equal(findings.n_errors, 5000);
    assert_int_equal(findings.n, 1000);
    hf_findings_done(&findings);
}

static void out_of_memory_is_an_error_too(void **state)
{
    (void)state;
    for (size_t n = 1; n <= 3; n++) {
        struct hf_findings findings = {0};
        hf_alloc_fail_after(n);
        hf_findings_add(&findings, HF_FINDING_EXPIRING, at(1, 1), "a warning");
        hf_alloc_fail_after(0);
        assert_int_equal(findings.n_errors, 1);
        assert_true(findings.out_of_memory);
        assert_formats(&findings, hf_findings_format, "out of memory: some findings are missing\n");
        hf_findings_done(&findings);
    }
}

static void every_id_is_unique_and_documented(void **state)
{
    (void)state;
    for (int i = 0; i < HF_FINDING_N; i++) {
        const char *name = hf_finding_name((enum hf_finding_id)i);
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz-"), strlen(name));
        assert_true(strlen(hf_finding_doc((enum hf_finding_id)i)) > 10);
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(name, hf_finding_name((enum hf_finding_id)j));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(none_is_empty),
        cmocka_unit_test(lines_are_in_the_order_of_the_file),
        cmocka_unit_test(json_has_ids_and_places),
        cmocka_unit_test(what_a_file_holds_cannot_reach_a_terminal_raw),
        cmocka_unit_test(thousands_are_counted_but_not_kept),
        cmocka_unit_test(out_of_memory_is_an_error_too),
        cmocka_unit_test(every_id_is_unique_and_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
