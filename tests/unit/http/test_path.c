// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/mem.h"
#include "http/path.h"

static const struct hf_http_path_rules resolve = {HF_PATH_RESOLVE, HF_PATH_REFUSE, HF_PATH_RESOLVE};
static const struct hf_http_path_rules keep = {HF_PATH_RESOLVE, HF_PATH_KEEP, HF_PATH_KEEP};
static const struct hf_http_path_rules refuse = {HF_PATH_REFUSE, HF_PATH_REFUSE, HF_PATH_REFUSE};

struct pair {
    const char *in;
    const char *out; /* NULL: refused */
};

static void check(const struct hf_http_path_rules *rules, const struct pair *pairs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct hf_buf out = HF_BUF_INIT(4096);
        enum hf_err err = hf_http_path_normalise(hf_bytes_str(pairs[i].in), rules, &out);
        if (pairs[i].out) {
            assert_int_equal(err, HF_OK);
            assert_string_equal(hf_buf_cstr(&out), pairs[i].out);
        } else {
            assert_int_equal(err, HF_E_INVALID);
            assert_int_equal(hf_buf_len(&out), 0);
        }
        hf_buf_done(&out);
    }
}

static void test_one_form(void **state)
{
    (void)state;
    static const struct pair pairs[] = {
        {"/", "/"},
        {"/a/b", "/a/b"},
        {"/a/", "/a/"},
        {"/%61/%7Eb", "/a/~b"},
        {"/%c3%a9", "/%C3%A9"},
        {"/a%20b", "/a%20b"},
        {"/a/./b", "/a/b"},
        {"/a/.", "/a/"},
        {"/a/..", "/"},
        {"/a/../b", "/b"},
        {"/a/b/../../c", "/c"},
        {"/..", "/"},
        {"/../../a", "/a"},
        {"/%2e%2E/a", "/a"},
        {"/a/.%2e/b", "/b"},
        {"/a/...", "/a/..."},
        {"/a/..b", "/a/..b"},
        {"/.well-known/x", "/.well-known/x"},
        {"//a///b//", "/a/b/"},
        {"/a//../b", "/b"},
        {"/a;x=1/b", "/a;x=1/b"},
        {"/a|b[c]", "/a|b[c]"},
        {"/a?b#c\"d", "/a%3Fb%23c%22d"},
        {"/a%2Fb", NULL},
        {"/a%5cb", NULL},
        {"/a\\b", NULL},
        {"/a/..;/b", NULL},
        {"/a/.;x/b", NULL},
        {"/a/%2e%2e;x", NULL},
        {"/%00", NULL},
        {"/%0d%0a", NULL},
        {"/%7f", NULL},
        {"/%", NULL},
        {"/%4", NULL},
        {"/%zz", NULL},
        {"a", NULL},
        {"", NULL},
    };
    check(&resolve, pairs, HF_N_ELEMENTS(pairs));
}

static void test_kept(void **state)
{
    (void)state;
    static const struct pair pairs[] = {
        {"/a%2fb", "/a%2Fb"}, {"/a\\b", "/a%5Cb"},  {"/a//b", "/a//b"},
        {"//", "//"},         {"/a//../b", "/a/b"}, {"/a%2f..%2fb", "/a%2F..%2Fb"},
    };
    check(&keep, pairs, HF_N_ELEMENTS(pairs));
}

static void test_refused(void **state)
{
    (void)state;
    static const struct pair pairs[] = {
        {"/a/../b", NULL}, {"/a/.", NULL}, {"/a//b", NULL}, {"/a/b/", "/a/b/"}, {"/a.b", "/a.b"},
    };
    check(&refuse, pairs, HF_N_ELEMENTS(pairs));
}

/* What is said to be normal is so, and the normal form of anything is its own. */
static void test_normal_is_a_fixed_point(void **state)
{
    (void)state;
    static const char bytes[] = {'/', '.', '%', '2', 'e', 'f', '\\', 'a', ';'};
    const size_t n = sizeof(bytes);
    for (size_t code = 0; code < n * n * n * n * n; code++) {
        char text[7] = "/";
        size_t rest = code;
        for (size_t i = 1; i < 6; i++, rest /= n) {
            text[i] = bytes[rest % n];
        }
        text[6] = '\0';
        struct hf_buf once = HF_BUF_INIT(64);
        struct hf_buf twice = HF_BUF_INIT(64);
        if (hf_http_path_normalise(hf_bytes_str(text), &keep, &once) == HF_OK) {
            struct hf_bytes form = hf_buf_bytes(&once);
            assert_int_equal(hf_http_path_normalise(form, &keep, &twice), HF_OK);
            assert_true(hf_bytes_eq(form, hf_buf_bytes(&twice)));
            if (hf_http_path_is_normal(hf_bytes_str(text))) {
                assert_true(hf_bytes_eq_str(form, text));
            }
        } else {
            assert_false(hf_http_path_is_normal(hf_bytes_str(text)));
        }
        hf_buf_done(&once);
        hf_buf_done(&twice);
    }
}

static void test_out_of_memory(void **state)
{
    (void)state;
    for (size_t n = 1;; n++) {
        struct hf_buf out = HF_BUF_INIT(4096);
        hf_alloc_fail_after(n);
        enum hf_err err = hf_http_path_normalise(hf_bytes_str("/a/%2e/b"), &resolve, &out);
        hf_alloc_fail_after(0);
        bool good = err == HF_OK;
        assert_int_equal(hf_buf_len(&out), good ? 4 : 0);
        hf_buf_done(&out);
        if (good) {
            return;
        }
        assert_int_equal(err, HF_E_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_form),      cmocka_unit_test(test_kept),
        cmocka_unit_test(test_refused),       cmocka_unit_test(test_normal_is_a_fixed_point),
        cmocka_unit_test(test_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
