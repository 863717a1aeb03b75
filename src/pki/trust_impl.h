// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_TRUST_IMPL_H
#define HF_PKI_TRUST_IMPL_H

/* The inside of struct hf_trust, shared by trust.c, verify.c and verified.c. */

#include "base/cache.h"
#include "pki/trust.h"

struct hf_trust {
    atomic_uint refs;
    char *name;
    struct hf_chain *roots;
    STACK_OF(X509) * stack; /* the roots again, as libcrypto wants them; read only */
    unsigned depth;
    uint8_t id[HF_SHA256_SIZE];
    struct hf_bytes *names; /* DER Names; each owned */
    size_t n_names;
    bool names_too_long;
    struct hf_cache *verified; /* see verified.c */
};

/* --- Chains that were found good (verified.c) ----------------------------------------------------
 */

/* One question to hf_trust_verify, but for the time. */
struct hf_verify_question {
    const struct hf_chain *chain;
    enum hf_usage usage;
    const char *name; /* or NULL */
};

enum hf_err hf_verified_new(struct hf_cache **out) HF_MUST_CHECK;

/* hf_verified_recall fills in a result that holds at now_s and says so, or leaves it. */
bool hf_verified_recall(const struct hf_trust *trust, const struct hf_verify_question *question,
                        int64_t now_s, struct hf_verify_result *out);

/* hf_verified_remember keeps a good result for other times. */
void hf_verified_remember(const struct hf_trust *trust, const struct hf_verify_question *question,
                          const struct hf_verify_result *result);

#endif
