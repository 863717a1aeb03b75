// SPDX-License-Identifier: Apache-2.0
/*
 * Serials are padded to 8, 16 or 24 bytes, so that those of one class have one length. They are
 * mixed before they are sorted: the first four bytes are XORed with a hash of the others, which can
 * be undone and so keeps the set exact, and spreads serials that count up from one as evenly as
 * random ones. The top 16 bits then choose a bucket; a big class keeps an index of bucket starts
 * and leaves these two bytes out of its entries.
 *
 *      entry:  mixed serial (without its first two bytes in a big class) | 4 bytes: minutes and why
 *
 * Sorting is in place: entries are swapped to their buckets (American flag sort), and buckets, of
 * about fifteen entries in a list of a million, are sorted one by one.
 */
#include "pki/serials.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    META = 4,
    BUCKET_BITS = 16,
    N_BUCKETS = 1 << BUCKET_BITS,
    INDEXED_FROM = 1 << 14, /* entries; fewer are searched without an index */
    DROPPED = 2,            /* bytes that the index stands for */
    WIDTH_MAX = 24,
    RECORD_MAX = WIDTH_MAX + META,
    WHY_BITS = 4,
    GROW_FIRST = 64 << 10,
};

static const size_t widths[HF_SERIALS_CLASSES] = {8, 16, WIDTH_MAX};

struct class
{
    struct hf_pages pages;
    size_t n;
    size_t width;      /* of the serial in an entry, bytes */
    uint32_t *buckets; /* N_BUCKETS + 1 starts; NULL: searched as a whole */
};

struct hf_serials {
    struct class of[HF_SERIALS_CLASSES];
};

/* --- Serials ------------------------------------------------------------------------------------
 */

static enum hf_err set_bytes(struct hf_bytes content, bool negative, struct hf_serial *out)
{
    *out = (struct hf_serial){.negative = negative};
    while (!negative && content.len && content.ptr[0] == 0) {
        content = hf_bytes_from(content, 1);
    }
    if (content.len > HF_SERIAL_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "a serial number of %zu bytes; the limit is %d", content.len,
                       HF_SERIAL_MAX);
    }
    if (content.len) {
        memcpy(out->byte, content.ptr, content.len);
    }
    out->len = (uint8_t)content.len;
    return HF_OK;
}

enum hf_err hf_serial_from_der(struct hf_bytes content, struct hf_serial *out)
{
    if (content.len == 0) {
        return hf_fail(HF_E_MALFORMED, "a serial number without a digit");
    }
    bool negative = content.ptr[0] & 0x80;
    if (content.len > 1) {
        bool next = content.ptr[1] & 0x80;
        if ((content.ptr[0] == 0 && !next) || (content.ptr[0] == 0xff && next)) {
            return hf_fail(HF_E_MALFORMED, "a serial number that is not in its shortest form");
        }
    }
    return set_bytes(content, negative, out);
}

/* libcrypto keeps the magnitude, and the sign apart. */
enum hf_err hf_serial_of_x509(const ASN1_INTEGER *integer, struct hf_serial *out)
{
    struct hf_bytes bytes =
        hf_bytes_of(ASN1_STRING_get0_data(integer), (size_t)ASN1_STRING_length(integer));
    if (!(ASN1_STRING_type(integer) & V_ASN1_NEG)) {
        return set_bytes(bytes, false, out);
    }
    uint8_t content[HF_SERIAL_MAX + 2];
    uint8_t *end = content;
    int len = i2d_ASN1_INTEGER(integer, NULL);
    if (len < 3 || (size_t)len > sizeof(content)) {
        return hf_fail(HF_E_TOO_LARGE, "a serial number of more than %d bytes", HF_SERIAL_MAX);
    }
    i2d_ASN1_INTEGER(integer, &end); /* tag and one byte of length come first */
    return set_bytes(hf_bytes_of(content + 2, (size_t)len - 2), true, out);
}

enum hf_err hf_serial_from_hex(const char *text, struct hf_serial *out)
{
    enum { DIGITS_MAX = 2 * HF_SERIAL_MAX + 2 };
    char digits[DIGITS_MAX + 1] = "0"; /* stays in front where the number of digits is odd */
    size_t n = 1;
    for (const char *at = text; *at; at++) {
        if (*at == ':' && at != text && at[1] && at[1] != ':') {
            continue;
        }
        if (*at == '0' && n == 1) {
            continue;
        }
        if (n == DIGITS_MAX) {
            return hf_fail(HF_E_TOO_LARGE, "a serial number of more than %d bytes", HF_SERIAL_MAX);
        }
        digits[n++] = *at;
    }
    digits[n] = 0;
    uint8_t bytes[DIGITS_MAX / 2];
    const char *even = n % 2 ? digits + 1 : digits;
    size_t len = n / 2;
    if (!text[0] || hf_unhex(even, hf_span_of(bytes, len)) != HF_OK) {
        return hf_fail(HF_E_MALFORMED, "a serial number is written in hex digits, as in 1f:2e");
    }
    return set_bytes(hf_bytes_of(bytes, len), false, out);
}

bool hf_serial_eq(const struct hf_serial *a, const struct hf_serial *b)
{
    return a->negative == b->negative && a->len == b->len && memcmp(a->byte, b->byte, a->len) == 0;
}

const char *hf_revoked_for_name(unsigned number)
{
    switch (number) {
#define FOR_NAME(id, number_, name) \
    case number_: \
        return name;
        HF_REVOKED_FOR_TABLE(FOR_NAME)
#undef FOR_NAME
    default:
        return NULL;
    }
}

/* --- Keys ---------------------------------------------------------------------------------------
 */

static size_t class_of(const struct hf_serial *serial)
{
    if (serial->negative || serial->len > widths[1]) {
        return 2;
    }
    return serial->len > widths[0] ? 1 : 0;
}

/* XORs the first four bytes with a hash of the rest: its own inverse. */
static void mix(uint8_t *key, size_t width)
{
    uint64_t hash = 0x9e3779b97f4a7c15u ^ width;
    for (size_t at = 4; at < width; at += 4) {
        uint32_t word;
        memcpy(&word, key + at, sizeof(word));
        hash = (hash ^ word) * 0xff51afd7ed558ccdu;
        hash ^= hash >> 32;
    }
    uint32_t first;
    memcpy(&first, key, sizeof(first));
    first ^= (uint32_t)(hash ^ hash >> 29);
    memcpy(key, &first, sizeof(first));
}

static void make_key(const struct hf_serial *serial, size_t width, uint8_t key[static WIDTH_MAX])
{
    memset(key, serial->negative ? 0xff : 0, width);
    memcpy(key + width - serial->len, serial->byte, serial->len);
    mix(key, width);
}

static uint32_t bucket_of(const uint8_t *key)
{
    return (uint32_t)key[0] << 8 | key[1];
}

static void put_meta(struct hf_revocation_entry entry, uint8_t *out)
{
    int64_t minutes = entry.at > 0 ? entry.at / 60 : 0;
    int64_t most = (1 << (32 - WHY_BITS)) - 1;
    uint32_t meta = (uint32_t)(minutes < most ? minutes : most) << WHY_BITS | entry.why;
    memcpy(out, &meta, sizeof(meta));
}

static struct hf_revocation_entry get_meta(const uint8_t *at)
{
    uint32_t meta;
    memcpy(&meta, at, sizeof(meta));
    return (struct hf_revocation_entry){
        .at = (int64_t)(meta >> WHY_BITS) * 60,
        .why = (enum hf_revoked_for)(meta & ((1u << WHY_BITS) - 1)),
    };
}

/* --- Making -------------------------------------------------------------------------------------
 */

enum hf_err hf_serials_add(struct hf_serials_builder *builder, const struct hf_serial *serial,
                           struct hf_revocation_entry entry)
{
    size_t class = class_of(serial);
    size_t record = widths[class] + META;
    size_t total = builder->of[0].n + builder->of[1].n + builder->of[2].n;
    if (total >= builder->max) {
        return hf_fail(HF_E_TOO_LARGE, "more than %zu serial numbers", builder->max);
    }
    struct hf_pages *pages = &builder->of[class].pages;
    size_t used = builder->of[class].n * record;
    if (used + record > pages->size &&
        !hf_pages_resize(pages, pages->size ? 2 * pages->size : GROW_FIRST)) {
        return HF_E_NOMEM;
    }
    uint8_t *at = (uint8_t *)pages->ptr + used;
    make_key(serial, widths[class], at);
    put_meta(entry, at + widths[class]);
    builder->of[class].n++;
    return HF_OK;
}

void hf_serials_builder_done(struct hf_serials_builder *builder)
{
    for (size_t i = 0; i < HF_SERIALS_CLASSES; i++) {
        hf_pages_done(&builder->of[i].pages);
        builder->of[i].n = 0;
    }
}

/* Records of the three lengths that there are, so that copying one is a few instructions. */
#define FIXED(record, copy) \
    switch (record) { \
    case 8 + META: \
        copy(8 + META); \
        break; \
    case 16 + META: \
        copy(16 + META); \
        break; \
    default: \
        copy(RECORD_MAX); \
    }

static inline void swap(uint8_t *a, uint8_t *b, size_t record)
{
    uint8_t held[RECORD_MAX];
#define SWAP(len) \
    do { \
        memcpy(held, a, (len)); \
        memcpy(a, b, (len)); \
        memcpy(b, held, (len)); \
    } while (0)
    FIXED(record, SWAP)
#undef SWAP
}

/* Swaps records so that they are in the order of one byte of theirs (American flag sort). */
static void spread_by(uint8_t *mem, size_t n, size_t record, size_t byte)
{
    uint32_t end[256] = {0}, next[256];
    for (size_t i = 0; i < n; i++) {
        end[mem[i * record + byte]]++;
    }
    uint32_t sum = 0;
    for (size_t b = 0; b < 256; b++) {
        next[b] = sum;
        sum += end[b];
        end[b] = sum;
    }
    for (size_t b = 0; b < 256; b++) {
        while (next[b] < end[b]) {
            uint8_t *at = mem + next[b] * record;
            uint8_t home = at[byte];
            if (home != b) {
                swap(at, mem + next[home] * record, record);
            }
            next[home]++;
        }
    }
}

/* Brings every record into its bucket, a byte at a time, so that what is swapped stays in the
 * cache. starts has N_BUCKETS + 1 places, all zero, and is filled. */
static void spread(uint8_t *mem, size_t n, size_t record, uint32_t *starts)
{
    for (size_t i = 0; i < n; i++) {
        starts[bucket_of(mem + i * record) + 1]++;
    }
    for (size_t b = 0; b < N_BUCKETS; b++) {
        starts[b + 1] += starts[b];
    }
    spread_by(mem, n, record, 0);
    for (size_t b = 0; b < N_BUCKETS; b += 256) {
        spread_by(mem + starts[b] * record, starts[b + 256] - starts[b], record, 1);
    }
}

/* The first eight bytes of a key, or all six of one, as a number: nearly always enough to tell two
 * apart. Date and reason follow a key, so that reading beyond it stays within its record. */
static inline uint64_t head(const uint8_t *key, size_t width)
{
    uint64_t number;
    memcpy(&number, key, sizeof(number));
    number = be64toh(number);
    return width < sizeof(number) ? number >> 8 * (sizeof(number) - width) : number;
}

static inline int compare(const uint8_t *a, const uint8_t *b, size_t width)
{
    uint64_t a_head = head(a, width), b_head = head(b, width);
    if (a_head != b_head) {
        return a_head < b_head ? -1 : 1;
    }
    return width > sizeof(a_head)
               ? memcmp(a + sizeof(a_head), b + sizeof(a_head), width - sizeof(a_head))
               : 0;
}

/* By serial; of one that is there twice, an entry that revokes comes before one that takes back. */
static int order(const uint8_t *a, const uint8_t *b, size_t width)
{
    int by_serial = compare(a, b, width);
    if (by_serial) {
        return by_serial;
    }
    bool a_removed = get_meta(a + width).why == HF_REVOKED_FOR_REMOVED;
    bool b_removed = get_meta(b + width).why == HF_REVOKED_FOR_REMOVED;
    return (int)a_removed - (int)b_removed;
}

static int order_8(const void *a, const void *b)
{
    return order(a, b, 8);
}

static int order_16(const void *a, const void *b)
{
    return order(a, b, 16);
}

static int order_24(const void *a, const void *b)
{
    return order(a, b, WIDTH_MAX);
}

static int (*const orders[])(const void *, const void *) = {order_8, order_16, order_24};

static void insertion_sort(uint8_t *mem, size_t n, size_t width)
{
    size_t record = width + META;
    for (size_t i = 1; i < n; i++) {
        for (size_t j = i; j > 0; j--) {
            uint8_t *at = mem + j * record;
            if (order(at - record, at, width) <= 0) {
                break;
            }
            swap(at - record, at, record);
        }
    }
}

static void sort_run(uint8_t *mem, size_t n, size_t class)
{
    enum { FEW = 32 };
    if (n <= FEW) {
        insertion_sort(mem, n, widths[class]);
    } else {
        qsort(mem, n, widths[class] + META, orders[class]);
    }
}

/* Leaves what the index stands for out of the entries, and gives back the memory that this frees.
 */
static enum hf_err drop_prefix(struct class *class, size_t record)
{
    uint8_t *mem = class->pages.ptr;
    size_t shorter = record - DROPPED;
    for (size_t i = 0; i < class->n; i++) {
        uint8_t held[RECORD_MAX];
#define SHORTEN(len) \
    do { \
        memcpy(held, mem + i * record + DROPPED, (len)-DROPPED); \
        memcpy(mem + i * shorter, held, (len)-DROPPED); \
    } while (0)
        FIXED(record, SHORTEN)
#undef SHORTEN
    }
    class->width -= DROPPED;
    return hf_pages_resize(&class->pages, class->n * shorter) ? HF_OK : HF_E_NOMEM;
}

static enum hf_err build_class(struct class *class, size_t index)
{
    size_t record = class->width + META;
    uint8_t *mem = class->pages.ptr;
    if (class->n < INDEXED_FROM) {
        sort_run(mem, class->n, index);
        return hf_pages_resize(&class->pages, class->n * record) ? HF_OK : HF_E_NOMEM;
    }
    class->buckets = hf_alloc_zero(N_BUCKETS + 1, sizeof(*class->buckets));
    if (!class->buckets) {
        return HF_E_NOMEM;
    }
    spread(mem, class->n, record, class->buckets);
    for (size_t b = 0; b < N_BUCKETS; b++) {
        sort_run(mem + class->buckets[b] * record, class->buckets[b + 1] - class->buckets[b],
                 index);
    }
    return drop_prefix(class, record);
}

enum hf_err hf_serials_build(struct hf_serials_builder *builder, struct hf_serials **out)
{
    struct hf_serials *serials = HF_NEW(struct hf_serials);
    if (!serials) {
        return HF_E_NOMEM;
    }
    for (size_t i = 0; i < HF_SERIALS_CLASSES; i++) {
        struct class *class = &serials->of[i];
        *class = (struct class){
            .pages = builder->of[i].pages,
            .n = builder->of[i].n,
            .width = widths[i],
        };
        builder->of[i].pages = (struct hf_pages){0};
        builder->of[i].n = 0;
    }
    for (size_t i = 0; i < HF_SERIALS_CLASSES; i++) {
        if (build_class(&serials->of[i], i) != HF_OK) {
            hf_serials_free(serials);
            return HF_E_NOMEM;
        }
        hf_pages_settle(&serials->of[i].pages);
    }
    *out = serials;
    return HF_OK;
}

void hf_serials_free(struct hf_serials *serials)
{
    if (!serials) {
        return;
    }
    for (size_t i = 0; i < HF_SERIALS_CLASSES; i++) {
        hf_pages_done(&serials->of[i].pages);
        hf_free(serials->of[i].buckets);
    }
    hf_free(serials);
}

/* --- Asking -------------------------------------------------------------------------------------
 */

/* The first entry with this serial, or NULL. */
static const uint8_t *search(const uint8_t *mem, size_t n, size_t width, const uint8_t *key)
{
    size_t record = width + META;
    const uint8_t *end = mem + n * record;
    while (n) {
        const uint8_t *middle = mem + n / 2 * record;
        if (compare(middle, key, width) < 0) {
            mem = middle + record;
            n -= n / 2 + 1;
        } else {
            n /= 2;
        }
    }
    return mem < end && compare(mem, key, width) == 0 ? mem : NULL;
}

/*
 * Keys are spread evenly, so where one stands in its bucket is guessed from its next four bytes,
 * and is a step or two off. The lines around the guess are asked for together: one wait for memory,
 * not one for each step of a bisection. A bucket that isn't even is bisected in the end.
 */
static const uint8_t *guess(const uint8_t *mem, size_t n, size_t width, const uint8_t *key)
{
    enum { STEPS = 8, AROUND = 40 /* bytes */ };
    size_t record = width + META;
    uint32_t next;
    memcpy(&next, key, sizeof(next));
    size_t at = (size_t)((uint64_t)be32toh(next) * n >> 32);
    const uint8_t *entry = mem + at * record;
    __builtin_prefetch(entry - AROUND);
    __builtin_prefetch(entry + AROUND);
    if (n == 0) {
        return NULL;
    }
    size_t low = 0, high = n; /* where it is, if it is */
    for (int step = 0; step < STEPS && low < high; step++) {
        int order = compare(mem + at * record, key, width);
        if (order == 0 && (at == low || compare(mem + (at - 1) * record, key, width) != 0)) {
            return mem + at * record;
        }
        if (order < 0) {
            low = ++at;
        } else {
            high = at--;
        }
        if (at < low || at >= high) {
            return NULL;
        }
    }
    return search(mem + low * record, high - low, width, key);
}

bool hf_serials_find(const struct hf_serials *serials, const struct hf_serial *serial,
                     struct hf_revocation_entry *out)
{
    size_t index = class_of(serial);
    const struct class *class = &serials->of[index];
    uint8_t key[RECORD_MAX] = {0};
    make_key(serial, widths[index], key);
    const uint8_t *mem = class->pages.ptr;
    const uint8_t *found;
    if (class->buckets) {
        const uint32_t *range = &class->buckets[bucket_of(key)];
        found = guess(mem + range[0] * (class->width + META), range[1] - range[0], class->width,
                      key + DROPPED);
    } else {
        found = search(mem, class->n, class->width, key);
    }
    if (found && out) {
        *out = get_meta(found + class->width);
    }
    return found != NULL;
}

size_t hf_serials_count(const struct hf_serials *serials)
{
    return serials->of[0].n + serials->of[1].n + serials->of[2].n;
}

size_t hf_serials_memory(const struct hf_serials *serials)
{
    size_t total = sizeof(*serials);
    for (size_t i = 0; i < HF_SERIALS_CLASSES; i++) {
        total += serials->of[i].pages.size +
                 (serials->of[i].buckets ? (N_BUCKETS + 1) * sizeof(uint32_t) : 0);
    }
    return total;
}
