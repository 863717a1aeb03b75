// SPDX-License-Identifier: Apache-2.0
#include "suite_impl.h"

#include <string.h>

struct suite suite;

/* --- Walking over what every case is run with --- */

const enum hf_tls_version suite_versions[2] = {HF_TLS_1_2, HF_TLS_1_3};

/* A pair of the suite's engines that speaks this version alone. */
void pair_of(struct pair *pair, enum hf_tls_version version)
{
    pair_init(pair);
    struct hf_tls_common *commons[] = {&pair->server_config.common, &pair->client_config.common};
    for (size_t i = 0; i < 2; i++) {
        commons[i]->engine = i == 0 ? suite.server : suite.client;
        commons[i]->min_version = commons[i]->max_version = version;
    }
}

void assert_open(const struct pair *pair)
{
    bool failed = pair->server.step == HF_TLS_FAILED || pair->client.step == HF_TLS_FAILED;
    if (failed || !pair->server.info.complete || !pair->client.info.complete) {
        const struct hf_tls_failure *server = hf_tls_failure(pair->server.tls);
        const struct hf_tls_failure *client = hf_tls_failure(pair->client.tls);
        fail_msg("server: step %d, %s; client: step %d, %s", pair->server.step,
                 server ? server->text : "-", pair->client.step, client ? client->text : "-");
    }
}

static const char *version_name(enum hf_tls_version version)
{
    return version == HF_TLS_1_3 ? "TLSv1.3" : "TLSv1.2";
}

void assert_same_chain(const struct side *side, const struct hf_credential *peer)
{
    const struct hf_chain *chain = side_chain(side);
    assert_non_null(chain);
    assert_int_equal(chain->n_certs, peer->chain->n_certs);
    assert_memory_equal(chain->sha256, peer->chain->sha256, HF_SHA256_SIZE);
}

/* Data both ways, as large as several records. */
void assert_carries_data(struct pair *pair)
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

void assert_good_pair(struct pair *pair, enum hf_tls_version version)
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

/* What arrives for an alert that the judge names (see on_wire of the engine). */
uint8_t alert_arriving(enum hf_tls_version version, uint8_t alert)
{
    bool only_13 = alert == HF_ALERT_CERTIFICATE_REQUIRED || alert == HF_ALERT_MISSING_EXTENSION;
    return only_13 && version == HF_TLS_1_2 ? HF_ALERT_HANDSHAKE_FAILURE : alert;
}

void assert_refused(const struct side *side, const struct side *peer, uint8_t alert)
{
    assert_int_equal(side->step, HF_TLS_FAILED);
    assert_int_equal(side->info.alert_sent, alert);
    assert_int_equal(peer->step, HF_TLS_FAILED);
    assert_int_equal(peer->info.alert_received, alert);
    assert_int_equal(side_reason(peer), hf_reason_of_peer_alert(alert));
}

/* --- Resumption --- */

void pair_keep_ticket(struct pair *pair)
{
    pair_shake(pair);
    pair_settle(pair);
    assert_true(pair->server.info.complete);
    assert_true(pair->client.info.complete);
    hf_tls_session_free(pair->session);
    pair->session = hf_tls_take_session(pair->client.tls);
}

void pair_with_ticket(struct pair *pair, enum hf_tls_version version)
{
    pair_of(pair, version);
    pair->server_config.tickets = true;
    pair_start(pair);
    pair_keep_ticket(pair);
    assert_non_null(pair->session);
}

/* --- Running --- */

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
    static const struct suite_part *const parts[] = {
        &suite_handshake, &suite_refusal, &suite_resumption,
        &suite_choice,    &suite_hostile, &suite_wait,
    };
    struct CMUnitTest tests[128];
    size_t n = 0;
    suite = *which;
    for (size_t i = 0; i < HF_N_ELEMENTS(parts); i++) {
        for (size_t j = 0; j < parts[i]->n_tests && n < HF_N_ELEMENTS(tests); j++) {
            tests[n++] = parts[i]->tests[j];
        }
    }
    return _cmocka_run_group_tests("tls", tests, n, make_world, free_world);
}
