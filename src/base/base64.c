// SPDX-License-Identifier: Apache-2.0
#include "base/base64.h"

struct alphabet {
    uint8_t digit62, digit63;
    bool padded;
};

static const struct alphabet standard = {'+', '/', true};
static const struct alphabet url = {'-', '_', false};

static uint8_t digit_of(const struct alphabet *alphabet, unsigned value)
{
    return value < 26    ? (uint8_t)('A' + value)
           : value < 52  ? (uint8_t)('a' + value - 26)
           : value < 62  ? (uint8_t)('0' + value - 52)
           : value == 62 ? alphabet->digit62
                         : alphabet->digit63;
}

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
    for (size_t i = 0; i < bytes.len; i += 3) {
        size_t n = bytes.len - i < 3 ? bytes.len - i : 3;
        uint32_t bits = (uint32_t)bytes.ptr[i] << 16;
        bits |= n > 1 ? (uint32_t)bytes.ptr[i + 1] << 8 : 0;
        bits |= n > 2 ? bytes.ptr[i + 2] : 0;
        for (size_t j = 0; j < n + 1; j++) {
            *at++ = digit_of(alphabet, bits >> (18 - 6 * j) & 63);
        }
        for (size_t j = n + 1; j < 4 && alphabet->padded; j++) {
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
