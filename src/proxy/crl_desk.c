// SPDX-License-Identifier: Apache-2.0
/*
 * Calls (proxy/desk_call.h), and the feeds that they wait for.
 *
 * A feed that has got a list doesn't tell at once: the worker couldn't see that list yet. It does
 * when the new ledger has been posted to the workers, after which the call arrives. A worker that
 * asks in between, by what it knew, finds the feed awaited still, or that it is behind.
 */
#include "proxy/crl_desk.h"

#include <string.h>

#include "base/mem.h"

/* One call's interest in one feed. */
struct asker {
    struct hf_link link;  /* in the feed's */
    struct hf_link owned; /* in the call's */
    struct hf_crl_call *call;
};

struct hf_crl_call {
    struct hf_desk_call base;
    struct hf_crl_desk *desk;
    int64_t wait_ms;
    struct hf_link link;   /* among those that are here */
    struct hf_timer timer; /* until it has waited long enough */
    struct hf_chain *path; /* a reference */
    struct hf_link askers;
    char trust[];
};

struct hf_crl_desk {
    struct hf_crl_desk_env env;
    struct hf_link calls;
    atomic_uint n_told;      /* calls that are on their way here */
    atomic_uint n_teachings; /* ledgers that were posted to workers */
    bool stopped;
};

/* --- On the worker's thread ---------------------------------------------------------------------
 */

static void release(struct hf_desk_call *base)
{
    struct hf_crl_call *call = HF_CONTAINER_OF(base, struct hf_crl_call, base);
    hf_chain_unref(call->path);
    hf_free(call);
}

static void on_call(struct hf_task *task);

enum hf_err hf_crl_desk_ask(struct hf_crl_desk *desk, struct hf_loop *loop, const char *trust,
                            struct hf_chain *path, int64_t wait_ms, struct hf_desk_wait *wait)
{
    size_t len = strlen(trust);
    struct hf_crl_call *call = hf_alloc_zero(1, sizeof(*call) + len + 1);
    if (!call) {
        return HF_E_NOMEM;
    }
    call->base.there.run = on_call;
    call->base.release = release;
    call->desk = desk;
    call->wait_ms = wait_ms;
    hf_list_init(&call->askers);
    call->path = hf_chain_ref(path);
    memcpy(call->trust, trust, len + 1);
    atomic_fetch_add(&desk->n_told, 1);
    hf_desk_call_post(&call->base, desk->env.loop, loop, wait);
    return HF_OK;
}

/* In the order in which a list comes its way: told of, awaited, taught. What has left one place
 * meanwhile is then found in the next. */
bool hf_crl_desk_busy(const struct hf_crl_desk *desk, unsigned n_learnt)
{
    return atomic_load(&desk->n_told) > 0 || atomic_load(desk->env.n_awaited) > 0 ||
           atomic_load(&desk->n_teachings) != n_learnt;
}

/* --- On the control thread ----------------------------------------------------------------------
 */

static void asker_free(struct asker *asker)
{
    hf_link_remove(&asker->link);
    hf_link_remove(&asker->owned);
    hf_free(asker);
}

static void call_end(struct hf_crl_call *call)
{
    HF_LIST_FOREACH (&call->askers, link) {
        asker_free(HF_CONTAINER_OF(link, struct asker, owned));
    }
    hf_link_remove(&call->link);
    hf_timer_cancel(&call->timer);
    hf_desk_call_end(&call->base, call->desk->stopped);
}

static void on_late(struct hf_timer *timer)
{
    call_end(HF_CONTAINER_OF(timer, struct hf_crl_call, timer));
}

static void await(void *ctx, struct hf_crl_feed *feed)
{
    struct hf_crl_call *call = ctx;
    int64_t under_way_ms = hf_loop_now_ms(call->desk->env.loop) - feed->awaited_ms;
    struct asker *asker = under_way_ms < call->wait_ms ? HF_NEW(struct asker) : NULL;
    if (!asker) {
        return; /* it has been waited for, or there is no memory to */
    }
    asker->call = call;
    hf_list_push(&feed->askers, &asker->link);
    hf_list_push(&call->askers, &asker->owned);
}

static void await_nothing(void *ctx, struct hf_crl_feed *feed)
{
    (void)ctx, (void)feed;
}

static void on_call(struct hf_task *task)
{
    struct hf_crl_call *call = HF_CONTAINER_OF(task, struct hf_crl_call, base.there);
    struct hf_crl_desk *desk = call->desk;
    if (!desk->stopped) {
        desk->env.meet(desk->env.ctx, call->trust, call->path,
                       call->base.waited ? await : await_nothing, call);
    }
    atomic_fetch_sub(&desk->n_told, 1);
    if (hf_list_empty(&call->askers)) {
        call_end(call);
        return;
    }
    hf_list_push(&desk->calls, &call->link);
    call->timer.on_due = on_late;
    hf_timer_set(desk->env.loop, &call->timer, call->wait_ms);
}

void hf_crl_askers_end(struct hf_link *askers)
{
    struct hf_link all;
    hf_list_take(askers, &all);
    while (!hf_list_empty(&all)) {
        struct asker *asker = HF_CONTAINER_OF(all.next, struct asker, link);
        struct hf_crl_call *call = asker->call;
        asker_free(asker);
        if (hf_list_empty(&call->askers)) {
            call_end(call);
        }
    }
}

void hf_crl_desk_teaches(struct hf_crl_desk *desk)
{
    if (desk) {
        atomic_fetch_add(&desk->n_teachings, 1);
    }
}

/* --- Life ---------------------------------------------------------------------------------------
 */

enum hf_err hf_crl_desk_new(const struct hf_crl_desk_env *env, struct hf_crl_desk **out)
{
    *out = HF_NEW(struct hf_crl_desk);
    if (!*out) {
        return HF_E_NOMEM;
    }
    (*out)->env = *env;
    hf_list_init(&(*out)->calls);
    return HF_OK;
}

void hf_crl_desk_stop(struct hf_crl_desk *desk)
{
    if (!desk) {
        return;
    }
    desk->stopped = true;
    HF_LIST_FOREACH (&desk->calls, link) {
        call_end(HF_CONTAINER_OF(link, struct hf_crl_call, link));
    }
}

void hf_crl_desk_free(struct hf_crl_desk *desk)
{
    hf_crl_desk_stop(desk);
    hf_free(desk);
}
