// SPDX-License-Identifier: Apache-2.0
/* The PROXY protocol: spec examples, round trips, and input that is cut, bent or too long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "proxy/proxy_protocol.h"
#include "proxy/proxy_protocol_wire.h"

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

static void test_v1_cut_at_every_byte_wants_more(void **state)
{
    (void)state;
    static const char text[] = "PROXY TCP6 2001:db8::1 2001:db8::2 4711 8443\r\n";
    struct hf_proxy_header header;
    size_t used;
    for (size_t n = 0; n < sizeof(text) - 1; n++) {
        assert_int_equal(hf_proxy_decode(hf_bytes_of(text, n), &header, &used), HF_PROXY_MORE);
        assert_int_equal(used, 0);
    }
    assert_int_equal(decode_text(text, &header), HF_PROXY_DONE);
    assert_addr(&header.source, "[2001:db8::1]:4711");
    assert_addr(&header.destination, "[2001:db8::2]:8443");
}

static void test_v1_may_have_107_bytes_and_not_one_more(void **state)
{
    (void)state;
    char line[200];
    struct hf_proxy_header header;
    size_t used;
    for (int fill = 80; fill < 100; fill++) {
        int len = snprintf(line, sizeof(line), "PROXY UNKNOWN %0*d\r\n", fill, 0);
        enum hf_proxy_step want = len <= 107 ? HF_PROXY_DONE : HF_PROXY_BAD;
        assert_int_equal(hf_proxy_decode(hf_bytes_str(line), &header, &used), want);
        assert_int_equal(used, len <= 107 ? len : 0);
    }
    memset(line, 'x', sizeof(line));
    memcpy(line, "PROXY ", 6);
    assert_int_equal(hf_proxy_decode(hf_bytes_of(line, 106), &header, &used), HF_PROXY_MORE);
    assert_int_equal(hf_proxy_decode(hf_bytes_of(line, 107), &header, &used), HF_PROXY_BAD);
    assert_non_null(strstr(hf_err_text(), "107"));
}

static void test_v1_with_a_nul_is_refused(void **state)
{
    (void)state;
    static const char text[] = "PROXY TCP4 1.2.3.4\0 1.2.3.4 1 1\r\n";
    struct hf_proxy_header header;
    size_t used;
    assert_int_equal(hf_proxy_decode(hf_bytes_of(text, sizeof(text) - 1), &header, &used),
                     HF_PROXY_BAD);
}

static void test_a_stranger_is_refused_at_its_first_wrong_byte(void **state)
{
    (void)state;
    static const char *const wrong[] = {"G", "PR0", "PROXY\t", "\x16", "\r\n\r\n0", "\r\nX"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct hf_proxy_header header;
        assert_int_equal(decode_text(wrong[i], &header), HF_PROXY_BAD);
        assert_non_null(strstr(hf_err_text(), "no PROXY header"));
    }
}

static void test_the_checksum_is_crc32c(void **state)
{
    (void)state;
    uint32_t part = hf_pp2_crc32c(0, hf_bytes_str("1234"));
    assert_int_equal(hf_pp2_crc32c(0, hf_bytes_str("123456789")), 0xe3069283);
    assert_int_equal(hf_pp2_crc32c(part, hf_bytes_str("56789")), 0xe3069283);
}

/* A version 2 header made of the given command, family and body. */
static enum hf_proxy_step decode_v2(uint8_t command, uint8_t family, struct hf_bytes body,
                                    struct hf_proxy_header *out)
{
    static uint8_t bytes[1000];
    size_t used;
    memcpy(bytes, HF_PP2_SIGNATURE, 12);
    bytes[12] = command;
    bytes[13] = family;
    bytes[14] = (uint8_t)(body.len >> 8);
    bytes[15] = (uint8_t)body.len;
    if (body.len) {
        memcpy(bytes + 16, body.ptr, body.len);
    }
    return hf_proxy_decode(hf_bytes_of(bytes, 16 + body.len), out, &used);
}

#define BODY(text) hf_bytes_of(text, sizeof(text) - 1)

static void test_v2_versions_commands_and_families_that_are_unknown(void **state)
{
    (void)state;
    struct hf_proxy_header header;
    for (unsigned byte = 0; byte < 256; byte++) {
        uint8_t b = (uint8_t)byte;
        bool good = b == 0x20 || b == 0x21;
        assert_int_equal(decode_v2(b, 0, BODY(""), &header), good ? HF_PROXY_DONE : HF_PROXY_BAD);
        if (b != 0x11 && b != 0x21 && b != 0x31) {
            assert_int_equal(decode_v2(0x21, b, BODY(""), &header),
                             b == 0 ? HF_PROXY_DONE : HF_PROXY_BAD);
        }
        assert_int_equal(decode_v2(0x20, b, BODY("whatever"), &header), HF_PROXY_DONE);
        assert_true(header.local && header.source.len == 0);
    }
}

static void test_v2_whose_addresses_do_not_fit_its_length(void **state)
{
    (void)state;
    static const uint8_t zeros[216];
    static const struct {
        uint8_t family;
        size_t size;
    } cases[] = {{0x11, 12}, {0x21, 36}, {0x31, 216}};
    for (size_t i = 0; i < 3; i++) {
        struct hf_proxy_header header;
        for (size_t len = 0; len < cases[i].size; len++) {
            assert_int_equal(decode_v2(0x21, cases[i].family, hf_bytes_of(zeros, len), &header),
                             HF_PROXY_BAD);
        }
        assert_int_equal(
            decode_v2(0x21, cases[i].family, hf_bytes_of(zeros, cases[i].size), &header),
            HF_PROXY_DONE);
        assert_true(header.source.len && header.destination.len);
    }
}

static void test_v2_fields_that_are_broken(void **state)
{
    (void)state;
    const struct hf_bytes bodies[] = {
        BODY("\x01"),                                         /* no length */
        BODY("\x01\0"),                                       /* half a length */
        BODY("\x01\0\x03h2"),                                 /* cut */
        BODY("\x01\0\x02h2\x02"),                             /* a second one cut */
        BODY("\x20\0\x04\x01\0\0\0"),                         /* SSL without its verify */
        BODY("\x20\0\x09\x01\0\0\0\0\x21\0\x05x"),            /* SSL field longer than SSL */
        BODY("\x03\0\x03\0\0\0"),                             /* checksum of three bytes */
        BODY("\x03\0\0"),                                     /* and of none */
        BODY("\x03\0\x04\0\0\0\0"),                           /* a wrong one */
        BODY("\x01\0\x02h2\x01\0\x02h2"),                     /* twice */
        BODY("\x02\0\x01x\x02\0\x01y"),                       /* twice */
        BODY("\x20\0\x05\x01\0\0\0\0\x20\0\x05\x01\0\0\0\0"), /* twice */
        BODY("\x20\0\x0d\x01\0\0\0\0\x22\0\x01x\x22\0\x01y"), /* twice within SSL */
    };
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct hf_proxy_header header;
        if (decode_v2(0x21, 0, bodies[i], &header) != HF_PROXY_BAD) {
            fail_msg("body %zu is taken", i);
        }
    }
}

static void test_v2_fields_that_are_odd_and_allowed(void **state)
{
    (void)state;
    struct hf_proxy_header header;
    /* unknown ones twice, empty ones, an unknown field within SSL */
    assert_int_equal(
        decode_v2(0x21, 0, BODY("\xea\0\x01x\xea\0\x01y\x01\0\0\x01\0\x02h2"), &header),
        HF_PROXY_DONE);
    assert_true(hf_bytes_eq_str(header.alpn, "h2"));
    assert_int_equal(
        decode_v2(0x21, 0, BODY("\x20\0\x0d\x07\0\0\0\x01\x7f\0\x01x\x25\0\x01y"), &header),
        HF_PROXY_DONE);
    assert_int_equal(header.tls.client, 7);
    assert_int_equal(header.tls.verify, 1);
    assert_true(hf_bytes_eq_str(header.tls.key_alg, "y"));
}

static void test_v2_unique_id_of_at_most_128_bytes(void **state)
{
    (void)state;
    static uint8_t body[3 + 129] = {0x05, 0, 128};
    struct hf_proxy_header header;
    assert_int_equal(decode_v2(0x21, 0, hf_bytes_of(body, 3 + 128), &header), HF_PROXY_DONE);
    body[2] = 129;
    assert_int_equal(decode_v2(0x21, 0, hf_bytes_of(body, 3 + 129), &header), HF_PROXY_BAD);
    struct hf_buf buf = HF_BUF_INIT(1000);
    header = full_header("192.0.2.1:1", "192.0.2.2:2");
    header.unique_id = hf_bytes_of(body, 129);
    assert_int_equal(hf_proxy_encode_v2(&header, &buf), HF_E_INVALID);
    assert_int_equal(hf_buf_len(&buf), 0);
    hf_buf_done(&buf);
}

static void test_v2_unix_names_keep_their_kind(void **state)
{
    (void)state;
    char longest[6 + 108] = "unix:/";
    memset(longest + 6, 'a', 106);
    check_round_trip("unix:@abstract", longest);
    check_round_trip("unix:/run/x", "unix:/run/x");
    struct hf_proxy_header header = {0}, got;
    struct hf_buf buf;
    size_t used;
    header.source.un.sun_family = header.destination.un.sun_family = AF_UNIX;
    header.source.len = sizeof(sa_family_t); /* a client that has no name */
    header.destination = addr("unix:/run/x");
    encode(&header, &buf);
    assert_int_equal(hf_proxy_decode(hf_buf_bytes(&buf), &got, &used), HF_PROXY_DONE);
    assert_addr(&got.source, "unix:");
    assert_true(hf_addr_eq(&got.destination, &header.destination));
    hf_buf_done(&buf);
}

static void test_addresses_that_do_not_go_together_are_not_told(void **state)
{
    (void)state;
    struct hf_proxy_header header = {.source = addr("192.0.2.1:1"),
                                     .destination = addr("[2001:db8::1]:2")};
    struct hf_proxy_header got;
    struct hf_buf buf;
    size_t used;
    encode(&header, &buf);
    assert_int_equal(hf_proxy_decode(hf_buf_bytes(&buf), &got, &used), HF_PROXY_DONE);
    assert_int_equal(got.source.len + got.destination.len, 0);
    assert_false(got.local);
    hf_buf_reset(&buf);
    assert_int_equal(hf_proxy_encode_v1(&header, &buf), HF_OK);
    assert_true(hf_bytes_eq_str(hf_buf_bytes(&buf), "PROXY UNKNOWN\r\n"));
    hf_buf_done(&buf);
}

static void test_a_certificate_that_does_not_fit_is_left_out(void **state)
{
    (void)state;
    static uint8_t cert[70000];
    static const size_t sizes[] = {HF_PROXY_HEADER_SIZE_MAX - 300, HF_PROXY_HEADER_SIZE_MAX, 65535,
                                   70000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct hf_proxy_header header = full_header("192.0.2.1:1", "192.0.2.2:2"), got;
        struct hf_buf buf = HF_BUF_INIT(1 << 20);
        size_t used;
        header.tls.cert = hf_bytes_of(cert, sizes[i]);
        assert_int_equal(hf_buf_append_str(&buf, "kept"), HF_OK);
        assert_int_equal(hf_proxy_encode_v2(&header, &buf), HF_OK);
        hf_buf_consume(&buf, 4);
        assert_int_equal(hf_proxy_decode(hf_buf_bytes(&buf), &got, &used), HF_PROXY_DONE);
        assert_int_equal(used, hf_buf_len(&buf));
        assert_int_equal(got.tls.cert.len, i == 0 ? sizes[0] : 0);
        assert_true(hf_bytes_eq_str(got.tls.cn, "alice"));
        hf_buf_done(&buf);
    }
}

static void test_a_header_that_does_not_fit_leaves_nothing_behind(void **state)
{
    (void)state;
    static uint8_t name[HF_PROXY_HEADER_SIZE_MAX];
    struct hf_proxy_header header = full_header("192.0.2.1:1", "192.0.2.2:2");
    struct hf_buf whole;
    encode(&header, &whole);
    size_t without_cert = hf_buf_len(&whole) - 3 - sizeof(der);
    for (size_t cap = 4; cap < 4 + without_cert; cap++) {
        struct hf_buf buf = HF_BUF_INIT(cap);
        assert_int_equal(hf_buf_append_str(&buf, "kept"), HF_OK);
        assert_int_equal(hf_proxy_encode_v2(&header, &buf), HF_E_TOO_LARGE);
        assert_true(hf_bytes_eq_str(hf_buf_bytes(&buf), "kept"));
        hf_buf_done(&buf);
    }
    hf_buf_done(&whole);
    struct hf_buf buf = HF_BUF_INIT(1 << 20);
    header.tls.cn = hf_bytes_of(name, sizeof(name));
    assert_int_equal(hf_proxy_encode_v2(&header, &buf), HF_E_TOO_LARGE);
    assert_int_equal(hf_buf_len(&buf), 0);
    hf_buf_release(&buf);
    header.tls.cn = hf_bytes_str("alice");
    hf_alloc_fail_after(1);
    assert_int_equal(hf_proxy_encode_v2(&header, &buf), HF_E_NOMEM);
    hf_alloc_fail_after(0);
    assert_int_equal(hf_buf_len(&buf), 0);
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
        cmocka_unit_test(test_v1_cut_at_every_byte_wants_more),
        cmocka_unit_test(test_v1_may_have_107_bytes_and_not_one_more),
        cmocka_unit_test(test_v1_with_a_nul_is_refused),
        cmocka_unit_test(test_a_stranger_is_refused_at_its_first_wrong_byte),
        cmocka_unit_test(test_the_checksum_is_crc32c),
        cmocka_unit_test(test_v2_versions_commands_and_families_that_are_unknown),
        cmocka_unit_test(test_v2_whose_addresses_do_not_fit_its_length),
        cmocka_unit_test(test_v2_fields_that_are_broken),
        cmocka_unit_test(test_v2_fields_that_are_odd_and_allowed),
        cmocka_unit_test(test_v2_unique_id_of_at_most_128_bytes),
        cmocka_unit_test(test_v2_unix_names_keep_their_kind),
        cmocka_unit_test(test_addresses_that_do_not_go_together_are_not_told),
        cmocka_unit_test(test_a_certificate_that_does_not_fit_is_left_out),
        cmocka_unit_test(test_a_header_that_does_not_fit_leaves_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
