// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_SESSION_JUDGE_H
#define HF_PROXY_SESSION_JUDGE_H

/* Where a session meets the one verdict: TLS asks through this in the server role. */

#include "policy/ocsp_policy.h"
#include "policy/revocation_stands.h"
#include "proxy/session.h"

/* For hf_tls_server_config.judge: conn_ctx is the session, the policy's tag its hf_door_policy. */
extern const struct hf_tls_judge hf_session_judge_client;

/* hf_session_judge_chain judges the client by its chain (NULL: it sent none), by what is known now;
 * session->policy is set. notes (or NULL) get what sources of revocation said. */
void hf_session_judge_chain(struct hf_session *session, const struct hf_chain *chain,
                            struct hf_judge_ocsp *ocsp, struct hf_notes *notes,
                            struct hf_verdict *out);

/* hf_session_standing: is the client, admitted before, still so by what is known now, without being
 * judged in full? GOOD: it counts as judged now. FALLEN: *out and notes say why. */
enum hf_standing hf_session_standing(struct hf_session *session, struct hf_notes *notes,
                                     struct hf_verdict *out);

/* hf_session_may_probe: are a listener's probes (NULL: it has none) for the client's address? */
bool hf_session_may_probe(const struct hf_session *session, const struct hf_cfg_probes *probes);

/* hf_session_judged remembers when a client was judged, until when that holds, and what for. */
void hf_session_judged(struct hf_session *session, const struct hf_verdict *verdict);

/* hf_session_ask_and_see lets a session go on whose verdict hangs on what has been asked: it is
 * judged again when the answer is there or late. */
void hf_session_ask_and_see(struct hf_session *session);

/* hf_session_has_asked: did it, and is it now late for an answer? */
bool hf_session_has_asked(const struct hf_session *session);

/* hf_session_at_epoch says that it was looked at in the worker's epoch, and moves it to the end of
 * the worker's list, whose order is that of epochs (proxy/review.c). */
void hf_session_at_epoch(struct hf_session *session);

/* hf_session_expect_nobody sets the verdict that holds while nobody was asked for a certificate. */
void hf_session_expect_nobody(struct hf_session *session);

/* hf_session_admitted: may a session whose handshake is complete go on? It may not when a
 * certificate was to be asked for and the judge was never called. */
bool hf_session_admitted(const struct hf_session *session);

/* hf_session_report counts and lists an admitted client that report-only alone has let in. */
void hf_session_report(const struct hf_session *session);

/* hf_session_take_identity remembers who the client's certificate says it is, if it sent one. */
void hf_session_take_identity(struct hf_session *session);

void hf_session_count_accepted(const struct hf_session *session);

/* Sentences for handshakes that stopped: what the client did and didn't do. */
const char *hf_session_timeout_text(const struct hf_session *session);
const char *hf_session_closed_text(const struct hf_session *session);

/* hf_session_take_address counts the connection by the client's address; false: there are as many
 * as connections-per-address. */
bool hf_session_take_address(struct hf_session *session) HF_MUST_CHECK;

/* hf_session_take_identity_place counts an admitted one by the identity in its chain; where there
 * are as many as connections-per-identity, the verdict becomes a refusal. */
void hf_session_take_identity_place(struct hf_session *session, const struct hf_chain *chain,
                                    struct hf_verdict *verdict);

#endif
