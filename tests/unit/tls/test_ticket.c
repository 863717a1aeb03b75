// SPDX-License-Identifier: Apache-2.0

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#include <string.h>

#include "testpki.h"
#include "tls/ticket.h"

static const uint8_t first[] = {1, 2, 3}, second[300] = {9};

static void encode(struct hf_buf *out)
{
    struct hf_ticket ticket = {
        .realm = {7, [31] = 8},
        .expires_at = INT64_C(1800000000),
        .n_ders = 2,
        .ders = {{first, sizeof(first)}, {second, sizeof(second)}},
    };
    *out = HF_BUF_INIT(4096);
    assert_int_equal(hf_ticket_encode(&ticket, out), HF_OK);
}

static void test_what_goes_in_comes_out(void **state)
{
    (void)state;
    struct hf_buf bytes;
    struct hf_ticket ticket;
    encode(&bytes);
    assert_int_equal(hf_ticket_decode(hf_buf_bytes(&bytes), &ticket), HF_OK);
    assert_int_equal(ticket.realm[0], 7);
    assert_int_equal(ticket.realm[31], 8);
    assert_int_equal(ticket.expires_at, INT64_C(1800000000));
    assert_int_equal(ticket.n_ders, 2);
    assert_true(hf_bytes_eq(ticket.ders[0], hf_bytes_of(first, sizeof(first))));
    assert_true(hf_bytes_eq(ticket.ders[1], hf_bytes_of(second, sizeof(second))));
    hf_buf_done(&bytes);
}

static void test_cut_tickets_are_refused_but_between_certificates(void **state)
{
    (void)state;
    struct hf_buf bytes;
    struct hf_ticket ticket;
    encode(&bytes);
    const size_t fixed = 1 + HF_TICKET_REALM_SIZE + 8;
    for (size_t len = 0; len < hf_buf_len(&bytes); len++) {
        bool whole = len == fixed || len == fixed + 3 + sizeof(first);
        assert_int_equal(hf_ticket_decode(hf_bytes_of(hf_buf_bytes(&bytes).ptr, len), &ticket),
                         whole ? HF_OK : HF_E_TRUNCATED);
    }
    hf_buf_done(&bytes);
}

static void test_tickets_of_another_version_are_refused(void **state)
{
    (void)state;
    struct hf_buf bytes;
    struct hf_ticket ticket;
    encode(&bytes);
    bytes.mem[bytes.start]++;
    assert_int_equal(hf_ticket_decode(hf_buf_bytes(&bytes), &ticket), HF_E_UNSUPPORTED);
    hf_buf_done(&bytes);
}

static void test_too_many_certificates_are_refused(void **state)
{
    (void)state;
    struct hf_buf bytes;
    struct hf_ticket ticket;
    encode(&bytes);
    for (size_t i = 0; i < HF_CHAIN_MAX - 1; i++) {
        assert_int_equal(hf_buf_append(&bytes, hf_bytes_of("\0\0\1x", 4)), HF_OK);
    }
    assert_int_equal(hf_ticket_decode(hf_buf_bytes(&bytes), &ticket), HF_E_MALFORMED);
    hf_buf_done(&bytes);
}

static void test_long_chains_are_refused(void **state)
{
    (void)state;
    static const uint8_t der[HF_TICKET_CHAIN_MAX];
    struct hf_buf bytes = HF_BUF_INIT(2 * HF_TICKET_CHAIN_MAX);
    struct hf_ticket ticket = {.n_ders = 1, .ders = {{der, sizeof(der)}}};
    assert_int_equal(hf_ticket_encode(&ticket, &bytes), HF_OK);
    ticket.ders[ticket.n_ders++] = hf_bytes_of(der, 1);
    hf_buf_reset(&bytes);
    assert_int_equal(hf_ticket_encode(&ticket, &bytes), HF_E_TOO_LARGE);
    assert_int_equal(hf_buf_len(&bytes), 0);
    hf_buf_done(&bytes);
}

static void test_the_end_is_the_earliest(void **state)
{
    (void)state;
    const struct testpki_spec ca = {.cn = "CA", .ca = true, .not_after = TESTPKI_NOW + 50};
    const struct testpki_spec leaf = {.cn = "leaf", .not_after = TESTPKI_NOW + 100};
    struct testpki *issuer = testpki_make(NULL, &ca);
    struct testpki *child = testpki_make(issuer, &leaf);
    struct hf_chain *both = testpki_chain_of(child, issuer, NULL);
    struct hf_chain *alone = testpki_chain_of(child, NULL);
    assert_int_equal(hf_ticket_end(TESTPKI_NOW, 10, both), TESTPKI_NOW + 10);
    assert_int_equal(hf_ticket_end(TESTPKI_NOW, 3600, both), TESTPKI_NOW + 50);
    assert_int_equal(hf_ticket_end(TESTPKI_NOW, 3600, alone), TESTPKI_NOW + 100);
    assert_int_equal(hf_ticket_end(TESTPKI_NOW, 3600, NULL), TESTPKI_NOW + 3600);
    hf_chain_unref(both);
    hf_chain_unref(alone);
    testpki_free(child);
    testpki_free(issuer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_goes_in_comes_out),
        cmocka_unit_test(test_cut_tickets_are_refused_but_between_certificates),
        cmocka_unit_test(test_tickets_of_another_version_are_refused),
        cmocka_unit_test(test_too_many_certificates_are_refused),
        cmocka_unit_test(test_long_chains_are_refused),
        cmocka_unit_test(test_the_end_is_the_earliest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
