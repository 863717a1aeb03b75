// SPDX-License-Identifier: Apache-2.0
/* Lists in the verdict: when one is waited for, and when what is known decides at once. */
#include "policy/revocation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "testcrl.h"

#include <cmocka.h>

static struct testpki *root, *sub, *leaf;
static struct hf_trust *trust;
static struct hf_chain *chain;
static struct hf_revocation revocation;
static struct hf_ocsp_policy ocsp_policy;
static struct hf_judge_ocsp ocsp;
static struct hf_notes notes;
static struct hf_verdict verdict;
static struct hf_chain *path;

static int make_world(void **state)
{
    (void)state;
    root = testpki_root("Root");
    sub = testpki_intermediate(root, "Sub");
    leaf = testpki_leaf(sub, "alice", HF_USAGE_CLIENT, NULL);
    trust = testpki_trust(root, 3);
    chain = testpki_chain(leaf);
    return 0;
}

static int free_world(void **state)
{
    (void)state;
    hf_chain_unref(chain);
    hf_trust_unref(trust);
    testpki_free(leaf);
    testpki_free(sub);
    testpki_free(root);
    return 0;
}

/* Lists of the root and of the issuing CA, either NULL: there is none. */
static void know(const struct testcrl_spec *of_root, const struct testcrl_spec *of_sub)
{
    struct hf_crl *lists[2] = {NULL, NULL};
    size_t n = 0, dropped;
    if (of_root) {
        lists[n++] = testcrl_read(root, of_root);
    }
    if (of_sub) {
        lists[n++] = testcrl_read(sub, of_sub);
    }
    struct hf_revoked *revoked = NULL;
    assert_int_equal(hf_revoked_new(lists, n, &revoked, &dropped), HF_OK);
    hf_revoked_unref((struct hf_revoked *)(uintptr_t)revocation.lists);
    revocation.lists = revoked;
    while (n) {
        hf_crl_unref(lists[--n]);
    }
}

static int begin(void **state)
{
    (void)state;
    revocation = (struct hf_revocation){
        .fetches = true, .wait_ms = 3000, .since_s = TESTPKI_NOW - 1000, .missing_grace_s = 3600};
    ocsp = (struct hf_judge_ocsp){.may_fetch = true};
    know(NULL, NULL);
    return 0;
}

static int end(void **state)
{
    (void)state;
    hf_judge_ocsp_reset(&ocsp);
    hf_chain_unref(HF_TAKE(path));
    hf_revoked_unref((struct hf_revoked *)(uintptr_t)revocation.lists);
    return 0;
}

static void judge(void)
{
    hf_judge_ocsp_reset(&ocsp);
    hf_chain_unref(HF_TAKE(path));
    notes.n = 0;
    const struct hf_judge_input input = {.mode = HF_CLIENT_REQUIRE,
                                         .trust = trust,
                                         .chain = chain,
                                         .usage = HF_USAGE_CLIENT,
                                         .now_s = TESTPKI_NOW,
                                         .revocation = &revocation,
                                         .ocsp = &ocsp,
                                         .out_path = &path,
                                         .notes = &notes};
    hf_verdict_judge(&input, &verdict);
}

static void expect_waiting(void)
{
    assert_true(verdict.pending);
    assert_false(verdict.allow);
    assert_true(ocsp.lacks_list);
    assert_non_null(ocsp.unlisted);
    assert_ptr_equal(ocsp.unlisted, path);
    assert_string_equal(verdict.text, "a revocation list is being fetched, and has not come yet");
}

static void expect_final(const char *code)
{
    assert_false(verdict.pending);
    assert_null(ocsp.unlisted);
    assert_string_equal(hf_reason_code(verdict.reason), code);
}

static const struct testcrl_spec fresh = {.number = "1"};

static void a_list_that_may_come_is_waited_for(void **state)
{
    (void)state;
    judge();
    expect_waiting();
    know(&fresh, NULL);
    judge();
    expect_waiting();
    know(&fresh, &fresh);
    judge();
    expect_final("ok");
    assert_true(verdict.allow);
}

static void a_stale_one_is_as_good_as_none(void **state)
{
    (void)state;
    const struct testcrl_spec stale = {
        .number = "1", .this_update = TESTPKI_NOW - TESTPKI_DAY, .next_update = TESTPKI_NOW - 3600};
    know(&fresh, &stale);
    judge();
    expect_waiting();
    ocsp.may_fetch = false;
    judge();
    expect_final("crl-stale");
}

static void after_the_wait_what_is_known_decides(void **state)
{
    (void)state;
    ocsp.may_fetch = false;
    judge();
    expect_final("crl-missing");
    assert_non_null(strstr(verdict.text, "handfast crls tells what was fetched"));
    revocation.when_missing = HF_REVOKED_ALLOW;
    judge();
    expect_final("ok");
    assert_int_equal(verdict.lapse, HF_REASON_CRL_MISSING);
}

static void nobody_waits_where_nothing_is_fetched_or_waiting_is_off(void **state)
{
    (void)state;
    revocation.fetches = false;
    judge();
    expect_final("crl-missing");
    revocation.fetches = true;
    revocation.wait_ms = 0;
    judge();
    expect_final("crl-missing");
}

static void a_fallback_is_for_after_the_wait(void **state)
{
    (void)state;
    revocation.when_missing = HF_REVOKED_ALLOW;
    judge();
    expect_waiting();
    revocation.when_missing = HF_REVOKED_GRACE;
    judge();
    expect_waiting();
}

static void who_is_revoked_for_certain_does_not_wait(void **state)
{
    char serial[128];
    (void)state;
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(sub->x509), NULL);
    char *hex = BN_bn2hex(number);
    snprintf(serial, sizeof(serial), "%s", hex);
    OPENSSL_free(hex);
    BN_free(number);
    const struct testcrl_entry entry = {serial, 1, 0};
    know(&(struct testcrl_spec){.number = "1", .entries = &entry, .n_entries = 1}, NULL);
    judge();
    expect_final("revoked");
    assert_int_equal(verdict.depth, 1);
}

static void ocsp_is_asked_only_about_what_no_list_answers(void **state)
{
    (void)state;
    ocsp_policy = (struct hf_ocsp_policy){.asks = true, .dates = {.skew_s = 60, .open_s = 600}};
    revocation.ocsp = &ocsp_policy;
    assert_int_equal(hf_ocsp_memory_new(64, &ocsp.memory), HF_OK);
    ocsp.may_wait = true;
    judge();
    expect_waiting();
    assert_int_equal(ocsp.wants.n, 0); /* its list may come, and then needs no asking */
    ocsp.may_fetch = false;
    judge();
    assert_true(verdict.pending);
    assert_null(ocsp.unlisted);
    assert_int_equal(ocsp.wants.n, 2);
    assert_string_equal(verdict.text, "the OCSP responder has not answered yet");
    hf_judge_ocsp_reset(&ocsp);
    hf_ocsp_memory_free(HF_TAKE(ocsp.memory));
}

static void no_reference_is_left_behind(void **state)
{
    (void)state;
    judge();
    expect_waiting();
    hf_judge_ocsp_reset(&ocsp);
    assert_null(ocsp.unlisted);
    assert_false(ocsp.lacks_list);
    hf_judge_ocsp_reset(&ocsp);
}

#define ONE(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ONE(a_list_that_may_come_is_waited_for),
        ONE(a_stale_one_is_as_good_as_none),
        ONE(after_the_wait_what_is_known_decides),
        ONE(nobody_waits_where_nothing_is_fetched_or_waiting_is_off),
        ONE(a_fallback_is_for_after_the_wait),
        ONE(who_is_revoked_for_certain_does_not_wait),
        ONE(ocsp_is_asked_only_about_what_no_list_answers),
        ONE(no_reference_is_left_behind),
    };
    return cmocka_run_group_tests_name("policy/revocation", tests, make_world, free_world);
}
