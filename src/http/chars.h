// SPDX-License-Identifier: Apache-2.0
#ifndef HF_HTTP_CHARS_H
#define HF_HTTP_CHARS_H

/* Which byte may stand where in HTTP/1.1: one table of classes, built at compile time. */

#include "base/bytes.h"

enum hf_http_class {
    HF_CHAR_TOKEN = 1,  /* tchar, RFC 9110 5.6.2 */
    HF_CHAR_VALUE = 2,  /* in a field value: VCHAR, obs-text, SP, HTAB; RFC 9110 5.5 */
    HF_CHAR_PATH = 4,   /* in a path: RFC 3986 pchar and "/", and [ ] | as browsers send them raw */
    HF_CHAR_QUERY = 8,  /* in a query: the same, and ? { } ^ ` \ */
    HF_CHAR_HOST = 16,  /* in a name or IPv4 address: letters, digits, - . _ */
    HF_CHAR_HEX = 32,   /* 0-9 a-f A-F */
    HF_CHAR_DIGIT = 64, /* 0-9 */
    HF_CHAR_PLAIN = 128 /* unreserved, RFC 3986 2.3: the same whether percent-encoded or not */
};

extern const uint8_t hf_http_classes[256];

/* The letter in lower case for letters, "-" for "_", every other byte as it is. */
extern const uint8_t hf_http_folded[256];

static inline bool hf_http_is(uint8_t byte, enum hf_http_class wanted)
{
    return (hf_http_classes[byte] & wanted) != 0;
}

/* hf_http_span counts the bytes at the front that are all of the wanted class. */
size_t hf_http_span(struct hf_bytes text, enum hf_http_class wanted);

/* hf_http_value_span is hf_http_span for HF_CHAR_VALUE, eight bytes at a time. */
size_t hf_http_value_span(struct hf_bytes text);

/* hf_http_hex_digit gives 0-15 for a byte of HF_CHAR_HEX. */
static inline unsigned hf_http_hex_digit(uint8_t byte)
{
    return byte <= '9' ? (unsigned)(byte - '0') : (byte | 0x20u) - 'a' + 10u;
}

/* hf_http_eq compares two texts without regard to the case of ASCII letters. */
bool hf_http_eq(struct hf_bytes a, struct hf_bytes b);
bool hf_http_eq_str(struct hf_bytes a, const char *text);

/* hf_http_trim takes optional white space (SP, HTAB) off both ends. */
struct hf_bytes hf_http_trim(struct hf_bytes text);

/*
 * hf_http_list_next takes the next element off a comma-separated list (RFC 9110 5.6.1), trimmed;
 * empty elements are passed over. False when there is no more. Quoted strings are not understood:
 * for lists of tokens.
 */
bool hf_http_list_next(struct hf_bytes *rest, struct hf_bytes *out);

#endif
