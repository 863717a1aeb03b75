// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_STAPLE_H
#define HF_PKI_STAPLE_H

/* What an OCSP response that we are to send beside a certificate of ours says of it (RFC 6960).
 * Whether its signature is good is for those who get it. */

#include "pki/cert.h"

struct hf_staple {
    bool revoked;
    int64_t made_at; /* thisUpdate, Unix seconds */
    int64_t ends_at; /* nextUpdate; INT64_MAX: none given */
};

/* hf_staple_read reads the response's part about the chain's leaf. Errors: HF_E_MALFORMED (not a
 * successful OCSP response in DER), HF_E_MISMATCH (it is about other certificates), HF_E_NOMEM. */
enum hf_err hf_staple_read(struct hf_bytes der, const struct hf_chain *chain,
                           struct hf_staple *out) HF_MUST_CHECK;

#endif
