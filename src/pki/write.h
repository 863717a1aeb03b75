// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_WRITE_H
#define HF_PKI_WRITE_H

/* Certificates and keys into the formats that others read. All append to a buffer; who wrote a
 * secret into one wipes it with hf_buf_wipe before it goes. */

#include "base/buf.h"
#include "pki/credential.h"

/* hf_pem_block appends bytes as one block of PEM (RFC 7468): BEGIN, base64, END. */
enum hf_err hf_pem_block(const char *type, struct hf_bytes bytes, struct hf_buf *out) HF_MUST_CHECK;

/* hf_cert_write_pem appends one CERTIFICATE block. */
enum hf_err hf_cert_write_pem(const struct hf_cert *cert, struct hf_buf *out) HF_MUST_CHECK;

/* hf_chain_write_pem appends them all, in order. */
enum hf_err hf_chain_write_pem(const struct hf_chain *chain, struct hf_buf *out) HF_MUST_CHECK;

/* hf_key_write_pem appends PKCS#8; with a passphrase (ptr not NULL) encrypted with AES-256-CBC
 * under PBKDF2-HMAC-SHA256 of HF_KEY_PBKDF2_ROUNDS rounds, which OpenSSL, GnuTLS, NSS and Java
 * read. */
#define HF_KEY_PBKDF2_ROUNDS 600000
enum hf_err hf_key_write_pem(const EVP_PKEY *key, struct hf_bytes passphrase,
                             struct hf_buf *out) HF_MUST_CHECK;

struct hf_pkcs12_what {
    const EVP_PKEY *key;
    const struct hf_chain *chain; /* leaf first; all go in */
    const struct hf_cert *root;   /* also put in; NULL: none */
    const char *friendly_name;    /* that importing programs show */
    const char *passphrase;
    bool old_ciphers; /* 3DES and SHA-1, for programs from before 2019; AES-256 and SHA-256
                         otherwise */
};

/* hf_pkcs12_write appends a PKCS#12 file in DER. */
enum hf_err hf_pkcs12_write(const struct hf_pkcs12_what *what, struct hf_buf *out) HF_MUST_CHECK;

#endif
