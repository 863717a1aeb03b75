// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/socket.h>
#include <unistd.h>

#include "os/clock.h"
#include "os/signals.h"
#include "os/sock.h"

static struct hf_loop *loop;
static int numbers[8];
static pid_t sender;
static int n_got, n_wanted;

static void note(struct hf_signals *signals, int number, pid_t from)
{
    (void)signals;
    numbers[n_got++] = number;
    sender = from;
    if (n_got == n_wanted) {
        hf_loop_stop(loop);
    }
}

static int set_up(void **state)
{
    (void)state;
    n_got = 0;
    return hf_loop_new(&hf_os_clock, &loop) == HF_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    hf_loop_free(loop);
    return 0;
}

static void test_each_watched_signal_becomes_a_call(void **state)
{
    (void)state;
    static const int watched[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
    struct hf_signals signals;
    assert_int_equal(hf_signals_open(&signals, loop, note), HF_OK);
    n_wanted = 4;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(kill(getpid(), watched[i]), 0);
    }
    assert_int_equal(hf_loop_run(loop), HF_OK);
    assert_int_equal(n_got, 4);
    assert_int_equal(sender, getpid());
    unsigned seen = 0;
    for (int i = 0; i < 4; i++) {
        seen |= 1u << numbers[i];
    }
    assert_int_equal(seen, 1u << SIGTERM | 1u << SIGINT | 1u << SIGHUP | 1u << SIGUSR1);
    hf_signals_close(&signals);
}

static void close_ourselves(struct hf_signals *signals, int number, pid_t from)
{
    note(signals, number, from);
    hf_signals_close(signals);
}

static void test_the_callback_may_close_them(void **state)
{
    (void)state;
    struct hf_signals signals;
    assert_int_equal(hf_signals_open(&signals, loop, close_ourselves), HF_OK);
    n_wanted = 1;
    assert_int_equal(kill(getpid(), SIGHUP), 0);
    assert_int_equal(hf_loop_run(loop), HF_OK);
    assert_int_equal(n_got, 1);
    hf_signals_close(&signals);
}

static void test_closing_restores_the_mask(void **state)
{
    (void)state;
    struct hf_signals signals;
    sigset_t mask;
    assert_int_equal(hf_signals_open(&signals, loop, note), HF_OK);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    assert_int_equal(sigismember(&mask, SIGTERM), 1);
    hf_signals_close(&signals);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    assert_int_equal(sigismember(&mask, SIGTERM), 0);
}

static void test_a_broken_pipe_does_not_kill(void **state)
{
    (void)state;
    struct hf_signals signals;
    int fds[2];
    assert_int_equal(hf_signals_open(&signals, loop, note), HF_OK);
    assert_int_equal(pipe(fds), 0);
    hf_closep(&fds[0]);
    assert_int_equal(write(fds[1], "x", 1), -1);
    hf_closep(&fds[1]);
    hf_signals_close(&signals);
}

#define SIGNALS_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SIGNALS_TEST(test_each_watched_signal_becomes_a_call),
        SIGNALS_TEST(test_the_callback_may_close_them),
        SIGNALS_TEST(test_closing_restores_the_mask),
        SIGNALS_TEST(test_a_broken_pipe_does_not_kill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
