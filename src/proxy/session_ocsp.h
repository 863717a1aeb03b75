// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_SESSION_OCSP_H
#define HF_PROXY_SESSION_OCSP_H

/*
 * A session and those whom its verdict wants to ask: OCSP responders, and where lists are. In its
 * handshake it waits for lists, once, and for answers, once; whatever came of asking, the verdict
 * is then final. Judged again later, when something is no longer known, it goes on while that is
 * asked for, for as long as the trust's timeouts: silence then decides as it would have.
 */

#include "policy/ocsp_policy.h"
#include "proxy/session.h"

/* hf_session_ocsp_begin fills in what a judge brings along; peer as its handshake shows it, NULL:
 * that is over. may_wait: the judge is asked again; but a handshake waits for nothing twice. */
void hf_session_ocsp_begin(const struct hf_session *session, const struct hf_tls_peer *peer,
                           bool may_wait, struct hf_judge_ocsp *out);

/* hf_ocsp_take_staples: those that the peer shows, for the judge. */
void hf_ocsp_take_staples(const struct hf_tls_peer *peer, struct hf_judge_ocsp *out);

/* hf_session_ocsp_end asks what the verdict wants to know, nobody waiting, and forgets it. */
void hf_session_ocsp_end(struct hf_session *session, struct hf_judge_ocsp *ocsp);

/* hf_session_ocsp_wait asks, lets `resume` be called when it is answered, and forgets what the
 * verdict wanted; false: nobody could be asked, and it is as it was. hf_session_ocsp_waits says for
 * what it waits now, "an answer by OCSP" or "a revocation list"; NULL: for nothing. */
bool hf_session_ocsp_wait(struct hf_session *session, struct hf_judge_ocsp *ocsp,
                          void (*resume)(struct hf_session *session));
const char *hf_session_ocsp_waits(const struct hf_session *session);

/* hf_session_ocsp_done: the handshake is over, or the session. */
void hf_session_ocsp_done(struct hf_session *session);

/* hf_session_ocsp_timeout_ms is how long the session's trust waits for lists and answers. */
int64_t hf_session_ocsp_timeout_ms(const struct hf_session *session);

#endif
