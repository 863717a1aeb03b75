// SPDX-License-Identifier: Apache-2.0
#include "http/target.h"

#include <arpa/inet.h>
#include <string.h>

#include "http/chars.h"

static const char *const methods[HF_METHOD_N] = {[HF_METHOD_OTHER] = "",
#define METHOD_ROW(id) [HF_METHOD_##id] = #id,
                                                 HF_HTTP_METHOD_TABLE(METHOD_ROW)
#undef METHOD_ROW
};

enum hf_http_method hf_http_method_find(struct hf_bytes text)
{
    for (unsigned i = HF_METHOD_OTHER + 1; i < HF_METHOD_N; i++) {
        if (hf_bytes_eq_str(text, methods[i])) {
            return (enum hf_http_method)i;
        }
    }
    return HF_METHOD_OTHER;
}

const char *hf_http_method_text(enum hf_http_method method)
{
    return (unsigned)method < HF_METHOD_N ? methods[method] : "";
}

/* --- Authority ----------------------------------------------------------------------------------
 */

static bool parse_port(struct hf_bytes text, uint16_t *out)
{
    unsigned port = 0;
    if (text.len == 0 || text.len > 5 || hf_http_span(text, HF_CHAR_DIGIT) != text.len) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        port = port * 10 + (text.ptr[i] - '0');
    }
    *out = (uint16_t)port;
    return port > 0 && port <= UINT16_MAX;
}

static bool is_ipv6(struct hf_bytes text)
{
    char copy[INET6_ADDRSTRLEN];
    struct in6_addr address;
    if (text.len >= sizeof(copy) || memchr(text.ptr, '\0', text.len)) {
        return false;
    }
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return inet_pton(AF_INET6, copy, &address) == 1;
}

/* Takes the host off the front; false when it isn't one. */
static bool take_host(struct hf_bytes *rest, struct hf_http_authority *out)
{
    if (rest->len && rest->ptr[0] == '[') {
        const uint8_t *end = memchr(rest->ptr, ']', rest->len);
        if (!end) {
            return false;
        }
        out->host = hf_bytes_of(rest->ptr + 1, (size_t)(end - rest->ptr) - 1);
        out->is_ipv6 = true;
        *rest = hf_bytes_from(*rest, out->host.len + 2);
        return is_ipv6(out->host);
    }
    out->host = hf_bytes_of(rest->ptr, hf_http_span(*rest, HF_CHAR_HOST));
    *rest = hf_bytes_from(*rest, out->host.len);
    return out->host.len > 0 && out->host.len <= HF_HTTP_HOST_MAX;
}

bool hf_http_authority_parse(struct hf_bytes text, struct hf_http_authority *out)
{
    *out = (struct hf_http_authority){0};
    if (!take_host(&text, out)) {
        return false;
    }
    if (text.len == 0) {
        return true;
    }
    return text.ptr[0] == ':' && parse_port(hf_bytes_from(text, 1), &out->port);
}

bool hf_http_authority_eq(const struct hf_http_authority *a, const struct hf_http_authority *b,
                          uint16_t default_port)
{
    return (a->port ? a->port : default_port) == (b->port ? b->port : default_port) &&
           a->is_ipv6 == b->is_ipv6 && hf_http_eq(a->host, b->host);
}

/* --- Target -------------------------------------------------------------------------------------
 */

/* path [ "?" query ], to the end. */
static bool parse_path(struct hf_bytes text, struct hf_http_target *out)
{
    out->path = hf_bytes_of(text.ptr, hf_http_span(text, HF_CHAR_PATH));
    text = hf_bytes_from(text, out->path.len);
    if (text.len == 0) {
        return true;
    }
    out->has_query = true;
    out->query = hf_bytes_from(text, 1);
    return text.ptr[0] == '?' && hf_http_span(out->query, HF_CHAR_QUERY) == out->query.len;
}

static bool parse_absolute(struct hf_bytes text, struct hf_http_target *out)
{
    static const char *const schemes[] = {"http", "https"};
    static const char separator[] = "://";
    struct hf_http_authority authority;
    const uint8_t *colon = text.len ? memchr(text.ptr, ':', text.len) : NULL;
    if (!colon) {
        return false;
    }
    out->form = HF_TARGET_ABSOLUTE;
    out->scheme = hf_bytes_of(text.ptr, (size_t)(colon - text.ptr));
    bool known = false;
    for (size_t i = 0; i < HF_N_ELEMENTS(schemes); i++) {
        known = known || hf_http_eq_str(out->scheme, schemes[i]);
    }
    text = hf_bytes_from(text, out->scheme.len);
    if (!known || text.len < strlen(separator) ||
        memcmp(text.ptr, separator, strlen(separator)) != 0) {
        return false;
    }
    text = hf_bytes_from(text, strlen(separator));
    size_t len = 0;
    while (len < text.len && text.ptr[len] != '/' && text.ptr[len] != '?') {
        len++;
    }
    out->authority = hf_bytes_of(text.ptr, len);
    return hf_http_authority_parse(out->authority, &authority) &&
           parse_path(hf_bytes_from(text, len), out);
}

bool hf_http_target_parse(enum hf_http_method method, struct hf_bytes text,
                          struct hf_http_target *out)
{
    struct hf_http_authority authority;
    *out = (struct hf_http_target){.form = HF_TARGET_ORIGIN};
    if (method == HF_METHOD_CONNECT) {
        out->form = HF_TARGET_AUTHORITY;
        out->authority = text;
        return hf_http_authority_parse(text, &authority) && authority.port != 0;
    }
    if (text.len && text.ptr[0] == '/') {
        return parse_path(text, out);
    }
    if (hf_bytes_eq_str(text, "*")) {
        out->form = HF_TARGET_ASTERISK;
        return method == HF_METHOD_OPTIONS;
    }
    return parse_absolute(text, out);
}
