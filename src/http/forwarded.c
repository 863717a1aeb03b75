// SPDX-License-Identifier: Apache-2.0
#include "http/forwarded.h"

#include <string.h>

#include "http/chars.h"

/* --- Writing -----------------------------------------------------------------------------------*/

static enum hf_err put_value(struct hf_buf *out, struct hf_bytes value)
{
    if (value.len && hf_http_span(value, HF_CHAR_TOKEN) == value.len) {
        return hf_buf_append(out, value);
    }
    if (hf_http_value_span(value) != value.len) {
        return hf_fail(HF_E_INVALID, "a control character can't be told in Forwarded");
    }
    HF_TRY(hf_buf_append_str(out, "\""));
    for (size_t i = 0; i < value.len; i++) {
        if (hf_byte_in(value.ptr[i], "\"\\")) {
            HF_TRY(hf_buf_append_str(out, "\\"));
        }
        HF_TRY(hf_buf_u8(out, value.ptr[i]));
    }
    return hf_buf_append_str(out, "\"");
}

static enum hf_err put_node(struct hf_buf *out, struct hf_bytes address)
{
    if (!address.len) {
        return hf_buf_append_str(out, "unknown");
    }
    if (!memchr(address.ptr, ':', address.len)) {
        return put_value(out, address);
    }
    return hf_buf_printf(out, "\"[%.*s]\"", (int)address.len, (const char *)address.ptr);
}

enum hf_err hf_forwarded_append(struct hf_buf *out, const struct hf_forwarded_element *element)
{
    HF_TRY(hf_buf_append_str(out, "for="));
    HF_TRY(put_node(out, element->address));
    if (element->host.len) {
        HF_TRY(hf_buf_append_str(out, ";host="));
        HF_TRY(put_value(out, element->host));
    }
    if (element->proto.len) {
        HF_TRY(hf_buf_append_str(out, ";proto="));
        HF_TRY(put_value(out, element->proto));
    }
    return HF_OK;
}

/* --- Checking ----------------------------------------------------------------------------------*/

enum { NAMES_MAX = 16 };

static enum hf_err malformed(const char *what)
{
    return hf_fail(HF_E_MALFORMED, "Forwarded: %s", what);
}

static void skip_space(struct hf_bytes *rest)
{
    while (rest->len && (rest->ptr[0] == ' ' || rest->ptr[0] == '\t')) {
        *rest = hf_bytes_from(*rest, 1);
    }
}

static enum hf_err take_token(struct hf_bytes *rest, struct hf_bytes *out)
{
    size_t n = hf_http_span(*rest, HF_CHAR_TOKEN);
    if (n == 0) {
        return malformed("a name or value is missing");
    }
    *out = hf_bytes_of(rest->ptr, n);
    *rest = hf_bytes_from(*rest, n);
    return HF_OK;
}

static enum hf_err take_quoted(struct hf_bytes *rest)
{
    size_t i = 1;
    while (i < rest->len && rest->ptr[i] != '"') {
        i += rest->ptr[i] == '\\' ? 2 : 1;
    }
    if (i >= rest->len) {
        return malformed("a quote that doesn't end");
    }
    *rest = hf_bytes_from(*rest, i + 1);
    return HF_OK;
}

static enum hf_err take_pair(struct hf_bytes *rest, struct hf_bytes *names, size_t *n_names)
{
    struct hf_bytes name;
    struct hf_bytes value;
    HF_TRY(take_token(rest, &name));
    for (size_t i = 0; i < *n_names; i++) {
        if (hf_http_eq(names[i], name)) {
            return malformed("a parameter stands twice in one element");
        }
    }
    if (*n_names == NAMES_MAX) {
        return malformed("an element has too many parameters");
    }
    names[(*n_names)++] = name;
    if (!rest->len || rest->ptr[0] != '=') {
        return malformed("a parameter has no value");
    }
    *rest = hf_bytes_from(*rest, 1);
    return rest->len && rest->ptr[0] == '"' ? take_quoted(rest) : take_token(rest, &value);
}

enum hf_err hf_forwarded_check(struct hf_bytes value)
{
    struct hf_bytes rest = value;
    struct hf_bytes names[NAMES_MAX];
    size_t n_names = 0;
    if (hf_http_value_span(value) != value.len) {
        return malformed("a control character");
    }
    skip_space(&rest);
    for (;;) {
        HF_TRY(take_pair(&rest, names, &n_names));
        skip_space(&rest);
        if (!rest.len) {
            return HF_OK;
        }
        if (rest.ptr[0] != ',' && rest.ptr[0] != ';') {
            return malformed("something between a value and the next parameter");
        }
        n_names = rest.ptr[0] == ',' ? 0 : n_names;
        rest = hf_bytes_from(rest, 1);
        skip_space(&rest);
    }
}

/* --- The walk back -----------------------------------------------------------------------------*/

static struct hf_bytes without_port(struct hf_bytes node)
{
    const uint8_t *colon = node.ptr && node.len ? memrchr(node.ptr, ':', node.len) : NULL;
    if (node.len && node.ptr[0] == '[') {
        const uint8_t *end = memchr(node.ptr, ']', node.len);
        return end ? hf_bytes_of(node.ptr + 1, (size_t)(end - node.ptr) - 1) : node;
    }
    bool one = colon && memchr(node.ptr, ':', node.len) == colon;
    return one ? hf_bytes_of(node.ptr, (size_t)(colon - node.ptr)) : node;
}

bool hf_forwarded_last(struct hf_bytes *list, struct hf_bytes *out)
{
    struct hf_bytes node = {NULL, 0};
    while (list->len && !node.len) {
        const uint8_t *comma = memrchr(list->ptr, ',', list->len);
        size_t at = comma ? (size_t)(comma - list->ptr) + 1 : 0;
        node = hf_http_trim(hf_bytes_from(*list, at));
        list->len = comma ? at - 1 : 0;
    }
    *out = without_port(node);
    return node.len != 0;
}
