// SPDX-License-Identifier: Apache-2.0
#ifndef HF_BASE_LIST_H
#define HF_BASE_LIST_H

/* An intrusive doubly linked list with a sentinel head. A zeroed link is "in no list". */

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

struct hf_link {
    struct hf_link *next;
    struct hf_link *prev;
};

static inline void hf_list_init(struct hf_link *head)
{
    head->next = head->prev = head;
}

static inline bool hf_list_empty(const struct hf_link *head)
{
    return head->next == head;
}

static inline bool hf_link_linked(const struct hf_link *link)
{
    return link->next != NULL;
}

/* hf_list_push puts the link before at: at the end of the list when at is its head. */
static inline void hf_list_push(struct hf_link *at, struct hf_link *link)
{
    link->prev = at->prev;
    link->next = at;
    at->prev->next = link;
    at->prev = link;
}

/* hf_link_remove takes the link out of its list; harmless when it is in none. */
static inline void hf_link_remove(struct hf_link *link)
{
    if (link->next) {
        link->prev->next = link->next;
        link->next->prev = link->prev;
        link->next = link->prev = NULL;
    }
}

/* hf_list_take moves all links of the list to out, a head of the caller's; from is then empty. */
static inline void hf_list_take(struct hf_link *from, struct hf_link *out)
{
    hf_list_init(out);
    if (!hf_list_empty(from)) {
        *out = *from;
        out->next->prev = out;
        out->prev->next = out;
        hf_list_init(from);
    }
}

/* HF_LIST_FOREACH(head, it) {...} visits each link; the visited one may be removed meanwhile. */
#define HF_LIST_FOREACH(head, it) \
    for (struct hf_link *it = (head)->next, *it##_next = it->next; it != (head); \
         it = it##_next, it##_next = it->next)

#endif
