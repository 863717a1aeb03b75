// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "proxy/crl_points.h"
#include "proxy/crl_proof.h"
#include "testcrl.h"

static struct testpki *root, *sub, *rekeyed;
static struct hf_crl_provers known;

static int make_all(void **state)
{
    (void)state;
    struct testpki_spec again = {.cn = "Sub", .ca = true};
    bool is_new;
    root = testpki_root("Root");
    sub = testpki_intermediate(root, "Sub");
    rekeyed = testpki_make(root, &again);
    assert_int_equal(hf_crl_provers_add(&known, root->cert, &is_new), HF_OK);
    assert_true(is_new);
    assert_int_equal(hf_crl_provers_add(&known, root->cert, &is_new), HF_OK);
    assert_false(is_new);
    return 0;
}

static int free_all(void **state)
{
    (void)state;
    hf_crl_provers_done(&known);
    testpki_free(rekeyed);
    testpki_free(sub);
    testpki_free(root);
    return 0;
}

static struct hf_crl_lists lists_of(const struct testpki *issuer, struct testcrl_spec spec)
{
    struct hf_crl_lists lists = {hf_alloc_zero(1, sizeof(struct hf_crl *)), 1};
    lists.item[0] = testcrl_read(issuer, &spec);
    return lists;
}

/* What becomes of `next` after `now`; both are freed. */
static enum hf_err admit(const struct hf_crl_provers *provers, struct hf_crl_lists now,
                         struct hf_crl_lists next)
{
    enum hf_err err = hf_crl_admit(provers, &now, &next, TESTPKI_NOW);
    hf_crl_lists_done(&now);
    hf_crl_lists_done(&next);
    return err;
}

static const struct hf_crl_lists none;

static void a_signature_proves_or_disproves_where_the_issuer_is_known(void **state)
{
    (void)state;
    struct testcrl_spec by_another = {.number = "1", .with_key = sub->key};
    struct hf_crl *good = testcrl_read(root, &(struct testcrl_spec){.number = "1"});
    struct hf_crl *forged = testcrl_read(root, &by_another);
    struct hf_crl *unknown = testcrl_read(sub, &(struct testcrl_spec){.number = "1"});
    struct hf_cert *by = NULL;
    assert_int_equal(hf_crl_proof(&known, good, &by), HF_CRL_PROVEN);
    assert_ptr_equal(by, root->cert);
    assert_int_equal(hf_crl_proof(&known, forged, NULL), HF_CRL_DISPROVEN);
    assert_int_equal(hf_crl_proof(&known, unknown, NULL), HF_CRL_UNPROVEN);
    struct hf_crl_lists two = {(struct hf_crl *[]){unknown, forged}, 2};
    assert_true(hf_crl_lists_disproven(&known, &two));
    two.n = 1;
    assert_false(hf_crl_lists_disproven(&known, &two));
    hf_crl_unref(good);
    hf_crl_unref(forged);
    hf_crl_unref(unknown);
}

static void what_is_forged_early_or_older_is_refused(void **state)
{
    (void)state;
    struct testcrl_spec nine = {.number = "9"}, ten = {.number = "10"};
    struct testcrl_spec forged = {.number = "11", .with_key = sub->key};
    struct testcrl_spec early = {.number = "11", .this_update = TESTPKI_NOW + 3600};
    struct testcrl_spec delta = {.number = "11", .base = "10"};
    assert_int_equal(admit(&known, none, lists_of(root, nine)), HF_OK);
    assert_int_equal(admit(&known, lists_of(root, nine), lists_of(root, ten)), HF_OK);
    assert_int_equal(admit(&known, lists_of(root, nine), lists_of(root, nine)), HF_OK);
    assert_int_equal(admit(&known, lists_of(root, ten), lists_of(root, nine)), HF_E_MISMATCH);
    assert_int_equal(admit(&known, lists_of(root, ten), lists_of(root, forged)), HF_E_DENIED);
    assert_int_equal(admit(&known, lists_of(root, ten), lists_of(root, early)), HF_E_INVALID);
    /* A good list of another CA, or a delta, where the base was: the base would be gone. */
    assert_int_equal(admit(&known, lists_of(root, ten), lists_of(sub, ten)), HF_E_MISMATCH);
    assert_int_equal(admit(&known, lists_of(root, ten), lists_of(root, delta)), HF_E_MISMATCH);
}

static void a_forged_number_keeps_nobody_out(void **state)
{
    (void)state;
    struct testcrl_spec huge = {.number = "99999", .with_key = rekeyed->key};
    struct testcrl_spec ten = {.number = "10"}, nine = {.number = "9"};
    struct hf_crl_provers provers = {0};
    bool is_new;
    /* Before its issuer is known a number is a number. */
    assert_int_equal(admit(&provers, lists_of(sub, huge), lists_of(sub, ten)), HF_E_MISMATCH);
    assert_int_equal(hf_crl_provers_add(&provers, sub->cert, &is_new), HF_OK);
    assert_int_equal(admit(&provers, lists_of(sub, huge), lists_of(sub, ten)), HF_OK);
    assert_int_equal(admit(&provers, lists_of(sub, ten), lists_of(sub, huge)), HF_E_DENIED);
    /* A CA that began anew with another key, and whose lists don't name it. */
    struct testcrl_spec old = {.number = "10", .no_key_id = true};
    struct testcrl_spec anew = {.number = "1", .no_key_id = true};
    assert_int_equal(hf_crl_provers_add(&provers, rekeyed->cert, &is_new), HF_OK);
    assert_true(is_new);
    assert_int_equal(admit(&provers, lists_of(sub, old), lists_of(rekeyed, anew)), HF_OK);
    assert_int_equal(admit(&provers, lists_of(sub, ten), lists_of(sub, nine)), HF_E_MISMATCH);
    hf_crl_provers_done(&provers);
}

static char seen[512];

static void note_url(void *ctx, const char *url)
{
    (void)ctx;
    strcat(strcat(seen, url), " ");
}

static void points_are_urls_only(void **state)
{
    (void)state;
    struct testpki_spec spec = {
        .cn = "x", .cdp = "URI:http://a/1.crl,URI:ldap://b/,URI:HTTPS://c/2.crl,URI:http://a/ b"};
    struct testpki_spec bare = {.cn = "y"};
    struct testpki *one = testpki_make(root, &spec), *two = testpki_make(root, &spec);
    struct testpki *none_at_all = testpki_make(root, &bare);
    hf_crl_points(one->cert, note_url, NULL);
    assert_string_equal(seen, "http://a/1.crl HTTPS://c/2.crl ");
    assert_int_equal(hf_crl_points_hash(one->cert), hf_crl_points_hash(two->cert));
    assert_int_not_equal(hf_crl_points_hash(one->cert), 0);
    assert_int_equal(hf_crl_points_hash(none_at_all->cert), 0);
    testpki_free(one);
    testpki_free(two);
    testpki_free(none_at_all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signature_proves_or_disproves_where_the_issuer_is_known),
        cmocka_unit_test(what_is_forged_early_or_older_is_refused),
        cmocka_unit_test(a_forged_number_keeps_nobody_out),
        cmocka_unit_test(points_are_urls_only),
    };
    return cmocka_run_group_tests(tests, make_all, free_all);
}
