// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_REVOKE_ADMIN_H
#define HF_PROXY_REVOKE_ADMIN_H

#include "watch/httpd.h"

/*
 * The deny list over the admin socket, for hf_httpd_route; ctx is the daemon.
 *
 *      GET  /revocations                                     the list
 *      POST /revocations?selector=S[&reason=R][&until=UNIX]  add; answers when it is on disk, and
 *                                                            every session has been judged again
 *      POST /revocations/undo?id=N
 */
void hf_admin_revocations(void *ctx, struct hf_httpd_call *call);
void hf_admin_revoke(void *ctx, struct hf_httpd_call *call);
void hf_admin_undo(void *ctx, struct hf_httpd_call *call);

#endif
