// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_CRL_SOURCES_H
#define HF_PROXY_CRL_SOURCES_H

/*
 * All URLs that revocation lists are fetched from: those that trusts name, and those that
 * certificates name where a trust allows their scheme, host and port. One feed for each URL,
 * whatever the number of trusts. On the control thread.
 *
 * Certificates are looked at where they are believed: the roots of a trust that allows it, and
 * paths of peers that were verified up to one. What they name is remembered with the lists that
 * were kept, and so is there again at the next start.
 */

#include "config/ledger.h"
#include "proxy/crl_desk.h"

#define HF_CRL_FEEDS_MAX 1024 /* URLs, of all trusts together */

struct hf_crl_sources;

/* What they run with; all is borrowed. */
struct hf_crl_env {
    const char *state; /* folder */
    const struct hf_clock *clock;
    const struct hf_rng *rng;
    struct hf_log *log;
    struct hf_metrics *metrics;
    unsigned shard; /* of the control thread's counters */
};

enum hf_err hf_crl_sources_new(const struct hf_crl_env *env,
                               struct hf_crl_sources **out) HF_MUST_CHECK;

/* hf_crl_sources_free: before the loop's end. NULL is fine. */
void hf_crl_sources_free(struct hf_crl_sources *sources);

/* hf_crl_sources_want adds what this config wants, and reads what was kept of it; what only others
 * wanted stays until hf_crl_sources_settle, which forgets it. Errors: HF_E_CONFIG (a URL is
 * refused; see findings), HF_E_NOMEM. */
enum hf_err hf_crl_sources_want(struct hf_crl_sources *sources, const struct hf_config *config,
                                const struct hf_materials *materials,
                                struct hf_findings *findings) HF_MUST_CHECK;
void hf_crl_sources_settle(struct hf_crl_sources *sources, const struct hf_config *config);

/* hf_crl_sources_start makes the folder and begins to fetch. on_change is called, on the loop's
 * thread, some time after lists have changed. Errors: those of hf_crl_store_make and
 * hf_fetcher_new. */
enum hf_err hf_crl_sources_start(struct hf_crl_sources *sources, struct hf_loop *loop,
                                 void (*on_change)(void *ctx), void *ctx) HF_MUST_CHECK;

/* hf_crl_sources_fetched gives the lists of each trust of this config. *out is the caller's to
 * hf_free, what it points at lives until the loop's next turn. */
enum hf_err hf_crl_sources_fetched(const struct hf_crl_sources *sources,
                                   const struct hf_config *config, struct hf_ledger_fetched **out,
                                   size_t *out_n) HF_MUST_CHECK;

/* hf_crl_sources_meet looks at a path that was verified up to a root of this trust: its CA
 * certificates can prove lists, and all may name where lists are. */
void hf_crl_sources_meet(struct hf_crl_sources *sources, const struct hf_config *config,
                         const struct hf_materials *materials, const char *trust,
                         const struct hf_chain *path);

/* hf_crl_sources_await calls fn with each feed that is awaited and may speak for a certificate of
 * such a path: those of URLs that it names, and those of URLs that the trust names. */
void hf_crl_sources_await(struct hf_crl_sources *sources, const struct hf_config *config,
                          const char *trust, const struct hf_chain *path, hf_crl_await_fn *fn,
                          void *ctx);

/* hf_crl_sources_taught: all that hf_crl_sources_fetched gave last is on its way to the workers. */
void hf_crl_sources_taught(struct hf_crl_sources *sources);

/* hf_crl_sources_n_awaited is where the number of feeds stands that are awaited; any thread. */
const atomic_uint *hf_crl_sources_n_awaited(const struct hf_crl_sources *sources);

/* hf_crl_sources_ask asks all URLs now. */
void hf_crl_sources_ask(struct hf_crl_sources *sources);

/* hf_crl_sources_next walks the feeds in no order: start with *at == 0; NULL at the end. */
const struct hf_crl_feed *hf_crl_sources_next(const struct hf_crl_sources *sources, size_t *at);

#endif
