// SPDX-License-Identifier: Apache-2.0
/*
 * Private keys in all the wrappings that people have. A wrapping is opened step by step rather than
 * by libcrypto's do-it-all decoder, which can't tell a wrong passphrase from a broken file and asks
 * on the terminal when it has none.
 */
#include "pki/key.h"

#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <string.h>

#include "base/secret.h"
#include "pki/key_impl.h"
#include "pki/ossl.h"
#include "pki/pem.h"

enum { KEY_DER_MAX = 64 << 10 };

/* The copy of a decoded key in our own memory. */
static void secret_buf_done(struct hf_buf *buf)
{
    hf_buf_wipe(buf);
    hf_buf_done(buf);
}

enum hf_err hf_check_passphrase(const struct hf_locked *from)
{
    if (from->passphrase.len && memchr(from->passphrase.ptr, 0, from->passphrase.len)) {
        return hf_fail(HF_E_INVALID, "the passphrase for %s holds a NUL byte", from->label);
    }
    return HF_OK;
}

enum hf_err hf_fail_passphrase(const struct hf_locked *from, const char *what)
{
    hf_ossl_forget();
    if (!from->passphrase.ptr) {
        return hf_fail(HF_E_PASSPHRASE, "%s: %s is encrypted and no passphrase was given",
                       from->label, what);
    }
    return hf_fail(HF_E_PASSPHRASE, "%s: the passphrase given does not open %s: it is wrong",
                   from->label, what);
}

static enum hf_err need_key(EVP_PKEY *key, const struct hf_locked *from, EVP_PKEY **out)
{
    if (!key) {
        return hf_fail_ossl(HF_E_MALFORMED, "%s: the private key can't be read", from->label);
    }
    *out = key;
    return HF_OK;
}

/* --- PKCS#8 ------------------------------------------------------------------------------------
 */

static enum hf_err key_of_pkcs8(PKCS8_PRIV_KEY_INFO *info, const struct hf_locked *from,
                                EVP_PKEY **out)
{
    enum hf_err err = need_key(EVP_PKCS82PKEY(info), from, out);
    PKCS8_PRIV_KEY_INFO_free(info);
    return err;
}

static enum hf_err decrypt_old(const X509_SIG *sealed, const struct hf_locked *from,
                               PKCS8_PRIV_KEY_INFO **out)
{
    struct hf_legacy legacy;
    HF_TRY(hf_legacy_open(&legacy, from->label));
    *out = PKCS8_decrypt_ex(sealed, (const char *)from->passphrase.ptr, (int)from->passphrase.len,
                            legacy.libctx, NULL);
    hf_legacy_close(&legacy);
    if (*out) {
        return HF_OK;
    }
    if (hf_ossl_is_unsupported()) {
        return hf_fail(HF_E_UNSUPPORTED,
                       "%s: the private key is encrypted with a cipher that is not known here; "
                       "convert it with: openssl pkcs8 -topk8 -v2 aes-256-cbc",
                       from->label);
    }
    return hf_fail_passphrase(from, "the private key");
}

static enum hf_err parse_sealed(const X509_SIG *sealed, const struct hf_locked *from,
                                EVP_PKEY **out)
{
    if (!from->passphrase.ptr) {
        return hf_fail_passphrase(from, "the private key");
    }
    PKCS8_PRIV_KEY_INFO *info =
        PKCS8_decrypt(sealed, (const char *)from->passphrase.ptr, (int)from->passphrase.len);
    if (!info) {
        if (!hf_ossl_is_unsupported()) {
            return hf_fail_passphrase(from, "the private key");
        }
        HF_TRY(decrypt_old(sealed, from, &info));
    }
    return key_of_pkcs8(info, from, out);
}

static enum hf_err parse_encrypted_der(struct hf_bytes der, const struct hf_locked *from,
                                       EVP_PKEY **out)
{
    const unsigned char *at = der.ptr;
    X509_SIG *sealed = d2i_X509_SIG(NULL, &at, (long)der.len);
    if (!sealed) {
        return hf_fail_ossl(HF_E_MALFORMED, "%s: the encrypted private key can't be read",
                            from->label);
    }
    enum hf_err err = parse_sealed(sealed, from, out);
    X509_SIG_free(sealed);
    return err;
}

static enum hf_err parse_plain_der(struct hf_bytes der, const struct hf_locked *from,
                                   EVP_PKEY **out)
{
    const unsigned char *at = der.ptr;
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)der.len);
    if (info) {
        return key_of_pkcs8(info, from, out);
    }
    hf_ossl_forget();
    at = der.ptr;
    return need_key(d2i_AutoPrivateKey(NULL, &at, (long)der.len), from, out);
}

/* --- PEM ---------------------------------------------------------------------------------------
 */

static int give_passphrase(char *into, int size, int writing, void *ctx)
{
    const struct hf_locked *from = ctx;
    (void)writing;
    if (!from->passphrase.ptr || size < 0 || from->passphrase.len > (size_t)size) {
        return -1;
    }
    if (from->passphrase.len) {
        memcpy(into, from->passphrase.ptr, from->passphrase.len);
    }
    return (int)from->passphrase.len;
}

/* RFC 1421 headers: the passphrase becomes a key by one round of MD5. Still found in old places. */
static enum hf_err parse_traditional(const struct hf_pem_block *block, const struct hf_locked *from,
                                     EVP_PKEY **out)
{
    if (!from->passphrase.ptr) {
        return hf_fail_passphrase(from, "the private key");
    }
    BIO *bio = BIO_new_mem_buf(block->text.ptr, (int)block->text.len);
    if (!bio) {
        return hf_fail_ossl(HF_E_NOMEM, "%s", from->label);
    }
    void *ctx = (void *)(uintptr_t)from;
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, ctx);
    BIO_free(bio);
    if (key) {
        *out = key;
        return HF_OK;
    }
    if (hf_ossl_is_unsupported()) {
        return hf_fail(HF_E_UNSUPPORTED,
                       "%s:%d: the private key is encrypted with a cipher that is not known here",
                       from->label, block->line);
    }
    return hf_fail_passphrase(from, "the private key");
}

typedef enum hf_err der_parser(struct hf_bytes der, const struct hf_locked *from, EVP_PKEY **out);

static const struct {
    const char *type;
    der_parser *parse;
} key_blocks[] = {
    {"PRIVATE KEY", parse_plain_der},     {"ENCRYPTED PRIVATE KEY", parse_encrypted_der},
    {"RSA PRIVATE KEY", parse_plain_der}, {"EC PRIVATE KEY", parse_plain_der},
    {"DSA PRIVATE KEY", parse_plain_der},
};

static enum hf_err parse_block(const struct hf_pem_block *block, const struct hf_locked *from,
                               EVP_PKEY **out)
{
    for (size_t i = 0; i < HF_N_ELEMENTS(key_blocks); i++) {
        if (!hf_bytes_eq_str(block->type, key_blocks[i].type)) {
            continue;
        }
        if (block->encrypted && key_blocks[i].parse == parse_plain_der) {
            return parse_traditional(block, from, out);
        }
        HF_CLEANUP(secret_buf_done) struct hf_buf der = HF_BUF_INIT(KEY_DER_MAX);
        HF_TRY(hf_pem_decode(block, from->label, &der));
        return key_blocks[i].parse(hf_buf_bytes(&der), from, out);
    }
    if (hf_bytes_eq_str(block->type, "OPENSSH PRIVATE KEY")) {
        return hf_fail(HF_E_UNSUPPORTED,
                       "%s:%d: an OpenSSH key; convert a copy of it with: "
                       "ssh-keygen -p -m PKCS8 -f FILE",
                       from->label, block->line);
    }
    return hf_fail(HF_E_UNSUPPORTED, "%s:%d: a key of the form \"%.*s\" can't be used", from->label,
                   block->line, (int)block->type.len, (const char *)block->type.ptr);
}

static bool is_key_type(struct hf_bytes type)
{
    struct hf_bytes suffix = hf_bytes_str("PRIVATE KEY");
    return type.len >= suffix.len &&
           hf_bytes_eq(hf_bytes_from(type, type.len - suffix.len), suffix);
}

static enum hf_err parse_pem(const struct hf_locked *from, EVP_PKEY **out)
{
    struct hf_pem_reader reader = hf_pem_reader_of(from->text, from->label);
    for (;;) {
        struct hf_pem_block block;
        HF_TRY(hf_pem_next(&reader, &block));
        if (block.type.len == 0) {
            return hf_fail(HF_E_NOT_FOUND, "%s: no private key in it", from->label);
        }
        if (is_key_type(block.type)) {
            return parse_block(&block, from, out);
        }
    }
}

/* A SEQUENCE that begins with a SEQUENCE is an algorithm and what it encrypted. */
static bool looks_encrypted(struct hf_bytes der)
{
    const unsigned char *at = der.ptr;
    X509_SIG *sealed = d2i_X509_SIG(NULL, &at, (long)der.len);
    X509_SIG_free(sealed);
    hf_ossl_forget();
    return sealed != NULL;
}

enum hf_err hf_key_parse(const struct hf_locked *from, EVP_PKEY **out)
{
    *out = NULL;
    HF_TRY(hf_check_passphrase(from));
    if (hf_looks_like_pem(from->text)) {
        return parse_pem(from, out);
    }
    if (from->text.len > KEY_DER_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "%s: too long for a private key", from->label);
    }
    return looks_encrypted(from->text) ? parse_encrypted_der(from->text, from, out)
                                       : parse_plain_der(from->text, from, out);
}
