// SPDX-License-Identifier: Apache-2.0
/* What a client does with frames that a server sends, right and wrong. */
#include "base/mem.h"
#include "h2_pair.h"

struct h2_case {
    const char *name;
    const char *method;
    const char *script; /* of the server, after its SETTINGS */
    const char *log;
    const char *sent; /* by the client, after its request */
};

#define RST        "rst 1 protocol-error\n"
#define BAD(fault) "close 1 protocol-error " fault "\n"
#define OVER(code) "goaway 0 last=0 " code "\n"

static void run_case(const struct h2_case *c, size_t portion)
{
    struct h2_pair pair;
    struct hf_h2_stream *stream = NULL;
    struct h2_printer printer = {.in = HF_BUF_INIT(H2_LOG_MAX), .is_client = true};
    struct hf_buf in = HF_BUF_INIT(H2_LOG_MAX);
    struct hf_buf out = HF_BUF_INIT(H2_LOG_MAX);
    bool failed = false;
    h2_pair_init(&pair);
    h2_side_start(&pair.client);
    assert_int_equal(nghttp2_hd_inflate_new(&printer.inflater), 0);
    assert_int_equal(h2_ask(&pair, c->method, strcmp(c->method, "POST") == 0 ? -1 : 0, &stream),
                     HF_OK);
    h2_flush(&pair.client, 40000);
    h2_print(&printer, hf_buf_bytes(&pair.client.sent), &out);
    hf_buf_reset(&pair.client.sent);
    hf_buf_reset(&out);
    h2_write_script(&in, "settings 0 -\nsettings 0 a");
    h2_write_script(&in, c->script);
    while (hf_buf_len(&in) > 0 && !failed) {
        struct hf_bytes bytes = hf_buf_bytes(&in);
        bytes.len = bytes.len < portion ? bytes.len : portion;
        failed = hf_h2_feed(pair.client.h2, bytes, 1) != HF_OK;
        hf_buf_consume(&in, bytes.len);
        h2_flush(&pair.client, 40000);
    }
    h2_print(&printer, hf_buf_bytes(&pair.client.sent), &out);
    bool same = strcmp(hf_buf_cstr(&out), c->sent) == 0;
    same = same && (portion == 1 || strcmp(hf_buf_cstr(&pair.client.log), c->log) == 0);
    if (!same) {
        print_error("case \"%s\", portion %zu: log\n%s--- sent\n%s---\n", c->name, portion,
                    hf_buf_cstr(&pair.client.log), hf_buf_cstr(&out));
        fail();
    }
    nghttp2_hd_inflate_del(printer.inflater);
    hf_buf_done(&printer.in);
    hf_buf_done(&in);
    hf_buf_done(&out);
    h2_pair_done(&pair);
}

static void run_cases(const struct h2_case *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        run_case(&cases[i], SIZE_MAX);
        run_case(&cases[i], 1);
    }
}

static void responses(void **state)
{
    static const struct h2_case cases[] = {
        {"a response", "GET", "headers 1 h :status=200 content-length=2 x=y\ndata 1 e ok",
         "head 1 200 length=2\n  x: y\ndata 1 ok\nend 1\nclose 1 no-error\n", ""},
        {"without a length", "GET", "headers 1 h :status=200\ndata 1 - ok\nheaders 1 eh a=b",
         "head 1 200 stream\ndata 1 ok\nend 1\n  a: b\nclose 1 no-error\n", ""},
        {"8.1 interim ones", "GET",
         "headers 1 h :status=100\nheaders 1 h :status=103 a=b\n"
         "headers 1 eh :status=204",
         "head 1 100\nhead 1 103\n  a: b\nhead 1 204 end\nclose 1 no-error\n", ""},
        {"8.1 an interim one that ends", "GET", "headers 1 eh :status=100", BAD("content-length"),
         RST},
        {"8.6 101", "GET", "headers 1 h :status=101", BAD("content-length"), RST},
        {"no status", "GET", "headers 1 eh a=b", BAD("pseudo-field"), RST},
        {"two statuses", "GET", "headers 1 eh :status=200 :status=200", BAD("pseudo-field"), RST},
        {"a request's pseudo field", "GET", "headers 1 eh :status=200 :path=/", BAD("pseudo-field"),
         RST},
        {"a status that is none", "GET", "headers 1 eh :status=20", BAD("status-line"), RST},
        {"a status that is none", "GET", "headers 1 eh :status=2000", BAD("status-line"), RST},
        {"a status that is none", "GET", "headers 1 eh :status=099", BAD("status-line"), RST},
        {"a status that is none", "GET", "headers 1 eh :status=+20", BAD("status-line"), RST},
        {"upper case", "GET", "headers 1 eh :status=200 A=b", BAD("field-name"), RST},
        {"8.2.2 connection", "GET", "headers 1 eh :status=200 connection=close",
         BAD("connection-field"), RST},
        {"8.2.2 transfer-encoding", "GET", "headers 1 h :status=200 transfer-encoding=chunked",
         BAD("connection-field"), RST},
        {"CR and LF", "GET", "headers 1 eh :status=200 #000161020d0a", BAD("control-character"),
         RST},
        {"DATA before HEADERS", "GET", "data 1 e x", BAD("content-length"), RST},
        {"two lengths", "GET", "headers 1 h :status=200 content-length=1 content-length=1",
         BAD("content-length-repeated"), RST},
        {"too short", "GET", "headers 1 h :status=200 content-length=3\ndata 1 e ok",
         "head 1 200 length=3\ndata 1 ok\n" BAD("content-length"), RST},
        {"too long", "GET", "headers 1 h :status=200 content-length=1\ndata 1 e ok",
         "head 1 200 length=1\n" BAD("content-length"), RST},
        {"a length and the end", "GET", "headers 1 eh :status=200 content-length=1",
         BAD("content-length"), RST},
        {"HEAD with a length", "HEAD", "headers 1 eh :status=200 content-length=7",
         "head 1 200 length=7 end\nclose 1 no-error\n", ""},
        {"HEAD with an empty frame", "HEAD", "headers 1 h :status=200 content-length=7\ndata 1 e",
         "head 1 200 length=7\nend 1\nclose 1 no-error\n", ""},
        {"HEAD with a body", "HEAD", "headers 1 h :status=200 content-length=2\ndata 1 e ok",
         "head 1 200 length=2\n" BAD("content-length"), RST},
        {"204 with a body", "GET", "headers 1 h :status=204\ndata 1 e ok",
         "head 1 204\n" BAD("content-length"), RST},
        {"204 with a length", "GET", "headers 1 eh :status=204 content-length=2",
         BAD("content-length"), RST},
        {"trailers with a status", "GET", "headers 1 h :status=200\nheaders 1 eh :status=200",
         "head 1 200 stream\n" BAD("pseudo-field"), RST},
        {"an answer while we upload", "POST", "headers 1 h :status=200\ndata 1 e ok",
         "head 1 200 stream\ndata 1 ok\nend 1\n", ""},
        {"and its reset", "POST", "headers 1 h :status=413\ndata 1 e no\nrst 1 - 0",
         "head 1 413 stream\ndata 1 no\nend 1\nclose 1 no-error by-peer\n", ""},
        {"8.7 refused", "GET", "rst 1 - 7", "close 1 refused-stream by-peer unprocessed\n", ""},
        {"an unknown code", "GET", "rst 1 - 999", "close 1 unknown by-peer\n", ""},
        {"6.8 beyond the last", "GET", "goaway 0 - 0 0",
         "close 1 refused-stream by-peer unprocessed\n", ""},
        {"6.8 among the last", "GET", "goaway 0 - 1 0\nheaders 1 eh :status=200",
         "head 1 200 end\nclose 1 no-error\n", ""},
        {"what follows a reset of ours", "GET",
         "headers 1 h a=b\ndata 1 - x\nheaders 1 eh c=d\nping 0 - 01234567", BAD("pseudo-field"),
         RST "ping 0 ack 01234567\n"},
    };
    (void)state;
    run_cases(cases, HF_N_ELEMENTS(cases));
}

static void connections_that_end(void **state)
{
    static const struct h2_case cases[] = {
        {"8.4 a push", "GET", "raw 05 4 1 00000002", "", OVER("protocol-error")},
        {"5.1.1 a stream of the server's", "GET", "headers 2 eh :status=200", "",
         OVER("protocol-error")},
        {"5.1 a response to no request", "GET", "headers 3 eh :status=200", "",
         OVER("protocol-error")},
        {"5.1 DATA to no request", "GET", "data 3 e x", "", OVER("protocol-error")},
        {"5.1 RST_STREAM of no request", "GET", "rst 3 - 8", "", OVER("protocol-error")},
        {"5.1 a second response", "GET", "headers 1 eh :status=200\nheaders 1 eh :status=200",
         "head 1 200 end\nclose 1 no-error\n", OVER("stream-closed")},
        {"6.5.2 push enabled", "GET", "settings 0 - 2=1", "", OVER("protocol-error")},
        {"8441 taken back", "GET", "settings 0 - 8=1\nsettings 0 - 8=0", "",
         OVER("protocol-error")},
        {"4.2 too large", "GET", "headers 1 h :status=200\ndata 1 e 16385*x", "head 1 200 stream\n",
         OVER("frame-size-error")},
        {"not HTTP/2", "GET", "bytes 485454502f312e3120323030", "", OVER("frame-size-error")},
    };
    (void)state;
    run_cases(cases, HF_N_ELEMENTS(cases));
}

/* The server is held to the window that it was given. */
static void windows_are_enforced(void **state)
{
    static const struct {
        uint32_t stream;
        uint32_t connection;
        const char *sent;
    } cases[] = {
        {70000, 4 << 20, "rst 1 flow-control-error\n"},
        {1 << 20, 70000, OVER("flow-control-error")},
    };
    (void)state;
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        struct h2_pair pair;
        struct hf_h2_stream *stream;
        struct hf_buf in = HF_BUF_INIT(H2_LOG_MAX);
        struct hf_buf out = HF_BUF_INIT(H2_LOG_MAX);
        struct h2_printer printer = {.in = HF_BUF_INIT(H2_LOG_MAX)};
        h2_pair_init(&pair);
        pair.client.holds = true;
        pair.client.config.limits.stream_window = cases[i].stream;
        pair.client.config.limits.connection_window = cases[i].connection;
        h2_side_start(&pair.client);
        assert_int_equal(h2_ask(&pair, "GET", 0, &stream), HF_OK);
        h2_flush(&pair.client, 40000);
        hf_buf_reset(&pair.client.sent);
        h2_write_script(&in, "settings 0 -\nsettings 0 a\nheaders 1 h :status=200");
        for (unsigned n = 0; n < 7; n++) {
            h2_write_script(&in, "data 1 - 10000*x");
        }
        assert_int_equal(hf_h2_feed(pair.client.h2, hf_buf_bytes(&in), 1), HF_OK);
        hf_buf_reset(&in);
        h2_write_script(&in, "data 1 - x");
        (void)!hf_h2_feed(pair.client.h2, hf_buf_bytes(&in), 1);
        h2_flush(&pair.client, 40000);
        h2_print(&printer, hf_buf_bytes(&pair.client.sent), &out);
        assert_string_equal(hf_buf_cstr(&out), cases[i].sent);
        hf_buf_done(&printer.in);
        hf_buf_done(&in);
        hf_buf_done(&out);
        h2_pair_done(&pair);
    }
}

/* What comes back is cut and flipped everywhere: the client may fail, but only by the rules. */
static void cut_and_flipped_answers_do_no_harm(void **state)
{
    static const char script[] = "settings 0 - 3=100 4=70000\nsettings 0 a\n"
                                 "headers 1 h :status=103 link=a\nheaders 1 - :status=200\n"
                                 "continuation 1 h content-length=7 x=y\ndata 1 p 02 abc..\n"
                                 "window 0 - 100\nwindow 1 - 9\nping 0 - 01234567\n"
                                 "data 1 - defg\nheaders 1 eh a=b\ngoaway 0 - 1 0";
    struct hf_buf in = HF_BUF_INIT(H2_LOG_MAX);
    (void)state;
    h2_write_script(&in, script);
    for (size_t at = 0; at <= hf_buf_len(&in); at++) {
        for (unsigned bit = 0; bit <= 8; bit++) {
            struct h2_pair pair;
            struct hf_h2_stream *stream;
            uint8_t copy[1000];
            struct hf_bytes bytes = hf_buf_bytes(&in);
            assert_true(bytes.len < sizeof(copy));
            memcpy(copy, bytes.ptr, bytes.len);
            h2_pair_init(&pair);
            pair.client.quiet = true;
            h2_side_start(&pair.client);
            assert_int_equal(h2_ask(&pair, "GET", 0, &stream), HF_OK);
            if (bit == 8 || at == bytes.len) {
                bytes.len = at;
            } else {
                copy[at] ^= (uint8_t)(1u << bit);
            }
            (void)!hf_h2_feed(pair.client.h2, hf_bytes_of(copy, bytes.len), 1);
            h2_flush(&pair.client, 40000);
            h2_side_done(&pair.client);
            assert_int_equal(pair.client.n_closed, 1);
            h2_side_done(&pair.server);
        }
    }
    hf_buf_done(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(responses),
        cmocka_unit_test(connections_that_end),
        cmocka_unit_test(windows_are_enforced),
        cmocka_unit_test(cut_and_flipped_answers_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
