// SPDX-License-Identifier: Apache-2.0
#ifndef HF_HTTP_FIELD_H
#define HF_HTTP_FIELD_H

/*
 * Fields of a message as places in the buffer that holds its head: nothing is copied, nothing is
 * allocated. Offsets count from the first byte of the head, so they survive the buffer's moving.
 */

#include "base/bytes.h"

/* struct hf_http_slice is a piece of the head. */
struct hf_http_slice {
    uint32_t at;
    uint32_t len;
};

static inline struct hf_bytes hf_http_slice_bytes(struct hf_bytes head, struct hf_http_slice slice)
{
    return hf_bytes_of(head.ptr + slice.at, slice.len);
}

/* What a field name means to us. */
enum hf_http_trait {
    HF_FIELD_HOP = 1,        /* hop-by-hop (RFC 9110 7.6.1), or nominated by Connection */
    HF_FIELD_FRAMING = 2,    /* framing or routing: never nominated, underscored, or a trailer */
    HF_FIELD_NO_TRAILER = 4, /* may not be a trailer (RFC 9110 6.5.1) */
    HF_FIELD_ALIAS = 8,      /* spelled with "_" where the name of the table has "-" */
    HF_FIELD_IDENTITY = 16,  /* says who the client is: only a proxy may set it */
    HF_FIELD_SECRET = 32,    /* its sender wants it in no compression table (RFC 7541 6.2.3) */
};

/* The names we know: id, name in lower case, traits. Any order. */
#define HF_HTTP_NAME_TABLE(X) \
    X(ACCEPT, "accept", 0) \
    X(ACCEPT_ENCODING, "accept-encoding", 0) \
    X(ALLOW, "allow", HF_FIELD_NO_TRAILER) \
    X(AUTHORIZATION, "authorization", HF_FIELD_NO_TRAILER) \
    X(CACHE_CONTROL, "cache-control", HF_FIELD_NO_TRAILER) \
    X(CLIENT_CERT, "client-cert", HF_FIELD_NO_TRAILER | HF_FIELD_IDENTITY) \
    X(CLIENT_CERT_CHAIN, "client-cert-chain", HF_FIELD_NO_TRAILER | HF_FIELD_IDENTITY) \
    X(CONNECTION, "connection", HF_FIELD_HOP | HF_FIELD_FRAMING) \
    X(CONTENT_ENCODING, "content-encoding", HF_FIELD_NO_TRAILER) \
    X(CONTENT_LENGTH, "content-length", HF_FIELD_FRAMING) \
    X(CONTENT_RANGE, "content-range", HF_FIELD_NO_TRAILER) \
    X(CONTENT_TYPE, "content-type", HF_FIELD_NO_TRAILER) \
    X(COOKIE, "cookie", HF_FIELD_NO_TRAILER) \
    X(DATE, "date", HF_FIELD_NO_TRAILER) \
    X(EXPECT, "expect", HF_FIELD_NO_TRAILER) \
    X(FORWARDED, "forwarded", HF_FIELD_NO_TRAILER | HF_FIELD_IDENTITY) \
    X(HOST, "host", HF_FIELD_FRAMING) \
    X(KEEP_ALIVE, "keep-alive", HF_FIELD_HOP | HF_FIELD_NO_TRAILER) \
    X(LOCATION, "location", HF_FIELD_NO_TRAILER) \
    X(MAX_FORWARDS, "max-forwards", HF_FIELD_NO_TRAILER) \
    X(PROXY_AUTHENTICATE, "proxy-authenticate", HF_FIELD_HOP | HF_FIELD_NO_TRAILER) \
    X(PROXY_AUTHORIZATION, "proxy-authorization", HF_FIELD_HOP | HF_FIELD_NO_TRAILER) \
    X(PROXY_CONNECTION, "proxy-connection", HF_FIELD_HOP | HF_FIELD_NO_TRAILER) \
    X(RANGE, "range", HF_FIELD_NO_TRAILER) \
    X(RETRY_AFTER, "retry-after", HF_FIELD_NO_TRAILER) \
    X(SERVER, "server", HF_FIELD_NO_TRAILER) \
    X(SET_COOKIE, "set-cookie", HF_FIELD_NO_TRAILER) \
    X(TE, "te", HF_FIELD_HOP | HF_FIELD_NO_TRAILER) \
    X(TRACEPARENT, "traceparent", HF_FIELD_NO_TRAILER) \
    X(TRAILER, "trailer", HF_FIELD_NO_TRAILER) \
    X(TRANSFER_ENCODING, "transfer-encoding", HF_FIELD_HOP | HF_FIELD_FRAMING) \
    X(UPGRADE, "upgrade", HF_FIELD_HOP | HF_FIELD_NO_TRAILER) \
    X(USER_AGENT, "user-agent", HF_FIELD_NO_TRAILER) \
    X(VARY, "vary", HF_FIELD_NO_TRAILER) \
    X(VIA, "via", HF_FIELD_NO_TRAILER) \
    X(WWW_AUTHENTICATE, "www-authenticate", HF_FIELD_NO_TRAILER) \
    X(X_FORWARDED_CLIENT_CERT, "x-forwarded-client-cert", HF_FIELD_NO_TRAILER | HF_FIELD_IDENTITY) \
    X(X_FORWARDED_FOR, "x-forwarded-for", HF_FIELD_NO_TRAILER | HF_FIELD_IDENTITY) \
    X(X_FORWARDED_HOST, "x-forwarded-host", HF_FIELD_NO_TRAILER | HF_FIELD_IDENTITY) \
    X(X_FORWARDED_PORT, "x-forwarded-port", HF_FIELD_NO_TRAILER | HF_FIELD_IDENTITY) \
    X(X_FORWARDED_PREFIX, "x-forwarded-prefix", HF_FIELD_NO_TRAILER | HF_FIELD_IDENTITY) \
    X(X_FORWARDED_PROTO, "x-forwarded-proto", HF_FIELD_NO_TRAILER | HF_FIELD_IDENTITY) \
    X(X_REAL_IP, "x-real-ip", HF_FIELD_NO_TRAILER | HF_FIELD_IDENTITY) \
    X(X_REQUEST_ID, "x-request-id", HF_FIELD_NO_TRAILER)

#define HF_HTTP_NAME_ENUM(id, name, traits) HF_HTTP_##id,
enum hf_http_name { HF_HTTP_OTHER, HF_HTTP_NAME_TABLE(HF_HTTP_NAME_ENUM) HF_HTTP_NAME_N };
#undef HF_HTTP_NAME_ENUM

struct hf_http_field {
    uint32_t name_at;
    uint32_t value_at;
    uint32_t value_len;
    uint16_t name_len;
    uint8_t name;   /* enum hf_http_name */
    uint8_t traits; /* enum hf_http_trait */
};

/* struct hf_http_fields views an array of fields and the head that they point into. */
struct hf_http_fields {
    struct hf_bytes head;
    const struct hf_http_field *field;
    size_t n;
};

static inline struct hf_bytes hf_http_field_name(struct hf_bytes head,
                                                 const struct hf_http_field *field)
{
    return hf_bytes_of(head.ptr + field->name_at, field->name_len);
}

static inline struct hf_bytes hf_http_field_value(struct hf_bytes head,
                                                  const struct hf_http_field *field)
{
    return hf_bytes_of(head.ptr + field->value_at, field->value_len);
}

/* hf_http_name_find knows a name in any case; *out_traits gets HF_FIELD_ALIAS added when it was
 * spelled with "_". HF_HTTP_OTHER for names that aren't in the table. */
enum hf_http_name hf_http_name_find(struct hf_bytes name, uint8_t *out_traits);

/* hf_http_name_traits: of a known name as it is written, which is no alias. */
uint8_t hf_http_name_traits(enum hf_http_name name);

/* hf_http_name_text gives the name in lower case; "" for HF_HTTP_OTHER. */
const char *hf_http_name_text(enum hf_http_name name);

/* hf_http_fields_find gives the value of the first field of this name that isn't an alias. False
 * when there is none. */
bool hf_http_fields_find(const struct hf_http_fields *fields, enum hf_http_name name,
                         struct hf_bytes *out_value);

/* hf_http_fields_find_str is the same for a name that needn't be in the table. */
bool hf_http_fields_find_str(const struct hf_http_fields *fields, const char *name,
                             struct hf_bytes *out_value);

#endif
