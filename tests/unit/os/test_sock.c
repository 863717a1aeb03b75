// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h> /* which knows more of struct tcp_info than netinet/tcp.h */
#include <poll.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "os/sock.h"
#include "scratch.h"

static struct hf_addr addr_of(const char *text)
{
    struct hf_addr addr;
    assert_int_equal(hf_addr_parse(text, &addr), HF_OK);
    return addr;
}

static void await(int fd, short events)
{
    struct pollfd wait = {.fd = fd, .events = events};
    assert_int_equal(poll(&wait, 1, 60000), 1);
}

/* Listens on the text and gives the address that it became. */
static int listen_on(const char *text, struct hf_addr *out_addr)
{
    struct hf_addr addr = addr_of(text);
    int fd;
    assert_int_equal(hf_sock_listen(&addr, 16, 0600, &fd), HF_OK);
    assert_int_equal(hf_sock_local(fd, out_addr), HF_OK);
    return fd;
}

static int connect_to(const struct hf_addr *addr)
{
    int fd;
    assert_int_equal(hf_sock_connect(addr, &fd), HF_OK);
    await(fd, POLLOUT);
    assert_int_equal(hf_sock_connect_result(fd), HF_OK);
    return fd;
}

static int accept_from(int listener, struct hf_addr *out_peer)
{
    int fd;
    await(listener, POLLIN);
    assert_int_equal(hf_sock_accept(listener, &fd, out_peer), HF_OK);
    assert_true(fd >= 0);
    return fd;
}

static void assert_born_right(int fd)
{
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

static void assert_nodelay(int fd)
{
    int on = 0;
    socklen_t len = sizeof(on);
    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, &len), 0);
    assert_int_not_equal(on, 0);
}

static void check_round_trip(const char *listen_text, bool tcp)
{
    struct hf_addr addr, peer, local;
    int listener = listen_on(listen_text, &addr);
    int client = connect_to(&addr);
    int server = accept_from(listener, &peer);
    assert_born_right(listener);
    assert_born_right(client);
    assert_born_right(server);
    if (tcp) {
        assert_nodelay(client);
        assert_nodelay(server);
        assert_int_equal(hf_sock_local(client, &local), HF_OK);
        assert_true(hf_addr_eq(&local, &peer));
    }
    uint8_t got[16];
    size_t n;
    bool would_block;
    assert_int_equal(hf_sock_read(server, hf_span_of(got, 16), &n, &would_block), HF_OK);
    assert_true(would_block && n == 0);
    assert_int_equal(hf_sock_write(client, hf_bytes_str("ping"), &n, &would_block), HF_OK);
    assert_int_equal(n, 4);
    await(server, POLLIN);
    assert_int_equal(hf_sock_read(server, hf_span_of(got, 16), &n, &would_block), HF_OK);
    assert_true(!would_block && n == 4);
    hf_sock_shut_write(client);
    await(server, POLLIN);
    assert_int_equal(hf_sock_read(server, hf_span_of(got, 16), &n, &would_block), HF_OK);
    assert_true(!would_block && n == 0);
    hf_closep(&client);
    hf_closep(&server);
    hf_closep(&listener);
    assert_int_equal(listener, -1);
    hf_closep(&listener);
}

static void test_tcp_over_v4(void **state)
{
    (void)state;
    check_round_trip("127.0.0.1:0", true);
}

static void test_tcp_over_v6(void **state)
{
    (void)state;
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    struct hf_addr loopback = addr_of("[::1]:0");
    if (fd < 0 || bind(fd, &loopback.sa, loopback.len) != 0) {
        hf_closep(&fd);
        print_message("# no IPv6 on this machine\n");
        return;
    }
    hf_closep(&fd);
    check_round_trip("[::1]:0", true);
}

static void test_unix_path(void **state)
{
    (void)state;
    char text[HF_ADDR_TEXT_SIZE];
    snprintf(text, sizeof(text), "unix:%s", scratch("s"));
    check_round_trip(text, false);
}

static void test_unix_abstract_name(void **state)
{
    (void)state;
    char text[HF_ADDR_TEXT_SIZE];
    snprintf(text, sizeof(text), "unix:@hf-test-sock-%d", (int)getpid());
    check_round_trip(text, false);
}

static void test_a_v4_peer_of_an_every_address_listener_is_given_as_v4(void **state)
{
    (void)state;
    struct hf_addr addr, peer, local;
    char text[HF_ADDR_TEXT_SIZE];
    int listener = listen_on(":0", &addr);
    struct hf_addr target = addr_of("127.0.0.1:0");
    hf_addr_set_port(&target, (uint16_t)hf_addr_port(&addr));
    int client = connect_to(&target);
    int server = accept_from(listener, &peer);
    hf_addr_format_ip(&peer, text);
    assert_string_equal(text, "127.0.0.1");
    assert_int_equal(hf_sock_local(server, &local), HF_OK);
    assert_true(hf_addr_eq(&local, &target));
    hf_closep(&client);
    hf_closep(&server);
    hf_closep(&listener);
}

static void test_two_listeners_share_a_port_but_a_stranger_is_noticed(void **state)
{
    (void)state;
    struct hf_addr addr, same;
    int first = listen_on("127.0.0.1:0", &addr);
    char text[HF_ADDR_TEXT_SIZE];
    hf_addr_format(&addr, text);
    int second = listen_on(text, &same);
    assert_true(hf_addr_eq(&addr, &same));
    assert_int_equal(hf_sock_check_free(&addr), HF_E_BUSY);
    assert_non_null(strstr(hf_err_text(), text));
    hf_closep(&first);
    hf_closep(&second);
    assert_int_equal(hf_sock_check_free(&addr), HF_OK);
}

static void test_an_address_that_is_not_ours_can_not_be_listened_on(void **state)
{
    (void)state;
    struct hf_addr addr = addr_of("192.0.2.1:8443");
    int fd = -1;
    assert_int_not_equal(hf_sock_listen(&addr, 16, 0600, &fd), HF_OK);
    assert_non_null(strstr(hf_err_text(), "192.0.2.1:8443"));
    assert_int_equal(fd, -1);
}

static struct hf_addr unix_addr(const char *name)
{
    char text[HF_ADDR_TEXT_SIZE];
    snprintf(text, sizeof(text), "unix:%s", scratch(name));
    return addr_of(text);
}

static void test_a_unix_socket_gets_its_mode_whatever_the_umask(void **state)
{
    (void)state;
    static const unsigned modes[] = {0600, 0660, 0666};
    static const unsigned masks[] = {0, 022, 077};
    for (size_t i = 0; i < 9; i++) {
        struct hf_addr addr = unix_addr("s");
        struct stat info;
        int fd;
        mode_t before = umask(masks[i % 3]);
        assert_int_equal(hf_sock_listen(&addr, 16, modes[i / 3], &fd), HF_OK);
        umask(before);
        assert_int_equal(stat(scratch("s"), &info), 0);
        assert_int_equal(info.st_mode & 0777, modes[i / 3]);
        hf_closep(&fd);
    }
}

static void test_a_stale_unix_path_is_replaced_and_a_live_one_is_not(void **state)
{
    (void)state;
    struct hf_addr addr = unix_addr("s");
    int first, second = -1;
    assert_int_equal(hf_sock_listen(&addr, 16, 0600, &first), HF_OK);
    assert_int_equal(hf_sock_listen(&addr, 16, 0600, &second), HF_E_BUSY);
    assert_int_equal(second, -1);
    hf_closep(&first); /* as after kill -9: the path stays */
    assert_int_equal(hf_sock_listen(&addr, 16, 0600, &second), HF_OK);
    hf_closep(&second);
}

static void test_a_file_in_the_way_is_never_removed(void **state)
{
    (void)state;
    struct hf_addr addr = unix_addr("precious");
    int file = open(scratch("precious"), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    int fd = -1;
    assert_true(file >= 0);
    hf_closep(&file);
    assert_int_equal(hf_sock_listen(&addr, 16, 0600, &fd), HF_E_BUSY);
    assert_int_equal(access(scratch("precious"), F_OK), 0);
}

static void test_accept_with_nobody_waiting_gives_none(void **state)
{
    (void)state;
    struct hf_addr addr, peer;
    int fd = 0;
    int listener = listen_on("127.0.0.1:0", &addr);
    assert_int_equal(hf_sock_accept(listener, &fd, &peer), HF_OK);
    assert_int_equal(fd, -1);
    hf_closep(&listener);
}

static void test_accept_out_of_descriptors_is_busy_and_recovers(void **state)
{
    (void)state;
    struct hf_addr addr, peer;
    struct rlimit before;
    int listener = listen_on("127.0.0.1:0", &addr);
    int client = connect_to(&addr);
    await(listener, POLLIN);
    int lowest_free = dup(0);
    close(lowest_free);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    struct rlimit tight = {.rlim_cur = (rlim_t)lowest_free, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
    int fd = 0;
    enum hf_err err = hf_sock_accept(listener, &fd, &peer);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
    assert_int_equal(err, HF_E_BUSY);
    assert_int_equal(fd, -1);
    fd = accept_from(listener, &peer);
    hf_closep(&fd);
    hf_closep(&client);
    hf_closep(&listener);
}

static void test_accept_on_what_does_not_listen_is_an_error(void **state)
{
    (void)state;
    struct hf_addr peer;
    int fd = 0;
    assert_int_equal(hf_sock_accept(-1, &fd, &peer), HF_E_IO);
    assert_int_equal(fd, -1);
}

static void test_a_refused_connection_is_told(void **state)
{
    (void)state;
    struct hf_addr addr;
    int listener = listen_on("127.0.0.1:0", &addr);
    hf_closep(&listener);
    int fd = -1;
    enum hf_err err = hf_sock_connect(&addr, &fd);
    if (err == HF_OK) {
        await(fd, POLLOUT);
        err = hf_sock_connect_result(fd);
        hf_closep(&fd);
    }
    assert_int_equal(err, HF_E_IO);
    assert_non_null(strstr(hf_err_text(), "refused"));
}

static void test_a_unix_path_that_is_not_there_is_told(void **state)
{
    (void)state;
    struct hf_addr addr = unix_addr("none");
    int fd = -1;
    assert_int_equal(hf_sock_connect(&addr, &fd), HF_E_NOT_FOUND);
    assert_non_null(strstr(hf_err_text(), "unix:"));
    assert_int_equal(fd, -1);
}

static void test_a_full_unix_queue_is_busy(void **state)
{
    (void)state;
    struct hf_addr addr = unix_addr("s");
    int listener, fds[8], n = 0;
    assert_int_equal(hf_sock_listen(&addr, 1, 0600, &listener), HF_OK);
    enum hf_err err = HF_OK;
    while (n < 8 && (err = hf_sock_connect(&addr, &fds[n])) == HF_OK) {
        n++;
    }
    assert_int_equal(err, HF_E_BUSY);
    while (n > 0) {
        hf_closep(&fds[--n]);
    }
    hf_closep(&listener);
}

static void test_a_socket_connected_to_itself_counts_as_refused(void **state)
{
    (void)state;
    struct hf_addr addr = addr_of("127.0.0.1:0");
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(fd, &addr.sa, addr.len), 0);
    assert_int_equal(hf_sock_local(fd, &addr), HF_OK);
    assert_int_equal(connect(fd, &addr.sa, addr.len), 0);
    assert_int_equal(hf_sock_connect_result(fd), HF_E_IO);
    hf_closep(&fd);
}

static void test_a_reset_reads_and_writes_as_closed(void **state)
{
    (void)state;
    struct hf_addr addr, peer;
    uint8_t got[4];
    size_t n;
    bool would_block;
    int listener = listen_on("127.0.0.1:0", &addr);
    int client = connect_to(&addr);
    int server = accept_from(listener, &peer);
    hf_sock_reset(client);
    hf_closep(&client);
    await(server, POLLIN);
    assert_int_equal(hf_sock_read(server, hf_span_of(got, 4), &n, &would_block), HF_E_CLOSED);
    assert_int_equal(hf_sock_write(server, hf_bytes_str("x"), &n, &would_block), HF_E_CLOSED);
    assert_false(would_block);
    assert_int_equal(hf_sock_write(-1, hf_bytes_str("x"), &n, &would_block), HF_E_IO);
    hf_closep(&server);
    hf_closep(&listener);
}

static void test_a_full_socket_buffer_would_block(void **state)
{
    (void)state;
    static uint8_t block[1 << 16];
    struct hf_addr addr, peer;
    size_t n;
    bool would_block = false;
    int listener = listen_on("127.0.0.1:0", &addr);
    int client = connect_to(&addr);
    int server = accept_from(listener, &peer);
    for (int i = 0; i < 1000 && !would_block; i++) {
        assert_int_equal(hf_sock_write(client, hf_bytes_of(block, sizeof(block)), &n, &would_block),
                         HF_OK);
    }
    assert_true(would_block);
    assert_int_equal(n, 0);
    hf_closep(&client);
    hf_closep(&server);
    hf_closep(&listener);
}

static uint32_t segments_in(int fd)
{
    struct tcp_info info;
    socklen_t len = sizeof(info);
    assert_int_equal(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
    return info.tcpi_segs_in;
}

static void test_the_last_bytes_and_the_end_are_one_packet(void **state)
{
    (void)state;
    struct hf_addr addr, peer;
    int listener = listen_on("127.0.0.1:0", &addr);
    int client = connect_to(&addr);
    int server = accept_from(listener, &peer);
    uint32_t before = segments_in(server);
    uint8_t got[16];
    size_t n;
    bool would_block;
    assert_int_equal(hf_sock_write_last(client, hf_bytes_str("bye"), &n, &would_block), HF_OK);
    assert_int_equal(n, 3);
    hf_sock_shut_write(client);
    await(server, POLLIN);
    assert_int_equal(hf_sock_read(server, hf_span_of(got, 16), &n, &would_block), HF_OK);
    assert_true(!would_block && n == 3);
    assert_int_equal(hf_sock_read(server, hf_span_of(got, 16), &n, &would_block), HF_OK);
    assert_true(!would_block && n == 0);
    assert_int_equal(segments_in(server), before + 1);
    hf_closep(&client);
    hf_closep(&server);
    hf_closep(&listener);
}

#define SOCK_TEST(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SOCK_TEST(test_tcp_over_v4),
        SOCK_TEST(test_tcp_over_v6),
        SOCK_TEST(test_unix_path),
        SOCK_TEST(test_unix_abstract_name),
        SOCK_TEST(test_a_v4_peer_of_an_every_address_listener_is_given_as_v4),
        SOCK_TEST(test_two_listeners_share_a_port_but_a_stranger_is_noticed),
        SOCK_TEST(test_an_address_that_is_not_ours_can_not_be_listened_on),
        SOCK_TEST(test_a_unix_socket_gets_its_mode_whatever_the_umask),
        SOCK_TEST(test_a_stale_unix_path_is_replaced_and_a_live_one_is_not),
        SOCK_TEST(test_a_file_in_the_way_is_never_removed),
        SOCK_TEST(test_accept_with_nobody_waiting_gives_none),
        SOCK_TEST(test_accept_out_of_descriptors_is_busy_and_recovers),
        SOCK_TEST(test_accept_on_what_does_not_listen_is_an_error),
        SOCK_TEST(test_a_refused_connection_is_told),
        SOCK_TEST(test_a_unix_path_that_is_not_there_is_told),
        SOCK_TEST(test_a_full_unix_queue_is_busy),
        SOCK_TEST(test_a_socket_connected_to_itself_counts_as_refused),
        SOCK_TEST(test_a_reset_reads_and_writes_as_closed),
        SOCK_TEST(test_a_full_socket_buffer_would_block),
        SOCK_TEST(test_the_last_bytes_and_the_end_are_one_packet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
