// SPDX-License-Identifier: Apache-2.0
#include "policy/revocation_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "base/text.h"
#include "pki/dn.h"

bool hf_revocation_refuse(struct hf_verdict *out, enum hf_reason reason, int depth,
                          const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(out->text, sizeof(out->text), format, args);
    va_end(args);
    out->allow = out->verified = false;
    out->reason = reason;
    out->step = hf_reason_step(reason);
    out->alert = hf_reason_alert(reason);
    out->depth = depth;
    out->not_after = 0;
    return false;
}

void hf_revocation_concern(const struct hf_cert *cert, struct hf_verdict *out)
{
    hf_dn_text(X509_get_subject_name(cert->x509), out->concerns, sizeof(out->concerns));
}

const char *hf_revocation_whose(int depth)
{
    return depth ? "the CA certificate" : "the certificate";
}

void hf_revocation_date(int64_t at, char out[static HF_REVOCATION_DATE_SIZE])
{
    time_t seconds = at;
    struct tm parts;
    if (!gmtime_r(&seconds, &parts) || !strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &parts)) {
        snprintf(out, 32, "%lld", (long long)at);
    }
}

/* --- The deny list ------------------------------------------------------------------------------
 */

bool hf_revocation_refuse_denied(const struct hf_deny_entry *entry, int depth, int64_t now_s,
                                 struct hf_notes *notes, struct hf_verdict *out)
{
    char since[32];
    struct hf_note note = {"deny-list", "revoked", depth, now_s - entry->created_at};
    snprintf(note.by, sizeof(note.by), "%s", entry->selector);
    snprintf(note.number, sizeof(note.number), "%llu", (unsigned long long)entry->id);
    hf_note_add(notes, note);
    hf_revocation_date(entry->created_at, since);
    return hf_revocation_refuse(out, HF_REASON_DENY_LISTED, depth,
                                "%s is on the deny list: entry %llu, %.200s%s%.120s,"
                                " since %s",
                                hf_revocation_whose(depth), (unsigned long long)entry->id,
                                entry->selector, entry->reason[0] ? ", " : "", entry->reason,
                                since);
}

static bool judge_denied(const struct hf_denylist *deny, const struct hf_cert *cert, int depth,
                         int64_t now_s, struct hf_notes *notes, struct hf_verdict *out)
{
    struct hf_identity *identity = NULL;
    const struct hf_deny_entry *entry = NULL;
    enum hf_err err = hf_identity_new(cert, &identity);
    if (err == HF_OK) {
        err = hf_denylist_find(deny, identity, now_s, &entry);
    }
    hf_identity_unref(identity);
    if (err != HF_OK) {
        return hf_revocation_refuse(out, HF_REASON_INTERNAL, depth,
                                    "the deny list could not be asked: %.400s", hf_err_text());
    }
    if (!entry) {
        return true;
    }
    hf_revocation_concern(cert, out);
    return hf_revocation_refuse_denied(entry, depth, now_s, notes, out);
}

/* --- Lists --------------------------------------------------------------------------------------
 */

bool hf_revocation_in_grace(enum hf_revoked_fallback fallback, int64_t passed_s, int64_t grace_s)
{
    return fallback == HF_REVOKED_ALLOW ||
           (fallback == HF_REVOKED_GRACE && passed_s >= 0 && passed_s <= grace_s);
}

/* A list's name for people: "the list of CN=Sub (number 1f, partners.crl)". */
static const char *list_text(const struct hf_crl *crl, char *out, size_t size)
{
    char number[HF_CRL_NUMBER_TEXT];
    hf_crl_number_text(crl, number);
    snprintf(out, size, "the revocation list of %.100s (number %s, %.120s)", crl->issuer_text,
             number, crl->label);
    return out;
}

static bool refuse_revoked(const struct hf_revoked_result *result, int depth,
                           struct hf_verdict *out)
{
    char list[HF_VERIFY_TEXT_MAX], at[32], age[32];
    hf_revocation_date(result->entry.at, at);
    hf_format_duration(result->age_s > 0 ? result->age_s * 1000 : 0, age, sizeof(age));
    bool held = result->entry.why == HF_REVOKED_FOR_HOLD;
    return hf_revocation_refuse(out, held ? HF_REASON_ON_HOLD : HF_REASON_REVOKED, depth,
                                "%s was %s at %s (%s), says %s, %s old", hf_revocation_whose(depth),
                                held ? "put on hold" : "revoked", at,
                                hf_revoked_for_name(result->entry.why),
                                list_text(result->crl, list, sizeof(list)), age);
}

/* No list answers freshly: the fallback decides. */
static bool fall_back(const struct hf_revocation *revocation, const struct hf_cert *cert,
                      const struct hf_revoked_result *result, int depth, int64_t now_s,
                      struct hf_verdict *out)
{
    char list[HF_VERIFY_TEXT_MAX], age[32], issuer[160];
    hf_dn_text(X509_get_issuer_name(cert->x509), issuer, sizeof(issuer));
    bool stale = result->answer == HF_REVOKED_STALE;
    enum hf_reason reason = stale                                     ? HF_REASON_CRL_STALE
                            : result->answer == HF_REVOKED_NOT_YET    ? HF_REASON_CRL_NOT_YET
                            : result->answer == HF_REVOKED_BAD_ISSUER ? HF_REASON_CRL_UNTRUSTED
                                                                      : HF_REASON_CRL_MISSING;
    enum hf_revoked_fallback fallback = stale ? revocation->when_stale : revocation->when_missing;
    int64_t grace = stale ? revocation->stale_grace_s : revocation->missing_grace_s;
    int64_t passed = stale ? result->stale_s : now_s - revocation->since_s;
    if (hf_revocation_in_grace(fallback, passed, grace)) {
        out->lapse = reason;
        if (fallback == HF_REVOKED_GRACE && now_s + grace - passed < out->not_after) {
            out->not_after = now_s + grace - passed;
        }
        return true;
    }
    switch (reason) {
    case HF_REASON_CRL_STALE:
        hf_format_duration(result->stale_s * 1000, age, sizeof(age));
        return hf_revocation_refuse(out, reason, depth,
                                    "%s went out of date %s ago: publish a new one, or see "
                                    "when-stale",
                                    list_text(result->crl, list, sizeof(list)), age);
    case HF_REASON_CRL_NOT_YET:
        return hf_revocation_refuse(out, reason, depth,
                                    "%s begins in the future: is this machine's clock right?",
                                    list_text(result->crl, list, sizeof(list)));
    case HF_REASON_CRL_UNTRUSTED:
        return hf_revocation_refuse(out, reason, depth, "%s is not signed by the key of %s",
                                    list_text(result->crl, list, sizeof(list)), issuer);
    default:
        return hf_revocation_refuse(out, reason, depth,
                                    "no revocation list of %s speaks for %s: add it to the "
                                    "trust's crl, or see when-missing%s",
                                    issuer, hf_revocation_whose(depth),
                                    revocation->fetches ? " (handfast crls tells what was fetched)"
                                                        : "");
    }
}

/* What a list said, for whoever explains the verdict. */
static void note_list(const struct hf_revoked_result *result, int depth, bool passed,
                      struct hf_notes *notes)
{
    static const char *const answers[] = {
        [HF_REVOKED_GOOD] = "good",       [HF_REVOKED_REVOKED] = "revoked",
        [HF_REVOKED_STALE] = "stale",     [HF_REVOKED_NOT_YET] = "not-yet",
        [HF_REVOKED_MISSING] = "missing", [HF_REVOKED_BAD_ISSUER] = "untrusted",
    };
    bool held = result->answer == HF_REVOKED_REVOKED && result->entry.why == HF_REVOKED_FOR_HOLD;
    if (!notes) {
        return;
    }
    hf_note_add(notes, (struct hf_note){.source = "crl",
                                        .answer = held ? "on-hold" : answers[result->answer],
                                        .depth = depth,
                                        .age_s = result->crl ? result->age_s : -1,
                                        .crl = result->crl,
                                        .passed = passed});
}

bool hf_revocation_refuse_listed(const struct hf_revoked_result *result, int depth,
                                 struct hf_notes *notes, struct hf_verdict *out)
{
    note_list(result, depth, false, notes);
    return refuse_revoked(result, depth, out);
}

enum listed {
    LISTED_GOOD,    /* a fresh list says so */
    LISTED_REVOKED, /* *out says by which */
    LISTED_PASSED,  /* none answers freshly, and the fallback lets it pass */
    LISTED_LACKING, /* nor does the fallback; *out says what is lacking */
    LISTED_WAIT,    /* none answers freshly, and one may be on its way */
};

static enum listed no_list(const struct hf_ocsp_case *c, const struct hf_revoked_result *result,
                           struct hf_verdict *out)
{
    const struct hf_cert *cert = c->path->certs[c->at];
    const struct hf_revocation *revocation = c->revocation;
    if (c->ocsp && c->ocsp->may_fetch && revocation->fetches && revocation->wait_ms > 0) {
        c->ocsp->lacks_list = true;
        return LISTED_WAIT;
    }
    bool passes = fall_back(revocation, cert, result, (int)c->at, c->now_s, out);
    note_list(result, (int)c->at, passes, c->notes);
    if (!passes) {
        hf_revocation_concern(cert, out);
    }
    return passes ? LISTED_PASSED : LISTED_LACKING;
}

static enum listed judge_listed(const struct hf_ocsp_case *c, struct hf_verdict *out)
{
    struct hf_revoked_result result;
    const struct hf_cert *cert = c->path->certs[c->at];
    hf_revoked_check(c->revocation->lists, cert, c->path->certs[c->at + 1], c->now_s, &result);
    switch (result.answer) {
    case HF_REVOKED_GOOD:
        note_list(&result, (int)c->at, true, c->notes);
        if (result.fresh_until < out->not_after) {
            out->not_after = result.fresh_until;
        }
        return LISTED_GOOD;
    case HF_REVOKED_REVOKED:
        hf_revocation_concern(cert, out);
        (void)hf_revocation_refuse_listed(&result, (int)c->at, c->notes, out);
        return LISTED_REVOKED;
    default:
        return no_list(c, &result, out);
    }
}

/* --- The CA itself ------------------------------------------------------------------------------
 */

/* Of a CA that tells at once nothing is stale and nothing missing: what it hasn't revoked, it
 * hasn't. Whom it didn't issue, it says nothing of. */
static bool judge_live(const struct hf_revocation *revocation, const struct hf_chain *path,
                       size_t at, int64_t now_s, struct hf_notes *notes, struct hf_verdict *out)
{
    struct hf_revocation_entry entry;
    const struct hf_cert *cert = path->certs[at];
    enum hf_live_answer answer = hf_live_check(revocation->live, cert, path->certs[at + 1], &entry);
    if (answer == HF_LIVE_NOT_OURS) {
        return true;
    }
    bool lost = answer == HF_LIVE_LOST;
    bool revoked = answer == HF_LIVE_REVOKED;
    bool held = revoked && entry.why == HF_REVOKED_FOR_HOLD;
    if (notes) {
        struct hf_note note = {.source = "ca",
                               .answer = lost      ? "stale"
                                         : held    ? "on-hold"
                                         : revoked ? "revoked"
                                                   : "good",
                               .depth = (int)at,
                               .age_s = revoked ? now_s - entry.at : 0,
                               .passed = !revoked && !lost};
        snprintf(note.by, sizeof(note.by), "%s", hf_live_name(revocation->live));
        snprintf(note.number, sizeof(note.number), "%lld",
                 (long long)hf_live_seq(revocation->live));
        hf_note_add(notes, note);
    }
    if (lost) {
        hf_revocation_concern(cert, out);
        return hf_revocation_refuse(out, HF_REASON_CRL_STALE, (int)at,
                                    "what the CA %.100s has revoked isn't heard any more: see "
                                    "when-lost",
                                    hf_live_name(revocation->live));
    }
    if (!revoked) {
        return true;
    }
    char since[32];
    hf_revocation_date(entry.at, since);
    hf_revocation_concern(cert, out);
    return hf_revocation_refuse(out, held ? HF_REASON_ON_HOLD : HF_REASON_REVOKED, (int)at,
                                "%s was %s at %s (%s), says the CA %.100s",
                                hf_revocation_whose((int)at), held ? "put on hold" : "revoked",
                                since, hf_revoked_for_name(entry.why),
                                hf_live_name(revocation->live));
}

/* --- One after the other ------------------------------------------------------------------------
 */

/* The first source that has an answer decides; where none has, each must let it pass. What is known
 * by OCSP already counts against a list all the same. */
static bool judge_one(const struct hf_ocsp_case *c, struct hf_verdict *out, bool *pending)
{
    const struct hf_revocation *revocation = c->revocation;
    bool asks = revocation->ocsp && !(revocation->ocsp->leaf_only && c->at > 0);
    struct hf_verdict before = {0};
    if (asks) {
        before = *out;
    }
    enum listed listed = revocation->lists ? judge_listed(c, out) : LISTED_PASSED;
    if (listed == LISTED_WAIT) {
        *pending = true;
        return true;
    }
    if (listed == LISTED_GOOD && asks) {
        return hf_revocation_ocsp_named(c, out);
    }
    bool passes = listed == LISTED_GOOD || listed == LISTED_PASSED;
    if (!asks || listed == LISTED_REVOKED) {
        return passes;
    }
    struct hf_verdict by_lists = *out;
    *out = before;
    switch (hf_revocation_ocsp(c, out)) {
    case HF_OCSP_OUTCOME_GOOD:
        return true;
    case HF_OCSP_OUTCOME_WAIT:
        *pending = true;
        return true;
    case HF_OCSP_OUTCOME_PASSED:
        if (!passes) {
            *out = by_lists;
        } else if (by_lists.not_after < out->not_after) {
            out->not_after = by_lists.not_after;
        }
        return passes;
    default:
        return false;
    }
}

static bool wait_for_answers(const struct hf_judge_ocsp *ocsp, struct hf_verdict *out)
{
    out->pending = true;
    return ocsp->lacks_list
               ? hf_revocation_refuse(out, HF_REASON_CRL_MISSING, -1,
                                      "a revocation list is being fetched, and has not come yet")
               : hf_revocation_refuse(out, HF_REASON_OCSP_UNREACHABLE, -1,
                                      "the OCSP responder has not answered yet");
}

int64_t hf_revocation_wait_ms(const struct hf_revocation *revocation)
{
    if (!revocation) {
        return 0;
    }
    return (revocation->fetches ? revocation->wait_ms : 0) +
           (revocation->ocsp ? revocation->ocsp->timeout_ms : 0);
}

bool hf_revocation_judge(const struct hf_revocation *revocation, const struct hf_chain *path,
                         int64_t now_s, struct hf_judge_ocsp *ocsp, struct hf_notes *notes,
                         struct hf_verdict *out)
{
    bool pending = false;
    for (size_t i = 0; revocation->deny && i < path->n_certs; i++) {
        if (!judge_denied(revocation->deny, path->certs[i], (int)i, now_s, notes, out)) {
            return false;
        }
    }
    for (size_t i = 0; revocation->live && i + 1 < path->n_certs; i++) {
        if (!judge_live(revocation, path, i, now_s, notes, out)) {
            return false;
        }
    }
    for (size_t i = 0; (revocation->lists || revocation->ocsp) && i + 1 < path->n_certs; i++) {
        const struct hf_ocsp_case c = {revocation, path, i, now_s, ocsp, notes};
        if (!judge_one(&c, out, &pending)) {
            return false;
        }
    }
    return !pending || wait_for_answers(ocsp, out);
}
