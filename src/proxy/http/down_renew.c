// SPDX-License-Identifier: Apache-2.0
/*
 * A connection outlives reloads; what a client may do doesn't. Before each request the connection
 * is brought to the worker's generation: the client's chain is judged again, by the same verdict,
 * as the listener of the same name now asks, and rules see it with the roles of now. (That a
 * verdict no longer holds by itself, by date or revocation, is proxy/review.c's to find out.)
 *
 * Who is no longer let in is answered 403, and the connection ends. Where the listener is gone,
 * what was begun goes on as it was, and the connection ends after the next request.
 */
#include <string.h>

#include "proxy/http/down_impl.h"
#include "proxy/session_impl.h"
#include "proxy/session_judge.h"
#include "proxy/session_ocsp.h"

static const struct hf_door *door_named(const struct hf_snapshot *snapshot, const char *name)
{
    for (size_t i = 0; i < snapshot->n_doors; i++) {
        const struct hf_door *door = &snapshot->doors[i];
        if (strcmp(door->cfg->name, name) == 0 && door->cfg->mode == HF_MODE_HTTP) {
            return door;
        }
    }
    return NULL;
}

static size_t policy_of(const struct hf_session *session, const struct hf_door *door)
{
    struct hf_tls_info info = {0};
    if (session->client.tls) {
        hf_tls_info(session->client.tls, &info);
    }
    return info.sni ? hf_route_table_door(door->cfg->route_table, hf_bytes_str(info.sni)) : 0;
}

/* Who the client is to the rules of a generation. */
static enum hf_err meet(struct hf_down *down)
{
    const struct hf_session *session = down->session;
    struct hf_requester requester;
    HF_TRY(hf_requester_init(&requester, down->door->cfg->route_table,
                             session->verified ? session->identity : NULL));
    hf_requester_done(&down->requester);
    down->requester = requester;
    down->policy = policy_of(session, down->door);
    return hf_down_meet(down);
}

enum hf_err hf_down_know(struct hf_down *down)
{
    down->barred = down->session->bar ? down->session->bar->reason : HF_REASON_OK;
    down->gen = hf_gen_ref(down->session->gen);
    down->door = down->session->door;
    return meet(down);
}

/* Asks the one verdict, as the handshake did. */
static bool judge(struct hf_down *down, const struct hf_door *door)
{
    struct hf_session *session = down->session;
    struct hf_chain *chain HF_CLEANUP(hf_chain_unrefp) = NULL;
    struct hf_verdict verdict;
    struct hf_judge_ocsp ocsp;
    if (door->cfg->plain != !session->client.tls) {
        down->barred = HF_REASON_NO_ROUTE;
        return false;
    }
    if (!session->client.tls) {
        return true;
    }
    if (hf_tls_get_peer_chain(session->client.tls, &chain) != HF_OK) {
        down->barred = HF_REASON_INTERNAL;
        return false;
    }
    session->policy = &door->policies[policy_of(session, door)];
    hf_session_ocsp_begin(session, NULL, !hf_session_has_asked(session), &ocsp);
    hf_session_judge_chain(session, chain, &ocsp, NULL, &verdict);
    hf_session_ocsp_end(session, &ocsp);
    if (verdict.pending) {
        hf_session_ask_and_see(session);
        hf_session_arm(session);
        return true;
    }
    if (!verdict.allow) {
        down->barred = verdict.reason;
        return false;
    }
    session->verified = verdict.verified;
    hf_session_judged(session, &verdict);
    return true;
}

static void renew(struct hf_down *down)
{
    struct hf_gen *gen = down->session->worker->gen;
    const struct hf_door *door = door_named(gen->snapshot, down->door->cfg->name);
    if (!door) {
        down->retiring = true;
        return;
    }
    bool in = judge(down, door);
    hf_gen_unref(down->gen);
    down->gen = hf_gen_ref(gen); /* where the session's policy is, too */
    down->door = door;
    if (!in) {
        down->retiring = true;
    } else if (meet(down) != HF_OK) {
        down->barred = HF_REASON_INTERNAL;
        down->retiring = true;
    }
}

void hf_down_renew(struct hf_down *down)
{
    if (down->session->bar) { /* whoever has mended its certificate comes on another connection */
        down->retiring = true;
    }
    if (down->gen != down->session->worker->gen && !down->retiring) {
        renew(down);
    }
}
