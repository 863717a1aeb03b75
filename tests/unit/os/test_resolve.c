// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "base/mem.h"
#include "name_server.h"
#include "os/clock.h"
#include "os/resolve.h"

/* Times are long and passed by setting the clock forward, so that a slow machine changes nothing.
 */
enum { TTL_MS = 60000, STALE_MS = 200000, MOMENT_MS = 10 };

static int64_t forward_ns;

static int64_t mono_ns(void *ctx)
{
    (void)ctx;
    return hf_clock_mono_ns(&hf_os_clock) + forward_ns;
}

static const struct hf_clock clock_forward = {.mono_ns = mono_ns};

struct probe {
    struct hf_resolve *lookup;
    enum hf_err err;
    size_t n;
    struct hf_addr first;
    int n_calls;
};

static struct hf_loop *loop;
static struct name_server server;
static struct hf_resolver *resolver;
static int n_wanted; /* answers after which the loop stops */
static int n_results, n_kept;

static struct name_record records[] = {{"db.test", "192.0.2.1", NULL, 1}};

static void on_result(void *ctx, const char *host, const struct hf_dns_answer *answer, bool kept)
{
    assert_ptr_equal(ctx, &records);
    assert_non_null(host);
    assert_true(!kept || answer->err != HF_OK);
    n_results++;
    n_kept += kept;
}

static int set_up(void **state)
{
    (void)state;
    n_results = n_kept = 0;
    records[0].address = "192.0.2.1";
    if (hf_loop_new(&clock_forward, &loop) != HF_OK || name_server_open(&server, loop) != HF_OK) {
        return -1;
    }
    server.records = records;
    server.n_records = HF_N_ELEMENTS(records);
    struct hf_resolver_options options = {
        .servers = server.servers,
        .timeout_ms = 200,
        .tries = 2,
        .min_ttl_ms = TTL_MS,
        .max_ttl_ms = TTL_MS,
        .stale_ms = STALE_MS,
        .on_result = on_result,
        .ctx = &records,
    };
    return hf_resolver_new(loop, &options, &resolver) == HF_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    hf_resolver_free(resolver);
    resolver = NULL;
    name_server_close(&server);
    hf_loop_free(loop);
    return 0;
}

static void on_done(void *ctx, enum hf_err err, const struct hf_addr *addrs, size_t n)
{
    struct probe *probe = ctx;
    probe->lookup = NULL;
    probe->err = err;
    probe->n = n;
    probe->first = n ? addrs[0] : (struct hf_addr){0};
    probe->n_calls++;
    if (--n_wanted == 0) {
        hf_loop_stop(loop);
    }
}

static void start_with(struct probe *probe, const char *host, hf_resolve_fn *fn)
{
    *probe = (struct probe){0};
    assert_int_equal(hf_resolve(resolver, host, 5432, fn, probe, &probe->lookup), HF_OK);
    assert_int_equal(probe->n_calls, 0); /* never from within */
}

static void start(struct probe *probe, const char *host)
{
    start_with(probe, host, on_done);
}

static void run_until(int n)
{
    n_wanted = n;
    assert_int_equal(hf_loop_run(loop), HF_OK);
}

static void resolve(struct probe *probe, const char *host)
{
    start(probe, host);
    run_until(1);
    assert_int_equal(probe->n_calls, 1);
}

static void on_moment_over(struct hf_timer *timer)
{
    (void)timer;
    hf_loop_stop(loop);
}

static void pass_moment(void)
{
    struct hf_timer timer = {.on_due = on_moment_over};
    n_wanted = 0;
    hf_timer_set(loop, &timer, MOMENT_MS);
    assert_int_equal(hf_loop_run(loop), HF_OK);
}

static void pass_ms(int64_t ms)
{
    forward_ns += ms * 1000000;
    pass_moment();
}

static void assert_is(const struct hf_addr *addr, const char *want)
{
    char text[HF_ADDR_TEXT_SIZE];
    hf_addr_format(addr, text);
    assert_string_equal(text, want);
}

/* The address that is given without waiting, as text; "" when there is none. */
static const char *cached(const char *host)
{
    static char text[HF_ADDR_TEXT_SIZE];
    struct hf_addr addr;
    text[0] = '\0';
    if (hf_resolve_cached(resolver, host, 5432, &addr, 1)) {
        hf_addr_format(&addr, text);
    }
    return text;
}

static void test_an_answer_has_the_port_and_is_remembered(void **state)
{
    (void)state;
    struct probe probe;
    assert_string_equal(cached("db.test"), "");
    resolve(&probe, "db.test");
    assert_int_equal(probe.err, HF_OK);
    assert_is(&probe.first, "192.0.2.1:5432");
    assert_string_equal(cached("db.test"), "192.0.2.1:5432");
    assert_string_equal(cached("DB.Test"), "192.0.2.1:5432");
    resolve(&probe, "db.test");
    assert_is(&probe.first, "192.0.2.1:5432");
    assert_int_equal(server.n_questions[0], 1);
}

static void test_many_who_want_a_name_share_one_question(void **state)
{
    (void)state;
    struct probe probes[20];
    for (size_t i = 0; i < HF_N_ELEMENTS(probes); i++) {
        start(&probes[i], "db.test");
    }
    run_until(20);
    for (size_t i = 0; i < HF_N_ELEMENTS(probes); i++) {
        assert_int_equal(probes[i].n_calls, 1);
        assert_is(&probes[i].first, "192.0.2.1:5432");
    }
    assert_int_equal(server.n_questions[0], 1);
    assert_int_equal(n_results, 1);
}

static void test_a_stale_answer_serves_while_a_new_one_is_fetched(void **state)
{
    (void)state;
    struct probe probe;
    resolve(&probe, "db.test");
    records[0].address = "192.0.2.2";
    pass_ms(TTL_MS);
    resolve(&probe, "db.test");
    assert_is(&probe.first, "192.0.2.1:5432");
    for (int i = 0; i < 1000 && strcmp(cached("db.test"), "192.0.2.2:5432") != 0; i++) {
        assert_string_equal(cached("db.test"), "192.0.2.1:5432"); /* never without an answer */
        pass_moment();
    }
    assert_string_equal(cached("db.test"), "192.0.2.2:5432");
}

static void test_an_old_answer_is_not_given(void **state)
{
    (void)state;
    struct probe probe;
    resolve(&probe, "db.test");
    records[0].address = "192.0.2.3";
    pass_ms(TTL_MS + STALE_MS);
    assert_int_equal(server.n_questions[0], 1); /* nobody wanted it, nobody asked */
    assert_string_equal(cached("db.test"), "");
    resolve(&probe, "db.test");
    assert_is(&probe.first, "192.0.2.3:5432");
}

static void check_last_answer_kept(int mode)
{
    struct probe probe;
    resolve(&probe, "db.test");
    server.mode = mode;
    pass_ms(TTL_MS);
    for (int i = 0; i < 1000 && n_kept == 0; i++) {
        assert_string_equal(cached("db.test"), "192.0.2.1:5432");
        pass_moment();
    }
    assert_true(n_kept > 0);
    assert_string_equal(cached("db.test"), "192.0.2.1:5432");
    pass_ms(2 * TTL_MS + STALE_MS); /* now it is old */
    resolve(&probe, "db.test");
    assert_int_equal(probe.err, HF_OK);
    assert_is(&probe.first, "192.0.2.1:5432");
    server.mode = RCODE_OK;
    records[0].address = "192.0.2.4";
    pass_ms(2 * TTL_MS + STALE_MS);
    resolve(&probe, "db.test");
    assert_is(&probe.first, "192.0.2.4:5432");
}

static void test_the_last_answer_outlives_a_silent_server(void **state)
{
    (void)state;
    check_last_answer_kept(SILENT);
}

static void test_the_last_answer_outlives_a_failing_server(void **state)
{
    (void)state;
    check_last_answer_kept(RCODE_FAILED);
}

static void test_the_last_answer_outlives_a_name_gone_missing(void **state)
{
    (void)state;
    check_last_answer_kept(RCODE_NO_SUCH_NAME);
}

static void test_a_failure_names_the_host_and_is_not_asked_for_again_at_once(void **state)
{
    (void)state;
    struct probe probe;
    resolve(&probe, "none.test.");
    assert_int_equal(probe.err, HF_E_NOT_FOUND);
    assert_int_equal(probe.n, 0);
    assert_non_null(strstr(hf_err_text(), "none.test."));
    unsigned n_asked = server.n_questions[0];
    resolve(&probe, "none.test.");
    assert_int_equal(probe.err, HF_E_NOT_FOUND);
    assert_string_equal(cached("none.test."), "");
    assert_int_equal(server.n_questions[0], n_asked);
    assert_int_equal(n_kept, 0);
    pass_ms(TTL_MS);
    server.mode = SILENT;
    resolve(&probe, "none.test.");
    assert_int_equal(probe.err, HF_E_TIMEOUT);
}

static void test_a_cancelled_question_is_not_answered(void **state)
{
    (void)state;
    struct probe kept, cancelled;
    start(&cancelled, "db.test");
    start(&kept, "db.test");
    hf_resolve_cancel(cancelled.lookup);
    run_until(1);
    assert_int_equal(kept.n_calls, 1);
    assert_int_equal(cancelled.n_calls, 0);
    start(&cancelled, "db.test"); /* known, and not yet told */
    hf_resolve_cancel(cancelled.lookup);
    hf_resolve_cancel(NULL);
    pass_moment();
    assert_int_equal(cancelled.n_calls, 0);
}

static struct probe others[3];

static void cancel_the_others(void *ctx, enum hf_err err, const struct hf_addr *addrs, size_t n)
{
    for (size_t i = 0; i < HF_N_ELEMENTS(others); i++) {
        hf_resolve_cancel(others[i].lookup);
    }
    on_done(ctx, err, addrs, n);
}

static void test_an_answer_may_cancel_other_questions(void **state)
{
    (void)state;
    struct probe first;
    start_with(&first, "db.test", cancel_the_others);
    for (size_t i = 0; i < HF_N_ELEMENTS(others); i++) {
        start(&others[i], "db.test");
    }
    run_until(1);
    pass_moment();
    assert_int_equal(first.n_calls, 1);
    assert_int_equal(others[0].n_calls + others[1].n_calls + others[2].n_calls, 0);
}

static void free_the_resolver(void *ctx, enum hf_err err, const struct hf_addr *addrs, size_t n)
{
    hf_resolver_free(resolver);
    resolver = NULL;
    on_done(ctx, err, addrs, n);
}

static void test_an_answer_may_free_the_resolver(void **state)
{
    (void)state;
    struct probe first, second;
    start_with(&first, "db.test", free_the_resolver);
    start(&second, "db.test");
    run_until(1);
    assert_int_equal(first.n_calls, 1);
    assert_int_equal(second.n_calls, 0);
}

static void test_freeing_the_resolver_forgets_what_is_asked(void **state)
{
    (void)state;
    struct probe known, asked;
    resolve(&known, "db.test");
    start(&known, "db.test");
    start(&asked, "other.test");
    hf_resolver_free(resolver);
    resolver = NULL;
    pass_moment();
    assert_int_equal(known.n_calls + asked.n_calls, 0);
    hf_resolver_free(NULL);
}

static void ask_again(void *ctx, enum hf_err err, const struct hf_addr *addrs, size_t n)
{
    struct probe *probe = ctx;
    on_done(ctx, err, addrs, n);
    if (probe->n_calls < 3) {
        assert_int_equal(hf_resolve(resolver, "db.test", 1, ask_again, ctx, &probe->lookup), HF_OK);
    }
}

static void test_an_answer_may_ask_again(void **state)
{
    (void)state;
    struct probe probe;
    start_with(&probe, "db.test", ask_again);
    run_until(3);
    assert_int_equal(probe.n_calls, 3);
}

static void test_impossible_names_are_refused(void **state)
{
    (void)state;
    struct probe probe;
    char host[300];
    memset(host, 'a', sizeof(host) - 1);
    host[sizeof(host) - 1] = '\0';
    assert_int_equal(hf_resolve(resolver, host, 1, on_done, &probe, &probe.lookup), HF_E_INVALID);
    assert_int_equal(hf_resolve(resolver, "", 1, on_done, &probe, &probe.lookup), HF_E_INVALID);
    assert_string_equal(cached(host), "");
}

/* Literal addresses need no server, so there can be many names at once. */
static void test_names_beyond_the_limit_take_the_place_of_old_ones(void **state)
{
    (void)state;
    enum { N = HF_RESOLVE_NAMES_MAX + 100 };
    struct probe *probes = calloc(N + 1, sizeof(*probes));
    assert_non_null(probes);
    for (int i = 0; i < N; i++) {
        char host[32];
        snprintf(host, sizeof(host), "10.0.%d.%d", i / 256, i % 256);
        start(&probes[i], host);
    }
    run_until(N);
    for (int i = 0; i < N; i++) {
        assert_int_equal(probes[i].n_calls, 1);
    }
    assert_string_equal(cached("10.0.0.0"), "10.0.0.0:5432");
    pass_ms(TTL_MS);
    resolve(&probes[N], "10.1.0.0");
    assert_int_equal(probes[N].err, HF_OK);
    free(probes);
}

static void test_running_out_of_memory_is_told_and_harms_nothing(void **state)
{
    (void)state;
    struct hf_resolver *other = NULL;
    struct probe probe;
    for (size_t n = 1; n <= 2; n++) {
        hf_alloc_fail_after(n);
        assert_int_equal(hf_resolver_new(loop, NULL, &other), HF_E_NOMEM);
        assert_null(other);
    }
    /* With the first name: the entry, the map's slots, its copy of the name. */
    for (size_t n = 1; n <= 3; n++) {
        hf_alloc_fail_after(n);
        enum hf_err err = hf_resolve(resolver, "db.test", 1, on_done, &probe, &probe.lookup);
        hf_alloc_fail_after(0);
        assert_int_equal(err, HF_E_NOMEM);
    }
    for (size_t n = 1; n <= 4; n++) { /* the entry, the copy, the question, the asking */
        char host[16];
        snprintf(host, sizeof(host), "host%zu.test", n);
        hf_alloc_fail_after(n);
        enum hf_err err = hf_resolve(resolver, host, 1, on_done, &probe, &probe.lookup);
        hf_alloc_fail_after(0);
        assert_int_equal(err, HF_E_NOMEM);
    }
    resolve(&probe, "db.test");
    assert_int_equal(probe.err, HF_OK);
}

#define RESOLVE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RESOLVE_TEST(test_an_answer_has_the_port_and_is_remembered),
        RESOLVE_TEST(test_many_who_want_a_name_share_one_question),
        RESOLVE_TEST(test_a_stale_answer_serves_while_a_new_one_is_fetched),
        RESOLVE_TEST(test_an_old_answer_is_not_given),
        RESOLVE_TEST(test_the_last_answer_outlives_a_silent_server),
        RESOLVE_TEST(test_the_last_answer_outlives_a_failing_server),
        RESOLVE_TEST(test_the_last_answer_outlives_a_name_gone_missing),
        RESOLVE_TEST(test_a_failure_names_the_host_and_is_not_asked_for_again_at_once),
        RESOLVE_TEST(test_a_cancelled_question_is_not_answered),
        RESOLVE_TEST(test_an_answer_may_cancel_other_questions),
        RESOLVE_TEST(test_an_answer_may_free_the_resolver),
        RESOLVE_TEST(test_freeing_the_resolver_forgets_what_is_asked),
        RESOLVE_TEST(test_an_answer_may_ask_again),
        RESOLVE_TEST(test_impossible_names_are_refused),
        RESOLVE_TEST(test_names_beyond_the_limit_take_the_place_of_old_ones),
        RESOLVE_TEST(test_running_out_of_memory_is_told_and_harms_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
