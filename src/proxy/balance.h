// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_BALANCE_H
#define HF_PROXY_BALANCE_H

/*
 * Choosing a server of an upstream, for a request or a TCP connection.
 *
 *      pick --> SERVER: a place is taken ---- use it ----> done(outcome, latency): given back
 *           \-> QUEUE:  all are at their caps -> hf_queue_join (balance_queue.h)
 *            \> NONE:   nobody may be asked   -> hf_balance_explain says why
 *
 * A pick costs tens of nanoseconds, takes no lock and allocates nothing. What is shared sits in
 * atomics (server_state.h): caps hold over all workers and generations.
 *
 * A place (active) is for one request, or one TCP connection. A connection (open) is counted apart,
 * by hf_server_open and hf_server_closed, since a kept connection outlives its requests.
 */

#include "proxy/snapshot.h"

enum hf_pick { HF_PICK_SERVER, HF_PICK_QUEUE, HF_PICK_NONE };

#define HF_TRIED_WORDS (HF_UPSTREAM_SERVERS_MAX / 64)

/* The servers that this request has been to, by index. Zeroed: none. */
struct hf_tried {
    uint64_t word[HF_TRIED_WORDS];
};

struct hf_pick_input {
    int64_t now_ms;               /* hf_loop_now_ms */
    uint64_t hash;                /* hf_balance_hash of what `hash-by` names */
    bool has_hash;                /* false: the request has no such thing, and takes turns */
    const struct hf_tried *tried; /* passed over; NULL: none */

    bool queued; /* asked for one that waits: it isn't sent behind itself */

    /* Does the caller hold an idle connection to this server? Then max-connections doesn't keep it
     * from the server. NULL: never. */
    bool (*has_idle)(void *ctx, const struct hf_server *server);
    void *ctx;
};

/* hf_balance_pick chooses and takes a place; *out is set with HF_PICK_SERVER alone. */
enum hf_pick hf_balance_pick(const struct hf_upstream *upstream, const struct hf_pick_input *input,
                             const struct hf_server **out) HF_MUST_CHECK;

/* hf_balance_has_room: would a pick find a server now? */
bool hf_balance_has_room(const struct hf_upstream *upstream, const struct hf_pick_input *input);

/* hf_balance_explain writes why nobody can be asked: "10.0.0.1:80 is down: GET /healthz answered
 * 503; 10.0.0.2:80 is drained". For HF_PICK_NONE. */
void hf_balance_explain(const struct hf_upstream *upstream, const struct hf_pick_input *input,
                        char *out, size_t size);

struct hf_balance_report {
    enum hf_server_outcome outcome;
    int64_t latency_us; /* to the answer's head, or to the connection in TCP mode; < 0: unknown */
    int64_t now_ms;     /* hf_loop_now_ms */
    unsigned shard;     /* of the worker, for counters */
};

/* hf_balance_report tells what came of a place, without giving it back: for TCP mode, where a
 * connection holds its place long after its outcome is known. */
void hf_balance_report(const struct hf_upstream *upstream, const struct hf_server *server,
                       const struct hf_balance_report *report);

/* hf_balance_leave gives the place back, and wakes who waits for one. */
void hf_balance_leave(const struct hf_upstream *upstream, const struct hf_server *server);

/* hf_balance_done is both, in this order. */
static inline void hf_balance_done(const struct hf_upstream *upstream,
                                   const struct hf_server *server,
                                   const struct hf_balance_report *report)
{
    hf_balance_report(upstream, server, report);
    hf_balance_leave(upstream, server);
}

/*
 * hf_server_open counts a connection that is about to be made; false: max-connections is reached,
 * which a pick said wasn't so a moment ago: give the place back with CANCELLED and pick again.
 * hf_server_closed uncounts it, however it ended, and wakes who waits.
 */
bool hf_server_open(const struct hf_server *server) HF_MUST_CHECK;
void hf_server_closed(const struct hf_upstream *upstream, const struct hf_server *server);

/* hf_server_usable: may it be given anything new now? Neither down, ejected nor drained. A pool
 * closes the idle connections of a server that isn't. */
bool hf_server_usable(const struct hf_server *server, int64_t now_ms);

static inline bool hf_tried_has(const struct hf_tried *tried, size_t index)
{
    return tried && (tried->word[index / 64] >> (index % 64) & 1);
}

static inline void hf_tried_add(struct hf_tried *tried, size_t index)
{
    tried->word[index / 64] |= (uint64_t)1 << (index % 64);
}

#endif
