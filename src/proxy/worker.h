// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_WORKER_H
#define HF_PROXY_WORKER_H

/*
 * struct hf_worker is one thread with its event loop, its listening sockets and its sessions. A
 * connection lives and dies on one worker. Other threads reach a worker only by posting tasks; what
 * they share is immutable (snapshots) or atomic (struct hf_state, metric shards).
 */

#include "base/log.h"
#include "config/ledger.h"
#include "os/loop.h"
#include "os/resolve.h"
#include "os/thread.h"
#include "proxy/leg.h"
#include "proxy/snapshot.h"

/* A generation as one worker holds it: counted without atomics, as only this worker does it. */
struct hf_review;

struct hf_gen {
    struct hf_snapshot *snapshot;
    size_t refs;
};

/* One listening socket of one worker. */
struct hf_listener {
    struct hf_watch watch;
    struct hf_timer pause; /* armed while accepting is stopped for want of descriptors */
    struct hf_worker *worker;
    const struct hf_door *door; /* of the worker's current generation */
    struct hf_addr addr;
    bool shared;    /* the fd is every worker's (socket activation): not ours to close */
    uint8_t batch;  /* connections to take a turn: as many as came lately */
    uint8_t n_full; /* turns in a row in which there were that many */
    struct hf_task free_task;
};

struct hf_hub;
struct hf_ocsp_desk;
struct hf_crl_desk;
struct hf_crl_met;

/* Called on the control thread with a path that was verified up to a root of this trust; see
 * proxy/crl_meet.h. */
typedef void hf_worker_meet_fn(void *control_ctx, const char *trust, const struct hf_chain *path);
struct hf_recorder;
struct hf_reports;

struct hf_worker {
    unsigned index; /* also the shard of its counters */
    struct hf_thread thread;
    struct hf_loop *loop;
    struct hf_resolver *resolver;
    struct hf_log *log;
    const struct hf_clock *clock;
    struct hf_gen *gen;
    struct hf_ledger *ledger;     /* what is known of revocation now: for every generation */
    unsigned n_learnt;            /* ledgers that it was handed since its start */
    uint64_t epoch;               /* raised whenever all sessions must be judged again */
    struct hf_ocsp_desk *desk;    /* that asks by OCSP; borrowed, NULL: nobody does */
    struct hf_crl_desk *crl_desk; /* for lists that are on their way; likewise */
    struct hf_review *review;     /* of its sessions, under way; NULL: none */
    struct hf_listener **listeners;
    size_t n_listeners;
    struct hf_link sessions;
    struct hf_link fallen; /* cut, and to be buried: see proxy/session_fall.h */
    size_t n_sessions;
    uint64_t next_id; /* the worker's index in the top bits, the process's start in the middle */
    bool leaving;     /* it won't be long: health checks are told to go elsewhere */
    bool stopping;    /* no more accepting; the loop ends with the last session */
    bool starved;     /* descriptors ran out and it was said */
    struct hf_loop *control; /* where `ended` is posted when the thread's loop has ended */
    void *control_ctx;
    struct hf_task drain;   /* what tells it to, so that doing so can't fail */
    struct hf_task drained; /* posted to `control` when it accepts no more */
    struct hf_task ended;
    bool has_drained;             /* the control thread has seen it */
    bool has_ended;               /* likewise */
    struct hf_map kins;           /* of its sessions; see proxy/kin.h */
    struct hf_crl_met *met;       /* certificates that the control thread was told of */
    hf_worker_meet_fn *on_meet;   /* is told of them; NULL: nobody is */
    struct hf_hub *hub;           /* of HTTP mode */
    struct hf_recorder *recorder; /* of verdicts; NULL: nobody records them */
    struct hf_reports *reports;   /* of listeners with report-only; NULL: nobody lists them */
    struct hf_scratch scratch;
};

/* A listening socket that workers are to have, as the control thread made it. */
struct hf_bound {
    struct hf_addr addr;
    size_t door; /* index into snapshot->doors */
    int *fds;    /* one per worker, or one for all when shared */
    bool shared;
    bool given; /* by socket activation: the address stays the giver's */
};

/* struct hf_plan is what a worker is told to run: a snapshot and its sockets. Immutable while any
 * worker reads it. */
struct hf_plan {
    struct hf_snapshot *snapshot;
    struct hf_ledger *ledger;
    struct hf_bound *bound;
    size_t n_bound;
};

enum hf_err hf_worker_new(unsigned index, uint64_t first_id, struct hf_log *log,
                          const struct hf_clock *clock, struct hf_worker **out) HF_MUST_CHECK;

/* hf_worker_free joins nothing: the thread must have ended or never started. */
void hf_worker_free(struct hf_worker *worker);
enum hf_err hf_worker_start(struct hf_worker *worker) HF_MUST_CHECK;
void hf_worker_join(struct hf_worker *worker);

/*
 * The following run on the worker's own thread (in a posted task).
 *
 * hf_worker_apply takes over a plan: listeners of addresses that remain keep their socket and get
 * the new door, new ones start, those gone empty their queue and close. Existing sessions keep the
 * generation that they began with.
 */
enum hf_err hf_worker_apply(struct hf_worker *worker, const struct hf_plan *plan) HF_MUST_CHECK;

/*
 * hf_worker_learn hands over a new ledger, and has every session judged again by it, a few in each
 * turn of the loop; those who are no longer admitted are closed. on_end is called once, from the
 * loop, with how many that were, when all have been; lines and stored verdicts about the last of
 * many may come after. A ledger that comes while one is under way starts it anew, and
 * both calls end together.
 */
typedef void hf_worker_learned_fn(void *ctx, size_t n_closed);
void hf_worker_learn(struct hf_worker *worker, struct hf_ledger *ledger,
                     hf_worker_learned_fn *on_end, void *ctx);

/* hf_worker_revocation is what a trust knows of revocation now; NULL for no trust. */
const struct hf_revocation *hf_worker_revocation(const struct hf_worker *worker,
                                                 const struct hf_trust *trust);

/* hf_worker_leave says from now on that it isn't ready; hf_worker_drain comes later. */
void hf_worker_leave(struct hf_worker *worker);

/* hf_worker_drain stops accepting, posts `drained`, and ends the loop once no session is left. */
void hf_worker_drain(struct hf_worker *worker);

/* hf_worker_cut closes every session now. */
void hf_worker_cut(struct hf_worker *worker);

struct hf_gen *hf_gen_ref(struct hf_gen *gen);
void hf_gen_unref(struct hf_gen *gen);

#endif
