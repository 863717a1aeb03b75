// SPDX-License-Identifier: Apache-2.0

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/keylog.h"

static char path[] = "/tmp/hf-test-keylog-XXXXXX";

static int make_path(void **state)
{
    (void)state;
    int fd = mkstemp(path);
    if (fd < 0) {
        return -1;
    }
    close(fd);
    return unlink(path);
}

static int drop_path(void **state)
{
    (void)state;
    return unlink(path);
}

static void test_lines_are_appended_to_a_private_file(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct hf_keylog keylog;
        assert_int_equal(hf_keylog_open(&keylog, path), HF_OK);
        hf_keylog_line(&keylog, i ? "SECOND 00 11" : "FIRST 00 11");
        hf_keylog_done(&keylog);
        hf_keylog_line(&keylog, "closed"); /* nothing happens */
    }
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    char text[64] = "";
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_int_equal(fread(text, 1, sizeof(text) - 1, file), 25);
    fclose(file);
    assert_string_equal(text, "FIRST 00 11\nSECOND 00 11\n");
}

static void test_a_folder_that_is_missing_is_named(void **state)
{
    (void)state;
    struct hf_keylog keylog;
    assert_int_equal(hf_keylog_open(&keylog, "/nowhere/keys.log"), HF_E_NOT_FOUND);
    assert_non_null(strstr(hf_err_text(), "/nowhere/keys.log"));
    hf_keylog_done(&keylog);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lines_are_appended_to_a_private_file, make_path,
                                        drop_path),
        cmocka_unit_test(test_a_folder_that_is_missing_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
