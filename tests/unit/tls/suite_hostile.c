// SPDX-License-Identifier: Apache-2.0
#include "suite_impl.h"

/* Hostile and broken peers: what isn't TLS, what is cut, changed, too long or out of turn. Every
 * step of the pair checks that nothing is left in libcrypto's error queue. */

#include <string.h>

/* A server that got these bytes as the first ones. */
static void server_fed(struct pair *pair, const void *bytes, size_t len)
{
    pair_of(pair, suite.max_version);
    pair->server_config.common.min_version = suite.min_version;
    pair_start(pair);
    side_feed(&pair->server, hf_bytes_of(bytes, len));
    side_handshake(&pair->server);
}

static void client_hello(struct pair *pair, enum hf_tls_version version, uint8_t *out, size_t *len)
{
    pair_of(pair, version);
    pair_start(pair);
    assert_int_equal(side_handshake(&pair->client), HF_TLS_WANT_INPUT);
    struct hf_bytes hello = hf_buf_bytes(&pair->client.out);
    assert_true(hello.len < *len);
    memcpy(out, hello.ptr, hello.len);
    *len = hello.len;
}

/* --- Not TLS --- */

static void test_plain_http(void **state)
{
    (void)state;
    static const char *const requests[] = {
        "GET / HTTP/1.1\r\n\r\n",   "POST /x HTTP/1.1\r\n\r\n",   "OPTIONS * HTTP/1.1\r\n\r\n",
        "HEAD / HTTP/1.0\r\n\r\n",  "DELETE /x HTTP/1.1\r\n\r\n", "CONNECT a:1 HTTP/1.1\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM", "PATCH / HTTP/1.1\r\n\r\n",
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(requests); i++) {
        struct pair pair;
        server_fed(&pair, requests[i], strlen(requests[i]));
        assert_int_equal(pair.server.step, HF_TLS_FAILED);
        assert_int_equal(side_reason(&pair.server), HF_REASON_PLAIN_HTTP);
        pair_done(&pair);
    }
}

/* What older libraries say first: a hello of SSL 2.0 that offers TLS 1.0. */
static const uint8_t sslv2_hello[48] = {0x80, 46, 1, 3, 1, 0, 21, 0, 0, 0, 16};

static void test_garbage(void **state)
{
    (void)state;
    const struct hf_bytes inputs[] = {
        hf_bytes_str("SSH-2.0-OpenSSH_9.2\r\n"),
        hf_bytes_str("EHLO mail.example\r\n"),
        hf_bytes_str("\xff\xff\xff\xff\xff\xff\xff\xff"),
        hf_bytes_of(sslv2_hello, sizeof(sslv2_hello)),
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(inputs); i++) {
        struct pair pair;
        server_fed(&pair, inputs[i].ptr, inputs[i].len);
        assert_int_equal(pair.server.step, HF_TLS_FAILED);
        assert_int_equal(side_reason(&pair.server), HF_REASON_NOT_TLS);
        pair_done(&pair);
    }
}

static void test_plain_http_from_a_server(void **state)
{
    (void)state;
    struct pair pair;
    pair_of(&pair, suite.max_version);
    pair_start(&pair);
    assert_int_equal(side_handshake(&pair.client), HF_TLS_WANT_INPUT);
    side_feed(&pair.client, hf_bytes_str("HTTP/1.1 400 Bad Request\r\n\r\n"));
    assert_int_equal(side_handshake(&pair.client), HF_TLS_FAILED);
    assert_int_equal(side_reason(&pair.client), HF_REASON_PLAIN_HTTP);
    pair_done(&pair);
}

/* --- Cut, changed --- */

static void test_hello_cut_at_every_byte(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        uint8_t hello[2048];
        size_t len = sizeof(hello);
        struct pair from;
        client_hello(&from, version, hello, &len);
        pair_done(&from);
        for (size_t cut = 0; cut < len; cut++) {
            struct pair pair;
            server_fed(&pair, hello, cut);
            assert_int_equal(pair.server.step, HF_TLS_WANT_INPUT);
            assert_int_equal(hf_buf_len(&pair.server.out), 0);
            pair_done(&pair);
        }
    }
}

/* Whatever the change does, the handshake isn't completed, and the server ends in order. */
static void test_hello_changed_at_every_byte(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        uint8_t hello[2048];
        size_t len = sizeof(hello);
        struct pair from;
        client_hello(&from, version, hello, &len);
        pair_done(&from);
        for (size_t at = 0; at < len; at++) {
            hello[at] ^= 0x41;
            struct pair pair;
            server_fed(&pair, hello, len);
            assert_true(pair.server.step == HF_TLS_FAILED || pair.server.step == HF_TLS_WANT_INPUT);
            pair_done(&pair);
            hello[at] ^= 0x41;
        }
    }
}

/* One bit changed in each record that crosses, first in the client's then in the server's. */
static void test_handshake_with_each_record_changed(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        for (size_t at = 0; at < 40; at++) {
            struct pair pair;
            pair_of(&pair, version);
            pair_start(&pair);
            bool changed = pair_shake_changing(&pair, at / 2, at % 2 == 0);
            if (changed) {
                assert_false(pair.server.info.complete && pair.client.info.complete);
            }
            pair_done(&pair);
        }
    }
}

static void test_data_changed(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        struct pair pair;
        pair_of(&pair, version);
        pair_start(&pair);
        pair_shake(&pair);
        struct hf_tls_io io = {{NULL, 0}, &pair.client.out};
        size_t n;
        assert_int_equal(hf_tls_write(pair.client.tls, &io, hf_bytes_str("hello"), &n),
                         HF_TLS_DONE);
        struct hf_bytes record = hf_buf_bytes(&pair.client.out);
        ((uint8_t *)(uintptr_t)record.ptr)[record.len - 1] ^= 1;
        pair_settle(&pair);
        assert_refused(&pair.server, &pair.client, HF_ALERT_BAD_RECORD_MAC);
        assert_int_equal(side_reason(&pair.server), HF_REASON_PROTOCOL);
        assert_int_equal(hf_buf_len(&pair.server.plain), 0);
        pair_done(&pair);
    }
}

/* Data before a changed record is given out before the failure is. */
static void test_data_before_the_change_arrives(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        struct pair pair;
        pair_of(&pair, version);
        pair_start(&pair);
        pair_shake(&pair);
        for (int i = 0; i < 2; i++) {
            struct hf_tls_io io = {{NULL, 0}, &pair.client.out};
            size_t n;
            assert_int_equal(hf_tls_write(pair.client.tls, &io, hf_bytes_str("hello"), &n),
                             HF_TLS_DONE);
        }
        struct hf_bytes records = hf_buf_bytes(&pair.client.out);
        ((uint8_t *)(uintptr_t)records.ptr)[records.len - 1] ^= 1;
        side_feed(&pair.server, records);
        assert_int_equal(side_read(&pair.server), HF_TLS_DONE);
        assert_int_equal(hf_buf_len(&pair.server.plain), 5);
        assert_int_equal(side_read(&pair.server), HF_TLS_FAILED);
        pair_done(&pair);
    }
}

/* --- Too long, out of turn --- */

static void test_record_longer_than_any(void **state)
{
    (void)state;
    static const uint8_t header[] = {22, 3, 1, 0x50, 0x00};
    struct pair pair;
    server_fed(&pair, header, sizeof(header));
    assert_int_equal(pair.server.step, HF_TLS_FAILED);
    assert_int_equal(side_reason(&pair.server), HF_REASON_PROTOCOL);
    assert_int_equal(pair.server.info.alert_sent, HF_ALERT_RECORD_OVERFLOW);
    pair_done(&pair);
}

static void test_message_longer_than_any(void **state)
{
    (void)state;
    static const uint8_t record[] = {22, 3, 1, 0, 4, 1, 0xff, 0xff, 0xff};
    struct pair pair;
    server_fed(&pair, record, sizeof(record));
    assert_int_equal(pair.server.step, HF_TLS_FAILED);
    assert_int_equal(side_reason(&pair.server), HF_REASON_PROTOCOL);
    pair_done(&pair);
}

/* A message of the greatest length that libssl would wait for, which we don't. */
static void test_handshake_longer_than_any(void **state)
{
    (void)state;
    enum { BODY = 16000 };
    uint8_t record[5 + BODY] = {22, 3, 1, BODY >> 8, BODY & 0xff, 1, 1, 0xff, 0xff};
    struct pair pair;
    pair_of(&pair, suite.max_version);
    pair_start(&pair);
    size_t fed = 0;
    while (pair.server.step == HF_TLS_WANT_INPUT) {
        side_feed(&pair.server, hf_bytes_of(record, sizeof(record)));
        side_handshake(&pair.server);
        memset(record + 5, 0, BODY);
        fed += BODY;
        assert_true(fed < HF_TLS_PEER_FLIGHT_MAX + 2 * BODY);
    }
    assert_int_equal(pair.server.step, HF_TLS_FAILED);
    assert_int_equal(side_reason(&pair.server), HF_REASON_PROTOCOL);
    pair_done(&pair);
}

static void test_data_in_place_of_a_hello(void **state)
{
    (void)state;
    static const uint8_t record[] = {23, 3, 3, 0, 5, 1, 2, 3, 4, 5};
    struct pair pair;
    server_fed(&pair, record, sizeof(record));
    assert_int_equal(pair.server.step, HF_TLS_FAILED);
    assert_int_equal(side_reason(&pair.server), HF_REASON_PROTOCOL);
    assert_int_equal(pair.server.info.alert_sent, HF_ALERT_UNEXPECTED_MESSAGE);
    pair_done(&pair);
}

static void test_alert_in_place_of_a_server_hello(void **state)
{
    (void)state;
    static const uint8_t record[] = {21, 3, 3, 0, 2, 2, HF_ALERT_UNKNOWN_CA};
    struct pair pair;
    pair_of(&pair, suite.max_version);
    pair_start(&pair);
    assert_int_equal(side_handshake(&pair.client), HF_TLS_WANT_INPUT);
    side_feed(&pair.client, hf_bytes_of(record, sizeof(record)));
    assert_int_equal(side_handshake(&pair.client), HF_TLS_FAILED);
    assert_int_equal(side_reason(&pair.client),
                     hf_reason_of_peer_alert(pair.client.info.alert_received));
    assert_int_equal(pair.client.info.alert_received, HF_ALERT_UNKNOWN_CA);
    assert_non_null(strstr(hf_tls_failure(pair.client.tls)->text, "does not know the CA"));
    pair_done(&pair);
}

static void test_close_notify_in_place_of_a_server_hello(void **state)
{
    (void)state;
    static const uint8_t record[] = {21, 3, 3, 0, 2, 1, HF_ALERT_CLOSE_NOTIFY};
    struct pair pair;
    pair_of(&pair, suite.max_version);
    pair_start(&pair);
    assert_int_equal(side_handshake(&pair.client), HF_TLS_WANT_INPUT);
    side_feed(&pair.client, hf_bytes_of(record, sizeof(record)));
    assert_int_equal(side_handshake(&pair.client), HF_TLS_FAILED);
    assert_int_equal(side_reason(&pair.client), HF_REASON_PEER_CLOSED);
    pair_done(&pair);
}

/* A second hello on an open connection: TLS 1.2 would renegotiate. */
static void test_hello_on_an_open_connection(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        uint8_t hello[2048];
        size_t len = sizeof(hello);
        struct pair from;
        client_hello(&from, version, hello, &len);
        pair_done(&from);
        struct pair pair;
        pair_of(&pair, version);
        pair_start(&pair);
        pair_shake(&pair);
        side_feed(&pair.server, hf_bytes_of(hello, len));
        assert_int_equal(side_read(&pair.server), HF_TLS_FAILED);
        pair_done(&pair);
    }
}

static void test_sni_of_unprintable_bytes(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        struct pair pair;
        pair_of(&pair, version);
        pair.sni = "a\x1b[31m\nb";
        pair_start(&pair);
        pair_shake(&pair);
        assert_open(&pair);
        assert_string_equal(pair.server.info.sni, "a\\x1b[31m\\x0ab");
        pair_done(&pair);
    }
}

static const struct CMUnitTest suite_hostile_tests[] = {
    cmocka_unit_test(test_plain_http),
    cmocka_unit_test(test_garbage),
    cmocka_unit_test(test_plain_http_from_a_server),
    cmocka_unit_test(test_hello_cut_at_every_byte),
    cmocka_unit_test(test_hello_changed_at_every_byte),
    cmocka_unit_test(test_handshake_with_each_record_changed),
    cmocka_unit_test(test_data_changed),
    cmocka_unit_test(test_data_before_the_change_arrives),
    cmocka_unit_test(test_record_longer_than_any),
    cmocka_unit_test(test_message_longer_than_any),
    cmocka_unit_test(test_handshake_longer_than_any),
    cmocka_unit_test(test_data_in_place_of_a_hello),
    cmocka_unit_test(test_alert_in_place_of_a_server_hello),
    cmocka_unit_test(test_close_notify_in_place_of_a_server_hello),
    cmocka_unit_test(test_hello_on_an_open_connection),
    cmocka_unit_test(test_sni_of_unprintable_bytes),
};
SUITE_PART(suite_hostile);
