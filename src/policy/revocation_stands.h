// SPDX-License-Identifier: Apache-2.0
#ifndef HF_POLICY_REVOCATION_STANDS_H
#define HF_POLICY_REVOCATION_STANDS_H

/*
 * The quick question, for those who were found good before: is it sure that they still are? It asks
 * the deny list and the revocation lists by serial and name, so that no certificate has to be
 * parsed and no path to be built again. False isn't a refusal: hf_verdict_judge is then to be
 * asked, in full. So whatever these two don't know of makes them say false.
 */

#include "policy/revocation.h"

/* hf_revocation_stands_above asks about the CA certificates of a verified path, the leaf's issuer
 * first, the root last. True: *out_until is until when, INT64_MAX: no end. */
bool hf_revocation_stands_above(const struct hf_revocation *revocation,
                                const struct hf_chain *above, int64_t now_s, int64_t *out_until);

/* hf_revocation_stands_leaf asks about a leaf, no CA, below this issuer. */
bool hf_revocation_stands_leaf(const struct hf_revocation *revocation,
                               const struct hf_identity *leaf, const struct hf_cert *issuer,
                               int64_t now_s, int64_t *out_until);

#endif
