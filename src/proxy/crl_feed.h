// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_CRL_FEED_H
#define HF_PROXY_CRL_FEED_H

/*
 * struct hf_crl_feed keeps the revocation lists of one URL fresh, on the control thread:
 *
 *     start -> what was kept -> ask -> read as it comes -> admit -> keep -> tell the host -> wait
 *
 * What can't be fetched, read or admitted changes nothing: the last good lists stay, for as long as
 * the policy of the trust says, and the log says why.
 */

#include <stdatomic.h>

#include "base/list.h"
#include "base/log.h"
#include "os/loop.h"
#include "proxy/crl_proof.h"
#include "proxy/crl_store.h"
#include "watch/fetch.h"
#include "watch/metrics.h"

#define HF_CRL_FETCHES_MAX  8    /* at a time */
#define HF_CRL_RETRY_MS     1000 /* after the first failure; then twice as long, at most ... */
#define HF_CRL_RETRY_MAX_MS (5 * 60000)
#define HF_CRL_GAP_MIN_MS   1000 /* between two questions, whatever an answer says */

/* What feeds run with; outlives them. */
struct hf_crl_host {
    struct hf_loop *loop; /* NULL: not started */
    struct hf_fetcher *fetcher;
    const struct hf_clock *clock;
    const struct hf_rng *rng;
    struct hf_log *log;
    struct hf_metrics *metrics;
    unsigned shard;    /* of the control thread's counters */
    const char *state; /* folder */
    struct hf_crl_provers provers;
    unsigned n_running;
    atomic_uint n_awaited;        /* feeds that are `awaited`; any thread may look */
    void (*on_change)(void *ctx); /* lists have changed; may be told once for several */
    void *ctx;
};

/* Of several trusts that want the same URL, the shortest refresh and the largest of the others. */
struct hf_crl_terms {
    int64_t refresh_ms;
    int64_t timeout_ms;
    uint64_t max_size;
    struct hf_bytes roots_pem; /* copied; empty: the system's roots */
};

struct hf_crl_feed {
    char *url;
    struct hf_crl_host *host;
    struct hf_crl_terms terms;
    struct hf_buf roots_pem;
    bool configured; /* a trust names the URL; otherwise a certificate did */
    bool wanted;     /* while the configuration is gone through */

    struct hf_crl_lists lists; /* the last good ones */
    struct hf_crl_note note;
    bool unkept; /* what is in force isn't on the disk: it is asked for whole, to be kept then */

    struct hf_timer timer;
    struct hf_fetch *fetch;
    struct hf_crl_reader *reader; /* of the answer that comes in; likewise draft */
    struct hf_crl_draft *draft;
    bool untaught;         /* it has lists that workers don't know yet */
    unsigned n_failures;   /* in a row */
    int64_t asked_at;      /* Unix seconds; 0: never. likewise */
    int64_t next_at;       /* when it will be asked */
    bool awaited;          /* it is asked, or waits for its turn, and has no fresh list meanwhile */
    int64_t awaited_ms;    /* loop time: since when */
    struct hf_link askers; /* who waits for the end of that, of crl_desk.c */
    char error[HF_ERR_TEXT_MAX]; /* of the last failure; "": the last time went well */
    struct hf_series *changed, *unchanged, *failed, *refused, *replayed;
};

/* hf_crl_feed_new reads what was kept, if anything. Errors: HF_E_INVALID for a URL that is refused,
 * HF_E_NOMEM. */
enum hf_err hf_crl_feed_new(struct hf_crl_host *host, const char *url,
                            const struct hf_crl_terms *terms,
                            struct hf_crl_feed **out) HF_MUST_CHECK;
void hf_crl_feed_free(struct hf_crl_feed *feed);

enum hf_err hf_crl_feed_set(struct hf_crl_feed *feed,
                            const struct hf_crl_terms *terms) HF_MUST_CHECK;

/* hf_crl_feed_ask fetches now, or as soon as others have ended; a fetch under way goes on. */
void hf_crl_feed_ask(struct hf_crl_feed *feed);
void hf_crl_feed_stop(struct hf_crl_feed *feed);

/* hf_crl_feed_taught: what it has is on its way to the workers' loops. */
void hf_crl_feed_taught(struct hf_crl_feed *feed);

/* hf_crl_askers_end tells those who wait. Of crl_desk.c. */
void hf_crl_askers_end(struct hf_link *askers);

/* hf_crl_feed_prove drops lists that are now known not to be their issuer's, and asks for others.
 * True: it did. */
bool hf_crl_feed_prove(struct hf_crl_feed *feed);

#endif
