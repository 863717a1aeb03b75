// SPDX-License-Identifier: Apache-2.0
#include "policy/glob.h"

#include <string.h>

enum hf_err hf_glob_compile(struct hf_bytes pattern, struct hf_buf *out)
{
    bool after_star = false;
    for (size_t i = 0; i < pattern.len; i++) {
        uint8_t byte = pattern.ptr[i];
        bool star = byte == '*';
        if (star && after_star) {
            return hf_fail(HF_E_INVALID, "\"**\": a star stands for part of one label or segment "
                                         "already; write one, or \\* for the character itself");
        }
        if (byte == '\\') {
            byte = i + 1 < pattern.len ? pattern.ptr[++i] : '\0';
            if (byte != '*' && byte != '\\') {
                return hf_fail(HF_E_INVALID, "a backslash may stand before * and \\ only");
            }
        }
        if (byte == HF_GLOB_STAR) {
            return hf_fail(HF_E_INVALID, "a zero byte is in no name");
        }
        HF_TRY(hf_buf_u8(out, star ? HF_GLOB_STAR : byte));
        after_star = star;
    }
    return HF_OK;
}

bool hf_glob_has_star(struct hf_bytes pattern)
{
    return pattern.len && memchr(pattern.ptr, HF_GLOB_STAR, pattern.len);
}

static uint8_t fold(uint8_t byte, unsigned flags)
{
    bool upper = byte >= 'A' && byte <= 'Z';
    return upper && (flags & HF_GLOB_FOLD) ? byte + 32 : byte;
}

/* Only the last star seen is ever tried again with more: whatever an earlier one could still take,
 * the later one can take as well. */
bool hf_glob_match(struct hf_bytes pattern, struct hf_bytes text, unsigned flags)
{
    size_t p = 0;
    size_t t = 0;
    size_t star = SIZE_MAX;
    size_t taken = 0; /* where in text the last star's share ends */
    while (t < text.len) {
        if (p < pattern.len && pattern.ptr[p] == HF_GLOB_STAR) {
            star = p++;
            taken = t;
        } else if (p < pattern.len && fold(pattern.ptr[p], flags) == fold(text.ptr[t], flags)) {
            p++;
            t++;
        } else if (star != SIZE_MAX) {
            p = star + 1;
            t = ++taken;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == HF_GLOB_STAR) {
        p++;
    }
    return p == pattern.len;
}

/* Takes the piece before the next separator off the front; *out_at is that separator, or zero. */
static struct hf_bytes take_segment(struct hf_bytes *rest, const char *separators, char *out_at)
{
    size_t n = 0;
    while (n < rest->len && (rest->ptr[n] == '\0' || !strchr(separators, rest->ptr[n]))) {
        n++;
    }
    struct hf_bytes segment = hf_bytes_of(rest->ptr, n);
    *out_at = n < rest->len ? (char)rest->ptr[n] : '\0';
    *rest = hf_bytes_from(*rest, n + 1);
    return segment;
}

bool hf_glob_match_segments(struct hf_bytes pattern, struct hf_bytes text, const char *separators,
                            unsigned flags)
{
    char end_of_pattern;
    char end_of_text;
    do {
        struct hf_bytes wanted = take_segment(&pattern, separators, &end_of_pattern);
        struct hf_bytes given = take_segment(&text, separators, &end_of_text);
        if (end_of_pattern != end_of_text || (wanted.len && given.len == 0) ||
            !hf_glob_match(wanted, given, flags)) {
            return false;
        }
    } while (end_of_pattern != '\0');
    return true;
}
