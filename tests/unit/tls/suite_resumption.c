// SPDX-License-Identifier: Apache-2.0
#include "suite_impl.h"

#include <string.h>

/* Resumption: judged again every time, bound to its realm, and never longer than it was given. */

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

/* Shakes hands again with the ticket; was it resumed? */
static bool resumes(struct pair *pair)
{
    pair_again(pair);
    pair_shake(pair);
    assert_open(pair);
    assert_int_equal(pair->server.info.resumed, pair->client.info.resumed);
    return pair->server.info.resumed;
}

static void test_resumption_in_each_way_to_ask(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        for (int i = 0; i < 2 * 3; i++) {
            struct pair pair;
            pair_of(&pair, version);
            pair.server_config.tickets = true;
            pair.policy[0].ask = (enum hf_tls_ask)(i / 2);
            pair.client_config.n_identities = i % 2;
            if (pair.policy[0].ask == HF_TLS_ASK_REQUIRED && i % 2 == 0) {
                continue;
            }
            pair_start(&pair);
            pair_keep_ticket(&pair);
            bool had_chain = side_chain(&pair.server) != NULL;
            assert_true(resumes(&pair));
            assert_int_equal(pair.server.n_judged, pair.policy[0].ask == HF_TLS_ASK_NONE ? 0 : 1);
            assert_int_equal(pair.server.judged[0].had_chain, had_chain);
            assert_int_equal(side_chain(&pair.server) != NULL, had_chain);
            assert_good_pair(&pair, version);
            pair_done(&pair);
        }
    }
}

static void test_resumption_one_byte_at_a_time(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        struct pair pair;
        pair_with_ticket(&pair, version);
        pair.chunk = 1;
        assert_true(resumes(&pair));
        assert_good_pair(&pair, version);
        pair_done(&pair);
    }
}

static void test_ticket_of_another_realm_is_ignored(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        struct pair pair;
        pair_with_ticket(&pair, version);
        pair.policy[0].realm[31] ^= 1;
        pair_new_server(&pair);
        assert_false(resumes(&pair));
        assert_int_equal(pair.server.n_judged, 1);
        assert_false(pair.server.judged[0].resumed);
        pair_done(&pair);
    }
}

/* The name chooses the policy, the policy the realm: a ticket doesn't carry over. */
static void test_ticket_of_another_name_s_policy_is_ignored(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        struct pair pair;
        pair_of(&pair, version);
        pair.server_config.tickets = true;
        pair.policy[1] = (struct hf_tls_policy){
            .sni = "admin.example.org", .ask = HF_TLS_ASK_REQUIRED, .realm = {1}};
        pair.server_config.n_policies = 2;
        pair_start(&pair);
        pair_keep_ticket(&pair);
        assert_true(resumes(&pair));
        pair.sni = "admin.example.org";
        assert_false(resumes(&pair));
        pair_done(&pair);
    }
}

/* Same realm by mistake of the caller, but what is required now was not given then. */
static void test_ticket_without_a_chain_is_ignored_where_one_is_required(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        struct pair pair;
        pair_of(&pair, version);
        pair.server_config.tickets = true;
        pair.policy[0].ask = HF_TLS_ASK_NONE;
        pair_start(&pair);
        pair_keep_ticket(&pair);
        pair.policy[0].ask = HF_TLS_ASK_REQUIRED;
        pair_new_server(&pair);
        assert_false(resumes(&pair));
        assert_same_chain(&pair.server, world.client[KEY_P256]);
        pair_done(&pair);
    }
}

static void set_keys(struct pair *pair, const char *names)
{
    struct hf_tls_ticket_keys *keys = &pair->server_config.ticket_keys;
    keys->n_keys = strlen(names);
    for (size_t i = 0; i < keys->n_keys; i++) {
        memset(keys->key[i].name, names[i], sizeof(keys->key[i].name));
        memset(keys->key[i].secret.byte, names[i], 32);
        keys->key[i].secret.len = 32;
    }
    pair_new_server(pair);
}

static void test_ticket_keys_rotate(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        struct pair pair;
        pair_with_ticket(&pair, version);
        set_keys(&pair, "a");
        assert_false(resumes(&pair)); /* nobody knows the old key */
        pair_keep_ticket(&pair);
        set_keys(&pair, "ba"); /* the old key still opens ... */
        assert_true(resumes(&pair));
        pair_keep_ticket(&pair); /* ... and what it opened is sealed anew */
        assert_non_null(pair.session);
        set_keys(&pair, "cb");
        assert_true(resumes(&pair));
        pair_done(&pair);
    }
}

static void test_same_key_name_with_another_key_is_ignored(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        struct pair pair;
        pair_with_ticket(&pair, version);
        pair.server_config.ticket_keys.key[0].secret.byte[31] ^= 1;
        pair_new_server(&pair);
        assert_false(resumes(&pair));
        pair_done(&pair);
    }
}

/* The server's clock has moved; the client thinks its ticket good. */
static void make_late(struct pair *pair, int64_t late_s)
{
    world.late_s = late_s;
    pair->server_config.common.clock = &world.late_clock;
    pair_new_server(pair);
}

static void test_ticket_ends_with_its_lifetime(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        struct pair pair;
        pair_with_ticket(&pair, version);
        make_late(&pair, 3599);
        assert_true(resumes(&pair));
        make_late(&pair, 3600);
        assert_false(resumes(&pair));
        pair_done(&pair);
    }
}

static void test_renewed_tickets_end_with_the_first(void **state)
{
    (void)state;
    struct pair pair;
    pair_with_ticket(&pair, HF_TLS_1_3);
    for (int64_t late_s = 600; late_s < 3600; late_s += 600) {
        make_late(&pair, late_s);
        assert_true(resumes(&pair));
        pair_keep_ticket(&pair); /* TLS 1.3 gives a new one each time */
        assert_non_null(pair.session);
    }
    make_late(&pair, 3600);
    assert_false(resumes(&pair));
    pair_done(&pair);
}

static void test_ticket_ends_with_the_client_s_certificate(void **state)
{
    (void)state;
    const struct testpki_spec spec = {.cn = "brief", .not_after = TESTPKI_NOW + 60};
    struct hf_credential *brief = world_credential(world.intermediate, &spec);
    FOR_EACH_VERSION(version)
    {
        struct pair pair;
        pair_of(&pair, version);
        pair.server_config.tickets = true;
        pair.client_identity[0] = brief;
        pair_start(&pair);
        pair_keep_ticket(&pair);
        make_late(&pair, 59);
        assert_true(resumes(&pair));
        make_late(&pair, 60);
        assert_false(resumes(&pair));
        pair_done(&pair);
    }
    hf_credential_unref(brief);
}

static void test_client_forgets_a_session_in_time(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        struct pair pair;
        pair_with_ticket(&pair, version);
        world.now_s += 3600;
        pair_again(&pair);
        pair_shake(&pair);
        assert_open(&pair);
        assert_false(pair.client.info.resumed);
        assert_int_equal(pair.client.n_judged, 1); /* wasn't even thought of */
        world.now_s = TESTPKI_NOW;
        pair_done(&pair);
    }
}

/* A chain that doesn't fit a ticket: no ticket, rather than one that can't be judged. */
static void test_long_chains_get_no_ticket(void **state)
{
    (void)state;
    char san[11000] = "DNS:a.example";
    while (strlen(san) < 10500) {
        strcat(san, ",DNS:a-rather-long-name-of-a-host.example");
    }
    const struct testpki_spec ca = {.cn = "Wordy", .ca = true, .san = san};
    const struct testpki_spec leaf = {.cn = "alice"};
    struct testpki *wordy = testpki_make(world.root, &ca);
    struct hf_credential *credential = world_credential(wordy, &leaf);
    FOR_EACH_VERSION(version)
    {
        struct pair pair;
        pair_of(&pair, version);
        pair.server_config.tickets = true;
        pair.client_identity[0] = credential;
        pair_start(&pair);
        pair_keep_ticket(&pair);
        assert_null(pair.session);
        assert_good_pair(&pair, version);
        pair_done(&pair);
    }
    hf_credential_unref(credential);
    testpki_free(wordy);
}

static void test_no_tickets_where_they_are_off(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        struct pair pair;
        pair_of(&pair, version);
        pair_start(&pair);
        pair_keep_ticket(&pair);
        assert_null(pair.session);
        pair_done(&pair);
    }
}

static void test_failed_connection_leaves_no_session(void **state)
{
    (void)state;
    FOR_EACH_VERSION(version)
    {
        struct pair pair;
        pair_of(&pair, version);
        pair.server_config.tickets = true;
        pair_start(&pair);
        pair_shake(&pair);
        assert_open(&pair);
        struct hf_tls_io io = {{NULL, 0}, &pair.server.out};
        hf_tls_abort(pair.server.tls, &io, HF_ALERT_ACCESS_DENIED);
        pair_settle(&pair);
        assert_int_equal(pair.client.step, HF_TLS_FAILED);
        assert_null(hf_tls_take_session(pair.client.tls));
        pair_done(&pair);
    }
}

static void test_ticket_of_the_other_version_is_ignored(void **state)
{
    (void)state;
    if (suite.min_version == suite.max_version) {
        return; /* there is no other version */
    }
    FOR_EACH_VERSION(version)
    {
        struct pair pair;
        pair_of(&pair, version);
        pair.server_config.tickets = true;
        pair.client_config.common.min_version = HF_TLS_1_2;
        pair.client_config.common.max_version = HF_TLS_1_3;
        pair_start(&pair);
        pair_keep_ticket(&pair);
        enum hf_tls_version other = version == HF_TLS_1_2 ? HF_TLS_1_3 : HF_TLS_1_2;
        struct hf_tls_common *common = &pair.server_config.common;
        common->min_version = common->max_version = other;
        pair_new_server(&pair);
        assert_false(resumes(&pair));
        assert_good_pair(&pair, other);
        pair_done(&pair);
    }
}

static const struct CMUnitTest suite_resumption_tests[] = {
    cmocka_unit_test(test_resumption_is_judged_again),
    cmocka_unit_test(test_resumption_refused_by_the_server_becomes_a_full_handshake),
    cmocka_unit_test(test_resumption_refused_by_the_client_is_not_offered),
    cmocka_unit_test(test_resumption_in_each_way_to_ask),
    cmocka_unit_test(test_resumption_one_byte_at_a_time),
    cmocka_unit_test(test_ticket_of_another_realm_is_ignored),
    cmocka_unit_test(test_ticket_of_another_name_s_policy_is_ignored),
    cmocka_unit_test(test_ticket_without_a_chain_is_ignored_where_one_is_required),
    cmocka_unit_test(test_ticket_keys_rotate),
    cmocka_unit_test(test_same_key_name_with_another_key_is_ignored),
    cmocka_unit_test(test_ticket_ends_with_its_lifetime),
    cmocka_unit_test(test_renewed_tickets_end_with_the_first),
    cmocka_unit_test(test_ticket_ends_with_the_client_s_certificate),
    cmocka_unit_test(test_client_forgets_a_session_in_time),
    cmocka_unit_test(test_long_chains_get_no_ticket),
    cmocka_unit_test(test_no_tickets_where_they_are_off),
    cmocka_unit_test(test_failed_connection_leaves_no_session),
    cmocka_unit_test(test_ticket_of_the_other_version_is_ignored),
};
SUITE_PART(suite_resumption);
