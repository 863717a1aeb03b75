// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_CRL_DATE_H
#define HF_CA_CRL_DATE_H

/* When a list says it was made, also when the clock was set in between. */

#include "ca/store.h"

/* How far ahead the list before may be for its date to be held. */
#define HF_CRL_HELD_S (2 * 86400)

struct hf_crl_dates {
    int64_t this_update;
    int64_t unexpired_at; /* certificates that ended before it are left out */
    bool held;            /* this_update is that of the list before, and not now */
    bool went_back;       /* it is before that of the list before, which was too far ahead */
};

/*
 * hf_crl_dates_of gives the dates of the next list of an authority's shard. It is never dated
 * before the last one, full or delta, whoever made that; unless that is more than HF_CRL_HELD_S
 * ahead: then the clock was wrong, and nobody whose clock is right could use lists until then.
 *
 * An expired certificate stays until it was on a full list that was made after its end (RFC 5280
 * 3.3), by the earlier of the two clocks.
 */
enum hf_err hf_crl_dates_of(struct hf_store *store, int64_t authority, unsigned shard, int64_t now,
                            struct hf_crl_dates *out) HF_MUST_CHECK;

/* hf_crl_entry_date: nobody was revoked after the list that says so was made. */
static inline int64_t hf_crl_entry_date(const struct hf_crl_dates *dates, int64_t revoked_at)
{
    return revoked_at < dates->this_update ? revoked_at : dates->this_update;
}

#endif
