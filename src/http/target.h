// SPDX-License-Identifier: Apache-2.0
#ifndef HF_HTTP_TARGET_H
#define HF_HTTP_TARGET_H

/* Methods, request targets and authorities (RFC 9112 3.2, RFC 3986 3). */

#include "http/fault.h"
#include "http/field.h"

#define HF_HTTP_METHOD_TABLE(X) \
    X(GET) X(HEAD) X(POST) X(PUT) X(DELETE) X(OPTIONS) X(PATCH) X(CONNECT) X(TRACE)

#define HF_HTTP_METHOD_ENUM(id) HF_METHOD_##id,
enum hf_http_method { HF_METHOD_OTHER, HF_HTTP_METHOD_TABLE(HF_HTTP_METHOD_ENUM) HF_METHOD_N };
#undef HF_HTTP_METHOD_ENUM

/* hf_http_method_find: methods are case-sensitive, "get" is not GET. */
enum hf_http_method hf_http_method_find(struct hf_bytes text);
const char *hf_http_method_text(enum hf_http_method method); /* "" for HF_METHOD_OTHER */

enum hf_http_form {
    HF_TARGET_ORIGIN,    /* /path?query */
    HF_TARGET_ABSOLUTE,  /* http://host:port/path?query */
    HF_TARGET_AUTHORITY, /* host:port, with CONNECT and with nothing else */
    HF_TARGET_ASTERISK,  /* *, with OPTIONS and with nothing else */
};

/* struct hf_http_target: what a form hasn't is empty. path keeps its percent-encoding. */
struct hf_http_target {
    enum hf_http_form form;
    struct hf_bytes scheme; /* http or https, in any case */
    struct hf_bytes authority;
    struct hf_bytes path;  /* with its leading "/"; empty in "http://host" */
    struct hf_bytes query; /* without the "?" */
    bool has_query;
};

/* hf_http_target_parse takes a target apart. False: malformed, or of a form that goes with another
 * method. A fragment, user information and schemes other than http(s) are malformed. */
bool hf_http_target_parse(enum hf_http_method method, struct hf_bytes text,
                          struct hf_http_target *out);

#define HF_HTTP_HOST_MAX 255

/* struct hf_http_authority: host has no brackets around an IPv6 address; port 0: none was given. */
struct hf_http_authority {
    struct hf_bytes host;
    uint16_t port;
    bool is_ipv6;
};

/* hf_http_authority_parse reads "name", "name:80", "192.0.2.1:80", "[::1]:80". False for anything
 * else: percent-encoding, user information, an empty host or port, a zone, more than
 * HF_HTTP_HOST_MAX bytes. */
bool hf_http_authority_parse(struct hf_bytes text, struct hf_http_authority *out);

/* hf_http_authority_eq: the same host and port, where a missing port is default_port. */
bool hf_http_authority_eq(const struct hf_http_authority *a, const struct hf_http_authority *b,
                          uint16_t default_port);

#endif
