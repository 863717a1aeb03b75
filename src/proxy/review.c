// SPDX-License-Identifier: Apache-2.0
/*
 * Sessions stand in the worker's list in the order in which they were judged: a new one and one
 * that was looked at go to its end. So a review takes them from the front until it meets one of its
 * own epoch, and a session that ends meanwhile is no trouble.
 *
 *      worker->sessions --quick question--> judged: to the end of worker->sessions
 *                            |                     and, if it fell, into worker->fallen
 *                            '--unsure--> review->slow --full verdict--> the same
 *
 * The quick question (proxy/kin.h) costs next to nothing, so all are asked it before any is judged
 * in full, and those who fall are buried in between. Each turn of the loop has TURN_NS of this. A
 * session of which something is heard meanwhile is judged before that is listened to.
 */
#include "proxy/review.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "proxy/http/down.h"
#include "proxy/http/pool.h"
#include "proxy/session_account.h"
#include "proxy/session_fall.h"
#include "proxy/session_impl.h"
#include "proxy/session_judge.h"
#include "proxy/session_ocsp.h"

enum {
    ANSWER_WAY_MS = 100, /* for an answer that came in time to be told */
    TURN_NS = 25 * 1000, /* of one turn of the loop: two or three who fall */
    REST_MS = 1,         /* between turns that only bury, where nothing happens */
    LOG_WAIT_MS = 10,    /* until the log is looked at again that couldn't keep up */
    LOG_WAITS = 100,     /* in a row; then the log's own rule is followed, which drops lines */
};

struct waiter {
    struct waiter *next;
    hf_worker_learned_fn *on_end;
    void *ctx;
    size_t n_before; /* closed by the review before this call came */
};

struct hf_review {
    struct hf_task task;
    struct hf_timer log_timer; /* armed: all are judged, and the log is waited for */
    struct hf_worker *worker;
    struct hf_link slow;    /* sessions that must be judged in full */
    struct waiter *waiters; /* until all are judged */
    size_t n_closed;
    unsigned n_log_waits;
    bool deferred;
};

/* --- One session --------------------------------------------------------------------------------
 */

/* Requests under way may go on for a moment; no other comes in. */
static bool may_drain(const struct hf_session *session)
{
    return session->fsm.state == HF_SESSION_HTTP && session->door->cfg->http.cut_after_ms &&
           hf_down_busy(session);
}

static void drain(struct hf_session *session, const struct hf_verdict *verdict,
                  const struct hf_notes *notes)
{
    const struct hf_worker *worker = session->worker;
    hf_session_account_cut(session, verdict, notes, worker->ledger,
                           worker->clock->wall_ms(worker->clock->ctx));
    hf_session_log_no_longer(session, verdict);
    session->good_until_ms = session->retire_ms = 0;
    session->cut_ms = hf_session_now_ms(session) + session->door->cfg->http.cut_after_ms;
    hf_down_bar(session, verdict->reason);
    hf_session_arm(session);
}

static bool close_session(struct hf_session *session, const struct hf_verdict *verdict,
                          const struct hf_notes *notes)
{
    session->cut_alert = verdict->alert == HF_ALERT_NONE ? HF_ALERT_ACCESS_DENIED : verdict->alert;
    if (may_drain(session)) {
        drain(session, verdict, notes);
    } else {
        hf_session_fall(session, verdict, notes);
    }
    return true;
}

static void internal(struct hf_verdict *out)
{
    *out = (struct hf_verdict){.reason = HF_REASON_INTERNAL,
                               .step = hf_reason_step(HF_REASON_INTERNAL),
                               .alert = HF_ALERT_INTERNAL_ERROR,
                               .depth = -1};
    snprintf(out->text, sizeof(out->text), "the client could not be judged again: %.400s",
             hf_err_text());
}

/* final: what isn't known now isn't waited for. */
static bool review_client(struct hf_session *session, bool final)
{
    struct hf_chain *chain HF_CLEANUP(hf_chain_unrefp) = NULL;
    struct hf_verdict verdict;
    struct hf_judge_ocsp ocsp;
    struct hf_notes notes;
    notes.n = 0;
    if (!session->policy || session->bar) {
        return false; /* nobody asked who it is, or it is out already */
    }
    enum hf_standing standing = hf_session_standing(session, &notes, &verdict);
    if (standing != HF_STANDING_UNSURE) {
        return standing == HF_STANDING_FALLEN && close_session(session, &verdict, &notes);
    }
    notes.n = 0;
    if (hf_tls_get_peer_chain(session->client.tls, &chain) == HF_OK) {
        hf_session_ocsp_begin(session, NULL, !final, &ocsp);
        hf_session_judge_chain(session, chain, &ocsp, &notes, &verdict);
        hf_session_ocsp_end(session, &ocsp);
    } else {
        internal(&verdict);
    }
    if (verdict.pending) {
        hf_session_ask_and_see(session);
        return false;
    }
    session->asked_until_ms = 0;
    if (!verdict.allow) {
        return close_session(session, &verdict, &notes);
    }
    hf_session_judged(session, &verdict);
    return false;
}

static bool review_upstream(struct hf_session *session)
{
    struct hf_chain *chain HF_CLEANUP(hf_chain_unrefp) = NULL;
    struct hf_verdict verdict;
    if (!session->server.tls || !session->upstream || session->fsm.state != HF_SESSION_RELAY) {
        return false;
    }
    int64_t now_ms = hf_session_now_ms(session);
    bool final = session->server_until_ms && now_ms >= session->server_until_ms;
    if (hf_tls_get_peer_chain(session->server.tls, &chain) == HF_OK) {
        hf_server_check_again(session->worker, session->upstream, chain, !final, &verdict);
    } else {
        internal(&verdict);
    }
    if (verdict.pending) {
        if (!session->server_until_ms) {
            session->server_until_ms =
                now_ms + hf_server_check_timeout_ms(session->worker->ledger, session->upstream) +
                ANSWER_WAY_MS;
            hf_session_arm(session);
        }
        return false;
    }
    session->server_until_ms = 0;
    if (verdict.allow) {
        return false;
    }
    hf_session_log_no_longer(session, &verdict);
    hf_session_finish_with_alert(session, HF_CAUSE_UPSTREAM_NO_LONGER_TRUSTED,
                                 HF_ALERT_INTERNAL_ERROR);
    return true;
}

bool hf_session_review_client(struct hf_session *session)
{
    session->unsure = false;
    return review_client(session, true);
}

bool hf_session_review(struct hf_session *session)
{
    hf_session_at_epoch(session);
    if (session->cut_ms) {
        return false; /* it ends already, and was counted */
    }
    if (session->fsm.state <= HF_SESSION_HANDSHAKE) {
        session->unsure = true; /* it may have been judged before the handshake's end */
        return false;
    }
    return session->fsm.state < HF_SESSION_LINGER &&
           (review_client(session, hf_session_has_asked(session)) || review_upstream(session));
}

bool hf_review_first(struct hf_session *session)
{
    struct hf_review *review = session->worker->review;
    if (!review || session->epoch == session->worker->epoch || !hf_session_review(session)) {
        return false;
    }
    review->n_closed++;
    return true;
}

/* --- The quick question -------------------------------------------------------------------------
 */

/* By what its own certificate says. */
static bool is_named(const struct hf_session *session)
{
    const struct hf_worker *worker = session->worker;
    const struct hf_denylist *deny = hf_ledger_denylist(worker->ledger);
    const struct hf_deny_entry *entry = NULL;
    return deny && session->identity &&
           (hf_denylist_find(deny, session->identity, hf_clock_wall_s(worker->clock), &entry) !=
                HF_OK ||
            entry);
}

/* Whether one that is being judged in full may be so later. *out_fell: it was judged, and fell. */
static bool may_be_slow(struct hf_session *session, bool *out_fell)
{
    struct hf_verdict verdict;
    struct hf_notes notes = {.n = 0};
    bool relays = session->fsm.state > HF_SESSION_HANDSHAKE &&
                  session->fsm.state < HF_SESSION_LINGER && !session->cut_ms;
    if (!relays) {
        return false;
    }
    if (session->policy && !session->bar) {
        enum hf_standing standing = hf_session_standing(session, &notes, &verdict);
        if (standing == HF_STANDING_FALLEN) {
            hf_session_at_epoch(session);
            *out_fell = close_session(session, &verdict, &notes);
            return false;
        }
        if (standing == HF_STANDING_UNSURE) {
            return !is_named(session);
        }
    }
    return session->server.tls != NULL;
}

/* One from the front of the worker's list. */
static void look_at(struct hf_review *review, struct hf_session *session)
{
    bool fell = false;
    if (may_be_slow(session, &fell)) {
        session->epoch = 0; /* whatever was found: it is to be judged in full */
        hf_link_remove(&session->link);
        hf_list_push(&review->slow, &session->link);
    } else if (!fell && session->epoch != session->worker->epoch) {
        fell = hf_session_review(session);
    }
    review->n_closed += fell ? 1 : 0;
}

/* --- All of them --------------------------------------------------------------------------------
 */

/* All are judged, and those who fell are cut. */
static void tell(struct hf_review *review)
{
    while (review->waiters) {
        struct waiter *waiter = review->waiters;
        review->waiters = waiter->next;
        waiter->on_end(waiter->ctx, review->n_closed - waiter->n_before);
        hf_free(waiter);
    }
}

static void end(struct hf_review *review)
{
    hf_timer_cancel(&review->log_timer);
    review->worker->review = NULL;
    hf_free(review);
}

static bool is_late(const struct hf_worker *worker, int64_t until_ns)
{
    return hf_clock_mono_ns(worker->clock) >= until_ns;
}

/* The front of the worker's list, unless it was judged by what is known now. */
static struct hf_session *next_session(struct hf_worker *worker)
{
    if (hf_list_empty(&worker->sessions)) {
        return NULL;
    }
    struct hf_session *session = HF_CONTAINER_OF(worker->sessions.next, struct hf_session, link);
    return session->epoch == worker->epoch ? NULL : session;
}

/* True: all have been. */
static bool look_at_some(struct hf_review *review, int64_t until_ns)
{
    struct hf_session *session;
    while ((session = next_session(review->worker))) {
        look_at(review, session);
        if (is_late(review->worker, until_ns)) {
            return false;
        }
    }
    return true;
}

/* Of the slow ones, at least one. */
static void judge_some(struct hf_review *review, int64_t until_ns)
{
    while (!hf_list_empty(&review->slow)) {
        struct hf_session *session = HF_CONTAINER_OF(review->slow.next, struct hf_session, link);
        review->n_closed += hf_session_review(session) ? 1 : 0;
        if (is_late(review->worker, until_ns)) {
            return;
        }
    }
}

/* As far as the log keeps up. */
static void bury_some(struct hf_review *review, int64_t until_ns)
{
    struct hf_session *session;
    bool patient = review->n_log_waits < LOG_WAITS;
    while ((session = hf_session_first_fallen(review->worker)) &&
           !(patient && hf_log_behind(review->worker->log))) {
        review->n_log_waits = 0;
        hf_session_bury(session);
        if (is_late(review->worker, until_ns)) {
            return;
        }
    }
}

static void go_on(struct hf_review *review);

static void on_turn(struct hf_task *task)
{
    struct hf_review *review = HF_CONTAINER_OF(task, struct hf_review, task);
    review->deferred = false;
    go_on(review);
}

static void on_log_timer(struct hf_timer *timer)
{
    struct hf_review *review = HF_CONTAINER_OF(timer, struct hf_review, log_timer);
    review->n_log_waits++;
    go_on(review);
}

static void in_next_turn(struct hf_review *review)
{
    if (!review->deferred) {
        review->deferred = true;
        hf_loop_defer(review->worker->loop, &review->task);
        hf_thread_yield(); /* to clients and servers of this machine, and to the log */
    }
}

/* The review's part of this turn; it may be over afterwards, and gone. */
static void go_on(struct hf_review *review)
{
    struct hf_worker *worker = review->worker;
    int64_t now_ns = hf_clock_mono_ns(worker->clock);
    if (!look_at_some(review, now_ns + TURN_NS)) {
        in_next_turn(review);
        return;
    }
    bury_some(review, now_ns + TURN_NS / 2);
    judge_some(review, now_ns + TURN_NS);
    if (review->deferred) {
        return;
    }
    if (!hf_list_empty(&review->slow)) {
        in_next_turn(review);
        return;
    }
    tell(review);
    if (hf_list_empty(&worker->fallen)) {
        end(review);
    } else if (hf_log_behind(worker->log)) {
        hf_timer_set(worker->loop, &review->log_timer, LOG_WAIT_MS);
    } else {
        in_next_turn(review);
        hf_loop_rest(worker->loop, REST_MS);
    }
}

void hf_review_rejoin(struct hf_worker *worker)
{
    while (worker->review && !hf_list_empty(&worker->review->slow)) {
        struct hf_link *last = worker->review->slow.prev;
        hf_link_remove(last);
        hf_list_push(worker->sessions.next, last);
    }
}

static enum hf_err wait_for(struct hf_review *review, hf_worker_learned_fn *on_end, void *ctx,
                            size_t n_before)
{
    struct waiter *waiter = HF_NEW(struct waiter);
    if (!waiter) {
        return HF_E_NOMEM;
    }
    *waiter = (struct waiter){review->waiters, on_end, ctx, n_before};
    review->waiters = waiter;
    return HF_OK;
}

/* The review that is under way, or a new one. NULL: out of memory. */
static struct hf_review *review_of(struct hf_worker *worker)
{
    if (!worker->review) {
        worker->review = HF_NEW(struct hf_review);
        if (worker->review) {
            worker->review->worker = worker;
            worker->review->task.run = on_turn;
            worker->review->log_timer.on_due = on_log_timer;
            hf_list_init(&worker->review->slow);
        }
    }
    return worker->review;
}

/* Without a review, all at once. */
static size_t review_all(struct hf_worker *worker)
{
    struct hf_session *session;
    size_t n_closed = 0;
    while ((session = next_session(worker))) {
        n_closed += hf_session_review(session) ? 1 : 0;
    }
    return n_closed;
}

void hf_worker_learn(struct hf_worker *worker, struct hf_ledger *ledger,
                     hf_worker_learned_fn *on_end, void *ctx)
{
    struct hf_ledger *old = worker->ledger;
    worker->ledger = hf_ledger_ref(ledger);
    hf_ledger_unref(old);
    hf_review_rejoin(worker);
    worker->epoch++;
    hf_pool_retire(worker->hub, false);
    if (hf_list_empty(&worker->sessions) && !worker->review) {
        if (on_end) {
            on_end(ctx, 0);
        }
        return;
    }
    struct hf_review *review = review_of(worker);
    size_t before = review ? review->n_closed : 0;
    if (!review || (on_end && wait_for(review, on_end, ctx, before) != HF_OK)) {
        size_t n_closed = review_all(worker); /* without memory: late is worse than slow */
        if (on_end) {
            on_end(ctx, n_closed);
        }
        return;
    }
    go_on(review);
}

/* The loop that holds its task is gone. */
void hf_review_free(struct hf_review *review)
{
    while (review && review->waiters) {
        struct waiter *waiter = review->waiters;
        review->waiters = waiter->next;
        hf_free(waiter);
    }
    hf_free(review);
}
