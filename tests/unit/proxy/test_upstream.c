// SPDX-License-Identifier: Apache-2.0
/* Dials against listening sockets of the test's own: balance, retries, deadlines, cancelling. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/clock.h"
#include "proxy/upstream.h"

enum { N_SERVERS = 3 };

struct fixture {
    struct hf_loop *loop;
    struct hf_resolver *resolver;
    struct hf_metrics *metrics;
    struct hf_cfg_upstream cfg;
    struct hf_cfg_server cfg_servers[N_SERVERS];
    struct hf_server servers[N_SERVERS];
    struct hf_server_state states[N_SERVERS];
    struct hf_upstream_state upstream_state;
    struct hf_upstream upstream;
    struct hf_dial_env env;
    struct hf_dial *dial;
    int listening[N_SERVERS];
    char texts[N_SERVERS][HF_ADDR_TEXT_SIZE];
    struct hf_timer wait;
    unsigned calls;
    struct hf_dial_result result;
    char why[1024];
};

static void listen_on(struct fixture *f, size_t i)
{
    struct hf_addr any;
    struct hf_cfg_server *cfg = &f->cfg_servers[i];
    assert_int_equal(hf_addr_parse("127.0.0.1:0", &any), HF_OK);
    assert_int_equal(hf_sock_listen(&any, 8, 0, &f->listening[i]), HF_OK);
    cfg->addr.len = sizeof(cfg->addr.storage);
    assert_int_equal(getsockname(f->listening[i], &cfg->addr.sa, &cfg->addr.len), 0);
    hf_addr_format(&cfg->addr, f->texts[i]);
    cfg->text = f->texts[i];
    cfg->is_address = true;
    f->servers[i] = (struct hf_server){
        .cfg = cfg, .state = &f->states[i], .upstream = &f->upstream, .index = i};
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    assert_int_equal(hf_loop_new(&hf_os_clock, &f->loop), HF_OK);
    assert_int_equal(hf_resolver_new(f->loop, NULL, &f->resolver), HF_OK);
    assert_int_equal(hf_metrics_new(1, 100, &f->metrics), HF_OK);
    for (size_t i = 0; i < N_SERVERS; i++) {
        listen_on(f, i);
    }
    f->cfg.connect_timeout_ms = 2000;
    f->cfg.servers = f->cfg_servers;
    f->cfg.n_servers = N_SERVERS;
    f->upstream = (struct hf_upstream){
        .cfg = &f->cfg,
        .state = &f->upstream_state,
        .servers = f->servers,
        .n_servers = N_SERVERS,
        .failures = hf_metrics_counter(f->metrics, "failures_total", "Failures.", NULL),
    };
    assert_int_equal(hf_balance_table_init(&f->upstream.table, &f->cfg), HF_OK);
    f->env = (struct hf_dial_env){f->loop, f->resolver, 0};
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    hf_dial_free(f->dial);
    hf_balance_table_done(&f->upstream.table);
    for (size_t i = 0; i < N_SERVERS; i++) {
        hf_closep(&f->listening[i]);
    }
    hf_metrics_release(f->metrics, f->upstream.failures);
    hf_metrics_free(f->metrics);
    hf_resolver_free(f->resolver);
    hf_loop_free(f->loop);
    free(f);
    return 0;
}

static void on_end(void *ctx, const struct hf_dial_result *result)
{
    struct fixture *f = ctx;
    f->calls++;
    f->result = *result;
    hf_closep(&f->result.fd);
    if (result->server) {
        hf_dial_leave(result->server);
    }
    snprintf(f->why, sizeof(f->why), "%s", result->why ? result->why : "");
    hf_loop_stop(f->loop);
}

/* Dials once; gives the index of the server that was reached, N_SERVERS when none was. */
static size_t dial(struct fixture *f)
{
    f->calls = 0;
    hf_dial_free(f->dial);
    assert_int_equal(hf_dial_start(&f->env, &f->upstream, on_end, f, &f->dial), HF_OK);
    assert_int_equal(f->calls, 0);
    assert_int_equal(hf_loop_run(f->loop), HF_OK);
    assert_int_equal(f->calls, 1);
    return f->result.end == HF_DIAL_CONNECTED ? (size_t)(f->result.server - f->servers)
                                              : (size_t)N_SERVERS;
}

static void test_round_robin_takes_turns(void **state)
{
    struct fixture *f = *state;
    size_t first = dial(f);
    assert_int_equal(dial(f), (first + 1) % N_SERVERS);
    assert_int_equal(dial(f), (first + 2) % N_SERVERS);
    assert_int_equal(dial(f), first);
}

static void test_least_connections_prefers_the_idle(void **state)
{
    struct fixture *f = *state;
    f->cfg.balance = HF_BALANCE_LEAST_CONNECTIONS;
    atomic_store(&f->states[0].active, 5);
    atomic_store(&f->states[1].active, 1);
    atomic_store(&f->states[2].active, 3);
    assert_int_equal(dial(f), 1);
    atomic_store(&f->states[1].active, 4);
    assert_int_equal(dial(f), 2);
}

static void test_equals_take_turns_with_least_connections(void **state)
{
    struct fixture *f = *state;
    bool seen[N_SERVERS] = {false};
    f->cfg.balance = HF_BALANCE_LEAST_CONNECTIONS;
    for (size_t i = 0; i < N_SERVERS; i++) {
        seen[dial(f)] = true;
    }
    assert_true(seen[0] && seen[1] && seen[2]);
}

static void test_a_refusing_server_is_passed_over(void **state)
{
    struct fixture *f = *state;
    hf_closep(&f->listening[0]);
    hf_closep(&f->listening[1]);
    for (int i = 0; i < N_SERVERS; i++) {
        assert_int_equal(dial(f), 2);
    }
    assert_true(atomic_load(&f->states[0].failed) > 0);
}

static void test_all_down_says_what_was_wrong_with_each(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < N_SERVERS; i++) {
        hf_closep(&f->listening[i]);
    }
    assert_int_equal(dial(f), N_SERVERS);
    for (size_t i = 0; i < N_SERVERS; i++) {
        assert_non_null(strstr(f->why, f->texts[i]));
    }
    assert_non_null(strstr(f->why, "refused"));
    assert_int_equal(hf_series_sum(f->metrics, f->upstream.failures), N_SERVERS);
}

static void test_next_goes_on_behind_the_one_that_was_no_good(void **state)
{
    struct fixture *f = *state;
    size_t first = dial(f);
    f->calls = 0;
    hf_dial_next(f->dial, "its certificate has expired");
    assert_int_equal(hf_loop_run(f->loop), HF_OK);
    assert_int_equal((size_t)(f->result.server - f->servers), (first + 1) % N_SERVERS);
    hf_dial_next(f->dial, "and this one's too");
    assert_int_equal(hf_loop_run(f->loop), HF_OK);
    hf_dial_next(f->dial, "third");
    assert_int_equal(hf_loop_run(f->loop), HF_OK);
    assert_int_equal(f->result.end, HF_DIAL_EXHAUSTED);
    assert_non_null(strstr(f->why, "its certificate has expired"));
}

/* A listening socket whose queue is full answers no SYN: the attempt has to time out. */
static void test_a_silent_server_times_out_and_the_next_is_tried(void **state)
{
    struct fixture *f = *state;
    int fillers[64];
    size_t n = 0;
    struct hf_addr any;
    hf_closep(&f->listening[0]);
    assert_int_equal(hf_addr_parse("127.0.0.1:0", &any), HF_OK);
    assert_int_equal(hf_sock_listen(&any, 0, 0, &f->listening[0]), HF_OK);
    f->cfg_servers[0].addr.len = sizeof(f->cfg_servers[0].addr.storage);
    assert_int_equal(
        getsockname(f->listening[0], &f->cfg_servers[0].addr.sa, &f->cfg_servers[0].addr.len), 0);
    for (; n < 8; n++) {
        assert_int_equal(hf_sock_connect(&f->cfg_servers[0].addr, &fillers[n]), HF_OK);
    }
    f->cfg.connect_timeout_ms = 150;
    atomic_store(&f->upstream_state.turn, 0); /* server 0 is first */
    assert_int_equal(dial(f), 1);
    assert_int_equal(atomic_load(&f->states[0].failed), 1);
    while (n > 0) {
        hf_closep(&fillers[--n]);
    }
}

static void on_wait_over(struct hf_timer *timer)
{
    hf_loop_stop(HF_CONTAINER_OF(timer, struct fixture, wait)->loop);
}

static void test_a_freed_dial_is_silent(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(hf_dial_start(&f->env, &f->upstream, on_end, f, &f->dial), HF_OK);
    hf_dial_free(f->dial);
    f->dial = NULL;
    f->wait.on_due = on_wait_over;
    hf_timer_set(f->loop, &f->wait, 50);
    assert_int_equal(hf_loop_run(f->loop), HF_OK);
    assert_int_equal(f->calls, 0);
}

static void test_names_are_looked_up(void **state)
{
    struct fixture *f = *state;
    f->upstream.n_servers = f->cfg.n_servers = 1;
    hf_balance_table_done(&f->upstream.table);
    assert_int_equal(hf_balance_table_init(&f->upstream.table, &f->cfg), HF_OK);
    f->cfg_servers[0].is_address = false;
    f->cfg_servers[0].host = (char[]){"localhost"};
    f->cfg_servers[0].port = (uint16_t)hf_addr_port(&f->cfg_servers[0].addr);
    assert_int_equal(dial(f), 0);
    f->cfg_servers[0].host = (char[]){"no-such-host.invalid"};
    f->cfg.connect_timeout_ms = 300;
    assert_int_equal(dial(f), N_SERVERS);
    assert_true(f->why[0] != '\0');
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(test_round_robin_takes_turns),
        CASE(test_least_connections_prefers_the_idle),
        CASE(test_equals_take_turns_with_least_connections),
        CASE(test_a_refusing_server_is_passed_over),
        CASE(test_all_down_says_what_was_wrong_with_each),
        CASE(test_next_goes_on_behind_the_one_that_was_no_good),
        CASE(test_a_silent_server_times_out_and_the_next_is_tried),
        CASE(test_a_freed_dial_is_silent),
        CASE(test_names_are_looked_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
