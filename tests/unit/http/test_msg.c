// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "http/msg.h"

enum { BYTES_MAX = 4096, FIELDS_MAX = 40 };

static int set_up(void **state)
{
    static struct hf_http_msg msg;
    hf_http_msg_init(&msg, BYTES_MAX, FIELDS_MAX);
    *state = &msg;
    return 0;
}

static int tear_down(void **state)
{
    hf_http_msg_done(*state);
    return 0;
}

static void expect_text(struct hf_bytes is, const char *text)
{
    char copy[BYTES_MAX + 1];
    assert_in_range(is.len, 0, BYTES_MAX);
    memcpy(copy, is.ptr, is.len);
    copy[is.len] = '\0';
    assert_string_equal(copy, text);
}

/* All fields as "name: value" lines. */
static void expect_fields(const struct hf_http_msg *msg, const char *text)
{
    struct hf_buf out = HF_BUF_INIT(1 << 16);
    for (size_t i = 0; i < msg->n_fields; i++) {
        struct hf_bytes name = hf_http_msg_name(msg, &msg->fields[i]);
        struct hf_bytes value = hf_http_msg_value(msg, &msg->fields[i]);
        assert_int_equal(hf_buf_printf(&out, "%.*s: %.*s\n", (int)name.len, (const char *)name.ptr,
                                       (int)value.len, (const char *)value.ptr),
                         HF_OK);
    }
    assert_string_equal(hf_buf_cstr(&out), text);
    hf_buf_done(&out);
}

static void add(struct hf_http_msg *msg, const char *name, const char *value)
{
    assert_int_equal(hf_http_msg_add_str(msg, name, value), HF_OK);
}

static struct hf_bytes value_of(const struct hf_http_msg *msg, const char *name)
{
    struct hf_bytes value = {0};
    assert_true(hf_http_msg_get_str(msg, name, &value));
    return value;
}

/* --- Parts --- */

static void a_target_is_taken_apart(void **state)
{
    struct hf_http_msg *msg = *state;
    static const struct {
        const char *method, *target, *scheme, *authority, *path, *query;
        enum hf_http_form form;
        bool has_query;
    } cases[] = {
        {"GET", "/a/b?c=d", "", "", "/a/b", "c=d", HF_TARGET_ORIGIN, true},
        {"GET", "/a?", "", "", "/a", "", HF_TARGET_ORIGIN, true},
        {"BREW", "/a", "", "", "/a", "", HF_TARGET_ORIGIN, false},
        {"GET", "HTTPS://a.example:1/x", "https", "a.example:1", "/x", "", HF_TARGET_ORIGIN, false},
        {"GET", "http://a.example?q", "http", "a.example", "/", "q", HF_TARGET_ORIGIN, true},
        {"OPTIONS", "http://a.example", "http", "a.example", "", "", HF_TARGET_ASTERISK, false},
        {"OPTIONS", "*", "", "", "", "", HF_TARGET_ASTERISK, false},
        {"CONNECT", "a.example:443", "", "a.example:443", "", "", HF_TARGET_AUTHORITY, false},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        struct hf_buf out = HF_BUF_INIT(100);
        hf_http_msg_reset(msg);
        assert_int_equal(hf_http_msg_set_request(msg, hf_bytes_str(cases[i].method),
                                                 hf_bytes_str(cases[i].target)),
                         HF_OK);
        expect_text(hf_http_msg_text(msg, msg->method_text), cases[i].method);
        expect_text(hf_http_msg_text(msg, msg->scheme), cases[i].scheme);
        expect_text(hf_http_msg_text(msg, msg->authority), cases[i].authority);
        expect_text(hf_http_msg_text(msg, msg->path), cases[i].path);
        expect_text(hf_http_msg_text(msg, msg->query), cases[i].query);
        assert_int_equal(msg->form, cases[i].form);
        assert_int_equal(msg->has_query, cases[i].has_query);
        assert_int_equal(hf_http_msg_append_target(msg, &out), HF_OK);
        const char *absolute = strstr(cases[i].target, "://");
        if (!absolute) {
            expect_text(hf_buf_bytes(&out), cases[i].target);
        }
        hf_buf_done(&out);
    }
}

static void parts_are_checked(void **state)
{
    struct hf_http_msg *msg = *state;
    struct hf_bytes bad_query = hf_bytes_str("a b");
    struct hf_bytes query = hf_bytes_str("x=1");
    assert_int_equal(hf_http_msg_set_request(msg, hf_bytes_str("GE T"), hf_bytes_str("/")),
                     HF_E_INVALID);
    assert_int_equal(hf_http_msg_set_request(msg, hf_bytes_str("GET"), hf_bytes_str("a")),
                     HF_E_INVALID);
    assert_int_equal(hf_http_msg_set_scheme(msg, hf_bytes_str("ftp")), HF_E_INVALID);
    assert_int_equal(hf_http_msg_set_authority(msg, hf_bytes_str("a@b")), HF_E_INVALID);
    assert_int_equal(hf_http_msg_set_path(msg, hf_bytes_str("a")), HF_E_INVALID);
    assert_int_equal(hf_http_msg_set_path(msg, hf_bytes_str("/a?b")), HF_E_INVALID);
    assert_int_equal(hf_http_msg_set_path(msg, hf_bytes_str("")), HF_E_INVALID);
    assert_int_equal(hf_http_msg_set_query(msg, &bad_query), HF_E_INVALID);
    assert_int_equal(hf_http_msg_set_protocol(msg, hf_bytes_str("a/1")), HF_E_INVALID);
    assert_int_equal(hf_http_msg_set_status(msg, 99), HF_E_INVALID);
    assert_int_equal(hf_http_msg_set_status(msg, 600), HF_E_INVALID);
    assert_int_equal(hf_http_msg_set_request(msg, hf_bytes_str("GET"), hf_bytes_str("/a")), HF_OK);
    assert_int_equal(hf_http_msg_set_scheme(msg, hf_bytes_str("HTTPS")), HF_OK);
    assert_int_equal(hf_http_msg_set_query(msg, &query), HF_OK);
    assert_int_equal(hf_http_msg_set_path(msg, hf_bytes_str("/b")), HF_OK);
    assert_int_equal(hf_http_msg_set_authority(msg, hf_bytes_str("h:1")), HF_OK);
    assert_int_equal(hf_http_msg_check(msg), HF_HTTP_FAULT_NONE);
    struct hf_buf out = HF_BUF_INIT(100);
    assert_int_equal(hf_http_msg_append_target(msg, &out), HF_OK);
    expect_text(hf_buf_bytes(&out), "/b?x=1");
    assert_int_equal(hf_http_msg_set_query(msg, NULL), HF_OK);
    hf_buf_reset(&out);
    assert_int_equal(hf_http_msg_append_target(msg, &out), HF_OK);
    expect_text(hf_buf_bytes(&out), "/b");
    hf_buf_done(&out);
}

/* --- Fields --- */

static void fields_keep_their_order(void **state)
{
    struct hf_http_msg *msg = *state;
    add(msg, "X-One", " 1 ");
    add(msg, "accept", "a/b");
    add(msg, "X-one", "\t2");
    expect_fields(msg, "x-one: 1\naccept: a/b\nx-one: 2\n");
    const struct hf_http_field *one = hf_http_msg_find(msg, hf_bytes_str("X-ONE"), NULL);
    assert_non_null(one);
    expect_text(hf_http_msg_value(msg, one), "1");
    one = hf_http_msg_find(msg, hf_bytes_str("x-one"), one);
    assert_non_null(one);
    expect_text(hf_http_msg_value(msg, one), "2");
    assert_null(hf_http_msg_find(msg, hf_bytes_str("x-one"), one));
    assert_non_null(hf_http_msg_find_name(msg, HF_HTTP_ACCEPT, NULL));
    assert_false(hf_http_msg_get_str(msg, "x-two", &(struct hf_bytes){0}));
}

static void what_would_break_a_message_never_gets_in(void **state)
{
    struct hf_http_msg *msg = *state;
    static const char *const names[] = {"",
                                        "a b",
                                        "a:",
                                        "a\r",
                                        "\xc3\xa9",
                                        ":path",
                                        "Host",
                                        "host",
                                        "Content_Length",
                                        "content-length",
                                        "Connection",
                                        "keep-alive",
                                        "te",
                                        "Upgrade",
                                        "transfer-encoding",
                                        "Expect",
                                        "proxy-connection",
                                        "Proxy-Authorization"};
    static const char *const values[] = {"a\rb", "a\nb", "\x01", "a\x7f", "a\r\n b"};
    for (size_t i = 0; i < HF_N_ELEMENTS(names); i++) {
        assert_int_equal(hf_http_msg_add_str(msg, names[i], "x"), HF_E_INVALID);
        assert_int_equal(hf_http_msg_set_str(msg, names[i], "x"), HF_E_INVALID);
        assert_int_equal(hf_http_msg_append(msg, hf_bytes_str(names[i]), hf_bytes_str("x")),
                         HF_E_INVALID);
        assert_false(hf_http_msg_may_hold(hf_bytes_str(names[i])));
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(values); i++) {
        assert_int_equal(hf_http_msg_add_str(msg, "x", values[i]), HF_E_INVALID);
        assert_int_equal(hf_http_msg_set_str(msg, "x", values[i]), HF_E_INVALID);
    }
    assert_int_equal(hf_http_msg_add(msg, hf_bytes_str("x"), hf_bytes_of("a\0b", 3)), HF_E_INVALID);
    assert_true(hf_http_msg_may_hold(hf_bytes_str("X-Anything")));
    expect_fields(msg, "");
}

static void set_replaces_all_in_the_first_place(void **state)
{
    struct hf_http_msg *msg = *state;
    add(msg, "x-a", "1");
    add(msg, "x-b", "2");
    add(msg, "X_A", "3");
    add(msg, "x-a", "4");
    assert_int_equal(hf_http_msg_set_str(msg, "X-A", "5"), HF_OK);
    assert_int_equal(hf_http_msg_set_str(msg, "X-C", "6"), HF_OK);
    expect_fields(msg, "x-a: 5\nx-b: 2\nx-c: 6\n");
}

static void set_by_known_name_is_the_same(void **state)
{
    struct hf_http_msg *msg = *state;
    add(msg, "x-real-ip", "1");
    add(msg, "x-b", "2");
    add(msg, "X_Real_IP", "3");
    add(msg, "x-real-ip", "4");
    assert_int_equal(hf_http_msg_set_name(msg, HF_HTTP_X_REAL_IP, hf_bytes_str(" 5\t")), HF_OK);
    assert_int_equal(hf_http_msg_set_name(msg, HF_HTTP_DATE, hf_bytes_str("6")), HF_OK);
    expect_fields(msg, "x-real-ip: 5\nx-b: 2\ndate: 6\n");
    const struct hf_http_field *field = hf_http_msg_find_name(msg, HF_HTTP_X_REAL_IP, NULL);
    assert_int_equal(field->traits, HF_FIELD_NO_TRAILER | HF_FIELD_IDENTITY);
    /* a view of the message itself stays good while its text moves, for the length of a call */
    for (int i = 0; i < 200; i++) {
        struct hf_bytes own =
            hf_http_msg_value(msg, hf_http_msg_find_name(msg, HF_HTTP_X_REAL_IP, NULL));
        assert_int_equal(hf_http_msg_set_name(msg, HF_HTTP_DATE, own), HF_OK);
        own = hf_http_msg_value(msg, hf_http_msg_find_name(msg, HF_HTTP_X_REAL_IP, NULL));
        assert_int_equal(hf_http_msg_set_name(msg, HF_HTTP_X_REAL_IP, own), HF_OK);
    }
    expect_fields(msg, "x-real-ip: 5\nx-b: 2\ndate: 5\n");
    static const enum hf_http_name never[] = {HF_HTTP_OTHER, HF_HTTP_CONNECTION, HF_HTTP_EXPECT,
                                              HF_HTTP_CONTENT_LENGTH, HF_HTTP_NAME_N};
    for (size_t i = 0; i < HF_N_ELEMENTS(never); i++) {
        assert_int_equal(hf_http_msg_set_name(msg, never[i], hf_bytes_str("x")), HF_E_INVALID);
    }
    assert_int_equal(hf_http_msg_set_name(msg, HF_HTTP_DATE, hf_bytes_str("a\r\nb: c")),
                     HF_E_INVALID);
    expect_fields(msg, "x-real-ip: 5\nx-b: 2\ndate: 5\n");
}

static void append_joins_the_lines(void **state)
{
    struct hf_http_msg *msg = *state;
    add(msg, "x-forwarded-for", "1");
    add(msg, "x-b", "b");
    add(msg, "x-forwarded-for", "");
    add(msg, "x-forwarded-for", "2");
    assert_int_equal(hf_http_msg_append(msg, hf_bytes_str("X-Forwarded-For"), hf_bytes_str("3")),
                     HF_OK);
    assert_int_equal(hf_http_msg_append(msg, hf_bytes_str("x-new"), hf_bytes_str("n")), HF_OK);
    expect_fields(msg, "x-forwarded-for: 1, 2, 3\nx-b: b\nx-new: n\n");
}

static void removal_takes_underscores_for_dashes(void **state)
{
    struct hf_http_msg *msg = *state;
    add(msg, "x-real-ip", "1");
    add(msg, "X_Real_IP", "2");
    add(msg, "x-other_name", "3");
    add(msg, "x_ssl_a", "4");
    add(msg, "x-ssl-b", "5");
    add(msg, "x-ss", "6");
    assert_int_equal(hf_http_msg_remove_name(msg, HF_HTTP_X_REAL_IP), 2);
    assert_int_equal(hf_http_msg_remove_str(msg, "X-Other-Name"), 1);
    assert_int_equal(hf_http_msg_remove_prefix(msg, hf_bytes_str("X-SSL-")), 2);
    expect_fields(msg, "x-ss: 6\n");
    add(msg, "forwarded", "for=x");
    assert_int_equal(hf_http_msg_remove_traits(msg, HF_FIELD_IDENTITY), 1);
    assert_int_equal(hf_http_msg_remove_str(msg, "nothing"), 0);
    expect_fields(msg, "x-ss: 6\n");
}

static void an_alias_is_not_found_under_the_name(void **state)
{
    struct hf_http_msg *msg = *state;
    add(msg, "x_request_id", "forged");
    assert_null(hf_http_msg_find_name(msg, HF_HTTP_X_REQUEST_ID, NULL));
    assert_null(hf_http_msg_find(msg, hf_bytes_str("x-request-id"), NULL));
}

static void tokens_are_found_in_lists(void **state)
{
    struct hf_http_msg *msg = *state;
    add(msg, "accept-encoding", "br, GZIP");
    add(msg, "accept-encoding", "zstd");
    assert_true(hf_http_msg_has_token(msg, HF_HTTP_ACCEPT_ENCODING, "gzip"));
    assert_true(hf_http_msg_has_token(msg, HF_HTTP_ACCEPT_ENCODING, "zstd"));
    assert_false(hf_http_msg_has_token(msg, HF_HTTP_ACCEPT_ENCODING, "zs"));
}

static void cookie_crumbs_become_one(void **state)
{
    struct hf_http_msg *msg = *state;
    assert_int_equal(hf_http_msg_join_cookies(msg), HF_OK);
    add(msg, "cookie", "a=1");
    assert_int_equal(hf_http_msg_join_cookies(msg), HF_OK);
    add(msg, "x", "y");
    add(msg, "cookie", "b=2");
    add(msg, "cookie", "c=3; d=4");
    assert_int_equal(hf_http_msg_join_cookies(msg), HF_OK);
    expect_fields(msg, "cookie: a=1; b=2; c=3; d=4\nx: y\n");
}

/* A view of the message may be what is put into it, though the text moves. */
static void own_text_may_be_given_again(void **state)
{
    struct hf_http_msg *msg = *state;
    char name[8];
    add(msg, "x-first", "the value");
    for (unsigned i = 0; i < 30; i++) {
        snprintf(name, sizeof(name), "n-%u", i);
        assert_int_equal(hf_http_msg_add(msg, hf_bytes_str(name), value_of(msg, "x-first")), HF_OK);
    }
    assert_int_equal(
        hf_http_msg_set(msg, hf_http_msg_name(msg, &msg->fields[0]), value_of(msg, "n-29")), HF_OK);
    expect_text(value_of(msg, "n-29"), "the value");
    expect_text(value_of(msg, "x-first"), "the value");
}

/* --- Limits --- */

static void limits_hold_and_leave_the_message_whole(void **state)
{
    struct hf_http_msg *msg = *state;
    char big[BYTES_MAX + 1];
    memset(big, 'a', BYTES_MAX);
    big[BYTES_MAX] = '\0';
    assert_int_equal(hf_http_msg_add_str(msg, "x", big), HF_E_TOO_LARGE);
    for (unsigned i = 0; i < FIELDS_MAX; i++) {
        add(msg, "x", "y");
    }
    assert_int_equal(hf_http_msg_add_str(msg, "x", "y"), HF_E_TOO_LARGE);
    assert_int_equal(hf_http_msg_set_str(msg, "z", "y"), HF_E_TOO_LARGE);
    assert_int_equal(msg->n_fields, FIELDS_MAX);
    assert_int_equal(hf_http_msg_set_str(msg, "x", "z"), HF_OK);
    expect_fields(msg, "x: z\n");
}

static enum hf_err build(struct hf_http_msg *msg)
{
    HF_TRY(hf_http_msg_set_request(msg, hf_bytes_str("GET"), hf_bytes_str("/a?b")));
    HF_TRY(hf_http_msg_set_authority(msg, hf_bytes_str("a.example")));
    for (unsigned i = 0; i < 39; i++) {
        HF_TRY(hf_http_msg_add(msg, hf_bytes_str("cookie"),
                               hf_bytes_str("a value that makes the text grow, more than once")));
    }
    HF_TRY(hf_http_msg_set_str(msg, "cookie", "b"));
    HF_TRY(hf_http_msg_append(msg, hf_bytes_str("cookie"), hf_bytes_str("c")));
    return hf_http_msg_join_cookies(msg);
}

static void running_out_of_memory_is_survived(void **state)
{
    struct hf_http_msg *msg = *state;
    enum hf_err err = HF_E_NOMEM;
    unsigned n = 0;
    while (err == HF_E_NOMEM) {
        hf_http_msg_done(msg);
        hf_http_msg_init(msg, BYTES_MAX, FIELDS_MAX);
        hf_alloc_fail_after(++n);
        err = build(msg);
        hf_alloc_fail_after(0);
        for (size_t i = 0; i < msg->n_fields; i++) {
            expect_text(hf_http_msg_name(msg, &msg->fields[i]), "cookie");
        }
    }
    assert_int_equal(err, HF_OK);
    assert_true(n > 3);
}

static void a_pool_keeps_messages(void **state)
{
    struct hf_http_msg_pool pool;
    struct hf_http_msg *held[70];
    (void)state;
    hf_http_msg_pool_init(&pool, 1 << 16, 100);
    hf_http_msg_pool_put(&pool, NULL);
    for (unsigned i = 0; i < HF_N_ELEMENTS(held); i++) {
        held[i] = hf_http_msg_pool_get(&pool);
        assert_non_null(held[i]);
        add(held[i], "a", "b");
    }
    for (unsigned i = 0; i < HF_N_ELEMENTS(held); i++) {
        hf_http_msg_pool_put(&pool, held[i]);
    }
    assert_int_equal(pool.n_free, 64);
    struct hf_http_msg *msg = hf_http_msg_pool_get(&pool);
    assert_int_equal(msg->n_fields, 0);
    assert_int_equal(hf_buf_len(&msg->text), 0);
    assert_true(msg->text.size > 0);
    char big[20000];
    memset(big, 'a', sizeof(big));
    assert_int_equal(hf_http_msg_add(msg, hf_bytes_str("a"), hf_bytes_of(big, sizeof(big))), HF_OK);
    hf_http_msg_pool_put(&pool, msg);
    assert_ptr_equal(pool.free, msg);
    assert_int_equal(msg->text.size, 0);
    hf_http_msg_pool_done(&pool);
    hf_alloc_fail_after(1);
    assert_null(hf_http_msg_pool_get(&pool));
    hf_alloc_fail_after(0);
}

/* --- Check --- */

static void request(struct hf_http_msg *msg, const char *method, const char *target)
{
    hf_http_msg_reset(msg);
    assert_int_equal(hf_http_msg_set_request(msg, hf_bytes_str(method), hf_bytes_str(target)),
                     HF_OK);
    assert_int_equal(hf_http_msg_set_scheme(msg, hf_bytes_str("https")), HF_OK);
    assert_int_equal(hf_http_msg_set_authority(msg, hf_bytes_str("a.example:1")), HF_OK);
    assert_int_equal(hf_http_msg_check(msg), HF_HTTP_FAULT_NONE);
}

static void requests_that_mean_two_things_are_found(void **state)
{
    struct hf_http_msg *msg = *state;
    request(msg, "GET", "/");
    msg->method = HF_METHOD_POST;
    assert_int_equal(hf_http_msg_check(msg), HF_HTTP_FAULT_METHOD);
    request(msg, "GET", "/");
    msg->scheme = (struct hf_http_slice){0};
    assert_int_equal(hf_http_msg_check(msg), HF_HTTP_FAULT_SCHEME);
    request(msg, "GET", "/");
    msg->path = (struct hf_http_slice){0};
    assert_int_equal(hf_http_msg_check(msg), HF_HTTP_FAULT_TARGET);
    request(msg, "GET", "/?a");
    msg->has_query = false;
    assert_int_equal(hf_http_msg_check(msg), HF_HTTP_FAULT_TARGET);
    request(msg, "GET", "/");
    msg->form = HF_TARGET_ASTERISK;
    assert_int_equal(hf_http_msg_check(msg), HF_HTTP_FAULT_TARGET);
    request(msg, "CONNECT", "a.example:1");
    msg->authority = (struct hf_http_slice){0};
    assert_int_equal(hf_http_msg_check(msg), HF_HTTP_FAULT_TARGET);
    request(msg, "GET", "/x/y/z");
    msg->authority = msg->path;
    assert_int_equal(hf_http_msg_check(msg), HF_HTTP_FAULT_HOST);
    request(msg, "TRACE", "/");
    msg->body = HF_BODY_STREAM;
    assert_int_equal(hf_http_msg_check(msg), HF_HTTP_FAULT_CONTENT_FORBIDDEN);
    request(msg, "GET", "/");
    msg->body = HF_BODY_LENGTH;
    assert_int_equal(hf_http_msg_check(msg), HF_HTTP_FAULT_LENGTH);
    request(msg, "POST", "/");
    assert_int_equal(hf_http_msg_set_protocol(msg, hf_bytes_str("websocket")), HF_OK);
    assert_int_equal(hf_http_msg_check(msg), HF_HTTP_FAULT_CONTENT_FORBIDDEN);
}

static void responses_that_mean_two_things_are_found(void **state)
{
    struct hf_http_msg *msg = *state;
    assert_int_equal(hf_http_msg_set_status(msg, 204), HF_OK);
    assert_int_equal(hf_http_msg_check(msg), HF_HTTP_FAULT_NONE);
    msg->body = HF_BODY_STREAM;
    assert_int_equal(hf_http_msg_check(msg), HF_HTTP_FAULT_CONTENT_FORBIDDEN);
    msg->status = 101;
    assert_int_equal(hf_http_msg_check(msg), HF_HTTP_FAULT_NONE);
    msg->status = 0;
    assert_int_equal(hf_http_msg_check(msg), HF_HTTP_FAULT_STATUS_LINE);
}

static void fields_that_got_spoilt_are_found(void **state)
{
    struct hf_http_msg *msg = *state;
    msg->kind = HF_MSG_TRAILERS;
    add(msg, "grpc-status", "0");
    assert_int_equal(hf_http_msg_check(msg), HF_HTTP_FAULT_NONE);
    add(msg, "authorization", "x");
    assert_int_equal(hf_http_msg_check(msg), HF_HTTP_FAULT_TRAILER_FORBIDDEN);
    msg->text.mem[msg->fields[0].value_at] = '\n';
    assert_int_equal(hf_http_msg_check(msg), HF_HTTP_FAULT_CONTROL);
    msg->text.mem[msg->fields[0].name_at] = 'G';
    assert_int_equal(hf_http_msg_check(msg), HF_HTTP_FAULT_FIELD_NAME);
    hf_http_msg_reset(msg);
    msg->kind = HF_MSG_TRAILERS;
    add(msg, "x", "0");
    msg->fields[0].name = HF_HTTP_CONTENT_LENGTH;
    msg->fields[0].traits = HF_FIELD_FRAMING;
    assert_int_equal(hf_http_msg_check(msg), HF_HTTP_FAULT_FIELD_NAME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_target_is_taken_apart, set_up, tear_down),
        cmocka_unit_test_setup_teardown(parts_are_checked, set_up, tear_down),
        cmocka_unit_test_setup_teardown(fields_keep_their_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_would_break_a_message_never_gets_in, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(set_replaces_all_in_the_first_place, set_up, tear_down),
        cmocka_unit_test_setup_teardown(set_by_known_name_is_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(append_joins_the_lines, set_up, tear_down),
        cmocka_unit_test_setup_teardown(removal_takes_underscores_for_dashes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_alias_is_not_found_under_the_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tokens_are_found_in_lists, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cookie_crumbs_become_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(own_text_may_be_given_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(limits_hold_and_leave_the_message_whole, set_up, tear_down),
        cmocka_unit_test_setup_teardown(running_out_of_memory_is_survived, set_up, tear_down),
        cmocka_unit_test_setup_teardown(requests_that_mean_two_things_are_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(responses_that_mean_two_things_are_found, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(fields_that_got_spoilt_are_found, set_up, tear_down),
        cmocka_unit_test(a_pool_keeps_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
