// SPDX-License-Identifier: Apache-2.0
/* Who waits for lists that are on their way, for how long, and who is told when. */
#include "proxy/crl_desk.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "os/clock.h"
#include "testpki.h"

#include <cmocka.h>

enum { FEEDS = 3 };

static struct testpki *root;
static struct hf_chain *path;
static struct hf_loop *loop;
static struct hf_crl_desk *desk;
static struct hf_crl_feed feeds[FEEDS];
static atomic_uint n_awaited;
static size_t n_met, n_answers;
static char met[32];
static struct hf_task step;

static void meet(void *ctx, const char *trust, const struct hf_chain *met_path, hf_crl_await_fn *fn,
                 void *fn_ctx)
{
    (void)ctx;
    assert_ptr_equal(met_path, path);
    snprintf(met, sizeof(met), "%s", trust);
    n_met++;
    for (size_t i = 0; i < FEEDS; i++) {
        if (feeds[i].awaited) {
            fn(fn_ctx, &feeds[i]);
        }
    }
}

static int begin(void **state)
{
    (void)state;
    root = testpki_root("Root");
    path = testpki_chain(root);
    atomic_store(&n_awaited, 0);
    n_met = n_answers = 0;
    assert_int_equal(hf_loop_new(&hf_os_clock, &loop), HF_OK);
    for (size_t i = 0; i < FEEDS; i++) {
        feeds[i] = (struct hf_crl_feed){.awaited_ms = hf_loop_now_ms(loop)};
        hf_list_init(&feeds[i].askers);
    }
    const struct hf_crl_desk_env env = {.loop = loop, .meet = meet, .n_awaited = &n_awaited};
    assert_int_equal(hf_crl_desk_new(&env, &desk), HF_OK);
    return 0;
}

static int end(void **state)
{
    (void)state;
    hf_crl_desk_stop(desk);
    hf_loop_free(loop);
    hf_crl_desk_free(desk);
    hf_chain_unref(path);
    testpki_free(root);
    return 0;
}

static void on_answer(struct hf_desk_wait *wait)
{
    assert_null(wait->call);
    n_answers++;
    hf_loop_stop(loop);
}

static void stop_later(struct hf_task *task)
{
    (void)task;
    hf_loop_stop(loop);
}

/* One turn, in which all that was posted has run. */
static void turn(void)
{
    step.run = stop_later;
    hf_loop_post(loop, &step);
    assert_int_equal(hf_loop_run(loop), HF_OK);
}

static void ask(int64_t wait_ms, struct hf_desk_wait *wait)
{
    assert_int_equal(hf_crl_desk_ask(desk, loop, "clients", path, wait_ms, wait), HF_OK);
}

static void nothing_on_its_way_is_answered_at_once(void **state)
{
    struct hf_desk_wait wait = {.on_answer = on_answer};
    (void)state;
    ask(60000, &wait);
    assert_non_null(wait.call);
    assert_int_equal(hf_loop_run(loop), HF_OK);
    assert_int_equal(n_answers, 1);
    assert_string_equal(met, "clients");
}

static void all_feeds_are_waited_for(void **state)
{
    struct hf_desk_wait wait = {.on_answer = on_answer};
    (void)state;
    feeds[0].awaited = feeds[2].awaited = true;
    ask(60000, &wait);
    turn();
    hf_crl_askers_end(&feeds[0].askers);
    hf_crl_askers_end(&feeds[1].askers);
    turn();
    assert_int_equal(n_answers, 0);
    hf_crl_askers_end(&feeds[2].askers);
    assert_int_equal(hf_loop_run(loop), HF_OK);
    assert_int_equal(n_answers, 1);
}

static void one_feed_answers_all_who_wait_for_it(void **state)
{
    struct hf_desk_wait wait[4] = {{NULL, on_answer}, {NULL, on_answer}, {NULL, on_answer}, {0}};
    (void)state;
    feeds[1].awaited = true;
    for (size_t i = 0; i < 3; i++) {
        ask(60000, &wait[i]);
    }
    turn();
    assert_int_equal(n_met, 3);
    hf_crl_askers_end(&feeds[1].askers);
    turn();
    assert_int_equal(n_answers, 3);
}

static void silence_ends_with_the_wait(void **state)
{
    struct hf_desk_wait wait = {.on_answer = on_answer};
    (void)state;
    feeds[0].awaited = true;
    ask(30, &wait);
    assert_int_equal(hf_loop_run(loop), HF_OK);
    assert_int_equal(n_answers, 1);
    assert_true(hf_list_empty(&feeds[0].askers));
}

static void a_fetch_that_has_been_waited_for_is_not_again(void **state)
{
    struct hf_desk_wait wait = {.on_answer = on_answer};
    (void)state;
    feeds[0].awaited = true;
    feeds[0].awaited_ms -= 5000;
    ask(5000, &wait);
    assert_int_equal(hf_loop_run(loop), HF_OK);
    assert_int_equal(n_answers, 1);
}

static void who_cancels_is_not_told(void **state)
{
    struct hf_desk_wait wait = {.on_answer = on_answer};
    (void)state;
    feeds[0].awaited = true;
    ask(60000, &wait);
    turn();
    hf_desk_wait_cancel(&wait);
    hf_desk_wait_cancel(&wait);
    assert_null(wait.call);
    hf_crl_askers_end(&feeds[0].askers);
    turn();
    assert_int_equal(n_answers, 0);
}

static void who_only_tells_waits_for_nothing(void **state)
{
    (void)state;
    feeds[0].awaited = true;
    ask(0, NULL);
    turn();
    assert_int_equal(n_met, 1);
    assert_true(hf_list_empty(&feeds[0].askers));
}

static void the_stop_forgets_everybody(void **state)
{
    struct hf_desk_wait wait[2] = {{NULL, on_answer}, {NULL, on_answer}};
    (void)state;
    feeds[0].awaited = true;
    ask(60000, &wait[0]);
    turn();
    ask(60000, &wait[1]); /* on its way */
    hf_crl_desk_stop(desk);
    turn();
    assert_int_equal(n_answers, 0);
    assert_null(wait[0].call);
    assert_null(wait[1].call);
    assert_int_equal(n_met, 1);
}

static void it_is_busy_until_everybody_knows(void **state)
{
    (void)state;
    assert_false(hf_crl_desk_busy(desk, 0));
    ask(0, NULL);
    assert_true(hf_crl_desk_busy(desk, 0));
    turn();
    assert_false(hf_crl_desk_busy(desk, 0));
    atomic_store(&n_awaited, 1);
    assert_true(hf_crl_desk_busy(desk, 0));
    hf_crl_desk_teaches(desk);
    atomic_store(&n_awaited, 0);
    assert_true(hf_crl_desk_busy(desk, 0)); /* this worker hasn't learnt it yet */
    assert_false(hf_crl_desk_busy(desk, 1));
}

/* A list is awaited, then taught, then no longer awaited, while a worker that hasn't learnt it
 * looks on: at no moment may it find that there is nothing to wait for. Half a second of that. */
static atomic_uint n_begun, n_seen; /* rounds */
static atomic_uint n_idle;          /* looks that found nothing on its way */
static atomic_bool is_over;

static void *look_on(void *arg)
{
    (void)arg;
    for (unsigned round = 1;; round++) {
        while (atomic_load(&n_begun) < round) {
            if (atomic_load(&is_over)) {
                return NULL;
            }
            (void)sched_yield();
        }
        for (bool last = false; !last;) { /* the last look is at what has been taught */
            last = atomic_load(&n_awaited) == 0;
            atomic_fetch_add(&n_idle, !hf_crl_desk_busy(desk, round - 1));
        }
        atomic_store(&n_seen, round);
    }
}

static void it_is_busy_at_every_moment_of_a_teaching(void **state)
{
    (void)state;
    pthread_t worker;
    int64_t end_ns = hf_clock_mono_ns(&hf_os_clock) + 500 * 1000 * 1000;
    assert_int_equal(pthread_create(&worker, NULL, look_on, NULL), 0);
    for (unsigned round = 1; hf_clock_mono_ns(&hf_os_clock) < end_ns; round++) {
        atomic_store(&n_awaited, 1);
        atomic_store(&n_begun, round);
        hf_crl_desk_teaches(desk);
        atomic_store(&n_awaited, 0);
        while (atomic_load(&n_seen) < round) {
            (void)sched_yield();
        }
    }
    atomic_store(&is_over, true);
    assert_int_equal(pthread_join(worker, NULL), 0);
    assert_int_equal(atomic_load(&n_idle), 0);
}

static void running_out_of_memory_is_said(void **state)
{
    struct hf_desk_wait wait = {.on_answer = on_answer};
    (void)state;
    hf_alloc_fail_after(1);
    assert_int_equal(hf_crl_desk_ask(desk, loop, "clients", path, 1, &wait), HF_E_NOMEM);
    hf_alloc_fail_after(0);
    assert_null(wait.call);
    assert_false(hf_crl_desk_busy(desk, 0));
    feeds[0].awaited = true;
    ask(60000, &wait);
    hf_alloc_fail_after(1); /* for the asker: then it isn't waited for */
    assert_int_equal(hf_loop_run(loop), HF_OK);
    hf_alloc_fail_after(0);
    assert_int_equal(n_answers, 1);
}

#define ONE(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ONE(nothing_on_its_way_is_answered_at_once),
        ONE(all_feeds_are_waited_for),
        ONE(one_feed_answers_all_who_wait_for_it),
        ONE(silence_ends_with_the_wait),
        ONE(a_fetch_that_has_been_waited_for_is_not_again),
        ONE(who_cancels_is_not_told),
        ONE(who_only_tells_waits_for_nothing),
        ONE(the_stop_forgets_everybody),
        ONE(it_is_busy_until_everybody_knows),
        ONE(it_is_busy_at_every_moment_of_a_teaching),
        ONE(running_out_of_memory_is_said),
    };
    return cmocka_run_group_tests_name("proxy/crl_desk", tests, NULL, NULL);
}
