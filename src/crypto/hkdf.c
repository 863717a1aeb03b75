// SPDX-License-Identifier: Apache-2.0
#include "crypto/hkdf.h"

#include <string.h>

enum { BLOCKS_MAX = 255 };

static const char label_prefix[] = "tls13 ";
enum { PREFIX_LEN = sizeof(label_prefix) - 1 };

void hf_hkdf_extract(enum hf_hash_alg alg, struct hf_bytes salt, struct hf_bytes ikm,
                     struct hf_secret *out_prk)
{
    /* HMAC pads its key with zeros, so an empty salt is the string of zeros that RFC 5869 wants. */
    struct hf_hmac hmac;
    hf_hmac_init(&hmac, alg, salt);
    hf_hmac_once(&hmac, ikm, out_prk->byte);
    out_prk->len = hf_hash_size(alg);
    hf_hmac_done(&hmac);
}

enum hf_err hf_hkdf_expand(const struct hf_hmac *prk, struct hf_bytes info, struct hf_span out)
{
    size_t size = hf_hash_size(prk->inner.alg);
    if (out.len > BLOCKS_MAX * size) {
        return hf_fail(HF_E_INVALID, "HKDF gives at most %zu bytes, %zu were asked for",
                       BLOCKS_MAX * size, out.len);
    }
    uint8_t block[HF_HASH_MAX];
    for (size_t done = 0, n = 1; done < out.len; done += size, n++) {
        uint8_t counter = (uint8_t)n;
        struct hf_hash running = hf_hmac_begin(prk);
        hf_hash_update(&running, hf_bytes_of(block, done ? size : 0));
        hf_hash_update(&running, info);
        hf_hash_update(&running, hf_bytes_of(&counter, 1));
        hf_hmac_end(prk, &running, block);
        memcpy(out.ptr + done, block, out.len - done < size ? out.len - done : size);
    }
    hf_wipe(block, sizeof(block));
    return HF_OK;
}

/* struct HkdfLabel: uint16 length, opaque label<7..255>, opaque context<0..255>. */
enum hf_err hf_hkdf_expand_label(const struct hf_hmac *prk, struct hf_bytes label,
                                 struct hf_bytes context, struct hf_span out)
{
    if (label.len == 0 || label.len > HF_HKDF_LABEL_MAX || context.len > UINT8_MAX ||
        out.len > UINT16_MAX) {
        return hf_fail(HF_E_INVALID,
                       "label of %zu, context of %zu, or output of %zu bytes is outside HkdfLabel",
                       label.len, context.len, out.len);
    }
    uint8_t info[2 + 1 + UINT8_MAX + 1 + UINT8_MAX];
    uint8_t *at = info;
    *at++ = (uint8_t)(out.len >> 8);
    *at++ = (uint8_t)out.len;
    *at++ = (uint8_t)(PREFIX_LEN + label.len);
    memcpy(at, label_prefix, PREFIX_LEN);
    at += PREFIX_LEN;
    memcpy(at, label.ptr, label.len);
    at += label.len;
    *at++ = (uint8_t)context.len;
    if (context.len) {
        memcpy(at, context.ptr, context.len);
        at += context.len;
    }
    return hf_hkdf_expand(prk, hf_bytes_of(info, (size_t)(at - info)), out);
}
