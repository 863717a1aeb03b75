// SPDX-License-Identifier: Apache-2.0
#ifndef HF_PROXY_DAEMON_H
#define HF_PROXY_DAEMON_H

#include "config/config.h"
#include "proxy/services.h"

struct hf_daemon_options {
    /* Where a reload reads the configuration again; NULL: there is no file (a tunnel). */
    const char *config_path;
    const struct hf_services_source *services; /* that routes may lead to; NULL: none */
};

/*
 * hf_daemon_run runs the proxy on this thread, which becomes the control thread, until it is told
 * to stop by SIGTERM, SIGINT or the admin socket. Takes ownership of config.
 *
 * What is wrong at the start is printed on standard error with its place in the file, and is
 * HF_E_CONFIG; HF_E_IO and others mean that the system refused something essential.
 */
enum hf_err hf_daemon_run(struct hf_config *config,
                          const struct hf_daemon_options *options) HF_MUST_CHECK;

#endif
