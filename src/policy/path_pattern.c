// SPDX-License-Identifier: Apache-2.0
/*
 * A compiled pattern is text in which a zero byte is a star; a segment of two zero bytes is any
 * number of segments. Matching goes segment by segment, both sides beginning with the slash before
 * a segment. When a segment doesn't fit, only the last "**" is tried again with one segment more:
 * whatever an earlier one could still take, the later one can take as well.
 */
#include "policy/path_pattern.h"

#include <string.h>

#include "policy/glob.h"

static const uint8_t any_segments[] = {HF_GLOB_STAR, HF_GLOB_STAR};

static bool is_any_segments(struct hf_bytes segment)
{
    return hf_bytes_eq(segment, hf_bytes_of(any_segments, sizeof(any_segments)));
}

/* The segment behind the slash at the front, up to the next slash or the end. */
static struct hf_bytes segment_at(struct hf_bytes text, size_t at)
{
    struct hf_bytes rest = hf_bytes_from(text, at + 1);
    const uint8_t *end = rest.len ? memchr(rest.ptr, '/', rest.len) : NULL;
    return end ? hf_bytes_of(rest.ptr, (size_t)(end - rest.ptr)) : rest;
}

/* --- Compiling ----------------------------------------------------------------------------------
 */

static bool is_hex_upper(uint8_t byte)
{
    return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'F');
}

static bool is_unreserved(unsigned byte)
{
    return byte < 0x80 && byte &&
           (hf_byte_in((uint8_t)byte, "-._~") || (byte >= '0' && byte <= '9') ||
            (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z'));
}

static unsigned hex_value(uint8_t byte)
{
    return byte <= '9' ? byte - (unsigned)'0' : byte - (unsigned)'A' + 10;
}

/* A path in normal form has its escapes in upper case, and none for what needs none. */
static enum hf_err check_escape(struct hf_bytes rest)
{
    if (rest.len < 3 || !is_hex_upper(rest.ptr[1]) || !is_hex_upper(rest.ptr[2])) {
        return hf_fail(HF_E_INVALID, "after %% come two digits of 0-9 and A-F, such as %%2C");
    }
    unsigned byte = hex_value(rest.ptr[1]) * 16 + hex_value(rest.ptr[2]);
    if (is_unreserved(byte)) {
        return hf_fail(HF_E_INVALID,
                       "%%%.2s would never match: paths have the character itself "
                       "there; write %c",
                       (const char *)rest.ptr + 1, (int)byte);
    }
    return HF_OK;
}

static enum hf_err check_bytes(struct hf_bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.ptr[i];
        if (byte == '?' || byte == '#') {
            return hf_fail(HF_E_INVALID, "a path ends before \"%c\"; match the rest with query",
                           byte);
        }
        if (byte <= ' ' || byte >= 0x7f) {
            return hf_fail(HF_E_INVALID,
                           "spaces and characters outside ASCII stand percent-"
                           "encoded in paths; write %%%02X for that one",
                           byte);
        }
        if (byte == '%') {
            HF_TRY(check_escape(hf_bytes_from(text, i)));
        }
    }
    return HF_OK;
}

static enum hf_err check_segment(struct hf_bytes segment, bool last)
{
    if (segment.len == 0 && !last) {
        return hf_fail(HF_E_INVALID, "two slashes in a row; write one");
    }
    if (hf_bytes_eq_str(segment, ".") || hf_bytes_eq_str(segment, "..")) {
        return hf_fail(HF_E_INVALID,
                       "\".\" and \"..\" are resolved before paths are matched; write "
                       "the path without them");
    }
    return HF_OK;
}

static enum hf_err add_segment(struct hf_path_pattern *pattern, struct hf_bytes segment)
{
    HF_TRY(hf_buf_u8(&pattern->text, '/'));
    if (hf_bytes_eq_str(segment, "**")) {
        pattern->stars = true;
        return hf_buf_append(&pattern->text, hf_bytes_of(any_segments, sizeof(any_segments)));
    }
    size_t before = hf_buf_len(&pattern->text);
    HF_TRY(hf_glob_compile(segment, &pattern->text));
    pattern->stars |= hf_glob_has_star(hf_bytes_from(hf_buf_bytes(&pattern->text), before));
    return HF_OK;
}

static enum hf_err compile(struct hf_path_pattern *pattern, struct hf_bytes text)
{
    for (size_t at = 0; at < text.len;) {
        struct hf_bytes segment = segment_at(text, at);
        size_t next = at + 1 + segment.len;
        bool last = next >= text.len;
        HF_TRY(check_segment(segment, last));
        if (last && segment.len == 0) {
            pattern->subtree = true;
            return HF_OK;
        }
        HF_TRY(add_segment(pattern, segment));
        at = next;
    }
    return HF_OK;
}

enum hf_err hf_path_pattern_init(struct hf_path_pattern *pattern, struct hf_bytes text)
{
    *pattern = (struct hf_path_pattern){.text = HF_BUF_INIT(HF_PATH_PATTERN_MAX)};
    if (text.len == 0 || text.ptr[0] != '/') {
        return hf_fail(HF_E_INVALID, "a path begins with \"/\"");
    }
    if (text.len > HF_PATH_PATTERN_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "a path of more than %d bytes", HF_PATH_PATTERN_MAX);
    }
    HF_TRY(check_bytes(text));
    return compile(pattern, text);
}

void hf_path_pattern_done(struct hf_path_pattern *pattern)
{
    hf_buf_done(&pattern->text);
}

/* --- Matching -----------------------------------------------------------------------------------
 */

static bool match_plain(const struct hf_path_pattern *pattern, struct hf_bytes path,
                        size_t *out_len)
{
    struct hf_bytes text = hf_buf_bytes(&pattern->text);
    if (path.len < text.len || (text.len && memcmp(path.ptr, text.ptr, text.len) != 0)) {
        return false;
    }
    *out_len = pattern->subtree ? text.len : HF_PATH_WHOLE;
    return path.len == text.len || (pattern->subtree && path.ptr[text.len] == '/');
}

static bool match_segment(struct hf_bytes pattern, struct hf_bytes segment)
{
    bool needs_something = pattern.len > 0;
    return !(needs_something && segment.len == 0) && hf_glob_match(pattern, segment, 0);
}

static bool match_stars(const struct hf_path_pattern *pattern, struct hf_bytes path,
                        size_t *out_len)
{
    struct hf_bytes text = hf_buf_bytes(&pattern->text);
    size_t p = 0;
    size_t at = 0;
    size_t again_p = SIZE_MAX; /* behind the last "**" */
    size_t again_at = 0;       /* where its share ends */
    for (;;) {
        if (p == text.len && (at == path.len || pattern->subtree)) {
            *out_len = pattern->subtree ? at : HF_PATH_WHOLE;
            return true;
        }
        struct hf_bytes wanted = p < text.len ? segment_at(text, p) : hf_bytes_of("", 0);
        struct hf_bytes given = at < path.len ? segment_at(path, at) : hf_bytes_of("", 0);
        if (p < text.len && is_any_segments(wanted)) {
            p += 1 + wanted.len;
            again_p = p;
            again_at = at;
        } else if (p < text.len && at < path.len && match_segment(wanted, given)) {
            p += 1 + wanted.len;
            at += 1 + given.len;
        } else if (again_p != SIZE_MAX && again_at < path.len) {
            again_at += 1 + segment_at(path, again_at).len;
            at = again_at;
            p = again_p;
        } else {
            return false;
        }
    }
}

bool hf_path_pattern_match(const struct hf_path_pattern *pattern, struct hf_bytes path,
                           size_t *out_len)
{
    *out_len = 0;
    if (path.len == 0 || path.ptr[0] != '/') {
        return false;
    }
    return pattern->stars ? match_stars(pattern, path, out_len)
                          : match_plain(pattern, path, out_len);
}

bool hf_path_pattern_covers(const struct hf_path_pattern *a, const struct hf_path_pattern *b)
{
    struct hf_bytes wide = hf_buf_bytes(&a->text);
    struct hf_bytes narrow = hf_buf_bytes(&b->text);
    if (hf_bytes_eq(wide, narrow)) {
        return a->subtree || !b->subtree;
    }
    bool prefix = !a->stars && a->subtree && narrow.len > wide.len &&
                  (wide.len == 0 || memcmp(wide.ptr, narrow.ptr, wide.len) == 0);
    return prefix && narrow.ptr[wide.len] == '/';
}
