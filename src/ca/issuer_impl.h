// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CA_ISSUER_IMPL_H
#define HF_CA_ISSUER_IMPL_H

/* What making a certificate takes from its issuer. */

#include "ca/issuer.h"
#include "ca/name_constraints.h"

#define HF_KEY_ID_MAX 64

struct hf_bytes hf_issuer_subject(const struct hf_issuer *issuer); /* Name in DER */
struct hf_bytes hf_issuer_key_id(const struct hf_issuer *issuer);

#endif
