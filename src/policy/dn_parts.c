// SPDX-License-Identifier: Apache-2.0
#include "policy/dn_parts.h"

#include <string.h>

#include "policy/glob.h"

struct cursor {
    struct hf_bytes rest;
    bool stars;
    uint8_t *storage;
};

static bool is_hex(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'f');
}

static void skip_spaces(struct cursor *cursor)
{
    while (cursor->stars && cursor->rest.len && cursor->rest.ptr[0] == ' ') {
        cursor->rest = hf_bytes_from(cursor->rest, 1);
    }
}

/* "CN" or "2.5.4.3", up to the "=". */
static enum hf_err take_type(struct cursor *cursor, struct hf_bytes *out)
{
    skip_spaces(cursor);
    size_t n = 0;
    while (n < cursor->rest.len && cursor->rest.ptr[n] != '=') {
        uint8_t byte = cursor->rest.ptr[n];
        bool letter = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
        if (!letter && !(byte >= '0' && byte <= '9') && byte != '.' && byte != '-') {
            break;
        }
        n++;
    }
    *out = hf_bytes_of(cursor->rest.ptr, n);
    if (n == 0 || n >= cursor->rest.len || cursor->rest.ptr[n] != '=') {
        return hf_fail(HF_E_MALFORMED, "a distinguished name is a list such as \"CN=Alice,O=Org\"");
    }
    cursor->rest = hf_bytes_from(cursor->rest, n + 1);
    return HF_OK;
}

/* One escape (RFC 4514 2.4): "\2C", or a backslash and the character itself. */
static enum hf_err take_escape(struct cursor *cursor, uint8_t *out)
{
    struct hf_bytes rest = hf_bytes_from(cursor->rest, 1);
    if (rest.len >= 2 && is_hex(rest.ptr[0]) && is_hex(rest.ptr[1])) {
        char digits[3] = {(char)rest.ptr[0], (char)rest.ptr[1], '\0'};
        HF_TRY(hf_unhex(digits, hf_span_of(out, 1)));
        cursor->rest = hf_bytes_from(rest, 2);
    } else if (rest.len && strchr("\"+,;<>\\ #=*", rest.ptr[0]) && rest.ptr[0]) {
        *out = rest.ptr[0];
        cursor->rest = hf_bytes_from(rest, 1);
    } else {
        return hf_fail(HF_E_MALFORMED, "a backslash in a distinguished name that escapes nothing");
    }
    return *out ? HF_OK : hf_fail(HF_E_MALFORMED, "a zero byte in a distinguished name");
}

static enum hf_err take_byte(struct cursor *cursor, uint8_t *out)
{
    uint8_t byte = cursor->rest.ptr[0];
    if (byte == '\\') {
        return take_escape(cursor, out);
    }
    if (byte == '\0') {
        return hf_fail(HF_E_MALFORMED, "a zero byte in a distinguished name");
    }
    *out = byte == '*' && cursor->stars ? HF_GLOB_STAR : byte;
    cursor->rest = hf_bytes_from(cursor->rest, 1);
    return HF_OK;
}

static bool at_end_of_value(const struct cursor *cursor)
{
    return cursor->rest.len == 0 || cursor->rest.ptr[0] == ',' || cursor->rest.ptr[0] == '+';
}

static enum hf_err take_value(struct cursor *cursor, struct hf_bytes *out)
{
    uint8_t *start = cursor->storage;
    while (!at_end_of_value(cursor)) {
        HF_TRY(take_byte(cursor, cursor->storage));
        bool two_stars = cursor->storage > start && cursor->storage[0] == HF_GLOB_STAR &&
                         cursor->storage[-1] == HF_GLOB_STAR;
        if (two_stars) {
            return hf_fail(HF_E_MALFORMED, "\"**\" in a distinguished name: write one star");
        }
        cursor->storage++;
    }
    *out = hf_bytes_of(start, (size_t)(cursor->storage - start));
    return HF_OK;
}

enum hf_err hf_dn_parts_parse(struct hf_bytes text, bool stars, uint8_t *storage,
                              struct hf_dn_parts *out)
{
    struct cursor cursor = {text, stars, storage};
    bool joined = false;
    out->n = 0;
    while (cursor.rest.len) {
        struct hf_dn_part part = {.joined = joined};
        if (out->n == HF_DN_PARTS_MAX) {
            return hf_fail(HF_E_TOO_LARGE, "more than %d attributes in a distinguished name",
                           HF_DN_PARTS_MAX);
        }
        HF_TRY(take_type(&cursor, &part.type));
        HF_TRY(take_value(&cursor, &part.value));
        out->part[out->n++] = part;
        if (cursor.rest.len == 1) {
            return hf_fail(HF_E_MALFORMED, "a distinguished name ends with \"%c\"",
                           cursor.rest.ptr[0]);
        }
        joined = cursor.rest.len && cursor.rest.ptr[0] == '+';
        cursor.rest = hf_bytes_from(cursor.rest, 1);
    }
    return HF_OK;
}

static bool part_matches(const struct hf_dn_part *pattern, const struct hf_dn_part *part)
{
    return hf_glob_match(pattern->type, part->type, HF_GLOB_FOLD) &&
           hf_glob_match(pattern->value, part->value, 0);
}

bool hf_dn_parts_cover(const struct hf_dn_parts *pattern, const struct hf_dn_parts *name)
{
    for (size_t i = 0; i < pattern->n; i++) {
        bool found = false;
        for (size_t j = 0; j < name->n && !found; j++) {
            found = part_matches(&pattern->part[i], &name->part[j]);
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

bool hf_dn_parts_equal(const struct hf_dn_parts *pattern, const struct hf_dn_parts *name)
{
    if (pattern->n != name->n) {
        return false;
    }
    for (size_t i = 0; i < pattern->n; i++) {
        if (pattern->part[i].joined != name->part[i].joined ||
            !part_matches(&pattern->part[i], &name->part[i])) {
            return false;
        }
    }
    return true;
}
