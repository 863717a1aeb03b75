// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_PROFILE_H
#define HF_CA_PROFILE_H

/* What the certificates of a CA look like: one table of profiles, one function that makes them. */

#include "ca/ca.h"
#include "ca/san.h"

enum hf_profile { HF_PROFILE_ROOT, HF_PROFILE_ISSUING, HF_PROFILE_SERVER, HF_PROFILE_CLIENT };

struct hf_certificate_plan {
    enum hf_profile profile;
    const char *cn;           /* NULL: none */
    const char *organization; /* NULL: none */
    const struct hf_ca_sans *sans;
    int64_t not_before;
    int64_t not_after;
    EVP_PKEY *subject_key;
    X509 *issuer; /* NULL: signed by itself */
    EVP_PKEY *issuer_key;
    const struct hf_rng *rng; /* for the serial number */
};

/* hf_certificate_make signs a certificate and checks its signature. */
enum hf_err hf_certificate_make(const struct hf_certificate_plan *plan,
                                struct hf_cert **out) HF_MUST_CHECK;

#endif
