// SPDX-License-Identifier: Apache-2.0
#include "policy/params.h"

#include <string.h>

#include "policy/glob.h"

static int hex_digit(uint8_t byte)
{
    if (byte >= '0' && byte <= '9') {
        return byte - '0';
    }
    uint8_t lower = byte | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Decodes %XX and "+" as forms have them. False: broken, too long, or with a zero byte. */
static bool decode(struct hf_bytes text, uint8_t out[static HF_PARAM_MAX], struct hf_bytes *decoded)
{
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        int byte = text.ptr[i] == '+' ? ' ' : text.ptr[i];
        if (byte == '%') {
            int high = text.len - i > 2 ? hex_digit(text.ptr[i + 1]) : -1;
            int low = high >= 0 ? hex_digit(text.ptr[i + 2]) : -1;
            byte = low >= 0 ? high * 16 + low : 0;
            i += 2;
        }
        if (byte == 0 || n == HF_PARAM_MAX) {
            return false;
        }
        out[n++] = (uint8_t)byte;
    }
    *decoded = hf_bytes_of(out, n);
    return true;
}

/* Takes what stands before the separator off the front. */
static struct hf_bytes take(struct hf_bytes *rest, char separator)
{
    size_t n = 0;
    while (n < rest->len && rest->ptr[n] != (uint8_t)separator) {
        n++;
    }
    struct hf_bytes taken = hf_bytes_of(rest->ptr, n);
    *rest = hf_bytes_from(*rest, taken.len + 1);
    return taken;
}

bool hf_params_match(struct hf_bytes query, struct hf_bytes name, struct hf_bytes pattern)
{
    uint8_t storage[HF_PARAM_MAX];
    struct hf_bytes decoded;
    while (query.len) {
        struct hf_bytes value = take(&query, '&');
        struct hf_bytes key = take(&value, '=');
        if (decode(key, storage, &decoded) && hf_bytes_eq(decoded, name) &&
            decode(value, storage, &decoded) && hf_glob_match(pattern, decoded, 0)) {
            return true;
        }
    }
    return false;
}
