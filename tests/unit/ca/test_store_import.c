// SPDX-License-Identifier: Apache-2.0
#include "ca/store_import.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ca/store_backup.h"
#include "ca/store_key.h"
#include "os/file.h"
#include "store_world.h"

static struct hf_store *store;

#define assert_ok(expr) \
    do { \
        enum hf_err err_ = (expr); \
        if (err_ != HF_OK) { \
            fail_msg("%s: %s", hf_err_name(err_), hf_err_text()); \
        } \
    } while (0)

static int set_up(void **state)
{
    (void)state;
    world_reset();
    store = world_store();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    hf_store_close(store);
    return 0;
}

/* Runs a script in the tests' folder; fails with what it said. */
static void sh(const char *script)
{
    char command[4096];
    snprintf(command, sizeof(command),
             "cd %s && { %s\n} >sh.log 2>&1 || { cat sh.log >&2; exit 1; }", world_path("."),
             script);
    if (system(command) != 0) {
        fail_msg("%s", script);
    }
}

/* --- index.txt ---------------------------------------------------------------------------------
 */

struct lines {
    struct hf_index_line line[8];
    size_t n;
};

static enum hf_err take_line(void *ctx, const struct hf_index_line *line)
{
    struct lines *lines = ctx;
    if (lines->n < 8) {
        lines->line[lines->n] = *line;
    }
    lines->n++;
    return HF_OK;
}

static const char index_text[] =
    "V\t331231235959Z\t\t01\tunknown\t/CN=alice\n"
    "R\t20510101000000Z\t250601120000Z,keyCompromise\t00FF\tunknown\t/CN=bob/O=x\n"
    "\n"
    "E\t490101000000Z\t\tA1B2\tfile.pem\t\r\n"
    "R\t331231235959Z\t250601120000Z\t02\tunknown\t/CN=c\n"
    "R\t331231235959Z\t250601120000Z,holdInstruction,holdInstructionReject\t03\tunknown\t/CN=d\n";

static void an_index_is_read_line_by_line(void **state)
{
    (void)state;
    struct lines lines = {.n = 0};
    assert_ok(hf_index_parse(hf_bytes_str(index_text), "index.txt", take_line, &lines));
    assert_int_equal(lines.n, 5);
    assert_int_equal(lines.line[0].state, 'V');
    assert_int_equal(lines.line[0].not_after, 2019686399);
    assert_int_equal(lines.line[1].not_after, 2556144000);
    assert_int_equal(lines.line[1].revoked_at, 1748779200);
    assert_int_equal(lines.line[1].reason, 1);
    assert_int_equal(lines.line[1].serial_len, 1);
    assert_int_equal(lines.line[1].serial[0], 0xff);
    assert_int_equal(lines.line[2].state, 'E');
    assert_int_equal(lines.line[2].not_after, 2493072000);
    assert_int_equal(lines.line[2].subject.len, 0);
    assert_int_equal(lines.line[3].reason, 0);
    assert_int_equal(lines.line[4].reason, 6);
}

static void a_bad_index_is_refused_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"V\t331231235959Z\t\t01\tunknown", "i:1: it should have six fields"},
        {"\nX\t331231235959Z\t\t01\tu\t/", "i:2: its state should be V, R or E"},
        {"V\t331331235959Z\t\t01\tu\t/", "i:1: its second field should be a date"},
        {"V\t3312312359Z\t\t01\tu\t/", "i:1: its second field should be a date"},
        {"R\t331231235959Z\t\t01\tu\t/", "i:1: its third field should be a date"},
        {"R\t331231235959Z\t250601120000Z,because\t01\tu\t/", "i:1: its third field"},
        {"V\t331231235959Z\t\t1\tu\t/", "i:1: its fourth field should be a serial"},
        {"V\t331231235959Z\t\t0g\tu\t/", "i:1: its fourth field should be a serial"},
        {"V\t331231235959Z\t\t010203040506070809101112131415161718192021\tu\t/", "i:1: its fourth"},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        struct lines lines = {.n = 0};
        assert_int_equal(hf_index_parse(hf_bytes_str(cases[i].text), "i", take_line, &lines),
                         HF_E_MALFORMED);
        assert_memory_equal(hf_err_text(), cases[i].why, strlen(cases[i].why));
    }
}

static void an_index_cut_or_flipped_anywhere_is_read_or_refused(void **state)
{
    (void)state;
    char text[sizeof(index_text)];
    for (size_t n = 0; n < sizeof(index_text); n++) {
        struct lines lines = {.n = 0};
        memcpy(text, index_text, sizeof(text));
        (void)!hf_index_parse(hf_bytes_of(text, n), "i", take_line, &lines);
        text[n] = (char)(text[n] ^ 0x15);
        (void)!hf_index_parse(hf_bytes_of(text, sizeof(text) - 1), "i", take_line, &lines);
    }
}

/* --- From others -------------------------------------------------------------------------------
 */

static enum hf_err import(struct hf_store_import what, struct hf_store_imported *out)
{
    what.actor = "test";
    return hf_store_import(store, &what, out);
}

struct found {
    int64_t authority;
    int64_t key;
    int64_t parent;
    char name[64];
    int64_t n;
    enum hf_store_key_form form;
    enum hf_err opens;
};

static enum hf_err take_authority(void *ctx, const struct hf_store_authority *a)
{
    struct found *found = ctx;
    found->authority = a->id;
    found->key = a->key;
    found->parent = a->parent;
    found->n++;
    snprintf(found->name, sizeof(found->name), "%s", a->name);
    return HF_OK;
}

static enum hf_err take_key(void *ctx, const struct hf_store_key *key)
{
    struct found *found = ctx;
    EVP_PKEY *opened = NULL;
    found->form = key->form;
    found->opens = hf_store_key_open(key, hf_bytes_str("seal"), &opened);
    EVP_PKEY_free(opened);
    return HF_OK;
}

static struct found last_authority(void)
{
    struct found found = {.n = 0};
    assert_ok(hf_store_authorities(store, take_authority, &found));
    if (found.key) {
        assert_ok(hf_store_key(store, found.key, take_key, &found));
    }
    return found;
}

static int64_t n_of(enum hf_store_tri revoked, const char *text)
{
    struct hf_store_query query = {.revoked = revoked, .text = text};
    struct hf_store_page page;
    assert_ok(hf_store_certs(store, &query, world_ignore_cert, NULL, &page));
    return (int64_t)page.n;
}

static void an_easy_rsa_folder_comes_whole_and_once(void **state)
{
    (void)state;
    struct hf_store_imported got;
    if (access("/usr/share/easy-rsa/easyrsa", X_OK) != 0) {
        skip();
    }
    sh("rm -rf pki && export EASYRSA_BATCH=1 EASYRSA_PKI=$PWD/pki EASYRSA_ALGO=ec "
       "EASYRSA_CURVE=prime256v1 EASYRSA=/usr/share/easy-rsa && "
       "e=/usr/share/easy-rsa/easyrsa && $e init-pki && EASYRSA_REQ_CN='Easy CA' $e build-ca "
       "nopass && "
       "$e build-client-full alice nopass && "
       "$e build-client-full bob nopass && $e build-server-full web.example.org nopass && "
       "$e revoke bob keyCompromise && $e gen-crl");
    assert_ok(import(
        (struct hf_store_import){.path = world_path("pki"), .seal = hf_bytes_str("seal")}, &got));
    assert_string_equal(got.format, "easy-rsa");
    assert_int_equal(got.authorities, 1);
    assert_int_equal(got.keys, 1);
    assert_int_equal(got.certificates, 3);
    assert_int_equal(got.revocations, 1);
    assert_int_equal(got.without_file, 0);
    struct found found = last_authority();
    assert_string_equal(found.name, "easy-ca");
    assert_int_equal(found.form, HF_KEY_SEALED);
    assert_int_equal(found.opens, HF_OK);
    assert_int_equal(n_of(HF_YES, "bob"), 1);
    assert_int_equal(n_of(HF_NO, "alice"), 1);
    assert_int_equal(n_of(HF_NO, "web"), 1);
    /* again: all of it is known */
    assert_ok(import((struct hf_store_import){.path = world_path("pki")}, &got));
    assert_int_equal(got.authorities, 0);
    assert_int_equal(got.certificates, 0);
    assert_int_equal(got.revocations, 0);
    assert_int_equal(got.known, 3);
    world_verify(store);
}

static void make_demo_ca(void)
{
    sh("rm -rf demoCA && mkdir -p demoCA/newcerts demoCA/private && touch demoCA/index.txt && "
       "echo 1000 >demoCA/serial && echo 2A >demoCA/crlnumber && "
       "printf '[ca]\\ndefault_ca=d\\n[d]\\ndir=demoCA\\ndatabase=demoCA/index.txt\\n"
       "new_certs_dir=demoCA/newcerts\\ncertificate=demoCA/cacert.pem\\n"
       "private_key=demoCA/private/cakey.pem\\nserial=demoCA/serial\\n"
       "crlnumber=demoCA/crlnumber\\ndefault_md=sha256\\ndefault_days=30\\n"
       "default_crl_days=7\\npolicy=p\\nunique_subject=no\\n[p]\\ncommonName=supplied\\n"
       "[req]\\ndistinguished_name=n\\n[n]\\n' >demo.cnf && "
       "openssl req -config demo.cnf -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 "
       "-passout pass:old -keyout demoCA/private/cakey.pem -out demoCA/cacert.pem -days 100 "
       "-subj '/CN=Demo CA' -addext basicConstraints=critical,CA:TRUE && "
       "for n in a b c; do openssl req -config demo.cnf -newkey ec -pkeyopt "
       "ec_paramgen_curve:P-256 -nodes -keyout $n.key -out $n.csr -subj /CN=user-$n && "
       "openssl ca -config demo.cnf -batch -passin pass:old -in $n.csr -out $n.pem -notext; done "
       "&& "
       "openssl ca -config demo.cnf -passin pass:old -revoke a.pem -crl_reason superseded && "
       "openssl ca -config demo.cnf -passin pass:old -gencrl -out demoCA/crl.pem && "
       "rm demoCA/newcerts/1002.pem");
}

static void an_openssl_folder_comes_with_numbers_and_what_has_no_file(void **state)
{
    (void)state;
    struct hf_store_imported got;
    make_demo_ca();
    assert_int_equal(import((struct hf_store_import){.path = world_path("demoCA")}, &got),
                     HF_E_PASSPHRASE);
    assert_int_equal(import((struct hf_store_import){.path = world_path("demoCA"),
                                                     .passphrase = hf_bytes_str("wrong")},
                            &got),
                     HF_E_PASSPHRASE);
    assert_int_equal(last_authority().n, 0);
    assert_ok(import((struct hf_store_import){.path = world_path("demoCA"),
                                              .name = "demo",
                                              .passphrase = hf_bytes_str("old"),
                                              .seal = hf_bytes_str("seal")},
                     &got));
    assert_string_equal(got.format, "openssl");
    assert_int_equal(got.certificates, 3);
    assert_int_equal(got.without_file, 1);
    assert_int_equal(got.revocations, 1);
    struct found found = last_authority();
    assert_string_equal(found.name, "demo");
    assert_int_equal(found.opens, HF_OK);
    struct hf_store_crl_number take = {.op = {.kind = HF_STORE_CRL_NUMBER},
                                       .authority = found.authority};
    assert_ok(hf_store_do(store, &take.op));
    assert_true(take.number > 0x2a); /* which its CRL has */
    world_verify(store);
}

static void a_key_or_certificate_of_another_ca_is_refused(void **state)
{
    (void)state;
    struct hf_store_imported got;
    make_demo_ca();
    sh("cp demoCA/private/cakey.pem right.pem && cp a.key demoCA/private/cakey.pem");
    assert_int_equal(import((struct hf_store_import){.path = world_path("demoCA")}, &got),
                     HF_E_MISMATCH);
    assert_int_equal(last_authority().n, 0);
    sh("openssl req -x509 -key a.key -subj /CN=other -days 3 -out demoCA/newcerts/1001.pem");
    assert_int_equal(
        import((struct hf_store_import){.path = world_path("demoCA"), .without_key = true}, &got),
        HF_E_MISMATCH);
    assert_non_null(
        strstr(hf_err_text(), "index.txt:2: this certificate was not signed by the CA"));
    assert_int_equal(import((struct hf_store_import){.path = world_path("private")}, &got),
                     HF_E_NOT_FOUND);
}

static void an_export_is_a_folder_that_openssl_goes_on_with(void **state)
{
    (void)state;
    struct hf_store_imported got;
    int64_t n;
    make_demo_ca();
    sh("rm -rf out");
    assert_ok(
        import((struct hf_store_import){.path = world_path("demoCA"), .without_key = true}, &got));
    assert_int_equal(got.keys, 0);
    int64_t id = last_authority().authority;
    assert_ok(hf_store_export(store, id, world_path("out"), &n));
    assert_int_equal(n, 3);
    assert_int_equal(hf_store_export(store, id, world_path("out"), &n), HF_E_EXISTS);
    sh("sed -i s/demoCA/out/ demo.cnf && mkdir out/private && cp demoCA/private/cakey.pem "
       "out/private && openssl ca -config demo.cnf -batch -passin pass:old -in b.csr -out b2.pem "
       "-notext && openssl ca -config demo.cnf -passin pass:old "
       "-revoke b.pem && openssl ca -config demo.cnf -passin pass:old -gencrl -out out.crl && "
       "test $(openssl crl -in out.crl -noout -text | grep -c 'Serial Number') = 2 && "
       "openssl crl -in out.crl -noout -text | grep -q Superseded && "
       "openssl verify -CAfile out/cacert.pem out/newcerts/1000.pem");
    world_reset();
    hf_store_close(store);
    store = world_store();
    assert_ok(
        import((struct hf_store_import){.path = world_path("out"), .without_key = true}, &got));
    assert_int_equal(got.certificates, 4);
    assert_int_equal(got.revocations, 2);
}

static void a_step_ca_export_brings_root_and_intermediate(void **state)
{
    (void)state;
    struct hf_store_imported got;
    sh("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout r.key -out "
       "r.crt -days 9 -subj '/CN=Step Root' && openssl req -newkey ec -pkeyopt "
       "ec_paramgen_curve:P-256 -passout pass:old -keyout i.key -out i.csr -subj '/CN=Step I' && "
       "printf basicConstraints=critical,CA:TRUE >ext && openssl x509 -req -in i.csr -CA r.crt "
       "-CAkey r.key -CAcreateserial -days 8 -extfile ext -out i.crt && "
       "printf '{\"version\":\"1.0\",\"root\":[\"certs/r.crt\"],\"intermediate\":\"certs/i.crt\","
       "\"intermediateKey\":\"secrets/k\",\"files\":{\"certs/r.crt\":\"%s\",\"certs/i.crt\":"
       "\"%s\",\"secrets/k\":\"%s\"}}' \"$(base64 -w0 r.crt)\" \"$(base64 -w0 i.crt)\" "
       "\"$(base64 -w0 i.key)\" >step.json");
    assert_ok(import((struct hf_store_import){.path = world_path("step.json"),
                                              .passphrase = hf_bytes_str("old"),
                                              .seal = hf_bytes_str("seal")},
                     &got));
    assert_string_equal(got.format, "step-ca");
    assert_int_equal(got.authorities, 2);
    assert_int_equal(got.keys, 1);
    struct found found = last_authority();
    assert_string_equal(found.name, "step-i");
    assert_int_equal(found.parent, found.authority - 2); /* the key has an id between them */
    assert_int_equal(found.opens, HF_OK);
}

static void a_step_ca_export_without_its_files_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "[]",
        "{}",
        "{\"root\":[\"a\"]}",
        "{\"root\":\"a\",\"files\":{\"a\":\"####\"}}",
        "{\"root\":[\"a\"],\"intermediate\":\"b\",\"files\":{\"a\":\"YQ==\"}}",
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        struct hf_step_export step;
        assert_int_equal(hf_step_export_parse(hf_bytes_str(cases[i]), "step.json", &step),
                         HF_E_MALFORMED);
        assert_memory_equal(hf_err_text(), "step.json:", 10);
    }
    struct hf_step_export step;
    assert_ok(hf_step_export_parse(
        hf_bytes_str("{\"root\":[\"a\"],\"intermediate\":\"a\",\"intermediateKey\":\"pkcs11:x\","
                     "\"files\":{\"a\":\"YQ==\"}}"),
        "step.json", &step));
    assert_int_equal(hf_buf_len(&step.key), 0);
    hf_step_export_done(&step);
}

/* A folder as handfast kept one before there was a store; its files are made with openssl here. */
static void a_folder_of_handfasts_own_comes_with_its_journal(void **state)
{
    (void)state;
    struct hf_store_imported got;
    sh("rm -rf own && mkdir -p own/root own/issuing && echo '{\"format\":1,\"name\":\"Example\"}' "
       ">own/ca.json && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
       "-keyout own/root/key.pem -out own/root/cert.pem -days 9 -subj '/CN=Root' && "
       "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout own/issuing/key.pem "
       "-out i.csr -subj '/CN=Issuing' && printf basicConstraints=critical,CA:TRUE >ext && "
       "openssl x509 -req -in i.csr -CA own/root/cert.pem -CAkey own/root/key.pem -CAcreateserial "
       "-days 8 -extfile ext -out own/issuing/cert.pem && rm own/root/key.pem && "
       "openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout l.key -out l.csr "
       "-subj /CN=alice && openssl x509 -req -in l.csr -CA own/issuing/cert.pem -CAkey "
       "own/issuing/key.pem -CAcreateserial -days 3 -outform DER -out l.der && "
       "printf '{\"event\":\"issue\",\"at\":\"2026-01-02T03:04:05Z\",\"profile\":\"client\","
       "\"der\":\"%s\"}\\n{\"event\":\"later\"}\\n{\"event\":\"iss' \"$(base64 -w0 l.der)\" "
       ">own/journal.jsonl");
    assert_ok(import((struct hf_store_import){.path = world_path("own")}, &got));
    assert_string_equal(got.format, "handfast");
    assert_int_equal(got.authorities, 2);
    assert_int_equal(got.keys, 1);
    assert_int_equal(got.certificates, 1);
    struct found found = last_authority();
    assert_string_equal(found.name, "issuing");
    assert_int_equal(found.form, HF_KEY_PLAIN);
    assert_int_equal(found.opens, HF_OK);
    struct hf_store_query query = {.profile = "user", .text = "alice"};
    struct hf_store_page page;
    assert_ok(hf_store_certs(store, &query, world_ignore_cert, NULL, &page));
    assert_int_equal(page.n, 1);
    sh("echo 'no json' >own/journal.jsonl");
    assert_int_equal(import((struct hf_store_import){.path = world_path("own")}, &got),
                     HF_E_MALFORMED);
    assert_memory_equal(hf_err_text(), "journal.jsonl:1: ", 17);
}

static void a_published_crl_is_adopted_or_refused(void **state)
{
    (void)state;
    struct hf_store_imported got;
    HF_CLEANUP(hf_buf_done) struct hf_buf crl = HF_BUF_INIT(1 << 20);
    int64_t n;
    make_demo_ca();
    sh("cp demoCA/crl.pem newer.pem && rm demoCA/crl.pem");
    assert_ok(
        import((struct hf_store_import){.path = world_path("demoCA"), .without_key = true}, &got));
    sh("openssl ca -config demo.cnf -passin pass:old -revoke c.pem -crl_reason keyCompromise && "
       "openssl ca -config demo.cnf -passin pass:old -gencrl -out newer.pem");
    assert_ok(hf_file_read(world_path("newer.pem"), &crl));
    assert_ok(hf_store_adopt_crl(store, hf_buf_bytes(&crl), "newer.pem", 0, "test", &n));
    assert_int_equal(n, 1);
    assert_int_equal(n_of(HF_YES, "user"), 2);
    assert_ok(hf_store_adopt_crl(store, hf_buf_bytes(&crl), "newer.pem", 0, "test", &n));
    assert_int_equal(n, 0);
    hf_store_close(store);
    world_reset();
    store = world_store();
    assert_int_equal(hf_store_adopt_crl(store, hf_buf_bytes(&crl), "newer.pem", 0, "test", &n),
                     HF_E_MISMATCH);
    assert_int_equal(hf_store_adopt_crl(store, hf_bytes_str("no CRL"), "newer.pem", 0, "test", &n),
                     HF_E_MALFORMED);
}

#define store_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_index_is_read_line_by_line),
        cmocka_unit_test(a_bad_index_is_refused_with_its_line),
        cmocka_unit_test(an_index_cut_or_flipped_anywhere_is_read_or_refused),
        store_test(an_easy_rsa_folder_comes_whole_and_once),
        store_test(an_openssl_folder_comes_with_numbers_and_what_has_no_file),
        store_test(a_key_or_certificate_of_another_ca_is_refused),
        store_test(an_export_is_a_folder_that_openssl_goes_on_with),
        store_test(a_step_ca_export_brings_root_and_intermediate),
        store_test(a_step_ca_export_without_its_files_is_refused),
        store_test(a_folder_of_handfasts_own_comes_with_its_journal),
        store_test(a_published_crl_is_adopted_or_refused),
    };
    return cmocka_run_group_tests_name("ca/store_import", tests, world_set_up, world_tear_down);
}
