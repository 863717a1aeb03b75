// SPDX-License-Identifier: Apache-2.0
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "os/clock.h"
#include "os/jobs.h"

struct work {
    struct hf_job job;
    pthread_t ran_on;
    bool ran, done;
};

static struct hf_loop *loop;
static size_t n_left;
static sem_t gate;

static void run(struct hf_job *job)
{
    struct work *work = HF_CONTAINER_OF(job, struct work, job);
    sem_wait(&gate);
    work->ran = true;
    work->ran_on = pthread_self();
}

static void done(struct hf_job *job)
{
    HF_CONTAINER_OF(job, struct work, job)->done = true;
    if (--n_left == 0) {
        hf_loop_stop(loop);
    }
}

static void fill(struct work *works, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        works[i] = (struct work){.job = {.run = run, .done = done, .loop = loop}};
    }
}

static int set_up(void **state)
{
    (void)state;
    sem_init(&gate, 0, 0);
    return hf_loop_new(&hf_os_clock, &loop) == HF_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    hf_loop_free(loop);
    sem_destroy(&gate);
    return 0;
}

static void jobs_run_elsewhere_and_are_done_here(void **state)
{
    (void)state;
    struct hf_jobs *jobs;
    struct work works[8];
    assert_int_equal(hf_jobs_new("test", 2, 8, &jobs), HF_OK);
    fill(works, 8);
    n_left = 8;
    for (size_t i = 0; i < 8; i++) {
        assert_int_equal(hf_jobs_add(jobs, &works[i].job), HF_OK);
        sem_post(&gate);
    }
    assert_int_equal(hf_loop_run(loop), HF_OK);
    for (size_t i = 0; i < 8; i++) {
        assert_true(works[i].ran && works[i].done && !works[i].job.dropped);
        assert_false(pthread_equal(works[i].ran_on, pthread_self()));
    }
    hf_jobs_free(jobs);
}

static void the_queue_is_bounded_and_every_job_comes_back(void **state)
{
    (void)state;
    struct hf_jobs *jobs;
    struct work works[5];
    size_t n_added = 0;
    assert_int_equal(hf_jobs_new("test", 1, 2, &jobs), HF_OK);
    fill(works, 5);
    /* one is being run, or will be; two wait; no more than three get in */
    while (n_added < 5 && hf_jobs_add(jobs, &works[n_added].job) == HF_OK) {
        n_added++;
    }
    assert_true(n_added == 2 || n_added == 3);
    n_left = n_added;
    for (size_t i = 0; i < n_added; i++) {
        sem_post(&gate);
    }
    hf_jobs_free(jobs);
    assert_int_equal(hf_loop_run(loop), HF_OK);
    for (size_t i = 0; i < n_added; i++) {
        assert_true(works[i].done);
        assert_int_equal(works[i].ran, !works[i].job.dropped);
    }
}

static void no_job_needs_no_thread(void **state)
{
    (void)state;
    struct hf_jobs *jobs;
    assert_int_equal(hf_jobs_new("test", 4, 2, &jobs), HF_OK);
    hf_jobs_free(jobs);
    hf_jobs_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(jobs_run_elsewhere_and_are_done_here, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_queue_is_bounded_and_every_job_comes_back, set_up,
                                        tear_down),
        cmocka_unit_test(no_job_needs_no_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
