// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CONFIG_MATERIALS_H
#define HF_CONFIG_MATERIALS_H

/*
 * struct hf_materials is what the files named in a config hold: credentials and trusts, parsed and
 * checked. Immutable, counted by references, any thread.
 */

#include "config/config.h"
#include "pki/credential.h"
#include "pki/trust.h"
#include "policy/basic.h"
#include "policy/jwks.h"

struct hf_materials;

/*
 * hf_materials_load reads every identity and every trust of the config. What is wrong with a file
 * goes to findings with the mark of the key that names it, and the result is HF_E_CONFIG; *out then
 * holds the rest, for those who want to say more about it. A key or passphrase file that others can
 * read is refused. Secrets are wiped once used. Errors: HF_E_CONFIG, HF_E_NOMEM (*out is NULL).
 */
enum hf_err hf_materials_load(const struct hf_config *config, struct hf_findings *findings,
                              struct hf_materials **out) HF_MUST_CHECK;
struct hf_materials *hf_materials_ref(struct hf_materials *materials);
void hf_materials_unref(struct hf_materials *materials);

/* What was loaded for an object of the config that the materials were made from; borrowed. NULL
 * only where there was a finding. */
struct hf_credential *hf_materials_identity(const struct hf_materials *materials,
                                            const struct hf_cfg_identity *identity);

/* hf_materials_staple is the OCSP response to send beside the identity's certificate; empty: none.
 */
struct hf_bytes hf_materials_staple(const struct hf_materials *materials,
                                    const struct hf_cfg_identity *identity);

/* hf_materials_ticket_keys are those of the listener's file; NULL: it names none. */
const struct hf_tls_ticket_keys *hf_materials_ticket_keys(const struct hf_materials *materials,
                                                          const struct hf_cfg_listener *listener);

/* hf_materials_token_keys gives the keys of token-signing, all P-256; 0: the config names none. */
size_t hf_materials_token_keys(const struct hf_materials *materials, EVP_PKEY *const **out);

struct hf_trust *hf_materials_trust(const struct hf_materials *materials,
                                    const struct hf_cfg_trust *trust);

/* The users of a `basic`, and the key set of a `jwt` whose key set is a file; NULL for others. */
struct hf_htpasswd *hf_materials_users(const struct hf_materials *materials,
                                       const struct hf_cfg_auth *auth);
struct hf_jwks *hf_materials_keys(const struct hf_materials *materials,
                                  const struct hf_cfg_auth *auth);

#endif
