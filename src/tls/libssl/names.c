// SPDX-License-Identifier: Apache-2.0
#include "tls/libssl/libssl.h"

/*
 * Suites, ciphers and groups by name. libssl passes over names that it doesn't know as long as one
 * is good, and its errors name nothing; here every name is tried by itself, so that the message
 * has the wrong one and what was probably meant.
 */

#include <openssl/err.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

enum { NAME_MAX_SIZE = 128, WORDS_MAX = 256 };

#define SUITES_DEFAULT "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
#define CIPHERS_DEFAULT \
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:" \
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:" \
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305"
#define GROUPS_DEFAULT "X25519:P-256:P-384"

/* Whatever a cipher list says, these stay out: no authentication, no encryption, keys that nobody
 * here could set up, and what is broken. */
#define CIPHERS_NEVER ":!aNULL:!eNULL:!PSK:!SRP:!3DES:!RC4:!MD5"

static const char *const suite_names[] = {"TLS_AES_128_GCM_SHA256",       "TLS_AES_256_GCM_SHA384",
                                          "TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_CCM_SHA256",
                                          "TLS_AES_128_CCM_8_SHA256",     NULL};

/* What a group is called in configs (libssl takes these) and on the wire. */
static const struct {
    const char *name;
    int nid;
    const char *wire;
} groups[] = {
    {"X25519", NID_X25519, "x25519"},
    {"P-256", NID_X9_62_prime256v1, "secp256r1"},
    {"P-384", NID_secp384r1, "secp384r1"},
    {"P-521", NID_secp521r1, "secp521r1"},
    {"X448", NID_X448, "x448"},
    {"ffdhe2048", NID_ffdhe2048, "ffdhe2048"},
    {"ffdhe3072", NID_ffdhe3072, "ffdhe3072"},
    {"ffdhe4096", NID_ffdhe4096, "ffdhe4096"},
};

const char *hf_ls_group_name(int nid)
{
    for (size_t i = 0; i < HF_N_ELEMENTS(groups); i++) {
        if (groups[i].nid == nid) {
            return groups[i].wire;
        }
    }
    return NULL;
}

/* Takes the name at the front of a list separated by ":"; false at the end. */
static bool next_name(const char **list, char out[static NAME_MAX_SIZE])
{
    *list += strspn(*list, ":");
    size_t len = strcspn(*list, ":");
    if (len == 0) {
        return false;
    }
    size_t kept = len < NAME_MAX_SIZE ? len : NAME_MAX_SIZE - 1;
    memcpy(out, *list, kept);
    out[kept] = '\0';
    *list += len;
    return true;
}

static enum hf_err unknown(const char *kind, const char *name, const char *const *words)
{
    const char *meant = hf_closest(name, words);
    ERR_clear_error();
    if (meant) {
        return hf_fail(HF_E_INVALID, "unknown %s \"%s\": did you mean \"%s\"?", kind, name, meant);
    }
    return hf_fail(HF_E_INVALID, "unknown %s \"%s\"", kind, name);
}

static bool among(const char *name, const char *const *words)
{
    for (; *words; words++) {
        if (strcmp(name, *words) == 0) {
            return true;
        }
    }
    return false;
}

/* --- TLS 1.3 suites --- */

enum hf_err hf_ls_set_suites(SSL_CTX *ssl_ctx, const char *suites)
{
    const char *list = suites ? suites : SUITES_DEFAULT;
    char name[NAME_MAX_SIZE];
    size_t n = 0;
    for (const char *rest = list; next_name(&rest, name); n++) {
        if (!among(name, suite_names)) {
            return unknown("TLS 1.3 suite", name, suite_names);
        }
    }
    if (n == 0) {
        return hf_fail(HF_E_INVALID, "the list of TLS 1.3 suites is empty");
    }
    return SSL_CTX_set_ciphersuites(ssl_ctx, list) == 1 ? HF_OK
                                                        : hf_ls_library_error("TLS 1.3 suites");
}

/* --- TLS 1.2 ciphers --- */

/* Every cipher that this libssl has, as words to suggest. */
static enum hf_err unknown_cipher(SSL_CTX *scratch, const char *name)
{
    const char *words[WORDS_MAX] = {NULL};
    (void)SSL_CTX_set_cipher_list(scratch, "ALL:!aNULL:!eNULL");
    STACK_OF(SSL_CIPHER) *all = SSL_CTX_get_ciphers(scratch);
    for (int i = 0; i < sk_SSL_CIPHER_num(all) && i < WORDS_MAX - 1; i++) {
        words[i] = SSL_CIPHER_get_name(sk_SSL_CIPHER_value(all, i));
    }
    return unknown("TLS 1.2 cipher", name, words);
}

/* Tries each name by itself; operators ("!", "-", "+", "@") are stripped or passed over. */
static enum hf_err check_ciphers(const char *ciphers)
{
    SSL_CTX *scratch = SSL_CTX_new(TLS_method());
    if (!scratch) {
        return hf_ls_library_error("a TLS context");
    }
    enum hf_err err = HF_OK;
    char name[NAME_MAX_SIZE];
    for (const char *rest = ciphers; !err && next_name(&rest, name);) {
        const char *bare = name + strspn(name, "!-+");
        if (bare[0] != '@' && SSL_CTX_set_cipher_list(scratch, bare) != 1) {
            err = unknown_cipher(scratch, bare);
        }
    }
    SSL_CTX_free(scratch);
    ERR_clear_error();
    return err;
}

enum hf_err hf_ls_set_ciphers(SSL_CTX *ssl_ctx, const char *ciphers)
{
    if (ciphers) {
        HF_TRY(check_ciphers(ciphers));
    }
    if (ciphers && strcasestr(ciphers, "@SECLEVEL")) {
        return hf_fail(HF_E_INVALID,
                       "a cipher list can't change the security level: leave "
                       "\"@SECLEVEL\" out of \"%s\"",
                       ciphers);
    }
    struct hf_buf list HF_CLEANUP(hf_buf_done) = HF_BUF_INIT(16u << 10);
    HF_TRY(hf_buf_append_str(&list, ciphers ? ciphers : CIPHERS_DEFAULT));
    HF_TRY(hf_buf_append_str(&list, CIPHERS_NEVER));
    const char *text = hf_buf_cstr(&list);
    if (!text) {
        return HF_E_NOMEM;
    }
    if (SSL_CTX_set_cipher_list(ssl_ctx, text) != 1) {
        ERR_clear_error();
        return hf_fail(HF_E_INVALID, "the TLS 1.2 cipher list \"%s\" leaves no usable cipher",
                       ciphers ? ciphers : CIPHERS_DEFAULT);
    }
    return HF_OK;
}

/* --- Groups --- */

const char *hf_ls_groups(const char *wanted)
{
    return wanted ? wanted : GROUPS_DEFAULT;
}

enum hf_err hf_ls_set_groups(SSL_CTX *ssl_ctx, const char *wanted)
{
    const char *words[HF_N_ELEMENTS(groups) + 1] = {NULL};
    for (size_t i = 0; i < HF_N_ELEMENTS(groups); i++) {
        words[i] = groups[i].name;
    }
    const char *list = hf_ls_groups(wanted);
    char name[NAME_MAX_SIZE];
    size_t n = 0;
    for (const char *rest = list; next_name(&rest, name); n++) {
        if (!among(name, words)) {
            return unknown("key exchange group", name, words);
        }
    }
    if (n == 0) {
        return hf_fail(HF_E_INVALID, "the list of key exchange groups is empty");
    }
    return SSL_CTX_set1_groups_list(ssl_ctx, list) == 1
               ? HF_OK
               : hf_ls_library_error("key exchange groups");
}
