// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "ca/when.h"

static void times_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t when;
    } cases[] = {
        {"1970-01-01", 0},
        {"1970-01-01T00:00:00Z", 0},
        {"2026-11-20T23:06:00Z", 1795215960},
        {"2026-11-20t23:06:00z", 1795215960},
        {"2026-11-20 23:06:00Z", 1795215960},
        {"2026-11-21T00:06:00+01:00", 1795215960},
        {"2026-11-20T17:36:00-05:30", 1795215960},
        {"2028-02-29", 1835395200},
        {"1969-12-31T23:59:59Z", -1},
        {"9999-12-31T23:59:59Z", 253402300799},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        int64_t when = 42;
        if (hf_ca_parse_time(cases[i].text, &when) != HF_OK || when != cases[i].when) {
            fail_msg("%s: %lld", cases[i].text, (long long)when);
        }
    }
}

static void what_is_no_time_is_refused(void **state)
{
    (void)state;
    static const char *const cases[] = {
        "",
        "now",
        "2026",
        "2026-11",
        "2026-11-20T",
        "2026-11-20T23:06",
        "2026-11-20T23:06:00",
        "2026-11-20T23:06:00+1",
        "2026-02-30",
        "2027-02-29",
        "2026-13-01",
        "2026-00-01",
        "2026-11-20T24:00:00Z",
        "2026-11-20T23:60:00Z",
        "2026-11-20T23:06:00Zx",
        "2026-11-20T23:06:00+25:00",
        "20261120",
        " 2026-11-20",
        "-2026-11-20",
        "2026-11-20T23:06:61Z",
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        int64_t when;
        if (hf_ca_parse_time(cases[i], &when) != HF_E_INVALID) {
            fail_msg("%s", cases[i]);
        }
        assert_non_null(strstr(hf_err_text(), "write 2026-11-20T23:06:00Z"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(times_are_read),
        cmocka_unit_test(what_is_no_time_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
