// SPDX-License-Identifier: Apache-2.0
/* What checks say together, and the one message of a check that is read by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/health.h"
#include "proxy/probe_impl.h"

/* '+' and '-' are checks; what is expected after each is 'u' up, 'd' down, '.' the same. */
static void assert_course(unsigned rise, unsigned fall, const char *checks, const char *expected)
{
    struct hf_health health = {0};
    struct hf_cfg_check cfg = {.rise = rise, .fall = fall};
    char seen[32] = "";
    for (size_t i = 0; checks[i]; i++) {
        enum hf_health_change change = hf_health_note(&health, &cfg, checks[i] == '+');
        seen[i] = change == HF_HEALTH_UP ? 'u' : change == HF_HEALTH_DOWN ? 'd' : '.';
        assert_int_equal(health.last_good, checks[i] == '+');
    }
    assert_string_equal(seen, expected);
}

static void the_first_check_decides_alone(void **state)
{
    (void)state;
    assert_course(5, 5, "-", "d");
    assert_course(5, 5, "+", ".");
    assert_course(2, 2, "-++", "d.u");
}

static void it_takes_some_in_a_row(void **state)
{
    (void)state;
    assert_course(2, 3, "+--+---", "......d");
    assert_course(2, 3, "+---+-++", "...d...u");
    assert_course(1, 1, "+-+-+", ".dudu");
    assert_course(3, 2, "+--++-+++--", "..d.....u.d");
}

static void flapping_below_the_thresholds_changes_nothing(void **state)
{
    (void)state;
    assert_course(2, 2, "+-+-+-+-+-", "..........");
    assert_course(2, 2, "-+-+-+-+-+", "d.........");
}

/* --- HealthCheckResponse ------------------------------------------------------------------------
 */

static int status_of(const char *bytes, size_t len)
{
    return hf_probe_serving_status(hf_bytes_of((const uint8_t *)bytes, len));
}

#define STATUS(text) status_of(text, sizeof(text) - 1)

static void the_status_is_read(void **state)
{
    (void)state;
    assert_int_equal(STATUS("\0\0\0\0\0"), 0); /* UNKNOWN is left out on the wire */
    assert_int_equal(STATUS("\0\0\0\0\2\x08\1"), 1);
    assert_int_equal(STATUS("\0\0\0\0\2\x08\2"), 2);
    assert_int_equal(STATUS("\0\0\0\0\2\x08\3"), 3);
    assert_int_equal(STATUS("\0\0\0\0\2\x08\x09"), 0);     /* of a later version */
    assert_int_equal(STATUS("\0\0\0\0\4\x08\2\x08\1"), 1); /* the last one counts */
    assert_int_equal(STATUS("\0\0\0\0\3\x08\x81\0"), 1);   /* a varint may be longer than needed */
    assert_int_equal(STATUS("\0\0\0\0\6\x12\2hi\x08\1"), 1); /* other fields are passed over */
    assert_int_equal(STATUS("\0\0\0\0\x0f\x11zzzzzzzz\x1dzzzz\x08"), -1);
    assert_int_equal(STATUS("\0\0\0\0\x10\x11zzzzzzzz\x1dzzzz\x08\1"), 1);
}

static void what_is_malformed_is_no_status(void **state)
{
    (void)state;
    assert_int_equal(STATUS(""), -1);
    assert_int_equal(STATUS("\1\0\0\0\2\x08\1"), -1); /* compressed, which we never asked for */
    assert_int_equal(STATUS("\0\0\0\0\3\x08\1"), -1); /* shorter than it says */
    assert_int_equal(STATUS("\0\0\0\0\1\x08\1"), -1); /* longer */
    assert_int_equal(STATUS("\0\xff\xff\xff\xff\x08\1"), -1);
    assert_int_equal(STATUS("\0\0\0\0\1\x08"), -1);
    assert_int_equal(STATUS("\0\0\0\0\2\x0b\1"), -1);  /* groups are no more */
    assert_int_equal(STATUS("\0\0\0\0\3\x12\5x"), -1); /* a string that ends beyond the message */
    assert_int_equal(STATUS("\0\0\0\0\x0c\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\1"), -1);
}

static void cut_and_flipped_it_never_says_more_than_is_there(void **state)
{
    (void)state;
    static const char good[] = "\0\0\0\0\x0a\x12\2hi\x1dzzzz\x08\1";
    char copy[sizeof(good)];
    for (size_t len = 0; len + 1 < sizeof(good) - 1; len++) {
        assert_int_equal(status_of(good, len), -1);
    }
    for (size_t bit = 0; bit < 8 * (sizeof(good) - 1); bit++) {
        memcpy(copy, good, sizeof(good));
        copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
        assert_in_range(status_of(copy, sizeof(good) - 1) + 1, 0, 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_check_decides_alone),
        cmocka_unit_test(it_takes_some_in_a_row),
        cmocka_unit_test(flapping_below_the_thresholds_changes_nothing),
        cmocka_unit_test(the_status_is_read),
        cmocka_unit_test(what_is_malformed_is_no_status),
        cmocka_unit_test(cut_and_flipped_it_never_says_more_than_is_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
