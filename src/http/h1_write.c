// SPDX-License-Identifier: Apache-2.0
#include "http/h1_write.h"

#include <inttypes.h>
#include <string.h>

#include "base/text.h"
#include "http/chars.h"
#include "http/status.h"

enum state { ST_IDLE, ST_FIELDS, ST_DATA, ST_OPEN, ST_TRAILERS };

/* struct pieces gathers what is appended in one go, so that it is all of it or nothing. */
struct pieces {
    struct hf_bytes piece[8];
    size_t n;
};

static void add(struct pieces *pieces, struct hf_bytes piece)
{
    pieces->piece[pieces->n++] = piece;
}

static void add_str(struct pieces *pieces, const char *text)
{
    add(pieces, hf_bytes_str(text));
}

static enum hf_err append(struct hf_buf *out, const struct pieces *pieces)
{
    struct hf_span room;
    size_t len = 0;
    for (size_t i = 0; i < pieces->n; i++) {
        len += pieces->piece[i].len;
    }
    if (len == 0) {
        return HF_OK;
    }
    HF_TRY(hf_buf_reserve(out, len, &room));
    for (size_t i = 0; i < pieces->n; i++) {
        if (pieces->piece[i].len) {
            memcpy(room.ptr, pieces->piece[i].ptr, pieces->piece[i].len);
            room.ptr += pieces->piece[i].len;
        }
    }
    hf_buf_commit(out, len);
    return HF_OK;
}

static enum hf_err check_state(const struct hf_h1_writer *writer, enum state wanted)
{
    return writer->state == wanted ? HF_OK
                                   : hf_fail(HF_E_INVALID, "part of a message out of its order");
}

/* --- Heads --------------------------------------------------------------------------------------
 */

enum hf_err hf_h1_write_request_parts(struct hf_h1_writer *writer, struct hf_buf *out,
                                      struct hf_bytes method, struct hf_bytes target,
                                      const struct hf_bytes *query)
{
    struct hf_http_target parsed;
    struct pieces pieces = {0};
    bool fits = method.len > 0 && hf_http_span(method, HF_CHAR_TOKEN) == method.len &&
                hf_http_target_parse(hf_http_method_find(method), target, &parsed);
    if (fits && query) {
        fits = parsed.path.len > 0 && !parsed.has_query &&
               hf_http_span(*query, HF_CHAR_QUERY) == query->len;
    }
    if (!fits) {
        return hf_fail(HF_E_INVALID, "a method or request target that can't be sent");
    }
    add(&pieces, method);
    add_str(&pieces, " ");
    add(&pieces, target);
    if (query) {
        add_str(&pieces, "?");
        add(&pieces, *query);
    }
    add_str(&pieces, " HTTP/1.1\r\n");
    HF_TRY(append(out, &pieces));
    *writer = (struct hf_h1_writer){.state = ST_FIELDS, .request = true};
    return HF_OK;
}

enum hf_err hf_h1_write_request(struct hf_h1_writer *writer, struct hf_buf *out,
                                struct hf_bytes method, struct hf_bytes target)
{
    return hf_h1_write_request_parts(writer, out, method, target, NULL);
}

enum hf_err hf_h1_write_response(struct hf_h1_writer *writer, struct hf_buf *out, unsigned status,
                                 const char *reason)
{
    char number[HF_UINT_TEXT_SIZE];
    struct pieces pieces = {0};
    struct hf_bytes phrase = hf_bytes_str(reason ? reason : hf_http_status_text(status));
    if (status < 100 || status > 599 || hf_http_value_span(phrase) != phrase.len) {
        return hf_fail(HF_E_INVALID, "a status that can't be sent: %u", status);
    }
    hf_format_uint(status, 10, number);
    add_str(&pieces, "HTTP/1.1 ");
    add_str(&pieces, number);
    add_str(&pieces, " ");
    add(&pieces, phrase);
    add_str(&pieces, "\r\n");
    HF_TRY(append(out, &pieces));
    *writer = (struct hf_h1_writer){.state = ST_FIELDS, .status = (uint16_t)status};
    return HF_OK;
}

static enum hf_err append_field(struct hf_buf *out, struct hf_bytes name, struct hf_bytes value,
                                const char *before)
{
    struct pieces pieces = {0};
    if (name.len == 0 || hf_http_span(name, HF_CHAR_TOKEN) != name.len) {
        return hf_fail(HF_E_INVALID, "a field name that is not a token");
    }
    if (hf_http_value_span(value) != value.len) {
        return hf_fail(HF_E_INVALID, "field %.*s: a control character in its value",
                       (int)(name.len < 64 ? name.len : 64), (const char *)name.ptr);
    }
    add_str(&pieces, before);
    add(&pieces, name);
    add_str(&pieces, ": ");
    add(&pieces, hf_http_trim(value));
    add_str(&pieces, "\r\n");
    return append(out, &pieces);
}

static bool is_framing(struct hf_bytes name)
{
    uint8_t traits;
    enum hf_http_name known = hf_http_name_find(name, &traits);
    return (traits & HF_FIELD_FRAMING) && known != HF_HTTP_HOST;
}

enum hf_err hf_h1_write_field(struct hf_h1_writer *writer, struct hf_buf *out, struct hf_bytes name,
                              struct hf_bytes value)
{
    HF_TRY(check_state(writer, ST_FIELDS));
    if (is_framing(name)) {
        return hf_fail(HF_E_INVALID, "framing fields are the writer's own");
    }
    return append_field(out, name, value, "");
}

enum hf_err hf_h1_write_field_str(struct hf_h1_writer *writer, struct hf_buf *out, const char *name,
                                  const char *value)
{
    return hf_h1_write_field(writer, out, hf_bytes_str(name), hf_bytes_str(value));
}

/* Is this framing one that the reader of the message would see? */
static enum hf_err check_plan(const struct hf_h1_writer *writer, const struct hf_h1_plan *plan)
{
    bool bare = writer->status / 100 == 1 || writer->status == 204;
    bool fits = true;
    switch (plan->framing) {
    case HF_H1_NONE:
        fits = writer->request || bare || plan->head_only;
        break;
    case HF_H1_LENGTH:
    case HF_H1_CHUNKED:
        fits = !bare;
        break;
    case HF_H1_CLOSE:
        fits = !writer->request && !bare && plan->connection <= HF_H1_CONNECTION_CLOSE;
        break;
    case HF_H1_TUNNEL:
        fits = writer->request || writer->status == 101 || writer->status / 100 == 2;
        break;
    }
    if (writer->status == 304 && !plan->head_only) {
        fits = false;
    }
    return fits ? HF_OK : hf_fail(HF_E_INVALID, "a body that this message may not have");
}

enum hf_err hf_h1_write_head_end(struct hf_h1_writer *writer, struct hf_buf *out,
                                 const struct hf_h1_plan *plan)
{
    static const char *const connections[] = {
        [HF_H1_CONNECTION_NONE] = "",
        [HF_H1_CONNECTION_CLOSE] = "Connection: close\r\n",
        [HF_H1_CONNECTION_KEEP_ALIVE] = "Connection: keep-alive\r\n",
        [HF_H1_CONNECTION_UPGRADE] = "Connection: upgrade\r\n",
    };
    char length[HF_UINT_TEXT_SIZE];
    struct pieces pieces = {0};
    HF_TRY(check_state(writer, ST_FIELDS));
    HF_TRY(check_plan(writer, plan));
    if (plan->framing == HF_H1_LENGTH) {
        hf_format_uint(plan->length, 10, length);
        add_str(&pieces, "Content-Length: ");
        add_str(&pieces, length);
        add_str(&pieces, "\r\n");
    } else if (plan->framing == HF_H1_CHUNKED) {
        add_str(&pieces, "Transfer-Encoding: chunked\r\n");
    }
    enum hf_h1_connection connection =
        plan->framing == HF_H1_CLOSE ? HF_H1_CONNECTION_CLOSE : plan->connection;
    add_str(&pieces, connections[connection]);
    add_str(&pieces, "\r\n");
    HF_TRY(append(out, &pieces));
    writer->state = ST_DATA;
    writer->framing = plan->framing;
    writer->head_only = plan->head_only;
    writer->left = plan->framing == HF_H1_LENGTH ? plan->length : 0;
    return HF_OK;
}

/* --- Bodies -------------------------------------------------------------------------------------
 */

static enum hf_err check_data(const struct hf_h1_writer *writer, uint64_t n)
{
    HF_TRY(check_state(writer, ST_DATA));
    if (writer->head_only || writer->framing == HF_H1_NONE) {
        return hf_fail(HF_E_INVALID, "data in a message that has no body");
    }
    if (writer->framing == HF_H1_LENGTH && n > writer->left) {
        return hf_fail(HF_E_INVALID, "%" PRIu64 " bytes more than Content-Length said",
                       n - writer->left);
    }
    return HF_OK;
}

static void count_data(struct hf_h1_writer *writer, uint64_t n)
{
    if (writer->framing == HF_H1_LENGTH) {
        writer->left -= n;
    }
}

static void chunk_line(uint64_t n, char out[static HF_H1_CHUNK_OVERHEAD])
{
    size_t len = hf_format_uint(n, 16, out);
    memcpy(out + len, "\r\n", sizeof("\r\n"));
}

enum hf_err hf_h1_write_data(struct hf_h1_writer *writer, struct hf_buf *out, struct hf_bytes data)
{
    char line[HF_H1_CHUNK_OVERHEAD];
    struct pieces pieces = {0};
    bool chunked = writer->framing == HF_H1_CHUNKED;
    if (data.len == 0) {
        return HF_OK;
    }
    HF_TRY(check_data(writer, data.len));
    chunk_line(data.len, line);
    add_str(&pieces, chunked ? line : "");
    add(&pieces, data);
    add_str(&pieces, chunked ? "\r\n" : "");
    HF_TRY(append(out, &pieces));
    count_data(writer, data.len);
    return HF_OK;
}

enum hf_err hf_h1_write_data_open(struct hf_h1_writer *writer, struct hf_buf *out, uint64_t n)
{
    char line[HF_H1_CHUNK_OVERHEAD];
    HF_TRY(check_data(writer, n));
    chunk_line(n, line);
    if (writer->framing == HF_H1_CHUNKED) {
        HF_TRY(hf_buf_append_str(out, line));
    }
    count_data(writer, n);
    writer->state = ST_OPEN;
    return HF_OK;
}

enum hf_err hf_h1_write_data_close(struct hf_h1_writer *writer, struct hf_buf *out)
{
    HF_TRY(check_state(writer, ST_OPEN));
    if (writer->framing == HF_H1_CHUNKED) {
        HF_TRY(hf_buf_append_str(out, "\r\n"));
    }
    writer->state = ST_DATA;
    return HF_OK;
}

enum hf_err hf_h1_write_trailer(struct hf_h1_writer *writer, struct hf_buf *out,
                                struct hf_bytes name, struct hf_bytes value)
{
    const unsigned forbidden = HF_FIELD_FRAMING | HF_FIELD_NO_TRAILER | HF_FIELD_HOP;
    uint8_t traits;
    (void)hf_http_name_find(name, &traits);
    if (writer->state != ST_TRAILERS) {
        HF_TRY(check_state(writer, ST_DATA));
    }
    if (writer->framing != HF_H1_CHUNKED || writer->head_only || (traits & forbidden)) {
        return hf_fail(HF_E_INVALID, "a trailer that this message may not have");
    }
    HF_TRY(append_field(out, name, value, writer->state == ST_TRAILERS ? "" : "0\r\n"));
    writer->state = ST_TRAILERS;
    return HF_OK;
}

enum hf_err hf_h1_write_end(struct hf_h1_writer *writer, struct hf_buf *out)
{
    bool in_trailers = writer->state == ST_TRAILERS;
    if (!in_trailers) {
        HF_TRY(check_state(writer, ST_DATA));
    }
    if (writer->left > 0 && !writer->head_only) {
        return hf_fail(HF_E_INVALID, "%" PRIu64 " bytes less than Content-Length said",
                       writer->left);
    }
    if (writer->framing == HF_H1_CHUNKED && !writer->head_only) {
        HF_TRY(hf_buf_append_str(out, in_trailers ? "\r\n" : "0\r\n\r\n"));
    }
    writer->state = ST_IDLE;
    return HF_OK;
}
