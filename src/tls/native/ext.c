// SPDX-License-Identifier: Apache-2.0
#include "tls/native/ext.h"

#include "tls/native/conn.h"

/*
 * The drivers. They know lengths, permission and order, and nothing of what an extension says.
 *
 * An extension that is permitted but has no reader is passed over: in a request that is what
 * RFC 8446 4.2 asks for, and in an answer it can't happen, since we offered only what we read.
 */

#define HF_EXT_ROW(id, type, name, ch, sh, hrr, ee, cr, ct, nst) \
    [HF_EXT_##id] = {type, \
                     ch << HF_EXT_IN_CH | sh << HF_EXT_IN_SH | hrr << HF_EXT_IN_HRR | \
                         ee << HF_EXT_IN_EE | cr << HF_EXT_IN_CR | ct << HF_EXT_IN_CT | \
                         nst << HF_EXT_IN_NST, \
                     name},

static const struct {
    uint16_t type;
    uint8_t places; /* bits by hf_ext_place */
    const char *name;
} known[HF_EXT_N] = {HF_EXT_TABLE(HF_EXT_ROW)};

/* What RFC 8446 4.2 calls a request: its extensions need no offer, and unknown ones are no error.
 */
static const bool is_request[HF_EXT_IN_N] = {
    [HF_EXT_IN_CH] = true, [HF_EXT_IN_CR] = true, [HF_EXT_IN_NST] = true};

const char *hf_ext_name(enum hf_ext_id id)
{
    return id < HF_EXT_N ? known[id].name : "an unknown extension";
}

static enum hf_ext_id find(uint16_t type)
{
    for (int id = 0; id < HF_EXT_N; id++) {
        if (known[id].type == type) {
            return (enum hf_ext_id)id;
        }
    }
    return HF_EXT_N;
}

static enum hf_err refuse_twice(struct hf_native *conn, const uint16_t *types, size_t n,
                                uint16_t type)
{
    for (size_t i = 0; i < n; i++) {
        if (types[i] == type) {
            return hf_native_fail(
                conn, find(type) == HF_EXT_N ? HF_ALERT_DECODE_ERROR : HF_ALERT_ILLEGAL_PARAMETER,
                "extension %u stands twice in a message", type);
        }
    }
    if (n == HF_EXT_MAX) {
        return hf_native_fail(conn, HF_ALERT_DECODE_ERROR, "more than %d extensions in a message",
                              HF_EXT_MAX);
    }
    return HF_OK;
}

static enum hf_err permit(struct hf_native *conn, enum hf_ext_place place, enum hf_ext_id id,
                          uint16_t type, uint32_t offered)
{
    if (id == HF_EXT_N) {
        return is_request[place] ? HF_OK
                                 : hf_native_fail(conn, HF_ALERT_UNSUPPORTED_EXTENSION,
                                                  "extension %u was not offered", type);
    }
    if (!is_request[place] && !(offered & HF_EXT_BIT(id))) {
        return hf_native_fail(conn, HF_ALERT_UNSUPPORTED_EXTENSION, "extension %s was not offered",
                              known[id].name);
    }
    if (!(known[id].places & 1u << place)) {
        return hf_native_fail(conn, HF_ALERT_ILLEGAL_PARAMETER,
                              "extension %s does not belong in this message", known[id].name);
    }
    return HF_OK;
}

static enum hf_err take_one(struct hf_reader *reader, uint16_t *out_type, struct hf_bytes *out_body)
{
    HF_TRY(hf_read_u16(reader, out_type));
    return hf_read_vec16(reader, out_body);
}

/* The form of the whole block comes before any judgement on one of its extensions. */
static enum hf_err check_form(struct hf_native *conn, struct hf_bytes block)
{
    uint16_t types[HF_EXT_MAX];
    size_t n = 0;
    for (struct hf_reader reader = hf_reader_of(block); reader.rest.len; n++) {
        uint16_t type;
        struct hf_bytes body;
        HF_TRY(take_one(&reader, &type, &body));
        HF_TRY(refuse_twice(conn, types, n, type));
        types[n] = type;
    }
    return HF_OK;
}

enum hf_err hf_ext_split(struct hf_native *conn, enum hf_ext_place place, struct hf_bytes block,
                         uint32_t offered, struct hf_ext_set *out)
{
    *out = (struct hf_ext_set){.last = HF_EXT_N};
    HF_TRY(check_form(conn, block));
    for (struct hf_reader reader = hf_reader_of(block); reader.rest.len;) {
        uint16_t type;
        struct hf_bytes body;
        HF_TRY(take_one(&reader, &type, &body));
        enum hf_ext_id id = find(type);
        HF_TRY(permit(conn, place, id, type, offered));
        out->last = id;
        if (id != HF_EXT_N) {
            out->present |= HF_EXT_BIT(id);
            out->body[id] = body;
        }
    }
    return HF_OK;
}

enum hf_err hf_ext_read(struct hf_native *conn, enum hf_ext_place place,
                        const struct hf_ext_set *set)
{
    for (const struct hf_ext_readers *at = hf_ext_readers[place]; at->id != HF_EXT_N; at++) {
        if (hf_ext_has(set, at->id)) {
            enum hf_err err = at->read(conn, set->body[at->id]);
            if (err != HF_OK) {
                return hf_fail_context(err, "extension %s", known[at->id].name);
            }
        }
    }
    return HF_OK;
}

static enum hf_err write_one(struct hf_native *conn, const struct hf_ext_writers *at,
                             struct hf_buf *buf, bool *out_include)
{
    struct hf_buf_vec body;
    size_t before = hf_buf_len(buf);
    *out_include = false;
    HF_TRY(hf_buf_u16(buf, known[at->id].type));
    HF_TRY(hf_buf_vec_open(buf, 2, &body));
    HF_TRY(at->write(conn, buf, out_include));
    if (!*out_include) {
        buf->end = buf->start + before;
        return HF_OK;
    }
    return hf_buf_vec_close(buf, body);
}

enum hf_err hf_ext_write(struct hf_native *conn, enum hf_ext_place place, struct hf_buf *buf,
                         uint32_t *out_set)
{
    struct hf_buf_vec block;
    *out_set = 0;
    HF_TRY(hf_buf_vec_open(buf, 2, &block));
    for (const struct hf_ext_writers *at = hf_ext_writers[place]; at->id != HF_EXT_N; at++) {
        bool included;
        HF_TRY(write_one(conn, at, buf, &included));
        *out_set |= included ? HF_EXT_BIT(at->id) : 0;
    }
    return hf_buf_vec_close(buf, block);
}
