// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_HTTP_DOWN_IMPL_H
#define HF_PROXY_HTTP_DOWN_IMPL_H

/* For the kinds of struct hf_down alone. */

#include "proxy/http/down.h"
#include "proxy/snapshot.h"

void hf_down_init(struct hf_down *down, const struct hf_down_kind *kind, struct hf_session *session,
                  struct hf_hub *hub, const struct hf_wire_ops *wire_ops);

/* Bytes came from, or go to, the client: they count, and the connection isn't idle. */
void hf_down_count_in(struct hf_down *down, uint64_t n);
void hf_down_count_out(struct hf_down *down, uint64_t n);

#endif
