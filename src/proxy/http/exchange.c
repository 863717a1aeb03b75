// SPDX-License-Identifier: Apache-2.0
/*
 * The middle of an exchange: what came from one side goes to the other, and whatever breaks on one
 * side is told to the other. What it means (routes, rules, headers) is exchange_judge.c; what we
 * say ourselves is exchange_refuse.c.
 */
#include "proxy/http/exchange.h"

#include "base/mem.h"
#include "proxy/http/down_impl.h"
#include "proxy/http/exchange_impl.h"
#include "proxy/http/pool.h"
#include "proxy/http/up.h"
#include "proxy/snapshot.h"

enum { SPARE_MAX = 64 };

#define TO HF_FSM_TO

static const struct hf_fsm_state phases[] = {
    [HF_X_HEAD] = {"head", TO(HF_X_JUDGE) | TO(HF_X_ANSWER) | TO(HF_X_DONE), 0},
    [HF_X_JUDGE] = {"judge", TO(HF_X_REACH) | TO(HF_X_WAIT) | TO(HF_X_ANSWER) | TO(HF_X_DONE), 0},
    [HF_X_REACH] = {"reach", TO(HF_X_WAIT) | TO(HF_X_ANSWER) | TO(HF_X_DONE), 0},
    [HF_X_WAIT] = {"wait", TO(HF_X_REACH) | TO(HF_X_ANSWER) | TO(HF_X_TUNNEL) | TO(HF_X_DONE), 0},
    [HF_X_ANSWER] = {"answer", TO(HF_X_DONE), 0},
    [HF_X_TUNNEL] = {"tunnel", TO(HF_X_DONE), 0},
    [HF_X_DONE] = {"done", 0, 0},
};

/* --- Life ---------------------------------------------------------------------------------------
 */

static struct hf_exchange *take_spare(struct hf_hub *hub)
{
    if (hf_list_empty(&hub->spare)) {
        return HF_NEW(struct hf_exchange);
    }
    struct hf_exchange *x = HF_CONTAINER_OF(hub->spare.next, struct hf_exchange, link);
    hf_link_remove(&x->link);
    hub->n_spare--;
    *x = (struct hf_exchange){0};
    return x;
}

struct hf_exchange *hf_exchange_new(struct hf_down *down, int32_t stream)
{
    struct hf_hub *hub = down->hub;
    hf_down_renew(down);
    struct hf_exchange *x = take_spare(hub);
    if (!x) {
        return NULL;
    }
    x->hub = hub;
    x->session = down->session;
    x->gen = hf_gen_ref(down->gen);
    x->door = down->door;
    x->down = down;
    x->down_stream = stream;
    x->id = hub->next_request++;
    x->timer.on_due = hf_exchange_on_timer;
    x->since_ms = x->active_ms = hf_loop_now_ms(hub->worker->loop);
    x->since_ns = hf_clock_mono_ns(hub->worker->clock);
    x->verdict.route = HF_ROUTE_NONE;
    hf_fsm_init(&x->fsm, phases, HF_N_ELEMENTS(phases), HF_X_HEAD);
    hf_exchange_from(x);
    hf_list_push(&down->exchanges, &x->link);
    return x;
}

static void drop_parts(struct hf_exchange *x)
{
    hf_exchange_auth_done(x);
    hf_exchange_serving_done(x);
    hf_http_msg_pool_put(&x->hub->msgs, HF_TAKE(x->request));
    hf_http_msg_pool_put(&x->hub->msgs, HF_TAKE(x->trailers));
    hf_http_msg_pool_put(&x->hub->msgs, HF_TAKE(x->held_trailers));
    hf_http_msg_pool_put(&x->hub->msgs, HF_TAKE(x->down_trailers));
    hf_http_msg_pool_put(&x->hub->msgs, HF_TAKE(x->up_trailers));
    hf_buf_done(&x->held);
    hf_buf_done(&x->down_rest);
    hf_buf_done(&x->up_rest);
    hf_free(HF_TAKE(x->fields));
    hf_gen_unref(HF_TAKE(x->gen));
}

void hf_exchange_sweep(struct hf_hub *hub)
{
    HF_LIST_FOREACH (&hub->ended, link) {
        struct hf_exchange *x = HF_CONTAINER_OF(link, struct hf_exchange, link);
        hf_link_remove(link);
        drop_parts(x);
        if (hub->n_spare < SPARE_MAX) {
            hub->n_spare++;
            hf_list_push(hub->spare.next, link);
        } else {
            hf_free(x);
        }
    }
}

void hf_exchange_free_spare(struct hf_hub *hub)
{
    HF_LIST_FOREACH (&hub->spare, link) {
        hf_link_remove(link);
        hf_free(HF_CONTAINER_OF(link, struct hf_exchange, link));
    }
    hub->n_spare = 0;
}

/* Both sides have let go. */
static void over(struct hf_exchange *x)
{
    if (x->down || x->up || x->reaching || hf_exchange_phase(x) == HF_X_DONE) {
        return;
    }
    hf_fsm_move(&x->fsm, HF_X_DONE);
    hf_timer_cancel(&x->timer);
    hf_pool_retry_done(x);
    hf_exchange_log(x);
    hf_link_remove(&x->link);
    hf_list_push(&x->hub->ended, &x->link);
    hf_hub_settle_later(x->hub);
}

void hf_exchange_leave_down(struct hf_exchange *x)
{
    hf_link_remove(&x->link);
    x->down = NULL;
    over(x);
}

void hf_exchange_leave_up(struct hf_exchange *x)
{
    x->up = NULL;
    hf_pool_place_done(x);
    over(x);
}

/* The upstream's side isn't wanted any more. */
static void drop_up(struct hf_exchange *x)
{
    hf_exchange_auth_cancel(x);
    hf_exchange_serving_done(x);
    if (x->reaching) {
        hf_pool_leave(x);
    }
    if (x->up) {
        x->up->kind->ops.abort(x);
    }
}

static void note(struct hf_exchange *x, enum hf_mishap why)
{
    if (x->mishap == HF_MISHAP_NONE && !(x->asked && x->answered)) {
        x->mishap = why;
    }
}

/* --- The request --------------------------------------------------------------------------------
 */

static void touch(struct hf_exchange *x)
{
    x->active_ms = hf_loop_now_ms(x->hub->worker->loop);
}

bool hf_exchange_takes_body(const struct hf_exchange *x)
{
    if (x->serving && hf_exchange_phase(x) == HF_X_WAIT) {
        return true; /* it is gathered */
    }
    return x->answered || (x->up && !x->up_full && hf_exchange_phase(x) >= HF_X_WAIT) ||
           (!x->up && hf_exchange_phase(x) >= HF_X_ANSWER);
}

/* Of a body nobody wants some is read, for the clients that send it all before they look up. */
static bool throw_away(struct hf_exchange *x, size_t n)
{
    enum { ENOUGH = 256 << 10 };
    x->n_drained += n;
    if (x->n_drained > ENOUGH) {
        x->drained_enough = true;
        hf_exchange_arm(x);
    }
    return !x->drained_enough;
}

bool hf_exchange_body(struct hf_exchange *x, struct hf_bytes data)
{
    touch(x);
    x->n_in += data.len;
    if (x->serving && hf_exchange_phase(x) == HF_X_WAIT) {
        hf_exchange_serving_body(x, data);
        return true;
    }
    if (x->answered && x->down_stream) {
        return throw_away(x, data.len);
    }
    if (x->answered || !x->up) {
        return true;
    }
    if (x->body_max && x->n_in > x->body_max && hf_exchange_phase(x) != HF_X_TUNNEL) {
        hf_exchange_refuse_or_abort(x, HF_MISHAP_REQUEST_TOO_LARGE);
        return true;
    }
    x->body_begun = true;
    x->up_full = !x->up->kind->ops.data(x, data);
    return !x->up_full;
}

static void send_end(struct hf_exchange *x)
{
    struct hf_http_msg *trailers = HF_TAKE(x->trailers);
    x->sent_end = true;
    x->up->kind->ops.end(x, trailers);
    hf_http_msg_pool_put(&x->hub->msgs, trailers);
}

void hf_exchange_body_end(struct hf_exchange *x, struct hf_http_msg *trailers)
{
    touch(x);
    x->asked = true;
    x->trailers = trailers;
    if (trailers) {
        hf_exchange_judge_trailers(x);
    }
    if (x->serving) {
        hf_exchange_serving_asked(x);
    } else if (x->up && !x->sent_end && hf_exchange_phase(x) >= HF_X_WAIT) {
        send_end(x);
    }
}

void hf_exchange_reached(struct hf_exchange *x)
{
    x->reaching = false;
    x->n_tries++;
    x->up_full = x->up_begun = x->sent_end = false;
    x->sent_ns = hf_clock_mono_ns(x->hub->worker->clock);
    hf_fsm_move(&x->fsm, HF_X_WAIT);
    touch(x);
    if (x->request->protocol.len && hf_exchange_websocket_ask(x) != HF_OK) {
        hf_exchange_refuse(x, HF_MISHAP_INTERNAL);
        return;
    }
    x->up->kind->ops.head(x, x->request);
    if (x->asked) {
        send_end(x);
    } else if (x->down) {
        x->down->kind->ops.resume(x);
    }
    hf_exchange_arm(x);
}

void hf_exchange_unreached(struct hf_exchange *x, enum hf_mishap why)
{
    x->reaching = false;
    if (x->down) {
        hf_exchange_refuse(x, why);
    }
    hf_pool_place_done(x);
    over(x);
}

void hf_exchange_up_drained(struct hf_exchange *x)
{
    touch(x);
    x->up_full = false;
    if (x->down && !x->asked) {
        x->down->kind->ops.resume(x);
    }
}

void hf_exchange_client_gone(struct hf_exchange *x, enum hf_mishap why)
{
    note(x, why);
    drop_up(x);
    hf_exchange_leave_down(x);
}

/* --- The answer ---------------------------------------------------------------------------------
 */

void hf_exchange_interim(struct hf_exchange *x, struct hf_http_msg *msg)
{
    x->up_begun = true;
    touch(x);
    if (x->down && hf_exchange_phase(x) == HF_X_WAIT) {
        x->down->kind->ops.interim(x, msg);
    }
}

void hf_exchange_answer(struct hf_exchange *x, struct hf_http_msg *msg, bool last)
{
    bool tunnel = msg->status == 101;
    x->up_begun = true;
    x->up_status = msg->status;
    x->first_ns = hf_clock_mono_ns(x->hub->worker->clock);
    hf_series_observe(x->upstream->answer_seconds, x->hub->worker->index,
                      (uint64_t)(x->first_ns - x->sent_ns) / 1000);
    touch(x);
    if (tunnel && hf_exchange_websocket_granted(x, msg) != HF_OK) {
        hf_exchange_refuse(x, HF_MISHAP_UPSTREAM_PROTOCOL);
        return;
    }
    hf_fsm_move(&x->fsm, tunnel ? HF_X_TUNNEL : HF_X_ANSWER);
    x->status = msg->status;
    if (tunnel) {
        x->asked = x->sent_end = false;
    }
    hf_exchange_judge_answer(x, msg);
    if (x->down) {
        x->down->kind->ops.head(x, msg, last);
    }
    hf_exchange_arm(x);
}

bool hf_exchange_answer_data(struct hf_exchange *x, struct hf_bytes data)
{
    touch(x);
    x->n_out += data.len;
    if (x->down && !x->answered) {
        x->down_full = !x->down->kind->ops.data(x, data);
    }
    return !x->down_full;
}

void hf_exchange_answer_end(struct hf_exchange *x, struct hf_http_msg *trailers)
{
    touch(x);
    x->answered = true;
    if (x->down) {
        x->down->kind->ops.end(x, trailers);
    }
}

void hf_exchange_down_drained(struct hf_exchange *x)
{
    touch(x);
    x->down_full = false;
    if (x->serving) {
        hf_exchange_serving_drained(x);
    } else if (x->up) {
        x->up->kind->ops.resume(x);
    }
}

/* --- What goes wrong ----------------------------------------------------------------------------
 */

/* RFC 9110 9.2.2: what may be sent twice without harm. */
static bool is_idempotent(const struct hf_http_msg *request)
{
    switch (request->method) {
    case HF_METHOD_GET:
    case HF_METHOD_HEAD:
    case HF_METHOD_OPTIONS:
    case HF_METHOD_TRACE:
    case HF_METHOD_PUT:
    case HF_METHOD_DELETE:
        return true;
    default:
        return false;
    }
}

/*
 * May the request go out once more? Never when an answer has begun, or a byte of a body that we no
 * longer have. When the server hasn't acted on it, always; when it was met by the end of a kept
 * connection, if doing it twice is doing it once; otherwise as often as the route says, too.
 */
static bool may_retry(struct hf_exchange *x, bool untouched)
{
    enum { FREE_TRIES = 4 }; /* that cost the route's retries nothing */
    if (x->up_begun || x->body_begun || !x->down) {
        return false;
    }
    if (untouched || (x->up_reused && is_idempotent(x->request))) {
        return x->n_tries < FREE_TRIES + x->n_retries;
    }
    return is_idempotent(x->request) && x->n_tries <= x->n_retries && hf_pool_may_retry(x);
}

/* Another server next, if there is one; otherwise all may be asked again. */
static void pass_over(struct hf_exchange *x)
{
    hf_tried_add(&x->tried, x->server->index);
    for (size_t i = 0; i < x->upstream->n_servers; i++) {
        if (!hf_tried_has(&x->tried, i)) {
            return;
        }
    }
    x->tried = (struct hf_tried){0};
}

void hf_exchange_up_failed(struct hf_exchange *x, enum hf_mishap why, bool untouched)
{
    x->up = NULL;
    if (hf_exchange_phase(x) == HF_X_WAIT && may_retry(x, untouched)) {
        if (!untouched && !x->up_reused) {
            pass_over(x);
        }
        x->reach_mishap = why;
        hf_pool_place_done(x);
        hf_fsm_move(&x->fsm, HF_X_REACH);
        hf_exchange_reach(x);
        return;
    }
    if (x->down && !x->answered) {
        hf_exchange_refuse_or_abort(x, why);
    } else {
        note(x, why);
    }
    hf_pool_place_done(x);
    over(x);
}

void hf_exchange_abort(struct hf_exchange *x, enum hf_mishap why)
{
    note(x, why);
    drop_up(x);
    if (x->down) {
        x->answered = true;
        x->down->kind->ops.abort(x);
    }
}

void hf_exchange_refuse_or_abort(struct hf_exchange *x, enum hf_mishap why)
{
    if (hf_exchange_phase(x) < HF_X_ANSWER && hf_mishap_status(why)) {
        hf_exchange_refuse(x, why);
    } else {
        hf_exchange_abort(x, why);
    }
}

void hf_exchange_bad(struct hf_exchange *x, enum hf_http_fault fault)
{
    x->fault = fault;
    hf_exchange_refuse_or_abort(x, HF_MISHAP_BAD_REQUEST);
}

void hf_exchange_head_begun(struct hf_exchange *x)
{
    hf_exchange_arm(x);
}

void hf_exchange_refuse(struct hf_exchange *x, enum hf_mishap why)
{
    note(x, why);
    drop_up(x);
    hf_exchange_answer_ourselves(x, why);
}
