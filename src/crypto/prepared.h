// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CRYPTO_PREPARED_H
#define HF_CRYPTO_PREPARED_H

/* Contexts of libcrypto made ready once and used many times, for sign.c and verify.c only. */

#include "crypto/tools.h"

enum hf_prepared_op { HF_PREPARED_SIGN, HF_PREPARED_VERIFY };

/*
 * hf_prepared_make readies the key for the operation by the scheme, which must fit it. The key is
 * copied into the thread's library context where it can be. Errors: HF_E_CRYPTO, HF_E_NOMEM; *out
 * is then zero.
 */
enum hf_err hf_prepared_make(struct hf_crypto *crypto, EVP_PKEY *key,
                             const struct hf_scheme *scheme, enum hf_prepared_op op,
                             struct hf_prepared *out) HF_MUST_CHECK;
void hf_prepared_done(struct hf_prepared *prepared);

/* hf_prepared_repoint puts another public point into a context for ECDSA verification, which costs
 * a third of making one. Errors: HF_E_CRYPTO, HF_E_NOMEM; the context is then good for nothing. */
enum hf_err hf_prepared_repoint(struct hf_prepared *prepared, const struct hf_scheme *scheme,
                                struct hf_bytes point) HF_MUST_CHECK;

#endif
