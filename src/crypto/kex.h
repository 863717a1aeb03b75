// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CRYPTO_KEX_H
#define HF_CRYPTO_KEX_H

/*
 * Ephemeral Diffie-Hellman over X25519 (RFC 7748), P-256 and P-384 (RFC 8446 4.2.8.2). The two
 * halves are operations of their own, because a handshake hands them out as jobs.
 */

#include "base/clock.h"
#include "base/secret.h"
#include "crypto/crypto.h"

/* Values are TLS NamedGroups. */
enum hf_kex_group { HF_KEX_P256 = 23, HF_KEX_P384 = 24, HF_KEX_X25519 = 29 };

#define HF_KEX_PUBLIC_MAX  97
#define HF_KEX_PRIVATE_MAX 48

/* struct hf_kex is a key pair as plain bytes, free to move; hf_kex_done wipes it. */
struct hf_kex {
    enum hf_kex_group group;
    uint8_t public_len;
    uint8_t private_key[HF_KEX_PRIVATE_MAX];
    uint8_t public_key[HF_KEX_PUBLIC_MAX]; /* as in a KeyShareEntry */
};

/* hf_kex_public_len is the length of a share, 0 for a group that isn't ours. */
size_t hf_kex_public_len(unsigned group);
const char *hf_kex_name(unsigned group); /* "x25519", "secp256r1", "secp384r1"; NULL: unknown */

/* hf_kex_generate makes a pair from rng's bytes. Errors: HF_E_CRYPTO, HF_E_NOMEM. */
enum hf_err hf_kex_generate(struct hf_crypto *crypto, enum hf_kex_group group,
                            const struct hf_rng *rng, struct hf_kex *out) HF_MUST_CHECK;

/*
 * hf_kex_derive computes the shared secret. Errors: HF_E_INVALID when the peer's share has the
 * wrong length, isn't on the curve, or gives the all-zero secret (illegal_parameter, RFC 8446
 * 4.2.8.2 and 7.4.2); HF_E_CRYPTO, HF_E_NOMEM.
 */
enum hf_err hf_kex_derive(struct hf_crypto *crypto, const struct hf_kex *kex, struct hf_bytes peer,
                          struct hf_secret *out_shared) HF_MUST_CHECK;
void hf_kex_done(struct hf_kex *kex);

#endif
