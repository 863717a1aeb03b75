// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CRYPTO_AEAD_H
#define HF_CRYPTO_AEAD_H

/*
 * AES-128-GCM, AES-256-GCM and ChaCha20-Poly1305 with 12-byte nonces and 16-byte tags.
 *
 * struct hf_aead is an expanded key of fixed size, for one direction. It must not move once made
 * (its inside is aligned by address). One thread at a time. Wiped by hf_aead_done.
 *
 * Two backends: IPsec-MB's direct API and libcrypto's EVP. The CPU and the build decide once, at
 * the first use in the process; hf_aead_backend names the choice.
 */

#include "crypto/crypto.h"

enum hf_aead_alg { HF_AEAD_AES_128_GCM, HF_AEAD_AES_256_GCM, HF_AEAD_CHACHA20_POLY1305 };
enum hf_aead_dir { HF_AEAD_SEAL, HF_AEAD_OPEN };

#define HF_AEAD_KEY_MAX   32
#define HF_AEAD_NONCE_LEN 12
#define HF_AEAD_TAG_LEN   16
#define HF_AEAD_ROOM      1152

struct hf_aead_backend;

struct hf_aead {
    const struct hf_aead_backend *backend; /* NULL: not made */
    enum hf_aead_alg alg;
    enum hf_aead_dir dir;
    uint8_t room[HF_AEAD_ROOM];
};

size_t hf_aead_key_len(enum hf_aead_alg alg);

/* hf_aead_init expands a key of hf_aead_key_len bytes. On failure there is nothing to be done with
 * *aead. Errors: HF_E_NOMEM, HF_E_CRYPTO. */
enum hf_err hf_aead_init(struct hf_aead *aead, struct hf_crypto *crypto, enum hf_aead_alg alg,
                         enum hf_aead_dir dir, struct hf_bytes key) HF_MUST_CHECK;
void hf_aead_done(struct hf_aead *aead);

/*
 * hf_aead_seal encrypts head followed by tail into out: head.len + tail.len bytes and then the tag.
 * Each piece may lie where it goes (head at out, tail behind it) and must not overlap out
 * otherwise. A TLS record's tail is its content type and padding. Errors: HF_E_CRYPTO.
 */
enum hf_err hf_aead_seal(struct hf_aead *aead, const uint8_t nonce[static HF_AEAD_NONCE_LEN],
                         struct hf_bytes aad, struct hf_bytes head, struct hf_bytes tail,
                         uint8_t *out) HF_MUST_CHECK;

/*
 * hf_aead_open decrypts in place: text is the ciphertext with its tag behind it; the plaintext is
 * text.len - HF_AEAD_TAG_LEN bytes at the same place. Errors: HF_E_MISMATCH (forged, or shorter
 * than a tag: text is then wiped), HF_E_CRYPTO.
 */
enum hf_err hf_aead_open(struct hf_aead *aead, const uint8_t nonce[static HF_AEAD_NONCE_LEN],
                         struct hf_bytes aad, struct hf_span text) HF_MUST_CHECK;

/*
 * hf_aead_open_apart is hf_aead_open, but the first head_len bytes of the plaintext (at most all of
 * it) go to head_out, which doesn't overlap text; what is behind them stays in place. Spares its
 * user a copy. On HF_E_MISMATCH head_out is wiped, too.
 */
enum hf_err hf_aead_open_apart(struct hf_aead *aead, const uint8_t nonce[static HF_AEAD_NONCE_LEN],
                               struct hf_bytes aad, struct hf_span text, size_t head_len,
                               uint8_t *head_out) HF_MUST_CHECK;

/* A backend's name for people: "ipsec-mb avx512", "libcrypto". */
const char *hf_aead_backend_name(enum hf_aead_alg alg);

/* hf_aead_backends lists those that this machine can run, for tests: *out_n of them. */
const struct hf_aead_backend *const *hf_aead_backends(size_t *out_n);
enum hf_err hf_aead_init_with(struct hf_aead *aead, const struct hf_aead_backend *backend,
                              struct hf_crypto *crypto, enum hf_aead_alg alg, enum hf_aead_dir dir,
                              struct hf_bytes key) HF_MUST_CHECK;

#endif
