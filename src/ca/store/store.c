// SPDX-License-Identifier: Apache-2.0
/*
 * Opening and closing, and the readers' connections.
 *
 *     callers --submit--> queue --> writer thread --(one connection)--> database
 *     callers --read----> one of a few connections --------------------> database
 *     watchers' thread ---(one connection)---- heads -----------------> database
 *
 * The first connection that is opened brings the tables up to date; the rest find them so.
 */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "ca/store/schema.h"
#include "ca/store/store_impl.h"

enum { TIMEOUT_MS = 10000, MAX_QUEUED = 8192 };

static const char *const authority_states[] = {"pending", "active", "retired"};
static const char *const acts[] = {"revoke", "hold", "release"};
static const char *const request_states[] = {"pending", "approved", "denied", "issued"};

const char *hf_store_authority_state_name(enum hf_store_authority_state state)
{
    return (size_t)state < HF_N_ELEMENTS(authority_states) ? authority_states[state] : "?";
}

const char *hf_store_act_name(enum hf_store_act act)
{
    return (size_t)act < HF_N_ELEMENTS(acts) ? acts[act] : "?";
}

const char *hf_store_request_state_name(enum hf_store_request_state state)
{
    return (size_t)state < HF_N_ELEMENTS(request_states) ? request_states[state] : "?";
}

/* --- Connections -------------------------------------------------------------------------------
 */

enum hf_err hf_store_connect(const struct hf_store *store, struct hf_db **out)
{
    struct hf_db_options options = {
        .url = store->url,
        .place = store->place,
        .small_cache = true,
        .timeout_ms = store->timeout_ms,
    };
    return hf_db_open(&options, out);
}

enum hf_err hf_store_reader(struct hf_store *store, struct hf_db **out)
{
    struct hf_store_readers *readers = &store->readers;
    *out = NULL;
    pthread_mutex_lock(&readers->lock);
    if (readers->n_idle) {
        *out = readers->idle[--readers->n_idle];
    }
    pthread_mutex_unlock(&readers->lock);
    if (*out && hf_db_check(*out) != HF_OK) {
        hf_db_closep(out);
    }
    return *out ? HF_OK : hf_store_connect(store, out);
}

void hf_store_reader_back(struct hf_store *store, struct hf_db *db)
{
    struct hf_store_readers *readers = &store->readers;
    if (!db) {
        return;
    }
    pthread_mutex_lock(&readers->lock);
    if (!db->lost && readers->n_idle < HF_STORE_READERS) {
        readers->idle[readers->n_idle++] = db;
        db = NULL;
    }
    pthread_mutex_unlock(&readers->lock);
    hf_db_close(db);
}

static enum hf_err give_rows(struct hf_db *db, const char *sql, struct hf_db_args args,
                             enum hf_err (*fn)(void *, const struct hf_rows *), void *ctx,
                             size_t *out_n)
{
    HF_CLEANUP(hf_db_endp) struct hf_rows *rows = NULL;
    bool row;
    HF_TRY(hf_db_stream(db, &rows, sql, args));
    for (;;) {
        HF_TRY(hf_db_next(rows, &row));
        if (!row) {
            return HF_OK;
        }
        ++*out_n;
        HF_TRY(fn(ctx, rows));
    }
}

/* A connection that broke while it was idle (the database was restarted) shows it at the first
 * question: that one is asked again on a new connection, once, if no row was given to fn. */
enum hf_err hf_store_read(struct hf_store *store, const char *sql, struct hf_db_args args,
                          enum hf_err (*fn)(void *ctx, const struct hf_rows *rows), void *ctx,
                          size_t *out_n)
{
    enum hf_err err = HF_OK;
    size_t n = 0;
    for (int attempt = 0; attempt < 1 + HF_STORE_READERS; attempt++) {
        struct hf_db *db;
        HF_TRY(hf_store_reader(store, &db));
        err = give_rows(db, sql, args, fn, ctx, &n);
        bool again = err != HF_OK && err != HF_E_TIMEOUT && db->lost && n == 0;
        hf_store_reader_back(store, db);
        if (!again) {
            break;
        }
    }
    if (out_n) {
        *out_n = n;
    }
    return err;
}

/* Likewise here, where nothing has been asked yet. */
enum hf_err hf_store_snapshot(struct hf_store *store, struct hf_db **out)
{
    enum hf_err err = HF_OK;
    *out = NULL;
    for (int attempt = 0; attempt < 1 + HF_STORE_READERS; attempt++) {
        struct hf_db *db;
        HF_TRY(hf_store_reader(store, &db));
        err = hf_db_begin_snapshot(db);
        if (err == HF_OK) {
            *out = db;
            return HF_OK;
        }
        bool again = db->lost && err != HF_E_TIMEOUT;
        hf_store_reader_back(store, db);
        if (!again) {
            break;
        }
    }
    return err;
}

void hf_store_snapshot_end(struct hf_store *store, struct hf_db *db)
{
    hf_db_rollback(db);
    hf_store_reader_back(store, db);
}

/* --- Opening -----------------------------------------------------------------------------------
 */

/* The URL without a password, which stands between ":" and the last "@" of the host part. */
static char *without_password(const char *url)
{
    char *text = hf_strdup(url);
    char *host = text ? strstr(text, "://") : NULL;
    if (!host) {
        return text;
    }
    host += 3;
    char *at = memrchr(host, '@', strcspn(host, "/?"));
    char *colon = at ? memchr(host, ':', (size_t)(at - host)) : NULL;
    if (colon) {
        memmove(colon, at, strlen(at) + 1);
    }
    char *parameter = strstr(host, "password=");
    if (parameter) {
        size_t len = strcspn(parameter, "&");
        memmove(parameter, parameter + len, strlen(parameter + len) + 1);
    }
    return text;
}

static enum hf_err read_id(struct hf_store *store)
{
    HF_CLEANUP(hf_db_endp) struct hf_rows *rows = NULL;
    bool row;
    HF_TRY(hf_db_ask(store->db, &rows, "SELECT value FROM handfast_meta WHERE name = 'store'",
                     HF_DB_NONE));
    HF_TRY(hf_db_next(rows, &row));
    if (!row) {
        return hf_fail(HF_E_MALFORMED, "not a store of handfast");
    }
    snprintf(store->id, sizeof(store->id), "%.32s", hf_db_string(rows, 0));
    return HF_OK;
}

static enum hf_err open_tables(struct hf_store *store, const struct hf_store_options *options)
{
    struct hf_db_options how = {
        .url = store->url,
        .create = options->create,
        .timeout_ms = store->timeout_ms,
    };
    HF_TRY(hf_db_open(&how, &store->db));
    store->place = store->db->place;
    enum hf_err err = hf_schema_prepare(store->db, options->create);
    if (err == HF_OK) {
        err = read_id(store);
    }
    return err == HF_OK ? HF_OK : hf_fail_context(err, "%s", store->shown);
}

static enum hf_err set_up(struct hf_store *store, const struct hf_store_options *options)
{
    store->url = hf_strdup(options->url);
    store->shown = without_password(options->url);
    if (!store->url || !store->shown) {
        return HF_E_NOMEM;
    }
    HF_TRY(open_tables(store, options));
    HF_TRY(hf_store_watchers_init(store));
    return hf_thread_start(&store->writer, "ca-store", hf_store_writer_run, store);
}

enum hf_err hf_store_open(const struct hf_store_options *options, struct hf_store **out)
{
    *out = NULL;
    struct hf_store *store = HF_NEW(struct hf_store);
    if (!store) {
        return HF_E_NOMEM;
    }
    store->clock = options->clock;
    store->timeout_ms = options->timeout_ms ? options->timeout_ms : TIMEOUT_MS;
    store->max_queued = options->max_queued ? options->max_queued : MAX_QUEUED;
    store->queue.last = &store->queue.first;
    store->watchers.wake_fd = -1;
    pthread_mutex_init(&store->queue.lock, NULL);
    pthread_cond_init(&store->queue.more, NULL);
    pthread_mutex_init(&store->readers.lock, NULL);
    pthread_mutex_init(&store->watchers.lock, NULL);
    enum hf_err err = set_up(store, options);
    if (err != HF_OK) {
        hf_store_close(store);
        return err;
    }
    *out = store;
    return HF_OK;
}

static void stop_writer(struct hf_store *store)
{
    pthread_mutex_lock(&store->queue.lock);
    store->queue.closing = true;
    pthread_cond_signal(&store->queue.more);
    pthread_mutex_unlock(&store->queue.lock);
    hf_thread_join(&store->writer);
}

void hf_store_close(struct hf_store *store)
{
    if (!store) {
        return;
    }
    stop_writer(store);
    hf_store_watchers_done(store);
    for (size_t i = 0; i < store->readers.n_idle; i++) {
        hf_db_close(store->readers.idle[i]);
    }
    hf_db_close(store->db);
    pthread_mutex_destroy(&store->queue.lock);
    pthread_cond_destroy(&store->queue.more);
    pthread_mutex_destroy(&store->readers.lock);
    pthread_mutex_destroy(&store->watchers.lock);
    hf_free(store->url);
    hf_free(store->shown);
    hf_free(store);
}

const char *hf_store_id(const struct hf_store *store)
{
    return store->id;
}

const char *hf_store_url(const struct hf_store *store)
{
    return store->shown;
}
