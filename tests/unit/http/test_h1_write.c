// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "http/h1_write.h"

struct fixture {
    struct hf_h1_writer writer;
    struct hf_buf out;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    fixture = (struct fixture){.out = HF_BUF_INIT(4096)};
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    hf_buf_done(&f->out);
    return 0;
}

static void expect(struct fixture *f, const char *text)
{
    assert_string_equal(hf_buf_cstr(&f->out), text);
}

static enum hf_err begin(struct fixture *f, unsigned status, const struct hf_h1_plan *plan)
{
    hf_buf_reset(&f->out);
    assert_int_equal(hf_h1_write_response(&f->writer, &f->out, status, NULL), HF_OK);
    return hf_h1_write_head_end(&f->writer, &f->out, plan);
}

static enum hf_err data(struct fixture *f, const char *text)
{
    return hf_h1_write_data(&f->writer, &f->out, hf_bytes_str(text));
}

static enum hf_err end(struct fixture *f)
{
    return hf_h1_write_end(&f->writer, &f->out);
}

static void a_request_with_length(void **state)
{
    struct fixture *f = *state;
    struct hf_h1_plan plan = {.framing = HF_H1_LENGTH, .length = 5};
    assert_int_equal(
        hf_h1_write_request(&f->writer, &f->out, hf_bytes_str("POST"), hf_bytes_str("/a?b")),
        HF_OK);
    assert_int_equal(hf_h1_write_field_str(&f->writer, &f->out, "Host", "a.example"), HF_OK);
    assert_int_equal(hf_h1_write_field_str(&f->writer, &f->out, "X", "  trimmed "), HF_OK);
    assert_int_equal(hf_h1_write_head_end(&f->writer, &f->out, &plan), HF_OK);
    assert_int_equal(data(f, "he"), HF_OK);
    assert_int_equal(data(f, "llo"), HF_OK);
    assert_int_equal(end(f), HF_OK);
    expect(f, "POST /a?b HTTP/1.1\r\nHost: a.example\r\nX: trimmed\r\nContent-Length: 5\r\n\r\n"
              "hello");
}

static void a_request_without_body(void **state)
{
    struct fixture *f = *state;
    struct hf_h1_plan plan = {.connection = HF_H1_CONNECTION_UPGRADE};
    assert_int_equal(
        hf_h1_write_request(&f->writer, &f->out, hf_bytes_str("GET"), hf_bytes_str("/")), HF_OK);
    assert_int_equal(hf_h1_write_head_end(&f->writer, &f->out, &plan), HF_OK);
    assert_int_equal(end(f), HF_OK);
    expect(f, "GET / HTTP/1.1\r\nConnection: upgrade\r\n\r\n");
    assert_int_equal(data(f, "x"), HF_E_INVALID);
}

static void a_chunked_response_with_trailers(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(begin(f, 200, &(struct hf_h1_plan){.framing = HF_H1_CHUNKED}), HF_OK);
    assert_int_equal(data(f, "0123456789abcdef"), HF_OK);
    assert_int_equal(data(f, ""), HF_OK);
    assert_int_equal(data(f, "g"), HF_OK);
    assert_int_equal(hf_h1_write_trailer(&f->writer, &f->out, hf_bytes_str("A"), hf_bytes_str("b")),
                     HF_OK);
    assert_int_equal(hf_h1_write_trailer(&f->writer, &f->out, hf_bytes_str("C"), hf_bytes_str("d")),
                     HF_OK);
    assert_int_equal(data(f, "late"), HF_E_INVALID);
    assert_int_equal(end(f), HF_OK);
    expect(f, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n0123456789abcdef\r\n"
              "1\r\ng\r\n0\r\nA: b\r\nC: d\r\n\r\n");
}

static void an_empty_chunked_response(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(begin(f, 200, &(struct hf_h1_plan){.framing = HF_H1_CHUNKED}), HF_OK);
    assert_int_equal(end(f), HF_OK);
    expect(f, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    assert_int_equal(end(f), HF_E_INVALID);
}

static void data_that_the_caller_moves(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(begin(f, 200, &(struct hf_h1_plan){.framing = HF_H1_CHUNKED}), HF_OK);
    assert_int_equal(hf_h1_write_data_open(&f->writer, &f->out, 3), HF_OK);
    assert_int_equal(data(f, "x"), HF_E_INVALID);
    assert_int_equal(end(f), HF_E_INVALID);
    assert_int_equal(hf_buf_append_str(&f->out, "abc"), HF_OK);
    assert_int_equal(hf_h1_write_data_close(&f->writer, &f->out), HF_OK);
    assert_int_equal(hf_h1_write_data_close(&f->writer, &f->out), HF_E_INVALID);
    assert_int_equal(end(f), HF_OK);
    expect(f, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
}

static void a_length_is_kept(void **state)
{
    struct fixture *f = *state;
    struct hf_h1_plan plan = {.framing = HF_H1_LENGTH, .length = 3};
    assert_int_equal(begin(f, 200, &plan), HF_OK);
    assert_int_equal(data(f, "abcd"), HF_E_INVALID);
    assert_int_equal(data(f, "ab"), HF_OK);
    assert_int_equal(end(f), HF_E_INVALID);
    assert_int_equal(hf_h1_write_data_open(&f->writer, &f->out, 2), HF_E_INVALID);
    assert_int_equal(data(f, "c"), HF_OK);
    assert_int_equal(hf_h1_write_trailer(&f->writer, &f->out, hf_bytes_str("A"), hf_bytes_str("b")),
                     HF_E_INVALID);
    assert_int_equal(end(f), HF_OK);
    expect(f, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
}

static void an_answer_to_head_tells_the_length_and_sends_nothing(void **state)
{
    struct fixture *f = *state;
    struct hf_h1_plan plan = {.framing = HF_H1_LENGTH, .length = 3, .head_only = true};
    assert_int_equal(begin(f, 200, &plan), HF_OK);
    assert_int_equal(data(f, "abc"), HF_E_INVALID);
    assert_int_equal(end(f), HF_OK);
    expect(f, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n");
    plan = (struct hf_h1_plan){.framing = HF_H1_CHUNKED, .head_only = true};
    assert_int_equal(begin(f, 200, &plan), HF_OK);
    assert_int_equal(end(f), HF_OK);
    expect(f, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
}

static void connection_fields(void **state)
{
    struct fixture *f = *state;
    static const struct {
        struct hf_h1_plan plan;
        const char *text;
    } table[] = {
        {{.framing = HF_H1_CLOSE}, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"},
        {{.framing = HF_H1_LENGTH, .connection = HF_H1_CONNECTION_CLOSE},
         "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"},
        {{.framing = HF_H1_LENGTH, .connection = HF_H1_CONNECTION_KEEP_ALIVE},
         "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n"},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        assert_int_equal(begin(f, 200, &table[i].plan), HF_OK);
        expect(f, table[i].text);
    }
}

static void bodies_where_none_may_be_are_refused(void **state)
{
    struct fixture *f = *state;
    static const struct {
        unsigned status;
        struct hf_h1_plan plan;
        bool ok;
    } table[] = {
        {200, {.framing = HF_H1_NONE}, false},
        {100, {.framing = HF_H1_NONE}, true},
        {204, {.framing = HF_H1_NONE}, true},
        {204, {.framing = HF_H1_LENGTH}, false},
        {103, {.framing = HF_H1_CHUNKED}, false},
        {304, {.framing = HF_H1_LENGTH, .length = 9}, false},
        {304, {.framing = HF_H1_LENGTH, .length = 9, .head_only = true}, true},
        {304, {.framing = HF_H1_NONE, .head_only = true}, true},
        {204, {.framing = HF_H1_CLOSE}, false},
        {200, {.framing = HF_H1_CLOSE, .connection = HF_H1_CONNECTION_KEEP_ALIVE}, false},
        {101, {.framing = HF_H1_TUNNEL, .connection = HF_H1_CONNECTION_UPGRADE}, true},
        {404, {.framing = HF_H1_TUNNEL}, false},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        assert_int_equal(begin(f, table[i].status, &table[i].plan),
                         table[i].ok ? HF_OK : HF_E_INVALID);
    }
    assert_int_equal(
        hf_h1_write_request(&f->writer, &f->out, hf_bytes_str("GET"), hf_bytes_str("/")), HF_OK);
    assert_int_equal(
        hf_h1_write_head_end(&f->writer, &f->out, &(struct hf_h1_plan){.framing = HF_H1_CLOSE}),
        HF_E_INVALID);
}

static void fields_that_would_break_the_message_are_refused(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *name;
        const char *value;
    } table[] = {
        {"", "x"},
        {"A b", "x"},
        {"A:", "x"},
        {"A\r\nB", "x"},
        {"A", "x\r\nB: y"},
        {"A", "x\ny"},
        {"A", "x\ry"},
        {"A", "\x01"},
        {"Content-Length", "5"},
        {"content-length", "5"},
        {"Transfer-Encoding", "chunked"},
        {"Connection", "close"},
        {"Transfer_Encoding", "chunked"},
    };
    assert_int_equal(hf_h1_write_response(&f->writer, &f->out, 200, NULL), HF_OK);
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        assert_int_equal(hf_h1_write_field_str(&f->writer, &f->out, table[i].name, table[i].value),
                         HF_E_INVALID);
    }
    assert_int_equal(
        hf_h1_write_field(&f->writer, &f->out, hf_bytes_str("A"), hf_bytes_of("a\0b", 3)),
        HF_E_INVALID);
    expect(f, "HTTP/1.1 200 OK\r\n");
}

static void lines_that_would_break_the_message_are_refused(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *method;
        const char *target;
    } table[] = {
        {"", "/"},     {"GET ", "/"},  {"G\r\nT", "/"}, {"GET", ""},
        {"GET", "/ "}, {"GET", "/\r"}, {"GET", "x"},    {"CONNECT", "/"},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        assert_int_equal(hf_h1_write_request(&f->writer, &f->out, hf_bytes_str(table[i].method),
                                             hf_bytes_str(table[i].target)),
                         HF_E_INVALID);
    }
    assert_int_equal(hf_h1_write_response(&f->writer, &f->out, 99, NULL), HF_E_INVALID);
    assert_int_equal(hf_h1_write_response(&f->writer, &f->out, 600, NULL), HF_E_INVALID);
    assert_int_equal(hf_h1_write_response(&f->writer, &f->out, 200, "O\nK"), HF_E_INVALID);
    assert_int_equal(hf_buf_len(&f->out), 0);
}

static void trailers_that_may_not_be_are_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const names[] = {"Content-Length", "Host",    "Authorization",
                                        "Connection",     "Trailer", "X-Forwarded-For"};
    assert_int_equal(begin(f, 200, &(struct hf_h1_plan){.framing = HF_H1_CHUNKED}), HF_OK);
    for (size_t i = 0; i < HF_N_ELEMENTS(names); i++) {
        assert_int_equal(
            hf_h1_write_trailer(&f->writer, &f->out, hf_bytes_str(names[i]), hf_bytes_str("x")),
            HF_E_INVALID);
    }
    assert_int_equal(end(f), HF_OK);
    expect(f, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
}

static void parts_out_of_order_are_refused(void **state)
{
    struct fixture *f = *state;
    f->writer = (struct hf_h1_writer){0};
    assert_int_equal(hf_h1_write_field_str(&f->writer, &f->out, "A", "b"), HF_E_INVALID);
    assert_int_equal(hf_h1_write_head_end(&f->writer, &f->out, &(struct hf_h1_plan){0}),
                     HF_E_INVALID);
    assert_int_equal(data(f, "x"), HF_E_INVALID);
    assert_int_equal(end(f), HF_E_INVALID);
    assert_int_equal(hf_buf_len(&f->out), 0);
}

static void a_full_buffer_takes_all_or_nothing(void **state)
{
    struct fixture *f = *state;
    for (size_t cap = 0; cap < 60; cap++) {
        struct hf_buf out = HF_BUF_INIT(cap);
        struct hf_h1_writer writer;
        enum hf_err err = hf_h1_write_response(&writer, &out, 200, NULL);
        assert_int_equal(err, cap >= 17 ? HF_OK : HF_E_TOO_LARGE);
        if (err == HF_OK) {
            err =
                hf_h1_write_head_end(&writer, &out, &(struct hf_h1_plan){.framing = HF_H1_CHUNKED});
            assert_int_equal(err, cap >= 47 ? HF_OK : HF_E_TOO_LARGE);
            assert_int_equal(hf_buf_len(&out), cap >= 47 ? 47 : 17);
        }
        if (err == HF_OK) {
            err = hf_h1_write_data(&writer, &out, hf_bytes_str("abc"));
            assert_int_equal(err, cap >= 55 ? HF_OK : HF_E_TOO_LARGE);
            assert_int_equal(hf_buf_len(&out), cap >= 55 ? 55 : 47);
        }
        hf_buf_done(&out);
    }
    (void)f;
}

static void what_is_written_is_read_back(void **state)
{
    struct fixture *f = *state;
    struct hf_http_field array[8];
    struct hf_h1 h1;
    struct hf_bytes got;
    size_t used;
    assert_int_equal(
        hf_h1_write_request(&f->writer, &f->out, hf_bytes_str("PUT"), hf_bytes_str("/x")), HF_OK);
    assert_int_equal(hf_h1_write_field_str(&f->writer, &f->out, "Host", "h"), HF_OK);
    assert_int_equal(
        hf_h1_write_head_end(&f->writer, &f->out, &(struct hf_h1_plan){.framing = HF_H1_CHUNKED}),
        HF_OK);
    assert_int_equal(data(f, "abc"), HF_OK);
    assert_int_equal(hf_h1_write_trailer(&f->writer, &f->out, hf_bytes_str("T"), hf_bytes_str("u")),
                     HF_OK);
    assert_int_equal(end(f), HF_OK);

    hf_h1_init(&h1, HF_H1_REQUESTS, &hf_h1_limits_default, array, 8);
    assert_int_equal(hf_h1_head(&h1, hf_buf_bytes(&f->out)), HF_H1_HEAD);
    hf_buf_consume(&f->out, h1.head.len);
    assert_int_equal(hf_h1_body(&h1, hf_buf_bytes(&f->out), &used, &got), HF_H1_DATA);
    assert_true(hf_bytes_eq_str(got, "abc"));
    hf_buf_consume(&f->out, used);
    struct hf_bytes rest = hf_buf_bytes(&f->out);
    assert_int_equal(hf_h1_body(&h1, rest, &used, &got), HF_H1_END);
    struct hf_http_fields trailers = hf_h1_fields(&h1, rest);
    assert_true(hf_http_fields_find_str(&trailers, "t", &got));
    assert_true(hf_bytes_eq_str(got, "u"));
    assert_int_equal(used, rest.len);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_with_length),
        TEST(a_request_without_body),
        TEST(a_chunked_response_with_trailers),
        TEST(an_empty_chunked_response),
        TEST(data_that_the_caller_moves),
        TEST(a_length_is_kept),
        TEST(an_answer_to_head_tells_the_length_and_sends_nothing),
        TEST(connection_fields),
        TEST(bodies_where_none_may_be_are_refused),
        TEST(fields_that_would_break_the_message_are_refused),
        TEST(lines_that_would_break_the_message_are_refused),
        TEST(trailers_that_may_not_be_are_refused),
        TEST(parts_out_of_order_are_refused),
        TEST(a_full_buffer_takes_all_or_nothing),
        TEST(what_is_written_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
