// SPDX-License-Identifier: Apache-2.0
/*
 * Field lines, and what those fields mean that decide where a message ends and where it goes. Each
 * such field has one row in `meanings`; everything else passes without a look at its value.
 */
#include <string.h>

#include "http/chars.h"
#include "http/h1_parse.h"

enum { CONNECTION_OPTIONS_MAX = 32 };

enum seen { SEEN_HOST = 1, SEEN_LENGTH = 2, SEEN_CODING = 4, SEEN_UPGRADE = 8 };

enum hf_http_fault hf_h1_field(struct hf_h1 *h1, const uint8_t *base, struct hf_bytes line)
{
    size_t name_len = hf_http_span(line, HF_CHAR_TOKEN);
    uint8_t after = name_len < line.len ? line.ptr[name_len] : 'x';
    bool blank = after == ' ' || after == '\t';
    if (blank) {
        return name_len == 0 ? HF_HTTP_FAULT_FOLD : HF_HTTP_FAULT_SPACE_BEFORE_COLON;
    }
    if (after != ':' || name_len == 0) {
        return hf_h1_bad_byte(after, HF_HTTP_FAULT_FIELD_NAME);
    }
    struct hf_bytes value = hf_http_trim(hf_bytes_from(line, name_len + 1));
    size_t valid = hf_http_value_span(value);
    if (valid < value.len) {
        return hf_h1_bad_byte(value.ptr[valid], HF_HTTP_FAULT_CONTROL);
    }
    if (name_len > UINT16_MAX) {
        return HF_HTTP_FAULT_FIELD_TOO_LONG;
    }
    if (h1->n_fields >= h1->max_fields) {
        return HF_HTTP_FAULT_TOO_MANY_FIELDS;
    }
    struct hf_http_field *field = &h1->fields[h1->n_fields++];
    struct hf_http_slice place = hf_h1_slice(base, value);
    uint8_t traits;
    enum hf_http_name name = hf_http_name_find(hf_bytes_of(line.ptr, name_len), &traits);
    *field = (struct hf_http_field){.name_at = (uint32_t)(line.ptr - base),
                                    .name_len = (uint16_t)name_len,
                                    .value_at = place.at,
                                    .value_len = place.len,
                                    .name = (uint8_t)name,
                                    .traits = traits};
    const unsigned forged = HF_FIELD_FRAMING | HF_FIELD_ALIAS;
    return (traits & forged) == forged ? HF_HTTP_FAULT_UNDERSCORE : HF_HTTP_FAULT_NONE;
}

/* --- One field at a time ------------------------------------------------------------------------
 */

/* Marks a field as seen; true when it was already. */
static bool again(struct hf_h1 *h1, enum seen which)
{
    bool seen = (h1->seen & which) != 0;
    h1->seen |= (uint8_t)which;
    return seen;
}

static enum hf_http_fault on_host(struct hf_h1 *h1, struct hf_bytes value)
{
    struct hf_http_authority authority;
    if (h1->role == HF_H1_RESPONSES) {
        return HF_HTTP_FAULT_NONE;
    }
    if (again(h1, SEEN_HOST)) {
        return HF_HTTP_FAULT_HOST_REPEATED;
    }
    const struct hf_http_field *field = &h1->fields[h1->n_fields - 1];
    h1->host = (struct hf_http_slice){field->value_at, field->value_len};
    return hf_http_authority_parse(value, &authority) ? HF_HTTP_FAULT_NONE : HF_HTTP_FAULT_HOST;
}

static enum hf_http_fault on_length(struct hf_h1 *h1, struct hf_bytes value)
{
    enum { DIGITS_MAX = 18 }; /* below 2^63, and more than there are disks for */
    uint64_t length = 0;
    if (again(h1, SEEN_LENGTH)) {
        return HF_HTTP_FAULT_LENGTH_REPEATED;
    }
    if (value.len == 0 || value.len > DIGITS_MAX ||
        hf_http_span(value, HF_CHAR_DIGIT) != value.len) {
        return HF_HTTP_FAULT_LENGTH;
    }
    for (size_t i = 0; i < value.len; i++) {
        length = length * 10 + (value.ptr[i] - '0');
    }
    h1->head.has_length = true;
    h1->head.length = length;
    return HF_HTTP_FAULT_NONE;
}

static enum hf_http_fault on_coding(struct hf_h1 *h1, struct hf_bytes value)
{
    if (again(h1, SEEN_CODING)) {
        return HF_HTTP_FAULT_CODING_REPEATED;
    }
    if (h1->head.minor == 0) {
        return HF_HTTP_FAULT_CODING_VERSION; /* RFC 9112 6.1 */
    }
    h1->chunked = true;
    return hf_http_eq_str(value, "chunked") ? HF_HTTP_FAULT_NONE : HF_HTTP_FAULT_CODING;
}

static enum hf_http_fault on_expect(struct hf_h1 *h1, struct hf_bytes value)
{
    if (h1->role == HF_H1_RESPONSES || h1->head.minor == 0) {
        return HF_HTTP_FAULT_NONE; /* RFC 9110 10.1.1 */
    }
    h1->head.expect_continue = true;
    return hf_http_eq_str(value, "100-continue") ? HF_HTTP_FAULT_NONE : HF_HTTP_FAULT_EXPECT;
}

static enum hf_http_fault on_upgrade(struct hf_h1 *h1, struct hf_bytes value)
{
    (void)value;
    h1->seen |= SEEN_UPGRADE;
    return HF_HTTP_FAULT_NONE;
}

static enum hf_http_fault (*const meanings[HF_HTTP_NAME_N])(struct hf_h1 *h1,
                                                            struct hf_bytes value) = {
    [HF_HTTP_HOST] = on_host,
    [HF_HTTP_CONTENT_LENGTH] = on_length,
    [HF_HTTP_TRANSFER_ENCODING] = on_coding,
    [HF_HTTP_EXPECT] = on_expect,
    [HF_HTTP_UPGRADE] = on_upgrade,
};

enum hf_http_fault hf_h1_meaning(struct hf_h1 *h1, struct hf_bytes in)
{
    const struct hf_http_field *field = &h1->fields[h1->n_fields - 1];
    if (!meanings[field->name] || (field->traits & HF_FIELD_ALIAS)) {
        return HF_HTTP_FAULT_NONE;
    }
    return meanings[field->name](h1, hf_http_field_value(in, field));
}

/* --- All fields together ------------------------------------------------------------------------
 */

/* A connection option names fields of this hop (RFC 9110 7.6.1). That Connection could be made to
 * drop the fields that frame or route the message is the trick refused here. */
static enum hf_http_fault nominate(struct hf_h1 *h1, struct hf_bytes in, struct hf_bytes option)
{
    for (size_t i = 0; i < h1->n_fields; i++) {
        struct hf_http_field *field = &h1->fields[i];
        if (!hf_http_eq(hf_http_field_name(in, field), option)) {
            continue;
        }
        if ((field->traits & HF_FIELD_FRAMING) && !(field->traits & HF_FIELD_HOP)) {
            return HF_HTTP_FAULT_CONNECTION;
        }
        field->traits |= HF_FIELD_HOP;
    }
    return HF_HTTP_FAULT_NONE;
}

static enum hf_http_fault read_option(struct hf_h1 *h1, struct hf_bytes in, struct hf_bytes option)
{
    const struct {
        const char *name;
        bool *flag;
    } table[] = {
        {"close", &h1->close_token},
        {"keep-alive", &h1->keep_token},
        {"upgrade", &h1->upgrade_token},
    };
    if (hf_http_span(option, HF_CHAR_TOKEN) != option.len) {
        return HF_HTTP_FAULT_CONNECTION;
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        if (hf_http_eq_str(option, table[i].name)) {
            *table[i].flag = true;
            return HF_HTTP_FAULT_NONE;
        }
    }
    return nominate(h1, in, option);
}

static enum hf_http_fault read_connection(struct hf_h1 *h1, struct hf_bytes in)
{
    unsigned n = 0;
    for (size_t i = 0; i < h1->n_fields; i++) {
        if (h1->fields[i].name != HF_HTTP_CONNECTION) {
            continue;
        }
        struct hf_bytes rest = hf_http_field_value(in, &h1->fields[i]);
        struct hf_bytes option;
        while (hf_http_list_next(&rest, &option)) {
            enum hf_http_fault fault = n++ < CONNECTION_OPTIONS_MAX ? read_option(h1, in, option)
                                                                    : HF_HTTP_FAULT_CONNECTION;
            if (fault) {
                return fault;
            }
        }
    }
    return HF_HTTP_FAULT_NONE;
}

/* Host against the authority in the target (RFC 9112 3.2). The RFC lets a proxy prefer the target;
 * two different answers to "which host?" are how one door is entered through another, so no. */
static enum hf_http_fault check_host(struct hf_h1 *h1, struct hf_bytes in)
{
    struct hf_http_authority host;
    struct hf_http_authority target;
    struct hf_http_slice in_target = h1->head.authority;
    if (!(h1->seen & SEEN_HOST)) {
        return h1->head.minor == 0 ? HF_HTTP_FAULT_NONE : HF_HTTP_FAULT_NO_HOST;
    }
    if (in_target.len == 0) {
        h1->head.authority = h1->host;
        return HF_HTTP_FAULT_NONE;
    }
    if (!hf_http_authority_parse(hf_http_slice_bytes(in, h1->host), &host) ||
        !hf_http_authority_parse(hf_http_slice_bytes(in, in_target), &target)) {
        return HF_HTTP_FAULT_HOST;
    }
    /* "https://" is longer than "http://" by the one letter before the authority. */
    struct hf_bytes text = hf_http_slice_bytes(in, h1->head.target);
    uint16_t port = text.len > 4 && (text.ptr[4] | 0x20) == 's' ? 443 : 80;
    if (h1->head.form == HF_TARGET_AUTHORITY) {
        port = target.port; /* CONNECT's Host may leave it out (RFC 9110 9.3.6) */
    }
    return hf_http_authority_eq(&host, &target, port) ? HF_HTTP_FAULT_NONE
                                                      : HF_HTTP_FAULT_HOST_MISMATCH;
}

static bool has_content(const struct hf_h1 *h1)
{
    return h1->chunked || h1->head.length > 0;
}

static enum hf_http_fault frame_request(struct hf_h1 *h1)
{
    enum hf_http_method method = h1->head.method;
    if ((method == HF_METHOD_CONNECT || method == HF_METHOD_TRACE) && has_content(h1)) {
        return HF_HTTP_FAULT_CONTENT_FORBIDDEN; /* RFC 9110 9.3.6, 9.3.8 */
    }
    if (h1->chunked) {
        h1->head.framing = HF_H1_CHUNKED;
    } else if (h1->head.has_length) {
        h1->head.framing = HF_H1_LENGTH;
    } else {
        h1->head.framing = HF_H1_NONE;
    }
    return HF_HTTP_FAULT_NONE;
}

/* RFC 9112 6.3, in its order. */
static enum hf_http_fault frame_response(struct hf_h1 *h1)
{
    uint16_t status = h1->head.status;
    bool bare = status / 100 == 1 || status == 204;
    if (bare && has_content(h1)) {
        return HF_HTTP_FAULT_CONTENT_FORBIDDEN;
    }
    if (status == 101) {
        h1->head.framing = HF_H1_TUNNEL;
        return h1->asked_upgrade ? HF_HTTP_FAULT_NONE : HF_HTTP_FAULT_SWITCH_UNASKED;
    }
    if (h1->head.interim && ++h1->n_interim > h1->limits->n_interim_max) {
        return HF_HTTP_FAULT_TOO_MANY_INTERIM;
    }
    if (bare || status == 304 || h1->asked == HF_METHOD_HEAD) {
        h1->head.framing = HF_H1_NONE;
    } else if (h1->asked == HF_METHOD_CONNECT && status / 100 == 2) {
        h1->head.framing = HF_H1_TUNNEL;
    } else if (h1->chunked) {
        h1->head.framing = HF_H1_CHUNKED;
    } else {
        h1->head.framing = h1->head.has_length ? HF_H1_LENGTH : HF_H1_CLOSE;
    }
    return HF_HTTP_FAULT_NONE;
}

static void set_persistence(struct hf_h1 *h1)
{
    struct hf_h1_head *head = &h1->head;
    bool ends_by_closing = head->framing == HF_H1_CLOSE || head->framing == HF_H1_TUNNEL;
    head->keep_alive = !h1->close_token && (head->minor > 0 || h1->keep_token) && !ends_by_closing;
    head->upgrade = head->minor > 0 && h1->upgrade_token && (h1->seen & SEEN_UPGRADE) != 0;
}

enum hf_http_fault hf_h1_conclude(struct hf_h1 *h1, struct hf_bytes in)
{
    bool requests = h1->role == HF_H1_REQUESTS;
    enum hf_http_fault fault = requests ? check_host(h1, in) : HF_HTTP_FAULT_NONE;
    if (!fault && h1->chunked && h1->head.has_length) {
        fault = HF_HTTP_FAULT_TWO_FRAMINGS;
    }
    if (!fault) {
        fault = read_connection(h1, in);
    }
    if (!fault) {
        fault = requests ? frame_request(h1) : frame_response(h1);
    }
    uint64_t body_max = h1->limits->body_max;
    if (!fault && h1->head.framing == HF_H1_LENGTH && body_max && h1->head.length > body_max) {
        fault = HF_HTTP_FAULT_BODY_TOO_LARGE;
    }
    set_persistence(h1);
    return fault;
}
