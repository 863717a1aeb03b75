// SPDX-License-Identifier: Apache-2.0
#include "crypto/aead_backend.h"

/* Stands for aead_mb.c in builds without IPsec-MB. */

const struct hf_aead_backend *hf_aead_mb_backend(void)
{
    return NULL;
}
