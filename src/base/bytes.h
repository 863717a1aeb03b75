// SPDX-License-Identifier: Apache-2.0
#ifndef HF_BASE_BYTES_H
#define HF_BASE_BYTES_H

/*
 * Bytes that belong to somebody else, and readers over them.
 *
 * struct hf_bytes is a borrowed read-only view, struct hf_span a borrowed writable one. Neither
 * owns memory; the holder keeps the memory alive for as long as the view is used.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct hf_bytes {
    const uint8_t *ptr;
    size_t len;
};

struct hf_span {
    uint8_t *ptr;
    size_t len;
};

static inline struct hf_bytes hf_bytes_of(const void *ptr, size_t len)
{
    return (struct hf_bytes){(const uint8_t *)ptr, len};
}

static inline struct hf_span hf_span_of(void *ptr, size_t len)
{
    return (struct hf_span){(uint8_t *)ptr, len};
}

static inline struct hf_bytes hf_span_bytes(struct hf_span span)
{
    return (struct hf_bytes){span.ptr, span.len};
}

/* hf_bytes_str views a C string without its terminator. */
struct hf_bytes hf_bytes_str(const char *text);

/* hf_bytes_eq compares contents. Not for secrets: see base/secret.h. */
bool hf_bytes_eq(struct hf_bytes a, struct hf_bytes b);
bool hf_bytes_eq_str(struct hf_bytes a, const char *text);

/* hf_byte_in: is the byte one of these characters? NUL is in no set. */
static inline bool hf_byte_in(uint8_t byte, const char *set)
{
    for (; *set; set++) {
        if ((uint8_t)*set == byte) {
            return true;
        }
    }
    return false;
}

/* hf_bytes_from views what follows the first n bytes; empty when there are fewer. */
struct hf_bytes hf_bytes_from(struct hf_bytes bytes, size_t n);

/*
 * struct hf_reader takes big-endian fields off the front of a view. After any failure the reader
 * stays at the failing field. Errors: HF_E_TRUNCATED (the TLS alert is decode_error).
 */
struct hf_reader {
    struct hf_bytes rest;
};

static inline struct hf_reader hf_reader_of(struct hf_bytes bytes)
{
    return (struct hf_reader){bytes};
}

enum hf_err hf_read_u8(struct hf_reader *reader, uint8_t *out) HF_MUST_CHECK;
enum hf_err hf_read_u16(struct hf_reader *reader, uint16_t *out) HF_MUST_CHECK;
enum hf_err hf_read_u24(struct hf_reader *reader, uint32_t *out) HF_MUST_CHECK;
enum hf_err hf_read_u32(struct hf_reader *reader, uint32_t *out) HF_MUST_CHECK;
enum hf_err hf_read_u64(struct hf_reader *reader, uint64_t *out) HF_MUST_CHECK;
enum hf_err hf_read_bytes(struct hf_reader *reader, size_t len, struct hf_bytes *out) HF_MUST_CHECK;

/* hf_read_vec8/16/24 take a vector with a length prefix of 1, 2 or 3 bytes (RFC 8446 3.4). */
enum hf_err hf_read_vec8(struct hf_reader *reader, struct hf_bytes *out) HF_MUST_CHECK;
enum hf_err hf_read_vec16(struct hf_reader *reader, struct hf_bytes *out) HF_MUST_CHECK;
enum hf_err hf_read_vec24(struct hf_reader *reader, struct hf_bytes *out) HF_MUST_CHECK;

/* hf_read_end fails with HF_E_MALFORMED unless everything was taken. */
enum hf_err hf_read_end(const struct hf_reader *reader) HF_MUST_CHECK;

/* hf_hex writes 2*len lower-case digits and a NUL into out. */
void hf_hex(struct hf_bytes bytes, char *out);

/* hf_unhex decodes exactly 2*out.len digits (either case). Errors: HF_E_MALFORMED. */
enum hf_err hf_unhex(const char *digits, struct hf_span out) HF_MUST_CHECK;

#endif
