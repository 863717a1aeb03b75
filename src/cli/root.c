// SPDX-License-Identifier: Apache-2.0
/* The program: the table of its commands. */
#include "cli/commands.h"

struct values {
    bool version;
};

static const struct hf_option options[] = {
    {.name = "version",
     .kind = HF_OPT_SWITCH,
     .doc = "print the version",
     .offset = offsetof(struct values, version)},
};

#define COMMAND_ROW(name) &hf_cmd_##name,
static const struct hf_command *const commands[] = {HF_COMMANDS(COMMAND_ROW) NULL};
#undef COMMAND_ROW

static enum hf_exit run(struct hf_cli *cli, const void *given)
{
    const struct values *values = given;
    if (values->version) {
        fprintf(cli->out, "handfast %s\n", HF_VERSION);
        return HF_EXIT_OK;
    }
    hf_cli_help(&hf_cmd_root, cli->path, cli->err);
    return HF_EXIT_USAGE;
}

const struct hf_command hf_cmd_root = {
    .name = "handfast",
    .summary = "mutual TLS proxy and private CA",
    .about = "Handfast puts mutual TLS in front of what you already run: a proxy that lets in only "
             "clients whose certificate it trusts, a small private CA, and the tools to look "
             "after both.",
    .example = "handfast check -c handfast.yaml\n"
               "handfast help check\n",
    HF_OPTIONS(options),
    .values_size = sizeof(struct values),
    .run = run,
    .below = commands,
};
