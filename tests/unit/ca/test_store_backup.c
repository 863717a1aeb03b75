// SPDX-License-Identifier: Apache-2.0
#include "ca/store_backup.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "ca/store/db.h"
#include "store_world.h"

static struct hf_store *store;
static int64_t ca;

#define assert_ok(expr) \
    do { \
        enum hf_err err_ = (expr); \
        if (err_ != HF_OK) { \
            fail_msg("%s: %s", hf_err_name(err_), hf_err_text()); \
        } \
    } while (0)

static void issue(unsigned from, unsigned to)
{
    for (unsigned i = from; i <= to; i++) {
        struct hf_store_cert cert = world_cert(ca, i);
        assert_ok(world_issue(store, &cert, NULL));
    }
}

static int64_t take_number(void)
{
    struct hf_store_crl_number take = {.op = {.kind = HF_STORE_CRL_NUMBER}, .authority = ca};
    assert_ok(hf_store_do(store, &take.op));
    return take.number;
}

static enum hf_store_status status_of(unsigned serial)
{
    struct hf_store_standing standing;
    assert_ok(hf_store_standing(store, ca, world_serial(serial), &standing));
    assert_true(standing.known);
    return standing.status;
}

static int64_t n_certificates(void)
{
    struct hf_store_counts counts;
    assert_ok(hf_store_count(store, 0, 0, &counts));
    return counts.certificates;
}

static int set_up(void **state)
{
    (void)state;
    world_reset();
    (void)unlink(world_path("backup"));
    store = world_store();
    ca = world_authority(store, "Example Issuing CA");
    issue(1, 5);
    assert_ok(world_act(store, HF_ACT_REVOKE, ca, 2, 1));
    assert_ok(world_act(store, HF_ACT_HOLD, ca, 3, 0));
    assert_int_equal(take_number(), 1);
    assert_ok(hf_store_backup(store, world_path("backup")));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    hf_store_close(store);
    store = NULL;
    return 0;
}

static void a_backup_is_one_private_file_and_never_replaces_one(void **state)
{
    (void)state;
    struct stat st;
    assert_int_equal(stat(world_path("backup"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_nlink, 1);
    assert_int_not_equal(access(world_path("backup-wal"), F_OK), 0);
    assert_int_equal(hf_store_backup(store, world_path("backup")), HF_E_EXISTS);
    assert_int_equal(hf_store_backup(store, "/nonexistent/backup"), HF_E_NOT_FOUND);
}

static void an_empty_store_takes_it_all_and_raises_the_crl_numbers(void **state)
{
    (void)state;
    struct hf_store_restored restored;
    char id[33];
    snprintf(id, sizeof(id), "%s", hf_store_id(store));
    hf_store_close(store);
    world_reset();
    store = world_store();
    assert_ok(hf_store_restore(store, world_path("backup"), "test", &restored));
    assert_false(restored.merged);
    assert_int_equal(restored.certificates, 5);
    assert_int_equal(restored.revocations, 2);
    assert_string_equal(hf_store_id(store), id);
    assert_int_equal(status_of(2), HF_STATUS_REVOKED);
    assert_int_equal(status_of(3), HF_STATUS_HELD);
    assert_int_equal(status_of(4), HF_STATUS_GOOD);
    assert_true(take_number() > HF_STORE_RESTORE_GAP);
    world_verify(store);
    issue(6, 6);
    struct hf_store_query query = {.text = "user6"};
    struct hf_store_page page;
    assert_ok(hf_store_certs(store, &query, world_ignore_cert, NULL, &page));
    assert_int_equal(page.n, 1);
    world_verify(store);
}

/* Says of the backup that another version of the program made it. */
static void set_version(const char *version)
{
    char url[512];
    char sql[128];
    struct hf_db *db = NULL;
    snprintf(url, sizeof(url), "sqlite:%s", world_path("backup"));
    snprintf(sql, sizeof(sql), "UPDATE handfast_meta SET value = '%s' WHERE name = 'version'",
             version);
    assert_ok(hf_db_open(&(struct hf_db_options){.url = url, .timeout_ms = 5000}, &db));
    assert_ok(hf_db_script(db, sql));
    hf_db_close(db);
}

static void a_backup_of_an_earlier_version_is_taken_and_of_a_later_one_refused(void **state)
{
    (void)state;
    struct hf_store_restored restored;
    hf_store_close(store);
    world_reset();
    store = world_store();
    set_version("4711");
    assert_int_equal(hf_store_restore(store, world_path("backup"), "test", &restored),
                     HF_E_UNSUPPORTED);
    set_version("0");
    assert_int_equal(hf_store_restore(store, world_path("backup"), "test", &restored),
                     HF_E_UNSUPPORTED);
    set_version("1");
    assert_ok(hf_store_restore(store, world_path("backup"), "test", &restored));
    assert_int_equal(restored.certificates, 5);
    world_verify(store);
}

static void the_store_that_it_was_made_of_forgets_nothing(void **state)
{
    (void)state;
    struct hf_store_restored restored;
    issue(6, 8);
    assert_ok(world_act(store, HF_ACT_REVOKE, ca, 4, 1));
    assert_ok(world_act(store, HF_ACT_RELEASE, ca, 3, 0));
    for (int i = 0; i < 9; i++) {
        (void)take_number();
    }
    assert_ok(hf_store_restore(store, world_path("backup"), "test", &restored));
    assert_true(restored.merged);
    assert_int_equal(restored.certificates, 0);
    assert_int_equal(restored.revocations, 0);
    assert_int_equal(restored.kept, 3);
    assert_int_equal(n_certificates(), 8);
    assert_int_equal(status_of(2), HF_STATUS_REVOKED);
    assert_int_equal(status_of(3), HF_STATUS_GOOD); /* released since */
    assert_int_equal(status_of(4), HF_STATUS_REVOKED);
    assert_int_equal(take_number(), 11);
    world_verify(store);
}

/* Two lines of history: a backup was restored elsewhere, both went on, and now meet again. */
static void what_the_store_lacks_is_added_under_new_ids(void **state)
{
    (void)state;
    struct hf_store_restored restored;
    char newer[512];
    issue(6, 7); /* known to the second backup alone */
    assert_ok(world_act(store, HF_ACT_REVOKE, ca, 6, 1));
    assert_ok(world_act(store, HF_ACT_REVOKE, ca, 5, 1));
    snprintf(newer, sizeof(newer), "%s", world_path("newer"));
    (void)unlink(newer);
    assert_ok(hf_store_backup(store, newer));
    hf_store_close(store);
    world_reset();
    store = world_store();
    assert_ok(hf_store_restore(store, world_path("backup"), "test", &restored));
    issue(20, 24);
    assert_ok(hf_store_restore(store, newer, "test", &restored));
    assert_true(restored.merged);
    assert_int_equal(restored.certificates, 2);
    assert_int_equal(restored.revocations, 2);
    assert_int_equal(restored.kept, 5);
    assert_int_equal(n_certificates(), 12);
    assert_int_equal(status_of(5), HF_STATUS_REVOKED);
    assert_int_equal(status_of(6), HF_STATUS_REVOKED);
    assert_int_equal(status_of(7), HF_STATUS_GOOD);
    assert_int_equal(status_of(22), HF_STATUS_GOOD);
    world_verify(store);
}

static void another_cas_backup_and_no_backup_are_refused(void **state)
{
    (void)state;
    struct hf_store_restored restored;
    hf_store_close(store);
    world_reset();
    store = world_store();
    (void)world_authority(store, "Another");
    assert_int_equal(hf_store_restore(store, world_path("backup"), "test", &restored),
                     HF_E_MISMATCH);
    world_verify(store);
    assert_int_equal(hf_store_restore(store, world_path("none"), "test", &restored),
                     HF_E_NOT_FOUND);
    int fd = open(world_path("text"), O_CREAT | O_WRONLY | O_TRUNC, 0600);
    assert_int_equal(write(fd, "this is no database, but some text", 34), 34);
    close(fd);
    assert_int_equal(hf_store_restore(store, world_path("text"), "test", &restored),
                     HF_E_MALFORMED);
}

#define store_test(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        store_test(a_backup_is_one_private_file_and_never_replaces_one),
        store_test(an_empty_store_takes_it_all_and_raises_the_crl_numbers),
        store_test(a_backup_of_an_earlier_version_is_taken_and_of_a_later_one_refused),
        store_test(the_store_that_it_was_made_of_forgets_nothing),
        store_test(what_the_store_lacks_is_added_under_new_ids),
        store_test(another_cas_backup_and_no_backup_are_refused),
    };
    return cmocka_run_group_tests_name("ca/store_backup", tests, world_set_up, world_tear_down);
}
