// SPDX-License-Identifier: Apache-2.0
/*
 * Ours against nghttp2's sessions, in both roles: many streams at once, bodies larger than the
 * windows, padding, tables that fill and are made smaller, trailers. Every body is echoed.
 */
#include "base/mem.h"
#include "h2_side.h"

enum { N_STREAMS = 40, BODY = 150000, ID_MAX = 2 * N_STREAMS };

/* The other side: an nghttp2 session, and what it did per stream. */
struct peer {
    nghttp2_session *session;
    bool server;
    struct hf_buf sent;
    struct {
        size_t up; /* bytes given to nghttp2 to send */
        size_t down;
        unsigned status;
        bool trailers;
        bool closed;
        uint32_t code;
    } stream[ID_MAX + 1];
};

static uint8_t byte_at(size_t i)
{
    return (uint8_t)(i * 7 + (i >> 8));
}

static ssize_t on_read(nghttp2_session *session, int32_t id, uint8_t *buf, size_t len,
                       uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct peer *peer = user;
    size_t *up = &peer->stream[id].up;
    (void)source;
    len = len < BODY - *up ? len : BODY - *up;
    for (size_t i = 0; i < len; i++) {
        buf[i] = byte_at(*up + i);
    }
    *up += len;
    if (*up == BODY) {
        nghttp2_nv nv = {(uint8_t *)(uintptr_t) "grpc-status", (uint8_t *)(uintptr_t) "0", 11, 1,
                         0};
        *flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
        assert_int_equal(nghttp2_submit_trailer(session, id, &nv, 1), 0);
    }
    return (ssize_t)len;
}

static int on_chunk(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data,
                    size_t len, void *user)
{
    struct peer *peer = user;
    (void)session;
    (void)flags;
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(data[i], byte_at(peer->stream[id].down + i));
    }
    peer->stream[id].down += len;
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *user)
{
    struct peer *peer = user;
    (void)session;
    (void)flags;
    (void)value_len;
    if (name_len == 7 && memcmp(name, ":status", 7) == 0) {
        peer->stream[frame->hd.stream_id].status = (unsigned)strtoul((const char *)value, NULL, 10);
    }
    if (name_len == 11 && memcmp(name, "grpc-status", 11) == 0) {
        peer->stream[frame->hd.stream_id].trailers = true;
    }
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
    struct peer *peer = user;
    (void)session;
    peer->stream[id].closed = true;
    peer->stream[id].code = code;
    return 0;
}

static ssize_t on_padding(nghttp2_session *session, const nghttp2_frame *frame, size_t max,
                          void *user)
{
    (void)session;
    (void)user;
    size_t padded = frame->hd.length + 17;
    return (ssize_t)(padded < max ? padded : max);
}

static nghttp2_nv nv(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name),
                        strlen(value), 0};
}

/* nghttp2 as a server answers as soon as it has the head. */
static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    const struct peer *peer = user;
    bool head = frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST;
    if (head && peer->server) {
        nghttp2_nv fields[] = {nv(":status", "200"), nv("server", "n")};
        nghttp2_data_provider body = {.read_callback = on_read};
        assert_int_equal(nghttp2_submit_response(session, frame->hd.stream_id, fields, 2, &body),
                         0);
    }
    return 0;
}

static void peer_start(struct peer *peer, bool server)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, 200},
                                         {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 30000},
                                         {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 100}};
    *peer = (struct peer){.server = server, .sent = HF_BUF_INIT(H2_LOG_MAX)};
    assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_chunk);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_select_padding_callback(callbacks, on_padding);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    assert_int_equal(server ? nghttp2_session_server_new(&peer->session, callbacks, peer)
                            : nghttp2_session_client_new(&peer->session, callbacks, peer),
                     0);
    nghttp2_session_callbacks_del(callbacks);
    assert_int_equal(nghttp2_submit_settings(peer->session, 0, settings, HF_N_ELEMENTS(settings)),
                     0);
}

static void peer_done(struct peer *peer)
{
    nghttp2_session_del(peer->session);
    hf_buf_done(&peer->sent);
}

/* What our side still has to send on each stream, and its owner's callbacks. */
struct echo {
    struct h2_side side;
    struct hf_h2_stream *stream[ID_MAX + 1];
    size_t up[ID_MAX + 1];
    size_t down[ID_MAX + 1];
    bool ended[ID_MAX + 1];
    bool trailers[ID_MAX + 1];
};

/* Writes what there is room for, and the end with trailers. */
static void push(struct echo *echo, uint32_t id)
{
    uint8_t block[5000];
    size_t taken = 1;
    while (echo->stream[id] && echo->up[id] < BODY && taken > 0) {
        size_t n = BODY - echo->up[id] < sizeof(block) ? BODY - echo->up[id] : sizeof(block);
        for (size_t i = 0; i < n; i++) {
            block[i] = byte_at(echo->up[id] + i);
        }
        assert_int_equal(hf_h2_write(echo->stream[id], hf_bytes_of(block, n), &taken), HF_OK);
        echo->up[id] += taken;
    }
    if (echo->stream[id] && echo->up[id] == BODY && hf_h2_room(echo->stream[id]) > 0) {
        struct hf_http_msg *trailers = h2_message(&echo->side);
        trailers->kind = HF_MSG_TRAILERS;
        assert_int_equal(hf_http_msg_add_str(trailers, "grpc-status", "0"), HF_OK);
        assert_int_equal(hf_h2_finish(echo->stream[id], trailers), HF_OK);
    }
}

static void echo_on_head(void *ctx, struct hf_h2_stream *stream, struct hf_http_msg *msg, bool end)
{
    struct echo *echo = ctx;
    uint32_t id = hf_h2_stream_id(stream);
    assert_false(end);
    if (echo->side.config.server) {
        struct hf_http_msg *answer = h2_message(&echo->side);
        assert_int_equal(hf_http_msg_set_status(answer, 200), HF_OK);
        assert_int_equal(hf_http_msg_add_str(answer, "server", "h"), HF_OK);
        answer->body = HF_BODY_STREAM;
        assert_int_equal(hf_h2_respond(stream, answer, false), HF_OK);
        hf_http_msg_pool_put(&echo->side.msgs, answer);
        echo->stream[id] = stream;
        push(echo, id);
    } else {
        assert_int_equal(msg->status, 200);
    }
    hf_http_msg_pool_put(&echo->side.msgs, msg);
}

static void echo_on_bad_head(void *ctx, struct hf_h2_stream *stream, enum hf_http_fault fault)
{
    (void)ctx;
    (void)stream;
    fail_msg("%s", hf_http_fault_code(fault));
}

static void echo_on_data(void *ctx, struct hf_h2_stream *stream, struct hf_bytes data)
{
    struct echo *echo = ctx;
    size_t *down = &echo->down[hf_h2_stream_id(stream)];
    for (size_t i = 0; i < data.len; i++) {
        assert_int_equal(data.ptr[i], byte_at(*down + i));
    }
    *down += data.len;
    hf_h2_consume(stream, data.len);
}

static void echo_on_end(void *ctx, struct hf_h2_stream *stream, struct hf_http_msg *trailers)
{
    struct echo *echo = ctx;
    uint32_t id = hf_h2_stream_id(stream);
    echo->ended[id] = true;
    echo->trailers[id] = trailers && trailers->n_fields == 1;
    hf_http_msg_pool_put(&echo->side.msgs, trailers);
}

static void echo_on_room(void *ctx, struct hf_h2_stream *stream)
{
    push(ctx, hf_h2_stream_id(stream));
}

static void echo_on_close(void *ctx, struct hf_h2_stream *stream, const struct hf_h2_close *why)
{
    struct echo *echo = ctx;
    assert_int_equal(why->code, HF_H2_NO_ERROR);
    echo->stream[hf_h2_stream_id(stream)] = NULL;
    echo->side.n_closed++;
}

static const struct hf_h2_events echo_events = {.on_head = echo_on_head,
                                                .on_bad_head = echo_on_bad_head,
                                                .on_data = echo_on_data,
                                                .on_end = echo_on_end,
                                                .on_room = echo_on_room,
                                                .on_close = echo_on_close};

static void echo_start(struct echo *echo, bool server)
{
    memset(echo, 0, sizeof(*echo));
    h2_side_init(&echo->side, server);
    echo->side.config.events = &echo_events;
    echo->side.config.limits.n_window_updates_max = 100000;
    assert_int_equal(hf_h2_new(&echo->side.h2, &echo->side.config, echo), HF_OK);
}

/* Carries bytes until both are silent. */
static void run(struct echo *echo, struct peer *peer)
{
    for (bool more = true; more;) {
        const uint8_t *data;
        ssize_t n;
        more = false;
        while ((n = nghttp2_session_mem_send(peer->session, &data)) > 0) {
            assert_int_equal(hf_h2_feed(echo->side.h2, hf_bytes_of(data, (size_t)n), 1), HF_OK);
            more = true;
        }
        assert_int_equal(n, 0);
        h2_flush(&echo->side, 20000);
        struct hf_bytes sent = hf_buf_bytes(&echo->side.sent);
        if (sent.len) {
            assert_int_equal(nghttp2_session_mem_recv(peer->session, sent.ptr, sent.len), sent.len);
            hf_buf_reset(&echo->side.sent);
            more = true;
        }
    }
}

static void expect_all(const struct echo *echo, const struct peer *peer)
{
    assert_int_equal(echo->side.n_closed, N_STREAMS);
    for (uint32_t id = 1; id < ID_MAX; id += 2) {
        assert_int_equal(echo->down[id], BODY);
        assert_true(echo->ended[id] && echo->trailers[id]);
        assert_int_equal(peer->stream[id].down, BODY);
        assert_true(peer->stream[id].closed && peer->stream[id].trailers);
        assert_int_equal(peer->stream[id].code, 0);
    }
}

static void our_server_and_its_client(void **state)
{
    static struct echo echo;
    static struct peer peer;
    char number[16];
    (void)state;
    echo_start(&echo, true);
    peer_start(&peer, false);
    for (unsigned i = 0; i < N_STREAMS; i++) {
        snprintf(number, sizeof(number), "%u", i);
        nghttp2_nv fields[] = {nv(":method", "POST"),
                               nv(":scheme", "https"),
                               nv(":path", "/"),
                               nv(":authority", "a"),
                               nv("te", "trailers"),
                               nv("x-number", number),
                               nv("cookie", "a=0123456789012345678901")};
        nghttp2_data_provider body = {.read_callback = on_read};
        assert_true(nghttp2_submit_request(peer.session, NULL, fields, HF_N_ELEMENTS(fields), &body,
                                           NULL) > 0);
    }
    run(&echo, &peer);
    expect_all(&echo, &peer);
    assert_int_equal(peer.stream[1].status, 200);
    hf_h2_quiet(echo.side.h2);
    assert_int_equal(hf_h2_shutdown(echo.side.h2), HF_OK);
    run(&echo, &peer);
    assert_false(nghttp2_session_want_read(peer.session)); /* it would close now */
    peer_done(&peer);
    h2_side_done(&echo.side);
}

static void our_client_and_its_server(void **state)
{
    static struct echo echo;
    static struct peer peer;
    (void)state;
    echo_start(&echo, false);
    peer_start(&peer, true);
    run(&echo, &peer);
    assert_int_equal(hf_h2_n_openable(echo.side.h2), 100);
    for (uint32_t id = 1; id < ID_MAX; id += 2) {
        struct hf_http_msg *msg = h2_message(&echo.side);
        assert_int_equal(hf_http_msg_set_request(msg, hf_bytes_str("POST"), hf_bytes_str("/a?b")),
                         HF_OK);
        assert_int_equal(hf_http_msg_set_scheme(msg, hf_bytes_str("https")), HF_OK);
        assert_int_equal(hf_http_msg_set_authority(msg, hf_bytes_str("a")), HF_OK);
        assert_int_equal(hf_http_msg_add_str(msg, "x-long", "0123456789012345678901234567890"),
                         HF_OK);
        msg->body = HF_BODY_STREAM;
        msg->te_trailers = true;
        assert_int_equal(hf_h2_request(echo.side.h2, &echo.stream[id], msg, false, NULL), HF_OK);
        hf_http_msg_pool_put(&echo.side.msgs, msg);
        assert_int_equal(hf_h2_stream_id(echo.stream[id]), id);
        push(&echo, id);
        if (id % 16 == 1) {
            run(&echo, &peer);
        }
    }
    run(&echo, &peer);
    expect_all(&echo, &peer);
    assert_int_equal(nghttp2_session_terminate_session(peer.session, 0), 0);
    run(&echo, &peer);
    assert_true(hf_h2_is_over(echo.side.h2));
    peer_done(&peer);
    h2_side_done(&echo.side);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(our_server_and_its_client),
        cmocka_unit_test(our_client_and_its_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
