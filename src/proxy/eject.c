// SPDX-License-Identifier: Apache-2.0
/*
 * Ejection, as a state machine of atomics:
 *
 *      in --[`after` failures in a row `within`]--> out (EJECTED, until) --[until is past]--> in
 *
 * The first pick or report that finds `until` past readmits the server: there is no timer. Failures
 * and successes race harmlessly; one more or one less in a row changes nothing that matters.
 */
#include "proxy/eject.h"

#include "base/log.h"
#include "proxy/balance.h"

/* --- Latency ------------------------------------------------------------------------------------
 */

/* The average forgets half in about FADE_MS, however many samples come. */
enum { FADE_MS = 10000 };

#define LATENCY_MAX UINT32_MAX

static uint64_t pack_latency(uint64_t us, int64_t now_ms)
{
    return (us < LATENCY_MAX ? us : LATENCY_MAX) << 32 | (uint32_t)now_ms;
}

uint64_t hf_latency_now(const struct hf_server_state *state, int64_t now_ms)
{
    uint64_t packed = atomic_load_explicit(&state->latency, memory_order_relaxed);
    uint64_t us = packed >> 32;
    int32_t since = (int32_t)((uint32_t)now_ms - (uint32_t)packed);
    if (us == 0 || since <= 0) {
        return us;
    }
    uint64_t faded = us * FADE_MS / ((uint64_t)FADE_MS + (uint64_t)since);
    return faded ? faded : 1;
}

/* Slower than thought counts for an eighth at least, at once; quicker only by the time that has
 * passed: a server is soon found to be slow, and must show for a while that it isn't any more. */
static uint64_t blend(uint64_t average, uint64_t sample, uint64_t since_ms)
{
    uint64_t part = since_ms * 1024 / (since_ms + FADE_MS);
    if (sample >= average) {
        part = part < 128 ? 128 : part;
        return average + (sample - average) * part / 1024;
    }
    part = part < 8 ? 8 : part;
    return average - (average - sample) * part / 1024;
}

void hf_latency_note(struct hf_server_state *state, int64_t sample_us, bool failed, int64_t now_ms)
{
    uint64_t packed = atomic_load_explicit(&state->latency, memory_order_relaxed);
    uint64_t average = packed >> 32;
    uint64_t sample = sample_us < 0 ? 0 : (uint64_t)sample_us + 1; /* 0 means none */
    if (failed && sample < 2 * average) {
        sample = 2 * average;
    }
    if (sample == 0) {
        return;
    }
    sample = sample < LATENCY_MAX ? sample : LATENCY_MAX;
    int32_t since = (int32_t)((uint32_t)now_ms - (uint32_t)packed);
    uint64_t us = average ? blend(average, sample, since > 0 ? (uint64_t)since : 0) : sample;
    atomic_store_explicit(&state->latency, pack_latency(us, now_ms), memory_order_relaxed);
}

/* --- Coming back --------------------------------------------------------------------------------
 */

void hf_server_return(const struct hf_upstream *upstream, const struct hf_server *server,
                      int64_t now_ms)
{
    if (upstream->cfg->slow_start_ms) {
        atomic_store_explicit(&server->state->ramp_from_ms, now_ms, memory_order_relaxed);
    }
}

bool hf_server_usable(const struct hf_server *server, int64_t now_ms)
{
    struct hf_server_state *state = server->state;
    unsigned standing = atomic_load_explicit(&state->standing, memory_order_relaxed);
    if (standing == 0) {
        return true;
    }
    if (standing & HF_SERVER_EJECTED &&
        now_ms >= atomic_load_explicit(&state->ejected_until_ms, memory_order_relaxed)) {
        unsigned before = atomic_fetch_and(&state->standing, ~(unsigned)HF_SERVER_EJECTED);
        if (before & HF_SERVER_EJECTED) { /* it was us */
            hf_server_return(server->upstream, server, now_ms);
        }
        standing = before & ~(unsigned)HF_SERVER_EJECTED;
    }
    return standing == 0;
}

/* --- Going --------------------------------------------------------------------------------------
 */

static bool counts_as_failure(const struct hf_cfg_eject *cfg, enum hf_server_outcome outcome)
{
    switch (outcome) {
    case HF_OUTCOME_CONNECT:
    case HF_OUTCOME_TIMEOUT:
    case HF_OUTCOME_RESET:
        return true;
    case HF_OUTCOME_GATEWAY:
        return cfg->answers != HF_EJECT_ANSWERS_NONE;
    case HF_OUTCOME_ERROR:
        return cfg->answers == HF_EJECT_ANSWERS_5XX;
    default:
        return false;
    }
}

/* One failure more in the run; gives how many it has now. */
static unsigned lengthen_run(struct hf_server_state *state, int64_t within_ms, int64_t now_ms)
{
    const uint64_t time_mask = ((uint64_t)1 << 48) - 1;
    uint64_t now = (uint64_t)now_ms & time_mask;
    uint64_t run = atomic_load_explicit(&state->run, memory_order_relaxed);
    uint64_t next;
    do {
        uint64_t n = run >> 48;
        bool old = n == 0 || now - (run & time_mask) > (uint64_t)within_ms;
        next =
            old ? (uint64_t)1 << 48 | now : (n < UINT16_MAX ? n + 1 : n) << 48 | (run & time_mask);
    } while (!atomic_compare_exchange_weak_explicit(&state->run, &run, next, memory_order_relaxed,
                                                    memory_order_relaxed));
    return (unsigned)(next >> 48);
}

/* Would one more be more than may be out? Counted with this one in. */
static bool too_many_out(const struct hf_upstream *upstream)
{
    size_t n = 0;
    for (size_t i = 0; i < upstream->n_servers; i++) {
        n += (atomic_load(&upstream->servers[i].state->standing) & HF_SERVER_EJECTED) != 0;
    }
    return n * 100 > upstream->n_servers * upstream->cfg->eject.max_percent;
}

/* Doubled for each ejection that follows soon on the last. */
static int64_t ejection_time(struct hf_server_state *state, const struct hf_cfg_eject *cfg,
                             int64_t last_until_ms, int64_t now_ms)
{
    if (last_until_ms == 0 || now_ms - last_until_ms > cfg->max_time_ms) {
        atomic_store_explicit(&state->ejections, 0, memory_order_relaxed);
    }
    unsigned n = atomic_load_explicit(&state->ejections, memory_order_relaxed);
    int64_t time = cfg->time_ms;
    for (unsigned i = 0; i < n && time < cfg->max_time_ms; i++) {
        time *= 2;
    }
    return time < cfg->max_time_ms ? time : cfg->max_time_ms;
}

static void say_ejected(const struct hf_upstream *upstream, const struct hf_server *server,
                        enum hf_server_outcome last, int64_t time_ms)
{
    if (!upstream->log) {
        return;
    }
    struct hf_log_line line;
    hf_log_begin(&line, upstream->log, HF_LOG_WARN, "ejected");
    hf_log_str(&line, "upstream", upstream->cfg->name);
    hf_log_str(&line, "server", server->cfg->text);
    hf_log_int(&line, "failures", upstream->cfg->eject.after);
    hf_log_str(&line, "last", hf_outcome_name(last));
    hf_log_int(&line, "for_ms", time_ms);
    hf_log_end(&line);
}

/* Two workers may be here at once, for one server or for two: who moves `until` ejects it, before
 * the bit shows, so that nobody finds an old `until` in the past; and the count is taken with the
 * bit set, so that the limit holds. */
static void eject(const struct hf_upstream *upstream, const struct hf_server *server,
                  enum hf_server_outcome last, int64_t now_ms)
{
    struct hf_server_state *state = server->state;
    int64_t until = atomic_load(&state->ejected_until_ms);
    int64_t time_ms = ejection_time(state, &upstream->cfg->eject, until, now_ms);
    if ((atomic_load(&state->standing) & HF_SERVER_EJECTED) ||
        !atomic_compare_exchange_strong(&state->ejected_until_ms, &until, now_ms + time_ms)) {
        return;
    }
    atomic_fetch_or(&state->standing, HF_SERVER_EJECTED);
    if (too_many_out(upstream)) {
        atomic_fetch_and(&state->standing, ~(unsigned)HF_SERVER_EJECTED);
        atomic_store(&state->ejected_until_ms, until);
        return;
    }
    atomic_fetch_add_explicit(&state->ejections, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&state->ejected_total, 1, memory_order_relaxed);
    atomic_store_explicit(&state->run, 0, memory_order_relaxed);
    say_ejected(upstream, server, last, time_ms);
}

void hf_eject_note(const struct hf_upstream *upstream, const struct hf_server *server,
                   enum hf_server_outcome outcome, int64_t now_ms)
{
    const struct hf_cfg_eject *cfg = &upstream->cfg->eject;
    struct hf_server_state *state = server->state;
    if (cfg->after == 0) {
        return;
    }
    if (!counts_as_failure(cfg, outcome)) {
        if (atomic_load_explicit(&state->run, memory_order_relaxed)) {
            atomic_store_explicit(&state->run, 0, memory_order_relaxed);
        }
        return;
    }
    if (lengthen_run(state, cfg->within_ms, now_ms) >= cfg->after) {
        eject(upstream, server, outcome, now_ms);
    }
}
