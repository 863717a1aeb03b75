// SPDX-License-Identifier: Apache-2.0
/* Lists as they are made: our reader and OpenSSL's find in them what was put in, whoever signs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "ca/crl_build.h"
#include "os/file.h"
#include "pki/crl.h"
#include "testpki.h"

#define ALGORITHM(bytes) \
    { \
        (const uint8_t *)(bytes), sizeof(bytes) - 1 \
    }

static const struct {
    const char *key;
    enum hf_key_kind kind;
    struct hf_bytes algorithm;
} signers[] = {
    {"P-256", HF_KEY_KIND_P256, ALGORITHM("\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02")},
    {"RSA-2048", HF_KEY_KIND_RSA2048,
     ALGORITHM("\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b\x05\x00")},
    {"ED25519", HF_KEY_KIND_ED25519, ALGORITHM("\x30\x05\x06\x03\x2b\x65\x70")},
};

struct issuer {
    struct testpki *pki;
    struct hf_cert *cert;
    struct hf_signer signer;
};

static void issuer_make(struct issuer *issuer, size_t signer)
{
    struct testpki_spec spec = {.cn = "Issuing", .ca = true, .key = signers[signer].key};
    issuer->pki = testpki_make(NULL, &spec);
    issuer->cert = hf_cert_ref(issuer->pki->cert);
    issuer->signer = (struct hf_signer){.key = issuer->pki->key,
                                        .kind = signers[signer].kind,
                                        .algorithm = signers[signer].algorithm};
}

static void issuer_done(struct issuer *issuer)
{
    hf_cert_unref(issuer->cert);
    testpki_free(issuer->pki);
}

static struct hf_crl_plan plan_of(const struct issuer *issuer)
{
    return (struct hf_crl_plan){.issuer = issuer->cert,
                                .signer = &issuer->signer,
                                .number = 0x123456,
                                .this_update = TESTPKI_NOW,
                                .next_update = TESTPKI_NOW + TESTPKI_DAY};
}

static const struct entry {
    const char *serial;
    size_t len;
    int64_t at;
    int reason;
} some[] = {
    {"\x01", 1, TESTPKI_NOW - 60, 0},
    {"\x7f\x00\xff", 3, TESTPKI_NOW - 3600, 1},
    {"\xf0\xe0\xd0\xc0\xb0\xa0\x90\x80\x70\x60\x50\x40\x30\x20\x10\x00", 16, 0, 6},
    {"\x00\x00\x80", 3, 2524608000 /* 2050 */, 4},
};

static void build(const struct hf_crl_plan *plan, const struct entry *entries, size_t n,
                  struct hf_crl_file *out)
{
    struct hf_crl_builder *builder = NULL;
    assert_int_equal(hf_crl_builder_new(plan, NULL, &builder), HF_OK);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(hf_crl_builder_add(builder, hf_bytes_of(entries[i].serial, entries[i].len),
                                            entries[i].at, entries[i].reason),
                         HF_OK);
    }
    assert_int_equal(hf_crl_builder_end(builder, out), HF_OK);
    hf_crl_builder_free(builder);
}

static struct hf_crl *read_back(const struct hf_crl_file *file, const struct hf_cert *issuer)
{
    struct hf_crl_reader *reader = NULL;
    struct hf_crl_lists lists = {NULL, 0};
    struct hf_blob *map = NULL;
    assert_int_equal(hf_crl_file_map(file, &map), HF_OK);
    assert_int_equal(hf_crl_reader_new(&hf_crl_limits_default, "built", &reader), HF_OK);
    assert_int_equal(hf_crl_reader_feed(reader, map->bytes), HF_OK);
    assert_int_equal(hf_crl_reader_end(reader, &lists), HF_OK);
    assert_int_equal(lists.n, 1);
    struct hf_crl *crl = hf_crl_ref(lists.item[0]);
    assert_true(hf_crl_verified(crl, issuer));
    assert_memory_equal(crl->sha256, file->sha256, sizeof(crl->sha256));
    hf_crl_lists_done(&lists);
    hf_crl_reader_free(reader);
    hf_blob_unref(map);
    return crl;
}

/* The judgement of a parser that isn't ours. */
static X509_CRL *openssl_reads(const struct hf_crl_file *file, const struct issuer *issuer)
{
    struct hf_blob *map = NULL;
    assert_int_equal(hf_crl_file_map(file, &map), HF_OK);
    const unsigned char *at = map->bytes.ptr;
    X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)map->bytes.len);
    assert_non_null(crl);
    assert_ptr_equal(at, map->bytes.ptr + map->bytes.len);
    assert_int_equal(X509_CRL_verify(crl, issuer->pki->key), 1);
    assert_int_equal(X509_CRL_get_version(crl), X509_CRL_VERSION_2);
    hf_blob_unref(map);
    return crl;
}

static void entries_are_those_put_in(void **state)
{
    (void)state;
    for (size_t k = 0; k < HF_N_ELEMENTS(signers); k++) {
        struct issuer issuer;
        struct hf_crl_file file;
        issuer_make(&issuer, k);
        struct hf_crl_plan plan = plan_of(&issuer);
        build(&plan, some, HF_N_ELEMENTS(some), &file);
        assert_int_equal(file.n_entries, HF_N_ELEMENTS(some));

        struct hf_crl *crl = read_back(&file, issuer.cert);
        char number[HF_CRL_NUMBER_TEXT];
        hf_crl_number_text(crl, number);
        assert_string_equal(number, "123456");
        assert_int_equal(crl->this_update, TESTPKI_NOW);
        assert_int_equal(crl->next_update, TESTPKI_NOW + TESTPKI_DAY);
        assert_false(crl->is_delta);
        assert_false(crl->has_point);
        assert_int_equal(hf_serials_count(crl->serials), HF_N_ELEMENTS(some));
        for (size_t i = 0; i < HF_N_ELEMENTS(some); i++) {
            struct hf_serial serial = {.len = 0};
            struct hf_revocation_entry entry;
            const uint8_t *bytes = (const uint8_t *)some[i].serial;
            size_t skip = 0;
            while (skip < some[i].len && bytes[skip] == 0) {
                skip++;
            }
            serial.len = (uint8_t)(some[i].len - skip);
            memcpy(serial.byte, bytes + skip, serial.len);
            assert_true(hf_serials_find(crl->serials, &serial, &entry));
            assert_int_equal(entry.why, some[i].reason);
            assert_int_equal(entry.at, some[i].at - some[i].at % 60);
        }
        hf_crl_unref(crl);

        X509_CRL *theirs = openssl_reads(&file, &issuer);
        assert_int_equal(sk_X509_REVOKED_num(X509_CRL_get_REVOKED(theirs)), HF_N_ELEMENTS(some));
        AUTHORITY_KEYID *key_id =
            X509_CRL_get_ext_d2i(theirs, NID_authority_key_identifier, NULL, NULL);
        assert_non_null(key_id);
        AUTHORITY_KEYID_free(key_id);
        X509_CRL_free(theirs);
        hf_crl_file_done(&file);
        issuer_done(&issuer);
    }
}

static void an_empty_list_is_a_list(void **state)
{
    (void)state;
    struct issuer issuer;
    struct hf_crl_file file;
    issuer_make(&issuer, 0);
    struct hf_crl_plan plan = plan_of(&issuer);
    build(&plan, NULL, 0, &file);
    struct hf_crl *crl = read_back(&file, issuer.cert);
    assert_int_equal(hf_serials_count(crl->serials), 0);
    hf_crl_unref(crl);
    X509_CRL *theirs = openssl_reads(&file, &issuer);
    assert_null(X509_CRL_get_REVOKED(theirs)); /* absent, not empty: 5.1.2.6 */
    X509_CRL_free(theirs);
    hf_crl_file_done(&file);
    issuer_done(&issuer);
}

static void deltas_and_shards_say_what_they_are(void **state)
{
    (void)state;
    static const char *const points[] = {"http://ca.example/crl/issuing-3.crl",
                                         "http://ca2.example/crl/issuing-3.crl"};
    static const char *const freshest[] = {"http://ca.example/crl/issuing-3-delta.crl"};
    static const struct entry removed = {"\x05", 1, TESTPKI_NOW, 8};
    struct issuer issuer;
    struct hf_crl_file file;
    int critical = 0;
    issuer_make(&issuer, 0);
    struct hf_crl_plan plan = plan_of(&issuer);
    plan.points = points;
    plan.n_points = 2;
    plan.freshest = freshest;
    plan.n_freshest = 1;

    build(&plan, some, 2, &file);
    struct hf_crl *full = read_back(&file, issuer.cert);
    assert_int_equal(full->n_points, 2);
    assert_string_equal(full->point[0], points[0]);
    assert_string_equal(full->point[1], points[1]);
    assert_int_equal(full->n_freshest, 1);
    assert_string_equal(full->freshest[0], freshest[0]);
    X509_CRL *theirs = openssl_reads(&file, &issuer);
    ISSUING_DIST_POINT *point =
        X509_CRL_get_ext_d2i(theirs, NID_issuing_distribution_point, &critical, NULL);
    assert_non_null(point);
    assert_int_equal(critical, 1);
    ISSUING_DIST_POINT_free(point);
    X509_CRL_free(theirs);
    hf_crl_file_done(&file);

    plan.base = plan.number;
    plan.number++;
    build(&plan, &removed, 1, &file);
    struct hf_crl *delta = read_back(&file, issuer.cert);
    assert_true(delta->is_delta);
    assert_int_equal(delta->n_freshest, 0);
    assert_int_equal(hf_crl_number_order(&delta->base, &full->number), 0);
    assert_true(hf_crl_same_scope(full, delta));
    theirs = openssl_reads(&file, &issuer);
    ASN1_INTEGER *base = X509_CRL_get_ext_d2i(theirs, NID_delta_crl, &critical, NULL);
    assert_int_equal(ASN1_INTEGER_get(base), 0x123456);
    assert_int_equal(critical, 1);
    ASN1_INTEGER_free(base);
    X509_CRL_free(theirs);
    hf_crl_file_done(&file);
    hf_crl_unref(full);
    hf_crl_unref(delta);
    issuer_done(&issuer);
}

static void what_no_list_may_say_is_refused(void **state)
{
    (void)state;
    struct issuer issuer;
    struct hf_crl_builder *builder = NULL;
    struct hf_crl_file file;
    issuer_make(&issuer, 0);
    struct hf_crl_plan plan = plan_of(&issuer);
    struct hf_bytes one = hf_bytes_of("\x01", 1);
    const struct {
        struct hf_bytes serial;
        int64_t at;
        int reason;
    } bad[] = {
        {one, TESTPKI_NOW, 8},                         /* removeFromCRL, in a full list */
        {one, TESTPKI_NOW, 7},                         /* which isn't used */
        {one, TESTPKI_NOW, 11},                        /* which isn't there */
        {one, TESTPKI_NOW, -1}, {one, -1000000000, 0}, /* 1938 */
        {one, INT64_MAX, 0},    {hf_bytes_of("0123456789abcdef01234567", 24), TESTPKI_NOW, 0},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(bad); i++) {
        assert_int_equal(hf_crl_builder_new(&plan, NULL, &builder), HF_OK);
        assert_int_equal(hf_crl_builder_add(builder, bad[i].serial, bad[i].at, bad[i].reason),
                         HF_E_INVALID);
        assert_int_equal(hf_crl_builder_add(builder, one, TESTPKI_NOW, 0), HF_E_INVALID);
        assert_int_equal(hf_crl_builder_end(builder, &file), HF_E_INVALID);
        hf_crl_builder_free(builder);
    }
    plan.number = 0;
    assert_int_equal(hf_crl_builder_new(&plan, NULL, &builder), HF_E_INVALID);
    plan = plan_of(&issuer);
    plan.next_update = plan.this_update;
    assert_int_equal(hf_crl_builder_new(&plan, NULL, &builder), HF_E_INVALID);
    plan = plan_of(&issuer);
    plan.base = plan.number + 1;
    assert_int_equal(hf_crl_builder_new(&plan, NULL, &builder), HF_E_INVALID);
    plan = plan_of(&issuer);
    assert_int_equal(hf_crl_builder_new(&plan, "/nowhere/at/all", &builder), HF_E_NOT_FOUND);
    issuer_done(&issuer);
}

static void publishing_replaces_whole_files(void **state)
{
    (void)state;
    char folder[] = "/tmp/test-crl-XXXXXX";
    char path[64];
    struct issuer issuer;
    struct hf_crl_file file;
    struct stat info;
    issuer_make(&issuer, 0);
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/issuing.crl", folder);
    struct hf_crl_plan plan = plan_of(&issuer);
    for (size_t n = 0; n <= HF_N_ELEMENTS(some); n++) {
        build(&plan, some, n, &file);
        assert_int_equal(hf_crl_file_publish(&file, path), HF_OK);
        assert_int_equal(stat(path, &info), 0);
        assert_int_equal(info.st_size, file.size);
        assert_int_equal(info.st_mode & 0777, 0644);
        hf_crl_file_done(&file);
    }
    build(&plan, some, 1, &file);
    assert_int_equal(hf_crl_file_publish(&file, "/nowhere/at/all.crl"), HF_E_NOT_FOUND);
    hf_crl_file_done(&file);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0); /* and nothing else was left in it */
    issuer_done(&issuer);
}

static void out_of_memory_is_told(void **state)
{
    (void)state;
    struct issuer issuer;
    issuer_make(&issuer, 0);
    struct hf_crl_plan plan = plan_of(&issuer);
    bool whole = false;
    for (size_t n = 1; !whole; n++) {
        struct hf_crl_builder *builder = NULL;
        struct hf_crl_file file = HF_CRL_FILE_NONE;
        hf_alloc_fail_after(n);
        enum hf_err err = hf_crl_builder_new(&plan, NULL, &builder);
        err = err == HF_OK ? hf_crl_builder_add(builder, hf_bytes_of("a", 1), 0, 0) : err;
        err = err == HF_OK ? hf_crl_builder_end(builder, &file) : err;
        hf_alloc_fail_after(0);
        whole = err == HF_OK;
        assert_true(whole || err == HF_E_NOMEM);
        hf_crl_builder_free(builder);
        hf_crl_file_done(&file);
        assert_true(n < 1000);
    }
    issuer_done(&issuer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_those_put_in),
        cmocka_unit_test(an_empty_list_is_a_list),
        cmocka_unit_test(deltas_and_shards_say_what_they_are),
        cmocka_unit_test(what_no_list_may_say_is_refused),
        cmocka_unit_test(publishing_replaces_whole_files),
        cmocka_unit_test(out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
