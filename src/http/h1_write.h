// SPDX-License-Identifier: Apache-2.0
#ifndef HF_HTTP_H1_WRITE_H
#define HF_HTTP_H1_WRITE_H

/*
 * Writing HTTP/1.1 messages. The writer owns framing: Content-Length, Transfer-Encoding and
 * Connection come from hf_h1_plan and from nothing else, so a message can't be framed two ways.
 *
 *     hf_h1_write_response(&w, out, 200, "") or hf_h1_write_request(&w, out, method, target)
 *     hf_h1_write_field(...)            each
 *     hf_h1_write_head_end(&w, out, &plan)
 *     hf_h1_write_data(...)             any number of times
 *     hf_h1_write_trailer(...)          chunked only, each
 *     hf_h1_write_end(&w, out)
 *
 * Every function appends to out all of its bytes or, on failure, none. Errors: HF_E_INVALID for
 * what would break the message (a line break in a value, a framing field, more or less data than
 * the length said, a body where none may be), HF_E_TOO_LARGE and HF_E_NOMEM from the buffer.
 */

#include "base/buf.h"
#include "http/h1.h"

enum hf_h1_connection {
    HF_H1_CONNECTION_NONE, /* no field: persistent */
    HF_H1_CONNECTION_CLOSE,
    HF_H1_CONNECTION_KEEP_ALIVE, /* said aloud, for an HTTP/1.0 client */
    HF_H1_CONNECTION_UPGRADE,    /* the caller writes Upgrade itself */
};

struct hf_h1_plan {
    enum hf_h1_framing framing; /* HF_H1_CLOSE brings "Connection: close" with it */
    uint64_t length;            /* with HF_H1_LENGTH */
    bool head_only;             /* answer to HEAD, or 304: framing is told, no body follows */
    enum hf_h1_connection connection;
};

struct hf_h1_writer {
    uint8_t state;
    bool request;
    bool head_only;
    uint16_t status;
    enum hf_h1_framing framing;
    uint64_t left; /* of the length, or of an open chunk */
};

enum hf_err hf_h1_write_request(struct hf_h1_writer *writer, struct hf_buf *out,
                                struct hf_bytes method, struct hf_bytes target) HF_MUST_CHECK;

/* hf_h1_write_request_parts is hf_h1_write_request for a target in parts: NULL for no query. */
enum hf_err hf_h1_write_request_parts(struct hf_h1_writer *writer, struct hf_buf *out,
                                      struct hf_bytes method, struct hf_bytes target,
                                      const struct hf_bytes *query) HF_MUST_CHECK;

/* reason NULL: the usual phrase. */
enum hf_err hf_h1_write_response(struct hf_h1_writer *writer, struct hf_buf *out, unsigned status,
                                 const char *reason) HF_MUST_CHECK;

enum hf_err hf_h1_write_field(struct hf_h1_writer *writer, struct hf_buf *out, struct hf_bytes name,
                              struct hf_bytes value) HF_MUST_CHECK;
enum hf_err hf_h1_write_field_str(struct hf_h1_writer *writer, struct hf_buf *out, const char *name,
                                  const char *value) HF_MUST_CHECK;

enum hf_err hf_h1_write_head_end(struct hf_h1_writer *writer, struct hf_buf *out,
                                 const struct hf_h1_plan *plan) HF_MUST_CHECK;

/* hf_h1_write_data appends a piece of the body, as one chunk where chunks are used. */
enum hf_err hf_h1_write_data(struct hf_h1_writer *writer, struct hf_buf *out,
                             struct hf_bytes data) HF_MUST_CHECK;

/*
 * hf_h1_write_data_open and _close are hf_h1_write_data around n bytes that the caller moves by
 * itself; between them nothing else may be written. n is not 0.
 */
enum hf_err hf_h1_write_data_open(struct hf_h1_writer *writer, struct hf_buf *out,
                                  uint64_t n) HF_MUST_CHECK;
enum hf_err hf_h1_write_data_close(struct hf_h1_writer *writer, struct hf_buf *out) HF_MUST_CHECK;

enum hf_err hf_h1_write_trailer(struct hf_h1_writer *writer, struct hf_buf *out,
                                struct hf_bytes name, struct hf_bytes value) HF_MUST_CHECK;
enum hf_err hf_h1_write_end(struct hf_h1_writer *writer, struct hf_buf *out) HF_MUST_CHECK;

/* The most bytes that framing adds to one piece of data. */
#define HF_H1_CHUNK_OVERHEAD 24

#endif
