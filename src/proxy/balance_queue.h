// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_BALANCE_QUEUE_H
#define HF_PROXY_BALANCE_QUEUE_H

/*
 * Waiting for a place, when all servers of an upstream that may be asked are at their caps. Each
 * worker has a queue of its own for each upstream, first come first served, of at most max-queue.
 * A place that frees wakes the queues of the workers in turn, whosever it was; a newcomer that
 * finds others waiting goes behind those of its own worker. So nobody starves, and the order is
 * exact within a worker and fair, not exact, across them.
 */

#include "os/loop.h"
#include "proxy/balance.h"

enum hf_wait_end {
    HF_WAIT_SERVER,  /* a place is taken, as by HF_PICK_SERVER */
    HF_WAIT_NONE,    /* nobody may be asked any more; hf_balance_explain says why */
    HF_WAIT_TIMEOUT, /* queue-timeout has passed */
};

/* struct hf_waiter is embedded in its owner. Zeroed: waits for nothing. */
struct hf_waiter {
    struct hf_link link;
    struct hf_timer timer;
    struct hf_queue *queue;
    const struct hf_upstream *upstream;
    struct hf_pick_input input;

    /* Called once, from the loop, unless cancelled; the waiter is in no queue by then and may be
     * freed or join again. server is set with HF_WAIT_SERVER alone. */
    void (*on_end)(struct hf_waiter *waiter, enum hf_wait_end end, const struct hf_server *server);
};

/* hf_queue_join waits, after a HF_PICK_QUEUE for this input, whose tried must live as long as the
 * wait; on_end is set before. shard is the worker's index. Errors: HF_E_BUSY the queue is full,
 * HF_E_NOMEM. */
enum hf_err hf_queue_join(struct hf_loop *loop, unsigned shard, const struct hf_upstream *upstream,
                          const struct hf_pick_input *input,
                          struct hf_waiter *waiter) HF_MUST_CHECK;

/* hf_queue_cancel takes it out. Harmless when it waits for nothing. */
void hf_queue_cancel(struct hf_waiter *waiter);

/* hf_queue_wake tells a queue with waiters, if there is any, that a place may be free. Any thread;
 * costs one load when nobody waits. */
void hf_queue_wake(struct hf_upstream_state *state);

void hf_queues_free(struct hf_upstream_state *state);

#endif
