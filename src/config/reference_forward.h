// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CONFIG_REFERENCE_FORWARD_H
#define HF_CONFIG_REFERENCE_FORWARD_H

#include "base/buf.h"

/* hf_reference_forward appends the variables of templates, and the headers that clients may not
 * send, to the reference page. */
enum hf_err hf_reference_forward(struct hf_buf *out) HF_MUST_CHECK;

#endif
