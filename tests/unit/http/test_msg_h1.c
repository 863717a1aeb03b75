// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "http/msg_h1.h"

enum { FIELDS = 50 };

struct fixture {
    struct hf_http_msg msg;
    struct hf_http_field fields[FIELDS];
    struct hf_h1 h1;
    struct hf_buf out;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    hf_http_msg_init(&fixture.msg, 1 << 16, FIELDS);
    fixture.out = HF_BUF_INIT(1 << 16);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    hf_http_msg_done(&f->msg);
    hf_buf_done(&f->out);
    return 0;
}

static enum hf_err read_head(struct fixture *f, enum hf_h1_role role, const char *text)
{
    struct hf_bytes head = hf_bytes_str(text);
    hf_h1_init(&f->h1, role, &hf_h1_limits_default, f->fields, FIELDS);
    hf_h1_expect(&f->h1, HF_METHOD_GET, true);
    assert_int_equal(hf_h1_head(&f->h1, head), HF_H1_HEAD);
    return hf_http_msg_from_h1(&f->msg, &f->h1, head, "https");
}

static void write_head(struct fixture *f, enum hf_http_method asked, bool to_old)
{
    struct hf_h1_writer writer;
    struct hf_h1_plan plan = hf_http_msg_plan(&f->msg, asked, to_old);
    hf_buf_reset(&f->out);
    assert_int_equal(hf_http_msg_check(&f->msg), HF_HTTP_FAULT_NONE);
    assert_int_equal(hf_http_msg_to_h1(&f->msg, &writer, &f->out, &plan, HF_H1_CASE_TITLE), HF_OK);
}

struct head_case {
    const char *in;
    const char *out;
};

static void expect_cases(struct fixture *f, enum hf_h1_role role, const struct head_case *cases,
                         size_t n)
{
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(read_head(f, role, cases[i].in), HF_OK);
        write_head(f, HF_METHOD_GET, false);
        assert_string_equal(hf_buf_cstr(&f->out), cases[i].out);
    }
}

static void requests_pass_without_what_is_for_one_hop(void **state)
{
    static const struct head_case cases[] = {
        {"GET /a?b=c HTTP/1.1\r\nhost: A.example\r\nX-ANY: 1\r\n\r\n",
         "GET /a?b=c HTTP/1.1\r\nHost: A.example\r\nX-Any: 1\r\n\r\n"},
        {"GET http://b.example:80/x HTTP/1.1\r\nHost: b.example\r\n\r\n",
         "GET /x HTTP/1.1\r\nHost: b.example:80\r\n\r\n"},
        {"OPTIONS http://b.example HTTP/1.1\r\nHost: b.example\r\n\r\n",
         "OPTIONS * HTTP/1.1\r\nHost: b.example\r\n\r\n"},
        {"GET http://b.example HTTP/1.1\r\nHost: b.example\r\n\r\n",
         "GET / HTTP/1.1\r\nHost: b.example\r\n\r\n"},
        {"CONNECT c.example:443 HTTP/1.1\r\nHost: c.example:443\r\n\r\n",
         "CONNECT c.example:443 HTTP/1.1\r\nHost: c.example:443\r\n\r\n"},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nA: b\r\n\r\n",
         "POST / HTTP/1.1\r\nHost: a\r\nA: b\r\nContent-Length: 3\r\n\r\n"},
        {"POST / HTTP/1.1\r\nHost: a\r\n\r\n",
         "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"},
        {"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\nTrailer: x\r\n\r\n",
         "POST / HTTP/1.1\r\nHost: a\r\nTrailer: x\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nExpect: 100-Continue\r\n\r\n",
         "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n"},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: x-drop, close, keep-alive\r\nKeep-Alive: 3\r\n"
         "X-Drop: 1\r\nX-Keep: 2\r\nTE: gzip\r\nProxy-Authorization: b\r\nProxy-Connection: c\r\n"
         "\r\n",
         "GET / HTTP/1.1\r\nHost: a\r\nX-Keep: 2\r\n\r\n"},
        {"GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nHost: \r\n\r\n"},
        {"GET /c HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n"
         "Sec-WebSocket-Key: k\r\n\r\n",
         "GET /c HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nSec-Websocket-Key: k\r\n"
         "Connection: upgrade\r\n\r\n"},
        /* upgrades that are as if they weren't there */
        {"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n",
         "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: a, b\r\n\r\n",
         "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
        {"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: a\r\nUpgrade: b\r\n\r\n",
         "GET / HTTP/1.1\r\nHost: a\r\n\r\n"},
        {"POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: a\r\nContent-Length: 1\r\n"
         "\r\n",
         "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n"},
    };
    expect_cases(*state, HF_H1_REQUESTS, cases, HF_N_ELEMENTS(cases));
}

static void responses_pass_with_their_framing(void **state)
{
    static const struct head_case cases[] = {
        {"HTTP/1.1 200 Fine\r\nContent-Length: 3\r\nServer: x\r\nConnection: close\r\n\r\n",
         "HTTP/1.1 200 OK\r\nServer: x\r\nContent-Length: 3\r\n\r\n"},
        {"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {"HTTP/1.0 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"},
        {"HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n"},
        {"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n",
         "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"},
        {"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n",
         "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n"},
        {"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n"
         "Sec-WebSocket-Accept: x\r\n\r\n",
         "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-Websocket-Accept: x\r\n"
         "Connection: upgrade\r\n\r\n"},
    };
    expect_cases(*state, HF_H1_RESPONSES, cases, HF_N_ELEMENTS(cases));
}

static void answers_to_head_and_to_old_readers(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(read_head(f, HF_H1_RESPONSES, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"),
                     HF_OK);
    write_head(f, HF_METHOD_HEAD, false);
    assert_string_equal(hf_buf_cstr(&f->out), "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n");
    assert_int_equal(
        read_head(f, HF_H1_RESPONSES, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        HF_OK);
    write_head(f, HF_METHOD_GET, true);
    assert_string_equal(hf_buf_cstr(&f->out), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
    hf_http_msg_reset(&f->msg);
    assert_int_equal(hf_http_msg_set_status(&f->msg, 403), HF_OK);
    write_head(f, HF_METHOD_GET, false);
    assert_string_equal(hf_buf_cstr(&f->out),
                        "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
    write_head(f, HF_METHOD_HEAD, false);
    assert_string_equal(hf_buf_cstr(&f->out), "HTTP/1.1 403 Forbidden\r\n\r\n");
}

static void what_the_client_can_do_is_remembered(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(read_head(f, HF_H1_REQUESTS,
                               "GET / HTTP/1.1\r\nHost: a\r\nTE: gzip, Trailers\r\n"
                               "Connection: TE\r\n\r\n"),
                     HF_OK);
    assert_true(f->msg.te_trailers);
    assert_int_equal(f->msg.n_fields, 0);
    assert_int_equal(read_head(f, HF_H1_REQUESTS, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"), HF_OK);
    assert_false(f->msg.te_trailers);
}

static void names_may_stay_in_lower_case(void **state)
{
    struct fixture *f = *state;
    struct hf_h1_writer writer;
    assert_int_equal(read_head(f, HF_H1_REQUESTS, "GET / HTTP/1.1\r\nHost: a\r\nX-Y: z\r\n\r\n"),
                     HF_OK);
    struct hf_h1_plan plan = hf_http_msg_plan(&f->msg, HF_METHOD_OTHER, false);
    assert_int_equal(hf_http_msg_to_h1(&f->msg, &writer, &f->out, &plan, HF_H1_CASE_LOWER), HF_OK);
    assert_string_equal(hf_buf_cstr(&f->out), "GET / HTTP/1.1\r\nhost: a\r\nx-y: z\r\n\r\n");
}

static void a_failed_head_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct hf_h1_writer writer;
    assert_int_equal(read_head(f, HF_H1_REQUESTS, "GET / HTTP/1.1\r\nHost: a\r\nX-Y: z\r\n\r\n"),
                     HF_OK);
    struct hf_h1_plan plan = hf_http_msg_plan(&f->msg, HF_METHOD_OTHER, false);
    assert_int_equal(hf_buf_append_str(&f->out, "before"), HF_OK);
    f->out.cap = 30;
    assert_int_equal(hf_http_msg_to_h1(&f->msg, &writer, &f->out, &plan, HF_H1_CASE_LOWER),
                     HF_E_TOO_LARGE);
    assert_string_equal(hf_buf_cstr(&f->out), "before");
    f->out.cap = 1000;
    f->msg.kind = HF_MSG_TRAILERS;
    assert_int_equal(hf_http_msg_to_h1(&f->msg, &writer, &f->out, &plan, HF_H1_CASE_LOWER),
                     HF_E_INVALID);
}

static void trailers_go_where_they_can(void **state)
{
    static const char body[] = "0\r\nGrpc-Status: 0\r\nx: y\r\n\r\n";
    struct fixture *f = *state;
    struct hf_bytes data;
    size_t used;
    assert_int_equal(
        read_head(f, HF_H1_RESPONSES, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        HF_OK);
    struct hf_h1_plan plan = hf_http_msg_plan(&f->msg, HF_METHOD_GET, false);
    struct hf_h1_writer writer;
    assert_int_equal(hf_http_msg_to_h1(&f->msg, &writer, &f->out, &plan, HF_H1_CASE_TITLE), HF_OK);
    assert_int_equal(hf_h1_body(&f->h1, hf_bytes_str(body), &used, &data), HF_H1_END);
    assert_int_equal(hf_http_msg_trailers_from_h1(&f->msg, &f->h1, hf_bytes_str(body)), HF_OK);
    assert_int_equal(hf_http_msg_check(&f->msg), HF_HTTP_FAULT_NONE);
    assert_int_equal(hf_http_msg_add_str(&f->msg, "set-cookie", "no"), HF_OK);
    hf_buf_reset(&f->out);
    assert_int_equal(hf_http_msg_trailers_to_h1(&f->msg, &writer, &f->out), HF_OK);
    assert_string_equal(hf_buf_cstr(&f->out), "0\r\ngrpc-status: 0\r\nx: y\r\n\r\n");

    struct hf_http_msg head;
    hf_http_msg_init(&head, 1000, 10);
    assert_int_equal(hf_http_msg_set_status(&head, 200), HF_OK);
    plan = hf_http_msg_plan(&head, HF_METHOD_GET, false);
    assert_int_equal(hf_http_msg_to_h1(&head, &writer, &f->out, &plan, HF_H1_CASE_TITLE), HF_OK);
    hf_buf_reset(&f->out);
    assert_int_equal(hf_http_msg_trailers_to_h1(&f->msg, &writer, &f->out), HF_OK);
    assert_int_equal(hf_buf_len(&f->out), 0);
    hf_http_msg_done(&head);
}

static void edits_reach_the_wire(void **state)
{
    struct fixture *f = *state;
    struct hf_bytes query = hf_bytes_str("q");
    assert_int_equal(read_head(f, HF_H1_REQUESTS, "GET /a?b HTTP/1.1\r\nHost: a\r\n\r\n"), HF_OK);
    assert_int_equal(hf_http_msg_set_path(&f->msg, hf_bytes_str("/longer/than/before")), HF_OK);
    write_head(f, HF_METHOD_OTHER, false);
    assert_string_equal(hf_buf_cstr(&f->out),
                        "GET /longer/than/before?b HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_int_equal(hf_http_msg_set_query(&f->msg, &query), HF_OK);
    assert_int_equal(hf_http_msg_set_authority(&f->msg, hf_bytes_str("[::1]:8")), HF_OK);
    write_head(f, HF_METHOD_OTHER, false);
    assert_string_equal(hf_buf_cstr(&f->out),
                        "GET /longer/than/before?q HTTP/1.1\r\nHost: [::1]:8\r\n\r\n");
}

static void limits_of_the_message_hold(void **state)
{
    struct fixture *f = *state;
    static const char text[] = "GET / HTTP/1.1\r\nHost: a\r\nA: b\r\nC: d\r\n\r\n";
    hf_http_msg_done(&f->msg);
    hf_http_msg_init(&f->msg, 1000, 2);
    assert_int_equal(read_head(f, HF_H1_REQUESTS, text), HF_E_TOO_LARGE);
    hf_http_msg_done(&f->msg);
    hf_http_msg_init(&f->msg, sizeof(text) - 2, 10);
    assert_int_equal(read_head(f, HF_H1_REQUESTS, text), HF_E_TOO_LARGE);
    for (size_t n = 1; n <= 2; n++) {
        hf_http_msg_done(&f->msg);
        hf_http_msg_init(&f->msg, 1000, 10);
        hf_alloc_fail_after(n);
        assert_int_equal(read_head(f, HF_H1_REQUESTS, text), HF_E_NOMEM);
        hf_alloc_fail_after(0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(requests_pass_without_what_is_for_one_hop, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(responses_pass_with_their_framing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(answers_to_head_and_to_old_readers, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_the_client_can_do_is_remembered, set_up, tear_down),
        cmocka_unit_test_setup_teardown(names_may_stay_in_lower_case, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_failed_head_leaves_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(trailers_go_where_they_can, set_up, tear_down),
        cmocka_unit_test_setup_teardown(edits_reach_the_wire, set_up, tear_down),
        cmocka_unit_test_setup_teardown(limits_of_the_message_hold, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
