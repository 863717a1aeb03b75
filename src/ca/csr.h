// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_CSR_H
#define HF_CA_CSR_H

/*
 * struct hf_csr is a certificate request (PKCS#10, RFC 2986) that was read strictly: DER to the
 * last byte, proof that its maker has the private key, at most one extensionRequest, no extension
 * twice. What it asks for are wishes: a profile says what becomes of them. Immutable; any thread.
 */

#include "ca/alt_name.h"
#include "ca/public_key.h"
#include "ca/refusal.h"
#include "ca/subject.h"

#define HF_CSR_TEXT_MAX (64u << 10) /* bytes of PEM or DER that are looked at */
#define HF_CSR_DER_MAX  (16u << 10)
#define HF_CSR_EKU_MAX  16

struct hf_csr {
    struct hf_bytes der; /* owned */
    struct hf_public_key *key;
    struct hf_subject subject;
    struct hf_alt_names names;
    uint32_t key_usage;                  /* bits as in KeyUsage; 0: not asked for */
    bool wants_ca;                       /* basicConstraints with cA */
    int path_len;                        /* -1: none asked for */
    struct hf_bytes eku[HF_CSR_EKU_MAX]; /* contents of OIDs, in der */
    size_t n_eku;
    struct hf_bytes challenge; /* challengePassword, in der; ptr NULL: none. A secret: not to be
                                  logged */
    unsigned n_ignored;        /* extensions and attributes that nothing is made of */
};

/*
 * hf_csr_parse reads PEM (the first CERTIFICATE REQUEST in it) or DER; label names it in messages.
 * Signatures: ECDSA with SHA-256, 384 or 512, RSA PKCS#1 and PSS with these, Ed25519. Errors:
 * HF_E_MALFORMED, HF_E_TOO_LARGE, HF_E_UNSUPPORTED, HF_E_INVALID, each in words; *out_why says
 * which kind. The key may still be weak: see ca/weak_key.h.
 */
enum hf_err hf_csr_parse(struct hf_bytes text, const char *label, struct hf_csr **out,
                         enum hf_refusal *out_why) HF_MUST_CHECK;
void hf_csr_free(struct hf_csr *csr);
void hf_csr_freep(struct hf_csr **csr);

#endif
