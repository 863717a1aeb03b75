// SPDX-License-Identifier: Apache-2.0
/*
 * The admin socket and the metrics, on the control thread. What workers know of their sessions they
 * write themselves, in a posted task each; the control thread joins the parts and answers.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"
#include "proxy/crl_admin.h"
#include "proxy/daemon_impl.h"
#include "proxy/explain_admin.h"
#include "proxy/review.h"
#include "proxy/revoke_admin.h"
#include "proxy/status.h"
#include "proxy/upstream_admin.h"
#include "watch/httpd.h"

enum {
    ADMIN_BACKLOG = 64,
    ADMIN_MODE = 0600,
    SESSIONS_DEFAULT = 1000, /* listed when nothing else is asked for */
    SESSIONS_MAX = 100000,
    METRICS_SIZE_MAX = 64 << 20,
};

/* --- /sessions ----------------------------------------------------------------------------------
 */

struct roll_part {
    struct hf_task task;
    struct hf_task back;
    struct roll *roll;
    struct hf_worker *worker;
    json_t *sessions; /* NULL: out of memory */
    size_t n_matching;
};

/* A call for the sessions of all workers. Its parts are tasks in the workers' loops, so it lives
 * until the last of them has come back, answered or not. */
struct roll {
    struct hf_link link;
    struct hf_daemon *daemon;
    struct hf_httpd_call *call; /* NULL: answered already, as the daemon stops */
    char listener[64];          /* "": every one */
    size_t limit;
    unsigned n_left;
    struct roll_part parts[];
};

static bool matches(const struct roll *roll, const struct hf_session *session)
{
    return !roll->listener[0] || strcmp(session->door->cfg->name, roll->listener) == 0;
}

static void answer_roll(struct roll *roll)
{
    json_t *all = json_array();
    size_t total = 0;
    bool whole = all != NULL;
    for (unsigned i = 0; i < roll->daemon->n_workers; i++) {
        struct roll_part *part = &roll->parts[i];
        total += part->n_matching;
        whole = whole &&
                (!part->roll || (part->sessions && json_array_extend(all, part->sessions) == 0));
        json_decref(part->sessions);
    }
    while (json_array_size(all) > roll->limit) {
        json_array_remove(all, json_array_size(all) - 1);
    }
    if (whole) {
        hf_httpd_json(roll->call, 200,
                      json_pack("{s:o, s:I}", "sessions", all, "total", (json_int_t)total));
    } else {
        json_decref(all);
        hf_httpd_error(roll->call, 500, "out-of-memory", "there is no memory for the answer");
    }
    hf_link_remove(&roll->link);
    hf_free(roll);
}

/* The parts that are still out come back when the loops that hold them are freed. */
static void abandon_roll(struct roll *roll)
{
    hf_httpd_error(HF_TAKE(roll->call), 503, "stopping", "the daemon has stopped");
    hf_link_remove(&roll->link);
}

static void free_abandoned(struct roll *roll)
{
    for (unsigned i = 0; i < roll->daemon->n_workers; i++) {
        json_decref(roll->parts[i].sessions);
    }
    hf_free(roll);
}

static void roll_back(struct hf_task *task)
{
    struct roll_part *part = HF_CONTAINER_OF(task, struct roll_part, back);
    struct roll *roll = part->roll;
    if (--roll->n_left > 0) {
        return;
    }
    if (roll->call) {
        answer_roll(roll);
    } else {
        free_abandoned(roll);
    }
}

/* On the worker's thread. */
static void roll_call(struct hf_task *task)
{
    struct roll_part *part = HF_CONTAINER_OF(task, struct roll_part, task);
    const struct roll *roll = part->roll;
    part->sessions = json_array();
    hf_review_rejoin(part->worker);
    HF_LIST_FOREACH (&part->worker->sessions, link) {
        const struct hf_session *session = HF_CONTAINER_OF(link, struct hf_session, link);
        if (matches(roll, session) && part->n_matching++ < roll->limit) {
            json_array_append_new(part->sessions, hf_session_json(session));
        }
    }
    part->back.run = roll_back;
    hf_loop_post(roll->daemon->loop, &part->back);
}

static size_t wanted_limit(const struct hf_httpd_call *call)
{
    char text[16];
    uint64_t limit;
    if (!hf_httpd_param(call, "limit", text, sizeof(text)) ||
        hf_parse_uint(text, SESSIONS_MAX, &limit) != HF_OK) {
        return SESSIONS_DEFAULT;
    }
    return limit;
}

static void on_sessions(void *ctx, struct hf_httpd_call *call)
{
    struct hf_daemon *daemon = ctx;
    struct roll *roll =
        hf_alloc_zero(1, sizeof(*roll) + daemon->n_workers * sizeof(roll->parts[0]));
    if (!roll) {
        hf_httpd_error(call, 500, "out-of-memory", "%s", hf_err_text());
        return;
    }
    roll->daemon = daemon;
    roll->call = call;
    roll->limit = wanted_limit(call);
    roll->n_left = 1; /* held until all are told */
    (void)hf_httpd_param(call, "listener", roll->listener, sizeof(roll->listener));
    hf_list_push(&daemon->rolls, &roll->link);
    for (unsigned i = 0; i < daemon->n_workers; i++) {
        if (daemon->workers[i]->has_ended) {
            continue; /* it has no sessions any more, and nobody to hear us */
        }
        roll->n_left++;
        roll->parts[i] = (struct roll_part){
            .task = {.run = roll_call}, .roll = roll, .worker = daemon->workers[i]};
        hf_loop_post(daemon->workers[i]->loop, &roll->parts[i].task);
    }
    if (--roll->n_left == 0) {
        answer_roll(roll);
    }
}

/* --- /status, /drain ----------------------------------------------------------------------------
 */

static void on_status(void *ctx, struct hf_httpd_call *call)
{
    hf_httpd_json(call, 200, hf_status_json(ctx));
}

static void on_drain(void *ctx, struct hf_httpd_call *call)
{
    struct hf_daemon *daemon = ctx;
    hf_daemon_drain(daemon);
    hf_httpd_json(call, 202,
                  json_pack("{s:b, s:I, s:I}", "draining", 1, "open",
                            (json_int_t)hf_daemon_n_open(daemon), "timeout_ms",
                            (json_int_t)daemon->snapshot->config->drain_timeout_ms));
}

/* --- /reload ------------------------------------------------------------------------------------
 */

/* The findings as the array that `handfast check --json` prints; NULL: out of memory. */
static json_t *findings_json(struct hf_findings *findings)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(16u << 20);
    if (hf_findings_json(findings, &text) != HF_OK) {
        return NULL;
    }
    struct hf_bytes bytes = hf_buf_bytes(&text);
    return json_loadb((const char *)bytes.ptr, bytes.len, 0, NULL);
}

static void on_reload_end(void *ctx, enum hf_err err, struct hf_findings *findings)
{
    struct hf_httpd_call *call = ctx;
    char text[HF_ERR_TEXT_MAX];
    memcpy(text, hf_err_text(), sizeof(text)); /* what follows may fail too */
    json_t *array = findings_json(findings);
    if (err == HF_OK) {
        hf_httpd_json(call, 200, json_pack("{s:b, s:o}", "reloaded", 1, "findings", array));
        return;
    }
    hf_httpd_json(call, 409,
                  json_pack("{s:s, s:s, s:o}", "error", hf_err_name(err), "message", text,
                            "findings", array));
}

static void on_reload(void *ctx, struct hf_httpd_call *call)
{
    hf_daemon_reload(ctx, on_reload_end, call);
}

/* --- /metrics -----------------------------------------------------------------------------------
 */

static bool wants_openmetrics(const struct hf_httpd_call *call)
{
    struct hf_bytes accept;
    return hf_http_fields_find(&hf_httpd_request(call)->fields, HF_HTTP_ACCEPT, &accept) &&
           memmem(accept.ptr, accept.len, "application/openmetrics-text", 28);
}

static void on_metrics(void *ctx, struct hf_httpd_call *call)
{
    struct hf_daemon *daemon = ctx;
    struct hf_buf text = HF_BUF_INIT(METRICS_SIZE_MAX);
    enum hf_metrics_format format =
        wants_openmetrics(call) ? HF_METRICS_OPENMETRICS : HF_METRICS_PROMETHEUS;
    if (hf_metrics_render(daemon->metrics, format, &text) != HF_OK) {
        hf_buf_done(&text);
        hf_httpd_error(call, 500, "metrics", "%s", hf_err_text());
        return;
    }
    hf_httpd_buf(call, 200, hf_metrics_content_type(format), &text);
}

/* --- The servers --------------------------------------------------------------------------------
 */

static const struct hf_httpd_route admin_routes[] = {
    {HF_METHOD_GET, "/status", on_status},
    {HF_METHOD_GET, "/sessions", on_sessions},
    {HF_METHOD_POST, "/reload", on_reload},
    {HF_METHOD_POST, "/drain", on_drain},
    {HF_METHOD_GET, "/metrics", on_metrics},
    {HF_METHOD_GET, "/upstreams", hf_admin_upstreams},
    {HF_METHOD_POST, "/upstreams/drain", hf_admin_upstream_drain},
    {HF_METHOD_POST, "/upstreams/enable", hf_admin_upstream_enable},
    {HF_METHOD_GET, "/verdicts", hf_admin_verdicts},
    {HF_METHOD_GET, "/reports", hf_admin_reports},
    {HF_METHOD_GET, "/revocations", hf_admin_revocations},
    {HF_METHOD_POST, "/revocations", hf_admin_revoke},
    {HF_METHOD_POST, "/revocations/undo", hf_admin_undo},
    {HF_METHOD_GET, "/crls", hf_admin_crls},
    {HF_METHOD_POST, "/crls/fetch", hf_admin_crls_fetch},
};

static const struct hf_httpd_route metrics_routes[] = {{HF_METHOD_GET, "/metrics", on_metrics}};

static enum hf_err start_server(struct hf_daemon *daemon, const struct hf_cfg_addr *cfg,
                                const struct hf_httpd_config *config, int *out_fd,
                                struct hf_httpd **out)
{
    if (!cfg->text) {
        return HF_OK;
    }
    *out_fd = hf_activation_take(&daemon->activation, &cfg->addr);
    if (*out_fd < 0) {
        HF_TRY(hf_sock_listen(&cfg->addr, ADMIN_BACKLOG, ADMIN_MODE, out_fd));
    }
    HF_TRY(hf_httpd_new(config, out));
    return hf_httpd_listen(*out, *out_fd);
}

enum hf_err hf_daemon_admin_start(struct hf_daemon *daemon)
{
    const struct hf_config *config = daemon->snapshot->config;
    struct hf_httpd_config admin = {
        .loop = daemon->loop,
        .routes = admin_routes,
        .n_routes = HF_N_ELEMENTS(admin_routes),
        .ctx = daemon,
        .same_user_only = true,
        .log = &daemon->log,
    };
    struct hf_httpd_config metrics = {
        .loop = daemon->loop,
        .routes = metrics_routes,
        .n_routes = HF_N_ELEMENTS(metrics_routes),
        .ctx = daemon,
        .log = &daemon->log,
    };
    enum hf_err err =
        start_server(daemon, &config->admin, &admin, &daemon->admin_fd, &daemon->admin);
    if (err != HF_OK) {
        return hf_fail_context(err, "admin");
    }
    err = start_server(daemon, &config->metrics, &metrics, &daemon->metrics_fd,
                       &daemon->metrics_server);
    return err == HF_OK ? HF_OK : hf_fail_context(err, "metrics");
}

void hf_daemon_admin_stop(struct hf_daemon *daemon)
{
    const struct hf_addr *addr = daemon->snapshot ? &daemon->snapshot->config->admin.addr : NULL;
    HF_LIST_FOREACH (&daemon->rolls, link) {
        /* A worker ended before it heard of the call, whose client goes with the server. */
        abandon_roll(HF_CONTAINER_OF(link, struct roll, link));
    }
    hf_httpd_free(daemon->admin);
    hf_httpd_free(daemon->metrics_server);
    hf_closep(&daemon->metrics_fd);
    if (daemon->admin_fd >= 0 && addr->un.sun_path[0]) {
        unlink(addr->un.sun_path);
    }
    hf_closep(&daemon->admin_fd);
}
