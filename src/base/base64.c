// SPDX-License-Identifier: Apache-2.0
#include "base/base64.h"

#define LETTERS_AND_DIGITS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

struct alphabet {
    uint8_t digit62, digit63;
    bool padded;
    const char *digits;
};

static const struct alphabet standard = {'+', '/', true, LETTERS_AND_DIGITS "+/"};
static const struct alphabet url = {'-', '_', false, LETTERS_AND_DIGITS "-_"};

/* 0 to 63, or 64 for what isn't a digit. */
static unsigned value_of(const struct alphabet *alphabet, uint8_t digit)
{
    return digit >= 'A' && digit <= 'Z'   ? digit - 'A' + 0u
           : digit >= 'a' && digit <= 'z' ? digit - 'a' + 26u
           : digit >= '0' && digit <= '9' ? digit - '0' + 52u
           : digit == alphabet->digit62   ? 62
           : digit == alphabet->digit63   ? 63
                                          : 64;
}

static void put_digits(const struct alphabet *alphabet, uint32_t bits, size_t n, uint8_t **at)
{
    for (size_t j = 0; j < n; j++) {
        *(*at)++ = (uint8_t)alphabet->digits[bits >> (18 - 6 * j) & 63];
    }
}

static enum hf_err encode(const struct alphabet *alphabet, struct hf_bytes bytes,
                          struct hf_buf *out)
{
    struct hf_span room;
    size_t groups = bytes.len / 3, rest = bytes.len % 3;
    size_t len = groups * 4 + (rest == 0 ? 0 : alphabet->padded ? 4 : rest + 1);
    if (len < bytes.len) {
        return hf_fail(HF_E_TOO_LARGE, "too many bytes for base64");
    }
    HF_TRY(hf_buf_reserve(out, len, &room));
    uint8_t *at = room.ptr;
    for (size_t i = 0; i < groups; i++) {
        const uint8_t *three = bytes.ptr + 3 * i;
        put_digits(alphabet, (uint32_t)three[0] << 16 | (uint32_t)three[1] << 8 | three[2], 4, &at);
    }
    if (rest) {
        const uint8_t *last = bytes.ptr + 3 * groups;
        uint32_t bits = (uint32_t)last[0] << 16 | (rest > 1 ? (uint32_t)last[1] << 8 : 0);
        put_digits(alphabet, bits, rest + 1, &at);
        for (size_t j = rest + 1; j < 4 && alphabet->padded; j++) {
            *at++ = '=';
        }
    }
    hf_buf_commit(out, len);
    return HF_OK;
}

static enum hf_err decode(const struct alphabet *alphabet, struct hf_bytes text, struct hf_buf *out)
{
    struct hf_span room;
    if (alphabet->padded) {
        if (text.len % 4 != 0) {
            return hf_fail(HF_E_MALFORMED, "base64 without its padding");
        }
        for (int i = 0; i < 2 && text.len && text.ptr[text.len - 1] == '='; i++) {
            text.len--;
        }
    }
    size_t rest = text.len % 4;
    if (rest == 1) {
        return hf_fail(HF_E_MALFORMED, "base64 of an impossible length");
    }
    size_t len = text.len / 4 * 3 + (rest ? rest - 1 : 0);
    HF_TRY(hf_buf_reserve(out, len, &room));
    uint8_t *at = room.ptr;
    uint32_t bits = 0;
    unsigned n_bits = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned value = value_of(alphabet, text.ptr[i]);
        if (value > 63) {
            return hf_fail(HF_E_MALFORMED, "a byte that isn't base64, at offset %zu", i);
        }
        bits = bits << 6 | value;
        n_bits += 6;
        if (n_bits >= 8) {
            n_bits -= 8;
            *at++ = (uint8_t)(bits >> n_bits);
            bits &= (1u << n_bits) - 1;
        }
    }
    if (bits != 0) {
        return hf_fail(HF_E_MALFORMED, "base64 with bits set beyond its end");
    }
    hf_buf_commit(out, len);
    return HF_OK;
}

enum hf_err hf_base64_encode(struct hf_bytes bytes, struct hf_buf *out)
{
    return encode(&standard, bytes, out);
}

enum hf_err hf_base64url_encode(struct hf_bytes bytes, struct hf_buf *out)
{
    return encode(&url, bytes, out);
}

enum hf_err hf_base64_decode(struct hf_bytes text, struct hf_buf *out)
{
    return decode(&standard, text, out);
}

enum hf_err hf_base64url_decode(struct hf_bytes text, struct hf_buf *out)
{
    return decode(&url, text, out);
}
