// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/resource.h>

#include "os/thread.h"

struct seen {
    char name[32];
    bool term_blocked, int_blocked;
};

static void look_around(void *arg)
{
    struct seen *seen = arg;
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    seen->term_blocked = sigismember(&mask, SIGTERM) == 1;
    seen->int_blocked = sigismember(&mask, SIGINT) == 1;
}

static void test_a_thread_has_all_signals_blocked_and_ours_are_as_before(void **state)
{
    (void)state;
    struct hf_thread thread = {0};
    struct seen seen = {0};
    sigset_t mask;
    assert_int_equal(hf_thread_start(&thread, "look", look_around, &seen), HF_OK);
    hf_thread_join(&thread);
    assert_true(seen.term_blocked && seen.int_blocked);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    assert_int_equal(sigismember(&mask, SIGTERM), 0);
    hf_thread_join(&thread);
}

static sem_t release;

static void wait_for_release(void *arg)
{
    (void)arg;
    sem_wait(&release);
}

static void test_a_long_name_is_cut(void **state)
{
    (void)state;
    struct hf_thread thread = {0};
    char name[32];
    sem_init(&release, 0, 0);
    assert_int_equal(hf_thread_start(&thread, "worker-0123456789", wait_for_release, NULL), HF_OK);
    assert_int_equal(pthread_getname_np(thread.id, name, sizeof(name)), 0);
    assert_string_equal(name, "worker-01234567");
    sem_post(&release);
    hf_thread_join(&thread);
}

/* The thread outlives its join, so it must touch nothing of this function's. */
static struct hf_thread stubborn;

static void test_a_bounded_join_gives_up(void **state)
{
    (void)state;
    sem_init(&release, 0, 0);
    assert_int_equal(hf_thread_start(&stubborn, "stubborn", wait_for_release, NULL), HF_OK);
    assert_int_equal(hf_thread_join_for(&stubborn, 20), HF_E_TIMEOUT);
    assert_int_equal(hf_thread_join_for(&stubborn, 20), HF_OK);
    sem_post(&release);
}

static void test_a_bounded_join_of_one_that_ends_is_fine(void **state)
{
    (void)state;
    struct hf_thread thread = {0};
    struct seen seen;
    assert_int_equal(hf_thread_start(&thread, "brief", look_around, &seen), HF_OK);
    assert_int_equal(hf_thread_join_for(&thread, 10500), HF_OK);
}

static void test_there_is_a_cpu_and_affinity_counts(void **state)
{
    (void)state;
    cpu_set_t before, one;
    assert_true(hf_n_cpus() >= 1);
    assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
    CPU_ZERO(&one);
    CPU_SET(sched_getcpu(), &one);
    assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
    assert_int_equal(hf_n_cpus(), 1);
    assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
}

static void test_the_descriptor_limit_goes_up_and_never_down(void **state)
{
    (void)state;
    struct rlimit before, low;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    low = (struct rlimit){.rlim_cur = 64, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
    assert_int_equal(hf_nofile_raise(32), 64);
    assert_int_equal(hf_nofile_raise(100), 100);
    assert_int_equal(hf_nofile_raise(UINT64_MAX - 1), before.rlim_max);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

static void step_back(void *arg)
{
    int *nice = arg;
    int before = getpriority(PRIO_PROCESS, 0);
    hf_thread_yield();
    hf_thread_step_back();
    *nice = getpriority(PRIO_PROCESS, 0) - before;
}

static void test_a_thread_steps_back_alone(void **state)
{
    (void)state;
    struct hf_thread thread = {0};
    int before = getpriority(PRIO_PROCESS, 0), nice = 0;
    assert_int_equal(hf_thread_start(&thread, "modest", step_back, &nice), HF_OK);
    hf_thread_join(&thread);
    assert_int_equal(nice, before + 10 < 19 ? 10 : 19 - before);
    assert_int_equal(getpriority(PRIO_PROCESS, 0), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_thread_has_all_signals_blocked_and_ours_are_as_before),
        cmocka_unit_test(test_a_long_name_is_cut),
        cmocka_unit_test(test_a_thread_steps_back_alone),
        cmocka_unit_test(test_a_bounded_join_gives_up),
        cmocka_unit_test(test_a_bounded_join_of_one_that_ends_is_fine),
        cmocka_unit_test(test_there_is_a_cpu_and_affinity_counts),
        cmocka_unit_test(test_the_descriptor_limit_goes_up_and_never_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
