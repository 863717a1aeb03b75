// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_WEAK_IMPL_H
#define HF_CA_WEAK_IMPL_H

/* The parts of the check of keys, each of which looks for one kind of weakness. */

#include "ca/weak_key.h"

/* hf_weak_rsa gives HF_OK, or HF_E_INVALID in words. */
enum hf_err hf_weak_rsa(const struct hf_public_key *key) HF_MUST_CHECK;
enum hf_err hf_weak_ec(const struct hf_public_key *key) HF_MUST_CHECK;
enum hf_err hf_weak_ed25519(const struct hf_public_key *key) HF_MUST_CHECK;

/* hf_has_roca_fingerprint: was the modulus made as by CVE-2017-15361? One good key in 2^27 has the
 * fingerprint too. */
bool hf_has_roca_fingerprint(struct hf_bytes modulus);

/* hf_published_key gives where this key was published with its private half; NULL: we know of
 * nowhere. */
const char *hf_published_key(const uint8_t spki_sha256[static 32]);

#endif
