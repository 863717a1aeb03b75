// SPDX-License-Identifier: Apache-2.0
#include "proxy/server_check.h"

#include "proxy/snapshot.h"

static struct hf_tls_answer judge(void *conn_ctx, const struct hf_tls_peer *peer)
{
    struct hf_server_check *check = conn_ctx;
    const struct hf_trust *trust = check->server->upstream->trust;
    struct hf_judge_input input = {
        .mode = trust ? HF_CLIENT_REQUIRE : HF_CLIENT_REQUEST_UNVERIFIED,
        .trust = trust,
        .chain = peer->chain,
        .usage = HF_USAGE_SERVER,
        .name = check->server->tls_name,
        .now_s = hf_clock_wall_s(check->clock),
    };
    hf_verdict_judge(&input, &check->verdict);
    check->judged = true;
    return (struct hf_tls_answer){check->verdict.allow, check->verdict.alert};
}

const struct hf_tls_judge hf_server_check_judge = {judge};
