// SPDX-License-Identifier: Apache-2.0
#include "tls/ticket_keys.h"

#include <string.h>

#include "base/mem.h"
#include "tlspair.h"

// clang-format off
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
// clang-format on

#define NAME   "000102030405060708090a0b0c0d0e0f"
#define NAME_2 "100102030405060708090a0b0c0d0e0f"
#define NAME_3 "200102030405060708090a0b0c0d0e0f"
#define NAME_4 "300102030405060708090a0b0c0d0e0f"
#define SECRET "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"

static void keys_are_written_and_read_back(void **state)
{
    (void)state;
    struct hf_tls_ticket_keys keys = {.n_keys = 0}, read;
    struct hf_buf text HF_CLEANUP(hf_buf_done) = HF_BUF_INIT(HF_TICKET_KEYS_FILE_MAX);
    assert_int_equal(hf_ticket_keys_draw(&keys, &hf_os_rng), HF_OK);
    assert_int_equal(hf_ticket_keys_draw(&keys, &hf_os_rng), HF_OK);
    assert_int_equal(hf_ticket_keys_encode(&keys, &text), HF_OK);
    assert_int_equal(hf_ticket_keys_decode(hf_buf_bytes(&text), &read), HF_OK);
    assert_int_equal(read.n_keys, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_memory_equal(read.key[i].name, keys.key[i].name, sizeof(keys.key[i].name));
        assert_int_equal(read.key[i].secret.len, 32);
        assert_memory_equal(read.key[i].secret.byte, keys.key[i].secret.byte, 32);
    }
}

static void a_drawn_key_comes_first_and_the_fourth_goes(void **state)
{
    (void)state;
    struct hf_tls_ticket_keys keys = {.n_keys = 0};
    uint8_t names[5][16];
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(hf_ticket_keys_draw(&keys, &hf_os_rng), HF_OK);
        memcpy(names[i], keys.key[0].name, sizeof(names[i]));
        assert_int_equal(keys.n_keys, i < 3 ? i + 1 : 3);
        for (size_t j = 0; j < keys.n_keys; j++) {
            assert_memory_equal(keys.key[j].name, names[i - j], sizeof(names[i]));
        }
    }
}

static void comments_empty_lines_and_line_ends_are_passed_over(void **state)
{
    (void)state;
    struct hf_tls_ticket_keys keys;
    const char *text = "# one\r\n\r\n" NAME " " SECRET "\r\n\n# two\n" NAME_2 " " SECRET;
    assert_int_equal(hf_ticket_keys_decode(hf_bytes_str(text), &keys), HF_OK);
    assert_int_equal(keys.n_keys, 2);
    assert_int_equal(keys.key[1].name[0], 0x10);
}

static void what_is_wrong_is_told_by_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "holds no ticket key"},
        {"# nothing\n", "holds no ticket key"},
        {"# one\nabc\n", "line 2: not a key"},
        {NAME " " SECRET "0\n", "line 1: not a key"},
        {NAME "0" SECRET "\n", "line 1: not a key"},
        {NAME " " SECRET "\n" NAME " " SECRET "\n", "line 2: a key of this name"},
        {"x" NAME_2 " x" SECRET "\n", "line 1: not a key"},
        {"g00102030405060708090a0b0c0d0e0f " SECRET "\n", "line 1: a key is written in hex"},
        {NAME " " SECRET "\n" NAME_2 " " SECRET "\n" NAME_3 " " SECRET "\n" NAME_4 " " SECRET "\n",
         "line 4: more than 3"},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(cases); i++) {
        struct hf_tls_ticket_keys keys;
        assert_int_equal(hf_ticket_keys_decode(hf_bytes_str(cases[i].text), &keys), HF_E_MALFORMED);
        assert_non_null(strstr(hf_err_text(), cases[i].says));
        assert_null(strstr(hf_err_text(), "20212223"));
        assert_int_equal(keys.n_keys, 0);
    }
}

static void cut_and_flipped_text_does_no_harm(void **state)
{
    (void)state;
    static const char text[] = NAME " " SECRET "\n" NAME_2 " " SECRET "\n";
    for (size_t len = 0; len < sizeof(text); len++) {
        struct hf_tls_ticket_keys keys;
        char *copy = hf_strndup(text, len);
        enum hf_err err = hf_ticket_keys_decode(hf_bytes_of(copy, len), &keys);
        bool whole = len == 97 || len == 98 || len >= 2 * 98 - 1;
        assert_int_equal(err, whole ? HF_OK : HF_E_MALFORMED);
        if (len) {
            copy[len - 1] ^= 0x20;
            err = hf_ticket_keys_decode(hf_bytes_of(copy, len), &keys);
            assert_true(err == HF_OK || err == HF_E_MALFORMED);
        }
        hf_free(copy);
    }
}

/* --- Keys that are replaced under a context -----------------------------------------------------
 */

static void start_with_ticket(struct pair *pair, enum hf_tls_engine engine)
{
    pair_init(pair);
    pair->server_config.common.engine = engine;
    pair->server_config.tickets = true;
    pair_start(pair);
    pair_shake(pair);
    pair_settle(pair);
    pair->session = hf_tls_take_session(pair->client.tls);
    assert_non_null(pair->session);
}

static bool resumes(struct pair *pair)
{
    pair_again(pair);
    pair_shake(pair);
    assert_int_equal(pair->server.step, HF_TLS_DONE);
    return pair->server.info.resumed;
}

static void a_replaced_key_opens_until_it_is_dropped(void **state)
{
    (void)state;
    static const enum hf_tls_engine engines[] = {HF_TLS_ENGINE_NATIVE, HF_TLS_ENGINE_LIBSSL};
    for (size_t i = 0; i < HF_N_ELEMENTS(engines); i++) {
        struct pair pair;
        start_with_ticket(&pair, engines[i]);
        struct hf_tls_ticket_keys keys = pair.server_config.ticket_keys;
        for (size_t n = 1; n < HF_TLS_TICKET_KEYS; n++) {
            assert_int_equal(hf_ticket_keys_draw(&keys, &hf_os_rng), HF_OK);
            assert_int_equal(hf_tls_ctx_set_ticket_keys(pair.server.ctx, &keys), HF_OK);
            assert_true(resumes(&pair));
        }
        assert_int_equal(hf_ticket_keys_draw(&keys, &hf_os_rng), HF_OK);
        assert_int_equal(hf_tls_ctx_set_ticket_keys(pair.server.ctx, &keys), HF_OK);
        assert_false(resumes(&pair));
        pair_done(&pair);
    }
}

static void two_contexts_with_the_same_keys_resume_each_others_sessions(void **state)
{
    (void)state;
    struct pair pair;
    start_with_ticket(&pair, HF_TLS_ENGINE_NATIVE);
    pair_new_server(&pair);
    assert_true(resumes(&pair));
    pair_done(&pair);
}

static void bad_keys_leave_the_old_ones(void **state)
{
    (void)state;
    struct pair pair;
    start_with_ticket(&pair, HF_TLS_ENGINE_NATIVE);
    struct hf_tls_ticket_keys none = {.n_keys = 0}, same = {.n_keys = 0};
    assert_int_equal(hf_tls_ctx_set_ticket_keys(pair.server.ctx, &none), HF_E_INVALID);
    assert_int_equal(hf_ticket_keys_draw(&same, &hf_os_rng), HF_OK);
    same.key[1] = same.key[0];
    same.n_keys = 2;
    assert_int_equal(hf_tls_ctx_set_ticket_keys(pair.server.ctx, &same), HF_E_INVALID);
    assert_true(resumes(&pair));
    assert_int_equal(hf_tls_ctx_set_ticket_keys(pair.client.ctx, &same), HF_E_INVALID);
    pair_done(&pair);
}

static int make_world(void **state)
{
    (void)state;
    world_make();
    return 0;
}

static int free_world(void **state)
{
    (void)state;
    world_free();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_written_and_read_back),
        cmocka_unit_test(a_drawn_key_comes_first_and_the_fourth_goes),
        cmocka_unit_test(comments_empty_lines_and_line_ends_are_passed_over),
        cmocka_unit_test(what_is_wrong_is_told_by_its_line),
        cmocka_unit_test(cut_and_flipped_text_does_no_harm),
        cmocka_unit_test(a_replaced_key_opens_until_it_is_dropped),
        cmocka_unit_test(two_contexts_with_the_same_keys_resume_each_others_sessions),
        cmocka_unit_test(bad_keys_leave_the_old_ones),
    };
    return cmocka_run_group_tests(tests, make_world, free_world);
}
