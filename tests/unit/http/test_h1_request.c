// SPDX-License-Identifier: Apache-2.0
/* Heads of requests: what is read, and what is refused with which fault. */
#include "h1_driver.h"

#define HOST    "Host: a.example\r\n"
#define OK_HEAD "GET / HTTP/1.1\r\n" HOST
#define OK_LINE "GET / host=a.example 1.1 keep none\n"

static const struct h1_setup setup = {.role = HF_H1_REQUESTS};
static const struct h1_setup with_fields = {.role = HF_H1_REQUESTS, .fields = true};

static const struct h1_case request_lines[] = {
    {"plain", OK_HEAD "\r\n", 0, OK_LINE "end\n"},
    {"nothing at all", "", 0, ""},
    {"one empty line first", "\r\n" OK_HEAD "\r\n", 0, OK_LINE "end\n"},
    {"two empty lines first", "\r\n\r\n" OK_HEAD "\r\n", 0, "fault=request-line\n"},
    {"only an empty line", "\r\n", 0, "end at close\n"},
    {"two requests", OK_HEAD "\r\n" OK_HEAD "\r\n", 0, OK_LINE "end\n" OK_LINE "end\n"},
    {"unknown method", "BREW /pot HTTP/1.1\r\n" HOST "\r\n", 0,
     "BREW /pot host=a.example 1.1 keep none\nend\n"},
    {"lower-case method is another method", "get / HTTP/1.1\r\n" HOST "\r\n", 0,
     "get / host=a.example 1.1 keep none\nend\n"},
    {"method of 32", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF / HTTP/1.1\r\n" HOST "\r\n", 0,
     "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEF / host=a.example 1.1 keep none\nend\n"},
    {"method of 33", "ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFG / HTTP/1.1\r\n" HOST "\r\n", 0,
     "fault=method\n"},
    {"no version (HTTP/0.9)", "GET /\r\n", 0, "fault=request-line\n"},
    {"no target", "GET HTTP/1.1\r\n", 0, "fault=request-line\n"},
    {"only a method", "GET\r\n", 0, "fault=request-line\n"},
    {"two spaces after method", "GET  / HTTP/1.1\r\n", 0, "fault=request-line\n"},
    {"two spaces after target", "GET /  HTTP/1.1\r\n", 0, "fault=request-line\n"},
    {"tab for space", "GET\t/ HTTP/1.1\r\n", 0, "fault=control-character\n"},
    {"tab in target", "GET /\t HTTP/1.1\r\n", 0, "fault=target\n"},
    {"space at end", "GET / HTTP/1.1 \r\n", 0, "fault=request-line\n"},
    {"space at start", " GET / HTTP/1.1\r\n", 0, "fault=request-line\n"},
    {"space in target", "GET /a b HTTP/1.1\r\n", 0, "fault=request-line\n"},
    {"no method", " / HTTP/1.1\r\n", 0, "fault=request-line\n"},
    {"colon in method", "GE:T / HTTP/1.1\r\n", 0, "fault=request-line\n"},
    {"lower-case version", "GET / http/1.1\r\n", 0, "fault=request-line\n"},
    {"version 1.2", "GET / HTTP/1.2\r\n", 0, "fault=version\n"},
    {"version 2.0", "GET / HTTP/2.0\r\n", 0, "fault=version\n"},
    {"version 0.9", "GET / HTTP/0.9\r\n", 0, "fault=version\n"},
    {"version 1.10", "GET / HTTP/1.10\r\n", 0, "fault=request-line\n"},
    {"version 01.1", "GET / HTTP/01.1\r\n", 0, "fault=request-line\n"},
    {"version 1", "GET / HTTP/1\r\n", 0, "fault=request-line\n"},
    {"version 1,1", "GET / HTTP/1,1\r\n", 0, "fault=request-line\n"},
    {"version without name", "GET / 1.1\r\n", 0, "fault=request-line\n"},
    {"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 0, "fault=version\n"},
    {"TLS hello", "\x16\x03\x01\x02\x00\x01", 6, "fault=request-line\n"},
    {"a response", "HTTP/1.1 200 OK\r\n", 0, "fault=request-line\n"},
    {"NUL first", "\0GET / HTTP/1.1\r\n", 17, "fault=request-line\n"},
    {"NUL in method", "G\0T / HTTP/1.1\r\n", 16, "fault=control-character\n"},
    {"NUL in target", "GET /\0 HTTP/1.1\r\n", 17, "fault=control-character\n"},
    {"DEL in target", "GET /\x7f HTTP/1.1\r\n", 0, "fault=control-character\n"},
    {"CR in target", "GET /\r HTTP/1.1\r\n", 0, "fault=bare-cr\n"},
    {"CR in method", "GET\r / HTTP/1.1\r\n", 0, "fault=bare-cr\n"},
    {"CR CR LF", "GET / HTTP/1.1\r\r\n" HOST "\r\n", 0, "fault=request-line\n"},
    {"LF alone", "GET / HTTP/1.1\n" HOST "\r\n", 0, "fault=bare-lf\n"},
    {"LF first", "\nGET / HTTP/1.1\r\n", 0, "fault=bare-lf\n"},
    {"cut in the line", "GET / HT", 0, "fault=truncated\n"},
    {"cut in the fields", "GET / HTTP/1.1\r\nHost: a", 0, "fault=truncated\n"},
    {"cut before the empty line", OK_HEAD, 0, "fault=truncated\n"},
};

static const struct h1_case targets[] = {
    {"query", "GET /a?b=c&d HTTP/1.1\r\n" HOST "\r\n", 0,
     "GET /a?b=c&d host=a.example 1.1 keep none\nend\n"},
    {"every path character", "GET /aZ09-._~!$&'()*+,;=:@%2f[]| HTTP/1.1\r\n" HOST "\r\n", 0,
     "GET /aZ09-._~!$&'()*+,;=:@%2f[]| host=a.example 1.1 keep none\nend\n"},
    {"every query character", "GET /?/?{}^`|\\[]%zz HTTP/1.1\r\n" HOST "\r\n", 0,
     "GET /?/?{}^`|\\[]%zz host=a.example 1.1 keep none\nend\n"},
    {"fragment", "GET /a#b HTTP/1.1\r\n" HOST "\r\n", 0, "fault=target\n"},
    {"fragment in query", "GET /a?b#c HTTP/1.1\r\n" HOST "\r\n", 0, "fault=target\n"},
    {"backslash in path", "GET /a\\b HTTP/1.1\r\n" HOST "\r\n", 0, "fault=target\n"},
    {"quote in path", "GET /a\"b HTTP/1.1\r\n" HOST "\r\n", 0, "fault=target\n"},
    {"angle bracket in query", "GET /?<a> HTTP/1.1\r\n" HOST "\r\n", 0, "fault=target\n"},
    {"raw UTF-8 in path", "GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n", 0, "fault=target\n"},
    {"relative", "GET a HTTP/1.1\r\n" HOST "\r\n", 0, "fault=target\n"},
    {"absolute", "GET http://a.example/x?y HTTP/1.1\r\n" HOST "\r\n", 0,
     "GET http://a.example/x?y host=a.example 1.1 keep none\nend\n"},
    {"absolute https, upper case", "GET HTTPS://A.EXAMPLE/ HTTP/1.1\r\n" HOST "\r\n", 0,
     "GET HTTPS://A.EXAMPLE/ host=A.EXAMPLE 1.1 keep none\nend\n"},
    {"absolute without path", "GET http://a.example HTTP/1.1\r\n" HOST "\r\n", 0,
     "GET http://a.example host=a.example 1.1 keep none\nend\n"},
    {"absolute without path, query", "GET http://a.example?q HTTP/1.1\r\n" HOST "\r\n", 0,
     "GET http://a.example?q host=a.example 1.1 keep none\nend\n"},
    {"absolute, default port", "GET http://a.example:80/ HTTP/1.1\r\n" HOST "\r\n", 0,
     "GET http://a.example:80/ host=a.example:80 1.1 keep none\nend\n"},
    {"absolute, https default port", "GET https://a.example:443/ HTTP/1.1\r\n" HOST "\r\n", 0,
     "GET https://a.example:443/ host=a.example:443 1.1 keep none\nend\n"},
    {"absolute, other port", "GET http://a.example:443/ HTTP/1.1\r\n" HOST "\r\n", 0,
     "fault=host-mismatch\n"},
    {"absolute, other host", "GET http://b.example/ HTTP/1.1\r\n" HOST "\r\n", 0,
     "fault=host-mismatch\n"},
    {"absolute with user", "GET http://u@a.example/ HTTP/1.1\r\n" HOST "\r\n", 0, "fault=target\n"},
    {"absolute, other scheme", "GET ftp://a.example/ HTTP/1.1\r\n" HOST "\r\n", 0,
     "fault=target\n"},
    {"absolute, one slash", "GET http:/a.example/ HTTP/1.1\r\n" HOST "\r\n", 0, "fault=target\n"},
    {"absolute, no host", "GET http:/// HTTP/1.1\r\n" HOST "\r\n", 0, "fault=target\n"},
    {"absolute in 1.0 without Host", "GET http://a.example/ HTTP/1.0\r\n\r\n", 0,
     "GET http://a.example/ host=a.example 1.0 close none\nend\n"},
    {"asterisk", "OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 0,
     "OPTIONS * host=a.example 1.1 keep none\nend\n"},
    {"asterisk with GET", "GET * HTTP/1.1\r\n" HOST "\r\n", 0, "fault=target\n"},
    {"asterisk and more", "OPTIONS */ HTTP/1.1\r\n" HOST "\r\n", 0, "fault=target\n"},
    {"CONNECT", "CONNECT a.example:443 HTTP/1.1\r\n" HOST "\r\n", 0,
     "CONNECT a.example:443 host=a.example:443 1.1 keep none\nend\n"},
    {"CONNECT, Host with port", "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n", 0,
     "CONNECT a.example:443 host=a.example:443 1.1 keep none\nend\n"},
    {"CONNECT, Host with other port",
     "CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:80\r\n\r\n", 0, "fault=host-mismatch\n"},
    {"CONNECT without port", "CONNECT a.example HTTP/1.1\r\n" HOST "\r\n", 0, "fault=target\n"},
    {"CONNECT with path", "CONNECT / HTTP/1.1\r\n" HOST "\r\n", 0, "fault=target\n"},
    {"authority with GET", "GET a.example:443 HTTP/1.1\r\n" HOST "\r\n", 0, "fault=target\n"},
};

static const struct h1_case fields[] = {
    {"spaces around a value", OK_HEAD "A:  \t b c \t\r\n\r\n", 0,
     OK_LINE "Host: a.example\nA: b c\nend\n"},
    {"no space", OK_HEAD "A:b\r\n\r\n", 0, OK_LINE "Host: a.example\nA: b\nend\n"},
    {"empty value", OK_HEAD "A:\r\nB: \r\n\r\n", 0, OK_LINE "Host: a.example\nA: \nB: \nend\n"},
    {"colons and bytes above 127", OK_HEAD "A: :\xc3\xa4\xff:\r\n\r\n", 0,
     OK_LINE "Host: a.example\nA: :\xc3\xa4\xff:\nend\n"},
    {"tab within", OK_HEAD "A: b\tc\r\n\r\n", 0, OK_LINE "Host: a.example\nA: b\tc\nend\n"},
    {"odd but legal name", OK_HEAD "!#$%&'*+-.^_`|~9: x\r\n\r\n", 0,
     OK_LINE "Host: a.example\n!#$%&'*+-.^_`|~9: x\nend\n"},
    {"space before colon", OK_HEAD "A : b\r\n\r\n", 0, "fault=space-before-colon\n"},
    {"tab before colon", OK_HEAD "A\t: b\r\n\r\n", 0, "fault=space-before-colon\n"},
    {"space in name", OK_HEAD "A b: c\r\n\r\n", 0, "fault=space-before-colon\n"},
    {"folded", OK_HEAD "A: b\r\n c\r\n\r\n", 0, "fault=folded-line\n"},
    {"folded with a tab", OK_HEAD "A: b\r\n\tc\r\n\r\n", 0, "fault=folded-line\n"},
    {"space before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 0,
     "fault=folded-line\n"},
    {"line of one space", OK_HEAD " \r\n\r\n", 0, "fault=folded-line\n"},
    {"no colon", OK_HEAD "abc\r\n\r\n", 0, "fault=field-name\n"},
    {"empty name", OK_HEAD ": b\r\n\r\n", 0, "fault=field-name\n"},
    {"parenthesis in name", OK_HEAD "A(b): c\r\n\r\n", 0, "fault=field-name\n"},
    {"UTF-8 in name", OK_HEAD "\xc3\xa4: c\r\n\r\n", 0, "fault=field-name\n"},
    {"NUL in name", "GET / HTTP/1.1\r\nA\0: b\r\n\r\n", 25, "fault=control-character\n"},
    {"NUL in value", "GET / HTTP/1.1\r\nA: b\0c\r\n\r\n", 27, "fault=control-character\n"},
    {"NUL at the end of a value", "GET / HTTP/1.1\r\nA: b\0\r\n\r\n", 26,
     "fault=control-character\n"},
    {"BEL in value", OK_HEAD "A: b\x07\r\n\r\n", 0, "fault=control-character\n"},
    {"vertical tab in value", OK_HEAD "A: \x0b\r\n\r\n", 0, "fault=control-character\n"},
    {"DEL in value", OK_HEAD "A: \x7f\r\n\r\n", 0, "fault=control-character\n"},
    {"escape in a long value", OK_HEAD "A: 0123456789abcdefghijklmn\x1b[1m\r\n\r\n", 0,
     "fault=control-character\n"},
    {"CR in value", OK_HEAD "A: b\rc\r\n\r\n", 0, "fault=bare-cr\n"},
    {"CR at the end of a value", OK_HEAD "A: b\r\r\n\r\n", 0, "fault=bare-cr\n"},
    {"CR in name", OK_HEAD "A\rb: c\r\n\r\n", 0, "fault=bare-cr\n"},
    {"LF ends a field", OK_HEAD "A: b\n\r\n", 0, "fault=bare-lf\n"},
    {"LF ends the head", OK_HEAD "\n", 0, "fault=bare-lf\n"},
};

static const struct h1_case hosts[] = {
    {"none in 1.1", "GET / HTTP/1.1\r\n\r\n", 0, "fault=no-host\n"},
    {"none in 1.0", "GET / HTTP/1.0\r\n\r\n", 0, "GET / host= 1.0 close none\nend\n"},
    {"twice", OK_HEAD HOST "\r\n", 0, "fault=host-repeated\n"},
    {"twice, other case", OK_HEAD "hOST: b.example\r\n\r\n", 0, "fault=host-repeated\n"},
    {"twice in 1.0", "GET / HTTP/1.0\r\n" HOST HOST "\r\n", 0, "fault=host-repeated\n"},
    {"empty", "GET / HTTP/1.1\r\nHost:\r\n\r\n", 0, "fault=host\n"},
    {"port", "GET / HTTP/1.1\r\nHost: a:8443\r\n\r\n", 0, "GET / host=a:8443 1.1 keep none\nend\n"},
    {"IPv4", "GET / HTTP/1.1\r\nHost: 192.0.2.1:1\r\n\r\n", 0,
     "GET / host=192.0.2.1:1 1.1 keep none\nend\n"},
    {"IPv6", "GET / HTTP/1.1\r\nHost: [2001:db8::1]:443\r\n\r\n", 0,
     "GET / host=[2001:db8::1]:443 1.1 keep none\nend\n"},
    {"user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 0, "fault=host\n"},
    {"path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 0, "fault=host\n"},
    {"two hosts in one", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 0, "fault=host\n"},
    {"space within", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 0, "fault=host\n"},
    {"port 0", "GET / HTTP/1.1\r\nHost: a:0\r\n\r\n", 0, "fault=host\n"},
    {"port 65536", "GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", 0, "fault=host\n"},
    {"empty port", "GET / HTTP/1.1\r\nHost: a:\r\n\r\n", 0, "fault=host\n"},
    {"signed port", "GET / HTTP/1.1\r\nHost: a:+80\r\n\r\n", 0, "fault=host\n"},
    {"percent-encoded", "GET / HTTP/1.1\r\nHost: %61\r\n\r\n", 0, "fault=host\n"},
    {"space before the colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 0,
     "fault=space-before-colon\n"},
};

static const struct h1_case persistence[] = {
    {"1.1 close", OK_HEAD "Connection: close\r\n\r\n", 0,
     "GET / host=a.example 1.1 close none\nend\n"},
    {"1.1 CLOSE among others", OK_HEAD "Connection: x, CLOSE ,y\r\n\r\n", 0,
     "GET / host=a.example 1.1 close none\nend\n"},
    {"1.1 close in the second of two", OK_HEAD "Connection: x\r\nConnection: close\r\n\r\n", 0,
     "GET / host=a.example 1.1 close none\nend\n"},
    {"close wins over keep-alive", OK_HEAD "Connection: keep-alive, close\r\n\r\n", 0,
     "GET / host=a.example 1.1 close none\nend\n"},
    {"closed is not close", OK_HEAD "Connection: closed\r\n\r\n", 0, OK_LINE "end\n"},
    {"1.0 keep-alive", "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", 0,
     "GET / host= 1.0 keep none\nend\n"},
    {"Proxy-Connection means nothing", "GET / HTTP/1.0\r\nProxy-Connection: keep-alive\r\n\r\n", 0,
     "GET / host= 1.0 close none\nend\n"},
    {"upgrade", OK_HEAD "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 0,
     "GET / host=a.example 1.1 keep none upgrade\nend\n"},
    {"upgrade not nominated", OK_HEAD "Upgrade: websocket\r\n\r\n", 0, OK_LINE "end\n"},
    {"upgrade without what to", OK_HEAD "Connection: upgrade\r\n\r\n", 0, OK_LINE "end\n"},
    {"upgrade in 1.0", "GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", 0,
     "GET / host= 1.0 close none\nend\n"},
    {"expect", "POST / HTTP/1.1\r\n" HOST "Expect: 100-Continue\r\nContent-Length: 1\r\n\r\nx", 0,
     "POST / host=a.example 1.1 keep length expect=1\nbody=x\nend\n"},
    {"expect something else", OK_HEAD "Expect: 200-ok\r\n\r\n", 0, "fault=expectation\n"},
    {"expect two things", OK_HEAD "Expect: 100-continue, x\r\n\r\n", 0, "fault=expectation\n"},
    {"expect in 1.0", "GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", 0,
     "GET / host= 1.0 close none\nend\n"},
    {"connection option with a space", OK_HEAD "Connection: a b\r\n\r\n", 0, "fault=connection\n"},
    {"connection option quoted", OK_HEAD "Connection: \"close\"\r\n\r\n", 0, "fault=connection\n"},
    {"33 connection options",
     OK_HEAD
     "Connection: 1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3\r\n\r\n",
     0, "fault=connection\n"},
    {"nominates Host", OK_HEAD "Connection: close, host\r\n\r\n", 0, "fault=connection\n"},
    {"nominates Content-Length",
     "POST / HTTP/1.1\r\n" HOST "Content-Length: 3\r\nConnection: Content-Length\r\n\r\nabc", 0,
     "fault=connection\n"},
};

static const struct h1_case hops[] = {
    {"nominated and inherent",
     OK_HEAD "Connection: x-one, te\r\nX-One: 1\r\nX-Two: 2\r\nTE: trailers\r\n"
             "Keep-Alive: 5\r\nTrailer: x\r\nProxy-Authorization: y\r\nX-one: 3\r\n\r\n",
     0,
     OK_LINE "Host: a.example\nConnection(hop): x-one, te\nX-One(hop): 1\nX-Two: 2\n"
             "TE(hop): trailers\nKeep-Alive(hop): 5\nTrailer: x\n"
             "Proxy-Authorization(hop): y\nX-one(hop): 3\nend\n"},
    {"nominated before it comes", OK_HEAD "X-A: 1\r\nConnection: x-a\r\n\r\n", 0,
     OK_LINE "Host: a.example\nX-A(hop): 1\nConnection(hop): x-a\nend\n"},
};

static void request_lines_are_read(void **state)
{
    (void)state;
    h1_expect_all(&setup, request_lines, HF_N_ELEMENTS(request_lines));
}

static void targets_are_read(void **state)
{
    (void)state;
    h1_expect_all(&setup, targets, HF_N_ELEMENTS(targets));
}

static void fields_are_read(void **state)
{
    (void)state;
    h1_expect_all(&with_fields, fields, HF_N_ELEMENTS(fields));
}

static void hosts_are_checked(void **state)
{
    (void)state;
    h1_expect_all(&setup, hosts, HF_N_ELEMENTS(hosts));
}

static void persistence_is_understood(void **state)
{
    (void)state;
    h1_expect_all(&setup, persistence, HF_N_ELEMENTS(persistence));
}

static void fields_of_this_hop_are_marked(void **state)
{
    (void)state;
    h1_expect_all(&with_fields, hops, HF_N_ELEMENTS(hops));
}

static void parts_of_the_target_are_told_apart(void **state)
{
    (void)state;
    static const char text[] = "\r\nGET http://a.example:80/x/y?q=1 HTTP/1.1\r\n" HOST "\r\n";
    struct hf_http_field array[8];
    struct hf_h1 h1;
    struct hf_bytes in = hf_bytes_of(text, sizeof(text) - 1);
    hf_h1_init(&h1, HF_H1_REQUESTS, &hf_h1_limits_default, array, 8);
    assert_int_equal(hf_h1_head(&h1, in), HF_H1_HEAD);
    assert_int_equal(h1.head.len, sizeof(text) - 1);
    assert_int_equal(h1.head.form, HF_TARGET_ABSOLUTE);
    assert_int_equal(h1.head.method, HF_METHOD_GET);
    assert_true(hf_bytes_eq_str(hf_http_slice_bytes(in, h1.head.path), "/x/y"));
    assert_true(hf_bytes_eq_str(hf_http_slice_bytes(in, h1.head.query), "q=1"));
    assert_true(h1.head.has_query);
    assert_true(hf_bytes_eq_str(hf_http_slice_bytes(in, h1.head.authority), "a.example:80"));
}

/* --- Limits -------------------------------------------------------------------------------------
 */

static const struct hf_h1_limits small = {
    .line_max = 20,
    .field_max = 12,
    .head_max = 60,
    .method_max = 5,
    .n_fields_max = 3,
    .trailers_max = 20,
    .extension_max = 4,
    .extensions_max = 6,
    .body_max = 10,
    .n_interim_max = 1,
};
static const struct h1_setup limited = {.role = HF_H1_REQUESTS, .limits = &small};

static const struct h1_case limits[] = {
    {"line of 20", "GET /1234567 HTTP/1.0\r\n\r\n", 0, "fault=request-line-too-long\n"},
    {"line of 19", "GET /12345 HTTP/1.0\r\n\r\n", 0, "GET /12345 host= 1.0 close none\nend\n"},
    {"line of exactly 20", "GET /123456 HTTP/1.0\r\n\r\n", 0,
     "GET /123456 host= 1.0 close none\nend\n"},
    {"line without end", "GET /12345678901234567890", 0, "fault=request-line-too-long\n"},
    {"field of exactly 12", "GET / HTTP/1.0\r\nA: 123456789\r\n\r\n", 0,
     "GET / host= 1.0 close none\nend\n"},
    {"field of 13", "GET / HTTP/1.0\r\nA: 1234567890\r\n\r\n", 0, "fault=field-too-long\n"},
    {"field without end", "GET / HTTP/1.0\r\nA: 12345678901234567890", 0, "fault=field-too-long\n"},
    {"three fields", "GET / HTTP/1.0\r\nA:\r\nB:\r\nC:\r\n\r\n", 0,
     "GET / host= 1.0 close none\nend\n"},
    {"four fields", "GET / HTTP/1.0\r\nA:\r\nB:\r\nC:\r\nD:\r\n\r\n", 0, "fault=too-many-fields\n"},
    {"head of exactly 60", "GET / HTTP/1.0\r\nA: 123456789\r\nB: 123456789\r\nC: 123456789\r\n\r\n",
     0, "GET / host= 1.0 close none\nend\n"},
    {"head of 61", "GET /1 HTTP/1.0\r\nA: 123456789\r\nB: 123456789\r\nC: 123456789\r\n\r\n", 0,
     "fault=head-too-large\n"},
};

static void limits_hold(void **state)
{
    (void)state;
    h1_expect_all(&limited, limits, HF_N_ELEMENTS(limits));
}

static void the_callers_array_is_a_limit(void **state)
{
    (void)state;
    struct hf_http_field array[2];
    struct hf_h1 h1;
    hf_h1_init(&h1, HF_H1_REQUESTS, &hf_h1_limits_default, array, 2);
    assert_int_equal(hf_h1_head(&h1, hf_bytes_str(OK_HEAD "A:\r\nB:\r\n\r\n")), HF_H1_FAILED);
    assert_int_equal(h1.fault, HF_HTTP_FAULT_TOO_MANY_FIELDS);
    assert_int_equal(hf_h1_head(&h1, hf_bytes_str("")), HF_H1_FAILED);
}

static void flipping_any_byte_never_misbehaves(void **state)
{
    (void)state;
    static const char text[] =
        "POST /a?b HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\nConnection: x\r\nX: y\r\n\r\n"
        "3;e=f\r\nabc\r\n0\r\nT: u\r\n\r\n";
    static struct h1_run run;
    char copy[sizeof(text)];
    for (size_t at = 0; at < sizeof(text) - 1; at++) {
        for (unsigned flip = 1; flip < 256; flip++) {
            memcpy(copy, text, sizeof(text));
            copy[at] = (char)((unsigned char)copy[at] ^ flip);
            h1_begin(&run, &setup);
            h1_feed(&run, copy, sizeof(text) - 1);
            h1_finish(&run);
            hf_buf_done(&run.in);
            hf_buf_done(&run.out);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_lines_are_read),
        cmocka_unit_test(targets_are_read),
        cmocka_unit_test(fields_are_read),
        cmocka_unit_test(hosts_are_checked),
        cmocka_unit_test(persistence_is_understood),
        cmocka_unit_test(fields_of_this_hop_are_marked),
        cmocka_unit_test(parts_of_the_target_are_told_apart),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(the_callers_array_is_a_limit),
        cmocka_unit_test(flipping_any_byte_never_misbehaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
