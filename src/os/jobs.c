// SPDX-License-Identifier: Apache-2.0
#include "os/jobs.h"

#include <pthread.h>

#include "base/mem.h"
#include "os/thread.h"

struct hf_jobs {
    pthread_mutex_t lock; /* over all that follows; never held while a job runs */
    pthread_cond_t wake;
    struct hf_job *first;
    struct hf_job **last;
    size_t n_queued;
    size_t max_queued;
    bool stopping;
    const char *name;
    unsigned n_started;
    unsigned n_idle;
    unsigned n_threads;
    struct hf_thread threads[];
};

static void on_done(struct hf_task *task)
{
    struct hf_job *job = HF_CONTAINER_OF(task, struct hf_job, task);
    job->done(job);
}

static void hand_back(struct hf_job *job)
{
    job->task.run = on_done;
    hf_loop_post(job->loop, &job->task);
}

/* The job at the front; NULL: the pool ends. The lock is held. */
static struct hf_job *next_job(struct hf_jobs *jobs)
{
    while (!jobs->first && !jobs->stopping) {
        jobs->n_idle++;
        pthread_cond_wait(&jobs->wake, &jobs->lock);
        jobs->n_idle--;
    }
    if (jobs->stopping) {
        return NULL;
    }
    struct hf_job *job = jobs->first;
    jobs->first = job->next;
    jobs->last = jobs->first ? jobs->last : &jobs->first;
    jobs->n_queued--;
    return job;
}

static void work(void *arg)
{
    struct hf_jobs *jobs = arg;
    struct hf_job *job;
    pthread_mutex_lock(&jobs->lock);
    while ((job = next_job(jobs)) != NULL) {
        pthread_mutex_unlock(&jobs->lock);
        job->run(job);
        hand_back(job);
        pthread_mutex_lock(&jobs->lock);
    }
    pthread_mutex_unlock(&jobs->lock);
}

enum hf_err hf_jobs_new(const char *name, unsigned n_threads, size_t max_queued,
                        struct hf_jobs **out)
{
    struct hf_jobs *jobs = hf_alloc_zero(1, sizeof(*jobs) + n_threads * sizeof(jobs->threads[0]));
    *out = jobs;
    if (!jobs) {
        return HF_E_NOMEM;
    }
    pthread_mutex_init(&jobs->lock, NULL);
    pthread_cond_init(&jobs->wake, NULL);
    jobs->last = &jobs->first;
    jobs->name = name;
    jobs->n_threads = n_threads;
    jobs->max_queued = max_queued;
    return HF_OK;
}

void hf_jobs_free(struct hf_jobs *jobs)
{
    if (!jobs) {
        return;
    }
    pthread_mutex_lock(&jobs->lock);
    jobs->stopping = true;
    pthread_cond_broadcast(&jobs->wake);
    pthread_mutex_unlock(&jobs->lock);
    for (unsigned i = 0; i < jobs->n_started; i++) {
        hf_thread_join(&jobs->threads[i]);
    }
    while (jobs->first) {
        struct hf_job *job = jobs->first;
        jobs->first = job->next;
        job->dropped = true;
        hand_back(job);
    }
    pthread_cond_destroy(&jobs->wake);
    pthread_mutex_destroy(&jobs->lock);
    hf_free(jobs);
}

/* Another thread, when all are busy and there may be more. The lock is held. */
static enum hf_err staff(struct hf_jobs *jobs)
{
    if (jobs->n_idle > jobs->n_queued || jobs->n_started == jobs->n_threads) {
        return HF_OK;
    }
    enum hf_err err = hf_thread_start(&jobs->threads[jobs->n_started], jobs->name, work, jobs);
    jobs->n_started += err == HF_OK;
    return jobs->n_started ? HF_OK : err;
}

enum hf_err hf_jobs_add(struct hf_jobs *jobs, struct hf_job *job)
{
    enum hf_err err = HF_OK;
    job->dropped = false;
    job->next = NULL;
    pthread_mutex_lock(&jobs->lock);
    if (jobs->n_queued == jobs->max_queued || jobs->stopping) {
        err = hf_fail(HF_E_BUSY, "%zu jobs are waiting already", jobs->n_queued);
    } else {
        err = staff(jobs);
    }
    if (err == HF_OK) {
        *jobs->last = job;
        jobs->last = &job->next;
        jobs->n_queued++;
        pthread_cond_signal(&jobs->wake);
    }
    pthread_mutex_unlock(&jobs->lock);
    return err;
}
