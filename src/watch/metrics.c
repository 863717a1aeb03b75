// SPDX-License-Identifier: Apache-2.0
/*
 * The registry: families, series, and the memory of their cells.
 *
 * Cells live in chunks. In a chunk each shard has a page of HF_METRICS_STRIDE cells, and a series
 * has the same place in every page:
 *
 *     shard 0:  [accepted][refused][open][bucket 0][bucket 1] ...
 *     shard 1:  [accepted][refused][open][bucket 0][bucket 1] ...
 *
 * so a worker's counters lie dense in lines that no other worker writes. Chunks are never given
 * back before the registry is: a series that is still being incremented can't lose its memory, and
 * one that nobody holds any more hands its cells to the next of the same size.
 */
#include "watch/metrics.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "watch/registry.h"

struct hf_metric_chunk {
    struct hf_metric_chunk *next;
    size_t n_used;
    _Atomic(uint64_t) *cells; /* n_shards pages, aligned to a page */
    void *block;
};

enum { PAGE_ALIGN = 4096, KEY_MAX = 8192 };

static const uint64_t us_bounds[] = {50,      100,     250,      500,     1000,   2500,
                                     5000,    10000,   25000,    50000,   100000, 250000,
                                     1000000, 2500000, 10000000, 30000000};
static const uint64_t byte_bounds[] = {256,     1024,    4096,     16384,    65536,     262144,
                                       1048576, 4194304, 16777216, 67108864, 268435456, 1073741824};

const struct hf_buckets hf_buckets_us = {us_bounds, HF_N_ELEMENTS(us_bounds), 1e-6};
const struct hf_buckets hf_buckets_bytes = {byte_bounds, HF_N_ELEMENTS(byte_bounds), 1};

/* What is asked for: the arguments of the five public functions in one shape. */
struct request {
    const char *name;
    const char *help;
    enum hf_metric_kind kind;
    const struct hf_buckets *buckets; /* NULL: not a histogram */
    struct hf_metrics_source source;
};

/* --- Cells --------------------------------------------------------------------------------------
 */

static struct hf_metric_chunk *chunk_new(unsigned n_shards)
{
    size_t size = (size_t)n_shards * HF_METRICS_STRIDE * sizeof(uint64_t);
    struct hf_metric_chunk *chunk = HF_NEW(struct hf_metric_chunk);
    void *block = hf_alloc_zero(1, size + PAGE_ALIGN);
    if (!chunk || !block) {
        hf_free(chunk);
        hf_free(block);
        return NULL;
    }
    uintptr_t aligned = ((uintptr_t)block + PAGE_ALIGN - 1) & ~(uintptr_t)(PAGE_ALIGN - 1);
    chunk->block = block;
    chunk->cells = (_Atomic(uint64_t) *)aligned;
    return chunk;
}

static _Atomic(uint64_t) *take_cells(struct hf_metrics *metrics, size_t n)
{
    struct hf_metric_chunk *chunk = metrics->open_chunk;
    if (!chunk || chunk->n_used + n > HF_METRICS_STRIDE) {
        chunk = chunk_new(metrics->n_shards);
        if (!chunk) {
            return NULL;
        }
        chunk->next = metrics->chunks;
        metrics->chunks = metrics->open_chunk = chunk;
    }
    _Atomic(uint64_t) *cells = chunk->cells + chunk->n_used;
    chunk->n_used += n;
    return cells;
}

static void clear_cells(const struct hf_metrics *metrics, const struct hf_metric_entry *entry)
{
    for (size_t shard = 0; shard < metrics->n_shards; shard++) {
        for (size_t i = 0; i < entry->n_cells; i++) {
            atomic_store_explicit(entry->series.cell + shard * HF_METRICS_STRIDE + i, 0,
                                  memory_order_relaxed);
        }
    }
}

uint64_t hf_metrics_cell(const struct hf_metrics *metrics, const struct hf_series *series,
                         size_t cell)
{
    uint64_t sum = 0;
    for (size_t shard = 0; shard < metrics->n_shards; shard++) {
        sum += atomic_load_explicit(series->cell + shard * HF_METRICS_STRIDE + cell,
                                    memory_order_relaxed);
    }
    return sum;
}

int64_t hf_series_sum(const struct hf_metrics *metrics, const struct hf_series *series)
{
    return (int64_t)hf_metrics_cell(metrics, series, 0);
}

void hf_series_observe(const struct hf_series *series, unsigned shard, uint64_t value)
{
    size_t low = 0;
    size_t high = series->n_bounds;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (value <= series->bounds[middle]) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    struct hf_series bucket = {.cell = series->cell + low};
    struct hf_series sum = {.cell = series->cell + series->n_bounds + 1};
    hf_series_add(&bucket, shard, 1);
    hf_series_add(&sum, shard, value);
}

/* --- Names and labels ---------------------------------------------------------------------------
 */

static bool name_valid(const char *name, const char *more)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
    if (*name == '\0' || !(strchr(letters, *name) || strchr(more, *name))) {
        return false;
    }
    size_t head = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789:");
    return name[head] == '\0' && (*more || !strchr(name, ':'));
}

static bool ends_with(const char *text, const char *end)
{
    size_t len = strlen(text);
    size_t end_len = strlen(end);
    return len >= end_len && strcmp(text + len - end_len, end) == 0;
}

static enum hf_err append_character(struct hf_buf *buf, struct hf_bytes character)
{
    switch (character.ptr[0]) {
    case '\\':
        return hf_buf_append_str(buf, "\\\\");
    case '"':
        return hf_buf_append_str(buf, "\\\"");
    case '\n':
        return hf_buf_append_str(buf, "\\n");
    default:
        return hf_buf_append(buf, character);
    }
}

/* A label's value between its quotes, always valid UTF-8. */
static enum hf_err append_value(struct hf_buf *buf, const char *value)
{
    struct hf_bytes rest = hf_bytes_str(value);
    size_t kept = 0;
    while (rest.len && kept < HF_METRICS_VALUE_MAX) {
        size_t n = hf_utf8_len(rest);
        bool shown = n > 0 && (rest.ptr[0] >= ' ' || rest.ptr[0] == '\n') && rest.ptr[0] != 0x7f;
        HF_TRY(shown ? append_character(buf, hf_bytes_of(rest.ptr, n))
                     : hf_buf_append_str(buf, "\xef\xbf\xbd"));
        rest = hf_bytes_from(rest, n ? n : 1);
        kept += n ? n : 1;
    }
    return HF_OK;
}

/* `name{a="b",c="d"}`: the key of a series, and within it the labels as they are shown. */
static enum hf_err append_key(struct hf_buf *buf, const char *name, va_list labels)
{
    size_t n = 0;
    HF_TRY(hf_buf_printf(buf, "%s{", name));
    for (const char *label; (label = va_arg(labels, const char *)); n++) {
        const char *value = va_arg(labels, const char *);
        assert(n < HF_METRICS_LABELS_MAX && name_valid(label, "") && value);
        HF_TRY(hf_buf_printf(buf, "%s%s=\"", n ? "," : "", label));
        HF_TRY(append_value(buf, value));
        HF_TRY(hf_buf_append_str(buf, "\""));
    }
    return hf_buf_append_str(buf, "}");
}

/* --- Families and series ------------------------------------------------------------------------
 */

static void family_free(struct hf_metric_family *family)
{
    if (family) {
        hf_link_remove(&family->link);
        hf_free(family->bounds);
        hf_free(family->name);
        hf_free(family->help);
        hf_free(family);
    }
}

static bool family_fill(struct hf_metric_family *family, const struct request *request)
{
    family->kind = request->kind;
    family->scale = 1;
    family->name = hf_strdup(request->name);
    family->help = hf_strdup(request->help);
    if (request->buckets) {
        size_t n = request->buckets->n_bounds;
        assert(n <= HF_METRICS_BUCKETS_MAX);
        family->scale = request->buckets->scale;
        family->n_bounds = n;
        family->bounds = hf_alloc_zero(n, sizeof(uint64_t));
        if (!family->bounds) {
            return false;
        }
        memcpy(family->bounds, request->buckets->bounds, n * sizeof(uint64_t));
    }
    return family->name && family->help;
}

static struct hf_metric_family *family_get(struct hf_metrics *metrics,
                                           const struct request *request)
{
    struct hf_metric_family *family = hf_map_get(&metrics->by_name, hf_bytes_str(request->name));
    if (family) {
        assert(family->kind == request->kind);
        return family;
    }
    assert(name_valid(request->name, ":"));
    assert((request->kind == HF_METRIC_COUNTER) == ends_with(request->name, "_total"));
    family = HF_NEW(struct hf_metric_family);
    if (!family || !family_fill(family, request) ||
        hf_map_put(&metrics->by_name, hf_bytes_str(request->name), family) != HF_OK) {
        family_free(family);
        return NULL;
    }
    hf_list_init(&family->entries);
    hf_list_push(&metrics->families, &family->link);
    return family;
}

static void entry_free(struct hf_metric_entry *entry)
{
    hf_link_remove(&entry->link);
    hf_free(entry->key);
    hf_free(entry);
}

/* An entry with n cells, all zero: one that nobody holds any more, or a new one. */
static struct hf_metric_entry *entry_with_cells(struct hf_metrics *metrics, size_t n)
{
    HF_LIST_FOREACH (&metrics->spare, link) {
        struct hf_metric_entry *spare = HF_CONTAINER_OF(link, struct hf_metric_entry, link);
        if (spare->n_cells == n) {
            hf_link_remove(link);
            return spare;
        }
    }
    struct hf_metric_entry *entry = HF_NEW(struct hf_metric_entry);
    _Atomic(uint64_t) *cells = entry ? take_cells(metrics, n) : NULL;
    if (!cells) {
        hf_free(entry);
        return NULL;
    }
    entry->series.cell = cells;
    entry->n_cells = n;
    return entry;
}

static struct hf_metric_entry *entry_new(struct hf_metrics *metrics, const struct request *request,
                                         struct hf_bytes key)
{
    struct hf_metric_family *family = family_get(metrics, request);
    if (!family) {
        return NULL;
    }
    size_t n_cells = family->kind == HF_METRIC_HISTOGRAM ? family->n_bounds + 2 : 1;
    if (metrics->n_cells + n_cells > metrics->max_cells) {
        return NULL;
    }
    struct hf_metric_entry *entry = entry_with_cells(metrics, n_cells);
    if (!entry) {
        return NULL;
    }
    entry->key = hf_strndup((const char *)key.ptr, key.len);
    if (!entry->key || hf_map_put(&metrics->by_key, key, entry) != HF_OK) {
        hf_free(HF_TAKE(entry->key));
        hf_list_push(&metrics->spare, &entry->link);
        return NULL;
    }
    clear_cells(metrics, entry);
    entry->family = family;
    entry->series.bounds = family->bounds;
    entry->series.n_bounds = family->n_bounds;
    entry->labels = entry->key + strlen(request->name) + 1;
    entry->labels_len = key.len - strlen(request->name) - 2;
    hf_list_push(&family->entries, &entry->link);
    metrics->n_cells += n_cells;
    return entry;
}

static struct hf_series *locked_get(struct hf_metrics *metrics, const struct request *request,
                                    va_list labels)
{
    struct hf_buf key = HF_BUF_INIT(KEY_MAX);
    struct hf_metric_entry *entry = NULL;
    if (append_key(&key, request->name, labels) == HF_OK) {
        entry = hf_map_get(&metrics->by_key, hf_buf_bytes(&key));
        if (!entry) {
            entry = entry_new(metrics, request, hf_buf_bytes(&key));
        }
    }
    hf_buf_done(&key);
    if (!entry) {
        if (metrics->refused) {
            atomic_fetch_add_explicit(metrics->refused->cell, 1, memory_order_relaxed);
        }
        return &metrics->sink.series;
    }
    entry->refs++;
    entry->source = request->source;
    return &entry->series;
}

static struct hf_series *get(struct hf_metrics *metrics, const struct request *request,
                             va_list labels)
{
    pthread_mutex_lock(&metrics->lock);
    struct hf_series *series = locked_get(metrics, request, labels);
    pthread_mutex_unlock(&metrics->lock);
    return series;
}

struct hf_series *hf_metrics_counter(struct hf_metrics *metrics, const char *name, const char *help,
                                     ...)
{
    va_list labels;
    va_start(labels, help);
    struct request request = {.name = name, .help = help, .kind = HF_METRIC_COUNTER};
    struct hf_series *series = get(metrics, &request, labels);
    va_end(labels);
    return series;
}

struct hf_series *hf_metrics_gauge(struct hf_metrics *metrics, const char *name, const char *help,
                                   ...)
{
    va_list labels;
    va_start(labels, help);
    struct request request = {.name = name, .help = help, .kind = HF_METRIC_GAUGE};
    struct hf_series *series = get(metrics, &request, labels);
    va_end(labels);
    return series;
}

struct hf_series *hf_metrics_histogram(struct hf_metrics *metrics, const char *name,
                                       const char *help, const struct hf_buckets *buckets, ...)
{
    va_list labels;
    va_start(labels, buckets);
    struct request request = {name, help, HF_METRIC_HISTOGRAM, buckets, {NULL, NULL}};
    struct hf_series *series = get(metrics, &request, labels);
    va_end(labels);
    return series;
}

struct hf_series *hf_metrics_gauge_from(struct hf_metrics *metrics, const char *name,
                                        const char *help, struct hf_metrics_source source, ...)
{
    va_list labels;
    va_start(labels, source);
    struct request request = {name, help, HF_METRIC_GAUGE, NULL, source};
    struct hf_series *series = get(metrics, &request, labels);
    va_end(labels);
    return series;
}

struct hf_series *hf_metrics_counter_from(struct hf_metrics *metrics, const char *name,
                                          const char *help, struct hf_metrics_source source, ...)
{
    va_list labels;
    va_start(labels, source);
    struct request request = {name, help, HF_METRIC_COUNTER, NULL, source};
    struct hf_series *series = get(metrics, &request, labels);
    va_end(labels);
    return series;
}

void hf_metrics_release(struct hf_metrics *metrics, struct hf_series *series)
{
    if (!series || series == &metrics->sink.series) {
        return;
    }
    struct hf_metric_entry *entry = HF_CONTAINER_OF(series, struct hf_metric_entry, series);
    pthread_mutex_lock(&metrics->lock);
    assert(entry->refs > 0);
    if (--entry->refs == 0) {
        hf_map_remove(&metrics->by_key, hf_bytes_str(entry->key));
        hf_free(HF_TAKE(entry->key));
        metrics->n_cells -= entry->n_cells;
        entry->source = (struct hf_metrics_source){0};
        hf_link_remove(&entry->link);
        hf_list_push(&metrics->spare, &entry->link);
    }
    pthread_mutex_unlock(&metrics->lock);
}

/* --- The registry -------------------------------------------------------------------------------
 */

enum hf_err hf_metrics_new(unsigned n_shards, size_t max_series, struct hf_metrics **out)
{
    *out = NULL;
    assert(n_shards > 0);
    struct hf_metrics *metrics = HF_NEW(struct hf_metrics);
    if (!metrics) {
        return HF_E_NOMEM;
    }
    pthread_mutex_init(&metrics->lock, NULL);
    metrics->n_shards = n_shards;
    metrics->max_cells = max_series + 1; /* one is for the count of those refused */
    hf_list_init(&metrics->families);
    hf_list_init(&metrics->spare);
    metrics->sink.n_cells = 2; /* as much as a histogram without bounds writes */
    metrics->sink.series.cell = take_cells(metrics, metrics->sink.n_cells);
    struct hf_series *refused = NULL;
    if (metrics->sink.series.cell) {
        refused =
            hf_metrics_counter(metrics, "handfast_metrics_series_refused_total",
                               "Series that were not made: too many, or out of memory.", NULL);
    }
    if (!refused || refused == &metrics->sink.series) {
        hf_metrics_free(metrics);
        return HF_E_NOMEM;
    }
    metrics->refused = refused;
    *out = metrics;
    return HF_OK;
}

static void free_entries(struct hf_link *entries)
{
    HF_LIST_FOREACH (entries, link) {
        entry_free(HF_CONTAINER_OF(link, struct hf_metric_entry, link));
    }
}

void hf_metrics_free(struct hf_metrics *metrics)
{
    if (!metrics) {
        return;
    }
    HF_LIST_FOREACH (&metrics->families, link) {
        struct hf_metric_family *family = HF_CONTAINER_OF(link, struct hf_metric_family, link);
        free_entries(&family->entries);
        family_free(family);
    }
    free_entries(&metrics->spare);
    hf_map_done(&metrics->by_name);
    hf_map_done(&metrics->by_key);
    while (metrics->chunks) {
        struct hf_metric_chunk *next = metrics->chunks->next;
        hf_free(metrics->chunks->block);
        hf_free(metrics->chunks);
        metrics->chunks = next;
    }
    pthread_mutex_destroy(&metrics->lock);
    hf_free(metrics);
}
