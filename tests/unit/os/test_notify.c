// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>

#include "os/notify.h"
#include "scratch.h"

static int64_t three_seconds(void *ctx)
{
    (void)ctx;
    return 3000000999;
}

static const struct hf_clock clock_at_three = {.mono_ns = three_seconds};

/* The manager's side: a datagram socket, by NOTIFY_SOCKET's own spelling of its name. */
static int manager(const char *name)
{
    char text[HF_ADDR_TEXT_SIZE];
    struct hf_addr addr;
    snprintf(text, sizeof(text), "unix:%s", name);
    assert_int_equal(hf_addr_parse(text, &addr), HF_OK);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(fd, &addr.sa, addr.len), 0);
    setenv("NOTIFY_SOCKET", name, 1);
    return fd;
}

static void assert_heard(int fd, const char *want)
{
    char got[1024] = "";
    ssize_t n = recv(fd, got, sizeof(got) - 1, 0);
    assert_true(n > 0);
    assert_string_equal(got, want);
}

static void check_all_messages(const char *name)
{
    struct hf_notify notify;
    int fd = manager(name);
    assert_int_equal(hf_notify_open(&notify), HF_OK);
    assert_null(getenv("NOTIFY_SOCKET"));
    assert_int_equal(hf_notify_ready(&notify, "2 listeners"), HF_OK);
    assert_heard(fd, "READY=1\nSTATUS=2 listeners");
    assert_int_equal(hf_notify_reloading(&notify, &clock_at_three, NULL), HF_OK);
    assert_heard(fd, "RELOADING=1\nMONOTONIC_USEC=3000000\n");
    assert_int_equal(hf_notify_stopping(&notify, NULL), HF_OK);
    assert_heard(fd, "STOPPING=1\n");
    assert_int_equal(hf_notify_status(&notify, "draining"), HF_OK);
    assert_heard(fd, "STATUS=draining");
    close(fd);
    assert_int_not_equal(hf_notify_ready(&notify, NULL), HF_OK);
    assert_non_null(strstr(hf_err_text(), "telling systemd"));
}

static void test_messages_reach_a_path(void **state)
{
    (void)state;
    check_all_messages(scratch("notify"));
}

static void test_messages_reach_an_abstract_socket(void **state)
{
    (void)state;
    char name[64];
    snprintf(name, sizeof(name), "@hf-test-notify-%d", (int)getpid());
    check_all_messages(name);
}

static void test_a_status_can_not_smuggle_in_fields_and_is_cut(void **state)
{
    (void)state;
    static char long_status[2000];
    struct hf_notify notify;
    int fd = manager(scratch("notify"));
    assert_int_equal(hf_notify_open(&notify), HF_OK);
    assert_int_equal(hf_notify_status(&notify, "a\nMAINPID=1\x7f\x01z"), HF_OK);
    assert_heard(fd, "STATUS=a MAINPID=1  z");
    memset(long_status, 'x', sizeof(long_status) - 1);
    assert_int_equal(hf_notify_status(&notify, long_status), HF_OK);
    char got[2048];
    assert_int_equal(recv(fd, got, sizeof(got), 0), 511);
    close(fd);
}

static void test_without_the_variable_nothing_is_sent(void **state)
{
    (void)state;
    struct hf_notify notify;
    unsetenv("NOTIFY_SOCKET");
    assert_int_equal(hf_notify_open(&notify), HF_OK);
    assert_int_equal(hf_notify_ready(&notify, "x"), HF_OK);
    setenv("NOTIFY_SOCKET", "", 1);
    assert_int_equal(hf_notify_open(&notify), HF_OK);
    assert_int_equal(hf_notify_stopping(&notify, NULL), HF_OK);
}

static void test_a_name_of_no_kind_we_know_is_refused(void **state)
{
    (void)state;
    struct hf_notify notify;
    char name[200];
    setenv("NOTIFY_SOCKET", "vsock:2:1234", 1);
    assert_int_equal(hf_notify_open(&notify), HF_E_INVALID);
    memset(name, 'x', sizeof(name) - 1);
    name[0] = '/';
    name[sizeof(name) - 1] = '\0';
    setenv("NOTIFY_SOCKET", name, 1);
    assert_int_equal(hf_notify_open(&notify), HF_E_INVALID);
    name[112] = '\0';
    setenv("NOTIFY_SOCKET", name, 1);
    assert_int_equal(hf_notify_open(&notify), HF_E_INVALID);
    unsetenv("NOTIFY_SOCKET");
}

#define NOTIFY_TEST(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        NOTIFY_TEST(test_messages_reach_a_path),
        NOTIFY_TEST(test_messages_reach_an_abstract_socket),
        NOTIFY_TEST(test_a_status_can_not_smuggle_in_fields_and_is_cut),
        NOTIFY_TEST(test_without_the_variable_nothing_is_sent),
        NOTIFY_TEST(test_a_name_of_no_kind_we_know_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
