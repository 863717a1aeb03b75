// SPDX-License-Identifier: Apache-2.0
/*
 * The watchers' thread, which is started by the first hf_store_watch. It has a connection of its
 * own, looks at the heads when it is woken (own commits), when the database says so (PostgreSQL,
 * and SQLite by its file) or every 0.2 s (SQLite), and tells those who watch when they have moved.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "ca/store/store_impl.h"
#include "os/sock.h"

enum { WAIT_MS = 5000, RETRY_MS = 250 };

static enum hf_err look(struct hf_db *db, struct hf_store_heads *out)
{
    HF_CLEANUP(hf_db_endp) struct hf_rows *rows = NULL;
    bool row;
    HF_TRY(
        hf_db_ask(db, &rows, "SELECT change, journal, audit FROM heads WHERE one = 1", HF_DB_NONE));
    HF_TRY(hf_db_next(rows, &row));
    if (!row) {
        return hf_fail(HF_E_MALFORMED, "the store has lost its heads");
    }
    *out = (struct hf_store_heads){hf_db_number(rows, 0), hf_db_number(rows, 1),
                                   hf_db_number(rows, 2)};
    return HF_OK;
}

static void tell(struct hf_store_watchers *watchers, const struct hf_store_heads *heads)
{
    pthread_mutex_lock(&watchers->lock);
    for (struct hf_store_watch *watch = watchers->first; watch; watch = watch->next) {
        watch->on_change(watch, heads);
    }
    pthread_mutex_unlock(&watchers->lock);
}

static void swallow(int fd)
{
    uint64_t count;
    (void)!read(fd, &count, sizeof(count));
}

/* Until the connection is lost, or the store is closed. `seen` outlives it. */
static enum hf_err follow(struct hf_store *store, struct hf_db *db, struct hf_store_heads *seen)
{
    struct hf_store_watchers *watchers = &store->watchers;
    HF_TRY(db->backend->listen(db));
    while (!atomic_load(&watchers->closing)) {
        struct hf_store_heads heads;
        bool again = atomic_exchange(&watchers->again, false);
        HF_TRY(hf_db_check(db));
        HF_TRY(look(db, &heads));
        if (again || heads.change != seen->change) {
            *seen = heads;
            tell(watchers, &heads);
        }
        HF_TRY(db->backend->wait(db, watchers->wake_fd, WAIT_MS));
        swallow(watchers->wake_fd);
    }
    return HF_OK;
}

static void run(void *arg)
{
    struct hf_store *store = arg;
    struct hf_store_heads seen = {0};
    while (!atomic_load(&store->watchers.closing)) {
        struct hf_db *db = NULL;
        if (hf_store_connect(store, &db) != HF_OK || follow(store, db, &seen) != HF_OK) {
            struct pollfd wake = {.fd = store->watchers.wake_fd, .events = POLLIN};
            (void)poll(&wake, 1, RETRY_MS);
            atomic_store(&store->watchers.again, true);
        }
        hf_db_close(db);
    }
}

enum hf_err hf_store_watchers_init(struct hf_store *store)
{
    store->watchers.wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return store->watchers.wake_fd < 0 ? hf_fail_errno("eventfd") : HF_OK;
}

void hf_store_watchers_wake(struct hf_store *store)
{
    const uint64_t one = 1;
    (void)!write(store->watchers.wake_fd, &one, sizeof(one));
}

void hf_store_watchers_done(struct hf_store *store)
{
    if (store->watchers.wake_fd >= 0) {
        atomic_store(&store->watchers.closing, true);
        hf_store_watchers_wake(store);
        hf_thread_join(&store->watchers.thread);
        hf_closep(&store->watchers.wake_fd);
    }
}

enum hf_err hf_store_watch(struct hf_store *store, struct hf_store_watch *watch)
{
    struct hf_store_watchers *watchers = &store->watchers;
    enum hf_err err = HF_OK;
    pthread_mutex_lock(&watchers->lock);
    if (!watchers->thread.running) {
        err = hf_thread_start(&watchers->thread, "ca-store-watch", run, store);
    }
    if (err == HF_OK) {
        watch->next = watchers->first;
        watchers->first = watch;
        atomic_store(&watchers->again, true);
    }
    pthread_mutex_unlock(&watchers->lock);
    hf_store_watchers_wake(store);
    return err;
}

void hf_store_unwatch(struct hf_store *store, struct hf_store_watch *watch)
{
    struct hf_store_watchers *watchers = &store->watchers;
    pthread_mutex_lock(&watchers->lock);
    for (struct hf_store_watch **at = &watchers->first; *at; at = &(*at)->next) {
        if (*at == watch) {
            *at = watch->next;
            break;
        }
    }
    pthread_mutex_unlock(&watchers->lock);
}
