// SPDX-License-Identifier: Apache-2.0
#ifndef HF_HTTP_MSG_IMPL_H
#define HF_HTTP_MSG_IMPL_H

/* The inside of struct hf_http_msg, shared by its files and by nobody else. */

#include "http/msg.h"

/* hf_http_msg_room makes room for n bytes of text. The views (four at most) may be of the message
 * itself, and then follow the text when it moves. */
enum hf_err hf_http_msg_room(struct hf_http_msg *msg, size_t n, struct hf_bytes **views,
                             size_t n_views) HF_MUST_CHECK;

/* hf_http_msg_push appends text for which there is room. */
struct hf_http_slice hf_http_msg_push(struct hf_http_msg *msg, struct hf_bytes bytes);

/* hf_http_msg_lower puts a piece of the text in lower case. */
void hf_http_msg_lower(struct hf_http_msg *msg, struct hf_http_slice slice);

/* hf_http_msg_fill_path gives "http://host" the path "/", or OPTIONS its asterisk (RFC 9112 3.2.4).
 * There is room for one byte. */
void hf_http_msg_fill_path(struct hf_http_msg *msg);

/* hf_http_msg_field_room makes room for n more fields. */
enum hf_err hf_http_msg_field_room(struct hf_http_msg *msg, size_t n) HF_MUST_CHECK;

/* Fields that have a place of their own, or are for one hop: never in msg->fields. */
bool hf_http_msg_is_kept_out(enum hf_http_name name, unsigned traits);

#endif
