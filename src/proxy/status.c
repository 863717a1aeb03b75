// SPDX-License-Identifier: Apache-2.0
#include "proxy/status.h"

#include <unistd.h>

#include "base/text.h"
#include "os/clock.h"
#include "proxy/crl_admin.h"
#include "proxy/ocsp_desk.h"
#include "proxy/upstream_admin.h"

static json_t *door_json(struct hf_daemon *daemon, const struct hf_door *door)
{
    json_t *addresses = json_array();
    json_t *refused = json_object();
    for (size_t i = 0; i < door->cfg->n_listen; i++) {
        json_array_append_new(addresses, json_string(door->cfg->listen[i].text));
    }
    for (int i = 1; i < HF_REASON_N; i++) {
        const struct hf_series *series = door->metrics.refused[i]; /* NULL: never of a handshake */
        int64_t n = series ? hf_series_sum(daemon->metrics, series) : 0;
        if (n) {
            json_object_set_new(refused, hf_reason_code((enum hf_reason)i), json_integer(n));
        }
    }
    const struct hf_state *state = door->state;
    return json_pack(
        "{s:s, s:o, s:s, s:{s:I, s:I}, s:{s:I, s:I, s:o}}", "name", door->cfg->name, "addresses",
        addresses, "client", door->cfg->plain ? "plain" : hf_client_mode_name(door->cfg->client),
        "connections", "open", (json_int_t)atomic_load(&state->open), "total",
        (json_int_t)atomic_load(&state->total), "handshakes", "accepted",
        (json_int_t)hf_series_sum(daemon->metrics, door->metrics.accepted), "resumed",
        (json_int_t)hf_series_sum(daemon->metrics, door->metrics.resumed), "refused", refused);
}

static json_t *ocsp_json(const struct hf_daemon *daemon)
{
    struct hf_ocsp_stats stats;
    hf_ocsp_desk_stats(daemon->desk, &stats);
    return json_pack("{s:I, s:I, s:I, s:{s:I, s:I, s:I, s:I, s:I}}", "known",
                     (json_int_t)stats.n_known, "open", (json_int_t)stats.n_open, "requests",
                     (json_int_t)stats.n_requests, "answers", "good",
                     (json_int_t)stats.n_said[HF_OCSP_GOOD], "revoked",
                     (json_int_t)stats.n_said[HF_OCSP_REVOKED], "unknown",
                     (json_int_t)stats.n_said[HF_OCSP_UNKNOWN], "failed",
                     (json_int_t)stats.n_failed, "untrusted", (json_int_t)stats.n_untrusted);
}

static json_t *revocation_json(const struct hf_daemon *daemon)
{
    const struct hf_denylist *deny = hf_ledger_denylist(daemon->ledger);
    return json_pack("{s:I, s:o, s:o}", "deny_list",
                     (json_int_t)(deny ? hf_denylist_count(deny) : 0), "ocsp", ocsp_json(daemon),
                     "lists", hf_crl_lists_json(daemon));
}

static const char *state_name(const struct hf_daemon *daemon)
{
    static const char *const names[] = {"starting", "running", "draining"};
    return names[daemon->state];
}

json_t *hf_status_json(struct hf_daemon *daemon)
{
    const struct hf_snapshot *snapshot = daemon->snapshot;
    json_t *listeners = json_array();
    json_t *upstreams = json_array();
    char loaded_at[HF_TIME_TEXT_SIZE];
    for (size_t i = 0; i < snapshot->n_doors; i++) {
        json_array_append_new(listeners, door_json(daemon, &snapshot->doors[i]));
    }
    for (size_t i = 0; i < snapshot->n_upstreams; i++) {
        json_array_append_new(
            upstreams, hf_upstream_json(&snapshot->upstreams[i], hf_loop_now_ms(daemon->loop)));
    }
    hf_format_time(snapshot->loaded_at, loaded_at);
    struct hf_logsink_stats log;
    hf_logsink_stats(daemon->sink, &log);
    return json_pack(
        "{s:s, s:i, s:I, s:s, s:i, s:{s:s, s:s, s:i}, s:o, s:o, s:o, s:{s:I, s:I, s:I}}", "version",
        HF_VERSION, "pid", (int)getpid(), "uptime_s",
        (json_int_t)(hf_clock_wall_s(&hf_os_clock) - daemon->started_at), "state",
        state_name(daemon), "workers", (int)daemon->n_workers, "config", "file",
        snapshot->config->path, "loaded_at", loaded_at, "generation", (int)snapshot->generation,
        "listeners", listeners, "upstreams", upstreams, "revocation", revocation_json(daemon),
        "log", "lines", (json_int_t)log.lines, "dropped", (json_int_t)log.dropped, "write_errors",
        (json_int_t)log.write_errors);
}

static void set_tls(json_t *json, const struct hf_tls *tls)
{
    if (!tls) {
        return;
    }
    struct hf_tls_info info;
    hf_tls_info(tls, &info);
    const struct {
        const char *key;
        const char *value;
    } fields[] = {{"version", info.version}, {"suite", info.suite}, {"group", info.group},
                  {"alpn", info.alpn},       {"sni", info.sni},     {"engine", info.engine}};
    for (size_t i = 0; i < HF_N_ELEMENTS(fields); i++) {
        if (fields[i].value) {
            json_object_set_new(json, fields[i].key, json_string(fields[i].value));
        }
    }
    json_object_set_new(json, "resumed", json_boolean(info.resumed));
}

json_t *hf_session_json(const struct hf_session *session)
{
    char id[HF_SESSION_ID_SIZE];
    char peer[HF_ADDR_TEXT_SIZE];
    char since[HF_TIME_TEXT_SIZE];
    int64_t age_ms = hf_loop_now_ms(session->worker->loop) - session->since_ms;
    hf_session_id_format(session, id);
    struct hf_addr addr;
    hf_session_peer(session, &addr);
    hf_addr_format(&addr, peer);
    hf_format_time(hf_clock_wall_s(session->worker->clock) - age_ms / 1000, since);
    json_t *json = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I}", "id", id, "listener", session->door->cfg->name,
        "peer", peer, "since", since, "state", hf_fsm_name(&session->fsm), "bytes_in",
        (json_int_t)session->client.n_in, "bytes_out", (json_int_t)session->client.n_out, "idle_ms",
        (json_int_t)(hf_loop_now_ms(session->worker->loop) - session->active_ms));
    if (!json) {
        return NULL;
    }
    if (session->identity) {
        json_object_set_new(json, "identity", json_string(hf_identity_display(session->identity)));
        json_object_set_new(json, "subject", json_string(session->identity->subject));
        json_object_set_new(json, "serial", json_string(session->identity->serial));
        json_object_set_new(json, "verified", json_boolean(session->verified));
    }
    if (session->bar) {
        json_object_set_new(json, "refused", json_string(hf_reason_code(session->bar->reason)));
    }
    if (session->upstream) {
        json_object_set_new(json, "upstream", json_string(session->upstream->cfg->text));
    }
    set_tls(json, session->client.tls);
    return json;
}
