// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CONFIG_LINT_IMPL_H
#define HF_CONFIG_LINT_IMPL_H

/* What the files of config/lint.h share. */

#include "config/lint.h"

struct hf_lint {
    const struct hf_config *config;
    const struct hf_materials *materials;
    int64_t now_s;
    struct hf_findings *findings;
};

/* hf_lint_http looks at routes, roles and what leads around them. */
void hf_lint_http(const struct hf_lint *lint);

/* hf_lint_keys looks for one key where two should be. */
void hf_lint_keys(const struct hf_lint *lint);

#endif
