// SPDX-License-Identifier: Apache-2.0
/* What the native engine does beyond the suite that all engines share, one case a feature. */

#include "suite_impl.h"

#include <stdio.h>
#include <string.h>

static void native_pair(struct pair *pair)
{
    pair_init(pair);
    struct hf_tls_common *commons[] = {&pair->server_config.common, &pair->client_config.common};
    for (size_t i = 0; i < 2; i++) {
        commons[i]->engine = HF_TLS_ENGINE_NATIVE;
        commons[i]->min_version = commons[i]->max_version = HF_TLS_1_3;
    }
}

static void assert_shakes(struct pair *pair)
{
    pair_start(pair);
    pair_shake(pair);
    assert_open(pair);
    assert_string_equal(pair->server.info.engine, "native");
}

/* Longest record in bytes, header left out, and how many there are. */
static size_t longest_record(struct hf_bytes records, size_t *out_n)
{
    size_t longest = 0;
    for (*out_n = 0; records.len; ++*out_n) {
        size_t len = (size_t)records.ptr[3] << 8 | records.ptr[4];
        longest = len > longest ? len : longest;
        records = hf_bytes_from(records, 5 + len);
    }
    return longest;
}

/* --- Records
 * --------------------------------------------------------------------------------------- */

enum { TAG = 16 };

static size_t longest_of(struct side *from, size_t n)
{
    static const uint8_t bytes[20000];
    struct hf_tls_io io = {{NULL, 0}, &from->out};
    size_t taken = 0, n_records;
    assert_int_equal(hf_tls_write(from->tls, &io, hf_bytes_of(bytes, n), &taken), HF_TLS_DONE);
    size_t longest = longest_record(hf_buf_bytes(&from->out), &n_records);
    return longest;
}

static void test_record_size_limit_holds_both_ways(void **state)
{
    (void)state;
    struct pair pair;
    native_pair(&pair);
    pair.client_config.common.record_size_limit = 64;
    pair.server_config.common.record_size_limit = 200;
    assert_shakes(&pair);
    assert_carries_data(&pair);
    assert_int_equal(longest_of(&pair.server, 5000), 64 + TAG);
    assert_int_equal(longest_of(&pair.client, 5000), 200 + TAG);
    pair_settle(&pair);
    pair_done(&pair);
}

static void test_server_without_a_limit_honours_the_clients(void **state)
{
    (void)state;
    struct pair pair;
    native_pair(&pair);
    pair.client_config.common.record_size_limit = 512;
    assert_shakes(&pair);
    assert_int_equal(longest_of(&pair.server, 5000), 512 + TAG);
    pair_done(&pair);
}

static void test_limit_of_a_server_alone_changes_nothing(void **state)
{
    (void)state;
    struct pair pair;
    native_pair(&pair);
    pair.server_config.common.record_size_limit = 512;
    assert_shakes(&pair);
    assert_int_equal(longest_of(&pair.client, 20000), 16384 + 1 + TAG);
    pair_done(&pair);
}

static void test_record_size_limit_out_of_range(void **state)
{
    (void)state;
    static const uint16_t bad[] = {1, 63, 16386, 65535};
    for (size_t i = 0; i < HF_N_ELEMENTS(bad); i++) {
        struct pair pair;
        native_pair(&pair);
        pair.client_config.common.record_size_limit = bad[i];
        struct hf_tls_ctx *ctx = NULL;
        assert_int_equal(hf_tls_client_ctx_new(&pair.client_config, &ctx), HF_E_INVALID);
        assert_null(ctx);
    }
}

static void test_records_are_padded(void **state)
{
    (void)state;
    struct pair pair;
    native_pair(&pair);
    pair.server_config.common.record_padding = 256;
    assert_shakes(&pair);
    for (size_t n = 1; n < 600; n += 37) {
        size_t padded = (n + 1 + 255) / 256 * 256;
        assert_int_equal(longest_of(&pair.server, n), padded + TAG);
        hf_buf_reset(&pair.client.plain);
        pair_settle(&pair);
        assert_int_equal(hf_buf_len(&pair.client.plain), n);
    }
    pair_done(&pair);
}

/* A server's flight is its hello, change_cipher_spec, and one record for all the rest; a client's
 * is change_cipher_spec and one record. */
static void test_flights_share_records(void **state)
{
    (void)state;
    struct pair pair;
    native_pair(&pair);
    pair_start(&pair);
    size_t n;
    assert_int_equal(side_handshake(&pair.client), HF_TLS_WANT_INPUT);
    (void)longest_record(hf_buf_bytes(&pair.client.out), &n);
    assert_int_equal(n, 1);
    side_feed(&pair.server, hf_buf_bytes(&pair.client.out));
    hf_buf_reset(&pair.client.out);
    assert_int_equal(side_handshake(&pair.server), HF_TLS_WANT_INPUT);
    (void)longest_record(hf_buf_bytes(&pair.server.out), &n);
    assert_int_equal(n, 3);
    side_feed(&pair.client, hf_buf_bytes(&pair.server.out));
    hf_buf_reset(&pair.server.out);
    assert_int_equal(side_handshake(&pair.client), HF_TLS_DONE);
    (void)longest_record(hf_buf_bytes(&pair.client.out), &n);
    assert_int_equal(n, 2);
    pair_done(&pair);
}

static void test_no_middlebox_compatibility(void **state)
{
    (void)state;
    struct pair pair;
    native_pair(&pair);
    pair.client_config.no_middlebox_compat = true;
    assert_shakes(&pair);
    assert_carries_data(&pair);
    pair_done(&pair);
}

/* --- Staples
 * ---------------------------------------------------------------------------------------- */

static struct hf_bytes seen_staple[2]; /* by role: server's judge, client's */

static struct hf_tls_answer judge_staple(void *conn_ctx, const struct hf_tls_peer *peer)
{
    (void)conn_ctx;
    seen_staple[peer->policy ? 0 : 1] = peer->staple;
    return (struct hf_tls_answer){.admit = true};
}

static void staple_pair(struct pair *pair, bool server_asks, bool client_asks)
{
    static const struct hf_bytes of_server[] = {{(const uint8_t *)"server's staple", 15}};
    static const struct hf_bytes of_client[] = {{(const uint8_t *)"client's", 8}};
    native_pair(pair);
    pair->server_config.staples = of_server;
    pair->client_config.staples = of_client;
    pair->server_config.common.ask_staple = server_asks;
    pair->client_config.common.ask_staple = client_asks;
    pair->server_config.judge.judge = pair->client_config.judge.judge = judge_staple;
    seen_staple[0] = seen_staple[1] = hf_bytes_of(NULL, 0);
    assert_shakes(pair);
}

static void test_staples_go_both_ways(void **state)
{
    (void)state;
    struct pair pair;
    staple_pair(&pair, true, true);
    assert_true(hf_bytes_eq_str(seen_staple[0], "client's"));
    assert_true(hf_bytes_eq_str(seen_staple[1], "server's staple"));
    pair_done(&pair);
}

static void test_staples_come_only_when_asked_for(void **state)
{
    (void)state;
    struct pair pair;
    staple_pair(&pair, false, false);
    assert_int_equal(seen_staple[0].len, 0);
    assert_int_equal(seen_staple[1].len, 0);
    pair_done(&pair);
}

/* --- Certificate compression
 * ------------------------------------------------------------------------- */

static void test_certificates_are_compressed(void **state)
{
    (void)state;
    static const char *const all[] = {
        "zlib",
#ifdef HF_HAVE_BROTLI
        "brotli",
#endif
#ifdef HF_HAVE_ZSTD
        "zstd",
#endif
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(all); i++) {
        struct pair pair;
        native_pair(&pair);
        pair.client_config.common.cert_compression = all[i];
        pair.server_config.common.cert_compression = all[i];
        assert_shakes(&pair);
        assert_same_chain(&pair.client, world.server[KEY_P256]);
        assert_same_chain(&pair.server, world.client[KEY_P256]);
        pair_done(&pair);
    }
}

static void test_compression_of_one_side_alone_is_not_used(void **state)
{
    (void)state;
    struct pair pair;
    native_pair(&pair);
    pair.client_config.common.cert_compression = "zlib";
    assert_shakes(&pair);
    pair_done(&pair);
}

static void test_unknown_compression(void **state)
{
    (void)state;
    struct pair pair;
    native_pair(&pair);
    pair.client_config.common.cert_compression = "zlib:lzma";
    struct hf_tls_ctx *ctx;
    assert_int_equal(hf_tls_client_ctx_new(&pair.client_config, &ctx), HF_E_INVALID);
    assert_non_null(strstr(hf_err_text(), "lzma"));
}

/* --- Retries
 * ------------------------------------------------------------------------------------------ */

static void test_retry_with_a_cookie(void **state)
{
    (void)state;
    struct pair pair;
    native_pair(&pair);
    pair.server_config.cookie = true;
    pair.server_config.tickets = true;
    pair.server_config.common.groups = "P-384";
    assert_shakes(&pair);
    assert_true(pair.server.info.retried && pair.client.info.retried);
    assert_carries_data(&pair);
    pair.session = hf_tls_take_session(pair.client.tls);
    pair_again(&pair);
    pair_shake(&pair);
    assert_open(&pair);
    assert_true(pair.server.info.resumed);
    pair_done(&pair);
}

static void test_two_key_shares_spare_the_retry(void **state)
{
    (void)state;
    struct pair pair;
    native_pair(&pair);
    pair.server_config.common.groups = "P-256";
    pair.client_config.n_key_shares = 2;
    assert_shakes(&pair);
    assert_false(pair.client.info.retried);
    assert_string_equal(pair.client.info.group, "secp256r1");
    pair_done(&pair);
}

/* --- After the handshake
 * ------------------------------------------------------------------------------ */

static void late_pair(struct pair *pair)
{
    native_pair(pair);
    pair->policy[0].ask = HF_TLS_ASK_OPTIONAL;
    pair->server_config.post_handshake_auth = true;
    pair->client_config.post_handshake_auth = true;
}

static enum hf_err ask(struct pair *pair)
{
    struct hf_tls_io io = {{NULL, 0}, &pair->server.out};
    return hf_tls_ask_certificate(pair->server.tls, &io);
}

static void test_certificate_after_the_handshake(void **state)
{
    (void)state;
    for (int jobs = 0; jobs < 2; jobs++) {
        struct pair pair;
        late_pair(&pair);
        pair.policy[0].ask = HF_TLS_ASK_NONE;
        pair.server_config.common.separate_jobs = pair.client_config.common.separate_jobs = jobs;
        assert_shakes(&pair);
        assert_null(side_chain(&pair.server));
        assert_carries_data(&pair);
        for (unsigned i = 1; i <= 3; i++) {
            assert_int_equal(ask(&pair), HF_OK);
            assert_int_equal(ask(&pair), HF_E_BUSY);
            side_send(&pair, &pair.server, hf_bytes_str("data between"));
            pair_settle(&pair);
            assert_int_equal(pair.server.info.n_post_auths, i);
            assert_same_chain(&pair.server, world.client[KEY_P256]);
            assert_int_equal(pair.server.n_judged, i);
        }
        hf_buf_reset(&pair.client.plain);
        assert_carries_data(&pair);
        pair_done(&pair);
    }
}

static void test_certificate_after_the_handshake_is_judged(void **state)
{
    (void)state;
    struct pair pair;
    late_pair(&pair);
    pair.policy[0].ask = HF_TLS_ASK_NONE;
    assert_shakes(&pair);
    pair.server.answer = REFUSE(HF_ALERT_CERTIFICATE_REVOKED);
    assert_int_equal(ask(&pair), HF_OK);
    pair_settle(&pair);
    assert_int_equal(pair.server.step, HF_TLS_FAILED);
    assert_int_equal(pair.client.info.alert_received, HF_ALERT_CERTIFICATE_REVOKED);
    pair_done(&pair);
}

static void test_client_without_a_certificate_answers_with_none(void **state)
{
    (void)state;
    struct pair pair;
    late_pair(&pair);
    pair.client_config.n_identities = 0;
    assert_shakes(&pair);
    assert_int_equal(ask(&pair), HF_OK);
    pair_settle(&pair);
    assert_int_equal(pair.server.info.n_post_auths, 1);
    assert_null(side_chain(&pair.server));
    assert_carries_data(&pair);
    pair_done(&pair);
}

static void test_asking_one_who_did_not_offer_it(void **state)
{
    (void)state;
    struct pair pair;
    late_pair(&pair);
    pair.client_config.post_handshake_auth = false;
    assert_shakes(&pair);
    assert_int_equal(ask(&pair), HF_E_UNSUPPORTED);
    assert_carries_data(&pair);
    pair_done(&pair);
}

/* --- Our certificate as a client
 * ----------------------------------------------------------------------- */

static void test_client_chooses_by_the_names_of_authorities(void **state)
{
    (void)state;
    const struct hf_cert *issuing = world.client[KEY_P256]->chain->certs[0];
    const unsigned char *der;
    size_t len;
    assert_int_equal(X509_NAME_get0_der(X509_get_issuer_name(issuing->x509), &der, &len), 1);
    const struct hf_bytes name = hf_bytes_of(der, len);
    struct pair pair;
    native_pair(&pair);
    pair.policy[0].ca_names = &name;
    pair.policy[0].n_ca_names = 1;
    pair.client_identity[0] = world.stranger;
    pair.client_identity[1] = world.client[KEY_P256];
    pair.client_config.n_identities = 2;
    assert_shakes(&pair);
    assert_same_chain(&pair.server, world.client[KEY_P256]);
    pair_done(&pair);
}

static void test_signature_lists_choose_the_identity(void **state)
{
    (void)state;
    struct pair pair;
    native_pair(&pair);
    pair.client_identity[1] = world.client[KEY_ED25519];
    pair.client_config.n_identities = 2;
    pair.server_config.common.signatures = "ed25519";
    assert_shakes(&pair);
    assert_same_chain(&pair.server, world.client[KEY_ED25519]);
    assert_int_equal(pair.server.info.peer_scheme, 0x0807);
    pair_done(&pair);
}

static void test_identity_that_cannot_sign_as_asked_is_not_sent(void **state)
{
    (void)state;
    struct pair pair;
    native_pair(&pair);
    pair.server_config.common.signatures = "ed25519";
    pair_start(&pair);
    pair_shake(&pair);
    pair_settle(&pair);
    assert_int_equal(pair.server.step, HF_TLS_FAILED);
    assert_int_equal(side_reason(&pair.server), HF_REASON_NO_CERTIFICATE);
    assert_int_equal(pair.client.info.alert_received, HF_ALERT_CERTIFICATE_REQUIRED);
    pair_done(&pair);
}

/* --- Key log
 * -------------------------------------------------------------------------------------------- */

static char logged[2][8192];

static void log_line(void *ctx, const char *line)
{
    strcat(ctx, line);
    strcat(ctx, "\n");
}

static void test_both_sides_log_the_same_secrets(void **state)
{
    (void)state;
    struct pair pair;
    const struct hf_tls_keylog logs[] = {{logged[0], log_line}, {logged[1], log_line}};
    native_pair(&pair);
    pair.server_config.common.keylog = &logs[0];
    pair.client_config.common.keylog = &logs[1];
    assert_shakes(&pair);
    assert_string_equal(logged[0], logged[1]);
    static const char *const labels[] = {
        "CLIENT_HANDSHAKE_TRAFFIC_SECRET ", "SERVER_HANDSHAKE_TRAFFIC_SECRET ",
        "CLIENT_TRAFFIC_SECRET_0 ", "SERVER_TRAFFIC_SECRET_0 ", "EXPORTER_SECRET "};
    for (size_t i = 0; i < HF_N_ELEMENTS(labels); i++) {
        assert_non_null(strstr(logged[0], labels[i]));
    }
    pair_done(&pair);
}

/* --- Out of memory, and free at any moment
 * --------------------------------------------------------------- */

/* Whatever allocation fails, no side is open without a verdict, and nothing leaks. */
static void test_every_allocation_fails_once(void **state)
{
    (void)state;
    for (size_t n = 1;; n++) {
        struct pair pair;
        native_pair(&pair);
        pair.server_config.tickets = true;
        pair.server_config.cookie = true;
        pair.server_config.common.groups = "P-256";
        pair.server_config.common.cert_compression = "zlib";
        pair.client_config.common.cert_compression = "zlib";
        pair_start(&pair);
        bool fewer = pair_shake_failing(&pair, n);
        if (pair.server.info.complete) {
            assert_int_equal(pair.server.n_judged, 1);
        }
        pair_done(&pair);
        if (fewer) {
            break;
        }
    }
}

static void test_a_connection_is_freed_while_its_job_waits(void **state)
{
    (void)state;
    struct pair pair;
    native_pair(&pair);
    pair.server_config.common.separate_jobs = pair.client_config.common.separate_jobs = true;
    pair_start(&pair);
    struct hf_tls_io io = {{NULL, 0}, &pair.client.out};
    assert_int_equal(hf_tls_handshake(pair.client.tls, &io), HF_TLS_WANT_JOB);
    pair_done(&pair);
}

/* --- Names of choices
 * ------------------------------------------------------------------------------------- */

static void test_unknown_choices_are_refused_in_words(void **state)
{
    (void)state;
    const struct {
        const char *suites, *groups, *signatures, *word;
    } cases[] = {
        {"TLS_AES_128_CCM_SHA256", NULL, NULL, "TLS_AES_128_CCM_SHA256"},
        {NULL, "X25519:P-224", NULL, "P-224"},
        {NULL, "X25519:X25519", NULL, "twice"},
        {NULL, NULL, "rsa_pkcs1_sha256", "rsa_pkcs1_sha256"},
        {"", NULL, NULL, "\"\""},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        struct pair pair;
        native_pair(&pair);
        pair.client_config.common.suites = cases[i].suites;
        pair.client_config.common.groups = cases[i].groups;
        pair.client_config.common.signatures = cases[i].signatures;
        struct hf_tls_ctx *ctx = NULL;
        assert_int_equal(hf_tls_client_ctx_new(&pair.client_config, &ctx), HF_E_INVALID);
        assert_non_null(strstr(hf_err_text(), cases[i].word));
        assert_null(ctx);
    }
}

static int make(void **state)
{
    (void)state;
    world_make();
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    world_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_record_size_limit_holds_both_ways),
        cmocka_unit_test(test_server_without_a_limit_honours_the_clients),
        cmocka_unit_test(test_limit_of_a_server_alone_changes_nothing),
        cmocka_unit_test(test_record_size_limit_out_of_range),
        cmocka_unit_test(test_records_are_padded),
        cmocka_unit_test(test_flights_share_records),
        cmocka_unit_test(test_no_middlebox_compatibility),
        cmocka_unit_test(test_staples_go_both_ways),
        cmocka_unit_test(test_staples_come_only_when_asked_for),
        cmocka_unit_test(test_certificates_are_compressed),
        cmocka_unit_test(test_compression_of_one_side_alone_is_not_used),
        cmocka_unit_test(test_unknown_compression),
        cmocka_unit_test(test_retry_with_a_cookie),
        cmocka_unit_test(test_two_key_shares_spare_the_retry),
        cmocka_unit_test(test_certificate_after_the_handshake),
        cmocka_unit_test(test_certificate_after_the_handshake_is_judged),
        cmocka_unit_test(test_client_without_a_certificate_answers_with_none),
        cmocka_unit_test(test_asking_one_who_did_not_offer_it),
        cmocka_unit_test(test_client_chooses_by_the_names_of_authorities),
        cmocka_unit_test(test_signature_lists_choose_the_identity),
        cmocka_unit_test(test_identity_that_cannot_sign_as_asked_is_not_sent),
        cmocka_unit_test(test_both_sides_log_the_same_secrets),
        cmocka_unit_test(test_every_allocation_fails_once),
        cmocka_unit_test(test_a_connection_is_freed_while_its_job_waits),
        cmocka_unit_test(test_unknown_choices_are_refused_in_words),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
