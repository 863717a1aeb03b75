// SPDX-License-Identifier: Apache-2.0
/*
 * Keys on a list, as the first ten bytes of what they are known by, sorted. Ten bytes
 * are what Debian's lists have; a good key meets one of a million such entries by chance once in
 * 2^60 requests.
 */
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "ca/weak_impl.h"

enum { ENTRY_SIZE = 10, DEBIAN_DIGITS = 20, SPKI_DIGITS = 64, ENTRIES_MAX = 16 << 20 };

/* A kind of its own in front keeps the two apart: they are hashes of different things. */
struct entry {
    uint8_t kind; /* 'd' Debian's, 's' of SubjectPublicKeyInfo */
    uint8_t hash[ENTRY_SIZE];
};

struct hf_key_list {
    struct entry *entry;
    size_t n, size;
};

enum hf_err hf_key_list_new(struct hf_key_list **out)
{
    *out = HF_NEW(struct hf_key_list);
    return *out ? HF_OK : HF_E_NOMEM;
}

void hf_key_list_free(struct hf_key_list *list)
{
    if (list) {
        hf_free(list->entry);
        hf_free(list);
    }
}

size_t hf_key_list_count(const struct hf_key_list *list)
{
    return list->n;
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct entry));
}

static enum hf_err add(struct hf_key_list *list, uint8_t kind, const uint8_t *hash)
{
    if (list->n == ENTRIES_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "more than %d keys on lists", ENTRIES_MAX);
    }
    if (list->n == list->size) {
        size_t size = list->size ? 2 * list->size : 64;
        struct entry *entry = hf_realloc(list->entry, size * sizeof(*entry));
        if (!entry) {
            return HF_E_NOMEM;
        }
        list->entry = entry;
        list->size = size;
    }
    list->entry[list->n].kind = kind;
    memcpy(list->entry[list->n].hash, hash, ENTRY_SIZE);
    list->n++;
    return HF_OK;
}

static void sort(struct hf_key_list *list)
{
    if (list->n) {
        qsort(list->entry, list->n, sizeof(list->entry[0]), compare);
    }
}

/* Puts the last entry into its place. */
static void sink(struct hf_key_list *list)
{
    struct entry moving = list->entry[list->n - 1];
    size_t at = list->n - 1;
    while (at > 0 && compare(&list->entry[at - 1], &moving) > 0) {
        at--;
    }
    memmove(&list->entry[at + 1], &list->entry[at], (list->n - 1 - at) * sizeof(moving));
    list->entry[at] = moving;
}

enum hf_err hf_key_list_add_key(struct hf_key_list *list, const uint8_t spki_sha256[static 32])
{
    HF_TRY(add(list, 's', spki_sha256));
    sink(list);
    return HF_OK;
}

static enum hf_err add_line(struct hf_key_list *list, const char *line)
{
    uint8_t hash[SPKI_DIGITS / 2];
    size_t digits = strlen(line);
    if ((digits == DEBIAN_DIGITS || digits == SPKI_DIGITS) &&
        hf_unhex(line, hf_span_of(hash, digits / 2)) == HF_OK) {
        return add(list, digits == DEBIAN_DIGITS ? 'd' : 's', hash);
    }
    return hf_fail(HF_E_MALFORMED, "\"%.30s\" is neither 20 nor 64 hex digits", line);
}

/* Copies one line without its comment and the blanks around it; false: too long to be one. */
static bool trim(struct hf_bytes line, char *out, size_t out_size)
{
    const uint8_t *hash = line.len ? memchr(line.ptr, '#', line.len) : NULL;
    size_t len = hash ? (size_t)(hash - line.ptr) : line.len;
    size_t start = 0;
    while (start < len && hf_byte_in(line.ptr[start], " \t\r")) {
        start++;
    }
    while (len > start && hf_byte_in(line.ptr[len - 1], " \t\r")) {
        len--;
    }
    if (len - start >= out_size || memchr(line.ptr, '\0', line.len)) {
        return false;
    }
    memcpy(out, line.ptr + start, len - start);
    out[len - start] = '\0';
    return true;
}

enum hf_err hf_key_list_add(struct hf_key_list *list, struct hf_bytes text, const char *label)
{
    size_t before = list->n;
    for (int number = 1; text.len; number++) {
        const uint8_t *end = memchr(text.ptr, '\n', text.len);
        size_t len = end ? (size_t)(end - text.ptr) : text.len;
        char line[SPKI_DIGITS + 2] = "";
        enum hf_err err = HF_OK;
        if (len && !trim(hf_bytes_of(text.ptr, len), line, sizeof(line))) {
            err = hf_fail(HF_E_MALFORMED, "a line that is neither 20 nor 64 hex digits");
        } else if (line[0]) {
            err = add_line(list, line);
        }
        if (err != HF_OK) {
            list->n = before;
            return hf_fail_context(err, "%s:%d", label, number);
        }
        text = hf_bytes_from(text, len + 1);
    }
    sort(list);
    return HF_OK;
}

static bool find(const struct hf_key_list *list, uint8_t kind, const uint8_t *hash)
{
    struct entry wanted = {.kind = kind};
    memcpy(wanted.hash, hash, ENTRY_SIZE);
    return list->n && bsearch(&wanted, list->entry, list->n, sizeof(wanted), compare) != NULL;
}

/* The end of the SHA-1 of "Modulus=C0FFEE...\n". */
static void debian_hash(struct hf_bytes modulus, uint8_t out[static ENTRY_SIZE])
{
    char text[sizeof("Modulus=\n") + 2 * HF_SPKI_MAX];
    uint8_t digest[SHA_DIGEST_LENGTH];
    size_t len = (size_t)snprintf(text, sizeof(text), "Modulus=");
    for (size_t i = 0; i < modulus.len; i++) {
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%02X", modulus.ptr[i]);
    }
    text[len++] = '\n';
    SHA1((const uint8_t *)text, len, digest);
    memcpy(out, digest + SHA_DIGEST_LENGTH - ENTRY_SIZE, ENTRY_SIZE);
}

bool hf_key_list_has(const struct hf_key_list *list, const struct hf_public_key *key)
{
    uint8_t hash[ENTRY_SIZE];
    if (find(list, 's', key->spki_sha256)) {
        return true;
    }
    if (!key->modulus.len) {
        return false;
    }
    debian_hash(key->modulus, hash);
    return find(list, 'd', hash);
}
