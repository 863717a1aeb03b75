// SPDX-License-Identifier: Apache-2.0
#ifndef HF_POLICY_JWKS_H
#define HF_POLICY_JWKS_H

/*
 * struct hf_jwks is a set of public keys (RFC 7517) to check tokens with. Immutable, counted by
 * references, any thread.
 */

#include <stdatomic.h>

#include "policy/jws.h"

#define HF_JWKS_MAX      (1u << 20) /* bytes of its JSON */
#define HF_JWKS_KEYS_MAX 256

struct hf_jwks {
    atomic_uint refs;
    uint8_t id[32]; /* SHA-256 of the text: sets of the same id are the same */
    size_t n_keys;
    size_t n_skipped;  /* members that are not for us */
    char skipped[160]; /* why the last of them is not; "" */
    struct hf_jwk keys[];
};

/*
 * hf_jwks_new parses. Members that can't be used are passed over and counted; a set that leaves no
 * key is refused. Errors: HF_E_MALFORMED, HF_E_TOO_LARGE, HF_E_INVALID (no key of use) in words,
 * HF_E_NOMEM.
 */
enum hf_err hf_jwks_new(struct hf_bytes text, struct hf_jwks **out) HF_MUST_CHECK;
struct hf_jwks *hf_jwks_ref(struct hf_jwks *set);
void hf_jwks_unref(struct hf_jwks *set);
void hf_jwks_unrefp(struct hf_jwks **set);

#endif
