// SPDX-License-Identifier: Apache-2.0
#include "policy/jwks.h"

#include <stdio.h>

#include "base/mem.h"
#include "crypto/hash.h"
#include "policy/json_text.h"

struct hf_jwks *hf_jwks_ref(struct hf_jwks *set)
{
    atomic_fetch_add_explicit(&set->refs, 1, memory_order_relaxed);
    return set;
}

void hf_jwks_unref(struct hf_jwks *set)
{
    if (set && atomic_fetch_sub_explicit(&set->refs, 1, memory_order_acq_rel) == 1) {
        for (size_t i = 0; i < set->n_keys; i++) {
            hf_jwk_done(&set->keys[i]);
        }
        hf_free(set);
    }
}

void hf_jwks_unrefp(struct hf_jwks **set)
{
    hf_jwks_unref(*set);
}

/* Adds what can be used. A fault of one key is no fault of the set: an issuer may add kinds of keys
 * that we don't know yet (RFC 7517 5). */
static enum hf_err add_keys(struct hf_jwks *set, const json_t *keys)
{
    size_t i;
    json_t *key;
    json_array_foreach(keys, i, key)
    {
        enum hf_err err = hf_jwk_init(&set->keys[set->n_keys], key);
        if (err == HF_E_NOMEM) {
            return err;
        }
        if (err == HF_OK) {
            set->n_keys++;
        } else {
            set->n_skipped++;
            snprintf(set->skipped, sizeof(set->skipped), "key %zu: %s", i + 1, hf_err_text());
        }
    }
    return set->n_keys ? HF_OK
           : i == 0    ? hf_fail(HF_E_INVALID, "the key set is empty")
                       : hf_fail(HF_E_INVALID, "no key of the set can be used; %s", set->skipped);
}

enum hf_err hf_jwks_new(struct hf_bytes text, struct hf_jwks **out)
{
    *out = NULL;
    HF_CLEANUP(hf_json_freep) json_t *json = NULL;
    HF_CLEANUP(hf_jwks_unrefp) struct hf_jwks *set = NULL;
    if (text.len > HF_JWKS_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "a key set of more than %u bytes", HF_JWKS_MAX);
    }
    HF_TRY(hf_json_object(text, &json));
    const json_t *keys = json_object_get(json, "keys");
    if (!json_is_array(keys)) {
        return hf_fail(HF_E_MALFORMED, "no list of \"keys\": not a JSON Web Key Set");
    }
    size_t n = json_array_size(keys);
    if (n > HF_JWKS_KEYS_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "a key set of more than %d keys", HF_JWKS_KEYS_MAX);
    }
    set = hf_alloc_zero(1, sizeof(*set) + n * sizeof(set->keys[0]));
    if (!set) {
        return HF_E_NOMEM;
    }
    atomic_init(&set->refs, 1);
    hf_hash_once(HF_HASH_SHA256, text, set->id);
    HF_TRY(add_keys(set, keys));
    *out = HF_TAKE(set);
    return HF_OK;
}
