// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_LIVE_WATCH_H
#define HF_PROXY_LIVE_WATCH_H

/* What is shown of the CAs that trusts ask (`ca` of a trust): gauges for each. On the control
 * thread. */

#include "config/ledger.h"
#include "watch/metrics.h"

struct hf_live_watch;

enum hf_err hf_live_watch_new(struct hf_metrics *metrics, const struct hf_clock *clock,
                              struct hf_live_watch **out) HF_MUST_CHECK;
void hf_live_watch_free(struct hf_live_watch *watch);

/* hf_live_watch_set: this is what the CAs say now. Without memory what was before stays shown. */
void hf_live_watch_set(struct hf_live_watch *watch, const struct hf_ledger *ledger,
                       const struct hf_config *config);

#endif
