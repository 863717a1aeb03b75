// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit duration_units[] = {
    {"ms", 1},
    {"s", 1000},
    {"min", 60000},
    {"m", 60000},
    {"h", 3600 * 1000},
    {"d", 86400 * 1000},
    {"w", 7ull * 86400 * 1000},
    {NULL, 0},
};

static const struct unit size_units[] = {
    {"B", 1},
    {"KiB", 1ull << 10},
    {"MiB", 1ull << 20},
    {"GiB", 1ull << 30},
    {"K", 1ull << 10},
    {"M", 1ull << 20},
    {"G", 1ull << 30},
    {"KB", 1000},
    {"MB", 1000 * 1000},
    {"GB", 1000ull * 1000 * 1000},
    {NULL, 0},
};

/* Takes one decimal number off the front; false when there is none or it passes 2^63. */
static bool take_number(const char **text, uint64_t *out)
{
    const char *p = *text;
    uint64_t value = 0;
    if (!isdigit((unsigned char)*p)) {
        return false;
    }
    for (; isdigit((unsigned char)*p); p++) {
        if (value > (INT64_MAX - 9) / 10) {
            return false;
        }
        value = value * 10 + (uint64_t)(*p - '0');
    }
    *text = p;
    *out = value;
    return true;
}

static const struct unit *take_unit(const char **text, const struct unit *units)
{
    size_t len = 0;
    while (isalpha((unsigned char)(*text)[len])) {
        len++;
    }
    for (const struct unit *unit = units; unit->name; unit++) {
        if (strlen(unit->name) == len && strncmp(*text, unit->name, len) == 0) {
            *text += len;
            return unit;
        }
    }
    return NULL;
}

static bool add_scaled(uint64_t *sum, uint64_t value, uint64_t factor)
{
    uint64_t scaled;
    return !__builtin_mul_overflow(value, factor, &scaled) &&
           !__builtin_add_overflow(*sum, scaled, sum) && *sum <= INT64_MAX;
}

enum hf_err hf_parse_duration(const char *text, int64_t *out_ms)
{
    const char *p = text;
    uint64_t sum = 0;
    uint64_t value;
    if (strcmp(text, "0") == 0) {
        *out_ms = 0;
        return HF_OK;
    }
    do {
        const struct unit *unit = NULL;
        if (!take_number(&p, &value) || !(unit = take_unit(&p, duration_units)) ||
            !add_scaled(&sum, value, unit->factor)) {
            return hf_fail(
                HF_E_INVALID,
                "\"%.40s\" is not a duration; write a number with a unit, such as 500ms, "
                "30s, 5m, 24h or 7d",
                text);
        }
    } while (*p);
    *out_ms = (int64_t)sum;
    return HF_OK;
}

enum hf_err hf_parse_size(const char *text, uint64_t *out_bytes)
{
    const char *p = text;
    uint64_t value;
    uint64_t sum = 0;
    uint64_t factor = 1;
    if (take_number(&p, &value)) {
        const struct unit *unit = *p ? take_unit(&p, size_units) : NULL;
        factor = unit ? unit->factor : 1;
        if (*p == '\0' && add_scaled(&sum, value, factor)) {
            *out_bytes = sum;
            return HF_OK;
        }
    }
    return hf_fail(HF_E_INVALID,
                   "\"%.40s\" is not a size; write bytes, or a number with KiB, MiB or GiB", text);
}

enum hf_err hf_parse_uint(const char *text, uint64_t max, uint64_t *out)
{
    const char *p = text;
    uint64_t value;
    if (!take_number(&p, &value) || *p || value > max) {
        return hf_fail(HF_E_INVALID, "\"%.40s\" is not a whole number from 0 to %llu", text,
                       (unsigned long long)max);
    }
    *out = value;
    return HF_OK;
}

void hf_format_duration(int64_t ms, char *out, size_t out_size)
{
    static const struct {
        const char *big, *small;
        int64_t big_ms, small_ms;
    } forms[] = {
        {"d", "h", 86400000, 3600000},
        {"h", "min", 3600000, 60000},
        {"min", "s", 60000, 1000},
    };
    const char *sign = ms < 0 ? "-" : "";
    uint64_t left = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
    for (size_t i = 0; i < HF_N_ELEMENTS(forms); i++) {
        uint64_t big = left / (uint64_t)forms[i].big_ms;
        uint64_t small = left % (uint64_t)forms[i].big_ms / (uint64_t)forms[i].small_ms;
        if (big && small) {
            snprintf(out, out_size, "%s%llu %s %llu %s", sign, (unsigned long long)big,
                     forms[i].big, (unsigned long long)small, forms[i].small);
            return;
        }
        if (big) {
            snprintf(out, out_size, "%s%llu %s", sign, (unsigned long long)big, forms[i].big);
            return;
        }
    }
    if (left >= 1000) {
        snprintf(out, out_size, "%s%llu.%llu s", sign, (unsigned long long)left / 1000,
                 (unsigned long long)left % 1000 / 100);
    } else {
        snprintf(out, out_size, "%s%llu ms", sign, (unsigned long long)left);
    }
}

void hf_format_time(int64_t unix_s, char out[static HF_TIME_TEXT_SIZE])
{
    time_t when = (time_t)unix_s;
    struct tm tm;
    if (!gmtime_r(&when, &tm) || !strftime(out, HF_TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm)) {
        snprintf(out, HF_TIME_TEXT_SIZE, "(no date)");
    }
}

enum { EDIT_WORD_MAX = 64 };

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* Optimal string alignment distance, three rows at a time. */
size_t hf_edit_distance(const char *a, const char *b)
{
    size_t a_len = strlen(a);
    size_t b_len = strlen(b);
    if (a_len > EDIT_WORD_MAX || b_len > EDIT_WORD_MAX) {
        return SIZE_MAX;
    }
    size_t rows[3][EDIT_WORD_MAX + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_len; j++) {
        above[j] = j;
    }
    for (size_t i = 1; i <= a_len; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            row[j] = min3(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1]));
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped && before[j - 2] + 1 < row[j]) {
                row[j] = before[j - 2] + 1;
            }
        }
        size_t *spare = before;
        before = above;
        above = row;
        row = spare;
    }
    return above[b_len];
}

const char *hf_closest(const char *text, const char *const *words)
{
    const char *best = NULL;
    size_t best_distance = strlen(text) / 3 + 2;
    for (; *words; words++) {
        size_t distance = hf_edit_distance(text, *words);
        if (distance < best_distance) {
            best_distance = distance;
            best = *words;
        }
    }
    return best;
}

/* RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF. */
size_t hf_utf8_len(struct hf_bytes text)
{
    static const struct {
        uint8_t mask, lead;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    for (size_t n = 0; n < HF_N_ELEMENTS(forms) && n < text.len; n++) {
        if ((text.ptr[0] & forms[n].mask) != forms[n].lead) {
            continue;
        }
        uint32_t point = text.ptr[0] & (uint8_t)~forms[n].mask;
        for (size_t i = 1; i <= n; i++) {
            if ((text.ptr[i] & 0xc0) != 0x80) {
                return 0;
            }
            point = point << 6 | (text.ptr[i] & 0x3f);
        }
        bool legal = point >= forms[n].least && point <= 0x10ffff && (point & 0x1ff800) != 0xd800;
        return legal ? n + 1 : 0;
    }
    return 0;
}

/* Characters that reorder or hide text on a screen: U+200B-200F, U+2028-202E, U+2066-2069, U+FEFF,
 * and the C1 controls U+0080-009F. */
static bool is_deceptive(struct hf_bytes c)
{
    const uint8_t *p = c.ptr;
    if (c.len == 2) {
        return p[0] == 0xc2 && p[1] < 0xa0;
    }
    if (c.len != 3) {
        return false;
    }
    if (p[0] == 0xe2 && p[1] == 0x80) {
        return (p[2] >= 0x8b && p[2] <= 0x8f) || (p[2] >= 0xa8 && p[2] <= 0xae);
    }
    return (p[0] == 0xe2 && p[1] == 0x81 && p[2] >= 0xa6 && p[2] <= 0xa9) ||
           (p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf);
}

size_t hf_printable_len(struct hf_bytes text)
{
    size_t n = hf_utf8_len(text);
    if (n == 1) {
        return text.ptr[0] >= 0x20 && text.ptr[0] != 0x7f ? 1 : 0;
    }
    return n && !is_deceptive(hf_bytes_of(text.ptr, n)) ? n : 0;
}

enum hf_err hf_append_printable(struct hf_buf *buf, struct hf_bytes text, size_t max)
{
    size_t limit = hf_buf_len(buf) + max;
    while (text.len) {
        char escaped[5];
        size_t n = hf_printable_len(text);
        struct hf_bytes piece = hf_bytes_of(text.ptr, n);
        if (n == 0) {
            snprintf(escaped, sizeof(escaped), "\\x%02x", text.ptr[0]);
            piece = hf_bytes_str(escaped);
            n = 1;
        } else if (text.ptr[0] == '\\') {
            piece = hf_bytes_str("\\\\");
        }
        if (hf_buf_len(buf) + piece.len > limit) {
            return hf_buf_append_str(buf, "...");
        }
        HF_TRY(hf_buf_append(buf, piece));
        text = hf_bytes_from(text, n);
    }
    return HF_OK;
}

static enum hf_err append_json_char(struct hf_buf *buf, struct hf_bytes *text)
{
    size_t n = hf_printable_len(*text);
    uint8_t c = text->ptr[0];
    struct hf_bytes piece = hf_bytes_of(text->ptr, n);
    char escaped[8];
    if (n == 0) {
        snprintf(escaped, sizeof(escaped), "\\u%04x", c);
        piece = hf_bytes_str(escaped);
    } else if (c == '"' || c == '\\') {
        snprintf(escaped, sizeof(escaped), "\\%c", c);
        piece = hf_bytes_str(escaped);
    }
    *text = hf_bytes_from(*text, n ? n : 1);
    return hf_buf_append(buf, piece);
}

enum hf_err hf_append_json_string(struct hf_buf *buf, struct hf_bytes text)
{
    HF_TRY(hf_buf_u8(buf, '"'));
    while (text.len) {
        HF_TRY(append_json_char(buf, &text));
    }
    return hf_buf_u8(buf, '"');
}
