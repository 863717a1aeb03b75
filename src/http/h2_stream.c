// SPDX-License-Identifier: Apache-2.0
/*
 * Streams: their table, how they end, and what is still known of those that have.
 */
#include "base/mem.h"
#include "http/h2_impl.h"

static struct hf_h2_stream **bucket_of(struct hf_h2 *h2, uint32_t id)
{
    return &h2->bucket[(id >> 1) % HF_H2_N_BUCKETS];
}

struct hf_h2_stream *hf_h2_stream_find(const struct hf_h2 *h2, uint32_t id)
{
    struct hf_h2_stream *stream = h2->bucket[(id >> 1) % HF_H2_N_BUCKETS];
    while (stream && stream->id != id) {
        stream = stream->next;
    }
    return stream;
}

struct hf_h2_stream *hf_h2_stream_open(struct hf_h2 *h2, uint32_t id)
{
    const struct hf_h2_limits *limits = &h2->config->limits;
    struct hf_h2_stream *stream = HF_NEW(struct hf_h2_stream);
    struct hf_h2_stream **bucket = bucket_of(h2, id);
    if (!stream) {
        return NULL;
    }
    bool by_default = !h2->settings_acked && limits->stream_window < HF_H2_WINDOW_DEFAULT;
    *stream = (struct hf_h2_stream){.h2 = h2,
                                    .next = *bucket,
                                    .id = id,
                                    .send_window = (int32_t)h2->peer_window,
                                    .recv_window = by_default ? HF_H2_WINDOW_DEFAULT
                                                              : (int32_t)limits->stream_window,
                                    .out = HF_BUF_INIT(limits->out_max)};
    *bucket = stream;
    h2->n_streams++;
    return stream;
}

void hf_h2_stream_drop(struct hf_h2_stream *stream)
{
    struct hf_h2 *h2 = stream->h2;
    struct hf_h2_stream **at = bucket_of(h2, stream->id);
    while (*at != stream) {
        at = &(*at)->next;
    }
    *at = stream->next;
    h2->n_streams--;
    hf_link_remove(&stream->link);
    hf_h2_credit(h2, stream->held);
    hf_buf_done(&stream->out);
    hf_http_msg_pool_put(h2->config->msgs, stream->trailers);
    hf_free(stream);
}

void hf_h2_stream_close(struct hf_h2_stream *stream, const struct hf_h2_close *why)
{
    struct hf_h2 *h2 = stream->h2;
    h2->config->events->on_close(h2->ctx, stream, why);
    hf_h2_stream_drop(stream);
}

void hf_h2_stream_wake(struct hf_h2_stream *stream)
{
    bool body = hf_buf_len(&stream->out) > 0;
    bool able = body ? stream->send_window > 0 : stream->local_end;
    if (able && !hf_link_linked(&stream->link)) {
        hf_list_push(&stream->h2->ready, &stream->link);
    }
}

/* --- Ends ---------------------------------------------------------------------------------------
 */

static uint32_t newest(const struct hf_h2 *h2)
{
    return h2->config->server ? h2->last_id : h2->next_id - 2;
}

enum hf_h2_past hf_h2_past(const struct hf_h2 *h2, uint32_t id)
{
    bool opened = h2->config->server ? h2->last_id > 0 : h2->next_id > 1;
    if (id % 2 == 0 || !opened || id > newest(h2)) {
        return HF_H2_PAST_IDLE;
    }
    uint32_t ago = (newest(h2) - id) / 2;
    if (ago >= 64 || (h2->reset_mask >> ago & 1)) {
        return HF_H2_PAST_RESET; /* of long ago nothing is known: given the benefit of the doubt */
    }
    return h2->opened_mask >> ago & 1 ? HF_H2_PAST_CLOSED : HF_H2_PAST_SKIPPED;
}

/* Says RST_STREAM, and remembers it, for what the peer sent before it hears of it. */
static void say_reset(struct hf_h2 *h2, uint32_t id, enum hf_h2_code code)
{
    uint32_t ago = (newest(h2) - id) / 2;
    if (id <= newest(h2) && ago < 64) {
        h2->reset_mask |= (uint64_t)1 << ago;
    }
    hf_h2_put_u32(h2, HF_H2_RST_STREAM, id, code);
}

void hf_h2_stream_error(struct hf_h2 *h2, uint32_t id, enum hf_h2_code code,
                        enum hf_http_fault fault)
{
    struct hf_h2_stream *stream = hf_h2_stream_find(h2, id);
    if (h2->dead || !hf_h2_flood_count(h2, HF_H2_FLOOD_ERRORS)) {
        return;
    }
    say_reset(h2, id, code);
    if (stream) {
        hf_h2_stream_close(stream, &(struct hf_h2_close){.code = code, .fault = fault});
    }
}

void hf_h2_reset(struct hf_h2_stream *stream, enum hf_h2_code code)
{
    struct hf_h2 *h2 = stream->h2;
    if (!h2->dead) {
        say_reset(h2, stream->id, code);
    }
    hf_h2_stream_drop(stream);
}

bool hf_h2_stream_settle(struct hf_h2_stream *stream)
{
    struct hf_h2 *h2 = stream->h2;
    struct hf_h2_close why = {.code = HF_H2_NO_ERROR};
    if (!stream->end_sent) {
        return false;
    }
    if (!stream->remote_end) {
        if (!h2->config->server || (stream->user && !stream->bad)) {
            return false; /* its owner says how much of the request is still read */
        }
        /* The answer is complete: the rest of the request may stay where it is (RFC 9113 8.1). */
        say_reset(h2, stream->id, HF_H2_NO_ERROR);
    }
    hf_h2_stream_close(stream, &why);
    return true;
}

/* --- For the owner ------------------------------------------------------------------------------
 */

uint32_t hf_h2_stream_id(const struct hf_h2_stream *stream)
{
    return stream->id;
}

struct hf_h2 *hf_h2_stream_h2(const struct hf_h2_stream *stream)
{
    return stream->h2;
}

void *hf_h2_stream_user(const struct hf_h2_stream *stream)
{
    return stream->user;
}

void hf_h2_stream_set_user(struct hf_h2_stream *stream, void *user)
{
    stream->user = user;
}

bool hf_h2_stream_is_sent(const struct hf_h2_stream *stream)
{
    return stream->end_sent;
}

size_t hf_h2_stream_n_held(const struct hf_h2_stream *stream)
{
    return stream->held;
}
