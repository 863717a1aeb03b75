// SPDX-License-Identifier: Apache-2.0
#ifndef HF_WATCH_PROCESS_H
#define HF_WATCH_PROCESS_H

#include "base/clock.h"
#include "watch/metrics.h"

/*
 * hf_process_metrics adds the process_* series under the names that Prometheus' own clients use
 * (cpu seconds, resident and virtual memory, open and most descriptors, start time) and
 * handfast_build_info. Call it once, as the process starts. What the kernel doesn't tell (no /proc
 * in a sandbox) is left out of the answer, not shown as zero.
 */
void hf_process_metrics(struct hf_metrics *metrics, const struct hf_clock *clock);

#endif
