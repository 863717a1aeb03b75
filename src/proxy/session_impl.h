// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_SESSION_IMPL_H
#define HF_PROXY_SESSION_IMPL_H

/* The inside of the session, shared by session*.c and the HTTP mode that sits on it. */

#include "proxy/session.h"
#include "proxy/session_log.h"

#define HF_SESSION_LINGER_MS \
    2000 /* how long a client may take to read more of what was said last */
#define HF_SESSION_UP_TLS_MS 10000 /* the TLS handshake with an upstream server */

/* --- session.c: states and deadlines ------------------------------------------------------------
 */

int64_t hf_session_now_ms(const struct hf_session *session);

/* hf_session_arm sets the timer to the state's next deadline; hf_session_move enters a state. */
void hf_session_arm(struct hf_session *session);
void hf_session_move(struct hf_session *session, enum hf_session_state state);

/* hf_session_go_on takes up a handshake that waited for its verdict. */
void hf_session_go_on(struct hf_session *session);

/* --- session_end.c: after these the session may not be touched ----------------------------------
 */

/* hf_session_release closes everything; the memory goes at the end of the loop's turn. */
void hf_session_release(struct hf_session *session);

/* hf_session_finish ends the session; with_linger when the client still has something to read. */
void hf_session_finish(struct hf_session *session, enum hf_cause cause, bool with_linger);

/* hf_session_finish_with_alert tells the client's TLS that it is over, then ends. */
void hf_session_finish_with_alert(struct hf_session *session, enum hf_cause cause, uint8_t alert);

/* hf_session_expel ends a session whose client is no longer admitted (cut_alert says how it is
 * told), in HTTP/2 with a GOAWAY before the alert. */
void hf_session_expel(struct hf_session *session);

/* hf_session_tell_refused counts, logs and records that a client doesn't come in. */
void hf_session_tell_refused(struct hf_session *session, const struct hf_denial *refusal);

/* hf_session_refuse does that, and ends it. */
void hf_session_refuse(struct hf_session *session, const struct hf_denial *refusal,
                       bool with_linger);
void hf_session_refuse_for(struct hf_session *session, enum hf_reason reason, const char *text,
                           bool with_linger);

/* hf_session_say_last sends what is held, then FIN, and enters the state `linger`. */
enum hf_move hf_session_say_last(struct hf_session *session);

/* hf_session_drop_server ends the upstream leg: by a reset, unless it saw its end in order, so that
 * a part of a transfer is never taken for the whole. The session may be touched afterwards. */
void hf_session_drop_server(struct hf_session *session);

/* hf_session_discard throws away what a lingering client still sends, until it has closed. */
void hf_session_discard(struct hf_session *session, unsigned events);

/* --- session_dial.c -----------------------------------------------------------------------------
 */

void hf_session_dial(struct hf_session *session);

/* hf_session_upstream_failed: the server that was reached is no good; says so and tries the next.
 * refusal NULL: not a matter of certificates, why says what it was. */
void hf_session_upstream_failed(struct hf_session *session, const struct hf_denial *refusal,
                                const char *why);

/* --- session_relay.c ----------------------------------------------------------------------------
 */

void hf_session_start_relay(struct hf_session *session);

/* hf_session_relay answers events of one leg while relaying. */
void hf_session_relay(struct hf_session *session, struct hf_leg *leg, unsigned events);

#endif
