// SPDX-License-Identifier: Apache-2.0
/* Ejection and return on a clock of the test's, and the moving average of latency. */
#include "balance_fixture.h"
#include "proxy/eject.h"

static struct balance *ejecting(size_t n)
{
    struct balance *b = balance_new(n);
    b->cfg.eject = (struct hf_cfg_eject){
        .after = 3,
        .within_ms = 1000,
        .time_ms = 100,
        .max_time_ms = 1000,
        .max_percent = 50,
        .answers = HF_EJECT_ANSWERS_GATEWAY,
    };
    return b;
}

static bool is_out(struct balance *b, size_t index)
{
    return !hf_server_usable(&b->servers[index], b->input.now_ms);
}

static void fail_times(struct balance *b, size_t index, unsigned times)
{
    while (times--) {
        report(b, index, HF_OUTCOME_CONNECT, -1);
    }
}

static void failures_in_a_row_eject_and_time_brings_back(void **state)
{
    (void)state;
    struct balance *b = ejecting(2);
    fail_times(b, 0, 2);
    assert_false(is_out(b, 0));
    fail_times(b, 0, 1);
    assert_true(is_out(b, 0));
    for (int i = 0; i < 10; i++) {
        assert_int_equal(pick(b), 1);
    }
    b->input.now_ms += 99;
    assert_true(is_out(b, 0));
    b->input.now_ms += 1;
    assert_false(is_out(b, 0));
    assert_int_equal(atomic_load(&b->states[0].standing), 0);
    assert_int_equal(atomic_load(&b->states[0].ejected_total), 1);
    balance_free(b);
}

static void a_success_begins_the_row_anew(void **state)
{
    (void)state;
    struct balance *b = ejecting(2);
    fail_times(b, 0, 2);
    report(b, 0, HF_OUTCOME_OK, 10);
    fail_times(b, 0, 2);
    assert_false(is_out(b, 0));
    balance_free(b);
}

static void failures_far_apart_dont_count_together(void **state)
{
    (void)state;
    struct balance *b = ejecting(2);
    fail_times(b, 0, 2);
    b->input.now_ms += 1001;
    fail_times(b, 0, 2);
    assert_false(is_out(b, 0));
    fail_times(b, 0, 1);
    assert_true(is_out(b, 0));
    balance_free(b);
}

static void the_cancelled_say_nothing(void **state)
{
    (void)state;
    struct balance *b = ejecting(2);
    fail_times(b, 0, 2);
    report(b, 0, HF_OUTCOME_CANCELLED, 5);
    assert_int_equal(atomic_load(&b->states[0].latency), 0);
    assert_int_equal(atomic_load(&b->states[0].failed), 2);
    fail_times(b, 0, 1);
    assert_true(is_out(b, 0));
    balance_free(b);
}

static void which_answers_are_failures_is_said_by_the_config(void **state)
{
    (void)state;
    static const struct {
        enum hf_cfg_eject_answers answers;
        enum hf_server_outcome outcome;
        bool out;
    } rows[] = {
        {HF_EJECT_ANSWERS_NONE, HF_OUTCOME_GATEWAY, false},
        {HF_EJECT_ANSWERS_NONE, HF_OUTCOME_ERROR, false},
        {HF_EJECT_ANSWERS_NONE, HF_OUTCOME_TIMEOUT, true},
        {HF_EJECT_ANSWERS_GATEWAY, HF_OUTCOME_GATEWAY, true},
        {HF_EJECT_ANSWERS_GATEWAY, HF_OUTCOME_ERROR, false},
        {HF_EJECT_ANSWERS_GATEWAY, HF_OUTCOME_RESET, true},
        {HF_EJECT_ANSWERS_5XX, HF_OUTCOME_GATEWAY, true},
        {HF_EJECT_ANSWERS_5XX, HF_OUTCOME_ERROR, true},
        {HF_EJECT_ANSWERS_5XX, HF_OUTCOME_OK, false},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(rows); i++) {
        struct balance *b = ejecting(2);
        b->cfg.eject.answers = rows[i].answers;
        for (int k = 0; k < 3; k++) {
            report(b, 1, rows[i].outcome, 10);
        }
        assert_int_equal(is_out(b, 1), rows[i].out);
        balance_free(b);
    }
}

static void a_single_server_is_never_ejected(void **state)
{
    (void)state;
    struct balance *b = ejecting(1);
    fail_times(b, 0, 100);
    assert_false(is_out(b, 0));
    assert_int_equal(pick(b), 0);
    assert_int_equal(atomic_load(&b->states[0].ejected_total), 0);
    balance_free(b);
}

static void no_more_than_max_percent_are_out(void **state)
{
    (void)state;
    unsigned n_out = 0;
    struct balance *b = ejecting(5);
    for (size_t i = 0; i < 5; i++) {
        fail_times(b, i, 10);
    }
    for (size_t i = 0; i < 5; i++) {
        n_out += is_out(b, i);
    }
    assert_int_equal(n_out, 2);
    b->cfg.eject.max_percent = 100;
    for (size_t i = 0; i < 5; i++) {
        fail_times(b, i, 10);
    }
    assert_int_equal(pick(b), -1); /* asked for, and so it is */
    balance_free(b);
}

static void each_ejection_soon_after_lasts_twice_as_long(void **state)
{
    (void)state;
    static const int64_t times[] = {100, 200, 400, 800, 1000, 1000};
    struct balance *b = ejecting(2);
    for (size_t i = 0; i < HF_N_ELEMENTS(times); i++) {
        fail_times(b, 0, 3);
        b->input.now_ms += times[i] - 1;
        assert_true(is_out(b, 0));
        b->input.now_ms += 1;
        assert_false(is_out(b, 0));
    }
    b->input.now_ms += 1001; /* good for longer than max-time */
    fail_times(b, 0, 3);
    b->input.now_ms += 100;
    assert_false(is_out(b, 0));
    balance_free(b);
}

static void off_is_off(void **state)
{
    (void)state;
    struct balance *b = ejecting(2);
    b->cfg.eject.after = 0;
    fail_times(b, 0, 100);
    assert_false(is_out(b, 0));
    assert_int_equal(atomic_load(&b->states[0].failed), 100);
    balance_free(b);
}

static void who_comes_back_starts_slowly(void **state)
{
    (void)state;
    struct balance *b = ejecting(2);
    b->cfg.slow_start_ms = 1000;
    fail_times(b, 0, 3);
    b->input.now_ms += 100;
    assert_false(is_out(b, 0));
    assert_int_equal(atomic_load(&b->states[0].ramp_from_ms), b->input.now_ms);
    balance_free(b);
}

static void an_ejection_that_ends_doesnt_undo_a_drain(void **state)
{
    (void)state;
    struct balance *b = ejecting(2);
    fail_times(b, 0, 3);
    atomic_fetch_or(&b->states[0].standing, HF_SERVER_DRAINED);
    b->input.now_ms += 100;
    assert_true(is_out(b, 0));
    assert_int_equal(atomic_load(&b->states[0].standing), HF_SERVER_DRAINED);
    balance_free(b);
}

/* --- Latency ------------------------------------------------------------------------------------
 */

static void latency_rises_at_once_and_falls_with_time(void **state)
{
    (void)state;
    struct hf_server_state s = {0};
    int64_t now = 5000;
    assert_int_equal(hf_latency_now(&s, now), 0);
    hf_latency_note(&s, 999, false, now);
    assert_int_equal(hf_latency_now(&s, now), 1000);
    hf_latency_note(&s, 8999, false, now);
    assert_int_equal(hf_latency_now(&s, now), 2000); /* an eighth of the way */
    hf_latency_note(&s, 1000, false, now);
    assert_in_range(hf_latency_now(&s, now), 1980, 2000);
    now += 10000;
    assert_in_range(hf_latency_now(&s, now), 980, 1000); /* half, with nothing heard */
    hf_latency_note(&s, 99, false, now);
    assert_in_range(hf_latency_now(&s, now), 1000, 1060); /* half of the way to the sample */
}

static void a_quick_failure_isnt_a_quick_answer(void **state)
{
    (void)state;
    struct hf_server_state s = {0};
    hf_latency_note(&s, 10000, false, 1000);
    for (int i = 0; i < 20; i++) {
        hf_latency_note(&s, 5, true, 1000);
    }
    assert_true(hf_latency_now(&s, 1000) > 50000);
}

static void latency_survives_odd_clocks_and_samples(void **state)
{
    (void)state;
    struct hf_server_state s = {0};
    hf_latency_note(&s, INT64_MAX, false, 1000);
    assert_int_equal(hf_latency_now(&s, 1000), UINT32_MAX);
    hf_latency_note(&s, 5, false, 0); /* another worker's loop is a little behind */
    assert_true(hf_latency_now(&s, 0) > 0);
    assert_true(hf_latency_now(&s, (int64_t)1 << 33) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(failures_in_a_row_eject_and_time_brings_back),
        cmocka_unit_test(a_success_begins_the_row_anew),
        cmocka_unit_test(failures_far_apart_dont_count_together),
        cmocka_unit_test(the_cancelled_say_nothing),
        cmocka_unit_test(which_answers_are_failures_is_said_by_the_config),
        cmocka_unit_test(a_single_server_is_never_ejected),
        cmocka_unit_test(no_more_than_max_percent_are_out),
        cmocka_unit_test(each_ejection_soon_after_lasts_twice_as_long),
        cmocka_unit_test(off_is_off),
        cmocka_unit_test(who_comes_back_starts_slowly),
        cmocka_unit_test(an_ejection_that_ends_doesnt_undo_a_drain),
        cmocka_unit_test(latency_rises_at_once_and_falls_with_time),
        cmocka_unit_test(a_quick_failure_isnt_a_quick_answer),
        cmocka_unit_test(latency_survives_odd_clocks_and_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
