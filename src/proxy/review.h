// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_REVIEW_H
#define HF_PROXY_REVIEW_H

/*
 * A review judges a worker's live sessions again, by what is known now: after a new ledger, after a
 * reload. Those about whom serial and names say enough go first; the rest of the work, which parses
 * and verifies chains, comes after, and so does all that is to be said of those who fell. It is
 * done a fraction of a millisecond a turn of the loop, so that other connections don't wait.
 *
 * The worker's epoch counts reviews. A session remembers the epoch that it was judged at, so that
 * one whose handshake was under way meanwhile is judged again at its end.
 */

#include "proxy/session.h"

struct hf_review;

/* hf_session_review judges a session again. True: it is no longer admitted, and has been closed and
 * logged; it may not be touched. */
bool hf_session_review(struct hf_session *session);

/* hf_session_review_client does so at the end of a handshake during which a review began. */
bool hf_session_review_client(struct hf_session *session);

/* hf_review_first judges a session that a review has yet to come to, before anything of it is
 * listened to: from the moment of a change no byte passes that was not judged by it. True: it is no
 * longer admitted, and may not be touched. Costs nothing where no review is under way. */
bool hf_review_first(struct hf_session *session);

/* hf_review_rejoin brings sessions that a review has set apart back into the worker's list, for
 * whoever walks it. */
void hf_review_rejoin(struct hf_worker *worker);

/* hf_review_free forgets a review that is under way; nobody is told. NULL is fine. */
void hf_review_free(struct hf_review *review);

#endif
