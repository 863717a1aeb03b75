// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CONFIG_ROUTES_H
#define HF_CONFIG_ROUTES_H

#include "config/decode.h"

/*
 * hf_routes_check looks at the routes of a listener as a whole, names those without a name, and
 * compiles them into listener->route_table, which the config then owns. Called once everything is
 * decoded and nothing was wrong. What is wrong with the routes goes to findings.
 */
void hf_routes_check(struct hf_decoder *decoder, struct hf_cfg_listener *listener);

#endif
