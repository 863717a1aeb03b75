// SPDX-License-Identifier: Apache-2.0
/*
 * Between its fall and its burial a session is in the state `linger` and has session->fall: the
 * verdict, with what its notes point into, and when that was. Ten thousand may fall at once, so the
 * texts take the room that they need, where a struct hf_verdict has 0.8 KiB for them: memory that
 * is touched anew costs page faults. Its sockets are still open, and neither is read: the first
 * event of one takes it out of the loop.
 */
#include "proxy/session_fall.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "proxy/http/down.h"
#include "proxy/session_account.h"
#include "proxy/session_impl.h"

struct hf_fall {
    struct hf_link link; /* in worker->fallen */
    struct hf_session *session;
    struct hf_ledger *ledger; /* that the notes point into */
    int64_t at_ms;            /* Unix */
    bool lost;                /* the client's socket broke */
    enum hf_reason reason;
    enum hf_step step;
    enum hf_reason lapse;
    uint8_t alert;
    int depth;
    char *concerns, *text; /* behind the notes */
    size_t n_notes;
    struct hf_note notes[];
};

static int64_t wall_ms(const struct hf_worker *worker)
{
    return worker->clock->wall_ms(worker->clock->ctx);
}

static struct hf_fall *fall_new(struct hf_session *session, const struct hf_verdict *verdict,
                                const struct hf_notes *notes)
{
    size_t notes_len = notes->n * sizeof(notes->note[0]);
    size_t concerns_len = strlen(verdict->concerns) + 1, text_len = strlen(verdict->text) + 1;
    struct hf_fall *fall = hf_alloc(sizeof(*fall) + notes_len + concerns_len + text_len);
    if (!fall) {
        return NULL;
    }
    *fall = (struct hf_fall){.session = session,
                             .ledger = hf_ledger_ref(session->worker->ledger),
                             .at_ms = wall_ms(session->worker),
                             .reason = verdict->reason,
                             .step = verdict->step,
                             .lapse = verdict->lapse,
                             .alert = verdict->alert,
                             .depth = verdict->depth,
                             .concerns = (char *)&fall->notes[notes->n],
                             .n_notes = notes->n};
    fall->text = fall->concerns + concerns_len;
    memcpy(fall->notes, notes->note, notes_len);
    memcpy(fall->concerns, verdict->concerns, concerns_len);
    memcpy(fall->text, verdict->text, text_len);
    return fall;
}

static void fall_verdict(const struct hf_fall *fall, struct hf_verdict *out)
{
    *out = (struct hf_verdict){.reason = fall->reason,
                               .step = fall->step,
                               .lapse = fall->lapse,
                               .alert = fall->alert,
                               .depth = fall->depth};
    snprintf(out->concerns, sizeof(out->concerns), "%s", fall->concerns);
    snprintf(out->text, sizeof(out->text), "%s", fall->text);
}

/* Requests under way have much to undo, and a client whose socket has left the loop isn't told. */
static bool may_wait(const struct hf_session *session)
{
    bool rests = session->fsm.state == HF_SESSION_RELAY ||
                 (session->fsm.state == HF_SESSION_HTTP && !hf_down_busy(session));
    return session->worker->review && session->client.tls && session->client.watch.active && rests;
}

static void fall_now(struct hf_session *session, const struct hf_verdict *verdict,
                     const struct hf_notes *notes)
{
    hf_session_account_cut(session, verdict, notes, session->worker->ledger,
                           wall_ms(session->worker));
    hf_session_log_no_longer(session, verdict);
    hf_session_expel(session);
}

void hf_session_fall(struct hf_session *session, const struct hf_verdict *verdict,
                     const struct hf_notes *notes)
{
    struct hf_leg *client = &session->client;
    struct hf_fall *fall = may_wait(session) ? fall_new(session, verdict, notes) : NULL;
    if (!fall) {
        fall_now(session, verdict, notes);
        return;
    }
    session->fall = fall;
    session->cause = HF_CAUSE_NO_LONGER_ADMITTED;
    hf_list_push(&session->worker->fallen, &fall->link);
    hf_down_leave(session);
    struct hf_tls_io io = {.out = &client->held_out};
    hf_tls_abort(client->tls, &io, session->cut_alert);
    hf_down_close(session, HF_MISHAP_CLIENT_CLOSED);
    fall->lost = hf_session_say_last(session) == HF_MOVE_LOST;
}

void hf_session_fallen_event(struct hf_session *session, struct hf_watch *watch)
{
    struct hf_fall *fall = session->fall;
    if (watch == &session->client.watch && hf_buf_len(&session->client.held_out)) {
        fall->lost = hf_leg_flush(&session->client) == HF_MOVE_LOST;
        if (!fall->lost && hf_buf_len(&session->client.held_out)) {
            return;
        }
    }
    hf_watch_remove(session->worker->loop, watch);
}

void hf_session_tell_fall(struct hf_session *session)
{
    struct hf_fall *fall = HF_TAKE(session->fall);
    if (!fall) {
        return;
    }
    struct hf_verdict verdict;
    struct hf_notes notes;
    notes.n = fall->n_notes;
    memcpy(notes.note, fall->notes, fall->n_notes * sizeof(notes.note[0]));
    fall_verdict(fall, &verdict);
    hf_link_remove(&fall->link);
    hf_session_account_cut(session, &verdict, &notes, fall->ledger, fall->at_ms);
    hf_session_log_no_longer(session, &verdict);
    hf_session_log_end(session, session->cause);
    session->client.n_in = 0; /* now counts what is thrown away */
    hf_ledger_unref(fall->ledger);
    hf_free(fall);
}

void hf_session_bury(struct hf_session *session)
{
    bool lost = session->fall->lost;
    hf_session_tell_fall(session);
    hf_session_drop_server(session);
    if (lost) {
        hf_session_release(session);
    } else if (!session->client.watch.active) {
        hf_session_discard(session, HF_LOOP_READ);
    }
}

struct hf_session *hf_session_first_fallen(struct hf_worker *worker)
{
    return hf_list_empty(&worker->fallen)
               ? NULL
               : HF_CONTAINER_OF(worker->fallen.next, struct hf_fall, link)->session;
}
