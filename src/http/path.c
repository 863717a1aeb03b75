// SPDX-License-Identifier: Apache-2.0
/*
 * One pass: bytes are decoded and written; where a segment ends it is looked at as a whole, in the
 * form that it was just given, so that %2e%2E and .. are the same.
 */
#include "http/path.h"

#include "http/chars.h"

struct walk {
    const struct hf_http_path_rules *rules;
    struct hf_buf *out;
    size_t base;    /* where this path begins in out */
    size_t segment; /* where the segment begins, behind its slash; both from out's first byte */
};

bool hf_http_path_is_normal(struct hf_bytes path)
{
    uint8_t before = 0;
    for (size_t i = 0; i < path.len; i++) {
        uint8_t byte = path.ptr[i];
        bool odd = byte == '%' || !hf_http_is(byte, HF_CHAR_PATH) ||
                   (before == '/' && (byte == '/' || byte == '.'));
        if (odd) {
            return false;
        }
        before = byte;
    }
    return path.len > 0 && path.ptr[0] == '/';
}

static enum hf_err put(struct walk *walk, uint8_t byte)
{
    return hf_buf_append(walk->out, hf_bytes_of(&byte, 1));
}

static enum hf_err put_encoded(struct walk *walk, uint8_t byte)
{
    static const char digits[] = "0123456789ABCDEF";
    const uint8_t text[3] = {'%', (uint8_t)digits[byte >> 4], (uint8_t)digits[byte & 15]};
    return hf_buf_append(walk->out, hf_bytes_of(text, sizeof(text)));
}

/* A byte that was percent-encoded, or that may not stand in a path as it is. */
static enum hf_err put_decoded(struct walk *walk, uint8_t byte)
{
    if (byte < 0x20 || byte == 0x7f) {
        return hf_fail(HF_E_INVALID, "a control character in the path");
    }
    if ((byte == '/' || byte == '\\') && walk->rules->encoded_slashes == HF_PATH_REFUSE) {
        return hf_fail(HF_E_INVALID, "an encoded slash, or a backslash, in the path");
    }
    return hf_http_is(byte, HF_CHAR_PLAIN) ? put(walk, byte) : put_encoded(walk, byte);
}

/* Takes the last n bytes off. */
static void cut_to(struct walk *walk, size_t len)
{
    walk->out->end = walk->out->start + len;
}

/* Takes off the segment that was ended last, with its slash; "/" itself stays. */
static void cut_parent(struct walk *walk)
{
    size_t at = walk->segment;
    const uint8_t *text = hf_buf_bytes(walk->out).ptr;
    if (at - walk->base > 1) {
        at--; /* the slash that the dots stand behind */
        while (text[at - 1] != '/') {
            at--;
        }
    }
    cut_to(walk, at);
}

/* 1 or 2 for "." and "..", alone or before parameters; 0 for anything else. */
static size_t count_dots(struct hf_bytes segment, bool *parameters)
{
    size_t n = 0;
    while (n < segment.len && n < 3 && segment.ptr[n] == '.') {
        n++;
    }
    *parameters = n < segment.len && segment.ptr[n] == ';';
    return n <= 2 && (n == segment.len || *parameters) ? n : 0;
}

/* The segment is whole; slash: another one follows. */
static enum hf_err end_segment(struct walk *walk, bool slash)
{
    struct hf_bytes segment = hf_bytes_from(hf_buf_bytes(walk->out), walk->segment);
    bool parameters = false;
    size_t n_dots = count_dots(segment, &parameters);
    if (n_dots && (parameters || walk->rules->dots == HF_PATH_REFUSE)) {
        return hf_fail(HF_E_INVALID, "a dot segment in the path");
    }
    if (segment.len == 0 && slash && walk->rules->double_slashes != HF_PATH_KEEP) {
        return walk->rules->double_slashes == HF_PATH_RESOLVE
                   ? HF_OK
                   : hf_fail(HF_E_INVALID, "an empty segment in the path");
    }
    if (n_dots) {
        cut_to(walk, walk->segment);
        if (n_dots == 2) {
            cut_parent(walk);
        }
    } else if (slash) {
        HF_TRY(put(walk, '/'));
    }
    walk->segment = hf_buf_len(walk->out);
    return HF_OK;
}

static enum hf_err put_escape(struct walk *walk, struct hf_bytes rest)
{
    if (rest.len < 3 || !hf_http_is(rest.ptr[1], HF_CHAR_HEX) ||
        !hf_http_is(rest.ptr[2], HF_CHAR_HEX)) {
        return hf_fail(HF_E_INVALID, "a broken percent-encoding in the path");
    }
    return put_decoded(
        walk, (uint8_t)(hf_http_hex_digit(rest.ptr[1]) << 4 | hf_http_hex_digit(rest.ptr[2])));
}

static enum hf_err walk_path(struct walk *walk, struct hf_bytes path)
{
    for (size_t i = 1; i < path.len; i++) {
        uint8_t byte = path.ptr[i];
        if (byte == '/') {
            HF_TRY(end_segment(walk, true));
        } else if (byte == '%') {
            HF_TRY(put_escape(walk, hf_bytes_from(path, i)));
            i += 2;
        } else if (!hf_http_is(byte, HF_CHAR_PATH)) {
            HF_TRY(put_decoded(walk, byte));
        } else {
            HF_TRY(put(walk, byte));
        }
    }
    return end_segment(walk, false);
}

enum hf_err hf_http_path_normalise(struct hf_bytes path, const struct hf_http_path_rules *rules,
                                   struct hf_buf *out)
{
    size_t base = hf_buf_len(out);
    struct walk walk = {.rules = rules, .out = out, .base = base, .segment = base + 1};
    if (path.len == 0 || path.ptr[0] != '/') {
        return hf_fail(HF_E_INVALID, "a path that doesn't begin with a slash");
    }
    enum hf_err err = put(&walk, '/');
    if (err == HF_OK) {
        err = walk_path(&walk, path);
    }
    if (err != HF_OK) {
        cut_to(&walk, base);
    }
    return err;
}
