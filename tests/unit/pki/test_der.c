// SPDX-License-Identifier: Apache-2.0
#include "pki/der.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_follow_each_other),
        cmocka_unit_test(lengths_are_in_shortest_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
