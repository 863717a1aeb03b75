// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_STAPLER_H
#define HF_PROXY_STAPLER_H

/*
 * struct hf_stapler fetches the OCSP answers that go with our own certificates, on the control
 * thread, keeps them in the folder `staples` of the state folder, and hands each new one to the TLS
 * contexts that show the certificate:
 *
 *     start -> what was kept -> ask -> checked like a peer's -> keep -> every context -> wait
 *
 * Only answers that are good and fresh are shown. A responder that is down changes nothing until
 * the last answer ends; then none is shown.
 */

#include "base/log.h"
#include "os/loop.h"
#include "proxy/snapshot.h"
#include "watch/metrics.h"

#define HF_STAPLER_RETRY_MS     5000 /* after the first failure; then twice as long, at most ... */
#define HF_STAPLER_RETRY_MAX_MS (60 * 60000)

struct hf_stapler;

struct hf_stapler_env {
    struct hf_loop *loop; /* the control thread's */
    const struct hf_clock *clock;
    const struct hf_rng *rng;
    struct hf_log *log;
    struct hf_metrics *metrics;
    unsigned shard;
};

/* hf_stapler_new: env is copied. Errors: HF_E_NOMEM. */
enum hf_err hf_stapler_new(const struct hf_stapler_env *env, struct hf_stapler **out) HF_MUST_CHECK;

/* hf_stapler_free: before the loop goes. NULL is fine. */
void hf_stapler_free(struct hf_stapler *stapler);

/* hf_stapler_show gives a snapshot, before it runs, the answers that are known for its identities;
 * for one not met before, what was kept on the disk. */
void hf_stapler_show(struct hf_stapler *stapler, struct hf_snapshot *snapshot);

/* hf_stapler_set: this snapshot runs now. Its identities' answers are fetched from here on, and no
 * others'. The snapshot is referenced. Errors: HF_E_NOMEM, those of hf_fetcher_new. */
enum hf_err hf_stapler_set(struct hf_stapler *stapler, struct hf_snapshot *snapshot) HF_MUST_CHECK;

#endif
