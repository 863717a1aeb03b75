// SPDX-License-Identifier: Apache-2.0
/* Who asks: the answers of all roles for one client, two bits each. */
#include <string.h>

#include "base/mem.h"
#include "policy/route.h"
#include "policy/route_impl.h"

enum { PER_BYTE = 4 };

static size_t size_of(const struct hf_requester *requester)
{
    return (requester->n_roles + PER_BYTE - 1) / PER_BYTE;
}

static bool is_here(const struct hf_requester *requester)
{
    return size_of(requester) <= sizeof(requester->answers.here);
}

static enum hf_err make_room(struct hf_requester *requester, size_t n_roles)
{
    requester->n_roles = (uint32_t)n_roles;
    if (is_here(requester)) {
        return HF_OK;
    }
    requester->answers.more = hf_alloc_zero(size_of(requester), 1);
    return requester->answers.more ? HF_OK : HF_E_NOMEM;
}

static void pack(struct hf_requester *requester, const enum hf_match *answers)
{
    uint8_t *bits = is_here(requester) ? requester->answers.here : requester->answers.more;
    for (size_t i = 0; i < requester->n_roles; i++) {
        bits[i / PER_BYTE] |= (uint8_t)((unsigned)answers[i] << 2 * (i % PER_BYTE));
    }
}

enum hf_err hf_requester_init(struct hf_requester *requester, const struct hf_route_table *table,
                              const struct hf_identity *identity)
{
    size_t n = hf_roles_count(table->roles);
    *requester = (struct hf_requester){0};
    if (!identity) {
        return HF_OK;
    }
    HF_CLEANUP(hf_freep) enum hf_match *answers = hf_alloc_zero(n + 1, sizeof(*answers));
    if (!answers) {
        return HF_E_NOMEM;
    }
    HF_TRY(hf_roles_judge(table->roles, identity, answers));
    struct hf_requester made = {.verified = true};
    HF_TRY(make_room(&made, n));
    pack(&made, answers);
    *requester = made;
    return HF_OK;
}

void hf_requester_done(struct hf_requester *requester)
{
    if (!is_here(requester)) {
        hf_free(requester->answers.more);
    }
    *requester = (struct hf_requester){0};
}

enum hf_match hf_requester_role(const struct hf_requester *requester, size_t role)
{
    if (!requester->verified) {
        return HF_MATCH_NO;
    }
    if (role >= requester->n_roles) {
        return HF_MATCH_UNKNOWN; /* of another table: nothing is known, and nothing is allowed */
    }
    const uint8_t *bits = is_here(requester) ? requester->answers.here : requester->answers.more;
    return (enum hf_match)((bits[role / PER_BYTE] >> 2 * (role % PER_BYTE)) & 3u);
}

enum hf_match hf_requester_rule(const struct hf_requester *requester,
                                const struct hf_route_table *table, size_t route, enum hf_rule rule)
{
    const struct hf_route_rule *wanted = &table->routes[route].rules[rule];
    if (wanted->anyone || (wanted->verified && requester->verified)) {
        return HF_MATCH_YES;
    }
    return wanted->role == HF_ROLE_NONE ? HF_MATCH_NO : hf_requester_role(requester, wanted->role);
}
