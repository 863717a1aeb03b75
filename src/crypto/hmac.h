// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CRYPTO_HMAC_H
#define HF_CRYPTO_HMAC_H

/*
 * HMAC (RFC 2104). struct hf_hmac is a key with both of its pads already hashed: plain memory, any
 * number of MACs by any number of threads. Holds the key's equivalent; hf_hmac_done wipes it.
 */

#include "crypto/hash.h"

struct hf_hmac {
    struct hf_hash inner;
    struct hf_hash outer;
};

void hf_hmac_init(struct hf_hmac *hmac, enum hf_hash_alg alg, struct hf_bytes key);
void hf_hmac_done(struct hf_hmac *hmac);

/* hf_hmac_once writes the MAC of the message: hf_hash_size bytes. */
void hf_hmac_once(const struct hf_hmac *hmac, struct hf_bytes message, uint8_t *out);

/* A message in pieces: begin with a copy of hmac->inner, hf_hash_update it, then end. */
static inline struct hf_hash hf_hmac_begin(const struct hf_hmac *hmac)
{
    return hmac->inner;
}
void hf_hmac_end(const struct hf_hmac *hmac, struct hf_hash *running, uint8_t *out);

#endif
