// SPDX-License-Identifier: Apache-2.0
#include "os/thread.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

enum { NAME_SIZE = 16 }; /* the kernel's limit, with NUL */

static void *enter(void *arg)
{
    struct hf_thread *thread = arg;
    thread->run(thread->arg);
    sem_post(&thread->ended);
    return NULL;
}

/* The new thread inherits the mask, so that no signal can reach it before it has set its own. */
static int create_without_signals(struct hf_thread *thread)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&thread->id, NULL, enter, thread);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return error;
}

enum hf_err hf_thread_start(struct hf_thread *thread, const char *name, void (*run)(void *arg),
                            void *arg)
{
    char short_name[NAME_SIZE];
    thread->run = run;
    thread->arg = arg;
    sem_init(&thread->ended, 0, 0); /* can't fail with these arguments */
    int error = create_without_signals(thread);
    if (error != 0) {
        return hf_fail(HF_E_BUSY, "thread %s can't be started: %s", name, strerror(error));
    }
    snprintf(short_name, sizeof(short_name), "%s", name);
    (void)pthread_setname_np(thread->id, short_name);
    thread->running = true;
    return HF_OK;
}

void hf_thread_join(struct hf_thread *thread)
{
    if (thread->running) {
        pthread_join(thread->id, NULL);
        sem_destroy(&thread->ended);
        thread->running = false;
    }
}

enum hf_err hf_thread_join_for(struct hf_thread *thread, int64_t timeout_ms)
{
    if (!thread->running) {
        return HF_OK;
    }
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout_ms / 1000;
    until.tv_nsec += timeout_ms % 1000 * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    int result;
    do {
        result = sem_clockwait(&thread->ended, CLOCK_MONOTONIC, &until);
    } while (result != 0 && errno == EINTR);
    if (result != 0) {
        thread->running = false;
        (void)pthread_detach(thread->id);
        return hf_fail(HF_E_TIMEOUT, "a thread didn't end within %lld ms", (long long)timeout_ms);
    }
    hf_thread_join(thread);
    return HF_OK;
}

void hf_thread_yield(void)
{
    (void)sched_yield();
}

/* On Linux a priority belongs to a thread, and 0 is the caller. */
void hf_thread_step_back(void)
{
    enum { STEP = 10, LAST = 19 };
    errno = 0;
    int now = getpriority(PRIO_PROCESS, 0);
    if (now != -1 || errno == 0) {
        (void)setpriority(PRIO_PROCESS, 0, now + STEP < LAST ? now + STEP : LAST);
    }
}

unsigned hf_n_cpus(void)
{
    cpu_set_t cpus;
    if (sched_getaffinity(0, sizeof(cpus), &cpus) != 0) {
        return 1; /* a machine with more CPUs than the set holds; workers can be set by hand */
    }
    int n = CPU_COUNT(&cpus);
    return n > 0 ? (unsigned)n : 1;
}

uint64_t hf_nofile_raise(uint64_t want)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return 0;
    }
    rlim_t before = limit.rlim_cur;
    if (limit.rlim_cur < want) {
        limit.rlim_cur = want < limit.rlim_max ? want : limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) != 0) {
            return before;
        }
    }
    return limit.rlim_cur;
}

void hf_core_none(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_CORE, &limit) == 0) {
        limit.rlim_cur = 0;
        (void)setrlimit(RLIMIT_CORE, &limit);
    }
}
