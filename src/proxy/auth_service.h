// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_AUTH_SERVICE_H
#define HF_PROXY_AUTH_SERVICE_H

/*
 * struct hf_auth_service is what checking credentials keeps beside any snapshot: memories of good
 * tokens and passwords, threads that hash passwords, feeds of key sets, counts of failures. One a
 * daemon. struct hf_auth_set is a snapshot's part: its users and key sets, by the place of each
 * `auth` in the config.
 */

#include "base/cache.h"
#include "base/map.h"
#include "config/materials.h"
#include "crypto/hmac.h"
#include "os/jobs.h"
#include "policy/rate.h"
#include "proxy/jwks_fetch.h"

#define HF_AUTH_TOKENS      8192 /* remembered as good; passwords likewise */
#define HF_AUTH_THREADS_MAX 4    /* that hash passwords */
#define HF_AUTH_QUEUE       128  /* passwords that wait for one of these */

struct hf_auth_service {
    const struct hf_clock *clock;
    const struct hf_rng *rng;
    struct hf_log *log;
    struct hf_metrics *metrics;
    unsigned n_workers;
    struct hf_cache *tokens;
    struct hf_cache *passwords;
    struct hf_hmac password_key; /* of the memory of passwords */
    struct hf_jobs *jobs;
    struct hf_rate *failures; /* wrong passwords, by address */
    struct hf_map feeds;      /* struct hf_jwks_feed by URL and roots */
    struct hf_loop **loops;   /* of the workers */
    struct hf_jwks_host host; /* loop NULL: not started */
};

enum hf_err hf_auth_service_new(const struct hf_clock *clock, const struct hf_rng *rng,
                                struct hf_log *log, struct hf_metrics *metrics, unsigned n_workers,
                                struct hf_auth_service **out) HF_MUST_CHECK;

/* hf_auth_service_start begins to fetch, on the control thread's loop; before the workers run.
 * loops are the workers'; the array is copied. Errors: HF_E_NOMEM, those of hf_fetcher_new. */
enum hf_err hf_auth_service_start(struct hf_auth_service *service, struct hf_loop *control,
                                  struct hf_loop *const *loops) HF_MUST_CHECK;

/* hf_auth_service_stop ends fetches and jobs: when the workers' threads have ended, before their
 * loops go. hf_auth_service_free: after both. NULL is fine. */
void hf_auth_service_stop(struct hf_auth_service *service);
void hf_auth_service_free(struct hf_auth_service *service);

/* One `auth` of the config, ready. */
struct hf_auth_item {
    struct hf_htpasswd *users; /* borrowed from the materials; likewise */
    struct hf_jwks *keys;      /* of a file */
    struct hf_jwks_feed *feed; /* of a URL */
};

struct hf_auth_set {
    const struct hf_config *config;
    struct hf_auth_item *items;
    size_t n_items;
};

/* hf_auth_set_new: on the control thread. Errors: HF_E_NOMEM; HF_E_CONFIG with a finding. */
enum hf_err hf_auth_set_new(struct hf_auth_service *service, const struct hf_config *config,
                            const struct hf_materials *materials, struct hf_findings *findings,
                            struct hf_auth_set **out) HF_MUST_CHECK;

/* hf_auth_set_free: any thread. NULL is fine. */
void hf_auth_set_free(struct hf_auth_set *set);

#endif
