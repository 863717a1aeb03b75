// SPDX-License-Identifier: Apache-2.0
/* The blocking client, against a listener that answers with whatever the test wants. */
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "watch/httpc.h"

/* A peer may take its time between two pieces. */
static void be_slow(unsigned ms)
{
    poll(NULL, 0, (int)ms);
}

struct fake {
    char dir[32];
    struct hf_addr addr;
    int listen_fd;
    pthread_t thread;
    const char *answer;
    size_t portion; /* bytes at a time; 0: all */
    unsigned pause_ms;
    char request[1024];
};

static struct fake fake;

static void *serve(void *arg)
{
    (void)arg;
    int fd = accept(fake.listen_fd, NULL, NULL);
    size_t len = 0;
    while (fd >= 0 && !strstr(fake.request, "\r\n\r\n")) {
        ssize_t n = recv(fd, fake.request + len, sizeof(fake.request) - len - 1, 0);
        if (n <= 0) {
            break;
        }
        len += (size_t)n;
        fake.request[len] = '\0';
    }
    be_slow(fake.pause_ms);
    size_t left = strlen(fake.answer);
    const char *at = fake.answer;
    while (left) {
        size_t n = fake.portion && fake.portion < left ? fake.portion : left;
        if (send(fd, at, n, MSG_NOSIGNAL) <= 0) {
            break;
        }
        at += n;
        left -= n;
        be_slow(fake.portion ? 1 : 0);
    }
    close(fd);
    return NULL;
}

static int set_up(void **state)
{
    (void)state;
    memset(&fake, 0, sizeof(fake));
    strcpy(fake.dir, "/tmp/hf-httpc-XXXXXX");
    if (!mkdtemp(fake.dir)) {
        return -1;
    }
    fake.addr.un.sun_family = AF_UNIX;
    fake.addr.len = sizeof(fake.addr.un);
    snprintf(fake.addr.un.sun_path, sizeof(fake.addr.un.sun_path), "%s/s", fake.dir);
    fake.listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return bind(fake.listen_fd, &fake.addr.sa, fake.addr.len) == 0 && listen(fake.listen_fd, 5) == 0
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    (void)state;
    close(fake.listen_fd);
    unlink(fake.addr.un.sun_path);
    rmdir(fake.dir);
    return 0;
}

static enum hf_err ask(const char *answer, const char *method, size_t cap,
                       struct hf_httpc_answer *out)
{
    fake.answer = answer;
    *out = (struct hf_httpc_answer){.body = HF_BUF_INIT(cap)};
    assert_int_equal(pthread_create(&fake.thread, NULL, serve, NULL), 0);
    enum hf_err err = hf_httpc_ask(&fake.addr, method, "/x?y", 2000, out);
    pthread_join(fake.thread, NULL);
    return err;
}

static void expect(const char *answer, const char *method, unsigned status, const char *body)
{
    struct hf_httpc_answer got;
    assert_int_equal(ask(answer, method, 1000, &got), HF_OK);
    assert_int_equal(got.status, status);
    assert_string_equal(hf_buf_cstr(&got.body), body);
    hf_buf_done(&got.body);
}

static void expect_failure(const char *answer, enum hf_err err, const char *words)
{
    struct hf_httpc_answer got;
    assert_int_equal(ask(answer, "GET", 10, &got), err);
    assert_non_null(strstr(hf_err_text(), words));
    hf_buf_done(&got.body);
}

static void the_request_is_whole(void **state)
{
    (void)state;
    expect("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "POST", 200, "hi");
    assert_string_equal(fake.request,
                        "POST /x?y HTTP/1.1\r\nHost: localhost\r\n"
                        "User-Agent: handfast/" HF_VERSION "\r\nConnection: close\r\n\r\n");
}

static void chunks_are_joined(void **state)
{
    (void)state;
    fake.portion = 1;
    expect("HTTP/1.1 404 N\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n2\r\ni!\r\n0\r\n\r\n",
           "GET", 404, "hi!");
}

static void a_body_may_end_with_the_connection(void **state)
{
    (void)state;
    expect("HTTP/1.0 200 OK\r\n\r\nhi", "GET", 200, "hi");
}

static void an_answer_to_head_has_no_body(void **state)
{
    (void)state;
    expect("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "HEAD", 200, "");
}

static void interim_answers_are_passed_over(void **state)
{
    (void)state;
    expect("HTTP/1.1 100 C\r\n\r\nHTTP/1.1 103 E\r\nLink: x\r\n\r\n"
           "HTTP/1.1 204 N\r\n\r\n",
           "GET", 204, "");
}

static void what_is_not_http_is_told(void **state)
{
    (void)state;
    expect_failure("SSH-2.0-x\r\n", HF_E_PEER, "proper HTTP");
}

static void an_answer_cut_short_is_told(void **state)
{
    (void)state;
    expect_failure("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi", HF_E_PEER,
                   "closed within a message");
}

static void no_answer_is_told(void **state)
{
    (void)state;
    expect_failure("", HF_E_PEER, "closed without an answer");
}

static void a_body_too_large_is_told(void **state)
{
    (void)state;
    expect_failure("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n01234567890", HF_E_TOO_LARGE,
                   "limit");
}

static void silence_ends_at_the_timeout(void **state)
{
    (void)state;
    struct hf_httpc_answer got = {.body = HF_BUF_INIT(10)};
    fake.answer = "HTTP/1.1 204 N\r\n\r\n";
    fake.pause_ms = 2000;
    assert_int_equal(pthread_create(&fake.thread, NULL, serve, NULL), 0);
    assert_int_equal(hf_httpc_ask(&fake.addr, "GET", "/", 50, &got), HF_E_TIMEOUT);
    pthread_join(fake.thread, NULL);
}

static void nobody_there_is_told(void **state)
{
    (void)state;
    struct hf_httpc_answer got = {.body = HF_BUF_INIT(10)};
    struct hf_addr nowhere = fake.addr;
    strcat(nowhere.un.sun_path, "-not");
    assert_int_equal(hf_httpc_ask(&nowhere, "GET", "/", 50, &got), HF_E_NOT_FOUND);
    close(fake.listen_fd);
    fake.listen_fd = -1;
    assert_int_equal(hf_httpc_ask(&fake.addr, "GET", "/", 50, &got), HF_E_IO);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_request_is_whole),
        TEST(chunks_are_joined),
        TEST(a_body_may_end_with_the_connection),
        TEST(an_answer_to_head_has_no_body),
        TEST(interim_answers_are_passed_over),
        TEST(what_is_not_http_is_told),
        TEST(an_answer_cut_short_is_told),
        TEST(no_answer_is_told),
        TEST(a_body_too_large_is_told),
        TEST(silence_ends_at_the_timeout),
        TEST(nobody_there_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
