// SPDX-License-Identifier: Apache-2.0
/*
 * Reload: read, build everything, bind what is new, and only then tell the workers. Whatever fails
 * before that leaves the running configuration untouched.
 *
 *      control:  load -> snapshot -> binds -> post to each worker ------> last one done: replace
 *      worker:                                  apply (keeps sessions) --> post back
 */
#include "proxy/daemon_impl.h"
#include "proxy/stapler.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "config/lint.h"
#include "os/clock.h"
#include "proxy/health.h"

struct rollout_part {
    struct hf_task task;
    struct hf_task back;
    struct hf_rollout *rollout;
    struct hf_worker *worker;
    enum hf_err err;
};

/* A plan on its way to the workers. Owned by the daemon until the last has answered. */
struct hf_rollout {
    struct hf_daemon *daemon;
    struct hf_plan plan;
    struct hf_binds binds;
    struct hf_findings findings;
    hf_reload_fn *on_end;
    void *ctx;
    unsigned n_left;
    struct rollout_part parts[];
};

void hf_daemon_log_findings(struct hf_daemon *daemon, const struct hf_findings *findings)
{
    for (size_t i = 0; i < findings->n; i++) {
        const struct hf_finding *finding = &findings->item[i];
        bool error = hf_finding_level(finding->id) == HF_FINDING_ERROR;
        struct hf_log_line line;
        hf_log_begin(&line, &daemon->log, error ? HF_LOG_ERROR : HF_LOG_WARN, "config");
        if (finding->mark.line) {
            hf_log_fmt(&line, "at", "%s:%d:%d", findings->file, finding->mark.line,
                       finding->mark.column);
        }
        hf_log_str(&line, "id", hf_finding_name(finding->id));
        hf_log_str(&line, "text", finding->text);
        hf_log_end(&line);
    }
}

static void report(struct hf_daemon *daemon, enum hf_err err, struct hf_findings *findings,
                   hf_reload_fn *on_end, void *ctx)
{
    hf_daemon_log_findings(daemon, findings);
    const struct hf_series *series = err == HF_OK ? daemon->reloads_ok : daemon->reloads_refused;
    hf_series_add(series, daemon->n_workers, 1);
    if (err == HF_OK) {
        hf_log_say(&daemon->log, HF_LOG_INFO, "reload", "generation %u is running",
                   daemon->generation);
    } else {
        hf_log_say(&daemon->log, HF_LOG_ERROR, "reload",
                   "refused, the old configuration goes on: %s", hf_err_text());
    }
    bool still_busy = daemon->rollout || daemon->state == HF_DAEMON_DRAINING;
    if (!still_busy) { /* systemd would take it for the end of what is under way */
        hf_daemon_notify(daemon, hf_notify_ready(&daemon->notify, "running"));
    }
    if (on_end) {
        on_end(ctx, err, findings);
    }
}

/* Settings that are read only at the start: changing them is said, not silently forgotten. */
static void warn_fixed(const struct hf_config *was, const struct hf_config *now,
                       struct hf_findings *findings)
{
    const struct {
        const char *key;
        bool changed;
    } fixed[] = {
        {"state", strcmp(was->state.value ? was->state.value : "",
                         now->state.value ? now->state.value : "") != 0},
        {"workers", was->workers != now->workers},
        {"admin", !hf_addr_eq(&was->admin.addr, &now->admin.addr)},
        {"metrics", !hf_addr_eq(&was->metrics.addr, &now->metrics.addr)},
        {"log", was->log.level != now->log.level || was->log.format != now->log.format ||
                    strcmp(was->log.to.value, now->log.to.value) != 0},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(fixed); i++) {
        if (fixed[i].changed) {
            hf_findings_add(findings, HF_FINDING_NEEDS_RESTART, (struct hf_mark){0},
                            "`%s` has changed; restart the daemon to make it so", fixed[i].key);
        }
    }
}

static void rollout_end(struct hf_rollout *rollout)
{
    struct hf_daemon *daemon = rollout->daemon;
    enum hf_err err = HF_OK;
    for (unsigned i = 0; i < daemon->n_workers; i++) {
        if (rollout->parts[i].err != HF_OK) {
            err = hf_fail(rollout->parts[i].err, "worker %u could not take over every listener", i);
        }
    }
    hf_binds_replace(&daemon->binds, &rollout->binds);
    hf_snapshot_unref(daemon->snapshot);
    daemon->snapshot = rollout->plan.snapshot;
    hf_daemon_arm_rotation(daemon);
    hf_ledger_unref(daemon->ledger);
    daemon->ledger = rollout->plan.ledger;
    if (hf_checker_set(daemon->checker, daemon->snapshot) != HF_OK) {
        hf_log_say(&daemon->log, HF_LOG_ERROR, "check", "the checks are still those of before: %s",
                   hf_err_text());
    }
    daemon->generation = daemon->snapshot->generation;
    daemon->rollout = NULL;
    hf_daemon_settle_lists(daemon);
    hf_daemon_show_lists(daemon);
    hf_daemon_fetch_staples(daemon);
    hf_lint(daemon->snapshot->config, daemon->snapshot->materials, hf_clock_wall_s(&hf_os_clock),
            &rollout->findings);
    hf_ledger_lint(daemon->ledger, daemon->snapshot->config, daemon->snapshot->materials,
                   hf_clock_wall_s(&hf_os_clock), &rollout->findings);
    report(daemon, err, &rollout->findings, rollout->on_end, rollout->ctx);
    hf_findings_done(&rollout->findings);
    hf_free(rollout);
    if (daemon->reload_wanted) {
        daemon->reload_wanted = false;
        hf_daemon_reload(daemon, NULL, NULL);
    }
}

static void part_back(struct hf_task *task)
{
    struct rollout_part *part = HF_CONTAINER_OF(task, struct rollout_part, back);
    if (--part->rollout->n_left == 0) {
        rollout_end(part->rollout);
    }
}

static void part_apply(struct hf_task *task)
{
    struct rollout_part *part = HF_CONTAINER_OF(task, struct rollout_part, task);
    part->err = hf_worker_apply(part->worker, &part->rollout->plan);
    part->back.run = part_back;
    hf_loop_post(part->rollout->daemon->loop, &part->back);
}

/* Everything up to the point of no return. On failure nothing has changed. */
static enum hf_err prepare(struct hf_daemon *daemon, struct hf_rollout *rollout)
{
    struct hf_config *config = NULL;
    struct hf_snapshot *snapshot = NULL;
    struct hf_findings *findings = &rollout->findings;
    HF_TRY(hf_config_load(daemon->config_path, findings, &config));
    warn_fixed(daemon->snapshot->config, config, findings);
    HF_TRY(hf_snapshot_new(&daemon->env, config, daemon->generation + 1, findings, &snapshot));
    hf_stapler_show(daemon->stapler, snapshot);
    struct hf_ledger *ledger = NULL;
    enum hf_err err = hf_daemon_load_ledger(daemon, snapshot, HF_LEDGER_STRICT, findings, &ledger);
    if (err == HF_OK) {
        err = hf_binds_make(&daemon->binds, snapshot, daemon->n_workers, &daemon->activation,
                            findings, &rollout->binds);
    }
    if (err != HF_OK) {
        hf_ledger_unref(ledger);
        hf_snapshot_unref(snapshot);
        hf_daemon_settle_lists(daemon);
        return err;
    }
    rollout->plan = (struct hf_plan){.snapshot = snapshot,
                                     .ledger = ledger,
                                     .bound = rollout->binds.item,
                                     .n_bound = rollout->binds.n};
    return HF_OK;
}

struct hf_snapshot *hf_daemon_newest(const struct hf_daemon *daemon)
{
    return daemon->rollout ? daemon->rollout->plan.snapshot : daemon->snapshot;
}

static enum hf_err refuse_early(const struct hf_daemon *daemon)
{
    if (!daemon->config_path) {
        return hf_fail(HF_E_UNSUPPORTED, "a tunnel has no configuration file to read again");
    }
    if (daemon->state == HF_DAEMON_DRAINING) {
        return hf_fail(HF_E_BUSY, "the daemon is draining");
    }
    if (daemon->rollout) {
        return hf_fail(HF_E_BUSY, "another reload is under way");
    }
    return HF_OK;
}

static void post_parts(struct hf_rollout *rollout)
{
    struct hf_daemon *daemon = rollout->daemon;
    rollout->n_left = daemon->n_workers;
    daemon->rollout = rollout;
    for (unsigned i = 0; i < daemon->n_workers; i++) {
        rollout->parts[i] = (struct rollout_part){
            .task = {.run = part_apply}, .rollout = rollout, .worker = daemon->workers[i]};
        hf_loop_post(daemon->workers[i]->loop, &rollout->parts[i].task);
    }
}

void hf_daemon_reload(struct hf_daemon *daemon, hf_reload_fn *on_end, void *ctx)
{
    struct hf_rollout *rollout = NULL;
    if (daemon->rollout && !on_end) {
        daemon->reload_wanted = true; /* SIGHUP: the file may have changed since it was read */
        return;
    }
    enum hf_err err = refuse_early(daemon);
    if (err == HF_OK) {
        hf_daemon_notify(daemon, hf_notify_reloading(&daemon->notify, &hf_os_clock, "reloading"));
        rollout =
            hf_alloc_zero(1, sizeof(*rollout) + daemon->n_workers * sizeof(rollout->parts[0]));
        err = rollout ? HF_OK : HF_E_NOMEM;
    }
    if (!rollout) {
        struct hf_findings none = {0};
        report(daemon, err, &none, on_end, ctx);
        return;
    }
    rollout->daemon = daemon;
    rollout->on_end = on_end;
    rollout->ctx = ctx;
    err = prepare(daemon, rollout);
    if (err == HF_OK) {
        post_parts(rollout);
        return;
    }
    report(daemon, err, &rollout->findings, on_end, ctx);
    hf_findings_done(&rollout->findings);
    hf_free(rollout);
}
