// SPDX-License-Identifier: Apache-2.0
/* OCSP in the verdict: which answer counts, when somebody is asked, what silence means. */
#include "policy/ocsp_policy.h"

#include <openssl/ocsp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "policy/revocation.h"
#include "testcrl.h"
#include "testocsp.h"

#include <cmocka.h>

struct world {
    struct testpki *root, *sub, *leaf;
    struct hf_trust *trust;
    struct hf_chain *chain;
};

static struct world world;

/* One question to the verdict. */
struct ask {
    struct hf_ocsp_policy policy;
    struct hf_revocation revocation;
    struct hf_judge_ocsp ocsp;
    struct hf_notes notes;
    struct hf_judge_input input;
    struct hf_verdict verdict;
    struct hf_buf staple;
    int64_t now_s;
};

static int make_world(void **state)
{
    (void)state;
    world.root = testpki_root("Root");
    world.sub = testpki_intermediate(world.root, "Sub");
    world.leaf = testpki_leaf(world.sub, "alice", HF_USAGE_CLIENT, NULL);
    world.trust = testpki_trust(world.root, 3);
    world.chain = testpki_chain(world.leaf);
    return 0;
}

static int free_world(void **state)
{
    (void)state;
    hf_chain_unref(world.chain);
    hf_trust_unref(world.trust);
    testpki_free(world.leaf);
    testpki_free(world.sub);
    testpki_free(world.root);
    return 0;
}

static void begin(struct ask *ask)
{
    *ask = (struct ask){
        .policy = {.asks = true,
                   .leaf_only = true,
                   .dates = {.skew_s = 60, .open_s = 600},
                   .refresh_s = 3600,
                   .since_s = TESTPKI_NOW - 1000},
        .staple = HF_BUF_INIT(HF_OCSP_ANSWER_MAX),
        .now_s = TESTPKI_NOW,
    };
    assert_int_equal(hf_ocsp_memory_new(64, &ask->ocsp.memory), HF_OK);
}

static void end(struct ask *ask)
{
    hf_ocsp_wants_done(&ask->ocsp.wants);
    hf_ocsp_memory_free(ask->ocsp.memory);
    hf_buf_done(&ask->staple);
}

static void judge(struct ask *ask)
{
    hf_ocsp_wants_done(&ask->ocsp.wants);
    ask->notes.n = 0;
    ask->revocation.ocsp = &ask->policy;
    ask->ocsp.staple = hf_buf_bytes(&ask->staple);
    ask->input = (struct hf_judge_input){.mode = HF_CLIENT_REQUIRE,
                                         .trust = world.trust,
                                         .chain = world.chain,
                                         .usage = HF_USAGE_CLIENT,
                                         .now_s = ask->now_s,
                                         .revocation = &ask->revocation,
                                         .ocsp = &ask->ocsp,
                                         .notes = &ask->notes};
    hf_verdict_judge(&ask->input, &ask->verdict);
}

static struct testocsp_spec about_leaf(int status)
{
    return (struct testocsp_spec){
        .about = world.leaf, .issuer = world.sub, .status = status, .reason = -1};
}

/* As somebody who had asked would. */
static void learn(struct ask *ask, const struct testocsp_spec *spec, bool nonce)
{
    struct hf_ocsp_answer *answer = testocsp_read(spec);
    const struct hf_ocsp_origin origin = {
        .from = "http://ocsp.example/", .got_at = TESTPKI_NOW, .nonce = nonce};
    struct hf_ocsp_known *known = NULL;
    struct hf_ocsp_key key;
    bool changed;
    hf_ocsp_key_of(spec->about->cert, spec->issuer->cert, &key);
    assert_int_equal(
        hf_ocsp_known_new(answer, spec->about->cert, spec->issuer->cert, &origin, &known), HF_OK);
    assert_int_equal(hf_ocsp_memory_put(ask->ocsp.memory, &key, known, &changed), HF_OK);
    hf_ocsp_known_unref(known);
    hf_ocsp_answer_unref(answer);
}

static void asking_failed(struct ask *ask, enum hf_reason reason, const char *why)
{
    struct hf_ocsp_key key;
    hf_ocsp_key_of(world.leaf->cert, world.sub->cert, &key);
    hf_ocsp_memory_fail(ask->ocsp.memory, &key, ask->now_s, reason, why);
}

static void expect_refused(const struct ask *ask, enum hf_reason reason, const char *text)
{
    assert_false(ask->verdict.allow);
    assert_false(ask->verdict.pending);
    assert_string_equal(hf_reason_code(ask->verdict.reason), hf_reason_code(reason));
    if (!strstr(ask->verdict.text, text)) {
        fail_msg("\"%s\" is not in: %s", text, ask->verdict.text);
    }
}

static void expect_good(const struct ask *ask)
{
    if (!ask->verdict.allow) {
        fail_msg("refused: %s", ask->verdict.text);
    }
    assert_true(ask->verdict.verified);
}

static void expect_note(const struct ask *ask, const char *source, const char *answer, bool passed)
{
    assert_true(ask->notes.n > 0);
    const struct hf_note *note = &ask->notes.note[ask->notes.n - 1];
    assert_string_equal(note->source, source);
    assert_string_equal(note->answer, answer);
    assert_int_equal(note->passed, passed);
}

/* --- Answers ------------------------------------------------------------------------------------
 */

static void a_known_answer_is_taken(void **state)
{
    (void)state;
    struct ask ask;
    begin(&ask);
    struct testocsp_spec spec = about_leaf(V_OCSP_CERTSTATUS_GOOD);
    learn(&ask, &spec, false);
    judge(&ask);
    expect_good(&ask);
    expect_note(&ask, "ocsp", "good", true);
    assert_int_equal(ask.notes.note[0].age_s, 3600);
    assert_string_equal(ask.notes.note[0].by, "http://ocsp.example/");
    assert_int_equal(ask.ocsp.wants.n, 0);
    assert_in_range(ask.verdict.not_after, TESTPKI_NOW + 2700, TESTPKI_NOW + 3600);
    end(&ask);
}

static void revoked_is_refused_also_when_stale(void **state)
{
    (void)state;
    struct ask ask;
    begin(&ask);
    struct testocsp_spec spec = about_leaf(V_OCSP_CERTSTATUS_REVOKED);
    spec.reason = 1;
    learn(&ask, &spec, false);
    judge(&ask);
    expect_refused(&ask, HF_REASON_REVOKED,
                   "(keyCompromise), says the OCSP responder http://ocsp.example/, 1 h old");
    expect_note(&ask, "ocsp", "revoked", false);
    ask.now_s += 10 * TESTPKI_DAY;
    judge(&ask);
    expect_refused(&ask, HF_REASON_REVOKED, "keyCompromise");
    assert_int_equal(ask.ocsp.wants.n, 1);
    end(&ask);
}

static void hold_and_unknown_have_codes_of_their_own(void **state)
{
    (void)state;
    struct ask ask;
    begin(&ask);
    struct testocsp_spec spec = about_leaf(V_OCSP_CERTSTATUS_REVOKED);
    spec.reason = 6;
    learn(&ask, &spec, false);
    judge(&ask);
    expect_refused(&ask, HF_REASON_ON_HOLD, "put on hold");
    spec = about_leaf(V_OCSP_CERTSTATUS_UNKNOWN);
    spec.this_update = TESTPKI_NOW - 3599;
    learn(&ask, &spec, false);
    judge(&ask);
    expect_refused(&ask, HF_REASON_OCSP_UNKNOWN, "doesn't know the certificate");
    end(&ask);
}

/* A good answer from before the revocation is not taken back. */
static void an_older_answer_changes_nothing(void **state)
{
    (void)state;
    struct ask ask;
    begin(&ask);
    struct testocsp_spec revoked = about_leaf(V_OCSP_CERTSTATUS_REVOKED);
    learn(&ask, &revoked, false);
    struct testocsp_spec good = about_leaf(V_OCSP_CERTSTATUS_GOOD);
    good.this_update = TESTPKI_NOW - 3601;
    testocsp_make(&good, &ask.staple);
    ask.ocsp.first = true;
    judge(&ask);
    expect_refused(&ask, HF_REASON_REVOKED, "revoked at");
    end(&ask);
}

/* Responders may round what they say of time: cfssl to the hour. Then the order is that in which
 * they have signed, and of answers that were signed together the worst is believed. */
static void a_good_answer_of_the_same_moment_changes_nothing(void **state)
{
    (void)state;
    struct ask ask;
    begin(&ask);
    struct testocsp_spec spec = about_leaf(V_OCSP_CERTSTATUS_GOOD);
    spec.produced_at = TESTPKI_NOW - 60;
    testocsp_make(&spec, &ask.staple);
    spec = about_leaf(V_OCSP_CERTSTATUS_REVOKED);
    spec.produced_at = TESTPKI_NOW - 60;
    learn(&ask, &spec, false);
    for (int staple = HF_STAPLE_USE; staple <= HF_STAPLE_REQUIRE; staple++) {
        ask.policy.staple = (enum hf_staple_use)staple;
        ask.ocsp.first = true;
        judge(&ask);
        expect_refused(&ask, HF_REASON_REVOKED, "revoked at");
    }
    hf_buf_reset(&ask.staple); /* taken off hold, say: signed later it counts */
    spec = about_leaf(V_OCSP_CERTSTATUS_GOOD);
    spec.produced_at = TESTPKI_NOW - 59;
    testocsp_make(&spec, &ask.staple);
    judge(&ask);
    expect_good(&ask);
    hf_buf_reset(&ask.staple);
    spec.produced_at = TESTPKI_NOW - 61; /* and one that was signed before it doesn't */
    spec.status = V_OCSP_CERTSTATUS_REVOKED;
    testocsp_make(&spec, &ask.staple);
    judge(&ask);
    expect_good(&ask);
    end(&ask);
}

/* Two machines with one certificate have fetched their answers at different times. */
static void an_older_good_staple_was_shown_all_the_same(void **state)
{
    (void)state;
    struct ask ask;
    begin(&ask);
    ask.policy.staple = HF_STAPLE_REQUIRE;
    ask.policy.asks = false;
    ask.ocsp.first = true;
    struct testocsp_spec spec = about_leaf(V_OCSP_CERTSTATUS_GOOD);
    spec.this_update = TESTPKI_NOW - 600;
    learn(&ask, &spec, false);
    spec.this_update = TESTPKI_NOW - 1200;
    testocsp_make(&spec, &ask.staple);
    judge(&ask);
    expect_good(&ask);
    end(&ask);
}

/* --- Asking -------------------------------------------------------------------------------------
 */

static void what_is_not_known_is_asked_and_waited_for(void **state)
{
    (void)state;
    struct ask ask;
    begin(&ask);
    ask.ocsp.may_wait = true;
    judge(&ask);
    assert_false(ask.verdict.allow);
    assert_true(ask.verdict.pending);
    assert_int_equal(ask.ocsp.wants.n, 1);
    assert_ptr_equal(ask.ocsp.wants.want[0].cert, world.chain->certs[0]);
    ask.policy.leaf_only = false;
    judge(&ask);
    assert_true(ask.verdict.pending);
    assert_int_equal(ask.ocsp.wants.n, 2);
    ask.ocsp.may_wait = false;
    judge(&ask);
    expect_refused(&ask, HF_REASON_OCSP_UNREACHABLE, "it has not come yet");
    end(&ask);
}

static void a_failure_is_told_and_not_asked_again_at_once(void **state)
{
    (void)state;
    struct ask ask;
    begin(&ask);
    ask.ocsp.may_wait = true;
    asking_failed(&ask, HF_REASON_OCSP_UNREACHABLE, "http://ocsp.example/: connection refused");
    judge(&ask);
    expect_refused(&ask, HF_REASON_OCSP_UNREACHABLE, "http://ocsp.example/: connection refused");
    ask.now_s += 5;
    judge(&ask);
    assert_true(ask.verdict.pending);
    ask.now_s -= 3600; /* the clock went back */
    judge(&ask);
    assert_true(ask.verdict.pending);
    end(&ask);
}

static void in_use_it_is_asked_for_anew_before_it_ends(void **state)
{
    (void)state;
    struct ask ask;
    begin(&ask);
    struct testocsp_spec spec = about_leaf(V_OCSP_CERTSTATUS_GOOD);
    learn(&ask, &spec, false);
    ask.now_s += 3600;
    ask.ocsp.may_wait = true;
    judge(&ask);
    expect_good(&ask);
    assert_int_equal(ask.ocsp.wants.n, 1);
    assert_int_equal(ask.verdict.not_after, ask.now_s + 60);
    asking_failed(&ask, HF_REASON_OCSP_UNREACHABLE,
                  "down"); /* then it is still good, and asked later */
    judge(&ask);
    expect_good(&ask);
    assert_int_equal(ask.ocsp.wants.n, 0);
    ask.now_s = TESTPKI_NOW + TESTPKI_DAY + 60 - 8;
    judge(&ask);
    assert_int_equal(ask.verdict.not_after, ask.now_s + 2);
    end(&ask);
}

/* --- Fallbacks ----------------------------------------------------------------------------------
 */

static void silence_is_refused_unless_the_trust_says_otherwise(void **state)
{
    (void)state;
    struct ask ask;
    begin(&ask);
    asking_failed(&ask, HF_REASON_OCSP_UNREACHABLE, "down");
    judge(&ask);
    expect_refused(&ask, HF_REASON_OCSP_UNREACHABLE, "down");
    ask.policy.when_missing = HF_REVOKED_ALLOW;
    judge(&ask);
    expect_good(&ask);
    assert_int_equal(ask.verdict.lapse, HF_REASON_OCSP_UNREACHABLE);
    expect_note(&ask, "ocsp", "missing", true);
    ask.policy.when_missing = HF_REVOKED_GRACE;
    ask.policy.missing_grace_s = 1000;
    judge(&ask);
    expect_good(&ask);
    assert_int_equal(ask.verdict.not_after, TESTPKI_NOW);
    ask.policy.missing_grace_s = 999;
    judge(&ask);
    expect_refused(&ask, HF_REASON_OCSP_UNREACHABLE, "down");
    end(&ask);
}

static void stale_has_a_grace_of_its_own(void **state)
{
    (void)state;
    struct ask ask;
    begin(&ask);
    struct testocsp_spec spec = about_leaf(V_OCSP_CERTSTATUS_GOOD);
    learn(&ask, &spec, false);
    ask.now_s = TESTPKI_NOW + TESTPKI_DAY + 60 + 100;
    judge(&ask);
    expect_refused(&ask, HF_REASON_OCSP_STALE, "went out of date 1 min");
    ask.policy.when_stale = HF_REVOKED_GRACE;
    ask.policy.stale_grace_s = 100;
    judge(&ask);
    expect_good(&ask);
    assert_int_equal(ask.verdict.lapse, HF_REASON_OCSP_STALE);
    assert_int_equal(ask.verdict.not_after, ask.now_s);
    ask.now_s++;
    judge(&ask);
    expect_refused(&ask, HF_REASON_OCSP_STALE, "out of date");
    ask.now_s = TESTPKI_NOW - 3600 - 61; /* and before it began */
    judge(&ask);
    expect_refused(&ask, HF_REASON_OCSP_NOT_YET, "clock");
    end(&ask);
}

static void nothing_at_hand_fails_closed(void **state)
{
    (void)state;
    struct ask ask;
    begin(&ask);
    ask.policy.asks = false;
    judge(&ask);
    expect_refused(&ask, HF_REASON_OCSP_MISSING, "neither a responder nor from-certificates");
    ask.policy.asks = true;
    ask.input.ocsp = NULL; /* a judge who knows nothing of OCSP */
    hf_verdict_judge(&ask.input, &ask.verdict);
    expect_refused(&ask, HF_REASON_OCSP_UNREACHABLE, "nobody is asked here");
    end(&ask);
}

/* --- Staples ------------------------------------------------------------------------------------
 */

static void a_staple_is_enough_and_remembered(void **state)
{
    (void)state;
    struct ask ask;
    begin(&ask);
    struct testocsp_spec spec = about_leaf(V_OCSP_CERTSTATUS_GOOD);
    testocsp_make(&spec, &ask.staple);
    ask.ocsp.first = true;
    ask.policy.staple = HF_STAPLE_REQUIRE;
    judge(&ask);
    expect_good(&ask);
    expect_note(&ask, "staple", "good", true);
    hf_buf_reset(&ask.staple); /* resumed: none comes, and what is known counts */
    ask.ocsp.first = false;
    judge(&ask);
    expect_good(&ask);
    ask.ocsp.first = true;
    judge(&ask);
    expect_refused(&ask, HF_REASON_OCSP_NO_STAPLE, "showed none");
    end(&ask);
}

static void a_staple_that_says_revoked_is_believed(void **state)
{
    (void)state;
    struct ask ask;
    begin(&ask);
    struct testocsp_spec good = about_leaf(V_OCSP_CERTSTATUS_GOOD);
    good.this_update = TESTPKI_NOW - 7200;
    learn(&ask, &good, false);
    struct testocsp_spec spec = about_leaf(V_OCSP_CERTSTATUS_REVOKED);
    testocsp_make(&spec, &ask.staple);
    judge(&ask);
    expect_refused(&ask, HF_REASON_REVOKED, "says the OCSP answer that the peer showed");
    assert_true(ask.ocsp.learnt); /* and others of this certificate are to be judged again */
    end(&ask);
}

static void a_bad_staple_is_passed_over_or_refused(void **state)
{
    (void)state;
    struct ask ask;
    begin(&ask);
    struct testocsp_spec spec = about_leaf(V_OCSP_CERTSTATUS_GOOD);
    spec.signer = world.leaf; /* by the peer itself */
    testocsp_make(&spec, &ask.staple);
    ask.ocsp.first = ask.ocsp.may_wait = true;
    judge(&ask);
    assert_true(ask.verdict.pending);
    ask.policy.staple = HF_STAPLE_REQUIRE;
    judge(&ask);
    expect_refused(&ask, HF_REASON_OCSP_UNTRUSTED, "the one it showed doesn't count");
    ask.policy.staple = HF_STAPLE_IGNORE;
    judge(&ask);
    assert_true(ask.verdict.pending);
    hf_buf_reset(&ask.staple);
    assert_int_equal(hf_buf_append_str(&ask.staple, "nonsense"), HF_OK);
    ask.policy.staple = HF_STAPLE_REQUIRE;
    judge(&ask);
    expect_refused(&ask, HF_REASON_OCSP_UNTRUSTED, "doesn't count");
    ask.policy.staple = HF_STAPLE_USE;
    ask.policy.asks = false; /* and nobody else knows */
    judge(&ask);
    expect_refused(&ask, HF_REASON_OCSP_UNTRUSTED,
                   "there is no OCSP answer about the certificate: the one that the peer showed");
    end(&ask);
}

/* As when it had been asked for. */
static void a_staple_about_another_is_untrusted_and_one_that_declines_is_none(void **state)
{
    (void)state;
    static const uint8_t try_later[] = {0x30, 3, 0x0a, 1, 3};
    struct ask ask;
    begin(&ask);
    ask.policy.staple = HF_STAPLE_REQUIRE;
    ask.policy.asks = false;
    ask.ocsp.first = true;
    struct testpki *other = testpki_leaf(world.sub, "bob", HF_USAGE_CLIENT, NULL);
    struct testocsp_spec spec = about_leaf(V_OCSP_CERTSTATUS_GOOD);
    spec.about = other;
    testocsp_make(&spec, &ask.staple);
    judge(&ask);
    expect_refused(&ask, HF_REASON_OCSP_UNTRUSTED, "the answer is about other certificates");
    hf_buf_reset(&ask.staple);
    assert_int_equal(hf_buf_append(&ask.staple, hf_bytes_of(try_later, sizeof(try_later))), HF_OK);
    judge(&ask);
    expect_refused(&ask, HF_REASON_OCSP_NO_STAPLE, "tryLater");
    ask.policy.staple = HF_STAPLE_USE;
    judge(&ask);
    expect_refused(&ask, HF_REASON_OCSP_MISSING, "tryLater");
    testpki_free(other);
    end(&ask);
}

static void answers_about_the_cas_are_taken_as_well(void **state)
{
    (void)state;
    struct ask ask;
    HF_CLEANUP(hf_buf_done) struct hf_buf about_sub = HF_BUF_INIT(HF_OCSP_ANSWER_MAX);
    struct hf_bytes ca_staples[HF_CHAIN_MAX] = {{0}};
    static const int statuses[] = {V_OCSP_CERTSTATUS_GOOD, V_OCSP_CERTSTATUS_REVOKED};
    for (size_t i = 0; i < 2; i++) {
        const struct testocsp_spec of_leaf = about_leaf(V_OCSP_CERTSTATUS_GOOD);
        const struct testocsp_spec of_sub = {
            .about = world.sub, .issuer = world.root, .status = statuses[i], .reason = -1};
        begin(&ask);
        hf_buf_reset(&about_sub);
        testocsp_make(&of_leaf, &ask.staple);
        testocsp_make(&of_sub, &about_sub);
        ca_staples[1] = hf_buf_bytes(&about_sub);
        ask.policy.leaf_only = ask.policy.asks = false;
        ask.ocsp.sent = world.chain;
        judge(&ask);
        expect_refused(&ask, HF_REASON_OCSP_MISSING, "about the CA certificate");
        ask.ocsp.ca_staples = ca_staples;
        judge(&ask);
        if (i == 0) {
            expect_good(&ask);
            expect_note(&ask, "staple", "good", true);
            assert_int_equal(ask.notes.note[ask.notes.n - 1].depth, 1);
        } else {
            expect_refused(&ask, HF_REASON_REVOKED, "the CA certificate was revoked");
            assert_int_equal(ask.verdict.depth, 1);
        }
        ask.policy.staple = HF_STAPLE_IGNORE;
        end(&ask);
    }
    begin(&ask); /* one about another certificate than that it came with is none */
    const struct testocsp_spec of_leaf = about_leaf(V_OCSP_CERTSTATUS_GOOD);
    testocsp_make(&of_leaf, &ask.staple);
    ca_staples[1] = hf_buf_bytes(&ask.staple);
    ask.policy.leaf_only = ask.policy.asks = false;
    ask.ocsp.sent = world.chain;
    ask.ocsp.ca_staples = ca_staples;
    judge(&ask);
    expect_refused(&ask, HF_REASON_OCSP_UNTRUSTED, "about the CA certificate");
    end(&ask);
}

/* --- Signers, nonces, lists ---------------------------------------------------------------------
 */

static void an_answer_without_our_nonce_doesnt_count_where_it_must(void **state)
{
    (void)state;
    struct ask ask;
    begin(&ask);
    struct testocsp_spec spec = about_leaf(V_OCSP_CERTSTATUS_GOOD);
    learn(&ask, &spec, false);
    ask.policy.needs_nonce = true;
    judge(&ask);
    expect_refused(&ask, HF_REASON_OCSP_UNTRUSTED, "not to our question");
    learn(&ask, &spec, true);
    judge(&ask);
    expect_good(&ask);
    end(&ask);
}

static struct hf_revoked *lists_of(const struct testpki *issuer, const struct testcrl_spec *spec)
{
    struct hf_crl *crl = testcrl_read(issuer, spec);
    struct hf_revoked *lists = NULL;
    size_t dropped;
    assert_int_equal(hf_revoked_new(&crl, 1, &lists, &dropped), HF_OK);
    hf_crl_unref(crl);
    return lists;
}

static char *serial_text(const struct testpki *pki)
{
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(pki->x509), NULL);
    char *text = BN_bn2hex(number);
    BN_free(number);
    return text;
}

static void a_revoked_signer_is_not_believed(void **state)
{
    (void)state;
    for (int no_check = 0; no_check < 2; no_check++) {
        struct ask ask;
        begin(&ask);
        struct testpki *signer = testocsp_signer(world.sub, "OCSPSigning", no_check);
        struct testocsp_spec spec = about_leaf(V_OCSP_CERTSTATUS_GOOD);
        spec.signer = signer;
        learn(&ask, &spec, false);
        char *serial = serial_text(signer);
        const struct testcrl_entry entry = {.serial = serial, .reason = -1};
        const struct testcrl_spec list = {
            .entries = &entry, .n_entries = 1, .number = "1", .next_update = TESTPKI_NOW - 60};
        struct hf_revoked *lists = lists_of(world.sub, &list);
        ask.revocation.lists = lists; /* stale: so OCSP is asked */
        ask.revocation.when_missing = HF_REVOKED_ALLOW;
        judge(&ask);
        if (no_check) {
            expect_good(&ask);
        } else {
            expect_refused(&ask, HF_REASON_OCSP_UNTRUSTED, "its signer is revoked");
        }
        OPENSSL_free(serial);
        hf_revoked_unref(lists);
        testpki_free(signer);
        end(&ask);
    }
}

static void a_fresh_list_decides_and_nobody_is_asked(void **state)
{
    (void)state;
    struct ask ask;
    begin(&ask);
    const struct testcrl_spec list = {.number = "1"};
    struct hf_revoked *lists = lists_of(world.sub, &list);
    ask.revocation.lists = lists;
    ask.revocation.when_missing = HF_REVOKED_ALLOW; /* of Root there is none */
    ask.ocsp.may_wait = true;
    judge(&ask);
    expect_good(&ask);
    assert_int_equal(ask.ocsp.wants.n, 0);
    struct testocsp_spec spec = about_leaf(V_OCSP_CERTSTATUS_REVOKED);
    learn(&ask, &spec, false); /* what is known already counts all the same */
    judge(&ask);
    expect_refused(&ask, HF_REASON_REVOKED, "OCSP responder");
    hf_revoked_unref(lists);
    end(&ask);
}

static void where_no_list_answers_ocsp_does(void **state)
{
    (void)state;
    struct ask ask;
    begin(&ask);
    const struct testcrl_spec list = {.number = "1", .next_update = TESTPKI_NOW - 60};
    struct hf_revoked *lists = lists_of(world.sub, &list);
    ask.revocation.lists = lists;
    ask.policy.leaf_only = false;
    struct testocsp_spec spec = about_leaf(V_OCSP_CERTSTATUS_GOOD);
    learn(&ask, &spec, false);
    spec.about = world.sub;
    spec.issuer = world.root;
    learn(&ask, &spec, false);
    judge(&ask);
    expect_good(&ask);
    assert_int_equal(ask.verdict.lapse, HF_REASON_OK);
    spec.status = V_OCSP_CERTSTATUS_REVOKED;
    learn(&ask, &spec, false);
    judge(&ask);
    expect_refused(&ask, HF_REASON_REVOKED, "the CA certificate was revoked");
    assert_int_equal(ask.verdict.depth, 1);
    hf_revoked_unref(lists);
    end(&ask);
}

static void both_must_let_silence_pass(void **state)
{
    (void)state;
    struct ask ask;
    begin(&ask);
    const struct testcrl_spec list = {.number = "1", .next_update = TESTPKI_NOW - 60};
    struct hf_revoked *lists = lists_of(world.sub, &list);
    ask.revocation.lists = lists;
    ask.revocation.when_missing = HF_REVOKED_ALLOW;
    ask.policy.asks = false;
    ask.policy.when_missing = HF_REVOKED_ALLOW;
    judge(&ask);
    expect_refused(&ask, HF_REASON_CRL_STALE, "went out of date");
    ask.revocation.when_stale = HF_REVOKED_ALLOW;
    judge(&ask);
    expect_good(&ask);
    ask.policy.when_missing = HF_REVOKED_DENY;
    judge(&ask);
    expect_refused(&ask, HF_REASON_OCSP_MISSING, "nobody could be asked");
    hf_revoked_unref(lists);
    end(&ask);
}

/* --- The memory ---------------------------------------------------------------------------------
 */

static void the_memory_is_bounded(void **state)
{
    (void)state;
    struct hf_ocsp_memory *memory = NULL;
    assert_int_equal(hf_ocsp_memory_new(64, &memory), HF_OK);
    for (unsigned i = 0; i < 1000; i++) {
        struct hf_ocsp_key key = {{(uint8_t)i, (uint8_t)(i >> 8)}};
        hf_ocsp_memory_fail(memory, &key, 1, HF_REASON_OCSP_UNREACHABLE, "down");
    }
    assert_int_equal(hf_ocsp_memory_count(memory), 64);
    hf_ocsp_memory_free(memory);
}

static void survives_running_out_of_memory(void **state)
{
    (void)state;
    struct ask ask;
    begin(&ask);
    struct testocsp_spec spec = about_leaf(V_OCSP_CERTSTATUS_GOOD);
    testocsp_make(&spec, &ask.staple);
    ask.policy.staple = HF_STAPLE_REQUIRE;
    ask.ocsp.first = true;
    bool good = false;
    for (size_t n = 1; !good && n < 1000; n++) {
        hf_alloc_fail_after(n);
        judge(&ask);
        hf_alloc_fail_after(0);
        good = ask.verdict.allow;
    }
    assert_true(good);
    end(&ask);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_known_answer_is_taken),
        cmocka_unit_test(answers_about_the_cas_are_taken_as_well),
        cmocka_unit_test(revoked_is_refused_also_when_stale),
        cmocka_unit_test(hold_and_unknown_have_codes_of_their_own),
        cmocka_unit_test(an_older_answer_changes_nothing),
        cmocka_unit_test(a_good_answer_of_the_same_moment_changes_nothing),
        cmocka_unit_test(an_older_good_staple_was_shown_all_the_same),
        cmocka_unit_test(what_is_not_known_is_asked_and_waited_for),
        cmocka_unit_test(a_failure_is_told_and_not_asked_again_at_once),
        cmocka_unit_test(in_use_it_is_asked_for_anew_before_it_ends),
        cmocka_unit_test(silence_is_refused_unless_the_trust_says_otherwise),
        cmocka_unit_test(stale_has_a_grace_of_its_own),
        cmocka_unit_test(nothing_at_hand_fails_closed),
        cmocka_unit_test(a_staple_is_enough_and_remembered),
        cmocka_unit_test(a_staple_that_says_revoked_is_believed),
        cmocka_unit_test(a_bad_staple_is_passed_over_or_refused),
        cmocka_unit_test(a_staple_about_another_is_untrusted_and_one_that_declines_is_none),
        cmocka_unit_test(an_answer_without_our_nonce_doesnt_count_where_it_must),
        cmocka_unit_test(a_revoked_signer_is_not_believed),
        cmocka_unit_test(a_fresh_list_decides_and_nobody_is_asked),
        cmocka_unit_test(where_no_list_answers_ocsp_does),
        cmocka_unit_test(both_must_let_silence_pass),
        cmocka_unit_test(the_memory_is_bounded),
        cmocka_unit_test(survives_running_out_of_memory),
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
