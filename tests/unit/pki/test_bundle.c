// SPDX-License-Identifier: Apache-2.0
/* The end to end tests open these files by other programs; here is what they can't see. */
#include "pki/bundle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "testpki.h"

static struct testpki *root, *leaf;
static struct hf_chain *chain;

static int set_up(void **state)
{
    (void)state;
    root = testpki_root("Root");
    leaf = testpki_leaf(root, "alice", HF_USAGE_CLIENT, "DNS:a.example");
    chain = testpki_chain(leaf);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    hf_chain_unref(chain);
    testpki_free(leaf);
    testpki_free(root);
    return 0;
}

static void wiped(struct hf_buf *buf)
{
    hf_buf_wipe(buf);
    hf_buf_done(buf);
}

static enum hf_err write(enum hf_bundle_format format, const char *name, const char *passphrase,
                         bool with_key)
{
    struct hf_buf out = HF_BUF_INIT(1 << 20);
    const struct hf_bundle bundle = {.key = with_key ? leaf->key : NULL,
                                     .chain = chain,
                                     .root = root->cert,
                                     .name = name,
                                     .passphrase = passphrase};
    enum hf_err err = hf_bundle_write(format, &bundle, &out);
    assert_true(err != HF_OK || hf_buf_len(&out) > 0);
    wiped(&out);
    return err;
}

static void words_and_formats_agree(void **state)
{
    (void)state;
    size_t n = 0;
    for (; hf_bundle_words[n]; n++) {
        assert_int_equal(hf_bundle_by_word(hf_bundle_words[n]), n);
    }
    assert_int_equal(n, HF_BUNDLE_N);
    assert_int_equal(hf_bundle_by_word("jks"), HF_BUNDLE_N);
    assert_string_equal(hf_bundle_end(HF_BUNDLE_PKCS12), ".p12");
}

static void what_has_the_key_is_known(void **state)
{
    (void)state;
    static const enum hf_bundle_format without[] = {HF_BUNDLE_DER, HF_BUNDLE_PKCS7,
                                                    HF_BUNDLE_PKCS7_PEM, HF_BUNDLE_TRUSTSTORE};
    const struct hf_bundle with_key = {.key = leaf->key, .chain = chain};
    const struct hf_bundle keyless = {.chain = chain};
    for (enum hf_bundle_format format = 0; format < HF_BUNDLE_N; format++) {
        bool secret = true;
        for (size_t i = 0; i < HF_N_ELEMENTS(without); i++) {
            secret = secret && format != without[i];
        }
        assert_int_equal(hf_bundle_is_secret(format, &with_key), secret);
        assert_false(hf_bundle_is_secret(format, &keyless));
    }
}

static void what_is_missing_is_said(void **state)
{
    (void)state;
    assert_int_equal(write(HF_BUNDLE_PKCS12, NULL, NULL, true), HF_E_INVALID);
    assert_int_equal(write(HF_BUNDLE_PKCS12, NULL, "x", false), HF_E_INVALID);
    assert_int_equal(write(HF_BUNDLE_TRUSTSTORE, NULL, NULL, false), HF_E_INVALID);
    assert_int_equal(write(HF_BUNDLE_KUBERNETES, NULL, NULL, false), HF_E_INVALID);
    assert_int_equal(write(HF_BUNDLE_OPENSSH, NULL, "x", true), HF_E_UNSUPPORTED);
    assert_int_equal(write(HF_BUNDLE_OPENSSH, "a\nb", NULL, true), HF_E_INVALID);
}

/* What would be YAML of another meaning is no name. */
static void names_of_secrets_are_names_of_objects(void **state)
{
    (void)state;
    static const char *const good[] = {"a", "web-1", "web.tls", "0.1"};
    static const char *const bad[] = {"",   "A",  "a_b",  "-a",   "a-",   "a..b",
                                      ".a", "a.", "a\nb", "a: b", "a #b", "a.-b"};
    char label[300];
    for (size_t i = 0; i < HF_N_ELEMENTS(good); i++) {
        assert_int_equal(write(HF_BUNDLE_KUBERNETES, good[i], NULL, true), HF_OK);
    }
    for (size_t i = 0; i < HF_N_ELEMENTS(bad); i++) {
        assert_int_equal(write(HF_BUNDLE_KUBERNETES, bad[i], NULL, true), HF_E_INVALID);
    }
    memset(label, 'a', sizeof(label) - 1);
    label[sizeof(label) - 1] = '\0';
    assert_int_equal(write(HF_BUNDLE_KUBERNETES, label, NULL, true), HF_E_INVALID);
}

static void memory_may_run_out_anywhere(void **state)
{
    (void)state;
    for (enum hf_bundle_format format = 0; format < HF_BUNDLE_N; format++) {
        bool pass = format == HF_BUNDLE_PKCS12_LEGACY || format == HF_BUNDLE_TRUSTSTORE;
        enum hf_err err = HF_E_NOMEM;
        if (format == HF_BUNDLE_PKCS12) {
            continue; /* the same code as the older form, with a hundred times the rounds */
        }
        for (size_t n = 1; err != HF_OK && n < 200; n++) {
            hf_alloc_fail_after(n);
            err = write(format, "alice", pass ? "secret" : NULL, true);
            hf_alloc_fail_after(0);
            assert_true(err == HF_OK || err == HF_E_NOMEM);
        }
        assert_int_equal(err, HF_OK);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_and_formats_agree),
        cmocka_unit_test(what_has_the_key_is_known),
        cmocka_unit_test(what_is_missing_is_said),
        cmocka_unit_test(names_of_secrets_are_names_of_objects),
        cmocka_unit_test(memory_may_run_out_anywhere),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
