// SPDX-License-Identifier: Apache-2.0
/*
 * Where the client is: X-Forwarded-For and its kin, Forwarded (RFC 7239), X-Real-IP. What is in the
 * message by now came from a listed proxy or from nobody; lists get the address of who is connected
 * to us at their end.
 */
#include <string.h>

#include "http/chars.h"
#include "http/forward_impl.h"
#include "http/forwarded.h"

static struct hf_bytes text_of(const char *text)
{
    return text ? hf_bytes_str(text) : hf_bytes_of(NULL, 0);
}

/* Sets the field unless a listed proxy said something that passes the check. */
static enum hf_err keep_or_set(struct hf_forwarding *to, enum hf_http_name name,
                               struct hf_bytes value, bool (*check)(struct hf_bytes value))
{
    HF_TRY(hf_forwarding_lines(to, name));
    if (hf_buf_len(&to->value) && check(hf_buf_bytes(&to->value))) {
        return HF_OK;
    }
    hf_buf_reset(&to->value);
    HF_TRY(hf_buf_append(&to->value, value));
    return hf_forwarding_set_name(to, name);
}

static bool is_scheme(struct hf_bytes value)
{
    return hf_http_eq_str(value, "https") || hf_http_eq_str(value, "http");
}

static bool is_port(struct hf_bytes value)
{
    return value.len <= 5 && hf_http_span(value, HF_CHAR_DIGIT) == value.len;
}

/* A name or address and perhaps a port, as Host has it. */
static bool is_host(struct hf_bytes value)
{
    for (size_t i = 0; i < value.len; i++) {
        if (!hf_http_is(value.ptr[i], HF_CHAR_HOST) && !hf_byte_in(value.ptr[i], ":[]")) {
            return false;
        }
    }
    return true;
}

static enum hf_err set_port(struct hf_forwarding *to)
{
    char port[8] = "";
    size_t n = 0;
    for (unsigned rest = to->facts->server_port; rest; rest /= 10) {
        memmove(port + 1, port, n++);
        port[0] = (char)('0' + rest % 10);
    }
    return keep_or_set(to, HF_HTTP_X_FORWARDED_PORT, hf_bytes_of(port, n), is_port);
}

static enum hf_err append_for(struct hf_forwarding *to)
{
    const enum hf_http_name name = HF_HTTP_X_FORWARDED_FOR;
    struct hf_bytes address = text_of(to->facts->peer_address);
    HF_TRY(hf_forwarding_lines(to, name));
    if (hf_buf_len(&to->value) && address.len) {
        HF_TRY(hf_buf_append_str(&to->value, ", "));
    }
    HF_TRY(hf_buf_append(&to->value, address));
    return hf_forwarding_set_name(to, name);
}

enum hf_err hf_forwarding_x_forwarded(struct hf_forwarding *to)
{
    HF_TRY(append_for(to));
    HF_TRY(keep_or_set(to, HF_HTTP_X_FORWARDED_PROTO, to->facts->scheme, is_scheme));
    HF_TRY(keep_or_set(to, HF_HTTP_X_FORWARDED_HOST, to->facts->host, is_host));
    return set_port(to);
}

enum hf_err hf_forwarding_forwarded(struct hf_forwarding *to)
{
    struct hf_forwarded_element element = {
        .address = text_of(to->facts->peer_address),
        .host = to->facts->host,
        .proto = to->facts->scheme,
    };
    HF_TRY(hf_forwarding_lines(to, HF_HTTP_FORWARDED));
    if (hf_buf_len(&to->value)) {
        HF_TRY(hf_forwarded_check(hf_buf_bytes(&to->value)));
        HF_TRY(hf_buf_append_str(&to->value, ", "));
    }
    HF_TRY(hf_forwarded_append(&to->value, &element));
    return hf_forwarding_set_name(to, HF_HTTP_FORWARDED);
}

enum hf_err hf_forwarding_x_real_ip(struct hf_forwarding *to)
{
    hf_buf_reset(&to->value);
    HF_TRY(hf_buf_append(&to->value, text_of(to->facts->client_address)));
    return hf_forwarding_set_name(to, HF_HTTP_X_REAL_IP);
}
