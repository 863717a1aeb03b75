// SPDX-License-Identifier: Apache-2.0
/*
 * No wake-up is lost: who joins counts itself as waiting and then looks whether there is room; who
 * gives a place back frees it and then looks whether anybody waits. Both are sequentially
 * consistent, so at least one of them sees the other.
 *
 * A queue that is woken serves whom it can. If none of its own is left, and others wait elsewhere,
 * it passes the word on: the place may be for them.
 */
#include "proxy/balance_queue.h"

#include "base/mem.h"

struct hf_queue {
    struct hf_upstream_state *state;
    struct hf_loop *loop;
    struct hf_link waiters;
    atomic_uint n;
    atomic_bool posted; /* the task is on its way */
    struct hf_task task;
};

/* --- Leaving ------------------------------------------------------------------------------------
 */

void hf_queue_cancel(struct hf_waiter *waiter)
{
    if (!waiter->queue) {
        return;
    }
    hf_link_remove(&waiter->link);
    hf_timer_cancel(&waiter->timer);
    atomic_fetch_sub(&waiter->queue->n, 1);
    atomic_fetch_sub(&waiter->queue->state->waiting, 1);
    waiter->queue = NULL;
}

static void end(struct hf_waiter *waiter, enum hf_wait_end how, const struct hf_server *server)
{
    hf_queue_cancel(waiter);
    waiter->on_end(waiter, how, server);
}

static void on_timeout(struct hf_timer *timer)
{
    end(HF_CONTAINER_OF(timer, struct hf_waiter, timer), HF_WAIT_TIMEOUT, NULL);
}

/* --- Being served -------------------------------------------------------------------------------
 */

/* Puts links back before all others of the list, in their order. */
static void put_back(struct hf_link *list, struct hf_link *links)
{
    struct hf_link *first = list->next;
    while (!hf_list_empty(links)) {
        struct hf_link *link = links->next;
        hf_link_remove(link);
        hf_list_push(first, link);
    }
}

static bool has_tried(const struct hf_waiter *waiter)
{
    const struct hf_tried *tried = waiter->input.tried;
    uint64_t any = 0;
    for (size_t i = 0; tried && i < HF_TRIED_WORDS; i++) {
        any |= tried->word[i];
    }
    return any != 0;
}

/* True: go on with the next. A waiter that some servers are closed to doesn't hold up the others.
 */
static bool serve(struct hf_waiter *waiter, struct hf_link *kept)
{
    const struct hf_server *server = NULL;
    waiter->input.now_ms = hf_loop_now_ms(waiter->queue->loop);
    switch (hf_balance_pick(waiter->upstream, &waiter->input, &server)) {
    case HF_PICK_SERVER:
        end(waiter, HF_WAIT_SERVER, server);
        return true;
    case HF_PICK_NONE:
        end(waiter, HF_WAIT_NONE, NULL);
        return true;
    default:
        hf_link_remove(&waiter->link);
        hf_list_push(kept, &waiter->link);
        return has_tried(waiter);
    }
}

static void serve_all(struct hf_task *task)
{
    struct hf_queue *queue = HF_CONTAINER_OF(task, struct hf_queue, task);
    struct hf_link waiters;
    struct hf_link kept;
    atomic_store(&queue->posted, false);
    hf_list_init(&kept);
    hf_list_take(&queue->waiters, &waiters);
    while (!hf_list_empty(&waiters) &&
           serve(HF_CONTAINER_OF(waiters.next, struct hf_waiter, link), &kept)) {
    }
    put_back(&queue->waiters, &waiters);
    put_back(&queue->waiters, &kept);
    if (atomic_load(&queue->n) == 0) {
        hf_queue_wake(queue->state);
    }
}

void hf_queue_wake(struct hf_upstream_state *state)
{
    if (atomic_load(&state->waiting) == 0) {
        return;
    }
    unsigned n = atomic_load(&state->n_queues);
    unsigned turn = atomic_fetch_add_explicit(&state->wake_turn, 1, memory_order_relaxed);
    for (unsigned i = 0; i < n; i++) {
        struct hf_queue *queue = atomic_load(&state->queue[(turn + i) % n]);
        if (queue && atomic_load(&queue->n)) {
            if (!atomic_exchange(&queue->posted, true)) {
                hf_loop_post(queue->loop, &queue->task);
            }
            return;
        }
    }
}

/* --- Joining ------------------------------------------------------------------------------------
 */

/* Made at a worker's first wait; the upstream's state keeps it for good. */
static struct hf_queue *queue_of(struct hf_upstream_state *state, struct hf_loop *loop,
                                 unsigned shard)
{
    struct hf_queue *queue = atomic_load(&state->queue[shard]);
    if (queue) {
        return queue;
    }
    queue = HF_NEW(struct hf_queue);
    if (!queue) {
        return NULL;
    }
    queue->state = state;
    queue->loop = loop;
    queue->task.run = serve_all;
    hf_list_init(&queue->waiters);
    atomic_store(&state->queue[shard], queue);
    unsigned n = atomic_load(&state->n_queues);
    while (n <= shard && !atomic_compare_exchange_weak(&state->n_queues, &n, shard + 1)) {
    }
    return queue;
}

enum hf_err hf_queue_join(struct hf_loop *loop, unsigned shard, const struct hf_upstream *upstream,
                          const struct hf_pick_input *input, struct hf_waiter *waiter)
{
    struct hf_queue *queue = queue_of(upstream->state, loop, shard);
    if (!queue) {
        return HF_E_NOMEM;
    }
    if (atomic_load(&queue->n) >= upstream->cfg->max_queue) {
        return hf_fail(HF_E_BUSY, "all servers are at their caps and the queue is full");
    }
    waiter->queue = queue;
    waiter->upstream = upstream;
    waiter->input = *input;
    waiter->input.queued = true;
    waiter->timer.on_due = on_timeout;
    hf_list_push(&queue->waiters, &waiter->link);
    hf_timer_set(loop, &waiter->timer, upstream->cfg->queue_timeout_ms);
    atomic_fetch_add(&queue->n, 1);
    atomic_fetch_add(&upstream->state->waiting, 1);
    if (hf_balance_has_room(upstream, &waiter->input)) {
        hf_queue_wake(upstream->state);
    }
    return HF_OK;
}

void hf_queues_free(struct hf_upstream_state *state)
{
    for (size_t i = 0; i < HF_BALANCE_WORKERS_MAX; i++) {
        hf_free(atomic_load(&state->queue[i]));
    }
}
