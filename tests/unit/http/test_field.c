// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <ctype.h>

#include "http/chars.h"
#include "http/fault.h"
#include "http/field.h"
#include "http/status.h"

static void every_known_name_is_found_in_any_case(void **state)
{
    (void)state;
    for (unsigned id = HF_HTTP_OTHER + 1; id < HF_HTTP_NAME_N; id++) {
        char upper[64];
        uint8_t traits;
        const char *text = hf_http_name_text((enum hf_http_name)id);
        size_t len = strlen(text);
        for (size_t i = 0; i <= len; i++) {
            upper[i] = (char)toupper((unsigned char)text[i]);
        }
        assert_int_equal(hf_http_name_find(hf_bytes_str(text), &traits), id);
        assert_int_equal(traits & HF_FIELD_ALIAS, 0);
        assert_int_equal(hf_http_name_find(hf_bytes_str(upper), &traits), id);
        assert_int_equal(hf_http_name_find(hf_bytes_of(text, len - 1), &traits) == id, 0);
    }
}

static void underscores_make_an_alias(void **state)
{
    (void)state;
    uint8_t traits;
    assert_int_equal(hf_http_name_find(hf_bytes_str("X_Forwarded-Client_Cert"), &traits),
                     HF_HTTP_X_FORWARDED_CLIENT_CERT);
    assert_int_equal(traits, HF_FIELD_ALIAS | HF_FIELD_IDENTITY | HF_FIELD_NO_TRAILER);
}

static void other_names_have_no_traits(void **state)
{
    (void)state;
    static const char *const names[] = {"", "x", "x-forwarded-fox", "hosts",
                                        "a-name-that-is-longer-than-any-name-we-know-of"};
    for (size_t i = 0; i < HF_N_ELEMENTS(names); i++) {
        uint8_t traits = 255;
        assert_int_equal(hf_http_name_find(hf_bytes_str(names[i]), &traits), HF_HTTP_OTHER);
        assert_int_equal(traits, 0);
    }
    assert_string_equal(hf_http_name_text(HF_HTTP_OTHER), "");
    assert_string_equal(hf_http_name_text(HF_HTTP_NAME_N), "");
}

static void fields_are_found_but_not_their_aliases(void **state)
{
    (void)state;
    static const char head[] = "client_cert:evil client-cert:good x-y:z";
    struct hf_http_field array[3] = {
        {.name_at = 0, .name_len = 11, .value_at = 12, .value_len = 4},
        {.name_at = 17, .name_len = 11, .value_at = 29, .value_len = 4},
        {.name_at = 34, .name_len = 3, .value_at = 38, .value_len = 1},
    };
    struct hf_http_fields fields = {hf_bytes_str(head), array, 3};
    struct hf_bytes value;
    for (size_t i = 0; i < 3; i++) {
        array[i].name = (uint8_t)hf_http_name_find(hf_http_field_name(fields.head, &array[i]),
                                                   &array[i].traits);
    }
    assert_true(hf_http_fields_find(&fields, HF_HTTP_CLIENT_CERT, &value));
    assert_true(hf_bytes_eq_str(value, "good"));
    assert_true(hf_http_fields_find_str(&fields, "X-Y", &value));
    assert_true(hf_bytes_eq_str(value, "z"));
    assert_false(hf_http_fields_find(&fields, HF_HTTP_HOST, &value));
    assert_false(hf_http_fields_find_str(&fields, "X-Z", &value));
}

static void lists_are_split(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *items;
    } table[] = {
        {"", ""},    {",", ""},       {" , ,,", ""},
        {"a", "a|"}, {"a,b", "a|b|"}, {" a\t, b c ,,d ", "a|b c|d|"},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        char got[64] = "";
        struct hf_bytes rest = hf_bytes_str(table[i].text);
        struct hf_bytes item;
        while (hf_http_list_next(&rest, &item)) {
            strncat(got, (const char *)item.ptr, item.len);
            strcat(got, "|");
        }
        assert_string_equal(got, table[i].items);
    }
}

static void values_are_spanned_the_same_at_any_length(void **state)
{
    (void)state;
    uint8_t text[40];
    for (unsigned byte = 0; byte < 256; byte++) {
        bool good = byte == '\t' || (byte >= ' ' && byte != 0x7f);
        assert_int_equal(hf_http_is((uint8_t)byte, HF_CHAR_VALUE), good);
        for (size_t at = 0; at < 20; at++) {
            for (size_t len = at + 1; len < 28; len++) {
                memset(text, 0xe4, sizeof(text));
                text[at] = (uint8_t)byte;
                assert_int_equal(hf_http_value_span(hf_bytes_of(text, len)), good ? len : at);
            }
        }
    }
}

static void character_classes_follow_the_rfcs(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        bool token = byte && byte < 128 &&
                     (isalnum(byte) || strchr("!#$%&'*+-.^_`|~", byte)); /* RFC 9110 5.6.2 */
        assert_int_equal(hf_http_is((uint8_t)byte, HF_CHAR_TOKEN), token);
        bool plain = byte && byte < 128 && (isalnum(byte) || strchr("-._~", byte));
        assert_int_equal(hf_http_is((uint8_t)byte, HF_CHAR_PLAIN), plain);
        assert_int_equal(hf_http_is((uint8_t)byte, HF_CHAR_HEX), byte < 128 && isxdigit(byte) != 0);
        bool path = plain || (byte && byte < 128 && strchr("!$&'()*+,;=:@%/[]|", byte));
        assert_int_equal(hf_http_is((uint8_t)byte, HF_CHAR_PATH), path);
    }
}

static void comparing_ignores_case_only(void **state)
{
    (void)state;
    assert_true(hf_http_eq_str(hf_bytes_str("Close"), "cLOSE"));
    assert_false(hf_http_eq_str(hf_bytes_str("close"), "closed"));
    assert_false(hf_http_eq_str(hf_bytes_str("a_b"), "a-b"));
    assert_false(hf_http_eq_str(hf_bytes_str("["), "{"));
    assert_false(hf_http_eq_str(hf_bytes_str("\xc4"), "\xe4"));
}

static void every_fault_has_a_code_a_status_and_words(void **state)
{
    (void)state;
    for (unsigned i = 1; i < HF_HTTP_FAULT_N; i++) {
        uint16_t status = hf_http_fault_status((enum hf_http_fault)i);
        assert_true((status >= 400 && status < 600) && *hf_http_status_text(status));
        assert_true(strlen(hf_http_fault_text((enum hf_http_fault)i)) > 10);
        for (unsigned j = 0; j < i; j++) {
            assert_string_not_equal(hf_http_fault_code((enum hf_http_fault)i),
                                    hf_http_fault_code((enum hf_http_fault)j));
        }
    }
    assert_string_equal(hf_http_fault_code(HF_HTTP_FAULT_N), "unknown");
    assert_string_equal(hf_http_fault_text(HF_HTTP_FAULT_N), "unknown");
    assert_int_equal(hf_http_fault_status(HF_HTTP_FAULT_N), 500);
}

static void dates_are_written(void **state)
{
    (void)state;
    static const struct {
        int64_t when;
        const char *text;
    } table[] = {
        {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"}, /* RFC 9110 5.6.7 */
        {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
        {-1, "Thu, 01 Jan 1970 00:00:00 GMT"},
        {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
        {253402300799, "Fri, 31 Dec 9999 23:59:59 GMT"},
        {INT64_MAX, "Fri, 31 Dec 9999 23:59:59 GMT"},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        char text[HF_HTTP_DATE_SIZE];
        hf_http_date(table[i].when, text);
        assert_string_equal(text, table[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_known_name_is_found_in_any_case),
        cmocka_unit_test(underscores_make_an_alias),
        cmocka_unit_test(other_names_have_no_traits),
        cmocka_unit_test(fields_are_found_but_not_their_aliases),
        cmocka_unit_test(lists_are_split),
        cmocka_unit_test(values_are_spanned_the_same_at_any_length),
        cmocka_unit_test(character_classes_follow_the_rfcs),
        cmocka_unit_test(comparing_ignores_case_only),
        cmocka_unit_test(every_fault_has_a_code_a_status_and_words),
        cmocka_unit_test(dates_are_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
