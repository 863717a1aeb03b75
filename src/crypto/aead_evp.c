// SPDX-License-Identifier: Apache-2.0
#include "crypto/aead_backend.h"

/*
 * The AEADs of libcrypto. A key has a context of its own, keyed once; a message sets the nonce and
 * nothing else. Ciphers are fetched once per thread.
 */

#include <openssl/err.h>
#include <openssl/evp.h>

#include "crypto/tools.h"

static const char *const names[] = {
    [HF_AEAD_AES_128_GCM] = "AES-128-GCM",
    [HF_AEAD_AES_256_GCM] = "AES-256-GCM",
    [HF_AEAD_CHACHA20_POLY1305] = "ChaCha20-Poly1305",
};

struct evp_key {
    EVP_CIPHER_CTX *ctx;
};

_Static_assert(sizeof(struct evp_key) + HF_AEAD_ALIGN <= HF_AEAD_ROOM, "the key fits");

static bool evp_is_best_for(enum hf_aead_alg alg)
{
    (void)alg;
    return true;
}

static enum hf_err evp_init(void *room, struct hf_crypto *crypto, enum hf_aead_alg alg,
                            enum hf_aead_dir dir, const uint8_t *key)
{
    struct evp_key *evp = room;
    if (!crypto->ciphers[alg]) {
        crypto->ciphers[alg] = EVP_CIPHER_fetch(crypto->lib, names[alg], NULL);
    }
    evp->ctx = crypto->ciphers[alg] ? EVP_CIPHER_CTX_new() : NULL;
    if (!evp->ctx || EVP_CipherInit_ex2(evp->ctx, crypto->ciphers[alg], key, NULL,
                                        dir == HF_AEAD_SEAL, NULL) != 1) {
        EVP_CIPHER_CTX_free(evp->ctx);
        return hf_fail_crypto("a cipher can't be keyed");
    }
    return HF_OK;
}

static void evp_done(void *room)
{
    struct evp_key *evp = room;
    EVP_CIPHER_CTX_free(evp->ctx);
}

/* out NULL: additional data. The caller keeps lengths below 2^30. */
static bool update(EVP_CIPHER_CTX *ctx, uint8_t *out, struct hf_bytes in)
{
    int n;
    return in.len == 0 || EVP_CipherUpdate(ctx, out, &n, in.ptr, (int)in.len) == 1;
}

static enum hf_err evp_seal(void *room, enum hf_aead_alg alg, const uint8_t *nonce,
                            struct hf_bytes aad, struct hf_bytes head, struct hf_bytes tail,
                            uint8_t *out)
{
    (void)alg;
    const struct evp_key *evp = room;
    uint8_t *tag = out + head.len + tail.len;
    int n;
    if (EVP_CipherInit_ex2(evp->ctx, NULL, NULL, nonce, 1, NULL) != 1 ||
        !update(evp->ctx, NULL, aad) || !update(evp->ctx, out, head) ||
        !update(evp->ctx, out + head.len, tail) || EVP_CipherFinal_ex(evp->ctx, tag, &n) != 1 ||
        EVP_CIPHER_CTX_ctrl(evp->ctx, EVP_CTRL_AEAD_GET_TAG, HF_AEAD_TAG_LEN, tag) != 1) {
        return hf_fail_crypto("a message can't be encrypted");
    }
    return HF_OK;
}

static enum hf_err evp_open(void *room, enum hf_aead_alg alg, const uint8_t *nonce,
                            struct hf_bytes aad, struct hf_span text, struct hf_span head,
                            bool *out_genuine)
{
    (void)alg;
    const struct evp_key *evp = room;
    uint8_t *tag = text.ptr + text.len;
    int n;
    if (EVP_CipherInit_ex2(evp->ctx, NULL, NULL, nonce, 0, NULL) != 1 ||
        EVP_CIPHER_CTX_ctrl(evp->ctx, EVP_CTRL_AEAD_SET_TAG, HF_AEAD_TAG_LEN, tag) != 1 ||
        !update(evp->ctx, NULL, aad) ||
        !update(evp->ctx, head.ptr, hf_bytes_of(text.ptr, head.len)) ||
        !update(evp->ctx, text.ptr + head.len, hf_bytes_from(hf_span_bytes(text), head.len))) {
        return hf_fail_crypto("a message can't be decrypted");
    }
    uint8_t none[HF_AEAD_TAG_LEN];
    *out_genuine = EVP_CipherFinal_ex(evp->ctx, none, &n) == 1;
    if (!*out_genuine) {
        ERR_clear_error();
    }
    return HF_OK;
}

const struct hf_aead_backend hf_aead_evp = {
    .name = "libcrypto",
    .is_best_for = evp_is_best_for,
    .init = evp_init,
    .done = evp_done,
    .seal = evp_seal,
    .open = evp_open,
};
