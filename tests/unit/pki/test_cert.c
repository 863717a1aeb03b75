// SPDX-License-Identifier: Apache-2.0
#include "testpki.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>

#include "base/mem.h"
#include "pki/pem.h"

static void certificate_reads_back(void **state)
{
    (void)state;
    struct testpki *pki = testpki_root("Root");
    struct hf_cert *cert = NULL;
    assert_int_equal(hf_cert_from_der(pki->cert->der, &cert), HF_OK);
    assert_true(hf_bytes_eq(cert->der, pki->cert->der));
    assert_memory_equal(cert->sha256, pki->cert->sha256, 32);
    assert_true(cert->is_ca);
    hf_cert_unref(cert);
    testpki_free(pki);
}

static void ca_flag_needs_basic_constraints(void **state)
{
    (void)state;
    static const struct {
        struct testpki_spec spec;
        bool is_ca;
    } cases[] = {
        {{.cn = "a", .ca = true}, true},
        {{.cn = "a", .ca = true, .ku = ""}, true},
        {{.cn = "a", .ca = true, .ku = "digitalSignature"}, false},
        {{.cn = "a", .ca = true, .bc = ""}, false},
        {{.cn = "a"}, false},
        {{.cn = "a", .v1 = true}, true},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        struct testpki *pki = testpki_make(NULL, &cases[i].spec);
        assert_int_equal(pki->cert->is_ca, cases[i].is_ca);
        testpki_free(pki);
    }
}

static void bytes_behind_a_certificate_are_refused(void **state)
{
    (void)state;
    struct testpki *pki = testpki_root("Root");
    size_t len = pki->cert->der.len;
    uint8_t *more = calloc(1, len + 1);
    memcpy(more, pki->cert->der.ptr, len);
    struct hf_cert *cert = NULL;
    assert_int_equal(hf_cert_from_der(hf_bytes_of(more, len + 1), &cert), HF_E_MALFORMED);
    assert_null(cert);
    free(more);
    testpki_free(pki);
}

static void cut_anywhere_is_malformed(void **state)
{
    (void)state;
    struct testpki *pki = testpki_root("Root");
    for (size_t n = 0; n < pki->cert->der.len; n++) {
        /* in a block of its own, so that reading past the end is seen */
        uint8_t *part = malloc(n ? n : 1);
        memcpy(part, pki->cert->der.ptr, n);
        struct hf_cert *cert = NULL;
        assert_int_equal(hf_cert_from_der(hf_bytes_of(part, n), &cert), HF_E_MALFORMED);
        free(part);
    }
    assert_int_equal(ERR_peek_error(), 0);
    testpki_free(pki);
}

/* Every flip either fails to parse or gives another fingerprint and an identity that can be read;
 * none of them verifies. */
static void flipped_bits_never_verify(void **state)
{
    (void)state;
    struct testpki *root = testpki_root("Root");
    struct testpki *leaf = testpki_leaf(root, "alice", HF_USAGE_CLIENT, "DNS:a,URI:spiffe://a/b");
    struct hf_trust *trust = testpki_trust(root, 1);
    size_t len = leaf->cert->der.len;
    uint8_t *copy = malloc(len);
    memcpy(copy, leaf->cert->der.ptr, len);
    for (size_t bit = 0; bit < 8 * len; bit++) {
        struct hf_bytes der = hf_bytes_of(copy, len);
        struct hf_chain *chain = NULL;
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (hf_chain_from_ders(&der, 1, &chain) == HF_OK) {
            struct hf_identity *id = NULL;
            enum hf_err err = hf_identity_new(chain->certs[0], &id);
            assert_true(err == HF_OK || err == HF_E_MALFORMED);
            hf_identity_unref(id);
            struct hf_verify_result result;
            assert_int_equal(
                hf_trust_verify(trust, chain, HF_USAGE_CLIENT, NULL, TESTPKI_NOW, &result), HF_OK);
            assert_int_not_equal(result.reason, HF_REASON_OK);
            hf_verify_result_done(&result);
        }
        hf_chain_unref(chain);
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(ERR_peek_error(), 0);
    free(copy);
    hf_trust_unref(trust);
    testpki_free(leaf);
    testpki_free(root);
}

/* The outer SEQUENCE with a length in one byte more than needed: the same certificate to a lax
 * reader, with another fingerprint. */
static void second_spelling_of_a_certificate_is_refused(void **state)
{
    (void)state;
    struct testpki *pki = testpki_root("Root");
    struct hf_bytes der = pki->cert->der;
    assert_int_equal(der.ptr[1], 0x82);
    uint8_t *other = malloc(der.len + 1);
    memcpy(other, "\x30\x83\x00", 3);
    memcpy(other + 3, der.ptr + 2, der.len - 2);
    struct hf_cert *cert = NULL;
    assert_int_equal(hf_cert_from_der(hf_bytes_of(other, der.len + 1), &cert), HF_E_MALFORMED);
    assert_non_null(strstr(hf_err_text(), "DER"));
    free(other);
    testpki_free(pki);
}

static void size_limit_is_kept(void **state)
{
    (void)state;
    static uint8_t zeros[HF_CERT_DER_MAX + 1];
    struct hf_cert *cert = NULL;
    assert_int_equal(hf_cert_from_der(hf_bytes_of(zeros, sizeof(zeros)), &cert), HF_E_TOO_LARGE);
    assert_int_equal(hf_cert_from_der(hf_bytes_of(zeros, 100), &cert), HF_E_MALFORMED);
    assert_int_equal(hf_cert_from_der(hf_bytes_of(NULL, 0), &cert), HF_E_MALFORMED);
}

/* --- Chains ------------------------------------------------------------------------------------
 */

static void chain_hash_covers_lengths_and_order(void **state)
{
    (void)state;
    struct testpki *a = testpki_root("A");
    struct testpki *b = testpki_root("B");
    struct hf_chain *ab = testpki_chain_of(a, b, NULL);
    struct hf_chain *ba = testpki_chain_of(b, a, NULL);
    struct hf_chain *only_a = testpki_chain_of(a, NULL);
    assert_memory_not_equal(ab->sha256, ba->sha256, 32);
    assert_memory_not_equal(ab->sha256, only_a->sha256, 32);
    uint8_t text[2 * 4096];
    size_t n = 0;
    const struct testpki *both[] = {a, b};
    for (size_t i = 0; i < 2; i++) {
        size_t len = both[i]->cert->der.len;
        uint8_t prefix[4] = {0, 0, (uint8_t)(len >> 8), (uint8_t)len};
        memcpy(text + n, prefix, 4);
        memcpy(text + n + 4, both[i]->cert->der.ptr, len);
        n += 4 + len;
    }
    uint8_t hash[32];
    assert_true(EVP_Digest(text, n, hash, NULL, EVP_sha256(), NULL));
    assert_memory_equal(ab->sha256, hash, 32);
    hf_chain_unref(only_a);
    hf_chain_unref(ba);
    hf_chain_unref(ab);
    testpki_free(b);
    testpki_free(a);
}

static void chain_length_is_limited(void **state)
{
    (void)state;
    struct testpki *pki = testpki_root("A");
    struct hf_bytes ders[HF_CHAIN_MAX + 1];
    struct hf_cert *certs[HF_CHAIN_MAX + 1];
    for (size_t i = 0; i < HF_N_ELEMENTS(ders); i++) {
        ders[i] = pki->cert->der;
        certs[i] = pki->cert;
    }
    struct hf_chain *chain = NULL;
    assert_int_equal(hf_chain_from_ders(ders, HF_CHAIN_MAX + 1, &chain), HF_E_TOO_LARGE);
    assert_int_equal(hf_chain_new(certs, HF_CHAIN_MAX + 1, &chain), HF_E_TOO_LARGE);
    assert_null(chain);
    assert_int_equal(hf_chain_from_ders(ders, HF_CHAIN_MAX, &chain), HF_OK);
    assert_int_equal(chain->n_certs, HF_CHAIN_MAX);
    hf_chain_unref(chain);
    testpki_free(pki);
}

static void broken_certificate_in_a_chain_is_numbered(void **state)
{
    (void)state;
    struct testpki *pki = testpki_root("A");
    struct hf_bytes ders[] = {pki->cert->der, hf_bytes_of("junk", 4)};
    struct hf_chain *chain = NULL;
    assert_int_equal(hf_chain_from_ders(ders, 2, &chain), HF_E_MALFORMED);
    assert_non_null(strstr(hf_err_text(), "certificate 2 of 2"));
    testpki_free(pki);
}

/* --- PEM ---------------------------------------------------------------------------------------
 */

static void expect_pem(const char *text, enum hf_err wanted, const char *words)
{
    struct hf_chain *chain = NULL;
    enum hf_err err = hf_certs_parse(hf_bytes_str(text), "f.pem", 8, &chain);
    if (err != wanted || (words && !strstr(hf_err_text(), words))) {
        fail_msg("%s: %s", hf_err_name(err), hf_err_text());
    }
    assert_true((err == HF_OK) == (chain != NULL));
    hf_chain_unref(chain);
}

static void pem_errors_name_file_and_line(void **state)
{
    (void)state;
    expect_pem("", HF_E_MALFORMED, "f.pem");
    expect_pem("hello\n", HF_E_MALFORMED, "f.pem");
    expect_pem("\n\n-----BEGIN CERTIFICATE-----\nAAAA\n", HF_E_TRUNCATED, "f.pem:3");
    expect_pem("-----BEGIN CERTIFICATE-----\nAAAA\n-----END X-----\n", HF_E_MALFORMED, "f.pem:3");
    expect_pem("-----BEGIN CERTIFICATE-----\nA!AA\n-----END CERTIFICATE-----\n", HF_E_MALFORMED,
               "f.pem:1: the base64");
    expect_pem("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", HF_E_MALFORMED,
               "f.pem:1: the base64");
    expect_pem("x\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", HF_E_MALFORMED,
               "f.pem:2: not a certificate");
    expect_pem("-----BEGIN TRUSTED CERTIFICATE-----\nAAAA\n-----END TRUSTED CERTIFICATE-----\n",
               HF_E_UNSUPPORTED, "openssl x509");
    expect_pem("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", HF_E_MALFORMED,
               "no certificate in it");
}

static void pem_without_final_newline_is_fine(void **state)
{
    (void)state;
    struct testpki *pki = testpki_root("A");
    char *text = testpki_cert_pem(pki);
    text[strlen(text) - 1] = '\0';
    expect_pem(text, HF_OK, NULL);
    testpki_text_free(text);
    testpki_free(pki);
}

static void pem_cut_anywhere_is_clean(void **state)
{
    (void)state;
    struct testpki *pki = testpki_root("A");
    char *text = testpki_cert_pem(pki);
    for (size_t n = 0; n + 1 < strlen(text); n++) {
        uint8_t *part = malloc(n ? n : 1);
        memcpy(part, text, n);
        struct hf_chain *chain = NULL;
        enum hf_err err = hf_certs_parse(hf_bytes_of(part, n), "f", 8, &chain);
        assert_true(err == HF_E_MALFORMED || err == HF_E_TRUNCATED);
        free(part);
    }
    testpki_text_free(text);
    testpki_free(pki);
}

static void pem_flipped_anywhere_is_clean(void **state)
{
    (void)state;
    struct testpki *pki = testpki_root("A");
    char *text = testpki_cert_pem(pki);
    size_t len = strlen(text);
    for (size_t bit = 0; bit < 8 * len; bit++) {
        struct hf_chain *chain = NULL;
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
        if (hf_certs_parse(hf_bytes_of(text, len), "f", 8, &chain) == HF_OK) {
            assert_int_equal(chain->n_certs, 1);
        }
        hf_chain_unref(chain);
        text[bit / 8] = (char)(text[bit / 8] ^ (1 << bit % 8));
    }
    testpki_text_free(text);
    testpki_free(pki);
}

static void too_many_certificates_in_a_file_are_refused(void **state)
{
    (void)state;
    struct testpki *pki = testpki_root("A");
    char *one = testpki_cert_pem(pki);
    char *nine = calloc(9, strlen(one) + 1);
    for (int i = 0; i < 9; i++) {
        strcat(nine, one);
    }
    expect_pem(nine, HF_E_TOO_LARGE, "more than 8");
    expect_pem(nine + strlen(one), HF_OK, NULL);
    free(nine);
    testpki_text_free(one);
    testpki_free(pki);
}

static void failing_allocations_are_clean(void **state)
{
    (void)state;
    struct testpki *root = testpki_root("A");
    struct testpki *leaf = testpki_leaf(root, "x", HF_USAGE_ANY, NULL);
    char *text = testpki_chain_pem(leaf);
    enum hf_err err = HF_E_NOMEM;
    for (size_t n = 1; err != HF_OK; n++) {
        struct hf_chain *chain = NULL;
        hf_alloc_fail_after(n);
        err = hf_certs_parse(hf_bytes_str(text), "f", 8, &chain);
        hf_alloc_fail_after(0);
        assert_true(err == HF_OK || err == HF_E_NOMEM);
        hf_chain_unref(chain);
        assert_true(n < 100);
    }
    testpki_text_free(text);
    testpki_free(leaf);
    testpki_free(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(certificate_reads_back),
        cmocka_unit_test(ca_flag_needs_basic_constraints),
        cmocka_unit_test(bytes_behind_a_certificate_are_refused),
        cmocka_unit_test(cut_anywhere_is_malformed),
        cmocka_unit_test(flipped_bits_never_verify),
        cmocka_unit_test(second_spelling_of_a_certificate_is_refused),
        cmocka_unit_test(size_limit_is_kept),
        cmocka_unit_test(chain_hash_covers_lengths_and_order),
        cmocka_unit_test(chain_length_is_limited),
        cmocka_unit_test(broken_certificate_in_a_chain_is_numbered),
        cmocka_unit_test(pem_errors_name_file_and_line),
        cmocka_unit_test(pem_without_final_newline_is_fine),
        cmocka_unit_test(pem_cut_anywhere_is_clean),
        cmocka_unit_test(pem_flipped_anywhere_is_clean),
        cmocka_unit_test(too_many_certificates_in_a_file_are_refused),
        cmocka_unit_test(failing_allocations_are_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
