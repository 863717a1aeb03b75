// SPDX-License-Identifier: Apache-2.0
#include "pki/reason.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void every_reason_has_a_row(void **state)
{
    (void)state;
    for (int i = 0; i < HF_REASON_N; i++) {
        const char *code = hf_reason_code((enum hf_reason)i);
        assert_non_null(code);
        assert_int_equal(strspn(code, "abcdefghijklmnopqrstuvwxyz-"), strlen(code));
        assert_true(strlen(hf_reason_text((enum hf_reason)i)) > 0);
        const char *todo = hf_reason_todo((enum hf_reason)i);
        assert_true(strlen(todo) > 0);
        assert_int_not_equal(todo[strlen(todo) - 1], '.');
        enum hf_reason found;
        assert_true(hf_reason_find(code, &found));
        assert_int_equal(found, i);
        for (int j = 0; j < i; j++) {
            assert_string_not_equal(code, hf_reason_code((enum hf_reason)j));
        }
    }
}

static void there_are_forty_codes_and_no_other_is_found(void **state)
{
    enum hf_reason found;
    (void)state;
    assert_true(HF_REASON_N > 40);
    assert_false(hf_reason_find("unknown-CA", &found));
    assert_false(hf_reason_find("", &found));
}

static void alerts_are_those_of_the_rfc(void **state)
{
    (void)state;
    assert_int_equal(hf_reason_alert(HF_REASON_OK), HF_ALERT_NONE);
    assert_int_equal(hf_reason_alert(HF_REASON_NO_CERTIFICATE), 116);
    assert_int_equal(hf_reason_alert(HF_REASON_EXPIRED), 45);
    assert_int_equal(hf_reason_alert(HF_REASON_UNKNOWN_CA), 48);
    assert_int_equal(hf_reason_alert(HF_REASON_PEER_ALERT), HF_ALERT_NONE);
    assert_string_equal(hf_alert_name(48), "unknown_ca");
    assert_string_equal(hf_alert_name(HF_ALERT_NONE), "unknown");
    assert_string_equal(hf_alert_text(0), "closed the connection in order");
    assert_non_null(hf_alert_text(200));
}

static void steps_are_named(void **state)
{
    (void)state;
    assert_string_equal(hf_step_name(hf_reason_step(HF_REASON_EXPIRED)), "dates");
    assert_string_equal(hf_step_name(hf_reason_step(HF_REASON_OK)), "none");
    assert_string_equal(hf_step_name(HF_STEP_N), "unknown");
}

static void reasons_outside_the_table_are_our_bug(void **state)
{
    (void)state;
    assert_string_equal(hf_reason_code((enum hf_reason)HF_REASON_N), "internal");
    assert_int_equal(hf_reason_alert((enum hf_reason)9999), HF_ALERT_INTERNAL_ERROR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_has_a_row),
        cmocka_unit_test(there_are_forty_codes_and_no_other_is_found),
        cmocka_unit_test(alerts_are_those_of_the_rfc),
        cmocka_unit_test(steps_are_named),
        cmocka_unit_test(reasons_outside_the_table_are_our_bug),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
