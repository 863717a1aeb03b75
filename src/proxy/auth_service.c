// SPDX-License-Identifier: Apache-2.0
#include "proxy/auth_service.h"

#include <string.h>

#include "base/base64.h"
#include "base/map.h"
#include "base/mem.h"
#include "base/secret.h"
#include "os/thread.h"
#include "policy/jwt.h"

enum { PEM_MAX = 16 << 20, PEM_LINE = 48 /* bytes, 64 digits */ };

/* What is remembered of a password is that it was right: the key says it all. */
static void ref_nothing(void *value)
{
    (void)value;
}

static const struct hf_cache_ops nothing_ops = {ref_nothing, ref_nothing};

static unsigned n_threads(void)
{
    unsigned n = hf_n_cpus();
    return n < HF_AUTH_THREADS_MAX ? n : HF_AUTH_THREADS_MAX;
}

static enum hf_err make_password_key(struct hf_auth_service *service)
{
    uint8_t key[32];
    enum hf_err err = hf_rng_fill(service->rng, hf_span_of(key, sizeof(key)));
    if (err == HF_OK) {
        hf_hmac_init(&service->password_key, HF_HASH_SHA256, hf_bytes_of(key, sizeof(key)));
    }
    hf_wipe(key, sizeof(key));
    return err;
}

static enum hf_err fill(struct hf_auth_service *service)
{
    HF_TRY(make_password_key(service));
    HF_TRY(hf_jwt_cache_new(HF_AUTH_TOKENS, &service->tokens));
    HF_TRY(hf_cache_new(HF_AUTH_TOKENS, &nothing_ops, &service->passwords));
    HF_TRY(hf_rate_new(&service->failures));
    return hf_jobs_new("hf-password", n_threads(), HF_AUTH_QUEUE, &service->jobs);
}

enum hf_err hf_auth_service_new(const struct hf_clock *clock, const struct hf_rng *rng,
                                struct hf_log *log, struct hf_metrics *metrics, unsigned n_workers,
                                struct hf_auth_service **out)
{
    *out = NULL;
    struct hf_auth_service *service = HF_NEW(struct hf_auth_service);
    if (!service) {
        return HF_E_NOMEM;
    }
    service->clock = clock;
    service->rng = rng;
    service->log = log;
    service->metrics = metrics;
    service->n_workers = n_workers;
    enum hf_err err = fill(service);
    if (err != HF_OK) {
        hf_auth_service_free(service);
        return err;
    }
    *out = service;
    return HF_OK;
}

enum hf_err hf_auth_service_start(struct hf_auth_service *service, struct hf_loop *control,
                                  struct hf_loop *const *loops)
{
    size_t at = 0;
    HF_TRY(hf_fetcher_new(control, &service->host.fetcher));
    service->loops = hf_alloc_zero(service->n_workers, sizeof(struct hf_loop *));
    if (!service->loops) {
        return HF_E_NOMEM;
    }
    memcpy(service->loops, loops, service->n_workers * sizeof(struct hf_loop *));
    service->host.loop = control;
    service->host.workers = service->loops;
    service->host.n_workers = service->n_workers;
    for (struct hf_jwks_feed *feed; (feed = hf_map_next(&service->feeds, &at));) {
        hf_jwks_feed_start(feed, &service->host);
    }
    return HF_OK;
}

void hf_auth_service_stop(struct hf_auth_service *service)
{
    size_t at = 0;
    if (!service) {
        return;
    }
    for (struct hf_jwks_feed *feed; (feed = hf_map_next(&service->feeds, &at));) {
        hf_jwks_feed_stop(feed);
    }
    hf_fetcher_free(HF_TAKE(service->host.fetcher));
    hf_jobs_free(HF_TAKE(service->jobs));
    service->host = (struct hf_jwks_host){0};
}

void hf_auth_service_free(struct hf_auth_service *service)
{
    size_t at = 0;
    if (!service) {
        return;
    }
    hf_auth_service_stop(service);
    for (struct hf_jwks_feed *feed; (feed = hf_map_next(&service->feeds, &at));) {
        hf_jwks_feed_free(feed);
    }
    hf_map_done(&service->feeds);
    hf_free(service->loops);
    hf_rate_free(service->failures);
    hf_cache_free(service->tokens);
    hf_cache_free(service->passwords);
    hf_hmac_done(&service->password_key);
    hf_free(service);
}

/* --- Sets ---------------------------------------------------------------------------------------
 */

static enum hf_err append_pem(struct hf_buf *out, struct hf_bytes der)
{
    HF_TRY(hf_buf_append_str(out, "-----BEGIN CERTIFICATE-----\n"));
    while (der.len) {
        struct hf_bytes line = hf_bytes_of(der.ptr, der.len < PEM_LINE ? der.len : PEM_LINE);
        HF_TRY(hf_base64_encode(line, out));
        HF_TRY(hf_buf_append_str(out, "\n"));
        der = hf_bytes_from(der, line.len);
    }
    return hf_buf_append_str(out, "-----END CERTIFICATE-----\n");
}

static enum hf_err append_roots(struct hf_buf *out, const struct hf_trust *trust)
{
    const struct hf_chain *roots = hf_trust_roots(trust);
    for (size_t i = 0; i < roots->n_certs; i++) {
        HF_TRY(append_pem(out, roots->certs[i]->der));
    }
    return HF_OK;
}

/* The feed of this URL and these roots, made at its first use. */
static enum hf_err feed_of(struct hf_auth_service *service, const struct hf_cfg_jwt *jwt,
                           const struct hf_materials *materials, struct hf_jwks_feed **out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(PEM_MAX);
    HF_CLEANUP(hf_buf_done) struct hf_buf key = HF_BUF_INIT(PEM_MAX);
    const struct hf_trust *trust =
        jwt->jwks_trust ? hf_materials_trust(materials, jwt->jwks_trust) : NULL;
    if (trust) {
        HF_TRY(append_roots(&pem, trust));
        HF_TRY(hf_buf_append(&key, hf_bytes_of(hf_trust_id(trust), HF_SHA256_SIZE)));
    }
    HF_TRY(hf_buf_append_str(&key, jwt->jwks.value));
    struct hf_jwks_feed *feed = hf_map_get(&service->feeds, hf_buf_bytes(&key));
    if (!feed) {
        struct hf_jwks_source source = {jwt->jwks.value, hf_buf_bytes(&pem), jwt->refresh_ms};
        HF_TRY(hf_jwks_feed_new(&source, service->n_workers, service->log, service->metrics,
                                service->rng, &feed));
        enum hf_err err = hf_map_put(&service->feeds, hf_buf_bytes(&key), feed);
        if (err != HF_OK) {
            hf_jwks_feed_free(feed);
            return err;
        }
        if (service->host.loop) {
            hf_jwks_feed_start(feed, &service->host);
        }
    }
    hf_jwks_feed_use(feed, jwt->refresh_ms);
    *out = feed;
    return HF_OK;
}

static enum hf_err make_item(struct hf_auth_service *service, const struct hf_cfg_auth *auth,
                             const struct hf_materials *materials, struct hf_findings *findings,
                             struct hf_auth_item *out)
{
    out->users = hf_materials_users(materials, auth);
    out->keys = hf_materials_keys(materials, auth);
    if (!auth->jwt_on || !auth->jwt.jwks_is_url) {
        return HF_OK;
    }
    enum hf_err err = hf_fetch_check_url(auth->jwt.jwks.value, false);
    if (err != HF_OK) {
        hf_findings_add(findings, HF_FINDING_BAD_VALUE, auth->jwt.jwks.mark, "jwks: %s",
                        hf_err_text());
        return HF_E_CONFIG;
    }
    return feed_of(service, &auth->jwt, materials, &out->feed);
}

enum hf_err hf_auth_set_new(struct hf_auth_service *service, const struct hf_config *config,
                            const struct hf_materials *materials, struct hf_findings *findings,
                            struct hf_auth_set **out)
{
    *out = NULL;
    struct hf_auth_set *set = HF_NEW(struct hf_auth_set);
    struct hf_auth_item *items = hf_alloc_zero(config->n_auth, sizeof(*items));
    enum hf_err err = set && items ? HF_OK : HF_E_NOMEM;
    if (set) {
        *set = (struct hf_auth_set){config, items, items ? config->n_auth : 0};
    } else {
        hf_free(items);
    }
    for (size_t i = 0; err == HF_OK && i < config->n_auth; i++) {
        err = make_item(service, &config->auth[i], materials, findings, &items[i]);
    }
    if (err != HF_OK) {
        hf_auth_set_free(set);
        return err;
    }
    *out = set;
    return HF_OK;
}

void hf_auth_set_free(struct hf_auth_set *set)
{
    for (size_t i = 0; set && i < set->n_items; i++) {
        if (set->items[i].feed) {
            hf_jwks_feed_release(set->items[i].feed);
        }
    }
    if (set) {
        hf_free(set->items);
        hf_free(set);
    }
}
