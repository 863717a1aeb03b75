// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_DAEMON_IMPL_H
#define HF_PROXY_DAEMON_IMPL_H

/* The control thread's state, shared by daemon.c, reload.c and admin.c; for nobody else. */

#include "os/logsink.h"
#include "os/notify.h"
#include "os/signals.h"
#include "proxy/bind.h"
#include "proxy/daemon.h"
#include "proxy/worker.h"

struct hf_crl_desk;
struct hf_crl_sources;
struct hf_crl_watch;
struct hf_live_watch;
struct hf_denials;
struct hf_ocsp_desk;
struct hf_stapler;
struct hf_recorder;
struct hf_reports;
struct hf_checker;
struct hf_httpd;

enum hf_daemon_state { HF_DAEMON_STARTING, HF_DAEMON_RUNNING, HF_DAEMON_DRAINING };

struct hf_daemon {
    const char *config_path;
    const struct hf_services_source *services; /* NULL: there are none */
    enum hf_daemon_state state;
    struct hf_loop *loop;
    struct hf_logsink *sink;
    struct hf_log log;
    struct hf_metrics *metrics;
    struct hf_snapshot_env env;
    struct hf_snapshot *snapshot;
    char *state_folder;             /* NULL: the config has none */
    struct hf_denials *denials;     /* NULL: the config has no state folder */
    struct hf_crl_sources *sources; /* of lists that are fetched; NULL likewise */
    struct hf_crl_desk *crl_desk;   /* for handshakes that wait for such; NULL likewise */
    struct hf_crl_watch *crl_watch;
    struct hf_live_watch *live_watch;
    struct hf_recorder *recorder;       /* of verdicts */
    struct hf_reports *reports;         /* of listeners with report-only */
    struct hf_ledger *ledger;           /* what is known of revocation now */
    uint8_t lists_seen[HF_SHA256_SIZE]; /* fingerprint of the files that were tried last */
    struct hf_timer lists_timer;
    int64_t wall_ahead_s;     /* of the monotonic clock, when it was last looked at */
    struct hf_task live_task; /* what a CA of ours says has changed */
    atomic_bool live_told;    /* live_task is on its way */
    unsigned n_lessons;       /* ledgers on their way to the workers */
    struct hf_timer live_timer;
    struct hf_ocsp_desk *desk;
    struct hf_stapler *stapler;
    struct hf_timer ocsp_timer; /* armed while a change waits for a reload to end */
    struct hf_activation activation;
    struct hf_notify notify;
    struct hf_binds binds;
    struct hf_worker **workers;
    unsigned n_workers;
    unsigned n_running; /* threads not yet ended */
    unsigned generation;
    int64_t started_at; /* Unix seconds */
    struct hf_signals signals;
    struct hf_timer drain_timer;
    struct hf_timer rotation; /* of ticket keys */
    int64_t rotated_ms;       /* loop time of the last one */
    struct hf_checker *checker;
    struct hf_httpd *admin;
    struct hf_httpd *metrics_server;
    int admin_fd;
    int metrics_fd;
    struct hf_link rolls;       /* calls for sessions that wait for workers */
    struct hf_rollout *rollout; /* the plan that workers are taking over; NULL: none */
    bool reload_wanted;         /* another reload came meanwhile */
    struct hf_series *reloads_ok;
    struct hf_series *reloads_refused;
};

/* --- reload.c -----------------------------------------------------------------------------------
 */

/* Called once when the reload has ended; findings are valid for the call. err HF_OK: all workers
 * run the new configuration. */
typedef void hf_reload_fn(void *ctx, enum hf_err err, struct hf_findings *findings);

/*
 * hf_daemon_reload reads the configuration again and brings it to the workers. on_end may be NULL.
 * Refused with HF_E_BUSY while another is under way, HF_E_UNSUPPORTED for a tunnel; the old
 * configuration goes on in every case of failure.
 */
void hf_daemon_reload(struct hf_daemon *daemon, hf_reload_fn *on_end, void *ctx);

/* hf_daemon_log_findings logs each finding with its place in the file. */
void hf_daemon_log_findings(struct hf_daemon *daemon, const struct hf_findings *findings);

/* hf_daemon_newest is the snapshot that workers run, or are taking over. */
struct hf_snapshot *hf_daemon_newest(const struct hf_daemon *daemon);

/* --- knowledge.c --------------------------------------------------------------------------------
 * What is known of revocation: loaded with a config, watched, and told to the workers.
 */

/* hf_daemon_load_ledger: the snapshot is the one that is to run; what it wants to be fetched is
 * fetched from now on, beside what the running one wants. */
enum hf_err hf_daemon_load_ledger(struct hf_daemon *daemon, const struct hf_snapshot *snapshot,
                                  enum hf_ledger_mode mode, struct hf_findings *findings,
                                  struct hf_ledger **out) HF_MUST_CHECK;

/* hf_daemon_teach hands a ledger, whose reference it takes, to the workers. on_end (or NULL) is
 * called once, when all have judged their sessions again, with how many were closed. Errors:
 * HF_E_NOMEM, HF_E_BUSY while a reload is under way; nothing has changed then. */
typedef void hf_daemon_taught_fn(void *ctx, size_t n_closed);
enum hf_err hf_daemon_teach(struct hf_daemon *daemon, struct hf_ledger *ledger,
                            hf_daemon_taught_fn *on_end, void *ctx) HF_MUST_CHECK;

/* hf_daemon_live_changed: a CA of this process has revoked something. Any thread. */
void hf_daemon_live_changed(void *daemon);

/* hf_daemon_watch_lists looks every few seconds whether the files of lists have changed. */
void hf_daemon_watch_lists(struct hf_daemon *daemon);

/* hf_daemon_show_lists: another ledger, or another configuration, is in force. */
void hf_daemon_show_lists(struct hf_daemon *daemon);

/* hf_daemon_fetch_lists begins to fetch what the configuration names. */
enum hf_err hf_daemon_fetch_lists(struct hf_daemon *daemon) HF_MUST_CHECK;

/* hf_daemon_open_crl_desk: where lists may be fetched. Errors: HF_E_NOMEM. */
enum hf_err hf_daemon_open_crl_desk(struct hf_daemon *daemon) HF_MUST_CHECK;

/* hf_daemon_settle_lists forgets the URLs that only another configuration wanted. */
void hf_daemon_settle_lists(struct hf_daemon *daemon);

/* hf_daemon_meet hears of certificates from workers; for hf_worker.on_meet. */
hf_worker_meet_fn hf_daemon_meet;

/* --- daemon_ocsp.c ------------------------------------------------------------------------------
 */

/* hf_daemon_start_ocsp makes the desk, before the workers; hf_daemon_stop_ocsp ends its questions
 * when their threads have ended. */
enum hf_err hf_daemon_start_ocsp(struct hf_daemon *daemon) HF_MUST_CHECK;
void hf_daemon_stop_ocsp(struct hf_daemon *daemon);

/* hf_daemon_fetch_staples: the snapshot that runs has changed, and its identities' staples are
 * fetched from here on. */
void hf_daemon_fetch_staples(struct hf_daemon *daemon);

/* --- daemon.c -----------------------------------------------------------------------------------
 */

/* hf_daemon_drain stops accepting; connections may finish until drain-timeout. Idempotent. */
void hf_daemon_drain(struct hf_daemon *daemon);

/* hf_daemon_arm_rotation sets when ticket keys are next rotated, by the running snapshot. */
void hf_daemon_arm_rotation(struct hf_daemon *daemon);

/* hf_daemon_notify logs that systemd could not be told, if that was so. */
void hf_daemon_notify(struct hf_daemon *daemon, enum hf_err err);

/* hf_daemon_n_open counts open connections over all listeners. */
unsigned long hf_daemon_n_open(const struct hf_daemon *daemon);

/* --- admin.c ------------------------------------------------------------------------------------
 */

enum hf_err hf_daemon_admin_start(struct hf_daemon *daemon) HF_MUST_CHECK;
void hf_daemon_admin_stop(struct hf_daemon *daemon);

#endif
