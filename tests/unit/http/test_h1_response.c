// SPDX-License-Identifier: Apache-2.0
/* Responses: status lines, and the bodies that depend on what was asked. */
#include "h1_driver.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\n"
#define AFTER   "HTTP/1.1 200 After\r\nContent-Length: 0\r\n\r\n"

#define SAW_AFTER "200 After 1.1 keep length=0\nend\n"

static const struct h1_setup to_get = {.role = HF_H1_RESPONSES, .asked = HF_METHOD_GET};
static const struct h1_setup to_head = {.role = HF_H1_RESPONSES, .asked = HF_METHOD_HEAD};
static const struct h1_setup to_connect = {.role = HF_H1_RESPONSES, .asked = HF_METHOD_CONNECT};
static const struct h1_setup to_upgrade = {
    .role = HF_H1_RESPONSES, .asked = HF_METHOD_GET, .asked_upgrade = true};

static const struct h1_case status_lines[] = {
    {"plain", OK_HEAD "Content-Length: 2\r\n\r\nhi" AFTER, 0,
     "200 OK 1.1 keep length=2\nbody=hi\nend\n" SAW_AFTER},
    {"empty reason", "HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n", 0,
     "200  1.1 keep length=0\nend\n"},
    {"no space before the empty reason", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 0,
     "200  1.1 keep length=0\nend\n"},
    {"long reason with tabs and bytes", "HTTP/1.1 404 N\tot \xc3\xa4\r\nContent-Length: 0\r\n\r\n",
     0, "404 N\tot \xc3\xa4 1.1 keep length=0\nend\n"},
    {"empty line first", "\r\n" OK_HEAD, 0, "fault=status-line\n"},
    {"1.0", "HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", 0, "200 OK 1.0 close length=0\nend\n"},
    {"1.0 keep-alive", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n", 0,
     "200 OK 1.0 keep length=0\nend\n"},
    {"2.0", "HTTP/2.0 200 OK\r\n\r\n", 0, "fault=version\n"},
    {"shoutcast", "ICY 200 OK\r\n\r\n", 0, "fault=status-line\n"},
    {"a request", "GET / HTTP/1.1\r\n\r\n", 0, "fault=status-line\n"},
    {"099", "HTTP/1.1 099 X\r\n\r\n", 0, "fault=status-line\n"},
    {"600", "HTTP/1.1 600 X\r\n\r\n", 0, "fault=status-line\n"},
    {"999", "HTTP/1.1 999 X\r\n\r\n", 0, "fault=status-line\n"},
    {"two digits", "HTTP/1.1 20 OK\r\n\r\n", 0, "fault=status-line\n"},
    {"four digits", "HTTP/1.1 2000 OK\r\n\r\n", 0, "fault=status-line\n"},
    {"letters", "HTTP/1.1 2xx OK\r\n\r\n", 0, "fault=status-line\n"},
    {"two spaces", "HTTP/1.1  200 OK\r\n\r\n", 0, "fault=status-line\n"},
    {"tab", "HTTP/1.1\t200 OK\r\n\r\n", 0, "fault=status-line\n"},
    {"nothing after the version", "HTTP/1.1\r\n\r\n", 0, "fault=status-line\n"},
    {"NUL in reason", "HTTP/1.1 200 O\0\r\n\r\n", 19, "fault=control-character\n"},
    {"CR in reason", "HTTP/1.1 200 O\rK\r\n\r\n", 0, "fault=bare-cr\n"},
    {"LF alone", "HTTP/1.1 200 OK\n\r\n", 0, "fault=bare-lf\n"},
    {"NUL first", "\0HTTP/1.1 200 OK\r\n", 18, "fault=status-line\n"},
    {"TLS alert", "\x15\x03\x03\x00\x02\x02\x28", 7, "fault=status-line\n"},
    {"Host in a response means nothing",
     OK_HEAD "Host: a b\r\nHost: c\r\nContent-Length: 0\r\n\r\n", 0,
     "200 OK 1.1 keep length=0\nend\n"},
};

static const struct h1_case bodies[] = {
    {"chunked", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nT: u\r\n\r\n" AFTER, 0,
     "200 OK 1.1 keep chunked\nbody=hi\nT: u\nend\n" SAW_AFTER},
    {"until close", OK_HEAD "\r\nall of this" AFTER, 0,
     "200 OK 1.1 close until-close\nbody=all of this" AFTER "\nend at close\n"},
    {"until close, empty", OK_HEAD "\r\n", 0, "200 OK 1.1 close until-close\nend at close\n"},
    {"204", "HTTP/1.1 204 No\r\n\r\n" AFTER, 0, "204 No 1.1 keep none\nend\n" SAW_AFTER},
    {"204 with length 0", "HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n" AFTER, 0,
     "204 No 1.1 keep none=0\nend\n" SAW_AFTER},
    {"204 with content", "HTTP/1.1 204 No\r\nContent-Length: 1\r\n\r\nx", 0,
     "fault=content-forbidden\n"},
    {"204 chunked", "HTTP/1.1 204 No\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0,
     "fault=content-forbidden\n"},
    {"304 with the length of what it stands for",
     "HTTP/1.1 304 Same\r\nContent-Length: 1000\r\n\r\n" AFTER, 0,
     "304 Same 1.1 keep none=1000\nend\n" SAW_AFTER},
    {"304 chunked", "HTTP/1.1 304 Same\r\nTransfer-Encoding: chunked\r\n\r\n" AFTER, 0,
     "304 Same 1.1 keep none\nend\n" SAW_AFTER},
    {"205 with content", "HTTP/1.1 205 R\r\nContent-Length: 1\r\n\r\nx", 0,
     "205 R 1.1 keep length=1\nbody=x\nend\n"},
    {"both framings", OK_HEAD "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n", 0,
     "fault=two-framings\n"},
    {"two lengths", OK_HEAD "Content-Length: 2\r\nContent-Length: 2\r\n\r\nhi", 0,
     "fault=content-length-repeated\n"},
    {"coding in 1.0", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0,
     "fault=transfer-encoding-in-1.0\n"},
    {"identity", OK_HEAD "Transfer-Encoding: identity\r\n\r\nx", 0, "fault=transfer-coding\n"},
    {"cut", OK_HEAD "Content-Length: 9\r\n\r\nhi", 0,
     "200 OK 1.1 keep length=9\nbody=hi\nfault=truncated\n"},
    {"close", OK_HEAD "Connection: close\r\nContent-Length: 2\r\n\r\nhi", 0,
     "200 OK 1.1 close length=2\nbody=hi\nend\n"},
    {"status 101 unasked", "HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n", 0,
     "fault=switch-unasked\n"},
    {"Expect in a response", OK_HEAD "Expect: x\r\nContent-Length: 0\r\n\r\n", 0,
     "200 OK 1.1 keep length=0\nend\n"},
};

static const struct h1_case interims[] = {
    {"100 then final", "HTTP/1.1 100 Continue\r\n\r\n" AFTER, 0,
     "100 Continue 1.1 keep none\nend\n" SAW_AFTER},
    {"103 twice then final",
     "HTTP/1.1 103 E\r\nLink: a\r\n\r\nHTTP/1.1 103 E\r\nLink: b\r\n\r\n" AFTER, 0,
     "103 E 1.1 keep none\nend\n103 E 1.1 keep none\nend\n" SAW_AFTER},
    {"100 with length", "HTTP/1.1 100 C\r\nContent-Length: 1\r\n\r\nx", 0,
     "fault=content-forbidden\n"},
    {"100 chunked", "HTTP/1.1 100 C\r\nTransfer-Encoding: chunked\r\n\r\n", 0,
     "fault=content-forbidden\n"},
};

static const struct h1_case head_answers[] = {
    {"length", OK_HEAD "Content-Length: 1000\r\n\r\n" AFTER, 0,
     "200 OK 1.1 keep none=1000\nend\n200 After 1.1 keep none=0\nend\n"},
    {"chunked", OK_HEAD "Transfer-Encoding: chunked\r\n\r\n" AFTER, 0,
     "200 OK 1.1 keep none\nend\n200 After 1.1 keep none=0\nend\n"},
    {"neither", OK_HEAD "\r\n" AFTER, 0,
     "200 OK 1.1 keep none\nend\n200 After 1.1 keep none=0\nend\n"},
    {"100 first", "HTTP/1.1 100 C\r\n\r\n" OK_HEAD "Content-Length: 5\r\n\r\n", 0,
     "100 C 1.1 keep none\nend\n200 OK 1.1 keep none=5\nend\n"},
};

static const struct h1_case connect_answers[] = {
    {"200", OK_HEAD "\r\nraw\x16 bytes", 0,
     "200 OK 1.1 close tunnel\nbody=raw\x16 bytes\nend at close\n"},
    {"200 with a length that means nothing", OK_HEAD "Content-Length: 1\r\n\r\nraw", 0,
     "200 OK 1.1 close tunnel=1\nbody=raw\nend at close\n"},
    {"403", "HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno", 0,
     "403 No 1.1 keep length=2\nbody=no\nend\n"},
};

static const struct h1_case upgrade_answers[] = {
    {"101", "HTTP/1.1 101 S\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\nraw", 0,
     "101 S 1.1 close tunnel upgrade\nbody=raw\nend at close\n"},
    {"100 then 101", "HTTP/1.1 100 C\r\n\r\nHTTP/1.1 101 S\r\n\r\nraw", 0,
     "100 C 1.1 keep none\nend\n101 S 1.1 close tunnel\nbody=raw\nend at close\n"},
    {"declined", AFTER, 0, SAW_AFTER},
};

static void status_lines_are_read(void **state)
{
    (void)state;
    h1_expect_all(&to_get, status_lines, HF_N_ELEMENTS(status_lines));
}

static void bodies_end_where_they_should(void **state)
{
    (void)state;
    h1_expect_all(&to_get, bodies, HF_N_ELEMENTS(bodies));
}

static void interim_responses_are_followed(void **state)
{
    (void)state;
    h1_expect_all(&to_get, interims, HF_N_ELEMENTS(interims));
}

static void answers_to_head_have_no_body(void **state)
{
    (void)state;
    h1_expect_all(&to_head, head_answers, HF_N_ELEMENTS(head_answers));
}

static void connect_opens_a_tunnel(void **state)
{
    (void)state;
    h1_expect_all(&to_connect, connect_answers, HF_N_ELEMENTS(connect_answers));
}

static void upgrade_opens_a_tunnel(void **state)
{
    (void)state;
    h1_expect_all(&to_upgrade, upgrade_answers, HF_N_ELEMENTS(upgrade_answers));
}

static void interim_responses_are_bounded(void **state)
{
    (void)state;
    struct hf_http_field array[8];
    struct hf_h1 h1;
    struct hf_bytes in = hf_bytes_str("HTTP/1.1 102 P\r\n\r\n");
    hf_h1_init(&h1, HF_H1_RESPONSES, &hf_h1_limits_default, array, 8);
    for (unsigned i = 0; i < hf_h1_limits_default.n_interim_max; i++) {
        size_t used;
        struct hf_bytes data;
        assert_int_equal(hf_h1_head(&h1, in), HF_H1_HEAD);
        assert_int_equal(hf_h1_body(&h1, in, &used, &data), HF_H1_END);
        hf_h1_next(&h1);
    }
    assert_int_equal(hf_h1_head(&h1, in), HF_H1_FAILED);
    assert_int_equal(h1.fault, HF_HTTP_FAULT_TOO_MANY_INTERIM);
}

static void a_body_until_close_is_limited(void **state)
{
    (void)state;
    struct hf_h1_limits limits = hf_h1_limits_default;
    limits.body_max = 3;
    struct h1_setup setup = {.role = HF_H1_RESPONSES, .limits = &limits};
    struct h1_case fits = {"fits", OK_HEAD "\r\nabc", 0,
                           "200 OK 1.1 close until-close\nbody=abc\nend at close\n"};
    h1_expect_case(&setup, &fits);

    struct hf_http_field array[8];
    struct hf_h1 h1;
    size_t used;
    struct hf_bytes data;
    hf_h1_init(&h1, HF_H1_RESPONSES, &limits, array, 8);
    assert_int_equal(hf_h1_head(&h1, hf_bytes_str(OK_HEAD "\r\n")), HF_H1_HEAD);
    assert_int_equal(hf_h1_body(&h1, hf_bytes_str("abcd"), &used, &data), HF_H1_FAILED);
    assert_int_equal(h1.fault, HF_HTTP_FAULT_BODY_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(status_lines_are_read),
        cmocka_unit_test(bodies_end_where_they_should),
        cmocka_unit_test(interim_responses_are_followed),
        cmocka_unit_test(answers_to_head_have_no_body),
        cmocka_unit_test(connect_opens_a_tunnel),
        cmocka_unit_test(upgrade_opens_a_tunnel),
        cmocka_unit_test(interim_responses_are_bounded),
        cmocka_unit_test(a_body_until_close_is_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
