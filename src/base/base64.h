// SPDX-License-Identifier: Apache-2.0
#ifndef HF_BASE_BASE64_H
#define HF_BASE_BASE64_H

/*
 * Base64 (RFC 4648), both alphabets, strictly: nothing but the alphabet, no white space, no bits
 * set that no byte stands for. So there is one text for each run of bytes, and one only.
 */

#include "base/buf.h"

/* hf_base64_encode appends with "+", "/" and padding; hf_base64url_encode with "-", "_" and none.
 * Errors: those of hf_buf. */
enum hf_err hf_base64_encode(struct hf_bytes bytes, struct hf_buf *out) HF_MUST_CHECK;
enum hf_err hf_base64url_encode(struct hf_bytes bytes, struct hf_buf *out) HF_MUST_CHECK;

/* hf_base64_decode wants the padding, hf_base64url_decode (RFC 7515 2) wants none. Errors:
 * HF_E_MALFORMED, those of hf_buf. */
enum hf_err hf_base64_decode(struct hf_bytes text, struct hf_buf *out) HF_MUST_CHECK;
enum hf_err hf_base64url_decode(struct hf_bytes text, struct hf_buf *out) HF_MUST_CHECK;

#endif
