// SPDX-License-Identifier: Apache-2.0
/*
 * Sixteen tables, each with its lock and its list in the order of last use. The key is a hash
 * already; its first byte chooses the table.
 */
#include "pki/ocsp_memory.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/list.h"
#include "base/map.h"
#include "base/mem.h"
#include "crypto/hash.h"

enum { SHARDS = 16 };

struct entry {
    struct hf_link link; /* in the shard's list, the one used last at its end */
    struct hf_ocsp_key key;
    struct hf_ocsp_known *known;
    int64_t failed_at;
    enum hf_reason reason;
    char *why; /* owned; NULL: none */
    uint64_t stamp;
};

struct shard {
    pthread_mutex_t lock;
    struct hf_map entries;
    struct hf_link used;
};

struct hf_ocsp_memory {
    size_t n_max; /* of each shard */
    atomic_uint_fast64_t last_stamp;
    struct shard shard[SHARDS];
};

void hf_ocsp_key_of(const struct hf_cert *cert, const struct hf_cert *issuer,
                    struct hf_ocsp_key *out)
{
    struct hf_hash hash;
    hf_hash_init(&hash, HF_HASH_SHA256);
    hf_hash_update(&hash, hf_bytes_of(issuer->sha256, sizeof(issuer->sha256)));
    hf_hash_update(&hash, hf_bytes_of(cert->sha256, sizeof(cert->sha256)));
    hf_hash_final(&hash, out->hash);
}

enum hf_err hf_ocsp_memory_new(size_t n_max, struct hf_ocsp_memory **out)
{
    struct hf_ocsp_memory *memory = HF_NEW(struct hf_ocsp_memory);
    *out = memory;
    if (!memory) {
        return HF_E_NOMEM;
    }
    memory->n_max = (n_max + SHARDS - 1) / SHARDS;
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_init(&memory->shard[i].lock, NULL);
        hf_list_init(&memory->shard[i].used);
    }
    return HF_OK;
}

static void entry_free(struct entry *entry)
{
    hf_link_remove(&entry->link);
    hf_ocsp_known_unref(entry->known);
    hf_free(entry->why);
    hf_free(entry);
}

void hf_ocsp_memory_free(struct hf_ocsp_memory *memory)
{
    for (size_t i = 0; memory && i < SHARDS; i++) {
        struct shard *shard = &memory->shard[i];
        while (!hf_list_empty(&shard->used)) {
            entry_free(HF_CONTAINER_OF(shard->used.next, struct entry, link));
        }
        hf_map_done(&shard->entries);
        pthread_mutex_destroy(&shard->lock);
    }
    hf_free(memory);
}

static struct shard *lock(struct hf_ocsp_memory *memory, const struct hf_ocsp_key *key)
{
    struct shard *shard = &memory->shard[key->hash[0] % SHARDS];
    pthread_mutex_lock(&shard->lock);
    return shard;
}

static struct hf_bytes bytes_of(const struct hf_ocsp_key *key)
{
    return hf_bytes_of(key->hash, sizeof(key->hash));
}

static struct entry *find(struct shard *shard, const struct hf_ocsp_key *key)
{
    struct entry *entry = hf_map_get(&shard->entries, bytes_of(key));
    if (entry) {
        hf_link_remove(&entry->link);
        hf_list_push(&shard->used, &entry->link);
    }
    return entry;
}

static void make_room(struct hf_ocsp_memory *memory, struct shard *shard)
{
    while (shard->entries.n_entries >= memory->n_max && !hf_list_empty(&shard->used)) {
        struct entry *oldest = HF_CONTAINER_OF(shard->used.next, struct entry, link);
        (void)hf_map_remove(&shard->entries, bytes_of(&oldest->key));
        entry_free(oldest);
    }
}

/* The entry of this key, found or new; NULL: out of memory. */
static struct entry *want(struct hf_ocsp_memory *memory, struct shard *shard,
                          const struct hf_ocsp_key *key)
{
    struct entry *entry = find(shard, key);
    if (entry) {
        return entry;
    }
    make_room(memory, shard);
    entry = HF_NEW(struct entry);
    if (!entry) {
        return NULL;
    }
    entry->key = *key;
    hf_list_push(&shard->used, &entry->link);
    if (hf_map_put(&shard->entries, bytes_of(key), entry) != HF_OK) {
        entry_free(entry);
        return NULL;
    }
    return entry;
}

bool hf_ocsp_memory_get(struct hf_ocsp_memory *memory, const struct hf_ocsp_key *key,
                        struct hf_ocsp_recall *out)
{
    struct shard *shard = lock(memory, key);
    struct entry *entry = find(shard, key);
    *out = (struct hf_ocsp_recall){0};
    if (entry) {
        out->known = entry->known ? hf_ocsp_known_ref(entry->known) : NULL;
        out->failed_at = entry->failed_at;
        out->reason = entry->reason;
        out->stamp = entry->stamp;
        snprintf(out->why, sizeof(out->why), "%s", entry->why ? entry->why : "");
    }
    pthread_mutex_unlock(&shard->lock);
    return entry != NULL;
}

void hf_ocsp_recall_done(struct hf_ocsp_recall *recall)
{
    hf_ocsp_known_unref(HF_TAKE(recall->known));
}

static enum hf_err overruled(const struct hf_ocsp_known *known, const struct hf_ocsp_known *later)
{
    int64_t by_s = known->said.this_update - later->said.this_update;
    return by_s
               ? hf_fail(HF_E_MISMATCH, "the answer is older than the one that is known, by %lld s",
                         (long long)by_s)
               : hf_fail(HF_E_MISMATCH,
                         "the answer is of the same moment as the one that is known, "
                         "and was signed before that or says better");
}

static void stamp(struct hf_ocsp_memory *memory, struct entry *entry)
{
    entry->stamp = atomic_fetch_add(&memory->last_stamp, 1) + 1;
}

static enum hf_err replace(struct entry *entry, struct hf_ocsp_known *known, bool *out_changed)
{
    if (!entry) {
        return HF_E_NOMEM;
    }
    if (entry->known && hf_ocsp_known_overrules(entry->known, known)) {
        return overruled(entry->known, known);
    }
    *out_changed = entry->known && entry->known->said.status != known->said.status;
    hf_ocsp_known_unref(entry->known);
    entry->known = hf_ocsp_known_ref(known);
    entry->failed_at = 0;
    hf_free(HF_TAKE(entry->why));
    return HF_OK;
}

enum hf_err hf_ocsp_memory_put(struct hf_ocsp_memory *memory, const struct hf_ocsp_key *key,
                               struct hf_ocsp_known *known, bool *out_changed)
{
    *out_changed = false;
    struct shard *shard = lock(memory, key);
    struct entry *entry = want(memory, shard, key);
    enum hf_err err = replace(entry, known, out_changed);
    if (err == HF_OK) {
        stamp(memory, entry);
    }
    pthread_mutex_unlock(&shard->lock);
    return err;
}

void hf_ocsp_memory_fail(struct hf_ocsp_memory *memory, const struct hf_ocsp_key *key,
                         int64_t now_s, enum hf_reason reason, const char *why)
{
    struct shard *shard = lock(memory, key);
    struct entry *entry = want(memory, shard, key);
    if (entry) {
        hf_free(entry->why);
        entry->why = hf_strndup(why, strnlen(why, HF_OCSP_WHY_MAX - 1));
        entry->failed_at = now_s;
        entry->reason = reason;
        stamp(memory, entry);
    }
    pthread_mutex_unlock(&shard->lock);
}

size_t hf_ocsp_memory_count(struct hf_ocsp_memory *memory)
{
    size_t n = 0;
    for (size_t i = 0; i < SHARDS; i++) {
        pthread_mutex_lock(&memory->shard[i].lock);
        n += memory->shard[i].entries.n_entries;
        pthread_mutex_unlock(&memory->shard[i].lock);
    }
    return n;
}
