// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_CERT_IMPL_H
#define HF_PKI_CERT_IMPL_H

/* What the files of src/pki share and nobody else needs. */

#include "base/buf.h"
#include "pki/identity.h"

/* What X509_check_ca answers; 0 is "no", other numbers are guesses that we don't follow. */
enum { HF_CHECK_CA_V3 = 1, HF_CHECK_CA_V1_ROOT = 3 };

/* RFC 5280 4.1.2.5: a certificate without a well-defined end has this one, 99991231235959Z. */
#define HF_NO_END_TIME INT64_C(253402300799)

/* hf_time_from_asn1 gives Unix seconds. Errors: HF_E_MALFORMED. */
enum hf_err hf_time_from_asn1(const ASN1_TIME *from, int64_t *out) HF_MUST_CHECK;

/* hf_chain_new_any is hf_chain_new without HF_CHAIN_MAX, for files of ours. */
enum hf_err hf_chain_new_any(struct hf_cert *const *certs, size_t n,
                             struct hf_chain **out) HF_MUST_CHECK;

/* hf_identity_of_request reads the names that a request asks for; all else in it is empty. */
enum hf_err hf_identity_of_request(X509_REQ *csr, struct hf_identity **out) HF_MUST_CHECK;

#endif
