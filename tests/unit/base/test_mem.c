// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

static void test_blocks_of_no_bytes_are_blocks_all_the_same(void **state)
{
    (void)state;
    void *a = hf_alloc(0), *b = hf_alloc_zero(0, 8), *c = hf_realloc(NULL, 0);
    assert_true(a && b && c);
    hf_free(a);
    hf_free(b);
    hf_free(c);
    hf_free(NULL);
}

static void test_zeroed_blocks_are_zero(void **state)
{
    (void)state;
    static const uint8_t zeros[400];
    void *block = hf_alloc_zero(100, 4);
    assert_memory_equal(block, zeros, 400);
    hf_free(block);
}

static void test_a_size_that_overflows_is_refused(void **state)
{
    (void)state;
    size_t half = SIZE_MAX / 2 + 1;
    assert_null(hf_alloc_zero(half, 2));
    assert_null(hf_alloc_zero(half, half));
    assert_non_null(strstr(hf_err_text(), "out of memory"));
}

static void test_growing_keeps_the_contents(void **state)
{
    (void)state;
    char *block = hf_strdup("hello");
    block = hf_realloc(block, 1000);
    assert_string_equal(block, "hello");
    hf_alloc_fail_after(1);
    assert_null(hf_realloc(block, 2000));
    hf_alloc_fail_after(0);
    assert_string_equal(block, "hello");
    hf_free(block);
}

static void test_strings_are_copied_and_ended(void **state)
{
    (void)state;
    char *whole = hf_strdup("hello"), *part = hf_strndup("hello", 2), *none = hf_strndup(NULL, 0);
    assert_string_equal(whole, "hello");
    assert_string_equal(part, "he");
    assert_string_equal(none, "");
    hf_free(whole);
    hf_free(part);
    hf_free(none);
}

static void test_the_nth_allocation_fails_and_only_that(void **state)
{
    (void)state;
    hf_alloc_fail_after(3);
    void *first = hf_alloc(1), *second = hf_strdup("x"), *third = hf_alloc_zero(1, 1);
    void *fourth = hf_alloc(1);
    assert_true(first && second && !third && fourth);
    hf_free(first);
    hf_free(second);
    hf_free(fourth);
}

static void *allocate(void *arg)
{
    (void)arg;
    return hf_alloc(1);
}

static void test_failures_are_for_the_thread_that_asked_for_them(void **state)
{
    (void)state;
    pthread_t thread;
    void *block;
    hf_alloc_fail_after(1);
    assert_int_equal(pthread_create(&thread, NULL, allocate, NULL), 0);
    pthread_join(thread, &block);
    assert_non_null(block);
    hf_free(block);
    assert_null(hf_alloc(1));
}

static void *left_behind;

static char *make(size_t fail_after)
{
    HF_CLEANUP(hf_freep) char *text = hf_strdup("taken");
    hf_alloc_fail_after(fail_after);
    HF_CLEANUP(hf_freep) char *other = hf_alloc(1);
    hf_alloc_fail_after(0);
    if (!other) {
        return NULL; /* the sanitizer would tell of a leak */
    }
    char *taken = HF_TAKE(text);
    left_behind = text;
    return taken;
}

static void test_cleanup_frees_and_take_hands_over(void **state)
{
    (void)state;
    left_behind = state;
    char *text = make(0);
    assert_string_equal(text, "taken");
    assert_null(left_behind);
    hf_free(text);
    assert_null(make(1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_of_no_bytes_are_blocks_all_the_same),
        cmocka_unit_test(test_zeroed_blocks_are_zero),
        cmocka_unit_test(test_a_size_that_overflows_is_refused),
        cmocka_unit_test(test_growing_keeps_the_contents),
        cmocka_unit_test(test_strings_are_copied_and_ended),
        cmocka_unit_test(test_the_nth_allocation_fails_and_only_that),
        cmocka_unit_test(test_failures_are_for_the_thread_that_asked_for_them),
        cmocka_unit_test(test_cleanup_frees_and_take_hands_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
