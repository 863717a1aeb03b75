// SPDX-License-Identifier: Apache-2.0
#ifndef HF_OS_JOBS_H
#define HF_OS_JOBS_H

/*
 * Slow work off the loops: a few threads and a bounded queue. Who has a job adds it from a loop's
 * thread and is told on that thread when it is done. Nobody waits.
 */

#include "os/loop.h"

struct hf_jobs;

/* struct hf_job is embedded in its owner, who keeps it alive until done has been called. */
struct hf_job {
    void (*run)(struct hf_job *job);  /* on a thread of the pool */
    void (*done)(struct hf_job *job); /* on the loop's thread; the job is the owner's again */
    struct hf_loop *loop;
    bool dropped; /* the pool was freed before the job's turn came: run was not called */

    /* private */
    struct hf_job *next;
    struct hf_task task;
};

/* hf_jobs_new starts n_threads threads of this name, at the first job. At most max_queued jobs wait
 * for one of them. Errors: HF_E_NOMEM. */
enum hf_err hf_jobs_new(const char *name, unsigned n_threads, size_t max_queued,
                        struct hf_jobs **out) HF_MUST_CHECK;

/* hf_jobs_free waits for the jobs that are being run, and drops the others. Every job's loop must
 * be alive, and its done is called by it as ever. No other thread may add any more. */
void hf_jobs_free(struct hf_jobs *jobs);

/* hf_jobs_add, from the thread of job->loop. Errors: HF_E_BUSY (the queue is full, or no thread
 * could be started); done is then not called. */
enum hf_err hf_jobs_add(struct hf_jobs *jobs, struct hf_job *job) HF_MUST_CHECK;

#endif
