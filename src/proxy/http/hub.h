// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_HTTP_HUB_H
#define HF_PROXY_HTTP_HUB_H

/*
 * struct hf_hub is what HTTP mode keeps per worker: memory that requests borrow and a connection at
 * rest doesn't hold (messages, exchanges, the cork), and the connections to upstreams.
 */

#include "http/msg.h"
#include "proxy/http/wire.h"
#include "proxy/worker.h"

#define HF_HUB_FIELDS 256 /* in the heads of messages, at most */

/* Ids of requests have it, those of connections don't: one id is one thing. */
#define HF_REQUEST_ID_BIT (1ull << 31)

struct hf_exchange;

struct hf_hub {
    struct hf_worker *worker;
    struct hf_buf cork;
    struct hf_wire *corked; /* whose bytes the cork holds; NULL: nobody's */
    struct hf_task settle;
    bool settling; /* settle is on its way */
    struct hf_http_msg_pool msgs;
    struct hf_http_field fields[HF_HUB_FIELDS]; /* of heads that come whole */
    struct hf_link spare;                       /* exchanges to use again */
    size_t n_spare;
    struct hf_link ended; /* exchanges that go at the end of the turn */
    struct hf_link dirty; /* connections of HTTP/2 that have frames to send */
    struct hf_link pools; /* connections to upstreams: pool.h */
    uint64_t next_request;
};

enum hf_err hf_hub_new(struct hf_worker *worker, struct hf_hub **out) HF_MUST_CHECK;

/* hf_hub_free: no session may be left; connections to upstreams are closed. NULL is fine. */
void hf_hub_free(struct hf_hub *hub);

/* hf_hub_settle_later: at the end of this turn the cork is pulled and what has ended goes. */
void hf_hub_settle_later(struct hf_hub *hub);

#endif
