// SPDX-License-Identifier: Apache-2.0
#include "http/query.h"

#include <string.h>

#include "http/chars.h"

static bool is_escape(struct hf_bytes text)
{
    return text.len >= 3 && text.ptr[0] == '%' && hf_http_is(text.ptr[1], HF_CHAR_HEX) &&
           hf_http_is(text.ptr[2], HF_CHAR_HEX);
}

enum hf_err hf_http_percent_decode(struct hf_bytes text, bool plus, struct hf_buf *out)
{
    while (text.len) {
        uint8_t byte = text.ptr[0];
        size_t used = 1;
        if (is_escape(text)) {
            byte = (uint8_t)(hf_http_hex_digit(text.ptr[1]) * 16 + hf_http_hex_digit(text.ptr[2]));
            used = 3;
        } else if (byte == '%') {
            return hf_fail(HF_E_MALFORMED, "%% is not followed by two hexadecimal digits");
        } else if (byte == '+' && plus) {
            byte = ' ';
        }
        HF_TRY(hf_buf_u8(out, byte));
        text = hf_bytes_from(text, used);
    }
    return HF_OK;
}

enum hf_err hf_http_percent_encode(struct hf_bytes text, struct hf_buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        bool plain = hf_http_is(text.ptr[i], HF_CHAR_PLAIN);
        HF_TRY(plain ? hf_buf_u8(out, text.ptr[i]) : hf_buf_printf(out, "%%%02X", text.ptr[i]));
    }
    return HF_OK;
}

/* Takes the piece before the next separator off the front. */
static struct hf_bytes take_until(struct hf_bytes *rest, char separator)
{
    const uint8_t *end = rest->len ? memchr(rest->ptr, separator, rest->len) : NULL;
    struct hf_bytes piece = hf_bytes_of(rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len);
    *rest = hf_bytes_from(*rest, piece.len + 1);
    return piece;
}

enum hf_err hf_http_query_get(struct hf_bytes query, const char *name, bool *out_found,
                              struct hf_buf *out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf decoded = HF_BUF_INIT(query.len);
    *out_found = false;
    while (query.len && !*out_found) {
        struct hf_bytes value = take_until(&query, '&');
        struct hf_bytes key = take_until(&value, '=');
        hf_buf_reset(&decoded);
        HF_TRY(hf_http_percent_decode(key, true, &decoded));
        if (hf_bytes_eq_str(hf_buf_bytes(&decoded), name)) {
            HF_TRY(hf_http_percent_decode(value, true, out));
            *out_found = true;
        }
    }
    return HF_OK;
}
