// SPDX-License-Identifier: Apache-2.0
#include "policy/revocation_stands.h"

#include <stdio.h>

#include "policy/revocation_impl.h"

/* Another source than those below has the last word: it must be asked in full. */
static bool asks_others(const struct hf_revocation *revocation)
{
    return revocation->ocsp != NULL;
}

/* The same words as a moment ago. */
static bool recall(const struct hf_standing_memo *memo, const struct hf_deny_entry *entry,
                   int64_t now_s, struct hf_notes *notes, struct hf_verdict *out)
{
    if (!memo || memo->entry != entry || memo->now_s != now_s) {
        return false;
    }
    *out = memo->verdict;
    hf_note_add(notes, memo->note);
    return true;
}

static void remember(struct hf_standing_memo *memo, const struct hf_deny_entry *entry,
                     int64_t now_s, const struct hf_notes *notes, const struct hf_verdict *verdict)
{
    if (memo && notes && notes->n) {
        *memo = (struct hf_standing_memo){entry, now_s, *verdict, notes->note[notes->n - 1]};
    }
}

static enum hf_standing by_deny_list(const struct hf_revocation *revocation,
                                     const struct hf_identity *identity, int depth, int64_t now_s,
                                     struct hf_standing_memo *memo, struct hf_notes *notes,
                                     struct hf_verdict *out)
{
    const struct hf_deny_entry *entry = NULL;
    if (revocation->deny && hf_denylist_find(revocation->deny, identity, now_s, &entry) != HF_OK) {
        return HF_STANDING_UNSURE;
    }
    if (!entry) {
        return HF_STANDING_GOOD;
    }
    if (!recall(memo, entry, now_s, notes, out)) {
        *out = (struct hf_verdict){.depth = -1};
        (void)hf_revocation_refuse_denied(entry, depth, now_s, notes, out);
        remember(memo, entry, now_s, notes, out);
    }
    snprintf(out->concerns, sizeof(out->concerns), "%s", identity->subject);
    return HF_STANDING_FALLEN;
}

/* What a CA that tells at once has revoked is told in full. */
static bool is_revoked_now(const struct hf_revocation *revocation, const struct hf_serial *serial,
                           const struct hf_cert *issuer)
{
    return revocation->live &&
           hf_live_find(revocation->live, issuer->spki_sha256, serial, NULL) >= HF_LIVE_REVOKED;
}

static enum hf_standing by_lists(const struct hf_revoked_result *result,
                                 const struct hf_identity *identity, int depth,
                                 struct hf_notes *notes, struct hf_verdict *out, int64_t *until)
{
    if (result->answer == HF_REVOKED_GOOD) {
        *until = result->fresh_until < *until ? result->fresh_until : *until;
        return HF_STANDING_GOOD;
    }
    if (result->answer != HF_REVOKED_REVOKED) {
        return HF_STANDING_UNSURE;
    }
    *out = (struct hf_verdict){.depth = -1};
    snprintf(out->concerns, sizeof(out->concerns), "%s", identity->subject);
    (void)hf_revocation_refuse_listed(result, depth, notes, out);
    return HF_STANDING_FALLEN;
}

static enum hf_standing one_above(const struct hf_revocation *revocation,
                                  const struct hf_chain *above, size_t at, int64_t now_s,
                                  struct hf_notes *notes, struct hf_verdict *out, int64_t *until)
{
    struct hf_identity *identity = NULL;
    if (hf_identity_new(above->certs[at], &identity) != HF_OK) {
        return HF_STANDING_UNSURE;
    }
    int depth = (int)at + 1;
    bool is_root = at + 1 == above->n_certs;
    enum hf_standing standing = by_deny_list(revocation, identity, depth, now_s, NULL, notes, out);
    if (standing == HF_STANDING_GOOD && revocation->live && !is_root &&
        hf_live_check(revocation->live, above->certs[at], above->certs[at + 1], NULL) >=
            HF_LIVE_REVOKED) {
        standing = HF_STANDING_UNSURE;
    }
    if (standing == HF_STANDING_GOOD && revocation->lists && !is_root) {
        struct hf_revoked_result result;
        hf_revoked_check(revocation->lists, above->certs[at], above->certs[at + 1], now_s, &result);
        standing = by_lists(&result, identity, depth, notes, out, until);
    }
    hf_identity_unref(identity);
    return standing;
}

enum hf_standing hf_revocation_standing_above(const struct hf_revocation *revocation,
                                              const struct hf_chain *above, int64_t now_s,
                                              struct hf_notes *notes, struct hf_verdict *out,
                                              int64_t *out_until)
{
    int64_t until = INT64_MAX;
    enum hf_standing standing = asks_others(revocation) ? HF_STANDING_UNSURE : HF_STANDING_GOOD;
    for (size_t i = 0; i < above->n_certs && standing == HF_STANDING_GOOD; i++) {
        standing = one_above(revocation, above, i, now_s, notes, out, &until);
    }
    *out_until = until;
    return standing;
}

enum hf_standing hf_revocation_standing_leaf(const struct hf_revocation *revocation,
                                             const struct hf_identity *leaf,
                                             const struct hf_cert *issuer, int64_t now_s,
                                             struct hf_standing_memo *memo, struct hf_notes *notes,
                                             struct hf_verdict *out, int64_t *out_until)
{
    struct hf_revoked_result result;
    struct hf_serial serial;
    *out_until = INT64_MAX;
    if (asks_others(revocation)) {
        return HF_STANDING_UNSURE;
    }
    enum hf_standing standing = by_deny_list(revocation, leaf, 0, now_s, memo, notes, out);
    if (standing != HF_STANDING_GOOD || !(revocation->lists || revocation->live)) {
        return standing;
    }
    if (hf_serial_from_hex(leaf->serial, &serial) != HF_OK ||
        is_revoked_now(revocation, &serial, issuer)) {
        return HF_STANDING_UNSURE;
    }
    if (!revocation->lists) {
        return HF_STANDING_GOOD;
    }
    if (!hf_revoked_check_leaf(revocation->lists, &serial, issuer, now_s, &result)) {
        return HF_STANDING_UNSURE;
    }
    return by_lists(&result, leaf, 0, notes, out, out_until);
}
