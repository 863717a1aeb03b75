// SPDX-License-Identifier: Apache-2.0
/*
 * Keys, PKCS#12 and the files around them. A good credential is made at the start, always the same
 * one but for the salts of PKCS#12: an Ed25519 key out of a constant, whose signatures have nothing
 * random in them. The first byte of an input chooses a file of it (low bits) and what becomes of
 * that file (bit 7): the rest of the input in its place, or edits to it, each two bytes of offset
 * and one to exclusive-or.
 *
 * However it ends: a credential that loads has a key that belongs to its certificate, and what is
 * said of one that doesn't is printable. No secret material has to be in a corpus.
 */
#include <openssl/err.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "fuzz.h"
#include "pki/key.h"
#include "pki/write.h"

enum { FILE_MAX = 1 << 16 };
enum piece { CERT_PEM, CERT_DER, KEY_PEM, KEY_SEALED, KEY_DER, PKCS12_FILE, N_PIECES };

static const char passphrase[] = "open sesame";
static struct hf_buf pieces[N_PIECES];

static void need(bool condition)
{
    if (!condition) {
        abort();
    }
}

/* --- The good one ------------------------------------------------------------------------------
 */

static X509 *make_cert(EVP_PKEY *key)
{
    X509 *x509 = X509_new();
    need(x509 && X509_set_version(x509, 2) && X509_set_pubkey(x509, key) &&
         ASN1_INTEGER_set(X509_get_serialNumber(x509), 1) &&
         ASN1_TIME_set(X509_getm_notBefore(x509), 0) &&
         ASN1_TIME_set(X509_getm_notAfter(x509), (time_t)4000000000));
    X509_NAME *name = X509_get_subject_name(x509);
    need(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"fuzz", -1, -1,
                                    0) &&
         X509_set_issuer_name(x509, name) && X509_sign(x509, key, NULL));
    return x509;
}

/* Few rounds: a fuzzer has no use for slowness. */
static void put_sealed(EVP_PKEY *key)
{
    static unsigned char salt[16], iv[16];
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    X509_ALGOR *pbe =
        PKCS5_pbe2_set_iv(EVP_aes_256_cbc(), 2, salt, sizeof(salt), iv, NID_hmacWithSHA256);
    X509_SIG *sealed = PKCS8_set0_pbe(passphrase, (int)strlen(passphrase), info, pbe);
    unsigned char *der = NULL;
    int len = i2d_X509_SIG(sealed, &der);
    need(len > 0 && hf_buf_append(&pieces[KEY_SEALED], hf_bytes_of(der, (size_t)len)) == HF_OK);
    OPENSSL_free(der);
    X509_SIG_free(sealed);
    PKCS8_PRIV_KEY_INFO_free(info);
}

static void put_pkcs12(EVP_PKEY *key, X509 *x509)
{
    PKCS12 *p12 = PKCS12_create_ex(passphrase, "fuzz", key, x509, NULL, 0, 0, 2, 2, 0, NULL, NULL);
    unsigned char *der = NULL;
    int len = p12 ? i2d_PKCS12(p12, &der) : 0;
    need(len > 0 && hf_buf_append(&pieces[PKCS12_FILE], hf_bytes_of(der, (size_t)len)) == HF_OK);
    OPENSSL_free(der);
    PKCS12_free(p12);
}

static void make_pieces(void)
{
    static const unsigned char seed[32] = "handfast fuzz: not a secret key";
    for (size_t i = 0; i < N_PIECES; i++) {
        pieces[i] = HF_BUF_INIT(FILE_MAX);
    }
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, sizeof(seed));
    X509 *x509 = make_cert(key);
    struct hf_cert *cert = NULL;
    unsigned char *der = NULL;
    int len = i2d_PrivateKey(key, &der);
    need(hf_cert_from_x509(x509, &cert) == HF_OK &&
         hf_cert_write_pem(cert, &pieces[CERT_PEM]) == HF_OK &&
         hf_buf_append(&pieces[CERT_DER], cert->der) == HF_OK && len > 0 &&
         hf_buf_append(&pieces[KEY_DER], hf_bytes_of(der, (size_t)len)) == HF_OK &&
         hf_key_write_pem(key, hf_bytes_of(NULL, 0), &pieces[KEY_PEM]) == HF_OK);
    put_sealed(key);
    put_pkcs12(key, x509);
    OPENSSL_free(der);
    hf_cert_unref(cert);
    X509_free(x509);
    EVP_PKEY_free(key);
}

/* --- One input ---------------------------------------------------------------------------------
 */

static struct hf_bytes edited(struct hf_bytes original, struct hf_bytes edits, uint8_t *into)
{
    memcpy(into, original.ptr, original.len);
    for (; edits.len >= 3; edits = hf_bytes_from(edits, 3)) {
        size_t at = (size_t)(edits.ptr[0] << 8 | edits.ptr[1]) % original.len;
        into[at] ^= edits.ptr[2];
    }
    return hf_bytes_of(into, original.len);
}

static void check_text(const char *text)
{
    for (struct hf_bytes rest = hf_bytes_str(text); rest.len;) {
        size_t n = hf_printable_len(rest);
        need(n != 0);
        rest = hf_bytes_from(rest, n);
    }
}

static void load(const struct hf_credential_source *source)
{
    struct hf_credential *credential = NULL;
    enum hf_err err = hf_credential_new(source, &credential);
    need((err == HF_OK) == (credential != NULL));
    if (credential) {
        EVP_PKEY *public_key = X509_get0_pubkey(credential->chain->certs[0]->x509);
        need(EVP_PKEY_eq(credential->key, public_key) == 1);
        need(credential->chain->n_certs <= HF_CHAIN_MAX && credential->identity);
    } else {
        check_text(hf_err_text());
    }
    hf_credential_unref(credential);
    need(ERR_peek_error() == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t copy[FILE_MAX];
    if (!pieces[0].mem) {
        make_pieces();
    }
    if (size == 0 || size > FILE_MAX) {
        return 0;
    }
    enum piece piece = (enum piece)((data[0] & 7) % N_PIECES);
    struct hf_bytes rest = hf_bytes_of(data + 1, size - 1);
    struct hf_bytes file = data[0] & 0x80 ? rest : edited(hf_buf_bytes(&pieces[piece]), rest, copy);
    bool is_key = piece == KEY_PEM || piece == KEY_SEALED || piece == KEY_DER;
    struct hf_credential_source source = {
        .cert = is_key ? hf_buf_bytes(&pieces[CERT_DER]) : file,
        .cert_label = "fuzz.pem",
        .key = is_key ? file : hf_buf_bytes(&pieces[KEY_DER]),
        .key_label = "fuzz.key",
        .passphrase = data[0] & 0x08 ? hf_bytes_of(NULL, 0) : hf_bytes_str(passphrase),
    };
    if (piece == PKCS12_FILE) {
        source.key = hf_bytes_of(NULL, 0);
    }
    load(&source);
    return 0;
}
