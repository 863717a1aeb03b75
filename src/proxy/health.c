// SPDX-License-Identifier: Apache-2.0
/*
 * One struct watched for each server that is checked: a timer, and a probe while one is under way.
 *
 *      timer due -> probe -> note(good?) -> timer in `interval`, give or take a tenth
 *
 * The first check of a server that nothing is known of is at once; on a reload the others wait a
 * part of their interval chosen by chance, so that a fleet's checks don't march in step.
 */
#include "proxy/health.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "proxy/balance_queue.h"
#include "proxy/eject.h"
#include "proxy/probe.h"

struct watched {
    struct hf_checker *checker;
    const struct hf_server *server;
    struct hf_timer timer;
    struct hf_probe *probe; /* NULL: none is under way */
};

struct hf_checker {
    struct hf_checker_env env;
    struct hf_probe_env probe_env;
    struct hf_snapshot *snapshot; /* NULL: none yet */
    struct watched *watched;
    size_t n_watched;
    struct hf_scratch scratch;
    struct hf_task free_task;
};

enum { SCRATCH_OUT = 512 << 10 };

/* --- The rule -----------------------------------------------------------------------------------
 */

enum hf_health_change hf_health_note(struct hf_health *health, const struct hf_cfg_check *cfg,
                                     bool good)
{
    bool first = !health->known;
    health->known = true;
    health->last_good = good;
    if (good != health->down) { /* it confirms what they say together */
        health->run = 0;
        return HF_HEALTH_SAME;
    }
    health->run++;
    if (!first && health->run < (good ? cfg->rise : cfg->fall)) {
        return HF_HEALTH_SAME;
    }
    health->run = 0;
    health->down = !good;
    return good ? HF_HEALTH_UP : HF_HEALTH_DOWN;
}

/* --- Outcomes -----------------------------------------------------------------------------------
 */

static void say(const struct watched *watched, enum hf_log_level level, const char *event,
                const char *why)
{
    struct hf_log_line line;
    hf_log_begin(&line, watched->checker->env.log, level, event);
    hf_log_str(&line, "upstream", watched->server->upstream->cfg->name);
    hf_log_str(&line, "server", watched->server->cfg->text);
    if (*why) {
        hf_log_str(&line, "detail", why);
    }
    hf_log_end(&line);
}

static void bring_up(const struct watched *watched)
{
    const struct hf_server *server = watched->server;
    atomic_fetch_and(&server->state->standing, ~(unsigned)HF_SERVER_DOWN);
    hf_server_return(server->upstream, server, hf_loop_now_ms(watched->checker->env.loop));
    say(watched, HF_LOG_INFO, "server-up", "");
    hf_queue_wake(server->upstream->state);
}

static void take_down(const struct watched *watched, const char *why)
{
    atomic_fetch_or(&watched->server->state->standing, HF_SERVER_DOWN);
    say(watched, HF_LOG_WARN, "server-down", why);
    hf_queue_wake(watched->server->upstream->state); /* who waits for it alone waits for nothing */
}

static int64_t by_chance(const struct hf_checker *checker, int64_t below)
{
    uint64_t chance = 0;
    if (below <= 0 ||
        hf_rng_fill(checker->env.rng, hf_span_of((uint8_t *)&chance, sizeof(chance))) != HF_OK) {
        return 0;
    }
    return (int64_t)(chance % (uint64_t)below);
}

static void check_later(struct watched *watched)
{
    int64_t interval = watched->server->upstream->cfg->check.interval_ms;
    int64_t delay = interval - interval / 10 + by_chance(watched->checker, interval / 5 + 1);
    hf_timer_set(watched->checker->env.loop, &watched->timer, delay);
}

static void on_probed(void *ctx, bool good, const char *why)
{
    struct watched *watched = ctx;
    const struct hf_server *server = watched->server;
    struct hf_health *health = &server->state->health;
    enum hf_health_change change = hf_health_note(health, &server->upstream->cfg->check, good);
    health->at_ms = hf_loop_now_ms(watched->checker->env.loop);
    if (!good) {
        snprintf(health->why, sizeof(health->why), "%s", why);
    }
    hf_series_add(server->metrics.checks[good], watched->checker->env.shard, 1);
    if (change == HF_HEALTH_UP) {
        bring_up(watched);
    } else if (change == HF_HEALTH_DOWN) {
        take_down(watched, why);
    } else if (!good) {
        say(watched, HF_LOG_DEBUG, "check-failed", why);
    }
    hf_probe_free(HF_TAKE(watched->probe));
    check_later(watched);
}

static void on_due(struct hf_timer *timer)
{
    struct watched *watched = HF_CONTAINER_OF(timer, struct watched, timer);
    if (hf_probe_start(&watched->checker->probe_env, watched->server, on_probed, watched,
                       &watched->probe) != HF_OK) {
        say(watched, HF_LOG_ERROR, "check-failed", hf_err_text()); /* ours: it says nothing of it */
        watched->probe = NULL;
        check_later(watched);
    }
}

/* --- Which servers ------------------------------------------------------------------------------
 */

static void stop_all(struct watched *watched, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        hf_timer_cancel(&watched[i].timer);
        hf_probe_free(watched[i].probe);
    }
    hf_free(watched);
}

static void start_one(struct watched *watched)
{
    const struct hf_server *server = watched->server;
    int64_t interval = server->upstream->cfg->check.interval_ms;
    bool known = server->state->health.known;
    hf_timer_set(watched->checker->env.loop, &watched->timer,
                 known ? by_chance(watched->checker, interval) : 0);
}

/* A server that nobody checks any more is in nobody's hands but its traffic's. */
static void forget(struct hf_checker *checker, const struct hf_server *server)
{
    server->state->health = (struct hf_health){0};
    if (atomic_fetch_and(&server->state->standing, ~(unsigned)HF_SERVER_DOWN) & HF_SERVER_DOWN) {
        struct watched was = {.checker = checker, .server = server};
        bring_up(&was);
    }
}

static size_t count_checked(const struct hf_snapshot *snapshot)
{
    size_t n = 0;
    for (size_t i = 0; i < snapshot->n_upstreams; i++) {
        n += snapshot->upstreams[i].cfg->check_on ? snapshot->upstreams[i].n_servers : 0;
    }
    return n;
}

static void set_servers(struct hf_checker *checker, const struct hf_snapshot *snapshot)
{
    size_t n = 0;
    for (size_t i = 0; i < snapshot->n_upstreams; i++) {
        const struct hf_upstream *upstream = &snapshot->upstreams[i];
        for (size_t k = 0; k < upstream->n_servers; k++) {
            if (!upstream->cfg->check_on) {
                forget(checker, &upstream->servers[k]);
                continue;
            }
            struct watched *watched = &checker->watched[n++];
            *watched = (struct watched){
                .checker = checker, .server = &upstream->servers[k], .timer = {.on_due = on_due}};
            start_one(watched);
        }
    }
    checker->n_watched = n;
}

enum hf_err hf_checker_set(struct hf_checker *checker, struct hf_snapshot *snapshot)
{
    size_t n = count_checked(snapshot);
    if (n && !checker->probe_env.resolver) {
        HF_TRY(hf_resolver_new(checker->env.loop, NULL, &checker->probe_env.resolver));
    }
    struct watched *watched = hf_alloc_zero(n ? n : 1, sizeof(*watched));
    if (!watched) {
        return HF_E_NOMEM;
    }
    stop_all(checker->watched, checker->n_watched);
    checker->watched = watched;
    set_servers(checker, snapshot);
    hf_snapshot_unref(checker->snapshot);
    checker->snapshot = hf_snapshot_ref(snapshot);
    return HF_OK;
}

/* --- Life ---------------------------------------------------------------------------------------
 */

enum hf_err hf_checker_new(const struct hf_checker_env *env, struct hf_checker **out)
{
    struct hf_checker *checker = HF_NEW(struct hf_checker);
    if (!checker) {
        return HF_E_NOMEM;
    }
    checker->env = *env;
    checker->scratch.out = HF_BUF_INIT(SCRATCH_OUT);
    checker->probe_env = (struct hf_probe_env){.loop = env->loop,
                                               .clock = env->clock,
                                               .ledger = env->ledger,
                                               .desk = env->desk,
                                               .crl_desk = env->crl_desk,
                                               .scratch = &checker->scratch,
                                               .shard = env->shard};
    hf_probe_env_init(&checker->probe_env);
    *out = checker;
    return HF_OK;
}

static void free_later(struct hf_task *task)
{
    struct hf_checker *checker = HF_CONTAINER_OF(task, struct hf_checker, free_task);
    hf_probe_env_done(&checker->probe_env);
    hf_buf_done(&checker->scratch.out);
    hf_snapshot_unref(checker->snapshot);
    hf_free(checker);
}

void hf_checker_free(struct hf_checker *checker)
{
    if (!checker) {
        return;
    }
    stop_all(checker->watched, checker->n_watched);
    hf_resolver_free(checker->probe_env.resolver);
    checker->free_task.run = free_later; /* after the probes' own */
    hf_loop_defer(checker->env.loop, &checker->free_task);
}
