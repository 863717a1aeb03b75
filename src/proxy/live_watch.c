// SPDX-License-Identifier: Apache-2.0
/*
 * An item per CA holds its newest state. How long ago the CA was heard is known by states that were
 * taken before, too, so nothing has to be set while nothing changes.
 */
#include "proxy/live_watch.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

enum { N_GAUGES = 3 };

/* Gauges point at it, so it stays where it is. */
struct item {
    struct item *next;
    char *ca;
    struct hf_live *live; /* a reference */
    const struct hf_clock *clock;
    bool found;
    struct hf_series *gauge[N_GAUGES];
};

struct hf_live_watch {
    struct hf_metrics *metrics;
    const struct hf_clock *clock;
    struct item *items;
};

/* --- Gauges -------------------------------------------------------------------------------------
 */

static double read_silence(void *ctx)
{
    const struct item *item = ctx;
    int64_t heard_ns = hf_live_heard_ns(item->live);
    return heard_ns ? (double)(hf_clock_mono_ns(item->clock) - heard_ns) / 1e9 : NAN;
}

static double read_lost(void *ctx)
{
    return hf_live_is_lost(((const struct item *)ctx)->live) ? 1 : 0;
}

static double read_revoked(void *ctx)
{
    return (double)hf_live_count(((const struct item *)ctx)->live);
}

static const struct {
    const char *name;
    const char *help;
    double (*read)(void *ctx);
} gauges[N_GAUGES] = {
    {"handfast_ca_silence_seconds", "Time since the store of a CA was read, or its feed answered.",
     read_silence},
    {"handfast_ca_lost",
     "1: a CA was out of reach for longer than when-lost, and whom it has issued is refused.",
     read_lost},
    {"handfast_ca_revoked", "Serial numbers that a CA has revoked, about.", read_revoked},
};

/* --- Items --------------------------------------------------------------------------------------
 */

static void item_free(struct hf_live_watch *watch, struct item *item)
{
    for (size_t i = 0; i < N_GAUGES; i++) {
        hf_metrics_release(watch->metrics, item->gauge[i]);
    }
    hf_live_unref(item->live);
    hf_free(item->ca);
    hf_free(item);
}

static struct item *find(struct hf_live_watch *watch, const char *ca)
{
    for (struct item *item = watch->items; item; item = item->next) {
        if (strcmp(item->ca, ca) == 0) {
            return item;
        }
    }
    return NULL;
}

static struct item *add(struct hf_live_watch *watch, const char *ca, struct hf_live *live)
{
    struct item *item = HF_NEW(struct item);
    char *name = item ? hf_strdup(ca) : NULL;
    if (!name) {
        hf_free(item);
        return NULL;
    }
    *item = (struct item){
        .next = watch->items, .ca = name, .live = hf_live_ref(live), .clock = watch->clock};
    watch->items = item;
    for (size_t i = 0; i < N_GAUGES; i++) {
        struct hf_metrics_source source = {gauges[i].read, item};
        item->gauge[i] = hf_metrics_gauge_from(watch->metrics, gauges[i].name, gauges[i].help,
                                               source, "ca", ca, NULL);
    }
    return item;
}

static void show(struct hf_live_watch *watch, const char *ca, const struct hf_live *live)
{
    struct hf_live *mine = (struct hf_live *)(uintptr_t)live;
    struct item *item = find(watch, ca);
    item = item ? item : add(watch, ca, mine);
    if (item) {
        struct hf_live *was = item->live;
        item->live = hf_live_ref(mine);
        hf_live_unref(was);
        item->found = true;
    }
}

static void drop_rest(struct hf_live_watch *watch)
{
    for (struct item **at = &watch->items; *at;) {
        struct item *item = *at;
        if (item->found) {
            item->found = false;
            at = &item->next;
        } else {
            *at = item->next;
            item_free(watch, item);
        }
    }
}

void hf_live_watch_set(struct hf_live_watch *watch, const struct hf_ledger *ledger,
                       const struct hf_config *config)
{
    for (size_t i = 0; i < config->n_cas; i++) {
        const struct hf_live *live = hf_ledger_live_of(ledger, config->cas[i].name);
        if (live) {
            show(watch, config->cas[i].name, live);
        }
    }
    drop_rest(watch);
}

/* --- Life ---------------------------------------------------------------------------------------
 */

enum hf_err hf_live_watch_new(struct hf_metrics *metrics, const struct hf_clock *clock,
                              struct hf_live_watch **out)
{
    struct hf_live_watch *watch = HF_NEW(struct hf_live_watch);
    if (!watch) {
        return HF_E_NOMEM;
    }
    *watch = (struct hf_live_watch){.metrics = metrics, .clock = clock};
    *out = watch;
    return HF_OK;
}

void hf_live_watch_free(struct hf_live_watch *watch)
{
    if (watch) {
        drop_rest(watch);
        hf_free(watch);
    }
}
