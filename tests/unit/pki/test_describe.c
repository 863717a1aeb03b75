// SPDX-License-Identifier: Apache-2.0
#include "pki/describe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/pkcs7.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "pki/write.h"
#include "testpki.h"

static enum hf_err describe(struct hf_bytes text, const char *passphrase, json_t **out)
{
    struct hf_describe_input input = {
        .text = text,
        .label = "f.pem",
        .passphrase = hf_bytes_of(passphrase, passphrase ? strlen(passphrase) : 0),
        .now_s = TESTPKI_NOW,
    };
    return hf_describe(&input, out);
}

static json_t *tree_of(struct hf_bytes text)
{
    json_t *tree = NULL;
    enum hf_err err = describe(text, NULL, &tree);
    if (err != HF_OK) {
        fail_msg("%s: %s", hf_err_name(err), hf_err_text());
    }
    assert_int_equal(ERR_peek_error(), 0);
    return tree;
}

static json_t *tree_of_text(const char *text)
{
    return tree_of(hf_bytes_str(text));
}

static const char *text_at(const json_t *tree, const char *key)
{
    const char *text = json_string_value(json_object_get(tree, key));
    return text ? text : "(none)";
}

static const json_t *object(const json_t *tree, size_t n)
{
    return json_array_get(json_object_get(tree, "objects"), n);
}

static bool has_problem(const json_t *tree, const char *id)
{
    const json_t *problems = json_object_get(tree, "problems");
    for (size_t i = 0; i < json_array_size(problems); i++) {
        if (strcmp(text_at(json_array_get(problems, i), "id"), id) == 0) {
            return true;
        }
    }
    return false;
}

static size_t n_problems(const json_t *tree)
{
    return json_array_size(json_object_get(tree, "problems"));
}

static void expect_error(const void *text, size_t len, enum hf_err wanted, const char *words)
{
    json_t *tree = (void *)1;
    enum hf_err err = describe(hf_bytes_of(text, len), NULL, &tree);
    assert_null(tree);
    if (err != wanted || !strstr(hf_err_text(), words)) {
        fail_msg("%s: %s", hf_err_name(err), hf_err_text());
    }
    assert_int_equal(ERR_peek_error(), 0);
}

/* A BIO's contents, as a string to free. */
static char *text_of(BIO *bio)
{
    char *bytes;
    long len = BIO_get_mem_data(bio, &bytes);
    char *text = strndup(bytes, (size_t)len);
    BIO_free(bio);
    return text;
}

static char *joined(char *a, char *b)
{
    char *both = malloc(strlen(a) + strlen(b) + 1);
    strcpy(both, a);
    strcat(both, b);
    free(a);
    free(b);
    return both;
}

/* --- Certificates ------------------------------------------------------------------------------
 */

static void server_certificate_in_words(void **state)
{
    (void)state;
    struct testpki *root = testpki_root("Root");
    struct testpki *leaf =
        testpki_leaf(root, "web", HF_USAGE_SERVER, "DNS:a.example,DNS:b.example,IP:10.0.0.1");
    json_t *tree = tree_of(leaf->cert->der);
    const json_t *cert = object(tree, 0);
    assert_string_equal(text_at(tree, "format"), "DER");
    assert_string_equal(text_at(tree, "what"), "1 certificate");
    assert_string_equal(text_at(tree, "chain"), "leads to \"CN=Root\", which is not in the file");
    assert_string_equal(text_at(cert, "kind"), "certificate");
    assert_string_equal(text_at(cert, "role"), "server");
    assert_string_equal(text_at(cert, "what"), "a server certificate for a.example and 1 more");
    assert_string_equal(text_at(cert, "state"), "valid");
    assert_int_equal(json_integer_value(json_object_get(cert, "seconds_left")), 100 * TESTPKI_DAY);
    const json_t *names = json_object_get(cert, "names");
    assert_int_equal(json_array_size(names), 3);
    assert_string_equal(json_string_value(json_array_get(names, 2)), "IP:10.0.0.1");
    assert_int_equal(n_problems(tree), 0);
    json_decref(tree);
    testpki_free(leaf);
    testpki_free(root);
}

static void roles_are_told(void **state)
{
    (void)state;
    static const struct {
        struct testpki_spec spec;
        const char *what;
    } cases[] = {
        {{.cn = "R", .ca = true}, "a root CA certificate for R"},
        {{.cn = "c", .eku = "clientAuth"}, "a client certificate for c"},
        {{.cn = "x", .eku = "clientAuth,serverAuth", .san = "DNS:x"},
         "a server and client certificate for x"},
        {{.cn = "x"}, "a self-signed certificate for any use for x"},
        {{.cn = "x", .eku = "OCSPSigning"}, "an OCSP responder's certificate for x"},
        {{.cn = "x", .eku = "1.2.3.4"}, "a certificate for special uses for x"},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        struct testpki *pki = testpki_make(NULL, &cases[i].spec);
        json_t *tree = tree_of(pki->cert->der);
        assert_string_equal(text_at(object(tree, 0), "what"), cases[i].what);
        json_decref(tree);
        testpki_free(pki);
    }
}

static void problems_of_a_certificate(void **state)
{
    (void)state;
    static const struct {
        struct testpki_spec spec;
        const char *problem;
    } cases[] = {
        {{.cn = "x", .not_after = TESTPKI_NOW - 5}, "expired"},
        {{.cn = "x", .not_before = TESTPKI_NOW + 5}, "not-yet-valid"},
        {{.cn = "x", .not_after = TESTPKI_NOW + 3 * TESTPKI_DAY}, "expires-soon"},
        {{.cn = "x", .key = "RSA-1024"}, "weak-key"},
        {{.cn = "x", .md = "SHA1"}, "weak-signature"},
        {{.cn = "x\ny"}, "mangled-name"},
        {{.cn = "x", .eku = "serverAuth"}, "no-name"},
        {{.cn = "x", .nc = "permitted;DNS:a", .critical = "2.5.29.30"}, "broken-extension"},
    };
    struct testpki *root = testpki_root("Root");
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        struct testpki *pki = testpki_make(root, &cases[i].spec);
        json_t *tree = tree_of(pki->cert->der);
        if (n_problems(tree) != 1 || !has_problem(tree, cases[i].problem)) {
            fail_msg("%s: %s", cases[i].problem, json_dumps(json_object_get(tree, "problems"), 0));
        }
        json_decref(tree);
        testpki_free(pki);
    }
    testpki_free(root);
}

static void constraints_and_urls_are_listed(void **state)
{
    (void)state;
    struct testpki *ca = testpki_make(NULL, &(struct testpki_spec){
                                                .cn = "Root",
                                                .ca = true,
                                                .path_len = 2,
                                                .nc = "permitted;DNS:example.org,excluded;email:x",
                                            });
    json_t *tree = tree_of(ca->cert->der);
    const json_t *cert = object(tree, 0);
    assert_int_equal(json_integer_value(json_object_get(cert, "path_length")), 1);
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(cert, "permitted_names"), 0)),
        "DNS:example.org");
    assert_string_equal(
        json_string_value(json_array_get(json_object_get(cert, "excluded_names"), 0)), "email:x");
    assert_true(json_is_true(json_object_get(cert, "ca")));
    assert_null(json_object_get(tree, "chain"));
    json_decref(tree);
    testpki_free(ca);
}

/* --- Chains ------------------------------------------------------------------------------------
 */

struct chain_world {
    struct testpki *root, *a, *b, *leaf, *other;
};

static struct chain_world chain_world(void)
{
    struct chain_world w;
    w.root = testpki_root("Root");
    w.a = testpki_intermediate(w.root, "A");
    w.b = testpki_intermediate(w.a, "B");
    w.leaf = testpki_leaf(w.b, "leaf", HF_USAGE_CLIENT, NULL);
    w.other = testpki_root("Other");
    return w;
}

static void chain_world_free(struct chain_world *w)
{
    testpki_free(w->other);
    testpki_free(w->leaf);
    testpki_free(w->b);
    testpki_free(w->a);
    testpki_free(w->root);
}

/* order: letters of l (leaf), b, a, r (root), o (other). */
static json_t *chain_tree(const struct chain_world *w, const char *order)
{
    char *text = strdup("");
    for (; *order; order++) {
        const struct testpki *pki = *order == 'l'   ? w->leaf
                                    : *order == 'b' ? w->b
                                    : *order == 'a' ? w->a
                                    : *order == 'r' ? w->root
                                                    : w->other;
        text = joined(text, testpki_cert_pem(pki));
    }
    json_t *tree = tree_of_text(text);
    free(text);
    return tree;
}

static void order_of_a_chain_is_checked(void **state)
{
    (void)state;
    static const struct {
        const char *order, *chain, *problem;
    } cases[] = {
        {"lba", "leads to \"CN=Root\", which is not in the file", NULL},
        {"lbar", "complete up to its root, which need not be sent", NULL},
        {"lab", "leads to \"CN=A\", which is not in the file", "chain-order"},
        {"la", "leads to \"CN=Root\", which is not in the file", "chain-gap"},
        {"lbaa", "leads to \"CN=Root\", which is not in the file", "double"},
        {"ro", "a bundle of 2 roots, 0 intermediate CAs and 0 others", NULL},
        {"oba", "a bundle of 1 root, 2 intermediate CAs and 0 others", NULL},
    };
    struct chain_world w = chain_world();
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        json_t *tree = chain_tree(&w, cases[i].order);
        if (strcmp(text_at(tree, "chain"), cases[i].chain) != 0 ||
            (cases[i].problem ? !has_problem(tree, cases[i].problem) : n_problems(tree) != 0)) {
            fail_msg("%s: %s", cases[i].order, json_dumps(tree, JSON_INDENT(1)));
        }
        json_decref(tree);
    }
    chain_world_free(&w);
}

static void key_is_held_against_the_certificates(void **state)
{
    (void)state;
    struct chain_world w = chain_world();
    const struct {
        const struct testpki *key;
        const char *problem;
    } cases[] = {{w.leaf, NULL}, {w.b, "chain-order"}, {w.other, "key-mismatch"}};
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        char *text = joined(testpki_chain_pem(w.leaf), testpki_key_pem(cases[i].key->key, NULL));
        json_t *tree = tree_of_text(text);
        assert_string_equal(text_at(tree, "what"), "3 certificates, 1 private key");
        assert_int_equal(n_problems(tree), cases[i].problem != NULL);
        assert_true(!cases[i].problem || has_problem(tree, cases[i].problem));
        json_decref(tree);
        free(text);
    }
    chain_world_free(&w);
}

/* --- Keys and requests -------------------------------------------------------------------------
 */

static void private_key_shows_its_public_half_only(void **state)
{
    (void)state;
    EVP_PKEY *key = testpki_key(NULL);
    char *text = testpki_key_pem(key, NULL);
    json_t *tree = tree_of_text(text);
    assert_string_equal(text_at(object(tree, 0), "key_type"), "EC P-256");
    assert_true(json_is_false(json_object_get(object(tree, 0), "encrypted")));
    BIGNUM *secret = NULL;
    assert_true(EVP_PKEY_get_bn_param(key, "priv", &secret));
    char *hex = BN_bn2hex(secret);
    char *dump = json_dumps(tree, 0);
    assert_null(strcasestr(dump, hex));
    free(dump);
    OPENSSL_free(hex);
    BN_free(secret);
    json_decref(tree);
    testpki_text_free(text);
    EVP_PKEY_free(key);
}

static void encrypted_key_is_told_as_such(void **state)
{
    (void)state;
    EVP_PKEY *key = testpki_key("RSA-2048");
    char *text = testpki_key_pem(key, "sesame");
    json_t *tree = tree_of_text(text);
    assert_true(json_is_true(json_object_get(object(tree, 0), "encrypted")));
    assert_null(json_object_get(object(tree, 0), "key_type"));
    json_decref(tree);
    assert_int_equal(describe(hf_bytes_str(text), "sesame", &tree), HF_OK);
    assert_string_equal(text_at(object(tree, 0), "key_type"), "RSA 2048");
    json_decref(tree);
    assert_int_equal(describe(hf_bytes_str(text), "wrong", &tree), HF_E_MALFORMED);
    assert_non_null(strstr(hf_err_text(), "it is wrong"));
    testpki_text_free(text);
    EVP_PKEY_free(key);
}

static X509_REQ *request_of(EVP_PKEY *key, const char *san)
{
    X509_REQ *csr = X509_REQ_new();
    X509_NAME *name = X509_REQ_get_subject_name(csr);
    assert_true(X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                           (const unsigned char *)"bob", -1, -1, 0));
    STACK_OF(X509_EXTENSION) *extensions = sk_X509_EXTENSION_new_null();
    sk_X509_EXTENSION_push(extensions, X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, san));
    assert_true(X509_REQ_add_extensions(csr, extensions));
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    assert_true(X509_REQ_set_pubkey(csr, key));
    assert_true(X509_REQ_sign(csr, key, EVP_sha256()));
    return csr;
}

static struct hf_bytes request_der(void)
{
    EVP_PKEY *key = testpki_key(NULL);
    X509_REQ *csr = request_of(key, "DNS:x.example,URI:spiffe://a/b");
    unsigned char *der = NULL;
    int len = i2d_X509_REQ(csr, &der);
    X509_REQ_free(csr);
    EVP_PKEY_free(key);
    return hf_bytes_of(der, (size_t)len);
}

static void request_is_described(void **state)
{
    (void)state;
    struct hf_bytes der = request_der();
    json_t *tree = tree_of(der);
    const json_t *csr = object(tree, 0);
    assert_string_equal(text_at(tree, "what"), "1 certificate request");
    assert_string_equal(text_at(csr, "subject"), "CN=bob");
    assert_string_equal(text_at(csr, "spiffe_id"), "spiffe://a/b");
    assert_true(json_is_true(json_object_get(csr, "signature_good")));
    assert_int_equal(n_problems(tree), 0);
    json_decref(tree);
    ((uint8_t *)(uintptr_t)der.ptr)[der.len - 1] ^= 1;
    tree = tree_of(der);
    assert_true(json_is_false(json_object_get(object(tree, 0), "signature_good")));
    assert_true(has_problem(tree, "bad-signature"));
    json_decref(tree);
    OPENSSL_free((void *)(uintptr_t)der.ptr);
}

static void public_key_is_described(void **state)
{
    (void)state;
    EVP_PKEY *key = testpki_key("ED25519");
    BIO *bio = BIO_new(BIO_s_mem());
    assert_true(PEM_write_bio_PUBKEY(bio, key));
    char *text = text_of(bio);
    json_t *tree = tree_of_text(text);
    assert_string_equal(text_at(object(tree, 0), "what"), "a public key of type Ed25519");
    json_decref(tree);
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    tree = tree_of(hf_bytes_of(der, (size_t)len));
    assert_string_equal(text_at(object(tree, 0), "kind"), "public key");
    json_decref(tree);
    OPENSSL_free(der);
    free(text);
    EVP_PKEY_free(key);
}

/* --- CRLs --------------------------------------------------------------------------------------
 */

static struct hf_bytes crl_der(const struct testpki *ca, size_t n, bool v1, bool endless)
{
    X509_CRL *crl = X509_CRL_new();
    assert_true(X509_CRL_set_version(crl, v1 ? 0 : 1));
    assert_true(X509_CRL_set_issuer_name(crl, X509_get_subject_name(ca->x509)));
    ASN1_TIME *when = ASN1_TIME_set(NULL, (time_t)(TESTPKI_NOW - 3600));
    X509_CRL_set1_lastUpdate(crl, when);
    ASN1_TIME_set(when, (time_t)(TESTPKI_NOW + 3600));
    if (!endless) {
        X509_CRL_set1_nextUpdate(crl, when);
    }
    for (size_t i = 0; i < n; i++) {
        X509_REVOKED *entry = X509_REVOKED_new();
        ASN1_INTEGER *serial = ASN1_INTEGER_new();
        ASN1_INTEGER_set(serial, (long)i + 1);
        X509_REVOKED_set_serialNumber(entry, serial);
        X509_REVOKED_set_revocationDate(entry, when);
        assert_true(X509_CRL_add0_revoked(crl, entry));
        ASN1_INTEGER_free(serial);
    }
    ASN1_TIME_free(when);
    if (!v1) {
        ASN1_INTEGER *number = ASN1_INTEGER_new();
        ASN1_INTEGER_set(number, 17);
        assert_true(X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0));
        ASN1_INTEGER_free(number);
    }
    X509_CRL_sort(crl);
    assert_true(X509_CRL_sign(crl, ca->key, EVP_sha256()));
    unsigned char *der = NULL;
    int len = i2d_X509_CRL(crl, &der);
    X509_CRL_free(crl);
    return hf_bytes_of(der, (size_t)len);
}

static void crl_is_described(void **state)
{
    (void)state;
    struct testpki *ca = testpki_root("Root");
    static const size_t counts[] = {0, 1, 1000};
    for (size_t i = 0; i < HF_N_ELEMENTS(counts); i++) {
        struct hf_bytes der = crl_der(ca, counts[i], false, false);
        json_t *tree = tree_of(der);
        const json_t *crl = object(tree, 0);
        assert_string_equal(text_at(crl, "kind"), "CRL");
        assert_string_equal(text_at(crl, "issuer"), "CN=Root");
        assert_string_equal(text_at(crl, "number"), "17");
        assert_string_equal(text_at(crl, "this_update"), "2027-01-15T07:00:00Z");
        assert_string_equal(text_at(crl, "next_update"), "2027-01-15T09:00:00Z");
        assert_string_equal(text_at(crl, "signature_algorithm"), "ecdsa-with-SHA256");
        assert_int_equal(json_integer_value(json_object_get(crl, "entries")), counts[i]);
        assert_int_equal(n_problems(tree), 0);
        json_decref(tree);
        OPENSSL_free((void *)(uintptr_t)der.ptr);
    }
    testpki_free(ca);
}

static void old_crl_without_end_is_described(void **state)
{
    (void)state;
    struct testpki *ca = testpki_root("Root");
    struct hf_bytes der = crl_der(ca, 2, true, true);
    json_t *tree = tree_of(der);
    assert_int_equal(json_integer_value(json_object_get(object(tree, 0), "entries")), 2);
    assert_null(json_object_get(object(tree, 0), "next_update"));
    json_decref(tree);
    OPENSSL_free((void *)(uintptr_t)der.ptr);
    testpki_free(ca);
}

static void stale_crl_is_a_problem(void **state)
{
    (void)state;
    struct testpki *ca = testpki_root("Root");
    struct hf_bytes der = crl_der(ca, 0, false, false);
    json_t *tree = NULL;
    struct hf_describe_input input = {.text = der, .label = "f", .now_s = TESTPKI_NOW + 2 * 3600};
    assert_int_equal(hf_describe(&input, &tree), HF_OK);
    assert_true(has_problem(tree, "stale"));
    json_decref(tree);
    OPENSSL_free((void *)(uintptr_t)der.ptr);
    testpki_free(ca);
}

/* --- PKCS#7 and PKCS#12 ------------------------------------------------------------------------
 */

static void pkcs7_bundle_is_described(void **state)
{
    (void)state;
    struct chain_world w = chain_world();
    PKCS7 *p7 = PKCS7_new();
    assert_true(PKCS7_set_type(p7, NID_pkcs7_signed) && PKCS7_content_new(p7, NID_pkcs7_data));
    assert_true(PKCS7_add_certificate(p7, w.leaf->x509) && PKCS7_add_certificate(p7, w.b->x509));
    unsigned char *der = NULL;
    int len = i2d_PKCS7(p7, &der);
    json_t *tree = tree_of(hf_bytes_of(der, (size_t)len));
    assert_string_equal(text_at(tree, "what"), "2 certificates");
    json_decref(tree);
    BIO *bio = BIO_new(BIO_s_mem());
    assert_true(PEM_write_bio_PKCS7(bio, p7));
    char *text = text_of(bio);
    tree = tree_of_text(text);
    assert_string_equal(text_at(tree, "what"), "2 certificates");
    json_decref(tree);
    free(text);
    OPENSSL_free(der);
    PKCS7_free(p7);
    chain_world_free(&w);
}

static void pkcs12_shows_all_of_it(void **state)
{
    (void)state;
    struct chain_world w = chain_world();
    struct hf_chain *chain = testpki_chain(w.leaf);
    struct hf_buf p12 = HF_BUF_INIT(1 << 16);
    struct hf_pkcs12_what what = {
        .key = w.leaf->key,
        .chain = chain,
        .root = w.root->cert,
        .friendly_name = "leaf",
        .passphrase = "sesame",
    };
    assert_int_equal(hf_pkcs12_write(&what, &p12), HF_OK);
    json_t *tree = NULL;
    assert_int_equal(describe(hf_buf_bytes(&p12), "sesame", &tree), HF_OK);
    assert_string_equal(text_at(tree, "format"), "PKCS#12");
    assert_string_equal(text_at(tree, "what"), "4 certificates, 1 private key");
    assert_string_equal(text_at(tree, "chain"), "complete up to its root, which need not be sent");
    assert_int_equal(n_problems(tree), 0);
    json_decref(tree);
    assert_int_equal(describe(hf_buf_bytes(&p12), NULL, &tree), HF_E_PASSPHRASE);
    assert_int_equal(describe(hf_buf_bytes(&p12), "x", &tree), HF_E_PASSPHRASE);
    hf_buf_done(&p12);
    hf_chain_unref(chain);
    chain_world_free(&w);
}

/* --- Bad input ---------------------------------------------------------------------------------
 */

static void other_files_are_named(void **state)
{
    (void)state;
    expect_error("", 0, HF_E_MALFORMED, "f.pem: the file is empty");
    expect_error("hello", 5, HF_E_MALFORMED, "neither PEM nor");
    expect_error("\xfe\xed\xfe\xed\0\0\0\2", 8, HF_E_UNSUPPORTED, "a Java keystore");
    expect_error("ssh-ed25519 AAAA", 16, HF_E_UNSUPPORTED, "an OpenSSH public key");
    expect_error("-----BEGIN X-----\nAAAA\n-----END X-----\n", 38, HF_E_MALFORMED,
                 "a PEM block \"X\" is not known here");
}

static void good_parts_are_shown_beside_bad_ones(void **state)
{
    (void)state;
    struct testpki *root = testpki_root("Root");
    char *text =
        joined(strdup("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
               joined(testpki_cert_pem(root), strdup("-----BEGIN CERTIFICATE-----\nAAAA\n")));
    json_t *tree = tree_of_text(text);
    assert_string_equal(text_at(tree, "what"), "1 certificate");
    assert_int_equal(n_problems(tree), 2);
    assert_true(has_problem(tree, "unreadable"));
    json_decref(tree);
    free(text);
    testpki_free(root);
}

static void cut_and_flip(struct hf_bytes der)
{
    uint8_t *copy = malloc(der.len);
    json_t *tree;
    for (size_t n = 0; n < der.len; n++) {
        uint8_t *part = malloc(n ? n : 1);
        memcpy(part, der.ptr, n);
        assert_int_not_equal(describe(hf_bytes_of(part, n), NULL, &tree), HF_OK);
        free(part);
    }
    memcpy(copy, der.ptr, der.len);
    for (size_t bit = 0; bit < 8 * der.len; bit++) {
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (describe(hf_bytes_of(copy, der.len), NULL, &tree) == HF_OK) {
            char *dump = json_dumps(tree, 0);
            assert_non_null(dump);
            free(dump);
            json_decref(tree);
        }
        copy[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    free(copy);
    assert_int_equal(ERR_peek_error(), 0);
}

static void cut_or_flipped_anywhere_is_clean(void **state)
{
    (void)state;
    struct testpki *ca = testpki_make(NULL, &(struct testpki_spec){
                                                .cn = "Root",
                                                .o = "Example",
                                                .ca = true,
                                                .path_len = 1,
                                                .eku = "serverAuth",
                                                .san = "DNS:a,URI:b:c,IP:1.2.3.4,RID:1.2.3",
                                                .nc = "permitted;DNS:a",
                                            });
    struct hf_bytes csr = request_der();
    struct hf_bytes crl = crl_der(ca, 3, false, false);
    cut_and_flip(ca->cert->der);
    cut_and_flip(csr);
    cut_and_flip(crl);
    OPENSSL_free((void *)(uintptr_t)csr.ptr);
    OPENSSL_free((void *)(uintptr_t)crl.ptr);
    testpki_free(ca);
}

static void failing_allocations_are_clean(void **state)
{
    (void)state;
    struct chain_world w = chain_world();
    char *text = joined(testpki_chain_pem(w.leaf), testpki_key_pem(w.leaf->key, NULL));
    enum hf_err err = HF_E_NOMEM;
    for (size_t n = 1; err != HF_OK; n++) {
        json_t *tree = NULL;
        hf_alloc_fail_after(n);
        err = describe(hf_bytes_str(text), NULL, &tree);
        hf_alloc_fail_after(0);
        assert_true(err == HF_OK || err == HF_E_NOMEM);
        json_decref(tree);
        assert_true(n < 1000);
    }
    free(text);
    chain_world_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(server_certificate_in_words),
        cmocka_unit_test(roles_are_told),
        cmocka_unit_test(problems_of_a_certificate),
        cmocka_unit_test(constraints_and_urls_are_listed),
        cmocka_unit_test(order_of_a_chain_is_checked),
        cmocka_unit_test(key_is_held_against_the_certificates),
        cmocka_unit_test(private_key_shows_its_public_half_only),
        cmocka_unit_test(encrypted_key_is_told_as_such),
        cmocka_unit_test(request_is_described),
        cmocka_unit_test(public_key_is_described),
        cmocka_unit_test(crl_is_described),
        cmocka_unit_test(old_crl_without_end_is_described),
        cmocka_unit_test(stale_crl_is_a_problem),
        cmocka_unit_test(pkcs7_bundle_is_described),
        cmocka_unit_test(pkcs12_shows_all_of_it),
        cmocka_unit_test(other_files_are_named),
        cmocka_unit_test(good_parts_are_shown_beside_bad_ones),
        cmocka_unit_test(cut_or_flipped_anywhere_is_clean),
        cmocka_unit_test(failing_allocations_are_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
