// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>
#include <pthread.h>

#include "base/mem.h"
#include "watch/metrics.h"

#define REFUSED_TEXT \
    "# HELP handfast_metrics_series_refused_total Series that were not made: too many, or out of " \
    "memory.\n# TYPE handfast_metrics_series_refused_total counter\n"

static struct hf_metrics *make(unsigned n_shards)
{
    struct hf_metrics *metrics = NULL;
    assert_int_equal(hf_metrics_new(n_shards, 100, &metrics), HF_OK);
    return metrics;
}

/* What is rendered after the family that every registry has. */
static const char *render(struct hf_metrics *metrics, enum hf_metrics_format format,
                          struct hf_buf *buf)
{
    hf_buf_reset(buf);
    assert_int_equal(hf_metrics_render(metrics, format, buf), HF_OK);
    const char *text = hf_buf_cstr(buf);
    assert_non_null(text);
    const char *refused = strstr(text, "\nhandfast_metrics_series_refused_total ");
    assert_non_null(refused);
    return strchr(refused + 1, '\n') + 1;
}

static void expect(struct hf_metrics *metrics, enum hf_metrics_format format, const char *text)
{
    struct hf_buf buf = HF_BUF_INIT(1 << 20);
    assert_string_equal(render(metrics, format, &buf), text);
    hf_buf_done(&buf);
}

static void counter_sums_its_shards(void **state)
{
    (void)state;
    struct hf_metrics *metrics = make(3);
    struct hf_series *series = hf_metrics_counter(metrics, "a_total", "A.", NULL);
    hf_series_add(series, 0, 1);
    hf_series_add(series, 1, 10);
    hf_series_add(series, 2, 100);
    hf_series_add(series, 2, 1);
    assert_int_equal(hf_series_sum(metrics, series), 112);
    expect(metrics, HF_METRICS_PROMETHEUS,
           "# HELP a_total A.\n# TYPE a_total counter\na_total 112\n");
    hf_metrics_free(metrics);
}

static void openmetrics_names_the_family_without_total_and_ends(void **state)
{
    (void)state;
    struct hf_metrics *metrics = make(1);
    hf_metrics_counter(metrics, "a_total", "Say \"A\".", NULL);
    expect(metrics, HF_METRICS_OPENMETRICS,
           "# HELP a Say \\\"A\\\".\n# TYPE a counter\na_total 0\n# EOF\n");
    expect(metrics, HF_METRICS_PROMETHEUS,
           "# HELP a_total Say \"A\".\n# TYPE a_total counter\na_total 0\n");
    hf_metrics_free(metrics);
}

static void same_name_and_labels_are_the_same_series(void **state)
{
    (void)state;
    struct hf_metrics *metrics = make(2);
    struct hf_series *one = hf_metrics_counter(metrics, "a_total", "A.", "l", "x", NULL);
    struct hf_series *two = hf_metrics_counter(metrics, "a_total", "A.", "l", "y", NULL);
    assert_ptr_not_equal(one, two);
    assert_ptr_equal(one, hf_metrics_counter(metrics, "a_total", "A.", "l", "x", NULL));
    hf_metrics_free(metrics);
}

static void families_stay_together(void **state)
{
    (void)state;
    struct hf_metrics *metrics = make(1);
    hf_metrics_counter(metrics, "a_total", "A.", "l", "x", "m", "1", NULL);
    hf_metrics_gauge(metrics, "b", "B.", NULL);
    hf_metrics_counter(metrics, "a_total", "A.", "l", "y", "m", "2", NULL);
    expect(metrics, HF_METRICS_PROMETHEUS,
           "# HELP a_total A.\n# TYPE a_total counter\na_total{l=\"x\",m=\"1\"} 0\n"
           "a_total{l=\"y\",m=\"2\"} 0\n# HELP b B.\n# TYPE b gauge\nb 0\n");
    hf_metrics_free(metrics);
}

static void gauge_goes_up_and_down_across_shards(void **state)
{
    (void)state;
    struct hf_metrics *metrics = make(2);
    struct hf_series *gauge = hf_metrics_gauge(metrics, "open", "O.", NULL);
    hf_series_add(gauge, 0, 5);
    hf_series_sub(gauge, 1, 7);
    assert_int_equal(hf_series_sum(metrics, gauge), -2);
    expect(metrics, HF_METRICS_PROMETHEUS, "# HELP open O.\n# TYPE open gauge\nopen -2\n");
    hf_series_set(gauge, 1, 3);
    assert_int_equal(hf_series_sum(metrics, gauge), 8);
    hf_metrics_free(metrics);
}

static void histogram_counts_inclusive_and_cumulative(void **state)
{
    (void)state;
    static const uint64_t bounds[] = {1000, 1000000, 2500000};
    static const struct hf_buckets buckets = {bounds, 3, 1e-6};
    struct hf_metrics *metrics = make(2);
    struct hf_series *series =
        hf_metrics_histogram(metrics, "t_seconds", "T.", &buckets, "l", "x", NULL);
    hf_series_observe(series, 0, 0);
    hf_series_observe(series, 1, 1000);
    hf_series_observe(series, 0, 1001);
    hf_series_observe(series, 0, 2500000);
    hf_series_observe(series, 1, 2500001);
    expect(metrics, HF_METRICS_PROMETHEUS,
           "# HELP t_seconds T.\n# TYPE t_seconds histogram\n"
           "t_seconds_bucket{l=\"x\",le=\"0.001\"} 2\n"
           "t_seconds_bucket{l=\"x\",le=\"1.0\"} 3\n"
           "t_seconds_bucket{l=\"x\",le=\"2.5\"} 4\n"
           "t_seconds_bucket{l=\"x\",le=\"+Inf\"} 5\n"
           "t_seconds_sum{l=\"x\"} 5.002002\n"
           "t_seconds_count{l=\"x\"} 5\n");
    hf_metrics_free(metrics);
}

static void histogram_without_labels_has_only_le(void **state)
{
    (void)state;
    static const uint64_t bounds[] = {10};
    static const struct hf_buckets buckets = {bounds, 1, 1};
    struct hf_metrics *metrics = make(1);
    hf_series_observe(hf_metrics_histogram(metrics, "h", "H.", &buckets, NULL), 0, 11);
    expect(metrics, HF_METRICS_PROMETHEUS,
           "# HELP h H.\n# TYPE h histogram\nh_bucket{le=\"10.0\"} 0\nh_bucket{le=\"+Inf\"} 1\n"
           "h_sum 11\nh_count 1\n");
    hf_metrics_free(metrics);
}

static void default_buckets_ascend(void **state)
{
    (void)state;
    const struct hf_buckets *all[] = {&hf_buckets_us, &hf_buckets_bytes};
    for (size_t k = 0; k < HF_N_ELEMENTS(all); k++) {
        assert_true(all[k]->n_bounds <= HF_METRICS_BUCKETS_MAX);
        for (size_t i = 1; i < all[k]->n_bounds; i++) {
            assert_true(all[k]->bounds[i - 1] < all[k]->bounds[i]);
        }
    }
}

static void label_values_are_escaped(void **state)
{
    (void)state;
    struct hf_metrics *metrics = make(1);
    hf_metrics_gauge(metrics, "g", "Back\\slash\nnewline.", "l", "q\"b\\n\nu\xc3\xa4", NULL);
    expect(metrics, HF_METRICS_PROMETHEUS,
           "# HELP g Back\\\\slash\\nnewline.\n# TYPE g gauge\n"
           "g{l=\"q\\\"b\\\\n\\nu\xc3\xa4\"} 0\n");
    hf_metrics_free(metrics);
}

static void label_values_that_are_not_text_are_replaced(void **state)
{
    (void)state;
    struct hf_metrics *metrics = make(1);
    hf_metrics_gauge(metrics, "g", "G.", "l", "a\xff\xc3z\x01\x7f", NULL);
    expect(metrics, HF_METRICS_PROMETHEUS,
           "# HELP g G.\n# TYPE g gauge\ng{l=\"a\xef\xbf\xbd\xef\xbf\xbdz\xef\xbf\xbd"
           "\xef\xbf\xbd\"} 0\n");
    hf_metrics_free(metrics);
}

static void long_label_values_are_cut(void **state)
{
    (void)state;
    char value[1000];
    memset(value, 'v', sizeof(value));
    value[999] = '\0';
    struct hf_metrics *metrics = make(1);
    hf_metrics_gauge(metrics, "g", "G.", "l", value, NULL);
    struct hf_buf buf = HF_BUF_INIT(1 << 20);
    const char *text = strchr(render(metrics, HF_METRICS_PROMETHEUS, &buf), '=');
    assert_int_equal(strspn(text + 2, "v"), HF_METRICS_VALUE_MAX);
    hf_buf_done(&buf);
    hf_metrics_free(metrics);
}

static double read_number(void *ctx)
{
    double value;
    memcpy(&value, ctx, sizeof(value));
    return value;
}

static void sources_are_read_at_the_scrape(void **state)
{
    (void)state;
    struct hf_metrics *metrics = make(1);
    double value = 1.5;
    hf_metrics_gauge_from(metrics, "g", "G.", (struct hf_metrics_source){read_number, &value},
                          NULL);
    expect(metrics, HF_METRICS_PROMETHEUS, "# HELP g G.\n# TYPE g gauge\ng 1.5\n");
    value = INFINITY;
    expect(metrics, HF_METRICS_PROMETHEUS, "# HELP g G.\n# TYPE g gauge\ng +Inf\n");
    value = NAN;
    expect(metrics, HF_METRICS_PROMETHEUS, "# HELP g G.\n# TYPE g gauge\n");
    hf_metrics_free(metrics);
}

static void a_source_asked_for_again_is_the_newer_one(void **state)
{
    (void)state;
    struct hf_metrics *metrics = make(1);
    double old = 1;
    double new = 2;
    struct hf_series *a = hf_metrics_counter_from(
        metrics, "a_total", "A.", (struct hf_metrics_source){read_number, &old}, NULL);
    struct hf_series *b = hf_metrics_counter_from(
        metrics, "a_total", "A.", (struct hf_metrics_source){read_number, &new}, NULL);
    assert_ptr_equal(a, b);
    hf_metrics_release(metrics, a);
    expect(metrics, HF_METRICS_PROMETHEUS,
           "# HELP a_total A.\n# TYPE a_total counter\na_total 2\n");
    hf_metrics_free(metrics);
}

static void value_survives_a_reload(void **state)
{
    (void)state;
    struct hf_metrics *metrics = make(1);
    struct hf_series *old = hf_metrics_counter(metrics, "a_total", "A.", "l", "x", NULL);
    hf_series_add(old, 0, 7);
    struct hf_series *new = hf_metrics_counter(metrics, "a_total", "A.", "l", "x", NULL);
    hf_metrics_release(metrics, old);
    assert_int_equal(hf_series_sum(metrics, new), 7);
    expect(metrics, HF_METRICS_PROMETHEUS,
           "# HELP a_total A.\n# TYPE a_total counter\na_total{l=\"x\"} 7\n");
    hf_metrics_free(metrics);
}

static void what_nobody_holds_is_not_shown_and_starts_again_at_zero(void **state)
{
    (void)state;
    struct hf_metrics *metrics = make(2);
    struct hf_series *series = hf_metrics_counter(metrics, "a_total", "A.", NULL);
    hf_series_add(series, 1, 7);
    hf_metrics_release(metrics, series);
    expect(metrics, HF_METRICS_PROMETHEUS, "");
    series = hf_metrics_counter(metrics, "b_total", "B.", NULL);
    assert_int_equal(hf_series_sum(metrics, series), 0);
    expect(metrics, HF_METRICS_PROMETHEUS,
           "# HELP b_total B.\n# TYPE b_total counter\nb_total 0\n");
    hf_metrics_free(metrics);
}

static void names_that_come_and_go_do_not_use_up_the_bound(void **state)
{
    (void)state;
    struct hf_metrics *metrics = make(1);
    for (int i = 0; i < 1000; i++) {
        char name[32];
        snprintf(name, sizeof(name), "listener-%d", i);
        struct hf_series *series = hf_metrics_gauge(metrics, "g", "G.", "l", name, NULL);
        struct hf_series *times =
            hf_metrics_histogram(metrics, "h", "H.", &hf_buckets_us, "l", name, NULL);
        hf_series_set(series, 0, i);
        assert_int_equal(hf_series_sum(metrics, series), i);
        hf_metrics_release(metrics, series);
        hf_metrics_release(metrics, times);
    }
    expect(metrics, HF_METRICS_PROMETHEUS, "");
    hf_metrics_free(metrics);
}

static void beyond_the_bound_the_sink_takes_it(void **state)
{
    (void)state;
    struct hf_metrics *metrics = NULL;
    assert_int_equal(hf_metrics_new(2, 1, &metrics), HF_OK);
    struct hf_series *fits = hf_metrics_counter(metrics, "a_total", "A.", NULL);
    struct hf_series *sink = hf_metrics_counter(metrics, "b_total", "B.", NULL);
    struct hf_series *times = hf_metrics_histogram(metrics, "h", "H.", &hf_buckets_us, NULL);
    hf_series_add(fits, 1, 1);
    hf_series_add(sink, 1, 1000);
    hf_series_observe(times, 1, 1000);
    hf_metrics_release(metrics, sink);
    hf_metrics_release(metrics, times);
    struct hf_buf buf = HF_BUF_INIT(1 << 20);
    assert_int_equal(hf_metrics_render(metrics, HF_METRICS_PROMETHEUS, &buf), HF_OK);
    assert_string_equal(hf_buf_cstr(&buf),
                        REFUSED_TEXT "handfast_metrics_series_refused_total 2\n"
                                     "# HELP a_total A.\n# TYPE a_total counter\na_total 1\n");
    hf_buf_done(&buf);
    hf_metrics_free(metrics);
}

static void allocation_failure_gives_the_sink(void **state)
{
    (void)state;
    for (size_t n = 1; n < 40; n++) {
        struct hf_metrics *metrics = make(2);
        hf_alloc_fail_after(n);
        struct hf_series *series =
            hf_metrics_histogram(metrics, "h", "H.", &hf_buckets_us, "l", "x", NULL);
        hf_alloc_fail_after(0);
        assert_non_null(series);
        hf_series_observe(series, 1, 4711);
        hf_metrics_release(metrics, series);
        hf_metrics_free(metrics);
    }
}

static void allocation_failure_of_the_registry_is_told(void **state)
{
    (void)state;
    enum hf_err err = HF_E_NOMEM;
    size_t n = 1;
    for (; err != HF_OK && n < 100; n++) {
        struct hf_metrics *metrics = NULL;
        hf_alloc_fail_after(n);
        err = hf_metrics_new(2, 10, &metrics);
        hf_alloc_fail_after(0);
        assert_int_equal(err == HF_OK, metrics != NULL);
        assert_true(err == HF_OK || err == HF_E_NOMEM);
        hf_metrics_free(metrics);
    }
    assert_true(n > 3 && err == HF_OK);
}

static void render_tells_when_the_buffer_is_too_small(void **state)
{
    (void)state;
    struct hf_metrics *metrics = make(1);
    struct hf_buf buf = HF_BUF_INIT(64);
    assert_int_equal(hf_metrics_render(metrics, HF_METRICS_PROMETHEUS, &buf), HF_E_TOO_LARGE);
    hf_buf_done(&buf);
    hf_metrics_free(metrics);
}

struct adder {
    struct hf_series *counter;
    struct hf_series *times;
    unsigned shard;
};

static void *add_many(void *arg)
{
    struct adder *adder = arg;
    for (unsigned i = 0; i < 100000; i++) {
        hf_series_add(adder->counter, adder->shard, 1);
        hf_series_observe(adder->times, adder->shard, i);
    }
    return NULL;
}

static void four_threads_lose_nothing_while_a_fifth_renders(void **state)
{
    (void)state;
    struct hf_metrics *metrics = make(4);
    struct hf_series *counter = hf_metrics_counter(metrics, "a_total", "A.", NULL);
    struct hf_series *times = hf_metrics_histogram(metrics, "h", "H.", &hf_buckets_us, NULL);
    struct adder adders[4];
    pthread_t threads[4];
    for (unsigned i = 0; i < 4; i++) {
        adders[i] = (struct adder){counter, times, i};
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, &adders[i]), 0);
    }
    struct hf_buf buf = HF_BUF_INIT(1 << 20);
    for (int i = 0; i < 50; i++) {
        render(metrics, HF_METRICS_OPENMETRICS, &buf);
    }
    for (unsigned i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(hf_series_sum(metrics, counter), 400000);
    assert_non_null(strstr(render(metrics, HF_METRICS_PROMETHEUS, &buf), "h_count 400000\n"));
    hf_buf_done(&buf);
    hf_metrics_free(metrics);
}

static void shards_never_share_a_cache_line(void **state)
{
    (void)state;
    struct hf_metrics *metrics = make(2);
    for (int i = 0; i < 50; i++) {
        char name[16];
        snprintf(name, sizeof(name), "%d", i);
        struct hf_series *series = hf_metrics_gauge(metrics, "g", "G.", "l", name, NULL);
        uintptr_t line = (uintptr_t)series->cell / 64;
        uintptr_t other = (uintptr_t)(series->cell + HF_METRICS_STRIDE) / 64;
        assert_true(other - line >= 64);
    }
    hf_metrics_free(metrics);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counter_sums_its_shards),
        cmocka_unit_test(openmetrics_names_the_family_without_total_and_ends),
        cmocka_unit_test(same_name_and_labels_are_the_same_series),
        cmocka_unit_test(families_stay_together),
        cmocka_unit_test(gauge_goes_up_and_down_across_shards),
        cmocka_unit_test(histogram_counts_inclusive_and_cumulative),
        cmocka_unit_test(histogram_without_labels_has_only_le),
        cmocka_unit_test(default_buckets_ascend),
        cmocka_unit_test(label_values_are_escaped),
        cmocka_unit_test(label_values_that_are_not_text_are_replaced),
        cmocka_unit_test(long_label_values_are_cut),
        cmocka_unit_test(sources_are_read_at_the_scrape),
        cmocka_unit_test(a_source_asked_for_again_is_the_newer_one),
        cmocka_unit_test(value_survives_a_reload),
        cmocka_unit_test(what_nobody_holds_is_not_shown_and_starts_again_at_zero),
        cmocka_unit_test(names_that_come_and_go_do_not_use_up_the_bound),
        cmocka_unit_test(beyond_the_bound_the_sink_takes_it),
        cmocka_unit_test(allocation_failure_gives_the_sink),
        cmocka_unit_test(allocation_failure_of_the_registry_is_told),
        cmocka_unit_test(render_tells_when_the_buffer_is_too_small),
        cmocka_unit_test(four_threads_lose_nothing_while_a_fifth_renders),
        cmocka_unit_test(shards_never_share_a_cache_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
