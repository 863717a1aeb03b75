// SPDX-License-Identifier: Apache-2.0
/*
 * index.txt, the database of `openssl ca`, which easy-rsa keeps too. A line has six fields between
 * tabs (openssl-ca(1), and apps/ca.c where it says nothing):
 *
 *     state  end  revoked[,reason[,more]]  serial  file  subject
 *     R      260101000000Z  250601120000Z,keyCompromise  1F  unknown  /CN=alice
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/attr.h"
#include "ca/store_import.h"

enum { N_FIELDS = 6, REASON_HOLD = 6 };

static const struct {
    const char *name;
    int reason;
} reasons[] = {
    {"unspecified", 0},
    {"keyCompromise", 1},
    {"CACompromise", 2},
    {"affiliationChanged", 3},
    {"superseded", 4},
    {"cessationOfOperation", 5},
    {"certificateHold", REASON_HOLD},
    {"holdInstruction", REASON_HOLD},
    {"keyTime", 1},
    {"CAkeyTime", 2},
};

/* --- Fields ------------------------------------------------------------------------------------
 */

/* Takes what is before the separator off the front; the rest when there is none. */
static struct hf_bytes take(struct hf_bytes *rest, char separator)
{
    const uint8_t *end = rest->len ? memchr(rest->ptr, separator, rest->len) : NULL;
    struct hf_bytes field = hf_bytes_of(rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len);
    *rest = hf_bytes_from(*rest, field.len + (end ? 1 : 0));
    return field;
}

static bool digits(struct hf_bytes text, size_t from, size_t n, int *out)
{
    *out = 0;
    for (size_t i = from; i < from + n; i++) {
        if (i >= text.len || text.ptr[i] < '0' || text.ptr[i] > '9') {
            return false;
        }
        *out = *out * 10 + (text.ptr[i] - '0');
    }
    return true;
}

/* UTCTime or GeneralizedTime, as RFC 5280 4.1.2.5 has them. */
static bool read_time(struct hf_bytes text, int64_t *out)
{
    struct tm tm = {0};
    size_t year = text.len == 13 ? 2 : 4;
    int *const parts[] = {&tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec};
    if ((text.len != 13 && text.len != 15) || text.ptr[text.len - 1] != 'Z' ||
        !digits(text, 0, year, &tm.tm_year)) {
        return false;
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(parts); i++) {
        if (!digits(text, year + 2 * i, 2, parts[i])) {
            return false;
        }
    }
    if (tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 ||
        tm.tm_min > 59 || tm.tm_sec > 60) {
        return false;
    }
    tm.tm_mon--;
    tm.tm_year += year == 4 ? -1900 : tm.tm_year < 50 ? 100 : 0;
    *out = timegm(&tm);
    return true;
}

static bool read_reason(struct hf_bytes text, int *out)
{
    struct hf_bytes name = take(&text, ',');
    *out = 0;
    if (name.len == 0) {
        return true;
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(reasons); i++) {
        if (hf_bytes_eq_str(name, reasons[i].name)) {
            *out = reasons[i].reason;
            return true;
        }
    }
    return false;
}

static bool read_revoked(struct hf_bytes text, struct hf_index_line *out)
{
    struct hf_bytes when = take(&text, ',');
    return read_time(when, &out->revoked_at) && read_reason(text, &out->reason);
}

static bool read_serial(struct hf_bytes text, struct hf_index_line *out)
{
    char hex[2 * HF_STORE_SERIAL_MAX + 1];
    while (text.len > 2 && text.ptr[0] == '0' && text.ptr[1] == '0') {
        text = hf_bytes_from(text, 2);
    }
    if (text.len == 0 || text.len % 2 || text.len >= sizeof(hex)) {
        return false;
    }
    memcpy(hex, text.ptr, text.len);
    hex[text.len] = '\0';
    out->serial_len = text.len / 2;
    return hf_unhex(hex, hf_span_of(out->serial, out->serial_len)) == HF_OK;
}

/* --- Lines -------------------------------------------------------------------------------------
 */

static const char *read_line(struct hf_bytes text, struct hf_index_line *out)
{
    struct hf_bytes field[N_FIELDS];
    *out = (struct hf_index_line){0};
    for (size_t i = 0; i + 1 < N_FIELDS; i++) {
        size_t before = text.len;
        field[i] = take(&text, '\t');
        if (field[i].len == before) {
            return "it should have six fields with tabs between them";
        }
    }
    field[N_FIELDS - 1] = text;
    if (field[0].len != 1 || !hf_byte_in(field[0].ptr[0], "VRE")) {
        return "its state should be V, R or E";
    }
    out->state = (char)field[0].ptr[0];
    if (!read_time(field[1], &out->not_after)) {
        return "its second field should be a date such as 260131235959Z";
    }
    if (out->state == 'R' && !read_revoked(field[2], out)) {
        return "its third field should be a date and a reason";
    }
    if (!read_serial(field[3], out)) {
        return "its fourth field should be a serial number in hex, of at most 20 bytes";
    }
    out->file = field[4];
    out->subject = field[5];
    return NULL;
}

enum hf_err hf_index_parse(struct hf_bytes text, const char *label,
                           enum hf_err (*fn)(void *ctx, const struct hf_index_line *line),
                           void *ctx)
{
    for (int number = 1; text.len; number++) {
        struct hf_bytes row = take(&text, '\n');
        struct hf_index_line line;
        if (row.len && row.ptr[row.len - 1] == '\r') {
            row.len--;
        }
        if (row.len == 0) {
            continue;
        }
        const char *wrong = read_line(row, &line);
        if (wrong) {
            return hf_fail(HF_E_MALFORMED, "%s:%d: %s", label, number, wrong);
        }
        enum hf_err err = fn(ctx, &line);
        if (err != HF_OK) {
            return hf_fail_context(err, "%s:%d", label, number);
        }
    }
    return HF_OK;
}
