// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TLS_NATIVE_CLIENT_CHOOSE_H
#define HF_TLS_NATIVE_CLIENT_CHOOSE_H

/* What a client makes of the server's hello and of its request for a certificate. */

#include "tls/native/msg.h"

/* hf_client_choose checks a ServerHello against what was offered and takes its suite, share and
 * PSK; hf_client_choose_retry does so for a HelloRetryRequest. Alerts: protocol_version,
 * illegal_parameter, missing_extension, those of the extensions. */
enum hf_err hf_client_choose(struct hf_native *conn,
                             const struct hf_server_hello *hello) HF_MUST_CHECK;
enum hf_err hf_client_choose_retry(struct hf_native *conn,
                                   const struct hf_server_hello *hello) HF_MUST_CHECK;

/*
 * hf_client_choose_identity sets conn->own while the CertificateRequest is at hand: the first
 * identity that can sign as asked, whose chain is signed as asked and leads to a CA that is named.
 * When none fits in all of this, the first that can sign, so that a server with an incomplete list
 * still sees who we are. NULL: none can sign; an empty Certificate is sent (RFC 8446 4.4.2).
 */
void hf_client_choose_identity(struct hf_native *conn);

#endif
