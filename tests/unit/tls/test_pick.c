// SPDX-License-Identifier: Apache-2.0
#include "tls/pick.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <string.h>

#include "base/mem.h"
#include "tlspair.h"

enum { FIRST, WILD, EXACT, EXACT_RSA, EXACT_AGAIN, N_IDENTITIES };

static struct hf_credential *identities[N_IDENTITIES];

static const struct testpki_spec specs[N_IDENTITIES] = {
    [FIRST] = {.cn = "first", .san = "DNS:first.example"},
    [WILD] = {.cn = "wild", .san = "DNS:*.example.org,DNS:example.org"},
    [EXACT] = {.cn = "exact", .san = "DNS:WWW.example.org"},
    [EXACT_RSA] = {.cn = "rsa", .san = "DNS:www.example.org", .key = "RSA-2048"},
    [EXACT_AGAIN] = {.cn = "again", .san = "DNS:www.example.org"},
};

static struct hf_picker picker;
static int tags[4];

static void make_picker(struct hf_tls_server_config *config, struct hf_tls_policy policies[3])
{
    for (size_t i = 0; i < 3; i++) {
        policies[i] = (struct hf_tls_policy){.tag = &tags[i]};
    }
    policies[1].sni = "*.Example.ORG";
    policies[2].sni = "api.example.org";
    *config = (struct hf_tls_server_config){.identities = identities,
                                            .n_identities = N_IDENTITIES,
                                            .policies = policies,
                                            .n_policies = 3};
}

static int set_up(void **state)
{
    (void)state;
    world_make();
    for (size_t i = 0; i < N_IDENTITIES; i++) {
        identities[i] = world_credential(world.root, &specs[i]);
    }
    struct hf_tls_server_config config;
    struct hf_tls_policy policies[3];
    make_picker(&config, policies);
    return hf_picker_init(&picker, &config);
}

static int tear_down(void **state)
{
    (void)state;
    hf_picker_done(&picker);
    for (size_t i = 0; i < N_IDENTITIES; i++) {
        hf_credential_unref(identities[i]);
    }
    world_free();
    return 0;
}

static const struct {
    const char *name;
    int identity, policy;
    bool known;
} cases[] = {
    {"www.example.org", EXACT, 1, true},
    {"wWw.ExAmPle.oRg", EXACT, 1, true},
    {"www.example.org.", EXACT, 1, true},
    {"api.example.org", WILD, 2, true},
    {"example.org", WILD, 0, true},
    {"a.www.example.org", FIRST, 0, false},
    {"first.example", FIRST, 0, true},
    {"*.example.org", FIRST, 0, false}, /* a pattern is nobody's name */
    {".example.org", FIRST, 0, false},
    {".", FIRST, 0, false},
    {"", FIRST, 0, false},
    {"org", FIRST, 0, false},
    {"127.0.0.1", FIRST, 0, false},
};

static void test_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        struct hf_pick pick;
        hf_picker_pick(&picker, cases[i].name, &pick);
        assert_ptr_equal(pick.identities->identity[0], identities[cases[i].identity]);
        assert_ptr_equal(pick.policy->tag, &tags[cases[i].policy]);
        assert_int_equal(pick.policy_index, cases[i].policy);
        assert_int_equal(pick.known, cases[i].known);
    }
    struct hf_pick pick;
    hf_picker_pick(&picker, NULL, &pick);
    assert_ptr_equal(pick.identities->identity[0], identities[FIRST]);
    assert_false(pick.known);
}

static void test_names_that_are_too_long(void **state)
{
    (void)state;
    char name[HF_SNI_MAX + 3];
    struct hf_pick pick;
    for (size_t len = HF_SNI_MAX - 1; len < sizeof(name); len++) {
        memset(name, 'a', len);
        memcpy(name + len - 12, ".example.org", 12);
        name[len] = '\0';
        hf_picker_pick(&picker, name, &pick);
        assert_int_equal(pick.known, len <= HF_SNI_MAX);
    }
}

static void test_one_identity_a_kind_of_key(void **state)
{
    (void)state;
    struct hf_pick pick;
    hf_picker_pick(&picker, "www.example.org", &pick);
    assert_int_equal(pick.identities->n_identities, 2);
    assert_ptr_equal(pick.identities->identity[0], identities[EXACT]);
    assert_ptr_equal(pick.identities->identity[1], identities[EXACT_RSA]);
}

static void test_a_name_with_two_policies_is_refused(void **state)
{
    (void)state;
    struct hf_tls_server_config config;
    struct hf_tls_policy policies[3];
    make_picker(&config, policies);
    policies[2].sni = "*.example.org";
    struct hf_picker twice;
    assert_int_equal(hf_picker_init(&twice, &config), HF_E_INVALID);
    assert_non_null(strstr(hf_err_text(), "*.example.org"));
    hf_picker_done(&twice);
}

static void test_running_out_of_memory(void **state)
{
    (void)state;
    struct hf_tls_server_config config;
    struct hf_tls_policy policies[3];
    make_picker(&config, policies);
    struct hf_bytes names[] = {hf_bytes_of("a", 1), hf_bytes_of("", 0), hf_bytes_of("bc", 2)};
    policies[1].ca_names = names;
    policies[1].n_ca_names = 3;
    enum hf_err err = HF_E_NOMEM;
    for (size_t n = 1; err; n++) {
        struct hf_picker scarce;
        hf_alloc_fail_after(n);
        err = hf_picker_init(&scarce, &config);
        hf_alloc_fail_after(0);
        assert_true(err == HF_OK || err == HF_E_NOMEM);
        if (!err) {
            assert_true(hf_bytes_eq_str(scarce.policies[1].ca_names[2], "bc"));
        }
        hf_picker_done(&scarce);
    }
}

/* --- The extension --- */

static void test_extension(void **state)
{
    (void)state;
    static const uint8_t good[] = {0, 6, 0, 0, 3, 'a', '.', 'b'};
    struct hf_bytes name;
    assert_int_equal(hf_sni_parse(hf_bytes_of(good, sizeof(good)), &name), HF_OK);
    assert_true(hf_bytes_eq_str(name, "a.b"));
    for (size_t len = 0; len < sizeof(good); len++) {
        assert_int_equal(hf_sni_parse(hf_bytes_of(good, len), &name), HF_E_TRUNCATED);
        assert_int_equal(name.len, 0);
    }
}

static void test_extensions_that_are_malformed(void **state)
{
    (void)state;
    static const struct {
        uint8_t bytes[16];
        size_t len;
    } bad[] = {
        {{0, 6, 1, 0, 3, 'a', '.', 'b'}, 8},                 /* not a host name */
        {{0, 3, 0, 0, 0}, 5},                                /* empty */
        {{0, 6, 0, 0, 3, 'a', '.', 'b', 'c'}, 9},            /* more behind the list */
        {{0, 10, 0, 0, 2, 'a', 'b', 0, 0, 2, 'c', 'd'}, 12}, /* two names */
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(bad); i++) {
        struct hf_bytes name;
        assert_int_equal(hf_sni_parse(hf_bytes_of(bad[i].bytes, bad[i].len), &name),
                         HF_E_MALFORMED);
        assert_int_equal(name.len, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_names_that_are_too_long),
        cmocka_unit_test(test_one_identity_a_kind_of_key),
        cmocka_unit_test(test_a_name_with_two_policies_is_refused),
        cmocka_unit_test(test_running_out_of_memory),
        cmocka_unit_test(test_extension),
        cmocka_unit_test(test_extensions_that_are_malformed),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
