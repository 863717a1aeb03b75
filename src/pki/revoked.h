// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_REVOKED_H
#define HF_PKI_REVOKED_H

/*
 * struct hf_revoked is what is known of revocation by lists: all lists of one trust, together.
 * Immutable, counted by references, any thread; lists are shared with other sets that hold them.
 *
 * Asked about a certificate and its issuer, it finds the lists whose scope the certificate is in,
 * whose signature the issuer's key made, and whose dates fit; deltas add to their base. RFC 5280
 * 6.3, without indirect lists.
 */

#include "pki/crl.h"

#define HF_REVOKED_LISTS_MAX 4096

/* What is done where no fresh list answers. */
enum hf_revoked_fallback {
    HF_REVOKED_DENY,
    HF_REVOKED_GRACE, /* allow for a time after the list went stale (or after the start) */
    HF_REVOKED_ALLOW, /* allow, and raise an alarm */
};

enum hf_revoked_answer {
    HF_REVOKED_GOOD,       /* a fresh list speaks for it, and doesn't name it */
    HF_REVOKED_REVOKED,    /* a list names it; also a stale one */
    HF_REVOKED_STALE,      /* the lists that speak for it are out of date */
    HF_REVOKED_NOT_YET,    /* they begin in the future: our clock, or the CA's, is wrong */
    HF_REVOKED_MISSING,    /* no list speaks for it */
    HF_REVOKED_BAD_ISSUER, /* some would, but their signature is not by this issuer's key */
};

struct hf_revoked_result {
    enum hf_revoked_answer answer;
    const struct hf_crl *crl;         /* that decided; lives as long as the set. NULL: MISSING */
    struct hf_revocation_entry entry; /* REVOKED: when and why */
    int64_t age_s;                    /* since the list was made */
    int64_t stale_s;                  /* STALE: since it went out of date */
    int64_t fresh_until;              /* GOOD: the answer holds no longer; INT64_MAX: no end */
};

struct hf_revoked;

/*
 * hf_revoked_new takes references to lists. Of lists with the same scope that name the same key the
 * highest number stays (of equal ones, the latest); *out_dropped counts those that were passed over
 * for it. Lists that name no key all stay. Errors: HF_E_TOO_LARGE, HF_E_NOMEM.
 */
enum hf_err hf_revoked_new(struct hf_crl *const *lists, size_t n, struct hf_revoked **out,
                           size_t *out_dropped) HF_MUST_CHECK;
struct hf_revoked *hf_revoked_ref(struct hf_revoked *revoked);
void hf_revoked_unref(struct hf_revoked *revoked);

size_t hf_revoked_count(const struct hf_revoked *revoked);
const struct hf_crl *hf_revoked_list(const struct hf_revoked *revoked, size_t at);

/* hf_revoked_replay finds a list of `next` that takes the place of a newer one of `now` with the
 * same scope: its index in next, or SIZE_MAX. `now` may be NULL. */
size_t hf_revoked_replay(const struct hf_revoked *now, const struct hf_revoked *next);

/* hf_revoked_check: see above. Takes no lock; the first answer of a list costs a signature check
 * for each key of its issuer. */
void hf_revoked_check(const struct hf_revoked *revoked, const struct hf_cert *cert,
                      const struct hf_cert *issuer, int64_t now_s, struct hf_revoked_result *out);

/* hf_revoked_check_leaf is the same for a certificate that is no CA's, by its serial alone, where
 * that is enough. False: it isn't, as some lists are shards, and only the certificate says which of
 * them speak for it. */
bool hf_revoked_check_leaf(const struct hf_revoked *revoked, const struct hf_serial *serial,
                           const struct hf_cert *issuer, int64_t now_s,
                           struct hf_revoked_result *out);

#endif
