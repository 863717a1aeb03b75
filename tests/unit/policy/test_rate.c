// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/mem.h"
#include "policy/rate.h"

#define MS INT64_C(1000000)

/* 100/s, 5 at once. */
static const struct hf_rate_rule rule = {10 * MS, 5};

static struct hf_bytes key_of(unsigned n)
{
    static char text[32];
    snprintf(text, sizeof(text), "key %u", n);
    return hf_bytes_str(text);
}

static void a_burst_then_one_each_interval(void **state)
{
    (void)state;
    struct hf_rate *rate;
    int64_t wait, now = 1000 * MS;
    assert_int_equal(hf_rate_new(&rate), HF_OK);
    for (int i = 0; i < 5; i++) {
        assert_true(hf_rate_peek(rate, &rule, key_of(1), now, &wait));
        assert_true(hf_rate_take(rate, &rule, key_of(1), now, &wait));
    }
    assert_false(hf_rate_peek(rate, &rule, key_of(1), now, &wait));
    assert_int_equal(wait, 10 * MS);
    assert_false(hf_rate_take(rate, &rule, key_of(1), now + 4 * MS, &wait));
    assert_int_equal(wait, 6 * MS);
    assert_true(hf_rate_take(rate, &rule, key_of(2), now, &wait)); /* others have their own */
    assert_true(hf_rate_take(rate, &rule, key_of(1), now + 10 * MS, &wait));
    assert_false(hf_rate_take(rate, &rule, key_of(1), now + 10 * MS, &wait));
    assert_true(hf_rate_take(rate, &rule, key_of(1), now + 60 * MS, &wait));
    for (int i = 0; i < 4; i++) { /* full after 50 ms, and no fuller */
        assert_true(hf_rate_take(rate, &rule, key_of(1), now + 60 * MS, &wait));
    }
    assert_false(hf_rate_take(rate, &rule, key_of(1), now + 60 * MS, &wait));
    hf_rate_free(rate);
}

static void the_long_run_is_the_rate(void **state)
{
    (void)state;
    struct hf_rate *rate;
    int64_t wait;
    unsigned n = 0;
    assert_int_equal(hf_rate_new(&rate), HF_OK);
    for (int64_t now = 0; now < 10000 * MS; now += MS) {
        n += hf_rate_take(rate, &rule, key_of(1), now, &wait);
    }
    assert_int_equal(n, 5 + 999);
    hf_rate_free(rate);
}

/* More keys than places: nobody gets less than its due, whatever the others do. */
static void a_crowd_takes_nothing_from_anybody(void **state)
{
    (void)state;
    struct hf_rate *rate;
    int64_t wait;
    assert_int_equal(hf_rate_new(&rate), HF_OK);
    for (unsigned i = 0; i < 4 * HF_RATE_KEYS; i++) {
        assert_true(hf_rate_take(rate, &rule, key_of(i), 0, &wait));
    }
    for (unsigned i = 0; i < 1000; i++) {
        assert_true(hf_rate_take(rate, &rule, key_of(i), 0, &wait));
    }
    hf_rate_free(rate);
}

static void keys_that_are_full_make_room_first(void **state)
{
    (void)state;
    struct hf_rate *rate;
    int64_t wait;
    assert_int_equal(hf_rate_new(&rate), HF_OK);
    for (unsigned i = 0; i < 8 * HF_RATE_KEYS; i++) { /* old ones, all full again by now */
        assert_true(hf_rate_take(rate, &rule, key_of(i), 0, &wait));
    }
    for (unsigned i = 0; i < 100; i++) {
        for (int j = 0; j < 5; j++) {
            assert_true(hf_rate_take(rate, &rule, key_of(i), 1000 * MS, &wait));
        }
    }
    for (unsigned i = 0; i < 100; i++) { /* none of them was given up for another */
        assert_false(hf_rate_take(rate, &rule, key_of(i), 1000 * MS, &wait));
    }
    hf_rate_free(rate);
}

static struct hf_rate *shared;
static atomic_uint n_taken;

static void *take_many(void *arg)
{
    int64_t wait;
    (void)arg;
    for (int i = 0; i < 20000; i++) {
        if (hf_rate_take(shared, &(struct hf_rate_rule){MS, 1000}, hf_bytes_str("all"), 0, &wait)) {
            atomic_fetch_add(&n_taken, 1);
        }
    }
    return NULL;
}

static void all_threads_count_in_one_bucket(void **state)
{
    (void)state;
    pthread_t threads[4];
    int64_t wait;
    assert_int_equal(hf_rate_new(&shared), HF_OK);
    assert_true(
        hf_rate_take(shared, &(struct hf_rate_rule){MS, 1000}, hf_bytes_str("all"), 0, &wait));
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, take_many, NULL), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(atomic_load(&n_taken), 999);
    hf_rate_free(shared);
}

/* --- Tallies -----------------------------------------------------------------------------------
 */

static void a_tally_counts_up_to_its_limit(void **state)
{
    (void)state;
    struct hf_tally *tally;
    uint64_t slots[3], none;
    assert_int_equal(hf_tally_new(&tally), HF_OK);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(hf_tally_add(tally, key_of(1), 3, &slots[i]), HF_OK);
    }
    assert_int_equal(hf_tally_add(tally, key_of(1), 3, &none), HF_E_BUSY);
    assert_int_equal(none, 0);
    assert_int_equal(hf_tally_of(tally, key_of(1)), 3);
    hf_tally_sub(tally, slots[0]);
    assert_int_equal(hf_tally_add(tally, key_of(1), 3, &slots[0]), HF_OK);
    assert_int_equal(hf_tally_add(tally, key_of(2), 0, &none), HF_E_BUSY);
    hf_tally_sub(tally, none);
    for (size_t i = 0; i < 3; i++) {
        hf_tally_sub(tally, slots[i]);
    }
    assert_int_equal(hf_tally_of(tally, key_of(1)), 0);
    hf_tally_free(tally);
}

/* Growing, and taking out of the middle of runs: against counts kept beside it. */
static void a_tally_is_exact(void **state)
{
    (void)state;
    enum { KEYS = 5000 };
    static uint64_t slots[KEYS][3];
    struct hf_tally *tally;
    unsigned seed = 1;
    assert_int_equal(hf_tally_new(&tally), HF_OK);
    static unsigned counts[KEYS];
    for (unsigned i = 0; i < 60000; i++) {
        seed = seed * 1103515245u + 12345u;
        unsigned key = seed / 65536u % KEYS;
        if (counts[key] < 3 && seed & 1024u) {
            assert_int_equal(hf_tally_add(tally, key_of(key), 3, &slots[key][counts[key]]), HF_OK);
            counts[key]++;
        } else if (counts[key] > 0) {
            counts[key]--;
            hf_tally_sub(tally, slots[key][counts[key]]);
        }
    }
    for (unsigned key = 0; key < KEYS; key++) {
        assert_int_equal(hf_tally_of(tally, key_of(key)), counts[key]);
        while (counts[key] > 0) {
            hf_tally_sub(tally, slots[key][--counts[key]]);
        }
        assert_int_equal(hf_tally_of(tally, key_of(key)), 0);
    }
    hf_tally_free(tally);
}

static void no_memory_counts_nothing(void **state)
{
    (void)state;
    struct hf_tally *tally;
    struct hf_rate *rate;
    uint64_t slot;
    assert_int_equal(hf_tally_new(&tally), HF_OK);
    hf_alloc_fail_after(1);
    assert_int_equal(hf_tally_add(tally, key_of(1), 3, &slot), HF_E_NOMEM);
    hf_alloc_fail_after(0);
    assert_int_equal(slot, 0);
    assert_int_equal(hf_tally_of(tally, key_of(1)), 0);
    hf_tally_free(tally);
    hf_alloc_fail_after(1);
    assert_int_equal(hf_rate_new(&rate), HF_E_NOMEM);
    hf_alloc_fail_after(1);
    assert_int_equal(hf_tally_new(&tally), HF_E_NOMEM);
    hf_alloc_fail_after(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_burst_then_one_each_interval),
        cmocka_unit_test(the_long_run_is_the_rate),
        cmocka_unit_test(a_crowd_takes_nothing_from_anybody),
        cmocka_unit_test(keys_that_are_full_make_room_first),
        cmocka_unit_test(all_threads_count_in_one_bucket),
        cmocka_unit_test(a_tally_counts_up_to_its_limit),
        cmocka_unit_test(a_tally_is_exact),
        cmocka_unit_test(no_memory_counts_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
