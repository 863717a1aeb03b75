// SPDX-License-Identifier: Apache-2.0
/* Kept answers as bytes: there again, refused when cut or changed, and believed for nothing but
 * what a signature proves. */
#include "proxy/ocsp_record.h"

#include <openssl/ocsp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "testocsp.h"

#include <cmocka.h>

static struct testpki *root, *alice, *bob;
static struct hf_ocsp_answer *answer;
static struct hf_buf body;

static int begin(void **ctx)
{
    (void)ctx;
    root = testpki_root("Root");
    alice = testpki_leaf(root, "alice", HF_USAGE_CLIENT, NULL);
    bob = testpki_leaf(root, "bob", HF_USAGE_CLIENT, NULL);
    answer = testocsp_read(&(struct testocsp_spec){
        .about = alice, .issuer = root, .status = V_OCSP_CERTSTATUS_REVOKED, .reason = -1});
    struct hf_ocsp_record record = {.nonce = true,
                                    .revoked = true,
                                    .got_at = TESTPKI_NOW,
                                    .from = hf_bytes_str("http://ocsp.example/"),
                                    .cert = alice->cert->der,
                                    .issuer = root->cert->der,
                                    .answer = hf_span_bytes(answer->der)};
    hf_ocsp_key_of(alice->cert, root->cert, &record.key);
    body = HF_BUF_INIT(HF_OCSP_RECORD_MAX);
    assert_int_equal(hf_ocsp_record_write(&record, &body), HF_OK);
    return 0;
}

static int end(void **ctx)
{
    (void)ctx;
    hf_buf_done(&body);
    hf_ocsp_answer_unref(answer);
    testpki_free(bob);
    testpki_free(alice);
    testpki_free(root);
    return 0;
}

static void what_was_written_is_read(void **ctx)
{
    (void)ctx;
    HF_CLEANUP(hf_buf_done) struct hf_buf framed = HF_BUF_INIT(2 * HF_OCSP_RECORD_MAX);
    struct hf_ocsp_record record;
    struct hf_bytes first, second;
    assert_int_equal(hf_ocsp_record_frame(hf_buf_bytes(&body), &framed), HF_OK);
    assert_int_equal(hf_buf_len(&framed), hf_buf_len(&body) + HF_OCSP_RECORD_HEAD);
    assert_int_equal(hf_ocsp_record_frame(hf_bytes_str("any"), &framed), HF_OK);
    struct hf_reader reader = hf_reader_of(hf_buf_bytes(&framed));
    assert_int_equal(hf_ocsp_record_next(&reader, &first), HF_OK);
    assert_int_equal(hf_ocsp_record_next(&reader, &second), HF_OK);
    assert_int_equal(reader.rest.len, 0);
    assert_true(hf_bytes_eq(first, hf_buf_bytes(&body)));
    assert_true(hf_bytes_eq_str(second, "any"));
    assert_int_equal(hf_ocsp_record_read(first, &record), HF_OK);
    assert_true(record.nonce && record.revoked);
    assert_int_equal(record.got_at, TESTPKI_NOW);
    assert_true(hf_bytes_eq_str(record.from, "http://ocsp.example/"));
    assert_true(hf_bytes_eq(record.cert, alice->cert->der));
    assert_true(hf_bytes_eq(record.issuer, root->cert->der));
    assert_true(hf_bytes_eq(record.answer, hf_span_bytes(answer->der)));
}

static void a_record_that_is_cut_or_changed_is_refused(void **ctx)
{
    (void)ctx;
    HF_CLEANUP(hf_buf_done) struct hf_buf framed = HF_BUF_INIT(2 * HF_OCSP_RECORD_MAX);
    struct hf_bytes found;
    assert_int_equal(hf_ocsp_record_frame(hf_buf_bytes(&body), &framed), HF_OK);
    struct hf_bytes whole = hf_buf_bytes(&framed);
    for (size_t at = 0; at < whole.len; at++) {
        struct hf_reader reader = hf_reader_of(hf_bytes_of(whole.ptr, at));
        assert_int_equal(hf_ocsp_record_next(&reader, &found), HF_E_TRUNCATED);
        uint8_t *byte = (uint8_t *)(uintptr_t)whole.ptr + at;
        *byte ^= 0x10;
        reader = hf_reader_of(whole);
        enum hf_err err = hf_ocsp_record_next(&reader, &found);
        assert_true(err == HF_E_MALFORMED || err == HF_E_TRUNCATED);
        *byte ^= 0x10;
    }
}

/* Whoever can write the file and the checksum still can't make it say anything else. */
static void a_changed_body_says_the_same_or_nothing(void **ctx)
{
    (void)ctx;
    struct hf_bytes whole = hf_buf_bytes(&body);
    for (size_t at = 0; at < whole.len; at++) {
        struct hf_ocsp_record record;
        struct hf_ocsp_known *known = NULL;
        uint8_t *byte = (uint8_t *)(uintptr_t)whole.ptr + at;
        assert_int_not_equal(hf_ocsp_record_read(hf_bytes_of(whole.ptr, at), &record), HF_OK);
        *byte ^= 0x10;
        if (hf_ocsp_record_read(whole, &record) == HF_OK &&
            hf_ocsp_record_believe(&record, TESTPKI_NOW, &known) == HF_OK) {
            assert_int_equal(known->said.status, HF_OCSP_REVOKED);
            hf_ocsp_known_unref(known);
        }
        *byte ^= 0x10;
    }
}

static void it_speaks_for_no_other_certificate(void **ctx)
{
    (void)ctx;
    struct hf_ocsp_record record;
    struct hf_ocsp_known *known = NULL;
    assert_int_equal(hf_ocsp_record_read(hf_buf_bytes(&body), &record), HF_OK);
    record.cert = bob->cert->der;
    assert_int_equal(hf_ocsp_record_believe(&record, TESTPKI_NOW, &known), HF_E_MISMATCH);
    hf_ocsp_key_of(bob->cert, root->cert, &record.key);
    assert_int_equal(hf_ocsp_record_believe(&record, TESTPKI_NOW, &known), HF_E_MISMATCH);
    assert_string_equal(hf_err_text(), "the answer is about other certificates");
    assert_null(known);
}

static void running_out_of_memory_is_said(void **ctx)
{
    (void)ctx;
    struct hf_ocsp_record record;
    assert_int_equal(hf_ocsp_record_read(hf_buf_bytes(&body), &record), HF_OK);
    for (size_t n = 1;; n++) {
        struct hf_ocsp_known *known = NULL;
        hf_alloc_fail_after(n);
        enum hf_err err = hf_ocsp_record_believe(&record, TESTPKI_NOW, &known);
        hf_alloc_fail_after(0);
        if (err == HF_OK) {
            assert_int_equal(known->said.status, HF_OCSP_REVOKED);
            hf_ocsp_known_unref(known);
            break;
        }
        assert_int_equal(err, HF_E_NOMEM);
        assert_null(known);
    }
}

#define ONE(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ONE(what_was_written_is_read),
        ONE(a_record_that_is_cut_or_changed_is_refused),
        ONE(a_changed_body_says_the_same_or_nothing),
        ONE(it_speaks_for_no_other_certificate),
        ONE(running_out_of_memory_is_said),
    };
    return cmocka_run_group_tests_name("proxy/ocsp_record", tests, NULL, NULL);
}
