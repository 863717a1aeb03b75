// SPDX-License-Identifier: Apache-2.0
#ifndef HF_OS_WHEEL_H
#define HF_OS_WHEEL_H

/*
 * struct hf_wheel holds a loop's timers: setting, cancelling and expiring one costs the same
 * however many there are. A timer never fires early, and at most HF_WHEEL_TICK_MS late by the time
 * that hf_wheel_advance is given. It knows no clock and makes no system call.
 */

#include "os/loop.h"

#define HF_WHEEL_TICK_MS 10

enum { HF_WHEEL_LEVELS = 4, HF_WHEEL_SLOTS = 64 };

struct hf_wheel {
    int64_t tick;                   /* the last tick whose timers have fired */
    uint64_t used[HF_WHEEL_LEVELS]; /* bit n clear: slot n is empty; set: it may hold timers */
    struct hf_link slot[HF_WHEEL_LEVELS][HF_WHEEL_SLOTS];
};

void hf_wheel_init(struct hf_wheel *wheel, int64_t now_ms);

/* hf_wheel_done disarms every timer, so that cancelling one later does no harm. */
void hf_wheel_done(struct hf_wheel *wheel);

/* hf_wheel_set arms or re-arms the timer for due_ms; one that is due already fires next tick. */
void hf_wheel_set(struct hf_wheel *wheel, struct hf_timer *timer, int64_t due_ms);

/* hf_wheel_next_ms is when the wheel next wants to be advanced; INT64_MAX when it is empty. */
int64_t hf_wheel_next_ms(struct hf_wheel *wheel);

/* hf_wheel_advance fires what is due by now_ms, in order of ticks. Callbacks may set and cancel any
 * timer. */
void hf_wheel_advance(struct hf_wheel *wheel, int64_t now_ms);

#endif
