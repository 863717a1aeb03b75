// SPDX-License-Identifier: Apache-2.0
/*
 * What a request means: whether it reads the same in both versions of HTTP, which route it takes
 * and whether it may (the one verdict, policy/request.h), where it goes, and what is changed on its
 * way and on the way of its answer.
 *
 * Order matters. The path gets its one form before anybody looks at it; rules see what the client
 * asked for; rewriting and header edits come after the verdict; what only a proxy may say is taken
 * out and put in last.
 */
#include "policy/rewrite.h"
#include "proxy/http/down.h"
#include "proxy/http/exchange_impl.h"
#include "proxy/http/pool.h"

/* --- One form -----------------------------------------------------------------------------------
 */

static enum hf_err normalise(struct hf_exchange *x)
{
    struct hf_bytes path = hf_http_msg_text(x->request, x->request->path);
    if (x->request->form != HF_TARGET_ORIGIN) {
        return HF_OK;
    }
    if (hf_exchange_is_ocsp(x, path)) {
        return hf_exchange_hide_ocsp(x, path);
    }
    if (hf_http_path_is_normal(path)) {
        return HF_OK;
    }
    HF_CLEANUP(hf_buf_done) struct hf_buf form = HF_BUF_INIT(3 * path.len + 1);
    HF_TRY(hf_http_path_normalise(path, &x->door->cfg->http.paths, &form));
    return hf_http_msg_set_path(x->request, hf_buf_bytes(&form));
}

/* --- The verdict --------------------------------------------------------------------------------
 */

static bool nth_header(void *ctx, const char *name, size_t nth, struct hf_bytes *out_value)
{
    const struct hf_http_msg *msg = ctx;
    const struct hf_http_field *field = NULL;
    do {
        field = hf_http_msg_find(msg, hf_bytes_str(name), field);
    } while (field && nth-- > 0);
    if (field) {
        *out_value = hf_http_msg_value(msg, field);
    }
    return field != NULL;
}

static struct hf_bytes host_of(const struct hf_http_msg *msg)
{
    struct hf_http_authority authority;
    struct hf_bytes text = hf_http_msg_text(msg, msg->authority);
    return hf_http_authority_parse(text, &authority) ? authority.host : hf_bytes_str("");
}

static struct hf_request request_of(struct hf_exchange *x)
{
    struct hf_http_msg *msg = x->request;
    return (struct hf_request){
        .method = hf_http_msg_text(msg, msg->method_text),
        .host = host_of(msg),
        .path = hf_http_msg_text(msg, msg->path),
        .query = hf_http_msg_text(msg, msg->query),
        .header = nth_header,
        .header_ctx = msg,
    };
}

static void judge(struct hf_exchange *x, enum hf_auth_state auth, enum hf_reason auth_reason)
{
    struct hf_request request = request_of(x);
    struct hf_vital_paths vitals;
    struct hf_request_input input = {
        .table = x->door->cfg->route_table,
        .requester = &x->down->requester,
        .request = &request,
        .door = x->down->policy,
        .auth = auth,
        .auth_reason = auth_reason,
    };
    hf_exchange_vitals(x, &vitals, &input);
    hf_request_judge(&input, &x->verdict);
}

/* --- Changes ------------------------------------------------------------------------------------
 */

static const struct hf_cfg_route *route_of(const struct hf_exchange *x)
{
    return x->verdict.route == HF_ROUTE_NONE ? NULL : &x->door->cfg->routes[x->verdict.route];
}

static enum hf_err edit(const struct hf_cfg_edits *edits, struct hf_http_msg *msg)
{
    for (size_t i = 0; i < edits->remove.n; i++) {
        (void)hf_http_msg_remove_str(msg, edits->remove.item[i].value);
    }
    for (size_t i = 0; i < edits->set.n; i++) {
        HF_TRY(hf_http_msg_set_str(msg, edits->set.item[i].name, edits->set.item[i].value));
    }
    for (size_t i = 0; i < edits->add.n; i++) {
        HF_TRY(hf_http_msg_add_str(msg, edits->add.item[i].name, edits->add.item[i].value));
    }
    return HF_OK;
}

static enum hf_err rewrite_path(struct hf_exchange *x, const char *to)
{
    struct hf_bytes path = hf_http_msg_text(x->request, x->request->path);
    struct hf_bytes base = hf_bytes_str(to);
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(base.len + path.len + 1);
    HF_TRY(hf_rewrite_path(base, path, x->verdict.path_len, &text));
    return hf_http_msg_set_path(x->request, hf_buf_bytes(&text));
}

static enum hf_err change(struct hf_exchange *x, const struct hf_cfg_route *route)
{
    hf_exchange_auth_strip(x);
    if (route->rewrite.path.value) {
        HF_TRY(rewrite_path(x, route->rewrite.path.value));
    }
    if (route->rewrite.host.value) {
        HF_TRY(hf_http_msg_set_authority(x->request, hf_bytes_str(route->rewrite.host.value)));
    }
    return edit(&route->headers.request, x->request);
}

/* --- Where to -----------------------------------------------------------------------------------
 */

static void set_limits(struct hf_exchange *x, const struct hf_cfg_route *route)
{
    x->body_max = route->max_body_mark.line ? route->max_body : x->door->cfg->http.max_body;
    x->total_ms = route->timeout_ms;
    x->n_retries = route->retries;
}

static void forward(struct hf_exchange *x, const struct hf_cfg_route *route)
{
    x->upstream = x->door->http->to[x->verdict.route];
    hf_exchange_hash(x); /* by what the client asked for */
    if (x->body_max && x->request->has_length && x->request->length > x->body_max) {
        hf_exchange_refuse(x, HF_MISHAP_REQUEST_TOO_LARGE);
        return;
    }
    enum hf_err err = change(x, route);
    if (err == HF_OK) {
        err = hf_exchange_tell(x);
    }
    if (err != HF_OK) {
        hf_log_say(x->hub->worker->log, HF_LOG_WARN, "http", "a request can't be changed: %s",
                   hf_err_text());
        hf_exchange_refuse(x, err == HF_E_TOO_LARGE   ? HF_MISHAP_HEAD_TOO_LARGE
                              : err == HF_E_MALFORMED ? HF_MISHAP_BAD_FORWARDED
                                                      : HF_MISHAP_INTERNAL);
        return;
    }
    enum hf_http_fault fault = hf_http_msg_check(x->request);
    if (fault) {
        hf_exchange_bad(x, fault);
        return;
    }
    hf_fsm_move(&x->fsm, HF_X_REACH);
    hf_exchange_reach(x);
}

static void act(struct hf_exchange *x)
{
    const struct hf_cfg_route *route = route_of(x);
    set_limits(x, route);
    if (x->opaque && route->action != HF_ROUTE_SERVICE) {
        hf_exchange_refuse(x, HF_MISHAP_BAD_PATH);
        return;
    }
    switch (route->action) {
    case HF_ROUTE_TO:
        forward(x, route);
        return;
    case HF_ROUTE_RESPOND:
        hf_exchange_respond(x, &route->respond);
        return;
    case HF_ROUTE_REDIRECT:
        hf_exchange_redirect(x, &route->redirect);
        return;
    case HF_ROUTE_SERVICE:
        hf_exchange_serve(x, x->door->http->services[x->verdict.route]);
        return;
    }
}

void hf_exchange_judge(struct hf_exchange *x, enum hf_auth_state auth, enum hf_reason auth_reason)
{
    judge(x, auth, auth_reason);
    if (x->verdict.wants_auth) {
        hf_exchange_authenticate(x);
    } else if (x->verdict.vital != HF_VITAL_NONE) {
        hf_exchange_vital(x);
    } else if (x->verdict.allow) {
        act(x);
    } else {
        hf_exchange_refuse(x, HF_MISHAP_REFUSED);
    }
}

/* Probes come before all that others share: a load balancer that is told 429 takes us out. */
static bool probes(struct hf_exchange *x)
{
    struct hf_request_input input = {0};
    struct hf_vital_paths paths;
    hf_exchange_vitals(x, &paths, &input);
    if (!input.vitals && !input.vitals_only) {
        return false;
    }
    struct hf_request request = request_of(x);
    input.request = &request;
    if (!hf_request_judge_vital(&input, &x->verdict)) {
        return false;
    }
    if (x->verdict.allow) {
        hf_exchange_vital(x);
    } else {
        hf_exchange_refuse(x, HF_MISHAP_REFUSED);
    }
    return true;
}

void hf_exchange_request(struct hf_exchange *x)
{
    hf_fsm_move(&x->fsm, HF_X_JUDGE);
    x->path = x->request->path;
    x->query = x->request->query;
    x->authority = x->request->authority;
    enum hf_http_fault fault = hf_http_msg_check_line(x->request);
    if (fault) {
        hf_exchange_bad(x, fault);
        return;
    }
    if (x->request->method == HF_METHOD_CONNECT) {
        hf_exchange_refuse(x, HF_MISHAP_NO_CONNECT);
        return;
    }
    if (x->down->barred != HF_REASON_OK) {
        x->verdict.reason = x->down->barred;
        x->verdict.status = 403;
        hf_exchange_refuse(x, HF_MISHAP_REFUSED);
        return;
    }
    enum hf_err err = hf_exchange_meet(x);
    if (err != HF_OK) {
        hf_exchange_refuse(x, HF_MISHAP_INTERNAL);
        return;
    }
    err = normalise(x);
    if (err != HF_OK) {
        hf_exchange_refuse(x, err == HF_E_INVALID ? HF_MISHAP_BAD_PATH : HF_MISHAP_HEAD_TOO_LARGE);
        return;
    }
    if (!probes(x) && !hf_exchange_serves_keys(x) && hf_exchange_within_limits(x)) {
        hf_exchange_judge(x, HF_AUTH_NOT_LOOKED, HF_REASON_OK);
    }
}

void hf_exchange_reach(struct hf_exchange *x)
{
    x->reaching = true;
    x->reach_ns = hf_clock_mono_ns(x->hub->worker->clock);
    hf_exchange_arm(x);
    hf_pool_reach(x);
}

void hf_exchange_judge_answer(struct hf_exchange *x, struct hf_http_msg *msg)
{
    const struct hf_cfg_route *route = route_of(x);
    if (route && edit(&route->headers.response, msg) != HF_OK) {
        hf_log_say(x->hub->worker->log, HF_LOG_WARN, "http", "an answer can't be changed: %s",
                   hf_err_text());
    }
}
