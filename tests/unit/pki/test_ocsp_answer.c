// SPDX-License-Identifier: Apache-2.0
#include "pki/ocsp_answer.h"

#include <openssl/ocsp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "pki/ocsp_request.h"
#include "testocsp.h"

#include <cmocka.h>

struct world {
    struct testpki *root, *leaf, *other, *stranger;
};

static int make_world(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    world->root = testpki_root("Root");
    world->stranger = testpki_root("Stranger");
    world->leaf = testpki_leaf(world->root, "alice", HF_USAGE_CLIENT, NULL);
    world->other = testpki_leaf(world->root, "bob", HF_USAGE_CLIENT, NULL);
    *state = world;
    return 0;
}

static int free_world(void **state)
{
    struct world *world = *state;
    testpki_free(world->stranger);
    testpki_free(world->other);
    testpki_free(world->leaf);
    testpki_free(world->root);
    free(world);
    return 0;
}

static struct testocsp_spec good(const struct world *world)
{
    return (struct testocsp_spec){.about = world->leaf, .issuer = world->root, .reason = -1};
}

static const struct hf_ocsp_origin origin = {.from = "http://ocsp.example/", .got_at = TESTPKI_NOW};

static enum hf_err know(const struct world *world, const struct testocsp_spec *spec,
                        struct hf_ocsp_known **out)
{
    struct hf_ocsp_answer *answer = testocsp_read(spec);
    enum hf_err err = hf_ocsp_known_new(answer, world->leaf->cert, world->root->cert, &origin, out);
    hf_ocsp_answer_unref(answer);
    return err;
}

/* --- What is said -------------------------------------------------------------------------------
 */

static void a_good_answer_is_known(void **state)
{
    struct world *world = *state;
    static const char *const hashes[] = {"SHA1", "SHA256"};
    for (size_t i = 0; i < HF_N_ELEMENTS(hashes); i++) {
        struct testocsp_spec spec = good(world);
        struct hf_ocsp_known *known = NULL;
        spec.hash = hashes[i];
        spec.by_key = i == 1;
        assert_int_equal(know(world, &spec, &known), HF_OK);
        assert_int_equal(known->said.status, HF_OCSP_GOOD);
        assert_int_equal(known->said.this_update, TESTPKI_NOW - 3600);
        assert_int_equal(known->said.next_update, TESTPKI_NOW + TESTPKI_DAY);
        assert_null(known->signer);
        assert_true(known->signer_unchecked);
        assert_string_equal(known->from, "http://ocsp.example/");
        hf_ocsp_known_unref(known);
    }
}

static void a_revoked_one_says_when_and_why(void **state)
{
    struct world *world = *state;
    struct testocsp_spec spec = good(world);
    struct hf_ocsp_known *known = NULL;
    spec.status = V_OCSP_CERTSTATUS_REVOKED;
    spec.reason = 1;
    assert_int_equal(know(world, &spec, &known), HF_OK);
    assert_int_equal(known->said.status, HF_OCSP_REVOKED);
    assert_int_equal(known->said.revoked_at, TESTPKI_NOW - 3600);
    assert_true(known->said.gives_why);
    assert_int_equal(known->said.why, HF_REVOKED_FOR_KEY_COMPROMISE);
    hf_ocsp_known_unref(known);
    spec.reason = -1;
    assert_int_equal(know(world, &spec, &known), HF_OK);
    assert_false(known->said.gives_why);
    assert_int_equal(known->said.why, HF_REVOKED_FOR_UNSPECIFIED);
    hf_ocsp_known_unref(known);
    spec.status = V_OCSP_CERTSTATUS_UNKNOWN;
    assert_int_equal(know(world, &spec, &known), HF_OK);
    assert_int_equal(known->said.status, HF_OCSP_UNKNOWN);
    hf_ocsp_known_unref(known);
}

static void several_certificates_in_one_answer(void **state)
{
    struct world *world = *state;
    struct testocsp_spec spec = good(world);
    spec.about2 = world->other;
    spec.nonce = "0123456789abcdef0123456789abcdef";
    struct hf_ocsp_answer *answer = testocsp_read(&spec);
    assert_int_equal(answer->n_singles, 2);
    assert_int_equal(answer->nonce.len, 32);
    assert_memory_equal(answer->nonce.ptr, spec.nonce, 32);
    assert_non_null(hf_ocsp_answer_find(answer, world->leaf->cert, world->root->cert));
    assert_non_null(hf_ocsp_answer_find(answer, world->other->cert, world->root->cert));
    assert_null(hf_ocsp_answer_find(answer, world->leaf->cert, world->stranger->cert));
    hf_ocsp_answer_unref(answer);
}

static void an_answer_about_another_certificate_is_a_mismatch(void **state)
{
    struct world *world = *state;
    struct testocsp_spec spec = good(world);
    struct hf_ocsp_known *known = NULL;
    spec.about = world->other;
    assert_int_equal(know(world, &spec, &known), HF_E_MISMATCH);
    spec.hash = "SHA512"; /* of the right one, but by a name that we don't ask by */
    spec.about = world->leaf;
    assert_int_equal(know(world, &spec, &known), HF_E_MISMATCH);
    assert_null(known);
}

/* --- Who has signed -----------------------------------------------------------------------------
 */

static void keys_of_all_kinds_sign(void **state)
{
    (void)state;
    static const char *const kinds[] = {"P-256", "P-384", "ED25519", "RSA-2048"};
    for (size_t i = 0; i < HF_N_ELEMENTS(kinds); i++) {
        struct world world = {0};
        const struct testpki_spec ca = {.cn = "CA", .ca = true, .key = kinds[i]};
        world.root = testpki_make(NULL, &ca);
        world.leaf = testpki_leaf(world.root, "alice", HF_USAGE_CLIENT, NULL);
        struct testocsp_spec spec = good(&world);
        struct hf_ocsp_known *known = NULL;
        assert_int_equal(know(&world, &spec, &known), HF_OK);
        hf_ocsp_known_unref(known);
        testpki_free(world.leaf);
        testpki_free(world.root);
    }
}

static void a_delegated_signer_is_believed(void **state)
{
    struct world *world = *state;
    for (int no_check = 0; no_check < 2; no_check++) {
        struct testpki *signer = testocsp_signer(world->root, "OCSPSigning", no_check);
        struct testocsp_spec spec = good(world);
        struct hf_ocsp_known *known = NULL;
        spec.signer = signer;
        spec.by_key = no_check;
        assert_int_equal(know(world, &spec, &known), HF_OK);
        assert_non_null(known->signer);
        assert_int_equal(known->signer_unchecked, no_check);
        hf_ocsp_known_unref(known);
        testpki_free(signer);
    }
}

static void expect_denied(struct world *world, struct testpki *signer, const char *text)
{
    struct testocsp_spec spec = good(world);
    struct hf_ocsp_known *known = NULL;
    spec.signer = signer;
    assert_int_equal(know(world, &spec, &known), HF_E_DENIED);
    assert_non_null(strstr(hf_err_text(), text));
    assert_null(known);
}

static void nobody_else_is(void **state)
{
    struct world *world = *state;
    expect_denied(world, world->stranger, "has no certificate of the issuer");
    expect_denied(world, world->other, "without OCSPSigning");
    struct testpki *signer = testocsp_signer(world->root, "anyExtendedKeyUsage", true);
    expect_denied(world, signer, "without OCSPSigning");
    testpki_free(signer);
    signer = testocsp_signer(world->root, NULL, true);
    expect_denied(world, signer, "without OCSPSigning");
    testpki_free(signer);
    signer = testocsp_signer(world->stranger, "OCSPSigning", true);
    expect_denied(world, signer, "has no certificate of the issuer");
    testpki_free(signer);
    /* one issued by an intermediate of the issuer, and one by somebody of the same name */
    struct testpki *below = testpki_intermediate(world->root, "Below");
    signer = testocsp_signer(below, "OCSPSigning", true);
    expect_denied(world, signer, "has no certificate of the issuer");
    testpki_free(signer);
    testpki_free(below);
    struct testpki *namesake = testpki_root("Root");
    signer = testocsp_signer(namesake, "OCSPSigning", true);
    expect_denied(world, signer, "the issuer's key has not signed");
    testpki_free(signer);
    testpki_free(namesake);
    const struct testpki_spec weak = {.cn = "Weak", .eku = "OCSPSigning", .key = "RSA-1024"};
    signer = testpki_make(world->root, &weak);
    expect_denied(world, signer, "weak");
    testpki_free(signer);
    const struct testpki_spec usage = {.cn = "U", .eku = "OCSPSigning", .ku = "keyEncipherment"};
    signer = testpki_make(world->root, &usage);
    expect_denied(world, signer, "not for signatures");
    testpki_free(signer);
}

static void a_signer_that_is_not_brought_along_is_unknown(void **state)
{
    struct world *world = *state;
    struct testpki *signer = testocsp_signer(world->root, "OCSPSigning", true);
    struct testocsp_spec spec = good(world);
    struct hf_ocsp_known *known = NULL;
    spec.signer = signer;
    spec.no_certs = true;
    assert_int_equal(know(world, &spec, &known), HF_E_DENIED);
    testpki_free(signer);
}

static void weak_signatures_are_refused(void **state)
{
    struct world *world = *state;
    struct testocsp_spec spec = good(world);
    struct hf_buf der = HF_BUF_INIT(HF_OCSP_ANSWER_MAX);
    struct hf_ocsp_answer *answer = NULL;
    spec.md = "SHA1";
    testocsp_make(&spec, &der);
    assert_int_equal(hf_ocsp_answer_read(hf_buf_bytes(&der), &answer), HF_E_UNSUPPORTED);
    hf_buf_done(&der);
}

/* --- Dates --------------------------------------------------------------------------------------
 */

static void expect_age(const struct hf_ocsp_known *known, int64_t now, enum hf_ocsp_age age)
{
    static const struct hf_ocsp_dates dates = {.skew_s = 60, .open_s = 600};
    struct hf_ocsp_aged aged;
    hf_ocsp_known_at(known, now, &dates, &aged);
    assert_int_equal(aged.age, age);
}

static void dates_are_judged_with_a_bounded_skew(void **state)
{
    struct world *world = *state;
    struct testocsp_spec spec = good(world);
    struct hf_ocsp_known *known = NULL;
    assert_int_equal(know(world, &spec, &known), HF_OK);
    int64_t from = TESTPKI_NOW - 3600, until = TESTPKI_NOW + TESTPKI_DAY;
    expect_age(known, from - 61, HF_OCSP_NOT_YET);
    expect_age(known, from - 60, HF_OCSP_FRESH);
    expect_age(known, until + 60, HF_OCSP_FRESH);
    expect_age(known, until + 61, HF_OCSP_STALE);
    hf_ocsp_known_unref(known);
    spec.next_update = -1;
    assert_int_equal(know(world, &spec, &known), HF_OK);
    expect_age(known, from + 660, HF_OCSP_FRESH);
    expect_age(known, from + 661, HF_OCSP_STALE);
    hf_ocsp_known_unref(known);
}

static void it_ends_with_its_signers_certificate(void **state)
{
    struct world *world = *state;
    const struct testpki_spec brief = {.cn = "Brief",
                                       .eku = "OCSPSigning",
                                       .not_before = TESTPKI_NOW - 7200,
                                       .not_after = TESTPKI_NOW + 100};
    struct testpki *signer = testpki_make(world->root, &brief);
    struct testocsp_spec spec = good(world);
    struct hf_ocsp_known *known = NULL;
    spec.signer = signer;
    assert_int_equal(know(world, &spec, &known), HF_OK);
    expect_age(known, TESTPKI_NOW + 160, HF_OCSP_FRESH);
    expect_age(known, TESTPKI_NOW + 161, HF_OCSP_STALE);
    hf_ocsp_known_unref(known);
    testpki_free(signer);
}

/* --- Damage -------------------------------------------------------------------------------------
 */

static void refusals_of_the_responder_are_told(void **state)
{
    (void)state;
    static const struct {
        int status;
        const char *name;
    } rows[] = {{1, "malformedRequest"},
                {2, "internalError"},
                {3, "tryLater"},
                {5, "sigRequired"},
                {6, "unauthorized"}};
    for (size_t i = 0; i < HF_N_ELEMENTS(rows); i++) {
        const uint8_t der[] = {0x30, 3, 0x0a, 1, (uint8_t)rows[i].status};
        struct hf_ocsp_answer *answer = NULL;
        assert_int_equal(hf_ocsp_answer_read(hf_bytes_of(der, sizeof(der)), &answer), HF_E_PEER);
        assert_non_null(strstr(hf_err_text(), rows[i].name));
    }
    const uint8_t strange[] = {0x30, 3, 0x0a, 1, 4};
    struct hf_ocsp_answer *answer = NULL;
    assert_int_equal(hf_ocsp_answer_read(hf_bytes_of(strange, 5), &answer), HF_E_MALFORMED);
}

static bool is_believed(const struct world *world, struct hf_bytes der)
{
    struct hf_ocsp_answer *answer = NULL;
    struct hf_ocsp_known *known = NULL;
    bool believed =
        hf_ocsp_answer_read(der, &answer) == HF_OK &&
        hf_ocsp_known_new(answer, world->leaf->cert, world->root->cert, &origin, &known) == HF_OK;
    hf_ocsp_known_unref(known);
    hf_ocsp_answer_unref(answer);
    return believed;
}

static void cut_anywhere_or_with_any_bit_flipped_it_is_not_believed(void **state)
{
    struct world *world = *state;
    struct testpki *signer = testocsp_signer(world->root, "OCSPSigning", false);
    struct testocsp_spec spec = good(world);
    struct hf_buf der = HF_BUF_INIT(HF_OCSP_ANSWER_MAX);
    spec.status = V_OCSP_CERTSTATUS_REVOKED;
    spec.reason = 4;
    spec.nonce = "nonce";
    spec.signer = signer;
    testocsp_make(&spec, &der);
    uint8_t *bytes = der.mem + der.start;
    size_t len = hf_buf_len(&der);
    assert_true(is_believed(world, hf_bytes_of(bytes, len)));
    for (size_t cut = 0; cut < len; cut++) {
        assert_false(is_believed(world, hf_bytes_of(bytes, cut)));
    }
    for (size_t bit = 0; bit < 8 * len; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(is_believed(world, hf_bytes_of(bytes, len)));
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(hf_buf_u8(&der, 0), HF_OK); /* something behind it */
    assert_false(is_believed(world, hf_buf_bytes(&der)));
    hf_buf_done(&der);
    testpki_free(signer);
}

static void a_huge_answer_is_refused_unread(void **state)
{
    (void)state;
    struct hf_ocsp_answer *answer = NULL;
    uint8_t *block = calloc(1, HF_OCSP_ANSWER_MAX + 1);
    assert_int_equal(hf_ocsp_answer_read(hf_bytes_of(block, HF_OCSP_ANSWER_MAX + 1), &answer),
                     HF_E_TOO_LARGE);
    free(block);
}

static void survives_running_out_of_memory(void **state)
{
    struct world *world = *state;
    struct testpki *signer = testocsp_signer(world->root, "OCSPSigning", false);
    struct testocsp_spec spec = good(world);
    struct hf_buf der = HF_BUF_INIT(HF_OCSP_ANSWER_MAX);
    bool believed = false;
    spec.signer = signer;
    testocsp_make(&spec, &der);
    for (size_t n = 1; !believed && n < 1000; n++) {
        hf_alloc_fail_after(n);
        believed = is_believed(world, hf_buf_bytes(&der));
        hf_alloc_fail_after(0);
    }
    assert_true(believed);
    hf_buf_done(&der);
    testpki_free(signer);
}

/* --- Requests -----------------------------------------------------------------------------------
 */

static void libcrypto_reads_our_requests(void **state)
{
    struct world *world = *state;
    static const uint8_t nonce[HF_OCSP_NONCE_LEN] = "0123456789abcdef0123456789abcde";
    struct testpki *const about[] = {world->leaf, world->other};
    struct hf_ocsp_id ids[2];
    struct hf_buf out = HF_BUF_INIT(HF_OCSP_REQUEST_MAX);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(hf_ocsp_id_of(about[i]->cert, world->root->cert, HF_OCSP_SHA1, &ids[i]),
                         HF_OK);
    }
    assert_int_equal(hf_ocsp_request_write(ids, 2, hf_bytes_of(nonce, sizeof(nonce)), &out), HF_OK);
    const unsigned char *at = hf_buf_bytes(&out).ptr;
    OCSP_REQUEST *request = d2i_OCSP_REQUEST(NULL, &at, (long)hf_buf_len(&out));
    assert_non_null(request);
    assert_int_equal(OCSP_request_onereq_count(request), 2);
    assert_false(OCSP_request_is_signed(request));
    OCSP_BASICRESP *basic = OCSP_BASICRESP_new();
    assert_int_equal(OCSP_copy_nonce(basic, request), 1);
    assert_int_equal(OCSP_check_nonce(request, basic), 1);
    for (int i = 0; i < 2; i++) {
        OCSP_CERTID *id = OCSP_cert_to_id(NULL, about[i]->x509, world->root->x509);
        OCSP_ONEREQ *one = OCSP_request_onereq_get0(request, i);
        assert_int_equal(OCSP_id_cmp(id, OCSP_onereq_get0_id(one)), 0);
        OCSP_CERTID_free(id);
    }
    OCSP_BASICRESP_free(basic);
    OCSP_REQUEST_free(request);
    hf_buf_reset(&out);
    assert_int_equal(hf_ocsp_request_write(ids, 0, (struct hf_bytes){0}, &out), HF_E_TOO_LARGE);
    hf_buf_done(&out);
}

/* --- Certificates -------------------------------------------------------------------------------
 */

static void certificates_name_their_responders(void **state)
{
    struct world *world = *state;
    const struct testpki_spec spec = {
        .cn = "carol",
        .aia = "caIssuers;URI:http://ca/ca.crt,OCSP;URI:http://a/ocsp,OCSP;URI:http://b/",
        .must_staple = true};
    struct testpki *leaf = testpki_make(world->root, &spec);
    struct hf_ocsp_uris uris;
    hf_ocsp_uris_of(leaf->cert, &uris);
    assert_int_equal(uris.n, 2);
    assert_string_equal(uris.uri[0], "http://a/ocsp");
    assert_string_equal(uris.uri[1], "http://b/");
    assert_true(hf_ocsp_must_staple(leaf->cert));
    hf_ocsp_uris_of(world->leaf->cert, &uris);
    assert_int_equal(uris.n, 0);
    assert_false(hf_ocsp_must_staple(world->leaf->cert));
    testpki_free(leaf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_answer_is_known),
        cmocka_unit_test(a_revoked_one_says_when_and_why),
        cmocka_unit_test(several_certificates_in_one_answer),
        cmocka_unit_test(an_answer_about_another_certificate_is_a_mismatch),
        cmocka_unit_test(keys_of_all_kinds_sign),
        cmocka_unit_test(a_delegated_signer_is_believed),
        cmocka_unit_test(nobody_else_is),
        cmocka_unit_test(a_signer_that_is_not_brought_along_is_unknown),
        cmocka_unit_test(weak_signatures_are_refused),
        cmocka_unit_test(dates_are_judged_with_a_bounded_skew),
        cmocka_unit_test(it_ends_with_its_signers_certificate),
        cmocka_unit_test(refusals_of_the_responder_are_told),
        cmocka_unit_test(cut_anywhere_or_with_any_bit_flipped_it_is_not_believed),
        cmocka_unit_test(a_huge_answer_is_refused_unread),
        cmocka_unit_test(survives_running_out_of_memory),
        cmocka_unit_test(libcrypto_reads_our_requests),
        cmocka_unit_test(certificates_name_their_responders),
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
