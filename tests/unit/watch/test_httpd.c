// SPDX-License-Identifier: Apache-2.0
/* The small HTTP server, on a thread of its own, with blocking clients. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/clock.h"
#include "os/sock.h"
#include "watch/httpd.h"

/* A peer may take its time between two pieces. */
static void be_slow(unsigned ms)
{
    poll(NULL, 0, (int)ms);
}

enum { PIECES = 4000, PIECE_LEN = 1000 };

struct server {
    struct hf_loop *loop;
    struct hf_httpd *httpd;
    struct hf_task stop;
    int listen_fd;
    pthread_t thread;
    char dir[64];
    struct hf_addr addr;
    struct hf_httpd_limits limits;
    struct hf_httpd_filter filter;
    /* what the handlers do */
    struct hf_httpd_call *later;
    struct hf_timer timer;
    int pieces_left;
    atomic_int n_later;
    atomic_int n_done;
    atomic_int n_filters;
    bool free_in_handler;
};

static struct server server;

/* --- Handlers -----------------------------------------------------------------------------------
 */

static void on_hello(void *ctx, struct hf_httpd_call *call)
{
    (void)ctx;
    hf_httpd_field(call, "X-One", "1");
    hf_httpd_field(call, "X-Bad", "a\r\nb");
    hf_httpd_field(call, "Content-Length", "9");
    hf_httpd_text(call, 200, "text/plain", hf_bytes_str("hello\n"));
}

static void on_json(void *ctx, struct hf_httpd_call *call)
{
    (void)ctx;
    hf_httpd_json(call, 200, json_pack("{s:i}", "n", 7));
}

static void on_echo(void *ctx, struct hf_httpd_call *call)
{
    (void)ctx;
    char name[16];
    struct hf_bytes agent = hf_bytes_str("none");
    const struct hf_httpd_request *request = hf_httpd_request(call);
    bool found = hf_httpd_param(call, "name", name, sizeof(name));
    (void)hf_http_fields_find(&request->fields, HF_HTTP_USER_AGENT, &agent);
    HF_CLEANUP(hf_buf_done) struct hf_buf out = HF_BUF_INIT(1 << 20);
    if (hf_buf_printf(&out, "%s|%.*s|%.*s|", found ? name : "-", (int)agent.len,
                      (const char *)agent.ptr, (int)request->path.len,
                      (const char *)request->path.ptr) != HF_OK ||
        hf_buf_append(&out, request->body) != HF_OK) {
        hf_httpd_error(call, 500, "internal", "%s", hf_err_text());
        return;
    }
    hf_httpd_buf(call, 200, "text/plain", &out);
}

static void on_rest(void *ctx, struct hf_httpd_call *call)
{
    (void)ctx;
    hf_httpd_text(call, 200, "text/plain", hf_httpd_rest(call));
}

static void on_later_due(struct hf_timer *timer)
{
    (void)timer;
    hf_httpd_text(HF_TAKE(server.later), 200, "text/plain", hf_bytes_str("later\n"));
    atomic_fetch_add(&server.n_done, 1);
}

static void on_later(void *ctx, struct hf_httpd_call *call)
{
    (void)ctx;
    server.later = call;
    server.timer.on_due = on_later_due;
    hf_timer_set(server.loop, &server.timer, 400);
    atomic_fetch_add(&server.n_later, 1);
}

static enum hf_httpd_flow next_piece(void *ctx, struct hf_buf *out)
{
    (void)ctx;
    char line[PIECE_LEN + 1];
    if (server.pieces_left == PIECES / 2 && !hf_timer_armed(&server.timer) && !server.later) {
        return HF_HTTPD_BREAK; /* only for the test that asks for it */
    }
    if (server.pieces_left-- == 0) {
        return HF_HTTPD_END;
    }
    memset(line, 'a' + server.pieces_left % 26, PIECE_LEN);
    return hf_buf_append(out, hf_bytes_of(line, PIECE_LEN)) == HF_OK ? HF_HTTPD_MORE
                                                                     : HF_HTTPD_BREAK;
}

static void stream_done(void *ctx)
{
    (void)ctx;
    server.later = NULL;
    atomic_fetch_add(&server.n_done, 1);
}

static void stream(struct hf_httpd_call *call, uint64_t length, bool whole)
{
    struct hf_httpd_source source = {.next = next_piece, .done = stream_done};
    server.pieces_left = PIECES;
    server.later = whole ? call : NULL;
    hf_httpd_stream(call, 200, "text/plain", length, source);
}

static void on_stream(void *ctx, struct hf_httpd_call *call)
{
    (void)ctx;
    stream(call, HF_HTTPD_UNKNOWN, true);
}

static void on_stream_length(void *ctx, struct hf_httpd_call *call)
{
    (void)ctx;
    stream(call, (uint64_t)PIECES * PIECE_LEN, true);
}

static void on_stream_broken(void *ctx, struct hf_httpd_call *call)
{
    (void)ctx;
    stream(call, HF_HTTPD_UNKNOWN, false);
}

static void on_stream_short(void *ctx, struct hf_httpd_call *call)
{
    (void)ctx;
    stream(call, (uint64_t)PIECES * PIECE_LEN + 1, true);
}

static void on_wake_due(struct hf_timer *timer)
{
    (void)timer;
    hf_httpd_wake(server.later);
}

static enum hf_httpd_flow next_waiting(void *ctx, struct hf_buf *out)
{
    (void)ctx;
    if (server.pieces_left-- == 0) {
        return HF_HTTPD_END;
    }
    assert_int_equal(hf_buf_append_str(out, "tick\n"), HF_OK);
    server.timer.on_due = on_wake_due;
    hf_timer_set(server.loop, &server.timer, 30);
    return HF_HTTPD_WAIT;
}

static void on_ticks(void *ctx, struct hf_httpd_call *call)
{
    (void)ctx;
    struct hf_httpd_source source = {.next = next_waiting, .done = stream_done};
    server.pieces_left = 3;
    server.later = call;
    hf_httpd_stream(call, 200, "text/plain", HF_HTTPD_UNKNOWN, source);
}

static void on_error(void *ctx, struct hf_httpd_call *call)
{
    (void)ctx;
    hf_httpd_error(call, 409, "conflict", "no \"%s\"\n", "way");
}

static void on_quit(void *ctx, struct hf_httpd_call *call)
{
    (void)ctx;
    hf_httpd_free(HF_TAKE(server.httpd));
    hf_httpd_text(call, 200, "text/plain", hf_bytes_str("into the void"));
}

static const struct hf_httpd_route routes[] = {
    {HF_METHOD_GET, "/hello", on_hello},
    {HF_METHOD_GET, "/json", on_json},
    {HF_METHOD_POST, "/echo", on_echo},
    {HF_METHOD_PUT, "/echo", on_echo},
    {HF_METHOD_GET, "/rest/*", on_rest},
    {HF_METHOD_GET, "/later", on_later},
    {HF_METHOD_GET, "/stream", on_stream},
    {HF_METHOD_GET, "/stream/length", on_stream_length},
    {HF_METHOD_GET, "/stream/broken", on_stream_broken},
    {HF_METHOD_GET, "/stream/short", on_stream_short},
    {HF_METHOD_GET, "/ticks", on_ticks},
    {HF_METHOD_GET, "/error", on_error},
    {HF_METHOD_POST, "/quit", on_quit},
};

/* --- The server ---------------------------------------------------------------------------------
 */

static void *run_loop(void *arg)
{
    (void)arg;
    assert_int_equal(hf_loop_run(server.loop), HF_OK);
    return NULL;
}

static void start(void)
{
    struct hf_httpd_config config = {.loop = server.loop,
                                     .routes = routes,
                                     .n_routes = HF_N_ELEMENTS(routes),
                                     .limits = &server.limits,
                                     .filter = server.filter.run ? &server.filter : NULL,
                                     .same_user_only = true};
    assert_int_equal(hf_httpd_new(&config, &server.httpd), HF_OK);
    assert_int_equal(hf_httpd_listen(server.httpd, server.listen_fd), HF_OK);
    assert_int_equal(pthread_create(&server.thread, NULL, run_loop, NULL), 0);
}

static int set_up(void **state)
{
    (void)state;
    char text[100];
    memset(&server, 0, sizeof(server));
    server.limits = hf_httpd_limits_default;
    strcpy(server.dir, "/tmp/hf-httpd-XXXXXX");
    if (!mkdtemp(server.dir) || hf_loop_new(&hf_os_clock, &server.loop) != HF_OK) {
        return -1;
    }
    snprintf(text, sizeof(text), "unix:%s/s", server.dir);
    return hf_addr_parse(text, &server.addr) == HF_OK &&
                   hf_sock_listen(&server.addr, 64, 0600, &server.listen_fd) == HF_OK
               ? 0
               : -1;
}

static void free_httpd(struct hf_task *task)
{
    (void)task;
    hf_httpd_free(server.httpd);
    server.httpd = NULL;
    hf_loop_stop(server.loop);
}

static int tear_down(void **state)
{
    (void)state;
    server.stop.run = free_httpd;
    hf_loop_post(server.loop, &server.stop);
    pthread_join(server.thread, NULL);
    hf_timer_cancel(&server.timer);
    hf_loop_free(server.loop);
    close(server.listen_fd);
    unlink(server.addr.un.sun_path);
    rmdir(server.dir);
    return 0;
}

/* --- Clients ------------------------------------------------------------------------------------
 */

static int dial(void)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, &server.addr.sa, server.addr.len), 0);
    struct timeval patience = {.tv_sec = 10};
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
    return fd;
}

static void put(int fd, const char *text)
{
    size_t len = strlen(text);
    while (len) {
        ssize_t n = send(fd, text, len, MSG_NOSIGNAL);
        assert_true(n > 0);
        text += n;
        len -= (size_t)n;
    }
}

/* Reads until the text ends with `end`; to the end of the connection when it's NULL. */
static const char *get_until(int fd, const char *end)
{
    static char *text;
    static const size_t size = 8 << 20;
    size_t len = 0;
    if (!text) {
        text = malloc(size);
    }
    text[0] = '\0';
    while (!end || len < strlen(end) || strcmp(text + len - strlen(end), end) != 0) {
        ssize_t n = recv(fd, text + len, size - len - 1, 0);
        if (n <= 0) {
            assert_true(n == 0 && !end);
            break;
        }
        len += (size_t)n;
        text[len] = '\0';
    }
    return text;
}

static const char *ask(const char *request)
{
    int fd = dial();
    put(fd, request);
    shutdown(fd, SHUT_WR);
    const char *answer = get_until(fd, NULL);
    close(fd);
    return answer;
}

static void assert_has(const char *text, const char *part)
{
    assert_non_null(part);
    if (!strstr(text, part)) {
        fail_msg("\"%s\" is not in:\n%s", part, text);
    }
}

static void await(atomic_int *count, int n)
{
    for (int i = 0; i < 6000 && atomic_load(count) < n; i++) {
        be_slow(10);
    }
    assert_int_equal(atomic_load(count), n);
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: x\r\n\r\n"

/* --- Tests --------------------------------------------------------------------------------------
 */

static void an_answer_has_its_fields(void **state)
{
    (void)state;
    start();
    const char *answer = ask(GET("/hello"));
    assert_int_equal(strncmp(answer, "HTTP/1.1 200 OK\r\nDate: ", 23), 0);
    assert_has(answer, "\r\nContent-Type: text/plain\r\n");
    assert_has(answer, "\r\nX-Content-Type-Options: nosniff\r\n");
    assert_has(answer, "\r\nX-One: 1\r\n");
    assert_has(answer, "\r\nContent-Length: 6\r\n\r\nhello\n");
    assert_null(strstr(answer, "X-Bad"));
    assert_null(strstr(answer, "Connection"));
}

static void the_socket_is_private(void **state)
{
    (void)state;
    struct stat info;
    start();
    assert_int_equal(stat(server.addr.un.sun_path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

static void head_is_get_without_the_body(void **state)
{
    (void)state;
    start();
    const char *answer = ask("HEAD /hello HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_has(answer, "\r\nContent-Length: 6\r\n\r\n");
    assert_null(strstr(answer, "hello\n"));
    answer = ask("HEAD /stream HTTP/1.1\r\nHost: x\r\n\r\n" GET("/json"));
    assert_has(answer, "\r\nTransfer-Encoding: chunked\r\n\r\nHTTP/1.1 200 OK\r\n");
    await(&server.n_done, 1);
}

static void requests_follow_each_other(void **state)
{
    (void)state;
    start();
    int fd = dial();
    for (int i = 0; i < 100; i++) {
        put(fd, GET("/json"));
        assert_has(get_until(fd, "\n}\n"), "{\n  \"n\": 7\n}\n");
    }
    close(fd);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    (void)state;
    start();
    const char *answer = ask(GET("/rest/1") GET("/rest/22") GET("/nowhere") GET("/rest/333"));
    const char *one = strstr(answer, "\r\n\r\n1HTTP/1.1 200");
    assert_non_null(one);
    const char *two = strstr(one, "\r\n\r\n22HTTP/1.1 404");
    assert_non_null(two);
    assert_non_null(strstr(two, "\r\n\r\n333"));
}

static void a_body_is_gathered(void **state)
{
    (void)state;
    start();
    assert_has(ask("POST /echo?x=1&name=a%20b+c HTTP/1.1\r\nHost: x\r\nUser-Agent: me\r\n"
                   "Content-Length: 5\r\n\r\nhello"),
               "\r\n\r\na b c|me|/echo|hello");
    assert_has(ask("PUT /echo HTTP/1.1\r\nHost: x\r\nUser-Agent: me\r\nTransfer-Encoding: "
                   "chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\nUser-Agent-Not: x\r\n\r\n"),
               "\r\n\r\n-|me|/echo|hello");
    assert_has(ask("POST /echo?name=longer-than-sixteen HTTP/1.1\r\nHost: x\r\n\r\n"),
               "\r\n\r\n-|none|/echo|");
}

static void a_body_is_waited_for(void **state)
{
    (void)state;
    start();
    int fd = dial();
    put(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    assert_string_equal(get_until(fd, "\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
    put(fd, "hel");
    be_slow(20);
    put(fd, "lo");
    assert_has(get_until(fd, "hello"), "HTTP/1.1 200 OK");
    close(fd);
}

static void a_body_too_large_is_refused(void **state)
{
    (void)state;
    server.limits.body_max = 10;
    start();
    assert_has(ask("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n0123456789"),
               "|0123456789");
    const char *answer = ask("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n");
    assert_has(answer, "HTTP/1.1 413 ");
    assert_has(answer, "\r\nConnection: close\r\n");
    assert_has(answer, "{\"error\": \"body-too-large\", \"message\": \"");
}

static void a_refusal_arrives_though_bytes_are_left_unread(void **state)
{
    (void)state;
    server.limits.body_max = 10;
    start();
    int fd = dial();
    static char big[200001];
    memset(big, 'x', sizeof(big) - 1);
    put(fd, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n");
    put(fd, big);
    assert_has(get_until(fd, NULL), "HTTP/1.1 413 ");
    close(fd);
}

static void unknown_paths_and_methods_are_refused_in_words(void **state)
{
    (void)state;
    start();
    const char *answer = ask(GET("/nowhere"));
    assert_has(answer, "HTTP/1.1 404 Not Found\r\n");
    assert_has(answer, "\r\nContent-Type: application/json\r\n");
    assert_has(answer, "{\"error\": \"not-found\"");
    assert_has(ask(GET("/hell")), "HTTP/1.1 404 ");
    assert_has(ask(GET("/hello/")), "HTTP/1.1 404 ");
    assert_has(ask(GET("/rest")), "HTTP/1.1 404 ");
    answer = ask(GET("/echo"));
    assert_has(answer, "HTTP/1.1 405 ");
    assert_has(answer, "\r\nAllow: POST, PUT\r\n");
    assert_has(ask("DELETE /hello HTTP/1.1\r\nHost: x\r\n\r\n"), "\r\nAllow: GET, HEAD\r\n");
    assert_has(ask("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 404 ");
}

static void bad_requests_are_refused_in_words(void **state)
{
    (void)state;
    start();
    const char *answer = ask("GET / HTTP/1.1\nHost: x\r\n\r\n");
    assert_has(answer, "HTTP/1.1 400 Bad Request\r\n");
    assert_has(answer, "{\"error\": \"bare-lf\", \"message\": \"a line ends in LF without CR\"}\n");
    assert_has(ask("GET / HTTP/1.1\r\n\r\n"), "\"no-host\"");
    assert_has(ask("GET / HTTP/3.0\r\n\r\n"), "HTTP/1.1 505 ");
    assert_has(ask("\x16\x03\x01"), "HTTP/1.1 400 ");
}

static void old_clients_are_served(void **state)
{
    (void)state;
    start();
    assert_has(ask("GET /hello HTTP/1.0\r\n\r\n"),
               "\r\nContent-Length: 6\r\nConnection: close\r\n\r\nhello\n");
    assert_has(ask("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
               "\r\nContent-Length: 6\r\nConnection: keep-alive\r\n\r\nhello\n");
    const char *answer = ask("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    assert_has(answer, "\r\nConnection: close\r\n\r\n");
    assert_null(strstr(answer, "chunked"));
    assert_int_equal(strlen(strstr(answer, "\r\n\r\n") + 4), PIECES * PIECE_LEN);
}

static void close_is_honoured(void **state)
{
    (void)state;
    start();
    int fd = dial();
    put(fd, "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" GET("/json"));
    const char *answer = get_until(fd, NULL);
    assert_has(answer, "\r\nConnection: close\r\n\r\nhello\n");
    assert_null(strstr(answer, "json"));
    close(fd);
}

static void an_absolute_target_without_path_is_the_root(void **state)
{
    (void)state;
    start();
    assert_has(ask("GET http://x HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 404 ");
    assert_has(ask("GET http://x/hello HTTP/1.1\r\nHost: x\r\n\r\n"), "hello\n");
}

static void an_answer_may_come_later(void **state)
{
    (void)state;
    start();
    assert_has(ask(GET("/later") GET("/hello")), "\r\n\r\nlater\nHTTP/1.1 200 OK");
}

static void a_client_may_leave_before_its_answer(void **state)
{
    (void)state;
    start();
    int fd = dial();
    put(fd, GET("/later"));
    await(&server.n_later, 1);
    close(fd);
    await(&server.n_done, 1);
}

static void the_server_may_go_before_the_answer(void **state)
{
    (void)state;
    start();
    int fd = dial();
    put(fd, GET("/later"));
    await(&server.n_later, 1);
    server.stop.run = free_httpd;
    hf_loop_post(server.loop, &server.stop);
    pthread_join(server.thread, NULL);
    assert_string_equal(get_until(fd, NULL), "");
    close(fd);
    assert_int_equal(pthread_create(&server.thread, NULL, run_loop, NULL), 0);
    await(&server.n_done, 1);
}

static void a_handler_may_free_the_server(void **state)
{
    (void)state;
    start();
    assert_string_equal(ask("POST /quit HTTP/1.1\r\nHost: x\r\n\r\n"), "");
}

static void an_answer_that_takes_too_long_is_504(void **state)
{
    (void)state;
    server.limits.answer_ms = 30;
    start();
    const char *answer = ask(GET("/later"));
    assert_has(answer, "HTTP/1.1 504 ");
    assert_has(answer, "\"timeout\"");
    await(&server.n_done, 1);
}

static void a_slow_request_is_408(void **state)
{
    (void)state;
    server.limits.request_ms = 50;
    start();
    int fd = dial();
    put(fd, "GET /he");
    assert_has(get_until(fd, NULL), "HTTP/1.1 408 ");
    close(fd);
}

static void an_idle_connection_is_closed(void **state)
{
    (void)state;
    server.limits.idle_ms = 2000;
    start();
    int fd = dial();
    assert_string_equal(get_until(fd, NULL), "");
    close(fd);
    fd = dial();
    put(fd, GET("/rest/z"));
    assert_has(get_until(fd, NULL), "\r\n\r\nz");
    close(fd);
}

static void a_client_that_reads_nothing_is_dropped(void **state)
{
    (void)state;
    server.limits.write_ms = 100;
    start();
    int fd = dial();
    put(fd, GET("/stream"));
    await(&server.n_done, 1);
    close(fd);
}

static void check_stream(const char *answer, bool chunked)
{
    assert_has(answer, chunked ? "Transfer-Encoding: chunked" : "Content-Length: 4000000");
    const char *body = strstr(answer, "\r\n\r\n") + 4;
    for (int i = PIECES - 1; i >= 0; i--) {
        if (chunked) {
            assert_int_equal(strncmp(body, "3e8\r\n", 5), 0);
            body += 5;
        }
        assert_int_equal(body[0], 'a' + i % 26);
        assert_int_equal(body[PIECE_LEN - 1], 'a' + i % 26);
        body += PIECE_LEN;
        body += chunked ? 2 : 0;
    }
    assert_string_equal(body, chunked ? "0\r\n\r\n" : "");
}

static void long_answers_are_streamed(void **state)
{
    (void)state;
    start();
    check_stream(ask(GET("/stream")), true);
    check_stream(ask(GET("/stream/length")), false);
    await(&server.n_done, 2);
}

static void a_broken_stream_is_seen_to_be_broken(void **state)
{
    (void)state;
    start();
    const char *answer = ask(GET("/stream/broken"));
    assert_has(answer, "chunked");
    assert_null(strstr(answer, "0\r\n\r\n"));
    answer = ask(GET("/stream/short") GET("/hello"));
    assert_has(answer, "Content-Length: 4000001");
    assert_null(strstr(answer, "hello"));
    await(&server.n_done, 2);
}

static void a_stream_may_wait(void **state)
{
    (void)state;
    start();
    assert_has(ask(GET("/ticks")), "5\r\ntick\n\r\n5\r\ntick\n\r\n5\r\ntick\n\r\n0\r\n\r\n");
    await(&server.n_done, 1);
}

static void a_stream_whose_client_leaves_is_ended(void **state)
{
    (void)state;
    start();
    int fd = dial();
    put(fd, GET("/stream"));
    be_slow(20);
    close(fd);
    await(&server.n_done, 1);
}

static void errors_are_json(void **state)
{
    (void)state;
    start();
    const char *answer = ask(GET("/error"));
    assert_has(answer, "HTTP/1.1 409 ");
    assert_has(answer, "{\"error\": \"conflict\", \"message\": \"no \\\"way\\\"\\u000a\"}\n");
}

static void at_the_limit_an_idle_connection_makes_room(void **state)
{
    (void)state;
    server.limits.n_connections = 2;
    start();
    int idle = dial();
    put(idle, GET("/hello"));
    get_until(idle, "hello\n");
    int busy = dial();
    put(busy, GET("/later"));
    await(&server.n_later, 1);
    int third = dial();
    put(third, GET("/hello"));
    assert_has(get_until(third, "hello\n"), "200 OK");
    assert_string_equal(get_until(idle, NULL), "");
    assert_has(get_until(busy, "later\n"), "200 OK");
    close(idle);
    close(busy);
    close(third);
}

static void at_the_limit_with_none_idle_the_new_one_goes(void **state)
{
    (void)state;
    server.limits.n_connections = 1;
    start();
    int busy = dial();
    put(busy, GET("/later"));
    await(&server.n_later, 1);
    int second = dial();
    assert_string_equal(get_until(second, NULL), "");
    assert_has(get_until(busy, "later\n"), "200 OK");
    close(busy);
    close(second);
}

static void many_connections_at_once(void **state)
{
    (void)state;
    enum { N = 60 };
    int fd[N];
    start();
    for (int i = 0; i < N; i++) {
        fd[i] = dial();
        put(fd[i], GET("/json"));
    }
    for (int i = 0; i < N; i++) {
        assert_has(get_until(fd[i], "\n}\n"), "\"n\": 7");
        close(fd[i]);
    }
}

struct order {
    struct hf_task task;
    size_t n;
    atomic_int done;
};

static void fail_allocations(struct hf_task *task)
{
    struct order *order = HF_CONTAINER_OF(task, struct order, task);
    hf_alloc_fail_after(order->n);
    atomic_store(&order->done, 1);
}

/* The n-th next allocation of the server's thread fails; 0: none. */
static void order_failure(size_t n)
{
    struct order order = {.task = {.run = fail_allocations}, .n = n};
    hf_loop_post(server.loop, &order.task);
    await(&order.done, 1);
}

static void running_out_of_memory_harms_one_connection_at_most(void **state)
{
    (void)state;
    static const char *const requests[] = {
        GET("/hello"), GET("/json"), GET("/nowhere"), "GET / HTTP/1.1\n\n",
        "POST /echo?name=x HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"};
    start();
    for (size_t i = 0; i < HF_N_ELEMENTS(requests); i++) {
        for (size_t n = 1; n < 25; n++) {
            order_failure(n);
            int fd = dial();
            /* The server may have closed already: then there is nobody to send to. */
            if (send(fd, requests[i], strlen(requests[i]), MSG_NOSIGNAL) > 0) {
                char some[1000];
                shutdown(fd, SHUT_WR);
                while (recv(fd, some, sizeof(some), 0) > 0) {
                }
            }
            close(fd);
            order_failure(0);
        }
    }
    assert_has(ask(GET("/hello")), "hello\n");
}

/* --- A filter that turns every letter over ------------------------------------------------------
 */

static enum hf_err rot_open(void *ctx, const struct hf_addr *peer, void **out_state)
{
    (void)ctx;
    assert_int_equal(peer->sa.sa_family, AF_UNIX);
    *out_state = &server;
    atomic_fetch_add(&server.n_filters, 1);
    return HF_OK;
}

static void rot_move(struct hf_buf *from, struct hf_buf *to)
{
    while (hf_buf_len(from) && hf_buf_room(to)) {
        assert_int_equal(hf_buf_u8(to, hf_buf_bytes(from).ptr[0] ^ 0x80), HF_OK);
        hf_buf_consume(from, 1);
    }
}

static enum hf_filter_step rot_run(void *state, struct hf_httpd_pipes *pipes)
{
    assert_ptr_equal(state, &server);
    if (hf_buf_len(pipes->net_in) && hf_buf_bytes(pipes->net_in).ptr[0] == '!') {
        assert_int_equal(hf_buf_append_str(pipes->net_out, "bad"), HF_OK);
        return HF_FILTER_FAILED;
    }
    rot_move(pipes->net_in, pipes->in);
    rot_move(pipes->out, pipes->net_out);
    if (pipes->finish && !server.free_in_handler) {
        assert_int_equal(hf_buf_append_str(pipes->net_out, "bye"), HF_OK);
        server.free_in_handler = true;
    }
    return HF_FILTER_OK;
}

static void rot_close(void *state)
{
    assert_ptr_equal(state, &server);
    atomic_fetch_sub(&server.n_filters, 1);
}

static const char *ask_rotated(const char *request)
{
    char copy[200];
    size_t len = strlen(request);
    for (size_t i = 0; i <= len; i++) {
        copy[i] = (char)(i < len ? request[i] ^ 0x80 : 0);
    }
    return ask(copy);
}

static void a_filter_stands_between(void **state)
{
    (void)state;
    server.filter = (struct hf_httpd_filter){rot_open, rot_run, rot_close, NULL};
    start();
    const char *answer = ask_rotated("GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_int_equal((uint8_t)answer[0], 'H' ^ 0x80);
    assert_string_equal(answer + strlen(answer) - 3, "bye");
    assert_int_equal((uint8_t)answer[strlen(answer) - 4], '\n' ^ 0x80);
    for (int i = 0; i < 6000 && atomic_load(&server.n_filters); i++) {
        be_slow(10);
    }
    assert_int_equal(atomic_load(&server.n_filters), 0);
}

static void a_filter_that_fails_has_the_last_word(void **state)
{
    (void)state;
    server.filter = (struct hf_httpd_filter){rot_open, rot_run, rot_close, NULL};
    start();
    assert_string_equal(ask("!"), "bad");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_answer_has_its_fields),
        TEST(the_socket_is_private),
        TEST(head_is_get_without_the_body),
        TEST(requests_follow_each_other),
        TEST(pipelined_requests_are_answered_in_order),
        TEST(a_body_is_gathered),
        TEST(a_body_is_waited_for),
        TEST(a_body_too_large_is_refused),
        TEST(a_refusal_arrives_though_bytes_are_left_unread),
        TEST(unknown_paths_and_methods_are_refused_in_words),
        TEST(bad_requests_are_refused_in_words),
        TEST(old_clients_are_served),
        TEST(close_is_honoured),
        TEST(an_absolute_target_without_path_is_the_root),
        TEST(an_answer_may_come_later),
        TEST(a_client_may_leave_before_its_answer),
        TEST(the_server_may_go_before_the_answer),
        TEST(a_handler_may_free_the_server),
        TEST(an_answer_that_takes_too_long_is_504),
        TEST(a_slow_request_is_408),
        TEST(an_idle_connection_is_closed),
        TEST(a_client_that_reads_nothing_is_dropped),
        TEST(long_answers_are_streamed),
        TEST(a_broken_stream_is_seen_to_be_broken),
        TEST(a_stream_may_wait),
        TEST(a_stream_whose_client_leaves_is_ended),
        TEST(errors_are_json),
        TEST(at_the_limit_an_idle_connection_makes_room),
        TEST(at_the_limit_with_none_idle_the_new_one_goes),
        TEST(many_connections_at_once),
        TEST(running_out_of_memory_harms_one_connection_at_most),
        TEST(a_filter_stands_between),
        TEST(a_filter_that_fails_has_the_last_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
