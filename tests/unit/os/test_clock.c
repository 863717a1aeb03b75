// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>
#include <time.h>

#include "os/clock.h"

static void test_the_monotonic_clock_counts_nanoseconds_and_never_goes_back(void **state)
{
    (void)state;
    struct timespec now;
    int64_t last = hf_clock_mono_ns(&hf_os_clock);
    for (int i = 0; i < 1000; i++) {
        int64_t next = hf_clock_mono_ns(&hf_os_clock);
        assert_true(next >= last);
        last = next;
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t apart = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec - last;
    assert_true(apart >= 0 && apart < 10000000000);
}

static void test_the_wall_clock_is_unix_time(void **state)
{
    (void)state;
    int64_t apart = (int64_t)time(NULL) - hf_clock_wall_s(&hf_os_clock);
    assert_true(apart >= -1 && apart <= 10);
    int64_t ms = hf_os_clock.wall_ms(hf_os_clock.ctx);
    assert_true(ms / 1000 - hf_clock_wall_s(&hf_os_clock) <= 10);
}

static void test_random_bytes_fill_all_of_a_large_span(void **state)
{
    (void)state;
    static uint8_t bytes[100000]; /* more than the kernel gives uninterrupted */
    static const uint8_t zeros[32];
    assert_int_equal(hf_rng_fill(&hf_os_rng, hf_span_of(bytes, sizeof(bytes))), HF_OK);
    for (size_t i = 0; i + sizeof(zeros) <= sizeof(bytes); i += sizeof(zeros)) {
        assert_memory_not_equal(bytes + i, zeros, sizeof(zeros));
    }
    assert_int_equal(hf_rng_fill(&hf_os_rng, hf_span_of(NULL, 0)), HF_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_monotonic_clock_counts_nanoseconds_and_never_goes_back),
        cmocka_unit_test(test_the_wall_clock_is_unix_time),
        cmocka_unit_test(test_random_bytes_fill_all_of_a_large_span),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
