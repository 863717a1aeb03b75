// SPDX-License-Identifier: Apache-2.0
#include "proxy/crl_watch.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { N_GAUGES = 4 };

/* One list of one trust. Gauges point at it. */
struct item {
    struct hf_crl *crl; /* a reference */
    char *trust;
    const struct hf_clock *clock;
    bool is_stale; /* and that was said */
    struct hf_series *gauge[N_GAUGES];
};

struct items {
    struct item *item;
    size_t n;
};

struct hf_crl_watch {
    struct hf_metrics *metrics;
    const struct hf_clock *clock;
    struct hf_log *log;
    struct items items;
    size_t n_denied;
    struct hf_series *denied;
};

/* --- Gauges -------------------------------------------------------------------------------------
 */

static double read_age(void *ctx)
{
    const struct item *item = ctx;
    return (double)(hf_clock_wall_s(item->clock) - item->crl->this_update);
}

static double read_left(void *ctx)
{
    const struct item *item = ctx;
    return item->crl->next_update ? (double)(item->crl->next_update - hf_clock_wall_s(item->clock))
                                  : NAN;
}

static double read_number(void *ctx)
{
    const struct item *item = ctx;
    double number = item->crl->has_number ? 0 : NAN;
    for (size_t i = 0; i < item->crl->number.len; i++) {
        number = number * 256 + item->crl->number.byte[i];
    }
    return number;
}

static double read_denied(void *ctx)
{
    const struct hf_crl_watch *watch = ctx;
    return (double)watch->n_denied;
}

static double read_entries(void *ctx)
{
    const struct item *item = ctx;
    return (double)hf_serials_count(item->crl->serials);
}

static const struct {
    const char *name;
    const char *help;
    double (*read)(void *ctx);
} gauges[N_GAUGES] = {
    {"handfast_crl_age_seconds", "Time since a revocation list was made.", read_age},
    {"handfast_crl_left_seconds",
     "Time until a revocation list goes out of date; below zero: since.", read_left},
    {"handfast_crl_number", "Number of a revocation list.", read_number},
    {"handfast_crl_entries", "Entries of a revocation list.", read_entries},
};

static void make_gauges(struct hf_crl_watch *watch, struct item *item)
{
    for (size_t i = 0; i < N_GAUGES; i++) {
        struct hf_metrics_source source = {gauges[i].read, item};
        item->gauge[i] = hf_metrics_gauge_from(
            watch->metrics, gauges[i].name, gauges[i].help, source, "trust", item->trust, "issuer",
            item->crl->issuer_text, "source", item->crl->label, "kind",
            item->crl->is_delta ? "delta" : "full", NULL);
    }
}

static void free_gauges(struct hf_crl_watch *watch, struct item *item)
{
    for (size_t i = 0; i < N_GAUGES; i++) {
        hf_metrics_release(watch->metrics, item->gauge[i]);
        item->gauge[i] = NULL;
    }
}

/* Would both have the same labels? */
static bool looks_same(const struct item *a, const struct item *b)
{
    return strcmp(a->trust, b->trust) == 0 && a->crl->is_delta == b->crl->is_delta &&
           strcmp(a->crl->label, b->crl->label) == 0 &&
           strcmp(a->crl->issuer_text, b->crl->issuer_text) == 0;
}

static void show(struct hf_crl_watch *watch)
{
    struct items *items = &watch->items;
    for (size_t i = 0; i < items->n && i < HF_CRL_WATCHED_MAX; i++) {
        bool shown = false;
        for (size_t k = 0; k < i && !shown; k++) {
            shown = looks_same(&items->item[k], &items->item[i]);
        }
        if (!shown) {
            make_gauges(watch, &items->item[i]);
        }
    }
}

/* --- Items --------------------------------------------------------------------------------------
 */

static void items_done(struct hf_crl_watch *watch, struct items *items)
{
    for (size_t i = 0; i < items->n; i++) {
        free_gauges(watch, &items->item[i]);
        hf_crl_unref(items->item[i].crl);
        hf_free(items->item[i].trust);
    }
    hf_free(items->item);
    *items = (struct items){0};
}

static bool was_stale(const struct items *items, const struct item *now)
{
    for (size_t i = 0; i < items->n; i++) {
        if (items->item[i].crl == now->crl && strcmp(items->item[i].trust, now->trust) == 0) {
            return items->item[i].is_stale;
        }
    }
    return false;
}

static enum hf_err add(struct hf_crl_watch *watch, const struct hf_crl *crl, const char *trust,
                       struct items *out)
{
    struct item *item = hf_realloc(out->item, (out->n + 1) * sizeof(*item));
    out->item = item ? item : out->item;
    char *name = item ? hf_strdup(trust) : NULL;
    if (!name) {
        return HF_E_NOMEM;
    }
    item[out->n] = (struct item){
        .crl = hf_crl_ref((struct hf_crl *)(uintptr_t)crl), .trust = name, .clock = watch->clock};
    item[out->n].is_stale = was_stale(&watch->items, &item[out->n]);
    out->n++;
    return HF_OK;
}

static enum hf_err collect(struct hf_crl_watch *watch, const struct hf_ledger *ledger,
                           const struct hf_config *config, struct items *out)
{
    for (size_t i = 0; i < config->n_trusts; i++) {
        const struct hf_revoked *lists = hf_ledger_lists(ledger, config->trusts[i].name);
        for (size_t k = 0; lists && k < hf_revoked_count(lists); k++) {
            HF_TRY(add(watch, hf_revoked_list(lists, k), config->trusts[i].name, out));
        }
    }
    return HF_OK;
}

static bool is_same(const struct items *a, const struct items *b)
{
    for (size_t i = 0; i < a->n && a->n == b->n; i++) {
        if (a->item[i].crl != b->item[i].crl || strcmp(a->item[i].trust, b->item[i].trust) != 0) {
            return false;
        }
    }
    return a->n == b->n;
}

void hf_crl_watch_set(struct hf_crl_watch *watch, const struct hf_ledger *ledger,
                      const struct hf_config *config)
{
    struct items next = {0};
    const struct hf_denylist *deny = hf_ledger_denylist(ledger);
    watch->n_denied = deny ? hf_denylist_count(deny) : 0;
    if (collect(watch, ledger, config, &next) != HF_OK || is_same(&next, &watch->items)) {
        items_done(watch, &next);
        return;
    }
    items_done(watch, &watch->items); /* its gauges too, before others take their names */
    watch->items = next;
    show(watch);
    hf_crl_watch_look(watch);
}

/* --- Alarms -------------------------------------------------------------------------------------
 */

static void say_stale(struct hf_crl_watch *watch, const struct item *item, int64_t now_s)
{
    char number[HF_CRL_NUMBER_TEXT], ago[32];
    struct hf_log_line line;
    hf_crl_number_text(item->crl, number);
    hf_format_duration((now_s - item->crl->next_update) * 1000, ago, sizeof(ago));
    hf_log_begin(&line, watch->log, HF_LOG_ERROR, "crl-stale");
    hf_log_str(&line, "trust", item->trust);
    hf_log_str(&line, "issuer", item->crl->issuer_text);
    hf_log_str(&line, "number", number);
    hf_log_str(&line, "source", item->crl->label);
    hf_log_fmt(&line, "text",
               "the list went out of date %s ago, and no newer one has come; what "
               "becomes of those it speaks for is up to when-stale",
               ago);
    hf_log_end(&line);
}

void hf_crl_watch_look(struct hf_crl_watch *watch)
{
    int64_t now_s = hf_clock_wall_s(watch->clock);
    for (size_t i = 0; i < watch->items.n; i++) {
        struct item *item = &watch->items.item[i];
        bool is_stale = item->crl->next_update && item->crl->next_update < now_s;
        if (is_stale && !item->is_stale) {
            say_stale(watch, item, now_s);
        }
        item->is_stale = is_stale;
    }
}

/* --- Life ---------------------------------------------------------------------------------------
 */

enum hf_err hf_crl_watch_new(struct hf_metrics *metrics, const struct hf_clock *clock,
                             struct hf_log *log, struct hf_crl_watch **out)
{
    struct hf_crl_watch *watch = HF_NEW(struct hf_crl_watch);
    if (!watch) {
        return HF_E_NOMEM;
    }
    *watch = (struct hf_crl_watch){.metrics = metrics, .clock = clock, .log = log};
    watch->denied =
        hf_metrics_gauge_from(metrics, "handfast_deny_entries", "Entries of the deny list.",
                              (struct hf_metrics_source){read_denied, watch}, NULL);
    *out = watch;
    return HF_OK;
}

void hf_crl_watch_free(struct hf_crl_watch *watch)
{
    if (watch) {
        items_done(watch, &watch->items);
        hf_metrics_release(watch->metrics, watch->denied);
        hf_free(watch);
    }
}
