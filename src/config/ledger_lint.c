// SPDX-License-Identifier: Apache-2.0
/* What lists themselves show to be wrong with them: run may begin, but somebody would regret it. */
#include "base/text.h"
#include "config/ledger.h"

static bool has_list(const struct hf_revoked *lists, const struct hf_cert *root)
{
    const X509_NAME *name = X509_get_subject_name(root->x509);
    for (size_t i = 0; i < hf_revoked_count(lists); i++) {
        if (X509_NAME_cmp(hf_revoked_list(lists, i)->issuer, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Peers under a root without a list are refused as crl-missing. */
static void lint_roots(const struct hf_cfg_trust *cfg, const struct hf_trust *trust,
                       const struct hf_revoked *lists, struct hf_findings *findings)
{
    const struct hf_chain *roots = hf_trust_roots(trust);
    bool fetches = cfg->crl.urls.n || cfg->crl.from.n; /* it may come yet */
    if (cfg->crl.when_missing.what == HF_REVOKED_ALLOW || fetches) {
        return;
    }
    for (size_t i = 0; i < roots->n_certs; i++) {
        struct hf_identity *identity = NULL;
        if (has_list(lists, roots->certs[i]) ||
            hf_identity_new(roots->certs[i], &identity) != HF_OK) {
            continue;
        }
        hf_findings_add(findings, HF_FINDING_CRL_UNCOVERED, cfg->crl.mark,
                        "trust \"%s\": no list of the root %s is there: whoever it has "
                        "certified is refused; add its list, or set when-missing",
                        cfg->name, identity->subject);
        hf_identity_unref(identity);
    }
}

static void lint_dates(const struct hf_cfg_trust *cfg, const struct hf_revoked *lists,
                       int64_t now_s, struct hf_findings *findings)
{
    for (size_t i = 0; i < hf_revoked_count(lists); i++) {
        const struct hf_crl *crl = hf_revoked_list(lists, i);
        char age[32];
        if (!crl->next_update || crl->next_update >= now_s) {
            continue;
        }
        hf_format_duration((now_s - crl->next_update) * 1000, age, sizeof(age));
        hf_findings_add(findings, HF_FINDING_CRL_STALE, cfg->crl.mark,
                        "trust \"%s\": the list of %s (%s) went out of date %s ago", cfg->name,
                        crl->issuer_text, crl->label, age);
    }
}

static void lint_fallback(const struct hf_cfg_trust *cfg, const char *key,
                          const struct hf_cfg_fallback *fallback, struct hf_findings *findings)
{
    if (fallback->what == HF_REVOKED_ALLOW) {
        hf_findings_add(findings, HF_FINDING_CRL_ALLOW, fallback->mark,
                        "trust \"%s\": %s: allow lets peers in of whom nobody knows whether they "
                        "are revoked; a duration is a grace with an end",
                        cfg->name, key);
    }
}

static void lint_ocsp(const struct hf_cfg_trust *cfg, struct hf_findings *findings)
{
    const struct hf_cfg_ocsp *ocsp = &cfg->ocsp;
    lint_fallback(cfg, "ocsp.when-stale", &ocsp->when_stale, findings);
    lint_fallback(cfg, "ocsp.when-missing", &ocsp->when_missing, findings);
    if (!hf_cfg_ocsp_asks(ocsp) && ocsp->when_missing.what != HF_REVOKED_ALLOW) {
        hf_findings_add(findings, HF_FINDING_OCSP_STAPLE_ONLY, ocsp->mark,
                        "trust \"%s\": whoever shows no OCSP answer with its certificate is "
                        "refused, TLS 1.2 among them; add responder or from-certificates to ask",
                        cfg->name);
    }
}

void hf_ledger_lint(const struct hf_ledger *ledger, const struct hf_config *config,
                    const struct hf_materials *materials, int64_t now_s,
                    struct hf_findings *findings)
{
    for (size_t i = 0; i < config->n_trusts; i++) {
        const struct hf_cfg_trust *cfg = &config->trusts[i];
        const struct hf_trust *trust = hf_materials_trust(materials, cfg);
        const struct hf_revoked *lists = hf_ledger_lists(ledger, cfg->name);
        if (cfg->ocsp.given) {
            lint_ocsp(cfg, findings);
        }
        if (!cfg->crl.given) {
            continue;
        }
        lint_fallback(cfg, "when-stale", &cfg->crl.when_stale, findings);
        lint_fallback(cfg, "when-missing", &cfg->crl.when_missing, findings);
        if (lists) {
            lint_dates(cfg, lists, now_s, findings);
        }
        if (lists && trust && !cfg->ocsp.given) {
            lint_roots(cfg, trust, lists, findings);
        }
    }
}
