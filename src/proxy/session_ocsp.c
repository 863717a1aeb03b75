// SPDX-License-Identifier: Apache-2.0
#include "proxy/session_ocsp.h"

#include "base/mem.h"
#include "policy/revocation.h"
#include "proxy/crl_desk.h"
#include "proxy/crl_meet.h"
#include "proxy/ocsp_desk.h"

struct hf_session_wait {
    struct hf_desk_wait desk;
    const char *what;                       /* is waited for */
    bool asked_responders, asked_for_lists; /* in this handshake: once is enough */
    struct hf_session *session;
    void (*resume)(struct hf_session *session);
};

static const char *trust_of(const struct hf_session *session)
{
    const struct hf_trust *trust = session->policy ? session->policy->trust : NULL;
    return trust ? hf_trust_name(trust) : NULL;
}

static const struct hf_revocation *revocation_of(const struct hf_session *session)
{
    return hf_worker_revocation(session->worker, session->policy ? session->policy->trust : NULL);
}

void hf_ocsp_take_staples(const struct hf_tls_peer *peer, struct hf_judge_ocsp *out)
{
    out->staple = peer->staple;
    out->ca_staples = peer->ca_staples;
    out->sent = peer->chain;
    out->first = !peer->resumed;
}

void hf_session_ocsp_begin(const struct hf_session *session, const struct hf_tls_peer *peer,
                           bool may_wait, struct hf_judge_ocsp *out)
{
    struct hf_ocsp_desk *desk = session->worker->desk;
    const struct hf_session_wait *wait = session->wait;
    *out = (struct hf_judge_ocsp){
        .memory = desk ? hf_ocsp_desk_memory(desk) : NULL,
        .may_wait = may_wait && desk && !(wait && wait->asked_responders),
        .may_fetch = may_wait && session->worker->crl_desk && !(wait && wait->asked_for_lists),
    };
    if (peer) {
        hf_ocsp_take_staples(peer, out);
    }
}

/* Without memory it is asked another time. */
void hf_session_ocsp_end(struct hf_session *session, struct hf_judge_ocsp *ocsp)
{
    struct hf_worker *worker = session->worker;
    const char *trust = trust_of(session);
    if (ocsp->learnt) {
        hf_ocsp_desk_changed(worker->desk);
    }
    if (ocsp->wants.n && trust) {
        (void)!hf_ocsp_desk_ask(worker->desk, worker->loop, trust, &ocsp->wants, NULL);
    }
    if (ocsp->unlisted && trust &&
        hf_crl_desk_ask(worker->crl_desk, worker->loop, trust, ocsp->unlisted, 0, NULL) != HF_OK) {
        hf_worker_met_reset(worker);
    }
    hf_judge_ocsp_reset(ocsp);
}

static void on_answer(struct hf_desk_wait *desk)
{
    struct hf_session_wait *wait = HF_CONTAINER_OF(desk, struct hf_session_wait, desk);
    wait->resume(wait->session);
}

static struct hf_session_wait *wait_of(struct hf_session *session)
{
    if (!session->wait) {
        session->wait = HF_NEW(struct hf_session_wait);
    }
    return session->wait;
}

/* Lists come first: what they answer needs no asking by OCSP. */
static enum hf_err ask(struct hf_session *session, struct hf_judge_ocsp *ocsp, const char *trust,
                       struct hf_session_wait *waiting)
{
    struct hf_worker *worker = session->worker;
    if (ocsp->unlisted) {
        HF_TRY(hf_crl_desk_ask(worker->crl_desk, worker->loop, trust, ocsp->unlisted,
                               revocation_of(session)->wait_ms, &waiting->desk));
        waiting->asked_for_lists = true;
        waiting->what = "a revocation list";
    } else {
        HF_TRY(hf_ocsp_desk_ask(worker->desk, worker->loop, trust, &ocsp->wants, &waiting->desk));
        waiting->asked_responders = true;
        waiting->what = "an answer by OCSP";
    }
    hf_judge_ocsp_reset(ocsp);
    return HF_OK;
}

bool hf_session_ocsp_wait(struct hf_session *session, struct hf_judge_ocsp *ocsp,
                          void (*resume)(struct hf_session *session))
{
    const char *trust = trust_of(session);
    struct hf_session_wait *waiting = trust ? wait_of(session) : NULL;
    if (!waiting || hf_session_ocsp_waits(session)) {
        return false;
    }
    waiting->desk.on_answer = on_answer;
    waiting->session = session;
    waiting->resume = resume;
    return ask(session, ocsp, trust, waiting) == HF_OK;
}

const char *hf_session_ocsp_waits(const struct hf_session *session)
{
    const struct hf_session_wait *wait = session->wait;
    return wait && wait->desk.call ? wait->what : NULL;
}

void hf_session_ocsp_done(struct hf_session *session)
{
    if (session->wait) {
        hf_desk_wait_cancel(&session->wait->desk);
        hf_free(HF_TAKE(session->wait));
    }
}

int64_t hf_session_ocsp_timeout_ms(const struct hf_session *session)
{
    return hf_revocation_wait_ms(revocation_of(session));
}
