// SPDX-License-Identifier: Apache-2.0
#ifndef HF_HTTP_MSG_H1_H
#define HF_HTTP_MSG_H1_H

/* Writing a struct hf_http_msg as an HTTP/1.1 head. */

#include "http/h1_write.h"
#include "http/msg.h"

enum hf_h1_case {
    HF_H1_CASE_TITLE, /* Content-Type */
    HF_H1_CASE_LOWER, /* content-type */
};

/*
 * hf_http_msg_plan derives how the message is to be framed from msg->body and msg->length. asked is
 * the method that a response answers; to_old: the reader speaks HTTP/1.0, so a stream ends with the
 * connection. The caller adds what it knows of `connection`.
 */
struct hf_h1_plan hf_http_msg_plan(const struct hf_http_msg *msg, enum hf_http_method asked,
                                   bool to_old);

/*
 * hf_http_msg_to_h1 appends the whole head, as hf_h1_write_request or _response, _field and
 * _head_end would; the body goes on with `writer`. All or nothing. Upgrade is written when
 * msg->protocol is set and the plan's connection is HF_H1_CONNECTION_UPGRADE. Errors: those of the
 * writer.
 */
enum hf_err hf_http_msg_to_h1(const struct hf_http_msg *msg, struct hf_h1_writer *writer,
                              struct hf_buf *out, const struct hf_h1_plan *plan,
                              enum hf_h1_case names) HF_MUST_CHECK;

/* hf_http_msg_trailers_to_h1 writes each trailer and the end of the message. Those that may not be
 * trailers are left out, and all of them where the framing has no place for any. */
enum hf_err hf_http_msg_trailers_to_h1(const struct hf_http_msg *msg, struct hf_h1_writer *writer,
                                       struct hf_buf *out) HF_MUST_CHECK;

#endif
