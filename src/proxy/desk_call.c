// SPDX-License-Identifier: Apache-2.0
#include "proxy/desk_call.h"

static void on_back(struct hf_task *task)
{
    struct hf_desk_call *call = HF_CONTAINER_OF(task, struct hf_desk_call, back);
    struct hf_desk_wait *wait = call->wait;
    call->release(call);
    if (wait) {
        wait->call = NULL;
        wait->on_answer(wait);
    }
}

void hf_desk_wait_cancel(struct hf_desk_wait *wait)
{
    if (wait->call) {
        wait->call->wait = NULL;
        wait->call = NULL;
    }
}

void hf_desk_call_post(struct hf_desk_call *call, struct hf_loop *control, struct hf_loop *loop,
                       struct hf_desk_wait *wait)
{
    call->back.run = on_back;
    call->loop = loop;
    call->wait = wait;
    call->waited = wait != NULL;
    if (wait) {
        wait->call = call;
    }
    hf_loop_post(control, &call->there);
}

void hf_desk_call_end(struct hf_desk_call *call, bool stopped)
{
    if (call->waited && !stopped) {
        hf_loop_post(call->loop, &call->back);
        return;
    }
    if (call->wait) { /* its thread has ended */
        hf_desk_wait_cancel(call->wait);
    }
    call->release(call);
}
