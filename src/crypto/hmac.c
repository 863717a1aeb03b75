// SPDX-License-Identifier: Apache-2.0
#include "crypto/hmac.h"

#include <string.h>

#include "base/secret.h"

enum { INNER_PAD = 0x36, OUTER_PAD = 0x5c };

/* Starts the hash with the block-long key, each byte XORed with pad. */
static void start(struct hf_hash *hash, enum hf_hash_alg alg, const uint8_t *key, uint8_t pad)
{
    uint8_t block[HF_HASH_BLOCK_MAX];
    size_t len = hf_hash_block(alg);
    for (size_t i = 0; i < len; i++) {
        block[i] = (uint8_t)(key[i] ^ pad);
    }
    hf_hash_init(hash, alg);
    hf_hash_update(hash, hf_bytes_of(block, len));
    hf_wipe(block, len);
}

void hf_hmac_init(struct hf_hmac *hmac, enum hf_hash_alg alg, struct hf_bytes key)
{
    uint8_t block[HF_HASH_BLOCK_MAX] = {0};
    if (key.len > hf_hash_block(alg)) {
        hf_hash_once(alg, key, block);
    } else if (key.len) {
        memcpy(block, key.ptr, key.len);
    }
    start(&hmac->inner, alg, block, INNER_PAD);
    start(&hmac->outer, alg, block, OUTER_PAD);
    hf_wipe(block, sizeof(block));
}

void hf_hmac_done(struct hf_hmac *hmac)
{
    hf_wipe(hmac, sizeof(*hmac));
}

void hf_hmac_end(const struct hf_hmac *hmac, struct hf_hash *running, uint8_t *out)
{
    uint8_t inner[HF_HASH_MAX];
    size_t len = hf_hash_size(hmac->inner.alg);
    hf_hash_final(running, inner);
    struct hf_hash outer = hmac->outer;
    hf_hash_update(&outer, hf_bytes_of(inner, len));
    hf_hash_final(&outer, out);
    hf_wipe(inner, len);
}

void hf_hmac_once(const struct hf_hmac *hmac, struct hf_bytes message, uint8_t *out)
{
    struct hf_hash running = hf_hmac_begin(hmac);
    hf_hash_update(&running, message);
    hf_hmac_end(hmac, &running, out);
}
