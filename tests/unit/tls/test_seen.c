// SPDX-License-Identifier: Apache-2.0
#include "tls/seen.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include "base/mem.h"
#include "testpki.h"

static void test_a_ca_is_parsed_once(void **state)
{
    (void)state;
    struct testpki *root = testpki_root("Root");
    struct hf_seen seen;
    struct hf_cert *first, *again, *as_x509;
    hf_seen_init(&seen);
    assert_int_equal(hf_seen_der(&seen, root->cert->der, &first), HF_OK);
    assert_int_equal(hf_seen_der(&seen, root->cert->der, &again), HF_OK);
    assert_int_equal(hf_seen_x509(&seen, root->x509, &as_x509), HF_OK);
    assert_ptr_equal(first, again);
    assert_ptr_equal(first, as_x509);
    assert_memory_equal(first->sha256, root->cert->sha256, HF_SHA256_SIZE);
    hf_cert_unref(first);
    hf_cert_unref(again);
    hf_cert_unref(as_x509);
    hf_seen_done(&seen);
    testpki_free(root);
}

static void test_leaves_are_not_kept(void **state)
{
    (void)state;
    struct testpki *root = testpki_root("Root");
    struct testpki *leaf = testpki_leaf(root, "alice", HF_USAGE_CLIENT, "DNS:a.example");
    struct hf_seen seen;
    struct hf_cert *first, *again;
    hf_seen_init(&seen);
    assert_int_equal(hf_seen_der(&seen, leaf->cert->der, &first), HF_OK);
    assert_int_equal(hf_seen_der(&seen, leaf->cert->der, &again), HF_OK);
    assert_ptr_not_equal(first, again);
    hf_cert_unref(first);
    hf_cert_unref(again);
    hf_seen_done(&seen);
    testpki_free(leaf);
    testpki_free(root);
}

/* More than there are places: each is right, whichever is still there. */
static void test_many_push_each_other_out(void **state)
{
    (void)state;
    enum { MANY = 2 * HF_SEEN_MAX };
    struct testpki *roots[MANY];
    struct hf_seen seen;
    hf_seen_init(&seen);
    for (size_t i = 0; i < MANY; i++) {
        roots[i] = testpki_root("Root");
    }
    for (size_t i = 0; i < 2 * MANY; i++) {
        const struct hf_cert *want = roots[i % MANY]->cert;
        struct hf_cert *got;
        assert_int_equal(hf_seen_der(&seen, want->der, &got), HF_OK);
        assert_true(hf_bytes_eq(got->der, want->der));
        hf_cert_unref(got);
    }
    hf_seen_done(&seen);
    for (size_t i = 0; i < MANY; i++) {
        testpki_free(roots[i]);
    }
}

/* One bit away from what is known is not what is known. */
static void test_other_bytes_are_another_certificate(void **state)
{
    (void)state;
    struct testpki *root = testpki_root("Root");
    struct hf_seen seen;
    struct hf_cert *known, *other = NULL;
    hf_seen_init(&seen);
    assert_int_equal(hf_seen_der(&seen, root->cert->der, &known), HF_OK);
    uint8_t *copy = hf_alloc(known->der.len);
    assert_non_null(copy);
    for (size_t at = 0; at < known->der.len; at++) {
        for (size_t i = 0; i < known->der.len; i++) {
            copy[i] = known->der.ptr[i];
        }
        copy[at] ^= 1;
        if (hf_seen_der(&seen, hf_bytes_of(copy, known->der.len), &other) == HF_OK) {
            assert_false(hf_bytes_eq(other->der, known->der));
        }
        hf_cert_unref(other);
        other = NULL;
    }
    hf_free(copy);
    hf_cert_unref(known);
    hf_seen_done(&seen);
    testpki_free(root);
}

/* Who finds the memory in use parses for itself. */
static void test_nobody_waits(void **state)
{
    (void)state;
    struct testpki *root = testpki_root("Root");
    struct hf_seen seen;
    struct hf_cert *first, *meanwhile;
    hf_seen_init(&seen);
    assert_int_equal(hf_seen_der(&seen, root->cert->der, &first), HF_OK);
    assert_int_equal(pthread_mutex_lock(&seen.lock), 0);
    assert_int_equal(hf_seen_der(&seen, root->cert->der, &meanwhile), HF_OK);
    assert_ptr_not_equal(first, meanwhile);
    assert_int_equal(pthread_mutex_unlock(&seen.lock), 0);
    hf_cert_unref(first);
    hf_cert_unref(meanwhile);
    hf_seen_done(&seen);
    testpki_free(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_ca_is_parsed_once),
        cmocka_unit_test(test_leaves_are_not_kept),
        cmocka_unit_test(test_many_push_each_other_out),
        cmocka_unit_test(test_other_bytes_are_another_certificate),
        cmocka_unit_test(test_nobody_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
