// SPDX-License-Identifier: Apache-2.0
/* Key sets. Every key that is accepted must be one that libcrypto can check with: a made-up
 * signature is wrong, and not a failure of ours. */
#include <stdlib.h>

#include "fuzz.h"
#include "policy/jwks.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct hf_jwks *set = NULL;
    static const uint8_t signature[132] = {1};
    if (hf_jwks_new(hf_bytes_of(data, size), &set) != HF_OK) {
        if (set) {
            abort();
        }
        return 0;
    }
    for (size_t i = 0; i < set->n_keys && i < 2; i++) {
        for (int alg = 0; alg < HF_JWS_N; alg++) {
            enum hf_err err = hf_jwk_verify(&set->keys[i], (enum hf_jws_alg)alg,
                                            hf_bytes_str("a.b"), hf_bytes_of(signature, 64));
            if (err == HF_OK) {
                abort();
            }
        }
    }
    hf_jwks_unref(set);
    return 0;
}
