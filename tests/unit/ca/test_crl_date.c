// SPDX-License-Identifier: Apache-2.0
#include "ca/crl_date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "store_world.h"

#define DAY INT64_C(86400)
#define T   INT64_C(1700000000)

#define assert_ok(expr) assert_int_equal((expr), HF_OK)

static struct hf_store *store;
static int64_t ca;

static int set_up(void **state)
{
    (void)state;
    world_reset();
    store = world_store();
    ca = world_authority(store, "Example Issuing CA");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    hf_store_close(store);
    store = NULL;
    return 0;
}

/* A list was made at that time. */
static void publish(unsigned shard, bool delta, int64_t this_update)
{
    struct hf_store_crl_number take = {
        .op = {.kind = HF_STORE_CRL_NUMBER, .actor = "test"}, .authority = ca, .shard = shard};
    assert_ok(hf_store_do(store, &take.op));
    struct hf_store_crl_record record = {.op = {.kind = HF_STORE_CRL_RECORD, .actor = "test"},
                                         .crl = {.authority = ca,
                                                 .shard = shard,
                                                 .delta = delta,
                                                 .number = take.number,
                                                 .base_number = delta ? 1 : 0,
                                                 .this_update = this_update,
                                                 .next_update = this_update + DAY}};
    assert_ok(hf_store_do(store, &record.op));
}

static struct hf_crl_dates at(unsigned shard, int64_t now)
{
    struct hf_crl_dates dates;
    assert_ok(hf_crl_dates_of(store, ca, shard, now, &dates));
    return dates;
}

static void the_first_list_is_of_now_and_leaves_nobody_out(void **state)
{
    (void)state;
    struct hf_crl_dates dates = at(0, T);
    assert_int_equal(dates.this_update, T);
    assert_int_equal(dates.unexpired_at, 0);
    assert_false(dates.held || dates.went_back);
}

static void the_next_leaves_out_who_had_ended_before_the_last(void **state)
{
    (void)state;
    publish(0, false, T);
    struct hf_crl_dates dates = at(0, T + DAY);
    assert_int_equal(dates.this_update, T + DAY);
    assert_int_equal(dates.unexpired_at, T);
    assert_int_equal(at(1, T + DAY).unexpired_at, 0); /* of another shard nothing was published */
    assert_int_equal(at(0, T).this_update, T);
    assert_false(at(0, T).held);
}

static void a_clock_set_back_by_little_holds_the_date(void **state)
{
    (void)state;
    static const int64_t back[] = {1, DAY, HF_CRL_HELD_S};
    publish(0, false, T);
    for (size_t i = 0; i < 3; i++) {
        struct hf_crl_dates dates = at(0, T - back[i]);
        assert_int_equal(dates.this_update, T);
        assert_int_equal(dates.unexpired_at, T - back[i]); /* by the earlier clock */
        assert_true(dates.held);
        assert_false(dates.went_back);
    }
}

static void a_list_from_far_ahead_holds_nobody(void **state)
{
    (void)state;
    publish(0, false, T + 365 * DAY);
    struct hf_crl_dates dates = at(0, T);
    assert_int_equal(dates.this_update, T);
    assert_int_equal(dates.unexpired_at, T);
    assert_true(dates.went_back);
    assert_false(dates.held);
    assert_true(at(0, T + 365 * DAY - HF_CRL_HELD_S - 1).went_back);
}

static void a_delta_counts_for_the_date_alone(void **state)
{
    (void)state;
    publish(0, false, T);
    publish(0, true, T + 2 * DAY);
    struct hf_crl_dates dates = at(0, T + DAY);
    assert_int_equal(dates.this_update, T + 2 * DAY);
    assert_int_equal(dates.unexpired_at, T);
    assert_true(dates.held);
}

#define store_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(the_first_list_is_of_now_and_leaves_nobody_out),
        store_test(the_next_leaves_out_who_had_ended_before_the_last),
        store_test(a_clock_set_back_by_little_holds_the_date),
        store_test(a_list_from_far_ahead_holds_nobody),
        store_test(a_delta_counts_for_the_date_alone),
    };
    return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}
