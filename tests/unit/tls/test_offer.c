// SPDX-License-Identifier: Apache-2.0
#include "tls/offer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include "base/attr.h"

#include <cmocka.h>

static void numbers_become_names_and_grease_is_left_out(void **state)
{
    static const uint16_t suites[] = {0xdada, 0x1301, 0xc02f, 0x1234};
    static const uint16_t versions[] = {0x0a0a, 0x0302, 0x0301};
    static const uint16_t groups[] = {0x11ec, 29};
    static const uint16_t schemes[] = {0x0403, 0x0804};
    char text[HF_OFFER_TEXT];
    (void)state;
    hf_offer_text(HF_OFFER_SUITE, suites, HF_N_ELEMENTS(suites), text);
    assert_string_equal(text,
                        "TLS_AES_128_GCM_SHA256, TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, 0x1234");
    hf_offer_text(HF_OFFER_VERSION, versions, HF_N_ELEMENTS(versions), text);
    assert_string_equal(text, "TLS 1.1, TLS 1.0");
    hf_offer_text(HF_OFFER_GROUP, groups, HF_N_ELEMENTS(groups), text);
    assert_string_equal(text, "X25519MLKEM768, x25519");
    hf_offer_text(HF_OFFER_SCHEME, schemes, HF_N_ELEMENTS(schemes), text);
    assert_string_equal(text, "ecdsa_secp256r1_sha256, rsa_pss_rsae_sha256");
    hf_offer_text(HF_OFFER_GROUP, NULL, 0, text);
    assert_string_equal(text, "none");
}

static void what_does_not_fit_is_counted(void **state)
{
    uint16_t suites[60];
    char text[HF_OFFER_TEXT];
    (void)state;
    for (size_t i = 0; i < HF_N_ELEMENTS(suites); i++) {
        suites[i] = 0xc02f;
    }
    hf_offer_text(HF_OFFER_SUITE, suites, HF_N_ELEMENTS(suites), text);
    assert_true(strlen(text) < HF_OFFER_TEXT);
    assert_non_null(strstr(text, "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 and 56 more"));
}

static void lists_on_the_wire_are_read_to_their_last_whole_number(void **state)
{
    static const uint8_t wire[] = {0x13, 0x01, 0x13, 0x03, 0x13};
    uint16_t numbers[4];
    char text[HF_OFFER_TEXT];
    (void)state;
    assert_int_equal(hf_offer_numbers(hf_bytes_of(wire, sizeof(wire)), numbers, 4), 2);
    assert_int_equal(hf_offer_numbers(hf_bytes_of(wire, sizeof(wire)), numbers, 1), 1);
    assert_int_equal(numbers[0], 0x1301);
    hf_offer_wire_text(HF_OFFER_SUITE, hf_bytes_of(wire, sizeof(wire)), text);
    assert_string_equal(text, "TLS_AES_128_GCM_SHA256, TLS_CHACHA20_POLY1305_SHA256");
}

static void protocol_names_are_escaped_and_cut_ones_left_out(void **state)
{
    static const uint8_t wire[] = {2, 'h', '2', 3, 'a', 0x1b, 'b', 9, 'c', 'u', 't'};
    char text[HF_OFFER_TEXT];
    (void)state;
    hf_offer_alpn_text(hf_bytes_of(wire, sizeof(wire)), text);
    assert_non_null(strstr(text, "h2, a"));
    assert_null(strchr(text, 0x1b));
    for (size_t len = 0; len <= sizeof(wire); len++) {
        hf_offer_alpn_text(hf_bytes_of(wire, len), text);
        assert_true(strlen(text) > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_become_names_and_grease_is_left_out),
        cmocka_unit_test(what_does_not_fit_is_counted),
        cmocka_unit_test(lists_on_the_wire_are_read_to_their_last_whole_number),
        cmocka_unit_test(protocol_names_are_escaped_and_cut_ones_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
