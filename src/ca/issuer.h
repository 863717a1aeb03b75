// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_ISSUER_H
#define HF_CA_ISSUER_H

/*
 * struct hf_issuer is a CA ready to sign: its certificate, its key, and what of both goes into each
 * certificate, worked out once. Immutable, counted by references, any thread.
 */

#include <openssl/evp.h>

#include "ca/alt_name.h"
#include "ca/public_key.h"
#include "pki/cert.h"

struct hf_issuer;

/*
 * hf_issuer_new takes references. P-256 signs with SHA-256, P-384 with SHA-384, P-521 with SHA-512,
 * Ed25519 as it is, RSA by PKCS#1 v1.5 with SHA-256, which everything verifies. Errors:
 * HF_E_INVALID (not a CA, may not sign certificates, an issuer without subject), HF_E_MISMATCH (the
 * key belongs to another certificate), HF_E_UNSUPPORTED (no algorithm for this key).
 */
enum hf_err hf_issuer_new(struct hf_cert *cert, EVP_PKEY *key,
                          struct hf_issuer **out) HF_MUST_CHECK;

/*
 * hf_issuer_under: what it issues is also held to the name constraints, the path length and the
 * dates of a CA above it. Called for each of them, from the nearest to the root, before the issuer
 * is shared. Errors: HF_E_MALFORMED (constraints that can't be read), HF_E_NOMEM.
 */
enum hf_err hf_issuer_under(struct hf_issuer *issuer, struct hf_cert *above) HF_MUST_CHECK;
struct hf_issuer *hf_issuer_ref(struct hf_issuer *issuer);
void hf_issuer_unref(struct hf_issuer *issuer);

const struct hf_cert *hf_issuer_cert(const struct hf_issuer *issuer);
const struct hf_public_key *hf_issuer_key(const struct hf_issuer *issuer);

/* hf_issuer_end is the last moment that what it issues may last: the earliest end among it and
 * those above it; hf_issuer_begin the latest beginning. hf_issuer_path_len is how many CAs may
 * follow below it; -1: any number. hf_issuer_is_too_deep: one above it allows not even itself, so
 * that nobody would accept what it issues. */
int64_t hf_issuer_end(const struct hf_issuer *issuer);
int64_t hf_issuer_begin(const struct hf_issuer *issuer);
int hf_issuer_path_len(const struct hf_issuer *issuer);
bool hf_issuer_is_too_deep(const struct hf_issuer *issuer);

/* hf_issuer_permits holds names to the issuer's name constraints (RFC 5280 4.2.1.10), and the
 * subject's emailAddress too. subject is a Name in DER. Errors: HF_E_INVALID in words. */
enum hf_err hf_issuer_permits(const struct hf_issuer *issuer, struct hf_bytes subject,
                              const struct hf_alt_names *names) HF_MUST_CHECK;

/*
 * struct hf_signer is what signs TBSs of certificates, CRLs and OCSP answers alike: a key and its
 * algorithm. For a root that signs itself, before there is a certificate.
 */
struct hf_signer {
    EVP_PKEY *key;             /* borrowed */
    enum hf_key_kind kind;     /* of the key */
    struct hf_bytes algorithm; /* AlgorithmIdentifier in DER; static */
};

/* hf_signer_of chooses the algorithm. Errors: HF_E_UNSUPPORTED. */
enum hf_err hf_signer_of(EVP_PKEY *key, struct hf_signer *out) HF_MUST_CHECK;
const struct hf_signer *hf_issuer_signer(const struct hf_issuer *issuer);

/*
 * hf_signer_seal appends SEQUENCE { tbs, algorithm, signature } and checks the signature, so that a
 * fault in the signer never leaves: it could give the key away. Errors: HF_E_CRYPTO,
 * HF_E_TOO_LARGE, HF_E_NOMEM; out is then as it was.
 */
enum hf_err hf_signer_seal(const struct hf_signer *signer, struct hf_bytes tbs,
                           struct hf_buf *out) HF_MUST_CHECK;

#endif
