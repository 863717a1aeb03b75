// SPDX-License-Identifier: Apache-2.0
#include "proxy/server_check.h"

#include "config/ledger.h"
#include "proxy/crl_meet.h"
#include "proxy/session_ocsp.h"
#include "proxy/snapshot.h"

static void judge_chain(const struct hf_clock *clock, const struct hf_ledger *ledger,
                        const struct hf_server *server, const struct hf_chain *chain,
                        struct hf_judge_ocsp *ocsp, struct hf_worker *worker,
                        struct hf_notes *notes, struct hf_verdict *out)
{
    const struct hf_trust *trust = server->upstream->trust;
    const struct hf_revocation *revocation =
        trust ? hf_ledger_of(ledger, hf_trust_name(trust)) : NULL;
    struct hf_chain *path HF_CLEANUP(hf_chain_unrefp) = NULL;
    struct hf_judge_input input = {
        .mode = trust ? HF_CLIENT_REQUIRE : HF_CLIENT_REQUEST_UNVERIFIED,
        .trust = trust,
        .chain = chain,
        .usage = HF_USAGE_SERVER,
        .name = server->tls_name,
        .now_s = hf_clock_wall_s(clock),
        .revocation = revocation,
        .ocsp = ocsp,
        .notes = notes,
        .out_path = worker && revocation && revocation->fetches ? &path : NULL,
    };
    if (notes) {
        notes->n = 0;
    }
    if (worker) {
        hf_worker_judge(worker, &input, out);
    } else {
        hf_verdict_judge(&input, out);
    }
    if (path) {
        hf_worker_meet(worker, trust, path);
    }
}

static void begin(struct hf_ocsp_desk *desk, struct hf_judge_ocsp *out)
{
    *out = (struct hf_judge_ocsp){.memory = desk ? hf_ocsp_desk_memory(desk) : NULL};
}

static int64_t list_wait_ms(const struct hf_ledger *ledger, const struct hf_server *server)
{
    return hf_ledger_of(ledger, hf_trust_name(server->upstream->trust))->wait_ms;
}

/* Asks what the verdict would like to know, nobody waiting. */
static void ask(struct hf_ocsp_desk *desk, struct hf_crl_desk *crl_desk, struct hf_loop *loop,
                const struct hf_server *server, struct hf_judge_ocsp *ocsp)
{
    const char *trust = server->upstream->trust ? hf_trust_name(server->upstream->trust) : "";
    if (ocsp->learnt) {
        hf_ocsp_desk_changed(desk);
    }
    if (ocsp->wants.n) { /* without memory it is asked another time; so below */
        (void)!hf_ocsp_desk_ask(desk, loop, trust, &ocsp->wants, NULL);
    }
    if (ocsp->unlisted) {
        (void)!hf_crl_desk_ask(crl_desk, loop, trust, ocsp->unlisted, 0, NULL);
    }
    hf_judge_ocsp_reset(ocsp);
}

void hf_server_check_again(struct hf_worker *worker, const struct hf_server *server,
                           const struct hf_chain *chain, bool may_wait, struct hf_verdict *out)
{
    struct hf_judge_ocsp ocsp;
    begin(worker->desk, &ocsp);
    ocsp.may_wait = may_wait && worker->desk;
    ocsp.may_fetch = may_wait && worker->crl_desk;
    judge_chain(worker->clock, worker->ledger, server, chain, &ocsp, worker, NULL, out);
    ask(worker->desk, worker->crl_desk, worker->loop, server, &ocsp);
}

int64_t hf_server_check_timeout_ms(const struct hf_ledger *ledger, const struct hf_server *server)
{
    const struct hf_trust *trust = server->upstream->trust;
    return hf_revocation_wait_ms(trust ? hf_ledger_of(ledger, hf_trust_name(trust)) : NULL);
}

void hf_server_check_done(struct hf_server_check *check)
{
    hf_desk_wait_cancel(&check->wait);
}

static void on_answer(struct hf_desk_wait *wait)
{
    struct hf_server_check *check = HF_CONTAINER_OF(wait, struct hf_server_check, wait);
    check->resume(check);
}

/* Lists come first: what they answer needs no asking by OCSP. */
static bool wait_for(struct hf_server_check *check, struct hf_judge_ocsp *ocsp)
{
    const char *trust = hf_trust_name(check->server->upstream->trust);
    check->wait.on_answer = on_answer;
    if (ocsp->unlisted) {
        check->asked_for_lists = true;
        return hf_crl_desk_ask(check->crl_desk, check->loop, trust, ocsp->unlisted,
                               list_wait_ms(*check->ledger, check->server), &check->wait) == HF_OK;
    }
    check->asked_responders = true;
    return hf_ocsp_desk_ask(check->desk, check->loop, trust, &ocsp->wants, &check->wait) == HF_OK;
}

static struct hf_tls_answer judge(void *conn_ctx, const struct hf_tls_peer *peer)
{
    struct hf_server_check *check = conn_ctx;
    struct hf_judge_ocsp ocsp;
    if (hf_server_check_waits(check)) {
        return (struct hf_tls_answer){.wait = true};
    }
    begin(check->desk, &ocsp);
    hf_ocsp_take_staples(peer, &ocsp);
    ocsp.may_wait = !peer->resumed && !check->asked_responders && check->desk && check->resume;
    ocsp.may_fetch = !peer->resumed && !check->asked_for_lists && check->crl_desk && check->resume;
    judge_chain(check->clock, *check->ledger, check->server, peer->chain, &ocsp, check->worker,
                &check->notes, &check->verdict);
    if (check->verdict.pending && wait_for(check, &ocsp)) {
        hf_judge_ocsp_reset(&ocsp);
        return (struct hf_tls_answer){.wait = true};
    }
    ask(check->desk, check->crl_desk, check->loop, check->server, &ocsp);
    check->judged = true;
    return (struct hf_tls_answer){check->verdict.allow, check->verdict.alert};
}

const struct hf_tls_judge hf_server_check_judge = {judge};
