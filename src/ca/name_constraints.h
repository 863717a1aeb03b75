// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_NAME_CONSTRAINTS_H
#define HF_CA_NAME_CONSTRAINTS_H

/*
 * Name constraints (RFC 5280 4.2.1.10): which names a CA may issue for. What can't be judged, such
 * as a constraint on a form of names that we don't know, is answered with no.
 */

#include "ca/alt_name.h"

#define HF_CONSTRAINTS_MAX 128 /* subtrees of one certificate */

struct hf_subtree {
    uint8_t tag;           /* of its GeneralName */
    struct hf_bytes value; /* its contents; a view */
    bool excluded;
};

/* A zeroed one is valid and permits everything. Views into the extension that it was read from. */
struct hf_name_constraints {
    struct hf_subtree item[HF_CONSTRAINTS_MAX];
    size_t n;
};

/* hf_name_constraints_parse reads the extension's value. Errors: HF_E_MALFORMED, HF_E_UNSUPPORTED
 * (minimum or maximum are there), HF_E_TOO_LARGE. */
enum hf_err hf_name_constraints_parse(struct hf_bytes value,
                                      struct hf_name_constraints *out) HF_MUST_CHECK;

/* hf_name_constraints_permit checks the names and the subject, a Name in DER. Errors: HF_E_INVALID
 * in words, HF_E_MALFORMED (the subject). */
enum hf_err hf_name_constraints_permit(const struct hf_name_constraints *constraints,
                                       struct hf_bytes subject,
                                       const struct hf_alt_names *names) HF_MUST_CHECK;

/* hf_name_constraints_write appends the extension's value for a CA to be made: "DNS:example.org",
 * "email:example.org", "URI:example.org", "IP:10.0.0.0/8", "dn:O=Example". A failure sticks in der.
 */
void hf_name_constraints_write(const char *const *permitted, size_t n_permitted,
                               const char *const *excluded, size_t n_excluded, struct hf_asn1 *der);

#endif
