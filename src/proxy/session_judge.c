// SPDX-License-Identifier: Apache-2.0
#include "proxy/session_judge.h"

static struct hf_tls_answer judge_client(void *conn_ctx, const struct hf_tls_peer *peer)
{
    struct hf_session *session = conn_ctx;
    const struct hf_door_policy *policy = peer->policy->tag;
    struct hf_judge_input input = {
        .mode = policy->mode,
        .trust = policy->trust,
        .chain = peer->chain,
        .usage = HF_USAGE_CLIENT,
        .now_s = hf_clock_wall_s(session->worker->clock),
    };
    struct hf_verdict *verdict = &session->arrival->verdict;
    hf_verdict_judge(&input, verdict);
    session->arrival->judged = true;
    return (struct hf_tls_answer){verdict->allow, verdict->alert};
}

const struct hf_tls_judge hf_session_judge_client = {judge_client};

void hf_session_expect_nobody(struct hf_session *session)
{
    session->arrival->verdict = (struct hf_verdict){
        .allow = true, .reason = HF_REASON_OK, .alert = HF_ALERT_NONE, .depth = -1};
}

bool hf_session_admitted(const struct hf_session *session)
{
    if (session->arrival->judged) {
        return session->arrival->verdict.allow;
    }
    struct hf_tls_info info;
    hf_tls_info(session->client.tls, &info);
    return !info.asked;
}

void hf_session_take_identity(struct hf_session *session)
{
    struct hf_chain *chain HF_CLEANUP(hf_chain_unrefp) = NULL;
    if (session->identity || !session->client.tls ||
        hf_tls_get_peer_chain(session->client.tls, &chain) != HF_OK || !chain) {
        return;
    }
    if (hf_identity_new(chain->certs[0], &session->identity) != HF_OK) {
        session->identity = NULL; /* the verdict stands; only the log is poorer */
    }
}

void hf_session_count_accepted(const struct hf_session *session)
{
    const struct hf_door_metrics *metrics = &session->door->metrics;
    unsigned shard = session->worker->index;
    struct hf_tls_info info;
    hf_tls_info(session->client.tls, &info);
    hf_series_add(metrics->accepted, shard, 1);
    if (info.resumed) {
        hf_series_add(metrics->resumed, shard, 1);
    }
    int64_t took = hf_clock_mono_ns(session->worker->clock) - session->arrival->accepted_ns;
    hf_series_observe(metrics->handshake_seconds, shard, took > 0 ? (uint64_t)took / 1000 : 0);
}

static bool heard_anything(const struct hf_session *session)
{
    struct hf_tls_info info;
    hf_tls_info(session->client.tls, &info);
    return info.version || info.sni || hf_buf_len(&session->client.held_in);
}

const char *hf_session_timeout_text(const struct hf_session *session)
{
    return heard_anything(session) ? "the client did not finish the handshake in time"
                                   : "the client connected and sent no whole ClientHello in time";
}

const char *hf_session_closed_text(const struct hf_session *session)
{
    return heard_anything(session) ? "the client closed the connection during the handshake"
                                   : "the client closed the connection before a whole ClientHello";
}
