// SPDX-License-Identifier: Apache-2.0
#include "policy/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "testpki.h"

/* The kinds of chain that a peer may come with. */
enum kind {
    NOTHING,
    GOOD,
    STRANGER,
    SELF_SIGNED,
    EXPIRED,
    NOT_YET,
    SERVER_ONLY,
    UNREQUESTED_NAME,
    WEAK,
    EMPTY,
    N_KINDS,
};

static const struct {
    const char *name;
    enum hf_reason reason; /* why `require` refuses it */
    int depth;
} kinds[N_KINDS] = {
    [NOTHING] = {"nothing", HF_REASON_NO_CERTIFICATE, -1},
    [GOOD] = {"good", HF_REASON_OK, -1},
    [STRANGER] = {"stranger", HF_REASON_UNKNOWN_CA, 0},
    [SELF_SIGNED] = {"self-signed", HF_REASON_SELF_SIGNED, 0},
    [EXPIRED] = {"expired", HF_REASON_EXPIRED, 0},
    [NOT_YET] = {"not yet", HF_REASON_NOT_YET_VALID, 0},
    [SERVER_ONLY] = {"server only", HF_REASON_WRONG_USAGE, 0},
    [UNREQUESTED_NAME] = {"other name", HF_REASON_WRONG_NAME, 0},
    [WEAK] = {"weak", HF_REASON_WEAK_KEY, 0},
    [EMPTY] = {"empty", HF_REASON_NO_CERTIFICATE, -1},
};

static struct {
    struct testpki *root, *stranger;
    struct testpki *leaf[N_KINDS];
    struct hf_chain *chain[N_KINDS];
    struct hf_trust *trust;
} world;

static struct testpki *leaf_of(const struct testpki *issuer, struct testpki_spec spec)
{
    spec.cn = spec.cn ? spec.cn : "alice";
    spec.eku = spec.eku ? spec.eku : "clientAuth";
    spec.san = spec.san ? spec.san : "DNS:alice.example";
    return testpki_make(issuer, &spec);
}

static int make_world(void **state)
{
    (void)state;
    world.root = testpki_root("Root");
    world.stranger = testpki_root("Stranger");
    world.trust = testpki_trust(world.root, 2);
    world.leaf[GOOD] = leaf_of(world.root, (struct testpki_spec){0});
    world.leaf[STRANGER] = leaf_of(world.stranger, (struct testpki_spec){.cn = "mallory"});
    world.leaf[SELF_SIGNED] = leaf_of(NULL, (struct testpki_spec){.cn = "self"});
    world.leaf[EXPIRED] =
        leaf_of(world.root, (struct testpki_spec){.not_after = TESTPKI_NOW - 3600});
    world.leaf[NOT_YET] =
        leaf_of(world.root, (struct testpki_spec){.not_before = TESTPKI_NOW + 3600});
    world.leaf[SERVER_ONLY] = leaf_of(world.root, (struct testpki_spec){.eku = "serverAuth"});
    world.leaf[UNREQUESTED_NAME] = leaf_of(world.root, (struct testpki_spec){.san = "DNS:bob"});
    world.leaf[WEAK] = leaf_of(world.root, (struct testpki_spec){.key = "RSA-1024"});
    for (int i = 0; i < N_KINDS; i++) {
        if (world.leaf[i]) {
            world.chain[i] = testpki_chain(world.leaf[i]);
        }
    }
    return hf_chain_new(NULL, 0, &world.chain[EMPTY]) == HF_OK ? 0 : -1;
}

static int free_world(void **state)
{
    (void)state;
    for (int i = 0; i < N_KINDS; i++) {
        hf_chain_unref(world.chain[i]);
        testpki_free(world.leaf[i]);
    }
    hf_trust_unref(world.trust);
    testpki_free(world.stranger);
    testpki_free(world.root);
    return 0;
}

static struct hf_verdict judge(enum hf_client_mode mode, enum kind kind)
{
    struct hf_judge_input input = {
        .mode = mode,
        .trust = world.trust,
        .chain = world.chain[kind],
        .usage = HF_USAGE_CLIENT,
        .name = "alice.example",
        .now_s = TESTPKI_NOW,
    };
    struct hf_verdict verdict;
    memset(&verdict, 0xff, sizeof(verdict));
    hf_verdict_judge(&input, &verdict);
    return verdict;
}

/* What holds for every verdict, however it was reached. */
static void check_consistent(const struct hf_verdict *verdict, const char *what)
{
    bool consistent =
        strlen(verdict->text) > 0 && strlen(verdict->text) < HF_VERIFY_TEXT_MAX &&
        verdict->step == hf_reason_step(verdict->reason) &&
        verdict->alert == (verdict->allow ? HF_ALERT_NONE : hf_reason_alert(verdict->reason)) &&
        (verdict->allow || !verdict->verified) &&
        (verdict->allow || verdict->reason != HF_REASON_OK) &&
        (!verdict->verified || verdict->reason == HF_REASON_OK) &&
        (verdict->not_after > 0) == verdict->verified &&
        (verdict->depth >= 0) == (verdict->concerns[0] != '\0');
    if (!consistent) {
        fail_msg("%s: inconsistent: %s", what, verdict->text);
    }
}

/* Every mode against every kind of chain. */
static void modes_and_kinds(void **state)
{
    (void)state;
    for (int mode = HF_CLIENT_REQUIRE; mode <= HF_CLIENT_NONE; mode++) {
        for (int kind = 0; kind < N_KINDS; kind++) {
            struct hf_verdict verdict = judge((enum hf_client_mode)mode, (enum kind)kind);
            char what[64];
            snprintf(what, sizeof(what), "%s, %s", hf_client_mode_name((enum hf_client_mode)mode),
                     kinds[kind].name);
            check_consistent(&verdict, what);

            bool good = kind == GOOD;
            bool missing = kind == NOTHING;
            bool allow = good || mode == HF_CLIENT_NONE || mode == HF_CLIENT_REQUEST_UNVERIFIED ||
                         (missing && mode == HF_CLIENT_REQUEST);
            bool looked = mode != HF_CLIENT_NONE;
            bool blamed = looked && !good && !(missing && mode != HF_CLIENT_REQUIRE);
            enum hf_reason reason = blamed ? kinds[kind].reason : HF_REASON_OK;
            if (verdict.allow != allow || verdict.verified != (good && looked) ||
                verdict.reason != reason) {
                fail_msg("%s: allow %d, verified %d, %s: %s", what, verdict.allow, verdict.verified,
                         hf_reason_code(verdict.reason), verdict.text);
            }
            assert_int_equal(verdict.depth, blamed ? kinds[kind].depth : -1);
        }
    }
}

/* On trial everybody comes in whom a certificate would keep out, unverified and with the reason on
 * record; who is good is nothing less, and what is a failure of ours refuses all the same. */
static void report_only_lets_pass_and_says_why(void **state)
{
    (void)state;
    for (int mode = HF_CLIENT_REQUIRE; mode <= HF_CLIENT_NONE; mode++) {
        for (int kind = 0; kind < N_KINDS; kind++) {
            struct hf_judge_input input = {
                .mode = (enum hf_client_mode)mode,
                .trust = world.trust,
                .chain = world.chain[kind],
                .usage = HF_USAGE_CLIENT,
                .name = "alice.example",
                .now_s = TESTPKI_NOW,
                .report_only = true,
            };
            struct hf_verdict plain = judge((enum hf_client_mode)mode, (enum kind)kind);
            struct hf_verdict verdict;
            hf_verdict_judge(&input, &verdict);
            check_consistent(&verdict, kinds[kind].name);
            assert_true(verdict.allow);
            assert_int_equal(verdict.reported, !plain.allow);
            assert_int_equal(verdict.verified, plain.verified);
            assert_int_equal(verdict.reason, plain.reason);
        }
    }
    struct hf_judge_input broken = {
        .mode = HF_CLIENT_REQUIRE, .chain = world.chain[GOOD], .report_only = true};
    struct hf_verdict verdict;
    hf_verdict_judge(&broken, &verdict);
    assert_false(verdict.allow);
    assert_int_equal(verdict.reason, HF_REASON_INTERNAL);
    assert_false(hf_verdict_is_about_certificate(&verdict));
}

/* Whose address may probe comes in without a certificate, where one is required, and for that
 * alone; a bad certificate is refused as ever, and a good one is nothing less. */
static void probes_alone_need_no_certificate(void **state)
{
    (void)state;
    for (int mode = HF_CLIENT_REQUIRE; mode <= HF_CLIENT_NONE; mode++) {
        for (int kind = 0; kind < N_KINDS; kind++) {
            struct hf_judge_input input = {
                .mode = (enum hf_client_mode)mode,
                .trust = world.trust,
                .chain = world.chain[kind],
                .usage = HF_USAGE_CLIENT,
                .name = "alice.example",
                .now_s = TESTPKI_NOW,
                .vitals = true,
            };
            struct hf_verdict with;
            struct hf_verdict without = judge((enum hf_client_mode)mode, (enum kind)kind);
            hf_verdict_judge(&input, &with);
            bool only = mode == HF_CLIENT_REQUIRE && !world.chain[kind];
            check_consistent(&with, "probe");
            assert_false(without.vitals_only);
            assert_int_equal(with.vitals_only, only);
            assert_int_equal(with.allow, only || without.allow);
            assert_int_equal(with.reason, without.reason);
            assert_int_equal(with.verified, without.verified);
        }
    }
}

static void refusal_names_whom_it_concerns(void **state)
{
    (void)state;
    struct hf_verdict verdict = judge(HF_CLIENT_REQUIRE, STRANGER);
    assert_string_equal(verdict.concerns, "CN=mallory");
    assert_int_equal(verdict.alert, HF_ALERT_UNKNOWN_CA);
    assert_int_equal(verdict.step, HF_STEP_CHAIN);
    assert_non_null(strstr(verdict.text, "\"CN=Stranger\""));
}

static void good_verdict_ends_with_the_certificate(void **state)
{
    (void)state;
    struct hf_verdict verdict = judge(HF_CLIENT_REQUIRE, GOOD);
    assert_int_equal(verdict.not_after, world.leaf[GOOD]->cert->not_after);
}

static void server_role_checks_usage_and_name(void **state)
{
    (void)state;
    struct hf_judge_input input = {
        .mode = HF_CLIENT_REQUIRE,
        .trust = world.trust,
        .chain = world.chain[SERVER_ONLY],
        .usage = HF_USAGE_SERVER,
        .name = "alice.example",
        .now_s = TESTPKI_NOW,
    };
    struct hf_verdict verdict;
    hf_verdict_judge(&input, &verdict);
    assert_true(verdict.allow && verdict.verified);
    input.name = "bob.example";
    hf_verdict_judge(&input, &verdict);
    assert_false(verdict.allow);
    assert_int_equal(verdict.reason, HF_REASON_WRONG_NAME);
    assert_int_equal(verdict.alert, HF_ALERT_BAD_CERTIFICATE);
}

/* --- Failing closed ----------------------------------------------------------------------------
 */

static void no_trust_refuses_where_it_is_needed(void **state)
{
    (void)state;
    for (int mode = HF_CLIENT_REQUIRE; mode <= HF_CLIENT_NONE; mode++) {
        struct hf_judge_input input = {
            .mode = (enum hf_client_mode)mode,
            .chain = world.chain[GOOD],
            .now_s = TESTPKI_NOW,
        };
        struct hf_verdict verdict;
        hf_verdict_judge(&input, &verdict);
        check_consistent(&verdict, "no trust");
        bool open = mode == HF_CLIENT_REQUEST_UNVERIFIED || mode == HF_CLIENT_NONE;
        assert_int_equal(verdict.allow, open);
        assert_false(verdict.verified);
        assert_int_equal(verdict.reason, open ? HF_REASON_OK : HF_REASON_INTERNAL);
    }
}

static void unknown_mode_refuses(void **state)
{
    (void)state;
    struct hf_verdict verdict = judge((enum hf_client_mode)17, GOOD);
    assert_false(verdict.allow);
    assert_int_equal(verdict.reason, HF_REASON_INTERNAL);
    assert_int_equal(verdict.alert, HF_ALERT_INTERNAL_ERROR);
    verdict = judge((enum hf_client_mode) - 1, NOTHING);
    assert_false(verdict.allow);
}

static void out_of_memory_refuses(void **state)
{
    (void)state;
    bool done = false;
    for (size_t n = 1; !done; n++) {
        hf_alloc_fail_after(n);
        struct hf_verdict verdict = judge(HF_CLIENT_REQUIRE, GOOD);
        hf_alloc_fail_after(0);
        done = verdict.allow;
        if (!done) {
            assert_int_equal(verdict.reason, HF_REASON_INTERNAL);
            assert_int_equal(verdict.alert, HF_ALERT_INTERNAL_ERROR);
            check_consistent(&verdict, "out of memory");
        }
        assert_true(n < 100);
    }
    done = false;
    for (size_t n = 1; n < 20; n++) { /* a bad chain stays refused whatever fails */
        hf_alloc_fail_after(n);
        struct hf_verdict verdict = judge(HF_CLIENT_REQUIRE, EXPIRED);
        hf_alloc_fail_after(0);
        assert_false(verdict.allow);
    }
}

static void modes_are_named_as_in_the_config(void **state)
{
    (void)state;
    assert_string_equal(hf_client_mode_name(HF_CLIENT_REQUIRE), "require");
    assert_string_equal(hf_client_mode_name(HF_CLIENT_REQUEST), "request");
    assert_string_equal(hf_client_mode_name(HF_CLIENT_REQUEST_UNVERIFIED), "request-unverified");
    assert_string_equal(hf_client_mode_name(HF_CLIENT_NONE), "none");
    assert_string_equal(hf_client_mode_name((enum hf_client_mode)9), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(modes_and_kinds),
        cmocka_unit_test(report_only_lets_pass_and_says_why),
        cmocka_unit_test(probes_alone_need_no_certificate),
        cmocka_unit_test(refusal_names_whom_it_concerns),
        cmocka_unit_test(good_verdict_ends_with_the_certificate),
        cmocka_unit_test(server_role_checks_usage_and_name),
        cmocka_unit_test(no_trust_refuses_where_it_is_needed),
        cmocka_unit_test(unknown_mode_refuses),
        cmocka_unit_test(out_of_memory_refuses),
        cmocka_unit_test(modes_are_named_as_in_the_config),
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
