// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CONFIG_LINT_H
#define HF_CONFIG_LINT_H

#include "config/materials.h"

/* How long before its end a certificate is reported as expiring. */
#define HF_LINT_EXPIRING_S (30 * INT64_C(86400))

/*
 * hf_lint adds what `run` would accept but somebody will regret: certificates that peers refuse, or
 * soon will, doors that stand wider open than it looks, objects that nothing uses. materials may be
 * incomplete; what could not be loaded has its finding already. now_s: Unix seconds.
 */
void hf_lint(const struct hf_config *config, const struct hf_materials *materials, int64_t now_s,
             struct hf_findings *findings);

#endif
