// SPDX-License-Identifier: Apache-2.0
#include "proxy/reports.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/text.h"

struct row {
    struct hf_link link; /* last seen at the end */
    char key[320];       /* listener, client, reason */
    char listener[64];
    char client[200];
    char serial[48];
    char peer[128];
    char text[256];
    enum hf_reason reason;
    uint64_t id, n;
    int64_t first_s, last_s;
};

struct hf_reports {
    pthread_mutex_t lock;
    struct hf_map by_key;
    struct hf_link rows;
    uint64_t forgotten;
};

enum hf_err hf_reports_new(struct hf_reports **out)
{
    struct hf_reports *reports = HF_NEW(struct hf_reports);
    if (!reports) {
        return HF_E_NOMEM;
    }
    pthread_mutex_init(&reports->lock, NULL);
    hf_list_init(&reports->rows);
    *out = reports;
    return HF_OK;
}

static void forget(struct hf_reports *reports, struct row *row)
{
    (void)hf_map_remove(&reports->by_key, hf_bytes_str(row->key));
    hf_link_remove(&row->link);
    hf_free(row);
}

static struct row *oldest(struct hf_reports *reports)
{
    return HF_CONTAINER_OF(reports->rows.next, struct row, link);
}

void hf_reports_free(struct hf_reports *reports)
{
    if (!reports) {
        return;
    }
    while (!hf_list_empty(&reports->rows)) {
        forget(reports, oldest(reports));
    }
    hf_map_done(&reports->by_key);
    pthread_mutex_destroy(&reports->lock);
    hf_free(reports);
}

static struct row *row_new(struct hf_reports *reports, const char *key,
                           const struct hf_report *report)
{
    if (reports->by_key.n_entries >= HF_REPORTS_MAX) {
        forget(reports, oldest(reports));
        reports->forgotten++;
    }
    struct row *row = HF_NEW(struct row);
    if (!row) {
        return NULL;
    }
    snprintf(row->key, sizeof(row->key), "%s", key);
    snprintf(row->listener, sizeof(row->listener), "%s", report->listener);
    snprintf(row->client, sizeof(row->client), "%s", report->client);
    row->reason = report->reason;
    row->first_s = report->at_s;
    if (hf_map_put(&reports->by_key, hf_bytes_str(row->key), row) != HF_OK) {
        hf_free(row);
        return NULL;
    }
    hf_list_push(&reports->rows, &row->link);
    return row;
}

static void count(struct hf_reports *reports, const struct hf_report *report)
{
    char key[sizeof(((struct row *)0)->key)];
    snprintf(key, sizeof(key), "%s\n%s\n%s", hf_reason_code(report->reason), report->listener,
             report->client);
    struct row *row = hf_map_get(&reports->by_key, hf_bytes_str(key));
    row = row ? row : row_new(reports, key, report);
    if (!row) {
        return;
    }
    snprintf(row->serial, sizeof(row->serial), "%s", report->serial ? report->serial : "");
    snprintf(row->peer, sizeof(row->peer), "%s", report->peer);
    snprintf(row->text, sizeof(row->text), "%s", report->text);
    row->id = report->id;
    row->last_s = report->at_s;
    row->n++;
    hf_link_remove(&row->link);
    hf_list_push(&reports->rows, &row->link);
}

void hf_reports_add(struct hf_reports *reports, const struct hf_report *report)
{
    if (reports) {
        pthread_mutex_lock(&reports->lock);
        count(reports, report);
        pthread_mutex_unlock(&reports->lock);
    }
}

static json_t *row_json(const struct row *row)
{
    char first[HF_TIME_TEXT_SIZE], last[HF_TIME_TEXT_SIZE], id[17];
    hf_format_time(row->first_s, first);
    hf_format_time(row->last_s, last);
    snprintf(id, sizeof(id), "%016llx", (unsigned long long)row->id);
    return json_pack(
        "{s:s, s:s, s:s*, s:s, s:s, s:s, s:s, s:I, s:s, s:s, s:s}", "listener", row->listener,
        "client", row->client, "serial", row->serial[0] ? row->serial : NULL, "peer", row->peer,
        "code", hf_reason_code(row->reason), "text", row->text, "do", hf_reason_todo(row->reason),
        "times", (json_int_t)row->n, "first", first, "last", last, "id", id);
}

json_t *hf_reports_json(struct hf_reports *reports)
{
    json_t *array = json_array();
    pthread_mutex_lock(&reports->lock);
    HF_LIST_FOREACH (&reports->rows, link) {
        json_array_insert_new(array, 0, row_json(HF_CONTAINER_OF(link, struct row, link)));
    }
    json_t *json =
        json_pack("{s:o, s:I}", "reports", array, "forgotten", (json_int_t)reports->forgotten);
    pthread_mutex_unlock(&reports->lock);
    return json;
}
