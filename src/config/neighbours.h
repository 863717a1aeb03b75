// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CONFIG_NEIGHBOURS_H
#define HF_CONFIG_NEIGHBOURS_H

/*
 * Neighbours of a listener are others that a client who looks for the same host and port may reach
 * instead, since one of the two listens on every address: 0.0.0.0:8443 and 192.0.2.1:8443. A host
 * that a neighbour names, in its sni rules or its routes, is the neighbour's.
 */

#include "config/decode.h"
#include "policy/route.h"

/* hf_kind_of_door numbers how clients are asked and judged; [0] is the listener's default, then one
 * per sni rule. Two doors of the config that ask and judge in the same way have the same number. */
unsigned hf_kind_of_door(const struct hf_config *config, const struct hf_cfg_listener *listener,
                         size_t door);

/* hf_neighbours gives the hosts that neighbours name, each with the kind of its door; out is the
 * decoder's arena's. Errors: HF_E_NOMEM. */
enum hf_err hf_neighbours(struct hf_decoder *decoder, const struct hf_cfg_listener *listener,
                          const struct hf_route_door **out, size_t *out_n) HF_MUST_CHECK;

#endif
