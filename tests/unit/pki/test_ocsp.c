// SPDX-License-Identifier: Apache-2.0
#include "pki/ocsp.h"

#include <openssl/ocsp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include "testpki.h"

#include <cmocka.h>

struct pair {
    struct testpki *root, *leaf;
};

static int set_up(void **state)
{
    static struct pair pair;
    pair.root = testpki_root("Root");
    pair.leaf = testpki_leaf(pair.root, "alice", HF_USAGE_CLIENT, NULL);
    *state = &pair;
    return 0;
}

static int tear_down(void **state)
{
    struct pair *pair = *state;
    testpki_free(pair->leaf);
    testpki_free(pair->root);
    return 0;
}

static void ids_are_those_that_libcrypto_makes(void **state)
{
    struct pair *pair = *state;
    const EVP_MD *const mds[] = {EVP_sha1(), EVP_sha256()};
    for (int hash = HF_OCSP_SHA1; hash <= HF_OCSP_SHA256; hash++) {
        struct hf_ocsp_id id, again;
        struct hf_buf out = HF_BUF_INIT(4096);
        assert_int_equal(
            hf_ocsp_id_of(pair->leaf->cert, pair->root->cert, (enum hf_ocsp_hash)hash, &id), HF_OK);
        assert_int_equal(hf_ocsp_id_write(&id, &out), HF_OK);
        OCSP_CERTID *theirs = OCSP_cert_to_id(mds[hash], pair->leaf->x509, pair->root->x509);
        unsigned char *der = NULL;
        int len = i2d_OCSP_CERTID(theirs, &der);
        assert_int_equal(hf_buf_len(&out), len);
        assert_memory_equal(hf_buf_bytes(&out).ptr, der, (size_t)len);
        struct hf_reader reader = hf_reader_of(hf_bytes_of(der, (size_t)len));
        assert_int_equal(hf_ocsp_id_read(&reader, &again), HF_OK);
        assert_int_equal(reader.rest.len, 0);
        assert_true(hf_ocsp_id_eq(&id, &again));
        OPENSSL_free(der);
        OCSP_CERTID_free(theirs);
        hf_buf_done(&out);
    }
}

static void ids_of_another_hash_are_stepped_over(void **state)
{
    struct pair *pair = *state;
    OCSP_CERTID *theirs = OCSP_cert_to_id(EVP_sha512(), pair->leaf->x509, pair->root->x509);
    unsigned char *der = NULL;
    int len = i2d_OCSP_CERTID(theirs, &der);
    struct hf_reader reader = hf_reader_of(hf_bytes_of(der, (size_t)len));
    struct hf_ocsp_id id;
    assert_int_equal(hf_ocsp_id_read(&reader, &id), HF_E_UNSUPPORTED);
    assert_int_equal(reader.rest.len, 0);
    OPENSSL_free(der);
    OCSP_CERTID_free(theirs);
}

/* Cut anywhere it is refused; with any bit flipped it is refused or names another certificate, but
 * for the algorithm's parameters. */
static void damaged_ids_are_never_taken_for_the_whole(void **state)
{
    struct pair *pair = *state;
    struct hf_ocsp_id id, again;
    struct hf_buf out = HF_BUF_INIT(4096);
    assert_int_equal(hf_ocsp_id_of(pair->leaf->cert, pair->root->cert, HF_OCSP_SHA256, &id), HF_OK);
    assert_int_equal(hf_ocsp_id_write(&id, &out), HF_OK);
    uint8_t *bytes = out.mem + out.start;
    size_t len = hf_buf_len(&out);
    for (size_t cut = 0; cut < len; cut++) {
        struct hf_reader reader = hf_reader_of(hf_bytes_of(bytes, cut));
        assert_int_not_equal(hf_ocsp_id_read(&reader, &again), HF_OK);
        assert_int_equal(reader.rest.len, cut);
    }
    for (size_t bit = 0; bit < 8 * len; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        struct hf_reader reader = hf_reader_of(hf_bytes_of(bytes, len));
        if (hf_ocsp_id_read(&reader, &again) == HF_OK) {
            assert_false(hf_ocsp_id_eq(&id, &again));
        }
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    hf_buf_done(&out);
}

static void numbers_have_names(void **state)
{
    (void)state;
    assert_string_equal(hf_ocsp_response_name(HF_OCSP_RESPONSE_TRY_LATER), "tryLater");
    assert_null(hf_ocsp_response_name(4));
    assert_string_equal(hf_ocsp_status_name(HF_OCSP_UNKNOWN), "unknown");
    assert_string_equal(hf_ocsp_hash_name(HF_OCSP_SHA256), "SHA-256");
    assert_int_equal(hf_ocsp_hash_size(HF_OCSP_SHA1), 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ids_are_those_that_libcrypto_makes),
        cmocka_unit_test(ids_of_another_hash_are_stepped_over),
        cmocka_unit_test(damaged_ids_are_never_taken_for_the_whole),
        cmocka_unit_test(numbers_have_names),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
