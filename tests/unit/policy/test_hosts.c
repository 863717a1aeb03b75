// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "policy/hosts.h"

/* Values are not const, though nobody changes them. */
#define T(text) ((char[]){text})

static const char *get(const struct hf_hosts *hosts, const char *name)
{
    const char *found = hf_hosts_get(hosts, hf_bytes_str(name));
    return found ? found : "none";
}

static void exact_names_come_before_wildcards(void **state)
{
    (void)state;
    struct hf_hosts hosts = {0};
    assert_string_equal(get(&hosts, "a.example.org"), "none");
    assert_int_equal(hf_hosts_put(&hosts, "a.example.org", T("exact")), HF_OK);
    assert_int_equal(hf_hosts_put(&hosts, "*.example.org", T("wild")), HF_OK);
    assert_int_equal(hf_hosts_put(&hosts, "192.0.2.1", T("address")), HF_OK);
    assert_int_equal(hf_hosts_put(&hosts, "::1", T("six")), HF_OK);
    assert_int_equal(hf_hosts_put(&hosts, "*.example.org", T("again")), HF_E_EXISTS);
    assert_string_equal(get(&hosts, "a.example.org"), "exact");
    assert_string_equal(get(&hosts, "A.Example.ORG."), "exact");
    assert_string_equal(get(&hosts, "b.example.org"), "wild");
    assert_string_equal(get(&hosts, "b.a.example.org"), "none");
    assert_string_equal(get(&hosts, "example.org"), "none");
    assert_string_equal(get(&hosts, ".example.org"), "none");
    assert_string_equal(get(&hosts, "*.example.org"), "wild");
    assert_string_equal(get(&hosts, "192.0.2.1"), "address");
    assert_string_equal(get(&hosts, "::1"), "six");
    assert_string_equal(get(&hosts, ""), "none");
    assert_string_equal(get(&hosts, "."), "none");
    assert_string_equal(get(&hosts, "a.example.org.."), "none");
    assert_null(hf_hosts_exact(&hosts, "b.example.org"));
    hf_hosts_done(&hosts);
}

static void names_too_long_for_names_are_none(void **state)
{
    (void)state;
    struct hf_hosts hosts = {0};
    char name[HF_HOSTS_NAME_MAX + 20];
    memset(name, 'a', sizeof(name));
    memcpy(name + HF_HOSTS_NAME_MAX - 4, ".org", 4);
    assert_int_equal(hf_hosts_put(&hosts, "*.org", T("wild")), HF_OK);
    assert_non_null(hf_hosts_get(&hosts, hf_bytes_of(name, HF_HOSTS_NAME_MAX)));
    memcpy(name + HF_HOSTS_NAME_MAX - 3, ".org", 4);
    assert_null(hf_hosts_get(&hosts, hf_bytes_of(name, HF_HOSTS_NAME_MAX + 1)));
    hf_hosts_done(&hosts);
}

static void covering(void **state)
{
    (void)state;
    assert_true(hf_hosts_covers("a.org", "a.org"));
    assert_true(hf_hosts_covers("*.a.org", "*.a.org"));
    assert_true(hf_hosts_covers("*.a.org", "b.a.org"));
    assert_false(hf_hosts_covers("*.a.org", "a.org"));
    assert_false(hf_hosts_covers("*.a.org", "c.b.a.org"));
    assert_false(hf_hosts_covers("*.a.org", ".a.org"));
    assert_false(hf_hosts_covers("b.a.org", "*.a.org"));
    assert_false(hf_hosts_covers("a.org", "b.org"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact_names_come_before_wildcards),
        cmocka_unit_test(names_too_long_for_names_are_none),
        cmocka_unit_test(covering),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
