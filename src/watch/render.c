// SPDX-License-Identifier: Apache-2.0
/*
 * The registry as text: the Prometheus text format 0.0.4 and OpenMetrics 1.0. They differ in how a
 * counter's family is named, in what is escaped in HELP, and in the "# EOF" at the end. Bounds of
 * buckets are written as OpenMetrics wants them ("1.0") in both, so that a scraper that changes
 * formats doesn't see other series.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "watch/registry.h"

enum { NUMBER_SIZE = 40 };

struct render {
    const struct hf_metrics *metrics;
    enum hf_metrics_format format;
    struct hf_buf *out;
};

static const char *const kind_names[] = {
    [HF_METRIC_COUNTER] = "counter",
    [HF_METRIC_GAUGE] = "gauge",
    [HF_METRIC_HISTOGRAM] = "histogram",
};

const char *hf_metrics_content_type(enum hf_metrics_format format)
{
    return format == HF_METRICS_OPENMETRICS
               ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
               : "text/plain; version=0.0.4; charset=utf-8";
}

static void format_number(double value, char out[static NUMBER_SIZE])
{
    if (isinf(value)) {
        snprintf(out, NUMBER_SIZE, "%sInf", value < 0 ? "-" : "+");
    } else {
        snprintf(out, NUMBER_SIZE, "%.15g", value);
    }
}

/* A bucket's bound: always with a point or an exponent, as OpenMetrics has it. */
static void format_bound(double value, char out[static NUMBER_SIZE])
{
    format_number(value, out);
    if (!strpbrk(out, ".eIN")) {
        strcat(out, ".0");
    }
}

static enum hf_err render_help(struct render *render, const char *help)
{
    for (const char *p = help; *p; p++) {
        char one[2] = {*p, '\0'};
        const char *text = one;
        if (*p == '\\') {
            text = "\\\\";
        } else if (*p == '\n') {
            text = "\\n";
        } else if (*p == '"' && render->format == HF_METRICS_OPENMETRICS) {
            text = "\\\"";
        }
        HF_TRY(hf_buf_append_str(render->out, text));
    }
    return hf_buf_append_str(render->out, "\n");
}

static enum hf_err render_header(struct render *render, const struct hf_metric_family *family)
{
    size_t len = strlen(family->name);
    if (family->kind == HF_METRIC_COUNTER && render->format == HF_METRICS_OPENMETRICS) {
        len -= strlen("_total");
    }
    HF_TRY(hf_buf_printf(render->out, "# HELP %.*s ", (int)len, family->name));
    HF_TRY(render_help(render, family->help));
    return hf_buf_printf(render->out, "# TYPE %.*s %s\n", (int)len, family->name,
                         kind_names[family->kind]);
}

static enum hf_err render_labels(struct render *render, const struct hf_metric_entry *entry,
                                 const char *bound)
{
    if (entry->labels_len == 0 && !bound) {
        return HF_OK;
    }
    HF_TRY(hf_buf_append_str(render->out, "{"));
    HF_TRY(hf_buf_append(render->out, hf_bytes_of(entry->labels, entry->labels_len)));
    if (bound) {
        HF_TRY(hf_buf_printf(render->out, "%sle=\"%s\"", entry->labels_len ? "," : "", bound));
    }
    return hf_buf_append_str(render->out, "}");
}

/* One line: name and suffix, labels (with the bound of a bucket, or NULL), value. */
static enum hf_err render_sample(struct render *render, const struct hf_metric_entry *entry,
                                 const char *suffix, const char *bound, const char *value)
{
    HF_TRY(hf_buf_printf(render->out, "%s%s", entry->family->name, suffix));
    HF_TRY(render_labels(render, entry, bound));
    return hf_buf_printf(render->out, " %s\n", value);
}

static enum hf_err render_count(struct render *render, const struct hf_metric_entry *entry,
                                const char *suffix, const char *bound, uint64_t count)
{
    char value[NUMBER_SIZE];
    snprintf(value, sizeof(value), "%" PRIu64, count);
    return render_sample(render, entry, suffix, bound, value);
}

/* The count is the sum of the buckets as they were read, so that the lines agree with each other
 * even while workers go on counting. */
static enum hf_err render_histogram(struct render *render, const struct hf_metric_entry *entry)
{
    const struct hf_metric_family *family = entry->family;
    char text[NUMBER_SIZE];
    uint64_t count = 0;
    for (size_t i = 0; i <= family->n_bounds; i++) {
        bool last = i == family->n_bounds;
        count += hf_metrics_cell(render->metrics, &entry->series, i);
        format_bound(last ? INFINITY : (double)family->bounds[i] * family->scale, text);
        HF_TRY(render_count(render, entry, "_bucket", text, count));
    }
    uint64_t sum = hf_metrics_cell(render->metrics, &entry->series, family->n_bounds + 1);
    format_number((double)sum * family->scale, text);
    HF_TRY(render_sample(render, entry, "_sum", NULL, text));
    return render_count(render, entry, "_count", NULL, count);
}

static enum hf_err render_entry(struct render *render, const struct hf_metric_entry *entry)
{
    char value[NUMBER_SIZE];
    if (entry->family->kind == HF_METRIC_HISTOGRAM) {
        return render_histogram(render, entry);
    }
    if (entry->source.read) {
        double now = entry->source.read(entry->source.ctx);
        format_number(now, value);
        return isnan(now) ? HF_OK : render_sample(render, entry, "", NULL, value);
    }
    uint64_t sum = hf_metrics_cell(render->metrics, &entry->series, 0);
    if (entry->family->kind == HF_METRIC_COUNTER) {
        return render_count(render, entry, "", NULL, sum);
    }
    snprintf(value, sizeof(value), "%" PRId64, (int64_t)sum);
    return render_sample(render, entry, "", NULL, value);
}

static enum hf_err render_family(struct render *render, const struct hf_metric_family *family)
{
    if (hf_list_empty(&family->entries)) {
        return HF_OK;
    }
    HF_TRY(render_header(render, family));
    HF_LIST_FOREACH (&family->entries, link) {
        HF_TRY(render_entry(render, HF_CONTAINER_OF(link, struct hf_metric_entry, link)));
    }
    return HF_OK;
}

static enum hf_err render_all(struct render *render)
{
    HF_LIST_FOREACH (&render->metrics->families, link) {
        HF_TRY(render_family(render, HF_CONTAINER_OF(link, struct hf_metric_family, link)));
    }
    return render->format == HF_METRICS_OPENMETRICS ? hf_buf_append_str(render->out, "# EOF\n")
                                                    : HF_OK;
}

enum hf_err hf_metrics_render(struct hf_metrics *metrics, enum hf_metrics_format format,
                              struct hf_buf *out)
{
    struct render render = {metrics, format, out};
    pthread_mutex_lock(&metrics->lock);
    enum hf_err err = render_all(&render);
    pthread_mutex_unlock(&metrics->lock);
    return err;
}
