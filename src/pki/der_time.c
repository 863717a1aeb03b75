// SPDX-License-Identifier: Apache-2.0
/* Dates without fractions of a second and without time zones, as certificates, lists and OCSP
 * answers have them. A UTCTime is of 1950 to 2049. */
#include "pki/der.h"

static bool read_two(const uint8_t **at, int *out)
{
    const uint8_t *digits = *at;
    if (digits[0] < '0' || digits[0] > '9' || digits[1] < '0' || digits[1] > '9') {
        return false;
    }
    *out = (digits[0] - '0') * 10 + digits[1] - '0';
    *at += 2;
    return true;
}

static bool is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static bool day_exists(int64_t year, int month, int day)
{
    static const int n_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return year >= 1 && month >= 1 && month <= 12 && day >= 1 &&
           day <= n_days[month - 1] + (month == 2 && is_leap(year) ? 1 : 0);
}

/* Days from 1970-01-01 in the Gregorian calendar. */
static int64_t days_of(int64_t year, int month, int day)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334};
    int64_t past = year - 1;
    int64_t days = past * 365 + past / 4 - past / 100 + past / 400 - 719162;
    return days + before[month - 1] + (is_leap(year) && month > 2 ? 1 : 0) + day - 1;
}

/* Month, day, hour, minute, second. */
static bool read_rest(const uint8_t *at, int out[static 5])
{
    for (int i = 0; i < 5; i++) {
        if (!read_two(&at, &out[i])) {
            return false;
        }
    }
    return *at == 'Z';
}

enum hf_err hf_der_time(const struct hf_der *der, int64_t *out)
{
    const uint8_t *at = der->value.ptr;
    int century = 0, year = 0, rest[5];
    bool four = der->tag == HF_DER_GENERALIZED_TIME && der->value.len == 15;
    if (!four && !(der->tag == HF_DER_UTC_TIME && der->value.len == 13)) {
        return hf_fail(HF_E_MALFORMED, "a date that is neither YYMMDDHHMMSSZ nor YYYYMMDDHHMMSSZ");
    }
    bool fits = (!four || read_two(&at, &century)) && read_two(&at, &year) && read_rest(at, rest);
    int64_t whole = four ? century * 100 + year : year + (year < 50 ? 2000 : 1900);
    if (!fits || !day_exists(whole, rest[0], rest[1]) || rest[2] > 23 || rest[3] > 59 ||
        rest[4] > 59) {
        return hf_fail(HF_E_MALFORMED, "a date that no calendar has");
    }
    *out = days_of(whole, rest[0], rest[1]) * 86400 + rest[2] * 3600 + rest[3] * 60 + rest[4];
    return HF_OK;
}
