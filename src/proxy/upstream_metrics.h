// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_UPSTREAM_METRICS_H
#define HF_PROXY_UPSTREAM_METRICS_H

/* The metric series of one server of an upstream; see docs/upstreams.md. */

#include "proxy/snapshot.h"

/* hf_server_metrics_make asks for them; server->state must be there. Gauges are read from the
 * state, so that they are right whoever changes it, and count once however many generations are
 * alive. */
void hf_server_metrics_make(struct hf_metrics *metrics, struct hf_server *server);
void hf_server_metrics_release(struct hf_metrics *metrics, struct hf_server *server);

#endif
