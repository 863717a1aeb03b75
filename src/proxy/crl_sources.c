// SPDX-License-Identifier: Apache-2.0
/*
 * Which trust a feed's lists are for isn't remembered but asked each time, by the config: those
 * that name its URL, and those that allow its place. A list in a trust too many is harmless: it
 * speaks for what its issuer's key has signed.
 */
#include "proxy/crl_sources.h"

#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "pki/write.h"
#include "proxy/crl_points.h"

enum {
    GATHER_MS = 20, /* lists that change in near succession are told once */
    PEM_MAX = 4 << 20,
};

struct hf_crl_sources {
    struct hf_crl_host host;
    struct hf_map feeds; /* by URL, owned */
    struct hf_timer gather;
    void (*on_change)(void *ctx);
    void *ctx;
    bool said_full;
};

/* --- Who wants what -----------------------------------------------------------------------------
 */

static bool names_url(const struct hf_cfg_crl *crl, const char *url)
{
    for (size_t i = 0; i < crl->urls.n; i++) {
        if (strcmp(crl->urls.item[i].value, url) == 0) {
            return true;
        }
    }
    return false;
}

static bool allows_place(const struct hf_cfg_crl *crl, const char *url)
{
    for (size_t i = 0; i < crl->from.n; i++) {
        if (hf_fetch_is_at(url, crl->from.item[i].value)) {
            return true;
        }
    }
    return false;
}

static bool wants(const struct hf_cfg_crl *crl, const char *url)
{
    return names_url(crl, url) || allows_place(crl, url);
}

static const struct hf_cfg_trust *trust_of(const struct hf_config *config, const char *name)
{
    for (size_t i = 0; i < config->n_trusts; i++) {
        if (strcmp(config->trusts[i].name, name) == 0) {
            return &config->trusts[i];
        }
    }
    return NULL;
}

/* Adds what one trust asks for to the terms of a URL. */
static void join_terms(const struct hf_cfg_crl *crl, struct hf_crl_terms *terms)
{
    bool first = terms->max_size == 0;
    if (first || crl->refresh_ms < terms->refresh_ms) {
        terms->refresh_ms = crl->refresh_ms;
    }
    if (first || crl->fetch_timeout_ms > terms->timeout_ms) {
        terms->timeout_ms = crl->fetch_timeout_ms;
    }
    if (first || crl->max_size > terms->max_size) {
        terms->max_size = crl->max_size;
    }
}

/* What a URL is fetched with: by all trusts of the config that want it. */
static enum hf_err terms_of(const struct hf_config *config, const struct hf_materials *materials,
                            const char *url, struct hf_buf *pem, struct hf_crl_terms *out)
{
    const struct hf_trust *roots = NULL;
    *out = (struct hf_crl_terms){0};
    for (size_t i = 0; i < config->n_trusts; i++) {
        const struct hf_cfg_crl *crl = &config->trusts[i].crl;
        if (wants(crl, url)) {
            join_terms(crl, out);
            roots =
                !roots && crl->url_trust ? hf_materials_trust(materials, crl->url_trust) : roots;
        }
    }
    if (roots) {
        HF_TRY(hf_chain_write_pem(hf_trust_roots(roots), pem));
    }
    out->roots_pem = hf_buf_bytes(pem);
    return HF_OK;
}

/* --- Feeds --------------------------------------------------------------------------------------
 */

struct wish {
    struct hf_crl_sources *sources;
    const struct hf_config *config;
    const struct hf_materials *materials;
    const struct hf_cfg_crl *crl; /* the trust whose certificates are looked at */
};

static enum hf_err make_feed(const struct wish *wish, const char *url,
                             const struct hf_crl_terms *terms)
{
    struct hf_crl_sources *sources = wish->sources;
    struct hf_crl_feed *feed = NULL;
    HF_TRY(hf_crl_feed_new(&sources->host, url, terms, &feed));
    enum hf_err err = hf_map_put(&sources->feeds, hf_bytes_str(url), feed);
    if (err != HF_OK) {
        hf_crl_feed_free(feed);
        return err;
    }
    hf_crl_feed_ask(feed); /* once it has a loop */
    return HF_OK;
}

/* The feed of this URL, made or brought up to date. */
static enum hf_err want_url(struct wish *wish, const char *url)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(PEM_MAX);
    struct hf_crl_terms terms;
    struct hf_crl_sources *sources = wish->sources;
    struct hf_crl_feed *feed = hf_map_get(&sources->feeds, hf_bytes_str(url));
    if (!feed && sources->feeds.n_entries >= HF_CRL_FEEDS_MAX) {
        if (!sources->said_full) {
            hf_log_say(sources->host.log, HF_LOG_ERROR, "crl-unreachable",
                       "there are %d URLs of lists already; %s and others are not fetched",
                       HF_CRL_FEEDS_MAX, url);
        }
        sources->said_full = true;
        return HF_OK;
    }
    HF_TRY(terms_of(wish->config, wish->materials, url, &pem, &terms));
    return feed ? hf_crl_feed_set(feed, &terms) : make_feed(wish, url, &terms);
}

/* A URL that a certificate names, or that something was kept for: only where a trust allows it. */
static void want_found(void *ctx, const char *url)
{
    struct wish *wish = ctx;
    if (!allows_place(wish->crl, url)) {
        return;
    }
    if (want_url(wish, url) != HF_OK) {
        hf_log_say(wish->sources->host.log, HF_LOG_ERROR, "crl-unreachable",
                   "%s is named by a certificate, but can't be fetched: %s", url, hf_err_text());
    }
}

static enum hf_err want_kept(void *ctx, const char *url)
{
    struct wish *wish = ctx;
    for (size_t i = 0; i < wish->config->n_trusts; i++) {
        wish->crl = &wish->config->trusts[i].crl;
        want_found(wish, url);
    }
    return HF_OK;
}

static enum hf_err want_roots(struct wish *wish, const struct hf_cfg_trust *cfg)
{
    const struct hf_trust *trust = hf_materials_trust(wish->materials, cfg);
    const struct hf_chain *roots = trust ? hf_trust_roots(trust) : NULL;
    bool is_new;
    for (size_t i = 0; roots && i < roots->n_certs; i++) {
        HF_TRY(hf_crl_provers_add(&wish->sources->host.provers, roots->certs[i], &is_new));
    }
    return HF_OK;
}

static enum hf_err want_trust(struct wish *wish, const struct hf_cfg_trust *cfg,
                              struct hf_findings *findings)
{
    const struct hf_trust *trust = hf_materials_trust(wish->materials, cfg);
    const struct hf_chain *roots = trust ? hf_trust_roots(trust) : NULL;
    wish->crl = &cfg->crl;
    for (size_t i = 0; i < cfg->crl.urls.n; i++) {
        enum hf_err err = want_url(wish, cfg->crl.urls.item[i].value);
        if (err == HF_E_INVALID) {
            hf_findings_add(findings, HF_FINDING_BAD_VALUE, cfg->crl.urls.item[i].mark, "urls: %s",
                            hf_err_text());
            return HF_E_CONFIG;
        }
        HF_TRY(err);
    }
    for (size_t i = 0; roots && cfg->crl.from.n && i < roots->n_certs; i++) {
        hf_crl_points(roots->certs[i], want_found, wish);
    }
    return HF_OK;
}

enum hf_err hf_crl_sources_want(struct hf_crl_sources *sources, const struct hf_config *config,
                                const struct hf_materials *materials, struct hf_findings *findings)
{
    struct wish wish = {.sources = sources, .config = config, .materials = materials};
    for (size_t i = 0; i < config->n_trusts; i++) { /* first, as they prove what was kept */
        HF_TRY(want_roots(&wish, &config->trusts[i]));
    }
    for (size_t i = 0; i < config->n_trusts; i++) {
        HF_TRY(want_trust(&wish, &config->trusts[i], findings));
    }
    return hf_crl_store_urls(sources->host.state, want_kept, &wish);
}

static bool is_wanted(const struct hf_config *config, const char *url)
{
    for (size_t i = 0; i < config->n_trusts; i++) {
        if (wants(&config->trusts[i].crl, url)) {
            return true;
        }
    }
    return false;
}

/* What was kept stays on disk: the trust may come back. */
void hf_crl_sources_settle(struct hf_crl_sources *sources, const struct hf_config *config)
{
    size_t at = 0;
    for (struct hf_crl_feed *feed; (feed = hf_map_next(&sources->feeds, &at));) {
        if (!is_wanted(config, feed->url)) {
            hf_map_remove(&sources->feeds, hf_bytes_str(feed->url));
            hf_crl_feed_free(feed);
        }
    }
}

/* --- What is known ------------------------------------------------------------------------------
 */

enum hf_err hf_crl_sources_fetched(const struct hf_crl_sources *sources,
                                   const struct hf_config *config, struct hf_ledger_fetched **out,
                                   size_t *out_n)
{
    struct hf_ledger_fetched *all =
        hf_alloc_zero(sources->feeds.n_entries * config->n_trusts + 1, sizeof(*all));
    size_t n = 0, at = 0;
    if (!all) {
        return HF_E_NOMEM;
    }
    for (const struct hf_crl_feed *feed; (feed = hf_map_next(&sources->feeds, &at));) {
        for (size_t i = 0; i < config->n_trusts && feed->lists.n; i++) {
            if (wants(&config->trusts[i].crl, feed->url)) {
                all[n++] = (struct hf_ledger_fetched){config->trusts[i].name, &feed->lists};
            }
        }
    }
    *out = all;
    *out_n = n;
    return HF_OK;
}

const struct hf_crl_feed *hf_crl_sources_next(const struct hf_crl_sources *sources, size_t *at)
{
    return hf_map_next(&sources->feeds, at);
}

static void on_gathered(struct hf_timer *timer)
{
    struct hf_crl_sources *sources = HF_CONTAINER_OF(timer, struct hf_crl_sources, gather);
    sources->on_change(sources->ctx);
}

static void on_feed_change(void *ctx)
{
    struct hf_crl_sources *sources = ctx;
    if (!hf_timer_armed(&sources->gather)) {
        hf_timer_set(sources->host.loop, &sources->gather, GATHER_MS);
    }
}

/* --- Meeting certificates -----------------------------------------------------------------------
 */

/* Lists that came before their issuer was known are looked at again. */
static void prove_all(struct hf_crl_sources *sources)
{
    size_t at = 0;
    bool dropped = false;
    for (struct hf_crl_feed *feed; (feed = hf_map_next(&sources->feeds, &at));) {
        dropped = hf_crl_feed_prove(feed) || dropped;
        if (feed->error[0]) { /* perhaps refused for want of this issuer */
            hf_crl_feed_ask(feed);
        }
    }
    if (dropped) {
        on_feed_change(sources);
    }
}

void hf_crl_sources_meet(struct hf_crl_sources *sources, const struct hf_config *config,
                         const struct hf_materials *materials, const char *trust,
                         const struct hf_chain *path)
{
    const struct hf_cfg_trust *cfg = trust_of(config, trust);
    struct wish wish = {.sources = sources, .config = config, .materials = materials};
    bool any_new = false;
    if (!cfg || !sources->host.loop) {
        return;
    }
    wish.crl = &cfg->crl;
    for (size_t i = 0; i < path->n_certs; i++) {
        bool is_new = false;
        if (i > 0 && hf_crl_provers_add(&sources->host.provers, path->certs[i], &is_new) != HF_OK) {
            continue; /* without memory it is met another time */
        }
        any_new = any_new || is_new;
        hf_crl_points(path->certs[i], want_found, &wish);
    }
    if (any_new) {
        prove_all(sources);
    }
}

struct awaited {
    struct hf_crl_sources *sources;
    const struct hf_cfg_crl *crl;
    hf_crl_await_fn *fn;
    void *ctx;
};

static void await_url(struct awaited *awaited, const char *url)
{
    struct hf_crl_feed *feed = hf_map_get(&awaited->sources->feeds, hf_bytes_str(url));
    if (feed && feed->awaited) {
        awaited->fn(awaited->ctx, feed);
    }
}

static void await_point(void *ctx, const char *url)
{
    struct awaited *awaited = ctx;
    if (allows_place(awaited->crl, url)) {
        await_url(awaited, url);
    }
}

void hf_crl_sources_await(struct hf_crl_sources *sources, const struct hf_config *config,
                          const char *trust, const struct hf_chain *path, hf_crl_await_fn *fn,
                          void *ctx)
{
    const struct hf_cfg_trust *cfg = trust_of(config, trust);
    if (!cfg) {
        return;
    }
    struct awaited awaited = {sources, &cfg->crl, fn, ctx};
    for (size_t i = 0; i < cfg->crl.urls.n; i++) {
        await_url(&awaited, cfg->crl.urls.item[i].value);
    }
    for (size_t i = 0; i < path->n_certs; i++) {
        hf_crl_points(path->certs[i], await_point, &awaited);
    }
}

void hf_crl_sources_taught(struct hf_crl_sources *sources)
{
    size_t at = 0;
    for (struct hf_crl_feed *feed; (feed = hf_map_next(&sources->feeds, &at));) {
        hf_crl_feed_taught(feed);
    }
}

const atomic_uint *hf_crl_sources_n_awaited(const struct hf_crl_sources *sources)
{
    return &sources->host.n_awaited;
}

void hf_crl_sources_ask(struct hf_crl_sources *sources)
{
    size_t at = 0;
    for (struct hf_crl_feed *feed; (feed = hf_map_next(&sources->feeds, &at));) {
        hf_crl_feed_ask(feed);
    }
}

/* --- Life ---------------------------------------------------------------------------------------
 */

enum hf_err hf_crl_sources_new(const struct hf_crl_env *env, struct hf_crl_sources **out)
{
    struct hf_crl_sources *sources = HF_NEW(struct hf_crl_sources);
    if (!sources) {
        return HF_E_NOMEM;
    }
    sources->host = (struct hf_crl_host){.clock = env->clock,
                                         .rng = env->rng,
                                         .log = env->log,
                                         .metrics = env->metrics,
                                         .shard = env->shard,
                                         .state = env->state,
                                         .on_change = on_feed_change,
                                         .ctx = sources};
    sources->gather.on_due = on_gathered;
    *out = sources;
    return HF_OK;
}

enum hf_err hf_crl_sources_start(struct hf_crl_sources *sources, struct hf_loop *loop,
                                 void (*on_change)(void *ctx), void *ctx)
{
    HF_TRY(hf_crl_store_make(sources->host.state));
    HF_TRY(hf_fetcher_new(loop, &sources->host.fetcher));
    sources->host.loop = loop;
    sources->on_change = on_change;
    sources->ctx = ctx;
    hf_crl_sources_ask(sources);
    return HF_OK;
}

void hf_crl_sources_free(struct hf_crl_sources *sources)
{
    size_t at = 0;
    if (!sources) {
        return;
    }
    for (struct hf_crl_feed *feed; (feed = hf_map_next(&sources->feeds, &at));) {
        hf_crl_feed_free(feed);
    }
    hf_timer_cancel(&sources->gather);
    hf_fetcher_free(sources->host.fetcher);
    hf_crl_provers_done(&sources->host.provers);
    hf_map_done(&sources->feeds);
    hf_free(sources);
}
