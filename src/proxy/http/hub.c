// SPDX-License-Identifier: Apache-2.0
#include "proxy/http/hub.h"

#include "base/mem.h"
#include "proxy/http/exchange.h"
#include "proxy/http/h2_wire.h"
#include "proxy/http/pool.h"

enum {
    CORK_MAX = 256 << 10,
    MSG_MAX = 256 << 10, /* text of a message, with what we add to it */
    MSG_FIELDS = HF_HUB_FIELDS + 64,
};

static void settle(struct hf_task *task)
{
    struct hf_hub *hub = HF_CONTAINER_OF(task, struct hf_hub, settle);
    hf_h2_wire_flush_all(hub);
    hub->settling = false;
    hf_wire_pull(hub);
    hf_exchange_sweep(hub);
}

void hf_hub_settle_later(struct hf_hub *hub)
{
    if (!hub->settling) {
        hub->settling = true;
        hub->settle.run = settle;
        hf_loop_defer(hub->worker->loop, &hub->settle);
    }
}

enum hf_err hf_hub_new(struct hf_worker *worker, struct hf_hub **out)
{
    struct hf_hub *hub = HF_NEW(struct hf_hub);
    if (!hub) {
        return HF_E_NOMEM;
    }
    hub->worker = worker;
    hub->cork = HF_BUF_INIT(CORK_MAX);
    hub->next_request = worker->next_id | HF_REQUEST_ID_BIT;
    hf_http_msg_pool_init(&hub->msgs, MSG_MAX, MSG_FIELDS);
    hf_list_init(&hub->spare);
    hf_list_init(&hub->ended);
    hf_list_init(&hub->dirty);
    hf_list_init(&hub->pools);
    *out = hub;
    return HF_OK;
}

void hf_hub_free(struct hf_hub *hub)
{
    if (!hub) {
        return;
    }
    hf_exchange_sweep(hub);
    hf_exchange_free_spare(hub);
    hf_http_msg_pool_done(&hub->msgs);
    hf_buf_done(&hub->cork);
    hf_free(hub);
}
