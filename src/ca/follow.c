// SPDX-License-Identifier: Apache-2.0
/*
 *     ask --(waits at the CA for up to WAIT_S)--> answer --> view --> ask again
 *      \--> failure --> a pause that grows --> ask again           silence: the view is lost
 *
 * A list of changes that grew long is dropped, and everything is asked for anew.
 */
#include "ca/follow.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "ca/feed.h"
#include "os/loop.h"
#include "os/thread.h"
#include "pki/write.h"
#include "watch/fetch.h"

enum {
    WAIT_S = 25,
    TIMEOUT_MS = 60 * 1000,
    RETRY_MS = 200,
    RETRY_MAX_MS = 10 * 1000,
    ANSWER_MAX = 256 << 20,
    URL_SIZE = 2048,
    PEM_MAX = 1 << 20,
};

struct hf_ca_follow {
    struct hf_ca_follow_options options;
    char *name, *url;
    struct hf_buf roots, cert, key;
    struct hf_feed_state state;
    struct hf_loop *loop;
    struct hf_thread thread;
    struct hf_fetcher *fetcher;
    struct hf_fetch *fetch;
    struct hf_timer retry, silence;
    struct hf_task begin, end;
    int64_t pause_ms;
    bool lost, complained;
    pthread_mutex_t mutex; /* of live */
    struct hf_live *live;
};

/* --- The view -----------------------------------------------------------------------------------
 */

static enum hf_err take_live(struct hf_ca_follow *follow)
{
    struct hf_live *live = NULL;
    struct hf_live_book *none = NULL;
    if (!follow->state.book) {
        HF_TRY(hf_live_book_new(follow->name, &none));
    }
    enum hf_err err = hf_live_book_take(none ? none : follow->state.book, follow->state.seq, &live);
    hf_live_book_free(none);
    HF_TRY(err);
    if (follow->lost) {
        hf_live_lose(live);
    }
    pthread_mutex_lock(&follow->mutex);
    struct hf_live *was = follow->live;
    follow->live = hf_live_ref(live);
    pthread_mutex_unlock(&follow->mutex);
    hf_live_unref(was);
    if (was) {
        follow->options.on_live(follow->options.ctx, live);
    } else {
        hf_live_unref(live); /* the first: nobody waits for it */
    }
    return HF_OK;
}

static void renew_live(struct hf_ca_follow *follow)
{
    if (take_live(follow) != HF_OK) {
        hf_log_say(follow->options.log, HF_LOG_ERROR, "ca", "the feed of %s: %s", follow->name,
                   hf_err_text());
        hf_feed_state_done(&follow->state); /* all anew, next time */
    }
}

static void on_silence(struct hf_timer *timer)
{
    struct hf_ca_follow *follow = HF_CONTAINER_OF(timer, struct hf_ca_follow, silence);
    follow->lost = true;
    hf_log_say(follow->options.log, HF_LOG_ERROR, "ca",
               "the feed of %s has been silent for too long: whom it has issued is let in no more",
               follow->name);
    renew_live(follow);
}

/* --- Asking -------------------------------------------------------------------------------------
 */

static void ask(struct hf_ca_follow *follow);

static void fail(struct hf_ca_follow *follow)
{
    if (!follow->complained) {
        hf_log_say(follow->options.log, HF_LOG_WARN, "ca", "the feed of %s: %s", follow->name,
                   hf_err_text());
    }
    follow->complained = true;
    hf_timer_set(follow->loop, &follow->retry, follow->pause_ms);
    follow->pause_ms = 2 * follow->pause_ms < RETRY_MAX_MS ? 2 * follow->pause_ms : RETRY_MAX_MS;
}

static void on_answer(void *ctx, enum hf_err err, const struct hf_fetch_answer *answer)
{
    struct hf_ca_follow *follow = ctx;
    int64_t was = follow->state.seq;
    bool knew = follow->state.book && !follow->lost;
    follow->fetch = NULL;
    err = err == HF_OK ? hf_feed_read(answer->body, follow->name, &follow->state) : err;
    if (err == HF_E_MISMATCH || err == HF_E_MALFORMED) {
        follow->state.store[0] = 0; /* everything, next time */
    }
    if (err != HF_OK) {
        fail(follow);
        return;
    }
    if (follow->complained || !knew) {
        hf_log_say(follow->options.log, HF_LOG_INFO, "ca", "the feed of %s is followed from %lld",
                   follow->name, (long long)follow->state.seq);
    }
    follow->complained = follow->lost = false;
    follow->pause_ms = RETRY_MS;
    hf_timer_set(follow->loop, &follow->silence, follow->options.lost_ms);
    hf_live_book_heard(follow->state.book, hf_clock_mono_ns(follow->options.clock));
    if (!knew || follow->state.seq != was) {
        renew_live(follow);
    }
    if (follow->state.book && hf_live_book_is_long(follow->state.book)) {
        follow->state.store[0] = 0;
    }
    ask(follow);
}

static void ask(struct hf_ca_follow *follow)
{
    char url[URL_SIZE];
    bool knows = follow->state.book && follow->state.store[0];
    char joint = strchr(follow->url, '?') ? '&' : '?';
    int n = knows ? snprintf(url, sizeof(url), "%s%cstore=%s&since=%lld&wait=%d", follow->url,
                             joint, follow->state.store, (long long)follow->state.seq, WAIT_S)
                  : snprintf(url, sizeof(url), "%s%csince=0", follow->url, joint);
    struct hf_fetch_ask what = {
        .url = url,
        .roots_pem = hf_buf_bytes(&follow->roots),
        .cert_pem = hf_buf_bytes(&follow->cert),
        .key_pem = hf_buf_bytes(&follow->key),
        .max_bytes = ANSWER_MAX,
        .timeout_ms = TIMEOUT_MS,
    };
    enum hf_err err = n < (int)sizeof(url) ? hf_fetch_start(follow->fetcher, &what, on_answer,
                                                            follow, &follow->fetch)
                                           : hf_fail(HF_E_TOO_LARGE, "the URL is too long");
    if (err != HF_OK) {
        fail(follow);
    }
}

static void on_retry(struct hf_timer *timer)
{
    ask(HF_CONTAINER_OF(timer, struct hf_ca_follow, retry));
}

/* --- Life ---------------------------------------------------------------------------------------
 */

static void begin(struct hf_task *task)
{
    ask(HF_CONTAINER_OF(task, struct hf_ca_follow, begin));
}

static void end(struct hf_task *task)
{
    struct hf_ca_follow *follow = HF_CONTAINER_OF(task, struct hf_ca_follow, end);
    hf_fetcher_free(HF_TAKE(follow->fetcher));
    hf_timer_cancel(&follow->retry);
    hf_timer_cancel(&follow->silence);
    hf_loop_stop(follow->loop);
}

static void run(void *arg)
{
    struct hf_ca_follow *follow = arg;
    if (hf_loop_run(follow->loop) != HF_OK) {
        hf_log_say(follow->options.log, HF_LOG_ERROR, "ca", "the feed of %s: %s", follow->name,
                   hf_err_text());
    }
}

static enum hf_err prepare(struct hf_ca_follow *follow)
{
    const struct hf_ca_follow_options *options = &follow->options;
    follow->name = hf_strdup(options->name);
    follow->url = hf_strdup(options->url);
    follow->roots = HF_BUF_INIT(PEM_MAX);
    follow->cert = HF_BUF_INIT(PEM_MAX);
    follow->key = HF_BUF_INIT(PEM_MAX);
    if (!follow->name || !follow->url) {
        return HF_E_NOMEM;
    }
    HF_TRY(hf_buf_append(&follow->roots, options->roots_pem));
    if (options->identity) {
        HF_TRY(hf_chain_write_pem(options->identity->chain, &follow->cert));
        HF_TRY(hf_key_write_pem(options->identity->key, hf_bytes_of(NULL, 0), &follow->key));
    }
    follow->lost = true; /* until it has answered */
    follow->pause_ms = RETRY_MS;
    follow->retry.on_due = on_retry;
    follow->silence.on_due = on_silence;
    follow->begin.run = begin;
    follow->end.run = end;
    HF_TRY(hf_fetch_check_url(follow->url, false));
    HF_TRY(take_live(follow));
    HF_TRY(hf_loop_new(options->clock, &follow->loop));
    HF_TRY(hf_fetcher_new(follow->loop, &follow->fetcher));
    hf_loop_post(follow->loop, &follow->begin);
    return hf_thread_start(&follow->thread, "ca-feed", run, follow);
}

enum hf_err hf_ca_follow_open(const struct hf_ca_follow_options *options, struct hf_ca_follow **out)
{
    struct hf_ca_follow *follow = HF_NEW(struct hf_ca_follow);
    if (!follow) {
        return HF_E_NOMEM;
    }
    follow->options = *options;
    pthread_mutex_init(&follow->mutex, NULL);
    enum hf_err err = prepare(follow);
    follow->options.name = follow->options.url = NULL; /* borrowed for the call */
    follow->options.identity = NULL;
    if (err != HF_OK) {
        hf_ca_follow_close(follow);
        return err;
    }
    *out = follow;
    return HF_OK;
}

struct hf_live *hf_ca_follow_live(struct hf_ca_follow *follow)
{
    pthread_mutex_lock(&follow->mutex);
    struct hf_live *live = hf_live_ref(follow->live);
    pthread_mutex_unlock(&follow->mutex);
    return live;
}

void hf_ca_follow_close(struct hf_ca_follow *follow)
{
    if (!follow) {
        return;
    }
    if (follow->thread.running) {
        hf_loop_post(follow->loop, &follow->end);
        hf_thread_join(&follow->thread);
    }
    hf_fetcher_free(follow->fetcher);
    if (follow->loop) {
        hf_loop_free(follow->loop);
    }
    hf_feed_state_done(&follow->state);
    hf_live_unref(follow->live);
    pthread_mutex_destroy(&follow->mutex);
    hf_buf_done(&follow->roots);
    hf_buf_done(&follow->cert);
    hf_buf_wipe(&follow->key);
    hf_buf_done(&follow->key);
    hf_free(follow->name);
    hf_free(follow->url);
    hf_free(follow);
}
