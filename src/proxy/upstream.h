// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_UPSTREAM_H
#define HF_PROXY_UPSTREAM_H

/*
 * Reaching a server of an upstream: choose (balance.h), wait where all are at their caps, look the
 * name up, connect, and go on to the next address or server when that fails. A dial belongs to one
 * session and one worker.
 */

#include "os/loop.h"
#include "os/resolve.h"
#include "proxy/balance.h"

struct hf_dial;

enum hf_dial_end {
    HF_DIAL_CONNECTED, /* fd and server are set; both are the receiver's */
    HF_DIAL_EXHAUSTED, /* no server is left; why is set */
};

/* The server's place and its open connection go to the receiver with CONNECTED, who gives both back
 * with hf_dial_leave once the connection is closed. */
struct hf_dial_result {
    enum hf_dial_end end;
    int fd;
    const struct hf_server *server;
    struct hf_addr addr;
    const char *why; /* "10.0.0.1:80: connection refused; 10.0.0.2:80: timed out" */
    bool timed_out;  /* the last that was tried, or the wait for a place */

    /* With env.keep_watch: active for fd; the receiver calls hf_watch_move. */
    struct hf_watch *watch;
};

/* Called once per hf_dial_start, hf_dial_to or hf_dial_next, never from within them. */
typedef void hf_dial_fn(void *ctx, const struct hf_dial_result *result);

struct hf_dial_env {
    struct hf_loop *loop;
    struct hf_resolver *resolver;
    unsigned shard; /* of the worker, for counters and queues */
    bool has_hash;  /* for HF_BALANCE_HASH */
    uint64_t hash;
    bool keep_watch; /* hand the watch over with the connection */
};

/* hf_dial_start begins; upstream must outlive the dial. Each attempt has the upstream's connect
 * timeout, of which looking up the name is a part. Errors: HF_E_NOMEM. */
enum hf_err hf_dial_start(const struct hf_dial_env *env, const struct hf_upstream *upstream,
                          hf_dial_fn *on_end, void *ctx, struct hf_dial **out) HF_MUST_CHECK;

/* hf_dial_to connects to this server alone, which the caller has picked and opened: nothing is
 * counted, and place and connection are the caller's throughout. */
enum hf_err hf_dial_to(const struct hf_dial_env *env, const struct hf_server *server,
                       hf_dial_fn *on_end, void *ctx, struct hf_dial **out) HF_MUST_CHECK;

/* hf_dial_next goes on with the next server: what was connected to turned out to be no good, which
 * is reported; its place has been given back. */
void hf_dial_next(struct hf_dial *dial, const char *why_not);

/* hf_dial_won: what was connected to is good. Reported, with the time that it took. */
void hf_dial_won(struct hf_dial *dial);

/* hf_dial_leave gives back the place and the connection of a server that was connected to. */
void hf_dial_leave(const struct hf_server *server);

/* hf_dial_free cancels what is under way. NULL is fine. */
void hf_dial_free(struct hf_dial *dial);

#endif
