// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/logsink.h"
#include "os/sock.h"
#include "scratch.h"

enum { CLOSE_MS = 60000 };

static struct hf_logsink *open_sink(const char *to)
{
    struct hf_logsink *sink = NULL;
    assert_int_equal(hf_logsink_open(to, HF_LOG_TEXT, &hf_os_clock, &sink), HF_OK);
    return sink;
}

static void say(struct hf_logsink *sink, const char *text)
{
    struct hf_log log = hf_logsink_log(sink, HF_LOG_INFO);
    hf_log_say(&log, HF_LOG_INFO, "test", "%s", text);
}

/* The file's contents as a string of the caller's. */
static char *contents(const char *path)
{
    struct hf_buf buf = HF_BUF_INIT(HF_FILE_MAX);
    assert_int_equal(hf_file_read(path, &buf), HF_OK);
    const char *text = hf_buf_cstr(&buf);
    assert_non_null(text);
    char *copy = hf_strdup(text);
    hf_buf_done(&buf);
    assert_non_null(copy);
    return copy;
}

/* Not strstr: under a sanitizer it looks at the whole text each time. */
static unsigned count(const char *text, const char *what)
{
    unsigned n = 0;
    for (size_t len = strlen(what); *text; text++) {
        n += *text == *what && strncmp(text, what, len) == 0;
    }
    return n;
}

/* Lets the logger work until the condition holds. */
#define AWAIT(condition) \
    for (int tries_ = 0; !(condition); tries_++) { \
        assert_true(tries_ < 30000); \
        (void)poll(NULL, 0, 1); \
    }

static uint64_t n_errors(struct hf_logsink *sink)
{
    struct hf_logsink_stats stats;
    hf_logsink_stats(sink, &stats);
    return stats.write_errors;
}

static uint64_t n_dropped(struct hf_logsink *sink)
{
    struct hf_logsink_stats stats;
    hf_logsink_stats(sink, &stats);
    return stats.dropped;
}

static off_t size_of(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? info.st_size : -1;
}

static void test_lines_reach_the_file_in_order(void **state)
{
    (void)state;
    struct hf_logsink *sink = open_sink(scratch("log"));
    for (int i = 0; i < 1000; i++) {
        char text[32];
        snprintf(text, sizeof(text), "n%d", i);
        say(sink, text);
    }
    struct hf_logsink_stats stats;
    hf_logsink_stats(sink, &stats);
    assert_int_equal(stats.lines, 1000);
    assert_int_equal(stats.dropped, 0);
    assert_int_equal(hf_logsink_close(sink, CLOSE_MS), HF_OK);
    char *text = contents(scratch("log"));
    const char *at = text;
    for (int i = 0; i < 1000; i++) {
        char want[32];
        snprintf(want, sizeof(want), "text=n%d\n", i);
        at = strstr(at, want);
        assert_non_null(at);
    }
    assert_int_equal(count(text, "\n"), 1000);
    hf_free(text);
}

static void test_lines_appear_without_closing(void **state)
{
    (void)state;
    struct hf_logsink *sink = open_sink(scratch("log"));
    say(sink, "one");
    AWAIT(size_of(scratch("log")) > 0);
    off_t before = size_of(scratch("log"));
    say(sink, "two");
    AWAIT(size_of(scratch("log")) > before);
    assert_int_equal(hf_logsink_close(sink, CLOSE_MS), HF_OK);
}

static void test_a_file_is_appended_to_and_not_readable_by_everybody(void **state)
{
    (void)state;
    struct stat info;
    for (int i = 0; i < 2; i++) {
        struct hf_logsink *sink = open_sink(scratch("log"));
        say(sink, "x");
        assert_int_equal(hf_logsink_close(sink, CLOSE_MS), HF_OK);
    }
    char *text = contents(scratch("log"));
    assert_int_equal(count(text, "\n"), 2);
    assert_int_equal(stat(scratch("log"), &info), 0);
    assert_int_equal(info.st_mode & 07, 0);
    hf_free(text);
}

static void test_a_path_that_can_not_be_opened_is_told(void **state)
{
    (void)state;
    struct hf_logsink *sink = NULL;
    assert_int_equal(hf_logsink_open(scratch("no/log"), HF_LOG_TEXT, &hf_os_clock, &sink),
                     HF_E_NOT_FOUND);
    assert_non_null(strstr(hf_err_text(), scratch("no/log")));
    assert_null(sink);
    assert_int_equal(hf_logsink_close(NULL, 0), HF_OK);
}

static void test_running_out_of_memory_while_opening_is_told(void **state)
{
    (void)state;
    enum hf_err err = HF_E_NOMEM;
    size_t n = 1;
    for (; err != HF_OK; n++) {
        struct hf_logsink *sink = NULL;
        hf_alloc_fail_after(n);
        err = hf_logsink_open(scratch("log"), HF_LOG_TEXT, &hf_os_clock, &sink);
        hf_alloc_fail_after(0);
        assert_true(err == HF_OK || err == HF_E_NOMEM);
        assert_int_equal(hf_logsink_close(sink, CLOSE_MS), HF_OK);
    }
    assert_true(n > 3);
}

static void test_a_thread_without_memory_for_a_queue_has_its_lines_counted(void **state)
{
    (void)state;
    struct hf_logsink *sink = open_sink(scratch("log"));
    hf_alloc_fail_after(1);
    say(sink, "lost");
    hf_alloc_fail_after(0);
    assert_int_equal(n_dropped(sink), 1);
    say(sink, "kept");
    assert_int_equal(hf_logsink_close(sink, CLOSE_MS), HF_OK);
    char *text = contents(scratch("log"));
    assert_null(strstr(text, "lost"));
    assert_non_null(strstr(text, "kept"));
    assert_non_null(strstr(text, "warn log-dropped lines=1\n"));
    hf_free(text);
}

enum { N_THREADS = 4, N_LINES = 3000 };

static void *say_many(void *arg)
{
    for (int i = 0; i < N_LINES; i++) {
        say(arg, "0123456789012345678901234567890123456789");
        if (i % 500 == 0) {
            (void)poll(NULL, 0, 1);
        }
    }
    return NULL;
}

static void test_lines_of_many_threads_are_whole_and_all_accounted_for(void **state)
{
    (void)state;
    struct hf_logsink *sink = open_sink(scratch("log"));
    struct hf_logsink_stats stats;
    for (int round = 0; round < 2; round++) { /* the second round reuses the first one's queues */
        pthread_t threads[N_THREADS];
        for (int i = 0; i < N_THREADS; i++) {
            assert_int_equal(pthread_create(&threads[i], NULL, say_many, sink), 0);
        }
        for (int i = 0; i < N_THREADS; i++) {
            pthread_join(threads[i], NULL);
        }
    }
    hf_logsink_stats(sink, &stats);
    assert_int_equal(stats.lines + stats.dropped, 2 * N_THREADS * N_LINES);
    assert_int_equal(hf_logsink_close(sink, CLOSE_MS), HF_OK);
    char *text = contents(scratch("log"));
    unsigned n_whole = count(text, "Z info test text=0123456789012345678901234567890123456789\n");
    assert_int_equal(n_whole, stats.lines);
    assert_int_equal(count(text, "\n"), stats.lines + count(text, " log-dropped "));
    hf_free(text);
}

static void test_reopen_follows_a_rotated_file(void **state)
{
    (void)state;
    struct hf_logsink *sink = open_sink(scratch("log"));
    say(sink, "before");
    AWAIT(size_of(scratch("log")) > 0);
    assert_int_equal(rename(scratch("log"), scratch("log.1")), 0);
    hf_logsink_reopen(sink);
    AWAIT(size_of(scratch("log")) == 0);
    say(sink, "after");
    assert_int_equal(hf_logsink_close(sink, CLOSE_MS), HF_OK);
    char *old = contents(scratch("log.1"));
    char *new = contents(scratch("log"));
    assert_non_null(strstr(old, "text=before\n"));
    assert_non_null(strstr(new, "text=after\n"));
    assert_int_equal(count(old, "\n") + count(new, "\n"), 2);
    hf_free(old);
    hf_free(new);
}

static void test_a_reopen_that_fails_keeps_the_old_file_and_says_so(void **state)
{
    (void)state;
    assert_int_equal(symlink(scratch("real"), scratch("log")), 0);
    struct hf_logsink *sink = open_sink(scratch("log"));
    assert_int_equal(unlink(scratch("log")), 0);
    assert_int_equal(symlink(scratch("no/such"), scratch("log")), 0);
    hf_logsink_reopen(sink);
    AWAIT(size_of(scratch("real")) > 0);
    say(sink, "still here");
    assert_int_equal(hf_logsink_close(sink, CLOSE_MS), HF_OK);
    char *text = contents(scratch("real"));
    assert_non_null(strstr(text, "warn log-reopen-failed"));
    assert_non_null(strstr(text, "still here"));
    hf_free(text);
}

static void set_file_limit(rlim_t limit)
{
    struct rlimit now;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &now), 0);
    now.rlim_cur = limit;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
}

/* A file size limit stands in for a full disk: writes come back short, then fail. */
static void test_a_full_disk_is_survived_and_reported_on_recovery(void **state)
{
    (void)state;
    struct hf_logsink *sink = open_sink(scratch("log"));
    struct hf_log log = hf_logsink_log(sink, HF_LOG_INFO);
    assert_false(hf_log_behind(&log));
    signal(SIGXFSZ, SIG_IGN);
    set_file_limit(1000);
    for (int i = 0; i < 20000; i++) {
        say(sink, "0123456789");
    }
    AWAIT(n_errors(sink) > 0 && n_dropped(sink) > 0);
    assert_true(hf_log_behind(&log));
    assert_int_equal(size_of(scratch("log")), 1000); /* the last line is torn */
    struct hf_logsink_stats stats;
    hf_logsink_stats(sink, &stats);
    set_file_limit(RLIM_INFINITY);
    assert_int_equal(hf_logsink_close(sink, CLOSE_MS), HF_OK);
    char *text = contents(scratch("log"));
    assert_int_equal(count(text, "Z info test text=0123456789\n"), stats.lines);
    char want[64];
    snprintf(want, sizeof(want), "warn log-dropped lines=%u\n", (unsigned)stats.dropped);
    assert_non_null(strstr(text, want));
    assert_non_null(strstr(text, "warn log-recovered error=\"File too large\" failed_ms="));
    assert_int_equal(count(text, "\n"), stats.lines + 2);
    hf_free(text);
}

static void test_a_device_without_space_fails_until_the_file_is_another(void **state)
{
    (void)state;
    assert_int_equal(symlink("/dev/full", scratch("log")), 0);
    struct hf_logsink *sink = open_sink(scratch("log"));
    say(sink, "patience");
    AWAIT(n_errors(sink) > 0);
    assert_int_equal(unlink(scratch("log")), 0);
    hf_logsink_reopen(sink);
    AWAIT(size_of(scratch("log")) > 0);
    assert_int_equal(hf_logsink_close(sink, CLOSE_MS), HF_OK);
    char *text = contents(scratch("log"));
    assert_non_null(strstr(text, "text=patience\n"));
    assert_non_null(strstr(text, "log-recovered error=\"No space left on device\""));
    hf_free(text);
}

static void test_the_rest_of_a_torn_line_does_not_reach_a_new_file(void **state)
{
    (void)state;
    struct hf_logsink *sink = open_sink(scratch("log"));
    signal(SIGXFSZ, SIG_IGN);
    set_file_limit(10);
    say(sink, "torn");
    say(sink, "whole");
    AWAIT(n_errors(sink) > 0);
    assert_int_equal(rename(scratch("log"), scratch("log.1")), 0);
    set_file_limit(RLIM_INFINITY);
    hf_logsink_reopen(sink);
    AWAIT(size_of(scratch("log")) > 0);
    assert_int_equal(hf_logsink_close(sink, CLOSE_MS), HF_OK);
    char *text = contents(scratch("log"));
    if (size_of(scratch("log.1")) == 10) { /* or the retry won the race and wrote all of it */
        assert_null(strstr(text, "torn"));
        assert_non_null(strstr(text, "log-dropped lines=1\n"));
        assert_non_null(strstr(text, "text=whole\n"));
    }
    assert_true(text[4] == '-'); /* begins with a date, not in the middle of a line */
    hf_free(text);
}

static void test_closing_on_a_full_disk_is_bounded_and_says_that_lines_are_lost(void **state)
{
    (void)state;
    struct hf_logsink *sink = open_sink("/dev/full");
    say(sink, "lost");
    assert_int_equal(hf_logsink_close(sink, 50), HF_E_TIMEOUT); /* or the test never ends */
}

/* --- stderr --------------------------------------------------------------------------------- */

static int saved_stderr;

static void redirect_stderr(int fd)
{
    saved_stderr = dup(STDERR_FILENO);
    assert_true(dup2(fd, STDERR_FILENO) >= 0);
}

static void restore_stderr(void)
{
    assert_true(dup2(saved_stderr, STDERR_FILENO) >= 0);
    hf_closep(&saved_stderr);
}

/* Until that many lines have come, or what comes is the last of it: `fd` is then at its end. */
static size_t read_lines(int fd, char *out, size_t size, uint64_t n_lines)
{
    size_t len = 0;
    struct pollfd wait = {.fd = fd, .events = POLLIN};
    while (len < size && n_lines && poll(&wait, 1, CLOSE_MS) > 0) {
        ssize_t n = read(fd, out + len, size - len);
        if (n <= 0) {
            break;
        }
        for (size_t end = len + (size_t)n; len < end; len++) {
            n_lines -= out[len] == '\n' && n_lines;
        }
    }
    return len;
}

/* fds: reading end, writing end; the reader is stuck until the queue has overflown. */
static void check_stuck_reader(int fds[static 2])
{
    static char got[4 << 20];
    struct hf_logsink_stats stats;
    redirect_stderr(fds[1]);
    struct hf_logsink *sink = open_sink("stderr");
    for (int i = 0; i < 20000; i++) {
        say(sink, "0123456789");
    }
    AWAIT(n_dropped(sink) > 0);
    assert_int_equal(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0);
    hf_logsink_stats(sink, &stats);
    AWAIT(poll(&(struct pollfd){.fd = fds[1], .events = POLLOUT}, 1, 0) == 0);
    hf_logsink_reopen(sink); /* means nothing here, and must not cut the line that is half out */
    /* Each line, and the one that says how many were dropped. */
    size_t len = read_lines(fds[0], got, sizeof(got) - 1, stats.lines + 1);
    assert_int_equal(hf_logsink_close(sink, CLOSE_MS), HF_OK);
    restore_stderr();
    hf_closep(&fds[1]);
    len += read_lines(fds[0], got + len, sizeof(got) - 1 - len, UINT64_MAX);
    got[len] = '\0';
    assert_int_equal(count(got, "Z info test text=0123456789\n"), stats.lines);
    assert_int_equal(count(got, "warn log-dropped "), 1);
    hf_closep(&fds[0]);
    hf_closep(&fds[1]);
}

static void test_a_stuck_pipe_drops_lines_and_recovers(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    check_stuck_reader(fds);
}

static void test_a_stuck_socket_drops_lines_and_recovers(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    check_stuck_reader(fds);
}

static void test_a_pipe_whose_reader_left_harms_nobody(void **state)
{
    (void)state;
    int fds[2];
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    redirect_stderr(fds[1]);
    struct hf_logsink *sink = open_sink("stderr");
    hf_closep(&fds[0]);
    say(sink, "into the void");
    AWAIT(n_errors(sink) > 0);
    int64_t start = hf_clock_mono_ns(&hf_os_clock);
    enum hf_err err = hf_logsink_close(sink, 3600000);
    restore_stderr();
    assert_int_equal(err, HF_E_TIMEOUT);
    assert_true(hf_clock_mono_ns(&hf_os_clock) - start < 60000000000); /* it didn't wait */
    hf_closep(&fds[1]);
}

#define SINK_TEST(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SINK_TEST(test_lines_reach_the_file_in_order),
        SINK_TEST(test_lines_appear_without_closing),
        SINK_TEST(test_a_file_is_appended_to_and_not_readable_by_everybody),
        SINK_TEST(test_a_path_that_can_not_be_opened_is_told),
        SINK_TEST(test_running_out_of_memory_while_opening_is_told),
        SINK_TEST(test_a_thread_without_memory_for_a_queue_has_its_lines_counted),
        SINK_TEST(test_lines_of_many_threads_are_whole_and_all_accounted_for),
        SINK_TEST(test_reopen_follows_a_rotated_file),
        SINK_TEST(test_a_reopen_that_fails_keeps_the_old_file_and_says_so),
        SINK_TEST(test_a_full_disk_is_survived_and_reported_on_recovery),
        SINK_TEST(test_a_device_without_space_fails_until_the_file_is_another),
        SINK_TEST(test_the_rest_of_a_torn_line_does_not_reach_a_new_file),
        SINK_TEST(test_closing_on_a_full_disk_is_bounded_and_says_that_lines_are_lost),
        SINK_TEST(test_a_stuck_pipe_drops_lines_and_recovers),
        SINK_TEST(test_a_stuck_socket_drops_lines_and_recovers),
        SINK_TEST(test_a_pipe_whose_reader_left_harms_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
