// SPDX-License-Identifier: Apache-2.0
#include "policy/revocation.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>

#include "base/text.h"
#include "pki/dn.h"

HF_PRINTF(4, 5)
static bool refuse(struct hf_verdict *out, enum hf_reason reason, int depth, const char *format,
                   ...)
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

static void concern(const struct hf_cert *cert, struct hf_verdict *out)
{
    hf_dn_text(X509_get_subject_name(cert->x509), out->concerns, sizeof(out->concerns));
}

static const char *whose(int depth)
{
    return depth ? "the CA certificate" : "the certificate";
}

static void date_text(int64_t at, char out[static 32])
{
    time_t seconds = at;
    struct tm parts;
    if (!gmtime_r(&seconds, &parts) || !strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &parts)) {
        snprintf(out, 32, "%lld", (long long)at);
    }
}

/* --- The deny list ------------------------------------------------------------------------------
 */

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
        return refuse(out, HF_REASON_INTERNAL, depth, "the deny list could not be asked: %.400s",
                      hf_err_text());
    }
    if (!entry) {
        return true;
    }
    char since[32];
    struct hf_note note = {"deny-list", "revoked", depth, now_s - entry->created_at};
    snprintf(note.by, sizeof(note.by), "%s", entry->selector);
    snprintf(note.number, sizeof(note.number), "%llu", (unsigned long long)entry->id);
    hf_note_add(notes, note);
    date_text(entry->created_at, since);
    concern(cert, out);
    return refuse(out, HF_REASON_DENY_LISTED, depth,
                  "%s is on the deny list: entry %llu, %.200s%s%.120s,"
                  " since %s",
                  whose(depth), (unsigned long long)entry->id, entry->selector,
                  entry->reason[0] ? ", " : "", entry->reason, since);
}

/* --- Lists --------------------------------------------------------------------------------------
 */

static bool in_grace(enum hf_revoked_fallback fallback, int64_t passed_s, int64_t grace_s)
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
    date_text(result->entry.at, at);
    hf_format_duration(result->age_s > 0 ? result->age_s * 1000 : 0, age, sizeof(age));
    bool held = result->entry.why == HF_REVOKED_FOR_HOLD;
    return refuse(out, held ? HF_REASON_ON_HOLD : HF_REASON_REVOKED, depth,
                  "%s was %s at %s (%s), says %s, %s old", whose(depth),
                  held ? "put on hold" : "revoked", at, hf_revoked_for_name(result->entry.why),
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
    if (in_grace(fallback, passed, grace)) {
        out->lapse = reason;
        if (fallback == HF_REVOKED_GRACE && now_s + grace - passed < out->not_after) {
            out->not_after = now_s + grace - passed;
        }
        return true;
    }
    switch (reason) {
    case HF_REASON_CRL_STALE:
        hf_format_duration(result->stale_s * 1000, age, sizeof(age));
        return refuse(out, reason, depth,
                      "%s went out of date %s ago: publish a new one, or see "
                      "when-stale",
                      list_text(result->crl, list, sizeof(list)), age);
    case HF_REASON_CRL_NOT_YET:
        return refuse(out, reason, depth, "%s begins in the future: is this machine's clock right?",
                      list_text(result->crl, list, sizeof(list)));
    case HF_REASON_CRL_UNTRUSTED:
        return refuse(out, reason, depth, "%s is not signed by the key of %s",
                      list_text(result->crl, list, sizeof(list)), issuer);
    default:
        return refuse(out, reason, depth,
                      "no revocation list of %s speaks for %s: add it to the "
                      "trust's crl.files, or see when-missing",
                      issuer, whose(depth));
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

static bool judge_listed(const struct hf_revocation *revocation, const struct hf_chain *path,
                         size_t at, int64_t now_s, struct hf_notes *notes, struct hf_verdict *out)
{
    struct hf_revoked_result result;
    const struct hf_cert *cert = path->certs[at];
    hf_revoked_check(revocation->lists, cert, path->certs[at + 1], now_s, &result);
    if (result.answer == HF_REVOKED_GOOD) {
        note_list(&result, (int)at, true, notes);
        if (result.fresh_until < out->not_after) {
            out->not_after = result.fresh_until;
        }
        return true;
    }
    bool passes = result.answer == HF_REVOKED_REVOKED
                      ? refuse_revoked(&result, (int)at, out)
                      : fall_back(revocation, cert, &result, (int)at, now_s, out);
    note_list(&result, (int)at, passes, notes);
    if (!passes) {
        concern(cert, out);
    }
    return passes;
}

bool hf_revocation_judge(const struct hf_revocation *revocation, const struct hf_chain *path,
                         int64_t now_s, struct hf_notes *notes, struct hf_verdict *out)
{
    for (size_t i = 0; revocation->deny && i < path->n_certs; i++) {
        if (!judge_denied(revocation->deny, path->certs[i], (int)i, now_s, notes, out)) {
            return false;
        }
    }
    for (size_t i = 0; revocation->lists && i + 1 < path->n_certs; i++) {
        if (!judge_listed(revocation, path, i, now_s, notes, out)) {
            return false;
        }
    }
    return true;
}
