// SPDX-License-Identifier: Apache-2.0
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "config/tls_settings.h"
#include "testpki.h"

static void put_text(const char *name, char *text)
{
    put_file(name, text);
    testpki_text_free(text);
}

static int make_files(void **state)
{
    if (make_folder(state) != 0) {
        return -1;
    }
    struct testpki *root = testpki_root("Root");
    struct testpki *leaf = testpki_leaf(root, "web", HF_USAGE_SERVER, "DNS:web.example");
    struct testpki *weak = testpki_make(
        root, &(struct testpki_spec){.cn = "weak", .key = "RSA-1024", .san = "DNS:w.example"});
    put_text("ca.pem", testpki_cert_pem(root));
    put_text("server.pem", testpki_cert_pem(leaf));
    put_text("server.key", testpki_key_pem(leaf->key, NULL));
    put_text("weak.pem", testpki_cert_pem(weak));
    put_text("weak.key", testpki_key_pem(weak->key, NULL));
    testpki_free(weak);
    testpki_free(leaf);
    testpki_free(root);
    return 0;
}

/* "line:column id" of each finding, parted by ", ". */
static const char *checked(const char *text)
{
    static char said[1024];
    struct hf_config *config = NULL;
    struct hf_findings findings = {0};
    struct hf_materials *materials = NULL;
    size_t len = 0;
    assert_string_equal(findings_of(text, &config), "");
    assert_int_equal(hf_materials_load(config, &findings, &materials), HF_OK);
    hf_tls_settings_check(config, materials, &findings);
    hf_findings_sort(&findings);
    said[0] = '\0';
    for (size_t i = 0; i < findings.n; i++) {
        len += (size_t)snprintf(said + len, sizeof(said) - len, "%s%d:%d %s", i ? ", " : "",
                                findings.item[i].mark.line, findings.item[i].mark.column,
                                hf_finding_name(findings.item[i].id));
    }
    hf_materials_unref(materials);
    hf_findings_done(&findings);
    hf_config_free(config);
    return said;
}

#define DOOR \
    "listeners:\n  api: {listen: \":1\", identities: web, trust: partners, to: app,\n    tls: {"

static void what_the_library_takes_is_fine(void **state)
{
    (void)state;
    assert_string_equal(checked(HEAD API), "");
    assert_string_equal(checked(HEAD DOOR "versions: [1.3, 1.2], suites: [TLS_AES_256_GCM_SHA384], "
                                          "ciphers: ECDHE-ECDSA-AES128-GCM-SHA256, "
                                          "groups: [X25519, P-256]}}\n"),
                        "");
}

static void each_unknown_name_is_told_at_its_key(void **state)
{
    (void)state;
    assert_string_equal(checked(HEAD DOOR "suites: [TLS_AES_128_GCM_SHA256, TLS_NONSENSE]}}\n"),
                        "6:19 tls-settings");
    assert_string_equal(checked(HEAD DOOR "suites: X,\n ciphers: Y,\n groups: Z}}\n"),
                        "6:19 tls-settings, 7:11 tls-settings, 8:10 tls-settings");
    assert_string_equal(
        checked("identities: {web: {cert: server.pem, key: server.key}}\n"
                "trust: {partners: {roots: ca.pem}}\n"
                "upstreams: {app: {servers: \"a:1\", tls: {trust: partners, groups: P-9}}}\n" API),
        "3:66 tls-settings");
}

static void a_certificate_too_weak_for_the_library_is_told(void **state)
{
    (void)state;
    assert_string_equal(checked("identities: {web: {cert: weak.pem, key: weak.key}}\n"
                                "trust: {partners: {roots: ca.pem}}\n"
                                "upstreams: {app: {servers: \"a:1\"}}\n" API),
                        "1:26 certificate");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_library_takes_is_fine),
        cmocka_unit_test(each_unknown_name_is_told_at_its_key),
        cmocka_unit_test(a_certificate_too_weak_for_the_library_is_told),
    };
    return cmocka_run_group_tests(tests, make_files, drop_folder);
}
