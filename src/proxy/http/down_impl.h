// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_HTTP_DOWN_IMPL_H
#define HF_PROXY_HTTP_DOWN_IMPL_H

/* For the kinds of struct hf_down alone. */

#include "proxy/http/down.h"
#include "proxy/snapshot.h"

void hf_down_init(struct hf_down *down, const struct hf_down_kind *kind, struct hf_session *session,
                  struct hf_hub *hub, const struct hf_wire_ops *wire_ops);

/* hf_down_meet learns what is told of the client of a new connection (exchange_tell.c). */
enum hf_err hf_down_meet(struct hf_down *down) HF_MUST_CHECK;

/* hf_down_know learns who the client is, once; hf_down_renew does so again before a request, when
 * the configuration has changed. See down_renew.c. */
enum hf_err hf_down_know(struct hf_down *down) HF_MUST_CHECK;
void hf_down_renew(struct hf_down *down);

/* Bytes came from, or go to, the client: they count, and the connection isn't idle. */
void hf_down_count_in(struct hf_down *down, uint64_t n);
void hf_down_count_out(struct hf_down *down, uint64_t n);

#endif
