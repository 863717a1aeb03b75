// SPDX-License-Identifier: Apache-2.0
#include "http/chars.h"

#include <string.h>

#include "http/eight.h"

#define IS_DIGIT(c) ((c) >= '0' && (c) <= '9')
#define IS_UPPER(c) ((c) >= 'A' && (c) <= 'Z')
#define IS_ALPHA(c) (IS_UPPER(c) || ((c) >= 'a' && (c) <= 'z'))
#define IS_ALNUM(c) (IS_DIGIT(c) || IS_ALPHA(c))
#define IS_HEX(c)   (IS_DIGIT(c) || ((c) >= 'A' && (c) <= 'F') || ((c) >= 'a' && (c) <= 'f'))

#define IS_TOKEN(c) \
    (IS_ALNUM(c) || (c) == '!' || ((c) >= '#' && (c) <= '\'') || (c) == '*' || (c) == '+' || \
     (c) == '-' || (c) == '.' || (c) == '^' || (c) == '_' || (c) == '`' || (c) == '|' || \
     (c) == '~')
#define IS_VALUE(c) ((c) == '\t' || ((c) >= ' ' && (c) != 0x7f))
#define IS_PLAIN(c) (IS_ALNUM(c) || (c) == '-' || (c) == '.' || (c) == '_' || (c) == '~')
#define IS_PATH(c) \
    (IS_PLAIN(c) || (c) == '!' || ((c) >= '$' && (c) <= ',') || (c) == '/' || (c) == ':' || \
     (c) == ';' || (c) == '=' || (c) == '@' || (c) == '[' || (c) == ']' || (c) == '|')
#define IS_QUERY(c) \
    (IS_PATH(c) || (c) == '?' || (c) == '{' || (c) == '}' || (c) == '^' || (c) == '`' || \
     (c) == '\\')
#define IS_HOST(c) (IS_ALNUM(c) || (c) == '-' || (c) == '.' || (c) == '_')

#define CLASS(c) \
    (uint8_t)((IS_TOKEN(c) ? HF_CHAR_TOKEN : 0) | (IS_VALUE(c) ? HF_CHAR_VALUE : 0) | \
              (IS_PATH(c) ? HF_CHAR_PATH : 0) | (IS_QUERY(c) ? HF_CHAR_QUERY : 0) | \
              (IS_HOST(c) ? HF_CHAR_HOST : 0) | (IS_HEX(c) ? HF_CHAR_HEX : 0) | \
              (IS_DIGIT(c) ? HF_CHAR_DIGIT : 0) | (IS_PLAIN(c) ? HF_CHAR_PLAIN : 0))
#define FOLDED(c) (uint8_t)(IS_UPPER(c) ? (c) + 32 : (c) == '_' ? '-' : (c))

#define EACH_4(M, c)  M(c), M((c) + 1), M((c) + 2), M((c) + 3)
#define EACH_16(M, c) EACH_4(M, c), EACH_4(M, (c) + 4), EACH_4(M, (c) + 8), EACH_4(M, (c) + 12)
#define EACH_64(M, c) \
    EACH_16(M, c), EACH_16(M, (c) + 16), EACH_16(M, (c) + 32), EACH_16(M, (c) + 48)
#define EACH_BYTE(M) EACH_64(M, 0), EACH_64(M, 64), EACH_64(M, 128), EACH_64(M, 192)

const uint8_t hf_http_classes[256] = {EACH_BYTE(CLASS)};
const uint8_t hf_http_folded[256] = {EACH_BYTE(FOLDED)};

size_t hf_http_span(struct hf_bytes text, enum hf_http_class wanted)
{
    size_t n = 0;
    while (n + 4 <= text.len && hf_http_classes[text.ptr[n]] & hf_http_classes[text.ptr[n + 1]] &
                                    hf_http_classes[text.ptr[n + 2]] &
                                    hf_http_classes[text.ptr[n + 3]] & wanted) {
        n += 4;
    }
    while (n < text.len && hf_http_is(text.ptr[n], wanted)) {
        n++;
    }
    return n;
}

/* Could any of the eight bytes be one that no value may hold (below space, or DEL)? HTAB counts as
 * one here; the caller looks closer. */
static bool any_control(uint64_t eight)
{
    const uint64_t ones = 0x0101010101010101;
    uint64_t below_space = (eight - ones * ' ') & ~eight;
    uint64_t del = eight ^ (ones * 0x7f);
    del = (del - ones) & ~del;
    return ((below_space | del) & (ones << 7)) != 0;
}

size_t hf_http_value_span(struct hf_bytes text)
{
    size_t n = 0;
    while (n + 8 <= text.len) {
        if (any_control(hf_eight_load(text.ptr + n))) {
            size_t some = hf_http_span(hf_bytes_of(text.ptr + n, 8), HF_CHAR_VALUE);
            n += some;
            if (some < 8) {
                return n;
            }
        } else {
            n += 8;
        }
    }
    size_t rest = text.len - n;
    uint8_t tail[8];
    if (rest == 0) {
        return n;
    }
    memset(tail, ' ', sizeof(tail));
    memcpy(tail, text.ptr + n, rest);
    if (!any_control(hf_eight_load(tail))) {
        return text.len;
    }
    return n + hf_http_span(hf_bytes_from(text, n), HF_CHAR_VALUE);
}

static uint8_t lower(uint8_t byte)
{
    return byte == '_' ? '_' : hf_http_folded[byte];
}

bool hf_http_eq(struct hf_bytes a, struct hf_bytes b)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.ptr[i]) != lower(b.ptr[i])) {
            return false;
        }
    }
    return true;
}

bool hf_http_eq_str(struct hf_bytes a, const char *text)
{
    return hf_http_eq(a, hf_bytes_str(text));
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

struct hf_bytes hf_http_trim(struct hf_bytes text)
{
    while (text.len && is_blank(text.ptr[0])) {
        text = hf_bytes_from(text, 1);
    }
    while (text.len && is_blank(text.ptr[text.len - 1])) {
        text.len--;
    }
    return text;
}

bool hf_http_list_next(struct hf_bytes *rest, struct hf_bytes *out)
{
    while (rest->len) {
        const uint8_t *comma = memchr(rest->ptr, ',', rest->len);
        size_t len = comma ? (size_t)(comma - rest->ptr) : rest->len;
        *out = hf_http_trim(hf_bytes_of(rest->ptr, len));
        *rest = hf_bytes_from(*rest, comma ? len + 1 : len);
        if (out->len) {
            return true;
        }
    }
    return false;
}
