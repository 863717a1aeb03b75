// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "os/wheel.h"

enum { N_RANDOM = 2000 };

struct probe {
    struct hf_timer timer;
    int64_t fired_at; /* -1: not yet */
    unsigned n_fired;
};

static int64_t now; /* what the wheel was last told */

static void on_due(struct hf_timer *timer)
{
    struct probe *probe = HF_CONTAINER_OF(timer, struct probe, timer);
    assert_false(hf_timer_armed(timer));
    probe->fired_at = now;
    probe->n_fired++;
}

static struct probe probe_new(void)
{
    return (struct probe){.timer.on_due = on_due, .fired_at = -1};
}

static void advance(struct hf_wheel *wheel, int64_t to)
{
    now = to;
    hf_wheel_advance(wheel, to);
}

/* Advances as a loop would: only to the moments that the wheel asks for. */
static void advance_in_hops(struct hf_wheel *wheel, int64_t to)
{
    int64_t next;
    while ((next = hf_wheel_next_ms(wheel)) <= to) {
        assert_true(next > now - HF_WHEEL_TICK_MS);
        advance(wheel, next > now ? next : now);
    }
    advance(wheel, to);
}

static void test_an_empty_wheel_never_asks_to_be_advanced(void **state)
{
    (void)state;
    struct hf_wheel wheel;
    hf_wheel_init(&wheel, 12345);
    assert_int_equal(hf_wheel_next_ms(&wheel), INT64_MAX);
    advance(&wheel, 12345 + 1000000000);
    assert_int_equal(hf_wheel_next_ms(&wheel), INT64_MAX);
}

static void test_a_timer_fires_within_a_tick_and_never_early(void **state)
{
    (void)state;
    static const int64_t delays[] = {1,
                                     9,
                                     10,
                                     11,
                                     639,
                                     640,
                                     641,
                                     40959,
                                     40960,
                                     40961,
                                     2621430,
                                     2621440,
                                     2621450,
                                     167772150,
                                     /* beyond the top level */ 167772160,
                                     400000000,
                                     1000000000};
    for (size_t i = 0; i < HF_N_ELEMENTS(delays); i++) {
        for (int64_t start = 0; start < 1300; start += 131) {
            struct hf_wheel wheel;
            struct probe probe = probe_new();
            hf_wheel_init(&wheel, now = start);
            hf_wheel_set(&wheel, &probe.timer, start + delays[i]);
            advance_in_hops(&wheel, start + delays[i] - 1);
            assert_int_equal(probe.n_fired, 0);
            advance_in_hops(&wheel, start + delays[i] + HF_WHEEL_TICK_MS);
            assert_int_equal(probe.n_fired, 1);
        }
    }
}

static void test_a_due_timer_fires_with_the_next_tick_only(void **state)
{
    (void)state;
    struct hf_wheel wheel;
    struct probe probe = probe_new();
    hf_wheel_init(&wheel, now = 1000);
    hf_wheel_set(&wheel, &probe.timer, 5);
    advance(&wheel, 1009);
    assert_int_equal(probe.n_fired, 0);
    advance(&wheel, 1010);
    assert_int_equal(probe.n_fired, 1);
}

static void test_one_long_sleep_fires_everything_once_in_order(void **state)
{
    (void)state;
    static struct probe probes[500];
    struct hf_wheel wheel;
    hf_wheel_init(&wheel, now = 77);
    for (size_t i = 0; i < HF_N_ELEMENTS(probes); i++) {
        probes[i] = probe_new();
        hf_wheel_set(&wheel, &probes[i].timer, 77 + (int64_t)(i * i * 997));
    }
    advance(&wheel, 77 + 500ll * 500 * 997);
    for (size_t i = 0; i < HF_N_ELEMENTS(probes); i++) {
        assert_int_equal(probes[i].n_fired, 1);
    }
    assert_int_equal(hf_wheel_next_ms(&wheel), INT64_MAX);
}

static int64_t random_delay(void)
{
    int bits = 1 + rand() % 29; /* up to 2^29 ms: past the reach of the top level */
    return rand() & ((1 << bits) - 1);
}

/* Set, re-set, cancel and advance at random; every timer fires once, on time, unless cancelled. */
static void test_random_use_keeps_every_promise(void **state)
{
    (void)state;
    static struct probe probes[N_RANDOM];
    struct hf_wheel wheel;
    srand(20261120);
    hf_wheel_init(&wheel, now = 0);
    for (size_t i = 0; i < N_RANDOM; i++) {
        probes[i] = probe_new();
    }
    for (int round = 0; round < 40000; round++) {
        struct probe *probe = &probes[rand() % N_RANDOM];
        if (rand() % 4 == 0) {
            hf_timer_cancel(&probe->timer);
            *probe = (struct probe){.timer = probe->timer, .fired_at = -2};
        } else {
            *probe = (struct probe){.timer = probe->timer, .fired_at = -1};
            probe->timer.on_due = on_due;
            hf_wheel_set(&wheel, &probe->timer, now + random_delay());
        }
        if (rand() % 3 == 0) {
            advance_in_hops(&wheel, now + (rand() & ((1 << (rand() % 20)) - 1)));
        }
    }
    advance_in_hops(&wheel, now + (1ll << 31));
    for (size_t i = 0; i < N_RANDOM; i++) {
        if (probes[i].fired_at < 0) {
            assert_int_equal(probes[i].n_fired, 0);
            continue;
        }
        assert_int_equal(probes[i].n_fired, 1);
        assert_true(probes[i].fired_at >= probes[i].timer.due_ms);
        assert_true(probes[i].fired_at <= probes[i].timer.due_ms + 2 * HF_WHEEL_TICK_MS);
    }
    assert_int_equal(hf_wheel_next_ms(&wheel), INT64_MAX);
}

static struct hf_wheel *the_wheel;
static struct probe *victim;

static void cancel_victim(struct hf_timer *timer)
{
    on_due(timer);
    hf_timer_cancel(&victim->timer);
}

static void test_a_timer_cancelled_by_one_of_the_same_tick_does_not_fire(void **state)
{
    (void)state;
    struct hf_wheel wheel;
    struct probe first = probe_new(), second = probe_new(), third = probe_new();
    hf_wheel_init(&wheel, now = 0);
    first.timer.on_due = cancel_victim;
    victim = &second;
    hf_wheel_set(&wheel, &first.timer, 50);
    hf_wheel_set(&wheel, &second.timer, 50);
    hf_wheel_set(&wheel, &third.timer, 50);
    advance(&wheel, 50);
    assert_int_equal(first.n_fired, 1);
    assert_int_equal(second.n_fired, 0);
    assert_int_equal(third.n_fired, 1);
}

static void set_again_at_once(struct hf_timer *timer)
{
    on_due(timer);
    hf_wheel_set(the_wheel, timer, now);
}

static void test_a_timer_that_sets_itself_does_not_starve_the_turn(void **state)
{
    (void)state;
    struct hf_wheel wheel;
    struct probe probe = probe_new();
    the_wheel = &wheel;
    hf_wheel_init(&wheel, now = 0);
    probe.timer.on_due = set_again_at_once;
    hf_wheel_set(&wheel, &probe.timer, 10);
    advance(&wheel, 10);
    assert_int_equal(probe.n_fired, 1);
    advance(&wheel, 20);
    assert_int_equal(probe.n_fired, 2);
    hf_timer_cancel(&probe.timer);
}

static void test_done_disarms_so_that_a_later_cancel_is_harmless(void **state)
{
    (void)state;
    struct hf_wheel *wheel = malloc(sizeof(*wheel));
    assert_non_null(wheel);
    struct probe near = probe_new(), far = probe_new();
    hf_wheel_init(wheel, 0);
    hf_wheel_set(wheel, &near.timer, 20);
    hf_wheel_set(wheel, &far.timer, 1ll << 40);
    hf_wheel_done(wheel);
    free(wheel);
    assert_false(hf_timer_armed(&near.timer));
    assert_false(hf_timer_armed(&far.timer));
    hf_timer_cancel(&near.timer);
}

static void test_a_hundred_thousand_timers_fire_once_each(void **state)
{
    (void)state;
    enum { N = 100000 };
    struct probe *probes = calloc(N, sizeof(*probes));
    assert_non_null(probes);
    struct hf_wheel wheel;
    hf_wheel_init(&wheel, now = 0);
    for (int i = 0; i < N; i++) {
        probes[i] = probe_new();
        hf_wheel_set(&wheel, &probes[i].timer, 1 + (i * 7919ll) % 3600000);
    }
    advance_in_hops(&wheel, 3600000 + HF_WHEEL_TICK_MS);
    for (int i = 0; i < N; i++) {
        assert_int_equal(probes[i].n_fired, 1);
        assert_true(probes[i].fired_at >= probes[i].timer.due_ms);
    }
    free(probes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_wheel_never_asks_to_be_advanced),
        cmocka_unit_test(test_a_timer_fires_within_a_tick_and_never_early),
        cmocka_unit_test(test_a_due_timer_fires_with_the_next_tick_only),
        cmocka_unit_test(test_one_long_sleep_fires_everything_once_in_order),
        cmocka_unit_test(test_random_use_keeps_every_promise),
        cmocka_unit_test(test_a_timer_cancelled_by_one_of_the_same_tick_does_not_fire),
        cmocka_unit_test(test_a_timer_that_sets_itself_does_not_starve_the_turn),
        cmocka_unit_test(test_done_disarms_so_that_a_later_cancel_is_harmless),
        cmocka_unit_test(test_a_hundred_thousand_timers_fire_once_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
