// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CRYPTO_HKDF_H
#define HF_CRYPTO_HKDF_H

/*
 * HKDF (RFC 5869) and HKDF-Expand-Label (RFC 8446 7.1). Expansion takes the pseudorandom key as a
 * struct hf_hmac, so that several outputs of one secret hash the key's pads once.
 */

#include "base/secret.h"
#include "crypto/hmac.h"

#define HF_HKDF_LABEL_MAX 249 /* bytes of a label after "tls13 " */

/* hf_hkdf_extract: an empty salt stands for hf_hash_size zeros. */
void hf_hkdf_extract(enum hf_hash_alg alg, struct hf_bytes salt, struct hf_bytes ikm,
                     struct hf_secret *out_prk);

/* hf_hkdf_expand fills out. Errors: HF_E_INVALID when that is more than 255 digests. */
enum hf_err hf_hkdf_expand(const struct hf_hmac *prk, struct hf_bytes info,
                           struct hf_span out) HF_MUST_CHECK;

/* hf_hkdf_expand_label: label without "tls13 ". Errors: HF_E_INVALID for a label or context longer
 * than its length field, or too much output. */
enum hf_err hf_hkdf_expand_label(const struct hf_hmac *prk, struct hf_bytes label,
                                 struct hf_bytes context, struct hf_span out) HF_MUST_CHECK;

#endif
