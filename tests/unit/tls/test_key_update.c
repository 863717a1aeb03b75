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
#include <openssl/ssl.h>
#include <string.h>

/*
 * A server of the seam before a client that is libssl itself, which can do what the seam doesn't
 * let a client do: ask for key updates and for renegotiation.
 */

struct raw {
    SSL_CTX *ctx;
    SSL *ssl;
    BIO *in, *out; /* from the server, for it */
    struct pair pair;
    int alert; /* that the server sent; -1: none */
};

static int take_any(X509_STORE_CTX *store, void *arg)
{
    (void)store;
    (void)arg;
    return 1;
}

static void on_info(const SSL *ssl, int where, int value)
{
    if (where == SSL_CB_READ_ALERT) {
        *(int *)SSL_get_app_data(ssl) = value & 0xff;
    }
}

static void raw_start_on(struct raw *raw, int version, enum hf_tls_engine engine)
{
    pair_init(&raw->pair);
    raw->pair.server_config.common.engine = engine;
    raw->pair.policy[0].ask = HF_TLS_ASK_NONE;
    pair_start(&raw->pair);
    raw->ctx = SSL_CTX_new(TLS_method());
    assert_non_null(raw->ctx);
    SSL_CTX_set_max_proto_version(raw->ctx, version);
    SSL_CTX_set_cert_verify_callback(raw->ctx, take_any, NULL);
    SSL_CTX_set_info_callback(raw->ctx, on_info);
    raw->ssl = SSL_new(raw->ctx);
    assert_non_null(raw->ssl);
    raw->alert = -1;
    SSL_set_app_data(raw->ssl, &raw->alert);
    raw->in = BIO_new(BIO_s_mem());
    raw->out = BIO_new(BIO_s_mem());
    SSL_set_bio(raw->ssl, raw->in, raw->out);
    SSL_set_connect_state(raw->ssl);
}

static void raw_start(struct raw *raw, int version)
{
    raw_start_on(raw, version, HF_TLS_ENGINE_AUTO);
}

static void raw_done(struct raw *raw)
{
    SSL_free(raw->ssl);
    SSL_CTX_free(raw->ctx);
    pair_done(&raw->pair);
}

static void to_server(struct raw *raw)
{
    uint8_t bytes[4096];
    for (int n; (n = BIO_read(raw->out, bytes, sizeof(bytes))) > 0;) {
        side_feed(&raw->pair.server, hf_bytes_of(bytes, (size_t)n));
    }
}

static void to_client(struct raw *raw)
{
    struct hf_buf *out = &raw->pair.server.out;
    assert_int_equal(BIO_write(raw->in, hf_buf_bytes(out).ptr, (int)hf_buf_len(out)),
                     (int)hf_buf_len(out));
    hf_buf_reset(out);
}

static void raw_shake(struct raw *raw)
{
    for (int i = 0; i < 4; i++) {
        (void)SSL_do_handshake(raw->ssl);
        ERR_clear_error();
        to_server(raw);
        side_handshake(&raw->pair.server);
        if (hf_buf_len(&raw->pair.server.out)) {
            to_client(raw);
        }
    }
    assert_true(raw->pair.server.info.complete);
    assert_true(SSL_is_init_finished(raw->ssl));
}

static void client_says(struct raw *raw, const char *text)
{
    assert_int_equal(SSL_write(raw->ssl, text, (int)strlen(text)), (int)strlen(text));
    to_server(raw);
    hf_buf_reset(&raw->pair.server.plain);
    assert_int_equal(side_read(&raw->pair.server), HF_TLS_DONE);
    assert_true(hf_bytes_eq_str(hf_buf_bytes(&raw->pair.server.plain), text));
}

static void client_updates(struct raw *raw)
{
    assert_int_equal(SSL_key_update(raw->ssl, SSL_KEY_UPDATE_NOT_REQUESTED), 1);
    (void)SSL_do_handshake(raw->ssl);
    to_server(raw);
}

static void server_says(struct raw *raw, const char *text)
{
    char got[32];
    struct hf_tls_io io = {{NULL, 0}, &raw->pair.server.out};
    size_t n;
    assert_int_equal(hf_tls_write(raw->pair.server.tls, &io, hf_bytes_str(text), &n), HF_TLS_DONE);
    to_client(raw);
    int len = SSL_read(raw->ssl, got, sizeof(got));
    assert_int_equal(len, (int)strlen(text));
    assert_memory_equal(got, text, strlen(text));
}

/* After each update of the server's keys, data and, in the end, an alert still make sense. */
static void test_data_and_alerts_after_key_updates(void **state)
{
    (void)state;
    for (int updates = 0; updates < 4; updates++) {
        struct raw raw;
        raw_start(&raw, TLS1_3_VERSION);
        raw_shake(&raw);
        server_says(&raw, "before");
        for (int i = 0; i < updates; i++) {
            assert_int_equal(SSL_key_update(raw.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
            client_says(&raw, "update");
            server_says(&raw, "updated");
        }
        struct hf_tls_io io = {{NULL, 0}, &raw.pair.server.out};
        hf_tls_abort(raw.pair.server.tls, &io, HF_ALERT_CERTIFICATE_REVOKED);
        to_client(&raw);
        char got[8];
        assert_true(SSL_read(raw.ssl, got, sizeof(got)) <= 0);
        ERR_clear_error();
        assert_int_equal(raw.alert, HF_ALERT_CERTIFICATE_REVOKED);
        raw_done(&raw);
    }
}

/* Each costs us a derivation and them next to nothing. */
static void test_key_updates_without_data_between_are_limited(void **state)
{
    (void)state;
    static const enum hf_tls_engine engines[] = {HF_TLS_ENGINE_NATIVE, HF_TLS_ENGINE_LIBSSL};
    for (size_t i = 0; i < HF_N_ELEMENTS(engines); i++) {
        struct raw raw;
        raw_start_on(&raw, TLS1_3_VERSION, engines[i]);
        raw_shake(&raw);
        for (int n = 0; n < 32; n++) {
            client_updates(&raw);
            assert_int_equal(side_read(&raw.pair.server), HF_TLS_WANT_INPUT);
        }
        client_says(&raw, "data");
        for (int n = 0; n < 32; n++) {
            client_updates(&raw);
            assert_int_equal(side_read(&raw.pair.server), HF_TLS_WANT_INPUT);
        }
        client_updates(&raw);
        assert_int_equal(side_read(&raw.pair.server), HF_TLS_FAILED);
        assert_int_equal(side_reason(&raw.pair.server), HF_REASON_PROTOCOL);
        to_client(&raw);
        char got[8];
        assert_true(SSL_read(raw.ssl, got, sizeof(got)) <= 0);
        ERR_clear_error();
        assert_int_equal(raw.alert, HF_ALERT_UNEXPECTED_MESSAGE);
        raw_done(&raw);
    }
}

static void test_renegotiation_is_refused(void **state)
{
    (void)state;
    struct raw raw;
    raw_start(&raw, TLS1_2_VERSION);
    raw_shake(&raw);
    client_says(&raw, "hello");
    assert_int_equal(SSL_renegotiate(raw.ssl), 1);
    (void)SSL_do_handshake(raw.ssl);
    ERR_clear_error();
    to_server(&raw);
    assert_int_equal(side_read(&raw.pair.server), HF_TLS_WANT_INPUT);
    to_client(&raw);
    char got[8];
    assert_true(SSL_read(raw.ssl, got, sizeof(got)) <= 0);
    ERR_clear_error();
    assert_int_equal(raw.alert, HF_ALERT_NO_RENEGOTIATION);
    raw_done(&raw);
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_data_and_alerts_after_key_updates),
        cmocka_unit_test(test_key_updates_without_data_between_are_limited),
        cmocka_unit_test(test_renegotiation_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
