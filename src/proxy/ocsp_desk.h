// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_OCSP_DESK_H
#define HF_PROXY_OCSP_DESK_H

/*
 * struct hf_ocsp_desk asks OCSP responders, on the control thread, and remembers what they say for
 * all workers:
 *
 *     worker    the verdict wants to know -> hf_ocsp_desk_ask ---------> back, woken once
 *                                                  |                      ^
 *     control                     a question for each certificate  --- answered or failed
 *                                                  |
 *                                 a responder: at most 4 requests under way, others gather
 *
 * A question that is under way is shared by all who ask it. Those about certificates of one issuer
 * that wait for the same responder go out together. A responder that doesn't answer is left alone
 * for a second, then ever longer up to a minute, and whoever asks meanwhile is told so at once.
 */

#include "base/log.h"
#include "config/config.h"
#include "policy/ocsp_policy.h"
#include "proxy/desk_call.h"
#include "watch/fetch.h"
#include "watch/metrics.h"

#define HF_OCSP_FLIGHTS_MAX  4 /* requests under way, for each responder */
#define HF_OCSP_QUEUE_MAX    65536
#define HF_OCSP_RETRY_MS     1000 /* after the first failure; then twice as long, at most ... */
#define HF_OCSP_RETRY_MAX_MS 60000

struct hf_ocsp_desk;

struct hf_ocsp_desk_env {
    struct hf_loop *loop; /* the control thread's */
    const struct hf_clock *clock;
    const struct hf_rng *rng;
    struct hf_log *log;
    struct hf_metrics *metrics;
    unsigned shard;    /* of the control thread's counters */
    const char *state; /* folder in which answers outlive the process; NULL: they don't */
    /* how a trust asks, by its name, in the configuration that runs; NULL: it doesn't */
    const struct hf_cfg_ocsp *(*terms)(void *ctx, const char *trust);
    /* the url_trust of such terms, borrowed; NULL: it can't be had, and nobody is asked */
    struct hf_trust *(*url_trust)(void *ctx, const struct hf_cfg_ocsp *cfg);
    /* what is said of a certificate has changed: sessions must be judged again */
    void (*on_change)(void *ctx);
    void *ctx;
};

/* hf_ocsp_desk_new: env is copied. Errors: HF_E_NOMEM, those of hf_fetcher_new. */
enum hf_err hf_ocsp_desk_new(const struct hf_ocsp_desk_env *env,
                             struct hf_ocsp_desk **out) HF_MUST_CHECK;

/* hf_ocsp_desk_stop forgets all questions: when the workers' threads have ended, before their loops
 * go. hf_ocsp_desk_free: after the control loop is gone too. NULL is fine for both. */
void hf_ocsp_desk_stop(struct hf_ocsp_desk *desk);
void hf_ocsp_desk_free(struct hf_ocsp_desk *desk);

/* What is known; any thread. */
struct hf_ocsp_memory *hf_ocsp_desk_memory(struct hf_ocsp_desk *desk);

/* What was asked and answered since the start. */
struct hf_ocsp_stats {
    int64_t n_known; /* certificates that something is known of, or that asking failed about */
    int64_t n_open;  /* that responders are being asked about */
    int64_t n_requests;
    int64_t n_said[3]; /* certificates answered about, by enum hf_ocsp_status */
    int64_t n_failed, n_untrusted;
};
void hf_ocsp_desk_stats(const struct hf_ocsp_desk *desk, struct hf_ocsp_stats *out);

/* hf_ocsp_desk_changed: a worker has learnt, from a staple, what others should hear of. */
void hf_ocsp_desk_changed(struct hf_ocsp_desk *desk);

/* hf_ocsp_desk_ask takes what is wanted, which is then empty, for a trust; from the thread of loop.
 * wait, or NULL, is answered when all of that has an answer or has failed. Errors: HF_E_NOMEM. */
enum hf_err hf_ocsp_desk_ask(struct hf_ocsp_desk *desk, struct hf_loop *loop, const char *trust,
                             struct hf_ocsp_wants *wants, struct hf_desk_wait *wait) HF_MUST_CHECK;

#endif
