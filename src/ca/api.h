// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_API_H
#define HF_CA_API_H

/*
 * The CA over HTTP: JSON in and out, as docs/ca-openapi.yaml describes it and docs/ca-api.md shows
 * it. Every request becomes one operation of the service (ca/service.h) or one read of its store;
 * nothing is decided here but who asks.
 *
 * Who asks is the client whose certificate was verified in this connection, by name, roles and
 * rights. One without a certificate may read what is public in a CA, and enrol with a token.
 */

#include "ca/obeyed.h"
#include "ca/service.h"
#include "http/service.h"
#include "policy/roles.h"

/* Who has a right: roles by name, selectors, or HF_CA_API_VERIFIED for everybody with a verified
 * certificate. None: nobody. */
#define HF_CA_API_VERIFIED "verified"

struct hf_ca_api_who {
    const char *const *who;
    size_t n;
};

/* In the order of the bits of enum hf_ca_right. */
#define HF_CA_RIGHT_TABLE(X) \
    X(READ, "read", "lists, certificates, requests and the audit log") \
    X(REVOKE, "revoke", "revoke, hold and release") \
    X(APPROVE, "approve", "decide on requests") \
    X(TOKEN, "token", "make and cancel enrolment tokens")
enum { HF_CA_N_RIGHTS = 4 };

struct hf_ca_api_options {
    struct hf_ca_service *service; /* borrowed: it outlives the last call */
    struct hf_obeyed *obeyed; /* borrowed: what was revoked is told when it is obeyed here. NULL: at
                                 once */
    const struct hf_role_source *roles;
    size_t n_roles;
    struct hf_ca_api_who rights[HF_CA_N_RIGHTS];
};

/*
 * hf_ca_api_new gives the service that routes lead to, with one reference. Roles and rights are
 * compiled, not kept. Errors: HF_E_INVALID in words (an unknown role, a bad selector), HF_E_NOMEM.
 */
enum hf_err hf_ca_api_new(const struct hf_ca_api_options *options,
                          struct hf_service **out) HF_MUST_CHECK;

#endif
