// SPDX-License-Identifier: Apache-2.0
#ifndef HF_HTTP_QUERY_H
#define HF_HTTP_QUERY_H

#include "base/buf.h"

/* hf_http_percent_decode appends text with its %XX decoded; plus: a "+" is a space, as in forms.
 * Errors: HF_E_MALFORMED for a broken escape, those of hf_buf. */
enum hf_err hf_http_percent_decode(struct hf_bytes text, bool plus,
                                   struct hf_buf *out) HF_MUST_CHECK;

/* hf_http_percent_encode appends text with everything but unreserved characters as %XX. */
enum hf_err hf_http_percent_encode(struct hf_bytes text, struct hf_buf *out) HF_MUST_CHECK;

/*
 * hf_http_query_get appends the decoded value of the first parameter of this name in
 * "a=b&c=d&e". *out_found tells an empty value from none. Errors: HF_E_MALFORMED, those of hf_buf.
 */
enum hf_err hf_http_query_get(struct hf_bytes query, const char *name, bool *out_found,
                              struct hf_buf *out) HF_MUST_CHECK;

#endif
