// SPDX-License-Identifier: Apache-2.0
/*
 * The control thread: start, signals, drain, stop. It never touches a connection; workers are told
 * what to do by posted tasks.
 */
#include "proxy/crl_sources.h"
#include "proxy/crl_watch.h"
#include "proxy/daemon_impl.h"
#include "proxy/denials.h"
#include "proxy/live_watch.h"
#include "proxy/recorder.h"
#include "proxy/reports.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/lint.h"
#include "os/clock.h"
#include "os/thread.h"
#include "proxy/health.h"
#include "proxy/ocsp_desk.h"
#include "watch/process.h"

enum { WORKERS_MAX = 256, LOG_FLUSH_MS = 2000 };

/* --- Telling workers ----------------------------------------------------------------------------
 */

struct order {
    struct hf_task task;
    struct hf_worker *worker;
    void (*carry_out)(struct hf_worker *worker);
};

static void run_order(struct hf_task *task)
{
    struct order *order = HF_CONTAINER_OF(task, struct order, task);
    order->carry_out(order->worker);
    hf_free(order);
}

static void tell_workers(struct hf_daemon *daemon, void (*carry_out)(struct hf_worker *worker))
{
    for (unsigned i = 0; i < daemon->n_workers; i++) {
        struct order *order = HF_NEW(struct order);
        if (!order) {
            hf_log_say(&daemon->log, HF_LOG_ERROR, "control", "%s", hf_err_text());
            continue;
        }
        *order = (struct order){{.run = run_order}, daemon->workers[i], carry_out};
        hf_loop_post(daemon->workers[i]->loop, &order->task);
    }
}

void hf_daemon_notify(struct hf_daemon *daemon, enum hf_err err)
{
    if (err != HF_OK) {
        hf_log_say(&daemon->log, HF_LOG_WARN, "notify", "systemd was not told: %s", hf_err_text());
    }
}

/* --- Draining and stopping ----------------------------------------------------------------------
 */

unsigned long hf_daemon_n_open(const struct hf_daemon *daemon)
{
    unsigned long n = 0;
    for (size_t i = 0; i < daemon->snapshot->n_doors; i++) {
        n += atomic_load_explicit(&daemon->snapshot->doors[i].state->open, memory_order_relaxed);
    }
    return n;
}

static void cut(struct hf_daemon *daemon)
{
    hf_log_say(&daemon->log, HF_LOG_WARN, "drain", "%lu connections are cut",
               hf_daemon_n_open(daemon));
    tell_workers(daemon, hf_worker_cut);
}

/* A rotation that fails leaves the old keys; the next one comes in its time. */
static void on_rotation(struct hf_timer *timer)
{
    struct hf_daemon *daemon = HF_CONTAINER_OF(timer, struct hf_daemon, rotation);
    if (daemon->rollout) { /* the snapshot to come has been given the keys of now */
        hf_timer_set(daemon->loop, timer, 1000);
        return;
    }
    daemon->rotated_ms = hf_loop_now_ms(daemon->loop);
    if (hf_snapshot_rotate(&daemon->env, daemon->snapshot) != HF_OK) {
        hf_log_say(&daemon->log, HF_LOG_ERROR, "tickets", "the keys could not be rotated: %s",
                   hf_err_text());
    } else {
        hf_log_say(&daemon->log, HF_LOG_DEBUG, "tickets", "a new key seals");
    }
    hf_daemon_arm_rotation(daemon);
}

void hf_daemon_arm_rotation(struct hf_daemon *daemon)
{
    int64_t every_ms = hf_snapshot_rotation_ms(daemon->snapshot);
    int64_t left_ms = daemon->rotated_ms + every_ms - hf_loop_now_ms(daemon->loop);
    daemon->rotation.on_due = on_rotation;
    hf_timer_cancel(&daemon->rotation);
    if (every_ms) {
        hf_timer_set(daemon->loop, &daemon->rotation, left_ms > 0 ? left_ms : 0);
    }
}

static void on_drain_timeout(struct hf_timer *timer)
{
    cut(HF_CONTAINER_OF(timer, struct hf_daemon, drain_timer));
}

/* Said when it is so: whoever reads the line is refused from then on. */
static void say_when_all_drained(struct hf_daemon *daemon)
{
    for (unsigned i = 0; i < daemon->n_workers; i++) {
        if (!daemon->workers[i]->has_drained && !daemon->workers[i]->has_ended) {
            return;
        }
    }
    hf_log_say(&daemon->log, HF_LOG_INFO, "drain",
               "accepting has stopped; %lu open connections have %lld s to finish",
               hf_daemon_n_open(daemon),
               (long long)daemon->snapshot->config->drain_timeout_ms / 1000);
}

static void on_worker_drained(struct hf_task *task)
{
    struct hf_worker *worker = HF_CONTAINER_OF(task, struct hf_worker, drained);
    worker->has_drained = true;
    say_when_all_drained(worker->control_ctx);
}

/* The task of a worker whose loop broke before is run when the worker is freed. */
static void drain_worker(struct hf_task *task)
{
    struct hf_worker *worker = HF_CONTAINER_OF(task, struct hf_worker, drain);
    if (!worker->has_ended) {
        hf_worker_drain(worker);
    }
}

static void stop_accepting(struct hf_daemon *daemon)
{
    hf_binds_refuse(&daemon->binds);
    if (daemon->services) {
        daemon->services->drain(daemon->services->ctx);
    }
    for (unsigned i = 0; i < daemon->n_workers; i++) {
        hf_loop_post(daemon->workers[i]->loop, &daemon->workers[i]->drain);
    }
    daemon->drain_timer.on_due = on_drain_timeout;
    hf_timer_set(daemon->loop, &daemon->drain_timer, daemon->snapshot->config->drain_timeout_ms);
}

static void on_drain_delay(struct hf_timer *timer)
{
    stop_accepting(HF_CONTAINER_OF(timer, struct hf_daemon, drain_timer));
}

void hf_daemon_drain(struct hf_daemon *daemon)
{
    if (daemon->state == HF_DAEMON_DRAINING) {
        return;
    }
    daemon->state = HF_DAEMON_DRAINING;
    hf_daemon_notify(daemon, hf_notify_stopping(&daemon->notify, "draining"));
    int64_t delay_ms = daemon->snapshot->config->drain_delay_ms;
    if (delay_ms == 0) {
        stop_accepting(daemon);
        return;
    }
    hf_log_say(&daemon->log, HF_LOG_INFO, "drain",
               "not ready any more; connections are accepted for another %lld ms",
               (long long)delay_ms);
    tell_workers(daemon, hf_worker_leave);
    daemon->drain_timer.on_due = on_drain_delay;
    hf_timer_set(daemon->loop, &daemon->drain_timer, delay_ms);
}

static void on_worker_end(struct hf_task *task)
{
    struct hf_worker *worker = HF_CONTAINER_OF(task, struct hf_worker, ended);
    struct hf_daemon *daemon = worker->control_ctx;
    worker->has_ended = true;
    if (--daemon->n_running == 0) {
        hf_loop_stop(daemon->loop);
    }
}

static void on_signal(struct hf_signals *signals, int number, pid_t sender)
{
    struct hf_daemon *daemon = HF_CONTAINER_OF(signals, struct hf_daemon, signals);
    hf_log_say(&daemon->log, HF_LOG_INFO, "signal", "%s from process %d", sigabbrev_np(number),
               (int)sender);
    switch (number) {
    case SIGHUP:
        hf_logsink_reopen(daemon->sink);
        hf_teller_env_reopen(&daemon->env.teller);
        hf_daemon_reload(daemon, NULL, NULL);
        return;
    case SIGUSR1:
        hf_logsink_reopen(daemon->sink);
        hf_teller_env_reopen(&daemon->env.teller);
        return;
    default:
        if (daemon->state == HF_DAEMON_DRAINING) { /* asked twice: now */
            if (daemon->drain_timer.on_due == on_drain_delay) {
                stop_accepting(daemon);
            }
            cut(daemon);
        } else {
            hf_daemon_drain(daemon);
        }
    }
}

/* --- Starting -----------------------------------------------------------------------------------
 */

static unsigned count_workers(const struct hf_config *config)
{
    unsigned n = config->workers ? config->workers : hf_n_cpus();
    return n < WORKERS_MAX ? n : WORKERS_MAX;
}

static enum hf_err start_log(struct hf_daemon *daemon, const struct hf_cfg_log *cfg)
{
    enum hf_log_format format = (enum hf_log_format)cfg->format;
    HF_TRY(hf_logsink_open(cfg->to.value, format, &hf_os_clock, &daemon->sink));
    daemon->log = hf_logsink_log(daemon->sink, (enum hf_log_level)cfg->level);
    return HF_OK;
}

static enum hf_err start_metrics(struct hf_daemon *daemon)
{
    /* One shard more than workers: the control thread's own. */
    HF_TRY(hf_metrics_new(daemon->n_workers + 1, HF_METRICS_SERIES_DEFAULT, &daemon->metrics));
    hf_process_metrics(daemon->metrics, &hf_os_clock);
    const char *help = "Reloads of the configuration by result.";
    daemon->reloads_ok =
        hf_metrics_counter(daemon->metrics, "handfast_reloads_total", help, "result", "ok", NULL);
    daemon->reloads_refused = hf_metrics_counter(daemon->metrics, "handfast_reloads_total", help,
                                                 "result", "refused", NULL);
    return HF_OK;
}

static enum hf_err make_workers(struct hf_daemon *daemon)
{
    struct hf_plan plan = {daemon->snapshot, daemon->ledger, daemon->binds.item, daemon->binds.n};
    uint64_t start = (uint64_t)daemon->started_at & 0xffffff;
    daemon->workers = hf_alloc_zero(daemon->n_workers, sizeof(struct hf_worker *));
    if (!daemon->workers) {
        return HF_E_NOMEM;
    }
    for (unsigned i = 0; i < daemon->n_workers; i++) {
        uint64_t first_id = (uint64_t)i << 56 | start << 32 | 1;
        HF_TRY(hf_worker_new(i, first_id, &daemon->log, &hf_os_clock, &daemon->workers[i]));
        struct hf_worker *worker = daemon->workers[i];
        worker->control = daemon->loop;
        worker->control_ctx = daemon;
        worker->desk = daemon->desk;
        worker->crl_desk = daemon->crl_desk;
        worker->drain.run = drain_worker;
        worker->drained.run = on_worker_drained;
        worker->ended.run = on_worker_end;
        worker->on_meet = daemon->sources ? hf_daemon_meet : NULL;
        worker->recorder = daemon->recorder;
        worker->reports = daemon->reports;
        HF_TRY(hf_worker_apply(worker, &plan));
    }
    return HF_OK;
}

/* Key sets are fetched on this thread, and shown to the workers by tasks. */
static enum hf_err start_auth(struct hf_daemon *daemon)
{
    struct hf_loop *loops[WORKERS_MAX];
    for (unsigned i = 0; i < daemon->n_workers; i++) {
        loops[i] = daemon->workers[i]->loop;
    }
    return hf_auth_service_start(daemon->env.auth, daemon->loop, loops);
}

static enum hf_err start_workers(struct hf_daemon *daemon)
{
    for (unsigned i = 0; i < daemon->n_workers; i++) {
        HF_TRY(hf_worker_start(daemon->workers[i]));
        daemon->n_running++;
    }
    return HF_OK;
}

static enum hf_err start_checks(struct hf_daemon *daemon)
{
    struct hf_checker_env env = {.loop = daemon->loop,
                                 .clock = &hf_os_clock,
                                 .ledger = &daemon->ledger,
                                 .desk = daemon->desk,
                                 .crl_desk = daemon->crl_desk,
                                 .rng = &hf_os_rng,
                                 .log = &daemon->log,
                                 .shard = daemon->n_workers};
    HF_TRY(hf_checker_new(&env, &daemon->checker));
    return hf_checker_set(daemon->checker, daemon->snapshot);
}

/* What outlives the daemon. The folder's name is the config's: copied, as that may be replaced. */
static enum hf_err open_state(struct hf_daemon *daemon, const struct hf_config *config)
{
    if (!config->state.value) {
        return HF_OK;
    }
    daemon->state_folder = hf_strdup(config->state.value);
    if (!daemon->state_folder) {
        return HF_E_NOMEM;
    }
    struct hf_crl_env env = {.state = daemon->state_folder,
                             .clock = &hf_os_clock,
                             .rng = &hf_os_rng,
                             .log = &daemon->log,
                             .metrics = daemon->metrics,
                             .shard = daemon->n_workers};
    HF_TRY(hf_denials_open(daemon->state_folder, daemon->started_at, &daemon->denials));
    return hf_crl_sources_new(&env, &daemon->sources);
}

static enum hf_err start(struct hf_daemon *daemon, struct hf_config *config,
                         struct hf_findings *findings)
{
    daemon->n_workers = count_workers(config);
    daemon->generation = 1;
    struct hf_cfg_log log = config->log;
    enum hf_err err = start_log(daemon, &log);
    err = err == HF_OK ? start_metrics(daemon) : err;
    err = err == HF_OK
              ? hf_snapshot_env_init(&daemon->env, &hf_os_clock, &hf_os_rng, daemon->metrics)
              : err;
    if (err != HF_OK) {
        hf_config_free(config);
        return err;
    }
    daemon->env.log = &daemon->log;
    daemon->env.services = daemon->services;
    err = hf_auth_service_new(&hf_os_clock, &hf_os_rng, &daemon->log, daemon->metrics,
                              daemon->n_workers, &daemon->env.auth);
    if (err != HF_OK) {
        hf_config_free(config);
        return err;
    }
    HF_TRY(hf_snapshot_new(&daemon->env, config, daemon->generation, findings, &daemon->snapshot));
    HF_TRY(hf_crl_watch_new(daemon->metrics, &hf_os_clock, &daemon->log, &daemon->crl_watch));
    HF_TRY(hf_live_watch_new(daemon->metrics, &hf_os_clock, &daemon->live_watch));
    HF_TRY(open_state(daemon, config));
    HF_TRY(hf_reports_new(&daemon->reports));
    HF_TRY(hf_recorder_new(daemon->state_folder, &daemon->log, &daemon->recorder));
    HF_TRY(hf_daemon_load_ledger(daemon, daemon->snapshot, HF_LEDGER_STRICT, findings,
                                 &daemon->ledger));
    HF_TRY(hf_loop_new(&hf_os_clock, &daemon->loop));
    HF_TRY(hf_binds_make(&daemon->binds, daemon->snapshot, daemon->n_workers, &daemon->activation,
                         findings, &daemon->binds));
    HF_TRY(hf_daemon_start_ocsp(daemon));
    HF_TRY(hf_daemon_open_crl_desk(daemon));
    HF_TRY(make_workers(daemon));
    HF_TRY(start_auth(daemon));
    if (daemon->services) {
        daemon->services->attach(daemon->services->ctx, hf_daemon_live_changed, daemon);
        hf_daemon_live_changed(daemon); /* what changed before that, nobody was told of */
    }
    HF_TRY(hf_daemon_fetch_lists(daemon));
    HF_TRY(hf_signals_open(&daemon->signals, daemon->loop, on_signal));
    HF_TRY(start_checks(daemon));
    HF_TRY(hf_daemon_admin_start(daemon));
    return start_workers(daemon);
}

static void log_ready(struct hf_daemon *daemon)
{
    for (size_t i = 0; i < daemon->snapshot->n_doors; i++) {
        const struct hf_cfg_listener *cfg = daemon->snapshot->doors[i].cfg;
        for (size_t k = 0; k < cfg->n_listen; k++) {
            struct hf_log_line line;
            hf_log_begin(&line, &daemon->log, HF_LOG_INFO, "listen");
            hf_log_str(&line, "listener", cfg->name);
            hf_log_str(&line, "address", cfg->listen[k].text);
            hf_log_str(&line, "client", cfg->plain ? "plain" : hf_client_mode_name(cfg->client));
            hf_log_str(&line, "upstream", cfg->to ? cfg->to->name : NULL);
            hf_log_end(&line);
        }
    }
    struct hf_log_line line;
    hf_log_begin(&line, &daemon->log, HF_LOG_INFO, "ready");
    hf_log_str(&line, "version", HF_VERSION);
    hf_log_str(&line, "config", daemon->snapshot->config->path);
    hf_log_int(&line, "workers", daemon->n_workers);
    hf_log_int(&line, "pid", getpid());
    hf_log_end(&line);
}

/* --- Ending -------------------------------------------------------------------------------------
 */

static void stop(struct hf_daemon *daemon)
{
    for (unsigned i = 0; i < daemon->n_workers && daemon->workers; i++) {
        if (daemon->workers[i]) {
            hf_loop_stop(daemon->workers[i]->loop); /* runs still when the start failed half way */
            hf_worker_join(daemon->workers[i]);
        }
    }
    if (daemon->services) {
        daemon->services->stop(daemon->services->ctx);
    }
    hf_daemon_stop_ocsp(daemon);
    hf_crl_desk_stop(daemon->crl_desk);
    hf_auth_service_stop(daemon->env.auth); /* while the workers' loops are there */
    hf_daemon_admin_stop(daemon);
    hf_signals_hold(&daemon->signals);
    hf_signals_close(&daemon->signals);
    for (unsigned i = 0; i < daemon->n_workers && daemon->workers; i++) {
        hf_worker_free(daemon->workers[i]);
    }
    hf_free(daemon->workers);
    hf_recorder_free(daemon->recorder);
    hf_reports_free(daemon->reports);
    hf_activation_done(&daemon->activation);
    hf_checker_free(daemon->checker);
    hf_timer_cancel(&daemon->lists_timer);
    hf_timer_cancel(&daemon->live_timer);
    hf_crl_sources_free(HF_TAKE(daemon->sources));
    hf_crl_watch_free(daemon->crl_watch);
    hf_live_watch_free(daemon->live_watch);
    hf_ledger_unref(HF_TAKE(daemon->ledger)); /* tasks of the loop see that it's over */
    hf_denials_free(daemon->denials);
    hf_free(daemon->state_folder);
    hf_snapshot_unref(daemon->snapshot);
    hf_snapshot_env_done(&daemon->env);
    hf_loop_free(daemon->loop);
    hf_ocsp_desk_free(daemon->desk);
    hf_crl_desk_free(daemon->crl_desk);
    hf_auth_service_free(HF_TAKE(daemon->env.auth)); /* tasks of that loop were its */
    hf_metrics_release(daemon->metrics, daemon->reloads_ok);
    hf_metrics_release(daemon->metrics, daemon->reloads_refused);
    hf_metrics_free(daemon->metrics);
}

static void print_findings(struct hf_findings *findings)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 20);
    if (findings->n && hf_findings_format(findings, &text) == HF_OK) {
        fwrite(hf_buf_bytes(&text).ptr, 1, hf_buf_len(&text), stderr);
    }
}

/* What the environment gave us, taken before any thread can read it. */
static enum hf_err open_environment(struct hf_daemon *daemon)
{
    HF_TRY(hf_notify_open(&daemon->notify));
    return hf_activation_open(&daemon->activation);
}

enum hf_err hf_daemon_run(struct hf_config *config, const struct hf_daemon_options *options)
{
    struct hf_daemon daemon = {
        .config_path = options->config_path,
        .services = options->services,
        .started_at = hf_clock_wall_s(&hf_os_clock),
        .admin_fd = -1,
        .metrics_fd = -1,
    };
    struct hf_findings findings = {0};
    (void)hf_nofile_raise(UINT64_MAX);
    enum hf_err err = hf_findings_file(&findings, config->path);
    if (err != HF_OK) {
        hf_config_free(config);
        return err;
    }
    hf_list_init(&daemon.rolls);
    err = open_environment(&daemon);
    if (err != HF_OK) {
        hf_config_free(config);
        return err;
    }
    err = start(&daemon, config, &findings);
    if (err == HF_OK) {
        daemon.state = HF_DAEMON_RUNNING;
        hf_lint(daemon.snapshot->config, daemon.snapshot->materials, daemon.started_at, &findings);
        hf_ledger_lint(daemon.ledger, daemon.snapshot->config, daemon.snapshot->materials,
                       daemon.started_at, &findings);
        hf_daemon_log_findings(&daemon, &findings);
        log_ready(&daemon);
        hf_daemon_watch_lists(&daemon);
        hf_daemon_fetch_staples(&daemon);
        hf_daemon_notify(&daemon, hf_notify_ready(&daemon.notify, "running"));
        daemon.rotated_ms = hf_loop_now_ms(daemon.loop);
        hf_daemon_arm_rotation(&daemon);
        err = hf_loop_run(daemon.loop);
        hf_timer_cancel(&daemon.rotation);
        hf_log_say(&daemon.log, HF_LOG_INFO, "stopped", "all connections are closed");
    } else {
        print_findings(&findings);
    }
    bool close_sockets = err != HF_OK && daemon.n_running == 0;
    stop(&daemon);
    hf_binds_done(&daemon.binds, close_sockets);
    (void)hf_logsink_close(daemon.sink, LOG_FLUSH_MS);
    hf_findings_done(&findings);
    return err;
}
