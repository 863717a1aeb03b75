// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/clock.h"
#include "os/loop.h"
#include "os/sock.h"

static struct hf_loop *loop;

static int set_up(void **state)
{
    (void)state;
    return hf_loop_new(&hf_os_clock, &loop) == HF_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    hf_loop_free(loop);
    loop = NULL;
    return 0;
}

/* --- Watches -------------------------------------------------------------------------------- */

struct end {
    struct hf_watch watch;
    unsigned events;
    unsigned n_calls;
    struct end *peer;
};

static void note_and_stop(struct hf_watch *watch, unsigned events)
{
    struct end *end = HF_CONTAINER_OF(watch, struct end, watch);
    end->events = events;
    end->n_calls++;
    hf_loop_stop(loop);
}

static void make_pair(struct end ends[static 2])
{
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    for (int i = 0; i < 2; i++) {
        ends[i] = (struct end){.watch = {.fd = fds[i], .on_event = note_and_stop}};
        ends[i].peer = &ends[1 - i];
    }
}

static void drop(struct end *end)
{
    hf_watch_remove(loop, &end->watch);
    hf_closep(&end->watch.fd);
}

static void test_a_readable_socket_is_reported(void **state)
{
    (void)state;
    struct end ends[2];
    make_pair(ends);
    ends[0].watch.wanted = HF_LOOP_READ;
    assert_int_equal(hf_watch_add(loop, &ends[0].watch), HF_OK);
    assert_int_equal(write(ends[1].watch.fd, "x", 1), 1);
    assert_int_equal(hf_loop_run(loop), HF_OK);
    assert_int_equal(ends[0].events, HF_LOOP_READ);
    drop(&ends[0]);
    drop(&ends[1]);
}

static void test_wanted_bits_choose_what_is_reported(void **state)
{
    (void)state;
    struct end ends[2];
    make_pair(ends);
    assert_int_equal(write(ends[1].watch.fd, "x", 1), 1);
    assert_int_equal(hf_watch_add(loop, &ends[0].watch), HF_OK);
    hf_watch_want(loop, &ends[0].watch, HF_LOOP_WRITE);
    assert_int_equal(hf_loop_run(loop), HF_OK);
    assert_int_equal(ends[0].events, HF_LOOP_WRITE);
    hf_watch_want(loop, &ends[0].watch, HF_LOOP_READ | HF_LOOP_WRITE);
    assert_int_equal(hf_loop_run(loop), HF_OK);
    assert_int_equal(ends[0].events, HF_LOOP_READ | HF_LOOP_WRITE);
    drop(&ends[0]);
    drop(&ends[1]);
}

static void test_hangup_is_reported_though_nothing_is_wanted(void **state)
{
    (void)state;
    struct end ends[2];
    make_pair(ends);
    assert_int_equal(hf_watch_add(loop, &ends[0].watch), HF_OK);
    drop(&ends[1]);
    assert_int_equal(hf_loop_run(loop), HF_OK);
    assert_int_equal(ends[0].events, HF_LOOP_HANGUP);
    drop(&ends[0]);
}

static void test_a_regular_file_can_not_be_watched(void **state)
{
    (void)state;
    struct hf_watch watch = {.fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC),
                             .on_event = note_and_stop};
    assert_true(watch.fd >= 0);
    assert_int_equal(hf_watch_add(loop, &watch), HF_E_PERMISSION);
    assert_false(watch.active);
    close(watch.fd);
}

static void remove_both(struct hf_watch *watch, unsigned events)
{
    note_and_stop(watch, events);
    struct end *end = HF_CONTAINER_OF(watch, struct end, watch);
    hf_watch_remove(loop, &end->peer->watch);
    hf_watch_remove(loop, watch);
}

static void test_the_event_of_a_watch_removed_in_the_same_turn_is_dropped(void **state)
{
    (void)state;
    struct end ends[2];
    make_pair(ends);
    for (int i = 0; i < 2; i++) {
        ends[i].watch.wanted = HF_LOOP_WRITE;
        ends[i].watch.on_event = remove_both;
        assert_int_equal(hf_watch_add(loop, &ends[i].watch), HF_OK);
    }
    assert_int_equal(hf_loop_run(loop), HF_OK);
    assert_int_equal(ends[0].n_calls + ends[1].n_calls, 1);
    drop(&ends[0]);
    drop(&ends[1]);
}

static struct end reborn[2];

/* Closes the peer's descriptor and has its number used again by another watch, all in one turn. */
static void reuse_number(struct hf_watch *watch, unsigned events)
{
    note_and_stop(watch, events);
    struct end *end = HF_CONTAINER_OF(watch, struct end, watch);
    hf_watch_remove(loop, watch);
    int number = end->peer->watch.fd;
    drop(end->peer);
    make_pair(reborn);
    assert_true(reborn[0].watch.fd == number || reborn[1].watch.fd == number);
    for (int i = 0; i < 2; i++) {
        reborn[i].watch.wanted = HF_LOOP_READ;
        assert_int_equal(hf_watch_add(loop, &reborn[i].watch), HF_OK);
    }
}

static void test_an_event_never_reaches_the_next_user_of_a_descriptor_number(void **state)
{
    (void)state;
    struct end ends[2];
    make_pair(ends);
    for (int i = 0; i < 2; i++) {
        ends[i].watch.wanted = HF_LOOP_WRITE;
        ends[i].watch.on_event = reuse_number;
        assert_int_equal(hf_watch_add(loop, &ends[i].watch), HF_OK);
    }
    assert_int_equal(hf_loop_run(loop), HF_OK);
    assert_int_equal(ends[0].n_calls + ends[1].n_calls, 1);
    assert_int_equal(reborn[0].n_calls + reborn[1].n_calls, 0);
    for (int i = 0; i < 2; i++) {
        drop(&reborn[i]);
        drop(&ends[i]);
    }
}

static void unwant_peer(struct hf_watch *watch, unsigned events)
{
    note_and_stop(watch, events);
    hf_watch_want(loop, &HF_CONTAINER_OF(watch, struct end, watch)->peer->watch, 0);
}

static void test_an_event_no_longer_wanted_is_dropped(void **state)
{
    (void)state;
    struct end ends[2];
    make_pair(ends);
    for (int i = 0; i < 2; i++) {
        ends[i].watch.wanted = HF_LOOP_WRITE;
        ends[i].watch.on_event = unwant_peer;
        assert_int_equal(hf_watch_add(loop, &ends[i].watch), HF_OK);
    }
    assert_int_equal(hf_loop_run(loop), HF_OK);
    assert_int_equal(ends[0].n_calls + ends[1].n_calls, 1);
    drop(&ends[0]);
    drop(&ends[1]);
}

static void test_a_shared_watch_can_pause_and_resume(void **state)
{
    (void)state;
    struct end ends[2];
    make_pair(ends);
    ends[0].watch.wanted = HF_LOOP_READ;
    assert_int_equal(hf_watch_add_shared(loop, &ends[0].watch), HF_OK);
    assert_int_equal(write(ends[1].watch.fd, "x", 1), 1);
    hf_watch_want(loop, &ends[0].watch, 0);
    hf_loop_stop(loop);
    assert_int_equal(hf_loop_run(loop), HF_OK);
    assert_int_equal(ends[0].n_calls, 0);
    hf_watch_want(loop, &ends[0].watch, HF_LOOP_READ);
    assert_int_equal(ends[0].watch.wanted, HF_LOOP_READ);
    assert_int_equal(hf_loop_run(loop), HF_OK);
    assert_int_equal(ends[0].n_calls, 1);
    hf_watch_want(loop, &ends[0].watch, 0);
    drop(&ends[0]);
    drop(&ends[1]);
}

/* --- Wishes -----------------------------------------------------------------------------------*/

/* Wishes that come and go within a turn, and those that nothing was reported against, cost nothing:
 * what the kernel was told is to be seen in /proc. */
static unsigned armed_bits(const struct hf_watch *watch)
{
    char path[64];
    char line[256];
    unsigned found = 0xbad;
    DIR *fds = opendir("/proc/self/fdinfo");
    assert_non_null(fds);
    for (struct dirent *entry; (entry = readdir(fds));) {
        snprintf(path, sizeof(path), "/proc/self/fdinfo/%.20s", entry->d_name);
        FILE *file = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
        while (file && fgets(line, sizeof(line), file)) {
            int fd;
            unsigned bits;
            if (sscanf(line, "tfd: %d events: %x", &fd, &bits) == 2 && fd == watch->fd) {
                found = bits & (EPOLLIN | EPOLLOUT);
            }
        }
        if (file) {
            (void)fclose(file);
        }
    }
    closedir(fds);
    return found;
}

static void stop_soon(struct hf_task *task)
{
    (void)task;
    hf_loop_stop(loop);
}

static void turn(void)
{
    struct hf_task task = {.run = stop_soon};
    hf_loop_post(loop, &task);
    assert_int_equal(hf_loop_run(loop), HF_OK);
}

static void test_a_wish_for_less_is_told_when_it_matters(void **state)
{
    (void)state;
    struct end ends[2];
    make_pair(ends);
    ends[0].watch.wanted = HF_LOOP_READ;
    assert_int_equal(hf_watch_add(loop, &ends[0].watch), HF_OK);
    hf_watch_want(loop, &ends[0].watch, 0);
    turn();
    assert_int_equal(armed_bits(&ends[0].watch), EPOLLIN); /* nobody was woken by it yet */
    assert_int_equal(write(ends[1].watch.fd, "x", 1), 1);
    turn();
    turn();
    assert_int_equal(ends[0].n_calls, 0); /* and what comes isn't given to who doesn't want it */
    assert_int_equal(armed_bits(&ends[0].watch), 0);
    hf_watch_want(loop, &ends[0].watch, HF_LOOP_READ);
    assert_int_equal(hf_loop_run(loop), HF_OK);
    assert_int_equal(ends[0].events, HF_LOOP_READ);
    drop(&ends[0]);
    drop(&ends[1]);
}

static void test_wishes_that_come_and_go_within_a_turn_leave_no_trace(void **state)
{
    (void)state;
    struct end ends[2];
    make_pair(ends);
    assert_int_equal(hf_watch_add(loop, &ends[0].watch), HF_OK);
    hf_watch_want(loop, &ends[0].watch, HF_LOOP_WRITE);
    hf_watch_want(loop, &ends[0].watch, 0);
    turn();
    assert_int_equal(ends[0].n_calls, 0);
    assert_int_equal(armed_bits(&ends[0].watch), 0);
    hf_watch_want(loop, &ends[0].watch, HF_LOOP_WRITE);
    drop(&ends[0]); /* while its wish waits to be told */
    turn();
    drop(&ends[1]);
}

static void test_many_wishes_wait_for_the_end_of_one_turn(void **state)
{
    (void)state;
    enum { MANY = 400 };
    static struct end ends[MANY][2];
    for (size_t i = 0; i < MANY; i++) {
        make_pair(ends[i]);
        assert_int_equal(hf_watch_add(loop, &ends[i][0].watch), HF_OK);
        hf_watch_want(loop, &ends[i][0].watch, HF_LOOP_WRITE);
    }
    for (size_t i = 0; i < MANY; i += 2) {
        hf_watch_want(loop, &ends[i][0].watch, 0);
    }
    turn();
    turn();
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(ends[i][0].n_calls > 0, i % 2);
        drop(&ends[i][0]);
        drop(&ends[i][1]);
    }
}

static void test_without_memory_a_wish_is_told_at_once(void **state)
{
    (void)state;
    struct end ends[2];
    hf_loop_free(loop); /* one that has remembered wishes before has the memory for more */
    assert_int_equal(hf_loop_new(&hf_os_clock, &loop), HF_OK);
    make_pair(ends);
    assert_int_equal(hf_watch_add(loop, &ends[0].watch), HF_OK);
    hf_alloc_fail_after(1);
    hf_watch_want(loop, &ends[0].watch, HF_LOOP_WRITE);
    hf_alloc_fail_after(0);
    assert_int_equal(armed_bits(&ends[0].watch), EPOLLOUT);
    assert_int_equal(hf_loop_run(loop), HF_OK);
    assert_int_equal(ends[0].events, HF_LOOP_WRITE);
    drop(&ends[0]);
    drop(&ends[1]);
}

static void test_closing_a_watch_frees_its_number_for_another(void **state)
{
    (void)state;
    struct end ends[2];
    struct end next[2];
    make_pair(ends);
    ends[0].watch.wanted = HF_LOOP_READ;
    assert_int_equal(hf_watch_add(loop, &ends[0].watch), HF_OK);
    assert_int_equal(write(ends[1].watch.fd, "x", 1), 1);
    int number = ends[0].watch.fd;
    hf_watch_close(loop, &ends[0].watch);
    assert_int_equal(ends[0].watch.fd, -1);
    assert_false(ends[0].watch.active);
    make_pair(next);
    assert_int_equal(next[0].watch.fd, number);
    next[0].watch.wanted = HF_LOOP_WRITE;
    assert_int_equal(hf_watch_add(loop, &next[0].watch), HF_OK);
    assert_int_equal(hf_loop_run(loop), HF_OK);
    assert_int_equal(ends[0].n_calls, 0);
    assert_int_equal(next[0].events, HF_LOOP_WRITE);
    hf_watch_close(loop, &ends[0].watch); /* twice is harmless */
    drop(&next[0]);
    drop(&next[1]);
    drop(&ends[1]);
}

/* Gives its descriptor away, from its own callback, as a dial does. */
static void move_to_peer(struct hf_watch *watch, unsigned events)
{
    struct end *end = HF_CONTAINER_OF(watch, struct end, watch);
    end->events = events;
    end->peer->watch.wanted = HF_LOOP_READ;
    end->peer->watch.on_event = note_and_stop;
    hf_watch_move(loop, watch, &end->peer->watch);
    memset(watch, 0x5a, sizeof(*watch)); /* its memory may go at once */
}

static void test_a_moved_watch_tells_its_new_owner(void **state)
{
    (void)state;
    struct end ends[2];
    struct end heir = {.watch = {.fd = -1}};
    make_pair(ends);
    int number = ends[0].watch.fd;
    ends[0].watch.wanted = HF_LOOP_WRITE;
    ends[0].watch.on_event = move_to_peer;
    ends[0].peer = &heir;
    assert_int_equal(hf_watch_add(loop, &ends[0].watch), HF_OK);
    assert_int_equal(write(ends[1].watch.fd, "x", 1), 1);
    assert_int_equal(hf_loop_run(loop), HF_OK);
    assert_int_equal(ends[0].events, HF_LOOP_WRITE);
    assert_int_equal(heir.watch.fd, number);
    assert_int_equal(heir.events, HF_LOOP_READ);
    assert_int_equal(armed_bits(&heir.watch), EPOLLIN);
    drop(&heir);
    drop(&ends[1]);
}

static void move_peer(struct hf_watch *watch, unsigned events)
{
    struct end *end = HF_CONTAINER_OF(watch, struct end, watch);
    end->n_calls++;
    end->events = events;
    hf_watch_remove(loop, watch);
    if (end->peer->watch.active) {
        static struct end heir;
        heir = (struct end){.watch = {.wanted = HF_LOOP_WRITE, .on_event = note_and_stop}};
        hf_watch_move(loop, &end->peer->watch, &heir.watch);
        end->peer = &heir;
    }
}

static void test_an_event_still_queued_goes_to_the_new_owner(void **state)
{
    (void)state;
    struct end ends[2];
    make_pair(ends);
    for (int i = 0; i < 2; i++) {
        ends[i].watch.wanted = HF_LOOP_WRITE;
        ends[i].watch.on_event = move_peer;
        assert_int_equal(hf_watch_add(loop, &ends[i].watch), HF_OK);
    }
    assert_int_equal(hf_loop_run(loop), HF_OK);
    struct end *mover = ends[0].n_calls ? &ends[0] : &ends[1];
    assert_int_equal(ends[0].n_calls + ends[1].n_calls, 1);
    assert_int_equal(mover->peer->n_calls, 1);
    hf_watch_close(loop, &mover->peer->watch);
    hf_closep(&mover->watch.fd);
}

static void test_removing_twice_or_never_added_is_harmless(void **state)
{
    (void)state;
    struct hf_watch watch = {.fd = -1};
    hf_watch_remove(loop, &watch);
    hf_watch_remove(loop, &watch);
    hf_watch_want(loop, &watch, HF_LOOP_READ);
    assert_int_equal(watch.wanted, 0);
}

/* --- Timers --------------------------------------------------------------------------------- */

static void stop_loop(struct hf_timer *timer)
{
    (void)timer;
    hf_loop_stop(loop);
}

static void test_a_timer_wakes_the_loop_on_time(void **state)
{
    (void)state;
    struct hf_timer timer = {.on_due = stop_loop};
    int64_t start = hf_clock_mono_ns(&hf_os_clock);
    hf_timer_set(loop, &timer, 30);
    assert_true(hf_timer_armed(&timer));
    assert_int_equal(hf_loop_run(loop), HF_OK);
    int64_t took_ms = (hf_clock_mono_ns(&hf_os_clock) - start) / 1000000;
    assert_true(took_ms >= 29); /* loop time is in whole milliseconds, rounded down */
    assert_false(hf_timer_armed(&timer));
}

static void test_extreme_delays_are_accepted(void **state)
{
    (void)state;
    struct hf_timer past = {.on_due = stop_loop}, never = {.on_due = stop_loop};
    hf_timer_set(loop, &never, INT64_MAX);
    hf_timer_set(loop, &past, INT64_MIN);
    assert_int_equal(hf_loop_run(loop), HF_OK);
    assert_false(hf_timer_armed(&past));
    assert_true(hf_timer_armed(&never));
    hf_timer_cancel(&never);
    hf_timer_cancel(&never);
}

/* --- Tasks ---------------------------------------------------------------------------------- */

struct job {
    struct hf_task task;
    int number;
};

static int order[16];
static int n_order;

static void note_order(struct hf_task *task)
{
    order[n_order++] = HF_CONTAINER_OF(task, struct job, task)->number;
}

static void test_posted_tasks_run_in_order_before_the_stop_takes_effect(void **state)
{
    (void)state;
    struct job jobs[5];
    n_order = 0;
    for (int i = 0; i < 5; i++) {
        jobs[i] = (struct job){.task.run = note_order, .number = i};
        hf_loop_post(loop, &jobs[i].task);
    }
    hf_loop_stop(loop);
    assert_int_equal(hf_loop_run(loop), HF_OK);
    assert_int_equal(n_order, 5);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(order[i], i);
    }
}

static struct job later;

static void defer_later(struct hf_task *task)
{
    note_order(task);
    hf_loop_defer(loop, &later.task);
}

static void test_deferred_tasks_run_after_posted_ones(void **state)
{
    (void)state;
    struct job first = {.task.run = defer_later, .number = 1};
    struct job second = {.task.run = note_order, .number = 2};
    later = (struct job){.task.run = note_order, .number = 3};
    n_order = 0;
    hf_loop_post(loop, &first.task);
    hf_loop_post(loop, &second.task);
    hf_loop_stop(loop);
    assert_int_equal(hf_loop_run(loop), HF_OK);
    assert_int_equal(n_order, 3);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(order[i], i + 1);
    }
}

static void test_what_a_deferred_task_defers_still_runs_before_the_stop(void **state)
{
    (void)state;
    struct job first = {.task.run = defer_later, .number = 1};
    later = (struct job){.task.run = note_order, .number = 2};
    n_order = 0;
    hf_loop_defer(loop, &first.task);
    hf_loop_stop(loop);
    assert_int_equal(hf_loop_run(loop), HF_OK);
    assert_int_equal(n_order, 2);
}

struct unhurried {
    struct hf_task task;
    int n_turns;
    bool over;
};

static void turn_and_rest(struct hf_task *task)
{
    struct unhurried *work = HF_CONTAINER_OF(task, struct unhurried, task);
    work->n_turns++;
    if (!work->over) {
        hf_loop_defer(loop, task);
        hf_loop_rest(loop, 60000);
    }
}

static struct unhurried work;

static void end_work(struct hf_timer *timer)
{
    (void)timer;
    work.over = true;
    hf_loop_stop(loop);
}

static void test_deferred_work_may_rest_until_something_happens(void **state)
{
    (void)state;
    struct hf_timer timer = {.on_due = end_work};
    work = (struct unhurried){.task.run = turn_and_rest};
    hf_timer_set(loop, &timer, 30);
    hf_loop_defer(loop, &work.task);
    assert_int_equal(hf_loop_run(loop), HF_OK);
    assert_in_range(work.n_turns, 2, 10);
}

static void free_job(struct hf_task *task)
{
    note_order(task);
    free(HF_CONTAINER_OF(task, struct job, task));
}

static void test_freeing_the_loop_runs_what_is_still_queued(void **state)
{
    (void)state;
    struct hf_loop *own;
    assert_int_equal(hf_loop_new(&hf_os_clock, &own), HF_OK);
    n_order = 0;
    for (int i = 0; i < 4; i++) {
        struct job *job = calloc(1, sizeof(*job));
        assert_non_null(job);
        *job = (struct job){.task.run = free_job, .number = i};
        (i % 2 ? hf_loop_post : hf_loop_defer)(own, &job->task);
    }
    hf_loop_free(own);
    assert_int_equal(n_order, 4);
}

enum { N_POSTERS = 4, N_POSTS = 20000 };

struct poster {
    struct hf_task task;
    int thread;
    int number;
};

static int next_number[N_POSTERS];
static int n_arrived;

static void check_order(struct hf_task *task)
{
    struct poster *post = HF_CONTAINER_OF(task, struct poster, task);
    assert_int_equal(post->number, next_number[post->thread]);
    next_number[post->thread]++;
    if (++n_arrived == N_POSTERS * N_POSTS) {
        hf_loop_stop(loop);
    }
}

static void *post_many(void *arg)
{
    struct poster *posts = arg;
    for (int i = 0; i < N_POSTS; i++) {
        hf_loop_post(loop, &posts[i].task);
    }
    return NULL;
}

static void test_many_threads_post_and_each_keeps_its_order(void **state)
{
    (void)state;
    pthread_t threads[N_POSTERS];
    struct poster *posts = calloc((size_t)N_POSTERS * N_POSTS, sizeof(*posts));
    assert_non_null(posts);
    for (int i = 0; i < N_POSTERS * N_POSTS; i++) {
        posts[i] = (struct poster){.task.run = check_order, i / N_POSTS, i % N_POSTS};
    }
    for (int i = 0; i < N_POSTERS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, post_many, posts + i * N_POSTS), 0);
    }
    assert_int_equal(hf_loop_run(loop), HF_OK);
    for (int i = 0; i < N_POSTERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(next_number[i], N_POSTS);
    }
    free(posts);
}

static void *stop_from_afar(void *arg)
{
    (void)arg;
    hf_loop_stop(loop);
    return NULL;
}

static void test_another_thread_may_stop_the_loop_and_it_may_run_again(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, stop_from_afar, NULL), 0);
        assert_int_equal(hf_loop_run(loop), HF_OK);
        pthread_join(thread, NULL);
    }
}

/* --- The rest ------------------------------------------------------------------------------- */

static void count(void *ctx)
{
    ++*(int *)ctx;
}

static void test_the_wait_calls_surround_each_wait(void **state)
{
    (void)state;
    int n = 0;
    hf_loop_on_wait(loop, count, count, &n);
    hf_loop_stop(loop);
    assert_int_equal(hf_loop_run(loop), HF_OK);
    assert_int_equal(n, 2);
}

static void test_running_out_of_memory_is_reported(void **state)
{
    (void)state;
    struct hf_loop *own = NULL;
    hf_alloc_fail_after(1);
    assert_int_equal(hf_loop_new(&hf_os_clock, &own), HF_E_NOMEM);
    hf_alloc_fail_after(0);
    assert_null(own);
    hf_loop_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_readable_socket_is_reported),
        cmocka_unit_test(test_wanted_bits_choose_what_is_reported),
        cmocka_unit_test(test_hangup_is_reported_though_nothing_is_wanted),
        cmocka_unit_test(test_a_regular_file_can_not_be_watched),
        cmocka_unit_test(test_the_event_of_a_watch_removed_in_the_same_turn_is_dropped),
        cmocka_unit_test(test_an_event_never_reaches_the_next_user_of_a_descriptor_number),
        cmocka_unit_test(test_an_event_no_longer_wanted_is_dropped),
        cmocka_unit_test(test_a_shared_watch_can_pause_and_resume),
        cmocka_unit_test(test_a_wish_for_less_is_told_when_it_matters),
        cmocka_unit_test(test_wishes_that_come_and_go_within_a_turn_leave_no_trace),
        cmocka_unit_test(test_many_wishes_wait_for_the_end_of_one_turn),
        cmocka_unit_test(test_without_memory_a_wish_is_told_at_once),
        cmocka_unit_test(test_closing_a_watch_frees_its_number_for_another),
        cmocka_unit_test(test_a_moved_watch_tells_its_new_owner),
        cmocka_unit_test(test_an_event_still_queued_goes_to_the_new_owner),
        cmocka_unit_test(test_removing_twice_or_never_added_is_harmless),
        cmocka_unit_test(test_a_timer_wakes_the_loop_on_time),
        cmocka_unit_test(test_extreme_delays_are_accepted),
        cmocka_unit_test(test_posted_tasks_run_in_order_before_the_stop_takes_effect),
        cmocka_unit_test(test_deferred_tasks_run_after_posted_ones),
        cmocka_unit_test(test_what_a_deferred_task_defers_still_runs_before_the_stop),
        cmocka_unit_test(test_freeing_the_loop_runs_what_is_still_queued),
        cmocka_unit_test(test_many_threads_post_and_each_keeps_its_order),
        cmocka_unit_test(test_deferred_work_may_rest_until_something_happens),
        cmocka_unit_test(test_another_thread_may_stop_the_loop_and_it_may_run_again),
        cmocka_unit_test(test_the_wait_calls_surround_each_wait),
        cmocka_unit_test(test_running_out_of_memory_is_reported),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
