// SPDX-License-Identifier: Apache-2.0
#include "ca/ca.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/mem.h"
#include "ca/folder.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/sock.h"
#include "testpki.h"
#include "tree.h"

static int64_t wall_s = TESTPKI_NOW;

static int64_t test_mono_ns(void *ctx)
{
    (void)ctx;
    return 0;
}

static int64_t test_wall_ms(void *ctx)
{
    (void)ctx;
    return wall_s * 1000;
}

static const struct hf_clock test_clock = {NULL, test_mono_ns, test_wall_ms};

static struct hf_ca_world test_world(void)
{
    return (struct hf_ca_world){&test_clock, &hf_os_rng};
}

static const struct hf_bytes no_passphrase;

static enum hf_err init(const char *name, const char *passphrase)
{
    struct hf_ca_new what = {
        .dir = tree("ca"),
        .name = name,
        .passphrase = hf_bytes_of(passphrase, passphrase ? strlen(passphrase) : 0),
        .world = test_world(),
    };
    return hf_ca_init(&what);
}

static struct hf_ca *opened(void)
{
    struct hf_ca *ca = NULL;
    if (hf_ca_open(tree("ca"), test_world(), &ca) != HF_OK) {
        fail_msg("%s", hf_err_text());
    }
    return ca;
}

static struct hf_ca *ready(void)
{
    assert_int_equal(init("Example", NULL), HF_OK);
    struct hf_ca *ca = opened();
    assert_int_equal(hf_ca_unlock(ca, no_passphrase, false), HF_OK);
    return ca;
}

static struct hf_ca_request client(const char *name)
{
    return (struct hf_ca_request){
        .profile = HF_CA_CLIENT, .name = name, .key_type = "p256", .days = 90};
}

static struct hf_ca_request server(const char *name)
{
    return (struct hf_ca_request){
        .profile = HF_CA_SERVER, .name = name, .key_type = "p256", .days = 90};
}

static enum hf_err count_one(void *ctx, const struct hf_ca_entry *entry)
{
    (void)entry;
    ++*(size_t *)ctx;
    return HF_OK;
}

static size_t n_issued(const struct hf_ca *ca)
{
    size_t n = 0;
    if (hf_ca_each(ca, count_one, &n) != HF_OK) {
        fail_msg("%s", hf_err_text());
    }
    return n;
}

static void issue(struct hf_ca *ca, const struct hf_ca_request *request)
{
    struct hf_ca_leaf leaf;
    if (hf_ca_sign(ca, request, &leaf) != HF_OK || hf_ca_record(ca, request, &leaf) != HF_OK) {
        fail_msg("%s", hf_err_text());
    }
    hf_ca_leaf_done(&leaf);
}

/* --- init --------------------------------------------------------------------------------------
 */

static void folder_is_laid_out(void **state)
{
    (void)state;
    assert_int_equal(init("Example", NULL), HF_OK);
    static const struct {
        const char *path;
        unsigned mode;
    } files[] = {
        {"ca/ca.json", 0644},          {"ca/root.pem", 0644},
        {"ca/root/cert.pem", 0644},    {"ca/root/key.pem", 0600},
        {"ca/issuing/cert.pem", 0644}, {"ca/issuing/key.pem", 0600},
        {"ca/journal.jsonl", 0644},    {"ca/root", 0700},
        {"ca/issuing", 0700},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(files); i++) {
        if (tree_mode(files[i].path) != files[i].mode) {
            fail_msg("%s: %o", files[i].path, tree_mode(files[i].path));
        }
    }
    assert_false(tree_has("ca.part"));
}

static void certificates_are_those_of_a_ca(void **state)
{
    (void)state;
    struct hf_ca *ca = ready();
    X509 *root = hf_ca_root(ca)->x509;
    X509 *issuing = hf_ca_issuing(ca)->x509;
    assert_int_equal(X509_check_ca(root), 1);
    assert_int_equal(X509_check_ca(issuing), 1);
    assert_int_equal(X509_get_pathlen(root), -1);
    assert_int_equal(X509_get_pathlen(issuing), 0);
    assert_int_equal(X509_get_key_usage(issuing), KU_KEY_CERT_SIGN | KU_CRL_SIGN);
    static const int critical[] = {NID_basic_constraints, NID_key_usage};
    for (size_t i = 0; i < HF_N_ELEMENTS(critical); i++) {
        int at = X509_get_ext_by_NID(issuing, critical[i], -1);
        assert_true(X509_EXTENSION_get_critical(X509_get_ext(issuing, at)));
    }
    assert_int_equal(
        ASN1_OCTET_STRING_cmp(X509_get0_authority_key_id(issuing), X509_get0_subject_key_id(root)),
        0);
    assert_int_equal(hf_ca_root(ca)->not_before, TESTPKI_NOW - 300);
    assert_int_equal(hf_ca_root(ca)->not_after, TESTPKI_NOW + 10 * INT64_C(31556952));
    assert_int_equal(hf_ca_issuing(ca)->not_after, TESTPKI_NOW + 3 * INT64_C(31556952));
    assert_string_equal(hf_ca_name(ca), "Example");
    hf_ca_close(ca);
}

static void existing_ca_is_never_touched(void **state)
{
    (void)state;
    struct hf_ca *before = ready();
    uint8_t hash[32];
    memcpy(hash, hf_ca_root(before)->sha256, 32);
    hf_ca_close(before);
    assert_int_equal(init("Other", NULL), HF_E_EXISTS);
    assert_non_null(strstr(hf_err_text(), "is a CA already"));
    struct hf_ca *after = opened();
    assert_memory_equal(hf_ca_root(after)->sha256, hash, 32);
    hf_ca_close(after);
}

static void folder_with_something_else_is_refused(void **state)
{
    (void)state;
    assert_int_equal(mkdir(tree("ca"), 0700), 0);
    tree_append("ca/thesis.tex", "years of work");
    assert_int_equal(init("Example", NULL), HF_E_EXISTS);
    assert_non_null(strstr(hf_err_text(), "not empty"));
    assert_false(tree_has("ca.part"));
    assert_true(tree_has("ca/thesis.tex"));
}

static void empty_folder_is_taken(void **state)
{
    (void)state;
    assert_int_equal(mkdir(tree("ca"), 0700), 0);
    assert_int_equal(init("Example", NULL), HF_OK);
    assert_true(tree_has("ca/root.pem"));
}

static void awkward_folders_are_refused(void **state)
{
    (void)state;
    static const char *const dirs[] = {".", "..", "/", "a/..", "./"};
    for (size_t i = 0; i < HF_N_ELEMENTS(dirs); i++) {
        struct hf_ca_new what = {.dir = dirs[i], .name = "Example", .world = test_world()};
        assert_int_equal(hf_ca_init(&what), HF_E_INVALID);
    }
    struct hf_ca_new what = {.dir = tree("no/such/ca"), .name = "x", .world = test_world()};
    assert_int_equal(hf_ca_init(&what), HF_E_NOT_FOUND);
}

static void names_are_checked(void **state)
{
    (void)state;
    char longest[HF_CA_NAME_MAX + 2];
    memset(longest, 'x', sizeof(longest));
    longest[HF_CA_NAME_MAX + 1] = '\0';
    assert_int_equal(init("", NULL), HF_E_INVALID);
    assert_int_equal(init("a\nb", NULL), HF_E_INVALID);
    assert_int_equal(init("\xff", NULL), HF_E_INVALID);
    assert_int_equal(init(longest, NULL), HF_E_INVALID);
    assert_false(tree_has("ca.part"));
    longest[HF_CA_NAME_MAX] = '\0';
    assert_int_equal(init(longest, NULL), HF_OK);
}

static void interrupted_init_is_cleared_by_the_next(void **state)
{
    (void)state;
    assert_int_equal(init("Example", NULL), HF_OK);
    assert_int_equal(rename(tree("ca"), tree("ca.part")), 0); /* as if killed before the rename */
    tree_append("ca.part/root/cert.pem.Xy12", "half of a");   /* and within a write */
    assert_int_equal(init("Example", NULL), HF_OK);
    assert_false(tree_has("ca.part"));
    hf_ca_close(opened());
}

static void folder_of_somebody_else_is_left_alone(void **state)
{
    (void)state;
    assert_int_equal(mkdir(tree("ca.part"), 0700), 0);
    tree_append("ca.part/thesis.tex", "years of work");
    assert_int_equal(init("Example", NULL), HF_E_EXISTS);
    assert_non_null(strstr(hf_err_text(), "in the way"));
    assert_true(tree_has("ca.part/thesis.tex"));
}

static void init_at_work_is_left_alone(void **state)
{
    (void)state;
    HF_CLEANUP(hf_closep) int fd = -1;
    assert_int_equal(mkdir(tree("ca.part"), 0700), 0);
    assert_int_equal(hf_ca_lock(tree("ca.part"), false, &fd), HF_OK);
    assert_int_equal(init("Example", NULL), HF_E_BUSY);
    assert_true(tree_has("ca.part/lock"));
    assert_false(tree_has("ca"));
}

static void failing_init_leaves_nothing(void **state)
{
    (void)state;
    enum hf_err err = HF_E_NOMEM;
    for (size_t n = 1; err != HF_OK; n++) {
        hf_alloc_fail_after(n);
        err = init("Example", NULL);
        hf_alloc_fail_after(0);
        assert_int_equal(tree_has("ca"), err == HF_OK);
        /* Removing needs memory too: a folder may stay for the next attempt to clear. */
        assert_true(n < 300);
    }
    assert_false(tree_has("ca.part"));
}

static void encrypted_keys_need_their_passphrase(void **state)
{
    (void)state;
    assert_int_equal(init("Example", "sesame"), HF_OK);
    struct hf_ca *ca = opened();
    assert_int_equal(hf_ca_unlock(ca, no_passphrase, false), HF_E_PASSPHRASE);
    assert_non_null(strstr(hf_err_text(), "no passphrase was given"));
    assert_int_equal(hf_ca_unlock(ca, hf_bytes_str("wrong"), false), HF_E_PASSPHRASE);
    assert_int_equal(hf_ca_unlock(ca, hf_bytes_str("sesame"), false), HF_OK);
    hf_ca_close(ca);
    HF_CLEANUP(hf_buf_done) struct hf_buf pem = HF_BUF_INIT(1 << 16);
    assert_int_equal(hf_file_read(tree("ca/root/key.pem"), &pem), HF_OK);
    assert_non_null(strstr(hf_buf_cstr(&pem), "BEGIN ENCRYPTED PRIVATE KEY"));
}

/* --- open and unlock ---------------------------------------------------------------------------
 */

static void missing_ca_says_how_to_make_one(void **state)
{
    (void)state;
    struct hf_ca *ca = NULL;
    assert_int_equal(hf_ca_open(tree("ca"), test_world(), &ca), HF_E_NOT_FOUND);
    assert_non_null(strstr(hf_err_text(), "handfast ca init --dir"));
    assert_null(ca);
}

static void later_format_is_refused(void **state)
{
    (void)state;
    assert_int_equal(init("Example", NULL), HF_OK);
    assert_int_equal(truncate(tree("ca/ca.json"), 0), 0);
    tree_append("ca/ca.json", "{\"format\": 2, \"name\": \"x\"}");
    struct hf_ca *ca = NULL;
    assert_int_equal(hf_ca_open(tree("ca"), test_world(), &ca), HF_E_UNSUPPORTED);
    assert_int_equal(truncate(tree("ca/ca.json"), 5), 0);
    assert_int_equal(hf_ca_open(tree("ca"), test_world(), &ca), HF_E_MALFORMED);
}

static void key_that_others_can_read_is_refused(void **state)
{
    (void)state;
    assert_int_equal(init("Example", NULL), HF_OK);
    assert_int_equal(chmod(tree("ca/issuing/key.pem"), 0640), 0);
    struct hf_ca *ca = opened();
    assert_int_equal(hf_ca_unlock(ca, no_passphrase, false), HF_E_PERMISSION);
    assert_non_null(strstr(hf_err_text(), "chmod 600"));
    hf_ca_close(ca);
}

static void root_of_another_ca_is_refused(void **state)
{
    (void)state;
    assert_int_equal(init("Example", NULL), HF_OK);
    struct testpki *other = testpki_root("Other");
    char *pem = testpki_cert_pem(other);
    assert_int_equal(hf_file_write_atomic(tree("ca/root/cert.pem"), hf_bytes_str(pem), 0644),
                     HF_OK);
    struct hf_ca *ca = NULL;
    assert_int_equal(hf_ca_open(tree("ca"), test_world(), &ca), HF_E_MISMATCH);
    testpki_text_free(pem);
    testpki_free(other);
}

static void root_key_is_not_needed(void **state)
{
    (void)state;
    assert_int_equal(init("Example", NULL), HF_OK);
    assert_int_equal(unlink(tree("ca/root/key.pem")), 0);
    struct hf_ca *ca = opened();
    struct hf_ca_request request = client("alice");
    assert_int_equal(hf_ca_unlock(ca, no_passphrase, false), HF_OK);
    issue(ca, &request);
    hf_ca_close(ca);
}

static void one_issues_at_a_time(void **state)
{
    (void)state;
    struct hf_ca *first = ready();
    struct hf_ca *second = opened();
    assert_int_equal(hf_ca_unlock(second, no_passphrase, false), HF_E_BUSY);
    assert_int_equal(n_issued(second), 0); /* reading needs no lock */
    hf_ca_close(first);
    assert_int_equal(hf_ca_unlock(second, no_passphrase, false), HF_OK);
    hf_ca_close(second);
}

static void locked_ca_signs_nothing(void **state)
{
    (void)state;
    assert_int_equal(init("Example", NULL), HF_OK);
    struct hf_ca *ca = opened();
    struct hf_ca_request request = client("alice");
    struct hf_ca_leaf leaf;
    assert_int_equal(hf_ca_sign(ca, &request, &leaf), HF_E_INTERNAL);
    hf_ca_close(ca);
}

/* --- issue -------------------------------------------------------------------------------------
 */

static void expect_good(struct hf_ca *ca, const struct hf_ca_leaf *leaf, enum hf_usage usage,
                        const char *name)
{
    struct hf_trust *trust = NULL;
    struct hf_trust_source source = {
        .name = "t", .roots = hf_ca_root(ca)->der, .roots_label = "root", .depth = 1};
    assert_int_equal(hf_trust_new(&source, &trust), HF_OK);
    struct hf_verify_result result;
    assert_int_equal(hf_trust_verify(trust, leaf->chain, usage, name, wall_s, &result), HF_OK);
    if (result.reason != HF_REASON_OK) {
        fail_msg("%s", result.text);
    }
    hf_verify_result_done(&result);
    hf_trust_unref(trust);
}

static void server_certificate_verifies(void **state)
{
    (void)state;
    struct hf_ca *ca = ready();
    static const char *const sans[] = {"DNS:b.example", "IP:10.0.0.1"};
    struct hf_ca_request request = server("A.example");
    request.sans = sans;
    request.n_sans = 2;
    struct hf_ca_leaf leaf;
    assert_int_equal(hf_ca_sign(ca, &request, &leaf), HF_OK);
    expect_good(ca, &leaf, HF_USAGE_SERVER, "a.example");
    expect_good(ca, &leaf, HF_USAGE_SERVER, "b.example");
    expect_good(ca, &leaf, HF_USAGE_SERVER, "10.0.0.1");
    assert_int_equal(leaf.cert->not_before, TESTPKI_NOW - 300);
    assert_int_equal(leaf.cert->not_after, TESTPKI_NOW + 90 * TESTPKI_DAY);
    assert_int_equal(strlen(leaf.identity->serial), 32);
    assert_false(leaf.cert->is_ca);
    assert_false(leaf.capped);
    hf_ca_leaf_done(&leaf);
    hf_ca_close(ca);
}

static void client_certificate_verifies(void **state)
{
    (void)state;
    struct hf_ca *ca = ready();
    static const char *const sans[] = {"URI:spiffe://example.org/ops/alice", "email:a@b.example"};
    struct hf_ca_request request = client("Alice \xc3\x84nne");
    request.sans = sans;
    request.n_sans = 2;
    struct hf_ca_leaf leaf;
    assert_int_equal(hf_ca_sign(ca, &request, &leaf), HF_OK);
    expect_good(ca, &leaf, HF_USAGE_CLIENT, NULL);
    assert_string_equal(leaf.identity->cn, "Alice \xc3\x84nne");
    assert_string_equal(leaf.identity->spiffe, "spiffe://example.org/ops/alice");
    hf_ca_leaf_done(&leaf);
    hf_ca_close(ca);
}

static void every_key_type_is_made(void **state)
{
    (void)state;
    static const struct {
        const char *type, *name;
    } cases[] = {
        {"p256", "EC P-256"},    {"p384", "EC P-384"},    {"ed25519", "Ed25519"},
        {"rsa2048", "RSA 2048"}, {"rsa3072", "RSA 3072"},
    };
    struct hf_ca *ca = ready();
    struct hf_ca_request request = client("alice");
    struct hf_ca_leaf leaf;
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        request.key_type = cases[i].type;
        assert_int_equal(hf_ca_sign(ca, &request, &leaf), HF_OK);
        assert_string_equal(leaf.identity->key_type, cases[i].name);
        assert_int_equal(EVP_PKEY_eq(leaf.key, X509_get0_pubkey(leaf.cert->x509)), 1);
        expect_good(ca, &leaf, HF_USAGE_CLIENT, NULL);
        hf_ca_leaf_done(&leaf);
    }
    request.key_type = "rsa1024";
    assert_int_equal(hf_ca_sign(ca, &request, &leaf), HF_E_INVALID);
    assert_null(leaf.cert);
    hf_ca_close(ca);
}

static void server_of_long_name_has_no_common_name(void **state)
{
    (void)state;
    struct hf_ca *ca = ready();
    struct hf_ca_request request = server(
        "a-rather-long-label-of-a-host.with-another-long-label-behind-it.and-one-more.example.org");
    struct hf_ca_leaf leaf;
    assert_int_equal(hf_ca_sign(ca, &request, &leaf), HF_OK);
    assert_string_equal(leaf.identity->subject, "");
    int at = X509_get_ext_by_NID(leaf.cert->x509, NID_subject_alt_name, -1);
    assert_true(X509_EXTENSION_get_critical(X509_get_ext(leaf.cert->x509, at)));
    expect_good(ca, &leaf, HF_USAGE_SERVER, request.name);
    hf_ca_leaf_done(&leaf);
    hf_ca_close(ca);
}

static void lifetime_ends_with_the_ca(void **state)
{
    (void)state;
    struct hf_ca *ca = ready();
    struct hf_ca_request request = client("alice");
    struct hf_ca_leaf leaf;
    request.days = 3650;
    assert_int_equal(hf_ca_sign(ca, &request, &leaf), HF_OK);
    assert_true(leaf.capped);
    assert_int_equal(leaf.cert->not_after, hf_ca_issuing(ca)->not_after);
    hf_ca_leaf_done(&leaf);
    wall_s = hf_ca_issuing(ca)->not_after;
    assert_int_equal(hf_ca_sign(ca, &request, &leaf), HF_E_INVALID);
    assert_non_null(strstr(hf_err_text(), "can't issue any more"));
    wall_s = TESTPKI_NOW;
    hf_ca_close(ca);
}

static void dates_may_be_given(void **state)
{
    (void)state;
    struct hf_ca *ca = ready();
    struct hf_ca_request request = client("old");
    struct hf_ca_leaf leaf;
    request.days = 0;
    request.not_before = TESTPKI_NOW - 20 * TESTPKI_DAY;
    request.not_after = TESTPKI_NOW - 10 * TESTPKI_DAY;
    assert_int_equal(hf_ca_sign(ca, &request, &leaf), HF_OK);
    assert_int_equal(leaf.cert->not_before, request.not_before);
    assert_int_equal(leaf.cert->not_after, request.not_after);
    hf_ca_leaf_done(&leaf);
    request.not_after = request.not_before;
    assert_int_equal(hf_ca_sign(ca, &request, &leaf), HF_E_INVALID);
    request.days = 10; /* counts from a beginning that is still to come */
    request.not_before = TESTPKI_NOW + 5 * TESTPKI_DAY;
    request.not_after = 0;
    assert_int_equal(hf_ca_sign(ca, &request, &leaf), HF_OK);
    assert_int_equal(leaf.cert->not_after, TESTPKI_NOW + 15 * TESTPKI_DAY);
    hf_ca_leaf_done(&leaf);
    hf_ca_close(ca);
}

static void bad_names_are_refused(void **state)
{
    (void)state;
    struct hf_ca *ca = ready();
    static const char *const clients[] = {
        "", "a\nb", "\xff",
        "a name of more than sixty-four bytes, which is as long as a CN may be at the very most"};
    static const char *const servers[] = {"", "a b", "*", "m\xc3\xbcnchen.example", "a..b"};
    struct hf_ca_leaf leaf;
    for (size_t i = 0; i < HF_N_ELEMENTS(clients); i++) {
        struct hf_ca_request request = client(clients[i]);
        assert_int_equal(hf_ca_sign(ca, &request, &leaf), HF_E_INVALID);
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(servers); i++) {
        struct hf_ca_request request = server(servers[i]);
        assert_int_equal(hf_ca_sign(ca, &request, &leaf), HF_E_INVALID);
    }
    hf_ca_close(ca);
}

/* --- Requests ----------------------------------------------------------------------------------
 */

static char *request_pem(const char *key_type, bool spoil)
{
    EVP_PKEY *key = testpki_key(key_type);
    X509_REQ *csr = X509_REQ_new();
    assert_true(X509_NAME_add_entry_by_NID(X509_REQ_get_subject_name(csr), NID_commonName,
                                           MBSTRING_UTF8, (const unsigned char *)"root", -1, -1,
                                           0));
    assert_true(X509_REQ_set_pubkey(csr, key));
    bool edwards = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519;
    EVP_PKEY *signer = spoil ? testpki_key(key_type) : key;
    assert_true(X509_REQ_sign(csr, signer, edwards ? NULL : EVP_sha256()));
    BIO *bio = BIO_new(BIO_s_mem());
    assert_true(PEM_write_bio_X509_REQ(bio, csr));
    char *bytes;
    long len = BIO_get_mem_data(bio, &bytes);
    char *text = strndup(bytes, (size_t)len);
    BIO_free(bio);
    if (spoil) {
        EVP_PKEY_free(signer);
    }
    X509_REQ_free(csr);
    EVP_PKEY_free(key);
    return text;
}

static enum hf_err sign_request(struct hf_ca *ca, const char *csr, struct hf_ca_leaf *leaf)
{
    struct hf_ca_request request = client("bob");
    request.key_type = NULL;
    request.csr = hf_bytes_str(csr);
    request.csr_label = "bob.csr";
    return hf_ca_sign(ca, &request, leaf);
}

static void request_gives_its_key_only(void **state)
{
    (void)state;
    struct hf_ca *ca = ready();
    static const char *const kinds[] = {"P-256", "ED25519", "RSA-2048"};
    for (size_t i = 0; i < HF_N_ELEMENTS(kinds); i++) {
        char *csr = request_pem(kinds[i], false);
        struct hf_ca_leaf leaf;
        assert_int_equal(sign_request(ca, csr, &leaf), HF_OK);
        assert_string_equal(leaf.identity->subject, "CN=bob");
        assert_int_equal(leaf.n_names_in_csr, 1);
        assert_null(leaf.key);
        expect_good(ca, &leaf, HF_USAGE_CLIENT, NULL);
        hf_ca_leaf_done(&leaf);
        free(csr);
    }
    hf_ca_close(ca);
}

static void bad_requests_are_refused(void **state)
{
    (void)state;
    struct hf_ca *ca = ready();
    const struct {
        char *csr;
        enum hf_err err;
        const char *words;
    } cases[] = {
        {request_pem("P-256", true), HF_E_INVALID, "own signature is wrong"},
        {request_pem("RSA-1024", false), HF_E_INVALID, "too weak"},
        {strdup("hello"), HF_E_MALFORMED, "bob.csr: not a certificate request"},
        {strdup("-----BEGIN X-----\nAAAA\n-----END X-----\n"), HF_E_MALFORMED, "no certificate"},
        {strdup(""), HF_E_MALFORMED, "bob.csr"},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        struct hf_ca_leaf leaf;
        enum hf_err err = sign_request(ca, cases[i].csr, &leaf);
        if (err != cases[i].err || !strstr(hf_err_text(), cases[i].words)) {
            fail_msg("%zu: %s: %s", i, hf_err_name(err), hf_err_text());
        }
        free(cases[i].csr);
    }
    hf_ca_close(ca);
}

/* --- The journal -------------------------------------------------------------------------------
 */

static enum hf_err check_entry(void *ctx, const struct hf_ca_entry *entry)
{
    const struct hf_ca_leaf *leaf = ctx;
    assert_string_equal(entry->serial, leaf->identity->serial);
    assert_string_equal(entry->profile, "client");
    assert_string_equal(entry->name, "alice");
    assert_string_equal(entry->subject, "CN=alice");
    assert_string_equal(entry->sha256, leaf->identity->sha256);
    assert_int_equal(entry->n_sans, 2);
    assert_string_equal(entry->sans[0], "URI:spiffe://a/b");
    assert_string_equal(entry->sans[1], "IP:::1");
    assert_int_equal(entry->issued_at, TESTPKI_NOW);
    assert_int_equal(entry->not_after, TESTPKI_NOW + 90 * TESTPKI_DAY);
    return HF_OK;
}

static void journal_tells_what_was_issued(void **state)
{
    (void)state;
    struct hf_ca *ca = ready();
    static const char *const sans[] = {"URI:spiffe://a/b", "IP:::1"};
    struct hf_ca_request request = client("alice");
    request.sans = sans;
    request.n_sans = 2;
    struct hf_ca_leaf leaf;
    assert_int_equal(hf_ca_sign(ca, &request, &leaf), HF_OK);
    assert_int_equal(n_issued(ca), 0); /* signing alone leaves no trace */
    assert_int_equal(hf_ca_record(ca, &request, &leaf), HF_OK);
    assert_int_equal(hf_ca_each(ca, check_entry, &leaf), HF_OK);
    assert_int_equal(n_issued(ca), 1);
    char path[128];
    snprintf(path, sizeof(path), "ca/issued/%s.pem", leaf.identity->serial);
    assert_true(tree_has(path));
    assert_int_equal(hf_ca_record(ca, &request, &leaf), HF_E_EXISTS); /* never twice */
    assert_int_equal(n_issued(ca), 1);
    hf_ca_leaf_done(&leaf);
    hf_ca_close(ca);
}

static void cut_line_is_passed_over_and_removed(void **state)
{
    (void)state;
    struct hf_ca *ca = ready();
    struct hf_ca_request request = client("alice");
    issue(ca, &request);
    hf_ca_close(ca);
    long whole = tree_size("ca/journal.jsonl");
    tree_append("ca/journal.jsonl", "{\"event\":\"issue\",\"ser");
    ca = opened();
    assert_int_equal(n_issued(ca), 1);
    assert_int_equal(hf_ca_unlock(ca, no_passphrase, false), HF_OK);
    assert_int_equal(tree_size("ca/journal.jsonl"), whole);
    issue(ca, &request);
    assert_int_equal(n_issued(ca), 2);
    hf_ca_close(ca);
}

static void broken_line_is_told_by_number(void **state)
{
    (void)state;
    struct hf_ca *ca = ready();
    struct hf_ca_request request = client("alice");
    issue(ca, &request);
    tree_append("ca/journal.jsonl", "{nonsense}\n");
    size_t n = 0;
    assert_int_equal(hf_ca_each(ca, count_one, &n), HF_E_MALFORMED);
    assert_non_null(strstr(hf_err_text(), "journal.jsonl:2"));
    hf_ca_close(ca);
}

static void events_of_later_versions_are_passed_over(void **state)
{
    (void)state;
    struct hf_ca *ca = ready();
    tree_append("ca/journal.jsonl", "{\"event\":\"revoke\",\"serial\":\"00\"}\n");
    assert_int_equal(n_issued(ca), 0);
    hf_ca_close(ca);
}

/* A disk that is full: no file may grow beyond what the journal has, plus a little. */
static void full_disk_issues_nothing(void **state)
{
    (void)state;
    struct hf_ca *ca = ready();
    struct hf_ca_request request = client("alice");
    for (int i = 0; i < 3; i++) {
        issue(ca, &request);
    }
    long whole = tree_size("ca/journal.jsonl");
    assert_true(whole > 2000); /* more than a certificate in issued/ has */
    struct hf_ca_leaf leaf;
    assert_int_equal(hf_ca_sign(ca, &request, &leaf), HF_OK);
    struct rlimit before;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    struct rlimit tight = {.rlim_cur = (rlim_t)whole + 100, .rlim_max = before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    enum hf_err journal_full = hf_ca_record(ca, &request, &leaf);
    tight.rlim_cur = 100;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    enum hf_err all_full = hf_ca_record(ca, &request, &leaf);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(journal_full, HF_E_IO);
    assert_int_equal(all_full, HF_E_IO);
    assert_int_equal(tree_size("ca/journal.jsonl"), whole);
    assert_int_equal(n_issued(ca), 3);
    char path[128];
    snprintf(path, sizeof(path), "ca/issued/%s.pem", leaf.identity->serial);
    assert_false(tree_has(path));
    assert_int_equal(hf_ca_record(ca, &request, &leaf), HF_OK); /* there is room again */
    assert_int_equal(n_issued(ca), 4);
    hf_ca_leaf_done(&leaf);
    hf_ca_close(ca);
}

static void failing_allocations_issue_nothing(void **state)
{
    (void)state;
    struct hf_ca *ca = ready();
    static const char *const sans[] = {"URI:spiffe://a/b", "IP:::1", "DNS:x"};
    struct hf_ca_request request = client("alice");
    request.sans = sans;
    request.n_sans = 3;
    enum hf_err err = HF_E_NOMEM;
    for (size_t n = 1; err != HF_OK; n++) {
        struct hf_ca_leaf leaf;
        hf_alloc_fail_after(n);
        err = hf_ca_sign(ca, &request, &leaf);
        if (err == HF_OK) {
            err = hf_ca_record(ca, &request, &leaf);
        }
        hf_alloc_fail_after(0);
        assert_true(err == HF_OK || err == HF_E_NOMEM);
        assert_int_equal(n_issued(ca), err == HF_OK);
        hf_ca_leaf_done(&leaf);
        assert_true(n < 300);
    }
    hf_ca_close(ca);
}

#define CA_TEST(name) cmocka_unit_test_setup_teardown(name, tree_set_up, tree_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CA_TEST(folder_is_laid_out),
        CA_TEST(certificates_are_those_of_a_ca),
        CA_TEST(existing_ca_is_never_touched),
        CA_TEST(folder_with_something_else_is_refused),
        CA_TEST(empty_folder_is_taken),
        CA_TEST(awkward_folders_are_refused),
        CA_TEST(names_are_checked),
        CA_TEST(interrupted_init_is_cleared_by_the_next),
        CA_TEST(folder_of_somebody_else_is_left_alone),
        CA_TEST(init_at_work_is_left_alone),
        CA_TEST(failing_init_leaves_nothing),
        CA_TEST(encrypted_keys_need_their_passphrase),
        CA_TEST(missing_ca_says_how_to_make_one),
        CA_TEST(later_format_is_refused),
        CA_TEST(key_that_others_can_read_is_refused),
        CA_TEST(root_of_another_ca_is_refused),
        CA_TEST(root_key_is_not_needed),
        CA_TEST(one_issues_at_a_time),
        CA_TEST(locked_ca_signs_nothing),
        CA_TEST(server_certificate_verifies),
        CA_TEST(client_certificate_verifies),
        CA_TEST(every_key_type_is_made),
        CA_TEST(server_of_long_name_has_no_common_name),
        CA_TEST(lifetime_ends_with_the_ca),
        CA_TEST(dates_may_be_given),
        CA_TEST(bad_names_are_refused),
        CA_TEST(request_gives_its_key_only),
        CA_TEST(bad_requests_are_refused),
        CA_TEST(journal_tells_what_was_issued),
        CA_TEST(cut_line_is_passed_over_and_removed),
        CA_TEST(broken_line_is_told_by_number),
        CA_TEST(events_of_later_versions_are_passed_over),
        CA_TEST(full_disk_issues_nothing),
        CA_TEST(failing_allocations_issue_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
