// SPDX-License-Identifier: Apache-2.0
/*
 * What a server does with frames, a case per rule: RFC 9113 (RFC section numbers in the names), RFC
 * 7541, RFC 8441. Every case is fed whole, and byte by byte.
 */
#include "h2_side.h"

struct h2_case {
    const char *name;
    const char *script; /* after the preface and an empty SETTINGS; "then": what was answered is
                         * taken first */
    const char *expected;
};

#define GET           "headers 1 eh :method=GET :scheme=https :path=/ :authority=a\n"
#define OK            "headers 1 :status=200 content-length=2\ndata 1 end 2\n"
#define GET3          "headers 3 eh :method=GET :scheme=https :path=/ :authority=a\n"
#define OK3           "headers 3 :status=200 content-length=2\ndata 3 end 2\n"
#define POST          "headers 1 h :method=POST :scheme=https :path=/ :authority=a\n"
#define RST(code)     "rst 1 " code "\n"
#define GOAWAY0(code) "goaway 0 last=0 " code "\n"
#define GOAWAY1(code) "goaway 0 last=1 " code "\n"

static const char preface[] = "bytes 505249202a20485454502f322e300d0a0d0a534d0d0a0d0a\n";

/* True: the connection has failed. */
static bool feed_portions(struct h2_side *side, struct hf_buf *in, size_t portion)
{
    bool failed = false;
    while (hf_buf_len(in) > 0 && !failed) {
        struct hf_bytes bytes = hf_buf_bytes(in);
        bytes.len = bytes.len < portion ? bytes.len : portion;
        failed = hf_h2_feed(side->h2, bytes, 1) != HF_OK;
        hf_buf_consume(in, bytes.len);
        h2_flush(side, 40000);
    }
    return failed;
}

static void run_case(const struct h2_case *c, const struct hf_h2_limits *limits, size_t portion,
                     bool prefaced)
{
    struct h2_side side;
    struct h2_printer printer = {.in = HF_BUF_INIT(H2_LOG_MAX)};
    struct hf_buf in = HF_BUF_INIT(H2_LOG_MAX);
    struct hf_buf out = HF_BUF_INIT(H2_LOG_MAX);
    bool failed = false;
    h2_side_init(&side, true);
    side.config.limits = limits ? *limits : hf_h2_limits_default;
    h2_side_start(&side);
    assert_int_equal(nghttp2_hd_inflate_new(&printer.inflater), 0);
    if (prefaced) {
        h2_write_script(&in, preface);
        h2_write_script(&in, "settings 0 -");
    }
    for (const char *part = c->script; part && !failed;) {
        const char *then = strstr(part, "then\n");
        char *text = then ? strndup(part, (size_t)(then - part)) : strdup(part);
        h2_write_script(&in, text);
        free(text);
        failed = feed_portions(&side, &in, portion);
        part = then ? then + strlen("then\n") : NULL;
    }
    h2_print(&printer, hf_buf_bytes(&side.sent), &out);
    if (strcmp(hf_buf_cstr(&out), c->expected) != 0) {
        print_error("case \"%s\", portion %zu:\n--- expected\n%s--- got\n%s--- log\n%s---\n",
                    c->name, portion, c->expected, hf_buf_cstr(&out), hf_buf_cstr(&side.log));
        fail();
    }
    assert_int_equal(failed, strstr(c->expected, "goaway") != NULL);
    assert_int_equal(hf_h2_is_over(side.h2), failed);
    nghttp2_hd_inflate_del(printer.inflater);
    hf_buf_done(&printer.in);
    hf_buf_done(&in);
    hf_buf_done(&out);
    h2_side_done(&side);
}

static void run_cases(const struct h2_case *cases, size_t n, const struct hf_h2_limits *limits)
{
    for (size_t i = 0; i < n; i++) {
        run_case(&cases[i], limits, SIZE_MAX, true);
        run_case(&cases[i], limits, 1, true);
        run_case(&cases[i], limits, 7, true);
    }
}

/* --- 3, 4: starting, frames ---------------------------------------------------------------------
 */

static void the_preface(void **state)
{
    static const struct h2_case cases[] = {
        {"3.4 wrong preface", "bytes 505249202a20485454502f312e310d0a0d0a534d0d0a0d0a",
         GOAWAY0("protocol-error")},
        {"3.4 HTTP/1.1", "bytes 474554202f20485454502f312e310d0a486f73743a20610d0a0d0a",
         GOAWAY0("protocol-error")},
        {"3.4 not SETTINGS first",
         "bytes 505249202a20485454502f322e300d0a0d0a534d0d0a0d0a\nping 0 - 01234567",
         GOAWAY0("protocol-error")},
        {"3.4 SETTINGS ACK first",
         "bytes 505249202a20485454502f322e300d0a0d0a534d0d0a0d0a\nsettings 0 a",
         GOAWAY0("protocol-error")},
    };
    (void)state;
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        run_case(&cases[i], NULL, SIZE_MAX, false);
        run_case(&cases[i], NULL, 1, false);
    }
}

static void frames(void **state)
{
    static const struct h2_case cases[] = {
        {"a request", GET, OK},
        {"4.1 unknown type is ignored", "raw bb 0 0 0102\nraw bb ff 9 \n" GET, OK},
        {"4.1 unknown flags are ignored", "raw 06 fe 0 3031323334353637", "ping 0 ack 01234567\n"},
        {"4.1 the reserved bit is ignored", "raw 06 0 80000000 3031323334353637",
         "ping 0 ack 01234567\n"},
        {"4.2 DATA too large", POST "data 1 - 16385*x", GOAWAY1("frame-size-error")},
        {"4.2 HEADERS too large", "headers 1 eh a=16400*x", GOAWAY0("frame-size-error")},
        {"4.2 largest DATA", POST "data 1 e 16384*x", OK},
        {"4.3 undecodable", "headers 1 eh #ff80808080808080", GOAWAY1("compression-error")},
        {"4.3 PRIORITY within a section", "headers 1 e :method=GET\npriority 1 - 0",
         GOAWAY1("protocol-error")},
        {"4.3 another stream within a section", "headers 1 e :method=GET\nheaders 3 eh a=b",
         GOAWAY1("protocol-error")},
        {"4.3 unknown type within a section", "headers 1 e :method=GET\nraw bb 0 1 ",
         GOAWAY1("protocol-error")},
    };
    (void)state;
    run_cases(cases, HF_N_ELEMENTS(cases), NULL);
}

/* --- 5: streams ---------------------------------------------------------------------------------
 */

static void streams(void **state)
{
    static const struct h2_case cases[] = {
        {"5.1 idle: DATA", "data 1 e x", GOAWAY0("protocol-error")},
        {"5.1 idle: RST_STREAM", "rst 1 - 8", GOAWAY0("protocol-error")},
        {"5.1 idle: WINDOW_UPDATE", "window 1 - 1", GOAWAY0("protocol-error")},
        {"5.1 idle: CONTINUATION", "continuation 1 h a=b", GOAWAY0("protocol-error")},
        {"5.1 idle: PRIORITY", "priority 1 - 0\n" GET, OK},
        {"5.1 half-closed: WINDOW_UPDATE", GET "window 1 - 9", OK},
        {"5.1 closed: DATA",
         GET "then\n"
             "data 1 e x",
         OK GOAWAY1("stream-closed")},
        {"5.1 closed: HEADERS", GET "then\n" GET, OK GOAWAY1("stream-closed")},
        {"5.1 closed: CONTINUATION",
         GET "then\n"
             "continuation 1 h a=b",
         OK GOAWAY1("protocol-error")},
        {"5.1 closed: RST_STREAM, WINDOW_UPDATE, PRIORITY",
         GET "then\nrst 1 - 8\nwindow 1 - 1\npriority 1 - 0\n" GET3, OK OK3},
        {"5.1 reset by the peer: DATA", POST "rst 1 - 8\ndata 1 e x", GOAWAY1("stream-closed")},
        {"5.1 reset by us: what was on its way is ignored",
         "headers 1 h :method=GET\ndata 1 - x\nheaders 1 eh a=b\nwindow 1 - 1\n" GET3,
         RST("protocol-error") OK3},
        {"5.1.1 even stream", "headers 2 eh :method=GET", GOAWAY0("protocol-error")},
        {"5.1.1 out of order", GET3 GET, OK3 "goaway 0 last=3 protocol-error\n"},
        {"5.3.1 a stream that depends on itself",
         "headers 1 ehr 000000010f :method=GET :scheme=https :path=/ :authority=a\n" GET3,
         RST("protocol-error") OK3},
        {"5.3.1 PRIORITY that depends on itself", "priority 1 - 1\n" GET3,
         RST("protocol-error") OK3},
        {"5.5 unknown settings", "settings 0 - 999=1", ""},
    };
    (void)state;
    run_cases(cases, HF_N_ELEMENTS(cases), NULL);
}

static void half_closed(void **state)
{
    /* The server doesn't answer, so the streams stay half-closed. */
    static const struct {
        const char *script;
        const char *expected;
    } cases[] = {
        {GET "data 1 e x", "rst 1 stream-closed\n"},
        {GET "headers 1 eh a=b", "rst 1 stream-closed\n"},
        {GET "continuation 1 h a=b", "goaway 0 last=1 protocol-error\n"},
        {GET "priority 1 - 0\nwindow 1 - 5\nping 0 - 01234567", "ping 0 ack 01234567\n"},
        {GET "rst 1 - 8\nping 0 - 01234567", "ping 0 ack 01234567\n"},
        {GET "window 1 - 0", "rst 1 protocol-error\n"},
        {GET "window 1 - 2147483647", "rst 1 flow-control-error\n"},
        {GET "window 0 - 2147483647", "goaway 0 last=1 flow-control-error\n"},
        {GET "settings 0 - 4=100\nwindow 1 - 2147483547\nsettings 0 - 4=101",
         "goaway 0 last=1 flow-control-error\n"},
    };
    (void)state;
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        struct h2_side side;
        struct hf_buf in = HF_BUF_INIT(H2_LOG_MAX);
        struct hf_buf out = HF_BUF_INIT(H2_LOG_MAX);
        struct h2_printer printer = {.in = HF_BUF_INIT(H2_LOG_MAX)};
        h2_side_init(&side, true);
        side.answers = false;
        h2_side_start(&side);
        h2_write_script(&in, preface);
        h2_write_script(&in, "settings 0 -");
        h2_write_script(&in, cases[i].script);
        (void)!hf_h2_feed(side.h2, hf_buf_bytes(&in), 1);
        h2_flush(&side, 1000);
        h2_print(&printer, hf_buf_bytes(&side.sent), &out);
        assert_string_equal(hf_buf_cstr(&out), cases[i].expected);
        hf_buf_done(&printer.in);
        hf_buf_done(&in);
        hf_buf_done(&out);
        h2_side_done(&side);
    }
}

/* --- 6: frame definitions -----------------------------------------------------------------------
 */

static void frame_definitions(void **state)
{
    static const struct h2_case cases[] = {
        {"6.1 DATA on stream 0", "data 0 e x", GOAWAY0("protocol-error")},
        {"6.1 padding", POST "data 1 ep 03 xyz...", OK},
        {"6.1 only padding", POST "data 1 ep 03 ...", OK},
        {"6.1 too much padding", POST "data 1 ep 04 ...", GOAWAY1("protocol-error")},
        {"6.1 padded and empty", "headers 1 h :method=POST\ndata 1 p",
         RST("protocol-error") GOAWAY1("frame-size-error")},
        {"6.2 HEADERS on stream 0", "headers 0 eh :method=GET", GOAWAY0("protocol-error")},
        {"6.2 padding", "raw 01 0d 1 028284874101610000", OK},
        {"6.2 too much padding", "raw 01 0d 1 ff828487", GOAWAY0("protocol-error")},
        {"6.2 too short for a priority", "raw 01 25 1 00000000", GOAWAY0("frame-size-error")},
        {"6.3 PRIORITY on stream 0", "priority 0 - 1", GOAWAY0("protocol-error")},
        {"6.3 PRIORITY of 4 bytes", "raw 02 0 1 00000000", GOAWAY0("frame-size-error")},
        {"6.4 RST_STREAM on stream 0", "rst 0 - 8", GOAWAY0("protocol-error")},
        {"6.4 RST_STREAM of 3 bytes", POST "raw 03 0 1 000000", GOAWAY1("frame-size-error")},
        {"6.5 SETTINGS ACK with payload", "raw 04 1 0 000300000001", GOAWAY0("frame-size-error")},
        {"6.5 SETTINGS on a stream", "raw 04 0 1 000300000001", GOAWAY0("protocol-error")},
        {"6.5 SETTINGS of 5 bytes", "raw 04 0 0 0003000000", GOAWAY0("frame-size-error")},
        {"6.5.2 ENABLE_PUSH 2", "settings 0 - 2=2", GOAWAY0("protocol-error")},
        {"6.5.2 window 2^31", "settings 0 - 4=2147483648", GOAWAY0("flow-control-error")},
        {"6.5.2 frames of 16383", "settings 0 - 5=16383", GOAWAY0("protocol-error")},
        {"6.5.2 frames of 2^24", "settings 0 - 5=16777216", GOAWAY0("protocol-error")},
        {"8441 3 CONNECT_PROTOCOL 2", "settings 0 - 8=2", GOAWAY0("protocol-error")},
        {"6.5.3 the last of two counts", "settings 0 - 4=100 4=1\n" GET,
         "headers 1 :status=200 content-length=2\ndata 1 1\n"},
        {"6.6 PUSH_PROMISE", "raw 05 4 1 00000002", GOAWAY0("protocol-error")},
        {"6.7 PING", "ping 0 - 01234567", "ping 0 ack 01234567\n"},
        {"6.7 PING ACK", "ping 0 a 01234567", ""},
        {"6.7 PING on a stream", "ping 1 - 01234567", GOAWAY0("protocol-error")},
        {"6.7 PING of 6 bytes", "ping 0 - 012345", GOAWAY0("frame-size-error")},
        {"6.8 GOAWAY on a stream", "goaway 1 - 0 0", GOAWAY0("protocol-error")},
        {"6.8 GOAWAY of 7 bytes", "raw 07 0 0 00000000000000", GOAWAY0("frame-size-error")},
        {"6.9 window of nothing", "window 0 - 0", GOAWAY0("protocol-error")},
        {"6.9 WINDOW_UPDATE of 3 bytes", "raw 08 0 0 000001", GOAWAY0("frame-size-error")},
        {"6.9.1 one byte at a time", "settings 0 - 4=1\n" GET "window 1 - 1",
         "headers 1 :status=200 content-length=2\ndata 1 1\ndata 1 end 1\n"},
        {"6.9.2 a window made negative", "settings 0 - 4=1\n" GET "settings 0 - 4=0\nwindow 1 - 2",
         "headers 1 :status=200 content-length=2\ndata 1 1\ndata 1 end 1\n"},
        {"6.10 CONTINUATIONs",
         "headers 1 e :method=GET :scheme=https\ncontinuation 1 - :path=/\n"
         "continuation 1 h :authority=a",
         OK},
        {"6.10 an empty CONTINUATION",
         "headers 1 e :method=GET :scheme=https :path=/ :authority=a\nraw 09 4 1 ", OK},
        {"6.10 CONTINUATION after the end", GET "then\ncontinuation 1 h a=b",
         OK GOAWAY1("protocol-error")},
        {"6.10 CONTINUATION after DATA", POST "data 1 - x\ncontinuation 1 h a=b",
         GOAWAY1("protocol-error")},
        {"6.10 CONTINUATION on stream 0", "headers 1 e :method=GET\ncontinuation 0 h a=b",
         GOAWAY1("protocol-error")},
    };
    (void)state;
    run_cases(cases, HF_N_ELEMENTS(cases), NULL);
}

static void goaway_of_a_client(void **state)
{
    struct h2_side side;
    struct hf_buf in = HF_BUF_INIT(1000);
    (void)state;
    h2_side_init(&side, true);
    h2_side_start(&side);
    h2_write_script(&in, preface);
    h2_write_script(&in, "settings 0 -\n" POST "goaway 0 - 0 0");
    assert_int_equal(hf_h2_feed(side.h2, hf_buf_bytes(&in), 1), HF_OK);
    assert_false(hf_h2_is_over(side.h2));
    hf_buf_reset(&in);
    h2_write_script(&in, "data 1 e x");
    assert_int_equal(hf_h2_feed(side.h2, hf_buf_bytes(&in), 1), HF_OK);
    h2_flush(&side, 1000);
    assert_true(hf_h2_is_over(side.h2));
    assert_int_equal(hf_h2_fault(side.h2).code, HF_H2_NO_ERROR);
    hf_buf_reset(&in);
    h2_write_script(&in, "goaway 0 - 0 11");
    assert_int_equal(hf_h2_feed(side.h2, hf_buf_bytes(&in), 1), HF_OK);
    assert_int_equal(hf_h2_fault(side.h2).code, HF_H2_ENHANCE_YOUR_CALM);
    assert_true(hf_h2_fault(side.h2).by_peer);
    hf_buf_done(&in);
    h2_side_done(&side);
}

/* --- 8: messages --------------------------------------------------------------------------------
 */

#define REQ     ":method=GET :scheme=https :path=/ :authority=a"
#define H(more) "headers 1 eh " more "\n"

static void malformed_heads(void **state)
{
    static const struct h2_case cases[] = {
        {"8.2.1 upper case", H(REQ " X-Up=1"), RST("protocol-error")},
        {"8.2.1 a space in a name", H(REQ " a{b=1"), RST("protocol-error")},
        {"8.2.1 a colon in a name", H(REQ " a:b=1"), RST("protocol-error")},
        {"8.2.1 a byte beyond ASCII in a name", H(REQ " #0001e90161"), RST("protocol-error")},
        {"8.2.1 an empty name", H(REQ " #00000161"), RST("protocol-error")},
        {"8.2.1 NUL in a value", H(REQ " #0001610100"), RST("protocol-error")},
        {"8.2.1 CR in a value", H(REQ " #000161010d"), RST("protocol-error")},
        {"8.2.1 LF in a value", H(REQ " x=a}b"), RST("protocol-error")},
        {"8.2.1 a space before a value", H(REQ " x={a"), RST("protocol-error")},
        {"8.2.1 a tab after a value", H(REQ " #000161026109"), RST("protocol-error")},
        {"8.2.1 DEL in a value", H(REQ " #000161017f"), RST("protocol-error")},
        {"8.2.2 connection", H(REQ " connection=close"), RST("protocol-error")},
        {"8.2.2 keep-alive", H(REQ " keep-alive=1"), RST("protocol-error")},
        {"8.2.2 proxy-connection", H(REQ " proxy-connection=1"), RST("protocol-error")},
        {"8.2.2 transfer-encoding", H(REQ " transfer-encoding=chunked"), RST("protocol-error")},
        {"8.2.2 upgrade", H(REQ " upgrade=h2c"), RST("protocol-error")},
        {"8.2.2 te", H(REQ " te=gzip"), RST("protocol-error")},
        {"8.2.2 te with trailers and more", H(REQ " te=trailers,gzip"), RST("protocol-error")},
        {"8.2.2 underscores for dashes", H(REQ " transfer_encoding=chunked"),
         RST("protocol-error")},
        {"8.2.2 underscores for dashes", H(REQ " content_length=1"), RST("protocol-error")},
        {"8.3 unknown pseudo", H(REQ " :x=1"), RST("protocol-error")},
        {"8.3 pseudo of responses", H(REQ " :status=200"), RST("protocol-error")},
        {"8.3 pseudo behind others", H(":method=GET :scheme=https :authority=a x=y :path=/"),
         RST("protocol-error")},
        {"8.3.1 no method", H(":scheme=https :path=/ :authority=a"), RST("protocol-error")},
        {"8.3.1 no scheme", H(":method=GET :path=/ :authority=a"), RST("protocol-error")},
        {"8.3.1 no path", H(":method=GET :scheme=https :authority=a"), RST("protocol-error")},
        {"8.3.1 empty path", H(":method=GET :scheme=https :authority=a :path=~"),
         RST("protocol-error")},
        {"8.3.1 empty method", H(":method=~ :scheme=https :authority=a :path=/"),
         RST("protocol-error")},
        {"8.3.1 two methods", H(REQ " :method=GET"), RST("protocol-error")},
        {"8.3.1 two schemes", H(":scheme=https " REQ), RST("protocol-error")},
        {"8.3.1 two paths", H(":path=/ " REQ), RST("protocol-error")},
        {"8.3.1 two authorities", H(":authority=a " REQ), RST("protocol-error")},
        {"8.3.1 no fields", "raw 01 05 1 ", RST("protocol-error")},
        {"8.3.1 Host differs", H(REQ " host=b"), RST("protocol-error")},
        {"8.3.1 two Hosts", H(REQ " host=a host=a"), RST("protocol-error")},
        {"8.1.1 length and no body", H(REQ " content-length=1"), RST("protocol-error")},
        {"8.1.1 a length that is none", H(REQ " content-length=-1"), RST("protocol-error")},
        {"8.1.1 a list of lengths", H(REQ " content-length=0,0"), RST("protocol-error")},
        {"8.1.1 two lengths", H(REQ " content-length=0 content-length=0"), RST("protocol-error")},
        {"8.5 CONNECT with a path", H(":method=CONNECT :path=/ :authority=a:1"),
         RST("protocol-error")},
        {"8.5 CONNECT with a scheme", H(":method=CONNECT :scheme=https :authority=a:1"),
         RST("protocol-error")},
        {"8.5 CONNECT of nothing", H(":method=CONNECT"), RST("protocol-error")},
        {"8441 4 :protocol without CONNECT", H(REQ " :protocol=websocket"), RST("protocol-error")},
        {"8441 4 :protocol without :path",
         "headers 1 h :method=CONNECT :scheme=https :authority=a :protocol=websocket\n",
         RST("protocol-error")},
        {"8441 4 an upgrade and its end",
         H(":method=CONNECT :scheme=https :authority=a :path=/ :protocol=websocket"),
         RST("protocol-error")},
    };
    (void)state;
    run_cases(cases, HF_N_ELEMENTS(cases), NULL);
}

#define STATUS(n) "headers 1 end :status=" n "\n"

static void heads_that_are_answered(void **state)
{
    static const struct h2_case cases[] = {
        {"no authority", H(":method=GET :scheme=https :path=/"), STATUS("400")},
        {"empty authority", H(":method=GET :scheme=https :path=/ :authority=~"), STATUS("400")},
        {"user information", H(":method=GET :scheme=https :path=/ :authority=u@a"), STATUS("400")},
        {"two authorities in one", H(":method=GET :scheme=https :path=/ :authority=a,b"),
         STATUS("400")},
        {"another scheme", H(":method=GET :scheme=ftp :path=/ :authority=a"), STATUS("400")},
        {"a path without its slash", H(":method=GET :scheme=https :path=a :authority=a"),
         STATUS("400")},
        {"an absolute path", H(":method=GET :scheme=https :path=https://b/ :authority=a"),
         STATUS("400")},
        {"a space in the path", H(":method=GET :scheme=https :path=/{b :authority=a"),
         STATUS("400")},
        {"a fragment", H(":method=GET :scheme=https :path=/#b :authority=a"), STATUS("400")},
        {"an asterisk for GET", H(":method=GET :scheme=https :path=* :authority=a"), STATUS("400")},
        {"an expectation", H(REQ " expect=the-worst"), STATUS("417")},
        {"too much",
         "headers 1 e " REQ " a=16000*x\ncontinuation 1 - a=16000*x\n"
         "continuation 1 h a=16000*x",
         STATUS("431")},
        {"CONNECT to no port", "headers 1 eh :method=CONNECT :authority=a\n", STATUS("400")},
    };
    (void)state;
    run_cases(cases, HF_N_ELEMENTS(cases), NULL);
}

static void bodies(void **state)
{
#define CL(n) "headers 1 h :method=POST :scheme=https :path=/ :authority=a content-length=" n "\n"
    static const struct h2_case cases[] = {
        {"8.1.1 as long as told", CL("3") "data 1 - ab\ndata 1 e c", OK},
        {"8.1.1 ended by an empty frame", CL("3") "data 1 - abc\ndata 1 e", OK},
        {"8.1.1 too short", CL("3") "data 1 - ab\ndata 1 e", RST("protocol-error")},
        {"8.1.1 too long", CL("3") "data 1 - ab\ndata 1 e cd", RST("protocol-error")},
        {"8.1.1 too long by padding only", CL("3") "data 1 ep 04 abc....", OK},
        {"8.1.1 too short for trailers", CL("3") "data 1 - ab\nheaders 1 eh a=b",
         RST("protocol-error")},
        {"8.1 trailers", CL("2") "data 1 - ab\nheaders 1 eh a=b", OK},
        {"8.1 trailers that end nothing", POST "data 1 - ab\nheaders 1 h a=b",
         RST("protocol-error")},
        {"8.1 a pseudo field in trailers", POST "headers 1 eh :path=/", RST("protocol-error")},
        {"8.1 a length in trailers", POST "headers 1 eh content-length=0", RST("protocol-error")},
        {"8.1 a host in trailers", POST "headers 1 eh host=a", RST("protocol-error")},
        {"8.1 a connection field in trailers", POST "headers 1 eh upgrade=x",
         RST("protocol-error")},
        {"8.1 upper case in trailers", POST "headers 1 eh A=x", RST("protocol-error")},
        {"9110 9.3.8 TRACE with a body",
         "headers 1 h :method=TRACE :scheme=https :path=/ :authority=a content-length=1\n"
         "then\ndata 1 e x",
         STATUS("400") RST("no-error")},
    };
    (void)state;
    run_cases(cases, HF_N_ELEMENTS(cases), NULL);
}

/* What the owner is told, word by word. */
static void messages_as_they_are_told(void **state)
{
    static const struct {
        const char *script;
        const char *log;
    } cases[] = {
        {"headers 1 eh :method=GET :scheme=https :path=/a/b?c=d :authority=a.example:8 x=y "
         "te=trailers",
         "head 1 GET https a.example:8 /a/b?c=d te end\n  x: y\n"},
        {"headers 1 eh :method=GET :scheme=HTTPS :path=/? :authority=a",
         "head 1 GET https a /? end\n"},
        {"headers 1 eh :method=GET :scheme=http :path=/ host=b", "head 1 GET http b / end\n"},
        {"headers 1 eh :method=GET :scheme=https :path=/ :authority=A host=a:443",
         "head 1 GET https A / end\n"},
        {"headers 1 eh :method=OPTIONS :scheme=https :path=* :authority=a",
         "head 1 OPTIONS https a * end\n"},
        {"headers 1 h :method=CONNECT :authority=a:443", "head 1 CONNECT  a:443 a:443 stream\n"},
        {"headers 1 eh " REQ " cookie=a=1 x=y cookie=b=2 cookie=c=3",
         "head 1 GET https a / end\n  cookie: a=1; b=2; c=3\n  x: y\n"},
        {"headers 1 eh " REQ " proxy-authorization=secret x_real_ip=1",
         "head 1 GET https a / end\n  x_real_ip: 1\n"},
        {"headers 1 eh " REQ " #1003736563026869",
         "head 1 GET https a / end\n  sec: hi (secret)\n"},
        {"headers 1 h :method=PUT :scheme=https :path=/ :authority=a content-length=2 "
         "expect=100-continue\ndata 1 - ab\nheaders 1 eh x=y authorization=no",
         "head 1 PUT https a / expect length=2\ndata 1 ab\nend 1\n  x: y\n"},
        {"headers 1 h :method=CONNECT :scheme=https :path=/chat :authority=a :protocol=WebSocket "
         "sec-websocket-version=13",
         "head 1 GET https a /chat protocol=websocket\n  sec-websocket-version: 13\n"},
        {"headers 1 h :method=POST :scheme=https :path=/ :authority=a\ndata 1 - a\nrst 1 - 8",
         "head 1 POST https a / stream\ndata 1 a\nclose 1 cancel by-peer\n"},
        {"headers 1 h " REQ " content-length=1\ndata 1 - ab",
         "head 1 GET https a / length=1\nclose 1 protocol-error content-length\n"},
    };
    (void)state;
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        struct h2_side side;
        struct hf_buf in = HF_BUF_INIT(H2_LOG_MAX);
        h2_side_init(&side, true);
        side.answers = false;
        h2_side_start(&side);
        h2_write_script(&in, preface);
        h2_write_script(&in, "settings 0 -");
        h2_write_script(&in, cases[i].script);
        assert_int_equal(hf_h2_feed(side.h2, hf_buf_bytes(&in), 1), HF_OK);
        h2_expect_log(&side, cases[i].log);
        hf_buf_done(&in);
        h2_side_done(&side);
    }
}

/* --- 7541 ---------------------------------------------------------------------------------------
 */

static void header_compression(void **state)
{
    static const struct h2_case cases[] = {
        {"2.3.3 an index beyond the tables", H(REQ " #be"), GOAWAY1("compression-error")},
        {"2.3.3 a name's index beyond the tables", H(REQ " #7e0161"), GOAWAY1("compression-error")},
        {"6.1 index 0", H(REQ " #80"), GOAWAY1("compression-error")},
        {"5.2 Huffman padding of more than 7 bits", H(REQ " #00018582ffffffff"),
         GOAWAY1("compression-error")},
        {"5.2 Huffman padding that isn't EOS", H(REQ " #000161818a"), GOAWAY1("compression-error")},
        {"5.2 Huffman EOS", H(REQ " #00016184ffffffff"), GOAWAY1("compression-error")},
        {"4.2 a table size update at the end", H(REQ " #20"), GOAWAY1("compression-error")},
        {"6.3 a table larger than the setting", H("#3fe21f " REQ), GOAWAY1("compression-error")},
        {"4.2 a table made smaller", H("#3f01 " REQ), OK},
        {"4.3 the block is cut within a field", "headers 1 eh #00016105",
         GOAWAY1("compression-error")},
    };
    (void)state;
    run_cases(cases, HF_N_ELEMENTS(cases), NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_preface),
        cmocka_unit_test(frames),
        cmocka_unit_test(streams),
        cmocka_unit_test(half_closed),
        cmocka_unit_test(frame_definitions),
        cmocka_unit_test(goaway_of_a_client),
        cmocka_unit_test(malformed_heads),
        cmocka_unit_test(heads_that_are_answered),
        cmocka_unit_test(bodies),
        cmocka_unit_test(messages_as_they_are_told),
        cmocka_unit_test(header_compression),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
