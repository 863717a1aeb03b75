// SPDX-License-Identifier: Apache-2.0
#include "proxy/session_account.h"

#include <stdio.h>
#include <string.h>

#include "proxy/recorder.h"

#define COPY(to, text) snprintf((to), sizeof(to), "%s", (text) ? (text) : "")

static void add_tls(struct hf_account *account, struct hf_tls *tls)
{
    struct hf_tls_info info;
    if (!tls) {
        return;
    }
    hf_tls_info(tls, &info);
    COPY(account->sni, info.sni);
    COPY(account->alpn, info.alpn);
    COPY(account->version, info.version);
    COPY(account->suite, info.suite);
    COPY(account->group, info.group);
    account->resumed = info.complete && info.resumed;
    account->alert_sent = info.alert_sent;
    account->alert_received = info.alert_received;
    if (hf_tls_get_peer_ders(tls, &account->ders) != HF_OK) {
        account->ders = NULL; /* the verdict stands; only its account is poorer */
    }
}

static int64_t wall_ms(const struct hf_session *session)
{
    const struct hf_clock *clock = session->worker->clock;
    return clock->wall_ms(clock->ctx);
}

/* A reference is no change of what is shared. */
static struct hf_trust *keep_trust(const struct hf_trust *trust)
{
    return trust ? hf_trust_ref((struct hf_trust *)(uintptr_t)trust) : NULL;
}

void hf_account_add_client(struct hf_account *account, const struct hf_session *session)
{
    struct hf_addr addr;
    const struct hf_door_policy *policy = session->policy;
    account->at_ms = wall_ms(session);
    hf_session_peer(session, &addr);
    hf_addr_format(&addr, account->peer);
    COPY(account->listener, session->door->cfg->name);
    add_tls(account, session->client.tls);
    account->judged = policy != NULL;
    account->mode = policy ? policy->mode : HF_CLIENT_NONE;
    account->trust = keep_trust(policy ? policy->trust : NULL);
    account->identity = session->identity ? hf_identity_ref(session->identity) : NULL;
}

static struct hf_account *begin(const struct hf_session *session, enum hf_account_about about)
{
    struct hf_account *account = session->worker->recorder ? hf_account_new(about) : NULL;
    if (account) {
        account->id = session->id;
    }
    return account;
}

static void add_notes(struct hf_account *account, struct hf_ledger *ledger,
                      const struct hf_notes *notes)
{
    account->notes.n = notes->n;
    memcpy(account->notes.note, notes->note, notes->n * sizeof(notes->note[0]));
    if (notes->n) {
        account->ledger = hf_ledger_ref(ledger);
    }
}

static void add_verdict(struct hf_account *account, const struct hf_verdict *verdict)
{
    account->depth = verdict->depth;
    if (verdict->lapse != HF_REASON_OK) {
        account->lapse = hf_reason_code(verdict->lapse);
    }
}

void hf_session_account_admitted(const struct hf_session *session)
{
    struct hf_account *account = begin(session, HF_ABOUT_HANDSHAKE);
    const struct hf_arrival *arrival = session->arrival;
    if (!account) {
        return;
    }
    bool reported = arrival->verdict.reported;
    account->result = reported ? HF_RESULT_REPORTED : HF_RESULT_ADMITTED;
    account->kind = reported               ? HF_VERDICT_REFUSED
                    : session->vitals_only ? HF_VERDICT_NOISE
                                           : HF_VERDICT_ADMITTED;
    hf_account_set_reason(account, arrival->verdict.reason, arrival->verdict.text);
    hf_account_add_client(account, session);
    add_verdict(account, &arrival->verdict);
    add_notes(account, session->worker->ledger, &arrival->notes);
    hf_recorder_give(session->worker->recorder, account);
}

/* Those who connect and say nothing of use are kept apart: there may be many. */
static bool is_noise(enum hf_reason reason, const struct hf_account *account)
{
    return !account->ders && (reason == HF_REASON_PEER_CLOSED || reason == HF_REASON_NOT_TLS ||
                              reason == HF_REASON_HANDSHAKE_TIMEOUT);
}

void hf_session_account_refused(const struct hf_session *session, const struct hf_denial *refusal)
{
    struct hf_account *account = begin(session, HF_ABOUT_HANDSHAKE);
    const struct hf_arrival *arrival = session->arrival;
    if (!account) {
        return;
    }
    hf_account_set_reason(account, refusal->reason, refusal->text);
    hf_account_add_client(account, session);
    account->kind = is_noise(refusal->reason, account) ? HF_VERDICT_NOISE : HF_VERDICT_REFUSED;
    if (arrival && arrival->judged) {
        add_verdict(account, &arrival->verdict);
        add_notes(account, session->worker->ledger, &arrival->notes);
    }
    hf_recorder_give(session->worker->recorder, account);
}

void hf_session_account_cut(const struct hf_session *session, const struct hf_verdict *verdict,
                            const struct hf_notes *notes, struct hf_ledger *ledger, int64_t at_ms)
{
    struct hf_account *account = begin(session, HF_ABOUT_SESSION);
    if (!account) {
        return;
    }
    account->result = HF_RESULT_CUT;
    hf_account_set_reason(account, verdict->reason, verdict->text);
    hf_account_add_client(account, session);
    account->alert_sent = verdict->alert == HF_ALERT_NONE ? HF_ALERT_ACCESS_DENIED : verdict->alert;
    add_verdict(account, verdict);
    add_notes(account, ledger, notes);
    account->at_ms = at_ms;
    hf_recorder_give(session->worker->recorder, account);
}

void hf_account_give_upstream(struct hf_worker *worker, uint64_t id, const char *listener,
                              struct hf_tls *tls, const struct hf_server_check *check,
                              const struct hf_denial *refusal)
{
    struct hf_account *account = worker->recorder ? hf_account_new(HF_ABOUT_UPSTREAM) : NULL;
    const struct hf_server *server = check->server;
    if (!account) {
        return;
    }
    account->id = id;
    account->at_ms = worker->clock->wall_ms(worker->clock->ctx);
    hf_account_set_reason(account, refusal->reason, refusal->text);
    COPY(account->listener, listener);
    COPY(account->peer, server ? server->cfg->text : NULL);
    add_tls(account, tls);
    account->judged = check->judged;
    account->mode = HF_CLIENT_REQUIRE;
    account->trust = keep_trust(server ? server->upstream->trust : NULL);
    if (account->judged) {
        add_verdict(account, &check->verdict);
        add_notes(account, worker->ledger, &check->notes);
    }
    hf_recorder_give(worker->recorder, account);
}

void hf_session_account_upstream(const struct hf_session *session, const struct hf_denial *refusal)
{
    hf_account_give_upstream(session->worker, session->id, session->door->cfg->name,
                             session->server.tls, &session->arrival->server, refusal);
}
