// SPDX-License-Identifier: Apache-2.0
#include "proxy/services.h"

#include <stddef.h>

struct hf_service *hf_services_find(struct hf_services *services, const struct hf_cfg_service *cfg)
{
    return services && cfg->ca ? services->source->find(services, cfg) : NULL;
}

void hf_services_close(struct hf_services *services)
{
    if (services) {
        services->source->close(services);
    }
}
