// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_UPSTREAM_ADMIN_H
#define HF_PROXY_UPSTREAM_ADMIN_H

/* Upstreams through the admin socket: what their servers are doing, and taking one out of use. On
 * the control thread; servers are told through their atomics, so that every worker sees it at its
 * next pick. ctx of the handlers is the struct hf_daemon. */

#include <jansson.h>

#include "proxy/daemon_impl.h"
#include "watch/httpd.h"

/* hf_upstream_json describes it for /status and /upstreams. NULL: out of memory. */
json_t *hf_upstream_json(const struct hf_upstream *upstream, int64_t now_ms);

/* GET /upstreams[?upstream=NAME] */
void hf_admin_upstreams(void *ctx, struct hf_httpd_call *call);

/* POST /upstreams/drain?upstream=NAME&server=ADDRESS: nothing new goes to it, what is open goes on.
 * POST /upstreams/enable takes it back, and forgets an ejection too. */
void hf_admin_upstream_drain(void *ctx, struct hf_httpd_call *call);
void hf_admin_upstream_enable(void *ctx, struct hf_httpd_call *call);

#endif
