// SPDX-License-Identifier: Apache-2.0
#ifndef HF_POLICY_REVOCATION_STANDS_H
#define HF_POLICY_REVOCATION_STANDS_H

/*
 * The quick question, for those who were found good before: are they still? It asks the deny list
 * and the revocation lists by serial and name, so that no certificate has to be parsed and no path
 * to be built again. What it isn't sure of - a stale list, a shard, a source that it doesn't know -
 * is for hf_verdict_judge to say, in full.
 */

#include "policy/revocation.h"

enum hf_standing {
    HF_STANDING_UNSURE,
    HF_STANDING_GOOD,   /* *out_until is until when, INT64_MAX: no end */
    HF_STANDING_FALLEN, /* *out is the refusal, as hf_verdict_judge would make it */
};

/* struct hf_standing_memo remembers the last refusal by the deny list, so that thousands that fall
 * by one entry have it put in words once. For leaves below one issuer, and one ledger: zeroed anew
 * with another. */
struct hf_standing_memo {
    const struct hf_deny_entry *entry; /* NULL: none yet */
    int64_t now_s;
    struct hf_verdict verdict;
    struct hf_note note;
};

/* hf_revocation_standing_above asks about the CA certificates of a verified path, the leaf's issuer
 * first, the root last. notes may be NULL. */
enum hf_standing hf_revocation_standing_above(const struct hf_revocation *revocation,
                                              const struct hf_chain *above, int64_t now_s,
                                              struct hf_notes *notes, struct hf_verdict *out,
                                              int64_t *out_until);

/* hf_revocation_standing_leaf asks about a leaf, no CA, below this issuer. memo may be NULL. */
enum hf_standing hf_revocation_standing_leaf(const struct hf_revocation *revocation,
                                             const struct hf_identity *leaf,
                                             const struct hf_cert *issuer, int64_t now_s,
                                             struct hf_standing_memo *memo, struct hf_notes *notes,
                                             struct hf_verdict *out, int64_t *out_until);

#endif
