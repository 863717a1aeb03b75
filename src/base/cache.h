// SPDX-License-Identifier: Apache-2.0
#ifndef HF_BASE_CACHE_H
#define HF_BASE_CACHE_H

/*
 * struct hf_cache remembers counted objects under keys of 32 bytes that are hashes already. Fixed
 * in size: what was not asked for lately makes room. Any thread may use it at once; looking up
 * takes no lock and waits for nobody. A cache forgets when it likes: it is never the only holder of
 * anything.
 */

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

#define HF_CACHE_KEY_LEN 32

/* How the values are counted. ref may be called by any thread. */
struct hf_cache_ops {
    void (*ref)(void *value);
    void (*unref)(void *value);
};

struct hf_cache;

/* hf_cache_new makes room for about n_values (a power of two from 8 on is used in full). Errors:
 * HF_E_NOMEM. ops outlive the cache. */
enum hf_err hf_cache_new(size_t n_values, const struct hf_cache_ops *ops,
                         struct hf_cache **out) HF_MUST_CHECK;

/* hf_cache_free lets go of all values. No other thread may be in a call. Accepts NULL. */
void hf_cache_free(struct hf_cache *cache);

/* hf_cache_get gives a reference to the value under the key, or NULL. */
void *hf_cache_get(struct hf_cache *cache,
                   const uint8_t key[static HF_CACHE_KEY_LEN]) HF_MUST_CHECK;

/* hf_cache_put remembers the value, with a reference of its own. It may choose not to: when another
 * thread puts at the same moment, or the key is there already. */
void hf_cache_put(struct hf_cache *cache, const uint8_t key[static HF_CACHE_KEY_LEN], void *value);

#endif
