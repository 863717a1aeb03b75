// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "policy/vital.h"

static const struct hf_vital_paths all = {"/healthz", "/readyz", "/up"};

static const char *find(const struct hf_vital_paths *paths, const char *method, const char *path)
{
    static char out[64];
    struct hf_bytes name;
    enum hf_vital vital = hf_vital_find(paths, hf_bytes_str(method), hf_bytes_str(path), &name);
    snprintf(out, sizeof(out), "%s%s%.*s", hf_vital_name(vital), name.len ? " " : "", (int)name.len,
             (const char *)name.ptr);
    return out;
}

static void paths_are_exact(void **state)
{
    (void)state;
    assert_string_equal(find(&all, "GET", "/healthz"), "live");
    assert_string_equal(find(&all, "HEAD", "/readyz"), "ready");
    static const char *const others[] = {"",        "/",         "/healthz/", "/healthzz",
                                         "/health", "/readyz/x", "/Healthz"};
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        assert_string_equal(find(&all, "GET", others[i]), "");
    }
}

static void only_reading_is_a_probe(void **state)
{
    (void)state;
    static const char *const methods[] = {"POST", "PUT", "DELETE", "OPTIONS", "get", "CONNECT", ""};
    for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
        assert_string_equal(find(&all, methods[i], "/healthz"), "");
    }
}

static void an_upstream_is_named_behind_the_path(void **state)
{
    (void)state;
    assert_string_equal(find(&all, "GET", "/up/app"), "upstream app");
    assert_string_equal(find(&all, "GET", "/up/a/b"),
                        "upstream a/b"); /* and nobody has that name */
    assert_string_equal(find(&all, "GET", "/up/"), "");
    assert_string_equal(find(&all, "GET", "/up"), "");
    assert_string_equal(find(&all, "GET", "/upapp"), "");
}

static void what_is_not_given_is_nowhere(void **state)
{
    (void)state;
    const struct hf_vital_paths none = {0};
    assert_string_equal(find(&none, "GET", "/healthz"), "");
    assert_string_equal(find(&none, "GET", ""), "");
    const struct hf_vital_paths two = {.live = "/healthz", .ready = "/readyz"};
    assert_string_equal(find(&two, "GET", "/up/app"), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_exact),
        cmocka_unit_test(only_reading_is_a_probe),
        cmocka_unit_test(an_upstream_is_named_behind_the_path),
        cmocka_unit_test(what_is_not_given_is_nowhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
