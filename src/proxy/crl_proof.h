// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_CRL_PROOF_H
#define HF_PROXY_CRL_PROOF_H

/*
 * Is a fetched list to be taken in place of the one before? Whoever stands between us and the
 * server may send anything, so a list counts for what its signature proves. Who may sign is known
 * from the roots of the trusts, and from the CA certificates of chains that led to one.
 *
 * A list by a CA that was never seen proves nothing yet, and does no harm: nobody whom that CA has
 * certified has come. It gives way as soon as the CA is known and it turns out to be another's.
 */

#include "pki/crl.h"

#define HF_CRL_PROVERS_KNOWN_MAX 4096

/* The CA certificates that are known; each key once. A zeroed one is valid and empty. */
struct hf_crl_provers {
    struct hf_cert **item; /* owned references */
    size_t n;
};

/* hf_crl_provers_add takes a reference; *out_new: it wasn't known. Beyond the limit it is passed
 * over. Errors: HF_E_NOMEM. */
enum hf_err hf_crl_provers_add(struct hf_crl_provers *provers, struct hf_cert *cert,
                               bool *out_new) HF_MUST_CHECK;
void hf_crl_provers_done(struct hf_crl_provers *provers);

enum hf_crl_proof {
    HF_CRL_UNPROVEN,  /* no certificate of its issuer is known */
    HF_CRL_PROVEN,    /* a known certificate's key has signed it */
    HF_CRL_DISPROVEN, /* its issuer is known, and has not signed it */
};

/* hf_crl_proof says which; *out_by (or NULL) is who proved it, borrowed. */
enum hf_crl_proof hf_crl_proof(const struct hf_crl_provers *provers, const struct hf_crl *crl,
                               struct hf_cert **out_by);

/*
 * hf_crl_admit: may `next`, the lists of one answer, take the place of `now`, those of the one
 * before? Errors, in words: HF_E_DENIED (not signed by its issuer), HF_E_MISMATCH (older than what
 * is there: a replay; or nothing in its place), HF_E_INVALID (begins in the future).
 */
enum hf_err hf_crl_admit(const struct hf_crl_provers *provers, const struct hf_crl_lists *now,
                         const struct hf_crl_lists *next, int64_t now_s) HF_MUST_CHECK;

/* hf_crl_lists_disproven: is one of them not its issuer's? */
bool hf_crl_lists_disproven(const struct hf_crl_provers *provers, const struct hf_crl_lists *lists);

#endif
