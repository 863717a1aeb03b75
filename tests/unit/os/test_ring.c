// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "os/ring.h"

static struct hf_ring ring;

static int set_up(void **state)
{
    (void)state;
    return hf_ring_init(&ring, 16) == HF_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    hf_ring_done(&ring);
    return 0;
}

static bool put(const char *text)
{
    return hf_ring_put(&ring, hf_bytes_str(text));
}

static void test_bytes_come_out_in_order(void **state)
{
    (void)state;
    assert_int_equal(hf_ring_len(&ring), 0);
    assert_true(put("hello "));
    assert_true(put("world"));
    assert_true(put(""));
    assert_int_equal(hf_ring_len(&ring), 11);
    assert_true(hf_bytes_eq_str(hf_ring_peek(&ring), "hello world"));
    hf_ring_take(&ring, 6);
    assert_true(hf_bytes_eq_str(hf_ring_peek(&ring), "world"));
}

static void test_what_does_not_fit_is_refused_whole(void **state)
{
    (void)state;
    assert_true(put("0123456789abcdef"));
    assert_false(put("x"));
    hf_ring_take(&ring, 1);
    assert_false(put("xy"));
    assert_true(put("x"));
    assert_int_equal(hf_ring_len(&ring), 16);
    assert_false(hf_ring_put(&ring, hf_bytes_of(ring.mem, 17)));
}

static void test_wrapped_bytes_show_in_two_pieces(void **state)
{
    (void)state;
    assert_true(put("0123456789"));
    hf_ring_take(&ring, 10);
    assert_true(put("abcdefghij"));
    assert_true(hf_bytes_eq_str(hf_ring_peek(&ring), "abcdef"));
    hf_ring_take(&ring, 6);
    assert_true(hf_bytes_eq_str(hf_ring_peek(&ring), "ghij"));
    hf_ring_take(&ring, 4);
    assert_int_equal(hf_ring_len(&ring), 0);
}

static void test_counters_may_overflow(void **state)
{
    (void)state;
    atomic_store(&ring.tail, SIZE_MAX - 3);
    atomic_store(&ring.head, SIZE_MAX - 3);
    assert_true(put("0123456789"));
    assert_int_equal(hf_ring_len(&ring), 10);
    assert_true(hf_bytes_eq_str(hf_ring_peek(&ring), "0123"));
    hf_ring_take(&ring, 4);
    assert_true(hf_bytes_eq_str(hf_ring_peek(&ring), "456789"));
}

enum { N_BYTES = 1 << 20 };

static void *write_counting(void *arg)
{
    (void)arg;
    uint8_t next = 0;
    for (size_t sent = 0; sent < N_BYTES;) {
        uint8_t piece[7];
        size_t len = 1 + sent % sizeof(piece);
        len = len < N_BYTES - sent ? len : N_BYTES - sent;
        for (size_t i = 0; i < len; i++) {
            piece[i] = (uint8_t)(next + i);
        }
        if (hf_ring_put(&ring, hf_bytes_of(piece, len))) {
            next = (uint8_t)(next + len);
            sent += len;
        } else {
            sched_yield();
        }
    }
    return NULL;
}

static void test_a_writer_and_a_reader_agree_on_every_byte(void **state)
{
    (void)state;
    pthread_t writer;
    uint8_t next = 0;
    assert_int_equal(pthread_create(&writer, NULL, write_counting, NULL), 0);
    for (size_t got = 0; got < N_BYTES;) {
        struct hf_bytes bytes = hf_ring_peek(&ring);
        for (size_t i = 0; i < bytes.len; i++) {
            if (bytes.ptr[i] != next++) {
                fail_msg("byte %zu is wrong", got + i);
            }
        }
        hf_ring_take(&ring, bytes.len);
        got += bytes.len;
        if (bytes.len == 0) {
            sched_yield();
        }
    }
    pthread_join(writer, NULL);
    assert_int_equal(hf_ring_len(&ring), 0);
}

static void test_out_of_memory_is_reported(void **state)
{
    (void)state;
    struct hf_ring none = {0};
    hf_alloc_fail_after(1);
    assert_int_equal(hf_ring_init(&none, 16), HF_E_NOMEM);
    hf_alloc_fail_after(0);
    hf_ring_done(&none);
}

#define RING_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RING_TEST(test_bytes_come_out_in_order),
        RING_TEST(test_what_does_not_fit_is_refused_whole),
        RING_TEST(test_wrapped_bytes_show_in_two_pieces),
        RING_TEST(test_counters_may_overflow),
        RING_TEST(test_a_writer_and_a_reader_agree_on_every_byte),
        RING_TEST(test_out_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
