// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CLI_COMMANDS_H
#define HF_CLI_COMMANDS_H

#include "cli/cli.h"

/* Every command, in the order of the help. Each is in its cmd_<name>.c. */
#define HF_COMMANDS(X) \
    X(run) \
    X(tunnel) \
    X(check) \
    X(simulate) \
    X(explain) \
    X(reports) \
    X(status) \
    X(sessions) \
    X(reload) \
    X(drain) \
    X(upstream) \
    X(revoke) \
    X(crls) \
    X(tickets) \
    X(ca) \
    X(cert) \
    X(config) \
    X(backend) \
    X(version) \
    X(help)

#define HF_COMMAND_DECLARE(name) extern const struct hf_command hf_cmd_##name;
HF_COMMANDS(HF_COMMAND_DECLARE)
#undef HF_COMMAND_DECLARE

/* The program itself, with all of them below. */
extern const struct hf_command hf_cmd_root;

#endif
