// SPDX-License-Identifier: Apache-2.0
#ifndef HF_OS_LOOP_H
#define HF_OS_LOOP_H

/*
 * An event loop over epoll with a timer wheel; one per thread, used by that thread alone but for
 * hf_loop_post and hf_loop_stop, which any thread may call.
 *
 * Within one turn: I/O callbacks, then posted tasks, then timers that are due, then deferred calls.
 * A watcher or timer may be removed from within any callback, its own included, and its memory
 * freed after hf_loop_defer has run: events of this turn that are still queued for it are dropped.
 */

#include <stdint.h>

#include "base/clock.h"
#include "base/list.h"

struct hf_loop;

enum hf_loop_events { HF_LOOP_READ = 1, HF_LOOP_WRITE = 2, HF_LOOP_HANGUP = 4 };

/*
 * struct hf_watch is embedded in its owner. fd is borrowed: removing a watch doesn't close it, and
 * a watch is removed before its fd is closed. HANGUP says that both directions are over or that the
 * socket has an error; it comes whatever is wanted and again each turn, so answer it by removing.
 * A FIN alone is no hangup: it reads as 0 bytes.
 */
struct hf_watch {
    int fd;
    unsigned wanted; /* READ and WRITE bits asked for */
    void (*on_event)(struct hf_watch *watch, unsigned events);
    bool active;
    bool shared;       /* set by hf_watch_add_shared */
    uint8_t armed;     /* what the kernel has been told: the loop's own */
    uint32_t stale_at; /* its place, from 1, among those to be told anew; 0: none. The loop's own */
};

struct hf_timer {
    struct hf_link link;
    int64_t due_ms; /* loop time */
    void (*on_due)(struct hf_timer *timer);
};

/* struct hf_task is embedded in its owner, who keeps it alive until run has been called and doesn't
 * post or defer it a second time before that. Every task is run, at the latest by hf_loop_free. */
struct hf_task {
    struct hf_task *next;
    void (*run)(struct hf_task *task);
};

/* hf_loop_new: the clock is borrowed. Errors: HF_E_NOMEM, HF_E_BUSY out of descriptors, HF_E_IO. */
enum hf_err hf_loop_new(const struct hf_clock *clock, struct hf_loop **out) HF_MUST_CHECK;

/* hf_loop_free runs what is still posted or deferred, then disarms all timers. Watches must be
 * gone, and no other thread may still post. */
void hf_loop_free(struct hf_loop *loop);

/* hf_loop_run turns until hf_loop_stop; tasks that were posted before the stop and everything
 * deferred have run. It may be called again afterwards. */
enum hf_err hf_loop_run(struct hf_loop *loop) HF_MUST_CHECK;
void hf_loop_stop(struct hf_loop *loop);

/* hf_loop_now_ms is the loop's monotonic time, read once a turn. */
int64_t hf_loop_now_ms(const struct hf_loop *loop);
const struct hf_clock *hf_loop_clock(const struct hf_loop *loop);

/* hf_loop_on_wait sets calls around each wait for events, for what must know when this thread rests
 * (RCU read sides). Either may be NULL. Set before hf_loop_run. */
void hf_loop_on_wait(struct hf_loop *loop, void (*before)(void *ctx), void (*after)(void *ctx),
                     void *ctx);

/* hf_watch_add starts watching (level-triggered). Errors: HF_E_IO, HF_E_NOMEM, HF_E_PERMISSION for
 * what can't be waited on, such as a regular file. */
enum hf_err hf_watch_add(struct hf_loop *loop, struct hf_watch *watch) HF_MUST_CHECK;

/* hf_watch_add_shared is for a listening socket that several loops wait on: one of them is woken.
 */
enum hf_err hf_watch_add_shared(struct hf_loop *loop, struct hf_watch *watch) HF_MUST_CHECK;

/* hf_watch_want changes the wanted bits. Costs a system call at most once a turn, at its end, and
 * none where wishes come and go. Wanting nothing leaves HANGUP. A shared watch that wants something
 * again may fail to, when the kernel is out of memory: its wanted bits are then still 0, and the
 * owner tries again later. */
void hf_watch_want(struct hf_loop *loop, struct hf_watch *watch, unsigned wanted);
void hf_watch_remove(struct hf_loop *loop, struct hf_watch *watch);

/* hf_watch_close removes the watch, if it is active, and closes its fd, of which there must be no
 * duplicate; saves a system call. watch->fd is then -1. Not for shared ones. */
void hf_watch_close(struct hf_loop *loop, struct hf_watch *watch);

/* hf_watch_move gives from's fd and place in the loop to `to`, whose on_event and wanted are set;
 * costs less than removing one and adding the other. from is then inactive, its fd -1. */
void hf_watch_move(struct hf_loop *loop, struct hf_watch *from, struct hf_watch *to);

/* hf_timer_set arms or re-arms; due within the wheel's tick (about 10 ms) after delay_ms. O(1). */
void hf_timer_set(struct hf_loop *loop, struct hf_timer *timer, int64_t delay_ms);
void hf_timer_cancel(struct hf_timer *timer);
static inline bool hf_timer_armed(const struct hf_timer *timer)
{
    return hf_link_linked(&timer->link);
}

/* hf_loop_post runs the task on the loop's thread soon; any thread may call, in order per caller.
 */
void hf_loop_post(struct hf_loop *loop, struct hf_task *task);

/* hf_loop_defer runs the task at the end of this turn; own thread only. A task that defers itself
 * runs once in each turn, and the loop doesn't wait for events in between. */
void hf_loop_defer(struct hf_loop *loop, struct hf_task *task);

/* hf_loop_rest lets it wait for them all the same, once, for this long at most: for deferred work
 * that isn't urgent. */
void hf_loop_rest(struct hf_loop *loop, int ms);

#endif
