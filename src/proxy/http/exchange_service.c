// SPDX-License-Identifier: Apache-2.0
/*
 * The upstream's side of an exchange where a service of this process answers (http/service.h).
 *
 *     serve --> body gathered --> service ----(any thread)----> answer --> posted to the worker
 *                                                                              |
 *                              client full: wait for `drained`  <-- pieces <---+
 *
 * What the service is shown is a copy: the exchange may end at any moment, and another thread read
 * on. So two things have a life: the exchange, and the call, which lives until it is answered. Each
 * lets go of the other: `x` is NULL once nobody wants the answer, x->serving once it was given.
 */
#include "http/chars.h"
#include "http/status.h"
#include "proxy/http/down.h"
#include "proxy/http/exchange_impl.h"
#include "proxy/session.h"

#include <string.h>

#include "base/mem.h"

enum {
    PIECE = 64 << 10, /* of an answer, given to the client's side at once */
    TEXTS_MAX = 1 << 20,
};

struct hf_serving {
    struct hf_service_call call; /* first: the service hands it back */
    struct hf_task task;
    struct hf_service *service;
    struct hf_loop *loop;
    struct hf_exchange *x; /* NULL: nobody wants the answer. The worker's thread alone */
    struct hf_buf body;    /* of the request */
    struct hf_buf texts;   /* what the request shows points in here */
    struct hf_http_field *fields;
    char id[HF_REQUEST_ID_SIZE];
    char listener[256];
    char client_address[HF_CLIENT_ADDRESS_SIZE];
    struct hf_service_answer answer;
    struct hf_bytes rest; /* of the answer's body, to be given */
    bool asked;           /* the service has the call */
    bool at_once;         /* it answered before serve returned */
};

/* Whose serve is being called on this thread: it may answer without a detour. */
static _Thread_local struct hf_serving *being_served;

static void serving_free(struct hf_serving *serving)
{
    hf_service_answer_done(&serving->answer);
    hf_identity_unref(serving->call.request.identity);
    hf_ders_unref(serving->call.request.chain);
    hf_buf_done(&serving->body);
    hf_buf_done(&serving->texts);
    hf_free(serving->fields);
    hf_service_unref(serving->service);
    hf_free(serving);
}

/* --- What the service is shown ------------------------------------------------------------------
 */

/* Remembers a text by its place, for the buffer may move until all are there. */
static enum hf_err keep(struct hf_serving *serving, struct hf_bytes text, size_t *out_at)
{
    *out_at = hf_buf_len(&serving->texts);
    return hf_buf_append(&serving->texts, text);
}

static struct hf_bytes kept(const struct hf_serving *serving, size_t at, size_t len)
{
    return hf_bytes_of(serving->texts.mem + serving->texts.start + at, len);
}

/* What of the path stands beneath the route's own. */
static struct hf_bytes beneath(const struct hf_exchange *x, struct hf_bytes path)
{
    struct hf_bytes rest = x->verdict.path_len < path.len ? hf_bytes_from(path, x->verdict.path_len)
                                                          : hf_bytes_str("/");
    return x->verdict.path_len == HF_PATH_WHOLE ? path : rest;
}

static enum hf_err show_texts(struct hf_serving *serving, const struct hf_exchange *x)
{
    const struct hf_http_msg *msg = x->request;
    struct hf_service_request *out = &serving->call.request;
    struct hf_bytes full = hf_http_msg_text(msg, msg->path);
    struct {
        struct hf_bytes text;
        struct hf_bytes *to;
        size_t at;
    } part[] = {
        {hf_http_msg_text(msg, msg->method_text), &out->method_text, 0},
        {hf_http_msg_text(msg, x->authority), &out->host, 0},
        {full, &out->full_path, 0},
        {beneath(x, full), &out->path, 0},
        {hf_http_msg_text(msg, x->path), &out->raw_path, 0},
        {hf_http_msg_text(msg, x->query), &out->query, 0},
    };
    struct hf_http_fields fields = hf_http_msg_fields(msg);
    size_t head_at;
    for (size_t i = 0; i < HF_N_ELEMENTS(part); i++) {
        HF_TRY(keep(serving, part[i].text, &part[i].at));
    }
    HF_TRY(keep(serving, fields.head, &head_at)); /* their places count from the text's front */
    serving->fields = hf_alloc_zero(fields.n + 1, sizeof(*serving->fields));
    if (!serving->fields) {
        return HF_E_NOMEM;
    }
    if (fields.n) {
        memcpy(serving->fields, fields.field, fields.n * sizeof(*serving->fields));
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(part); i++) {
        *part[i].to = kept(serving, part[i].at, part[i].text.len);
    }
    out->headers =
        (struct hf_http_fields){kept(serving, head_at, fields.head.len), serving->fields, fields.n};
    return HF_OK;
}

static enum hf_err show_peer(struct hf_serving *serving, const struct hf_exchange *x)
{
    struct hf_service_request *out = &serving->call.request;
    const struct hf_session *session = x->session;
    snprintf(serving->id, sizeof(serving->id), "%s", x->ids.request);
    snprintf(serving->listener, sizeof(serving->listener), "%s", x->door->cfg->name);
    snprintf(serving->client_address, sizeof(serving->client_address), "%s",
             *x->client ? x->client : x->down_address);
    out->method = x->request->method;
    out->id = serving->id;
    out->listener = serving->listener;
    out->client_address = serving->client_address;
    out->plain = !session->client.tls;
    out->verified = session->verified;
    if (session->identity) {
        out->identity = hf_identity_ref(session->identity);
    }
    return session->client.tls ? hf_tls_get_peer_ders(session->client.tls, &out->chain) : HF_OK;
}

static void on_answer(struct hf_service_call *call, struct hf_service_answer *answer);

static enum hf_err serving_new(struct hf_exchange *x, struct hf_service *service,
                               struct hf_serving **out)
{
    struct hf_serving *serving = HF_NEW(struct hf_serving);
    if (!serving) {
        return HF_E_NOMEM;
    }
    serving->call.answer = on_answer;
    serving->service = hf_service_ref(service);
    serving->loop = x->hub->worker->loop;
    serving->body = HF_BUF_INIT(service->body_max);
    serving->texts = HF_BUF_INIT(TEXTS_MAX);
    enum hf_err err = show_texts(serving, x);
    if (err == HF_OK) {
        err = show_peer(serving, x);
    }
    if (err != HF_OK) {
        serving_free(serving);
        return err;
    }
    serving->x = x;
    *out = serving;
    return HF_OK;
}

/* --- Answering ----------------------------------------------------------------------------------
 */

static enum hf_err add_field(void *ctx, struct hf_bytes name, struct hf_bytes value)
{
    return hf_http_msg_add(ctx, name, value);
}

static enum hf_err compose(struct hf_exchange *x, const struct hf_service_answer *answer,
                           struct hf_http_msg *msg)
{
    char date[HF_HTTP_DATE_SIZE];
    bool bare = answer->status == 204 || answer->status == 304;
    HF_TRY(hf_http_msg_set_status(msg, answer->status));
    if (answer->content_type) {
        HF_TRY(hf_http_msg_add_str(msg, "content-type", answer->content_type));
    }
    HF_TRY(hf_service_each_field(answer, msg, add_field));
    if (!hf_http_msg_find(msg, hf_bytes_str("date"), NULL)) {
        hf_http_date(hf_clock_wall_s(x->hub->worker->clock), date);
        HF_TRY(hf_http_msg_add_str(msg, "date", date));
    }
    msg->body = bare || x->request->method == HF_METHOD_HEAD ? HF_BODY_NONE : HF_BODY_LENGTH;
    msg->has_length = !bare;
    msg->length = answer->body.len;
    hf_exchange_judge_answer(x, msg);
    return HF_OK;
}

/* Gives pieces until the client takes no more, or all is given. */
static void give_pieces(struct hf_exchange *x)
{
    const struct hf_down_ops *ops = &x->down->kind->ops;
    struct hf_serving *serving = x->serving;
    while (x->down && serving->rest.len && !x->down_full) {
        size_t n = serving->rest.len < PIECE ? serving->rest.len : PIECE;
        struct hf_bytes piece = hf_bytes_of(serving->rest.ptr, n);
        serving->rest = hf_bytes_from(serving->rest, n);
        x->n_out += n;
        x->active_ms = hf_loop_now_ms(x->hub->worker->loop);
        x->down_full = !ops->data(x, piece);
    }
    if (x->down && !serving->rest.len && !x->answered) {
        x->answered = true;
        ops->end(x, NULL);
    }
}

static void give(struct hf_exchange *x)
{
    struct hf_serving *serving = x->serving;
    struct hf_http_msg *msg = hf_http_msg_pool_get(&x->hub->msgs);
    enum hf_err err = msg ? compose(x, &serving->answer, msg) : HF_E_NOMEM;
    if (err != HF_OK) {
        hf_log_say(x->hub->worker->log, HF_LOG_ERROR, "http",
                   "a service's answer can't be sent: %s", hf_err_text());
        hf_http_msg_pool_put(&x->hub->msgs, msg);
        hf_exchange_refuse(x, HF_MISHAP_INTERNAL);
        return;
    }
    if (msg->body == HF_BODY_LENGTH) {
        serving->rest = serving->answer.body;
    }
    hf_fsm_move(&x->fsm, HF_X_ANSWER);
    x->status = msg->status;
    x->first_ns = hf_clock_mono_ns(x->hub->worker->clock);
    hf_exchange_arm(x);
    x->down->kind->ops.head(x, msg, serving->rest.len == 0);
    hf_http_msg_pool_put(&x->hub->msgs, msg);
    if (x->down) {
        give_pieces(x);
    }
}

/* The answer is there, on the worker's thread. */
static void deliver(struct hf_serving *serving)
{
    serving->asked = false;
    if (serving->x) {
        give(serving->x);
    } else {
        serving_free(serving);
    }
}

static void on_posted(struct hf_task *task)
{
    deliver(HF_CONTAINER_OF(task, struct hf_serving, task));
}

/* Any thread; within serve on the worker's own. */
static void on_answer(struct hf_service_call *call, struct hf_service_answer *answer)
{
    struct hf_serving *serving = HF_CONTAINER_OF(call, struct hf_serving, call);
    serving->answer = *answer;
    if (being_served == serving) {
        serving->at_once = true;
        return;
    }
    serving->task.run = on_posted;
    hf_loop_post(serving->loop, &serving->task);
}

static void ask(struct hf_exchange *x)
{
    struct hf_serving *serving = x->serving;
    struct hf_serving *outer = being_served;
    serving->call.request.body = hf_buf_bytes(&serving->body);
    serving->asked = true;
    x->sent_ns = hf_clock_mono_ns(x->hub->worker->clock);
    being_served = serving;
    serving->service->ops->serve(serving->service, &serving->call);
    bool at_once = serving->at_once; /* if not, another thread may have it by now, not free it */
    being_served = outer;
    if (at_once) {
        deliver(serving);
    } else {
        hf_exchange_arm(x);
    }
}

/* --- For the exchange ---------------------------------------------------------------------------
 */

static void go_on(struct hf_exchange *x)
{
    struct hf_http_msg *msg = NULL;
    if (x->request->expect_continue) {
        msg = hf_http_msg_pool_get(&x->hub->msgs);
        if (msg && hf_http_msg_set_status(msg, 100) == HF_OK) {
            x->down->kind->ops.interim(x, msg);
        }
        hf_http_msg_pool_put(&x->hub->msgs, msg);
    }
    x->down->kind->ops.resume(x);
    hf_exchange_arm(x);
}

void hf_exchange_serve(struct hf_exchange *x, struct hf_service *service)
{
    if (x->request->has_length && x->request->length > service->body_max) {
        hf_exchange_refuse(x, HF_MISHAP_REQUEST_TOO_LARGE);
        return;
    }
    if (serving_new(x, service, &x->serving) != HF_OK) {
        hf_exchange_refuse(x, HF_MISHAP_INTERNAL);
        return;
    }
    hf_fsm_move(&x->fsm, HF_X_WAIT);
    if (x->asked) {
        ask(x);
    } else {
        go_on(x);
    }
}

void hf_exchange_serving_body(struct hf_exchange *x, struct hf_bytes data)
{
    enum hf_err err = hf_buf_append(&x->serving->body, data);
    if (err != HF_OK) {
        hf_exchange_refuse_or_abort(x, err == HF_E_TOO_LARGE ? HF_MISHAP_REQUEST_TOO_LARGE
                                                             : HF_MISHAP_INTERNAL);
    }
}

void hf_exchange_serving_asked(struct hf_exchange *x)
{
    if (hf_exchange_phase(x) == HF_X_WAIT && !x->serving->asked) {
        ask(x);
    }
}

void hf_exchange_serving_drained(struct hf_exchange *x)
{
    if (hf_exchange_phase(x) == HF_X_ANSWER) {
        give_pieces(x);
    }
}

int64_t hf_exchange_serving_ms(const struct hf_exchange *x)
{
    return x->serving->service->answer_ms;
}

void hf_exchange_serving_done(struct hf_exchange *x)
{
    struct hf_serving *serving = HF_TAKE(x->serving);
    if (!serving) {
        return;
    }
    serving->x = NULL;
    atomic_store_explicit(&serving->call.gone, true, memory_order_relaxed);
    if (!serving->asked) {
        serving_free(serving);
    }
}

/* --- OCSP by GET --------------------------------------------------------------------------------
 */

static bool is_base64(struct hf_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.ptr[i];
        if (!hf_http_is(c, HF_CHAR_PLAIN) ? !hf_byte_in(c, "+/=%") : hf_byte_in(c, "-._~")) {
            return false;
        }
    }
    return text.len > 0;
}

/* How much of the path stands before the request, if the path is beneath this pattern: a subtree
 * without stars, whose own text is the same in every form. 0: it isn't. */
static size_t before_request(struct hf_bytes pattern, struct hf_bytes path)
{
    static const char name[] = "/ocsp/";
    if (!pattern.len || pattern.ptr[pattern.len - 1] != '/' ||
        memchr(pattern.ptr, '*', pattern.len)) {
        return 0;
    }
    size_t own = pattern.len - 1;
    size_t before = own + sizeof(name) - 1;
    if (path.len <= before || memcmp(path.ptr, pattern.ptr, own) != 0 ||
        memcmp(path.ptr + own, name, sizeof(name) - 1) != 0) {
        return 0;
    }
    return is_base64(hf_bytes_from(path, before)) ? before : 0;
}

static size_t find_request(const struct hf_exchange *x, struct hf_bytes path)
{
    const struct hf_cfg_listener *cfg = x->door->cfg;
    bool reads = x->request->method == HF_METHOD_GET || x->request->method == HF_METHOD_HEAD;
    for (size_t i = 0; i < cfg->n_routes && reads; i++) {
        const struct hf_cfg_route *route = &cfg->routes[i];
        if (route->action != HF_ROUTE_SERVICE || route->service.part != HF_CA_PART_PUBLIC) {
            continue;
        }
        size_t before = route->match.path.n ? 0 : before_request(hf_bytes_str("/"), path);
        for (size_t k = 0; k < route->match.path.n && !before; k++) {
            before = before_request(hf_bytes_str(route->match.path.item[k].value), path);
        }
        if (before) {
            return before;
        }
    }
    return 0;
}

bool hf_exchange_is_ocsp(const struct hf_exchange *x, struct hf_bytes path)
{
    return find_request(x, path) > 0;
}

enum hf_err hf_exchange_hide_ocsp(struct hf_exchange *x, struct hf_bytes path)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf form = HF_BUF_INIT(path.len + 1);
    HF_TRY(hf_buf_append(&form, hf_bytes_of(path.ptr, find_request(x, path))));
    HF_TRY(hf_buf_append_str(&form, "-"));
    x->opaque = true;
    return hf_http_msg_set_path(x->request, hf_buf_bytes(&form));
}
