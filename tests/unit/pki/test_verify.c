// SPDX-License-Identifier: Apache-2.0
#include "testpki.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

/* Verifies and checks that the outcome is this reason; returns the result for more questions. */
static struct hf_verify_result verify_at(const struct hf_trust *trust, const struct hf_chain *chain,
                                         enum hf_usage usage, const char *name, int64_t now,
                                         enum hf_reason wanted)
{
    struct hf_verify_result result;
    assert_int_equal(hf_trust_verify(trust, chain, usage, name, now, &result), HF_OK);
    if (result.reason != wanted) {
        fail_msg("%s instead of %s: %s", hf_reason_code(result.reason), hf_reason_code(wanted),
                 result.text);
    }
    if (wanted == HF_REASON_OK) {
        assert_non_null(result.path);
        assert_null(result.cert);
        assert_true(result.not_after > 0);
        assert_string_equal(result.text, "");
    } else {
        assert_null(result.path);
        assert_int_equal(result.not_after, 0);
        assert_true(strlen(result.text) > 10);
        assert_true(strlen(result.text) < HF_VERIFY_TEXT_MAX - 1);
    }
    return result;
}

static void expect(const struct hf_trust *trust, const struct hf_chain *chain, enum hf_usage usage,
                   enum hf_reason wanted, int depth, const char *words)
{
    struct hf_verify_result result = verify_at(trust, chain, usage, NULL, TESTPKI_NOW, wanted);
    assert_int_equal(result.depth, depth);
    if (words && !strstr(result.text, words)) {
        fail_msg("\"%s\" is not in: %s", words, result.text);
    }
    hf_verify_result_done(&result);
}

/* A PKI of root, intermediate and client leaf, with the last two as the test wants them. */
struct three {
    struct testpki *root, *middle, *leaf;
    struct hf_chain *chain;
    struct hf_trust *trust;
};

static struct three three_make(const struct testpki_spec *middle, const struct testpki_spec *leaf)
{
    static const struct testpki_spec plain_middle = {.cn = "Issuing", .ca = true};
    static const struct testpki_spec plain_leaf = {.cn = "alice", .eku = "clientAuth"};
    struct three pki;
    pki.root = testpki_root("Root");
    pki.middle = testpki_make(pki.root, middle ? middle : &plain_middle);
    pki.leaf = testpki_make(pki.middle, leaf ? leaf : &plain_leaf);
    pki.chain = testpki_chain(pki.leaf);
    pki.trust = testpki_trust(pki.root, 3);
    return pki;
}

static void three_free(struct three *pki)
{
    hf_trust_unref(pki->trust);
    hf_chain_unref(pki->chain);
    testpki_free(pki->leaf);
    testpki_free(pki->middle);
    testpki_free(pki->root);
}

static void expect_three(const struct testpki_spec *middle, const struct testpki_spec *leaf,
                         enum hf_usage usage, enum hf_reason wanted, int depth, const char *words)
{
    struct three pki = three_make(middle, leaf);
    expect(pki.trust, pki.chain, usage, wanted, depth, words);
    three_free(&pki);
}

/* --- What is good ------------------------------------------------------------------------------
 */

static void good_chain_passes_with_its_path(void **state)
{
    (void)state;
    struct three pki = three_make(NULL, NULL);
    struct hf_verify_result result =
        verify_at(pki.trust, pki.chain, HF_USAGE_CLIENT, NULL, TESTPKI_NOW, HF_REASON_OK);
    assert_int_equal(result.path->n_certs, 3);
    assert_ptr_equal(result.path->certs[0], pki.leaf->cert);
    assert_ptr_equal(result.path->certs[1], pki.middle->cert);
    assert_memory_equal(result.path->certs[2]->sha256, pki.root->cert->sha256, 32);
    assert_int_equal(result.depth, -1);
    hf_verify_result_done(&result);
    three_free(&pki);
}

static void not_after_is_the_earliest_of_the_path(void **state)
{
    (void)state;
    int64_t end = TESTPKI_NOW + 5 * TESTPKI_DAY;
    struct testpki_spec middle = {.cn = "Issuing", .ca = true, .not_after = end};
    struct three pki = three_make(&middle, NULL);
    struct hf_verify_result result =
        verify_at(pki.trust, pki.chain, HF_USAGE_CLIENT, NULL, TESTPKI_NOW, HF_REASON_OK);
    assert_int_equal(result.not_after, end);
    hf_verify_result_done(&result);
    three_free(&pki);
}

static void every_key_type_passes(void **state)
{
    (void)state;
    static const char *const kinds[] = {"P-256", "P-384", "P-521", "ED25519", "RSA-2048"};
    for (size_t i = 0; i < HF_N_ELEMENTS(kinds); i++) {
        struct testpki_spec leaf = {.cn = "a", .eku = "clientAuth", .key = kinds[i]};
        expect_three(NULL, &leaf, HF_USAGE_CLIENT, HF_REASON_OK, -1, NULL);
    }
}

/* Homemade CAs: these fail under X509_V_FLAG_X509_STRICT and must not fail here. */
static void root_of_openssl_req_passes(void **state)
{
    (void)state;
    struct testpki *root =
        testpki_make(NULL, &(struct testpki_spec){.cn = "Home", .ca = true, .ku = ""});
    struct testpki *leaf = testpki_leaf(root, "a", HF_USAGE_CLIENT, NULL);
    struct hf_chain *chain = testpki_chain(leaf);
    struct hf_trust *trust = testpki_trust(root, 0);
    expect(trust, chain, HF_USAGE_CLIENT, HF_REASON_OK, -1, NULL);
    hf_trust_unref(trust);
    hf_chain_unref(chain);
    testpki_free(leaf);
    testpki_free(root);
}

static void root_with_uncritical_constraints_passes(void **state)
{
    (void)state;
    struct testpki *root =
        testpki_make(NULL, &(struct testpki_spec){.cn = "Easy", .ca = true, .bc = "CA:TRUE"});
    struct testpki *leaf = testpki_leaf(root, "a", HF_USAGE_CLIENT, NULL);
    struct hf_chain *chain = testpki_chain(leaf);
    struct hf_trust *trust = testpki_trust(root, 0);
    expect(trust, chain, HF_USAGE_CLIENT, HF_REASON_OK, -1, NULL);
    hf_trust_unref(trust);
    hf_chain_unref(chain);
    testpki_free(leaf);
    testpki_free(root);
}

static void leaf_without_key_identifiers_passes(void **state)
{
    (void)state;
    struct testpki_spec leaf = {.cn = "a", .eku = "clientAuth", .no_key_ids = true};
    expect_three(NULL, &leaf, HF_USAGE_CLIENT, HF_REASON_OK, -1, NULL);
}

static void root_of_version_1_passes(void **state)
{
    (void)state;
    struct testpki *root = testpki_make(NULL, &(struct testpki_spec){.cn = "Old", .v1 = true});
    struct testpki *leaf = testpki_leaf(root, "a", HF_USAGE_CLIENT, NULL);
    struct hf_chain *chain = testpki_chain(leaf);
    struct hf_trust *trust = testpki_trust(root, 0);
    expect(trust, chain, HF_USAGE_CLIENT, HF_REASON_OK, -1, NULL);
    hf_trust_unref(trust);
    hf_chain_unref(chain);
    testpki_free(leaf);
    testpki_free(root);
}

static void self_signed_leaf_among_the_roots_passes(void **state)
{
    (void)state;
    struct testpki *root = testpki_root("Pinned");
    struct hf_chain *chain = testpki_chain(root);
    struct hf_trust *trust = testpki_trust(root, 0);
    expect(trust, chain, HF_USAGE_ANY, HF_REASON_OK, -1, NULL);
    hf_trust_unref(trust);
    hf_chain_unref(chain);
    testpki_free(root);
}

static void chain_in_wrong_order_passes(void **state)
{
    (void)state;
    struct testpki *root = testpki_root("Root");
    struct testpki *a = testpki_intermediate(root, "A");
    struct testpki *b = testpki_intermediate(a, "B");
    struct testpki *leaf = testpki_leaf(b, "x", HF_USAGE_CLIENT, NULL);
    struct hf_chain *chain = testpki_chain_of(leaf, a, root, b, NULL);
    struct hf_trust *trust = testpki_trust(root, 2);
    expect(trust, chain, HF_USAGE_CLIENT, HF_REASON_OK, -1, NULL);
    hf_trust_unref(trust);
    hf_chain_unref(chain);
    testpki_free(leaf);
    testpki_free(b);
    testpki_free(a);
    testpki_free(root);
}

/* An issuing CA certified by an old and by a new root. The peer sends both certificates, with the
 * roots or without, in any order; we have one of the roots. */
static void cross_signed_issuer_finds_the_root_we_have(void **state)
{
    (void)state;
    struct testpki *old_root = testpki_root("Old Root");
    struct testpki *new_root = testpki_root("New Root");
    struct testpki *by_old = testpki_intermediate(old_root, "Issuing");
    struct testpki *by_new = testpki_make(
        new_root, &(struct testpki_spec){.cn = "Issuing", .ca = true, .with_key = by_old->key});
    struct testpki *leaf = testpki_leaf(by_old, "x", HF_USAGE_CLIENT, NULL);
    struct hf_chain *chains[] = {
        testpki_chain_of(leaf, by_new, by_old, NULL),
        testpki_chain_of(leaf, by_old, by_new, NULL),
        testpki_chain_of(leaf, by_old, old_root, by_new, new_root, NULL),
        testpki_chain_of(leaf, by_new, new_root, by_old, old_root, NULL),
        testpki_chain_of(leaf, old_root, new_root, by_old, by_new, NULL),
    };
    const struct testpki *roots[] = {old_root, new_root};
    for (size_t r = 0; r < HF_N_ELEMENTS(roots); r++) {
        struct hf_trust *trust = testpki_trust(roots[r], 1);
        for (size_t c = 0; c < HF_N_ELEMENTS(chains); c++) {
            expect(trust, chains[c], HF_USAGE_CLIENT, HF_REASON_OK, -1, NULL);
        }
        hf_trust_unref(trust);
    }
    for (size_t c = 0; c < HF_N_ELEMENTS(chains); c++) {
        hf_chain_unref(chains[c]);
    }
    testpki_free(leaf);
    testpki_free(by_new);
    testpki_free(by_old);
    testpki_free(new_root);
    testpki_free(old_root);
}

/* When no way leads to a root, the first one is what is told. */
static void dead_ends_all_around_are_refused(void **state)
{
    (void)state;
    struct testpki *ours = testpki_root("Ours");
    struct testpki *a_root = testpki_root("A Root");
    struct testpki *b_root = testpki_root("B Root");
    struct testpki *by_a = testpki_intermediate(a_root, "Issuing");
    struct testpki *by_b = testpki_make(
        b_root, &(struct testpki_spec){.cn = "Issuing", .ca = true, .with_key = by_a->key});
    struct testpki *leaf = testpki_leaf(by_a, "x", HF_USAGE_CLIENT, NULL);
    struct hf_trust *trust = testpki_trust(ours, 3);
    struct hf_chain *chain = testpki_chain_of(leaf, by_a, a_root, by_b, b_root, NULL);
    expect(trust, chain, HF_USAGE_CLIENT, HF_REASON_UNKNOWN_CA, 2, "\"CN=A Root\"");
    hf_chain_unref(chain);
    chain = testpki_chain_of(leaf, by_b, by_a, NULL);
    expect(trust, chain, HF_USAGE_CLIENT, HF_REASON_UNKNOWN_CA, 1, "\"CN=B Root\"");
    hf_chain_unref(chain);
    hf_trust_unref(trust);
    testpki_free(leaf);
    testpki_free(by_b);
    testpki_free(by_a);
    testpki_free(b_root);
    testpki_free(a_root);
    testpki_free(ours);
}

/* --- Who issued it -----------------------------------------------------------------------------
 */

static void stranger_ca_is_unknown(void **state)
{
    (void)state;
    struct three ours = three_make(NULL, NULL);
    struct testpki *stranger = testpki_root("Stranger");
    struct testpki *leaf = testpki_leaf(stranger, "mallory", HF_USAGE_CLIENT, NULL);
    struct hf_chain *chain = testpki_chain(leaf);
    expect(ours.trust, chain, HF_USAGE_CLIENT, HF_REASON_UNKNOWN_CA, 0, "\"CN=Stranger\"");
    hf_chain_unref(chain);
    chain = testpki_chain_of(leaf, stranger, NULL);
    expect(ours.trust, chain, HF_USAGE_CLIENT, HF_REASON_UNKNOWN_CA, 1, "\"CN=Stranger\"");
    hf_chain_unref(chain);
    testpki_free(leaf);
    testpki_free(stranger);
    three_free(&ours);
}

static void ca_made_anew_is_told(void **state)
{
    (void)state;
    struct testpki *before = testpki_root("Root");
    struct testpki *after = testpki_root("Root");
    struct testpki *leaf = testpki_leaf(after, "x", HF_USAGE_CLIENT, NULL);
    struct hf_chain *chain = testpki_chain(leaf);
    struct hf_trust *trust = testpki_trust(before, 1);
    expect(trust, chain, HF_USAGE_CLIENT, HF_REASON_UNKNOWN_CA, 0, "another key");
    hf_chain_unref(chain);
    chain = testpki_chain_of(leaf, after, NULL);
    expect(trust, chain, HF_USAGE_CLIENT, HF_REASON_UNKNOWN_CA, 1, "another key");
    hf_chain_unref(chain);
    hf_trust_unref(trust);
    testpki_free(leaf);
    testpki_free(after);
    testpki_free(before);
}

static void self_signed_leaf_is_told(void **state)
{
    (void)state;
    struct three ours = three_make(NULL, NULL);
    struct testpki *self =
        testpki_make(NULL, &(struct testpki_spec){.cn = "self", .eku = "clientAuth"});
    struct hf_chain *chain = testpki_chain(self);
    expect(ours.trust, chain, HF_USAGE_CLIENT, HF_REASON_SELF_SIGNED, 0, "\"CN=self\"");
    hf_chain_unref(chain);
    testpki_free(self);
    three_free(&ours);
}

static void missing_intermediate_is_guessed_by_organization(void **state)
{
    (void)state;
    struct testpki *root =
        testpki_make(NULL, &(struct testpki_spec){.cn = "Root", .o = "Acme", .ca = true});
    struct testpki *middle =
        testpki_make(root, &(struct testpki_spec){.cn = "Issuing", .o = "Acme", .ca = true});
    struct testpki *leaf = testpki_leaf(middle, "x", HF_USAGE_CLIENT, NULL);
    struct hf_chain *chain = testpki_chain_of(leaf, NULL);
    struct hf_trust *trust = testpki_trust(root, 1);
    expect(trust, chain, HF_USAGE_CLIENT, HF_REASON_MISSING_INTERMEDIATE, 0,
           "\"CN=Issuing,O=Acme\"");
    hf_chain_unref(chain);
    hf_trust_unref(trust);
    testpki_free(leaf);
    testpki_free(middle);
    testpki_free(root);
}

/* Partial chains are off: an intermediate among the roots is not an end. */
static void intermediate_in_roots_is_no_anchor(void **state)
{
    (void)state;
    struct three pki = three_make(NULL, NULL);
    struct testpki *other = testpki_root("Other");
    char *a = testpki_cert_pem(pki.middle);
    char *b = testpki_cert_pem(other);
    char both[8192];
    snprintf(both, sizeof(both), "%s%s", a, b);
    struct hf_trust *trust = NULL;
    struct hf_trust_source source = {
        .name = "mixed", .roots = hf_bytes_str(both), .roots_label = "r", .depth = 3};
    assert_int_equal(hf_trust_new(&source, &trust), HF_OK);
    struct hf_verify_result result =
        verify_at(trust, pki.chain, HF_USAGE_CLIENT, NULL, TESTPKI_NOW, HF_REASON_UNKNOWN_CA);
    hf_verify_result_done(&result);
    hf_trust_unref(trust);
    testpki_text_free(a);
    testpki_text_free(b);
    testpki_free(other);
    three_free(&pki);
}

/* --- Signatures, flags, lengths ----------------------------------------------------------------
 */

static void wrong_signature_is_told(void **state)
{
    (void)state;
    struct three pki = three_make(NULL, NULL);
    struct testpki twin = *pki.middle;
    twin.key = testpki_key(NULL); /* the intermediate's name and key identifier, another key */
    struct testpki *leaf = testpki_leaf(&twin, "mallory", HF_USAGE_CLIENT, NULL);
    struct hf_chain *chain = testpki_chain_of(leaf, pki.middle, NULL);
    expect(pki.trust, chain, HF_USAGE_CLIENT, HF_REASON_BAD_SIGNATURE, 0, "\"CN=Issuing\"");
    hf_chain_unref(chain);
    testpki_free(leaf);
    EVP_PKEY_free(twin.key);
    three_free(&pki);
}

static void leaf_that_signs_is_not_a_ca(void **state)
{
    (void)state;
    struct testpki_spec middle = {.cn = "bob", .eku = "clientAuth", .ku = ""};
    expect_three(&middle, NULL, HF_USAGE_CLIENT, HF_REASON_NOT_A_CA, 1, "\"CN=bob\"");
}

static void ca_without_basic_constraints_is_not_a_ca(void **state)
{
    (void)state;
    struct testpki_spec middle = {.cn = "Issuing", .ca = true, .bc = ""};
    expect_three(&middle, NULL, HF_USAGE_CLIENT, HF_REASON_NOT_A_CA, 1, "is not a CA");
}

static void intermediate_of_version_1_is_not_a_ca(void **state)
{
    (void)state;
    struct testpki_spec middle = {.cn = "Issuing", .v1 = true};
    expect_three(&middle, NULL, HF_USAGE_CLIENT, HF_REASON_NOT_A_CA, 1, "\"CN=Issuing\"");
}

static void ca_without_cert_sign_is_not_a_ca(void **state)
{
    (void)state;
    struct testpki_spec middle = {.cn = "Issuing", .ca = true, .ku = "critical,cRLSign"};
    struct three pki = three_make(&middle, NULL);
    struct hf_verify_result result;
    assert_int_equal(
        hf_trust_verify(pki.trust, pki.chain, HF_USAGE_CLIENT, NULL, TESTPKI_NOW, &result), HF_OK);
    assert_int_not_equal(result.reason, HF_REASON_OK);
    hf_verify_result_done(&result);
    three_free(&pki);
}

static void path_length_is_kept(void **state)
{
    (void)state;
    struct testpki *root = testpki_root("Root");
    struct testpki *a =
        testpki_make(root, &(struct testpki_spec){.cn = "A", .ca = true, .path_len = 1});
    struct testpki *b = testpki_intermediate(a, "B");
    struct testpki *leaf = testpki_leaf(b, "x", HF_USAGE_CLIENT, NULL);
    struct hf_chain *chain = testpki_chain(leaf);
    struct hf_trust *trust = testpki_trust(root, 5);
    expect(trust, chain, HF_USAGE_CLIENT, HF_REASON_PATH_LENGTH, 2, "at most 0");
    hf_trust_unref(trust);
    hf_chain_unref(chain);
    testpki_free(leaf);
    testpki_free(b);
    testpki_free(a);
    testpki_free(root);
}

static void depth_counts_cas_between_leaf_and_root(void **state)
{
    (void)state;
    struct testpki *root = testpki_root("Root");
    struct testpki *a = testpki_intermediate(root, "A");
    struct testpki *b = testpki_intermediate(a, "B");
    struct testpki *leaf = testpki_leaf(b, "x", HF_USAGE_CLIENT, NULL);
    struct hf_chain *chain = testpki_chain(leaf);
    for (unsigned depth = 0; depth <= 3; depth++) {
        struct hf_trust *trust = testpki_trust(root, depth);
        struct hf_verify_result result =
            verify_at(trust, chain, HF_USAGE_CLIENT, NULL, TESTPKI_NOW,
                      depth < 2 ? HF_REASON_PATH_TOO_DEEP : HF_REASON_OK);
        hf_verify_result_done(&result);
        hf_trust_unref(trust);
    }
    hf_chain_unref(chain);
    testpki_free(leaf);
    testpki_free(b);
    testpki_free(a);
    testpki_free(root);
}

static void name_constraint_is_kept(void **state)
{
    (void)state;
    struct testpki_spec middle = {.cn = "Issuing", .ca = true, .nc = "permitted;DNS:example.org"};
    struct testpki_spec inside = {.cn = "a", .eku = "clientAuth", .san = "DNS:x.example.org"};
    struct testpki_spec outside = {.cn = "a", .eku = "clientAuth", .san = "DNS:x.example.com"};
    expect_three(&middle, &inside, HF_USAGE_CLIENT, HF_REASON_OK, -1, NULL);
    expect_three(&middle, &outside, HF_USAGE_CLIENT, HF_REASON_NAME_CONSTRAINT, 0, "outside");
}

static void excluded_name_is_refused(void **state)
{
    (void)state;
    struct testpki_spec middle = {.cn = "Issuing", .ca = true, .nc = "excluded;DNS:example.org"};
    struct testpki_spec leaf = {.cn = "a", .eku = "clientAuth", .san = "DNS:x.example.org"};
    expect_three(&middle, &leaf, HF_USAGE_CLIENT, HF_REASON_NAME_CONSTRAINT, 0, "must not");
}

static void unknown_critical_extension_is_refused(void **state)
{
    (void)state;
    struct testpki_spec leaf = {.cn = "a", .eku = "clientAuth", .critical = "1.3.6.1.4.1.99999.7"};
    expect_three(NULL, &leaf, HF_USAGE_CLIENT, HF_REASON_CRITICAL_EXTENSION, 0,
                 "1.3.6.1.4.1.99999.7");
}

static void extension_that_is_there_twice_is_told(void **state)
{
    (void)state;
    struct testpki_spec middle = {.cn = "Issuing", .ca = true, .san = "DNS:a", .san_twice = true};
    struct testpki_spec leaf = {.cn = "a", .eku = "clientAuth", .san = "DNS:a", .san_twice = true};
    expect_three(NULL, &leaf, HF_USAGE_CLIENT, HF_REASON_BAD_CERTIFICATE, 0, "\"CN=a\" is broken");
    expect_three(&middle, NULL, HF_USAGE_CLIENT, HF_REASON_BAD_CERTIFICATE, 0,
                 "\"CN=Issuing\" is broken");
}

/* --- Strength ----------------------------------------------------------------------------------
 */

static void weak_rsa_key_is_refused(void **state)
{
    (void)state;
    struct testpki_spec leaf = {.cn = "a", .eku = "clientAuth", .key = "RSA-1024"};
    expect_three(NULL, &leaf, HF_USAGE_CLIENT, HF_REASON_WEAK_KEY, 0, "RSA 1024");
}

static void weak_ca_key_is_refused(void **state)
{
    (void)state;
    struct testpki_spec middle = {.cn = "Issuing", .ca = true, .key = "RSA-1024"};
    expect_three(&middle, NULL, HF_USAGE_CLIENT, HF_REASON_WEAK_KEY, 1, "RSA 1024");
}

static void sha1_signature_is_refused(void **state)
{
    (void)state;
    struct testpki_spec leaf = {.cn = "a", .eku = "clientAuth", .md = "SHA1"};
    expect_three(NULL, &leaf, HF_USAGE_CLIENT, HF_REASON_WEAK_SIGNATURE, 0, "SHA1");
}

/* --- Dates -------------------------------------------------------------------------------------
 */

static void expired_leaf_says_how_long_ago(void **state)
{
    (void)state;
    struct testpki_spec leaf = {
        .cn = "alice", .eku = "clientAuth", .not_after = TESTPKI_NOW - 3 * TESTPKI_DAY - 4 * 3600};
    expect_three(NULL, &leaf, HF_USAGE_CLIENT, HF_REASON_EXPIRED, 0,
                 "the certificate \"CN=alice\" expired 3 d 4 h ago, at 2027-01-12T04:00:00Z");
}

static void leaf_of_tomorrow_says_check_the_clock(void **state)
{
    (void)state;
    struct testpki_spec leaf = {
        .cn = "alice", .eku = "clientAuth", .not_before = TESTPKI_NOW + 120};
    expect_three(NULL, &leaf, HF_USAGE_CLIENT, HF_REASON_NOT_YET_VALID, 0,
                 "not valid for another 2 min, until 2027-01-15T08:02:00Z; check the clock");
}

static void expired_intermediate_is_the_one_told(void **state)
{
    (void)state;
    struct testpki_spec middle = {
        .cn = "Issuing", .ca = true, .not_after = TESTPKI_NOW - TESTPKI_DAY};
    expect_three(&middle, NULL, HF_USAGE_CLIENT, HF_REASON_EXPIRED, 1,
                 "the CA certificate \"CN=Issuing\" expired 1 d ago");
}

/* RFC 5280 counts the last second as valid, libcrypto as over: the careful reading is kept. */
static void dates_are_kept_to_the_second(void **state)
{
    (void)state;
    int64_t end = TESTPKI_NOW + 1000;
    struct testpki_spec leaf = {.cn = "a", .not_before = TESTPKI_NOW, .not_after = end};
    struct three pki = three_make(NULL, &leaf);
    static const struct {
        int64_t from_start;
        enum hf_reason reason;
    } cases[] = {{-1, HF_REASON_NOT_YET_VALID},
                 {0, HF_REASON_OK},
                 {999, HF_REASON_OK},
                 {1000, HF_REASON_EXPIRED}};
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        struct hf_verify_result result =
            verify_at(pki.trust, pki.chain, HF_USAGE_CLIENT, NULL,
                      TESTPKI_NOW + cases[i].from_start, cases[i].reason);
        hf_verify_result_done(&result);
    }
    three_free(&pki);
}

static void end_of_time_is_no_end(void **state)
{
    (void)state;
    struct testpki_spec leaf = {.cn = "a", .not_after = INT64_C(253402300799)};
    struct three pki = three_make(NULL, &leaf);
    assert_int_equal(pki.leaf->cert->not_after, INT64_MAX);
    expect(pki.trust, pki.chain, HF_USAGE_CLIENT, HF_REASON_OK, -1, NULL);
    three_free(&pki);
}

/* --- Usage -------------------------------------------------------------------------------------
 */

static void server_certificate_is_no_client(void **state)
{
    (void)state;
    struct testpki_spec leaf = {.cn = "web", .eku = "serverAuth"};
    expect_three(NULL, &leaf, HF_USAGE_CLIENT, HF_REASON_WRONG_USAGE, 0,
                 "is for servers only: its extended key usage lacks clientAuth");
    expect_three(NULL, &leaf, HF_USAGE_SERVER, HF_REASON_OK, -1, NULL);
}

static void client_certificate_is_no_server(void **state)
{
    (void)state;
    struct testpki_spec leaf = {.cn = "alice", .eku = "clientAuth"};
    expect_three(NULL, &leaf, HF_USAGE_SERVER, HF_REASON_WRONG_USAGE, 0,
                 "is for clients only: its extended key usage lacks serverAuth");
}

static void other_usages_are_listed(void **state)
{
    (void)state;
    struct testpki_spec leaf = {.cn = "a", .eku = "codeSigning,emailProtection"};
    expect_three(NULL, &leaf, HF_USAGE_CLIENT, HF_REASON_WRONG_USAGE, 0,
                 "is for emailProtection, codeSigning: its extended key usage lacks clientAuth");
    expect_three(NULL, &leaf, HF_USAGE_ANY, HF_REASON_OK, -1, NULL);
}

static void no_extended_usage_is_good_for_all(void **state)
{
    (void)state;
    struct testpki_spec leaf = {.cn = "a"};
    expect_three(NULL, &leaf, HF_USAGE_CLIENT, HF_REASON_OK, -1, NULL);
    expect_three(NULL, &leaf, HF_USAGE_SERVER, HF_REASON_OK, -1, NULL);
}

static void key_usage_without_signature_is_refused(void **state)
{
    (void)state;
    struct testpki_spec leaf = {.cn = "a", .eku = "clientAuth", .ku = "critical,keyEncipherment"};
    expect_three(NULL, &leaf, HF_USAGE_CLIENT, HF_REASON_WRONG_USAGE, 0,
                 "its key usage lacks digitalSignature");
}

static void usage_of_the_ca_limits_its_leaves(void **state)
{
    (void)state;
    struct testpki_spec middle = {.cn = "Issuing", .ca = true, .eku = "serverAuth"};
    expect_three(&middle, NULL, HF_USAGE_CLIENT, HF_REASON_WRONG_USAGE, 1,
                 "the CA certificate \"CN=Issuing\" is for servers only");
}

static void dates_are_told_before_usage(void **state)
{
    (void)state;
    struct testpki_spec leaf = {
        .cn = "web", .eku = "serverAuth", .not_after = TESTPKI_NOW - TESTPKI_DAY};
    expect_three(NULL, &leaf, HF_USAGE_CLIENT, HF_REASON_EXPIRED, 0, NULL);
}

/* --- Names -------------------------------------------------------------------------------------
 */

static void expect_name(const struct three *pki, const char *name, enum hf_reason wanted,
                        const char *words)
{
    struct hf_verify_result result =
        verify_at(pki->trust, pki->chain, HF_USAGE_SERVER, name, TESTPKI_NOW, wanted);
    if (words && !strstr(result.text, words)) {
        fail_msg("\"%s\" is not in: %s", words, result.text);
    }
    hf_verify_result_done(&result);
}

static void server_name_is_checked(void **state)
{
    (void)state;
    struct testpki_spec leaf = {.cn = "db.example",
                                .eku = "serverAuth",
                                .san = "DNS:db.example,DNS:*.x.example,IP:10.0.0.1"};
    struct three pki = three_make(NULL, &leaf);
    expect_name(&pki, "db.example", HF_REASON_OK, NULL);
    expect_name(&pki, "DB.Example.", HF_REASON_OK, NULL);
    expect_name(&pki, "a.x.example", HF_REASON_OK, NULL);
    expect_name(&pki, "10.0.0.1", HF_REASON_OK, NULL);
    expect_name(&pki, "a.b.x.example", HF_REASON_WRONG_NAME, "db.example, *.x.example");
    expect_name(&pki, "x.example", HF_REASON_WRONG_NAME, NULL);
    expect_name(&pki, "10.0.0.2", HF_REASON_WRONG_NAME, "is for 10.0.0.1, not for 10.0.0.2");
    expect_name(&pki, "", HF_REASON_WRONG_NAME, NULL);
    expect_name(&pki, ".", HF_REASON_WRONG_NAME, NULL);
    three_free(&pki);
}

static void common_name_is_never_a_host(void **state)
{
    (void)state;
    struct testpki_spec leaf = {.cn = "db.example", .eku = "serverAuth"};
    struct three pki = three_make(NULL, &leaf);
    expect_name(&pki, "db.example", HF_REASON_WRONG_NAME, "a CN does not count");
    three_free(&pki);
}

/* --- Edges -------------------------------------------------------------------------------------
 */

static void empty_chain_is_no_certificate(void **state)
{
    (void)state;
    struct three pki = three_make(NULL, NULL);
    struct hf_chain *empty = NULL;
    assert_int_equal(hf_chain_new(NULL, 0, &empty), HF_OK);
    struct hf_verify_result result;
    assert_int_equal(hf_trust_verify(pki.trust, empty, HF_USAGE_CLIENT, NULL, TESTPKI_NOW, &result),
                     HF_OK);
    assert_int_equal(result.reason, HF_REASON_NO_CERTIFICATE);
    hf_verify_result_done(&result);
    hf_chain_unref(empty);
    three_free(&pki);
}

static void sentences_fit_with_the_longest_names(void **state)
{
    (void)state;
    char name[65];
    memset(name, 'x', 64);
    name[64] = '\0';
    struct testpki_spec middle = {.cn = name, .o = name, .ca = true};
    struct testpki_spec leaf = {.cn = name, .o = name, .eku = "codeSigning"};
    expect_three(&middle, &leaf, HF_USAGE_CLIENT, HF_REASON_WRONG_USAGE, 0, "clientAuth");
}

static void failing_allocations_never_admit(void **state)
{
    (void)state;
    struct three pki = three_make(NULL, NULL);
    bool done = false;
    for (size_t n = 1; !done; n++) {
        struct hf_verify_result result;
        hf_alloc_fail_after(n);
        enum hf_err err =
            hf_trust_verify(pki.trust, pki.chain, HF_USAGE_CLIENT, NULL, TESTPKI_NOW, &result);
        hf_alloc_fail_after(0);
        done = err == HF_OK;
        if (!done) {
            assert_int_equal(err, HF_E_NOMEM);
            assert_int_not_equal(result.reason, HF_REASON_OK);
        } else {
            assert_int_equal(result.reason, HF_REASON_OK);
        }
        hf_verify_result_done(&result);
        assert_true(n < 100);
    }
    three_free(&pki);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_chain_passes_with_its_path),
        cmocka_unit_test(not_after_is_the_earliest_of_the_path),
        cmocka_unit_test(every_key_type_passes),
        cmocka_unit_test(root_of_openssl_req_passes),
        cmocka_unit_test(root_with_uncritical_constraints_passes),
        cmocka_unit_test(leaf_without_key_identifiers_passes),
        cmocka_unit_test(root_of_version_1_passes),
        cmocka_unit_test(self_signed_leaf_among_the_roots_passes),
        cmocka_unit_test(chain_in_wrong_order_passes),
        cmocka_unit_test(cross_signed_issuer_finds_the_root_we_have),
        cmocka_unit_test(dead_ends_all_around_are_refused),
        cmocka_unit_test(stranger_ca_is_unknown),
        cmocka_unit_test(ca_made_anew_is_told),
        cmocka_unit_test(self_signed_leaf_is_told),
        cmocka_unit_test(missing_intermediate_is_guessed_by_organization),
        cmocka_unit_test(intermediate_in_roots_is_no_anchor),
        cmocka_unit_test(wrong_signature_is_told),
        cmocka_unit_test(leaf_that_signs_is_not_a_ca),
        cmocka_unit_test(ca_without_basic_constraints_is_not_a_ca),
        cmocka_unit_test(intermediate_of_version_1_is_not_a_ca),
        cmocka_unit_test(ca_without_cert_sign_is_not_a_ca),
        cmocka_unit_test(path_length_is_kept),
        cmocka_unit_test(depth_counts_cas_between_leaf_and_root),
        cmocka_unit_test(name_constraint_is_kept),
        cmocka_unit_test(excluded_name_is_refused),
        cmocka_unit_test(unknown_critical_extension_is_refused),
        cmocka_unit_test(extension_that_is_there_twice_is_told),
        cmocka_unit_test(weak_rsa_key_is_refused),
        cmocka_unit_test(weak_ca_key_is_refused),
        cmocka_unit_test(sha1_signature_is_refused),
        cmocka_unit_test(expired_leaf_says_how_long_ago),
        cmocka_unit_test(leaf_of_tomorrow_says_check_the_clock),
        cmocka_unit_test(expired_intermediate_is_the_one_told),
        cmocka_unit_test(dates_are_kept_to_the_second),
        cmocka_unit_test(end_of_time_is_no_end),
        cmocka_unit_test(server_certificate_is_no_client),
        cmocka_unit_test(client_certificate_is_no_server),
        cmocka_unit_test(other_usages_are_listed),
        cmocka_unit_test(no_extended_usage_is_good_for_all),
        cmocka_unit_test(key_usage_without_signature_is_refused),
        cmocka_unit_test(usage_of_the_ca_limits_its_leaves),
        cmocka_unit_test(dates_are_told_before_usage),
        cmocka_unit_test(server_name_is_checked),
        cmocka_unit_test(common_name_is_never_a_host),
        cmocka_unit_test(empty_chain_is_no_certificate),
        cmocka_unit_test(sentences_fit_with_the_longest_names),
        cmocka_unit_test(failing_allocations_never_admit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
