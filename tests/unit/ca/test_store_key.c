// SPDX-License-Identifier: Apache-2.0
#include "ca/store_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/x509.h>

#include "base/mem.h"
#include "os/file.h"
#include "tree.h"

#define SOFTHSM "/usr/lib/softhsm/libsofthsm2.so"

#define assert_ok(expr) \
    do { \
        enum hf_err err_ = (expr); \
        if (err_ != HF_OK) { \
            fail_msg("%s: %s", hf_err_name(err_), hf_err_text()); \
        } \
    } while (0)

static const struct hf_bytes no_passphrase;

static bool can_sign(EVP_PKEY *key, const char *digest)
{
    uint8_t signature[512];
    size_t len = sizeof(signature);
    static const uint8_t data[] = "to be signed";
    EVP_MD_CTX *sign = EVP_MD_CTX_new();
    EVP_MD_CTX *verify = EVP_MD_CTX_new();
    EVP_PKEY *pub = NULL;
    unsigned char *der = NULL;
    int der_len = i2d_PUBKEY(key, &der);
    const unsigned char *at = der;
    pub = d2i_PUBKEY(NULL, &at, der_len); /* another object: verified without the token */
    bool good = EVP_DigestSignInit_ex(sign, NULL, digest, NULL, NULL, key, NULL) == 1 &&
                EVP_DigestSign(sign, signature, &len, data, sizeof(data)) == 1 &&
                EVP_DigestVerifyInit_ex(verify, NULL, digest, NULL, NULL, pub, NULL) == 1 &&
                EVP_DigestVerify(verify, signature, len, data, sizeof(data)) == 1;
    EVP_PKEY_free(pub);
    OPENSSL_free(der);
    EVP_MD_CTX_free(sign);
    EVP_MD_CTX_free(verify);
    return good;
}

/* --- Sealed keys -------------------------------------------------------------------------------
 */

static const struct {
    const char *type, *algorithm, *curve, *digest;
    size_t bits;
} kinds[] = {
    {"p256", "EC", "P-256", "SHA256", 0},
    {"p384", "EC", "P-384", "SHA384", 0},
    {"ed25519", "ED25519", NULL, NULL, 0},
    {"rsa2048", "RSA", NULL, "SHA256", 2048},
};

static EVP_PKEY *make_key(size_t i)
{
    return kinds[i].bits    ? EVP_PKEY_Q_keygen(NULL, NULL, kinds[i].algorithm, kinds[i].bits)
           : kinds[i].curve ? EVP_PKEY_Q_keygen(NULL, NULL, kinds[i].algorithm, kinds[i].curve)
                            : EVP_PKEY_Q_keygen(NULL, NULL, kinds[i].algorithm);
}

static void a_sealed_key_opens_with_its_passphrase_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < HF_N_ELEMENTS(kinds); i++) {
        HF_CLEANUP(hf_buf_done) struct hf_buf sealed = HF_BUF_INIT(8192);
        char type[32];
        EVP_PKEY *key = make_key(i);
        EVP_PKEY *opened = NULL;
        struct hf_store_key row = {.id = 3, .form = HF_KEY_SEALED};
        assert_ok(hf_store_key_describe(key, type, &row));
        assert_string_equal(type, kinds[i].type);
        assert_ok(hf_store_key_seal(key, hf_bytes_str("a long passphrase"), &sealed));
        row.data = hf_buf_bytes(&sealed);
        assert_int_equal(hf_store_key_open(&row, no_passphrase, &opened), HF_E_PASSPHRASE);
        assert_int_equal(hf_store_key_open(&row, hf_bytes_str("another"), &opened),
                         HF_E_PASSPHRASE);
        assert_null(opened);
        assert_ok(hf_store_key_open(&row, hf_bytes_str("a long passphrase"), &opened));
        assert_int_equal(EVP_PKEY_eq(key, opened), 1);
        assert_true(can_sign(opened, kinds[i].digest));
        EVP_PKEY_free(opened);
        row.spki_sha256[0] ^= 1;
        assert_int_equal(hf_store_key_open(&row, hf_bytes_str("a long passphrase"), &opened),
                         HF_E_MISMATCH);
        EVP_PKEY_free(key);
    }
}

static void openssl_opens_what_was_sealed(void **state)
{
    (void)state;
    HF_CLEANUP(hf_buf_done) struct hf_buf sealed = HF_BUF_INIT(8192);
    char command[512];
    EVP_PKEY *key = make_key(0);
    assert_ok(hf_store_key_seal(key, hf_bytes_str("secret"), &sealed));
    assert_ok(hf_file_create(tree("sealed.der"), hf_buf_bytes(&sealed), 0600));
    snprintf(command, sizeof(command),
             "openssl pkcs8 -inform DER -in %s -passin pass:secret >/dev/null 2>&1 && "
             "openssl asn1parse -inform DER -in %s | grep -q scrypt",
             tree("sealed.der"), tree("sealed.der"));
    assert_int_equal(system(command), 0);
    assert_int_equal(hf_store_key_seal(key, hf_bytes_str(""), &sealed), HF_E_PASSPHRASE);
    EVP_PKEY_free(key);
}

static void a_damaged_key_is_refused_wherever_it_is_cut(void **state)
{
    (void)state;
    HF_CLEANUP(hf_buf_done) struct hf_buf sealed = HF_BUF_INIT(8192);
    char type[32];
    EVP_PKEY *key = make_key(2);
    EVP_PKEY *opened = NULL;
    struct hf_store_key row = {.form = HF_KEY_SEALED};
    assert_ok(hf_store_key_describe(key, type, &row));
    assert_ok(hf_store_key_seal(key, hf_bytes_str("secret"), &sealed));
    for (size_t n = 0; n < hf_buf_len(&sealed); n++) {
        row.data = hf_bytes_of(hf_buf_bytes(&sealed).ptr, n);
        assert_int_not_equal(hf_store_key_open(&row, hf_bytes_str("secret"), &opened), HF_OK);
        assert_null(opened);
    }
    EVP_PKEY_free(key);
}

/* --- Passphrases -------------------------------------------------------------------------------
 */

static void expect_passphrase(struct hf_store_passphrase from, enum hf_err err, const char *text)
{
    struct hf_secret_text got = {0};
    assert_int_equal(hf_store_passphrase_read(&from, &got), err);
    if (text) {
        assert_string_equal(got.ptr, text);
    } else {
        assert_null(got.ptr);
    }
    hf_secret_text_done(&got);
}

static void a_passphrase_comes_from_one_of_three_places(void **state)
{
    (void)state;
    assert_ok(hf_file_create(tree("pass"), hf_bytes_str("first line\r\nsecond\n"), 0600));
    assert_ok(hf_file_create(tree("open"), hf_bytes_str("x\n"), 0644));
    assert_ok(hf_file_create(tree("empty"), hf_bytes_str("\n"), 0600));
    assert_ok(hf_file_create(tree("cred"), hf_bytes_str("from systemd"), 0440));
    setenv("HF_TEST_PASS", "from env", 1);
    setenv("HF_TEST_EMPTY", "", 1);
    unsetenv("CREDENTIALS_DIRECTORY");
    expect_passphrase((struct hf_store_passphrase){0}, HF_OK, NULL);
    expect_passphrase((struct hf_store_passphrase){.file = tree("pass")}, HF_OK, "first line");
    expect_passphrase((struct hf_store_passphrase){.file = tree("open")}, HF_E_PERMISSION, NULL);
    expect_passphrase((struct hf_store_passphrase){.file = tree("empty")}, HF_E_PASSPHRASE, NULL);
    expect_passphrase((struct hf_store_passphrase){.file = tree("none")}, HF_E_NOT_FOUND, NULL);
    expect_passphrase((struct hf_store_passphrase){.env = "HF_TEST_PASS"}, HF_OK, "from env");
    expect_passphrase((struct hf_store_passphrase){.env = "HF_TEST_EMPTY"}, HF_E_PASSPHRASE, NULL);
    expect_passphrase((struct hf_store_passphrase){.env = "HF_TEST_NO"}, HF_E_NOT_FOUND, NULL);
    expect_passphrase((struct hf_store_passphrase){.env = "a", .file = "b"}, HF_E_INVALID, NULL);
    expect_passphrase((struct hf_store_passphrase){.credential = "cred"}, HF_E_NOT_FOUND, NULL);
    setenv("CREDENTIALS_DIRECTORY", tree_dir, 1);
    expect_passphrase((struct hf_store_passphrase){.credential = "cred"}, HF_OK, "from systemd");
    expect_passphrase((struct hf_store_passphrase){.credential = "../cred"}, HF_E_INVALID, NULL);
    unsetenv("CREDENTIALS_DIRECTORY");
}

/* --- Tokens ------------------------------------------------------------------------------------
 */

static int shell(const char *command)
{
    char line[1024];
    snprintf(line, sizeof(line), "{ %s; } >>%s 2>&1", command, tree("token.log"));
    return system(line);
}

static bool built_without_pkcs11(void)
{
    EVP_PKEY *key = NULL;
    return hf_store_key_pkcs11("no uri", no_passphrase, &key) == HF_E_UNSUPPORTED;
}

static bool make_token(void)
{
    char text[640];
    if (built_without_pkcs11()) {
        return false;
    }
    if (access(SOFTHSM, R_OK) != 0 || system("command -v pkcs11-tool softhsm2-util >/dev/null")) {
        return false;
    }
    mkdir(tree("tokens"), 0700);
    snprintf(text, sizeof(text), "directories.tokendir = %s\n", tree("tokens"));
    assert_ok(hf_file_create(tree("softhsm2.conf"), hf_bytes_str(text), 0600));
    setenv("SOFTHSM2_CONF", tree("softhsm2.conf"), 1);
    assert_int_equal(
        shell("softhsm2-util --init-token --free --label handfast --so-pin 4711 --pin 1234"), 0);
    assert_int_equal(shell("pkcs11-tool --module " SOFTHSM " --login --pin 1234 --keypairgen "
                           "--key-type EC:prime256v1 --label ca-ec --id 01"),
                     0);
    assert_int_equal(shell("pkcs11-tool --module " SOFTHSM " --login --pin 1234 --keypairgen "
                           "--key-type rsa:2048 --label ca-rsa --id 02"),
                     0);
    return true;
}

static void a_key_in_a_token_signs_and_never_leaves_it(void **state)
{
    (void)state;
    static const char ec[] = "pkcs11:token=handfast;object=ca-ec;type=private?module-path=" SOFTHSM;
    static const char rsa[] =
        "pkcs11:token=handfast;object=ca-rsa;type=private?module-path=" SOFTHSM;
    static const char none[] = "pkcs11:token=handfast;object=other?module-path=" SOFTHSM;
    EVP_PKEY *key = NULL;
    char type[32];
    char uri[512];
    if (!make_token()) {
        skip();
    }
    assert_int_equal(hf_store_key_pkcs11(ec, hf_bytes_str("0000"), &key), HF_E_PASSPHRASE);
    assert_int_equal(hf_store_key_pkcs11(none, hf_bytes_str("1234"), &key), HF_E_NOT_FOUND);
    assert_null(key);
    assert_ok(hf_store_key_pkcs11(ec, hf_bytes_str("1234"), &key));
    struct hf_store_key row = {.form = HF_KEY_PKCS11, .data = hf_bytes_str(ec)};
    assert_ok(hf_store_key_describe(key, type, &row));
    assert_string_equal(type, "p256");
    EVP_PKEY_free(key);
    assert_ok(hf_store_key_open(&row, hf_bytes_str("1234"), &key));
    assert_true(can_sign(key, "SHA256"));
    EVP_PKEY_free(key);
    row.data = hf_bytes_str(rsa);
    assert_int_equal(hf_store_key_open(&row, hf_bytes_str("1234"), &key), HF_E_MISMATCH);
    assert_ok(hf_store_key_pkcs11(rsa, hf_bytes_str("1234"), &key));
    assert_true(can_sign(key, "SHA256"));
    EVP_PKEY_free(key);
    assert_ok(hf_file_create(tree("pin"), hf_bytes_str("1234\n"), 0600));
    snprintf(uri, sizeof(uri), "%s&pin-source=file:%s", rsa, tree("pin"));
    assert_ok(hf_store_key_pkcs11(uri, no_passphrase, &key));
    EVP_PKEY_free(key);
}

static void a_uri_that_is_none_or_names_no_module_is_refused(void **state)
{
    (void)state;
    EVP_PKEY *key = NULL;
    if (built_without_pkcs11()) {
        skip();
    }
    assert_int_equal(hf_store_key_pkcs11("file:key.pem", no_passphrase, &key), HF_E_INVALID);
    assert_int_equal(hf_store_key_pkcs11("pkcs11:object=a?pin-value=1234", no_passphrase, &key),
                     HF_E_INVALID);
    assert_int_equal(hf_store_key_pkcs11("pkcs11:object=a?module-path=/nonexistent/module.so",
                                         no_passphrase, &key),
                     HF_E_NOT_FOUND);
    assert_null(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sealed_key_opens_with_its_passphrase_alone),
        cmocka_unit_test(openssl_opens_what_was_sealed),
        cmocka_unit_test(a_damaged_key_is_refused_wherever_it_is_cut),
        cmocka_unit_test(a_passphrase_comes_from_one_of_three_places),
        cmocka_unit_test(a_key_in_a_token_signs_and_never_leaves_it),
        cmocka_unit_test(a_uri_that_is_none_or_names_no_module_is_refused),
    };
    return cmocka_run_group_tests_name("ca/store_key", tests, tree_set_up, tree_tear_down);
}
