// SPDX-License-Identifier: Apache-2.0
#include "ca/refusal.h"

#include <stddef.h>

#include "base/attr.h"

const char *hf_refusal_name(enum hf_refusal why)
{
#define NAME(id, name, text) [HF_REFUSAL_##id] = (name),
    static const char *const names[] = {HF_REFUSAL_TABLE(NAME)};
#undef NAME
    return (size_t)why < HF_N_ELEMENTS(names) ? names[why] : "none";
}
