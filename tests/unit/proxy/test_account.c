// SPDX-License-Identifier: Apache-2.0
#include "proxy/account.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "testpki.h"

#include <cmocka.h>

static struct {
    struct testpki *root, *issuing, *leaf;
    struct hf_chain *chain;
    struct hf_trust *trust;
} world;

static int make_world(void **state)
{
    (void)state;
    world.root = testpki_root("Root");
    world.issuing = testpki_intermediate(world.root, "Issuing");
    world.leaf = testpki_make(world.issuing, &(struct testpki_spec){.cn = "alice"});
    world.chain = testpki_chain(world.leaf);
    world.trust = testpki_trust(world.root, 2);
    return 0;
}

static int drop_world(void **state)
{
    (void)state;
    hf_trust_unref(world.trust);
    hf_chain_unref(world.chain);
    testpki_free(world.leaf);
    testpki_free(world.issuing);
    testpki_free(world.root);
    return 0;
}

static struct hf_account *account_of(enum hf_reason reason)
{
    struct hf_account *account = hf_account_new(HF_ABOUT_HANDSHAKE);
    assert_non_null(account);
    account->id = 0x42;
    account->at_ms = 1800000000000;
    account->judged = true;
    account->mode = HF_CLIENT_REQUIRE;
    account->chain = hf_chain_ref(world.chain);
    account->trust = hf_trust_ref(world.trust);
    hf_account_set_reason(account, reason, NULL);
    return account;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static const char *step_of(const json_t *verdict, const char *name)
{
    size_t i;
    json_t *step;
    json_array_foreach(json_object_get(verdict, "steps"), i, step)
    {
        if (strcmp(text_of(step, "step"), name) == 0) {
            return text_of(step, "result");
        }
    }
    return "";
}

static void the_path_goes_from_leaf_to_root(void **state)
{
    (void)state;
    struct hf_account *account = account_of(HF_REASON_REVOKED);
    json_t *verdict = hf_account_json(account);
    const json_t *chain = json_object_get(verdict, "chain");
    assert_int_equal(json_array_size(chain), 3);
    assert_string_equal(text_of(json_array_get(chain, 0), "subject"), "CN=alice");
    assert_string_equal(text_of(json_array_get(chain, 0), "from"), "peer");
    assert_string_equal(text_of(json_array_get(chain, 2), "from"), "trust");
    assert_string_equal(text_of(json_array_get(chain, 0), "issuer_key_id"),
                        text_of(json_array_get(chain, 1), "key_id"));
    assert_string_equal(text_of(verdict, "id"), "0000000000000042");
    assert_string_equal(text_of(verdict, "at"), "2027-01-15T08:00:00Z");
    json_decref(verdict);
    hf_account_free(account);
}

static void steps_say_how_far_it_came(void **state)
{
    (void)state;
    struct hf_account *account = account_of(HF_REASON_EXPIRED);
    json_t *verdict = hf_account_json(account);
    assert_string_equal(step_of(verdict, "chain"), "passed");
    assert_string_equal(step_of(verdict, "dates"), "failed");
    assert_string_equal(step_of(verdict, "revocation"), "not-reached");
    assert_string_equal(step_of(verdict, "name"), "");
    json_decref(verdict);
    account->mode = HF_CLIENT_NONE;
    hf_account_set_reason(account, HF_REASON_OK, NULL);
    verdict = hf_account_json(account);
    assert_string_equal(step_of(verdict, "handshake"), "passed");
    assert_string_equal(step_of(verdict, "certificate"), "not-asked");
    json_decref(verdict);
    hf_account_free(account);
}

static void what_sources_said_is_told(void **state)
{
    (void)state;
    struct hf_account *account = account_of(HF_REASON_REVOKED);
    hf_note_add(&account->notes, (struct hf_note){.source = "ocsp",
                                                  .answer = "revoked",
                                                  .depth = 0,
                                                  .age_s = 40,
                                                  .by = "http://ocsp.example/",
                                                  .number = "7"});
    json_t *verdict = hf_account_json(account);
    const json_t *note = json_array_get(json_object_get(verdict, "revocation"), 0);
    assert_string_equal(text_of(note, "source"), "ocsp");
    assert_string_equal(text_of(note, "by"), "http://ocsp.example/");
    assert_string_equal(text_of(note, "number"), "7");
    assert_int_equal(json_integer_value(json_object_get(note, "age_s")), 40);
    json_decref(verdict);
    hf_account_free(account);
}

/* A verdict always fits its slot: certificates go first. */
static void what_does_not_fit_is_left_out(void **state)
{
    (void)state;
    struct hf_account *account = account_of(HF_REASON_REVOKED);
    account->about = HF_ABOUT_REQUEST;
    memset(account->text, 'x', sizeof(account->text) - 1);
    memset(account->path, '\x01', sizeof(account->path) - 1); /* six bytes each in JSON */
    for (int i = 0; i < HF_NOTES_MAX; i++) {
        struct hf_note note = {.source = "ocsp", .answer = "good", .age_s = 1};
        memset(note.by, 'y', sizeof(note.by) - 1);
        hf_note_add(&account->notes, note);
    }
    struct hf_buf text = HF_BUF_INIT(HF_VERDICT_MAX);
    assert_int_equal(hf_account_text(account, &text), HF_OK);
    struct hf_bytes bytes = hf_buf_bytes(&text);
    json_t *verdict = json_loadb((const char *)bytes.ptr, bytes.len, 0, NULL);
    assert_non_null(verdict);
    assert_true(json_is_true(json_object_get(verdict, "cut")));
    assert_string_equal(text_of(verdict, "code"), "revoked");
    json_decref(verdict);
    hf_buf_done(&text);
    hf_account_free(account);
}

static void without_memory_there_is_none(void **state)
{
    (void)state;
    hf_alloc_fail_after(1);
    assert_null(hf_account_new(HF_ABOUT_HANDSHAKE));
    hf_alloc_fail_after(0);
    struct hf_account *account = account_of(HF_REASON_OK);
    for (size_t n = 1;; n++) {
        struct hf_buf text = HF_BUF_INIT(HF_VERDICT_MAX);
        hf_alloc_fail_after(n);
        enum hf_err err = hf_account_text(account, &text);
        bool done = n > 40;
        hf_alloc_fail_after(0);
        hf_buf_done(&text);
        assert_true(err == HF_OK || err == HF_E_NOMEM);
        if (done) {
            break;
        }
    }
    hf_account_free(account);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_path_goes_from_leaf_to_root),
        cmocka_unit_test(steps_say_how_far_it_came),
        cmocka_unit_test(what_sources_said_is_told),
        cmocka_unit_test(what_does_not_fit_is_left_out),
        cmocka_unit_test(without_memory_there_is_none),
    };
    return cmocka_run_group_tests(tests, make_world, drop_world);
}
