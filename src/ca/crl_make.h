// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_CRL_MAKE_H
#define HF_CA_CRL_MAKE_H

/*
 * One list of an authority, from its number to its line in the store: what daemons publish and what
 * `ca crl` writes. Numbers are taken before revocations are read, so of two lists the one with the
 * higher number never knows less.
 *
 * Other processes may make the same list at the same moment. The one whose number was overtaken by
 * a list that is recorded already makes its list anew, at once: it may know more than the other.
 */

#include "ca/authority.h"
#include "ca/crl_date.h"
#include "ca/crl_file.h"
#include "os/clock.h"

struct hf_crl_make {
    struct hf_store *store;
    const struct hf_authority *authority; /* whose key is here */
    const struct hf_clock *clock;
    const char *actor;
    const char *folder; /* for temporary files; NULL: the system's */
    unsigned shard;     /* 0 where there are none */
    bool delta;         /* wanted: what changed since the full list numbered base, which knew the
                           journal up to base_seq. With over delta_max changes it is a full one */
    int64_t base, base_seq;
    size_t delta_max;
    int64_t lifetime_s, delta_lifetime_s; /* the latter 0: full lists name no delta */
};

struct hf_crl_made {
    struct hf_crl_file file; /* the caller's to be done with */
    struct hf_store_crl crl; /* as recorded */
    struct hf_crl_dates dates;
};

/* hf_crl_make makes and records it; nobody has seen it yet. Blocks: not on a loop's thread. Errors:
 * HF_E_EXISTS when it was overtaken again and again, HF_E_INVALID, HF_E_IO, HF_E_NOMEM,
 * HF_E_CRYPTO; *out is none then. */
enum hf_err hf_crl_make(const struct hf_crl_make *what, struct hf_crl_made *out) HF_MUST_CHECK;

/* hf_crl_path: "FOLDER/issuing-3-delta.crl". Errors: HF_E_TOO_LARGE. */
enum hf_err hf_crl_path(const char *folder, const struct hf_authority *authority, unsigned shard,
                        bool delta, char *out, size_t size) HF_MUST_CHECK;

/* hf_crl_name: "issuing", "issuing-3", "issuing-3-delta". What doesn't fit is cut. */
void hf_crl_name(const struct hf_authority *authority, unsigned shard, bool delta, char *out,
                 size_t size);

#endif
