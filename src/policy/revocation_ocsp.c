// SPDX-License-Identifier: Apache-2.0
/*
 * One certificate by OCSP: the answer that came with it, or the one that is remembered, whichever
 * is newer; where neither is fresh, a question. An answer that says revoked counts at any age, one
 * that says good only while it is fresh.
 *
 *     staple -> checked, remembered \
 *                                    > the newest known -> fresh? -> good, revoked, unknown
 *     memory ----------------------/                    -> no    -> wait | fall back
 *
 * In use, an answer is asked for anew before it ends, without anybody waiting: the verdict is due
 * again at that moment, which is what asks.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "pki/dn.h"
#include "policy/revocation_impl.h"

enum {
    AGAIN_S = 5,     /* a failed question is not put again sooner ... */
    LOOK_MAX_S = 60, /* while an answer is due for renewal, it is looked at this often, ... */
    LOOK_MIN_S = 2,  /* ... and no oftener */
    TEXT_MAX = 160,
};

void hf_ocsp_wants_done(struct hf_ocsp_wants *wants)
{
    for (size_t i = 0; i < wants->n; i++) {
        hf_cert_unref(wants->want[i].cert);
        hf_cert_unref(wants->want[i].issuer);
    }
    wants->n = 0;
}

void hf_judge_ocsp_reset(struct hf_judge_ocsp *ocsp)
{
    hf_ocsp_wants_done(&ocsp->wants);
    hf_chain_unref(HF_TAKE(ocsp->unlisted));
    ocsp->lacks_list = false;
}

/* What is known of the certificate of a case. */
struct knowledge {
    struct hf_ocsp_key key;
    struct hf_ocsp_recall recall;
    struct hf_ocsp_aged aged;  /* with recall.known */
    enum hf_reason bad_staple; /* why the one that came doesn't count; OK: it does, or none came */
    char why[HF_OCSP_WHY_MAX];
};

static struct hf_cert *cert_of(const struct hf_ocsp_case *c)
{
    return c->path->certs[c->at];
}

static struct hf_cert *issuer_of(const struct hf_ocsp_case *c)
{
    return c->path->certs[c->at + 1];
}

static void note(const struct hf_ocsp_case *c, const struct hf_ocsp_known *known, int64_t age_s,
                 const char *answer, bool passed)
{
    if (!c->notes) {
        return;
    }
    struct hf_note note = {.source = known && known->stapled ? "staple" : "ocsp",
                           .answer = answer,
                           .depth = (int)c->at,
                           .age_s = age_s,
                           .passed = passed};
    snprintf(note.by, sizeof(note.by), "%s", known && !known->stapled ? known->from : "");
    hf_note_add(c->notes, note);
}

/* --- The staple ---------------------------------------------------------------------------------
 */

static enum hf_reason reason_of(enum hf_err err)
{
    return err == HF_E_PEER ? HF_REASON_OCSP_NO_STAPLE : HF_REASON_OCSP_UNTRUSTED;
}

/* What came with the certificate, as the peer sent it; empty: nothing did. */
static struct hf_bytes staple_of(const struct hf_ocsp_case *c)
{
    const struct hf_judge_ocsp *ocsp = c->ocsp;
    if (c->at == 0) {
        return ocsp->staple;
    }
    for (size_t i = 1; ocsp->ca_staples && i < ocsp->sent->n_certs; i++) {
        if (memcmp(ocsp->sent->certs[i]->sha256, cert_of(c)->sha256, HF_SHA256_SIZE) == 0) {
            return ocsp->ca_staples[i];
        }
    }
    return hf_bytes_of(NULL, 0);
}

static enum hf_err read_staple(const struct hf_ocsp_case *c, struct hf_ocsp_known **out)
{
    struct hf_ocsp_answer *answer HF_CLEANUP(hf_ocsp_answer_unrefp) = NULL;
    const struct hf_ocsp_origin origin = {.from = "stapled", .got_at = c->now_s, .stapled = true};
    HF_TRY(hf_ocsp_answer_read(staple_of(c), &answer));
    return hf_ocsp_known_new(answer, cert_of(c), issuer_of(c), &origin, out);
}

static bool is_same(const struct hf_ocsp_known *known, struct hf_bytes staple)
{
    uint8_t sha256[HF_SHA256_SIZE];
    hf_hash_once(HF_HASH_SHA256, staple, sha256);
    return known && memcmp(known->sha256, sha256, sizeof(sha256)) == 0;
}

/* The peer's answer becomes knowledge like any other; one that was shown before costs a hash. One
 * that is overruled by what is known was shown all the same: what is known decides. */
static void take_staple(const struct hf_ocsp_case *c, struct knowledge *k)
{
    struct hf_ocsp_known *known HF_CLEANUP(hf_ocsp_known_unrefp) = NULL;
    if (is_same(k->recall.known, staple_of(c))) {
        return;
    }
    enum hf_err err = read_staple(c, &known);
    if (err == HF_OK) {
        err = hf_ocsp_memory_put(c->ocsp->memory, &k->key, known, &c->ocsp->learnt);
        err = err == HF_E_MISMATCH ? HF_OK : err;
    }
    if (err != HF_OK) {
        k->bad_staple = reason_of(err);
        snprintf(k->why, sizeof(k->why), "%s", hf_err_text());
        note(c, known, -1, "untrusted", c->revocation->ocsp->staple != HF_STAPLE_REQUIRE);
        return;
    }
    hf_ocsp_recall_done(&k->recall);
    (void)hf_ocsp_memory_get(c->ocsp->memory, &k->key, &k->recall);
}

static bool has_staple(const struct hf_ocsp_case *c)
{
    return c->revocation->ocsp->staple != HF_STAPLE_IGNORE && staple_of(c).len;
}

/* Everything that is known; to be emptied with hf_ocsp_recall_done(&out->recall). */
static void recall(const struct hf_ocsp_case *c, struct knowledge *out)
{
    *out = (struct knowledge){.bad_staple = HF_REASON_OK};
    if (!c->ocsp || !c->ocsp->memory) {
        return;
    }
    hf_ocsp_key_of(cert_of(c), issuer_of(c), &out->key);
    (void)hf_ocsp_memory_get(c->ocsp->memory, &out->key, &out->recall);
    if (has_staple(c)) {
        take_staple(c, out);
    }
    if (out->recall.known) {
        hf_ocsp_known_at(out->recall.known, c->now_s, &c->revocation->ocsp->dates, &out->aged);
    }
}

/* --- What an answer says ------------------------------------------------------------------------
 */

static const char *by_text(const struct hf_ocsp_known *known, char *out, size_t size)
{
    if (known->stapled) {
        snprintf(out, size, "the OCSP answer that the peer showed");
    } else {
        snprintf(out, size, "the OCSP responder %.100s", known->from);
    }
    return out;
}

static bool refuse_revoked(const struct hf_ocsp_case *c, const struct knowledge *k,
                           struct hf_verdict *out)
{
    const struct hf_ocsp_known *known = k->recall.known;
    char by[TEXT_MAX], at[HF_REVOCATION_DATE_SIZE], age[32];
    bool held = known->said.why == HF_REVOKED_FOR_HOLD;
    int depth = (int)c->at;
    hf_revocation_date(known->said.revoked_at, at);
    hf_format_duration(k->aged.age_s > 0 ? k->aged.age_s * 1000 : 0, age, sizeof(age));
    note(c, known, k->aged.age_s, held ? "on-hold" : "revoked", false);
    hf_revocation_concern(cert_of(c), out);
    return hf_revocation_refuse(out, held ? HF_REASON_ON_HOLD : HF_REASON_REVOKED, depth,
                                "%s was %s at %s (%s), says %s, %s old", hf_revocation_whose(depth),
                                held ? "put on hold" : "revoked", at,
                                hf_revoked_for_name(known->said.why),
                                by_text(known, by, sizeof(by)), age);
}

/* A delegated signer without ocsp-nocheck is itself held against what is known at hand. */
static bool signer_is_good(const struct hf_ocsp_case *c, const struct hf_ocsp_known *known)
{
    const struct hf_revocation *revocation = c->revocation;
    struct hf_identity *identity = NULL;
    const struct hf_deny_entry *entry = NULL;
    if (!known->signer) {
        return true;
    }
    if (revocation->deny) {
        enum hf_err err = hf_identity_new(known->signer, &identity);
        err = err == HF_OK ? hf_denylist_find(revocation->deny, identity, c->now_s, &entry) : err;
        hf_identity_unref(identity);
        if (err != HF_OK || entry) {
            return false;
        }
    }
    struct hf_revoked_result result = {.answer = HF_REVOKED_GOOD};
    if (revocation->lists && !known->signer_unchecked) {
        hf_revoked_check(revocation->lists, known->signer, issuer_of(c), c->now_s, &result);
    }
    return result.answer != HF_REVOKED_REVOKED;
}

/* --- What should be asked -----------------------------------------------------------------------
 */

static void want(const struct hf_ocsp_case *c, const struct knowledge *k)
{
    struct hf_ocsp_wants *wants = &c->ocsp->wants;
    if (wants->n < HF_OCSP_WANTS_MAX) {
        wants->want[wants->n++] = (struct hf_ocsp_want){k->key, hf_cert_ref(cert_of(c)),
                                                        hf_cert_ref(issuer_of(c)), k->recall.stamp};
    }
}

static bool may_ask(const struct hf_ocsp_case *c, const struct knowledge *k)
{
    int64_t since = c->now_s - k->recall.failed_at;
    return c->ocsp && c->ocsp->memory && c->revocation->ocsp->asks &&
           (!k->recall.failed_at || since >= AGAIN_S || since < 0);
}

/* When a fresh answer is asked for anew: at half its time, or after refresh_s; a little earlier for
 * some than for others, by their key. */
static int64_t due_at(const struct hf_ocsp_case *c, const struct knowledge *k)
{
    const struct hf_ocsp_known *known = k->recall.known;
    int64_t half = known->got_at + (k->aged.fresh_until - known->got_at) / 2;
    int64_t due = known->got_at + c->revocation->ocsp->refresh_s;
    due = half < due ? half : due;
    return due - (due - known->got_at) * k->key.hash[1] / 1024; /* up to a quarter */
}

static void hold_until(struct hf_verdict *out, int64_t at)
{
    out->not_after = at < out->not_after ? at : out->not_after;
}

static void renew(const struct hf_ocsp_case *c, const struct knowledge *k, struct hf_verdict *out)
{
    int64_t due = due_at(c, k);
    hold_until(out, k->aged.fresh_until);
    if (!c->revocation->ocsp->asks) {
        return;
    }
    if (due > c->now_s) {
        hold_until(out, due);
        return;
    }
    int64_t left = (k->aged.fresh_until - c->now_s) / 4, refresh = c->revocation->ocsp->refresh_s;
    left = left > refresh ? refresh : left; /* when the next answer is due in its turn */
    left = left > LOOK_MAX_S ? LOOK_MAX_S : left < LOOK_MIN_S ? LOOK_MIN_S : left;
    hold_until(out, c->now_s + left);
    if (may_ask(c, k)) {
        want(c, k);
    }
}

/* --- No answer ----------------------------------------------------------------------------------
 */

static enum hf_reason lapse_of(const struct hf_ocsp_case *c, const struct knowledge *k)
{
    if (k->recall.known) {
        return k->aged.age == HF_OCSP_NOT_YET ? HF_REASON_OCSP_NOT_YET
               : k->aged.age == HF_OCSP_STALE ? HF_REASON_OCSP_STALE
                                              : HF_REASON_OCSP_UNTRUSTED;
    }
    if (k->recall.failed_at) {
        return k->recall.reason;
    }
    return c->revocation->ocsp->asks                   ? HF_REASON_OCSP_UNREACHABLE
           : k->bad_staple == HF_REASON_OCSP_UNTRUSTED ? HF_REASON_OCSP_UNTRUSTED
                                                       : HF_REASON_OCSP_MISSING;
}

static void explain(const struct hf_ocsp_case *c, const struct knowledge *k, enum hf_reason reason,
                    struct hf_verdict *out)
{
    int depth = (int)c->at;
    char by[TEXT_MAX], age[32], issuer[TEXT_MAX];
    char why[HF_OCSP_WHY_MAX + 64];
    snprintf(why, sizeof(why), "%s%s",
             !k->recall.failed_at && k->why[0] ? "the one that the peer showed doesn't count: "
                                               : "",
             k->recall.failed_at ? k->recall.why : k->why);
    const char *whose = hf_revocation_whose(depth);
    hf_revocation_concern(cert_of(c), out);
    switch (reason) {
    case HF_REASON_OCSP_STALE:
        hf_format_duration(k->aged.stale_s * 1000, age, sizeof(age));
        (void)hf_revocation_refuse(out, reason, depth,
                                   "%s about %s went out of date %s ago%s%.200s",
                                   by_text(k->recall.known, by, sizeof(by)), whose, age,
                                   why[0] ? ", and no other came: " : "", why);
        return;
    case HF_REASON_OCSP_NOT_YET:
        (void)hf_revocation_refuse(
            out, reason, depth, "%s about %s begins in the future: is this machine's clock right?",
            by_text(k->recall.known, by, sizeof(by)), whose);
        return;
    case HF_REASON_OCSP_MISSING:
        hf_dn_text(X509_get_issuer_name(cert_of(c)->x509), issuer, sizeof(issuer));
        (void)hf_revocation_refuse(out, reason, depth,
                                   "nobody could be asked by OCSP about %s of %s: %.200s", whose,
                                   issuer,
                                   why[0] ? why
                                          : "the peer showed no answer, and the trust "
                                            "has neither a responder nor "
                                            "from-certificates");
        return;
    default:
        (void)hf_revocation_refuse(out, reason, depth, "there is no OCSP answer about %s: %.240s",
                                   whose,
                                   why[0]                               ? why
                                   : reason == HF_REASON_OCSP_UNTRUSTED ? "the one that is known "
                                                                          "is not to our question, "
                                                                          "or its signer is revoked"
                                   : !c->ocsp                           ? "nobody is asked here"
                                                                        : "it has not come yet");
    }
}

static enum hf_ocsp_outcome fall_back(const struct hf_ocsp_case *c, const struct knowledge *k,
                                      struct hf_verdict *out)
{
    const struct hf_ocsp_policy *policy = c->revocation->ocsp;
    enum hf_reason reason = lapse_of(c, k);
    bool stale = reason == HF_REASON_OCSP_STALE;
    enum hf_revoked_fallback fallback = stale ? policy->when_stale : policy->when_missing;
    int64_t grace = stale ? policy->stale_grace_s : policy->missing_grace_s;
    int64_t passed = stale ? k->aged.stale_s : c->now_s - policy->since_s;
    bool passes = hf_revocation_in_grace(fallback, passed, grace);
    note(c, k->recall.known, k->recall.known ? k->aged.age_s : -1,
         stale                              ? "stale"
         : reason == HF_REASON_OCSP_NOT_YET ? "not-yet"
                                            : "missing",
         passes);
    if (!passes) {
        explain(c, k, reason, out);
        return HF_OCSP_OUTCOME_REFUSED;
    }
    out->lapse = reason;
    if (fallback == HF_REVOKED_GRACE) {
        hold_until(out, c->now_s + grace - passed);
    }
    if (policy->asks) {
        hold_until(out, c->now_s + LOOK_MAX_S); /* an answer may be had by then */
    }
    if (may_ask(c, k)) {
        want(c, k);
    }
    return HF_OCSP_OUTCOME_PASSED;
}

/* --- Together -----------------------------------------------------------------------------------
 */

/* A peer that must show an answer and hasn't. */
static bool lacks_staple(const struct hf_ocsp_case *c, const struct knowledge *k,
                         struct hf_verdict *out)
{
    const struct hf_ocsp_policy *policy = c->revocation->ocsp;
    bool due = policy->staple == HF_STAPLE_REQUIRE && c->at == 0 && c->ocsp && c->ocsp->first;
    if (!due || (c->ocsp->staple.len && k->bad_staple == HF_REASON_OK)) {
        return false;
    }
    bool none = c->ocsp->staple.len == 0;
    note(c, NULL, -1, "missing", false);
    hf_revocation_concern(cert_of(c), out);
    (void)hf_revocation_refuse(
        out, none ? HF_REASON_OCSP_NO_STAPLE : k->bad_staple, 0,
        "the peer must show an OCSP answer with its certificate, and %s%.240s",
        none ? "showed none" : "the one it showed doesn't count: ", none ? "" : k->why);
    return true;
}

static bool counts(const struct hf_ocsp_case *c, const struct hf_ocsp_known *known)
{
    bool nonce = known->stapled || known->nonce || !c->revocation->ocsp->needs_nonce;
    return nonce && signer_is_good(c, known);
}

static enum hf_ocsp_outcome judge(const struct hf_ocsp_case *c, const struct knowledge *k,
                                  struct hf_verdict *out)
{
    const struct hf_ocsp_known *known = k->recall.known;
    if (lacks_staple(c, k, out)) {
        return HF_OCSP_OUTCOME_REFUSED;
    }
    bool believed = known && counts(c, known);
    if (believed && known->said.status == HF_OCSP_REVOKED && k->aged.age != HF_OCSP_NOT_YET) {
        if (k->aged.age == HF_OCSP_STALE && may_ask(c, k)) {
            want(c, k); /* it may have been taken off hold since */
        }
        (void)refuse_revoked(c, k, out);
        return HF_OCSP_OUTCOME_REFUSED;
    }
    if (believed && k->aged.age == HF_OCSP_FRESH && known->said.status == HF_OCSP_GOOD) {
        note(c, known, k->aged.age_s, "good", true);
        renew(c, k, out);
        return HF_OCSP_OUTCOME_GOOD;
    }
    if (believed && k->aged.age == HF_OCSP_FRESH) {
        char by[TEXT_MAX];
        note(c, known, k->aged.age_s, "unknown", false);
        hf_revocation_concern(cert_of(c), out);
        (void)hf_revocation_refuse(out, HF_REASON_OCSP_UNKNOWN, (int)c->at,
                                   "%s doesn't know %s, which has its issuer's name",
                                   by_text(known, by, sizeof(by)), hf_revocation_whose((int)c->at));
        return HF_OCSP_OUTCOME_REFUSED;
    }
    if (may_ask(c, k) && c->ocsp->may_wait) {
        want(c, k);
        return HF_OCSP_OUTCOME_WAIT;
    }
    return fall_back(c, k, out);
}

enum hf_ocsp_outcome hf_revocation_ocsp(const struct hf_ocsp_case *c, struct hf_verdict *out)
{
    struct knowledge k;
    recall(c, &k);
    enum hf_ocsp_outcome outcome = judge(c, &k, out);
    hf_ocsp_recall_done(&k.recall);
    return outcome;
}

bool hf_revocation_ocsp_named(const struct hf_ocsp_case *c, struct hf_verdict *out)
{
    struct knowledge k;
    recall(c, &k);
    const struct hf_ocsp_known *known = k.recall.known;
    bool good = !lacks_staple(c, &k, out);
    if (good && known && known->said.status == HF_OCSP_REVOKED && k.aged.age != HF_OCSP_NOT_YET &&
        counts(c, known)) {
        good = refuse_revoked(c, &k, out);
    }
    hf_ocsp_recall_done(&k.recall);
    return good;
}
