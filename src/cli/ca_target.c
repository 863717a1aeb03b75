// SPDX-License-Identifier: Apache-2.0
#include "cli/ca_target.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "os/clock.h"

void hf_ca_target_done(struct hf_ca_target *target)
{
    hf_store_close(target->store);
    hf_folder_done(&target->folder);
}

enum hf_err hf_ca_target_open(const struct hf_ca_values *values, struct hf_ca_target *out)
{
    HF_CLEANUP(hf_freep) char *url = NULL;
    enum hf_err err = hf_ca_where(values, &url);
    if (values->dir && err == HF_E_NOT_FOUND) {
        HF_TRY(hf_folder_begin(values->dir, &out->folder));
        size_t size = strlen(out->folder.part) + sizeof("sqlite:/ca.db");
        url = hf_alloc(size);
        if (!url) {
            return HF_E_NOMEM;
        }
        snprintf(url, size, "sqlite:%s/ca.db", out->folder.part);
        err = HF_OK;
    }
    HF_TRY(err);
    struct hf_store_options store_options = {.url = url, .create = true, .clock = &hf_os_clock};
    return hf_store_open(&store_options, &out->store);
}

static enum hf_err write_roots(const struct hf_ca_values *values)
{
    HF_CLEANUP(hf_ca_service_closep) struct hf_ca_service *service = NULL;
    const struct hf_ca_values where = {.dir = values->dir};
    if (!values->dir) {
        return HF_OK;
    }
    HF_TRY(hf_ca_cli_open(&where, &service));
    return hf_ca_folder_roots(&where, service);
}

/* The store is closed first: what a folder gets its name with is whole. */
enum hf_err hf_ca_target_finish(const struct hf_ca_values *values, struct hf_ca_target *target)
{
    hf_store_close(HF_TAKE(target->store));
    if (target->folder.part) {
        HF_TRY(hf_folder_publish(&target->folder));
    }
    return write_roots(values);
}
