// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TEST_FACTS_FIXTURE_H
#define HF_TEST_FACTS_FIXTURE_H

/* One request by one client, whose names a test may change. Include after cmocka.h. */

#include <string.h>

#include "http/facts.h"
#include "http/msg.h"

/* Names in identities are not const, though nobody changes them. */
#define T(text) ((char[]){text})
#define LIST(...) \
    ((struct hf_names_list){(char *[]){__VA_ARGS__}, \
                            sizeof((char *[]){__VA_ARGS__}) / sizeof(char *)})

#define SHA256_TEXT "468ed33be74eee6556d90c0149c1309e9ba61d6425303443c0748a02dd8de688"
#define SPKI_TEXT   "7ae1f02e01cb12d0f1c3aa7fd5c7dd4a34a1a9d5b1b8f3c9f2a6b0a8cf9d1e55"

/* NOW is 2026-11-20T23:06:00Z. */
#define NOW_MS INT64_C(1795215960000)

/* A macro: its strings live in the block that it stands in. */
#define alice() \
    ((struct hf_identity){.subject = T("CN=alice,O=Example"), \
                          .issuer = T("CN=Example CA"), \
                          .cn = T("alice"), \
                          .o = T("Example"), \
                          .serial = T("1f2e"), \
                          .sha256 = SHA256_TEXT, \
                          .spki_sha256 = SPKI_TEXT, \
                          .not_before = NOW_MS / 1000 - 3600, \
                          .not_after = NOW_MS / 1000 + 86400})

static const struct hf_request_ids fixture_ids = {.request = "00c0ffee00000002",
                                                  .trace = "0af7651916cd43dd8448eb211c80319c",
                                                  .span = "b7ad6b7169203331",
                                                  .flags = 1,
                                                  .fresh = true};

static inline struct hf_facts facts_of(const struct hf_identity *identity)
{
    return (struct hf_facts){.identity = identity,
                             .verified = identity != NULL,
                             .verdict = HF_REASON_OK,
                             .connection_id = "00c0ffee00000001",
                             .listener = "api",
                             .sni = "api.example.org",
                             .alpn = "http/1.1",
                             .tls_version = "TLSv1.3",
                             .tls_suite = "TLS_AES_128_GCM_SHA256",
                             .peer_address = "192.0.2.43",
                             .client_address = "192.0.2.43",
                             .client_port = 47011,
                             .server_port = 8443,
                             .method = hf_bytes_str("GET"),
                             .scheme = hf_bytes_str("https"),
                             .host = hf_bytes_str("api.example.org:8443"),
                             .path = hf_bytes_str("/a/b"),
                             .query = hf_bytes_str("c=d"),
                             .has_query = true,
                             .protocol = "HTTP/1.1",
                             .ids = &fixture_ids,
                             .route = "main",
                             .now_ms = NOW_MS};
}

static inline void expect_buf(struct hf_buf *buf, const char *text)
{
    const char *is = hf_buf_cstr(buf);
    assert_non_null(is);
    assert_string_equal(is, text);
    hf_buf_done(buf);
}

/* The fields of that name as one text, with "|" between them. */
static inline void expect_field(const struct hf_http_msg *msg, const char *name, const char *text)
{
    struct hf_buf out = HF_BUF_INIT(1 << 20);
    const struct hf_http_field *field = NULL;
    while ((field = hf_http_msg_find(msg, hf_bytes_str(name), field))) {
        assert_int_equal(hf_buf_append_str(&out, hf_buf_len(&out) ? "|" : ""), HF_OK);
        assert_int_equal(hf_buf_append(&out, hf_http_msg_value(msg, field)), HF_OK);
    }
    expect_buf(&out, text ? text : "");
}

#endif
