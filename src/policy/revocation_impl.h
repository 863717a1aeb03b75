// SPDX-License-Identifier: Apache-2.0
#ifndef HF_POLICY_REVOCATION_IMPL_H
#define HF_POLICY_REVOCATION_IMPL_H

/* Shared by the files that judge revocation, revocation*.c; for nobody else. */

#include "policy/revocation.h"

/* hf_revocation_refuse turns *out into a refusal; always false. */
bool hf_revocation_refuse(struct hf_verdict *out, enum hf_reason reason, int depth,
                          const char *format, ...) HF_PRINTF(4, 5);

/* hf_revocation_concern names the certificate that the verdict is about. */
void hf_revocation_concern(const struct hf_cert *cert, struct hf_verdict *out);

/* hf_revocation_whose is "the certificate", or "the CA certificate". */
const char *hf_revocation_whose(int depth);

#define HF_REVOCATION_DATE_SIZE 32
void hf_revocation_date(int64_t at, char out[static HF_REVOCATION_DATE_SIZE]);

/* hf_revocation_in_grace: does the fallback let pass what has lasted for so long? */
bool hf_revocation_in_grace(enum hf_revoked_fallback fallback, int64_t passed_s, int64_t grace_s);

/* hf_revocation_refuse_denied and hf_revocation_refuse_listed turn *out into the refusal of whom an
 * entry of the deny list, or of a revocation list, names; always false. notes may be NULL. */
bool hf_revocation_refuse_denied(const struct hf_deny_entry *entry, int depth, int64_t now_s,
                                 struct hf_notes *notes, struct hf_verdict *out);
bool hf_revocation_refuse_listed(const struct hf_revoked_result *result, int depth,
                                 struct hf_notes *notes, struct hf_verdict *out);

/* --- revocation_ocsp.c --------------------------------------------------------------------------
 */

enum hf_ocsp_outcome {
    HF_OCSP_OUTCOME_GOOD,    /* an answer says so */
    HF_OCSP_OUTCOME_REFUSED, /* *out says why */
    HF_OCSP_OUTCOME_PASSED,  /* there is no answer, and the trust's fallback lets it pass */
    HF_OCSP_OUTCOME_WAIT,    /* the question is among the wants */
};

/* What is judged, and by what. */
struct hf_ocsp_case {
    const struct hf_revocation *revocation;
    const struct hf_chain *path;
    size_t at; /* of the certificate in the path */
    int64_t now_s;
    struct hf_judge_ocsp *ocsp; /* NULL: nothing is known */
    struct hf_notes *notes;
};

/* hf_revocation_ocsp judges one certificate. On PASSED, out->lapse is set. */
enum hf_ocsp_outcome hf_revocation_ocsp(const struct hf_ocsp_case *c, struct hf_verdict *out);

/* hf_revocation_ocsp_named refuses a certificate that what is known already calls revoked; true: it
 * doesn't. Nobody is asked. For certificates that a list has found good. */
bool hf_revocation_ocsp_named(const struct hf_ocsp_case *c, struct hf_verdict *out);

#endif
