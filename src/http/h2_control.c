// SPDX-License-Identifier: Apache-2.0
/*
 * Frames of a fixed size, which lie complete in h2->held: RFC 9113 6.3 to 6.9. Their shape was
 * checked before; here is what they mean.
 */
#include <string.h>

#include "http/h2_impl.h"

void hf_h2_on_priority(struct hf_h2 *h2)
{
    if ((hf_h2_u32(h2->held) & HF_H2_ID_MAX) == h2->frame.id) {
        hf_h2_stream_error(h2, h2->frame.id, HF_H2_PROTOCOL_ERROR, HF_HTTP_FAULT_NONE);
        return;
    }
    (void)hf_h2_flood_count(h2, HF_H2_FLOOD_PRIORITIES);
}

void hf_h2_on_rst_stream(struct hf_h2 *h2)
{
    struct hf_h2_stream *stream = hf_h2_stream_find(h2, h2->frame.id);
    if (!stream) {
        enum hf_h2_past past = hf_h2_past(h2, h2->frame.id);
        if (past == HF_H2_PAST_IDLE || past == HF_H2_PAST_SKIPPED) {
            hf_h2_fail(h2, HF_H2_PROTOCOL_ERROR, "RST_STREAM on an idle stream");
        }
        return;
    }
    if (h2->config->server && !hf_h2_flood_count(h2, HF_H2_FLOOD_RESETS)) {
        return;
    }
    uint32_t code = hf_h2_u32(h2->held);
    hf_h2_stream_close(stream, &(struct hf_h2_close){
                                   .code = code,
                                   .by_peer = true,
                                   .unprocessed = code == HF_H2_REFUSED_STREAM,
                               });
}

/* --- SETTINGS -----------------------------------------------------------------------------------
 */

static bool set_table_size(struct hf_h2 *h2, uint32_t value)
{
    uint32_t ours = h2->config->limits.table_max;
    h2->peer_table = value < ours ? value : ours;
    if (h2->deflater && nghttp2_hd_deflate_change_table_size(h2->deflater, h2->peer_table) != 0) {
        hf_h2_fail(h2, HF_H2_INTERNAL_ERROR, "out of memory");
    }
    return true;
}

static bool set_enable_push(struct hf_h2 *h2, uint32_t value)
{
    return value == 0 || (value == 1 && h2->config->server);
}

static bool set_max_streams(struct hf_h2 *h2, uint32_t value)
{
    h2->peer_n_streams_max = value;
    return true;
}

/* RFC 9113 6.9.2: a change applies to the streams that are open. */
static bool set_window(struct hf_h2 *h2, uint32_t value)
{
    if (value > HF_H2_WINDOW_MAX) {
        hf_h2_fail(h2, HF_H2_FLOW_CONTROL_ERROR, "an initial window beyond 2^31-1");
        return true;
    }
    int64_t more = (int64_t)value - (int64_t)h2->peer_window;
    h2->peer_window = value;
    for (size_t i = 0; i < HF_H2_N_BUCKETS; i++) {
        for (struct hf_h2_stream *stream = h2->bucket[i]; stream; stream = stream->next) {
            int64_t window = stream->send_window + more;
            if (window > HF_H2_WINDOW_MAX) {
                hf_h2_fail(h2, HF_H2_FLOW_CONTROL_ERROR, "a stream's window beyond 2^31-1");
                return true;
            }
            stream->send_window = (int32_t)window;
            hf_h2_stream_wake(stream);
        }
    }
    return true;
}

static bool set_frame_size(struct hf_h2 *h2, uint32_t value)
{
    h2->peer_frame_max = value;
    return value >= HF_H2_FRAME_DEFAULT && value <= 0xffffff;
}

static bool set_head_size(struct hf_h2 *h2, uint32_t value)
{
    h2->peer_head_max = value;
    return true;
}

static bool set_connect_protocol(struct hf_h2 *h2, uint32_t value)
{
    bool taken_back = h2->peer_takes_upgrades && value == 0; /* RFC 8441 3 */
    h2->peer_takes_upgrades = value == 1 && !h2->config->server;
    return value <= 1 && !taken_back;
}

void hf_h2_on_setting(struct hf_h2 *h2)
{
    enum { SETTINGS_IN_FRAME_MAX = 32 };
    static bool (*const setters[])(struct hf_h2 * h2, uint32_t value) = {
        [HF_H2_SET_TABLE_SIZE] = set_table_size,
        [HF_H2_SET_ENABLE_PUSH] = set_enable_push,
        [HF_H2_SET_MAX_STREAMS] = set_max_streams,
        [HF_H2_SET_WINDOW] = set_window,
        [HF_H2_SET_FRAME_SIZE] = set_frame_size,
        [HF_H2_SET_HEAD_SIZE] = set_head_size,
        [HF_H2_SET_CONNECT_PROTOCOL] = set_connect_protocol,
    };
    unsigned id = (unsigned)h2->held[0] << 8 | h2->held[1];
    uint32_t value = hf_h2_u32(h2->held + 2);
    if (++h2->n_settings_in_frame > SETTINGS_IN_FRAME_MAX) {
        hf_h2_fail(h2, HF_H2_ENHANCE_YOUR_CALM, "too many settings in one frame");
        return;
    }
    bool known = id < HF_N_ELEMENTS(setters) && setters[id]; /* RFC 9113 6.5.2: others ignored */
    if (known && !setters[id](h2, value)) {
        hf_h2_fail(h2, HF_H2_PROTOCOL_ERROR, "a setting out of its range");
    }
}

/* The peer has taken over ours: until now it could go by the defaults. */
static void on_settings_ack(struct hf_h2 *h2)
{
    const struct hf_h2_limits *limits = &h2->config->limits;
    if (h2->settings_acked) {
        return;
    }
    h2->settings_acked = true;
    if (limits->table_max != HF_H2_TABLE_DEFAULT &&
        nghttp2_hd_inflate_change_table_size(h2->inflater, limits->table_max) != 0) {
        hf_h2_fail(h2, HF_H2_INTERNAL_ERROR, "out of memory");
    }
    if (limits->stream_window >= HF_H2_WINDOW_DEFAULT) {
        return;
    }
    for (size_t i = 0; i < HF_H2_N_BUCKETS; i++) {
        for (struct hf_h2_stream *stream = h2->bucket[i]; stream; stream = stream->next) {
            stream->recv_window -= HF_H2_WINDOW_DEFAULT - (int32_t)limits->stream_window;
        }
    }
}

void hf_h2_on_settings_end(struct hf_h2 *h2)
{
    if (h2->frame.flags & HF_H2_ACK) {
        on_settings_ack(h2);
        return;
    }
    h2->settings_came = true;
    hf_h2_put_settings_ack(h2);
}

/* --- PING and GOAWAY ----------------------------------------------------------------------------
 */

void hf_h2_on_ping(struct hf_h2 *h2)
{
    if (!(h2->frame.flags & HF_H2_ACK)) {
        if (hf_h2_flood_count(h2, HF_H2_FLOOD_PINGS)) {
            hf_h2_put_ping(h2, true, h2->held);
        }
        return;
    }
    h2->n_pings = h2->n_pings ? (uint8_t)(h2->n_pings - 1) : 0;
    if (h2->closing == 1 && h2->n_pings == 0) {
        h2->closing = 2;
        hf_h2_put_goaway(h2, h2->last_id, HF_H2_NO_ERROR, "");
    }
}

/* The requests that the server says it hasn't looked at. Closing one may close others. */
static struct hf_h2_stream *next_unprocessed(const struct hf_h2 *h2, uint32_t last_id)
{
    for (size_t i = 0; i < HF_H2_N_BUCKETS; i++) {
        for (struct hf_h2_stream *stream = h2->bucket[i]; stream; stream = stream->next) {
            if (stream->id > last_id) {
                return stream;
            }
        }
    }
    return NULL;
}

void hf_h2_on_goaway(struct hf_h2 *h2)
{
    uint32_t last_id = hf_h2_u32(h2->held) & HF_H2_ID_MAX;
    uint32_t code = hf_h2_u32(h2->held + 4);
    struct hf_h2_stream *stream;
    h2->goaway_came = true;
    if (code != HF_H2_NO_ERROR) {
        h2->fault_code = code;
        h2->fault_by_peer = true;
        h2->fault_text = "the peer said GOAWAY with an error";
    }
    if (h2->config->server) {
        return;
    }
    struct hf_h2_close why = {.code = HF_H2_REFUSED_STREAM, .by_peer = true, .unprocessed = true};
    while (!h2->dead && (stream = next_unprocessed(h2, last_id)) != NULL) {
        hf_h2_stream_close(stream, &why);
    }
}

/* --- WINDOW_UPDATE ------------------------------------------------------------------------------
 */

static void update_connection(struct hf_h2 *h2, uint32_t increment)
{
    struct hf_link woken;
    if (increment == 0) {
        hf_h2_fail(h2, HF_H2_PROTOCOL_ERROR, "WINDOW_UPDATE by nothing");
        return;
    }
    if ((int64_t)h2->send_window + increment > HF_H2_WINDOW_MAX) {
        hf_h2_fail(h2, HF_H2_FLOW_CONTROL_ERROR, "the connection's window beyond 2^31-1");
        return;
    }
    h2->send_window += (int32_t)increment;
    hf_list_take(&h2->blocked, &woken);
    HF_LIST_FOREACH (&woken, it) {
        hf_link_remove(it);
        hf_list_push(&h2->ready, it);
    }
}

static void update_stream(struct hf_h2 *h2, struct hf_h2_stream *stream, uint32_t increment)
{
    if (increment == 0) {
        hf_h2_stream_error(h2, stream->id, HF_H2_PROTOCOL_ERROR, HF_HTTP_FAULT_NONE);
        return;
    }
    if ((int64_t)stream->send_window + increment > HF_H2_WINDOW_MAX) {
        hf_h2_stream_error(h2, stream->id, HF_H2_FLOW_CONTROL_ERROR, HF_HTTP_FAULT_NONE);
        return;
    }
    stream->send_window += (int32_t)increment;
    hf_h2_stream_wake(stream);
}

void hf_h2_on_window_update(struct hf_h2 *h2)
{
    uint32_t increment = hf_h2_u32(h2->held) & HF_H2_ID_MAX;
    if (!hf_h2_flood_count(h2, HF_H2_FLOOD_WINDOW_UPDATES)) {
        return;
    }
    if (h2->frame.id == 0) {
        update_connection(h2, increment);
        return;
    }
    struct hf_h2_stream *stream = hf_h2_stream_find(h2, h2->frame.id);
    enum hf_h2_past past = stream ? HF_H2_PAST_CLOSED : hf_h2_past(h2, h2->frame.id);
    if (stream) {
        update_stream(h2, stream, increment);
    } else if (past == HF_H2_PAST_IDLE || past == HF_H2_PAST_SKIPPED) {
        hf_h2_fail(h2, HF_H2_PROTOCOL_ERROR, "WINDOW_UPDATE on an idle stream");
    }
}
