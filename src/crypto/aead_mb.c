// SPDX-License-Identifier: Apache-2.0
#include "crypto/aead_backend.h"

/*
 * The AEADs of Intel IPsec-MB through its direct API, which is a function call over an expanded key
 * and needs no job, context or lock. Its manager is one table of functions for the whole process,
 * written once at the start and only read after.
 *
 * Where it is the better one (measured beside libcrypto 3.0, ns for a record of 64 | 1024 | 16384
 * bytes on one AVX-512 machine, with the library held to each level):
 *
 *                 AES-128-GCM                      ChaCha20-Poly1305
 *      libcrypto  312 | 464 | 4070                 607 | 671 | 4201
 *      avx512      44 |  88 |  744                 546 | 646 | 3612
 *      avx2        31 | 203 | 3243                 509 | 961 | 10559
 *      sse         93 | 338 | 4861
 *
 * hence GCM from AVX2 on, ChaCha20-Poly1305 with AVX-512 only.
 *
 * A record's plaintext is in two pieces: what the application wrote, and the content type with its
 * padding. Short ones are put together in the output and encrypted there; long ones go through the
 * piecewise calls, which spare reading and writing 16 KiB once more.
 */

#define NO_COMPAT_IMB_API_053
#include <intel-ipsec-mb.h>
#include <string.h>

#include "base/secret.h"

enum { COPY_MAX = 1024 };

union mb_key {
    struct gcm_key_data gcm;
    uint8_t chacha[32];
};

_Static_assert(sizeof(union mb_key) + HF_AEAD_ALIGN <= HF_AEAD_ROOM, "the key fits");
_Static_assert(_Alignof(union mb_key) <= HF_AEAD_ALIGN, "the key is aligned");

static IMB_MGR *manager;
static IMB_ARCH arch;

static bool mb_is_best_for(enum hf_aead_alg alg)
{
    return alg == HF_AEAD_CHACHA20_POLY1305 ? arch >= IMB_ARCH_AVX512 : arch >= IMB_ARCH_AVX2;
}

static enum hf_err mb_init(void *room, struct hf_crypto *crypto, enum hf_aead_alg alg,
                           enum hf_aead_dir dir, const uint8_t *key)
{
    (void)crypto;
    (void)dir;
    union mb_key *mb = room;
    switch (alg) {
    case HF_AEAD_AES_128_GCM:
        IMB_AES128_GCM_PRE(manager, key, &mb->gcm);
        break;
    case HF_AEAD_AES_256_GCM:
        IMB_AES256_GCM_PRE(manager, key, &mb->gcm);
        break;
    case HF_AEAD_CHACHA20_POLY1305:
        memcpy(mb->chacha, key, sizeof(mb->chacha));
        break;
    }
    return HF_OK;
}

/* --- AES-GCM: the two key sizes are two sets of functions of one shape --------------------------
 */

struct gcm {
    aes_gcm_enc_dec_t enc, dec;
    aes_gcm_init_t init;
    aes_gcm_enc_dec_update_t enc_update;
    aes_gcm_enc_dec_finalize_t enc_finalize;
    aes_gcm_enc_dec_update_t dec_update;
    aes_gcm_enc_dec_finalize_t dec_finalize;
};

static struct gcm gcm_of(enum hf_aead_alg alg)
{
    if (alg == HF_AEAD_AES_128_GCM) {
        return (struct gcm){manager->gcm128_enc,          manager->gcm128_dec,
                            manager->gcm128_init,         manager->gcm128_enc_update,
                            manager->gcm128_enc_finalize, manager->gcm128_dec_update,
                            manager->gcm128_dec_finalize};
    }
    return (struct gcm){manager->gcm256_enc,          manager->gcm256_dec,
                        manager->gcm256_init,         manager->gcm256_enc_update,
                        manager->gcm256_enc_finalize, manager->gcm256_dec_update,
                        manager->gcm256_dec_finalize};
}

static void gcm_seal(const struct gcm *gcm, const struct gcm_key_data *key, const uint8_t *nonce,
                     struct hf_bytes aad, struct hf_bytes head, struct hf_bytes tail, uint8_t *out)
{
    struct gcm_context_data ctx;
    size_t len = head.len + tail.len;
    if (head.len > COPY_MAX && tail.len) {
        gcm->init(key, &ctx, nonce, aad.ptr, aad.len);
        gcm->enc_update(key, &ctx, out, head.ptr, head.len);
        gcm->enc_update(key, &ctx, out + head.len, tail.ptr, tail.len);
        gcm->enc_finalize(key, &ctx, out + len, HF_AEAD_TAG_LEN);
    } else if (tail.len) {
        if (head.len && out != head.ptr) {
            memcpy(out, head.ptr, head.len);
        }
        if (out + head.len != tail.ptr) {
            memcpy(out + head.len, tail.ptr, tail.len);
        }
        gcm->enc(key, &ctx, out, out, len, nonce, aad.ptr, aad.len, out + len, HF_AEAD_TAG_LEN);
    } else {
        gcm->enc(key, &ctx, out, head.ptr, len, nonce, aad.ptr, aad.len, out + len,
                 HF_AEAD_TAG_LEN);
    }
    hf_wipe(&ctx, sizeof(ctx));
}

/* Leaves all of a short text in place: its head is copied out once the tag was found right. */
static bool opens_in_place(struct hf_span text, struct hf_span head)
{
    return head.len == 0 || text.len <= COPY_MAX;
}

static void gcm_open(const struct gcm *gcm, const struct gcm_key_data *key, const uint8_t *nonce,
                     struct hf_bytes aad, struct hf_span text, struct hf_span head,
                     uint8_t *out_tag)
{
    struct gcm_context_data ctx;
    if (opens_in_place(text, head)) {
        gcm->dec(key, &ctx, text.ptr, text.ptr, text.len, nonce, aad.ptr, aad.len, out_tag,
                 HF_AEAD_TAG_LEN);
    } else {
        uint8_t *rest = text.ptr + head.len;
        gcm->init(key, &ctx, nonce, aad.ptr, aad.len);
        gcm->dec_update(key, &ctx, head.ptr, text.ptr, head.len);
        if (text.len > head.len) {
            gcm->dec_update(key, &ctx, rest, rest, text.len - head.len);
        }
        gcm->dec_finalize(key, &ctx, out_tag, HF_AEAD_TAG_LEN);
    }
    hf_wipe(&ctx, sizeof(ctx));
}

/* --- ChaCha20-Poly1305 --------------------------------------------------------------------------
 */

static void chacha_seal(const uint8_t *key, const uint8_t *nonce, struct hf_bytes aad,
                        struct hf_bytes head, struct hf_bytes tail, uint8_t *out)
{
    struct chacha20_poly1305_context_data ctx;
    IMB_CHACHA20_POLY1305_INIT(manager, key, &ctx, nonce, aad.ptr, aad.len);
    if (head.len) {
        IMB_CHACHA20_POLY1305_ENC_UPDATE(manager, key, &ctx, out, head.ptr, head.len);
    }
    if (tail.len) {
        IMB_CHACHA20_POLY1305_ENC_UPDATE(manager, key, &ctx, out + head.len, tail.ptr, tail.len);
    }
    IMB_CHACHA20_POLY1305_ENC_FINALIZE(manager, &ctx, out + head.len + tail.len, HF_AEAD_TAG_LEN);
    hf_wipe(&ctx, sizeof(ctx));
}

static void chacha_open(const uint8_t *key, const uint8_t *nonce, struct hf_bytes aad,
                        struct hf_span text, struct hf_span head, uint8_t *out_tag)
{
    struct chacha20_poly1305_context_data ctx;
    size_t head_len = opens_in_place(text, head) ? 0 : head.len;
    uint8_t *rest = text.ptr + head_len;
    IMB_CHACHA20_POLY1305_INIT(manager, key, &ctx, nonce, aad.ptr, aad.len);
    if (head_len) {
        IMB_CHACHA20_POLY1305_DEC_UPDATE(manager, key, &ctx, head.ptr, text.ptr, head_len);
    }
    if (text.len > head_len) {
        IMB_CHACHA20_POLY1305_DEC_UPDATE(manager, key, &ctx, rest, rest, text.len - head_len);
    }
    IMB_CHACHA20_POLY1305_DEC_FINALIZE(manager, &ctx, out_tag, HF_AEAD_TAG_LEN);
    hf_wipe(&ctx, sizeof(ctx));
}

/* --- The backend --------------------------------------------------------------------------------
 */

static enum hf_err mb_seal(void *room, enum hf_aead_alg alg, const uint8_t *nonce,
                           struct hf_bytes aad, struct hf_bytes head, struct hf_bytes tail,
                           uint8_t *out)
{
    const union mb_key *mb = room;
    if (alg == HF_AEAD_CHACHA20_POLY1305) {
        chacha_seal(mb->chacha, nonce, aad, head, tail, out);
    } else {
        struct gcm gcm = gcm_of(alg);
        gcm_seal(&gcm, &mb->gcm, nonce, aad, head, tail, out);
    }
    return HF_OK;
}

/* Equality of tags, in constant time, without the byte loop of hf_ct_eq. */
static bool same_tag(const uint8_t *a, const uint8_t *b)
{
    uint64_t x[2], y[2];
    memcpy(x, a, sizeof(x));
    memcpy(y, b, sizeof(y));
    volatile uint64_t difference = (x[0] ^ y[0]) | (x[1] ^ y[1]);
    return difference == 0;
}

static enum hf_err mb_open(void *room, enum hf_aead_alg alg, const uint8_t *nonce,
                           struct hf_bytes aad, struct hf_span text, struct hf_span head,
                           bool *out_genuine)
{
    const union mb_key *mb = room;
    uint8_t tag[HF_AEAD_TAG_LEN];
    if (alg == HF_AEAD_CHACHA20_POLY1305) {
        chacha_open(mb->chacha, nonce, aad, text, head, tag);
    } else {
        struct gcm gcm = gcm_of(alg);
        gcm_open(&gcm, &mb->gcm, nonce, aad, text, head, tag);
    }
    *out_genuine = same_tag(tag, text.ptr + text.len);
    if (*out_genuine && head.len && opens_in_place(text, head)) {
        memcpy(head.ptr, text.ptr, head.len);
    }
    return HF_OK;
}

static struct hf_aead_backend backend = {
    .is_best_for = mb_is_best_for,
    .init = mb_init,
    .seal = mb_seal,
    .open = mb_open,
};

/* Called once in the process, by aead.c. */
const struct hf_aead_backend *hf_aead_mb_backend(void)
{
    static const struct {
        IMB_ARCH arch;
        const char *name;
    } names[] = {
        {IMB_ARCH_AVX512, "ipsec-mb avx512"},
        {IMB_ARCH_AVX2, "ipsec-mb avx2"},
        {IMB_ARCH_AVX, "ipsec-mb avx"},
        {IMB_ARCH_SSE, "ipsec-mb sse"},
    };
    manager = alloc_mb_mgr(0);
    if (!manager) {
        return NULL;
    }
    init_mb_mgr_auto(manager, &arch);
    for (size_t i = 0; i < HF_N_ELEMENTS(names); i++) {
        if (names[i].arch == arch && imb_get_errno(manager) == 0) {
            backend.name = names[i].name;
            return &backend;
        }
    }
    free_mb_mgr(manager);
    manager = NULL;
    return NULL;
}
