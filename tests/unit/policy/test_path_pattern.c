// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "policy/path_pattern.h"

#define WHOLE ((int)-1)
#define NO    ((int)-2)

/* What matching gives: NO, WHOLE, or how much stands before what is beneath. */
static int match(const char *text, const char *path)
{
    struct hf_path_pattern pattern;
    size_t len = 0;
    if (hf_path_pattern_init(&pattern, hf_bytes_str(text)) != HF_OK) {
        fail_msg("%s: %s", text, hf_err_text());
    }
    bool found = hf_path_pattern_match(&pattern, hf_bytes_str(path), &len);
    hf_path_pattern_done(&pattern);
    return !found ? NO : len == HF_PATH_WHOLE ? WHOLE : (int)len;
}

static void expect(const char *text, const char *path, int wanted)
{
    int got = match(text, path);
    if (got != wanted) {
        fail_msg("%s with %s: %d in place of %d", text, path, got, wanted);
    }
}

static void a_path_is_itself_alone(void **state)
{
    (void)state;
    expect("/login", "/login", WHOLE);
    expect("/login", "/login/", NO);
    expect("/login", "/login/x", NO);
    expect("/login", "/loginx", NO);
    expect("/login", "/logi", NO);
    expect("/login", "/Login", NO);
    expect("/login", "/", NO);
    expect("/login", "", NO);
    expect("/login", "*", NO);
    expect("/a%2Fb", "/a%2Fb", WHOLE);
    expect("/a%2Fb", "/a/b", NO);
}

static void a_slash_at_the_end_is_everything_beneath(void **state)
{
    (void)state;
    expect("/admin/", "/admin", 6);
    expect("/admin/", "/admin/", 6);
    expect("/admin/", "/admin/users/7", 6);
    expect("/admin/", "/admin//x", 6);
    expect("/admin/", "/administrator", NO);
    expect("/admin/", "/admi", NO);
    expect("/admin/", "/x/admin/", NO);
    expect("/", "/", 0);
    expect("/", "/x/y", 0);
    expect("/", "*", NO);
    expect("/", "", NO);
}

static void a_star_stays_in_its_segment(void **state)
{
    (void)state;
    expect("/users/*", "/users/7", WHOLE);
    expect("/users/*", "/users/", NO);
    expect("/users/*", "/users", NO);
    expect("/users/*", "/users/7/keys", NO);
    expect("/users/x-*", "/users/x-", WHOLE);
    expect("/users/x-*", "/users/x-1", WHOLE);
    expect("/users/x-*", "/users/y-1", NO);
    expect("/*.css", "/a.css", WHOLE);
    expect("/*.css", "/.css", WHOLE);
    expect("/*.css", "/a/b.css", NO);
    expect("/users/*/keys/", "/users/7/keys", 13);
    expect("/users/*/keys/", "/users/7/keys/1", 13);
    expect("/users/*/keys/", "/users/7/8/keys/1", NO);
    expect("/users/*/", "/users/7", 8);
    expect("/users/*/", "/users/", NO);
    expect("/*/", "/", NO);
    expect("/*/", "/a/b", 2);
    expect("/a*b*c", "/aXbYbc", WHOLE);
    expect("/a*b*c", "/aXbYb", NO);
    expect("/\\*", "/*", WHOLE);
    expect("/\\*", "/x", NO);
}

static void two_stars_are_any_number_of_segments(void **state)
{
    (void)state;
    expect("/**", "/", WHOLE);
    expect("/**", "/a/b", WHOLE);
    expect("/**/keys", "/keys", WHOLE);
    expect("/**/keys", "/a/b/keys", WHOLE);
    expect("/**/keys", "/a/keys/b", NO);
    expect("/**/keys/", "/a/keys/b", 7);
    expect("/**/keys/", "/keys/keys/b", 5);
    expect("/a/**/b/**/c", "/a/b/c", WHOLE);
    expect("/a/**/b/**/c", "/a/x/b/b/y/c", WHOLE);
    expect("/a/**/b/**/c", "/a/x/c/b", NO);
    expect("/**/*.png", "/x/y/z.png", WHOLE);
    expect("/**/*.png", "/x/y.png/z", NO);
    expect("/a/**", "/a", WHOLE);
    expect("/a/**", "/a/b", WHOLE);
    expect("/a/**", "/ab", NO);
}

static void refused(const char *text, const char *why)
{
    struct hf_path_pattern pattern;
    enum hf_err err = hf_path_pattern_init(&pattern, hf_bytes_str(text));
    hf_path_pattern_done(&pattern);
    if (err != HF_E_INVALID || !strstr(hf_err_text(), why)) {
        fail_msg("%s: %d %s", text, err, hf_err_text());
    }
}

static void what_no_path_can_match_is_refused(void **state)
{
    (void)state;
    refused("", "begins with \"/\"");
    refused("admin", "begins with \"/\"");
    refused("/a//b", "two slashes");
    refused("//", "two slashes");
    refused("/a/../b", "are resolved");
    refused("/.", "are resolved");
    refused("/a?x=1", "ends before \"?\"");
    refused("/a#b", "ends before \"#\"");
    refused("/a b", "write %20");
    refused("/\xc3\xa9", "write %C3");
    refused("/a%2", "two digits");
    refused("/a%2f", "two digits");
    refused("/a%zz", "two digits");
    refused("/%41", "write A");
    refused("/%7E", "write ~");
    refused("/a**", "**");
    refused("/***", "**");
    refused("/a\\b", "backslash");
    refused("/a\\", "backslash");
}

static void limits_are_kept(void **state)
{
    (void)state;
    char text[HF_PATH_PATTERN_MAX + 2];
    struct hf_path_pattern pattern;
    memset(text, 'a', sizeof(text));
    text[0] = '/';
    assert_int_equal(hf_path_pattern_init(&pattern, hf_bytes_of(text, HF_PATH_PATTERN_MAX)), HF_OK);
    hf_path_pattern_done(&pattern);
    assert_int_equal(hf_path_pattern_init(&pattern, hf_bytes_of(text, sizeof(text) - 1)),
                     HF_E_TOO_LARGE);
    hf_path_pattern_done(&pattern);
}

static bool covers(const char *a, const char *b)
{
    struct hf_path_pattern wide;
    struct hf_path_pattern narrow;
    assert_int_equal(hf_path_pattern_init(&wide, hf_bytes_str(a)), HF_OK);
    assert_int_equal(hf_path_pattern_init(&narrow, hf_bytes_str(b)), HF_OK);
    bool found = hf_path_pattern_covers(&wide, &narrow);
    hf_path_pattern_done(&wide);
    hf_path_pattern_done(&narrow);
    return found;
}

static void covering_is_said_where_it_is_sure(void **state)
{
    (void)state;
    assert_true(covers("/", "/x"));
    assert_true(covers("/", "/x/"));
    assert_true(covers("/", "/**/x"));
    assert_true(covers("/a/", "/a"));
    assert_true(covers("/a/", "/a/"));
    assert_true(covers("/a/", "/a/b/*"));
    assert_true(covers("/a/*", "/a/*"));
    assert_true(covers("/a/*/", "/a/*"));
    assert_false(covers("/a", "/a/"));
    assert_false(covers("/a/", "/ab"));
    assert_false(covers("/a/b/", "/a/"));
    assert_false(covers("/a/*/", "/a/b/c"));
    assert_false(covers("/a/", "/"));
}

static void out_of_memory_is_told(void **state)
{
    (void)state;
    for (size_t n = 1;; n++) {
        struct hf_path_pattern pattern;
        hf_alloc_fail_after(n);
        enum hf_err err = hf_path_pattern_init(&pattern, hf_bytes_str("/users/*/keys/"));
        hf_alloc_fail_after(0);
        hf_path_pattern_done(&pattern);
        if (err == HF_OK) {
            break;
        }
        assert_int_equal(err, HF_E_NOMEM);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_itself_alone),
        cmocka_unit_test(a_slash_at_the_end_is_everything_beneath),
        cmocka_unit_test(a_star_stays_in_its_segment),
        cmocka_unit_test(two_stars_are_any_number_of_segments),
        cmocka_unit_test(what_no_path_can_match_is_refused),
        cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(covering_is_said_where_it_is_sure),
        cmocka_unit_test(out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
