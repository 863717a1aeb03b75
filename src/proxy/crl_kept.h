// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_CRL_KEPT_H
#define HF_PROXY_CRL_KEPT_H

/* The lists that a daemon has fetched and kept on disk, for commands that judge as it would without
 * being one: nothing is fetched, and nothing written. */

#include "config/ledger.h"

struct hf_crl_kept;

/* hf_crl_kept_read adds to *known, which borrows it, what was kept for this config; nothing where
 * the folder can't be read. Errors: HF_E_CONFIG (a URL is refused; see findings), HF_E_NOMEM. */
enum hf_err hf_crl_kept_read(const struct hf_config *config, const struct hf_materials *materials,
                             struct hf_findings *findings, struct hf_ledger_known *known,
                             struct hf_crl_kept **out) HF_MUST_CHECK;
void hf_crl_kept_free(struct hf_crl_kept *kept);
void hf_crl_kept_freep(struct hf_crl_kept **kept);

#endif
