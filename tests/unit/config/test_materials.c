// SPDX-License-Identifier: Apache-2.0
/* Files into credentials and trusts: what is refused, with which id, and at which line. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "config/materials.h"
#include "testpki.h"

static struct testpki *root;
static struct testpki *issuing;
static struct testpki *leaf;
static struct testpki *other;

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
    root = testpki_root("Root");
    issuing = testpki_intermediate(root, "Issuing");
    leaf = testpki_leaf(issuing, "web", HF_USAGE_SERVER, "DNS:web.example");
    other = testpki_leaf(issuing, "other", HF_USAGE_SERVER, "DNS:other.example");
    put_text("server.pem", testpki_chain_pem(leaf));
    put_text("leaf.pem", testpki_cert_pem(leaf));
    put_text("issuing.pem", testpki_cert_pem(issuing));
    put_text("server.key", testpki_key_pem(leaf->key, NULL));
    put_text("locked.key", testpki_key_pem(leaf->key, "secret word"));
    put_text("other.key", testpki_key_pem(other->key, NULL));
    put_text("ca.pem", testpki_cert_pem(root));
    put_file("pass", "secret word\r\nnot this\n");
    put_file("wrong-pass", "public word\n");
    put_file("garbage", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    put_file("empty", "");
    return 0;
}

static int drop_files(void **state)
{
    testpki_free(other);
    testpki_free(leaf);
    testpki_free(issuing);
    testpki_free(root);
    return drop_folder(state);
}

/* A config with this identity and trust in lines 1 and 2. */
static struct hf_config *config_with(const char *identity, const char *trust)
{
    char text[2048];
    struct hf_config *config = NULL;
    snprintf(text, sizeof(text),
             "identities: {web: {%s}}\ntrust: {partners: {%s}}\n"
             "upstreams: {app: {servers: [\"127.0.0.1:8080\"]}}\n" API,
             identity, trust);
    assert_string_equal(findings_of(text, &config), "");
    return config;
}

#define GOOD_IDENTITY "cert: server.pem, key: server.key"
#define GOOD_TRUST    "roots: ca.pem"

/* Asserts one finding with this id and place, and these words in its text. */
static void assert_refused(const char *identity, const char *trust, enum hf_finding_id id, int line,
                           int column, const char *words)
{
    struct hf_config *config = config_with(identity, trust);
    struct hf_findings findings = {0};
    struct hf_materials *materials = NULL;
    assert_int_equal(hf_materials_load(config, &findings, &materials), HF_E_CONFIG);
    assert_non_null(materials);
    assert_int_equal(findings.n, 1);
    assert_string_equal(hf_finding_name(findings.item[0].id), hf_finding_name(id));
    assert_int_equal(findings.item[0].mark.line, line);
    assert_int_equal(findings.item[0].mark.column, column);
    if (!strstr(findings.item[0].text, words)) {
        fail_msg("\"%s\" is not in: %s", words, findings.item[0].text);
    }
    hf_materials_unref(materials);
    hf_findings_done(&findings);
    hf_config_free(config);
}

static void assert_loads(const char *identity, const char *trust, size_t n_certs)
{
    struct hf_config *config = config_with(identity, trust);
    struct hf_findings findings = {0};
    struct hf_materials *materials = NULL;
    enum hf_err err = hf_materials_load(config, &findings, &materials);
    if (findings.n) {
        fail_msg("%s", findings.item[0].text);
    }
    assert_int_equal(err, HF_OK);
    struct hf_credential *credential = hf_materials_identity(materials, &config->identities[0]);
    assert_int_equal(credential->chain->n_certs, n_certs);
    assert_string_equal(credential->identity->cn, "web");
    assert_string_equal(hf_trust_name(hf_materials_trust(materials, &config->trusts[0])),
                        "partners");
    struct hf_materials *again = hf_materials_ref(materials);
    hf_materials_unref(materials);
    assert_ptr_equal(hf_materials_identity(again, &config->identities[0]), credential);
    hf_materials_unref(again);
    hf_findings_done(&findings);
    hf_config_free(config);
}

static void good_files_load(void **state)
{
    (void)state;
    assert_loads(GOOD_IDENTITY, GOOD_TRUST, 2);
    assert_loads("cert: leaf.pem, key: server.key", GOOD_TRUST, 1);
    assert_loads("cert: leaf.pem, key: server.key, chain: issuing.pem", GOOD_TRUST, 2);
    assert_loads(GOOD_IDENTITY, "roots: ca.pem, names: ./issuing.pem", 2);
}

static void encrypted_keys_load_with_a_passphrase_from_file_or_variable(void **state)
{
    (void)state;
    assert_loads("cert: server.pem, key: locked.key, passphrase-file: pass", GOOD_TRUST, 2);
    setenv("HF_TEST_PASS", "secret word", 1);
    assert_loads("cert: server.pem, key: locked.key, passphrase-env: HF_TEST_PASS", GOOD_TRUST, 2);
}

static void passphrases_are_refused_in_words(void **state)
{
    (void)state;
    unsetenv("HF_TEST_PASS");
    assert_refused("cert: server.pem, key: locked.key", GOOD_TRUST, HF_FINDING_PASSPHRASE, 1, 43,
                   "locked.key");
    assert_refused("cert: server.pem, key: locked.key, passphrase-file: wrong-pass", GOOD_TRUST,
                   HF_FINDING_PASSPHRASE, 1, 72, "wrong");
    assert_refused("cert: server.pem, key: locked.key, passphrase-env: HF_TEST_PASS", GOOD_TRUST,
                   HF_FINDING_UNSET_VARIABLE, 1, 71, "HF_TEST_PASS");
    assert_refused("cert: server.pem, key: locked.key, passphrase-file: empty", GOOD_TRUST,
                   HF_FINDING_FILE, 1, 72, "is empty");
}

static void keys_that_others_can_read_are_refused(void **state)
{
    static const struct {
        const char *file;
        const char *identity;
        int column;
    } table[] = {
        {"server.key", GOOD_IDENTITY, 43},
        {"pass", "cert: server.pem, key: locked.key, passphrase-file: pass", 72},
    };
    static const unsigned modes[] = {0640, 0604, 0620, 0602, 0644};
    (void)state;
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        for (size_t j = 0; j < HF_N_ELEMENTS(modes); j++) {
            set_mode(table[i].file, modes[j]);
            assert_refused(table[i].identity, GOOD_TRUST, HF_FINDING_KEY_PERMISSIONS, 1,
                           table[i].column, "chmod 600");
        }
        set_mode(table[i].file, 0600);
    }
}

static void a_key_inside_the_certificate_file_is_as_private(void **state)
{
    char both[16384];
    char *chain = testpki_chain_pem(leaf);
    char *key = testpki_key_pem(leaf->key, NULL);
    (void)state;
    snprintf(both, sizeof(both), "%s%s", chain, key);
    put_file("both.pem", both);
    assert_loads("cert: both.pem", GOOD_TRUST, 2);
    set_mode("both.pem", 0644);
    assert_refused("cert: both.pem", GOOD_TRUST, HF_FINDING_KEY_PERMISSIONS, 1, 26, "chmod 600");
    testpki_text_free(chain);
    testpki_text_free(key);
}

static void each_wrong_file_is_blamed_where_it_is_named(void **state)
{
    (void)state;
    assert_refused("cert: server.pem, key: other.key", GOOD_TRUST, HF_FINDING_KEY_MISMATCH, 1, 43,
                   "other.key");
    assert_refused("cert: garbage, key: server.key", GOOD_TRUST, HF_FINDING_CERTIFICATE, 1, 26,
                   "garbage");
    assert_refused("cert: server.pem, key: garbage", GOOD_TRUST, HF_FINDING_CERTIFICATE, 1, 43,
                   "garbage");
    assert_refused("cert: server.pem, key: server.key, chain: garbage", GOOD_TRUST,
                   HF_FINDING_CERTIFICATE, 1, 62, "garbage");
    assert_refused("cert: leaf.pem", GOOD_TRUST, HF_FINDING_CERTIFICATE, 1, 26, "as key");
    assert_refused(GOOD_IDENTITY, "roots: garbage", HF_FINDING_CERTIFICATE, 2, 27, "garbage");
    assert_refused(GOOD_IDENTITY, "roots: leaf.pem", HF_FINDING_NO_CA, 2, 27, "leaf.pem");
    assert_refused(GOOD_IDENTITY, "roots: ca.pem, names: ./garbage", HF_FINDING_CERTIFICATE, 2, 42,
                   "garbage");
    assert_refused(GOOD_IDENTITY, "roots: empty", HF_FINDING_FILE, 2, 27, "is empty");
}

static void a_file_that_went_away_is_told(void **state)
{
    (void)state;
    char path[256];
    struct hf_config *config = config_with(GOOD_IDENTITY, GOOD_TRUST);
    struct hf_findings findings = {0};
    struct hf_materials *materials = NULL;
    snprintf(path, sizeof(path), "%s/server.key", folder);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(hf_materials_load(config, &findings, &materials), HF_E_CONFIG);
    put_text("server.key", testpki_key_pem(leaf->key, NULL));
    assert_int_equal(findings.n, 1);
    assert_int_equal(findings.item[0].id, HF_FINDING_FILE);
    assert_null(hf_materials_identity(materials, &config->identities[0]));
    assert_non_null(hf_materials_trust(materials, &config->trusts[0]));
    hf_materials_unref(materials);
    hf_findings_done(&findings);
    hf_config_free(config);
}

static void all_findings_come_at_once(void **state)
{
    (void)state;
    struct hf_config *config = config_with(
        "cert: garbage, key: garbage, chain: empty, passphrase-file: empty", "roots: garbage");
    struct hf_findings findings = {0};
    struct hf_materials *materials = NULL;
    assert_int_equal(hf_materials_load(config, &findings, &materials), HF_E_CONFIG);
    assert_int_equal(findings.n, 3);
    hf_materials_unref(materials);
    hf_findings_done(&findings);
    hf_config_free(config);
}

static void allocation_failure_is_clean(void **state)
{
    (void)state;
    struct hf_config *config =
        config_with("cert: server.pem, key: locked.key, passphrase-file: pass", GOOD_TRUST);
    for (size_t n = 1;; n++) {
        struct hf_findings findings = {0};
        struct hf_materials *materials = NULL;
        hf_alloc_fail_after(n);
        enum hf_err err = hf_materials_load(config, &findings, &materials);
        hf_alloc_fail_after(0);
        hf_findings_done(&findings);
        hf_materials_unref(materials);
        if (err == HF_OK) {
            assert_true(n > 10);
            break;
        }
        assert_int_equal(err, HF_E_NOMEM);
        assert_null(materials);
    }
    hf_config_free(config);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_files_load),
        cmocka_unit_test(encrypted_keys_load_with_a_passphrase_from_file_or_variable),
        cmocka_unit_test(passphrases_are_refused_in_words),
        cmocka_unit_test(keys_that_others_can_read_are_refused),
        cmocka_unit_test(a_key_inside_the_certificate_file_is_as_private),
        cmocka_unit_test(each_wrong_file_is_blamed_where_it_is_named),
        cmocka_unit_test(a_file_that_went_away_is_told),
        cmocka_unit_test(all_findings_come_at_once),
        cmocka_unit_test(allocation_failure_is_clean),
    };
    return cmocka_run_group_tests(tests, make_files, drop_files);
}
