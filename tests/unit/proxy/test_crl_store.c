// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/mem.h"
#include "os/file.h"
#include "proxy/crl_store.h"
#include "testcrl.h"

static const char url[] = "http://crl.example/a.crl";
static char folder[64];
static struct testpki *root;

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/crl-store-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(hf_crl_store_make(folder), HF_OK);
    root = testpki_root("Root");
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof(command), "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
    testpki_free(root);
    return 0;
}

static void keep(const char *number, struct hf_crl_note *note)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf der = HF_BUF_INIT(1 << 20);
    struct hf_crl_draft *draft = NULL;
    testcrl_make(root, &(struct testcrl_spec){.number = number}, &der);
    assert_int_equal(hf_crl_draft_new(folder, url, &draft), HF_OK);
    struct hf_bytes bytes = hf_buf_bytes(&der);
    hf_crl_draft_add(draft, hf_bytes_of(bytes.ptr, 10));
    hf_crl_draft_add(draft, hf_bytes_from(bytes, 10));
    hf_crl_draft_hash(draft, note->sha256);
    assert_int_equal(hf_crl_draft_keep(draft, note), HF_OK);
    hf_crl_draft_free(draft);
}

static enum hf_err read_back(struct hf_crl_lists *lists, struct hf_crl_note *note)
{
    return hf_crl_store_read(folder, url, &hf_crl_limits_default, lists, note);
}

static char *path_with(const char *ending)
{
    static char out[256];
    HF_CLEANUP(hf_freep) char *pattern = NULL;
    FILE *pipe = NULL;
    assert_true(asprintf(&pattern, "ls %s/crls/*%s", folder, ending) > 0);
    pipe = popen(pattern, "r");
    assert_non_null(pipe);
    assert_non_null(fgets(out, sizeof(out), pipe));
    pclose(pipe);
    out[strcspn(out, "\n")] = '\0';
    return out;
}

static enum hf_err count_url(void *ctx, const char *text)
{
    assert_string_equal(text, url);
    ++*(int *)ctx;
    return HF_OK;
}

static void what_is_kept_is_read_back(void **state)
{
    (void)state;
    struct hf_crl_note note = {.etag = "\"1\"", .last_modified = "now", .fetched_at = 7};
    struct hf_crl_lists lists = {0};
    int n = 0;
    note.prover[note.n_provers++] = hf_cert_ref(root->cert);
    keep("5", &note);
    hf_crl_note_done(&note);
    assert_int_equal(read_back(&lists, &note), HF_OK);
    assert_int_equal(lists.n, 1);
    assert_string_equal(lists.item[0]->label, url);
    assert_true(hf_crl_verified(lists.item[0], root->cert));
    assert_string_equal(note.etag, "\"1\"");
    assert_string_equal(note.last_modified, "now");
    assert_int_equal(note.fetched_at, 7);
    assert_int_equal(note.n_provers, 1);
    assert_memory_equal(note.prover[0]->sha256, root->cert->sha256, HF_SHA256_SIZE);
    hf_crl_note_done(&note);
    hf_crl_lists_done(&lists);
    assert_int_equal(hf_crl_store_urls(folder, count_url, &n), HF_OK);
    assert_int_equal(n, 1);
    hf_crl_store_drop(folder, url);
    assert_int_equal(read_back(&lists, &note), HF_E_NOT_FOUND);
}

/* A crash between the list and its note. */
static void a_note_of_another_list_asks_for_it_anew(void **state)
{
    (void)state;
    struct hf_crl_note note = {.etag = "\"1\""};
    struct hf_crl_lists lists = {0};
    HF_CLEANUP(hf_buf_done) struct hf_buf old = HF_BUF_INIT(1 << 16);
    keep("5", &note);
    assert_int_equal(hf_file_read(path_with(".json"), &old), HF_OK);
    keep("6", &note);
    assert_int_equal(hf_file_write_atomic(path_with(".json"), hf_buf_bytes(&old), 0600), HF_OK);
    assert_int_equal(read_back(&lists, &note), HF_OK);
    assert_string_equal(note.etag, "");
    hf_crl_lists_done(&lists);
    assert_int_equal(hf_file_write_atomic(path_with(".json"), hf_bytes_str("{"), 0600), HF_OK);
    assert_int_equal(read_back(&lists, &note), HF_OK);
    hf_crl_lists_done(&lists);
}

static void what_was_cut_is_no_list(void **state)
{
    (void)state;
    struct hf_crl_note note = {.etag = "\"1\""};
    struct hf_crl_lists lists = {0};
    struct stat info;
    keep("5", &note);
    char *path = path_with(".crl");
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    for (off_t size = info.st_size - 1; size >= 0; size -= 7) {
        assert_int_equal(truncate(path, size), 0);
        assert_int_not_equal(read_back(&lists, &note), HF_OK);
        assert_int_equal(lists.n, 0);
    }
    assert_int_equal(truncate(path, 0), 0); /* which is not to have kept none */
    assert_int_equal(read_back(&lists, &note), HF_E_TRUNCATED);
}

static void a_broken_draft_leaves_what_was_there(void **state)
{
    (void)state;
    struct hf_crl_note note = {.etag = "\"1\""};
    struct hf_crl_lists lists = {0};
    struct hf_crl_draft *draft = NULL;
    keep("5", &note);
    char path[256];
    snprintf(path, sizeof(path), "%s", path_with(".crl"));
    memcpy(path + strlen(path) - 3, "new", 3);
    assert_int_equal(mkdir(path, 0700), 0); /* where the draft would be written */
    assert_int_equal(hf_crl_draft_new(folder, url, &draft), HF_OK);
    hf_crl_draft_add(draft, hf_bytes_str("x"));
    hf_crl_draft_hash(draft, note.sha256);
    assert_int_equal(hf_crl_draft_keep(draft, &note), HF_E_IO);
    hf_crl_draft_free(draft);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(hf_crl_draft_new(folder, url, &draft), HF_OK);
    hf_crl_draft_add(draft, hf_bytes_str("half an answer"));
    hf_crl_draft_free(draft); /* and leaves nothing behind */
    assert_int_not_equal(access(path, F_OK), 0);
    assert_int_equal(read_back(&lists, &note), HF_OK);
    assert_string_equal(note.etag, "\"1\"");
    hf_crl_lists_done(&lists);
}

static void others_may_not_write_there(void **state)
{
    (void)state;
    char path[256];
    snprintf(path, sizeof(path), "%s/crls", folder);
    assert_int_equal(chmod(path, 0770), 0);
    assert_int_equal(hf_crl_store_make(folder), HF_E_PERMISSION);
    assert_int_equal(chmod(path, 0700), 0);
    assert_int_equal(hf_crl_store_make(folder), HF_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_is_kept_is_read_back, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_note_of_another_list_asks_for_it_anew, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(what_was_cut_is_no_list, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(a_broken_draft_leaves_what_was_there, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(others_may_not_write_there, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
