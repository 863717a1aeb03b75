// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CRYPTO_HASH_H
#define HF_CRYPTO_HASH_H

/*
 * SHA-256, SHA-384 and SHA-512 as running contexts of fixed size. A context is plain memory:
 * assigning the struct clones it, and peeking at the digest doesn't end it. Nothing here fails,
 * allocates or locks.
 */

#include "base/bytes.h"

enum hf_hash_alg { HF_HASH_SHA256, HF_HASH_SHA384, HF_HASH_SHA512 };

#define HF_HASH_MAX       64
#define HF_HASH_BLOCK_MAX 128

struct hf_hash {
    enum hf_hash_alg alg;
    uint64_t state[27]; /* libcrypto's SHA256_CTX or SHA512_CTX */
};

/* hf_hash_size is the length of a digest, hf_hash_block that of a block, in bytes. */
size_t hf_hash_size(enum hf_hash_alg alg);
size_t hf_hash_block(enum hf_hash_alg alg);
const char *hf_hash_name(enum hf_hash_alg alg); /* "SHA256", as libcrypto spells it */

void hf_hash_init(struct hf_hash *hash, enum hf_hash_alg alg);
void hf_hash_update(struct hf_hash *hash, struct hf_bytes bytes);

/* hf_hash_peek writes the digest of what was added so far; more may be added after. */
void hf_hash_peek(const struct hf_hash *hash, uint8_t *out);

/* hf_hash_final writes the digest and wipes the context. */
void hf_hash_final(struct hf_hash *hash, uint8_t *out);
void hf_hash_done(struct hf_hash *hash);

void hf_hash_once(enum hf_hash_alg alg, struct hf_bytes bytes, uint8_t *out);

#endif
