// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_HTTP_H2_WIRE_H
#define HF_PROXY_HTTP_H2_WIRE_H

/* struct hf_h2_wire joins an HTTP/2 connection to a wire: frames are taken from it at the end of
 * the loop's turn, all streams' together, and only while the socket takes them. */

#include "http/h2.h"
#include "proxy/http/hub.h"

struct hf_h2_wire {
    struct hf_link dirty; /* in the hub's list: there are frames to be taken */
    struct hf_wire *wire;
    struct hf_h2 *h2;
};

void hf_h2_wire_dirty(struct hf_h2_wire *pipe);

/* hf_h2_wire_flush takes frames until there are none or the wire is full. */
void hf_h2_wire_flush(struct hf_h2_wire *pipe);

/* hf_h2_wire_flush_all does so for all dirty ones. */
void hf_h2_wire_flush_all(struct hf_hub *hub);

/* hf_h2_wire_close frees the connection; its streams are told. */
void hf_h2_wire_close(struct hf_h2_wire *pipe);

/* hf_h2_wire_copy makes a copy of trailers that a connection may own. NULL: out of memory. */
struct hf_http_msg *hf_h2_wire_copy(struct hf_hub *hub,
                                    const struct hf_http_msg *trailers) HF_MUST_CHECK;

#endif
