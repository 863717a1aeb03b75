// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_SESSION_LOG_H
#define HF_PROXY_SESSION_LOG_H

#include "proxy/session.h"

/* A refusal of a client, or of an upstream server, as it is logged and counted. */
struct hf_denial {
    enum hf_reason reason;
    enum hf_step step;
    const char *text;     /* one sentence */
    const char *concerns; /* subject of the certificate concerned; NULL or "": none */
};

/* hf_log_denial adds a refusal to a line, and the alerts that tls (or NULL) has sent and received.
 */
void hf_log_denial(struct hf_log_line *line, const struct hf_denial *denial,
                   const struct hf_tls *tls);

/* Lines come last: what one tells of has been counted by then, and can be explained by its id. */

/* One line per handshake, accepted or refused. */
void hf_session_log_accepted(const struct hf_session *session);
void hf_session_log_refused(const struct hf_session *session, const struct hf_denial *refusal);

/* One line when an upstream server fails us. refusal NULL: not a matter of TLS. */
void hf_session_log_upstream(const struct hf_session *session, const struct hf_denial *refusal,
                             const char *why);

/* One line when a live session is closed because it would no longer be admitted. */
void hf_session_log_no_longer(const struct hf_session *session, const struct hf_verdict *verdict);

/* One line when a client breaks the rules of HTTP/2: a request that nobody was told of (stream), or
 * the connection (stream 0). code is stable. */
void hf_session_log_http2(const struct hf_session *session, uint32_t stream, const char *code,
                          const char *text);

/* One line per connection at its end. */
void hf_session_log_end(const struct hf_session *session, enum hf_cause cause);

/* hf_session_refusal says why a leg's TLS failed: the verdict if it decided, else TLS's reason. */
struct hf_denial hf_session_refusal(const struct hf_leg *leg, bool judged,
                                    const struct hf_verdict *verdict);

#endif
