// SPDX-License-Identifier: Apache-2.0
#include "proxy/worker.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "proxy/crl_meet.h"
#include "proxy/http/down.h"
#include "proxy/http/hub.h"
#include "proxy/http/pool.h"
#include "proxy/review.h"
#include "proxy/session.h"

enum {
    BACKLOG_TURN = 64, /* connections taken per turn before sessions get theirs, at most */
    FULL_TURNS = 4,    /* after so many turns that left no doubt, more are asked for */
    PAUSE_MS = 200,    /* how long accepting stops when descriptors run out */
    SCRATCH_OUT = 512 << 10,
};

/* --- Generations --------------------------------------------------------------------------------
 */

struct hf_gen *hf_gen_ref(struct hf_gen *gen)
{
    gen->refs++;
    return gen;
}

void hf_gen_unref(struct hf_gen *gen)
{
    if (gen && --gen->refs == 0) {
        hf_snapshot_unref(gen->snapshot);
        hf_free(gen);
    }
}

static struct hf_gen *gen_new(struct hf_snapshot *snapshot)
{
    struct hf_gen *gen = HF_NEW(struct hf_gen);
    if (gen) {
        gen->refs = 1;
        gen->snapshot = hf_snapshot_ref(snapshot);
    }
    return gen;
}

/* --- Accepting ----------------------------------------------------------------------------------
 */

static void resume_accepting(struct hf_timer *timer)
{
    struct hf_listener *listener = HF_CONTAINER_OF(timer, struct hf_listener, pause);
    hf_watch_want(listener->worker->loop, &listener->watch, HF_LOOP_READ);
}

static void pause_accepting(struct hf_listener *listener)
{
    struct hf_worker *worker = listener->worker;
    hf_watch_want(worker->loop, &listener->watch, 0);
    hf_timer_set(worker->loop, &listener->pause, PAUSE_MS);
    if (!worker->starved) {
        worker->starved = true;
        hf_log_say(worker->log, HF_LOG_ERROR, "accept",
                   "%s: accepting stops for moments until some are free; raise LimitNOFILE",
                   hf_err_text());
    }
}

static void say_recovered(struct hf_worker *worker)
{
    if (worker->starved) {
        worker->starved = false;
        hf_log_say(worker->log, HF_LOG_INFO, "accept", "descriptors are free again");
    }
}

/* Takes waiting connections, at most `most`, and gives how many came; fewer: there were no more, or
 * the listener must pause or is broken. */
static size_t accept_some(struct hf_listener *listener, size_t most)
{
    struct hf_worker *worker = listener->worker;
    for (size_t i = 0; i < most; i++) {
        int fd = -1;
        struct hf_addr peer;
        enum hf_err err = hf_sock_accept(listener->watch.fd, &fd, &peer);
        if (err != HF_OK) {
            pause_accepting(listener);
            return i;
        }
        if (fd < 0) {
            return i;
        }
        say_recovered(worker);
        hf_session_start(worker, listener->door, fd, &peer);
    }
    return most;
}

/* Asking for one that isn't there costs a call: as many are taken as came the last time, and twice
 * as many once all of them have been there some times. What is left wakes the loop again. */
static void on_listener_event(struct hf_watch *watch, unsigned events)
{
    (void)events;
    struct hf_listener *listener = HF_CONTAINER_OF(watch, struct hf_listener, watch);
    size_t n = accept_some(listener, listener->batch);
    if (n < listener->batch) {
        listener->batch = n ? (uint8_t)n : 1;
        listener->n_full = 0;
    } else if (++listener->n_full == FULL_TURNS) {
        listener->batch =
            listener->batch < BACKLOG_TURN ? (uint8_t)(2 * listener->batch) : BACKLOG_TURN;
        listener->n_full = 0;
    }
}

static void free_listener_later(struct hf_task *task)
{
    hf_free(HF_CONTAINER_OF(task, struct hf_listener, free_task));
}

/* Closes a listening socket after what the kernel has already accepted for it. */
static void listener_close(struct hf_listener *listener)
{
    struct hf_worker *worker = listener->worker;
    if (!listener->shared) {
        (void)accept_some(listener, SIZE_MAX);
    }
    hf_timer_cancel(&listener->pause);
    hf_watch_remove(worker->loop, &listener->watch);
    if (!listener->shared) {
        hf_closep(&listener->watch.fd);
    }
    listener->free_task.run = free_listener_later;
    hf_loop_defer(worker->loop, &listener->free_task);
}

static struct hf_listener *listener_new(struct hf_worker *worker, const struct hf_bound *bound)
{
    struct hf_listener *listener = HF_NEW(struct hf_listener);
    if (!listener) {
        return NULL;
    }
    *listener = (struct hf_listener){
        .watch = {.fd = bound->fds[bound->shared ? 0 : worker->index],
                  .wanted = HF_LOOP_READ,
                  .on_event = on_listener_event},
        .pause = {.on_due = resume_accepting},
        .worker = worker,
        .addr = bound->addr,
        .shared = bound->shared,
        .batch = 1,
    };
    enum hf_err err = bound->shared ? hf_watch_add_shared(worker->loop, &listener->watch)
                                    : hf_watch_add(worker->loop, &listener->watch);
    if (err != HF_OK) {
        hf_free(listener);
        return NULL;
    }
    return listener;
}

/* --- Plans --------------------------------------------------------------------------------------
 */

/* Takes the listener with this address out of the worker's old list, or makes a new one. */
static struct hf_listener *keep_or_make(struct hf_worker *worker, const struct hf_bound *bound)
{
    for (size_t i = 0; i < worker->n_listeners; i++) {
        struct hf_listener *listener = worker->listeners[i];
        if (listener && hf_addr_eq(&listener->addr, &bound->addr)) {
            worker->listeners[i] = NULL;
            return listener;
        }
    }
    return listener_new(worker, bound);
}

static void replace_listeners(struct hf_worker *worker, struct hf_listener **listeners, size_t n)
{
    for (size_t i = 0; i < worker->n_listeners; i++) {
        if (worker->listeners[i]) {
            listener_close(worker->listeners[i]);
        }
    }
    hf_free(worker->listeners);
    worker->listeners = listeners;
    worker->n_listeners = n;
}

enum hf_err hf_worker_apply(struct hf_worker *worker, const struct hf_plan *plan)
{
    HF_CLEANUP(hf_freep)
    struct hf_listener **listeners = hf_alloc_zero(plan->n_bound, sizeof(struct hf_listener *));
    struct hf_gen *gen = gen_new(plan->snapshot);
    if (!listeners || !gen) {
        hf_gen_unref(gen);
        return HF_E_NOMEM;
    }
    enum hf_err err = HF_OK;
    size_t n = 0;
    for (size_t i = 0; i < plan->n_bound; i++) {
        struct hf_listener *listener = keep_or_make(worker, &plan->bound[i]);
        if (!listener) {
            err = HF_E_IO; /* the others still work; the control thread says so */
            continue;
        }
        listeners[n++] = listener;
    }
    /* Listeners that go take their last connections under the generation that had them. */
    replace_listeners(worker, HF_TAKE(listeners), n);
    struct hf_gen *old = worker->gen;
    worker->gen = gen;
    hf_worker_met_reset(worker); /* another config may want to hear of other certificates */
    hf_worker_learn(worker, plan->ledger, NULL, NULL);
    for (size_t i = 0, at = 0; i < plan->n_bound && at < n; i++) {
        if (hf_addr_eq(&worker->listeners[at]->addr, &plan->bound[i].addr)) {
            worker->listeners[at++]->door = &gen->snapshot->doors[plan->bound[i].door];
        }
    }
    hf_gen_unref(old);
    hf_pool_retire(worker->hub, false);
    return err;
}

const struct hf_revocation *hf_worker_revocation(const struct hf_worker *worker,
                                                 const struct hf_trust *trust)
{
    return trust ? hf_ledger_of(worker->ledger, hf_trust_name(trust)) : NULL;
}

void hf_worker_leave(struct hf_worker *worker)
{
    worker->leaving = true;
}

void hf_worker_drain(struct hf_worker *worker)
{
    worker->leaving = true;
    replace_listeners(worker, NULL, 0);
    hf_loop_post(worker->control, &worker->drained);
    worker->stopping = true;
    hf_pool_retire(worker->hub, true);
    hf_review_rejoin(worker);
    HF_LIST_FOREACH (&worker->sessions, link) {
        hf_down_retire(HF_CONTAINER_OF(link, struct hf_session, link));
    }
    if (worker->n_sessions == 0) {
        hf_loop_stop(worker->loop);
    }
}

void hf_worker_cut(struct hf_worker *worker)
{
    hf_review_rejoin(worker);
    HF_LIST_FOREACH (&worker->sessions, link) {
        hf_session_cut(HF_CONTAINER_OF(link, struct hf_session, link), HF_CAUSE_DRAIN_TIMEOUT);
    }
}

/* --- Life ---------------------------------------------------------------------------------------
 */

enum hf_err hf_worker_new(unsigned index, uint64_t first_id, struct hf_log *log,
                          const struct hf_clock *clock, struct hf_worker **out)
{
    struct hf_worker *worker = HF_NEW(struct hf_worker);
    if (!worker) {
        return HF_E_NOMEM;
    }
    worker->index = index;
    worker->next_id = first_id;
    worker->log = log;
    worker->clock = clock;
    worker->scratch.out = HF_BUF_INIT(SCRATCH_OUT);
    hf_list_init(&worker->sessions);
    hf_list_init(&worker->fallen);
    enum hf_err err = hf_loop_new(clock, &worker->loop);
    if (err == HF_OK) {
        err = hf_resolver_new(worker->loop, NULL, &worker->resolver);
    }
    if (err == HF_OK) {
        err = hf_hub_new(worker, &worker->hub);
    }
    if (err != HF_OK) {
        hf_worker_free(worker);
        return err;
    }
    *out = worker;
    return HF_OK;
}

void hf_worker_free(struct hf_worker *worker)
{
    if (!worker) {
        return;
    }
    for (size_t i = 0; i < worker->n_listeners; i++) {
        hf_free(worker->listeners[i]);
    }
    hf_free(worker->listeners);
    hf_hub_free(worker->hub);
    hf_gen_unref(worker->gen);
    hf_review_free(worker->review);
    hf_worker_met_reset(worker);
    hf_map_done(&worker->kins);
    hf_ledger_unref(worker->ledger);
    hf_resolver_free(worker->resolver);
    hf_loop_free(worker->loop);
    hf_buf_done(&worker->scratch.out);
    hf_free(worker);
}

static void worker_main(void *ctx)
{
    struct hf_worker *worker = ctx;
    if (hf_loop_run(worker->loop) != HF_OK) {
        hf_log_say(worker->log, HF_LOG_ERROR, "worker", "the event loop of worker %u broke: %s",
                   worker->index, hf_err_text());
    }
    hf_loop_post(worker->control, &worker->ended);
}

enum hf_err hf_worker_start(struct hf_worker *worker)
{
    char name[16];
    snprintf(name, sizeof(name), "worker-%u", worker->index);
    return hf_thread_start(&worker->thread, name, worker_main, worker);
}

void hf_worker_join(struct hf_worker *worker)
{
    hf_thread_join(&worker->thread);
}
