// SPDX-License-Identifier: Apache-2.0
/*
 * Most entries name one serial, key or fingerprint; a list of thousands of them must not be walked
 * for each handshake. So those with exactly one possible text (serial, spki-sha256, cert-sha256)
 * stand in a map by that text; all others are tried one by one.
 */
#include "policy/denylist.h"

#include <stdatomic.h>
#include <string.h>

#include "base/map.h"
#include "base/mem.h"

struct hf_denylist {
    atomic_uint refs;
    struct hf_deny_entry *entry;
    size_t n;
    struct hf_map exact; /* "kind:hex" in lower case, no colons: struct hf_deny_entry */
    size_t *loose;       /* indexes of the entries that aren't in the map */
    size_t n_loose;
};

static const char *const exact_kinds[] = {"serial:", "spki-sha256:", "cert-sha256:"};

enum { KEY_MAX = 256 };

/* The map's key of a selector; false: it has none. */
static bool exact_key(const char *selector, char out[static KEY_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < HF_N_ELEMENTS(exact_kinds) && !n; i++) {
        size_t len = strlen(exact_kinds[i]);
        if (strncmp(selector, exact_kinds[i], len) == 0) {
            memcpy(out, selector, len);
            n = len;
        }
    }
    if (!n) {
        return false;
    }
    bool leading = out[0] == 's' && out[1] == 'e'; /* of a serial, zeros in front don't count */
    for (const char *at = selector + n; *at && n + 1 < KEY_MAX; at++) {
        if (*at == ':' || (leading && *at == '0' && at[1])) {
            continue;
        }
        leading = false;
        out[n++] = (char)(*at >= 'A' && *at <= 'F' ? *at - 'A' + 'a' : *at);
    }
    out[n] = 0;
    return true;
}

static enum hf_err add(struct hf_denylist *list, const struct hf_deny_source *source)
{
    struct hf_deny_entry *entry = &list->entry[list->n];
    *entry = (struct hf_deny_entry){
        .id = source->id, .created_at = source->created_at, .until = source->until};
    list->n++;
    HF_TRY(hf_selector_new(hf_bytes_str(source->selector), &entry->compiled));
    entry->selector = hf_strdup(source->selector);
    entry->reason = hf_strndup(source->reason, strnlen(source->reason, HF_DENYLIST_REASON_MAX));
    return entry->selector && entry->reason ? HF_OK : HF_E_NOMEM;
}

/* Of entries with the same key the one that lasts longest is in the map. */
static enum hf_err index_entry(struct hf_denylist *list, size_t at)
{
    struct hf_deny_entry *entry = &list->entry[at];
    char key[KEY_MAX];
    if (!exact_key(entry->selector, key)) {
        list->loose[list->n_loose++] = at;
        return HF_OK;
    }
    const struct hf_deny_entry *there = hf_map_get(&list->exact, hf_bytes_str(key));
    if (there && (there->until == 0 || (entry->until && entry->until <= there->until))) {
        return HF_OK;
    }
    return hf_map_put(&list->exact, hf_bytes_str(key), entry);
}

enum hf_err hf_denylist_new(const struct hf_deny_source *sources, size_t n,
                            struct hf_denylist **out)
{
    if (n > HF_DENYLIST_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "%zu entries; the limit of the deny list is %d", n,
                       HF_DENYLIST_MAX);
    }
    struct hf_denylist *list = HF_NEW(struct hf_denylist);
    if (!list) {
        return HF_E_NOMEM;
    }
    atomic_init(&list->refs, 1);
    list->entry = hf_alloc_zero(n + 1, sizeof(*list->entry));
    list->loose = hf_alloc_zero(n + 1, sizeof(*list->loose));
    enum hf_err err = list->entry && list->loose ? HF_OK : HF_E_NOMEM;
    for (size_t i = 0; i < n && err == HF_OK; i++) {
        err = add(list, &sources[i]);
    }
    for (size_t i = 0; i < n && err == HF_OK; i++) {
        err = index_entry(list, i);
    }
    if (err != HF_OK) {
        hf_denylist_unref(list);
        return err;
    }
    *out = list;
    return HF_OK;
}

struct hf_denylist *hf_denylist_ref(struct hf_denylist *list)
{
    atomic_fetch_add_explicit(&list->refs, 1, memory_order_relaxed);
    return list;
}

void hf_denylist_unref(struct hf_denylist *list)
{
    if (!list || atomic_fetch_sub_explicit(&list->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < list->n; i++) {
        hf_selector_free(list->entry[i].compiled);
        hf_free(list->entry[i].selector);
        hf_free(list->entry[i].reason);
    }
    hf_map_done(&list->exact);
    hf_free(list->entry);
    hf_free(list->loose);
    hf_free(list);
}

size_t hf_denylist_count(const struct hf_denylist *list)
{
    return list->n;
}

const struct hf_deny_entry *hf_denylist_at(const struct hf_denylist *list, size_t at)
{
    return &list->entry[at];
}

static bool in_force(const struct hf_deny_entry *entry, int64_t now_s)
{
    return entry->until == 0 || now_s < entry->until;
}

static const struct hf_deny_entry *find_exact(const struct hf_denylist *list,
                                              const struct hf_identity *identity, int64_t now_s)
{
    const char *const values[] = {identity->serial, identity->spki_sha256, identity->sha256};
    for (size_t i = 0; i < HF_N_ELEMENTS(exact_kinds); i++) {
        char text[KEY_MAX], key[KEY_MAX];
        size_t kind = strlen(exact_kinds[i]), len = strlen(values[i]);
        if (kind + len >= sizeof(text)) {
            continue;
        }
        memcpy(text, exact_kinds[i], kind);
        memcpy(text + kind, values[i], len + 1);
        const struct hf_deny_entry *entry =
            exact_key(text, key) ? hf_map_get(&list->exact, hf_bytes_str(key)) : NULL;
        if (entry && in_force(entry, now_s)) {
            return entry;
        }
    }
    return NULL;
}

enum hf_err hf_denylist_find(const struct hf_denylist *list, const struct hf_identity *identity,
                             int64_t now_s, const struct hf_deny_entry **out)
{
    *out = list->n ? find_exact(list, identity, now_s) : NULL;
    if (*out || list->n_loose == 0) {
        return HF_OK;
    }
    HF_CLEANUP(hf_freep) struct hf_selector_view *view = hf_alloc(sizeof(*view));
    if (!view) {
        return HF_E_NOMEM;
    }
    hf_selector_view_init(view, identity);
    for (size_t i = 0; i < list->n_loose; i++) {
        const struct hf_deny_entry *entry = &list->entry[list->loose[i]];
        if (in_force(entry, now_s) && hf_selector_match(entry->compiled, view) != HF_MATCH_NO) {
            *out = entry;
            return HF_OK;
        }
    }
    return HF_OK;
}
