// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_BUNDLE_IMPL_H
#define HF_PKI_BUNDLE_IMPL_H

/* The formats that have files of their own. */

#include "pki/bundle.h"

enum hf_err hf_bundle_openssh(const struct hf_bundle *bundle, struct hf_buf *out) HF_MUST_CHECK;
enum hf_err hf_bundle_truststore(const struct hf_bundle *bundle, struct hf_buf *out) HF_MUST_CHECK;

#endif
