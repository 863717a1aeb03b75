// SPDX-License-Identifier: Apache-2.0
/*
 * Counts that must not be wrong by one, since each add has its sub. Sixteen maps, each with a lock
 * of its own that is held for a look-up and never over I/O. Keys are hashed with a secret; the hash
 * is what is kept, and what the caller gives back at the end.
 */
#include <pthread.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"
#include "policy/rate.h"

enum { PARTS = 16, ROOM_MIN = 64 };

struct count {
    uint64_t key; /* 0: free */
    unsigned n;
};

/* Open addressing with linear probing; at most three quarters full. */
struct part {
    pthread_mutex_t lock;
    struct count *counts;
    size_t room; /* a power of two */
    size_t n_keys;
};

struct hf_tally {
    struct part parts[PARTS];
};

enum hf_err hf_tally_new(struct hf_tally **out)
{
    struct hf_tally *tally = HF_NEW(struct hf_tally);
    *out = tally;
    for (size_t i = 0; tally && i < PARTS; i++) {
        pthread_mutex_init(&tally->parts[i].lock, NULL);
    }
    return tally ? HF_OK : HF_E_NOMEM;
}

void hf_tally_free(struct hf_tally *tally)
{
    for (size_t i = 0; tally && i < PARTS; i++) {
        pthread_mutex_destroy(&tally->parts[i].lock);
        hf_free(tally->parts[i].counts);
    }
    hf_free(tally);
}

static uint64_t hash_of(struct hf_bytes key)
{
    uint64_t hash = hf_hash64(key);
    return hash ? hash : 1;
}

static struct part *part_of(struct hf_tally *tally, uint64_t key)
{
    return &tally->parts[key >> 60];
}

/* The key's place, or the free one where it belongs. There is always a free one. */
static struct count *place_of(const struct part *part, uint64_t key)
{
    size_t at = key & (part->room - 1);
    while (part->counts[at].key && part->counts[at].key != key) {
        at = (at + 1) & (part->room - 1);
    }
    return &part->counts[at];
}

static enum hf_err make_room(struct part *part)
{
    if (part->counts && part->n_keys + 1 <= part->room / 4 * 3) {
        return HF_OK;
    }
    size_t room = part->counts ? 2 * part->room : ROOM_MIN;
    struct part bigger = {.room = room, .counts = hf_alloc_zero(room, sizeof(struct count))};
    if (!bigger.counts) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < part->room; i++) {
        if (part->counts[i].key) {
            *place_of(&bigger, part->counts[i].key) = part->counts[i];
        }
    }
    hf_free(part->counts);
    part->counts = bigger.counts;
    part->room = room;
    return HF_OK;
}

/* Takes a place out, and moves up those behind it that would not be found any more. */
static void vacate(struct part *part, struct count *count)
{
    size_t mask = part->room - 1;
    size_t hole = (size_t)(count - part->counts);
    for (size_t at = (hole + 1) & mask; part->counts[at].key; at = (at + 1) & mask) {
        size_t home = part->counts[at].key & mask;
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            part->counts[hole] = part->counts[at];
            hole = at;
        }
    }
    part->counts[hole] = (struct count){0};
    part->n_keys--;
    if (part->n_keys == 0) {
        hf_free(part->counts);
        part->counts = NULL;
        part->room = 0;
    }
}

static enum hf_err add(struct part *part, uint64_t key, unsigned max)
{
    HF_TRY(make_room(part));
    struct count *count = place_of(part, key);
    if (count->n >= max) {
        return hf_fail(HF_E_BUSY, "there are %u already", count->n);
    }
    part->n_keys += count->key == 0;
    count->key = key;
    count->n++;
    return HF_OK;
}

enum hf_err hf_tally_add(struct hf_tally *tally, struct hf_bytes key, unsigned max,
                         uint64_t *out_slot)
{
    uint64_t hash = hash_of(key);
    struct part *part = part_of(tally, hash);
    *out_slot = 0;
    pthread_mutex_lock(&part->lock);
    enum hf_err err = add(part, hash, max);
    pthread_mutex_unlock(&part->lock);
    *out_slot = err == HF_OK ? hash : 0;
    return err;
}

void hf_tally_sub(struct hf_tally *tally, uint64_t slot)
{
    if (!slot) {
        return;
    }
    struct part *part = part_of(tally, slot);
    pthread_mutex_lock(&part->lock);
    struct count *count = part->counts ? place_of(part, slot) : NULL;
    if (count && count->key && --count->n == 0) {
        vacate(part, count);
    }
    pthread_mutex_unlock(&part->lock);
}

unsigned hf_tally_of(struct hf_tally *tally, struct hf_bytes key)
{
    uint64_t hash = hash_of(key);
    struct part *part = part_of(tally, hash);
    pthread_mutex_lock(&part->lock);
    struct count *count = part->counts ? place_of(part, hash) : NULL;
    unsigned n = count ? count->n : 0;
    pthread_mutex_unlock(&part->lock);
    return n;
}
