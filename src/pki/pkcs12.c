// SPDX-License-Identifier: Apache-2.0
/*
 * PKCS#12 (RFC 7292). Its MAC tells a wrong passphrase from a broken file, so it is checked first
 * and by itself. What was read is then carried over into libcrypto's default context by way of its
 * DER, so that a key out of an old file is like any other.
 */
#include <openssl/pkcs12.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "base/mem.h"
#include "base/secret.h"
#include "pki/cert_impl.h"
#include "pki/key_impl.h"
#include "pki/ossl.h"

enum { P12_DER_MAX = 4 << 20, P12_CERTS_MAX = 256 };

struct contents {
    EVP_PKEY *key;
    X509 *leaf;
    STACK_OF(X509) * others;
};

static void contents_done(struct contents *contents)
{
    EVP_PKEY_free(contents->key);
    X509_free(contents->leaf);
    sk_X509_pop_free(contents->others, X509_free);
}

/* SEQUENCE { INTEGER 3, SEQUENCE ... }: nothing else that we read begins so. */
bool hf_looks_like_pkcs12(struct hf_bytes text)
{
    if (text.len < 8 || text.ptr[0] != 0x30) {
        return false;
    }
    size_t at = 2;
    if (text.ptr[1] > 0x80) {
        at += text.ptr[1] & 0x7fu;
    }
    return at <= 6 && at + 4 <= text.len && memcmp(text.ptr + at, "\x02\x01\x03\x30", 4) == 0;
}

static PKCS12 *decode(struct hf_bytes der, OSSL_LIB_CTX *libctx)
{
    PKCS12 *p12 = PKCS12_init_ex(NID_pkcs7_data, libctx, NULL);
    const unsigned char *at = der.ptr;
    return p12 && d2i_PKCS12(&p12, &at, (long)der.len) ? p12 : NULL; /* freed when it failed */
}

/* The passphrase under which the MAC is right: the one given, or without one "none" and "empty",
 * between which PKCS#12 makes a difference. */
static enum hf_err find_passphrase(PKCS12 *p12, const struct hf_locked *from, const char **out)
{
    const char *given = (const char *)from->passphrase.ptr;
    const char *const guesses[] = {given ? given : NULL, given ? given : ""};
    for (size_t i = 0; i < HF_N_ELEMENTS(guesses); i++) {
        *out = guesses[i];
        if (!PKCS12_mac_present(p12) ||
            PKCS12_verify_mac(p12, guesses[i], given ? (int)from->passphrase.len : 0)) {
            return HF_OK;
        }
    }
    if (hf_ossl_is_unsupported()) {
        return hf_fail(HF_E_UNSUPPORTED,
                       "%s: the PKCS#12 file is protected by a MAC that is not known here; export "
                       "it anew with: openssl pkcs12 -export",
                       from->label);
    }
    return hf_fail_passphrase(from, "the PKCS#12 file");
}

static bool open_with(struct hf_bytes der, OSSL_LIB_CTX *libctx, const char *passphrase,
                      struct contents *out)
{
    PKCS12 *p12 = decode(der, libctx);
    bool good = p12 && PKCS12_parse(p12, passphrase, &out->key, &out->leaf, &out->others);
    PKCS12_free(p12);
    return good;
}

static enum hf_err open_old(const struct hf_locked *from, const char *passphrase,
                            struct contents *out, struct hf_legacy *legacy)
{
    HF_TRY(hf_legacy_open(legacy, from->label));
    if (open_with(from->text, legacy->libctx, passphrase, out)) {
        return HF_OK;
    }
    return hf_fail_ossl(HF_E_UNSUPPORTED, "%s: the PKCS#12 file can't be opened", from->label);
}

/* --- Into the default context ------------------------------------------------------------------
 */

static enum hf_err carry_key(EVP_PKEY *from, EVP_PKEY **out)
{
    *out = NULL;
    if (!from) {
        return HF_OK;
    }
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(from);
    *out = info ? EVP_PKCS82PKEY(info) : NULL;
    PKCS8_PRIV_KEY_INFO_free(info); /* wipes the key in it */
    return *out ? HF_OK : hf_fail_ossl(HF_E_MALFORMED, "the private key can't be read");
}

static enum hf_err carry_cert(X509 *from, struct hf_cert **out)
{
    unsigned char *der = NULL;
    int len = i2d_X509(from, &der);
    if (len <= 0) {
        return hf_fail_ossl(HF_E_MALFORMED, "a certificate can't be encoded");
    }
    enum hf_err err = hf_cert_from_der(hf_bytes_of(der, (size_t)len), out);
    OPENSSL_free(der);
    return err;
}

/* Where in others the certificate is that issued cert and isn't a root; -1 when there is none. */
static int issuer_among(X509 *cert, STACK_OF(X509) * others)
{
    for (int i = 0; i < sk_X509_num(others); i++) {
        X509 *candidate = sk_X509_value(others, i);
        if (X509_check_issued(candidate, cert) == X509_V_OK &&
            X509_self_signed(candidate, 0) != 1) {
            return i;
        }
    }
    return -1;
}

static void unref_all(struct hf_cert **certs, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        hf_cert_unref(certs[i]);
    }
    hf_ossl_forget();
}

/* Marks each certificate of others that it takes. */
static enum hf_err carry_chain(const struct contents *contents, bool *taken, struct hf_chain **out)
{
    struct hf_cert *certs[HF_CHAIN_MAX] = {0};
    size_t n = 0;
    enum hf_err err = HF_OK;
    for (X509 *at = contents->leaf; at && err == HF_OK;) {
        if (n == HF_CHAIN_MAX) {
            err = hf_fail(HF_E_TOO_LARGE, "the chain has more than %d certificates", HF_CHAIN_MAX);
            break;
        }
        err = carry_cert(at, &certs[n]);
        n += err == HF_OK;
        int next = issuer_among(at, contents->others);
        at = next >= 0 && !taken[next] ? sk_X509_value(contents->others, next) : NULL;
        if (at) {
            taken[next] = true;
        }
    }
    if (err == HF_OK) {
        err = hf_chain_new_any(certs, n, out);
    }
    unref_all(certs, n);
    return err;
}

static enum hf_err carry_others(const struct contents *contents, const bool *taken,
                                struct hf_chain **out)
{
    struct hf_cert *certs[P12_CERTS_MAX] = {0};
    size_t n = 0;
    enum hf_err err = HF_OK;
    for (int i = 0; err == HF_OK && i < sk_X509_num(contents->others); i++) {
        X509 *at = sk_X509_value(contents->others, i);
        if (!taken[i] && at != contents->leaf) {
            err = carry_cert(at, &certs[n]);
            n += err == HF_OK;
        }
    }
    if (err == HF_OK && n) {
        err = hf_chain_new_any(certs, n, out);
    }
    unref_all(certs, n);
    return err;
}

static enum hf_err carry(const struct contents *contents, struct hf_pkcs12 *out)
{
    bool taken[P12_CERTS_MAX] = {0};
    if (sk_X509_num(contents->others) > P12_CERTS_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "more than %d certificates", P12_CERTS_MAX);
    }
    HF_TRY(carry_key(contents->key, &out->key));
    HF_TRY(carry_chain(contents, taken, &out->chain));
    return carry_others(contents, taken, &out->others);
}

/* Without a key libcrypto names no leaf: take the first certificate that issued no other one. */
static void choose_leaf(struct contents *contents)
{
    for (int i = 0; !contents->leaf && i < sk_X509_num(contents->others); i++) {
        X509 *candidate = sk_X509_value(contents->others, i);
        bool issued_one = false;
        for (int j = 0; j < sk_X509_num(contents->others); j++) {
            issued_one = issued_one ||
                         (j != i && X509_check_issued(candidate, sk_X509_value(contents->others,
                                                                               j)) == X509_V_OK);
        }
        if (!issued_one) {
            X509_up_ref(candidate);
            contents->leaf = candidate;
        }
    }
}

static enum hf_err parse(PKCS12 *p12, const struct hf_locked *from, struct hf_pkcs12 *out)
{
    const char *passphrase = NULL;
    HF_TRY(find_passphrase(p12, from, &passphrase));
    struct contents contents = {0};
    struct hf_legacy legacy = {0};
    enum hf_err err = HF_OK;
    if (!open_with(from->text, NULL, passphrase, &contents)) {
        out->old_ciphers = hf_ossl_is_unsupported();
        err = out->old_ciphers
                  ? open_old(from, passphrase, &contents, &legacy)
                  : hf_fail(HF_E_MALFORMED, "%s: the PKCS#12 file can't be opened", from->label);
    }
    if (err == HF_OK) {
        choose_leaf(&contents);
        err = contents.leaf ? carry(&contents, out)
                            : hf_fail(HF_E_MALFORMED, "%s: no certificate in it", from->label);
    }
    contents_done(&contents);
    hf_legacy_close(&legacy);
    return err;
}

enum hf_err hf_pkcs12_parse(const struct hf_locked *from, struct hf_pkcs12 *out)
{
    *out = (struct hf_pkcs12){0};
    HF_TRY(hf_check_passphrase(from));
    if (from->text.len > P12_DER_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "%s: too long for a PKCS#12 file", from->label);
    }
    PKCS12 *p12 = decode(from->text, NULL);
    if (!p12) {
        return hf_fail_ossl(HF_E_MALFORMED, "%s: not a PKCS#12 file", from->label);
    }
    enum hf_err err = parse(p12, from, out);
    PKCS12_free(p12);
    if (err != HF_OK) {
        hf_pkcs12_done(out);
    }
    return err;
}

void hf_pkcs12_done(struct hf_pkcs12 *pkcs12)
{
    EVP_PKEY_free(pkcs12->key);
    hf_chain_unref(pkcs12->chain);
    hf_chain_unref(pkcs12->others);
    *pkcs12 = (struct hf_pkcs12){0};
}
