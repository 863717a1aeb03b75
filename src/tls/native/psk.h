// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TLS_NATIVE_PSK_H
#define HF_TLS_NATIVE_PSK_H

/*
 * Resumption by ticket (RFC 8446 2.2, 4.2.11): psk_dhe_ke only, no early data. A server's ticket
 * holds all that a resumption needs; a client's session holds the ticket and its secret.
 */

#include <stdatomic.h>

#include "base/secret.h"
#include "tls/native/msg.h"
#include "tls/native/suite.h"
#include "tls/tls_impl.h"

/* struct hf_native_session is a ticket at the client. Immutable once made. */
struct hf_native_session {
    struct hf_tls_session base;
    atomic_uint refs;
    const struct hf_suite *suite;
    struct hf_secret psk;
    uint32_t age_add;
    int64_t received_ms;
    int64_t expires_ms;
    char *sni;
    struct hf_chain *chain; /* the server's */
    size_t ticket_len;
    uint8_t ticket[];
};

void hf_native_session_unref(struct hf_native_session *session);

/* hf_psk_usable: may the session be offered for this name, now, and after a retry? */
bool hf_psk_usable(const struct hf_native *conn, const struct hf_native_session *session);

/* hf_psk_bind fills in the binder of a ClientHello that ends with one zeroed binder. */
void hf_psk_bind(struct hf_native *conn, struct hf_span message);

/*
 * hf_psk_choose decides, after suite and policy, which ticket of a ClientHello is taken, if any:
 * the first that opens, fits realm and hash, is in time, and whose holder the judge admits. Then
 * hs->psk_accepted, conn->resumed and the peer's chain are set. Alerts: decode_error,
 * illegal_parameter (counts differ), decrypt_error (wrong binder).
 */
enum hf_err hf_psk_choose(struct hf_native *conn, const struct hf_msg *msg,
                          struct hf_bytes body) HF_MUST_CHECK;

#endif
