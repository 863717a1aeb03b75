// SPDX-License-Identifier: Apache-2.0
#include "suite.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <stdio.h>
#include <string.h>

static struct suite suite;

/* --- Walking over what every case is run with --------------------------------------------------
 */

static const enum hf_tls_version versions[] = {HF_TLS_1_2, HF_TLS_1_3};

/* A pair of the suite's engines that speaks this version alone. */
static void pair_of(struct pair *pair, enum hf_tls_version version)
{
    pair_init(pair);
    struct hf_tls_common *commons[] = {&pair->server_config.common, &pair->client_config.common};
    for (size_t i = 0; i < 2; i++) {
        commons[i]->engine = i == 0 ? suite.server : suite.client;
        commons[i]->min_version = commons[i]->max_version = version;
    }
}

#define FOR_EACH_VERSION(version) \
    for (size_t version##_i = 0; version##_i < HF_N_ELEMENTS(versions); version##_i++) \
        for (enum hf_tls_version version = versions[version##_i]; version; version = 0) \
            if (version >= suite.min_version && version <= suite.max_version)

static void use_keys(struct pair *pair, enum key_kind kind)
{
    pair->server_identity[0] = world.server[kind];
    pair->client_identity[0] = world.client[kind];
}

static void assert_open(const struct pair *pair)
{
    if (pair->server.step != HF_TLS_DONE || pair->client.step != HF_TLS_DONE) {
        const struct hf_tls_failure *server = hf_tls_failure(pair->server.tls);
        const struct hf_tls_failure *client = hf_tls_failure(pair->client.tls);
        fail_msg("server: step %d, %s; client: step %d, %s", pair->server.step,
                 server ? server->text : "-", pair->client.step, client ? client->text : "-");
    }
    assert_true(pair->server.info.complete);
    assert_true(pair->client.info.complete);
}

static const char *version_name(enum hf_tls_version version)
{
    return version == HF_TLS_1_3 ? "TLSv1.3" : "TLSv1.2";
}

static void assert_same_chain(const struct side *side, const struct hf_credential *peer)
{
    const struct hf_chain *chain = hf_tls_peer_chain(side->tls);
    assert_non_null(chain);
    assert_int_equal(chain->n_certs, peer->chain->n_certs);
    assert_memory_equal(chain->sha256, peer->chain->sha256, HF_SHA256_SIZE);
}

/* Data both ways, as large as several records. */
static void assert_carries_data(struct pair *pair)
{
    static uint8_t sent[50000];
    for (size_t i = 0; i < sizeof(sent); i++) {
        sent[i] = (uint8_t)(i * 7);
    }
    struct side *sides[] = {&pair->client, &pair->server};
    for (size_t i = 0; i < 2; i++) {
        struct side *to = sides[1 - i];
        size_t n = pair->chunk ? 300 : sizeof(sent);
        side_send(pair, sides[i], hf_bytes_of(sent, n));
        assert_int_equal(hf_buf_len(&to->plain), n);
        assert_memory_equal(hf_buf_bytes(&to->plain).ptr, sent, n);
        hf_buf_reset(&to->plain);
    }
}

static void assert_same_keying_material(struct pair *pair)
{
    const struct hf_bytes contexts[] = {{NULL, 0}, hf_bytes_of("", 0), hf_bytes_of("abc", 3)};
    for (size_t i = 0; i < HF_N_ELEMENTS(contexts); i++) {
        uint8_t key[2][40];
        assert_int_equal(hf_tls_export(pair->server.tls, "EXPORTER-test", contexts[i],
                                       hf_span_of(key[0], sizeof(key[0]))),
                         HF_OK);
        assert_int_equal(hf_tls_export(pair->client.tls, "EXPORTER-test", contexts[i],
                                       hf_span_of(key[1], sizeof(key[1]))),
                         HF_OK);
        assert_memory_equal(key[0], key[1], sizeof(key[0]));
    }
}

static void assert_closes(struct pair *pair)
{
    struct side *sides[] = {&pair->client, &pair->server};
    for (size_t i = 0; i < 2; i++) {
        side_close(sides[i]);
        side_feed(sides[1 - i], hf_buf_bytes(&sides[i]->out));
        hf_buf_reset(&sides[i]->out);
        assert_int_equal(side_read(sides[1 - i]), HF_TLS_CLOSED);
        assert_int_equal(side_read(sides[1 - i]), HF_TLS_CLOSED);
    }
    assert_int_equal(pair->server.info.alert_sent, HF_ALERT_NONE);
    assert_int_equal(pair->server.info.alert_received, HF_ALERT_NONE);
}

static void assert_good_pair(struct pair *pair, enum hf_tls_version version)
{
    assert_open(pair);
    assert_string_equal(pair->server.info.version, version_name(version));
    assert_string_equal(pair->server.info.suite, pair->client.info.suite);
    assert_non_null(pair->server.info.group);
    assert_string_equal(pair->server.info.group, "x25519");
    assert_string_equal(pair->client.info.group, "x25519");
    assert_string_equal(pair->server.info.sni, "www.example.org");
    assert_carries_data(pair);
    assert_same_keying_material(pair);
    assert_closes(pair);
}

/* --- Full handshakes ---------------------------------------------------------------------------
 */

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
            assert_int_equal(hf_tls_peer_chain(pair.server.tls) != NULL, cases[i].chain);
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

/* --- Refusals ----------------------------------------------------------------------------------
 */

static const uint8_t alerts[] = {
#define ALERT(id, number, name, text) HF_ALERT_##id,
    HF_ALERT_TABLE(ALERT)
#undef ALERT
};

/* What arrives for an alert that the judge names (see on_wire of the engine). */
static uint8_t arrives(enum hf_tls_version version, uint8_t alert)
{
    bool only_13 = alert == HF_ALERT_CERTIFICATE_REQUIRED || alert == HF_ALERT_MISSING_EXTENSION;
    return only_13 && version == HF_TLS_1_2 ? HF_ALERT_HANDSHAKE_FAILURE : alert;
}

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
            assert_int_equal(pair.server.info.alert_sent, arrives(version, alerts[i]));
            assert_int_equal(pair.client.step, HF_TLS_FAILED);
            assert_int_equal(pair.client.info.alert_received, arrives(version, alerts[i]));
            assert_int_equal(side_reason(&pair.client), HF_REASON_PEER_ALERT);
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
            assert_int_equal(pair.client.info.alert_sent, arrives(version, alerts[i]));
            assert_int_equal(pair.server.step, HF_TLS_FAILED);
            assert_int_equal(pair.server.info.alert_received, arrives(version, alerts[i]));
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
            assert_int_equal(to->info.alert_received, arrives(version, alert));
            assert_int_equal(side_read(from), HF_TLS_FAILED);
            assert_int_equal(from->info.alert_sent, arrives(version, alert));
            pair_done(&pair);
        }
    }
}

/* --- Resumption --------------------------------------------------------------------------------
 */

/* A pair that has shaken hands in full, and whose client holds the ticket. */
static void pair_with_ticket(struct pair *pair, enum hf_tls_version version)
{
    pair_of(pair, version);
    pair->server_config.tickets = true;
    pair_start(pair);
    pair_shake(pair);
    pair_settle(pair);
    assert_true(pair->server.info.complete);
    pair->session = hf_tls_take_session(pair->client.tls);
    assert_non_null(pair->session);
}

static void test_resumption_is_judged_again(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        struct pair pair;
        pair_with_ticket(&pair, version);
        pair_again(&pair);
        pair_shake(&pair);
        assert_good_pair(&pair, version);
        assert_true(pair.server.info.resumed);
        assert_true(pair.client.info.resumed);
        assert_int_equal(pair.server.n_judged, 1);
        assert_true(pair.server.judged[0].resumed);
        assert_same_chain(&pair.server, world.client[KEY_P256]);
        assert_int_equal(pair.client.n_judged, 1);
        assert_true(pair.client.judged[0].resumed);
        assert_same_chain(&pair.client, world.server[KEY_P256]);
        pair_done(&pair);
    }
}

static void test_resumption_refused_by_the_server_becomes_a_full_handshake(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        struct pair pair;
        pair_with_ticket(&pair, version);
        pair.server.answer_resumed =
            (struct hf_tls_answer){.admit = false, .alert = HF_ALERT_CERTIFICATE_REVOKED};
        pair_again(&pair);
        pair_shake(&pair);
        assert_good_pair(&pair, version);
        assert_false(pair.server.info.resumed);
        assert_false(pair.client.info.resumed);
        assert_int_equal(pair.server.n_judged, 2);
        assert_true(pair.server.judged[0].resumed);
        assert_false(pair.server.judged[1].resumed);
        pair_done(&pair);
    }
}

static void test_resumption_refused_by_the_client_is_not_offered(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        struct pair pair;
        pair_with_ticket(&pair, version);
        pair.client.answer_resumed =
            (struct hf_tls_answer){.admit = false, .alert = HF_ALERT_CERTIFICATE_REVOKED};
        pair_again(&pair);
        pair_shake(&pair);
        assert_good_pair(&pair, version);
        assert_false(pair.server.info.resumed);
        assert_int_equal(pair.server.n_judged, 1);
        assert_int_equal(pair.client.n_judged, 2);
        pair_done(&pair);
    }
}

#define CASE(name) cmocka_unit_test(test_##name)

static int make_world(void **state)
{
    (void)state;
    world_make();
    return 0;
}

static int free_world(void **state)
{
    (void)state;
    world_free();
    return 0;
}

int suite_run(const struct suite *which)
{
    suite = *which;
    const struct CMUnitTest tests[] = {
        CASE(handshake_with_each_kind_of_key),
        CASE(handshake_one_byte_at_a_time),
        CASE(handshake_in_each_way_to_ask),
        CASE(required_certificate_is_missing),
        CASE(required_certificate_is_missing_and_the_judge_admits),
        CASE(server_refuses_with_each_alert),
        CASE(client_refuses_with_each_alert),
        CASE(refusal_of_an_optional_missing_certificate),
        CASE(abort_of_an_open_connection_with_each_alert),
        CASE(resumption_is_judged_again),
        CASE(resumption_refused_by_the_server_becomes_a_full_handshake),
        CASE(resumption_refused_by_the_client_is_not_offered),
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
