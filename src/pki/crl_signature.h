// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_CRL_SIGNATURE_H
#define HF_PKI_CRL_SIGNATURE_H

/*
 * struct hf_crl_signature is the signature of a revocation list or of an OCSP answer, checked when
 * an issuer is known: begun with the AlgorithmIdentifier, fed the bytes that are signed, sealed
 * with the BIT STRING. Ed25519 and Ed448 sign the bytes themselves, not a hash of them: these are
 * kept until the check. After the seal: any thread.
 */

#include "pki/cert.h"

struct hf_crl_signature;

/* Errors: HF_E_UNSUPPORTED in words, HF_E_MALFORMED, HF_E_NOMEM. */
enum hf_err hf_crl_signature_new(struct hf_bytes algorithm,
                                 struct hf_crl_signature **out) HF_MUST_CHECK;
enum hf_err hf_crl_signature_feed(struct hf_crl_signature *signature,
                                  struct hf_bytes signed_bytes) HF_MUST_CHECK;

/* algorithm: the outer one, which must be the same as the inner. */
enum hf_err hf_crl_signature_seal(struct hf_crl_signature *signature, struct hf_bytes algorithm,
                                  struct hf_bytes bit_string) HF_MUST_CHECK;

/* hf_crl_signature_good: was it made by this certificate's key? The answer is remembered. */
bool hf_crl_signature_good(struct hf_crl_signature *signature, const struct hf_cert *issuer);
void hf_crl_signature_free(struct hf_crl_signature *signature);

#endif
