// SPDX-License-Identifier: Apache-2.0
/* Answers on disk: there again after a start, believed for their signature alone, bounded, and no
 * worse for being cut, flipped or forged. */
#include "proxy/ocsp_kept.h"

#include <fcntl.h>
#include <openssl/ocsp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/clock.h"
#include "os/file.h"
#include "testocsp.h"

#include <cmocka.h>

enum { MAX = 1 << 20 };

static struct testpki *root, *other, *alice, *bob;
static char state[64], file_new[96], file_old[96], folder[96];
static struct hf_ocsp_kept *kept;
static size_t n_lines;
static char last_line[2048];

static void write_line(void *ctx, struct hf_bytes line)
{
    (void)ctx;
    n_lines++;
    snprintf(last_line, sizeof(last_line), "%.*s", (int)line.len, (const char *)line.ptr);
}

static struct hf_log logger = {.level = HF_LOG_INFO, .clock = &hf_os_clock, .write = write_line};

static int make_world(void **ctx)
{
    (void)ctx;
    root = testpki_root("Root");
    other = testpki_root("Other");
    alice = testpki_leaf(root, "alice", HF_USAGE_CLIENT, NULL);
    bob = testpki_leaf(root, "bob", HF_USAGE_CLIENT, NULL);
    return 0;
}

static int free_world(void **ctx)
{
    (void)ctx;
    testpki_free(bob);
    testpki_free(alice);
    testpki_free(other);
    testpki_free(root);
    return 0;
}

static void open_with(size_t max)
{
    assert_int_equal(hf_ocsp_kept_open(state, max, &logger, &kept), HF_OK);
}

static void open_again(void)
{
    hf_ocsp_kept_free(kept);
    n_lines = 0;
    open_with(MAX);
}

static int begin(void **ctx)
{
    (void)ctx;
    strcpy(state, "/tmp/hf-kept-XXXXXX");
    assert_non_null(mkdtemp(state));
    snprintf(folder, sizeof(folder), "%s/answers", state);
    snprintf(file_new, sizeof(file_new), "%s/new", folder);
    snprintf(file_old, sizeof(file_old), "%s/old", folder);
    kept = NULL;
    open_again();
    return 0;
}

static int end(void **ctx)
{
    (void)ctx;
    hf_ocsp_kept_free(kept);
    (void)unlink(file_new);
    (void)unlink(file_old);
    (void)chmod(folder, 0700);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(rmdir(state), 0);
    return 0;
}

static struct hf_ocsp_key key_of(const struct testpki *leaf)
{
    struct hf_ocsp_key key;
    hf_ocsp_key_of(leaf->cert, root->cert, &key);
    return key;
}

/* signed_by: who signs what is written; what was checked when it came is root's. */
static void add(const struct testpki *leaf, int status, const struct testpki *signed_by)
{
    struct testocsp_spec spec = {.about = leaf, .issuer = root, .status = status, .reason = -1};
    const struct hf_ocsp_origin origin = {
        .from = "http://ocsp.example/", .got_at = TESTPKI_NOW, .nonce = true};
    struct hf_ocsp_answer *answer = testocsp_read(&spec);
    struct hf_ocsp_known *known = NULL;
    const struct hf_ocsp_key key = key_of(leaf);
    assert_int_equal(hf_ocsp_known_new(answer, leaf->cert, root->cert, &origin, &known), HF_OK);
    spec.signer = signed_by;
    struct hf_ocsp_answer *written = testocsp_read(&spec);
    hf_ocsp_kept_add(kept, &key, leaf->cert, root->cert, known, hf_span_bytes(written->der));
    hf_ocsp_answer_unref(written);
    hf_ocsp_known_unref(known);
    hf_ocsp_answer_unref(answer);
}

static enum hf_err find(const struct testpki *leaf, struct hf_ocsp_known **out)
{
    const struct hf_ocsp_key key = key_of(leaf);
    return hf_ocsp_kept_find(kept, &key, TESTPKI_NOW + 60, out);
}

static void expect(const struct testpki *leaf, enum hf_ocsp_status status)
{
    struct hf_ocsp_known *known = NULL;
    assert_int_equal(find(leaf, &known), HF_OK);
    assert_int_equal(known->said.status, status);
    assert_int_equal(known->got_at, TESTPKI_NOW);
    assert_true(known->nonce);
    assert_false(known->stapled);
    assert_string_equal(known->from, "http://ocsp.example/");
    hf_ocsp_known_unref(known);
}

static void expect_none(const struct testpki *leaf)
{
    struct hf_ocsp_known *known = NULL;
    assert_int_equal(find(leaf, &known), HF_E_NOT_FOUND);
    assert_null(known);
}

static void what_was_added_is_there_after_a_start(void **ctx)
{
    (void)ctx;
    struct stat info;
    add(alice, V_OCSP_CERTSTATUS_GOOD, root);
    add(bob, V_OCSP_CERTSTATUS_REVOKED, root);
    expect(alice, HF_OCSP_GOOD);
    open_again();
    expect(alice, HF_OCSP_GOOD);
    expect(bob, HF_OCSP_REVOKED);
    assert_int_equal(n_lines, 0);
    assert_int_equal(stat(file_new, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    assert_int_equal(stat(folder, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
}

static void of_two_answers_the_later_counts(void **ctx)
{
    (void)ctx;
    add(alice, V_OCSP_CERTSTATUS_GOOD, root);
    add(alice, V_OCSP_CERTSTATUS_REVOKED, root);
    open_again();
    expect(alice, HF_OCSP_REVOKED);
    expect_none(bob);
}

static void a_forged_answer_is_not_believed(void **ctx)
{
    (void)ctx;
    struct hf_ocsp_known *known = NULL;
    add(alice, V_OCSP_CERTSTATUS_GOOD, other);
    open_again();
    assert_int_equal(find(alice, &known), HF_E_DENIED);
    assert_null(known);
    expect_none(alice); /* it is forgotten */
}

static void a_date_from_a_wrong_clock_is_no_later_than_now(void **ctx)
{
    (void)ctx;
    struct hf_ocsp_known *known = NULL;
    const struct hf_ocsp_key key = key_of(alice);
    add(alice, V_OCSP_CERTSTATUS_GOOD, root);
    assert_int_equal(hf_ocsp_kept_find(kept, &key, TESTPKI_NOW - 500, &known), HF_OK);
    assert_int_equal(known->got_at, TESTPKI_NOW - 500);
    hf_ocsp_known_unref(known);
}

static void the_revoked_are_remembered_at_the_start(void **ctx)
{
    (void)ctx;
    struct hf_ocsp_memory *memory = NULL;
    struct hf_ocsp_recall recall;
    const struct hf_ocsp_key good = key_of(alice), bad = key_of(bob);
    add(alice, V_OCSP_CERTSTATUS_GOOD, root);
    add(bob, V_OCSP_CERTSTATUS_REVOKED, root);
    open_again();
    assert_int_equal(hf_ocsp_memory_new(64, &memory), HF_OK);
    size_t n = 0;
    assert_int_equal(hf_ocsp_kept_restore(kept, TESTPKI_NOW, memory, &n), HF_OK);
    assert_int_equal(n, 2);
    assert_false(hf_ocsp_memory_get(memory, &good, &recall));
    assert_true(hf_ocsp_memory_get(memory, &bad, &recall));
    assert_int_equal(recall.known->said.status, HF_OCSP_REVOKED);
    hf_ocsp_recall_done(&recall);
    hf_ocsp_memory_free(memory);
}

static size_t size_of(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (size_t)info.st_size : 0;
}

static void it_is_bounded_and_forgets_the_oldest(void **ctx)
{
    (void)ctx;
    add(bob, V_OCSP_CERTSTATUS_GOOD, root);
    size_t one = size_of(file_new), max = 4 * one + one / 2;
    hf_ocsp_kept_free(kept);
    open_with(max);
    for (int i = 0; i < 3; i++) {
        add(alice, V_OCSP_CERTSTATUS_GOOD, root);
    }
    assert_int_equal(size_of(file_old), 0);
    add(alice, V_OCSP_CERTSTATUS_GOOD, root);
    expect(bob, HF_OCSP_GOOD); /* in what is old now */
    assert_true(size_of(file_old) > 0);
    for (int i = 0; i < 4; i++) {
        add(alice, V_OCSP_CERTSTATUS_GOOD, root);
    }
    expect_none(bob);
    assert_in_range(size_of(file_new) + size_of(file_old), one, 2 * max);
    hf_ocsp_kept_free(kept);
    open_with(max);
    expect(alice, HF_OCSP_GOOD);
    expect_none(bob);
}

/* However many others are asked about after them. */
static void the_revoked_are_not_forgotten(void **ctx)
{
    (void)ctx;
    struct hf_ocsp_memory *memory = NULL;
    struct hf_ocsp_recall recall;
    const struct hf_ocsp_key bad = key_of(bob);
    add(bob, V_OCSP_CERTSTATUS_REVOKED, root);
    size_t max = 4 * size_of(file_new) + size_of(file_new) / 2;
    hf_ocsp_kept_free(kept);
    open_with(max);
    for (int i = 0; i < 20; i++) {
        add(alice, V_OCSP_CERTSTATUS_GOOD, root);
    }
    assert_in_range(size_of(file_new), 1, 2 * max);
    assert_in_range(size_of(file_old), 1, 2 * max);
    expect(bob, HF_OCSP_REVOKED);
    hf_ocsp_kept_free(kept);
    open_with(max);
    assert_int_equal(hf_ocsp_memory_new(64, &memory), HF_OK);
    size_t n = 0;
    assert_int_equal(hf_ocsp_kept_restore(kept, TESTPKI_NOW, memory, &n), HF_OK);
    assert_int_equal(n, 2);
    assert_true(hf_ocsp_memory_get(memory, &bad, &recall));
    assert_int_equal(recall.known->said.status, HF_OCSP_REVOKED);
    hf_ocsp_recall_done(&recall);
    hf_ocsp_memory_free(memory);
}

/* Those whose certificates are over need no room. */
static void the_revoked_are_forgotten_when_their_time_is_over(void **ctx)
{
    (void)ctx;
    struct testpki *brief = testpki_make(
        root,
        &(struct testpki_spec){.cn = "brief", .eku = "clientAuth", .not_after = TESTPKI_NOW - 1});
    add(brief, V_OCSP_CERTSTATUS_REVOKED, root);
    add(bob, V_OCSP_CERTSTATUS_REVOKED, root);
    size_t max = 3 * size_of(file_new);
    hf_ocsp_kept_free(kept);
    open_with(max);
    for (int i = 0; i < 20; i++) {
        add(alice, V_OCSP_CERTSTATUS_GOOD, root);
    }
    expect_none(brief);
    expect(bob, HF_OCSP_REVOKED);
    testpki_free(brief);
}

/* More than half a file holds: it stays bounded, and says so. */
static void room_for_the_revoked_is_bounded(void **ctx)
{
    (void)ctx;
    enum { N = 12 };
    struct testpki *all[N];
    size_t n_kept = 0;
    for (size_t i = 0; i < N; i++) {
        all[i] = testpki_leaf(root, "one of many", HF_USAGE_CLIENT, NULL);
        add(all[i], V_OCSP_CERTSTATUS_REVOKED, root);
    }
    size_t max = size_of(file_new) / N * 6;
    hf_ocsp_kept_free(kept);
    n_lines = 0;
    open_with(max);
    for (int i = 0; i < 20; i++) {
        add(alice, V_OCSP_CERTSTATUS_GOOD, root);
        assert_in_range(size_of(file_new), 1, 2 * (12 * max / 6));
    }
    assert_true(n_lines > 0);
    assert_non_null(strstr(last_line, "has no room for all who are revoked"));
    for (size_t i = 0; i < N; i++) {
        struct hf_ocsp_known *known = NULL;
        n_kept += find(all[i], &known) == HF_OK;
        hf_ocsp_known_unref(known);
        testpki_free(all[i]);
    }
    assert_in_range(n_kept, 1, 3);
}

static void a_revocation_that_cannot_be_believed_is_told(void **ctx)
{
    (void)ctx;
    struct hf_ocsp_memory *memory = NULL;
    size_t n = 7;
    add(bob, V_OCSP_CERTSTATUS_REVOKED, other);
    open_again();
    assert_int_equal(hf_ocsp_memory_new(64, &memory), HF_OK);
    assert_int_equal(hf_ocsp_kept_restore(kept, TESTPKI_NOW, memory, &n), HF_OK);
    assert_int_equal(n, 0);
    assert_int_equal(n_lines, 1);
    assert_non_null(strstr(last_line, "that a certificate was revoked can't be believed"));
    assert_int_equal(hf_ocsp_memory_count(memory), 0);
    hf_ocsp_memory_free(memory);
}

static void put_file(const char *path, struct hf_bytes bytes)
{
    (void)unlink(path); /* some file systems flush what is truncated */
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes.ptr, bytes.len), (ssize_t)bytes.len);
    assert_int_equal(close(fd), 0);
}

/* Two records, the second of which is hurt: the first stays, and the file is whole again. */
static void damage(bool cut, struct hf_bytes whole, size_t first, size_t at)
{
    HF_CLEANUP(hf_buf_done) struct hf_buf copy = HF_BUF_INIT(MAX);
    assert_int_equal(hf_buf_append(&copy, whole), HF_OK);
    if (!cut) {
        ((uint8_t *)(uintptr_t)hf_buf_bytes(&copy).ptr)[at] ^= 0x55;
    }
    hf_ocsp_kept_free(HF_TAKE(kept));
    put_file(file_new, hf_bytes_of(hf_buf_bytes(&copy).ptr, cut ? at : whole.len));
    n_lines = 0;
    open_with(MAX);
    assert_int_equal(n_lines, at == first && cut ? 0 : 1);
    expect_none(bob);
    if (at % 97 == 0) {
        expect(alice, HF_OCSP_GOOD);
        add(bob, V_OCSP_CERTSTATUS_REVOKED, root);
        open_again();
        assert_int_equal(n_lines, 0);
        expect(bob, HF_OCSP_REVOKED);
    }
}

static void what_is_cut_or_flipped_is_asked_again(void **ctx)
{
    (void)ctx;
    HF_CLEANUP(hf_buf_done) struct hf_buf whole = HF_BUF_INIT(MAX);
    add(alice, V_OCSP_CERTSTATUS_GOOD, root);
    size_t first = size_of(file_new);
    add(bob, V_OCSP_CERTSTATUS_GOOD, root);
    assert_int_equal(hf_file_read(file_new, &whole), HF_OK);
    for (size_t at = first; at < hf_buf_len(&whole); at++) {
        damage(true, hf_buf_bytes(&whole), first, at);
        damage(false, hf_buf_bytes(&whole), first, at);
    }
    assert_non_null(strstr(last_line, "is damaged after"));
    assert_non_null(strstr(last_line, "/answers/new"));
}

static void a_folder_that_others_can_write_in_is_refused(void **ctx)
{
    (void)ctx;
    hf_ocsp_kept_free(HF_TAKE(kept));
    assert_int_equal(chmod(folder, 0777), 0);
    assert_int_equal(hf_ocsp_kept_open(state, MAX, &logger, &kept), HF_E_PERMISSION);
    assert_non_null(strstr(hf_err_text(), "chmod go-w"));
    assert_null(kept);
}

static void running_out_of_memory_harms_nothing(void **ctx)
{
    (void)ctx;
    add(alice, V_OCSP_CERTSTATUS_GOOD, root);
    hf_ocsp_kept_free(HF_TAKE(kept));
    for (size_t n = 1;; n++) {
        hf_alloc_fail_after(n);
        enum hf_err err = hf_ocsp_kept_open(state, MAX, &logger, &kept);
        hf_alloc_fail_after(0);
        if (err == HF_OK) {
            break;
        }
        assert_int_equal(err, HF_E_NOMEM);
        assert_null(kept);
    }
    for (size_t n = 1;; n++) {
        struct hf_ocsp_known *known = NULL;
        hf_alloc_fail_after(n);
        enum hf_err err = find(alice, &known);
        hf_alloc_fail_after(0);
        if (err == HF_OK) {
            hf_ocsp_known_unref(known);
            break;
        }
        assert_int_equal(err, HF_E_NOMEM);
    }
    expect(alice, HF_OCSP_GOOD);
}

/* Half a memory of who is revoked would let the others in. */
static void without_memory_there_is_no_start(void **ctx)
{
    (void)ctx;
    struct hf_ocsp_memory *memory = NULL;
    struct hf_ocsp_recall recall;
    const struct hf_ocsp_key bad = key_of(bob);
    add(bob, V_OCSP_CERTSTATUS_REVOKED, root);
    assert_int_equal(hf_ocsp_memory_new(64, &memory), HF_OK);
    for (size_t n = 1;; n++) {
        size_t found = 0;
        hf_alloc_fail_after(n);
        enum hf_err err = hf_ocsp_kept_restore(kept, TESTPKI_NOW, memory, &found);
        hf_alloc_fail_after(0);
        if (err == HF_OK) {
            break;
        }
        assert_int_equal(err, HF_E_NOMEM);
    }
    assert_true(hf_ocsp_memory_get(memory, &bad, &recall));
    assert_int_equal(recall.known->said.status, HF_OCSP_REVOKED);
    hf_ocsp_recall_done(&recall);
    hf_ocsp_memory_free(memory);
}

#define ONE(f) cmocka_unit_test_setup_teardown(f, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ONE(what_was_added_is_there_after_a_start),
        ONE(of_two_answers_the_later_counts),
        ONE(a_forged_answer_is_not_believed),
        ONE(a_date_from_a_wrong_clock_is_no_later_than_now),
        ONE(the_revoked_are_remembered_at_the_start),
        ONE(it_is_bounded_and_forgets_the_oldest),
        ONE(the_revoked_are_not_forgotten),
        ONE(the_revoked_are_forgotten_when_their_time_is_over),
        ONE(room_for_the_revoked_is_bounded),
        ONE(a_revocation_that_cannot_be_believed_is_told),
        ONE(what_is_cut_or_flipped_is_asked_again),
        ONE(a_folder_that_others_can_write_in_is_refused),
        ONE(running_out_of_memory_harms_nothing),
        ONE(without_memory_there_is_no_start),
    };
    return cmocka_run_group_tests_name("proxy/ocsp_kept", tests, make_world, free_world);
}
