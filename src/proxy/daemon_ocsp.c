// SPDX-License-Identifier: Apache-2.0
/*
 * The daemon's OCSP desk: how trusts ask is in the configuration that runs, and when what is said
 * of a certificate changes, every session is judged again. And the staples of our own certificates.
 */
#include <string.h>

#include "os/clock.h"
#include "proxy/daemon_impl.h"
#include "proxy/ocsp_desk.h"
#include "proxy/stapler.h"

enum { AGAIN_MS = 100 /* while a reload is under way */ };

static const struct hf_cfg_ocsp *terms(void *ctx, const char *trust)
{
    const struct hf_config *config = hf_daemon_newest(ctx)->config;
    for (size_t i = 0; i < config->n_trusts; i++) {
        const struct hf_cfg_ocsp *ocsp = &config->trusts[i].ocsp;
        if (strcmp(config->trusts[i].name, trust) == 0) {
            return ocsp->given && hf_cfg_ocsp_asks(ocsp) ? ocsp : NULL;
        }
    }
    return NULL;
}

static struct hf_trust *url_trust(void *ctx, const struct hf_cfg_ocsp *cfg)
{
    return hf_materials_trust(hf_daemon_newest(ctx)->materials, cfg->url_trust);
}

static void say_closed(void *ctx, size_t n_closed)
{
    struct hf_daemon *daemon = ctx;
    if (n_closed) {
        hf_log_say(&daemon->log, HF_LOG_INFO, "revocation",
                   "an OCSP answer has changed; %zu sessions were closed", n_closed);
    }
}

static void on_change(void *ctx)
{
    struct hf_daemon *daemon = ctx;
    if (hf_daemon_teach(daemon, hf_ledger_ref(daemon->ledger), say_closed, daemon) != HF_OK) {
        hf_timer_set(daemon->loop, &daemon->ocsp_timer, AGAIN_MS);
    }
}

static void on_again(struct hf_timer *timer)
{
    on_change(HF_CONTAINER_OF(timer, struct hf_daemon, ocsp_timer));
}

enum hf_err hf_daemon_start_ocsp(struct hf_daemon *daemon)
{
    const struct hf_ocsp_desk_env env = {
        .loop = daemon->loop,
        .clock = &hf_os_clock,
        .rng = &hf_os_rng,
        .log = &daemon->log,
        .metrics = daemon->metrics,
        .shard = daemon->n_workers,
        .state = daemon->state_folder,
        .terms = terms,
        .url_trust = url_trust,
        .on_change = on_change,
        .ctx = daemon,
    };
    const struct hf_stapler_env staples = {
        .loop = daemon->loop,
        .clock = &hf_os_clock,
        .rng = &hf_os_rng,
        .log = &daemon->log,
        .metrics = daemon->metrics,
        .shard = daemon->n_workers,
    };
    daemon->ocsp_timer.on_due = on_again;
    HF_TRY(hf_stapler_new(&staples, &daemon->stapler));
    hf_stapler_show(daemon->stapler, daemon->snapshot);
    return hf_ocsp_desk_new(&env, &daemon->desk);
}

void hf_daemon_fetch_staples(struct hf_daemon *daemon)
{
    if (hf_stapler_set(daemon->stapler, daemon->snapshot) != HF_OK) {
        hf_log_say(&daemon->log, HF_LOG_ERROR, "staple", "answers are not fetched: %s",
                   hf_err_text());
    }
}

void hf_daemon_stop_ocsp(struct hf_daemon *daemon)
{
    hf_timer_cancel(&daemon->ocsp_timer);
    hf_ocsp_desk_stop(daemon->desk);
    hf_stapler_free(HF_TAKE(daemon->stapler));
}
