// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_CRL_ADMIN_H
#define HF_PROXY_CRL_ADMIN_H

/* The admin socket's view of revocation lists; ctx is the daemon. */

#include <jansson.h>

#include "proxy/daemon_impl.h"
#include "watch/httpd.h"

/*
 *      GET  /crls        those in force, and the URLs that are asked
 *      POST /crls/fetch  asks all URLs now
 */
/* hf_crl_lists_json is an array of the lists in force, by trust; for others that show them. Control
 * thread. NULL: out of memory. */
json_t *hf_crl_lists_json(const struct hf_daemon *daemon);

void hf_admin_crls(void *ctx, struct hf_httpd_call *call);
void hf_admin_crls_fetch(void *ctx, struct hf_httpd_call *call);

#endif
