// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_OCSP_REPLY_H
#define HF_CA_OCSP_REPLY_H

/*
 * Writes OCSP answers (RFC 6960 4.2) and signs them, by a signer that the CA has delegated this to:
 * a key of its own, in a certificate with the usage OCSPSigning and ocsp-nocheck.
 */

#include "ca/ocsp_ask.h"
#include "crypto/sign.h"

/* struct hf_ocsp_signer is such a key and certificate. Counted by references, immutable, any
 * thread. */
struct hf_ocsp_signer {
    atomic_uint refs;
    struct hf_cert *cert;
    struct hf_sign_key *key;
    uint8_t key_hash[20];        /* names it in answers */
    struct hf_ocsp_id issuer[2]; /* who delegated it, by enum hf_ocsp_hash */
    uint8_t issuer_spki[HF_SHA256_SIZE];
};

/* hf_ocsp_signer_new takes references; key is a P-256 key and that of cert. Errors: HF_E_MISMATCH,
 * HF_E_UNSUPPORTED, HF_E_CRYPTO, HF_E_NOMEM. */
enum hf_err hf_ocsp_signer_new(struct hf_cert *cert, EVP_PKEY *key, const struct hf_cert *issuer,
                               struct hf_ocsp_signer **out) HF_MUST_CHECK;
struct hf_ocsp_signer *hf_ocsp_signer_ref(struct hf_ocsp_signer *signer);
void hf_ocsp_signer_unref(struct hf_ocsp_signer *signer);

/* hf_ocsp_reply_write appends an answer to ask; said has what is said of each certificate. The
 * nonce of the request is in it, if it had one. Errors: HF_E_CRYPTO, HF_E_TOO_LARGE, HF_E_NOMEM. */
enum hf_err hf_ocsp_reply_write(struct hf_crypto *crypto, const struct hf_ocsp_signer *signer,
                                const struct hf_ocsp_ask *ask, const struct hf_ocsp_said *said,
                                int64_t produced_at, struct hf_buf *out) HF_MUST_CHECK;

/* hf_ocsp_reply_error is the answer that is not one: static bytes, unsigned. Not for SUCCESSFUL. */
struct hf_bytes hf_ocsp_reply_error(enum hf_ocsp_response response);

#endif
