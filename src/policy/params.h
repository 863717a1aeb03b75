// SPDX-License-Identifier: Apache-2.0
#ifndef HF_POLICY_PARAMS_H
#define HF_POLICY_PARAMS_H

#include "base/bytes.h"

#define HF_PARAM_MAX 1024 /* bytes of a decoded name or value that is looked at */

/*
 * hf_params_match: has the query ("a=b&c=d") a parameter of this name whose decoded value is
 * covered by the compiled pattern (policy/glob.h; the star stands for anything)? What can't be
 * decoded, or is longer than HF_PARAM_MAX, matches nothing.
 */
bool hf_params_match(struct hf_bytes query, struct hf_bytes name, struct hf_bytes pattern);

#endif
