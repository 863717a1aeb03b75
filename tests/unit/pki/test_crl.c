// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "testcrl.h"

static struct testpki *root;

static const struct testcrl_entry some[] = {
    {"01", -1, 0},
    {"7f00ff", HF_REVOKED_FOR_KEY_COMPROMISE, 0},
    {"f0e0d0c0b0a090807060504030201000", HF_REVOKED_FOR_HOLD, 0}};

static struct testcrl_spec spec_some(void)
{
    return (struct testcrl_spec){.entries = some, .n_entries = 3, .number = "4711"};
}

static int make_root(void **state)
{
    (void)state;
    root = testpki_root("Root");
    return 0;
}

static int free_root(void **state)
{
    (void)state;
    testpki_free(root);
    return 0;
}

static bool names(const struct hf_crl *crl, const char *hex, struct hf_revocation_entry *out)
{
    struct hf_serial serial;
    assert_int_equal(hf_serial_from_hex(hex, &serial), HF_OK);
    return hf_serials_find(crl->serials, &serial, out);
}

static void reads_all_that_a_list_says(void **state)
{
    (void)state;
    struct testcrl_spec spec = spec_some();
    spec.point = "fullname:URI:http://ca.example/1.crl,onlyuser:TRUE";
    spec.freshest = "URI:http://ca.example/delta.crl";
    struct hf_crl *crl = testcrl_read(root, &spec);
    struct hf_revocation_entry entry;
    char number[HF_CRL_NUMBER_TEXT];
    hf_crl_number_text(crl, number);
    assert_string_equal(number, "1267");
    assert_string_equal(crl->issuer_text, "CN=Root");
    assert_int_equal(crl->this_update, TESTPKI_NOW - 3600);
    assert_int_equal(crl->next_update, TESTPKI_NOW + TESTPKI_DAY);
    assert_int_equal(hf_serials_count(crl->serials), 3);
    assert_true(names(crl, "7f00ff", &entry));
    assert_int_equal(entry.why, HF_REVOKED_FOR_KEY_COMPROMISE);
    assert_int_equal(entry.at, TESTPKI_NOW - TESTPKI_DAY);
    assert_true(names(crl, "f0e0d0c0b0a090807060504030201000", &entry));
    assert_false(names(crl, "02", NULL));
    assert_true(crl->has_point && crl->only_users && !crl->only_cas);
    assert_int_equal(crl->n_points, 1);
    assert_string_equal(crl->point[0], "http://ca.example/1.crl");
    assert_int_equal(crl->n_freshest, 1);
    assert_string_equal(crl->freshest[0], "http://ca.example/delta.crl");
    assert_int_equal(crl->key_id.len, 20);
    assert_true(hf_crl_verified(crl, root->cert));
    hf_crl_unref(crl);
}

static void reads_the_least_that_a_list_can_say(void **state)
{
    (void)state;
    struct testcrl_spec spec = {.v1 = true, .next_update = -1};
    struct hf_crl *crl = testcrl_read(root, &spec);
    assert_int_equal(hf_serials_count(crl->serials), 0);
    assert_int_equal(crl->next_update, 0);
    assert_false(crl->has_number);
    assert_true(hf_crl_verified(crl, root->cert));
    hf_crl_unref(crl);
}

static void dates_are_the_same_in_both_forms(void **state)
{
    (void)state;
    static const int64_t dates[] = {
        0,          951782400 /* 2000-02-29 */,     1709164799,
        2524607999, INT64_C(2524608000) /* 2050 */, INT64_C(4107542400)};
    for (size_t i = 0; i < HF_N_ELEMENTS(dates); i++) {
        struct testcrl_spec spec = {.this_update = dates[i] + 1, .next_update = dates[i] + 2};
        for (int generalized = 0; generalized < 2; generalized++) {
            spec.generalized = generalized;
            struct hf_crl *crl = testcrl_read(root, &spec);
            assert_int_equal(crl->this_update, dates[i] + 1);
            assert_int_equal(crl->next_update, dates[i] + 2);
            hf_crl_unref(crl);
        }
    }
}

static void every_signature_algorithm_is_checked(void **state)
{
    (void)state;
    static const struct {
        const char *key, *md;
        bool pss;
    } kinds[] = {{"P-256", "SHA256", false},    {"P-384", "SHA384", false},
                 {"P-521", "SHA512", false},    {"RSA-2048", "SHA256", false},
                 {"RSA-2048", "SHA512", false}, {"RSA-2048", "SHA384", true},
                 {"ED25519", NULL, false}};
    for (size_t i = 0; i < HF_N_ELEMENTS(kinds); i++) {
        struct testpki_spec ca = {.cn = "CA", .ca = true, .key = kinds[i].key};
        struct testpki *good = testpki_make(NULL, &ca);
        struct testpki *other = testpki_make(NULL, &ca);
        struct testcrl_spec spec = spec_some();
        spec.md = kinds[i].md;
        spec.pss = kinds[i].pss;
        struct hf_crl *crl = testcrl_read(good, &spec);
        for (int again = 0; again < 2; again++) { /* the second time from memory */
            assert_false(hf_crl_verified(crl, other->cert));
            assert_true(hf_crl_verified(crl, good->cert));
        }
        hf_crl_unref(crl);
        testpki_free(good);
        testpki_free(other);
    }
}

static void weak_signatures_are_refused(void **state)
{
    (void)state;
    HF_CLEANUP(hf_buf_done) struct hf_buf der = HF_BUF_INIT(1 << 20);
    struct testcrl_spec spec = {.md = "SHA1"};
    struct hf_crl_lists lists;
    testcrl_make(root, &spec, &der);
    assert_int_equal(testcrl_parse(hf_buf_bytes(&der), 0, &lists), HF_E_UNSUPPORTED);
    assert_non_null(strstr(hf_err_text(), "ecdsa-with-SHA1"));
}

static void an_issuer_must_have_the_name_and_be_allowed_to_sign_lists(void **state)
{
    (void)state;
    struct testcrl_spec spec = spec_some();
    struct hf_crl *crl = testcrl_read(root, &spec);
    struct testpki_spec renamed = {.cn = "Other", .ca = true, .with_key = root->key};
    struct testpki_spec no_usage = {
        .cn = "Root", .ca = true, .with_key = root->key, .ku = "keyCertSign"};
    struct testpki *other = testpki_make(NULL, &renamed);
    struct testpki *unfit = testpki_make(NULL, &no_usage);
    assert_false(hf_crl_verified(crl, other->cert));
    assert_false(hf_crl_verified(crl, unfit->cert));
    assert_true(hf_crl_verified(crl, root->cert));
    hf_crl_unref(crl);
    testpki_free(other);
    testpki_free(unfit);
}

static void what_cannot_be_obeyed_is_refused_in_words(void **state)
{
    (void)state;
    static const struct {
        struct testcrl_spec spec;
        enum hf_err err;
        const char *words;
    } cases[] = {
        {{.point = "indirectCRL:TRUE"}, HF_E_UNSUPPORTED, "indirect"},
        {{.point = "onlyAA:TRUE"}, HF_E_UNSUPPORTED, "attribute certificates"},
        {{.critical = "1.2.3.4"}, HF_E_UNSUPPORTED, "critical extension"},
        {{.number = "5", .base = "5"}, HF_E_MALFORMED, "above that of its base"},
        {{.base = "5"}, HF_E_MALFORMED, "above that of its base"},
        {{.this_update = TESTPKI_NOW, .next_update = TESTPKI_NOW - 1}, HF_E_MALFORMED, "before"},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        HF_CLEANUP(hf_buf_done) struct hf_buf der = HF_BUF_INIT(1 << 20);
        struct hf_crl_lists lists;
        testcrl_make(root, &cases[i].spec, &der);
        assert_int_equal(testcrl_parse(hf_buf_bytes(&der), 0, &lists), cases[i].err);
        assert_non_null(strstr(hf_err_text(), cases[i].words));
        assert_non_null(strstr(hf_err_text(), "test.crl: "));
    }
}

static void a_delta_knows_its_base(void **state)
{
    (void)state;
    struct testcrl_spec spec = {.number = "300", .base = "256"};
    struct hf_crl *crl = testcrl_read(root, &spec);
    assert_true(crl->is_delta);
    assert_int_equal(crl->base.len, 2);
    assert_true(hf_crl_number_order(&crl->number, &crl->base) > 0);
    hf_crl_unref(crl);
}

static void reasons_that_a_list_covers(void **state)
{
    (void)state;
    struct testcrl_spec spec = {.point = "onlysomereasons:keyCompromise"};
    struct hf_crl *crl = testcrl_read(root, &spec);
    assert_int_equal(crl->reasons, 1u << 1);
    hf_crl_unref(crl);
}

static void any_pieces_give_the_same_list(void **state)
{
    (void)state;
    HF_CLEANUP(hf_buf_done) struct hf_buf der = HF_BUF_INIT(1 << 20);
    HF_CLEANUP(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(1 << 20);
    struct testcrl_spec spec = spec_some();
    testcrl_make(root, &spec, &der);
    assert_int_equal(hf_buf_append_str(&pem, "Some words first.\n"), HF_OK);
    testcrl_pem(hf_buf_bytes(&der), &pem);
    char *cert = testpki_cert_pem(root);
    assert_int_equal(hf_buf_append_str(&pem, cert), HF_OK);
    testcrl_pem(hf_buf_bytes(&der), &pem);
    testpki_text_free(cert);
    for (size_t piece = 1; piece < 200; piece += piece < 20 ? 1 : 13) {
        struct hf_crl_lists lists;
        assert_int_equal(testcrl_parse(hf_buf_bytes(&der), piece, &lists), HF_OK);
        assert_int_equal(lists.n, 1);
        assert_true(names(lists.item[0], "7f00ff", NULL));
        assert_true(hf_crl_verified(lists.item[0], root->cert));
        hf_crl_lists_done(&lists);
        assert_int_equal(testcrl_parse(hf_buf_bytes(&pem), piece, &lists), HF_OK);
        assert_int_equal(lists.n, 2);
        assert_true(hf_crl_verified(lists.item[1], root->cert));
        hf_crl_lists_done(&lists);
    }
}

static void cut_at_every_byte_it_is_refused(void **state)
{
    (void)state;
    HF_CLEANUP(hf_buf_done) struct hf_buf der = HF_BUF_INIT(1 << 20);
    HF_CLEANUP(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(1 << 20);
    struct testcrl_spec spec = spec_some();
    testcrl_make(root, &spec, &der);
    testcrl_pem(hf_buf_bytes(&der), &pem);
    struct hf_crl_lists lists;
    for (size_t len = 0; len < hf_buf_len(&der); len++) {
        struct hf_bytes cut = hf_bytes_of(hf_buf_bytes(&der).ptr, len);
        assert_int_not_equal(testcrl_parse(cut, 0, &lists), HF_OK);
    }
    for (size_t len = 0; len + 1 < hf_buf_len(&pem); len++) {
        struct hf_bytes cut = hf_bytes_of(hf_buf_bytes(&pem).ptr, len);
        assert_int_not_equal(testcrl_parse(cut, 0, &lists), HF_OK);
    }
    /* And with something behind it. */
    assert_int_equal(hf_buf_append_str(&der, "x"), HF_OK);
    assert_int_equal(testcrl_parse(hf_buf_bytes(&der), 0, &lists), HF_E_MALFORMED);
}

/* A flipped bit is refused, or makes a list that the issuer hasn't signed. */
static void with_any_bit_flipped_it_decides_nothing(void **state)
{
    (void)state;
    HF_CLEANUP(hf_buf_done) struct hf_buf der = HF_BUF_INIT(1 << 20);
    struct testcrl_spec spec = spec_some();
    testcrl_make(root, &spec, &der);
    uint8_t *mem = malloc(hf_buf_len(&der));
    for (size_t bit = 0; bit < 8 * hf_buf_len(&der); bit++) {
        struct hf_crl_lists lists;
        memcpy(mem, hf_buf_bytes(&der).ptr, hf_buf_len(&der));
        mem[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (testcrl_parse(hf_bytes_of(mem, hf_buf_len(&der)), 0, &lists) == HF_OK) {
            assert_false(hf_crl_verified(lists.item[0], root->cert));
            hf_crl_lists_done(&lists);
        }
    }
    free(mem);
}

static void absurd_lengths_are_refused_at_once(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        enum hf_err err;
    } cases[] = {
        {"\x30\x84\xff\xff\xff\xff", 6, HF_E_TOO_LARGE},
        {"\x30\x85\x01\x00\x00\x00\x00", 7, HF_E_MALFORMED},
        {"\x30\x80", 2, HF_E_MALFORMED},
        {"\x30\x81\x05", 3, HF_E_MALFORMED},
        {"\x30\x82\x00\x80", 4, HF_E_MALFORMED},
        {"\x30\x0a\x30\x84\x0f\xff\xff\xff", 8, HF_E_MALFORMED},
        {"\x30\x84\x0f\xff\xff\xff\x30\x84\x0f\xff\xff\xf0\x30\x84\x0f\xff\xff\x00", 18,
         HF_E_TOO_LARGE},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        struct hf_crl_lists lists;
        assert_int_equal(testcrl_parse(hf_bytes_of(cases[i].bytes, cases[i].len), 0, &lists),
                         cases[i].err);
    }
}

static void limits_hold(void **state)
{
    (void)state;
    HF_CLEANUP(hf_buf_done) struct hf_buf der = HF_BUF_INIT(1 << 20);
    struct testcrl_spec spec = spec_some();
    testcrl_make(root, &spec, &der);
    static const struct hf_crl_limits limits[] = {{100, 10, 1}, {1 << 20, 2, 1}, {1 << 20, 10, 0}};
    for (size_t i = 0; i < HF_N_ELEMENTS(limits); i++) {
        struct hf_crl_reader *reader = NULL;
        assert_int_equal(hf_crl_reader_new(&limits[i], "x", &reader), HF_OK);
        assert_int_equal(hf_crl_reader_feed(reader, hf_buf_bytes(&der)), HF_E_TOO_LARGE);
        assert_int_equal(hf_crl_reader_feed(reader, hf_buf_bytes(&der)), HF_E_MALFORMED);
        hf_crl_reader_free(reader);
    }
}

static void a_file_without_a_list_is_refused(void **state)
{
    (void)state;
    struct hf_crl_lists lists;
    char *cert = testpki_cert_pem(root);
    assert_int_equal(testcrl_parse(hf_bytes_str(cert), 0, &lists), HF_E_NOT_FOUND);
    assert_int_equal(testcrl_parse(hf_bytes_str("nothing\n"), 0, &lists), HF_E_NOT_FOUND);
    assert_int_equal(testcrl_parse(hf_bytes_of(NULL, 0), 0, &lists), HF_E_NOT_FOUND);
    testpki_text_free(cert);
}

static void survives_running_out_of_memory(void **state)
{
    (void)state;
    HF_CLEANUP(hf_buf_done) struct hf_buf der = HF_BUF_INIT(1 << 20);
    struct testcrl_spec spec = spec_some();
    spec.point = "fullname:URI:http://a/1";
    testcrl_make(root, &spec, &der);
    enum hf_err err = HF_E_NOMEM;
    for (size_t n = 1; err != HF_OK; n++) {
        struct hf_crl_lists lists;
        assert_true(n < 100);
        hf_alloc_fail_after(n);
        err = testcrl_parse(hf_buf_bytes(&der), 64, &lists);
        hf_alloc_fail_after(0);
        if (err == HF_OK) {
            hf_crl_lists_done(&lists);
        } else {
            assert_int_equal(err, HF_E_NOMEM);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_all_that_a_list_says),
        cmocka_unit_test(reads_the_least_that_a_list_can_say),
        cmocka_unit_test(dates_are_the_same_in_both_forms),
        cmocka_unit_test(every_signature_algorithm_is_checked),
        cmocka_unit_test(weak_signatures_are_refused),
        cmocka_unit_test(an_issuer_must_have_the_name_and_be_allowed_to_sign_lists),
        cmocka_unit_test(what_cannot_be_obeyed_is_refused_in_words),
        cmocka_unit_test(a_delta_knows_its_base),
        cmocka_unit_test(reasons_that_a_list_covers),
        cmocka_unit_test(any_pieces_give_the_same_list),
        cmocka_unit_test(cut_at_every_byte_it_is_refused),
        cmocka_unit_test(with_any_bit_flipped_it_decides_nothing),
        cmocka_unit_test(absurd_lengths_are_refused_at_once),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(a_file_without_a_list_is_refused),
        cmocka_unit_test(survives_running_out_of_memory),
    };
    return cmocka_run_group_tests(tests, make_root, free_root);
}
