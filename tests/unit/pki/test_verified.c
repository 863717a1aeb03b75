// SPDX-License-Identifier: Apache-2.0
#include "testpki.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

/* What was remembered shows by the path: the very object that was found before. */

static struct testpki *root, *issuing, *alice, *bob;
static struct hf_chain *alice_chain;
static struct hf_trust *trust;

static int set_up(void **state)
{
    (void)state;
    const struct testpki_spec short_lived = {.cn = "alice",
                                             .eku = "clientAuth,serverAuth",
                                             .san = "DNS:a.example,DNS:b.example",
                                             .not_before = TESTPKI_NOW - 100,
                                             .not_after = TESTPKI_NOW + 100};
    root = testpki_root("Root");
    issuing = testpki_intermediate(root, "Issuing");
    alice = testpki_make(issuing, &short_lived);
    bob = testpki_leaf(issuing, "bob", HF_USAGE_CLIENT, NULL);
    alice_chain = testpki_chain(alice);
    trust = testpki_trust(root, 3);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    hf_trust_unref(trust);
    hf_chain_unref(alice_chain);
    testpki_free(bob);
    testpki_free(alice);
    testpki_free(issuing);
    testpki_free(root);
    return 0;
}

/* The path found, for comparison only; NULL when refused, for this reason. */
static const struct hf_chain *ask(const struct hf_trust *whom, const struct hf_chain *chain,
                                  enum hf_usage usage, const char *name, int64_t now,
                                  enum hf_reason wanted)
{
    struct hf_verify_result result;
    assert_int_equal(hf_trust_verify(whom, chain, usage, name, now, &result), HF_OK);
    assert_int_equal(result.reason, wanted);
    if (wanted == HF_REASON_OK) {
        assert_int_equal(result.not_after, TESTPKI_NOW + 100);
        assert_int_equal(result.depth, -1);
        assert_string_equal(result.text, "");
    }
    const struct hf_chain *path = result.path;
    hf_verify_result_done(&result);
    return path;
}

static const struct hf_chain *ask_client(int64_t now, enum hf_reason wanted)
{
    return ask(trust, alice_chain, HF_USAGE_CLIENT, NULL, now, wanted);
}

static void a_good_chain_is_verified_once(void **state)
{
    (void)state;
    const struct hf_chain *first = ask_client(TESTPKI_NOW, HF_REASON_OK);
    assert_ptr_equal(ask_client(TESTPKI_NOW, HF_REASON_OK), first);
    assert_ptr_equal(ask_client(TESTPKI_NOW + 50, HF_REASON_OK), first);
}

/* The chain is known by its bytes, not by the object. */
static void the_same_bytes_are_the_same_chain(void **state)
{
    (void)state;
    struct hf_chain *again = testpki_chain(alice);
    const struct hf_chain *first = ask_client(TESTPKI_NOW, HF_REASON_OK);
    assert_ptr_not_equal(again, alice_chain);
    assert_ptr_equal(ask(trust, again, HF_USAGE_CLIENT, NULL, TESTPKI_NOW, HF_REASON_OK), first);
    hf_chain_unref(again);
}

static void expiry_is_never_forgotten(void **state)
{
    (void)state;
    (void)ask_client(TESTPKI_NOW, HF_REASON_OK);
    const struct hf_chain *kept = ask_client(TESTPKI_NOW + 99, HF_REASON_OK);
    assert_ptr_equal(kept, ask_client(TESTPKI_NOW, HF_REASON_OK));
    (void)ask_client(TESTPKI_NOW + 101, HF_REASON_EXPIRED);
    (void)ask_client(TESTPKI_NOW + 1000 * TESTPKI_DAY, HF_REASON_EXPIRED);
    (void)ask_client(TESTPKI_NOW, HF_REASON_OK);
}

/* The clock may be set back. */
static void a_time_before_the_chain_is_refused(void **state)
{
    (void)state;
    (void)ask_client(TESTPKI_NOW, HF_REASON_OK);
    (void)ask_client(TESTPKI_NOW - 100, HF_REASON_OK);
    (void)ask_client(TESTPKI_NOW - 101, HF_REASON_NOT_YET_VALID);
}

/* A reload makes a new trust of the same roots: a new epoch, which knows nothing. */
static void a_new_trust_verifies_anew(void **state)
{
    (void)state;
    const struct hf_chain *first = ask_client(TESTPKI_NOW, HF_REASON_OK);
    struct hf_trust *reloaded = testpki_trust(root, 3);
    assert_ptr_not_equal(
        ask(reloaded, alice_chain, HF_USAGE_CLIENT, NULL, TESTPKI_NOW, HF_REASON_OK), first);
    hf_trust_unref(reloaded);
}

static void another_listeners_trust_refuses(void **state)
{
    (void)state;
    struct testpki *stranger = testpki_root("Stranger");
    struct hf_trust *other = testpki_trust(stranger, 3);
    struct hf_trust *shallow = testpki_trust(root, 0);
    (void)ask_client(TESTPKI_NOW, HF_REASON_OK);
    (void)ask(other, alice_chain, HF_USAGE_CLIENT, NULL, TESTPKI_NOW, HF_REASON_UNKNOWN_CA);
    (void)ask(shallow, alice_chain, HF_USAGE_CLIENT, NULL, TESTPKI_NOW, HF_REASON_PATH_TOO_DEEP);
    hf_trust_unref(other);
    hf_trust_unref(shallow);
    testpki_free(stranger);
}

/* Each byte of the leaf, changed: what still parses is another chain, and none of them is good. */
static void one_changed_byte_misses(void **state)
{
    (void)state;
    struct hf_cert *issuer = alice_chain->certs[1];
    struct hf_bytes leaf = alice_chain->certs[0]->der;
    size_t n_parsed = 0;
    (void)ask_client(TESTPKI_NOW, HF_REASON_OK);
    for (size_t i = 0; i < leaf.len; i++) {
        uint8_t changed[2048];
        struct hf_chain *chain;
        assert_true(leaf.len <= sizeof(changed));
        memcpy(changed, leaf.ptr, leaf.len);
        changed[i] ^= 1;
        const struct hf_bytes ders[] = {hf_bytes_of(changed, leaf.len), issuer->der};
        if (hf_chain_from_ders(ders, 2, &chain) == HF_OK) {
            struct hf_verify_result result;
            assert_int_equal(
                hf_trust_verify(trust, chain, HF_USAGE_CLIENT, NULL, TESTPKI_NOW, &result), HF_OK);
            assert_int_not_equal(result.reason, HF_REASON_OK);
            hf_verify_result_done(&result);
            hf_chain_unref(chain);
            n_parsed++;
        }
    }
    assert_true(n_parsed > 100);
}

static void another_usage_or_name_is_another_question(void **state)
{
    (void)state;
    const struct hf_chain *plain = ask_client(TESTPKI_NOW, HF_REASON_OK), *a, *b;
    a = ask(trust, alice_chain, HF_USAGE_CLIENT, "a.example", TESTPKI_NOW, HF_REASON_OK);
    b = ask(trust, alice_chain, HF_USAGE_CLIENT, "b.example", TESTPKI_NOW, HF_REASON_OK);
    assert_true(a != plain && b != plain && a != b);
    assert_ptr_not_equal(ask(trust, alice_chain, HF_USAGE_SERVER, NULL, TESTPKI_NOW, HF_REASON_OK),
                         plain);
    (void)ask(trust, alice_chain, HF_USAGE_CLIENT, "c.example", TESTPKI_NOW, HF_REASON_WRONG_NAME);
    (void)ask(trust, alice_chain, HF_USAGE_CLIENT, "", TESTPKI_NOW, HF_REASON_WRONG_NAME);
    assert_ptr_equal(
        ask(trust, alice_chain, HF_USAGE_CLIENT, "a.example", TESTPKI_NOW, HF_REASON_OK), a);
}

/* A chain is what was sent: the same leaf without its issuer is not known to be good. */
static void the_whole_chain_counts(void **state)
{
    (void)state;
    struct hf_chain *bare = testpki_chain_of(alice, NULL);
    (void)ask_client(TESTPKI_NOW, HF_REASON_OK);
    (void)ask(trust, bare, HF_USAGE_CLIENT, NULL, TESTPKI_NOW, HF_REASON_UNKNOWN_CA);
    hf_chain_unref(bare);
}

static void refusals_are_not_remembered(void **state)
{
    (void)state;
    struct hf_verify_result result;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            hf_trust_verify(trust, alice_chain, HF_USAGE_CLIENT, "c.example", TESTPKI_NOW, &result),
            HF_OK);
        assert_int_equal(result.reason, HF_REASON_WRONG_NAME);
        assert_non_null(result.cert);
        assert_true(strlen(result.text) > 10);
        hf_verify_result_done(&result);
    }
}

static void without_memory_it_is_verified_again(void **state)
{
    (void)state;
    for (size_t n = 1; n < 10; n++) {
        struct hf_trust *fresh = testpki_trust(root, 3);
        struct hf_verify_result result;
        hf_alloc_fail_after(n);
        enum hf_err err =
            hf_trust_verify(fresh, alice_chain, HF_USAGE_CLIENT, NULL, TESTPKI_NOW, &result);
        hf_alloc_fail_after(0);
        assert_true(err == HF_E_NOMEM || result.reason == HF_REASON_OK);
        hf_verify_result_done(&result);
        (void)ask(fresh, alice_chain, HF_USAGE_CLIENT, NULL, TESTPKI_NOW, HF_REASON_OK);
        hf_trust_unref(fresh);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_good_chain_is_verified_once),
        CASE(the_same_bytes_are_the_same_chain),
        CASE(expiry_is_never_forgotten),
        CASE(a_time_before_the_chain_is_refused),
        CASE(a_new_trust_verifies_anew),
        CASE(another_listeners_trust_refuses),
        CASE(one_changed_byte_misses),
        CASE(another_usage_or_name_is_another_question),
        CASE(the_whole_chain_counts),
        CASE(refusals_are_not_remembered),
        CASE(without_memory_it_is_verified_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
