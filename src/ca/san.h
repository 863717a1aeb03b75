// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_SAN_H
#define HF_CA_SAN_H

#include <openssl/x509v3.h>

#include "ca/ca.h"

/* Subject alternative names as asked for: checked, in order, without doubles. A zeroed list is
 * valid and empty. */
struct hf_ca_sans {
    GENERAL_NAMES *names;
    size_t n_uris;
    bool spiffe;
};

void hf_ca_sans_done(struct hf_ca_sans *sans);

/* hf_ca_sans_add reads "DNS:x", "URI:x", "IP:x" or "email:x". Errors: HF_E_INVALID in words. */
enum hf_err hf_ca_sans_add(struct hf_ca_sans *sans, const char *text) HF_MUST_CHECK;

/* hf_ca_sans_add_host adds a server's name: an IP address or a DNS name. */
enum hf_err hf_ca_sans_add_host(struct hf_ca_sans *sans, const char *host) HF_MUST_CHECK;

/* hf_ca_sans_check: X509-SVID allows one URI beside no other where one is a SPIFFE ID. */
enum hf_err hf_ca_sans_check(const struct hf_ca_sans *sans) HF_MUST_CHECK;

#endif
