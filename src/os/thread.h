// SPDX-License-Identifier: Apache-2.0
#ifndef HF_OS_THREAD_H
#define HF_OS_THREAD_H

/* Threads with a name and without signals, and what a process may have of a machine. */

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* struct hf_thread is embedded in its owner. Zeroed: not running. */
struct hf_thread {
    pthread_t id;
    bool running;
    sem_t ended;
    void (*run)(void *arg);
    void *arg;
};

/*
 * hf_thread_start runs run(arg) in a thread of its own, whose name (at most 15 bytes, longer ones
 * are cut) shows in top and gdb. All signals are blocked there: they are for the thread that has
 * the signalfd. The struct stays where it is until the join. Errors: HF_E_BUSY.
 */
enum hf_err hf_thread_start(struct hf_thread *thread, const char *name, void (*run)(void *arg),
                            void *arg) HF_MUST_CHECK;

/* hf_thread_join waits for run to return; harmless when it isn't running. */
void hf_thread_join(struct hf_thread *thread);

/* hf_thread_join_for gives up after timeout_ms with HF_E_TIMEOUT. The thread is then on its own,
 * and whatever it uses must be left alone for good. */
enum hf_err hf_thread_join_for(struct hf_thread *thread, int64_t timeout_ms) HF_MUST_CHECK;

/* hf_thread_yield lets others go first that wait for this CPU; costs next to nothing where none do.
 */
void hf_thread_yield(void);

/* hf_thread_step_back gives the calling thread a smaller share where CPUs are short (nice + 10),
 * for work that may come late. A wish: it can't fail, and isn't taken back. */
void hf_thread_step_back(void);

/* hf_n_cpus is how many CPUs this process may run on, at least 1 (sched_getaffinity). */
unsigned hf_n_cpus(void);

/* hf_nofile_raise sets the soft limit of open descriptors to want, or as far as the hard limit lets
 * it, and gives what it then is. It never lowers it. */
uint64_t hf_nofile_raise(uint64_t want);

/* hf_core_none sets the soft limit of core files to nothing: keys and passphrases would be in them.
 * The hard limit stays, so that `prlimit --core=unlimited --pid PID` lets one be written. A wish:
 * it can't fail. */
void hf_core_none(void);

#endif
