// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TLS_NATIVE_TRANSCRIPT_H
#define HF_TLS_NATIVE_TRANSCRIPT_H

/*
 * The transcript hash (RFC 8446 4.4.1): of all handshake messages so far, each with its header of
 * four bytes. Plain memory: assigning the struct forks it, as a binder or a post-handshake
 * authentication wants. Nothing here fails.
 */

#include "crypto/hash.h"

struct hf_transcript {
    struct hf_hash hash;
};

void hf_transcript_init(struct hf_transcript *transcript, enum hf_hash_alg alg);

/* hf_transcript_add takes whole messages or pieces of them, in order. */
void hf_transcript_add(struct hf_transcript *transcript, struct hf_bytes bytes);

/* hf_transcript_retry puts the synthetic message_hash in the place of ClientHello1, which must be
 * all that was added; the HelloRetryRequest comes next. */
void hf_transcript_retry(struct hf_transcript *transcript);

/* hf_transcript_resume starts over from the hash of a ClientHello1 that is gone: a stateless
 * server finds it in the cookie. hello_hash has hf_hash_size bytes. */
void hf_transcript_resume(struct hf_transcript *transcript, enum hf_hash_alg alg,
                          const uint8_t *hello_hash);

/* hf_transcript_peek writes the hash so far, hf_hash_size bytes, and gives them as a view. */
struct hf_bytes hf_transcript_peek(const struct hf_transcript *transcript,
                                   uint8_t out[static HF_HASH_MAX]);

#endif
