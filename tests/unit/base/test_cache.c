// SPDX-License-Identifier: Apache-2.0
#include "base/cache.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

/* A value that knows its own key's number and how many hold it. */
struct value {
    atomic_uint refs;
    unsigned number;
};

static void ref(void *value)
{
    atomic_fetch_add(&((struct value *)value)->refs, 1);
}

static void unref(void *value)
{
    if (atomic_fetch_sub(&((struct value *)value)->refs, 1) == 1) {
        hf_free(value);
    }
}

static const struct hf_cache_ops ops = {ref, unref};

static struct value *make(unsigned number)
{
    struct value *value = HF_NEW(struct value);
    assert_non_null(value);
    atomic_init(&value->refs, 1);
    value->number = number;
    return value;
}

/* Keys spread as hashes do, or all fall into one set. */
static void make_key(unsigned number, bool one_set, uint8_t key[static HF_CACHE_KEY_LEN])
{
    uint64_t state = number * UINT64_C(0x9e3779b97f4a7c15) + 1;
    for (size_t i = 0; i < HF_CACHE_KEY_LEN; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        key[i] = one_set && i < 8 ? 0 : (uint8_t)(state >> 56);
    }
}

static void put(struct hf_cache *cache, unsigned number, bool one_set)
{
    uint8_t key[HF_CACHE_KEY_LEN];
    struct value *value = make(number);
    make_key(number, one_set, key);
    hf_cache_put(cache, key, value);
    unref(value);
}

static bool has(struct hf_cache *cache, unsigned number, bool one_set)
{
    uint8_t key[HF_CACHE_KEY_LEN];
    make_key(number, one_set, key);
    struct value *value = hf_cache_get(cache, key);
    if (value) {
        assert_int_equal(value->number, number);
        unref(value);
    }
    return value != NULL;
}

static struct hf_cache *new_cache(size_t n)
{
    struct hf_cache *cache;
    assert_int_equal(hf_cache_new(n, &ops, &cache), HF_OK);
    return cache;
}

static void what_was_put_is_found(void **state)
{
    (void)state;
    struct hf_cache *cache = new_cache(8);
    for (unsigned i = 0; i < 8; i++) {
        assert_false(has(cache, i, false));
        put(cache, i, false);
        assert_true(has(cache, i, false));
    }
    for (unsigned i = 0; i < 8; i++) {
        assert_true(has(cache, i, false));
    }
    hf_cache_free(cache);
}

/* One changed bit of the key is another key. */
static void every_bit_of_the_key_counts(void **state)
{
    (void)state;
    struct hf_cache *cache = new_cache(8);
    uint8_t key[HF_CACHE_KEY_LEN];
    put(cache, 1, true);
    make_key(1, true, key);
    for (size_t bit = 0; bit < 8 * HF_CACHE_KEY_LEN; bit++) {
        key[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_null(hf_cache_get(cache, key));
        key[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_true(has(cache, 1, true));
    hf_cache_free(cache);
}

static void a_value_outlives_its_place(void **state)
{
    (void)state;
    struct hf_cache *cache = new_cache(8);
    uint8_t key[HF_CACHE_KEY_LEN];
    put(cache, 1, true);
    make_key(1, true, key);
    struct value *value = hf_cache_get(cache, key);
    assert_non_null(value);
    hf_cache_free(cache);
    assert_int_equal(atomic_load(&value->refs), 1);
    assert_int_equal(value->number, 1);
    unref(value);
}

static void a_second_value_under_a_key_is_not_taken(void **state)
{
    (void)state;
    struct hf_cache *cache = new_cache(8);
    uint8_t key[HF_CACHE_KEY_LEN];
    make_key(1, false, key);
    struct value *first = make(1), *second = make(2);
    hf_cache_put(cache, key, first);
    hf_cache_put(cache, key, second);
    assert_int_equal(atomic_load(&first->refs), 2);
    assert_int_equal(atomic_load(&second->refs), 1);
    unref(first);
    unref(second);
    assert_true(has(cache, 1, false));
    hf_cache_free(cache);
}

/* A set holds eight; a ninth takes the place of one that was not asked for since the last put. */
static void what_is_asked_for_stays(void **state)
{
    (void)state;
    struct hf_cache *cache = new_cache(8);
    for (unsigned i = 0; i < 8; i++) {
        put(cache, i, true);
    }
    for (unsigned round = 0; round < 100; round++) {
        assert_true(has(cache, 3, true));
        put(cache, 100 + round, true);
        assert_true(has(cache, 100 + round, true));
    }
    assert_true(has(cache, 3, true));
    assert_false(has(cache, 0, true));
    hf_cache_free(cache);
}

static void the_size_is_fixed(void **state)
{
    (void)state;
    struct hf_cache *cache = new_cache(64);
    size_t n = 0;
    for (unsigned i = 0; i < 5000; i++) {
        put(cache, i, false);
    }
    for (unsigned i = 0; i < 5000; i++) {
        n += has(cache, i, false);
    }
    assert_int_equal(n, 64);
    hf_cache_free(cache);
}

static void a_failed_allocation_is_told(void **state)
{
    (void)state;
    struct hf_cache *cache;
    hf_alloc_fail_after(1);
    assert_int_equal(hf_cache_new(8, &ops, &cache), HF_E_NOMEM);
    assert_null(cache);
    hf_cache_free(cache);
}

/* --- Threads -------------------------------------------------------------------------------------
 */

enum { N_THREADS = 4, ROUNDS = 20000, N_KEYS = 24 };

struct work {
    struct hf_cache *cache;
    unsigned seed;
    size_t n_wrong;
};

/* Three times as many keys as places in one set: gets, puts and evictions meet all the time. */
static void *hammer(void *arg)
{
    struct work *work = arg;
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint8_t key[HF_CACHE_KEY_LEN];
        unsigned number = (i * 7 + work->seed * 13 + i / 64) % N_KEYS;
        make_key(number, true, key);
        struct value *value = hf_cache_get(work->cache, key);
        if (value) {
            work->n_wrong += value->number != number;
        } else {
            value = make(number);
            hf_cache_put(work->cache, key, value);
        }
        unref(value);
    }
    return NULL;
}

static void threads_find_only_what_belongs_to_their_key(void **state)
{
    (void)state;
    struct hf_cache *cache = new_cache(8);
    struct work works[N_THREADS];
    pthread_t threads[N_THREADS];
    for (unsigned i = 0; i < N_THREADS; i++) {
        works[i] = (struct work){cache, i, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, &works[i]), 0);
    }
    for (unsigned i = 0; i < N_THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(works[i].n_wrong, 0);
    }
    hf_cache_free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_found),
        cmocka_unit_test(every_bit_of_the_key_counts),
        cmocka_unit_test(a_value_outlives_its_place),
        cmocka_unit_test(a_second_value_under_a_key_is_not_taken),
        cmocka_unit_test(what_is_asked_for_stays),
        cmocka_unit_test(the_size_is_fixed),
        cmocka_unit_test(a_failed_allocation_is_told),
        cmocka_unit_test(threads_find_only_what_belongs_to_their_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
