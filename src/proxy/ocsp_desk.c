// SPDX-License-Identifier: Apache-2.0
/*
 * Calls (proxy/desk_call.h) and the questions that they share.
 */
#include "proxy/ocsp_desk_impl.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"

struct hf_ocsp_call {
    struct hf_desk_call base;
    struct hf_ocsp_desk *desk;
    struct hf_ocsp_wants wants;
    struct hf_ocsp_asker asker[HF_OCSP_WANTS_MAX];
    size_t n_left;
    char trust[];
};

/* --- Calls, on the worker's thread --------------------------------------------------------------
 */

static void release(struct hf_desk_call *base)
{
    struct hf_ocsp_call *call = HF_CONTAINER_OF(base, struct hf_ocsp_call, base);
    hf_ocsp_wants_done(&call->wants);
    hf_free(call);
}

static void on_call(struct hf_task *task);

enum hf_err hf_ocsp_desk_ask(struct hf_ocsp_desk *desk, struct hf_loop *loop, const char *trust,
                             struct hf_ocsp_wants *wants, struct hf_desk_wait *wait)
{
    size_t len = strlen(trust);
    struct hf_ocsp_call *call = hf_alloc_zero(1, sizeof(*call) + len + 1);
    if (!call) {
        return HF_E_NOMEM;
    }
    call->base.there.run = on_call;
    call->base.release = release;
    call->desk = desk;
    call->wants = *wants;
    memcpy(call->trust, trust, len + 1);
    wants->n = 0;
    hf_desk_call_post(&call->base, desk->env.loop, loop, wait);
    return HF_OK;
}

/* --- Calls, on the control thread ---------------------------------------------------------------
 */

static void tell(struct hf_ocsp_call *call)
{
    if (--call->n_left == 0) {
        hf_desk_call_end(&call->base, call->desk->stopped);
    }
}

/* --- Questions ----------------------------------------------------------------------------------
 */

static int64_t now_s(const struct hf_ocsp_desk *desk)
{
    return hf_clock_wall_s(desk->env.clock);
}

static struct hf_bytes key_of(const struct hf_ocsp_want *want)
{
    return hf_bytes_of(want->key.hash, sizeof(want->key.hash));
}

static void count_open(const struct hf_ocsp_desk *desk)
{
    hf_series_set(desk->open, desk->env.shard, (int64_t)desk->questions.n_entries);
}

static void question_free(struct hf_ocsp_question *question)
{
    hf_timer_cancel(&question->timer);
    for (size_t i = 0; i < question->n_urls; i++) {
        hf_free(question->urls[i]);
    }
    hf_trust_unref(question->terms.url_trust);
    hf_cert_unref(question->want.cert);
    hf_cert_unref(question->want.issuer);
    hf_free(question);
}

void hf_ocsp_question_end(struct hf_ocsp_question *question)
{
    struct hf_link calls;
    hf_ocsp_site_forget(question);
    (void)hf_map_remove(&question->desk->questions, key_of(&question->want));
    count_open(question->desk);
    hf_list_take(&question->calls, &calls);
    question_free(question);
    while (!hf_list_empty(&calls)) {
        struct hf_ocsp_asker *asker = HF_CONTAINER_OF(calls.next, struct hf_ocsp_asker, link);
        hf_link_remove(&asker->link);
        tell(asker->call);
    }
}

void hf_ocsp_question_fail(struct hf_ocsp_question *question, enum hf_reason reason,
                           const char *why)
{
    struct hf_ocsp_desk *desk = question->desk;
    if (question->url_at + 1 < question->n_urls) {
        hf_ocsp_site_forget(question);
        question->url_at++;
        hf_ocsp_site_ask(question);
        return;
    }
    hf_ocsp_memory_fail(desk->memory, &question->want.key, now_s(desk), reason, why);
    hf_series_add(reason == HF_REASON_OCSP_UNTRUSTED ? desk->refusals : desk->failures,
                  desk->env.shard, 1);
    hf_ocsp_question_end(question);
}

/* Bad news about a certificate of which nothing was known are news as well. */
static bool is_news(struct hf_ocsp_desk *desk, const struct hf_ocsp_question *question,
                    const struct hf_ocsp_known *known)
{
    struct hf_ocsp_recall before;
    (void)hf_ocsp_memory_get(desk->memory, &question->want.key, &before);
    bool was_known = before.known != NULL;
    hf_ocsp_recall_done(&before);
    return !was_known && known->said.status != HF_OCSP_GOOD;
}

void hf_ocsp_question_learn(struct hf_ocsp_question *question, struct hf_ocsp_known *known,
                            struct hf_bytes answer)
{
    struct hf_ocsp_desk *desk = question->desk;
    struct hf_ocsp_aged aged;
    bool changed = false;
    bool news = is_news(desk, question, known);
    if (hf_ocsp_memory_put(desk->memory, &question->want.key, known, &changed) != HF_OK) {
        char why[HF_OCSP_WHY_MAX];
        snprintf(why, sizeof(why), "%s: %s", known->from, hf_err_text());
        hf_ocsp_question_fail(question, HF_REASON_OCSP_UNTRUSTED, why);
        return;
    }
    if (desk->kept) {
        hf_ocsp_kept_add(desk->kept, &question->want.key, question->want.cert,
                         question->want.issuer, known, answer);
    }
    hf_series_add(desk->said[known->said.status], desk->env.shard, 1);
    hf_ocsp_known_at(known, now_s(desk), &question->terms.dates, &aged);
    if (aged.age != HF_OCSP_FRESH) { /* so that it isn't asked for again at once */
        hf_ocsp_memory_fail(desk->memory, &question->want.key, now_s(desk), HF_REASON_OCSP_STALE,
                            "what the responder gives is not of now");
    }
    hf_ocsp_question_end(question);
    if (changed || news) {
        hf_ocsp_desk_changed(desk);
    }
}

static void on_late(struct hf_timer *timer)
{
    struct hf_ocsp_question *question = HF_CONTAINER_OF(timer, struct hf_ocsp_question, timer);
    char why[HF_OCSP_WHY_MAX];
    snprintf(why, sizeof(why), "%.180s did not answer within %lld ms",
             question->urls[question->url_at], (long long)question->terms.timeout_ms);
    question->url_at = question->n_urls; /* nobody else is asked: those who wait have waited */
    hf_ocsp_question_fail(question, HF_REASON_OCSP_UNREACHABLE, why);
}

/* --- Whom to ask --------------------------------------------------------------------------------
 */

static bool is_allowed(const struct hf_cfg_ocsp *cfg, const char *uri)
{
    for (size_t i = 0; i < cfg->from.n; i++) {
        if (hf_fetch_is_at(uri, cfg->from.item[i].value)) {
            return true;
        }
    }
    return false;
}

static enum hf_err add_url(struct hf_ocsp_question *question, const char *url)
{
    char *copy = hf_strdup(url);
    if (copy) {
        question->urls[question->n_urls++] = copy;
    }
    return copy ? HF_OK : HF_E_NOMEM;
}

static enum hf_err choose_urls(const struct hf_cfg_ocsp *cfg, struct hf_ocsp_question *question)
{
    struct hf_ocsp_uris uris;
    if (cfg->responder.value) {
        return add_url(question, cfg->responder.value);
    }
    hf_ocsp_uris_of(question->want.cert, &uris);
    for (size_t i = 0; i < uris.n; i++) {
        if (is_allowed(cfg, uris.uri[i])) {
            HF_TRY(add_url(question, uris.uri[i]));
        }
    }
    if (question->n_urls) {
        return HF_OK;
    }
    return uris.n ? hf_fail(HF_E_NOT_FOUND,
                            "it names the responder %.160s, which is not among from-certificates",
                            uris.uri[0])
                  : hf_fail(HF_E_NOT_FOUND, "it names no responder");
}

static struct hf_ocsp_dates dates_of(const struct hf_cfg_ocsp *cfg)
{
    return (struct hf_ocsp_dates){.skew_s = cfg->skew_ms / 1000, .open_s = cfg->max_age_ms / 1000};
}

static struct hf_ocsp_question *question_new(struct hf_ocsp_desk *desk,
                                             const struct hf_cfg_ocsp *cfg,
                                             struct hf_trust *url_trust,
                                             const struct hf_ocsp_want *want)
{
    struct hf_ocsp_question *question = HF_NEW(struct hf_ocsp_question);
    if (!question) {
        return NULL;
    }
    question->desk = desk;
    question->want =
        (struct hf_ocsp_want){want->key, hf_cert_ref(want->cert), hf_cert_ref(want->issuer), 0};
    question->terms = (struct hf_ocsp_terms){
        .nonce = cfg->nonce,
        .batch = cfg->batch,
        .timeout_ms = cfg->timeout_ms,
        .dates = dates_of(cfg),
        .url_trust = url_trust ? hf_trust_ref(url_trust) : NULL,
    };
    question->timer.on_due = on_late;
    hf_list_init(&question->calls);
    return question;
}

/* A question that can't even begin. */
static void not_asked(struct hf_ocsp_desk *desk, const struct hf_ocsp_want *want, enum hf_err err)
{
    hf_ocsp_memory_fail(desk->memory, &want->key, now_s(desk),
                        err == HF_E_NOT_FOUND ? HF_REASON_OCSP_MISSING : HF_REASON_OCSP_UNREACHABLE,
                        hf_err_text());
}

static enum hf_err begin(struct hf_ocsp_desk *desk, const char *trust,
                         const struct hf_cfg_ocsp *cfg, const struct hf_ocsp_want *want,
                         struct hf_ocsp_question **out)
{
    if (!cfg) {
        return hf_fail(HF_E_NOT_FOUND, "its trust \"%s\" doesn't ask any more", trust);
    }
    if (desk->questions.n_entries >= HF_OCSP_QUEUE_MAX) {
        return hf_fail(HF_E_BUSY, "more than %d questions are open", HF_OCSP_QUEUE_MAX);
    }
    struct hf_trust *url_trust = cfg->url_trust ? desk->env.url_trust(desk->env.ctx, cfg) : NULL;
    if (cfg->url_trust && !url_trust) {
        return hf_fail(HF_E_NOT_FOUND, "the url-trust of its trust \"%s\" is not there", trust);
    }
    struct hf_ocsp_question *question = question_new(desk, cfg, url_trust, want);
    if (!question) {
        return HF_E_NOMEM;
    }
    enum hf_err err = choose_urls(cfg, question);
    err = err == HF_OK ? hf_ocsp_id_of(want->cert, want->issuer, HF_OCSP_SHA1, &question->id) : err;
    err = err == HF_OK ? hf_map_put(&desk->questions, key_of(want), question) : err;
    if (err != HF_OK) {
        question_free(question);
        return err;
    }
    count_open(desk);
    hf_timer_set(desk->env.loop, &question->timer, question->terms.timeout_ms);
    *out = question;
    return HF_OK;
}

/* A question may have ended while the call was on its way: then what the verdict lacked is there.
 * Questions end on this thread alone, so that one is either open now or remembered. */
static bool came_meanwhile(struct hf_ocsp_desk *desk, const struct hf_cfg_ocsp *cfg,
                           const struct hf_ocsp_want *want)
{
    struct hf_ocsp_recall recall;
    (void)hf_ocsp_memory_get(desk->memory, &want->key, &recall);
    const struct hf_ocsp_known *known = recall.known;
    bool serves = recall.failed_at != 0;
    if (known && !serves && cfg) {
        struct hf_ocsp_aged aged;
        const struct hf_ocsp_dates dates = dates_of(cfg);
        hf_ocsp_known_at(known, now_s(desk), &dates, &aged);
        serves = aged.age == HF_OCSP_FRESH &&
                 (known->stapled || known->nonce || cfg->nonce != HF_CFG_NONCE_REQUIRE);
    }
    bool is_later = recall.stamp > want->seen;
    hf_ocsp_recall_done(&recall);
    return is_later && serves;
}

/* What was kept from before the start is remembered when somebody asks for it. */
static bool was_kept(struct hf_ocsp_desk *desk, const struct hf_ocsp_want *want)
{
    struct hf_ocsp_known *known HF_CLEANUP(hf_ocsp_known_unrefp) = NULL;
    struct hf_ocsp_recall recall;
    bool changed;
    (void)hf_ocsp_memory_get(desk->memory, &want->key, &recall);
    bool is_known = recall.known != NULL;
    hf_ocsp_recall_done(&recall);
    if (is_known || !desk->kept) {
        return false;
    }
    enum hf_err err = hf_ocsp_kept_find(desk->kept, &want->key, now_s(desk), &known);
    if (err != HF_OK && err != HF_E_NOT_FOUND) {
        hf_log_say(desk->env.log, HF_LOG_WARN, "ocsp-not-kept",
                   "an answer that was kept can't be used, and is asked for again: %s",
                   hf_err_text());
    }
    return err == HF_OK && hf_ocsp_memory_put(desk->memory, &want->key, known, &changed) == HF_OK;
}

static void want_answer(struct hf_ocsp_call *call, size_t at)
{
    struct hf_ocsp_desk *desk = call->desk;
    const struct hf_ocsp_want *want = &call->wants.want[at];
    struct hf_ocsp_question *question = hf_map_get(&desk->questions, key_of(want));
    bool is_new = !question;
    if (is_new) {
        const struct hf_cfg_ocsp *cfg = desk->env.terms(desk->env.ctx, call->trust);
        if (came_meanwhile(desk, cfg, want) ||
            (was_kept(desk, want) && came_meanwhile(desk, cfg, want))) {
            return;
        }
        enum hf_err err = begin(desk, call->trust, cfg, want, &question);
        if (err != HF_OK) {
            not_asked(desk, want, err);
            return;
        }
    }
    call->asker[at].call = call;
    call->n_left++;
    hf_list_push(&question->calls, &call->asker[at].link);
    if (is_new) {
        hf_ocsp_site_ask(question);
    }
}

static void on_call(struct hf_task *task)
{
    struct hf_ocsp_call *call = HF_CONTAINER_OF(task, struct hf_ocsp_call, base.there);
    call->n_left = 1; /* held until all are asked */
    for (size_t i = 0; i < call->wants.n && !call->desk->stopped; i++) {
        want_answer(call, i);
    }
    tell(call);
}

/* --- Life ---------------------------------------------------------------------------------------
 */

struct hf_ocsp_memory *hf_ocsp_desk_memory(struct hf_ocsp_desk *desk)
{
    return desk->memory;
}

static void on_change(struct hf_task *task)
{
    struct hf_ocsp_desk *desk = HF_CONTAINER_OF(task, struct hf_ocsp_desk, change);
    atomic_store(&desk->change_posted, false);
    if (!desk->stopped) {
        desk->env.on_change(desk->env.ctx);
    }
}

void hf_ocsp_desk_changed(struct hf_ocsp_desk *desk)
{
    if (!atomic_exchange(&desk->change_posted, true)) {
        hf_loop_post(desk->env.loop, &desk->change);
    }
}

static double count_known(void *ctx)
{
    const struct hf_ocsp_desk *desk = ctx;
    return (double)hf_ocsp_memory_count(desk->memory);
}

static void make_series(struct hf_ocsp_desk *desk)
{
    struct hf_metrics *metrics = desk->env.metrics;
    static const char requests[] = "handfast_ocsp_requests_total";
    static const char questions[] = "handfast_ocsp_questions_total";
    static const char help[] = "Certificates that responders were asked about, by what came of it.";
    desk->requests = hf_metrics_counter(metrics, requests, "Requests to OCSP responders.", NULL);
    desk->open = hf_metrics_gauge(metrics, "handfast_ocsp_questions_open",
                                  "Certificates that responders are being asked about.", NULL);
    desk->known = hf_metrics_gauge_from(metrics, "handfast_ocsp_certificates",
                                        "Certificates that something is known of by OCSP.",
                                        (struct hf_metrics_source){count_known, desk}, NULL);
    desk->failures = hf_metrics_counter(metrics, questions, help, "result", "failed", NULL);
    desk->refusals = hf_metrics_counter(metrics, questions, help, "result", "untrusted", NULL);
    for (int i = HF_OCSP_GOOD; i <= HF_OCSP_UNKNOWN; i++) {
        desk->said[i] = hf_metrics_counter(metrics, questions, help, "result",
                                           hf_ocsp_status_name((enum hf_ocsp_status)i), NULL);
    }
}

static enum hf_err open_kept(struct hf_ocsp_desk *desk)
{
    HF_TRY(hf_ocsp_kept_open(desk->env.state, HF_OCSP_KEPT_MAX, desk->env.log, &desk->kept));
    size_t n = 0;
    HF_TRY(hf_ocsp_kept_restore(desk->kept, now_s(desk), desk->memory, &n));
    if (n) {
        hf_log_say(desk->env.log, HF_LOG_INFO, "ocsp-restored",
                   "answers about %zu certificates were kept from before", n);
    }
    return HF_OK;
}

void hf_ocsp_desk_stats(const struct hf_ocsp_desk *desk, struct hf_ocsp_stats *out)
{
    const struct hf_metrics *metrics = desk->env.metrics;
    *out = (struct hf_ocsp_stats){
        .n_known = (int64_t)hf_ocsp_memory_count(desk->memory),
        .n_open = hf_series_sum(metrics, desk->open),
        .n_requests = hf_series_sum(metrics, desk->requests),
        .n_failed = hf_series_sum(metrics, desk->failures),
        .n_untrusted = hf_series_sum(metrics, desk->refusals),
    };
    for (int i = HF_OCSP_GOOD; i <= HF_OCSP_UNKNOWN; i++) {
        out->n_said[i] = hf_series_sum(metrics, desk->said[i]);
    }
}

enum hf_err hf_ocsp_desk_new(const struct hf_ocsp_desk_env *env, struct hf_ocsp_desk **out)
{
    struct hf_ocsp_desk *desk = HF_NEW(struct hf_ocsp_desk);
    *out = NULL;
    if (!desk) {
        return HF_E_NOMEM;
    }
    desk->env = *env;
    desk->change.run = on_change;
    enum hf_err err = hf_ocsp_memory_new(HF_OCSP_MEMORY_MAX, &desk->memory);
    err = err == HF_OK ? hf_fetcher_new(env->loop, &desk->fetcher) : err;
    if (err == HF_OK && env->state) {
        err = open_kept(desk);
    }
    if (err != HF_OK) {
        hf_ocsp_kept_free(desk->kept);
        hf_fetcher_free(desk->fetcher);
        hf_ocsp_memory_free(desk->memory);
        hf_free(desk);
        return err;
    }
    make_series(desk);
    *out = desk;
    return HF_OK;
}

void hf_ocsp_desk_stop(struct hf_ocsp_desk *desk)
{
    if (!desk || desk->stopped) {
        return;
    }
    desk->stopped = true;
    size_t at = 0;
    for (struct hf_ocsp_question *question; (question = hf_map_next(&desk->questions, &at));) {
        hf_ocsp_question_end(question);
    }
    hf_ocsp_sites_done(desk);
    hf_fetcher_free(HF_TAKE(desk->fetcher));
    hf_ocsp_kept_free(HF_TAKE(desk->kept));
}

void hf_ocsp_desk_free(struct hf_ocsp_desk *desk)
{
    if (!desk) {
        return;
    }
    hf_ocsp_desk_stop(desk);
    struct hf_series *const all[] = {desk->requests, desk->failures, desk->refusals, desk->open,
                                     desk->known,    desk->said[0],  desk->said[1],  desk->said[2]};
    for (size_t i = 0; i < HF_N_ELEMENTS(all); i++) {
        hf_metrics_release(desk->env.metrics, all[i]);
    }
    hf_map_done(&desk->questions);
    hf_ocsp_memory_free(desk->memory);
    hf_free(desk);
}
