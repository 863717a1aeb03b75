// SPDX-License-Identifier: Apache-2.0
/*
 * Calls that wait are in a list; news hands them to the crew, which reads the journal for each. A
 * mutex guards the list alone, and is held for no longer than it takes to hang something in or out.
 */
#include "ca/feed.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/escape.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/text.h"
#include "http/query.h"

enum { ANSWER_MAX = 256 << 20, SLACK_MS = 30 * 1000, ID_SIZE = 64 };

struct hf_feed {
    struct hf_service service; /* first */
    struct hf_ca_service *ca;
    struct hf_crew *crew;
    const struct hf_clock *clock;
    pthread_mutex_t mutex; /* of those below */
    struct hf_link held;
    size_t n_held;
    int64_t seq;     /* of the journal, that is known to have been reached */
    unsigned n_anew; /* how often all was told anew: part of the store's ID here */
    bool closed;     /* nobody is held any more */
    bool ended;      /* the crew is gone */
};

/* Somebody who asks. */
struct asker {
    struct hf_crew_task task;
    struct hf_link link; /* held */
    struct hf_feed *feed;
    struct hf_service_call *call;
    char store[ID_SIZE]; /* that they have heard of */
    int64_t since;
    int64_t until_ns;
};

/* --- Answers ------------------------------------------------------------------------------------
 */

static enum hf_err put_hex(struct hf_buf *out, struct hf_bytes bytes)
{
    static const char digits[] = "0123456789abcdef";
    struct hf_span span;
    HF_TRY(hf_buf_reserve(out, 2 * bytes.len, &span));
    for (size_t i = 0; i < bytes.len; i++) {
        span.ptr[2 * i] = (uint8_t)digits[bytes.ptr[i] >> 4];
        span.ptr[2 * i + 1] = (uint8_t)digits[bytes.ptr[i] & 15];
    }
    hf_buf_commit(out, 2 * bytes.len);
    return HF_OK;
}

static enum hf_err put_authorities(const struct hf_authorities *set, struct hf_buf *out)
{
    for (size_t i = 0; i < set->n; i++) {
        const struct hf_authority *authority = set->item[i];
        if (authority->cert) {
            HF_TRY(hf_buf_printf(out, "authority %lld ", (long long)authority->id));
            HF_TRY(put_hex(out, hf_bytes_of(authority->cert->spki_sha256, HF_SHA256_SIZE)));
            HF_TRY(hf_buf_printf(out, " %s\n", authority->name));
        }
    }
    return HF_OK;
}

static enum hf_err put_line(struct hf_buf *out, const struct hf_store_revocation *r)
{
    bool released = r->act == HF_ACT_RELEASE;
    int reason = r->act == HF_ACT_HOLD ? HF_REVOKED_FOR_HOLD : r->reason;
    HF_TRY(hf_buf_printf(out, "%c %lld ", released ? '-' : '+', (long long)r->authority));
    HF_TRY(put_hex(out, r->serial));
    return released ? hf_buf_append_str(out, "\n")
                    : hf_buf_printf(out, " %d %lld\n", reason, (long long)r->at);
}

struct changes {
    struct hf_buf *out;
    int64_t seq;
    int64_t authority;
};

static enum hf_err add_change(void *ctx, const struct hf_store_revocation *r)
{
    struct changes *changes = ctx;
    changes->seq = r->seq;
    return put_line(changes->out, r);
}

static enum hf_err add_revoked(void *ctx, const struct hf_store_revocation *r)
{
    struct changes *changes = ctx;
    struct hf_store_revocation line = *r;
    line.authority = changes->authority;
    return put_line(changes->out, &line);
}

/* Everything: each authority as of its own moment, and the journal from the earliest of them. */
static enum hf_err put_all(struct hf_store *store, const struct hf_authorities *set, int64_t now,
                           struct changes *changes)
{
    struct hf_store_heads heads;
    HF_TRY(hf_store_heads(store, &heads));
    changes->seq = heads.journal;
    for (size_t i = 0; i < set->n; i++) {
        int64_t seq = 0;
        changes->authority = set->item[i]->id;
        HF_TRY(hf_store_revoked(store, set->item[i]->id, -1, now, add_revoked, changes, &seq));
    }
    return HF_OK;
}

/* Under the lock. "ID", or "ID-2" after all was told anew twice. */
static void id_of(const struct hf_feed *feed, char out[static ID_SIZE])
{
    const char *id = hf_store_id(hf_ca_store(feed->ca));
    if (feed->n_anew) {
        snprintf(out, ID_SIZE, "%s-%u", id, feed->n_anew);
    } else {
        snprintf(out, ID_SIZE, "%s", id);
    }
}

static bool is_from_here(const struct asker *asker)
{
    char id[ID_SIZE];
    id_of(asker->feed, id);
    return strcmp(asker->store, id) == 0;
}

static enum hf_err compose(const struct asker *asker, struct hf_buf *out)
{
    struct hf_feed *feed = asker->feed;
    struct hf_store *store = hf_ca_store(feed->ca);
    struct hf_authorities *set = hf_ca_authorities(feed->ca);
    char id[ID_SIZE];
    if (!set) {
        return HF_E_NOMEM;
    }
    pthread_mutex_lock(&feed->mutex);
    bool goes_on = is_from_here(asker);
    id_of(feed, id);
    pthread_mutex_unlock(&feed->mutex);
    int64_t from = goes_on ? asker->since : 0;
    struct changes changes = {.out = out, .seq = from};
    enum hf_err err =
        hf_buf_printf(out, HF_FEED_HEAD "\nstore %s\nfrom %lld\n", id, (long long)from);
    err = err == HF_OK ? put_authorities(set, out) : err;
    if (err == HF_OK) {
        err = goes_on ? hf_store_journal(store, 0, from, HF_FEED_LINES, add_change, &changes)
                      : put_all(store, set, hf_clock_wall_s(feed->clock), &changes);
    }
    hf_authorities_unref(set);
    return err == HF_OK ? hf_buf_printf(out, "end %lld\n", (long long)changes.seq) : err;
}

static void refuse(struct hf_service_call *call, unsigned status, const char *text)
{
    hf_service_say(call, status, text);
}

static void asker_free(struct asker *asker)
{
    hf_service_unref(&asker->feed->service);
    hf_free(asker);
}

static void run(struct hf_crew_task *task, bool dropped)
{
    struct asker *asker = HF_CONTAINER_OF(task, struct asker, task);
    struct hf_buf out = HF_BUF_INIT(ANSWER_MAX);
    struct hf_service_answer answer = {.status = 200, .content_type = HF_FEED_TYPE};
    if (dropped || hf_service_gone(asker->call)) {
        refuse(asker->call, 503, "the CA is being closed");
    } else if (compose(asker, &out) != HF_OK ||
               hf_service_field(&answer, "cache-control", "no-store") != HF_OK ||
               hf_service_body_buf(&answer, &out) != HF_OK) {
        refuse(asker->call, 503, "the store can't be read");
    } else {
        hf_service_answer(asker->call, &answer);
    }
    hf_service_answer_done(&answer);
    hf_buf_done(&out);
    asker_free(asker);
}

static void start(struct asker *asker)
{
    struct hf_feed *feed = asker->feed;
    pthread_mutex_lock(&feed->mutex);
    bool taken = !feed->ended && hf_crew_add(feed->crew, &asker->task) == HF_OK;
    pthread_mutex_unlock(&feed->mutex);
    if (!taken) {
        refuse(asker->call, 503, "the CA is busy, or being closed; try again");
        asker_free(asker);
    }
}

/* --- Waiting ------------------------------------------------------------------------------------
 */

/* Takes those out of the list for whom it is time. */
static void release(struct hf_feed *feed, bool all, int64_t now_ns)
{
    struct hf_link ready;
    hf_list_init(&ready);
    pthread_mutex_lock(&feed->mutex);
    HF_LIST_FOREACH (&feed->held, link) {
        struct asker *asker = HF_CONTAINER_OF(link, struct asker, link);
        if (all || asker->since < feed->seq || asker->until_ns <= now_ns ||
            hf_service_gone(asker->call)) {
            hf_link_remove(link);
            hf_list_push(&ready, link);
            feed->n_held--;
        }
    }
    pthread_mutex_unlock(&feed->mutex);
    HF_LIST_FOREACH (&ready, link) {
        hf_link_remove(link);
        start(HF_CONTAINER_OF(link, struct asker, link));
    }
}

void hf_feed_news(struct hf_feed *feed, int64_t seq)
{
    pthread_mutex_lock(&feed->mutex);
    feed->seq = seq > feed->seq ? seq : feed->seq;
    pthread_mutex_unlock(&feed->mutex);
    release(feed, false, hf_clock_mono_ns(feed->clock));
}

void hf_feed_anew(struct hf_feed *feed)
{
    pthread_mutex_lock(&feed->mutex);
    feed->n_anew++;
    HF_LIST_FOREACH (&feed->held, link) {
        HF_CONTAINER_OF(link, struct asker, link)->until_ns = 0;
    }
    pthread_mutex_unlock(&feed->mutex);
    release(feed, false, hf_clock_mono_ns(feed->clock));
}

void hf_feed_sweep(struct hf_feed *feed, bool all)
{
    pthread_mutex_lock(&feed->mutex);
    feed->closed |= all;
    pthread_mutex_unlock(&feed->mutex);
    release(feed, all, hf_clock_mono_ns(feed->clock));
}

void hf_feed_close(struct hf_feed *feed)
{
    pthread_mutex_lock(&feed->mutex);
    feed->closed = feed->ended = true;
    pthread_mutex_unlock(&feed->mutex);
}

/* Holds the call, when there is nothing to tell. False: there is, or no room. */
static bool hold(struct hf_feed *feed, struct asker *asker)
{
    pthread_mutex_lock(&feed->mutex);
    bool waits = is_from_here(asker) && asker->since >= feed->seq && !feed->closed &&
                 feed->n_held < HF_FEED_HELD_MAX && asker->until_ns > hf_clock_mono_ns(feed->clock);
    if (waits) {
        hf_list_push(&feed->held, &asker->link);
        feed->n_held++;
    }
    pthread_mutex_unlock(&feed->mutex);
    return waits;
}

/* --- Requests -----------------------------------------------------------------------------------
 */

/* A parameter as text; "" when it isn't there. False: it is malformed, or too long. */
static bool text_of(struct hf_bytes query, const char *name, char *out, size_t size)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf value = HF_BUF_INIT(size - 1);
    bool found = false;
    if (hf_http_query_get(query, name, &found, &value) != HF_OK) {
        return false;
    }
    snprintf(out, size, "%.*s", (int)hf_buf_len(&value), (const char *)hf_buf_bytes(&value).ptr);
    return true;
}

static bool number_of(struct hf_bytes query, const char *name, uint64_t most, uint64_t *out)
{
    char text[32];
    *out = 0;
    return text_of(query, name, text, sizeof(text)) &&
           (!*text || hf_parse_uint(text, most, out) == HF_OK);
}

static void serve(struct hf_service *service, struct hf_service_call *call)
{
    struct hf_feed *feed = HF_CONTAINER_OF(service, struct hf_feed, service);
    struct hf_bytes query = call->request.query;
    char store[ID_SIZE];
    uint64_t since, wait_s;
    if (call->request.method != HF_METHOD_GET) {
        refuse(call, 405, "GET it");
        return;
    }
    if (!text_of(query, "store", store, sizeof(store)) ||
        !number_of(query, "since", INT64_MAX, &since) ||
        !number_of(query, "wait", HF_FEED_WAIT_MAX, &wait_s)) {
        refuse(call, 400, "store is an id, since and wait are numbers, wait at most 55");
        return;
    }
    struct asker *asker = HF_NEW(struct asker);
    if (!asker) {
        refuse(call, 503, "out of memory");
        return;
    }
    hf_service_ref(&feed->service);
    *asker = (struct asker){
        .task = {.run = run},
        .feed = feed,
        .call = call,
        .since = (int64_t)since,
        .until_ns = hf_clock_mono_ns(feed->clock) + (int64_t)wait_s * 1000000000,
    };
    memcpy(asker->store, store, sizeof(store));
    if (!hold(feed, asker)) {
        start(asker);
    }
}

/* --- Life ---------------------------------------------------------------------------------------
 */

static void free_feed(struct hf_service *service)
{
    struct hf_feed *feed = HF_CONTAINER_OF(service, struct hf_feed, service);
    pthread_mutex_destroy(&feed->mutex);
    hf_free(feed);
}

static const struct hf_service_ops ops = {serve, free_feed};

enum hf_err hf_feed_new(struct hf_ca_service *ca, struct hf_crew *crew,
                        const struct hf_clock *clock, struct hf_feed **out)
{
    struct hf_feed *feed = HF_NEW(struct hf_feed);
    if (!feed) {
        return HF_E_NOMEM;
    }
    feed->ca = ca;
    feed->crew = crew;
    feed->clock = clock;
    hf_list_init(&feed->held);
    pthread_mutex_init(&feed->mutex, NULL);
    hf_service_init(&feed->service, &ops, 0, HF_FEED_WAIT_MAX * 1000 + SLACK_MS);
    *out = feed;
    return HF_OK;
}

struct hf_service *hf_feed_service(struct hf_feed *feed)
{
    return &feed->service;
}
