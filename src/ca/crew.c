// SPDX-License-Identifier: Apache-2.0
#include "ca/crew.h"

#include "base/mem.h"
#include "os/thread.h"

enum { THREADS_MAX = 64 };

struct hf_crew {
    pthread_mutex_t lock;
    pthread_cond_t some; /* there is a task, or the end */
    struct hf_crew_task *first;
    struct hf_crew_task **last; /* where the next one is hung */
    size_t n_queued, max_queued;
    bool ending;
    void (*between)(void *ctx, struct hf_crew_task *next); /* NULL: nothing to be called */
    void *between_ctx;
    unsigned n_threads;
    struct hf_thread thread[THREADS_MAX];
};

static void call_between(struct hf_crew *crew, struct hf_crew_task *next)
{
    if (crew->between) {
        crew->between(crew->between_ctx, next);
    }
}

/* Under the lock, which is let go of meanwhile. */
static void before_waiting(struct hf_crew *crew)
{
    if (crew->between && (!crew->first || crew->ending)) {
        pthread_mutex_unlock(&crew->lock);
        call_between(crew, NULL);
        pthread_mutex_lock(&crew->lock);
    }
}

/* The next task; NULL at the end. */
static struct hf_crew_task *take(struct hf_crew *crew)
{
    pthread_mutex_lock(&crew->lock);
    before_waiting(crew);
    while (!crew->first && !crew->ending) {
        pthread_cond_wait(&crew->some, &crew->lock);
    }
    struct hf_crew_task *task = crew->ending ? NULL : crew->first;
    if (task) {
        crew->first = task->next;
        crew->last = crew->first ? crew->last : &crew->first;
        crew->n_queued--;
    }
    pthread_mutex_unlock(&crew->lock);
    return task;
}

static void work(void *arg)
{
    struct hf_crew *crew = arg;
    struct hf_crew_task *task;
    while ((task = take(crew))) {
        call_between(crew, task);
        task->run(task, false);
    }
}

enum hf_err hf_crew_new(unsigned n_threads, size_t max_queued, struct hf_crew **out)
{
    *out = NULL;
    struct hf_crew *crew = HF_NEW(struct hf_crew);
    if (!crew) {
        return HF_E_NOMEM;
    }
    pthread_mutex_init(&crew->lock, NULL);
    pthread_cond_init(&crew->some, NULL);
    crew->last = &crew->first;
    crew->max_queued = max_queued;
    unsigned n = n_threads < 1 ? 1 : n_threads > THREADS_MAX ? THREADS_MAX : n_threads;
    while (crew->n_threads < n) {
        enum hf_err err = hf_thread_start(&crew->thread[crew->n_threads], "ca", work, crew);
        if (err != HF_OK) {
            hf_crew_free(crew);
            return err;
        }
        crew->n_threads++;
    }
    *out = crew;
    return HF_OK;
}

void hf_crew_between(struct hf_crew *crew, void (*fn)(void *ctx, struct hf_crew_task *next),
                     void *ctx)
{
    pthread_mutex_lock(&crew->lock);
    crew->between = fn;
    crew->between_ctx = ctx;
    pthread_mutex_unlock(&crew->lock);
}

void hf_crew_free(struct hf_crew *crew)
{
    if (!crew) {
        return;
    }
    pthread_mutex_lock(&crew->lock);
    crew->ending = true;
    pthread_cond_broadcast(&crew->some);
    pthread_mutex_unlock(&crew->lock);
    for (unsigned i = 0; i < crew->n_threads; i++) {
        hf_thread_join(&crew->thread[i]);
    }
    for (struct hf_crew_task *task = crew->first, *next; task; task = next) {
        next = task->next;
        task->run(task, true);
    }
    pthread_cond_destroy(&crew->some);
    pthread_mutex_destroy(&crew->lock);
    hf_free(crew);
}

enum hf_err hf_crew_add(struct hf_crew *crew, struct hf_crew_task *task)
{
    enum hf_err err = HF_OK;
    task->next = NULL;
    pthread_mutex_lock(&crew->lock);
    if (crew->n_queued >= crew->max_queued || crew->ending) {
        err = hf_fail(HF_E_BUSY, "%zu operations are waiting for the CA already; try again",
                      crew->n_queued);
    } else {
        *crew->last = task;
        crew->last = &task->next;
        crew->n_queued++;
        pthread_cond_signal(&crew->some);
    }
    pthread_mutex_unlock(&crew->lock);
    return err;
}
