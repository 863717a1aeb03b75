// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CRYPTO_AEAD_BACKEND_H
#define HF_CRYPTO_AEAD_BACKEND_H

/* What a backend of aead.c is. The callers have checked lengths; `room` is aligned to 64 bytes. */

#include "crypto/aead.h"

#define HF_AEAD_ALIGN 64

struct hf_aead_backend {
    const char *name;

    /* the backend is the better one for this algorithm on this machine */
    bool (*is_best_for)(enum hf_aead_alg alg);

    enum hf_err (*init)(void *room, struct hf_crypto *crypto, enum hf_aead_alg alg,
                        enum hf_aead_dir dir, const uint8_t *key);
    void (*done)(void *room); /* besides the wiping that aead.c does; may be NULL */
    enum hf_err (*seal)(void *room, enum hf_aead_alg alg, const uint8_t *nonce, struct hf_bytes aad,
                        struct hf_bytes head, struct hf_bytes tail, uint8_t *out);
    /* *out_genuine false: forged. text is without its tag, which is behind it. head: where its
     * first head.len bytes go; its start is text's own start when all is in place */
    enum hf_err (*open)(void *room, enum hf_aead_alg alg, const uint8_t *nonce, struct hf_bytes aad,
                        struct hf_span text, struct hf_span head, bool *out_genuine);
};

extern const struct hf_aead_backend hf_aead_evp;

/* hf_aead_mb_backend is IPsec-MB's, NULL where it isn't built in or this CPU can't run it. */
const struct hf_aead_backend *hf_aead_mb_backend(void);

#endif
