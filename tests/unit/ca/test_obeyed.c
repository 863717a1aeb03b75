// SPDX-License-Identifier: Apache-2.0
/* Who waits for a line of the journal to be obeyed is told once: by that line, late, or at the end.
 */
#include "ca/obeyed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/mem.h"

static int64_t now_ns;

static int64_t mono_ns(void *ctx)
{
    (void)ctx;
    return now_ns;
}

static const struct hf_clock test_clock = {.mono_ns = mono_ns};

struct waiter {
    struct hf_obeyed_wait wait;
    struct hf_obeyed *obeyed;
    int told;
};

/* Asking again from within is what the next request of the same connection may do. */
static void on_told(struct hf_obeyed_wait *wait)
{
    struct waiter *waiter = HF_CONTAINER_OF(wait, struct waiter, wait);
    struct hf_obeyed_wait next = {.seq = 0, .done = on_told};
    waiter->told++;
    assert_false(hf_obeyed_wait(waiter->obeyed, &next));
}

static bool waits(struct hf_obeyed *obeyed, struct waiter *waiter, int64_t seq)
{
    *waiter = (struct waiter){.wait = {.seq = seq, .done = on_told}, .obeyed = obeyed};
    return hf_obeyed_wait(obeyed, &waiter->wait);
}

static void a_line_ends_the_waits_for_it_and_those_before(void **state)
{
    (void)state;
    struct hf_obeyed obeyed;
    struct waiter waiter[3];
    hf_obeyed_init(&obeyed, &test_clock);
    for (int i = 0; i < 3; i++) {
        assert_true(waits(&obeyed, &waiter[i], 10 + i));
    }
    hf_obeyed_tell(&obeyed, 9);
    assert_int_equal(waiter[0].told, 0);
    hf_obeyed_tell(&obeyed, 11);
    assert_int_equal(waiter[0].told, 1);
    assert_int_equal(waiter[1].told, 1);
    assert_int_equal(waiter[2].told, 0);
    hf_obeyed_tell(&obeyed, 5); /* a view from before, told late */
    struct waiter fourth;
    assert_false(waits(&obeyed, &fourth, 11));
    assert_int_equal(fourth.told, 0);
    hf_obeyed_tell(&obeyed, 12);
    hf_obeyed_done(&obeyed);
    assert_int_equal(waiter[0].told + waiter[1].told + waiter[2].told, 3);
}

static void nobody_waits_for_ever(void **state)
{
    (void)state;
    struct hf_obeyed obeyed;
    struct waiter first, second;
    now_ns = 1000;
    hf_obeyed_init(&obeyed, &test_clock);
    assert_true(waits(&obeyed, &first, 1));
    now_ns += INT64_C(1000000) * (HF_OBEYED_WAIT_MS - 1);
    assert_true(waits(&obeyed, &second, 1));
    hf_obeyed_sweep(&obeyed, false);
    assert_int_equal(first.told, 0);
    now_ns += INT64_C(1000000);
    hf_obeyed_sweep(&obeyed, false);
    assert_int_equal(first.told, 1);
    assert_int_equal(second.told, 0);
    hf_obeyed_done(&obeyed);
    assert_int_equal(second.told, 1);
}

static void at_the_end_all_are_told_and_nobody_waits_any_more(void **state)
{
    (void)state;
    struct hf_obeyed obeyed;
    struct waiter waiter;
    hf_obeyed_init(&obeyed, &test_clock);
    assert_true(waits(&obeyed, &waiter, 1));
    hf_obeyed_sweep(&obeyed, true);
    assert_int_equal(waiter.told, 1);
    assert_false(waits(&obeyed, &waiter, 1));
    hf_obeyed_done(&obeyed);
    assert_int_equal(waiter.told, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_ends_the_waits_for_it_and_those_before),
        cmocka_unit_test(nobody_waits_for_ever),
        cmocka_unit_test(at_the_end_all_are_told_and_nobody_waits_any_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
