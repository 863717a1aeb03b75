// SPDX-License-Identifier: Apache-2.0
/*
 * The HTTP/1.1 reader, both roles. The first byte says what is read (Q requests; R, H, C, U answers
 * to GET, HEAD, CONNECT and an upgrade), the second in which portions, the rest is the stream.
 *
 * However the stream is cut, the reader must see the same; and what it takes for a message must be
 * the same message after it was written again without the fields of this hop.
 */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "http/h1_write.h"

enum { FIELDS = 40, SEEN_MAX = 8 << 20 };

static const struct hf_h1_limits limits = {.line_max = 200,
                                           .field_max = 300,
                                           .head_max = 900,
                                           .method_max = 16,
                                           .n_fields_max = FIELDS,
                                           .trailers_max = 200,
                                           .extension_max = 16,
                                           .extensions_max = 64,
                                           .body_max = 5000,
                                           .n_interim_max = 3};

static void need(bool condition)
{
    if (!condition) {
        abort();
    }
}

static enum hf_http_method asked_by(uint8_t mode)
{
    return mode == 'H' ? HF_METHOD_HEAD : mode == 'C' ? HF_METHOD_CONNECT : HF_METHOD_GET;
}

static void begin(struct hf_h1 *h1, const struct hf_h1_limits *by, struct hf_http_field *fields,
                  uint8_t mode)
{
    hf_h1_init(h1, mode == 'Q' ? HF_H1_REQUESTS : HF_H1_RESPONSES, by, fields, by->n_fields_max);
    hf_h1_expect(h1, asked_by(mode), mode == 'U');
}

/* What of a head must be the same again, as text. */
static void describe(const struct hf_h1 *h1, struct hf_bytes head, struct hf_buf *out)
{
    const struct hf_h1_head *h = &h1->head;
    uint64_t length = h->framing == HF_H1_LENGTH ? h->length : 0;
    need(hf_buf_printf(out, "%d %d %u %d %llu %d %d|", h->method, h->form, h->status, h->framing,
                       (unsigned long long)length, h->expect_continue, h->interim) == HF_OK);
    need(hf_buf_append(out, hf_http_slice_bytes(head, h->target)) == HF_OK);
    need(hf_buf_append(out, hf_http_slice_bytes(head, h->authority)) == HF_OK);
}

/* The fields that another hop gets. */
static enum hf_err copy_fields(const struct hf_h1 *h1, struct hf_bytes head,
                               struct hf_h1_writer *writer, struct hf_buf *out)
{
    const unsigned ours = HF_FIELD_HOP;
    for (size_t i = 0; i < h1->n_fields; i++) {
        const struct hf_http_field *field = &h1->fields[i];
        need(field->name_at + field->name_len < head.len);
        need((size_t)field->value_at + field->value_len <= head.len);
        if (!(field->traits & ours) && field->name != HF_HTTP_CONTENT_LENGTH) {
            HF_TRY(hf_h1_write_field(writer, out, hf_http_field_name(head, field),
                                     hf_http_field_value(head, field)));
        }
    }
    return HF_OK;
}

static void write_again(const struct hf_h1 *h1, struct hf_bytes head, uint8_t mode)
{
    struct hf_h1_writer writer;
    struct hf_http_field fields[100];
    struct hf_h1 again;
    struct hf_buf out = HF_BUF_INIT(1 << 16), was = out, is = out;
    const struct hf_h1_head *h = &h1->head;
    bool bodiless = h->framing == HF_H1_NONE && mode != 'Q' && h->status >= 200 && h->status != 204;
    struct hf_h1_plan plan = {.framing = h->framing, .length = h->length, .head_only = bodiless};
    if (mode == 'Q') {
        need(hf_h1_write_request(&writer, &out, hf_http_slice_bytes(head, h->method_text),
                                 hf_http_slice_bytes(head, h->target)) == HF_OK);
    } else {
        need(hf_h1_write_response(&writer, &out, h->status, "") == HF_OK);
    }
    need(copy_fields(h1, head, &writer, &out) == HF_OK);
    need(hf_h1_write_head_end(&writer, &out, &plan) == HF_OK);
    begin(&again, &hf_h1_limits_default, fields, mode);
    if (mode != 'Q' || h->minor > 0) { /* a request without Host is not an HTTP/1.1 request */
        need(hf_h1_head(&again, hf_buf_bytes(&out)) == HF_H1_HEAD);
        describe(h1, head, &was);
        describe(&again, hf_buf_bytes(&out), &is);
        need(hf_bytes_eq(hf_buf_bytes(&was), hf_buf_bytes(&is)));
    }
    hf_buf_done(&out);
    hf_buf_done(&was);
    hf_buf_done(&is);
}

/* Reads the stream in portions; everything seen goes to `seen`. */
static void read_stream(struct hf_bytes in, size_t portion, uint8_t mode, struct hf_buf *seen)
{
    struct hf_http_field fields[FIELDS];
    struct hf_h1 h1;
    size_t given = portion < in.len ? portion : in.len;
    bool in_body = false;
    begin(&h1, &limits, fields, mode);
    for (;;) {
        struct hf_bytes part = hf_bytes_of(in.ptr, given), data = {0};
        size_t used = 0;
        enum hf_h1_step step =
            in_body ? hf_h1_body(&h1, part, &used, &data) : hf_h1_head(&h1, part);
        need(used <= given && hf_buf_append(seen, data) == HF_OK);
        if (step == HF_H1_HEAD) {
            used = h1.head.len;
            describe(&h1, hf_bytes_of(part.ptr, used), seen);
            write_again(&h1, hf_bytes_of(part.ptr, used), mode);
            in_body = true;
        } else if (step == HF_H1_END) {
            need(hf_buf_printf(seen, "|end %u %llu|", h1.n_fields,
                               (unsigned long long)h1.body_len) == HF_OK);
            hf_h1_next(&h1);
            hf_h1_expect(&h1, asked_by(mode), mode == 'U');
            in_body = false;
        } else if (step == HF_H1_FAILED || (step == HF_H1_MORE && given == in.len)) {
            break;
        }
        in = hf_bytes_from(in, used);
        given -= used;
        if (step == HF_H1_MORE) {
            given = given + portion < in.len ? given + portion : in.len;
        }
    }
    enum hf_h1_step end = hf_h1_eof(&h1);
    need(hf_buf_printf(seen, "%d %s", end, hf_http_fault_code(h1.fault)) == HF_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    struct hf_buf whole = HF_BUF_INIT(SEEN_MAX), cut = whole;
    struct hf_bytes in = hf_bytes_of(data + 2, size - 2);
    read_stream(in, in.len, data[0], &whole);
    read_stream(in, 1u + data[1] % 32u, data[0], &cut);
    need(hf_bytes_eq(hf_buf_bytes(&whole), hf_buf_bytes(&cut)));
    hf_buf_done(&whole);
    hf_buf_done(&cut);
    return 0;
}
