// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "policy/denylist.h"

enum { NOW = 1800000000 };

static struct hf_identity alice(void)
{
    static char spiffe[] = "spiffe://example.org/ops/alice", subject[] = "CN=alice,O=Example",
                issuer[] = "CN=Issuing,O=Example", cn[] = "alice", o[] = "Example",
                serial[] = "1f2e";
    static char *uris[] = {spiffe};
    struct hf_identity identity = {
        .subject = subject,
        .issuer = issuer,
        .cn = cn,
        .o = o,
        .serial = serial,
        .uri = {uris, 1},
        .spiffe = spiffe,
    };
    memset(identity.sha256, 'a', 64);
    memset(identity.spki_sha256, 'b', 64);
    return identity;
}

#define SIXTY_FOUR(c) c c c c c c c c c c c c c c c c
#define HEX_A         SIXTY_FOUR("aaaa")
#define HEX_B         SIXTY_FOUR("bbbb")

static void expect(const char *selector, int64_t until, bool denied)
{
    struct hf_identity identity = alice();
    struct hf_deny_source source = {7, selector, "lost laptop", NOW - 5, until};
    struct hf_denylist *list = NULL;
    const struct hf_deny_entry *entry = NULL;
    assert_int_equal(hf_denylist_new(&source, 1, &list), HF_OK);
    assert_int_equal(hf_denylist_find(list, &identity, NOW, &entry), HF_OK);
    assert_int_equal(entry != NULL, denied);
    if (entry) {
        assert_int_equal(entry->id, 7);
        assert_string_equal(entry->reason, "lost laptop");
    }
    hf_denylist_unref(list);
}

static void denies_by_any_name(void **state)
{
    (void)state;
    static const char *const hits[] = {
        "serial:1f2e",        "serial:1F:2E",       "serial:00001f2e",
        "cert-sha256:" HEX_A, "spki-sha256:" HEX_B, "spiffe://example.org/ops/*",
        "cn:alice",           "issuer:CN=Issuing",  "dn:CN=alice,O=Example"};
    static const char *const misses[] = {"serial:1f2f",
                                         "serial:1f2e00",
                                         "cert-sha256:" HEX_B,
                                         "spki-sha256:" HEX_A,
                                         "spiffe://example.org/dev/*",
                                         "cn:bob",
                                         "issuer:CN=Other"};
    for (size_t i = 0; i < HF_N_ELEMENTS(hits); i++) {
        expect(hits[i], 0, true);
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(misses); i++) {
        expect(misses[i], 0, false);
    }
}

static void an_entry_ends(void **state)
{
    (void)state;
    expect("serial:1f2e", NOW + 1, true);
    expect("serial:1f2e", NOW, false);
    expect("cn:alice", NOW + 1, true);
    expect("cn:alice", NOW, false);
}

static void of_two_for_one_serial_the_longer_counts(void **state)
{
    (void)state;
    static const int64_t untils[][2] = {
        {NOW - 1, NOW + 9}, {NOW + 9, NOW - 1}, {0, NOW - 1}, {NOW - 1, 0}};
    struct hf_identity identity = alice();
    for (size_t i = 0; i < HF_N_ELEMENTS(untils); i++) {
        struct hf_deny_source sources[] = {{1, "serial:1f2e", "", NOW, untils[i][0]},
                                           {2, "serial:1F2E", "", NOW, untils[i][1]}};
        struct hf_denylist *list = NULL;
        const struct hf_deny_entry *entry = NULL;
        assert_int_equal(hf_denylist_new(sources, 2, &list), HF_OK);
        assert_int_equal(hf_denylist_find(list, &identity, NOW, &entry), HF_OK);
        assert_non_null(entry);
        hf_denylist_unref(list);
    }
}

static void names_that_cannot_be_relied_on_are_denied_where_they_might_match(void **state)
{
    (void)state;
    struct hf_identity identity = alice();
    identity.mangled = true;
    struct hf_deny_source source = {1, "cn:somebody", "", NOW, 0};
    struct hf_denylist *list = NULL;
    const struct hf_deny_entry *entry = NULL;
    assert_int_equal(hf_denylist_new(&source, 1, &list), HF_OK);
    assert_int_equal(hf_denylist_find(list, &identity, NOW, &entry), HF_OK);
    assert_non_null(entry);
    hf_denylist_unref(list);
}

static void bad_selectors_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "bob", "serial:xyz", "cert-sha256:12", "nobody:1"};
    for (size_t i = 0; i < HF_N_ELEMENTS(bad); i++) {
        struct hf_deny_source source = {1, bad[i], "", NOW, 0};
        struct hf_denylist *list = NULL;
        assert_int_equal(hf_denylist_new(&source, 1, &list), HF_E_INVALID);
        assert_null(list);
    }
}

static void out_of_memory_denies(void **state)
{
    (void)state;
    struct hf_identity identity = alice();
    struct hf_deny_source source = {1, "cn:bob", "", NOW, 0};
    struct hf_denylist *list = NULL;
    const struct hf_deny_entry *entry = NULL;
    assert_int_equal(hf_denylist_new(&source, 1, &list), HF_OK);
    hf_alloc_fail_after(1);
    assert_int_equal(hf_denylist_find(list, &identity, NOW, &entry), HF_E_NOMEM);
    hf_alloc_fail_after(0);
    hf_denylist_unref(list);
    for (size_t n = 1; n < 20; n++) {
        list = NULL;
        hf_alloc_fail_after(n);
        enum hf_err err = hf_denylist_new(&source, 1, &list);
        hf_alloc_fail_after(0);
        assert_true(err == HF_OK || err == HF_E_NOMEM);
        hf_denylist_unref(list);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(denies_by_any_name),
        cmocka_unit_test(an_entry_ends),
        cmocka_unit_test(of_two_for_one_serial_the_longer_counts),
        cmocka_unit_test(names_that_cannot_be_relied_on_are_denied_where_they_might_match),
        cmocka_unit_test(bad_selectors_are_refused),
        cmocka_unit_test(out_of_memory_denies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
