// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_HTTP_DOOR_HTTP_H
#define HF_PROXY_HTTP_DOOR_HTTP_H

/* What HTTP mode knows of a listener beside its config: made with the snapshot, immutable. */

#include "config/config.h"
#include "http/h1.h"
#include "proxy/http/door_metrics.h"
#include "watch/metrics.h"

struct hf_service;
struct hf_snapshot;
struct hf_upstream;

struct hf_door_http {
    struct hf_h1_limits h1;
    struct hf_door_http_metrics metrics;
    struct hf_upstream **to;      /* of each route; NULL: it answers itself, or a service does */
    struct hf_service **services; /* of each route, a reference; NULL: not a service's */
    size_t n_routes;
};

enum hf_err hf_door_http_new(const struct hf_snapshot *snapshot, const struct hf_cfg_listener *cfg,
                             struct hf_metrics *metrics, struct hf_door_http **out) HF_MUST_CHECK;

/* hf_door_http_free accepts NULL. */
void hf_door_http_free(struct hf_door_http *http, struct hf_metrics *metrics);

#endif
