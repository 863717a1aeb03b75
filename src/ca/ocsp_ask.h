// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_OCSP_ASK_H
#define HF_CA_OCSP_ASK_H

#include "pki/ocsp.h"

/*
 * struct hf_ocsp_ask is an OCSPRequest (RFC 6960 4.1.1) as it was asked: views into its bytes. A
 * signature on it is passed over: everybody may ask.
 */
struct hf_ocsp_ask {
    struct {
        struct hf_bytes whole; /* the CertID as it was written, which is how it is answered */
        bool known_hash;       /* id is set; otherwise nothing can be said but "unknown" */
        struct hf_ocsp_id id;
    } one[HF_OCSP_SERIALS_MAX];
    size_t n;              /* at least one */
    struct hf_bytes nonce; /* 1 to HF_OCSP_NONCE_MAX bytes; ptr NULL: none */
};

/*
 * hf_ocsp_ask_read wants DER and nothing behind it. Errors: HF_E_TRUNCATED, HF_E_MALFORMED,
 * HF_E_TOO_LARGE (too many certificates, bytes), HF_E_UNSUPPORTED (another version, a critical
 * extension that isn't known): all of them are answered malformedRequest.
 */
enum hf_err hf_ocsp_ask_read(struct hf_bytes der, struct hf_ocsp_ask *out) HF_MUST_CHECK;

#endif
