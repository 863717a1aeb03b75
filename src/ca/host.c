// SPDX-License-Identifier: Apache-2.0
/*
 * The host's thread: it follows the journal, and has a timer that looks at what is due. The store
 * tells of changes on a thread of its own; that becomes one task on ours, however many there were.
 * What takes long (building lists) is done by the crew, so that a revocation is never kept waiting.
 */
#include "ca/host.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "ca/host_impl.h"

enum {
    CREW = 2, /* one may be building a list */
    QUEUED_MAX = 4096,
    SWEEP_MS = 1000,
    PAUSE_MS = 250,
    PAUSE_MAX_MS = 30 * 1000,
};

int64_t hf_host_now_s(const struct hf_ca_host *host)
{
    return hf_clock_wall_s(host->options.service.clock);
}

int64_t hf_host_longer(int64_t before_ms)
{
    int64_t pause_ms = before_ms ? 2 * before_ms : PAUSE_MS;
    return pause_ms < PAUSE_MAX_MS ? pause_ms : PAUSE_MAX_MS;
}

struct hf_host_authority *hf_host_find(struct hf_ca_host *host, int64_t id)
{
    for (size_t i = 0; i < host->n_authorities; i++) {
        if (host->authorities[i].authority->id == id) {
            return &host->authorities[i];
        }
    }
    return NULL;
}

/* --- Authorities --------------------------------------------------------------------------------
 */

static void authority_done(struct hf_host_authority *owner)
{
    for (unsigned s = 0; s < owner->n_shards; s++) {
        hf_host_crl_done(&owner->shards[s].full);
        hf_host_crl_done(&owner->shards[s].delta);
    }
    hf_free(owner->shards);
    hf_ocsp_signer_unref(owner->signer);
    hf_authority_unref(owner->authority);
}

static enum hf_err add_authority(struct hf_ca_host *host, struct hf_authority *authority)
{
    struct hf_host_authority *grown =
        hf_realloc(host->authorities, (host->n_authorities + 1) * sizeof(*grown));
    if (!grown) {
        return HF_E_NOMEM;
    }
    host->authorities = grown;
    struct hf_host_authority *owner = &host->authorities[host->n_authorities];
    *owner = (struct hf_host_authority){0};
    owner->n_shards = authority->settings.shards ? authority->settings.shards : 1;
    owner->shards = hf_alloc_zero(owner->n_shards, sizeof(*owner->shards));
    if (!owner->shards) {
        return HF_E_NOMEM;
    }
    owner->authority = hf_authority_ref(authority);
    host->n_authorities++;
    host->stale = true;
    return HF_OK;
}

/* The same one, changed: its certificate, its key, how many shards it has. */
static enum hf_err renew_authority(struct hf_ca_host *host, struct hf_host_authority *owner,
                                   struct hf_authority *authority)
{
    unsigned n = authority->settings.shards ? authority->settings.shards : 1;
    if (n > owner->n_shards) {
        struct hf_host_shard *grown = hf_realloc(owner->shards, n * sizeof(*grown));
        if (!grown) {
            return HF_E_NOMEM;
        }
        memset(grown + owner->n_shards, 0, (n - owner->n_shards) * sizeof(*grown));
        owner->shards = grown;
        owner->n_shards = n; /* fewer than there were: certificates name those that were */
    }
    hf_authority_unref(owner->authority);
    owner->authority = hf_authority_ref(authority);
    host->stale = true;
    return HF_OK;
}

static enum hf_err gather(void *ctx, const struct hf_store_revocation *r)
{
    int reason = r->act == HF_ACT_HOLD ? HF_REVOKED_FOR_HOLD : r->reason;
    struct hf_revocation_entry entry = {r->at, (enum hf_revoked_for)reason};
    struct hf_serial serial = {.len = (uint8_t)r->serial.len};
    memcpy(serial.byte, r->serial.ptr, r->serial.len);
    return hf_serials_add(ctx, &serial, entry);
}

/* Everything that an authority has revoked; expired certificates are nobody's to show. */
static enum hf_err load_revoked(struct hf_ca_host *host, const struct hf_authority *authority,
                                int64_t *out_seq)
{
    struct hf_serials_builder builder = {.max = hf_crl_limits_default.n_max};
    enum hf_err err = hf_store_revoked(hf_ca_store(host->service), authority->id, -1,
                                       hf_host_now_s(host), gather, &builder, out_seq);
    if (err == HF_OK) {
        err = hf_live_book_set(host->book, authority->id, authority->cert->spki_sha256, &builder);
    }
    hf_serials_builder_done(&builder);
    return err;
}

/* The set as it is now: those that are new are loaded, those that were are brought up to date. */
static enum hf_err meet(struct hf_ca_host *host, struct hf_authority *authority)
{
    int64_t seq = 0;
    struct hf_host_authority *owner = hf_host_find(host, authority->id);
    if (!authority->cert) {
        return HF_OK;
    }
    if (owner && owner->authority != authority) {
        HF_TRY(renew_authority(host, owner, authority));
    }
    if (!owner) {
        HF_TRY(add_authority(host, authority));
    }
    if (hf_live_book_has(host->book, authority->id)) {
        return HF_OK;
    }
    HF_TRY(load_revoked(host, authority, &seq));
    if (!host->has_seq || seq < host->seq) {
        host->seq = seq; /* lines that both know are read twice, which does no harm */
        host->has_seq = true;
    }
    return HF_OK;
}

static enum hf_err meet_all(struct hf_ca_host *host)
{
    struct hf_authorities *set = hf_ca_authorities(host->service);
    if (!set) {
        return hf_fail(HF_E_IO, "the CA's authorities can't be read");
    }
    enum hf_err err = HF_OK;
    for (size_t i = 0; i < set->n && err == HF_OK; i++) {
        err = meet(host, set->item[i]);
    }
    hf_authorities_unref(set);
    return err;
}

/* --- The journal --------------------------------------------------------------------------------
 */

static enum hf_err follow(void *ctx, const struct hf_store_revocation *r)
{
    struct hf_ca_host *host = ctx;
    struct hf_serial serial = {.len = (uint8_t)r->serial.len};
    int reason = r->act == HF_ACT_HOLD ? HF_REVOKED_FOR_HOLD : r->reason;
    struct hf_revocation_entry entry = {r->at, (enum hf_revoked_for)reason};
    memcpy(serial.byte, r->serial.ptr, r->serial.len);
    if (hf_live_book_has(host->book, r->authority)) {
        HF_TRY(hf_live_book_change(host->book, r->authority, &serial, entry,
                                   r->act == HF_ACT_RELEASE));
        hf_host_crl_changed(host, r->authority, r->shard, r->seq);
    }
    host->seq = r->seq;
    return HF_OK;
}

static enum hf_err shorten(struct hf_ca_host *host)
{
    for (int64_t id; (id = hf_live_book_is_long(host->book));) {
        const struct hf_host_authority *owner = hf_host_find(host, id);
        int64_t seq = 0;
        if (!owner) {
            return hf_fail(HF_E_INTERNAL, "an authority is known and isn't");
        }
        HF_TRY(load_revoked(host, owner->authority, &seq));
        host->seq = seq < host->seq ? seq : host->seq;
    }
    return HF_OK;
}

static enum hf_err take_live(struct hf_ca_host *host)
{
    struct hf_live *live = NULL;
    HF_TRY(hf_live_book_take(host->book, host->seq, &live));
    if (host->lost) {
        hf_live_lose(live);
    }
    pthread_mutex_lock(&host->mutex);
    struct hf_live *was = host->live;
    host->live = hf_live_ref(live);
    pthread_mutex_unlock(&host->mutex);
    hf_live_unref(was);
    if (host->options.on_live && host->loop) {
        host->options.on_live(host->options.ctx, live);
    } else {
        hf_live_unref(live);
    }
    return HF_OK;
}

/* As at the start: the clock was set back, and what it took for expired isn't. */
static enum hf_err read_anew(struct hf_ca_host *host)
{
    for (size_t i = 0; i < host->n_authorities; i++) {
        int64_t seq = 0;
        HF_TRY(load_revoked(host, host->authorities[i].authority, &seq));
        host->seq = seq < host->seq ? seq : host->seq;
    }
    host->told_seq = -1;
    if (host->feed) {
        hf_feed_anew(host->feed);
    }
    return HF_OK;
}

/* Reads what is new, tells of it, and says whether there was anything. What was read before a
 * failure is in the book, and is told of the next time. */
static enum hf_err catch_up(struct hf_ca_host *host, bool *out_news)
{
    int64_t asked_ns = hf_clock_mono_ns(host->options.service.clock);
    host->anew |= hf_host_clock_look(host);
    HF_TRY(meet_all(host));
    if (host->anew) {
        HF_TRY(read_anew(host));
        host->anew = false;
    }
    HF_TRY(hf_store_journal(hf_ca_store(host->service), 0, host->seq, 0, follow, host));
    HF_TRY(shorten(host));
    bool news = !host->live || host->lost || host->seq != host->told_seq ||
                host->n_authorities != host->n_told;
    host->heard_ns = asked_ns; /* whatever was revoked before is known */
    host->lost = false;
    hf_live_book_heard(host->book, asked_ns);
    if (news) {
        HF_TRY(take_live(host));
        host->told_seq = host->seq;
        host->n_told = host->n_authorities;
    }
    *out_news = news;
    return HF_OK;
}

/* --- The thread ---------------------------------------------------------------------------------
 */

static void complain(struct hf_ca_host *host, const char *what)
{
    hf_log_say(host->options.log, HF_LOG_ERROR, "ca", "%s of the CA %s: %s", what, host->name,
               hf_err_text());
}

static void show(struct hf_ca_host *host)
{
    if (hf_host_show(host) == HF_OK) {
        host->stale = false;
    } else {
        complain(host, "lists and certificates can't be shown");
    }
}

/* Once when it begins, once when it has lasted too long. */
static void on_unreadable(struct hf_ca_host *host)
{
    int64_t silent_ns = hf_clock_mono_ns(host->options.service.clock) - host->heard_ns;
    if (!host->complained) {
        complain(host, "the journal of revocations can't be read");
    }
    host->complained = true;
    if (host->lost || silent_ns / 1000000 < host->options.lost_ms) {
        return;
    }
    host->lost = true;
    hf_log_say(host->options.log, HF_LOG_ERROR, "ca",
               "the store of the CA %s has been out of reach for too long: whom it has issued is "
               "let in no more",
               host->name);
    if (take_live(host) != HF_OK) {
        host->lost = false; /* said and tried again */
        complain(host, "what isn't known any more can't be told");
    }
}

static void read_news(struct hf_ca_host *host)
{
    bool news = false;
    if (catch_up(host, &news) != HF_OK) {
        on_unreadable(host);
    } else if (host->complained) {
        host->complained = false;
        hf_log_say(host->options.log, HF_LOG_INFO, "ca",
                   "the journal of revocations of the CA %s is read again", host->name);
    }
    if (news) {
        hf_feed_news(host->feed, host->seq);
        show(host);
    }
}

static void on_change(struct hf_task *task)
{
    struct hf_ca_host *host = HF_CONTAINER_OF(task, struct hf_ca_host, change);
    pthread_mutex_lock(&host->mutex);
    host->told = false;
    pthread_mutex_unlock(&host->mutex);
    if (!atomic_load(&host->closing)) {
        read_news(host);
        hf_host_look(host);
    }
}

/* On a thread of the store's. */
static void on_store(struct hf_store_watch *watch, const struct hf_store_heads *heads)
{
    (void)heads;
    struct hf_ca_host *host = HF_CONTAINER_OF(watch, struct hf_ca_host, watch);
    pthread_mutex_lock(&host->mutex);
    bool post = !host->told;
    host->told = true;
    pthread_mutex_unlock(&host->mutex);
    if (post) {
        host->change.run = on_change;
        hf_loop_post(host->loop, &host->change);
    }
}

static void on_timer(struct hf_timer *timer)
{
    struct hf_ca_host *host = HF_CONTAINER_OF(timer, struct hf_ca_host, timer);
    int64_t next = SWEEP_MS;
    read_news(host); /* should a change not have been told */
    int64_t crl = hf_host_crl_due(host);
    int64_t ocsp = hf_host_ocsp_due(host);
    hf_feed_sweep(host->feed, false);
    hf_obeyed_sweep(&host->obeyed, false);
    if (host->stale) {
        show(host);
    }
    next = crl < next ? crl : next;
    next = ocsp < next ? ocsp : next;
    hf_timer_set(host->loop, timer, next > 0 ? next : 0);
}

void hf_host_look(struct hf_ca_host *host)
{
    if (!atomic_load(&host->closing)) {
        hf_timer_set(host->loop, &host->timer, 0);
    }
}

static void run(void *arg)
{
    struct hf_ca_host *host = arg;
    if (hf_loop_run(host->loop) != HF_OK) {
        complain(host, "the thread has failed");
    }
}

/* --- Opening and closing ------------------------------------------------------------------------
 */

static enum hf_err open_parts(struct hf_ca_host *host, const struct hf_ca_host_options *options)
{
    bool news;
    hf_host_clock_begin(host);
    HF_TRY(hf_ca_service_open(&options->service, &host->service));
    HF_TRY(hf_crew_new(CREW, QUEUED_MAX, &host->crew));
    HF_TRY(hf_live_book_new(host->name, &host->book));
    HF_TRY(catch_up(host, &news));
    struct hf_public_options public = {.store = hf_ca_store(host->service),
                                       .crew = host->crew,
                                       .clock = options->service.clock,
                                       .ocsp_lifetime_s = options->ocsp_lifetime_s};
    HF_TRY(hf_public_new(&public, &host->public));
    HF_TRY(hf_feed_new(host->service, host->crew, options->service.clock, &host->feed));
    hf_feed_news(host->feed, host->seq);
    HF_TRY(hf_loop_new(options->service.clock, &host->loop));
    host->timer.on_due = on_timer;
    hf_timer_set(host->loop, &host->timer, 0);
    HF_TRY(hf_thread_start(&host->thread, "ca", run, host));
    host->watch.on_change = on_store;
    HF_TRY(hf_store_watch(hf_ca_store(host->service), &host->watch));
    host->watching = true;
    return HF_OK;
}

static enum hf_err copy_texts(struct hf_ca_host *host)
{
    host->name = hf_strdup(host->options.name);
    host->crl_folder = host->options.crl_folder ? hf_strdup(host->options.crl_folder) : NULL;
    bool whole = host->name && (host->crl_folder || !host->options.crl_folder);
    host->options.name = NULL; /* borrowed for the call */
    host->options.crl_folder = NULL;
    return whole ? HF_OK : HF_E_NOMEM;
}

enum hf_err hf_ca_host_open(const struct hf_ca_host_options *options, struct hf_ca_host **out)
{
    struct hf_ca_host *host = HF_NEW(struct hf_ca_host);
    if (!host) {
        return HF_E_NOMEM;
    }
    host->options = *options;
    host->options.service = (struct hf_ca_service_options){.clock = options->service.clock};
    pthread_mutex_init(&host->mutex, NULL);
    hf_obeyed_init(&host->obeyed, options->service.clock);
    enum hf_err err = copy_texts(host);
    err = err == HF_OK ? open_parts(host, options) : err;
    if (err != HF_OK) {
        hf_ca_host_close(host);
        return err;
    }
    *out = host;
    return HF_OK;
}

static void stop(struct hf_ca_host *host)
{
    if (host->watching) {
        hf_store_unwatch(hf_ca_store(host->service), &host->watch);
    }
    atomic_store(&host->closing, true);
    if (host->loop) {
        hf_loop_stop(host->loop);
        hf_thread_join(&host->thread);
    }
    if (host->feed) {
        hf_feed_sweep(host->feed, true);
        hf_feed_close(host->feed);
    }
    if (host->public) {
        hf_public_close(host->public);
    }
    hf_obeyed_sweep(&host->obeyed, true);
    hf_crew_free(host->crew); /* answers all calls; lists that were built are posted to the loop */
    hf_timer_cancel(&host->timer);
    hf_loop_free(host->loop);
}

void hf_ca_host_close(struct hf_ca_host *host)
{
    if (!host) {
        return;
    }
    stop(host);
    for (size_t i = 0; i < host->n_authorities; i++) {
        authority_done(&host->authorities[i]);
    }
    hf_free(host->authorities);
    if (host->public) {
        hf_service_unref(hf_public_service(host->public));
    }
    if (host->feed) {
        hf_service_unref(hf_feed_service(host->feed));
    }
    hf_live_book_free(host->book);
    hf_live_unref(host->live);
    hf_ca_service_close(host->service);
    hf_obeyed_done(&host->obeyed);
    pthread_mutex_destroy(&host->mutex);
    hf_free(host->name);
    hf_free(host->crl_folder);
    hf_free(host);
}

struct hf_live *hf_ca_host_live(struct hf_ca_host *host)
{
    pthread_mutex_lock(&host->mutex);
    struct hf_live *live = host->live ? hf_live_ref(host->live) : NULL;
    pthread_mutex_unlock(&host->mutex);
    return live;
}

struct hf_service *hf_ca_host_public(struct hf_ca_host *host)
{
    return hf_public_service(host->public);
}

struct hf_service *hf_ca_host_feed(struct hf_ca_host *host)
{
    return hf_feed_service(host->feed);
}

struct hf_ca_service *hf_ca_host_service(struct hf_ca_host *host)
{
    return host->service;
}

struct hf_obeyed *hf_ca_host_obeyed(struct hf_ca_host *host)
{
    return &host->obeyed;
}

void hf_ca_host_drain(struct hf_ca_host *host)
{
    hf_feed_sweep(host->feed, true);
}
