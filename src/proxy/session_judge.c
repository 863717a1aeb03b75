// SPDX-License-Identifier: Apache-2.0
#include "proxy/session_judge.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#include "proxy/crl_meet.h"
#include "proxy/kin.h"
#include "proxy/reports.h"
#include "proxy/session_impl.h"
#include "proxy/session_ocsp.h"

bool hf_session_may_probe(const struct hf_session *session, const struct hf_cfg_probes *probes)
{
    struct hf_addr peer;
    hf_session_peer(session, &peer);
    for (size_t i = 0; probes && i < probes->n_from; i++) {
        if (hf_cidr_contains(&probes->from[i], &peer)) {
            return true;
        }
    }
    return false;
}

/* Those above a client that was found good in full, and whom nothing else would let in; nobody's
 * where a fallback let it pass. */
static void take_kin(struct hf_session *session, const struct hf_chain *path,
                     const struct hf_verdict *verdict)
{
    enum hf_client_mode mode = session->policy->mode;
    bool strict = mode == HF_CLIENT_REQUIRE || mode == HF_CLIENT_REQUEST;
    bool good = path && strict && verdict->allow && verdict->verified && !verdict->vitals_only &&
                verdict->lapse == HF_REASON_OK && !session->policy->report_only &&
                !hf_session_may_probe(session, session->policy->probes);
    hf_kin_unref(session->worker, session->kin);
    session->kin = good ? hf_kin_of(session->worker, session->policy->trust, path) : NULL;
    session->expires_at = verdict->expires_at;
}

void hf_session_judge_chain(struct hf_session *session, const struct hf_chain *chain,
                            struct hf_judge_ocsp *ocsp, struct hf_notes *notes,
                            struct hf_verdict *out)
{
    const struct hf_door_policy *policy = session->policy;
    const struct hf_revocation *revocation = hf_worker_revocation(session->worker, policy->trust);
    struct hf_chain *path HF_CLEANUP(hf_chain_unrefp) = NULL;
    struct hf_judge_input input = {
        .mode = policy->mode,
        .trust = policy->trust,
        .chain = chain,
        .usage = HF_USAGE_CLIENT,
        .now_s = hf_clock_wall_s(session->worker->clock),
        .vitals = hf_session_may_probe(session, policy->probes),
        .revocation = revocation,
        .ocsp = ocsp,
        .out_path = &path,
        .notes = notes,
        .report_only = policy->report_only,
    };
    if (notes) {
        notes->n = 0;
    }
    hf_worker_judge(session->worker, &input, out);
    if (path && revocation && revocation->fetches) {
        hf_worker_meet(session->worker, policy->trust, path);
    }
    take_kin(session, path, out);
}

void hf_session_at_epoch(struct hf_session *session)
{
    session->epoch = session->worker->epoch;
    hf_link_remove(&session->link);
    hf_list_push(&session->worker->sessions, &session->link);
}

/* When its connection is told to end, as its chain soon does. */
static int64_t retire_at(const struct hf_session *session, const struct hf_verdict *verdict)
{
    const struct hf_cfg_listener *cfg = session->door->cfg;
    int64_t drain_ms = cfg->mode == HF_MODE_HTTP ? cfg->http.expiry_drain_ms : 0;
    if (!drain_ms || !verdict->verified || verdict->expires_at == INT64_MAX) {
        return 0;
    }
    int64_t left_s = verdict->expires_at - hf_clock_wall_s(session->worker->clock);
    int64_t in_ms = left_s < INT32_MAX ? left_s * 1000 - drain_ms : INT32_MAX;
    return hf_loop_now_ms(session->worker->loop) + (in_ms > 0 ? in_ms : 1);
}

/* The clocks may jump: what is armed here is only when to look again, not what is then found. */
void hf_session_judged(struct hf_session *session, const struct hf_verdict *verdict)
{
    enum { LOOK_AGAIN_MAX_S = 7 * 86400 };
    hf_session_at_epoch(session);
    session->good_until_ms = 0;
    session->retire_ms = retire_at(session, verdict);
    session->vitals_only = verdict->vitals_only;
    if (verdict->not_after > 0 && verdict->not_after < INT64_MAX) {
        int64_t left = verdict->not_after - hf_clock_wall_s(session->worker->clock);
        left = left < 0 ? 0 : left > LOOK_AGAIN_MAX_S ? LOOK_AGAIN_MAX_S : left;
        session->good_until_ms = hf_loop_now_ms(session->worker->loop) + (left + 1) * 1000;
    }
    hf_session_arm(session); /* a quiet session may have no timer any more */
}

enum hf_standing hf_session_standing(struct hf_session *session, struct hf_notes *notes,
                                     struct hf_verdict *out)
{
    int64_t now_s = hf_clock_wall_s(session->worker->clock), until = 0;
    if (!session->kin || !session->identity || now_s < session->identity->not_before ||
        session->expires_at <= now_s) {
        return HF_STANDING_UNSURE;
    }
    enum hf_standing standing = hf_kin_standing(session->worker, session->kin, session->identity,
                                                now_s, notes, out, &until);
    if (standing == HF_STANDING_GOOD) {
        *out = (struct hf_verdict){
            .allow = true,
            .verified = true,
            .not_after = until < session->expires_at ? until : session->expires_at,
            .expires_at = session->expires_at,
        };
        hf_session_judged(session, out);
    }
    return standing;
}

/* Lets a refused client complete its handshake where it is to be shown why. A ticket isn't worth
 * that: without it the client shows its certificate of today. */
static bool bar(struct hf_session *session, const struct hf_tls_peer *peer,
                const struct hf_verdict *verdict)
{
    hf_free(HF_TAKE(session->bar));
    if (!session->policy->page || peer->resumed || !hf_verdict_is_about_certificate(verdict)) {
        return false;
    }
    session->bar = HF_NEW(struct hf_bar);
    if (session->bar) {
        session->bar->reason = verdict->reason;
        snprintf(session->bar->text, sizeof(session->bar->text), "%s", verdict->text);
    }
    return session->bar != NULL;
}

void hf_session_ask_and_see(struct hf_session *session)
{
    hf_session_at_epoch(session);
    if (!session->asked_until_ms) {
        session->asked_until_ms =
            hf_loop_now_ms(session->worker->loop) + hf_session_ocsp_timeout_ms(session) + 100;
    }
    session->good_until_ms = session->asked_until_ms;
    hf_session_arm(session);
}

bool hf_session_has_asked(const struct hf_session *session)
{
    return session->asked_until_ms &&
           hf_loop_now_ms(session->worker->loop) >= session->asked_until_ms;
}

static struct hf_tls_answer judge_client(void *conn_ctx, const struct hf_tls_peer *peer)
{
    struct hf_session *session = conn_ctx;
    const struct hf_door_policy *policy = peer->policy->tag;
    struct hf_verdict *verdict = &session->arrival->verdict;
    struct hf_judge_ocsp ocsp;
    session->policy = policy;
    if (hf_session_ocsp_waits(session)) {
        return (struct hf_tls_answer){.wait = true};
    }
    hf_session_ocsp_begin(session, peer, !peer->resumed, &ocsp);
    hf_session_judge_chain(session, peer->chain, &ocsp, &session->arrival->notes, verdict);
    if (verdict->pending && hf_session_ocsp_wait(session, &ocsp, hf_session_go_on)) {
        return (struct hf_tls_answer){.wait = true};
    }
    hf_session_ocsp_end(session, &ocsp);
    hf_session_judged(session, verdict);
    session->arrival->judged = true;
    hf_session_take_identity_place(session, peer->chain, verdict);
    return (struct hf_tls_answer){verdict->allow || bar(session, peer, verdict), verdict->alert};
}

const struct hf_tls_judge hf_session_judge_client = {judge_client};

void hf_session_expect_nobody(struct hf_session *session)
{
    session->arrival->verdict = (struct hf_verdict){
        .allow = true, .reason = HF_REASON_OK, .alert = HF_ALERT_NONE, .depth = -1};
}

bool hf_session_admitted(const struct hf_session *session)
{
    const struct hf_verdict *verdict = &session->arrival->verdict;
    if (session->arrival->judged) {
        bool required = session->policy->mode == HF_CLIENT_REQUIRE;
        return verdict->allow &&
               (!required || verdict->verified || verdict->vitals_only || verdict->reported);
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

void hf_session_report(const struct hf_session *session)
{
    const struct hf_verdict *verdict = &session->arrival->verdict;
    const struct hf_identity *identity = session->identity;
    struct hf_series *series = session->door->metrics.reported[verdict->reason];
    char peer[HF_ADDR_TEXT_SIZE], host[HF_ADDR_TEXT_SIZE];
    struct hf_addr addr;
    hf_session_peer(session, &addr);
    hf_addr_format(&addr, peer);
    snprintf(host, sizeof(host), "%.*s", (int)(strrchr(peer, ':') ? strrchr(peer, ':') - peer : 0),
             peer);
    const struct hf_report report = {
        .listener = session->door->cfg->name,
        .client = identity  ? hf_identity_display(identity)
                  : host[0] ? host
                            : peer,
        .serial = identity ? identity->serial : NULL,
        .peer = peer,
        .text = verdict->text,
        .reason = verdict->reason,
        .id = session->id,
        .at_s = hf_clock_wall_s(session->worker->clock),
    };
    if (series) {
        hf_series_add(series, session->worker->index, 1);
    }
    hf_reports_add(session->worker->reports, &report);
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
