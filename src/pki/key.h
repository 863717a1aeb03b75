// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_KEY_H
#define HF_PKI_KEY_H

/*
 * Private keys and PKCS#12 out of memory. Nothing here ever asks on a terminal. Keys come out in
 * libcrypto's default context, whatever it took to decrypt them.
 */

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "base/bytes.h"
#include "pki/cert.h"

/* What a secret file is opened with. */
struct hf_locked {
    struct hf_bytes text;
    const char *label;          /* names the file in messages */
    struct hf_bytes passphrase; /* ptr NULL: none given; an empty one is not none */
};

/*
 * hf_key_parse reads the first private key: PEM (PKCS#8, PKCS#1, SEC 1; encrypted in the PKCS#8 or
 * the traditional way) or DER. Errors: HF_E_NOT_FOUND (no key in it), HF_E_PASSPHRASE (missing or
 * wrong, said which), HF_E_MALFORMED, HF_E_UNSUPPORTED, HF_E_INVALID (a NUL in the passphrase).
 */
enum hf_err hf_key_parse(const struct hf_locked *from, EVP_PKEY **out) HF_MUST_CHECK;

/* hf_looks_like_pkcs12: is it a PFX structure in DER? */
bool hf_looks_like_pkcs12(struct hf_bytes text);

struct hf_pkcs12 {
    EVP_PKEY *key;           /* NULL: it has none */
    struct hf_chain *chain;  /* the leaf that fits the key, then its issuers, without the root */
    struct hf_chain *others; /* what else is in it, such as the root; NULL: nothing */
    bool old_ciphers;        /* it took the legacy provider to open it */
};

/*
 * hf_pkcs12_parse takes a PKCS#12 file apart. Old ciphers (RC2) need libcrypto's legacy provider,
 * which is loaded for this alone. Errors as hf_key_parse; *out is then empty.
 */
enum hf_err hf_pkcs12_parse(const struct hf_locked *from, struct hf_pkcs12 *out) HF_MUST_CHECK;
void hf_pkcs12_done(struct hf_pkcs12 *pkcs12);

#endif
