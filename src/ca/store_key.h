// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_STORE_KEY_H
#define HF_CA_STORE_KEY_H

/*
 * Private keys of authorities, as the store keeps them and as they sign: an EVP_PKEY, wherever the
 * key is.
 *
 * Sealed keys are PKCS#8 under AES-256-CBC with a key by scrypt (N 16384, r 8, p 5), as `openssl
 * pkcs8` reads them. A key in a token (PKCS#11) never leaves it; the store holds its URI, and the
 * PIN comes the way of a passphrase.
 */

#include <openssl/evp.h>

#include "base/buf.h"
#include "base/secret.h"
#include "ca/store.h"

/* hf_store_key_seal appends the encrypted PKCS#8 in DER. passphrase isn't empty. */
enum hf_err hf_store_key_seal(const EVP_PKEY *key, struct hf_bytes passphrase,
                              struct hf_buf *out) HF_MUST_CHECK;

/* hf_store_key_describe fills type and spki_sha256. type lives in type_text. */
enum hf_err hf_store_key_describe(const EVP_PKEY *key, char type_text[static 32],
                                  struct hf_store_key *out) HF_MUST_CHECK;

/*
 * hf_store_key_open gives the key ready to sign; *out is the caller's (EVP_PKEY_free). For
 * HF_KEY_PKCS11 the passphrase is the PIN (ptr NULL: the URI's pin-source, or none). What is opened
 * must be the key that was stored (HF_E_MISMATCH). Errors: HF_E_PASSPHRASE (missing or wrong, said
 * which), HF_E_MALFORMED, HF_E_NOT_FOUND (the token or the key on it), HF_E_UNSUPPORTED (no PKCS#11
 * in this build or on this machine: the sentence names the package), HF_E_CRYPTO.
 */
enum hf_err hf_store_key_open(const struct hf_store_key *key, struct hf_bytes passphrase,
                              EVP_PKEY **out) HF_MUST_CHECK;

/*
 * hf_store_key_pkcs11 loads a private key by URI, as hf_store_key_open does for one that is stored:
 * for taking a token's key into the store. The module is that of the URI's module-path, or
 * p11-kit's proxy. pin: as above.
 */
enum hf_err hf_store_key_pkcs11(const char *uri, struct hf_bytes pin, EVP_PKEY **out) HF_MUST_CHECK;

/* Where a passphrase comes from: at most one. */
struct hf_store_passphrase {
    const char *file;       /* its first line; must be private (0600) */
    const char *env;        /* the variable's name */
    const char *credential; /* of systemd: a name under $CREDENTIALS_DIRECTORY */
};

/* hf_store_passphrase_read: nothing given leaves out empty (ptr NULL). Errors: HF_E_INVALID (two
 * given), HF_E_NOT_FOUND, HF_E_PERMISSION, HF_E_PASSPHRASE (it is empty). */
enum hf_err hf_store_passphrase_read(const struct hf_store_passphrase *from,
                                     struct hf_secret_text *out) HF_MUST_CHECK;

#endif
