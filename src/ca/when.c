// SPDX-License-Identifier: Apache-2.0
#include "ca/when.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <time.h>

/* Takes n digits and, when one is wanted, the separator behind them. */
static bool take(const char **text, int n, char separator, int *out)
{
    int value = 0;
    for (int i = 0; i < n; i++) {
        if (!isdigit((unsigned char)(*text)[i])) {
            return false;
        }
        value = value * 10 + ((*text)[i] - '0');
    }
    *text += n;
    if (separator) {
        if (toupper((unsigned char)**text) != separator) {
            return false;
        }
        (*text)++;
    }
    *out = value;
    return true;
}

static bool take_offset(const char **text, int *out_s)
{
    char sign = **text;
    int hours = 0;
    int minutes = 0;
    if (sign == 'Z' || sign == 'z') {
        (*text)++;
        *out_s = 0;
        return true;
    }
    if (sign != '+' && sign != '-') {
        return false;
    }
    (*text)++;
    if (!take(text, 2, ':', &hours) || !take(text, 2, 0, &minutes) || hours > 23 || minutes > 59) {
        return false;
    }
    *out_s = (hours * 60 + minutes) * 60 * (sign == '-' ? -1 : 1);
    return true;
}

static bool parse(const char *text, int64_t *out)
{
    struct tm tm = {0};
    int offset_s = 0;
    if (!take(&text, 4, '-', &tm.tm_year) || !take(&text, 2, '-', &tm.tm_mon) ||
        !take(&text, 2, 0, &tm.tm_mday)) {
        return false;
    }
    if (*text) {
        bool timed = (*text == 'T' || *text == 't' || *text == ' ') && (text++, true) &&
                     take(&text, 2, ':', &tm.tm_hour) && take(&text, 2, ':', &tm.tm_min) &&
                     take(&text, 2, 0, &tm.tm_sec) && take_offset(&text, &offset_s);
        if (!timed || *text) {
            return false;
        }
    }
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    struct tm normal = tm;
    int64_t when = (int64_t)timegm(&normal);
    /* timegm makes 31 February the 3rd of March; a date that it had to change is none */
    if (normal.tm_mday != tm.tm_mday || normal.tm_mon != tm.tm_mon ||
        normal.tm_hour != tm.tm_hour || normal.tm_min != tm.tm_min || normal.tm_sec != tm.tm_sec) {
        return false;
    }
    *out = when - offset_s;
    return true;
}

enum hf_err hf_ca_parse_time(const char *text, int64_t *out)
{
    if (!parse(text, out)) {
        return hf_fail(HF_E_INVALID,
                       "\"%.40s\" is not a time; write 2026-11-20T23:06:00Z or 2026-11-20", text);
    }
    return HF_OK;
}
