// SPDX-License-Identifier: Apache-2.0
/*
 * Sessions stand in the worker's list in the order in which they were judged: a new one and one
 * that was looked at go to its end. So a review takes them from the front until it meets one of its
 * own epoch, and a session that ends meanwhile is no trouble.
 */
#include "proxy/review.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "proxy/http/down.h"
#include "proxy/http/pool.h"
#include "proxy/session_account.h"
#include "proxy/session_impl.h"
#include "proxy/session_judge.h"
#include "proxy/session_ocsp.h"

enum { TURN = 64 /* sessions judged in one turn of the loop */ };

struct waiter {
    struct waiter *next;
    hf_worker_learned_fn *on_end;
    void *ctx;
    size_t n_before; /* closed by the review before this call came */
};

struct hf_review {
    struct hf_task task;
    struct hf_worker *worker;
    struct waiter *waiters;
    size_t n_closed;
    bool posted;
};

/* --- One session --------------------------------------------------------------------------------
 */

/* Requests under way may go on for a moment; no other comes in. */
static bool drains(struct hf_session *session, const struct hf_verdict *verdict)
{
    int64_t drain_ms = session->door->cfg->http.cut_after_ms;
    if (session->fsm.state != HF_SESSION_HTTP || !drain_ms || !hf_down_busy(session)) {
        return false;
    }
    session->good_until_ms = session->retire_ms = 0;
    session->cut_ms = hf_session_now_ms(session) + drain_ms;
    hf_down_bar(session, verdict->reason);
    hf_session_arm(session);
    return true;
}

static bool close_session(struct hf_session *session, const struct hf_verdict *verdict,
                          const struct hf_notes *notes)
{
    hf_session_log_no_longer(session, verdict);
    hf_session_account_cut(session, verdict, notes);
    session->cut_alert = verdict->alert == HF_ALERT_NONE ? HF_ALERT_ACCESS_DENIED : verdict->alert;
    if (!drains(session, verdict)) {
        hf_session_expel(session);
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
        hf_session_ocsp_begin(session, (struct hf_bytes){0}, false, !final, &ocsp);
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
    if (hf_tls_get_peer_chain(session->server.tls, &chain) == HF_OK) {
        hf_server_check_again(session->worker, session->upstream, chain, &verdict);
    } else {
        internal(&verdict);
    }
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

/* --- All of them --------------------------------------------------------------------------------
 */

static void end(struct hf_review *review)
{
    review->worker->review = NULL;
    while (review->waiters) {
        struct waiter *waiter = review->waiters;
        review->waiters = waiter->next;
        waiter->on_end(waiter->ctx, review->n_closed - waiter->n_before);
        hf_free(waiter);
    }
    hf_free(review);
}

/* Looks at some from the front of the list; true: at all. */
static bool review_some(struct hf_worker *worker, size_t most, size_t *n_closed)
{
    for (size_t i = 0; i < most; i++) {
        if (hf_list_empty(&worker->sessions)) {
            return true;
        }
        struct hf_session *session =
            HF_CONTAINER_OF(worker->sessions.next, struct hf_session, link);
        if (session->epoch == worker->epoch) {
            return true;
        }
        *n_closed += hf_session_review(session) ? 1 : 0;
    }
    return false;
}

static void on_turn(struct hf_task *task)
{
    struct hf_review *review = HF_CONTAINER_OF(task, struct hf_review, task);
    review->posted = false;
    if (review_some(review->worker, TURN, &review->n_closed)) {
        end(review);
        return;
    }
    review->posted = true;
    hf_loop_post(review->worker->loop, &review->task);
}

/* Those whom the deny list names by what their own certificate says. */
static size_t cut_denied(struct hf_worker *worker)
{
    const struct hf_denylist *deny = hf_ledger_denylist(worker->ledger);
    size_t n = 0;
    if (!deny || hf_denylist_count(deny) == 0) {
        return 0;
    }
    int64_t now_s = hf_clock_wall_s(worker->clock);
    HF_LIST_FOREACH (&worker->sessions, link) {
        struct hf_session *session = HF_CONTAINER_OF(link, struct hf_session, link);
        const struct hf_deny_entry *entry = NULL;
        bool named = session->identity && session->epoch != worker->epoch &&
                     (hf_denylist_find(deny, session->identity, now_s, &entry) != HF_OK || entry);
        n += named && hf_session_review(session) ? 1 : 0;
    }
    return n;
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
        }
    }
    return worker->review;
}

void hf_worker_learn(struct hf_worker *worker, struct hf_ledger *ledger,
                     hf_worker_learned_fn *on_end, void *ctx)
{
    struct hf_ledger *old = worker->ledger;
    worker->ledger = hf_ledger_ref(ledger);
    hf_ledger_unref(old);
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
        size_t n_closed = 0; /* without memory all at once: late is worse than slow */
        (void)review_some(worker, SIZE_MAX, &n_closed);
        if (on_end) {
            on_end(ctx, n_closed);
        }
        return;
    }
    review->n_closed += cut_denied(worker);
    if (!review->posted) {
        review->posted = true;
        hf_loop_post(worker->loop, &review->task);
    }
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
