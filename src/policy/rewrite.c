// SPDX-License-Identifier: Apache-2.0
#include "policy/rewrite.h"

#include <string.h>

enum hf_err hf_rewrite_path(struct hf_bytes to, struct hf_bytes path, size_t path_len,
                            struct hf_buf *out)
{
    if (path_len == HF_PATH_WHOLE) {
        return hf_buf_append(out, to);
    }
    struct hf_bytes rest = hf_bytes_from(path, path_len);
    bool slash = to.len && to.ptr[to.len - 1] == '/';
    struct hf_bytes front = hf_bytes_of(to.ptr, to.len - slash);
    if (front.len + rest.len == 0) {
        return hf_buf_u8(out, '/');
    }
    HF_TRY(hf_buf_append(out, front));
    return hf_buf_append(out, rest);
}

/* --- Redirects ----------------------------------------------------------------------------------
 */

typedef enum hf_err put_variable(const struct hf_request *request, struct hf_buf *out);

static enum hf_err put_host(const struct hf_request *request, struct hf_buf *out)
{
    struct hf_bytes host = request->host;
    bool is_ipv6 = host.len && memchr(host.ptr, ':', host.len);
    return is_ipv6 ? hf_buf_printf(out, "[%.*s]", (int)host.len, (const char *)host.ptr)
                   : hf_buf_append(out, host);
}

static enum hf_err put_path(const struct hf_request *request, struct hf_buf *out)
{
    return hf_buf_append(out, request->path);
}

static enum hf_err put_query(const struct hf_request *request, struct hf_buf *out)
{
    if (request->query.len == 0) {
        return HF_OK;
    }
    HF_TRY(hf_buf_u8(out, '?'));
    return hf_buf_append(out, request->query);
}

static const struct variable {
    const char *text;
    put_variable *put;
} variables[] = {{"{host}", put_host}, {"{path}", put_path}, {"{query}", put_query}};

static bool begins(struct hf_bytes text, const char *with)
{
    size_t len = strlen(with);
    return text.len >= len && memcmp(text.ptr, with, len) == 0;
}

static const struct variable *variable_at(struct hf_bytes text)
{
    for (size_t i = 0; i < HF_N_ELEMENTS(variables); i++) {
        if (begins(text, variables[i].text)) {
            return &variables[i];
        }
    }
    return NULL;
}

enum hf_err hf_location_check(struct hf_bytes text)
{
    bool good_start = begins(text, "/") || begins(text, "{path}") || begins(text, "http://") ||
                      begins(text, "https://");
    if (!good_start || begins(text, "//") || begins(text, "/{path}")) {
        return hf_fail(HF_E_INVALID,
                       "a redirect leads to a URL (https://...), to a path (/...), or "
                       "begins with {path}, which has its slash");
    }
    for (size_t i = 0; i < text.len; i++) {
        uint8_t byte = text.ptr[i];
        const struct variable *variable = byte == '{' ? variable_at(hf_bytes_from(text, i)) : NULL;
        if (byte <= ' ' || byte >= 0x7f || strchr("\"<>\\^`", byte)) {
            return hf_fail(HF_E_INVALID, "the byte %%%02X can't stand in a URL as it is", byte);
        }
        if ((byte == '{' && !variable) || byte == '}') {
            return hf_fail(HF_E_INVALID,
                           "braces are for {host}, {path} and {query}; write %%7B and %%7D for "
                           "others");
        }
        i += variable ? strlen(variable->text) - 1 : 0;
    }
    return HF_OK;
}

static enum hf_err expand(struct hf_bytes text, const struct hf_request *request,
                          struct hf_buf *out)
{
    for (size_t i = 0; i < text.len; i++) {
        const struct variable *variable =
            text.ptr[i] == '{' ? variable_at(hf_bytes_from(text, i)) : NULL;
        HF_TRY(variable ? variable->put(request, out) : hf_buf_u8(out, text.ptr[i]));
        i += variable ? strlen(variable->text) - 1 : 0;
    }
    return HF_OK;
}

enum hf_err hf_location_make(struct hf_bytes text, const struct hf_request *request,
                             struct hf_buf *out)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf made = HF_BUF_INIT(out->cap);
    HF_TRY(expand(text, request, &made));
    struct hf_bytes all = hf_buf_bytes(&made);
    while (all.len > 1 && all.ptr[0] == '/' && all.ptr[1] == '/') {
        all = hf_bytes_from(all, 1);
    }
    return hf_buf_append(out, all);
}
