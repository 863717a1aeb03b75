// SPDX-License-Identifier: Apache-2.0
#include "tls/native/ticket_seal.h"

#include <stdlib.h>

#include "base/mem.h"
#include "vectors.h"

struct fixture {
    struct hf_crypto *crypto;
    struct counting_rng counter;
    struct hf_rng rng;
    struct hf_ticket_seal seal;
    struct hf_buf ticket, plain;
};

/* A key of 32 bytes, all `fill`, whose name is all `fill` too. */
static struct hf_tls_ticket_key key_of(uint8_t fill)
{
    struct hf_tls_ticket_key key;
    memset(key.name, fill, sizeof(key.name));
    memset(key.secret.byte, fill, 32);
    key.secret.len = 32;
    return key;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    assert_non_null(f);
    assert_int_equal(hf_crypto_new(&f->crypto), HF_OK);
    f->rng = counting_rng(&f->counter);
    f->ticket = HF_BUF_INIT(4096);
    f->plain = HF_BUF_INIT(4096);
    struct hf_tls_ticket_keys keys = {.key = {key_of(1), key_of(2)}, .n_keys = 2};
    assert_int_equal(hf_ticket_seal_init(&f->seal, &keys), HF_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    hf_ticket_seal_done(&f->seal);
    hf_buf_done(&f->ticket);
    hf_buf_done(&f->plain);
    hf_crypto_free(f->crypto);
    free(f);
    return 0;
}

static enum hf_err seal_text(struct fixture *f, const char *text)
{
    hf_buf_reset(&f->ticket);
    return hf_ticket_seal_make(&f->seal, f->crypto, &f->rng, hf_bytes_str(text), &f->ticket);
}

static enum hf_err open_ticket(struct fixture *f, struct hf_bytes ticket, bool *old)
{
    hf_buf_reset(&f->plain);
    return hf_ticket_seal_open(&f->seal, f->crypto, ticket, &f->plain, old);
}

static void a_ticket_opens_to_what_was_sealed(void **state)
{
    struct fixture *f = *state;
    bool old = true;
    assert_int_equal(seal_text(f, "contents"), HF_OK);
    assert_int_equal(hf_buf_len(&f->ticket), 8 + HF_TICKET_OVERHEAD);
    assert_int_equal(open_ticket(f, hf_buf_bytes(&f->ticket), &old), HF_OK);
    assert_true(hf_bytes_eq_str(hf_buf_bytes(&f->plain), "contents"));
    assert_false(old);
}

static void an_empty_ticket_is_fine(void **state)
{
    struct fixture *f = *state;
    bool old;
    assert_int_equal(seal_text(f, ""), HF_OK);
    assert_int_equal(open_ticket(f, hf_buf_bytes(&f->ticket), &old), HF_OK);
    assert_int_equal(hf_buf_len(&f->plain), 0);
}

static void two_tickets_of_the_same_contents_differ(void **state)
{
    struct fixture *f = *state;
    uint8_t first[8 + HF_TICKET_OVERHEAD];
    assert_int_equal(seal_text(f, "contents"), HF_OK);
    memcpy(first, hf_buf_bytes(&f->ticket).ptr, sizeof(first));
    assert_int_equal(seal_text(f, "contents"), HF_OK);
    const uint8_t *second = hf_buf_bytes(&f->ticket).ptr;
    assert_memory_equal(first, second, HF_TICKET_NAME_LEN);
    assert_memory_not_equal(first + HF_TICKET_NAME_LEN, second + HF_TICKET_NAME_LEN,
                            HF_TICKET_SALT_LEN);
    assert_memory_not_equal(first + 48, second + 48, 8);
}

static void the_first_key_seals_and_all_open(void **state)
{
    struct fixture *f = *state;
    bool old = false;
    assert_int_equal(seal_text(f, "contents"), HF_OK);
    assert_int_equal(hf_buf_bytes(&f->ticket).ptr[0], 1);
    /* a new key comes in front, as rotation does */
    struct hf_tls_ticket_keys rotated = {.key = {key_of(3), key_of(1), key_of(2)}, .n_keys = 3};
    hf_ticket_seal_done(&f->seal);
    assert_int_equal(hf_ticket_seal_init(&f->seal, &rotated), HF_OK);
    assert_int_equal(open_ticket(f, hf_buf_bytes(&f->ticket), &old), HF_OK);
    assert_true(old);
    assert_int_equal(seal_text(f, "contents"), HF_OK);
    assert_int_equal(hf_buf_bytes(&f->ticket).ptr[0], 3);
}

static void a_key_that_is_gone_opens_nothing(void **state)
{
    struct fixture *f = *state;
    bool old;
    assert_int_equal(seal_text(f, "contents"), HF_OK);
    struct hf_tls_ticket_keys others = {.key = {key_of(4)}, .n_keys = 1};
    hf_ticket_seal_done(&f->seal);
    assert_int_equal(hf_ticket_seal_init(&f->seal, &others), HF_OK);
    assert_int_equal(open_ticket(f, hf_buf_bytes(&f->ticket), &old), HF_E_NOT_FOUND);
}

static void every_flipped_bit_is_refused(void **state)
{
    struct fixture *f = *state;
    uint8_t ticket[8 + HF_TICKET_OVERHEAD];
    bool old;
    assert_int_equal(seal_text(f, "contents"), HF_OK);
    for (size_t bit = 0; bit < 8 * sizeof(ticket); bit++) {
        memcpy(ticket, hf_buf_bytes(&f->ticket).ptr, sizeof(ticket));
        ticket[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(open_ticket(f, hf_bytes_of(ticket, sizeof(ticket)), &old),
                         bit / 8 < HF_TICKET_NAME_LEN ? HF_E_NOT_FOUND : HF_E_MISMATCH);
        assert_int_equal(hf_buf_len(&f->plain), 0);
    }
}

/* The name is authenticated: two keys with the same secret don't open each other's tickets. */
static void a_ticket_under_another_name_is_refused(void **state)
{
    struct fixture *f = *state;
    struct hf_tls_ticket_keys twins = {.key = {key_of(1), key_of(1)}, .n_keys = 2};
    bool old;
    memset(twins.key[1].name, 9, HF_TICKET_NAME_LEN);
    hf_ticket_seal_done(&f->seal);
    assert_int_equal(hf_ticket_seal_init(&f->seal, &twins), HF_OK);
    assert_int_equal(seal_text(f, "contents"), HF_OK);
    uint8_t ticket[8 + HF_TICKET_OVERHEAD];
    memcpy(ticket, hf_buf_bytes(&f->ticket).ptr, sizeof(ticket));
    memset(ticket, 9, HF_TICKET_NAME_LEN);
    assert_int_equal(open_ticket(f, hf_bytes_of(ticket, sizeof(ticket)), &old), HF_E_MISMATCH);
}

static void every_truncation_is_refused(void **state)
{
    struct fixture *f = *state;
    bool old;
    assert_int_equal(seal_text(f, "contents"), HF_OK);
    for (size_t len = 0; len < hf_buf_len(&f->ticket); len++) {
        struct hf_bytes cut = hf_bytes_of(hf_buf_bytes(&f->ticket).ptr, len);
        assert_int_equal(open_ticket(f, cut, &old),
                         len < HF_TICKET_OVERHEAD ? HF_E_TRUNCATED : HF_E_MISMATCH);
    }
}

static void bad_sets_of_keys_are_refused(void **state)
{
    (void)state;
    struct hf_ticket_seal seal, zero;
    memset(&zero, 0, sizeof(zero));
    struct hf_tls_ticket_keys keys = {.key = {key_of(1), key_of(1)}, .n_keys = 2};
    assert_int_equal(hf_ticket_seal_init(&seal, &keys), HF_E_INVALID);
    assert_memory_equal(&seal, &zero, sizeof(seal));
    keys = (struct hf_tls_ticket_keys){.key = {key_of(1)}, .n_keys = 1};
    keys.key[0].secret.len = 31;
    assert_int_equal(hf_ticket_seal_init(&seal, &keys), HF_E_INVALID);
    keys.n_keys = HF_TLS_TICKET_KEYS + 1;
    assert_int_equal(hf_ticket_seal_init(&seal, &keys), HF_E_INVALID);
}

static void without_keys_nothing_seals_and_nothing_opens(void **state)
{
    struct fixture *f = *state;
    struct hf_tls_ticket_keys none = {.n_keys = 0};
    bool old;
    assert_int_equal(seal_text(f, "contents"), HF_OK);
    hf_ticket_seal_done(&f->seal);
    assert_int_equal(hf_ticket_seal_init(&f->seal, &none), HF_OK);
    assert_int_equal(open_ticket(f, hf_buf_bytes(&f->ticket), &old), HF_E_NOT_FOUND);
    assert_int_equal(seal_text(f, "contents"), HF_E_INVALID);
}

static enum hf_err no_random(void *ctx, struct hf_span out)
{
    (void)ctx;
    (void)out;
    return hf_fail(HF_E_CRYPTO, "no random bytes");
}

static void failures_leave_the_output_as_it_was(void **state)
{
    struct fixture *f = *state;
    struct hf_rng broken = {.fill = no_random};
    bool old;
    assert_int_equal(
        hf_ticket_seal_make(&f->seal, f->crypto, &broken, hf_bytes_str("contents"), &f->ticket),
        HF_E_CRYPTO);
    assert_int_equal(hf_buf_len(&f->ticket), 0);
    hf_buf_release(&f->ticket);
    hf_alloc_fail_after(1);
    assert_int_equal(seal_text(f, "contents"), HF_E_NOMEM);
    hf_alloc_fail_after(0);
    assert_int_equal(seal_text(f, "contents"), HF_OK);
    f->plain.cap = 8 + 15; /* the tag needs room too */
    assert_int_equal(open_ticket(f, hf_buf_bytes(&f->ticket), &old), HF_E_TOO_LARGE);
    f->plain.cap = 8 + 16;
    assert_int_equal(open_ticket(f, hf_buf_bytes(&f->ticket), &old), HF_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_ticket_opens_to_what_was_sealed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_empty_ticket_is_fine, set_up, tear_down),
        cmocka_unit_test_setup_teardown(two_tickets_of_the_same_contents_differ, set_up, tear_down),
        cmocka_unit_test_setup_teardown(the_first_key_seals_and_all_open, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_key_that_is_gone_opens_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_flipped_bit_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_ticket_under_another_name_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_truncation_is_refused, set_up, tear_down),
        cmocka_unit_test(bad_sets_of_keys_are_refused),
        cmocka_unit_test_setup_teardown(without_keys_nothing_seals_and_nothing_opens, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(failures_leave_the_output_as_it_was, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
