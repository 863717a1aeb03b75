// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_STORE_STORE_IMPL_H
#define HF_CA_STORE_STORE_IMPL_H

/* The inside of a store: one writer thread with its connection, readers' connections, watchers. */

#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "ca/store.h"
#include "ca/store/db.h"
#include "os/thread.h"

#define HF_STORE_READERS 8

struct hf_store_readers {
    pthread_mutex_t lock;
    struct hf_db *idle[HF_STORE_READERS];
    size_t n_idle;
};

struct hf_store_queue {
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct hf_store_op *first;
    struct hf_store_op **last;
    size_t n;
    bool closing;
};

struct hf_store_watchers {
    pthread_mutex_t lock; /* held while on_change runs */
    struct hf_store_watch *first;
    struct hf_thread thread;
    int wake_fd; /* eventfd */
    atomic_bool closing;
    atomic_bool again; /* tell even if nothing has changed */
};

struct hf_store {
    char *url;   /* with its password */
    char *shown; /* without */
    char id[33];
    struct hf_db_place place; /* of the file that was opened first: no other is taken for it */
    const struct hf_clock *clock;
    unsigned timeout_ms;
    size_t max_queued;
    struct hf_db *db;  /* the writer's; NULL or lost: to be opened again */
    char trouble[256]; /* the writer's: why the last batch was given up; "" when it wasn't */
    struct hf_thread writer;
    struct hf_store_queue queue;
    struct hf_store_readers readers;
    struct hf_store_watchers watchers;
};

/* hf_store_connect opens a connection for this store. */
enum hf_err hf_store_connect(const struct hf_store *store, struct hf_db **out) HF_MUST_CHECK;

/* hf_store_reader lends a connection; hf_store_reader_back takes it back, whatever its state. */
enum hf_err hf_store_reader(struct hf_store *store, struct hf_db **out) HF_MUST_CHECK;
void hf_store_reader_back(struct hf_store *store, struct hf_db *db);

/* hf_store_snapshot lends one on which all reads see the same moment, until hf_store_snapshot_end.
 */
enum hf_err hf_store_snapshot(struct hf_store *store, struct hf_db **out) HF_MUST_CHECK;
void hf_store_snapshot_end(struct hf_store *store, struct hf_db *db);

/*
 * hf_store_read asks one query on a reader's connection and gives every row to fn. out_n may be
 * NULL.
 */
enum hf_err hf_store_read(struct hf_store *store, const char *sql, struct hf_db_args args,
                          enum hf_err (*fn)(void *ctx, const struct hf_rows *rows), void *ctx,
                          size_t *out_n) HF_MUST_CHECK;

/* hf_store_writer_run is the writer's thread. */
void hf_store_writer_run(void *store);

/* hf_store_watchers_wake has the watchers' thread look at once. */
void hf_store_watchers_wake(struct hf_store *store);
enum hf_err hf_store_watchers_init(struct hf_store *store) HF_MUST_CHECK;
void hf_store_watchers_done(struct hf_store *store);

#endif
