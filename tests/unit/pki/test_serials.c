// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "pki/serials.h"

static struct hf_serial hex(const char *text)
{
    struct hf_serial serial;
    assert_int_equal(hf_serial_from_hex(text, &serial), HF_OK);
    return serial;
}

static void add(struct hf_serials_builder *builder, const char *text, int64_t at, int why)
{
    struct hf_serial serial = hex(text);
    assert_int_equal(
        hf_serials_add(builder, &serial, (struct hf_revocation_entry){at, (unsigned)why}), HF_OK);
}

static void reads_hex_as_people_write_it(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t len;
        uint8_t first;
    } good[] = {{"0", 0, 0},
                {"00", 0, 0},
                {"1", 1, 1},
                {"1f:2e", 2, 0x1f},
                {"01F2", 2, 1},
                {"0:1f", 1, 0x1f},
                {"abc", 2, 0x0a},
                {"000000000000001", 1, 1},
                {"ffffffffffffffffffffffffffffffffffffffffffffff", 23, 0xff}};
    for (size_t i = 0; i < HF_N_ELEMENTS(good); i++) {
        struct hf_serial serial = hex(good[i].text);
        assert_int_equal(serial.len, good[i].len);
        assert_int_equal(serial.byte[0], good[i].first);
    }
    static const char *const bad[] = {"", ":", "1:", ":1", "1::2", "xyz", "-1", "1 2", "0x1f"};
    for (size_t i = 0; i < HF_N_ELEMENTS(bad); i++) {
        struct hf_serial serial;
        assert_int_equal(hf_serial_from_hex(bad[i], &serial), HF_E_MALFORMED);
    }
    struct hf_serial serial;
    assert_int_equal(
        hf_serial_from_hex("1ffffffffffffffffffffffffffffffffffffffffffffff00", &serial),
        HF_E_TOO_LARGE);
}

static void reads_der_in_its_shortest_form_only(void **state)
{
    (void)state;
    struct hf_serial serial;
    assert_int_equal(hf_serial_from_der(hf_bytes_of("\x00\x80", 2), &serial), HF_OK);
    assert_int_equal(serial.len, 1);
    assert_false(serial.negative);
    assert_int_equal(hf_serial_from_der(hf_bytes_of("\x80", 1), &serial), HF_OK);
    assert_true(serial.negative);
    assert_int_equal(hf_serial_from_der(hf_bytes_of("", 0), &serial), HF_E_MALFORMED);
    assert_int_equal(hf_serial_from_der(hf_bytes_of("\x00\x7f", 2), &serial), HF_E_MALFORMED);
    assert_int_equal(hf_serial_from_der(hf_bytes_of("\xff\x80", 2), &serial), HF_E_MALFORMED);
    uint8_t absurd[40] = {1};
    assert_int_equal(hf_serial_from_der(hf_bytes_of(absurd, sizeof(absurd)), &serial),
                     HF_E_TOO_LARGE);
}

static void finds_what_is_there_and_nothing_else(void **state)
{
    (void)state;
    struct hf_serials_builder builder = {.max = 100};
    add(&builder, "0", 60, HF_REVOKED_FOR_HOLD);
    add(&builder, "1", 120, HF_REVOKED_FOR_KEY_COMPROMISE);
    add(&builder, "ff", 180, 0);
    add(&builder, "0102030405060708", 240, 0);
    add(&builder, "010203040506070809", 300, 0);
    add(&builder, "f0e0d0c0b0a090807060504030201000", 360, 0);
    add(&builder, "01f0e0d0c0b0a090807060504030201000ff", 420, HF_REVOKED_FOR_AA_COMPROMISE);
    struct hf_serial negative;
    assert_int_equal(hf_serial_from_der(hf_bytes_of("\xff", 1), &negative), HF_OK);
    assert_int_equal(hf_serials_add(&builder, &negative, (struct hf_revocation_entry){480, 0}),
                     HF_OK);
    struct hf_serials *set = NULL;
    assert_int_equal(hf_serials_build(&builder, &set), HF_OK);
    assert_int_equal(hf_serials_count(set), 8);

    struct hf_revocation_entry entry;
    struct hf_serial one = hex("01"), ff = hex("ff"),
                     seventeen = hex("01f0e0d0c0b0a090807060504030201000ff");
    assert_true(hf_serials_find(set, &one, &entry));
    assert_int_equal(entry.at, 120);
    assert_int_equal(entry.why, HF_REVOKED_FOR_KEY_COMPROMISE);
    assert_true(hf_serials_find(set, &ff, &entry));
    assert_int_equal(entry.at, 180); /* not the negative one */
    assert_true(hf_serials_find(set, &negative, &entry));
    assert_int_equal(entry.at, 480);
    assert_true(hf_serials_find(set, &seventeen, &entry));
    assert_int_equal(entry.why, HF_REVOKED_FOR_AA_COMPROMISE);
    static const char *const absent[] = {"2",
                                         "fe",
                                         "0102030405060709",
                                         "0102030405060708090a",
                                         "f0e0d0c0b0a090807060504030201001",
                                         "ffffffffffffffff"};
    for (size_t i = 0; i < HF_N_ELEMENTS(absent); i++) {
        struct hf_serial serial = hex(absent[i]);
        assert_false(hf_serials_find(set, &serial, NULL));
    }
    hf_serials_free(set);
}

/* Deterministic serials: they count up (the worst case for a sorted index), or look random. */
static struct hf_serial nth(uint64_t i, bool random, size_t len)
{
    struct hf_serial serial = {.len = (uint8_t)len};
    uint64_t x = i * 2;
    for (size_t at = 0; at < len; at++) {
        serial.byte[len - 1 - at] = (uint8_t)(at < 8 ? x >> 8 * at : 0);
    }
    for (size_t at = 0; random && at < len; at++) {
        x = (x + 0x9e3779b97f4a7c15u) * 0xbf58476d1ce4e5b9u;
        x ^= x >> 31;
        serial.byte[at] = at == len - 1 ? (uint8_t)(x & 0xfe) : (uint8_t)x;
    }
    serial.byte[0] |= 1; /* the length stays */
    return serial;
}

static void check_many(size_t n, bool random, size_t len)
{
    struct hf_serials_builder builder = {.max = n};
    for (size_t i = 0; i < n; i++) {
        struct hf_serial serial = nth(i, random, len);
        struct hf_revocation_entry entry = {.at = (int64_t)i * 60, .why = i % 7};
        assert_int_equal(hf_serials_add(&builder, &serial, entry), HF_OK);
    }
    struct hf_serials *set = NULL;
    assert_int_equal(hf_serials_build(&builder, &set), HF_OK);
    assert_int_equal(hf_serials_count(set), n);
    for (size_t i = 0; i < n; i++) {
        struct hf_serial serial = nth(i, random, len);
        struct hf_revocation_entry entry;
        assert_true(hf_serials_find(set, &serial, &entry));
        assert_int_equal(entry.at, (int64_t)i * 60);
        assert_int_equal(entry.why, i % 7);
        serial.byte[len - 1] ^= 1; /* all that were added are even at the end */
        assert_false(hf_serials_find(set, &serial, NULL));
    }
    hf_serials_free(set);
}

static void holds_many_that_count_up(void **state)
{
    (void)state;
    check_many(50000, false, 8);
    check_many(50000, false, 16);
    check_many(3000, false, 16);
}

static void holds_many_that_look_random(void **state)
{
    (void)state;
    check_many(50000, true, 16);
    check_many(40000, true, 20);
    check_many(100, true, 12);
}

static void an_entry_that_revokes_comes_before_one_that_takes_back(void **state)
{
    (void)state;
    for (int order = 0; order < 2; order++) {
        struct hf_serials_builder builder = {.max = 10};
        add(&builder, "05", 60, order ? HF_REVOKED_FOR_REMOVED : HF_REVOKED_FOR_SUPERSEDED);
        add(&builder, "05", 60, order ? HF_REVOKED_FOR_SUPERSEDED : HF_REVOKED_FOR_REMOVED);
        struct hf_serials *set = NULL;
        assert_int_equal(hf_serials_build(&builder, &set), HF_OK);
        struct hf_serial serial = hex("05");
        struct hf_revocation_entry entry;
        assert_true(hf_serials_find(set, &serial, &entry));
        assert_int_equal(entry.why, HF_REVOKED_FOR_SUPERSEDED);
        hf_serials_free(set);
    }
}

/* A bucket that is far from even: the same serial over and over, among others that are alone. */
static void finds_the_first_of_many_of_the_same_in_a_big_list(void **state)
{
    enum { N = 40000, SAME = 100 };
    struct hf_serials_builder builder = {.max = N + SAME};
    struct hf_serials *serials = NULL;
    struct hf_revocation_entry entry;
    char text[40];
    (void)state;
    for (int i = 0; i < N; i++) {
        snprintf(text, sizeof(text), "%032x", i + 1);
        text[0] = '5';
        add(&builder, text, 60, HF_REVOKED_FOR_UNSPECIFIED);
    }
    for (int i = 0; i < SAME; i++) {
        bool last = i == SAME - 1;
        add(&builder, "77777777777777777777777777777777", last ? 120 : 180,
            last ? HF_REVOKED_FOR_SUPERSEDED : HF_REVOKED_FOR_REMOVED);
    }
    assert_int_equal(hf_serials_build(&builder, &serials), HF_OK);
    struct hf_serial serial;
    assert_int_equal(hf_serial_from_hex("77777777777777777777777777777777", &serial), HF_OK);
    assert_true(hf_serials_find(serials, &serial, &entry));
    assert_int_equal(entry.why, HF_REVOKED_FOR_SUPERSEDED);
    assert_int_equal(entry.at, 120);
    for (int i = 0; i < 2 * N; i++) {
        snprintf(text, sizeof(text), "%032x", i + 1);
        text[0] = '5';
        assert_int_equal(hf_serial_from_hex(text, &serial), HF_OK);
        assert_int_equal(hf_serials_find(serials, &serial, NULL), i < N);
    }
    hf_serials_free(serials);
}

static void takes_no_more_than_its_limit(void **state)
{
    (void)state;
    struct hf_serials_builder builder = {.max = 2};
    add(&builder, "1", 0, 0);
    add(&builder, "10203040506070809", 0, 0);
    struct hf_serial serial = hex("3");
    assert_int_equal(hf_serials_add(&builder, &serial, (struct hf_revocation_entry){0}),
                     HF_E_TOO_LARGE);
    hf_serials_builder_done(&builder);
}

static void dates_are_kept_to_the_minute_and_bounded(void **state)
{
    (void)state;
    static const int64_t cases[][2] = {{-5, 0},
                                       {59, 0},
                                       {61, 60},
                                       {1800000030, 1800000000},
                                       {INT64_MAX, ((INT64_C(1) << 28) - 1) * 60}};
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        struct hf_serials_builder builder = {.max = 2};
        add(&builder, "1", cases[i][0], 0);
        struct hf_serials *set = NULL;
        struct hf_revocation_entry entry;
        struct hf_serial serial = hex("1");
        assert_int_equal(hf_serials_build(&builder, &set), HF_OK);
        assert_true(hf_serials_find(set, &serial, &entry));
        assert_int_equal(entry.at, cases[i][1]);
        hf_serials_free(set);
    }
}

static void survives_running_out_of_memory(void **state)
{
    (void)state;
    for (size_t n = 1; n < 12; n++) {
        struct hf_serials_builder builder = {.max = 100000};
        struct hf_serials *set = NULL;
        enum hf_err err = HF_OK;
        hf_alloc_fail_after(n);
        for (size_t i = 0; i < 20000 && err == HF_OK; i++) {
            struct hf_serial serial = nth(i, true, 16);
            err = hf_serials_add(&builder, &serial, (struct hf_revocation_entry){0});
        }
        if (err == HF_OK) {
            err = hf_serials_build(&builder, &set);
        }
        hf_alloc_fail_after(0);
        assert_true(err == HF_E_NOMEM || (err == HF_OK && hf_serials_count(set) == 20000));
        hf_serials_builder_done(&builder);
        hf_serials_free(set);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_hex_as_people_write_it),
        cmocka_unit_test(reads_der_in_its_shortest_form_only),
        cmocka_unit_test(finds_what_is_there_and_nothing_else),
        cmocka_unit_test(holds_many_that_count_up),
        cmocka_unit_test(holds_many_that_look_random),
        cmocka_unit_test(an_entry_that_revokes_comes_before_one_that_takes_back),
        cmocka_unit_test(finds_the_first_of_many_of_the_same_in_a_big_list),
        cmocka_unit_test(takes_no_more_than_its_limit),
        cmocka_unit_test(dates_are_kept_to_the_minute_and_bounded),
        cmocka_unit_test(survives_running_out_of_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
