// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_CREDENTIAL_H
#define HF_PKI_CREDENTIAL_H

/*
 * struct hf_credential is a certificate chain of ours with its private key. Immutable, counted by
 * references, any thread.
 */

#include <openssl/evp.h>

#include "base/secret.h"
#include "pki/identity.h"

struct hf_credential {
    atomic_uint refs;
    struct hf_chain *chain; /* leaf first, then intermediates as they are to be sent */
    struct hf_identity *identity;
    EVP_PKEY *key;
};

/* Reads no files itself: contents come from the caller. label names the file in messages. */
struct hf_credential_source {
    struct hf_bytes cert; /* PEM (leaf first), DER, or PKCS#12 */
    const char *cert_label;
    struct hf_bytes key; /* PEM, also encrypted; empty: it is in cert's file */
    const char *key_label;
    struct hf_bytes chain; /* more PEM certificates to send; empty: none */
    const char *chain_label;
    struct hf_bytes passphrase; /* len 0 and ptr NULL: none given */
};

/*
 * hf_credential_new parses, and checks that key and certificate belong together. Errors:
 * HF_E_MALFORMED, HF_E_PASSPHRASE (missing or wrong, said which), HF_E_MISMATCH, HF_E_UNSUPPORTED.
 */
enum hf_err hf_credential_new(const struct hf_credential_source *source,
                              struct hf_credential **out) HF_MUST_CHECK;
struct hf_credential *hf_credential_ref(struct hf_credential *credential);
void hf_credential_unref(struct hf_credential *credential);

#endif
