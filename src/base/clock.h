// SPDX-License-Identifier: Apache-2.0
#ifndef HF_BASE_CLOCK_H
#define HF_BASE_CLOCK_H

/*
 * Handles for time and randomness. Sans-I/O code takes them as parameters, so that tests give it
 * any time and any bytes they like. The real ones are in os/clock.h.
 */

#include "base/bytes.h"

struct hf_clock {
    void *ctx;
    int64_t (*mono_ns)(void *ctx); /* never goes back; for durations and deadlines */
    int64_t (*wall_ms)(void *ctx); /* Unix time in milliseconds; may jump; for dates */
};

static inline int64_t hf_clock_mono_ns(const struct hf_clock *clock)
{
    return clock->mono_ns(clock->ctx);
}

/* hf_clock_wall_s is Unix time in seconds. */
static inline int64_t hf_clock_wall_s(const struct hf_clock *clock)
{
    return clock->wall_ms(clock->ctx) / 1000;
}

struct hf_rng {
    void *ctx;
    /* fills the span or fails with HF_E_CRYPTO; the span's contents are then undefined */
    enum hf_err (*fill)(void *ctx, struct hf_span out);
};

static inline HF_MUST_CHECK enum hf_err hf_rng_fill(const struct hf_rng *rng, struct hf_span out)
{
    return rng->fill(rng->ctx, out);
}

#endif
