// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_CERT_MAKE_H
#define HF_CA_CERT_MAKE_H

/*
 * From a profile, the facts of one request and an issuer to a certificate:
 *
 *     profile, facts, issuer --> TBSCertificate --> lint --> signature --> DER
 *
 * Nothing is signed that broke a rule. No I/O; any thread.
 */

#include "base/clock.h"
#include "ca/cert_profile.h"
#include "ca/csr.h"
#include "ca/issuer.h"
#include "ca/lint.h"

#define HF_MADE_SERIAL_SIZE 16
#define HF_MADE_DER_MAX     HF_CERT_DER_MAX

/* Name constraints that a CA certificate is to carry; IP patterns are networks ("10.0.0.0/8"), DNS
 * and email domains, URI hosts, directory names as RFC 4514. */
struct hf_made_constraints {
    const char *const *permitted; /* "DNS:example.org", "IP:10.0.0.0/8", "dn:O=Example" */
    size_t n_permitted;
    const char *const *excluded;
    size_t n_excluded;
};

/* What is to be said in one certificate. All is borrowed for the call; zero is none. */
struct hf_cert_facts {
    const struct hf_public_key *key;
    const struct hf_subject *subject; /* asked for; NULL: none */
    const struct hf_alt_names *names; /* asked for; NULL: none */
    struct hf_bytes subject_der;      /* a Name to copy as it is, in place of the profile's: cross
                                         certificates, and CAs, whose name must stay the same bytes */
    int64_t lifetime_s;               /* 0: the profile's */
    int64_t not_before;               /* 0: now, less the profile's backdate */
    int64_t not_after;                /* 0: by lifetime_s; the operator's, so not held to the
                                         profile's longest */
    const char *const *crl_urls;      /* one distribution point with all of them */
    size_t n_crl_urls;
    const char *const *ocsp_urls;
    size_t n_ocsp_urls;
    const char *const *issuer_urls; /* where the issuer's certificate is */
    size_t n_issuer_urls;
    const struct hf_made_constraints *constraints; /* CAs only */
    const int *path_len;                           /* CAs: in place of the profile's; -1: none */
    struct hf_bytes key_id; /* in place of the key's own: cross certificates */
};

struct hf_made_cert {
    struct hf_buf tbs, der;
    struct hf_buf subject;               /* a Name in DER */
    uint8_t serial[HF_MADE_SERIAL_SIZE]; /* 128 random bits; the first byte isn't zero */
    int64_t not_before, not_after;
    bool capped;                /* ends earlier than asked, with the CA */
    struct hf_lint_result lint; /* warnings; errors are failures */
};

void hf_made_cert_done(struct hf_made_cert *made);

/*
 * hf_cert_make does it all. The key must have passed hf_weak_key_check. Errors: HF_E_INVALID in
 * words (*out_why says which kind; LINT: out->lint has the findings), HF_E_CRYPTO, HF_E_NOMEM.
 */
enum hf_err hf_cert_make(const struct hf_cert_profile *profile, const struct hf_cert_facts *facts,
                         const struct hf_issuer *issuer, int64_t now, const struct hf_rng *rng,
                         struct hf_made_cert *out, enum hf_refusal *out_why) HF_MUST_CHECK;

/* hf_cert_make_root is the same for a CA that signs itself with key. */
enum hf_err hf_cert_make_root(const struct hf_cert_profile *profile,
                              const struct hf_cert_facts *facts, EVP_PKEY *key, int64_t now,
                              const struct hf_rng *rng, struct hf_made_cert *out,
                              enum hf_refusal *out_why) HF_MUST_CHECK;

/* hf_csr_make appends a PKCS#10 request in DER for a key of ours: what an issuing CA hands to an
 * offline root, and an agent to its CA. names may be NULL. */
enum hf_err hf_csr_make(const struct hf_subject *subject, const struct hf_alt_names *names,
                        bool for_ca, EVP_PKEY *key, struct hf_buf *out) HF_MUST_CHECK;

#endif
