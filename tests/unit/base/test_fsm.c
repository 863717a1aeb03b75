// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fsm.h"

enum { IDLE, BUSY, CLOSED, N_STATES };

static const struct hf_fsm_state table[] = {
    [IDLE] = {"idle", HF_FSM_TO(BUSY) | HF_FSM_TO(CLOSED), 1000},
    [BUSY] = {"busy", HF_FSM_TO(IDLE) | HF_FSM_TO(BUSY), 0},
    [CLOSED] = {"closed", 0, 0},
};

static void test_listed_edges_are_taken(void **state)
{
    (void)state;
    struct hf_fsm fsm;
    hf_fsm_init(&fsm, table, N_STATES, IDLE);
    assert_string_equal(hf_fsm_name(&fsm), "idle");
    hf_fsm_move(&fsm, BUSY);
    hf_fsm_move(&fsm, BUSY);
    assert_string_equal(hf_fsm_name(&fsm), "busy");
    hf_fsm_move(&fsm, IDLE);
    hf_fsm_move(&fsm, CLOSED);
    assert_int_equal(fsm.state, CLOSED);
}

/* An illegal move ends the process, so it's made by a child. */
static void assert_aborts(uint8_t from, uint8_t to)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit no_core = {0};
        struct hf_fsm fsm;
        setrlimit(RLIMIT_CORE, &no_core);
        signal(SIGABRT, SIG_DFL);
        (void)!freopen("/dev/null", "w", stderr);
        hf_fsm_init(&fsm, table, N_STATES, from);
        hf_fsm_move(&fsm, to);
        _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGABRT);
}

static void test_an_edge_that_is_not_listed_ends_the_process(void **state)
{
    (void)state;
    assert_aborts(BUSY, CLOSED);
    assert_aborts(CLOSED, IDLE);
    assert_aborts(IDLE, IDLE);
}

static void test_a_state_that_does_not_exist_ends_the_process(void **state)
{
    (void)state;
    assert_aborts(IDLE, N_STATES);
    assert_aborts(IDLE, 31);
    assert_aborts(IDLE, 255);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_listed_edges_are_taken),
        cmocka_unit_test(test_an_edge_that_is_not_listed_ends_the_process),
        cmocka_unit_test(test_a_state_that_does_not_exist_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
