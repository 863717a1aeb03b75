// SPDX-License-Identifier: Apache-2.0
#include "suite_impl.h"

/*
 * A judge who can't say yet: the handshake stands still, with nothing sent and nothing read, until
 * it is asked again and answers; then it goes on, or ends with the judge's own alert.
 */

static void start(struct pair *pair, enum hf_tls_version version, bool of_client, unsigned waits)
{
    pair_of(pair, version);
    pair->server_config.tickets = true;
    struct side *side = of_client ? &pair->client : &pair->server;
    side->waits = waits;
    pair_start(pair);
}

static void test_waits_and_then_goes_on(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        for (int of_client = 0; of_client < 2; of_client++) {
            for (unsigned waits = 1; waits < 4; waits++) {
                struct pair pair;
                start(&pair, version, of_client, waits);
                pair.chunk = waits == 3 ? 1 : 0;
                pair_shake(&pair);
                struct side *side = of_client ? &pair.client : &pair.server;
                assert_int_equal(side->n_waited, waits);
                assert_int_equal(side->n_judged, 1);
                assert_good_pair(&pair, version);
                pair_done(&pair);
            }
        }
    }
}

/* The alert arrives: its record is the next one after what had gone out before the wait. */
static void test_waits_and_then_refuses(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        for (int of_client = 0; of_client < 2; of_client++) {
            struct pair pair;
            start(&pair, version, of_client, 2);
            struct side *side = of_client ? &pair.client : &pair.server;
            struct side *peer = of_client ? &pair.server : &pair.client;
            side->answer = REFUSE(HF_ALERT_CERTIFICATE_REVOKED);
            pair_shake(&pair);
            pair_settle(&pair);
            assert_int_equal(side->n_waited, 2);
            assert_refused(side, peer, HF_ALERT_CERTIFICATE_REVOKED);
            pair_done(&pair);
        }
    }
}

static void test_nothing_goes_out_while_it_waits(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        struct pair pair;
        start(&pair, version, false, 1000);
        for (int i = 0; i < 8 && pair.server.step != HF_TLS_WANT_VERDICT; i++) {
            side_handshake(&pair.client);
            side_feed(&pair.server, hf_buf_bytes(&pair.client.out));
            hf_buf_reset(&pair.client.out);
            side_handshake(&pair.server);
            if (pair.server.step != HF_TLS_WANT_VERDICT) {
                side_feed(&pair.client, hf_buf_bytes(&pair.server.out));
                hf_buf_reset(&pair.server.out);
            }
        }
        assert_int_equal(pair.server.step, HF_TLS_WANT_VERDICT);
        for (int i = 0; i < 3; i++) {
            size_t in = hf_buf_len(&pair.server.in);
            assert_int_equal(side_handshake(&pair.server), HF_TLS_WANT_VERDICT);
            assert_int_equal(hf_buf_len(&pair.server.out), 0);
            assert_int_equal(hf_buf_len(&pair.server.in), in);
            assert_false(pair.server.info.complete);
        }
        pair_done(&pair);
    }
}

/* Who waits and is then left is freed like any other; a wait about nobody is a refusal. */
static void test_a_wait_about_no_certificate_is_a_refusal(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        struct pair pair;
        pair_of(&pair, version);
        pair.policy[0].ask = HF_TLS_ASK_OPTIONAL;
        pair.client_config.n_identities = 0;
        pair.server.waits = 1;
        pair_start(&pair);
        pair_shake(&pair);
        assert_int_equal(pair.server.step, HF_TLS_FAILED);
        assert_int_equal(pair.server.n_waited, 1);
        pair_done(&pair);
    }
}

/* A proof that is wrong ends it, judged or not. */
static void test_a_wrong_record_ends_it(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        for (size_t n = 0; n < 12; n++) {
            struct pair pair;
            start(&pair, version, false, 2);
            bool changed = pair_shake_changing(&pair, n, true);
            assert_int_equal(changed, pair.server.step == HF_TLS_FAILED ||
                                          pair.client.step == HF_TLS_FAILED);
            pair_done(&pair);
        }
    }
}

static void test_survives_running_out_of_memory(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        bool enough = false;
        for (size_t n = 1; !enough && n < 3000; n++) {
            struct pair pair;
            start(&pair, version, false, 1);
            enough = pair_shake_failing(&pair, n);
            pair_done(&pair);
        }
        assert_true(enough);
    }
}

static const struct CMUnitTest suite_wait_tests[] = {
    cmocka_unit_test(test_waits_and_then_goes_on),
    cmocka_unit_test(test_waits_and_then_refuses),
    cmocka_unit_test(test_nothing_goes_out_while_it_waits),
    cmocka_unit_test(test_a_wait_about_no_certificate_is_a_refusal),
    cmocka_unit_test(test_a_wrong_record_ends_it),
    cmocka_unit_test(test_survives_running_out_of_memory),
};
SUITE_PART(suite_wait);
