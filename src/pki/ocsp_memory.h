// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_OCSP_MEMORY_H
#define HF_PKI_OCSP_MEMORY_H

/*
 * struct hf_ocsp_memory is what this process knows of certificates by OCSP, whoever learnt it:
 * answers that were found good, and questions that failed. Bounded: what was not looked at for
 * longest makes room. Any thread; a lock is held for a look into a table, never for work.
 *
 * An answer that is overruled by the one that is there is refused: whoever shows a good answer from
 * before a revocation shows it in vain for as long as the newer one is remembered.
 */

#include "pki/ocsp_answer.h"
#include "pki/reason.h"

#define HF_OCSP_MEMORY_MAX 65536 /* certificates */
#define HF_OCSP_WHY_MAX    240

struct hf_ocsp_memory;

/* A certificate by its issuer's certificate and its own. */
struct hf_ocsp_key {
    uint8_t hash[HF_SHA256_SIZE];
};

void hf_ocsp_key_of(const struct hf_cert *cert, const struct hf_cert *issuer,
                    struct hf_ocsp_key *out);

struct hf_ocsp_recall {
    struct hf_ocsp_known *known; /* a reference; NULL: nothing is known */
    int64_t failed_at;           /* when asking failed since then, Unix seconds; 0: it didn't */
    enum hf_reason reason;       /* of the failure ... */
    char why[HF_OCSP_WHY_MAX];   /* ... in words */
    uint64_t stamp; /* grows whenever anything is learnt of the certificate; 0: nothing was */
};

enum hf_err hf_ocsp_memory_new(size_t n_max, struct hf_ocsp_memory **out) HF_MUST_CHECK;
void hf_ocsp_memory_free(struct hf_ocsp_memory *memory);

/* hf_ocsp_memory_get fills in *out, which hf_ocsp_recall_done empties; false: all is empty. */
bool hf_ocsp_memory_get(struct hf_ocsp_memory *memory, const struct hf_ocsp_key *key,
                        struct hf_ocsp_recall *out);
void hf_ocsp_recall_done(struct hf_ocsp_recall *recall);

/* hf_ocsp_memory_put remembers; *out_changed: the status is another than was known before. Errors:
 * HF_E_MISMATCH in words (overruled by what is there, which stays), HF_E_NOMEM. */
enum hf_err hf_ocsp_memory_put(struct hf_ocsp_memory *memory, const struct hf_ocsp_key *key,
                               struct hf_ocsp_known *known, bool *out_changed) HF_MUST_CHECK;

/* hf_ocsp_memory_fail notes that asking failed; what was known stays. */
void hf_ocsp_memory_fail(struct hf_ocsp_memory *memory, const struct hf_ocsp_key *key,
                         int64_t now_s, enum hf_reason reason, const char *why);
size_t hf_ocsp_memory_count(struct hf_ocsp_memory *memory);

#endif
