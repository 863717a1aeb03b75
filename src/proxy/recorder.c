// SPDX-License-Identifier: Apache-2.0
/*
 * An inbox is a ring of atomic pointers. Whoever gives takes a number from `head` and swaps its
 * account into the slot of that number; what was there had not been read in time and goes. The
 * reader swaps NULL into every slot and sorts by number. Nobody ever waits for anybody.
 *
 * The thread sleeps on an eventfd. `lock` keeps the reading side to one thread at a time: it is the
 * recorder's thread, or the control thread when somebody asks. The recorder's thread has stepped
 * back, so on a busy machine it may take very long for what it has begun: it has the lock for one
 * account at a time, and whoever needs them all now takes the rest itself.
 */
#include "proxy/recorder.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/sock.h"
#include "os/thread.h"

enum {
    INBOX = 1024, /* as many as are kept of a kind at most */
    ADMITTED_EVERY_MS = 1000,
    PAUSE_MS = 5, /* between one and the next: to put one in words takes half a millisecond */
};

struct inbox {
    atomic_uint head;
    _Atomic(struct hf_account *) slot[INBOX];
};

struct hf_recorder {
    struct hf_log *log;
    struct inbox inbox[HF_VERDICT_KINDS];
    atomic_bool waits[HF_VERDICT_KINDS]; /* the thread has been told that some of these wait */
    atomic_bool ending;
    int wake_fd;
    struct hf_thread thread;
    pthread_mutex_t lock; /* of what is below */
    struct hf_verdict_file *file;
    bool failed; /* the last one could not be written, and that was said */
};

/* --- Giving -------------------------------------------------------------------------------------
 */

static void wake(struct hf_recorder *recorder)
{
    uint64_t one = 1;
    (void)!write(recorder->wake_fd, &one, sizeof(one)); /* full: it is awake anyway */
}

void hf_recorder_give(struct hf_recorder *recorder, struct hf_account *account)
{
    if (!recorder || !account) {
        hf_account_free(account);
        return;
    }
    enum hf_verdict_kind kind = account->kind;
    struct inbox *inbox = &recorder->inbox[kind];
    unsigned at = atomic_fetch_add_explicit(&inbox->head, 1, memory_order_relaxed) % INBOX;
    hf_account_free(atomic_exchange(&inbox->slot[at], account)); /* before `waits`, for all */
    if (!atomic_exchange(&recorder->waits[kind], true)) {
        wake(recorder);
    }
}

/* --- Taking -------------------------------------------------------------------------------------
 */

static void say_failed(struct hf_recorder *recorder)
{
    if (!recorder->failed) {
        hf_log_say(recorder->log, HF_LOG_WARN, "verdicts", "a verdict was not kept: %s",
                   hf_err_text());
    }
    recorder->failed = true;
}

static void keep(struct hf_recorder *recorder, const struct hf_account *account)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_VERDICT_MAX);
    enum hf_err err = hf_account_text(account, &text);
    err = err == HF_OK ? hf_verdict_file_put(recorder->file, account->kind, hf_buf_bytes(&text))
                       : err;
    if (err != HF_OK) {
        say_failed(recorder);
    } else {
        recorder->failed = false;
    }
}

/* NULL: that slot is empty. */
static struct hf_account *take_slot(struct inbox *inbox, unsigned at)
{
    _Atomic(struct hf_account *) *slot = &inbox->slot[at % INBOX];
    return atomic_load(slot) ? atomic_exchange(slot, NULL) : NULL;
}

/* Keeps the oldest that may be there first, at most so many. False: there may be more. */
static bool drain(struct hf_recorder *recorder, enum hf_verdict_kind kind, unsigned most)
{
    atomic_store(&recorder->waits[kind], false); /* before it looks: what comes after wakes it */
    struct inbox *inbox = &recorder->inbox[kind];
    unsigned head = atomic_load_explicit(&inbox->head, memory_order_acquire);
    for (unsigned i = 0; i < INBOX && most; i++) {
        struct hf_account *account = take_slot(inbox, head + i);
        if (account) {
            keep(recorder, account);
            hf_account_free(account);
            most--;
        }
    }
    return most > 0;
}

/* By a thread that hasn't stepped back. */
static void drain_all(struct hf_recorder *recorder)
{
    for (int kind = 0; kind < HF_VERDICT_KINDS; kind++) {
        (void)drain(recorder, (enum hf_verdict_kind)kind, INBOX + 1);
    }
}

enum hf_err hf_recorder_each(struct hf_recorder *recorder, hf_verdict_found_fn *found, void *ctx)
{
    pthread_mutex_lock(&recorder->lock);
    drain_all(recorder);
    enum hf_err err = hf_verdict_file_each(recorder->file, found, ctx);
    pthread_mutex_unlock(&recorder->lock);
    return err;
}

/* --- The thread ---------------------------------------------------------------------------------
 */

static int64_t now_ms(void)
{
    return hf_clock_mono_ns(&hf_os_clock) / 1000000;
}

/* One of a kind; those that may be left wake the thread again. */
static bool take_one(struct hf_recorder *recorder, enum hf_verdict_kind kind)
{
    pthread_mutex_lock(&recorder->lock);
    bool all = drain(recorder, kind, 1);
    pthread_mutex_unlock(&recorder->lock);
    if (!all) {
        atomic_store(&recorder->waits[kind], true);
        wake(recorder);
    }
    return all;
}

/* One of each. False: there may be more. */
static bool take(struct hf_recorder *recorder, bool admitted)
{
    bool all = true;
    for (int kind = 0; kind < HF_VERDICT_KINDS && !atomic_load(&recorder->ending); kind++) {
        if (kind != HF_VERDICT_ADMITTED || admitted) {
            all = take_one(recorder, (enum hf_verdict_kind)kind) && all;
        }
    }
    return all;
}

static void run(void *arg)
{
    struct hf_recorder *recorder = arg;
    hf_thread_step_back();
    int64_t due_ms = now_ms(); /* when admissions may be written again */
    while (!atomic_load(&recorder->ending)) {
        struct pollfd wait = {recorder->wake_fd, POLLIN, 0};
        int64_t left = due_ms - now_ms();
        bool late = atomic_load(&recorder->waits[HF_VERDICT_ADMITTED]);
        (void)poll(&wait, 1, !late ? -1 : left > 0 ? (int)left : 0);
        uint64_t count;
        (void)!read(recorder->wake_fd, &count, sizeof(count));
        bool due = now_ms() >= due_ms;
        bool all = take(recorder, due);
        due_ms = due && all ? now_ms() + ADMITTED_EVERY_MS : due_ms;
        if (!all) {
            (void)poll(NULL, 0, PAUSE_MS);
        }
    }
}

/* --- Lifecycle ----------------------------------------------------------------------------------
 */

char *hf_recorder_path(const char *folder)
{
    return hf_path_join(folder, "verdicts");
}

static enum hf_err open_file(struct hf_recorder *recorder, const char *folder)
{
    HF_CLEANUP(hf_freep) char *path = folder ? hf_recorder_path(folder) : NULL;
    if (folder && !path) {
        return HF_E_NOMEM;
    }
    if (path && hf_verdict_file_open(path, &recorder->file) != HF_OK) {
        hf_log_say(recorder->log, HF_LOG_WARN, "verdicts",
                   "verdicts are kept in memory alone, until the next start: %s", hf_err_text());
        path = (hf_free(path), NULL);
    }
    return recorder->file ? HF_OK : hf_verdict_file_open(NULL, &recorder->file);
}

enum hf_err hf_recorder_new(const char *folder, struct hf_log *log, struct hf_recorder **out)
{
    struct hf_recorder *recorder = HF_NEW(struct hf_recorder);
    *out = NULL;
    if (!recorder) {
        return HF_E_NOMEM;
    }
    recorder->log = log;
    pthread_mutex_init(&recorder->lock, NULL);
    recorder->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    enum hf_err err = recorder->wake_fd < 0 ? hf_fail(HF_E_IO, "no eventfd for verdicts") : HF_OK;
    err = err == HF_OK ? open_file(recorder, folder) : err;
    err = err == HF_OK ? hf_thread_start(&recorder->thread, "verdicts", run, recorder) : err;
    if (err != HF_OK) {
        hf_recorder_free(recorder);
        return err;
    }
    *out = recorder;
    return HF_OK;
}

void hf_recorder_free(struct hf_recorder *recorder)
{
    if (!recorder) {
        return;
    }
    atomic_store(&recorder->ending, true);
    if (recorder->wake_fd >= 0) {
        wake(recorder);
    }
    hf_thread_join(&recorder->thread);
    if (recorder->file) {
        drain_all(recorder);
    }
    hf_verdict_file_free(recorder->file);
    hf_closep(&recorder->wake_fd);
    pthread_mutex_destroy(&recorder->lock);
    hf_free(recorder);
}
