// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_SESSION_PROXY_H
#define HF_PROXY_SESSION_PROXY_H

/* The session's use of the PROXY protocol, from a proxy in front of it and toward the upstream. */

#include "proxy/session.h"

enum hf_proxy_header_read {
    HF_PROXY_HEADER_MORE,
    HF_PROXY_HEADER_DONE,  /* peer and local are what it said */
    HF_PROXY_HEADER_PROBE, /* the connection ended after LOCAL or before a byte: a health check */
    HF_PROXY_HEADER_BAD,   /* hf_err_text() says why */
};

/* hf_session_read_proxy_header reads what the client's socket has; bytes behind the header are held
 * for TLS. */
enum hf_proxy_header_read hf_session_read_proxy_header(struct hf_session *session);

/* hf_session_send_proxy_header queues the header that the upstream is configured to get. */
enum hf_err hf_session_send_proxy_header(struct hf_session *session) HF_MUST_CHECK;

#endif
