// SPDX-License-Identifier: Apache-2.0
#include "suite_impl.h"

/* Choices: identity and policy by name, ALPN, our certificate by the server's CA names; and what
 * happens where nothing is in common. */

#include <string.h>

#include "base/mem.h"

/* --- Server names --- */

struct name_case {
    const char *sni;
    int identity; /* index; -1: refused when strict */
    int policy;
};

static const struct name_case name_cases[] = {
    {"www.example.org", 1, 2},
    {"WWW.Example.ORG", 1, 2},
    {"www.example.org.", 1, 2},
    {"api.example.org", 2, 1},
    {"mail.example.org", 2, 1},
    {"a.b.example.org", -1, 0}, /* a wildcard is one label */
    {"example.org", -1, 0},
    {"first.example", 0, 0},
    {"other.example", -1, 0},
    {"localhost", -1, 0},
    {NULL, -1, 0},
};

static const char *const identity_names[] = {"DNS:first.example", "DNS:www.example.org",
                                             "DNS:*.example.org,DNS:www.example.org"};

static void name_pair(struct pair *pair, enum hf_tls_version version,
                      struct hf_credential *const *identities)
{
    static int tags[3];
    pair_of(pair, version);
    for (size_t i = 0; i < 3; i++) {
        pair->server_identity[i] = identities[i];
        pair->policy[i] = (struct hf_tls_policy){.ask = HF_TLS_ASK_REQUIRED, .tag = &tags[i]};
    }
    pair->policy[1].sni = "*.Example.org";
    pair->policy[2].sni = "www.example.org";
    pair->server_config.n_identities = 3;
    pair->server_config.n_policies = 3;
}

static void make_named(struct hf_credential *out[3])
{
    for (size_t i = 0; i < 3; i++) {
        const struct testpki_spec spec = {.cn = "server", .san = identity_names[i]};
        out[i] = world_credential(world.intermediate, &spec);
    }
}

static void free_named(struct hf_credential *identities[3])
{
    for (size_t i = 0; i < 3; i++) {
        hf_credential_unref(identities[i]);
    }
}

static void test_names_choose_identity_and_policy(void **state)
{
    (void)state;
    struct hf_credential *identities[3];
    make_named(identities);
    FOR_EACH_VERSION(version)
    {
        for (size_t i = 0; i < HF_N_ELEMENTS(name_cases); i++) {
            const struct name_case *want = &name_cases[i];
            struct hf_credential *expected = identities[want->identity < 0 ? 0 : want->identity];
            struct pair pair;
            name_pair(&pair, version, identities);
            pair.sni = want->sni;
            pair_start(&pair);
            pair_shake(&pair);
            assert_open(&pair);
            assert_ptr_equal(pair.server.info.identity, expected);
            assert_same_chain(&pair.client, expected);
            assert_ptr_equal(pair.server.judged[0].tag, pair.policy[want->policy].tag);
            assert_string_equal(pair.server.judged[0].sni, want->sni ? want->sni : "-");
            pair_done(&pair);
        }
    }
    free_named(identities);
}

static void test_strict_names_refuse_the_unknown(void **state)
{
    (void)state;
    struct hf_credential *identities[3];
    make_named(identities);
    FOR_EACH_VERSION(version)
    {
        for (size_t i = 0; i < HF_N_ELEMENTS(name_cases); i++) {
            struct pair pair;
            name_pair(&pair, version, identities);
            pair.server_config.strict_sni = true;
            pair.sni = name_cases[i].sni;
            pair_start(&pair);
            pair_shake(&pair);
            if (name_cases[i].identity >= 0) {
                assert_open(&pair);
            } else {
                assert_refused(&pair.server, &pair.client, HF_ALERT_UNRECOGNIZED_NAME);
                assert_int_equal(side_reason(&pair.server), HF_REASON_UNKNOWN_SNI);
                assert_int_equal(pair.server.n_judged, 0);
            }
            pair_done(&pair);
        }
    }
    free_named(identities);
}

/* One name, two kinds of key: the client's signature algorithms choose. libssl's order of
 * signatures puts ECDSA before RSA on both sides. */
static void test_two_kinds_of_key_for_one_name(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        struct pair pair;
        pair_of(&pair, version);
        pair.server_identity[0] = world.stranger; /* another name */
        pair.server_identity[1] = world.server[KEY_RSA];
        pair.server_identity[2] = world.server[KEY_P256];
        pair.server_config.n_identities = 3;
        pair_start(&pair);
        pair_shake(&pair);
        assert_open(&pair);
        assert_ptr_equal(pair.server.info.identity, world.server[KEY_P256]);
        assert_same_chain(&pair.client, world.server[KEY_P256]);
        pair_done(&pair);
    }
}

static void test_policy_of_the_name_decides_how_to_ask(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        for (int open = 0; open < 2; open++) {
            struct pair pair;
            pair_of(&pair, version);
            pair.policy[1] =
                (struct hf_tls_policy){.sni = "open.example.org", .ask = HF_TLS_ASK_NONE};
            pair.server_config.n_policies = 2;
            pair.client_config.n_identities = 0;
            pair.sni = open ? "open.example.org" : "www.example.org";
            pair_start(&pair);
            pair_shake(&pair);
            pair_settle(&pair);
            assert_int_equal(pair.server.info.complete, open);
            assert_int_equal(pair.server.n_judged, open ? 0 : 1);
            pair_done(&pair);
        }
    }
}

/* --- ALPN --- */

struct alpn_case {
    const char *server[4], *client[4];
    bool required;
    const char *chosen; /* NULL: none */
    bool refused;
};

static const struct alpn_case alpn_cases[] = {
    {{"h2", "http/1.1"}, {"http/1.1", "h2"}, false, "h2", false},
    {{"http/1.1"}, {"h2", "http/1.1"}, true, "http/1.1", false},
    {{"h2"}, {"http/1.1"}, false, NULL, false},
    {{"h2"}, {"http/1.1"}, true, NULL, true},
    {{"h2"}, {NULL}, true, NULL, false}, /* it named nothing that we could miss */
    {{NULL}, {"h2"}, false, NULL, false},
    {{"h2"}, {"h", "h2c", "h22"}, false, NULL, false},
};

static void assert_alpn(const struct side *side, const char *name)
{
    if (name) {
        assert_non_null(side->info.alpn);
        assert_string_equal(side->info.alpn, name);
    } else {
        assert_null(side->info.alpn);
    }
}

static void test_alpn(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        for (size_t i = 0; i < HF_N_ELEMENTS(alpn_cases); i++) {
            const struct alpn_case *want = &alpn_cases[i];
            struct pair pair;
            pair_of(&pair, version);
            pair.server_config.common.alpn = want->server;
            pair.client_config.common.alpn = want->client;
            pair.server_config.alpn_required = want->required;
            pair_start(&pair);
            pair_shake(&pair);
            if (want->refused) {
                assert_refused(&pair.server, &pair.client, HF_ALERT_NO_APPLICATION_PROTOCOL);
                assert_int_equal(side_reason(&pair.server), HF_REASON_NO_COMMON_ALPN);
            } else {
                assert_open(&pair);
                assert_alpn(&pair.server, want->chosen);
                assert_alpn(&pair.client, want->chosen);
            }
            pair_done(&pair);
        }
    }
}

static void test_alpn_of_a_resumed_session(void **state)
{
    (void)state;
    static const char *const h2[] = {"h2", NULL};
    FOR_EACH_VERSION(version)
    {
        struct pair pair;
        pair_of(&pair, version);
        pair.server_config.tickets = true;
        pair.server_config.common.alpn = pair.client_config.common.alpn = h2;
        pair_start(&pair);
        pair_keep_ticket(&pair);
        pair_again(&pair);
        pair_shake(&pair);
        assert_open(&pair);
        assert_true(pair.server.info.resumed);
        assert_alpn(&pair.server, "h2");
        assert_alpn(&pair.client, "h2");
        pair_done(&pair);
    }
}

/* --- Our certificate, by what the server asks for --- */

static struct hf_bytes name_of(const struct testpki *ca)
{
    uint8_t *der = NULL;
    int len = i2d_X509_NAME(X509_get_subject_name(ca->x509), &der);
    assert_true(len > 0);
    return hf_bytes_of(der, (size_t)len);
}

static void test_client_s_certificate_follows_the_ca_names(void **state)
{
    (void)state;
    const struct testpki *const asked[] = {world.intermediate, world.root, world.other_root, NULL};
    FOR_EACH_VERSION(version)
    {
        for (size_t i = 0; i < HF_N_ELEMENTS(asked); i++) {
            struct pair pair;
            pair_of(&pair, version);
            struct hf_bytes name = asked[i] ? name_of(asked[i]) : hf_bytes_of(NULL, 0);
            pair.policy[0].ca_names = &name;
            pair.policy[0].n_ca_names = asked[i] ? 1 : 0;
            pair.client_identity[0] = world.client[KEY_P256];
            pair.client_identity[1] = world.stranger;
            pair.client_config.n_identities = 2;
            pair_start(&pair);
            pair_shake(&pair);
            assert_open(&pair);
            struct hf_credential *sent =
                asked[i] == world.other_root ? world.stranger : world.client[KEY_P256];
            assert_same_chain(&pair.server, sent);
            assert_ptr_equal(pair.client.info.identity, sent);
            pair_done(&pair);
            OPENSSL_free((void *)(uintptr_t)name.ptr);
        }
    }
}

static void test_client_sends_its_first_where_none_fits(void **state)
{
    (void)state;
    const struct testpki_spec spec = {.cn = "Unheard of", .ca = true};
    struct testpki *unknown = testpki_make(NULL, &spec);
    struct hf_bytes name = name_of(unknown);
    FOR_EACH_VERSION(version)
    {
        for (size_t n = 1; n <= 2; n++) {
            struct pair pair;
            pair_of(&pair, version);
            pair.policy[0].ca_names = &name;
            pair.policy[0].n_ca_names = 1;
            pair.client_identity[1] = world.stranger;
            pair.client_config.n_identities = n;
            pair_start(&pair);
            pair_shake(&pair);
            assert_open(&pair);
            assert_same_chain(&pair.server, world.client[KEY_P256]);
            pair_done(&pair);
        }
    }
    OPENSSL_free((void *)(uintptr_t)name.ptr);
    testpki_free(unknown);
}

/* --- Nothing in common --- */

static void test_no_common_version(void **state)
{
    (void)state;
    if (suite.min_version == suite.max_version) {
        return; /* there is no other version */
    }
    FOR_EACH_VERSION(version)
    {
        struct pair pair;
        pair_of(&pair, version);
        struct hf_tls_common *client = &pair.client_config.common;
        client->min_version = client->max_version = version == HF_TLS_1_2 ? HF_TLS_1_3 : HF_TLS_1_2;
        pair_start(&pair);
        pair_shake(&pair);
        assert_refused(&pair.server, &pair.client, HF_ALERT_PROTOCOL_VERSION);
        assert_int_equal(side_reason(&pair.server), HF_REASON_NO_COMMON_VERSION);
        const char *offered = version == HF_TLS_1_2 ? "TLS 1.3" : "TLS 1.2";
        assert_non_null(strstr(hf_tls_failure(pair.server.tls)->text, offered));
        pair_done(&pair);
    }
}

static void test_no_common_suite(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        struct pair pair;
        pair_of(&pair, version);
        pair.server_config.common.suites = "TLS_AES_256_GCM_SHA384";
        pair.client_config.common.suites = "TLS_AES_128_GCM_SHA256";
        pair.server_config.common.ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384";
        pair.client_config.common.ciphers = "ECDHE-ECDSA-AES128-GCM-SHA256";
        pair_start(&pair);
        pair_shake(&pair);
        assert_refused(&pair.server, &pair.client, HF_ALERT_HANDSHAKE_FAILURE);
        assert_int_equal(side_reason(&pair.server), HF_REASON_NO_COMMON_SUITE);
        pair_done(&pair);
    }
}

static void test_no_common_group(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        struct pair pair;
        pair_of(&pair, version);
        pair.server_config.common.groups = "P-384";
        pair.client_config.common.groups = "X25519";
        pair_start(&pair);
        pair_shake(&pair);
        assert_refused(&pair.server, &pair.client, HF_ALERT_HANDSHAKE_FAILURE);
        assert_int_equal(side_reason(&pair.server), HF_REASON_NO_COMMON_GROUP);
        assert_non_null(strstr(hf_tls_failure(pair.server.tls)->text, "the client offers x25519"));
        pair_done(&pair);
    }
}

static const struct CMUnitTest suite_choice_tests[] = {
    cmocka_unit_test(test_names_choose_identity_and_policy),
    cmocka_unit_test(test_strict_names_refuse_the_unknown),
    cmocka_unit_test(test_two_kinds_of_key_for_one_name),
    cmocka_unit_test(test_policy_of_the_name_decides_how_to_ask),
    cmocka_unit_test(test_alpn),
    cmocka_unit_test(test_alpn_of_a_resumed_session),
    cmocka_unit_test(test_client_s_certificate_follows_the_ca_names),
    cmocka_unit_test(test_client_sends_its_first_where_none_fits),
    cmocka_unit_test(test_no_common_version),
    cmocka_unit_test(test_no_common_suite),
    cmocka_unit_test(test_no_common_group),
};
SUITE_PART(suite_choice);
