// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

static void assert_holds(const struct hf_buf *buf, const char *want)
{
    assert_true(hf_bytes_eq_str(hf_buf_bytes(buf), want));
}

static void test_a_zeroed_buffer_is_valid_and_takes_nothing(void **state)
{
    (void)state;
    struct hf_buf buf = {0};
    assert_int_equal(hf_buf_len(&buf), 0);
    assert_int_equal(hf_buf_append_str(&buf, ""), HF_OK);
    assert_int_equal(hf_buf_append_str(&buf, "x"), HF_E_TOO_LARGE);
    assert_null(buf.mem);
    hf_buf_consume(&buf, 0);
    hf_buf_reset(&buf);
    hf_buf_wipe(&buf);
    hf_buf_release(&buf);
    hf_buf_done(&buf);
    hf_buf_done(&buf);
}

static void test_bytes_leave_in_the_order_they_came(void **state)
{
    (void)state;
    struct hf_buf buf = HF_BUF_INIT(100);
    assert_int_equal(hf_buf_append_str(&buf, "hello "), HF_OK);
    assert_int_equal(hf_buf_append(&buf, hf_bytes_of("world", 5)), HF_OK);
    assert_holds(&buf, "hello world");
    hf_buf_consume(&buf, 6);
    assert_holds(&buf, "world");
    hf_buf_consume(&buf, 5);
    assert_int_equal(hf_buf_len(&buf), 0);
    hf_buf_done(&buf);
}

static void test_the_cap_is_reached_and_never_passed(void **state)
{
    (void)state;
    struct hf_buf buf = HF_BUF_INIT(8);
    assert_int_equal(hf_buf_append_str(&buf, "12345678"), HF_OK);
    assert_int_equal(hf_buf_room(&buf), 0);
    assert_int_equal(hf_buf_append_str(&buf, "9"), HF_E_TOO_LARGE);
    assert_int_equal(hf_buf_printf(&buf, "%d", 9), HF_E_TOO_LARGE);
    assert_int_equal(hf_buf_u8(&buf, 9), HF_E_TOO_LARGE);
    assert_holds(&buf, "12345678");
    hf_buf_consume(&buf, 3);
    assert_int_equal(hf_buf_append_str(&buf, "abc"), HF_OK);
    assert_holds(&buf, "45678abc");
    assert_true(buf.size <= 8);
    hf_buf_done(&buf);
}

static void test_reserve_shows_room_and_commit_keeps_part_of_it(void **state)
{
    (void)state;
    struct hf_buf buf = HF_BUF_INIT(1000);
    struct hf_span room;
    assert_int_equal(hf_buf_reserve(&buf, 300, &room), HF_OK);
    assert_int_equal(room.len, 300);
    memset(room.ptr, 'a', 300);
    hf_buf_commit(&buf, 3);
    assert_holds(&buf, "aaa");
    assert_int_equal(hf_buf_reserve(&buf, 998, &room), HF_E_TOO_LARGE);
    assert_int_equal(hf_buf_reserve(&buf, SIZE_MAX, &room), HF_E_TOO_LARGE);
    assert_int_equal(hf_buf_reserve(&buf, 997, &room), HF_OK);
    assert_holds(&buf, "aaa");
    hf_buf_done(&buf);
}

/* Against a model: a plain array that is moved about. */
static void test_random_use_agrees_with_a_model(void **state)
{
    (void)state;
    enum { CAP = 3000 };
    static uint8_t model[CAP];
    static uint8_t piece[CAP];
    size_t len = 0;
    struct hf_buf buf = HF_BUF_INIT(CAP);
    srand(7);
    for (int round = 0; round < 20000; round++) {
        size_t n = (size_t)rand() % (round % 100 ? 60 : CAP);
        if (rand() % 2) {
            memset(piece, round, n);
            enum hf_err err = hf_buf_append(&buf, hf_bytes_of(piece, n));
            assert_int_equal(err, n <= CAP - len ? HF_OK : HF_E_TOO_LARGE);
            if (err == HF_OK) {
                memcpy(model + len, piece, n);
                len += n;
            }
        } else {
            n = n < len ? n : len;
            hf_buf_consume(&buf, n);
            memmove(model, model + n, len - n);
            len -= n;
        }
        assert_true(hf_bytes_eq(hf_buf_bytes(&buf), hf_bytes_of(model, len)));
        assert_true(buf.size <= CAP);
    }
    hf_buf_done(&buf);
}

static void test_a_queue_fed_and_drained_by_single_bytes_moves_little(void **state)
{
    (void)state;
    enum { HELD = 10000, N = 1000000 };
    struct hf_buf buf = HF_BUF_INIT(1 << 20);
    for (int i = 0; i < HELD; i++) {
        assert_int_equal(hf_buf_u8(&buf, 0), HF_OK);
    }
    unsigned n_moves = 0;
    for (int i = 0; i < N; i++) {
        size_t start = buf.start;
        assert_int_equal(hf_buf_u8(&buf, 0), HF_OK);
        n_moves += buf.start < start;
        hf_buf_consume(&buf, 1);
    }
    assert_int_equal(hf_buf_len(&buf), HELD);
    assert_true(n_moves <= N / (HELD / 4) + 1);
    assert_true(buf.size <= 4 * HELD);
    hf_buf_done(&buf);
}

static void test_printf_appends_text_without_its_nul(void **state)
{
    (void)state;
    struct hf_buf buf = HF_BUF_INIT(10000);
    char want[1001];
    assert_int_equal(hf_buf_printf(&buf, "%s-%d", "a", 42), HF_OK);
    assert_holds(&buf, "a-42");
    assert_int_equal(hf_buf_printf(&buf, "%s", ""), HF_OK);
    hf_buf_reset(&buf);
    memset(want, 'x', 1000);
    want[1000] = '\0';
    assert_int_equal(hf_buf_printf(&buf, "%s", want), HF_OK);
    assert_holds(&buf, want);
    hf_buf_done(&buf);
}

static void test_printf_may_fill_the_buffer_to_the_last_byte(void **state)
{
    (void)state;
    struct hf_buf buf = HF_BUF_INIT(4);
    assert_int_equal(hf_buf_printf(&buf, "%d", 12345), HF_E_TOO_LARGE);
    assert_int_equal(hf_buf_printf(&buf, "%d", 1234), HF_OK);
    assert_holds(&buf, "1234");
    hf_buf_done(&buf);
}

static void test_numbers_are_big_endian(void **state)
{
    (void)state;
    static const uint8_t want[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0xff, 0, 0, 0, 0, 0, 0, 1};
    struct hf_buf buf = HF_BUF_INIT(100);
    assert_int_equal(hf_buf_u8(&buf, 1), HF_OK);
    assert_int_equal(hf_buf_u16(&buf, 0x0203), HF_OK);
    assert_int_equal(hf_buf_u24(&buf, 0x040506), HF_OK);
    assert_int_equal(hf_buf_u32(&buf, 0x0708090a), HF_OK);
    assert_int_equal(hf_buf_u64(&buf, 0xff00000000000001), HF_OK);
    assert_true(hf_bytes_eq(hf_buf_bytes(&buf), hf_bytes_of(want, sizeof(want))));
    hf_buf_done(&buf);
}

static void test_vectors_nest_and_survive_growth_and_consumption(void **state)
{
    (void)state;
    struct hf_buf buf = HF_BUF_INIT(2000);
    struct hf_buf_vec outer, inner;
    assert_int_equal(hf_buf_append_str(&buf, "gone"), HF_OK);
    hf_buf_consume(&buf, 4);
    assert_int_equal(hf_buf_append_str(&buf, "xx"), HF_OK);
    hf_buf_consume(&buf, 1);
    assert_int_equal(hf_buf_vec_open(&buf, 2, &outer), HF_OK);
    assert_int_equal(hf_buf_vec_open(&buf, 1, &inner), HF_OK);
    for (int i = 0; i < 255; i++) {
        assert_int_equal(hf_buf_u8(&buf, (uint8_t)i), HF_OK);
    }
    assert_int_equal(hf_buf_vec_close(&buf, inner), HF_OK);
    assert_int_equal(hf_buf_vec_close(&buf, outer), HF_OK);
    struct hf_bytes bytes = hf_buf_bytes(&buf);
    assert_int_equal(bytes.len, 1 + 2 + 1 + 255);
    assert_int_equal(bytes.ptr[1] << 8 | bytes.ptr[2], 256);
    assert_int_equal(bytes.ptr[3], 255);
    hf_buf_done(&buf);
}

static void test_a_vector_too_long_for_its_length_is_refused(void **state)
{
    (void)state;
    struct hf_buf buf = HF_BUF_INIT(1000);
    struct hf_buf_vec vec;
    assert_int_equal(hf_buf_vec_open(&buf, 1, &vec), HF_OK);
    for (int i = 0; i < 256; i++) {
        assert_int_equal(hf_buf_u8(&buf, 0), HF_OK);
    }
    assert_int_equal(hf_buf_vec_close(&buf, vec), HF_E_TOO_LARGE);
    assert_int_equal(hf_buf_len(&buf), 257);
    hf_buf_done(&buf);
}

static void test_a_c_string_is_given_even_at_the_cap(void **state)
{
    (void)state;
    struct hf_buf buf = HF_BUF_INIT(3);
    assert_string_equal(hf_buf_cstr(&buf), "");
    assert_int_equal(hf_buf_append_str(&buf, "abc"), HF_OK);
    assert_string_equal(hf_buf_cstr(&buf), "abc");
    hf_buf_consume(&buf, 1);
    assert_string_equal(hf_buf_cstr(&buf), "bc");
    assert_int_equal(hf_buf_len(&buf), 2);
    hf_buf_done(&buf);
}

static void test_wiping_clears_what_was_held_and_consumed(void **state)
{
    (void)state;
    struct hf_buf buf = HF_BUF_INIT(100);
    assert_int_equal(hf_buf_append_str(&buf, "a secret key"), HF_OK);
    hf_buf_consume(&buf, 4);
    size_t size = buf.size;
    hf_buf_wipe(&buf);
    assert_int_equal(hf_buf_len(&buf), 0);
    for (size_t i = 0; i < size; i++) {
        assert_int_equal(buf.mem[i], 0);
    }
    hf_buf_done(&buf);
}

static void test_release_gives_memory_back_and_keeps_the_cap(void **state)
{
    (void)state;
    struct hf_buf buf = HF_BUF_INIT(100);
    assert_int_equal(hf_buf_append_str(&buf, "abc"), HF_OK);
    hf_buf_release(&buf);
    assert_null(buf.mem);
    assert_int_equal(hf_buf_append_str(&buf, "def"), HF_OK);
    assert_holds(&buf, "def");
    hf_buf_done(&buf);
}

static void test_running_out_of_memory_changes_nothing(void **state)
{
    (void)state;
    static char block[5000];
    struct hf_buf buf = HF_BUF_INIT(10000);
    struct hf_span room;
    hf_alloc_fail_after(1);
    assert_int_equal(hf_buf_append_str(&buf, "x"), HF_E_NOMEM);
    hf_alloc_fail_after(1);
    assert_null(hf_buf_cstr(&buf));
    assert_int_equal(hf_buf_append_str(&buf, "kept"), HF_OK);
    hf_alloc_fail_after(1);
    assert_int_equal(hf_buf_append(&buf, hf_bytes_of(block, sizeof(block))), HF_E_NOMEM);
    hf_alloc_fail_after(1);
    assert_int_equal(hf_buf_reserve(&buf, sizeof(block), &room), HF_E_NOMEM);
    hf_alloc_fail_after(1);
    assert_int_equal(hf_buf_printf(&buf, "%5000d", 1), HF_E_NOMEM);
    hf_alloc_fail_after(0);
    assert_holds(&buf, "kept");
    hf_buf_done(&buf);
}

static void test_an_endless_cap_does_not_overflow(void **state)
{
    (void)state;
    struct hf_buf buf = HF_BUF_INIT(SIZE_MAX);
    struct hf_span room;
    assert_int_equal(hf_buf_append_str(&buf, "kept"), HF_OK);
    hf_alloc_fail_after(1);
    assert_int_equal(hf_buf_reserve(&buf, SIZE_MAX - 10, &room), HF_E_NOMEM);
    hf_alloc_fail_after(0);
    assert_holds(&buf, "kept");
    hf_buf_done(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_zeroed_buffer_is_valid_and_takes_nothing),
        cmocka_unit_test(test_bytes_leave_in_the_order_they_came),
        cmocka_unit_test(test_the_cap_is_reached_and_never_passed),
        cmocka_unit_test(test_reserve_shows_room_and_commit_keeps_part_of_it),
        cmocka_unit_test(test_random_use_agrees_with_a_model),
        cmocka_unit_test(test_a_queue_fed_and_drained_by_single_bytes_moves_little),
        cmocka_unit_test(test_printf_appends_text_without_its_nul),
        cmocka_unit_test(test_printf_may_fill_the_buffer_to_the_last_byte),
        cmocka_unit_test(test_numbers_are_big_endian),
        cmocka_unit_test(test_vectors_nest_and_survive_growth_and_consumption),
        cmocka_unit_test(test_a_vector_too_long_for_its_length_is_refused),
        cmocka_unit_test(test_a_c_string_is_given_even_at_the_cap),
        cmocka_unit_test(test_wiping_clears_what_was_held_and_consumed),
        cmocka_unit_test(test_release_gives_memory_back_and_keeps_the_cap),
        cmocka_unit_test(test_running_out_of_memory_changes_nothing),
        cmocka_unit_test(test_an_endless_cap_does_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
