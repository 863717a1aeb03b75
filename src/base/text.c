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

/* Takes one decimal number off the front; false when there is none or it passes 64 bits. */
static bool take_number(const char **text, uint64_t *out)
{
    const char *p = *text;
    uint64_t value = 0;
    if (!isdigit((unsigned char)*p)) {
        return false;
    }
    for (; isdigit((unsigned char)*p); p++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(*p - '0'), &value)) {
            return false;
        }
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
    if (left >= 1000 && left % 1000 < 100) {
        snprintf(out, out_size, "%s%llu s", sign, (unsigned long long)left / 1000);
    } else if (left >= 1000) {
        snprintf(out, out_size, "%s%llu.%llu s", sign, (unsigned long long)left / 1000,
                 (unsigned long long)left % 1000 / 100);
    } else {
        snprintf(out, out_size, "%s%llu ms", sign, (unsigned long long)left);
    }
}

size_t hf_format_uint(uint64_t number, unsigned base, char out[static HF_UINT_TEXT_SIZE])
{
    char digits[HF_UINT_TEXT_SIZE];
    size_t at = sizeof(digits);
    do {
        digits[--at] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number);
    size_t len = sizeof(digits) - at;
    memcpy(out, digits + at, len);
    out[len] = '\0';
    return len;
}

void hf_format_id(uint64_t id, char out[static HF_ID_TEXT_SIZE])
{
    for (size_t i = HF_ID_TEXT_SIZE - 1; i-- > 0; id >>= 4) {
        out[i] = "0123456789abcdef"[id & 15];
    }
    out[HF_ID_TEXT_SIZE - 1] = '\0';
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
