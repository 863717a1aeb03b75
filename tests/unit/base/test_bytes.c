// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "base/bytes.h"

static const uint8_t wire[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18};

static void test_views_compare_by_contents(void **state)
{
    (void)state;
    struct hf_bytes none = {0};
    assert_true(hf_bytes_eq(hf_bytes_str("abc"), hf_bytes_of("abcd", 3)));
    assert_false(hf_bytes_eq(hf_bytes_str("abc"), hf_bytes_str("abd")));
    assert_false(hf_bytes_eq(hf_bytes_str("abc"), hf_bytes_str("ab")));
    assert_true(hf_bytes_eq(none, hf_bytes_str("")));
    assert_true(hf_bytes_eq_str(none, ""));
    assert_true(hf_bytes_eq_str(hf_bytes_of("x", 1), "x"));
    assert_false(hf_bytes_eq_str(hf_bytes_of("x\0", 2), "x"));
}

static void test_what_follows_the_front(void **state)
{
    (void)state;
    struct hf_bytes none = {0};
    assert_true(hf_bytes_eq_str(hf_bytes_from(hf_bytes_str("abc"), 1), "bc"));
    assert_int_equal(hf_bytes_from(hf_bytes_str("abc"), 3).len, 0);
    assert_int_equal(hf_bytes_from(hf_bytes_str("abc"), 4).len, 0);
    assert_int_equal(hf_bytes_from(none, 0).len, 0);
    assert_int_equal(hf_bytes_from(none, 1).len, 0);
}

static void test_fields_are_big_endian(void **state)
{
    (void)state;
    struct hf_reader reader = hf_reader_of(hf_bytes_of(wire, sizeof(wire)));
    uint8_t u8;
    uint16_t u16;
    uint32_t u24, u32;
    uint64_t u64;
    assert_int_equal(hf_read_u8(&reader, &u8), HF_OK);
    assert_int_equal(hf_read_u16(&reader, &u16), HF_OK);
    assert_int_equal(hf_read_u24(&reader, &u24), HF_OK);
    assert_int_equal(hf_read_u32(&reader, &u32), HF_OK);
    assert_int_equal(hf_read_u64(&reader, &u64), HF_OK);
    assert_int_equal(u8, 1);
    assert_int_equal(u16, 0x0203);
    assert_int_equal(u24, 0x040506);
    assert_int_equal(u32, 0x0708090a);
    assert_int_equal(u64, 0x0b0c0d0e0f101112);
    assert_int_equal(hf_read_end(&reader), HF_OK);
}

/* Every kind of field, cut at every length: the reader stays at the field, outputs stay as they
 * were. */
static void test_a_cut_field_is_truncated_and_not_taken(void **state)
{
    (void)state;
    for (size_t len = 0; len < 8; len++) {
        struct hf_bytes cut = hf_bytes_of(wire, len);
        struct hf_reader reader = hf_reader_of(cut);
        uint8_t u8 = 0xaa;
        uint16_t u16 = 0xaaaa;
        uint32_t u24 = 0xaaaaaa, u32 = 0xaaaaaaaa;
        uint64_t u64 = 0xaaaaaaaa;
        struct hf_bytes bytes = {0};
        if (len < 1) {
            assert_int_equal(hf_read_u8(&reader, &u8), HF_E_TRUNCATED);
        }
        if (len < 2) {
            assert_int_equal(hf_read_u16(&reader, &u16), HF_E_TRUNCATED);
        }
        if (len < 3) {
            assert_int_equal(hf_read_u24(&reader, &u24), HF_E_TRUNCATED);
        }
        if (len < 4) {
            assert_int_equal(hf_read_u32(&reader, &u32), HF_E_TRUNCATED);
        }
        assert_int_equal(hf_read_u64(&reader, &u64), HF_E_TRUNCATED);
        assert_int_equal(hf_read_bytes(&reader, len + 1, &bytes), HF_E_TRUNCATED);
        assert_int_equal(hf_read_bytes(&reader, SIZE_MAX, &bytes), HF_E_TRUNCATED);
        assert_ptr_equal(reader.rest.ptr, cut.ptr);
        assert_int_equal(reader.rest.len, len);
        assert_true(u8 == 0xaa && u16 == 0xaaaa && u24 == 0xaaaaaa && u32 == 0xaaaaaaaa);
        assert_true(u64 == 0xaaaaaaaa && bytes.ptr == NULL);
    }
}

typedef enum hf_err read_vec_fn(struct hf_reader *reader, struct hf_bytes *out);

static void check_vector(read_vec_fn *read, size_t len_size)
{
    uint8_t packet[16] = {0};
    packet[len_size - 1] = 5;
    memcpy(packet + len_size, "hello!", 6);
    for (size_t len = 0; len < len_size + 5; len++) {
        struct hf_reader reader = hf_reader_of(hf_bytes_of(packet, len));
        struct hf_bytes vec = {0};
        assert_int_equal(read(&reader, &vec), HF_E_TRUNCATED);
        assert_int_equal(reader.rest.len, len);
        assert_null(vec.ptr);
    }
    struct hf_reader reader = hf_reader_of(hf_bytes_of(packet, len_size + 6));
    struct hf_bytes vec;
    assert_int_equal(read(&reader, &vec), HF_OK);
    assert_true(hf_bytes_eq_str(vec, "hello"));
    assert_true(hf_bytes_eq_str(reader.rest, "!"));
    assert_int_equal(hf_read_end(&reader), HF_E_MALFORMED);
    memset(packet, 0xff, len_size);
    reader = hf_reader_of(hf_bytes_of(packet, sizeof(packet)));
    assert_int_equal(read(&reader, &vec), HF_E_TRUNCATED);
    memset(packet, 0, len_size);
    reader = hf_reader_of(hf_bytes_of(packet, len_size));
    assert_int_equal(read(&reader, &vec), HF_OK);
    assert_int_equal(vec.len, 0);
}

static void test_vectors_of_each_length_size(void **state)
{
    (void)state;
    check_vector(hf_read_vec8, 1);
    check_vector(hf_read_vec16, 2);
    check_vector(hf_read_vec24, 3);
}

static void test_hex_there_and_back(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {0x00, 0x0f, 0xf0, 0xff, 0xa5};
    char text[11];
    uint8_t back[5];
    hf_hex(hf_bytes_of(bytes, 5), text);
    assert_string_equal(text, "000ff0ffa5");
    assert_int_equal(hf_unhex("000FF0ffA5", hf_span_of(back, 5)), HF_OK);
    assert_memory_equal(back, bytes, 5);
    hf_hex(hf_bytes_of(NULL, 0), text);
    assert_string_equal(text, "");
    assert_int_equal(hf_unhex("", hf_span_of(NULL, 0)), HF_OK);
}

static void test_what_is_no_hex_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "0", "000", "0000", "0g", "g0", "0:", " 0", "0/", "0@", "0G", "0`", "\xff\xff"};
    for (size_t i = 0; i < HF_N_ELEMENTS(bad); i++) {
        uint8_t out[1];
        assert_int_equal(hf_unhex(bad[i], hf_span_of(out, 1)), HF_E_MALFORMED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_views_compare_by_contents),
        cmocka_unit_test(test_what_follows_the_front),
        cmocka_unit_test(test_fields_are_big_endian),
        cmocka_unit_test(test_a_cut_field_is_truncated_and_not_taken),
        cmocka_unit_test(test_vectors_of_each_length_size),
        cmocka_unit_test(test_hex_there_and_back),
        cmocka_unit_test(test_what_is_no_hex_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
