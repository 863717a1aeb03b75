// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_CRL_BUILD_H
#define HF_CA_CRL_BUILD_H

/*
 * Makes one certificate revocation list (RFC 5280 5): full, delta, or a shard of either. Entries
 * come one by one and go to a temporary file at once; the list is hashed and signed as it is put
 * together. A million entries take as much memory as one.
 *
 *     hf_crl_builder_new(&plan, "/var/lib/handfast/ca", &builder)
 *     hf_crl_builder_add(builder, serial, revoked_at, reason)     any number of times
 *     hf_crl_builder_end(builder, &file)
 *     hf_crl_builder_free(builder)
 *
 * What comes out is a file without a name: nobody sees it before hf_crl_file_publish gives it one,
 * or who holds it serves it. The signature is checked before that, so that a fault in the signer
 * never leaves the house.
 */

#include "ca/crl_file.h"
#include "ca/issuer.h"

struct hf_crl_plan {
    const struct hf_cert *issuer;
    const struct hf_signer *signer; /* with the issuer's key */
    int64_t number;
    int64_t base; /* of a delta: the number of the full list that it adds to; 0: a full list */
    int64_t this_update;
    int64_t next_update;

    /* URIs of the distribution point that the certificates name, for a shard; none: the list
     * speaks for all. And where the delta of a full list is. */
    const char *const *points;
    size_t n_points;
    const char *const *freshest;
    size_t n_freshest;
};

struct hf_crl_builder;

/* folder: where temporary files go; NULL: the system's. What plan points at stays until the end.
 * Errors: HF_E_IO, HF_E_NOMEM, HF_E_INVALID (dates, number). */
enum hf_err hf_crl_builder_new(const struct hf_crl_plan *plan, const char *folder,
                               struct hf_crl_builder **out) HF_MUST_CHECK;

/* serial: a magnitude, big-endian. reason: of RFC 5280 5.3.1; removeFromCRL in deltas alone.
 * Errors: HF_E_INVALID, HF_E_IO. After one the builder stays failed. */
enum hf_err hf_crl_builder_add(struct hf_crl_builder *builder, struct hf_bytes serial,
                               int64_t revoked_at, int reason) HF_MUST_CHECK;

/* Errors: HF_E_IO (disk full), HF_E_CRYPTO. */
enum hf_err hf_crl_builder_end(struct hf_crl_builder *builder,
                               struct hf_crl_file *out) HF_MUST_CHECK;
void hf_crl_builder_free(struct hf_crl_builder *builder);

#endif
