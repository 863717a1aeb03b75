// SPDX-License-Identifier: Apache-2.0
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ca/crew.h"

struct work {
    struct hf_crew_task task;
    bool blocks, again;
    bool ran, dropped;
};

static struct hf_crew *crew;
static sem_t started, gate, ended;

static void run(struct hf_crew_task *task, bool dropped)
{
    struct work *work = HF_CONTAINER_OF(task, struct work, task);
    work->dropped = dropped;
    if (work->blocks && !dropped) {
        sem_post(&started);
        sem_wait(&gate);
    }
    if (work->again) {
        work->again = false;
        assert_int_equal(hf_crew_add(crew, task), HF_OK);
        return;
    }
    work->ran = !dropped;
    sem_post(&ended);
}

static int set_up(void **state)
{
    (void)state;
    sem_init(&started, 0, 0);
    sem_init(&gate, 0, 0);
    sem_init(&ended, 0, 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    sem_destroy(&started);
    sem_destroy(&gate);
    sem_destroy(&ended);
    return 0;
}

static void test_runs_every_task(void **state)
{
    (void)state;
    enum { N = 500 };
    static struct work works[N];
    assert_int_equal(hf_crew_new(3, N, &crew), HF_OK);
    for (size_t i = 0; i < N; i++) {
        works[i] = (struct work){.task = {.run = run}, .again = i % 7 == 0};
        assert_int_equal(hf_crew_add(crew, &works[i].task), HF_OK);
    }
    for (size_t i = 0; i < N; i++) {
        sem_wait(&ended);
    }
    hf_crew_free(crew);
    for (size_t i = 0; i < N; i++) {
        assert_true(works[i].ran);
    }
}

static void test_refuses_what_is_too_much(void **state)
{
    (void)state;
    struct work first = {.task = {.run = run}, .blocks = true};
    struct work waiting[2] = {{.task = {.run = run}}, {.task = {.run = run}}};
    struct work late = {.task = {.run = run}};
    assert_int_equal(hf_crew_new(1, 2, &crew), HF_OK);
    assert_int_equal(hf_crew_add(crew, &first.task), HF_OK);
    sem_wait(&started);
    assert_int_equal(hf_crew_add(crew, &waiting[0].task), HF_OK);
    assert_int_equal(hf_crew_add(crew, &waiting[1].task), HF_OK);
    assert_int_equal(hf_crew_add(crew, &late.task), HF_E_BUSY);
    sem_post(&gate);
    for (int i = 0; i < 3; i++) {
        sem_wait(&ended);
    }
    hf_crew_free(crew);
    assert_true(first.ran && waiting[0].ran && waiting[1].ran);
    assert_false(late.ran);
}

static void test_drops_what_waits_at_the_end(void **state)
{
    (void)state;
    struct work first = {.task = {.run = run}, .blocks = true};
    struct work waiting = {.task = {.run = run}, .blocks = true};
    assert_int_equal(hf_crew_new(1, 8, &crew), HF_OK);
    assert_int_equal(hf_crew_add(crew, &first.task), HF_OK);
    sem_wait(&started);
    assert_int_equal(hf_crew_add(crew, &waiting.task), HF_OK);
    sem_post(&gate);
    sem_post(&gate); /* either of: the second ran before the end was seen, or was dropped */
    hf_crew_free(crew);
    assert_true(first.ran);
    assert_true(waiting.ran != waiting.dropped);
}

static void test_out_of_memory(void **state)
{
    (void)state;
    hf_alloc_fail_after(1);
    assert_int_equal(hf_crew_new(1, 8, &crew), HF_E_NOMEM);
    assert_null(crew);
    hf_alloc_fail_after(0);
    hf_crew_free(NULL);
}

static char seen[16];
static size_t n_seen;

static void note(void *ctx, struct hf_crew_task *next)
{
    assert_ptr_equal(ctx, &n_seen);
    if (n_seen < sizeof(seen) - 1 && (next || n_seen == 0 || seen[n_seen - 1] != '-')) {
        seen[n_seen++] = next ? 't' : '-';
    }
}

static void test_tells_what_comes_between_tasks(void **state)
{
    (void)state;
    struct work first = {.task = {.run = run}, .blocks = true};
    struct work waiting = {.task = {.run = run}};
    n_seen = 0;
    memset(seen, 0, sizeof(seen));
    assert_int_equal(hf_crew_new(1, 8, &crew), HF_OK);
    hf_crew_between(crew, note, &n_seen);
    assert_int_equal(hf_crew_add(crew, &first.task), HF_OK);
    sem_wait(&started);
    assert_int_equal(hf_crew_add(crew, &waiting.task), HF_OK);
    sem_post(&gate);
    sem_wait(&ended);
    sem_wait(&ended);
    hf_crew_free(crew);
    /* it may have looked for a task before it was told of `note` */
    assert_string_equal(seen[0] == '-' ? seen + 1 : seen, "tt-");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_runs_every_task, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_refuses_what_is_too_much, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_drops_what_waits_at_the_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tells_what_comes_between_tasks, set_up, tear_down),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
