// SPDX-License-Identifier: Apache-2.0
/*
 * Field sections coming in: HEADERS and its CONTINUATIONs go through HPACK piece by piece as they
 * arrive, whoever they are for, because the table has to see them all (RFC 9113 4.3). What a
 * section may hold is limited as it grows: decoding goes on beyond the limit, so that the
 * connection can go on, but nothing is kept; far beyond it the connection ends.
 */
#include "http/h2_impl.h"

enum { BOMB_FACTOR = 8 }; /* times the limit that we decode for nothing */

void hf_h2_block_drop(struct hf_h2 *h2)
{
    hf_http_msg_pool_put(h2->config->msgs, h2->block.msg);
    h2->block = (struct hf_h2_block){0};
}

void hf_h2_block_begin(struct hf_h2 *h2, enum hf_h2_block_kind kind)
{
    h2->block = (struct hf_h2_block){.kind = (uint8_t)kind,
                                     .id = h2->frame.id,
                                     .end_stream = (h2->frame.flags & HF_H2_END_STREAM) != 0};
    if (kind == HF_H2_BLOCK_SINK || kind == HF_H2_BLOCK_REFUSED) {
        return;
    }
    h2->block.msg = hf_http_msg_pool_get(h2->config->msgs);
    if (!h2->block.msg) {
        hf_h2_fail(h2, HF_H2_INTERNAL_ERROR, "out of memory");
        return;
    }
    h2->block.msg->kind = kind == HF_H2_BLOCK_REQUEST    ? HF_MSG_REQUEST
                          : kind == HF_H2_BLOCK_RESPONSE ? HF_MSG_RESPONSE
                                                         : HF_MSG_TRAILERS;
}

/* Counts one field; false when it is beyond what a message may hold, or the connection ends. */
static bool count_field(struct hf_h2 *h2, size_t name_len, size_t value_len)
{
    enum { OVERHEAD = 32 }; /* RFC 9113 6.5.2 */
    const struct hf_h2_limits *limits = &h2->config->limits;
    struct hf_h2_block *block = &h2->block;
    uint64_t size = (uint64_t)block->size + name_len + value_len + OVERHEAD;
    if (size > (uint64_t)limits->head_max * BOMB_FACTOR) {
        hf_h2_fail(h2, HF_H2_ENHANCE_YOUR_CALM, "a field section far beyond the limit");
        return false;
    }
    block->size = (uint32_t)size;
    block->n_fields = (uint16_t)(block->n_fields + (block->n_fields < UINT16_MAX));
    enum hf_http_fault fault = block->size > limits->head_max ? HF_HTTP_FAULT_HEAD_TOO_LARGE
                               : block->n_fields > limits->n_fields_max
                                   ? HF_HTTP_FAULT_TOO_MANY_FIELDS
                                   : HF_HTTP_FAULT_NONE;
    if (fault && !block->fault) {
        block->fault = (uint8_t)fault;
    }
    return fault == HF_HTTP_FAULT_NONE;
}

static void on_field(struct hf_h2 *h2, const nghttp2_nv *nv)
{
    struct hf_bytes name = hf_bytes_of(nv->name, nv->namelen);
    struct hf_bytes value = hf_bytes_of(nv->value, nv->valuelen);
    bool fits = count_field(h2, name.len, value.len);
    if (fits && h2->block.msg && !h2->block.malformed) {
        hf_h2_field(h2, name, value, (nv->flags & NGHTTP2_NV_FLAG_NO_INDEX) != 0);
    }
}

static void end_block(struct hf_h2 *h2)
{
    uint32_t id = h2->block.id;
    enum hf_h2_block_kind kind = (enum hf_h2_block_kind)h2->block.kind;
    nghttp2_hd_inflate_end_headers(h2->inflater);
    if (kind == HF_H2_BLOCK_REFUSED) {
        hf_h2_block_drop(h2);
        hf_h2_stream_error(h2, id, HF_H2_REFUSED_STREAM, HF_HTTP_FAULT_NONE);
    } else if (kind == HF_H2_BLOCK_SINK) {
        hf_h2_block_drop(h2);
    } else {
        hf_h2_fields_end(h2);
    }
}

void hf_h2_block_feed(struct hf_h2 *h2, struct hf_bytes fragment, bool final)
{
    bool empty = h2->frame.left == 0 && fragment.len == 0 && !final;
    if (empty && !hf_h2_flood_count(h2, HF_H2_FLOOD_EMPTY)) {
        return;
    }
    while (!h2->dead) {
        nghttp2_nv nv;
        int flags = 0;
        ssize_t n =
            nghttp2_hd_inflate_hd2(h2->inflater, &nv, &flags, fragment.ptr, fragment.len, final);
        if (n < 0) {
            bool memory = n == NGHTTP2_ERR_NOMEM;
            hf_h2_fail(h2, memory ? HF_H2_INTERNAL_ERROR : HF_H2_COMPRESSION_ERROR,
                       memory ? "out of memory" : "a field section that HPACK can't decode");
            return;
        }
        fragment = hf_bytes_from(fragment, (size_t)n);
        if (flags & NGHTTP2_HD_INFLATE_EMIT) {
            on_field(h2, &nv);
        }
        if (flags & NGHTTP2_HD_INFLATE_FINAL) {
            end_block(h2);
            return;
        }
        if (!(flags & NGHTTP2_HD_INFLATE_EMIT) && fragment.len == 0) {
            return;
        }
    }
}
