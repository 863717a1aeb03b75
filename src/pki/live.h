// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_LIVE_H
#define HF_PKI_LIVE_H

/*
 * What a CA says of revocation now, in memory: not a list of some hours ago. A CA of this process
 * is asked that way, and one elsewhere whose feed is followed.
 *
 *     struct hf_live_book   is kept by one thread: it is loaded, then told of each change
 *     struct hf_live        is its state at one moment: immutable, counted, any thread
 *
 * Of each authority there is a compact set (pki/serials.h), and what has changed since that was
 * made. Taking a moment's state costs a copy of those changes, so the set is to be loaded anew when
 * hf_live_book_is_long.
 */

#include "pki/cert.h"
#include "pki/serials.h"

#define HF_LIVE_AUTHORITIES_MAX 256
#define HF_LIVE_CHANGES_MAX     4096 /* of an authority: time to load it anew */

struct hf_live;
struct hf_live_book;

enum hf_live_answer {
    HF_LIVE_NOT_OURS, /* the issuer is none of the CA's authorities: it knows nothing */
    HF_LIVE_GOOD,
    HF_LIVE_REVOKED,
    HF_LIVE_LOST, /* the CA has been silent for too long: nobody knows */
};

/* hf_live_find asks about a serial number under the key of an issuer. out may be NULL. */
enum hf_live_answer hf_live_find(const struct hf_live *live,
                                 const uint8_t spki_sha256[static HF_SHA256_SIZE],
                                 const struct hf_serial *serial, struct hf_revocation_entry *out);

/* hf_live_check is the same of a certificate and its issuer. Of a serial number that can't be read
 * the answer is REVOKED. */
enum hf_live_answer hf_live_check(const struct hf_live *live, const struct hf_cert *cert,
                                  const struct hf_cert *issuer, struct hf_revocation_entry *out);

/* hf_live_lose: the CA can't be heard. Whatever isn't revoked is LOST from now on, and where no
 * authority is known yet, everything. By its maker, before others have it. */
void hf_live_lose(struct hf_live *live);

/* hf_live_is_lost: was it? hf_live_heard_ns: when the CA was heard last, by the monotonic clock,
 * also since this state was taken; 0: never. */
bool hf_live_is_lost(const struct hf_live *live);
int64_t hf_live_heard_ns(const struct hf_live *live);

/* hf_live_name names the CA, hf_live_seq says how far its journal was read. */
const char *hf_live_name(const struct hf_live *live);
int64_t hf_live_seq(const struct hf_live *live);
size_t hf_live_count(const struct hf_live *live); /* serial numbers, about */
struct hf_live *hf_live_ref(struct hf_live *live);
void hf_live_unref(struct hf_live *live);

/* --- Keeping one --------------------------------------------------------------------------------
 */

enum hf_err hf_live_book_new(const char *name, struct hf_live_book **out) HF_MUST_CHECK;

/* hf_live_book_heard notes that the CA was heard at this moment of the monotonic clock. All states
 * taken of the book know it, and those of a book that this one takes the place of (hf_live_book_
 * follow, before any was taken of it). */
void hf_live_book_heard(struct hf_live_book *book, int64_t now_ns);
void hf_live_book_follow(struct hf_live_book *book, const struct hf_live_book *before);
void hf_live_book_free(struct hf_live_book *book);

/* hf_live_book_set puts in all that an authority has revoked, in place of what was known of it, and
 * takes the builder's memory. id: the keeper's name of it. Errors: HF_E_TOO_LARGE, HF_E_NOMEM. */
enum hf_err hf_live_book_set(struct hf_live_book *book, int64_t id,
                             const uint8_t spki_sha256[static HF_SHA256_SIZE],
                             struct hf_serials_builder *builder) HF_MUST_CHECK;

/* hf_live_book_has: was this authority put in? */
bool hf_live_book_has(const struct hf_live_book *book, int64_t id);

/* hf_live_book_change notes one revocation, or (released) that it was taken back. Errors:
 * HF_E_NOT_FOUND (the authority), HF_E_NOMEM. */
enum hf_err hf_live_book_change(struct hf_live_book *book, int64_t id,
                                const struct hf_serial *serial, struct hf_revocation_entry entry,
                                bool released) HF_MUST_CHECK;

/* hf_live_book_is_long gives an authority that is to be loaded anew; 0: none. */
int64_t hf_live_book_is_long(const struct hf_live_book *book);

/* hf_live_book_take gives a reference to the state now; seq: of the journal. */
enum hf_err hf_live_book_take(const struct hf_live_book *book, int64_t seq,
                              struct hf_live **out) HF_MUST_CHECK;

#endif
