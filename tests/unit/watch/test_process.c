// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

#include "watch/process.h"

static int64_t fixed_wall_ms(void *ctx)
{
    (void)ctx;
    return 1700000000123;
}

static int64_t fixed_mono_ns(void *ctx)
{
    (void)ctx;
    return 0;
}

static const struct hf_clock fixed_clock = {NULL, fixed_mono_ns, fixed_wall_ms};

static double value_of(struct hf_metrics *metrics, const char *sample)
{
    struct hf_buf buf = HF_BUF_INIT(1 << 20);
    assert_int_equal(hf_metrics_render(metrics, HF_METRICS_PROMETHEUS, &buf), HF_OK);
    const char *found = strstr(hf_buf_cstr(&buf), sample);
    assert_non_null(found);
    double value = strtod(found + strlen(sample), NULL);
    hf_buf_done(&buf);
    return value;
}

static struct hf_metrics *make(void)
{
    struct hf_metrics *metrics = NULL;
    assert_int_equal(hf_metrics_new(1, 100, &metrics), HF_OK);
    hf_process_metrics(metrics, &fixed_clock);
    return metrics;
}

static void the_kernel_is_asked(void **state)
{
    (void)state;
    struct hf_metrics *metrics = make();
    assert_true(value_of(metrics, "\nprocess_resident_memory_bytes ") > 100000);
    assert_true(value_of(metrics, "\nprocess_virtual_memory_bytes ") >
                value_of(metrics, "\nprocess_resident_memory_bytes "));
    assert_true(value_of(metrics, "\nprocess_cpu_seconds_total ") > 0);
    assert_true(value_of(metrics, "\nprocess_max_fds ") > 3);
    assert_true(value_of(metrics, "\nprocess_start_time_seconds ") == 1700000000);
    assert_true(value_of(metrics, "\nhandfast_build_info{version=\"" HF_VERSION "\"} ") == 1);
    hf_metrics_free(metrics);
}

static void descriptors_are_counted(void **state)
{
    (void)state;
    struct hf_metrics *metrics = make();
    double before = value_of(metrics, "\nprocess_open_fds ");
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_true(value_of(metrics, "\nprocess_open_fds ") == before + 1);
    close(fd);
    assert_true(value_of(metrics, "\nprocess_open_fds ") == before);
    hf_metrics_free(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_kernel_is_asked),
        cmocka_unit_test(descriptors_are_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
