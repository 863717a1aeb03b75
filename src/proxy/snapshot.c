// SPDX-License-Identifier: Apache-2.0
/*
 * From typed configuration to what workers run. The order: materials (files), TLS contexts of
 * upstreams, then doors, which point at upstreams. All findings of one stage are collected before
 * the next begins.
 */
#include "proxy/snapshot.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "proxy/balance_queue.h"
#include "proxy/server_check.h"
#include "proxy/session_judge.h"
#include "proxy/upstream_metrics.h"
#include "tls/ticket_keys.h"

enum { LOG_FLUSH_MS = 1000 };

/* --- Named state --------------------------------------------------------------------------------
 */

static void state_unref(struct hf_state *state)
{
    if (state && atomic_fetch_sub(&state->refs, 1) == 1) {
        hf_limits_done(&state->limits);
        hf_free(state);
    }
}

static void server_state_unref(struct hf_server_state *state)
{
    if (state && atomic_fetch_sub(&state->refs, 1) == 1) {
        hf_free(state);
    }
}

static void upstream_state_unref(struct hf_upstream_state *state)
{
    if (state && atomic_fetch_sub(&state->refs, 1) == 1) {
        hf_queues_free(state);
        hf_free(state);
    }
}

/* The object of this name, made at its first use, zeroed; the map holds a reference, in an
 * atomic_uint at refs_offset, and the caller gets another. */
static void *named(struct hf_map *map, const char *name, size_t size, size_t refs_offset)
{
    struct hf_bytes key = hf_bytes_str(name);
    char *object = hf_map_get(map, key);
    if (!object) {
        object = hf_alloc_zero(1, size);
        if (!object) {
            return NULL;
        }
        atomic_init((atomic_uint *)(void *)(object + refs_offset), 1);
        if (hf_map_put(map, key, object) != HF_OK) {
            hf_free(object);
            return NULL;
        }
    }
    atomic_fetch_add((atomic_uint *)(void *)(object + refs_offset), 1);
    return object;
}

#define NAMED(map, name, type) ((type *)named((map), (name), sizeof(type), offsetof(type, refs)))

static struct hf_server_state *server_state(struct hf_snapshot_env *env, const char *upstream,
                                            const char *server)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf key = HF_BUF_INIT(4096);
    if (hf_buf_printf(&key, "%s/%s%c", upstream, server, '\0') != HF_OK) {
        return NULL;
    }
    return NAMED(&env->servers, (const char *)hf_buf_bytes(&key).ptr, struct hf_server_state);
}

enum hf_err hf_snapshot_env_init(struct hf_snapshot_env *env, const struct hf_clock *clock,
                                 const struct hf_rng *rng, struct hf_metrics *metrics)
{
    *env = (struct hf_snapshot_env){.clock = clock, .rng = rng, .metrics = metrics};
    return hf_ticket_keys_draw(&env->ticket_keys, rng);
}

void hf_snapshot_env_done(struct hf_snapshot_env *env)
{
    size_t at = 0;
    for (struct hf_state *state; (state = hf_map_next(&env->states, &at));) {
        state_unref(state);
    }
    at = 0;
    for (struct hf_server_state *state; (state = hf_map_next(&env->servers, &at));) {
        server_state_unref(state);
    }
    at = 0;
    for (struct hf_upstream_state *state; (state = hf_map_next(&env->upstreams, &at));) {
        upstream_state_unref(state);
    }
    hf_map_done(&env->states);
    hf_map_done(&env->servers);
    hf_map_done(&env->upstreams);
    hf_teller_env_done(&env->teller, LOG_FLUSH_MS);
    hf_ticket_keys_wipe(&env->ticket_keys);
}

/* --- TLS settings that both sides share ---------------------------------------------------------
 */

/* unsafe-keylog: the hook lives as long as the context that it is given to. */
static enum hf_err open_keylog(const struct hf_cfg_tls *cfg, struct hf_keylog *keylog,
                               struct hf_tls_keylog *hook, struct hf_tls_common *out)
{
    if (!cfg->unsafe_keylog.value) {
        return HF_OK;
    }
    HF_TRY(hf_keylog_open(keylog, cfg->unsafe_keylog.value));
    *hook = (struct hf_tls_keylog){.ctx = keylog, .line = hf_keylog_line};
    out->keylog = hook;
    return HF_OK;
}

static enum hf_err fill_common(const struct hf_snapshot_env *env, const struct hf_cfg_tls *cfg,
                               const char ***out_alpn, struct hf_tls_common *out)
{
    const char **alpn = hf_alloc_zero(cfg->alpn.n + 1, sizeof(*alpn));
    if (!alpn) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < cfg->alpn.n; i++) {
        alpn[i] = cfg->alpn.item[i].value;
    }
    *out_alpn = alpn;
    *out = (struct hf_tls_common){
        .engine = cfg->engine,
        .min_version = cfg->min_version,
        .max_version = cfg->max_version,
        .suites = cfg->suites.value,
        .ciphers = cfg->ciphers.value,
        .groups = cfg->groups.value,
        .signatures = cfg->signatures.value,
        .own_signatures = cfg->own_signatures.value,
        .cert_compression = cfg->cert_compression.value,
        .record_padding = (uint16_t)cfg->record_padding,
        .record_size_limit = (uint16_t)cfg->record_size_limit,
        .alpn = cfg->alpn.n ? alpn : NULL,
        .clock = env->clock,
        .rng = env->rng,
    };
    return HF_OK;
}

static bool looks_at_staples(const struct hf_cfg_trust *trust)
{
    return trust && trust->ocsp.given && trust->ocsp.staple != HF_STAPLE_IGNORE;
}

/* What a side of ours may show: credentials and staples, in the config's order. */
struct identities {
    struct hf_credential **credentials;
    struct hf_bytes *staples;
};

static void identities_done(struct identities *identities)
{
    hf_free(identities->credentials);
    hf_free(identities->staples);
}

static enum hf_err find_identities(const struct hf_materials *materials,
                                   struct hf_cfg_identity *const *cfg, size_t n,
                                   struct identities *out)
{
    out->credentials = hf_alloc_zero(n + 1, sizeof(*out->credentials));
    out->staples = hf_alloc_zero(n + 1, sizeof(*out->staples));
    if (!out->credentials || !out->staples) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < n; i++) {
        out->credentials[i] = hf_materials_identity(materials, cfg[i]);
        out->staples[i] = hf_materials_staple(materials, cfg[i]);
    }
    return HF_OK;
}

/* --- Upstreams ----------------------------------------------------------------------------------
 */

static enum hf_err make_server(struct hf_snapshot_env *env, const struct hf_cfg_upstream *cfg,
                               const struct hf_cfg_server *server, struct hf_server *out)
{
    out->cfg = server;
    out->state = server_state(env, cfg->name, server->text);
    if (!out->state) {
        return HF_E_NOMEM;
    }
    hf_server_metrics_make(env->metrics, out);
    const char *name = cfg->tls_name.value ? cfg->tls_name.value : server->host;
    if (cfg->tls_on && name) {
        out->tls_name = hf_strdup(name);
        if (!out->tls_name) {
            return HF_E_NOMEM;
        }
    }
    const char *sni = cfg->tls_sni.value    ? cfg->tls_sni.value
                      : cfg->tls_name.value ? cfg->tls_name.value
                      : server->is_address  ? NULL
                                            : server->host;
    if (cfg->tls_on && sni) {
        out->tls_sni = hf_strdup(sni);
        if (!out->tls_sni) {
            return HF_E_NOMEM;
        }
    }
    return HF_OK;
}

/* What is offered to a server, by the protocol that is to be spoken with it. */
static const char *const *alpn_of(enum hf_cfg_protocol protocol)
{
    static const char *const h2[] = {"h2", NULL};
    static const char *const both[] = {"h2", "http/1.1", NULL};
    return protocol == HF_PROTOCOL_H2 ? h2 : protocol == HF_PROTOCOL_AUTO ? both : NULL;
}

static enum hf_err make_upstream_tls(struct hf_snapshot_env *env, struct hf_snapshot *snapshot,
                                     struct hf_upstream *upstream)
{
    const struct hf_cfg_upstream *cfg = upstream->cfg;
    HF_CLEANUP(hf_freep) const char **alpn = NULL;
    HF_CLEANUP(identities_done) struct identities ours = {NULL, NULL};
    HF_TRY(find_identities(snapshot->materials, cfg->tls_identities, cfg->n_tls_identities, &ours));
    struct hf_tls_client_config config = {
        .identities = ours.credentials,
        .staples = ours.staples,
        .n_identities = cfg->n_tls_identities,
        .judge = hf_server_check_judge,
        .post_handshake_auth = cfg->tls.post_handshake_auth,
    };
    bool too_long = false; /* hf_lint says so */
    if (cfg->tls_send_names && upstream->trust) {
        config.n_ca_names = hf_trust_names_der(upstream->trust, &config.ca_names, &too_long);
    }
    HF_TRY(fill_common(env, &cfg->tls, &alpn, &config.common));
    config.common.ask_staple = looks_at_staples(cfg->tls_trust);
    if (cfg->tls.alpn.n == 0) {
        config.common.alpn = alpn_of(cfg->protocol);
    }
    HF_TRY(open_keylog(&cfg->tls, &upstream->keylog, &upstream->keylog_hook, &config.common));
    return hf_tls_client_ctx_new(&config, &upstream->tls);
}

static enum hf_err make_upstream(struct hf_snapshot_env *env, struct hf_snapshot *snapshot,
                                 const struct hf_cfg_upstream *cfg, struct hf_upstream *out)
{
    out->cfg = cfg;
    out->log = env->log;
    out->keylog = HF_KEYLOG_OFF;
    out->state = NAMED(&env->upstreams, cfg->name, struct hf_upstream_state);
    out->servers = hf_alloc_zero(cfg->n_servers, sizeof(*out->servers));
    if (!out->state || !out->servers) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < cfg->n_servers; i++) {
        struct hf_server *server = &out->servers[i];
        server->upstream = out;
        server->index = out->n_servers++;
        HF_TRY(make_server(env, cfg, &cfg->servers[i], server));
    }
    HF_TRY(hf_balance_table_init(&out->table, cfg));
    out->connects = hf_metrics_counter(env->metrics, "handfast_upstream_connects_total",
                                       "Connections made to servers of an upstream.", "upstream",
                                       cfg->name, NULL);
    out->answer_seconds =
        hf_metrics_histogram(env->metrics, "handfast_upstream_response_duration_seconds",
                             "From sending a request to the head of its answer.", &hf_buckets_us,
                             "upstream", cfg->name, NULL);
    out->failures = hf_metrics_counter(env->metrics, "handfast_upstream_failures_total",
                                       "Attempts to reach a server of an upstream that failed.",
                                       "upstream", cfg->name, NULL);
    out->trust = cfg->tls_trust ? hf_materials_trust(snapshot->materials, cfg->tls_trust) : NULL;
    return cfg->tls_on ? make_upstream_tls(env, snapshot, out) : HF_OK;
}

/* --- Doors --------------------------------------------------------------------------------------
 */

static void make_door_metrics(struct hf_snapshot_env *env, const struct hf_cfg_listener *cfg,
                              struct hf_door_metrics *out)
{
    const char *name = cfg->name;
    struct hf_metrics *m = env->metrics;
    const char *help = "TLS handshakes with clients by result.";
    out->accepted = hf_metrics_counter(m, "handfast_handshakes_total", help, "listener", name,
                                       "result", "accepted", "reason", "ok", NULL);
    for (int i = 1; i < HF_REASON_N; i++) {
        if (hf_reason_step((enum hf_reason)i) == HF_STEP_AUTH) {
            continue; /* of requests, not of handshakes */
        }
        out->refused[i] =
            hf_metrics_counter(m, "handfast_handshakes_total", help, "listener", name, "result",
                               "refused", "reason", hf_reason_code((enum hf_reason)i), NULL);
    }
    for (int i = 1; i < HF_REASON_N && cfg->report_only; i++) {
        enum hf_step step = hf_reason_step((enum hf_reason)i);
        if (step >= HF_STEP_CERTIFICATE && step <= HF_STEP_REVOCATION) {
            out->reported[i] = hf_metrics_counter(
                m, "handfast_handshakes_reported_total",
                "Clients that report-only alone has let in, by why they would be refused.",
                "listener", name, "reason", hf_reason_code((enum hf_reason)i), NULL);
        }
    }
    out->resumed = hf_metrics_counter(m, "handfast_handshakes_resumed_total",
                                      "Handshakes with clients that resumed a session.", "listener",
                                      name, NULL);
    out->connections = hf_metrics_counter(m, "handfast_connections_total", "Connections accepted.",
                                          "listener", name, NULL);
    out->bytes_in =
        hf_metrics_counter(m, "handfast_client_received_bytes_total",
                           "Application bytes received from clients.", "listener", name, NULL);
    out->bytes_out =
        hf_metrics_counter(m, "handfast_client_sent_bytes_total",
                           "Application bytes sent to clients.", "listener", name, NULL);
    out->handshake_seconds =
        hf_metrics_histogram(m, "handfast_handshake_duration_seconds",
                             "From accepting a connection to its handshake's end, when accepted.",
                             &hf_buckets_us, "listener", name, NULL);
}

static void release_door_metrics(struct hf_metrics *m, const struct hf_door_metrics *metrics)
{
    hf_metrics_release(m, metrics->accepted);
    for (int i = 1; i < HF_REASON_N; i++) {
        hf_metrics_release(m, metrics->refused[i]);
        hf_metrics_release(m, metrics->reported[i]);
    }
    hf_metrics_release(m, metrics->resumed);
    hf_metrics_release(m, metrics->connections);
    hf_metrics_release(m, metrics->bytes_in);
    hf_metrics_release(m, metrics->bytes_out);
    hf_metrics_release(m, metrics->handshake_seconds);
}

/* A ticket resumes only where the same listener would judge by the same mode and the same trust. */
static enum hf_err make_realm(const struct hf_door *door, const struct hf_door_policy *policy,
                              uint8_t out[static 32])
{
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4096);
    HF_TRY(hf_buf_printf(&text, "%s\n%s\n", door->cfg->name, hf_client_mode_name(policy->mode)));
    if (policy->trust) {
        HF_TRY(hf_buf_append(&text, hf_bytes_of(hf_trust_id(policy->trust), HF_SHA256_SIZE)));
    }
    struct hf_bytes bytes = hf_buf_bytes(&text);
    if (!EVP_Digest(bytes.ptr, bytes.len, out, NULL, EVP_sha256(), NULL)) {
        return hf_fail(HF_E_CRYPTO, "SHA-256 is not available");
    }
    return HF_OK;
}

/* Where a client without a certificate may yet get something (an answer to a probe, a page), a
 * missing one is for the judge alone to refuse. */
static enum hf_tls_ask ask_of(const struct hf_door_policy *policy)
{
    static const enum hf_tls_ask asks[] = {
        [HF_CLIENT_REQUIRE] = HF_TLS_ASK_REQUIRED,
        [HF_CLIENT_REQUEST] = HF_TLS_ASK_OPTIONAL,
        [HF_CLIENT_REQUEST_UNVERIFIED] = HF_TLS_ASK_OPTIONAL,
        [HF_CLIENT_NONE] = HF_TLS_ASK_NONE,
    };
    bool lenient = policy->probes || policy->page || policy->report_only;
    bool judged = lenient && policy->mode == HF_CLIENT_REQUIRE;
    return judged ? HF_TLS_ASK_OPTIONAL : asks[policy->mode];
}

static enum hf_err make_tls_policy(const struct hf_door *door, size_t at, struct hf_tls_policy *out)
{
    struct hf_door_policy *policy = &door->policies[at];
    bool too_long = false; /* hf_lint says so */
    *out = (struct hf_tls_policy){
        .sni = at ? door->cfg->sni[at - 1].pattern.value : NULL,
        .ask = ask_of(policy),
        .tag = policy,
    };
    if (policy->trust && policy->mode != HF_CLIENT_NONE) {
        out->n_ca_names = hf_trust_names_der(policy->trust, &out->ca_names, &too_long);
    }
    return make_realm(door, policy, out->realm);
}

static enum hf_err make_door_policies(struct hf_snapshot *snapshot, struct hf_door *door)
{
    const struct hf_cfg_listener *cfg = door->cfg;
    door->policies = hf_alloc_zero(cfg->n_sni + 1, sizeof(*door->policies));
    if (!door->policies) {
        return HF_E_NOMEM;
    }
    door->n_policies = cfg->n_sni + 1;
    for (size_t i = 0; i < door->n_policies; i++) {
        const struct hf_cfg_trust *trust = i ? cfg->sni[i - 1].trust : cfg->trust;
        door->policies[i] = (struct hf_door_policy){
            .mode = i ? cfg->sni[i - 1].client : cfg->client,
            .trust = trust ? hf_materials_trust(snapshot->materials, trust) : NULL,
            .probes = cfg->probes_on && cfg->mode == HF_MODE_HTTP ? &cfg->probes : NULL,
            .page = cfg->refuse == HF_REFUSE_PAGE && cfg->mode == HF_MODE_HTTP,
            .report_only = cfg->report_only,
        };
    }
    return HF_OK;
}

static enum hf_err make_door_tls(struct hf_snapshot_env *env, struct hf_snapshot *snapshot,
                                 struct hf_door *door)
{
    const struct hf_cfg_listener *cfg = door->cfg;
    HF_CLEANUP(hf_freep) const char **alpn = NULL;
    HF_CLEANUP(identities_done) struct identities ours = {NULL, NULL};
    HF_CLEANUP(hf_freep)
    struct hf_tls_policy *policies = hf_alloc_zero(door->n_policies, sizeof(*policies));
    if (!policies) {
        return HF_E_NOMEM;
    }
    HF_TRY(find_identities(snapshot->materials, cfg->identities, cfg->n_identities, &ours));
    for (size_t i = 0; i < door->n_policies; i++) {
        HF_TRY(make_tls_policy(door, i, &policies[i]));
    }
    const struct hf_tls_ticket_keys *shared = hf_materials_ticket_keys(snapshot->materials, cfg);
    struct hf_tls_server_config config = {
        .identities = ours.credentials,
        .n_identities = cfg->n_identities,
        .policies = policies,
        .n_policies = door->n_policies,
        .strict_sni = cfg->strict_sni,
        .alpn_required = cfg->tls.alpn.n > 0,
        .tickets = cfg->tls.tickets,
        .ticket_lifetime_s = cfg->tls.ticket_lifetime_ms / 1000,
        .ticket_keys = shared ? *shared : env->ticket_keys,
        .judge = hf_session_judge_client,
        .cookie = cfg->tls.cookie,
        .staples = ours.staples,
    };
    HF_TRY(fill_common(env, &cfg->tls, &alpn, &config.common));
    config.common.ask_staple = looks_at_staples(cfg->trust);
    for (size_t i = 0; i < cfg->n_sni; i++) {
        config.common.ask_staple |= looks_at_staples(cfg->sni[i].trust);
    }
    HF_TRY(open_keylog(&cfg->tls, &door->keylog, &door->keylog_hook, &config.common));
    enum hf_err err = hf_tls_server_ctx_new(&config, &door->tls);
    hf_ticket_keys_wipe(&config.ticket_keys);
    return err;
}

static enum hf_err make_door(struct hf_snapshot_env *env, struct hf_snapshot *snapshot,
                             const struct hf_cfg_listener *cfg, struct hf_door *out)
{
    out->cfg = cfg;
    out->keylog = HF_KEYLOG_OFF;
    out->state = NAMED(&env->states, cfg->name, struct hf_state);
    if (!out->state) {
        return HF_E_NOMEM;
    }
    HF_TRY(hf_limits_extend(&out->state->limits, &cfg->limits));
    make_door_metrics(env, cfg, &out->metrics);
    if (cfg->mode == HF_MODE_HTTP) {
        HF_TRY(hf_door_http_new(snapshot, cfg, env->metrics, &out->http));
    } else {
        out->to = &snapshot->upstreams[cfg->to - snapshot->config->upstreams];
    }
    HF_TRY(make_door_policies(snapshot, out));
    return cfg->plain ? HF_OK : make_door_tls(env, snapshot, out);
}

/* --- Snapshots ----------------------------------------------------------------------------------
 */

/* A TLS setting that libssl refused becomes a finding at the thing that holds it. */
static void report(struct hf_findings *findings, struct hf_mark mark, const char *kind,
                   const char *name)
{
    hf_findings_add(findings, HF_FINDING_TLS_SETTINGS, mark, "%s \"%s\": %s", kind, name,
                    hf_err_text());
}

static enum hf_err fill(struct hf_snapshot_env *env, struct hf_snapshot *snapshot,
                        struct hf_findings *findings)
{
    struct hf_config *config = snapshot->config;
    HF_TRY(hf_materials_load(config, findings, &snapshot->materials));
    HF_TRY(hf_teller_new(env, config, snapshot->materials, findings, &snapshot->teller));
    snapshot->auth_service = env->auth;
    if (env->auth) {
        HF_TRY(hf_auth_set_new(env->auth, config, snapshot->materials, findings, &snapshot->auth));
    }
    if (env->services) {
        HF_TRY(env->services->open(env->services->ctx, config, snapshot->materials, env->log,
                                   findings, &snapshot->services));
    }
    snapshot->upstreams = hf_alloc_zero(config->n_upstreams, sizeof(*snapshot->upstreams));
    snapshot->doors = hf_alloc_zero(config->n_listeners, sizeof(*snapshot->doors));
    if (!snapshot->upstreams || !snapshot->doors) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < config->n_upstreams; i++) {
        const struct hf_cfg_upstream *cfg = &config->upstreams[i];
        snapshot->n_upstreams++;
        if (make_upstream(env, snapshot, cfg, &snapshot->upstreams[i]) != HF_OK) {
            report(findings, cfg->mark, "upstream", cfg->name);
        }
    }
    for (size_t i = 0; i < config->n_listeners; i++) {
        const struct hf_cfg_listener *cfg = &config->listeners[i];
        snapshot->n_doors++;
        if (make_door(env, snapshot, cfg, &snapshot->doors[i]) != HF_OK) {
            report(findings, cfg->mark, "listener", cfg->name);
        }
    }
    return findings->n_errors ? HF_E_CONFIG : HF_OK;
}

/* --- Ticket keys --------------------------------------------------------------------------------
 */

static bool has_own_keys(const struct hf_door *door)
{
    return door->tls && door->cfg->tls.tickets && !door->cfg->tls.ticket_keys.value;
}

int64_t hf_snapshot_rotation_ms(const struct hf_snapshot *snapshot)
{
    int64_t longest = 0;
    for (size_t i = 0; i < snapshot->n_doors; i++) {
        const struct hf_door *door = &snapshot->doors[i];
        if (has_own_keys(door) && door->cfg->tls.ticket_lifetime_ms > longest) {
            longest = door->cfg->tls.ticket_lifetime_ms;
        }
    }
    return longest / (HF_TLS_TICKET_KEYS - 1);
}

enum hf_err hf_snapshot_rotate(struct hf_snapshot_env *env, const struct hf_snapshot *snapshot)
{
    HF_TRY(hf_ticket_keys_draw(&env->ticket_keys, env->rng));
    for (size_t i = 0; i < snapshot->n_doors; i++) {
        if (has_own_keys(&snapshot->doors[i])) {
            HF_TRY(hf_tls_ctx_set_ticket_keys(snapshot->doors[i].tls, &env->ticket_keys));
        }
    }
    return HF_OK;
}

enum hf_err hf_snapshot_new(struct hf_snapshot_env *env, struct hf_config *config,
                            unsigned generation, struct hf_findings *findings,
                            struct hf_snapshot **out)
{
    struct hf_snapshot *snapshot = HF_NEW(struct hf_snapshot);
    if (!snapshot) {
        hf_config_free(config);
        return HF_E_NOMEM;
    }
    atomic_init(&snapshot->refs, 1);
    snapshot->config = config;
    snapshot->generation = generation;
    snapshot->metrics = env->metrics;
    snapshot->loaded_at = hf_clock_wall_s(env->clock);
    enum hf_err err = fill(env, snapshot, findings);
    if (err != HF_OK) {
        hf_snapshot_unref(snapshot);
        return err;
    }
    *out = snapshot;
    return HF_OK;
}

struct hf_snapshot *hf_snapshot_ref(struct hf_snapshot *snapshot)
{
    atomic_fetch_add_explicit(&snapshot->refs, 1, memory_order_relaxed);
    return snapshot;
}

static void upstream_done(struct hf_metrics *m, struct hf_upstream *upstream)
{
    for (size_t i = 0; i < upstream->n_servers; i++) {
        hf_server_metrics_release(m, &upstream->servers[i]);
        server_state_unref(upstream->servers[i].state);
        hf_free(upstream->servers[i].tls_name);
        hf_free(upstream->servers[i].tls_sni);
    }
    hf_free(upstream->servers);
    hf_balance_table_done(&upstream->table);
    upstream_state_unref(upstream->state);
    hf_tls_ctx_unref(upstream->tls);
    hf_keylog_done(&upstream->keylog);
    hf_metrics_release(m, upstream->connects);
    hf_metrics_release(m, upstream->failures);
    hf_metrics_release(m, upstream->answer_seconds);
}

static void door_done(struct hf_metrics *m, struct hf_door *door)
{
    hf_tls_ctx_unref(door->tls);
    hf_keylog_done(&door->keylog);
    hf_free(door->policies);
    hf_door_http_free(door->http, m);
    state_unref(door->state);
    release_door_metrics(m, &door->metrics);
}

void hf_snapshot_unref(struct hf_snapshot *snapshot)
{
    if (!snapshot || atomic_fetch_sub_explicit(&snapshot->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < snapshot->n_doors; i++) {
        door_done(snapshot->metrics, &snapshot->doors[i]);
    }
    for (size_t i = 0; i < snapshot->n_upstreams; i++) {
        upstream_done(snapshot->metrics, &snapshot->upstreams[i]);
    }
    hf_free(snapshot->doors);
    hf_free(snapshot->upstreams);
    hf_teller_free(snapshot->teller);
    hf_auth_set_free(snapshot->auth);
    hf_services_close(snapshot->services);
    hf_materials_unref(snapshot->materials);
    hf_config_free(snapshot->config);
    hf_free(snapshot);
}
