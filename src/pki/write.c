// SPDX-License-Identifier: Apache-2.0
#include "pki/write.h"

#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "base/base64.h"
#include "pki/ossl.h"

/* Of the passphrase of a PKCS#12 file, which is generated unless somebody insists on his own. */
enum { P12_ROUNDS = 100000 };

enum { PEM_LINE = 64, PEM_CAP = 4 << 20 };

static void wiped_buf_done(struct hf_buf *buf)
{
    hf_buf_wipe(buf);
    hf_buf_done(buf);
}

enum hf_err hf_pem_block(const char *type, struct hf_bytes bytes, struct hf_buf *out)
{
    HF_CLEANUP(wiped_buf_done) struct hf_buf text = HF_BUF_INIT(PEM_CAP);
    HF_TRY(hf_base64_encode(bytes, &text));
    HF_TRY(hf_buf_printf(out, "-----BEGIN %s-----\n", type));
    for (struct hf_bytes rest = hf_buf_bytes(&text); rest.len;
         rest = hf_bytes_from(rest, PEM_LINE)) {
        HF_TRY(
            hf_buf_append(out, hf_bytes_of(rest.ptr, rest.len < PEM_LINE ? rest.len : PEM_LINE)));
        HF_TRY(hf_buf_u8(out, '\n'));
    }
    return hf_buf_printf(out, "-----END %s-----\n", type);
}

/* libcrypto wipes the memory of a BIO when it frees it. */
static enum hf_err take_bio(BIO *bio, bool good, const char *what, struct hf_buf *out)
{
    enum hf_err err = HF_OK;
    if (good) {
        char *bytes;
        long len = BIO_get_mem_data(bio, &bytes);
        err = hf_buf_append(out, hf_bytes_of(bytes, (size_t)len));
    } else {
        err = hf_fail_ossl(HF_E_CRYPTO, "%s could not be written", what);
    }
    BIO_free(bio);
    return err;
}

enum hf_err hf_cert_write_pem(const struct hf_cert *cert, struct hf_buf *out)
{
    return hf_pem_block("CERTIFICATE", cert->der, out);
}

enum hf_err hf_chain_write_pem(const struct hf_chain *chain, struct hf_buf *out)
{
    for (size_t i = 0; i < chain->n_certs; i++) {
        HF_TRY(hf_cert_write_pem(chain->certs[i], out));
    }
    return HF_OK;
}

static X509_SIG *seal(PKCS8_PRIV_KEY_INFO *info, struct hf_bytes passphrase)
{
    X509_ALGOR *pbe = PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), HF_KEY_PBKDF2_ROUNDS, NULL, 16, NULL,
                                        NID_hmacWithSHA256);
    X509_SIG *sealed =
        pbe ? PKCS8_set0_pbe((const char *)passphrase.ptr, (int)passphrase.len, info, pbe) : NULL;
    if (!sealed) {
        X509_ALGOR_free(pbe);
    }
    return sealed;
}

enum hf_err hf_key_write_pem(const EVP_PKEY *key, struct hf_bytes passphrase, struct hf_buf *out)
{
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    BIO *bio = BIO_new(BIO_s_mem());
    bool good = info && bio;
    if (good && !passphrase.ptr) {
        good = PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio, info);
    } else if (good) {
        X509_SIG *sealed = seal(info, passphrase);
        good = sealed && PEM_write_bio_PKCS8(bio, sealed);
        X509_SIG_free(sealed);
    }
    PKCS8_PRIV_KEY_INFO_free(info);
    return take_bio(bio, good, "a private key", out);
}

static STACK_OF(X509) * others_of(const struct hf_pkcs12_what *what)
{
    STACK_OF(X509) *others = sk_X509_new_reserve(NULL, (int)what->chain->n_certs + 1);
    for (size_t i = 1; others && i < what->chain->n_certs; i++) {
        sk_X509_push(others, what->chain->certs[i]->x509);
    }
    if (others && what->root) {
        sk_X509_push(others, what->root->x509);
    }
    return others;
}

static PKCS12 *make_pkcs12(const struct hf_pkcs12_what *what, STACK_OF(X509) * others)
{
    int pbe = what->old_ciphers ? NID_pbe_WithSHA1And3_Key_TripleDES_CBC : NID_aes_256_cbc;
    int rounds = what->old_ciphers ? PKCS12_DEFAULT_ITER : P12_ROUNDS;
    EVP_PKEY *key = (EVP_PKEY *)(uintptr_t)what->key; /* only read */
    PKCS12 *p12 =
        PKCS12_create_ex(what->passphrase, what->friendly_name, key, what->chain->certs[0]->x509,
                         others, pbe, pbe, rounds, -1, 0, NULL, NULL);
    const EVP_MD *md = what->old_ciphers ? EVP_sha1() : EVP_sha256();
    if (p12 && !PKCS12_set_mac(p12, what->passphrase, -1, NULL, 0, rounds, md)) {
        PKCS12_free(p12);
        p12 = NULL;
    }
    return p12;
}

enum hf_err hf_pkcs12_write(const struct hf_pkcs12_what *what, struct hf_buf *out)
{
    STACK_OF(X509) *others = others_of(what);
    PKCS12 *p12 = others ? make_pkcs12(what, others) : NULL;
    BIO *bio = p12 ? BIO_new(BIO_s_mem()) : NULL;
    bool good = bio && i2d_PKCS12_bio(bio, p12);
    PKCS12_free(p12);
    sk_X509_free(others);
    return take_bio(bio, good, "a PKCS#12 file", out);
}
