// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

static int values[1000];

static struct hf_bytes key_of(int i, char text[static 16])
{
    snprintf(text, 16, "key %d", i);
    return hf_bytes_str(text);
}

static void test_a_zeroed_map_is_empty(void **state)
{
    (void)state;
    struct hf_map map = {0};
    size_t at = 0;
    assert_null(hf_map_get(&map, hf_bytes_str("x")));
    assert_null(hf_map_remove(&map, hf_bytes_str("x")));
    assert_null(hf_map_next(&map, &at));
    hf_map_done(&map);
    hf_map_done(&map);
}

static void test_values_are_found_by_a_copy_of_the_key(void **state)
{
    (void)state;
    struct hf_map map = {0};
    char key[] = "abc";
    assert_int_equal(hf_map_put(&map, hf_bytes_str(key), &values[1]), HF_OK);
    key[0] = 'x';
    assert_ptr_equal(hf_map_get(&map, hf_bytes_str("abc")), &values[1]);
    assert_null(hf_map_get(&map, hf_bytes_str("ab")));
    assert_null(hf_map_get(&map, hf_bytes_str("abcd")));
    hf_map_done(&map);
}

static void test_putting_again_replaces(void **state)
{
    (void)state;
    struct hf_map map = {0};
    assert_int_equal(hf_map_put(&map, hf_bytes_str("a"), &values[1]), HF_OK);
    assert_int_equal(hf_map_put(&map, hf_bytes_str("a"), &values[2]), HF_OK);
    assert_int_equal(map.n_entries, 1);
    assert_ptr_equal(hf_map_remove(&map, hf_bytes_str("a")), &values[2]);
    assert_null(hf_map_get(&map, hf_bytes_str("a")));
    hf_map_done(&map);
}

static void test_keys_are_bytes_of_any_kind(void **state)
{
    (void)state;
    struct hf_map map = {0};
    assert_int_equal(hf_map_put(&map, hf_bytes_of(NULL, 0), &values[0]), HF_OK);
    assert_int_equal(hf_map_put(&map, hf_bytes_of("\0", 1), &values[1]), HF_OK);
    assert_int_equal(hf_map_put(&map, hf_bytes_of("\0\0", 2), &values[2]), HF_OK);
    assert_ptr_equal(hf_map_get(&map, hf_bytes_of("", 0)), &values[0]);
    assert_ptr_equal(hf_map_get(&map, hf_bytes_of("\0", 1)), &values[1]);
    assert_ptr_equal(hf_map_get(&map, hf_bytes_of("\0\0", 2)), &values[2]);
    hf_map_done(&map);
}

/* Puts, replaces and removes at random, against an array that says what should be there. */
static void test_random_use_agrees_with_a_model(void **state)
{
    (void)state;
    enum { N = 300 };
    static void *model[N];
    struct hf_map map = {0};
    size_t n_entries = 0;
    char text[16];
    srand(11);
    for (int round = 0; round < 60000; round++) {
        int i = rand() % N;
        struct hf_bytes key = key_of(i, text);
        if (rand() % 2) {
            void *value = &values[rand() % 1000];
            n_entries += !model[i];
            model[i] = value;
            assert_int_equal(hf_map_put(&map, key, value), HF_OK);
        } else {
            n_entries -= !!model[i];
            assert_ptr_equal(hf_map_remove(&map, key), model[i]);
            model[i] = NULL;
        }
        int j = rand() % N;
        assert_ptr_equal(hf_map_get(&map, key_of(j, text)), model[j]);
        assert_int_equal(map.n_entries, n_entries);
    }
    assert_true(map.n_slots <= 2048); /* tombstones don't make it grow for ever */
    hf_map_done(&map);
}

static void test_walking_visits_each_value_once(void **state)
{
    (void)state;
    struct hf_map map = {0};
    char text[16];
    unsigned n_seen[200] = {0};
    for (int i = 0; i < 200; i++) {
        assert_int_equal(hf_map_put(&map, key_of(i, text), &values[i]), HF_OK);
    }
    for (int i = 0; i < 200; i += 3) {
        assert_ptr_equal(hf_map_remove(&map, key_of(i, text)), &values[i]);
    }
    size_t at = 0;
    for (int *value; (value = hf_map_next(&map, &at));) {
        n_seen[value - values]++;
    }
    for (int i = 0; i < 200; i++) {
        assert_int_equal(n_seen[i], i % 3 != 0);
    }
    hf_map_done(&map);
}

static void test_running_out_of_memory_changes_nothing(void **state)
{
    (void)state;
    struct hf_map map = {0};
    char text[16];
    for (int i = 0; i < 100; i++) {
        for (size_t n = 1;; n++) {
            hf_alloc_fail_after(n);
            enum hf_err err = hf_map_put(&map, key_of(i, text), &values[i]);
            hf_alloc_fail_after(0);
            if (err == HF_OK) {
                break;
            }
            assert_int_equal(err, HF_E_NOMEM);
            assert_int_equal(map.n_entries, i);
            assert_null(hf_map_get(&map, key_of(i, text)));
        }
        for (int j = 0; j <= i; j++) {
            assert_ptr_equal(hf_map_get(&map, key_of(j, text)), &values[j]);
        }
    }
    hf_map_done(&map);
}

static void test_the_hash_depends_on_every_byte_and_the_length(void **state)
{
    (void)state;
    uint8_t bytes[40] = {0};
    for (size_t len = 0; len < sizeof(bytes); len++) {
        uint64_t hash = hf_hash64(hf_bytes_of(bytes, len));
        assert_true(hash == hf_hash64(hf_bytes_of(bytes, len)));
        assert_true(hash != hf_hash64(hf_bytes_of(bytes, len + 1)));
        for (size_t i = 0; i < len; i++) {
            bytes[i] ^= 0x80;
            assert_true(hash != hf_hash64(hf_bytes_of(bytes, len)));
            bytes[i] ^= 0x80;
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_zeroed_map_is_empty),
        cmocka_unit_test(test_values_are_found_by_a_copy_of_the_key),
        cmocka_unit_test(test_putting_again_replaces),
        cmocka_unit_test(test_keys_are_bytes_of_any_kind),
        cmocka_unit_test(test_random_use_agrees_with_a_model),
        cmocka_unit_test(test_walking_visits_each_value_once),
        cmocka_unit_test(test_running_out_of_memory_changes_nothing),
        cmocka_unit_test(test_the_hash_depends_on_every_byte_and_the_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
