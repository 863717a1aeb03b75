// SPDX-License-Identifier: Apache-2.0
/*
 * The one verdict. A table says, for each client mode, what becomes of a peer without a certificate
 * and of one with a bad one; everything starts as a refusal and only a row of the table, met in
 * full, turns it into an admission. What goes wrong on our side refuses too.
 */
#include "policy/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "pki/dn.h"
#include "policy/revocation.h"

struct mode {
    const char *name;
    bool looks;        /* at the chain at all */
    bool admits_none;  /* a peer without a certificate */
    bool admits_wrong; /* a peer whose certificate is refused */
};

static const struct mode modes[] = {
    [HF_CLIENT_REQUIRE] = {"require", true, false, false},
    [HF_CLIENT_REQUEST] = {"request", true, true, false},
    [HF_CLIENT_REQUEST_UNVERIFIED] = {"request-unverified", true, true, true},
    [HF_CLIENT_NONE] = {"none", false, true, true},
};

static const struct mode *mode_of(enum hf_client_mode mode)
{
    return (unsigned)mode < HF_N_ELEMENTS(modes) ? &modes[mode] : NULL;
}

const char *hf_client_mode_name(enum hf_client_mode mode)
{
    const struct mode *found = mode_of(mode);
    return found ? found->name : "unknown";
}

static void refuse(struct hf_verdict *out, enum hf_reason reason)
{
    out->allow = out->verified = false;
    out->reason = reason;
    out->step = hf_reason_step(reason);
    out->alert = hf_reason_alert(reason);
    out->not_after = 0;
}

/* Admits a peer that would have been refused for out->reason; the reason stays on record. */
static void let_pass(struct hf_verdict *out)
{
    out->allow = true;
    out->alert = HF_ALERT_NONE;
}

static void admit(struct hf_verdict *out, bool verified, int64_t not_after)
{
    out->allow = true;
    out->verified = verified;
    out->reason = HF_REASON_OK;
    out->step = HF_STEP_NONE;
    out->alert = HF_ALERT_NONE;
    out->depth = -1;
    out->not_after = not_after;
}

HF_PRINTF(2, 3) static void say(struct hf_verdict *out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(out->text, sizeof(out->text), format, args);
    va_end(args);
}

static void judge_missing(const struct mode *mode, bool vitals, struct hf_verdict *out)
{
    if (mode->admits_none) {
        admit(out, false, 0);
        say(out, "the peer sent no certificate, and none is required");
        return;
    }
    refuse(out, HF_REASON_NO_CERTIFICATE);
    if (vitals) {
        let_pass(out);
        out->vitals_only = true;
        say(out, "the peer sent no certificate; its address may ask the probes, and nothing else");
        return;
    }
    say(out,
        "the peer sent no certificate, and one is required: it has none, or none that fits the "
        "CA names and the signature algorithms that it was asked for");
}

static void take_result(struct hf_verify_result *result, struct hf_verdict *out)
{
    out->depth = result->depth;
    if (result->cert) {
        hf_dn_text(X509_get_subject_name(result->cert->x509), out->concerns, sizeof(out->concerns));
    }
    if (result->reason == HF_REASON_OK && result->path) {
        admit(out, true, result->not_after);
        out->expires_at = result->not_after;
        say(out, "the certificate is good");
        return;
    }
    refuse(out, result->reason);
    snprintf(out->text, sizeof(out->text), "%s", result->text);
}

static void judge_chain(const struct hf_judge_input *input, struct hf_verdict *out)
{
    struct hf_verify_result result;
    if (!input->trust) {
        refuse(out, HF_REASON_INTERNAL);
        say(out, "there is no trust to check the certificate against");
        return;
    }
    if (hf_trust_verify(input->trust, input->chain, input->usage, input->name, input->now_s,
                        &result) != HF_OK) {
        refuse(out, HF_REASON_INTERNAL);
        say(out, "the certificate could not be checked: %.400s", hf_err_text());
        return;
    }
    take_result(&result, out);
    if (input->out_path && result.path) {
        *input->out_path = hf_chain_ref(result.path);
    }
    if (out->allow && input->revocation) {
        (void)hf_revocation_judge(input->revocation, result.path, input->now_s, input->ocsp,
                                  input->notes, out);
    }
    if (out->pending && input->ocsp->lacks_list) {
        input->ocsp->unlisted = hf_chain_ref(result.path);
    }
    hf_verify_result_done(&result);
}

bool hf_verdict_is_about_certificate(const struct hf_verdict *verdict)
{
    return !verdict->allow && !verdict->pending && verdict->step >= HF_STEP_CERTIFICATE &&
           verdict->step <= HF_STEP_REVOCATION;
}

/* Whom the operator denied by name stays out: that was no trial. */
static void report(struct hf_verdict *out)
{
    if (hf_verdict_is_about_certificate(out) && out->reason != HF_REASON_DENY_LISTED) {
        let_pass(out);
        out->reported = true;
    }
}

static void judge(const struct hf_judge_input *input, struct hf_verdict *out)
{
    const struct mode *mode = mode_of(input->mode);
    *out = (struct hf_verdict){.depth = -1};
    refuse(out, HF_REASON_INTERNAL);
    if (!mode) {
        say(out, "the listener's client mode is not one of ours");
        return;
    }
    if (!mode->looks) {
        admit(out, false, 0);
        say(out, "no certificate was asked for");
        return;
    }
    if (!input->chain) {
        judge_missing(mode, input->vitals, out);
        return;
    }
    if (!input->trust && mode->admits_wrong) {
        admit(out, false, 0);
        say(out, "the certificate was not checked: the listener has no trust");
        return;
    }
    judge_chain(input, out);
    if (!out->allow && mode->admits_wrong) {
        let_pass(out);
    }
}

void hf_verdict_judge(const struct hf_judge_input *input, struct hf_verdict *out)
{
    judge(input, out);
    if (input->report_only) {
        report(out);
    }
}
