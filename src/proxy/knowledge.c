// SPDX-License-Identifier: Apache-2.0
/*
 * What is known of revocation, on the control thread: it is loaded with the configuration, and
 * again when a file of lists changes. A changed file that can't be used changes nothing but the
 * log: the lists from before stay in force.
 */
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "os/clock.h"
#include "proxy/crl_sources.h"
#include "proxy/crl_watch.h"
#include "proxy/daemon_impl.h"
#include "proxy/denials.h"
#include "proxy/live_watch.h"

enum {
    WATCH_MS = 1000,   /* how often the files are looked at */
    CLOCK_STEP_S = 30, /* by which the clock may be set before everything is judged again */
};

/* Lists that are fetched need the folder that the daemon was started with. */
static enum hf_err check_folder(const struct hf_daemon *daemon, const struct hf_config *config,
                                struct hf_findings *findings)
{
    for (size_t i = 0; i < config->n_trusts && !daemon->sources; i++) {
        const struct hf_cfg_crl *crl = &config->trusts[i].crl;
        if (crl->urls.n || crl->from.n) {
            hf_findings_add(findings, HF_FINDING_CONFLICT, crl->mark,
                            "trust \"%s\" fetches lists, but the daemon was started without a "
                            "folder to keep them in (state); restart it",
                            config->trusts[i].name);
            return HF_E_CONFIG;
        }
    }
    return HF_OK;
}

/* What the CAs of this process have revoked: references, to be given back. */
struct lives {
    struct hf_ledger_live *item;
    size_t n;
};

static void lives_done(struct lives *lives)
{
    for (size_t i = 0; i < lives->n; i++) {
        hf_live_unref(lives->item[i].live);
    }
    hf_free(lives->item);
}

static enum hf_err find_lives(const struct hf_snapshot *snapshot, struct lives *out)
{
    const struct hf_config *config = snapshot->config;
    out->item = hf_alloc_zero(config->n_cas + 1, sizeof(*out->item));
    if (!out->item) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < config->n_cas && snapshot->services; i++) {
        struct hf_live *live =
            snapshot->services->source->live(snapshot->services, &config->cas[i]);
        if (live) {
            out->item[out->n++] = (struct hf_ledger_live){config->cas[i].name, live};
        }
    }
    return HF_OK;
}

static enum hf_err load(struct hf_daemon *daemon, const struct hf_config *config,
                        struct hf_ledger_known *known, enum hf_ledger_mode mode,
                        struct hf_findings *findings, struct hf_ledger **out)
{
    struct hf_ledger_fetched *fetched = NULL;
    if (daemon->sources) {
        HF_TRY(hf_crl_sources_fetched(daemon->sources, config, &fetched, &known->n_fetched));
    }
    known->fetched = fetched;
    enum hf_err err = hf_ledger_load(config, daemon->ledger, known, mode,
                                     hf_clock_wall_s(&hf_os_clock), findings, out);
    hf_free(fetched);
    return err;
}

enum hf_err hf_daemon_load_ledger(struct hf_daemon *daemon, const struct hf_snapshot *snapshot,
                                  enum hf_ledger_mode mode, struct hf_findings *findings,
                                  struct hf_ledger **out)
{
    const struct hf_config *config = snapshot->config;
    struct hf_ledger_known known = {
        .deny = daemon->denials ? hf_denials_list(daemon->denials) : NULL,
    };
    HF_CLEANUP(lives_done) struct lives lives = {NULL, 0};
    HF_TRY(find_lives(snapshot, &lives));
    known.lives = lives.item;
    known.n_lives = lives.n;
    HF_TRY(check_folder(daemon, config, findings));
    if (daemon->sources) {
        HF_TRY(hf_crl_sources_want(daemon->sources, config, snapshot->materials, findings));
    }
    hf_ledger_fingerprint(config, daemon->lists_seen);
    return load(daemon, config, &known, mode, findings, out);
}

/* --- Teaching -----------------------------------------------------------------------------------
 */

struct lesson;

struct part {
    struct hf_task task;
    struct hf_task back;
    struct lesson *lesson;
    struct hf_worker *worker;
    size_t n_closed;
};

/* A ledger on its way to the workers. Lives until the last has come back. */
struct lesson {
    struct hf_daemon *daemon;
    struct hf_ledger *ledger;
    hf_daemon_taught_fn *on_end;
    void *ctx;
    unsigned n_left;
    struct part parts[];
};

/* Whoever has revoked somebody waits to be told that nobody here lets them in. */
static void tell_obeyed(const struct hf_daemon *daemon, const struct hf_ledger *ledger)
{
    const struct hf_config *config = daemon->snapshot->config;
    struct hf_services *services = daemon->snapshot->services;
    for (size_t i = 0; i < config->n_cas && services; i++) {
        struct hf_live *now = services->source->live(services, &config->cas[i]);
        const struct hf_live *used = hf_ledger_live_of(ledger, config->cas[i].name);
        if (now) {
            services->source->obeyed(services, &config->cas[i], hf_live_seq(used ? used : now));
        }
        hf_live_unref(now);
    }
}

static void part_done(struct lesson *lesson)
{
    if (--lesson->n_left > 0) {
        return;
    }
    lesson->daemon->n_lessons--;
    tell_obeyed(lesson->daemon, lesson->ledger);
    size_t n_closed = 0;
    for (unsigned i = 0; i < lesson->daemon->n_workers; i++) {
        n_closed += lesson->parts[i].n_closed;
    }
    if (lesson->on_end) {
        lesson->on_end(lesson->ctx, n_closed);
    }
    hf_ledger_unref(lesson->ledger);
    hf_free(lesson);
}

static void part_back(struct hf_task *task)
{
    part_done(HF_CONTAINER_OF(task, struct part, back)->lesson);
}

/* On the worker's thread. */
static void part_learned(void *ctx, size_t n_closed)
{
    struct part *part = ctx;
    part->n_closed = n_closed;
    part->back.run = part_back;
    hf_loop_post(part->lesson->daemon->loop, &part->back);
}

static void part_learn(struct hf_task *task)
{
    struct part *part = HF_CONTAINER_OF(task, struct part, task);
    part->worker->n_learnt++;
    hf_worker_learn(part->worker, part->lesson->ledger, part_learned, part);
}

enum hf_err hf_daemon_teach(struct hf_daemon *daemon, struct hf_ledger *ledger,
                            hf_daemon_taught_fn *on_end, void *ctx)
{
    if (daemon->rollout) {
        hf_ledger_unref(ledger);
        return hf_fail(HF_E_BUSY, "a reload is under way");
    }
    struct lesson *lesson =
        hf_alloc_zero(1, sizeof(*lesson) + daemon->n_workers * sizeof(lesson->parts[0]));
    if (!lesson) {
        hf_ledger_unref(ledger);
        return HF_E_NOMEM;
    }
    lesson->daemon = daemon;
    daemon->n_lessons++;
    lesson->ledger = hf_ledger_ref(ledger);
    lesson->on_end = on_end;
    lesson->ctx = ctx;
    hf_ledger_unref(daemon->ledger);
    daemon->ledger = ledger;
    hf_daemon_show_lists(daemon);
    hf_crl_desk_teaches(daemon->crl_desk);
    lesson->n_left = 1; /* held until all are told */
    for (unsigned i = 0; i < daemon->n_workers; i++) {
        struct part *part = &lesson->parts[i];
        if (daemon->workers[i]->has_ended) {
            continue; /* it has no sessions any more, and nobody to hear us */
        }
        lesson->n_left++;
        *part = (struct part){
            .task = {.run = part_learn}, .lesson = lesson, .worker = daemon->workers[i]};
        hf_loop_post(daemon->workers[i]->loop, &part->task);
    }
    part_done(lesson);
    return HF_OK;
}

/* --- Watching -----------------------------------------------------------------------------------
 */

static void say_closed(void *ctx, size_t n_closed)
{
    struct hf_daemon *daemon = ctx;
    hf_log_say(&daemon->log, HF_LOG_INFO, "revocation",
               "changed lists are in force; %zu sessions were closed", n_closed);
}

static void load_again(struct hf_daemon *daemon)
{
    struct hf_findings findings = {0};
    struct hf_ledger *ledger = NULL;
    const struct hf_config *config = daemon->snapshot->config;
    enum hf_err err = hf_findings_file(&findings, config->path);
    if (err == HF_OK) {
        err = hf_daemon_load_ledger(daemon, daemon->snapshot, HF_LEDGER_KEEP, &findings, &ledger);
    }
    if (err == HF_OK) {
        err = hf_daemon_teach(daemon, ledger, say_closed, daemon);
    }
    if (err == HF_OK && daemon->sources) {
        hf_crl_sources_taught(daemon->sources);
    }
    hf_daemon_log_findings(daemon, &findings);
    if (err != HF_OK) {
        memset(daemon->lists_seen, 0, sizeof(daemon->lists_seen)); /* try again soon */
        hf_log_say(&daemon->log, HF_LOG_ERROR, "revocation",
                   "changed lists could not be taken over, those from before stay: %s",
                   hf_err_text());
    }
    hf_findings_done(&findings);
}

static int64_t wall_ahead_s(void)
{
    return hf_clock_wall_s(&hf_os_clock) - hf_clock_mono_ns(&hf_os_clock) / 1000000000;
}

/* Dates are judged by the clock of now, but what is armed to judge again counts seconds that pass.
 * So when the clock is set, everybody is judged again at once, by what then is in force. */
static void watch_clock(struct hf_daemon *daemon)
{
    int64_t ahead_s = wall_ahead_s(), step_s = ahead_s - daemon->wall_ahead_s;
    char by[32];
    if (step_s > -CLOCK_STEP_S && step_s < CLOCK_STEP_S) {
        return; /* let it drift: a small step is seen when it has added up */
    }
    daemon->wall_ahead_s = ahead_s;
    memset(daemon->lists_seen, 0, sizeof(daemon->lists_seen)); /* load again */
    hf_format_duration((step_s < 0 ? -step_s : step_s) * 1000, by, sizeof(by));
    hf_log_say(&daemon->log, HF_LOG_WARN, "clock",
               "the clock was set %s by %s: all sessions are judged again, and lists are fetched",
               step_s < 0 ? "back" : "forward", by);
    if (daemon->sources) {
        hf_crl_sources_ask(daemon->sources);
    }
}

static void on_watch(struct hf_timer *timer)
{
    struct hf_daemon *daemon = HF_CONTAINER_OF(timer, struct hf_daemon, lists_timer);
    watch_clock(daemon);
    uint8_t now[HF_SHA256_SIZE];
    hf_crl_watch_look(daemon->crl_watch);
    hf_ledger_fingerprint(daemon->snapshot->config, now);
    bool idle = !daemon->rollout && daemon->state == HF_DAEMON_RUNNING;
    if (idle && memcmp(now, daemon->lists_seen, sizeof(now)) != 0) {
        load_again(daemon);
    }
    hf_timer_set(daemon->loop, timer, WATCH_MS);
}

void hf_daemon_show_lists(struct hf_daemon *daemon)
{
    hf_crl_watch_set(daemon->crl_watch, daemon->ledger, daemon->snapshot->config);
    hf_live_watch_set(daemon->live_watch, daemon->ledger, daemon->snapshot->config);
}

void hf_daemon_watch_lists(struct hf_daemon *daemon)
{
    hf_daemon_show_lists(daemon);
    daemon->wall_ahead_s = wall_ahead_s();
    daemon->lists_timer.on_due = on_watch;
    hf_timer_set(daemon->loop, &daemon->lists_timer, WATCH_MS);
}

/* --- CAs of this process ------------------------------------------------------------------------
 */

enum { LIVE_RETRY_MS = 10 }; /* while a reload is under way */

static void say_cut(void *ctx, size_t n_closed)
{
    struct hf_daemon *daemon = ctx;
    hf_log_say(&daemon->log, HF_LOG_INFO, "revocation",
               "what the CA has revoked is in force; %zu sessions were closed", n_closed);
}

/* The ledger with what the CAs say now; NULL: it has that already. */
static enum hf_err renew_live(struct hf_daemon *daemon, struct hf_ledger **out)
{
    HF_CLEANUP(lives_done) struct lives lives = {NULL, 0};
    struct hf_ledger *ledger = NULL;
    HF_TRY(find_lives(daemon->snapshot, &lives));
    for (size_t i = 0; i < lives.n; i++) {
        const struct hf_ledger *now = ledger ? ledger : daemon->ledger;
        const struct hf_live *was = hf_ledger_live_of(now, lives.item[i].ca);
        struct hf_ledger *next = NULL;
        if (!was || was == lives.item[i].live) {
            continue;
        }
        enum hf_err err = hf_ledger_live(now, &lives.item[i], &next);
        hf_ledger_unref(ledger);
        HF_TRY(err);
        ledger = next;
    }
    *out = ledger;
    return HF_OK;
}

static void take_live(struct hf_daemon *daemon)
{
    struct hf_ledger *ledger = NULL;
    if (daemon->state == HF_DAEMON_STARTING || daemon->rollout) {
        hf_timer_set(daemon->loop, &daemon->live_timer, LIVE_RETRY_MS);
        return;
    }
    enum hf_err err = renew_live(daemon, &ledger);
    if (err == HF_OK && ledger) {
        err = hf_daemon_teach(daemon, ledger, say_cut, daemon);
    } else if (err == HF_OK && daemon->n_lessons == 0) {
        tell_obeyed(daemon, daemon->ledger);
    }
    if (err != HF_OK) {
        hf_log_say(&daemon->log, HF_LOG_ERROR, "revocation",
                   "what the CA has revoked could not be taken over, and is tried again: %s",
                   hf_err_text());
        hf_timer_set(daemon->loop, &daemon->live_timer, LIVE_RETRY_MS);
    }
}

static void on_live_timer(struct hf_timer *timer)
{
    take_live(HF_CONTAINER_OF(timer, struct hf_daemon, live_timer));
}

static void on_live(struct hf_task *task)
{
    struct hf_daemon *daemon = HF_CONTAINER_OF(task, struct hf_daemon, live_task);
    atomic_store(&daemon->live_told, false);
    daemon->live_timer.on_due = on_live_timer;
    if (daemon->ledger) {
        take_live(daemon);
    }
}

void hf_daemon_live_changed(void *ctx)
{
    struct hf_daemon *daemon = ctx;
    if (!atomic_exchange(&daemon->live_told, true)) {
        daemon->live_task.run = on_live;
        hf_loop_post(daemon->loop, &daemon->live_task);
    }
}

/* --- Fetching -----------------------------------------------------------------------------------
 */

static void on_fetched(void *ctx)
{
    struct hf_daemon *daemon = ctx;
    if (daemon->rollout || daemon->state == HF_DAEMON_STARTING) {
        memset(daemon->lists_seen, 0, sizeof(daemon->lists_seen)); /* at the next look */
    } else {
        load_again(daemon);
    }
}

enum hf_err hf_daemon_fetch_lists(struct hf_daemon *daemon)
{
    return daemon->sources ? hf_crl_sources_start(daemon->sources, daemon->loop, on_fetched, daemon)
                           : HF_OK;
}

static void meet_and_await(void *ctx, const char *trust, const struct hf_chain *path,
                           hf_crl_await_fn *fn, void *fn_ctx)
{
    struct hf_daemon *daemon = ctx;
    hf_daemon_meet(daemon, trust, path);
    if (daemon->sources) {
        hf_crl_sources_await(daemon->sources, hf_daemon_newest(daemon)->config, trust, path, fn,
                             fn_ctx);
    }
}

enum hf_err hf_daemon_open_crl_desk(struct hf_daemon *daemon)
{
    if (!daemon->sources) {
        return HF_OK;
    }
    const struct hf_crl_desk_env env = {.loop = daemon->loop,
                                        .meet = meet_and_await,
                                        .n_awaited = hf_crl_sources_n_awaited(daemon->sources),
                                        .ctx = daemon};
    return hf_crl_desk_new(&env, &daemon->crl_desk);
}

void hf_daemon_settle_lists(struct hf_daemon *daemon)
{
    if (daemon->sources) {
        hf_crl_sources_settle(daemon->sources, daemon->snapshot->config);
    }
}

void hf_daemon_meet(void *control_ctx, const char *trust, const struct hf_chain *path)
{
    struct hf_daemon *daemon = control_ctx;
    if (daemon->sources) {
        const struct hf_snapshot *snapshot = hf_daemon_newest(daemon);
        hf_crl_sources_meet(daemon->sources, snapshot->config, snapshot->materials, trust, path);
    }
}
