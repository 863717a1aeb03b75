// SPDX-License-Identifier: Apache-2.0
#include "cli/cert_commands.h"
#include "cli/commands.h"

static const struct hf_command *const below[] = {&hf_cmd_cert_show, NULL};

const struct hf_command hf_cmd_cert = {
    .name = "cert",
    .summary = "look into certificate and key files",
    .example = "handfast cert show server.pem\n",
    .below = below,
};
