// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/mem.h"
#include "facts_fixture.h"
#include "http/access.h"

static int64_t wall_ms(void *ctx)
{
    (void)ctx;
    return NOW_MS;
}

static const struct hf_clock clock_of_now = {.wall_ms = wall_ms};

struct sink {
    size_t n;
    char line[HF_ACCESS_LINE_MAX + 1];
};

static void take(void *ctx, struct hf_bytes line)
{
    struct sink *sink = ctx;
    assert_in_range(line.len, 1, HF_ACCESS_LINE_MAX);
    memcpy(sink->line, line.ptr, line.len);
    sink->line[line.len] = '\0';
    sink->n++;
}

/* Writes one line; it ends with the only newline, which is taken off. */
static void write_line(enum hf_access_format format, const char *tmpl,
                       enum hf_log_format log_format, const struct hf_facts *facts,
                       struct sink *sink)
{
    struct hf_access *access = NULL;
    struct hf_log log = {HF_LOG_ERROR, log_format, &clock_of_now, sink, take};
    sink->n = 0;
    assert_int_equal(hf_access_new(format, tmpl, &access), HF_OK);
    hf_access_write(access, &log, facts);
    hf_access_free(access);
    assert_int_equal(sink->n, 1);
    char *end = strchr(sink->line, '\n');
    assert_non_null(end);
    assert_string_equal(end, "\n");
    *end = '\0';
}

static struct hf_ending good_outcome(void)
{
    return (struct hf_ending){.verdict = HF_REASON_OK,
                              .rule = "ops",
                              .status = 200,
                              .upstream = "app",
                              .server = "127.0.0.1:8080",
                              .upstream_status = 200,
                              .tries = 1,
                              .bytes_in = 10,
                              .bytes_out = 2000,
                              .total_us = 812,
                              .connect_us = 100,
                              .first_byte_us = 700};
}

static void fields_are_json(void **state)
{
    (void)state;
    static struct sink sink;
    struct hf_identity peer = alice();
    struct hf_facts facts = facts_of(&peer);
    struct hf_ending outcome = good_outcome();
    facts.outcome = &outcome;
    write_line(HF_ACCESS_FIELDS, NULL, HF_LOG_JSON, &facts, &sink);
    assert_string_equal(
        sink.line,
        "{\"time\":\"2026-11-20T23:06:00.000Z\",\"level\":\"info\",\"event\":\"request\","
        "\"id\":\"00c0ffee00000002\",\"connection\":\"00c0ffee00000001\",\"listener\":\"api\","
        "\"client\":\"192.0.2.43\",\"identity\":\"alice\",\"serial\":\"1f2e\",\"verified\":true,"
        "\"verdict\":\"ok\",\"rule\":\"ops\",\"route\":\"main\",\"status\":200,"
        "\"upstream\":\"app\",\"server\":\"127.0.0.1:8080\",\"upstream_status\":200,"
        "\"bytes_in\":10,\"bytes_out\":2000,\"took_us\":812,\"connect_us\":100,"
        "\"first_byte_us\":700,\"trace\":\"0af7651916cd43dd8448eb211c80319c\","
        "\"span\":\"b7ad6b7169203331\",\"protocol\":\"HTTP/1.1\",\"method\":\"GET\","
        "\"host\":\"api.example.org:8443\",\"target\":\"/a/b?c=d\"}");
}

static void refusals_and_failures_are_told(void **state)
{
    (void)state;
    static struct sink sink;
    struct hf_facts facts = facts_of(NULL);
    struct hf_ending outcome = {.verdict = HF_REASON_NO_CERTIFICATE,
                                .status = 403,
                                .tries = 3,
                                .cause = "client-reset",
                                .total_us = 5,
                                .connect_us = -1,
                                .first_byte_us = -1};
    facts.outcome = &outcome;
    facts.trusted = true;
    facts.peer_address = "10.0.0.1";
    facts.ids = NULL;
    facts.route = NULL;
    write_line(HF_ACCESS_FIELDS, NULL, HF_LOG_TEXT, &facts, &sink);
    assert_string_equal(
        sink.line, "2026-11-20T23:06:00.000Z info request connection=00c0ffee00000001 listener=api "
                   "client=192.0.2.43 by=10.0.0.1 verdict=no-certificate status=403 "
                   "cause=client-reset tries=3 bytes_in=0 bytes_out=0 took_us=5 "
                   "protocol=HTTP/1.1 method=GET host=api.example.org:8443 target=\"/a/b?c=d\"");
}

static void long_targets_are_cut_and_the_rest_is_there(void **state)
{
    (void)state;
    static struct sink sink;
    static char target[8000];
    struct hf_identity peer = alice();
    struct hf_facts facts = facts_of(&peer);
    struct hf_ending outcome = good_outcome();
    memset(target, '"', sizeof(target));
    target[0] = '/';
    facts.outcome = &outcome;
    facts.path = hf_bytes_of(target, sizeof(target));
    write_line(HF_ACCESS_FIELDS, NULL, HF_LOG_JSON, &facts, &sink);
    json_error_t error;
    json_t *json = json_loads(sink.line, JSON_REJECT_DUPLICATES, &error);
    assert_non_null(json);
    const char *is = json_string_value(json_object_get(json, "target"));
    assert_int_equal(strlen(is), 1024 + 3);
    assert_string_equal(is + 1024, "...");
    json_decref(json);
}

static void combined_is_what_apache_writes(void **state)
{
    (void)state;
    static struct sink sink;
    struct hf_identity peer = alice();
    struct hf_facts facts = facts_of(&peer);
    struct hf_ending outcome = good_outcome();
    struct hf_http_msg msg;
    hf_http_msg_init(&msg, 4096, 8);
    assert_int_equal(hf_http_msg_add_str(&msg, "referer", "https://example.org/\"x"), HF_OK);
    assert_int_equal(hf_http_msg_add_str(&msg, "user-agent", "curl/7.88"), HF_OK);
    facts.request = &msg;
    facts.outcome = &outcome;
    write_line(HF_ACCESS_COMBINED, NULL, HF_LOG_JSON, &facts, &sink);
    assert_string_equal(sink.line,
                        "192.0.2.43 - alice [20/Nov/2026:23:06:00 +0000] "
                        "\"GET /a/b?c=d HTTP/1.1\" 200 2000 \"https://example.org/\\x22x\" "
                        "\"curl/7.88\"");
    facts.verified = false;
    facts.request = NULL;
    outcome.status = 0;
    write_line(HF_ACCESS_COMBINED, NULL, HF_LOG_JSON, &facts, &sink);
    assert_string_equal(sink.line, "192.0.2.43 - - [20/Nov/2026:23:06:00 +0000] "
                                   "\"GET /a/b?c=d HTTP/1.1\" - 2000 \"-\" \"-\"");
    hf_http_msg_done(&msg);
}

static void templates_are_the_operators(void **state)
{
    (void)state;
    static struct sink sink;
    static char target[HF_ACCESS_LINE_MAX + 100];
    struct hf_identity peer = alice();
    struct hf_facts facts = facts_of(&peer);
    struct hf_ending outcome = good_outcome();
    facts.outcome = &outcome;
    write_line(HF_ACCESS_TEMPLATE, "{peer.cn} {status} {took.us}", HF_LOG_TEXT, &facts, &sink);
    assert_string_equal(sink.line, "alice 200 812");
    memset(target, 'a', sizeof(target));
    facts.path = hf_bytes_of(target, sizeof(target));
    write_line(HF_ACCESS_TEMPLATE, "{status} {request.target}", HF_LOG_TEXT, &facts, &sink);
    assert_int_equal(strncmp(sink.line, "200 ", 4), 0);
    assert_string_equal(sink.line + strlen(sink.line) - 3, "...");
    struct hf_access *access = NULL;
    assert_int_equal(hf_access_new(HF_ACCESS_TEMPLATE, "{nothing}", &access), HF_E_INVALID);
    assert_null(access);
}

static void off_is_off(void **state)
{
    (void)state;
    static struct sink sink;
    struct hf_access *access = NULL;
    struct hf_log log = {HF_LOG_DEBUG, HF_LOG_JSON, &clock_of_now, &sink, take};
    struct hf_facts facts = facts_of(NULL);
    assert_int_equal(hf_access_new(HF_ACCESS_OFF, NULL, &access), HF_OK);
    sink.n = 0;
    hf_access_write(access, &log, &facts);
    hf_access_write(NULL, &log, &facts);
    assert_int_equal(sink.n, 0);
    hf_access_free(access);
    hf_access_free(NULL);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    static struct sink sink;
    struct hf_log log = {HF_LOG_DEBUG, HF_LOG_JSON, &clock_of_now, &sink, take};
    struct hf_facts facts = facts_of(NULL);
    enum hf_err err = HF_E_NOMEM;
    for (size_t n = 1; err != HF_OK; n++) {
        struct hf_access *access = NULL;
        hf_alloc_fail_after(n);
        err = hf_access_new(HF_ACCESS_COMBINED, NULL, &access);
        hf_access_write(access, &log, &facts);
        hf_alloc_fail_after(0);
        assert_true(err == HF_OK || err == HF_E_NOMEM);
        hf_access_free(access);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_json),
        cmocka_unit_test(refusals_and_failures_are_told),
        cmocka_unit_test(long_targets_are_cut_and_the_rest_is_there),
        cmocka_unit_test(combined_is_what_apache_writes),
        cmocka_unit_test(templates_are_the_operators),
        cmocka_unit_test(off_is_off),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
