// SPDX-License-Identifier: Apache-2.0
/*
 * What a certificate, a ClientHello or a header says ends up in logs, terminals and JSON. Bytes
 * that could end a line, move a cursor, hide or reorder text are escaped; all other UTF-8 stays
 * readable.
 */
#include "base/escape.h"

#include <stdio.h>
#include <string.h>

size_t hf_utf8_decode(struct hf_bytes text, uint32_t *out_point)
{
    static const struct {
        uint8_t mask, lead;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    size_t n = 0;
    while (n < text.len && n < HF_N_ELEMENTS(forms) &&
           (text.ptr[0] & forms[n].mask) != forms[n].lead) {
        n++;
    }
    if (n >= text.len || n == HF_N_ELEMENTS(forms)) {
        return 0;
    }
    uint32_t point = text.ptr[0] & (uint8_t)~forms[n].mask;
    for (size_t i = 1; i <= n; i++) {
        if ((text.ptr[i] & 0xc0) != 0x80) {
            return 0;
        }
        point = point << 6 | (text.ptr[i] & 0x3f);
    }
    if (point < forms[n].least || point > 0x10ffff || (point & 0x1ff800) == 0xd800) {
        return 0;
    }
    if (out_point) {
        *out_point = point;
    }
    return n + 1;
}

/* Controls, and what is invisible or changes the direction of the text around it. */
static bool is_deceptive(uint32_t point)
{
    static const struct {
        uint32_t first, last;
    } ranges[] = {
        {0x00, 0x1f},     {0x7f, 0x9f},     {0xad, 0xad},     {0x61c, 0x61c},
        {0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e}, {0x2060, 0x206f},
        {0xfe00, 0xfe0f}, {0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe0fff},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(ranges); i++) {
        if (point >= ranges[i].first && point <= ranges[i].last) {
            return true;
        }
    }
    return false;
}

static bool is_plain_ascii(uint8_t c)
{
    return c >= ' ' && c < 0x7f && c != '\\' && c != '"';
}

size_t hf_printable_len(struct hf_bytes text)
{
    uint32_t point;
    if (is_plain_ascii(text.ptr[0])) {
        return 1;
    }
    size_t n = hf_utf8_decode(text, &point);
    return n && !is_deceptive(point) ? n : 0;
}

static enum hf_err append_printable(struct hf_buf *buf, struct hf_bytes text, size_t max)
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

/* Takes back what was appended when all of it didn't fit. */
static enum hf_err all_or_nothing(struct hf_buf *buf, size_t len_before, enum hf_err err)
{
    if (err != HF_OK) {
        buf->end = buf->start + len_before;
    }
    return err;
}

enum hf_err hf_append_printable(struct hf_buf *buf, struct hf_bytes text, size_t max)
{
    size_t before = hf_buf_len(buf);
    return all_or_nothing(buf, before, append_printable(buf, text, max));
}

/* How many bytes at the front are the same in JSON. Nearly all of a log is plain ASCII. */
static size_t json_plain_len(struct hf_bytes text)
{
    size_t len = 0;
    size_t n = 1;
    while (len < text.len && n) {
        if (is_plain_ascii(text.ptr[len])) {
            len++;
            continue;
        }
        bool escaped = text.ptr[len] == '"' || text.ptr[len] == '\\';
        n = escaped ? 0 : hf_printable_len(hf_bytes_from(text, len));
        len += n;
    }
    return len;
}

/* Writes the escape of the first character and gives that character's length. A broken byte NN is
 * written as \u00NN: what it was meant to be can't be known. */
static size_t json_escape(struct hf_bytes text, char out[static HF_JSON_ESCAPE_SIZE])
{
    static const char hex[] = "0123456789abcdef";
    uint32_t point = text.ptr[0];
    if (point < ' ') { /* the ends of lines in PEM are worth not to be printed */
        const char control[] = {'\\', 'u', '0', '0', hex[point >> 4], hex[point & 15], '\0'};
        memcpy(out, control, sizeof(control));
        return 1;
    }
    size_t n = hf_utf8_decode(text, &point);
    if (point == '"' || point == '\\') {
        snprintf(out, HF_JSON_ESCAPE_SIZE, "\\%c", (char)point);
    } else if (point > 0xffff) {
        snprintf(out, HF_JSON_ESCAPE_SIZE, "\\u%04x\\u%04x", 0xd7c0 + (point >> 10 & 0x7ff),
                 0xdc00 | (point & 0x3ff));
    } else {
        snprintf(out, HF_JSON_ESCAPE_SIZE, "\\u%04x", point & 0xffff);
    }
    return n ? n : 1;
}

struct hf_bytes hf_json_piece(struct hf_bytes *text, char scratch[static HF_JSON_ESCAPE_SIZE])
{
    size_t n = json_plain_len(*text);
    struct hf_bytes piece = hf_bytes_of(text->ptr, n);
    if (n == 0) {
        n = json_escape(*text, scratch);
        piece = hf_bytes_str(scratch);
    }
    *text = hf_bytes_from(*text, n);
    return piece;
}

static enum hf_err append_json_string(struct hf_buf *buf, struct hf_bytes text)
{
    char scratch[HF_JSON_ESCAPE_SIZE];
    HF_TRY(hf_buf_u8(buf, '"'));
    while (text.len) {
        HF_TRY(hf_buf_append(buf, hf_json_piece(&text, scratch)));
    }
    return hf_buf_u8(buf, '"');
}

static enum hf_err append_shown(struct hf_buf *buf, struct hf_bytes text)
{
    while (text.len) {
        size_t len = hf_printable_len(text);
        HF_TRY(len ? hf_buf_append(buf, hf_bytes_of(text.ptr, len))
                   : hf_buf_printf(buf, "\\x%02x", text.ptr[0]));
        text = hf_bytes_from(text, len ? len : 1);
    }
    return HF_OK;
}

enum hf_err hf_append_shown(struct hf_buf *buf, struct hf_bytes text)
{
    size_t before = hf_buf_len(buf);
    return all_or_nothing(buf, before, append_shown(buf, text));
}

enum hf_err hf_append_json_string(struct hf_buf *buf, struct hf_bytes text)
{
    size_t before = hf_buf_len(buf);
    return all_or_nothing(buf, before, append_json_string(buf, text));
}
