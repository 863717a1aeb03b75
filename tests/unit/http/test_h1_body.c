// SPDX-License-Identifier: Apache-2.0
/* Where a message ends: lengths, chunks, trailers, and the published ways to make two parties
 * disagree about it. */
#include <stdlib.h>

#include "h1_driver.h"

#define HOST    "Host: a.example\r\n"
#define POST    "POST / HTTP/1.1\r\n" HOST
#define CHUNKED POST "Transfer-Encoding: chunked\r\n\r\n"
#define AFTER   "GET /after HTTP/1.1\r\n" HOST "\r\n"

#define SAW_LENGTH(n) "POST / host=a.example 1.1 keep length=" #n "\n"
#define SAW_CHUNKED   "POST / host=a.example 1.1 keep chunked\n"
#define SAW_AFTER     "GET /after host=a.example 1.1 keep none\nend\n"

static const struct h1_setup setup = {.role = HF_H1_REQUESTS};

static const struct h1_case lengths[] = {
    {"five", POST "Content-Length: 5\r\n\r\nhello" AFTER, 0,
     SAW_LENGTH(5) "body=hello\nend\n" SAW_AFTER},
    {"zero", POST "Content-Length: 0\r\n\r\n" AFTER, 0, SAW_LENGTH(0) "end\n" SAW_AFTER},
    {"leading zeros", POST "Content-Length: 005\r\n\r\nhello" AFTER, 0,
     SAW_LENGTH(5) "body=hello\nend\n" SAW_AFTER},
    {"none", POST "\r\n" AFTER, 0, "POST / host=a.example 1.1 keep none\nend\n" SAW_AFTER},
    {"GET with content", "GET / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx" AFTER, 0,
     "GET / host=a.example 1.1 keep length=1\nbody=x\nend\n" SAW_AFTER},
    {"CRLF in content", POST "Content-Length: 4\r\n\r\n\r\n\r\n" AFTER, 0,
     SAW_LENGTH(4) "body=\r\n\r\n\nend\n" SAW_AFTER},
    {"one CRLF after content", POST "Content-Length: 1\r\n\r\nx\r\n" AFTER, 0,
     SAW_LENGTH(1) "body=x\nend\n" SAW_AFTER},
    {"short", POST "Content-Length: 5\r\n\r\nhell", 0,
     SAW_LENGTH(5) "body=hell\nfault=truncated\n"},
    {"18 digits", POST "Content-Length: 999999999999999999\r\n\r\nx", 0,
     SAW_LENGTH(999999999999999999) "body=x\nfault=truncated\n"},
    {"19 digits", POST "Content-Length: 1000000000000000000\r\n\r\n", 0, "fault=content-length\n"},
    {"beyond 2^64", POST "Content-Length: 18446744073709551617\r\n\r\nx", 0,
     "fault=content-length\n"},
    {"empty", POST "Content-Length: \r\n\r\n", 0, "fault=content-length\n"},
    {"plus", POST "Content-Length: +5\r\n\r\nhello", 0, "fault=content-length\n"},
    {"minus", POST "Content-Length: -5\r\n\r\nhello", 0, "fault=content-length\n"},
    {"hexadecimal", POST "Content-Length: 0x5\r\n\r\nhello", 0, "fault=content-length\n"},
    {"decimal point", POST "Content-Length: 5.0\r\n\r\nhello", 0, "fault=content-length\n"},
    {"exponent", POST "Content-Length: 5e0\r\n\r\nhello", 0, "fault=content-length\n"},
    {"space within", POST "Content-Length: 5 0\r\n\r\nhello", 0, "fault=content-length\n"},
    {"underscore within", POST "Content-Length: 1_0\r\n\r\nhello", 0, "fault=content-length\n"},
    {"semicolon", POST "Content-Length: 5;\r\n\r\nhello", 0, "fault=content-length\n"},
    {"list of the same", POST "Content-Length: 5, 5\r\n\r\nhello", 0, "fault=content-length\n"},
    {"list of two", POST "Content-Length: 5, 6\r\n\r\nhello", 0, "fault=content-length\n"},
    {"quoted", POST "Content-Length: \"5\"\r\n\r\nhello", 0, "fault=content-length\n"},
    {"twice the same", POST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", 0,
     "fault=content-length-repeated\n"},
    {"twice different", POST "Content-Length: 5\r\ncontent-length: 50\r\n\r\nhello", 0,
     "fault=content-length-repeated\n"},
    {"Arabic digit", POST "Content-Length: \xd9\xa5\r\n\r\nhello", 0, "fault=content-length\n"},
    {"NUL behind", "POST / HTTP/1.1\r\nContent-Length: 5\0\r\n\r\nhello", 44,
     "fault=control-character\n"},
    {"vertical tab behind", POST "Content-Length: 5\x0b\r\n\r\nhello", 0,
     "fault=control-character\n"},
    {"CONNECT with content", "CONNECT a.example:1 HTTP/1.1\r\n" HOST "Content-Length: 1\r\n\r\nx",
     0, "fault=content-forbidden\n"},
    {"CONNECT with length 0", "CONNECT a.example:1 HTTP/1.1\r\n" HOST "Content-Length: 0\r\n\r\n",
     0, "CONNECT a.example:1 host=a.example:1 1.1 keep length=0\nend\n"},
    {"TRACE with content", "TRACE / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n", 0,
     "fault=content-forbidden\n"},
};

static const struct h1_case chunks[] = {
    {"two chunks", CHUNKED "5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n" AFTER, 0,
     SAW_CHUNKED "body=hello, world\nend\n" SAW_AFTER},
    {"no chunk", CHUNKED "0\r\n\r\n" AFTER, 0, SAW_CHUNKED "end\n" SAW_AFTER},
    {"zeros", CHUNKED "005\r\nhello\r\n000\r\n\r\n" AFTER, 0,
     SAW_CHUNKED "body=hello\nend\n" SAW_AFTER},
    {"hexadecimal in both cases", CHUNKED "a\r\n0123456789\r\nB\r\n0123456789a\r\n0\r\n\r\n", 0,
     SAW_CHUNKED "body=01234567890123456789a\nend\n"},
    {"CRLF in data", CHUNKED "4\r\n\r\n\r\n\r\n0\r\n\r\n", 0, SAW_CHUNKED "body=\r\n\r\n\nend\n"},
    {"a chunk that looks like the end", CHUNKED "5\r\n0\r\n\r\n\r\n0\r\n\r\n" AFTER, 0,
     SAW_CHUNKED "body=0\r\n\r\n\nend\n" SAW_AFTER},
    {"15 digits", CHUNKED "000000000000005\r\nhello\r\n0\r\n\r\n", 0,
     SAW_CHUNKED "body=hello\nend\n"},
    {"16 digits", CHUNKED "0000000000000005\r\nhello", 0, SAW_CHUNKED "fault=chunk-size\n"},
    {"beyond 2^64", CHUNKED "10000000000000005\r\nhello", 0, SAW_CHUNKED "fault=chunk-size\n"},
    {"empty size", CHUNKED "\r\nhello", 0, SAW_CHUNKED "fault=chunk-size\n"},
    {"0x", CHUNKED "0x5\r\nhello", 0, SAW_CHUNKED "fault=chunk-size\n"},
    {"plus", CHUNKED "+5\r\nhello", 0, SAW_CHUNKED "fault=chunk-size\n"},
    {"minus", CHUNKED "-5\r\nhello", 0, SAW_CHUNKED "fault=chunk-size\n"},
    {"letter g", CHUNKED "5g\r\nhello", 0, SAW_CHUNKED "fault=chunk-size\n"},
    {"space first", CHUNKED " 5\r\nhello", 0, SAW_CHUNKED "fault=chunk-size\n"},
    {"space behind", CHUNKED "5 \r\nhello\r\n0\r\n\r\n", 0, SAW_CHUNKED "fault=chunk-extension\n"},
    {"comma", CHUNKED "5,\r\nhello", 0, SAW_CHUNKED "fault=chunk-size\n"},
    {"NUL behind the size", POST "Transfer-Encoding: chunked\r\n\r\n5\0\r\nhello",
     sizeof(CHUNKED "5.\r\nhello") - 1, SAW_CHUNKED "fault=chunk-size\n"},
    {"LF ends the size", CHUNKED "5\nhello\r\n0\r\n\r\n", 0, SAW_CHUNKED "fault=bare-lf\n"},
    {"LF alone for a size", CHUNKED "\nhello", 0, SAW_CHUNKED "fault=bare-lf\n"},
    {"CR without LF", CHUNKED "5\rXhello", 0, SAW_CHUNKED "fault=bare-cr\n"},
    {"CR CR LF", CHUNKED "5\r\r\nhello", 0, SAW_CHUNKED "fault=bare-cr\n"},
    {"data too long", CHUNKED "5\r\nhello!\r\n0\r\n\r\n", 0,
     SAW_CHUNKED "body=hello\nfault=chunk-end\n"},
    {"data without end", CHUNKED "5\r\nhello0\r\n\r\n", 0,
     SAW_CHUNKED "body=hello\nfault=chunk-end\n"},
    {"LF after data", CHUNKED "5\r\nhello\n0\r\n\r\n", 0,
     SAW_CHUNKED "body=hello\nfault=chunk-end\n"},
    {"CR X after data", CHUNKED "5\r\nhello\rX0\r\n\r\n", 0,
     SAW_CHUNKED "body=hello\nfault=chunk-end\n"},
    {"closed before the last chunk", CHUNKED "5\r\nhello\r\n", 0,
     SAW_CHUNKED "body=hello\nfault=truncated\n"},
    {"closed within the last line", CHUNKED "0\r\n\r", 0, SAW_CHUNKED "fault=truncated\n"},
    {"LF ends the last line", CHUNKED "0\r\n\n", 0, SAW_CHUNKED "fault=bare-lf\n"},
};

static const struct h1_case extensions[] = {
    {"name", CHUNKED "5;a\r\nhello\r\n0;b\r\n\r\n", 0, SAW_CHUNKED "body=hello\nend\n"},
    {"name and value", CHUNKED "5;a=b;c=\"d e\"\r\nhello\r\n0\r\n\r\n", 0,
     SAW_CHUNKED "body=hello\nend\n"},
    {"white space around", CHUNKED "5 \t; a = b\r\nhello\r\n0\r\n\r\n", 0,
     SAW_CHUNKED "body=hello\nend\n"},
    {"empty", CHUNKED "5;\r\nhello", 0, SAW_CHUNKED "fault=chunk-extension\n"},
    {"only a value", CHUNKED "5;=b\r\nhello", 0, SAW_CHUNKED "fault=chunk-extension\n"},
    {"LF within (TERM.EXT)", CHUNKED "5;a\nhello\r\n0\r\n\r\n", 0, SAW_CHUNKED "fault=bare-lf\n"},
    {"CR within (EXT.TERM)", CHUNKED "5;a\rb\r\nhello\r\n0\r\n\r\n", 0,
     SAW_CHUNKED "fault=bare-cr\n"},
    {"LF in a quoted value", CHUNKED "5;a=\"\n\"\r\nhello", 0, SAW_CHUNKED "fault=bare-lf\n"},
    {"space then letter", CHUNKED "5 a\r\nhello", 0, SAW_CHUNKED "fault=chunk-extension\n"},
    {"control character", CHUNKED "5;a\x01\r\nhello", 0, SAW_CHUNKED "fault=chunk-extension\n"},
};

static const struct h1_case trailers[] = {
    {"one", CHUNKED "1\r\nx\r\n0\r\nGrpc-Status: 0\r\n\r\n" AFTER, 0,
     SAW_CHUNKED "body=x\nGrpc-Status: 0\nend\n" SAW_AFTER},
    {"two", CHUNKED "0\r\nA: b\r\nC:d\r\n\r\n" AFTER, 0, SAW_CHUNKED "A: b\nC: d\nend\n" SAW_AFTER},
    {"Content-Length", CHUNKED "0\r\nContent-Length: 5\r\n\r\n", 0,
     SAW_CHUNKED "fault=trailer-forbidden\n"},
    {"Transfer-Encoding", CHUNKED "0\r\nTransfer-Encoding: chunked\r\n\r\n", 0,
     SAW_CHUNKED "fault=trailer-forbidden\n"},
    {"Host", CHUNKED "0\r\nHost: b\r\n\r\n", 0, SAW_CHUNKED "fault=trailer-forbidden\n"},
    {"Authorization", CHUNKED "0\r\nAuthorization: x\r\n\r\n", 0,
     SAW_CHUNKED "fault=trailer-forbidden\n"},
    {"X-Forwarded-Client-Cert", CHUNKED "0\r\nX-Forwarded-Client-Cert: x\r\n\r\n", 0,
     SAW_CHUNKED "fault=trailer-forbidden\n"},
    {"X_Forwarded_Client_Cert", CHUNKED "0\r\nX_Forwarded_Client_Cert: x\r\n\r\n", 0,
     SAW_CHUNKED "fault=trailer-forbidden\n"},
    {"Connection", CHUNKED "0\r\nConnection: close\r\n\r\n", 0,
     SAW_CHUNKED "fault=trailer-forbidden\n"},
    {"space before colon", CHUNKED "0\r\nA : b\r\n\r\n", 0,
     SAW_CHUNKED "fault=space-before-colon\n"},
    {"folded", CHUNKED "0\r\nA: b\r\n c\r\n\r\n", 0, SAW_CHUNKED "fault=folded-line\n"},
    {"LF", CHUNKED "0\r\nA: b\n\r\n", 0, SAW_CHUNKED "fault=bare-lf\n"},
    {"a request in their place", CHUNKED "0\r\nGET / HTTP/1.1\r\n\r\n", 0,
     SAW_CHUNKED "fault=space-before-colon\n"},
    {"cut", CHUNKED "0\r\nA: b\r\n", 0, SAW_CHUNKED "fault=truncated\n"},
};

/* Published request smuggling and its variations: every one is refused, and nothing behind it is
 * taken for a request. */
#define BOTH "Content-Length: 6\r\nTransfer-Encoding: chunked\r\n"
static const struct h1_case smuggling[] = {
    {"CL.TE", POST BOTH "\r\n0\r\n\r\nG", 0, "fault=two-framings\n"},
    {"TE.CL", POST "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n1\r\nG\r\n0\r\n\r\n", 0,
     "fault=two-framings\n"},
    {"CL.0 with TE", POST "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0,
     "fault=two-framings\n"},
    {"TE.TE, second obfuscated",
     POST "Transfer-Encoding: chunked\r\nTransfer-encoding: cow\r\n\r\n0\r\n\r\n", 0,
     "fault=transfer-encoding-repeated\n"},
    {"TE twice", POST "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 0,
     "fault=transfer-encoding-repeated\n"},
    {"TE identity then chunked",
     POST "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n\r\n", 0,
     "fault=transfer-coding\n"},
    {"xchunked", POST "Transfer-Encoding: xchunked\r\n\r\n", 0, "fault=transfer-coding\n"},
    {"chunked with parameter", POST "Transfer-Encoding: chunked;q=1\r\n\r\n", 0,
     "fault=transfer-coding\n"},
    {"chunked, identity", POST "Transfer-Encoding: chunked, identity\r\n\r\n", 0,
     "fault=transfer-coding\n"},
    {"chunked, chunked", POST "Transfer-Encoding: chunked, chunked\r\n\r\n", 0,
     "fault=transfer-coding\n"},
    {"gzip, chunked", POST "Transfer-Encoding: gzip, chunked\r\n\r\n", 0,
     "fault=transfer-coding\n"},
    {"comma before chunked", POST "Transfer-Encoding: , chunked\r\n\r\n", 0,
     "fault=transfer-coding\n"},
    {"comma after chunked", POST "Transfer-Encoding: chunked,\r\n\r\n", 0,
     "fault=transfer-coding\n"},
    {"empty TE", POST "Transfer-Encoding:\r\nContent-Length: 5\r\n\r\nhello", 0,
     "fault=transfer-coding\n"},
    {"quoted chunked", POST "Transfer-Encoding: \"chunked\"\r\n\r\n", 0, "fault=transfer-coding\n"},
    {"chunked with a letter of two bytes", POST "Transfer-Encoding: chun\xc4\xb1ked\r\n\r\n", 0,
     "fault=transfer-coding\n"},
    {"space before colon of TE", POST "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 0,
     "fault=space-before-colon\n"},
    {"space before TE", POST "X: y\r\n Transfer-Encoding: chunked\r\n\r\n", 0,
     "fault=folded-line\n"},
    {"folded TE value", POST "Transfer-Encoding:\r\n chunked\r\n\r\n", 0,
     "fault=transfer-coding\n"},
    {"folded behind TE", POST "Transfer-Encoding: chunked\r\n , identity\r\n\r\n", 0,
     "fault=folded-line\n"},
    {"vertical tab before chunked",
     POST "Transfer-Encoding: \x0b"
          "chunked\r\n\r\n",
     0, "fault=control-character\n"},
    {"form feed behind chunked", POST "Transfer-Encoding: chunked\x0c\r\n\r\n", 0,
     "fault=control-character\n"},
    {"LF hides TE", POST "X: y\nTransfer-Encoding: chunked\r\n\r\n", 0, "fault=bare-lf\n"},
    {"CR hides TE", POST "X: y\rTransfer-Encoding: chunked\r\n\r\n", 0, "fault=bare-cr\n"},
    {"underscore TE", POST "Transfer_Encoding: chunked\r\nContent-Length: 5\r\n\r\nhello", 0,
     "fault=underscore-name\n"},
    {"underscore CL", POST "Content_Length: 5\r\n\r\nhello", 0, "fault=underscore-name\n"},
    {"underscore Host", "GET / HTTP/1.1\r\nX_Y: z\r\n_Host: a\r\nHost: a\r\n\r\n", 0,
     "GET / host=a 1.1 keep none\nend\n"},
    {"TE in 1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 0,
     "fault=transfer-encoding-in-1.0\n"},
    {"TE name with a NUL", "POST / HTTP/1.1\r\nTransfer-Encoding\0: chunked\r\n\r\n", 49,
     "fault=control-character\n"},
    {"TE without colon", POST "Transfer-Encoding chunked\r\n\r\n", 0, "fault=space-before-colon\n"},
    {"TE with two colons", POST "Transfer-Encoding:: chunked\r\n\r\n", 0,
     "fault=transfer-coding\n"},
    {"UTF-8 blank before chunked",
     POST "Transfer-Encoding: \xc2\xa0"
          "chunked\r\n\r\n",
     0, "fault=transfer-coding\n"},
    {"escaped CRLF stays a value", POST "X: a\\r\\nTransfer-Encoding: chunked\r\n\r\n", 0,
     "POST / host=a.example 1.1 keep none\nend\n"},
    {"Connection drops TE",
     POST "Transfer-Encoding: chunked\r\nConnection: Transfer-Encoding\r\n\r\n"
          "0\r\n\r\n",
     0, SAW_CHUNKED "end\n"},
    {"Connection drops Host", POST "Connection: Host\r\n\r\n", 0, "fault=connection\n"},
    {"request hidden in content",
     POST "Content-Length: "
          "58\r\n\r\nGET /admin HTTP/1.1\r\n"
          "Host: a.example\r\nX: 0123456789abc\r\n\r\n",
     0,
     SAW_LENGTH(
         58) "body=GET /admin HTTP/1.1\r\nHost: a.example\r\nX: 0123456789abc\r\n\r\n\nend\n"},
};

static void lengths_end_messages(void **state)
{
    (void)state;
    h1_expect_all(&setup, lengths, HF_N_ELEMENTS(lengths));
}

static void chunks_are_read(void **state)
{
    (void)state;
    h1_expect_all(&setup, chunks, HF_N_ELEMENTS(chunks));
}

static void extensions_are_passed_over(void **state)
{
    (void)state;
    h1_expect_all(&setup, extensions, HF_N_ELEMENTS(extensions));
}

static void trailers_are_read(void **state)
{
    (void)state;
    h1_expect_all(&setup, trailers, HF_N_ELEMENTS(trailers));
}

static void smuggling_is_refused(void **state)
{
    (void)state;
    h1_expect_all(&setup, smuggling, HF_N_ELEMENTS(smuggling));
}

/* --- Limits -------------------------------------------------------------------------------------
 */

static const struct hf_h1_limits small = {
    .line_max = 100,
    .field_max = 100,
    .head_max = 200,
    .method_max = 10,
    .n_fields_max = 3,
    .trailers_max = 20,
    .extension_max = 4,
    .extensions_max = 6,
    .body_max = 10,
    .n_interim_max = 1,
};
static const struct h1_setup limited = {.role = HF_H1_REQUESTS, .limits = &small};

static const struct h1_case limits[] = {
    {"length 10", POST "Content-Length: 10\r\n\r\n0123456789", 0,
     SAW_LENGTH(10) "body=0123456789\nend\n"},
    {"length 11", POST "Content-Length: 11\r\n\r\n", 0, "fault=body-too-large\n"},
    {"chunks of 10 together", CHUNKED "4\r\n0123\r\n6\r\n456789\r\n0\r\n\r\n", 0,
     SAW_CHUNKED "body=0123456789\nend\n"},
    {"chunks of 11 together", CHUNKED "4\r\n0123\r\n7\r\n456789", 0,
     SAW_CHUNKED "body=0123\nfault=body-too-large\n"},
    {"chunk of 2^59", CHUNKED "800000000000000\r\n", 0, SAW_CHUNKED "fault=body-too-large\n"},
    {"extension of 4", CHUNKED "1;ab \r\nx\r\n0\r\n\r\n", 0, SAW_CHUNKED "body=x\nend\n"},
    {"extension of 5", CHUNKED "1;abcd\r\nx\r\n0\r\n\r\n", 0, SAW_CHUNKED "body=x\nend\n"},
    {"extension of 6", CHUNKED "1;abcde\r\nx\r\n0\r\n\r\n", 0,
     SAW_CHUNKED "fault=chunk-extension\n"},
    {"extensions paid for by data", CHUNKED "4;abcd\r\n0123\r\n4;abcd\r\n0123\r\n0\r\n\r\n", 0,
     SAW_CHUNKED "body=01230123\nend\n"},
    {"extensions beyond their data", CHUNKED "1;abcd\r\n0\r\n1;abcd\r\n1\r\n0\r\n\r\n", 0,
     SAW_CHUNKED "body=0\nfault=chunk-extension\n"},
    {"trailers of 20", CHUNKED "0\r\nA: 2345678901234\r\n\r\n", 0,
     SAW_CHUNKED "A: 2345678901234\nend\n"},
    {"trailers of 21", CHUNKED "0\r\nA: 23456789012345\r\n\r\n", 0,
     SAW_CHUNKED "fault=trailers-too-large\n"},
    {"four trailers", CHUNKED "0\r\nA:\r\nB:\r\nC:\r\nD:\r\n\r\n", 0,
     SAW_CHUNKED "fault=too-many-fields\n"},
};

static void limits_hold(void **state)
{
    (void)state;
    h1_expect_all(&limited, limits, HF_N_ELEMENTS(limits));
}

/* --- Big and streamed ---------------------------------------------------------------------------
 */

static void a_long_body_is_handed_out_without_copies(void **state)
{
    (void)state;
    enum { PIECE = 100000, N = 30 };
    struct hf_http_field array[8];
    struct hf_h1 h1;
    static uint8_t piece[PIECE];
    static const char head[] = POST "Content-Length: 3000000\r\n\r\n";
    hf_h1_init(&h1, HF_H1_REQUESTS, &hf_h1_limits_default, array, 8);
    assert_int_equal(hf_h1_head(&h1, hf_bytes_str(head)), HF_H1_HEAD);
    for (int i = 0; i < N; i++) {
        size_t used;
        struct hf_bytes data;
        assert_int_equal(hf_h1_body(&h1, hf_bytes_of(piece, PIECE), &used, &data), HF_H1_DATA);
        assert_int_equal(used, PIECE);
        assert_ptr_equal(data.ptr, piece);
        assert_int_equal(data.len, PIECE);
    }
    size_t used;
    struct hf_bytes data;
    assert_int_equal(hf_h1_body(&h1, hf_bytes_of(piece, PIECE), &used, &data), HF_H1_END);
    assert_int_equal(used, 0);
    assert_int_equal(h1.body_len, (uint64_t)PIECE * N);
}

static void a_tunnel_begins_after_the_request(void **state)
{
    (void)state;
    struct hf_http_field array[8];
    struct hf_h1 h1;
    size_t used;
    struct hf_bytes data;
    static const char head[] =
        "GET / HTTP/1.1\r\n" HOST "Connection: upgrade\r\nUpgrade: x\r\n\r\n";
    hf_h1_init(&h1, HF_H1_REQUESTS, &hf_h1_limits_default, array, 8);
    assert_int_equal(hf_h1_head(&h1, hf_bytes_str(head)), HF_H1_HEAD);
    assert_int_equal(hf_h1_body(&h1, hf_bytes_str("raw"), &used, &data), HF_H1_END);
    assert_int_equal(used, 0);
    hf_h1_tunnel(&h1);
    assert_int_equal(hf_h1_body(&h1, hf_bytes_str("raw"), &used, &data), HF_H1_DATA);
    assert_true(hf_bytes_eq_str(data, "raw"));
    assert_int_equal(hf_h1_eof(&h1), HF_H1_END);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lengths_end_messages),
        cmocka_unit_test(chunks_are_read),
        cmocka_unit_test(extensions_are_passed_over),
        cmocka_unit_test(trailers_are_read),
        cmocka_unit_test(smuggling_is_refused),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(a_long_body_is_handed_out_without_copies),
        cmocka_unit_test(a_tunnel_begins_after_the_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
