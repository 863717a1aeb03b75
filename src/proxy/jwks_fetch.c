// SPDX-License-Identifier: Apache-2.0
/*
 * What belongs to whom:
 *
 *     control thread   timer, fetch, latest, validators, the budget of wishes
 *     worker           its view: set, waiters
 *     between them     wish.posted and view.posted, each a task that is on its way or not;
 * incoming, the newest set that the view hasn't taken yet
 *
 * A task is posted when its flag goes from false to true, and clears it when it begins to run: so
 * it's never posted twice, and what changed after it began makes it run again.
 */
#include "proxy/jwks_fetch.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

enum { VALIDATOR_MAX = 256, URL_LABEL_MAX = 200 };

/* What one worker sees. */
struct view {
    struct hf_jwks_feed *feed;
    unsigned worker;
    struct hf_jwks *set; /* the worker's */
    struct hf_link waiters;
    _Atomic(struct hf_jwks *) incoming; /* a reference */
    atomic_bool posted;
    struct hf_task deliver; /* to the worker */
    atomic_bool wished;
    struct hf_task wish; /* to the control thread */
};

struct hf_jwks_feed {
    char *url;
    struct hf_buf roots_pem;
    atomic_uint users;
    int64_t refresh_ms;
    struct hf_log *log;
    const struct hf_rng *rng;
    const struct hf_jwks_host *host; /* NULL: not started */
    struct hf_timer timer;
    struct hf_fetch *fetch;
    struct hf_jwks *latest;
    char etag[VALIDATOR_MAX], last_modified[VALIDATOR_MAX];
    int64_t wishes_at_ms; /* when the budget of wishes is whole again */
    unsigned n_failures;  /* in a row */
    struct hf_metrics *metrics;
    struct hf_series *fetched, *unchanged, *failed;
    unsigned n_views;
    struct view views[];
};

/* --- Workers ------------------------------------------------------------------------------------
 */

const struct hf_jwks *hf_jwks_feed_keys(struct hf_jwks_feed *feed, unsigned worker)
{
    return worker < feed->n_views ? feed->views[worker].set : NULL;
}

static void on_deliver(struct hf_task *task)
{
    struct view *view = HF_CONTAINER_OF(task, struct view, deliver);
    struct hf_link waiters;
    atomic_store(&view->posted, false);
    struct hf_jwks *newer = atomic_exchange(&view->incoming, NULL);
    if (newer) {
        hf_jwks_unref(view->set);
        view->set = newer;
    }
    hf_list_take(&view->waiters, &waiters);
    while (!hf_list_empty(&waiters)) { /* one may take others out, or wish again */
        struct hf_jwks_waiter *waiter = HF_CONTAINER_OF(waiters.next, struct hf_jwks_waiter, link);
        hf_link_remove(&waiter->link);
        waiter->wake(waiter);
    }
}

void hf_jwks_feed_wish(struct hf_jwks_feed *feed, unsigned worker, struct hf_jwks_waiter *waiter)
{
    struct view *view = &feed->views[worker];
    hf_list_push(&view->waiters, &waiter->link);
    if (!atomic_exchange(&view->wished, true)) {
        hf_loop_post(feed->host->loop, &view->wish);
    }
}

/* --- The control thread -------------------------------------------------------------------------
 */

/* Wakes those who wait, with the latest set where it is newer than what they have. */
static void deliver(struct hf_jwks_feed *feed, bool changed)
{
    for (unsigned i = 0; i < feed->n_views; i++) {
        struct view *view = &feed->views[i];
        if (changed) {
            hf_jwks_unref(atomic_exchange(&view->incoming, hf_jwks_ref(feed->latest)));
        }
        if (!atomic_exchange(&view->posted, true)) {
            hf_loop_post(feed->host->workers[i], &view->deliver);
        }
    }
}

/* A tenth more or less, so that a fleet doesn't ask as one. */
static int64_t jittered(const struct hf_jwks_feed *feed, int64_t ms)
{
    uint32_t random = 0;
    if (hf_rng_fill(feed->rng, hf_span_of(&random, sizeof(random))) != HF_OK) {
        return ms;
    }
    return ms - ms / 10 + random % (ms / 5 + 1);
}

static int64_t next_delay(const struct hf_jwks_feed *feed)
{
    int64_t delay = feed->refresh_ms;
    if (feed->n_failures) {
        unsigned doublings = feed->n_failures - 1 < 8 ? feed->n_failures - 1 : 8;
        int64_t retry = (int64_t)HF_JWKS_RETRY_MS << doublings;
        retry = retry < HF_JWKS_RETRY_MAX_MS ? retry : HF_JWKS_RETRY_MAX_MS;
        delay = retry < delay ? retry : delay;
    }
    return jittered(feed, delay);
}

static void say_failure(struct hf_jwks_feed *feed)
{
    hf_series_add(feed->failed, feed->n_views, 1);
    hf_log_say(feed->log, feed->latest ? HF_LOG_WARN : HF_LOG_ERROR, "jwks", "%s; %s",
               hf_err_text(),
               feed->latest ? "the keys that are known stay in use"
                            : "no key is known, so tokens are refused with 503");
}

static void say_change(const struct hf_jwks_feed *feed)
{
    const struct hf_jwks *set = feed->latest;
    hf_log_say(feed->log, HF_LOG_INFO, "jwks", "%s: %zu keys, %zu passed over%s%s", feed->url,
               set->n_keys, set->n_skipped, set->n_skipped ? "; " : "", set->skipped);
}

static void keep(char *out, const char *text)
{
    snprintf(out, VALIDATOR_MAX, "%s", text ? text : "");
}

/* True: there is a set that differs from the one before. */
static bool take(struct hf_jwks_feed *feed, enum hf_err err, const struct hf_fetch_answer *answer)
{
    struct hf_jwks *set = NULL;
    if (err == HF_OK && answer->unchanged && feed->latest) {
        feed->n_failures = 0;
        hf_series_add(feed->unchanged, feed->n_views, 1);
        return false;
    }
    if (err == HF_OK) {
        err = hf_jwks_new(answer->body, &set);
        err = err == HF_OK ? err : hf_fail_context(err, "%s", feed->url);
    }
    if (err != HF_OK) {
        feed->n_failures++;
        say_failure(feed);
        return false;
    }
    feed->n_failures = 0;
    keep(feed->etag, answer->etag);
    keep(feed->last_modified, answer->last_modified);
    bool same = feed->latest && memcmp(feed->latest->id, set->id, sizeof(set->id)) == 0;
    hf_series_add(same ? feed->unchanged : feed->fetched, feed->n_views, 1);
    hf_jwks_unref(feed->latest);
    feed->latest = set;
    if (!same) {
        say_change(feed);
    }
    return !same;
}

static void on_fetched(void *ctx, enum hf_err err, const struct hf_fetch_answer *answer)
{
    struct hf_jwks_feed *feed = ctx;
    feed->fetch = NULL;
    bool changed = take(feed, err, answer);
    hf_timer_set(feed->host->loop, &feed->timer, next_delay(feed));
    deliver(feed, changed);
}

static void fetch(struct hf_jwks_feed *feed)
{
    struct hf_fetch_ask ask = {
        .url = feed->url,
        .roots_pem = hf_buf_bytes(&feed->roots_pem),
        .accept = "application/jwk-set+json, application/json",
        .etag = feed->etag[0] ? feed->etag : NULL,
        .last_modified = feed->last_modified[0] ? feed->last_modified : NULL,
        .max_bytes = HF_JWKS_MAX,
        .timeout_ms = HF_JWKS_TIMEOUT_MS,
    };
    hf_timer_cancel(&feed->timer);
    enum hf_err err = hf_fetch_start(feed->host->fetcher, &ask, on_fetched, feed, &feed->fetch);
    if (err != HF_OK) {
        on_fetched(feed, err, NULL);
    }
}

static void on_due(struct hf_timer *timer)
{
    struct hf_jwks_feed *feed = HF_CONTAINER_OF(timer, struct hf_jwks_feed, timer);
    if (atomic_load(&feed->users) > 0 && !feed->fetch) {
        fetch(feed);
    }
}

/* May a wish be granted now? The budget is a bucket of HF_JWKS_WISH_BURST. */
static bool spend(struct hf_jwks_feed *feed)
{
    int64_t now = hf_loop_now_ms(feed->host->loop);
    int64_t from = feed->wishes_at_ms > now ? feed->wishes_at_ms : now;
    if (from + HF_JWKS_WISH_GAP_MS > now + HF_JWKS_WISH_BURST * HF_JWKS_WISH_GAP_MS) {
        return false;
    }
    feed->wishes_at_ms = from + HF_JWKS_WISH_GAP_MS;
    return true;
}

static void on_wish(struct hf_task *task)
{
    struct view *view = HF_CONTAINER_OF(task, struct view, wish);
    struct hf_jwks_feed *feed = view->feed;
    atomic_store(&view->wished, false);
    if (feed->fetch) {
        return; /* its end wakes everybody */
    }
    if (feed->host && spend(feed)) {
        fetch(feed);
    } else if (feed->host && !atomic_exchange(&view->posted, true)) {
        hf_loop_post(feed->host->workers[view->worker], &view->deliver);
    }
}

/* --- Life ---------------------------------------------------------------------------------------
 */

static void make_series(struct hf_jwks_feed *feed, struct hf_metrics *metrics)
{
    static const char name[] = "handfast_jwks_fetches_total";
    static const char help[] = "Fetches of key sets by result.";
    feed->metrics = metrics;
    feed->fetched =
        hf_metrics_counter(metrics, name, help, "url", feed->url, "result", "changed", NULL);
    feed->unchanged =
        hf_metrics_counter(metrics, name, help, "url", feed->url, "result", "unchanged", NULL);
    feed->failed =
        hf_metrics_counter(metrics, name, help, "url", feed->url, "result", "failed", NULL);
}

enum hf_err hf_jwks_feed_new(const struct hf_jwks_source *source, unsigned n_workers,
                             struct hf_log *log, struct hf_metrics *metrics,
                             const struct hf_rng *rng, struct hf_jwks_feed **out)
{
    *out = NULL;
    struct hf_jwks_feed *feed =
        hf_alloc_zero(1, sizeof(*feed) + n_workers * sizeof(feed->views[0]));
    if (!feed) {
        return HF_E_NOMEM;
    }
    feed->url = hf_strdup(source->url);
    feed->roots_pem = HF_BUF_INIT(source->roots_pem.len);
    if (!feed->url || hf_buf_append(&feed->roots_pem, source->roots_pem) != HF_OK) {
        hf_buf_done(&feed->roots_pem);
        hf_free(feed->url);
        hf_free(feed);
        return HF_E_NOMEM;
    }
    feed->log = log;
    feed->rng = rng;
    feed->refresh_ms = source->refresh_ms;
    feed->timer.on_due = on_due;
    feed->n_views = n_workers;
    for (unsigned i = 0; i < n_workers; i++) {
        feed->views[i].feed = feed;
        feed->views[i].worker = i;
        feed->views[i].deliver.run = on_deliver;
        feed->views[i].wish.run = on_wish;
        hf_list_init(&feed->views[i].waiters);
    }
    make_series(feed, metrics);
    *out = feed;
    return HF_OK;
}

void hf_jwks_feed_free(struct hf_jwks_feed *feed)
{
    for (unsigned i = 0; i < feed->n_views; i++) {
        hf_jwks_unref(feed->views[i].set);
        hf_jwks_unref(atomic_load(&feed->views[i].incoming));
    }
    hf_metrics_release(feed->metrics, feed->fetched);
    hf_metrics_release(feed->metrics, feed->unchanged);
    hf_metrics_release(feed->metrics, feed->failed);
    hf_jwks_unref(feed->latest);
    hf_buf_done(&feed->roots_pem);
    hf_free(feed->url);
    hf_free(feed);
}

void hf_jwks_feed_start(struct hf_jwks_feed *feed, const struct hf_jwks_host *host)
{
    feed->host = host;
    if (atomic_load(&feed->users) > 0 && !feed->fetch) {
        fetch(feed);
    }
}

void hf_jwks_feed_stop(struct hf_jwks_feed *feed)
{
    hf_fetch_cancel(HF_TAKE(feed->fetch));
    hf_timer_cancel(&feed->timer);
    feed->host = NULL;
}

void hf_jwks_feed_use(struct hf_jwks_feed *feed, int64_t refresh_ms)
{
    bool rested = atomic_fetch_add(&feed->users, 1) == 0;
    feed->refresh_ms = refresh_ms;
    if (rested && feed->host && !feed->fetch) {
        fetch(feed);
    }
}

void hf_jwks_feed_release(struct hf_jwks_feed *feed)
{
    atomic_fetch_sub(&feed->users, 1);
}
