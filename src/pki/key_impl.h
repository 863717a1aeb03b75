// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_KEY_IMPL_H
#define HF_PKI_KEY_IMPL_H

/* Shared by key.c, pkcs12.c and legacy.c. */

#include <openssl/provider.h>

#include "pki/key.h"

/* hf_check_passphrase refuses a passphrase that libcrypto would read as a shorter one. */
enum hf_err hf_check_passphrase(const struct hf_locked *from) HF_MUST_CHECK;

/* hf_fail_passphrase says that it is missing, or that it is wrong. */
enum hf_err hf_fail_passphrase(const struct hf_locked *from, const char *what);

/* hf_ossl_is_unsupported: does libcrypto's queue hold "unsupported algorithm"? Empties it. */
bool hf_ossl_is_unsupported(void);

/* A context of its own with the old ciphers in it; nothing else in the process sees them. */
struct hf_legacy {
    OSSL_LIB_CTX *libctx;
    OSSL_PROVIDER *modern;
    OSSL_PROVIDER *old;
};

/* hf_legacy_open: errors HF_E_UNSUPPORTED when the provider isn't installed; label for the words.
 */
enum hf_err hf_legacy_open(struct hf_legacy *legacy, const char *label) HF_MUST_CHECK;
void hf_legacy_close(struct hf_legacy *legacy);

#endif
