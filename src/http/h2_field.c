// SPDX-License-Identifier: Apache-2.0
/*
 * From decoded fields to a message that holds in every version (RFC 9113 8.1 to 8.3, 8.5; RFC
 * 8441).
 *
 * Two ways to be wrong. Malformed, in the sense of the RFC: the stream is reset, for who sends that
 * doesn't speak HTTP/2, or tries to smuggle. Well formed but not acceptable (too large, a path with
 * forbidden bytes, an expectation unknown): a client gets an answer that says so. From a server,
 * both are malformed.
 */
#include <string.h>

#include "http/chars.h"
#include "http/h2_impl.h"
#include "http/msg_impl.h"

enum seen {
    SEEN_METHOD = 1,
    SEEN_SCHEME = 2,
    SEEN_AUTHORITY = 4,
    SEEN_PATH = 8,
    SEEN_PROTOCOL = 16,
    SEEN_STATUS = 32,
    SEEN_HOST = 64,
    SEEN_LENGTH = 128,
};

static void malformed(struct hf_h2_block *block, enum hf_http_fault fault)
{
    if (!block->malformed) {
        block->fault = (uint8_t)fault;
    }
    block->malformed = true;
}

static void refuse(struct hf_h2_block *block, enum hf_http_fault fault)
{
    if (!block->fault) {
        block->fault = (uint8_t)fault;
    }
}

/* Marks what may come once; false when it had come already. */
static bool once(struct hf_h2_block *block, enum seen which, enum hf_http_fault fault)
{
    if (block->seen & which) {
        malformed(block, fault);
        return false;
    }
    block->seen |= (uint8_t)which;
    return true;
}

/* Keeps a piece of text in the message. */
static struct hf_http_slice keep(struct hf_h2_block *block, struct hf_bytes text)
{
    if (hf_http_msg_room(block->msg, text.len, NULL, 0) != HF_OK) {
        refuse(block, HF_HTTP_FAULT_HEAD_TOO_LARGE);
        return (struct hf_http_slice){0};
    }
    return hf_http_msg_push(block->msg, text);
}

/* --- Pseudo fields ------------------------------------------------------------------------------
 */

static void on_method(struct hf_h2_block *block, struct hf_bytes value)
{
    if (value.len == 0 || hf_http_span(value, HF_CHAR_TOKEN) != value.len) {
        malformed(block, HF_HTTP_FAULT_METHOD);
        return;
    }
    block->msg->method = hf_http_method_find(value);
    block->msg->method_text = keep(block, value);
}

static void on_scheme(struct hf_h2_block *block, struct hf_bytes value)
{
    if (hf_http_msg_set_scheme(block->msg, value) != HF_OK) {
        refuse(block, HF_HTTP_FAULT_SCHEME);
    }
}

static void on_authority(struct hf_h2_block *block, struct hf_bytes value)
{
    if (value.len > 0 && hf_http_msg_set_authority(block->msg, value) != HF_OK) {
        refuse(block, HF_HTTP_FAULT_HOST);
    }
}

static void on_path(struct hf_h2_block *block, struct hf_bytes value)
{
    if (value.len == 0) { /* RFC 9113 8.3.1 */
        malformed(block, HF_HTTP_FAULT_TARGET);
        return;
    }
    block->path = keep(block, value);
}

static void on_protocol(struct hf_h2_block *block, struct hf_bytes value)
{
    block->extended = true;
    if (value.len == 0 || hf_http_msg_set_protocol(block->msg, value) != HF_OK) {
        malformed(block, HF_HTTP_FAULT_PSEUDO);
        return;
    }
    hf_http_msg_lower(block->msg, block->msg->protocol);
}

static void on_status(struct hf_h2_block *block, struct hf_bytes value)
{
    if (value.len != 3 || hf_http_span(value, HF_CHAR_DIGIT) != 3) {
        malformed(block, HF_HTTP_FAULT_STATUS_LINE);
        return;
    }
    unsigned status =
        (value.ptr[0] - '0') * 100u + (value.ptr[1] - '0') * 10u + (value.ptr[2] - '0');
    if (hf_http_msg_set_status(block->msg, status) != HF_OK) {
        malformed(block, HF_HTTP_FAULT_STATUS_LINE);
    }
}

static void on_pseudo(struct hf_h2 *h2, struct hf_bytes name, struct hf_bytes value)
{
    static const struct {
        const char *name;
        enum seen seen;
        enum hf_h2_block_kind kind;
        void (*take)(struct hf_h2_block *block, struct hf_bytes value);
    } table[] = {
        {":method", SEEN_METHOD, HF_H2_BLOCK_REQUEST, on_method},
        {":scheme", SEEN_SCHEME, HF_H2_BLOCK_REQUEST, on_scheme},
        {":authority", SEEN_AUTHORITY, HF_H2_BLOCK_REQUEST, on_authority},
        {":path", SEEN_PATH, HF_H2_BLOCK_REQUEST, on_path},
        {":protocol", SEEN_PROTOCOL, HF_H2_BLOCK_REQUEST, on_protocol},
        {":status", SEEN_STATUS, HF_H2_BLOCK_RESPONSE, on_status},
    };
    struct hf_h2_block *block = &h2->block;
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        if (!hf_bytes_eq_str(name, table[i].name)) {
            continue;
        }
        if (block->regular || block->kind != table[i].kind) {
            break;
        }
        if (once(block, table[i].seen, HF_HTTP_FAULT_PSEUDO)) {
            table[i].take(block, value);
        }
        return;
    }
    malformed(block, HF_HTTP_FAULT_PSEUDO);
}

/* --- Regular fields -----------------------------------------------------------------------------
 */

static void on_length(struct hf_h2_block *block, struct hf_bytes value)
{
    enum { DIGITS_MAX = 18 };
    uint64_t length = 0;
    if (!once(block, SEEN_LENGTH, HF_HTTP_FAULT_LENGTH_REPEATED)) {
        return;
    }
    if (value.len == 0 || value.len > DIGITS_MAX ||
        hf_http_span(value, HF_CHAR_DIGIT) != value.len) {
        malformed(block, HF_HTTP_FAULT_LENGTH);
        return;
    }
    for (size_t i = 0; i < value.len; i++) {
        length = length * 10 + (value.ptr[i] - '0');
    }
    block->msg->has_length = true;
    block->msg->length = length;
}

static void on_host(struct hf_h2_block *block, struct hf_bytes value)
{
    if (block->kind == HF_H2_BLOCK_TRAILERS) {
        malformed(block, HF_HTTP_FAULT_TRAILER_FORBIDDEN);
    } else if (block->kind == HF_H2_BLOCK_REQUEST &&
               once(block, SEEN_HOST, HF_HTTP_FAULT_HOST_REPEATED)) {
        block->host = keep(block, value);
        if (value.len == 0) {
            refuse(block, HF_HTTP_FAULT_HOST);
        }
    }
}

static void on_te(struct hf_h2_block *block, struct hf_bytes value)
{
    if (!hf_http_eq_str(value, "trailers")) { /* RFC 9113 8.2.2 */
        malformed(block, HF_HTTP_FAULT_HOP_FIELD);
        return;
    }
    block->msg->te_trailers = true;
}

static void on_expect(struct hf_h2_block *block, struct hf_bytes value)
{
    if (block->kind != HF_H2_BLOCK_REQUEST) {
        return;
    }
    if (!hf_http_eq_str(value, "100-continue")) {
        refuse(block, HF_HTTP_FAULT_EXPECT);
        return;
    }
    block->msg->expect_continue = true;
}

static void on_hop_field(struct hf_h2_block *block, struct hf_bytes value)
{
    (void)value;
    malformed(block, HF_HTTP_FAULT_HOP_FIELD);
}

/* Credentials for the nearest proxy: seen by nobody behind us. */
static void on_unwanted(struct hf_h2_block *block, struct hf_bytes value)
{
    (void)block;
    (void)value;
}

static void (*const meanings[HF_HTTP_NAME_N])(struct hf_h2_block *block, struct hf_bytes value) = {
    [HF_HTTP_CONTENT_LENGTH] = on_length,
    [HF_HTTP_HOST] = on_host,
    [HF_HTTP_TE] = on_te,
    [HF_HTTP_EXPECT] = on_expect,
    [HF_HTTP_CONNECTION] = on_hop_field,
    [HF_HTTP_KEEP_ALIVE] = on_hop_field,
    [HF_HTTP_PROXY_CONNECTION] = on_hop_field,
    [HF_HTTP_TRANSFER_ENCODING] = on_hop_field,
    [HF_HTTP_UPGRADE] = on_hop_field,
    [HF_HTTP_PROXY_AUTHENTICATE] = on_unwanted,
    [HF_HTTP_PROXY_AUTHORIZATION] = on_unwanted,
};

static bool is_name(struct hf_bytes name)
{
    for (size_t i = 0; i < name.len; i++) {
        uint8_t byte = name.ptr[i];
        if (!hf_http_is(byte, HF_CHAR_TOKEN) || (byte >= 'A' && byte <= 'Z')) {
            return false;
        }
    }
    return name.len > 0 && name.len <= UINT16_MAX;
}

static bool is_value(struct hf_bytes value)
{
    return hf_http_value_span(value) == value.len && hf_http_trim(value).len == value.len;
}

static void push_field(struct hf_h2_block *block, struct hf_bytes name, struct hf_bytes value,
                       enum hf_http_name known, uint8_t traits)
{
    struct hf_http_msg *msg = block->msg;
    if (hf_http_msg_field_room(msg, 1) != HF_OK ||
        hf_http_msg_room(msg, name.len + value.len, NULL, 0) != HF_OK) {
        refuse(block, HF_HTTP_FAULT_HEAD_TOO_LARGE);
        return;
    }
    struct hf_http_slice name_at = hf_http_msg_push(msg, name);
    struct hf_http_slice value_at = hf_http_msg_push(msg, value);
    msg->fields[msg->n_fields++] = (struct hf_http_field){.name_at = name_at.at,
                                                          .name_len = (uint16_t)name_at.len,
                                                          .value_at = value_at.at,
                                                          .value_len = value_at.len,
                                                          .name = (uint8_t)known,
                                                          .traits = traits};
}

void hf_h2_field(struct hf_h2 *h2, struct hf_bytes name, struct hf_bytes value, bool secret)
{
    struct hf_h2_block *block = &h2->block;
    uint8_t traits;
    if (!is_value(value)) { /* RFC 9113 8.2.1 */
        malformed(block, HF_HTTP_FAULT_CONTROL);
        return;
    }
    if (name.len && name.ptr[0] == ':') {
        on_pseudo(h2, name, value);
        return;
    }
    block->regular = true;
    if (!is_name(name)) {
        malformed(block, HF_HTTP_FAULT_FIELD_NAME);
        return;
    }
    enum hf_http_name known = hf_http_name_find(name, &traits);
    if ((traits & HF_FIELD_ALIAS) && (traits & (HF_FIELD_FRAMING | HF_FIELD_HOP))) {
        malformed(block, HF_HTTP_FAULT_UNDERSCORE);
    } else if (meanings[known] && !(traits & HF_FIELD_ALIAS)) {
        meanings[known](block, value);
    } else {
        push_field(block, name, value, known, (uint8_t)(traits | (secret ? HF_FIELD_SECRET : 0)));
    }
}

/* --- The whole ----------------------------------------------------------------------------------
 */

/* Host and :authority must agree, and one of them be there (RFC 9113 8.3.1). */
static void conclude_authority(struct hf_h2_block *block)
{
    struct hf_http_msg *msg = block->msg;
    struct hf_http_authority by_host;
    struct hf_http_authority by_pseudo;
    if (block->seen & SEEN_HOST) {
        struct hf_bytes host = hf_http_msg_text(msg, block->host);
        struct hf_bytes pseudo = hf_http_msg_text(msg, msg->authority);
        bool https = hf_bytes_eq_str(hf_http_msg_text(msg, msg->scheme), "https");
        if (!hf_http_authority_parse(host, &by_host)) {
            refuse(block, HF_HTTP_FAULT_HOST);
        } else if (pseudo.len == 0) {
            msg->authority = block->host;
        } else if (!hf_http_authority_parse(pseudo, &by_pseudo) ||
                   !hf_http_authority_eq(&by_host, &by_pseudo, https ? 443 : 80)) {
            malformed(block, HF_HTTP_FAULT_HOST_MISMATCH);
        }
    }
    if (msg->authority.len == 0) {
        refuse(block, HF_HTTP_FAULT_NO_AUTHORITY);
    }
}

/* Which pseudo fields there must and may be: RFC 9113 8.3.1, 8.5, RFC 8441 4. */
static bool has_its_pseudo_fields(const struct hf_h2 *h2)
{
    const struct hf_h2_block *block = &h2->block;
    const unsigned plain = SEEN_METHOD | SEEN_SCHEME | SEEN_PATH;
    unsigned seen = block->seen & (plain | SEEN_AUTHORITY | SEEN_PROTOCOL);
    if (block->extended) {
        return h2->config->connect_protocol && block->msg->method == HF_METHOD_CONNECT &&
               seen == (plain | SEEN_AUTHORITY | SEEN_PROTOCOL);
    }
    if (block->msg->method == HF_METHOD_CONNECT) {
        return seen == (SEEN_METHOD | SEEN_AUTHORITY);
    }
    return (seen & plain) == plain;
}

/* Takes :path apart, and puts method and form to what they are in a message. */
static void conclude_target(struct hf_h2_block *block)
{
    struct hf_http_msg *msg = block->msg;
    struct hf_http_target target;
    if (block->extended) { /* an upgrade is a GET here: see msg.h */
        msg->method = HF_METHOD_GET;
        msg->method_text = keep(block, hf_bytes_str("GET"));
    }
    if (msg->method == HF_METHOD_CONNECT) {
        msg->form = HF_TARGET_AUTHORITY;
        if (!hf_http_target_parse(msg->method, hf_http_msg_text(msg, msg->authority), &target)) {
            refuse(block, HF_HTTP_FAULT_TARGET);
        }
        return;
    }
    struct hf_bytes path = hf_http_msg_text(msg, block->path);
    if (!hf_http_target_parse(msg->method, path, &target) || target.form == HF_TARGET_ABSOLUTE) {
        refuse(block, HF_HTTP_FAULT_TARGET);
        return;
    }
    msg->form = target.form;
    msg->has_query = target.has_query;
    if (target.form == HF_TARGET_ORIGIN) {
        uint32_t path_len = (uint32_t)target.path.len;
        msg->path = (struct hf_http_slice){block->path.at, path_len};
        msg->query = (struct hf_http_slice){target.has_query ? block->path.at + path_len + 1 : 0,
                                            (uint32_t)target.query.len};
    }
}

static void conclude_body(struct hf_h2_block *block)
{
    struct hf_http_msg *msg = block->msg;
    if (block->end_stream || block->extended) {
        msg->body = msg->has_length && msg->length == 0 ? HF_BODY_LENGTH : HF_BODY_NONE;
    } else {
        msg->body = msg->has_length ? HF_BODY_LENGTH : HF_BODY_STREAM;
    }
}

static void conclude_request(struct hf_h2 *h2)
{
    struct hf_h2_block *block = &h2->block;
    if (block->malformed) {
        return;
    }
    bool told = block->msg->has_length && block->msg->length > 0;
    if (!has_its_pseudo_fields(h2)) {
        malformed(block, HF_HTTP_FAULT_PSEUDO);
    } else if ((block->end_stream && told) || (block->extended && block->end_stream)) {
        malformed(block, HF_HTTP_FAULT_LENGTH); /* a length, and no body; an upgrade, and its end */
    } else if ((block->extended || block->msg->method == HF_METHOD_CONNECT) &&
               block->msg->has_length) {
        malformed(block, HF_HTTP_FAULT_CONTENT_FORBIDDEN);
    } else {
        conclude_authority(block);
        conclude_target(block);
        conclude_body(block);
    }
}

static void deliver_request(struct hf_h2 *h2, struct hf_http_msg *msg, enum hf_http_fault fault,
                            bool end)
{
    const struct hf_h2_events *events = h2->config->events;
    uint32_t id = h2->block.id;
    struct hf_h2_stream *stream = hf_h2_stream_open(h2, id);
    if (!stream) {
        hf_http_msg_pool_put(h2->config->msgs, msg);
        hf_h2_fail(h2, HF_H2_INTERNAL_ERROR, "out of memory");
        return;
    }
    stream->head_came = true;
    stream->remote_end = end;
    stream->asked = (uint8_t)msg->method;
    stream->upgrade = msg->protocol.len > 0;
    stream->has_length = msg->body == HF_BODY_LENGTH;
    stream->left = stream->has_length ? msg->length : 0;
    if (!fault) {
        events->on_head(h2->ctx, stream, msg, end);
        return;
    }
    hf_http_msg_pool_put(h2->config->msgs, msg);
    stream->bad = true;
    events->on_bad_head(h2->ctx, stream, fault);
    stream = hf_h2_stream_find(h2, id);
    if (stream && !stream->head_sent) {
        hf_h2_stream_error(h2, id, HF_H2_PROTOCOL_ERROR, fault);
    }
}

/* --- Responses and trailers ---------------------------------------------------------------------
 */

/* The final or interim response; RFC 9113 8.1, 8.3.2; RFC 9110 15. */
static void conclude_response(struct hf_h2_block *block, const struct hf_h2_stream *stream)
{
    struct hf_http_msg *msg = block->msg;
    if (block->malformed) {
        return;
    }
    bool interim = msg->status / 100 == 1;
    bool bare = msg->status == 204 || msg->status == 304 || stream->asked == HF_METHOD_HEAD;
    bool told = msg->has_length && msg->length > 0;
    bool fits = (block->seen & SEEN_STATUS) != 0 && msg->status != 101 &&
                !(interim && (block->end_stream || told)) && !(msg->status == 204 && told) &&
                !(block->end_stream && told && !bare);
    if (!fits) {
        malformed(block, (block->seen & SEEN_STATUS) ? HF_HTTP_FAULT_LENGTH : HF_HTTP_FAULT_PSEUDO);
        return;
    }
    if (interim || bare || block->end_stream) {
        msg->body = msg->has_length && !bare && !interim ? HF_BODY_LENGTH : HF_BODY_NONE;
        return;
    }
    bool tunnel = stream->asked == HF_METHOD_CONNECT && msg->status / 100 == 2;
    bool upgraded = stream->upgrade && msg->status / 100 == 2;
    if ((tunnel || upgraded) && msg->has_length) {
        malformed(block, HF_HTTP_FAULT_CONTENT_FORBIDDEN);
        return;
    }
    msg->status = upgraded ? 101 : msg->status;
    msg->body = msg->has_length ? HF_BODY_LENGTH : HF_BODY_STREAM;
}

static void deliver_response(struct hf_h2 *h2, struct hf_h2_stream *stream, struct hf_http_msg *msg,
                             bool end)
{
    uint32_t id = stream->id;
    bool interim = msg->status / 100 == 1 && msg->status != 101;
    if (!interim) {
        stream->head_came = true;
        stream->bodiless = msg->body == HF_BODY_NONE;
        stream->has_length = msg->body == HF_BODY_LENGTH;
        stream->left = stream->has_length ? msg->length : 0;
        stream->remote_end = end;
    }
    h2->config->events->on_head(h2->ctx, stream, msg, end);
    stream = end ? hf_h2_stream_find(h2, id) : NULL;
    if (stream) {
        (void)hf_h2_stream_settle(stream);
    }
}

/* Trailers end the stream, and hold nothing that belongs in a head. */
static void conclude_trailers(struct hf_h2_block *block)
{
    if (!block->end_stream) { /* RFC 9113 8.1 */
        malformed(block, HF_HTTP_FAULT_PSEUDO);
    } else if (block->seen & SEEN_LENGTH || block->msg->expect_continue ||
               block->msg->te_trailers) {
        malformed(block, HF_HTTP_FAULT_TRAILER_FORBIDDEN);
    } else {
        (void)hf_http_msg_remove_traits(block->msg, HF_FIELD_NO_TRAILER); /* RFC 9110 6.5.1 */
    }
}

void hf_h2_fields_end(struct hf_h2 *h2)
{
    struct hf_h2_block block = h2->block;
    struct hf_h2_stream *stream = hf_h2_stream_find(h2, block.id);
    bool request = block.kind == HF_H2_BLOCK_REQUEST;
    if (!request && !stream) { /* it was reset between two frames of its section */
        hf_h2_block_drop(h2);
        return;
    }
    if (request) {
        conclude_request(h2);
    } else if (block.kind == HF_H2_BLOCK_RESPONSE) {
        conclude_response(&h2->block, stream);
    } else {
        conclude_trailers(&h2->block);
    }
    block = h2->block;
    h2->block = (struct hf_h2_block){.id = block.id};
    enum hf_http_fault fault = (enum hf_http_fault)block.fault;
    if (!fault && hf_http_msg_join_cookies(block.msg) != HF_OK) {
        fault = HF_HTTP_FAULT_HEAD_TOO_LARGE;
    }
    if (!fault) {
        fault = hf_http_msg_check(block.msg);
    }
    if (block.malformed || (fault && !request)) {
        hf_http_msg_pool_put(h2->config->msgs, block.msg);
        if (request && h2->config->events->on_malformed) {
            h2->config->events->on_malformed(h2->ctx, block.id, fault);
        }
        hf_h2_stream_error(h2, block.id, HF_H2_PROTOCOL_ERROR, fault);
    } else if (request) {
        deliver_request(h2, block.msg, fault, block.end_stream);
    } else if (block.kind == HF_H2_BLOCK_RESPONSE) {
        deliver_response(h2, stream, block.msg, block.end_stream);
    } else {
        hf_h2_remote_end(stream, block.msg);
    }
}
