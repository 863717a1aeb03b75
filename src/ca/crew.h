// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_CREW_H
#define HF_CA_CREW_H

/*
 * The threads of a CA and their one queue. Unlike os/jobs.h nobody's loop is told: a task that has
 * run says so by its own means, to whatever thread it likes.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct hf_crew;

/* struct hf_crew_task is embedded in its owner, who keeps it until run was called. */
struct hf_crew_task {
    /* on a thread of the crew. dropped: the crew is being freed and the task's turn won't come;
     * called by the thread that frees. The task may be added again from within. */
    void (*run)(struct hf_crew_task *task, bool dropped);

    struct hf_crew_task *next; /* private */
};

/* hf_crew_new starts n_threads threads (at least one). Errors: HF_E_BUSY, HF_E_NOMEM. */
enum hf_err hf_crew_new(unsigned n_threads, size_t max_queued, struct hf_crew **out) HF_MUST_CHECK;

/* hf_crew_between has fn called on a thread of the crew before each task, and with NULL before the
 * thread waits for one, or ends. Before the first task is added. */
void hf_crew_between(struct hf_crew *crew, void (*fn)(void *ctx, struct hf_crew_task *next),
                     void *ctx);

/* hf_crew_free waits for the tasks that are being run, and drops those that wait. Nobody may add
 * any more. */
void hf_crew_free(struct hf_crew *crew);

/* hf_crew_add, from any thread. Errors: HF_E_BUSY; run is then not called. */
enum hf_err hf_crew_add(struct hf_crew *crew, struct hf_crew_task *task) HF_MUST_CHECK;

#endif
