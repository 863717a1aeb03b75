// SPDX-License-Identifier: Apache-2.0
/*
 * A request from HTTP/1.1 to HTTP/2 and back. What the strict reader accepts must pass hf_http_msg_
 * check, be sent by the HTTP/2 client, be accepted by the server, and be the same message there.
 */
#include "fuzz.h"
#include "h2_owner.h"
#include "http/msg_h1.h"

enum { FIELDS = 90 };

static void carry(struct h2_owner *from, struct hf_h2 *to)
{
    struct hf_bytes bytes;
    h2_owner_feed(from, hf_bytes_of("", 0), 1, true);
    bytes = hf_buf_bytes(&from->out);
    need(hf_h2_feed(to, bytes, 0) == HF_OK);
    hf_buf_reset(&from->out);
}

/* The message as the server is told of it must be written the same; on_head does the rest. */
static void through_h2(struct hf_http_msg *msg)
{
    static struct h2_owner client, server;
    struct hf_h2_stream *stream;
    h2_owner_init(&client, false, false);
    h2_owner_init(&server, true, false);
    server.config.limits.head_max = 256 << 10;
    carry(&client, server.h2);
    carry(&server, client.h2);
    bool end = msg->body == HF_BODY_NONE && !msg->protocol.len;
    bool has_authority = msg->authority.len > 0;
    enum hf_err err = hf_h2_request(client.h2, &stream, msg, end, NULL);
    need(err == HF_OK || err == HF_E_TOO_LARGE);
    if (err == HF_OK) {
        client.n_open++;
        need(hf_http_msg_join_cookies(msg) == HF_OK);
        carry(&client, server.h2);
        struct hf_bytes events = hf_buf_bytes(&server.events);
        need(events.len > 5 && (events.ptr[0] == 'h') == has_authority);
        need(!has_authority || server.n_open == 1);
    }
    h2_owner_done(&client);
    h2_owner_done(&server);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct hf_http_field fields[FIELDS];
    struct hf_http_msg_pool msgs;
    struct hf_h1 h1;
    struct hf_bytes in = hf_bytes_of(data, size);
    hf_http_msg_pool_init(&msgs, 128 << 10, 200);
    hf_h1_init(&h1, HF_H1_REQUESTS, &hf_h1_limits_default, fields, FIELDS);
    if (hf_h1_head(&h1, in) == HF_H1_HEAD) {
        struct hf_http_msg *msg = hf_http_msg_pool_get(&msgs);
        need(hf_http_msg_from_h1(msg, &h1, hf_bytes_of(in.ptr, h1.head.len), "https") == HF_OK);
        if (msg->authority.len > 0) { /* HTTP/1.0 may go without */
            same_after_h1(msg, &msgs, HF_METHOD_OTHER);
        }
        through_h2(msg);
        hf_http_msg_pool_put(&msgs, msg);
    }
    hf_http_msg_pool_done(&msgs);
    return 0;
}
