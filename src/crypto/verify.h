// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CRYPTO_VERIFY_H
#define HF_CRYPTO_VERIFY_H

/*
 * Checking a peer's signature. struct hf_verify_key is a public key ready to verify with: immutable
 * and shared by all threads, made once per certificate (the chain cache keeps it).
 */

#include "crypto/crypto.h"
#include "crypto/scheme.h"

struct hf_verify_key;

/* hf_verify_key_new. Errors: HF_E_UNSUPPORTED (no scheme fits the key, or RSA outside 1024 to 8192
 * bits), HF_E_CRYPTO, HF_E_NOMEM. */
enum hf_err hf_verify_key_new(EVP_PKEY *key, struct hf_verify_key **out) HF_MUST_CHECK;
struct hf_verify_key *hf_verify_key_ref(struct hf_verify_key *key);
void hf_verify_key_unref(struct hf_verify_key *key);

enum hf_key_type hf_verify_key_type(const struct hf_verify_key *key);
bool hf_verify_key_fits(const struct hf_verify_key *key, uint16_t scheme);

/*
 * hf_verify checks a signature over the message itself (it is hashed within). Errors: HF_E_MISMATCH
 * (wrong or malformed signature: decrypt_error), HF_E_UNSUPPORTED when the scheme doesn't fit the
 * key (illegal_parameter), HF_E_CRYPTO, HF_E_NOMEM.
 */
enum hf_err hf_verify(struct hf_crypto *crypto, const struct hf_verify_key *key, uint16_t scheme,
                      struct hf_bytes message, struct hf_bytes signature) HF_MUST_CHECK;

#endif
