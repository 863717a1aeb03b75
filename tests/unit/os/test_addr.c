// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "os/sock.h"

static void test_addresses_are_written_as_they_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text, *back;
        int family, port;
    } cases[] = {
        {"127.0.0.1:8443", "127.0.0.1:8443", AF_INET, 8443},
        {"0.0.0.0:0", "0.0.0.0:0", AF_INET, 0},
        {"255.255.255.255:65535", "255.255.255.255:65535", AF_INET, 65535},
        {"[::1]:8443", "[::1]:8443", AF_INET6, 8443},
        {"[2001:DB8:0:0::1]:443", "[2001:db8::1]:443", AF_INET6, 443},
        {"[::ffff:192.0.2.1]:1", "[::ffff:192.0.2.1]:1", AF_INET6, 1},
        {"[fe80::1%1]:22", "[fe80::1%1]:22", AF_INET6, 22},
        {"[fe80::1%lo]:22", "[fe80::1%1]:22", AF_INET6, 22},
        {":8443", "[::]:8443", AF_INET6, 8443},
        {"unix:/run/x.sock", "unix:/run/x.sock", AF_UNIX, 0},
        {"unix:relative", "unix:relative", AF_UNIX, 0},
        {"unix:@abstract name", "unix:@abstract name", AF_UNIX, 0},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        struct hf_addr addr;
        char text[HF_ADDR_TEXT_SIZE];
        assert_int_equal(hf_addr_parse(cases[i].text, &addr), HF_OK);
        assert_int_equal(addr.sa.sa_family, cases[i].family);
        assert_int_equal(hf_addr_port(&addr), cases[i].port);
        hf_addr_format(&addr, text);
        assert_string_equal(text, cases[i].back);
    }
}

static void test_what_is_no_address_is_refused_with_a_hint(void **state)
{
    (void)state;
    static const struct {
        const char *text, *hint;
    } cases[] = {
        {"", "lacks a port"},
        {"8443", "lacks a port"},
        {"127.0.0.1", "lacks a port"},
        {"127.0.0.1:", "lacks a port"},
        {"127.0.0.1:65536", "lacks a port"},
        {"127.0.0.1:-1", "lacks a port"},
        {"127.0.0.1:80x", "lacks a port"},
        {"127.0.0.1: 80", "lacks a port"},
        {"[::1]", "lacks a port"},
        {"::1:8443", "ambiguous; write an IPv6 address as [address]:port"},
        {"localhost:80", "not an address with a port"},
        {"127.0.0.256:80", "not an address with a port"},
        {"127.1:80", "not an address with a port"},
        {"[127.0.0.1]:80", "not an address with a port"},
        {"[]:80", "not an address with a port"},
        {"[::1:80", "ambiguous"},
        {"[::g]:80", "not an address with a port"},
        {"[fe80::1%nosuchif0]:80", "not an address with a port"},
        {"[fe80::1%]:80", "not an address with a port"},
        {" 127.0.0.1:80", "not an address with a port"},
        {"unix:", "lacks a path"},
        {"unix:@", "lacks a path"},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        struct hf_addr addr;
        assert_int_equal(hf_addr_parse(cases[i].text, &addr), HF_E_INVALID);
        assert_non_null(strstr(hf_err_text(), cases[i].hint));
    }
}

static void test_a_very_long_address_is_refused(void **state)
{
    (void)state;
    char text[4096];
    struct hf_addr addr;
    memset(text, '1', sizeof(text));
    strcpy(text + sizeof(text) - 4, ":80");
    assert_int_equal(hf_addr_parse(text, &addr), HF_E_INVALID);
    text[0] = '[';
    text[sizeof(text) - 5] = ']';
    text[5] = ':';
    assert_int_equal(hf_addr_parse(text, &addr), HF_E_INVALID);
}

static void test_a_unix_path_may_be_as_long_as_the_kernel_takes_and_no_longer(void **state)
{
    (void)state;
    char text[5 + 109] = "unix:", back[HF_ADDR_TEXT_SIZE];
    struct hf_addr addr;
    memset(text + 5, 'a', 107);
    assert_int_equal(hf_addr_parse(text, &addr), HF_OK);
    hf_addr_format(&addr, back);
    assert_string_equal(back, text);
    text[5 + 107] = 'a';
    assert_int_equal(hf_addr_parse(text, &addr), HF_E_INVALID);
    assert_non_null(strstr(hf_err_text(), "the most is 107"));
}

static void test_odd_unix_names_are_safe_to_print(void **state)
{
    (void)state;
    struct hf_addr addr = {.len = sizeof(sa_family_t)};
    char text[HF_ADDR_TEXT_SIZE];
    addr.un.sun_family = AF_UNIX;
    hf_addr_format(&addr, text);
    assert_string_equal(text, "unix:");
    memcpy(addr.un.sun_path, "\0a\nb\x7f\0c", 7);
    addr.len = offsetof(struct sockaddr_un, sun_path) + 7;
    hf_addr_format(&addr, text);
    assert_string_equal(text, "unix:@a?b??c");
    addr = (struct hf_addr){0};
    hf_addr_format(&addr, text);
    assert_string_equal(text, "(no address)");
}

static void test_an_ip_alone_is_read_and_written(void **state)
{
    (void)state;
    struct hf_addr addr;
    char text[HF_ADDR_TEXT_SIZE];
    assert_int_equal(hf_addr_parse_ip("::1", 443, &addr), HF_OK);
    hf_addr_format_ip(&addr, text);
    assert_string_equal(text, "::1");
    assert_int_equal(hf_addr_port(&addr), 443);
    hf_addr_set_port(&addr, 80);
    assert_int_equal(hf_addr_port(&addr), 80);
    assert_int_equal(hf_addr_parse_ip("192.0.2.7", 443, &addr), HF_OK);
    hf_addr_format_ip(&addr, text);
    assert_string_equal(text, "192.0.2.7");
    assert_int_equal(hf_addr_parse_ip("[::1]", 443, &addr), HF_E_INVALID);
    assert_int_equal(hf_addr_parse_ip("example.org", 443, &addr), HF_E_INVALID);
}

static bool eq(const char *a, const char *b)
{
    struct hf_addr x, y;
    assert_int_equal(hf_addr_parse(a, &x), HF_OK);
    assert_int_equal(hf_addr_parse(b, &y), HF_OK);
    return hf_addr_eq(&x, &y);
}

static void test_equality_looks_at_family_address_and_port(void **state)
{
    (void)state;
    assert_true(eq("127.0.0.1:1", "127.0.0.1:1"));
    assert_false(eq("127.0.0.1:1", "127.0.0.1:2"));
    assert_false(eq("127.0.0.1:1", "127.0.0.2:1"));
    assert_false(eq("127.0.0.1:1", "[::1]:1"));
    assert_true(eq("[::1]:1", "[0::1]:1"));
    assert_false(eq("[fe80::1%1]:1", "[fe80::1%2]:1"));
    assert_true(eq("unix:/a", "unix:/a"));
    assert_false(eq("unix:/a", "unix:@a"));
    assert_false(eq("unix:/a", "unix:/ab"));
}

static void test_a_mapped_address_becomes_the_one_it_means(void **state)
{
    (void)state;
    struct hf_addr addr;
    char text[HF_ADDR_TEXT_SIZE];
    assert_int_equal(hf_addr_parse("[::ffff:192.0.2.1]:77", &addr), HF_OK);
    hf_addr_unmap(&addr);
    hf_addr_format(&addr, text);
    assert_string_equal(text, "192.0.2.1:77");
    assert_int_equal(addr.len, sizeof(struct sockaddr_in));
    assert_int_equal(hf_addr_parse("[2001:db8::1]:77", &addr), HF_OK);
    hf_addr_unmap(&addr);
    assert_int_equal(addr.sa.sa_family, AF_INET6);
}

static bool contains(const char *network, const char *address)
{
    struct hf_cidr cidr;
    struct hf_addr addr;
    assert_int_equal(hf_cidr_parse(network, &cidr), HF_OK);
    assert_int_equal(hf_addr_parse(address, &addr), HF_OK);
    return hf_cidr_contains(&cidr, &addr);
}

static void test_networks_contain_what_they_should_and_nothing_else(void **state)
{
    (void)state;
    assert_true(contains("10.0.0.0/8", "10.255.1.2:1"));
    assert_false(contains("10.0.0.0/8", "11.0.0.0:1"));
    assert_true(contains("192.0.2.128/25", "192.0.2.128:1"));
    assert_false(contains("192.0.2.128/25", "192.0.2.127:1"));
    assert_true(contains("192.0.2.1", "192.0.2.1:1"));
    assert_false(contains("192.0.2.1/32", "192.0.2.0:1"));
    assert_true(contains("0.0.0.0/0", "203.0.113.9:1"));
    assert_false(contains("0.0.0.0/0", "[::1]:1"));
    assert_true(contains("2001:db8::/32", "[2001:db8:ffff::]:1"));
    assert_false(contains("2001:db8::/33", "[2001:db8:ffff::]:1"));
    assert_true(contains("::/0", "[::1]:1"));
    assert_true(contains("unix:", "unix:/run/x"));
    assert_false(contains("unix:", "127.0.0.1:1"));
    assert_false(contains("0.0.0.0/0", "unix:/run/x"));
}

static void test_mapped_addresses_count_as_v4(void **state)
{
    (void)state;
    assert_true(contains("10.0.0.0/8", "[::ffff:10.1.2.3]:1"));
    assert_false(contains("::/0", "[::ffff:10.1.2.3]:1"));
    assert_true(contains("::ffff:10.0.0.0/104", "10.1.2.3:1"));
    assert_true(contains("::ffff:10.1.2.3", "10.1.2.3:1"));
}

static void test_what_is_no_network_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/8/8",
        "10/8",
        "/8",
        "::/129",
        "[::1]",
        "fe80::1%lo",
        "example.org",
        "unix:/run/x",
        "10.0.0.1 ",
        "10.0.0.0/8 ",
        "10.0.0.0:80",
        "*",
        "10.0.0.0/0x8",
        "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111:1111",
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(bad); i++) {
        struct hf_cidr cidr;
        assert_int_equal(hf_cidr_parse(bad[i], &cidr), HF_E_INVALID);
        assert_non_null(strstr(hf_err_text(), "is not a network"));
    }
}

static void test_bits_beyond_the_prefix_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"10.0.0.1/8", "192.0.2.129/25", "2001:db8::1/64", "1.0.0.0/0",
                                      "::1/127"};
    for (size_t i = 0; i < HF_N_ELEMENTS(bad); i++) {
        struct hf_cidr cidr;
        assert_int_equal(hf_cidr_parse(bad[i], &cidr), HF_E_INVALID);
        assert_non_null(strstr(hf_err_text(), "bits set beyond its prefix"));
    }
}

static void overlap_is_of_every_address_and_one(void **state)
{
    (void)state;
    static const struct {
        const char *a, *b;
        bool do_they;
    } rows[] = {
        {"0.0.0.0:1", "127.0.0.1:1", true},
        {"[::]:1", "127.0.0.1:1", true},
        {"[::]:1", "[::1]:1", true},
        {"[::]:1", "0.0.0.0:1", true},
        {"0.0.0.0:1", "[::1]:1", false},
        {"0.0.0.0:1", "127.0.0.1:2", false},
        {"0.0.0.0:1", "0.0.0.0:1", false},
        {"127.0.0.1:1", "127.0.0.2:1", false},
        {"0.0.0.0:0", "127.0.0.1:0", false},
        {"unix:/a", "0.0.0.0:1", false},
        {"0.0.0.0:1", "[::ffff:127.0.0.1]:1", true},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(rows); i++) {
        struct hf_addr a;
        struct hf_addr b;
        assert_int_equal(hf_addr_parse(rows[i].a, &a), HF_OK);
        assert_int_equal(hf_addr_parse(rows[i].b, &b), HF_OK);
        assert_int_equal(hf_addr_overlaps(&a, &b), rows[i].do_they);
        assert_int_equal(hf_addr_overlaps(&b, &a), rows[i].do_they);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addresses_are_written_as_they_are_read),
        cmocka_unit_test(test_what_is_no_address_is_refused_with_a_hint),
        cmocka_unit_test(test_a_very_long_address_is_refused),
        cmocka_unit_test(test_a_unix_path_may_be_as_long_as_the_kernel_takes_and_no_longer),
        cmocka_unit_test(test_odd_unix_names_are_safe_to_print),
        cmocka_unit_test(test_an_ip_alone_is_read_and_written),
        cmocka_unit_test(test_equality_looks_at_family_address_and_port),
        cmocka_unit_test(test_a_mapped_address_becomes_the_one_it_means),
        cmocka_unit_test(test_networks_contain_what_they_should_and_nothing_else),
        cmocka_unit_test(test_mapped_addresses_count_as_v4),
        cmocka_unit_test(test_what_is_no_network_is_refused),
        cmocka_unit_test(test_bits_beyond_the_prefix_are_refused),
        cmocka_unit_test(overlap_is_of_every_address_and_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
