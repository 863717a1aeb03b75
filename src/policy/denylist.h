// SPDX-License-Identifier: Apache-2.0
#ifndef HF_POLICY_DENYLIST_H
#define HF_POLICY_DENYLIST_H

/*
 * struct hf_denylist is the operator's own list of who may no longer come in: selectors
 * (policy/selector.h) with an end, a reason and an id. No CA is asked. Immutable, counted by
 * references, any thread.
 *
 * A certificate is denied by any of its names; where its names can't be relied on, by any entry
 * that it might match.
 */

#include "policy/selector.h"

#define HF_DENYLIST_MAX        100000
#define HF_DENYLIST_REASON_MAX 256 /* bytes of printable text */

struct hf_deny_entry {
    uint64_t id;        /* never used twice */
    char *selector;     /* as written; owned */
    char *reason;       /* owned; "" where none was given */
    int64_t created_at; /* Unix seconds */
    int64_t until;      /* 0: for good */
    struct hf_selector *compiled;
};

struct hf_denylist;

/* struct hf_deny_source is one entry as it was read. Borrowed. */
struct hf_deny_source {
    uint64_t id;
    const char *selector;
    const char *reason;
    int64_t created_at;
    int64_t until;
};

/* Errors: HF_E_INVALID in words (a bad selector), HF_E_TOO_LARGE, HF_E_NOMEM. */
enum hf_err hf_denylist_new(const struct hf_deny_source *sources, size_t n,
                            struct hf_denylist **out) HF_MUST_CHECK;
struct hf_denylist *hf_denylist_ref(struct hf_denylist *list);
void hf_denylist_unref(struct hf_denylist *list);

size_t hf_denylist_count(const struct hf_denylist *list);
const struct hf_deny_entry *hf_denylist_at(const struct hf_denylist *list, size_t at);

/* hf_denylist_find: the first entry in force that this identity matches, or NULL. Errors of memory
 * deny: HF_E_NOMEM with *out NULL. */
enum hf_err hf_denylist_find(const struct hf_denylist *list, const struct hf_identity *identity,
                             int64_t now_s, const struct hf_deny_entry **out) HF_MUST_CHECK;

#endif
