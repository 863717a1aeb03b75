// SPDX-License-Identifier: Apache-2.0
#include "ca/cert_profile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "making.h"

static struct hf_cert_profile *parse(const char *yaml)
{
    struct hf_findings findings = {0};
    struct hf_cert_profile *profile = NULL;
    if (hf_cert_profile_parse(hf_bytes_str(yaml), "p.yaml", &findings, &profile) != HF_OK) {
        fail_msg("%s: %s", hf_err_text(), findings.n ? findings.item[0].text : "");
    }
    assert_int_equal(findings.n, 0);
    hf_findings_done(&findings);
    return profile;
}

/* --- Reading ----------------------------------------------------------------------------------*/

static void those_built_in_are_whole(void **state)
{
    (void)state;
    size_t n = 0;
    for (; hf_cert_profile_words[n]; n++) {
        struct hf_cert_profile *profile = making_builtin(hf_cert_profile_words[n]);
        assert_string_equal(profile->name, hf_cert_profile_words[n]);
        assert_true(profile->lifetime_s > 0 && profile->lifetime_max_s >= profile->lifetime_s);
        assert_true(profile->renew_before_s > 0 && profile->renew_before_s < profile->lifetime_s);
        assert_true(profile->keys >> profile->key_default & 1);
        assert_int_equal(profile->key_default, HF_KEY_KIND_P256);
        assert_int_equal(profile->n_ask, 0); /* only the operator, until somebody says who */
        assert_string_equal(profile->yaml, hf_cert_profile_builtin_yaml(hf_cert_profile_words[n]));
        hf_cert_profile_unref(profile);
    }
    assert_int_equal(n, 7);
    struct hf_cert_profile *none = NULL;
    assert_int_equal(hf_cert_profile_builtin("laptop", &none), HF_E_NOT_FOUND);
    assert_null(none);
}

static void one_of_ones_own_keeps_what_it_does_not_say(void **state)
{
    (void)state;
    struct hf_cert_profile *profile = parse("name: laptop\n"
                                            "extends: device\n"
                                            "about: laptops of the staff\n"
                                            "keys: [ed25519, p256]\n"
                                            "subject: \"CN={cn!},OU=Laptops,O=Example\\\\, Inc.\"\n"
                                            "names:\n"
                                            "  dns: {allow: [\"*.laptops.example.org\"], min: 1}\n"
                                            "lifetime: 30d\n"
                                            "renew-before: 10d\n"
                                            "approval: always\n"
                                            "policies: 1.3.6.1.4.1.99999.1\n"
                                            "ask: [ops, \"spiffe://example.org/mdm\"]\n");
    struct hf_cert_profile *device = making_builtin("device");
    assert_string_equal(profile->name, "laptop");
    assert_int_equal(profile->keys, 1 << HF_KEY_KIND_ED25519 | 1 << HF_KEY_KIND_P256);
    assert_int_equal(profile->key_default, HF_KEY_KIND_ED25519);
    assert_int_equal(profile->n_eku, device->n_eku);
    assert_true(hf_bytes_eq(profile->eku[0], device->eku[0]));
    assert_int_equal(profile->key_usage, device->key_usage);
    assert_int_equal(profile->lifetime_s, 30 * 86400);
    assert_int_equal(profile->lifetime_max_s, device->lifetime_max_s);
    assert_int_equal(profile->backdate_s, 3600);
    assert_int_equal(profile->renew_before_s, 10 * 86400);
    assert_int_equal(profile->renew_after_s, 30 * 86400);
    assert_int_equal(profile->approval, HF_APPROVAL_ALWAYS);
    assert_int_equal(profile->subject.n, 3);
    assert_string_equal(profile->subject.part[2].text, "Example, Inc.");
    assert_int_equal(profile->n_policies, 1);
    assert_int_equal(profile->names[HF_ALT_DNS].n_allow, 1);
    assert_true(profile->names[HF_ALT_IP].allowed); /* the device's */
    assert_int_equal(profile->n_ask, 2);
    assert_null(profile->ask[0].selector);
    assert_non_null(profile->ask[1].selector);
    hf_cert_profile_unref(device);
    hf_cert_profile_unref(profile);
}

static void what_is_wrong_is_told_with_its_place(void **state)
{
    (void)state;
    static const struct {
        const char *yaml;
        int line, column;
        const char *says;
    } cases[] = {
        {"extends: devise\n", 1, 10, "none of user, service"},
        {"extends: user\nkeyz: [p256]\n", 2, 1, "did you mean \"keys\""},
        {"extends: user\nkeys: [p255]\n", 2, 8, "p255"},
        {"extends: user\nlifetime: 90\n", 2, 11, "lifetime"},
        {"extends: user\nlifetime: 200000d\n", 2, 11, "out of range"},
        {"extends: user\nlifetime: 90d\nmax-lifetime: 30d\n", 3, 15, "less than lifetime"},
        {"extends: user\nlifetime: 30d\nrenew-before: 30d\n", 3, 15, "always be due"},
        {"extends: user\nextended-key-usage: [client-auht]\n", 2, 22,
         "did you mean \"client-auth\""},
        {"extends: user\nextended-key-usage: [2.5.29.37.0]\n", 2, 22, "anyExtendedKeyUsage"},
        {"extends: user\nextended-key-usage: [1.2.03]\n", 2, 22, "no object identifier"},
        {"extends: user\nextended-key-usage: [client-auth, client-auth]\n", 2, 35, "two times"},
        {"extends: user\npolicies: [any]\n", 2, 12, "no object identifier"},
        {"extends: user\nsubject: \"CN=\"\n", 2, 10, "empty"},
        {"extends: user\nsubject: \"XX=a\"\n", 2, 10, "no attribute"},
        {"extends: user\nsubject: \"CN={nickname}\"\n", 2, 10, "no field"},
        {"extends: user\nsubject: \"CN={cn\"\n", 2, 10, "no field"},
        {"extends: user\nnames: {dns: {allow: [\"**\"]}}\n", 2, 23, "star"},
        {"extends: user\nnames: {ip: {allow: [10.0.0.1/8]}}\n", 2, 22, "ip"},
        {"extends: user\nnames: {email: {deny: [example.org]}}\n", 2, 24, "*@example.org"},
        {"extends: user\nnames: {fax: {max: 1}}\n", 2, 9, "unknown key"},
        {"extends: user\nask: [\"spiffe:nonsense\"]\n", 2, 7, "ask"},
        {"extends: user\npath-length: 1\n", 2, 14, "kind: ca"},
        {"extends: user\nkey-usage: [cert-sign]\n", 2, 12, "kind: ca"},
        {"extends: ca\nkey-usage: [crl-sign]\n", 2, 12, "needs cert-sign"},
        {"extends: user\nname: A B\n", 2, 7, "name"},
        {"extends: user\nextends: user\n", 2, 1, "twice"},
        {"extends: [user]\n", 1, 10, "extends"},
        {"name: x\n", 1, 1, "no"},
        {"- a\n", 1, 1, "mapping"},
        {"a: &x b\nc: *x\n", 2, 4, "alias"},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        struct hf_findings findings = {0};
        struct hf_cert_profile *profile = NULL;
        enum hf_err err =
            hf_cert_profile_parse(hf_bytes_str(cases[i].yaml), "p.yaml", &findings, &profile);
        bool told = false;
        for (size_t j = 0; j < findings.n; j++) {
            told = told || (findings.item[j].mark.line == cases[i].line &&
                            findings.item[j].mark.column == cases[i].column &&
                            strstr(findings.item[j].text, cases[i].says));
        }
        if (err != HF_E_CONFIG || profile || !told) {
            fail_msg("%s: %s; %d:%d %s", cases[i].yaml, hf_err_name(err),
                     findings.n ? findings.item[0].mark.line : 0,
                     findings.n ? findings.item[0].mark.column : 0,
                     findings.n ? findings.item[0].text : "no finding");
        }
        hf_findings_done(&findings);
    }
}

static void nothing_comes_from_the_environment(void **state)
{
    (void)state;
    setenv("HF_TEST_SECRET", "hunter2", 1);
    struct hf_cert_profile *profile =
        parse("name: x\nextends: user\nabout: \"${HF_TEST_SECRET}\"\n");
    assert_string_equal(profile->about, "${HF_TEST_SECRET}");
    hf_cert_profile_unref(profile);
}

/* --- Patterns ---------------------------------------------------------------------------------*/

static enum hf_err names_err(const struct hf_cert_profile *profile, const char *const *names,
                             enum hf_refusal *why)
{
    struct hf_alt_names list = {0};
    for (size_t i = 0; i < 4 && names[i]; i++) {
        if (hf_alt_names_add_text(&list, names[i]) != HF_OK) {
            fail_msg("%s: %s", names[i], hf_err_text());
        }
    }
    *why = HF_REFUSAL_NONE;
    enum hf_err err = hf_cert_profile_check_names(profile, &list, why);
    hf_alt_names_done(&list);
    return err;
}

static void names_are_held_to_patterns(void **state)
{
    (void)state;
    struct hf_cert_profile *profile =
        parse("name: x\n"
              "extends: service\n"
              "names:\n"
              "  dns: {allow: [\"*.a.example\", b.example], deny: [\"secret*.a.example\"],\n"
              "        wildcards: true, max: 2}\n"
              "  email: {allow: [\"*@example.org\", \"root@*.example.org\"]}\n"
              "  uri: {allow: [\"spiffe://example.org/ops-*\"]}\n"
              "  ip: {allow: [10.0.0.0/8, \"2001:db8::/33\"], deny: [10.1.0.0/16]}\n"
              "  upn: {max: 0}\n");
    static const struct {
        const char *names[4];
        enum hf_refusal why;
    } cases[] = {
        {{"DNS:x.a.example"}, HF_REFUSAL_NONE},
        {{"DNS:X.A.example"}, HF_REFUSAL_NONE},
        {{"DNS:b.example"}, HF_REFUSAL_NONE},
        {{"DNS:*.a.example"}, HF_REFUSAL_NONE},
        {{"DNS:x.y.a.example"}, HF_REFUSAL_NAME_DENIED},
        {{"DNS:a.example"}, HF_REFUSAL_NAME_DENIED},
        {{"DNS:xb.example"}, HF_REFUSAL_NAME_DENIED},
        {{"DNS:secret-1.a.example"}, HF_REFUSAL_NAME_DENIED},
        {{"DNS:x.a.example", "DNS:y.a.example", "DNS:b.example"}, HF_REFUSAL_NAME_DENIED},
        {{"email:a.b@example.org"}, HF_REFUSAL_NONE},
        {{"email:a@EXAMPLE.org"}, HF_REFUSAL_NONE},
        {{"email:root@x.example.org"}, HF_REFUSAL_NONE},
        {{"email:a@x.example.org"}, HF_REFUSAL_NAME_DENIED},
        {{"URI:spiffe://example.org/ops-7"}, HF_REFUSAL_NONE},
        {{"URI:spiffe://example.org/ops-7/x"}, HF_REFUSAL_NAME_DENIED},
        {{"URI:spiffe://example.org.evil/ops-7"}, HF_REFUSAL_NAME_DENIED},
        {{"IP:10.9.9.9"}, HF_REFUSAL_NONE},
        {{"IP:10.1.9.9"}, HF_REFUSAL_NAME_DENIED},
        {{"IP:11.0.0.1"}, HF_REFUSAL_NAME_DENIED},
        {{"IP:2001:db8:7fff::1"}, HF_REFUSAL_NONE},
        {{"IP:2001:db8:8000::1"}, HF_REFUSAL_NAME_DENIED},
        {{"UPN:a@b.example"}, HF_REFUSAL_NAME_DENIED},
        {{"URI:spiffe://example.org/ops-1", "URI:spiffe://example.org/ops-2"},
         HF_REFUSAL_NAME_INVALID},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        enum hf_refusal why;
        enum hf_err err = names_err(profile, cases[i].names, &why);
        if (why != cases[i].why || (err == HF_OK) != (why == HF_REFUSAL_NONE)) {
            fail_msg("%s: %s %s", cases[i].names[0], hf_refusal_name(why), hf_err_text());
        }
    }
    hf_cert_profile_unref(profile);
}

static void counts_are_held(void **state)
{
    (void)state;
    struct hf_cert_profile *profile =
        parse("name: x\nextends: user\nnames: {email: {min: 1, max: 1}}\n");
    enum hf_refusal why;
    assert_int_equal(names_err(profile, (const char *const[4]){NULL}, &why), HF_E_INVALID);
    assert_int_equal(why, HF_REFUSAL_NAME_MISSING);
    assert_int_equal(names_err(profile, (const char *const[4]){"email:a@b.example"}, &why), HF_OK);
    assert_int_equal(
        names_err(profile, (const char *const[4]){"email:a@b.example", "email:c@b.example"}, &why),
        HF_E_INVALID);
    assert_int_equal(why, HF_REFUSAL_NAME_DENIED);
    hf_cert_profile_unref(profile);
}

/* --- Subjects ---------------------------------------------------------------------------------*/

static void templates_make_subjects(void **state)
{
    (void)state;
    static const struct {
        const char *template, *wanted, *names[3], *made; /* made NULL: refused */
    } cases[] = {
        {"CN={cn},O=Example", "CN=alice,O=Evil,OU=x", {NULL}, "CN=alice,O=Example"},
        {"CN={cn},OU={ou},O={o}", "CN=alice", {NULL}, "CN=alice"},
        {"CN={cn!},O=Example", "O=x", {NULL}, NULL},
        {"CN={dns},O=Example", "", {"DNS:a.example", "DNS:b.example"}, "CN=a.example,O=Example"},
        {"CN={ip}", "", {"IP:10.0.0.1"}, "CN=10.0.0.1"},
        {"CN={cn} ({email}),O=Example",
         "CN=Al",
         {"email:a@b.example"},
         "CN=Al (a@b.example),O=Example"},
        {"CN={cn} ({email}),O=Example", "CN=Al", {NULL}, "O=Example"},
        {"serialNumber={serialNumber},C=DE", "serialNumber=7", {NULL}, "serialNumber=7,C=DE"},
        {"CN=\\#1\\, {cn}", "CN=a+b", {NULL}, NULL},
        {"CN=\\#1\\, {cn}", "CN=a", {NULL}, "CN=\\#1\\, a"},
        {"none", "CN=alice", {NULL}, ""},
        {"any", "CN=alice,DC=example,DC=org", {NULL}, "CN=alice,DC=example,DC=org"},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        char yaml[400];
        struct hf_subject wanted = {0}, made = {0};
        struct hf_alt_names names = {0};
        enum hf_refusal why;
        snprintf(yaml, sizeof(yaml),
                 "name: x\nextends: service\nnames: {email: {max: 1}}\n"
                 "subject: '%s'\n",
                 cases[i].template);
        struct hf_cert_profile *profile = parse(yaml);
        enum hf_err err = hf_subject_parse(cases[i].wanted, &wanted);
        for (size_t j = 0; j < 3 && cases[i].names[j]; j++) {
            assert_int_equal(hf_alt_names_add_text(&names, cases[i].names[j]), HF_OK);
        }
        if (err == HF_OK) {
            err = hf_cert_profile_subject(profile, &wanted, &names, &made, &why);
        }
        if (!cases[i].made) {
            assert_int_equal(err, HF_E_INVALID);
        } else {
            HF_CLEANUP(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4096);
            if (err != HF_OK) {
                fail_msg("%s: %s", cases[i].template, hf_err_text());
            }
            assert_int_equal(hf_subject_append(&made, &text), HF_OK);
            assert_string_equal(hf_buf_cstr(&text), cases[i].made);
        }
        hf_subject_done(&made);
        hf_subject_done(&wanted);
        hf_alt_names_done(&names);
        hf_cert_profile_unref(profile);
    }
}

static void what_a_template_makes_is_checked_too(void **state)
{
    (void)state;
    struct hf_cert_profile *profile =
        parse("name: x\nextends: user\nsubject: 'CN={cn} of {o},C={c}'\n");
    struct hf_subject wanted = {0}, made = {0};
    enum hf_refusal why;
    const char *o = "0123456789012345678901234567890123456789012345678901234567890123";
    char text[200];
    snprintf(text, sizeof(text), "CN=alice,O=%s", o);
    assert_int_equal(hf_subject_parse(text, &wanted), HF_OK);
    assert_int_equal(hf_cert_profile_subject(profile, &wanted, NULL, &made, &why), HF_E_INVALID);
    assert_int_equal(why, HF_REFUSAL_SUBJECT);
    assert_non_null(strstr(hf_err_text(), "64"));
    hf_subject_done(&wanted);
    hf_cert_profile_unref(profile);
}

/* --- Who, and when ----------------------------------------------------------------------------*/

static void who_may_ask_is_roles_and_selectors(void **state)
{
    (void)state;
    struct making_ca root = making_root(HF_KEY_KIND_P256);
    struct hf_identity *identity = NULL;
    assert_int_equal(hf_identity_new(root.cert, &identity), HF_OK); /* CN=Test Root,O=Example */
    struct hf_cert_profile *profile = parse("name: x\nextends: user\nask: [ops, \"cn:Test*\"]\n");
    struct hf_cert_profile *nobody = making_builtin("user");
    static const char *const roles[] = {"guests", "ops"};
    enum hf_match match;
    assert_int_equal(hf_cert_profile_may_ask(profile, identity, NULL, 0, &match), HF_OK);
    assert_int_equal(match, HF_MATCH_YES);
    assert_int_equal(hf_cert_profile_may_ask(profile, NULL, NULL, 0, &match), HF_OK);
    assert_int_equal(match, HF_MATCH_NO);
    assert_int_equal(hf_cert_profile_may_ask(profile, NULL, roles, 1, &match), HF_OK);
    assert_int_equal(match, HF_MATCH_NO);
    assert_int_equal(hf_cert_profile_may_ask(profile, NULL, roles, 2, &match), HF_OK);
    assert_int_equal(match, HF_MATCH_YES);
    assert_int_equal(hf_cert_profile_may_ask(nobody, identity, roles, 2, &match), HF_OK);
    assert_int_equal(match, HF_MATCH_NO);
    hf_cert_profile_unref(nobody);
    hf_cert_profile_unref(profile);
    hf_identity_unref(identity);
    making_ca_done(&root);
}

static void renewal_has_its_window(void **state)
{
    (void)state;
    const int64_t day = 86400, end = 1000 * day;
    struct hf_cert_profile *profile = parse("name: x\nextends: user\nlifetime: 90d\n"
                                            "renew-before: 30d\nrenew-after-expiry: 5d\n");
    bool late = true;
    assert_false(hf_cert_profile_renewable(profile, end, end - 30 * day - 1, &late));
    assert_true(hf_cert_profile_renewable(profile, end, end - 30 * day, &late));
    assert_false(late);
    assert_true(hf_cert_profile_renewable(profile, end, end, &late));
    assert_false(late);
    assert_true(hf_cert_profile_renewable(profile, end, end + 5 * day, &late));
    assert_true(late);
    assert_false(hf_cert_profile_renewable(profile, end, end + 5 * day + 1, &late));
    hf_cert_profile_unref(profile);
    profile = parse("name: x\nextends: user\nlifetime: 9d\n"); /* a third, not the user's 30 days */
    assert_int_equal(profile->renew_before_s, 3 * day);
    hf_cert_profile_unref(profile);
}

static void usage_is_cut_to_what_a_key_can_do(void **state)
{
    (void)state;
    struct hf_cert_profile *profile =
        parse("name: x\nextends: user\nkey-usage: [digital-signature, key-encipherment, "
              "key-agreement]\n");
    assert_int_equal(hf_cert_profile_usage(profile, HF_KEY_KIND_P256), 1 << 0 | 1 << 4);
    assert_int_equal(hf_cert_profile_usage(profile, HF_KEY_KIND_RSA2048), 1 << 0 | 1 << 2);
    assert_int_equal(hf_cert_profile_usage(profile, HF_KEY_KIND_ED25519), 1 << 0);
    hf_cert_profile_unref(profile);
}

static void memory_may_run_out_anywhere(void **state)
{
    (void)state;
    static const char yaml[] =
        "name: laptop\nextends: device\nabout: a\nkeys: [p256]\n"
        "subject: \"CN={cn},O=Example\"\n"
        "names: {dns: {allow: [\"*.example.org\"]}, ip: {deny: [10.0.0.0/8]}}\n"
        "policies: [1.2.3]\nask: [ops, \"cn:x\"]\n";
    enum hf_err err = HF_E_NOMEM;
    struct hf_cert_profile *profile = NULL;
    for (size_t n = 1; err != HF_OK && n < 2000; n++) {
        struct hf_findings findings = {0};
        hf_alloc_fail_after(n);
        err = hf_cert_profile_parse(hf_bytes_str(yaml), "p.yaml", &findings, &profile);
        hf_alloc_fail_after(0);
        assert_true(err == HF_OK || err == HF_E_NOMEM ||
                    (err == HF_E_CONFIG && findings.out_of_memory));
        hf_findings_done(&findings);
    }
    assert_int_equal(err, HF_OK);
    hf_cert_profile_unref(profile);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(those_built_in_are_whole),
        cmocka_unit_test(one_of_ones_own_keeps_what_it_does_not_say),
        cmocka_unit_test(what_is_wrong_is_told_with_its_place),
        cmocka_unit_test(nothing_comes_from_the_environment),
        cmocka_unit_test(names_are_held_to_patterns),
        cmocka_unit_test(counts_are_held),
        cmocka_unit_test(templates_make_subjects),
        cmocka_unit_test(what_a_template_makes_is_checked_too),
        cmocka_unit_test(who_may_ask_is_roles_and_selectors),
        cmocka_unit_test(renewal_has_its_window),
        cmocka_unit_test(usage_is_cut_to_what_a_key_can_do),
        cmocka_unit_test(memory_may_run_out_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
