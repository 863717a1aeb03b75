// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PKI_CRL_IMPL_H
#define HF_PKI_CRL_IMPL_H

/* Shared by the files that read lists; for nobody else. */

#include "pki/crl.h"
#include "pki/crl_signature.h"
#include "pki/der.h"

/* --- crl_extension.c ----------------------------------------------------------------------------
 */

/* hf_crl_extensions reads the list's extensions, content of [0]. Errors: HF_E_MALFORMED,
 * HF_E_UNSUPPORTED in words, HF_E_NOMEM. */
enum hf_err hf_crl_extensions(struct hf_bytes content, struct hf_crl *crl) HF_MUST_CHECK;

/* hf_crl_entry_reason reads an entry's extensions. Errors the same. */
enum hf_err hf_crl_entry_reason(struct hf_bytes content, enum hf_revoked_for *out) HF_MUST_CHECK;

/* --- crl_der.c ----------------------------------------------------------------------------------
 * One list in DER, from pieces.
 */

struct hf_crl_der;

enum hf_err hf_crl_der_new(const struct hf_crl_limits *limits, const char *label,
                           struct hf_crl_der **out) HF_MUST_CHECK;

/* hf_crl_der_feed takes bytes; *out is the list when it is complete, NULL before. More bytes after
 * that are HF_E_MALFORMED. */
enum hf_err hf_crl_der_feed(struct hf_crl_der *der, struct hf_bytes bytes,
                            struct hf_crl **out) HF_MUST_CHECK;
void hf_crl_der_free(struct hf_crl_der *der);

#endif
