// SPDX-License-Identifier: Apache-2.0
#include "base/cache.h"

/*
 * A table of sets of eight entries; a key's first bytes choose the set, and within it any entry
 * will do. An entry's memory is never given back while the cache lives, so that a reader may look
 * at it before it knows that it is safe to:
 *
 *      pins    0       empty, or being changed by the one thread that puts
 *              1       filled
 *              1 + n   filled, and n readers are taking a reference to its value
 *
 * A reader compares the key, pins the entry (never from 0), compares the key again, for the entry
 * may have been filled anew in between, takes its reference, and unpins. Who puts may change an
 * entry after turning its pins from 1 to 0, which fails while a reader is there. The words of the
 * key are atomic because they are read unpinned; the value is read only when pinned.
 *
 * Eviction is second chance: a get sets `used`, a put takes an entry that is not used and clears
 * the mark of those that it passes.
 */

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"

enum { WAYS = 8, WORDS = HF_CACHE_KEY_LEN / sizeof(uint64_t) };

struct entry {
    atomic_uint pins;
    atomic_bool used;
    _Atomic uint64_t key[WORDS];
    void *value;
};

struct hf_cache {
    const struct hf_cache_ops *ops;
    pthread_mutex_t putting;
    size_t n_sets; /* a power of two */
    struct entry entries[];
};

struct words {
    uint64_t word[WORDS];
};

static struct words words_of(const uint8_t *key)
{
    struct words words;
    memcpy(words.word, key, HF_CACHE_KEY_LEN);
    return words;
}

static struct entry *set_of(struct hf_cache *cache, const struct words *key)
{
    return &cache->entries[(key->word[0] & (cache->n_sets - 1)) * WAYS];
}

static bool has_key(const struct entry *entry, const struct words *key)
{
    for (size_t i = 0; i < WORDS; i++) {
        if (atomic_load_explicit(&entry->key[i], memory_order_relaxed) != key->word[i]) {
            return false;
        }
    }
    return true;
}

/* --- Making and freeing -------------------------------------------------------------------------
 */

enum hf_err hf_cache_new(size_t n_values, const struct hf_cache_ops *ops, struct hf_cache **out)
{
    size_t n_sets = 1;
    while (n_sets * WAYS < n_values) {
        n_sets *= 2;
    }
    *out = NULL;
    struct hf_cache *cache =
        hf_alloc_zero(1, sizeof(*cache) + n_sets * WAYS * sizeof(cache->entries[0]));
    if (!cache) {
        return HF_E_NOMEM;
    }
    if (pthread_mutex_init(&cache->putting, NULL) != 0) {
        hf_free(cache);
        return hf_fail(HF_E_NOMEM, "a mutex can't be made");
    }
    cache->ops = ops;
    cache->n_sets = n_sets;
    *out = cache;
    return HF_OK;
}

void hf_cache_free(struct hf_cache *cache)
{
    if (!cache) {
        return;
    }
    for (size_t i = 0; i < cache->n_sets * WAYS; i++) {
        if (cache->entries[i].value) {
            cache->ops->unref(cache->entries[i].value);
        }
    }
    pthread_mutex_destroy(&cache->putting);
    hf_free(cache);
}

/* --- Looking up ---------------------------------------------------------------------------------
 */

static bool pin(struct entry *entry)
{
    unsigned pins = atomic_load_explicit(&entry->pins, memory_order_relaxed);
    while (pins != 0) {
        if (atomic_compare_exchange_weak_explicit(&entry->pins, &pins, pins + 1,
                                                  memory_order_acquire, memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

static void *take(struct hf_cache *cache, struct entry *entry, const struct words *key)
{
    void *value = NULL;
    if (pin(entry)) {
        if (has_key(entry, key)) {
            value = entry->value;
            cache->ops->ref(value);
        }
        atomic_fetch_sub_explicit(&entry->pins, 1, memory_order_release);
    }
    return value;
}

/* A mark that is set already isn't written again, so that readers share its cache line. */
static void mark_used(struct entry *entry)
{
    if (!atomic_load_explicit(&entry->used, memory_order_relaxed)) {
        atomic_store_explicit(&entry->used, true, memory_order_relaxed);
    }
}

void *hf_cache_get(struct hf_cache *cache, const uint8_t key[static HF_CACHE_KEY_LEN])
{
    struct words words = words_of(key);
    struct entry *set = set_of(cache, &words);
    for (size_t i = 0; i < WAYS; i++) {
        void *value = has_key(&set[i], &words) ? take(cache, &set[i], &words) : NULL;
        if (value) {
            mark_used(&set[i]);
            return value;
        }
    }
    return NULL;
}

/* --- Remembering --------------------------------------------------------------------------------
 */

/* Makes the entry the caller's alone. An empty one is: there is one who puts. */
static bool claim(struct entry *entry)
{
    unsigned filled = 1;
    return atomic_load_explicit(&entry->pins, memory_order_relaxed) == 0 ||
           atomic_compare_exchange_strong_explicit(&entry->pins, &filled, 0, memory_order_acquire,
                                                   memory_order_relaxed);
}

/* Two rounds: in the first, entries that were used lose their mark; in the second nothing is left
 * to spare them but a reader inside. */
static struct entry *claim_one(struct entry *set)
{
    for (size_t i = 0; i < WAYS; i++) {
        if (!set[i].value) {
            return &set[i];
        }
    }
    for (size_t i = 0; i < 2 * WAYS; i++) {
        struct entry *entry = &set[i % WAYS];
        if (!atomic_exchange_explicit(&entry->used, false, memory_order_relaxed) && claim(entry)) {
            return entry;
        }
    }
    return NULL;
}

static void fill(struct hf_cache *cache, struct entry *entry, const struct words *key, void *value)
{
    void *old = entry->value;
    cache->ops->ref(value);
    entry->value = value;
    for (size_t i = 0; i < WORDS; i++) {
        atomic_store_explicit(&entry->key[i], key->word[i], memory_order_relaxed);
    }
    atomic_store_explicit(&entry->pins, 1, memory_order_release);
    if (old) {
        cache->ops->unref(old);
    }
}

static bool is_there(const struct entry *set, const struct words *key)
{
    for (size_t i = 0; i < WAYS; i++) {
        if (set[i].value && has_key(&set[i], key)) {
            return true;
        }
    }
    return false;
}

void hf_cache_put(struct hf_cache *cache, const uint8_t key[static HF_CACHE_KEY_LEN], void *value)
{
    struct words words = words_of(key);
    struct entry *set = set_of(cache, &words);
    if (pthread_mutex_trylock(&cache->putting) != 0) {
        return;
    }
    struct entry *entry = is_there(set, &words) ? NULL : claim_one(set);
    if (entry) {
        fill(cache, entry, &words, value);
    }
    pthread_mutex_unlock(&cache->putting);
}
