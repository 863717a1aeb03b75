// SPDX-License-Identifier: Apache-2.0
/*
 * An answer is read, hashed and written to the disk piece by piece, as it comes; so a list of 50 MB
 * is never in memory as a whole, and the control thread is never busy with it for long.
 *
 * When to ask next: in the time that the config says, or that the answer says, or in half of the
 * time that the list has left; less up to a fifth by chance, so that a fleet doesn't ask as one.
 */
#include "proxy/crl_feed.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { BUSY_MS = 200 /* until the next look, when as many fetches run as may */ };

/* --- Saying -------------------------------------------------------------------------------------
 */

static int64_t now_s(const struct hf_crl_feed *feed)
{
    return hf_clock_wall_s(feed->host->clock);
}

/* When the first of the lists ends; INT64_MAX: none does; 0: there are none. */
static int64_t end_of(const struct hf_crl_lists *lists)
{
    int64_t end = lists->n ? INT64_MAX : 0;
    for (size_t i = 0; i < lists->n; i++) {
        int64_t next = lists->item[i]->next_update;
        end = next && next < end ? next : end;
    }
    return end;
}

static void say_failure(struct hf_crl_feed *feed, const char *event)
{
    int64_t end = end_of(&feed->lists);
    struct hf_log_line line;
    char at[HF_TIME_TEXT_SIZE];
    hf_log_begin(&line, feed->host->log,
                 end > now_s(feed) && strcmp(event, "crl-replay") != 0 ? HF_LOG_WARN : HF_LOG_ERROR,
                 event);
    hf_log_str(&line, "url", feed->url);
    hf_log_int(&line, "failures", feed->n_failures);
    if (end == 0) {
        hf_log_fmt(&line, "text", "%s; no list of this URL is known", feed->error);
    } else if (end == INT64_MAX) {
        hf_log_fmt(&line, "text", "%s; the last list stays in force", feed->error);
    } else {
        hf_format_time(end, at);
        hf_log_fmt(&line, "text", "%s; the last list stays in force, and %s at %s", feed->error,
                   end > now_s(feed) ? "goes out of date" : "went out of date", at);
    }
    hf_log_end(&line);
}

static void say_lists(struct hf_crl_feed *feed, const char *event)
{
    for (size_t i = 0; i < feed->lists.n; i++) {
        const struct hf_crl *crl = feed->lists.item[i];
        char number[HF_CRL_NUMBER_TEXT], end[HF_TIME_TEXT_SIZE];
        struct hf_log_line line;
        hf_crl_number_text(crl, number);
        hf_format_time(crl->next_update, end);
        hf_log_begin(&line, feed->host->log, HF_LOG_INFO, event);
        hf_log_str(&line, "url", feed->url);
        hf_log_str(&line, "issuer", crl->issuer_text);
        hf_log_str(&line, "number", number);
        hf_log_int(&line, "entries", (int64_t)hf_serials_count(crl->serials));
        hf_log_bool(&line, "delta", crl->is_delta);
        hf_log_str(&line, "next_update", crl->next_update ? end : NULL);
        hf_log_end(&line);
    }
}

/* --- Waiting ------------------------------------------------------------------------------------
 */

/* Up to a fifth less. */
static int64_t jittered(const struct hf_crl_feed *feed, int64_t ms)
{
    uint32_t random = 0;
    if (hf_rng_fill(feed->host->rng, hf_span_of(&random, sizeof(random))) != HF_OK) {
        return ms;
    }
    return ms - (int64_t)(random % (uint64_t)(ms / 5 + 1));
}

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t retry_delay(const struct hf_crl_feed *feed)
{
    unsigned doublings = feed->n_failures - 1 < 10 ? feed->n_failures - 1 : 10;
    int64_t delay = smaller((int64_t)HF_CRL_RETRY_MS << doublings, HF_CRL_RETRY_MAX_MS);
    return smaller(delay, feed->terms.refresh_ms);
}

/* fresh_s: what the answer says, 0 or less: nothing. */
static int64_t good_delay(const struct hf_crl_feed *feed, int64_t fresh_s)
{
    int64_t delay = feed->terms.refresh_ms;
    int64_t end = end_of(&feed->lists);
    if (fresh_s > 0 && fresh_s < delay / 1000) {
        delay = fresh_s * 1000;
    }
    if (end <= now_s(feed)) { /* fetched, and out of date: a newer one may come any moment */
        delay = smaller(delay, HF_CRL_RETRY_MAX_MS);
    } else if (end < INT64_MAX) {
        delay = smaller(delay, (end - now_s(feed)) * 500);
    }
    return delay > HF_CRL_GAP_MIN_MS ? delay : HF_CRL_GAP_MIN_MS;
}

static void arm(struct hf_crl_feed *feed, int64_t delay_ms)
{
    delay_ms = jittered(feed, delay_ms);
    feed->next_at = now_s(feed) + delay_ms / 1000;
    hf_timer_set(feed->host->loop, &feed->timer, delay_ms);
}

/* --- Those who wait -----------------------------------------------------------------------------
 */

static void begin_wait(struct hf_crl_feed *feed)
{
    if (!feed->awaited && end_of(&feed->lists) <= now_s(feed)) {
        feed->awaited = true;
        feed->awaited_ms = hf_loop_now_ms(feed->host->loop);
        atomic_fetch_add(&feed->host->n_awaited, 1);
    }
}

static void end_wait(struct hf_crl_feed *feed)
{
    if (feed->awaited) {
        feed->awaited = false;
        atomic_fetch_sub(&feed->host->n_awaited, 1);
    }
    hf_crl_askers_end(&feed->askers);
}

/* --- Taking -------------------------------------------------------------------------------------
 */

static void drop_answer(struct hf_crl_feed *feed)
{
    hf_crl_reader_free(HF_TAKE(feed->reader));
    hf_crl_draft_free(HF_TAKE(feed->draft));
}

static void keep_text(char *out, const char *text)
{
    if (text) {
        snprintf(out, HF_CRL_VALIDATOR_MAX, "%s", text);
    }
}

/* Who has signed the lists goes on record, so that a later start can tell a forged list at once. */
static void note_provers(struct hf_crl_feed *feed, struct hf_crl_note *note)
{
    for (size_t i = 0; i < feed->lists.n; i++) {
        struct hf_cert *by = NULL;
        bool there = hf_crl_proof(&feed->host->provers, feed->lists.item[i], &by) != HF_CRL_PROVEN;
        for (size_t k = 0; k < note->n_provers && !there; k++) {
            there = note->prover[k] == by;
        }
        if (!there && note->n_provers < HF_CRL_PROVERS_MAX) {
            note->prover[note->n_provers++] = hf_cert_ref(by);
        }
    }
}

static void set_note(struct hf_crl_feed *feed, const struct hf_fetch_answer *answer,
                     const uint8_t *sha256)
{
    struct hf_crl_note note = {.fetched_at = now_s(feed)};
    memcpy(note.sha256, sha256, sizeof(note.sha256));
    keep_text(note.etag, answer->etag);
    keep_text(note.last_modified, answer->last_modified);
    note_provers(feed, &note);
    hf_crl_note_done(&feed->note);
    feed->note = note;
}

/* The disk failing takes nothing from what is known now. */
static void say_unkept(struct hf_crl_feed *feed)
{
    struct hf_log_line line;
    hf_log_begin(&line, feed->host->log, HF_LOG_ERROR, "crl-not-kept");
    hf_log_str(&line, "url", feed->url);
    hf_log_fmt(&line, "text",
               "the list is in force, but could not be kept on disk for the next start: %s",
               hf_err_text());
    hf_log_end(&line);
}

static void count(const struct hf_crl_feed *feed, const struct hf_series *series)
{
    hf_series_add(series, feed->host->shard, 1);
}

static void keep(struct hf_crl_feed *feed)
{
    feed->unkept = hf_crl_draft_keep(feed->draft, &feed->note) != HF_OK;
    if (feed->unkept) {
        say_unkept(feed);
    }
}

/* The server has nothing else than what is there. */
static void confirm(struct hf_crl_feed *feed, const struct hf_fetch_answer *answer)
{
    keep_text(feed->note.etag, answer->etag);
    keep_text(feed->note.last_modified, answer->last_modified);
    feed->note.fetched_at = now_s(feed);
    count(feed, feed->unchanged);
    if (feed->unkept) {
        if (feed->draft) {
            keep(feed);
        }
    } else if (hf_crl_store_note(feed->host->state, feed->url, &feed->note) != HF_OK) {
        say_unkept(feed);
    }
}

static void replace(struct hf_crl_feed *feed, struct hf_crl_lists *lists,
                    const struct hf_fetch_answer *answer, const uint8_t *sha256)
{
    hf_crl_lists_done(&feed->lists);
    feed->lists = *lists;
    *lists = (struct hf_crl_lists){0};
    feed->untaught = true;
    set_note(feed, answer, sha256);
    count(feed, feed->changed);
    say_lists(feed, "crl-fetched");
    keep(feed);
    feed->host->on_change(feed->host->ctx);
}

static enum hf_err take(struct hf_crl_feed *feed, const struct hf_fetch_answer *answer)
{
    HF_CLEANUP(hf_crl_lists_done) struct hf_crl_lists lists = {0};
    uint8_t sha256[HF_SHA256_SIZE];
    if (answer->unchanged && feed->lists.n) {
        confirm(feed, answer);
        return HF_OK;
    }
    if (!feed->reader) {
        return hf_fail(HF_E_TRUNCATED, "%s: the answer is empty", feed->url);
    }
    HF_TRY(hf_crl_reader_end(feed->reader, &lists));
    hf_crl_draft_hash(feed->draft, sha256);
    if (feed->lists.n && memcmp(sha256, feed->note.sha256, sizeof(sha256)) == 0) {
        confirm(feed, answer);
        return HF_OK;
    }
    HF_TRY(hf_crl_admit(&feed->host->provers, &feed->lists, &lists, now_s(feed)));
    replace(feed, &lists, answer, sha256);
    return HF_OK;
}

static void fail(struct hf_crl_feed *feed, enum hf_err err, bool fetched)
{
    bool replayed = fetched && err == HF_E_MISMATCH;
    feed->n_failures++;
    snprintf(feed->error, sizeof(feed->error), "%s", hf_err_text());
    count(feed, replayed ? feed->replayed : fetched ? feed->refused : feed->failed);
    say_failure(feed, replayed ? "crl-replay" : fetched ? "crl-refused" : "crl-unreachable");
}

/* An answer that was read but not understood is refused, like one that is not admitted. */
static bool was_fetched(const struct hf_crl_feed *feed, enum hf_err err)
{
    return feed->reader && (err == HF_E_MALFORMED || err == HF_E_UNSUPPORTED ||
                            err == HF_E_TRUNCATED || err == HF_E_NOT_FOUND);
}

static void on_fetched(void *ctx, enum hf_err err, const struct hf_fetch_answer *answer)
{
    struct hf_crl_feed *feed = ctx;
    bool fetched = err == HF_OK || was_fetched(feed, err);
    feed->fetch = NULL;
    feed->host->n_running--;
    err = err == HF_OK ? take(feed, answer) : err;
    if (err == HF_OK) {
        feed->n_failures = 0;
        feed->error[0] = '\0';
        arm(feed, good_delay(feed, answer->fresh_s));
    } else {
        fail(feed, err, fetched);
        arm(feed, retry_delay(feed));
    }
    drop_answer(feed);
    if (!feed->untaught) {
        end_wait(feed);
    }
}

/* --- Asking -------------------------------------------------------------------------------------
 */

static enum hf_err begin_answer(struct hf_crl_feed *feed)
{
    struct hf_crl_limits limits = hf_crl_limits_default;
    limits.size_max = feed->terms.max_size;
    HF_TRY(hf_crl_draft_new(feed->host->state, feed->url, &feed->draft));
    return hf_crl_reader_new(&limits, feed->url, &feed->reader);
}

static enum hf_err on_piece(void *ctx, struct hf_bytes piece)
{
    struct hf_crl_feed *feed = ctx;
    if (!feed->reader) {
        HF_TRY(begin_answer(feed));
    }
    hf_crl_draft_add(feed->draft, piece);
    return hf_crl_reader_feed(feed->reader, piece);
}

static const char *validator(const struct hf_crl_feed *feed, const char *text)
{
    return feed->lists.n && text[0] && !feed->unkept ? text : NULL;
}

static void start(struct hf_crl_feed *feed)
{
    struct hf_fetch_ask ask = {
        .url = feed->url,
        .allow_plain = true,
        .roots_pem = hf_buf_bytes(&feed->roots_pem),
        .accept = "application/pkix-crl, application/x-pem-file, */*;q=0.5",
        .etag = validator(feed, feed->note.etag),
        .last_modified = validator(feed, feed->note.last_modified),
        .max_bytes = feed->terms.max_size,
        .timeout_ms = feed->terms.timeout_ms,
        .sink = on_piece,
    };
    feed->asked_at = now_s(feed);
    feed->host->n_running++;
    enum hf_err err = hf_fetch_start(feed->host->fetcher, &ask, on_fetched, feed, &feed->fetch);
    if (err != HF_OK) {
        on_fetched(feed, err, NULL);
    }
}

void hf_crl_feed_ask(struct hf_crl_feed *feed)
{
    if (!feed->host->loop || feed->fetch) {
        return;
    }
    hf_timer_cancel(&feed->timer);
    begin_wait(feed);
    if (feed->host->n_running >= HF_CRL_FETCHES_MAX) {
        hf_timer_set(feed->host->loop, &feed->timer, BUSY_MS);
        return;
    }
    start(feed);
}

static void on_due(struct hf_timer *timer)
{
    hf_crl_feed_ask(HF_CONTAINER_OF(timer, struct hf_crl_feed, timer));
}

void hf_crl_feed_taught(struct hf_crl_feed *feed)
{
    if (feed->untaught) {
        feed->untaught = false;
        end_wait(feed);
    }
}

void hf_crl_feed_stop(struct hf_crl_feed *feed)
{
    if (feed->fetch) {
        hf_fetch_cancel(HF_TAKE(feed->fetch));
        feed->host->n_running--;
    }
    hf_timer_cancel(&feed->timer);
    drop_answer(feed);
    end_wait(feed);
}

bool hf_crl_feed_prove(struct hf_crl_feed *feed)
{
    if (!hf_crl_lists_disproven(&feed->host->provers, &feed->lists)) {
        return false;
    }
    struct hf_log_line line;
    hf_log_begin(&line, feed->host->log, HF_LOG_ERROR, "crl-refused");
    hf_log_str(&line, "url", feed->url);
    hf_log_str(&line, "text",
               "its issuer has come to be known, and has not signed it: the list is dropped");
    hf_log_end(&line);
    hf_crl_lists_done(&feed->lists);
    hf_crl_note_done(&feed->note);
    hf_crl_store_drop(feed->host->state, feed->url);
    hf_crl_feed_ask(feed);
    return true;
}

/* --- Life ---------------------------------------------------------------------------------------
 */

static void make_series(struct hf_crl_feed *feed)
{
    const struct {
        struct hf_series **series;
        const char *result;
    } all[] = {{&feed->changed, "changed"},
               {&feed->unchanged, "unchanged"},
               {&feed->failed, "failed"},
               {&feed->refused, "refused"},
               {&feed->replayed, "replayed"}};
    for (size_t i = 0; i < HF_N_ELEMENTS(all); i++) {
        *all[i].series = hf_metrics_counter(feed->host->metrics, "handfast_crl_fetches_total",
                                            "Fetches of revocation lists by result.", "url",
                                            feed->url, "result", all[i].result, NULL);
    }
}

static void free_series(struct hf_crl_feed *feed)
{
    struct hf_series *all[] = {feed->changed, feed->unchanged, feed->failed, feed->refused,
                               feed->replayed};
    for (size_t i = 0; i < HF_N_ELEMENTS(all); i++) {
        hf_metrics_release(feed->host->metrics, all[i]);
    }
}

/* What was kept and can't be read is as good as nothing: it is fetched anew. */
static enum hf_err read_kept(struct hf_crl_feed *feed)
{
    struct hf_crl_lists none = {0};
    enum hf_err err = hf_crl_store_read(feed->host->state, feed->url, &hf_crl_limits_default,
                                        &feed->lists, &feed->note);
    bool is_new;
    for (size_t i = 0; i < feed->note.n_provers && err == HF_OK; i++) {
        err = hf_crl_provers_add(&feed->host->provers, feed->note.prover[i], &is_new);
    }
    if (err == HF_OK) {
        err = hf_crl_admit(&feed->host->provers, &none, &feed->lists, INT64_MAX / 2);
    }
    if (err == HF_OK || err == HF_E_NOMEM) {
        return err;
    }
    if (err != HF_E_NOT_FOUND) {
        hf_log_say(feed->host->log, HF_LOG_ERROR, "crl-not-kept",
                   "what was kept on disk can't be used, and is fetched anew: %s", hf_err_text());
    }
    hf_crl_lists_done(&feed->lists);
    hf_crl_note_done(&feed->note);
    return HF_OK;
}

enum hf_err hf_crl_feed_set(struct hf_crl_feed *feed, const struct hf_crl_terms *terms)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(terms->roots_pem.len + 1);
    HF_TRY(hf_buf_append(&pem, terms->roots_pem));
    hf_buf_done(&feed->roots_pem);
    feed->roots_pem = pem;
    pem = (struct hf_buf){0};
    feed->terms = *terms;
    feed->terms.roots_pem = hf_buf_bytes(&feed->roots_pem);
    return HF_OK;
}

enum hf_err hf_crl_feed_new(struct hf_crl_host *host, const char *url,
                            const struct hf_crl_terms *terms, struct hf_crl_feed **out)
{
    *out = NULL;
    HF_TRY(hf_fetch_check_url(url, true));
    struct hf_crl_feed *feed = HF_NEW(struct hf_crl_feed);
    if (!feed) {
        return HF_E_NOMEM;
    }
    feed->host = host;
    feed->timer.on_due = on_due;
    hf_list_init(&feed->askers);
    feed->url = hf_strdup(url);
    if (!feed->url) {
        hf_crl_feed_free(feed);
        return HF_E_NOMEM;
    }
    make_series(feed);
    enum hf_err err = hf_crl_feed_set(feed, terms);
    err = err == HF_OK ? read_kept(feed) : err;
    if (err != HF_OK) {
        hf_crl_feed_free(feed);
        return err;
    }
    say_lists(feed, "crl-restored");
    *out = feed;
    return HF_OK;
}

void hf_crl_feed_free(struct hf_crl_feed *feed)
{
    if (feed) {
        hf_crl_feed_stop(feed);
        free_series(feed);
        hf_crl_lists_done(&feed->lists);
        hf_crl_note_done(&feed->note);
        hf_buf_done(&feed->roots_pem);
        hf_free(feed->url);
        hf_free(feed);
    }
}
