// SPDX-License-Identifier: Apache-2.0
/* The service as those who ask over a network meet it: who may, with what proof, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ca/init.h"
#include "os/clock.h"
#include "store_world.h"

#define DAY INT64_C(86400)

static struct hf_ca_service *service;

static void put_profile(const char *name, const char *approval)
{
    char yaml[400];
    snprintf(yaml, sizeof(yaml),
             "name: %s\nextends: device\nlifetime: 100d\nrenew-before: 20d\n"
             "renew-after-expiry: 10d\napproval: %s\nask: [fleet, \"cn:manager\"]\n",
             name, approval);
    struct hf_store_profile_put put = {.op = {.kind = HF_STORE_PROFILE_PUT, .actor = "test"},
                                       .profile = {.name = name, .yaml = yaml}};
    assert_int_equal(hf_store_do(hf_ca_store(service), &put.op), HF_OK);
}

static int set_up(void **state)
{
    (void)state;
    world_reset();
    world_now = 1800000000;
    struct hf_ca_service_options options = {
        .store = world_url(), .clock = &world_clock, .rng = &hf_os_rng, .create = true};
    const struct hf_ca_new what = {.name = "Example"};
    struct hf_buf none = HF_BUF_INIT(0);
    assert_int_equal(hf_ca_service_open(&options, &service), HF_OK);
    assert_int_equal(hf_ca_init(service, "test", &what, &none), HF_OK);
    put_profile("thing", "none");
    put_profile("slow", "first");
    put_profile("strict", "always");
    hf_ca_reload(service);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    hf_ca_service_close(service);
    return 0;
}

/* --- Asking ------------------------------------------------------------------------------------
 */

static const char *const fleet[] = {"fleet"};

static struct hf_ca_op op_of(enum hf_ca_verb verb)
{
    return (struct hf_ca_op){
        .verb = verb,
        .caller = {.name = "peer", .roles = fleet, .n_roles = 1, .address = "192.0.2.1"},
    };
}

static void assert_same_text(const char *a, const char *b)
{
    assert_true((a != NULL) == (b != NULL));
    if (a) {
        assert_string_equal(a, b);
    }
}

static void assert_same_list(const struct hf_names_list *a, const struct hf_names_list *b)
{
    assert_int_equal(a->n, b->n);
    for (size_t i = 0; i < a->n; i++) {
        assert_string_equal(a->name[i], b->name[i]);
    }
}

/* What is said of a certificate that was issued is what libcrypto reads in it. */
static void assert_names_what_was_issued(struct hf_ca_op *op)
{
    const struct hf_chain *chain;
    struct hf_identity *read;
    const struct hf_identity *said = op->identity;
    assert_int_equal(hf_ca_op_chain(op, &chain), HF_OK);
    assert_true(hf_bytes_eq(chain->certs[0]->der, op->der));
    assert_int_equal(hf_identity_new(chain->certs[0], &read), HF_OK);
    assert_string_equal(said->subject, read->subject);
    assert_string_equal(said->issuer, read->issuer);
    assert_same_text(said->cn, read->cn);
    assert_same_text(said->o, read->o);
    assert_same_text(said->ou, read->ou);
    assert_string_equal(said->serial, read->serial);
    assert_same_list(&said->dns, &read->dns);
    assert_same_list(&said->uri, &read->uri);
    assert_same_list(&said->email, &read->email);
    assert_same_list(&said->ip, &read->ip);
    assert_same_list(&said->other, &read->other);
    assert_same_text(said->spiffe, read->spiffe);
    assert_string_equal(said->key_type, read->key_type);
    assert_string_equal(said->sha256, read->sha256);
    assert_string_equal(said->spki_sha256, read->spki_sha256);
    assert_int_equal(said->not_before, read->not_before);
    assert_int_equal(said->not_after, read->not_after);
    assert_int_equal(said->mangled, read->mangled);
    hf_identity_unref(read);
}

static void run(struct hf_ca_op *op, enum hf_ca_outcome outcome)
{
    hf_ca_run(service, op);
    if (op->outcome != outcome) {
        print_message("%s: %s\n", hf_ca_outcome_name(op->outcome), op->text);
    }
    assert_int_equal(op->outcome, outcome);
    assert_non_null(op->text);
    if (op->identity) {
        assert_names_what_was_issued(op);
    }
}

static void run_once(struct hf_ca_op *op, enum hf_ca_outcome outcome, const char *says)
{
    run(op, outcome);
    if (says && !strstr(op->text, says)) {
        print_message("%s\n", op->text);
        fail();
    }
    hf_ca_op_done(op);
}

/* A request for this name; the key stays in *out_key. */
static struct hf_buf csr_of(const char *cn, EVP_PKEY **key)
{
    struct hf_subject subject = {0};
    struct hf_buf csr = HF_BUF_INIT(1 << 16);
    if (!*key) {
        assert_int_equal(hf_key_kind_make(HF_KEY_KIND_P256, key), HF_OK);
    }
    assert_int_equal(hf_subject_add(&subject, HF_ATTR_CN, hf_bytes_str(cn)), HF_OK);
    assert_int_equal(hf_csr_make(&subject, NULL, false, *key, &csr), HF_OK);
    hf_subject_done(&subject);
    return csr;
}

/* Issues by the profile with a key of the test's own. */
static struct hf_cert *issue(const char *profile, const char *name, EVP_PKEY **key)
{
    struct hf_ca_op op = op_of(HF_CA_VERB_ISSUE);
    struct hf_buf csr = csr_of(name, key);
    op.caller.local = true;
    op.ask = (struct hf_ca_ask){.profile = profile, .name = name, .csr = hf_buf_bytes(&csr)};
    run(&op, HF_CA_DONE);
    struct hf_cert *cert = hf_cert_ref(op.chain->certs[0]);
    hf_ca_op_done(&op);
    hf_buf_done(&csr);
    return cert;
}

struct last {
    char action[64], actor[64];
    int64_t seq;
};

static enum hf_err note_audit(void *ctx, const struct hf_store_audit *row)
{
    struct last *last = ctx;
    last->seq = row->seq;
    snprintf(last->action, sizeof(last->action), "%s", row->action);
    snprintf(last->actor, sizeof(last->actor), "%s", row->actor);
    return HF_OK;
}

static struct last last_audit(void)
{
    struct last last = {0};
    int64_t before;
    do {
        before = last.seq;
        assert_int_equal(hf_store_audits(hf_ca_store(service), before, 100, note_audit, &last),
                         HF_OK);
    } while (last.seq != before);
    return last;
}

static int64_t n_certificates(void)
{
    struct hf_store_counts counts;
    assert_int_equal(hf_store_count(hf_ca_store(service), 0, world_now, &counts), HF_OK);
    return counts.certificates;
}

/* --- Issue -------------------------------------------------------------------------------------
 */

static void test_profiles_say_who_may_ask(void **state)
{
    (void)state;
    EVP_PKEY *key = NULL;
    struct hf_cert *manager = issue("thing", "manager", &key);
    struct hf_cert *other = issue("thing", "other", &key);
    struct hf_ca_op op = op_of(HF_CA_VERB_ISSUE);
    op.ask = (struct hf_ca_ask){.profile = "thing", .name = "sensor"};
    op.caller.n_roles = 0;
    int64_t before = n_certificates();
    run(&op, HF_CA_FORBIDDEN);
    assert_int_equal(op.why, HF_REFUSAL_WHO);
    assert_null(op.der.ptr);
    assert_null(op.identity);
    assert_null(op.key);
    hf_ca_op_done(&op);
    op.caller.cert = other;
    run_once(&op, HF_CA_FORBIDDEN, "is not for peer");
    assert_int_equal(n_certificates(), before);
    op.caller.cert = manager;
    run_once(&op, HF_CA_DONE, NULL);
    op.caller.cert = NULL;
    op.caller.n_roles = 1;
    run(&op, HF_CA_DONE);
    assert_non_null(op.key);
    assert_int_equal(op.chain->n_certs, 2);
    assert_int_equal(op.identity->not_after, world_now + 100 * DAY);
    assert_string_equal(op.profile, "thing");
    hf_ca_op_done(&op);
    op.ask.profile = "user"; /* nobody but the operator */
    run_once(&op, HF_CA_FORBIDDEN, NULL);
    assert_string_equal(last_audit().action, "issue refused");
    hf_cert_unref(manager);
    hf_cert_unref(other);
    EVP_PKEY_free(key);
}

static void test_what_cannot_be_asked(void **state)
{
    (void)state;
    const struct {
        struct hf_ca_ask ask;
        enum hf_ca_verb verb;
        enum hf_ca_outcome outcome;
    } cases[] = {
        {{.profile = "none", .name = "x"}, HF_CA_VERB_ISSUE, HF_CA_FORBIDDEN},
        {{.name = "x"}, HF_CA_VERB_ISSUE, HF_CA_INVALID},
        {{.profile = "ca", .name = "x"}, HF_CA_VERB_ISSUE, HF_CA_NOT_ALLOWED},
        {{.profile = "thing", .name = "x", .authority = "none"}, HF_CA_VERB_ISSUE, HF_CA_NOT_FOUND},
        {{.profile = "thing", .name = "x", .authority = "root"},
         HF_CA_VERB_ISSUE,
         HF_CA_NOT_ALLOWED},
        {{.profile = "thing", .name = "x", .not_after = 1900000000},
         HF_CA_VERB_ISSUE,
         HF_CA_NOT_ALLOWED},
        {{.profile = "thing", .name = "x", .lifetime_s = 5000 * DAY},
         HF_CA_VERB_ISSUE,
         HF_CA_NOT_ALLOWED},
        {{.profile = "thing", .name = "x", .key_type = "rsa512"}, HF_CA_VERB_ISSUE, HF_CA_INVALID},
        {{.profile = "thing", .name = "x", .csr = {(const uint8_t *)"0", 1}},
         HF_CA_VERB_ISSUE,
         HF_CA_MALFORMED},
        {{.profile = "thing"}, HF_CA_VERB_SIGN, HF_CA_INVALID},
    };
    int64_t before = n_certificates();
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        struct hf_ca_op op = op_of(cases[i].verb);
        op.ask = cases[i].ask;
        run_once(&op, cases[i].outcome, NULL);
    }
    assert_int_equal(n_certificates(), before);
    world_verify(hf_ca_store(service));
}

/* run() holds each against libcrypto. */
static void test_names_are_told_as_they_are_issued(void **state)
{
    (void)state;
    static const char *const hosts[] = {"DNS:a.example", "DNS:*.b.example", "IP:192.0.2.1",
                                        "IP:2001:db8::1"};
    static const char *const spiffe[] = {"URI:spiffe://example.org/a"};
    static const char *const mixed[] = {"email:alice@example.org", "URI:https://example.org/a",
                                        "URI:spiffe://example.org/a"};
    const struct hf_ca_ask asks[] = {
        {.profile = "server", .name = "a.example", .sans = hosts, .n_sans = 4},
        {.profile = "service", .name = "a", .sans = spiffe, .n_sans = 1, .key_type = "p384"},
        {.profile = "user", .name = "al\"i,c+e", .sans = mixed, .n_sans = 1, .key_type = "rsa2048"},
        {.profile = "thing", .name = "\xc3\xa9t\xc3\xa9", .key_type = "ed25519"},
        {.profile = "thing", .name = "till the end", .not_after = INT64_C(253402300799)},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(asks); i++) {
        struct hf_ca_op op = op_of(HF_CA_VERB_ISSUE);
        op.caller.local = true;
        op.ask = asks[i];
        run(&op, HF_CA_DONE);
        assert_non_null(op.chain);
        hf_ca_op_done(&op);
    }
}

static enum hf_err no_room(struct hf_ca_op *op)
{
    assert_non_null(op->der.ptr);
    return hf_fail(HF_E_IO, "no room for the files");
}

static void test_nothing_is_stored_when_its_files_cannot_be_written(void **state)
{
    (void)state;
    struct hf_ca_op op = op_of(HF_CA_VERB_ISSUE);
    int64_t before = n_certificates();
    op.ask = (struct hf_ca_ask){.profile = "thing", .name = "x"};
    op.made = no_room;
    run(&op, HF_CA_STORE);
    assert_non_null(strstr(op.text, "no room for the files"));
    assert_null(op.der.ptr);
    assert_null(op.identity);
    assert_null(op.key);
    hf_ca_op_done(&op);
    assert_int_equal(n_certificates(), before);
}

/* --- Tokens ------------------------------------------------------------------------------------
 */

static char *make_token(const char *profile, const char *name, unsigned uses)
{
    struct hf_ca_op op = op_of(HF_CA_VERB_TOKEN);
    op.caller.rights = HF_CA_MAY_TOKEN;
    op.ask = (struct hf_ca_ask){.profile = profile, .name = name};
    op.token_uses = uses;
    run(&op, HF_CA_DONE);
    char *token = hf_strdup(op.token);
    hf_ca_op_done(&op);
    return token;
}

static void test_a_token_stands_for_the_one_who_made_it(void **state)
{
    (void)state;
    char *token = make_token("slow", "sensor", 2);
    struct hf_ca_op op = op_of(HF_CA_VERB_ISSUE);
    op.caller.n_roles = 0;
    op.ask = (struct hf_ca_ask){.profile = "slow", .name = "sensor", .token = "hft-wrong"};
    run_once(&op, HF_CA_BAD_TOKEN, "unknown");
    op.ask.token = token;
    op.ask.name = "another";
    run_once(&op, HF_CA_BAD_TOKEN, "for the name");
    op.ask.name = "sensor";
    op.ask.profile = "thing";
    run_once(&op, HF_CA_BAD_TOKEN, "for the profile");
    op.ask.profile = NULL; /* the token says it */
    run(&op, HF_CA_DONE);
    assert_string_equal(op.profile, "slow");
    hf_ca_op_done(&op);
    run_once(&op, HF_CA_DONE, NULL);
    run_once(&op, HF_CA_BAD_TOKEN, "used");
    hf_free(token);
    op = op_of(HF_CA_VERB_TOKEN);
    op.ask.profile = "slow";
    run_once(&op, HF_CA_FORBIDDEN, "may not make tokens");
}

static void test_a_token_ends(void **state)
{
    (void)state;
    char *token = make_token("thing", NULL, 1);
    struct hf_ca_op op = op_of(HF_CA_VERB_ISSUE);
    op.ask = (struct hf_ca_ask){.profile = "thing", .name = "x", .token = token};
    world_now += 3601;
    run_once(&op, HF_CA_BAD_TOKEN, "ended");
    hf_free(token);
}

/* --- Approval ----------------------------------------------------------------------------------
 */

static void test_a_person_approves_and_who_asked_picks_up(void **state)
{
    (void)state;
    EVP_PKEY *key = NULL;
    struct hf_buf csr = csr_of("sensor", &key);
    struct hf_ca_op ask = op_of(HF_CA_VERB_SIGN);
    ask.ask = (struct hf_ca_ask){.profile = "slow", .csr = hf_buf_bytes(&csr)};
    int64_t before = n_certificates();
    run(&ask, HF_CA_PENDING);
    assert_int_equal(n_certificates(), before);
    char number[24];
    snprintf(number, sizeof(number), "%.*s", (int)strcspn(ask.id, "."), ask.id);

    struct hf_ca_op pick = op_of(HF_CA_VERB_PICK_UP);
    pick.request = number;
    run_once(&pick, HF_CA_FORBIDDEN, "somebody else");
    pick.request = ask.id;
    run_once(&pick, HF_CA_PENDING, NULL);

    struct hf_ca_op decide = op_of(HF_CA_VERB_APPROVE);
    decide.request = number;
    run_once(&decide, HF_CA_FORBIDDEN, "may not decide");
    decide.caller.rights = HF_CA_MAY_APPROVE;
    run_once(&decide, HF_CA_FORBIDDEN, "themselves");
    decide.caller.name = "boss";
    run(&decide, HF_CA_DONE);
    assert_non_null(decide.identity);
    hf_ca_op_done(&decide);
    run_once(&decide, HF_CA_CONFLICT, "already");

    run(&pick, HF_CA_DONE);
    assert_non_null(pick.identity);
    assert_int_equal(EVP_PKEY_eq(key, X509_get0_pubkey(pick.chain->certs[0]->x509)), 1);
    assert_int_equal(pick.chain->n_certs, 2);
    assert_int_equal(n_certificates(), before + 1);
    hf_ca_op_done(&pick);
    hf_ca_op_done(&ask);
    hf_buf_done(&csr);
    EVP_PKEY_free(key);
}

static void test_a_denied_request_is_over(void **state)
{
    (void)state;
    EVP_PKEY *key = NULL;
    struct hf_buf csr = csr_of("sensor", &key);
    struct hf_ca_op ask = op_of(HF_CA_VERB_SIGN);
    ask.ask = (struct hf_ca_ask){.profile = "strict", .csr = hf_buf_bytes(&csr)};
    run(&ask, HF_CA_PENDING);
    struct hf_ca_op decide = op_of(HF_CA_VERB_DENY);
    decide.caller.local = true;
    decide.request = ask.id;
    decide.note = "not ours";
    run_once(&decide, HF_CA_DONE, "denied");
    decide.verb = HF_CA_VERB_APPROVE;
    run_once(&decide, HF_CA_CONFLICT, "denied");
    struct hf_ca_op pick = op_of(HF_CA_VERB_PICK_UP);
    pick.request = ask.id;
    run_once(&pick, HF_CA_CONFLICT, "not ours");
    pick.request = "4711";
    run_once(&pick, HF_CA_FORBIDDEN, "or there is none");
    pick.request = "x";
    run_once(&pick, HF_CA_FORBIDDEN, "or there is none");
    pick.caller.rights = HF_CA_MAY_READ;
    run_once(&pick, HF_CA_NOT_FOUND, NULL);
    hf_ca_op_done(&ask);
    hf_buf_done(&csr);
    EVP_PKEY_free(key);
}

static void test_a_key_made_here_cannot_wait(void **state)
{
    (void)state;
    struct hf_ca_op op = op_of(HF_CA_VERB_ISSUE);
    op.ask = (struct hf_ca_ask){.profile = "slow", .name = "sensor"};
    run_once(&op, HF_CA_INVALID, "send a certificate request");
}

/* --- Renewal -----------------------------------------------------------------------------------
 */

static void test_renewal_wants_proof_and_its_time(void **state)
{
    (void)state;
    EVP_PKEY *key = NULL, *other_key = NULL;
    struct hf_cert *cert = issue("thing", "sensor", &key);
    struct hf_cert *other = issue("thing", "other", &other_key);
    struct hf_ca_op op = op_of(HF_CA_VERB_RENEW);
    struct hf_identity *id = NULL;
    assert_int_equal(hf_identity_new(cert, &id), HF_OK);
    op.which.serial = id->serial;
    run_once(&op, HF_CA_FORBIDDEN, "nothing shows");
    op.caller.cert = other;
    run_once(&op, HF_CA_FORBIDDEN, "nothing shows");
    op.caller.cert = cert;
    run_once(&op, HF_CA_WINDOW, "may be renewed from");
    world_now += 85 * DAY;
    op.ask.profile = "slow";
    run_once(&op, HF_CA_NOT_ALLOWED, "keeps the profile");
    op.ask.profile = NULL;
    op.which.serial = NULL; /* the one that was come with */
    run(&op, HF_CA_DONE);
    assert_int_equal(op.identity->not_after, world_now + 100 * DAY);
    assert_int_equal(EVP_PKEY_eq(key, X509_get0_pubkey(op.chain->certs[0]->x509)), 1);
    assert_null(op.key);
    hf_ca_op_done(&op);

    struct hf_buf wrong = csr_of("sensor", &other_key);
    op.ask.csr = hf_buf_bytes(&wrong);
    run_once(&op, HF_CA_INVALID, "another key");
    op.verb = HF_CA_VERB_REKEY;
    run_once(&op, HF_CA_DONE, NULL);
    hf_buf_done(&wrong);
    hf_identity_unref(id);
    hf_cert_unref(cert);
    hf_cert_unref(other);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other_key);
}

static void test_after_its_end_a_person_and_the_old_key_are_wanted(void **state)
{
    (void)state;
    EVP_PKEY *key = NULL;
    struct hf_cert *cert = issue("thing", "sensor", &key);
    struct hf_buf csr = csr_of("whatever", &key);
    struct hf_ca_op op = op_of(HF_CA_VERB_RENEW);
    struct hf_identity *id = NULL;
    assert_int_equal(hf_identity_new(cert, &id), HF_OK);
    world_now += 105 * DAY;
    op.which.serial = id->serial;
    run_once(&op, HF_CA_FORBIDDEN, "nothing shows");
    op.ask.csr = hf_buf_bytes(&csr);
    run(&op, HF_CA_PENDING);
    struct hf_ca_op decide = op_of(HF_CA_VERB_APPROVE);
    decide.caller.local = true;
    decide.request = op.id;
    run(&decide, HF_CA_DONE);
    assert_string_equal(decide.identity->cn, "sensor");
    assert_int_equal(EVP_PKEY_eq(key, X509_get0_pubkey(decide.chain->certs[0]->x509)), 1);
    hf_ca_op_done(&decide);
    hf_ca_op_done(&op);
    run_once(&op, HF_CA_CONFLICT, "renewed already"); /* the same request, by whoever saw it */
    EVP_PKEY *late_key = NULL;
    struct hf_cert *late = issue("thing", "late", &late_key);
    struct hf_buf late_csr = csr_of("late", &late_key);
    struct hf_identity *late_id = NULL;
    assert_int_equal(hf_identity_new(late, &late_id), HF_OK);
    op.which.serial = late_id->serial;
    op.ask.csr = hf_buf_bytes(&late_csr);
    world_now += 105 * DAY;
    for (int i = 0; i < 4; i++) { /* nor does it fill the list of those who decide */
        run_once(&op, HF_CA_PENDING, NULL);
    }
    run_once(&op, HF_CA_CONFLICT, "wait already");
    world_now += 10 * DAY;
    run_once(&op, HF_CA_WINDOW, "no longer");
    hf_buf_done(&late_csr);
    hf_identity_unref(late_id);
    hf_cert_unref(late);
    EVP_PKEY_free(late_key);
    hf_buf_done(&csr);
    hf_identity_unref(id);
    hf_cert_unref(cert);
    EVP_PKEY_free(key);
}

/* --- Revocation --------------------------------------------------------------------------------
 */

static void test_revoking_is_a_right_or_ones_own(void **state)
{
    (void)state;
    EVP_PKEY *key = NULL, *other_key = NULL;
    struct hf_cert *cert = issue("thing", "sensor", &key);
    struct hf_cert *other = issue("thing", "other", &other_key);
    struct hf_identity *id = NULL;
    assert_int_equal(hf_identity_new(cert, &id), HF_OK);
    struct hf_ca_op op = op_of(HF_CA_VERB_REVOKE);
    op.which.serial = id->serial;
    run_once(&op, HF_CA_FORBIDDEN, "may not revoke");
    op.caller.cert = other;
    run_once(&op, HF_CA_FORBIDDEN, "may not revoke");
    op.caller.cert = cert;
    op.verb = HF_CA_VERB_HOLD;
    run_once(&op, HF_CA_FORBIDDEN, NULL);
    op.verb = HF_CA_VERB_REVOKE;
    op.reason = 6;
    run_once(&op, HF_CA_INVALID, "no reason");
    op.reason = 5;
    run_once(&op, HF_CA_DONE, "revoked");
    run_once(&op, HF_CA_CONFLICT, NULL);
    assert_string_equal(last_audit().action, "revoke refused");
    struct hf_ca_op renew = op_of(HF_CA_VERB_RENEW);
    renew.caller.local = true;
    renew.which.serial = id->serial;
    run_once(&renew, HF_CA_CONFLICT, "is revoked");
    op = op_of(HF_CA_VERB_REVOKE);
    op.caller.rights = HF_CA_MAY_REVOKE;
    run_once(&op, HF_CA_INVALID, "say which");
    op.which.profile = "thing";
    op.dry_run = true;
    run(&op, HF_CA_DONE);
    assert_int_equal(op.n_matched, 1);
    assert_int_equal(op.n_changed, 0);
    hf_ca_op_done(&op);
    op.dry_run = false;
    run(&op, HF_CA_DONE);
    assert_int_equal(op.n_changed, 1);
    hf_ca_op_done(&op);
    hf_identity_unref(id);
    hf_cert_unref(cert);
    hf_cert_unref(other);
    EVP_PKEY_free(key);
    EVP_PKEY_free(other_key);
    world_verify(hf_ca_store(service));
}

static void test_a_key_that_others_have_is_refused(void **state)
{
    (void)state;
    EVP_PKEY *key = NULL;
    struct hf_cert *cert = issue("thing", "sensor", &key);
    struct hf_identity *id = NULL;
    assert_int_equal(hf_identity_new(cert, &id), HF_OK);
    struct hf_ca_op revoke = op_of(HF_CA_VERB_REVOKE);
    revoke.caller.rights = HF_CA_MAY_REVOKE;
    revoke.which.serial = id->serial;
    revoke.reason = 1;
    run_once(&revoke, HF_CA_DONE, "(sensor)");
    int64_t before = n_certificates();
    struct hf_buf csr = csr_of("sensor", &key);
    const char *const profiles[] = {"thing", "slow"}; /* at once, or after a person's approval */
    for (size_t i = 0; i < HF_N_ELEMENTS(profiles); i++) {
        struct hf_ca_op op = op_of(HF_CA_VERB_SIGN);
        op.ask = (struct hf_ca_ask){.profile = profiles[i], .csr = hf_buf_bytes(&csr)};
        run(&op, HF_CA_WEAK_KEY);
        assert_int_equal(op.why, HF_REFUSAL_KNOWN_KEY);
        assert_non_null(strstr(op.text, "others have the key"));
        assert_null(op.der.ptr);
        hf_ca_op_done(&op);
        assert_string_equal(last_audit().action, "sign refused");
    }
    assert_int_equal(n_certificates(), before);
    hf_buf_done(&csr);
    hf_identity_unref(id);
    hf_cert_unref(cert);
    EVP_PKEY_free(key);
}

/* --- Many at once ------------------------------------------------------------------------------
 */

enum { N_AT_ONCE = 200 };
static atomic_int n_left;

static void count_down(struct hf_ca_op *op)
{
    (void)op;
    atomic_fetch_sub(&n_left, 1);
}

static void test_what_is_under_way_is_finished_at_the_end(void **state)
{
    (void)state;
    static struct hf_ca_op ops[N_AT_ONCE];
    int64_t before = n_certificates();
    atomic_store(&n_left, N_AT_ONCE);
    for (size_t i = 0; i < N_AT_ONCE; i++) {
        ops[i] = op_of(HF_CA_VERB_ISSUE);
        ops[i].ask = (struct hf_ca_ask){.profile = "thing", .name = "x"};
        ops[i].done = count_down;
        hf_ca_submit(service, &ops[i]);
    }
    hf_ca_service_close(service);
    assert_int_equal(atomic_load(&n_left), 0);
    int64_t n_done = 0;
    for (size_t i = 0; i < N_AT_ONCE; i++) {
        n_done += ops[i].outcome == HF_CA_DONE;
        assert_true(ops[i].outcome == HF_CA_DONE || ops[i].outcome == HF_CA_BUSY);
        assert_true((ops[i].der.ptr != NULL) == (ops[i].outcome == HF_CA_DONE));
        hf_ca_op_done(&ops[i]);
    }
    struct hf_ca_service_options options = {
        .store = world_url(), .clock = &world_clock, .rng = &hf_os_rng};
    assert_int_equal(hf_ca_service_open(&options, &service), HF_OK);
    assert_int_equal(n_certificates(), before + n_done);
}

static void test_serial_numbers_as_people_write_them(void **state)
{
    (void)state;
    const struct {
        const char *text, *hex;
    } good[] = {{"1f:2E", "1f2e"}, {"00:0a", "0a"}, {"abc", "0abc"}, {"0", "00"}, {"000", "00"}};
    static const char *const bad[] = {"", "g", "1f 2e",
                                      "123456789012345678901234567890123456789012"};
    uint8_t serial[HF_STORE_SERIAL_MAX];
    char hex[2 * HF_STORE_SERIAL_MAX + 1];
    size_t len;
    for (size_t i = 0; i < HF_N_ELEMENTS(good); i++) {
        assert_int_equal(hf_ca_serial(good[i].text, serial, &len), HF_OK);
        hf_hex(hf_bytes_of(serial, len), hex);
        assert_string_equal(hex, good[i].hex);
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(bad); i++) {
        assert_int_equal(hf_ca_serial(bad[i], serial, &len), HF_E_INVALID);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(profiles_say_who_may_ask),
        TEST(what_cannot_be_asked),
        TEST(names_are_told_as_they_are_issued),
        TEST(nothing_is_stored_when_its_files_cannot_be_written),
        TEST(a_token_stands_for_the_one_who_made_it),
        TEST(a_token_ends),
        TEST(a_person_approves_and_who_asked_picks_up),
        TEST(a_denied_request_is_over),
        TEST(a_key_made_here_cannot_wait),
        TEST(renewal_wants_proof_and_its_time),
        TEST(after_its_end_a_person_and_the_old_key_are_wanted),
        TEST(revoking_is_a_right_or_ones_own),
        TEST(a_key_that_others_have_is_refused),
        TEST(what_is_under_way_is_finished_at_the_end),
        cmocka_unit_test(test_serial_numbers_as_people_write_them),
    };
    return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}
