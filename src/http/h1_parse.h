// SPDX-License-Identifier: Apache-2.0
#ifndef HF_HTTP_H1_PARSE_H
#define HF_HTTP_H1_PARSE_H

/* The inside of the HTTP/1.1 reader, shared by its files and by nobody else. */

#include "http/h1.h"

enum hf_h1_state {
    HF_H1_ST_START, /* before and within the first line */
    HF_H1_ST_FIELDS,
    HF_H1_ST_BODY,        /* the head is done, nothing of the body was asked for */
    HF_H1_ST_COUNTED,     /* `left` bytes of body to come */
    HF_H1_ST_UNTIL_EOF,   /* body or tunnel until the peer closes */
    HF_H1_ST_CHUNK_SIZE,  /* digits */
    HF_H1_ST_CHUNK_SPACE, /* after them, before a semicolon */
    HF_H1_ST_CHUNK_NAME,  /* after the semicolon: an extension's name must begin */
    HF_H1_ST_CHUNK_EXTENSION,
    HF_H1_ST_CHUNK_LINE_LF, /* the LF that ends the size line */
    HF_H1_ST_CHUNK_DATA,
    HF_H1_ST_CHUNK_DATA_CR,
    HF_H1_ST_CHUNK_DATA_LF,
    HF_H1_ST_TRAILERS,
    HF_H1_ST_END,
    HF_H1_ST_FAILED,
};

/* hf_h1_fail records the fault and ends the parser. */
enum hf_h1_step hf_h1_fail(struct hf_h1 *h1, enum hf_http_fault fault);

/* What a section of lines (head, trailers) may hold at most, and what passing it is. */
struct hf_h1_section {
    uint32_t line_max;
    enum hf_http_fault line_fault;
    uint32_t total_max;
    enum hf_http_fault total_fault;
};

/* hf_h1_line takes the next line off a section that starts at in.ptr, without its CRLF. HF_H1_DATA:
 * *out is a line; HF_H1_MORE; HF_H1_FAILED. */
enum hf_h1_step hf_h1_line(struct hf_h1 *h1, struct hf_bytes in,
                           const struct hf_h1_section *section, struct hf_bytes *out);

/* hf_h1_bad_byte is the fault that a forbidden byte is: one of its own, or `otherwise`. */
enum hf_http_fault hf_h1_bad_byte(uint8_t byte, enum hf_http_fault otherwise);

/* hf_h1_field takes a field line apart and appends it to h1->fields; base is where offsets count
 * from. */
enum hf_http_fault hf_h1_field(struct hf_h1 *h1, const uint8_t *base, struct hf_bytes line);

/* hf_h1_request_line and hf_h1_status_line fill h1->head. */
enum hf_http_fault hf_h1_request_line(struct hf_h1 *h1, const uint8_t *base, struct hf_bytes line);
enum hf_http_fault hf_h1_status_line(struct hf_h1 *h1, const uint8_t *base, struct hf_bytes line);

/* hf_h1_meaning applies what the last field says about the message; hf_h1_conclude what they all
 * say together: framing, host, persistence. */
enum hf_http_fault hf_h1_meaning(struct hf_h1 *h1, struct hf_bytes in);
enum hf_http_fault hf_h1_conclude(struct hf_h1 *h1, struct hf_bytes in);

static inline struct hf_http_slice hf_h1_slice(const uint8_t *base, struct hf_bytes part)
{
    return part.len ? (struct hf_http_slice){(uint32_t)(part.ptr - base), (uint32_t)part.len}
                    : (struct hf_http_slice){0};
}

#endif
