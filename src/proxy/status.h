// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_STATUS_H
#define HF_PROXY_STATUS_H

/* What the admin socket shows, as JSON. The shapes are documented in docs/operations.md. */

#include <jansson.h>

#include "proxy/daemon_impl.h"
#include "proxy/session.h"

/* hf_status_json describes the daemon. Control thread. NULL: out of memory. */
json_t *hf_status_json(struct hf_daemon *daemon);

/* hf_session_json describes one session. The session's worker thread. NULL: out of memory. */
json_t *hf_session_json(const struct hf_session *session);

#endif
