// SPDX-License-Identifier: Apache-2.0
#ifndef HF_OS_CLOCK_H
#define HF_OS_CLOCK_H

#include "base/clock.h"

/* The machine's clocks (CLOCK_MONOTONIC, CLOCK_REALTIME) and getrandom(2). Any thread. */
extern const struct hf_clock hf_os_clock;
extern const struct hf_rng hf_os_rng;

#endif
