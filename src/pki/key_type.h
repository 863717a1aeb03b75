// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_KEY_TYPE_H
#define HF_PKI_KEY_TYPE_H

#include <openssl/evp.h>

#include "base/bytes.h"

#define HF_KEY_TYPE_SIZE 64

/* hf_key_type writes "EC P-256", "RSA 2048", "RSA-PSS 3072", "Ed25519"; "unknown" for NULL. */
void hf_key_type(const EVP_PKEY *key, char out[static HF_KEY_TYPE_SIZE]);

/* hf_key_has_explicit_curve: are an EC key's curve parameters spelled out in the key rather than
 * named? Such a key can look like a CA's and be another one (CVE-2020-0601). */
bool hf_key_has_explicit_curve(const EVP_PKEY *key);

/* hf_key_can_sign: is it of a type that TLS signs with? */
bool hf_key_can_sign(const EVP_PKEY *key);

#endif
