// SPDX-License-Identifier: Apache-2.0
/*
 * Parts are shared: a moment's state refers to the set of each authority and has a copy of its
 * changes, sorted by serial number. Of changes to the same number the last counts.
 */
#include "pki/live.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct shared_serials {
    atomic_uint refs;
    struct hf_serials *set;
};

struct change {
    struct hf_serial serial;
    struct hf_revocation_entry entry;
    bool released;
};

struct part {
    int64_t id;
    uint8_t spki_sha256[HF_SHA256_SIZE];
    struct shared_serials *base;
    struct change *changes; /* sorted by serial, each once */
    size_t n_changes;
    size_t size_changes;
};

/* When the CA was heard: one for all states of a book. */
struct pulse {
    atomic_uint refs;
    _Atomic(int64_t) heard_ns;
};

struct hf_live {
    atomic_uint refs;
    struct pulse *pulse;
    char *name;
    int64_t seq;
    bool lost;
    size_t n_parts;
    struct part part[];
};

struct hf_live_book {
    char *name;
    struct pulse *pulse;
    size_t n_parts;
    struct part part[HF_LIVE_AUTHORITIES_MAX];
};

/* --- Parts --------------------------------------------------------------------------------------
 */

static void shared_unref(struct shared_serials *shared)
{
    if (shared && atomic_fetch_sub_explicit(&shared->refs, 1, memory_order_acq_rel) == 1) {
        hf_serials_free(shared->set);
        hf_free(shared);
    }
}

static void part_done(struct part *part)
{
    shared_unref(part->base);
    hf_free(part->changes);
}

static struct pulse *pulse_ref(struct pulse *pulse)
{
    atomic_fetch_add_explicit(&pulse->refs, 1, memory_order_relaxed);
    return pulse;
}

static void pulse_unref(struct pulse *pulse)
{
    if (pulse && atomic_fetch_sub_explicit(&pulse->refs, 1, memory_order_acq_rel) == 1) {
        hf_free(pulse);
    }
}

static int order(const struct hf_serial *a, const struct hf_serial *b)
{
    if (a->negative != b->negative) {
        return a->negative ? -1 : 1;
    }
    if (a->len != b->len) {
        return a->len < b->len ? -1 : 1;
    }
    return memcmp(a->byte, b->byte, a->len);
}

/* Where the serial is among the changes, or would be. */
static size_t place(const struct part *part, const struct hf_serial *serial)
{
    size_t low = 0;
    size_t high = part->n_changes;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (order(&part->changes[middle].serial, serial) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static const struct change *change_of(const struct part *part, const struct hf_serial *serial)
{
    size_t at = place(part, serial);
    bool found = at < part->n_changes && order(&part->changes[at].serial, serial) == 0;
    return found ? &part->changes[at] : NULL;
}

/* --- Asking -------------------------------------------------------------------------------------
 */

enum hf_live_answer hf_live_find(const struct hf_live *live,
                                 const uint8_t spki_sha256[static HF_SHA256_SIZE],
                                 const struct hf_serial *serial, struct hf_revocation_entry *out)
{
    for (size_t i = 0; i < live->n_parts; i++) {
        const struct part *part = &live->part[i];
        if (memcmp(part->spki_sha256, spki_sha256, HF_SHA256_SIZE) != 0) {
            continue;
        }
        const struct change *change = change_of(part, serial);
        if (change && out) {
            *out = change->entry;
        }
        bool revoked = change ? !change->released : hf_serials_find(part->base->set, serial, out);
        return revoked ? HF_LIVE_REVOKED : live->lost ? HF_LIVE_LOST : HF_LIVE_GOOD;
    }
    return live->lost && !live->n_parts ? HF_LIVE_LOST : HF_LIVE_NOT_OURS;
}

enum hf_live_answer hf_live_check(const struct hf_live *live, const struct hf_cert *cert,
                                  const struct hf_cert *issuer, struct hf_revocation_entry *out)
{
    struct hf_serial serial;
    if (hf_serial_of_x509(X509_get0_serialNumber(cert->x509), &serial) != HF_OK) {
        static const struct hf_serial zero = {.len = 0};
        if (out) {
            *out = (struct hf_revocation_entry){.why = HF_REVOKED_FOR_UNSPECIFIED};
        }
        bool ours = hf_live_find(live, issuer->spki_sha256, &zero, NULL) != HF_LIVE_NOT_OURS;
        return ours ? HF_LIVE_REVOKED : HF_LIVE_NOT_OURS;
    }
    return hf_live_find(live, issuer->spki_sha256, &serial, out);
}

void hf_live_lose(struct hf_live *live)
{
    live->lost = true;
}

bool hf_live_is_lost(const struct hf_live *live)
{
    return live->lost;
}

int64_t hf_live_heard_ns(const struct hf_live *live)
{
    return atomic_load_explicit(&live->pulse->heard_ns, memory_order_relaxed);
}

const char *hf_live_name(const struct hf_live *live)
{
    return live->name;
}

int64_t hf_live_seq(const struct hf_live *live)
{
    return live->seq;
}

size_t hf_live_count(const struct hf_live *live)
{
    size_t n = 0;
    for (size_t i = 0; i < live->n_parts; i++) {
        n += hf_serials_count(live->part[i].base->set) + live->part[i].n_changes;
    }
    return n;
}

struct hf_live *hf_live_ref(struct hf_live *live)
{
    atomic_fetch_add_explicit(&live->refs, 1, memory_order_relaxed);
    return live;
}

void hf_live_unref(struct hf_live *live)
{
    if (live && atomic_fetch_sub_explicit(&live->refs, 1, memory_order_acq_rel) == 1) {
        for (size_t i = 0; i < live->n_parts; i++) {
            part_done(&live->part[i]);
        }
        pulse_unref(live->pulse);
        hf_free(live->name);
        hf_free(live);
    }
}

/* --- Keeping ------------------------------------------------------------------------------------
 */

enum hf_err hf_live_book_new(const char *name, struct hf_live_book **out)
{
    struct hf_live_book *book = HF_NEW(struct hf_live_book);
    if (!book) {
        return HF_E_NOMEM;
    }
    book->name = hf_strdup(name);
    book->pulse = HF_NEW(struct pulse);
    if (book->pulse) {
        atomic_init(&book->pulse->refs, 1);
    }
    if (!book->name || !book->pulse) {
        hf_live_book_free(book);
        return HF_E_NOMEM;
    }
    *out = book;
    return HF_OK;
}

void hf_live_book_heard(struct hf_live_book *book, int64_t now_ns)
{
    atomic_store_explicit(&book->pulse->heard_ns, now_ns, memory_order_relaxed);
}

void hf_live_book_follow(struct hf_live_book *book, const struct hf_live_book *before)
{
    pulse_unref(book->pulse);
    book->pulse = pulse_ref(before->pulse);
}

void hf_live_book_free(struct hf_live_book *book)
{
    if (book) {
        for (size_t i = 0; i < book->n_parts; i++) {
            part_done(&book->part[i]);
        }
        pulse_unref(book->pulse);
        hf_free(book->name);
        hf_free(book);
    }
}

static struct part *find_part(struct hf_live_book *book, int64_t id)
{
    for (size_t i = 0; i < book->n_parts; i++) {
        if (book->part[i].id == id) {
            return &book->part[i];
        }
    }
    return NULL;
}

bool hf_live_book_has(const struct hf_live_book *book, int64_t id)
{
    for (size_t i = 0; i < book->n_parts; i++) {
        if (book->part[i].id == id) {
            return true;
        }
    }
    return false;
}

enum hf_err hf_live_book_set(struct hf_live_book *book, int64_t id,
                             const uint8_t spki_sha256[static HF_SHA256_SIZE],
                             struct hf_serials_builder *builder)
{
    struct part *part = find_part(book, id);
    if (!part && book->n_parts == HF_LIVE_AUTHORITIES_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "a CA with more than %d authorities",
                       HF_LIVE_AUTHORITIES_MAX);
    }
    struct shared_serials *shared = HF_NEW(struct shared_serials);
    if (!shared) {
        return HF_E_NOMEM;
    }
    atomic_init(&shared->refs, 1);
    enum hf_err err = hf_serials_build(builder, &shared->set);
    if (err != HF_OK) {
        shared_unref(shared);
        return err;
    }
    part = part ? part : &book->part[book->n_parts++];
    part_done(part);
    *part = (struct part){.id = id, .base = shared};
    memcpy(part->spki_sha256, spki_sha256, HF_SHA256_SIZE);
    return HF_OK;
}

static enum hf_err make_room(struct part *part)
{
    if (part->n_changes < part->size_changes) {
        return HF_OK;
    }
    size_t size = part->size_changes ? 2 * part->size_changes : 16;
    struct change *grown = hf_realloc(part->changes, size * sizeof(*grown));
    if (!grown) {
        return HF_E_NOMEM;
    }
    part->changes = grown;
    part->size_changes = size;
    return HF_OK;
}

enum hf_err hf_live_book_change(struct hf_live_book *book, int64_t id,
                                const struct hf_serial *serial, struct hf_revocation_entry entry,
                                bool released)
{
    struct part *part = find_part(book, id);
    if (!part) {
        return hf_fail(HF_E_NOT_FOUND, "a revocation under an authority that isn't known");
    }
    size_t at = place(part, serial);
    bool there = at < part->n_changes && order(&part->changes[at].serial, serial) == 0;
    if (!there) {
        HF_TRY(make_room(part));
        memmove(&part->changes[at + 1], &part->changes[at],
                (part->n_changes - at) * sizeof(part->changes[0]));
        part->n_changes++;
    }
    part->changes[at] = (struct change){*serial, entry, released};
    return HF_OK;
}

int64_t hf_live_book_is_long(const struct hf_live_book *book)
{
    for (size_t i = 0; i < book->n_parts; i++) {
        if (book->part[i].n_changes > HF_LIVE_CHANGES_MAX) {
            return book->part[i].id;
        }
    }
    return 0;
}

static enum hf_err copy_part(const struct part *from, struct part *to)
{
    *to = *from;
    to->size_changes = from->n_changes;
    to->changes = hf_alloc((from->n_changes + 1) * sizeof(*to->changes));
    if (!to->changes) {
        return HF_E_NOMEM;
    }
    if (from->n_changes) {
        memcpy(to->changes, from->changes, from->n_changes * sizeof(*to->changes));
    }
    atomic_fetch_add_explicit(&from->base->refs, 1, memory_order_relaxed);
    return HF_OK;
}

enum hf_err hf_live_book_take(const struct hf_live_book *book, int64_t seq, struct hf_live **out)
{
    struct hf_live *live = hf_alloc_zero(1, sizeof(*live) + book->n_parts * sizeof(live->part[0]));
    if (!live) {
        return HF_E_NOMEM;
    }
    atomic_init(&live->refs, 1);
    live->seq = seq;
    live->pulse = pulse_ref(book->pulse);
    live->name = hf_strdup(book->name);
    enum hf_err err = live->name ? HF_OK : HF_E_NOMEM;
    for (size_t i = 0; i < book->n_parts && err == HF_OK; i++) {
        err = copy_part(&book->part[i], &live->part[i]);
        live->n_parts += err == HF_OK;
    }
    if (err != HF_OK) {
        hf_live_unref(live);
        return err;
    }
    *out = live;
    return HF_OK;
}
