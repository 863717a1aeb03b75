// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TESTS_H2_SCRIPT_H
#define HF_TESTS_H2_SCRIPT_H

/*
 * HTTP/2 frames as text, both ways. A line of a script is a frame:
 *
 *     headers 1 eh :method=GET :path=/        HEADERS on stream 1, END_STREAM and END_HEADERS
 *     continuation 1 h a=b                    each field a literal that enters no table
 *     data 1 e hello                          DATA; "data 1 - 500*x" is 500 times the letter
 *     settings 0 - 4=100 3=1                  SETTINGS; "settings 0 a" its acknowledgement
 *     ping 0 - 01234567    window 1 - 100    rst 1 - 8    goaway 0 - 1 0    priority 1 - 3
 *     raw 12 ff 1 00010203                    type, flags, stream, payload, all in hexadecimal
 *     bytes 505249                            no frame at all
 *
 * Flags: e END_STREAM, a ACK, h END_HEADERS, p PADDED, r PRIORITY, - none. With p and r the first
 * words are hexadecimal bytes: the pad length, the priority. "{" and "}" are a space and a line
 * break within a field, "~" is nothing: an empty value.
 *
 * h2_print writes what came back, one frame a line, in the same words, fields decoded.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <nghttp2/nghttp2.h>

#include "base/buf.h"
#include "http/h2.h"

static const char *const h2_types[] = {"data", "headers", "priority", "rst",    "settings",
                                       "push", "ping",    "goaway",   "window", "continuation"};

static inline void h2_put(struct hf_buf *out, const void *bytes, size_t len)
{
    assert_int_equal(hf_buf_append(out, hf_bytes_of(bytes, len)), HF_OK);
}

static inline void h2_put_number(struct hf_buf *out, uint64_t value, size_t size)
{
    for (size_t i = size; i-- > 0;) {
        uint8_t byte = (uint8_t)(value >> (8 * i));
        h2_put(out, &byte, 1);
    }
}

static inline void h2_put_hex(struct hf_buf *out, const char *hex)
{
    for (size_t i = 0; hex[i] && hex[i + 1]; i += 2) {
        uint8_t byte;
        char digits[3] = {hex[i], hex[i + 1], 0};
        assert_int_equal(hf_unhex(digits, hf_span_of(&byte, 1)), HF_OK);
        h2_put(out, &byte, 1);
    }
}

/* A string of HPACK without Huffman, RFC 7541 5.2. */
static inline void h2_put_string(struct hf_buf *out, const char *text, size_t len)
{
    if (len < 127) {
        h2_put_number(out, len, 1);
    } else {
        size_t rest = len - 127;
        h2_put_number(out, 127, 1);
        for (; rest >= 128; rest /= 128) {
            h2_put_number(out, rest % 128 + 128, 1);
        }
        h2_put_number(out, rest, 1);
    }
    for (size_t i = 0; i < len; i++) {
        char byte = text[i];
        byte = byte == '{' ? ' ' : byte == '}' ? '\n' : byte;
        h2_put(out, &byte, 1);
    }
}

/* "name=value", or "#82" for bytes of HPACK as they are, or "name=500*x". */
static inline void h2_put_field(struct hf_buf *out, const char *word)
{
    char many[70000];
    if (word[0] == '#') {
        h2_put_hex(out, word + 1);
        return;
    }
    const char *equals = strchr(word + 1, '=');
    assert_non_null(equals);
    const char *value = equals + 1;
    const char *star = strchr(value, '*');
    size_t n =
        star && star > value && value[0] >= '1' && value[0] <= '9' ? strtoul(value, NULL, 10) : 0;
    if (n) {
        assert_true(n < sizeof(many));
        memset(many, star[1], n);
        many[n] = '\0';
        value = many;
    }
    h2_put_number(out, 0, 1);
    h2_put_string(out, word, (size_t)(equals - word));
    h2_put_string(out, value, strcmp(value, "~") == 0 ? 0 : strlen(value));
}

static inline unsigned h2_flags(const char *word)
{
    unsigned flags = 0;
    for (; *word; word++) {
        flags |= *word == 'e' || *word == 'a' ? 1u
                 : *word == 'h'               ? 4u
                 : *word == 'p'               ? 8u
                 : *word == 'r'               ? 0x20u
                                              : 0u;
    }
    return flags;
}

static inline void h2_put_word(struct hf_buf *out, unsigned type, const char *word)
{
    const char *star = strchr(word, '*');
    const char *equals = strchr(word, '=');
    switch (type) {
    case 1:
    case 9:
        h2_put_field(out, word);
        break;
    case 2:
        h2_put_number(out, strtoul(word, NULL, 10), 4);
        h2_put_number(out, 15, 1);
        break;
    case 3:
    case 7:
    case 8:
        h2_put_number(out, strtoul(word, NULL, 10), 4);
        break;
    case 4:
        assert_non_null(equals);
        h2_put_number(out, strtoul(word, NULL, 10), 2);
        h2_put_number(out, strtoul(equals + 1, NULL, 10), 4);
        break;
    default:
        for (size_t i = strtoul(word, NULL, 10); star && i > 0; i--) {
            h2_put(out, star + 1, 1);
        }
        h2_put(out, word, star ? 0 : strlen(word));
    }
}

static inline void h2_put_frame(struct hf_buf *out, unsigned type, unsigned flags, uint32_t id,
                                const struct hf_buf *payload)
{
    h2_put_number(out, hf_buf_len(payload), 3);
    h2_put_number(out, type, 1);
    h2_put_number(out, flags, 1);
    h2_put_number(out, id, 4);
    struct hf_bytes bytes = hf_buf_bytes(payload);
    h2_put(out, bytes.ptr, bytes.len);
}

static inline void h2_put_line(struct hf_buf *out, char *line)
{
    struct hf_buf payload = HF_BUF_INIT(1 << 20);
    char *save = NULL;
    char *kind = strtok_r(line, " ", &save);
    char *first = strtok_r(NULL, " ", &save);
    if (strcmp(kind, "bytes") == 0) {
        h2_put_hex(out, first);
        return;
    }
    char *second = strtok_r(NULL, " ", &save);
    char *word = strtok_r(NULL, " ", &save);
    if (strcmp(kind, "raw") == 0) {
        char *hex = strtok_r(NULL, " ", &save);
        h2_put_hex(&payload, hex ? hex : "");
        h2_put_frame(out, (unsigned)strtoul(first, NULL, 16), (unsigned)strtoul(second, NULL, 16),
                     (uint32_t)strtoul(word, NULL, 16), &payload);
        hf_buf_done(&payload);
        return;
    }
    unsigned type = 0;
    while (strcmp(kind, h2_types[type]) != 0) {
        type++;
        assert_true(type < HF_N_ELEMENTS(h2_types));
    }
    unsigned flags = h2_flags(second);
    bool prefixed = (type <= 1) && (flags & 0x28);
    for (; word; word = strtok_r(NULL, " ", &save)) {
        if (prefixed) {
            h2_put_hex(&payload, word);
        } else {
            h2_put_word(&payload, type, word);
        }
        prefixed = false;
    }
    h2_put_frame(out, type, flags, (uint32_t)strtoul(first, NULL, 10), &payload);
    hf_buf_done(&payload);
}

/* h2_write_script appends all the frames of the script. */
static inline void h2_write_script(struct hf_buf *out, const char *script)
{
    char *copy = strdup(script);
    char *save = NULL;
    for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        h2_put_line(out, line);
    }
    free(copy);
}

/* --- The way back --- */

static inline uint32_t h2_number(const uint8_t *at, size_t size)
{
    uint32_t value = 0;
    for (size_t i = 0; i < size; i++) {
        value = value << 8 | at[i];
    }
    return value;
}

static inline void h2_print_fields(nghttp2_hd_inflater *inflater, struct hf_bytes in, bool final,
                                   struct hf_buf *out)
{
    int flags = 0;
    while (!(flags & NGHTTP2_HD_INFLATE_FINAL)) {
        nghttp2_nv nv;
        flags = 0;
        ssize_t n = nghttp2_hd_inflate_hd2(inflater, &nv, &flags, in.ptr, in.len, final);
        assert_true(n >= 0);
        in = hf_bytes_from(in, (size_t)n);
        if (flags & NGHTTP2_HD_INFLATE_EMIT) {
            assert_int_equal(hf_buf_printf(out, " %s=%s%s", nv.name, nv.value,
                                           nv.flags & NGHTTP2_NV_FLAG_NO_INDEX ? "(secret)" : ""),
                             HF_OK);
        } else if (in.len == 0 && !final) {
            return;
        }
    }
    nghttp2_hd_inflate_end_headers(inflater);
}

/* Which frames are printed: not those that every connection has. */
struct h2_printer {
    nghttp2_hd_inflater *inflater;
    bool all;       /* SETTINGS and WINDOW_UPDATE too */
    bool is_client; /* its preface comes first */
    struct hf_buf in;
};

static inline void h2_print_payload(struct h2_printer *printer, unsigned type, unsigned flags,
                                    struct hf_bytes payload, struct hf_buf *out)
{
    switch (type) {
    case 0:
        assert_int_equal(hf_buf_printf(out, " %zu", payload.len), HF_OK);
        break;
    case 1:
    case 9:
        h2_print_fields(printer->inflater, payload, flags & 4, out);
        break;
    case 3:
        assert_int_equal(hf_buf_printf(out, " %s", hf_h2_code_text(h2_number(payload.ptr, 4))),
                         HF_OK);
        break;
    case 7:
        assert_int_equal(hf_buf_printf(out, " last=%u %s", h2_number(payload.ptr, 4),
                                       hf_h2_code_text(h2_number(payload.ptr + 4, 4))),
                         HF_OK);
        break;
    case 6:
        assert_int_equal(hf_buf_append_str(out, " "), HF_OK);
        h2_put(out, payload.ptr, payload.len);
        break;
    case 8:
        assert_int_equal(hf_buf_printf(out, " %u", h2_number(payload.ptr, 4)), HF_OK);
        break;
    default:
        break;
    }
}

/* h2_print takes whole frames off what was sent and writes them down. */
static inline void h2_print(struct h2_printer *printer, struct hf_bytes sent, struct hf_buf *out)
{
    h2_put(&printer->in, sent.ptr, sent.len);
    struct hf_bytes in = hf_buf_bytes(&printer->in);
    if (printer->is_client && in.len >= 24) {
        assert_memory_equal(in.ptr, NGHTTP2_CLIENT_MAGIC, 24);
        printer->is_client = false;
        hf_buf_consume(&printer->in, 24);
        in = hf_buf_bytes(&printer->in);
    }
    while (in.len >= 9 && in.len >= 9 + h2_number(in.ptr, 3)) {
        struct hf_bytes payload = hf_bytes_of(in.ptr + 9, h2_number(in.ptr, 3));
        unsigned type = in.ptr[3];
        unsigned flags = in.ptr[4];
        assert_true(type < HF_N_ELEMENTS(h2_types));
        if (printer->all || (type != 4 && type != 8)) {
            assert_int_equal(hf_buf_printf(out, "%s %u%s%s", h2_types[type],
                                           h2_number(in.ptr + 5, 4),
                                           (flags & 1) && type <= 1 ? " end" : "",
                                           (flags & 1) && (type == 4 || type == 6) ? " ack" : ""),
                             HF_OK);
            h2_print_payload(printer, type, flags, payload, out);
            assert_int_equal(hf_buf_append_str(out, "\n"), HF_OK);
        }
        hf_buf_consume(&printer->in, 9 + payload.len);
        in = hf_buf_bytes(&printer->in);
    }
}

#endif
