// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "name_server.h"
#include "os/clock.h"
#include "os/dns.h"

static struct hf_loop *loop;
static struct name_server server;
static struct hf_dns *dns;
static struct hf_dns_answer got;
static int n_got;

static const struct name_record records[] = {
    {"two.test", "192.0.2.1", NULL, 60},
    {"two.test", "2001:db8::1", NULL, 30},
    {"alias.test", NULL, "two.test", 7},
    {"empty.test", NULL, "nowhere.test", 7},
};

static int set_up(void **state)
{
    (void)state;
    n_got = 0;
    if (hf_loop_new(&hf_os_clock, &loop) != HF_OK || name_server_open(&server, loop) != HF_OK) {
        return -1;
    }
    server.records = records;
    server.n_records = HF_N_ELEMENTS(records);
    struct hf_dns_options options = {.servers = server.servers, .timeout_ms = 200, .tries = 2};
    return hf_dns_new(loop, &options, &dns) == HF_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    hf_dns_free(dns);
    name_server_close(&server);
    hf_loop_free(loop);
    return 0;
}

static void on_answer(void *ctx, const struct hf_dns_answer *answer)
{
    (void)ctx;
    got = *answer;
    n_got++;
    hf_loop_stop(loop);
}

static void ask(const char *name)
{
    assert_int_equal(hf_dns_ask(dns, name, on_answer, NULL), HF_OK);
    assert_int_equal(hf_loop_run(loop), HF_OK);
    assert_int_equal(n_got, 1);
}

static bool has(const char *ip)
{
    for (size_t i = 0; i < got.n; i++) {
        char text[HF_ADDR_TEXT_SIZE];
        hf_addr_format_ip(&got.addrs[i], text);
        if (strcmp(text, ip) == 0) {
            return true;
        }
    }
    return false;
}

static void test_both_families_are_asked_for_and_the_least_ttl_counts(void **state)
{
    (void)state;
    ask("two.test");
    assert_int_equal(got.err, HF_OK);
    assert_int_equal(got.n, 2);
    assert_true(has("192.0.2.1") && has("2001:db8::1"));
    assert_int_equal(got.ttl_ms, 30000);
    assert_int_equal(server.n_questions[0], 1);
    assert_int_equal(server.n_questions[1], 1);
}

static void test_the_ttl_of_an_alias_counts_too(void **state)
{
    (void)state;
    ask("alias.test");
    assert_int_equal(got.err, HF_OK);
    assert_int_equal(got.n, 2);
    assert_int_equal(got.ttl_ms, 7000);
}

static void test_a_name_that_does_not_exist_is_not_found(void **state)
{
    (void)state;
    ask("none.test.");
    assert_int_equal(got.err, HF_E_NOT_FOUND);
    assert_non_null(strstr(got.reason, "not found"));
}

static void test_a_name_without_addresses_is_not_found(void **state)
{
    (void)state;
    ask("empty.test.");
    assert_int_equal(got.err, HF_E_NOT_FOUND);
}

static void test_a_silent_server_times_out(void **state)
{
    (void)state;
    server.mode = SILENT;
    ask("two.test.");
    assert_int_equal(got.err, HF_E_TIMEOUT);
    assert_true(server.n_questions[0] >= 2);
}

static void test_a_failing_server_is_an_error_but_not_an_absent_name(void **state)
{
    (void)state;
    server.mode = RCODE_FAILED;
    ask("two.test.");
    assert_int_not_equal(got.err, HF_OK);
    assert_int_not_equal(got.err, HF_E_NOT_FOUND);
}

static void test_the_hosts_file_and_literal_addresses_need_no_server(void **state)
{
    (void)state;
    server.mode = SILENT;
    ask("192.0.2.99");
    assert_true(got.n == 1 && has("192.0.2.99"));
    n_got = 0;
    ask("2001:db8::99");
    assert_true(got.n == 1 && has("2001:db8::99"));
    n_got = 0;
    ask("localhost");
    assert_int_equal(got.err, HF_OK);
    assert_true(has("127.0.0.1") || has("::1"));
    assert_int_equal(server.n_questions[0], 0);
}

static void test_freeing_forgets_the_questions(void **state)
{
    (void)state;
    server.mode = SILENT;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(hf_dns_ask(dns, "two.test", on_answer, NULL), HF_OK);
    }
    hf_dns_free(dns);
    dns = NULL;
    assert_int_equal(n_got, 0);
}

static void test_at_most_so_many_addresses_are_taken(void **state)
{
    (void)state;
    enum { N_V4 = 28, N_V6 = 12 }; /* as many as an answer of 512 bytes holds */
    static struct name_record many[N_V4 + N_V6];
    static char texts[N_V4 + N_V6][24];
    for (size_t i = 0; i < HF_N_ELEMENTS(many); i++) {
        snprintf(texts[i], sizeof(texts[i]), "%s%zu", i < N_V4 ? "192.0.2." : "2001:db8::", i + 1);
        many[i] = (struct name_record){"many.test", texts[i], NULL, 60};
    }
    server.records = many;
    server.n_records = N_V4;
    ask("many.test");
    assert_int_equal(got.n, N_V4);
    n_got = 0;
    server.n_records = N_V4 + N_V6;
    ask("many.test");
    assert_int_equal(got.n, HF_DNS_ADDRS_MAX);
}

static void test_servers_that_are_none_are_refused(void **state)
{
    (void)state;
    struct hf_dns *other = NULL;
    struct hf_dns_options options = {.servers = "not a server"};
    assert_int_equal(hf_dns_new(loop, &options, &other), HF_E_INVALID);
    assert_non_null(strstr(hf_err_text(), "not a server"));
    assert_null(other);
    assert_int_equal(hf_dns_new(loop, NULL, &other), HF_OK);
    hf_dns_free(other);
}

static void test_running_out_of_memory_is_told_or_times_out(void **state)
{
    (void)state;
    struct hf_dns *other = NULL;
    hf_alloc_fail_after(1);
    assert_int_equal(hf_dns_new(loop, NULL, &other), HF_E_NOMEM);
    hf_alloc_fail_after(1);
    assert_int_equal(hf_dns_ask(dns, "two.test", on_answer, NULL), HF_E_NOMEM);
    hf_alloc_fail_after(2); /* the watch of the first socket */
    ask("two.test.");
    hf_alloc_fail_after(0);
    assert_true(got.err == HF_OK || got.err == HF_E_TIMEOUT);
}

#define DNS_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        DNS_TEST(test_both_families_are_asked_for_and_the_least_ttl_counts),
        DNS_TEST(test_the_ttl_of_an_alias_counts_too),
        DNS_TEST(test_a_name_that_does_not_exist_is_not_found),
        DNS_TEST(test_a_name_without_addresses_is_not_found),
        DNS_TEST(test_a_silent_server_times_out),
        DNS_TEST(test_a_failing_server_is_an_error_but_not_an_absent_name),
        DNS_TEST(test_the_hosts_file_and_literal_addresses_need_no_server),
        DNS_TEST(test_freeing_forgets_the_questions),
        DNS_TEST(test_at_most_so_many_addresses_are_taken),
        DNS_TEST(test_servers_that_are_none_are_refused),
        DNS_TEST(test_running_out_of_memory_is_told_or_times_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
