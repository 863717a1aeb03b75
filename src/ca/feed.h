// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_FEED_H
#define HF_CA_FEED_H

/*
 * The revocations of a CA as they happen, for nodes that aren't this process. A node asks for what
 * came after what it has, and is answered when there is something: a request is always under way,
 * so that a revocation reaches it in the time that a packet takes.
 *
 *     GET ...?store=ID&since=SEQ&wait=SECONDS
 *
 *     handfast-revocations 1
 *     store 5f1c...                    of another store than asked for, all is told anew
 *     from 17                          changes after this line of the journal; 0: everything
 *     authority 2 9c0d... issuing      number, SHA-256 of its public key, name
 *     + 2 1f2e3d 1 1795230000          revoked: authority, serial, reason (RFC 5280), since when
 *     - 2 1f2e3d                       taken back
 *     end 18                           the journal was read up to here; cut short without this line
 *
 * The route says who may ask.
 */

#include "ca/crew.h"
#include "ca/service.h"
#include "http/service.h"

#define HF_FEED_TYPE     "text/plain; charset=us-ascii"
#define HF_FEED_HEAD     "handfast-revocations 1"
#define HF_FEED_WAIT_MAX 55 /* seconds that a call is held */
#define HF_FEED_HELD_MAX 1024
#define HF_FEED_LINES    10000 /* of the journal, in one answer */

struct hf_feed;

/* hf_feed_new: ca and crew are borrowed. */
enum hf_err hf_feed_new(struct hf_ca_service *ca, struct hf_crew *crew,
                        const struct hf_clock *clock, struct hf_feed **out) HF_MUST_CHECK;

/* hf_feed_service gives the service, whose last reference frees it all. */
struct hf_service *hf_feed_service(struct hf_feed *feed);

/* hf_feed_news: the journal has been written up to seq. Answers those who waited. */
void hf_feed_news(struct hf_feed *feed, int64_t seq);

/* hf_feed_anew has everybody who follows told everything anew: what they were told may lack some.
 * It does so by another ID of the store. */
void hf_feed_anew(struct hf_feed *feed);

/* hf_feed_sweep answers those who have waited for as long as they wanted; a second or so apart.
 * all: everybody, and nobody is held any more. */
void hf_feed_sweep(struct hf_feed *feed, bool all);

/* hf_feed_close: the CA and the crew are about to go. Whoever asks is refused from then on. */
void hf_feed_close(struct hf_feed *feed);

#endif
