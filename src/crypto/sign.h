// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CRYPTO_SIGN_H
#define HF_CRYPTO_SIGN_H

/*
 * Signing with a private key of ours. struct hf_sign_key is shared by all threads; the contexts
 * that signing needs are prepared once per thread and scheme, inside its struct hf_crypto, and go
 * when the last owner of the key has let go of it (at that thread's next signature with a new key,
 * or at its end).
 */

#include "crypto/crypto.h"
#include "crypto/scheme.h"

#define HF_SIGNATURE_MAX 1024 /* RSA of 8192 bits */

struct hf_sign_key;

/* hf_sign_key_new takes its own reference to the key. Errors: HF_E_UNSUPPORTED (no scheme fits it,
 * or RSA beyond 8192 bits), HF_E_NOMEM. */
enum hf_err hf_sign_key_new(EVP_PKEY *key, struct hf_sign_key **out) HF_MUST_CHECK;
struct hf_sign_key *hf_sign_key_ref(struct hf_sign_key *key);
void hf_sign_key_unref(struct hf_sign_key *key);

/* hf_sign_key_fits says whether the key can sign by this scheme (type, curve, RSA size and PSS
 * restrictions). */
bool hf_sign_key_fits(const struct hf_sign_key *key, uint16_t scheme);

/* hf_sign signs the message itself (it is hashed within). sig.len at least HF_SIGNATURE_MAX.
 * Errors: HF_E_UNSUPPORTED when the scheme doesn't fit, HF_E_CRYPTO, HF_E_NOMEM. */
enum hf_err hf_sign(struct hf_crypto *crypto, struct hf_sign_key *key, uint16_t scheme,
                    struct hf_bytes message, struct hf_span sig, size_t *out_len) HF_MUST_CHECK;

#endif
