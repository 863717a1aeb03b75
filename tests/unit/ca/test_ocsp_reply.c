// SPDX-License-Identifier: Apache-2.0
/* Requests as OpenSSL writes them are read, answers are what OpenSSL and our own reader take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/ocsp.h>

#include "base/mem.h"
#include "ca/ocsp_reply.h"
#include "pki/ocsp_answer.h"
#include "testocsp.h"

static struct testpki *root, *alice, *bob, *delegate;
static struct hf_ocsp_signer *signer;

static int make(void **state)
{
    (void)state;
    root = testpki_root("Root");
    alice = testpki_leaf(root, "alice", HF_USAGE_CLIENT, NULL);
    bob = testpki_leaf(root, "bob", HF_USAGE_CLIENT, NULL);
    delegate = testocsp_signer(root, "OCSPSigning", true);
    return hf_ocsp_signer_new(delegate->cert, delegate->key, root->cert, &signer);
}

static int drop(void **state)
{
    (void)state;
    hf_ocsp_signer_unref(signer);
    testpki_free(delegate);
    testpki_free(bob);
    testpki_free(alice);
    testpki_free(root);
    return 0;
}

struct asked {
    OCSP_REQUEST *request;
    uint8_t *der;
    struct hf_bytes bytes;
};

static void asked_add(struct asked *asked, const EVP_MD *md, const struct testpki *about)
{
    asked->request = asked->request ? asked->request : OCSP_REQUEST_new();
    assert_non_null(
        OCSP_request_add0_id(asked->request, OCSP_cert_to_id(md, about->x509, root->x509)));
}

static void asked_end(struct asked *asked, const char *nonce)
{
    if (nonce) {
        unsigned char text[256];
        memcpy(text, nonce, strlen(nonce));
        assert_int_equal(OCSP_request_add1_nonce(asked->request, text, (int)strlen(nonce)), 1);
    }
    int len = i2d_OCSP_REQUEST(asked->request, &asked->der);
    assert_true(len > 0);
    asked->bytes = hf_bytes_of(asked->der, (size_t)len);
}

static void asked_done(struct asked *asked)
{
    OCSP_REQUEST_free(asked->request);
    OPENSSL_free(asked->der);
}

/* --- Requests -----------------------------------------------------------------------------------
 */

static void requests_of_others_are_read(void **state)
{
    (void)state;
    struct asked asked = {NULL, NULL, {NULL, 0}};
    struct hf_ocsp_ask ask;
    struct hf_ocsp_id id;
    asked_add(&asked, EVP_sha1(), alice);
    asked_add(&asked, EVP_sha256(), bob);
    asked_add(&asked, EVP_sha384(), bob);
    asked_end(&asked, "a nonce");
    assert_int_equal(hf_ocsp_ask_read(asked.bytes, &ask), HF_OK);
    assert_int_equal(ask.n, 3);
    assert_true(ask.one[0].known_hash);
    assert_int_equal(hf_ocsp_id_of(alice->cert, root->cert, HF_OCSP_SHA1, &id), HF_OK);
    assert_true(hf_ocsp_id_eq(&id, &ask.one[0].id));
    assert_int_equal(hf_ocsp_id_of(bob->cert, root->cert, HF_OCSP_SHA256, &id), HF_OK);
    assert_true(hf_ocsp_id_eq(&id, &ask.one[1].id));
    assert_false(ask.one[2].known_hash);
    assert_true(hf_bytes_eq_str(ask.nonce, "a nonce"));
    asked_done(&asked);
}

static void a_request_signed_and_named_is_read(void **state)
{
    (void)state;
    struct asked asked = {NULL, NULL, {NULL, 0}};
    struct hf_ocsp_ask ask;
    asked_add(&asked, EVP_sha1(), alice);
    assert_int_equal(OCSP_request_sign(asked.request, bob->x509, bob->key, EVP_sha256(), NULL, 0),
                     1);
    asked_end(&asked, NULL);
    assert_int_equal(hf_ocsp_ask_read(asked.bytes, &ask), HF_OK);
    assert_int_equal(ask.n, 1);
    assert_null(ask.nonce.ptr);
    asked_done(&asked);
}

static void too_many_certificates_are_refused(void **state)
{
    (void)state;
    struct asked asked = {NULL, NULL, {NULL, 0}};
    struct hf_ocsp_ask ask;
    for (int i = 0; i < HF_OCSP_SERIALS_MAX; i++) {
        asked_add(&asked, EVP_sha1(), alice);
    }
    asked_end(&asked, NULL);
    assert_int_equal(hf_ocsp_ask_read(asked.bytes, &ask), HF_OK);
    OPENSSL_free(HF_TAKE(asked.der));
    asked_add(&asked, EVP_sha1(), alice);
    asked_end(&asked, NULL);
    assert_int_equal(hf_ocsp_ask_read(asked.bytes, &ask), HF_E_TOO_LARGE);
    asked_done(&asked);
}

static void nonces_have_a_length(void **state)
{
    (void)state;
    char nonce[HF_OCSP_NONCE_MAX + 2];
    memset(nonce, 'n', sizeof(nonce));
    for (size_t len = HF_OCSP_NONCE_MAX; len <= HF_OCSP_NONCE_MAX + 1; len++) {
        struct asked asked = {NULL, NULL, {NULL, 0}};
        struct hf_ocsp_ask ask;
        asked_add(&asked, EVP_sha1(), alice);
        nonce[len] = 0;
        asked_end(&asked, nonce);
        nonce[len] = 'n';
        assert_int_equal(hf_ocsp_ask_read(asked.bytes, &ask),
                         len <= HF_OCSP_NONCE_MAX ? HF_OK : HF_E_MALFORMED);
        asked_done(&asked);
    }
}

/* What is cut is refused; what is flipped is refused or says something else, and nothing worse. */
static void cut_and_flipped_requests_do_no_harm(void **state)
{
    (void)state;
    struct asked asked = {NULL, NULL, {NULL, 0}};
    struct hf_ocsp_ask ask;
    asked_add(&asked, EVP_sha1(), alice);
    asked_add(&asked, EVP_sha256(), bob);
    asked_end(&asked, "nonce");
    for (size_t len = 0; len < asked.bytes.len; len++) {
        uint8_t *cut = malloc(len ? len : 1);
        memcpy(cut, asked.bytes.ptr, len);
        assert_int_not_equal(hf_ocsp_ask_read(hf_bytes_of(cut, len), &ask), HF_OK);
        free(cut);
    }
    for (size_t at = 0; at < asked.bytes.len; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            uint8_t *flipped = malloc(asked.bytes.len);
            memcpy(flipped, asked.bytes.ptr, asked.bytes.len);
            flipped[at] ^= (uint8_t)(1u << bit);
            if (hf_ocsp_ask_read(hf_bytes_of(flipped, asked.bytes.len), &ask) == HF_OK) {
                assert_true(ask.n == 2);
            }
            free(flipped);
        }
    }
    asked_done(&asked);
}

/* --- Answers ------------------------------------------------------------------------------------
 */

#define SAID(status_) \
    { \
        .status = (status_), .this_update = TESTPKI_NOW, .next_update = TESTPKI_NOW + 3600 \
    }

static void reply(const struct asked *asked, const struct hf_ocsp_said *said, struct hf_buf *out)
{
    struct hf_ocsp_ask ask;
    assert_int_equal(hf_ocsp_ask_read(asked->bytes, &ask), HF_OK);
    assert_int_equal(hf_ocsp_reply_write(hf_crypto_here(), signer, &ask, said, TESTPKI_NOW, out),
                     HF_OK);
}

static OCSP_BASICRESP *openssl_reads(struct hf_bytes der)
{
    const unsigned char *at = der.ptr;
    OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, (long)der.len);
    assert_non_null(response);
    assert_ptr_equal(at, der.ptr + der.len);
    assert_int_equal(OCSP_response_status(response), OCSP_RESPONSE_STATUS_SUCCESSFUL);
    OCSP_BASICRESP *basic = OCSP_response_get1_basic(response);
    assert_non_null(basic);
    X509_STORE *store = X509_STORE_new();
    assert_int_equal(X509_STORE_add_cert(store, root->x509), 1);
    X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), TESTPKI_NOW);
    assert_int_equal(OCSP_basic_verify(basic, NULL, store, 0), 1);
    X509_STORE_free(store);
    OCSP_RESPONSE_free(response);
    return basic;
}

static void answers_say_what_was_to_be_said(void **state)
{
    (void)state;
    struct asked asked = {NULL, NULL, {NULL, 0}};
    asked_add(&asked, EVP_sha1(), alice);
    asked_add(&asked, EVP_sha256(), bob);
    asked_add(&asked, EVP_sha384(), bob);
    asked_end(&asked, "a nonce of ours");
    struct hf_ocsp_said said[] = {SAID(HF_OCSP_GOOD), SAID(HF_OCSP_REVOKED), SAID(HF_OCSP_UNKNOWN)};
    said[1].revoked_at = TESTPKI_NOW - 77;
    said[1].why = HF_REVOKED_FOR_KEY_COMPROMISE;
    said[1].gives_why = true;
    HF_CLEANUP(hf_buf_done) struct hf_buf out = HF_BUF_INIT(HF_OCSP_ANSWER_MAX);
    reply(&asked, said, &out);

    OCSP_BASICRESP *basic = openssl_reads(hf_buf_bytes(&out));
    assert_int_equal(OCSP_check_nonce(asked.request, basic), 1);
    static const int statuses[] = {V_OCSP_CERTSTATUS_GOOD, V_OCSP_CERTSTATUS_REVOKED,
                                   V_OCSP_CERTSTATUS_UNKNOWN};
    assert_int_equal(OCSP_resp_count(basic), 3);
    for (int i = 0; i < 3; i++) {
        OCSP_CERTID *id = OCSP_onereq_get0_id(OCSP_request_onereq_get0(asked.request, i));
        int at = OCSP_resp_find(basic, id, -1);
        assert_int_equal(at, i);
        int reason = -1;
        ASN1_GENERALIZEDTIME *revoked = NULL, *from = NULL, *until = NULL;
        assert_int_equal(
            OCSP_single_get0_status(OCSP_resp_get0(basic, at), &reason, &revoked, &from, &until),
            statuses[i]);
        assert_non_null(until);
        assert_int_equal(reason, i == 1 ? OCSP_REVOKED_STATUS_KEYCOMPROMISE : -1);
    }
    OCSP_BASICRESP_free(basic);

    struct hf_ocsp_answer *answer = NULL;
    assert_int_equal(hf_ocsp_answer_read(hf_buf_bytes(&out), &answer), HF_OK);
    const struct hf_ocsp_said *read = hf_ocsp_answer_find(answer, bob->cert, root->cert);
    assert_non_null(read);
    assert_int_equal(read->status, HF_OCSP_REVOKED);
    assert_int_equal(read->revoked_at, TESTPKI_NOW - 77);
    assert_int_equal(read->why, HF_REVOKED_FOR_KEY_COMPROMISE);
    struct hf_cert *by = NULL;
    assert_int_equal(hf_ocsp_answer_signer(answer, root->cert, &by), HF_OK);
    assert_memory_equal(by->sha256, delegate->cert->sha256, HF_SHA256_SIZE);
    hf_ocsp_answer_unref(answer);
    asked_done(&asked);
}

static void refusals_are_answers_too(void **state)
{
    (void)state;
    static const enum hf_ocsp_response all[] = {
        HF_OCSP_RESPONSE_MALFORMED_REQUEST, HF_OCSP_RESPONSE_INTERNAL_ERROR,
        HF_OCSP_RESPONSE_TRY_LATER, HF_OCSP_RESPONSE_SIG_REQUIRED, HF_OCSP_RESPONSE_UNAUTHORIZED};
    for (size_t i = 0; i < HF_N_ELEMENTS(all); i++) {
        struct hf_bytes der = hf_ocsp_reply_error(all[i]);
        const unsigned char *at = der.ptr;
        OCSP_RESPONSE *response = d2i_OCSP_RESPONSE(NULL, &at, (long)der.len);
        assert_non_null(response);
        assert_int_equal(OCSP_response_status(response), all[i]);
        OCSP_RESPONSE_free(response);
    }
}

static void a_signer_must_fit(void **state)
{
    (void)state;
    struct hf_ocsp_signer *made = NULL;
    struct testpki_spec spec = {.cn = "big", .key = "P-384", .eku = "OCSPSigning"};
    struct testpki *big = testpki_make(root, &spec);
    assert_int_equal(hf_ocsp_signer_new(delegate->cert, alice->key, root->cert, &made),
                     HF_E_MISMATCH);
    assert_int_equal(hf_ocsp_signer_new(big->cert, big->key, root->cert, &made), HF_E_UNSUPPORTED);
    assert_null(made);
    testpki_free(big);
}

static void out_of_memory_is_told(void **state)
{
    (void)state;
    struct asked asked = {NULL, NULL, {NULL, 0}};
    asked_add(&asked, EVP_sha1(), alice);
    asked_end(&asked, "nonce");
    struct hf_ocsp_ask ask;
    struct hf_ocsp_said said = SAID(HF_OCSP_GOOD);
    struct hf_crypto *crypto = hf_crypto_here();
    assert_int_equal(hf_ocsp_ask_read(asked.bytes, &ask), HF_OK);
    bool whole = false;
    for (size_t n = 1; !whole; n++) {
        struct hf_buf out = HF_BUF_INIT(HF_OCSP_ANSWER_MAX);
        struct hf_ocsp_signer *made = NULL;
        hf_alloc_fail_after(n);
        enum hf_err err = hf_ocsp_signer_new(delegate->cert, delegate->key, root->cert, &made);
        err =
            err == HF_OK ? hf_ocsp_reply_write(crypto, made, &ask, &said, TESTPKI_NOW, &out) : err;
        hf_alloc_fail_after(0);
        whole = err == HF_OK;
        assert_true(whole || err == HF_E_NOMEM);
        hf_ocsp_signer_unref(made);
        hf_buf_done(&out);
        assert_true(n < 1000);
    }
    asked_done(&asked);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_of_others_are_read),
        cmocka_unit_test(a_request_signed_and_named_is_read),
        cmocka_unit_test(too_many_certificates_are_refused),
        cmocka_unit_test(nonces_have_a_length),
        cmocka_unit_test(cut_and_flipped_requests_do_no_harm),
        cmocka_unit_test(answers_say_what_was_to_be_said),
        cmocka_unit_test(refusals_are_answers_too),
        cmocka_unit_test(a_signer_must_fit),
        cmocka_unit_test(out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, make, drop);
}
