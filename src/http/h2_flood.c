// SPDX-License-Identifier: Apache-2.0
/*
 * Things that cost the peer little and us something, counted per interval. A peer that stays below
 * the limits is never bothered; one that passes one is told to calm down and closed. Frames that
 * answer ours (PING for bandwidth probes, WINDOW_UPDATE) are earned by what we send, so a large
 * download never trips over them.
 */
#include "http/h2_impl.h"

static const struct flood {
    size_t limit_at;
    const char *text;
    bool earned;
} floods[HF_H2_N_FLOODS] = {
#define FLOOD(id, field, earned, text) \
    [HF_H2_FLOOD_##id] = {offsetof(struct hf_h2_limits, field), text, earned}
    FLOOD(RESETS, n_resets_max, false, "too many streams opened and reset"),
    FLOOD(ERRORS, n_errors_max, false, "too many malformed streams"),
    FLOOD(SETTINGS, n_settings_max, false, "too many SETTINGS frames"),
    FLOOD(PINGS, n_pings_max, true, "too many PING frames"),
    FLOOD(PRIORITIES, n_priorities_max, false, "too many PRIORITY or unknown frames"),
    FLOOD(WINDOW_UPDATES, n_window_updates_max, true, "too many WINDOW_UPDATE frames"),
    FLOOD(EMPTY, n_empty_max, false, "too many empty frames"),
#undef FLOOD
};

void hf_h2_flood_tick(struct hf_h2 *h2, int64_t now_ms)
{
    if (now_ms - h2->interval_at_ms < (int64_t)h2->config->limits.interval_ms) {
        return;
    }
    h2->interval_at_ms = now_ms;
    for (size_t i = 0; i < HF_H2_N_FLOODS; i++) {
        h2->counts[i] = 0;
    }
}

bool hf_h2_flood_count(struct hf_h2 *h2, enum hf_h2_flood which)
{
    const uint8_t *limits = (const uint8_t *)&h2->config->limits;
    const uint32_t *limit = (const uint32_t *)(const void *)(limits + floods[which].limit_at);
    if (++h2->counts[which] <= *limit) {
        return true;
    }
    hf_h2_fail(h2, HF_H2_ENHANCE_YOUR_CALM, floods[which].text);
    return false;
}

void hf_h2_flood_earn(struct hf_h2 *h2)
{
    for (size_t i = 0; i < HF_H2_N_FLOODS; i++) {
        if (floods[i].earned && h2->counts[i] > 0) {
            h2->counts[i]--;
        }
    }
}
