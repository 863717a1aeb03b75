// SPDX-License-Identifier: Apache-2.0
/*
 * The deadlines of an exchange. What we wait for decides which one runs: the client (for its head,
 * its body, its reading), or the server. The timer is set once and looks again when it fires, so
 * that a quick exchange costs one entry in the wheel.
 */
#include "proxy/http/down.h"
#include "proxy/http/exchange_impl.h"

enum { STOP_MS = 2000 }; /* that a client has to end a request which was answered and isn't read */

struct deadline {
    int64_t at;          /* loop time; INT64_MAX: none */
    enum hf_mishap then; /* what passing it is */
};

static int64_t after(int64_t since, int64_t limit)
{
    return limit ? since + limit : INT64_MAX;
}

static struct deadline nearer(struct deadline a, struct deadline b)
{
    return a.at <= b.at ? a : b;
}

static struct deadline of_phase(const struct hf_exchange *x)
{
    const struct hf_cfg_http *cfg = &x->door->cfg->http;
    int64_t silence = x->upstream ? x->upstream->cfg->response_timeout_ms : cfg->body_timeout_ms;
    enum hf_exchange_phase phase = hf_exchange_phase(x);
    if (phase == HF_X_HEAD) {
        return (struct deadline){after(x->since_ms, cfg->header_timeout_ms),
                                 HF_MISHAP_REQUEST_TIMEOUT};
    }
    if (phase == HF_X_TUNNEL) {
        return (struct deadline){after(x->active_ms, x->door->cfg->idle_timeout_ms),
                                 HF_MISHAP_CLIENT_IDLE};
    }
    if (!x->asked && x->answered && x->down_stream && !x->stop_upload) {
        bool enough = x->drained_enough && STOP_MS < cfg->body_timeout_ms;
        return (struct deadline){after(x->active_ms, enough ? STOP_MS : cfg->body_timeout_ms),
                                 HF_MISHAP_NONE};
    }
    if (!x->asked && (x->answered || phase >= HF_X_WAIT) && !x->up_full) {
        return (struct deadline){after(x->active_ms, cfg->body_timeout_ms),
                                 HF_MISHAP_REQUEST_TIMEOUT};
    }
    if (phase == HF_X_WAIT) {
        silence = x->serving ? hf_exchange_serving_ms(x) : silence;
        return (struct deadline){after(x->active_ms, silence), HF_MISHAP_UPSTREAM_TIMEOUT};
    }
    if (phase == HF_X_ANSWER) {
        return (struct deadline){after(x->active_ms, silence),
                                 x->down_full ? HF_MISHAP_CLIENT_IDLE : HF_MISHAP_UPSTREAM_TIMEOUT};
    }
    return (struct deadline){INT64_MAX, HF_MISHAP_NONE}; /* the pool has deadlines of its own */
}

static struct deadline next(const struct hf_exchange *x)
{
    struct deadline total = {after(x->since_ms, x->total_ms), HF_MISHAP_TOTAL_TIMEOUT};
    return nearer(of_phase(x), total);
}

void hf_exchange_arm(struct hf_exchange *x)
{
    struct deadline due = next(x);
    if (due.at == INT64_MAX || hf_exchange_phase(x) == HF_X_DONE) {
        return;
    }
    if (!hf_timer_armed(&x->timer) || x->timer.due_ms > due.at) {
        struct hf_loop *loop = x->hub->worker->loop;
        hf_timer_set(loop, &x->timer, due.at - hf_loop_now_ms(loop));
    }
}

void hf_exchange_on_timer(struct hf_timer *timer)
{
    struct hf_exchange *x = HF_CONTAINER_OF(timer, struct hf_exchange, timer);
    struct deadline due = next(x);
    if (due.at > hf_loop_now_ms(x->hub->worker->loop)) {
        hf_exchange_arm(x);
    } else if (due.then == HF_MISHAP_NONE) { /* RFC 9113 8.1: told to stop, once all was said */
        x->stop_upload = true;
        x->active_ms = hf_loop_now_ms(x->hub->worker->loop);
        x->down->kind->ops.resume(x);
        hf_exchange_arm(x);
    } else {
        hf_exchange_refuse_or_abort(x, due.then);
    }
}
