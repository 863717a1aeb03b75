// SPDX-License-Identifier: Apache-2.0
/*
 * Responders: a URL, and by whose roots it is proven, as who fails by the one is not down for the
 * other. Each has a queue of questions; a request takes the first, and with it those about
 * certificates of the same issuer, up to the trust's batch. A responder that answers about fewer
 * than it was asked is from then on asked about one at a time, as RFC 5019 has it.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "pki/write.h"
#include "proxy/ocsp_desk_impl.h"

enum { ROOTS_PEM_MAX = 4 << 20 };

struct hf_ocsp_site {
    struct hf_ocsp_desk *desk;
    char *key; /* the URL; then, after a space, the url-trust */
    char *url;
    struct hf_link queue;   /* of questions */
    struct hf_link flights; /* requests under way */
    size_t n_flights;
    unsigned n_pumps;      /* that are at work with it: it may not go */
    bool single;           /* asked about one certificate at a time */
    unsigned n_failures;   /* in a row */
    int64_t down_until_ms; /* loop time; left alone until then */
    char why[HF_OCSP_WHY_MAX];
};

/* One request under way. */
struct hf_ocsp_flight {
    struct hf_link link;
    struct hf_ocsp_site *site;
    struct hf_fetch *fetch;
    struct hf_ocsp_question *question[HF_OCSP_SERIALS_MAX]; /* NULL: it could not wait */
    size_t n;
    uint8_t nonce[HF_OCSP_NONCE_LEN];
    size_t nonce_len; /* 0: none was sent */
    enum hf_cfg_nonce nonce_mode;
};

static int64_t loop_ms(const struct hf_ocsp_site *site)
{
    return hf_loop_now_ms(site->desk->env.loop);
}

static void flight_free(struct hf_ocsp_flight *flight)
{
    for (size_t i = 0; i < flight->n; i++) {
        if (flight->question[i]) {
            flight->question[i]->flight = NULL;
        }
    }
    hf_fetch_cancel(flight->fetch);
    hf_link_remove(&flight->link);
    flight->site->n_flights--;
    hf_free(flight);
}

/* --- Failures -----------------------------------------------------------------------------------
 */

static void went_well(struct hf_ocsp_site *site)
{
    if (site->n_failures) {
        hf_log_say(site->desk->env.log, HF_LOG_INFO, "ocsp", "%s answers again", site->url);
    }
    site->n_failures = 0;
    site->down_until_ms = 0;
}

/* Said when it begins; the counters tell how often. */
static void went_wrong(struct hf_ocsp_site *site, const char *why)
{
    unsigned doublings = site->n_failures < 6 ? site->n_failures : 6;
    int64_t wait_ms = (int64_t)HF_OCSP_RETRY_MS << doublings;
    if (site->n_failures++ == 0) {
        hf_log_say(site->desk->env.log, HF_LOG_WARN, "ocsp",
                   "%s; peers whose certificates nothing is known of meet when-missing", why);
    }
    site->down_until_ms =
        loop_ms(site) + (wait_ms < HF_OCSP_RETRY_MAX_MS ? wait_ms : HF_OCSP_RETRY_MAX_MS);
    snprintf(site->why, sizeof(site->why), "%s", why);
}

static void fail_all(struct hf_ocsp_flight *flight, enum hf_reason reason, const char *why)
{
    for (size_t i = 0; i < flight->n; i++) {
        struct hf_ocsp_question *question = HF_TAKE(flight->question[i]);
        if (question) {
            question->flight = NULL;
            hf_ocsp_question_fail(question, reason, why);
        }
    }
}

/* --- Answers ------------------------------------------------------------------------------------
 */

static void pump(struct hf_ocsp_site *site);

/* An answer with another nonce than ours was to somebody else's question. */
static enum hf_err check_nonce(const struct hf_ocsp_flight *flight,
                               const struct hf_ocsp_answer *answer, bool *out_ours)
{
    struct hf_bytes sent = hf_bytes_of(flight->nonce, flight->nonce_len);
    *out_ours = sent.len && hf_bytes_eq(sent, answer->nonce);
    if (answer->nonce.len && sent.len && !*out_ours) {
        return hf_fail(HF_E_DENIED, "the answer has another nonce than ours");
    }
    if (flight->nonce_mode == HF_CFG_NONCE_REQUIRE && !*out_ours) {
        return hf_fail(HF_E_DENIED, "the answer is without our nonce, which nonce: require asks "
                                    "for");
    }
    return HF_OK;
}

static void say_why(const struct hf_ocsp_site *site, char out[static HF_OCSP_WHY_MAX])
{
    snprintf(out, HF_OCSP_WHY_MAX, "%.120s: %.110s", site->url, hf_err_text());
}

/* One certificate of an answer. True: the answer was about it. */
static bool take_one(struct hf_ocsp_flight *flight, size_t at, const struct hf_ocsp_answer *answer,
                     bool ours)
{
    struct hf_ocsp_question *question = HF_TAKE(flight->question[at]);
    struct hf_ocsp_known *known HF_CLEANUP(hf_ocsp_known_unrefp) = NULL;
    struct hf_ocsp_site *site = flight->site;
    if (!question) {
        return true;
    }
    question->flight = NULL;
    const struct hf_ocsp_origin origin = {
        .from = site->url, .got_at = hf_clock_wall_s(site->desk->env.clock), .nonce = ours};
    enum hf_err err =
        hf_ocsp_known_new(answer, question->want.cert, question->want.issuer, &origin, &known);
    if (err == HF_OK) {
        hf_ocsp_question_learn(question, known, hf_span_bytes(answer->der));
        return true;
    }
    if (err == HF_E_MISMATCH && !question->alone && flight->n > 1) {
        question->alone = true;
        hf_list_push(&site->queue, &question->link);
        return false;
    }
    char why[HF_OCSP_WHY_MAX];
    say_why(site, why);
    hf_ocsp_question_fail(question, HF_REASON_OCSP_UNTRUSTED, why);
    return true;
}

static void take_answer(struct hf_ocsp_flight *flight, struct hf_bytes body)
{
    struct hf_ocsp_answer *answer HF_CLEANUP(hf_ocsp_answer_unrefp) = NULL;
    struct hf_ocsp_site *site = flight->site;
    char why[HF_OCSP_WHY_MAX];
    bool ours = false;
    enum hf_err err = hf_ocsp_answer_read(body, &answer);
    err = err == HF_OK ? check_nonce(flight, answer, &ours) : err;
    if (err != HF_OK) {
        say_why(site, why);
        if (err == HF_E_PEER) {
            went_wrong(site, why);
        }
        fail_all(flight, err == HF_E_PEER ? HF_REASON_OCSP_UNREACHABLE : HF_REASON_OCSP_UNTRUSTED,
                 why);
        return;
    }
    went_well(site);
    for (size_t i = 0; i < flight->n; i++) {
        site->single = !take_one(flight, i, answer, ours) || site->single;
    }
}

static void on_fetched(void *ctx, enum hf_err err, const struct hf_fetch_answer *answer)
{
    struct hf_ocsp_flight *flight = ctx;
    struct hf_ocsp_site *site = flight->site;
    flight->fetch = NULL;
    if (err == HF_OK) {
        take_answer(flight, answer->body);
    } else {
        char why[HF_OCSP_WHY_MAX];
        snprintf(why, sizeof(why), "%s", hf_err_text());
        went_wrong(site, why);
        fail_all(flight, HF_REASON_OCSP_UNREACHABLE, why);
    }
    flight_free(flight);
    pump(site);
}

/* --- Requests -----------------------------------------------------------------------------------
 */

static bool fits(const struct hf_ocsp_flight *flight, const struct hf_ocsp_question *question)
{
    const struct hf_ocsp_question *first = flight->question[0];
    return !question->alone && question->terms.nonce == first->terms.nonce &&
           question->terms.url_trust == first->terms.url_trust &&
           hf_ocsp_id_same_issuer(&question->id, &first->id);
}

static void take_aboard(struct hf_ocsp_flight *flight, struct hf_ocsp_question *question)
{
    hf_link_remove(&question->link);
    question->flight = flight;
    flight->question[flight->n++] = question;
}

static void fill(struct hf_ocsp_flight *flight)
{
    struct hf_ocsp_site *site = flight->site;
    struct hf_ocsp_question *first =
        HF_CONTAINER_OF(site->queue.next, struct hf_ocsp_question, link);
    size_t most = site->single || first->alone ? 1 : first->terms.batch;
    take_aboard(flight, first);
    HF_LIST_FOREACH (&site->queue, link) {
        struct hf_ocsp_question *question = HF_CONTAINER_OF(link, struct hf_ocsp_question, link);
        if (flight->n >= most || flight->n >= HF_OCSP_SERIALS_MAX) {
            break;
        }
        if (fits(flight, question)) {
            take_aboard(flight, question);
        }
    }
}

static enum hf_err write_request(struct hf_ocsp_flight *flight, struct hf_buf *out)
{
    struct hf_ocsp_id ids[HF_OCSP_SERIALS_MAX];
    for (size_t i = 0; i < flight->n; i++) {
        ids[i] = flight->question[i]->id;
    }
    flight->nonce_mode = flight->question[0]->terms.nonce;
    if (flight->nonce_mode != HF_CFG_NONCE_OFF) {
        flight->nonce_len = sizeof(flight->nonce);
        HF_TRY(hf_rng_fill(flight->site->desk->env.rng,
                           hf_span_of(flight->nonce, sizeof(flight->nonce))));
    }
    return hf_ocsp_request_write(ids, flight->n, hf_bytes_of(flight->nonce, flight->nonce_len),
                                 out);
}

static enum hf_err send_request(struct hf_ocsp_flight *flight)
{
    struct hf_ocsp_site *site = flight->site;
    const struct hf_ocsp_terms *terms = &flight->question[0]->terms;
    HF_CLEANUP(hf_buf_done) struct hf_buf request = HF_BUF_INIT(HF_OCSP_REQUEST_MAX);
    HF_CLEANUP(hf_buf_done) struct hf_buf roots = HF_BUF_INIT(ROOTS_PEM_MAX);
    HF_TRY(write_request(flight, &request));
    if (terms->url_trust) {
        HF_TRY(hf_chain_write_pem(hf_trust_roots(terms->url_trust), &roots));
    }
    const struct hf_fetch_ask ask = {
        .url = site->url,
        .allow_plain = true,
        .roots_pem = hf_buf_bytes(&roots),
        .accept = HF_OCSP_ANSWER_TYPE,
        .post = hf_buf_bytes(&request),
        .post_type = HF_OCSP_REQUEST_TYPE,
        .max_bytes = HF_OCSP_ANSWER_MAX,
        .timeout_ms = terms->timeout_ms,
    };
    hf_series_add(site->desk->requests, site->desk->env.shard, 1);
    return hf_fetch_start(site->desk->fetcher, &ask, on_fetched, flight, &flight->fetch);
}

/* Whoever waits for a responder that is left alone is told so. */
static void fail_queue(struct hf_ocsp_site *site, const char *why)
{
    while (!hf_list_empty(&site->queue)) {
        struct hf_ocsp_question *question =
            HF_CONTAINER_OF(site->queue.next, struct hf_ocsp_question, link);
        hf_link_remove(&question->link);
        hf_ocsp_question_fail(question, HF_REASON_OCSP_UNREACHABLE, why);
    }
}

static bool launch(struct hf_ocsp_site *site)
{
    struct hf_ocsp_flight *flight = HF_NEW(struct hf_ocsp_flight);
    if (!flight) {
        fail_queue(site, hf_err_text());
        return false;
    }
    flight->site = site;
    hf_list_push(&site->flights, &flight->link);
    site->n_flights++;
    fill(flight);
    if (send_request(flight) != HF_OK) {
        char why[HF_OCSP_WHY_MAX];
        say_why(site, why);
        fail_all(flight, HF_REASON_OCSP_UNREACHABLE, why);
        flight_free(flight);
    }
    return true;
}

/* What is failed may ask elsewhere, which may make room there. */
static void pump(struct hf_ocsp_site *site)
{
    site->n_pumps++;
    if (site->down_until_ms > loop_ms(site)) {
        fail_queue(site, site->why);
    }
    while (!hf_list_empty(&site->queue) && site->n_flights < HF_OCSP_FLIGHTS_MAX && launch(site)) {
    }
    site->n_pumps--;
}

/* --- Sites --------------------------------------------------------------------------------------
 */

static void site_free(struct hf_ocsp_site *site)
{
    while (!hf_list_empty(&site->flights)) {
        flight_free(HF_CONTAINER_OF(site->flights.next, struct hf_ocsp_flight, link));
    }
    hf_free(site->key);
    hf_free(site->url);
    hf_free(site);
}

/* Those that nobody uses make room. */
static void make_room(struct hf_ocsp_desk *desk)
{
    size_t at = 0;
    if (desk->sites.n_entries < HF_OCSP_SITES_MAX) {
        return;
    }
    for (struct hf_ocsp_site *site; (site = hf_map_next(&desk->sites, &at));) {
        if (hf_list_empty(&site->queue) && site->n_flights == 0 && site->n_pumps == 0) {
            (void)hf_map_remove(&desk->sites, hf_bytes_str(site->key));
            site_free(site);
        }
    }
}

static struct hf_ocsp_site *site_new(struct hf_ocsp_desk *desk, const char *key, const char *url)
{
    make_room(desk);
    struct hf_ocsp_site *site = HF_NEW(struct hf_ocsp_site);
    if (!site) {
        return NULL;
    }
    site->desk = desk;
    site->key = hf_strdup(key);
    site->url = hf_strdup(url);
    hf_list_init(&site->queue);
    hf_list_init(&site->flights);
    if (!site->key || !site->url ||
        hf_map_put(&desk->sites, hf_bytes_str(site->key), site) != HF_OK) {
        site_free(site);
        return NULL;
    }
    return site;
}

static struct hf_ocsp_site *site_of(const struct hf_ocsp_question *question)
{
    const char *url = question->urls[question->url_at];
    const struct hf_trust *trust = question->terms.url_trust;
    const char *name = trust ? hf_trust_name(trust) : "";
    HF_CLEANUP(hf_buf_done) struct hf_buf key = HF_BUF_INIT(strlen(url) + strlen(name) + 2);
    if (hf_buf_printf(&key, "%s %s", url, name) != HF_OK || hf_buf_u8(&key, '\0') != HF_OK) {
        return NULL;
    }
    const char *text = (const char *)hf_buf_bytes(&key).ptr;
    struct hf_ocsp_site *site = hf_map_get(&question->desk->sites, hf_bytes_str(text));
    return site ? site : site_new(question->desk, text, url);
}

void hf_ocsp_site_ask(struct hf_ocsp_question *question)
{
    struct hf_ocsp_site *site = site_of(question);
    if (!site) {
        hf_ocsp_question_fail(question, HF_REASON_OCSP_UNREACHABLE, hf_err_text());
        return;
    }
    hf_list_push(&site->queue, &question->link);
    pump(site);
}

void hf_ocsp_site_forget(struct hf_ocsp_question *question)
{
    struct hf_ocsp_flight *flight = HF_TAKE(question->flight);
    hf_link_remove(&question->link);
    for (size_t i = 0; flight && i < flight->n; i++) {
        if (flight->question[i] == question) {
            flight->question[i] = NULL;
        }
    }
}

void hf_ocsp_sites_done(struct hf_ocsp_desk *desk)
{
    size_t at = 0;
    for (struct hf_ocsp_site *site; (site = hf_map_next(&desk->sites, &at));) {
        site_free(site);
    }
    hf_map_done(&desk->sites);
    desk->sites = (struct hf_map){0};
}
