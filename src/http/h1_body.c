// SPDX-License-Identifier: Apache-2.0
/*
 * Bodies: counted, chunked (RFC 9112 7.1), until the peer closes. The chunk framing is read byte by
 * byte through a table of states; data is handed out as views into the caller's input.
 */
#include <assert.h>

#include "http/chars.h"
#include "http/h1_parse.h"

static const uint8_t first_state[] = {
    [HF_H1_NONE] = HF_H1_ST_END,           [HF_H1_LENGTH] = HF_H1_ST_COUNTED,
    [HF_H1_CHUNKED] = HF_H1_ST_CHUNK_SIZE, [HF_H1_CLOSE] = HF_H1_ST_UNTIL_EOF,
    [HF_H1_TUNNEL] = HF_H1_ST_UNTIL_EOF,
};

static void begin_body(struct hf_h1 *h1)
{
    h1->state = first_state[h1->head.framing];
    h1->left = h1->state == HF_H1_ST_COUNTED ? h1->head.length : 0;
    if (h1->state == HF_H1_ST_COUNTED && h1->left == 0) {
        h1->state = HF_H1_ST_END;
    }
}

static enum hf_http_fault move(struct hf_h1 *h1, enum hf_h1_state state)
{
    h1->state = (uint8_t)state;
    return HF_HTTP_FAULT_NONE;
}

/* A byte that is wrong in the chunk framing. */
static enum hf_http_fault wrong(uint8_t byte, enum hf_http_fault otherwise)
{
    return byte == '\n' ? HF_HTTP_FAULT_BARE_LF : otherwise;
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

static bool over_body_max(const struct hf_h1 *h1, uint64_t more)
{
    uint64_t max = h1->limits->body_max;
    return max && (more > max || h1->body_len > max - more);
}

/* --- The size line, a byte at a time ------------------------------------------------------------
 */

static enum hf_http_fault on_size(struct hf_h1 *h1, uint8_t byte)
{
    enum { DIGITS_MAX = 15 }; /* below 2^60 */
    if (hf_http_is(byte, HF_CHAR_HEX)) {
        h1->left = h1->left * 16 + hf_http_hex_digit(byte);
        return ++h1->chunk_line <= DIGITS_MAX ? HF_HTTP_FAULT_NONE : HF_HTTP_FAULT_CHUNK_SIZE;
    }
    if (h1->chunk_line == 0) {
        return wrong(byte, HF_HTTP_FAULT_CHUNK_SIZE);
    }
    h1->chunk_line = 0;
    if (byte == '\r') {
        return move(h1, HF_H1_ST_CHUNK_LINE_LF);
    }
    if (byte == ';') {
        return move(h1, HF_H1_ST_CHUNK_NAME);
    }
    return is_blank(byte) ? move(h1, HF_H1_ST_CHUNK_SPACE) : wrong(byte, HF_HTTP_FAULT_CHUNK_SIZE);
}

/* Extensions cost their sender: beyond an allowance, a byte of data for each byte of them. */
static enum hf_http_fault count_extension(struct hf_h1 *h1)
{
    h1->chunk_line++;
    h1->extensions++;
    bool over = h1->chunk_line > h1->limits->extension_max ||
                (h1->extensions > h1->limits->extensions_max &&
                 h1->extensions - h1->limits->extensions_max > h1->body_len);
    return over ? HF_HTTP_FAULT_CHUNK_EXTENSION : HF_HTTP_FAULT_NONE;
}

/* White space after the size is only good before a semicolon. */
static enum hf_http_fault on_space(struct hf_h1 *h1, uint8_t byte)
{
    if (byte == ';') {
        move(h1, HF_H1_ST_CHUNK_NAME);
    } else if (!is_blank(byte)) {
        return wrong(byte, HF_HTTP_FAULT_CHUNK_EXTENSION);
    }
    return count_extension(h1);
}

static enum hf_http_fault on_name(struct hf_h1 *h1, uint8_t byte)
{
    if (hf_http_is(byte, HF_CHAR_TOKEN)) {
        move(h1, HF_H1_ST_CHUNK_EXTENSION);
    } else if (!is_blank(byte)) {
        return wrong(byte, HF_HTTP_FAULT_CHUNK_EXTENSION);
    }
    return count_extension(h1);
}

static enum hf_http_fault on_extension(struct hf_h1 *h1, uint8_t byte)
{
    if (byte == '\r') {
        return move(h1, HF_H1_ST_CHUNK_LINE_LF);
    }
    if (!hf_http_is(byte, HF_CHAR_VALUE)) {
        return wrong(byte, HF_HTTP_FAULT_CHUNK_EXTENSION);
    }
    return count_extension(h1);
}

static enum hf_http_fault on_line_lf(struct hf_h1 *h1, uint8_t byte)
{
    h1->chunk_line = 0;
    if (byte != '\n') {
        return HF_HTTP_FAULT_BARE_CR;
    }
    if (over_body_max(h1, h1->left)) {
        return HF_HTTP_FAULT_BODY_TOO_LARGE;
    }
    if (h1->left > 0) {
        return move(h1, HF_H1_ST_CHUNK_DATA);
    }
    h1->n_fields = 0;
    h1->line_at = h1->scan_at = 0;
    return move(h1, HF_H1_ST_TRAILERS);
}

static enum hf_http_fault on_data_cr(struct hf_h1 *h1, uint8_t byte)
{
    return byte == '\r' ? move(h1, HF_H1_ST_CHUNK_DATA_LF) : HF_HTTP_FAULT_CHUNK_END;
}

static enum hf_http_fault on_data_lf(struct hf_h1 *h1, uint8_t byte)
{
    return byte == '\n' ? move(h1, HF_H1_ST_CHUNK_SIZE) : HF_HTTP_FAULT_CHUNK_END;
}

static enum hf_http_fault (*const on_byte[])(struct hf_h1 *h1, uint8_t byte) = {
    [HF_H1_ST_CHUNK_SIZE] = on_size,       [HF_H1_ST_CHUNK_SPACE] = on_space,
    [HF_H1_ST_CHUNK_NAME] = on_name,       [HF_H1_ST_CHUNK_EXTENSION] = on_extension,
    [HF_H1_ST_CHUNK_LINE_LF] = on_line_lf, [HF_H1_ST_CHUNK_DATA_CR] = on_data_cr,
    [HF_H1_ST_CHUNK_DATA_LF] = on_data_lf, [HF_H1_ST_FAILED] = NULL,
};

/* Reads framing until there is data, trailers, or no more input. */
static enum hf_http_fault read_framing(struct hf_h1 *h1, struct hf_bytes in, size_t *used)
{
    while (*used < in.len && on_byte[h1->state]) {
        enum hf_http_fault fault = on_byte[h1->state](h1, in.ptr[(*used)++]);
        if (fault) {
            return fault;
        }
    }
    return HF_HTTP_FAULT_NONE;
}

/* --- Data and trailers --------------------------------------------------------------------------
 */

static enum hf_h1_step take_data(struct hf_h1 *h1, struct hf_bytes in, size_t *used,
                                 struct hf_bytes *out)
{
    size_t n = in.len - *used;
    if (n == 0) {
        return HF_H1_MORE;
    }
    if (h1->state != HF_H1_ST_UNTIL_EOF) {
        n = n < h1->left ? n : (size_t)h1->left;
        h1->left -= n;
        if (h1->left == 0) {
            h1->state = h1->state == HF_H1_ST_COUNTED ? HF_H1_ST_END : HF_H1_ST_CHUNK_DATA_CR;
        }
    } else if (h1->head.framing == HF_H1_CLOSE && over_body_max(h1, n)) {
        return hf_h1_fail(h1, HF_HTTP_FAULT_BODY_TOO_LARGE);
    }
    *out = hf_bytes_of(in.ptr + *used, n);
    *used += n;
    h1->body_len += n;
    return HF_H1_DATA;
}

static enum hf_http_fault take_trailer(struct hf_h1 *h1, const uint8_t *base, struct hf_bytes line)
{
    const unsigned forbidden = HF_FIELD_FRAMING | HF_FIELD_NO_TRAILER | HF_FIELD_HOP;
    enum hf_http_fault fault = hf_h1_field(h1, base, line);
    if (fault == HF_HTTP_FAULT_NONE && (h1->fields[h1->n_fields - 1].traits & forbidden)) {
        return HF_HTTP_FAULT_TRAILER_FORBIDDEN;
    }
    return fault;
}

/* Lines are counted from where the trailers start; fields in the end from in.ptr. */
static enum hf_h1_step take_trailers(struct hf_h1 *h1, struct hf_bytes in, size_t *used)
{
    const struct hf_h1_section section = {h1->limits->field_max, HF_HTTP_FAULT_FIELD_TOO_LONG,
                                          h1->limits->trailers_max,
                                          HF_HTTP_FAULT_TRAILERS_TOO_LARGE};
    struct hf_bytes trailers = hf_bytes_from(in, *used);
    struct hf_bytes line;
    enum hf_h1_step step;
    while ((step = hf_h1_line(h1, trailers, &section, &line)) == HF_H1_DATA && line.len) {
        enum hf_http_fault fault = take_trailer(h1, trailers.ptr, line);
        if (fault) {
            return hf_h1_fail(h1, fault);
        }
    }
    if (step != HF_H1_DATA) {
        return step;
    }
    for (size_t i = 0; i < h1->n_fields; i++) {
        h1->fields[i].name_at += (uint32_t)*used;
        h1->fields[i].value_at += (uint32_t)*used;
    }
    *used += h1->line_at;
    h1->state = HF_H1_ST_END;
    return HF_H1_END;
}

enum hf_h1_step hf_h1_body(struct hf_h1 *h1, struct hf_bytes in, size_t *out_used,
                           struct hf_bytes *out_data)
{
    *out_used = 0;
    *out_data = hf_bytes_of(NULL, 0);
    assert(h1->state >= HF_H1_ST_BODY);
    if (h1->state == HF_H1_ST_BODY) {
        begin_body(h1);
    }
    enum hf_http_fault fault = read_framing(h1, in, out_used);
    if (fault) {
        return hf_h1_fail(h1, fault);
    }
    switch (h1->state) {
    case HF_H1_ST_COUNTED:
    case HF_H1_ST_UNTIL_EOF:
    case HF_H1_ST_CHUNK_DATA:
        return take_data(h1, in, out_used, out_data);
    case HF_H1_ST_TRAILERS:
        return take_trailers(h1, in, out_used);
    case HF_H1_ST_END:
        return HF_H1_END;
    case HF_H1_ST_FAILED:
        return HF_H1_FAILED;
    default:
        return HF_H1_MORE;
    }
}

enum hf_h1_step hf_h1_eof(struct hf_h1 *h1)
{
    if (h1->state == HF_H1_ST_BODY) {
        begin_body(h1);
    }
    switch (h1->state) {
    case HF_H1_ST_START:
        return h1->scan_at == h1->line_at ? HF_H1_END : hf_h1_fail(h1, HF_HTTP_FAULT_TRUNCATED);
    case HF_H1_ST_UNTIL_EOF:
    case HF_H1_ST_END:
        h1->state = HF_H1_ST_END;
        return HF_H1_END;
    case HF_H1_ST_FAILED:
        return HF_H1_FAILED;
    default:
        return hf_h1_fail(h1, HF_HTTP_FAULT_TRUNCATED);
    }
}

void hf_h1_tunnel(struct hf_h1 *h1)
{
    assert(h1->state == HF_H1_ST_END || h1->state == HF_H1_ST_BODY);
    h1->head.framing = HF_H1_TUNNEL;
    h1->state = HF_H1_ST_UNTIL_EOF;
}
