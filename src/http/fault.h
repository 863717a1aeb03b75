// SPDX-License-Identifier: Apache-2.0
#ifndef HF_HTTP_FAULT_H
#define HF_HTTP_FAULT_H

#include <stdint.h>

/*
 * What can be wrong with an HTTP message: one table. Columns: id, stable code (logs, metrics,
 * JSON), the status that a server answers it with, what it means. After any of these the connection
 * is closed, for where the next message starts is no longer certain. From an upstream they all
 * become 502.
 */
#define HF_HTTP_FAULT_TABLE(X) \
    X(NONE, "none", 0, "nothing is wrong") \
    X(REQUEST_LINE, "request-line", 400, "the request line is not METHOD SP TARGET SP HTTP/1.x") \
    X(METHOD, "method", 400, "the method is not a token of acceptable length") \
    X(TARGET, "target", 400, "the request target is malformed, or of a form its method hasn't") \
    X(LINE_TOO_LONG, "request-line-too-long", 414, "the request line is longer than the limit") \
    X(VERSION, "version", 505, "the version is not HTTP/1.1 or HTTP/1.0") \
    X(STATUS_LINE, "status-line", 502, "the status line is not HTTP/1.x SP NNN") \
    X(BARE_LF, "bare-lf", 400, "a line ends in LF without CR") \
    X(BARE_CR, "bare-cr", 400, "a CR stands without LF") \
    X(CONTROL, "control-character", 400, "a NUL or other control character in the head") \
    X(FIELD_NAME, "field-name", 400, "a field name is empty or not a token") \
    X(SPACE_BEFORE_COLON, "space-before-colon", 400, \
      "white space between a field name and its colon") \
    X(FOLD, "folded-line", 400, "a field line begins with white space (obs-fold)") \
    X(FIELD_TOO_LONG, "field-too-long", 431, "a field line is longer than the limit") \
    X(HEAD_TOO_LARGE, "head-too-large", 431, "the head is larger than the limit") \
    X(TOO_MANY_FIELDS, "too-many-fields", 431, "more fields than the limit") \
    X(UNDERSCORE, "underscore-name", 400, \
      "a framing or routing field is spelled with an underscore") \
    X(NO_HOST, "no-host", 400, "an HTTP/1.1 request without Host") \
    X(HOST_REPEATED, "host-repeated", 400, "more than one Host") \
    X(HOST, "host", 400, "Host is not a name or address with an optional port") \
    X(HOST_MISMATCH, "host-mismatch", 400, "Host differs from the authority in the target") \
    X(PSEUDO, "pseudo-field", 400, \
      "a pseudo field is unknown, repeated, missing, or behind other fields") \
    X(HOP_FIELD, "connection-field", 400, \
      "a field of the connection (Connection, Upgrade, TE other than trailers), in HTTP/2") \
    X(NO_AUTHORITY, "no-authority", 400, "a request with neither :authority nor Host") \
    X(SCHEME, "scheme", 400, "the scheme is neither http nor https") \
    X(LENGTH, "content-length", 400, "Content-Length is not a plain decimal number") \
    X(LENGTH_REPEATED, "content-length-repeated", 400, "more than one Content-Length") \
    X(TWO_FRAMINGS, "two-framings", 400, "both Content-Length and Transfer-Encoding") \
    X(CODING, "transfer-coding", 501, "a transfer coding other than chunked alone") \
    X(CODING_REPEATED, "transfer-encoding-repeated", 400, "more than one Transfer-Encoding") \
    X(CODING_VERSION, "transfer-encoding-in-1.0", 400, "Transfer-Encoding in an HTTP/1.0 message") \
    X(CONTENT_FORBIDDEN, "content-forbidden", 400, "content where the message may have none") \
    X(CONNECTION, "connection", 400, \
      "Connection is malformed, too long, or names a framing or routing field") \
    X(EXPECT, "expectation", 417, "an expectation other than 100-continue") \
    X(CHUNK_SIZE, "chunk-size", 400, "a chunk size is not a hexadecimal number in range") \
    X(CHUNK_EXTENSION, "chunk-extension", 400, \
      "a chunk extension is malformed or larger than the limit") \
    X(CHUNK_END, "chunk-end", 400, "a chunk is not followed by CRLF") \
    X(TRAILER_FORBIDDEN, "trailer-forbidden", 400, \
      "a field in the trailers that may not be there") \
    X(TRAILERS_TOO_LARGE, "trailers-too-large", 431, "the trailers are larger than the limit") \
    X(BODY_TOO_LARGE, "body-too-large", 413, "the body is larger than the limit") \
    X(TRUNCATED, "truncated", 400, "the connection was closed within a message") \
    X(TOO_MANY_INTERIM, "too-many-interim", 502, "more interim (1xx) responses than the limit") \
    X(SWITCH_UNASKED, "switch-unasked", 502, "101 to a request that did not ask for an upgrade")

#define HF_HTTP_FAULT_ENUM(id, code, status, text) HF_HTTP_FAULT_##id,
enum hf_http_fault { HF_HTTP_FAULT_TABLE(HF_HTTP_FAULT_ENUM) HF_HTTP_FAULT_N };
#undef HF_HTTP_FAULT_ENUM

const char *hf_http_fault_code(enum hf_http_fault fault);
const char *hf_http_fault_text(enum hf_http_fault fault);
uint16_t hf_http_fault_status(enum hf_http_fault fault);

#endif
