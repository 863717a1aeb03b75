// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_HTTP_DOOR_METRICS_H
#define HF_PROXY_HTTP_DOOR_METRICS_H

/* Counters of requests by listener and route. A series outlives reloads by its name and labels. */

#include "config/config.h"
#include "proxy/http/mishap.h"
#include "watch/metrics.h"

struct hf_exchange;

#define HF_STATUS_CLASSES 6 /* [0]: nothing was answered; [n]: nxx */

struct hf_route_metrics {
    struct hf_series *answers[HF_STATUS_CLASSES];
    struct hf_series *trial; /* requests that the rule on trial would have refused */
};

struct hf_door_http_metrics {
    struct hf_route_metrics *routes; /* by route; the last one: no route was found */
    size_t n_routes;
    struct hf_series *mishaps[HF_MISHAP_N]; /* [0] is not used */
    struct hf_series *seconds;
};

enum hf_err hf_door_http_metrics_make(struct hf_metrics *m, const struct hf_cfg_listener *cfg,
                                      struct hf_door_http_metrics *out) HF_MUST_CHECK;
void hf_door_http_metrics_release(struct hf_metrics *m, struct hf_door_http_metrics *metrics);

/* hf_door_http_metrics_count counts an exchange that is over. */
void hf_door_http_metrics_count(const struct hf_door_http_metrics *metrics,
                                const struct hf_exchange *x);

#endif
