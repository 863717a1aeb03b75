// SPDX-License-Identifier: Apache-2.0
/* Picking: shares, load, latency, hashes, caps, and what is passed over. */
#include "balance_fixture.h"

static void count_picks(struct balance *b, size_t n, unsigned *counts)
{
    memset(counts, 0, FIXTURE_SERVERS * sizeof(*counts));
    for (size_t i = 0; i < n; i++) {
        int index = pick(b);
        assert_true(index >= 0);
        counts[index]++;
    }
}

/* --- Round robin --------------------------------------------------------------------------------
 */

static void weights_are_kept_to_exactly(void **state)
{
    (void)state;
    unsigned counts[FIXTURE_SERVERS];
    struct balance *b = balance_new(3);
    b->cfg_servers[0].weight = 5;
    b->cfg_servers[1].weight = 1;
    b->cfg_servers[2].weight = 1;
    balance_build(b, 3);
    char order[8] = "";
    for (size_t i = 0; i < 7; i++) {
        order[i] = (char)('a' + pick(b));
    }
    assert_string_equal(order, "aabacaa"); /* spread, not five in a row */
    count_picks(b, 700, counts);
    assert_int_equal(counts[0], 500);
    assert_int_equal(counts[1], 100);
    assert_int_equal(counts[2], 100);
    balance_free(b);
}

static void equal_weights_are_one_turn_each_whatever_they_are(void **state)
{
    (void)state;
    struct balance *b = balance_new(3);
    for (size_t i = 0; i < 3; i++) {
        b->cfg_servers[i].weight = 1000;
    }
    balance_build(b, 3);
    assert_int_equal(b->upstream.table.n_turns, 3);
    balance_free(b);
}

/* The others keep their proportion, and nobody gets all of what the lost one had. */
static void a_server_that_is_out_leaves_its_turns_to_all(void **state)
{
    (void)state;
    unsigned counts[FIXTURE_SERVERS];
    struct balance *b = balance_new(4);
    b->cfg_servers[3].weight = 2;
    balance_build(b, 4);
    atomic_store(&b->states[0].standing, HF_SERVER_DOWN);
    count_picks(b, 4000, counts);
    assert_int_equal(counts[0], 0);
    assert_int_equal(counts[1], 1000);
    assert_int_equal(counts[2], 1000);
    assert_int_equal(counts[3], 2000);
    balance_free(b);
}

static void a_single_light_server_is_found_beside_heavy_ones_that_are_out(void **state)
{
    (void)state;
    struct balance *b = balance_new(2);
    b->cfg_servers[0].weight = 999;
    balance_build(b, 2);
    atomic_store(&b->states[0].standing, HF_SERVER_DRAINED);
    for (int i = 0; i < 50; i++) {
        assert_int_equal(pick(b), 1);
    }
    balance_free(b);
}

/* --- Least connections --------------------------------------------------------------------------
 */

static void least_connections_go_by_weight(void **state)
{
    (void)state;
    struct balance *b = balance_new(3);
    b->cfg.balance = HF_BALANCE_LEAST_CONNECTIONS;
    b->cfg_servers[0].weight = 2;
    balance_build(b, 3);
    for (int i = 0; i < 400; i++) {
        assert_true(pick_and_keep(b) >= 0);
    }
    assert_int_equal(atomic_load(&b->states[0].active), 200);
    assert_int_equal(atomic_load(&b->states[1].active), 100);
    assert_int_equal(atomic_load(&b->states[2].active), 100);
    balance_free(b);
}

static void the_one_that_finishes_gets_the_next(void **state)
{
    (void)state;
    struct balance *b = balance_new(4);
    b->cfg.balance = HF_BALANCE_LEAST_CONNECTIONS;
    for (int i = 0; i < 40; i++) {
        assert_true(pick_and_keep(b) >= 0);
    }
    hf_balance_leave(&b->upstream, &b->servers[2]);
    assert_int_equal(pick_and_keep(b), 2);
    balance_free(b);
}

/* --- Latency ------------------------------------------------------------------------------------
 */

static void two_choices_prefer_the_quick(void **state)
{
    (void)state;
    unsigned counts[FIXTURE_SERVERS];
    struct balance *b = balance_new(4);
    b->cfg.balance = HF_BALANCE_LEAST_LATENCY;
    for (size_t i = 0; i < 4; i++) {
        report(b, i, HF_OUTCOME_OK, i == 0 ? 100000 : 1000);
    }
    count_picks(b, 12000, counts);
    /* The slow one wins only where it is drawn twice, which doesn't happen: each draw is of two. */
    assert_int_equal(counts[0], 0);
    for (size_t i = 1; i < 4; i++) { /* a third each, 4000; five sigma of a coin are about 260 */
        assert_in_range(counts[i], 3500, 4500);
    }
    balance_free(b);
}

static void two_choices_respect_weight_and_load(void **state)
{
    (void)state;
    unsigned counts[FIXTURE_SERVERS];
    struct balance *b = balance_new(2);
    b->cfg.balance = HF_BALANCE_LEAST_LATENCY;
    report(b, 0, HF_OUTCOME_OK, 1000);
    report(b, 1, HF_OUTCOME_OK, 2000);
    count_picks(b, 100, counts);
    assert_int_equal(counts[0], 100);
    atomic_store(&b->states[0].active, 3); /* four times the work at half the time is longer */
    count_picks(b, 100, counts);
    assert_int_equal(counts[1], 100);
    balance_free(b);
}

static void one_choice_is_enough_when_there_is_only_one(void **state)
{
    (void)state;
    struct balance *b = balance_new(3);
    b->cfg.balance = HF_BALANCE_LEAST_LATENCY;
    atomic_store(&b->states[0].standing, HF_SERVER_DOWN);
    atomic_store(&b->states[2].standing, HF_SERVER_DOWN);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(pick(b), 1);
    }
    balance_free(b);
}

/* --- Hash ---------------------------------------------------------------------------------------
 */

enum { KEYS = 20000 };

static void hash_of_key(struct balance *b, unsigned key)
{
    b->input.has_hash = true;
    b->input.hash = hf_balance_hash(hf_bytes_of((const uint8_t *)&key, sizeof(key)));
}

static void map_keys(struct balance *b, int *map)
{
    for (unsigned key = 0; key < KEYS; key++) {
        hash_of_key(b, key);
        map[key] = pick(b);
        assert_true(map[key] >= 0);
    }
}

static struct balance *hashing(size_t n)
{
    struct balance *b = balance_new(n);
    b->cfg.balance = HF_BALANCE_HASH;
    balance_build(b, n);
    return b;
}

static void a_key_stays_and_all_get_their_share(void **state)
{
    (void)state;
    static int first[KEYS];
    static int second[KEYS];
    unsigned counts[FIXTURE_SERVERS] = {0};
    struct balance *b = hashing(5);
    b->cfg_servers[4].weight = 4;
    balance_build(b, 5);
    map_keys(b, first);
    map_keys(b, second);
    assert_memory_equal(first, second, sizeof(first));
    for (size_t i = 0; i < KEYS; i++) {
        counts[first[i]]++;
    }
    for (size_t i = 0; i < 4; i++) { /* 2500 each, 10000 for the heavy one; sigma is about 47, 71 */
        assert_in_range(counts[i], 2300, 2700);
    }
    assert_in_range(counts[4], 9700, 10300);
    balance_free(b);
}

static void a_lost_server_moves_only_its_own_keys_and_gets_them_back(void **state)
{
    (void)state;
    static int before[KEYS];
    static int during[KEYS];
    static int after[KEYS];
    unsigned taken[FIXTURE_SERVERS] = {0};
    struct balance *b = hashing(5);
    map_keys(b, before);
    atomic_store(&b->states[2].standing, HF_SERVER_DOWN);
    map_keys(b, during);
    atomic_store(&b->states[2].standing, 0);
    map_keys(b, after);
    for (size_t i = 0; i < KEYS; i++) {
        assert_true(before[i] == 2 ? during[i] != 2 : during[i] == before[i]);
        taken[during[i]] += before[i] == 2;
    }
    assert_memory_equal(before, after, sizeof(before));
    for (size_t i = 0; i < 5; i++) { /* its 4000 keys go to the other four alike */
        assert_true(i == 2 || (taken[i] > 850 && taken[i] < 1150));
    }
    balance_free(b);
}

static void a_server_that_leaves_the_config_moves_few_other_keys(void **state)
{
    (void)state;
    static int before[KEYS];
    static int after[KEYS];
    unsigned moved = 0;
    struct balance *b = hashing(10);
    map_keys(b, before);
    balance_build(b, 9); /* the tenth is gone */
    map_keys(b, after);
    for (size_t i = 0; i < KEYS; i++) {
        moved += before[i] != 9 && before[i] != after[i];
    }
    assert_true(moved < KEYS / 20);
    balance_free(b);
}

static void the_order_of_servers_in_the_config_hardly_matters(void **state)
{
    (void)state;
    static int before[KEYS];
    static int after[KEYS];
    unsigned moved = 0;
    struct balance *b = hashing(4);
    map_keys(b, before);
    char *text = b->cfg_servers[0].text;
    b->cfg_servers[0].text = b->cfg_servers[3].text;
    b->cfg_servers[3].text = text;
    hf_balance_table_done(&b->upstream.table);
    assert_int_equal(hf_balance_table_init(&b->upstream.table, &b->cfg), HF_OK);
    map_keys(b, after);
    static const int renamed[] = {3, 1, 2, 0};
    for (size_t i = 0; i < KEYS; i++) {
        moved += renamed[before[i]] != after[i];
    }
    assert_true(moved < KEYS / 50);
    balance_free(b);
}

static void who_has_no_key_takes_turns(void **state)
{
    (void)state;
    unsigned counts[FIXTURE_SERVERS];
    struct balance *b = hashing(3);
    count_picks(b, 30, counts);
    assert_int_equal(counts[0], 10);
    assert_int_equal(counts[1], 10);
    assert_int_equal(counts[2], 10);
    balance_free(b);
}

static void a_hot_key_spills_over_at_the_load_limit(void **state)
{
    (void)state;
    struct balance *b = hashing(4);
    b->cfg.hash_load_limit = 125;
    hash_of_key(b, 7);
    for (int i = 0; i < 400; i++) {
        assert_true(pick_and_keep(b) >= 0);
    }
    for (size_t i = 0; i < 4; i++) { /* nobody has more than 1.25 of 100, rounded up */
        assert_true(atomic_load(&b->states[i].active) <= 126);
    }
    balance_free(b);
}

static void hashes_are_the_same_everywhere(void **state)
{
    (void)state;
    assert_true(hf_balance_hash(hf_bytes_str("")) == 0xc3817c016ba4ff30u);
    assert_true(hf_balance_hash(hf_bytes_str("alice")) == 0x1a046f573e1e5475u);
}

/* --- Caps, tries, standing ----------------------------------------------------------------------
 */

static void max_requests_holds_and_queues_or_refuses(void **state)
{
    (void)state;
    char why[200];
    struct balance *b = balance_new(2);
    b->cfg_servers[0].max_requests = 2;
    b->cfg_servers[1].max_requests = 1;
    assert_int_equal(pick_and_keep(b) + pick_and_keep(b) + pick_and_keep(b), 1);
    assert_int_equal(pick(b), -1);
    hf_balance_explain(&b->upstream, &b->input, why, sizeof(why));
    assert_string_equal(why, "a is at its cap; b is at its cap");
    b->cfg.max_queue = 1;
    assert_int_equal(pick(b), -2);
    hf_balance_leave(&b->upstream, &b->servers[1]);
    assert_int_equal(pick(b), 1);
    balance_free(b);
}

static bool has_idle(void *ctx, const struct hf_server *server)
{
    return server->index == *(size_t *)ctx;
}

static void max_connections_is_for_those_who_need_a_new_one(void **state)
{
    (void)state;
    size_t idle = 1;
    struct balance *b = balance_new(2);
    b->cfg_servers[0].max_connections = b->cfg_servers[1].max_connections = 1;
    assert_true(hf_server_open(&b->servers[0]));
    assert_true(hf_server_open(&b->servers[1]));
    assert_false(hf_server_open(&b->servers[1]));
    assert_int_equal(atomic_load(&b->states[1].open), 1);
    assert_int_equal(pick(b), -1);
    b->input.has_idle = has_idle;
    b->input.ctx = &idle;
    assert_int_equal(pick(b), 1);
    hf_server_closed(&b->upstream, &b->servers[0]);
    b->input.has_idle = NULL;
    assert_int_equal(pick(b), 0);
    balance_free(b);
}

static void the_tried_are_passed_over(void **state)
{
    (void)state;
    struct hf_tried tried = {0};
    char why[200];
    struct balance *b = balance_new(3);
    b->input.tried = &tried;
    b->cfg.max_queue = 1; /* those tried are no reason to wait */
    for (unsigned seen = 0, i = 0; i < 3; i++) {
        int index = pick(b);
        assert_true(index >= 0 && !(seen >> index & 1));
        seen |= 1u << index;
        hf_tried_add(&tried, (size_t)index);
    }
    assert_int_equal(pick(b), -1);
    hf_balance_explain(&b->upstream, &b->input, why, sizeof(why));
    assert_string_equal(why, "");
    balance_free(b);
}

static void the_words_say_why_nobody_is_asked(void **state)
{
    (void)state;
    char why[200];
    char little[12];
    struct balance *b = balance_new(3);
    atomic_store(&b->states[0].standing, HF_SERVER_DOWN);
    atomic_store(&b->states[1].standing, HF_SERVER_DRAINED | HF_SERVER_DOWN);
    atomic_store(&b->states[2].standing, HF_SERVER_EJECTED);
    atomic_store(&b->states[2].ejected_until_ms, INT64_MAX);
    assert_int_equal(pick(b), -1);
    hf_balance_explain(&b->upstream, &b->input, why, sizeof(why));
    assert_string_equal(why, "a is down by its checks; b is drained; c is ejected after failures");
    hf_balance_explain(&b->upstream, &b->input, little, sizeof(little));
    assert_string_equal(little, "a is down b");
    balance_free(b);
}

static void a_returning_server_grows_into_its_share(void **state)
{
    (void)state;
    unsigned counts[FIXTURE_SERVERS];
    struct balance *b = balance_new(2);
    b->cfg.slow_start_ms = 10000;
    atomic_store(&b->states[0].ramp_from_ms, b->input.now_ms);
    count_picks(b, 4000, counts);
    assert_in_range(counts[0], 100, 400); /* a sixteenth of its turns at first */
    b->input.now_ms += 5000;
    count_picks(b, 3000, counts); /* half of its turns: one of three */
    assert_in_range(counts[0], 850, 1150);
    b->input.now_ms += 5000;
    count_picks(b, 1000, counts);
    assert_int_equal(counts[0], 500);
    assert_int_equal(atomic_load(&b->states[0].ramp_from_ms), 0);
    balance_free(b);
}

static void all_returning_at_once_share_everything(void **state)
{
    (void)state;
    unsigned counts[FIXTURE_SERVERS];
    static const enum hf_cfg_balance ways[] = {HF_BALANCE_ROUND_ROBIN, HF_BALANCE_LEAST_CONNECTIONS,
                                               HF_BALANCE_LEAST_LATENCY, HF_BALANCE_HASH};
    for (size_t i = 0; i < HF_N_ELEMENTS(ways); i++) {
        struct balance *b = balance_new(3);
        b->cfg.balance = ways[i];
        b->cfg.slow_start_ms = 10000;
        balance_build(b, 3);
        for (size_t k = 0; k < 3; k++) {
            atomic_store(&b->states[k].ramp_from_ms, b->input.now_ms);
        }
        count_picks(b, 300, counts);
        balance_free(b);
    }
}

static void every_place_is_given_back(void **state)
{
    (void)state;
    struct balance *b = balance_new(3);
    for (size_t i = 0; i < 100; i++) {
        (void)pick(b);
    }
    assert_int_equal(atomic_load(&b->state.active), 0);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(atomic_load(&b->states[i].active), 0);
    }
    balance_free(b);
}

static void tables_without_memory_leave_nothing(void **state)
{
    (void)state;
    struct balance *b = hashing(3);
    for (size_t n = 1; n <= 2; n++) {
        struct hf_balance_table table = {0};
        hf_alloc_fail_after(n);
        assert_int_equal(hf_balance_table_init(&table, &b->cfg), HF_E_NOMEM);
        hf_alloc_fail_after(0);
        assert_null(table.turns);
    }
    balance_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_are_kept_to_exactly),
        cmocka_unit_test(equal_weights_are_one_turn_each_whatever_they_are),
        cmocka_unit_test(a_server_that_is_out_leaves_its_turns_to_all),
        cmocka_unit_test(a_single_light_server_is_found_beside_heavy_ones_that_are_out),
        cmocka_unit_test(least_connections_go_by_weight),
        cmocka_unit_test(the_one_that_finishes_gets_the_next),
        cmocka_unit_test(two_choices_prefer_the_quick),
        cmocka_unit_test(two_choices_respect_weight_and_load),
        cmocka_unit_test(one_choice_is_enough_when_there_is_only_one),
        cmocka_unit_test(a_key_stays_and_all_get_their_share),
        cmocka_unit_test(a_lost_server_moves_only_its_own_keys_and_gets_them_back),
        cmocka_unit_test(a_server_that_leaves_the_config_moves_few_other_keys),
        cmocka_unit_test(the_order_of_servers_in_the_config_hardly_matters),
        cmocka_unit_test(who_has_no_key_takes_turns),
        cmocka_unit_test(a_hot_key_spills_over_at_the_load_limit),
        cmocka_unit_test(hashes_are_the_same_everywhere),
        cmocka_unit_test(max_requests_holds_and_queues_or_refuses),
        cmocka_unit_test(max_connections_is_for_those_who_need_a_new_one),
        cmocka_unit_test(the_tried_are_passed_over),
        cmocka_unit_test(the_words_say_why_nobody_is_asked),
        cmocka_unit_test(a_returning_server_grows_into_its_share),
        cmocka_unit_test(all_returning_at_once_share_everything),
        cmocka_unit_test(every_place_is_given_back),
        cmocka_unit_test(tables_without_memory_leave_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
