// SPDX-License-Identifier: Apache-2.0
/*
 * Field sections going out: a message's parts and fields become HPACK's list, without a copy, and
 * HPACK writes straight into the output. Where that is longer than a frame, it is spread over
 * CONTINUATIONs afterwards.
 *
 * The encoder may be missing: a quiet connection has given it back. A new one starts with an empty
 * table, so the section begins with the instruction to empty the peer's (RFC 7541 4.2).
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "http/h2_impl.h"

enum { ON_STACK = 48, PLACED_MAX = 10, LENGTH_TEXT = 24 };

/* struct list gathers what is to be encoded. */
struct list {
    nghttp2_nv *nv;
    size_t n;
    size_t size; /* as RFC 9113 6.5.2 counts */
};

static void add(struct list *list, struct hf_bytes name, struct hf_bytes value, bool secret)
{
    /* HPACK only reads; its struct lacks the const. */
    nghttp2_nv *nv = &list->nv[list->n++];
    memcpy(&nv->name, &name.ptr, sizeof(nv->name));
    memcpy(&nv->value, &value.ptr, sizeof(nv->value));
    nv->namelen = name.len;
    nv->valuelen = value.len;
    nv->flags = secret ? NGHTTP2_NV_FLAG_NO_INDEX : NGHTTP2_NV_FLAG_NONE;
    list->size += name.len + value.len + 32;
}

static void add_str(struct list *list, const char *name, struct hf_bytes value)
{
    add(list, hf_bytes_str(name), value, false);
}

/* Text that the list points to and that isn't in the message. */
struct scratch {
    char status[4];
    char length[LENGTH_TEXT];
    struct hf_buf target; /* where path and query don't lie side by side */
};

static enum hf_err target_of(const struct hf_http_msg *msg, struct scratch *scratch,
                             struct hf_bytes *out)
{
    bool beside = msg->has_query && msg->query.at == msg->path.at + msg->path.len + 1 &&
                  msg->text.mem[msg->query.at - 1] == '?';
    if (msg->form == HF_TARGET_ORIGIN && (beside || !msg->has_query)) {
        uint32_t len = msg->path.len + (beside ? 1 + msg->query.len : 0);
        *out = hf_bytes_of(msg->text.mem + msg->path.at, len);
        return HF_OK;
    }
    scratch->target = HF_BUF_INIT(msg->text.cap);
    HF_TRY(hf_http_msg_append_target(msg, &scratch->target));
    *out = hf_buf_bytes(&scratch->target);
    return HF_OK;
}

static enum hf_err add_request(struct list *list, const struct hf_http_msg *msg,
                               struct scratch *scratch)
{
    struct hf_bytes target;
    bool extended = msg->protocol.len > 0;
    struct hf_bytes method = hf_http_msg_text(msg, msg->method_text);
    add_str(list, ":method", extended ? hf_bytes_str("CONNECT") : method);
    if (msg->form != HF_TARGET_AUTHORITY) {
        HF_TRY(target_of(msg, scratch, &target));
        add_str(list, ":scheme", hf_http_msg_text(msg, msg->scheme));
        add_str(list, ":path", target);
    }
    if (msg->authority.len) {
        add_str(list, ":authority", hf_http_msg_text(msg, msg->authority));
    }
    if (extended) {
        add_str(list, ":protocol", hf_http_msg_text(msg, msg->protocol));
    }
    if (msg->te_trailers) {
        add_str(list, "te", hf_bytes_str("trailers"));
    }
    if (msg->expect_continue) {
        add_str(list, "expect", hf_bytes_str("100-continue"));
    }
    return HF_OK;
}

static void add_status(struct list *list, const struct hf_http_msg *msg, struct scratch *scratch)
{
    unsigned status = msg->status == 101 ? 200 : msg->status; /* RFC 8441 5 */
    scratch->status[0] = (char)('0' + status / 100);
    scratch->status[1] = (char)('0' + status / 10 % 10);
    scratch->status[2] = (char)('0' + status % 10);
    add_str(list, ":status", hf_bytes_of(scratch->status, 3));
}

static enum hf_err add_all(struct list *list, const struct hf_http_msg *msg,
                           struct scratch *scratch)
{
    if (msg->kind == HF_MSG_REQUEST) {
        HF_TRY(add_request(list, msg, scratch));
    } else if (msg->kind == HF_MSG_RESPONSE) {
        add_status(list, msg, scratch);
    }
    bool bare = msg->kind == HF_MSG_TRAILERS || msg->status / 100 == 1 || msg->status == 204;
    if (msg->has_length && !bare && !msg->protocol.len) {
        int len = snprintf(scratch->length, LENGTH_TEXT, "%" PRIu64, msg->length);
        add_str(list, "content-length", hf_bytes_of(scratch->length, (size_t)len));
    }
    for (size_t i = 0; i < msg->n_fields; i++) {
        const struct hf_http_field *field = &msg->fields[i];
        add(list, hf_http_msg_name(msg, field), hf_http_msg_value(msg, field),
            (field->traits & HF_FIELD_SECRET) != 0);
    }
    return HF_OK;
}

/* --- HPACK --------------------------------------------------------------------------------------
 */

static enum hf_err need_deflater(struct hf_h2 *h2)
{
    if (h2->deflater) {
        return HF_OK;
    }
    nghttp2_hd_deflater *deflater;
    if (nghttp2_hd_deflate_new2(&deflater, h2->config->limits.table_max, &hf_h2_mem) != 0) {
        return HF_E_NOMEM;
    }
    if (nghttp2_hd_deflate_change_table_size(deflater, 0) != 0 ||
        nghttp2_hd_deflate_change_table_size(deflater, h2->peer_table) != 0) {
        nghttp2_hd_deflate_del(deflater);
        return HF_E_NOMEM;
    }
    h2->deflater = deflater;
    return HF_OK;
}

static void write_frame_head(uint8_t *at, size_t len, enum hf_h2_type type, unsigned flags,
                             uint32_t id)
{
    hf_h2_u32_write(at, (uint32_t)len << 8 | type);
    at[4] = (uint8_t)flags;
    hf_h2_u32_write(at + 5, id);
}

/* Spreads a section of len bytes at to + HF_H2_FRAME_HEAD over frames, from the last on, so that
 * nothing is written over before it has moved. Returns the length of it all. */
static size_t spread(uint8_t *to, size_t len, size_t frame_max, unsigned end_stream, uint32_t id)
{
    size_t n_frames = len ? (len + frame_max - 1) / frame_max : 1;
    for (size_t i = n_frames; i-- > 0;) {
        size_t at = i * frame_max;
        size_t part = len - at < frame_max ? len - at : frame_max;
        uint8_t *frame = to + at + i * HF_H2_FRAME_HEAD;
        unsigned flags = (i == n_frames - 1 ? HF_H2_END_HEADERS : 0) | (i == 0 ? end_stream : 0);
        if (i > 0) {
            memmove(frame + HF_H2_FRAME_HEAD, to + HF_H2_FRAME_HEAD + at, part);
        }
        write_frame_head(frame, part, i == 0 ? HF_H2_HEADERS : HF_H2_CONTINUATION, flags, id);
    }
    return len + n_frames * HF_H2_FRAME_HEAD;
}

static enum hf_err encode(struct hf_h2 *h2, const struct list *list, unsigned end_stream,
                          uint32_t id)
{
    struct hf_span room;
    size_t bound = nghttp2_hd_deflate_bound(h2->deflater, list->nv, list->n);
    size_t frame_max = h2->peer_frame_max;
    size_t heads = (bound / frame_max + 1) * HF_H2_FRAME_HEAD;
    HF_TRY(hf_buf_reserve(&h2->out, bound + heads, &room));
    ssize_t len =
        nghttp2_hd_deflate_hd(h2->deflater, room.ptr + HF_H2_FRAME_HEAD, bound, list->nv, list->n);
    if (len < 0) { /* the tables of both sides differ from here on */
        hf_h2_fail(h2, HF_H2_INTERNAL_ERROR, "out of memory");
        return hf_fail(HF_E_NOMEM, "a field section could not be encoded");
    }
    size_t total = spread(room.ptr, (size_t)len, frame_max, end_stream, id);
    hf_buf_commit(&h2->out, total);
    h2->out_total += total;
    h2->tail_id = 0;
    hf_h2_flood_earn(h2);
    return HF_OK;
}

static enum hf_err put_list(struct hf_h2_stream *stream, struct list *list,
                            const struct hf_http_msg *msg, bool end, struct scratch *scratch)
{
    struct hf_h2 *h2 = stream->h2;
    HF_TRY(add_all(list, msg, scratch));
    if (list->size > h2->peer_head_max) {
        return hf_fail(HF_E_TOO_LARGE, "a head of %zu bytes, where the peer takes %u", list->size,
                       h2->peer_head_max);
    }
    HF_TRY(need_deflater(h2));
    return encode(h2, list, end ? HF_H2_END_STREAM : 0, stream->id);
}

enum hf_err hf_h2_put_head(struct hf_h2_stream *stream, const struct hf_http_msg *msg, bool end)
{
    nghttp2_nv on_stack[ON_STACK + PLACED_MAX];
    nghttp2_nv *on_heap = NULL;
    struct scratch scratch = {0};
    struct list list = {.nv = on_stack};
    if (msg->n_fields > ON_STACK) {
        on_heap = hf_alloc((msg->n_fields + (size_t)PLACED_MAX) * sizeof(*on_heap));
        if (!on_heap) {
            return HF_E_NOMEM;
        }
        list.nv = on_heap;
    }
    enum hf_err err = put_list(stream, &list, msg, end, &scratch);
    hf_buf_done(&scratch.target);
    hf_free(on_heap);
    return err;
}
