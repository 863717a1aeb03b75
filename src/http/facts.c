// SPDX-License-Identifier: Apache-2.0
/* What of the facts may be told: asked by every spelling, decided here. */
#include "http/facts.h"

const struct hf_identity *hf_facts_peer(const struct hf_facts *facts)
{
    return facts->verified || facts->tell_unverified ? facts->identity : NULL;
}

const struct hf_identity *hf_facts_names(const struct hf_facts *facts)
{
    const struct hf_identity *peer = hf_facts_peer(facts);
    return peer && !peer->mangled ? peer : NULL;
}

static const char *first(const struct hf_names_list *list)
{
    return list->n ? list->name[0] : NULL;
}

struct hf_peer_id hf_facts_id(const struct hf_facts *facts)
{
    const struct hf_identity *peer = hf_facts_peer(facts);
    const struct hf_identity *names = hf_facts_names(facts);
    if (!peer) {
        return (struct hf_peer_id){NULL, NULL};
    }
    struct hf_peer_id ids[] = {
        {"", names ? names->spiffe : NULL},
        {"dn:", names && *names->subject ? names->subject : NULL},
        {"dns:", names ? first(&names->dns) : NULL},
        {"email:", names ? first(&names->email) : NULL},
        {"uri:", names ? first(&names->uri) : NULL},
        {"cert-sha256:", peer->sha256},
    };
    size_t i = 0;
    while (!ids[i].name) {
        i++;
    }
    return ids[i];
}
