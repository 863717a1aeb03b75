// SPDX-License-Identifier: Apache-2.0
#include "pki/der_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void expect(const char *bytes, size_t len, enum hf_err wanted)
{
    struct hf_reader reader = hf_reader_of(hf_bytes_of(bytes, len));
    struct hf_der element;
    assert_int_equal(hf_der_next(&reader, &element), wanted);
    if (wanted != HF_OK) {
        assert_int_equal(reader.rest.len, len); /* stays where it was */
    }
}

static void elements_follow_each_other(void **state)
{
    (void)state;
    struct hf_reader reader = hf_reader_of(hf_bytes_of("\x02\x01\x05\x30\x00\x04\x02hi", 9));
    struct hf_der element;
    assert_int_equal(hf_der_peek(&reader), 0x02);
    assert_int_equal(hf_der_expect(&reader, HF_DER_INTEGER, &element), HF_OK);
    assert_int_equal(element.value.len, 1);
    assert_int_equal(element.whole.len, 3);
    assert_int_equal(hf_der_expect(&reader, HF_DER_INTEGER, &element), HF_E_MALFORMED);
    assert_int_equal(hf_der_expect(&reader, HF_DER_SEQUENCE, &element), HF_OK);
    assert_int_equal(element.value.len, 0);
    assert_int_equal(hf_der_next(&reader, &element), HF_OK);
    assert_memory_equal(element.value.ptr, "hi", 2);
    assert_int_equal(element.whole.len, 4);
    assert_int_equal(hf_der_peek(&reader), 0);
    assert_int_equal(hf_der_next(&reader, &element), HF_E_TRUNCATED);
}

static void lengths_are_in_shortest_form(void **state)
{
    (void)state;
    static char block[70000] = {0x04};
    memcpy(block, "\x04\x81\x7f", 3);
    expect(block, 3 + 0x7f, HF_E_MALFORMED);
    memcpy(block, "\x04\x81\x80", 3);
    expect(block, 3 + 0x80, HF_OK);
    memcpy(block, "\x04\x82\x00\x80", 4);
    expect(block, 4 + 0x80, HF_E_MALFORMED);
    memcpy(block, "\x04\x82\x01\x00", 4);
    expect(block, 4 + 0x100, HF_OK);
    expect(block, 4 + 0xff, HF_E_TRUNCATED);
    memcpy(block, "\x04\x83\x01\x00\x00", 5);
    expect(block, 5 + 0x10000, HF_OK);
    memcpy(block, "\x04\x84\xff\xff\xff\xff", 6);
    expect(block, sizeof(block), HF_E_TRUNCATED);
    expect("\x30\x80\x00\x00", 4, HF_E_MALFORMED); /* indefinite */
    expect("\x04\x85\x01\x01\x01\x01\x01", 7, HF_E_MALFORMED);
    expect("\x1f\x81\x01\x00", 4, HF_E_MALFORMED); /* a tag of several bytes */
    expect("\x04", 1, HF_E_TRUNCATED);
    expect("\x04\x82\x01", 3, HF_E_TRUNCATED);
    expect("", 0, HF_E_TRUNCATED);
}

static enum hf_err read_time(uint8_t tag, const char *text, int64_t *out)
{
    struct hf_der der = {.tag = tag, .value = hf_bytes_str(text)};
    return hf_der_time(&der, out);
}

static void dates_are_those_of_a_calendar(void **state)
{
    (void)state;
    int64_t at = 0;
    assert_int_equal(read_time(HF_DER_UTC_TIME, "700101000000Z", &at), HF_OK);
    assert_int_equal(at, 0);
    assert_int_equal(read_time(HF_DER_GENERALIZED_TIME, "20240229235959Z", &at), HF_OK);
    assert_int_equal(at, 1709251199);
    static const char *const wrong[] = {
        "20230229000000Z",   "20240230000000Z", "20241301000000Z",
        "20240001000000Z",   "20240100000000Z", "20240431000000Z",
        "20240101240000Z",   "20240101006000Z", "20240101000060Z",
        "2024010100000Z0",   "20x40101000000Z", "x0240101000000Z",
        "202401010000-1Z",   "00000101000000Z", "20240101000000+",
        "20240101000000.5Z", "240101000000Z",   "",
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(wrong); i++) {
        assert_int_equal(read_time(HF_DER_GENERALIZED_TIME, wrong[i], &at), HF_E_MALFORMED);
    }
    assert_int_equal(read_time(HF_DER_UTC_TIME, "x00101000000Z", &at), HF_E_MALFORMED);
    assert_int_equal(read_time(HF_DER_INTEGER, "700101000000Z", &at), HF_E_MALFORMED);
}

static void what_is_written_is_read_again(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000};
    static const uint8_t block[0x10000];
    for (size_t i = 0; i < HF_N_ELEMENTS(sizes); i++) {
        struct hf_buf out = HF_BUF_INIT(1 << 20);
        struct hf_der whole, part;
        size_t outer, inner;
        assert_int_equal(hf_buf_append_str(&out, "before"), HF_OK);
        hf_buf_consume(&out, 6);
        assert_int_equal(hf_der_open(&out, HF_DER_SEQUENCE, &outer), HF_OK);
        assert_int_equal(hf_der_open(&out, HF_DER_CONTEXT_0, &inner), HF_OK);
        assert_int_equal(hf_der_put(&out, HF_DER_OCTET_STRING, hf_bytes_of(block, sizes[i])),
                         HF_OK);
        assert_int_equal(hf_der_close(&out, inner), HF_OK);
        assert_int_equal(hf_der_put_bool(&out, true), HF_OK);
        assert_int_equal(hf_der_close(&out, outer), HF_OK);
        struct hf_reader reader = hf_reader_of(hf_buf_bytes(&out));
        assert_int_equal(hf_der_expect(&reader, HF_DER_SEQUENCE, &whole), HF_OK);
        assert_int_equal(hf_read_end(&reader), HF_OK);
        reader = hf_reader_of(whole.value);
        assert_int_equal(hf_der_expect(&reader, HF_DER_CONTEXT_0, &whole), HF_OK);
        assert_int_equal(hf_der_expect(&reader, HF_DER_BOOLEAN, &part), HF_OK);
        assert_int_equal(part.value.ptr[0], 0xff);
        reader = hf_reader_of(whole.value);
        assert_int_equal(hf_der_expect(&reader, HF_DER_OCTET_STRING, &part), HF_OK);
        assert_int_equal(part.value.len, sizes[i]);
        hf_buf_done(&out);
    }
}

static void numbers_and_dates_are_written_as_der(void **state)
{
    (void)state;
    struct hf_buf out = HF_BUF_INIT(256);
    struct hf_serial serial;
    static const char *const hex[] = {"0", "7f", "80", "ff01"};
    for (size_t i = 0; i < HF_N_ELEMENTS(hex); i++) {
        assert_int_equal(hf_serial_from_hex(hex[i], &serial), HF_OK);
        assert_int_equal(hf_der_put_serial(&out, &serial), HF_OK);
    }
    assert_int_equal(hf_der_put_number(&out, HF_DER_ENUMERATED, 200), HF_OK);
    assert_int_equal(hf_der_put_time(&out, 1709251199), HF_OK);
    static const char wanted[] = "\x02\x01\x00\x02\x01\x7f\x02\x02\x00\x80\x02\x03\x00\xff\x01"
                                 "\x0a\x02\x00\xc8\x18\x0f"
                                 "20240229235959Z";
    assert_int_equal(hf_buf_len(&out), sizeof(wanted) - 1);
    assert_memory_equal(hf_buf_bytes(&out).ptr, wanted, sizeof(wanted) - 1);
    assert_int_equal(hf_der_put_time(&out, INT64_C(1) << 40), HF_E_INVALID);
    hf_buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_follow_each_other),
        cmocka_unit_test(lengths_are_in_shortest_form),
        cmocka_unit_test(dates_are_those_of_a_calendar),
        cmocka_unit_test(what_is_written_is_read_again),
        cmocka_unit_test(numbers_and_dates_are_written_as_der),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
