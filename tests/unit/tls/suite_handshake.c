// SPDX-License-Identifier: Apache-2.0
#include "suite_impl.h"

/* Full handshakes: every kind of key, every way to ask, in crumbs and with little room. */

static void use_keys(struct pair *pair, enum key_kind kind)
{
    pair->server_identity[0] = world.server[kind];
    pair->client_identity[0] = world.client[kind];
}

static void test_handshake_with_each_kind_of_key(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        for (int kind = 0; kind < KEY_N; kind++) {
            struct pair pair;
            pair_of(&pair, version);
            use_keys(&pair, kind);
            pair_start(&pair);
            pair_shake(&pair);
            assert_good_pair(&pair, version);
            assert_same_chain(&pair.server, world.client[kind]);
            assert_same_chain(&pair.client, world.server[kind]);
            assert_ptr_equal(pair.server.info.identity, world.server[kind]);
            assert_ptr_equal(pair.client.info.identity, world.client[kind]);
            assert_int_equal(pair.server.n_judged, 1);
            assert_int_equal(pair.client.n_judged, 1);
            assert_false(pair.server.info.resumed);
            pair_done(&pair);
        }
    }
}

static void test_handshake_one_byte_at_a_time(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        struct pair pair;
        pair_of(&pair, version);
        pair.chunk = 1;
        pair_start(&pair);
        pair_shake(&pair);
        assert_good_pair(&pair, version);
        pair_done(&pair);
    }
}

struct ask_case {
    enum hf_tls_ask ask;
    bool has_certificate;
    bool judged, chain;
};

static void test_handshake_in_each_way_to_ask(void **state)
{
    (void)state;
    static const struct ask_case cases[] = {
        {HF_TLS_ASK_NONE, true, false, false},   {HF_TLS_ASK_NONE, false, false, false},
        {HF_TLS_ASK_OPTIONAL, true, true, true}, {HF_TLS_ASK_OPTIONAL, false, true, false},
        {HF_TLS_ASK_REQUIRED, true, true, true},
    };
    FOR_EACH_VERSION(version)
    {
        for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
            struct pair pair;
            pair_of(&pair, version);
            pair.policy[0].ask = cases[i].ask;
            pair.client_config.n_identities = cases[i].has_certificate ? 1 : 0;
            pair_start(&pair);
            pair_shake(&pair);
            assert_good_pair(&pair, version);
            assert_int_equal(pair.server.n_judged, cases[i].judged ? 1 : 0);
            assert_int_equal(side_chain(&pair.server) != NULL, cases[i].chain);
            assert_int_equal(pair.server.judged[0].had_chain, cases[i].chain);
            pair_done(&pair);
        }
    }
}

static void test_required_certificate_is_missing(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        struct pair pair;
        pair_of(&pair, version);
        pair.client_config.n_identities = 0;
        pair.server.answer =
            (struct hf_tls_answer){.admit = false, .alert = HF_ALERT_CERTIFICATE_REQUIRED};
        pair_start(&pair);
        pair_shake(&pair);
        pair_settle(&pair);
        assert_int_equal(pair.server.step, HF_TLS_FAILED);
        assert_int_equal(side_reason(&pair.server), HF_REASON_OK);
        assert_int_equal(pair.server.n_judged, 1);
        assert_false(pair.server.judged[0].had_chain);
        uint8_t alert =
            version == HF_TLS_1_3 ? HF_ALERT_CERTIFICATE_REQUIRED : HF_ALERT_HANDSHAKE_FAILURE;
        assert_int_equal(pair.server.info.alert_sent, alert);
        assert_int_equal(pair.client.info.alert_received, alert);
        assert_int_equal(side_reason(&pair.client), HF_REASON_PEER_ALERT);
        pair_done(&pair);
    }
}

/* Even a judge that forgets to refuse doesn't open what the policy requires. */
static void test_required_certificate_is_missing_and_the_judge_admits(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        struct pair pair;
        pair_of(&pair, version);
        pair.client_config.n_identities = 0;
        pair_start(&pair);
        pair_shake(&pair);
        assert_int_equal(pair.server.step, HF_TLS_FAILED);
        assert_int_equal(side_reason(&pair.server), HF_REASON_NO_CERTIFICATE);
        assert_false(pair.server.info.complete);
        pair_done(&pair);
    }
}

static void test_both_versions_allowed_gives_the_newer(void **state)
{
    (void)state;
    struct pair pair;
    pair_of(&pair, suite.max_version);
    pair.server_config.common.min_version = suite.min_version;
    pair.client_config.common.min_version = suite.min_version;
    pair_start(&pair);
    pair_shake(&pair);
    assert_good_pair(&pair, suite.max_version);
    pair_done(&pair);
}

/* The client's first guess of a group is wrong: TLS 1.3 asks it to try again. */
static void test_hello_retry_request(void **state)
{
    (void)state;
    for (size_t chunk = 0; chunk < 2; chunk++) {
        struct pair pair;
        pair_of(&pair, HF_TLS_1_3);
        pair.chunk = chunk;
        pair.client_config.common.groups = "X25519:P-384";
        pair.server_config.common.groups = "P-384:P-256";
        pair_start(&pair);
        pair_shake(&pair);
        assert_open(&pair);
        assert_string_equal(pair.server.info.group, "secp384r1");
        assert_string_equal(pair.client.info.group, "secp384r1");
        assert_int_equal(pair.server.n_judged, 1);
        assert_carries_data(&pair);
        pair_done(&pair);
    }
}

static void test_each_group(void **state)
{
    (void)state;
    static const char *const groups[][2] = {
        {"X25519", "x25519"}, {"P-256", "secp256r1"}, {"P-384", "secp384r1"}};
    FOR_EACH_VERSION(version)
    {
        for (size_t i = 0; i < HF_N_ELEMENTS(groups); i++) {
            struct pair pair;
            pair_of(&pair, version);
            use_keys(&pair, KEY_RSA); /* an ECDSA key's curve counts as a group in TLS 1.2 */
            pair.server_config.common.groups = groups[i][0];
            pair_start(&pair);
            pair_shake(&pair);
            assert_open(&pair);
            assert_string_equal(pair.server.info.group, groups[i][1]);
            assert_string_equal(pair.client.info.group, groups[i][1]);
            pair_done(&pair);
        }
    }
}

static void test_each_suite_of_tls_1_3(void **state)
{
    (void)state;
    static const char *const suites[] = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384",
                                         "TLS_CHACHA20_POLY1305_SHA256"};
    for (size_t i = 0; i < HF_N_ELEMENTS(suites); i++) {
        struct pair pair;
        pair_of(&pair, HF_TLS_1_3);
        pair.server_config.common.suites = suites[i];
        pair_start(&pair);
        pair_shake(&pair);
        assert_good_pair(&pair, HF_TLS_1_3);
        assert_string_equal(pair.server.info.suite, suites[i]);
        pair_done(&pair);
    }
}

static void test_the_server_s_order_of_suites_counts(void **state)
{
    (void)state;
    struct pair pair;
    pair_of(&pair, HF_TLS_1_3);
    pair.server_config.common.suites = "TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256";
    pair.client_config.common.suites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384";
    pair_start(&pair);
    pair_shake(&pair);
    assert_open(&pair);
    assert_string_equal(pair.server.info.suite, "TLS_AES_256_GCM_SHA384");
    pair_done(&pair);
}

/* A client without fast AES puts ChaCha20 first, and gets it. */
static void test_a_client_that_prefers_chacha_gets_it(void **state)
{
    (void)state;
    struct pair pair;
    pair_of(&pair, HF_TLS_1_3);
    pair.client_config.common.suites = "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256";
    pair_start(&pair);
    pair_shake(&pair);
    assert_open(&pair);
    assert_string_equal(pair.server.info.suite, "TLS_CHACHA20_POLY1305_SHA256");
    pair_done(&pair);
}

/* A request for certificates that is larger than io.out goes out in parts. */
static void test_a_flight_that_is_larger_than_the_room_for_it(void **state)
{
    (void)state;
    struct hf_bytes names[400];
    uint8_t *name = NULL;
    X509_NAME *subject = X509_get_subject_name(world.intermediate->x509);
    int len = i2d_X509_NAME(subject, &name);
    assert_true(len > 0);
    for (size_t i = 0; i < HF_N_ELEMENTS(names); i++) {
        names[i] = hf_bytes_of(name, (size_t)len);
    }
    FOR_EACH_VERSION(version)
    {
        struct pair pair;
        pair_of(&pair, version);
        pair.policy[0].ca_names = names;
        pair.policy[0].n_ca_names = HF_N_ELEMENTS(names);
        pair.out_cap = HF_TLS_OUT_MIN;
        pair_start(&pair);
        uint8_t filler[HF_TLS_OUT_MIN - 2000] = {0};
        pair_first_flight(&pair, hf_bytes_of(filler, sizeof(filler)));
        pair_shake(&pair);
        assert_good_pair(&pair, version);
        pair_done(&pair);
    }
    OPENSSL_free(name);
}

static void test_nothing_is_read_written_or_exported_before_the_end(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        struct pair pair;
        pair_of(&pair, version);
        pair_start(&pair);
        uint8_t key[16];
        assert_int_equal(hf_tls_export(pair.client.tls, "EXPORTER-test", hf_bytes_of(NULL, 0),
                                       hf_span_of(key, sizeof(key))),
                         HF_E_INVALID);
        assert_null(hf_tls_failure(pair.client.tls));
        assert_int_equal(side_read(&pair.client), HF_TLS_FAILED);
        assert_int_equal(side_reason(&pair.client), HF_REASON_INTERNAL);
        struct hf_tls_io io = {{NULL, 0}, &pair.server.out};
        size_t n;
        assert_int_equal(hf_tls_write(pair.server.tls, &io, hf_bytes_str("x"), &n), HF_TLS_FAILED);
        assert_int_equal(n, 0);
        assert_int_equal(hf_buf_len(&pair.server.out), 0);
        pair_done(&pair);
    }
}

static void test_a_quiet_connection_wakes_up(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        struct pair pair;
        pair_of(&pair, version);
        pair_start(&pair);
        pair_shake(&pair);
        for (int i = 0; i < 3; i++) {
            assert_carries_data(&pair);
            hf_tls_quiet(pair.server.tls);
            hf_tls_quiet(pair.client.tls);
        }
        assert_good_pair(&pair, version);
        pair_done(&pair);
    }
}

/* Whatever runs out of memory, no side is open without a verdict, and nothing leaks. */
static void test_running_out_of_memory(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        bool done = false;
        for (size_t n = 1; !done; n++) {
            assert_true(n < 2000);
            struct pair pair;
            pair_of(&pair, version);
            pair.server_config.tickets = true;
            pair_start(&pair);
            done = pair_shake_failing(&pair, n);
            if (pair.server.info.complete) {
                assert_non_null(side_chain(&pair.server));
                assert_int_equal(pair.server.n_judged, 1);
            }
            if (pair.client.info.complete) {
                assert_non_null(side_chain(&pair.client));
            }
            pair_done(&pair);
        }
    }
}

static const struct CMUnitTest suite_handshake_tests[] = {
    cmocka_unit_test(test_handshake_with_each_kind_of_key),
    cmocka_unit_test(test_handshake_one_byte_at_a_time),
    cmocka_unit_test(test_handshake_in_each_way_to_ask),
    cmocka_unit_test(test_required_certificate_is_missing),
    cmocka_unit_test(test_required_certificate_is_missing_and_the_judge_admits),
    cmocka_unit_test(test_both_versions_allowed_gives_the_newer),
    cmocka_unit_test(test_hello_retry_request),
    cmocka_unit_test(test_each_group),
    cmocka_unit_test(test_each_suite_of_tls_1_3),
    cmocka_unit_test(test_the_server_s_order_of_suites_counts),
    cmocka_unit_test(test_a_client_that_prefers_chacha_gets_it),
    cmocka_unit_test(test_a_flight_that_is_larger_than_the_room_for_it),
    cmocka_unit_test(test_nothing_is_read_written_or_exported_before_the_end),
    cmocka_unit_test(test_a_quiet_connection_wakes_up),
    cmocka_unit_test(test_running_out_of_memory),
};
SUITE_PART(suite_handshake);
