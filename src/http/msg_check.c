// SPDX-License-Identifier: Apache-2.0
/*
 * The last look at a message before it is written in the other version. Most of what is asked here
 * can't be otherwise, by how a message is built; it is asked again because what goes wrong here is
 * request smuggling, and because the parts are read by more than one writer.
 */
#include "http/chars.h"
#include "http/eight.h"
#include "http/msg_impl.h"

static bool is_all(struct hf_bytes text, enum hf_http_class wanted)
{
    return hf_http_span(text, wanted) == text.len;
}

static enum hf_http_fault check_target(const struct hf_http_msg *msg)
{
    struct hf_bytes path = hf_http_msg_text(msg, msg->path);
    struct hf_bytes query = hf_http_msg_text(msg, msg->query);
    bool fits = false;
    switch (msg->form) {
    case HF_TARGET_ORIGIN:
        fits = msg->method != HF_METHOD_CONNECT && path.len > 0 && path.ptr[0] == '/' &&
               is_all(path, HF_CHAR_PATH) && is_all(query, HF_CHAR_QUERY) &&
               (msg->has_query || query.len == 0);
        break;
    case HF_TARGET_AUTHORITY:
        fits = msg->method == HF_METHOD_CONNECT && path.len == 0 && !msg->has_query &&
               msg->authority.len > 0;
        break;
    case HF_TARGET_ASTERISK:
        fits = msg->method == HF_METHOD_OPTIONS && path.len == 0 && !msg->has_query;
        break;
    case HF_TARGET_ABSOLUTE:
        break;
    }
    return fits ? HF_HTTP_FAULT_NONE : HF_HTTP_FAULT_TARGET;
}

static enum hf_http_fault check_request(const struct hf_http_msg *msg)
{
    struct hf_http_authority authority;
    struct hf_bytes method = hf_http_msg_text(msg, msg->method_text);
    struct hf_bytes scheme = hf_http_msg_text(msg, msg->scheme);
    struct hf_bytes host = hf_http_msg_text(msg, msg->authority);
    bool empty = msg->body == HF_BODY_NONE || (msg->body == HF_BODY_LENGTH && !msg->length);
    if (method.len == 0 || !is_all(method, HF_CHAR_TOKEN) ||
        hf_http_method_find(method) != msg->method) {
        return HF_HTTP_FAULT_METHOD;
    }
    if (msg->form != HF_TARGET_AUTHORITY && !hf_bytes_eq_str(scheme, "https") &&
        !hf_bytes_eq_str(scheme, "http")) {
        return HF_HTTP_FAULT_SCHEME;
    }
    if (host.len && !hf_http_authority_parse(host, &authority)) {
        return HF_HTTP_FAULT_HOST;
    }
    if (msg->method == HF_METHOD_TRACE && !empty) {
        return HF_HTTP_FAULT_CONTENT_FORBIDDEN;
    }
    if (msg->protocol.len && (msg->method != HF_METHOD_GET || msg->body != HF_BODY_NONE)) {
        return HF_HTTP_FAULT_CONTENT_FORBIDDEN;
    }
    return check_target(msg);
}

static enum hf_http_fault check_response(const struct hf_http_msg *msg)
{
    bool bare = msg->status / 100 == 1 || msg->status == 204;
    bool tunnel = msg->status == 101;
    if (msg->status < 100 || msg->status > 599) {
        return HF_HTTP_FAULT_STATUS_LINE;
    }
    bool content = msg->body == HF_BODY_STREAM || (msg->body == HF_BODY_LENGTH && msg->length);
    return bare && content && !tunnel ? HF_HTTP_FAULT_CONTENT_FORBIDDEN : HF_HTTP_FAULT_NONE;
}

static bool is_lower_token(struct hf_bytes name)
{
    uint64_t upper = 0;
    size_t i = 0;
    for (; i + 8 <= name.len; i += 8) {
        upper |= hf_eight_upper(hf_eight_load(name.ptr + i));
    }
    for (; i < name.len; i++) {
        upper |= name.ptr[i] >= 'A' && name.ptr[i] <= 'Z';
    }
    return name.len > 0 && !upper && is_all(name, HF_CHAR_TOKEN);
}

static enum hf_http_fault check_field(const struct hf_http_msg *msg,
                                      const struct hf_http_field *field)
{
    struct hf_bytes name = hf_http_msg_name(msg, field);
    struct hf_bytes value = hf_http_msg_value(msg, field);
    if (!is_lower_token(name) ||
        hf_http_msg_is_kept_out((enum hf_http_name)field->name, field->traits)) {
        return HF_HTTP_FAULT_FIELD_NAME;
    }
    if (hf_http_value_span(value) != value.len) {
        return HF_HTTP_FAULT_CONTROL;
    }
    if (msg->kind == HF_MSG_TRAILERS && (field->traits & HF_FIELD_NO_TRAILER)) {
        return HF_HTTP_FAULT_TRAILER_FORBIDDEN;
    }
    return HF_HTTP_FAULT_NONE;
}

enum hf_http_fault hf_http_msg_check_line(const struct hf_http_msg *msg)
{
    enum hf_http_fault fault = HF_HTTP_FAULT_NONE;
    if (msg->kind == HF_MSG_REQUEST) {
        fault = check_request(msg);
    } else if (msg->kind == HF_MSG_RESPONSE) {
        fault = check_response(msg);
    }
    if (msg->body == HF_BODY_LENGTH && !msg->has_length) {
        fault = HF_HTTP_FAULT_LENGTH;
    }
    return fault;
}

enum hf_http_fault hf_http_msg_check(const struct hf_http_msg *msg)
{
    enum hf_http_fault fault = hf_http_msg_check_line(msg);
    for (size_t i = 0; i < msg->n_fields && !fault; i++) {
        fault = check_field(msg, &msg->fields[i]);
    }
    return fault;
}
