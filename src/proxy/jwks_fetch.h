// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_JWKS_FETCH_H
#define HF_PROXY_JWKS_FETCH_H

/*
 * struct hf_jwks_feed keeps a key set of a URL fresh: fetched on the control thread, and shown to
 * each worker as a set of its own to point at, which is swapped by a posted task. A worker looks at
 * its keys without a lock or an atomic, and keeps the last good ones for as long as no newer ones
 * come.
 *
 *     control   timer or a worker's wish -> fetch -> parse -> (changed) -> post to every worker
 *     worker    swaps its set, wakes whoever waited for keys
 *
 * A feed outlives reloads; while no snapshot uses it, it rests.
 */

#include "base/list.h"
#include "base/log.h"
#include "os/loop.h"
#include "policy/jwks.h"
#include "watch/fetch.h"
#include "watch/metrics.h"

#define HF_JWKS_TIMEOUT_MS   10000 /* of one fetch, and so the longest that a waiter waits */
#define HF_JWKS_WISH_GAP_MS  10000 /* between fetches that workers wish for, ... */
#define HF_JWKS_WISH_BURST   3     /* ... but so many at once */
#define HF_JWKS_RETRY_MS     1000  /* after the first failure; then twice as long, at most ... */
#define HF_JWKS_RETRY_MAX_MS 60000

struct hf_jwks_feed;

struct hf_jwks_source {
    const char *url;
    struct hf_bytes roots_pem; /* copied; empty: the system's roots */
    int64_t refresh_ms;
};

/* What feeds run with. */
struct hf_jwks_host {
    struct hf_loop *loop; /* the control thread's */
    struct hf_fetcher *fetcher;
    struct hf_loop *const *workers; /* their loops */
    unsigned n_workers;
};

enum hf_err hf_jwks_feed_new(const struct hf_jwks_source *source, unsigned n_workers,
                             struct hf_log *log, struct hf_metrics *metrics,
                             const struct hf_rng *rng, struct hf_jwks_feed **out) HF_MUST_CHECK;

/* hf_jwks_feed_free: after hf_jwks_feed_stop, and after the workers' threads have ended. */
void hf_jwks_feed_free(struct hf_jwks_feed *feed);

/* hf_jwks_feed_use and _release count the snapshots that use it; release on any thread, use on the
 * control thread, where it wakes a feed that rests. */
void hf_jwks_feed_use(struct hf_jwks_feed *feed, int64_t refresh_ms);
void hf_jwks_feed_release(struct hf_jwks_feed *feed);

/* hf_jwks_feed_start begins to fetch; host is borrowed. hf_jwks_feed_stop cancels. Control thread.
 */
void hf_jwks_feed_start(struct hf_jwks_feed *feed, const struct hf_jwks_host *host);
void hf_jwks_feed_stop(struct hf_jwks_feed *feed);

/* hf_jwks_feed_keys gives the set that this worker sees; NULL: none was ever fetched. Borrowed for
 * the call. The worker's thread. */
const struct hf_jwks *hf_jwks_feed_keys(struct hf_jwks_feed *feed, unsigned worker);

/* struct hf_jwks_waiter waits for newer keys. wake is called once, on the worker's thread, when a
 * fetch has ended, whatever came of it, or was not due yet; not after hf_link_remove(&link). */
struct hf_jwks_waiter {
    struct hf_link link;
    void (*wake)(struct hf_jwks_waiter *waiter);
};

/* hf_jwks_feed_wish asks for newer keys. */
void hf_jwks_feed_wish(struct hf_jwks_feed *feed, unsigned worker, struct hf_jwks_waiter *waiter);

#endif
