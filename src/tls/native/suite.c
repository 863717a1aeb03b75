// SPDX-License-Identifier: Apache-2.0
#include "tls/native/suite.h"

/* RFC 8446 5.5: AES-GCM protects 2^24.5 full records safely; for ChaCha20-Poly1305 the sequence
 * number ends first. */
#define GCM_LIMIT    UINT64_C(23726566)
#define CHACHA_LIMIT UINT64_MAX

static const struct hf_suite suites[] = {
    {HF_SUITE_AES_128_GCM_SHA256, "TLS_AES_128_GCM_SHA256", HF_AEAD_AES_128_GCM, HF_HASH_SHA256,
     GCM_LIMIT},
    {HF_SUITE_AES_256_GCM_SHA384, "TLS_AES_256_GCM_SHA384", HF_AEAD_AES_256_GCM, HF_HASH_SHA384,
     GCM_LIMIT},
    {HF_SUITE_CHACHA20_POLY1305_SHA256, "TLS_CHACHA20_POLY1305_SHA256", HF_AEAD_CHACHA20_POLY1305,
     HF_HASH_SHA256, CHACHA_LIMIT},
};

const struct hf_suite *hf_suite_find(uint16_t id)
{
    for (size_t i = 0; i < HF_N_ELEMENTS(suites); i++) {
        if (suites[i].id == id) {
            return &suites[i];
        }
    }
    return NULL;
}

const struct hf_suite *hf_suite_named(struct hf_bytes name)
{
    for (size_t i = 0; i < HF_N_ELEMENTS(suites); i++) {
        if (hf_bytes_eq_str(name, suites[i].name)) {
            return &suites[i];
        }
    }
    return NULL;
}
