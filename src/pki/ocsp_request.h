// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_OCSP_REQUEST_H
#define HF_PKI_OCSP_REQUEST_H

#include "pki/ocsp.h"

/* hf_ocsp_request_write appends an OCSPRequest in DER about these certificates, at most
 * HF_OCSP_SERIALS_MAX. nonce: empty, or 1 to HF_OCSP_NONCE_MAX bytes (RFC 9654). It isn't signed.
 * Errors: HF_E_TOO_LARGE, HF_E_NOMEM. */
enum hf_err hf_ocsp_request_write(const struct hf_ocsp_id *ids, size_t n, struct hf_bytes nonce,
                                  struct hf_buf *out) HF_MUST_CHECK;

#endif
