// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

static void test_every_code_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (unsigned i = 0; i < HF_E_N; i++) {
        assert_true(strlen(hf_err_name((enum hf_err)i)) > 1);
        for (unsigned j = 0; j < i; j++) {
            assert_string_not_equal(hf_err_name((enum hf_err)i), hf_err_name((enum hf_err)j));
        }
    }
    assert_string_equal(hf_err_name(HF_OK), "ok");
    assert_string_equal(hf_err_name(HF_E_N), "unknown");
    assert_string_equal(hf_err_name((enum hf_err) - 1), "unknown");
}

static void test_a_failure_records_code_sentence_and_place(void **state)
{
    (void)state;
    char place[64];
    snprintf(place, sizeof(place), "test_err.c:%d", __LINE__ + 1);
    assert_int_equal(hf_fail(HF_E_DENIED, "no %s for %d", "entry", 7), HF_E_DENIED);
    assert_string_equal(hf_err_text(), "no entry for 7");
    assert_string_equal(hf_err_place(), place);
}

/* A variable: the macro's promise to the compiler must hold for codes that only turn up at run
 * time. */
static enum hf_err ok_by_mistake;

static void test_failing_never_yields_ok(void **state)
{
    (void)state;
    assert_int_equal(hf_fail(ok_by_mistake, "?"), HF_E_INTERNAL);
}

static void test_errno_becomes_a_code_and_words(void **state)
{
    (void)state;
    static const struct {
        int number;
        enum hf_err want;
    } cases[] = {
        {ENOMEM, HF_E_NOMEM},
        {ENOENT, HF_E_NOT_FOUND},
        {ENOTDIR, HF_E_NOT_FOUND},
        {EEXIST, HF_E_EXISTS},
        {EACCES, HF_E_PERMISSION},
        {EPERM, HF_E_PERMISSION},
        {EROFS, HF_E_PERMISSION},
        {ETIMEDOUT, HF_E_TIMEOUT},
        {EADDRINUSE, HF_E_BUSY},
        {EMFILE, HF_E_BUSY},
        {ENFILE, HF_E_BUSY},
        {EAGAIN, HF_E_BUSY},
        {ECONNREFUSED, HF_E_IO},
        {EIO, HF_E_IO},
        {0, HF_E_IO},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        char want[128];
        snprintf(want, sizeof(want), "reading x: %s", strerror(cases[i].number));
        errno = cases[i].number;
        assert_int_equal(hf_fail_errno("reading %s", "x"), cases[i].want);
        assert_string_equal(hf_err_text(), want);
    }
}

static void test_context_goes_in_front_and_keeps_code_and_place(void **state)
{
    (void)state;
    char place[128];
    enum hf_err err = hf_fail(HF_E_MALFORMED, "bad byte");
    snprintf(place, sizeof(place), "%s", hf_err_place());
    assert_int_equal(hf_fail_context(HF_OK, "no failure"), HF_OK);
    assert_int_equal(hf_fail_context(err, "line %d", 3), HF_E_MALFORMED);
    assert_int_equal(hf_fail_context(err, "file %s", "f"), HF_E_MALFORMED);
    assert_string_equal(hf_err_text(), "file f: line 3: bad byte");
    assert_string_equal(hf_err_place(), place);
}

static void test_a_sentence_may_be_made_from_the_last_one(void **state)
{
    (void)state;
    (void)hf_fail(HF_E_IO, "inner");
    (void)hf_fail(HF_E_PEER, "outer (%s)", hf_err_text());
    assert_string_equal(hf_err_text(), "outer (inner)");
    (void)hf_fail_context(HF_E_PEER, "again, %s", hf_err_text());
    assert_string_equal(hf_err_text(), "again, outer (inner): outer (inner)");
}

static void test_a_sentence_without_end_is_cut(void **state)
{
    (void)state;
    char text[3 * HF_ERR_TEXT_MAX];
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    (void)hf_fail(HF_E_IO, "%s", text);
    assert_int_equal(strlen(hf_err_text()), HF_ERR_TEXT_MAX - 1);
    (void)hf_fail_context(HF_E_IO, "%s", text);
    assert_int_equal(strlen(hf_err_text()), HF_ERR_TEXT_MAX - 1);
    errno = EIO;
    (void)hf_fail_errno("%s", text);
    assert_int_equal(strlen(hf_err_text()), HF_ERR_TEXT_MAX - 1);
    text[HF_ERR_TEXT_MAX - 5] = '\0';
    (void)hf_fail_context(HF_E_IO, "%s", text);
    assert_int_equal(strlen(hf_err_text()), HF_ERR_TEXT_MAX - 1);
}

static void *fail_elsewhere(void *arg)
{
    (void)arg;
    (void)hf_fail(HF_E_IO, "theirs");
    return NULL;
}

static void test_each_thread_has_its_own_record(void **state)
{
    (void)state;
    pthread_t thread;
    (void)hf_fail(HF_E_IO, "ours");
    assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, NULL), 0);
    pthread_join(thread, NULL);
    assert_string_equal(hf_err_text(), "ours");
}

static enum hf_err twice(int *n, enum hf_err err)
{
    HF_TRY(((*n)++, err));
    (*n)++;
    return HF_OK;
}

static void test_try_returns_on_failure_only_and_evaluates_once(void **state)
{
    (void)state;
    int n = 0;
    assert_int_equal(twice(&n, HF_E_BUSY), HF_E_BUSY);
    assert_int_equal(n, 1);
    assert_int_equal(twice(&n, HF_OK), HF_OK);
    assert_int_equal(n, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code_has_a_name_of_its_own),
        cmocka_unit_test(test_a_failure_records_code_sentence_and_place),
        cmocka_unit_test(test_failing_never_yields_ok),
        cmocka_unit_test(test_errno_becomes_a_code_and_words),
        cmocka_unit_test(test_context_goes_in_front_and_keeps_code_and_place),
        cmocka_unit_test(test_a_sentence_may_be_made_from_the_last_one),
        cmocka_unit_test(test_a_sentence_without_end_is_cut),
        cmocka_unit_test(test_each_thread_has_its_own_record),
        cmocka_unit_test(test_try_returns_on_failure_only_and_evaluates_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
