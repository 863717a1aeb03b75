// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_DESK_CALL_H
#define HF_PROXY_DESK_CALL_H

/*
 * struct hf_desk_call is an errand from a worker's thread to the control thread and back, as one
 * object with a task for each way: what proxy/ocsp_desk.h and proxy/crl_desk.h are called with.
 *
 *     worker     hf_desk_call_post ----> run                   wait->on_answer, once
 *     control                             ... hf_desk_call_end -----^
 *
 * Only the worker's thread touches `wait`; the rest is the control thread's while the call is
 * there. Embedded in the call of a desk, which `release` frees.
 */

#include "os/loop.h"

struct hf_desk_call;

/* struct hf_desk_wait is embedded in who waits. on_answer is called on the loop that was given; not
 * after hf_desk_wait_cancel. */
struct hf_desk_wait {
    struct hf_desk_call *call; /* NULL: it doesn't wait */
    void (*on_answer)(struct hf_desk_wait *wait);
};

struct hf_desk_call {
    struct hf_task there; /* there.run is set by the desk */
    struct hf_task back;
    void (*release)(struct hf_desk_call *call);
    struct hf_loop *loop;      /* the worker's */
    struct hf_desk_wait *wait; /* NULL: nobody waits, or any more */
    bool waited;               /* somebody did: it goes back */
};

/* hf_desk_call_post sends a call whose there.run and release are set to the control thread's loop,
 * from the thread of loop. wait NULL: nobody waits, and it doesn't come back. */
void hf_desk_call_post(struct hf_desk_call *call, struct hf_loop *control, struct hf_loop *loop,
                       struct hf_desk_wait *wait);

/* hf_desk_call_end sends it back, or releases it. stopped: the workers' threads have ended, whose
 * loops may be gone. */
void hf_desk_call_end(struct hf_desk_call *call, bool stopped);

void hf_desk_wait_cancel(struct hf_desk_wait *wait);

#endif
