// SPDX-License-Identifier: Apache-2.0
/* The daemon's own sources, which are never started and have nobody to talk to. */
#include "proxy/crl_kept.h"

#include "base/mem.h"
#include "os/clock.h"
#include "proxy/crl_sources.h"

enum { SERIES_MAX = 8 * HF_CRL_FEEDS_MAX };

struct hf_crl_kept {
    struct hf_log log;
    struct hf_metrics *metrics;
    struct hf_crl_sources *sources;
    struct hf_ledger_fetched *fetched;
};

static void write_nothing(void *ctx, struct hf_bytes line)
{
    (void)ctx;
    (void)line;
}

static enum hf_err read_all(struct hf_crl_kept *kept, const struct hf_config *config,
                            const struct hf_materials *materials, struct hf_findings *findings,
                            struct hf_ledger_known *known)
{
    struct hf_crl_env env = {
        .state = config->state.value, .clock = &hf_os_clock, .rng = &hf_os_rng, .log = &kept->log};
    kept->log =
        (struct hf_log){.level = HF_LOG_ERROR, .clock = &hf_os_clock, .write = write_nothing};
    HF_TRY(hf_metrics_new(1, SERIES_MAX, &kept->metrics));
    env.metrics = kept->metrics;
    HF_TRY(hf_crl_sources_new(&env, &kept->sources));
    enum hf_err err = hf_crl_sources_want(kept->sources, config, materials, findings);
    if (err == HF_E_CONFIG || err == HF_E_NOMEM) {
        return err;
    }
    HF_TRY(hf_crl_sources_fetched(kept->sources, config, &kept->fetched, &known->n_fetched));
    known->fetched = kept->fetched;
    return HF_OK;
}

enum hf_err hf_crl_kept_read(const struct hf_config *config, const struct hf_materials *materials,
                             struct hf_findings *findings, struct hf_ledger_known *known,
                             struct hf_crl_kept **out)
{
    *out = NULL;
    if (!config->state.value) {
        return HF_OK;
    }
    struct hf_crl_kept *kept = HF_NEW(struct hf_crl_kept);
    if (!kept) {
        return HF_E_NOMEM;
    }
    enum hf_err err = read_all(kept, config, materials, findings, known);
    if (err != HF_OK) {
        hf_crl_kept_free(kept);
        return err;
    }
    *out = kept;
    return HF_OK;
}

void hf_crl_kept_free(struct hf_crl_kept *kept)
{
    if (kept) {
        hf_crl_sources_free(kept->sources);
        hf_metrics_free(kept->metrics);
        hf_free(kept->fetched);
        hf_free(kept);
    }
}

void hf_crl_kept_freep(struct hf_crl_kept **kept)
{
    hf_crl_kept_free(*kept);
}
