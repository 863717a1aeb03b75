// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TLS_NATIVE_SUITE_H
#define HF_TLS_NATIVE_SUITE_H

/* The cipher suites of TLS 1.3 that the engine speaks (RFC 8446 B.4). */

#include "crypto/aead.h"
#include "crypto/hash.h"

struct hf_suite {
    uint16_t id;
    const char *name; /* IANA's */
    enum hf_aead_alg aead;
    enum hf_hash_alg hash;
    uint64_t seal_limit; /* records that one key may protect (RFC 8446 5.5) */
};

#define HF_SUITE_AES_128_GCM_SHA256       0x1301
#define HF_SUITE_AES_256_GCM_SHA384       0x1302
#define HF_SUITE_CHACHA20_POLY1305_SHA256 0x1303

/* hf_suite_find and hf_suite_named give the row, or NULL when the suite isn't ours. */
const struct hf_suite *hf_suite_find(uint16_t id);
const struct hf_suite *hf_suite_named(struct hf_bytes name);

#endif
