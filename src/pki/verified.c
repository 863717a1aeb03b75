// SPDX-License-Identifier: Apache-2.0
/*
 * Chains that were found good, so that a peer who comes back costs a hash and not a path. Each
 * struct hf_trust has its own memory of them, which begins empty and ends with it: a new trust, and
 * so a reload, knows nothing of what the old one found.
 *
 * What is remembered is a pure function of (trust, chain, usage, name) within the validity of every
 * certificate of the path: outside of it, and at its last second, the chain is verified again.
 * Refusals are not remembered, since a peer can make any number of them. Whatever else a verdict
 * looks at - revocation, deny lists, roles - has no place here and is asked each time.
 */
#include <string.h>

#include "base/mem.h"
#include "crypto/hash.h"
#include "pki/trust_impl.h"

enum { REMEMBERED_MAX = 1024 };

struct verified {
    atomic_uint refs;
    struct hf_chain *path;
    int64_t from, not_after; /* good while from <= now < not_after */
};

static void verified_ref(void *value)
{
    struct verified *verified = value;
    atomic_fetch_add_explicit(&verified->refs, 1, memory_order_relaxed);
}

static void verified_unref(void *value)
{
    struct verified *verified = value;
    if (atomic_fetch_sub_explicit(&verified->refs, 1, memory_order_acq_rel) == 1) {
        hf_chain_unref(verified->path);
        hf_free(verified);
    }
}

static const struct hf_cache_ops verified_ops = {verified_ref, verified_unref};

enum hf_err hf_verified_new(struct hf_cache **out)
{
    return hf_cache_new(REMEMBERED_MAX, &verified_ops, out);
}

/* The trust isn't part of the key: the memory is its own. */
static void key_of(const struct hf_verify_question *question, uint8_t out[static HF_CACHE_KEY_LEN])
{
    const uint8_t usage[2] = {(uint8_t)question->usage, question->name != NULL};
    struct hf_hash hash;
    hf_hash_init(&hash, HF_HASH_SHA256);
    hf_hash_update(&hash, hf_bytes_of(question->chain->sha256, HF_SHA256_SIZE));
    hf_hash_update(&hash, hf_bytes_of(usage, sizeof(usage)));
    if (question->name) {
        hf_hash_update(&hash, hf_bytes_str(question->name));
    }
    hf_hash_final(&hash, out);
}

bool hf_verified_recall(const struct hf_trust *trust, const struct hf_verify_question *question,
                        int64_t now_s, struct hf_verify_result *out)
{
    uint8_t key[HF_CACHE_KEY_LEN];
    key_of(question, key);
    struct verified *verified = hf_cache_get(trust->verified, key);
    if (!verified) {
        return false;
    }
    bool holds = verified->from <= now_s && now_s < verified->not_after;
    if (holds) {
        out->reason = HF_REASON_OK;
        out->path = hf_chain_ref(verified->path);
        out->not_after = verified->not_after;
    }
    verified_unref(verified);
    return holds;
}

void hf_verified_remember(const struct hf_trust *trust, const struct hf_verify_question *question,
                          const struct hf_verify_result *result)
{
    struct verified *verified = HF_NEW(struct verified);
    if (!verified) {
        return; /* it will be verified again */
    }
    atomic_init(&verified->refs, 1);
    verified->path = hf_chain_ref(result->path);
    verified->not_after = result->not_after;
    verified->from = INT64_MIN;
    for (size_t i = 0; i < result->path->n_certs; i++) {
        int64_t not_before = result->path->certs[i]->not_before;
        verified->from = not_before > verified->from ? not_before : verified->from;
    }
    uint8_t key[HF_CACHE_KEY_LEN];
    key_of(question, key);
    hf_cache_put(trust->verified, key, verified);
    verified_unref(verified);
}
