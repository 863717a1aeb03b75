// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CONFIG_TLS_SETTINGS_H
#define HF_CONFIG_TLS_SETTINGS_H

#include "config/materials.h"

/*
 * hf_tls_settings_check tries every suite, cipher and group list and every identity on the TLS
 * library, one by one, so that what it doesn't take is told at the key that says it. materials may
 * be incomplete. Nothing is opened and nothing is kept.
 */
void hf_tls_settings_check(const struct hf_config *config, const struct hf_materials *materials,
                           struct hf_findings *findings);

#endif
