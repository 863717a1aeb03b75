// SPDX-License-Identifier: Apache-2.0
#include "pki/staple.h"

#include "testpki.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/ocsp.h>

/* A response about the leaf, by its issuer. until 0: no nextUpdate. */
static struct hf_bytes respond(const struct testpki *leaf, const struct testpki *issuer, int status,
                               int64_t from, int64_t until)
{
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    OCSP_CERTID *id = OCSP_cert_to_id(EVP_sha1(), leaf->x509, issuer->x509);
    ASN1_TIME *this_update = ASN1_TIME_adj(NULL, (time_t)from, 0, 0);
    ASN1_TIME *next_update = until ? ASN1_TIME_adj(NULL, (time_t)until, 0, 0) : NULL;
    ASN1_TIME *revoked_at = status == V_OCSP_CERTSTATUS_REVOKED ? this_update : NULL;
    unsigned char *der = NULL;
    assert_non_null(
        OCSP_basic_add1_status(basic, id, status, 0, revoked_at, this_update, next_update));
    assert_true(OCSP_basic_sign(basic, issuer->x509, issuer->key, EVP_sha256(), NULL, 0));
    OCSP_RESPONSE *response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
    int len = i2d_OCSP_RESPONSE(response, &der);
    assert_true(len > 0);
    OCSP_RESPONSE_free(response);
    OCSP_BASICRESP_free(basic);
    OCSP_CERTID_free(id);
    ASN1_TIME_free(this_update);
    ASN1_TIME_free(next_update);
    return hf_bytes_of(der, (size_t)len);
}

static void release(struct hf_bytes der)
{
    OPENSSL_free((void *)(uintptr_t)der.ptr);
}

struct world {
    struct testpki *root, *leaf, *other;
    struct hf_chain *chain;
};

static int make_world(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    world->root = testpki_root("Root");
    world->leaf = testpki_leaf(world->root, "a.example", HF_USAGE_SERVER, "DNS:a.example");
    world->other = testpki_leaf(world->root, "b.example", HF_USAGE_SERVER, "DNS:b.example");
    struct hf_cert *const certs[] = {world->leaf->cert, world->root->cert};
    assert_int_equal(hf_chain_new(certs, 2, &world->chain), HF_OK);
    *state = world;
    return 0;
}

static int free_world(void **state)
{
    struct world *world = *state;
    hf_chain_unref(world->chain);
    testpki_free(world->other);
    testpki_free(world->leaf);
    testpki_free(world->root);
    free(world);
    return 0;
}

static void a_good_response_is_read(void **state)
{
    struct world *world = *state;
    struct hf_staple staple;
    struct hf_bytes der = respond(world->leaf, world->root, V_OCSP_CERTSTATUS_GOOD, TESTPKI_NOW,
                                  TESTPKI_NOW + TESTPKI_DAY);
    assert_int_equal(hf_staple_read(der, world->chain, &staple), HF_OK);
    assert_false(staple.revoked);
    assert_int_equal(staple.made_at, TESTPKI_NOW);
    assert_int_equal(staple.ends_at, TESTPKI_NOW + TESTPKI_DAY);
    release(der);
}

static void a_revoked_one_without_an_end(void **state)
{
    struct world *world = *state;
    struct hf_staple staple;
    struct hf_bytes der =
        respond(world->leaf, world->root, V_OCSP_CERTSTATUS_REVOKED, TESTPKI_NOW, 0);
    assert_int_equal(hf_staple_read(der, world->chain, &staple), HF_OK);
    assert_true(staple.revoked);
    assert_int_equal(staple.ends_at, INT64_MAX);
    release(der);
}

/* Another serial; and the same serial under another issuer. */
static void another_certificates_response_is_a_mismatch(void **state)
{
    struct world *world = *state;
    struct hf_staple staple;
    struct hf_bytes der =
        respond(world->other, world->root, V_OCSP_CERTSTATUS_GOOD, TESTPKI_NOW, 0);
    assert_int_equal(hf_staple_read(der, world->chain, &staple), HF_E_MISMATCH);
    release(der);
    struct testpki *stranger = testpki_root("Stranger");
    der = respond(world->leaf, stranger, V_OCSP_CERTSTATUS_GOOD, TESTPKI_NOW, 0);
    assert_int_equal(hf_staple_read(der, world->chain, &staple), HF_E_MISMATCH);
    release(der);
    testpki_free(stranger);
}

static void what_is_no_response_is_malformed(void **state)
{
    struct world *world = *state;
    struct hf_staple staple;
    OCSP_RESPONSE *busy = OCSP_response_create(OCSP_RESPONSE_STATUS_TRYLATER, NULL);
    unsigned char *der = NULL;
    int len = i2d_OCSP_RESPONSE(busy, &der);
    assert_int_equal(hf_staple_read(hf_bytes_of(der, (size_t)len), world->chain, &staple),
                     HF_E_MALFORMED);
    assert_int_equal(hf_staple_read(hf_bytes_of(NULL, 0), world->chain, &staple), HF_E_MALFORMED);
    OPENSSL_free(der);
    OCSP_RESPONSE_free(busy);
}

static void cut_anywhere_it_is_malformed(void **state)
{
    struct world *world = *state;
    struct hf_staple staple;
    struct hf_bytes der = respond(world->leaf, world->root, V_OCSP_CERTSTATUS_GOOD, TESTPKI_NOW, 0);
    for (size_t len = 0; len < der.len; len++) {
        uint8_t *cut = malloc(len ? len : 1);
        memcpy(cut, der.ptr, len);
        assert_int_equal(hf_staple_read(hf_bytes_of(cut, len), world->chain, &staple),
                         HF_E_MALFORMED);
        assert_int_equal(ERR_peek_error(), 0);
        free(cut);
    }
    for (size_t i = 0; i < der.len; i++) { /* whatever it says then, it says it in order */
        uint8_t *flipped = malloc(der.len);
        memcpy(flipped, der.ptr, der.len);
        flipped[i] ^= 0x40;
        enum hf_err err = hf_staple_read(hf_bytes_of(flipped, der.len), world->chain, &staple);
        assert_true(err == HF_OK || err == HF_E_MALFORMED || err == HF_E_MISMATCH);
        assert_int_equal(ERR_peek_error(), 0);
        free(flipped);
    }
    release(der);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_response_is_read),
        cmocka_unit_test(a_revoked_one_without_an_end),
        cmocka_unit_test(another_certificates_response_is_a_mismatch),
        cmocka_unit_test(what_is_no_response_is_malformed),
        cmocka_unit_test(cut_anywhere_it_is_malformed),
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
