// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TLS_NATIVE_SERVER_CHOOSE_H
#define HF_TLS_NATIVE_SERVER_CHOOSE_H

/* A server's choices from a ClientHello. Alerts as RFC 8446 4.1.1, 4.2 and 9.2 name them. */

#include "tls/native/ext_list.h"
#include "tls/native/msg.h"

/* hf_server_choose_version says whether TLS 1.3 is offered; nothing else of the hello is judged. */
enum hf_err hf_server_choose_version(struct hf_native *conn, const struct hf_client_hello *hello,
                                     bool *out_1_3) HF_MUST_CHECK;

/* hf_server_choose makes all choices. *out_retry: a HelloRetryRequest for hs->retry_group is due,
 * and policy, ticket and identity are not chosen yet. */
enum hf_err hf_server_choose(struct hf_native *conn, const struct hf_msg *msg,
                             const struct hf_client_hello *hello, bool *out_retry) HF_MUST_CHECK;

#endif
