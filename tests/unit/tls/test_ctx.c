// SPDX-License-Identifier: Apache-2.0
#include "tlspair.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <openssl/err.h>
#include <string.h>

#include "base/mem.h"

/* Contexts: what is refused, in which words; and what is copied. */

static int set_up(void **state)
{
    (void)state;
    world_make();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_free();
    return 0;
}

static void assert_refused(const struct pair *pair, enum hf_err want, const char *words)
{
    struct hf_tls_ctx *ctx = (struct hf_tls_ctx *)1;
    enum hf_err err = hf_tls_server_ctx_new(&pair->server_config, &ctx);
    assert_int_equal(err, want);
    assert_null(ctx);
    if (!strstr(hf_err_text(), words)) {
        fail_msg("\"%s\" isn't in \"%s\"", words, hf_err_text());
    }
    assert_int_equal(ERR_peek_error(), 0);
}

static void test_wrong_names_are_told_with_what_was_meant(void **state)
{
    (void)state;
    static const struct {
        const char *suites, *ciphers, *groups, *words;
    } cases[] = {
        {"TLS_AES_128_GCM_SHA265", NULL, NULL,
         "unknown TLS 1.3 suite \"TLS_AES_128_GCM_SHA265\": did you mean "
         "\"TLS_AES_128_GCM_SHA256\"?"},
        {"TLS_AES_128_GCM_SHA256:nonsense", NULL, NULL, "unknown TLS 1.3 suite \"nonsense\""},
        {"", NULL, NULL, "empty"},
        {NULL, "ECDHE-RSA-AES128-GCM-SHA265", NULL,
         "did you mean \"ECDHE-RSA-AES128-GCM-SHA256\"?"},
        {NULL, "ECDHE-ECDSA-AES128-GCM-SHA256:nonsense", NULL,
         "unknown TLS 1.2 cipher \"nonsense\""},
        {NULL, "HIGH:!nonsense", NULL, "unknown TLS 1.2 cipher \"nonsense\""},
        {NULL, "eNULL", NULL, "leaves no usable cipher"},
        {NULL, "aNULL", NULL, "leaves no usable cipher"},
        {NULL, "DEFAULT:@SECLEVEL=0", NULL, "leave \"@SECLEVEL\" out"},
        {NULL, "DEFAULT@SECLEVEL=0", NULL, "leave \"@SECLEVEL\" out"},
        {NULL, NULL, "X25519:P-265", "unknown key exchange group \"P-265\": did you mean"},
        {NULL, NULL, "", "empty"},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        struct pair pair;
        pair_init(&pair);
        pair.server_config.common.suites = cases[i].suites;
        pair.server_config.common.ciphers = cases[i].ciphers;
        pair.server_config.common.groups = cases[i].groups;
        assert_refused(&pair, HF_E_INVALID, cases[i].words);
    }
}

static void test_good_names_are_taken(void **state)
{
    (void)state;
    static const char *const ciphers[] = {"ECDHE+AESGCM", "HIGH:!aNULL:!MD5", "DEFAULT",
                                          "ECDHE-RSA-AES256-GCM-SHA384:-ECDHE+CHACHA20",
                                          "ALL:@STRENGTH"};
    for (size_t i = 0; i < HF_N_ELEMENTS(ciphers); i++) {
        struct pair pair;
        struct hf_tls_ctx *ctx;
        pair_init(&pair);
        pair.server_config.common.ciphers = ciphers[i];
        pair.server_config.common.groups = "P-521:X448:ffdhe2048:X25519";
        if (hf_tls_server_ctx_new(&pair.server_config, &ctx)) {
            fail_msg("%s: %s", ciphers[i], hf_err_text());
        }
        hf_tls_ctx_unref(ctx);
    }
}

static void test_versions(void **state)
{
    (void)state;
    struct pair pair;
    pair_init(&pair);
    pair.server_config.common.min_version = HF_TLS_1_3;
    pair.server_config.common.max_version = HF_TLS_1_2;
    assert_refused(&pair, HF_E_INVALID, "newer than the greatest");
    pair.server_config.common.min_version = (enum hf_tls_version)0x0302;
    assert_refused(&pair, HF_E_INVALID, "1.2 and 1.3");
}

static void test_what_must_be_there(void **state)
{
    (void)state;
    struct pair pair;
    pair_init(&pair);
    pair.server_config.n_identities = 0;
    assert_refused(&pair, HF_E_INVALID, "needs an identity");
    pair_init(&pair);
    pair.server_config.n_policies = 0;
    assert_refused(&pair, HF_E_INVALID, "needs a policy");
    pair_init(&pair);
    pair.server_config.n_policies = 2;
    assert_refused(&pair, HF_E_INVALID, "no server name");
    pair_init(&pair);
    pair.server_config.judge.judge = NULL;
    assert_refused(&pair, HF_E_INVALID, "judge");
    pair_init(&pair);
    pair.server_config.common.clock = NULL;
    assert_refused(&pair, HF_E_INVALID, "clock");
}

static void test_tickets(void **state)
{
    (void)state;
    struct pair pair;
    pair_init(&pair);
    pair.server_config.tickets = true;
    pair.server_config.ticket_keys.n_keys = 0;
    assert_refused(&pair, HF_E_INVALID, "1 to 3 ticket keys");
    pair.server_config.ticket_keys.n_keys = HF_TLS_TICKET_KEYS + 1;
    assert_refused(&pair, HF_E_INVALID, "1 to 3 ticket keys");
    pair.server_config.ticket_keys.n_keys = 1;
    pair.server_config.ticket_keys.key[0].secret.len = 31;
    assert_refused(&pair, HF_E_INVALID, "shorter than 32");
    pair.server_config.ticket_keys.key[0].secret.len = 32;
    static const int64_t lifetimes[] = {0, -1, 7 * 24 * 3600 + 1};
    for (size_t i = 0; i < HF_N_ELEMENTS(lifetimes); i++) {
        pair.server_config.ticket_lifetime_s = lifetimes[i];
        assert_refused(&pair, HF_E_INVALID, "at most 7 days");
    }
}

static void test_alpn_names(void **state)
{
    (void)state;
    char longer[257];
    memset(longer, 'a', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    const char *const lists[][2] = {{"", NULL}, {longer, NULL}};
    for (size_t i = 0; i < HF_N_ELEMENTS(lists); i++) {
        struct pair pair;
        pair_init(&pair);
        pair.server_config.common.alpn = lists[i];
        assert_refused(&pair, HF_E_INVALID, "1 to 255 bytes");
    }
}

static void test_ca_names_that_are_not_names(void **state)
{
    (void)state;
    const struct hf_bytes names[] = {hf_bytes_of("nonsense", 8)};
    struct pair pair;
    pair_init(&pair);
    pair.policy[0].ca_names = names;
    pair.policy[0].n_ca_names = 1;
    assert_refused(&pair, HF_E_CRYPTO, "name of a CA");
}

static void test_identities_too_weak_for_tls(void **state)
{
    (void)state;
    const struct testpki_spec spec = {.cn = "weak.example", .key = "RSA-1024"};
    struct hf_credential *weak = world_credential(world.root, &spec);
    struct pair pair;
    pair_init(&pair);
    pair.server_identity[1] = weak;
    pair.server_config.n_identities = 2;
    assert_refused(&pair, HF_E_CRYPTO, "weak.example: TLS does not take it: ee key too small");
    hf_credential_unref(weak);
}

static void test_engines_that_do_not_exist(void **state)
{
    (void)state;
    struct pair pair;
    pair_init(&pair);
    pair.server_config.common.engine = (enum hf_tls_engine)77;
    assert_refused(&pair, HF_E_INVALID, "77");
}

/* The caller's arrays may go as soon as the context is made. */
static void test_the_config_is_copied(void **state)
{
    (void)state;
    struct pair pair;
    pair_init(&pair);
    char sni[] = "www.example.org", h2[] = "h2", suites[] = "TLS_AES_256_GCM_SHA384";
    const char *alpn[] = {h2, NULL};
    pair.policy[1] = (struct hf_tls_policy){.sni = sni, .ask = HF_TLS_ASK_REQUIRED, .tag = &pair};
    pair.server_config.n_policies = 2;
    pair.server_config.common.alpn = pair.client_config.common.alpn = alpn;
    pair.server_config.common.suites = suites;
    pair_start(&pair);
    memset(sni, 'x', sizeof(sni) - 1);
    memset(suites, 'x', sizeof(suites) - 1);
    memset(h2, 'x', sizeof(h2) - 1);
    memset(&pair.policy, 0xff, sizeof(pair.policy));
    memset(&pair.server_config.ticket_keys, 0xff, sizeof(pair.server_config.ticket_keys));
    pair_shake(&pair);
    assert_int_equal(pair.server.step, HF_TLS_DONE);
    assert_ptr_equal(pair.server.judged[0].tag, &pair);
    assert_string_equal(pair.server.info.alpn, "h2");
    assert_string_equal(pair.server.info.suite, "TLS_AES_256_GCM_SHA384");
    pair_done(&pair);
}

static void test_running_out_of_memory(void **state)
{
    (void)state;
    struct pair pair;
    pair_init(&pair);
    static const char *const alpn[] = {"h2", NULL};
    pair.server_config.common.alpn = alpn;
    pair.server_config.tickets = true;
    enum hf_err err = HF_E_NOMEM;
    for (size_t n = 1; err; n++) {
        struct hf_tls_ctx *ctx = NULL;
        hf_alloc_fail_after(n);
        err = hf_tls_server_ctx_new(&pair.server_config, &ctx);
        hf_alloc_fail_after(0);
        assert_true(err == HF_OK || err == HF_E_NOMEM);
        assert_int_equal(ctx == NULL, err != HF_OK);
        hf_tls_ctx_unref(ctx);
    }
    err = HF_E_NOMEM;
    for (size_t n = 1; err; n++) {
        struct hf_tls_ctx *ctx = NULL;
        hf_alloc_fail_after(n);
        err = hf_tls_client_ctx_new(&pair.client_config, &ctx);
        hf_alloc_fail_after(0);
        assert_true(err == HF_OK || err == HF_E_NOMEM);
        hf_tls_ctx_unref(ctx);
    }
}

struct kept_lines {
    size_t n, n_secrets;
};

static void keep_line(void *ctx, const char *line)
{
    struct kept_lines *lines = ctx;
    lines->n++;
    lines->n_secrets += strncmp(line, "SERVER_TRAFFIC_SECRET_0 ", 24) == 0;
}

static void test_the_key_log_is_told(void **state)
{
    (void)state;
    struct kept_lines lines = {0, 0};
    const struct hf_tls_keylog keylog = {&lines, keep_line};
    struct pair pair;
    pair_init(&pair);
    pair.server_config.common.keylog = &keylog;
    pair_start(&pair);
    pair_shake(&pair);
    assert_int_equal(lines.n_secrets, 1);
    assert_true(lines.n >= 4);
    pair_done(&pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_names_are_told_with_what_was_meant),
        cmocka_unit_test(test_good_names_are_taken),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_what_must_be_there),
        cmocka_unit_test(test_tickets),
        cmocka_unit_test(test_alpn_names),
        cmocka_unit_test(test_ca_names_that_are_not_names),
        cmocka_unit_test(test_identities_too_weak_for_tls),
        cmocka_unit_test(test_engines_that_do_not_exist),
        cmocka_unit_test(test_the_config_is_copied),
        cmocka_unit_test(test_running_out_of_memory),
        cmocka_unit_test(test_the_key_log_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
