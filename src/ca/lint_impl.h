// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_LINT_IMPL_H
#define HF_CA_LINT_IMPL_H

/*
 * Inside the linter. A certificate is taken apart once, into a view that keeps what is wrong with
 * its parts instead of failing; each check is a row { what it says, where it applies, a function },
 * in one table per file lint_*.c.
 */

#include "ca/cert_profile.h"
#include "ca/lint.h"
#include "ca/name_constraints.h"
#include "ca/public_key.h"
#include "ca/sig_alg.h"
#include "pki/asn1_write.h"

#define HF_LINT_EXTENSIONS_MAX 48
#define HF_LINT_ATTRS_MAX      48
#define HF_LINT_LIST_MAX       64

/* Where a check applies; all bits of a row must be set for the certificate. */
enum hf_lint_when {
    HF_LINT_ALWAYS = 0,
    HF_LINT_CERT = 1 << 0,    /* a whole certificate, with its signature */
    HF_LINT_ISSUER = 1 << 1,  /* its issuer is given */
    HF_LINT_PROFILE = 1 << 2, /* its profile is given */
    HF_LINT_NOW = 1 << 3,
    HF_LINT_CA = 1 << 4,
    HF_LINT_LEAF = 1 << 5,
    HF_LINT_NOT_SELF = 1 << 6, /* issuer and subject differ, or the issuer that is given does */
    HF_LINT_SERVER = 1 << 7,   /* for serverAuth */
    HF_LINT_OCSP = 1 << 8,     /* for OCSPSigning */
    HF_LINT_HAS_SAN = 1 << 9,
    HF_LINT_HAS_KU = 1 << 10,
    HF_LINT_HAS_EKU = 1 << 11,
    HF_LINT_HAS_BC = 1 << 12,
    HF_LINT_HAS_NC = 1 << 13,
    HF_LINT_HAS_CDP = 1 << 14,
    HF_LINT_HAS_AIA = 1 << 15,
    HF_LINT_HAS_AKI = 1 << 16,
    HF_LINT_HAS_POLICIES = 1 << 17,
    HF_LINT_KEY = 1 << 18, /* its key could be read */
    HF_LINT_RSA = 1 << 19,
    HF_LINT_DATES = 1 << 20, /* both could be read */
};

/* The extensions that are known, by the last byte of 2.5.29.x or by name. */
enum hf_lint_ext {
    HF_EXT_SKI,
    HF_EXT_KU,
    HF_EXT_SAN,
    HF_EXT_IAN,
    HF_EXT_BC,
    HF_EXT_NC,
    HF_EXT_CDP,
    HF_EXT_POLICIES,
    HF_EXT_MAPPINGS,
    HF_EXT_AKI,
    HF_EXT_POLICY_CONSTRAINTS,
    HF_EXT_EKU,
    HF_EXT_FRESHEST,
    HF_EXT_INHIBIT_ANY,
    HF_EXT_AIA,
    HF_EXT_SIA,
    HF_EXT_TLS_FEATURE,
    HF_EXT_NO_CHECK,
    HF_EXT_N,
};

struct hf_lint_extension {
    struct hf_bytes oid;
    int known; /* enum hf_lint_ext; -1 */
    bool critical;
    bool false_written; /* critical FALSE, which DER leaves out */
    struct hf_bytes value;
};

struct hf_lint_attr {
    struct hf_bytes oid;
    uint8_t tag;
    struct hf_bytes value;
    bool shared; /* its RDN has several */
};

struct hf_lint_view {
    const struct hf_lint_against *against;
    unsigned is; /* bits of enum hf_lint_when */
    struct hf_bytes tbs;
    unsigned version; /* 1 to 3; 0: something else */
    struct hf_bytes serial;
    struct hf_bytes algorithm, outer_algorithm; /* whole; outer: of certificates */
    struct hf_bytes issuer, subject, spki;      /* whole */
    struct hf_der not_before_der, not_after_der;
    int64_t not_before, not_after;
    bool has_unique_id;
    struct hf_lint_extension extension[HF_LINT_EXTENSIONS_MAX];
    size_t n_extensions;
    const struct hf_lint_extension *ext[HF_EXT_N]; /* the first of each; NULL: none */

    struct hf_lint_attr attr[HF_LINT_ATTRS_MAX]; /* of the subject */
    size_t n_attrs;
    struct hf_public_key *key; /* NULL: can't be read, see key_problem */
    char key_problem[HF_LINT_TEXT_MAX];
    uint32_t key_usage;
    bool is_ca;
    int path_len; /* -1: none */
    bool bc_false_written;
    struct hf_bytes eku[HF_LINT_LIST_MAX];
    size_t n_eku;
    struct hf_der name[HF_ALT_NAMES_MAX]; /* GeneralNames */
    size_t n_names;
    struct hf_alt_names names; /* those that are well made, of kinds that we know */
    char broken[HF_EXT_N][64]; /* what is wrong inside an extension; "": nothing */

    struct hf_lint_result *result;
    const struct hf_lint_check *check; /* that is running */
};

/* hf_lint_view_read takes the TBS apart. Errors: HF_E_NOMEM; HF_E_MALFORMED with a sentence: what
 * was read before it is there. */
enum hf_err hf_lint_view_read(struct hf_bytes tbs, struct hf_lint_view *view) HF_MUST_CHECK;
void hf_lint_view_done(struct hf_lint_view *view);

/* hf_lint_found adds a finding of the check that is running. */
void hf_lint_found(struct hf_lint_view *view, const char *format, ...) HF_PRINTF(2, 3);

struct hf_lint_row {
    struct hf_lint_check check;
    unsigned when;
    void (*run)(struct hf_lint_view *view);
};

struct hf_lint_table {
    const struct hf_lint_row *row;
    size_t n;
};

extern const struct hf_lint_table hf_lint_basics, hf_lint_names, hf_lint_extensions,
    hf_lint_profiles;

/* hf_lint_has_eku: is it for that use, a word of ca/oid.h? */
bool hf_lint_has_eku(const struct hf_lint_view *view, const char *word);

#endif
