// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_CRL_DESK_H
#define HF_PROXY_CRL_DESK_H

/*
 * struct hf_crl_desk lets a handshake wait for revocation lists that are on their way, as
 * proxy/ocsp_desk.h does for answers by OCSP:
 *
 *     worker    the verdict lacks a list -> hf_crl_desk_ask -------------> back, woken once
 *                                                 |                         ^
 *     control             the path is met, which may begin fetches;         |
 *                         feeds that may speak for it and are under way     |
 *                                                 |                         |
 *                         answered -> a new ledger, taught to all workers --+
 *                         failed, or too slow ------------------------------+
 *
 * A fetch is shared by all who wait for it. Nobody waits longer than the trust's `wait`, nor for a
 * fetch that has been under way for as long already.
 */

#include "pki/cert.h"
#include "proxy/crl_feed.h"
#include "proxy/desk_call.h"

struct hf_crl_desk;

typedef void hf_crl_await_fn(void *ctx, struct hf_crl_feed *feed);

struct hf_crl_desk_env {
    struct hf_loop *loop; /* the control thread's */
    /* looks at a path that was verified up to a root of this trust, then calls fn with each feed
     * that is awaited and may speak for one of its certificates */
    void (*meet)(void *ctx, const char *trust, const struct hf_chain *path, hf_crl_await_fn *fn,
                 void *fn_ctx);
    const atomic_uint *n_awaited; /* feeds that are: as in struct hf_crl_host */
    void *ctx;
};

/* hf_crl_desk_new: env is copied. Errors: HF_E_NOMEM. */
enum hf_err hf_crl_desk_new(const struct hf_crl_desk_env *env,
                            struct hf_crl_desk **out) HF_MUST_CHECK;

/* hf_crl_desk_stop forgets who waits: when the workers' threads have ended, before their loops go
 * and before the feeds. hf_crl_desk_free: after the control loop is gone too. NULL is fine for
 * both. */
void hf_crl_desk_stop(struct hf_crl_desk *desk);
void hf_crl_desk_free(struct hf_crl_desk *desk);

/* hf_crl_desk_teaches: another ledger is being posted to the workers. Control thread, before what
 * was fetched is no longer awaited. */
void hf_crl_desk_teaches(struct hf_crl_desk *desk);

/* hf_crl_desk_busy: is any list on its way to a worker that has learnt so many ledgers, or somebody
 * about to ask for one? When not, and the path isn't a new one, there is nothing to wait for. */
bool hf_crl_desk_busy(const struct hf_crl_desk *desk, unsigned n_learnt);

/* hf_crl_desk_ask tells of a path that was verified up to a root of this trust; from the thread of
 * loop. wait NULL: nobody waits. Errors: HF_E_NOMEM. */
enum hf_err hf_crl_desk_ask(struct hf_crl_desk *desk, struct hf_loop *loop, const char *trust,
                            struct hf_chain *path, int64_t wait_ms,
                            struct hf_desk_wait *wait) HF_MUST_CHECK;

#endif
