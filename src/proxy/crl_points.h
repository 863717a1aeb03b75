// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_CRL_POINTS_H
#define HF_PROXY_CRL_POINTS_H

/* Where a certificate says that its revocation lists are (RFC 5280 4.2.1.13 and 4.2.1.15). */

#include "pki/cert.h"

#define HF_CRL_POINTS_MAX 32 /* URLs of one certificate that are looked at */

/* hf_crl_points calls fn with each http or https URL of the certificate's distribution points and
 * freshest lists, but for those of indirect lists. */
typedef void hf_crl_point_fn(void *ctx, const char *url);
void hf_crl_points(const struct hf_cert *cert, hf_crl_point_fn *fn, void *ctx);

/* hf_crl_points_hash is a hash of what hf_crl_points would look at, without parsing it; 0: there
 * is nothing. */
uint64_t hf_crl_points_hash(const struct hf_cert *cert);

#endif
