// SPDX-License-Identifier: Apache-2.0
/* What a CA says now: loaded, changed, taken at a moment, and lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "pki/live.h"
#include "testpki.h"

static const uint8_t ours[HF_SHA256_SIZE] = {1}, theirs[HF_SHA256_SIZE] = {2};

static struct hf_serial serial_of(const char *hex)
{
    struct hf_serial serial;
    assert_int_equal(hf_serial_from_hex(hex, &serial), HF_OK);
    return serial;
}

static struct hf_live_book *book_with(const char *const *revoked, size_t n)
{
    struct hf_live_book *book = NULL;
    struct hf_serials_builder builder = {.max = 100};
    assert_int_equal(hf_live_book_new("main", &book), HF_OK);
    for (size_t i = 0; i < n; i++) {
        struct hf_serial serial = serial_of(revoked[i]);
        struct hf_revocation_entry entry = {TESTPKI_NOW, HF_REVOKED_FOR_KEY_COMPROMISE};
        assert_int_equal(hf_serials_add(&builder, &serial, entry), HF_OK);
    }
    assert_int_equal(hf_live_book_set(book, 7, ours, &builder), HF_OK);
    hf_serials_builder_done(&builder);
    return book;
}

static struct hf_live *take(const struct hf_live_book *book)
{
    struct hf_live *live = NULL;
    assert_int_equal(hf_live_book_take(book, 5, &live), HF_OK);
    return live;
}

static enum hf_live_answer ask(const struct hf_live *live, const char *hex)
{
    struct hf_serial serial = serial_of(hex);
    return hf_live_find(live, ours, &serial, NULL);
}

static void change(struct hf_live_book *book, const char *hex, enum hf_revoked_for why,
                   bool released)
{
    struct hf_serial serial = serial_of(hex);
    struct hf_revocation_entry entry = {TESTPKI_NOW + 1, why};
    assert_int_equal(hf_live_book_change(book, 7, &serial, entry, released), HF_OK);
}

static const char *const some[] = {"01", "7fff00", "f0e0d0c0b0a090807060504030201000"};

static void what_was_loaded_is_there(void **state)
{
    (void)state;
    struct hf_live_book *book = book_with(some, 3);
    struct hf_live *live = take(book);
    struct hf_revocation_entry entry;
    struct hf_serial serial = serial_of("7fff00");
    assert_int_equal(hf_live_find(live, ours, &serial, &entry), HF_LIVE_REVOKED);
    assert_int_equal(entry.why, HF_REVOKED_FOR_KEY_COMPROMISE);
    assert_int_equal(hf_live_find(live, theirs, &serial, NULL), HF_LIVE_NOT_OURS);
    assert_int_equal(ask(live, "02"), HF_LIVE_GOOD);
    assert_string_equal(hf_live_name(live), "main");
    assert_int_equal(hf_live_seq(live), 5);
    assert_int_equal(hf_live_count(live), 3);
    assert_true(hf_live_book_has(book, 7));
    assert_false(hf_live_book_has(book, 8));
    hf_live_unref(live);
    hf_live_book_free(book);
}

static void changes_count_from_the_next_moment_on(void **state)
{
    (void)state;
    struct hf_live_book *book = book_with(some, 3);
    struct hf_live *before = take(book);
    change(book, "02", HF_REVOKED_FOR_HOLD, false);
    change(book, "01", HF_REVOKED_FOR_UNSPECIFIED, true);
    struct hf_live *after = take(book);
    assert_int_equal(ask(before, "02"), HF_LIVE_GOOD);
    assert_int_equal(ask(before, "01"), HF_LIVE_REVOKED);
    assert_int_equal(ask(after, "02"), HF_LIVE_REVOKED);
    assert_int_equal(ask(after, "01"), HF_LIVE_GOOD);
    change(book, "02", HF_REVOKED_FOR_UNSPECIFIED, true);
    struct hf_live *last = take(book);
    assert_int_equal(ask(last, "02"), HF_LIVE_GOOD);
    assert_int_equal(ask(after, "02"), HF_LIVE_REVOKED);
    hf_live_unref(before);
    hf_live_unref(after);
    hf_live_unref(last);
    hf_live_book_free(book);
}

static void many_changes_stay_in_order_until_it_is_long(void **state)
{
    (void)state;
    struct hf_live_book *book = book_with(some, 3);
    char hex[16];
    for (unsigned i = 0; i <= HF_LIVE_CHANGES_MAX; i++) {
        assert_int_equal(hf_live_book_is_long(book), 0);
        snprintf(hex, sizeof(hex), "%08x", i * 2654435761u | 1);
        change(book, hex, HF_REVOKED_FOR_SUPERSEDED, false);
    }
    assert_int_equal(hf_live_book_is_long(book), 7);
    struct hf_live *live = take(book);
    for (unsigned i = 0; i <= HF_LIVE_CHANGES_MAX; i++) {
        snprintf(hex, sizeof(hex), "%08x", i * 2654435761u | 1);
        assert_int_equal(ask(live, hex), HF_LIVE_REVOKED);
    }
    hf_live_unref(live);
    struct hf_serials_builder none = {.max = 1};
    assert_int_equal(hf_live_book_set(book, 7, ours, &none), HF_OK);
    assert_int_equal(hf_live_book_is_long(book), 0);
    hf_live_book_free(book);
}

static void who_cannot_be_heard_knows_only_what_is_revoked(void **state)
{
    (void)state;
    struct hf_live_book *book = book_with(some, 3);
    struct hf_live *live = take(book);
    struct hf_serial serial = serial_of("02");
    hf_live_lose(live);
    assert_int_equal(ask(live, "01"), HF_LIVE_REVOKED);
    assert_int_equal(ask(live, "02"), HF_LIVE_LOST);
    assert_int_equal(hf_live_find(live, theirs, &serial, NULL), HF_LIVE_NOT_OURS);
    hf_live_unref(live);
    hf_live_book_free(book);

    struct hf_live *nothing = NULL;
    assert_int_equal(hf_live_book_new("far", &book), HF_OK);
    assert_int_equal(hf_live_book_take(book, 0, &nothing), HF_OK);
    assert_int_equal(hf_live_find(nothing, theirs, &serial, NULL), HF_LIVE_NOT_OURS);
    hf_live_lose(nothing);
    assert_int_equal(hf_live_find(nothing, theirs, &serial, NULL), HF_LIVE_LOST);
    hf_live_unref(nothing);
    hf_live_book_free(book);
}

static void every_state_knows_when_the_ca_was_heard(void **state)
{
    (void)state;
    struct hf_live_book *book = book_with(some, 3);
    struct hf_live *live = take(book);
    assert_false(hf_live_is_lost(live));
    assert_int_equal(hf_live_heard_ns(live), 0);
    hf_live_book_heard(book, 17);
    assert_int_equal(hf_live_heard_ns(live), 17);
    /* A book that takes the place of another goes on with its states. */
    struct hf_live_book *next = book_with(some, 1);
    hf_live_book_follow(next, book);
    hf_live_book_free(book);
    hf_live_book_heard(next, 18);
    struct hf_live *newer = take(next);
    hf_live_book_free(next);
    assert_int_equal(hf_live_heard_ns(live), 18);
    assert_int_equal(hf_live_heard_ns(newer), 18);
    hf_live_lose(newer);
    assert_true(hf_live_is_lost(newer));
    assert_false(hf_live_is_lost(live));
    hf_live_unref(live);
    hf_live_unref(newer);
}

static void a_stranger_changes_nothing(void **state)
{
    (void)state;
    struct hf_live_book *book = book_with(some, 3);
    struct hf_serial serial = serial_of("01");
    struct hf_revocation_entry entry = {0, HF_REVOKED_FOR_UNSPECIFIED};
    assert_int_equal(hf_live_book_change(book, 8, &serial, entry, true), HF_E_NOT_FOUND);
    hf_live_book_free(book);
}

static void out_of_memory_is_told(void **state)
{
    (void)state;
    struct hf_live_book *book = book_with(some, 3);
    change(book, "02", HF_REVOKED_FOR_HOLD, false);
    bool whole = false;
    for (size_t n = 1; !whole; n++) {
        struct hf_live *live = NULL;
        hf_alloc_fail_after(n);
        enum hf_err err = hf_live_book_take(book, 1, &live);
        hf_alloc_fail_after(0);
        whole = err == HF_OK;
        assert_true(whole || (err == HF_E_NOMEM && !live));
        hf_live_unref(live);
        assert_true(n < 100);
    }
    hf_live_book_free(book);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_loaded_is_there),
        cmocka_unit_test(changes_count_from_the_next_moment_on),
        cmocka_unit_test(many_changes_stay_in_order_until_it_is_long),
        cmocka_unit_test(who_cannot_be_heard_knows_only_what_is_revoked),
        cmocka_unit_test(every_state_knows_when_the_ca_was_heard),
        cmocka_unit_test(a_stranger_changes_nothing),
        cmocka_unit_test(out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
