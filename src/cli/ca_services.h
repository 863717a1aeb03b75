// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CLI_CA_SERVICES_H
#define HF_CLI_CA_SERVICES_H

/* Brings the CAs that a config names (ca/host.h) to the daemon that serves them
 * (proxy/services.h): the two layers don't know each other. */

#include "proxy/services.h"

struct hf_ca_services;

enum hf_err hf_ca_services_new(struct hf_ca_services **out) HF_MUST_CHECK;

/* hf_ca_services_source lives as long as the services. */
const struct hf_services_source *hf_ca_services_source(const struct hf_ca_services *services);

/* hf_ca_services_free: the daemon has ended. */
void hf_ca_services_free(struct hf_ca_services *services);

#endif
