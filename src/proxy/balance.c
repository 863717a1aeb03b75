// SPDX-License-Identifier: Apache-2.0
/*
 * Four ways to choose, one way to take: whoever is chosen must fit (usable, not tried, below its
 * caps) and is then asked for a place with one atomic increment, which another worker may have won
 * meanwhile. What has no luck in a bounded number of turns goes to scan(), which looks at everybody
 * once and takes the least loaded; so a pick always ends, and finds a server where there is one.
 *
 * A server that returns grows into its share: while it ramps, it turns a part of what comes its way
 * down, and the way goes on to the next.
 */
#include "proxy/balance.h"

#include <stdio.h>
#include <string.h>

#include "proxy/balance_queue.h"
#include "proxy/eject.h"

enum {
    TURNS_MAX = 64,    /* round robin: turns before scanning */
    DRAWS_MAX = 16,    /* two choices: draws before scanning */
    PROBES_MAX = 64,   /* hash: slots before scanning */
    SHARE_WHOLE = 1024 /* a server's share, but while it ramps */
};

const char *hf_outcome_name(enum hf_server_outcome outcome)
{
#define OUTCOME_NAME(id, name) [HF_OUTCOME_##id] = name,
    static const char *const names[] = {HF_OUTCOME_TABLE(OUTCOME_NAME)};
#undef OUTCOME_NAME
    return names[outcome];
}

/* --- May it be asked ----------------------------------------------------------------------------
 */

enum fit { FIT, FULL, UNUSABLE };

struct picking {
    const struct hf_upstream *upstream;
    const struct hf_pick_input *input;
    uint64_t chance; /* drawn once a pick; each use mixes it */
};

static unsigned load(const atomic_uint *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

static bool is_full(const struct hf_server *server, const struct hf_pick_input *input)
{
    const struct hf_cfg_server *cfg = server->cfg;
    if (cfg->max_requests && load(&server->state->active) >= cfg->max_requests) {
        return true;
    }
    return cfg->max_connections && load(&server->state->open) >= cfg->max_connections &&
           !(input->has_idle && input->has_idle(input->ctx, server));
}

static enum fit fit_of(const struct picking *picking, size_t index)
{
    const struct hf_server *server = &picking->upstream->servers[index];
    if (hf_tried_has(picking->input->tried, index) ||
        !hf_server_usable(server, picking->input->now_ms)) {
        return UNUSABLE;
    }
    return is_full(server, picking->input) ? FULL : FIT;
}

/* Its share now, in SHARE_WHOLE-ths. */
static unsigned share_of(const struct hf_server *server, const struct picking *picking)
{
    int64_t from = atomic_load_explicit(&server->state->ramp_from_ms, memory_order_relaxed);
    int64_t whole_ms = picking->upstream->cfg->slow_start_ms;
    if (from == 0) {
        return SHARE_WHOLE;
    }
    int64_t since = picking->input->now_ms - from;
    if (since >= whole_ms) {
        atomic_store_explicit(&server->state->ramp_from_ms, 0, memory_order_relaxed);
        return SHARE_WHOLE;
    }
    int64_t share = since > 0 ? since * SHARE_WHOLE / whole_ms : 0;
    return share < SHARE_WHOLE / 16 ? SHARE_WHOLE / 16 : (unsigned)share;
}

static bool ramp_lets(const struct hf_server *server, const struct picking *picking, uint64_t draw)
{
    unsigned share = share_of(server, picking);
    return share == SHARE_WHOLE || hf_mix64(draw) % SHARE_WHOLE < share;
}

/* --- Taking a place -----------------------------------------------------------------------------
 */

static bool take(const struct picking *picking, size_t index)
{
    const struct hf_server *server = &picking->upstream->servers[index];
    unsigned most = server->cfg->max_requests;
    unsigned active = atomic_fetch_add(&server->state->active, 1) + 1;
    if (most && active > most) {
        atomic_fetch_sub(&server->state->active, 1);
        return false;
    }
    atomic_fetch_add_explicit(&picking->upstream->state->active, 1, memory_order_relaxed);
    return true;
}

/* --- Choosing -----------------------------------------------------------------------------------
 */

#define NOBODY SIZE_MAX

/* Compares a's load with b's: load over weight, without dividing. */
static bool less_loaded(uint64_t load_a, uint64_t weight_a, uint64_t load_b, uint64_t weight_b)
{
    return load_a * weight_b < load_b * weight_a;
}

/* The least loaded by its weight and share; equals take turns. */
static size_t scan(const struct picking *picking)
{
    const struct hf_upstream *upstream = picking->upstream;
    size_t best = NOBODY;
    uint64_t best_load = 0;
    uint64_t best_weight = 1;
    for (size_t i = 0; i < upstream->n_servers; i++) {
        size_t index = (picking->chance + i) % upstream->n_servers;
        const struct hf_server *server = &upstream->servers[index];
        if (fit_of(picking, index) != FIT) {
            continue;
        }
        uint64_t active = (uint64_t)load(&server->state->active) + 1;
        uint64_t weight = (uint64_t)hf_weight(server->cfg) * share_of(server, picking);
        if (best == NOBODY || less_loaded(active, weight, best_load, best_weight)) {
            best = index;
            best_load = active;
            best_weight = weight;
        }
    }
    return best;
}

static unsigned next_turn(const struct hf_upstream *upstream)
{
    return atomic_fetch_add_explicit(&upstream->state->turn, 1, memory_order_relaxed);
}

static size_t by_turns(const struct picking *picking)
{
    const struct hf_balance_table *table = &picking->upstream->table;
    uint64_t turn = picking->chance;
    for (size_t i = 0; i < TURNS_MAX; i++) {
        size_t index = table->turns[turn % table->n_turns];
        if (fit_of(picking, index) == FIT &&
            ramp_lets(&picking->upstream->servers[index], picking, turn)) {
            return index;
        }
        turn = next_turn(picking->upstream);
    }
    return NOBODY;
}

/* One by chance and weight, not `other`. */
static size_t draw(const struct picking *picking, uint64_t *chance, size_t other)
{
    const struct hf_balance_table *table = &picking->upstream->table;
    for (size_t i = 0; i < DRAWS_MAX; i++) {
        *chance = hf_mix64(*chance);
        size_t index = table->turns[*chance % table->n_turns];
        if (index != other && fit_of(picking, index) == FIT) {
            return index;
        }
    }
    return NOBODY;
}

/* What a request more would wait for there, about: the requests before it, each as long as the
 * average. Nobody's latency known: by requests alone. */
static bool is_quicker(const struct picking *picking, size_t a, size_t b)
{
    const struct hf_server *server_a = &picking->upstream->servers[a];
    const struct hf_server *server_b = &picking->upstream->servers[b];
    uint64_t latency_a = hf_latency_now(server_a->state, picking->input->now_ms);
    uint64_t latency_b = hf_latency_now(server_b->state, picking->input->now_ms);
    latency_a = latency_a ? latency_a : latency_b ? latency_b : 1;
    latency_b = latency_b ? latency_b : latency_a;
    return less_loaded(
        latency_a * (load(&server_a->state->active) + 1ull), share_of(server_a, picking),
        latency_b * (load(&server_b->state->active) + 1ull), share_of(server_b, picking));
}

static size_t by_latency(const struct picking *picking)
{
    uint64_t chance = hf_mix64(picking->chance);
    size_t first = draw(picking, &chance, NOBODY);
    if (first == NOBODY) {
        return NOBODY;
    }
    size_t second = draw(picking, &chance, first);
    return second == NOBODY || is_quicker(picking, first, second) ? first : second;
}

/* With hash-load-limit: has it less than that much of its share of all that is under way? */
static bool is_within_limit(const struct picking *picking, const struct hf_server *server)
{
    uint64_t percent = picking->upstream->cfg->hash_load_limit;
    if (percent == 0) {
        return true;
    }
    uint64_t all = load(&picking->upstream->state->active) + 1ull;
    uint64_t total = picking->upstream->table.total_weight * 100;
    uint64_t most = (all * hf_weight(server->cfg) * percent + total - 1) / total;
    return load(&server->state->active) < most;
}

/* The key's slot; a key whose server can't take it probes on, in an order of its own, so that the
 * keys of a lost server spread over all others, and come back to it when it does. */
static size_t by_hash(const struct picking *picking)
{
    const struct hf_balance_table *table = &picking->upstream->table;
    uint64_t hash = picking->input->hash;
    for (size_t i = 0; i < PROBES_MAX; i++) {
        size_t index = table->ring[hash % table->n_ring];
        const struct hf_server *server = &picking->upstream->servers[index];
        if (fit_of(picking, index) == FIT && is_within_limit(picking, server) &&
            ramp_lets(server, picking, hash)) {
            return index;
        }
        hash = hf_mix64(hash);
    }
    return NOBODY;
}

static size_t choose(const struct picking *picking)
{
    switch (picking->upstream->cfg->balance) {
    case HF_BALANCE_LEAST_CONNECTIONS:
        return NOBODY;
    case HF_BALANCE_LEAST_LATENCY:
        return by_latency(picking);
    case HF_BALANCE_HASH:
        if (picking->input->has_hash) {
            return by_hash(picking);
        }
        return by_turns(picking);
    case HF_BALANCE_ROUND_ROBIN:
    default:
        return by_turns(picking);
    }
}

static bool anybody_full(const struct picking *picking)
{
    for (size_t i = 0; i < picking->upstream->n_servers; i++) {
        if (fit_of(picking, i) == FULL) {
            return true;
        }
    }
    return false;
}

bool hf_balance_has_room(const struct hf_upstream *upstream, const struct hf_pick_input *input)
{
    struct picking picking = {upstream, input, 0};
    for (size_t i = 0; i < upstream->n_servers; i++) {
        if (fit_of(&picking, i) == FIT) {
            return true;
        }
    }
    return false;
}

enum hf_pick hf_balance_pick(const struct hf_upstream *upstream, const struct hf_pick_input *input,
                             const struct hf_server **out)
{
    bool may_queue = upstream->cfg->max_queue > 0;
    if (may_queue && !input->queued && atomic_load(&upstream->state->waiting)) {
        return HF_PICK_QUEUE; /* others came first */
    }
    struct picking picking = {upstream, input, next_turn(upstream)};
    size_t index = choose(&picking);
    /* A place that was lost to another worker is looked for once more at everybody. */
    for (size_t i = 0; i <= upstream->n_servers; i++) {
        index = index == NOBODY ? scan(&picking) : index;
        if (index == NOBODY) {
            break;
        }
        if (take(&picking, index)) {
            *out = &upstream->servers[index];
            return HF_PICK_SERVER;
        }
        index = NOBODY;
    }
    return may_queue && anybody_full(&picking) ? HF_PICK_QUEUE : HF_PICK_NONE;
}

/* --- Giving back --------------------------------------------------------------------------------
 */

void hf_balance_leave(const struct hf_upstream *upstream, const struct hf_server *server)
{
    atomic_fetch_sub_explicit(&upstream->state->active, 1, memory_order_relaxed);
    atomic_fetch_sub(&server->state->active, 1);
    hf_queue_wake(upstream->state);
}

bool hf_server_open(const struct hf_server *server)
{
    unsigned most = server->cfg->max_connections;
    unsigned open = atomic_fetch_add(&server->state->open, 1) + 1;
    if (most && open > most) {
        atomic_fetch_sub(&server->state->open, 1);
        return false;
    }
    atomic_fetch_add_explicit(&server->state->total, 1, memory_order_relaxed);
    return true;
}

void hf_server_closed(const struct hf_upstream *upstream, const struct hf_server *server)
{
    atomic_fetch_sub(&server->state->open, 1);
    hf_queue_wake(upstream->state);
}

/* --- What came of it ----------------------------------------------------------------------------
 */

void hf_balance_report(const struct hf_upstream *upstream, const struct hf_server *server,
                       const struct hf_balance_report *report)
{
    const struct hf_series *series = server->metrics.outcomes[report->outcome];
    if (series) {
        hf_series_add(series, report->shard, 1);
    }
    if (report->outcome == HF_OUTCOME_CANCELLED) {
        return;
    }
    bool ok = report->outcome == HF_OUTCOME_OK;
    if (!ok) {
        atomic_fetch_add_explicit(&server->state->failed, 1, memory_order_relaxed);
    }
    hf_latency_note(server->state, report->latency_us, !ok, report->now_ms);
    hf_eject_note(upstream, server, report->outcome, report->now_ms);
}

/* --- In words -----------------------------------------------------------------------------------
 */

static const char *why_not(const struct hf_server *server, const struct hf_pick_input *input)
{
    unsigned standing = load(&server->state->standing);
    if (standing & HF_SERVER_DRAINED) {
        return "is drained";
    }
    if (standing & HF_SERVER_DOWN) {
        return "is down by its checks";
    }
    if (!hf_server_usable(server, input->now_ms)) {
        return "is ejected after failures";
    }
    return is_full(server, input) ? "is at its cap" : "has been tried";
}

void hf_balance_explain(const struct hf_upstream *upstream, const struct hf_pick_input *input,
                        char *out, size_t size)
{
    size_t len = 0;
    out[0] = '\0';
    for (size_t i = 0; i < upstream->n_servers && len + 1 < size; i++) {
        const struct hf_server *server = &upstream->servers[i];
        if (!hf_tried_has(input->tried, i)) {
            int n = snprintf(out + len, size - len, "%s%s %s", len ? "; " : "", server->cfg->text,
                             why_not(server, input));
            len += n > 0 ? (size_t)n : 0;
        }
    }
}
