// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TESTS_H2_PAIR_H
#define HF_TESTS_H2_PAIR_H

/* A client and a server of ours, and what carries bytes between them, in portions. */

#include "h2_side.h"

struct h2_pair {
    struct h2_side client;
    struct h2_side server;
    size_t portion; /* bytes fed at a time */
    size_t room;    /* for hf_h2_take */
    bool broken;    /* a side has failed */
};

static inline void h2_pair_init(struct h2_pair *pair)
{
    h2_side_init(&pair->client, false);
    h2_side_init(&pair->server, true);
    pair->portion = SIZE_MAX;
    pair->room = 40000;
    pair->broken = false;
}

static inline void h2_carry(struct h2_pair *pair, struct h2_side *from, struct h2_side *to)
{
    h2_flush(from, pair->room);
    while (hf_buf_len(&from->sent) > 0) {
        struct hf_bytes bytes = hf_buf_bytes(&from->sent);
        bytes.len = bytes.len < pair->portion ? bytes.len : pair->portion;
        pair->broken = hf_h2_feed(to->h2, bytes, to->now_ms) != HF_OK || pair->broken;
        hf_buf_consume(&from->sent, bytes.len);
    }
}

/* h2_run carries until neither side has anything to say. */
static inline void h2_run(struct h2_pair *pair)
{
    do {
        h2_carry(pair, &pair->client, &pair->server);
        h2_carry(pair, &pair->server, &pair->client);
    } while (hf_h2_wants_write(pair->client.h2) || hf_h2_wants_write(pair->server.h2));
}

static inline void h2_pair_start(struct h2_pair *pair)
{
    h2_side_start(&pair->client);
    h2_side_start(&pair->server);
    h2_run(pair);
    assert_true(hf_h2_is_settled(pair->client.h2));
    assert_true(hf_h2_is_settled(pair->server.h2));
}

static inline void h2_pair_done(struct h2_pair *pair)
{
    h2_side_done(&pair->client);
    h2_side_done(&pair->server);
}

/* h2_ask sends a request; length -1: a stream. Returns the error of hf_h2_request. */
static inline enum hf_err h2_ask(struct h2_pair *pair, const char *method, long length,
                                 struct hf_h2_stream **out)
{
    struct hf_http_msg *msg = hf_http_msg_pool_get(&pair->client.msgs);
    if (!msg) {
        return HF_E_NOMEM;
    }
    enum hf_err err = hf_http_msg_set_request(msg, hf_bytes_str(method), hf_bytes_str("/a?b"));
    err = err ? err : hf_http_msg_set_scheme(msg, hf_bytes_str("https"));
    err = err ? err : hf_http_msg_set_authority(msg, hf_bytes_str("a.example"));
    err = err ? err : hf_http_msg_add_str(msg, "x-test", "1");
    msg->body = length > 0 ? HF_BODY_LENGTH : length < 0 ? HF_BODY_STREAM : HF_BODY_NONE;
    msg->has_length = length > 0;
    msg->length = length > 0 ? (uint64_t)length : 0;
    err = err ? err : hf_h2_request(pair->client.h2, out, msg, length == 0, NULL);
    hf_http_msg_pool_put(&pair->client.msgs, msg);
    return err;
}

#endif
