// SPDX-License-Identifier: Apache-2.0
#include "proxy/daemon_impl.h"

enum hf_err hf_daemon_admin_start(struct hf_daemon *daemon)
{
    (void)daemon;
    return HF_OK;
}

void hf_daemon_admin_stop(struct hf_daemon *daemon)
{
    (void)daemon;
}
