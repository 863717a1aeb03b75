// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_SESSION_ACCOUNT_H
#define HF_PROXY_SESSION_ACCOUNT_H

/* The verdicts on a session, given to the recorder; beside the lines of session_log.h, which have
 * the same ids. */

#include "proxy/account.h"
#include "proxy/session.h"
#include "proxy/session_log.h"

void hf_session_account_admitted(const struct hf_session *session);
void hf_session_account_refused(const struct hf_session *session, const struct hf_denial *refusal);

/* hf_session_account_cut: a live session was closed at at_ms (Unix), by a verdict that was made
 * anew. ledger is what the notes point into. */
void hf_session_account_cut(const struct hf_session *session, const struct hf_verdict *verdict,
                            const struct hf_notes *notes, struct hf_ledger *ledger, int64_t at_ms);

/* hf_session_account_upstream: the certificate or the TLS of the server that was reached is no
 * good. */
void hf_session_account_upstream(const struct hf_session *session, const struct hf_denial *refusal);

/* hf_account_give_upstream does so for a connection that no session owns (listener NULL). */
void hf_account_give_upstream(struct hf_worker *worker, uint64_t id, const char *listener,
                              struct hf_tls *tls, const struct hf_server_check *check,
                              const struct hf_denial *refusal);

/* hf_account_add_client fills in who the client is and how it was asked: its address, TLS, chain,
 * and the trust of the listener. For accounts of what comes over the session. */
void hf_account_add_client(struct hf_account *account, const struct hf_session *session);

#endif
