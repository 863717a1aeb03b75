// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CONFIG_PROXIES_H
#define HF_CONFIG_PROXIES_H

#include "config/decode.h"

/* hf_proxies_check makes the listener's trusted_table of its trusted_clients; what is wrong with
 * them goes to findings. After all roles have been decoded. */
void hf_proxies_check(struct hf_decoder *decoder, struct hf_cfg_listener *listener);

#endif
