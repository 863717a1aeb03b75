// SPDX-License-Identifier: Apache-2.0
#include "proxy/session_ocsp.h"

#include "base/mem.h"
#include "policy/revocation.h"
#include "proxy/ocsp_desk.h"

struct hf_session_wait {
    struct hf_ocsp_wait wait;
    struct hf_session *session;
    void (*resume)(struct hf_session *session);
};

static const char *trust_of(const struct hf_session *session)
{
    const struct hf_trust *trust = session->policy ? session->policy->trust : NULL;
    return trust ? hf_trust_name(trust) : NULL;
}

void hf_session_ocsp_begin(const struct hf_session *session, struct hf_bytes staple, bool first,
                           bool may_wait, struct hf_judge_ocsp *out)
{
    struct hf_ocsp_desk *desk = session->worker->desk;
    *out = (struct hf_judge_ocsp){
        .memory = desk ? hf_ocsp_desk_memory(desk) : NULL,
        .staple = staple,
        .first = first,
        .may_wait = may_wait && desk,
    };
}

void hf_session_ocsp_end(struct hf_session *session, struct hf_judge_ocsp *ocsp)
{
    struct hf_worker *worker = session->worker;
    const char *trust = trust_of(session);
    if (ocsp->learnt) {
        hf_ocsp_desk_changed(worker->desk);
    }
    if (ocsp->wants.n && trust) { /* without memory it is asked another time */
        (void)!hf_ocsp_desk_ask(worker->desk, worker->loop, trust, &ocsp->wants, NULL);
    }
    hf_ocsp_wants_done(&ocsp->wants);
}

static void on_answer(struct hf_ocsp_wait *wait)
{
    struct hf_session_wait *waiting = HF_CONTAINER_OF(wait, struct hf_session_wait, wait);
    waiting->resume(waiting->session);
}

bool hf_session_ocsp_wait(struct hf_session *session, struct hf_judge_ocsp *ocsp,
                          void (*resume)(struct hf_session *session))
{
    struct hf_worker *worker = session->worker;
    struct hf_session_wait *waiting = HF_NEW(struct hf_session_wait);
    const char *trust = trust_of(session);
    if (!waiting || !trust || session->wait) {
        hf_free(waiting);
        return false;
    }
    *waiting = (struct hf_session_wait){{.on_answer = on_answer}, session, resume};
    if (hf_ocsp_desk_ask(worker->desk, worker->loop, trust, &ocsp->wants, &waiting->wait) !=
        HF_OK) {
        hf_free(waiting);
        return false;
    }
    session->wait = waiting;
    return true;
}

bool hf_session_ocsp_waits(const struct hf_session *session)
{
    return session->wait && session->wait->wait.call;
}

bool hf_session_ocsp_waited(const struct hf_session *session)
{
    return session->wait && !session->wait->wait.call;
}

void hf_session_ocsp_done(struct hf_session *session)
{
    if (session->wait) {
        hf_ocsp_wait_cancel(&session->wait->wait);
        hf_free(HF_TAKE(session->wait));
    }
}

int64_t hf_session_ocsp_timeout_ms(const struct hf_session *session)
{
    const struct hf_revocation *revocation =
        hf_worker_revocation(session->worker, session->policy ? session->policy->trust : NULL);
    return revocation && revocation->ocsp ? revocation->ocsp->timeout_ms : 0;
}
