// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "testcrl.h"

static struct testpki *root, *alice, *bob, *sub;
static char alice_serial[64], bob_serial[64];

static void serial_text(const struct testpki *pki, char *out)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(pki->x509), NULL);
    char *hex = BN_bn2hex(number);
    snprintf(out, 64, "%s", hex);
    OPENSSL_free(hex);
    BN_free(number);
}

static int make_all(void **state)
{
    (void)state;
    struct testpki_spec sharded = {.cn = "bob", .eku = "clientAuth", .cdp = "URI:http://ca/2.crl"};
    root = testpki_root("Root");
    alice = testpki_leaf(root, "alice", HF_USAGE_CLIENT, NULL);
    bob = testpki_make(root, &sharded);
    sub = testpki_intermediate(root, "Sub");
    serial_text(alice, alice_serial);
    serial_text(bob, bob_serial);
    return 0;
}

static int free_all(void **state)
{
    (void)state;
    testpki_free(alice);
    testpki_free(bob);
    testpki_free(sub);
    testpki_free(root);
    return 0;
}

/* A set of the lists that these specs make; ends with one that has no issuer. */
struct made {
    const struct testpki *issuer;
    struct testcrl_spec spec;
};

static struct hf_revoked *set_of(const struct made *made, size_t n, size_t *out_dropped)
{
    struct hf_crl *list[8] = {NULL};
    struct hf_revoked *set = NULL;
    size_t dropped = 0;
    for (size_t i = 0; i < n; i++) {
        list[i] = testcrl_read(made[i].issuer, &made[i].spec);
    }
    assert_int_equal(hf_revoked_new(list, n, &set, &dropped), HF_OK);
    for (size_t i = 0; i < n; i++) {
        hf_crl_unref(list[i]);
    }
    if (out_dropped) {
        *out_dropped = dropped;
    }
    return set;
}

static enum hf_revoked_answer ask(const struct hf_revoked *set, const struct testpki *who,
                                  int64_t now, struct hf_revoked_result *out)
{
    struct hf_revoked_result result;
    hf_revoked_check(set, who->cert, root->cert, now, &result);
    if (out) {
        *out = result;
    }
    return result.answer;
}

static void expect_at(const struct made *made, size_t n, const struct testpki *who, int64_t now,
                      enum hf_revoked_answer wanted)
{
    struct hf_revoked *set = set_of(made, n, NULL);
    assert_int_equal(ask(set, who, now, NULL), wanted);
    hf_revoked_unref(set);
}

static void expect(const struct made *made, size_t n, const struct testpki *who,
                   enum hf_revoked_answer wanted)
{
    expect_at(made, n, who, TESTPKI_NOW, wanted);
}

static void a_list_names_or_does_not(void **state)
{
    (void)state;
    struct testcrl_entry entry = {alice_serial, HF_REVOKED_FOR_KEY_COMPROMISE, TESTPKI_NOW - 7200};
    struct made made[] = {{root, {.entries = &entry, .n_entries = 1, .number = "7"}}};
    struct hf_revoked *set = set_of(made, 1, NULL);
    struct hf_revoked_result result;
    assert_int_equal(ask(set, alice, TESTPKI_NOW, &result), HF_REVOKED_REVOKED);
    assert_int_equal(result.entry.at, TESTPKI_NOW - 7200);
    assert_int_equal(result.entry.why, HF_REVOKED_FOR_KEY_COMPROMISE);
    assert_int_equal(result.age_s, 3600);
    assert_int_equal(ask(set, bob, TESTPKI_NOW, &result), HF_REVOKED_GOOD);
    assert_int_equal(result.fresh_until, TESTPKI_NOW + TESTPKI_DAY);
    assert_ptr_equal(result.crl, hf_revoked_list(set, 0));
    hf_revoked_unref(set);
}

static void hold_revokes_too(void **state)
{
    (void)state;
    struct testcrl_entry entry = {alice_serial, HF_REVOKED_FOR_HOLD, 0};
    struct made made[] = {{root, {.entries = &entry, .n_entries = 1}}};
    expect(made, 1, alice, HF_REVOKED_REVOKED);
}

static void dates_decide_what_silence_means(void **state)
{
    (void)state;
    struct testcrl_entry entry = {alice_serial, -1, 0};
    struct made made[] = {{root, {.entries = &entry, .n_entries = 1}}};
    int64_t year = 365 * TESTPKI_DAY;
    expect_at(made, 1, bob, TESTPKI_NOW + TESTPKI_DAY, HF_REVOKED_GOOD);
    expect_at(made, 1, bob, TESTPKI_NOW + TESTPKI_DAY + 1, HF_REVOKED_STALE);
    expect_at(made, 1, bob, TESTPKI_NOW + year, HF_REVOKED_STALE);
    expect_at(made, 1, bob, TESTPKI_NOW - 3600 - 301, HF_REVOKED_NOT_YET);
    expect_at(made, 1, bob, TESTPKI_NOW - year, HF_REVOKED_NOT_YET);
    expect_at(made, 1, bob, TESTPKI_NOW - 3600 - 300, HF_REVOKED_GOOD);
    /* One who is named stays named. */
    expect_at(made, 1, alice, TESTPKI_NOW + year, HF_REVOKED_REVOKED);
    expect_at(made, 1, alice, TESTPKI_NOW - year, HF_REVOKED_REVOKED);
    struct made endless[] = {{root, {.next_update = -1}}};
    expect_at(endless, 1, bob, TESTPKI_NOW + 20 * year, HF_REVOKED_GOOD);
}

static void others_lists_say_nothing(void **state)
{
    (void)state;
    struct testcrl_entry entry = {alice_serial, -1, 0};
    struct testpki *stranger = testpki_root("Stranger");
    struct testpki *impostor = testpki_root("Root"); /* the same name, another key */
    struct made strange[] = {{stranger, {.entries = &entry, .n_entries = 1}}};
    struct made false_one[] = {{impostor, {.entries = &entry, .n_entries = 1}}};
    expect(strange, 1, alice, HF_REVOKED_MISSING);
    expect(false_one, 1, alice, HF_REVOKED_BAD_ISSUER);
    expect(false_one, 1, bob, HF_REVOKED_BAD_ISSUER);
    struct made both[] = {{impostor, {.number = "9"}}, {root, {.number = "1"}}};
    expect(both, 2, bob, HF_REVOKED_GOOD);
    testpki_free(stranger);
    testpki_free(impostor);
}

static void a_list_for_users_says_nothing_of_cas(void **state)
{
    (void)state;
    struct made users[] = {{root, {.point = "onlyuser:TRUE"}}};
    struct made cas[] = {{root, {.point = "onlyCA:TRUE"}}};
    expect(users, 1, alice, HF_REVOKED_GOOD);
    expect(users, 1, sub, HF_REVOKED_MISSING);
    expect(cas, 1, alice, HF_REVOKED_MISSING);
    expect(cas, 1, sub, HF_REVOKED_GOOD);
}

static void a_shard_speaks_for_those_who_name_it(void **state)
{
    (void)state;
    struct testcrl_entry entry = {bob_serial, -1, 0};
    struct made one[] = {{root, {.point = "fullname:URI:http://ca/1.crl"}}};
    struct made two[] = {{root, {.point = "fullname:URI:http://ca/1.crl"}},
                         {root, {.point = "fullname:URI:http://ca/2.crl"}}};
    struct made named[] = {
        {root, {.point = "fullname:URI:http://ca/1.crl"}},
        {root, {.entries = &entry, .n_entries = 1, .point = "fullname:URI:http://ca/2.crl"}}};
    expect(one, 1, bob, HF_REVOKED_MISSING);
    expect(two, 2, bob, HF_REVOKED_GOOD);
    expect(named, 2, bob, HF_REVOKED_REVOKED);
    expect(two, 2, alice, HF_REVOKED_MISSING); /* she names no shard */
}

static void a_delta_adds_and_takes_back(void **state)
{
    (void)state;
    struct testcrl_entry held = {alice_serial, HF_REVOKED_FOR_HOLD, 0};
    struct testcrl_entry removed = {alice_serial, HF_REVOKED_FOR_REMOVED, 0};
    struct testcrl_entry added = {bob_serial, HF_REVOKED_FOR_SUPERSEDED, 0};
    struct testcrl_spec base = {.entries = &held, .n_entries = 1, .number = "10"};
    struct made adds[] = {
        {root, base}, {root, {.entries = &added, .n_entries = 1, .number = "12", .base = "10"}}};
    struct made takes[] = {
        {root, base}, {root, {.entries = &removed, .n_entries = 1, .number = "12", .base = "9"}}};
    struct made gap[] = {
        {root, base}, {root, {.entries = &removed, .n_entries = 1, .number = "12", .base = "11"}}};
    struct made old[] = {
        {root, base}, {root, {.entries = &removed, .n_entries = 1, .number = "10", .base = "8"}}};
    expect(adds, 2, bob, HF_REVOKED_REVOKED);
    expect(adds, 2, alice, HF_REVOKED_REVOKED);
    expect(takes, 2, alice, HF_REVOKED_GOOD);
    expect(gap, 2, alice, HF_REVOKED_REVOKED);
    expect(old, 2, alice, HF_REVOKED_REVOKED);
    struct made alone[] = {{root, {.number = "12", .base = "10"}}};
    expect(alone, 1, bob, HF_REVOKED_MISSING);
}

static void a_fresh_delta_keeps_its_base_fresh(void **state)
{
    (void)state;
    struct made made[] = {{root, {.number = "10", .next_update = TESTPKI_NOW - 10}},
                          {root, {.number = "11", .base = "10", .next_update = TESTPKI_NOW + 600}}};
    expect(made, 2, alice, HF_REVOKED_GOOD);
    expect(made, 1, alice, HF_REVOKED_STALE);
    expect_at(made, 2, alice, TESTPKI_NOW + 601, HF_REVOKED_STALE);
}

static void a_list_for_some_reasons_makes_nothing_good_alone(void **state)
{
    (void)state;
    struct testcrl_entry entry = {alice_serial, HF_REVOKED_FOR_KEY_COMPROMISE, 0};
    struct made made[] = {
        {root, {.entries = &entry, .n_entries = 1, .point = "onlysomereasons:keyCompromise"}}};
    expect(made, 1, alice, HF_REVOKED_REVOKED);
    expect(made, 1, bob, HF_REVOKED_MISSING);
}

static void the_highest_number_stays(void **state)
{
    (void)state;
    struct testcrl_entry entry = {alice_serial, -1, 0};
    struct testcrl_spec older = {.number = "255", .this_update = TESTPKI_NOW - 60};
    struct testcrl_spec newer = {.entries = &entry, .n_entries = 1, .number = "256"};
    size_t dropped = 0;
    for (int order = 0; order < 2; order++) {
        struct made made[] = {{root, order ? newer : older}, {root, order ? older : newer}};
        struct hf_revoked *set = set_of(made, 2, &dropped);
        assert_int_equal(dropped, 1);
        assert_int_equal(hf_revoked_count(set), 1);
        assert_int_equal(ask(set, alice, TESTPKI_NOW, NULL), HF_REVOKED_REVOKED);
        hf_revoked_unref(set);
    }
}

static void a_replayed_list_is_noticed(void **state)
{
    (void)state;
    struct made now_made[] = {{root, {.number = "9"}}, {sub, {.number = "5"}}};
    struct made older_made[] = {{sub, {.number = "5"}}, {root, {.number = "8"}}};
    struct made newer_made[] = {{sub, {.number = "6"}}, {root, {.number = "9"}}};
    struct hf_revoked *now = set_of(now_made, 2, NULL);
    struct hf_revoked *older = set_of(older_made, 2, NULL);
    struct hf_revoked *newer = set_of(newer_made, 2, NULL);
    assert_int_equal(hf_revoked_replay(now, older), 1);
    assert_int_equal(hf_revoked_replay(now, newer), SIZE_MAX);
    assert_int_equal(hf_revoked_replay(NULL, newer), SIZE_MAX);
    hf_revoked_unref(now);
    hf_revoked_unref(older);
    hf_revoked_unref(newer);
}

/* A CA that was given a new key under its old name, and whose lists don't say which key made them.
 */
static void keys_of_one_name_have_lists_of_their_own(void **state)
{
    (void)state;
    struct testpki_spec again = {.cn = "Root", .ca = true};
    struct testpki *rekeyed = testpki_make(NULL, &again);
    struct testcrl_entry of_alice = {alice_serial, -1, 0}, of_bob = {bob_serial, -1, 0};
    struct made made[] = {
        {rekeyed, {.number = "90", .no_key_id = true, .entries = &of_bob, .n_entries = 1}},
        {root, {.number = "9", .no_key_id = true, .entries = &of_alice, .n_entries = 1}},
        {root, {.number = "8", .no_key_id = true, .entries = &of_bob, .n_entries = 1}},
    };
    size_t dropped = 0;
    struct hf_revoked *set = set_of(made, 3, &dropped);
    assert_int_equal(dropped, 0);
    struct hf_revoked_result result;
    assert_int_equal(ask(set, alice, TESTPKI_NOW, &result), HF_REVOKED_REVOKED);
    assert_ptr_equal(result.crl, hf_revoked_list(set, 1));
    assert_int_equal(ask(set, bob, TESTPKI_NOW, &result), HF_REVOKED_GOOD); /* 9 came after 8 */
    assert_ptr_equal(result.crl, hf_revoked_list(set, 1));

    struct made next_made[] = {made[0], {root, {.number = "10", .no_key_id = true}}};
    struct hf_revoked *next = set_of(next_made, 2, NULL);
    assert_int_equal(hf_revoked_replay(set, next), SIZE_MAX);
    assert_int_equal(hf_revoked_replay(next, set), SIZE_MAX); /* 90 may be of the same key */
    struct made older_made[] = {{rekeyed, {.number = "89", .no_key_id = true}}, made[1]};
    struct hf_revoked *older = set_of(older_made, 2, NULL);
    assert_int_equal(hf_revoked_replay(set, older), 0);
    hf_revoked_unref(set);
    hf_revoked_unref(next);
    hf_revoked_unref(older);
    testpki_free(rekeyed);
}

static void a_serial_is_enough_where_no_list_is_a_shard(void **state)
{
    (void)state;
    struct testcrl_entry entry = {alice_serial, -1, 0};
    struct made made[] = {
        {root, {.number = "5", .entries = &entry, .n_entries = 1, .point = "onlyuser:TRUE"}},
        {root, {.number = "6", .point = "onlyCA:TRUE"}},
        {root, {.number = "7", .point = "fullname:URI:http://ca/2.crl"}},
    };
    struct hf_revoked_result result;
    struct hf_serial serial;
    struct hf_revoked *plain = set_of(made, 2, NULL), *sharded = set_of(made, 3, NULL);
    assert_int_equal(hf_serial_from_hex(alice_serial, &serial), HF_OK);
    assert_true(hf_revoked_check_leaf(plain, &serial, root->cert, TESTPKI_NOW, &result));
    assert_int_equal(result.answer, HF_REVOKED_REVOKED);
    assert_false(hf_revoked_check_leaf(sharded, &serial, root->cert, TESTPKI_NOW, &result));
    assert_int_equal(hf_serial_from_hex(bob_serial, &serial), HF_OK);
    assert_true(hf_revoked_check_leaf(plain, &serial, root->cert, TESTPKI_NOW, &result));
    assert_int_equal(result.answer, HF_REVOKED_GOOD);
    assert_true(hf_revoked_check_leaf(plain, &serial, sub->cert, TESTPKI_NOW, &result));
    assert_int_equal(result.answer, HF_REVOKED_MISSING);
    hf_revoked_unref(plain);
    hf_revoked_unref(sharded);
}

static void a_newer_delta_of_the_same_key_is_taken(void **state)
{
    (void)state;
    struct testcrl_entry entry = {alice_serial, -1, 0};
    struct made made[] = {
        {root, {.number = "5", .no_key_id = true}},
        {root, {.number = "6", .base = "5", .no_key_id = true}},
        {root, {.number = "7", .base = "5", .no_key_id = true, .entries = &entry, .n_entries = 1}},
    };
    expect(made, 3, alice, HF_REVOKED_REVOKED);
    expect(made, 2, alice, HF_REVOKED_GOOD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_names_or_does_not),
        cmocka_unit_test(hold_revokes_too),
        cmocka_unit_test(dates_decide_what_silence_means),
        cmocka_unit_test(others_lists_say_nothing),
        cmocka_unit_test(a_list_for_users_says_nothing_of_cas),
        cmocka_unit_test(a_shard_speaks_for_those_who_name_it),
        cmocka_unit_test(a_delta_adds_and_takes_back),
        cmocka_unit_test(a_fresh_delta_keeps_its_base_fresh),
        cmocka_unit_test(a_list_for_some_reasons_makes_nothing_good_alone),
        cmocka_unit_test(the_highest_number_stays),
        cmocka_unit_test(a_replayed_list_is_noticed),
        cmocka_unit_test(keys_of_one_name_have_lists_of_their_own),
        cmocka_unit_test(a_newer_delta_of_the_same_key_is_taken),
        cmocka_unit_test(a_serial_is_enough_where_no_list_is_a_shard),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
