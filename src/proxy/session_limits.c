// SPDX-License-Identifier: Apache-2.0
/* Connections of one client: by address as soon as that is known, by identity when the certificate
 * was found good. Given back at the session's end. */
#include <stdio.h>

#include "proxy/client_limits.h"
#include "proxy/session_judge.h"

enum { BY_ADDRESS, BY_IDENTITY };

/* Counted once for a connection, whatever is judged again. */
static bool count_by(struct hf_session *session, size_t by, unsigned max,
                     const struct hf_limit_key *key)
{
    struct hf_tally *tally = session->door->state->limits.connections;
    return session->tallies[by] ||
           hf_tally_add(tally, hf_limit_key_bytes(key), max, &session->tallies[by]) == HF_OK;
}

bool hf_session_take_address(struct hf_session *session)
{
    unsigned max = session->door->cfg->limits.connections_per_address;
    struct hf_limit_key key;
    struct hf_addr peer;
    if (!max) {
        return true;
    }
    hf_session_peer(session, &peer);
    hf_limit_place_of(&peer, &key);
    return count_by(session, BY_ADDRESS, max, &key);
}

static bool take_identity_place(struct hf_session *session, const struct hf_chain *chain)
{
    unsigned max = session->door->cfg->limits.connections_per_identity;
    struct hf_identity *identity = NULL;
    struct hf_limit_key key;
    if (!max) {
        return true;
    }
    if (hf_identity_new(chain->certs[0], &identity) != HF_OK) {
        return false;
    }
    hf_limit_identity_of(identity, &key);
    hf_identity_unref(identity);
    return count_by(session, BY_IDENTITY, max, &key);
}

void hf_session_take_identity_place(struct hf_session *session, const struct hf_chain *chain,
                                    struct hf_verdict *verdict)
{
    if (!verdict->allow || !verdict->verified || take_identity_place(session, chain)) {
        return;
    }
    verdict->allow = false;
    verdict->reason = HF_REASON_CONNECTION_LIMIT;
    verdict->step = hf_reason_step(verdict->reason);
    verdict->alert = hf_reason_alert(verdict->reason);
    snprintf(verdict->text, sizeof(verdict->text),
             "the client has connections-per-identity open already");
}
