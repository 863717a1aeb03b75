// SPDX-License-Identifier: Apache-2.0
#include "req.h"

/*
 * The open loop: when requests begin, and how long they took.
 *
 * A timer of the kernel ticks every 100 us; what is due by then begins, each with the time at which
 * it was due. So neither a slow server nor this program's own lateness hides in the numbers.
 */

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/clock.h"

enum { TICK_NS = 100 * 1000, TIMES_MAX = 4 << 20, WAITING_MAX = 1 << 20 };

struct req_pace {
    struct req_load *load;
    struct hf_watch watch;
    double gap_ns; /* mean */
    uint64_t random;
    double due_ns;    /* of the next request */
    size_t next;      /* connection to try first */
    int64_t *waiting; /* ring of times due */
    size_t waiting_at, n_waiting;
    uint32_t *times;    /* us */
    int64_t *due_at_ns; /* of the request that took so long */
    size_t n_times;
};

enum hf_err req_pace_new(struct req_load *load, double rate, struct req_pace **out)
{
    struct req_pace *pace = HF_NEW(struct req_pace);
    if (!pace) {
        return HF_E_NOMEM;
    }
    *pace = (struct req_pace){.load = load, .gap_ns = 1e9 / rate, .random = 88172645463325252u};
    pace->watch.fd = -1;
    pace->waiting = hf_alloc_zero(WAITING_MAX, sizeof(*pace->waiting));
    pace->times = hf_alloc_zero(TIMES_MAX, sizeof(*pace->times));
    pace->due_at_ns = hf_alloc_zero(TIMES_MAX, sizeof(*pace->due_at_ns));
    if (!pace->waiting || !pace->times || !pace->due_at_ns) {
        req_pace_free(pace);
        return HF_E_NOMEM;
    }
    *out = pace;
    return HF_OK;
}

void req_pace_free(struct req_pace *pace)
{
    if (pace) {
        req_pace_stop(pace);
        hf_free(pace->waiting);
        hf_free(pace->times);
        hf_free(pace->due_at_ns);
        hf_free(pace);
    }
}

/* xorshift64: the same distances in every run. */
static double next_gap(struct req_pace *pace)
{
    pace->random ^= pace->random << 13;
    pace->random ^= pace->random >> 7;
    pace->random ^= pace->random << 17;
    double uniform = ((double)(pace->random >> 11) + 1) / 9007199254740993.0;
    return -log(uniform) * pace->gap_ns;
}

static struct req_conn *free_conn(struct req_pace *pace)
{
    struct req_load *load = pace->load;
    for (size_t i = 0; i < load->n_conns; i++) {
        struct req_conn *conn = &load->conns[(pace->next + i) % load->n_conns];
        if (req_conn_has_room(conn)) {
            pace->next = (pace->next + i + 1) % load->n_conns;
            return conn;
        }
    }
    return NULL;
}

static void begin(struct req_pace *pace, int64_t due_ns)
{
    struct req_conn *conn = free_conn(pace);
    if (conn) {
        req_conn_request(conn, due_ns);
    } else if (pace->n_waiting < WAITING_MAX) {
        pace->waiting[(pace->waiting_at + pace->n_waiting++) % WAITING_MAX] = due_ns;
    } else {
        req_fail(pace->load, hf_fail(HF_E_TIMEOUT, "the server doesn't keep up with the rate"),
                 "pace");
    }
}

static void on_tick(struct hf_watch *watch, unsigned events)
{
    struct req_pace *pace = HF_CONTAINER_OF(watch, struct req_pace, watch);
    uint64_t n_ticks;
    (void)events;
    if (read(watch->fd, &n_ticks, sizeof(n_ticks)) != sizeof(n_ticks)) {
        return;
    }
    double now = (double)hf_clock_mono_ns(&hf_os_clock);
    while (pace->due_ns <= now && !pace->load->err) {
        begin(pace, (int64_t)pace->due_ns);
        pace->due_ns += next_gap(pace);
    }
}

enum hf_err req_pace_start(struct req_pace *pace)
{
    const struct itimerspec every = {{0, TICK_NS}, {0, TICK_NS}};
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    if (fd < 0 || timerfd_settime(fd, 0, &every, NULL) != 0) {
        hf_closep(&fd);
        return hf_fail(HF_E_IO, "no timer");
    }
    pace->due_ns = (double)hf_clock_mono_ns(&hf_os_clock) + next_gap(pace);
    pace->watch = (struct hf_watch){.fd = fd, .wanted = HF_LOOP_READ, .on_event = on_tick};
    return hf_watch_add(pace->load->loop, &pace->watch);
}

void req_pace_stop(struct req_pace *pace)
{
    if (pace->watch.active) {
        hf_watch_remove(pace->load->loop, &pace->watch);
        hf_closep(&pace->watch.fd);
    }
}

void req_pace_answered(struct req_pace *pace, struct req_conn *conn, int64_t began_ns)
{
    int64_t took_us = (hf_clock_mono_ns(&hf_os_clock) - began_ns) / 1000;
    if (pace->n_times < TIMES_MAX) {
        pace->due_at_ns[pace->n_times] = began_ns;
        pace->times[pace->n_times++] = took_us > UINT32_MAX ? UINT32_MAX : (uint32_t)took_us;
    }
    if (pace->n_waiting > 0 && !pace->load->stopping && req_conn_has_room(conn)) {
        int64_t due_ns = pace->waiting[pace->waiting_at];
        pace->waiting_at = (pace->waiting_at + 1) % WAITING_MAX;
        pace->n_waiting--;
        req_conn_request(conn, due_ns);
    }
}

enum hf_err req_pace_write(const struct req_pace *pace, const char *path)
{
    FILE *file = fopen(path, "we");
    if (!file) {
        return hf_fail_errno("%s", path);
    }
    for (size_t i = 0; i < pace->n_times; i++) {
        fprintf(file, "%" PRId64 " %" PRIu32 "\n", pace->due_at_ns[i], pace->times[i]);
    }
    return fclose(file) == 0 ? HF_OK : hf_fail_errno("%s", path);
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

void req_pace_times(struct req_pace *pace, struct req_times *out)
{
    *out = (struct req_times){.n = pace->n_times, .n_waiting = pace->n_waiting};
    if (pace->n_times == 0) {
        return;
    }
    qsort(pace->times, pace->n_times, sizeof(*pace->times), by_size);
    size_t last = pace->n_times - 1;
    out->p50_us = pace->times[last / 2];
    out->p99_us = pace->times[(size_t)((double)last * 0.99)];
    out->p999_us = pace->times[(size_t)((double)last * 0.999)];
    out->max_us = pace->times[last];
}
