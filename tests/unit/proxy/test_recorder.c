// SPDX-License-Identifier: Apache-2.0
#include "proxy/recorder.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#include <cmocka.h>

enum { THREADS = 4, EACH = 300 };

static struct hf_account *account_of(uint64_t id, enum hf_verdict_kind kind)
{
    struct hf_account *account = hf_account_new(HF_ABOUT_HANDSHAKE);
    account->id = id;
    account->kind = kind;
    hf_account_set_reason(account, HF_REASON_EXPIRED, NULL);
    return account;
}

struct seen {
    size_t n;
    uint64_t last;
    char newest[64];
};

static bool on_found(void *ctx, enum hf_verdict_kind kind, uint64_t number, struct hf_bytes text)
{
    struct seen *seen = ctx;
    (void)kind;
    if (seen->n == 0) {
        snprintf(seen->newest, sizeof(seen->newest), "%.*s", (int)text.len, (const char *)text.ptr);
    }
    assert_true(seen->n == 0 || number < seen->last);
    seen->last = number;
    seen->n++;
    return true;
}

static struct seen look(struct hf_recorder *recorder)
{
    struct seen seen = {0};
    assert_int_equal(hf_recorder_each(recorder, on_found, &seen), HF_OK);
    return seen;
}

static void what_was_given_is_told_at_once(void **state)
{
    struct hf_recorder *recorder = NULL;
    (void)state;
    assert_int_equal(hf_recorder_new(NULL, NULL, &recorder), HF_OK);
    hf_recorder_give(recorder, account_of(1, HF_VERDICT_REFUSED));
    hf_recorder_give(recorder, account_of(2, HF_VERDICT_ADMITTED));
    hf_recorder_give(recorder, account_of(3, HF_VERDICT_NOISE));
    hf_recorder_give(recorder, NULL);
    assert_int_equal(look(recorder).n, 3);
    hf_recorder_free(recorder);
    hf_recorder_give(NULL, account_of(4, HF_VERDICT_REFUSED));
    hf_recorder_free(NULL);
}

static void what_is_given_last_is_written_before_the_end(void **state)
{
    char folder[] = "/tmp/hf-recorder-XXXXXX";
    struct hf_recorder *recorder = NULL;
    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(hf_recorder_new(folder, NULL, &recorder), HF_OK);
    hf_recorder_give(recorder, account_of(0xabc, HF_VERDICT_ADMITTED));
    hf_recorder_free(recorder);
    assert_int_equal(hf_recorder_new(folder, NULL, &recorder), HF_OK);
    struct seen seen = look(recorder);
    assert_int_equal(seen.n, 1);
    assert_non_null(strstr(seen.newest, "0000000000000abc"));
    hf_recorder_free(recorder);
    char *path = hf_recorder_path(folder);
    assert_int_equal(unlink(path), 0);
    hf_free(path);
    assert_int_equal(rmdir(folder), 0);
}

static bool file_has(const char *path, const char *text)
{
    struct stat is;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(fstat(fd, &is), 0);
    void *bytes = mmap(NULL, (size_t)is.st_size, PROT_READ, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(bytes, MAP_FAILED);
    bool has = memmem(bytes, (size_t)is.st_size, text, strlen(text)) != NULL;
    munmap(bytes, (size_t)is.st_size);
    close(fd);
    return has;
}

/* Until the file has the text, or hasn't been written to for so long that it never will. */
static bool file_gets(const char *path, int notify_fd, const char *text)
{
    enum { PATIENCE_MS = 60000 };
    struct pollfd written = {notify_fd, POLLIN, 0};
    while (!file_has(path, text)) {
        char events[4096];
        if (poll(&written, 1, PATIENCE_MS) != 1 || read(notify_fd, events, sizeof(events)) <= 0) {
            return false;
        }
    }
    return true;
}

/* More than are put in words at a time: the rest is, too, though nothing else comes and nobody
 * asks. */
static void a_flood_is_written_to_its_end(void **state)
{
    enum { FLOOD = 50 };
    char folder[] = "/tmp/hf-recorder-XXXXXX";
    struct hf_recorder *recorder = NULL;
    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(hf_recorder_new(folder, NULL, &recorder), HF_OK);
    char *path = hf_recorder_path(folder);
    int notify_fd = inotify_init1(IN_CLOEXEC);
    assert_true(inotify_add_watch(notify_fd, path, IN_MODIFY) >= 0);
    for (uint64_t i = 1; i <= FLOOD; i++) {
        hf_recorder_give(recorder, account_of(0xf100d00 + i, HF_VERDICT_REFUSED));
        hf_recorder_give(recorder, account_of(0xadd00 + i, HF_VERDICT_ADMITTED));
    }
    assert_true(file_gets(path, notify_fd, "000000000f100d32"));
    assert_true(file_gets(path, notify_fd, "00000000000add32"));
    close(notify_fd);
    hf_recorder_free(recorder);
    assert_int_equal(unlink(path), 0);
    hf_free(path);
    assert_int_equal(rmdir(folder), 0);
}

static void *give_many(void *arg)
{
    struct hf_recorder *recorder = arg;
    for (uint64_t i = 0; i < EACH; i++) {
        hf_recorder_give(recorder, account_of(i + 1, HF_VERDICT_REFUSED));
        hf_recorder_give(recorder, account_of(i + 1, HF_VERDICT_ADMITTED));
    }
    return NULL;
}

/* All at once, more than there is room for: nothing is lost but the oldest, and nothing leaks. */
static void many_threads_give_without_waiting(void **state)
{
    struct hf_recorder *recorder = NULL;
    pthread_t threads[THREADS];
    (void)state;
    assert_int_equal(hf_recorder_new(NULL, NULL, &recorder), HF_OK);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, give_many, recorder), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    size_t n = look(recorder).n;
    assert_in_range(n, 512 + 1, 1024 + 512);
    hf_recorder_free(recorder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_given_is_told_at_once),
        cmocka_unit_test(what_is_given_last_is_written_before_the_end),
        cmocka_unit_test(a_flood_is_written_to_its_end),
        cmocka_unit_test(many_threads_give_without_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
