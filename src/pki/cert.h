// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_CERT_H
#define HF_PKI_CERT_H

/*
 * struct hf_cert is one parsed X.509 certificate, immutable after it is made and counted by
 * references; any thread. struct hf_chain is what a peer sent or a file holds: leaf first.
 */

#include <openssl/x509.h>
#include <stdatomic.h>

#include "base/bytes.h"
#include "crypto/verify.h"

#define HF_SHA256_SIZE  32
#define HF_CERT_DER_MAX (64u << 10)
#define HF_CHAIN_MAX    16 /* certificates that a peer may send */

struct hf_identity;

struct hf_cert {
    atomic_uint refs;
    X509 *x509;          /* owned; read only */
    struct hf_bytes der; /* owned */
    uint8_t sha256[HF_SHA256_SIZE];
    uint8_t spki_sha256[HF_SHA256_SIZE];
    int64_t not_before; /* Unix seconds; RFC 5280's "no end" date is INT64_MAX */
    int64_t not_after;
    bool is_ca;                             /* basicConstraints CA, or a v1 self-signed root */
    _Atomic(struct hf_verify_key *) key;    /* made when it is first asked for; owned */
    _Atomic(struct hf_identity *) identity; /* likewise; see hf_identity_new */
};

/* hf_cert_from_der parses exactly one certificate. Errors: HF_E_MALFORMED (bad_certificate),
 * HF_E_TOO_LARGE, HF_E_NOMEM. *out is NULL on failure. */
enum hf_err hf_cert_from_der(struct hf_bytes der, struct hf_cert **out) HF_MUST_CHECK;

/* hf_cert_from_x509 makes one from libcrypto's object, whose reference count is raised. */
enum hf_err hf_cert_from_x509(X509 *x509, struct hf_cert **out) HF_MUST_CHECK;
struct hf_cert *hf_cert_ref(struct hf_cert *cert);

/* hf_cert_verify_key is the certificate's public key, ready to verify with; it lives as long as the
 * certificate. Errors: HF_E_UNSUPPORTED (no scheme of TLS 1.3 fits it), HF_E_MALFORMED,
 * HF_E_CRYPTO, HF_E_NOMEM. */
enum hf_err hf_cert_verify_key(struct hf_cert *cert,
                               const struct hf_verify_key **out) HF_MUST_CHECK;
void hf_cert_unref(struct hf_cert *cert);
void hf_cert_unrefp(struct hf_cert **cert);

struct hf_ders;

struct hf_chain {
    atomic_uint refs;
    _Atomic(struct hf_ders *) ders; /* made when first asked for; see pki/ders.h */
    uint8_t
        sha256[HF_SHA256_SIZE]; /* over length (4 bytes, big-endian) and DER of each, in order */
    size_t n_certs;
    struct hf_cert *certs[]; /* leaf first; owned references */
};

/* hf_chain_new takes its own references to n certs. Errors: HF_E_TOO_LARGE beyond HF_CHAIN_MAX. */
enum hf_err hf_chain_new(struct hf_cert *const *certs, size_t n,
                         struct hf_chain **out) HF_MUST_CHECK;

/* hf_chain_from_ders parses what a Certificate message carried. Errors as hf_cert_from_der. */
enum hf_err hf_chain_from_ders(const struct hf_bytes *ders, size_t n,
                               struct hf_chain **out) HF_MUST_CHECK;

/* hf_chain_hash is the sha256 that hf_chain_from_ders would give, without parsing. */
void hf_chain_hash(const struct hf_bytes *ders, size_t n, uint8_t out[static HF_SHA256_SIZE]);
struct hf_chain *hf_chain_ref(struct hf_chain *chain);
void hf_chain_unref(struct hf_chain *chain);
void hf_chain_unrefp(struct hf_chain **chain);

#endif
