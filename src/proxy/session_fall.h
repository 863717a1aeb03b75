// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_SESSION_FALL_H
#define HF_PROXY_SESSION_FALL_H

/*
 * How a session ends whose client is no longer admitted. When an issuer is revoked, ten thousand of
 * them may have to end, and nobody else is to wait for that. So it has two parts:
 *
 * - fall: the client is told, by an alert and FIN in one packet, and from here on no byte passes to
 *   either side;
 * - burial: log lines, the stored verdict, a reset for the upstream server; and what the client
 *   still sends is read until it has closed.
 *
 * While a review is under way, burials wait in worker->fallen until it finds the time.
 */

#include "policy/notes.h"
#include "proxy/session.h"

/* hf_session_fall cuts the session by this verdict; session->cut_alert is what its client is told.
 * It may not be touched afterwards. */
void hf_session_fall(struct hf_session *session, const struct hf_verdict *verdict,
                     const struct hf_notes *notes);

/* hf_session_bury does what waits of a session that fell; it may not be touched afterwards. */
void hf_session_bury(struct hf_session *session);

/* hf_session_first_fallen is the one that waits longest to be buried; NULL: nobody does. */
struct hf_session *hf_session_first_fallen(struct hf_worker *worker);

/* hf_session_fallen_event: one of its sockets has something to say that nobody will hear. */
void hf_session_fallen_event(struct hf_session *session, struct hf_watch *watch);

/* hf_session_tell_fall is the part of a burial that is words; for a session about to be released.
 * Nothing where nothing waits. */
void hf_session_tell_fall(struct hf_session *session);

#endif
