// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "os/file.h"
#include "scratch.h"

static void put(const char *path, const char *text, unsigned mode)
{
    assert_int_equal(hf_file_write_atomic(path, hf_bytes_str(text), mode), HF_OK);
}

static void assert_holds(const char *path, const char *text)
{
    struct hf_buf buf = HF_BUF_INIT(HF_FILE_MAX);
    assert_int_equal(hf_file_read(path, &buf), HF_OK);
    assert_true(hf_bytes_eq_str(hf_buf_bytes(&buf), text));
    hf_buf_done(&buf);
}

static unsigned mode_of(const char *path)
{
    struct stat info;
    assert_int_equal(stat(path, &info), 0);
    return info.st_mode & 07777;
}

static void test_a_file_is_read_behind_what_the_buffer_holds(void **state)
{
    (void)state;
    struct hf_buf buf = HF_BUF_INIT(100);
    put(scratch("f"), "world", 0600);
    assert_int_equal(hf_buf_append_str(&buf, "hello "), HF_OK);
    assert_int_equal(hf_file_read(scratch("f"), &buf), HF_OK);
    assert_true(hf_bytes_eq_str(hf_buf_bytes(&buf), "hello world"));
    hf_buf_done(&buf);
}

static void test_a_file_that_hides_its_size_is_read(void **state)
{
    (void)state;
    struct hf_buf buf = HF_BUF_INIT(HF_FILE_MAX);
    assert_int_equal(hf_file_read("/proc/self/status", &buf), HF_OK);
    assert_true(hf_buf_len(&buf) > 100);
    hf_buf_done(&buf);
}

static void test_a_file_may_fill_the_buffer_to_its_cap_but_not_beyond(void **state)
{
    (void)state;
    struct hf_buf buf = HF_BUF_INIT(5);
    put(scratch("f"), "12345", 0600);
    assert_int_equal(hf_file_read(scratch("f"), &buf), HF_OK);
    assert_int_equal(hf_buf_len(&buf), 5);
    hf_buf_done(&buf);
    buf = HF_BUF_INIT(4);
    assert_int_equal(hf_file_read(scratch("f"), &buf), HF_E_TOO_LARGE);
    assert_non_null(strstr(hf_err_text(), scratch("f")));
    assert_int_equal(hf_buf_len(&buf), 0);
    hf_buf_done(&buf);
    buf = HF_BUF_INIT(50);
    assert_int_equal(hf_file_read("/proc/self/status", &buf), HF_E_TOO_LARGE);
    assert_int_equal(hf_buf_len(&buf), 0);
    hf_buf_done(&buf);
}

static void test_an_empty_file_is_read_as_nothing(void **state)
{
    (void)state;
    put(scratch("f"), "", 0600);
    assert_holds(scratch("f"), "");
}

static void test_reading_what_is_no_file_is_refused(void **state)
{
    (void)state;
    struct hf_buf buf = HF_BUF_INIT(100);
    assert_int_equal(hf_file_read(scratch("none"), &buf), HF_E_NOT_FOUND);
    assert_non_null(strstr(hf_err_text(), scratch("none")));
    assert_int_equal(hf_file_read(scratch_dir, &buf), HF_E_INVALID);
    assert_non_null(strstr(hf_err_text(), "folder"));
    assert_int_equal(mkfifo(scratch("pipe"), 0600), 0);
    assert_int_equal(hf_file_read(scratch("pipe"), &buf), HF_E_INVALID);
    assert_int_equal(hf_file_read("/dev/zero", &buf), HF_E_INVALID);
    hf_buf_done(&buf);
}

static void test_a_file_without_permission_is_refused(void **state)
{
    (void)state;
    struct hf_buf buf = HF_BUF_INIT(100);
    put(scratch("f"), "x", 0);
    bool root = geteuid() == 0; /* who may read everything */
    assert_int_equal(root ? seteuid(65534) : 0, 0);
    enum hf_err err = hf_file_read(scratch("f"), &buf);
    assert_int_equal(root ? seteuid(0) : 0, 0);
    assert_int_equal(err, HF_E_PERMISSION);
    hf_buf_done(&buf);
}

static void test_writing_replaces_and_sets_the_mode_whatever_the_umask(void **state)
{
    (void)state;
    mode_t before = umask(077);
    put(scratch("f"), "old", 0644);
    assert_int_equal(mode_of(scratch("f")), 0644);
    umask(0);
    put(scratch("f"), "new", 0600);
    umask(before);
    assert_int_equal(mode_of(scratch("f")), 0600);
    assert_holds(scratch("f"), "new");
    assert_int_equal(scratch_n_files(), 1);
}

static void test_a_failed_write_leaves_the_old_file_and_no_temporary_one(void **state)
{
    (void)state;
    assert_int_equal(mkdir(scratch("d"), 0700), 0);
    enum hf_err err = hf_file_write_atomic(scratch("d"), hf_bytes_str("x"), 0600);
    assert_int_not_equal(err, HF_OK);
    assert_non_null(strstr(hf_err_text(), scratch("d")));
    assert_int_equal(scratch_n_files(), 1);
    err = hf_file_write_atomic(scratch("no/such"), hf_bytes_str("x"), 0600);
    assert_int_equal(err, HF_E_NOT_FOUND);
}

static void test_creating_refuses_to_replace(void **state)
{
    (void)state;
    assert_int_equal(hf_file_create(scratch("f"), hf_bytes_str("first"), 0600), HF_OK);
    assert_int_equal(hf_file_create(scratch("f"), hf_bytes_str("second"), 0600), HF_E_EXISTS);
    assert_holds(scratch("f"), "first");
    assert_int_equal(scratch_n_files(), 1);
    /* A dangling link is something too. */
    assert_int_equal(symlink("nowhere", scratch("link")), 0);
    assert_int_equal(hf_file_create(scratch("link"), hf_bytes_str("x"), 0600), HF_E_EXISTS);
}

static void test_running_out_of_memory_leaves_things_as_they_were(void **state)
{
    (void)state;
    put(scratch("f"), "old", 0600);
    for (size_t n = 1; n <= 2; n++) {
        hf_alloc_fail_after(n);
        assert_int_equal(hf_file_write_atomic(scratch("f"), hf_bytes_str("new"), 0600), HF_E_NOMEM);
        hf_alloc_fail_after(0);
        assert_holds(scratch("f"), "old");
        assert_int_equal(scratch_n_files(), 1);
    }
    struct hf_buf buf = HF_BUF_INIT(1000);
    hf_alloc_fail_after(1);
    assert_int_equal(hf_file_read(scratch("f"), &buf), HF_E_NOMEM);
    hf_alloc_fail_after(0);
    assert_int_equal(hf_buf_len(&buf), 0);
    hf_buf_done(&buf);
}

static void test_a_secret_that_others_may_read_or_write_is_refused(void **state)
{
    (void)state;
    static const struct {
        unsigned mode;
        enum hf_err want;
    } cases[] = {{0600, HF_OK},           {0400, HF_OK},           {0700, HF_OK},
                 {0640, HF_E_PERMISSION}, {0620, HF_E_PERMISSION}, {0604, HF_E_PERMISSION},
                 {0602, HF_E_PERMISSION}, {0644, HF_E_PERMISSION}};
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        struct hf_buf buf = HF_BUF_INIT(100);
        put(scratch("key"), "secret", cases[i].mode);
        assert_int_equal(hf_file_check_private(scratch("key")), cases[i].want);
        assert_int_equal(hf_file_read_private(scratch("key"), &buf), cases[i].want);
        if (cases[i].want != HF_OK) {
            assert_non_null(strstr(hf_err_text(), "chmod 600 "));
            assert_int_equal(hf_buf_len(&buf), 0);
        }
        hf_buf_done(&buf);
    }
    assert_int_equal(hf_file_check_private(scratch("none")), HF_E_NOT_FOUND);
}

static void assert_joins(const char *dir, const char *name, const char *want)
{
    HF_CLEANUP(hf_freep) char *path = hf_path_join(dir, name);
    assert_non_null(path);
    assert_string_equal(path, want);
}

static void assert_dir(const char *path, const char *want)
{
    HF_CLEANUP(hf_freep) char *dir = hf_path_dir(path);
    assert_non_null(dir);
    assert_string_equal(dir, want);
}

static void test_paths_are_joined_and_taken_apart(void **state)
{
    (void)state;
    assert_joins("a", "b", "a/b");
    assert_joins("a/", "b", "a/b");
    assert_joins("/", "b", "/b");
    assert_joins("a", "/b", "/b");
    assert_joins("", "b", "b");
    assert_joins(".", "b/c", "./b/c");
    assert_dir("a", ".");
    assert_dir("a/b", "a");
    assert_dir("/a", "/");
    assert_dir("/a/b/c", "/a/b");
    hf_alloc_fail_after(1);
    assert_null(hf_path_join("a", "b"));
    hf_alloc_fail_after(1);
    assert_null(hf_path_dir("a"));
    hf_alloc_fail_after(0);
}

#define FILE_TEST(name) cmocka_unit_test_setup_teardown(name, scratch_set_up, scratch_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(test_a_file_is_read_behind_what_the_buffer_holds),
        FILE_TEST(test_a_file_that_hides_its_size_is_read),
        FILE_TEST(test_a_file_may_fill_the_buffer_to_its_cap_but_not_beyond),
        FILE_TEST(test_an_empty_file_is_read_as_nothing),
        FILE_TEST(test_reading_what_is_no_file_is_refused),
        FILE_TEST(test_a_file_without_permission_is_refused),
        FILE_TEST(test_writing_replaces_and_sets_the_mode_whatever_the_umask),
        FILE_TEST(test_a_failed_write_leaves_the_old_file_and_no_temporary_one),
        FILE_TEST(test_creating_refuses_to_replace),
        FILE_TEST(test_running_out_of_memory_leaves_things_as_they_were),
        FILE_TEST(test_a_secret_that_others_may_read_or_write_is_refused),
        cmocka_unit_test(test_paths_are_joined_and_taken_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
