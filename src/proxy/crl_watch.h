// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_CRL_WATCH_H
#define HF_PROXY_CRL_WATCH_H

/* What is shown of the revocation lists in force: a set of gauges for each, and an alarm in the log
 * when one goes out of date. On the control thread. */

#include "base/log.h"
#include "config/ledger.h"
#include "watch/metrics.h"

#define HF_CRL_WATCHED_MAX 256 /* lists with gauges of their own; alarms know no limit */

struct hf_crl_watch;

enum hf_err hf_crl_watch_new(struct hf_metrics *metrics, const struct hf_clock *clock,
                             struct hf_log *log, struct hf_crl_watch **out) HF_MUST_CHECK;
void hf_crl_watch_free(struct hf_crl_watch *watch);

/* hf_crl_watch_set: these lists are in force now. Without memory those from before stay shown. */
void hf_crl_watch_set(struct hf_crl_watch *watch, const struct hf_ledger *ledger,
                      const struct hf_config *config);

/* hf_crl_watch_look raises the alarm for each list that has gone out of date since it was last
 * looked at; once for each, and again when it was fresh in between. */
void hf_crl_watch_look(struct hf_crl_watch *watch);

#endif
