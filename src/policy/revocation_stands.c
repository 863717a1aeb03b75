// SPDX-License-Identifier: Apache-2.0
#include "policy/revocation_stands.h"

/* Another source than the two below has the last word: it must be asked in full. */
static bool asks_others(const struct hf_revocation *revocation)
{
    return revocation->ocsp != NULL;
}

static bool is_denied(const struct hf_revocation *revocation, const struct hf_identity *identity,
                      int64_t now_s)
{
    const struct hf_deny_entry *entry = NULL;
    return revocation->deny &&
           (hf_denylist_find(revocation->deny, identity, now_s, &entry) != HF_OK || entry);
}

/* What a CA that tells at once has revoked. */
static bool is_revoked_now(const struct hf_revocation *revocation, const struct hf_serial *serial,
                           const struct hf_cert *issuer)
{
    return revocation->live &&
           hf_live_find(revocation->live, issuer->spki_sha256, serial, NULL) == HF_LIVE_REVOKED;
}

static bool take(const struct hf_revoked_result *result, int64_t *until)
{
    if (result->answer == HF_REVOKED_GOOD && result->fresh_until < *until) {
        *until = result->fresh_until;
    }
    return result->answer == HF_REVOKED_GOOD;
}

static bool stands(const struct hf_revocation *revocation, const struct hf_chain *above, size_t at,
                   int64_t now_s, int64_t *until)
{
    struct hf_identity *identity = NULL;
    if (hf_identity_new(above->certs[at], &identity) != HF_OK) {
        return false;
    }
    bool denied = is_denied(revocation, identity, now_s);
    hf_identity_unref(identity);
    if (denied || at + 1 == above->n_certs) {
        return !denied;
    }
    if (revocation->live && hf_live_check(revocation->live, above->certs[at], above->certs[at + 1],
                                          NULL) == HF_LIVE_REVOKED) {
        return false;
    }
    if (!revocation->lists) {
        return true;
    }
    struct hf_revoked_result result;
    hf_revoked_check(revocation->lists, above->certs[at], above->certs[at + 1], now_s, &result);
    return take(&result, until);
}

bool hf_revocation_stands_above(const struct hf_revocation *revocation,
                                const struct hf_chain *above, int64_t now_s, int64_t *out_until)
{
    int64_t until = INT64_MAX;
    if (asks_others(revocation)) {
        return false;
    }
    for (size_t i = 0; i < above->n_certs; i++) {
        if (!stands(revocation, above, i, now_s, &until)) {
            return false;
        }
    }
    *out_until = until;
    return true;
}

bool hf_revocation_stands_leaf(const struct hf_revocation *revocation,
                               const struct hf_identity *leaf, const struct hf_cert *issuer,
                               int64_t now_s, int64_t *out_until)
{
    int64_t until = INT64_MAX;
    struct hf_revoked_result result;
    struct hf_serial serial;
    if (asks_others(revocation) || is_denied(revocation, leaf, now_s)) {
        return false;
    }
    if ((revocation->lists || revocation->live) &&
        hf_serial_from_hex(leaf->serial, &serial) != HF_OK) {
        return false;
    }
    if (is_revoked_now(revocation, &serial, issuer)) {
        return false;
    }
    if (revocation->lists &&
        (!hf_revoked_check_leaf(revocation->lists, &serial, issuer, now_s, &result) ||
         !take(&result, &until))) {
        return false;
    }
    *out_until = until;
    return true;
}
