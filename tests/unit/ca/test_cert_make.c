// SPDX-License-Identifier: Apache-2.0
#include "ca/cert_make.h"

#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "making.h"

#define DAY INT64_C(86400)

/* What a case asks for, with a root, a CA below it and a key of its own. */
static struct making_ca root, issuing;
static EVP_PKEY *leaf_key;
static struct hf_public_key *leaf_public;

static int set_up(void **state)
{
    (void)state;
    root = making_root(HF_KEY_KIND_P384);
    issuing = making_below(&root, HF_KEY_KIND_P256, NULL);
    leaf_key = making_key(HF_KEY_KIND_P256);
    leaf_public = making_public(leaf_key);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    hf_public_key_free(leaf_public);
    EVP_PKEY_free(leaf_key);
    making_ca_done(&issuing);
    making_ca_done(&root);
    return 0;
}

/* One request: subject and names as people write them, "" for none. */
struct asked {
    struct hf_subject subject;
    struct hf_alt_names names;
    struct hf_cert_facts facts;
};

static void ask(struct asked *asked, const char *subject, const char *const *names)
{
    memset(asked, 0, sizeof(*asked));
    assert_int_equal(hf_subject_parse(subject, &asked->subject), HF_OK);
    for (size_t i = 0; names && names[i]; i++) {
        if (hf_alt_names_add_text(&asked->names, names[i]) != HF_OK) {
            fail_msg("%s: %s", names[i], hf_err_text());
        }
    }
    asked->facts.key = leaf_public;
    asked->facts.subject = &asked->subject;
    asked->facts.names = &asked->names;
}

static void asked_done(struct asked *asked)
{
    hf_subject_done(&asked->subject);
    hf_alt_names_done(&asked->names);
}

static enum hf_err make(const char *profile_name, const struct asked *asked,
                        const struct making_ca *ca, struct hf_made_cert *made, enum hf_refusal *why)
{
    struct hf_cert_profile *profile = making_builtin(profile_name);
    enum hf_err err =
        hf_cert_make(profile, &asked->facts, ca->issuer, MAKING_NOW, &hf_os_rng, made, why);
    hf_cert_profile_unref(profile);
    return err;
}

static struct hf_cert *cert_of(struct hf_made_cert *made)
{
    struct hf_cert *cert = NULL;
    assert_int_equal(hf_cert_from_der(hf_buf_bytes(&made->der), &cert), HF_OK);
    return cert;
}

/* libcrypto's path validation with its strictest checks. */
static void verify(const struct hf_cert *leaf, const struct making_ca *middle,
                   const struct making_ca *top, int purpose)
{
    X509_STORE *store = X509_STORE_new();
    STACK_OF(X509) *chain = sk_X509_new_null();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    X509_STORE_add_cert(store, top->cert->x509);
    sk_X509_push(chain, middle->cert->x509);
    X509_STORE_CTX_init(ctx, store, leaf->x509, chain);
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_time(param, (time_t)MAKING_NOW);
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_X509_STRICT | X509_V_FLAG_CHECK_SS_SIGNATURE |
                                           X509_V_FLAG_POLICY_CHECK);
    X509_STORE_CTX_set_purpose(ctx, purpose);
    if (X509_verify_cert(ctx) != 1) {
        fail_msg("%s", X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)));
    }
    X509_STORE_CTX_free(ctx);
    sk_X509_free(chain);
    X509_STORE_free(store);
}

/* --- What is made ------------------------------------------------------------------------------*/

static void every_leaf_profile_makes_what_verifies(void **state)
{
    (void)state;
    static const struct {
        const char *profile, *subject;
        const char *names[4];
        int purpose;
    } cases[] = {
        {"user", "CN=alice,O=Example", {"email:alice@example.org"}, X509_PURPOSE_SSL_CLIENT},
        {"user", "CN=bob", {"UPN:bob@example.org", "URI:urn:x:y"}, X509_PURPOSE_SSL_CLIENT},
        {"service", "", {"URI:spiffe://example.org/a"}, X509_PURPOSE_SSL_CLIENT},
        {"service", "CN=db", {"DNS:db.example.org", "IP:10.0.0.1"}, X509_PURPOSE_SSL_SERVER},
        {"device", "CN=cam-1,serialNumber=77", {NULL}, X509_PURPOSE_SSL_CLIENT},
        {"server",
         "CN=a.example.org",
         {"DNS:a.example.org", "DNS:*.b.example.org"},
         X509_PURPOSE_SSL_SERVER},
        {"server", "", {"IP:2001:db8::1"}, X509_PURPOSE_SSL_SERVER},
        {"ocsp-signer", "CN=OCSP", {NULL}, X509_PURPOSE_OCSP_HELPER},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        struct asked asked;
        struct hf_made_cert made;
        enum hf_refusal why;
        ask(&asked, cases[i].subject, cases[i].names);
        if (make(cases[i].profile, &asked, &issuing, &made, &why) != HF_OK) {
            fail_msg("%s %s: %s: %s", cases[i].profile, cases[i].subject, hf_refusal_name(why),
                     hf_err_text());
        }
        for (size_t j = 0; j < made.lint.n; j++) {
            fail_msg("%s %s: %s: %s", cases[i].profile, cases[i].subject,
                     made.lint.finding[j].check->name, made.lint.finding[j].text);
        }
        struct hf_cert *cert = cert_of(&made);
        verify(cert, &issuing, &root, cases[i].purpose);
        assert_int_equal(cert->not_before, made.not_before);
        assert_int_equal(cert->not_after, made.not_after);
        assert_false(made.capped);
        hf_cert_unref(cert);
        hf_made_cert_done(&made);
        asked_done(&asked);
    }
}

static void every_kind_of_key_signs_and_is_signed(void **state)
{
    (void)state;
    static const enum hf_key_kind kinds[] = {HF_KEY_KIND_P256, HF_KEY_KIND_P384,
                                             HF_KEY_KIND_ED25519, HF_KEY_KIND_RSA3072};
    for (size_t i = 0; i < HF_N_ELEMENTS(kinds); i++) {
        struct making_ca top = making_root(kinds[i]);
        struct making_ca below = making_below(&top, kinds[(i + 1) % HF_N_ELEMENTS(kinds)], NULL);
        struct asked asked;
        struct hf_made_cert made;
        enum hf_refusal why;
        ask(&asked, "CN=alice", NULL);
        EVP_PKEY *key = making_key(kinds[i]);
        struct hf_public_key *public = making_public(key);
        asked.facts.key = public;
        assert_int_equal(make("user", &asked, &below, &made, &why), HF_OK);
        assert_int_equal(made.lint.n, 0);
        struct hf_cert *cert = cert_of(&made);
        verify(cert, &below, &top, X509_PURPOSE_SSL_CLIENT);
        hf_cert_unref(cert);
        hf_made_cert_done(&made);
        asked_done(&asked);
        hf_public_key_free(public);
        EVP_PKEY_free(key);
        making_ca_done(&below);
        making_ca_done(&top);
    }
}

static void serials_are_random_positive_and_never_short(void **state)
{
    (void)state;
    struct asked asked;
    struct hf_made_cert made[2];
    enum hf_refusal why;
    bool high = false;
    ask(&asked, "CN=alice", NULL);
    for (int i = 0; i < 64; i++) {
        assert_int_equal(make("user", &asked, &issuing, &made[i % 2], &why), HF_OK);
        struct hf_cert *cert = cert_of(&made[i % 2]);
        ASN1_INTEGER *serial = X509_get_serialNumber(cert->x509);
        assert_int_equal(ASN1_STRING_type(serial), V_ASN1_INTEGER); /* not negative */
        assert_int_equal(ASN1_STRING_length(serial), HF_MADE_SERIAL_SIZE);
        assert_memory_equal(ASN1_STRING_get0_data(serial), made[i % 2].serial, HF_MADE_SERIAL_SIZE);
        assert_int_not_equal(made[i % 2].serial[0], 0);
        high = high || made[i % 2].serial[0] & 0x80;
        hf_cert_unref(cert);
        if (i % 2) {
            assert_memory_not_equal(made[0].serial, made[1].serial, HF_MADE_SERIAL_SIZE);
            hf_made_cert_done(&made[0]);
            hf_made_cert_done(&made[1]);
        }
    }
    assert_true(high); /* all 128 bits are in use; wrong once in 2^64 runs */
    asked_done(&asked);
}

static enum hf_err zeros(void *ctx, struct hf_span out)
{
    (void)ctx;
    memset(out.ptr, 0, out.len);
    return HF_OK;
}

static void a_dead_random_source_makes_nothing(void **state)
{
    (void)state;
    const struct hf_rng dead = {NULL, zeros};
    struct hf_cert_profile *profile = making_builtin("user");
    struct asked asked;
    struct hf_made_cert made;
    enum hf_refusal why;
    ask(&asked, "CN=alice", NULL);
    assert_int_equal(
        hf_cert_make(profile, &asked.facts, issuing.issuer, MAKING_NOW, &dead, &made, &why),
        HF_E_CRYPTO);
    assert_int_equal(why, HF_REFUSAL_NONE);
    hf_cert_profile_unref(profile);
    asked_done(&asked);
}

/* --- Dates ------------------------------------------------------------------------------------*/

static void dates_are_backdated_and_capped(void **state)
{
    (void)state;
    struct asked asked;
    struct hf_made_cert made;
    enum hf_refusal why;
    ask(&asked, "CN=alice", NULL);
    /* the issuing CA began at the same moment as its profile's skew allows, so the leaf does too */
    assert_int_equal(make("user", &asked, &issuing, &made, &why), HF_OK);
    assert_int_equal(made.not_before, MAKING_NOW - 300);
    assert_int_equal(made.not_after, MAKING_NOW + 90 * DAY);
    hf_made_cert_done(&made);

    asked.facts.lifetime_s = 7 * DAY;
    assert_int_equal(make("user", &asked, &issuing, &made, &why), HF_OK);
    assert_int_equal(made.not_after, MAKING_NOW + 7 * DAY);
    hf_made_cert_done(&made);

    asked.facts.lifetime_s = 399 * DAY;
    assert_int_equal(make("user", &asked, &issuing, &made, &why), HF_E_INVALID);
    assert_int_equal(why, HF_REFUSAL_LIFETIME);

    asked.facts.lifetime_s = 0;
    asked.facts.not_after = MAKING_NOW + 5000 * DAY;
    assert_int_equal(make("user", &asked, &issuing, &made, &why), HF_OK);
    assert_true(made.capped);
    assert_int_equal(made.not_after, issuing.cert->not_after);
    hf_made_cert_done(&made);

    asked.facts.not_before = MAKING_NOW - 200 * DAY;
    asked.facts.not_after = MAKING_NOW - 100 * DAY;
    assert_int_equal(make("user", &asked, &issuing, &made, &why), HF_OK); /* expired on purpose */
    assert_int_equal(made.not_before, MAKING_NOW - 200 * DAY);
    assert_int_equal(made.not_after, MAKING_NOW - 100 * DAY);
    hf_made_cert_done(&made);

    asked.facts.not_after = asked.facts.not_before;
    assert_int_equal(make("user", &asked, &issuing, &made, &why), HF_E_INVALID);
    assert_int_equal(why, HF_REFUSAL_LIFETIME);
    asked_done(&asked);
}

static void a_ca_that_has_ended_issues_nothing(void **state)
{
    (void)state;
    struct hf_cert_profile *profile = making_builtin("user");
    struct asked asked;
    struct hf_made_cert made;
    enum hf_refusal why;
    const int64_t times[] = {issuing.cert->not_after, issuing.cert->not_after + DAY,
                             issuing.cert->not_before - 1};
    ask(&asked, "CN=alice", NULL);
    for (size_t i = 0; i < HF_N_ELEMENTS(times); i++) {
        assert_int_equal(
            hf_cert_make(profile, &asked.facts, issuing.issuer, times[i], &hf_os_rng, &made, &why),
            HF_E_INVALID);
        assert_int_equal(why, HF_REFUSAL_ISSUER_ENDED);
    }
    hf_cert_profile_unref(profile);
    asked_done(&asked);
}

/* --- Refusals ---------------------------------------------------------------------------------*/

static void what_the_profile_does_not_allow_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *profile, *subject;
        const char *names[4];
        enum hf_refusal why;
    } cases[] = {
        {"user", "CN=alice", {"DNS:a.example.org"}, HF_REFUSAL_NAME_DENIED},
        {"server", "CN=a", {NULL}, HF_REFUSAL_NAME_MISSING},
        {"server", "CN=a", {"email:a@example.org"}, HF_REFUSAL_NAME_DENIED},
        {"service", "CN=a", {"DNS:*.example.org"}, HF_REFUSAL_NAME_DENIED},
        {"service", "", {"URI:spiffe://example.org/a", "URI:urn:a:b"}, HF_REFUSAL_NAME_INVALID},
        {"user", "CN=a", {"UPN:a@b.org", "UPN:c@b.org"}, HF_REFUSAL_NAME_DENIED},
        {"user", "", {NULL}, HF_REFUSAL_LINT}, /* names nobody */
        {"user", "O=Example", {NULL}, HF_REFUSAL_NONE},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        struct asked asked;
        struct hf_made_cert made;
        enum hf_refusal why = HF_REFUSAL_NONE;
        ask(&asked, cases[i].subject, cases[i].names);
        enum hf_err err = make(cases[i].profile, &asked, &issuing, &made, &why);
        if (cases[i].why == HF_REFUSAL_NONE) {
            assert_int_equal(err, HF_OK);
            hf_made_cert_done(&made);
        } else {
            assert_int_equal(err, HF_E_INVALID);
            assert_string_equal(hf_refusal_name(why), hf_refusal_name(cases[i].why));
        }
        asked_done(&asked);
    }
}

static void keys_that_the_profile_does_not_take_are_refused(void **state)
{
    (void)state;
    struct asked asked;
    struct hf_made_cert made;
    enum hf_refusal why;
    EVP_PKEY *key = making_key(HF_KEY_KIND_P521);
    struct hf_public_key *public = making_public(key);
    ask(&asked, "CN=alice", NULL);
    asked.facts.key = public;
    assert_int_equal(make("user", &asked, &issuing, &made, &why), HF_E_INVALID);
    assert_int_equal(why, HF_REFUSAL_KEY_TYPE);
    assert_non_null(strstr(hf_err_text(), "EC P-521"));
    hf_public_key_free(public);
    EVP_PKEY_free(key);
    asked_done(&asked);
}

/* --- Below CAs --------------------------------------------------------------------------------*/

static void path_lengths_shrink_downwards(void **state)
{
    (void)state;
    struct asked asked;
    struct hf_made_cert made;
    enum hf_refusal why;
    ask(&asked, "CN=Third", NULL);
    assert_int_equal(make("ca", &asked, &issuing, &made, &why), HF_E_INVALID);
    assert_int_equal(why, HF_REFUSAL_ISSUER);
    assert_non_null(strstr(hf_err_text(), "a path length by which no CA may follow below it"));
    asked_done(&asked);

    const int two = 2, none = -1;
    struct making_ca middle =
        making_below(&root, HF_KEY_KIND_P256, &(struct hf_cert_facts){.path_len = &two});
    assert_int_equal(hf_issuer_path_len(middle.issuer), 2);
    struct making_ca lower =
        making_below(&middle, HF_KEY_KIND_P256, &(struct hf_cert_facts){.path_len = &none});
    assert_int_equal(hf_issuer_path_len(lower.issuer), 1);
    making_ca_done(&lower);
    making_ca_done(&middle);
}

/* The certificates in between say nothing of it: it is those above that bind. */
static void all_cas_above_bind_what_is_issued(void **state)
{
    (void)state;
    static const char *const permitted[] = {"DNS:example.org"};
    static const char *const inside[] = {"DNS:a.example.org", NULL};
    static const char *const outside[] = {"DNS:a.example.com", NULL};
    const struct hf_made_constraints constraints = {permitted, 1, NULL, 0};
    const int two = 2, none = -1;
    struct hf_cert_facts facts = {
        .constraints = &constraints, .path_len = &two, .lifetime_s = 400 * DAY};
    struct making_ca top = making_below(&root, HF_KEY_KIND_P256, &facts);
    facts = (struct hf_cert_facts){.path_len = &none};
    struct making_ca middle = making_below(&top, HF_KEY_KIND_P256, &facts);
    struct making_ca low = making_below(&middle, HF_KEY_KIND_P256, &facts);
    struct asked asked;
    struct hf_made_cert made;
    enum hf_refusal why;
    assert_int_equal(hf_issuer_under(low.issuer, top.cert), HF_OK);
    assert_int_equal(hf_issuer_under(low.issuer, root.cert), HF_OK);

    ask(&asked, "", inside);
    assert_int_equal(make("server", &asked, &low, &made, &why), HF_OK);
    hf_made_cert_done(&made);
    asked.facts.not_after = MAKING_NOW + 5000 * DAY;
    assert_int_equal(make("server", &asked, &low, &made, &why), HF_OK);
    assert_int_equal(made.not_after, top.cert->not_after);
    hf_made_cert_done(&made);
    asked_done(&asked);
    ask(&asked, "", outside);
    assert_int_equal(make("server", &asked, &low, &made, &why), HF_E_INVALID);
    assert_int_equal(why, HF_REFUSAL_NAME_CONSTRAINTS);
    asked_done(&asked);

    /* top allows two CAs below it, and there are two. */
    assert_int_equal(hf_issuer_path_len(middle.issuer), 1);
    assert_int_equal(hf_issuer_path_len(low.issuer), 0);
    assert_false(hf_issuer_is_too_deep(low.issuer));
    ask(&asked, "CN=Fourth", NULL);
    assert_int_equal(make("ca", &asked, &low, &made, &why), HF_E_INVALID);
    assert_int_equal(why, HF_REFUSAL_ISSUER);
    asked_done(&asked);

    making_ca_done(&low);
    making_ca_done(&middle);
    making_ca_done(&top);
}

/* As an outside CA may have made it, against its own path length. */
static void a_ca_that_is_too_deep_issues_nothing(void **state)
{
    (void)state;
    struct making_ca elsewhere = making_root(HF_KEY_KIND_P256);
    struct hf_issuer *deep = NULL;
    struct asked asked;
    struct hf_made_cert made;
    enum hf_refusal why;
    assert_int_equal(hf_issuer_new(elsewhere.cert, elsewhere.key, &deep), HF_OK);
    assert_int_equal(hf_issuer_under(deep, issuing.cert), HF_OK); /* path length 0 */
    assert_false(hf_issuer_is_too_deep(deep));                    /* a root counts for nothing */
    hf_issuer_unref(deep);
    assert_int_equal(hf_issuer_new(issuing.cert, issuing.key, &deep), HF_OK);
    assert_int_equal(hf_issuer_under(deep, issuing.cert), HF_OK);
    assert_true(hf_issuer_is_too_deep(deep));
    assert_int_equal(hf_issuer_path_len(deep), 0);
    struct making_ca too_deep = issuing;
    too_deep.issuer = deep;
    ask(&asked, "CN=alice", NULL);
    assert_int_equal(make("user", &asked, &too_deep, &made, &why), HF_E_INVALID);
    assert_int_equal(why, HF_REFUSAL_ISSUER);
    assert_non_null(strstr(hf_err_text(), "nobody would accept what it issues"));
    asked_done(&asked);
    hf_issuer_unref(deep);
    making_ca_done(&elsewhere);
}

static void name_constraints_bind_what_is_issued(void **state)
{
    (void)state;
    static const char *const permitted[] = {"DNS:example.org", "IP:10.0.0.0/8", "email:example.org",
                                            "dn:O=Example"};
    static const char *const excluded[] = {"DNS:secret.example.org", "URI:.example.net"};
    const struct hf_made_constraints constraints = {permitted, 4, excluded, 2};
    struct making_ca bound =
        making_below(&root, HF_KEY_KIND_P256, &(struct hf_cert_facts){.constraints = &constraints});
    static const struct {
        const char *subject;
        const char *names[2];
        bool good;
    } cases[] = {
        {"CN=a,O=Example", {"DNS:a.example.org"}, true},
        {"CN=a,O=EXAMPLE", {"DNS:example.org"}, true},
        {"CN=a,O=Example", {"DNS:badexample.org"}, false},
        {"CN=a,O=Example", {"DNS:x.secret.example.org"}, false},
        {"CN=a,O=Other", {"DNS:a.example.org"}, false},
        {"CN=a", {"DNS:a.example.org"}, false},
        {"", {"DNS:a.example.org"}, true},
        {"CN=a,O=Example", {"IP:10.1.2.3"}, true},
        {"CN=a,O=Example", {"IP:11.1.2.3"}, false},
        {"CN=a,O=Example", {"IP:2001:db8::1"}, false},
        {"CN=a,O=Example", {"URI:https://a.example.com/x"}, true},
        {"CN=a,O=Example", {"URI:https://a.example.net:1/x"}, false},
        {"CN=a,O=Example", {"URI:urn:a:b"}, false}, /* has no host to judge by */
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        struct asked asked;
        struct hf_made_cert made;
        enum hf_refusal why = HF_REFUSAL_NONE;
        ask(&asked, cases[i].subject, cases[i].names);
        enum hf_err err = make("service", &asked, &bound, &made, &why);
        if (cases[i].good) {
            if (err != HF_OK) {
                fail_msg("%s %s: %s", cases[i].subject, cases[i].names[0], hf_err_text());
            }
            struct hf_cert *cert = cert_of(&made);
            verify(cert, &bound, &root, X509_PURPOSE_SSL_CLIENT);
            hf_cert_unref(cert);
            hf_made_cert_done(&made);
        } else {
            if (err == HF_OK) {
                fail_msg("%s %s was made", cases[i].subject, cases[i].names[0]);
            }
            assert_int_equal(why, HF_REFUSAL_NAME_CONSTRAINTS);
        }
        asked_done(&asked);
    }
    making_ca_done(&bound);
}

/* OpenSSL takes the CN for the host's name where there is no DNS name: no way around the rules. */
static void a_cn_that_looks_like_a_host_is_held_to_the_rules_for_hosts(void **state)
{
    (void)state;
    static const char yaml[] = "name: x\nextends: service\n"
                               "names: {dns: {allow: [\"*.svc.example.org\"]}}\n";
    static const char *const permitted[] = {"DNS:svc.example.org"};
    const struct hf_made_constraints constraints = {permitted, 1, NULL, 0};
    struct making_ca bound =
        making_below(&root, HF_KEY_KIND_P256, &(struct hf_cert_facts){.constraints = &constraints});
    static const struct {
        const char *subject, *names[2];
        enum hf_refusal why, bound_why;
    } cases[] = {
        {"CN=a.svc.example.org", {"URI:urn:a:b"}, HF_REFUSAL_NONE, HF_REFUSAL_NONE},
        {"CN=bank.example.org", {NULL}, HF_REFUSAL_NAME_DENIED, HF_REFUSAL_NAME_CONSTRAINTS},
        {"CN=bank.example.org",
         {"DNS:a.svc.example.org"},
         HF_REFUSAL_NAME_DENIED,
         HF_REFUSAL_NAME_CONSTRAINTS},
        {"CN=a service of ours", {NULL}, HF_REFUSAL_NONE, HF_REFUSAL_NONE},
        {"CN=db", {NULL}, HF_REFUSAL_NONE, HF_REFUSAL_NONE},
    };
    struct hf_findings findings = {0};
    struct hf_cert_profile *profile = NULL;
    assert_int_equal(hf_cert_profile_parse(hf_bytes_str(yaml), "x", &findings, &profile), HF_OK);
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        struct asked asked;
        struct hf_made_cert made;
        enum hf_refusal why = HF_REFUSAL_NONE;
        ask(&asked, cases[i].subject, cases[i].names);
        if (hf_cert_make(profile, &asked.facts, issuing.issuer, MAKING_NOW, &hf_os_rng, &made,
                         &why) == HF_OK) {
            hf_made_cert_done(&made);
        }
        assert_string_equal(hf_refusal_name(why), hf_refusal_name(cases[i].why));
        why = HF_REFUSAL_NONE;
        if (make("service", &asked, &bound, &made, &why) == HF_OK) {
            hf_made_cert_done(&made);
        }
        assert_string_equal(hf_refusal_name(why), hf_refusal_name(cases[i].bound_why));
        asked_done(&asked);
    }
    hf_findings_done(&findings);
    hf_cert_profile_unref(profile);
    making_ca_done(&bound);
}

/* --- What comes as facts ----------------------------------------------------------------------*/

static void urls_go_where_they_belong(void **state)
{
    (void)state;
    static const char *const crl[] = {"http://ca.example.org/crl/7.crl"};
    static const char *const ocsp[] = {"http://ca.example.org/ocsp"};
    static const char *const issuer[] = {"http://ca.example.org/issuing.cer"};
    struct asked asked;
    struct hf_made_cert made;
    enum hf_refusal why;
    ask(&asked, "CN=alice", NULL);
    asked.facts.crl_urls = crl;
    asked.facts.n_crl_urls = 1;
    asked.facts.ocsp_urls = ocsp;
    asked.facts.n_ocsp_urls = 1;
    asked.facts.issuer_urls = issuer;
    asked.facts.n_issuer_urls = 1;
    assert_int_equal(make("user", &asked, &issuing, &made, &why), HF_OK);
    assert_int_equal(made.lint.n, 0);
    struct hf_cert *cert = cert_of(&made);
    STACK_OF(OPENSSL_STRING) *urls = X509_get1_ocsp(cert->x509);
    assert_int_equal(sk_OPENSSL_STRING_num(urls), 1);
    assert_string_equal(sk_OPENSSL_STRING_value(urls, 0), ocsp[0]);
    X509_email_free(urls);
    STACK_OF(DIST_POINT) *points =
        X509_get_ext_d2i(cert->x509, NID_crl_distribution_points, NULL, NULL);
    assert_int_equal(sk_DIST_POINT_num(points), 1);
    GENERAL_NAMES *names = sk_DIST_POINT_value(points, 0)->distpoint->name.fullname;
    assert_int_equal(sk_GENERAL_NAME_num(names), 1);
    const ASN1_STRING *uri = GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names, 0), NULL);
    assert_memory_equal(ASN1_STRING_get0_data(uri), crl[0], strlen(crl[0]));
    sk_DIST_POINT_pop_free(points, DIST_POINT_free);
    hf_cert_unref(cert);
    hf_made_cert_done(&made);
    static const char *const bad[] = {"not a url"};
    asked.facts.crl_urls = bad;
    assert_int_equal(make("user", &asked, &issuing, &made, &why), HF_E_INVALID);
    assert_int_equal(why, HF_REFUSAL_ISSUER);
    asked_done(&asked);
}

static void a_cross_certificate_has_the_other_cas_name_and_key_id(void **state)
{
    (void)state;
    struct making_ca next = making_root(HF_KEY_KIND_P256);
    struct hf_cert_profile *profile = making_builtin("ca");
    unsigned char *name = NULL;
    int len = i2d_X509_NAME(X509_get_subject_name(next.cert->x509), &name);
    const int none = -1;
    const uint8_t key_id[] = {1, 2, 3, 4};
    struct hf_cert_facts facts = {.key = next.public,
                                  .subject_der = hf_bytes_of(name, (size_t)len),
                                  .path_len = &none,
                                  .key_id = hf_bytes_of(key_id, sizeof(key_id))};
    struct hf_made_cert made;
    enum hf_refusal why;
    assert_int_equal(
        hf_cert_make(profile, &facts, root.issuer, MAKING_NOW, &hf_os_rng, &made, &why), HF_OK);
    struct hf_cert *cert = cert_of(&made);
    assert_int_equal(
        X509_NAME_cmp(X509_get_subject_name(cert->x509), X509_get_subject_name(next.cert->x509)),
        0);
    const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(cert->x509);
    assert_int_equal(ASN1_STRING_length(id), sizeof(key_id));
    hf_cert_unref(cert);
    hf_made_cert_done(&made);
    OPENSSL_free(name);
    hf_cert_profile_unref(profile);
    making_ca_done(&next);
}

static void an_issuer_must_be_a_ca_with_its_key(void **state)
{
    (void)state;
    struct hf_issuer *issuer = NULL;
    struct asked asked;
    struct hf_made_cert made;
    enum hf_refusal why;
    assert_int_equal(hf_issuer_new(issuing.cert, root.key, &issuer), HF_E_MISMATCH);
    ask(&asked, "CN=alice", NULL);
    assert_int_equal(make("user", &asked, &issuing, &made, &why), HF_OK);
    struct hf_cert *cert = cert_of(&made);
    assert_int_equal(hf_issuer_new(cert, leaf_key, &issuer), HF_E_INVALID);
    assert_null(issuer);
    hf_cert_unref(cert);
    hf_made_cert_done(&made);
    asked_done(&asked);
}

static void requests_of_ours_are_read_back(void **state)
{
    (void)state;
    struct asked asked;
    HF_CLEANUP(hf_buf_done) struct hf_buf der = HF_BUF_INIT(1 << 16);
    struct hf_csr *csr = NULL;
    enum hf_refusal why;
    ask(&asked, "CN=Issuing,O=Example", (const char *const[]){"DNS:a.example.org", NULL});
    assert_int_equal(hf_csr_make(&asked.subject, &asked.names, true, leaf_key, &der), HF_OK);
    assert_int_equal(hf_csr_parse(hf_buf_bytes(&der), "ours", &csr, &why), HF_OK);
    assert_true(csr->wants_ca);
    assert_int_equal(csr->names.n, 1);
    assert_string_equal(hf_subject_get(&csr->subject, HF_ATTR_CN, 0), "Issuing");
    assert_memory_equal(csr->key->spki_sha256, leaf_public->spki_sha256, 32);
    hf_csr_free(csr);
    asked_done(&asked);
}

static void memory_may_run_out_anywhere(void **state)
{
    (void)state;
    struct asked asked;
    struct hf_made_cert made;
    enum hf_refusal why = HF_REFUSAL_NONE;
    struct hf_cert_profile *profile = making_builtin("server");
    enum hf_err err = HF_E_NOMEM;
    ask(&asked, "CN=a.example.org",
        (const char *const[]){"DNS:a.example.org", "IP:10.0.0.1", NULL});
    for (size_t n = 1; err != HF_OK && n < 500; n++) {
        hf_alloc_fail_after(n);
        err = hf_cert_make(profile, &asked.facts, issuing.issuer, MAKING_NOW, &hf_os_rng, &made,
                           &why);
        hf_alloc_fail_after(0);
        if (err != HF_OK && err != HF_E_NOMEM) {
            fail_msg("allocation %zu: %s: %s", n, hf_err_name(err), hf_err_text());
        }
        assert_true(err == HF_OK || why == HF_REFUSAL_NONE);
    }
    assert_int_equal(err, HF_OK);
    hf_made_cert_done(&made);
    hf_cert_profile_unref(profile);
    asked_done(&asked);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_leaf_profile_makes_what_verifies),
        cmocka_unit_test(every_kind_of_key_signs_and_is_signed),
        cmocka_unit_test(serials_are_random_positive_and_never_short),
        cmocka_unit_test(a_dead_random_source_makes_nothing),
        cmocka_unit_test(dates_are_backdated_and_capped),
        cmocka_unit_test(a_ca_that_has_ended_issues_nothing),
        cmocka_unit_test(what_the_profile_does_not_allow_is_refused),
        cmocka_unit_test(keys_that_the_profile_does_not_take_are_refused),
        cmocka_unit_test(path_lengths_shrink_downwards),
        cmocka_unit_test(all_cas_above_bind_what_is_issued),
        cmocka_unit_test(a_ca_that_is_too_deep_issues_nothing),
        cmocka_unit_test(name_constraints_bind_what_is_issued),
        cmocka_unit_test(a_cn_that_looks_like_a_host_is_held_to_the_rules_for_hosts),
        cmocka_unit_test(urls_go_where_they_belong),
        cmocka_unit_test(a_cross_certificate_has_the_other_cas_name_and_key_id),
        cmocka_unit_test(an_issuer_must_be_a_ca_with_its_key),
        cmocka_unit_test(requests_of_ours_are_read_back),
        cmocka_unit_test(memory_may_run_out_anywhere),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
