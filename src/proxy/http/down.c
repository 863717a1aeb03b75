// SPDX-License-Identifier: Apache-2.0
/*
 * Between the session and the kinds of connection. The session calls down_*; a kind ends its
 * session through session_impl.h, which comes back here as hf_down_close.
 */
#include "proxy/http/down.h"

#include <string.h>

#include "base/mem.h"
#include "http/forward.h"
#include "proxy/http/down_impl.h"
#include "proxy/session_impl.h"

void hf_down_init(struct hf_down *down, const struct hf_down_kind *kind, struct hf_session *session,
                  struct hf_hub *hub, const struct hf_wire_ops *wire_ops)
{
    down->kind = kind;
    down->session = session;
    down->hub = hub;
    hf_list_init(&down->exchanges);
    hf_wire_open(&down->wire, hub, &session->client, wire_ops);
}

static void moved(struct hf_down *down, struct hf_series *series, uint64_t n)
{
    struct hf_session *session = down->session;
    hf_series_add(series, session->worker->index, n);
    session->active_ms = hf_session_now_ms(session);
    if (session->quiet) {
        session->quiet = false;
        hf_session_arm(session);
    }
}

void hf_down_count_in(struct hf_down *down, uint64_t n)
{
    moved(down, down->session->door->metrics.bytes_in, n);
}

void hf_down_count_out(struct hf_down *down, uint64_t n)
{
    moved(down, down->session->door->metrics.bytes_out, n);
}

static bool speaks_h2(const struct hf_session *session)
{
    struct hf_tls_info info = {0};
    if (session->client.tls) {
        hf_tls_info(session->client.tls, &info);
    }
    return info.alpn && strcmp(info.alpn, "h2") == 0;
}

void hf_down_start(struct hf_session *session)
{
    struct hf_hub *hub = session->worker->hub;
    struct hf_down *down = NULL;
    hf_session_move(session, HF_SESSION_HTTP);
    if ((speaks_h2(session) ? hf_down_h2_new : hf_down_h1_new)(session, hub, &down) != HF_OK) {
        hf_session_finish_with_alert(session, HF_CAUSE_INTERNAL, HF_ALERT_INTERNAL_ERROR);
        return;
    }
    down->judged = session->arrival->verdict.reason;
    hf_free(HF_TAKE(session->arrival));
    session->http = down;
    if (hf_down_know(down) != HF_OK) {
        hf_session_finish_with_alert(session, HF_CAUSE_INTERNAL, HF_ALERT_INTERNAL_ERROR);
        return;
    }
    down->kind->event(down, HF_LOOP_READ);
}

void hf_down_event(struct hf_session *session, unsigned events)
{
    session->http->kind->event(session->http, events);
}

bool hf_down_busy(const struct hf_session *session)
{
    return session->http && !hf_list_empty(&session->http->exchanges);
}

void hf_down_quiet(struct hf_session *session)
{
    if (!session->http) {
        return;
    }
    hf_forward_memo_free(HF_TAKE(session->http->memo));
    if (session->http->kind->quiet) {
        session->http->kind->quiet(session->http);
    }
}

void hf_down_retire(struct hf_session *session)
{
    if (session->http && !session->http->retiring) {
        session->http->kind->retire(session->http);
    }
}

void hf_down_bar(struct hf_session *session, enum hf_reason reason)
{
    session->http->barred = reason;
    hf_down_retire(session);
}

void hf_down_leave(struct hf_session *session)
{
    if (session->http && session->http->kind->leave) {
        session->http->kind->leave(session->http);
    }
}

void hf_down_end(struct hf_down *down)
{
    struct hf_session *session = down->session;
    if (session->cut_ms) {
        hf_session_expel(session);
    } else if (down->wire.broken != HF_MOVE_IDLE ||
               hf_leg_finish(&session->client) == HF_MOVE_LOST) {
        hf_session_finish(session, HF_CAUSE_CLIENT_RESET, false);
    } else {
        hf_session_finish(session, HF_CAUSE_FINISHED, true);
    }
}

static void free_later(struct hf_task *task)
{
    hf_free(HF_CONTAINER_OF(task, struct hf_down, free_task));
}

void hf_down_close(struct hf_session *session, enum hf_mishap why)
{
    struct hf_down *down = HF_TAKE(session->http);
    if (!down) {
        return;
    }
    down->gone = true;
    HF_LIST_FOREACH (&down->exchanges, link) {
        hf_exchange_client_gone(HF_CONTAINER_OF(link, struct hf_exchange, link), why);
    }
    hf_wire_close(&down->wire);
    down->kind->done(down);
    hf_requester_done(&down->requester);
    hf_gen_unref(HF_TAKE(down->gen));
    hf_forward_memo_free(HF_TAKE(down->memo));
    down->free_task.run = free_later;
    hf_loop_defer(session->worker->loop, &down->free_task);
}
