// SPDX-License-Identifier: Apache-2.0
/*
 * Heads, line by line. A line is looked at only once it is complete: its end is found with memchr,
 * which remembers how far it has looked, so a peer that sends one byte at a time costs no more than
 * one that sends all at once. Limits are checked in terms of positions in the input, so that a
 * given input ends in the same fault however it was cut.
 */
#include <assert.h>
#include <string.h>

#include "http/chars.h"
#include "http/h1_parse.h"

const struct hf_h1_limits hf_h1_limits_default = {
    .line_max = 8 << 10,
    .field_max = 16 << 10,
    .head_max = 32 << 10,
    .method_max = 32,
    .n_fields_max = 100,
    .trailers_max = 8 << 10,
    .extension_max = 256,
    .extensions_max = 4 << 10,
    .body_max = 0,
    .n_interim_max = 16,
};

void hf_h1_init(struct hf_h1 *h1, enum hf_h1_role role, const struct hf_h1_limits *limits,
                struct hf_http_field *fields, size_t n_fields)
{
    assert(limits->head_max <= INT32_MAX && limits->trailers_max <= INT32_MAX);
    *h1 = (struct hf_h1){.limits = limits, .role = role};
    hf_h1_set_fields(h1, fields, n_fields);
}

void hf_h1_set_fields(struct hf_h1 *h1, struct hf_http_field *fields, size_t n_fields)
{
    size_t max = h1->limits->n_fields_max;
    h1->fields = fields;
    h1->n_fields = 0;
    h1->max_fields = (uint16_t)(n_fields < max ? n_fields : max);
}

void hf_h1_expect(struct hf_h1 *h1, enum hf_http_method method, bool upgrade)
{
    h1->asked = method;
    h1->asked_upgrade = upgrade;
}

void hf_h1_next(struct hf_h1 *h1)
{
    assert(h1->state == HF_H1_ST_END);
    bool interim = h1->head.interim;
    *h1 = (struct hf_h1){
        .limits = h1->limits,
        .role = h1->role,
        .fields = h1->fields,
        .max_fields = h1->max_fields,
        .n_interim = interim ? h1->n_interim : 0,
        .asked = interim ? h1->asked : HF_METHOD_OTHER,
        .asked_upgrade = interim && h1->asked_upgrade,
    };
}

bool hf_h1_idle(const struct hf_h1 *h1)
{
    return h1->state == HF_H1_ST_START && h1->scan_at == 0;
}

enum hf_h1_step hf_h1_fail(struct hf_h1 *h1, enum hf_http_fault fault)
{
    h1->fault = fault;
    h1->state = HF_H1_ST_FAILED;
    return HF_H1_FAILED;
}

enum hf_http_fault hf_h1_bad_byte(uint8_t byte, enum hf_http_fault otherwise)
{
    if (byte == '\r') {
        return HF_HTTP_FAULT_BARE_CR;
    }
    return byte < ' ' || byte == 0x7f ? HF_HTTP_FAULT_CONTROL : otherwise;
}

enum hf_h1_step hf_h1_line(struct hf_h1 *h1, struct hf_bytes in,
                           const struct hf_h1_section *section, struct hf_bytes *out)
{
    uint64_t line_end = (uint64_t)h1->line_at + section->line_max + 2;
    uint64_t limit = line_end < section->total_max ? line_end : section->total_max;
    size_t end = in.len < limit ? in.len : (size_t)limit;
    const uint8_t *lf =
        end > h1->scan_at ? memchr(in.ptr + h1->scan_at, '\n', end - h1->scan_at) : NULL;
    if (!lf) {
        h1->scan_at = (uint32_t)end;
        if (end < limit) {
            return HF_H1_MORE;
        }
        return hf_h1_fail(h1, limit == line_end ? section->line_fault : section->total_fault);
    }
    const uint8_t *start = in.ptr + h1->line_at;
    if (lf == start || lf[-1] != '\r') {
        return hf_h1_fail(h1, HF_HTTP_FAULT_BARE_LF);
    }
    *out = hf_bytes_of(start, (size_t)(lf - start) - 1);
    h1->line_at = h1->scan_at = (uint32_t)(lf - in.ptr) + 1;
    return HF_H1_DATA;
}

/* --- The first line -----------------------------------------------------------------------------
 */

/* "HTTP/1.0" or "HTTP/1.1" into minor; malformed is the fault of the line it stands in. */
static enum hf_http_fault parse_version(struct hf_bytes text, enum hf_http_fault malformed,
                                        uint8_t *out_minor)
{
    static const char prefix[] = "HTTP/";
    if (text.len != 8 || memcmp(text.ptr, prefix, 5) != 0 ||
        !hf_http_is(text.ptr[5], HF_CHAR_DIGIT) || text.ptr[6] != '.' ||
        !hf_http_is(text.ptr[7], HF_CHAR_DIGIT)) {
        return malformed;
    }
    if (text.ptr[5] != '1' || text.ptr[7] > '1') {
        return HF_HTTP_FAULT_VERSION;
    }
    *out_minor = text.ptr[7] - '0';
    return HF_HTTP_FAULT_NONE;
}

static enum hf_http_fault parse_method(struct hf_h1 *h1, struct hf_bytes method)
{
    h1->head.method = hf_http_method_find(method);
    return h1->head.method == HF_METHOD_OTHER && method.len > h1->limits->method_max
               ? HF_HTTP_FAULT_METHOD
               : HF_HTTP_FAULT_NONE;
}

static enum hf_http_fault parse_target(struct hf_h1 *h1, const uint8_t *base, struct hf_bytes text)
{
    struct hf_http_target target;
    size_t valid = hf_http_value_span(text);
    if (valid < text.len) {
        return hf_h1_bad_byte(text.ptr[valid], HF_HTTP_FAULT_TARGET);
    }
    if (!hf_http_target_parse(h1->head.method, text, &target)) {
        return HF_HTTP_FAULT_TARGET;
    }
    h1->head.form = target.form;
    h1->head.target = hf_h1_slice(base, text);
    h1->head.path = hf_h1_slice(base, target.path);
    h1->head.query = hf_h1_slice(base, target.query);
    h1->head.has_query = target.has_query;
    h1->head.authority = hf_h1_slice(base, target.authority);
    return HF_HTTP_FAULT_NONE;
}

/* The piece before the next single space, or everything when there is none. */
static struct hf_bytes before_space(struct hf_bytes text)
{
    const uint8_t *space = text.len ? memchr(text.ptr, ' ', text.len) : NULL;
    return hf_bytes_of(text.ptr, space ? (size_t)(space - text.ptr) : text.len);
}

enum hf_http_fault hf_h1_request_line(struct hf_h1 *h1, const uint8_t *base, struct hf_bytes line)
{
    struct hf_bytes method = hf_bytes_of(line.ptr, hf_http_span(line, HF_CHAR_TOKEN));
    if (method.len == 0 || method.len == line.len) {
        return HF_HTTP_FAULT_REQUEST_LINE;
    }
    if (line.ptr[method.len] != ' ') {
        return hf_h1_bad_byte(line.ptr[method.len], HF_HTTP_FAULT_REQUEST_LINE);
    }
    struct hf_bytes rest = hf_bytes_from(line, method.len + 1);
    struct hf_bytes target = before_space(rest);
    if (target.len == 0 || target.len == rest.len) {
        return HF_HTTP_FAULT_REQUEST_LINE;
    }
    rest = hf_bytes_from(rest, target.len + 1);
    enum hf_http_fault fault = parse_version(rest, HF_HTTP_FAULT_REQUEST_LINE, &h1->head.minor);
    if (!fault) {
        fault = parse_method(h1, method);
    }
    h1->head.method_text = hf_h1_slice(base, method);
    return fault ? fault : parse_target(h1, base, target);
}

enum hf_http_fault hf_h1_status_line(struct hf_h1 *h1, const uint8_t *base, struct hf_bytes line)
{
    struct hf_bytes version = before_space(line);
    struct hf_bytes rest = hf_bytes_from(line, version.len + 1);
    enum hf_http_fault fault = parse_version(version, HF_HTTP_FAULT_STATUS_LINE, &h1->head.minor);
    if (fault) {
        return fault;
    }
    /* RFC 9112 4 wants a space even before an empty reason; servers that leave it out are many and
     * nothing can be read two ways, so it may be missing. */
    if (hf_http_span(rest, HF_CHAR_DIGIT) != 3 || (rest.len > 3 && rest.ptr[3] != ' ')) {
        return HF_HTTP_FAULT_STATUS_LINE;
    }
    unsigned status = (rest.ptr[0] - '0') * 100u + (rest.ptr[1] - '0') * 10u + (rest.ptr[2] - '0');
    struct hf_bytes reason = hf_bytes_from(rest, 4);
    size_t valid = hf_http_value_span(reason);
    if (valid < reason.len) {
        return hf_h1_bad_byte(reason.ptr[valid], HF_HTTP_FAULT_STATUS_LINE);
    }
    h1->head.status = (uint16_t)status;
    h1->head.interim = status / 100 == 1 && status != 101;
    h1->head.reason = hf_h1_slice(base, reason);
    return status >= 100 && status <= 599 ? HF_HTTP_FAULT_NONE : HF_HTTP_FAULT_STATUS_LINE;
}

/* --- The head -----------------------------------------------------------------------------------
 */

/* What is certainly no first line is refused at its first byte: a TLS hello, say, has no LF to wait
 * for. */
static bool may_begin(const struct hf_h1 *h1, uint8_t byte)
{
    if (byte == '\r' || byte == '\n') {
        return true;
    }
    return h1->role == HF_H1_REQUESTS ? hf_http_is(byte, HF_CHAR_TOKEN) : byte == 'H';
}

static enum hf_h1_step read_first_line(struct hf_h1 *h1, struct hf_bytes in)
{
    const struct hf_h1_section section = {h1->limits->line_max, HF_HTTP_FAULT_LINE_TOO_LONG,
                                          h1->limits->head_max, HF_HTTP_FAULT_HEAD_TOO_LARGE};
    bool requests = h1->role == HF_H1_REQUESTS;
    enum hf_http_fault malformed =
        requests ? HF_HTTP_FAULT_REQUEST_LINE : HF_HTTP_FAULT_STATUS_LINE;
    struct hf_bytes line;
    if (in.len > h1->line_at && !may_begin(h1, in.ptr[h1->line_at])) {
        return hf_h1_fail(h1, malformed);
    }
    bool first = h1->line_at == 0;
    enum hf_h1_step step = hf_h1_line(h1, in, &section, &line);
    if (step != HF_H1_DATA) {
        return step;
    }
    if (line.len == 0) {
        /* RFC 9112 2.2: one empty line before a request is passed over. */
        return requests && first ? read_first_line(h1, in) : hf_h1_fail(h1, malformed);
    }
    enum hf_http_fault fault =
        requests ? hf_h1_request_line(h1, in.ptr, line) : hf_h1_status_line(h1, in.ptr, line);
    if (fault) {
        return hf_h1_fail(h1, fault);
    }
    h1->state = HF_H1_ST_FIELDS;
    return HF_H1_DATA;
}

static enum hf_h1_step read_fields(struct hf_h1 *h1, struct hf_bytes in)
{
    const struct hf_h1_section section = {h1->limits->field_max, HF_HTTP_FAULT_FIELD_TOO_LONG,
                                          h1->limits->head_max, HF_HTTP_FAULT_HEAD_TOO_LARGE};
    struct hf_bytes line;
    enum hf_h1_step step;
    while ((step = hf_h1_line(h1, in, &section, &line)) == HF_H1_DATA) {
        bool last = line.len == 0;
        enum hf_http_fault fault = last ? hf_h1_conclude(h1, in) : hf_h1_field(h1, in.ptr, line);
        if (!fault && !last) {
            fault = hf_h1_meaning(h1, in);
        }
        if (fault) {
            return hf_h1_fail(h1, fault);
        }
        if (last) {
            h1->head.len = h1->line_at;
            h1->state = HF_H1_ST_BODY;
            return HF_H1_HEAD;
        }
    }
    return step;
}

enum hf_h1_step hf_h1_head(struct hf_h1 *h1, struct hf_bytes in)
{
    if (h1->state == HF_H1_ST_FAILED) {
        return HF_H1_FAILED;
    }
    assert(h1->state == HF_H1_ST_START || h1->state == HF_H1_ST_FIELDS);
    if (h1->state == HF_H1_ST_START) {
        enum hf_h1_step step = read_first_line(h1, in);
        if (step != HF_H1_DATA) {
            return step;
        }
    }
    return read_fields(h1, in);
}
