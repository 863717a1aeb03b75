// SPDX-License-Identifier: Apache-2.0
/*
 * Reading frames: their heads against one table of what each type may be (RFC 9113 4, 6), then
 * their payload, in pieces as it comes. What is small and fixed is held until complete; field
 * sections and data pass through without being gathered.
 */
#include <string.h>

#include "http/h2_impl.h"

enum on_stream { ANY, ZERO, SOME };

/* The shape of each type: which stream it may be on, payload lengths, what its wrong length is. */
static const struct shape {
    enum on_stream on;
    uint8_t len_min;
    uint32_t len_max;
    uint8_t multiple;
    uint8_t hold; /* bytes to be held together; 0: read otherwise */
    void (*handle)(struct hf_h2 *h2);
} shapes[HF_H2_N_TYPES] = {
    [HF_H2_DATA] = {.on = SOME, .len_max = UINT32_MAX, .multiple = 1},
    [HF_H2_HEADERS] = {.on = SOME, .len_max = UINT32_MAX, .multiple = 1},
    [HF_H2_PRIORITY] = {SOME, 5, 5, 1, 5, hf_h2_on_priority},
    [HF_H2_RST_STREAM] = {SOME, 4, 4, 1, 4, hf_h2_on_rst_stream},
    [HF_H2_SETTINGS] = {ZERO, 0, UINT32_MAX, 6, 6, hf_h2_on_setting},
    [HF_H2_PUSH_PROMISE] = {.on = SOME, .len_max = UINT32_MAX, .multiple = 1},
    [HF_H2_PING] = {ZERO, 8, 8, 1, 8, hf_h2_on_ping},
    [HF_H2_GOAWAY] = {ZERO, 8, UINT32_MAX, 1, 8, hf_h2_on_goaway},
    [HF_H2_WINDOW_UPDATE] = {ANY, 4, 4, 1, 4, hf_h2_on_window_update},
    [HF_H2_CONTINUATION] = {.on = SOME, .len_max = UINT32_MAX, .multiple = 1},
};

static void go(struct hf_h2 *h2, enum hf_h2_state state, uint8_t need)
{
    h2->state = (uint8_t)state;
    h2->need = need;
    h2->n_held = 0;
}

/* --- The head of a frame ------------------------------------------------------------------------
 */

/* RFC 9113 6.10: nothing comes between the frames of a field section. */
static bool is_in_order(struct hf_h2 *h2)
{
    const struct hf_h2_frame *frame = &h2->frame;
    bool open = h2->block.kind != HF_H2_BLOCK_NONE;
    bool continues = frame->type == HF_H2_CONTINUATION;
    if (open != continues || (open && frame->id != h2->block.id)) {
        hf_h2_fail(h2, HF_H2_PROTOCOL_ERROR,
                   open ? "a field section is interrupted" : "CONTINUATION of nothing");
        return false;
    }
    bool settings = frame->type == HF_H2_SETTINGS && !(frame->flags & HF_H2_ACK);
    if (!h2->settings_came && !settings) { /* RFC 9113 3.4 */
        hf_h2_fail(h2, HF_H2_PROTOCOL_ERROR, "the first frame is not SETTINGS");
        return false;
    }
    return true;
}

static bool has_shape(struct hf_h2 *h2)
{
    const struct hf_h2_frame *frame = &h2->frame;
    if (frame->type >= HF_H2_N_TYPES) {
        return true;
    }
    const struct shape *shape = &shapes[frame->type];
    if ((shape->on == ZERO && frame->id != 0) || (shape->on == SOME && frame->id == 0)) {
        hf_h2_fail(h2, HF_H2_PROTOCOL_ERROR, "a frame on the wrong kind of stream");
        return false;
    }
    bool ack = frame->type == HF_H2_SETTINGS && (frame->flags & HF_H2_ACK);
    if (frame->left < shape->len_min || frame->left > shape->len_max ||
        frame->left % shape->multiple != 0 || (ack && frame->left > 0)) {
        hf_h2_fail(h2, HF_H2_FRAME_SIZE_ERROR, "a frame of the wrong length for its type");
        return false;
    }
    return true;
}

static void end_frame(struct hf_h2 *h2);

/* Bytes of HEADERS or DATA before the payload proper: the pad length, the priority. */
static uint8_t prefix_len(const struct hf_h2_frame *frame)
{
    bool headers = frame->type == HF_H2_HEADERS;
    return (uint8_t)((frame->flags & HF_H2_PADDED ? 1 : 0) +
                     (headers && (frame->flags & HF_H2_PRIORITY_FLAG) ? 5 : 0));
}

static void begin_message_frame(struct hf_h2 *h2)
{
    uint8_t prefix = prefix_len(&h2->frame);
    if (h2->frame.left < prefix) {
        hf_h2_fail(h2, HF_H2_FRAME_SIZE_ERROR, "a frame too short for its own flags");
        return;
    }
    go(h2, HF_H2_ST_PREFIX, prefix);
}

static void begin_continuation(struct hf_h2 *h2)
{
    if (++h2->block.n_continuations > h2->config->limits.n_continuations_max) {
        hf_h2_fail(h2, HF_H2_ENHANCE_YOUR_CALM, "too many CONTINUATION frames");
        return;
    }
    go(h2, HF_H2_ST_BLOCK, 0);
}

static void begin_payload(struct hf_h2 *h2)
{
    switch (h2->frame.type) {
    case HF_H2_DATA:
    case HF_H2_HEADERS:
        begin_message_frame(h2);
        return;
    case HF_H2_CONTINUATION:
        begin_continuation(h2);
        return;
    case HF_H2_PUSH_PROMISE: /* RFC 9113 8.4: we never enable it, and clients never push */
        hf_h2_fail(h2, HF_H2_PROTOCOL_ERROR, "PUSH_PROMISE, which was not enabled");
        return;
    case HF_H2_SETTINGS:
        h2->n_settings_in_frame = 0;
        if (!hf_h2_flood_count(h2, HF_H2_FLOOD_SETTINGS)) {
            return;
        }
        break;
    default:
        break;
    }
    if (h2->frame.type >= HF_H2_N_TYPES) { /* RFC 9113 5.5: ignored, but not for ever */
        if (hf_h2_flood_count(h2, HF_H2_FLOOD_PRIORITIES)) {
            go(h2, HF_H2_ST_SKIP, 0);
        }
        return;
    }
    if (h2->frame.left == 0) {
        end_frame(h2);
        return;
    }
    go(h2, HF_H2_ST_FIXED, shapes[h2->frame.type].hold);
}

static void on_frame_head(struct hf_h2 *h2)
{
    const uint8_t *held = h2->held;
    h2->frame = (struct hf_h2_frame){.left = hf_h2_u32(held) >> 8,
                                     .type = held[3],
                                     .flags = held[4],
                                     .id = hf_h2_u32(held + 5) & HF_H2_ID_MAX};
    if (h2->frame.left > h2->config->limits.frame_max) {
        hf_h2_fail(h2, HF_H2_FRAME_SIZE_ERROR, "a frame larger than SETTINGS_MAX_FRAME_SIZE");
        return;
    }
    if (is_in_order(h2) && has_shape(h2)) {
        begin_payload(h2);
    }
}

/* --- HEADERS and DATA ---------------------------------------------------------------------------
 */

/* The kind of field section that a server gets on this stream, or NONE when it is an error. */
static enum hf_h2_block_kind kind_for_server(struct hf_h2 *h2, uint32_t id)
{
    const struct hf_h2_limits *limits = &h2->config->limits;
    if (id % 2 == 0) {
        hf_h2_fail(h2, HF_H2_PROTOCOL_ERROR, "a request on a stream of the server's");
        return HF_H2_BLOCK_NONE;
    }
    uint32_t step = (id - h2->last_id + 1) / 2;
    h2->opened_mask = step < 64 ? h2->opened_mask << step | 1 : 1;
    h2->reset_mask = step < 64 ? h2->reset_mask << step : 0;
    h2->last_id = id;
    if (h2->closing == 2) { /* RFC 9113 6.8: beyond the last that we named */
        return HF_H2_BLOCK_SINK;
    }
    return h2->n_streams >= limits->n_streams_max ? HF_H2_BLOCK_REFUSED : HF_H2_BLOCK_REQUEST;
}

/* A field section on a stream that has been. */
static enum hf_h2_block_kind kind_for_past(struct hf_h2 *h2, uint32_t id)
{
    switch (hf_h2_past(h2, id)) {
    case HF_H2_PAST_IDLE:
        if (h2->config->server) {
            return kind_for_server(h2, id);
        }
        hf_h2_fail(h2, HF_H2_PROTOCOL_ERROR, "a response to no request");
        return HF_H2_BLOCK_NONE;
    case HF_H2_PAST_SKIPPED: /* RFC 9113 5.1.1 */
        hf_h2_fail(h2, HF_H2_PROTOCOL_ERROR, "a stream opened out of order");
        return HF_H2_BLOCK_NONE;
    case HF_H2_PAST_CLOSED:
        hf_h2_fail(h2, HF_H2_STREAM_CLOSED, "HEADERS on a closed stream");
        return HF_H2_BLOCK_NONE;
    case HF_H2_PAST_RESET: /* it may have been on its way when we reset the stream */
        break;
    }
    return HF_H2_BLOCK_SINK;
}

static enum hf_h2_block_kind kind_of_block(struct hf_h2 *h2)
{
    struct hf_h2_stream *stream = hf_h2_stream_find(h2, h2->frame.id);
    if (!stream) {
        return kind_for_past(h2, h2->frame.id);
    }
    if (stream->remote_end) {
        hf_h2_stream_error(h2, h2->frame.id, HF_H2_STREAM_CLOSED, HF_HTTP_FAULT_NONE);
        return HF_H2_BLOCK_SINK;
    }
    return stream->head_came ? HF_H2_BLOCK_TRAILERS : HF_H2_BLOCK_RESPONSE;
}

static void begin_headers(struct hf_h2 *h2, const uint8_t *priority)
{
    enum hf_h2_block_kind kind = kind_of_block(h2);
    if (h2->dead) {
        return;
    }
    /* RFC 9113 5.3.1 has forgotten it, but a stream that depends on itself is still nonsense. */
    if (priority && (hf_h2_u32(priority) & HF_H2_ID_MAX) == h2->frame.id) {
        hf_h2_stream_error(h2, h2->frame.id, HF_H2_PROTOCOL_ERROR, HF_HTTP_FAULT_NONE);
        kind = HF_H2_BLOCK_SINK;
    }
    if (!h2->dead) {
        hf_h2_block_begin(h2, kind);
        go(h2, HF_H2_ST_BLOCK, 0);
    }
}

/* The prefix of HEADERS or DATA is complete. */
static void on_prefix(struct hf_h2 *h2)
{
    struct hf_h2_frame *frame = &h2->frame;
    uint32_t payload = frame->left + h2->n_held;
    bool padded = (frame->flags & HF_H2_PADDED) != 0;
    if (padded) {
        frame->pad = h2->held[0];
        if (frame->pad > frame->left) { /* RFC 9113 6.1, 6.2 */
            hf_h2_fail(h2, HF_H2_PROTOCOL_ERROR, "more padding than payload");
            return;
        }
        frame->left -= frame->pad;
    }
    if (frame->type == HF_H2_HEADERS) {
        bool prioritised = (frame->flags & HF_H2_PRIORITY_FLAG) != 0;
        begin_headers(h2, prioritised ? h2->held + padded : NULL);
        return;
    }
    bool wanted = hf_h2_data_begin(h2, payload);
    if (!h2->dead) {
        go(h2, wanted ? HF_H2_ST_DATA : HF_H2_ST_SKIP, 0);
    }
}

/* --- Steps --------------------------------------------------------------------------------------
 */

/* What follows when the payload, padding aside, has been read. */
static void end_payload(struct hf_h2 *h2)
{
    if (h2->frame.pad > 0) {
        h2->frame.left = h2->frame.pad;
        h2->frame.pad = 0;
        go(h2, HF_H2_ST_SKIP, 0);
    } else {
        go(h2, HF_H2_ST_HEAD, HF_H2_FRAME_HEAD);
    }
}

static void end_frame(struct hf_h2 *h2)
{
    if (h2->frame.type == HF_H2_SETTINGS) {
        hf_h2_on_settings_end(h2);
    }
    go(h2, HF_H2_ST_HEAD, HF_H2_FRAME_HEAD);
}

static void on_fixed(struct hf_h2 *h2)
{
    const struct shape *shape = &shapes[h2->frame.type];
    shape->handle(h2);
    if (h2->dead) {
        return;
    }
    if (h2->frame.left == 0) {
        end_frame(h2);
    } else if (h2->frame.type == HF_H2_SETTINGS) {
        go(h2, HF_H2_ST_FIXED, shape->hold);
    } else {
        go(h2, HF_H2_ST_SKIP, 0);
    }
}

static void on_preface(struct hf_h2 *h2)
{
    if (memcmp(h2->held, NGHTTP2_CLIENT_MAGIC, HF_H2_PREFACE_LEN) != 0) {
        hf_h2_fail(h2, HF_H2_PROTOCOL_ERROR, "not the client's preface");
        return;
    }
    go(h2, HF_H2_ST_HEAD, HF_H2_FRAME_HEAD);
}

/* Holds bytes until there are as many as are needed, then goes on. */
static size_t hold(struct hf_h2 *h2, struct hf_bytes in)
{
    static void (*const next[])(struct hf_h2 * h2) = {
        [HF_H2_ST_PREFACE] = on_preface,
        [HF_H2_ST_HEAD] = on_frame_head,
        [HF_H2_ST_PREFIX] = on_prefix,
        [HF_H2_ST_FIXED] = on_fixed,
    };
    size_t n = (size_t)(h2->need - h2->n_held);
    n = n < in.len ? n : in.len;
    if (n) {
        memcpy(h2->held + h2->n_held, in.ptr, n);
    }
    h2->n_held = (uint8_t)(h2->n_held + n);
    if (h2->state == HF_H2_ST_PREFIX || h2->state == HF_H2_ST_FIXED) {
        h2->frame.left -= (uint32_t)n;
    }
    if (h2->n_held == h2->need) {
        next[h2->state](h2);
    }
    return n;
}

static size_t read_block(struct hf_h2 *h2, struct hf_bytes piece)
{
    bool last = piece.len == h2->frame.left;
    h2->frame.left -= (uint32_t)piece.len;
    hf_h2_block_feed(h2, piece, last && (h2->frame.flags & HF_H2_END_HEADERS));
    if (last && !h2->dead) {
        end_payload(h2);
    }
    return piece.len;
}

static size_t read_data(struct hf_h2 *h2, struct hf_bytes piece)
{
    h2->frame.left -= (uint32_t)piece.len;
    hf_h2_data_piece(h2, piece);
    if (h2->frame.left == 0 && !h2->dead) {
        hf_h2_data_end(h2);
        end_payload(h2);
    }
    return piece.len;
}

static size_t skip(struct hf_h2 *h2, struct hf_bytes piece)
{
    h2->frame.left -= (uint32_t)piece.len;
    if (h2->frame.left == 0) {
        end_payload(h2);
    }
    return piece.len;
}

/* A step that needs no bytes, because its payload is empty, is made at once: what an empty frame
 * means must not wait for the next one. */
static void run_empty(struct hf_h2 *h2)
{
    const struct hf_bytes none = hf_bytes_of("", 0);
    bool again = true;
    while (again && !h2->dead) {
        uint8_t was = h2->state;
        again = false;
        if (h2->state == HF_H2_ST_PREFIX && h2->need == 0) {
            (void)hold(h2, none);
            again = true;
        } else if (h2->frame.left == 0 && h2->state == HF_H2_ST_BLOCK) {
            (void)read_block(h2, none);
            again = true;
        } else if (h2->frame.left == 0 && h2->state == HF_H2_ST_DATA) {
            (void)read_data(h2, none);
            again = true;
        } else if (h2->frame.left == 0 && h2->state == HF_H2_ST_SKIP) {
            (void)skip(h2, none);
            again = true;
        }
        again = again && h2->state != was;
    }
}

size_t hf_h2_read(struct hf_h2 *h2, struct hf_bytes in)
{
    struct hf_bytes piece = hf_bytes_of(in.ptr, in.len < h2->frame.left ? in.len : h2->frame.left);
    size_t n = 0;
    switch ((enum hf_h2_state)h2->state) {
    case HF_H2_ST_PREFACE:
    case HF_H2_ST_HEAD:
    case HF_H2_ST_PREFIX:
    case HF_H2_ST_FIXED:
        n = hold(h2, in);
        break;
    case HF_H2_ST_BLOCK:
        n = read_block(h2, piece);
        break;
    case HF_H2_ST_DATA:
        n = read_data(h2, piece);
        break;
    case HF_H2_ST_SKIP:
        n = skip(h2, piece);
        break;
    }
    run_empty(h2);
    return n;
}
