// SPDX-License-Identifier: Apache-2.0
#ifndef HF_WATCH_REGISTRY_H
#define HF_WATCH_REGISTRY_H

/* The inside of the registry, shared by metrics.c and render.c and by nobody else. */

#include <pthread.h>

#include "base/list.h"
#include "base/map.h"
#include "watch/metrics.h"

enum hf_metric_kind { HF_METRIC_COUNTER, HF_METRIC_GAUGE, HF_METRIC_HISTOGRAM };

/* struct hf_metric_entry is one series with what it takes to show it. */
struct hf_metric_entry {
    struct hf_series series;
    struct hf_link link; /* in its family, or among the spare ones */
    struct hf_metric_family *family;
    struct hf_metrics_source source; /* read NULL: the cells hold the value */
    size_t refs;
    size_t n_cells;
    char *key;    /* name{labels}: how the map knows it */
    char *labels; /* `a="b",c="d"`, escaped; points into key */
    size_t labels_len;
};

/* struct hf_metric_family is everything of one name. */
struct hf_metric_family {
    struct hf_link link;
    struct hf_link entries;
    enum hf_metric_kind kind;
    double scale;
    uint64_t *bounds; /* owned copy */
    size_t n_bounds;
    char *name;
    char *help;
};

struct hf_metrics {
    pthread_mutex_t lock; /* over everything but the cells' contents */
    unsigned n_shards;
    size_t max_cells;
    size_t n_cells; /* taken by series that are held */
    struct hf_link families;
    struct hf_link spare; /* entries nobody holds: their cells are taken again */
    struct hf_map by_name;
    struct hf_map by_key;
    struct hf_metric_entry sink;        /* takes what can't be had */
    struct hf_series *refused;          /* how often that was */
    struct hf_metric_chunk *chunks;     /* blocks of cells */
    struct hf_metric_chunk *open_chunk; /* the one with room left */
};

/* hf_metrics_cell sums one cell of a series over all shards. */
uint64_t hf_metrics_cell(const struct hf_metrics *metrics, const struct hf_series *series,
                         size_t cell);

#endif
