// SPDX-License-Identifier: Apache-2.0
/* Authorities out of the store: settings as text, chains, who issues, keys that are elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ca/init.h"
#include "ca/rotate.h"
#include "os/clock.h"
#include "store_world.h"

static struct hf_ca_service *service;

static void open_service(const char *passphrase, bool create)
{
    struct hf_ca_service_options options = {
        .store = world_url(), .clock = &world_clock, .rng = &hf_os_rng, .create = create};
    if (passphrase) {
        options.passphrase = hf_bytes_str(passphrase);
    }
    assert_int_equal(hf_ca_service_open(&options, &service), HF_OK);
}

static int set_up(void **state)
{
    (void)state;
    struct hf_buf none = HF_BUF_INIT(0);
    const struct hf_ca_new what = {.name = "Example"};
    world_reset();
    open_service("open sesame", true);
    assert_int_equal(hf_ca_init(service, "test", &what, &none), HF_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    hf_ca_service_close(service);
    return 0;
}

/* --- Settings ----------------------------------------------------------------------------------
 */

static const char full[] =
    "{\"crl\":[\"http://a/{authority}-{shard}.crl\",\"http://b\"],\"distrusted\":true,"
    "\"issuer\":[],\"ocsp\":[\"http://o\"],\"shards\":16,\"successor-of\":\"root\"}";

static void test_settings_survive_the_way_through_text(void **state)
{
    (void)state;
    struct hf_authority_settings settings, copy;
    char *text = NULL;
    assert_int_equal(hf_authority_settings_read(full, &settings), HF_OK);
    assert_true(settings.distrusted);
    assert_int_equal(settings.shards, 16);
    assert_string_equal(settings.successor_of, "root");
    assert_string_equal(settings.crl_url[1], "http://b");
    assert_null(settings.crl_url[2]);
    assert_int_equal(hf_authority_settings_copy(&settings, &copy), HF_OK);
    assert_int_equal(hf_authority_settings_write(&copy, &text), HF_OK);
    assert_string_equal(text, full);
    hf_free(text);
    hf_authority_settings_done(&copy);
    hf_authority_settings_done(&settings);
    assert_int_equal(hf_authority_settings_read("", &settings), HF_OK);
    assert_false(settings.distrusted);
    hf_authority_settings_done(&settings);
}

static void test_settings_that_are_not_understood_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "[]",
        "{",
        "{\"later\":1}",
        "{\"shards\":-1}",
        "{\"shards\":70000}",
        "{\"shards\":\"4\"}",
        "{\"distrusted\":1}",
        "{\"crl\":\"http://a\"}",
        "{\"crl\":[1]}",
        "{\"crl\":[\"a\",\"b\",\"c\",\"d\",\"e\"]}",
        "{\"shards\":1,\"shards\":2}",
    };
    struct hf_authority_settings settings;
    for (size_t i = 0; i < HF_N_ELEMENTS(bad); i++) {
        assert_int_equal(hf_authority_settings_read(bad[i], &settings), HF_E_MALFORMED);
    }
    for (size_t n = 1; n < sizeof(full) - 1; n++) {
        char cut[sizeof(full)];
        memcpy(cut, full, n);
        cut[n] = '\0';
        assert_int_equal(hf_authority_settings_read(cut, &settings), HF_E_MALFORMED);
    }
}

static void test_settings_out_of_memory(void **state)
{
    (void)state;
    enum hf_err err = HF_E_NOMEM;
    for (size_t n = 1; err != HF_OK; n++) {
        struct hf_authority_settings settings;
        hf_alloc_fail_after(n);
        err = hf_authority_settings_read(full, &settings);
        hf_alloc_fail_after(0);
        assert_true(err == HF_OK || err == HF_E_NOMEM);
        if (err == HF_OK) {
            hf_authority_settings_done(&settings);
        }
    }
}

static void test_addresses_are_filled_in(void **state)
{
    (void)state;
    struct hf_authority_settings settings;
    struct hf_authority_addresses out;
    assert_int_equal(hf_authority_settings_read(full, &settings), HF_OK);
    hf_authority_addresses(settings.crl_url, "issuing", 7, &out);
    assert_int_equal(out.n, 2);
    assert_string_equal(out.url[0], "http://a/issuing-7.crl");
    assert_string_equal(out.url[1], "http://b");
    hf_authority_settings_done(&settings);
}

static void test_names_of_authorities(void **state)
{
    (void)state;
    static const char *const good[] = {"root", "root-2", "0", "a.b_c"};
    static const char *const bad[] = {"", "Root", "-a", ".a", "a b", "a/b", "\xc3\xa4"};
    for (size_t i = 0; i < HF_N_ELEMENTS(good); i++) {
        assert_int_equal(hf_authority_name_check(good[i]), HF_OK);
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(bad); i++) {
        assert_int_equal(hf_authority_name_check(bad[i]), HF_E_INVALID);
    }
}

/* --- The set -----------------------------------------------------------------------------------
 */

static void test_chains_lead_to_the_root_and_leave_it_out(void **state)
{
    (void)state;
    struct hf_authorities *set = hf_ca_authorities(service);
    const struct hf_authority *root = hf_authorities_find(set, "root");
    const struct hf_authority *issuing = hf_authorities_issuing(set);
    assert_string_equal(issuing->name, "issuing");
    assert_true(root->is_root && !issuing->is_root);
    assert_int_equal(issuing->parent, root->id);
    assert_null(root->chain);
    assert_int_equal(issuing->chain->n_certs, 1);
    assert_ptr_equal(hf_authorities_by_leaf(set, issuing->cert), root);
    assert_true(hf_bytes_eq(issuing->root->der, root->cert->der));
    assert_null(hf_authorities_find(set, "nobody"));
    assert_null(hf_authorities_by_id(set, 4711));
    hf_authorities_unref(set);
}

static void test_rotation_sends_the_cross_certificate_until_it_is_finished(void **state)
{
    (void)state;
    const struct hf_rotate_plan plan = {0};
    HF_CLEANUP(hf_freep) char *name = NULL;
    assert_int_equal(hf_rotate_start(service, "test", &plan), HF_OK);
    assert_int_equal(hf_rotate_start(service, "test", &plan), HF_E_EXISTS);
    struct hf_authorities *set = hf_ca_authorities(service);
    assert_string_equal(hf_authorities_issuing(set)->name, "issuing-2");
    assert_int_equal(hf_authorities_issuing(set)->chain->n_certs, 2);
    assert_int_equal(hf_authorities_find(set, "issuing")->state, HF_AUTHORITY_RETIRED);
    hf_authorities_unref(set);
    assert_int_equal(hf_rotate_finish(service, "test", NULL, false, &name), HF_OK);
    assert_string_equal(name, "root");
    hf_ca_reload(service);
    set = hf_ca_authorities(service);
    assert_int_equal(hf_authorities_issuing(set)->chain->n_certs, 1);
    assert_true(hf_authorities_find(set, "root")->settings.distrusted);
    hf_authorities_unref(set);
    world_verify(hf_ca_store(service));
}

/* A start that is interrupted between any two of its steps goes on there: here each step is made
 * alone, by what an interrupted start leaves. */
static void test_rotation_goes_on_where_it_stopped(void **state)
{
    (void)state;
    HF_CLEANUP(hf_subject_done) struct hf_subject subject = {0};
    const struct hf_rotate_plan plan = {0};
    static char old_name[] = "root";
    assert_int_equal(hf_subject_parse("CN=Example Root CA G2,O=Example", &subject), HF_OK);
    const struct hf_authority_new fresh = {.name = "root-2",
                                           .subject = &subject,
                                           .path_len = HF_PATH_LEN_STANDARD,
                                           .settings = {.successor_of = old_name}};
    assert_int_equal(hf_authority_make(service, "test", &fresh), HF_OK);
    assert_int_equal(hf_rotate_start(service, "test", &plan), HF_OK);
    struct hf_authorities *set = hf_ca_authorities(service);
    assert_int_equal(set->n, 4);
    assert_string_equal(hf_authorities_issuing(set)->name, "issuing-2");
    assert_int_equal(hf_authorities_issuing(set)->chain->n_certs, 2);
    const struct hf_authority *old = hf_authorities_find(set, "issuing");
    assert_int_equal(hf_authority_change(service, "test", old, HF_AUTHORITY_ACTIVE, &old->settings),
                     HF_OK);
    hf_authorities_unref(set);
    assert_int_equal(hf_rotate_start(service, "test", &plan), HF_OK);
    hf_ca_reload(service);
    set = hf_ca_authorities(service);
    assert_int_equal(set->n, 4);
    assert_int_equal(hf_authorities_find(set, "issuing")->state, HF_AUTHORITY_RETIRED);
    hf_authorities_unref(set);
}

static void test_a_retired_authority_signs_no_other(void **state)
{
    (void)state;
    HF_CLEANUP(hf_subject_done) struct hf_subject subject = {0};
    HF_CLEANUP(hf_cert_unrefp) struct hf_cert *cross = NULL;
    struct hf_authorities *set = hf_ca_authorities(service);
    const struct hf_authority *root = hf_authorities_find(set, "root");
    assert_int_equal(
        hf_authority_change(service, "test", root, HF_AUTHORITY_RETIRED, &root->settings), HF_OK);
    assert_int_equal(hf_subject_parse("CN=Example Branch CA,O=Example", &subject), HF_OK);
    const struct hf_authority_new branch = {
        .name = "branch", .subject = &subject, .parent = "root", .path_len = HF_PATH_LEN_STANDARD};
    assert_int_equal(hf_authority_make(service, "test", &branch), HF_E_DENIED);
    const struct hf_authority_sign sign = {.by = "root",
                                           .cert = hf_authorities_find(set, "issuing")->cert,
                                           .label = "issuing",
                                           .path_len = HF_PATH_LEN_STANDARD};
    assert_int_equal(hf_authority_sign(service, "test", &sign, &cross), HF_E_DENIED);
    assert_string_equal(hf_err_text(), "the authority \"root\" is retired and issues nothing");
    hf_authorities_unref(set);
}

static void test_keys_stay_closed_without_the_passphrase(void **state)
{
    (void)state;
    hf_ca_service_close(service);
    open_service(NULL, false);
    struct hf_authorities *set = hf_ca_authorities(service);
    assert_true(set->locked);
    assert_null(hf_authorities_issuing(set)->key);
    assert_null(hf_authorities_issuing(set)->issuer);
    hf_authorities_unref(set);
    struct hf_ca_op op = {.verb = HF_CA_VERB_ISSUE,
                          .caller = {.name = "test", .local = true},
                          .ask = {.profile = "user", .name = "x"}};
    hf_ca_run(service, &op);
    assert_int_equal(op.outcome, HF_CA_NO_SIGNER);
    assert_non_null(strstr(op.text, "no passphrase was given"));
    hf_ca_op_done(&op);

    struct hf_ca_service *other = NULL;
    struct hf_ca_service_options options = {.store = world_url(),
                                            .clock = &world_clock,
                                            .rng = &hf_os_rng,
                                            .passphrase = hf_bytes_str("wrong")};
    assert_int_equal(hf_ca_service_open(&options, &other), HF_E_PASSPHRASE);
    assert_null(other);
}

static void test_another_process_changes_are_seen(void **state)
{
    (void)state;
    struct hf_ca_service *first = service;
    const struct hf_rotate_plan plan = {0};
    open_service("open sesame", false);
    assert_int_equal(hf_rotate_start(service, "test", &plan), HF_OK);
    hf_ca_service_close(service);
    service = first;
    hf_ca_reload(service);
    struct hf_authorities *set = hf_ca_authorities(service);
    assert_string_equal(hf_authorities_issuing(set)->name, "issuing-2");
    assert_non_null(hf_authorities_issuing(set)->issuer);
    hf_authorities_unref(set);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_##name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settings_survive_the_way_through_text),
        cmocka_unit_test(test_settings_that_are_not_understood_are_refused),
        cmocka_unit_test(test_settings_out_of_memory),
        cmocka_unit_test(test_addresses_are_filled_in),
        cmocka_unit_test(test_names_of_authorities),
        TEST(chains_lead_to_the_root_and_leave_it_out),
        TEST(rotation_sends_the_cross_certificate_until_it_is_finished),
        TEST(rotation_goes_on_where_it_stopped),
        TEST(a_retired_authority_signs_no_other),
        TEST(keys_stay_closed_without_the_passphrase),
        TEST(another_process_changes_are_seen),
    };
    return cmocka_run_group_tests(tests, world_set_up, world_tear_down);
}
