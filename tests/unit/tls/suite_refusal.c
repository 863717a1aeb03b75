// SPDX-License-Identifier: Apache-2.0
#include "suite_impl.h"

#include <string.h>

/* Refusals: the alert that the judge names is the alert that arrives, in both roles and versions.
 */

static const uint8_t alerts[] = {
#define ALERT(id, number, name, text) HF_ALERT_##id,
    HF_ALERT_TABLE(ALERT)
#undef ALERT
};

static bool is_fatal(uint8_t alert)
{
    return alert != HF_ALERT_CLOSE_NOTIFY && alert != HF_ALERT_USER_CANCELED;
}

static void test_server_refuses_with_each_alert(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        for (size_t i = 0; i < HF_N_ELEMENTS(alerts); i++) {
            if (!is_fatal(alerts[i])) {
                continue;
            }
            struct pair pair;
            pair_of(&pair, version);
            pair.server.answer = (struct hf_tls_answer){.admit = false, .alert = alerts[i]};
            pair_start(&pair);
            pair_shake(&pair);
            pair_settle(&pair);
            assert_int_equal(pair.server.step, HF_TLS_FAILED);
            assert_int_equal(side_reason(&pair.server), HF_REASON_OK);
            assert_int_equal(pair.server.info.alert_sent, alert_arriving(version, alerts[i]));
            assert_int_equal(pair.client.step, HF_TLS_FAILED);
            assert_int_equal(pair.client.info.alert_received, alert_arriving(version, alerts[i]));
            assert_int_equal(side_reason(&pair.client),
                             hf_reason_of_peer_alert(pair.client.info.alert_received));
            assert_same_chain(&pair.server, world.client[KEY_P256]);
            pair_done(&pair);
        }
    }
}

static void test_client_refuses_with_each_alert(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        for (size_t i = 0; i < HF_N_ELEMENTS(alerts); i++) {
            if (!is_fatal(alerts[i])) {
                continue;
            }
            struct pair pair;
            pair_of(&pair, version);
            pair.client.answer = (struct hf_tls_answer){.admit = false, .alert = alerts[i]};
            pair_start(&pair);
            pair_shake(&pair);
            assert_int_equal(pair.client.step, HF_TLS_FAILED);
            assert_int_equal(side_reason(&pair.client), HF_REASON_OK);
            assert_int_equal(pair.client.info.alert_sent, alert_arriving(version, alerts[i]));
            assert_int_equal(pair.server.step, HF_TLS_FAILED);
            assert_int_equal(pair.server.info.alert_received, alert_arriving(version, alerts[i]));
            pair_done(&pair);
        }
    }
}

static void test_refusal_of_an_optional_missing_certificate(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        struct pair pair;
        pair_of(&pair, version);
        pair.policy[0].ask = HF_TLS_ASK_OPTIONAL;
        pair.server_config.tickets = true;
        pair.client_config.n_identities = 0;
        pair.server.answer =
            (struct hf_tls_answer){.admit = false, .alert = HF_ALERT_ACCESS_DENIED};
        pair_start(&pair);
        pair_shake(&pair);
        pair_settle(&pair);
        assert_int_equal(pair.server.step, HF_TLS_FAILED);
        assert_int_equal(pair.client.info.alert_received, HF_ALERT_ACCESS_DENIED);
        assert_null(hf_tls_take_session(pair.client.tls)); /* nobody refused leaves with a ticket */
        pair_done(&pair);
    }
}

/* Alerts after the handshake, from either side, as when a session is revoked. */
static void test_abort_of_an_open_connection_with_each_alert(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        for (size_t i = 0; i < 2 * HF_N_ELEMENTS(alerts); i++) {
            uint8_t alert = alerts[i / 2];
            if (!is_fatal(alert)) {
                continue;
            }
            struct pair pair;
            pair_of(&pair, version);
            pair_start(&pair);
            pair_shake(&pair);
            assert_open(&pair);
            struct side *from = i % 2 ? &pair.server : &pair.client;
            struct side *to = i % 2 ? &pair.client : &pair.server;
            side_send(&pair, from, hf_bytes_str("hello"));
            struct hf_tls_io io = {{NULL, 0}, &from->out};
            hf_tls_abort(from->tls, &io, alert);
            pair_settle(&pair);
            assert_int_equal(to->step, HF_TLS_FAILED);
            assert_int_equal(to->info.alert_received, alert_arriving(version, alert));
            assert_int_equal(side_read(from), HF_TLS_FAILED);
            assert_int_equal(from->info.alert_sent, alert_arriving(version, alert));
            pair_done(&pair);
        }
    }
}

/* user_canceled ends nothing by itself: close_notify comes behind it (RFC 8446 6.1). */
static void test_abort_with_user_canceled_closes(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        struct pair pair;
        pair_of(&pair, version);
        pair_start(&pair);
        pair_shake(&pair);
        struct hf_tls_io io = {{NULL, 0}, &pair.server.out};
        hf_tls_abort(pair.server.tls, &io, HF_ALERT_USER_CANCELED);
        pair_settle(&pair);
        assert_int_equal(pair.client.step, HF_TLS_CLOSED);
        pair_done(&pair);
    }
}

static void test_abort_before_the_hello_is_in_the_clear(void **state)
{
    (void)state;
    struct pair pair;
    pair_of(&pair, suite.max_version);
    pair_start(&pair);
    struct hf_tls_io io = {{NULL, 0}, &pair.server.out};
    hf_tls_abort(pair.server.tls, &io, HF_ALERT_INTERNAL_ERROR);
    static const uint8_t record[] = {21, 3, 3, 0, 2, 2, HF_ALERT_INTERNAL_ERROR};
    assert_int_equal(hf_buf_len(&pair.server.out), sizeof(record));
    assert_memory_equal(hf_buf_bytes(&pair.server.out).ptr, record, sizeof(record));
    assert_int_equal(side_handshake(&pair.server), HF_TLS_FAILED);
    assert_int_equal(side_reason(&pair.server), HF_REASON_OK);
    hf_tls_abort(pair.server.tls, &io, HF_ALERT_INTERNAL_ERROR); /* once is enough */
    assert_int_equal(hf_buf_len(&pair.server.out), sizeof(record));
    pair_done(&pair);
}

/* With each suite, since each seals in its own way. */
static void test_alerts_under_each_cipher(void **state)
{
    (void)state;
    static const struct {
        enum hf_tls_version version;
        const char *cipher;
    } cases[] = {
        {HF_TLS_1_3, "TLS_AES_128_GCM_SHA256"},
        {HF_TLS_1_3, "TLS_AES_256_GCM_SHA384"},
        {HF_TLS_1_3, "TLS_CHACHA20_POLY1305_SHA256"},
        {HF_TLS_1_3, "TLS_AES_128_CCM_SHA256"},
        {HF_TLS_1_2, "ECDHE-ECDSA-AES128-GCM-SHA256"},
        {HF_TLS_1_2, "ECDHE-ECDSA-AES256-GCM-SHA384"},
        {HF_TLS_1_2, "ECDHE-ECDSA-CHACHA20-POLY1305"},
        {HF_TLS_1_2, "ECDHE-ECDSA-AES128-CCM"},
        {HF_TLS_1_2, "ECDHE-ECDSA-AES128-CCM8"},
    };
    for (size_t i = 0; i < 2 * HF_N_ELEMENTS(cases); i++) {
        enum hf_tls_version version = cases[i / 2].version;
        bool by_libssl =
            suite.server == HF_TLS_ENGINE_LIBSSL && suite.client == HF_TLS_ENGINE_LIBSSL;
        if (version < suite.min_version || version > suite.max_version ||
            (strstr(cases[i / 2].cipher, "CCM") && !by_libssl)) {
            continue;
        }
        struct pair pair;
        pair_of(&pair, version);
        struct hf_tls_common *commons[] = {&pair.server_config.common, &pair.client_config.common};
        for (size_t j = 0; j < 2; j++) {
            *(version == HF_TLS_1_3 ? &commons[j]->suites : &commons[j]->ciphers) =
                cases[i / 2].cipher;
        }
        pair_start(&pair);
        pair_shake(&pair);
        assert_open(&pair);
        struct side *from = i % 2 ? &pair.server : &pair.client;
        struct side *to = i % 2 ? &pair.client : &pair.server;
        side_send(&pair, from, hf_bytes_str("first"));
        side_send(&pair, from, hf_bytes_str("second"));
        struct hf_tls_io io = {{NULL, 0}, &from->out};
        hf_tls_abort(from->tls, &io, HF_ALERT_CERTIFICATE_REVOKED);
        pair_settle(&pair);
        assert_int_equal(to->info.alert_received, HF_ALERT_CERTIFICATE_REVOKED);
        pair_done(&pair);
    }
}

/* Where half a record stands in the way, nothing is put behind it. */
static void test_abort_while_waiting_for_room_adds_nothing(void **state)
{
    (void)state;
    struct pair pair;
    pair_of(&pair, suite.max_version);
    pair_start(&pair);
    uint8_t filler[HF_TLS_OUT_MIN - 300] = {0};
    pair_first_flight(&pair, hf_bytes_of(filler, sizeof(filler)));
    size_t before = hf_buf_len(&pair.server.out);
    struct hf_tls_io io = {{NULL, 0}, &pair.server.out};
    hf_tls_abort(pair.server.tls, &io, HF_ALERT_INTERNAL_ERROR);
    assert_int_equal(hf_buf_len(&pair.server.out), before);
    assert_int_equal(side_handshake(&pair.server), HF_TLS_FAILED);
    pair_done(&pair);
}

static void test_more_certificates_than_the_limit(void **state)
{
    (void)state;
    struct hf_credential *longer = world_long_credential(HF_CHAIN_MAX + 1);
    FOR_EACH_VERSION(version)
    {
        struct pair pair;
        pair_of(&pair, version);
        pair.client_identity[0] = longer;
        pair_start(&pair);
        pair_shake(&pair);
        pair_settle(&pair);
        assert_refused(&pair.server, &pair.client, HF_ALERT_BAD_CERTIFICATE);
        assert_int_equal(side_reason(&pair.server), HF_REASON_CHAIN_TOO_LONG);
        assert_int_equal(pair.server.n_judged, 0);
        pair_done(&pair);
    }
    world_long_credential_free(longer);
}

static const struct CMUnitTest suite_refusal_tests[] = {
    cmocka_unit_test(test_server_refuses_with_each_alert),
    cmocka_unit_test(test_client_refuses_with_each_alert),
    cmocka_unit_test(test_refusal_of_an_optional_missing_certificate),
    cmocka_unit_test(test_abort_of_an_open_connection_with_each_alert),
    cmocka_unit_test(test_abort_with_user_canceled_closes),
    cmocka_unit_test(test_abort_before_the_hello_is_in_the_clear),
    cmocka_unit_test(test_alerts_under_each_cipher),
    cmocka_unit_test(test_abort_while_waiting_for_room_adds_nothing),
    cmocka_unit_test(test_more_certificates_than_the_limit),
};
SUITE_PART(suite_refusal);
