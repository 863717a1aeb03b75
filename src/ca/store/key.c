// SPDX-License-Identifier: Apache-2.0
/*
 * Sealing and opening keys. scrypt rather than PBKDF2: guessing passphrases then costs memory as
 * well as time. N 16384, r 8, p 5 is as strong as what is recommended today and stays within the
 * 32 MiB that libcrypto allows anybody who reads it.
 */
#include "ca/store_key.h"

#include <openssl/pkcs12.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "os/file.h"
#include "pki/key.h"
#include "pki/key_type.h"
#include "pki/ossl.h"

enum { SCRYPT_N = 16384, SCRYPT_R = 8, SCRYPT_P = 5, SALT_SIZE = 16, PASSPHRASE_CAP = 4096 };

static void wiped_buf_done(struct hf_buf *buf)
{
    hf_buf_wipe(buf);
    hf_buf_done(buf);
}

/* --- Sealing -----------------------------------------------------------------------------------
 */

static X509_SIG *seal(PKCS8_PRIV_KEY_INFO *info, struct hf_bytes passphrase)
{
    unsigned char salt[SALT_SIZE];
    if (RAND_bytes(salt, sizeof(salt)) != 1) {
        return NULL;
    }
    X509_ALGOR *pbe = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), salt, sizeof(salt), NULL, SCRYPT_N,
                                            SCRYPT_R, SCRYPT_P);
    X509_SIG *sealed =
        pbe ? PKCS8_set0_pbe((const char *)passphrase.ptr, (int)passphrase.len, info, pbe) : NULL;
    if (!sealed) {
        X509_ALGOR_free(pbe);
    }
    return sealed;
}

enum hf_err hf_store_key_seal(const EVP_PKEY *key, struct hf_bytes passphrase, struct hf_buf *out)
{
    if (passphrase.len == 0 || passphrase.len > PASSPHRASE_CAP) {
        return hf_fail(HF_E_PASSPHRASE, "a passphrase has 1 to %d bytes", PASSPHRASE_CAP);
    }
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    X509_SIG *sealed = info ? seal(info, passphrase) : NULL;
    unsigned char *der = NULL;
    int len = sealed ? i2d_X509_SIG(sealed, &der) : -1;
    enum hf_err err = len > 0 ? hf_buf_append(out, hf_bytes_of(der, (size_t)len))
                              : hf_fail_ossl(HF_E_CRYPTO, "the key could not be encrypted");
    OPENSSL_free(der);
    X509_SIG_free(sealed);
    PKCS8_PRIV_KEY_INFO_free(info);
    return err;
}

/* --- Describing --------------------------------------------------------------------------------
 */

/* "EC P-256" is p256 on the command line and in the store, "RSA 3072" rsa3072. */
static void short_type(const EVP_PKEY *key, char out[static 32])
{
    char text[HF_KEY_TYPE_SIZE];
    hf_key_type(key, text);
    const char *from = strncmp(text, "EC ", 3) == 0 ? text + 3 : text;
    size_t n = 0;
    for (; *from && n < 31; from++) {
        if (*from != ' ' && *from != '-') {
            out[n++] = (char)(*from >= 'A' && *from <= 'Z' ? *from + 32 : *from);
        }
    }
    out[n] = '\0';
}

static enum hf_err hash_public(const EVP_PKEY *key, uint8_t out[static HF_STORE_HASH_SIZE])
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(key, &der);
    if (len <= 0) {
        return hf_fail_ossl(HF_E_CRYPTO, "a key without a public part");
    }
    SHA256(der, (size_t)len, out);
    OPENSSL_free(der);
    return HF_OK;
}

enum hf_err hf_store_key_describe(const EVP_PKEY *key, char type_text[static 32],
                                  struct hf_store_key *out)
{
    HF_TRY(hash_public(key, out->spki_sha256));
    short_type(key, type_text);
    out->type = type_text;
    return HF_OK;
}

/* --- Opening -----------------------------------------------------------------------------------
 */

static enum hf_err open_token_key(const struct hf_store_key *key, struct hf_bytes pin,
                                  EVP_PKEY **out)
{
    HF_CLEANUP(hf_freep) char *uri = hf_strndup((const char *)key->data.ptr, key->data.len);
    return uri ? hf_store_key_pkcs11(uri, pin, out) : HF_E_NOMEM;
}

static enum hf_err open_any(const struct hf_store_key *key, struct hf_bytes passphrase,
                            EVP_PKEY **out)
{
    struct hf_locked locked = {.text = key->data, .label = "the stored key"};
    switch (key->form) {
    case HF_KEY_SEALED:
        locked.passphrase = passphrase;
        return hf_key_parse(&locked, out);
    case HF_KEY_PLAIN:
        return hf_key_parse(&locked, out);
    case HF_KEY_PKCS11:
        return open_token_key(key, passphrase, out);
    case HF_KEY_N_FORMS:
        break;
    }
    return hf_fail(HF_E_MALFORMED, "the stored key has a form that is unknown");
}

enum hf_err hf_store_key_open(const struct hf_store_key *key, struct hf_bytes passphrase,
                              EVP_PKEY **out)
{
    EVP_PKEY *opened = NULL;
    uint8_t hash[HF_STORE_HASH_SIZE];
    *out = NULL;
    HF_TRY(open_any(key, passphrase, &opened));
    enum hf_err err = hash_public(opened, hash);
    if (err == HF_OK && memcmp(hash, key->spki_sha256, sizeof(hash)) != 0) {
        err = hf_fail(HF_E_MISMATCH, "key %lld is not the one that was stored: %s",
                      (long long)key->id,
                      key->form == HF_KEY_PKCS11 ? "the token has another under this name"
                                                 : "the store was tampered with");
    }
    if (err != HF_OK) {
        EVP_PKEY_free(opened);
        return err;
    }
    *out = opened;
    return HF_OK;
}

/* --- Passphrases -------------------------------------------------------------------------------
 */

static enum hf_err read_file(const char *path, bool private, struct hf_secret_text *out)
{
    HF_CLEANUP(wiped_buf_done) struct hf_buf text = HF_BUF_INIT(PASSPHRASE_CAP);
    HF_TRY(private ? hf_file_read_private(path, &text) : hf_file_read(path, &text));
    struct hf_bytes line = hf_buf_bytes(&text);
    const uint8_t *end = line.len ? memchr(line.ptr, '\n', line.len) : NULL;
    line.len = end ? (size_t)(end - line.ptr) : line.len;
    line.len -= line.len && line.ptr[line.len - 1] == '\r';
    return line.len ? hf_secret_text_set(out, line)
                    : hf_fail(HF_E_PASSPHRASE, "%s: the passphrase is empty", path);
}

static enum hf_err read_env(const char *name, struct hf_secret_text *out)
{
    const char *value = getenv(name);
    if (!value) {
        return hf_fail(HF_E_NOT_FOUND, "the environment variable %s is not set", name);
    }
    return value[0] ? hf_secret_text_set(out, hf_bytes_str(value))
                    : hf_fail(HF_E_PASSPHRASE, "%s: the passphrase is empty", name);
}

/* systemd keeps others out by the folder: the files in it are 0400, or 0440 with an ACL. */
static enum hf_err read_credential(const char *name, struct hf_secret_text *out)
{
    const char *dir = getenv("CREDENTIALS_DIRECTORY");
    if (!dir) {
        return hf_fail(HF_E_NOT_FOUND,
                       "the credential %s: systemd gave this process no credentials; add "
                       "LoadCredential=%s:FILE to its unit",
                       name, name);
    }
    if (strchr(name, '/') || strcmp(name, "..") == 0 || !name[0]) {
        return hf_fail(HF_E_INVALID, "\"%s\" is no name of a credential", name);
    }
    HF_CLEANUP(hf_freep) char *path = hf_path_join(dir, name);
    return path ? read_file(path, false, out) : HF_E_NOMEM;
}

enum hf_err hf_store_passphrase_read(const struct hf_store_passphrase *from,
                                     struct hf_secret_text *out)
{
    *out = (struct hf_secret_text){0};
    if (!!from->file + !!from->env + !!from->credential > 1) {
        return hf_fail(HF_E_INVALID, "a passphrase comes from one place: a file, a variable or a "
                                     "credential");
    }
    return from->file         ? read_file(from->file, true, out)
           : from->env        ? read_env(from->env, out)
           : from->credential ? read_credential(from->credential, out)
                              : HF_OK;
}
