// SPDX-License-Identifier: Apache-2.0
#ifndef HF_CLI_CERT_COMMANDS_H
#define HF_CLI_CERT_COMMANDS_H

#include "cli/cli.h"

/* The commands under `handfast cert`; each is in its cmd_cert_<name>.c. */
extern const struct hf_command hf_cmd_cert_convert;
extern const struct hf_command hf_cmd_cert_lint;
extern const struct hf_command hf_cmd_cert_show;

#endif
