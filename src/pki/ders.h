// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_DERS_H
#define HF_PKI_DERS_H

/*
 * struct hf_ders is a chain as bytes alone: what is kept of a peer while nothing is asked about it.
 * A parsed certificate takes some ten times its size. Immutable, counted by references, any thread.
 */

#include "pki/cert.h"

struct hf_ders {
    atomic_uint refs;
    uint32_t n_ders;
    uint8_t sha256[HF_SHA256_SIZE]; /* of the chain, as struct hf_chain has it */
    struct hf_bytes der[];          /* leaf first; the bytes follow */
};

/* hf_chain_ders gives the chain's bytes: a reference to one object that the chain keeps, so that
 * all who had the chain share them. Errors: HF_E_NOMEM. */
enum hf_err hf_chain_ders(struct hf_chain *chain, struct hf_ders **out) HF_MUST_CHECK;
struct hf_ders *hf_ders_ref(struct hf_ders *ders);
void hf_ders_unref(struct hf_ders *ders);
void hf_ders_unrefp(struct hf_ders **ders);

#endif
