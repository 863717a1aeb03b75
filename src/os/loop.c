// SPDX-License-Identifier: Apache-2.0
/*
 * One turn of the loop:
 *
 *   wait -> I/O callbacks -> posted tasks -> timers due -> deferred tasks -> wait ...
 *
 * Stale events. epoll hands out a batch; a callback may remove the watch of an event further down
 * the batch, close its descriptor, even have the number used again by a new watch. Removing a watch
 * therefore strikes its event from the rest of the batch, so that what is dispatched is always an
 * event of a live watch. epoll reports a descriptor once a batch: one strike is enough.
 *
 * Wishes. What a watch wants changes more often than the kernel has to know: a client isn't read
 * while its upstream is dialled, and is again as soon as that is done. A wish for more is told at
 * the end of the turn; one for less only when the kernel has reported what isn't wanted any more,
 * and still isn't at the end of that turn.
 *
 * Posted tasks are a stack that any thread pushes to with one compare-and-swap, and that the loop
 * takes whole and turns over; nothing blocks and there is no ABA, since nobody pops single ones.
 * Only the push onto an empty stack writes to the eventfd: later ones find the wake-up under way.
 */
#include "os/loop.h"

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/sock.h"
#include "os/wheel.h"

enum { BATCH = 256 };

/* Far enough not to matter, near enough that adding it to now can't overflow. */
#define DELAY_MAX_MS (INT64_MAX / 4)

struct hf_loop {
    const struct hf_clock *clock;
    int64_t now_ms;
    int epoll_fd;
    int wake_fd;
    atomic_bool stop;
    _Atomic(struct hf_task *) posted; /* newest first */
    struct hf_task *deferred;         /* oldest first */
    struct hf_task **deferred_end;
    int rest_ms; /* the next wait may last, though something is deferred */
    void (*before_wait)(void *ctx);
    void (*after_wait)(void *ctx);
    void *wait_ctx;
    struct hf_wheel wheel;
    struct hf_watch **stale; /* whose wishes the kernel is to be told; NULL where one went */
    uint32_t n_stale;
    uint32_t room_stale;
    int n_events;
    int at; /* the event being dispatched */
    struct epoll_event events[BATCH];
};

static int64_t read_now_ms(const struct hf_loop *loop)
{
    return hf_clock_mono_ns(loop->clock) / 1000000;
}

static enum hf_err open_descriptors(struct hf_loop *loop)
{
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (loop->epoll_fd < 0) {
        return hf_fail_errno("epoll_create1");
    }
    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->wake_fd < 0) {
        return hf_fail_errno("eventfd");
    }
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = loop};
    if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, loop->wake_fd, &event) != 0) {
        return hf_fail_errno("epoll_ctl");
    }
    return HF_OK;
}

enum hf_err hf_loop_new(const struct hf_clock *clock, struct hf_loop **out)
{
    struct hf_loop *loop = HF_NEW(struct hf_loop);
    if (!loop) {
        return HF_E_NOMEM;
    }
    loop->clock = clock;
    loop->epoll_fd = loop->wake_fd = -1;
    loop->deferred_end = &loop->deferred;
    loop->now_ms = read_now_ms(loop);
    hf_wheel_init(&loop->wheel, loop->now_ms);
    enum hf_err err = open_descriptors(loop);
    if (err != HF_OK) {
        hf_loop_free(loop);
        return err;
    }
    *out = loop;
    return HF_OK;
}

static void wake(struct hf_loop *loop)
{
    /* Full (EAGAIN) can't happen before 2^64 wake-ups, and would mean that one is under way. */
    uint64_t one = 1;
    ssize_t n = write(loop->wake_fd, &one, sizeof(one));
    (void)n;
}

static void clear_wake(struct hf_loop *loop)
{
    uint64_t count;
    ssize_t n = read(loop->wake_fd, &count, sizeof(count));
    (void)n;
}

/* A task may be freed by its own run: its successor is read first. */
static void run_all(struct hf_task *task)
{
    while (task) {
        struct hf_task *next = task->next;
        task->run(task);
        task = next;
    }
}

static struct hf_task *take_posted(struct hf_loop *loop)
{
    struct hf_task *newest = atomic_exchange_explicit(&loop->posted, NULL, memory_order_acquire);
    struct hf_task *oldest = NULL;
    while (newest) {
        struct hf_task *older = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = older;
    }
    return oldest;
}

static struct hf_task *take_deferred(struct hf_loop *loop)
{
    struct hf_task *first = loop->deferred;
    loop->deferred = NULL;
    loop->deferred_end = &loop->deferred;
    return first;
}

void hf_loop_free(struct hf_loop *loop)
{
    if (!loop) {
        return;
    }
    while (loop->deferred || atomic_load(&loop->posted)) {
        run_all(take_posted(loop));
        run_all(take_deferred(loop));
    }
    hf_wheel_done(&loop->wheel);
    hf_free(loop->stale);
    hf_closep(&loop->wake_fd);
    hf_closep(&loop->epoll_fd);
    hf_free(loop);
}

static unsigned from_epoll(uint32_t bits)
{
    return (bits & EPOLLIN ? HF_LOOP_READ : 0u) | (bits & EPOLLOUT ? HF_LOOP_WRITE : 0u) |
           (bits & (EPOLLHUP | EPOLLERR) ? HF_LOOP_HANGUP : 0u);
}

static uint32_t to_epoll(const struct hf_watch *watch, unsigned wanted)
{
    return (wanted & HF_LOOP_READ ? EPOLLIN : 0u) | (wanted & HF_LOOP_WRITE ? EPOLLOUT : 0u) |
           (watch->shared ? EPOLLEXCLUSIVE : 0u);
}

static enum hf_err control(struct hf_loop *loop, struct hf_watch *watch, int operation,
                           unsigned wanted)
{
    struct epoll_event event = {.events = to_epoll(watch, wanted), .data.ptr = watch};
    if (epoll_ctl(loop->epoll_fd, operation, watch->fd, &event) != 0) {
        return hf_fail_errno("descriptor %d can't be waited on", watch->fd);
    }
    watch->armed = (uint8_t)wanted;
    return HF_OK;
}

/* --- Wishes -------------------------------------------------------------------------------------
 */

static bool make_room_for_stale(struct hf_loop *loop)
{
    if (loop->n_stale < loop->room_stale) {
        return true;
    }
    uint32_t room = loop->room_stale ? 2 * loop->room_stale : BATCH;
    struct hf_watch **grown = hf_realloc(loop->stale, room * sizeof(*grown));
    if (!grown) {
        return false;
    }
    loop->stale = grown;
    loop->room_stale = room;
    return true;
}

/* The kernel is told at the end of the turn; at once when there is no memory to remember it. */
static void tell_later(struct hf_loop *loop, struct hf_watch *watch)
{
    if (watch->stale_at) {
        return;
    }
    if (!make_room_for_stale(loop)) {
        (void)control(loop, watch, EPOLL_CTL_MOD, watch->wanted);
        return;
    }
    loop->stale[loop->n_stale++] = watch;
    watch->stale_at = loop->n_stale;
}

static void forget_stale(struct hf_loop *loop, struct hf_watch *watch)
{
    if (watch->stale_at) {
        loop->stale[watch->stale_at - 1] = NULL;
        watch->stale_at = 0;
    }
}

static void tell_kernel(struct hf_loop *loop)
{
    for (uint32_t i = 0; i < loop->n_stale; i++) {
        struct hf_watch *watch = loop->stale[i];
        if (watch) {
            watch->stale_at = 0;
            if (watch->armed != watch->wanted) {
                (void)control(loop, watch, EPOLL_CTL_MOD, watch->wanted);
            }
        }
    }
    loop->n_stale = 0;
}

/* --- Turns --------------------------------------------------------------------------------------
 */

static int wait_timeout_ms(struct hf_loop *loop)
{
    int most_ms = loop->deferred ? loop->rest_ms : INT_MAX;
    loop->rest_ms = 0;
    if (most_ms == 0) {
        return 0;
    }
    int64_t next_ms = hf_wheel_next_ms(&loop->wheel);
    if (next_ms == INT64_MAX) {
        return most_ms < INT_MAX ? most_ms : -1;
    }
    int64_t ms = next_ms - read_now_ms(loop);
    return ms <= 0 ? 0 : ms < most_ms ? (int)ms : most_ms;
}

static enum hf_err wait_for_events(struct hf_loop *loop)
{
    tell_kernel(loop);
    int timeout_ms = wait_timeout_ms(loop);
    if (loop->before_wait) {
        loop->before_wait(loop->wait_ctx);
    }
    int n = epoll_wait(loop->epoll_fd, loop->events, BATCH, timeout_ms);
    int error = errno;
    if (loop->after_wait) {
        loop->after_wait(loop->wait_ctx);
    }
    loop->now_ms = read_now_ms(loop);
    loop->n_events = n > 0 ? n : 0;
    if (n < 0 && error != EINTR) {
        errno = error;
        return hf_fail_errno("epoll_wait");
    }
    return HF_OK;
}

/* An earlier callback of this turn may have stopped wanting what the event says. */
static void deliver(struct hf_loop *loop, struct hf_watch *watch, unsigned events)
{
    if (!watch->shared && (events & ~(watch->wanted | HF_LOOP_HANGUP))) {
        tell_later(loop, watch);
    }
    events &= watch->wanted | HF_LOOP_HANGUP;
    if (events) {
        watch->on_event(watch, events);
    }
}

static void dispatch(struct hf_loop *loop)
{
    for (loop->at = 0; loop->at < loop->n_events; loop->at++) {
        struct epoll_event *event = &loop->events[loop->at];
        if (event->data.ptr == loop) {
            clear_wake(loop);
        } else if (event->data.ptr) {
            deliver(loop, event->data.ptr, from_epoll(event->events));
        }
    }
    loop->n_events = loop->at = 0;
}

enum hf_err hf_loop_run(struct hf_loop *loop)
{
    bool stop = false;
    while (!stop) {
        HF_TRY(wait_for_events(loop));
        dispatch(loop);
        /* Read before the tasks are taken: those posted before the stop are then among them. */
        stop = atomic_load_explicit(&loop->stop, memory_order_acquire);
        run_all(take_posted(loop));
        hf_wheel_advance(&loop->wheel, loop->now_ms);
        run_all(take_deferred(loop));
    }
    while (loop->deferred) {
        run_all(take_deferred(loop));
    }
    atomic_store(&loop->stop, false);
    return HF_OK;
}

void hf_loop_stop(struct hf_loop *loop)
{
    atomic_store_explicit(&loop->stop, true, memory_order_release);
    wake(loop);
}

int64_t hf_loop_now_ms(const struct hf_loop *loop)
{
    return loop->now_ms;
}

const struct hf_clock *hf_loop_clock(const struct hf_loop *loop)
{
    return loop->clock;
}

void hf_loop_on_wait(struct hf_loop *loop, void (*before)(void *ctx), void (*after)(void *ctx),
                     void *ctx)
{
    loop->before_wait = before;
    loop->after_wait = after;
    loop->wait_ctx = ctx;
}

static enum hf_err add(struct hf_loop *loop, struct hf_watch *watch, bool shared)
{
    watch->shared = shared;
    HF_TRY(control(loop, watch, EPOLL_CTL_ADD, watch->wanted));
    watch->active = true;
    return HF_OK;
}

enum hf_err hf_watch_add(struct hf_loop *loop, struct hf_watch *watch)
{
    return add(loop, watch, false);
}

enum hf_err hf_watch_add_shared(struct hf_loop *loop, struct hf_watch *watch)
{
    return add(loop, watch, true);
}

/* The kernel refuses to change an exclusive entry, so a shared watch that wants nothing is taken
 * out and put in again. */
static enum hf_err want_shared(struct hf_loop *loop, struct hf_watch *watch, unsigned wanted)
{
    if (watch->wanted) {
        HF_TRY(control(loop, watch, EPOLL_CTL_DEL, 0));
        watch->wanted = 0;
    }
    return wanted ? control(loop, watch, EPOLL_CTL_ADD, wanted) : HF_OK;
}

void hf_watch_want(struct hf_loop *loop, struct hf_watch *watch, unsigned wanted)
{
    if (!watch->active || watch->wanted == wanted) {
        return;
    }
    if (watch->shared) {
        if (want_shared(loop, watch, wanted) == HF_OK) {
            watch->wanted = wanted;
        }
        return;
    }
    watch->wanted = wanted;
    if (wanted & ~(unsigned)watch->armed) {
        tell_later(loop, watch);
    }
}

static void strike(struct hf_loop *loop, const struct hf_watch *watch)
{
    for (int i = loop->at; i < loop->n_events; i++) {
        if (loop->events[i].data.ptr == watch) {
            loop->events[i].data.ptr = NULL;
            return;
        }
    }
}

void hf_watch_remove(struct hf_loop *loop, struct hf_watch *watch)
{
    if (!watch->active) {
        return;
    }
    watch->active = false;
    strike(loop, watch);
    forget_stale(loop, watch);
    if (!watch->shared || watch->wanted) {
        (void)control(loop, watch, EPOLL_CTL_DEL, 0);
    }
}

void hf_watch_close(struct hf_loop *loop, struct hf_watch *watch)
{
    if (watch->active) {
        watch->active = false;
        strike(loop, watch);
        forget_stale(loop, watch);
    }
    hf_closep(&watch->fd); /* which takes it out of the epoll set */
}

/* No bits are ever armed like this: the kernel must hear of the new owner. */
enum { ARMED_FOR_ANOTHER = 0x80 };

void hf_watch_move(struct hf_loop *loop, struct hf_watch *from, struct hf_watch *to)
{
    for (int i = loop->at; i < loop->n_events; i++) {
        if (loop->events[i].data.ptr == from) {
            loop->events[i].data.ptr = to;
        }
    }
    forget_stale(loop, from);
    to->fd = from->fd;
    to->active = true;
    to->shared = false;
    to->armed = ARMED_FOR_ANOTHER;
    to->stale_at = 0;
    from->active = false;
    from->fd = -1;
    tell_later(loop, to);
}

void hf_timer_set(struct hf_loop *loop, struct hf_timer *timer, int64_t delay_ms)
{
    int64_t delay = delay_ms < 0 ? 0 : delay_ms < DELAY_MAX_MS ? delay_ms : DELAY_MAX_MS;
    hf_wheel_set(&loop->wheel, timer, loop->now_ms + delay);
}

void hf_timer_cancel(struct hf_timer *timer)
{
    hf_link_remove(&timer->link);
}

void hf_loop_post(struct hf_loop *loop, struct hf_task *task)
{
    struct hf_task *newest = atomic_load_explicit(&loop->posted, memory_order_relaxed);
    do {
        task->next = newest;
    } while (!atomic_compare_exchange_weak_explicit(&loop->posted, &newest, task,
                                                    memory_order_release, memory_order_relaxed));
    if (!newest) {
        wake(loop);
    }
}

void hf_loop_rest(struct hf_loop *loop, int ms)
{
    loop->rest_ms = ms;
}

void hf_loop_defer(struct hf_loop *loop, struct hf_task *task)
{
    task->next = NULL;
    *loop->deferred_end = task;
    loop->deferred_end = &task->next;
}
