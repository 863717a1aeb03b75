// SPDX-License-Identifier: Apache-2.0
#include "watch/verdict_file.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#include <cmocka.h>

static char folder[] = "/tmp/hf-verdicts-XXXXXX";
static char path[64];

static int begin(void **state)
{
    (void)state;
    strcpy(folder + strlen(folder) - 6, "XXXXXX");
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/verdicts", folder);
    return 0;
}

static int end(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

struct seen {
    size_t n;
    char text[3000][24];
    enum hf_verdict_kind kind[3000];
    uint64_t last;
};
static struct seen seen;

static bool on_found(void *ctx, enum hf_verdict_kind kind, uint64_t number, struct hf_bytes text)
{
    struct seen *into = ctx;
    assert_true(into->n < 3000);
    assert_true(into->n == 0 || number < into->last);
    into->last = number;
    into->kind[into->n] = kind;
    snprintf(into->text[into->n++], 24, "%.*s", (int)text.len, (const char *)text.ptr);
    return true;
}

static void look(struct hf_verdict_file *file)
{
    seen.n = 0;
    assert_int_equal(hf_verdict_file_each(file, on_found, &seen), HF_OK);
}

static void put(struct hf_verdict_file *file, enum hf_verdict_kind kind, const char *text)
{
    assert_int_equal(hf_verdict_file_put(file, kind, hf_bytes_str(text)), HF_OK);
}

static void what_was_put_is_found_newest_first(void **state)
{
    struct hf_verdict_file *file;
    (void)state;
    assert_int_equal(hf_verdict_file_open(path, &file), HF_OK);
    look(file);
    assert_int_equal(seen.n, 0);
    put(file, HF_VERDICT_REFUSED, "one");
    put(file, HF_VERDICT_ADMITTED, "two");
    put(file, HF_VERDICT_NOISE, "three");
    look(file);
    assert_int_equal(seen.n, 3);
    assert_string_equal(seen.text[0], "three");
    assert_int_equal(seen.kind[0], HF_VERDICT_NOISE);
    assert_string_equal(seen.text[2], "one");
    assert_int_equal(seen.kind[2], HF_VERDICT_REFUSED);
    hf_verdict_file_free(file);
}

static void a_row_goes_round_and_leaves_the_others_alone(void **state)
{
    struct hf_verdict_file *file;
    char text[24];
    (void)state;
    assert_int_equal(hf_verdict_file_open(path, &file), HF_OK);
    put(file, HF_VERDICT_REFUSED, "the one that matters");
    for (int i = 0; i < 1300; i++) {
        snprintf(text, sizeof(text), "admitted %d", i);
        put(file, HF_VERDICT_ADMITTED, text);
    }
    look(file);
    assert_int_equal(seen.n, 513);
    assert_string_equal(seen.text[0], "admitted 1299");
    assert_string_equal(seen.text[511], "admitted 788");
    assert_string_equal(seen.text[512], "the one that matters");
    hf_verdict_file_free(file);
    struct stat stat_of;
    assert_int_equal(stat(path, &stat_of), 0);
    assert_int_equal(stat_of.st_size, (1024 + 512 + 256 + 1) * HF_VERDICT_SLOT);
    assert_int_equal(stat_of.st_mode & 0777, 0600);
    assert_true(stat_of.st_blocks * 512 >= stat_of.st_size);
}

static void it_goes_on_where_it_was(void **state)
{
    struct hf_verdict_file *file;
    (void)state;
    for (int round = 0; round < 3; round++) {
        char text[24];
        assert_int_equal(hf_verdict_file_open(path, &file), HF_OK);
        snprintf(text, sizeof(text), "round %d", round);
        put(file, HF_VERDICT_REFUSED, text);
        hf_verdict_file_free(file);
    }
    assert_int_equal(hf_verdict_file_read(path, &file), HF_OK);
    look(file);
    assert_int_equal(seen.n, 3);
    assert_string_equal(seen.text[0], "round 2");
    assert_string_equal(seen.text[2], "round 0");
    hf_verdict_file_free(file);
}

static void one_writes_and_others_read(void **state)
{
    struct hf_verdict_file *file, *second, *reader;
    (void)state;
    assert_int_equal(hf_verdict_file_open(path, &file), HF_OK);
    assert_int_equal(hf_verdict_file_open(path, &second), HF_E_BUSY);
    assert_null(second);
    put(file, HF_VERDICT_REFUSED, "told");
    assert_int_equal(hf_verdict_file_read(path, &reader), HF_OK);
    look(reader);
    assert_int_equal(seen.n, 1);
    assert_int_equal(hf_verdict_file_put(reader, HF_VERDICT_REFUSED, hf_bytes_str("x")), HF_E_IO);
    hf_verdict_file_free(reader);
    hf_verdict_file_free(file);
}

static void a_slot_is_whole_or_not_there(void **state)
{
    uint8_t slot[HF_VERDICT_SLOT];
    struct hf_verdict_file *file;
    struct hf_bytes text;
    uint64_t number;
    (void)state;
    assert_int_equal(hf_verdict_file_open(path, &file), HF_OK);
    put(file, HF_VERDICT_REFUSED, "a verdict");
    hf_verdict_file_free(file);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(pread(fd, slot, sizeof(slot), HF_VERDICT_SLOT), sizeof(slot));
    close(fd);
    size_t whole = HF_VERDICT_HEAD + strlen("a verdict");
    assert_true(hf_verdict_slot_read(hf_bytes_of(slot, sizeof(slot)), &number, &text));
    assert_int_equal(number, 1);
    assert_true(hf_bytes_eq_str(text, "a verdict"));
    for (size_t len = 0; len < whole; len++) {
        assert_false(hf_verdict_slot_read(hf_bytes_of(slot, len), &number, &text));
    }
    for (size_t bit = 0; bit < whole * 8; bit++) {
        slot[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(hf_verdict_slot_read(hf_bytes_of(slot, sizeof(slot)), &number, &text));
        slot[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void a_torn_slot_is_passed_over_and_used_again(void **state)
{
    struct hf_verdict_file *file;
    (void)state;
    assert_int_equal(hf_verdict_file_open(path, &file), HF_OK);
    put(file, HF_VERDICT_REFUSED, "first");
    put(file, HF_VERDICT_REFUSED, "second");
    hf_verdict_file_free(file);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "xx", 2, 2 * HF_VERDICT_SLOT + HF_VERDICT_HEAD), 2);
    close(fd);
    assert_int_equal(hf_verdict_file_open(path, &file), HF_OK);
    look(file);
    assert_int_equal(seen.n, 1);
    put(file, HF_VERDICT_REFUSED, "third");
    look(file);
    assert_int_equal(seen.n, 2);
    assert_string_equal(seen.text[0], "third");
    hf_verdict_file_free(file);
}

static void what_is_no_file_of_ours_is_made_anew_for_writing_and_refused_for_reading(void **state)
{
    struct hf_verdict_file *file;
    (void)state;
    assert_int_equal(hf_verdict_file_read(path, &file), HF_E_NOT_FOUND);
    FILE *out = fopen(path, "w");
    fputs("something else", out);
    fclose(out);
    assert_int_equal(hf_verdict_file_read(path, &file), HF_E_MALFORMED);
    assert_null(file);
    assert_int_equal(hf_verdict_file_open(path, &file), HF_OK);
    put(file, HF_VERDICT_REFUSED, "kept");
    look(file);
    assert_int_equal(seen.n, 1);
    hf_verdict_file_free(file);
    assert_int_equal(hf_verdict_file_open("/dev/full", &file), HF_E_IO);
    assert_int_equal(hf_verdict_file_open("/nowhere/verdicts", &file), HF_E_NOT_FOUND);
}

static void without_a_path_it_is_in_memory(void **state)
{
    struct hf_verdict_file *file;
    char big[HF_VERDICT_MAX + 1];
    (void)state;
    memset(big, 'x', sizeof(big));
    assert_int_equal(hf_verdict_file_open(NULL, &file), HF_OK);
    put(file, HF_VERDICT_ADMITTED, "here");
    assert_int_equal(
        hf_verdict_file_put(file, HF_VERDICT_REFUSED, hf_bytes_of(big, HF_VERDICT_MAX)), HF_OK);
    assert_int_equal(
        hf_verdict_file_put(file, HF_VERDICT_REFUSED, hf_bytes_of(big, HF_VERDICT_MAX + 1)),
        HF_E_TOO_LARGE);
    look(file);
    assert_int_equal(seen.n, 2);
    hf_verdict_file_free(file);
}

static void no_memory_is_said(void **state)
{
    struct hf_verdict_file *file;
    (void)state;
    hf_alloc_fail_after(1);
    enum hf_err err = hf_verdict_file_open(NULL, &file);
    hf_alloc_fail_after(0);
    assert_int_equal(err, HF_E_NOMEM);
    assert_int_equal(hf_verdict_file_open(NULL, &file), HF_OK);
    hf_alloc_fail_after(1);
    err = hf_verdict_file_each(file, on_found, &seen);
    hf_alloc_fail_after(0);
    assert_int_equal(err, HF_E_NOMEM);
    hf_verdict_file_free(file);
    hf_verdict_file_free(NULL);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {
        CASE(what_was_put_is_found_newest_first),
        CASE(a_row_goes_round_and_leaves_the_others_alone),
        CASE(it_goes_on_where_it_was),
        CASE(one_writes_and_others_read),
        CASE(a_slot_is_whole_or_not_there),
        CASE(a_torn_slot_is_passed_over_and_used_again),
        CASE(what_is_no_file_of_ours_is_made_anew_for_writing_and_refused_for_reading),
        CASE(without_a_path_it_is_in_memory),
        CASE(no_memory_is_said),
    };
#undef CASE
    return cmocka_run_group_tests(tests, NULL, NULL);
}
