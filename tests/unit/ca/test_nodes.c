// SPDX-License-Identifier: Apache-2.0
/* Two CAs on one store, as two nodes, or a daemon and a command: what one does between another's
 * look at the store and its commit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>

#include "base/mem.h"
#include "ca/authority_make.h"
#include "ca/init.h"
#include "ca/rotate.h"
#include "os/clock.h"
#include "store_world.h"

#define DAY INT64_C(86400)

static struct hf_ca_service *here, *there;

static struct hf_ca_service *open_node(bool create)
{
    struct hf_ca_service *service = NULL;
    const struct hf_ca_service_options options = {
        .store = world_url(), .clock = &world_clock, .rng = &hf_os_rng, .create = create};
    assert_int_equal(hf_ca_service_open(&options, &service), HF_OK);
    return service;
}

static int set_up(void **state)
{
    (void)state;
    const struct hf_ca_new what = {.name = "Example"};
    struct hf_buf none = HF_BUF_INIT(0);
    struct hf_store_profile_put put = {
        .op = {.kind = HF_STORE_PROFILE_PUT, .actor = "test"},
        .profile = {.name = "thing",
                    .yaml = "name: thing\nextends: device\nlifetime: 100d\nrenew-before: 20d\n"
                            "approval: none\nkeys: [p256, rsa2048]\n"}};
    world_reset();
    world_now = 1800000000;
    here = open_node(true);
    assert_int_equal(hf_ca_init(here, "test", &what, &none), HF_OK);
    assert_int_equal(hf_store_do(hf_ca_store(here), &put.op), HF_OK);
    hf_ca_reload(here);
    there = open_node(false);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    world_verify(hf_ca_store(here));
    hf_ca_service_close(here);
    hf_ca_service_close(there);
    return 0;
}

/* A request with this key, which is the caller's; NULL: a new one. */
static struct hf_buf csr_of(EVP_PKEY *key)
{
    struct hf_subject subject = {0};
    struct hf_buf csr = HF_BUF_INIT(1 << 16);
    assert_int_equal(hf_subject_parse("CN=sensor", &subject), HF_OK);
    assert_int_equal(hf_csr_make(&subject, NULL, false, key, &csr), HF_OK);
    hf_subject_done(&subject);
    return csr;
}

static struct hf_ca_op op_of(enum hf_ca_verb verb, const struct hf_buf *csr)
{
    return (struct hf_ca_op){
        .verb = verb,
        .caller = {.name = "peer"},
        .ask = {.profile = "thing", .csr = hf_buf_bytes(csr)},
    };
}

static void expect(struct hf_ca_service *node, struct hf_ca_op *op, enum hf_ca_outcome outcome,
                   const char *says)
{
    hf_ca_run(node, op);
    if (op->outcome != outcome || !strstr(op->text, says)) {
        fail_msg("%s: %s", hf_ca_outcome_name(op->outcome), op->text);
    }
    hf_ca_op_done(op);
}

static int64_t n_certificates(void)
{
    struct hf_store_counts counts;
    assert_int_equal(hf_store_count(hf_ca_store(here), 0, world_now, &counts), HF_OK);
    return counts.certificates;
}

/* --- Renewal -----------------------------------------------------------------------------------
 */

static enum hf_err renew_there(struct hf_ca_op *op)
{
    struct hf_ca_op same = {
        .verb = op->verb, .caller = op->caller, .ask = op->ask, .which = op->which};
    expect(there, &same, HF_CA_DONE, "issued");
    return HF_OK;
}

static void a_request_for_renewal_that_comes_to_two_at_once_is_good_for_one(void **state)
{
    (void)state;
    EVP_PKEY *key = NULL;
    assert_int_equal(hf_key_kind_make(HF_KEY_KIND_P256, &key), HF_OK);
    struct hf_buf csr = csr_of(key);
    struct hf_ca_op op = op_of(HF_CA_VERB_SIGN, &csr);
    op.caller.local = true;
    hf_ca_run(here, &op);
    assert_int_equal(op.outcome, HF_CA_DONE);
    struct hf_ca_op renew = op_of(HF_CA_VERB_RENEW, &csr);
    renew.which.serial = op.identity->serial;
    renew.made = renew_there;
    world_now += 85 * DAY;
    int64_t before = n_certificates();
    expect(here, &renew, HF_CA_CONFLICT, "renewed already");
    assert_int_equal(n_certificates(), before + 1);
    hf_ca_op_done(&op);
    hf_buf_done(&csr);
    EVP_PKEY_free(key);
}

/* --- Authorities -------------------------------------------------------------------------------
 */

static enum hf_err change(const struct hf_authorities *set, enum hf_store_authority_state state)
{
    const struct hf_authority *was = hf_authorities_find(set, "issuing");
    return hf_authority_change(there, "test", was, state, &was->settings);
}

static enum hf_err retire_there(struct hf_ca_op *op)
{
    (void)op;
    struct hf_authorities *set = hf_ca_authorities(there);
    assert_int_equal(change(set, HF_AUTHORITY_RETIRED), HF_OK);
    hf_authorities_unref(set);
    return HF_OK;
}

static void what_an_authority_has_signed_while_it_was_retired_is_not_issued(void **state)
{
    (void)state;
    EVP_PKEY *key = NULL;
    assert_int_equal(hf_key_kind_make(HF_KEY_KIND_P256, &key), HF_OK);
    struct hf_buf csr = csr_of(key);
    struct hf_ca_op op = op_of(HF_CA_VERB_SIGN, &csr);
    op.caller.local = true;
    op.made = retire_there;
    int64_t before = n_certificates();
    expect(here, &op, HF_CA_CONFLICT, "is retired and issues nothing");
    assert_int_equal(n_certificates(), before);
    hf_buf_done(&csr);
    EVP_PKEY_free(key);
}

static void a_change_made_of_what_is_no_more_is_refused(void **state)
{
    (void)state;
    struct hf_authorities *stale = hf_ca_authorities(here);
    struct hf_authorities *set = hf_ca_authorities(there);
    assert_int_equal(change(set, HF_AUTHORITY_RETIRED), HF_OK);
    assert_int_equal(change(stale, HF_AUTHORITY_ACTIVE), HF_E_BUSY);
    hf_authorities_unref(set);
    hf_ca_reload(here);
    set = hf_ca_authorities(here);
    assert_int_equal(hf_authorities_find(set, "issuing")->state, HF_AUTHORITY_RETIRED);
    assert_int_equal(change(set, HF_AUTHORITY_ACTIVE), HF_OK);
    hf_authorities_unref(set);
    hf_authorities_unref(stale);
}

static void ocsp_signers_hold_no_rotation_up(void **state)
{
    (void)state;
    struct hf_rotate_status status;
    const struct hf_rotate_plan plan = {0};
    struct hf_ca_op op = {
        .verb = HF_CA_VERB_ISSUE,
        .caller = {.name = "system", .local = true},
        .ask = {.profile = "ocsp-signer", .authority = "issuing", .name = "OCSP"}};
    expect(here, &op, HF_CA_DONE, "issued");
    assert_int_equal(hf_rotate_start(there, "test", &plan), HF_OK);
    hf_ca_reload(here);
    expect(here, &op, HF_CA_DONE, "issued");
    assert_int_equal(hf_rotate_status(there, &status), HF_OK);
    for (size_t i = 0; i < status.n_roots; i++) {
        assert_int_equal(status.roots[i].good, 0);
    }
    hf_rotate_status_done(&status);
}

/* --- Keys --------------------------------------------------------------------------------------
 */

static BIGNUM *prime(void)
{
    BIGNUM *p = BN_new();
    assert_true(BN_generate_prime_ex(p, 1024, 0, NULL, NULL, NULL));
    return p;
}

static EVP_PKEY *rsa_of(const BIGNUM *p, const BIGNUM *q)
{
    EVP_PKEY *key = NULL;
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *n = BN_new(), *e = BN_new(), *d = BN_new(), *phi = BN_new(), *p1 = BN_dup(p),
           *q1 = BN_dup(q);
    assert_true(BN_mul(n, p, q, ctx) && BN_set_word(e, 65537) && BN_sub_word(p1, 1) &&
                BN_sub_word(q1, 1) && BN_mul(phi, p1, q1, ctx) && BN_mod_inverse(d, e, phi, ctx));
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    assert_true(OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) &&
                OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) &&
                OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_D, d));
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(build);
    EVP_PKEY_CTX *making = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    assert_int_equal(EVP_PKEY_fromdata_init(making), 1);
    assert_int_equal(EVP_PKEY_fromdata(making, &key, EVP_PKEY_KEYPAIR, params), 1);
    EVP_PKEY_CTX_free(making);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    BIGNUM *const used[] = {n, e, d, phi, p1, q1};
    for (size_t i = 0; i < HF_N_ELEMENTS(used); i++) {
        BN_free(used[i]);
    }
    BN_CTX_free(ctx);
    return key;
}

static void sign_rsa(struct hf_ca_service *node, const BIGNUM *p, const BIGNUM *q,
                     enum hf_ca_outcome outcome, const char *says)
{
    EVP_PKEY *key = rsa_of(p, q);
    struct hf_buf csr = csr_of(key);
    struct hf_ca_op op = op_of(HF_CA_VERB_SIGN, &csr);
    op.caller.local = true;
    expect(node, &op, outcome, says);
    hf_buf_done(&csr);
    EVP_PKEY_free(key);
}

static void a_prime_of_a_key_that_another_node_certified_is_known(void **state)
{
    (void)state;
    BIGNUM *p[] = {prime(), prime(), prime(), prime(), prime()};
    sign_rsa(here, p[0], p[1], HF_CA_DONE, "issued"); /* has looked at all there are */
    sign_rsa(there, p[2], p[3], HF_CA_DONE, "issued");
    sign_rsa(here, p[2], p[4], HF_CA_WEAK_KEY, "shares a prime");
    for (size_t i = 0; i < HF_N_ELEMENTS(p); i++) {
        BN_free(p[i]);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_request_for_renewal_that_comes_to_two_at_once_is_good_for_one),
        TEST(what_an_authority_has_signed_while_it_was_retired_is_not_issued),
        TEST(a_change_made_of_what_is_no_more_is_refused),
        TEST(ocsp_signers_hold_no_rotation_up),
        TEST(a_prime_of_a_key_that_another_node_certified_is_known),
    };
    return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}
