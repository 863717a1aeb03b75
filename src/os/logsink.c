// SPDX-License-Identifier: Apache-2.0
/*
 *   thread A --line--> queue A --.
 *   thread B --line--> queue B ---+--> logger thread --> stderr, pipe, file
 *   logger  --report-> queue 0 --'
 *
 * A queue has one writer, so putting a line is two copies and a store. A thread claims a queue with
 * its first line and gives it back as it ends; queues are never freed before the sink, so the
 * logger walks their list without a lock.
 *
 * Waking. `awake` means that the logger will look at every queue again without being told. A writer
 * that finds it false sets it and writes to the eventfd; all others just put their line. The logger
 * lets lines gather for BATCH_MS after it was woken, or until a queue is half full, clears the
 * flag, then drains.
 *
 * Lines stay whole: a queue's content always ends in a newline, and a queue whose line is half
 * written (torn) is the first to be continued, before any other queue may write.
 */
#include "os/logsink.h"

#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/clock.h"
#include "os/output.h"
#include "os/ring.h"
#include "os/sock.h"
#include "os/thread.h"

enum {
    BATCH_MS = 5,     /* how long lines gather before they are written together */
    RETRY_MS = 500,   /* between attempts on a full disk or a stuck pipe */
    REPORT_MS = 1000, /* between two reports of dropped lines */
    GRACE_MS = 500,   /* for a write under way when the time to close is over */
};

struct queue {
    struct hf_ring ring;
    struct queue *next;  /* set before the queue is published, constant after */
    atomic_bool claimed; /* a thread writes to it */
    bool hurried;        /* the writer's: half full, and the logger was told */
    atomic_ullong lines;
    atomic_ullong dropped;
};

struct hf_logsink {
    /* Written by any thread. */
    _Atomic(struct queue *) queues;
    atomic_bool awake;
    atomic_bool reopen;
    atomic_bool stop;
    atomic_ullong lost; /* dropped lines that aren't counted in a queue */
    atomic_ullong write_errors;

    /* Constant once open. */
    pthread_key_t key; /* a thread's queue */
    int wake_fd;
    const struct hf_clock *clock;
    enum hf_log_format format;

    /* The logger thread's. */
    struct hf_thread thread;
    struct hf_output output;
    struct queue own;    /* reports */
    struct queue *torn;  /* holds the second half of a line whose first half is written */
    uint64_t reported;   /* dropped lines that a report has told of */
    int64_t reported_at; /* mono ms */
    int64_t failed_at;   /* mono ms of the first failure in a row; 0: none */
    int failed_errno;
    int64_t stop_at; /* mono ms until which a stop may take; set before stop */
    bool left_over;  /* stopped with lines unwritten */
};

/* --- The writing side ----------------------------------------------------------------------- */

static void wake(struct hf_logsink *sink)
{
    uint64_t one = 1;
    ssize_t n = write(sink->wake_fd, &one, sizeof(one));
    (void)n; /* full means that a wake-up is under way */
}

static void give_back(void *value)
{
    struct queue *queue = value;
    atomic_store(&queue->claimed, false);
}

static struct queue *claim_given_back(struct hf_logsink *sink)
{
    for (struct queue *queue = atomic_load(&sink->queues); queue; queue = queue->next) {
        bool free = false;
        if (atomic_compare_exchange_strong(&queue->claimed, &free, true)) {
            return queue;
        }
    }
    return NULL;
}

static struct queue *claim_new(struct hf_logsink *sink)
{
    struct queue *queue = HF_NEW(struct queue);
    if (!queue || hf_ring_init(&queue->ring, HF_LOGSINK_QUEUE) != HF_OK) {
        hf_free(queue);
        return NULL;
    }
    atomic_init(&queue->claimed, true);
    queue->next = atomic_load(&sink->queues);
    while (!atomic_compare_exchange_weak(&sink->queues, &queue->next, queue)) {
    }
    return queue;
}

static struct queue *queue_of_thread(struct hf_logsink *sink)
{
    struct queue *queue = pthread_getspecific(sink->key);
    if (queue) {
        return queue;
    }
    queue = claim_given_back(sink);
    queue = queue ? queue : claim_new(sink);
    if (queue && pthread_setspecific(sink->key, queue) != 0) {
        give_back(queue);
        queue = NULL;
    }
    return queue;
}

/* The logger lets lines gather; a queue that is half full by then doesn't wait for that. */
static void hurry(struct hf_logsink *sink, struct queue *queue)
{
    bool half = hf_ring_len(&queue->ring) > HF_LOGSINK_QUEUE / 2;
    if (half && !queue->hurried) {
        wake(sink);
    }
    queue->hurried = half;
}

/* The write of hf_log. */
static void take_line(void *ctx, struct hf_bytes line)
{
    struct hf_logsink *sink = ctx;
    struct queue *queue = queue_of_thread(sink);
    if (!queue) {
        atomic_fetch_add_explicit(&sink->lost, 1, memory_order_relaxed);
    } else if (hf_ring_put(&queue->ring, line)) {
        atomic_fetch_add_explicit(&queue->lines, 1, memory_order_relaxed);
        hurry(sink, queue);
    } else {
        atomic_fetch_add_explicit(&queue->dropped, 1, memory_order_relaxed);
    }
    if (!atomic_load(&sink->awake) && !atomic_exchange(&sink->awake, true)) {
        wake(sink);
    }
}

/* The behind of hf_log. */
static bool is_behind(void *ctx)
{
    struct hf_logsink *sink = ctx;
    struct queue *queue = pthread_getspecific(sink->key);
    return queue && hf_ring_len(&queue->ring) > HF_LOGSINK_QUEUE / 2;
}

struct hf_log hf_logsink_log(struct hf_logsink *sink, enum hf_log_level level)
{
    return (struct hf_log){.level = level,
                           .format = sink->format,
                           .clock = sink->clock,
                           .ctx = sink,
                           .write = take_line,
                           .behind = is_behind};
}

void hf_logsink_reopen(struct hf_logsink *sink)
{
    atomic_store(&sink->reopen, true);
    wake(sink);
}

void hf_logsink_stats(struct hf_logsink *sink, struct hf_logsink_stats *out)
{
    *out = (struct hf_logsink_stats){.dropped = atomic_load(&sink->lost),
                                     .write_errors = atomic_load(&sink->write_errors)};
    for (struct queue *queue = atomic_load(&sink->queues); queue; queue = queue->next) {
        out->lines += atomic_load(&queue->lines);
        out->dropped += atomic_load(&queue->dropped);
    }
}

/* --- The logger thread ---------------------------------------------------------------------- */

static int64_t now_ms(void)
{
    return hf_clock_mono_ns(&hf_os_clock) / 1000000;
}

static uint64_t n_unreported(struct hf_logsink *sink)
{
    struct hf_logsink_stats stats;
    hf_logsink_stats(sink, &stats);
    return stats.dropped - sink->reported;
}

static void put_own(void *ctx, struct hf_bytes line)
{
    struct hf_logsink *sink = ctx;
    if (!hf_ring_put(&sink->own.ring, line)) {
        atomic_fetch_add(&sink->lost, 1);
    }
}

static struct hf_log own_log(struct hf_logsink *sink)
{
    struct hf_log log = hf_logsink_log(sink, HF_LOG_WARN);
    log.write = put_own;
    return log;
}

static void report_dropped(struct hf_logsink *sink, bool stop)
{
    uint64_t n = n_unreported(sink);
    if (n == 0 || (!stop && now_ms() - sink->reported_at < REPORT_MS)) {
        return;
    }
    struct hf_log log = own_log(sink);
    struct hf_log_line line;
    hf_log_begin(&line, &log, HF_LOG_WARN, "log-dropped");
    hf_log_int(&line, "lines", (int64_t)n);
    hf_log_end(&line);
    sink->reported += n;
    sink->reported_at = now_ms();
}

static void report_recovered(struct hf_logsink *sink)
{
    if (sink->failed_at == 0) {
        return;
    }
    struct hf_log log = own_log(sink);
    struct hf_log_line line;
    hf_log_begin(&line, &log, HF_LOG_WARN, "log-recovered");
    hf_log_str(&line, "error", strerror(sink->failed_errno));
    hf_log_int(&line, "failed_ms", now_ms() - sink->failed_at);
    hf_log_end(&line);
    sink->failed_at = 0;
}

static void note_failure(struct hf_logsink *sink)
{
    sink->failed_errno = errno;
    sink->failed_at = sink->failed_at ? sink->failed_at : now_ms();
    atomic_fetch_add(&sink->write_errors, 1);
}

/* Writes what the queue holds now; lines that are put meanwhile wait for the next round, so that
 * one busy thread doesn't keep the others' lines back. */
static enum hf_output_step drain_queue(struct hf_logsink *sink, struct queue *queue)
{
    size_t n;
    for (size_t left = hf_ring_len(&queue->ring); left; left -= n) {
        struct hf_bytes bytes = hf_ring_peek(&queue->ring);
        bytes.len = bytes.len < left ? bytes.len : left;
        enum hf_output_step step = hf_output_write(&sink->output, bytes, &n);
        if (step == HF_OUTPUT_FAILED) {
            note_failure(sink);
        }
        if (step != HF_OUTPUT_MOVED) {
            return step;
        }
        sink->torn = bytes.ptr[n - 1] == '\n' ? NULL : queue;
        hf_ring_take(&queue->ring, n);
    }
    return HF_OUTPUT_MOVED;
}

static enum hf_output_step drain_all(struct hf_logsink *sink)
{
    enum hf_output_step step = sink->torn ? drain_queue(sink, sink->torn) : HF_OUTPUT_MOVED;
    for (struct queue *queue = atomic_load(&sink->queues); queue && step == HF_OUTPUT_MOVED;
         queue = queue->next) {
        step = drain_queue(sink, queue);
    }
    return step == HF_OUTPUT_MOVED ? drain_queue(sink, &sink->own) : step;
}

static enum hf_output_step drain_and_report(struct hf_logsink *sink, bool stop)
{
    enum hf_output_step step = drain_all(sink);
    if (step != HF_OUTPUT_MOVED) {
        return step;
    }
    report_recovered(sink);
    report_dropped(sink, stop);
    return drain_queue(sink, &sink->own);
}

/* The second half of a line doesn't belong into the new file. */
static void drop_torn_line(struct hf_logsink *sink)
{
    while (sink->torn) {
        struct hf_bytes bytes = hf_ring_peek(&sink->torn->ring);
        const uint8_t *end = memchr(bytes.ptr, '\n', bytes.len);
        hf_ring_take(&sink->torn->ring, end ? (size_t)(end - bytes.ptr) + 1 : bytes.len);
        if (end) {
            sink->torn = NULL;
            atomic_fetch_add(&sink->lost, 1);
        }
    }
}

/* A stream that can't be reopened goes on as it is, and a line half written goes on with it. */
static void reopen(struct hf_logsink *sink)
{
    if (!sink->output.path) {
        return;
    }
    if (hf_output_reopen(&sink->output) == HF_OK) {
        drop_torn_line(sink);
        return;
    }
    struct hf_log log = own_log(sink);
    hf_log_say(&log, HF_LOG_WARN, "log-reopen-failed", "%s", hf_err_text());
}

static void clear_wake(struct hf_logsink *sink)
{
    uint64_t count;
    ssize_t n = read(sink->wake_fd, &count, sizeof(count));
    (void)n;
}

static int at_most(int64_t ms, int limit)
{
    return ms < 0 ? 0 : ms < limit ? (int)ms : limit;
}

/* After everything was written: until there is a line, then a moment more for others to gather. */
static void wait_for_lines(struct hf_logsink *sink)
{
    struct pollfd woken = {.fd = sink->wake_fd, .events = POLLIN};
    int64_t to_report_ms = sink->reported_at + REPORT_MS - now_ms();
    (void)poll(&woken, 1, n_unreported(sink) ? at_most(to_report_ms, REPORT_MS) : -1);
    clear_wake(sink);
    if (!atomic_load(&sink->stop) && !atomic_load(&sink->reopen)) {
        (void)poll(&woken, 1, BATCH_MS);
        clear_wake(sink);
    }
}

/* After a full pipe or a failed write: until there may be room, or for RETRY_MS. */
static void wait_for_room(struct hf_logsink *sink, enum hf_output_step step)
{
    struct pollfd fds[2] = {{.fd = sink->wake_fd, .events = POLLIN},
                            {.fd = sink->output.fd, .events = POLLOUT}};
    int64_t left_ms = atomic_load(&sink->stop) ? sink->stop_at - now_ms() : RETRY_MS;
    (void)poll(fds, step == HF_OUTPUT_BLOCKED ? 2 : 1, at_most(left_ms, RETRY_MS));
    clear_wake(sink);
}

/* A reader that has gone won't come back for the last lines. */
static bool may_end(const struct hf_logsink *sink, enum hf_output_step step)
{
    bool hopeless = step == HF_OUTPUT_FAILED && sink->failed_errno == EPIPE;
    return step == HF_OUTPUT_MOVED || hopeless || now_ms() >= sink->stop_at;
}

static void run(void *arg)
{
    struct hf_logsink *sink = arg;
    enum hf_output_step step = HF_OUTPUT_MOVED;
    bool stop = false;
    while (!stop || !may_end(sink, step)) {
        if (step == HF_OUTPUT_MOVED) {
            wait_for_lines(sink);
        } else {
            wait_for_room(sink, step);
        }
        stop = atomic_load(&sink->stop);
        if (atomic_exchange(&sink->reopen, false)) {
            reopen(sink);
        }
        atomic_store(&sink->awake, false);
        step = drain_and_report(sink, stop);
        if (step != HF_OUTPUT_MOVED) {
            atomic_store(&sink->awake, true); /* it tries again anyhow */
        }
    }
    sink->left_over = step != HF_OUTPUT_MOVED;
}

/* --- Opening and closing -------------------------------------------------------------------- */

static void destroy(struct hf_logsink *sink)
{
    for (struct queue *queue = atomic_load(&sink->queues); queue;) {
        struct queue *next = queue->next;
        hf_ring_done(&queue->ring);
        hf_free(queue);
        queue = next;
    }
    hf_ring_done(&sink->own.ring);
    hf_output_done(&sink->output);
    hf_closep(&sink->wake_fd);
    hf_free(sink);
}

static enum hf_err set_up(struct hf_logsink *sink, const char *to)
{
    HF_TRY(hf_ring_init(&sink->own.ring, HF_LOGSINK_QUEUE));
    HF_TRY(hf_output_open(&sink->output, to));
    sink->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (sink->wake_fd < 0) {
        return hf_fail_errno("eventfd");
    }
    int error = pthread_key_create(&sink->key, give_back);
    if (error != 0) {
        return hf_fail(HF_E_BUSY, "pthread_key_create: %s", strerror(error));
    }
    enum hf_err err = hf_thread_start(&sink->thread, "hf-log", run, sink);
    if (err != HF_OK) {
        pthread_key_delete(sink->key);
    }
    return err;
}

enum hf_err hf_logsink_open(const char *to, enum hf_log_format format, const struct hf_clock *clock,
                            struct hf_logsink **out)
{
    struct hf_logsink *sink = HF_NEW(struct hf_logsink);
    if (!sink) {
        return HF_E_NOMEM;
    }
    sink->wake_fd = sink->output.fd = -1;
    sink->format = format;
    sink->clock = clock;
    sink->reported_at = now_ms() - REPORT_MS;
    enum hf_err err = set_up(sink, to);
    if (err != HF_OK) {
        destroy(sink);
        return err;
    }
    *out = sink;
    return HF_OK;
}

enum hf_err hf_logsink_close(struct hf_logsink *sink, int64_t timeout_ms)
{
    if (!sink) {
        return HF_OK;
    }
    sink->stop_at = now_ms() + timeout_ms;
    atomic_store(&sink->stop, true);
    wake(sink);
    /* A write that the disk doesn't answer keeps the thread; the sink is then left to it. */
    HF_TRY(hf_thread_join_for(&sink->thread, timeout_ms + GRACE_MS));
    pthread_key_delete(sink->key);
    bool left_over = sink->left_over;
    destroy(sink);
    return left_over ? hf_fail(HF_E_TIMEOUT, "some log lines could not be written") : HF_OK;
}
