// SPDX-License-Identifier: Apache-2.0
#include "ca/outputs.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/mem.h"
#include "tree.h"

static struct hf_bytes text(const char *words)
{
    return hf_bytes_str(words);
}

static size_t n_files(void)
{
    char command[128];
    int n = 0;
    snprintf(command, sizeof(command), "ls -A %s | wc -l", tree_dir);
    FILE *pipe = popen(command, "r"); /* NOLINT(cert-env33-c) a path of our own */
    assert_int_equal(fscanf(pipe, "%d", &n), 1);
    pclose(pipe);
    return (size_t)n;
}

static void files_appear_together(void **state)
{
    (void)state;
    struct hf_outputs outputs = {0};
    assert_int_equal(hf_outputs_add(&outputs, tree("a"), text("one"), 0644), HF_OK);
    assert_int_equal(hf_outputs_add(&outputs, tree("b"), text(""), 0600), HF_OK);
    assert_false(tree_has("a") || tree_has("b"));
    assert_int_equal(hf_outputs_publish(&outputs), HF_OK);
    assert_int_equal(tree_size("a"), 3);
    assert_int_equal(tree_mode("a"), 0644);
    assert_int_equal(tree_mode("b"), 0600);
    hf_outputs_done(&outputs);
    assert_int_equal(n_files(), 2);
}

static void unpublished_files_go_away(void **state)
{
    (void)state;
    struct hf_outputs outputs = {0};
    assert_int_equal(hf_outputs_add(&outputs, tree("a"), text("secret"), 0600), HF_OK);
    assert_int_equal(n_files(), 1);
    hf_outputs_done(&outputs);
    assert_int_equal(n_files(), 0);
}

static void existing_files_are_kept_unless_forced(void **state)
{
    (void)state;
    tree_append("a", "before");
    struct hf_outputs outputs = {0};
    assert_int_equal(hf_outputs_add(&outputs, tree("a"), text("x"), 0600), HF_E_EXISTS);
    assert_non_null(strstr(hf_err_text(), "--force"));
    hf_outputs_done(&outputs);
    outputs.replace = true;
    assert_int_equal(hf_outputs_add(&outputs, tree("a"), text("x"), 0600), HF_OK);
    assert_int_equal(hf_outputs_publish(&outputs), HF_OK);
    assert_int_equal(tree_size("a"), 1);
    hf_outputs_done(&outputs);
}

/* Somebody makes the file between add and publish: it is not replaced, and ours is not lost. */
static void file_made_meanwhile_is_not_replaced(void **state)
{
    (void)state;
    struct hf_outputs outputs = {0};
    assert_int_equal(hf_outputs_add(&outputs, tree("a"), text("ours"), 0600), HF_OK);
    tree_append("a", "theirs, longer");
    assert_int_equal(hf_outputs_publish(&outputs), HF_E_EXISTS);
    assert_non_null(strstr(hf_err_text(), "what was to go there is in"));
    hf_outputs_done(&outputs);
    assert_int_equal(tree_size("a"), 14);
    assert_int_equal(n_files(), 2);
}

static void missing_folder_is_told(void **state)
{
    (void)state;
    struct hf_outputs outputs = {0};
    assert_int_equal(hf_outputs_add(&outputs, tree("no/a"), text("x"), 0600), HF_E_NOT_FOUND);
    assert_non_null(strstr(hf_err_text(), "no/a"));
    hf_outputs_done(&outputs);
}

#define TREE_TEST(name) cmocka_unit_test_setup_teardown(name, tree_set_up, tree_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TREE_TEST(files_appear_together),
        TREE_TEST(unpublished_files_go_away),
        TREE_TEST(existing_files_are_kept_unless_forced),
        TREE_TEST(file_made_meanwhile_is_not_replaced),
        TREE_TEST(missing_folder_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
