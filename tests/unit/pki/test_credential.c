// SPDX-License-Identifier: Apache-2.0
#include "testpki.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>

#include "base/mem.h"

struct fixture {
    struct testpki *root, *middle, *leaf;
    char *cert; /* PEM of leaf and middle */
    char *key;  /* PEM, plain */
};

static struct fixture fixture_of(const char *kind)
{
    struct fixture f;
    f.root = testpki_root("Root");
    f.middle = testpki_intermediate(f.root, "Issuing");
    f.leaf = testpki_make(f.middle, &(struct testpki_spec){.cn = "web", .key = kind});
    f.cert = testpki_chain_pem(f.leaf);
    f.key = testpki_key_pem(f.leaf->key, NULL);
    return f;
}

static void fixture_done(struct fixture *f)
{
    testpki_text_free(f->key);
    testpki_text_free(f->cert);
    testpki_free(f->leaf);
    testpki_free(f->middle);
    testpki_free(f->root);
}

static struct hf_bytes bytes_of(const char *text)
{
    return text ? hf_bytes_str(text) : hf_bytes_of(NULL, 0);
}

static enum hf_err load(struct hf_bytes cert, struct hf_bytes key, const char *passphrase,
                        struct hf_credential **out)
{
    struct hf_credential_source source = {
        .cert = cert,
        .cert_label = "web.pem",
        .key = key,
        .key_label = "web.key",
        .passphrase = bytes_of(passphrase),
    };
    return hf_credential_new(&source, out);
}

static void expect_good(struct hf_bytes cert, struct hf_bytes key, const char *passphrase,
                        size_t n_certs)
{
    struct hf_credential *credential = NULL;
    enum hf_err err = load(cert, key, passphrase, &credential);
    if (err != HF_OK) {
        fail_msg("%s: %s", hf_err_name(err), hf_err_text());
    }
    assert_int_equal(credential->chain->n_certs, n_certs);
    assert_string_equal(credential->identity->cn, "web");
    assert_int_equal(
        EVP_PKEY_eq(credential->key, X509_get0_pubkey(credential->chain->certs[0]->x509)), 1);
    assert_int_equal(ERR_peek_error(), 0);
    hf_credential_unref(credential);
}

static void expect_refusal(struct hf_bytes cert, struct hf_bytes key, const char *passphrase,
                           enum hf_err wanted, const char *words)
{
    struct hf_credential *credential = (void *)1;
    enum hf_err err = load(cert, key, passphrase, &credential);
    assert_null(credential);
    if (err != wanted || !strstr(hf_err_text(), words)) {
        fail_msg("%s instead of %s: %s", hf_err_name(err), hf_err_name(wanted), hf_err_text());
    }
    assert_int_equal(ERR_peek_error(), 0);
}

/* --- What a BIO wrote, as a string to free -----------------------------------------------------
 */

static struct hf_bytes taken(BIO *bio)
{
    char *bytes;
    long len = BIO_get_mem_data(bio, &bytes);
    uint8_t *copy = malloc((size_t)len);
    assert_non_null(copy);
    memcpy(copy, bytes, (size_t)len);
    BIO_free(bio);
    return hf_bytes_of(copy, (size_t)len);
}

static void drop(struct hf_bytes bytes)
{
    free((void *)(uintptr_t)bytes.ptr);
}

static struct hf_bytes traditional_pem(EVP_PKEY *key, const EVP_CIPHER *cipher,
                                       const char *passphrase)
{
    BIO *bio = BIO_new(BIO_s_mem());
    assert_true(
        PEM_write_bio_PrivateKey_traditional(bio, key, cipher, (const unsigned char *)passphrase,
                                             passphrase ? (int)strlen(passphrase) : 0, NULL, NULL));
    return taken(bio);
}

static struct hf_bytes pkcs8_der(EVP_PKEY *key, const char *passphrase)
{
    BIO *bio = BIO_new(BIO_s_mem());
    assert_true(i2d_PKCS8PrivateKey_bio(bio, key, passphrase ? EVP_aes_256_cbc() : NULL, passphrase,
                                        passphrase ? (int)strlen(passphrase) : 0, NULL, NULL));
    return taken(bio);
}

/* --- Keys in PEM and DER -----------------------------------------------------------------------
 */

static void every_key_type_loads_from_pkcs8(void **state)
{
    (void)state;
    static const char *const kinds[] = {"P-256",    "P-384",    "P-521", "ED25519",
                                        "RSA-2048", "RSA-3072", "ED448"};
    for (size_t i = 0; i < HF_N_ELEMENTS(kinds); i++) {
        struct fixture f = fixture_of(kinds[i]);
        expect_good(bytes_of(f.cert), bytes_of(f.key), NULL, 2);
        fixture_done(&f);
    }
}

static void traditional_forms_load(void **state)
{
    (void)state;
    static const char *const kinds[] = {"P-256", "RSA-2048"};
    for (size_t i = 0; i < HF_N_ELEMENTS(kinds); i++) {
        struct fixture f = fixture_of(kinds[i]);
        struct hf_bytes plain = traditional_pem(f.leaf->key, NULL, NULL);
        struct hf_bytes aes = traditional_pem(f.leaf->key, EVP_aes_256_cbc(), "open sesame");
        struct hf_bytes des3 = traditional_pem(f.leaf->key, EVP_des_ede3_cbc(), "open sesame");
        expect_good(bytes_of(f.cert), plain, NULL, 2);
        expect_good(bytes_of(f.cert), plain, "unneeded", 2);
        expect_good(bytes_of(f.cert), aes, "open sesame", 2);
        expect_good(bytes_of(f.cert), des3, "open sesame", 2);
        expect_refusal(bytes_of(f.cert), aes, "wrong", HF_E_PASSPHRASE, "it is wrong");
        expect_refusal(bytes_of(f.cert), aes, NULL, HF_E_PASSPHRASE, "no passphrase was given");
        drop(plain);
        drop(aes);
        drop(des3);
        fixture_done(&f);
    }
}

static void ec_parameters_before_the_key_are_skipped(void **state)
{
    (void)state;
    struct fixture f = fixture_of("P-256");
    struct hf_bytes plain = traditional_pem(f.leaf->key, NULL, NULL);
    char text[2048];
    snprintf(text, sizeof(text),
             "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n%.*s",
             (int)plain.len, (const char *)plain.ptr);
    expect_good(bytes_of(f.cert), bytes_of(text), NULL, 2);
    drop(plain);
    fixture_done(&f);
}

static void encrypted_pkcs8_tells_wrong_from_missing(void **state)
{
    (void)state;
    struct fixture f = fixture_of("P-256");
    char *sealed = testpki_key_pem(f.leaf->key, "open sesame");
    expect_good(bytes_of(f.cert), bytes_of(sealed), "open sesame", 2);
    expect_refusal(bytes_of(f.cert), bytes_of(sealed), NULL, HF_E_PASSPHRASE,
                   "web.key: the private key is encrypted and no passphrase was given");
    expect_refusal(bytes_of(f.cert), bytes_of(sealed), "open sesam", HF_E_PASSPHRASE,
                   "web.key: the passphrase given does not open the private key: it is wrong");
    expect_refusal(bytes_of(f.cert), bytes_of(sealed), "", HF_E_PASSPHRASE, "it is wrong");
    testpki_text_free(sealed);
    fixture_done(&f);
}

/* A wrong passphrase sometimes yields well-padded rubbish; it must be told as wrong all the same.
 */
static void wrong_passphrases_are_never_malformed(void **state)
{
    (void)state;
    struct fixture f = fixture_of("P-256");
    struct hf_bytes old = traditional_pem(f.leaf->key, EVP_aes_128_cbc(), "right");
    for (int i = 0; i < 600; i++) {
        char guess[16];
        snprintf(guess, sizeof(guess), "guess %d", i);
        expect_refusal(bytes_of(f.cert), old, guess, HF_E_PASSPHRASE, "it is wrong");
    }
    drop(old);
    fixture_done(&f);
}

static void der_files_load(void **state)
{
    (void)state;
    struct fixture f = fixture_of("P-256");
    struct hf_bytes plain = pkcs8_der(f.leaf->key, NULL);
    struct hf_bytes sealed = pkcs8_der(f.leaf->key, "open sesame");
    expect_good(f.leaf->cert->der, plain, NULL, 1);
    expect_good(f.leaf->cert->der, sealed, "open sesame", 1);
    expect_refusal(f.leaf->cert->der, sealed, "no", HF_E_PASSPHRASE, "it is wrong");
    expect_refusal(f.leaf->cert->der, sealed, NULL, HF_E_PASSPHRASE, "no passphrase");
    expect_refusal(f.leaf->cert->der, bytes_of(NULL), NULL, HF_E_NOT_FOUND, "no private key");
    drop(plain);
    drop(sealed);
    fixture_done(&f);
}

static void one_file_may_hold_both(void **state)
{
    (void)state;
    struct fixture f = fixture_of("P-256");
    char both[8192];
    snprintf(both, sizeof(both), "%s%s", f.key, f.cert);
    expect_good(bytes_of(both), bytes_of(NULL), NULL, 2);
    expect_refusal(bytes_of(f.cert), bytes_of(NULL), NULL, HF_E_NOT_FOUND,
                   "web.pem: no private key in it");
    expect_refusal(bytes_of(f.key), bytes_of(f.key), NULL, HF_E_MALFORMED,
                   "web.pem: no certificate in it");
    fixture_done(&f);
}

static void text_and_crlf_around_blocks_are_fine(void **state)
{
    (void)state;
    struct fixture f = fixture_of("P-256");
    char dos[16384] = "Bag Attributes\r\n    friendlyName: web\r\n";
    size_t n = strlen(dos);
    for (const char *c = f.cert; *c; c++) {
        if (*c == '\n') {
            dos[n++] = '\r';
        }
        dos[n++] = *c;
    }
    dos[n] = '\0';
    expect_good(bytes_of(dos), bytes_of(f.key), NULL, 2);
    fixture_done(&f);
}

static void openssh_keys_are_told_how_to_convert(void **state)
{
    (void)state;
    struct fixture f = fixture_of("P-256");
    expect_refusal(bytes_of(f.cert),
                   bytes_of("-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"
                            "-----END OPENSSH PRIVATE KEY-----\n"),
                   NULL, HF_E_UNSUPPORTED, "ssh-keygen");
    fixture_done(&f);
}

static void nul_in_passphrase_is_refused(void **state)
{
    (void)state;
    struct fixture f = fixture_of("P-256");
    struct hf_credential *credential = NULL;
    struct hf_credential_source source = {
        .cert = bytes_of(f.cert),
        .cert_label = "web.pem",
        .key = bytes_of(f.key),
        .key_label = "web.key",
        .passphrase = hf_bytes_of("a\0b", 3),
    };
    assert_int_equal(hf_credential_new(&source, &credential), HF_E_INVALID);
    fixture_done(&f);
}

/* --- What doesn't belong together --------------------------------------------------------------
 */

static void another_key_is_a_mismatch(void **state)
{
    (void)state;
    struct fixture f = fixture_of("P-256");
    EVP_PKEY *other = testpki_key(NULL);
    char *key = testpki_key_pem(other, NULL);
    expect_refusal(bytes_of(f.cert), bytes_of(key), NULL, HF_E_MISMATCH,
                   "the private key in web.key does not belong to the certificate \"CN=web\" in "
                   "web.pem");
    testpki_text_free(key);
    EVP_PKEY_free(other);
    fixture_done(&f);
}

static void leaf_in_second_place_is_told(void **state)
{
    (void)state;
    struct fixture f = fixture_of("P-256");
    char *middle = testpki_cert_pem(f.middle);
    char *leaf = testpki_cert_pem(f.leaf);
    char wrong[8192];
    snprintf(wrong, sizeof(wrong), "%s%s", middle, leaf);
    expect_refusal(bytes_of(wrong), bytes_of(f.key), NULL, HF_E_MISMATCH,
                   "belongs to certificate 2 in web.pem");
    testpki_text_free(leaf);
    testpki_text_free(middle);
    fixture_done(&f);
}

/* An EC key file whose public half is right and whose private half isn't. */
static void damaged_private_half_is_found(void **state)
{
    (void)state;
    struct fixture f = fixture_of("P-256");
    struct hf_bytes der = pkcs8_der(f.leaf->key, NULL);
    uint8_t *scalar = memmem(der.ptr, der.len, "\x04\x20", 2);
    assert_non_null(scalar);
    scalar[20] ^= 1;
    expect_refusal(bytes_of(f.cert), der, NULL, HF_E_MISMATCH, "the private key is damaged");
    drop(der);
    fixture_done(&f);
}

static void key_that_can_only_agree_is_refused(void **state)
{
    (void)state;
    struct testpki *root = testpki_root("Root");
    struct testpki *leaf = testpki_make(root, &(struct testpki_spec){.cn = "web", .key = "X25519"});
    char *cert = testpki_cert_pem(leaf);
    char *key = testpki_key_pem(leaf->key, NULL);
    expect_refusal(bytes_of(cert), bytes_of(key), NULL, HF_E_UNSUPPORTED, "X25519");
    testpki_text_free(key);
    testpki_text_free(cert);
    testpki_free(leaf);
    testpki_free(root);
}

static void chain_file_is_appended(void **state)
{
    (void)state;
    struct fixture f = fixture_of("P-256");
    char *leaf = testpki_cert_pem(f.leaf);
    char *middle = testpki_cert_pem(f.middle);
    struct hf_credential *credential = NULL;
    struct hf_credential_source source = {
        .cert = bytes_of(leaf),
        .cert_label = "web.pem",
        .key = bytes_of(f.key),
        .key_label = "web.key",
        .chain = bytes_of(middle),
        .chain_label = "chain.pem",
    };
    assert_int_equal(hf_credential_new(&source, &credential), HF_OK);
    assert_int_equal(credential->chain->n_certs, 2);
    assert_memory_equal(credential->chain->certs[1]->sha256, f.middle->cert->sha256, 32);
    hf_credential_unref(credential);
    source.chain = bytes_of("nothing");
    assert_int_equal(hf_credential_new(&source, &credential), HF_E_MALFORMED);
    assert_non_null(strstr(hf_err_text(), "chain.pem"));
    testpki_text_free(middle);
    testpki_text_free(leaf);
    fixture_done(&f);
}

/* --- PKCS#12 -----------------------------------------------------------------------------------
 */

/* libctx NULL: AES; otherwise the old ciphers out of that context. */
static struct hf_bytes pkcs12_of(const struct fixture *f, const char *passphrase,
                                 OSSL_LIB_CTX *libctx)
{
    STACK_OF(X509) *cas = sk_X509_new_null();
    sk_X509_push(cas, f->root->x509);
    sk_X509_push(cas, f->middle->x509);
    int key_pbe = libctx ? NID_pbe_WithSHA1And3_Key_TripleDES_CBC : 0;
    int cert_pbe = libctx ? NID_pbe_WithSHA1And40BitRC2_CBC : 0;
    PKCS12 *p12 = PKCS12_create_ex(passphrase, "web", f->leaf->key, f->leaf->x509, cas, key_pbe,
                                   cert_pbe, 2048, 2048, 0, libctx, NULL);
    assert_non_null(p12);
    BIO *bio = BIO_new(BIO_s_mem());
    assert_true(i2d_PKCS12_bio(bio, p12));
    PKCS12_free(p12);
    sk_X509_free(cas);
    return taken(bio);
}

static void pkcs12_gives_key_and_chain_in_order(void **state)
{
    (void)state;
    static const char *const kinds[] = {"P-256", "RSA-2048", "ED25519"};
    for (size_t i = 0; i < HF_N_ELEMENTS(kinds); i++) {
        struct fixture f = fixture_of(kinds[i]);
        struct hf_bytes p12 = pkcs12_of(&f, "open sesame", NULL);
        expect_good(p12, bytes_of(NULL), "open sesame", 2); /* leaf and intermediate, no root */
        expect_refusal(p12, bytes_of(NULL), NULL, HF_E_PASSPHRASE,
                       "web.pem: the PKCS#12 file is encrypted and no passphrase was given");
        expect_refusal(p12, bytes_of(NULL), "wrong", HF_E_PASSPHRASE,
                       "does not open the PKCS#12 file: it is wrong");
        drop(p12);
        fixture_done(&f);
    }
}

static void pkcs12_with_old_ciphers_loads(void **state)
{
    (void)state;
    OSSL_LIB_CTX *libctx = OSSL_LIB_CTX_new();
    OSSL_PROVIDER *modern = OSSL_PROVIDER_load(libctx, "default");
    OSSL_PROVIDER *old = OSSL_PROVIDER_load(libctx, "legacy");
    if (!old) {
        OSSL_PROVIDER_unload(modern);
        OSSL_LIB_CTX_free(libctx);
        skip();
    }
    struct fixture f = fixture_of("RSA-2048");
    struct hf_bytes p12 = pkcs12_of(&f, "open sesame", libctx);
    expect_good(p12, bytes_of(NULL), "open sesame", 2);
    expect_refusal(p12, bytes_of(NULL), "wrong", HF_E_PASSPHRASE, "it is wrong");
    /* The old ciphers must not have leaked into the rest of the process. */
    assert_null(EVP_CIPHER_fetch(NULL, "RC2-40-CBC", NULL));
    ERR_clear_error();
    drop(p12);
    fixture_done(&f);
    OSSL_PROVIDER_unload(old);
    OSSL_PROVIDER_unload(modern);
    OSSL_LIB_CTX_free(libctx);
}

static void pkcs12_without_passphrase_loads(void **state)
{
    (void)state;
    struct fixture f = fixture_of("P-256");
    struct hf_bytes empty = pkcs12_of(&f, "", NULL);
    expect_good(empty, bytes_of(NULL), NULL, 2);
    expect_good(empty, bytes_of(NULL), "", 2);
    drop(empty);
    fixture_done(&f);
}

/* --- Bad input ---------------------------------------------------------------------------------
 */

static void input_cut_anywhere_is_refused(void **state)
{
    (void)state;
    struct fixture f = fixture_of("P-256");
    struct hf_bytes p12 = pkcs12_of(&f, "x", NULL);
    struct hf_bytes der = pkcs8_der(f.leaf->key, NULL);
    struct hf_bytes whole[] = {bytes_of(f.cert), p12, f.leaf->cert->der};
    for (size_t w = 0; w < HF_N_ELEMENTS(whole); w++) {
        for (size_t n = 0; n + 1 < whole[w].len; n++) {
            struct hf_credential *credential = NULL;
            enum hf_err err = load(hf_bytes_of(whole[w].ptr, n), der, "x", &credential);
            /* Cut behind the leaf, the chain is shorter and good. */
            assert_true(err != HF_OK || (w == 0 && credential->chain->n_certs == 1));
            hf_credential_unref(credential);
        }
    }
    for (size_t n = 1; n < der.len; n++) {
        struct hf_credential *credential = NULL;
        assert_int_not_equal(load(bytes_of(f.cert), hf_bytes_of(der.ptr, n), NULL, &credential),
                             HF_OK);
    }
    drop(der);
    drop(p12);
    fixture_done(&f);
}

/* A flipped bit must never give a key that isn't the certificate's; most give an error. */
static void flipped_bits_never_give_another_key(void **state)
{
    (void)state;
    struct fixture f = fixture_of("P-256");
    struct hf_bytes der = pkcs8_der(f.leaf->key, NULL);
    uint8_t *bytes = (uint8_t *)(uintptr_t)der.ptr;
    for (size_t bit = 0; bit < 8 * der.len; bit++) {
        struct hf_credential *credential = NULL;
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (load(bytes_of(f.cert), der, NULL, &credential) == HF_OK) {
            assert_int_equal(EVP_PKEY_eq(credential->key, f.leaf->key), 1);
        }
        hf_credential_unref(credential);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    drop(der);
    fixture_done(&f);
}

static void failing_allocations_are_clean(void **state)
{
    (void)state;
    struct fixture f = fixture_of("P-256");
    enum hf_err err = HF_E_NOMEM;
    for (size_t n = 1; err != HF_OK; n++) {
        struct hf_credential *credential = NULL;
        hf_alloc_fail_after(n);
        err = load(bytes_of(f.cert), bytes_of(f.key), NULL, &credential);
        hf_alloc_fail_after(0);
        assert_true(err == HF_OK || err == HF_E_NOMEM);
        hf_credential_unref(credential);
        assert_true(n < 500);
    }
    fixture_done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_key_type_loads_from_pkcs8),
        cmocka_unit_test(traditional_forms_load),
        cmocka_unit_test(ec_parameters_before_the_key_are_skipped),
        cmocka_unit_test(encrypted_pkcs8_tells_wrong_from_missing),
        cmocka_unit_test(wrong_passphrases_are_never_malformed),
        cmocka_unit_test(der_files_load),
        cmocka_unit_test(one_file_may_hold_both),
        cmocka_unit_test(text_and_crlf_around_blocks_are_fine),
        cmocka_unit_test(openssh_keys_are_told_how_to_convert),
        cmocka_unit_test(nul_in_passphrase_is_refused),
        cmocka_unit_test(another_key_is_a_mismatch),
        cmocka_unit_test(leaf_in_second_place_is_told),
        cmocka_unit_test(damaged_private_half_is_found),
        cmocka_unit_test(key_that_can_only_agree_is_refused),
        cmocka_unit_test(chain_file_is_appended),
        cmocka_unit_test(pkcs12_gives_key_and_chain_in_order),
        cmocka_unit_test(pkcs12_with_old_ciphers_loads),
        cmocka_unit_test(pkcs12_without_passphrase_loads),
        cmocka_unit_test(input_cut_anywhere_is_refused),
        cmocka_unit_test(flipped_bits_never_give_another_key),
        cmocka_unit_test(failing_allocations_are_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
