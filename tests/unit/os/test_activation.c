// SPDX-License-Identifier: Apache-2.0
/*
 * Descriptors 3 and up belong to whoever runs the test, so each case runs in a child, which may
 * close and replace them as systemd would. The child's exit status says whether its assertions
 * held.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/activation.h"

enum { HELD = 0, BROKEN = 1 };

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            dprintf(2, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            return BROKEN; \
        } \
    } while (0)

static void assert_child(int (*body)(void))
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(body());
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), HELD);
}

static void set_number(const char *name, long value)
{
    char text[24];
    snprintf(text, sizeof(text), "%ld", value);
    setenv(name, text, 1);
}

/* Puts a listening socket at a number, blocking and inheritable, as systemd does. */
static bool listen_at(int number, const char *text, struct hf_addr *out_addr)
{
    struct hf_addr addr;
    int fd = -1;
    if (hf_addr_parse(text, &addr) != HF_OK || hf_sock_listen(&addr, 4, 0600, &fd) != HF_OK ||
        hf_sock_local(fd, out_addr) != HF_OK) {
        return false;
    }
    if (fd != number) {
        dup2(fd, number);
        close(fd);
    }
    return fcntl(number, F_SETFL, 0) == 0 && fcntl(number, F_SETFD, 0) == 0;
}

static int no_variables(void)
{
    struct hf_activation activation;
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    CHECK(hf_activation_open(&activation) == HF_OK);
    CHECK(activation.n == 0);
    hf_activation_done(&activation);
    return HELD;
}

static void test_without_variables_there_is_none(void **state)
{
    (void)state;
    assert_child(no_variables);
}

static int for_another_process(void)
{
    struct hf_activation activation;
    set_number("LISTEN_PID", getppid());
    setenv("LISTEN_FDS", "1", 1);
    CHECK(hf_activation_open(&activation) == HF_OK);
    CHECK(activation.n == 0);
    return HELD;
}

static void test_sockets_of_another_process_are_left_alone(void **state)
{
    (void)state;
    assert_child(for_another_process);
}

static int two_sockets(void)
{
    struct hf_activation activation;
    struct hf_addr addr[2], other;
    CHECK(listen_at(3, "127.0.0.1:0", &addr[0]));
    CHECK(listen_at(4, "unix:@hf-test-activation", &addr[1]));
    set_number("LISTEN_PID", getpid());
    setenv("LISTEN_FDS", "2", 1);
    setenv("LISTEN_FDNAMES", "api", 1);
    CHECK(hf_activation_open(&activation) == HF_OK);
    CHECK(activation.n == 2);
    CHECK(strcmp(activation.item[0].name, "api") == 0);
    CHECK(strcmp(activation.item[1].name, "unknown") == 0);
    CHECK(!getenv("LISTEN_PID") && !getenv("LISTEN_FDS") && !getenv("LISTEN_FDNAMES"));
    CHECK(fcntl(3, F_GETFD) & FD_CLOEXEC && fcntl(4, F_GETFD) & FD_CLOEXEC);
    CHECK(fcntl(3, F_GETFL) & O_NONBLOCK && fcntl(4, F_GETFL) & O_NONBLOCK);
    CHECK(hf_addr_parse("127.0.0.1:1", &other) == HF_OK);
    CHECK(hf_activation_take(&activation, &other) == -1);
    CHECK(hf_activation_take(&activation, &addr[1]) == 4);
    CHECK(hf_activation_take(&activation, &addr[1]) == -1);
    hf_activation_done(&activation);
    CHECK(fcntl(3, F_GETFD) == -1); /* not taken: closed */
    CHECK(fcntl(4, F_GETFD) != -1);
    return HELD;
}

static void test_sockets_are_matched_by_address_and_the_rest_closed(void **state)
{
    (void)state;
    assert_child(two_sockets);
}

static int names_in_order(void)
{
    struct hf_activation activation;
    struct hf_addr addr;
    for (int i = 3; i < 6; i++) {
        CHECK(listen_at(i, "127.0.0.1:0", &addr));
    }
    set_number("LISTEN_PID", getpid());
    setenv("LISTEN_FDS", "3", 1);
    setenv("LISTEN_FDNAMES", "a::c:too:many", 1);
    CHECK(hf_activation_open(&activation) == HF_OK);
    CHECK(strcmp(activation.item[0].name, "a") == 0);
    CHECK(strcmp(activation.item[1].name, "unknown") == 0);
    CHECK(strcmp(activation.item[2].name, "c") == 0);
    hf_activation_done(&activation);
    return HELD;
}

static void test_names_go_with_their_sockets(void **state)
{
    (void)state;
    assert_child(names_in_order);
}

static int refuse(int fd, const char *hint)
{
    struct hf_activation activation;
    dup2(fd, 3);
    set_number("LISTEN_PID", getpid());
    setenv("LISTEN_FDS", "1", 1);
    CHECK(hf_activation_open(&activation) == HF_E_INVALID);
    CHECK(strstr(hf_err_text(), hint));
    CHECK(activation.n == 0 && !activation.item);
    return HELD;
}

static int a_pipe(void)
{
    int fds[2];
    CHECK(pipe(fds) == 0);
    return refuse(fds[0], "no listening stream socket");
}

static int a_datagram_socket(void)
{
    return refuse(socket(AF_INET, SOCK_DGRAM, 0), "no listening stream socket");
}

static int a_socket_that_does_not_listen(void)
{
    return refuse(socket(AF_INET, SOCK_STREAM, 0), "no listening stream socket");
}

static int a_closed_descriptor(void)
{
    struct hf_activation activation;
    close(3);
    set_number("LISTEN_PID", getpid());
    setenv("LISTEN_FDS", "1", 1);
    CHECK(hf_activation_open(&activation) == HF_E_INVALID);
    return HELD;
}

static void test_what_is_no_listening_socket_is_refused(void **state)
{
    (void)state;
    assert_child(a_pipe);
    assert_child(a_datagram_socket);
    assert_child(a_socket_that_does_not_listen);
    assert_child(a_closed_descriptor);
}

static int nonsense(void)
{
    static const char *const bad[] = {"", "-1", "x", "1025", "99999999999999999999"};
    for (size_t i = 0; i < HF_N_ELEMENTS(bad); i++) {
        struct hf_activation activation;
        set_number("LISTEN_PID", getpid());
        setenv("LISTEN_FDS", bad[i], 1);
        CHECK(hf_activation_open(&activation) == HF_E_INVALID);
        CHECK(!getenv("LISTEN_FDS"));
    }
    return HELD;
}

static void test_variables_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    assert_child(nonsense);
}

static int short_of_memory(void)
{
    struct hf_addr addr;
    enum hf_err err = HF_E_NOMEM;
    for (size_t n = 1; err != HF_OK; n++) {
        struct hf_activation activation;
        CHECK(listen_at(3, "127.0.0.1:0", &addr) && listen_at(4, "127.0.0.1:0", &addr));
        set_number("LISTEN_PID", getpid());
        setenv("LISTEN_FDS", "2", 1);
        hf_alloc_fail_after(n);
        err = hf_activation_open(&activation);
        hf_alloc_fail_after(0);
        CHECK(err == HF_OK || err == HF_E_NOMEM);
        hf_activation_done(&activation);
    }
    return HELD;
}

static void test_running_out_of_memory_is_told(void **state)
{
    (void)state;
    assert_child(short_of_memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_variables_there_is_none),
        cmocka_unit_test(test_sockets_of_another_process_are_left_alone),
        cmocka_unit_test(test_sockets_are_matched_by_address_and_the_rest_closed),
        cmocka_unit_test(test_names_go_with_their_sockets),
        cmocka_unit_test(test_what_is_no_listening_socket_is_refused),
        cmocka_unit_test(test_variables_that_make_no_sense_are_refused),
        cmocka_unit_test(test_running_out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
