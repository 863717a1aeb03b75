// SPDX-License-Identifier: Apache-2.0
#include "tls/native/transcript.h"

enum { MESSAGE_HASH = 254 }; /* the synthetic handshake type (RFC 8446 4.4.1) */

void hf_transcript_init(struct hf_transcript *transcript, enum hf_hash_alg alg)
{
    hf_hash_init(&transcript->hash, alg);
}

void hf_transcript_add(struct hf_transcript *transcript, struct hf_bytes bytes)
{
    hf_hash_update(&transcript->hash, bytes);
}

void hf_transcript_resume(struct hf_transcript *transcript, enum hf_hash_alg alg,
                          const uint8_t *hello_hash)
{
    size_t len = hf_hash_size(alg);
    const uint8_t header[4] = {MESSAGE_HASH, 0, 0, (uint8_t)len};
    hf_hash_init(&transcript->hash, alg);
    hf_hash_update(&transcript->hash, hf_bytes_of(header, sizeof(header)));
    hf_hash_update(&transcript->hash, hf_bytes_of(hello_hash, len));
}

void hf_transcript_retry(struct hf_transcript *transcript)
{
    uint8_t hello_hash[HF_HASH_MAX];
    enum hf_hash_alg alg = transcript->hash.alg;
    hf_hash_final(&transcript->hash, hello_hash);
    hf_transcript_resume(transcript, alg, hello_hash);
}

struct hf_bytes hf_transcript_peek(const struct hf_transcript *transcript,
                                   uint8_t out[static HF_HASH_MAX])
{
    hf_hash_peek(&transcript->hash, out);
    return hf_bytes_of(out, hf_hash_size(transcript->hash.alg));
}
