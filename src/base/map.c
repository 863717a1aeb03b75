// SPDX-License-Identifier: Apache-2.0
/*
 * Open addressing with linear probing and tombstones; at most three quarters full. SipHash-2-4
 * (Aumasson and Bernstein, 2012) keeps a peer from choosing names that collide.
 */
#include "base/map.h"

#include <pthread.h>
#include <string.h>
#include <sys/random.h>

#include "base/mem.h"

struct hf_map_entry {
    uint8_t *key; /* NULL: never used; &tombstone: removed */
    size_t key_len;
    uint64_t hash;
    void *value;
};

static uint8_t tombstone;
static uint64_t hash_key[2];
static pthread_once_t hash_key_once = PTHREAD_ONCE_INIT;

static void draw_hash_key(void)
{
    /* Without entropy the map still works; only its resistance to chosen keys is lost. */
    if (getrandom(hash_key, sizeof(hash_key), 0) != (ssize_t)sizeof(hash_key)) {
        hash_key[0] = (uintptr_t)&tombstone;
    }
}

static inline uint64_t rotl(uint64_t x, int n)
{
    return x << n | x >> (64 - n);
}

static inline void sip_round(uint64_t v[static 4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] = rotl(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] = rotl(v[2], 32);
}

static inline void sip_word(uint64_t v[static 4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    sip_round(v);
    v[0] ^= word;
}

uint64_t hf_hash64(struct hf_bytes bytes)
{
    pthread_once(&hash_key_once, draw_hash_key);
    uint64_t v[4] = {hash_key[0] ^ 0x736f6d6570736575u, hash_key[1] ^ 0x646f72616e646f6du,
                     hash_key[0] ^ 0x6c7967656e657261u, hash_key[1] ^ 0x7465646279746573u};
    size_t at = 0;
    for (; at + 8 <= bytes.len; at += 8) {
        uint64_t word;
        memcpy(&word, bytes.ptr + at, 8);
        sip_word(v, word);
    }
    uint64_t last = (uint64_t)bytes.len << 56;
    for (size_t i = 0; at + i < bytes.len; i++) {
        last |= (uint64_t)bytes.ptr[at + i] << (8 * i);
    }
    sip_word(v, last);
    v[2] ^= 0xff;
    for (int i = 0; i < 4; i++) {
        sip_round(v);
    }
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static bool is_live(const struct hf_map_entry *entry)
{
    return entry->key && entry->key != &tombstone;
}

static bool is_key(const struct hf_map_entry *entry, uint64_t hash, struct hf_bytes key)
{
    return is_live(entry) && entry->hash == hash &&
           hf_bytes_eq(hf_bytes_of(entry->key, entry->key_len), key);
}

/* The entry with this key, or NULL. */
static struct hf_map_entry *find(const struct hf_map *map, uint64_t hash, struct hf_bytes key)
{
    if (!map->n_slots) {
        return NULL;
    }
    for (size_t i = hash & (map->n_slots - 1); map->slots[i].key;
         i = (i + 1) & (map->n_slots - 1)) {
        if (is_key(&map->slots[i], hash, key)) {
            return &map->slots[i];
        }
    }
    return NULL;
}

/* The first slot never used for this hash. There is one: the map is never full. */
static struct hf_map_entry *free_slot(struct hf_map_entry *slots, size_t n_slots, uint64_t hash)
{
    size_t i = hash & (n_slots - 1);
    while (slots[i].key) {
        i = (i + 1) & (n_slots - 1);
    }
    return &slots[i];
}

static enum hf_err grow(struct hf_map *map)
{
    if (4 * (map->n_used + 1) <= 3 * map->n_slots) {
        return HF_OK;
    }
    size_t n_slots = 8;
    while (n_slots < 2 * (map->n_entries + 1)) {
        n_slots *= 2;
    }
    struct hf_map_entry *slots = hf_alloc_zero(n_slots, sizeof(*slots));
    if (!slots) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < map->n_slots; i++) {
        if (is_live(&map->slots[i])) {
            *free_slot(slots, n_slots, map->slots[i].hash) = map->slots[i];
        }
    }
    hf_free(map->slots);
    *map = (struct hf_map){slots, n_slots, map->n_entries, map->n_entries};
    return HF_OK;
}

void hf_map_done(struct hf_map *map)
{
    for (size_t i = 0; i < map->n_slots; i++) {
        if (is_live(&map->slots[i])) {
            hf_free(map->slots[i].key);
        }
    }
    hf_free(map->slots);
    *map = (struct hf_map){0};
}

enum hf_err hf_map_put(struct hf_map *map, struct hf_bytes key, void *value)
{
    uint64_t hash = hf_hash64(key);
    struct hf_map_entry *entry = find(map, hash, key);
    if (entry) {
        entry->value = value;
        return HF_OK;
    }
    HF_TRY(grow(map));
    uint8_t *copy = (uint8_t *)hf_strndup((const char *)key.ptr, key.len);
    if (!copy) {
        return HF_E_NOMEM;
    }
    *free_slot(map->slots, map->n_slots, hash) =
        (struct hf_map_entry){.key = copy, .key_len = key.len, .hash = hash, .value = value};
    map->n_entries++;
    map->n_used++;
    return HF_OK;
}

void *hf_map_get(const struct hf_map *map, struct hf_bytes key)
{
    struct hf_map_entry *entry = find(map, hf_hash64(key), key);
    return entry ? entry->value : NULL;
}

void *hf_map_remove(struct hf_map *map, struct hf_bytes key)
{
    struct hf_map_entry *entry = find(map, hf_hash64(key), key);
    if (!entry) {
        return NULL;
    }
    void *value = entry->value;
    hf_free(entry->key);
    *entry = (struct hf_map_entry){.key = &tombstone};
    map->n_entries--;
    return value;
}

void *hf_map_next(const struct hf_map *map, size_t *at)
{
    while (*at < map->n_slots) {
        const struct hf_map_entry *entry = &map->slots[(*at)++];
        if (is_live(entry)) {
            return entry->value;
        }
    }
    return NULL;
}
