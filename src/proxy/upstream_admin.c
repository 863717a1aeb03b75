// SPDX-License-Identifier: Apache-2.0
#include "proxy/upstream_admin.h"

#include <string.h>

#include "proxy/balance.h"
#include "proxy/balance_queue.h"
#include "proxy/eject.h"

enum { SERVER_TEXT_MAX = 512 };

/* --- As JSON ------------------------------------------------------------------------------------
 */

/* In the words of the operator's interest: why it gets nothing, or that it does. */
static const char *standing_name(const struct hf_server *server, int64_t now_ms)
{
    if (hf_server_usable(server, now_ms)) {
        bool ramping = atomic_load(&server->state->ramp_from_ms) != 0;
        return ramping ? "returning" : "up";
    }
    unsigned standing = atomic_load(&server->state->standing);
    return standing & HF_SERVER_DRAINED ? "drained"
           : standing & HF_SERVER_DOWN  ? "down"
                                        : "ejected";
}

static json_t *server_json(const struct hf_server *server, int64_t now_ms)
{
    const struct hf_server_state *state = server->state;
    const char *standing = standing_name(server, now_ms);
    json_t *json = json_pack(
        "{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "address", server->cfg->text, "state",
        standing, "weight", (json_int_t)hf_weight(server->cfg), "open",
        (json_int_t)atomic_load(&state->open), "active", (json_int_t)atomic_load(&state->active),
        "total", (json_int_t)atomic_load(&state->total), "failures",
        (json_int_t)atomic_load(&state->failed), "ejections",
        (json_int_t)atomic_load(&state->ejected_total), "latency_us",
        (json_int_t)(atomic_load(&state->latency) >> 32));
    if (json && strcmp(standing, "ejected") == 0) {
        int64_t rest_ms = atomic_load(&state->ejected_until_ms) - now_ms;
        json_object_set_new(json, "back_in_ms", json_integer(rest_ms > 0 ? rest_ms : 0));
    }
    const struct hf_health *health = &state->health;
    if (json && server->upstream->cfg->check_on && health->known) {
        json_object_set_new(json, "check",
                            json_pack("{s:b, s:s, s:I}", "good", health->last_good, "why",
                                      health->last_good ? "" : health->why, "age_ms",
                                      (json_int_t)(now_ms - health->at_ms)));
    }
    return json;
}

json_t *hf_upstream_json(const struct hf_upstream *upstream, int64_t now_ms)
{
    json_t *servers = json_array();
    for (size_t i = 0; i < upstream->n_servers; i++) {
        json_array_append_new(servers, server_json(&upstream->servers[i], now_ms));
    }
    return json_pack("{s:s, s:I, s:I, s:o}", "name", upstream->cfg->name, "active",
                     (json_int_t)atomic_load(&upstream->state->active), "waiting",
                     (json_int_t)atomic_load(&upstream->state->waiting), "servers", servers);
}

/* --- Finding what a call names ------------------------------------------------------------------
 */

static const struct hf_upstream *find_upstream(const struct hf_daemon *daemon, const char *name)
{
    const struct hf_snapshot *snapshot = daemon->snapshot;
    for (size_t i = 0; i < snapshot->n_upstreams; i++) {
        if (strcmp(snapshot->upstreams[i].cfg->name, name) == 0) {
            return &snapshot->upstreams[i];
        }
    }
    return NULL;
}

static const struct hf_server *find_server(const struct hf_upstream *upstream, const char *text)
{
    for (size_t i = 0; i < upstream->n_servers; i++) {
        if (strcmp(upstream->servers[i].cfg->text, text) == 0) {
            return &upstream->servers[i];
        }
    }
    return NULL;
}

/* The server that a call names; NULL: it has been answered. */
static const struct hf_server *server_of_call(const struct hf_daemon *daemon,
                                              struct hf_httpd_call *call)
{
    char name[64] = "";
    char text[SERVER_TEXT_MAX] = "";
    if (!hf_httpd_param(call, "upstream", name, sizeof(name)) ||
        !hf_httpd_param(call, "server", text, sizeof(text))) {
        hf_httpd_error(call, 400, "usage", "name the upstream and one of its servers");
        return NULL;
    }
    const struct hf_upstream *upstream = find_upstream(daemon, name);
    if (!upstream) {
        hf_httpd_error(call, 404, "not-found", "there is no upstream \"%s\"", name);
        return NULL;
    }
    const struct hf_server *server = find_server(upstream, text);
    if (!server) {
        hf_httpd_error(call, 404, "not-found",
                       "upstream \"%s\" has no server %s; write it as the config does", name, text);
    }
    return server;
}

/* --- Calls --------------------------------------------------------------------------------------
 */

void hf_admin_upstreams(void *ctx, struct hf_httpd_call *call)
{
    struct hf_daemon *daemon = ctx;
    char name[64] = "";
    bool one = hf_httpd_param(call, "upstream", name, sizeof(name));
    if (one && !find_upstream(daemon, name)) {
        hf_httpd_error(call, 404, "not-found", "there is no upstream \"%s\"", name);
        return;
    }
    json_t *upstreams = json_array();
    for (size_t i = 0; i < daemon->snapshot->n_upstreams; i++) {
        const struct hf_upstream *upstream = &daemon->snapshot->upstreams[i];
        if (!one || strcmp(upstream->cfg->name, name) == 0) {
            json_array_append_new(upstreams,
                                  hf_upstream_json(upstream, hf_loop_now_ms(daemon->loop)));
        }
    }
    hf_httpd_json(call, 200, json_pack("{s:o}", "upstreams", upstreams));
}

static void say(struct hf_daemon *daemon, const struct hf_server *server, const char *event)
{
    struct hf_log_line line;
    hf_log_begin(&line, &daemon->log, HF_LOG_INFO, event);
    hf_log_str(&line, "upstream", server->upstream->cfg->name);
    hf_log_str(&line, "server", server->cfg->text);
    hf_log_int(&line, "open", atomic_load(&server->state->open));
    hf_log_end(&line);
}

static void answer(struct hf_daemon *daemon, const struct hf_server *server,
                   struct hf_httpd_call *call)
{
    hf_httpd_json(call, 200, server_json(server, hf_loop_now_ms(daemon->loop)));
}

void hf_admin_upstream_drain(void *ctx, struct hf_httpd_call *call)
{
    struct hf_daemon *daemon = ctx;
    const struct hf_server *server = server_of_call(daemon, call);
    if (!server) {
        return;
    }
    if (!(atomic_fetch_or(&server->state->standing, HF_SERVER_DRAINED) & HF_SERVER_DRAINED)) {
        say(daemon, server, "server-drained");
        hf_queue_wake(server->upstream->state); /* who waits for it alone waits for nothing */
    }
    answer(daemon, server, call);
}

void hf_admin_upstream_enable(void *ctx, struct hf_httpd_call *call)
{
    struct hf_daemon *daemon = ctx;
    const struct hf_server *server = server_of_call(daemon, call);
    if (!server) {
        return;
    }
    const unsigned ours = HF_SERVER_DRAINED | HF_SERVER_EJECTED;
    if (atomic_fetch_and(&server->state->standing, ~ours) & ours) {
        hf_server_return(server->upstream, server, hf_loop_now_ms(daemon->loop));
        say(daemon, server, "server-enabled");
        hf_queue_wake(server->upstream->state);
    }
    answer(daemon, server, call);
}
