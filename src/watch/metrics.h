// SPDX-License-Identifier: Apache-2.0
#ifndef HF_WATCH_METRICS_H
#define HF_WATCH_METRICS_H

/*
 * Counters, gauges and histograms for Prometheus and OpenMetrics.
 *
 *     struct hf_series *accepted = hf_metrics_counter(m, "handfast_handshakes_total",
 *         "Handshakes by result.", "listener", "api", "result", "ok", NULL);
 *     hf_series_add(accepted, worker->index, 1);
 *
 * Each series has one cell per shard. A shard belongs to one thread, the only one that writes its
 * cells; so an increment is a plain load and store, without a lock prefix. A scrape sums the
 * shards. Cells of different shards never share a cache line.
 *
 * The registry outlives snapshots of the configuration: a series asked for again with the same
 * name and labels is the same series, with its value. Whoever asks holds a reference; a snapshot
 * releases its own after the grace period, and what nobody holds is no longer shown.
 *
 * Functions that take a registry may be called from any thread. hf_series_* functions with a shard
 * are for the shard's owner.
 */

#include <stdatomic.h>

#include "base/buf.h"

/* Cells from one shard to the next: 4 KiB, so that neighbours are never on one cache line. */
#define HF_METRICS_STRIDE 512

#define HF_METRICS_SERIES_DEFAULT 20000 /* a sensible bound for hf_metrics_new */
#define HF_METRICS_LABELS_MAX     8     /* of one series */
#define HF_METRICS_VALUE_MAX      256   /* bytes kept of a label's value */
#define HF_METRICS_BUCKETS_MAX    64

struct hf_metrics;

/* struct hf_series is opaque but for what the increments need inline. */
struct hf_series {
    _Atomic(uint64_t) *cell; /* shard 0's; shard n's is n * HF_METRICS_STRIDE further */
    const uint64_t *bounds;  /* histogram: upper bounds, inclusive and ascending */
    size_t n_bounds;
};

/* struct hf_buckets: observations are whole numbers in a small unit, scale makes the shown unit. */
struct hf_buckets {
    const uint64_t *bounds; /* ascending, at most HF_METRICS_BUCKETS_MAX */
    size_t n_bounds;
    double scale;
};

/* Microseconds from 50 us to 30 s, shown as seconds; and bytes from 256 B to 1 GiB. */
extern const struct hf_buckets hf_buckets_us;
extern const struct hf_buckets hf_buckets_bytes;

enum hf_metrics_format { HF_METRICS_PROMETHEUS, HF_METRICS_OPENMETRICS };

/* hf_metrics_new: n_shards threads will write; at most max_series exist at a time (a histogram
 * counts as many as it shows lines). */
enum hf_err hf_metrics_new(unsigned n_shards, size_t max_series,
                           struct hf_metrics **out) HF_MUST_CHECK;
void hf_metrics_free(struct hf_metrics *metrics);

/*
 * The series of this name and these labels (name, value, name, value ..., NULL), with a reference
 * for the caller. Never NULL: beyond max_series, or when memory ran out, it is one that takes
 * increments and isn't shown; handfast_metrics_series_refused_total counts these.
 *
 * A counter's name ends in "_total". A name always goes with the same kind. Values may hold any
 * bytes: what isn't text is shown as U+FFFD, and what is longer than HF_METRICS_VALUE_MAX is cut.
 */
struct hf_series *hf_metrics_counter(struct hf_metrics *metrics, const char *name, const char *help,
                                     ...) __attribute__((sentinel));
struct hf_series *hf_metrics_gauge(struct hf_metrics *metrics, const char *name, const char *help,
                                   ...) __attribute__((sentinel));
struct hf_series *hf_metrics_histogram(struct hf_metrics *metrics, const char *name,
                                       const char *help, const struct hf_buckets *buckets, ...)
    __attribute__((sentinel));

/*
 * Values that are read at the scrape, on the thread that renders and with the registry locked:
 * read() must be quick, and must not call back into the registry. NAN leaves the sample out.
 */
struct hf_metrics_source {
    double (*read)(void *ctx);
    void *ctx;
};
struct hf_series *hf_metrics_gauge_from(struct hf_metrics *metrics, const char *name,
                                        const char *help, struct hf_metrics_source source, ...)
    __attribute__((sentinel));
struct hf_series *hf_metrics_counter_from(struct hf_metrics *metrics, const char *name,
                                          const char *help, struct hf_metrics_source source, ...)
    __attribute__((sentinel));

/* hf_metrics_release gives a reference back. NULL is fine. */
void hf_metrics_release(struct hf_metrics *metrics, struct hf_series *series);

/* hf_series_add adds to a counter, or to a gauge's share of this shard. */
static inline void hf_series_add(const struct hf_series *series, unsigned shard, uint64_t n)
{
    _Atomic(uint64_t) *cell = series->cell + (size_t)shard * HF_METRICS_STRIDE;
    uint64_t old = atomic_load_explicit(cell, memory_order_relaxed);
    atomic_store_explicit(cell, old + n, memory_order_relaxed);
}

/* hf_series_sub takes from a gauge. A shard's own share may go below zero; the sum is shown. */
static inline void hf_series_sub(const struct hf_series *series, unsigned shard, uint64_t n)
{
    hf_series_add(series, shard, -n);
}

/* hf_series_set sets a gauge's share of this shard. */
static inline void hf_series_set(const struct hf_series *series, unsigned shard, int64_t value)
{
    atomic_store_explicit(series->cell + (size_t)shard * HF_METRICS_STRIDE, (uint64_t)value,
                          memory_order_relaxed);
}

/* hf_series_observe counts a value in a histogram, in the unit of its bounds. */
void hf_series_observe(const struct hf_series *series, unsigned shard, uint64_t value);

/* hf_series_sum gives a counter's or gauge's value over all shards. Any thread. */
int64_t hf_series_sum(const struct hf_metrics *metrics, const struct hf_series *series);

/*
 * hf_metrics_render appends everything, families in the order in which they were first asked for.
 * Errors: those of hf_buf; out then holds a part.
 */
enum hf_err hf_metrics_render(struct hf_metrics *metrics, enum hf_metrics_format format,
                              struct hf_buf *out) HF_MUST_CHECK;

/* hf_metrics_content_type is the value of Content-Type for a format. */
const char *hf_metrics_content_type(enum hf_metrics_format format);

#endif
