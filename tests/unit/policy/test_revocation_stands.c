// SPDX-License-Identifier: Apache-2.0
/* The quick question beside the full one: whatever it is sure of, hf_revocation_judge says in the
 * same words; what it isn't sure of is told here. */
#include "policy/revocation_stands.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "testcrl.h"

#include <cmocka.h>

static struct testpki *root, *sub, *leaf;
static struct hf_chain *path, *above;
static struct hf_identity *identity;
static char leaf_serial[64], sub_serial[64];

static void serial_of(const struct testpki *one, char out[static 64])
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(one->x509), NULL);
    char *hex = BN_bn2hex(number);
    snprintf(out, 64, "%s", hex);
    OPENSSL_free(hex);
    BN_free(number);
}

static int make_world(void **state)
{
    (void)state;
    root = testpki_root("Root");
    sub = testpki_intermediate(root, "Sub");
    leaf = testpki_leaf(sub, "alice", HF_USAGE_CLIENT, NULL);
    struct hf_cert *certs[] = {leaf->cert, sub->cert, root->cert};
    assert_int_equal(hf_chain_new(certs, 3, &path), HF_OK);
    assert_int_equal(hf_chain_new(certs + 1, 2, &above), HF_OK);
    assert_int_equal(hf_identity_new(leaf->cert, &identity), HF_OK);
    serial_of(leaf, leaf_serial);
    serial_of(sub, sub_serial);
    return 0;
}

static int free_world(void **state)
{
    (void)state;
    hf_identity_unref(identity);
    hf_chain_unref(above);
    hf_chain_unref(path);
    testpki_free(leaf);
    testpki_free(sub);
    testpki_free(root);
    return 0;
}

/* --- Worlds -------------------------------------------------------------------------------------
 */

enum list {
    NO_LIST,
    CLEAN,
    LEAF_REVOKED,
    LEAF_HELD,
    SUB_REVOKED,
    OTHERS_REVOKED,
    STALE,
    STALE_BUT_REVOKED,
    FUTURE,
};

/* Lists of the root and of the issuing CA, a selector that is denied, other sources. */
struct world {
    const char *name;
    bool lists;
    enum list of_root, of_sub;
    const char *denied;
    int64_t until; /* of the denial */
    bool ocsp;
    enum hf_standing standing;
    const char *code; /* of the fallen */
    int depth;
};

static struct hf_crl *read_list(const struct testpki *ca, enum list kind)
{
    static const int hold = 6, key_compromise = 1;
    const struct testcrl_entry entry = {kind == SUB_REVOKED      ? sub_serial
                                        : kind == OTHERS_REVOKED ? "4711"
                                                                 : leaf_serial,
                                        kind == LEAF_HELD ? hold : key_compromise, 0};
    bool old = kind == STALE || kind == STALE_BUT_REVOKED;
    const struct testcrl_spec spec = {
        .number = "1",
        .entries = &entry,
        .n_entries = kind != CLEAN && kind != STALE && kind != FUTURE,
        .this_update = old              ? TESTPKI_NOW - TESTPKI_DAY
                       : kind == FUTURE ? TESTPKI_NOW + TESTPKI_DAY
                                        : 0,
        .next_update = old              ? TESTPKI_NOW - 3600
                       : kind == FUTURE ? TESTPKI_NOW + 2 * TESTPKI_DAY
                                        : 0,
    };
    return testcrl_read(ca, &spec);
}

static struct hf_revoked *make_lists(const struct world *world)
{
    struct hf_crl *lists[2] = {NULL};
    struct hf_revoked *revoked = NULL;
    size_t n = 0, dropped;
    if (world->of_root != NO_LIST) {
        lists[n++] = read_list(root, world->of_root);
    }
    if (world->of_sub != NO_LIST) {
        lists[n++] = read_list(sub, world->of_sub);
    }
    assert_int_equal(hf_revoked_new(lists, n, &revoked, &dropped), HF_OK);
    while (n) {
        hf_crl_unref(lists[--n]);
    }
    return revoked;
}

static struct hf_denylist *make_denials(const struct world *world)
{
    struct hf_denylist *denials = NULL;
    char selector[128];
    const struct hf_deny_source source = {7, selector, "lost", TESTPKI_NOW - 60, world->until};
    snprintf(selector, sizeof(selector), "%s%s", world->denied,
             strcmp(world->denied, "serial:") == 0 ? leaf_serial : "");
    assert_int_equal(hf_denylist_new(&source, 1, &denials), HF_OK);
    return denials;
}

/* --- Both questions -----------------------------------------------------------------------------
 */

struct answers {
    enum hf_standing standing;
    struct hf_verdict quick, full;
    bool admitted;
    int64_t until;
    struct hf_notes quick_notes, full_notes;
};

static void ask(const struct hf_revocation *revocation, struct hf_standing_memo *memo,
                struct answers *out)
{
    int64_t until = 0;
    memset(out, 0, sizeof(*out));
    out->standing = hf_revocation_standing_above(revocation, above, TESTPKI_NOW, &out->quick_notes,
                                                 &out->quick, &out->until);
    if (out->standing == HF_STANDING_GOOD) {
        out->quick_notes.n = 0;
        out->standing = hf_revocation_standing_leaf(revocation, identity, sub->cert, TESTPKI_NOW,
                                                    memo, &out->quick_notes, &out->quick, &until);
        out->until = until < out->until ? until : out->until;
    }
    out->full = (struct hf_verdict){.allow = true, .not_after = INT64_MAX, .depth = -1};
    out->admitted =
        hf_revocation_judge(revocation, path, TESTPKI_NOW, NULL, &out->full_notes, &out->full);
}

static void expect_same_words(const struct answers *answers)
{
    const struct hf_verdict *quick = &answers->quick, *full = &answers->full;
    assert_false(answers->admitted);
    assert_string_equal(quick->text, full->text);
    assert_string_equal(quick->concerns, full->concerns);
    assert_int_equal(quick->reason, full->reason);
    assert_int_equal(quick->depth, full->depth);
    assert_int_equal(quick->alert, full->alert);
    assert_int_equal(quick->step, full->step);
    assert_false(quick->allow);
    assert_false(quick->verified);
    const struct hf_note *said = &answers->quick_notes.note[answers->quick_notes.n - 1];
    const struct hf_note *says = &answers->full_notes.note[answers->full_notes.n - 1];
    assert_string_equal(said->source, says->source);
    assert_string_equal(said->answer, says->answer);
    assert_string_equal(said->by, says->by);
    assert_int_equal(said->depth, says->depth);
    assert_int_equal(said->age_s, says->age_s);
}

static void expect(const struct world *world)
{
    struct hf_ocsp_policy ocsp = {.asks = true};
    struct hf_revoked *lists = world->lists ? make_lists(world) : NULL;
    struct hf_denylist *denials = world->denied ? make_denials(world) : NULL;
    const struct hf_revocation revocation = {
        .deny = denials, .lists = lists, .ocsp = world->ocsp ? &ocsp : NULL};
    struct hf_standing_memo memo = {0};
    struct answers answers;
    for (int again = 0; again < 2; again++) { /* the second time from memory */
        ask(&revocation, &memo, &answers);
        if (answers.standing != world->standing) {
            fail_msg("%s: %d in place of %d", world->name, answers.standing, world->standing);
        }
        if (world->standing == HF_STANDING_FALLEN) {
            expect_same_words(&answers);
            assert_string_equal(hf_reason_code(answers.quick.reason), world->code);
            assert_int_equal(answers.quick.depth, world->depth);
        } else if (world->standing == HF_STANDING_GOOD) {
            assert_true(answers.admitted);
            assert_int_equal(answers.until, answers.full.not_after);
        }
    }
    hf_revoked_unref(lists);
    hf_denylist_unref(denials);
}

/* --- What is asked ------------------------------------------------------------------------------
 */

#define UNSURE HF_STANDING_UNSURE
#define GOOD   HF_STANDING_GOOD
#define FALLEN HF_STANDING_FALLEN

static const struct world worlds[] = {
    {"nothing is known", .standing = GOOD},
    {"clean lists", true, CLEAN, CLEAN, .standing = GOOD},
    {"others are revoked", true, OTHERS_REVOKED, OTHERS_REVOKED, .standing = GOOD},
    {"the leaf is revoked", true, CLEAN, LEAF_REVOKED, .standing = FALLEN, .code = "revoked"},
    {"the leaf is on hold", true, CLEAN, LEAF_HELD, .standing = FALLEN, .code = "on-hold"},
    {"its CA is revoked", true, SUB_REVOKED, CLEAN, .standing = FALLEN, .code = "revoked",
     .depth = 1},
    {"the leaf's number on the root's list is another's", true, LEAF_REVOKED, CLEAN,
     .standing = GOOD},
    {"no list of the issuing CA", true, CLEAN, NO_LIST, .standing = UNSURE},
    {"no list of the root", true, NO_LIST, CLEAN, .standing = UNSURE},
    {"a stale list", true, CLEAN, STALE, .standing = UNSURE},
    {"a stale list of the root", true, STALE, CLEAN, .standing = UNSURE},
    {"a stale list that has the leaf", true, CLEAN, STALE_BUT_REVOKED, .standing = FALLEN,
     .code = "revoked"},
    {"a list of tomorrow", true, CLEAN, FUTURE, .standing = UNSURE},
    {"denied by serial", .denied = "serial:", .standing = FALLEN, .code = "deny-listed"},
    {"denied by issuer", .denied = "issuer:CN=Sub", .standing = FALLEN, .code = "deny-listed"},
    {"denied by the root's name", .denied = "issuer:CN=Root", .standing = FALLEN,
     .code = "deny-listed", .depth = 1},
    {"denied for a while", .denied = "cn:alice", .until = TESTPKI_NOW + 1, .standing = FALLEN,
     .code = "deny-listed"},
    {"denied until now", .denied = "cn:alice", .until = TESTPKI_NOW, .standing = GOOD},
    {"others are denied", .denied = "cn:bob", .standing = GOOD},
    {"denied and revoked", true, CLEAN, LEAF_REVOKED, .denied = "cn:alice", .standing = FALLEN,
     .code = "deny-listed"},
    {"denied, and no list", true, CLEAN, NO_LIST, .denied = "cn:alice", .standing = FALLEN,
     .code = "deny-listed"},
    {"OCSP has the last word", true, CLEAN, CLEAN, .ocsp = true, .standing = UNSURE},
    {"OCSP, and revoked", true, CLEAN, LEAF_REVOKED, .ocsp = true, .standing = UNSURE},
};

static void what_is_sure_is_what_the_full_question_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < HF_N_ELEMENTS(worlds); i++) {
        expect(&worlds[i]);
    }
}

static void words_are_remembered_for_one_entry_and_one_moment(void **state)
{
    (void)state;
    const struct hf_deny_source source = {7, "issuer:CN=Sub", "lost", TESTPKI_NOW - 60, 0};
    struct hf_denylist *denials = NULL;
    struct hf_standing_memo memo = {0};
    struct hf_verdict verdict;
    struct hf_notes notes = {0};
    int64_t until;
    assert_int_equal(hf_denylist_new(&source, 1, &denials), HF_OK);
    const struct hf_revocation revocation = {.deny = denials};
    for (int64_t later = 0; later < 2; later++) {
        notes.n = 0;
        assert_int_equal(hf_revocation_standing_leaf(&revocation, identity, sub->cert,
                                                     TESTPKI_NOW + later, &memo, &notes, &verdict,
                                                     &until),
                         HF_STANDING_FALLEN);
        assert_ptr_equal(memo.entry, hf_denylist_at(denials, 0));
        assert_int_equal(memo.now_s, TESTPKI_NOW + later);
        assert_int_equal(notes.note[0].age_s, 60 + later);
    }
    hf_denylist_unref(denials);
}

static void without_memory_nobody_is_good(void **state)
{
    (void)state;
    const struct hf_deny_source source = {7, "cn:alice", "", TESTPKI_NOW, 0};
    struct hf_denylist *denials = NULL;
    struct hf_verdict verdict;
    int64_t until;
    assert_int_equal(hf_denylist_new(&source, 1, &denials), HF_OK);
    const struct hf_revocation revocation = {.deny = denials};
    enum hf_standing of_above = HF_STANDING_UNSURE;
    size_t n = 0;
    while (of_above == HF_STANDING_UNSURE) {
        hf_alloc_fail_after(++n);
        enum hf_standing of_leaf = hf_revocation_standing_leaf(
            &revocation, identity, sub->cert, TESTPKI_NOW, NULL, NULL, &verdict, &until);
        hf_alloc_fail_after(n);
        of_above =
            hf_revocation_standing_above(&revocation, above, TESTPKI_NOW, NULL, &verdict, &until);
        hf_alloc_fail_after(0);
        assert_int_not_equal(of_leaf, HF_STANDING_GOOD);
    }
    assert_int_equal(of_above, HF_STANDING_GOOD);
    assert_true(n > 1);
    hf_denylist_unref(denials);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_sure_is_what_the_full_question_says),
        cmocka_unit_test(words_are_remembered_for_one_entry_and_one_moment),
        cmocka_unit_test(without_memory_nobody_is_good),
    };
    return cmocka_run_group_tests_name("policy/revocation_stands", tests, make_world, free_world);
}
