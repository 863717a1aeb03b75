// SPDX-License-Identifier: Apache-2.0
#ifndef HF_BASE_MAP_H
#define HF_BASE_MAP_H

/*
 * A hash map from byte strings to pointers. Keys are copied, values borrowed. The hash is keyed per
 * process, so that peers can't choose colliding keys. A zeroed map is valid and empty.
 */

#include "base/bytes.h"

struct hf_map_entry;

struct hf_map {
    struct hf_map_entry *slots;
    size_t n_slots;
    size_t n_entries;
    size_t n_used; /* entries and tombstones */
};

void hf_map_done(struct hf_map *map);

/* hf_map_put adds or replaces. Errors: HF_E_NOMEM; the map is then as before. */
enum hf_err hf_map_put(struct hf_map *map, struct hf_bytes key, void *value) HF_MUST_CHECK;

/* hf_map_get gives the value, or NULL. */
void *hf_map_get(const struct hf_map *map, struct hf_bytes key);

/* hf_map_remove gives the value that was there, or NULL. */
void *hf_map_remove(struct hf_map *map, struct hf_bytes key);

/* hf_map_next walks all values in no order: start with *at == 0; NULL at the end. Entries may be
 * removed meanwhile, not added. */
void *hf_map_next(const struct hf_map *map, size_t *at);

/* hf_hash64 is the keyed hash behind the map (SipHash-2-4, key drawn at first use). */
uint64_t hf_hash64(struct hf_bytes bytes);

#endif
