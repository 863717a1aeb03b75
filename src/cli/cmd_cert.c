// SPDX-License-Identifier: Apache-2.0
#include "cli/cert_commands.h"
#include "cli/commands.h"

static const struct hf_command *const below[] = {&hf_cmd_cert_show, &hf_cmd_cert_lint,
                                                 &hf_cmd_cert_convert, NULL};

const struct hf_command hf_cmd_cert = {
    .name = "cert",
    .summary = "look into certificate and key files, and convert them",
    .example = "handfast cert show server.pem\n"
               "handfast cert lint server.pem --issuer ca.pem\n",
    .below = below,
};
