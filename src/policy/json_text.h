// SPDX-License-Identifier: Apache-2.0
#ifndef HF_POLICY_JSON_TEXT_H
#define HF_POLICY_JSON_TEXT_H

#include <jansson.h>

#include "base/bytes.h"

/* hf_json_object parses an object and nothing after it. A name that comes twice is refused, as
 * readers differ on which of them counts; so is nesting deeper than HF_JSON_DEPTH_MAX, and NUL in
 * a string. Errors: HF_E_MALFORMED in words, without quoting what was read; HF_E_NOMEM. */
#define HF_JSON_DEPTH_MAX 32
enum hf_err hf_json_object(struct hf_bytes text, json_t **out) HF_MUST_CHECK;

/* hf_json_freep is json_decref for HF_CLEANUP. */
static inline void hf_json_freep(json_t **json)
{
    json_decref(*json);
}

#endif
