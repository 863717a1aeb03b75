// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_LINT_H
#define HF_CA_LINT_H

/*
 * What is wrong with a certificate: named checks against RFC 5280 and what follows it, against the
 * certificate that signed it, and against the profile it was made by. `handfast ca` runs them on
 * the finished TBSCertificate before it is signed; `handfast cert lint` on files. Any thread.
 */

#include "base/buf.h"
#include "pki/cert.h"

struct hf_cert_profile;

enum hf_lint_level {
    HF_LINT_NOTICE,  /* unusual */
    HF_LINT_WARNING, /* a SHOULD, or what some programs don't take */
    HF_LINT_ERROR,   /* a MUST: not signed */
};

const char *hf_lint_level_name(enum hf_lint_level level);

struct hf_lint_check {
    const char *name; /* stable: "serial-positive" */
    enum hf_lint_level level;
    const char *source; /* "RFC 5280 4.1.2.2" */
    const char *says;   /* what must hold, for the table in docs/ca-profiles.md */
};

/* hf_lint_checks gives the table of all checks, in order; NULL past its end. */
const struct hf_lint_check *hf_lint_check_at(size_t i);

#define HF_LINT_FINDINGS_MAX 48
#define HF_LINT_TEXT_MAX     200

struct hf_lint_finding {
    const struct hf_lint_check *check;
    char text[HF_LINT_TEXT_MAX]; /* what was found; printable */
};

struct hf_lint_result {
    struct hf_lint_finding finding[HF_LINT_FINDINGS_MAX]; /* the worst first */
    size_t n;
    size_t n_errors, n_warnings;
    size_t n_run; /* checks that applied */
};

/* What a certificate is held against; all may be zero. */
struct hf_lint_against {
    const struct hf_cert *issuer; /* its own for a root */
    const struct hf_cert_profile *profile;
    int64_t now; /* with it dates are held against the clock; 0: not */
};

/* hf_lint_tbs lints a TBSCertificate, hf_lint_cert a certificate with its signature's algorithm
 * too. What can't be parsed is a finding ("der"), not an error. Errors: HF_E_NOMEM. */
enum hf_err hf_lint_tbs(struct hf_bytes tbs, const struct hf_lint_against *against,
                        struct hf_lint_result *out) HF_MUST_CHECK;
enum hf_err hf_lint_cert(struct hf_bytes der, const struct hf_lint_against *against,
                         struct hf_lint_result *out) HF_MUST_CHECK;

#endif
