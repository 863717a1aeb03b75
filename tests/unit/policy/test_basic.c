// SPDX-License-Identifier: Apache-2.0
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "policy/basic.h"

/* "secret" by each kind, cheap ones. */
#define BCRYPT "$2y$04$abcdefghijklmnopqrstuuLuVbZpHzZ3Jj6FfzdC5M1QWZr5hC7MO"
#define SHA512 \
    "$6$rounds=1000$saltsalt$" \
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static enum hf_err parse(const char *text, struct hf_htpasswd **out)
{
    return hf_htpasswd_new(hf_bytes_str(text), "users", out);
}

/* --- The field ---------------------------------------------------------------------------------
 */

static void credentials_are_taken_apart(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum hf_err err;
        const char *user, *password;
    } table[] = {
        {"QWxhZGRpbjpvcGVuIHNlc2FtZQ==", HF_OK, "Aladdin", "open sesame"}, /* RFC 7617 2 */
        {"dGVzdDoxMjPCow==", HF_OK, "test", "123\xc2\xa3"},                /* RFC 7617 2.1 */
        {"YTpiOmM=", HF_OK, "a", "b:c"},
        {"YTo=", HF_OK, "a", ""},
        {"Og==", HF_OK, "", ""},
        {"YWJj", HF_E_MALFORMED, NULL, NULL},     /* abc */
        {"YTpiCg==", HF_E_MALFORMED, NULL, NULL}, /* a:b\n */
        {"YTpiAGM=", HF_E_MALFORMED, NULL, NULL}, /* a:b\0c */
        {"YTpi ", HF_E_MALFORMED, NULL, NULL},
        {"YTo", HF_E_MALFORMED, NULL, NULL},
        {"", HF_E_MALFORMED, NULL, NULL},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        struct hf_basic basic = {0};
        assert_int_equal(hf_basic_parse(hf_bytes_str(table[i].text), &basic), table[i].err);
        if (table[i].err == HF_OK) {
            assert_string_equal(basic.user.ptr, table[i].user);
            assert_string_equal(basic.password.ptr, table[i].password);
        }
        hf_basic_done(&basic);
    }
}

static void long_credentials_are_refused(void **state)
{
    (void)state;
    static char text[4096];
    struct hf_basic basic = {0};
    memset(text, 'Y', sizeof(text) - 1);
    assert_int_equal(hf_basic_parse(hf_bytes_str(text), &basic), HF_E_TOO_LARGE);
    assert_int_equal(hf_basic_parse(hf_bytes_of(text, 1600), &basic), HF_E_TOO_LARGE);
    /* "aaa...:" with a name of 258 bytes */
    for (size_t i = 0; i < 344; i += 4) {
        memcpy(text + i, "YWFh", 4);
    }
    memcpy(text + 344, "Og==", 4);
    assert_int_equal(hf_basic_parse(hf_bytes_of(text, 348), &basic), HF_E_TOO_LARGE);
    hf_basic_done(&basic);
}

/* --- The file ----------------------------------------------------------------------------------
 */

static void files_are_read_whole_or_not_at_all(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum hf_err err;
        const char *words; /* that the sentence begins with */
    } table[] = {
        {"alice:" BCRYPT "\n", HF_OK, ""},
        {"# comment\n\r\n\nalice:" BCRYPT "\r\nbob:" SHA512, HF_OK, ""},
        {"alice:" BCRYPT ":comment\n", HF_OK, ""},
        {"", HF_E_INVALID, "users: no user in it"},
        {"# nobody\n", HF_E_INVALID, "users: no user in it"},
        {"alice\n", HF_E_MALFORMED, "users:1: not \"user:hash\""},
        {"alice:\n", HF_E_MALFORMED, "users:1: not \"user:hash\""},
        {"\n:" BCRYPT "\n", HF_E_MALFORMED, "users:2: not \"user:hash\""},
        {"alice:" BCRYPT "\nalice:" BCRYPT "\n", HF_E_EXISTS,
         "users:2: this user is there already"},
        {"a:secret\n", HF_E_UNSUPPORTED, "users:1: the hash is DES, plain text, or unknown"},
        {"a:rl5FQN6L4pF/Y\n", HF_E_UNSUPPORTED, "users:1: the hash is DES, plain text, or unknown"},
        {"a:$apr1$salt$xxxxxxxxxxxxxxxxxxxxxx\n", HF_E_UNSUPPORTED, "users:1: the hash is MD5"},
        {"a:$1$salt$xxxxxxxxxxxxxxxxxxxxxx\n", HF_E_UNSUPPORTED, "users:1: the hash is MD5"},
        {"a:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\n", HF_E_UNSUPPORTED,
         "users:1: the hash is SHA-1 without a salt"},
        {"a:$5$salt$xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n", HF_E_UNSUPPORTED,
         "users:1: the hash is sha256-crypt"},
        {"a:$2y$10$short\n", HF_E_UNSUPPORTED, "users:1: the hash is not well-formed bcrypt"},
        {"a:$2y$31$abcdefghijklmnopqrstuuLuVbZpHzZ3Jj6FfzdC5M1QWZr5hC7MO\n", HF_E_UNSUPPORTED,
         "users:1: the hash costs too much to check (bcrypt beyond 15)"},
        {"a:$2y$00$abcdefghijklmnopqrstuuLuVbZpHzZ3Jj6FfzdC5M1QWZr5hC7MO\n", HF_E_UNSUPPORTED,
         "users:1: the hash is not well-formed bcrypt"},
        {"a:$6$rounds=999999999$s$"
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n",
         HF_E_UNSUPPORTED, "users:1: the hash costs too much to check (sha512-crypt"},
        {"a:$6$salt$short\n", HF_E_UNSUPPORTED, "users:1: the hash is not well-formed sha512"},
        {"a:$y$jHT$F5Jx5fExrKuPp53xLKQ..1$xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n",
         HF_E_UNSUPPORTED, "users:1: the hash costs too much to check (yescrypt"},
        {"a:$y$/9T$F5Jx5fExrKuPp53xLKQ..1$xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n",
         HF_E_UNSUPPORTED, "users:1: the hash is not yescrypt of the usual form"},
    };
    for (size_t i = 0; i < HF_N_ELEMENTS(table); i++) {
        struct hf_htpasswd *users = NULL;
        enum hf_err err = parse(table[i].text, &users);
        if (err != table[i].err ||
            (err != HF_OK && strncmp(hf_err_text(), table[i].words, strlen(table[i].words)) != 0)) {
            fail_msg("%s: %s", table[i].text, err == HF_OK ? "accepted" : hf_err_text());
        }
        assert_int_equal(err == HF_OK, users != NULL);
        hf_htpasswd_unref(users);
    }
}

/* crypt_gensalt and crypt make what htpasswd would have. */
#include <crypt.h>

static void make(const char *prefix, unsigned long cost, const char *password, char *out)
{
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    struct crypt_data data = {0};
    assert_non_null(
        crypt_gensalt_rn(prefix, cost, "0123456789abcdef", 16, setting, sizeof(setting)));
    strcpy(out, crypt_r(password, setting, &data));
}

static void passwords_are_checked_by_every_kind(void **state)
{
    (void)state;
    static const struct {
        const char *prefix;
        unsigned long cost;
    } kinds[] = {{"$2b$", 4}, {"$2y$", 4}, {"$6$", 1000}, {"$y$", 1}};
    for (size_t i = 0; i < HF_N_ELEMENTS(kinds); i++) {
        char hash[CRYPT_OUTPUT_SIZE], line[CRYPT_OUTPUT_SIZE + 16];
        struct hf_htpasswd *users;
        bool known;
        make(kinds[i].prefix, kinds[i].cost, "secret", hash);
        snprintf(line, sizeof(line), "alice:%s\n", hash);
        assert_int_equal(parse(line, &users), HF_OK);
        const char *found = hf_htpasswd_find(users, "alice", &known);
        assert_true(known);
        assert_string_equal(found, hash);
        assert_int_equal(hf_password_check(found, "secret"), HF_OK);
        assert_int_equal(hf_password_check(found, "secreT"), HF_E_MISMATCH);
        assert_int_equal(hf_password_check(found, ""), HF_E_MISMATCH);
        found = hf_htpasswd_find(users, "Alice", &known); /* takes as long, for nothing */
        assert_false(known);
        assert_string_equal(found, hash);
        hf_htpasswd_unref(users);
    }
}

static void unknown_users_always_get_the_same_hash(void **state)
{
    (void)state;
    char text[8192] = "", line[160];
    struct hf_htpasswd *users;
    bool known, differ = false;
    for (int i = 0; i < 20; i++) {
        snprintf(line, sizeof(line),
                 "user%d:$2y$04$abcdefghijklmnopqrstuuLuVbZpHzZ3Jj6FfzdC5M1QWZr5hC7%c%c\n", i,
                 'A' + i, 'A');
        strcat(text, line);
    }
    assert_int_equal(parse(text, &users), HF_OK);
    const char *first = hf_htpasswd_find(users, "nobody", &known);
    for (int i = 0; i < 50; i++) {
        assert_ptr_equal(hf_htpasswd_find(users, "nobody", &known), first);
        assert_false(known);
        snprintf(line, sizeof(line), "nobody%d", i);
        differ = differ || hf_htpasswd_find(users, line, &known) != first;
    }
    assert_true(differ);
    hf_htpasswd_unref(users);
}

static void hashes_that_crypt_refuses_admit_nobody(void **state)
{
    (void)state;
    assert_int_equal(hf_password_check("*0", "x"), HF_E_CRYPTO);
    assert_int_equal(hf_password_check("*", "*0"), HF_E_CRYPTO);
    assert_int_equal(hf_password_check("", ""), HF_E_CRYPTO);
}

static void cut_and_flipped_files_do_no_harm(void **state)
{
    (void)state;
    char text[] = "alice:" BCRYPT "\nbob:" SHA512 "\n";
    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        for (int bit = 0; bit < 8; bit++) {
            struct hf_htpasswd *users = NULL;
            text[i] ^= (char)(1 << bit);
            enum hf_err err = hf_htpasswd_new(hf_bytes_of(text, sizeof(text) - 1), "u", &users);
            assert_int_equal(err == HF_OK, users != NULL);
            hf_htpasswd_unref(users);
            users = NULL;
            err = hf_htpasswd_new(hf_bytes_of(text, i), "u", &users);
            hf_htpasswd_unref(users);
            text[i] ^= (char)(1 << bit);
        }
    }
}

static void no_memory_is_an_error(void **state)
{
    (void)state;
    enum hf_err err = HF_E_NOMEM;
    for (size_t n = 1; err != HF_OK; n++) {
        struct hf_htpasswd *users = NULL;
        struct hf_basic basic = {0};
        hf_alloc_fail_after(n);
        err = parse("alice:" BCRYPT "\nbob:" SHA512, &users);
        err = err == HF_OK ? hf_basic_parse(hf_bytes_str("YTpi"), &basic) : err;
        hf_alloc_fail_after(0);
        assert_true(err == HF_OK || err == HF_E_NOMEM);
        assert_true(n < 60);
        hf_htpasswd_unref(users);
        hf_basic_done(&basic);
    }
    hf_alloc_fail_after(1);
    assert_int_equal(hf_password_check(BCRYPT, "secret"), HF_E_NOMEM);
    hf_alloc_fail_after(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(credentials_are_taken_apart),
        cmocka_unit_test(long_credentials_are_refused),
        cmocka_unit_test(files_are_read_whole_or_not_at_all),
        cmocka_unit_test(passwords_are_checked_by_every_kind),
        cmocka_unit_test(unknown_users_always_get_the_same_hash),
        cmocka_unit_test(hashes_that_crypt_refuses_admit_nobody),
        cmocka_unit_test(cut_and_flipped_files_do_no_harm),
        cmocka_unit_test(no_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
