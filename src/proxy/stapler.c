// SPDX-License-Identifier: Apache-2.0
/*
 * One item for each certificate of ours whose answer is fetched, found by the certificate's hash,
 * so that a reload that keeps the certificate keeps its answer.
 */
#include "proxy/stapler.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/list.h"
#include "base/mem.h"
#include "os/file.h"
#include "pki/ocsp_answer.h"
#include "pki/ocsp_request.h"
#include "watch/fetch.h"

enum {
    TIMEOUT_MS = 20000,
    LEAST_MS = 1000,
    LONGEST_MS = 24 * 3600 * 1000,
    NAME_SIZE = 2 * HF_SHA256_SIZE + 5
};

enum { SKEW_S = 60, OPEN_S = 3600 };

struct item {
    struct hf_link link;
    struct hf_stapler *stapler;
    char *name; /* of the identity */
    struct hf_cert *cert, *issuer;
    char *url;
    char *path; /* of the file; NULL: there is no state folder */
    struct hf_buf der;
    struct hf_ocsp_known *known; /* what der says; NULL: nothing is shown */
    struct hf_fetch *fetch;
    struct hf_timer timer;
    unsigned n_failures;
    bool wanted; /* by the snapshot that is gone through */
    struct hf_series *good, *failed, *until;
};

struct hf_stapler {
    struct hf_stapler_env env;
    struct hf_fetcher *fetcher;
    struct hf_snapshot *snapshot; /* that runs; a reference */
    struct hf_link items;
};

static int64_t now_s(const struct hf_stapler *stapler)
{
    return hf_clock_wall_s(stapler->env.clock);
}

/* The responder's clock may go a little before ours. The end is not stretched: whoever is shown the
 * answer looks at it by a clock of their own. */
static void age_of(const struct hf_ocsp_known *known, int64_t now, struct hf_ocsp_aged *out)
{
    static const struct hf_ocsp_dates strict = {.open_s = OPEN_S};
    static const struct hf_ocsp_dates lenient = {.skew_s = SKEW_S, .open_s = OPEN_S};
    struct hf_ocsp_aged begun;
    hf_ocsp_known_at(known, now, &strict, out);
    hf_ocsp_known_at(known, now, &lenient, &begun);
    if (out->age == HF_OCSP_NOT_YET && begun.age == HF_OCSP_FRESH) {
        out->age = HF_OCSP_FRESH;
    }
}

/* --- Showing ------------------------------------------------------------------------------------
 */

static void set_staple(const struct item *item, struct hf_tls_ctx *tls,
                       const struct hf_credential *credential, struct hf_bytes der)
{
    if (tls && hf_tls_ctx_set_staple(tls, credential, der) != HF_OK) {
        hf_log_say(item->stapler->env.log, HF_LOG_ERROR, "staple", "identity \"%s\": %s",
                   item->name, hf_err_text());
    }
}

/* To every context of the snapshot that shows the certificate. */
static void show(const struct item *item, const struct hf_snapshot *snapshot)
{
    struct hf_bytes der = item->known ? hf_buf_bytes(&item->der) : (struct hf_bytes){0};
    for (size_t i = 0; i < snapshot->config->n_identities; i++) {
        const struct hf_credential *credential =
            hf_materials_identity(snapshot->materials, &snapshot->config->identities[i]);
        if (!credential || !snapshot->config->identities[i].fetch_staple ||
            memcmp(credential->chain->certs[0]->sha256, item->cert->sha256, HF_SHA256_SIZE) != 0) {
            continue;
        }
        for (size_t k = 0; k < snapshot->n_doors; k++) {
            set_staple(item, snapshot->doors[k].tls, credential, der);
        }
        for (size_t k = 0; k < snapshot->n_upstreams; k++) {
            set_staple(item, snapshot->upstreams[k].tls, credential, der);
        }
    }
}

static void show_now(const struct item *item)
{
    if (item->stapler->snapshot) {
        show(item, item->stapler->snapshot);
    }
    hf_series_set(item->until, item->stapler->env.shard,
                  item->known ? item->known->said.next_update : 0);
}

/* --- When to ask --------------------------------------------------------------------------------
 */

/* A tenth more or less, so that a fleet doesn't ask as one. */
static int64_t jittered(const struct hf_stapler *stapler, int64_t ms)
{
    uint32_t random = 0;
    if (hf_rng_fill(stapler->env.rng, hf_span_of(&random, sizeof(random))) != HF_OK) {
        return ms;
    }
    return ms - ms / 10 + random % (ms / 5 + 1);
}

/* At half the answer's time; sooner after failures, and at its very end. */
static void arm(struct item *item)
{
    struct hf_stapler *stapler = item->stapler;
    int64_t wait_ms = LONGEST_MS;
    struct hf_ocsp_aged aged = {0};
    if (item->known) {
        age_of(item->known, now_s(stapler), &aged);
        int64_t half = (aged.fresh_until - item->known->got_at) / 2;
        int64_t due = item->known->got_at + half - now_s(stapler);
        int64_t left = aged.fresh_until - now_s(stapler) + 1;
        wait_ms = jittered(stapler, (due > 0 ? due : 0) * 1000);
        if (item->n_failures && left * 1000 < wait_ms) {
            wait_ms = left * 1000;
        }
    }
    if (item->n_failures) {
        unsigned doublings = item->n_failures - 1 < 10 ? item->n_failures - 1 : 10;
        int64_t retry = (int64_t)HF_STAPLER_RETRY_MS << doublings;
        retry =
            jittered(stapler, retry < HF_STAPLER_RETRY_MAX_MS ? retry : HF_STAPLER_RETRY_MAX_MS);
        bool ends_first = item->known && (aged.fresh_until - now_s(stapler) + 1) * 1000 < retry;
        wait_ms = ends_first ? (aged.fresh_until - now_s(stapler) + 1) * 1000 : retry;
    }
    wait_ms = wait_ms < LEAST_MS ? LEAST_MS : wait_ms > LONGEST_MS ? LONGEST_MS : wait_ms;
    hf_timer_set(stapler->env.loop, &item->timer, wait_ms);
}

/* An answer that has ended is shown no longer. */
static void retire(struct item *item)
{
    struct hf_ocsp_aged aged;
    if (!item->known) {
        return;
    }
    age_of(item->known, now_s(item->stapler), &aged);
    if (aged.age != HF_OCSP_FRESH) {
        hf_log_say(item->stapler->env.log, HF_LOG_ERROR, "staple",
                   "identity \"%s\": the OCSP answer has ended, and none is shown until %s answers",
                   item->name, item->url);
        hf_ocsp_known_unref(HF_TAKE(item->known));
        show_now(item);
    }
}

/* --- Answers ------------------------------------------------------------------------------------
 */

/* Good, fresh, and by whom it may be: only then it is ours. */
static enum hf_err take(struct item *item, struct hf_bytes der)
{
    struct hf_ocsp_answer *answer HF_CLEANUP(hf_ocsp_answer_unrefp) = NULL;
    struct hf_ocsp_known *known HF_CLEANUP(hf_ocsp_known_unrefp) = NULL;
    const struct hf_ocsp_origin origin = {.from = item->url, .got_at = now_s(item->stapler)};
    struct hf_ocsp_aged aged;
    HF_TRY(hf_ocsp_answer_read(der, &answer));
    HF_TRY(hf_ocsp_known_new(answer, item->cert, item->issuer, &origin, &known));
    age_of(known, now_s(item->stapler), &aged);
    if (known->said.status != HF_OCSP_GOOD) {
        return hf_fail(HF_E_DENIED, "it calls our certificate %s",
                       hf_ocsp_status_name(known->said.status));
    }
    if (aged.age != HF_OCSP_FRESH) {
        return hf_fail(HF_E_DENIED, "the answer is not of now");
    }
    if (item->known && known->said.this_update < item->known->said.this_update) {
        return hf_fail(HF_E_MISMATCH, "the answer is older than the one that is shown");
    }
    HF_CLEANUP(hf_buf_done) struct hf_buf copy = HF_BUF_INIT(HF_OCSP_ANSWER_MAX);
    HF_TRY(hf_buf_append(&copy, der));
    struct hf_buf old = item->der;
    item->der = copy;
    copy = old;
    hf_ocsp_known_unref(item->known);
    item->known = HF_TAKE(known);
    return HF_OK;
}

static void keep(const struct item *item)
{
    if (item->path && hf_file_write_atomic(item->path, hf_buf_bytes(&item->der), 0600) != HF_OK) {
        hf_log_say(item->stapler->env.log, HF_LOG_WARN, "staple",
                   "identity \"%s\": the answer is shown, and not kept: %s", item->name,
                   hf_err_text());
    }
}

static void failed(struct item *item)
{
    if (item->n_failures++ == 0) {
        hf_log_say(item->stapler->env.log, item->known ? HF_LOG_WARN : HF_LOG_ERROR, "staple",
                   "identity \"%s\": no new OCSP answer: %s; %s", item->name, hf_err_text(),
                   item->known ? "the last one is shown until it ends" : "none is shown");
    }
    hf_series_add(item->failed, item->stapler->env.shard, 1);
}

static void on_fetched(void *ctx, enum hf_err err, const struct hf_fetch_answer *answer)
{
    struct item *item = ctx;
    item->fetch = NULL;
    if (err == HF_OK) {
        err = take(item, answer->body);
        err = err == HF_OK ? err : hf_fail_context(err, "%s", item->url);
    }
    if (err == HF_OK) {
        item->n_failures = 0;
        hf_series_add(item->good, item->stapler->env.shard, 1);
        keep(item);
        show_now(item);
        hf_log_say(item->stapler->env.log, HF_LOG_INFO, "staple",
                   "identity \"%s\": a new OCSP answer of %s is shown", item->name, item->url);
    } else {
        failed(item);
        retire(item);
    }
    arm(item);
}

/* Without a nonce: such answers may be made beforehand and for everybody (RFC 5019). */
static enum hf_err ask(struct item *item)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf request = HF_BUF_INIT(HF_OCSP_REQUEST_MAX);
    struct hf_ocsp_id id;
    HF_TRY(hf_ocsp_id_of(item->cert, item->issuer, HF_OCSP_SHA1, &id));
    HF_TRY(hf_ocsp_request_write(&id, 1, (struct hf_bytes){0}, &request));
    const struct hf_fetch_ask what = {
        .url = item->url,
        .allow_plain = true,
        .accept = HF_OCSP_ANSWER_TYPE,
        .post = hf_buf_bytes(&request),
        .post_type = HF_OCSP_REQUEST_TYPE,
        .max_bytes = HF_OCSP_ANSWER_MAX,
        .timeout_ms = TIMEOUT_MS,
    };
    return hf_fetch_start(item->stapler->fetcher, &what, on_fetched, item, &item->fetch);
}

static void on_due(struct hf_timer *timer)
{
    struct item *item = HF_CONTAINER_OF(timer, struct item, timer);
    retire(item);
    if (!item->fetch && ask(item) != HF_OK) {
        failed(item);
        arm(item);
    }
}

/* --- Items --------------------------------------------------------------------------------------
 */

static void item_free(struct item *item)
{
    hf_link_remove(&item->link);
    hf_timer_cancel(&item->timer);
    hf_fetch_cancel(item->fetch);
    hf_metrics_release(item->stapler->env.metrics, item->good);
    hf_metrics_release(item->stapler->env.metrics, item->failed);
    hf_metrics_release(item->stapler->env.metrics, item->until);
    hf_ocsp_known_unref(item->known);
    hf_cert_unref(item->cert);
    hf_cert_unref(item->issuer);
    hf_buf_done(&item->der);
    hf_free(item->name);
    hf_free(item->url);
    hf_free(item->path);
    hf_free(item);
}

static void make_series(struct item *item)
{
    struct hf_metrics *metrics = item->stapler->env.metrics;
    static const char name[] = "handfast_staple_fetches_total";
    static const char help[] = "Fetches of OCSP answers about our own certificates, by result.";
    item->good =
        hf_metrics_counter(metrics, name, help, "identity", item->name, "result", "good", NULL);
    item->failed =
        hf_metrics_counter(metrics, name, help, "identity", item->name, "result", "failed", NULL);
    item->until = hf_metrics_gauge(metrics, "handfast_staple_next_update_seconds",
                                   "Unix time of the next update of the OCSP answer that is shown; "
                                   "0: none is, or it has none.",
                                   "identity", item->name, NULL);
}

/* STATE/staples/HASH.der; the folder is made when it isn't there. */
static char *path_of(const char *state, const struct hf_cert *cert)
{
    char name[NAME_SIZE];
    char *folder = state ? hf_path_join(state, "staples") : NULL;
    hf_hex(hf_bytes_of(cert->sha256, sizeof(cert->sha256)), name);
    memcpy(name + NAME_SIZE - 5, ".der", 5);
    if (folder && mkdir(folder, 0700) != 0 && errno != EEXIST) {
        hf_free(HF_TAKE(folder));
    }
    char *path = folder ? hf_path_join(folder, name) : NULL;
    hf_free(folder);
    return path;
}

static enum hf_err choose_url(const struct hf_cfg_identity *cfg, const struct hf_cert *cert,
                              char **out)
{
    struct hf_ocsp_uris uris;
    const char *url = cfg->staple_responder.value;
    hf_ocsp_uris_of(cert, &uris);
    if (!url && uris.n == 0) {
        return hf_fail(HF_E_NOT_FOUND, "the certificate names no responder; set staple-responder");
    }
    *out = hf_strdup(url ? url : uris.uri[0]);
    return *out ? HF_OK : HF_E_NOMEM;
}

static enum hf_err fill(struct item *item, const struct hf_cfg_identity *cfg,
                        const struct hf_credential *credential, const char *state)
{
    const struct hf_chain *chain = credential->chain;
    item->name = hf_strdup(cfg->name);
    if (!item->name) {
        return HF_E_NOMEM;
    }
    if (chain->n_certs < 2) {
        return hf_fail(HF_E_NOT_FOUND, "the chain is without the issuer's certificate, by which an "
                                       "answer is checked");
    }
    item->cert = hf_cert_ref(chain->certs[0]);
    item->issuer = hf_cert_ref(chain->certs[1]);
    HF_TRY(choose_url(cfg, item->cert, &item->url));
    item->path = path_of(state, item->cert);
    return HF_OK;
}

/* What was kept counts if it would count now. */
static void recall(struct item *item)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf der = HF_BUF_INIT(HF_OCSP_ANSWER_MAX);
    if (item->path && hf_file_read(item->path, &der) == HF_OK &&
        take(item, hf_buf_bytes(&der)) == HF_OK) {
        hf_log_say(item->stapler->env.log, HF_LOG_INFO, "staple",
                   "identity \"%s\": the OCSP answer that was kept is shown", item->name);
    }
}

static struct item *find(const struct hf_stapler *stapler, const struct hf_cert *cert)
{
    HF_LIST_FOREACH (&stapler->items, link) {
        struct item *item = HF_CONTAINER_OF(link, struct item, link);
        if (memcmp(item->cert->sha256, cert->sha256, HF_SHA256_SIZE) == 0) {
            return item;
        }
    }
    return NULL;
}

static struct item *item_new(struct hf_stapler *stapler, const struct hf_cfg_identity *cfg,
                             const struct hf_credential *credential, const char *state)
{
    struct item *item = HF_NEW(struct item);
    if (!item) {
        return NULL;
    }
    item->stapler = stapler;
    item->timer.on_due = on_due;
    item->der = HF_BUF_INIT(HF_OCSP_ANSWER_MAX);
    if (fill(item, cfg, credential, state) != HF_OK) {
        hf_log_say(stapler->env.log, HF_LOG_ERROR, "staple", "identity \"%s\": %s", cfg->name,
                   hf_err_text());
        item_free(item);
        return NULL;
    }
    make_series(item);
    recall(item);
    hf_list_push(&stapler->items, &item->link);
    return item;
}

/* The item of an identity that wants one, found or new; NULL: it doesn't, or can't have one. */
static struct item *item_of(struct hf_stapler *stapler, const struct hf_snapshot *snapshot,
                            const struct hf_cfg_identity *cfg)
{
    const struct hf_credential *credential = hf_materials_identity(snapshot->materials, cfg);
    if (!cfg->fetch_staple || !credential) {
        return NULL;
    }
    struct item *item = find(stapler, credential->chain->certs[0]);
    return item ? item : item_new(stapler, cfg, credential, snapshot->config->state.value);
}

void hf_stapler_show(struct hf_stapler *stapler, struct hf_snapshot *snapshot)
{
    for (size_t i = 0; i < snapshot->config->n_identities; i++) {
        const struct item *item = item_of(stapler, snapshot, &snapshot->config->identities[i]);
        if (item) {
            show(item, snapshot);
        }
    }
}

enum hf_err hf_stapler_set(struct hf_stapler *stapler, struct hf_snapshot *snapshot)
{
    hf_snapshot_unref(stapler->snapshot);
    stapler->snapshot = hf_snapshot_ref(snapshot);
    for (size_t i = 0; i < snapshot->config->n_identities; i++) {
        struct item *item = item_of(stapler, snapshot, &snapshot->config->identities[i]);
        if (!item) {
            continue;
        }
        item->wanted = true;
        if (!stapler->fetcher) {
            HF_TRY(hf_fetcher_new(stapler->env.loop, &stapler->fetcher));
        }
        if (!item->fetch && !hf_timer_armed(&item->timer)) {
            show_now(item);
            hf_timer_set(stapler->env.loop, &item->timer, 0);
        }
    }
    HF_LIST_FOREACH (&stapler->items, link) {
        struct item *item = HF_CONTAINER_OF(link, struct item, link);
        if (!item->wanted) {
            item_free(item);
        } else {
            item->wanted = false;
        }
    }
    return HF_OK;
}

/* --- Life ---------------------------------------------------------------------------------------
 */

enum hf_err hf_stapler_new(const struct hf_stapler_env *env, struct hf_stapler **out)
{
    struct hf_stapler *stapler = *out = HF_NEW(struct hf_stapler);
    if (!stapler) {
        return HF_E_NOMEM;
    }
    stapler->env = *env;
    hf_list_init(&stapler->items);
    return HF_OK;
}

void hf_stapler_free(struct hf_stapler *stapler)
{
    if (!stapler) {
        return;
    }
    while (!hf_list_empty(&stapler->items)) {
        item_free(HF_CONTAINER_OF(stapler->items.next, struct item, link));
    }
    hf_fetcher_free(stapler->fetcher);
    hf_snapshot_unref(stapler->snapshot);
    hf_free(stapler);
}
