// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TLS_NATIVE_SECRETS_H
#define HF_TLS_NATIVE_SECRETS_H

/* Steps that both roles take between messages: shared secret, the schedule's stages, the end. */

#include "crypto/kex.h"

struct hf_native;

/* hf_native_ask_derive asks for the shared secret of our pair and the peer's share. take_derived
 * reads the answer; a bad share is illegal_parameter. */
void hf_native_ask_derive(struct hf_native *conn, const struct hf_kex *pair);
enum hf_err hf_native_take_derived(struct hf_native *conn) HF_MUST_CHECK;

/* The schedule, with the transcript as it is at the call: through ServerHello, server's Finished,
 * client's Finished. The first starts without a PSK unless one was accepted. */
void hf_native_handshake_secrets(struct hf_native *conn);
void hf_native_master_secrets(struct hf_native *conn);
void hf_native_resumption_secret(struct hf_native *conn);

/* hf_native_keep_transcript keeps the transcript for authentication after the handshake. */
enum hf_err hf_native_keep_transcript(struct hf_native *conn) HF_MUST_CHECK;

/* hf_native_complete ends the handshake, unless a verdict that was due was not given: a path that
 * forgot to ask fails closed. */
enum hf_err hf_native_complete(struct hf_native *conn) HF_MUST_CHECK;

#endif
