// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_SIG_ALG_H
#define HF_CA_SIG_ALG_H

/* Signature algorithms as certificates and requests name them: one table. */

#include "ca/public_key.h"

struct hf_sig_alg {
    const char *name;          /* "ECDSA with SHA-256" */
    struct hf_bytes whole;     /* AlgorithmIdentifier in DER; each has one encoding */
    enum hf_key_kind from, to; /* kinds of keys that it goes with */
    const char *digest;        /* NULL: the algorithm has its own */
    bool pss;                  /* salt as long as the digest */
    bool weak;                 /* SHA-1 or MD5: named, never taken */
};

/* hf_sig_alg_find gives NULL for one that isn't in the table. */
const struct hf_sig_alg *hf_sig_alg_find(struct hf_bytes whole);

/* hf_sig_alg_of is what we sign with by a key of that kind; NULL: nothing. */
const struct hf_sig_alg *hf_sig_alg_of(enum hf_key_kind kind);

bool hf_sig_alg_fits(const struct hf_sig_alg *alg, enum hf_key_kind kind);

/* hf_sig_alg_verify checks a signature over message. Errors: HF_E_MISMATCH (it is wrong),
 * HF_E_UNSUPPORTED (weak, or not for this key), HF_E_NOMEM. */
enum hf_err hf_sig_alg_verify(const struct hf_sig_alg *alg, const struct hf_public_key *key,
                              struct hf_bytes message, struct hf_bytes signature) HF_MUST_CHECK;

/* hf_sig_alg_sign writes the signature into out, at least HF_SIG_MAX bytes. Errors: HF_E_CRYPTO. */
#define HF_SIG_MAX 1024
enum hf_err hf_sig_alg_sign(const struct hf_sig_alg *alg, EVP_PKEY *key, struct hf_bytes message,
                            struct hf_span out, size_t *out_len) HF_MUST_CHECK;

#endif
