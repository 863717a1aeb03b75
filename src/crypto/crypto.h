// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CRYPTO_CRYPTO_H
#define HF_CRYPTO_CRYPTO_H

/*
 * struct hf_crypto is one thread's tools: the contexts, keys in preparation and big numbers that
 * the asymmetric primitives reuse, so that an operation fetches nothing, locks nothing and touches
 * no counter that another thread touches. Whoever runs a primitive passes the handle of the thread
 * it runs on; a handle is never used by two threads.
 *
 * Hashes, HMAC, HKDF and opened AEAD keys need no handle.
 */

#include "base/bytes.h"

struct hf_crypto;

/* hf_crypto_here gives the calling thread's handle, made at its first use and freed when the thread
 * ends. NULL: out of memory, or libcrypto is unusable (recorded). */
struct hf_crypto *hf_crypto_here(void) HF_MUST_CHECK;

/* hf_crypto_here_done frees the calling thread's handle now; the next use makes a new one. */
void hf_crypto_here_done(void);

/* hf_crypto_new makes a handle of one's own, for tests and for threads that want several. Errors:
 * HF_E_NOMEM, HF_E_CRYPTO. */
enum hf_err hf_crypto_new(struct hf_crypto **out) HF_MUST_CHECK;
void hf_crypto_free(struct hf_crypto *crypto);

#endif
