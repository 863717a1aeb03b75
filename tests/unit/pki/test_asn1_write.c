// SPDX-License-Identifier: Apache-2.0
#include "pki/asn1_write.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

/* What the calls between begin and must_be wrote. */
static struct hf_buf buf;
static struct hf_asn1 der;

static void begin(void)
{
    hf_buf_done(&buf);
    buf = HF_BUF_INIT(1 << 20);
    der = hf_asn1_writer(&buf);
}

static void must_be(const char *hex)
{
    char text[512];
    assert_int_equal(hf_asn1_end(&der), HF_OK);
    assert_true(2 * hf_buf_len(&buf) < sizeof(text));
    hf_hex(hf_buf_bytes(&buf), text);
    assert_string_equal(text, hex);
    hf_buf_done(&buf);
}

static void elements_have_their_bytes(void **state)
{
    (void)state;
    begin();
    hf_asn1_null(&der);
    hf_asn1_true(&der);
    hf_asn1_oid(&der, HF_OID("\x55\x04\x03"));
    hf_asn1_text(&der, HF_ASN1_UTF8_STRING, "ab");
    hf_asn1_raw(&der, hf_bytes_of("\x05\x00", 2));
    must_be("05000101ff06035504030c0261620500");
}

static void integers_are_shortest_and_positive(void **state)
{
    (void)state;
    static const struct {
        uint64_t value;
        const char *hex;
    } cases[] = {{0, "020100"},         {1, "020101"},
                 {127, "02017f"},       {128, "02020080"},
                 {255, "020200ff"},     {256, "02020100"},
                 {65537, "0203010001"}, {UINT64_MAX, "020900ffffffffffffffff"}};
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        begin();
        hf_asn1_uint(&der, cases[i].value);
        must_be(cases[i].hex);
    }
    begin();
    hf_asn1_magnitude(&der, hf_bytes_of(NULL, 0));
    hf_asn1_magnitude(&der, hf_bytes_of("\0\0\x80", 3));
    must_be("02010002020080");
}

static void flags_lose_their_zeros(void **state)
{
    (void)state;
    static const struct {
        uint32_t flags;
        const char *hex;
    } cases[] = {{0, "030100"},
                 {1, "03020780"},
                 {1 << 5 | 1 << 6, "03020106"},
                 {1 << 7, "03020001"},
                 {1 | 1 << 8, "0303078080"},
                 {1u << 31, "03050000000001"}};
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        begin();
        hf_asn1_flags(&der, cases[i].flags);
        must_be(cases[i].hex);
    }
}

static void dates_change_their_form_in_2050(void **state)
{
    (void)state;
    begin();
    hf_asn1_time(&der, 0);
    must_be("170d3730303130313030303030305a"); /* 700101000000Z */
    begin();
    hf_asn1_time(&der, INT64_C(2524607999));
    must_be("170d3439313233313233353935395a"); /* 491231235959Z */
    begin();
    hf_asn1_time(&der, INT64_C(2524608000));
    must_be("180f32303530303130313030303030305a"); /* 20500101000000Z */
    begin();
    hf_asn1_general_time(&der, 0);
    must_be("180f31393730303130313030303030305a");
    begin();
    hf_asn1_time(&der, INT64_C(253402300799));
    must_be("180f39393939313233313233353935395a");
    const int64_t none[] = {INT64_C(253402300800), INT64_C(-631152001), INT64_MAX, INT64_MIN};
    for (size_t i = 0; i < HF_N_ELEMENTS(none); i++) {
        begin();
        hf_asn1_time(&der, none[i]);
        assert_int_equal(hf_asn1_end(&der), HF_E_INVALID);
    }
}

/* Lengths around each size of the length itself, inside and outside of one another. */
static void lengths_take_what_they_need(void **state)
{
    (void)state;
    static const size_t lens[] = {0, 1, 127, 128, 255, 256, 65535, 65536};
    static const uint8_t zeros[65536];
    for (size_t i = 0; i < HF_N_ELEMENTS(lens); i++) {
        begin();
        hf_asn1_open(&der, HF_DER_SEQUENCE);
        hf_asn1_open_bits(&der);
        hf_asn1_put(&der, HF_DER_OCTET_STRING, hf_bytes_of(zeros, lens[i]));
        hf_asn1_close(&der);
        hf_asn1_null(&der);
        hf_asn1_close(&der);
        assert_int_equal(hf_asn1_end(&der), HF_OK);
        struct hf_reader reader = hf_reader_of(hf_buf_bytes(&buf));
        struct hf_der list, bits, octets;
        assert_int_equal(hf_der_expect(&reader, HF_DER_SEQUENCE, &list), HF_OK);
        assert_int_equal(hf_read_end(&reader), HF_OK);
        reader = hf_reader_of(list.value);
        assert_int_equal(hf_der_expect(&reader, HF_DER_BIT_STRING, &bits), HF_OK);
        assert_int_equal(hf_buf_len(&buf) > 0 && bits.value.ptr[0] == 0, true);
        struct hf_reader inner = hf_reader_of(hf_bytes_from(bits.value, 1));
        assert_int_equal(hf_der_expect(&inner, HF_DER_OCTET_STRING, &octets), HF_OK);
        assert_int_equal(hf_read_end(&inner), HF_OK);
        assert_int_equal(octets.value.len, lens[i]);
        assert_int_equal(hf_der_expect(&reader, HF_DER_NULL, &octets), HF_OK);
        assert_int_equal(hf_read_end(&reader), HF_OK);
    }
    hf_buf_done(&buf);
}

static void mistakes_are_told_at_the_end(void **state)
{
    (void)state;
    begin();
    hf_asn1_open(&der, HF_DER_SEQUENCE);
    assert_int_equal(hf_asn1_end(&der), HF_E_INTERNAL);
    begin();
    hf_asn1_close(&der);
    hf_asn1_null(&der);
    assert_int_equal(hf_asn1_end(&der), HF_E_INTERNAL);
    begin();
    for (int i = 0; i <= HF_ASN1_DEPTH_MAX; i++) {
        hf_asn1_open(&der, HF_DER_SEQUENCE);
    }
    assert_int_equal(hf_asn1_end(&der), HF_E_INTERNAL);
    begin();
    buf.cap = 3;
    hf_asn1_null(&der);
    hf_asn1_null(&der);
    assert_int_equal(hf_asn1_end(&der), HF_E_TOO_LARGE);
    hf_buf_done(&buf);
}

static void memory_may_run_out_anywhere(void **state)
{
    (void)state;
    static const uint8_t zeros[300];
    enum hf_err err = HF_E_NOMEM;
    for (size_t n = 1; err != HF_OK && n < 100; n++) {
        begin();
        hf_alloc_fail_after(n);
        hf_asn1_open(&der, HF_DER_SEQUENCE);
        hf_asn1_put(&der, HF_DER_OCTET_STRING, hf_bytes_of(zeros, sizeof(zeros)));
        hf_asn1_close(&der);
        err = hf_asn1_end(&der);
        hf_alloc_fail_after(0);
        assert_true(err == HF_OK || err == HF_E_NOMEM);
    }
    assert_int_equal(err, HF_OK);
    hf_buf_done(&buf);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(elements_have_their_bytes),
        cmocka_unit_test(integers_are_shortest_and_positive),
        cmocka_unit_test(flags_lose_their_zeros),
        cmocka_unit_test(dates_change_their_form_in_2050),
        cmocka_unit_test(lengths_take_what_they_need),
        cmocka_unit_test(mistakes_are_told_at_the_end),
        cmocka_unit_test(memory_may_run_out_anywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
