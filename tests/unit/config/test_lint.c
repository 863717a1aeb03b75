// SPDX-License-Identifier: Apache-2.0
/* Every lint: the config that earns it, its id and line; and a good config that earns none. */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "config/lint.h"
#include "testpki.h"

#define HOUR (TESTPKI_DAY / 24)

static struct testpki *root;
static struct testpki *issuing;

static void put_text(const char *name, char *text)
{
    put_file(name, text);
    testpki_text_free(text);
}

/* Writes NAME.pem (with its chain) and NAME.key of a leaf made to spec. */
static void put_leaf(const char *name, struct testpki_spec spec)
{
    char file[64];
    spec.cn = name;
    struct testpki *leaf = testpki_make(issuing, &spec);
    snprintf(file, sizeof(file), "%s.pem", name);
    put_text(file, testpki_chain_pem(leaf));
    snprintf(file, sizeof(file), "%s-alone.pem", name);
    put_text(file, testpki_cert_pem(leaf));
    snprintf(file, sizeof(file), "%s.key", name);
    put_text(file, testpki_key_pem(leaf->key, NULL));
    testpki_free(leaf);
}

/* A certificate for the issuing CA's own key, and two for one key. */
static void put_reused(void)
{
    put_leaf("ca-key", (struct testpki_spec){
                           .san = "DNS:a.example", .eku = "serverAuth", .with_key = issuing->key});
    struct testpki *one = testpki_make(issuing, &(struct testpki_spec){.cn = "one"});
    put_leaf("twin", (struct testpki_spec){
                         .san = "DNS:twin.example", .eku = "serverAuth", .with_key = one->key});
    put_leaf("other", (struct testpki_spec){
                          .san = "DNS:other.example", .eku = "serverAuth", .with_key = one->key});
    testpki_free(one);
}

static void put_root(const char *file, const char *cn, int64_t not_after)
{
    struct testpki *ca =
        testpki_make(NULL, &(struct testpki_spec){.cn = cn, .ca = true, .not_after = not_after});
    put_text(file, testpki_cert_pem(ca));
    testpki_free(ca);
}

static void put_many_roots(void)
{
    static char pem[512 << 10];
    char cn[160];
    size_t len = 0;
    for (int i = 0; i < 230; i++) {
        snprintf(cn, sizeof(cn), "%060d", i);
        struct testpki *ca = testpki_root(cn);
        char *one = testpki_cert_pem(ca);
        len += (size_t)snprintf(pem + len, sizeof(pem) - len, "%s", one);
        testpki_text_free(one);
        testpki_free(ca);
    }
    put_file("many.pem", pem);
}

/* Root and intermediate in one file, as a roots file may have them. */
static char *cas_pem(void)
{
    char *text = NULL;
    char *first = testpki_cert_pem(root);
    char *second = testpki_cert_pem(issuing);
    assert_true(asprintf(&text, "%s%s", first, second) > 0);
    testpki_text_free(first);
    testpki_text_free(second);
    return text;
}

static int make_files(void **state)
{
    if (make_folder(state) != 0) {
        return -1;
    }
    root = testpki_root("Root");
    issuing = testpki_intermediate(root, "Issuing");
    put_leaf("web", (struct testpki_spec){.san = "DNS:web.example", .eku = "serverAuth"});
    put_leaf("both", (struct testpki_spec){.san = "DNS:a.example", .eku = "serverAuth,clientAuth"});
    put_leaf("alice", (struct testpki_spec){.eku = "clientAuth"});
    put_leaf("old",
             (struct testpki_spec){.san = "DNS:a.example", .not_after = TESTPKI_NOW - 2 * HOUR});
    put_leaf("soon", (struct testpki_spec){.san = "DNS:a.example",
                                           .not_after = TESTPKI_NOW + 29 * TESTPKI_DAY});
    put_leaf("later", (struct testpki_spec){.san = "DNS:a.example",
                                            .not_after = TESTPKI_NOW + 31 * TESTPKI_DAY});
    put_leaf("young",
             (struct testpki_spec){.san = "DNS:a.example", .not_before = TESTPKI_NOW + HOUR});
    put_leaf("nameless", (struct testpki_spec){.eku = "serverAuth"});
    put_reused();
    put_text("root.pem", testpki_cert_pem(root));
    put_text("issuing.pem", testpki_cert_pem(issuing));
    put_text("both-cas.pem", cas_pem());
    put_root("old-root.pem", "Old Root", TESTPKI_NOW - TESTPKI_DAY);
    put_root("soon-root.pem", "Soon Root", TESTPKI_NOW + TESTPKI_DAY);
    put_many_roots();
    return 0;
}

static int drop_files(void **state)
{
    testpki_free(issuing);
    testpki_free(root);
    return drop_folder(state);
}

/* What the lints say of a config, one "line id" for each, parted by commas; the texts in last_text.
 */
static char last_text[4096];

static const char *lints_of(const char *text)
{
    static char said[1024];
    struct hf_config *config = NULL;
    struct hf_findings findings = {0};
    struct hf_materials *materials = NULL;
    size_t len = 0;
    assert_string_equal(findings_of(text, &config), "");
    assert_int_equal(hf_materials_load(config, &findings, &materials), HF_OK);
    hf_lint(config, materials, TESTPKI_NOW, &findings);
    hf_findings_sort(&findings);
    said[0] = last_text[0] = '\0';
    for (size_t i = 0; i < findings.n; i++) {
        len += (size_t)snprintf(said + len, sizeof(said) - len, "%s%d %s", i ? ", " : "",
                                findings.item[i].mark.line, hf_finding_name(findings.item[i].id));
        snprintf(last_text, sizeof(last_text), "%s", findings.item[i].text);
    }
    hf_materials_unref(materials);
    hf_findings_done(&findings);
    hf_config_free(config);
    return said;
}

#define TRUST    "trust: {partners: {roots: root.pem}}\n"
#define UPSTREAM "upstreams: {app: {servers: [\"127.0.0.1:8080\"]}}\n"

/* A listener that shows this identity. */
static const char *lints_of_identity(const char *keys)
{
    static char text[1024];
    snprintf(text, sizeof(text), "identities: {web: {%s}}\n" TRUST UPSTREAM API, keys);
    return lints_of(text);
}

static void a_good_config_earns_none(void **state)
{
    (void)state;
    assert_string_equal(lints_of_identity("cert: web.pem, key: web.key"), "");
    assert_string_equal(lints_of_identity("cert: both.pem, key: both.key"), "");
    assert_string_equal(lints_of_identity("cert: later.pem, key: later.key"), "");
    assert_string_equal(lints_of_identity("cert: web-alone.pem, key: web.key, chain: issuing.pem"),
                        "");
}

static void keys_that_serve_twice(void **state)
{
    (void)state;
    const char *rest = "trust: {partners: {roots: both-cas.pem}}\n" UPSTREAM API;
    char text[2048];
    snprintf(text, sizeof(text), "identities: {web: {cert: ca-key.pem, key: ca-key.key}}\n%s",
             rest);
    assert_string_equal(lints_of(text), "1 key-reused");
    assert_non_null(strstr(last_text, "the key of a CA that trust \"partners\" believes"));
    snprintf(text, sizeof(text),
             "identities: {web: {cert: twin.pem, key: twin.key},\n"
             " more: {cert: other.pem, key: other.key}}\n"
             "trust: {partners: {roots: root.pem}}\n" UPSTREAM
             "listeners: {api: {listen: \"127.0.0.1:8443\", identities: [web, more], client: "
             "require, trust: partners, to: app}}\n");
    assert_string_equal(lints_of(text), "2 key-reused");
    assert_non_null(strstr(last_text, "\"web\" and \"more\" have different certificates"));
    snprintf(text, sizeof(text),
             "identities: {web: {cert: web.pem, key: web.key},\n"
             " same: {cert: web.pem, key: web.key}}\n"
             "trust: {partners: {roots: root.pem}}\n" UPSTREAM
             "listeners: {api: {listen: \"127.0.0.1:8443\", identities: [web, same], client: "
             "require, trust: partners, to: app}}\n");
    assert_string_equal(lints_of(text), "");
}

static void a_listener_on_trial(void **state)
{
    (void)state;
    assert_string_equal(
        lints_of("identities: {web: {cert: web.pem, key: web.key}}\n" TRUST UPSTREAM
                 "listeners: {api: {listen: \"127.0.0.1:8443\", identities: [web], client: "
                 "require, trust: partners,\n report-only: true, to: app}}\n"),
        "5 report-only");
    assert_non_null(strstr(last_text, "refuses nobody"));
}

static void dates(void **state)
{
    (void)state;
    assert_string_equal(lints_of_identity("cert: old.pem, key: old.key"), "1 expired");
    assert_string_equal(last_text,
                        "\"CN=old\" expired 2 h ago, at 2027-01-15T06:00:00Z; replace it");
    assert_string_equal(lints_of_identity("cert: soon.pem, key: soon.key"), "1 expiring");
    assert_string_equal(last_text,
                        "\"CN=soon\" expires in 29 d, at 2027-02-13T08:00:00Z; renew it");
    assert_string_equal(lints_of_identity("cert: young.pem, key: young.key"), "1 not-yet-valid");
}

static void chains(void **state)
{
    char wrong[32768];
    char *leaf_text = testpki_cert_pem(issuing);
    (void)state;
    assert_string_equal(lints_of_identity("cert: web-alone.pem, key: web.key"),
                        "1 chain-incomplete");
    assert_non_null(strstr(last_text, "the CA \"CN=Issuing\""));
    /* leaf, leaf's root, issuing: the right ones in the wrong order */
    struct testpki *leaf = testpki_leaf(issuing, "x", HF_USAGE_SERVER, "DNS:x.example");
    char *mine = testpki_cert_pem(leaf);
    char *top = testpki_cert_pem(root);
    snprintf(wrong, sizeof(wrong), "%s%s%s", mine, top, leaf_text);
    put_file("wrong.pem", wrong);
    put_text("wrong.key", testpki_key_pem(leaf->key, NULL));
    assert_string_equal(lints_of_identity("cert: wrong.pem, key: wrong.key"), "1 chain-order");
    assert_non_null(strstr(last_text, "certificate 2 of the chain is \"CN=Root\""));
    testpki_text_free(mine);
    testpki_text_free(top);
    testpki_text_free(leaf_text);
    testpki_free(leaf);
}

static void a_leaf_alone_is_complete_where_its_issuer_is_known(void **state)
{
    (void)state;
    assert_string_equal(lints_of("identities: {web: {cert: web-alone.pem, key: web.key}}\n"
                                 "trust: {partners: {roots: both-cas.pem}}\n" UPSTREAM API),
                        "");
}

static void certificates_in_the_wrong_place(void **state)
{
    (void)state;
    assert_string_equal(lints_of_identity("cert: alice.pem, key: alice.key"),
                        "1 wrong-usage, 1 no-san");
    assert_string_equal(lints_of_identity("cert: nameless.pem, key: nameless.key"), "1 no-san");
    assert_string_equal(
        lints_of("identities: {web: {cert: web.pem, key: web.key}}\n" TRUST
                 "upstreams: {app: {servers: [\"a:1\"], tls: {identity: web, trust: partners}}}\n"
                 "listeners: {in: {listen: \"127.0.0.1:1\", plain: true, to: app}}\n"),
        "1 wrong-usage");
    assert_string_equal(last_text,
                        "the certificate \"CN=web\" is for servers only: its extended key usage "
                        "lacks clientAuth, but upstream \"app\" shows it to its servers; use "
                        "another certificate");
    assert_string_equal(
        lints_of("identities: {alice: {cert: alice.pem, key: alice.key}}\n" TRUST
                 "upstreams: {app: {servers: [\"a:1\"], tls: {identity: alice, trust: "
                 "partners}}}\n"
                 "listeners: {in: {listen: \"127.0.0.1:1\", plain: true, to: app}}\n"),
        "");
}

static const char *lints_of_trust(const char *keys)
{
    static char text[1024];
    snprintf(text, sizeof(text),
             "identities: {web: {cert: web.pem, key: web.key}}\n"
             "trust: {partners: {%s}}\n" UPSTREAM API,
             keys);
    return lints_of(text);
}

static void roots(void **state)
{
    (void)state;
    assert_string_equal(lints_of_trust("roots: old-root.pem"), "2 root-expired");
    assert_string_equal(lints_of_trust("roots: soon-root.pem"), "2 expiring");
    assert_string_equal(lints_of_trust("roots: many.pem"), "2 names-too-long");
    assert_string_equal(lints_of_trust("roots: many.pem, names: none"), "");
    assert_string_equal(lints_of_trust("roots: root.pem, names: ./many.pem"), "2 names-too-long");
}

#define WEB "identities: {web: {cert: web.pem, key: web.key}}\n"

static void wide_open_doors(void **state)
{
    (void)state;
    assert_string_equal(
        lints_of(WEB TRUST UPSTREAM
                 "listeners:\n  in: {listen: \"127.0.0.1:1\", identities: web, trust: partners,\n"
                 "    client: request-unverified, to: app}\n"),
        "6 unverified");
    assert_string_equal(
        lints_of(WEB TRUST UPSTREAM
                 "listeners:\n  in: {listen: \"127.0.0.1:1\", identities: web, trust: partners,\n"
                 "    client: request, to: app}\n"),
        "6 request-unused");
    assert_string_equal(
        lints_of(WEB TRUST
                 "upstreams: {app: {servers: [\"127.0.0.1:8080\"], proxy-protocol: v2-tls}}\n"
                 "listeners:\n  in: {listen: \"127.0.0.1:1\", identities: web, trust: partners,\n"
                 "    client: request, to: app}\n"),
        "");
    assert_string_equal(lints_of(WEB TRUST UPSTREAM API
                                 "  in: {listen: [\"0.0.0.0:1\", \"127.0.0.5:1\", \"[::1]:1\", "
                                 "\"unix:/tmp/x\", \":2\"], plain: true, to: app}\n"),
                        "6 plain-exposed, 6 plain-exposed");
    assert_string_equal(
        lints_of(WEB TRUST UPSTREAM
                 "listeners:\n  in: {listen: \"127.0.0.1:1\", identities: web, trust: partners, "
                 "to: app,\n    sni: [{name: a.example, client: request-unverified}]}\n"),
        "6 unverified");
}

static void unsafe_keys(void **state)
{
    (void)state;
    assert_string_equal(lints_of(WEB TRUST
                                 "upstreams: {app: {servers: [\"a:1\"],\n"
                                 "  tls: {unsafe-skip-verify: true, unsafe-keylog: k.log}}}\n"
                                 "listeners:\n  in: {listen: \"127.0.0.1:1\", identities: web, "
                                 "trust: partners, to: app,\n"
                                 "    tls: {unsafe-keylog: k.log}}\n"),
                        "4 unsafe, 4 unsafe, 7 unsafe");
}

static void objects_that_nothing_uses(void **state)
{
    (void)state;
    assert_string_equal(lints_of("identities:\n  web: {cert: web.pem, key: web.key}\n"
                                 "  spare: {cert: web.pem, key: web.key}\n"
                                 "trust:\n  partners: {roots: root.pem}\n"
                                 "  spare: {roots: root.pem}\n"
                                 "upstreams:\n  app: {servers: \"a:1\"}\n"
                                 "  spare: {servers: \"a:1\"}\n" API),
                        "3 unused, 6 unused, 9 unused");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_config_earns_none),
        cmocka_unit_test(dates),
        cmocka_unit_test(keys_that_serve_twice),
        cmocka_unit_test(a_listener_on_trial),
        cmocka_unit_test(chains),
        cmocka_unit_test(a_leaf_alone_is_complete_where_its_issuer_is_known),
        cmocka_unit_test(certificates_in_the_wrong_place),
        cmocka_unit_test(roots),
        cmocka_unit_test(wide_open_doors),
        cmocka_unit_test(unsafe_keys),
        cmocka_unit_test(objects_that_nothing_uses),
    };
    return cmocka_run_group_tests(tests, make_files, drop_files);
}
