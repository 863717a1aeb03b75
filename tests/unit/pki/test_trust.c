// SPDX-License-Identifier: Apache-2.0
#include "testpki.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static enum hf_err trust_of(const char *roots, enum hf_trust_names names, const char *names_file,
                            unsigned depth, struct hf_trust **out)
{
    struct hf_trust_source source = {
        .name = "partners",
        .roots = hf_bytes_str(roots),
        .roots_label = "roots.pem",
        .names = names,
        .names_file = hf_bytes_str(names_file ? names_file : ""),
        .names_label = "names.pem",
        .depth = depth,
    };
    return hf_trust_new(&source, out);
}

static void expect_refusal(const char *roots, unsigned depth, enum hf_err wanted, const char *words)
{
    struct hf_trust *trust = (void *)1;
    enum hf_err err = trust_of(roots, HF_TRUST_NAMES_FROM_ROOTS, NULL, depth, &trust);
    assert_null(trust);
    if (err != wanted || !strstr(hf_err_text(), words)) {
        fail_msg("%s: %s", hf_err_name(err), hf_err_text());
    }
}

static void file_without_a_ca_is_refused(void **state)
{
    (void)state;
    struct testpki *root = testpki_root("Root");
    struct testpki *middle = testpki_intermediate(root, "Issuing");
    struct testpki *leaf = testpki_leaf(middle, "x", HF_USAGE_CLIENT, NULL);
    char *leaf_pem = testpki_cert_pem(leaf);
    char *middle_pem = testpki_cert_pem(middle);
    expect_refusal(leaf_pem, 3, HF_E_INVALID, "roots.pem: no CA certificate in it: \"CN=x\"");
    expect_refusal(middle_pem, 3, HF_E_INVALID, "only intermediate CAs such as \"CN=Issuing\"");
    expect_refusal("", 3, HF_E_MALFORMED, "roots.pem");
    testpki_text_free(middle_pem);
    testpki_text_free(leaf_pem);
    testpki_free(leaf);
    testpki_free(middle);
    testpki_free(root);
}

static void depth_has_a_limit(void **state)
{
    (void)state;
    struct testpki *root = testpki_root("Root");
    char *pem = testpki_cert_pem(root);
    expect_refusal(pem, HF_CHAIN_MAX, HF_E_INVALID, "depth");
    testpki_text_free(pem);
    testpki_free(root);
}

static void names_come_from_roots_once_each(void **state)
{
    (void)state;
    struct testpki *a = testpki_root("A");
    struct testpki *twin = testpki_root("A");
    struct testpki *b = testpki_root("B");
    char *pems[] = {testpki_cert_pem(a), testpki_cert_pem(twin), testpki_cert_pem(b)};
    char text[8192];
    snprintf(text, sizeof(text), "%s%s%s", pems[0], pems[1], pems[2]);
    struct hf_trust *trust = NULL;
    assert_int_equal(trust_of(text, HF_TRUST_NAMES_FROM_ROOTS, NULL, 3, &trust), HF_OK);
    const struct hf_bytes *names;
    bool too_long;
    assert_int_equal(hf_trust_names_der(trust, &names, &too_long), 2);
    assert_false(too_long);
    unsigned char *der = NULL;
    int len = i2d_X509_NAME(X509_get_subject_name(b->x509), &der);
    assert_true(hf_bytes_eq(names[1], hf_bytes_of(der, (size_t)len)));
    OPENSSL_free(der);
    assert_int_equal(hf_trust_roots(trust)->n_certs, 3);
    assert_string_equal(hf_trust_name(trust), "partners");
    hf_trust_unref(trust);
    for (size_t i = 0; i < 3; i++) {
        testpki_text_free(pems[i]);
    }
    testpki_free(b);
    testpki_free(twin);
    testpki_free(a);
}

static void names_may_be_none_or_from_a_file(void **state)
{
    (void)state;
    struct testpki *a = testpki_root("A");
    struct testpki *b = testpki_intermediate(a, "B");
    char *a_pem = testpki_cert_pem(a);
    char *b_pem = testpki_cert_pem(b);
    const struct hf_bytes *names;
    bool too_long;
    struct hf_trust *trust = NULL;
    assert_int_equal(trust_of(a_pem, HF_TRUST_NAMES_NONE, NULL, 3, &trust), HF_OK);
    assert_int_equal(hf_trust_names_der(trust, &names, &too_long), 0);
    hf_trust_unref(trust);
    assert_int_equal(trust_of(a_pem, HF_TRUST_NAMES_FILE, b_pem, 3, &trust), HF_OK);
    assert_int_equal(hf_trust_names_der(trust, &names, &too_long), 1);
    assert_non_null(memmem(names[0].ptr, names[0].len, "B", 1));
    hf_trust_unref(trust);
    assert_int_equal(trust_of(a_pem, HF_TRUST_NAMES_FILE, "junk", 3, &trust), HF_E_MALFORMED);
    assert_non_null(strstr(hf_err_text(), "names.pem"));
    testpki_text_free(b_pem);
    testpki_text_free(a_pem);
    testpki_free(b);
    testpki_free(a);
}

static void long_list_of_names_is_left_out_and_told(void **state)
{
    (void)state;
    enum { N = 300 };
    char *text = calloc(N, 2048);
    for (int i = 0; i < N; i++) {
        char cn[65];
        snprintf(cn, sizeof(cn), "A certification authority with a rather long name, no. %d", i);
        struct testpki *root = testpki_root(cn);
        char *pem = testpki_cert_pem(root);
        strcat(text, pem);
        testpki_text_free(pem);
        testpki_free(root);
    }
    struct hf_trust *trust = NULL;
    assert_int_equal(trust_of(text, HF_TRUST_NAMES_FROM_ROOTS, NULL, 3, &trust), HF_OK);
    const struct hf_bytes *names;
    bool too_long = false;
    assert_int_equal(hf_trust_names_der(trust, &names, &too_long), 0);
    assert_true(too_long);
    assert_int_equal(hf_trust_roots(trust)->n_certs, N);
    hf_trust_unref(trust);
    free(text);
}

static void id_depends_on_roots_and_depth(void **state)
{
    (void)state;
    struct testpki *a = testpki_root("A");
    struct testpki *b = testpki_root("A");
    struct hf_trust *trusts[] = {testpki_trust(a, 1), testpki_trust(a, 1), testpki_trust(a, 2),
                                 testpki_trust(b, 1)};
    assert_memory_equal(hf_trust_id(trusts[0]), hf_trust_id(trusts[1]), 32);
    assert_memory_not_equal(hf_trust_id(trusts[0]), hf_trust_id(trusts[2]), 32);
    assert_memory_not_equal(hf_trust_id(trusts[0]), hf_trust_id(trusts[3]), 32);
    for (size_t i = 0; i < HF_N_ELEMENTS(trusts); i++) {
        hf_trust_unref(trusts[i]);
    }
    testpki_free(b);
    testpki_free(a);
}

static void failing_allocations_are_clean(void **state)
{
    (void)state;
    struct testpki *root = testpki_root("A");
    char *pem = testpki_cert_pem(root);
    enum hf_err err = HF_E_NOMEM;
    for (size_t n = 1; err != HF_OK; n++) {
        struct hf_trust *trust = NULL;
        hf_alloc_fail_after(n);
        err = trust_of(pem, HF_TRUST_NAMES_FROM_ROOTS, NULL, 3, &trust);
        hf_alloc_fail_after(0);
        assert_true(err == HF_OK || err == HF_E_NOMEM);
        hf_trust_unref(trust);
        assert_true(n < 100);
    }
    testpki_text_free(pem);
    testpki_free(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_without_a_ca_is_refused),
        cmocka_unit_test(depth_has_a_limit),
        cmocka_unit_test(names_come_from_roots_once_each),
        cmocka_unit_test(names_may_be_none_or_from_a_file),
        cmocka_unit_test(long_list_of_names_is_left_out_and_told),
        cmocka_unit_test(id_depends_on_roots_and_depth),
        cmocka_unit_test(failing_allocations_are_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
