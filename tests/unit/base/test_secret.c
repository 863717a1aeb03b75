// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"

static void test_wiping_clears(void **state)
{
    (void)state;
    uint8_t bytes[] = {1, 2, 3, 4};
    hf_wipe(bytes + 1, 2);
    assert_true(bytes[0] == 1 && bytes[1] == 0 && bytes[2] == 0 && bytes[3] == 4);
    hf_wipe(NULL, 0);
}

static void test_comparison_finds_every_differing_bit(void **state)
{
    (void)state;
    uint8_t a[33] = {0}, b[33] = {0};
    assert_true(hf_ct_eq(hf_bytes_of(a, 33), hf_bytes_of(b, 33)));
    for (size_t bit = 0; bit < 33 * 8; bit++) {
        b[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(hf_ct_eq(hf_bytes_of(a, 33), hf_bytes_of(b, 33)));
        b[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_false(hf_ct_eq(hf_bytes_of(a, 33), hf_bytes_of(b, 32)));
    assert_true(hf_ct_eq(hf_bytes_of(NULL, 0), hf_bytes_of(a, 0)));
}

static void test_a_short_secret_is_viewed_and_wiped(void **state)
{
    (void)state;
    static const struct hf_secret none;
    struct hf_secret secret = {.byte = "key", .len = 3};
    assert_true(hf_bytes_eq_str(hf_secret_bytes(&secret), "key"));
    hf_secret_done(&secret);
    assert_memory_equal(&secret, &none, sizeof(none));
}

static void test_a_secret_text_is_copied_replaced_and_gone(void **state)
{
    (void)state;
    struct hf_secret_text secret = {0};
    assert_int_equal(hf_secret_text_set(&secret, hf_bytes_of("pass word", 4)), HF_OK);
    assert_string_equal(secret.ptr, "pass");
    assert_int_equal(secret.len, 4);
    assert_int_equal(hf_secret_text_set(&secret, hf_bytes_of("a\0b", 3)), HF_OK);
    assert_memory_equal(secret.ptr, "a\0b", 4);
    hf_secret_text_done(&secret);
    assert_true(secret.ptr == NULL && secret.len == 0);
    hf_secret_text_done(&secret);
}

static void test_without_memory_the_secret_is_empty(void **state)
{
    (void)state;
    struct hf_secret_text secret = {0};
    assert_int_equal(hf_secret_text_set(&secret, hf_bytes_str("old")), HF_OK);
    hf_alloc_fail_after(1);
    assert_int_equal(hf_secret_text_set(&secret, hf_bytes_str("new")), HF_E_NOMEM);
    hf_alloc_fail_after(0);
    assert_true(secret.ptr == NULL && secret.len == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wiping_clears),
        cmocka_unit_test(test_comparison_finds_every_differing_bit),
        cmocka_unit_test(test_a_short_secret_is_viewed_and_wiped),
        cmocka_unit_test(test_a_secret_text_is_copied_replaced_and_gone),
        cmocka_unit_test(test_without_memory_the_secret_is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
