// SPDX-License-Identifier: Apache-2.0
#include "crypto/aead.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#include "base/secret.h"
#include "crypto/aead_backend.h"

enum { N_ALGS = HF_AEAD_CHACHA20_POLY1305 + 1, TEXT_MAX = 1 << 30 };

static const uint8_t key_lens[N_ALGS] = {
    [HF_AEAD_AES_128_GCM] = 16,
    [HF_AEAD_AES_256_GCM] = 32,
    [HF_AEAD_CHACHA20_POLY1305] = 32,
};

size_t hf_aead_key_len(enum hf_aead_alg alg)
{
    return key_lens[alg];
}

/* --- Which backend ------------------------------------------------------------------------------
 */

static pthread_once_t choice_once = PTHREAD_ONCE_INIT;
static const struct hf_aead_backend *available[2];
static size_t n_available;
static const struct hf_aead_backend *chosen[N_ALGS];

static void choose(void)
{
    const struct hf_aead_backend *mb = hf_aead_mb_backend();
    available[n_available++] = &hf_aead_evp;
    if (mb) {
        available[n_available++] = mb;
    }
    for (size_t alg = 0; alg < N_ALGS; alg++) {
        bool prefer_mb = mb && mb->is_best_for((enum hf_aead_alg)alg);
        chosen[alg] = prefer_mb ? mb : &hf_aead_evp;
    }
}

const struct hf_aead_backend *const *hf_aead_backends(size_t *out_n)
{
    (void)pthread_once(&choice_once, choose);
    *out_n = n_available;
    return available;
}

const char *hf_aead_backend_name(enum hf_aead_alg alg)
{
    (void)pthread_once(&choice_once, choose);
    return chosen[alg]->name;
}

/* --- Keys ---------------------------------------------------------------------------------------
 */

static void *aligned(struct hf_aead *aead)
{
    uintptr_t at = (uintptr_t)aead->room;
    return aead->room + (HF_AEAD_ALIGN - at % HF_AEAD_ALIGN) % HF_AEAD_ALIGN;
}

enum hf_err hf_aead_init_with(struct hf_aead *aead, const struct hf_aead_backend *backend,
                              struct hf_crypto *crypto, enum hf_aead_alg alg, enum hf_aead_dir dir,
                              struct hf_bytes key)
{
    aead->backend = NULL;
    assert(key.len == hf_aead_key_len(alg));
    HF_TRY(backend->init(aligned(aead), crypto, alg, dir, key.ptr));
    aead->backend = backend;
    aead->alg = alg;
    aead->dir = dir;
    return HF_OK;
}

enum hf_err hf_aead_init(struct hf_aead *aead, struct hf_crypto *crypto, enum hf_aead_alg alg,
                         enum hf_aead_dir dir, struct hf_bytes key)
{
    (void)pthread_once(&choice_once, choose);
    return hf_aead_init_with(aead, chosen[alg], crypto, alg, dir, key);
}

void hf_aead_done(struct hf_aead *aead)
{
    if (aead->backend) {
        if (aead->backend->done) {
            aead->backend->done(aligned(aead));
        }
        hf_wipe(aead, sizeof(*aead));
    }
}

/* --- Messages -----------------------------------------------------------------------------------
 */

static enum hf_err check_len(struct hf_bytes aad, size_t text_len)
{
    if (aad.len > TEXT_MAX || text_len > TEXT_MAX) {
        return hf_fail(HF_E_TOO_LARGE, "a message of %zu bytes is too long to protect", text_len);
    }
    return HF_OK;
}

enum hf_err hf_aead_seal(struct hf_aead *aead, const uint8_t nonce[static HF_AEAD_NONCE_LEN],
                         struct hf_bytes aad, struct hf_bytes head, struct hf_bytes tail,
                         uint8_t *out)
{
    assert(aead->backend && aead->dir == HF_AEAD_SEAL);
    HF_TRY(check_len(aad, head.len));
    HF_TRY(check_len(aad, tail.len));
    return aead->backend->seal(aligned(aead), aead->alg, nonce, aad, head, tail, out);
}

enum hf_err hf_aead_open_apart(struct hf_aead *aead, const uint8_t nonce[static HF_AEAD_NONCE_LEN],
                               struct hf_bytes aad, struct hf_span text, size_t head_len,
                               uint8_t *head_out)
{
    assert(aead->backend && aead->dir == HF_AEAD_OPEN);
    HF_TRY(check_len(aad, text.len));
    bool genuine = false;
    if (text.len >= HF_AEAD_TAG_LEN) {
        struct hf_span body = hf_span_of(text.ptr, text.len - HF_AEAD_TAG_LEN);
        assert(head_len <= body.len);
        HF_TRY(aead->backend->open(aligned(aead), aead->alg, nonce, aad, body,
                                   hf_span_of(head_out, head_len), &genuine));
    }
    if (!genuine) {
        /* What was decrypted under a wrong tag must not be seen by anybody. */
        hf_wipe(text.ptr, text.len);
        hf_wipe(head_out, head_len);
        return hf_fail(HF_E_MISMATCH, "the authentication tag is wrong");
    }
    return HF_OK;
}

enum hf_err hf_aead_open(struct hf_aead *aead, const uint8_t nonce[static HF_AEAD_NONCE_LEN],
                         struct hf_bytes aad, struct hf_span text)
{
    return hf_aead_open_apart(aead, nonce, aad, text, 0, text.ptr);
}
