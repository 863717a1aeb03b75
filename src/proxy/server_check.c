// SPDX-License-Identifier: Apache-2.0
#include "proxy/server_check.h"

#include "config/ledger.h"
#include "proxy/crl_meet.h"
#include "proxy/snapshot.h"

static void judge_chain(const struct hf_clock *clock, const struct hf_ledger *ledger,
                        const struct hf_server *server, const struct hf_chain *chain,
                        struct hf_worker *worker, struct hf_verdict *out)
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
        .out_path = worker && revocation && revocation->fetches ? &path : NULL,
    };
    hf_verdict_judge(&input, out);
    if (path) {
        hf_worker_meet(worker, trust, path);
    }
}

void hf_server_check_chain(const struct hf_clock *clock, const struct hf_ledger *ledger,
                           const struct hf_server *server, const struct hf_chain *chain,
                           struct hf_verdict *out)
{
    judge_chain(clock, ledger, server, chain, NULL, out);
}

static struct hf_tls_answer judge(void *conn_ctx, const struct hf_tls_peer *peer)
{
    struct hf_server_check *check = conn_ctx;
    judge_chain(check->clock, *check->ledger, check->server, peer->chain, check->worker,
                &check->verdict);
    check->judged = true;
    return (struct hf_tls_answer){check->verdict.allow, check->verdict.alert};
}

const struct hf_tls_judge hf_server_check_judge = {judge};
