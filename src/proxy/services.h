// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_SERVICES_H
#define HF_PROXY_SERVICES_H

/*
 * Services (http/service.h) that routes lead to, as the proxy meets them: it knows none itself, for
 * the layers of those that there are stand beside it. Whoever starts the daemon brings them.
 */

#include "base/log.h"
#include "config/config.h"

struct hf_live;
struct hf_materials;
struct hf_service;

/* struct hf_services are those of one generation. Owned by its snapshot. */
struct hf_services {
    const struct hf_services_source *source;
};

struct hf_services_source {
    /*
     * open makes ready what the config names, on the control thread; what runs already goes on.
     * What is wrong goes to findings (HF_E_CONFIG). NULL in *out: the config names nothing.
     */
    enum hf_err (*open)(void *ctx, const struct hf_config *config,
                        const struct hf_materials *materials, struct hf_log *log,
                        struct hf_findings *findings, struct hf_services **out);

    /* find gives a reference, or NULL. */
    struct hf_service *(*find)(struct hf_services *services, const struct hf_cfg_service *cfg);

    /* live gives a reference to what a CA of these has revoked; any thread. */
    struct hf_live *(*live)(struct hf_services *services, const struct hf_cfg_ca *cfg);

    /* obeyed: all workers judge by a view that was read up to this line of the CA's journal, or by
     * none of this CA. Control thread. */
    void (*obeyed)(struct hf_services *services, const struct hf_cfg_ca *cfg, int64_t seq);

    /* attach: changed(daemon) is to be called whenever a live view has changed, by any thread,
     * until stop. Control thread, once. */
    void (*attach)(void *ctx, void (*changed)(void *daemon), void *daemon);

    /* close is told when the last user of the generation has gone; any thread. */
    void (*close)(struct hf_services *services);

    /* drain: answers that are kept back for news are to be given now. stop: all calls are to be
     * answered when it returns, and none will come any more. Control thread. */
    void (*drain)(void *ctx);
    void (*stop)(void *ctx);
    void *ctx;
};

/* hf_services_find gives a reference, or NULL; services may be NULL. */
struct hf_service *hf_services_find(struct hf_services *services, const struct hf_cfg_service *cfg);

/* hf_services_close accepts NULL. */
void hf_services_close(struct hf_services *services);

#endif
