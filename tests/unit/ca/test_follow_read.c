// SPDX-License-Identifier: Apache-2.0
/* What a feed says is taken over whole or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "ca/follow.h"

#define SPKI "0101010101010101010101010101010101010101010101010101010101010101"
#define HEAD(from) \
    "handfast-revocations 1\nstore abc\nfrom " from "\nauthority 2 " SPKI " issuing\n"

static const uint8_t spki[HF_SHA256_SIZE] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                             1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};

static enum hf_err read_text(const char *text, struct hf_feed_state *state)
{
    return hf_feed_read(hf_bytes_str(text), "far", state);
}

static enum hf_live_answer ask(const struct hf_feed_state *state, const char *hex)
{
    struct hf_live *live = NULL;
    struct hf_serial serial;
    assert_int_equal(hf_serial_from_hex(hex, &serial), HF_OK);
    assert_int_equal(hf_live_book_take(state->book, state->seq, &live), HF_OK);
    enum hf_live_answer answer = hf_live_find(live, spki, &serial, NULL);
    hf_live_unref(live);
    return answer;
}

static void everything_then_what_is_new(void **state)
{
    (void)state;
    struct hf_feed_state feed = {.book = NULL};
    assert_int_equal(read_text(HEAD("0") "+ 2 1f 1 1795230000\n+ 2 2e3d 6 0\nend 9\n", &feed),
                     HF_OK);
    assert_int_equal(feed.seq, 9);
    assert_string_equal(feed.store, "abc");
    assert_int_equal(ask(&feed, "1f"), HF_LIVE_REVOKED);
    assert_int_equal(ask(&feed, "20"), HF_LIVE_GOOD);
    assert_int_equal(read_text(HEAD("9") "- 2 2e3d\n+ 2 20 0 1795230001\nend 11\n", &feed), HF_OK);
    assert_int_equal(feed.seq, 11);
    assert_int_equal(ask(&feed, "2e3d"), HF_LIVE_GOOD);
    assert_int_equal(ask(&feed, "20"), HF_LIVE_REVOKED);
    assert_int_equal(read_text(HEAD("0") "end 12\n", &feed), HF_OK);
    assert_int_equal(ask(&feed, "20"), HF_LIVE_GOOD); /* all anew */
    hf_feed_state_done(&feed);
}

static void what_is_wrong_changes_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum hf_err err;
    } bad[] = {
        {"", HF_E_MALFORMED},
        {"<html>\n", HF_E_MALFORMED},
        {"handfast-revocations 2\nstore abc\nfrom 9\nend 9\n", HF_E_MALFORMED},
        {HEAD("9") "- 2 1f\n", HF_E_TRUNCATED},
        {HEAD("9") "- 2 1f\nend 10", HF_E_TRUNCATED},
        {HEAD("9") "- 2 1f\nend 10\n- 2 1f\n", HF_E_TRUNCATED},
        {HEAD("9") "- 3 1f\nend 10\n", HF_E_MALFORMED},
        {HEAD("9") "- 2 xx\nend 10\n", HF_E_MALFORMED},
        {HEAD("9") "+ 2 20 7 0\nend 10\n", HF_E_MALFORMED},
        {HEAD("9") "+ 2 20 1\nend 10\n", HF_E_MALFORMED},
        {HEAD("9") "* 2 20\nend 10\n", HF_E_MALFORMED},
        {HEAD("9") "authority 2 " SPKI " again\nend 10\n", HF_E_MALFORMED},
        {HEAD("8") "- 2 1f\nend 10\n", HF_E_MISMATCH},
        {"handfast-revocations 1\nstore abd\nfrom 9\nend 9\n", HF_E_MISMATCH},
        {HEAD("0") "- 2 1f\nend 10\n", HF_E_MALFORMED},
    };
    struct hf_feed_state feed = {.book = NULL};
    assert_int_equal(read_text(HEAD("9") "end 9\n", &feed), HF_E_MISMATCH);
    assert_int_equal(read_text(HEAD("0") "+ 2 1f 1 1795230000\nend 9\n", &feed), HF_OK);
    for (size_t i = 0; i < HF_N_ELEMENTS(bad); i++) {
        assert_int_equal(read_text(bad[i].text, &feed), bad[i].err);
        assert_int_equal(feed.seq, 9);
        assert_int_equal(ask(&feed, "1f"), HF_LIVE_REVOKED);
        assert_int_equal(ask(&feed, "20"), HF_LIVE_GOOD);
    }
    hf_feed_state_done(&feed);
}

static void cut_anywhere_it_is_refused(void **state)
{
    (void)state;
    static const char text[] = HEAD("0") "+ 2 1f 1 1795230000\n+ 2 2e3d 6 0\nend 9\n";
    for (size_t len = 0; len < sizeof(text) - 1; len++) {
        struct hf_feed_state feed = {.book = NULL};
        char *cut = malloc(len + 1);
        memcpy(cut, text, len);
        assert_int_not_equal(hf_feed_read(hf_bytes_of(cut, len), "far", &feed), HF_OK);
        assert_null(feed.book);
        free(cut);
    }
}

static void flipped_bits_do_no_harm(void **state)
{
    (void)state;
    static const char text[] = HEAD("0") "+ 2 1f 1 1795230000\nend 9\n";
    for (size_t at = 0; at < sizeof(text) - 1; at++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            struct hf_feed_state feed = {.book = NULL};
            char *flipped = malloc(sizeof(text) - 1);
            memcpy(flipped, text, sizeof(text) - 1);
            flipped[at] = (char)(flipped[at] ^ (1 << bit));
            if (hf_feed_read(hf_bytes_of(flipped, sizeof(text) - 1), "far", &feed) != HF_OK) {
                assert_null(feed.book);
            }
            hf_feed_state_done(&feed);
            free(flipped);
        }
    }
}

static void out_of_memory_is_told(void **state)
{
    (void)state;
    bool whole = false;
    for (size_t n = 1; !whole; n++) {
        struct hf_feed_state feed = {.book = NULL};
        hf_alloc_fail_after(n);
        enum hf_err err = read_text(HEAD("0") "+ 2 1f 1 1795230000\nend 9\n", &feed);
        hf_alloc_fail_after(0);
        whole = err == HF_OK;
        assert_true(whole || (err == HF_E_NOMEM && !feed.book));
        hf_feed_state_done(&feed);
        assert_true(n < 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_then_what_is_new),
        cmocka_unit_test(what_is_wrong_changes_nothing),
        cmocka_unit_test(cut_anywhere_it_is_refused),
        cmocka_unit_test(flipped_bits_do_no_harm),
        cmocka_unit_test(out_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
