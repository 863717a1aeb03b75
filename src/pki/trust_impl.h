// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_TRUST_IMPL_H
#define HF_PKI_TRUST_IMPL_H

/* The inside of struct hf_trust, shared by trust.c and verify.c. */

#include "pki/trust.h"

struct hf_trust {
    atomic_uint refs;
    char *name;
    struct hf_chain *roots;
    STACK_OF(X509) * stack; /* the roots again, as libcrypto wants them; read only */
    unsigned depth;
    uint8_t id[HF_SHA256_SIZE];
    struct hf_bytes *names; /* DER Names; each owned */
    size_t n_names;
    bool names_too_long;
};

#endif
