// SPDX-License-Identifier: Apache-2.0
/*
 * A length is written when what it counts is there: one byte of room is left for it, and contents
 * of 128 bytes or more are moved to make more.
 */
#include "pki/der_write.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { SHORT_MAX = 0x7f };

enum hf_err hf_der_open(struct hf_buf *out, uint8_t tag, size_t *out_at)
{
    HF_TRY(hf_buf_u8(out, tag));
    HF_TRY(hf_buf_u8(out, 0));
    *out_at = hf_buf_len(out) - 1;
    return HF_OK;
}

/* How many bytes a length takes after its first one. */
static size_t more_bytes(size_t len)
{
    size_t n = 0;
    for (size_t left = len; len > SHORT_MAX && left; left >>= 8) {
        n++;
    }
    return n;
}

enum hf_err hf_der_close(struct hf_buf *out, size_t at)
{
    size_t len = hf_buf_len(out) - at - 1;
    size_t n = more_bytes(len);
    struct hf_span room;
    if (n) {
        HF_TRY(hf_buf_reserve(out, n, &room));
    }
    uint8_t *field = out->mem + out->start + at;
    if (n) {
        memmove(field + 1 + n, field + 1, len);
        hf_buf_commit(out, n);
    }
    field[0] = (uint8_t)(n ? 0x80 | n : len);
    for (size_t i = n; i > 0; i--, len >>= 8) {
        field[i] = (uint8_t)len;
    }
    return HF_OK;
}

enum hf_err hf_der_put(struct hf_buf *out, uint8_t tag, struct hf_bytes content)
{
    size_t at;
    HF_TRY(hf_der_open(out, tag, &at));
    HF_TRY(hf_buf_append(out, content));
    return hf_der_close(out, at);
}

enum hf_err hf_der_put_serial(struct hf_buf *out, const struct hf_serial *serial)
{
    size_t at;
    bool pad = serial->len == 0 || (!serial->negative && serial->byte[0] & 0x80);
    HF_TRY(hf_der_open(out, HF_DER_INTEGER, &at));
    if (pad) {
        HF_TRY(hf_buf_u8(out, 0));
    }
    HF_TRY(hf_buf_append(out, hf_bytes_of(serial->byte, serial->len)));
    return hf_der_close(out, at);
}

enum hf_err hf_der_put_number(struct hf_buf *out, uint8_t tag, uint8_t number)
{
    const uint8_t content[] = {0, number};
    size_t skip = number & 0x80 ? 0 : 1;
    return hf_der_put(out, tag, hf_bytes_of(content + skip, sizeof(content) - skip));
}

enum hf_err hf_der_put_bool(struct hf_buf *out, bool value)
{
    const uint8_t content = value ? 0xff : 0;
    return hf_der_put(out, HF_DER_BOOLEAN, hf_bytes_of(&content, 1));
}

enum hf_err hf_der_put_time(struct hf_buf *out, int64_t at)
{
    char text[32];
    struct tm parts;
    time_t seconds = at;
    if (!gmtime_r(&seconds, &parts) || parts.tm_year < -1900 || parts.tm_year > 9999 - 1900) {
        return hf_fail(HF_E_INVALID, "a date whose year has not four digits");
    }
    snprintf(text, sizeof(text), "%04d%02d%02d%02d%02d%02dZ", parts.tm_year + 1900,
             parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
    return hf_der_put(out, HF_DER_GENERALIZED_TIME, hf_bytes_str(text));
}
