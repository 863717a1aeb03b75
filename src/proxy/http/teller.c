// SPDX-License-Identifier: Apache-2.0
/*
 * The headers that clients may not send are one set for all listeners and upstreams: routes are
 * chosen by what is left of a request, and a name that tells one backend who its client is should
 * mean nothing else to another.
 */
#include "proxy/http/teller.h"

#include <openssl/ec.h>
#include <string.h>

#include "base/mem.h"
#include "config/materials.h"
#include "os/logsink.h"
#include "proxy/snapshot.h"

/* --- What outlives a generation ------------------------------------------------------------------
 */

void hf_teller_env_reopen(struct hf_teller_env *env)
{
    size_t at = 0;
    for (struct hf_logsink *sink; (sink = hf_map_next(&env->sinks, &at));) {
        hf_logsink_reopen(sink);
    }
}

void hf_teller_env_done(struct hf_teller_env *env, int64_t timeout_ms)
{
    size_t at = 0;
    for (struct hf_logsink *sink; (sink = hf_map_next(&env->sinks, &at));) {
        (void)hf_logsink_close(sink, timeout_ms);
    }
    hf_map_done(&env->sinks);
    EVP_PKEY_free(env->token_key);
    *env = (struct hf_teller_env){0};
}

static enum hf_err own_key(struct hf_teller_env *env)
{
    if (!env->token_key) {
        env->token_key = EVP_EC_gen("P-256");
    }
    return env->token_key ? HF_OK : hf_fail(HF_E_CRYPTO, "a key for tokens can't be made");
}

static enum hf_err sink_of(struct hf_snapshot_env *env, const char *to, enum hf_log_format format,
                           struct hf_logsink **out)
{
    *out = hf_map_get(&env->teller.sinks, hf_bytes_str(to));
    if (*out) {
        return HF_OK;
    }
    HF_TRY(hf_logsink_open(to, format, env->clock, out));
    enum hf_err err = hf_map_put(&env->teller.sinks, hf_bytes_str(to), *out);
    if (err != HF_OK) {
        (void)hf_logsink_close(*out, 0);
    }
    return err;
}

/* --- A generation --------------------------------------------------------------------------------
 */

struct build {
    struct hf_snapshot_env *env;
    const struct hf_config *config;
    const struct hf_materials *materials;
    struct hf_findings *findings;
    struct hf_teller *teller;
};

/* Turns the last failure into a finding; out of memory is passed on. */
static enum hf_err report(const struct build *build, struct hf_mark mark, enum hf_err err)
{
    if (err == HF_OK || err == HF_E_NOMEM) {
        return err;
    }
    hf_findings_add(build->findings, HF_FINDING_BAD_VALUE, mark, "%s", hf_err_text());
    return HF_E_CONFIG;
}

static bool wants_token(const struct hf_cfg_forward *forward)
{
    return hf_cfg_words_bits(&forward->identity) & 1u << HF_SPELL_TOKEN;
}

static enum hf_err add_names(struct hf_strip *strip, const struct hf_cfg_forward *forward)
{
    for (size_t i = 0; i < forward->strip.n; i++) {
        HF_TRY(hf_strip_add(strip, forward->strip.item[i].value));
    }
    for (size_t i = 0; i < forward->headers.n; i++) {
        HF_TRY(hf_strip_add(strip, forward->headers.item[i].name));
    }
    bool own = wants_token(forward) && strcmp(forward->token.header.value, "authorization") != 0;
    return own ? hf_strip_add(strip, forward->token.header.value) : HF_OK;
}

static enum hf_err make_strip(struct build *build)
{
    HF_TRY(hf_strip_new(&build->teller->strip));
    for (size_t i = 0; i < build->config->n_upstreams; i++) {
        const struct hf_cfg_upstream *upstream = &build->config->upstreams[i];
        HF_TRY(report(build, upstream->forward_mark,
                      add_names(build->teller->strip, &upstream->forward)));
    }
    return HF_OK;
}

/* A signer is made where tokens are told, or their keys are to be served. */
static bool wants_signer(const struct hf_config *config)
{
    bool wants = false;
    for (size_t i = 0; i < config->n_upstreams; i++) {
        wants = wants || wants_token(&config->upstreams[i].forward);
    }
    for (size_t i = 0; i < config->n_listeners; i++) {
        wants = wants || config->listeners[i].jwks_path.value;
    }
    return wants;
}

static enum hf_err make_signer(struct build *build)
{
    const struct hf_cfg_signing *cfg = &build->config->signing;
    EVP_PKEY *const *keys = NULL;
    size_t n_keys = hf_materials_token_keys(build->materials, &keys);
    if (!wants_signer(build->config)) {
        return HF_OK;
    }
    if (n_keys == 0) {
        HF_TRY(own_key(&build->env->teller));
        keys = &build->env->teller.token_key;
        n_keys = 1;
    }
    const struct hf_signer_options options = {.keys = keys,
                                              .n_keys = n_keys,
                                              .issuer = cfg->issuer.value,
                                              .lifetime_s = cfg->lifetime_ms / 1000,
                                              .rng = build->env->rng};
    struct hf_mark mark = cfg->keys.n ? cfg->keys.item[0].mark : cfg->issuer.mark;
    return report(build, mark, hf_signer_new(&options, &build->teller->signer));
}

static enum hf_err make_forward(struct build *build, const struct hf_cfg_upstream *upstream,
                                struct hf_forward **out)
{
    const struct hf_cfg_forward *cfg = &upstream->forward;
    HF_CLEANUP(hf_freep)
    struct hf_forward_header *headers = hf_alloc_zero(cfg->headers.n + 1, sizeof(*headers));
    if (!headers) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < cfg->headers.n; i++) {
        headers[i] =
            (struct hf_forward_header){cfg->headers.item[i].name, cfg->headers.item[i].value};
    }
    const char *audience = cfg->token.audience.value;
    const struct hf_forward_options options = {
        .identity = hf_cfg_words_bits(&cfg->identity),
        .address = hf_cfg_words_bits(&cfg->address),
        .xfcc_mode = cfg->xfcc_mode,
        .xfcc_parts = hf_cfg_words_bits(&cfg->xfcc_parts),
        .headers = headers,
        .n_headers = cfg->headers.n,
        .token_header = cfg->token.header.value,
        .token_audience = audience ? audience : upstream->name,
        .signer = build->teller->signer,
        .strip = build->teller->strip,
        .trace = cfg->trace,
        .request_id = cfg->request_id,
        .unverified = cfg->unsafe_unverified,
        .value_max = cfg->value_max,
    };
    return report(build, upstream->forward_mark, hf_forward_new(&options, out));
}

/* The log's own sink where it is the same place: two sinks of one file would mix their lines. */
static enum hf_err make_log(struct build *build, const struct hf_cfg_listener *listener,
                            struct hf_teller_log *out)
{
    static const enum hf_access_format formats[] = {[HF_CFG_ACCESS_LOG] = HF_ACCESS_FIELDS,
                                                    [HF_CFG_ACCESS_JSON] = HF_ACCESS_FIELDS,
                                                    [HF_CFG_ACCESS_TEXT] = HF_ACCESS_FIELDS,
                                                    [HF_CFG_ACCESS_COMBINED] = HF_ACCESS_COMBINED,
                                                    [HF_CFG_ACCESS_OFF] = HF_ACCESS_OFF};
    const struct hf_cfg_access *cfg = &listener->access;
    const char *to = cfg->to.value;
    bool elsewhere = to && strcmp(to, build->config->log.to.value) != 0;
    if (build->env->log) {
        out->log = *build->env->log;
    }
    if (elsewhere && cfg->format != HF_CFG_ACCESS_OFF) {
        struct hf_logsink *sink;
        HF_TRY(report(build, cfg->to.mark, sink_of(build->env, to, out->log.format, &sink)));
        enum hf_log_format format = out->log.format;
        out->log = hf_logsink_log(sink, HF_LOG_INFO);
        out->log.format = format;
    }
    if (cfg->format == HF_CFG_ACCESS_JSON || cfg->format == HF_CFG_ACCESS_TEXT) {
        out->log.format = cfg->format == HF_CFG_ACCESS_JSON ? HF_LOG_JSON : HF_LOG_TEXT;
    }
    enum hf_access_format format = !out->log.write   ? HF_ACCESS_OFF
                                   : cfg->tmpl.value ? HF_ACCESS_TEMPLATE
                                                     : formats[cfg->format];
    return report(build, cfg->tmpl.mark, hf_access_new(format, cfg->tmpl.value, &out->access));
}

static enum hf_err fill(struct build *build)
{
    struct hf_teller *teller = build->teller;
    const struct hf_config *config = build->config;
    teller->forwards = hf_alloc_zero(config->n_upstreams + 1, sizeof(*teller->forwards));
    teller->logs = hf_alloc_zero(config->n_listeners + 1, sizeof(*teller->logs));
    if (!teller->forwards || !teller->logs) {
        return HF_E_NOMEM;
    }
    HF_TRY(make_strip(build));
    HF_TRY(make_signer(build));
    for (; teller->n_forwards < config->n_upstreams; teller->n_forwards++) {
        HF_TRY(make_forward(build, &config->upstreams[teller->n_forwards],
                            &teller->forwards[teller->n_forwards]));
    }
    for (size_t i = 0; i < config->n_listeners; i++) {
        teller->n_logs++;
        if (config->listeners[i].mode == HF_MODE_HTTP) {
            HF_TRY(make_log(build, &config->listeners[i], &teller->logs[i]));
        }
    }
    return HF_OK;
}

enum hf_err hf_teller_new(struct hf_snapshot_env *env, const struct hf_config *config,
                          const struct hf_materials *materials, struct hf_findings *findings,
                          struct hf_teller **out)
{
    struct build build = {env, config, materials, findings, HF_NEW(struct hf_teller)};
    *out = NULL;
    if (!build.teller) {
        return HF_E_NOMEM;
    }
    enum hf_err err = fill(&build);
    if (err != HF_OK) {
        hf_teller_free(build.teller);
        return err;
    }
    *out = build.teller;
    return HF_OK;
}

void hf_teller_free(struct hf_teller *teller)
{
    if (!teller) {
        return;
    }
    for (size_t i = 0; i < teller->n_forwards; i++) {
        hf_forward_unref(teller->forwards[i]);
    }
    for (size_t i = 0; i < teller->n_logs; i++) {
        hf_access_free(teller->logs[i].access);
    }
    hf_free(teller->forwards);
    hf_free(teller->logs);
    hf_strip_unref(teller->strip);
    hf_signer_unref(teller->signer);
    hf_free(teller);
}
