// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_BUNDLE_H
#define HF_PKI_BUNDLE_H

/*
 * Certificates and keys in the formats that other programs open: one table, one function. All
 * append to a buffer; what holds a secret (hf_bundle_is_secret) is wiped by whoever had it written,
 * and belongs into a file of mode 0600.
 */

#include "base/buf.h"
#include "pki/credential.h"

/* id, word, end of the file's name, what it is, for help */
#define HF_BUNDLE_TABLE(X) \
    X(PEM, "pem", ".pem", "the key, if there is one, and the chain, in PEM") \
    X(DER, "der", ".cer", "the first certificate alone, in DER") \
    X(PKCS12, "pkcs12", ".p12", "key and chain, AES-256 and SHA-256") \
    X(PKCS12_LEGACY, "pkcs12-legacy", ".p12", \
      "the same for programs from before 2019, 3DES and " \
      "SHA-1") \
    X(PKCS7, "pkcs7", ".p7b", "the certificates, in DER") \
    X(PKCS7_PEM, "pkcs7-pem", ".p7b", "the certificates, in PEM") \
    X(TRUSTSTORE, "truststore", ".p12", \
      "the certificates as trusted ones, a PKCS#12 that Java's " \
      "keytool and TLS take") \
    X(OPENSSH, "openssh", "", "the private key as OpenSSH has it; without one the public key") \
    X(KUBERNETES, "kubernetes", ".yaml", "a Secret of type kubernetes.io/tls")

#define HF_BUNDLE_ENUM(id, word, end, what) HF_BUNDLE_##id,
enum hf_bundle_format { HF_BUNDLE_TABLE(HF_BUNDLE_ENUM) HF_BUNDLE_N };
#undef HF_BUNDLE_ENUM

/* hf_bundle_by_word gives HF_BUNDLE_N for a word that isn't in the table. hf_bundle_words ends with
 * NULL. */
enum hf_bundle_format hf_bundle_by_word(const char *word);
const char *hf_bundle_end(enum hf_bundle_format format);
extern const char *const hf_bundle_words[];

struct hf_bundle {
    const EVP_PKEY *key;          /* NULL: none */
    const struct hf_chain *chain; /* leaf first; TRUSTSTORE: those to trust */
    const struct hf_cert *root;   /* PKCS12, PKCS7: put in too; KUBERNETES: ca.crt; NULL: none */
    const char *name;             /* PKCS12, TRUSTSTORE: what importing programs show; OPENSSH: the
                                     comment; KUBERNETES: the Secret's name; NULL: "handfast" */
    const char *passphrase;       /* PKCS12, TRUSTSTORE: must be there; PEM: of the key, NULL: not
                                     encrypted */
};

/* hf_bundle_is_secret: will what is written have the private key in it? */
bool hf_bundle_is_secret(enum hf_bundle_format format, const struct hf_bundle *bundle);

/* hf_bundle_write appends. Errors: HF_E_INVALID in words (no key, no passphrase, a name that the
 * format doesn't allow), HF_E_UNSUPPORTED (a key that OpenSSH doesn't know, or a passphrase for
 * it), HF_E_CRYPTO, HF_E_NOMEM. */
enum hf_err hf_bundle_write(enum hf_bundle_format format, const struct hf_bundle *bundle,
                            struct hf_buf *out) HF_MUST_CHECK;

#endif
