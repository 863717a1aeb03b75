// SPDX-License-Identifier: Apache-2.0
#ifndef HF_TLS_NATIVE_PEER_H
#define HF_TLS_NATIVE_PEER_H

/* Who the peer is: its chain, the key that its proof is checked with, and the judge's word. */

#include "base/bytes.h"
#include "base/cache.h"

struct hf_chain;
struct hf_ders;
struct hf_native;
struct hf_tls;

/* hf_peer_chains_new makes the memory of chains that a context keeps. */
enum hf_err hf_peer_chains_new(struct hf_cache **out) HF_MUST_CHECK;

/*
 * hf_peer_set takes the chain that the peer sent, leaf first: sets the connection's peer chain and
 * hs->peer_key. Alerts: bad_certificate (unparsable), unsupported_certificate (a key that no scheme
 * of ours fits, or one not for signing).
 */
enum hf_err hf_peer_set(struct hf_native *conn, const struct hf_bytes *ders,
                        size_t n) HF_MUST_CHECK;

/* hf_peer_restore sets the chain of an earlier handshake, without a key. n 0: none. */
enum hf_err hf_peer_restore(struct hf_native *conn, const struct hf_bytes *ders,
                            size_t n) HF_MUST_CHECK;

/* hf_peer_remember keeps the chain of a peer that was admitted, for when it comes again. */
void hf_peer_remember(struct hf_native *conn);

/* hf_peer_unpack is hf_tls_ops.unpack: the chain after the handshake. */
enum hf_err hf_peer_unpack(struct hf_tls *tls, const struct hf_ders *ders,
                           struct hf_chain **out) HF_MUST_CHECK;

/* hf_peer_verified reads the answer to the job that checks the peer's proof, then asks the judge:
 * nobody is judged who doesn't hold the key. */
enum hf_err hf_peer_verified(struct hf_native *conn) HF_MUST_CHECK;

/* hf_peer_judge asks the judge about the peer's chain; a refusal fails with the judge's alert.
 * Where the judge waits, hs->verdict_due is set, and the drive asks again. */
enum hf_err hf_peer_judge(struct hf_native *conn) HF_MUST_CHECK;

#endif
