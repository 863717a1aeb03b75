// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_EJECT_H
#define HF_PROXY_EJECT_H

/* What traffic teaches about a server: how long it takes, and whether it had better rest. For
 * balance.c; any thread. */

#include "proxy/snapshot.h"

/* hf_latency_now is the moving average in microseconds, fading while nothing is measured; 0: none
 * yet. hf_latency_note adds a sample; sample_us < 0 is none. A failure counts as at least twice the
 * average, so that a server that fails fast isn't the favourite. */
uint64_t hf_latency_now(const struct hf_server_state *state, int64_t now_ms);
void hf_latency_note(struct hf_server_state *state, int64_t sample_us, bool failed, int64_t now_ms);

/* hf_eject_note counts an outcome and ejects the server when enough have failed in a row. */
void hf_eject_note(const struct hf_upstream *upstream, const struct hf_server *server,
                   enum hf_server_outcome outcome, int64_t now_ms);

/* hf_server_return: what kept it out is gone; it grows into its share over slow-start. */
void hf_server_return(const struct hf_upstream *upstream, const struct hf_server *server,
                      int64_t now_ms);

#endif
