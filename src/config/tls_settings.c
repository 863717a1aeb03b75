// SPDX-License-Identifier: Apache-2.0
/* Each try is a client context with one thing in it that isn't the default. The names of suites,
 * ciphers and groups mean the same in both roles. */
#include "config/tls_settings.h"

#include "os/clock.h"

static struct hf_tls_answer admit_nobody(void *conn_ctx, const struct hf_tls_peer *peer)
{
    (void)conn_ctx;
    (void)peer;
    return (struct hf_tls_answer){.admit = false, .alert = HF_ALERT_INTERNAL_ERROR};
}

/* A finding at mark unless the library takes these settings with this identity. */
static bool takes(struct hf_tls_common common, struct hf_credential *identity,
                  enum hf_finding_id id, struct hf_mark mark, struct hf_findings *findings)
{
    struct hf_tls_ctx *ctx = NULL;
    common.clock = &hf_os_clock;
    common.rng = &hf_os_rng;
    struct hf_tls_client_config config = {
        .common = common,
        .identities = &identity,
        .n_identities = identity ? 1 : 0,
        .judge = {.judge = admit_nobody},
    };
    enum hf_err err = hf_tls_client_ctx_new(&config, &ctx);
    if (err != HF_OK) {
        hf_findings_add(findings, id, mark, "%s", hf_err_text());
    }
    hf_tls_ctx_unref(ctx);
    return err == HF_OK;
}

/* Settings that libssl would pass over are tried on our own engine. */
#define NATIVE .engine = HF_TLS_ENGINE_NATIVE, .min_version = HF_TLS_1_3

static void check_tls(const struct hf_cfg_tls *tls, struct hf_mark whole,
                      struct hf_findings *findings)
{
    const struct {
        const struct hf_cfg_string *setting;
        struct hf_tls_common common;
    } tries[] = {
        {&tls->suites, {.suites = tls->suites.value}},
        {&tls->ciphers, {.ciphers = tls->ciphers.value}},
        {&tls->groups, {.groups = tls->groups.value}},
        {&tls->signatures, {NATIVE, .signatures = tls->signatures.value}},
        {&tls->own_signatures, {NATIVE, .own_signatures = tls->own_signatures.value}},
        {&tls->cert_compression, {NATIVE, .cert_compression = tls->cert_compression.value}},
    };
    bool good = true;
    for (size_t i = 0; i < HF_N_ELEMENTS(tries); i++) {
        if (tries[i].setting->value) {
            good = takes(tries[i].common, NULL, HF_FINDING_TLS_SETTINGS, tries[i].setting->mark,
                         findings) &&
                   good;
        }
    }
    if (good) { /* each for itself; and together, with the versions? */
        struct hf_tls_common all = {
            .min_version = tls->min_version,
            .max_version = tls->max_version,
            .suites = tls->suites.value,
            .ciphers = tls->ciphers.value,
            .groups = tls->groups.value,
        };
        (void)takes(all, NULL, HF_FINDING_TLS_SETTINGS, whole, findings);
    }
}

void hf_tls_settings_check(const struct hf_config *config, const struct hf_materials *materials,
                           struct hf_findings *findings)
{
    const struct hf_tls_common standard = {.engine = HF_TLS_ENGINE_AUTO};
    for (size_t i = 0; i < config->n_identities; i++) {
        const struct hf_cfg_identity *identity = &config->identities[i];
        struct hf_credential *credential = hf_materials_identity(materials, identity);
        if (credential) {
            (void)takes(standard, credential, HF_FINDING_CERTIFICATE, identity->cert.mark,
                        findings);
        }
    }
    for (size_t i = 0; i < config->n_upstreams; i++) {
        if (config->upstreams[i].tls_on) {
            check_tls(&config->upstreams[i].tls, config->upstreams[i].mark, findings);
        }
    }
    for (size_t i = 0; i < config->n_listeners; i++) {
        if (!config->listeners[i].plain) {
            check_tls(&config->listeners[i].tls, config->listeners[i].mark, findings);
        }
    }
}
