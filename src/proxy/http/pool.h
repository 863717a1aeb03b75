// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_HTTP_POOL_H
#define HF_PROXY_HTTP_POOL_H

/*
 * struct hf_pool is one worker's connections to one upstream of one generation: so what they show
 * (our certificate, the server name) and what was checked is the same for all of them. It exists
 * while it has connections.
 *
 *      reach: pick a server (balance.h) --> an idle connection, or room in one of HTTP/2,
 *                                           or one that is being made, or a new one
 *
 * A place at the server is held from the pick until the exchange is done with it.
 */

#include "proxy/http/exchange.h"

#define HF_POOL_IDLE_MAX 1024  /* kept connections of one upstream and worker */
#define HF_POOL_IDLE_MS  60000 /* how long one is kept */

struct hf_up;

struct hf_pool {
    struct hf_link link;
    struct hf_hub *hub;
    struct hf_gen *gen;
    const struct hf_upstream *upstream;
    struct hf_link idle; /* the last used first */
    struct hf_link busy; /* and those being made */
    size_t n_idle;
    size_t n; /* all of them */
};

/*
 * hf_pool_reach finds x->upstream's connection for the exchange: hf_exchange_reached or
 * hf_exchange_unreached is called, now or later. hf_pool_leave takes it back before that.
 */
void hf_pool_reach(struct hf_exchange *x);
void hf_pool_leave(struct hf_exchange *x);

/* hf_pool_may_retry: the upstream's budget has room for one more, which x then is. */
bool hf_pool_may_retry(struct hf_exchange *x);
void hf_pool_retry_done(struct hf_exchange *x);

/* hf_pool_place_done gives the exchange's place at its server back, with what came of it. Harmless
 * when it holds none. */
void hf_pool_place_done(struct hf_exchange *x);

/* For connections. */
void hf_pool_ready(struct hf_up *up);                      /* it can take exchanges */
void hf_pool_failed(struct hf_up *up, enum hf_mishap why); /* it was never ready: it goes */
void hf_pool_rest(struct hf_up *up);                       /* it serves nobody now */
void hf_pool_forget(struct hf_up *up);                     /* it is closed */

/* hf_pool_retire closes what is idle and of another generation or epoch than the worker's, or all.
 */
void hf_pool_retire(struct hf_hub *hub, bool all);

#endif
