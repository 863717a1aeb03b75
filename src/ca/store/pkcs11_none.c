// SPDX-License-Identifier: Apache-2.0
/* A libcrypto without engines. */
#include "ca/store_key.h"

enum hf_err hf_store_key_pkcs11(const char *uri, struct hf_bytes pin, EVP_PKEY **out)
{
    (void)pin;
    *out = NULL;
    return hf_fail(HF_E_UNSUPPORTED, "%.80s: this handfast was built without PKCS#11 (-Dpkcs11)",
                   uri);
}
