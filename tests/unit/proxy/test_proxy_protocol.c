// SPDX-License-Identifier: Apache-2.0
/* The PROXY protocol: spec examples, round trips, and input that is cut, bent or too long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "proxy/proxy_protocol.h"

static struct hf_addr addr(const char *text)
{
    struct hf_addr out;
    assert_int_equal(hf_addr_parse(text, &out), HF_OK);
    return out;
}

static void assert_addr(const struct hf_addr *got, const char *text)
{
    char printed[HF_ADDR_TEXT_SIZE];
    hf_addr_format(got, printed);
    assert_string_equal(printed, text);
}

static enum hf_proxy_step decode_text(const char *text, struct hf_proxy_header *out)
{
    size_t used;
    return hf_proxy_decode(hf_bytes_str(text), out, &used);
}

static void test_v1_ipv4_line_of_the_specification(void **state)
{
    (void)state;
    struct hf_proxy_header header;
    size_t used;
    const char *text = "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\nGET / HTTP/1.1\r\n";
    assert_int_equal(hf_proxy_decode(hf_bytes_str(text), &header, &used), HF_PROXY_DONE);
    assert_int_equal(used, 47);
    assert_addr(&header.source, "192.168.0.1:56324");
    assert_addr(&header.destination, "192.168.0.11:443");
}

static void test_v1_unknown_tells_no_address(void **state)
{
    (void)state;
    struct hf_proxy_header header;
    assert_int_equal(decode_text("PROXY UNKNOWN ffff:: ffff:: 65535 65535\r\n", &header),
                     HF_PROXY_DONE);
    assert_int_equal(header.source.len, 0);
    assert_int_equal(decode_text("PROXY UNKNOWN\r\n", &header), HF_PROXY_DONE);
}

static void test_v1_lines_that_are_wrong(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "PROXY TCP4 192.168.0.1 192.168.0.11 56324\r\n",
        "PROXY TCP4 192.168.0.1 192.168.0.11 56324 443 1\r\n",
        "PROXY TCP4 192.168.0.1  192.168.0.11 56324 443\r\n",
        "PROXY TCP4 192.168.0.256 192.168.0.11 56324 443\r\n",
        "PROXY TCP4 ::1 ::1 56324 443\r\n",
        "PROXY TCP6 1.2.3.4 1.2.3.4 56324 443\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 65536 443\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 -1 443\r\n",
        "PROXY TCP4 1.2.3.4 1.2.3.4 0443 443\r\n",
        "PROXY UDP4 1.2.3.4 1.2.3.4 443 443\r\n",
        "PROXY UNKNOWNX\r\n",
        "PROXY \r\n",
        "GET / HTTP/1.1\r\n",
        "\x16\x03\x01\x02\x00\x01",
        /* one byte too many, were it to end here */
        ("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
         " 65535 65535 and so on"),
    };
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct hf_proxy_header header;
        if (decode_text(wrong[i], &header) != HF_PROXY_BAD) {
            fail_msg("taken: %s", wrong[i]);
        }
    }
}

static const uint8_t der[] = {0x30, 0x03, 0x02, 0x01, 0x05};

static struct hf_proxy_header full_header(const char *source, const char *destination)
{
    return (struct hf_proxy_header){
        .source = addr(source),
        .destination = addr(destination),
        .alpn = hf_bytes_str("h2"),
        .authority = hf_bytes_str("api.example.org"),
        .unique_id = hf_bytes_str("0000000000000001"),
        .tls = {.client = HF_PP2_CLIENT_SSL | HF_PP2_CLIENT_CERT_CONN,
                .verify = 0,
                .version = hf_bytes_str("TLSv1.3"),
                .cn = hf_bytes_str("alice"),
                .cipher = hf_bytes_str("TLS_AES_128_GCM_SHA256"),
                .cert = hf_bytes_of(der, sizeof(der))},
    };
}

static void encode(const struct hf_proxy_header *header, struct hf_buf *out)
{
    *out = HF_BUF_INIT(HF_PROXY_HEADER_SIZE_MAX);
    assert_int_equal(hf_proxy_encode_v2(header, out), HF_OK);
}

static void check_round_trip(const char *source, const char *destination)
{
    struct hf_proxy_header header = full_header(source, destination);
    struct hf_proxy_header got;
    struct hf_buf buf;
    size_t used;
    encode(&header, &buf);
    assert_int_equal(hf_proxy_decode(hf_buf_bytes(&buf), &got, &used), HF_PROXY_DONE);
    assert_int_equal(used, hf_buf_len(&buf));
    assert_addr(&got.source, source);
    assert_addr(&got.destination, destination);
    assert_true(hf_bytes_eq_str(got.alpn, "h2"));
    assert_true(hf_bytes_eq_str(got.authority, "api.example.org"));
    assert_true(hf_bytes_eq_str(got.unique_id, "0000000000000001"));
    assert_int_equal(got.tls.client, 3);
    assert_true(hf_bytes_eq_str(got.tls.cn, "alice"));
    assert_true(hf_bytes_eq_str(got.tls.version, "TLSv1.3"));
    assert_true(hf_bytes_eq(got.tls.cert, hf_bytes_of(der, sizeof(der))));
    hf_buf_done(&buf);
}

static void test_v2_round_trips(void **state)
{
    (void)state;
    check_round_trip("192.0.2.1:4711", "192.0.2.2:8443");
    check_round_trip("[2001:db8::1]:4711", "[2001:db8::2]:8443");
    check_round_trip("unix:/run/a.sock", "unix:/run/b.sock");
}

static void test_v2_cut_at_every_byte_wants_more(void **state)
{
    (void)state;
    struct hf_proxy_header header = full_header("192.0.2.1:4711", "192.0.2.2:8443");
    struct hf_proxy_header got;
    struct hf_buf buf;
    size_t used;
    encode(&header, &buf);
    for (size_t n = 0; n < hf_buf_len(&buf); n++) {
        assert_int_equal(hf_proxy_decode(hf_bytes_of(buf.mem, n), &got, &used), HF_PROXY_MORE);
    }
    hf_buf_done(&buf);
}

/* Every flipped bit is noticed, by the form or by the checksum, or makes the header longer. */
static void test_v2_flipped_at_every_bit_is_refused(void **state)
{
    (void)state;
    struct hf_proxy_header header = full_header("192.0.2.1:4711", "192.0.2.2:8443");
    struct hf_proxy_header got;
    struct hf_buf buf;
    size_t used;
    size_t taken = 0;
    encode(&header, &buf);
    for (size_t i = 0; i < 8 * hf_buf_len(&buf); i++) {
        buf.mem[i / 8] ^= (uint8_t)(1 << i % 8);
        if (hf_proxy_decode(hf_buf_bytes(&buf), &got, &used) == HF_PROXY_DONE) {
            taken++; /* the bit that turns PROXY into LOCAL; the checksum field's own type bits */
        }
        buf.mem[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    assert_true(taken <= 1 + 8);
    hf_buf_done(&buf);
}

static void test_v2_local_tells_nothing(void **state)
{
    (void)state;
    struct hf_proxy_header header = {.local = true};
    struct hf_proxy_header got;
    struct hf_buf buf;
    size_t used;
    encode(&header, &buf);
    assert_int_equal(hf_proxy_decode(hf_buf_bytes(&buf), &got, &used), HF_PROXY_DONE);
    assert_true(got.local);
    assert_int_equal(got.source.len, 0);
    hf_buf_done(&buf);
}

static void test_v2_without_checksum_and_with_unknown_fields_is_taken(void **state)
{
    (void)state;
    static const uint8_t bytes[] = {
        0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
        0x21, 0x11, 0x00, 0x11, 127,  0,    0,    1,    127,  0,    0,    2,
        0x12, 0x67, 0x01, 0xbb, 0xee, 0x00, 0x02, 0xab, 0xcd, 0x04, 0x00, 0x00,
    };
    struct hf_proxy_header got;
    size_t used;
    assert_int_equal(hf_proxy_decode(hf_bytes_of(bytes, sizeof(bytes)), &got, &used),
                     HF_PROXY_DONE);
    assert_int_equal(used, 33);
    assert_addr(&got.source, "127.0.0.1:4711");
    assert_addr(&got.destination, "127.0.0.2:443");
}

static void test_v2_too_long_is_refused_before_it_is_read(void **state)
{
    (void)state;
    uint8_t bytes[16] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51,
                         0x55, 0x49, 0x54, 0x0a, 0x21, 0x11, 0xff, 0xff};
    struct hf_proxy_header got;
    size_t used;
    assert_int_equal(hf_proxy_decode(hf_bytes_of(bytes, sizeof(bytes)), &got, &used), HF_PROXY_BAD);
}

static void test_v1_is_written_as_read(void **state)
{
    (void)state;
    struct hf_proxy_header header = full_header("192.0.2.1:4711", "192.0.2.2:8443");
    struct hf_buf buf = HF_BUF_INIT(256);
    assert_int_equal(hf_proxy_encode_v1(&header, &buf), HF_OK);
    assert_true(
        hf_bytes_eq_str(hf_buf_bytes(&buf), "PROXY TCP4 192.0.2.1 192.0.2.2 4711 8443\r\n"));
    hf_buf_reset(&buf);
    header.source = addr("unix:/run/a.sock");
    assert_int_equal(hf_proxy_encode_v1(&header, &buf), HF_OK);
    assert_true(hf_bytes_eq_str(hf_buf_bytes(&buf), "PROXY UNKNOWN\r\n"));
    hf_buf_done(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v1_ipv4_line_of_the_specification),
        cmocka_unit_test(test_v1_unknown_tells_no_address),
        cmocka_unit_test(test_v1_lines_that_are_wrong),
        cmocka_unit_test(test_v2_round_trips),
        cmocka_unit_test(test_v2_cut_at_every_byte_wants_more),
        cmocka_unit_test(test_v2_flipped_at_every_bit_is_refused),
        cmocka_unit_test(test_v2_local_tells_nothing),
        cmocka_unit_test(test_v2_without_checksum_and_with_unknown_fields_is_taken),
        cmocka_unit_test(test_v2_too_long_is_refused_before_it_is_read),
        cmocka_unit_test(test_v1_is_written_as_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
