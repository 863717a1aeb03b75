// SPDX-License-Identifier: Apache-2.0
/* A client and a server of ours against each other: whole exchanges, windows, ends. */
#include "base/mem.h"
#include "h2_pair.h"

static int set_up(void **state)
{
    static struct h2_pair pair;
    h2_pair_init(&pair);
    *state = &pair;
    return 0;
}

static int tear_down(void **state)
{
    h2_pair_done(*state);
    return 0;
}

static struct hf_h2_stream *ask(struct h2_pair *pair, const char *method, long length)
{
    struct hf_h2_stream *stream = NULL;
    assert_int_equal(h2_ask(pair, method, length, &stream), HF_OK);
    return stream;
}

static size_t write_to(struct hf_h2_stream *stream, const char *data, size_t len)
{
    size_t taken;
    assert_int_equal(hf_h2_write(stream, hf_bytes_of(data, len), &taken), HF_OK);
    return taken;
}

static struct hf_http_msg *trailers(struct h2_side *side)
{
    struct hf_http_msg *msg = h2_message(side);
    msg->kind = HF_MSG_TRAILERS;
    assert_int_equal(hf_http_msg_add_str(msg, "grpc-status", "0"), HF_OK);
    return msg;
}

/* --- Exchanges --- */

static void a_get_in_every_portion(void **state)
{
    struct h2_pair *pair = *state;
    h2_pair_start(pair);
    const size_t portions[] = {1, 2, 5, 11, SIZE_MAX};
    for (size_t i = 0; i < HF_N_ELEMENTS(portions); i++) {
        pair->portion = portions[i];
        pair->room = portions[i] < 1000 ? 256 : 40000;
        (void)ask(pair, "GET", 0);
        h2_run(pair);
        hf_h2_quiet(pair->client.h2);
        hf_h2_quiet(pair->server.h2);
    }
    assert_int_equal(hf_h2_n_streams(pair->client.h2), 0);
    assert_int_equal(hf_h2_n_streams(pair->server.h2), 0);
    h2_expect_log(&pair->server, "head 1 GET https a.example /a?b end\n  x-test: 1\n"
                                 "close 1 no-error\n"
                                 "head 3 GET https a.example /a?b end\n  x-test: 1\n"
                                 "close 3 no-error\n"
                                 "head 5 GET https a.example /a?b end\n  x-test: 1\n"
                                 "close 5 no-error\n"
                                 "head 7 GET https a.example /a?b end\n  x-test: 1\n"
                                 "close 7 no-error\n"
                                 "head 9 GET https a.example /a?b end\n  x-test: 1\n"
                                 "close 9 no-error\n");
}

static void a_post_with_a_body_and_trailers(void **state)
{
    struct h2_pair *pair = *state;
    h2_pair_start(pair);
    struct hf_h2_stream *stream = ask(pair, "POST", -1);
    assert_int_equal(write_to(stream, "hello", 5), 5);
    h2_run(pair);
    assert_int_equal(hf_h2_finish(stream, trailers(&pair->client)), HF_OK);
    h2_run(pair);
    h2_expect_log(&pair->server, "head 1 POST https a.example /a?b stream\n  x-test: 1\n"
                                 "data 1 hello\nend 1\n  grpc-status: 0\nclose 1 no-error\n");
    h2_expect_log(&pair->client, "head 1 200 length=2\ndata 1 ok\nend 1\nclose 1 no-error\n");
}

static void an_answer_with_interim_ones_and_trailers(void **state)
{
    struct h2_pair *pair = *state;
    pair->server.answers = false;
    h2_pair_start(pair);
    (void)ask(pair, "GET", 0);
    h2_run(pair);
    struct hf_h2_stream *stream = pair->server.last;
    struct hf_http_msg *msg = h2_message(&pair->server);
    assert_int_equal(hf_http_msg_set_status(msg, 103), HF_OK);
    assert_int_equal(hf_http_msg_add_str(msg, "link", "</a>"), HF_OK);
    assert_int_equal(hf_h2_respond(stream, msg, true), HF_E_INVALID);
    assert_int_equal(hf_h2_respond(stream, msg, false), HF_OK);
    assert_int_equal(hf_h2_respond(stream, msg, false), HF_OK);
    hf_http_msg_reset(msg);
    assert_int_equal(hf_http_msg_set_status(msg, 200), HF_OK);
    msg->body = HF_BODY_STREAM;
    assert_int_equal(hf_h2_finish(stream, NULL), HF_E_INVALID);
    assert_int_equal(hf_h2_respond(stream, msg, false), HF_OK);
    assert_int_equal(hf_h2_respond(stream, msg, false), HF_E_INVALID);
    hf_http_msg_pool_put(&pair->server.msgs, msg);
    assert_int_equal(write_to(stream, "a", 1), 1);
    assert_int_equal(hf_h2_finish(stream, trailers(&pair->server)), HF_OK);
    h2_run(pair);
    h2_expect_log(&pair->client, "head 1 103\n  link: </a>\nhead 1 103\n  link: </a>\n"
                                 "head 1 200 stream\ndata 1 a\nend 1\n  grpc-status: 0\n"
                                 "close 1 no-error\n");
}

static void trailers_that_may_not_be_are_refused(void **state)
{
    struct h2_pair *pair = *state;
    h2_pair_start(pair);
    struct hf_h2_stream *stream = ask(pair, "POST", -1);
    struct hf_http_msg *bad = trailers(&pair->client);
    assert_int_equal(hf_http_msg_add_str(bad, "authorization", "x"), HF_OK);
    assert_int_equal(hf_h2_finish(stream, bad), HF_E_INVALID);
    struct hf_http_msg *empty = h2_message(&pair->client);
    empty->kind = HF_MSG_TRAILERS;
    assert_int_equal(hf_h2_finish(stream, empty), HF_OK);
    assert_int_equal(hf_h2_finish(stream, NULL), HF_E_INVALID);
    h2_run(pair);
    h2_expect_log(&pair->client, "head 1 200 length=2\ndata 1 ok\nend 1\nclose 1 no-error\n");
}

static void answers_without_a_body(void **state)
{
    static const struct {
        const char *method;
        unsigned status;
        bool told;
        const char *log;
    } cases[] = {
        {"HEAD", 200, true, "head 1 200 length=9 end\nclose 1 no-error\n"},
        {"GET", 304, true, "head 1 304 length=9 end\nclose 1 no-error\n"},
        {"GET", 204, false, "head 1 204 end\nclose 1 no-error\n"},
        {"GET", 200, false, "head 1 200 end\nclose 1 no-error\n"},
    };
    struct h2_pair *pair = *state;
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        h2_pair_done(pair);
        h2_pair_init(pair);
        pair->server.answers = false;
        h2_pair_start(pair);
        (void)ask(pair, cases[i].method, 0);
        h2_run(pair);
        struct hf_http_msg *msg = h2_message(&pair->server);
        assert_int_equal(hf_http_msg_set_status(msg, cases[i].status), HF_OK);
        msg->has_length = cases[i].told;
        msg->length = 9;
        assert_int_equal(hf_h2_respond(pair->server.last, msg, true), HF_OK);
        hf_http_msg_pool_put(&pair->server.msgs, msg);
        h2_run(pair);
        h2_expect_log(&pair->client, cases[i].log);
    }
}

static void what_a_message_does_not_have_cannot_be_written(void **state)
{
    struct h2_pair *pair = *state;
    size_t taken;
    h2_pair_start(pair);
    struct hf_h2_stream *stream = ask(pair, "POST", 3);
    assert_int_equal(hf_h2_write(stream, hf_bytes_str("abcd"), &taken), HF_E_INVALID);
    assert_int_equal(write_to(stream, "ab", 2), 2);
    assert_int_equal(hf_h2_finish(stream, NULL), HF_E_INVALID);
    assert_int_equal(write_to(stream, "c", 1), 1);
    assert_int_equal(hf_h2_finish(stream, NULL), HF_OK);
    assert_int_equal(hf_h2_room(stream), 0);
    assert_int_equal(hf_h2_write(stream, hf_bytes_str("d"), &taken), HF_E_INVALID);
    h2_run(pair);
    h2_expect_log(&pair->client, "head 1 200 length=2\ndata 1 ok\nend 1\nclose 1 no-error\n");
    struct hf_http_msg *msg = h2_message(&pair->client);
    assert_int_equal(hf_http_msg_set_status(msg, 200), HF_OK);
    assert_int_equal(hf_h2_request(pair->client.h2, &stream, msg, true, NULL), HF_E_INVALID);
    hf_http_msg_pool_put(&pair->client.msgs, msg);
}

static void an_answer_before_the_end_of_the_request_stops_it(void **state)
{
    struct h2_pair *pair = *state;
    h2_pair_start(pair);
    struct hf_h2_stream *stream = ask(pair, "POST", -1);
    (void)write_to(stream, "a", 1);
    h2_run(pair);
    assert_int_equal(h2_respond(&pair->server, pair->server.last, 413, "no"), HF_OK);
    h2_run(pair);
    h2_expect_log(&pair->client, "head 1 413 length=2\ndata 1 no\nend 1\n"
                                 "close 1 no-error by-peer\n");
    h2_expect_log(&pair->server, "head 1 POST https a.example /a?b stream\n  x-test: 1\n"
                                 "data 1 a\nclose 1 no-error\n");
}

/* --- Upgrades --- */

static enum hf_err ask_upgrade(struct h2_pair *pair, struct hf_h2_stream **out)
{
    struct hf_http_msg *msg = h2_message(&pair->client);
    assert_int_equal(hf_http_msg_set_request(msg, hf_bytes_str("GET"), hf_bytes_str("/chat")),
                     HF_OK);
    assert_int_equal(hf_http_msg_set_scheme(msg, hf_bytes_str("https")), HF_OK);
    assert_int_equal(hf_http_msg_set_authority(msg, hf_bytes_str("a")), HF_OK);
    assert_int_equal(hf_http_msg_set_protocol(msg, hf_bytes_str("websocket")), HF_OK);
    enum hf_err err = hf_h2_request(pair->client.h2, out, msg, false, NULL);
    hf_http_msg_pool_put(&pair->client.msgs, msg);
    return err;
}

static void an_upgrade_is_a_tunnel(void **state)
{
    struct h2_pair *pair = *state;
    struct hf_h2_stream *stream;
    pair->server.answers = false;
    h2_pair_start(pair);
    assert_true(hf_h2_takes_upgrades(pair->client.h2));
    assert_int_equal(ask_upgrade(pair, &stream), HF_OK);
    h2_run(pair);
    struct hf_http_msg *msg = h2_message(&pair->server);
    assert_int_equal(hf_http_msg_set_status(msg, 101), HF_OK);
    assert_int_equal(hf_http_msg_set_protocol(msg, hf_bytes_str("websocket")), HF_OK);
    msg->body = HF_BODY_STREAM;
    assert_int_equal(hf_h2_respond(pair->server.last, msg, false), HF_OK);
    hf_http_msg_pool_put(&pair->server.msgs, msg);
    (void)write_to(pair->server.last, "down", 4);
    (void)write_to(stream, "up", 2);
    h2_run(pair);
    assert_int_equal(hf_h2_finish(pair->server.last, NULL), HF_OK);
    assert_int_equal(hf_h2_finish(stream, NULL), HF_OK);
    h2_run(pair);
    h2_expect_log(&pair->client, "head 1 101 stream\ndata 1 down\nend 1\nclose 1 no-error\n");
    h2_expect_log(&pair->server, "head 1 GET https a /chat protocol=websocket\ndata 1 up\nend 1\n"
                                 "close 1 no-error\n");
}

static void an_upgrade_that_was_not_offered_is_not_sent(void **state)
{
    struct h2_pair *pair = *state;
    struct hf_h2_stream *stream;
    pair->server.config.connect_protocol = false;
    h2_pair_start(pair);
    assert_false(hf_h2_takes_upgrades(pair->client.h2));
    assert_int_equal(ask_upgrade(pair, &stream), HF_E_UNSUPPORTED);
}

static void a_101_that_nobody_asked_for_is_not_sent(void **state)
{
    struct h2_pair *pair = *state;
    pair->server.answers = false;
    h2_pair_start(pair);
    (void)ask(pair, "GET", 0);
    h2_run(pair);
    struct hf_http_msg *msg = h2_message(&pair->server);
    assert_int_equal(hf_http_msg_set_status(msg, 101), HF_OK);
    assert_int_equal(hf_h2_respond(pair->server.last, msg, false), HF_E_INVALID);
    hf_http_msg_pool_put(&pair->server.msgs, msg);
}

/* --- Windows --- */

enum { BULK = 64 << 20 };

static void bulk_both_ways_never_stalls_nor_grows(void **state)
{
    static char block[100000];
    struct h2_pair *pair = *state;
    size_t up = 0;
    size_t down = 0;
    pair->server.answers = false;
    pair->server.quiet = pair->client.quiet = true;
    h2_pair_start(pair);
    struct hf_h2_stream *stream = ask(pair, "POST", BULK);
    h2_run(pair);
    struct hf_http_msg *msg = h2_message(&pair->server);
    assert_int_equal(hf_http_msg_set_status(msg, 200), HF_OK);
    msg->body = HF_BODY_STREAM;
    assert_int_equal(hf_h2_respond(pair->server.last, msg, false), HF_OK);
    hf_http_msg_pool_put(&pair->server.msgs, msg);
    while (up < BULK || down < BULK) {
        size_t before = up + down;
        size_t n = BULK - up < sizeof(block) ? BULK - up : sizeof(block);
        up += n ? write_to(stream, block, n) : 0;
        n = BULK - down < sizeof(block) ? BULK - down : sizeof(block);
        down += n ? write_to(pair->server.last, block, n) : 0;
        assert_true(up + down > before);
        h2_carry(pair, &pair->client, &pair->server);
        h2_carry(pair, &pair->server, &pair->client);
    }
    assert_int_equal(hf_h2_finish(stream, NULL), HF_OK);
    assert_int_equal(hf_h2_finish(pair->server.last, NULL), HF_OK);
    h2_run(pair);
    assert_int_equal(pair->server.n_data, BULK);
    assert_int_equal(pair->client.n_data, BULK);
    assert_int_equal(pair->server.n_closed, 1);
    assert_int_equal(pair->client.n_closed, 1);
    assert_false(pair->broken);
}

/* Who doesn't consume gets a window's worth, and no more until it does. */
static void a_slow_reader_bounds_what_comes(void **state)
{
    static char block[1 << 20];
    struct h2_pair *pair = *state;
    struct hf_h2_limits *limits = &pair->server.config.limits;
    pair->server.holds = true;
    pair->server.quiet = pair->client.quiet = true;
    limits->stream_window = 70000;
    limits->connection_window = 100000;
    h2_pair_start(pair);
    struct hf_h2_stream *first = ask(pair, "POST", -1);
    struct hf_h2_stream *second = ask(pair, "POST", -1);
    size_t taken = write_to(first, block, sizeof(block));
    h2_run(pair);
    taken += write_to(first, block, sizeof(block) - taken);
    h2_run(pair);
    assert_int_equal(pair->server.n_data, 70000);
    assert_int_equal(taken, 70000 + limits->out_max);
    struct hf_h2_stream *held = pair->server.last; /* the second: it has nothing yet */
    (void)write_to(second, block, 50000);
    h2_run(pair);
    assert_int_equal(pair->server.n_data, 100000);
    assert_int_equal(hf_h2_stream_n_held(held), 30000);
    hf_h2_consume(held, 30000);
    h2_run(pair);
    assert_int_equal(pair->server.n_data, 120000);
    hf_h2_consume(held, 20000);
    hf_h2_reset(held, HF_H2_CANCEL);
    h2_run(pair);
    assert_int_equal(hf_h2_n_streams(pair->client.h2), 1);
    assert_false(pair->broken);
}

static void streams_take_turns(void **state)
{
    static char block[200000];
    struct h2_pair *pair = *state;
    struct hf_buf text = HF_BUF_INIT(1 << 20);
    struct h2_printer printer = {.in = HF_BUF_INIT(1 << 22), .is_client = false};
    pair->server.config.limits.out_max = 200000;
    pair->server.answers = false;
    h2_pair_start(pair);
    for (unsigned i = 0; i < 3; i++) {
        (void)ask(pair, "GET", 0);
        h2_carry(pair, &pair->client, &pair->server);
        struct hf_http_msg *msg = h2_message(&pair->server);
        assert_int_equal(hf_http_msg_set_status(msg, 200), HF_OK);
        msg->body = HF_BODY_STREAM;
        assert_int_equal(hf_h2_respond(pair->server.last, msg, false), HF_OK);
        hf_http_msg_pool_put(&pair->server.msgs, msg);
        assert_int_equal(write_to(pair->server.last, block, 40000 + (i == 0 ? 32768 : 0)),
                         40000 + (i == 0 ? 32768 : 0));
    }
    assert_int_equal(nghttp2_hd_inflate_new(&printer.inflater), 0);
    h2_flush(&pair->server, 40000);
    h2_print(&printer, hf_buf_bytes(&pair->server.sent), &text);
    nghttp2_hd_inflate_del(printer.inflater);
    assert_string_equal(hf_buf_cstr(&text), "headers 1 :status=200\ndata 1 16384\ndata 1 16384\n"
                                            "headers 3 :status=200\nheaders 5 :status=200\n"
                                            "data 1 16384\ndata 3 16384\ndata 5 16384\n"
                                            "data 1 16384\ndata 3 16384\ndata 5 16384\n"
                                            "data 1 7232\ndata 3 7232\ndata 5 7232\n");
    hf_buf_done(&printer.in);
    hf_buf_done(&text);
}

static void room_is_told_once_there_is_some(void **state)
{
    static char block[1 << 20];
    struct h2_pair *pair = *state;
    pair->server.quiet = true;
    pair->server.config.limits.stream_window = 65535;
    pair->server.holds = true;
    h2_pair_start(pair);
    struct hf_h2_stream *stream = ask(pair, "POST", -1);
    size_t taken = write_to(stream, block, sizeof(block));
    assert_true(taken < sizeof(block));
    h2_run(pair);
    h2_expect_log(&pair->client, ""); /* the window is closed, and more than half still waits */
    hf_h2_consume(pair->server.last, 65535);
    h2_run(pair);
    h2_expect_log(&pair->client, "room 1\n");
}

/* --- Heads of size --- */

static void a_large_head_is_spread_over_frames(void **state)
{
    struct h2_pair *pair = *state;
    char name[16];
    char value[1001] = {0};
    struct hf_h2_stream *stream;
    pair->server.quiet = true;
    pair->server.config.limits.head_max = 100 << 10;
    h2_pair_start(pair);
    struct hf_http_msg *msg = h2_message(&pair->client);
    assert_int_equal(hf_http_msg_set_request(msg, hf_bytes_str("GET"), hf_bytes_str("/")), HF_OK);
    assert_int_equal(hf_http_msg_set_scheme(msg, hf_bytes_str("https")), HF_OK);
    assert_int_equal(hf_http_msg_set_authority(msg, hf_bytes_str("a")), HF_OK);
    for (unsigned i = 0; i < 90; i++) {
        memset(value, '\\' + (int)(i % 3), 1000); /* long in Huffman's code */
        snprintf(name, sizeof(name), "n%u", i);
        assert_int_equal(hf_http_msg_add_str(msg, name, value), HF_OK);
    }
    assert_int_equal(hf_h2_request(pair->client.h2, &stream, msg, true, NULL), HF_OK);
    h2_run(pair);
    assert_int_equal(pair->server.n_heads, 1);
    h2_expect_log(&pair->client, "head 1 200 length=2\ndata 1 ok\nend 1\nclose 1 no-error\n");
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(hf_http_msg_add_str(msg, "more", value), HF_OK);
    }
    assert_int_equal(hf_h2_request(pair->client.h2, &stream, msg, true, NULL), HF_E_TOO_LARGE);
    hf_http_msg_pool_put(&pair->client.msgs, msg);
    assert_int_equal(hf_h2_n_streams(pair->client.h2), 0);
}

/* --- Limits and ends --- */

static void no_more_streams_than_the_server_takes(void **state)
{
    struct h2_pair *pair = *state;
    struct hf_h2_stream *stream = NULL;
    pair->server.config.limits.n_streams_max = 2;
    pair->server.answers = false;
    h2_pair_start(pair);
    assert_int_equal(hf_h2_n_openable(pair->client.h2), 2);
    (void)ask(pair, "GET", 0);
    (void)ask(pair, "GET", 0);
    assert_int_equal(hf_h2_n_openable(pair->client.h2), 0);
    assert_int_equal(h2_ask(pair, "GET", 0, &stream), HF_E_BUSY);
    assert_null(stream);
}

static void a_stream_too_many_is_refused_and_may_be_retried(void **state)
{
    struct h2_pair *pair = *state;
    pair->server.config.limits.n_streams_max = 1;
    pair->server.answers = false;
    h2_side_start(&pair->client);
    h2_side_start(&pair->server);
    (void)ask(pair, "GET", 0); /* before the server's SETTINGS have come */
    (void)ask(pair, "GET", 0);
    h2_run(pair);
    h2_expect_log(&pair->client, "close 3 refused-stream by-peer unprocessed\n");
}

static void resets_go_both_ways(void **state)
{
    struct h2_pair *pair = *state;
    pair->server.answers = false;
    h2_pair_start(pair);
    struct hf_h2_stream *stream = ask(pair, "POST", -1);
    h2_run(pair);
    hf_h2_reset(stream, HF_H2_CANCEL);
    h2_run(pair);
    h2_expect_log(&pair->server, "head 1 POST https a.example /a?b stream\n  x-test: 1\n"
                                 "close 1 cancel by-peer\n");
    (void)ask(pair, "POST", -1);
    h2_run(pair);
    hf_h2_reset(pair->server.last, HF_H2_INTERNAL_ERROR);
    h2_run(pair);
    h2_expect_log(&pair->client, "close 3 internal-error by-peer\n");
    assert_false(pair->broken);
}

static void a_graceful_end_serves_what_is_on_its_way(void **state)
{
    struct h2_pair *pair = *state;
    struct hf_h2_stream *stream;
    pair->server.answers = false;
    h2_pair_start(pair);
    (void)ask(pair, "GET", 0);
    h2_carry(pair, &pair->client, &pair->server);
    struct hf_h2_stream *first = pair->server.last;
    assert_int_equal(hf_h2_shutdown(pair->server.h2), HF_OK);
    assert_int_equal(hf_h2_shutdown(pair->server.h2), HF_OK);
    (void)ask(pair, "GET", 0); /* crosses the GOAWAY */
    h2_carry(pair, &pair->client, &pair->server);
    h2_run(pair);
    assert_int_equal(h2_ask(pair, "GET", 0, &stream), HF_E_BUSY);
    assert_int_equal(pair->server.n_heads, 2);
    assert_false(hf_h2_is_over(pair->server.h2));
    assert_int_equal(h2_respond(&pair->server, pair->server.last, 200, "b"), HF_OK);
    h2_run(pair);
    assert_false(hf_h2_is_over(pair->client.h2));
    assert_int_equal(h2_respond(&pair->server, first, 200, "a"), HF_OK);
    h2_run(pair);
    assert_true(hf_h2_is_over(pair->server.h2));
    assert_true(hf_h2_is_over(pair->client.h2));
    h2_expect_log(&pair->client, "head 3 200 length=1\ndata 3 b\nend 3\nclose 3 no-error\n"
                                 "head 1 200 length=1\ndata 1 a\nend 1\nclose 1 no-error\n");
}

static void a_client_ends_gracefully_too(void **state)
{
    struct h2_pair *pair = *state;
    h2_pair_start(pair);
    (void)ask(pair, "GET", 0);
    assert_int_equal(hf_h2_shutdown(pair->client.h2), HF_OK);
    assert_int_equal(hf_h2_n_openable(pair->client.h2), 0);
    h2_run(pair);
    h2_expect_log(&pair->client, "head 1 200 length=2\ndata 1 ok\nend 1\nclose 1 no-error\n");
    assert_true(hf_h2_is_over(pair->client.h2));
    assert_true(hf_h2_is_over(pair->server.h2));
}

static void an_end_at_once_closes_everything(void **state)
{
    struct h2_pair *pair = *state;
    struct hf_h2_stream *stream;
    pair->server.answers = false;
    h2_pair_start(pair);
    (void)ask(pair, "GET", 0);
    h2_run(pair);
    assert_int_equal(hf_h2_terminate(pair->server.h2, HF_H2_INTERNAL_ERROR), HF_OK);
    assert_true(hf_h2_is_over(pair->server.h2));
    assert_false(hf_h2_wants_read(pair->server.h2));
    h2_run(pair);
    assert_true(hf_h2_fault(pair->client.h2).by_peer);
    assert_int_equal(hf_h2_fault(pair->client.h2).code, HF_H2_INTERNAL_ERROR);
    assert_int_equal(h2_respond(&pair->server, pair->server.last, 200, NULL), HF_E_CLOSED);
    assert_int_equal(hf_h2_terminate(pair->client.h2, HF_H2_NO_ERROR), HF_OK);
    assert_int_equal(h2_ask(pair, "GET", 0, &stream), HF_E_CLOSED);
    hf_h2_free(pair->client.h2);
    pair->client.h2 = NULL;
    h2_expect_log(&pair->client, "close 1 internal-error by-peer\n");
}

static void pings_are_answered(void **state)
{
    struct h2_pair *pair = *state;
    h2_pair_start(pair);
    assert_true(hf_h2_is_ponged(pair->client.h2));
    assert_int_equal(hf_h2_ping(pair->client.h2), HF_OK);
    assert_false(hf_h2_is_ponged(pair->client.h2));
    h2_run(pair);
    assert_true(hf_h2_is_ponged(pair->client.h2));
}

/* --- Memory --- */

static enum hf_err whole_exchange(struct h2_pair *pair)
{
    struct hf_h2_stream *stream;
    size_t taken;
    HF_TRY(hf_h2_new(&pair->client.h2, &pair->client.config, &pair->client));
    HF_TRY(hf_h2_new(&pair->server.h2, &pair->server.config, &pair->server));
    HF_TRY(h2_ask(pair, "POST", 50000, &stream));
    HF_TRY(hf_h2_write(stream, hf_bytes_of((char[50000]){"x"}, 50000), &taken));
    HF_TRY(hf_h2_finish(stream, NULL));
    h2_run(pair);
    HF_TRY(h2_ask(pair, "GET", 0, &stream));
    h2_run(pair);
    return pair->client.n_closed == 2 && pair->server.n_closed == 2 && !pair->broken
               ? HF_OK
               : hf_fail(HF_E_NOMEM, "the exchange failed");
}

static void running_out_of_memory_is_survived_anywhere(void **state)
{
    struct h2_pair *pair = *state;
    enum hf_err err = HF_E_NOMEM;
    size_t n = 0;
    while (err == HF_E_NOMEM && n < 1000) {
        h2_pair_done(pair);
        h2_pair_init(pair);
        pair->client.quiet = pair->server.quiet = true;
        /* what the test itself gathers isn't to fail */
        struct hf_span room;
        assert_int_equal(hf_buf_reserve(&pair->client.sent, 1 << 20, &room), HF_OK);
        assert_int_equal(hf_buf_reserve(&pair->server.sent, 1 << 20, &room), HF_OK);
        hf_alloc_fail_after(++n);
        err = whole_exchange(pair);
        hf_alloc_fail_after(0);
    }
    assert_int_equal(err, HF_OK);
    assert_true(n > 20);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_get_in_every_portion),
        CASE(a_post_with_a_body_and_trailers),
        CASE(an_answer_with_interim_ones_and_trailers),
        CASE(trailers_that_may_not_be_are_refused),
        CASE(answers_without_a_body),
        CASE(what_a_message_does_not_have_cannot_be_written),
        CASE(an_answer_before_the_end_of_the_request_stops_it),
        CASE(an_upgrade_is_a_tunnel),
        CASE(an_upgrade_that_was_not_offered_is_not_sent),
        CASE(a_101_that_nobody_asked_for_is_not_sent),
        CASE(bulk_both_ways_never_stalls_nor_grows),
        CASE(a_slow_reader_bounds_what_comes),
        CASE(streams_take_turns),
        CASE(room_is_told_once_there_is_some),
        CASE(a_large_head_is_spread_over_frames),
        CASE(no_more_streams_than_the_server_takes),
        CASE(a_stream_too_many_is_refused_and_may_be_retried),
        CASE(resets_go_both_ways),
        CASE(a_graceful_end_serves_what_is_on_its_way),
        CASE(a_client_ends_gracefully_too),
        CASE(an_end_at_once_closes_everything),
        CASE(pings_are_answered),
        CASE(running_out_of_memory_is_survived_anywhere),
    };
#undef CASE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
