// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_SNAPSHOT_H
#define HF_PROXY_SNAPSHOT_H

/*
 * struct hf_snapshot is one generation of the configuration, made ready to run: certificates
 * parsed, trust loaded, TLS contexts built. Immutable once made, shared by all workers, counted by
 * references; a reload makes a new one. What must outlive a generation (counters, open connections)
 * sits in the hf_state objects, which the next generation takes over by name.
 */

#include <stdatomic.h>

#include "base/map.h"
#include "config/config.h"
#include "config/materials.h"
#include "os/keylog.h"
#include "proxy/auth_service.h"
#include "proxy/balance_table.h"
#include "proxy/client_limits.h"
#include "proxy/http/door_http.h"
#include "proxy/http/teller.h"
#include "proxy/server_state.h"
#include "proxy/services.h"
#include "watch/metrics.h"

/* Counters of a thing that has a name and outlives reloads. Any thread. */
struct hf_state {
    atomic_uint refs;
    struct hf_limits limits; /* what each client has taken */
    atomic_uint open;        /* connections now */
    atomic_ulong total;      /* connections ever */
};

/* Metric series of a door, created with the snapshot. refused is indexed by enum hf_reason. */
struct hf_door_metrics {
    struct hf_series *accepted;
    struct hf_series *resumed;
    struct hf_series *refused[HF_REASON_N];
    struct hf_series *reported[HF_REASON_N]; /* of listeners with report-only; NULL: not counted */
    struct hf_series *connections;
    struct hf_series *bytes_in;
    struct hf_series *bytes_out;
    struct hf_series *handshake_seconds;
};

/* How clients of one door, or of one SNI pattern of it, are asked and judged. */
struct hf_door_policy {
    enum hf_client_mode mode;
    const struct hf_trust *trust;       /* borrowed from the materials; NULL: none */
    const struct hf_cfg_probes *probes; /* of the listener; NULL: none */
    bool page;                          /* who is refused is shown a page (refuse: page) */
    bool report_only;
};

struct hf_upstream;

/* Metric series of one server, created with the snapshot. */
struct hf_server_metrics {
    struct hf_series *outcomes[HF_OUTCOME_N];
    struct hf_series *up;
    struct hf_series *open;
    struct hf_series *active;
    struct hf_series *latency;
    struct hf_series *ejections;
    struct hf_series *checks[2]; /* bad, good; NULL: it isn't checked */
};

struct hf_server {
    const struct hf_cfg_server *cfg;
    struct hf_server_state *state;
    struct hf_upstream *upstream; /* that it belongs to ... */
    size_t index;                 /* ... and where in its servers */
    struct hf_server_metrics metrics;
    char *tls_name; /* that its certificate must carry; NULL: not checked */
    char *tls_sni;  /* NULL: none is sent */
};

struct hf_upstream {
    const struct hf_cfg_upstream *cfg;
    struct hf_upstream_state *state;
    struct hf_server *servers;
    size_t n_servers;
    struct hf_balance_table table;
    struct hf_log *log;      /* borrowed; NULL: says nothing */
    struct hf_tls_ctx *tls;  /* NULL: plain */
    struct hf_keylog keylog; /* unsafe-keylog */
    struct hf_tls_keylog keylog_hook;
    const struct hf_trust *trust; /* NULL: unsafe-skip-verify */
    struct hf_series *connects;
    struct hf_series *failures;
    struct hf_series *answer_seconds;
};

/* A listener ready to run. */
struct hf_door {
    const struct hf_cfg_listener *cfg;
    struct hf_state *state;
    struct hf_keylog keylog;
    struct hf_tls_keylog keylog_hook;
    struct hf_tls_ctx *tls;          /* NULL: plain */
    struct hf_door_policy *policies; /* [0] is the default, then one per cfg->sni */
    size_t n_policies;
    struct hf_upstream *to;    /* TCP mode */
    struct hf_door_http *http; /* HTTP mode */
    struct hf_door_metrics metrics;
};

struct hf_snapshot {
    atomic_uint refs;
    unsigned generation;
    int64_t loaded_at;          /* Unix seconds */
    struct hf_metrics *metrics; /* borrowed: outlives all snapshots */
    struct hf_config *config;
    struct hf_materials *materials;
    struct hf_teller *teller;
    struct hf_door *doors;
    size_t n_doors;
    struct hf_upstream *upstreams;
    size_t n_upstreams;
    struct hf_auth_set *auth;             /* NULL where the daemon checks no credentials */
    struct hf_auth_service *auth_service; /* borrowed: outlives all snapshots */
    struct hf_services *services;         /* that routes lead to; NULL: none */
};

/* What snapshots are built with; outlives them all. */
struct hf_snapshot_env {
    const struct hf_clock *clock;
    const struct hf_rng *rng;
    struct hf_metrics *metrics;
    struct hf_log *log;           /* NULL: says nothing; set after hf_snapshot_env_init */
    struct hf_auth_service *auth; /* NULL: none; the daemon's */
    const struct hf_services_source *services; /* NULL: there are none */
    struct hf_tls_ticket_keys ticket_keys;
    struct hf_teller_env teller;
    struct hf_map states;    /* by listener: struct hf_state, one reference here */
    struct hf_map upstreams; /* by name: struct hf_upstream_state, likewise */
    struct hf_map servers;   /* by "UPSTREAM/TEXT": struct hf_server_state, likewise */
};

/* hf_snapshot_new takes ownership of config, on failure too. What is wrong with files goes to
 * findings, with the mark of the key that names them; the result is then HF_E_CONFIG. */
enum hf_err hf_snapshot_new(struct hf_snapshot_env *env, struct hf_config *config,
                            unsigned generation, struct hf_findings *findings,
                            struct hf_snapshot **out) HF_MUST_CHECK;
struct hf_snapshot *hf_snapshot_ref(struct hf_snapshot *snapshot);
void hf_snapshot_unref(struct hf_snapshot *snapshot);

/*
 * The keys of tickets that no file holds are the env's and rotate: hf_snapshot_rotation_ms is how
 * often, so that a key that no longer seals opens all that it has sealed; 0: not at all.
 * hf_snapshot_rotate draws a new one and hands the keys to the snapshot's contexts. Control thread.
 */
int64_t hf_snapshot_rotation_ms(const struct hf_snapshot *snapshot);
enum hf_err hf_snapshot_rotate(struct hf_snapshot_env *env,
                               const struct hf_snapshot *snapshot) HF_MUST_CHECK;

enum hf_err hf_snapshot_env_init(struct hf_snapshot_env *env, const struct hf_clock *clock,
                                 const struct hf_rng *rng,
                                 struct hf_metrics *metrics) HF_MUST_CHECK;
void hf_snapshot_env_done(struct hf_snapshot_env *env);

#endif
